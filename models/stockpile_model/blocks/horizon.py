"""The horizon: nodes of the scenario tree, and the price indices read on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pyomo.environ as pyo

from stockpile_model import scenario_checks
from stockpile_model.block import Block
from stockpile_model.checks import whole_periods
from stockpile_model.groups import unmistakable
from stockpile_model.ledger import Ledger
from stockpile_model.passed import Passed
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Problem, Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Price, Settings, Site, Supplier


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with materials, scenarios and suppliers."""
    if not stockpile.rows(Material):
        yield Problem("materials", 0, "", "has no row: name at least one material")
    yield from whole_periods(stockpile, stockpile.settings)
    for row in stockpile.rows(Material):
        yield from whole_periods(stockpile, row)
        yield from unmistakable(stockpile, row)
        if row.closing_value > 0 and row.price_index is None:
            message = "is required where closing_value is above 0: it values the stock"
            yield Problem(row.TABLE, row.line, "price_index", message)
    yield from scenario_checks.check(stockpile)
    for supplier in stockpile.rows(Supplier):
        start = supplier.start
        if start is not None and stockpile.calendar.period(start) >= stockpile.settings.periods:
            message = f"{supplier.supplier} ships first on {start}, after the horizon"
            message += ": it is never used"
            yield Problem(supplier.TABLE, supplier.line, "start", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add the NODES of the tree: node n is period τ(n), with probability π_n and parent p(n)."""
    m.NODES = pyo.Set(initialize=list(stockpile.tree.nodes), doc="nodes of the scenario tree")


def dated(passed: Passed, views: Sequence[Stockpile]) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the prices of the first days of the periods to come, on which they are read.

    Those of dates after the last of these days follow as they stand in the last period.
    """
    if not (indices := passed.stockpile.names(Price.TABLE)):
        return
    calendar = passed.calendar
    days = [calendar.begin(period) for period in range(passed.gone, calendar.periods)]
    rows = [
        Price(date=day, values={index: view.price_on(index, day) for index in indices})
        for day, view in zip(days, views[passed.gone :], strict=True)
    ]
    later = [row for row in views[-1].rows(Price) if row.date > days[-1]]
    yield Price, [*_bends(rows), *sorted(later, key=lambda row: row.date)]


def _bends(rows: Sequence[Price]) -> Iterator[Price]:
    """Yield the first and last of some prices, and those that no straight line goes through."""
    kept: Price | None = None
    for k, row in enumerate(rows):
        if kept is None or k == len(rows) - 1 or not _on_line(kept, row, rows[k + 1]):
            kept = row
            yield row


def _on_line(before: Price, row: Price, after: Price) -> bool:
    """Return whether all prices of a row are those between two others."""
    share = (row.date - before.date).days / (after.date - before.date).days
    return all(
        math.isclose(value, (1 - share) * before.values[index] + share * after.values[index])
        for index, value in row.values.items()
    )


BLOCK = Block(
    tables=(Settings, Price, Material, Site, Supplier, Scenario, Event),
    check=check,
    add=add,
    dated=dated,
)
