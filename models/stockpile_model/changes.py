"""A change of cells, addressed in the one way of the workbook contract.

An example is `budgets[nds].amount scale 0.8`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from stockpile_model.calendar import add_months
from stockpile_model.names import clean, identity
from stockpile_model.row_groups import row_group, supplier_of
from stockpile_model.schema import Column, R, Row, columns, get, keys, nearest
from stockpile_model.spelling import folded, named, spellings, spelt
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import Given, blank, convert, normal, text

How = Literal["set", "scale", "add"]

_FORM = re.compile(
    r"""\s* (?P<table> [^\[\].=]+?) \s* (\[ (?P<row> .*?) \])? \s* (\. (?P<column> .+?))? \s*
    (?: \s (?P<how> set|scale|add) (?: \s+ (?P<value> .*))? | = (?P<plain> .*))""",
    re.IGNORECASE | re.VERBOSE,
)
_EXAMPLE = "write it as in 'budgets[nds].amount scale 0.8', with set, scale or add"


@dataclass(frozen=True)
class Change:
    """Describe what becomes of the cells in `column` of the rows `row` of a table.

    `row` is the key of a row. Where a table has no single key it is what the first column holds, in
    `floors` also `contract/level`; where it has no key at all also `row 5`, by its number in the
    sheet; in `prices` it is a date and `column` an index; in `settings` it is the name and `column`
    is `value`. `*` stands for every row, or every column with a number; `country = China`, `bloc =
    other` and `supplier = neo` for every row whose supplier is so.

    `set` takes any value (blank: the default). `scale` and `add` change numbers that are there, and
    leave blank cells blank; `add` moves a date by months. `feedstock`: what a factor takes away
    counts by the supplier's share of foreign feedstock.
    """

    table: str
    row: str
    column: str
    how: How
    value: Given
    feedstock: bool = False

    def __str__(self) -> str:
        return f"{self.table}[{self.row}].{self.column} {self.how} {text(self.value)}"


def address(stockpile: Stockpile, row: Row, column: str) -> str | None:
    """Return how `--set` names one cell, `table[row].column`; None where it cannot name it alone.

    A row is named by its keys, or by its first column where no other row has the same there, or by
    its number in the sheet.
    """
    if isinstance(row, Settings):
        return f"{Settings.TABLE}.{column}"
    kind = type(row)
    parts = [text(get(row, name)) for name in keys(kind)]
    first = get(row, columns(kind)[0].name)
    names = [*parts[:1], "/".join(parts), text(first), f"row {row.line}"]
    for name in filter(None, names):
        written = f"{row.TABLE}[{name}].{column}"
        try:
            found = parse(f"{written} set 0")
        except ValueError:
            continue
        if (found.row, found.column) != (name.strip(), column):
            continue
        rows = stockpile.rows(kind)
        chosen = _chosen(stockpile, rows, found)
        if len(chosen) == 1 and rows[chosen.pop()].line == row.line:
            return written
    return None


class UnknownError(ValueError):
    """A change that names what is not there.

    `part` says whether it is the table, the row or the column.
    """

    def __init__(self, part: Literal["table", "row", "column"], message: str) -> None:
        super().__init__(message)
        self.part = part


def parse(written: str) -> Change:
    """Return a change as the command line gives it; ValueError where it is none.

    The form is `table[row].column how value` with set, scale or add, or `table[row].column =
    value`; a setting is also `settings.name`.
    """
    found = _FORM.fullmatch(clean(written))
    if found is None or (found["row"] is None and found["column"] is None):
        raise ValueError(f"{written!r} is no change; {_EXAMPLE}")
    table, row, column = identity(found["table"]), found["row"], found["column"]
    if table == Settings.TABLE:
        row, column = (column, None) if row is None else (row, column)
        column = column or "value"
    if row is None or column is None:
        raise ValueError(
            f"{written!r} names no {'row' if row is None else 'column'} ('*' for all); {_EXAMPLE}"
        )
    how = cast(How, identity(found["how"] or "set"))
    value = (found["plain"] if found["how"] is None else found["value"]) or ""
    return Change(table, row.strip(), column.strip(), how, value.strip())


def apply(stockpile: Stockpile, change: Change) -> Stockpile:
    """Return the stockpile with the change; each new value is checked by its column.

    A change that ends the horizon earlier leaves out the rows that lie beyond it now. ValueError
    where the change names no cell, or a cell cannot hold what it asks for. What rows mean to each
    other is checked afterwards, by `build.check`.
    """
    kinds: dict[str, type[Row]] = {Settings.TABLE: Settings} | {
        kind.TABLE: kind for kind in stockpile.tables
    }
    kind = kinds.get(normal(change.table))
    if kind is None:
        raise UnknownError(
            "table", f"the workbook has no table {change.table!r}{nearest(change.table, kinds)}"
        )
    if kind is Settings:
        if normal(change.column) not in ("value", "*", ""):
            raise ValueError(f"settings have a value, no {change.column!r}")
        columns_of = _columns(stockpile, kind, change.row)
        settings = _change(stockpile, stockpile.settings, columns_of, change)[0]
        return _shortened(stockpile, replace(stockpile, settings=settings))
    rows = stockpile.rows(kind)
    chosen = _chosen(stockpile, rows, change)
    if not chosen:
        raise UnknownError("row", _missing(stockpile, kind, change))
    found = _columns(stockpile, kind, change.column)
    made = {
        number: _change(stockpile, rows[number], found, _weighed(stockpile, rows[number], change))
        for number in chosen
    }
    if not any(touched for _, touched in made.values()):
        raise ValueError("every such cell is blank: only set can change it")
    changed = tuple(made[number][0] if number in made else row for number, row in enumerate(rows))
    return replace(stockpile, tables={**stockpile.tables, kind: changed}, classes=None)


def _shortened(before: Stockpile, after: Stockpile) -> Stockpile:
    """Return a stockpile without the rows that lay within the horizon before and say nothing now.

    So go the rows that change cells of these alone, as events do.
    """
    ends = [each.calendar.end(each.settings.periods - 1) for each in (before, after)]
    if ends[1] >= ends[0]:
        return after
    tables = dict(after.tables)
    for kind, rows in after.tables.items():
        early, late = (set(map(id, kind.beyond(rows, end))) for end in ends)
        tables[kind] = tuple(row for row in rows if id(row) in early or id(row) not in late)
    found = replace(after, tables=tables, classes=None)
    for kind, rows in tables.items():
        if {"table", "row", "column"} <= {each.name for each in columns(kind)}:
            tables[kind] = tuple(row for row in rows if not _left_out(row, after, found))
    return found


def _left_out(row: Row, before: Stockpile, after: Stockpile) -> bool:
    """Return whether all rows that a row addresses have been left out."""
    table, named, column = (str(get(row, name) or "*") for name in ("table", "row", "column"))
    asked = Change(table, named, column, "set", "")
    return matches(before, asked) and not matches(after, asked)


def dropped(before: Stockpile, after: Stockpile) -> Iterator[Row]:
    """Yield the rows that a change has left out, since the horizon now ends before them."""
    for kind, rows in before.tables.items():
        kept = {row.line for row in after.rows(kind)}
        yield from (row for row in rows if row.line not in kept)


def empty(stockpile: Stockpile, change: Change) -> str:
    """Return why a change names a group of rows that has none; blank where it names no such."""
    kind = next((each for each in stockpile.tables if normal(change.table) == each.TABLE), None)
    if kind is None or row_group(change.row) is None:
        return ""
    chosen = _chosen(stockpile, stockpile.rows(kind), change)
    return "" if chosen else _missing(stockpile, kind, change)


def matches(stockpile: Stockpile, change: Change) -> bool:
    """Return whether any row is addressed by a change."""
    kind = next((each for each in stockpile.tables if normal(change.table) == each.TABLE), None)
    return kind is not None and bool(_chosen(stockpile, stockpile.rows(kind), change))


def addressed(stockpile: Stockpile, change: Change) -> list[tuple[Row, Column, Any]]:
    """Return the cells that a change names, as row, column and value; none where it is wrong."""
    kind = next((each for each in stockpile.tables if normal(change.table) == each.TABLE), None)
    if kind is None:
        return []
    rows = stockpile.rows(kind)
    try:
        named = _columns(stockpile, kind, change.column)
    except ValueError:
        return []
    return [
        (rows[number], each, held(rows[number], each))
        for number in sorted(_chosen(stockpile, rows, change))
        for each in named
    ]


def held(row: Row, column: Column) -> Any:
    """Return the value of a cell, that of an open column too."""
    values: Mapping[str, Any] = getattr(row, "values", {})
    return getattr(row, column.field) if column.field else values.get(column.name)


def _chosen(stockpile: Stockpile, rows: Sequence[Row], change: Change) -> set[int]:
    """Return the rows that a change addresses, by their places; a name goes before a group."""
    if change.row in ("*", ""):
        return {*range(len(rows))}
    own = identity(change.row)
    named = {number for number, row in enumerate(rows) if own in _names(row)}
    if named or (group := row_group(change.row)) is None:
        return named
    return {number for number, row in enumerate(rows) if group.holds(stockpile, row)}


def _missing(stockpile: Stockpile, kind: type[Row], change: Change) -> str:
    """Return the message that a table has no row that a change addresses."""
    if group := row_group(change.row):
        return group.missing(stockpile, kind.TABLE)
    known = dict.fromkeys(name for row in stockpile.rows(kind) for name in _names(row))
    return f"{kind.TABLE} has no row {change.row!r}{nearest(change.row, known)}"


def _weighed(stockpile: Stockpile, row: Row, change: Change) -> Change:
    """Return a change as it counts for a row.

    With `feedstock` the factor f counts as 1 - share + share·f, with the supplier's share of
    foreign feedstock.
    """
    if not change.feedstock:
        return change
    supplier = supplier_of(stockpile, row)
    if supplier is None:
        raise ValueError(f"{stockpile.cell(row)}: has no supplier whose feedstock could count")
    share, factor = supplier.foreign_feedstock, convert(_FACTOR, change.value)
    return replace(change, value=(1 - share) + share * factor)


_FACTOR = Column(name="factor", field="", kind="number", meaning="")


def _names(row: Row) -> list[str]:
    """Return the names, folded, that a row answers to."""
    kind = type(row)
    parts = [text(get(row, name)) for name in keys(kind)]
    names = [text(get(row, columns(kind)[0].name))] + (["/".join(parts)] if len(parts) > 1 else [])
    if not parts and row.line:
        names.append(f"row {row.line}")
    return [identity(name) for name in names]


def open_columns(stockpile: Stockpile, kind: type[Row]) -> list[Column]:
    """Return the columns that a table has for each member of something; these have no field."""
    return [
        Column(name=name, field="", kind="number", meaning=kind.OPEN, least=0)
        for name in (stockpile.names(kind.TABLE) if kind.OPEN else ())
    ]


def _columns(stockpile: Stockpile, kind: type[Row], name: str) -> list[Column]:
    """Return the columns that a name stands for, the open ones included; these have no field."""
    found = [*columns(kind), *open_columns(stockpile, kind)]
    if name in ("*", "") and kind is not Settings:
        return [
            column
            for column in found
            if column.kind in ("number", "whole") and not column.many and column.unbuilt is not True
        ]
    named = [column for column in found if normal(column.name) == normal(name)]
    if not named:
        hint = nearest(normal(name), [each.name for each in found])
        raise UnknownError(
            "column",
            f"{kind.TABLE} has no {'value' if kind is Settings else 'column'} {name!r}{hint}",
        )
    if named[0].key:
        raise UnknownError("column", f"{named[0].name} is the key of its row and cannot be changed")
    return named


def _change(
    stockpile: Stockpile, row: R, found: Sequence[Column], change: Change
) -> tuple[R, bool]:
    """Return a row with its cells changed, and whether any was."""
    series = dict(getattr(row, "values", {}))
    new: dict[str, Any] = {}
    touched = False
    for column in found:
        old = held(row, column)
        if old is None and change.how != "set":
            continue
        try:
            value = _value(stockpile, row, column, old, change)
            if fault := column.fault(value):
                raise ValueError(fault)
        except ValueError as reason:
            raise ValueError(
                f"{stockpile.cell(row, column.name)}: {column.name} {reason}"
            ) from None
        touched = True
        if column.field:
            new[column.field] = value
        elif value is None:
            series.pop(column.name, None)
        else:
            series[column.name] = value
    if any(not column.field for column in found):
        new["values"] = series
    return replace(row, **new), touched


def _value(stockpile: Stockpile, row: Row, column: Column, old: Any, change: Change) -> Any:
    """Return the new value of a cell.

    ValueError, to be read after the column's name, where it cannot be changed so.
    """
    if change.how == "set":
        if blank(change.value):
            return column.default
        value = convert(column, change.value)
        return _spelt(stockpile, row, column, value)
    if column.numbers:
        return text(
            _value(
                stockpile, row, replace(column, kind="number", numbers=False), _numeral(old), change
            )
        )
    if (
        column.many
        or column.kind not in ("number", "whole", "date")
        or (column.kind == "date" and change.how == "scale")
    ):
        raise ValueError(f"can be set, not {'scaled' if change.how == 'scale' else 'added to'}")
    by = Column(
        name="by",
        field="",
        kind="whole" if column.kind == "date" else "number",
        meaning="",
        required=True,
    )
    try:
        amount = convert(by, change.value)
    except ValueError as reason:
        raise ValueError(f"cannot change by that: it {reason}") from None
    if column.kind == "date":
        try:
            day = add_months(old, amount)
        except (ValueError, OverflowError):
            raise ValueError("leaves the calendar") from None
        return convert(column, day)
    return convert(column, old * amount if change.how == "scale" else old + amount)


def _numeral(written: str) -> float:
    """Return the number that a text holds."""
    try:
        return float(written)
    except ValueError:
        raise ValueError(f"is no number, found {written!r}: it can only be set") from None


def _groups(stockpile: Stockpile, column: Column) -> Iterable[str]:
    """Return the groups of rows that a column may name for all their rows."""
    return spellings(stockpile).get(column.grouped, {}).values()


def _spelt(stockpile: Stockpile, row: Row, column: Column, value: Any) -> Any:
    """Return a name in its one spelling; a reference must lead somewhere."""
    if value is None or (where := named(column)) is None:
        return value
    if column.refers:
        names = (*stockpile.names(column.refers), *_groups(stockpile, column))
        known = {folded(column.refers, name) for name in names}
        for item in value if column.many else (value,):
            if folded(column.refers, item) not in known:
                raise ValueError(
                    f"{item!r} stands nowhere in {column.refers}{nearest(item, names)}"
                )
    return spelt(stockpile, where(row), value)
