"""What comes back of each lot from a test that prolongs its life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model.blocks.stock.lot_terms import remaining_life
from stockpile_model.formulation import Formulation
from stockpile_model.lots import Lot
from stockpile_model.schema import Dated, column


@dataclass(frozen=True, kw_only=True)
class Requalified(Dated):
    """A lot that comes back from a test, with more life, or failed."""

    SHEET = "requalified"
    ABOUT = "which lot was tested again, when and how often, and what passed and failed"
    PLACE = 45
    RENEWED = True
    ALWAYS = False
    date: dt.date = column("first day of the period in which it comes back")
    lot: str = column("lot as it comes back")
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from, as it comes back")
    outlet: str = column("outlet that tested it")
    before: str = column("lot that was tested")
    before_made: dt.date = column("date the shelf life of that lot ran from")
    first_made: dt.date = column("date on which the metal was made")
    passed: bool = column("whether it passed; what failed may only be reworked or thrown away")
    times: int | None = column("how often it has been requalified; blank = it failed", "times")
    quantity: float = column("what comes back", "quantity")
    age: float = column("age as it comes back: shelf life less what is left of it", "months")
    remaining_life: float | None = column("life left as it comes back", "months")


def report(formulation: Formulation) -> Iterator[Requalified]:
    """Yield what comes back of each lot that was tested."""
    stockpile = formulation.stockpile
    for test in formulation.trace.tests:
        lot = test.lot
        yield Requalified(
            **stockpile.where(test.node),
            date=stockpile.date(test.node),
            lot=lot.name,
            material=lot.material,
            site=lot.site,
            made=lot.made,
            outlet=test.outlet,
            before=test.before.name,
            before_made=test.before.made,
            first_made=_first(lot),
            passed=lot.times is not None,
            times=lot.times,
            quantity=test.quantity,
            age=test.age * stockpile.calendar.months,
            remaining_life=remaining_life(stockpile.at(test.node), lot, test.age),
        )


def _first(lot: Lot) -> dt.date:
    """Return the date on which the metal of a lot was made."""
    return lot.first or lot.made
