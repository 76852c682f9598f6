"""A plan that was read from a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api import plan_json
from optimiser.api.output_files import is_page
from optimiser.auditing import Sheets
from optimiser.html.saving import ENDING, check_page
from optimiser.plan.audited import as_sheets
from optimiser.plan.frames import Shown, frame, of_lines
from optimiser.plan.plan import Plan
from optimiser.scenarios.bundles.trunk_plan import DECIDED
from optimiser.system.errors import OutputError, StockpileError
from optimiser.workbook.read.plan_reader import PlanReading, read_plan
from optimiser.workbook.result_kinds import sheet_kinds
from optimiser.workbook.write.ownership import Kind, is_own
from stockpile_model import amounts
from stockpile_model.schema import nearest

if TYPE_CHECKING:
    import pandas as pd

JSON = ".json"
UNSEALED = "read from JSON, which does not show whether the plan was edited since it was written"
NO_PLAN = "there is no plan here: the explanation of its solution says why"


@dataclass(frozen=True, repr=False)
class SavedPlan(Shown):
    """A plan that was read from a file, as it stands there: nothing of it is recomputed.

    `edited`: its file is not as this program wrote it; a file of JSON does not show that.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> saved = so.load_plan(plan.save("plan.xlsx", force=True))
    >>> isinstance(saved, so.SavedPlan), len(saved["orders"]) == len(plan["orders"])
    (True, True)
    """

    reading: PlanReading
    source: str
    edited: bool = False

    @property
    def objective(self) -> float:
        """Return the objective [money]."""
        return self.reading.sheets.objective

    @property
    def changes(self) -> tuple[str, ...]:
        """Return the changes to its workbook that the plan was made with."""
        return tuple(map(str, self.reading.changes))

    @property
    def until(self) -> dt.date | None:
        """Return the date before which all that it holds is done; None where it holds all."""
        until = self.reading.run.get(DECIDED)
        return dt.date.fromisoformat(until) if until else None

    @property
    def sheets(self) -> tuple[str, ...]:
        """Return the names of the sheets of rows."""
        return tuple(self.reading.sheets.rows)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the sheets, so that `in` finds one too."""
        return iter(self.sheets)

    def __getitem__(self, sheet: str) -> pd.DataFrame:
        """Return a sheet as a frame, one without rows with its columns too.

        Raises KeyError where the plan has no such sheet.
        """
        if sheet not in self.reading.sheets.rows:
            raise KeyError(
                f"no sheet {sheet!r}{nearest(sheet, self.sheets)}; there are"
                f" {', '.join(self.sheets)}"
            )
        lines = self.reading.sheets[sheet]
        kind = next((each for each in sheet_kinds() if sheet == each.SHEET), None)
        if kind is not None and not lines:
            return frame(kind, ())
        return of_lines([*dict.fromkeys(name for line in lines for name in line)], lines)

    @cached_property
    def plan(self) -> Plan:
        """Return the plan with its rows by type and its workbook, as the file holds them.

        Of a plan that was `edited` neither bound nor audit is kept. Raises InputError where its
        assumptions make no workbook.
        """
        from optimiser.api.restored_plan import restored

        notes = (UNSEALED,) if self.source.casefold().endswith(JSON) else ()
        return restored(self.reading, self.source, self.until, self.edited, notes)

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the plan as a page (.html).

        A file that this program did not write, or that was edited since, is replaced by `force`
        only. Raises InputError, and OutputError; then nothing has changed.
        """
        target = Path(path)
        if not is_page(target):
            raise OutputError(
                f"{target}: a plan that was read is saved as {ENDING}; choose such a name"
            )
        check_page(target, force)
        return self.plan.save(target, force)

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
    if file.suffix.casefold() == JSON:
        return SavedPlan(plan_json.load(file), file.name)
    return SavedPlan(read_plan(file), file.name, not is_own(file, Kind.PLAN))


def sheets_of(plan: Plan | SavedPlan | None) -> Sheets:
    """Return the sheets of a plan. Raises StockpileError where there is no plan."""
    if plan is None:
        raise StockpileError(NO_PLAN)
    return plan.reading.sheets if isinstance(plan, SavedPlan) else as_sheets(plan)
