"""The linear relaxation of a program, solved again and again from a basis that is known, and a bound by branching on sums.

A search begins each time at nothing. Of a program that was solved before and has changed a little, the linear program is solved in
a few steps of the simplex method from the basis it ended with, and a few branches close most of what it leaves open: those that did
so before.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus

from optimiser.solver import highs
from optimiser.solver.search import SolverError
from optimiser.solver.standard_form import Floats, Ints, Program

INFINITY = float("inf")
FRACTION = 1e-4  # a sum of whole columns nearer than this to a whole number is whole
LONGEST, LONGEST_LEAST = 4, 10_000  # iterations of the simplex, for each row and column and in any case
TRIALS = 8  # sums, at most, that are tried at one vertex because nothing is known of them
STATUSES = [highspy.HighsBasisStatus(k) for k in range(len(highspy.HighsBasisStatus.__members__))]


@dataclass(frozen=True, eq=False)
class Basis:
    """Where each column and row of a linear program stands, one byte each: basic, or at which bound. Unlike HiGHS's own object it
    can go to another process."""

    columns: bytes
    rows: bytes

    @classmethod
    def of(cls, basis: Any) -> Basis:
        return cls(bytes(map(int, basis.col_status)), bytes(map(int, basis.row_status)))

    def restored(self) -> Any:
        """HiGHS's own object."""
        basis = highspy.HighsBasis()
        basis.col_status, basis.row_status = ([STATUSES[each] for each in part] for part in (self.columns, self.rows))
        basis.valid = True
        return basis


@dataclass(frozen=True, eq=False)
class Vertex:
    """An optimal vertex of a linear program: `objective` is infinite where there is no point at all, or none below a cutoff.
    `basis` is HiGHS's own object."""

    objective: float
    x: Floats
    activity: Floats
    basis: Any


class Relaxation:
    """A program without its integrality, held by one HiGHS object with one thread. Nothing is solved past the `deadline`, on the clock
    of time.perf_counter [s]."""

    def __init__(self, program: Program, deadline: float = INFINITY) -> None:
        self.program, self.deadline = program.relaxed(), deadline
        self._h = highs.load(self.program)
        self._h.setOptionValue("threads", 1)
        # A perturbed cost hides until the end that the cutoff is reached, and moves a basis that was all but optimal.
        self._h.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        # Without it nothing else ends a simplex that goes round in circles.
        self._h.setOptionValue("simplex_iteration_limit", LONGEST * (program.rows + program.columns) + LONGEST_LEAST)

    def bound_rows(self, first: int, lower: Floats, upper: Floats) -> None:
        """Put new bounds on the rows from `first` on."""
        rows = np.arange(first, first + len(lower), dtype=np.int32)
        self._h.changeRowsBounds(len(rows), rows, lower, upper)  # type: ignore[attr-defined]

    def solve(self, basis: Any = None, cutoff: float = INFINITY) -> Vertex:
        """Minimise from a basis. What cannot be below `cutoff` is given up. Raises SolverError where it ends otherwise."""
        h = self._h
        h.setOptionValue("objective_bound", cutoff)
        if self.deadline < INFINITY:  # HiGHS adds up the time of all runs of an object
            h.setOptionValue("time_limit", h.getRunTime() + max(0.0, self.deadline - time.perf_counter()))
        if basis is not None:
            h.setBasis(basis.restored() if isinstance(basis, Basis) else basis)
        h.run()
        ended = h.getModelStatus()
        nothing = np.zeros(0)
        if ended in (HighsModelStatus.kInfeasible, HighsModelStatus.kObjectiveBound):
            return Vertex(INFINITY, nothing, nothing, None)
        if ended != HighsModelStatus.kOptimal:
            raise SolverError(f"HiGHS ended with the status {h.modelStatusToString(ended)!r}")
        solution = h.getSolution()
        return Vertex(
            h.getInfo().objective_function_value,
            np.array(solution.col_value),
            np.array(solution.row_value),
            h.getBasis(),
        )


@dataclass(frozen=True, eq=False)
class Part:
    """The plans whose sums lie from `low` to `high`."""

    low: Floats
    high: Floats


@dataclass
class Branching:
    """A lower bound of a program by branching on sums of integer columns, which are whole in every plan.

    `groups` are the columns of each sum; the first `weighty` of them are branched on before any other. What each branch brought in
    programs before says which sum is taken first.
    """

    groups: Sequence[Ints]
    weighty: int
    gained: Floats = field(init=False)
    tried: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.gained, self.tried = np.zeros(len(self.groups)), np.zeros(len(self.groups))

    def take(self, gains: Sequence[tuple[int, float]]) -> None:
        """Note by how much a branch on which sum raised a bound."""
        for k, gain in gains:
            self.gained[k] += gain
            self.tried[k] += 1

    def extended(self, program: Program) -> Program:
        """The program with a row without bounds for each sum behind its own."""
        row: Ints = (np.repeat(np.arange(len(self.groups)), [len(each) for each in self.groups]) + program.rows).astype(np.int32)
        column = np.concatenate([np.zeros(0, dtype=np.int32), *self.groups])
        free = np.full(len(self.groups), INFINITY)
        return program.extended(row_lower=-free, row_upper=free, row=row, column=column, value=np.ones(len(row)))

    def tree(self, program: Program, root: Vertex, relaxation: Relaxation) -> Tree:
        """The tree that grows from `root`; it and `relaxation` are those of `extended(program)`."""
        return Tree(self, program.rows, root, relaxation)


class Tree:
    """Branches on the sums of a `Branching`, that with the lowest bound first."""

    def __init__(self, branching: Branching, first: int, root: Vertex, relaxation: Relaxation) -> None:
        free = np.full(len(branching.groups), INFINITY)
        self.branching, self.first, self.relaxation = branching, first, relaxation
        self._order = itertools.count()
        self._heap = [(root.objective, next(self._order), Part(-free, free), root)]
        self._cut = INFINITY  # the lowest bound at which a branch was given up
        self.gains: list[tuple[int, float]] = []  # by how much a branch on which sum raised the bound

    @property
    def bound(self) -> float:
        """Proven: no plan costs less. Infinite where there is none."""
        return min(self._heap[0][0] if self._heap else INFINITY, self._cut)

    @property
    def vertex(self) -> Vertex | None:
        """Where the bound stands; None where all branches are given up."""
        return self._heap[0][3] if self._heap else None

    def grow(self, enough: float, nodes: int) -> bool:
        """Raise the bound until it is `enough` or `nodes` linear programs were solved. Whether it can be raised further."""
        solved = 0
        while self._heap and self._heap[0][0] < enough:
            value, _, part, vertex = self._heap[0]
            open_sums = self._open(vertex)
            if not len(open_sums):
                return False
            if solved >= nodes:
                return True
            heapq.heappop(self._heap)
            trials = min(TRIALS, -(-(nodes - solved) // 2))
            sides, used = self._best_split(open_sums, trials, value, part, vertex, enough)
            solved += used
            for side, found in sides:
                if found.objective < INFINITY:
                    heapq.heappush(self._heap, (max(value, found.objective), next(self._order), side, found))
                else:
                    self._cut = min(self._cut, enough)  # infinite or given up: either way at least this
        return False

    def _open(self, vertex: Vertex) -> Ints:
        """The sums that are not whole, the weighty ones alone where there are some. Of sums that are alike, as those of a plant and
        of the contract that carries it, one: that which was branched on most."""
        known, sums = self.branching, vertex.activity[self.first :]
        found = np.flatnonzero(np.abs(sums - np.round(sums)) > FRACTION)
        if (found < known.weighty).any():
            found = found[found < known.weighty]
        found = found[np.argsort(-known.tried[found], kind="stable")]
        _, first = np.unique(np.round(sums[found], 9), return_index=True)
        return found[np.sort(first)].astype(np.int32)

    def _best_split(
        self, sums: Ints, trials: int, value: float, part: Part, vertex: Vertex, enough: float
    ) -> tuple[list[tuple[Part, Vertex]], int]:
        """Both sides of the split that raises the bound most, as far as is known, and how many linear programs it took."""
        known, solved = self.branching, 0
        at = vertex.activity[self.first :][sums]
        away = np.abs(at - np.round(at))
        new = known.tried[sums] == 0
        best, rise = list[tuple[Part, Vertex]](), -INFINITY
        for k in sums[new][np.argsort(-away[new], kind="stable")][:trials].tolist():
            sides, gain = self._split(k, value, part, vertex, enough)
            solved += 2
            if gain > rise:
                best, rise = sides, gain
            if gain >= enough - value:
                return best, solved
        if not new.all():
            worth = np.where(new, -INFINITY, known.gained[sums] / np.maximum(known.tried[sums], 1) * away)
            likely = int(np.argmax(worth))
            if worth[likely] > rise or not best:
                best, _ = self._split(int(sums[likely]), value, part, vertex, enough)
                solved += 2
        return best, solved

    def _split(self, k: int, value: float, part: Part, vertex: Vertex, enough: float) -> tuple[list[tuple[Part, Vertex]], float]:
        """Both sides of a split, and by how much it raises the bound."""
        at, found = vertex.activity[self.first + k], list[tuple[Part, Vertex]]()
        for side in (0, 1):
            low, high = part.low.copy(), part.high.copy()
            if side:
                low[k] = np.ceil(at)
            else:
                high[k] = np.floor(at)
            self.relaxation.bound_rows(self.first, low, high)
            found.append((Part(low, high), self.relaxation.solve(vertex.basis, cutoff=enough)))
        most = enough if enough < INFINITY else value + max(1.0, abs(value))  # where neither side has a plan, no bound says how much
        gain = max(0.0, min(most, *(each.objective for _, each in found)) - value)
        self.gains.append((k, gain))
        self.branching.take(self.gains[-1:])
        return found, gain
