"""The search for the optimum of a program, the cheapest steps first:

1. known plans: each a linear program with its integers held,
2. the relaxation, path by path,
3. branches on what moves a plan most, as long as they raise the bound by more than the gap,
4. dives from the branch with the lowest bound, and where the first finds no plan one path by path;
   between two dives, after one without a better plan and where the gap is nearly closed, more
   branches, and bounds by the paths where they promise enough,
5. HiGHS for the rest, from the plan and the bound.

Of objectives that are minimised in turn, one before that by which plans are judged (the least
shortfall) leaves most columns without a cost: many vertices are equally good by it, and the simplex
wanders among them. So the cost leads its search, with the shortfall so dear that hardly anything
outweighs it. What is proven is the shortfall alone (`aim`). Its plans are good by both.

HiGHS takes over where this search does not pay. A program with fewer than `LARGE` rows and columns
goes to HiGHS at once. Any other goes to it after `WORK` iterations of the simplex for each row and
column, or after `WORK_ON_ORDERS` of them where nothing weighty is left to branch on; without
scenarios then at once, after single steps have improved the plan. Where any plan is enough, however
small the program, single steps improve that of a dive from the relaxation, and the search begins
only where the dive finds none.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import or_

import numpy as np

from optimiser.solving import highs
from optimiser.solving.afresh import decide_afresh
from optimiser.solving.branching import Gains, Master, SearchTree, Subproblem
from optimiser.solving.dive import FeasiblePoint, attempt, attempt_anew, dive, point
from optimiser.solving.highs import ProgramSolution, Snapshot
from optimiser.solving.linear import Basis, LinearProgram, OutOfTime, SearchClock, Vertex
from optimiser.solving.path_bounds import PathBounds
from optimiser.solving.paths import Paths
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import ABSOLUTE_GAP, PRECISION, Options, SolverError
from optimiser.solving.sifting import Core, Sifted
from optimiser.solving.stepping import improve
from optimiser.solving.structure import Structure
from optimiser.system.interrupts import Interrupt

LARGE = 8_000  # rows and columns together: with fewer HiGHS alone is as quick, or quicker
HUGE = 200_000  # rows and columns together: with more a dive takes longer than the paths one by one
NODES = 4  # linear programs of branching between two looks at whether to dive
WITHIN_REACH = 24  # the same where what proves the plan is within reach: as long as a dive
NEAR = 0.1  # of what the last branches brought is missing: a few more bring it sooner than a dive
TRIED = 2  # known plans that are tried between them
WORK = 12  # iterations of the simplex, for each row and column, after which HiGHS takes over
WORK_ON_ORDERS = 3  # the same, where nothing weighty is left to branch on
OUTWEIGHS = (
    30.0  # how dear one unit of what is aimed at is, of the dearest unit of what leads to it
)
CAREFUL = 0.98  # what part of the gap is used: rounding may cost the rest


@dataclass(frozen=True, eq=False)
class Attempt:
    """A linear program with integers held, and its cost; infinite where it was given up."""

    whole: Floats
    objective: float = INFINITY


@dataclass
class Known:
    """A warm start from near programs: plans to try (their integers), a basis of the relaxation
    with the columns and rows that matter, and the gains of branches.

    `feasible`: only the costs differ, so the basis is that of a point of the relaxation. `bound`:
    no plan costs less.
    """

    plans: Iterable[Floats] = ()
    root: Basis | None = None
    core: Core | None = None
    gains: Gains = field(default_factory=Gains)
    feasible: bool = False
    bound: float = -INFINITY


@dataclass(frozen=True, eq=False)
class StageContext:
    """The place of a program among those that are minimised in turn.

    `then`: the costs of the one by which plans are judged, where that follows. `longest`: the time
    that the first plan may take, where the time limit is only the share of this program [s].
    `root`: the last basis of the relaxation of the one before.
    """

    then: Floats | None = None
    longest: float = 0.0
    root: Basis | None = None


@dataclass(eq=False)
class Engine:
    """The search of one program.

    `patience`: linear programs of branching before HiGHS takes over one without scenarios.
    `threads`: the result is the same with one and with two. `any_plan`: whether the plan of a dive
    is enough. `best` is the best plan so far, `attempts` are all that were tried, `phase` names the
    present step. `aim`: the program with the costs to prove, where those of `program` lead to them.
    `until`: when it ends once it has a plan, on the clock of time.perf_counter [s].
    """

    program: Program
    structure: Structure
    gap: float
    clock: SearchClock
    known: Known = field(default_factory=Known)
    patience: int = 0
    any_plan: bool = False
    threads: int = 1
    best: FeasiblePoint | None = None
    attempts: list[Attempt] = field(default_factory=list)
    master: Master | None = None
    root: Vertex | None = None
    tree: SearchTree | None = None
    phase: str = ""
    aim: Program | None = None
    until: float = INFINITY

    def __post_init__(self) -> None:
        self._plans: Iterator[Floats] = iter(self.known.plans)
        self._core = self.known.core if self.known.root is not None else None
        self._dived: set[Subproblem] = set()
        self._paths: Paths | None = None
        self._least = self.known.bound if self.aim is None else self.aim.least

    @property
    def enough(self) -> float:
        """Return the bound that proves the best plan."""
        if self.best is None:
            return INFINITY
        objective = self.judge.objective(self.best.x)
        return objective - max(
            CAREFUL * self.gap * abs(objective), ABSOLUTE_GAP / 2, PRECISION * abs(objective) / 2
        )

    @property
    def judge(self) -> Program:
        """Return the program whose plans are proven."""
        return self.aim or self.program

    @property
    def bound(self) -> float:
        """Return the proven bound: no plan costs less."""
        if self.tree is not None:
            return max(self._least, self.tree.bound)
        return self._least if self.root is None else max(self._least, self.root.bound)

    @property
    def nodes(self) -> int:
        """Return the number of linear programs of branching."""
        return 0 if self.tree is None else self.tree.nodes

    @property
    def proven(self) -> bool:
        """Return whether the best plan is proven, or that there is none."""
        return self.bound >= self.enough if self.best is not None else self.bound == INFINITY

    def run(self) -> None:
        """Search until the best plan is proven, or this search gives up.

        Raises OutOfTime and SolverError.
        """
        master = self._mastered()
        self._try(master, until_one=True)
        if self.proven:
            return
        self.root = self._relaxed(master)
        if self.root.solved and not self.program.integer.any():
            whole = master.relaxation.program
            x = np.clip(self.root.x, whole.lower, whole.upper)
            self._take(FeasiblePoint(np.zeros(0), x, self.program.objective(x)))
        apart = self.aim is None and len(self.structure.tree.paths) > 1
        by_paths = PathBounds(master, self.gap).bound if apart else None
        self.tree = SearchTree(master, self.root, self.known.gains, self.gap, by_paths)
        if self.any_plan:
            self._dive(master)
            self._step(master)
            if self.best is not None:
                return
        if self.aim is None:
            self._branch(master, self.tree)
        else:
            self._branch_led(master, self.tree, self.aim)

    def relax(self) -> None:
        """Solve the relaxation alone. Raises OutOfTime and SolverError."""
        self.root = self._relaxed(self._mastered())

    def _mastered(self) -> Master:
        """Return the relaxation of the program, of which parts are solved."""
        extended = Master.program_of(self.program, self.structure)
        relaxation = (
            LinearProgram(extended, self.clock)
            if self._core is None
            else Sifted(extended, self.clock, self._core)
        )
        self.master = Master(self.program, self.structure, relaxation, self.aim, self.threads)
        return self.master

    def _branch_led(self, master: Master, tree: SearchTree, aim: Program) -> None:
        """Plan from the root, raise the bound by weighty branches, plan again from the lowest
        bound, and raise it by the other branches.
        """
        most = self.clock.iterations + WORK * (self.program.rows + self.program.columns)
        several, growing = len(self.structure.tree.paths) > 1, True
        while not self.proven:
            self._dive(master)
            if self.best is not None and several and not self.proven:
                self.phase = "improving the plan"
                self._take(decide_afresh(master, self.best, aim, self.gap, self.clock))
            if not several and not tree.weighty:
                self._step(master)
            if not (several and growing):
                break  # a chain as it is: the cuts of HiGHS raise its bound more than branches do
            self.phase, weighty = "branching", tree.weighty
            while growing and not self.proven and (tree.weighty or not weighty):
                growing = tree.grow(self.enough, NODES) and self.clock.iterations < most

    def _branch(self, master: Master, tree: SearchTree) -> None:
        """Branch, dive and try known plans in turn, until the best plan is proven or this search
        gives up.
        """
        begun, size = self.clock.iterations, self.program.rows + self.program.columns
        nodes = NODES
        on_orders = 0 if len(self.structure.tree.paths) == 1 else WORK_ON_ORDERS * size
        while not self.proven and self.clock.iterations < begun + WORK * size:
            worked = self.clock.iterations >= begun + on_orders and self.nodes >= self.patience
            only_orders = worked and not tree.weighty
            if only_orders and not self._try(master):
                # The cuts of HiGHS raise their bound more than branches do, and need a good plan.
                self._dive(master)
                self._step(master)
                break
            self.phase, before = "branching", self.bound
            few = nodes if not tree.reaches(self.enough) else max(nodes, WITHIN_REACH)
            growing = tree.grow(self.enough, few)
            if self.proven:
                break
            rise = self.bound - before
            near = self.best is not None and self.enough - self.bound < NEAR * rise
            # While branches bring more than the gap, a dive would begin where the plan is not.
            rising = rise > self.gap * abs(self.bound)
            if not only_orders and not (growing and (near or rising)) and not self._try(master):
                vain = not self._dive(master) and self.best is not None
                nodes *= 1 + vain
            if not growing:
                break
        if not self.proven:
            self._path_by_path()  # HiGHS goes on from a plan

    def _relaxed(self, master: Master) -> Vertex:
        """Solve the relaxation: from the basis of a near program, path by path, or from nothing."""
        self.phase = "relaxation"
        if self.known.root is not None:
            return master.prove(
                Subproblem(),
                self.known.root,
                INFINITY if self.known.feasible else self.enough,
                self.known.feasible,
            )
        if len(self.structure.tree.paths) == 1:
            return master.prove(Subproblem())
        extended = Master.program_of(self.program, self.structure)
        paths = Paths(extended, self.structure, self.clock)
        several = len(self.structure.tree.paths)
        self.phase = f"relaxation, path 1 of {several}"
        for done in paths.grow():
            self.phase = (
                f"relaxation, path {done + 1} of {several}"
                if done < several
                else "relaxation of all paths"
            )
        root = master.prove(Subproblem(), paths.basis, primal=True)
        self._paths = paths
        if self.program.rows + self.program.columns >= HUGE:
            self._path_by_path()
        return root

    def _path_by_path(self) -> None:
        """Plan path by path where there is no plan, and take the plan; once."""
        if self.best is not None or self._paths is None:
            return
        self.phase, x = "planning path by path", self._paths.plan()
        self._paths = None
        if x is None:
            return
        x = x[: self.program.columns]
        x[self.program.integer] = np.round(x[self.program.integer])
        if self.program.holds(x):
            self._take(FeasiblePoint(x[self.program.integer], x, self.program.objective(x)))

    def _try(self, master: Master, until_one: bool = False) -> bool:
        """Try the next known plans. Return whether there were any."""
        tried = 0
        for whole in self._plans:
            self.phase = "known plans"
            if self._core is None:
                found = attempt(master, whole, self.worst)
            else:
                found, used = attempt_anew(self.program, whole, self.worst, self._core, self.clock)
                self._core |= used
            self._note(whole, found)
            tried += 1
            if (
                self.proven
                or (until_one and found is not None)
                or (not until_one and tried == TRIED)
            ):
                break
        return tried > 0

    def _dive(self, master: Master) -> bool:
        """Dive from the branch with the lowest bound, once from each.

        Return whether the plan is better.
        """
        lowest = None if self.tree is None else self.tree.lowest
        if lowest is None or lowest[0] in self._dived:
            return False
        self.phase = "diving for a plan"
        self._dived.add(lowest[0])
        before, found = self.best, dive(master, *lowest, self.worst)
        if found is not None:
            self._note(found.whole, found)
        else:
            self._path_by_path()
        return self.best is not before

    def _step(self, master: Master) -> None:
        """Improve the best plan by single steps."""
        self.phase = "improving the plan"
        if self.best is not None and not self.proven:
            # What would prove it: a plan within the gap of the bound.
            enough = (
                self.bound + CAREFUL * self.gap * abs(self.bound) if self.aim is None else -INFINITY
            )
            self._take(improve(master, self.best, self.gap, enough))

    def _note(self, whole: Floats, found: FeasiblePoint | None) -> None:
        self.attempts.append(Attempt(whole, INFINITY if found is None else found.objective))
        self._take(found)

    def _take(self, found: FeasiblePoint | None) -> None:
        if found is not None and found.objective < self.worst:
            self.best = found
            self.clock.deadline = min(self.clock.deadline, self.until)

    def warm_start(self) -> tuple[Basis | None, Core | None]:
        """Return the basis of the relaxation, and the columns and rows that mattered."""
        master, root = self.master, self.root
        if master is None or root is None or root.basis is None:
            return None, None
        relaxation = master.relaxation
        basis = relaxation.kept(root.basis)
        if self._core is not None and isinstance(relaxation, Sifted):
            return basis, self._core | relaxation.core | Core.of(basis, self.program.rows)
        ends = [] if self.tree is None else self.tree.bases
        if self.best is not None and self.best.basis is not None:
            ends.append(self.best.basis)
        rows = self.program.rows
        return basis, functools.reduce(
            or_, (Core.of(relaxation.kept(each), rows) for each in ends), Core.of(basis, rows)
        )

    @property
    def worst(self) -> float:
        """Return the cost of the incumbent; infinite where there is none."""
        return INFINITY if self.best is None else self.best.objective

    def solution(self, options: Options) -> ProgramSolution:
        """Return how it ended, the plan at a vertex of its linear program, with its duals."""
        bound = None if self.bound == -INFINITY else self.bound
        if self.best is None:  # that there is none is for HiGHS to say
            return ProgramSolution(
                "no_plan", bound=None if bound == INFINITY else bound, nodes=self.nodes
            )
        found = highs.judged(self.judge, self.best.x, bound, self.nodes, options)
        exact = self._at_its_basis(found, options)
        if exact is None and self.aim is None:
            exact = highs.polished(self.program, found, options, self.clock.interrupt)
        return replace(
            exact or found,
            basis=None if self.root is None or not self.root.solved else Basis.of(self.root.basis),
        )

    def _at_its_basis(self, found: ProgramSolution, options: Options) -> ProgramSolution | None:
        """Solve the linear program of the best plan, from the basis in which it was found, with
        nothing but its integers held.
        """
        best, master, program = self.best, self.master, self.program
        if best is None or best.basis is None or master is None:
            return None
        relaxation = master.relaxation
        relaxation.clock = SearchClock(time.perf_counter() + highs.POLISHING)
        try:
            vertex = master.solve(Subproblem().hold(master.integers, best.whole), best.basis)
        except (OutOfTime, SolverError):
            return None
        if not vertex.solved or not program.holds(x := point(program, vertex, best.whole)):
            return None
        exact = highs.judged(self.judge, x, found.bound, found.nodes, options)
        if self.aim is not None:
            try:
                vertex = relaxation.priced(self.aim.cost, self.aim.offset)
            except (OutOfTime, SolverError):
                return exact
            if not vertex.solved:  # without prices the plan is one all the same
                return exact
        # Rows for sums are free here: their duals are 0.
        reduced = self.judge.cost - relaxation.matrix.T @ vertex.dual
        return replace(exact, row_dual=vertex.dual[: program.rows], column_dual=reduced)


def optimise(
    program: Program,
    structure: Structure,
    options: Options,
    interrupt: Interrupt,
    watch: highs.Watch | None = None,
    start: Floats | None = None,
    context: StageContext | None = None,
) -> ProgramSolution:
    """Minimise a program.

    `start` is a feasible point to begin with; `context` is where it stands among those that are
    minimised in turn. Raises Unbounded and SolverError.
    """
    any_plan = options.target == INFINITY
    if not (any_plan or pays(program, structure)) or interrupt.requested:
        return highs.optimise(program, options, interrupt, watch, start)
    begun = time.perf_counter()
    engine = _engine(program, structure, options, interrupt, start, context or StageContext())
    engine.clock.tick = None if watch is None else Ticker(engine, watch, begun)
    goes_on = _run(engine)
    first = engine.solution(options)
    left = (engine.clock.deadline if first.x is None else engine.until) - time.perf_counter()
    enough = first.status == "optimal" or (any_plan and first.x is not None)
    if not goes_on or enough or left <= 0 or interrupt.requested:
        return first
    rest = replace(options, time_limit=left)
    found = highs.optimise(program, rest, interrupt, watch, first.x)
    found = better(program, found, first, options)
    if engine.aim is not None and found.x is not None and found.x is not first.x:
        found = _cheapest(engine.program, program, found, options, interrupt)
    return replace(found, basis=first.basis)


def _engine(
    program: Program,
    structure: Structure,
    options: Options,
    interrupt: Interrupt,
    start: Floats | None,
    context: StageContext,
) -> Engine:
    """Return the search of a program from a feasible point, with its time limit."""
    begun = time.perf_counter()
    until = begun + options.time_limit
    searched, aim, best = program, None, None
    if context.then is not None:
        searched, aim = led(program, context.then), program
    if start is not None:
        whole = np.round(start[program.integer])
        best = FeasiblePoint(whole, start, searched.objective(start))
    known = Known() if context.root is None else Known(root=context.root, feasible=True)
    deadline = until if best is not None else max(until, begun + context.longest)
    return Engine(
        searched,
        structure,
        options.gap,
        SearchClock(deadline, interrupt),
        known,
        any_plan=options.target == INFINITY,
        threads=min(options.threads or 2, os.cpu_count() or 1),
        best=best,
        aim=aim,
        until=until,
    )


def _run(engine: Engine) -> bool:
    """Run a search. Return whether HiGHS may continue it: not where its time is over."""
    try:
        engine.run()
    except OutOfTime:
        return False
    except highs.Stuck:
        if engine.best is None:
            raise
        return False
    except SolverError:
        pass  # HiGHS continues from the best plan and the bound
    return True


def _cheapest(
    searched: Program,
    aim: Program,
    found: ProgramSolution,
    options: Options,
    interrupt: Interrupt,
) -> ProgramSolution:
    """Return a plan as good by the aim, the cheapest by the costs that follow with its integers."""
    cheapest = highs.polished(searched, found, options, interrupt)
    if cheapest is None or cheapest.x is None:
        return found
    judged = highs.judged(aim, cheapest.x, found.bound, found.nodes, options)
    return replace(judged, row_dual=found.row_dual, column_dual=found.column_dual)


def led(program: Program, then: Floats) -> Program:
    """Return the program with the costs of the objective that follows, and its own so dear that
    hardly anything outweighs them.
    """
    largest = np.abs(then).max(initial=0.0) / (np.abs(program.cost).max(initial=0.0) or 1.0)
    return replace(program, cost=then + OUTWEIGHS * largest * program.cost, offset=0.0)


def pays(program: Program, structure: Structure) -> bool:
    """Return whether this search is worth its while."""
    return program.rows + program.columns >= LARGE and (
        bool(program.integer.any()) or len(structure.tree.paths) > 1
    )


def better(
    program: Program, found: ProgramSolution, first: ProgramSolution, options: Options
) -> ProgramSolution:
    """Return what HiGHS found, or what it began with where that is as good, at the better of their
    bounds. A bound above that plan contradicts it: none is taken.
    """
    if found.status == "infeasible":
        return found if first.x is None else first
    best = min(
        (each for each in (found, first) if each.objective is not None),
        key=lambda each: each.objective or 0.0,
        default=found,
    )
    bounds = [each.bound for each in (found, first) if each.bound is not None]
    if best.x is None or best.objective is None:
        return replace(found, bound=max(bounds, default=None))
    most = best.objective + ABSOLUTE_GAP + PRECISION * abs(best.objective)
    bound = max((each for each in bounds if each <= most), default=None)
    judged = highs.judged(program, best.x, bound, first.nodes + found.nodes, options)
    return replace(judged, row_dual=best.row_dual, column_dual=best.column_dual)


@dataclass
class Ticker:
    """Reports the progress of a search, at most once in REPORTING seconds."""

    engine: Engine
    watch: highs.Watch
    begun: float
    due: float = 0.0

    def __call__(self) -> None:
        now = time.perf_counter()
        if now >= self.due:
            self.due = now + highs.REPORTING
            bound, best = self.engine.bound, self.engine.best
            known = None if not np.isfinite(bound) else bound
            incumbent = None if best is None else self.engine.judge.objective(best.x)
            self.watch(
                Snapshot(now - self.begun, self.engine.nodes, incumbent, known, self.engine.phase)
            )
