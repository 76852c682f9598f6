"""The price at which something enters the plan or leaves it, by re-solves: for whole decisions too.

A plan that uses an offer costs less, the lower its price, in proportion to what it pays for. So of
a plan that was found at some price it is known at which price it costs what the plan without the
offer does, and the next search is there. Each step is a plan that is better by itself; when there
is none, that price is the one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimiser.solving import highs
from optimiser.solving.program import Floats
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult, Commit
from optimiser.studies.engine.compiled import Compiled
from optimiser.system.interrupts import Interrupt
from stockpile_model.block import choices, decisions
from stockpile_model.changes import Change
from stockpile_model.choice import Lever, PlanChoice
from stockpile_model.scale import NOISE
from stockpile_model.stockpile import Stockpile

TURN = "turning price"  # the view under which the price is searched for
ENTER, LEAVE = "enter", "leave"
CHANGE, LEAST, MOST = "change", "change at least", "change at most"
"""The figures of its result: by how much the price must change, and between what that is."""
MOST_SOLVES = 16  # for one price
EXACT = 1e-7  # share of a price to which it is found
HALVED = 1e-3  # the same where it is found by halving: appropriations pay less at a lower price
TIE = 1e-9  # share of the cost by which one plan must be cheaper than another
PROVEN = 1e-9  # gap of a plan that is the best [1]


def turn(choice: PlanChoice, name: str, level: str | None, used: bool) -> Case:
    """Return the case that searches for the price at which a choice turns."""
    way = LEAVE if used else ENTER
    note = f"price at which {choice.kind} {' '.join(filter(None, (name, level)))} would {way}"
    return Case(view=(TURN, way, choice.kind, name, level or ""), note=note)


@dataclass(frozen=True, eq=False)
class Runs:
    """Describe how cases are run: `solve` returns a result with the columns of its plan, in the
    units of the workbook, `program` the program of a case.
    """

    solve: Callable[[Case], CaseResult]
    program: Callable[[Case], Compiled]


def turning(stockpile: Stockpile, view: tuple[str, ...], runs: Runs) -> CaseResult:
    """Return at which price a choice turns, as the figures of a result."""
    _, way, kind, name, level = view
    choice = next(each for each in choices() if each.kind == kind)
    lever = None if choice.lever is None else choice.lever(stockpile, name, level or None)
    if lever is None:
        return CaseResult("refused", message="no one cell moves its price")
    base = runs.solve(Case())
    if base.objective is None:
        return base
    search = TurningSearch(runs, choice, lever, (name, level or None), base)
    return search.enters() if way == ENTER else search.leaves()


@dataclass(eq=False)
class TurningSearch:
    """The search for the price at which a choice turns.

    `base` is the plan as it is. A price changes by so much for the worse; for the better below 0.
    """

    runs: Runs
    choice: PlanChoice
    lever: Lever
    member: tuple[str, str | None]
    base: CaseResult

    def enters(self) -> CaseResult:
        """Return by how much the price must better for a plan to use what it does not use."""
        best = float(self.base.objective or 0.0)
        found = self._first(best)
        if isinstance(found, CaseResult):
            return found
        high, result = found
        low = 0.0
        for _ in range(MOST_SOLVES):
            step, exact = self._next(best, low, high, result)
            if step >= high * (1 - EXACT):
                return self._end(result, high if exact else low, high)
            tried = self._at(-step)
            if tried.objective is None:
                return tried
            if self._better(tried, best):
                high, result = step, tried
            elif exact:  # no plan is cheaper short of it
                return self._end(tried, step, step)
            else:
                low = step
            if high - low <= HALVED * high:
                break
        return self._end(result, low, high)

    def _first(self, best: float) -> tuple[float, CaseResult] | CaseResult:
        """Return a price at which the choice is used, and the plan; the result where none is."""
        room = self.lever.room
        tries = [room]
        if math.isinf(room):
            tries = [4.0**k * self._unit() for k in range(11)]
        last = self.base
        for step in tries:
            if step <= 0:
                break
            last = self._at(-step)
            if last.objective is None and last.status != "infeasible":
                return last
            if last.objective is not None and self._better(last, best):
                return step, last
        return CaseResult("optimal", best, how="solved", figures={})

    def _unit(self) -> float:
        """Return a size of the price: the largest of the program, or a quarter of an index."""
        plain = self.runs.program(Case())
        largest = float(abs(plain.program.cost).max(initial=1.0))
        rate = plain.scale.of("money/quantity")
        return 0.25 if self.lever.unit == "1" else largest * rate

    def _size(self) -> float:
        """Return the size of the price, or another where it is 0."""
        return min(self.lever.room or math.inf, self._unit())

    def _next(self, best: float, low: float, high: float, result: CaseResult) -> tuple[float, bool]:
        """Return the price to try next, and whether the plan found last is one there too, which
        costs what the best does.
        """
        used = self._paid(result, -high)
        saved = best - float(result.objective or 0.0)
        if used is not None and used > 0 and low < high - saved / used:
            step = high - saved / used
            return step, self._keeps(result, -step)
        return (low + high) / 2, False

    def leaves(self) -> CaseResult:
        """Return by how much the price must worsen for a plan not to use what it uses."""
        without = self.runs.solve(Case(commits=(self._none,)))
        if without.status == "infeasible":
            return CaseResult("optimal", self.base.objective, how="solved", figures={})
        if without.objective is None:
            return without
        return self._left(float(without.objective))

    def _left(self, without: float) -> CaseResult:
        """Return the same, given what the best plan without the choice costs."""
        at, result, high = 0.0, self.base, math.inf
        for _ in range(MOST_SOLVES):
            settled = not self._uses(result) or not self._better(result, without)
            if settled or high - at <= HALVED * at:
                return self._end(result, at, at if math.isinf(high) else high)
            newton, step = self._rise(result, at, high, without)
            tried = self._at(min(step, self.lever.worst))
            if tried.objective is None and tried.status != "infeasible":
                return tried
            if tried.objective is not None and self._better(tried, without):
                if step > self.lever.worst:  # even so it is used
                    return CaseResult("optimal", self.base.objective, how="solved", figures={})
                at, result = step, tried
            elif step == newton and self._keeps(result, step):  # as good as the plan without it
                return self._end(result, step, step)
            else:
                high = step
        return self._end(result, at, high)  # beyond what was searched nothing is known

    def _rise(
        self, result: CaseResult, at: float, high: float, without: float
    ) -> tuple[float, float]:
        """Return at which price a plan costs what the best without the choice does (infinite where
        that is not known), and the price to try next.
        """
        used = self._paid(result, at)
        more = without - float(result.objective or 0.0)
        newton = at + more / used if used is not None and used > 0 else math.inf
        step = newton if newton < high else (at + high) / 2
        if math.isinf(step):  # the program does not say what is paid: farther and farther
            step = 4 * at or 0.1 * self._size()
        return newton, step

    def _uses(self, result: CaseResult) -> bool:
        """Return whether a plan does something of the choice."""
        return bool(result.figures.get(f"{self.choice.deed} {self.member[0]}", 0.0))

    @property
    def _none(self) -> Commit:
        """Return the commitment to do nothing of the choice."""
        name, level = self.member
        return Commit(self.choice.deed, name, level, "at_most", 0.0)

    def _end(self, result: CaseResult, low: float, high: float) -> CaseResult:
        """Return the price, and what of it is proven: nothing below it where a gap is left."""
        gaps = [math.inf if each.gap is None else each.gap for each in (self.base, result)]
        if high <= NOISE * self.lever.room < math.inf:  # within which the solver pays anything
            low = high = 0.0
        figures = {CHANGE: float(min(low, high) if math.isinf(high) else high)}
        if not math.isinf(high):
            figures[MOST] = float(high)
        if max(gaps) <= PROVEN:
            figures[LEAST] = float(low)
        return CaseResult(
            result.status,
            self.base.objective,
            self.base.bound,
            result.gap,
            0.0,
            "solved",
            "",
            figures,
        )

    def _tie(self, cost: float) -> float:
        return TIE * max(abs(cost), 1e-3 * self.runs.program(Case()).scale.money)

    def _better(self, result: CaseResult, best: float) -> bool:
        """Return whether a plan is cheaper than the best, which does not use the choice."""
        return best - float(result.objective or 0.0) > self._tie(best)

    def _case(self, by: float) -> Case:
        """Return the case with a price that is worse by an amount."""
        return Case(
            tuple(
                Change(table, row, column, "add", by * self.lever.sign)
                for table, row, column in self.lever.cells
            )
        )

    def _at(self, by: float) -> CaseResult:
        return self.runs.solve(self._case(by))

    def _keeps(self, result: CaseResult, by: float) -> bool:
        """Return whether what a plan does is possible at another price: appropriations pay it."""
        x: Floats | None = result.plan
        other = self.runs.program(self._case(by))
        program = other.program.relaxed()
        if x is None or len(x) != program.columns:
            return False
        scaled = np.clip(x if other.size is None else x / other.size, program.lower, program.upper)
        done = np.array([name in decisions() for name, _ in other.labels])
        held = replace(
            program,
            lower=np.where(done, scaled, program.lower),
            upper=np.where(done, scaled, program.upper),
        )
        return highs.optimise(held, Options(), Interrupt()).x is not None

    def _paid(self, result: CaseResult, by: float) -> float | None:
        """Return what a plan pays for each unit of the price; None where that does not say it all.

        It is the difference of what it costs at two prices.
        """
        x: Floats | None = result.plan
        step = abs(by) or 1e-3 * self._size()
        plain, other = self.runs.program(Case()), self.runs.program(self._case(by or step))
        if x is None or plain.labels != other.labels or plain.signature != other.signature:
            return None
        if len(x) != plain.program.columns:
            return None
        scaled = x if plain.size is None else x / plain.size
        more = other.program.objective(scaled) - plain.program.objective(scaled)
        return more * plain.scale.money / (by or step)
