"""A concern of its own, in one file: draws of stock for money, with the twin that audits them.

It is what a developer writes to add a concern: a row, a result, a block and a twin. Nothing else of
the project knows of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from optimiser.auditing.metal import goes_out
from optimiser.auditing.path_audit import PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.twin import (
    AuditedAct,
    AuditedDeed,
    AuditedHeading,
    AuditedMovement,
    AuditedSheet,
    AuditedTotal,
    Size,
    Twin,
)
from stockpile_model import amounts
from stockpile_model.acts import NUMBER, Act
from stockpile_model.block import Block, Deed, Tally
from stockpile_model.calendar import overlap
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Exit, Heading, Ledger
from stockpile_model.names import identity
from stockpile_model.schema import ComparedSum, Dated, Row, SummedLine, column
from stockpile_model.solved_plan import SolvedPlan
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Draw(Row):
    """A right to draw stock for money, in one period."""

    TABLE = "draws"
    PURPOSE = "Who may draw stock for money, in one period."
    STEP = "means"
    draw: str = column("name of the draw", required=True, key=True)
    material: str = column("material that is drawn", required=True, refers="materials")
    date: dt.date = column("date in the period in which it is drawn", required=True)
    quantity: float = column("most that is drawn", "quantity", required=True, least=0, limit="most")
    price: float = column(
        "price received", "money/quantity", required=True, least=0, outlier="either"
    )


@dataclass(frozen=True, kw_only=True)
class Drawn(Dated):
    """What is drawn."""

    SHEET = "draws"
    ABOUT = "what is drawn of stock, and what that earns"
    PLACE = 45
    SUMMED = (SummedLine("Drawn", "quantity", "out", "for money"),)
    COMPARED = (ComparedSum("drawn", "draw", "quantity", "first draw", "draw"),)
    LETTER = "D"
    date: dt.date = column("first day of the period")
    draw: str = column("draw")
    material: str = column("material")
    quantity: float = column("what is drawn", "quantity")
    receipts: float = column("receipts, undiscounted", "money")
    number: str | None = column(NUMBER, default=None)

    def act(self, now: Stockpile) -> Act | None:
        """Return the draw to agree to; None where nothing is drawn."""
        if self.quantity == 0:
            return None
        return Act(
            "draw",
            self.date,
            Draw.TABLE,
            self.draw,
            material=self.material,
            deed="draw",
            quantity=self.quantity,
            receipt=self.receipts,
        )

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield how much is drawn."""
        if drawn := sum(each.probability * each.quantity for each in plan.of(cls)):
            yield f"Draw {amounts.quantity(drawn)} {plan.unit}."


DRAW = Exit("draw")


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what is drawn of stock, and what that earns."""
    add_drawn(m, stockpile)
    cap_draw(m, stockpile, ledger)
    take_drawn(m, stockpile, ledger)


def nodes(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Yield the nodes at which stock can be drawn."""
    day = stockpile.keyed(Draw)[name].date
    for period in overlap(stockpile.calendar, day, day):
        yield from stockpile.tree.at[period]


def add_drawn(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Add drawn[k,w,a,n]: what draw k takes of site w at age a at node n."""
    m.DRAWS = pyo.Set(
        dimen=4,
        initialize=[
            (k, w, a, n)
            for k, row in stockpile.keyed(Draw).items()
            for n in nodes(stockpile, k)
            for w in stockpile.sites
            for a in stockpile.first_ages(row.material, n)
        ],
        doc="draw, site, age, node",
    )
    m.drawn = pyo.Var(m.DRAWS, domain=pyo.NonNegativeReals, doc="stock drawn [quantity]")


def cap_draw(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Require Σ_{w,a} drawn[k,w,a,n] ≤ quantity[k,n]."""
    together: dict[tuple[str, int], list[Any]] = {}
    for (k, _, _, n), drawn in m.drawn.items():
        together.setdefault((k, n), []).append(drawn)

    def rule(m: pyo.ConcreteModel, k: str, n: int) -> object:
        return summed(together[k, n]) <= stockpile.at(n).keyed(Draw)[k].quantity

    m.cap_draw = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(together)),
        rule=rule,
        doc="a draw takes no more than its quantity [quantity]",
    )
    for k, n in together:
        row = stockpile.at(n).keyed(Draw)[k]
        what = f"quantity of draw {k}"
        ledger.limit(m.cap_draw[k, n], "most", row.quantity, "quantity", what, row, "quantity", n)


def take_drawn(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what leaves, and what it earns."""
    for (k, w, a, n), drawn in m.drawn.items():
        row = stockpile.at(n).keyed(Draw)[k]
        ledger.take(n, row.material, w, a, drawn, DRAW, k)
        ledger.receive(
            n, "draws", row.price * drawn, row.material, k, buyer=stockpile.sites[w].buyer
        )


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return the most that draws take of a material that arrives in a window [quantity]."""
    names = (k for k, row in stockpile.keyed(Draw).items() if row.material == material)
    return sum(max(view.keyed(Draw)[k].quantity for view in stockpile.variants) for k in names)


def done(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return what is drawn at a node."""
    return [drawn for (k, _, _, n), drawn in m.drawn.items() if (k, n) == (name, node)]


def report(formulation: Formulation) -> Iterator[Drawn]:
    """Yield what is drawn."""
    m, stockpile = formulation.m, formulation.stockpile
    for k, row in stockpile.keyed(Draw).items():
        for n in nodes(stockpile, k):
            quantity = sum(evaluate(each) for each in done(m, stockpile, k, None, n))
            yield Drawn(
                **stockpile.where(n),
                date=stockpile.date(n),
                draw=k,
                material=row.material,
                quantity=quantity,
                receipts=stockpile.at(n).keyed(Draw)[k].price * quantity,
            )


BLOCK = Block(
    tables=(Draw,),
    results=(Drawn,),
    headings=(Heading("draws", "receipts from draws"),),
    exits=(DRAW,),
    decisions=("drawn",),
    tallies=(Tally("drawn", "draw", alike=True),),
    deeds=(Deed("draw", "draws", metal=True, possible=nodes, done=done),),
    add=add,
    report=report,
    uses=uses,
)


# --- The twin -------------------------------------------------------------------------------------


def audit_draws(path: PathAudit) -> None:
    """What is drawn has left its lots, is within its quantity and earns its price."""
    inputs, record = path.inputs, path.record
    shown: dict[tuple[int, str], float] = {}
    for line in path.sheets["draws"]:
        t, row = path.when(line), path.known(line, "draw", "draws", inputs.keyed("draws"))
        if t is None or row is None:
            continue
        row = inputs.at(t).keyed("draws")[row.draw]
        noise, quantity = path.noise(row.material), line["quantity"]
        shown[t, row.draw] = quantity
        path.within(line, "date", row, "date", "date", "and it can be drawn")
        record.term(line, "material", row.material, (row, "material"))
        record.most(line, "quantity", row.quantity, noise, (row, "quantity"))
        record.figure(line, "receipts", row.price * quantity, 0.0, (row, "price"))
        path.book(t, "draws", -row.price * quantity, row.material, row.draw)
    left = path.moves.sums("draw", lambda t, lot, name: (t, name))
    noise = sum(path.noise(row.material) for row in inputs.rows("draws"))
    path.match("draws", "what is drawn", left, shown, lambda key: noise)


def planned(path: PathAudit, name: str, level: str | None, t: int | None) -> float:
    """Return what is drawn, in a period or over the horizon [quantity]."""
    left = path.moves.sums("draw", lambda s, lot, draw: (s, draw))
    return sum(q for (s, draw), q in left.items() if identity(draw) == name and t in (None, s))


def takes(path: PathAudit, line: Line, t: int) -> None:
    """What is drawn is usable."""
    goes_out(path, line, t)
    path.known(line, "name", "draws", path.inputs.keyed("draws"))


ACT = AuditedAct(table="draws", name="draw", quantity="quantity", receipt="receipts", deed="draw")
TWIN = Twin(
    headings=(AuditedHeading("draws"),),
    movements=(AuditedMovement("draw", False, takes),),
    deeds=(AuditedDeed("draw", "draws", planned),),
    sheets=(AuditedSheet(name="draws", act=ACT),),
    totals=(AuditedTotal("Drawn", "draws", "quantity", side="out"),),
    needs=(Size("draws", "quantity"),),
    follow=(audit_draws,),
)
