"""Read the officer's workbook, or a folder of CSV files, as a Stockpile: every fault at once, each
with its cell.

Cells become drafts of rows (`drafts`), drafts are linked to each other (`links`), rows are checked
together (`stockpile_model.build.check`) and, where all is sound, their figures against each other
(`sanity`). A fault does not end the reading: something harmless takes the place of what it leaves
open, and what follows from that is not reported, so that one slip gives one line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimiser import checks as sanity
from optimiser.scenarios.sampling import uncertainty as uncertain
from optimiser.studies.study_sheet import study_checks
from optimiser.studies.study_sheet import study_table as studies
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read import csvs, doubts, title_units, xlsx
from optimiser.workbook.read.cells import Digest, Sheet, Unreadable, number
from optimiser.workbook.read.drafts import Draft, Drafts, Written, draft, draft_settings, written
from optimiser.workbook.read.headed_sheet import Faults
from optimiser.workbook.read.links import link
from optimiser.workbook.read.named_units import WorkbookUnits
from stockpile_model.block import tables as block_tables
from stockpile_model.build import check
from stockpile_model.changes import Change, apply, dropped
from stockpile_model.names import identity
from stockpile_model.schema import Column, Problem, Row, columns, nearest
from stockpile_model.spelling import alike
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import normal

NOT_READ = ("guide", "notes", "lists")
SUMMARY, RUN = "summary", "run"  # sheets of each plan, and tables of no input

_AMPLE = 1200.0  # of anything: as a duration, a whole number of periods of any length
_TIME = ("start", "periods", "period_months", "fiscal_year_start")


def kinds() -> dict[str, type[Row]]:
    """Return the row types that a workbook may hold, by table."""
    return {kind.TABLE: kind for kind in (*block_tables(), *uncertain.TABLES, *studies.TABLES)}


@dataclass(frozen=True)
class Reading:
    """A workbook without faults, and what is odd about it."""

    stockpile: Stockpile
    warnings: tuple[Fault, ...] = ()
    # of the bytes that were read: of the workbook, or of the names and contents of a folder's CSV
    # files in order
    sha256: str = ""
    left_out: tuple[Fault, ...] = ()  # of `warnings`: the rows that changes have left out


def read(path: str | Path, changes: Iterable[Change] = ()) -> Reading:
    """Return the rows of a workbook (.xlsx), or of a folder with one `<table>.csv` for each table,
    after `changes` to them.

    The file is only read. InputError holds all that is wrong with it, in the order of its sheets,
    rows and columns.
    """
    return _read(path, changes)[0]


def read_as_written(path: str | Path) -> tuple[Reading, dict[type[Row], Written]]:
    """Return what `read` returns, and the cells of each table that has rows, to be written again as
    they were given.
    """
    reading, workbook = _read(path, ())
    tables = [workbook.tables[name] for name in workbook.order if name in workbook.tables]
    return reading, {table.kind: written(table) for table in tables if table.rows}


def read_sheets(given: Iterable[Sheet], changes: Iterable[Change] = ()) -> Reading:
    """Read sheets that stand in memory, as `read` does those of a file."""
    workbook = _Workbook()
    for sheet in given:
        workbook.take(sheet)
    return _judged(workbook, changes, "")


def _read(path: str | Path, changes: Iterable[Change]) -> tuple[Reading, _Workbook]:
    workbook, seen = _Workbook(), hashlib.sha256()
    try:
        for sheet in sheets(Path(path), seen):
            workbook.take(sheet)
        workbook.refuse_plan()
    except Unreadable as reason:
        raise InputError([Fault(str(path), str(reason))]) from reason
    except OSError as reason:
        raise InputError(
            [Fault(str(path), f"cannot be read: {reason.strerror or reason}")]
        ) from reason
    return _judged(workbook, changes, seen.hexdigest()), workbook


def changed(reading: Reading, changes: Iterable[Change]) -> Reading:
    """Return a workbook without faults after changes to its cells.

    Raises InputError where it then has faults.
    """
    stockpile, faults, left = _change(reading.stockpile, changes)
    if not faults:
        problems = [
            *check(stockpile),
            *uncertain.check(stockpile),
            *study_checks.check(stockpile, ()),
        ]
        faults = [Fault(*stockpile.located(each)) for each in problems if not each.warning]
    if not faults:
        problems += sanity.check(stockpile)
        faults = [Fault(*stockpile.located(each)) for each in problems if not each.warning]
    if faults:
        raise InputError(faults)
    left = [*reading.left_out, *left]
    found = [Fault(*stockpile.located(each)) for each in problems]
    return Reading(stockpile, (*found, *left), reading.sha256, (*left,))


def _judged(workbook: _Workbook, changes: Iterable[Change], sha256: str) -> Reading:
    """Return the rows of sheets that have been taken.

    Raises InputError with all that is wrong with them.
    """
    workbook.judge_headers()
    linked = link(workbook.tables, workbook.unread)
    faults = workbook.faults()
    if not linked or not workbook.bears_judgement():
        raise InputError(sorted(faults, key=workbook.place))
    stockpile = workbook.stockpile()
    odd = doubts.of(workbook.tables.values(), stockpile)
    left: list[Fault] = []
    if not faults:
        stockpile, faults, left = _change(stockpile, changes)
    problems = [*check(stockpile, sound=not faults), *uncertain.check(stockpile)]
    doubtful = {table for table, drafts in workbook.tables.items() if drafts.faults.found} | {
        each.table for each in problems if not each.warning
    }
    problems += study_checks.check(stockpile, doubtful)
    found = [Fault(*stockpile.located(problem)) for problem in problems if workbook.judges(problem)]
    faults += [fault for fault in found if not fault.warning]
    if not faults:
        found += [Fault(*stockpile.located(problem)) for problem in sanity.check(stockpile)]
        faults = [fault for fault in found if not fault.warning]
    if faults:
        raise InputError(sorted(faults, key=workbook.place))
    warnings = sorted([*odd, *found, *left], key=workbook.place)
    return Reading(stockpile, tuple(warnings), sha256, (*left,))


def sheets(path: Path, seen: Digest | None = None) -> Iterator[Sheet]:
    """Return the sheets of a workbook or of a folder of CSV files."""
    if path.is_dir():
        return csvs.sheets(path, seen)
    if not path.exists():
        raise Unreadable("there is no such file; see its name and folder")
    if not path.is_file():
        raise Unreadable("is neither a file nor a folder")
    return xlsx.sheets(path, seen)


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of an input as it is now, computed as `Reading` has it."""
    seen = hashlib.sha256()
    if path.is_file():
        seen.update(path.read_bytes())
    else:
        for file in csvs.files(path):
            csvs.note(seen, file, file.read_bytes() if file.is_file() else b"")
    return seen.hexdigest()


def _change(
    stockpile: Stockpile, changes: Iterable[Change]
) -> tuple[Stockpile, list[Fault], list[Fault]]:
    """Return a stockpile after changes, those that cannot be made, and what they leave out."""
    faults, left = [], []
    for change in changes:
        try:
            found = apply(stockpile, change)
        except ValueError as reason:
            faults.append(Fault(f"--set '{change}'", str(reason)))
            continue
        end = found.calendar.end(found.settings.periods - 1)
        message = f"is left out: the horizon, shortened by {change}, ends before it, on {end}"
        left += [
            Fault(stockpile.cell(row), message, warning=True) for row in dropped(stockpile, found)
        ]
        stockpile = found
    return stockpile, faults, left


@dataclass
class _Workbook:
    """The sheets as they are taken, one after the other."""

    tables: dict[str, Drafts] = field(default_factory=dict)
    unread: set[str] = field(
        default_factory=set
    )  # tables that could not be read, or that a misspelt name may mean
    others: list[Fault] = field(default_factory=list)  # of sheets that are no tables
    order: list[str] = field(default_factory=list)
    planned: str = ""  # where the sheets are those of a plan: the name of its input

    def take(self, sheet: Sheet) -> None:
        table = normal(sheet.name)
        if table in NOT_READ or table.startswith("_"):
            return
        if table in self.order:
            self.others.append(
                Fault(
                    table,
                    f"this sheet stands twice, the second time as {sheet.name!r}; remove one of"
                    " the two",
                )
            )
            return
        if table not in kinds():
            if table == RUN:
                self.planned = _input_named(sheet)
            self._unknown(sheet.name)
        else:
            self.order.append(table)
            faults = Faults(table)
            try:
                self.tables[table] = (
                    draft_settings(sheet, faults)
                    if table == Settings.TABLE
                    else draft(kinds()[table], sheet, faults)
                )
            except Unreadable as reason:
                self.unread.add(table)
                self.others.append(Fault(table, str(reason)))

    def _unknown(self, name: str) -> None:
        hint = nearest(normal(name), kinds())
        self.order.append(identity(name))
        self.unread.update(table for table in kinds() if f"{table!r}" in hint)
        self.others.append(
            Fault(
                name,
                f"this sheet is no table{hint}; rename it, or begin its name with _ to leave"
                " it out",
            )
        )

    def refuse_plan(self) -> None:
        """Raise Unreadable where the sheets are those of a plan: its sheets have names of tables,
        and each of their columns would have a fault.
        """
        if {SUMMARY, RUN} <= {*self.order} and Settings.TABLE not in self.order:
            named = self.planned or "the workbook that it was made from"
            raise Unreadable(
                f"is a plan, not a workbook to plan; name {named} instead, and see"
                " `stockpile audit`, `report` and `compare` for plans"
            )

    def judge_headers(self) -> None:
        """Compare the titles of columns with how they are read; the settings give the units and the
        start.
        """
        drafts = self.tables.get(Settings.TABLE)
        given = (
            {name: value for row in drafts.rows for name, value in row.values.items()}
            if drafts
            else {}
        )
        book = WorkbookUnits.of(given)
        for table in self.tables.values():
            title_units.judge(table, book)
            if table.wide is not None:
                message = table.wide.message(
                    given.get("start"),
                    given.get("period_months", 1),
                    given.get("fiscal_year_start", 10),
                )
                table.faults.header(table.line, min(table.wide.spans), message, lost=True)

    def faults(self) -> list[Fault]:
        """Return all that is wrong with single sheets and cells."""
        found = [*self.others, *(fault for table in self.tables.values() for fault in table.faults)]
        if Settings.TABLE not in self.tables and Settings.TABLE not in self.unread:
            found.append(
                Fault(
                    Settings.TABLE, "this sheet is missing; add it, with at least start and periods"
                )
            )
        return found

    def place(self, fault: Fault) -> tuple[int, int, int]:
        """Return the position of a fault: the number of its sheet, its row and its column."""
        cell = re.fullmatch(r"(.*)!([A-Z]+)(\d+)", fault.where)
        sheet = identity(cell[1] if cell else fault.where)
        at = self.order.index(sheet) if sheet in self.order else len(self.order)
        return (at, int(cell[3]), number(cell[2])) if cell else (at, 0, 0)

    def judges(self, problem: Problem) -> bool:
        """Return whether a problem between cells does not follow from a fault that is reported
        already.
        """
        if problem.table not in self.tables:
            return True
        faults = self.tables[problem.table].faults
        return (
            not faults.whole
            and problem.line not in faults.lines
            and (problem.line > 0 or not faults.lines)
        )

    def bears_judgement(self) -> bool:
        """Return whether enough is known to check rows together: all sheets and their rows, and the
        time that the plan covers.
        """
        if self.unread - self.tables.keys() or Settings.TABLE not in self.tables:
            return False
        if any(table.faults.lost for table in self.tables.values()):
            return False
        drafts = self.tables[Settings.TABLE]
        return not any(
            row.line in drafts.faults.lines
            for name, row in zip(drafts.cells, drafts.rows, strict=True)
            if name in _TIME
        )

    def stockpile(self) -> Stockpile:
        """Return the rows, with something harmless where a required cell has a fault."""
        drafts = self.tables[Settings.TABLE]
        values = {name: value for row in drafts.rows for name, value in row.values.items()}
        ranges = {name: both for row in drafts.rows for name, both in row.ranges.items()}
        about = {
            name: Row(line=row.line, **row.about)
            for name, row in zip(drafts.cells, drafts.rows, strict=True)
        }
        settings = Settings(**values, ranges=ranges, about=about, filled=frozenset(values))
        others = [table for table in self.tables.values() if table is not drafts]
        rows = {
            table.kind: tuple(_row(table.kind, row, settings) for row in table.rows)
            for table in others
        }
        return alike(
            Stockpile(settings, rows, {name: table.cells for name, table in self.tables.items()})
        )


def _input_named(sheet: Sheet) -> str:
    """Return the name of the input that the sheet `run` of a plan gives."""
    given = {str(cells.get(1)): cells.get(2) for _, cells in sheet}
    name = given.get("input")
    return name if isinstance(name, str) else ""


def _row(kind: type[Row], draft: Draft, settings: Settings) -> Row:
    values = {
        column.field: draft.values[column.name]
        for column in columns(kind)
        if column.name in draft.values
    }
    for column in columns(kind):
        if column.field not in values and (
            column.required or (column.name in draft.faulty and column.default is None)
        ):
            values[column.field] = _harmless(column, settings)
    if kind.OPEN:
        values["values"] = draft.series
    return kind(
        line=draft.line,
        ranges=draft.ranges,
        filled=frozenset(draft.values),
        **draft.about,
        **values,
    )


def _harmless(column: Column, settings: Settings) -> Any:
    """Return a value that a column allows."""
    if column.kind == "date" and column.required:
        return settings.start
    if column.kind in ("number", "whole"):
        number = _AMPLE if column.most is None else column.most
        return int(number) if column.kind == "whole" else number
    if column.kind == "text" and column.required:
        return next((choice for choice in column.choices if not column.fault(choice)), "?")
    return column.default
