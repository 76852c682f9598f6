"""Run studies of a workbook: run what is not in the record, answer, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from optimiser.api.book import Book, Say, Source, book_of, path_of
from optimiser.api.output_files import check_output_file
from optimiser.api.study_conductor import GAP, StudyConductor
from optimiser.api.study_questions import EVERYTHING, Inputs, every_number, of_sheet, of_words
from optimiser.api.study_results import StudyResult, StudyResults
from optimiser.api.study_writing import write_studies
from optimiser.execution.executor import processes
from optimiser.studies.engine.runner import StudyProgress
from optimiser.system.errors import OutputError
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.write.ownership import Kind, same_file

Watch = Callable[[StudyProgress], None]


def study(
    book: Book,
    kind: str,
    inputs: Inputs | None = None,
    *,
    gap: float = GAP,
    time_limit: float | None = None,
    workers: int | None = 0,
    record: str | Path | None = None,
    on_progress: Watch | None = None,
    **about: Any,
) -> StudyResult:
    """Run a study of a workbook.

    `kind` is a kind of study (`tornado`, `sweep`, `monte_carlo` …) or the name of one in the sheet
    `studies`. `inputs` are the cells that it moves, `budgets[nds].amount` or `prices[*].gallium
    scale`, with low and high where the workbook gives no range; a tornado without inputs moves
    every number. `about` are further columns of the sheet `studies`, as `samples=100`.

    With `workers` 0 it runs in this process, else in so many others (None: one for each core). A
    `record` (.sqlite) keeps finished runs in a file. `on_progress` gets how far the study is.
    Raises InputError, OutputError and StockpileError.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> sweep = so.study(book, "sweep", {"demand[*].quantity": (5, 15)}, steps=3)
    >>> len(sweep.frame)
    3
    """
    question = of_words(book, kind, inputs, gap, about)
    place = None if record is None else Path(record)
    with StudyConductor(book, gap, time_limit, place, processes(workers)) as conductor:
        return conductor.result(conductor.answered(question, on_progress))


def run_studies(
    source: Source,
    *names: str,
    everything: bool = False,
    changes: Sequence[str] = (),
    gap: float = GAP,
    time_limit: float | None = None,
    workers: int | None = 0,
    scheduler: str | None = None,
    record: str | Path | None = None,
    output: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
    on_progress: Watch | None = None,
) -> StudyResults:
    """Run the studies of a workbook: a book in memory, or the path of one.

    `names` are those of the sheet `studies` to run; without any all are run. `everything` runs a
    tornado over every number in their place. `gap` and `time_limit` [s] are those of each run. With
    `workers` 0 all runs are made in this process, else in so many others (None: one for each core),
    or on the Dask cluster at the address `scheduler`.

    A `record` (.sqlite) keeps finished runs in a file: studies that were interrupted, or are
    extended, go on from there. `output` (.xlsx or .html) is where the answers are written; it is
    checked before the first run. A file there that this program did not write is replaced by
    `force` only. `on_message` gets warnings while it runs, a line each, `on_progress` how far a
    study is. Raises InputError, OutputError and StockpileError.

    >>> import optimiser as so
    >>> tornado = so.run_studies("inputs/small.xlsx", everything=True, gap=0.1)["everything"]
    >>> len(tornado.runs) == len(tornado.frame)
    True
    """
    began, say = time.monotonic(), on_message or (lambda _: None)
    target, place = (None if each is None else Path(each) for each in (output, record))
    check_places(path_of(source), target, place, force)
    book, size = book_of(source, changes, say), processes(workers)
    rows = book.stockpile
    every = [every_number(rows, EVERYTHING, gap)] if everything else [*of_sheet(rows, names, gap)]
    with (
        StudyConductor(book, gap, time_limit, place, size, scheduler) as conductor,
        Interrupt(keeps=True) as interrupt,
    ):
        answers = [conductor.answered(each, on_progress, interrupt) for each in every]
        if conductor.record.damaged:
            say(
                f"warning: {place}: {conductor.record.damaged:,} runs do not bear their checksum"
                " (edited or damaged): they are not used"
            )
        if target is not None:
            write_studies(answers, conductor, target, interrupt.requested, force)
    results = tuple(conductor.result(each) for each in answers)
    seconds, stopped = time.monotonic() - began, interrupt.requested
    return StudyResults(results, seconds, conductor.failed, conductor.kept, stopped)


def check_places(
    source: Path | None, target: Path | None, record: Path | None, force: bool
) -> None:
    """Raise OutputError where the studies or their record cannot be written."""
    for path in filter(None, (target, record)):
        if source is not None and same_file(path, source):
            raise OutputError(
                f"{path}: is the input workbook, which is never written to; choose another name"
            )
    if target is None:
        return
    if record is not None and same_file(target, record):
        raise OutputError(
            f"{record}: is both the output and the record; choose another name for one of them"
        )
    check_output_file(target, Kind.STUDY, force)
