"""Plan more scenarios than one model holds.

Bundles bound the cost, and first decisions are tried in every scenario.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from optimiser.execution.executor import Executor, run_calls
from optimiser.plan.plan import Plan
from optimiser.scenarios.bundles import parts as bundles
from optimiser.scenarios.bundles.bundle_tasks import BundlePlan, Search, Trial, attempt, search
from optimiser.scenarios.bundles.candidates import Candidate, different, typical
from optimiser.scenarios.bundles.trunk_plan import BundleProof, trunk_plan
from optimiser.solving.search_options import Options, Progress, Status, relative_gap
from optimiser.system.interrupts import Interrupt
from stockpile_model.blocks.objective import ScenarioOutcome, cvar
from stockpile_model.scenarios import unfold
from stockpile_model.stockpile import Stockpile

ALONE = "One model of all of them proves"  # where there is but one bundle
SHARE = 0.25  # of the gap to reach, that a search of its own may leave open
SCREENED = 4  # first decisions that are compared on a few bundles
TRIED = 3  # of these, those that are tried on all bundles
SCREENS = 2  # bundles on which they are compared
LOOKS = 4  # how often it is judged whether decisions are still worth trying
LEAST_BETWEEN = 8  # bundles between two such looks, at least
EXTENDED = 8  # first decisions that are planned anew, since they left a scenario without a plan

Watch = Callable[[Progress], None] | None


@dataclass(frozen=True)
class Ended:
    """Describe how it ended. `blame`: scenarios that have no plan together; then all of them have
    none."""

    status: Status
    bound: float | None = None
    plan: Plan | None = None
    blame: tuple[str, ...] = ()
    interrupted: bool = False


class BundlePlanner:
    """Plans a stockpile by bundles. `plan` does it all, by calls on `executor`.

    `options.time_limit` is that of each search, of a bundle or a branch; its gap is that between
    the plan's cost and its bound. Raises InputError for a stockpile that cannot be bundled, and
    whatever its tasks raise.
    """

    def __init__(
        self,
        stockpile: Stockpile,
        count: int,
        options: Options,
        executor: Executor,
        watch: Watch = None,
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
        self.options, self.executor, self.watch = options, executor, watch
        self.inner = replace(options, gap=SHARE * options.gap, threads=1)
        self.searched: dict[int, BundlePlan] = {}
        self.bound: float | None = None
        self.best: tuple[Candidate, float] | None = None
        self.began = time.perf_counter()
        self.attempts = self.extended = 0

    def plan(
        self,
        warnings: Iterable[str] = (),
        run: Mapping[str, object] | None = None,
    ) -> Ended:
        """Bound the cost, try first decisions, return the best.

        Ctrl-C keeps what is known.
        """
        interrupted, blame = False, tuple[str, ...]()
        try:
            blame = self.search()
            if not blame:
                self.improve(self.candidates())
        except KeyboardInterrupt:
            interrupted = True
        if blame:
            return Ended("infeasible", blame=blame)
        if self.best is None:
            return Ended("no_plan", self.bound, interrupted=interrupted)
        with Interrupt():
            plan = self._best_plan(warnings, run or {})
        return Ended(cast("Status", plan.status), self.bound, plan, interrupted=interrupted)

    def search(self) -> tuple[str, ...]:
        """Plan every bundle alone: the bound, and decisions to try.

        The scenarios of a bundle that has no plan.
        """
        for number, found in run_calls(
            self.executor,
            search,
            (Search(each, self.split.periods, self.inner) for each in self.parts),
        ):
            if found.status == "infeasible":
                return self.names[number]
            self.searched[number] = found
            self._progress(1, f"bundle {len(self.searched)} of {len(self.parts)}")
        bound = self._sum(lambda k: self.searched[k].bound)
        if bound is not None and math.isfinite(bound):
            self.bound = bound
        return ()

    def candidates(self) -> list[Candidate]:
        """Return first decisions, each once, the most typical first.

        Typical are those nearest to the mean of their kind.
        """
        if self.split.periods == 0:
            return [Candidate(None, frozenset())]
        found = [
            Candidate(each.decisions, frozenset(self.names[k]))
            for k, each in sorted(self.searched.items())
            if each.decisions
        ]
        return different(typical(found))

    def improve(self, candidates: Sequence[Candidate]) -> None:
        """Try first decisions in every scenario, the promising first, until the gap is reached."""
        few = list(candidates[:SCREENED])
        screens = range(min(SCREENS, len(self.parts)))
        if len(few) > 1:
            for each in few:
                self._try(each, screens)
            few.sort(key=lambda each: (bool(each.failed()), self._estimate(each)))
        waiting, tried = few, 0
        while waiting and tried < TRIED + self.extended:
            candidate, tried = waiting.pop(0), tried + 1
            cost = self._cost(candidate)
            if cost is not None and (self.best is None or cost < self.best[1]):
                self.best = (candidate, cost)
            if self.best is not None and self._reached():
                return
            if cost is None and self.best is None and candidate.failed():
                waiting = [*self._extend(candidate), *waiting]

    def _reached(self) -> bool:
        gap = (
            relative_gap(self.best[1], self.bound, self.unfolded.scale.money) if self.best else None
        )
        return gap is not None and gap <= self.options.gap

    def _cost(self, candidate: Candidate) -> float | None:
        """Return what first decisions cost over all scenarios.

        None: one of them has no plan, or they are seen to be no better.
        """
        batch, every = max(LEAST_BETWEEN, len(self.parts) // LOOKS), range(len(self.parts))
        while waiting := [k for k in every if k not in candidate.tried]:
            if candidate.failed() or (
                self.best is not None and self._estimate(candidate) >= self.best[1]
            ):
                return None
            self._try(candidate, waiting[:batch])
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
                reports_trunk=k == 0,
            )
            for k in numbers
        )
        for number, tried in run_calls(self.executor, attempt, tasks):
            candidate.tried[numbers[number]] = tried
            self._progress(
                2, f"decisions {self.attempts}, bundle {len(candidate.tried)} of {len(self.parts)}"
            )

    def _extend(self, candidate: Candidate) -> Iterator[Candidate]:
        """Plan anew for the scenarios of a candidate and for those that it left without a plan."""
        names = candidate.names | candidate.failed()
        if names == candidate.names or self.extended >= EXTENDED:
            return
        self.extended += 1
        ordered = [name for name in self.split.probability if name in names]
        task = Search(bundles.part(self.stockpile, ordered), self.split.periods, self.inner)
        for _, found in run_calls(self.executor, search, [task]):
            if found.decisions is not None:
                yield Candidate(found.decisions, names)

    def _estimate(self, candidate: Candidate) -> float:
        """Return what first decisions cost at least.

        That is their cost in the bundles in which they were tried, and the bound of the others.
        """

        def least(k: int) -> float:
            tried = candidate.tried.get(k)
            if tried is not None:
                return self._objective(tried.scenarios, self.weights[k])
            bound = self.searched[k].bound if k in self.searched else None
            return -math.inf if bound is None else bound

        return self._sum(least) or 0.0

    def _sum(self, value: Callable[[int], float | None]) -> float | None:
        """Return the mean over the bundles; None where one has no value."""
        values = [value(k) for k in range(len(self.parts))]
        known = [
            weight * each
            for weight, each in zip(self.weights, values, strict=True)
            if each is not None
        ]
        return sum(known) if len(known) == len(values) else None

    def _objective(self, outcomes: Sequence[ScenarioOutcome], whole: float = 1.0) -> float:
        """Return (1 - w)·mean + w·CVaR of scenarios whose probabilities sum to `whole` [money]."""
        settings = self.stockpile.settings
        costs = {each.scenario: (each.probability / whole, each.cost) for each in outcomes}
        mean = sum(probability * cost for probability, cost in costs.values())
        return (1 - settings.risk_weight) * mean + settings.risk_weight * cvar(
            costs, settings.risk_tail
        )

    def _progress(self, stage: int, doing: str) -> None:
        if self.watch is not None:
            best = None if self.best is None else self.best[1]
            nodes = sum(each.nodes for each in self.searched.values())
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

    def _best_plan(self, warnings: Iterable[str], run: Mapping[str, object]) -> Plan:
        """Return the best plan, as far as it is one for all scenarios."""
        assert self.best is not None
        candidate, objective = self.best
        gap = relative_gap(objective, self.bound, self.unfolded.scale.money)
        proof = BundleProof(
            status="optimal" if gap is not None and gap <= self.options.gap else "feasible",
            objective=objective,
            bound=self.bound,
            gap=gap,
            proven=f"{len(self.parts)} bundles of them, each planned alone, prove"
            if len(self.parts) > 1
            else ALONE,
        )
        searches = self.searched.values()
        known = {
            "bundles": len(self.parts),
            "scenarios": len(self.split.probability),
            "first decisions tried": self.attempts,
            "columns of the largest bundle": max((each.columns for each in searches), default=0),
            "whole columns of the largest bundle": max(
                (each.whole for each in searches), default=0
            ),
        }
        trials = [candidate.tried[k] for k in sorted(candidate.tried)]
        return trunk_plan(self.stockpile, self.split, trials, proof, warnings, {**run, **known})
