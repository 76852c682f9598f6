"""Put the plan of a workbook under stress: hold its first decisions, and let one thing happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api.book import Say, Source, book_of, path_of
from optimiser.api.output_files import is_page, page_at
from optimiser.api.study_conductor import StudyConductor
from optimiser.api.study_results import StudyResult
from optimiser.api.studying import check_places
from optimiser.execution.executor import processes
from optimiser.studies.answered import Answered
from optimiser.studies.engine.runner import StudyProgress
from optimiser.studies.kinds.asked import AnswerTable
from optimiser.studies.stress import stress_columns as titles
from optimiser.studies.stress.stress_rounds import EVENTS, KIND, LEFT_OUT, THUMB, StressAsked
from optimiser.studies.study_sheet.study_table import Study
from optimiser.system.interrupts import Interrupt
from stockpile_model.values import parted

if TYPE_CHECKING:
    from optimiser.figures.figure import Figured


BRIEF = (titles.RANK, titles.EVENT, titles.MORE, titles.SHORT, titles.REGRET)


@dataclass(frozen=True, repr=False)
class StressResult(StudyResult):
    """Describe what each event costs once the first decisions are taken, the gravest first.

    The table `stress` has a row for each event, `rule of thumb` compares the plan with one made
    without an optimiser, `left out` names the cells that had no event, where there are any.
    `failed` is how many runs failed, `interrupted` whether not all of them ended.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx").without("contracts", "floors", "prices", "outlets")
    >>> found = so.stress(book)
    >>> isinstance(found, so.StressResult), found["stress"]["event"][0]
    (True, 'smelter gone')
    """

    seconds: float = 0.0
    failed: int = 0
    kept: int = 0
    interrupted: bool = False
    title: str = ""

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the test as a page (.html).

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises OutputError; then nothing has changed.
        """
        from optimiser.figures import of_study
        from optimiser.figures.of_study import stress_figures
        from optimiser.html.other_pages import stress_page
        from optimiser.html.saving import write_page

        target = page_at(path, "a stress test that was made")
        events, *others = self.tables
        answered = Answered(self.name, self.kind, others, self.runs, ())
        tables = [
            replace(each.table, caption="")
            for each in of_study.answers_of(answered)
            if each.table.lines
        ]
        parts: dict[str, Iterable[Figured]] = {
            "What each event costs": stress_figures.bars(events),
            "Every event": stress_figures.tables(events),
            "Without an optimiser": [each for each in tables if each.name == THUMB],
            "Without an event": [each for each in tables if each.name == LEFT_OUT],
        }
        said = [line for each in self.answers for line in each.splitlines()]
        ends = "Incomplete: interrupted before all runs had ended." if self.interrupted else ""
        title = f"{self.title or 'Stockpile'}: stress test"
        write_page(stress_page(title, parts, said, ends), target, force)
        return target

    @property
    def status(self) -> str:
        """Return how the plan itself ended: `optimal`, `feasible`, `infeasible`, `no_plan` …"""
        return self.results[0].status

    def as_object(self) -> dict[str, object]:
        """Return the answer as one object, as `stockpile stress --json` prints it.

        >>> import optimiser as so
        >>> book = so.read("inputs/small.xlsx").without("contracts", "floors", "prices", "outlets")
        >>> [*so.stress(book, hold=3).as_object()][:3]
        ['status', 'summary', 'events']
        """
        return {
            "status": self.status,
            "summary": list(self.answers),
            "events": self._objects(EVENTS),
            "rule_of_thumb": self._objects(THUMB),
            "left_out": self._objects(LEFT_OUT),
            "failed": self.failed,
            "interrupted": self.interrupted,
            "seconds": round(self.seconds, 3),
        }

    @property
    def brief(self) -> AnswerTable:
        """Return the columns of the events that are read first; `no plan known` where one leaves
        none."""
        events = self.tables[0]
        if not events.rows:  # there is no plan to be put under stress
            return events
        cost, more = events.places(titles.COST, titles.MORE)
        shown = events.places(*BRIEF)
        rows = [
            ["no plan known" if c == more and row[cost] is None else row[c] for c in shown]
            for row in events.rows
        ]
        return replace(events, header=tuple(events.header[c] for c in shown), rows=rows)

    @property
    def impossible(self) -> tuple[str, ...]:
        """Return after which events there is no plan, and why, in sentences."""
        events = self.tables[0]
        if not events.rows:
            return ()
        rank, event, why = events.places(titles.RANK, titles.EVENT, titles.IMPOSSIBLE)
        return tuple(f"{row[rank]} {row[event]}: {row[why]}" for row in events.rows if row[why])

    def _objects(self, name: str) -> list[Mapping[str, object]]:
        """Return the rows of a table by the names of its columns."""
        table = next((each for each in self.tables if each.name == name), None)
        if table is None:
            return []
        names = [parted(title)[0].strip().replace(" ", "_") for title in table.header]
        return [
            {key: _plain(value) for key, value in zip(names, row, strict=True)}
            for row in table.rows
        ]


def _plain(value: object) -> object:
    """Return a value as JSON has it: a date as text."""
    return value if value is None or isinstance(value, (int, float, str)) else str(value)


def stress(
    source: Source,
    *,
    hold: float | None = None,
    scenarios: bool = False,
    changes: Sequence[str] = (),
    gap: float | None = None,
    time_limit: float | None = None,
    workers: int | None = 0,
    record: str | Path | None = None,
    output: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
    on_progress: Callable[[StudyProgress], None] | None = None,
) -> StressResult:
    """Put the plan of a workbook under stress: a book in memory, or the path of one.

    What the plan decides in its first `hold` months is held (None: twelve months, or half of a
    horizon that is no longer); then one event becomes known and the rest is decided again: a plant
    late by 6 or 12 months, a supplier gone, a price 20 % higher or lower, an appropriation cut by a
    fifth, a life a quarter shorter. It is done in the base path, or with `scenarios` in all
    scenarios. `gap` and `time_limit` [s] of each run are those of the settings unless given. With
    `workers` 0 all runs are made in this process, else in so many others (None: one for each core).

    A `record` (.sqlite) keeps finished runs in a file: what was interrupted goes on from there.
    `output` (.xlsx or .html) is where the answer is written; it is checked before the first run. A
    file there that this program did not write is replaced by `force` only. `on_message` gets
    warnings, a line each, `on_progress` how far it is. Raises InputError, OutputError and
    StockpileError.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx").without("outlets", "budgets", "funds")
    >>> found = so.stress(book)
    >>> float(found["stress"].set_index("event")["regret [USD]"]["new_plant gone"])
    20.0
    """
    began, say = time.monotonic(), on_message or (lambda _: None)
    target, place = (None if each is None else Path(each) for each in (output, record))
    path = path_of(source)
    check_places(path, target, place, force)
    book = book_of(source, changes, say)
    settings = book.stockpile.settings
    precise = settings.mip_gap if gap is None else gap
    rows, first = book.stockpile, Study(study=KIND, kind=KIND)
    asked = StressAsked(first, (), rows, precise, hold=hold, scenarios=scenarios)
    with (
        StudyConductor(book, precise, time_limit, place, processes(workers)) as conductor,
        Interrupt(keeps=True) as interrupt,
    ):
        answer = conductor.answered(asked, on_progress, interrupt)
        if target is not None and not is_page(target):
            _write(answer, conductor, interrupt.requested, target, path)
    found, seconds = conductor.result(answer), time.monotonic() - began
    of = (found.name, found.kind, found.tables, found.runs, found.record, seconds)
    ended = (conductor.failed, conductor.kept, interrupt.requested)
    result = StressResult(*of, *ended, title=settings.title)
    if target is not None and is_page(target):
        result.save(target, force)
    return result


def _write(
    answer: Answered, conductor: StudyConductor, stopped: bool, target: Path, source: Path | None
) -> None:
    """Write the answer as a workbook whose cells lead to the workbook `source`."""
    from optimiser.workbook.write.study_book import COMPLETE, write

    facts = conductor.facts("interrupted: incomplete" if stopped else COMPLETE)
    settings = conductor.book.stockpile.settings
    write([answer], conductor.record.find_any, facts, settings, target, source)
