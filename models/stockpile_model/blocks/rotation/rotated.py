"""Which lot leaves through which outlet, in words an officer acts on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, TO_LOT, WHY, Act, RowFacts
from stockpile_model.blocks.rotation import outlet_terms as terms
from stockpile_model.blocks.rotation.outlet_terms import (
    GIVING_BACK,
    RELEASING,
    REQUALIFY,
    Outlet,
)
from stockpile_model.blocks.rotation.rotating import ROTATION
from stockpile_model.blocks.stock.lot_terms import counting, remaining_life
from stockpile_model.formulation import Formulation
from stockpile_model.leads import Lead
from stockpile_model.lots import EXPIRED, Moved
from stockpile_model.schema import ComparedSum, Dated, DeedColumns, SummedLine, column
from stockpile_model.solved_plan import SolvedPlan, averaged, by_material
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

WORTHLESS = 1e-6  # up to which a worth is the solver's noise [scaled units]
UNUSED = (("form", EXPIRED),)
"""What marks the rows of what expires."""


@dataclass(frozen=True, kw_only=True)
class Rotated(Dated):
    """Describe what leaves of a lot in a period through an outlet, or because its life is over."""

    SHEET = "rotation"
    ABOUT = "which lot leaves, when and through which outlet, before its life is over"
    PLACE = 41
    RENEWED = True
    RANK = 4
    LETTER = "R"
    ONE_ACROSS = True
    DEED = DeedColumns("rotate", "outlet", "date", "quantity")
    NAMED = ("lot", "material", "date")
    SUMMED = (
        SummedLine("Rotated out", "quantity", "out", "through outlets", but=UNUSED),
        SummedLine(
            "Waste", "quantity", "waste", "reaches the end of its life unused", where=UNUSED
        ),
    )
    COMPARED = (ComparedSum("rotated", "outlet", "quantity"),)
    date: dt.date = column("first day of the period")
    lot: str = column("lot", leads=(TO_LOT,))
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age when it leaves", "months")
    remaining_life: float | None = column("life left when it leaves; blank = unlimited", "months")
    outlet: str | None = column("outlet; blank where the lot expires")
    form: str = column("`sale`, `exchange`, `rework`, `requalify`, `loan`, `dispose` or `expired`")
    quantity: float = column("what leaves", "quantity")
    price: float = column("price received", "money/quantity")
    proceeds: float = column(
        "receipts, undiscounted",
        "money",
        leads=(Lead("cash_flow", (("name", "outlet"), ("date", "date")), (("heading", "sales"),)),),
    )
    cost: float = column("outlet and disposal cost, undiscounted", "money")
    returns: dt.date | None = column(
        "first day of the period in which it comes back (exchange, rework, requalify, loan)"
    )
    returned: float | None = column(
        "what comes back (exchange, rework, loan); what passes the test (requalify)", "quantity"
    )
    to_material: str | None = column("material that comes back; blank = none does")
    instruction: str = column("what to do", sentence=True)
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))
    why: str | None = column(WHY, default=None, sentence=True)

    def act(self, now: Stockpile) -> Act | None:
        """Return what goes through the outlet; None where the lot expires."""
        if self.outlet is None:
            return None
        return Act(
            self.form,
            self.date,
            Outlet.TABLE,
            self.outlet,
            material=self.material,
            deed="rotate",
            quantity=self.quantity,
            expected=self.returned,
            price=self.price,
            cost=self.cost or None,
            invoice=self.cost or None,
            receipt=self.proceeds or None,
            due=self.date,
            until=now.keyed(Outlet)[self.outlet].to,
            adds=True,
            relaxed=not now.firm_on(self.date),
        )

    def because(self, facts: RowFacts) -> Iterator[str]:
        """Yield what the metal would be worth if it were kept, and whether it would still count."""
        if self.outlet is None:
            return
        now, settings = facts.now, facts.now.settings
        worth = facts.worth(self.material, self.date, round(self.age / now.calendar.months))
        price = f"{settings.currency}/{settings.quantity_unit}"
        if worth is not None:
            least = WORTHLESS * now.scale.of("money/quantity")
            kept = f"kept, it is worth {amounts.rounded(worth)} {price} to the plan"
            yield kept if worth > least else "kept, it is of no more use in the plan"
        if self.price:
            yield f"it brings {amounts.rounded(self.price)} {price}"
        below = facts.below(self.material)
        if below is None or self.remaining_life is None:
            return
        periods = counting(now, self.material, self.remaining_life, self.date)
        if periods <= 0:
            yield "it counts towards no target any more"
            return
        yield f"it would count towards a target for {amounts.count(periods, 'more period')}"
        if below > now.scale.nothing and self.form in RELEASING:
            unit = settings.quantity_unit
            yield f"{amounts.about(below)} {unit} are below target then, which the settings allow"

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield how much is rotated out, and through which outlets."""
        rotated = [each for each in plan.of(cls) if each.form != EXPIRED]
        for of, rows in by_material(plan, rotated):
            out = amounts.summed(sum(each.probability * each.quantity for each in rows))
            outlets = amounts.listed(sorted({str(each.outlet) for each in rows}))
            yield f"Rotate {out} {plan.unit}{of} out through {outlets}{averaged(plan)}."


def report(formulation: Formulation) -> Iterator[Rotated]:
    """Yield what leaves each lot through an outlet, or because its life is over."""
    stockpile = formulation.stockpile
    for moved in formulation.trace.movements:
        if moved.kind == ROTATION.name:
            outlet = stockpile.at(moved.node).keyed(Outlet)[moved.name]
            yield _rotated(stockpile, moved, outlet)
        elif moved.kind == EXPIRED:
            yield _rotated(stockpile, moved, None)


def _rotated(stockpile: Stockpile, moved: Moved, outlet: Outlet | None) -> Rotated:
    """Return the row of what leaves; without an outlet its life is over."""
    now, lot = stockpile.at(moved.node), moved.lot
    capacity = None if outlet is None else outlet.capacity
    quantity = amounts.snapped(-moved.quantity, most=(capacity,))
    price = 0.0 if outlet is None else terms.price(stockpile, outlet, moved.age, moved.node)
    wasted = outlet is None or outlet.form == "dispose"
    waste = now.keyed(Material)[lot.material].disposal_cost if wasted else 0.0
    returning = outlet if outlet is not None and outlet.form in GIVING_BACK else None
    return Rotated(
        **stockpile.where(moved.node),
        date=stockpile.date(moved.node),
        lot=lot.name,
        material=lot.material,
        site=lot.site,
        made=lot.made,
        age=moved.age * stockpile.calendar.months,
        remaining_life=remaining_life(now, lot, moved.age),
        outlet=None if outlet is None else outlet.outlet,
        form=EXPIRED if outlet is None else outlet.form,
        quantity=quantity,
        price=price,
        proceeds=quantity * price,
        cost=quantity * (waste + (0.0 if outlet is None else outlet.cost)),
        returns=None if returning is None else _returns(stockpile, moved, returning),
        returned=None if returning is None else quantity * returning.yield_,
        to_material=None if returning is None else terms.back(returning),
        instruction=_instruction(stockpile, moved, outlet, quantity, price),
    )


def _returns(stockpile: Stockpile, moved: Moved, outlet: Outlet) -> dt.date:
    """Return the first day of the period in which metal comes back."""
    period = stockpile.tree.period[moved.node] + terms.lead(stockpile, outlet)
    return stockpile.calendar.begin(period)


def _instruction(
    stockpile: Stockpile, moved: Moved, outlet: Outlet | None, quantity: float, price: float
) -> str:
    """Return what to do, as a sentence."""
    settings, lot = stockpile.settings, moved.lot
    left = remaining_life(stockpile.at(moved.node), lot, moved.age)
    unit, when = settings.quantity_unit, amounts.month(stockpile.date(moved.node))
    when += "" if outlet is None or stockpile.firm(moved.node) else ", indicative"
    origin = f"lot {lot.name} ({lot.material}, {lot.site}, made {lot.made:%Y-%m-%d})"
    amount = f"{amounts.stated(quantity)} {unit} of {origin}"
    if outlet is None:
        return f"{when}: {amount} reaches the end of its life and is waste"
    if left is not None:
        amount += f", {amounts.count(left, 'month')} of life left"
    proceeds = f"{amounts.money(quantity * price)} {settings.currency}"
    if outlet.form in GIVING_BACK:
        returned = amounts.stated(quantity * outlet.yield_)
        day = amounts.month(_returns(stockpile, moved, outlet))
        what = "pass and " if outlet.form == REQUALIFY else ""
        verb = "lend" if outlet.form == "loan" else outlet.form
        fee = f" for {proceeds}" if price else ""
        return (
            f"{when}: {verb} {amount}, through {outlet.outlet}{fee}; "
            f"{returned} {unit} of {terms.back(outlet)} {what}come back {day}"
        )
    if outlet.form == "sale":
        return f"{when}: sell {amount}, through {outlet.outlet}, for {proceeds}"
    return f"{when}: throw away {amount}, through {outlet.outlet}"
