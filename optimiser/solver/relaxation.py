"""The linear relaxation of a program, solved again and again from a basis that is known, and a bound by branching on sums.

A search begins each time at nothing. Of a program that was solved before and has changed a little, the linear program is solved in
a few steps of the simplex method from the basis it ended with, and a few branches close most of what it leaves open.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from highspy import HighsModelStatus

from optimiser.solver import highs
from optimiser.solver.search import SolverError
from optimiser.solver.standard_form import Floats, Ints, Program

INFINITY = float("inf")
FRACTION = 1e-4  # a sum of whole columns nearer than this to a whole number is whole
UNTRIED = 1e12  # what a branch that was never taken is thought to bring, so that it is tried


@dataclass(frozen=True, eq=False)
class Vertex:
    """An optimal vertex of a linear program: `objective` is infinite where there is no point at all, or none below a cutoff.
    `basis` is HiGHS's own object."""

    objective: float
    x: Floats
    activity: Floats
    basis: Any
    dual: Floats | None = None


class Relaxation:
    """A program without its integrality, held by one HiGHS object with one thread."""

    def __init__(self, program: Program) -> None:
        self.program = program.relaxed()
        self._h = highs.load(self.program)
        self._h.setOptionValue("threads", 1)

    def bound_rows(self, first: int, lower: Floats, upper: Floats) -> None:
        """Put new bounds on the rows from `first` on."""
        rows = np.arange(first, first + len(lower), dtype=np.int32)
        self._h.changeRowsBounds(len(rows), rows, lower, upper)  # type: ignore[attr-defined]

    def solve(self, basis: Any = None, cutoff: float = INFINITY, seconds: float = INFINITY) -> Vertex:
        """Minimise from a basis. What cannot be below `cutoff` is given up. Raises SolverError where it ends otherwise."""
        h = self._h
        h.setOptionValue("objective_bound", cutoff)
        h.setOptionValue("time_limit", h.getRunTime() + seconds if seconds < INFINITY else INFINITY)
        if basis is not None:
            h.setBasis(basis)
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


@dataclass
class Branching:
    """A lower bound of a program by branching on sums of integer columns, which are whole in every plan.

    `groups` are the columns of each sum; the first `weighty` of them are branched on before any other. What each branch brought in
    programs before says which sum is tried first.
    """

    groups: Sequence[Ints]
    weighty: int
    gained: Floats = field(init=False)
    tried: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.gained, self.tried = np.zeros(len(self.groups)), np.zeros(len(self.groups))

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
        self._heap = [(root.objective, next(self._order), -free, free, root)]
        self._cut = INFINITY  # the lowest bound at which a branch was given up

    @property
    def bound(self) -> float:
        """Proven: no plan costs less. Infinite where there is none."""
        return min(self._heap[0][0] if self._heap else INFINITY, self._cut)

    @property
    def vertex(self) -> Vertex | None:
        """Where the bound stands; None where all branches are given up."""
        return self._heap[0][4] if self._heap else None

    def grow(self, enough: float, nodes: int) -> bool:
        """Raise the bound until it is `enough` or `nodes` linear programs were solved. Whether it can be raised further."""
        known, solved = self.branching, 0
        while self._heap and self._heap[0][0] < enough:
            value, _, low, high, vertex = self._heap[0]
            sums = vertex.activity[self.first :]
            away = np.abs(sums - np.round(sums))
            open_sums = away > FRACTION
            if not open_sums.any():
                return False
            if open_sums[: known.weighty].any():
                open_sums[known.weighty :] = False
            if solved >= nodes:
                return True
            heapq.heappop(self._heap)
            worth = np.where(known.tried > 0, known.gained / np.maximum(known.tried, 1), UNTRIED) * away
            k = int(np.argmax(np.where(open_sums, worth, -1.0)))
            values = [self._branch(k, side, value, low, high, vertex, enough) for side in (0, 1)]
            solved += 2
            known.gained[k] += max(0.0, min(values) - value)
            known.tried[k] += 1
        return False

    def _branch(self, k: int, side: int, value: float, low: Floats, high: Floats, vertex: Vertex, enough: float) -> float:
        """Put one side of a branch on the heap, and return its bound."""
        lower, upper, at = low.copy(), high.copy(), vertex.activity[self.first + k]
        if side:
            lower[k] = np.ceil(at)
        else:
            upper[k] = np.floor(at)
        self.relaxation.bound_rows(self.first, lower, upper)
        child = self.relaxation.solve(vertex.basis, cutoff=enough)
        if child.objective < INFINITY:
            heapq.heappush(self._heap, (max(value, child.objective), next(self._order), lower, upper, child))
        else:
            self._cut = min(self._cut, enough)  # infinite or given up: either way at least this
        return min(child.objective, enough, value + abs(value))
