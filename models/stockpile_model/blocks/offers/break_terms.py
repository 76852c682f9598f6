"""Terms of price breaks: their rows, and the segments of quantity in which a price holds.

The price of an order falls with its quantity, for all of its units or for those beyond the break.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from stockpile_model.giving import FACT, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class PriceBreak(Row):
    """A quantity of an order from which another price holds."""

    TABLE = "price_breaks"
    PURPOSE = (
        "Prices of an offer that fall with the size of an order. "
        "Below its first break the offer's own price holds."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "price": Give("less", FACT),
        "premium": Give("less", FACT),
    }
    offer: str = column("offer whose price breaks", required=True, refers="offers")
    from_quantity: float = column(
        "quantity of an order from which the price holds", "quantity", required=True, above=0
    )
    price: float | None = column(
        "fixed price from there", "money/quantity", least=0, outlier="either", stress="price"
    )
    premium: float | None = column(
        "share of the offer's index paid on top of it from there", "1", least=-1, indexed="more"
    )
    kind: str = column(
        "`all_units`: the price holds for the whole order; `incremental`: for what is beyond; "
        "one kind for an offer",
        default="all_units",
        choices=("all_units", "incremental"),
    )


class Segment(NamedTuple):
    """A range of quantities of an order [quantity], with the row of its price.

    The row is None where the price is the offer's own.
    """

    begin: float
    end: float
    row: PriceBreak | None


# An order may come as close as this to a break and keep the price before it, where the break makes
# it dearer, or cheaper than a rule on spending would have it.
CLEARANCE = 1e-5  # [units of the scale]


def clearance(stockpile: Stockpile) -> float:
    """Return how close an order may come to a break without reaching it [quantity]."""
    return CLEARANCE * stockpile.scale.quantity


@functools.lru_cache(maxsize=64)
def breaks(stockpile: Stockpile) -> Mapping[str, tuple[PriceBreak, ...]]:
    """Return the breaks of each offer that has any, the smallest quantity first."""
    by_offer: dict[str, list[PriceBreak]] = {}
    for row in stockpile.rows(PriceBreak):
        by_offer.setdefault(row.offer, []).append(row)
    return {
        offer: tuple(sorted(rows, key=lambda row: row.from_quantity))
        for offer, rows in by_offer.items()
    }


def segments(stockpile: Stockpile, offer: str, most: float) -> list[Segment]:
    """Return the segments of an order of at most `most` [quantity]."""
    rows = [row for row in breaks(stockpile).get(offer, ()) if row.from_quantity <= most]
    begins = [0.0, *(row.from_quantity for row in rows)]
    return [Segment(*each) for each in zip(begins, [*begins[1:], most], [None, *rows], strict=True)]


def incremental(stockpile: Stockpile, offer: str) -> bool:
    """Return whether the price of a segment holds only for what is beyond its break."""
    return breaks(stockpile)[offer][0].kind == "incremental"


def reached(stockpile: Stockpile, offer: str, quantity: float) -> PriceBreak | None:
    """Return the last break that an order reaches; None where it reaches none."""
    most = quantity + clearance(stockpile) / 2
    rows = [row for row in breaks(stockpile).get(offer, ()) if row.from_quantity <= most]
    return rows[-1] if rows else None
