"""What holds for all offers of a supplier together, in one period: the row and its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from stockpile_model.extremes import larger
from stockpile_model.giving import FACT, TERM, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class SupplierTerms(Row):
    """Describe what a supplier asks for all that is ordered from it in one period."""

    TABLE = "order_terms"
    PURPOSE = (
        "What holds for a supplier's offers together, in one period: a least value of what is "
        "ordered, a cost of ordering at all, freight that is free from a value on. The value is "
        "price and adder of all that is ordered, as they stand when it is ordered."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "minimum_value": Give("less", TERM),
        "order_cost": Give("less", FACT),
        "free_freight_from": Give("less", TERM),
    }
    supplier: str = column(
        "supplier whose offers these are", required=True, key=True, refers="suppliers"
    )
    minimum_value: float = column(
        "least value of what is ordered in a period, if anything is", "money", default=0.0, least=0
    )
    order_cost: float = column(
        "cost of each period in which anything is ordered, on top of the offers' own",
        "money",
        default=0.0,
        least=0,
    )
    free_freight_from: float | None = column(
        "value of what is ordered in a period from which no freight is paid for it; blank = "
        "freight is paid",
        "money",
        least=0,
    )


def terms_of(stockpile: Stockpile, supplier: str) -> SupplierTerms | None:
    """Return what a supplier asks for its offers together; None where it asks nothing."""
    return stockpile.keyed(SupplierTerms).get(supplier)


def sought(stockpile: Stockpile, supplier: str) -> float:
    """Return the value that an order from a supplier may be raised to, at the most [money]."""

    def values() -> Iterator[float]:
        for view in stockpile.variants:
            if (row := terms_of(view, supplier)) is not None:
                yield row.minimum_value
                yield row.free_freight_from or 0.0

    return larger(0.0, *values())
