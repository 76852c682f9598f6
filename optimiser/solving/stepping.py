"""Better plans a step away from a plan: an order more or less, one level in the place of another.

What a linear program costs is convex in the integers that it holds fixed. So with the reduced costs
d of a plan whose integers are y the plan of any other integers y' costs at least d·(y' - y) more: a
step whose estimate is not negative cannot pay and needs no linear program. The others are tried as
long as steps like them have paid.
"""

from __future__ import annotations

import itertools

import numpy as np

from optimiser.solving.branching import Master, Subproblem
from optimiser.solving.dive import FeasiblePoint, attempt
from optimiser.solving.program import Bools, Floats, Program
from optimiser.solving.search_options import ABSOLUTE_GAP, PRECISION
from optimiser.solving.structure import Positions

WHOLE = 1e-6  # a row of integers is kept to this
PAIRED = 100  # integers in a row, at most, of which two step together
FINEST = 1e-4  # gap by which steps are measured where none is asked for
# groups of steps by what they bring at most, each twice as much as the one before; the middle one
# brings the gap
SIZES = 20
TINY = 2.0**-SIZES
HOPED, DOUBT = (
    0.2,
    0.5,
    # what a step is hoped to bring before any of its group was tried, of the gap; it counts as so
    # many tries
)
WORTH = 0.02  # what a step must promise to be tried, of the gap


def improve(master: Master, plan: FeasiblePoint, gap: float, enough: float) -> FeasiblePoint:
    """Return a plan that costs no more, by steps of one integer or of two that a row ties together,
    each taken where it pays.

    Ends where no step promises a fiftieth of the gap any more, or where the plan costs no more than
    `enough`. Raises OutOfTime.
    """
    steps, y = _Steps(master.program), plan.whole
    unit = max(gap, FINEST) * abs(plan.objective)
    promises, best = _Promises(steps.kind, unit), plan
    reduced = _reduced(master, y)
    while best.objective > enough and reduced is not None:
        most = np.where(steps.possible(y), -steps.estimate(reduced), 0.0)
        chosen = promises.best(most)
        if chosen is None:
            break
        there = steps.taken(y, chosen)
        found = attempt(
            master, there, best.objective - ABSOLUTE_GAP - PRECISION * abs(best.objective)
        )
        promises.learn(
            chosen, most[chosen], 0.0 if found is None else best.objective - found.objective
        )
        if found is not None:
            y, best, reduced = there, found, _reduced(master, there)
    return best


def _reduced(master: Master, whole: Floats) -> Floats | None:
    """Return the reduced costs of the integers in the plan that holds them; None where there is
    none.
    """
    vertex = master.solve(Subproblem().hold(master.integers, whole))
    return master.relaxation.reduced(vertex.dual)[master.integers] if vertex.solved else None


class _Promises:
    """Describe what steps may be hoped to bring, from what others of their kind and size brought.

    A step that did not pay is tried again only from another plan, and such steps are a kind of
    their own.
    """

    def __init__(self, kind: Positions, unit: float) -> None:
        self._kind, self._unit = kind, unit
        self._tried = np.full(len(kind), -1)  # at which version of the plan each was tried last
        self._version = 0
        self._brought, self._times = np.zeros((2, 3 * (SIZES + 1)))

    def _group(self, most: Floats) -> Positions:
        size = np.clip(
            np.round(np.log2(np.maximum(most / self._unit, TINY))) + SIZES // 2, 0, SIZES - 1
        )
        size = np.where(self._tried >= 0, SIZES, size)
        return (self._kind * (SIZES + 1) + size).astype(np.int64)

    def best(self, most: Floats) -> int | None:
        """Return the most promising step, where each brings no more than given; None where none is
        worth its linear program.
        """
        group = self._group(most)
        hope = (self._brought[group] + DOUBT * HOPED * self._unit) / (self._times[group] + DOUBT)
        hope = np.where(self._tried < self._version, np.minimum(hope, most), 0.0)
        worth = np.flatnonzero(hope > WORTH * self._unit)
        return int(worth[np.lexsort((-most[worth], -hope[worth]))[0]]) if len(worth) else None

    def learn(self, step: int, most: float, brought: float) -> None:
        group = self._group(np.full(len(self._kind), most))[step]
        self._brought[group] += brought
        self._times[group] += 1
        self._version += brought > 0
        self._tried[step] = self._version


class _Steps:
    """Changes of integers by one, alone or in pairs that leave a row of integers alone as it was:
    an order placed and the price that it reaches, a level of a menu and another in its place.
    """

    def __init__(self, program: Program) -> None:
        several = int(program.integer.sum())
        row = np.repeat(np.arange(program.rows), np.diff(program.start))
        alone = np.bincount(row, ~program.integer[program.index], program.rows) == 0
        inside = alone[row]
        self._row = (np.cumsum(alone) - 1)[row[inside]]
        self._column = (np.cumsum(program.integer) - 1)[program.index[inside]]
        self._value = program.value[inside]
        self._lower, self._upper = program.lower[program.integer], program.upper[program.integer]
        self._row_lower, self._row_upper = program.row_lower[alone], program.row_upper[alone]
        singles = [((j, step),) for step in (1, -1) for j in range(several)]
        steps = [*singles, *_pairs(self._row, self._column, self._value)]
        self.many = len(steps)
        self._of = np.repeat(
            np.arange(self.many), np.array([len(each) for each in steps], dtype=np.int64)
        )
        self._moves, self._by = (
            np.array([each[k] for step in steps for each in step], dtype=np.int64) for k in (0, 1)
        )
        self.kind: Positions = (
            np.sign(np.bincount(self._of, self._by, self.many)).astype(np.int64) + 1
        )
        self._broken_of, self._touched, self._change = self._effects()

    def _effects(self) -> tuple[Positions, Positions, Floats]:
        """Return by how much each step changes each row: step, row, change."""
        order, entries = (
            np.argsort(self._column, kind="stable"),
            np.bincount(self._column, minlength=len(self._lower)),
        )
        many = entries[self._moves]
        begin = (np.cumsum(entries) - entries)[self._moves] - (np.cumsum(many) - many)
        entry = order[np.repeat(begin, many) + np.arange(many.sum())]
        change = np.repeat(self._by, many) * self._value[entry]
        rows = max(1, len(self._row_lower))
        place, first = np.unique(
            np.repeat(self._of, many) * rows + self._row[entry], return_inverse=True
        )
        return (
            place // rows,
            place % rows,
            np.bincount(first, change, len(place)).astype(np.float64),
        )

    def possible(self, y: Floats) -> Bools:
        """Return which steps from y keep the bounds of all integers and of all rows of integers
        alone.
        """
        value = y[self._moves] + self._by
        activity = (
            np.bincount(self._row, self._value * y[self._column], len(self._row_lower))[
                self._touched
            ]
            + self._change
        )
        outside = (value < self._lower[self._moves]) | (value > self._upper[self._moves])
        broken = (activity < self._row_lower[self._touched] - WHOLE) | (
            activity > self._row_upper[self._touched] + WHOLE
        )
        possible = np.ones(self.many, dtype=np.bool_)
        possible[self._of[outside]] = possible[self._broken_of[broken]] = False
        return possible

    def estimate(self, reduced: Floats) -> Floats:
        """Return by how much each step changes the cost at least."""
        return np.bincount(self._of, self._by * reduced[self._moves], self.many).astype(np.float64)

    def taken(self, y: Floats, step: int) -> Floats:
        there, of = y.copy(), self._of == step
        there[self._moves[of]] += self._by[of]
        return there


def _pairs(
    row: Positions, column: Positions, value: Floats
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the pairs of integers in a row, with the steps of one that leave its sum."""
    found: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    ends = np.flatnonzero(np.diff(row, append=-1)) + 1
    for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=False):
        if end - begin > PAIRED:
            continue
        entries = sorted(zip(column[begin:end].tolist(), value[begin:end].tolist(), strict=True))
        for (i, of_i), (j, of_j) in itertools.combinations(entries, 2):
            if abs(of_i) == abs(of_j):
                other = -1 if of_i == of_j else 1
                found |= {((i, step), (j, step * other)) for step in (1, -1)}
    return sorted(found)
