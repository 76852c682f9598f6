"""Solve a formulation, and name what would be bought and sold without end where its cost falls
without limit.
"""

from __future__ import annotations

from collections.abc import Callable

from pyomo.core.expr.visitor import identify_variables

from optimiser.solving.solve import (
    Options,
    Outcome,
    Progress,
    SolverError,
    UnboundedError,
    scenario_tree,
    solve,
)
from optimiser.system.errors import Fault, InputError
from stockpile_model import amounts
from stockpile_model.blocks.objective import CLOSING
from stockpile_model.formulation import Formulation
from stockpile_model.schema import columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

__all__ = ["Progress", "Watch", "bounded_solve"]

Watch = Callable[[Progress], None] | None
"""What gets the progress of a search."""


def bounded_solve(
    formulation: Formulation, options: Options, progress: Watch, solver: str | None = None
) -> Outcome:
    """Solve a formulation.

    Raises InputError where the cost falls without limit, or where the solver fails and prices lie
    far apart, and SolverError.
    """
    try:
        return solve(formulation.m, options, progress, solver, scenario_tree(formulation))
    except UnboundedError as error:
        raise InputError([_unbounded(formulation, error)]) from error
    except SolverError as error:
        if error.internal and (fault := _far_apart(formulation.stockpile, error)):
            raise InputError([fault]) from error
        raise


APART = 1e6  # times: a solver may fail at prices that are further apart


def _far_apart(stockpile: Stockpile, error: SolverError) -> Fault | None:
    """Return the fault that prices of metal lie too far apart; None where they do not."""
    prices = [
        (value, stockpile.cell(row, each.name))
        for kind in stockpile.tables
        for each in columns(kind)
        if each.unit == "money/quantity" and each.outlier == "either"
        for row in stockpile.rows(kind)
        if (value := get(row, each.name))
    ]
    (least, low), (most, high) = min(prices, default=(1.0, "")), max(prices, default=(1.0, ""))
    if most < APART * least:
        return None
    message = (
        f"is too far above the price {amounts.about(least)} of {low} to be planned with it, found"
        f" {amounts.about(most)} ({error}); see their units, or leave out what is never bought"
    )
    return Fault(high, message)


def _unbounded(formulation: Formulation, error: UnboundedError) -> Fault:
    """Return the fault that names what would be bought and sold without end, with its cells."""
    ledger, stockpile = formulation.ledger, formulation.stockpile
    moving = {id(variable) for variable in error.variables}
    bought = {
        (each.table, each.name)
        for each in ledger.arrivals
        if each.origin is None and _uses(each.amount, moving)
    }
    freed = {
        (each.exit.table, each.name)
        for each in ledger.departures
        if each.exit.free and id(each.amount) in moving
    }
    bought -= freed  # what an outlet gives back
    kept = {
        (Material.TABLE, str(each.material))
        for each in ledger.money
        if each.heading == CLOSING.name and _uses(each.amount, moving)
    }
    ways = (
        ("buying under", bought, "capacity"),
        ("rotating out through", freed, "capacity"),
        ("the value at the end of", kept, "closing_value"),
    )
    cells = [
        (f"{doing} {name}", _cell(stockpile, table, name, column))
        for doing, rows, column in ways
        for table, name in sorted(rows)
    ]
    if not cells:
        return Fault("settings", "the plan earns without limit: look at the prices")
    (first, where), *others = cells
    rest = " and ".join(f"{doing} ({cell})" for doing, cell in others)
    what = f"{first} together with {rest}" if rest else first
    remedy = "give one of them a capacity or total, or look at the prices"
    return Fault(where, f"{what} earns without limit: {remedy}")


def _cell(stockpile: Stockpile, table: str, name: str, column: str) -> str:
    """Return the cell of a row that is known by its table and name."""
    kind = next(each for each in stockpile.tables if table == each.TABLE)
    return stockpile.cell(stockpile.keyed(kind)[name], column)


def _uses(amount: object, moving: set[int]) -> bool:
    return any(id(variable) in moving for variable in identify_variables(amount))
