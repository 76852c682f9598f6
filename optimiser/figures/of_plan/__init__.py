"""The figures of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optimiser.figures.figure import Figured
from optimiser.figures.of_plan import (
    agreement,
    appropriation_parts,
    appropriations,
    arrivals,
    assessment,
    buyers,
    cash_by_period,
    cost_headings,
    expected_costs,
    first_steps,
    outcome_rows,
    quantities,
    remaining_life,
    remarks,
    scenario_costs,
    supplier_shares,
    supply_adequacy,
)
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows

PlanMaker = Callable[[PlanRows, Earlier], Iterator[Figured]]

PLAN: Sequence[PlanMaker] = (
    assessment.figures,
    first_steps.figures,
    cost_headings.figures,
    quantities.figures,
    appropriations.figures,
    supplier_shares.figures,
    buyers.figures,
    agreement.figures,
    remarks.figures,
    remaining_life.figures,
    scenario_costs.figures,
    arrivals.figures,
    cash_by_period.figures,
    supply_adequacy.figures,
    appropriation_parts.figures,
)
"""The figures of a plan in the order in which they are read. One may refer to those before it."""

BRIEF: Sequence[PlanMaker] = (
    expected_costs.figures,
    outcome_rows.figures,
    supply_adequacy.brief,
)
"""The figures of a plan for where there is little room, as in a terminal."""


def figures_of(rows: PlanRows) -> dict[str, Figured]:
    """Return the figures of a plan by name."""
    return _made(PLAN, rows)


def brief_of(rows: PlanRows) -> dict[str, Figured]:
    """Return the figures of a plan in brief, by name."""
    return _made(BRIEF, rows)


def _made(makers: Sequence[PlanMaker], rows: PlanRows) -> dict[str, Figured]:
    found: dict[str, Figured] = {}
    for figures in makers:
        for each in figures(rows, found):
            found[each.name] = each
    return found
