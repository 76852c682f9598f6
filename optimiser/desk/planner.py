"""From a workbook to a plan: read, build, solve, report, write.

The command line and a program both call it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from optimiser.desk.bounded_solve import Watch, bounded_solve
from optimiser.desk.bundled_plan import agreed, plan_bundles
from optimiser.desk.plan_request import Answer, Request
from optimiser.desk.run_record import run_record
from optimiser.desk.whole_orders import refuse_without_relaxed, with_whole_orders
from optimiser.execution.executor import cores
from optimiser.explaining.shortages import why_infeasible
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.model_file import check_model_file, write_model
from optimiser.solving.solve import Options, Outcome
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import StudyProgress
from optimiser.studies.engine.study_key import common
from optimiser.studies.plan_what_ifs import answered
from optimiser.studies.what_ifs import WHAT_IFS
from optimiser.system.errors import OutputError
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import Reading, read
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from optimiser.workbook.write.plan_book import write
from stockpile_model.build import build
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile

Say = Callable[[str], None]
"""What gets messages, a line each."""
WatchRuns = Callable[[StudyProgress], None] | None
"""What gets the progress of what-ifs."""


def plan_workbook(
    request: Request, say: Say, progress: Watch = None, runs: WatchRuns = None
) -> Answer:
    """Plan a workbook and write the plan.

    Raises InputError for a workbook that is wrong (also one that lets the cost fall without limit),
    OutputError, SolverError, and AuditError for a plan that its input does not bear out.
    """
    began = time.perf_counter()
    with agreed(request):
        _check_places(request)
        reading = _read(request, say)
    read_at = time.perf_counter()
    if request.bundles is not None or request.decompose is not None:
        return plan_bundles(request, reading, began, say, progress)
    formulation = build(reading.stockpile)
    refuse_in_vain(request, formulation.stockpile)
    built_at = time.perf_counter()
    if request.model_file is not None:
        objective = write_model(formulation.m, request.model_file)
        say(f"the model is in {request.model_file}" + _one_of_two(formulation, objective))
    options = request.options(reading)
    with Interrupt() as interrupt:  # from here on there may be a plan to keep
        outcome = bounded_solve(formulation, options, progress, request.solver)
        if outcome.objective is not None:
            seconds = {
                "seconds reading": round(read_at - began, 3),
                "seconds building": round(built_at - read_at, 3),
                "seconds solving": round(time.perf_counter() - built_at, 3),
            }
            plan = _plan(request, reading, formulation, options, outcome, seconds)
            if not interrupt.requested:
                try:
                    with Interrupt(keeps=False):
                        if request.whole_orders:
                            of = (formulation, options, outcome.seconds, progress, request.solver)
                            plan = with_whole_orders(plan, *of)
                        plan = with_what_ifs(plan, request, reading.stockpile, options, runs)
                except KeyboardInterrupt:
                    interrupt.requested = True
                    say("interrupted: the plan is written without the comparisons still to be run")
            write(plan, request.target)
            total = time.perf_counter() - began
            return Answer(plan.status, total, plan, request.target, None, interrupt.requested)
    return _without_plan(formulation, options, outcome, began)


def plan_now(request: Request, say: Say, progress: Watch = None) -> Answer:
    """Plan a workbook as it stands, in memory: nothing is written.

    Raises as `plan_workbook` does.
    """
    return plan_reading(request, _read(request, say), progress)


def plan_reading(request: Request, reading: Reading, progress: Watch = None) -> Answer:
    """Plan a workbook that has been read.

    Raises InputError where its cost falls without limit, SolverError and AuditError.
    """
    began = time.perf_counter()
    formulation, options = build(reading.stockpile), request.options(reading)
    outcome = bounded_solve(formulation, options, progress, request.solver)
    if outcome.objective is None:
        return _without_plan(formulation, options, outcome, began)
    plan = _plan(request, reading, formulation, options, outcome)
    return Answer(plan.status, time.perf_counter() - began, plan, interrupted=outcome.interrupted)


def refuse_in_vain(request: Request, stockpile: Stockpile) -> None:
    """Raise InputError where a comparison that is requested does not fit the workbook: before the
    search, not after it.
    """
    for what_if in WHAT_IFS:
        if getattr(request, what_if.option):
            what_if.refuse(stockpile)
    if request.whole_orders:
        refuse_without_relaxed(stockpile)


def with_what_ifs(
    plan: Plan, request: Request, stockpile: Stockpile, options: Options, runs: WatchRuns
) -> Plan:
    """Return the plan with the answers to the what-ifs that are requested.

    Their runs are kept in a record in the folder of the plan.
    """
    wanted = [what_if for what_if in WHAT_IFS if getattr(request, what_if.option)]
    if not wanted:
        return plan
    with Record(request.target.with_suffix(".sqlite")) as record:
        of = common(stockpile, options)
        workers, watch = request.workers or cores(), runs or (lambda _: None)
        return answered(plan, wanted, options, record, of, workers, watch)


def _check_places(request: Request) -> None:
    """Raise OutputError where the plan or the model cannot be written."""
    target = request.target
    for path in (target, request.model_file):
        if path is not None and same_file(path, request.source):
            raise OutputError(
                f"{path}: is the input workbook, which is never written to; choose another name"
            )
    check_target(target)
    refuse_foreign(target, Kind.PLAN, request.force)
    if request.model_file is not None:
        check_model_file(request.model_file, request.force)


def _read(request: Request, say: Say) -> Reading:
    """Read the workbook, and pass on its warnings."""
    reading = read(request.source, request.changes)
    for fault in reading.warnings:
        say(f"warning: {fault}")
    return reading


def _plan(
    request: Request,
    reading: Reading,
    formulation: Formulation,
    options: Options,
    outcome: Outcome,
    seconds: Mapping[str, float] | None = None,
) -> Plan:
    """Return the plan of a solved formulation, audited, with the record of its run."""
    run = {**run_record(request, reading, options, outcome), **(seconds or {})}
    return audited(make_plan(formulation, outcome, map(str, reading.warnings), run))


def _without_plan(
    formulation: Formulation, options: Options, outcome: Outcome, began: float
) -> Answer:
    """Return the answer of a search that found no plan, with the reason where there is none."""
    infeasible = outcome.status == "infeasible"
    explanation = why_infeasible(formulation, options) if infeasible else None
    seconds = time.perf_counter() - began
    return Answer(outcome.status, seconds, explanation=explanation, interrupted=outcome.interrupted)


def _one_of_two(formulation: Formulation, objective: str) -> str:
    """Return the remark that a model file holds one objective of two; nothing where it has one."""
    return (
        f", with the objective {objective} alone: shortfall is not minimised first there"
        if formulation.m.shortfall.active
        else ""
    )
