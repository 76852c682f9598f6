"""Lots, their movements and what is delivered, as rows of a plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model.acts import TO_ACTION, TO_LOT, Cause
from stockpile_model.block import exits
from stockpile_model.blocks.stock.lot_terms import remaining_life
from stockpile_model.formulation import Formulation
from stockpile_model.leads import Lead
from stockpile_model.lots import ARRIVAL, COMING, EXPIRED, Held, Moved
from stockpile_model.schema import ComparedSum, Dated, Result, SummedLine, column
from stockpile_model.stockpile import Stockpile

NUMBER = (
    "number of the order or signature that the lot comes from, as on the sheet `actions`; blank = "
    "it was there, ordered or signed before the start"
)


def _ends() -> tuple[Lead, ...]:
    """Return where a click on the name of a movement leads: to what brings the lot, or takes it."""
    came = Lead(Delivery.SHEET, (("lot", "lot"), ("date", "date"), ("name", "")))
    return (came, *(each.lead for each in exits() if each.lead is not None))


@dataclass(frozen=True, kw_only=True)
class LotStock(Dated):
    """Describe what is left of a lot at the end of a period."""

    SHEET = "lots"
    ABOUT = "what is left of each lot at the end of each period"
    PLACE = 42
    FOR_PROGRAMS = True
    NAMED = ("lot", "material", "date")
    ORDER = ("made", "lot", "date")
    SUMMED = (SummedLine("Stock at the end", "quantity", "held"),)
    date: dt.date = column("first day of the period, at whose end stock is held", at_end=True)
    lot: str = column("lot", leads=(TO_LOT,))
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age at period end: whole periods since it was made", "months")
    remaining_life: float | None = column("life left at period end; blank = unlimited", "months")
    quantity: float = column("stock at period end", "quantity")
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,), several=True)


def _kinds() -> str:
    """Return the kinds of movement in words."""
    inside = (each.inside for each in exits() if each.inside)
    kinds = (*COMING, *inside, *(each.name for each in exits()), EXPIRED)
    *first, last = (f"`{each}`" for each in kinds)
    return f"{', '.join(first)} or {last}"


@dataclass(frozen=True, kw_only=True)
class Movement(Dated):
    """Describe what comes into or goes out of a lot."""

    SHEET = "movements"
    ABOUT = "what comes into and goes out of each lot"
    PLACE = 43
    FOR_PROGRAMS = True
    NAMED = ("lot", "name", "material", "date")
    ORDER = ("made", "lot", "date")
    SUMMED = (
        SummedLine("Opening stock", "quantity", "in", where=(("kind", "opening"),), place=10),
        SummedLine(
            "Returned",
            "quantity",
            "in",
            "back from outlets",
            where=(("kind", "return"),),
            place=60,
        ),
    )
    date: dt.date = column("first day of the period")
    lot: str = column("lot")
    material: str = column("material")
    site: str = column("site")
    made: dt.date = column("date the shelf life runs from")
    age: float = column("age when it moves", "months")
    remaining_life: float | None = column("life left when it moves; blank = unlimited", "months")
    kind: str = column(_kinds)
    name: str = column("offer, contract, buyer, outlet or move", leads=_ends)
    quantity: float = column("in (above zero) or out (below zero)", "quantity")
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,), several=True)


@dataclass(frozen=True, kw_only=True)
class Delivery(Dated):
    """Describe what arrives of a lot under an offer or contract."""

    SHEET = "deliveries"
    ABOUT = "what arrives, under which offer or contract"
    PLACE = 40
    FOR_PROGRAMS = True
    NAMED = ("lot", "name", "material", "date")
    SUMMED = (SummedLine("Delivered", "quantity", "in", "under offers and contracts"),)
    COMPARED = (ComparedSum("arrives", "supplier", "quantity"),)
    ONE_ACROSS = True
    date: dt.date = column("first day of the period of arrival")
    lot: str = column("lot", leads=(TO_LOT,))
    kind: str = column("`offers` or `contracts`")
    name: str = column("offer or contract")
    supplier: str = column("supplier")
    material: str = column("material")
    site: str = column("site")
    buyer: str | None = column("owner of the site")
    quantity: float = column("what arrives", "quantity")
    price: float = column(
        "price paid for it with adder, without duty and freight", "money/quantity"
    )
    paid: float = column("paid for it with adder, without duty and freight, undiscounted", "money")
    made: dt.date = column("date the shelf life runs from, worked out from what is left of it")
    remaining_life: float | None = column("life left when it arrives; blank = unlimited", "months")
    in_transit: bool = column(
        "whether it was ordered before the start; its price is then what was still due of it"
    )
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,), several=True)

    def cause(self) -> Cause | None:
        """Return the order or the contract by which it arrives."""
        return None if self.in_transit else Cause(self.kind, self.name, self.date, comes=True)


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what is held of each lot, and each movement with its delivery."""
    stockpile, trace = formulation.stockpile, formulation.trace
    for held in trace.stock:
        yield _held(stockpile, held)
    for moved in trace.movements:
        yield _moved(stockpile, moved)
        if moved.kind == ARRIVAL:
            yield _delivered(stockpile, moved)


def _held(stockpile: Stockpile, held: Held) -> LotStock:
    now, lot = stockpile.at(held.node), held.lot
    return LotStock(
        **stockpile.where(held.node),
        date=stockpile.date(held.node),
        lot=lot.name,
        material=lot.material,
        site=lot.site,
        made=lot.made,
        age=held.age * stockpile.calendar.months,
        remaining_life=remaining_life(now, lot, held.age + 1),
        quantity=held.quantity,
    )


def _moved(stockpile: Stockpile, moved: Moved) -> Movement:
    now, lot = stockpile.at(moved.node), moved.lot
    return Movement(
        **stockpile.where(moved.node),
        date=stockpile.date(moved.node),
        lot=lot.name,
        material=lot.material,
        site=lot.site,
        made=lot.made,
        age=moved.age * stockpile.calendar.months,
        remaining_life=remaining_life(now, lot, moved.age),
        kind=moved.kind,
        name=moved.name,
        quantity=moved.quantity,
    )


def _delivered(stockpile: Stockpile, moved: Moved) -> Delivery:
    lot = moved.lot
    return Delivery(
        **stockpile.where(moved.node),
        date=stockpile.date(moved.node),
        lot=lot.name,
        kind=moved.table,
        name=moved.name,
        supplier=str(moved.supplier),
        material=lot.material,
        site=lot.site,
        buyer=stockpile.sites[lot.site].buyer,
        quantity=moved.quantity,
        price=moved.price,
        paid=moved.price * moved.quantity,
        made=lot.made,
        remaining_life=remaining_life(stockpile.at(moved.node), lot, moved.age),
        in_transit=moved.ahead,
    )
