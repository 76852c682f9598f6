"""Builds the sample workbooks from plain tables: `python inputs/build.py` writes `<case>.xlsx` from the folder `<case>/`, and the
data dictionary beside them.

A folder holds one `<table>.csv` for each sheet and `guide.md`, which becomes the sheet `guide`. Readable headers, their
comments and the formats of the cells come from the row types, so a workbook shows the unit and the meaning of what it asks.
The files are the same from run to run: no clock and no random choice goes into them.
"""

from __future__ import annotations

import csv
import datetime as dt
import runpy
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimiser.workbook.styles import DATE, Styles, number_format, put, unit_of
from stockpile_model.build import TABLES
from stockpile_model.data import Column, Row, Settings, columns
from stockpile_model.values import convert

HERE = Path(__file__).resolve().parent
CASES = ("gallium", "indium", "small")
CREATED = dt.datetime(2026, 11, 21)
ABOUT = {
    "source": "Where the figures of the row come from; `assumption` where there is none.",
    "source_date": "Date of the source, or of the assumption.",
    "confidence": "high, medium, low or assumption: of what the source is cited for. What the note calls assumed is an assumption.",
    "note": "What is cited, what is assumed, where sources disagree or are weak.",
}
LEAST_WIDTH, MOST_WIDTH = 9, 60
GUIDE_COLUMNS, GUIDE_FIRST, GUIDE_OTHERS = 9, 30, 11
LINE_HEIGHT = 15
COMMENT_SIZE = {"x_scale": 2.4, "y_scale": 1.6}


def build(case: str, path: Path) -> None:
    """Write the workbook of a case."""
    tables = {kind: read(kind, HERE / case) for kind in TABLES if (HERE / case / f"{kind.TABLE}.csv").exists()}
    settings = {row["name"]: row["value"] for row in tables[Settings]}
    quantity, currency = settings.get("quantity_unit", "kg"), settings.get("currency", "USD")
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}) as book:
        book.set_properties({"title": settings.get("title", case), "author": "stockpile-optimiser", "created": CREATED})
        styles = Styles(book)
        write_guide(book.add_worksheet("guide"), (HERE / case / "guide.md").read_text(encoding="utf-8"), styles)
        for kind, rows in tables.items():
            if rows:
                write_table(book.add_worksheet(kind.TABLE), kind, rows, styles, quantity, currency)


def read(kind: type[Row], folder: Path) -> list[dict[str, str]]:
    """The rows of a table as text, by column; only the columns that hold something."""
    with (folder / f"{kind.TABLE}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, strict=True))
    given = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    return [{name: row[name] for name in given} for row in rows]


def write_table(sheet: Worksheet, kind: type[Row], rows: list[dict[str, str]], styles: Styles, quantity: str, currency: str) -> None:
    """One sheet: a frozen header with units and comments, then the rows, each cell of its kind."""
    known = {column.name: column for column in columns(kind)}
    for at, name in enumerate(rows[0]):
        about = column_of(kind, known, name)
        title = header(name, about, quantity, currency)
        sheet.write_string(0, at, title, styles.header)
        sheet.write_comment(0, at, comment(name, about, quantity, currency), COMMENT_SIZE)
        meant = [known[row["name"]] if kind is Settings and name == "value" else about for row in rows]
        cells = [row[name] for row in rows]
        values = [convert(column, cell) if column and cell else cell or None for column, cell in zip(meant, cells, strict=True)]
        for line, (column, value) in enumerate(zip(meant, values, strict=True), 1):
            shown = cell_format(column, [value] if kind is Settings else values)
            put(sheet, line, at, value, styles(shown, text_wrap=name in ("note", "source")))
            if kind is Settings and name == "name":
                setting = known[str(value)]
                sheet.write_comment(line, at, comment(setting.name, setting, quantity, currency), COMMENT_SIZE)
        widest = max(map(len, cells))
        longest_word = max(len(word) for word in title.split())
        sheet.set_column(at, at, min(MOST_WIDTH, max(LEAST_WIDTH, longest_word + 2, widest + 2)))
    sheet.set_row(0, 4 * LINE_HEIGHT)
    for line, row in enumerate(rows, 1):
        sheet.set_row(line, LINE_HEIGHT * max(len(textwrap.wrap(row.get(name, ""), MOST_WIDTH)) or 1 for name in ("source", "note")))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.freeze_panes(1, 2 if kind is Settings else 1)


def column_of(kind: type[Row], known: dict[str, Column], name: str) -> Column | None:
    """The column that a name means, also as an end of its range; None for text about the row."""
    if name in ABOUT or kind is Settings:
        return None
    base = name.removesuffix("_low").removesuffix("_high")
    if base in known:
        return known[base]
    if not kind.OPEN:
        raise ValueError(f"{kind.TABLE} has no column {name!r}")
    return Column(name=base, field=base, kind="number", meaning=f"the {kind.OPEN} {base}", unit="money/quantity")


def header(name: str, column: Column | None, quantity: str, currency: str) -> str:
    """`Lead time months [months]`; the name of an index stays as it is."""
    opened = column is not None and column.meaning.startswith("the index ")
    words = name if opened else name.replace("_", " ").capitalize()
    unit = unit_of(column.unit, quantity, currency) if column is not None else ""
    return f"{words} [{unit}]" if unit else words


def comment(name: str, column: Column | None, quantity: str, currency: str) -> str:
    """What a column means, what may stand in it and what a blank cell means."""
    if column is None:
        return ABOUT.get(name, {"name": "Name of the setting.", "value": "Its value."}.get(name, name))
    parts = [f"{column.meaning}."]
    if name != column.name:
        parts.insert(0, f"{'Lower' if name.endswith('_low') else 'Upper'} end of the range that a study may use of:")
    if unit := unit_of(column.unit, quantity, currency):
        parts.append(f"Unit: {unit}.")
    elif column.unit == "1":
        parts.append("A fraction: 0.25 is 25 %.")
    if column.choices:
        parts.append(f"One of: {', '.join(map(str, column.choices))}.")
    if column.kind == "yes_no":
        parts.append("yes or no.")
    if column.refers:
        parts.append(f"See the sheet {column.refers}.")
    if column.default not in (None, "", ()):
        parts.append(f"Blank: {'no' if column.default is False else 'yes' if column.default is True else column.default}.")
    return " ".join(parts)


def cell_format(column: Column | None, values: Iterable[object]) -> str:
    if column is None or column.many or column.kind in ("text", "yes_no"):
        return ""
    return DATE if column.kind == "date" else number_format(column.unit, values)


def write_guide(sheet: Worksheet, text: str, styles: Styles) -> None:
    """The guide: headings, paragraphs and list items across the page, the cells of a Markdown table side by side."""
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, GUIDE_FIRST)
    sheet.set_column(1, GUIDE_COLUMNS - 1, GUIDE_OTHERS)
    page = int(1.1 * (GUIDE_FIRST + (GUIDE_COLUMNS - 1) * GUIDE_OTHERS))  # letters are narrower than digits, by which widths count
    line = 0
    for block in blocks(text):
        if isinstance(block, list):
            sheet.set_row(line, 3 * LINE_HEIGHT)
            for number, cells in enumerate(block):
                for at, cell in enumerate(cells):
                    sheet.write_string(line, at, cell, styles.header if number == 0 else styles(align="right" if at else "left"))
                line += 1
        elif block.startswith("#"):
            top = block.startswith("# ")
            sheet.set_row(line, (2 if top else 1.7) * LINE_HEIGHT)
            style = styles(bold=True, font_size=16 if top else 12, font_color="#1F3864", valign="bottom")
            sheet.write_string(line, 0, block.lstrip("# "), style)
            line += 1
        else:
            sheet.set_row(line, LINE_HEIGHT * len(textwrap.wrap(block, page)))
            sheet.merge_range(line, 0, line, GUIDE_COLUMNS - 1, block, styles(text_wrap=True))
            line += 1


def blocks(text: str) -> Iterator[str | list[list[str]]]:
    """Headings, paragraphs and list items as lines of text; tables as rows of cells."""
    for part in text.strip().split("\n\n"):
        lines = part.strip().splitlines()
        if lines[0].startswith("|"):
            yield [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not set(line) <= set("|-: ")]
        elif lines[0].startswith(("#", "- ")) or lines[0][0].isdigit():
            yield from items(lines)
        else:
            yield " ".join(line.strip() for line in lines)


def items(lines: Iterable[str]) -> Iterator[str]:
    """List items and headings; an indented line continues the one before."""
    found: list[str] = []
    for line in lines:
        if line.startswith(" ") and found:
            found[-1] += " " + line.strip()
        else:
            found.append(line)
    return iter(found)


def main() -> None:
    for case in CASES:
        build(case, HERE / f"{case}.xlsx")
        print(f"built {case}.xlsx")
    runpy.run_path(str(HERE / "dictionary.py"), run_name="__main__")


if __name__ == "__main__":
    main()
