"""Studies of a workbook in memory: what its plan hangs on."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from optimiser.api.book import Book
from optimiser.desk.study_maker import GAP, conduct
from optimiser.plan.frames import Shown
from optimiser.scenarios.sampling.draw import SamplingOptions
from optimiser.scenarios.sampling.make import make
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.engine.evaluate import StudyJob
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Ran, Runner, StudyProgress
from optimiser.studies.engine.study_key import common
from optimiser.studies.every_kind import EVERY_KIND
from optimiser.studies.kinds.asked import AnswerTable, Asked
from optimiser.studies.plan_what_ifs import executor_of, plain
from optimiser.studies.study_sheet.every_input import everything
from optimiser.studies.study_sheet.study_inputs import Input, input_of
from optimiser.studies.study_sheet.study_table import Study, by_name
from optimiser.system.errors import Fault, InputError, StockpileError
from optimiser.workbook.read.input_reader import Reading
from stockpile_model.changes import parse
from stockpile_model.schema import nearest

if TYPE_CHECKING:
    import pandas as pd

Watch = Callable[[StudyProgress], None]


@dataclass(frozen=True, repr=False)
class StudyResult(Shown):
    """What a study answers: a sentence and a table for each question, and every run.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> found = so.study(book, "sweep", {"offers[spot].price": (11, 13)}, steps=2)
    >>> isinstance(found, so.StudyResult), len(found["sweep"])
    (True, 2)
    """

    kind: str
    tables: tuple[AnswerTable, ...]
    runs: tuple[Ran, ...]
    results: tuple[CaseResult, ...]

    @property
    def answers(self) -> tuple[str, ...]:
        """Return the answers in sentences."""
        return tuple(table.said for table in self.tables)

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a table of the answer as a frame. Raises KeyError where there is no such table."""
        import pandas as pd

        found = next((each for each in self.tables if each.name == table), None)
        if found is None:
            names = [each.name for each in self.tables]
            raise KeyError(
                f"no table {table!r}{nearest(table, names)}; there are {', '.join(names)}"
            )
        return pd.DataFrame([[*row] for row in found.rows], columns=[*found.header])

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
                    **each.figures,
                }
                for run, each in pairs
            ]
        )

    def _title(self) -> str:
        return f"Study {self.kind} of {len(self.runs)} runs"

    def _facts(self) -> Mapping[str, object]:
        return {table.name: table.said for table in self.tables}


def study(
    book: Book,
    kind: str,
    inputs: Sequence[str] | Mapping[str, tuple[float, float]] | None = None,
    *,
    gap: float = GAP,
    time_limit: float | None = None,
    workers: int = 0,
    record: str | Path | None = None,
    on_progress: Watch | None = None,
    **about: Any,
) -> StudyResult:
    """Run a study of a workbook.

    `kind` is a kind of study (`tornado`, `sweep`, `monte_carlo` …) or the name of one in the sheet
    `studies`. `inputs` are the cells that it moves, `budgets[nds].amount` or `prices[*].gallium
    scale`, with low and high where the workbook gives no range; of a tornado None means every
    number. `about` are further columns of the sheet `studies`, as `samples=100`. With `workers` 0
    it runs in this process, else in so many others; a `record` keeps finished runs in a file.
    Raises InputError and StockpileError.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> found = so.study(book, "sweep", {"demand[*].quantity": (5, 15)}, steps=3)
    >>> len(found.frame)
    3
    """
    asked = _asked(book, kind, inputs, gap, about)
    if workers and multiprocessing.parent_process() is not None:
        raise StockpileError(
            "a study asked for processes while its own process was starting: put the call below `if"
            " __name__ == '__main__':`, or leave workers out and study in this process"
        )
    with ExitStack() as stack:
        keeper = stack.enter_context(Record(Path(record))) if record is not None else MemoryRecord()
        options = _options(book, gap, time_limit)
        runner = _runner(book, asked, keeper, options, stack, workers, on_progress)
        tables = conduct(EVERY_KIND[asked.study.kind](asked), runner)
        results = tuple(keeper.find_any(run.key) or CaseResult("not run") for run in runner.ran)
    return StudyResult(asked.study.kind, tuple(tables), tuple(runner.ran), results)


def _runner(
    book: Book,
    asked: Asked,
    keeper: Record | MemoryRecord,
    options: Options,
    stack: ExitStack,
    workers: int = 0,
    watch: Watch | None = None,
) -> Runner:
    """Return what runs the cases of a study, until the stack is closed."""
    rows = plain(book.stockpile)
    executor = stack.enter_context(closing(executor_of(StudyJob(rows, options), workers)))
    return Runner(
        asked.study.study,
        keeper,
        common(rows, options),
        lambda: executor,
        watch or (lambda _: None),
        asked.inputs,
        audits=True,
    )


def _options(book: Book, gap: float, time_limit: float | None) -> Options:
    """Return the options of the solver for each run."""
    settings = book.stockpile.settings
    limit = settings.time_limit_seconds if time_limit is None else time_limit
    return Options(gap=gap, time_limit=limit, threads=1, seed=settings.seed)


def _asked(
    book: Book,
    kind: str,
    inputs: Sequence[str] | Mapping[str, tuple[float, float]] | None,
    gap: float,
    about: Mapping[str, Any],
) -> Asked:
    """Return what a study asks. Raises InputError."""
    stockpile, named = book.stockpile, by_name(book.stockpile)
    if kind in named and inputs is None:
        rows = named[kind]
        return Asked(
            rows[0],
            tuple(
                input_of(stockpile, row)
                for row in rows
                if row.table and rows[0].kind != "alternatives"
            ),
            stockpile,
            gap,
        )
    if kind not in EVERY_KIND:
        names = [*EVERY_KIND, *named]
        raise InputError(
            [
                Fault(
                    "study",
                    f"there is no kind or study {kind!r}{nearest(kind, names)}; there are"
                    f" {', '.join(names)}",
                )
            ]
        )
    if inputs is None and kind == "tornado":
        every = everything(stockpile)
        return Asked(Study(study=kind, kind=kind), every.inputs, stockpile, gap, every.left_out)
    found = tuple(inputs_of(book, inputs or (), kind, **about))
    return Asked(Study(study=kind, kind=kind, **about), found, stockpile, gap)


def inputs_of(
    book: Book,
    inputs: Sequence[str] | Mapping[str, tuple[float, float]],
    kind: str = "tornado",
    **about: Any,
) -> Iterator[Input]:
    """Yield the inputs that texts name, each with low and high. Raises InputError."""
    for text in inputs:
        low, high = inputs[text] if isinstance(inputs, Mapping) else (None, None)
        words = text.split()
        how = words[-1] if words[-1] in ("set", "scale", "add") else "set"
        cell = text.removesuffix(how).strip() if words[-1] == how else text
        try:
            named = parse(f"{cell} set 0")
            column = {"distribution": about["distribution"]} if "distribution" in about else {}
            row = Study(
                study=kind,
                kind=kind,
                table=named.table,
                row=named.row,
                column=named.column,
                how=how,
                low=low,
                high=high,
                **column,
            )
            yield input_of(book.stockpile, row)
        except ValueError as reason:
            raise InputError([Fault(text, str(reason))]) from reason


class Evaluator:
    """A workbook as a function of some of its inputs, as SALib and other libraries of sensitivity
    call it.

    >>> import optimiser as so
    >>> model = so.Evaluator(so.read("inputs/small.xlsx"), {"demand[*].quantity": (5, 15)})
    >>> model.problem
    {'num_vars': 1, 'names': ['demand[*].quantity'], 'bounds': [[5.0, 15.0]]}
    >>> model.evaluate([[10.0]]).round().tolist()
    [630.0]
    """

    def __init__(
        self,
        book: Book,
        inputs: Sequence[str] | Mapping[str, tuple[float, float]],
        *,
        gap: float = GAP,
        figure: str = "objective",
    ) -> None:
        self.inputs = tuple(inputs_of(book, inputs))
        self.figure = figure
        stockpile = book.stockpile
        self._asked = Asked(Study(study="evaluate", kind="sweep"), self.inputs, stockpile, gap)
        options = _options(book, gap, None)
        self._runner = _runner(book, self._asked, MemoryRecord(), options, ExitStack())

    @property
    def problem(self) -> dict[str, Any]:
        """Return the inputs as SALib describes them."""
        bounds = [[float(each.low), float(each.high)] for each in self.inputs]
        return {
            "num_vars": len(self.inputs),
            "names": [each.name for each in self.inputs],
            "bounds": bounds,
        }

    def run(self, X: Any) -> list[CaseResult]:
        """Return the result of each row of X (samples x inputs)."""
        cases: list[Case] = [
            self._asked.case(*map(float, row))
            for row in np.atleast_2d(np.asarray(X, dtype=np.float64))
        ]
        return self._runner.run(cases)

    def evaluate(self, X: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the figure of each row of X (samples x inputs): an array of samples; nan where
        there is no plan.
        """
        found = (each.number(self.figure) for each in self.run(X))
        return np.array([np.nan if each is None else each for each in found])

    __call__ = evaluate


def sample(
    book: Book,
    *,
    samples: int = 1000,
    keep: int = 10,
    seed: int = 1,
    method: Literal["forward", "kmedoids"] = "forward",
) -> Book:
    """Return the workbook with scenarios: sampled, and reduced to those that keep most of what was
    sampled.

    Raises InputError where the workbook has scenarios already, and StockpileError.

    >>> import optimiser as so
    >>> book = so.sample(so.read("inputs/indium.xlsx"), samples=50, keep=3)
    >>> len(book["scenarios"])
    3
    """
    asked = SamplingOptions(samples=samples, keep=keep, seed=seed, method=method)
    found = make(book.stockpile, asked)
    return Book(
        Reading(found.stockpile, book.warnings, book.reading.sha256), book.source, book.changes
    )
