"""A program that falls apart once the columns of its trunk are fixed, as that of a scenario tree does: its relaxation in a fraction of
the time, and a plan where that one is whole, or nearly so.

The relaxation is solved for a few branches, then for twice as many, and so on to all of them. Each time the branches that are new are
solved alone, at the trunk of those before: their bases and the old one are a basis of the whole, near the best one, from which the
primal simplex goes on. Solved from nothing, a tree of twenty-five branches takes five times as long, one of a hundred ten times.

Integers that are not whole then are rounded, those first that nearly are (diving). Where what comes out is not near enough to the
bound of the relaxation, it is what a search begins with.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
import numpy.typing as npt
from highspy import HighsBasisStatus, HighsModelStatus

from optimiser.interrupts import Interrupt
from optimiser.solver import highs
from optimiser.solver.highs import Solution
from optimiser.solver.search import Options
from optimiser.solver.standard_form import Bools, Floats, Program

Positions = npt.NDArray[np.int64]

MANY = 8  # branches: with fewer there is little to gain
FIRST = 8  # branches, at most, with which it begins
SMALL = 0.1  # of the largest branch: a part that is smaller goes with the trunk
WHOLE = 1e-6  # an integer this near to whole is
NEARLY = 0.2  # an integer this near to whole is rounded at once, and the nearest of all in any case
DIVES = 30


@dataclass(frozen=True, eq=False)
class Branch:
    columns: Positions
    rows: Positions


@dataclass(frozen=True, eq=False)
class Branches:
    """The trunk with all rows that no branch has, and the branches."""

    trunk: Branch
    branches: Sequence[Branch]


def optimise(program: Program, trunk: Bools, options: Options, interrupt: Interrupt) -> Solution | None:
    """Minimise by the relaxation of a program with these trunk columns. None where it has few branches, or tells nothing."""
    parts = split(program, trunk)
    if len(parts.branches) < MANY:
        return None
    deadline = time.perf_counter() + options.time_limit
    growth = _Growth(program, parts, options, interrupt, deadline)
    relaxed = growth.relaxation()
    if relaxed is None:
        return None
    bound = program.objective(growth.x)
    found = _dive(relaxed, program, options, interrupt, deadline)
    if found is None:
        return Solution("no_plan", bound=bound)
    x, row_dual, column_dual = found
    return replace(highs.judged(program, x, bound, 0, options), row_dual=row_dual, column_dual=column_dual)


def split(program: Program, trunk: Bools) -> Branches:
    """The parts into which a program falls without its trunk; parts much smaller than the largest are counted to the trunk."""
    from scipy.sparse import coo_array, csgraph

    row = np.repeat(np.arange(program.rows), np.diff(program.start))
    free = ~trunk[program.index]
    row, column = row[free], program.index[free]
    size = program.columns + program.rows
    # A graph of columns and rows, joined where a row has an entry in a column.
    joined = coo_array((np.ones(len(row), dtype=np.int8), (column, row + program.columns)), shape=(size, size))
    _, part = csgraph.connected_components(joined, directed=False)
    part = np.where(trunk, -1, part[: program.columns])
    names, count = np.unique(part[~trunk], return_counts=True)
    large = names[count >= SMALL * count.max(initial=0)]
    of_column = np.where(np.isin(part, large), part, -1)
    of_row = np.full(program.rows, -1)
    of_row[row] = of_column[column]
    columns, rows = _grouped(of_column), _grouped(of_row)
    nothing = np.zeros(0, dtype=np.int64)
    found = {name: Branch(columns[name], rows.get(name, nothing)) for name in columns}
    return Branches(found.pop(-1, Branch(nothing, rows.get(-1, nothing))), [*found.values()])


def _grouped(names: npt.NDArray[np.int64]) -> dict[int, Positions]:
    """The positions of each name, in order."""
    order = np.argsort(names, kind="stable")
    firsts = np.flatnonzero(np.diff(names[order], prepend=np.nan))
    return {int(names[each[0]]): each for each in np.split(order, firsts[1:])} if len(names) else {}


class _Growth:
    """The relaxation, from a few branches to all: the values and basis of what has been solved so far."""

    def __init__(self, program: Program, parts: Branches, options: Options, interrupt: Interrupt, deadline: float) -> None:
        self.program, self.options, self.interrupt, self.deadline = program, options, interrupt, deadline
        self.trunk = parts.trunk
        order = np.random.default_rng(options.seed).permutation(len(parts.branches))
        self.branches = [parts.branches[k] for k in order]
        self.x = np.zeros(program.columns)
        self.column_basis = np.full(program.columns, HighsBasisStatus.kLower, dtype=object)
        self.row_basis = np.full(program.rows, HighsBasisStatus.kBasic, dtype=object)

    def relaxation(self) -> highspy.Highs | None:
        """The relaxation of the whole, solved; None where it is not, or not in time."""
        sizes = [len(self.branches)]
        while sizes[-1] > FIRST:
            sizes.append(-(-sizes[-1] // 2))
        solved, known = None, 0
        for size in reversed(sizes):
            if known:
                for branch in self.branches[known:size]:
                    self._solve([branch], branch.columns, branch.rows, 1.0)
            solved = self._joined(self.branches[:size], warm=known > 0)
            if solved is None:
                return None
            known = size
        return solved

    def _joined(self, branches: Sequence[Branch], warm: bool) -> highspy.Highs | None:
        """Some branches with the trunk; they stand for all, so they count as much."""
        if len(branches) == len(self.branches):
            columns, rows = np.arange(self.program.columns), np.arange(self.program.rows)
        else:
            columns = np.concatenate([self.trunk.columns, *(each.columns for each in branches)])
            rows = np.concatenate([self.trunk.rows, *(each.rows for each in branches)])
        return self._solve(branches, columns, rows, len(self.branches) / len(branches), warm)

    def _solve(
        self, branches: Sequence[Branch], columns: Positions, rows: Positions, weight: float, warm: bool = False
    ) -> highspy.Highs | None:
        part = _part(self.program, columns, rows, self.x)
        if weight != 1.0:
            counts = np.ones(self.program.columns)
            for branch in branches:
                counts[branch.columns] = weight
            part = replace(part, cost=part.cost * counts[columns])
        left = self.deadline - time.perf_counter()
        if left <= 0 or self.interrupt.requested:
            return None
        h = highs.load(part)
        highs.prepare(h, replace(self.options, time_limit=left))
        if warm:
            highs.begin_at(h, self.column_basis[columns].tolist(), self.row_basis[rows].tolist())
        highs.run(h, self.interrupt)
        if h.getModelStatus() != HighsModelStatus.kOptimal:
            return None
        basis = h.getBasis()
        self.x[columns] = np.clip(h.getSolution().col_value, part.lower, part.upper)
        self.column_basis[columns], self.row_basis[rows] = list(basis.col_status), list(basis.row_status)
        return h


def _part(program: Program, columns: Positions, rows: Positions, x: Floats) -> Program:
    """The relaxation of some rows over some columns, the others at x."""
    if len(columns) == program.columns:
        return program.relaxed()
    length = np.diff(program.start)[rows]
    first = np.concatenate([[0], np.cumsum(length)])
    at = np.repeat(program.start[rows] - first[:-1], length) + np.arange(first[-1])
    row, column, value = np.repeat(np.arange(len(rows)), length), program.index[at], program.value[at]
    position = np.full(program.columns, -1)
    position[columns] = np.arange(len(columns))
    inside = position[column] >= 0
    fixed = np.bincount(row[~inside], weights=(value * x[column])[~inside], minlength=len(rows))
    start = np.concatenate([[0], np.cumsum(np.bincount(row[inside], minlength=len(rows)))])
    return Program(
        cost=program.cost[columns],
        offset=0.0,
        lower=program.lower[columns],
        upper=program.upper[columns],
        integer=np.zeros(len(columns), dtype=np.bool_),
        row_lower=program.row_lower[rows] - fixed,
        row_upper=program.row_upper[rows] - fixed,
        start=start.astype(np.int32),
        index=position[column[inside]].astype(np.int32),
        value=value[inside],
    )


def _dive(
    h: highspy.Highs, program: Program, options: Options, interrupt: Interrupt, deadline: float
) -> tuple[Floats, Floats, Floats] | None:
    """From a solved relaxation to whole integers: values and duals with the integers fixed, or None."""
    h.setOptionValue("simplex_strategy", highs.DUAL_SIMPLEX)  # a bound that cuts off the vertex leaves it dual feasible
    integers = np.flatnonzero(program.integer)
    lower, upper = program.lower.copy(), program.upper.copy()
    for _ in range(DIVES):
        solution = h.getSolution()
        value = np.array(solution.col_value)[integers]
        away = np.abs(value - np.round(value))
        done = bool((away <= WHOLE).all())
        held = integers if done else integers[(away <= max(NEARLY, away[away > WHOLE].min())) & ((away > WHOLE) | (value > 0.5))]
        lower[held] = upper[held] = np.round(np.array(solution.col_value)[held])
        h.changeColsBounds(len(held), held.astype(np.int32), lower[held], upper[held])
        left = deadline - time.perf_counter()
        if left <= 0 or interrupt.requested:
            return None
        highs.prepare(h, replace(options, time_limit=h.getRunTime() + left))
        highs.run(h, interrupt)
        if h.getModelStatus() != HighsModelStatus.kOptimal:
            return None
        if done:
            solution = h.getSolution()
            return np.clip(solution.col_value, lower, upper), np.array(solution.row_dual), np.array(solution.col_dual)
    return None
