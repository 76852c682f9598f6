"""The tasks of a worker: plan a bundle alone, or try first decisions in each of its branches."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from optimiser.explaining.bounded_solve import bounded_solve
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.expected_rows import ExpectedRows, in_trunk, of_trunk
from optimiser.scenarios.bundles.parts import Decisions, Split
from optimiser.solving.search_options import Options, SolverError, Status
from optimiser.solving.solve import Outcome, solve
from stockpile_model.block import headings as block_headings
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.build import build
from stockpile_model.schema import Result
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True)
class Search:
    """Plan a bundle alone."""

    stockpile: Stockpile
    periods: int
    options: Options


@dataclass(frozen=True)
class BundlePlan:
    """The plan of a bundle alone: no plan of it costs less than `bound` [money]."""

    status: Status
    objective: float | None
    bound: float | None
    decisions: Decisions | None
    columns: int = 0
    whole: int = 0
    nodes: int = 0


@dataclass(frozen=True)
class Trial:
    """Plan each branch of a bundle with the trunk's decisions held; None: there is no trunk.

    `reports_trunk`: its result also holds the rows that are about the trunk alone.
    """

    stockpile: Stockpile
    branches: tuple[tuple[str, ...], ...]
    split: Split
    decisions: Decisions | None
    options: Options
    reports_trunk: bool = False


@dataclass
class TrialResult:
    """The costs of a bundle's branches with the trunk's decisions held.

    They are those of each scenario, and what is expected of all, weighed with their probabilities.
    `failed`: a branch that has no plan then, or for which none was found in time.
    """

    failed: tuple[str, ...] = ()
    scenarios: list[ScenarioOutcome] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=lambda: dict.fromkeys(block_headings(), 0.0))
    waste: float = 0.0
    shortfall: float = 0.0
    expected: ExpectedRows = field(default_factory=ExpectedRows)
    rows: list[Result] = field(default_factory=list)


def search(task: Search) -> BundlePlan:
    """Plan a bundle. Raises InputError where its cost falls without limit, and SolverError."""
    formulation = build(task.stockpile)
    outcome = bounded_solve(formulation, task.options, None)
    decided = (
        None if outcome.objective is None else bundles.decisions(formulation, range(task.periods))
    )
    plan = _bundle_plan(outcome, decided)
    del formulation, outcome
    gc.collect()
    return plan


def _bundle_plan(outcome: Outcome, decided: Decisions | None) -> BundlePlan:
    """Return the outcome of a search without its program."""
    program = outcome.form.program if outcome.form else None
    size = (program.columns, int(program.integer.sum())) if program else (0, 0)
    return BundlePlan(
        outcome.status, outcome.objective, outcome.bound, decided, *size, outcome.nodes
    )


def attempt(task: Trial) -> TrialResult:
    """Plan each branch of a bundle, and audit the plan.

    Raises SolverError, AuditError and Disagreement.
    """
    result = TrialResult()
    for names in task.branches:
        plan = _branch(task, names)
        if plan is None:
            return TrialResult(failed=names)
        _add(result, plan, task.split, names, task.reports_trunk and names == task.branches[0])
        del plan
        gc.collect()
    return result


def _branch(task: Trial, names: Sequence[str]) -> Plan | None:
    """Return the audited plan of a branch.

    None: it has none with these decisions, or none was found in time.
    """
    stockpile = bundles.part(task.stockpile, names)
    for tolerance in bundles.TOLERANCES:
        formulation = build(stockpile)
        if task.decisions is not None and not bundles.hold(
            formulation, task.decisions, range(task.split.periods), tolerance
        ):
            return None
        try:
            outcome = solve(formulation.m, task.options)
        except SolverError as error:
            if task.decisions is None:
                raise SolverError(
                    f"in {', '.join(names)}: {error}"
                ) from None  # of an UnboundedError the variables stay here
            continue
        if outcome.objective is not None:
            return audited(make_plan(formulation, outcome.judged(bundles.settle(formulation))))
        if outcome.status != "infeasible" or task.decisions is None:
            break
    return None


def _add(
    result: TrialResult, plan: Plan, split: Split, names: Sequence[str], with_trunk: bool
) -> None:
    """Add the plan of a branch to the result of its bundle."""
    weight, calendar = split.weight(names), plan.stockpile.calendar
    outcomes = plan.of(ScenarioOutcome)
    if not outcomes:  # a chain: no scenario of the workbook is in it
        raise AssertionError("a bundle is made of scenarios")
    result.scenarios += [
        replace(each, probability=split.probability[each.scenario]) for each in outcomes
    ]
    for heading, cost in plan.costs.items():
        result.costs[heading] += weight * cost
    result.waste += weight * plan.waste
    result.shortfall += weight * plan.shortfall
    until = calendar.begin(split.periods)
    for kind, rows in plan.rows.items():
        for row in rows:
            if kind.MEANS and in_trunk(row, until):
                result.expected.add(row, weight)
            elif with_trunk and not kind.MEANS and of_trunk(row, until, calendar):
                result.rows.append(row)
