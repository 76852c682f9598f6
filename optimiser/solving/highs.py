"""Solve a program by HiGHS: load it, run HiGHS in the background so that Ctrl-C and progress work,
and return how it ended.

A mixed-integer search is followed by the linear program with the integers fixed at whole values:
its vertex is exact where the search allows a tolerance, and its duals say what a limit is worth.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import highspy
import numpy as np
from highspy import HighsBasisStatus, HighsModelStatus, HighsStatus

from optimiser.solving.even_scale import EvenScale
from optimiser.solving.program import INFINITY, Floats, Program
from optimiser.solving.search_options import (
    ABSOLUTE_GAP,
    Options,
    SolverError,
    Status,
    relative_gap,
)
from optimiser.system.interrupts import Interrupt

# How far from whole an integer may be. The first is HiGHS's tolerance of rows: at the 1e-6 that it
# takes of itself its presolve takes what is possible for impossible (of orders in steps of 1 beside
# some of 10^5 it says that there is no plan, or none better than the first), and much below it its
# search loses plans. The second is for the rare search whose answer does not survive rounding: an
# order of 7 under a bound of 10^7 hides its fixed cost inside the first.
LOOSE, TIGHT = 1e-7, 1e-9
ENDINGS = (
    HighsModelStatus.kOptimal,
    HighsModelStatus.kTimeLimit,
    HighsModelStatus.kInterrupt,
    HighsModelStatus.kObjectiveTarget,
    HighsModelStatus.kSolutionLimit,
)
RAY = 1e-7  # a cost that falls by less than this along a ray does not fall
AT_BOUND = 1e-7  # how near to a bound a value lies at it, absolutely and relatively
LOOSELY = 1e-2  # tolerance of the costs of the interior point where only its rows matter
INTERIOR = "ipm"  # HiGHS's option solver
DUAL_SIMPLEX, PRIMAL_SIMPLEX = 1, 4  # HiGHS's option simplex_strategy
POLISHING = 10.0  # least time limit of the linear program after a search [s]
POLLING = 0.1  # between two looks at a search [s]
LEAVING = 1.0  # longest wait for a search that is given up [s]
REPORTING = 1.0  # least time between two reports of progress [s]


@dataclass(frozen=True)
class Snapshot:
    """The progress of a search."""

    seconds: float
    nodes: int = 0
    incumbent: float | None = None
    bound: float | None = None
    phase: str = "HiGHS"


Watch = Callable[[Snapshot], None]


class Reporter(Protocol):
    """Describe what is called several times a second while HiGHS runs."""

    def report(self) -> None:
        """Report the progress, where it is time to."""
        ...


class Unbounded(Exception):
    """The cost falls without limit as `columns` move together."""

    def __init__(self, columns: tuple[int, ...]) -> None:
        super().__init__("the cost falls without limit")
        self.columns = columns


class Stuck(KeyboardInterrupt):
    """A search does not end though it should: HiGHS looks only now and then, at times not for half
    a minute.
    """


@dataclass(frozen=True, eq=False)
class ProgramSolution:
    """Describe how a program ended. `x`: one value for each column.

    `bound`: no plan can cost less. `row_dual`, `column_dual`: change of the objective for one more
    unit of a row's or column's bound, the integers fixed; None where they are not known. `basis`:
    in which the relaxation ended, where that is known.
    """

    status: Status
    x: Floats | None = None
    objective: float | None = None
    bound: float | None = None
    nodes: int = 0
    row_dual: Floats | None = None
    column_dual: Floats | None = None
    basis: Any = None


def version() -> str:
    """Return name and version of HiGHS."""
    parts = (
        highspy.HIGHS_VERSION_MAJOR,
        highspy.HIGHS_VERSION_MINOR,
        highspy.HIGHS_VERSION_PATCH,
    )
    return f"HiGHS {'.'.join(map(str, parts))}"


class Silent(highspy.Highs):
    """HiGHS that prints nothing.

    Since 1.16 it prints its name as soon as callbacks are enabled, which its constructor does.
    """

    def enableCallbacks(self) -> None:
        """Enable callbacks, with nothing printed."""
        _option(self, "log_to_console", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def load(program: Program) -> highspy.Highs:
    """Return a silent HiGHS object that holds the program. Raises SolverError where it refuses."""
    h = Silent()  # type: ignore[no-untyped-call]
    status = h.passModel(
        program.columns,
        program.rows,
        len(program.value),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        program.offset,
        program.cost,
        program.lower,
        program.upper,
        program.row_lower,
        program.row_upper,
        program.start,
        program.index,
        program.value,
        program.integer.astype(np.int32),
    )
    if status == HighsStatus.kError:
        raise SolverError(
            "HiGHS refuses the model: a coefficient is above 1e15, or a bound is no number"
        )
    return h


def optimise(
    program: Program,
    options: Options,
    interrupt: Interrupt,
    watch: Watch | None = None,
    known: Floats | None = None,
) -> ProgramSolution:
    """Minimise. `known` is a feasible point to begin with. Raises Unbounded and SolverError.

    Where HiGHS gives up, it is asked once more in units in which the numbers are less far apart.
    """
    deadline = time.perf_counter() + options.time_limit
    try:
        return _minimised(program, options, interrupt, watch, known)
    except SolverError:
        units = EvenScale.of(program)
        left = replace(options, time_limit=max(0.0, deadline - time.perf_counter()))
        begin = None if known is None else known / units.column
        found = _minimised(units.scaled(program), left, interrupt, watch, begin)
    return _in_units_of(program, units, found, options)


def _in_units_of(
    program: Program, units: EvenScale, found: ProgramSolution, options: Options
) -> ProgramSolution:
    """Return a solution that was found in other units in those of its program."""
    if found.x is None:
        return found
    x = np.clip(found.x * units.column, program.lower, program.upper)
    return replace(
        judged(program, x, found.bound, found.nodes, options),
        row_dual=None if found.row_dual is None else found.row_dual / units.row,
        column_dual=None if found.column_dual is None else found.column_dual / units.column,
    )


def _minimised(
    program: Program,
    options: Options,
    interrupt: Interrupt,
    watch: Watch | None,
    known: Floats | None,
) -> ProgramSolution:
    """Minimise in the units of the program."""
    if not program.columns:
        # Rows without entries stand in a program only where they cannot hold.
        nothing = np.zeros(0)
        return (
            ProgramSolution("infeasible")
            if program.rows
            else ProgramSolution(
                "optimal", nothing, program.offset, program.offset, 0, nothing, nothing
            )
        )
    if interrupt.requested:
        return ProgramSolution("no_plan")
    if not program.integer.any():
        return _solve_linear(program, options, interrupt)
    deadline = time.perf_counter() + options.time_limit
    found, finished = _search(program, options, LOOSE, interrupt, watch, known)
    if found.x is None:
        return found
    exact = polished(program, found, options, interrupt)
    if exact is not None and (not finished or exact.status == "optimal"):
        return exact
    # Made whole, the integers cost more than the search thought, or fit no plan at all.
    bound = -INFINITY if found.bound is None else found.bound
    search = WholeSearch(options, interrupt, watch, deadline, exact, found.nodes)
    return search.run(program, bound)


@dataclass(eq=False)
class WholeSearch:
    """The continuation of a search whose integers are whole within its tolerance only.

    It searches more tightly; where a decision hides in that tolerance too, it branches on both
    sides of it. `best` is the best plan so far whose integers are whole; `proven` is the least
    bound of what is closed; `deadline` is on the clock of time.perf_counter [s].
    """

    options: Options
    interrupt: Interrupt
    watch: Watch | None
    deadline: float
    best: ProgramSolution | None
    nodes: int
    proven: float = INFINITY

    def run(self, program: Program, bound: float) -> ProgramSolution:
        """Search a program with a known bound, the side with the lowest bound first."""
        waiting = [(program, bound)]
        while waiting:
            waiting.sort(key=lambda each: each[1], reverse=True)
            waiting += self._branch(*waiting.pop())
        best, proven = self.best, self.proven
        if best is None or best.x is None:
            if proven == INFINITY:
                return ProgramSolution("infeasible", nodes=self.nodes)
            return ProgramSolution("no_plan", bound=proven, nodes=self.nodes)
        bounded = None if proven == -INFINITY else proven
        whole = judged(program, best.x, bounded, self.nodes, self.options)
        return replace(whole, row_dual=best.row_dual, column_dual=best.column_dual)

    def _branch(self, program: Program, bound: float) -> list[tuple[Program, float]]:
        """Search a side, and return the sides that it splits into, with their bound."""
        left = replace(self.options, time_limit=max(0.0, self.deadline - time.perf_counter()))
        if self._enough(bound) or left.time_limit == 0 or self.interrupt.requested:
            self.proven = min(self.proven, bound)
            return []
        again, ended = self._searched(program, left)
        self.nodes += again.nodes
        if again.status == "infeasible":
            return []
        bound = bound if again.bound is None else max(bound, again.bound)
        whole = None
        if again.x is not None:
            whole = polished(program, again, self.options, self.interrupt)
        self._take(whole)
        if ended and (whole is None or whole.status != "optimal"):
            sides = _sides(program, again)
            if sides:
                return [(side, bound) for side in sides]
        self.proven = min(self.proven, bound)
        return []

    def _enough(self, bound: float) -> bool:
        """Return whether the best plan is within the gap of a bound."""
        objective = None if self.best is None else self.best.objective
        return objective is not None and bound >= objective - self.options.gap * abs(objective)

    def _searched(self, program: Program, options: Options) -> tuple[ProgramSolution, bool]:
        """Search more tightly; where HiGHS gives up at so tight a tolerance, as before."""
        known = None if self.best is None else self.best.x
        try:
            return _search(program, options, TIGHT, self.interrupt, self.watch, known)
        except SolverError:
            return _search(program, options, LOOSE, self.interrupt, self.watch, known)

    def _take(self, whole: ProgramSolution | None) -> None:
        """Keep a plan that is better than the best so far."""
        objective = None if self.best is None else self.best.objective
        if whole is not None and (objective is None or (whole.objective or 0.0) < objective):
            self.best = whole


def _sides(program: Program, inexact: ProgramSolution) -> list[Program]:
    """Return the program on either side of the integer that is least whole; none where all are
    exactly whole.
    """
    assert inexact.x is not None
    away = np.where(program.integer, np.abs(inexact.x - np.round(inexact.x)), 0.0)
    j = int(np.argmax(away))
    if away[j] == 0:
        return []
    lower, upper = program.lower.copy(), program.upper.copy()
    upper[j], lower[j] = np.floor(inexact.x[j]), np.ceil(inexact.x[j])
    return [replace(program, upper=upper), replace(program, lower=lower)]


def _search(
    program: Program,
    options: Options,
    tolerance: float,
    interrupt: Interrupt,
    watch: Watch | None,
    known: Floats | None,
) -> tuple[ProgramSolution, bool]:
    """Run one branch-and-bound. Return its solution, and whether it came to its end."""
    h = load(program)
    prepare(h, options)
    _option(h, "mip_feasibility_tolerance", tolerance)
    if known is not None:
        start = highspy.HighsSolution()
        start.col_value = known.tolist()
        h.setSolution(start)
        _option(h, "mip_heuristic_run_feasibility_jump", False)  # a heuristic for a first plan
    progress = _Progress(watch)
    h.cbMipImprovingSolution.subscribe(progress.keep)
    h.cbMipLogging.subscribe(progress.look)
    try:
        run(h, interrupt, progress)
    except Stuck:
        x = known if progress.x is None else progress.x
        if x is None:
            raise
        return judged(program, x, progress.bound, progress.nodes, options), False
    ended, info = h.getModelStatus(), h.getInfo()
    if ended == HighsModelStatus.kInfeasible:
        return ProgramSolution("infeasible", nodes=max(0, info.mip_node_count)), True
    if ended in (HighsModelStatus.kUnbounded, HighsModelStatus.kUnboundedOrInfeasible):
        return _unbounded_or_infeasible(program, options, interrupt), True
    _refuse_failure(h, ended)
    bound = info.mip_dual_bound if abs(info.mip_dual_bound) < highspy.kHighsInf else None
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return ProgramSolution("no_plan", bound=bound, nodes=info.mip_node_count), False
    x = np.array(h.getSolution().col_value)
    return (
        judged(program, x, bound, info.mip_node_count, options),
        ended == HighsModelStatus.kOptimal,
    )


def polished(
    program: Program, found: ProgramSolution, options: Options, interrupt: Interrupt
) -> ProgramSolution | None:
    """Return the best plan with the integers of a solution rounded, and its duals; None where they
    fit no plan.
    """
    assert found.x is not None
    fixed = program.fixed(np.round(found.x[program.integer]))
    h = load(fixed)
    prepare(h, replace(options, time_limit=max(POLISHING, options.time_limit)))
    start_at(h, fixed, found.x)
    run(h, interrupt, stoppable=False)
    if h.getModelStatus() != HighsModelStatus.kOptimal:
        return None
    solution = h.getSolution()
    better = judged(
        program,
        np.clip(solution.col_value, fixed.lower, fixed.upper),
        found.bound,
        found.nodes,
        options,
    )
    return replace(
        better, row_dual=np.array(solution.row_dual), column_dual=np.array(solution.col_dual)
    )


def start_at(h: highspy.Highs, program: Program, x: Floats) -> None:
    """Let the primal simplex begin at a solution: what lies at a bound is non-basic.

    Several times faster than to presolve and begin anew (HiGHS repairs a basis that is not square).
    """
    begin_at(
        h,
        _bases(x, program.lower, program.upper),
        _bases(program.activity(x), program.row_lower, program.row_upper),
    )


def begin_at(
    h: highspy.Highs, columns: list[HighsBasisStatus], rows: list[HighsBasisStatus]
) -> None:
    """Let the primal simplex begin at a basis, square or not."""
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status = columns, rows
    basis.valid = basis.alien = True
    h.setBasis(basis)
    _option(h, "presolve", "off")
    _option(h, "simplex_strategy", PRIMAL_SIMPLEX)


def _bases(value: Floats, lower: Floats, upper: Floats) -> list[HighsBasisStatus]:
    near = AT_BOUND * (1 + np.abs(value))
    at = np.where(value <= lower + near, -1, np.where(value >= upper - near, 1, 0))
    names = {-1: HighsBasisStatus.kLower, 0: HighsBasisStatus.kBasic, 1: HighsBasisStatus.kUpper}
    return [names[each] for each in at.tolist()]


def judged(
    program: Program, x: Floats, bound: float | None, nodes: int, options: Options
) -> ProgramSolution:
    """Return a plan as a solution: optimal where its own cost is within the gap of the bound,
    whatever the solver calls it.
    """
    objective = program.objective(x)
    bound = None if bound is None else min(bound, objective)
    gap = relative_gap(objective, bound)
    return ProgramSolution(
        "optimal" if gap is not None and gap <= options.gap else "feasible",
        x,
        objective,
        bound,
        nodes,
    )


def optimise_inside(program: Program, options: Options, interrupt: Interrupt) -> ProgramSolution:
    """Minimise a linear program by the interior point, and go on to a vertex.

    Where there is no plan it sees so up to a hundred times sooner than the simplex, by how its
    iterates grow: that is no proof (E. D. Andersen and Y. Ye, Math. Program. 84, 1999). Raises
    Unbounded and SolverError.
    """
    try:
        return _solve_linear(program, options, interrupt, INTERIOR)
    except SolverError:  # it gives up where the simplex does not
        return _solve_linear(program, options, interrupt)


def has_point(program: Program, options: Options, interrupt: Interrupt) -> bool:
    """Return whether a linear program has a point, by the interior point.

    It ends as soon as the rows hold: neither a vertex nor the costs matter. That there is none is
    no proof, as in `optimise_inside`. Raises SolverError.
    """
    h = load(replace(program.relaxed(), cost=np.zeros(program.columns)))
    prepare(h, options)
    _option(h, "solver", INTERIOR)
    _option(h, "run_crossover", "off")
    _option(h, "ipm_optimality_tolerance", LOOSELY)
    run(h, interrupt)
    ended = h.getModelStatus()
    if h.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        return True
    if ended in (HighsModelStatus.kInfeasible, HighsModelStatus.kTimeLimit):
        return False
    return optimise_inside(program, options, interrupt).x is not None  # it gives up


def _solve_linear(
    program: Program, options: Options, interrupt: Interrupt, method: str = "choose"
) -> ProgramSolution:
    h = load(program)
    prepare(h, options)
    _option(h, "solver", method)
    run(h, interrupt)
    ended, info, solution = h.getModelStatus(), h.getInfo(), h.getSolution()
    if ended == HighsModelStatus.kInfeasible:
        return ProgramSolution("infeasible")
    if ended in (HighsModelStatus.kUnbounded, HighsModelStatus.kUnboundedOrInfeasible):
        return _unbounded_or_infeasible(program, options, interrupt)
    _refuse_failure(h, ended)
    x = np.clip(solution.col_value, program.lower, program.upper)
    objective = program.objective(x)
    if ended == HighsModelStatus.kOptimal:
        return ProgramSolution(
            "optimal",
            x,
            objective,
            objective,
            0,
            np.array(solution.row_dual),
            np.array(solution.col_dual),
        )
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        return ProgramSolution("feasible", x, objective)
    return ProgramSolution("no_plan")


def _unbounded_or_infeasible(
    program: Program, options: Options, interrupt: Interrupt
) -> ProgramSolution:
    """Return which of the two it is.

    Raises Unbounded with the columns of a ray along which the cost falls.
    """
    far_lower, far_upper = (
        np.where(np.isfinite(each), 0.0, side)
        for each, side in ((program.lower, -1.0), (program.upper, 1.0))
    )
    row_lower, row_upper = (
        np.where(np.isfinite(each), 0.0, each) for each in (program.row_lower, program.row_upper)
    )
    cone = replace(
        program.relaxed(),
        offset=0.0,
        lower=far_lower,
        upper=far_upper,
        row_lower=row_lower,
        row_upper=row_upper,
    )
    ray = _solve_linear(cone, options, interrupt)
    if ray.x is None or ray.objective is None:
        return ProgramSolution("no_plan")
    if ray.objective > -RAY:
        return ProgramSolution("infeasible")
    anywhere = optimise(
        replace(program, cost=np.zeros(program.columns), offset=0.0), options, interrupt
    )
    if anywhere.x is not None:
        raise Unbounded(tuple(np.flatnonzero(np.abs(ray.x) > RAY).tolist()))
    return anywhere


def prepare(h: highspy.Highs, options: Options) -> None:
    """Set the options of a search."""
    # 0 leaves it to HiGHS, which takes half of the cores (all were no faster); more than there are
    # can crash it.
    _option(h, "threads", min(options.threads, os.cpu_count() or 1))
    _option(h, "random_seed", options.seed % 2**31)
    _option(h, "time_limit", options.time_limit)
    # Slightly less than the gap, so that rounding afterwards stays within it.
    _option(h, "mip_rel_gap", 0.999 * options.gap)
    _option(h, "mip_abs_gap", ABSOLUTE_GAP)
    _option(h, "mip_min_logging_interval", REPORTING)
    _option(h, "objective_target", options.target)
    if options.nodes is not None:
        _option(h, "mip_max_nodes", options.nodes)


def _option(h: highspy.Highs, name: str, value: bool | int | float | str) -> None:
    if h.setOptionValue(name, value) != HighsStatus.kOk:
        raise SolverError(f"HiGHS does not take {value!r} as {name}")


def _refuse_failure(h: highspy.Highs, ended: HighsModelStatus) -> None:
    if ended not in ENDINGS:
        raise SolverError(f"HiGHS ended with the status {h.modelStatusToString(ended)!r}")


def run(
    h: highspy.Highs, interrupt: Interrupt, progress: Reporter | None = None, stoppable: bool = True
) -> None:
    """Run HiGHS in a thread of its own, while this one waits for Ctrl-C and reports progress.

    Raises Stuck where it does not end though it should; then the thread runs on, and nothing may be
    asked of `h`.
    """
    failed: list[BaseException] = []
    done = threading.Event()  # Thread.join takes a thread for ended when Ctrl-C comes in between

    def work() -> None:
        try:
            h.run()
        except BaseException as error:  # handed to the thread that waits
            failed.append(error)
        finally:
            h.resetGlobalScheduler(
                False
            )  # the scheduler belongs to this thread: the next may ask for other `threads`
            done.set()

    threading.Thread(target=work, daemon=True).start()
    stopping = math.inf
    try:
        while not done.is_set():
            try:
                if stoppable and interrupt.requested and stopping == math.inf:
                    stopping = time.perf_counter()
                    stop(h)
                done.wait(POLLING)
                if progress is not None:
                    progress.report()
                if time.perf_counter() > stopping + LEAVING and not done.is_set():
                    raise Stuck
            except Stuck:
                raise
            except KeyboardInterrupt:
                interrupt.press()
    except Stuck:
        raise
    except BaseException:
        stop(h)
        done.wait(LEAVING)  # a process that ends while HiGHS still runs ends in a crash
        raise
    h.clearCallbacks()  # type: ignore[no-untyped-call]
    if failed:
        raise SolverError(f"HiGHS failed: {failed[0]}") from failed[0]


def stop(h: highspy.Highs) -> None:
    """Let a run end as soon as it looks."""
    # Not from the start: HiGHS asks at every iteration of the simplex, and a call into Python costs
    # as much as that.
    for callback in (h.cbMipInterrupt, h.cbSimplexInterrupt, h.cbIpmInterrupt):
        callback.subscribe(lambda event: event.interrupt())


class _Progress:
    """The last state of the search, which the waiting thread reports, and the best plan so far.

    It reports as soon as there is anything, then once in REPORTING seconds.
    """

    def __init__(self, watch: Watch | None) -> None:
        self.watch, self.begun = watch, time.perf_counter()
        self.due = self.begun + REPORTING
        self.heard = False
        self.x: Floats | None = None
        self.incumbent: float | None = None
        self.bound: float | None = None
        self.nodes = 0

    def keep(self, event: Any) -> None:
        self.x = np.array(event.data_out.mip_solution)

    def look(self, event: Any) -> None:
        if not self.heard:
            self.heard, self.due = True, 0.0
        out = event.data_out
        self.incumbent, self.bound = (
            each if abs(each) < highspy.kHighsInf else None
            for each in (out.mip_primal_bound, out.mip_dual_bound)
        )
        self.nodes = out.mip_node_count

    def report(self) -> None:
        now = time.perf_counter()
        if self.watch is not None and now >= self.due:
            self.due = now + REPORTING
            self.watch(Snapshot(now - self.begun, self.nodes, self.incumbent, self.bound))
