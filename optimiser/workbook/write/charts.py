"""Native charts on the summary, drawn from the numbers of figures on the sheet `chart_data`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.worksheet import Worksheet

from optimiser.figures.figure import ChartFigure, FigureAxis, Figured, FigureSeries, Role
from optimiser.workbook.write.styles import (
    Styles,
    drawn_format,
    legible,
    literal,
    put,
    set_print,
    short_format,
)

SHEET = "chart_data"
LEFT_COLUMN, LAST_COLUMN = 7, 19  # of the summary, right of its tables: as wide as a chart
WIDTH, HEIGHT, GAP = 820, 370, 20  # pixels
PAGE, LOWEST = 1620, 20  # height of a printed page, and the least of a row, in pixels
BAR, AROUND = 24, 150  # height of a bar, and of what is around all bars, in pixels
INK, GRID, LINE = "#404040", "#D9D9D9", "#C0392B"
COLOURS = (
    *("#1F3864", "#2E86C1", "#17A589", "#F1C40F", "#E67E22", "#A93226", "#7D3C98"),
    *("#909497", "#5D6D7E"),
)
PALETTES: dict[Role, tuple[str, ...]] = {
    "part": COLOURS,
    "counting": ("#1B4F72", "#2E86C1", "#7FB3D5", "#F5B041", "#E67E22"),  # from fresh to old
    "not counting": ("#A6ACAF", "#D0D3D4"),
    "lost": (LINE,),
    "open": ("#A9CCE3",),
    "aim": (LINE,),
    "sum": (INK,),
}
FONT: dict[str, Any] = {"size": 9, "color": INK}
AXIS: dict[str, Any] = {
    "num_font": FONT,
    "name_font": {**FONT, "bold": False},
    "line": {"color": GRID},
}
GRIDLINES: dict[str, Any] = {"visible": True, "line": {"color": GRID, "width": 0.5}}


@dataclass(frozen=True)
class ChartBlock:
    """Describe where the numbers of a figure stand on the data sheet."""

    column: int
    first: int
    last: int

    def series(self, number: int) -> dict[str, Any]:
        """Return the references of a series: its name, its labels and its values."""
        c = self.column + 1 + number
        return {
            "name": [SHEET, self.first - 1, c],
            "categories": [SHEET, self.first, self.column, self.last, self.column],
            "values": [SHEET, self.first, c, self.last, c],
        }


@dataclass
class Charts:
    """Place charts one below the other, and their data side by side.

    `pages` yields the first row of each printed page but the first; the next chart stands on that
    which begins with `row`, `top` pixels below its head. A page is filled up to `full` pixels.
    """

    book: xlsxwriter.Workbook
    styles: Styles
    summary: Worksheet
    data: Worksheet
    pages: Iterator[int]
    full: int = PAGE
    column: int = 0
    row: int = 0
    top: int = 0

    def draw(self, figure: ChartFigure) -> None:
        """Draw a figure: columns or bars first, lines and points over them."""
        block, bars = self._block(figure), any(each.mark == "bar" for each in figure.series)
        chart = self._chart("bar" if bars else "column", "stacked" if figure.stacked else "")
        lines: list[dict[str, Any]] = []
        seen: dict[Role, int] = {}
        for k, each in enumerate(figure.series):
            place = seen[each.role] = seen.get(each.role, -1) + 1
            colours = PALETTES[each.role]
            drawn = block.series(k) | _look(each, colours[place % len(colours)], figure.spacing)
            if each.mark in ("column", "bar"):
                chart.add_series(drawn)
            else:
                lines.append(drawn)
        if lines:
            over = self._chart("line")
            for drawn in lines:
                over.add_series(drawn)
            chart.combine(over)
            if figure.right is not None:
                over.set_y2_axis(AXIS | axis_of(figure.right, figure, right=True))
        self._place(chart, figure, bars, height_of(figure))

    def _block(self, figure: ChartFigure) -> ChartBlock:
        """Write the numbers of a figure: a title, a header, and rows under their labels."""
        first = self.column
        put(self.data, 0, first, figure.caption, self.styles(bold=True))
        names = (figure.x.title, *(each.name for each in figure.series))
        for c, name in enumerate(names, start=first):
            put(self.data, 1, c, name, self.styles.header)
        self.data.set_column(first, first + len(figure.series), 14)
        for r, label in enumerate(figure.labels, start=2):
            put(self.data, r, first, label, self.styles())
        for c, each in enumerate(figure.series, start=first + 1):
            shown = self.styles(drawn_format(each.values))
            for r, number in enumerate(each.values, start=2):
                put(self.data, r, c, number, shown)
        self.column += len(figure.series) + 2
        return ChartBlock(first, 2, len(figure.labels) + 1)

    def _chart(self, kind: str, subtype: str = "") -> Chart:
        return self.book.add_chart(
            {"type": kind, "subtype": subtype} if subtype else {"type": kind}
        )

    def _place(self, chart: Chart, figure: ChartFigure, bars: bool, height: int) -> None:
        """Give a chart its title, axes and legend, and its place on the summary."""
        chart.set_title(titled(_title(figure)))
        numbers = axis_of(figure.y, figure) | {"major_gridlines": GRIDLINES}
        if bars:  # XlsxWriter takes what lies along the bottom for the x axis, of bars too
            chart.set_x_axis(AXIS | numbers)
            across = {"reverse": True, "interval_unit": 1, "crossing": "max", "name": ""}
            chart.set_y_axis(AXIS | across | {"major_gridlines": {"visible": False}})
        else:
            chart.set_x_axis(AXIS | _labels(figure))
            chart.set_y_axis(AXIS | numbers)
        chart.set_legend({"position": "bottom", "font": FONT})
        chart.set_size({"width": WIDTH, "height": height})
        chart.set_chartarea({"border": {"color": GRID}})
        chart.show_blanks_as("gap")
        if self.top and self.top + height > self.full:  # none is cut in two
            self.row, self.top = next(self.pages), 0
        offset = {"y_offset": self.top + 4, "object_position": 2}
        described = {**offset, "description": legible(figure.title)}
        self.summary.insert_chart(self.row, LEFT_COLUMN, chart, described)
        self.top += height + GAP

    @property
    def below(self) -> int:
        """Return the first row that is surely below all charts."""
        return self.row + math.ceil(self.top / LOWEST)


def _title(figure: ChartFigure) -> str:
    """Return the title of a chart, which says where its amounts are expected over scenarios."""
    said = not figure.expected or figure.title.startswith("Expected")
    return figure.title if said else f"{figure.title}, expected"


def titled(title: str) -> dict[str, Any]:
    """Return the title of a chart."""
    font = {"size": 13, "bold": True, "color": INK}
    return {"name": literal(title), "overlay": False, "name_font": font}


def _look(series: FigureSeries, colour: str, spacing: int) -> dict[str, Any]:
    """Return how a series looks."""
    right = {"y2_axis": True} if series.right else {}
    if series.mark in ("column", "bar"):
        return {"fill": {"color": colour}, "gap": spacing, **right}
    if series.mark == "point":
        filled = {"fill": {"color": colour}, "border": {"color": colour}}
        marker = {"type": "diamond", "size": 7, **filled}
        return {"line": {"none": True}, "marker": marker, **right}
    marker = {"type": "diamond" if series.marks else "none"}
    return {"line": {"color": colour, "width": 2.25}, "marker": marker, **right}


def _labels(figure: ChartFigure) -> dict[str, Any]:
    """Return an axis of labels; they stand low where numbers may be below zero, and in time."""
    axis: dict[str, Any] = {"text_axis": True, "name": literal(figure.x.title)}
    if figure.x.every is not None:
        axis |= {"interval_unit": figure.x.every, "interval_tick": figure.x.every}
    if figure.x.every is not None or figure.y.least is None:
        axis["label_position"] = "low"
    return axis


def axis_of(axis: FigureAxis, figure: ChartFigure, right: bool = False) -> dict[str, Any]:
    """Return an axis of the numbers of a figure, with decimals where all of them are small."""
    drawn = (each.values for each in figure.series if each.right == right)
    sizes = (abs(each) for values in drawn for each in values if each is not None)
    largest = max(sizes, default=0.0) if axis.largest is None else axis.largest
    shown = {"name": literal(axis.label), "num_format": short_format(largest, 2, "0")}
    return shown if axis.least is None else {**shown, "min": axis.least}


def add_charts(
    book: xlsxwriter.Workbook,
    styles: Styles,
    figures: Iterable[Figured],
    summary: Worksheet,
    pages: Iterator[int],
) -> int:
    """Draw the charts among the figures of a plan; `pages` are the first rows of printed pages.

    Returns the first row of the summary that is below all of them.
    """
    data = book.add_worksheet(SHEET)
    data.freeze_panes(2, 0)
    set_print(data)
    drawn = [each for each in figures if isinstance(each, ChartFigure)]
    full = even([*map(height_of, drawn)])
    charts = Charts(book, styles, summary, data, pages, full, row=next(pages))
    for figure in drawn:
        charts.draw(figure)
    return charts.below


def height_of(figure: ChartFigure) -> int:
    """Return the height of a chart [pixels]: that of bars grows with their number."""
    bars = any(each.mark == "bar" for each in figure.series)
    return max(HEIGHT, AROUND + BAR * len(figure.labels)) if bars else HEIGHT


def even(heights: Sequence[int]) -> int:
    """Return up to where pages are filled with charts, so that they are filled alike and are no
    more than when each is filled whole [pixels]."""
    fewest = _pages(heights, PAGE)
    sums = {
        sum(heights[first:last]) + GAP * (last - first - 1)
        for first, last in itertools.combinations(range(len(heights) + 1), 2)
    }
    return min((each for each in sums if _pages(heights, each) <= fewest), default=PAGE)


def _pages(heights: Sequence[int], full: int) -> int:
    """Return how many pages charts need that are filled up to somewhere."""
    pages, top = 1, 0
    for height in heights:
        if top and top + height > full:
            pages, top = pages + 1, 0
        top += height + GAP
    return pages
