"""Make the plan of a solved formulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from optimiser.plan.action_rows import Action, with_actions
from optimiser.plan.assumption_rows import Assumption, assumptions
from optimiser.plan.marginal_values import MarginalValue, marginal_values
from optimiser.plan.plan import Plan
from optimiser.plan.plan_changes import PlanChange
from optimiser.plan.reasons import Reason, Reasons
from optimiser.plan.row_facts import KnownFacts
from optimiser.plan.verdict import verdict
from optimiser.solving.ranging import Ranging
from optimiser.solving.search_options import Options
from optimiser.solving.solve import Outcome
from optimiser.system.errors import StockpileError
from stockpile_model.block import headings
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome, cvar
from stockpile_model.build import report
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.scale import NOISE
from stockpile_model.schema import Result
from stockpile_model.tables import Settings

Rows = Mapping[type[Result], tuple[Result, ...]]
"""The result rows by their type."""


class Disagreement(StockpileError):
    """A plan that contradicts itself: an error of this program, never of its user."""

    internal = True


OWN_RESULTS: tuple[type[Result], ...] = (Action, PlanChange, Reason, MarginalValue, Assumption)
"""The types of row that plans have and no block reports."""


MOST_COLUMNS = 150_000
"""A program with more is not asked for reasons: some hundred scenarios."""


def make_plan(
    formulation: Formulation,
    outcome: Outcome,
    warnings: Iterable[str] = (),
    run: Mapping[str, object] | None = None,
    reasons: bool = False,
    ranged: bool = True,
) -> Plan:
    """Read a solved formulation into a plan.

    With `reasons` it says why it uses what it uses, and for which limits each marginal value holds;
    a plan that is not `ranged` is not the cheapest with its whole decisions, and does not say what
    would change it.
    Raises Disagreement when its parts do not sum to the solver's objective.
    """
    stockpile, settings = formulation.stockpile, formulation.stockpile.settings
    ranging = _ranging(formulation, outcome) if reasons else None
    rows = _rows(formulation, outcome, ranging, ranged)
    costs = _costs(rows)
    tail = _tail(settings, rows)
    objective = float(outcome.objective or 0.0)
    _check_sum(formulation, costs, tail, objective)
    nothing = stockpile.scale.nothing
    waste, shortfall = _waste(formulation), evaluate(formulation.m.shortfall.expr)
    plan = Plan(
        title=settings.title,
        currency=settings.currency,
        unit=settings.quantity_unit,
        status=outcome.status,
        objective=objective,
        bound=outcome.bound,
        gap=outcome.gap,
        costs=costs,
        expected_cost=sum(costs.values()),
        cvar=tail,
        waste=waste if waste > nothing else 0.0,
        shortfall=shortfall if shortfall > nothing else 0.0,
        verdict="",
        warnings=tuple(warnings),
        rows=rows,
        run=dict(run or {}),
        stockpile=stockpile,
    )
    return replace(plan, verdict=verdict(plan))


def _ranging(formulation: Formulation, outcome: Outcome) -> Ranging | None:
    """Return the linear program of the plan.

    None where another solver has found it, or it is so large that asking it would take long.
    """
    if outcome.form is None or not 0 < outcome.form.program.columns <= MOST_COLUMNS:
        return None
    x = np.array([each.value for each in outcome.form.variables], dtype=np.float64)
    return Ranging(outcome.form, x, Options(seed=formulation.stockpile.settings.seed))


def with_changes(plan: Plan, changes: Iterable[PlanChange]) -> Plan:
    """Return a plan with what it changes of the one that was announced."""
    found = tuple(changes)
    changed = replace(plan, rows={**plan.rows, PlanChange: found} if found else plan.rows)
    return replace(changed, verdict=verdict(changed))


def _rows(
    formulation: Formulation, outcome: Outcome, ranging: Ranging | None, ranged: bool
) -> Rows:
    """Return what the blocks report, the reasons, the marginal values and the assumptions."""
    rows: dict[type[Result], list[Result]] = {}
    for row in report(formulation):
        rows.setdefault(type(row), []).append(row)
    reasons = None if ranging is None else Reasons(formulation, ranging if ranged else None)
    if reasons is not None:
        rows[Reason] = list(reasons.rows())
    rows[MarginalValue] = list(marginal_values(formulation, outcome, ranging))
    rows[Assumption] = list(assumptions(formulation.stockpile))
    stockpile = formulation.stockpile
    if reasons is None:
        return with_actions(rows, stockpile)
    return with_actions(rows, stockpile, KnownFacts(reasons.binding, rows).because)


def _costs(rows: Rows) -> dict[str, float]:
    """Return the expected discounted cost of each heading [money]."""
    costs = dict.fromkeys(headings(), 0.0)
    for flow in cast("tuple[CashFlow, ...]", rows.get(CashFlow, ())):
        costs[flow.heading] += flow.discounted
    return costs


def _tail(settings: Settings, rows: Rows) -> float | None:
    """Return the CVaR of the scenarios' costs; None without scenarios [money]."""
    outcomes = cast("tuple[ScenarioOutcome, ...]", rows.get(ScenarioOutcome, ()))
    costs = {each.scenario: (each.probability, each.cost) for each in outcomes}
    return cvar(costs, settings.risk_tail) if costs else None


def _check_sum(
    formulation: Formulation, costs: Mapping[str, float], tail: float | None, objective: float
) -> None:
    """Raise Disagreement where the costs by heading do not make the objective."""
    expected, weight = sum(costs.values()), formulation.stockpile.settings.risk_weight
    summed = expected if tail is None else (1 - weight) * expected + weight * tail
    size = max(formulation.stockpile.scale.money, abs(objective), *map(abs, costs.values()))
    if abs(summed - objective) > NOISE * size:
        raise Disagreement(
            f"the costs by heading make an objective of {summed!r}, the solver's is {objective!r}"
        )


def _waste(formulation: Formulation) -> float:
    """Return how much is expected to expire [quantity]."""
    m, probability = formulation.m, formulation.stockpile.tree.probability
    waste: float = sum(probability[n] * evaluate(m.expired[i, w, n]) for i, w, n in m.EXPIRIES)
    return waste
