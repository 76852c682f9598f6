"""The figures of a plan, to be drawn in any format."""

from __future__ import annotations

from optimiser.figures import of_plan
from optimiser.figures.figure import Figured
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.plan.plan import Plan


def figures_of(plan: Plan, brief: bool = False, short: bool = False) -> dict[str, Figured]:
    """Return the figures of a plan by name: tables, charts and paragraphs, in no format.

    `brief` are those for where there is little room, as in a terminal; `short` what is read at
    once: how it ends, and what to do first.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> sorted({type(each).__name__ for each in so.figures_of(plan, brief=True).values()})
    ['TableFigure', 'TextFigure']
    """
    rows = PlanRows(plan)
    if short:
        return of_plan.short_of(rows)
    return of_plan.brief_of(rows) if brief else of_plan.figures_of(rows)
