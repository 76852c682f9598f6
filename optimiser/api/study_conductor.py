"""Run the studies of a workbook on one executor, with one record of their runs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api.book import Book, parsed
from optimiser.api.study_results import StudyResult
from optimiser.execution.executor import Executor
from optimiser.solving.highs import version
from optimiser.solving.search_options import Options
from optimiser.studies.answered import Answered, conduct
from optimiser.studies.engine.evaluate import StudyJob
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Runner, StudyProgress
from optimiser.studies.engine.study_key import common
from optimiser.studies.every_kind import EVERY_KIND
from optimiser.studies.kinds.asked import Asked
from optimiser.studies.plan_what_ifs import executor_of, plain
from optimiser.system.interrupts import Interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

GAP = 0.01  # of each run, where nothing else is requested


class StudyConductor:
    """Runs the studies of a workbook in `size` processes, or on a Dask cluster.

    These start with the first run that the record does not have. The record is the file `place`, or
    in memory. As a context it ends all that it has started. Raises OutputError where the record
    cannot be read or written.
    """

    def __init__(
        self,
        book: Book,
        gap: float = GAP,
        time_limit: float | None = None,
        place: Path | None = None,
        size: int = 0,
        scheduler: str | None = None,
    ) -> None:
        settings = book.stockpile.settings
        limit = settings.time_limit_seconds if time_limit is None else time_limit
        self.book, self.place, self.size, self.scheduler = book, place, size, scheduler
        self.options = Options(gap=gap, time_limit=limit, threads=1, seed=settings.seed)
        self.rows = plain(book.stockpile)
        self.key = common(self.rows, self.options)
        self.runners = list[Runner]()
        self._executor: Executor | None = None
        self._stack = ExitStack()
        self.record: Record | MemoryRecord = (
            MemoryRecord() if place is None else self._stack.enter_context(Record(place))
        )

    def __enter__(self) -> StudyConductor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def runner(
        self,
        asked: Asked,
        watch: Callable[[StudyProgress], None] | None = None,
        interrupt: Interrupt | None = None,
    ) -> Runner:
        """Return what runs the cases of a study."""
        runner = Runner(
            asked.study.study,
            self.record,
            self.key,
            self._start,
            watch or (lambda _: None),
            asked.inputs,
            interrupt or Interrupt(),
            audits=True,
        )
        self.runners.append(runner)
        return runner

    def answered(
        self,
        asked: Asked,
        watch: Callable[[StudyProgress], None] | None = None,
        interrupt: Interrupt | None = None,
    ) -> Answered:
        """Run a study, and return its answers with its runs."""
        study, labels = asked.study, {each.name: each.label for each in asked.inputs}
        runner = self.runner(asked, watch, interrupt)
        tables = conduct(EVERY_KIND[study.kind](asked), runner)
        noted = [*runner.noted]
        return Answered(study.study, study.kind, tables, runner.ran, noted, labels, runner.earlier)

    def result(self, answered: Answered) -> StudyResult:
        """Return a study with its answers, which outlasts the record that is open here."""
        tables, runs = tuple(answered.tables), tuple(answered.runs)
        record = self.record if isinstance(self.record, MemoryRecord) else self.record.path
        return StudyResult(answered.name, answered.kind, tables, runs, record)

    @property
    def kept(self) -> int:
        """Return how many runs came from the record."""
        return sum(each.earlier for each in self.runners)

    @property
    def failed(self) -> int:
        """Return how many runs failed."""
        return sum(each.failed for each in self.runners)

    def facts(self, ended: str) -> dict[str, object]:
        """Return what is needed to repeat the studies, by name."""
        return {
            "input": self.book.source or "tables",
            "input sha256": self.book.sha256,
            "changes": "; ".join(map(str, parsed(self.book.changes))),
            "gap": self.options.gap,
            "time limit of a run [s]": self.options.time_limit,
            "seed of the solver": self.options.seed,
            "solver": version(),
            "record": "none" if self.place is None else self.place.name,
            "runs from the record": self.kept,
            "runs of the record that were edited or damaged": self.record.damaged,
            "ended": ended,
            "key of input, options and versions": self.key,
            "made at": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        }

    def _start(self) -> Executor:
        if self._executor is None:
            self._executor = self._started()
            self._stack.callback(self._executor.close)
        return self._executor

    def _started(self) -> Executor:
        job = StudyJob(self.rows, self.options)
        if self.scheduler is None:
            return executor_of(job, self.size)
        from optimiser.execution.dask_cluster import Cluster

        return Cluster(job, self.scheduler)
