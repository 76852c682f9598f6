"""Price breaks: the price of an order falls with its quantity, for all of its units or for those beyond the break.

Read by `purchases`, which decides orders; this file owns the table and the segments into which an order is divided.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.block import Block
from stockpile_model.formulation import summed
from stockpile_model.schema import Problem, Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class PriceBreak(Row):
    TABLE = "price_breaks"
    PURPOSE = "Prices of an offer that fall with the size of an order. Below its first break the offer's own price holds."
    STEP = "means"
    offer: str = column("offer whose price breaks", required=True, refers="offers")
    from_quantity: float = column("quantity of an order from which the price holds", "quantity", required=True, above=0)
    price: float | None = column("fixed price from there", "money/quantity", least=0)
    premium: float | None = column("share of the offer's index paid on top of it from there", "1", least=-1)
    kind: str = column(
        "`all_units`: the price holds for the whole order; `incremental`: for what is beyond; one kind for an offer",
        default="all_units",
        choices=("all_units", "incremental"),
    )


# Where a price rises at a break an order may come as close to it as this and keep the lower one [units of the scale].
BEFORE = 1e-5


def before(stockpile: Stockpile) -> float:
    """How close an order may come to a break [quantity]."""
    return BEFORE * stockpile.scale.quantity


class Segment(NamedTuple):
    """A range of quantities of an order [quantity], by the row that sets its price; None: the offer's own."""

    begin: float
    end: float
    row: PriceBreak | None


@functools.lru_cache(maxsize=64)
def breaks(stockpile: Stockpile) -> Mapping[str, tuple[PriceBreak, ...]]:
    """The breaks of each offer that has any, by quantity."""
    found: dict[str, list[PriceBreak]] = {}
    for row in stockpile.rows(PriceBreak):
        found.setdefault(row.offer, []).append(row)
    return {offer: tuple(sorted(rows, key=lambda row: row.from_quantity)) for offer, rows in found.items()}


def segments(stockpile: Stockpile, offer: str, most: float) -> list[Segment]:
    """The segments of an order of at most `most` [quantity]."""
    rows = [row for row in breaks(stockpile).get(offer, ()) if row.from_quantity <= most]
    begins = [0.0, *(row.from_quantity for row in rows)]
    return [Segment(*each) for each in zip(begins, [*begins[1:], most], [None, *rows], strict=True)]


def incremental(stockpile: Stockpile, offer: str) -> bool:
    return breaks(stockpile)[offer][0].kind == "incremental"


def reached(stockpile: Stockpile, offer: str, quantity: float) -> PriceBreak | None:
    """The last break that an order reaches."""
    rows = [row for row in breaks(stockpile).get(offer, ()) if row.from_quantity <= quantity + before(stockpile) / 2]
    return rows[-1] if rows else None


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for offer, rows in breaks(stockpile).items():
        for before, row in zip((None, *rows), rows, strict=False):
            if (row.price is None) == (row.premium is None):
                yield Problem(row.TABLE, row.line, "price", "a price break needs price or premium, and not both")
            if before is None:
                continue
            if row.from_quantity == before.from_quantity:
                quantity = amounts.quantity(row.from_quantity)
                message = f"a break of {offer} at {quantity} stands in row {before.line} already; remove one of the two"
                yield Problem(row.TABLE, row.line, "from_quantity", message)
            if row.kind != rows[0].kind:
                yield Problem(row.TABLE, row.line, "kind", f"must be the one kind of its offer, {rows[0].kind} as in row {rows[0].line}")
            for name in ("price", "premium"):
                dearer, cheaper = getattr(row, name), getattr(before, name)
                if dearer is not None and cheaper is not None and dearer > cheaper:
                    message = (
                        f"is above that of the smaller quantity in row {before.line}, {amounts.quantity(cheaper)}: breaks out of order? "
                        f"found {amounts.quantity(dearer)}"
                    )
                    yield Problem(row.TABLE, row.line, name, message, warning=True)


def divide(
    m: pyo.ConcreteModel, stockpile: Stockpile, found: Mapping[tuple[str, int], Sequence[Segment]], rising: set[tuple[str, int, int]]
) -> None:
    """Divide an order over its segments s, each from its begin to its end:

    Σ_s part_s = buy
    all units:    begin_s·reach_s ≤ part_s ≤ end_s·reach_s,  Σ_s reach_s = place
    incremental:  width_s·reach_{s+1} ≤ part_s ≤ width_s·reach_s,  reach_0 = place

    `rising` are the segments (offer, segment, node) whose price is above that of the segment before.
    """
    keys = [(o, s, n) for (o, n), each in found.items() for s in range(len(each))]
    m.SEGMENTS = pyo.Set(dimen=3, initialize=keys, doc="offer, segment of its price, node at which an order can reach it")
    m.part = pyo.Var(m.SEGMENTS, domain=pyo.NonNegativeReals, doc="part of an order in a segment [quantity]")
    m.reach = pyo.Var(
        m.SEGMENTS,
        domain=lambda m, o, s, n: pyo.Binary if stockpile.firm(n) else pyo.UnitInterval,
        doc="whether an order reaches a segment [1]",
    )

    def width(o: str, s: int, n: int) -> float:
        begin, end, _ = found[o, n][s]
        if incremental(stockpile, o):
            return end - begin
        return end - before(stockpile) if (o, s + 1, n) in rising else end

    def least(o: str, s: int, n: int) -> tuple[float, int] | None:
        """By what a part is at least, and the segment that must be reached for it."""
        if incremental(stockpile, o):
            return (width(o, s, n), s + 1) if s + 1 < len(found[o, n]) else None
        return (found[o, n][s].begin, s) if s else None

    m.balance_part = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(found)),
        rule=lambda m, o, n: summed(m.part[o, s, n] for s in range(len(found[o, n]))) == m.buy[o, n],
        doc="an order is divided over the segments of its price [quantity]",
    )
    m.cap_part = pyo.Constraint(
        m.SEGMENTS,
        rule=lambda m, o, s, n: m.part[o, s, n] <= width(o, s, n) * m.reach[o, s, n],
        doc="a segment holds no more than its width, and only once reached [quantity]",
    )

    def hold_part(m: pyo.ConcreteModel, o: str, s: int, n: int) -> object:
        quantity, reached = least(o, s, n) or (0.0, s)
        return m.part[o, s, n] >= quantity * m.reach[o, reached, n]

    m.hold_part = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[key for key in keys if least(*key)]),
        rule=hold_part,
        doc="a price holds from its break on [quantity]",
    )

    def link_segment(m: pyo.ConcreteModel, o: str, n: int) -> object:
        first = 1 if incremental(stockpile, o) else len(found[o, n])
        return summed(m.reach[o, s, n] for s in range(first)) == m.place[o, n]

    m.link_segment = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(found)), rule=link_segment, doc="an order that is placed has a price [1]"
    )


BLOCK = Block(
    tables=(PriceBreak,),
    decisions=("reach",),
    check=check,
)
