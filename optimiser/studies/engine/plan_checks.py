"""Check the plan that a run reports: row by row, and by the audit of every plan of `solve`."""

from __future__ import annotations

import numpy as np

from optimiser.plan.audited import audited
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.program import Floats, Program
from optimiser.solving.search_options import Status
from optimiser.solving.solve import Outcome, Stage
from optimiser.solving.standard_form import judging, standard_form
from optimiser.system.errors import StockpileError
from stockpile_model import amounts
from stockpile_model.build import build
from stockpile_model.stockpile import Stockpile

# by how much a row or bound may be missed, of a unit of the program and of what it sums, as in the
# solver
KEPT = 1e-6


def broken(program: Program, x: Floats) -> str:
    """Return which row, bound or whole number of a program x violates; blank where it keeps
    all.
    """
    size = 1.0 + np.abs(x)
    if (np.maximum(program.lower - x, x - program.upper) > KEPT * size).any():
        return "a column of the plan is outside its bounds"
    whole = x[program.integer]
    if (np.abs(whole - np.round(whole)) > KEPT).any():
        return "a decision of the plan is not whole"
    row = np.repeat(np.arange(program.rows), np.diff(program.start))
    parts = program.value * x[program.index]
    summed, gross = (
        np.bincount(row, weights=each, minlength=program.rows) for each in (parts, np.abs(parts))
    )
    missed = np.maximum(program.row_lower - summed, summed - program.row_upper)
    if (missed > KEPT * (1.0 + gross)).any():
        return f"a row of the plan is violated by {missed.max():.3g}"
    return ""


def audit(
    stockpile: Stockpile, x: Floats, status: Status, cost: float | None, bound: float | None
) -> str:
    """Build the model of a stockpile afresh, read the plan x (in the units of the workbook) into it
    as `solve` does, and recompute it from the input rows alone. Says what does not agree; nothing
    where all does. `cost` is what the plan is said to cost, where that is its objective.
    """
    formulation = build(stockpile)
    form = standard_form(formulation.m)
    for variable, value in zip(form.variables, (x + 0.0).tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
    goal = judging(form.stated)
    assert goal is not None
    objective = goal.at(x)
    size = max(formulation.stockpile.scale.money, abs(objective))
    if cost is not None and abs(cost - objective) > KEPT * size:
        return f"it costs {amounts.money(objective)}, not {amounts.money(cost)}"
    stage = Stage(
        name="cost", status=status, objective=objective, bound=bound, nodes=0, seconds=0.0
    )
    try:
        audited(
            make_plan(formulation, Outcome((stage,), 0.0, interrupted=False, solver="", form=form))
        )
    except StockpileError as reason:
        return str(reason)
    return ""
