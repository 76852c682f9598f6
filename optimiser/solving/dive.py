"""Dive for a plan from the vertex of a relaxation: fix fractional columns step by step, each step a
few iterations of the simplex.

Weighty decisions come first, one sum or column at a time, on the cheaper side. The others are
rounded up in batches: an order that is placed attracts the metal of others, while one that is
rounded down reappears in the month after.

Where there are many and the tree parts, what its paths share is rounded in the whole program. Then
the end of each path is decided anew and rounded in a program of its own, with all else held: a step
takes a tenth of the time there.

Light ones come last, those that are as late as one another at once: each so that the sum of its
kind from the root to its node is what it was, to the nearest whole number. So what one leaves its
successor takes, and nothing is off by more than half of one at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimiser.solving import highs
from optimiser.solving.branching import FRACTION, Branch, Master, Subproblem
from optimiser.solving.linear import LinearProgram, SearchClock, Vertex
from optimiser.solving.program import INFINITY, Bools, Floats, Program
from optimiser.solving.search_options import Options
from optimiser.solving.sifting import Core, Sifted
from optimiser.solving.structure import NOWHERE, Positions, Structure

WORSE, GROWTH = 0.002, 4.0
"""By what part of the cost the next step may be dearer at first; how that grows."""
MANY = 5  # orders of a kind
LITTLE = 2e-5  # what part of the cost goes through what is left to the batches
BATCH = 0.5  # of the decisions that are not whole: rounded up at once
EXACT = 2e-7  # by how much a plan may miss a row
NEAREST, BELOW, ABOVE = 0.5, FRACTION, 1.0 - FRACTION  # what is added before it is cut off
NUMEROUS = 2_000  # whole numbers from which on paths are rounded apart
TURNED = 20  # choices, at most, that are turned round
DEAR = 10.0  # times what a step may be dearer at first: then an earlier one is turned round
BACK, AGAIN = 8, 5  # so many decisions before it may be turned, so often in a dive
SPARE = 0.01  # what part of the whole cost is much for one end
NEAR, NODES = 0.01, 300  # gap and nodes of HiGHS's search of one path

Choice = tuple[Branch, int]  # a branch, and which of its sides


@dataclass(frozen=True, eq=False)
class FeasiblePoint:
    """A plan of a program: its integers, its columns and its cost.

    `basis` is HiGHS's own object, of the program with rows for sums.
    """

    whole: Floats
    x: Floats
    objective: float
    basis: object = None


def dive(
    master: Master, part: Subproblem, vertex: Vertex, worst: float = INFINITY
) -> FeasiblePoint | None:
    """Return a plan that costs less than `worst`, from the vertex of a part of the program; None
    where the way leads to none.
    """
    decided = _decided(master, part, vertex, worst)
    if decided is None:
        return None
    ends = _ends(master.structure)
    if len(ends) > 1 and len(master.integers) >= NUMEROUS:
        found = _end_by_end(master, part, *decided, worst, ends)
        if found is not None or worst < INFINITY:
            return found
    rounded = _rounded(master, *decided, worst, np.ones_like(master.binary))
    if rounded is None:
        return None
    part, vertex = rounded
    return attempt(master, np.round(vertex.x[master.integers]), worst, part=part)


def _ends(own: Structure) -> list[Positions]:
    """Return for each path the columns at nodes that no other passes, where there are any."""
    passed = np.zeros(len(own.tree.parent), dtype=np.int64)
    for path in own.tree.paths:
        passed[[*path]] += 1
    ends = (
        np.flatnonzero(np.isin(own.node, [n for n in path if passed[n] == 1]))
        for path in own.tree.paths
    )
    return [each for each in ends if len(each)]


def _end_by_end(
    master: Master,
    begun: Subproblem,
    part: Subproblem,
    vertex: Vertex,
    worst: float,
    ends: Sequence[Positions],
) -> FeasiblePoint | None:
    """Return a plan: what paths share is rounded first, then the end of each path alone, decided
    anew with all else held; None where an end fits no plan that costs less than `worst`. `part` has
    all that is weighty decided, so that what is shared suits the ends.
    """
    rounded = _rounded(master, part, vertex, worst, ~np.isin(master.integers, np.concatenate(ends)))
    if rounded is None:
        return None
    _, vertex = rounded
    relaxation, program = master.relaxation, master.bounded(begun)
    program = replace(program, integer=np.isin(np.arange(program.columns), master.integers))
    x, basis = vertex.x.copy(), relaxation.kept(vertex.basis)
    for end in ends:
        alone, inside = program.restricted(end, x)
        own = Master(alone, master.structure.of(end), LinearProgram(alone, relaxation.clock))
        cost = program.objective(x)
        most, much = worst - cost + alone.objective(x[end]), SPARE * abs(cost)
        found = _end(own, own.solve(Subproblem(), basis.at(end, inside)), most, much)
        if found is None:
            return None
        x[end] = found
    # From nothing: with all integers held presolve leaves little.
    whole = np.round(x[master.integers])
    lp = LinearProgram(master.program.fixed(whole), relaxation.clock)
    planned = _exactly(master.program, lp, lp.solve(cutoff=worst), whole, worst)
    return None if planned is None else replace(planned, basis=None)


def _end(master: Master, vertex: Vertex, worst: float, much: float) -> Floats | None:
    """Return the columns of the end of a path, with its integers whole; None where that fits no
    plan. Where a dive finds none that costs `much` more than the relaxation, HiGHS may.
    """
    if not vertex.solved:
        return None
    found = dive(master, Subproblem(), vertex, worst)
    if found is not None:
        return found.x
    if worst - vertex.objective < much:
        return None
    return searched(master.program, master.relaxation.clock)


def searched(
    program: Program,
    clock: SearchClock,
    gap: float = NEAR,
    known: Floats | None = None,
    dearest: float | None = None,
) -> Floats | None:
    """Return a plan of a path as HiGHS finds it, from a `known` one; None where its short search
    finds none. Costs are in units of the `dearest`; None: that of the path.
    """
    unit = dearest or np.abs(program.cost).max(initial=0.0) or 1.0
    return highs.optimise(
        replace(program, cost=program.cost / unit, offset=program.offset / unit),
        Options(gap=gap, time_limit=clock.left, threads=1, nodes=NODES),
        clock.interrupt,
        lambda _: clock.report(),
        known,
    ).x


def _decided(
    master: Master, part: Subproblem, vertex: Vertex, worst: float
) -> tuple[Subproblem, Vertex] | None:
    """Decide what is weighty, then how many orders of a kind are placed, the largest gain first.

    Small parts that are left out one after another may leave too little in the end: where a
    decision costs much, an earlier one is turned round.
    """
    begun, chosen, turned = part, list[Choice](), 0
    basis = vertex.basis  # the last that was solved is another branch
    while branches := master.open(vertex):
        if not master.is_weighty(branches[0][1]):
            # Whether two orders are placed in all or three says more than one of them; of many it
            # says nothing.
            little = LITTLE * abs(vertex.objective)
            branches = [
                each
                for each in branches
                if each[1].of_sum and each[1].floor < MANY and each[0] > little
            ]
            if not branches:
                break
        _, branch = max(branches, key=lambda each: each[0])
        nearer = int(master.value(vertex, branch) - branch.floor >= 0.5)
        sides = master.sides(part, branch)
        sides = (sides[nearer], sides[1 - nearer])
        won, basis = _cheaper(master, sides, vertex, worst, basis), None
        dear = vertex.objective + DEAR * _room(vertex)
        if (won is None or won[1].objective > dear) and turned < AGAIN and dear < worst:
            turned += 1
            other = _turned(master, begun, chosen, branch, nearer, dear)
            if other is not None:
                chosen, part, vertex = other
                continue
        if won is None:
            return None
        master.costly[branch.key] = won[1].objective - vertex.objective
        chosen.append((branch, nearer ^ won[0]))
        part, vertex = sides[won[0]], won[1]
    return part, vertex


def _turned(
    master: Master,
    begun: Subproblem,
    chosen: Sequence[Choice],
    branch: Branch,
    nearer: int,
    dear: float,
) -> tuple[list[Choice], Subproblem, Vertex] | None:
    """Return the choices with one of the last turned round, and a branch decided, at no more than
    `dear`; None where that is not enough.
    """
    for k in range(len(chosen) - 1, max(-1, len(chosen) - 1 - BACK), -1):
        turned = (chosen[k][0], 1 - chosen[k][1])
        for side in (nearer, 1 - nearer):
            choices = [*chosen[:k], turned, *chosen[k + 1 :], (branch, side)]
            part = begun
            for each, taken in choices:
                part = master.sides(part, each)[taken]
            found = master.solve(part, cutoff=dear)
            if found.solved and found.objective <= dear:
                return choices, part, found
    return None


def _cheaper(
    master: Master,
    parts: Sequence[Subproblem],
    vertex: Vertex,
    worst: float,
    basis: object = None,
) -> tuple[int, Vertex] | None:
    """Solve parts up to a cutoff that grows, and return the number of the first that stays below
    it, with its vertex; None where none is below `worst`.
    """
    room, alive = _room(vertex), [*range(len(parts))]
    while alive:
        cutoff = min(worst, vertex.objective + room)
        for k in [*alive]:
            found, basis = master.solve(parts[k], basis, cutoff), None
            if found.solved and found.objective <= cutoff and found.objective < worst:
                return k, found
            if found.bound >= worst:
                alive.remove(k)
        if cutoff >= worst:
            return None
        room *= GROWTH
    return None


def _room(vertex: Vertex) -> float:
    """Return by how much the next step may be dearer at first."""
    return WORSE * max(abs(vertex.objective), 1.0)


def _rounded(
    master: Master, part: Subproblem, vertex: Vertex, worst: float, among: Bools
) -> tuple[Subproblem, Vertex] | None:
    """Return the part in which some integers (`among`) are whole, and its vertex: yes or no
    decisions that are not whole become yes, the largest parts first and half of them at a time,
    then numbers the nearest. Where a batch fits no plan, or costs much, a smaller one is tried, at
    last one alone either way; where that fits none, the choice before is turned round. What has
    become whole and is not at its least is kept, unless that fits no plan. Light numbers are
    rounded by their sums, and like the others only where that fits no plan.
    """
    integers, lower, begun = master.integers, master.program.lower[master.integers], part
    batch, turned, trail = BATCH, 0, list[tuple[Subproblem, Positions, Floats]]()
    summed = set[int]()
    while True:
        value = vertex.x[integers]
        broken = among & (np.abs(value - np.round(value)) > FRACTION)
        if not broken.any():
            return part, vertex
        deciding = bool((broken & master.binary & ~master.light).any())
        if deciding:
            kind = master.binary & ~master.light
        elif (broken & ~master.light).any():
            kind = ~master.light
        else:
            now = int(master.late[broken].min())
            kind = master.late == now
            if now not in summed:
                summed.add(now)
                part, vertex = _in_sums(master, part, vertex, now, worst, among)
                continue
        kept = kind & among & ~broken & (np.round(value) > lower)
        least = part.at_least(integers[kept], np.round(value[kept]))
        tries = [*_roundings(value, np.flatnonzero(broken & kind), batch, deciding)]
        for within in (least, _without_leasts(part, begun)):
            parts = [within.hold(integers[at], values) for _, at, values in tries]
            won = _cheaper(master, parts, vertex, worst)
            if won is not None:
                break
        if won is not None:
            size, at, values = tries[won[0]]
            far = np.floor(value[at[:1]]) + np.ceil(value[at[:1]]) - values[:1]
            trail.append((part, integers[at[:1]], far))
            part, vertex, batch = parts[won[0]], won[1], min(BATCH, 2 * size)
        else:
            while trail and turned < TURNED:
                turned += 1
                before, columns, far = trail.pop()
                found = master.solve(before.hold(columns, far), cutoff=worst)
                if found.solved and found.objective < worst:
                    part, vertex = before.hold(columns, far), found
                    break
            else:
                return None


def _without_leasts(part: Subproblem, begun: Subproblem) -> Subproblem:
    """Return the part in which only what is held, or was bounded to begin with, is bounded."""
    held = {j: bounds for j, bounds in part.columns.items() if bounds[0] == bounds[1]}
    return replace(part, columns={**begun.columns, **held})


def _in_sums(
    master: Master, part: Subproblem, vertex: Vertex, now: int, worst: float, among: Bools
) -> tuple[Subproblem, Vertex]:
    """Return the part, and its vertex, in which numbers that are late by so much are rounded by
    their sums, to the nearest: all at once, or where that fits no plan or costs much one kind after
    another. What fits none either is left as it is.
    """
    integers, value = master.integers, vertex.x[master.integers]
    before, late = among & (master.late < now), among & (master.late == now)
    part = part.hold(integers[before], np.round(value[before]))
    at_once = part.hold(integers[late], _by_sums(master, value, late)[late])
    found = master.solve(at_once, cutoff=min(worst, vertex.objective + _room(vertex)))
    if found.solved and found.objective < worst:
        return at_once, found
    of = master.structure.kind[integers]
    for each in np.unique(of[late]):
        kind, value = late & (of == each), vertex.x[integers]
        parts = [
            part.hold(integers[kind], _by_sums(master, value, kind, up)[kind])
            for up in (NEAREST, BELOW, ABOVE)
        ]
        won = _cheaper(master, parts, vertex, worst)
        if won is not None:
            part, vertex = parts[won[0]], won[1]
    return part, vertex


def _by_sums(master: Master, value: Floats, among: Bools, up: float = NEAREST) -> Floats:
    """Return the integers rounded, some of them so that the sum of a kind along a path is the whole
    number nearest to it, below it or above it.
    """
    whole, own = np.round(value), master.structure
    kind, node = own.kind[master.integers], own.node[master.integers]
    summed = np.flatnonzero(among & (node != NOWHERE))
    at = {(kind[k], node[k]): k for k in summed.tolist()}
    for each in np.unique(kind[summed]).tolist():
        sums = np.zeros(len(own.tree.parent))
        for n, parent in enumerate(own.tree.parent):
            before = 0.0 if parent is None else sums[parent]
            k = at.get((each, n))
            sums[n] = before + (0.0 if k is None else value[k])
            if k is not None:
                whole[k] = np.floor(sums[n] + up) - np.floor(before + up)
    return whole


def _roundings(
    value: Floats, at: Positions, batch: float, up: bool
) -> Iterator[tuple[float, Positions, Floats]]:
    """Yield what may be tried with integers that are not whole, a batch of them at first, at last
    one: its share, which, and the values.
    """
    away = value[at]
    first = np.ceil(away) if up else np.round(away)
    last = np.floor(away) if up else np.floor(away) + np.ceil(away) - first
    order = np.argsort(np.abs(first - away), kind="stable")
    while True:
        order = order[: max(1, int(batch * len(at)))]
        yield batch, at[order], first[order]
        if len(order) == 1:
            break
        if not up:
            yield batch, at[order], np.floor(away[order])
        batch /= 4
    yield batch, at[order], last[order]


def attempt(
    master: Master,
    whole: Floats,
    worst: float = INFINITY,
    basis: object = None,
    part: Subproblem | None = None,
) -> FeasiblePoint | None:
    """Return the best plan with these integers; None where there is none that costs less than
    `worst`.
    """
    program = master.program
    if (whole < program.lower[program.integer]).any() or (
        whole > program.upper[program.integer]
    ).any():
        return None
    if not master.fit(whole):
        return None
    held = (part or Subproblem()).hold(master.integers, whole)
    return _exactly(program, master.relaxation, master.solve(held, basis, worst), whole, worst)


def attempt_anew(
    program: Program, whole: Floats, worst: float, core: Core, clock: SearchClock
) -> tuple[FeasiblePoint | None, Core]:
    """Return the best plan with these integers, solved from nothing, and the columns and rows that
    it used.

    With all integers held presolve leaves little: it is quicker than from the basis of a near
    program.
    """
    if (whole < program.lower[program.integer]).any() or (
        whole > program.upper[program.integer]
    ).any():
        return None, core
    relaxation = Sifted(program.fixed(whole), clock, core, repairs=False)
    found = _exactly(program, relaxation, relaxation.solve(cutoff=worst), whole, worst)
    return None if found is None else replace(found, basis=None), relaxation.core


def _exactly(
    program: Program, relaxation: LinearProgram, vertex: Vertex, whole: Floats, worst: float
) -> FeasiblePoint | None:
    """Return the plan of a vertex that a relaxation ended at, solved more finely where it misses a
    row.
    """
    if not vertex.solved:
        return None
    x = point(program, vertex, whole)
    if not program.holds(x, EXACT):
        vertex = relaxation.refined()
        if not vertex.solved:
            return None
        x = point(program, vertex, whole)
    objective = program.objective(x)
    return FeasiblePoint(whole, x, objective, vertex.basis) if objective < worst else None


def point(program: Program, vertex: Vertex, whole: Floats) -> Floats:
    """Return the columns of the program at a vertex, within their bounds and with integers that are
    whole.
    """
    x = np.clip(vertex.x[: program.columns], program.lower, program.upper)
    x[program.integer] = whole
    return x
