"""Prove the optimum of a changed program within a gap, with as little work as possible.

The upper bound comes from linear programs in which the integers of known plans (`Pattern`) are held
fixed. The lower bound comes from the linear relaxation, raised by the branches that raised it
before. Each begins with its last basis in the nearest case, and holds only the columns and rows
that mattered in earlier cases (`Core`). Where the two bounds do not meet within the gap, more plans
are tried and more branches grown. At last the search runs, begins with the best of these plans, and
leaves a new pattern. What is learnt of one case (`WarmStart`) serves all that follow, in other
processes too.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

import numpy as np

from optimiser.solving.branching import Gains
from optimiser.solving.engine import Attempt, Engine, Known, pays
from optimiser.solving.highs import optimise
from optimiser.solving.linear import Basis, OutOfTime, SearchClock
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import Options, SolverError, Status, relative_gap
from optimiser.solving.sifting import Core
from optimiser.solving.standard_form import Label
from optimiser.solving.structure import CHAIN, ScenarioTree, Structure, structure
from optimiser.studies.engine.compiled import Compiled
from optimiser.system.interrupts import Interrupt

MOST_PATTERNS = 16
MOST_KNOWN = 96  # cases of which a basis is kept
PATIENCE = (
    60  # linear programs of branching before HiGHS searches, each far quicker than its search
)
UNKNOWN = 0.01  # by how much a plan that was given up is assumed to be worse
LEAST = 0.01  # what an input weighs at least, of the weightiest
FINER = 0.7  # the part of the gap that a search must reach: its plan is to serve other cases too
HOW = Literal["certified", "searched", "solved"]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Point:
    """Describe where a case lies: the values of its inputs, and what one unit of each weighs."""

    at: Floats
    weight: Floats


@dataclass
class Nearest(Generic[T]):
    """Describe what is known of cases, by the values of their inputs: the nearest case serves
    best."""

    known: deque[tuple[Floats, T]] = field(default_factory=lambda: deque(maxlen=MOST_KNOWN))

    def near(self, point: Point) -> T | None:
        """Return what is known of the nearest case; None where nothing is."""
        alike = [each for each in self.known if len(each[0]) == len(point.at)]
        if not alike:
            return self.known[-1][1] if self.known else None
        return alike[
            int((np.abs(np.array([each[0] for each in alike]) - point.at) @ point.weight).argmin())
        ][1]

    def keep(self, at: Floats, what: T) -> None:
        """Keep what is known of a case."""
        self.known.append((at, what))


@dataclass(eq=False)
class Pattern:
    """The integers of a plan, and by how much it was worse than the best plan [1]."""

    whole: Floats
    worse: Nearest[float] = field(default_factory=Nearest)
    served: float = 0.0

    def likely(self, point: Point) -> float:
        """Return by how much it may be worse; one that was never tried not at all."""
        return self.worse.near(point) or 0.0


@dataclass(frozen=True, eq=False)
class WarmStart:
    """Describe what one case leaves to those that follow.

    `at`: the values of its inputs; `root`: the basis of its relaxation; `core`: the columns and
    rows that mattered; `gains`: by how much a branch on which sum raised the bound; `named`: the
    integers of its plan by the names of their columns, where they are new.
    """

    at: Floats
    objective: float
    root: Basis | None
    attempts: tuple[Attempt, ...]
    gains: tuple[tuple[int, float], ...]
    named: Mapping[Label, float] | None = None
    core: Core | None = None


@dataclass(frozen=True, eq=False)
class Proof:
    """Describe how a case ended. `how`: certified by bounds alone, or searched."""

    status: Status
    objective: float | None = None
    bound: float | None = None
    x: Floats | None = None
    how: HOW = "certified"
    warm_start: WarmStart | None = None


@dataclass
class Certifier:
    """Proves programs of one structure: that of `like`.

    What it knows grows with every case. `tree`: the scenario tree.
    """

    like: Compiled
    tree: ScenarioTree = CHAIN
    patterns: list[Pattern] = field(default_factory=list)
    gains: Gains = field(default_factory=Gains)
    roots: Nearest[Basis] = field(default_factory=Nearest)
    core: Core | None = None
    objectives: Nearest[float] = field(default_factory=Nearest)
    size: Floats | None = None  # of the inputs
    shape: Structure = field(init=False)

    def __post_init__(self) -> None:
        self.shape = structure(self.like.program, self.like.labels, self.like.priority, self.tree)

    # --- What is known

    def take(self, warm_start: WarmStart) -> None:
        """Learn from a case."""
        if warm_start.root is not None:
            self.roots.keep(warm_start.at, warm_start.root)
        if warm_start.core is not None:
            self.core = warm_start.core if self.core is None else self.core | warm_start.core
        if warm_start.objective < INFINITY:
            self.objectives.keep(warm_start.at, warm_start.objective)
        self.gains.take(warm_start.gains)
        for attempt in warm_start.attempts:
            best = attempt.objective <= warm_start.objective < INFINITY
            pattern = self._learn(attempt.whole) if best else self._pattern(attempt.whole)
            if pattern is None:
                continue
            given_up = attempt.objective == INFINITY
            worse = (
                UNKNOWN
                if given_up
                else (attempt.objective - warm_start.objective)
                / max(abs(warm_start.objective), 1.0)
            )
            pattern.worse.keep(warm_start.at, worse)
            pattern.served = 0.9 * pattern.served + best  # what served recently

    def seed(self, named: Mapping[Label, float]) -> None:
        """Learn the plan of a program of another structure."""
        self._learn(
            np.array(
                [
                    named.get(self.like.labels[j], 0.0)
                    for j in np.flatnonzero(self.like.program.integer).tolist()
                ]
            )
        )

    def relax(self, program: Program, options: Options) -> None:
        """Solve the relaxation of a program, from which those of others begin."""
        clock = SearchClock(time.perf_counter() + options.time_limit)
        engine = Engine(program, self.shape, options.gap, clock)
        with contextlib.suppress(SolverError, OutOfTime):
            engine.relax()
        root, core = engine.warm_start()
        if root is not None:
            self.take(WarmStart(np.zeros(0), INFINITY, root, (), (), core=core))

    def adopt(self, other: Certifier) -> None:
        """Learn from a program of another structure, much of which is the same: the basis of its
        relaxation, and where the sums are the same, what branches brought.
        """
        known = other.roots.known[-1][1] if other.roots.known else None
        if known is None or self.roots.known:
            return
        own, theirs = self.shape.sums, other.shape.sums
        same = len(own) == len(theirs) and self.like.labels == other.like.labels
        columns = {name: j for j, name in enumerate(other.like.labels)}
        rows: dict[Hashable, int] = {name: i for i, name in enumerate(other.like.rows)}
        column = [columns.get(name) for name in self.like.labels]
        row = [rows.get(name) for name in self.like.rows]
        sums = [len(rows) + k if same else None for k in range(len(own))]
        # Of these columns and rows others matter: what one left out would come in again and again.
        self.roots.keep(np.zeros(0), known.moved(column, [*row, *sums]))
        if same:
            self.gains.take(other.gains.means)

    def named(self, whole: Floats) -> dict[Label, float]:
        """Return integers by the names of their columns, for programs of another structure."""
        return dict(
            zip(
                (self.like.labels[j] for j in np.flatnonzero(self.like.program.integer).tolist()),
                whole.tolist(),
                strict=True,
            )
        )

    def _pattern(self, whole: Floats) -> Pattern | None:
        return next((each for each in self.patterns if np.array_equal(each.whole, whole)), None)

    def _learn(self, whole: Floats) -> Pattern:
        """Return the pattern with these integers.

        A new pattern takes the place of the one that served least.
        """
        known = self._pattern(whole)
        if known is not None:
            return known
        self.patterns.insert(0, Pattern(whole))
        if len(self.patterns) > MOST_PATTERNS:
            self.patterns.remove(min(self.patterns[1:], key=lambda each: each.served))
        return self.patterns[0]

    # --- Proving

    def prove(
        self,
        program: Program,
        options: Options,
        point: Floats | None = None,
        bound: float = -INFINITY,
    ) -> Proof:
        """Prove the optimum of a program within `options.gap`.

        `point` are the inputs that it was made with: bases of cases near it are begun with. No plan
        costs less than `bound`. Raises SolverError and Unbounded.
        """
        if not program.integer.any():
            found = optimise(program, options, Interrupt())
            return Proof(found.status, found.objective, found.bound, found.x, "solved")
        began, near = time.perf_counter(), self._placed(point)
        # Of a large program HiGHS finds little in the other half; of a small one it is quicker.
        share = 1.0 if pays(program, self.shape) else 0.5
        engine = Engine(
            program,
            self.shape,
            options.gap,
            SearchClock(began + share * options.time_limit),
            Known(self._likely(near), self.roots.near(near), self.core, self.gains, bound=bound),
            PATIENCE,
        )
        with contextlib.suppress(SolverError, OutOfTime):  # HiGHS goes on with what is known
            engine.run()
        proven = self._ended(engine, near)
        left = max(0.0, began + options.time_limit - time.perf_counter())
        if proven.status not in ("optimal", "infeasible") and left > 0:
            proven = self._search(program, replace(options, time_limit=left), proven, near)
        if proven.warm_start is not None:
            self.take(replace(proven.warm_start, gains=()))  # the engine has noted them
        return proven

    def _likely(self, point: Point) -> Iterator[Floats]:
        """Yield the plans that are known, those first that are likely to be good."""
        for pattern in sorted(self.patterns, key=lambda each: (each.likely(point), -each.served)):
            yield pattern.whole

    def _ended(self, engine: Engine, point: Point) -> Proof:
        root, core = engine.warm_start()
        brought = () if engine.tree is None else tuple(engine.tree.brought)
        best, bound = engine.best, None if engine.bound == -INFINITY else engine.bound
        warm_start = WarmStart(
            point.at,
            INFINITY if best is None else best.objective,
            root,
            tuple(engine.attempts),
            brought,
            core=core,
        )
        if best is None:
            hopeless = engine.root is not None and engine.root.bound == INFINITY
            return (
                Proof("infeasible")
                if hopeless
                else Proof(
                    "no_plan", bound=None if bound == INFINITY else bound, warm_start=warm_start
                )
            )
        if self._pattern(best.whole) is None:
            warm_start = replace(warm_start, named=self.named(best.whole))
        bound = None if bound is None else min(bound, best.objective)
        status: Status = (
            "optimal"
            if bound is not None and _meets(best.objective, bound, engine.gap)
            else "feasible"
        )
        return Proof(status, best.objective, bound, best.x, warm_start=warm_start)

    def _search(self, program: Program, options: Options, known: Proof, point: Point) -> Proof:
        finer = replace(options, gap=options.gap * FINER, threads=1)
        if known.bound is not None:
            # Where the bound that is known already proves a plan good enough, the search need not
            # prove it again.
            finer = replace(finer, target=known.bound + 0.98 * options.gap * abs(known.bound))
        found = optimise(program, finer, Interrupt(), known=known.x)
        bounds = [each for each in (found.bound, known.bound) if each is not None]
        bound = max(bounds) if bounds else None
        if found.x is None or found.objective is None:
            if found.status == "infeasible" or known.x is None:
                return Proof(found.status, bound=bound, how="searched")
            return replace(known, bound=bound, how="searched")
        whole = np.round(found.x[program.integer])
        warm_start = known.warm_start or WarmStart(point.at, INFINITY, None, (), ())
        attempts = (*warm_start.attempts, Attempt(whole, found.objective))
        warm_start = replace(
            warm_start, objective=found.objective, attempts=attempts, named=self.named(whole)
        )
        gap = relative_gap(found.objective, bound)
        status: Status = "optimal" if gap is not None and gap <= options.gap else "feasible"
        bound = None if bound is None else min(bound, found.objective)
        return Proof(status, found.objective, bound, found.x, "searched", warm_start)

    def _placed(self, at: Floats | None) -> Point:
        """Return a point, its inputs weighed by what the objectives of the cases so far say of
        them.
        """
        if at is None:
            return Point(np.zeros(0), np.zeros(0))
        if self.size is None or len(self.size) != len(at):
            self.size = np.where(at == 0, 1.0, np.abs(at))
        seen = [
            (each / self.size, value)
            for each, value in self.objectives.known
            if len(each) == len(at)
        ]
        if len(seen) < 2 * len(at):
            return Point(at, 1 / self.size)
        where, value = np.array([each for each, _ in seen]), np.array([value for _, value in seen])
        slope, *_ = np.linalg.lstsq(where - where.mean(axis=0), value - value.mean(), rcond=None)
        weight = np.abs(slope) / (np.abs(slope).max() or 1.0)
        return Point(at, np.maximum(weight, LEAST) / self.size)


def _meets(best: float, bound: float, gap: float) -> bool:
    found = relative_gap(best, bound)
    return found is not None and found <= gap
