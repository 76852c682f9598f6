"""What would change a plan whose integers are held: the range of each dual, and the price at which
something enters the plan or leaves it.

The linear program of the plan is loaded once. Each question changes a few costs, entries or bounds
of it, takes a few steps of the simplex from the vertex of the plan, and takes the change back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus

from optimiser.solving import highs
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import Options, allowance
from optimiser.solving.standard_form import StandardForm, judging, main
from optimiser.system.interrupts import Interrupt

TIE = 1e-9  # share of the objective by which one plan must be cheaper than another
EXACT = 1e-9  # share of a price to which it is found
HALVED = 1e-6  # the same where it is found by halving: appropriations pay less at a lower price
MOST_PIVOTS = 1000  # of the simplex for one question: a longer one is left to a re-solve
MOST_STEPS = 60  # of the search for one price
FOLLOWS = 1e-7  # of what is missing, for each unit of a limit: less is rounding


@dataclass(frozen=True, eq=False)
class Direction:
    """Describe how a program changes with each unit of something: its costs by column, and its
    entries.

    `done`: the columns that are above zero where that something is done.
    """

    done: tuple[int, ...]
    cost: Mapping[int, float]
    entries: Mapping[tuple[int, int], float] = field(default_factory=dict)


@dataclass(frozen=True)
class TurningPoint:
    """Describe by how much something must change for a plan to use it, or no longer to use it.

    `least`, `most`: between which that is; with less than `least` the plan stays as good as it is.
    None where no change does it.
    """

    least: float | None
    most: float | None


@dataclass(frozen=True)
class DualRange:
    """A dual, its bound, and between which bounds it holds, in the units of the model."""

    dual: float
    bound: float
    least: float
    most: float


class Ranging:
    """The linear program of a plan at its vertex: `form` with its integers held at x.

    x holds one value for each column, in the units of the model. Where objectives come before the
    one that the plan is judged by, they are held at what they are at x.
    """

    def __init__(self, form: StandardForm, x: Floats, options: Options) -> None:
        self.form, self.interrupt = form, Interrupt()
        at = x / form.sizes.column
        self.program = _held(form, at)
        judged = judging(form.objectives)
        self.size = 1.0 if judged is None else form.sizes.objective[judged.name]
        self.h = highs.load(self.program)
        highs.prepare(self.h, options)
        highs.start_at(self.h, self.program, at)
        self.known = self._run()
        self.h.setOptionValue("simplex_iteration_limit", MOST_PIVOTS)
        self.best = self._objective() if self.known else 0.0
        self._moved = False  # whether a question has left the vertex of the plan
        self._touched: set[tuple[int, int]] = set()  # entries that the present question changes
        if self.known:
            solution = self.h.getSolution()
            self.x = np.array(solution.col_value)
            self.row_dual = np.array(solution.row_dual)
            self.column_dual = np.array(solution.col_dual)
            # Now: HiGHS knows them at the vertex only.
            _, found = self.h.getRanging()
            self._rows = np.array([found.row_bound_dn.value_, found.row_bound_up.value_])
            self._columns = np.array([found.col_bound_dn.value_, found.col_bound_up.value_])

    # --- Duals

    def row(self, constraint: Any) -> DualRange | None:
        """Return the dual of a constraint with its range; None where it is no row."""
        i = self.form.row(constraint)
        if i is None or not self.known:
            return None
        size, (low, high) = float(self.form.sizes.row[i]), self._rows[:, i]
        p, dual = self.program, self.row_dual[i]
        bound = p.row_lower[i] if dual > 0 or p.row_upper[i] == INFINITY else p.row_upper[i]
        return self._rated(dual, (bound, low, high), size)

    def column(self, variable: Any) -> DualRange | None:
        """Return the dual of the upper bound of a variable with its range; None where it has none.

        At its lower bound a variable has a reduced cost too: that is not of its upper bound.
        """
        j = self.form.column(variable)
        if j is None or not self.known:
            return None
        size, (low, high) = float(self.form.sizes.column[j]), self._columns[:, j]
        bound = self.program.upper[j]
        return self._rated(min(0.0, self.column_dual[j]), (bound, low, high), size)

    def holds(self, variable: Any) -> bool:
        """Return whether a variable is held, as the integers of the plan are."""
        j = self.form.column(variable)
        return j is None or bool(self.program.lower[j] == self.program.upper[j])

    def _rated(self, dual: float, bounds: tuple[float, float, float], size: float) -> DualRange:
        bound, low, high = bounds
        least = -INFINITY if low <= -highspy.kHighsInf else low * size
        most = INFINITY if high >= highspy.kHighsInf else high * size
        return DualRange(float(dual) * self.size / size, float(bound) * size, least, most)

    # --- Prices

    def direction(
        self,
        done: Sequence[Any],
        cost: Sequence[tuple[Any, float]],
        entries: Sequence[tuple[Any, Any, float]] = (),
    ) -> Direction | None:
        """Return how the program changes with each unit of a price; None where it does not say.

        `done` and the first of each pair in `cost` are variables, `entries` hold constraint,
        variable and change of the coefficient, all in the units of the model.
        """
        sizes, form = self.form.sizes, self.form
        columns = [form.column(each) for each in done]
        if None in columns or not columns:
            return None
        costs: dict[int, float] = {}
        for variable, amount in cost:
            j = form.column(variable)
            if j is None:
                return None
            costs[j] = costs.get(j, 0.0) + amount * float(sizes.column[j]) / self.size
        found: dict[tuple[int, int], float] = {}
        for constraint, variable, amount in entries:
            i, j = form.row(constraint), form.column(variable)
            if j is None:
                return None
            if i is not None:
                unit = float(sizes.column[j]) / float(sizes.row[i])
                found[i, j] = found.get((i, j), 0.0) + amount * unit
        return Direction(tuple(j for j in columns if j is not None), costs, found)

    def enters(self, of: Direction, room: float) -> TurningPoint | None:
        """Return by how much a price must fall for the plan to use what it does not use.

        `room` is by how much it can fall. Integers of the plan are held. None where the search
        does not end.
        """
        if not self.known:
            return None
        most = room if room < INFINITY else self._far(of)
        with self._changed():
            return self._entered(of, most)

    def _entered(self, of: Direction, room: float) -> TurningPoint | None:
        tie = self._tie()
        low, high = 0.0, room
        if not self._priced(of, -high):
            return None
        if self.best - self._objective() <= tie:
            return TurningPoint(None, None)
        saved, used = self.best - self._objective(), self._used(of)
        for _ in range(MOST_STEPS):
            newton = high - saved / used if used > 0 else low
            step = newton if low < newton < high else (low + high) / 2
            if step >= high * (1 - EXACT):
                return TurningPoint(high if newton >= high * (1 - EXACT) else low, high)
            if not self._priced(of, -step):
                return None
            if self.best - self._objective() <= tie:
                low = step
                if step == newton and not of.entries:  # no plan is cheaper short of it
                    return TurningPoint(step, step)
                if high - low <= HALVED * high:
                    return TurningPoint(low, high)
            else:
                high, saved, used = step, self.best - self._objective(), self._used(of)
        return TurningPoint(low, high)

    def leaves(self, of: Direction, worst: float) -> TurningPoint | None:
        """Return by how much a price must rise for the plan not to use what it uses.

        `worst` is by how much it can rise. Without a change where the plan cannot do without, or
        no such rise is enough.
        """
        if not self.known:
            return None
        with self._changed():
            without = self._without(of)
        if without is None:
            return TurningPoint(None, None)
        if without == INFINITY:
            return None
        with self._changed():
            found = self._left(of, without)
        beyond = found is not None and found.least is not None and found.least > worst
        return TurningPoint(None, None) if beyond else found

    def _left(self, of: Direction, without: float) -> TurningPoint | None:
        tie, at, used, cost = self._tie(), 0.0, self._rate(of, self.x), self.best
        high = INFINITY  # a price at which nothing is used
        for _ in range(MOST_STEPS):
            newton = at + (without - cost) / used if used > 0 else at
            step = newton if newton < high else (at + high) / 2
            if step <= at * (1 + EXACT) or high - at <= HALVED * at:
                return TurningPoint(at, at if high == INFINITY else high)
            if not self._priced(of, step):
                # What is bought now cannot be paid at that price.
                if self.h.getModelStatus() != HighsModelStatus.kInfeasible:
                    return None
                high = step
            elif without - self._objective() > tie:
                at, cost, used = step, self._objective(), self._used(of)
            elif not of.entries:
                return TurningPoint(step, step)
            else:
                high = step
        return TurningPoint(at, high)

    def _without(self, of: Direction) -> float | None:
        """Return the objective of a plan that does nothing of it; None where there is none.

        It is infinite where that takes too long.
        """
        for j in of.done:
            lower = self.program.lower[j]
            if lower > 0:
                return None
            self.h.changeColBounds(j, lower, max(lower, 0.0))
        # The vertex stays dual feasible: the dual simplex goes on from it.
        self.h.setOptionValue("simplex_strategy", highs.DUAL_SIMPLEX)
        found = self._run()
        self.h.setOptionValue("simplex_strategy", highs.PRIMAL_SIMPLEX)
        if found:
            return self._objective()
        return None if self.h.getModelStatus() == HighsModelStatus.kInfeasible else INFINITY

    def _far(self, of: Direction) -> float:
        """Return a price beyond any that matters: it is the whole objective for a thousandth."""
        largest = max((abs(each) for each in of.cost.values()), default=1.0)
        costs = np.abs(self.program.cost)
        return 1e3 * float(costs.max(initial=1.0)) / (largest or 1.0)

    def _tie(self) -> float:
        return TIE * max(1.0, abs(self.best))

    def _rate(self, of: Direction, x: Floats) -> float:
        return float(sum(each * x[j] for j, each in of.cost.items()))

    def _used(self, of: Direction) -> float:
        return self._rate(of, np.array(self.h.getSolution().col_value))

    def _priced(self, of: Direction, by: float) -> bool:
        """Solve with a price that is higher by an amount; return whether that ended."""
        for j, each in of.cost.items():
            self.h.changeColCost(j, float(self.program.cost[j]) + by * each)
        for (i, j), each in of.entries.items():
            self.h.changeCoeff(i, j, self._entry(i, j) + by * each)
            self._touched.add((i, j))
        return self._run()

    def _entry(self, i: int, j: int) -> float:
        p = self.program
        at = p.index[p.start[i] : p.start[i + 1]]
        return float(p.value[p.start[i] : p.start[i + 1]][at == j].sum())

    # --- What stands in the way

    def added(self, variable: Any) -> dict[int, float]:
        """Return what each row adds to the cost of one more unit of a variable, by its number."""
        j = self.form.column(variable)
        if j is None or not self.known:
            return {}
        p = self.program
        at = np.flatnonzero(p.index == j)
        rows = np.searchsorted(p.start, at, side="right") - 1
        unit = self.size / float(self.form.sizes.column[j])
        return {
            int(i): -float(self.row_dual[i]) * float(p.value[k]) * unit
            for i, k in zip(rows, at, strict=True)
            if self.row_dual[i]
        }

    def follows(self, variable: Any) -> dict[int, float] | None:
        """Return by how much a variable falls with one more unit of each row and column bound.

        Rows stand by their number, columns by -1 less theirs, in the units of the model. None where
        the variable is not basic, or nothing is known.
        """
        j = self.form.column(variable)
        if j is None or not self.known:
            return None
        if self._moved:
            self._moved = not self._run()
        solver: Any = self.h  # whose stubs lack the basis
        basic = np.asarray(solver.getBasicVariables()[1])
        places = np.flatnonzero(basic == j)
        if not len(places):
            return None
        of, sizes = int(places[0]), self.form.sizes
        unit = float(sizes.column[j])
        _, by_row = solver.getBasisInverseRow(of)
        _, by_column = solver.getReducedRow(of)
        rows = {
            int(i): float(-by_row[i]) * unit / float(sizes.row[i])
            for i in np.flatnonzero(np.abs(by_row[: len(sizes.row)]) > FOLLOWS)
        }
        columns = {
            -1 - int(k): float(by_column[k]) * unit / float(sizes.column[k])
            for k in np.flatnonzero(np.abs(by_column) > FOLLOWS)
        }
        return {**rows, **columns}

    # --- HiGHS

    @contextmanager
    def _changed(self) -> Iterator[None]:
        """Let a question change the program, and take the changes back."""
        basis = self.h.getBasis()
        try:
            yield
        finally:
            p = self.program
            every = np.arange(p.columns, dtype=np.int32)
            self.h.changeColsCost(p.columns, every, p.cost)
            self.h.changeColsBounds(p.columns, every, p.lower, p.upper)
            for i, j in self._touched:
                self.h.changeCoeff(i, j, self._entry(i, j))
            self._touched.clear()
            self.h.setBasis(basis)
            self._moved = True

    def _run(self) -> bool:
        highs.run(self.h, self.interrupt, stoppable=False)
        return bool(self.h.getModelStatus() == HighsModelStatus.kOptimal)

    def _objective(self) -> float:
        return float(self.h.getInfo().objective_function_value)


def _held(form: StandardForm, x: Floats) -> Program:
    """Return the linear program of a plan: its integers, and what comes before its cost, held."""
    program = form.program.fixed(np.round(x[form.program.integer]))
    judged = main([each.name for each in form.objectives])
    for each in form.objectives[:judged]:
        at = each.cost.nonzero()[0]
        program = program.extended(
            row_lower=[-INFINITY],
            row_upper=[allowance(each.at(x)) - each.offset],
            row=[program.rows] * len(at),
            column=at.tolist(),
            value=each.cost[at],
        )
    return program
