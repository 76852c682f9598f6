"""A workbook to begin with: every table with its columns, an example to overwrite, drop-downs,
checks, and a guide.

It follows the row types: a table or column that is added there stands in the next template.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimiser.studies.study_sheet import study_table as studies
from optimiser.system.errors import OutputError
from optimiser.workbook.template import guards
from optimiser.workbook.write import ownership
from optimiser.workbook.write.input_sheets import (
    CREATED,
    GUIDE_COLUMNS,
    LINE_HEIGHT,
    Cells,
    Units,
    Writer,
    cell_format,
    column_of,
    lay_out_guide,
    read_tables,
    write_guide,
)
from optimiser.workbook.write.ownership import Kind, check_target, replace
from optimiser.workbook.write.styles import OPTIONS, Styles, put
from stockpile_model.block import tables as block_tables
from stockpile_model.schema import PROVENANCE, Column, Row, columns, in_order
from stockpile_model.tables import Settings
from stockpile_model.values import convert

MATERIALS = ("gallium", "indium", "blank")
_EXAMPLES = resources.files("optimiser.workbook.template") / "examples"
_SPARE = 4  # columns for further indices
_LINE_LENGTH = 105  # letters next to the first column of the guide
_ROOM, _WIDE = 12, 24  # least width of a column: for a date or a name, and for sentences


def write_template(
    path: str | Path,
    material: Literal["gallium", "indium", "blank"] = "gallium",
    force: bool = False,
) -> Path:
    """Write a workbook to fill in (.xlsx), with the example of a material; return its path.

    Raises OutputError, also where a file stands there, unless by `force`.

    >>> import optimiser as so
    >>> so.read(so.write_template("new.xlsx", "indium", force=True)).sizes["materials"]
    1
    """
    path = Path(path)
    check_target(path, Kind.TEMPLATE)
    if path.exists() and not force:
        raise OutputError(
            f"{path}: exists already; choose another name, or replace it with --force"
        )
    replace(path, compose(material))
    return path


def compose(material: str) -> bytes:
    """Return the workbook with the example of a material, as its file holds it."""
    tables = read_tables(_EXAMPLES / material)
    about = (_EXAMPLES / material / "about.md").read_text(encoding="utf-8")
    kinds = in_order((*block_tables(), *studies.TABLES))
    tables[Settings] = settings(tables[Settings])
    sheets = guards.GuardedSheets({kind.TABLE: names(kind, tables.get(kind, [])) for kind in kinds})
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = next(row["value"] for row in tables[Settings] if row["name"] == "title")
        book.set_properties(ownership.about(Kind.TEMPLATE, title, created=CREATED))
        styles = Styles(book)
        writer = Writer(styles, Units.of(tables[Settings]), guards.explain, shown, guards.heading)
        _add_guide(book.add_worksheet("guide"), about, kinds, styles)
        for kind in kinds:
            _add_table(book.add_worksheet(kind.TABLE), kind, tables.get(kind, []), sheets, writer)
        guards.define_lists(
            book, book.add_worksheet(guards.LISTS), sheets, _titles(sheets.names["prices"]), styles
        )
    return target.getvalue()


def names(kind: type[Row], rows: Sequence[Cells]) -> list[str]:
    """Return the columns of a sheet: those of the table, the indices of the example and room for
    more, and those for the source of a row.
    """
    if kind is Settings:
        return ["name", "value", "note", "source", "source_date", "confidence"]
    known = [column.name for column in columns(kind)]
    given = [name for name in (rows[0] if rows else {}) if name not in (*known, *PROVENANCE)]
    return [*known, *given, *([""] * _SPARE if kind.OPEN else []), *PROVENANCE]


def _titles(names: Sequence[str]) -> list[str]:
    return list(names[1 : len(names) - len(PROVENANCE)])


def settings(given: Iterable[Cells]) -> list[dict[str, str]]:
    """Return a row for each setting: its example or its default, and what it means."""
    rows = {row["name"]: row for row in given}
    found = []
    for column in columns(Settings):
        row = rows.get(column.name, {})
        default = "" if column.default in (None, ()) else str(column.default)
        about = {name: row.get(name, "") for name in PROVENANCE}
        note = f"{_sentence(column)} {about['note']}".strip()
        found.append(
            {"name": column.name, "value": row.get("value", default), **about, "note": note}
        )
    return found


def _sentence(column: Column) -> str:
    unit = "" if column.unit in ("", "1") else f" [{column.unit}]"
    return f"{guards.sentence(column.meaning)}{unit}."


def shown(column: Column | None, _: Iterable[object]) -> str:
    """Return the format of a whole column, whatever stands in it.

    Names stay as they are typed: 001 is no number.
    """
    if column is not None and column.kind == "text" and not column.choices:
        return "@"
    return cell_format(column, ())


def _add_table(
    sheet: Worksheet,
    kind: type[Row],
    rows: Sequence[Cells],
    sheets: guards.GuardedSheets,
    writer: Writer,
) -> None:
    widths = writer.table(sheet, kind, sheets.names[kind.TABLE], rows)
    if kind is Settings:
        for line, (column, row) in enumerate(zip(columns(Settings), rows, strict=True), 1):
            value = convert(column, row["value"]) if row["value"] else None
            put(sheet, line, 1, value, writer.styles(shown(column, ()), align="left"))
            if column.required:
                put(sheet, line, 0, column.name, guards.heading(column, writer.styles))
        guards.guard_settings(sheet, sheets, writer.units, writer.styles)
        return
    for at, name in enumerate(sheets.names[kind.TABLE]):
        style = writer.styles(
            "@" if name == "source_date" else shown(column_of(kind, name), ()),
            text_wrap=name in ("note", "source"),
        )
        sheet.set_column(
            at, at, max(widths[name], _WIDE if name in ("note", "source") else _ROOM), style
        )
    guards.guard(sheet, kind, sheets, writer.units, writer.styles)


def _add_guide(sheet: Worksheet, example: str, kinds: Sequence[type[Row]], styles: Styles) -> None:
    """Write the guide: what to do, what each sheet is for, how figures are read."""
    lay_out_guide(sheet)
    begin, middle, end = re.split(
        r"\n\[(?:sheets|colours)\]\n", (_EXAMPLES / "guide.md").read_text(encoding="utf-8")
    )
    line = write_guide(sheet, begin.replace("[about]", example), styles)
    link = styles(font_color="#0563C1", underline=1)
    for kind in kinds:
        sheet.write_url(line, 0, f"internal:'{kind.TABLE}'!A1", link, kind.TABLE)
        _write_line(sheet, line, kind.PURPOSE.replace("`", ""), styles)
        line += 1
    line = write_guide(sheet, middle, styles, line)
    for colour, meaning in guards.COLOURS.items():
        sheet.write_blank(line, 0, None, styles(bg_color=colour, border=1, border_color="#BFBFBF"))
        _write_line(sheet, line, meaning, styles)
        line += 1
    write_guide(sheet, end, styles, line)


def _write_line(sheet: Worksheet, line: int, text: str, styles: Styles) -> None:
    """Write one line of text next to the first column."""
    sheet.merge_range(line, 1, line, GUIDE_COLUMNS - 1, text, styles(text_wrap=True))
    sheet.set_row(line, LINE_HEIGHT * len(textwrap.wrap(text, _LINE_LENGTH)))
