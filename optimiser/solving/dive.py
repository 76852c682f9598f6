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
LITTLE = 2e-5  # a sum of integers that moves less than this part of the cost is left to the batches
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
    return None if at is None else _rounded(master, *at, worst)


def _decided(master: Master, part: Part, vertex: Vertex, worst: float) -> tuple[Part, Vertex] | None:
    """Decide what is weighty: that which moves most first."""
    while branches := master.open(vertex):
        moved, branch = max(branches, key=lambda each: each[0])
        if not master.is_weighty(branch) and (not branch.of_sum or moved < LITTLE * abs(vertex.objective)):
            break
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


def _rounded(master: Master, part: Part, vertex: Vertex, worst: float) -> Found | None:
    """Round what is not whole. What is whole is held, so that an order that is rounded down does not turn up in the month after;
    where that leads to no plan it is not."""
    value = vertex.x[master.integers]
    whole = np.abs(value - np.round(value)) <= FRACTION
    held = part.hold(master.integers[whole], np.round(value[whole]))
    return _in_batches(master, held, vertex, worst) or _in_batches(master, part, vertex, worst)


def _in_batches(master: Master, part: Part, vertex: Vertex, worst: float) -> Found | None:
    for _ in range(STEPS):
        value = vertex.x[master.integers]
        away = np.abs(value - np.round(value))
        broken = away > FRACTION
        if not broken.any():
            return attempt(master, np.round(value), worst, part=part)
        if (broken & master.binary).any():
            broken &= master.binary  # whether there is an order comes before how many lots are in it
        order = np.flatnonzero(broken)[np.argsort(away[broken], kind="stable")]
        batch = order[: max(int(np.ceil(PORTION * len(order))), int((away[order] <= NEARLY).sum()))]
        step = _batch(master, part, vertex, batch, worst)
        if step is None:
            return None
        part, vertex = step
    return None


def _batch(master: Master, part: Part, vertex: Vertex, batch: Positions, worst: float) -> tuple[Part, Vertex] | None:
    """Round as many of a batch as does not cost too much; the first of it alone whatever it costs, on either side."""
    integers, room = master.integers, DEAR * max(abs(vertex.objective), 1.0)
    while True:
        columns = integers[batch]
        last = len(batch) == 1
        held = part.hold(columns, np.round(vertex.x[columns]))
        cutoff = min(worst, vertex.objective + room)
        found = master.solve(held, cutoff=cutoff)
        if found.solved and found.objective <= cutoff:
            return held, found
        if last:
            column = int(columns[0])
            floor = float(np.floor(vertex.x[column]))
            sides = (part.hold([column], [floor]), part.hold([column], [floor + 1]))
            return _cheaper(master, sides, vertex, worst)
        batch = batch[: len(batch) // 2]


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
