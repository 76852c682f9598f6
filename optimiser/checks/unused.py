"""What dates leave without effect: outlets and price indices outside the horizon."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.amounts import quantity
from stockpile_model.blocks.rotation import outlet_terms as rotation
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.calendar import add_months
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price

_STALE = 12  # months before the horizon from which on a last price is old


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield outlets and price indices that have no effect."""
    for row in stockpile.rows(Outlet):
        if not rotation.opened(stockpile, row):
            message = f"{row.outlet} takes nothing within the horizon: see its dates and lead time"
            yield Problem(row.TABLE, row.line, "outlet", message, warning=True)
    yield from _prices(stockpile)


def _prices(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield an index of which no value is near the horizon: one value holds throughout."""
    start, end = stockpile.calendar.start, stockpile.calendar.end(stockpile.calendar.periods - 1)
    for index in stockpile.names(Price.TABLE):
        rows = sorted(
            (row for row in stockpile.rows(Price) if index in row.values), key=lambda row: row.date
        )
        first, last = rows[0], rows[-1]
        if first.date > end:
            message = (
                f"{index} has no value before {first.date}, after the horizon:"
                f" {quantity(first.values[index])} holds throughout"
            )
            yield Problem(first.TABLE, first.line, index, message, warning=True)
        elif last.date < add_months(start, -_STALE):
            message = (
                f"{index} has no value after {last.date}, long before the horizon:"
                f" {quantity(last.values[index])} holds throughout"
            )
            yield Problem(last.TABLE, last.line, index, message, warning=True)
