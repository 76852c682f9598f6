"""From a workbook to a plan: read, build, solve, report, write.

What the command line and a program both call.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from optimiser.auditing import Audit, audit
from optimiser.execution.executor import Calls, cores
from optimiser.execution.processes import Processes
from optimiser.explaining.shortages import Explanation, why_infeasible
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.scenarios.bundles.bundle_planner import BundlePlanner
from optimiser.scenarios.bundles.parts import TOLERANCES, decisions, hold, part
from optimiser.scenarios.bundles.trunk_plan import DECIDED
from optimiser.solving.highs import version as highs_version
from optimiser.solving.model_file import check_model_file, write_model
from optimiser.solving.solve import Options, Outcome, Progress, UnboundedError, scenario_tree, solve
from optimiser.studies.engine import views
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import StudyProgress
from optimiser.studies.engine.study_key import common
from optimiser.studies.plan_what_ifs import answered
from optimiser.studies.what_ifs import WHAT_IFS
from optimiser.system.errors import Fault, InputError, OutputError
from optimiser.system.interrupts import Interrupt
from optimiser.system.versions import installed
from optimiser.workbook.read.input_reader import Reading, read
from optimiser.workbook.read.plan_reader import read_plan, spelt_alike
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from optimiser.workbook.write.plan_book import write
from stockpile_model import amounts
from stockpile_model.build import build
from stockpile_model.changes import Change
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

PACKAGES = ("stockpile-optimiser", "pyomo", "highspy", "numpy", "openpyxl", "xlsxwriter")
LEAST_SECONDS = 10.0  # of a search for a plan with whole orders [s]
BUNDLES = 10  # where a decomposition is asked for without a number

Watch = Callable[[Progress], None] | None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to plan and how. None means: as the workbook's settings say."""

    source: Path
    output: Path | None = None
    changes: Sequence[Change] = ()
    gap: float | None = None
    time_limit: float | None = None
    threads: int | None = None
    solver: str | None = None
    model_file: Path | None = None
    firm: bool = False  # plan with firm supply only too, and compare
    shares: bool = False  # plan for every group of buyers too, and split the cost
    value: bool = False  # plan for each scenario alone and for their mean too
    floors: bool = False  # plan with each other level of each contract too
    whole_orders: bool = False  # plan with whole orders beyond firm_periods too
    bundles: int | None = (
        None  # plan the scenarios in so many bundles: none of their models holds all
    )
    workers: int = 0  # processes that plan bundles; 0 = one for each core
    decompose: Literal["lagrangian", "ef"] | None = (
        None  # by mpi-sppy, over the ranks of an MPI run
    )
    force: bool = (
        False  # replace any file at `output` and `model_file`, not only what this program wrote
    )


@dataclass(frozen=True)
class Answer:
    """How it ended: a status of the contract, the plan and where it was written, or why there is
    none.
    """

    status: str
    seconds: float
    plan: Plan | None = None
    path: Path | None = None
    explanation: Explanation | None = None
    interrupted: bool = False


def default_output(source: Path) -> Path:
    """`gallium-plan.xlsx` beside `gallium.xlsx`."""
    source = source.resolve()
    return source.with_name(f"{source.stem if source.is_file() else source.name}-plan.xlsx")


def plan_workbook(
    request: Request,
    say: Callable[[str], None],
    progress: Watch = None,
    runs: Callable[[StudyProgress], None] | None = None,
) -> Answer:
    """Plan a workbook and write the plan. `say` gets messages, a line each.

    Raises InputError for a workbook that is wrong (also one that lets the cost fall without limit),
    OutputError, SolverError, and AuditError for a plan that its input does not bear out.
    """
    began = time.perf_counter()
    output = request.output or default_output(request.source)
    for path in (output, request.model_file):
        if path is not None and same_file(path, request.source):
            raise OutputError(
                f"{path}: is the input workbook, which is never written to; choose another name"
            )
    check_target(output)
    refuse_foreign(output, Kind.PLAN, request.force)
    if request.model_file is not None:
        check_model_file(request.model_file, request.force)
    reading = read(request.source, request.changes)
    for fault in reading.warnings:
        say(f"warning: {fault}")
    read_at = time.perf_counter()
    if request.bundles is not None or request.decompose is not None:
        return _plan_bundles(request, reading, began, say, progress)
    formulation = build(reading.stockpile)
    refuse_in_vain(request, formulation.stockpile)
    built_at = time.perf_counter()
    if request.model_file is not None:
        objective = write_model(formulation.m, request.model_file)
        say(f"the model is in {request.model_file}" + _of_two(formulation, objective))
    options = _options(reading.stockpile.settings, request)
    with Interrupt() as interrupt:  # from here on there may be a plan to keep
        outcome = _solve(formulation, options, progress, request.solver)
        solved_at = time.perf_counter()
        if outcome.objective is not None:
            run = {
                **_run(request, reading, options, outcome),
                "seconds reading": round(read_at - began, 3),
                "seconds building": round(built_at - read_at, 3),
                "seconds solving": round(solved_at - built_at, 3),
            }
            plan = audited(make_plan(formulation, outcome, map(str, reading.warnings), run))
            if not interrupt.requested:
                try:
                    with Interrupt(keeps=False):
                        if request.whole_orders:
                            plan = with_whole_orders(
                                plan,
                                formulation,
                                options,
                                outcome.seconds,
                                progress,
                                request.solver,
                            )
                        plan = with_what_ifs(
                            plan, request, reading.stockpile, options, output, runs
                        )
                except KeyboardInterrupt:
                    interrupt.requested = True
                    say(
                        "interrupted: the plan is written without what was still to be planned"
                        " beside it"
                    )
            write(plan, output)
            return Answer(
                plan.status,
                time.perf_counter() - began,
                plan,
                output,
                interrupted=interrupt.requested,
            )
    explanation = why_infeasible(formulation, options) if outcome.status == "infeasible" else None
    return Answer(
        outcome.status,
        time.perf_counter() - began,
        explanation=explanation,
        interrupted=outcome.interrupted,
    )


def refuse_in_vain(request: Request, stockpile: Stockpile) -> None:
    """Raise InputError where what is asked for beside the plan does not fit the workbook: before
    the search, not after it.
    """
    for what_if in WHAT_IFS:
        if getattr(request, what_if.option):
            what_if.refuse(stockpile)
    firm = stockpile.settings.firm_periods
    if request.whole_orders and (firm is None or firm >= stockpile.settings.periods):
        cell = stockpile.address(Settings.TABLE, 0, "firm_periods")
        raise InputError(
            [
                Fault(
                    cell,
                    "--whole-orders tells what relaxed orders matter: without firm_periods all"
                    " orders are whole",
                )
            ]
        )
    if request.whole_orders and stockpile.settings.objective == "shortfall_first":
        cell = stockpile.address(Settings.TABLE, 0, "objective")
        raise InputError(
            [
                Fault(
                    cell,
                    "--whole-orders compares costs: it needs the objective cost, found"
                    " shortfall_first",
                )
            ]
        )


def with_what_ifs(
    plan: Plan,
    request: Request,
    stockpile: Stockpile,
    options: Options,
    output: Path,
    runs: Callable[[StudyProgress], None] | None,
) -> Plan:
    """Return the plan with the answers to the what-ifs that are asked for; their runs are kept in a
    record beside the plan.
    """
    wanted = [what_if for what_if in WHAT_IFS if getattr(request, what_if.option)]
    if not wanted:
        return plan
    with Record(output.with_suffix(".sqlite")) as record:
        of = common(stockpile, options)
        return answered(
            plan, wanted, options, record, of, request.workers or cores(), runs or (lambda _: None)
        )


def plan_now(request: Request, say: Callable[[str], None], progress: Watch = None) -> Answer:
    """Plan a workbook as it stands, in memory: nothing is written.

    Raises as `plan_workbook` does.
    """
    reading = read(request.source, request.changes)
    for fault in reading.warnings:
        say(f"warning: {fault}")
    return plan_reading(request, reading, progress)


def plan_reading(request: Request, reading: Reading, progress: Watch = None) -> Answer:
    """Plan a workbook that has been read.

    Raises InputError where its cost falls without limit, SolverError and AuditError.
    """
    began = time.perf_counter()
    formulation, options = build(reading.stockpile), _options(reading.stockpile.settings, request)
    outcome = _solve(formulation, options, progress, request.solver)
    if outcome.objective is None:
        explanation = (
            why_infeasible(formulation, options) if outcome.status == "infeasible" else None
        )
        return Answer(
            outcome.status,
            time.perf_counter() - began,
            explanation=explanation,
            interrupted=outcome.interrupted,
        )
    plan = audited(
        make_plan(
            formulation,
            outcome,
            map(str, reading.warnings),
            _run(request, reading, options, outcome),
        )
    )
    return Answer(plan.status, time.perf_counter() - began, plan, interrupted=outcome.interrupted)


def hush_other_ranks() -> None:
    """Let only the first rank of an MPI run write to the terminal."""
    from optimiser.execution.mpi_ranks import Ranks

    Ranks().hush()


def _plan_bundles(
    request: Request, reading: Reading, began: float, say: Callable[[str], None], progress: Watch
) -> Answer:
    """Plan the scenarios of a workbook by bundles, and write what is to be done before the first of
    them is known.
    """
    options, read_at = _options(reading.stockpile.settings, request), time.perf_counter()
    run = {**_run(request, reading, options), "seconds reading": round(read_at - began, 3)}
    warnings, count = [*map(str, reading.warnings)], request.bundles or BUNDLES
    if request.decompose is not None:
        from optimiser.execution.mpi_ranks import Ranks
        from optimiser.scenarios.bundles.decomposed import check, decompose

        ranks, way = Ranks(), request.decompose
        planner = BundlePlanner(reading.stockpile, count, options, ranks, progress)
        check(planner, ranks, way)
        warnings += _fewer(request, planner, say)
        with ranks:
            ended = planner.plan(
                warnings,
                {**run, "ranks": ranks.size, "decomposed by": way},
                lambda: decompose(planner, ranks, way),
            )
    else:
        size = request.workers or cores()
        with closing(Processes(Calls(), size, math.inf)) as executor:
            planner = BundlePlanner(reading.stockpile, count, options, executor, progress)
            warnings += _fewer(request, planner, say)
            ended = planner.plan(warnings, run)
    explanation = _blamed(reading.stockpile, ended.blame, options, say) if ended.blame else None
    if ended.plan is None:
        if ended.bound is not None:
            say(
                f"no plan costs less than {amounts.money(ended.bound)}"
                f" {reading.stockpile.settings.currency}"
            )
        return Answer(
            ended.status,
            time.perf_counter() - began,
            explanation=explanation,
            interrupted=ended.interrupted,
        )
    solved = {
        "seconds solving": round(time.perf_counter() - read_at, 3),
        "ended": "interrupted by the user" if ended.interrupted else ended.status,
    }
    plan, output = (
        replace(ended.plan, run={**ended.plan.run, **solved}),
        request.output or default_output(request.source),
    )
    if request.decompose is None or ranks.rank == 0:
        with Interrupt():
            write(plan, output)
    return Answer(
        plan.status, time.perf_counter() - began, plan, output, interrupted=ended.interrupted
    )


def _fewer(request: Request, planner: BundlePlanner, say: Callable[[str], None]) -> list[str]:
    """Say where there are fewer bundles than were asked for: a branch of the scenario tree is in
    one bundle whole.
    """
    made = len(planner.parts)
    if request.bundles is None or made >= request.bundles:
        return []
    branches = "branch" if made == 1 else "branches"
    said = (
        f"--bundles {request.bundles}: the scenarios part into {made} {branches} when the first is"
        f" known, so {made} are planned"
    )
    say(f"warning: {said}")
    return [said]


def _blamed(
    stockpile: Stockpile, names: Sequence[str], options: Options, say: Callable[[str], None]
) -> Explanation:
    """Why scenarios have no plan: of the first that has none alone, or else of all together."""
    for each in (*((name,) for name in names), tuple(names)):
        formulation = build(part(stockpile, each))
        if (
            len(each) == len(names)
            or solve(formulation.m, replace(options, gap=1.0)).status == "infeasible"
        ):
            break
    say(
        f"in scenario {each[0]}:"
        if len(each) == 1
        else f"in the scenarios {', '.join(each)} together:"
    )
    return why_infeasible(formulation, options)


def _solve(
    formulation: Formulation, options: Options, progress: Watch, solver: str | None
) -> Outcome:
    try:
        return solve(formulation.m, options, progress, solver, scenario_tree(formulation))
    except UnboundedError as error:
        raise InputError([_endless(formulation, error)]) from error


def with_whole_orders(
    plan: Plan,
    formulation: Formulation,
    options: Options,
    seconds: float,
    progress: Watch = None,
    solver: str | None = None,
) -> Plan:
    """The plan with by how much it can matter at most that orders beyond `firm_periods` are
    relaxed.

    A dive makes a plan that does the same in these periods and orders whole from then on. The best
    plan of whole orders costs no more than it, and no less than the bound of the relaxed ones.
    Where the dive makes none, one is searched for: for as long as the plan took, which is
    `seconds`, and LEAST_SECONDS at least.
    """
    limited = replace(
        options, time_limit=min(options.time_limit, max(LEAST_SECONDS, seconds)), target=math.inf
    )
    firm, tree = plan.stockpile.settings.firm_periods or 0, plan.stockpile.tree
    nodes = frozenset(n for n in tree.nodes if tree.period[n] < firm)
    kept = replace(decisions(formulation, nodes), at_risk=None)
    for tolerance in TOLERANCES:
        held = build(views.whole(plan.stockpile))
        hold(held, kept, nodes, tolerance)
        outcome = _solve(held, limited, progress, solver)
        if outcome.status != "infeasible":
            break
    cost, since = outcome.objective, amounts.month(plan.stockpile.calendar.begin(firm))
    if cost is None:
        none = "No plan exists" if outcome.status == "infeasible" else "No plan was found"
        said = f"{none} that does the same before {since} and orders whole from then on too."
    else:
        said = (
            f"With orders whole from {since} on too, and what is done before kept, a plan costs"
            f" {amounts.money(cost)} {plan.currency}"
        )
        if plan.bound is not None:
            said += (
                f": relaxed orders can matter by {amounts.money(max(0.0, cost - plan.bound), cost)}"
                f" {plan.currency} at most"
            )
        said += "."
    told = "none" if cost is None else cost
    return replace(
        plan,
        verdict=f"{plan.verdict} {said}",
        run={**plan.run, "objective with whole orders": told},
    )


@dataclass(frozen=True)
class Audited:
    """What an audit of a plan workbook found, and what is to be said beside it."""

    audit: Audit
    notes: tuple[str, ...]


def audit_workbook(source: Path, plan: Path, changes: Sequence[Change] = ()) -> Audited:
    """Recompute a plan workbook from its input, after the changes that it was made with and
    `changes`.

    Raises InputError for an input, or a plan, that cannot be read.
    """
    told = read_plan(plan)
    made_with = told.changes
    if until := told.run.get(DECIDED):
        said = (
            f"holds what is done before {until}, when the first scenario is known: what follows was"
            " audited when it was made"
        )
        raise InputError(
            [Fault(str(plan), f"{said}, and cannot be recomputed from the workbook alone")]
        )
    notes = [
        *told.notes,
        *(f"the plan was made with {change}: so it is audited" for change in made_with),
    ]
    reading = read(source, [*made_with, *changes])
    spelt_alike(told.sheets, reading.stockpile)
    if told.run.get("input sha256", "") not in ("", reading.sha256):
        notes.append(
            f"{source} is not, or no longer, the file that the plan was made from: its sha256"
            " differs"
        )
    return Audited(audit(reading.stockpile, told.sheets), tuple(notes))


def _of_two(formulation: Formulation, objective: str) -> str:
    """A model file holds one objective."""
    return (
        f", with the objective {objective} alone: shortfall is not minimised first there"
        if formulation.m.shortfall.active
        else ""
    )


def _options(settings: Settings, request: Request) -> Options:
    return Options(
        gap=settings.mip_gap if request.gap is None else request.gap,
        time_limit=(
            settings.time_limit_seconds if request.time_limit is None else request.time_limit
        ),
        threads=settings.threads if request.threads is None else request.threads,
        seed=settings.seed,
    )


def _endless(formulation: Formulation, error: UnboundedError) -> Fault:
    """The cost falls without limit: name what would be bought and sold without end."""
    names = sorted({str(getattr(variable, "name", variable)) for variable in error.variables})
    ledger, stockpile = formulation.ledger, formulation.stockpile
    moving = {id(variable) for variable in error.variables}
    sources = sorted({each.name for each in ledger.arrivals if _uses(each.amount, moving)})
    sinks = sorted(
        {each.name for each in ledger.departures if id(each.amount) in moving and each.exit.free}
    )
    what = f"buying under {', '.join(sources)}" if sources else "holding stock"
    end = f"selling through {', '.join(sinks)}" if sinks else "the value of closing stock"
    where = "offers" if sources else "materials"
    cell = stockpile.address(where, 0)
    return Fault(
        cell,
        f"{what} earns without limit by {end}: give a capacity or total, or look at the prices"
        f" ({', '.join(names[:3])})",
    )


def _uses(amount: object, moving: set[int]) -> bool:
    from pyomo.core.expr.visitor import identify_variables

    return any(id(variable) in moving for variable in identify_variables(amount))


def _run(
    request: Request, reading: Reading, options: Options, outcome: Outcome | None = None
) -> Mapping[str, object]:
    """What an auditor needs to repeat the run."""
    form = outcome.form if outcome else None
    size = (
        {}
        if form is None
        else {
            "columns": form.program.columns,
            "rows": form.program.rows,
            "whole columns": int(form.program.integer.sum()),
        }
    )
    return {
        "input": request.source.name,
        "input sha256": reading.sha256,
        "changes": "; ".join(map(str, request.changes)),
        "objective": reading.stockpile.settings.objective,
        "gap asked for": options.gap,
        "time limit [s]": options.time_limit,
        "threads": options.threads,
        "seed": options.seed,
        "solver": outcome.solver if outcome else highs_version(),
        **(
            {
                "ended": "interrupted by the user" if outcome.interrupted else outcome.status,
                "nodes": outcome.nodes,
            }
            if outcome
            else {}
        ),
        **size,
        "planned at": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        **{f"version of {name}": installed(name) for name in PACKAGES},
        "version of Python": platform.python_version(),
        "system": platform.platform(),
    }
