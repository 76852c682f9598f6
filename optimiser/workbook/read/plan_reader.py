"""A plan workbook, also one that was edited by hand, as the sheets that an audit reads: every fault
at once, each with its cell.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimiser.auditing import TWINS, Line, Sheets, scenario_view
from optimiser.auditing.plan_sheets import LOST
from optimiser.figures.of_plan import PLAN, cost_headings, quantities
from optimiser.plan.assumption_rows import Assumption
from optimiser.scenarios.bundles.trunk_plan import DECIDED
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read import xlsx
from optimiser.workbook.read.cells import (
    Cell,
    Cells,
    Hidden,
    Lost,
    Sheet,
    Unreadable,
    error,
    letter,
)
from optimiser.workbook.read.headed_sheet import Faults, HeadedSheet
from optimiser.workbook.result_kinds import DATED, sheet_kinds
from stockpile_model.block import headings as block_headings
from stockpile_model.block import results as block_results
from stockpile_model.block import summed
from stockpile_model.changes import Change, parse
from stockpile_model.name_lists import list_of, names_in
from stockpile_model.names import identity
from stockpile_model.schema import Column, Result, Side, columns, keys
from stockpile_model.spelling import GROUPS, spellings
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import convert, normal, text

_AUDITED = {sheet.name for twin in TWINS for sheet in twin.sheets}
_SOMETIMES = {
    kind.SHEET: kind
    for kind in sheet_kinds()
    if not kind.ALWAYS and (kind in block_results() or kind.SHEET in _AUDITED)
}
_INFINITE = error("#NUM!")  # as a plan shows a number that is none


@dataclass(frozen=True)
class PlanReading:
    """The sheets of a plan, what its sheet `run` says, and what is odd about it."""

    sheets: Sheets
    run: Mapping[str, str]
    notes: tuple[str, ...]
    settings: Mapping[str, str] = field(
        default_factory=dict
    )  # as its sheet `assumptions` gives them

    @property
    def changes(self) -> list[Change]:
        """Return the changes to its input that the plan was made with."""
        return list(_changes(self.run.get("changes", "")))


@dataclass
class _Summary:
    """Describe what the sheet `summary` claims; None for a formula that has lost its value."""

    objective: float | None = None
    bound: float | None = None
    expected_cost: float | None = None
    cvar: float | None = None
    status: str | None = None
    gap: float | None = None
    costs: dict[str, float | None] = field(default_factory=dict)
    totals: dict[str, float | None] = field(default_factory=dict)  # waste, shortfall
    lines: list[Line] = field(default_factory=list)


def is_plan(path: Path) -> bool:
    """Return whether a file is a plan workbook, sound or not, and no input.

    Raises InputError where it cannot be read.
    """
    if path.is_dir():
        return False
    with readable(path):
        names = {normal(sheet.name) for sheet in file_sheets(path)}
    return "summary" in names and "settings" not in names


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise InputError for a file that cannot be read."""
    try:
        yield
    except Unreadable as reason:
        raise InputError([Fault(str(path), str(reason))]) from reason
    except OSError as reason:
        raise InputError(
            [Fault(str(path), f"cannot be read: {reason.strerror or reason}")]
        ) from reason


def read_plan(path: Path) -> PlanReading:
    """Read a plan workbook. InputError holds all that is wrong with it as one."""
    rows: dict[str, list[Line]] = {}
    faults: list[Fault] = []
    summary, run, found, notes = _Summary(), dict[str, str](), dict[str, None](), list[str]()
    kinds = {kind.SHEET: kind for kind in sheet_kinds() if kind.ALWAYS}
    views: dict[str, list[Line]] = {}
    with readable(path):
        for sheet in file_sheets(path):
            name = normal(sheet.name)
            found[name] = None
            if name == "summary":
                summary = _summary(sheet)
            elif name == "run":
                run, odd = _run(sheet)
                faults += odd
            elif name in (scenario_view.SHEET, scenario_view.ROWS):
                views[name] = [*_cells(name, sheet)]
            elif kind := {**_SOMETIMES, **kinds}.get(name):
                odd_cells = Faults(name)
                rows[name] = list(_lines(kind, sheet, odd_cells))
                faults += odd_cells
            if name in rows or name in ("summary", "run"):
                notes += _hidden(name, sheet.hidden)
    if "summary" not in found:
        raise InputError(
            [
                Fault(
                    str(path),
                    "has no sheet 'summary', so it is no plan; name the workbook that stockpile"
                    " solve has written",
                )
            ]
        )
    faults += [
        Fault(str(path), f"the sheet {name!r} is missing: this is no plan, or not all of one")
        for name in kinds
        if name not in found
    ]
    if summary.objective is None:
        faults.append(Fault("summary", "the line 'Objective' is missing, or holds no number"))
    if faults:
        raise InputError(faults)
    settings = {
        line["column"]: text(line["value"])
        for line in rows[Assumption.SHEET]
        if line["table"] == Settings.TABLE
    }
    reading = _completed(rows, summary, run)
    unread = tuple(name for name in found if name not in ("summary", *rows, *views))
    sheets = dataclasses.replace(reading.sheets, unread=unread, views=views, divided=_divided())
    return dataclasses.replace(
        reading, sheets=sheets, settings=settings, notes=(*notes, *reading.notes)
    )


def _divided() -> Mapping[str, frozenset[str]]:
    """Return by sheet the columns that are shown over their probability, scenario by scenario."""
    return {
        kind.SHEET: frozenset(each.name for each in columns(kind) if each.divisible)
        for kind in sheet_kinds()
    }


def read_actuals(path: Path) -> tuple[dict[str, list[Line]], dict[str, list[tuple[int, Cells]]]]:
    """Read sheets of a plan that say what really happened, and others as they stand, by name.

    InputError holds all that is wrong with the sheets of a plan.
    """
    kinds = {kind.SHEET: kind for kind in sheet_kinds()} | _SOMETIMES
    rows, faults = dict[str, list[Line]](), list[Fault]()
    others: dict[str, list[tuple[int, Cells]]] = {}
    with readable(path):
        for sheet in file_sheets(path):
            name = normal(sheet.name)
            if kind := kinds.get(name):
                odd = Faults(name)
                rows[name] = list(_lines(kind, sheet, odd))
                faults += odd
            else:
                others[name] = [*sheet]
    if "summary" in others or Settings.TABLE in others:
        raise InputError([Fault(str(path), _NO_ACTUALS["summary" in others])])
    if faults:
        raise InputError(faults)
    return rows, others


_ACTUALS = (
    "give a workbook with only the sheets of the plan that went otherwise, copied and corrected"
    " (such as lots, movements and deliveries together), and prices"
)
_NO_ACTUALS = {
    True: f"is a whole plan, so it says what was planned; {_ACTUALS}",
    False: f"is a workbook to be planned, and says nothing of what happened; {_ACTUALS}",
}
"""Why a file holds no actuals, by whether it is a plan."""


def _hidden(name: str, hidden: Hidden) -> Iterator[str]:
    """Yield what of a sheet is read and not shown, in words."""
    if hidden.sheet:
        yield f"{name}: this sheet is hidden, and is read"
    for what, count in (("rows", len(hidden.rows)), ("columns", len(hidden.columns))):
        if count:
            yield (
                f"{name}: {count:,} {what if count > 1 else what[:-1]} of it"
                f" {'are' if count > 1 else 'is'} hidden, and read"
            )


def spelt_alike(sheets: Sheets, stockpile: Stockpile) -> None:
    """Give the names of a plan, which may have been edited, the spelling of the input."""
    known = spellings(stockpile)
    tables = {name: kind.TABLE for kind in stockpile.tables for name in keys(kind)[:1]} | {
        name: name for name in GROUPS
    }
    tables["to_material"] = "materials"
    others = {one: name for names in [*known.values()][::-1] for one, name in names.items()}
    spelt = {name for names in known.values() for name in names.values()}
    listed = _listed(sheets)
    for line in (line for lines in sheets.rows.values() for line in lines):
        for column, value in line.items():
            if isinstance(value, str) and column in listed:
                line[column] = _respelt(value, listed[column])
            elif isinstance(value, str) and column in ("name", "value"):
                line[column] = value if value in spelt else others.get(identity(value), value)
            elif isinstance(value, str):
                where = (
                    f"floors/{line['contract']}"
                    if column == "level" and "contract" in line
                    else tables.get(column, "")
                )
                line[column] = known.get(where, {}).get(identity(value), value)


def _respelt(names: str, known: Mapping[str, str]) -> str:
    """Return a list of names, each as it is known."""
    return list_of(known.get(identity(each), each) for each in names_in(names))


def _listed(sheets: Sheets) -> Mapping[str, Mapping[str, str]]:
    """Return the numbers of actions and the lots of a plan by identity, for the columns that list
    them."""
    numbers = {identity(line["number"]): line["number"] for line in sheets["actions"]}
    lots = {identity(line["lot"]): line["lot"] for line in sheets["deliveries"]}
    return {"number": numbers, "becomes": lots, "lots": lots}


def file_sheets(path: Path) -> Iterator[Sheet]:
    """Yield the sheets of a workbook. Raises Unreadable where it is none."""
    if not path.is_file():
        raise Unreadable("is no file" if path.exists() else "there is no such file")
    return xlsx.sheets(path)


def _run(sheet: Sheet) -> tuple[dict[str, str], list[Fault]]:
    """Return what the sheet `run` holds, and what is wrong with the parts that are read."""
    run, faults = dict[str, str](), list[Fault]()
    for line, cells in sheet:
        name, value = _text(cells.get(1)), _text(cells.get(2))
        run[name] = value
        try:
            if name == DECIDED and value:
                convert(Column(name=name, field=name, kind="date", meaning=""), value)
            elif name == "changes":
                list(_changes(value))
        except ValueError as reason:
            faults.append(Fault(f"run!B{line}", f"{name} {reason}"))
    return run, faults


def _text(cell: Cell | None) -> str:
    return "" if cell is None or isinstance(cell, Lost) else text(cell)


def _optional(kind: type[Result]) -> frozenset[str]:
    """Return the columns of a result type that may be blank."""
    hints = typing.get_type_hints(kind)
    fields = {each.name for each in dataclasses.fields(kind)}
    blank = {
        name
        for name in fields
        if isinstance(hints[name], types.UnionType) and types.NoneType in hints[name].__args__
    }
    return frozenset(name.rstrip("_") for name in blank)


def _lines(kind: type[Result], sheet: Sheet, faults: Faults) -> Iterator[Line]:
    """Yield the rows of a sheet; columns that a plan does not have are ignored."""
    known = {column.name: column for column in columns(kind)}
    table = HeadedSheet(
        sheet,
        faults,
        known,
        [name for name in known if name not in DATED],
        other=lambda title: f" {title}",
    )
    optional = _optional(kind)
    letters = {name: letter(number) for name, number in table.columns.items()}
    names = kind.named_by()
    for line, cells in table:
        if not known.keys() & cells.keys():
            continue
        values: dict[str, Any] = {}
        for name, column in known.items():
            if (
                name in DATED and name not in table.columns
            ):  # without scenarios a plan does not say for which it holds
                values[name] = column.default
                continue
            values[name], message = _value(column, cells.get(name), name in optional)
            if message and name in table.columns:
                faults.add(line, table.columns[name], f"{name} {message}")
        yield Line(values, kind.SHEET, line, letters, names)


def _cells(name: str, sheet: Sheet) -> Iterator[Line]:
    """Yield the rows of a sheet as its cells stand, those that are blank left out."""
    for number, cells in sheet:
        values = {
            letter(c): LOST if isinstance(cell, Lost) else cell
            for c, cell in cells.items()
            if cell != ""
        }
        if values:
            yield Line(values, name, number, {each: each for each in values})


def _value(column: Column, cell: Cell | None, optional: bool) -> tuple[Any, str]:
    """Return the value of a cell, and what is wrong with it. A plan writes an empty text as a
    blank.
    """
    if cell is None:
        if optional or column.kind == "text":
            return None if optional else "", ""
        return None, "must not be blank"
    if cell == _INFINITE and column.kind == "number":
        return math.inf, ""
    if isinstance(cell, Lost):
        return None, cell.message
    if column.kind == "text":  # a sentence or a note may be longer than any text of an input
        return text(cell), ""
    try:
        return convert(column, cell), ""
    except ValueError as reason:
        return None, str(reason)


CONTENTS = "Sheets"
"""The title of the list of sheets, at the end of the summary."""
PARTS = {each.title: each.headed for each in PLAN if each.title} | {CONTENTS: True}
"""The parts of the summary in order: how the title begins, and whether its columns have titles."""


def _summary(sheet: Sheet) -> _Summary:
    """Return the claims of the summary, read from top to bottom.

    A title has words where a row below it has figures.
    """
    found, parts, part = _Summary(), list(PARTS), ""
    for number, cells in sheet:
        label, second = _text(cells.get(1)), cells.get(2)
        title = next((each for each in parts if label.startswith(each)), None)
        if title is not None and (isinstance(second, str) if PARTS[title] else second is None):
            part, parts = title, parts[parts.index(title) + 1 :]
            continue
        values = {
            name: _shown(cell)
            for c, name in enumerate("BCDEF", start=2)
            if not isinstance(cell := cells.get(c), Lost)
        }
        if label and not (
            part == "" and values.get("B") is None
        ):  # what stands above the figures is prose
            found.lines.append(
                Line(
                    {"part": part, "label": label, **values},
                    "summary",
                    number,
                    {name: name for name in "ABCDEF"},
                    ("label",),
                )
            )
        if label:
            _claim(found, part, label, cells)
    return found


def _claim(found: _Summary, part: str, label: str, cells: Cells) -> None:
    """Take what an audit reads from the summary by name."""
    name, number = normal(label), _number(cells)
    if part == "" and name == "objective" and found.objective is None:
        found.objective = number
    elif part == "" and name in ("proven_bound", "expected_cost", "cvar", "gap"):
        setattr(found, name.removeprefix("proven_"), number)
    elif part == "" and name == "status":
        found.status = _text(cells.get(2))
    elif part == cost_headings.TITLE and name in block_headings():
        found.costs[name] = number
    elif part == quantities.TITLE and name in ("waste", "shortfall"):
        found.totals[name] = number


def _shown(cell: Cell | None) -> float | str | None:
    """Return a figure or a word."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return float(cell)
    return cell if isinstance(cell, str) else None


def _number(cells: Cells) -> float | None:
    cell = cells.get(2)
    return float(cell) if isinstance(cell, (int, float)) and not isinstance(cell, bool) else None


def _completed(
    rows: Mapping[str, list[Line]], summary: _Summary, run: Mapping[str, str]
) -> PlanReading:
    """Return the plan, with claims whose formulas have lost their values computed from the sheets,
    as the formulas do.
    """
    costs = {name: value for name, value in summary.costs.items() if value is not None}
    totals = {name: value for name, value in summary.totals.items() if value is not None}
    notes = []
    if len(costs) < len(summary.costs) or len(totals) < 2:
        notes.append(
            "summary: formulas have lost their values, which are computed anew from the other"
            " sheets"
        )
        for name in summary.costs.keys() - costs.keys():
            costs[name] = sum(
                line["discounted"] for line in rows["cash_flow"] if line["heading"] == name
            )
        totals = {
            "waste": _summed(rows, "waste"),
            "shortfall": _summed(rows, "missing"),
        } | totals
    objective = float(summary.objective or 0.0)
    claims = (
        objective,
        costs,
        totals["waste"],
        totals["shortfall"],
        summary.bound,
        summary.expected_cost,
        summary.cvar,
    )
    asked = _asked(run.get("gap asked for", ""))
    sheets = Sheets({**rows, "summary": summary.lines}, *claims, summary.status, summary.gap, asked)
    return PlanReading(sheets, run, tuple(notes))


def _summed(rows: Mapping[str, list[Line]], side: Side) -> float:
    """Return the sum of one side of the summary, computed from the sheets."""
    return math.fsum(
        row["probability"] * row[line.column]
        for kind, line in summed()
        if line.side == side
        for row in rows[kind.SHEET]
        if all(row[name] == value for name, value in line.where)
    )


def _asked(said: str) -> float | None:
    """Return the gap that was asked for."""
    try:
        return float(said)
    except ValueError:
        return None


def _changes(said: str) -> Iterator[Change]:
    """Yield the changes that the sheet `run` lists; a piece that is no change belongs to the value
    before it.
    """
    pieces = [piece for piece in said.split("; ") if piece.strip()]
    while pieces:
        change = pieces.pop(0)
        while pieces and not _is_change(pieces[0]):
            change += f"; {pieces.pop(0)}"
        yield parse(change)


def _is_change(piece: str) -> bool:
    try:
        parse(piece)
    except ValueError:
        return False
    return True
