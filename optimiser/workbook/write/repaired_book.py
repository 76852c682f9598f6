"""Write an input workbook anew: some of its cells changed, all others as they were given."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from optimiser.workbook.read.drafts import Written
from optimiser.workbook.write.input_sheets import CREATED, Units, Writer, lay_out_guide, write_guide
from optimiser.workbook.write.ownership import Kind, about, check_target, replace
from optimiser.workbook.write.styles import OPTIONS, Styles, legible
from stockpile_model.changes import apply, parse
from stockpile_model.name_lists import list_of
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Settings
from stockpile_model.values import text


def write(
    stockpile: Stockpile,
    given: Mapping[type[Row], Written],
    changes: Sequence[str],
    source: str,
    path: Path,
) -> None:
    """Write the workbook with `changes`, in the words of `--set`, to `path` (.xlsx).

    `given` are its tables as they were given. Raises OutputError; then nothing has changed.
    """
    check_target(path, Kind.REPAIRED)
    replace(path, compose(stockpile, given, changes, source))


def compose(
    stockpile: Stockpile, given: Mapping[type[Row], Written], changes: Sequence[str], source: str
) -> bytes:
    """Return the workbook with changes as its file holds it."""
    target = io.BytesIO()
    settings = stockpile.settings
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = legible(settings.title) or "Repaired stockpile"
        properties = about(Kind.REPAIRED, title, created=CREATED)
        book.set_properties({**properties, "comments": f"from {legible(source)}"})
        styles = Styles(book)
        guide = book.add_worksheet("guide")
        lay_out_guide(guide)
        lines = "\n".join(f"- {each}" for each in changes)
        write_guide(
            guide, f"# Repaired\n\nMade from {source} with these changes:\n\n{lines}", styles
        )
        writer = Writer(styles, Units(settings.quantity_unit, settings.currency))
        for kind, table in with_changes(stockpile, given, changes).items():
            writer.table(book.add_worksheet(kind.TABLE), kind, table.names, table.rows)
    return target.getvalue()


def with_changes(
    stockpile: Stockpile, given: Mapping[type[Row], Written], changes: Sequence[str]
) -> dict[type[Row], Written]:
    """Return tables as they were given, but for the cells that changes move."""
    changed = stockpile
    for each in changes:
        changed = apply(changed, parse(each))
    return {
        kind: _settings(table, stockpile, changed)
        if kind is Settings
        else _table(kind, table, stockpile, changed)
        for kind, table in given.items()
    }


def _table(kind: type[Row], table: Written, before: Stockpile, after: Stockpile) -> Written:
    """Return a table with the cells that differ."""
    names, rows = list(table.names), [dict(row) for row in table.rows]
    for at, (old, new) in enumerate(zip(before.rows(kind), after.rows(kind), strict=True)):
        if old is new:
            continue
        moved = {
            column.name: _cell(getattr(new, column.field))
            for column in columns(kind)
            if getattr(old, column.field) != getattr(new, column.field)
        }
        if isinstance(old, Price) and isinstance(new, Price):
            moved |= {
                name: _cell(value)
                for name, value in new.values.items()
                if old.values.get(name) != value
            }
        rows[at].update(moved)
        names += [name for name in moved if name not in names]
    return Written(tuple(names), tuple(rows))


def _settings(table: Written, before: Stockpile, after: Stockpile) -> Written:
    """Return the settings with those that differ."""
    rows = [dict(row) for row in table.rows]
    for column in columns(Settings):
        old, new = (getattr(each.settings, column.field) for each in (before, after))
        if old != new:
            at = next((row for row in rows if row.get("name") == column.name), None)
            if at is None:
                rows.append({"name": column.name, "value": _cell(new)})
            else:
                at["value"] = _cell(new)
    return Written(table.names, tuple(rows))


def _cell(value: Any) -> str:
    """Return a value as an input sheet takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return list_of(value)
    return text(value)
