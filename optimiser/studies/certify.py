"""What a changed program's optimum is, proven within a gap, for as little as it takes.

From below the linear relaxation bounds it, raised by a few branches on the strategic decisions; from above the linear programs with
the integers of plans that are known (`Pattern`) held fixed. Where the two do not meet within the gap the search runs, begins with
the best of these plans, and leaves a new pattern behind.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from optimiser.solver.highs import Interrupt, optimise
from optimiser.solver.relaxation import INFINITY, Branching, Relaxation, Vertex
from optimiser.solver.search import Options, SolverError, Status, relative_gap
from optimiser.solver.standard_form import Floats, Program
from optimiser.studies.compiled import Compiled, Label, groups

STRATEGIC = ("sign", "grant", "carry")  # variables whose choice moves a plan most: which offtakes are signed, which plants helped
MOST_PATTERNS = 16
MOST_BASES = 96
ROUNDS, NODES = 5, 12  # of branching, each with a plan tried at its end; linear programs of one, each far quicker than a search
FINER = 0.7  # what part of the gap a search is asked for: its plan is to serve other cases too
HOW = Literal["certified", "searched", "solved"]


@dataclass
class Bases:
    """Bases of linear programs that are solved already, by the point of their case: from the nearest the way is shortest."""

    known: deque[tuple[Floats, Any]] = field(default_factory=lambda: deque(maxlen=MOST_BASES))

    def near(self, point: Floats) -> Any:
        """The basis of the case that is nearest; None where none is known."""
        alike = [each for each in self.known if len(each[0]) == len(point)]
        if not alike:
            return self.known[-1][1] if self.known else None
        return alike[int(np.abs(np.array([each[0] for each in alike]) - point).sum(axis=1).argmin())][1]

    def keep(self, point: Floats, basis: Any) -> None:
        self.known.append((point, basis))


@dataclass(eq=False)
class Pattern:
    """The integers of a plan, and the bases in which its linear programs ended."""

    whole: Floats
    bases: Bases = field(default_factory=Bases)
    served: float = 0.0


@dataclass(frozen=True, eq=False)
class Found:
    """How a case ended. `how`: certified by bounds alone, or searched. `new`: the integers that a search has left behind."""

    status: Status
    objective: float | None = None
    bound: float | None = None
    x: Floats | None = None
    how: HOW = "certified"
    new: Floats | None = None


@dataclass
class Certifier:
    """Proves programs of one structure: that of `like`. Its patterns, bases and what it knows of branching grow with every case."""

    like: Compiled
    patterns: list[Pattern] = field(default_factory=list)
    branching: Branching = field(init=False)
    bases: Bases = field(default_factory=Bases)  # of the relaxations
    scale: Floats | None = None  # of a point: how far an input moves at all

    def __post_init__(self) -> None:
        self.branching = Branching(*groups(self.like, STRATEGIC))

    def learn(self, whole: Floats, bases: Bases | None = None) -> None:
        """Keep a pattern, in the place of the one that served least."""
        if any(np.array_equal(each.whole, whole) for each in self.patterns):
            return
        self.patterns.insert(0, Pattern(whole, bases or Bases()))
        if len(self.patterns) > MOST_PATTERNS:
            last = min(self.patterns[1:], key=lambda each: each.served)
            self.patterns.remove(last)

    def named(self, whole: Floats) -> dict[Label, float]:
        """A pattern by the names of its columns, for programs of another structure."""
        return dict(zip((self.like.labels[j] for j in np.flatnonzero(self.like.program.integer).tolist()), whole.tolist(), strict=True))

    def learn_named(self, named: dict[Label, float]) -> None:
        self.learn(np.array([named.get(self.like.labels[j], 0.0) for j in np.flatnonzero(self.like.program.integer).tolist()]))

    def prove(self, program: Program, options: Options, point: Floats | None = None) -> Found:
        """The optimum of a program within `options.gap`. `point` are the inputs that it was made with: bases of cases near it are
        begun with. Raises SolverError and Unbounded."""
        if not program.integer.any():
            found = optimise(program, options, Interrupt())
            return Found(found.status, found.objective, found.bound, found.x, "solved")
        try:
            found_here = self._certify(program, options.gap, self._scaled(point))
        except SolverError:
            found_here = Found("no_plan")
        if found_here.status in ("optimal", "infeasible"):
            return found_here
        return self._search(program, options, found_here)

    def _certify(self, program: Program, gap: float, point: Floats) -> Found:
        extended = self.branching.extended(program)
        relaxation = Relaxation(extended)
        try:
            root = relaxation.solve(self.bases.near(point))
        except SolverError:  # the basis of another case can lead astray
            relaxation = Relaxation(extended)
            root = relaxation.solve()
        if root.objective == INFINITY:
            return Found("infeasible")
        self.bases.keep(point, root.basis)
        best, x = self._plan(program, root.objective, gap, point)
        tree = self.branching.tree(program, root, relaxation)
        for _ in range(ROUNDS):
            if x is not None and _meets(best, tree.bound, gap):
                break
            growing = tree.grow(best - 0.98 * gap * abs(best) if x is not None else INFINITY, NODES)
            if tree.vertex is None or (x is not None and _meets(best, tree.bound, gap)):
                break
            best, x = self._rounded(program, tree.vertex, best, x, point)
            if not growing:
                break
        bound = tree.bound
        if bound == INFINITY and x is None:
            return Found("infeasible")
        if x is None:
            return Found("no_plan", bound=bound)
        return Found("optimal" if _meets(best, bound, gap) else "feasible", best, min(bound, best), x)

    def _plan(self, program: Program, bound: float, gap: float, point: Floats) -> tuple[float, Floats | None]:
        """The best plan with the integers of a known one, or the first that is good enough."""
        best, x = INFINITY, None
        for pattern in sorted(self.patterns, key=lambda each: -each.served):
            value, found = _held(program, pattern, best, point)
            if found is not None:
                best, x, chosen = value, found, pattern
                if _meets(best, bound, gap):
                    break
        if x is not None:
            for pattern in self.patterns:
                pattern.served = pattern.served * 0.9 + (pattern is chosen)  # what served of late, not once
        return best, x

    def _rounded(self, program: Program, vertex: Vertex, best: float, x: Floats | None, point: Floats) -> tuple[float, Floats | None]:
        """A plan from the vertex at which the bound stands: what is ordered at all there is ordered whole."""
        value = vertex.x[: program.columns][program.integer]
        up = np.ceil(value - 1e-6)
        near = np.where([self.like.labels[j][0] in STRATEGIC for j in np.flatnonzero(program.integer).tolist()], np.round(value), up)
        pattern = Pattern(near)
        objective, found = _held(program, pattern, best, point)
        if found is None:
            return best, x
        self.learn(near, pattern.bases)
        return objective, found

    def _search(self, program: Program, options: Options, known: Found) -> Found:
        finer = replace(options, gap=options.gap * FINER, threads=1)
        if known.bound is not None:
            # Where the bound that is known already proves a plan good enough, the search need not prove it again.
            finer = replace(finer, target=known.bound + 0.98 * options.gap * abs(known.bound))
        found = optimise(program, finer, Interrupt(), known=known.x)
        bounds = [each for each in (found.bound, known.bound) if each is not None]
        bound = max(bounds) if bounds else None
        if found.x is None or found.objective is None:
            if found.status == "infeasible" or known.x is None:
                return Found(found.status, bound=bound, how="searched")
            return replace(known, bound=bound, how="searched")
        whole = np.round(found.x[program.integer])
        self.learn(whole)
        gap = relative_gap(found.objective, bound)
        status: Status = "optimal" if gap is not None and gap <= options.gap else "feasible"
        return Found(status, found.objective, None if bound is None else min(bound, found.objective), found.x, "searched", whole)

    def _scaled(self, point: Floats | None) -> Floats:
        """A point whose coordinates can be compared: each over the value that it had first."""
        if point is None:
            return np.zeros(0)
        if self.scale is None or len(self.scale) != len(point):
            self.scale = np.where(point == 0, 1.0, np.abs(point))
        return point / self.scale


def _held(program: Program, pattern: Pattern, cutoff: float, point: Floats) -> tuple[float, Floats | None]:
    """The best plan with the integers of a pattern, where it costs less than `cutoff`."""
    if (pattern.whole < program.lower[program.integer]).any() or (pattern.whole > program.upper[program.integer]).any():
        return INFINITY, None
    held = program.fixed(pattern.whole)
    vertex = Relaxation(held).solve(pattern.bases.near(point), cutoff)
    if vertex.objective == INFINITY:
        return INFINITY, None
    pattern.bases.keep(point, vertex.basis)
    x = np.clip(vertex.x, held.lower, held.upper)
    value = program.objective(x)
    return (value, x) if value < cutoff else (INFINITY, None)


def _meets(best: float, bound: float, gap: float) -> bool:
    found = relative_gap(best, bound)
    return found is not None and found <= gap
