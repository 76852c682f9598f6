"""The rows of a table as drafts: each cell converted and checked by its column, not yet against
other rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from optimiser.workbook.read.cells import Cell, Hidden, Lost, Percent, Sheet, Stale, letter
from optimiser.workbook.read.headed_sheet import MOST_FAULTS, Faults, HeadedSheet
from optimiser.workbook.read.months import Wide
from stockpile_model.name_lists import list_of
from stockpile_model.names import LONGEST
from stockpile_model.schema import PROVENANCE, Column, Row, columns, nearest, quoted
from stockpile_model.tables import Settings
from stockpile_model.values import convert, normal, parted, text, unitless

_DOUBTFUL = re.compile(
    r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII
)  # 1.2 in some countries and 1200 in others
_TOTALS = {
    *(
        "total",
        "totals",
        "subtotal",
        "subtotals",
        "sum",
        "sums",
        "summe",
        "gesamt",
        "insgesamt",
        "zwischensumme",
        "somme",
        "totale",
    ),
    *("totaal", "suma", "итого", "σ", "合计", "总计", "小计", "合計"),
}


@dataclass
class Draft:
    """One row of a sheet. What is blank, or has a fault, stands in none of the mappings."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)  # by column; in the settings by name
    series: dict[str, float] = field(default_factory=dict)  # by open column
    bounds: dict[tuple[str, str], float] = field(
        default_factory=dict
    )  # by column and side: what a study may use
    faulty: set[str] = field(default_factory=set)  # columns
    about: dict[str, Any] = field(default_factory=dict)  # where it comes from: text
    raw: dict[str, str] = field(
        default_factory=dict
    )  # names as their cells hold them, where these are not clean

    def given(self, name: str) -> str:
        """Return what the cell of a column holds, as text."""
        return self.raw.get(name) or text(self.values[name])

    @property
    def ranges(self) -> dict[str, tuple[float | None, float | None]]:
        """Return the low and the high end by column."""
        return {
            name: (self.bounds.get((name, "low")), self.bounds.get((name, "high")))
            for name, _ in self.bounds
        }


@dataclass
class Observations:
    """Describe what was seen in the cells of a table, by the name of their column, in the settings
    by that of the setting.
    """

    typed: bool = True  # a number that is text is a slip
    points: set[str] = field(default_factory=set)  # a number with a point that is decimal
    doubtful: dict[str, list[tuple[Draft, int, str, str]]] = field(
        default_factory=dict
    )  # numbers that do not, and what is wrong
    odd: dict[tuple[str, int], list[tuple[int, str]]] = field(
        default_factory=dict
    )  # those of them that are read, by name and column
    whole: dict[str, tuple[int, float]] = field(
        default_factory=dict
    )  # the first number of 1 and more that is not shown in per cent
    stale: dict[str, list[int]] = field(
        default_factory=dict
    )  # rows with a 0 from another sheet or workbook


@dataclass(frozen=True)
class Bracket:
    """Describe what a title says in brackets, of which column, and where the title stands."""

    said: str
    column: Column
    line: int
    at: int


@dataclass
class Drafts:
    """The rows of a table and what is wrong with them.

    `cells` maps a column to its letter, a setting to its cell; `units` a column, or a setting, to
    what stands in brackets behind its name, and where.
    """

    kind: type[Row]
    faults: Faults
    cells: dict[str, str] = field(default_factory=dict)
    rows: list[Draft] = field(default_factory=list)
    indices: list[str] = field(default_factory=list)  # the open columns
    units: dict[str, Bracket] = field(default_factory=dict)
    wide: Wide | None = None  # the table has columns for months, and so no rows
    seen: Observations = field(default_factory=Observations)
    columns: Mapping[str, int] = field(default_factory=dict)  # of the sheet
    line: int = 0  # of their names
    hidden: Hidden = field(default_factory=Hidden)


@dataclass(frozen=True)
class Written:
    """A table as text, as an input sheet takes it: the names of its columns in their order, and its
    rows.
    """

    names: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class _Slot:
    """Describe what the cells of a column are: a value, an end of its range, or where it comes
    from."""

    role: Literal["value", "open", "low", "high", "about"]
    column: Column


_ABOUT = {
    name: _Slot("about", Column(name=name, field=name, kind="text", meaning="", prose=True))
    for name in PROVENANCE
}


def _slots(column: Column, name: str, role: Literal["value", "open"] = "value") -> dict[str, _Slot]:
    """Return a column under its name and, where it is numeric, the ends of its range."""
    found = {name: _Slot(role, column)}
    if column.kind in ("number", "whole") and not column.many:
        found |= {f"{name}_low": _Slot("low", column), f"{name}_high": _Slot("high", column)}
    return found


def draft(kind: type[Row], sheet: Sheet, faults: Faults) -> Drafts:
    """Return the rows of any table but the settings."""
    slots = {
        name: slot for column in columns(kind) for name, slot in _slots(column, column.name).items()
    } | _ABOUT
    required = [column.name for column in columns(kind) if column.required]
    spelt: dict[str, str] = {}  # open columns as their header spells them

    def other(title: str) -> str | None:
        if not kind.OPEN or not unitless(title):
            return None
        return spelt.setdefault(normal(title), unitless(title))

    table = HeadedSheet(sheet, faults, slots, required, other)
    found = Drafts(
        kind,
        faults,
        {name: letter(column) for name, column in table.columns.items()},
        seen=Observations(typed=sheet.typed),
        columns=table.columns,
        line=table.line,
        hidden=sheet.hidden,
    )
    opened = _open_slots(kind, spelt)
    slots |= opened
    found.indices = [title for title, slot in opened.items() if slot.role == "open"]
    found.units = {
        name: Bracket(said, slots[name].column, table.line, table.columns[name])
        for name, said in table.units.items()
    }
    if table.spans:
        faults.whole = faults.lost = True
        for _ in table:
            pass
        found.wide = Wide(kind, table.spans, *(table.wide or (0, {}, {})))
        return found
    for line, cells in table:
        _take(found, table, slots, required, line, cells)
    _judge_points(found)
    _judge_indices(found, table, slots.keys() - opened.keys())
    return found


def _open_slots(kind: type[Row], spelt: Mapping[str, str]) -> dict[str, _Slot]:
    """Return what the cells of open columns are, by title: values, or ends of ranges.

    `spelt` has their names as they are compared and as they are written.
    """
    series = {
        title: Column(
            name=title,
            field=title,
            kind="number",
            meaning=kind.OPEN,
            unit="money/quantity",
            least=0,
        )
        for title in spelt.values()
    }
    ends = {
        name: slot
        for base, title in spelt.items()
        for name, slot in _slots(series[title], base).items()
        if slot.role != "value"
    }
    return {title: ends.get(base, _Slot("open", series[title])) for base, title in spelt.items()}


def _take(
    found: Drafts,
    table: HeadedSheet,
    slots: Mapping[str, _Slot],
    required: Sequence[str],
    line: int,
    cells: Mapping[str, Cell],
) -> None:
    """Take a row of a sheet, unless it is a total or holds units."""
    missing = [name for name in required if name not in cells and name in table.columns]
    totals = (table.columns[name] for name, cell in cells.items() if is_total(cell))
    if missing and (at := next(totals, 0)):
        message = "this row looks like a total, which is no row of the table; remove it"
        found.faults.add(line, at, message)
        return
    if line == table.line + 1 and _are_units(cells, slots):
        first = table.columns[next(iter(cells))]
        message = (
            "this row holds no values; remove it, and write units into the names of the columns, as"
            " in price [USD/kg]"
        )
        found.faults.add(line, first, message)
        return
    found.rows.append(_fill(line, cells, slots, table, found.seen))
    if missing:
        found.faults.add(line, table.columns[missing[0]], _required(missing))


def is_total(cell: Any) -> bool:
    """Return whether a text begins or ends with a word for a sum."""
    words = (
        re.findall(r"[^\W\d_]+", cell.casefold().replace("sub-", "sub"))
        if isinstance(cell, str) and len(cell) < 100
        else []
    )
    return bool(words) and not _TOTALS.isdisjoint((words[0], words[-1]))


def _are_units(cells: Mapping[str, Cell], slots: Mapping[str, _Slot]) -> bool:
    """Return whether a row describes several columns in words: by units, or by the header once
    more.
    """
    found = [(slots[name].column, cell) for name, cell in cells.items() if name in slots]
    values = [
        (column, cell) for column, cell in found if column.kind in ("number", "whole", "date")
    ]
    words = [
        isinstance(cell, str) and not re.search(r"\d", cell) and bool(_value(column, cell)[1])
        for column, cell in values
    ]
    return len(words) > 1 and all(words)


def _required(missing: Sequence[str]) -> str:
    """Return the message about blank cells that are required; several have one reason."""
    if len(missing) == 1:
        return (
            f"{missing[0]}"
            f" {Column(name='', field='', kind='text', meaning='', required=True).fault(None)}"
        )
    return (
        f"{', '.join(missing[:-1])} and {missing[-1]} are required and must not be blank; a row of"
        " totals or remarks must be removed"
    )


def _judge_points(found: Drafts) -> None:
    """Add a fault, or note a doubt, for text such as 1.200, which is one number in one country and
    another in the next.

    In a workbook that is an error. In a CSV file all is text, and commas separate the cells:
    another number of the column may show that its point is decimal. Where none does, a last 0
    suggests thousands and is an error; any other number raises a warning, unless the table has a
    decimal point elsewhere.
    """
    for name, cells in found.seen.doubtful.items():
        if name in found.seen.points:
            continue
        for row, at, said, message in cells:
            if found.seen.typed or said.endswith("0"):
                row.faulty.add(name)
                found.faults.add(row.line, at, message)
            elif not found.seen.points:
                found.seen.odd.setdefault((name, at), []).append((row.line, said))


def _judge_indices(found: Drafts, table: HeadedSheet, known: Collection[str]) -> None:
    """Add a fault for each open column without a number.

    Where several of its cells have a fault they have one reason: it is no such column.
    """
    filled = {title for row in found.rows for title in row.series}
    wrong: dict[str, list[int]] = {}
    for row in found.rows:
        for title in row.faulty:
            wrong.setdefault(title, []).append(row.line)
    for title in found.indices:
        lines, at = wrong.get(title, []), table.columns[title]
        if len(title) > LONGEST:
            said = (
                f"the {found.kind.OPEN} must have a name of at most {LONGEST} characters, found"
                f" {len(title):,}; shorten it"
            )
            found.faults.header(table.line, at, said)
            continue
        if not found.rows:
            continue
        if title in filled or len(lines) == 1:
            continue
        if lines:
            wrong_lines = set(lines)
            found.faults.found = [
                each for each in found.faults.found if each[1] != at or each[0] not in wrong_lines
            ]
        hint = nearest(title, known) or "; fill it or remove it"
        found.faults.header(table.line, at, f"the {found.kind.OPEN} {title!r} has no number{hint}")


def draft_settings(sheet: Sheet, faults: Faults) -> Drafts:
    """Return the settings: a draft for each name of the sheet."""
    known = {column.name: column for column in columns(Settings)}
    table = HeadedSheet(
        sheet, faults, ("name", "value", "value_low", "value_high", *PROVENANCE), ("name", "value")
    )
    found = Drafts(
        Settings,
        faults,
        seen=Observations(typed=sheet.typed),
        columns=table.columns,
        line=table.line,
        hidden=sheet.hidden,
    )
    missing = [name for name, column in known.items() if column.required]
    unclear: list[tuple[int, str]] = []  # rows of which nothing says what they mean
    for line, cells in table:
        title = cells.pop("name", "")
        name = "" if isinstance(title, Lost) else normal(text(title))
        if name in found.cells:
            message = f"{name} stands twice: here and in {found.cells[name]}; remove one of the two"
            faults.add(line, table.columns["name"], message)
        elif name in known:
            missing = [each for each in missing if each != name]
            _take_setting(found, table, known[name], title, line, cells)
        elif hint := "" if faults.more or len(unclear) > MOST_FAULTS else nearest(name, known):
            missing = [each for each in missing if f"{each!r}" not in hint]
            faults.header(line, table.columns["name"], f"name {name!r} is unknown{hint}", lost=True)
        elif "name" in table.columns:
            unclear.append((line, f"name {_unclear(title, name)}"))
    _judge_names(found, table, missing, unclear)
    _judge_points(found)
    return found


def _take_setting(
    found: Drafts,
    table: HeadedSheet,
    column: Column,
    title: Cell,
    line: int,
    cells: Mapping[str, Cell],
) -> None:
    """Take the row of a setting."""
    name, at = column.name, table.columns.get("value")
    found.cells[name] = f"{letter(at or 1)}{line}"
    if not isinstance(title, Lost) and (unit := parted(text(title))[1]):
        found.units[name] = Bracket(unit, column, line, table.columns["name"])
    found.rows.append(_fill(line, cells, _slots(column, "value") | _ABOUT, table, found.seen, name))
    if column.required and "value" not in cells and at is not None:
        found.faults.add(line, at, f"{name} {column.fault(None)}")


def _unclear(title: Cell, name: str) -> str:
    """Return what is wrong with a name that is like none of a setting."""
    if isinstance(title, Lost):
        return title.message
    return f"{quoted(name)} is unknown" if name else "is required and must not be blank"


def _judge_names(
    found: Drafts, table: HeadedSheet, missing: Sequence[str], unclear: Sequence[tuple[int, str]]
) -> None:
    """Add a fault for each row without the name of a setting, and for settings that are missing."""
    names = " and ".join(missing)
    remedy = f"{names} must be given" if missing else "rename it or remove the row"
    for line, message in unclear:
        found.faults.add(line, table.columns["name"], f"{message}; {remedy}")
    if missing and not unclear and "name" in table.columns:
        found.faults.sheet(f"{names} must be given: add a row with the name and its value")
    found.faults.lost |= bool(missing)


def _fill(
    line: int,
    cells: Mapping[str, Cell],
    slots: Mapping[str, _Slot],
    table: HeadedSheet,
    seen: Observations,
    setting: str = "",
) -> Draft:
    """Return a draft of the cells of a row.

    In the settings the columns are called by the name of the setting.
    """
    row = Draft(line)
    for name, cell in cells.items():
        at = table.columns[name]
        shown = name.replace("value", setting, 1) if setting else name
        slot = slots.get(name)
        if slot is None:
            table.faults.add(
                line, at, f"{shown} is the range of a value that is no number; clear it"
            )
            continue
        value, message = _value(slot.column, cell)
        if message:
            row.faulty.add(slot.column.name)
            table.faults.add(line, at, f"{shown} {message}")
            continue
        _see(row, name, shown, at, cell, slot, seen)
        if slot.role == "value":
            row.values[slot.column.name] = value
            if slot.column.kind == "text" and isinstance(cell, str) and cell.strip() != value:
                row.raw[slot.column.name] = cell.strip()
        elif slot.role == "open":
            row.series[slot.column.name] = value
        elif slot.role == "about":
            row.about[name] = value
        else:
            row.bounds[slot.column.name, slot.role] = value
    for name, (low, high) in row.ranges.items() if row.bounds else ():
        if low is not None and high is not None and low > high:
            at = next(
                table.columns[each]
                for each in cells
                if each in slots and slots[each].role == "low" and slots[each].column.name == name
            )
            table.faults.add(
                line, at, f"{name}_low must not be above {name}_high, found {low:g} and {high:g}"
            )
    return row


def _see(
    row: Draft, name: str, shown: str, at: int, cell: Cell, slot: _Slot, seen: Observations
) -> None:
    """Note what is doubtful about a cell that could be read."""
    if slot.role == "about":
        return
    if isinstance(cell, Stale):
        seen.stale.setdefault(name, []).append(row.line)
    if slot.column.kind not in ("number", "whole"):
        return
    if isinstance(cell, str):
        said = cell.strip()
        if _DOUBTFUL.fullmatch(said):
            message = (
                f"{shown} {said!r} is {float(said):g} in some countries and {said.replace('.', '')}"
                " in others; "
                + (
                    "write it as a number, not as text"
                    if seen.typed
                    else f"write {said}0 or {said.replace('.', '')}"
                )
            )
            seen.doubtful.setdefault(name, []).append((row, at, said, message))
        elif not seen.typed and "." in said:
            seen.points.add(name)
    if not isinstance(cell, Percent) and (number := float(cell)) >= 1:  # type: ignore[arg-type]
        seen.whole.setdefault(shown, (row.line, number))


def _value(column: Column, cell: Cell) -> tuple[Any, str]:
    """Return the value of a cell, and what is wrong with it."""
    if isinstance(cell, Lost):
        return None, cell.message
    try:
        value = convert(column, cell)
    except ValueError as reason:
        return None, str(reason)
    return value, column.fault(value)


def written(drafts: Drafts) -> Written:
    """Return the cells of a table without faults.

    What was blank stays blank; a reference has the spelling of its key.
    """
    settings = drafts.kind is Settings
    rows = []
    for name, row in zip(
        drafts.cells if settings else [""] * len(drafts.rows), drafts.rows, strict=True
    ):
        cells = {
            column: _said(value)
            for column, value in (*row.values.items(), *row.series.items(), *row.about.items())
        }
        cells |= {f"{column}_{side}": _said(value) for (column, side), value in row.bounds.items()}
        if settings:
            cells = {
                "name": name,
                **{column.replace(name, "value", 1): value for column, value in cells.items()},
            }
        rows.append(cells)
    order = ("name", "value", "value_low", "value_high", *PROVENANCE) if settings else drafts.cells
    return Written(tuple(name for name in order if any(name in row for row in rows)), tuple(rows))


def _said(value: Any) -> str:
    """Return a value as the text that reads as it."""
    return (
        list_of(map(text, value))
        if isinstance(value, tuple)
        else ("no", "yes")[value]
        if isinstance(value, bool)
        else text(value)
    )


def write_row(row: Row) -> dict[str, str]:
    """Return a row that no sheet gave, as text: what differs from its default, its ranges, its
    series and where it comes from.
    """
    values = {column.name: getattr(row, column.field) for column in columns(type(row))}
    required = {column.name for column in columns(type(row)) if column.required}
    default = {column.name: column.default for column in columns(type(row))}
    found = {
        name: value
        for name, value in values.items()
        if value is not None and (name in required or value != default[name])
    }
    found |= dict(getattr(row, "values", {}))
    for name, (low, high) in row.ranges.items():
        found |= {
            f"{name}_{side}": value
            for side, value in (("low", low), ("high", high))
            if value is not None
        }
    found |= {name: value for name in PROVENANCE if (value := getattr(row, name)) is not None}
    return {name: _said(value) for name, value in found.items()}


def write_table(kind: type[Row], rows: Iterable[Row]) -> Written:
    """Return rows that no sheet gave as a table: the columns that one of them fills, or must."""
    cells = tuple(write_row(row) for row in rows)
    found = [
        name
        for column in columns(kind)
        for name in (column.name, f"{column.name}_low", f"{column.name}_high")
    ]
    found += [name for row in cells for name in row if name not in (*found, *PROVENANCE)]
    required = {column.name for column in columns(kind) if column.required}
    names = [
        name
        for name in dict.fromkeys((*found, *PROVENANCE))
        if name in required or any(name in row for row in cells)
    ]
    return Written(tuple(names), cells)
