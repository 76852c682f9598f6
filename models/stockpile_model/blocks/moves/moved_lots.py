"""Which lot moves from which site to which, in words an officer acts on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, TO_LOT, Act
from stockpile_model.blocks.moves.move_terms import SiteMove, lead
from stockpile_model.blocks.moves.moving import MOVE
from stockpile_model.blocks.stock.lot_terms import remaining_life
from stockpile_model.formulation import Formulation
from stockpile_model.lots import Moved
from stockpile_model.schema import ComparedSum, Dated, column
from stockpile_model.solved_plan import SolvedPlan, averaged, by_material
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class MovedLot(Dated):
    """Describe what leaves of a lot in a period for another site."""

    SHEET = "moves"
    ABOUT = "which lot is moved, when, from which site to which"
    PLACE = 46
    RENEWED = True
    ALWAYS = False
    RANK = 5
    LETTER = "M"
    NAMED = ("lot", "material", "date")
    COMPARED = (ComparedSum("moved", "move", "quantity"),)
    date: dt.date = column("first day of the period in which it leaves")
    lot: str = column("lot; it keeps its name at the other site", leads=(TO_LOT,))
    material: str = column("material")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age when it leaves", "months")
    remaining_life: float | None = column("life left when it leaves; blank = unlimited", "months")
    move: str = column("move")
    from_site: str = column("site that it leaves")
    to_site: str = column("site where it arrives")
    quantity: float = column("what is moved", "quantity")
    cost: float = column("cost of the move, undiscounted", "money")
    arrives: dt.date = column("first day of the period in which it arrives")
    instruction: str = column("what to do", sentence=True)
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))

    def act(self, now: Stockpile) -> Act:
        """Return the move to order."""
        return Act(
            "move",
            self.date,
            SiteMove.TABLE,
            self.move,
            material=self.material,
            quantity=self.quantity,
            expected=self.quantity,
            cost=self.cost or None,
            invoice=self.cost or None,
            due=self.date,
            adds=True,
        )

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield how much of each material is moved between sites."""
        for of, rows in by_material(plan, plan.of(cls)):
            if moved := sum(each.probability * each.quantity for each in rows):
                amount = f"{amounts.summed(moved)} {plan.unit}{of}"
                yield f"Move {amount} between sites{averaged(plan)}."


def report(formulation: Formulation) -> Iterator[MovedLot]:
    """Yield what leaves each lot for another site."""
    for moved in formulation.trace.movements:
        if moved.kind == MOVE.name:
            yield _moved_lot(formulation.stockpile, moved)


def _moved_lot(stockpile: Stockpile, moved: Moved) -> MovedLot:
    now, lot = stockpile.at(moved.node), moved.lot
    move = now.keyed(SiteMove)[moved.name]
    quantity = amounts.snapped(-moved.quantity, most=(move.capacity,))
    due = stockpile.tree.period[moved.node] + lead(stockpile, move)
    return MovedLot(
        **stockpile.where(moved.node),
        date=stockpile.date(moved.node),
        lot=lot.name,
        material=lot.material,
        made=lot.made,
        age=moved.age * stockpile.calendar.months,
        remaining_life=remaining_life(now, lot, moved.age),
        move=move.move,
        from_site=move.from_site,
        to_site=move.to_site,
        quantity=quantity,
        cost=quantity * move.cost,
        arrives=stockpile.calendar.begin(due),
        instruction=_instruction(stockpile, moved, move, quantity, due),
    )


def _instruction(
    stockpile: Stockpile, moved: Moved, move: SiteMove, quantity: float, due: int
) -> str:
    """Return what to do, as a sentence."""
    lot, unit = moved.lot, stockpile.settings.quantity_unit
    day, arrives = stockpile.date(moved.node), stockpile.calendar.begin(due)
    origin = f"lot {lot.name} ({lot.material}, made {lot.made:%Y-%m-%d})"
    what = f"move {amounts.stated(quantity)} {unit} of {origin}"
    where = f"from {move.from_site} to {move.to_site}, by {move.move}"
    later = f"; it arrives {amounts.month(arrives)}" if arrives > day else ""
    return f"{amounts.month(day)}: {what} {where}{later}"
