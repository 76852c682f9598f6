"""Plan a workbook in memory, read a plan again, audit it, and put plans side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api import plan_json
from optimiser.api.book import Book, parsed
from optimiser.auditing import Audit, Sheets
from optimiser.auditing import audit as recompute
from optimiser.comparison.compared import Compared
from optimiser.comparison.compared import compare as rows_of
from optimiser.desk.plan_request import Request
from optimiser.desk.planner import plan_reading
from optimiser.explaining.shortages import Explanation
from optimiser.plan.audited import as_sheets
from optimiser.plan.frames import Shown, of_lines
from optimiser.plan.plan import Plan
from optimiser.solving.solve import Progress
from optimiser.system.errors import StockpileError
from optimiser.workbook.read.plan_reader import PlanReading, read_plan, spelt_alike
from stockpile_model import amounts
from stockpile_model.schema import nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Solution(Shown):
    """How a search ended.

    `status`: optimal, feasible, infeasible or no_plan; the plan, or the explanation why there is
    none.

    >>> import optimiser as so
    >>> result = so.solve(so.read("inputs/small.xlsx"))
    >>> isinstance(result, so.Solution), result.explanation
    (True, None)
    """

    status: str
    plan: Plan | None
    explanation: Explanation | None
    seconds: float

    def _title(self) -> str:
        return f"{self.status} after {self.seconds:.1f} s"

    def _facts(self) -> Mapping[str, object]:
        if self.plan is not None:
            return self.plan._facts()
        lines = (
            [*self.explanation.lines()]
            if self.explanation
            else ["No plan was found within the time limit."]
        )
        return {f"{number}": line.strip() for number, line in enumerate(lines, start=1)}


def solve(
    book: Book,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    solver: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Solution:
    """Plan a workbook. What is None is as the settings of the workbook say.

    `gap` is the proven relative gap at which the search may stop, `time_limit` is in seconds;
    `solver` names any solver that Pyomo knows. The plan is audited. Raises InputError where the
    cost falls without limit, SolverError, and AuditError for a plan that its input does not bear
    out.

    >>> import optimiser as so
    >>> result = so.solve(so.read("inputs/small.xlsx"))
    >>> result.status, round(result.plan.objective)
    ('optimal', 630)
    >>> round(result.plan["orders"]["ordered"].sum())
    40
    """
    request = Request(
        source=Path(book.source or "tables"),
        changes=parsed(book.changes),
        gap=gap,
        time_limit=time_limit,
        threads=threads,
        solver=solver,
    )
    answer = plan_reading(request, book.reading, on_progress)
    return Solution(answer.status, answer.plan, answer.explanation, answer.seconds)


@dataclass(frozen=True, repr=False)
class SavedPlan(Shown):
    """A plan that was read from a file, as it stands there: nothing of it is recomputed.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> saved = so.load_plan(plan.save("plan.xlsx", force=True))
    >>> isinstance(saved, so.SavedPlan), len(saved["orders"]) == len(plan["orders"])
    (True, True)
    """

    reading: PlanReading
    source: str

    @property
    def objective(self) -> float:
        """Return the objective [money]."""
        return self.reading.sheets.objective

    @property
    def sheets(self) -> tuple[str, ...]:
        """Return the names of the sheets of rows."""
        return tuple(self.reading.sheets.rows)

    def __getitem__(self, sheet: str) -> pd.DataFrame:
        """Return a sheet as a frame. Raises KeyError where the plan has no such sheet."""
        if sheet not in self.reading.sheets.rows:
            raise KeyError(
                f"no sheet {sheet!r}{nearest(sheet, self.sheets)}; there are"
                f" {', '.join(self.sheets)}"
            )
        lines = self.reading.sheets[sheet]
        return of_lines([*dict.fromkeys(name for line in lines for name in line)], lines)

    def _title(self) -> str:
        return f"Plan read from {self.source}"

    def _facts(self) -> Mapping[str, object]:
        sheets = self.reading.sheets
        return {
            "status": sheets.status,
            "objective": amounts.money(sheets.objective),
            "proven bound": "none" if sheets.bound is None else amounts.money(sheets.bound),
            "input": self.reading.run.get("input", "not known"),
            "changes": self.reading.run.get("changes", "") or "none",
            "sheets": ", ".join(self.sheets),
        }


def load_plan(path: str | Path) -> SavedPlan:
    """Read a plan that was saved as .xlsx or .json.

    Raises InputError with all that is wrong with it as a plan.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> so.load_plan(plan.save("plan.json", force=True)).objective == plan.objective
    True
    """
    file = Path(path)
    reading = plan_json.load(file) if file.suffix.casefold() == ".json" else read_plan(file)
    return SavedPlan(reading, file.name)


def audit(book: Book, plan: Plan | SavedPlan | None) -> Audit:
    """Recompute a plan from its workbook, without model and solver.

    `findings` are the figures that do not agree.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> so.audit(book, so.solve(book).plan).findings
    ()
    """
    sheets = _sheets(plan)
    if isinstance(plan, SavedPlan):
        spelt_alike(sheets, book.stockpile)
    return recompute(book.stockpile, sheets)


@dataclass(frozen=True, repr=False)
class SideBySide(Shown):
    """Plans side by side.

    A row has the value of each plan; `differing` are those of which one differs from the first.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> same = so.compare(plan, plan)
    >>> isinstance(same, so.SideBySide), same.differing
    (True, ())
    """

    names: tuple[str, ...]
    rows: tuple[Compared, ...]

    @property
    def differing(self) -> tuple[Compared, ...]:
        """Return the rows in which a plan differs from the first."""
        return tuple(row for row in self.rows if row.differs)

    @property
    def frame(self) -> pd.DataFrame:
        """Return all rows as a frame: part, what, of, unit, and a column for each plan."""
        columns = ("part", "what", "of", "unit", *self.names)
        return of_lines(
            columns,
            (
                {
                    "part": row.part,
                    "what": row.what,
                    "of": row.of,
                    "unit": row.unit,
                    **dict(zip(self.names, row.values, strict=True)),
                }
                for row in self.rows
            ),
        )

    def _title(self) -> str:
        return (
            f"{' beside '.join(self.names)}: {len(self.differing)} of {len(self.rows)} rows differ"
        )

    def _facts(self) -> Mapping[str, object]:
        return {
            f"{row.what} {row.of}".strip(): ", ".join(map(str, row.values))
            for row in self.differing
        }


def compare(*plans: Plan | SavedPlan | None, names: tuple[str, ...] = ()) -> SideBySide:
    """Put plans side by side: figures, scenarios and decisions, each beside the first plan's.

    Their units must be the same.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> cheap = book.change("offers[spot].price = 11")
    >>> beside = so.compare(so.solve(book).plan, so.solve(cheap).plan, names=("base", "cheap"))
    >>> [row.what for row in beside.differing][0]
    'objective'
    """
    given = names or tuple(f"plan {number}" for number in range(1, len(plans) + 1))
    return SideBySide(given, tuple(rows_of([_sheets(plan) for plan in plans])))


def _sheets(plan: Plan | SavedPlan | None) -> Sheets:
    if plan is None:
        raise StockpileError("there is no plan here: the explanation of its solution says why")
    return plan.reading.sheets if isinstance(plan, SavedPlan) else as_sheets(plan)
