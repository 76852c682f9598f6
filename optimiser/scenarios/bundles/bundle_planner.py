"""A plan for more scenarios than one model holds: bundles bound its cost, and its first decisions
are tried in every scenario.
"""

from __future__ import annotations

import datetime as dt
import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from optimiser.execution.workers import Run
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan, assumptions, make_plan
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.parts import Decisions, Split
from optimiser.solving.options import relative_gap
from optimiser.solving.solve import (
    Options,
    Progress,
    SolverError,
    Status,
    UnboundedError,
    scenario_tree,
    solve,
)
from optimiser.system.interrupts import Interrupt
from stockpile_model import amounts
from stockpile_model.block import decisions
from stockpile_model.block import headings as block_headings
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.option_value import FloorOutcome
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome, cvar
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.projects.project_outcomes import ProjectOutcome
from stockpile_model.build import build
from stockpile_model.calendar import Calendar
from stockpile_model.scenarios import Event, unfold
from stockpile_model.schema import Dated, Result, columns
from stockpile_model.stockpile import Stockpile

DECIDED = "decided before"  # on the sheet run, by which a plan of a trunk is known
ALONE = "One model of all of them proves"  # where there is but one bundle
SHARE = 0.25  # of the gap asked for, that a search of its own may leave open
SCREENED, TRIED = (
    4,
    3,
)  # first decisions that are compared on a few bundles, and those of them that are tried on all
SCREENS = 2  # bundles on which they are compared
LEAST_HELPING, HELPINGS = (
    8,
    4,
)  # bundles between two looks at whether decisions are still worth trying, and how many looks
MENDED = 8  # first decisions that are planned anew, since they left a scenario without a plan

Watch = Callable[[Progress], None] | None


# --- What is expected over all --------------------------------------------------------------------


def _in_trunk(row: Result, until: dt.date) -> bool:
    """Return whether a row is decided before the first scenario is known; what has no such date is
    in every period.
    """
    date = getattr(row, row.DECIDED) if row.DECIDED else None
    return date is None or date < until


def _of_trunk(row: Result, until: dt.date, calendar: Calendar) -> bool:
    """Return whether a row is about the trunk alone."""
    date = row.last_day(calendar)
    return date is not None and date < until


@dataclass
class Means:
    """Rows of many branches, each once with what is expected of its figures."""

    rows: dict[tuple[Any, ...], tuple[Result, float, dict[str, tuple[float, float]]]] = field(
        default_factory=dict
    )

    def add(self, row: Result, weight: float) -> None:
        """Add a row of a branch with its probability."""
        kind = type(row)
        key = (kind, *(getattr(row, name) for name in kind.MEANS))
        first, total, sums = self.rows.get(key, (row, 0.0, {}))
        of = weight * (row.probability if isinstance(row, Dated) and not kind.DECIDED else 1.0)
        for each in columns(kind):
            value = getattr(row, each.field)
            if each.kind != "number" or each.given or each.name == "probability" or value is None:
                continue
            by = weight if each.expected else of
            if each.per:
                by *= getattr(row, each.per)
            top, bottom = sums.get(each.field, (0.0, 0.0))
            # An infinite break-even is one on every branch.
            sums[each.field] = (top + (by * value if by else 0.0), bottom + by)
        self.rows[key] = (_spanning(first, row), total + of, sums)

    def merge(self, other: Means) -> None:
        for key, (row, weight, sums) in other.rows.items():
            first, total, mine = self.rows.get(key, (row, 0.0, {}))
            for name, (top, bottom) in sums.items():
                a, b = mine.get(name, (0.0, 0.0))
                mine[name] = (a + top, b + bottom)
            self.rows[key] = (_spanning(first, row), total + weight, mine)

    def told(self, currency: str) -> Iterator[Result]:
        """The rows with their means; what is not signed or helped stands only where it is so in
        every scenario.
        """
        signed = {
            (row.contract, row.level)
            for row, *_ in self.rows.values()
            if isinstance(row, ContractOutcome) and row.signed
        }
        for row, weight, sums in self.rows.values():
            if row.DECIDED and getattr(row, row.DECIDED) is None and weight < 1 - 1e-9:
                continue
            per, found = {each.field for each in columns(type(row)) if each.per}, dict[str, Any]()
            for name, (top, bottom) in sums.items():
                if name not in per:
                    found[name] = top
                elif bottom > 0:
                    found[name] = top / bottom
            if isinstance(row, Dated):
                found["scenarios"], found["probability"] = "all", 1.0
            if isinstance(row, CashFlow):
                found["factor"] = row.factor / row.probability
            if isinstance(row, FloorOutcome):
                found["signed"] = (row.contract, row.level) in signed
            if isinstance(row, Order):
                head, _, tail = row.instruction.rpartition(", for ")
                found["instruction"] = (
                    f"{head}, for {amounts.money(found['paid'])} {currency} in"
                    f" all{tail.partition(' in all')[2]}"
                )
            yield replace(row, **found)


def _spanning(first: Result, row: Result) -> Result:
    """The first of two rows that are one, its deliveries from the first to the last of both."""
    if (
        not isinstance(first, ContractOutcome)
        or not isinstance(row, ContractOutcome)
        or first.first_delivery == row.first_delivery
    ):
        return first
    begins = [each for each in (first.first_delivery, row.first_delivery) if each]
    ends = [each for each in (first.last_delivery, row.last_delivery) if each]
    return replace(first, first_delivery=min(begins), last_delivery=max(ends))


# --- What a worker does ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Search:
    """Plan a bundle alone."""

    stockpile: Stockpile
    periods: int
    options: Options


@dataclass(frozen=True)
class BundlePlan:
    """The plan of a bundle alone: `bound` is what no plan of it can go below [money]."""

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

    `tells`: also for the rows of the trunk.
    """

    stockpile: Stockpile
    branches: tuple[tuple[str, ...], ...]
    split: Split
    decisions: Decisions | None
    options: Options
    tells: bool = False


@dataclass
class Tried:
    """What the branches of a bundle cost with the trunk's decisions held: each scenario, and what
    is expected of them, weighed with their probabilities. `failed`: a branch that has no plan then,
    or none was found in time.
    """

    failed: tuple[str, ...] = ()
    scenarios: list[ScenarioOutcome] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=lambda: dict.fromkeys(block_headings(), 0.0))
    waste: float = 0.0
    shortfall: float = 0.0
    means: Means = field(default_factory=Means)
    rows: list[Result] = field(default_factory=list)


def search(task: Search) -> BundlePlan:
    """Plan a bundle. Raises SolverError."""
    formulation = build(task.stockpile)
    try:
        outcome = solve(formulation.m, task.options, tree=scenario_tree(formulation))
    except UnboundedError as error:
        raise SolverError(str(error)) from None  # its variables stay here
    program = outcome.form.program if outcome.form else None
    size = (program.columns, int(program.integer.sum())) if program else (0, 0)
    decided = (
        None if outcome.objective is None else bundles.decisions(formulation, range(task.periods))
    )
    found = BundlePlan(
        outcome.status, outcome.objective, outcome.bound, decided, *size, outcome.nodes
    )
    del formulation, outcome, program
    gc.collect()
    return found


def attempt(task: Trial) -> Tried:
    """Plan each branch of a bundle, and audit the plan.

    Raises SolverError, AuditError and Disagreement.
    """
    told = Tried()
    for names in task.branches:
        plan = _branch(task, names)
        if plan is None:
            return Tried(failed=names)
        _tell(told, plan, task.split, names, first=task.tells and names == task.branches[0])
        del plan
        gc.collect()
    return told


def _branch(task: Trial, names: Sequence[str]) -> Plan | None:
    """The plan of a branch, audited; None where it has none with these decisions, or none was found
    in time.
    """
    stockpile = bundles.part(task.stockpile, names)
    for hair in bundles.HAIRS:
        formulation = build(stockpile)
        if task.decisions is not None and not bundles.hold(
            formulation, task.decisions, range(task.split.periods), hair
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


def _tell(told: Tried, plan: Plan, split: Split, names: Sequence[str], first: bool) -> None:
    """Add the plan of a branch to what is told of its bundle."""
    weight, calendar = split.weight(names), plan.stockpile.calendar
    outcomes = plan.of(ScenarioOutcome)
    if not outcomes:  # a chain: no scenario of the workbook is in it
        raise AssertionError("a bundle is made of scenarios")
    told.scenarios += [
        replace(each, probability=split.probability[each.scenario]) for each in outcomes
    ]
    for heading, cost in plan.costs.items():
        told.costs[heading] += weight * cost
    told.waste += weight * plan.waste
    told.shortfall += weight * plan.shortfall
    until = calendar.begin(split.periods)
    for kind, found in plan.rows.items():
        for row in found:
            if kind.MEANS and _in_trunk(row, until):
                told.means.add(row, weight)
            elif first and not kind.MEANS and _of_trunk(row, until, calendar):
                told.rows.append(row)


# --- Who waits for the workers --------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How it ended. `blame`: scenarios that have no plan together; then there is none of all."""

    status: Status
    bound: float | None = None
    plan: Plan | None = None
    blame: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass
class Candidate:
    """First decisions, the scenarios that they were made for, and what is known of each bundle with
    them.
    """

    decisions: Decisions | None
    names: frozenset[str]
    tried: dict[int, Tried] = field(default_factory=dict)

    def failed(self) -> frozenset[str]:
        """Scenarios that these decisions leave without a plan, as far as they are known."""
        return frozenset(name for each in self.tried.values() for name in each.failed)


class BundlePlanner:
    """Plans a stockpile by bundles. `plan` does it all, by the tasks that it hands to `run`.

    `options.time_limit` is that of each search, of a bundle or a branch; its gap is that between
    the plan's cost and its bound. Raises InputError for a stockpile that cannot be bundled, and
    whatever its tasks raise.
    """

    def __init__(
        self, stockpile: Stockpile, count: int, options: Options, run: Run, watch: Watch = None
    ) -> None:
        # Age by age: a branch alone would not know of which age the stock is where the others part
        # from it.
        self.stockpile = replace(stockpile, classes={})
        self.unfolded = unfold(self.stockpile)
        self.split = bundles.split(self.stockpile)
        self.dealt = bundles.bundles(self.stockpile, self.split, count)
        self.names = [tuple(name for names in each for name in names) for each in self.dealt]
        self.weights = [self.split.weight(each) for each in self.names]
        self.parts = [bundles.part(self.stockpile, each) for each in self.names]
        self.options, self.run, self.watch = options, run, watch
        self.inner = replace(options, gap=SHARE * options.gap, threads=1)
        self.found: dict[int, BundlePlan] = {}
        self.bound: float | None = None
        self.best: tuple[Candidate, float] | None = None
        self.began = time.perf_counter()
        self.attempts = self.mended = 0
        self.offered: list[Decisions] = []
        several = f"{len(self.parts)} bundles of them, each planned alone, prove"
        self.proof = several if len(self.parts) > 1 else ALONE

    def plan(
        self,
        warnings: Iterable[str] = (),
        run: Mapping[str, object] | None = None,
        bounding: Callable[[], tuple[str, ...]] | None = None,
    ) -> Ended:
        """Bound the cost (by `search`, or by `bounding`), try first decisions, and tell of the
        best. Ctrl-C keeps what is known.
        """
        interrupted, blame = False, tuple[str, ...]()
        try:
            blame = (bounding or self.search)()
            if not blame:
                self.improve(self.candidates())
        except KeyboardInterrupt:
            interrupted = True
        if blame:
            return Ended("infeasible", blame=blame)
        if self.best is None:
            return Ended("no_plan", self.bound, interrupted=interrupted)
        with Interrupt():
            plan = self.told(warnings, run or {})
        return Ended(cast("Status", plan.status), self.bound, plan, interrupted=interrupted)

    def search(self) -> tuple[str, ...]:
        """Plan every bundle alone: the bound, and decisions to try.

        The scenarios of a bundle that has no plan.
        """
        for number, found in self.run(
            search, (Search(each, self.split.periods, self.inner) for each in self.parts)
        ):
            if found.status == "infeasible":
                return self.names[number]
            self.found[number] = found
            self._progress(1, f"bundle {len(self.found)} of {len(self.parts)}")
        self.raise_bound(self._sum(lambda k: self.found[k].bound))
        return ()

    def raise_bound(self, bound: float | None) -> None:
        """Take note of a lower bound on the objective of every plan [money]."""
        if bound is not None and math.isfinite(bound):
            self.bound = bound if self.bound is None else max(bound, self.bound)

    def offer(self, decided: Iterable[Decisions]) -> None:
        """First decisions that were made for all scenarios: they are tried before those of the
        bundles.
        """
        self.offered += decided

    def candidates(self) -> list[Candidate]:
        """First decisions, each once, the most typical first: those nearest to the mean of their
        kind.
        """
        if self.split.periods == 0:
            return [Candidate(None, frozenset())]
        every = frozenset(self.split.probability)
        own = [
            Candidate(found.decisions, frozenset(self.names[k]))
            for k, found in sorted(self.found.items())
            if found.decisions
        ]
        made = _typical([Candidate(each, every) for each in self.offered])[
            : SCREENED // 2 if own else None
        ]
        return _different([*made, *_typical(own)])

    def improve(self, candidates: Sequence[Candidate]) -> None:
        """Try first decisions in every scenario, the promising first, until the gap is reached."""
        few = list(candidates[:SCREENED])
        screens = range(min(SCREENS, len(self.parts)))
        if len(few) > 1:
            for each in few:
                self._try(each, screens)
            few.sort(key=lambda each: (bool(each.failed()), self._estimate(each)))
        waiting, tried = few, 0
        while waiting and tried < TRIED + self.mended:
            candidate, tried = waiting.pop(0), tried + 1
            cost = self._cost(candidate)
            if cost is not None and (self.best is None or cost < self.best[1]):
                self.best = (candidate, cost)
            if self.best is not None and self._reached():
                return
            if cost is None and self.best is None and candidate.failed():
                waiting = [*self._mend(candidate), *waiting]

    def _reached(self) -> bool:
        gap = (
            relative_gap(self.best[1], self.bound, self.unfolded.scale.money) if self.best else None
        )
        return gap is not None and gap <= self.options.gap

    def _cost(self, candidate: Candidate) -> float | None:
        """What first decisions cost over all scenarios; None where one has no plan, or they are
        seen to be no better.
        """
        helping, every = max(LEAST_HELPING, len(self.parts) // HELPINGS), range(len(self.parts))
        while waiting := [k for k in every if k not in candidate.tried]:
            if candidate.failed() or (
                self.best is not None and self._estimate(candidate) >= self.best[1]
            ):
                return None
            self._try(candidate, waiting[:helping])
        if candidate.failed():
            return None
        return self._objective(
            [each for tried in candidate.tried.values() for each in tried.scenarios]
        )

    def _try(self, candidate: Candidate, which: Iterable[int]) -> None:
        numbers = list(which)
        self.attempts += 1 if not candidate.tried else 0
        tasks = (
            Trial(
                self.parts[k],
                self.dealt[k],
                self.split,
                candidate.decisions,
                self.inner,
                tells=k == 0,
            )
            for k in numbers
        )
        for number, tried in self.run(attempt, tasks):
            candidate.tried[numbers[number]] = tried
            self._progress(
                2, f"decisions {self.attempts}, bundle {len(candidate.tried)} of {len(self.parts)}"
            )

    def _mend(self, candidate: Candidate) -> Iterator[Candidate]:
        """Decisions that were made for the same scenarios, and for those that were left without a
        plan.
        """
        names = candidate.names | candidate.failed()
        if names == candidate.names or self.mended >= MENDED:
            return
        self.mended += 1
        ordered = [name for name in self.split.probability if name in names]
        task = Search(bundles.part(self.stockpile, ordered), self.split.periods, self.inner)
        for _, found in self.run(search, [task]):
            if found.decisions is not None:
                yield Candidate(found.decisions, names)

    def _estimate(self, candidate: Candidate) -> float:
        """What first decisions cost at least: where they were tried what they cost there, elsewhere
        the bound of the bundle.
        """

        def least(k: int) -> float:
            tried = candidate.tried.get(k)
            if tried is not None:
                return self._objective(tried.scenarios, self.weights[k])
            bound = self.found[k].bound if k in self.found else None
            return -math.inf if bound is None else bound

        return self._sum(least) or 0.0

    def _sum(self, value: Callable[[int], float | None]) -> float | None:
        """The mean over the bundles; None where one has no value."""
        values = [value(k) for k in range(len(self.parts))]
        known = [
            weight * each
            for weight, each in zip(self.weights, values, strict=True)
            if each is not None
        ]
        return sum(known) if len(known) == len(values) else None

    def _objective(self, outcomes: Sequence[ScenarioOutcome], whole: float = 1.0) -> float:
        """(1 - w)·mean + w·CVaR of scenarios whose probabilities sum to `whole` [money]."""
        settings = self.stockpile.settings
        costs = {each.scenario: (each.probability / whole, each.cost) for each in outcomes}
        mean = sum(probability * cost for probability, cost in costs.values())
        return (1 - settings.risk_weight) * mean + settings.risk_weight * cvar(
            costs, settings.risk_tail
        )

    def _progress(self, stage: int, doing: str) -> None:
        if self.watch is not None:
            best = None if self.best is None else self.best[1]
            nodes = sum(each.nodes for each in self.found.values())
            seconds = time.perf_counter() - self.began
            gap = relative_gap(best, self.bound, self.unfolded.scale.money)
            self.watch(
                Progress(
                    stage=stage,
                    stages=2,
                    objective=doing,
                    seconds=seconds,
                    nodes=nodes,
                    incumbent=best,
                    bound=self.bound,
                    gap=gap,
                )
            )

    # The plan

    def told(self, warnings: Iterable[str], run: Mapping[str, object]) -> Plan:
        """The best plan, as far as it is one for all scenarios."""
        assert self.best is not None
        candidate, objective = self.best
        settings, calendar = self.stockpile.settings, self.stockpile.calendar
        means, tried = Means(), [candidate.tried[k] for k in sorted(candidate.tried)]
        for each in tried:
            means.merge(each.means)
        order = {name: k for k, name in enumerate(self.split.probability)}
        outcomes = sorted(
            (each for found in tried for each in found.scenarios),
            key=lambda each: order[each.scenario],
        )
        rows: dict[type[Result], list[Result]] = {}
        for row in (
            *(each for found in tried for each in found.rows),
            *means.told(settings.currency),
            *outcomes,
        ):
            rows.setdefault(type(row), []).append(row)
        without = replace(
            self.stockpile,
            tables={
                kind: each for kind, each in self.stockpile.tables.items() if kind is not Event
            },
        )
        assumed = list(assumptions(without))
        rows[type(assumed[0])] = list(assumed)
        gap = relative_gap(objective, self.bound, self.unfolded.scale.money)
        costs = {
            heading: sum(each.costs[heading] for each in tried) for heading in block_headings()
        }
        spread = {each.scenario: (each.probability, each.cost) for each in outcomes}
        until = calendar.begin(self.split.periods)
        found = {
            "bundles": len(self.parts),
            "scenarios": len(self.split.probability),
            "first decisions tried": self.attempts,
            DECIDED: until.isoformat(),
            "columns of the largest bundle": max(
                (each.columns for each in self.found.values()), default=0
            ),
            "whole columns of the largest bundle": max(
                (each.whole for each in self.found.values()), default=0
            ),
            "audit": "every scenario's plan agrees with the input",
            "not among the assumptions": "the events of the scenarios: see the input",
        }
        plan = Plan(
            title=settings.title,
            currency=settings.currency,
            unit=settings.quantity_unit,
            status="optimal" if gap is not None and gap <= self.options.gap else "feasible",
            objective=objective,
            bound=self.bound,
            gap=gap,
            costs=costs,
            expected_cost=sum(costs.values()),
            cvar=cvar(spread, settings.risk_tail),
            waste=sum(each.waste for each in tried),
            shortfall=sum(each.shortfall for each in tried),
            verdict="",
            warnings=tuple(warnings),
            rows={kind: tuple(each) for kind, each in rows.items()},
            run={**run, **found},
            stockpile=self.unfolded,
            until=until,
        )
        return replace(plan, verdict=_verdict(plan, self.proof))


def _done(decided: Decisions) -> Iterator[tuple[str, Any, float]]:
    """What is done, of all that is held."""
    return (
        (name, key, value)
        for name in sorted(decisions())
        for key, value in sorted(decided.values.get(name, {}).items())
    )


def _different(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The first of those that do the same."""
    found: dict[tuple[Any, ...], Candidate] = {}
    for each in candidates:
        found.setdefault(
            tuple(
                (name, at, round(value, 6))
                for name, at, value in _done(each.decisions or Decisions())
            ),
            each,
        )
    return list(found.values())


def _typical(candidates: list[Candidate]) -> list[Candidate]:
    """Sorted by how far each is from the mean of all, a decision counted in the largest of its
    kind.
    """
    every = [
        {(name, key): value for name, key, value in _done(each.decisions or Decisions())}
        for each in candidates
    ]
    most: dict[Any, float] = {}
    mean: dict[Any, float] = {}
    for each in every:
        for at, value in each.items():
            most[at] = max(most.get(at, 0.0), abs(value))
            mean[at] = mean.get(at, 0.0) + value / len(every)
    far = [
        sum(abs(each.get(at, 0.0) - mean[at]) / most[at] for at in mean if most[at])
        for each in every
    ]
    return [
        candidate
        for _, _, candidate in sorted(
            zip(far, range(len(far)), candidates, strict=True), key=lambda each: each[:2]
        )
    ]


def _verdict(plan: Plan, proven: str) -> str:
    """One paragraph for the officer: what is decided now, what it costs over all scenarios, how
    sure it is.
    """
    unit, currency, settings, parts = plan.unit, plan.currency, plan.stockpile.settings, list[str]()
    orders, signed = (
        plan.of(Order),
        [each for each in plan.of(ContractOutcome) if each.level is not None],
    )
    outcomes, until = plan.of(ScenarioOutcome), plan.until
    if until == settings.start:
        parts.append("The scenarios part in the first period: nothing is decided for all of them.")
    else:
        first = f"when the first of {amounts.count(len(outcomes), 'scenario')} is known"
        parts.append(
            f"This is what to do before {amounts.month(until or settings.start)}, {first}."
        )
        if orders:
            suppliers = ", ".join(sorted({each.supplier for each in orders}))
            ordered = amounts.quantity(amounts.clean(sum(each.ordered for each in orders)))
            parts.append(
                f"Order {ordered} {unit} in {amounts.count(len(orders), 'order')} from {suppliers}."
            )
        for each in signed:
            parts.append(
                f"Sign {each.contract} at level {each.level} (floor"
                f" {amounts.money(each.floor or 0.0)} {currency}/{unit})."
            )
        helped = {each.project: each for each in plan.of(ProjectOutcome) if each.decision != "no"}
        parts += [
            f"{'Grant' if each.decision == 'grant' else 'Carried by contracts:'} {name}."
            for name, each in helped.items()
        ]
        if not orders and not signed and not helped:
            parts.append("Buy nothing yet.")
    parts.append("What to do later is to be planned once it is known which scenario comes.")
    dearest = max(outcomes, key=lambda each: each.cost)
    parts.append(
        f"The expected cost, discounted to {settings.start}, is {amounts.money(plan.expected_cost)}"
        f" {currency}; the dearest scenario is {dearest.scenario}, {amounts.money(dearest.cost)}"
        f" {currency}, and the worst {settings.risk_tail:.0%} cost"
        f" {amounts.money(plan.cvar or 0.0)} {currency} on average (CVaR)."
    )
    if settings.risk_weight:
        parts.append(
            f"What is minimised weighs that tail with {settings.risk_weight:g}:"
            f" {amounts.money(plan.objective)} {currency}."
        )
    short, waste = (amounts.quantity(amounts.clean(each)) for each in (plan.shortfall, plan.waste))
    parts.append(
        f"Expected over all scenarios {short} {unit} are missing and {waste} {unit} expire unused."
    )
    parts.append(
        "Every scenario was planned to its end with these decisions, and audited: the cost is that"
        f" of all {len(outcomes):,}."
    )
    if settings.firm_periods is not None and settings.firm_periods < settings.periods:
        parts.append(
            "In all of them lots, minimum and cost of orders, and price breaks, are relaxed after"
            f" the first {amounts.count(settings.firm_periods, 'period')}, and so are the cost and"
            " its bound."
        )
    if plan.bound is None or plan.gap is None:
        parts.append("No bound was found in time, so how much better a plan could be is not known.")
    else:
        proof = f"{proven} that no plan can cost less than {amounts.money(plan.bound)} {currency}"
        if plan.status == "optimal":
            parts.append(f"{proof} (gap {plan.gap:.3%}).")
        else:
            parts.append(
                f"{proof}, so this one is within {plan.gap:.2%} of the best; fewer and larger"
                " bundles prove more."
            )
    return " ".join(parts)
