"""The answers of studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.plan.frames import Shown
from optimiser.studies.engine.case import DECISIONS, CaseResult
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Ran
from optimiser.studies.kinds.asked import AnswerTable
from stockpile_model.amounts import count
from stockpile_model.schema import nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class StudyResult(Shown):
    """The answer of a study: a sentence and a table for each question, and every run.

    `record` holds how each run ended: the path of its file, or a record in memory.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> sweep = so.study(book, "sweep", {"offers[spot].price": (11, 13)}, steps=2)
    >>> isinstance(sweep, so.StudyResult), len(sweep["sweep"])
    (True, 2)
    """

    name: str
    kind: str
    tables: tuple[AnswerTable, ...]
    runs: tuple[Ran, ...]
    record: MemoryRecord | Path

    @property
    def answers(self) -> tuple[str, ...]:
        """Return the answers in sentences."""
        return tuple(table.said for table in self.tables)

    @cached_property
    def results(self) -> tuple[CaseResult, ...]:
        """Return how each run ended."""
        if isinstance(self.record, Path):
            with Record(self.record) as record:
                return self._ended(record)
        return self._ended(self.record)

    def _ended(self, record: MemoryRecord | Record) -> tuple[CaseResult, ...]:
        return tuple(record.find_any(run.key) or CaseResult("not run") for run in self.runs)

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a table of the answer as a frame. Raises KeyError where there is no such table."""
        import pandas as pd

        answer = next((each for each in self.tables if each.name == table), None)
        if answer is None:
            names = [each.name for each in self.tables]
            raise KeyError(
                f"no table {table!r}{nearest(table, names)}; there are {', '.join(names)}"
            )
        return pd.DataFrame([[*row] for row in answer.rows], columns=[*answer.header])

    @property
    def frame(self) -> pd.DataFrame:
        """Return every run: its inputs, its status, cost, proven bound and figures."""
        import pandas as pd

        pairs = zip(self.runs, self.results, strict=True)
        return pd.DataFrame(
            [
                {
                    **run.values,
                    "status": each.status,
                    "objective": each.objective,
                    "bound": each.bound,
                    "gap": each.gap,
                    **{name: value for name, value in each.figures.items() if name != DECISIONS},
                }
                for run, each in pairs
            ]
        )

    def _title(self) -> str:
        return f"Study {self.kind} of {count(len(self.runs), 'run')}"

    def _facts(self) -> Mapping[str, object]:
        return {table.name: table.said for table in self.tables}


@dataclass(frozen=True, repr=False)
class StudyResults(Shown):
    """The answers of several studies of a workbook.

    `failed` is how many runs failed, `kept` how many came from the record. `interrupted`: the
    answers are those of the runs that had ended. `seconds` is the time that they took.

    >>> import optimiser as so
    >>> studies = so.run_studies("inputs/small.xlsx", everything=True, gap=0.1)
    >>> isinstance(studies, so.StudyResults), studies.names
    (True, ('everything',))
    """

    results: tuple[StudyResult, ...]
    seconds: float
    failed: int = 0
    kept: int = 0
    interrupted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the studies."""
        return tuple(each.name for each in self.results)

    def __iter__(self) -> Iterator[StudyResult]:
        return iter(self.results)

    def __getitem__(self, name: str) -> StudyResult:
        """Return a study by its name. Raises KeyError where there is none."""
        result = next((each for each in self.results if each.name == name), None)
        if result is None:
            raise KeyError(
                f"no study {name!r}{nearest(name, self.names)}; there are {', '.join(self.names)}"
            )
        return result

    def _title(self) -> str:
        runs = count(sum(len(each.runs) for each in self.results), "run")
        studies = count(len(self.results), "study", "studies")
        return f"{studies} of {runs}, {self.kept:,} of them from the record"

    def _facts(self) -> Mapping[str, object]:
        return {each.name: " ".join(each.answers) for each in self.results}
