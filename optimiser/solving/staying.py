"""Search for plans that stay near what was announced: from a plan that is known, without its bound.

A program has the objectives of its model, and last what is changed. The plan is judged by its cost;
each search here holds one of the two and minimises the other, or their weighed sum. What it proves
is about that sum or that search alone: the bound on the cost is that of the plan without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from highspy import HighsModelStatus

from optimiser.solving import engine, highs
from optimiser.solving.engine import StageContext
from optimiser.solving.highs import ProgramSolution
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import ABSOLUTE_GAP, Options, SolverError, allowance
from optimiser.solving.standard_form import Objective, StandardForm, main
from optimiser.solving.structure import ScenarioTree, structure
from optimiser.system.interrupts import Interrupt

DEARER = (16.0, 1.0)
"""How many times dearer changes are priced than what surely fits: first, and then."""
PRICED_SHARE, CAPPED_SHARE = 0.75, 0.8
"""Of the time: for the search with priced changes; of what then is left, for the least changes."""
PRICES = (100.0, 10.0, 1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 0.0)
"""Prices of changes, as a share of their value, the dearest first."""
SAME = 1e-9  # share of a cost, or of changes, by which rounding may miss it
UNCHANGED = 1e-7  # share of what was announced up to which a plan that keeps all of it may miss it


@dataclass(frozen=True, eq=False)
class NearPlan:
    """A plan by its columns [scaled units], with its cost and what it changes [money].

    `bound`: what its search proves of what it minimised: the value of the changes of a plan that
    costs no more, or the sum of cost and priced changes; None where nothing is proven.
    """

    x: Floats
    cost: float
    changed: float
    bound: float | None = None


@dataclass(eq=False)
class StayingSearch:
    """Searches of one program, whose last objective is what is changed.

    `form`: the program with all its objectives, `x`: a plan of it [scaled units], `tree`: its
    scenario tree. `progress` gets which search runs.
    """

    form: StandardForm
    x: Floats
    options: Options
    interrupt: Interrupt
    tree: ScenarioTree
    progress: Callable[[highs.Snapshot], None] | None = None

    def __post_init__(self) -> None:
        names = [each.name for each in self.form.objectives]
        judged = main(names)
        self.cost, self.changed = self.form.objectives[judged], self.form.objectives[-1]
        self.then = self.form.objectives[judged + 1 : -1]
        self.sizes = tuple(self.form.sizes.objective[names[k]] for k in (judged, -1))
        self.program = self.form.program
        for each in self.form.objectives[:judged]:
            self.program = held(self.program, each, allowance(each.at(self.x)))

    @property
    def known(self) -> NearPlan:
        """Return the plan that is known from the start."""
        return self._plan(self.x)

    def kept(self, announced: float, seconds: float) -> NearPlan | None:
        """Return the cheapest plan that changes nothing; None where none was found in time.

        `announced`: the value of all that was announced [money].
        """
        begun, aimed = time.perf_counter(), self._aimed(self.cost)
        most = max(ABSOLUTE_GAP, UNCHANGED * announced / self.sizes[1])
        near = held(aimed, self.changed, most)
        # Columns that are fixed make the search short; rounded quantities may fit no plan exactly.
        lower, upper, weight = near.lower.copy(), near.upper.copy(), self.changed.cost
        upper[weight > 0] = lower[weight > 0]
        for program in (replace(near, upper=upper), near):
            left = seconds - (time.perf_counter() - begun)
            found = self._searched(program, left, None) if left > 0 else ProgramSolution("no_plan")
            if found.x is not None:
                return self._settled(found.x)
        return None

    def least_changed(self, most: float, start: NearPlan, seconds: float) -> NearPlan:
        """Return the plan that changes least of those that cost no more, the cheapest of these.

        `most`: what it may cost [money]. `start`: a plan that costs no more.
        """
        until = time.perf_counter() + seconds
        first, proven = self._within(most, start, PRICED_SHARE * seconds)
        capped = held(self._aimed(self.changed), self.cost, allowance(most / self.sizes[0]))
        left = until - time.perf_counter()
        found = self._searched(capped, CAPPED_SHARE * left, first.x)
        bound = max(proven, 0.0 if found.bound is None else found.bound * self.sizes[1])
        x = first.x if found.x is None else found.x
        if self.changed.at(x) >= self.changed.at(first.x) * (1 - SAME):
            return replace(first, bound=bound)
        program = held(self._aimed(self.cost), self.changed, allowance(self.changed.at(x)))
        left = max(until - time.perf_counter(), (1 - CAPPED_SHARE) * left)
        cheapest = self._searched(program, left, x)
        vertex = self._vertex(x if cheapest.x is None else cheapest.x, most)
        best = first if vertex is None or vertex.changed > first.changed else vertex
        return self._settled(best.x, bound)

    def _vertex(self, x: Floats, most: float) -> NearPlan | None:
        """Return the plan with the integers of x that changes least of a ladder of plans, each the
        best at some price of changes, that costs no more; None where none does.

        A plan at such a price is a vertex: it has no quantities that only spend what a limit on
        the cost leaves. Cost rises with the price, so the ladder is halved.
        """
        fixed = self.program.fixed(np.round(x[self.program.integer]))
        best: NearPlan | None = None
        low, high = 0, len(PRICES) - 1
        while low <= high:
            at = (low + high) // 2
            objective = self._both(PRICES[at])
            program = replace(fixed, cost=objective.cost, offset=objective.offset)
            found = self._searched(program, self.options.time_limit, None)
            plan = None if found.x is None else self._plan(found.x)
            if plan is not None and plan.cost <= most + SAME * max(abs(most), self.sizes[0]):
                best, high = plan, at - 1
            else:
                low = at + 1
        return best

    def _both(self, price: float) -> Objective:
        """Return the sum of the cost and of what is changed times a price."""
        ratio = price * self.sizes[1] / self.sizes[0]
        return Objective(
            "priced",
            self.cost.cost + ratio * self.changed.cost,
            self.cost.offset + ratio * self.changed.offset,
        )

    def _within(self, most: float, start: NearPlan, seconds: float) -> tuple[NearPlan, float]:
        """Return a plan that costs no more and changes less, and the least changes that are proven.

        With changes priced at what may be spent over what `start` changes, the best plan costs no
        more; dearer changes are fewer, and mostly fit too. For all plans within the cost c,
        bound ≤ c + price · changes.
        """
        room, best, proven = most - start.cost, start, 0.0
        if room <= allowance(0.0) * self.sizes[0] or not start.changed:
            return start, 0.0
        until = time.perf_counter() + seconds
        for times in DEARER:
            price, left = times * room / start.changed, until - time.perf_counter()
            if left <= 0:
                break
            found = self.priced(price, start, left)
            if found.bound is not None:
                proven = max(proven, (found.bound - most) / price)
            if found.cost <= most and found.changed < best.changed:
                best = found
                break
        return best, proven

    def priced(self, weight: float, start: NearPlan, seconds: float) -> NearPlan:
        """Return the plan with the least sum of its cost and of what is changed times a weight."""
        both = self._both(weight)
        program = self._aimed(both)
        shape = structure(program, self.form.labels, self.form.priority, self.tree)
        options = replace(self.options, time_limit=seconds)
        context = StageContext(None, seconds)
        try:
            of = (program, shape, options, self.interrupt, self.progress, start.x, context)
            found = engine.optimise(*of)
        except highs.Stuck:
            found = ProgramSolution("no_plan")
        bound = None if found.bound is None else found.bound * self.sizes[0]
        return self._settled(start.x if found.x is None else found.x, bound)

    def keeping(
        self, plan: NearPlan, freed: Sequence[int], groups: Sequence[Sequence[int]], seconds: float
    ) -> list[float | None]:
        """Return what it would cost to change nothing of each group of columns [money].

        It is the difference of two linear programs: the integers of the plan held, but for those
        that are `freed`. Infinite where no plan with these integers does so. None where there was
        no time: `seconds`, or as long as the first program took.
        """
        begun, base = time.perf_counter(), self._freed(plan, freed)
        h = highs.load(base)
        highs.prepare(h, self.options)
        least = self._linear(h)
        if least is None:
            return [None] * len(groups)
        until = self._until(begun, seconds)
        x, basis = np.array(h.getSolution().col_value), h.getBasis()
        h.setOptionValue("presolve", "off")
        h.setOptionValue("simplex_strategy", highs.DUAL_SIMPLEX)
        unchanged = np.where(self.changed.cost > 0, base.lower, base.upper)
        found: list[float | None] = [0.0] * len(groups)
        for k, columns in enumerate(groups):
            if np.isclose(x[columns], unchanged[columns], highs.AT_BOUND, highs.AT_BOUND).all():
                continue  # the first program keeps it
            if time.perf_counter() > until or self.interrupt.requested:
                found[k] = None
                continue
            for j in columns:
                h.changeColBounds(j, unchanged[j], unchanged[j])
            cost = self._linear(h)
            found[k] = None if cost is None else (cost - least) * self.sizes[0]
            for j in columns:
                h.changeColBounds(j, base.lower[j], base.upper[j])
            h.setBasis(basis)
        return found

    @staticmethod
    def _until(begun: float, seconds: float) -> float:
        """Return until when it is asked what keeping costs: for as long as the first program took
        at least."""
        return max(begun + seconds, 2 * time.perf_counter() - begun)

    def _freed(self, plan: NearPlan, freed: Sequence[int]) -> Program:
        """Return the linear program of the cost with the integers of a plan held, but for some."""
        fixed = self.program.fixed(np.round(plan.x[self.program.integer]))
        lower, upper, columns = fixed.lower.copy(), fixed.upper.copy(), [*freed]
        lower[columns] = self.program.lower[columns]
        upper[columns] = self.program.upper[columns]
        return replace(
            fixed, lower=lower, upper=upper, cost=self.cost.cost, offset=self.cost.offset
        )

    def _linear(self, h: highspy.Highs) -> float | None:
        """Return the least cost of a linear program; infinite without a solution, None where it
        does not end."""
        highs.run(h, self.interrupt, stoppable=False)
        ended = h.getModelStatus()
        if ended == HighsModelStatus.kInfeasible:
            return INFINITY
        if ended != HighsModelStatus.kOptimal:
            return None
        return float(h.getInfo().objective_function_value)

    def _aimed(self, objective: Objective) -> Program:
        return replace(self.program, cost=objective.cost, offset=objective.offset)

    def _searched(self, program: Program, seconds: float, start: Floats | None) -> ProgramSolution:
        """Minimise a program; where it fails or ends in time nothing is found."""
        options = replace(self.options, time_limit=seconds)
        try:
            return highs.optimise(program, options, self.interrupt, self.progress, start)
        except (highs.Stuck, SolverError):
            return ProgramSolution("no_plan")

    def _settled(self, x: Floats, bound: float | None = None) -> NearPlan:
        """Return a plan after the objectives that choose between plans that are equally good."""
        if not self.then:
            return self._plan(x, bound)
        program = self.program
        for best in (self.cost, self.changed):
            program = held(program, best, allowance(best.at(x)))
        for each in self.then:
            aimed = replace(program, cost=each.cost, offset=each.offset)
            found = self._searched(aimed, self.options.time_limit, x)
            x = x if found.x is None else found.x
            program = held(program, each, allowance(each.at(x)))
        return self._plan(x, bound)

    def _plan(self, x: Floats, bound: float | None = None) -> NearPlan:
        cost, changed = (
            each.at(x) * size
            for each, size in zip((self.cost, self.changed), self.sizes, strict=True)
        )
        return NearPlan(x, cost, max(0.0, changed), bound)


def held(program: Program, objective: Objective, most: float) -> Program:
    """Return the program with one more row: an objective is no more than an amount."""
    entries = objective.cost.nonzero()[0]
    return program.extended(
        row_lower=[-INFINITY],
        row_upper=[most - objective.offset],
        row=[program.rows] * len(entries),
        column=entries.tolist(),
        value=objective.cost[entries],
    )
