"""Plan thousands of scenarios in bundles: the decisions before the first of them is known."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from optimiser.api.book import Book, Say, Source, book_of, path_of
from optimiser.api.planning.plan_request import options_of
from optimiser.api.planning.planner import (
    check_memo_of,
    check_output,
    check_page_of,
    with_memo,
    with_page,
)
from optimiser.api.planning.run_record import run_record
from optimiser.api.planning.solution import Solution
from optimiser.execution.executor import Calls, processes
from optimiser.execution.in_process import InProcess
from optimiser.execution.processes import Processes
from optimiser.explaining.bounded_solve import Watch
from optimiser.plan.plan import Plan
from optimiser.scenarios.bundles.bundle_planner import BundlePlanner, Ended
from optimiser.scenarios.bundles.parts import part
from optimiser.solving.solve import Options, Progress, solve
from optimiser.studies.repairs.diagnosis import Diagnosis, Repair
from optimiser.studies.repairs.repair_search import diagnose
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.write.plan_book import write
from stockpile_model import amounts
from stockpile_model.build import build
from stockpile_model.changes import apply, parse
from stockpile_model.scenarios import Scenario
from stockpile_model.stockpile import Stockpile


def solve_in_bundles(
    source: Source,
    bundles: int,
    *,
    changes: Sequence[str] = (),
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    workers: int | None = 0,
    output: str | Path | None = None,
    page: str | Path | None = None,
    memo: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Solution:
    """Plan thousands of scenarios in so many bundles, each a model of its own.

    The plan holds what is to be done before the first scenario is known, and a bound that holds for
    all. `time_limit` [s] is that of each search. `workers` are the processes that plan bundles (0:
    this one; None: one for each core). The rest is as in `solve`.

    Raises what `solve` does, and InputError for a workbook that cannot be bundled.

    >>> import optimiser as so
    >>> book = so.sample("inputs/small.xlsx", samples=10, keep=2)
    >>> so.solve_in_bundles(book, 2).plan.until
    datetime.date(2030, 3, 1)
    """
    began, say = time.perf_counter(), on_message or (lambda _: None)
    target = None if output is None else Path(output)
    place = None if page is None else Path(page)
    check_output(target, path_of(source), force)
    check_page_of(place, path_of(source), force)
    letter = None if memo is None else Path(memo)
    check_memo_of(letter, (path_of(source), target, place), force)
    book = book_of(source, changes, say)
    options, read_at = options_of(book, gap, time_limit, threads), time.perf_counter()
    watched = _Watched(say, on_progress)
    run = {**run_record(book, options), "seconds reading": round(read_at - began, 3)}
    ended = _planned(book, bundles, options, workers, run, watched)
    explanation = _explanation(book.stockpile, ended.blame, bundles, options)
    plan = ended.plan
    if plan is None and ended.bound is not None:
        currency = book.stockpile.settings.currency
        say(f"no plan costs less than {amounts.money(ended.bound)} {currency}")
    if plan is not None:
        plan = _timed(plan, ended, time.perf_counter() - read_at)
        if target is not None:
            with Interrupt():
                write(plan, target)
    seconds = time.perf_counter() - began
    if plan is None:
        solution = Solution(ended.status, None, explanation, seconds, None, ended.interrupted)
    else:
        solution = Solution(plan.status, plan, None, seconds, target, ended.interrupted)
    return with_memo(with_page(solution, book, place, force), letter, force)


@dataclass(frozen=True)
class _Watched:
    """Describe what gets messages, and the progress of searches."""

    say: Say
    progress: Watch


def _planned(
    book: Book,
    bundles: int,
    options: Options,
    workers: int | None,
    run: Mapping[str, object],
    watched: _Watched,
) -> Ended:
    """Plan bundles in processes."""
    size = processes(workers)
    executor = InProcess(Calls()) if size == 0 else Processes(Calls(), size, math.inf)
    with closing(executor):
        planner = BundlePlanner(book.stockpile, bundles, options, executor, watched.progress)
        fewer = _fewer(bundles, planner, watched.say)
        return planner.plan([*map(str, book.warnings), *fewer], run)


def _timed(plan: Plan, ended: Ended, seconds: float) -> Plan:
    """Return the plan with the time that it took, and how the search ended."""
    solved = {
        "seconds solving": round(seconds, 3),
        "ended": "interrupted by the user" if ended.interrupted else ended.status,
    }
    return replace(plan, run={**plan.run, **solved})


def _fewer(bundles: int, planner: BundlePlanner, say: Say) -> list[str]:
    """Warn where there are fewer bundles than requested: a bundle holds whole branches of the
    scenario tree.
    """
    count = len(planner.parts)
    if count >= bundles:
        return []
    branches = "branch" if count == 1 else "branches"
    warning = (
        f"--bundles {bundles}: the scenarios part into {count} {branches} when the first is"
        f" known, so {count} are planned"
    )
    say(f"warning: {warning}")
    return [warning]


def _explanation(
    stockpile: Stockpile, names: Sequence[str], bundles: int, options: Options
) -> Diagnosis | None:
    """Return why scenarios have no plan: the first that has none alone, or else all together; None
    where there are none such.
    """
    if not names:
        return None
    for each in (*((name,) for name in names), tuple(names)):
        together = len(each) == len(names)
        formulation = None if together else build(part(stockpile, each))
        if (
            formulation is None
            or solve(formulation.m, replace(options, gap=1.0)).status == "infeasible"
        ):
            break
    held = {(Scenario.TABLE, "probability")}  # of the scenarios alone it is another
    found = diagnose(part(stockpile, each), options, proven=True, held=held)
    kept = tuple(
        repair for repair in found.repairs if _makes_all(stockpile, repair, bundles, options)
    )
    return replace(found, within=each, repairs=kept or found.repairs, whole=bool(kept))


def _makes_all(stockpile: Stockpile, repair: Repair, bundles: int, options: Options) -> bool:
    """Return whether a repair is proven to make a plan for all scenarios."""
    changed = stockpile
    for each in repair.changes:
        changed = apply(changed, parse(each))
    with closing(InProcess(Calls())) as executor:
        planner = BundlePlanner(changed, bundles, replace(options, gap=1.0), executor)
        return planner.plan().plan is not None
