"""Branch and bound on sums of weighty columns, then on single columns, each linear program from the
basis of its parent.

Two to twenty branches on what moves a plan most raise the bound as much as thousands of others
would. The gains of branches in earlier programs decide what is branched on first; where none is
known, the best few are tried. Where little is missing, the paths of a scenario tree may bound it
apart.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from optimiser.solving.linear import LinearProgram, Vertex
from optimiser.solving.program import INFINITY, Bools, Floats, Ints, Program
from optimiser.solving.structure import Positions, Structure, extended

FRACTION = 1e-6  # a whole column or sum nearer than this to a whole number is whole
TRIALS = 3  # branches, at most, that are tried at one vertex because nothing is known of them
MISSED = 1e-4  # by how much a row is missed of which rounding is no cause
FAR = 5  # times the gap above the bound up to which a side of a branch is solved at first
FINE = 0.002  # gap by which branches are measured where a finer one is asked for
HOPED = 1.5  # times what paths brought last they may bring next
DECISIVE = 0.3  # what part of what is missing, or of the gap, makes it needless to try another


@dataclass(frozen=True, eq=False)
class Subproblem:
    """A part of a program, in which some columns and sums have other bounds.

    The bounds (lower, upper) are by column, and by number of the sum.
    """

    columns: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    sums: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    def hold(
        self, columns: Sequence[int] | Positions, values: Sequence[float] | Floats
    ) -> Subproblem:
        """Return the part of it in which columns have these values."""
        held = {int(j): (float(v), float(v)) for j, v in zip(columns, values, strict=True)}
        return replace(self, columns={**self.columns, **held})

    def at_least(
        self, columns: Sequence[int] | Positions, values: Sequence[float] | Floats
    ) -> Subproblem:
        """Return the part of it in which columns have at least these values."""
        more = {
            int(j): (float(v), self.columns.get(int(j), (0.0, INFINITY))[1])
            for j, v in zip(columns, values, strict=True)
        }
        return replace(self, columns={**self.columns, **more})


@dataclass(frozen=True)
class Branch:
    """A branch on a sum (`of_sum`) or column `at`: at most `floor`, or at least one more."""

    at: int
    floor: float
    of_sum: bool

    @property
    def key(self) -> int:
        """Return the number of its gains: below 0 for a sum, from 0 on for a column."""
        return -1 - self.at if self.of_sum else self.at


class Master:
    """The relaxation of a program with a row for each sum, of which it solves parts.

    It uses at most so many `threads`. `aim` is the program with the costs to bound, where those of
    `program` are others.
    """

    def __init__(
        self,
        program: Program,
        structure: Structure,
        relaxation: LinearProgram,
        aim: Program | None = None,
        threads: int = 1,
    ) -> None:
        self.program, self.structure, self.relaxation = program, structure, relaxation
        self.aim, self.threads = aim, threads
        self._second: LinearProgram | None = None
        self.costly: dict[int, float] = {}  # by how much decisions of dives raised the cost
        self.integers = np.flatnonzero(program.integer)
        self.weighty: Bools = structure.weighty[self.integers]
        self.late: Ints = structure.late[self.integers]
        self.light: Bools = self.late > 0
        self.binary: Bools = (program.upper - program.lower)[self.integers] <= 1
        self.columns_of = relaxation.matrix.T.tocsr()
        self.magnitude = abs(self.columns_of)

    @classmethod
    def program_of(cls, program: Program, structure: Structure) -> Program:
        """Return the program that `relaxation` is of."""
        return extended(program, structure.sums)

    @cached_property
    def _alone(self) -> tuple[Positions, Any]:
        """Return the rows of integers alone, and their entries."""
        rows = self.relaxation.matrix[: self.program.rows]
        alone = np.flatnonzero(abs(rows) @ (~self.program.integer).astype(np.float64) == 0)
        return alone, rows[alone][:, self.integers]

    def fit(self, whole: Floats) -> bool:
        """Return whether integers keep the rows of integers alone: where they do not, there is no
        plan with them, and no linear program is needed to see it.
        """
        at, entries = self._alone
        summed, low, high = entries @ whole, self.program.row_lower[at], self.program.row_upper[at]
        return bool(((summed >= low - MISSED) & (summed <= high + MISSED)).all())

    def solve(
        self, part: Subproblem, basis: Any = None, cutoff: float = INFINITY, primal: bool = False
    ) -> Vertex:
        """Solve the relaxation of a part from a basis; without one from the last basis."""
        return self._solve(self.relaxation, part, basis, cutoff, primal)

    def _solve(
        self,
        relaxation: LinearProgram,
        part: Subproblem,
        basis: Any,
        cutoff: float,
        primal: bool = False,
    ) -> Vertex:
        bounded = self.bounded(part)
        relaxation.bound(bounded.lower, bounded.upper)
        relaxation.bound_rows(bounded.row_lower, bounded.row_upper)
        return relaxation.solve(basis, cutoff, primal)

    def bounded(self, part: Subproblem) -> Program:
        """Return the relaxation of a part."""
        whole = self.relaxation.program
        lower, upper = whole.lower.copy(), whole.upper.copy()
        row_lower, row_upper = whole.row_lower.copy(), whole.row_upper.copy()
        if part.columns:
            at = np.fromiter(part.columns, np.int64, len(part.columns))
            bounds = np.array([*part.columns.values()])
            lower[at], upper[at] = bounds[:, 0], np.minimum(bounds[:, 1], upper[at])
        for k, (low, high) in part.sums.items():
            row_lower[self.program.rows + k], row_upper[self.program.rows + k] = low, high
        return replace(whole, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper)

    def prove(
        self, part: Subproblem, basis: Any = None, enough: float = INFINITY, primal: bool = False
    ) -> Vertex:
        """Solve the relaxation of a part, with the bound of what is aimed at.

        A part whose bound is `enough` is given up.
        """
        return self._prove(self.relaxation, part, basis, enough, primal)

    def prove_both(
        self, parts: tuple[Subproblem, Subproblem], basis: Any, enough: float
    ) -> tuple[Vertex, Vertex]:
        """Prove two parts, each from a basis or from where the last of its side ended.

        How they end does not depend on whether they are solved side by side.
        """
        first, second = self.relaxation, self._second or self.relaxation.twin()
        if second is None:
            return self._prove(first, parts[0], basis, enough), self._prove(
                first, parts[1], basis, enough
            )
        self._second = second
        parallel = self.threads > 1
        second.clock = replace(
            first.clock, tick=None if parallel else first.clock.tick, iterations=0
        )
        if not parallel:
            found = (
                self._prove(first, parts[0], basis, enough),
                self._prove(second, parts[1], basis, enough),
            )
        else:
            with ThreadPoolExecutor(1) as pool:
                other = pool.submit(self._prove, second, parts[1], basis, enough)
                try:
                    found = self._prove(first, parts[0], basis, enough), other.result()
                except BaseException:
                    second.stop()
                    raise
        first.clock.iterations += second.clock.iterations
        return found

    def _prove(
        self,
        relaxation: LinearProgram,
        part: Subproblem,
        basis: Any,
        enough: float,
        primal: bool = False,
    ) -> Vertex:
        if self.aim is None:
            return self._solve(relaxation, part, basis, enough, primal)
        vertex = self._solve(relaxation, part, basis, INFINITY, primal)
        if not vertex.solved:
            return vertex
        aimed = relaxation.priced(self.aim.cost, self.aim.offset)
        bound = (
            max(self.aim.least, aimed.bound) if aimed.solved else self.aim.least
        )  # it has a point
        return Vertex(bound) if bound >= enough else replace(vertex, bound=bound)

    def sides(self, part: Subproblem, branch: Branch) -> tuple[Subproblem, Subproblem]:
        """Return both sides of a branch: at most its floor, and more."""
        floor, k = branch.floor, branch.at
        columns = self.relaxation.program
        if branch.of_sum:
            low, high = part.sums.get(k, (-INFINITY, INFINITY))
            less = replace(part, sums={**part.sums, k: (low, floor)})
            if floor == 0:
                # What cannot be at all is left out by every row, not by that of the sum alone.
                none = {
                    int(j): (0.0, 0.0)
                    for j in self.structure.sums[k]
                    if columns.lower[j] <= 0 <= columns.upper[j]
                }
                less = replace(less, columns={**part.columns, **none})
            return less, replace(part, sums={**part.sums, k: (floor + 1, high)})
        low, high = part.columns.get(k, (columns.lower[k], columns.upper[k]))
        return replace(part, columns={**part.columns, k: (low, floor)}), replace(
            part, columns={**part.columns, k: (floor + 1, high)}
        )

    def open(self, vertex: Vertex) -> list[tuple[float, Branch]]:
        """Return what is not whole at a vertex, with what it moves: the weighty sums, where all are
        whole the weighty columns, then the other sums, then the other columns, the light ones last.
        Of those that are alike, as the sums of a plant and of the contract that carries it, one.
        """
        sums, value = vertex.activity[self.program.rows :], vertex.x[self.integers]
        broken, away = (np.abs(each - np.round(each)) > FRACTION for each in (sums, value))
        for weighty in (True, False):
            at = np.flatnonzero(broken & ((np.arange(len(sums)) < self.structure.first) == weighty))
            if len(at):
                moved = [self._moved(vertex, self.structure.sums[k]) for k in at.tolist()]
                return self._distinct(at, sums[at], np.array(moved), of_sum=True)
            found = self._open_columns(vertex, away & (self.weighty == weighty) & ~self.light)
            if found:
                return found
        return self._open_columns(vertex, away & self.light)

    def _open_columns(self, vertex: Vertex, among: Bools) -> list[tuple[float, Branch]]:
        """Return some of the integers, none of which is whole, with what each moves."""
        columns = self.integers[among]
        moved = [self._moved(vertex, np.array([j])) for j in columns.tolist()]
        return self._distinct(columns, vertex.x[columns], np.array(moved), of_sum=False)

    def is_weighty(self, branch: Branch) -> bool:
        """Return whether a branch is on what is weighty."""
        return (
            branch.at < self.structure.first
            if branch.of_sum
            else bool(self.structure.weighty[branch.at])
        )

    def _moved(self, vertex: Vertex, columns: Any) -> float:
        """Return the value of what moves with one unit of columns: the sum of their entries at the
        prices of the rows.
        """
        value = vertex.x[columns]
        active = columns[value > FRACTION]
        if not len(active):
            return 0.0
        weight = self.magnitude[active] @ np.abs(vertex.dual)
        return float(weight @ vertex.x[active] / vertex.x[active].sum())

    @staticmethod
    def _distinct(
        at: Any, value: Floats, moved: Floats, of_sum: bool
    ) -> list[tuple[float, Branch]]:
        order = np.argsort(
            -moved * np.minimum(value - np.floor(value), np.ceil(value) - value), kind="stable"
        )
        _, first = np.unique(np.round(value[order], 9), return_index=True)
        kept = order[np.sort(first)]
        return [
            (float(moved[k]), Branch(int(at[k]), float(np.floor(value[k])), of_sum))
            for k in kept.tolist()
        ]

    def value(self, vertex: Vertex, branch: Branch) -> float:
        """Return what a branch is of: the value of its sum, or column, at a vertex."""
        return float(
            vertex.activity[self.program.rows + branch.at] if branch.of_sum else vertex.x[branch.at]
        )


@dataclass
class Gains:
    """Notes how much a branch on each sum or column raised a bound, in all, and how often it was
    tried.
    """

    gained: dict[int, float] = field(default_factory=dict)
    tried: dict[int, int] = field(default_factory=dict)

    def take(self, gains: Sequence[tuple[int, float]]) -> None:
        """Note some."""
        for key, gain in gains:
            self.gained[key] = self.gained.get(key, 0.0) + gain
            self.tried[key] = self.tried.get(key, 0) + 1

    @property
    def means(self) -> list[tuple[int, float]]:
        """Return what one branch on each brought."""
        return [(key, self.gained[key] / tried) for key, tried in self.tried.items()]

    def mean(self, key: int) -> float | None:
        """Return what one branch brought; None where none was tried."""
        return self.gained[key] / self.tried[key] if key in self.tried else None


class SearchTree:
    """Branches that grow from a root, that with the lowest bound first; where something else is
    aimed at, the lowest cost.
    """

    def __init__(
        self,
        master: Master,
        root: Vertex,
        gains: Gains,
        gap: float,
        by_paths: Callable[[Subproblem, Vertex, float], float] | None = None,
    ) -> None:
        self.master, self.gains, self._gap = master, gains, max(gap, FINE)
        self._by_paths, self._apart = by_paths, set[Subproblem]()
        self._brings = INFINITY  # by how much the paths raised a bound last
        self._order = itertools.count()
        self._heap = [self._entry(root.bound, Subproblem(), root)] if root.solved else []
        self._cut = (
            root.bound if not root.solved else INFINITY
        )  # the lowest bound at which a branch was given up
        self.brought: list[tuple[int, float]] = []  # by how much a branch on what raised the bound
        self.nodes = 0

    def _entry(
        self, bound: float, part: Subproblem, vertex: Vertex, basis: Any = None
    ) -> tuple[float, int, float, Subproblem, Vertex, Any]:
        # Many branches may have the same bound; the cost that leads the search distinguishes them.
        return (
            bound if self.master.aim is None else vertex.objective,
            next(self._order),
            bound,
            part,
            vertex,
            basis,
        )

    @property
    def bound(self) -> float:
        """Return the proven bound: no plan costs less. Infinite where there is no plan."""
        return min(min((bound for _, _, bound, *_ in self._heap), default=INFINITY), self._cut)

    def reaches(self, enough: float) -> bool:
        """Return whether the bound is not too far from what is `enough` to be raised to it."""
        return enough <= self._reach(self.bound, enough)

    @property
    def lowest(self) -> tuple[Subproblem, Vertex] | None:
        """Return the branch with the lowest bound; None where all are given up."""
        if not self._heap or not self._heap[0][4].solved:
            return None
        return self._heap[0][3:5]

    @property
    def bases(self) -> list[Any]:
        """Return the bases of the open branches, HiGHS's own objects."""
        return [vertex.basis for *_, vertex, _ in self._heap if vertex.solved]

    @property
    def weighty(self) -> bool:
        """Return whether something weighty is left to branch on at the lowest bound."""
        lowest = self.lowest
        branches = [] if lowest is None else self.master.open(lowest[1])
        return bool(branches) and self.master.is_weighty(branches[0][1])

    def grow(self, enough: float, nodes: int) -> bool:
        """Raise the bound until it is `enough` or `nodes` linear programs were solved.

        Return whether there is more to branch on.
        """
        until = self.nodes + nodes
        while self._heap and self.bound < enough:
            _, _, value, part, vertex, basis = self._heap[0]
            if value >= enough:
                heapq.heappop(self._heap)
                self._cut = min(self._cut, value)
                continue
            if not vertex.solved:
                heapq.heappop(self._heap)
                found = self.master.prove(part, basis, self._reach(value, enough))
                self._push(value, part, found, basis, enough)
                continue
            if self.nodes >= until:
                return True
            if self._raised(value, part, vertex, enough):
                continue
            branches = self.master.open(vertex)
            if not branches:
                return False
            sides = self._best_split(branches, value, part, vertex, enough)
            heapq.heappop(self._heap)
            for side, found in sides:
                self._push(value, side, found, vertex.basis, enough)
        return False

    def _raised(self, value: float, part: Subproblem, vertex: Vertex, enough: float) -> bool:
        """Raise the bound of the lowest part by its paths, once, where that may be enough: where
        not much more is missing than they brought last.

        Return whether it was tried.
        """
        if self._by_paths is None or part in self._apart or not self.reaches(enough):
            return False
        if enough - value > HOPED * self._brings:
            return False
        self._apart.add(part)
        bound = max(value, self._by_paths(part, vertex, enough))
        if bound < enough:
            self._brings = bound - value
        heapq.heapreplace(self._heap, self._entry(bound, part, vertex))
        return True

    def _push(
        self, value: float, part: Subproblem, vertex: Vertex, basis: Any, enough: float
    ) -> None:
        """Keep a part of a part whose bound is `value`: solved, or to be solved further from a
        basis; give it up where its bound is `enough`.
        """
        bound = max(value, vertex.bound)
        if vertex.solved:
            heapq.heappush(self._heap, self._entry(bound, part, vertex))
        elif bound < enough:
            heapq.heappush(self._heap, self._entry(bound, part, Vertex(bound), basis))
        else:
            self._cut = min(self._cut, bound)

    def _reach(self, value: float, enough: float) -> float:
        """Return the bound up to which a part whose bound is at least `value` is solved.

        While the best plan is far off, most that lies far above the bound is never looked at again.
        """
        if self.master.aim is not None:
            return enough
        return min(enough, value + FAR * self._gap * max(1.0, abs(value)))

    def _best_split(
        self,
        branches: Sequence[tuple[float, Branch]],
        value: float,
        part: Subproblem,
        vertex: Vertex,
        enough: float,
    ) -> list[tuple[Subproblem, Vertex]]:
        """Return both sides of the split that raises the bound most, as far as is known."""
        known = {
            branch: mean
            for _, branch in branches
            if (mean := self.gains.mean(branch.key)) is not None
        }
        likely = max(known, key=lambda each: known[each] * self._away(vertex, each), default=None)
        # What cost much in a dive, then what moves much.
        costly = self.master.costly
        unknown = sorted(
            (branch for _, branch in branches if branch not in known),
            key=lambda each: -costly.get(each.key, 0.0),
        )[: TRIALS if self.nodes == 0 or likely is None else 1]
        best, rise, basis = list[tuple[Subproblem, Vertex]](), -INFINITY, vertex.basis
        missing = min(enough - value, self._gap * abs(value))
        for branch in [*([] if likely is None else [likely]), *unknown]:
            sides, gain = self._split(branch, value, part, vertex, basis, enough)
            basis = None  # where the last one ended is as near, and is factorised
            if gain > rise:
                best, rise = sides, gain
            if gain >= DECISIVE * missing or (branch is likely and gain > 0):
                break
        return best

    def _away(self, vertex: Vertex, branch: Branch) -> float:
        value = self.master.value(vertex, branch)
        return min(value - branch.floor, branch.floor + 1 - value)

    def _split(
        self,
        branch: Branch,
        value: float,
        part: Subproblem,
        vertex: Vertex,
        basis: Any,
        enough: float,
    ) -> tuple[list[tuple[Subproblem, Vertex]], float]:
        """Solve both sides of a split. Return them, and by how much it raises the bound."""
        sides = self.master.sides(part, branch)
        reach = self._reach(value, enough)
        found = [*zip(sides, self.master.prove_both(sides, basis, reach), strict=True)]
        self.nodes += 2
        most = (
            enough if enough < INFINITY else value + max(1.0, abs(value))
        )  # where neither side has a plan, no bound says how much
        gain = max(0.0, min(most, *(each.bound for _, each in found)) - value)
        self.brought.append((branch.key, gain))
        self.gains.take(self.brought[-1:])
        return found, gain
