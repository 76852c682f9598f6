"""The sheet `summary`: the tables and paragraphs of a plan's figures, with totals as live formulas
over the other sheets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optimiser.figures.figure import Figured, TableFigure, TextFigure
from optimiser.figures.of_plan import assessment
from optimiser.figures.origins import AGREES, DIFFERS, Agreement, Origin
from optimiser.plan.plan import Plan
from optimiser.workbook.read.plan_reader import CONTENTS
from optimiser.workbook.write.charts import LAST_COLUMN, add_charts
from optimiser.workbook.write.formulas import Formulas
from optimiser.workbook.write.result_table import ResultTable
from optimiser.workbook.write.scenario_sheet import ABOUT, SHEET, scenarios
from optimiser.workbook.write.styles import Styles, precise, put, set_print_in_two
from stockpile_model.schema import Result

WIDTHS = (36, 17, 17, 17, 17, 17)
LAST = len(WIDTHS) - 1
HEADED = 15  # bold characters that one line of a title of a column holds
LINE = 138  # characters on a line across all columns
LOW, HIGHEST = 15.0, 409.0  # points that a row has of itself, and may have
PRINTED = 60  # per cent: the tables are as wide as an upright page
PAGE = 1245.0  # points of rows on a page at that scale: 1,270, less what programs draw differently
NOTE: dict[str, Any] = {"font_color": "#595959", "indent": 1}
COLOURS = {AGREES: "#C6EFCE", DIFFERS: "#FFC7CE"}


@dataclass
class SummaryWriter:
    """Write the summary from top to bottom; `row` is the next free one.

    `weighed`: the plan has scenarios, over which sums are expected. `heights` are those of rows
    that have one of their own [points].
    """

    sheet: Worksheet
    styles: Styles
    formulas: Formulas
    weighed: bool = False
    row: int = 0
    heights: dict[int, float] = field(default_factory=dict)
    headings: set[int] = field(default_factory=set)

    def pages(self) -> Iterator[int]:
        """Yield the first row of each printed page, without end; no heading ends a page."""
        yield 0
        used = 0.0
        for row in count():
            height = self.heights.get(row, LOW)
            if used + height > PAGE:
                first = row - 1 if row - 1 in self.headings else row
                yield first
                used = self.heights.get(first, LOW) if first < row else 0.0
            used += height

    def high(self, points: float) -> None:
        """Give the next row a height of its own."""
        self.heights[self.row] = points
        self.sheet.set_row(self.row, points)

    def heading(self, text: str, *columns: str) -> None:
        """Write a title over all columns, with the titles of the columns."""
        self.row += 1
        self.headings.add(self.row)
        if wrapped := any(len(each) > HEADED for each in columns):
            self.high(2 * LOW)
        for c in range(LAST + 1):
            shown = (text, *columns)[c] if c <= len(columns) else ""
            align = "right" if c else "left"
            style = self.styles(bold=True, bg_color="#D9E1F2", align=align, text_wrap=wrapped)
            self.sheet.write_string(self.row, c, shown, style)
        self.row += 1

    def paragraph(self, text: str, **properties: Any) -> None:
        """Write text across all columns, wrapped; a merged cell does not fit its own height."""
        lines = max(1, math.ceil(len(text) / LINE))
        self.high(min(HIGHEST, 15.75 * lines))
        style = self.styles(text_wrap=True, **properties)
        self.sheet.merge_range(self.row, 0, self.row, LAST, "", style)
        put(self.sheet, self.row, 0, text or " ", style)
        self.row += 1

    def text(self, figure: TextFigure) -> None:
        """Write the paragraphs of a figure below its title."""
        self.heading(figure.title)
        for each in figure.paragraphs:
            self.paragraph(each)
        if figure.aside:
            self.paragraph(figure.aside, italic=True)

    def table(self, figure: TableFigure) -> None:
        """Write a table below its title and those of its columns behind the first."""
        columns = range(1, len(figure.columns))
        self.heading(figure.title, *(figure.heading(c, self.weighed) for c in columns))
        if figure.caption:
            self.paragraph(figure.caption)
        self.lines(figure)

    def lines(self, figure: TableFigure) -> None:
        """Write the lines of a table: values, and a note behind them."""
        begin = self.formulas.begins[figure.name] = self.row
        for line in figure.lines:
            properties: dict[str, Any] = {"bold": True, "top": 1} if line.total else {}
            put(self.sheet, self.row, 0, line.values[0], self.styles(**properties))
            for c, value in enumerate(line.values[1:], start=1):
                shown = precise(figure.precision(line, c))
                style = self.styles(shown, align="right", **properties)
                self._value(c, value, style, begin)
            if line.note:
                put(self.sheet, self.row, len(line.values), line.note, self.styles(**NOTE))
            self.row += 1

    def _value(self, c: int, value: object, style: Format, begin: int) -> None:
        if not isinstance(value, Origin | Agreement):
            put(self.sheet, self.row, c, value, style)
            return
        formula, now = self.formulas.of(value, begin, self.row), value.value
        safe = now if isinstance(now, str) or math.isfinite(now) else "#NUM!"
        self.sheet.write_formula(self.row, c, f"={formula}", style, safe)
        for word, colour in COLOURS.items() if isinstance(value, Agreement) else ():
            shown = self.styles.book.add_format({"bg_color": colour})
            rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": shown}
            self.sheet.conditional_format(self.row, c, self.row, c, rule)


def add_summary(
    book: Workbook,
    sheet: Worksheet,
    styles: Styles,
    plan: Plan,
    figures: Mapping[str, Figured],
    found: Mapping[type[Result], ResultTable],
) -> None:
    """Fill the summary, top to bottom: tables and texts, beside them the charts.

    The list of sheets at its end is not printed: on paper it leads nowhere.
    """
    for c, width in enumerate(WIDTHS):
        sheet.set_column(c, c, width)
    sheet.set_column(LAST + 1, LAST + 1, 3)
    sheet.hide_gridlines(2)
    set_print_in_two(sheet, LAST + 1, PRINTED)
    writer = SummaryWriter(sheet, styles, Formulas(found), bool(plan.stockpile.scenarios))
    for figure in figures.values():
        if figure.name == assessment.NAME and isinstance(figure, TableFigure):
            _verdict(writer, figure, plan.verdict)
        elif isinstance(figure, TextFigure):
            writer.text(figure)
        elif isinstance(figure, TableFigure):
            writer.table(figure)
    printed = writer.row
    _contents(writer, plan, found)
    below = add_charts(book, styles, figures.values(), sheet, writer.pages())
    # charts that are longer than the tables take the list with them, whole
    last = printed if below <= printed else max(below, writer.row)
    sheet.set_h_pagebreaks([*takewhile(lambda row: row < last, writer.pages())][1:])
    sheet.print_area(0, 0, last - 1, LAST_COLUMN)


def _verdict(w: SummaryWriter, figure: TableFigure, verdict: str) -> None:
    """Write the title of the plan, how good it is, and the verdict."""
    w.high(24)
    put(w.sheet, 0, 0, figure.title, w.styles(bold=True, font_size=16, font_color="#1F3864"))
    w.row = 1
    w.paragraph(figure.caption, font_color="#595959")
    w.row += 1
    w.lines(figure)
    w.row += 1
    for line in verdict.splitlines():
        w.paragraph(line, bg_color="#F2F6FC")


def _contents(w: SummaryWriter, plan: Plan, found: Mapping[type[Result], ResultTable]) -> None:
    """List the sheets with links to them."""
    w.heading(CONTENTS, "Rows")
    link = w.styles(font_color="#0563C1", underline=1)
    for kind, table in found.items():
        w.sheet.write_url(w.row, 0, f"internal:'{table.sheet}'!A1", link, table.sheet)
        put(w.sheet, w.row, 1, table.height, w.styles("#,##0", align="right"))
        meaning = kind.ABOUT + ("" if table.height else " (none in this plan)")
        put(w.sheet, w.row, 2, meaning, w.styles(**NOTE))
        w.row += 1
    others = (
        *(((SHEET, ABOUT),) if scenarios(plan) else ()),
        ("run", "versions, options and times of the run"),
        ("chart_data", "what the charts show"),
    )
    for name, meaning in others:
        w.sheet.write_url(w.row, 0, f"internal:'{name}'!A1", link, name)
        put(w.sheet, w.row, 2, meaning, w.styles(**NOTE))
        w.row += 1
