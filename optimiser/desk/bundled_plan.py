"""Plan thousands of scenarios in bundles: the decisions before the first of them is known."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace

from optimiser.desk.bounded_solve import Watch
from optimiser.desk.plan_request import Answer, Request
from optimiser.desk.run_record import run_record
from optimiser.execution.executor import Calls, cores
from optimiser.execution.processes import Processes
from optimiser.explaining.shortages import Explanation, why_infeasible
from optimiser.scenarios.bundles.bundle_planner import BundlePlanner, Ended
from optimiser.scenarios.bundles.parts import part
from optimiser.solving.solve import Options, solve
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import Reading
from optimiser.workbook.write.plan_book import write
from stockpile_model import amounts
from stockpile_model.build import build
from stockpile_model.stockpile import Stockpile

BUNDLES = 10  # where a decomposition is requested without a number


def hush_ranks() -> None:
    """Let only the first rank of an MPI run write to the terminal."""
    from optimiser.execution.mpi_ranks import Ranks

    Ranks().hush()


def agreed(request: Request) -> AbstractContextManager[None]:
    """Return a context that raises on all ranks of an MPI run what one of them raises in it."""
    if request.decompose is None:
        return nullcontext()
    from optimiser.execution.mpi_ranks import Ranks

    return Ranks().agreed()


def plan_bundles(
    request: Request, reading: Reading, began: float, say: Callable[[str], None], progress: Watch
) -> Answer:
    """Plan the scenarios of a workbook by bundles, and write what is to be done before the first of
    them is known.
    """
    options, read_at = request.options(reading), time.perf_counter()
    ended, writes = _planned(request, reading, options, round(read_at - began, 3), say, progress)
    explanation = (
        _explanation(reading.stockpile, ended.blame, options, say) if ended.blame else None
    )
    plan, target = ended.plan, None
    if plan is None and ended.bound is not None:
        currency = reading.stockpile.settings.currency
        say(f"no plan costs less than {amounts.money(ended.bound)} {currency}")
    if plan is not None:
        solved = {
            "seconds solving": round(time.perf_counter() - read_at, 3),
            "ended": "interrupted by the user" if ended.interrupted else ended.status,
        }
        plan, target = replace(plan, run={**plan.run, **solved}), request.target
        if writes:
            with Interrupt():
                write(plan, target)
    return Answer(
        ended.status if plan is None else plan.status,
        time.perf_counter() - began,
        plan,
        target,
        None if plan is not None else explanation,
        ended.interrupted,
    )


def _planned(
    request: Request,
    reading: Reading,
    options: Options,
    seconds: float,
    say: Callable[[str], None],
    progress: Watch,
) -> tuple[Ended, bool]:
    """Plan in bundles. Return how it ended, and whether this process writes the plan."""
    run = {**run_record(request, reading, options), "seconds reading": seconds}
    warnings, count = [*map(str, reading.warnings)], request.bundles or BUNDLES
    if request.decompose is None:
        size = request.workers or cores()
        with closing(Processes(Calls(), size, math.inf)) as executor:
            planner = BundlePlanner(reading.stockpile, count, options, executor, progress)
            warnings += _fewer(request, planner, say)
            return planner.plan(warnings, run), True
    from optimiser.execution.mpi_ranks import Ranks
    from optimiser.scenarios.bundles.decomposed import check, decompose

    ranks, way = Ranks(), request.decompose
    planner = BundlePlanner(reading.stockpile, count, options, ranks, progress)
    check(planner, ranks, way)
    warnings += _fewer(request, planner, say)
    run |= {"ranks": ranks.size, "decomposed by": way}
    with ranks:
        ended = planner.plan(warnings, run, lambda: decompose(planner, ranks, way))
    return ended, ranks.rank == 0


def _fewer(request: Request, planner: BundlePlanner, say: Callable[[str], None]) -> list[str]:
    """Warn where there are fewer bundles than requested: a bundle holds whole branches of the
    scenario tree.
    """
    count = len(planner.parts)
    if request.bundles is None or count >= request.bundles:
        return []
    branches = "branch" if count == 1 else "branches"
    warning = (
        f"--bundles {request.bundles}: the scenarios part into {count} {branches} when the first is"
        f" known, so {count} are planned"
    )
    say(f"warning: {warning}")
    return [warning]


def _explanation(
    stockpile: Stockpile, names: Sequence[str], options: Options, say: Callable[[str], None]
) -> Explanation:
    """Return why scenarios have no plan: the first that has none alone, or else all together."""
    for each in (*((name,) for name in names), tuple(names)):
        formulation = build(part(stockpile, each))
        together = len(each) == len(names)
        if together or solve(formulation.m, replace(options, gap=1.0)).status == "infeasible":
            break
    say(
        f"in scenario {each[0]}:"
        if len(each) == 1
        else f"in the scenarios {', '.join(each)} together:"
    )
    return why_infeasible(formulation, options)
