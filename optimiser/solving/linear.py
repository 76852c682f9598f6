"""A linear program that is solved again and again as its bounds change, each time from a basis that
is known.

A child of a branch, a step of a dive, the same plan at other prices: each is a few iterations of
the simplex away from what was solved before. A solve from nothing takes a hundred times as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
from highspy import HighsModelStatus

from optimiser.solving import highs
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import PRECISION, SolverError
from optimiser.system.interrupts import Interrupt

LONGEST, LONGEST_LEAST = 4, 10_000
"""Iterations of the simplex at most: for each row and column, and in any case."""
RUNAWAY = 10.0
"""How often the sum of all that was paid and received at the last vertex a cost may come to before
the dual simplex is given up: it mostly has no point then, of which presolve is sure at once."""
FINE = 1e-10  # by how much a row may be missed; HiGHS's own tolerance is 1e-7
SCALING = 2  # how HiGHS scales what the dual simplex solves: its own choice
# a reduced cost nearer to 0 than this is 0 to the solver, for one scaled unit of what it is the
# difference of
PRICED = 1e-7
STATUSES = [highspy.HighsBasisStatus(k) for k in range(len(highspy.HighsBasisStatus.__members__))]
AT_LOWER, BASIC = int(highspy.HighsBasisStatus.kLower), int(highspy.HighsBasisStatus.kBasic)
CYCLES = (HighsModelStatus.kUnknown, HighsModelStatus.kIterationLimit, HighsModelStatus.kSolveError)

Bytes = npt.NDArray[np.int8]


class OutOfTime(Exception):
    """The time limit has come, or the user ends the search."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Describe where each column and row of a linear program stands, one byte each: basic, or at
    which bound. Unlike HiGHS's own object it can go to another process.
    """

    columns: bytes
    rows: bytes

    @classmethod
    def of(cls, basis: Any) -> Basis:
        """Return HiGHS's own object as bytes."""
        return cls(bytes(map(int, basis.col_status)), bytes(map(int, basis.row_status)))

    def with_row(self, at: int) -> Basis:
        """Return the basis of the program with one more row, behind the first `at`, which binds
        nothing.
        """
        return Basis(self.columns, self.rows[:at] + bytes((BASIC,)) + self.rows[at:])

    def moved(
        self,
        columns: Sequence[int | None],
        rows: Sequence[int | None],
    ) -> Basis:
        """Return the basis of another program, whose columns and rows stand at these places here;
        one that does not stand here is at its lower bound, or binds nothing.
        """
        return Basis(
            bytes(AT_LOWER if j is None else self.columns[j] for j in columns),
            bytes(BASIC if i is None else self.rows[i] for i in rows),
        )

    def at(self, columns: npt.NDArray[Any], rows: npt.NDArray[Any]) -> Basis:
        """Return the basis of some columns and rows."""
        return Basis(
            np.frombuffer(self.columns, dtype=np.int8)[columns].tobytes(),
            np.frombuffer(self.rows, dtype=np.int8)[rows].tobytes(),
        )

    def restored(self) -> Any:
        """Return HiGHS's own object. It need not be square."""
        basis = highspy.HighsBasis()
        basis.col_status, basis.row_status = (
            [STATUSES[each] for each in part] for part in (self.columns, self.rows)
        )
        basis.valid = basis.alien = True
        return basis


@dataclass
class SearchClock:
    """The end of a search: at the `deadline`, on the clock of time.perf_counter [s], or where the
    user interrupts it.

    `tick` is called several times a second; `iterations` counts those of the simplex.
    """

    deadline: float = INFINITY
    interrupt: Interrupt = field(default_factory=Interrupt)
    tick: Callable[[], None] | None = None
    iterations: int = 0

    @property
    def left(self) -> float:
        """Return the seconds that are left. Raises OutOfTime where there are none."""
        left = self.deadline - time.perf_counter()
        if left <= 0 or self.interrupt.requested:
            raise OutOfTime
        return left

    def report(self) -> None:
        """Call `tick`, where there is one."""
        if self.tick is not None:
            self.tick()


def _nothing() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Vertex:
    """Describe how a linear program ended.

    `bound` is proven by its duals: nothing is below it; infinite where there is no point. The
    others are there where it was `solved`: not where it has no point or was given up at a cutoff,
    which it may be above all the same. `activity` and `dual` are those of the rows, `basis` is
    HiGHS's own object.
    """

    bound: float
    objective: float = INFINITY
    x: Floats = field(default_factory=_nothing)
    activity: Floats = field(default_factory=_nothing)
    dual: Floats = field(default_factory=_nothing)
    basis: Any = None

    @property
    def solved(self) -> bool:
        """Return whether it ended at an optimal vertex."""
        return self.basis is not None


class LinearProgram:
    """A program without its integrality, held by one HiGHS object with one thread.

    `anew`: whether it is solved from nothing where its cost runs away. `soon`: iterations from a
    basis after which it is; None: as many as hint at a circle.
    """

    anew = True

    def __init__(self, program: Program, clock: SearchClock, soon: int | None = None) -> None:
        self.program, self.clock = program.relaxed(), clock
        self._matrix: Any = None
        self.lower, self.upper = program.lower.copy(), program.upper.copy()
        self.row_lower, self.row_upper = program.row_lower.copy(), program.row_upper.copy()
        self.h = highs.load(self._loaded())
        for name, value in (
            ("threads", 1),
            # A perturbed cost hides until the end that the cutoff is reached, and moves a basis
            # that was all but optimal.
            ("dual_simplex_cost_perturbation_multiplier", 0.0),
        ):
            self.h.setOptionValue(name, value)
        # Without it nothing else ends a simplex that goes round in circles.
        self._longest = LONGEST * (program.rows + program.columns) + LONGEST_LEAST
        self._soon = self._longest if soon is None else soon
        self._cost = self.program.cost  # that HiGHS holds
        self._far = INFINITY

    def _loaded(self) -> Program:
        """Return the program that HiGHS holds."""
        return self.program

    def bound(self, lower: Floats, upper: Floats) -> None:
        """Put bounds on the columns."""
        at = np.flatnonzero((lower != self.lower) | (upper != self.upper)).astype(np.int32)
        if len(at):
            self.h.changeColsBounds(len(at), at, lower[at], upper[at])
            self.lower, self.upper = lower, upper

    def bound_rows(self, lower: Floats, upper: Floats) -> None:
        """Put bounds on the rows."""
        at = np.flatnonzero((lower != self.row_lower) | (upper != self.row_upper)).astype(np.int32)
        if len(at):
            self.h.changeRowsBounds(len(at), at, lower[at], upper[at])  # type: ignore[attr-defined]
            self.row_lower, self.row_upper = lower, upper

    def solve(self, basis: Any = None, cutoff: float = INFINITY, primal: bool = False) -> Vertex:
        """Minimise from a basis; without one from where the last solve ended.

        What cannot be below `cutoff` is given up.

        Raises OutOfTime, and SolverError where it ends in no other way.
        """
        if basis is not None:
            self._begin(basis)
        if self._cost is not self.program.cost:
            self._charge(self.program.cost)
        far = self._far if self.anew else INFINITY
        self.h.setOptionValue("objective_bound", min(cutoff, far))
        ended = self._minimised(primal)
        if ended == HighsModelStatus.kObjectiveBound and far < cutoff:
            self.h.clearSolver()
            self.h.setOptionValue("objective_bound", cutoff)
            ended = self._minimised(primal)
        return self._vertex(ended, cutoff)

    def twin(self) -> LinearProgram | None:
        """Return another of the same program, to be solved in parallel; None where one after the
        other is quicker.
        """
        return LinearProgram(self.program, self.clock, self._soon)

    def _begin(self, basis: Any) -> None:
        """Let the next solve begin at a basis."""
        self.h.setBasis(basis.restored() if isinstance(basis, Basis) else basis)

    def _charge(self, cost: Floats) -> None:
        """Put costs on the columns."""
        self._cost, every = cost, np.arange(self.program.columns, dtype=np.int32)
        self.h.changeColsCost(len(every), every, cost)

    def kept(self, basis: Any) -> Basis:
        """Return the basis of a vertex as one that serves other linear programs of the same columns
        and rows.
        """
        return Basis.of(basis)

    def _minimised(self, primal: bool) -> HighsModelStatus:
        """Run the simplex, and return how it ended."""
        h = self.h
        h.setOptionValue("simplex_strategy", highs.PRIMAL_SIMPLEX if primal else highs.DUAL_SIMPLEX)
        # The program is scaled already, which is enough for the primal simplex: it is quicker so.
        # The dual is slower.
        h.setOptionValue("simplex_scale_strategy", 0 if primal else SCALING)
        h.setOptionValue("simplex_iteration_limit", self._soon)
        ended = self._run()
        if ended in CYCLES:
            h.setOptionValue("simplex_iteration_limit", self._longest)
            # Rounding has led the simplex astray: it begins anew, and its costs are perturbed as
            # usual.
            h.clearSolver()
            h.setOptionValue("dual_simplex_cost_perturbation_multiplier", 1.0)
            ended = self._run()
            h.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        return ended

    def priced(self, cost: Floats, offset: float) -> Vertex:
        """Return the vertex at other costs, from where the last solve ended; the next solve begins
        from there at its own costs.
        """
        own, before = self.program, self.h.getBasis()
        self.program = replace(own, cost=cost, offset=offset)
        try:
            vertex = self.solve(primal=True)
        finally:
            self.program = own
        self.h.setBasis(before)
        return vertex

    def stop(self) -> None:
        """End what another thread solves now: there it is OutOfTime."""
        highs.stop(self.h)

    def refined(self) -> Vertex:
        """Solve again from where the last solve ended, to a finer tolerance."""
        finer = {"simplex_scale_strategy": 0, "primal_feasibility_tolerance": FINE}
        usual = {name: self.h.getOptionValue(name)[1] for name in finer}
        for name, value in finer.items():
            self.h.setOptionValue(name, value)
        again = self._vertex(self._run(), INFINITY)
        for name in finer:
            self.h.setOptionValue(name, usual[name])
        return again

    def _run(self) -> HighsModelStatus:
        h = self.h
        left = self.clock.left
        if left < INFINITY:  # HiGHS adds up the time of all runs of an object
            h.setOptionValue("time_limit", h.getRunTime() + left)
        highs.run(h, self.clock.interrupt, self.clock)
        self.clock.iterations += max(0, h.getInfo().simplex_iteration_count)
        ended = h.getModelStatus()
        if ended in (HighsModelStatus.kTimeLimit, HighsModelStatus.kInterrupt):
            raise OutOfTime
        return ended

    def _vertex(self, ended: HighsModelStatus, cutoff: float) -> Vertex:
        h = self.h
        if ended == HighsModelStatus.kInfeasible:
            return Vertex(INFINITY)
        if ended not in (HighsModelStatus.kOptimal, HighsModelStatus.kObjectiveBound):
            raise SolverError(f"HiGHS ended with the status {h.modelStatusToString(ended)!r}")
        x, activity, dual = self._solution()
        bound = self.proven(dual)
        if ended == HighsModelStatus.kObjectiveBound:
            return (
                Vertex(bound) if bound >= cutoff - PRECISION * abs(cutoff) else self._to_the_end()
            )
        size = float(np.abs(self.program.cost * x).sum())
        self._far = self.program.offset + RUNAWAY * max(size, abs(self.program.offset))
        return Vertex(bound, self.program.objective(x), x, activity, dual, h.getBasis())

    def _solution(self) -> tuple[Floats, Floats, Floats]:
        """Return the columns, the rows and the duals of the rows where the last solve ended."""
        solution = self.h.getSolution()
        return (
            np.array(solution.col_value),
            np.array(solution.row_value),
            np.array(solution.row_dual),
        )

    def _to_the_end(self) -> Vertex:
        """Solve without a cutoff, where the duals at it do not prove it."""
        self.h.setOptionValue("objective_bound", INFINITY)
        return self._vertex(self._run(), INFINITY)

    def proven(self, dual: Floats) -> float:
        """Return the bound that the duals of the rows prove, whatever the solver says: the least
        that costs less the duals' part can come to within the bounds of the columns, and the duals'
        part within those of the rows.
        """
        reduced = self.reduced(dual)
        at = np.where(reduced > 0, self.lower, self.upper)
        free = ~np.isfinite(at)
        doubtful = np.flatnonzero(free & (np.abs(reduced) > PRICED))
        if len(doubtful):
            size = np.abs(self.program.cost[doubtful]) + abs(self.matrix[:, doubtful]).T @ np.abs(
                dual
            )
            if (np.abs(reduced[doubtful]) > PRICED * np.maximum(1.0, size)).any():
                return -INFINITY
        reduced, at = np.where(free, 0.0, reduced), np.where(free, 0.0, at)
        side = np.where(dual > 0, self.row_lower, self.row_upper)
        missing = ~np.isfinite(side)
        if (np.abs(dual[missing]) > PRICED).any():
            return -INFINITY
        dual, side = np.where(missing, 0.0, dual), np.where(missing, 0.0, side)
        return self.program.offset + float((reduced * at).sum()) + float((dual * side).sum())

    def reduced(self, dual: Floats) -> Floats:
        """Return the reduced costs of the columns at some duals of the rows."""
        return np.asarray(self.program.cost - self.matrix.T @ dual)

    @property
    def matrix(self) -> Any:
        """Return the matrix of the program, by rows."""
        if self._matrix is None:
            self._matrix = self.program.matrix()
        return self._matrix
