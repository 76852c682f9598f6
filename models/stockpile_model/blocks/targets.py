"""Targets: in-spec stock that must be there at period end."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.blocks.demand import serving
from stockpile_model.checks import served
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.schema import Dated, Problem, Result, Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True, kw_only=True)
class Target(Row):
    TABLE = "targets"
    PURPOSE = "In-spec stock that must be there at period end."
    STEP = "need"
    material: str = column("material", required=True, refers="materials")
    buyer: str | None = column("whose stock counts; blank = all sites", owner=True)
    from_: dt.date = column(
        "date from which it holds, until the material's next row", required=True
    )
    quantity: float = column(
        "in-spec stock at period end", "quantity", required=True, need=True, least=0
    )
    path: str = column(
        "`step`: from this date; `ramp`: linear from the row before",
        default="step",
        choices=("step", "ramp"),
    )
    hard: bool = column("whether it must be met", default=False)


@dataclass(frozen=True, kw_only=True)
class TargetMet(Dated):
    SHEET = "targets"
    ABOUT = "stock that counts, against the target"
    PLACE = 50
    date: dt.date = column("first day of the period")
    material: str = column("material")
    buyer: str | None = column("whose stock counts")
    target: float = column("in-spec stock asked for at period end", "quantity")
    hard: bool = column("whether it must be met")
    stock: float = column("in-spec stock with enough life left to count", "quantity")
    below: float = column("what is missing", "quantity", alarm=True)
    cost: float = column("price of what is missing, discounted, expected", "money")


class Asked(NamedTuple):
    quantity: float
    hard: bool
    row: Target


@functools.lru_cache(maxsize=4096)
def required(stockpile: Stockpile, node: int) -> dict[tuple[str, str], Asked]:
    """The target at a node by material and buyer [quantity]."""
    period = stockpile.tree.period[node]
    calendar = stockpile.calendar
    series: dict[tuple[str, str], list[tuple[int, Target]]] = {}
    for row in stockpile.at(node).rows(Target):
        series.setdefault((row.material, row.buyer or ""), []).append(
            (calendar.period(row.from_), row)
        )
    found = {}
    for key, points in series.items():
        points.sort(key=lambda point: point[0])
        before = next(((p, row) for p, row in reversed(points) if p <= period), None)
        after = next(((p, row) for p, row in points if p > period), None)
        if after is not None and after[1].path == "ramp" and (before is None or before[0] < period):
            # Linear in periods, as hard as the row it leads to; the first ramp rises from 0 at the start of the horizon.
            begin, level = (before[0], before[1].quantity) if before else (0, 0.0)
            quantity = level + (after[1].quantity - level) * (period - begin) / (after[0] - begin)
            asked = Asked(quantity, after[1].hard, after[1])
        elif before is not None:
            asked = Asked(before[1].quantity, before[1].hard, before[1])
        else:
            continue
        if asked.quantity > 0:
            found[key] = asked
    return found


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return the most that targets ask to be held of a material at once in a window [quantity]."""
    return max(
        _total(stockpile, material, n) for period in window for n in stockpile.tree.at[period]
    )


def _total(stockpile: Stockpile, material: str, node: int) -> float:
    return sum(
        asked.quantity for (i, _), asked in required(stockpile, node).items() if i == material
    )


def counts(stockpile: Stockpile, material: str, age: int) -> bool:
    """Whether end-of-period stock of an age counts: it has `life - 1 - age` periods left, must have some, and at least
    count_life_months (workbook contract, meaning of time)."""
    life = stockpile.life(material)
    if life is None:
        return True
    left = life - 1 - age
    return (
        left > 0
        and left * stockpile.calendar.months
        >= stockpile.keyed(Material)[material].count_life_months - 1e-9
    )


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return whether an age counts towards a target. At the last age nothing is held, so it has the mark of the one before."""
    life = stockpile.life(material)
    asked = any(row.material == material for row in stockpile.rows(Target))
    return asked and counts(
        stockpile, material, age if life is None else max(0, min(age, life - 2))
    )


def check(stockpile: Stockpile) -> Iterator[Problem]:
    seen: dict[tuple[str, str, int], Target] = {}
    materials, calendar = stockpile.keyed(Material), stockpile.calendar
    for row in stockpile.rows(Target):
        yield from served(stockpile, row)
        period = calendar.period(row.from_)
        # A ramp may lead to a date after the horizon: its first part lies within.
        if period >= calendar.periods and row.path == "step":
            end = calendar.end(calendar.periods - 1)
            message = f"is after the horizon, which ends on {end}, found {row.from_}; change the date or remove the row"
            yield Problem(row.TABLE, row.line, "from", message)
        twin = seen.setdefault((row.material, row.buyer or "", period), row)
        if twin is not row:
            message = f"a target for {row.material} in this period stands in row {twin.line} already; remove one of the two"
            yield Problem(row.TABLE, row.line, "from", message)
        if row.material not in materials:
            continue
        material = materials[row.material]
        if (
            not row.hard
            and row.quantity > 0
            and material.below_target_cost is None
            and stockpile.settings.objective == "cost"
        ):
            message = f"the target is soft and {row.material} has no below_target_cost: it has no effect (set hard, or a cost in materials)"
            yield Problem(row.TABLE, row.line, "hard", message, warning=True)
        whole = calendar.whole(material.shelf_life_months or 0) is not None
        if (
            row.quantity > 0
            and whole
            and not any(
                counts(stockpile, row.material, age) for age in stockpile.ages(row.material)
            )
        ):
            message = f"no lot of {row.material} can count: its shelf life leaves none with count_life_months at period end"
            yield Problem(row.TABLE, row.line, "quantity", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ_{w, a that count} stock[i,w,a,n] + below[i,b,n] ≥ target[i,b,n]; no below where the target is hard."""
    asked = {
        (i, b, n): each
        for n in stockpile.tree.nodes
        for (i, b), each in required(stockpile, n).items()
    }
    m.TARGETS = pyo.Set(dimen=3, initialize=list(asked), doc="material, buyer, node with a target")
    m.SOFT_TARGETS = pyo.Set(
        dimen=3,
        initialize=[key for key, each in asked.items() if not each.hard],
        doc="targets that may be missed",
    )
    m.below = pyo.Var(
        m.SOFT_TARGETS, domain=pyo.NonNegativeReals, doc="stock below a soft target [quantity]"
    )

    def hold_target(m: pyo.ConcreteModel, i: str, b: str, n: int) -> object:
        terms = _counted(m, stockpile, i, b, n)
        if (i, b, n) in m.SOFT_TARGETS:
            terms.append(m.below[i, b, n])
        return summed(terms) >= asked[i, b, n].quantity

    m.hold_target = pyo.Constraint(
        m.TARGETS,
        rule=hold_target,
        doc="in-spec stock reaches the target, or is counted as below [quantity]",
    )
    for (i, b, n), each in asked.items():
        ledger.limit(
            m.hold_target[i, b, n],
            "least",
            each.quantity,
            "quantity",
            f"target for {i}",
            each.row,
            "quantity",
            n,
        )
    for i, b, n in m.SOFT_TARGETS:
        ledger.miss(n, m.below[i, b, n])
        rate = stockpile.at(n).keyed(Material)[i].below_target_cost
        if rate:
            ledger.charge(n, "below_target", rate * m.below[i, b, n], i, b, b or None)


def _counted(m: pyo.ConcreteModel, stockpile: Stockpile, i: str, b: str, n: int) -> list[object]:
    ages = [a for a in stockpile.first_ages(i, n) if counts(stockpile.at(n), i, a)]
    return [m.stock[i, w, a, n] for w in serving(stockpile, b) for a in ages]


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    calendar, tree = stockpile.calendar, stockpile.tree
    for i, b, n in m.TARGETS:
        target = required(stockpile, n)[i, b]
        stock = sum(evaluate(each) for each in _counted(m, stockpile, i, b, n))
        below = evaluate(m.below[i, b, n]) if (i, b, n) in m.SOFT_TARGETS else 0.0
        rate = stockpile.at(n).keyed(Material)[i].below_target_cost or 0.0
        yield TargetMet(
            **stockpile.where(n),
            date=calendar.begin(tree.period[n]),
            material=i,
            buyer=b or None,
            target=target.quantity,
            hard=target.hard,
            stock=stock,
            below=below if below > stockpile.scale.nothing else 0.0,
            cost=tree.probability[n] * stockpile.discount(tree.period[n]) * rate * below,
        )


BLOCK = Block(
    tables=(Target,),
    results=(TargetMet,),
    headings=(Heading("below_target", "price of stock below targets (no cash)", cash=False),),
    check=check,
    add=add,
    report=report,
    tells_apart=tells_apart,
    uses=uses,
)
