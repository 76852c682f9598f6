"""The sheets of an input workbook: readable headers with their units, comments, cells of their
kind, and the guide.

What a column asks for comes from the row types, so a workbook shows the unit and the meaning of
what it asks. The sample workbooks and the template are written with it. No clock and no random
choice goes into a file.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optimiser.figures.column_units import unit_of
from optimiser.scenarios.sampling import uncertainty as uncertain
from optimiser.studies.study_sheet import study_table as studies
from optimiser.workbook.write.styles import DATE, Styles, number_format, put, writable
from stockpile_model.block import tables as block_tables
from stockpile_model.schema import Column, Row, columns
from stockpile_model.tables import Settings
from stockpile_model.values import convert, unbracketed

CREATED = dt.datetime(2026, 11, 21)
ABOUT = {
    "source": "Where the figures of the row come from; `assumption` where there is none.",
    "source_date": "Date of the source, or of the assumption.",
    "confidence": (
        "high, medium, low or assumption: of what the source is cited for. What the note calls"
        " assumed is an assumption."
    ),
    "note": "What is cited, what is assumed, where sources disagree or are weak.",
}
LINE_HEIGHT = 15
COMMENT_SIZE = {"x_scale": 2.4, "y_scale": 1.6}
GUIDE_COLUMNS = 9
_LEAST_WIDTH, _MOST_WIDTH = 9, 60
_GUIDE_FIRST, _GUIDE_OTHERS = 30, 11

Cells = Mapping[str, str]
"""A row as text, by column."""


@dataclass(frozen=True)
class Units:
    """Describe what the units `quantity` and `money` are in a workbook."""

    quantity: str = "kg"
    currency: str = "USD"

    @classmethod
    def of(cls, settings: Iterable[Cells]) -> Units:
        """Return the units that the rows of the settings give."""
        given = {row["name"]: row["value"] for row in settings}
        return cls(given.get("quantity_unit") or "kg", given.get("currency") or "USD")

    def __call__(self, column: Column) -> str:
        return unit_of(column.unit, self.quantity, self.currency)


def read_tables(folder: Traversable) -> dict[type[Row], list[dict[str, str]]]:
    """Return the tables of a folder with one `<table>.csv` for each, as text, with only the columns
    that hold something.
    """
    files = {
        kind: folder / f"{kind.TABLE}.csv"
        for kind in (*block_tables(), *uncertain.TABLES, *studies.TABLES)
    }
    return {kind: _read(file) for kind, file in files.items() if file.is_file()}


def _read(file: Traversable) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")), strict=True))
    given = [name for name in (rows[0] if rows else {}) if any(row[name] for row in rows)]
    return [{name: row[name] for name in given} for row in rows]


def header(name: str, column: Column | None, units: Units) -> str:
    """Return a header such as `Capacity [kg]`; the name of an index stays as it is, and one that
    ends with its unit, as `Lead time months`, says it once.
    """
    opened = column is not None and column.meaning.startswith("the index ")
    words = name if opened else name.replace("_", " ").capitalize()
    unit = units(column) if column is not None else ""
    said = not opened and name.endswith(f"_{unit}")
    return f"{words} [{unbracketed(unit)}]" if unit and words and not said else words


def comment(name: str, column: Column | None, units: Units) -> str:
    """Return what a column means, what may stand in it and what a blank cell means."""
    if column is None:
        return ABOUT.get(
            name, {"name": "Name of the setting.", "value": "Its value."}.get(name, name)
        )
    parts = [f"{column.meaning}."]
    if name != column.name:
        parts.insert(
            0,
            f"{'Lower' if name.endswith('_low') else 'Upper'} end of the range that a study may"
            " use of:",
        )
    if unit := units(column):
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
        words = {False: "no", True: "yes"} if column.kind == "yes_no" else {}
        parts.append(f"Blank: {words.get(column.default, column.default)}.")
    return " ".join(parts)


def column_of(kind: type[Row], name: str) -> Column | None:
    """Return the column that a name means, also as an end of its range; None for text about the
    row.
    """
    known = {column.name: column for column in columns(kind)}
    if name in ABOUT or kind is Settings:
        return None
    base = name.removesuffix("_low").removesuffix("_high")
    if base in known:
        return known[base]
    if not kind.OPEN:
        raise ValueError(f"{kind.TABLE} has no column {name!r}")
    return Column(
        name=base,
        field=base,
        kind="number",
        meaning=f"the {kind.OPEN} {base}",
        unit="money/quantity",
        least=0,
    )


def cell_format(column: Column | None, values: Iterable[object]) -> str:
    """Return how the cells of a column show their values."""
    if column is None or column.many or column.kind in ("text", "yes_no"):
        return ""
    return DATE if column.kind == "date" else number_format(column.unit, values)


@dataclass(frozen=True)
class Writer:
    """Writes the tables of one workbook.

    `explain` gives the comment of a column; `shown` the format of its cells; `title` that of its
    name.
    """

    styles: Styles
    units: Units
    explain: Callable[[str, Column | None, Units], str] = comment
    shown: Callable[[Column | None, Iterable[object]], str] = cell_format
    title: Callable[[Column | None, Styles], Format] = lambda _, styles: styles.header

    def table(
        self, sheet: Worksheet, kind: type[Row], names: Sequence[str], rows: Sequence[Cells]
    ) -> dict[str, int]:
        """Write one sheet: a frozen header with units and comments, then the rows, each cell of its
        kind.

        Returns the width of each column.
        """
        known = {column.name: column for column in columns(Settings)}
        widths = {}
        for at, name in enumerate(names):
            about = column_of(kind, name)
            title = header(name, about, self.units)
            sheet.write_string(0, at, title, self.title(about, self.styles))
            sheet.write_comment(0, at, self.explain(name, about, self.units), COMMENT_SIZE)
            meant = [
                known[row["name"]] if kind is Settings and name == "value" else about
                for row in rows
            ]
            cells = [row.get(name, "") for row in rows]
            values = [
                convert(column, cell) if column and cell else cell or None
                for column, cell in zip(meant, cells, strict=True)
            ]
            for line, (column, value) in enumerate(zip(meant, values, strict=True), 1):
                style = self.styles(
                    self.shown(column, [value] if kind is Settings else values),
                    text_wrap=name in ("note", "source"),
                )
                put(sheet, line, at, value, style)
                if kind is Settings and name == "name":
                    setting = known[str(value)]
                    sheet.write_comment(
                        line, at, self.explain(setting.name, setting, self.units), COMMENT_SIZE
                    )
            longest_word = max((len(word) for word in title.split()), default=0)
            widths[name] = min(
                _MOST_WIDTH,
                max(_LEAST_WIDTH, longest_word + 2, max(map(len, cells), default=0) + 2),
            )
            sheet.set_column(at, at, widths[name])
        sheet.set_row(0, 4 * LINE_HEIGHT)
        for line, row in enumerate(rows, 1):
            lines = max(
                len(textwrap.wrap(row.get(name, ""), _MOST_WIDTH)) or 1
                for name in ("source", "note")
            )
            sheet.set_row(line, LINE_HEIGHT * lines)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.freeze_panes(1, 2 if kind is Settings else 1)
        return widths


def lay_out_guide(sheet: Worksheet) -> None:
    """Lay out the page of a guide."""
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, _GUIDE_FIRST)
    sheet.set_column(1, GUIDE_COLUMNS - 1, _GUIDE_OTHERS)


def write_guide(sheet: Worksheet, text: str, styles: Styles, line: int = 0) -> int:
    """Write headings, paragraphs and list items across the page from a line on, and each row of a
    Markdown table in cells next to each other.

    Returns the line after the last.
    """
    page = int(
        1.1 * (_GUIDE_FIRST + (GUIDE_COLUMNS - 1) * _GUIDE_OTHERS)
    )  # letters are narrower than digits, by which widths count
    for block in _blocks(writable(text)):
        if isinstance(block, list):
            sheet.set_row(line, 3 * LINE_HEIGHT)
            for number, cells in enumerate(block):
                for at, cell in enumerate(cells):
                    sheet.write_string(
                        line,
                        at,
                        cell,
                        styles.header if number == 0 else styles(align="right" if at else "left"),
                    )
                line += 1
        elif block.startswith("#"):
            top = block.startswith("# ")
            sheet.set_row(line, (2 if top else 1.7) * LINE_HEIGHT)
            style = styles(
                bold=True, font_size=16 if top else 12, font_color="#1F3864", valign="bottom"
            )
            sheet.write_string(line, 0, block.lstrip("# "), style)
            line += 1
        else:
            sheet.set_row(line, LINE_HEIGHT * len(textwrap.wrap(block, page)))
            sheet.merge_range(line, 0, line, GUIDE_COLUMNS - 1, block, styles(text_wrap=True))
            line += 1
    return line


def _blocks(text: str) -> Iterator[str | list[list[str]]]:
    """Yield headings, paragraphs and list items as lines of text, and tables as rows of cells."""
    for part in text.strip().split("\n\n"):
        lines = part.strip().splitlines()
        if lines[0].startswith("|"):
            yield [
                [cell.strip() for cell in line.strip("|").split("|")]
                for line in lines
                if not set(line) <= set("|-: ")
            ]
        elif lines[0].startswith(("#", "- ")) or lines[0][0].isdigit():
            yield from _items(lines)
        else:
            yield " ".join(line.strip() for line in lines)


def _items(lines: Iterable[str]) -> Iterator[str]:
    """List items and headings; an indented line continues the one before."""
    found: list[str] = []
    for line in lines:
        if line.startswith(" ") and found:
            found[-1] += " " + line.strip()
        else:
            found.append(line)
    return iter(found)
