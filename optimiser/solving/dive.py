"""A plan from the vertex of a relaxation: what is not whole is made whole step by step, each step a few iterations of the simplex.

What is weighty is decided first, one sum or column at a time, on the cheaper side. The rest is rounded in batches, those first
that are nearly whole; a batch that costs too much is halved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimiser.solving.branching import FRACTION, Master, Part
from optimiser.solving.linear import Vertex
from optimiser.solving.standard_form import INFINITY, Floats
from optimiser.solving.structure import Positions

WORSE, GROWTH = 0.002, 4.0  # by what part of the cost the cheaper of two sides may be worse at first; how that grows
NEARLY, PORTION = 0.2, 0.2  # an integer this near to whole is rounded at once, and at least this part of all that are not whole
DEAR = 0.0005  # by what part of the cost a batch of rounded integers may be worse
MANY = 5  # orders of a kind
LITTLE = 2e-5  # what part of the cost goes through what is left to the batches
RELEASES = 8
STEPS = 300


@dataclass(frozen=True, eq=False)
class Found:
    """A plan: its integers, its columns and its cost; `basis` is HiGHS's own object, of the program with rows for sums."""

    whole: Floats
    x: Floats
    objective: float
    basis: object = None


def dive(master: Master, part: Part, vertex: Vertex, worst: float = INFINITY) -> Found | None:
    """Return a plan that costs less than `worst`, from the vertex of a part of the program; None where the way leads to none."""
    at = _decided(master, part, vertex, worst)
    return None if at is None else _Rounding(master, *at, worst).found()


def _decided(master: Master, part: Part, vertex: Vertex, worst: float) -> tuple[Part, Vertex] | None:
    """Decide what is weighty, then how many orders of a kind are placed: that which moves most first."""
    while branches := master.open(vertex):
        if not master.is_weighty(branches[0][1]):
            # Whether two orders are placed in all or three says more than one of them; of many it says nothing.
            little = LITTLE * abs(vertex.objective)
            branches = [each for each in branches if each[1].of_sum and each[1].floor < MANY and each[0] > little]
            if not branches:
                break
        _, branch = max(branches, key=lambda each: each[0])
        nearer = int(master.value(vertex, branch) - branch.floor >= 0.5)
        sides = master.sides(part, branch)
        won = _cheaper(master, (sides[nearer], sides[1 - nearer]), vertex, worst)
        if won is None:
            return None
        part, vertex = won
    return part, vertex


def _cheaper(master: Master, sides: tuple[Part, Part], vertex: Vertex, worst: float) -> tuple[Part, Vertex] | None:
    """Solve two parts up to a cutoff that grows, and return the one that stays below it; None where neither is below `worst`."""
    room, alive = WORSE * max(abs(vertex.objective), 1.0), [*sides]
    while alive:
        cutoff = min(worst, vertex.objective + room)
        for side in [*alive]:
            found = master.solve(side, cutoff=cutoff)
            if found.solved and found.objective <= cutoff:
                return side, found
            if found.bound >= worst:
                alive.remove(side)
        if cutoff >= worst:
            return None
        room *= GROWTH
    return None


class _Rounding:
    """Rounds what is not whole. What is whole is held meanwhile, so that an order that is rounded down does not turn up in the month
    after. Where that costs too much it is let go, a few times."""

    def __init__(self, master: Master, part: Part, vertex: Vertex, worst: float) -> None:
        self.master, self.worst, self.releases = master, worst, RELEASES
        self.decided, self.part, self.vertex = part, part, vertex  # `decided` is without what is only held
        self._hold()

    def found(self) -> Found | None:
        """Return the plan, if there is one."""
        for _ in range(STEPS):
            value = self.vertex.x[self.master.integers]
            away = np.abs(value - np.round(value))
            broken = away > FRACTION
            if not broken.any():
                return attempt(self.master, np.round(value), self.worst, part=self.part)
            if (broken & self.master.binary).any():
                broken &= self.master.binary  # whether there is an order comes before how many lots are in it
            order = np.flatnonzero(broken)[np.argsort(away[broken], kind="stable")]
            if not self._batch(order[: max(int(np.ceil(PORTION * len(order))), int((away[order] <= NEARLY).sum()))]):
                return None
        return None

    def _batch(self, batch: Positions) -> bool:
        """Round as many of a batch as does not cost too much; of the first of it whatever it costs the cheaper side."""
        master, cutoff = self.master, min(self.worst, self.vertex.objective + DEAR * max(abs(self.vertex.objective), 1.0))
        while True:
            columns = master.integers[batch]
            near = np.round(self.vertex.x[columns])
            if self._solved(self.part, columns, near, cutoff):
                return True
            if len(batch) == 1:
                break
            batch = batch[: len(batch) // 2]
        far: Floats = np.asarray(2 * np.floor(self.vertex.x[columns]) + 1 - near)
        if self._solved(self.part, columns, far, cutoff):
            return True
        if self.releases:
            self.releases -= 1
            if self._solved(self.decided, columns, near, cutoff):
                self._hold()
                return True
        held = (self.part.hold(columns, near), self.part.hold(columns, far))
        won = _cheaper(master, held, self.vertex, self.worst)
        if won is not None:
            self.decided = self.decided.hold(columns, near if won[0] is held[0] else far)
            self.part, self.vertex = won
        return won is not None

    def _solved(self, part: Part, columns: Positions, values: Floats, cutoff: float) -> bool:
        """Hold columns at values in a part, where that costs no more than a cutoff."""
        held = part.hold(columns, values)
        found = self.master.solve(held, cutoff=cutoff)
        if not found.solved or found.objective > cutoff:
            return False
        self.part, self.vertex, self.decided = held, found, self.decided.hold(columns, values)
        return True

    def _hold(self) -> None:
        """Hold what is whole where it stands."""
        value = self.vertex.x[self.master.integers]
        whole = np.abs(value - np.round(value)) <= FRACTION
        self.part = self.decided.hold(self.master.integers[whole], np.round(value[whole]))


def attempt(master: Master, whole: Floats, worst: float = INFINITY, basis: object = None, part: Part | None = None) -> Found | None:
    """Return the best plan with these integers; None where there is none that costs less than `worst`."""
    program = master.program
    if (whole < program.lower[program.integer]).any() or (whole > program.upper[program.integer]).any():
        return None
    held = (part or Part()).hold(master.integers, whole)
    found = master.solve(held, basis, worst)
    if not found.solved:
        return None
    x = np.clip(found.x[: program.columns], program.lower, program.upper)
    x[master.integers] = whole
    return Found(whole, x, program.objective(x), found.basis)
