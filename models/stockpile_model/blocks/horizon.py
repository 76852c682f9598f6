"""The horizon: nodes of the scenario tree, and the price indices read on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyomo.environ as pyo

from stockpile_model import scenario_checks, scenarios
from stockpile_model.block import Block
from stockpile_model.checks import whole_periods
from stockpile_model.groups import unmistakable
from stockpile_model.ledger import Ledger
from stockpile_model.names import identity
from stockpile_model.passed import Passed
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Problem, Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Price, Settings, Site, Supplier


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with materials, scenarios and suppliers."""
    if not stockpile.rows(Material):
        yield Problem("materials", 0, "", "has no row: name at least one material")
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


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the scenarios that are still open, with their events, as is known now."""
    stockpile, kept = passed.stockpile, scenarios.still_open(passed)
    if not stockpile.rows(Scenario):
        return
    names = {identity(row.scenario) for row in kept}
    events = [
        row
        for row in stockpile.rows(Event)
        if identity(row.scenario) in names and not passed.over(row.to)
    ]
    yield Scenario, kept
    yield Event, events


BLOCK = Block(
    tables=(Settings, Price, Material, Site, Supplier, Scenario, Event),
    check=check,
    add=add,
    rolls=rolls,
)
