"""Solve a formulation, and name what would be bought and sold without end where its cost falls
without limit.
"""

from __future__ import annotations

from collections.abc import Callable

from optimiser.solving.solve import Options, Outcome, Progress, UnboundedError, scenario_tree, solve
from optimiser.system.errors import Fault, InputError
from stockpile_model.formulation import Formulation

__all__ = ["Progress", "Watch", "bounded_solve"]

Watch = Callable[[Progress], None] | None
"""What gets the progress of a search."""


def bounded_solve(
    formulation: Formulation, options: Options, progress: Watch, solver: str | None = None
) -> Outcome:
    """Solve a formulation.

    Raises InputError where the cost falls without limit, and SolverError.
    """
    try:
        return solve(formulation.m, options, progress, solver, scenario_tree(formulation))
    except UnboundedError as error:
        raise InputError([_unbounded(formulation, error)]) from error


def _unbounded(formulation: Formulation, error: UnboundedError) -> Fault:
    """Return the fault that names what would be bought and sold without end."""
    names = sorted({str(getattr(variable, "name", variable)) for variable in error.variables})
    ledger, stockpile = formulation.ledger, formulation.stockpile
    moving = {id(variable) for variable in error.variables}
    bought = (each for each in ledger.arrivals if not each.moved)
    sources = sorted({each.name for each in bought if _uses(each.amount, moving)})
    sinks = sorted(
        {each.name for each in ledger.departures if id(each.amount) in moving and each.exit.free}
    )
    what = f"buying under {', '.join(sources)}" if sources else "holding stock"
    end = f"selling through {', '.join(sinks)}" if sinks else "the value of closing stock"
    where = "offers" if sources else "materials"
    cell = stockpile.address(where, 0)
    return Fault(
        cell,
        f"{what} earns without limit by {end}: give a capacity or total, or look at the prices"
        f" ({', '.join(names[:3])})",
    )


def _uses(amount: object, moving: set[int]) -> bool:
    from pyomo.core.expr.visitor import identify_variables

    return any(id(variable) in moving for variable in identify_variables(amount))
