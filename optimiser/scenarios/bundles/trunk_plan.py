"""The plan of what is done before the first scenario is known, from the trials of all bundles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from optimiser.plan.action_rows import with_actions
from optimiser.plan.assumption_rows import assumptions
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import trunk_verdict
from optimiser.scenarios.bundles.bundle_tasks import TrialResult
from optimiser.scenarios.bundles.expected_rows import ExpectedRows
from optimiser.scenarios.bundles.parts import Split
from optimiser.solving.search_options import Status
from stockpile_model.block import headings as block_headings
from stockpile_model.blocks.objective import ScenarioOutcome, cvar
from stockpile_model.scenarios import Event, unfold
from stockpile_model.schema import Result
from stockpile_model.stockpile import Stockpile

DECIDED = "decided before"  # on the sheet run, by which a plan of a trunk is known


@dataclass(frozen=True)
class BundleProof:
    """Describe what a plan costs and what is proven of it; `proven` says what proves the bound."""

    status: Status
    objective: float
    bound: float | None
    gap: float | None
    proven: str


def trunk_plan(
    stockpile: Stockpile,
    split: Split,
    trials: Sequence[TrialResult],
    proof: BundleProof,
    warnings: Iterable[str],
    run: Mapping[str, object],
) -> Plan:
    """Return the plan of a trunk, with what is expected over all scenarios from then on."""
    settings, until = stockpile.settings, stockpile.calendar.begin(split.periods)
    outcomes = _outcomes(split, trials)
    costs = {heading: sum(each.costs[heading] for each in trials) for heading in block_headings()}
    spread = {each.scenario: (each.probability, each.cost) for each in outcomes}
    plan = Plan(
        title=settings.title,
        currency=settings.currency,
        unit=settings.quantity_unit,
        status=proof.status,
        objective=proof.objective,
        bound=proof.bound,
        gap=proof.gap,
        costs=costs,
        expected_cost=sum(costs.values()),
        cvar=cvar(spread, settings.risk_tail),
        waste=sum(each.waste for each in trials),
        shortfall=sum(each.shortfall for each in trials),
        verdict="",
        warnings=tuple(warnings),
        rows=_rows(stockpile, trials, outcomes),
        run={**run, DECIDED: until.isoformat(), **_notes()},
        stockpile=unfold(stockpile),
        until=until,
    )
    return replace(plan, verdict=trunk_verdict(plan, proof.proven))


def _notes() -> Mapping[str, str]:
    """Return what the sheet `run` says of every plan of a trunk."""
    return {
        "audit": "every scenario's plan agrees with the input",
        "not among the assumptions": "the events of the scenarios: see the input",
    }


def _outcomes(split: Split, trials: Sequence[TrialResult]) -> list[ScenarioOutcome]:
    """Return the costs of all scenarios, in the order of the workbook."""
    order = {name: k for k, name in enumerate(split.probability)}
    return sorted(
        (each for trial in trials for each in trial.scenarios),
        key=lambda each: order[each.scenario],
    )


def _rows(
    stockpile: Stockpile, trials: Sequence[TrialResult], outcomes: Sequence[ScenarioOutcome]
) -> dict[type[Result], tuple[Result, ...]]:
    """Return the rows of the plan by type: of the trunk, of what is expected, of scenarios."""
    expected = ExpectedRows()
    for each in trials:
        expected.merge(each.expected)
    rows: dict[type[Result], list[Result]] = {}
    for row in (
        *(row for trial in trials for row in trial.rows),
        *expected.means(stockpile.settings),
        *outcomes,
    ):
        rows.setdefault(type(row), []).append(row)
    assumed = list(assumptions(_without_events(stockpile)))
    rows[type(assumed[0])] = list(assumed)
    return with_actions(rows, unfold(stockpile))


def _without_events(stockpile: Stockpile) -> Stockpile:
    """Return a stockpile without the events of its scenarios, of which there may be many."""
    tables = {kind: rows for kind, rows in stockpile.tables.items() if kind is not Event}
    return replace(stockpile, tables=tables)
