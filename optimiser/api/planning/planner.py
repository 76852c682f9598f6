"""From a workbook to a plan: read, build, solve, report, write."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api import plan_json  # noqa: F401  # plans are saved as JSON too
from optimiser.api.book import Book, Say, Source, book_of, path_of
from optimiser.api.decision_memo import check_memo, memo_of_plan
from optimiser.api.planning.announced_plan import (
    Announced,
    AnnouncedPlan,
    announced_plan,
    read_announced,
)
from optimiser.api.planning.near_plan import NearOutcome, near_plan
from optimiser.api.planning.plan_request import Request, options_of
from optimiser.api.planning.run_record import run_record
from optimiser.api.planning.solution import Solution
from optimiser.api.planning.whole_orders import refuse_without_relaxed, with_whole_orders
from optimiser.execution.executor import processes
from optimiser.explaining.bounded_solve import Watch, bounded_solve
from optimiser.html.other_pages import explanation_page
from optimiser.html.saving import check_page, save, write_page
from optimiser.plan.audited import audited
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan, with_changes
from optimiser.solving.model_file import check_model_file, write_model
from optimiser.solving.solve import KnownPlan, Options, Outcome, Progress
from optimiser.studies.engine.runner import StudyProgress
from optimiser.studies.repairs.repair_search import diagnose
from optimiser.system.errors import OutputError
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from optimiser.workbook.write.plan_book import write
from stockpile_model import amounts
from stockpile_model.build import build
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile

if TYPE_CHECKING:
    from optimiser.studies.engine.runner import StudyProgress


def solve(
    source: Source,
    *,
    changes: Sequence[str] = (),
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    solver: str | None = None,
    what_ifs: Sequence[str] = (),
    near: Announced | None = None,
    change_cost: float | None = None,
    whole_orders: bool = False,
    workers: int | None = 0,
    output: str | Path | None = None,
    page: str | Path | None = None,
    memo: str | Path | None = None,
    model_file: str | Path | None = None,
    record: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Solution:
    """Plan a workbook: a book, or the path of one. The settings give each option that is None.

    `gap` is the proven relative gap at which the search may stop, `time_limit` is in seconds;
    `solver` names any solver that Pyomo knows. `what_ifs` are questions that the plan answers too:
    `firm_supply`, `cost_shares`, `floor_levels`, `value_of_information`, `adequacy`, `reasons` (all
    its runs have the time limit together); `workers` are their processes (0: this one; None: one
    for each core), `record` a file of their runs. `whole_orders` bounds the cost of relaxing later
    orders. `near` is an announced plan that is kept as the gap, or `change_cost`, a share, allows.

    `output` (.xlsx) is the place of the plan, `page` (.html) of its page, or of that of why there
    is none, `memo` (.docx, .html) of its memo, `model_file` (.mps, .lp) of the model; they replace
    a file that this program did not write by `force` only. `on_message` gets remarks, a line each,
    `on_progress` how far the search is, and the runs of the `what_ifs`. The plan is audited. Raises
    InputError, OutputError, SolverError; AuditError if the audit fails.

    >>> import optimiser as so
    >>> result = so.solve("inputs/small.xlsx", changes=["demand[*].quantity scale 0.5"])
    >>> result.status, round(result.plan["orders"]["ordered"].sum())
    ('optimal', 10)
    >>> so.solve("inputs/small.xlsx", near=result.plan).plan["changes"]["change"].tolist()
    ['as announced', 'as announced', 'new', 'new']
    """
    request = Request(
        solver=solver,
        what_ifs=tuple(what_ifs),
        near=near,
        change_cost=change_cost,
        whole_orders=whole_orders,
        workers=workers,
        force=force,
        **_paths(output=output, page=page, memo=memo, model_file=model_file, record=record),
    )
    began, say = time.perf_counter(), on_message or (lambda _: None)
    _check_places(request, path_of(source))
    book = book_of(source, changes, say)
    options = options_of(book, gap, time_limit, threads)
    solution = _planned(request, book, options, began, say, on_progress)
    return with_memo(with_page(solution, book, request.page, force), request.memo, force)


def _paths(**places: str | Path | None) -> dict[str, Path | None]:
    """Return places as paths."""
    return {name: None if each is None else Path(each) for name, each in places.items()}


def _planned(
    request: Request, book: Book, options: Options, began: float, say: Say, progress: Watch
) -> Solution:
    """Plan all scenarios of a workbook in one model."""
    read_at = time.perf_counter()
    formulation = build(book.stockpile)
    _refuse_unfit(request, formulation.stockpile)
    announced = _announced(request, formulation.stockpile)
    built_at = time.perf_counter()
    if request.model_file is not None:
        objective = write_model(formulation.m, request.model_file)
        say(f"the model is in {request.model_file}" + _one_of_two(formulation, objective))
    with Interrupt() as interrupt:  # from here on there may be a plan to keep
        outcome = bounded_solve(formulation, options, progress, request.solver)
        if outcome.objective is not None:
            seconds = {
                "seconds reading": round(read_at - began, 3),
                "seconds building": round(built_at - read_at, 3),
                "seconds solving": round(time.perf_counter() - built_at, 3),
            }
            near = None
            if announced is not None:
                of_near = (announced, request.change_cost, options, progress)
                near = near_plan(formulation, outcome, *of_near)
            plan = _plan(book, formulation, options, outcome, seconds, near)
            if not interrupt.requested:
                try:
                    with Interrupt(keeps=False):
                        if request.whole_orders:
                            of = (formulation, options, outcome.seconds, progress, request.solver)
                            plan = with_whole_orders(plan, *of)
                        ended = Interrupt()
                        plan = with_what_ifs(
                            plan, request, book.stockpile, options, progress, ended, outcome
                        )
                        interrupt.requested |= ended.requested
                except KeyboardInterrupt:
                    interrupt.requested = True
                if interrupt.requested:
                    say("interrupted: the plan has none of the comparisons still to be run")
            if request.output is not None:
                write(plan, request.output)
            total = time.perf_counter() - began
            return Solution(plan.status, plan, None, total, request.output, interrupt.requested)
    return _without_plan(book, options, outcome, began)


def _announced(request: Request, stockpile: Stockpile) -> AnnouncedPlan | None:
    """Return what was announced, for an unfolded stockpile; None where no plan is to be near it.

    Raises InputError for what is no plan of the same stockpile.
    """
    if request.near is None:
        return None
    return announced_plan(*read_announced(request.near), stockpile)


def _refuse_unfit(request: Request, stockpile: Stockpile) -> None:
    """Raise InputError where the workbook does not fit a question that is requested: before the
    search, not after it.
    """
    for what_if in request.wanted:
        what_if.refuse(stockpile)
    if request.whole_orders:
        refuse_without_relaxed(stockpile)


def with_what_ifs(
    plan: Plan,
    request: Request,
    stockpile: Stockpile,
    options: Options,
    progress: Watch = None,
    interrupt: Interrupt | None = None,
    outcome: Outcome | None = None,
) -> Plan:
    """Return the plan with the answers to the what-ifs that are requested.

    `progress` gets which of them is asked, and how many of its plans are there; `interrupt` notes
    that their runs were interrupted. `outcome` left the plan in its model.
    """
    wanted = request.wanted
    if not wanted:
        return plan
    from optimiser.studies.engine.memory_record import MemoryRecord
    from optimiser.studies.engine.record import Record
    from optimiser.studies.engine.study_key import common
    from optimiser.studies.plan_what_ifs import answered

    of, workers = common(stockpile, options), processes(request.workers)
    with contextlib.ExitStack() as stack:
        record = (
            MemoryRecord()
            if request.record is None
            else stack.enter_context(Record(request.record))
        )
        watch = _labelled(plan, progress)
        known = None if outcome is None else KnownPlan.of(outcome)
        return answered(plan, wanted, options, record, of, workers, watch, interrupt, known)


def _labelled(plan: Plan, progress: Watch) -> Callable[[StudyProgress], None]:
    """Return what reports the runs of a what-if as a phase of the search for a plan."""

    def watch(study: StudyProgress) -> None:
        if progress is None:
            return
        name = study.study.replace("_", " ")
        progress(
            Progress(
                stage=1,
                stages=1,
                objective="cost",
                seconds=study.seconds,
                nodes=0,
                incumbent=plan.objective,
                bound=plan.bound,
                gap=plan.gap,
                phase=f"{name}: {study.ended} of {amounts.count(study.asked, 'more plan')}",
            )
        )

    return watch


def _check_places(request: Request, source: Path | None) -> None:
    """Raise OutputError where the plan or the model cannot be written, and InputError where what is
    requested does not go together.
    """
    request.check_near()
    check_output(request.output, source, request.force)
    _refuse_announced(request)
    check_page_of(request.page, source, request.force)
    check_memo_of(request.memo, (source, request.output, request.page), request.force)
    if request.model_file is not None:
        _refuse_input(request.model_file, source)
        check_model_file(request.model_file, request.force)


def _refuse_announced(request: Request) -> None:
    """Raise OutputError where the plan would be written over the one that was announced."""
    output, near = request.output, request.near
    if output is not None and isinstance(near, (str, Path)) and same_file(output, Path(near)):
        raise OutputError(
            f"{output}: is the announced plan, which is never written to; choose another name"
        )


def check_output(output: Path | None, source: Path | None, force: bool) -> None:
    """Raise OutputError where the plan of a workbook cannot be written."""
    if output is not None:
        _refuse_input(output, source)
        check_target(output)
        refuse_foreign(output, Kind.PLAN, force)


def check_page_of(page: Path | None, source: Path | None, force: bool) -> None:
    """Raise OutputError where the page of a workbook's plan cannot be written."""
    if page is not None:
        _refuse_input(page, source)
        check_page(page, force)


def check_memo_of(memo: Path | None, others: Iterable[Path | None], force: bool) -> None:
    """Raise OutputError where the memo of a workbook's plan cannot be written, or would stand in
    place of another file of this run.
    """
    if memo is not None:
        for other in filter(None, others):
            if same_file(memo, other):
                raise OutputError(f"{memo}: is another file of this run; choose another name")
        check_memo(memo, force)


def with_memo(solution: Solution, memo: Path | None, force: bool) -> Solution:
    """Write the memo of a plan, where there is a plan and a memo is requested."""
    if memo is None or solution.plan is None:
        return solution
    with Interrupt():
        memo_of_plan(solution.plan, file=solution.path).save(memo, force)
    return replace(solution, memo=memo)


def with_page(solution: Solution, book: Book, page: Path | None, force: bool) -> Solution:
    """Write the page of a plan, or of why there is none, where one is requested."""
    if page is None:
        return solution
    with Interrupt():
        if solution.plan is not None:
            save(solution.plan, page, force)
        else:
            title = book.stockpile.settings.title or "Stockpile"
            write_page(explanation_page(title, solution.reasons), page, force)
    return replace(solution, page=page)


def _refuse_input(path: Path, source: Path | None) -> None:
    """Raise OutputError where a path is that of the workbook."""
    if source is not None and same_file(path, source):
        raise OutputError(
            f"{path}: is the input workbook, which is never written to; choose another name"
        )


def _plan(
    book: Book,
    formulation: Formulation,
    options: Options,
    outcome: Outcome,
    seconds: Mapping[str, float],
    near: NearOutcome | None = None,
) -> Plan:
    """Return the plan of a solved formulation, audited, with the record of its run.

    One that stays near another has its changes. Its reasons say what would change it only where it
    is the cheapest with its whole decisions.
    """
    of = outcome if near is None else near.outcome
    run = {**run_record(book, options, of), **seconds, **({} if near is None else near.run)}
    warnings, ranged = map(str, book.warnings), near is None or near.cheapest
    plan = make_plan(formulation, of, warnings, run, reasons=True, ranged=ranged)
    return audited(plan) if near is None else audited(with_changes(plan, near.rows), near.announced)


def _without_plan(book: Book, options: Options, outcome: Outcome, began: float) -> Solution:
    """Return the end of a search that found no plan, with the reason where there is none."""
    infeasible = outcome.status == "infeasible"
    explanation = diagnose(book.stockpile, options, proven=True) if infeasible else None
    seconds = time.perf_counter() - began
    return Solution(outcome.status, None, explanation, seconds, interrupted=outcome.interrupted)


def _one_of_two(formulation: Formulation, objective: str) -> str:
    """Return the remark that a model file holds one objective of two; nothing where it has one."""
    return (
        f", with the objective {objective} alone: shortfall is not minimised first there"
        if formulation.m.shortfall.active
        else ""
    )
