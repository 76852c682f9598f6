"""From a workbook to its studies: read, run what is not in the record, write.

The command line and a program both call it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from optimiser.execution.executor import Executor, cores
from optimiser.solving.highs import version
from optimiser.solving.search_options import Options
from optimiser.studies.answered import Answered
from optimiser.studies.engine.evaluate import StudyJob
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Runner, StudyProgress
from optimiser.studies.engine.study_key import common
from optimiser.studies.kinds import ROUNDS, AnswerTable, Asked, Rounds
from optimiser.studies.plan_what_ifs import executor_of
from optimiser.studies.plan_what_ifs import plain as _plain
from optimiser.studies.study_sheet.every_input import everything
from optimiser.studies.study_sheet.study_inputs import Input, input_of
from optimiser.studies.study_sheet.study_table import Study, by_name
from optimiser.system.errors import Fault, InputError, OutputError
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from optimiser.workbook.write.study_book import COMPLETE, write
from stockpile_model.changes import Change
from stockpile_model.names import identity
from stockpile_model.schema import nearest
from stockpile_model.stockpile import Stockpile

__all__ = [
    "GAP",
    "StudyOutcome",
    "StudyProgress",
    "StudyRequest",
    "conduct",
    "make_studies",
]

EVERYTHING = "everything"
GAP = 0.01


@dataclass(frozen=True, kw_only=True)
class StudyRequest:
    """The workbook to study, and how.

    `names`: of all studies in the workbook, those to run (none: all). `scheduler`: address of a
    Dask cluster, in the place of `workers` processes here.
    """

    source: Path
    output: Path | None = None
    record: Path | None = None
    names: Sequence[str] = ()
    everything: bool = False
    changes: Sequence[Change] = ()
    gap: float = GAP
    time_limit: float | None = None
    workers: int | None = None
    scheduler: str | None = None
    force: bool = False  # replace any file at `output`

    @property
    def target(self) -> Path:
        """Return the path of the studies: by default NAME-study.xlsx next to NAME.xlsx."""
        if self.output is not None:
            return self.output
        source = self.source.resolve()
        return source.with_name(f"{source.stem if source.is_file() else source.name}-study.xlsx")

    @property
    def record_path(self) -> Path:
        """Return the path of the record: by default that of the studies, ending in `.sqlite`."""
        return self.record or self.target.with_suffix(".sqlite")


@dataclass(frozen=True)
class StudyOutcome:
    """The answers of the studies, and where they are written.

    `failed`: how many runs failed, and are tried again at the next start; `kept`: how many came
    from the record; `interrupted`: the answers are those of the runs that had ended.
    """

    answers: tuple[Answered, ...]
    path: Path
    record: Path
    seconds: float
    failed: int = 0
    kept: int = 0
    interrupted: bool = False


def make_studies(
    request: StudyRequest,
    say: Callable[[str], None],
    watch: Callable[[StudyProgress], None] = lambda _: None,
) -> StudyOutcome:
    """Run the studies of a workbook and write them.

    `say` gets messages, a line each. The first Ctrl-C, SIGTERM or SIGHUP ends the study with the
    runs that have ended; a second one is KeyboardInterrupt.

    Raises InputError, OutputError and StockpileError; runs that have ended by then are kept in the
    record, and are not run again.
    """
    began = time.monotonic()
    _check_places(request)
    reading = read(request.source, request.changes)
    for fault in reading.warnings:
        say(f"warning: {fault}")
    settings = reading.stockpile.settings
    limit = settings.time_limit_seconds if request.time_limit is None else request.time_limit
    options = Options(gap=request.gap, time_limit=limit, threads=1, seed=settings.seed)
    asked, plain = list(_asked(request, reading.stockpile)), _plain(reading.stockpile)
    of = common(plain, options)
    answers, runners = [], []
    with (
        Record(request.record_path) as record,
        _Started(request, StudyJob(plain, options)) as executor,
        Interrupt(keeps=True) as interrupt,
    ):
        for each in asked:
            runner = Runner(
                each.study.study, record, of, executor, watch, each.inputs, interrupt, audits=True
            )
            answers.append(_answered(each, runner))
            runners.append(runner)
        if record.damaged:
            say(
                f"warning: {request.record_path}: {record.damaged:,} runs do not bear their"
                " checksum (edited or damaged): they are not used"
            )
        kept = sum(each.earlier for each in runners)
        facts = {
            **_facts(request, options),
            "runs from the record": kept,
            "runs of the record that were edited or damaged": record.damaged,
            "ended": "interrupted: incomplete" if interrupt.requested else COMPLETE,
            "key of input, options and versions": of,
            "made at": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        }
        write(answers, record.find_any, facts, settings, request.target)
    return StudyOutcome(
        tuple(answers),
        request.target,
        request.record_path,
        time.monotonic() - began,
        sum(each.failed for each in runners),
        kept,
        interrupt.requested,
    )


def _check_places(request: StudyRequest) -> None:
    """Raise OutputError where the studies or their record cannot be written."""
    target, record = request.target, request.record_path
    for path in (target, record):
        if same_file(path, request.source):
            raise OutputError(
                f"{path}: is the input workbook, which is never written to; choose another name"
            )
    if same_file(target, record):
        raise OutputError(
            f"{record}: is both the output and the record; choose another name for one of them"
        )
    check_target(target, Kind.STUDY)
    refuse_foreign(target, Kind.STUDY, request.force)


def _answered(asked: Asked, runner: Runner) -> Answered:
    """Run a study, and return its answers with its runs."""
    study, labels = asked.study, {each.name: each.label for each in asked.inputs}
    tables = conduct(ROUNDS[study.kind](asked), runner)
    noted = [*runner.noted]
    return Answered(study.study, study.kind, tables, runner.ran, noted, labels, runner.earlier)


def _facts(request: StudyRequest, options: Options) -> dict[str, object]:
    """Return what is needed to repeat the studies, by name."""
    return {
        "input": request.source.name,
        "changes": "; ".join(map(str, request.changes)),
        "gap": options.gap,
        "time limit of a run [s]": options.time_limit,
        "seed of the solver": options.seed,
        "solver": version(),
        "record": request.record_path.name,
    }


def conduct(rounds: Rounds, runner: Runner) -> list[AnswerTable]:
    """Run the cases of each round of a study, and hand the results to the next."""
    try:
        cases = next(rounds)
        while True:
            cases = rounds.send(runner.run(cases))
    except StopIteration as end:
        return list(end.value)


class _Started:
    """The executor of all studies, started when a run is first missing."""

    def __init__(self, request: StudyRequest, job: StudyJob) -> None:
        self.request, self.job = request, job
        self.executor: Executor | None = None

    def __call__(self) -> Executor:
        if self.executor is None:
            self.executor = self._start()
        return self.executor

    def _start(self) -> Executor:
        if self.request.scheduler is not None:
            from optimiser.execution.dask_cluster import Cluster

            return Cluster(self.job, self.request.scheduler)
        size = cores() if self.request.workers is None else self.request.workers
        return executor_of(self.job, size)

    def __enter__(self) -> _Started:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.executor is not None:
            self.executor.close()


def _asked(request: StudyRequest, stockpile: Stockpile) -> Iterator[Asked]:
    """Yield the studies that are requested. Raises InputError where there is none."""
    if request.everything:
        every = everything(stockpile)
        yield Asked(
            Study(study=EVERYTHING, kind="tornado"),
            every.inputs,
            stockpile,
            request.gap,
            every.left_out,
        )
        return
    known = by_name(stockpile)
    if not known:
        raise InputError(
            [
                Fault(
                    "studies",
                    "there is no study: add a sheet studies, or use --everything, which needs none",
                )
            ]
        )
    wanted = {identity(name) for name in request.names}
    if unknown := [
        name for name in request.names if identity(name) not in {identity(each) for each in known}
    ]:
        raise InputError(
            [
                Fault(
                    "studies",
                    f"there is no study {name!r}{nearest(name, known)}; there are"
                    f" {', '.join(known)}",
                )
                for name in unknown
            ]
        )
    for name, rows in known.items():
        if not wanted or identity(name) in wanted:
            yield Asked(rows[0], tuple(_inputs(stockpile, rows)), stockpile, request.gap)


def _inputs(stockpile: Stockpile, rows: Sequence[Study]) -> Iterator[Input]:
    if rows[0].kind == "alternatives":
        return
    for row in rows:
        if row.table:
            yield input_of(stockpile, row)
