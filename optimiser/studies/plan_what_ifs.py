"""What-ifs of a plan: their cases run like those of any study, recorded and in parallel.

Their answers are attached to the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from optimiser.execution.executor import Executor
from optimiser.execution.in_process import InProcess
from optimiser.execution.processes import Processes
from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.solving.solve import KnownPlan
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.evaluate import StudyJob
from optimiser.studies.engine.runner import Keeper, Runner, SharedTime, StudyProgress
from optimiser.studies.study_sheet.study_table import Study
from optimiser.studies.what_ifs import WhatIf
from optimiser.system.interrupts import Interrupt
from stockpile_model.stockpile import Stockpile

LATE = (30.0, 0.25)
"""The process of a run ends so long after its time limit: in seconds and as a share of it."""


def plain(stockpile: Stockpile) -> Stockpile:
    """Return a stockpile without its studies, which no plan reads."""
    return replace(
        stockpile,
        tables={kind: rows for kind, rows in stockpile.tables.items() if kind is not Study},
    )


def executor_of(job: StudyJob, workers: int) -> Executor:
    """Return the executor of a job: so many processes, or with 0 this one."""
    seconds, share = LATE
    return (
        Processes(job, workers, (1 + share) * job.options.time_limit + seconds)
        if workers
        else InProcess(job)
    )


def answered(
    plan: Plan,
    wanted: Sequence[WhatIf],
    options: Options,
    record: Keeper,
    of: str,
    workers: int = 0,
    watch: Callable[[StudyProgress], None] = lambda _: None,
    interrupt: Interrupt | None = None,
    start: KnownPlan | None = None,
) -> Plan:
    """Return a plan with the answers to what-ifs.

    Those that were interrupted are left out, but for what their runs until then say by themselves;
    `interrupt` then is requested. `of` says what all runs have in common; `watch` gets the runs of
    each what-if as they begin and end; `start` is the plan, for the searches to begin with. Raises
    StockpileError where no process can be started.
    """
    asked = {what_if.kind: what_if.cases(plan) for what_if in wanted}
    count = sum(map(len, asked.values()))
    ended = interrupt or Interrupt()
    job = StudyJob(plain(plan.stockpile), replace(options, threads=1), start)
    searched = plan.run.get("seconds solving")
    least = float(searched) if isinstance(searched, (int, float)) else 0.0
    with closing(executor_of(job, min(workers, count) if count > 1 else 0)) as executor:
        for what_if in wanted:
            shared = SharedTime(options.time_limit, least) if what_if.together else None
            runner = Runner(
                what_if.kind, record, of, lambda: executor, watch, interrupt=ended, shared=shared
            )
            if asked[what_if.kind]:
                watch(StudyProgress(what_if.kind, 0, len(asked[what_if.kind]), 0, 0.0))
            try:
                results = runner.run(asked[what_if.kind])
            except KeyboardInterrupt:
                ended.requested = True
                known = (record.find(case.key(of)) for case in asked[what_if.kind])
                results = [each or CaseResult("not run") for each in known]
            if not ended.requested or what_if.partial:
                plan = what_if.attach(plan, results, options)
            if ended.requested:
                break
    return plan
