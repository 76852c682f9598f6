"""The workbook of studies: what each answers with native charts, and one row for every run."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optimiser.figures import of_study
from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureColumn,
    FigureSeries,
    Mark,
    TableFigure,
)
from optimiser.figures.of_study.study_answers import AnswerFigures, capital
from optimiser.figures.of_study.study_runs import RUNS, STUDIES, Find
from optimiser.studies.answered import Answered
from optimiser.studies.kinds.asked import CELL as CELL_TITLE
from optimiser.workbook.write.cell_links import CellLinks
from optimiser.workbook.write.charts import AXIS, COLOURS, FONT, GRID, GRIDLINES, INK, LINE, titled
from optimiser.workbook.write.ownership import Kind, about, check_target, replace
from optimiser.workbook.write.result_sheets import list_pairs
from optimiser.workbook.write.styles import (
    DATE,
    LONGEST_TEXT,
    OPTIONS,
    SHARE,
    WHOLE,
    Styles,
    drawn_format,
    legible,
    literal,
    put,
    set_print,
    short_format,
    text,
)
from stockpile_model.tables import Settings

COMPLETE = "complete"  # how studies ended, on the sheet run
FIRST = 2  # row below the title and the header of an answer
WIDTH, HEIGHT, BAR = 900, 420, 12  # pixels; BAR of each input of a tornado
LOW, HIGH = "#2E86C1", "#E67E22"
WARNING = "#C0392B"
LINK = "#0563C1"
CELL = capital(CELL_TITLE)  # the title of a column of addresses
LINE_HEIGHT = 15  # points
WIDEST = 60  # characters of a column of an answer
ANSWER = 95  # characters of an answer on the summary
NONE = {"visible": False}
BAND = ("#D6E4F0", "#9DC3E6", "#9DC3E6", "#D6E4F0")
PAIRS: dict[Mark, tuple[str, str]] = {
    "bar": (LOW, HIGH),
    "joined": (COLOURS[0], HIGH),
    "column": (COLOURS[1], HIGH),
}
"""The colours of at most two series."""
ACROSS, WIDE = (20, 7, 26, 50, 20, 26, 11, 15, 15, 9, 10, 10, 12, 12, 20), 14  # columns of runs


def write(
    answers: Sequence[Answered],
    find: Find,
    run: Mapping[str, object],
    settings: Settings,
    path: Path,
    source: Path | None = None,
) -> None:
    """Write the studies to `path` (.xlsx), in place of what stands there. Cells lead to the
    workbook `source`. Raises OutputError; then nothing has changed."""
    check_target(path, Kind.STUDY)
    links = None if source is None else CellLinks(source, path)
    replace(path, compose(answers, find, run, settings, links))


def compose(
    answers: Sequence[Answered],
    find: Find,
    run: Mapping[str, object],
    settings: Settings,
    links: CellLinks | None = None,
) -> bytes:
    """Return the workbook, as its file holds it. `find` gives the result of a run by its key."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = legible(settings.title) or "Stockpile"
        book.set_properties(about(Kind.STUDY, f"{title}: studies"))
        styles = Styles(book)
        sheet = book.add_worksheet("summary")
        for number, each in enumerate(answers, 1):
            for answer in of_study.answers_of(each):
                _answer(book, styles, f"{number} {answer.table.name}"[:31], answer, links)
        figures = of_study.figures_of(answers, find, settings)
        _runs(book.add_worksheet("runs"), styles, figures[RUNS])
        for name, figure in figures.items():
            if name not in (RUNS, STUDIES):  # the latter stand on the summary
                _answer(book, styles, name, AnswerFigures(figure, None))
        incomplete = run.get("ended", COMPLETE) != COMPLETE
        _head(sheet, styles, figures[STUDIES], title, incomplete)
        _summary(sheet, styles, figures[STUDIES], answers)
        list_pairs(book.add_worksheet("run"), styles, run)
        sheet.activate()
    return target.getvalue()


def _lines(said: str, across: float) -> int:
    """Return how many lines a text takes, of so many characters."""
    return sum(1 + int(len(each) / across) for each in said.split("\n"))


def _head(
    sheet: Worksheet, styles: Styles, figure: TableFigure, title: str, incomplete: bool
) -> None:
    put(sheet, 0, 0, f"{title}: studies", styles(bold=True, font_size=14))
    if incomplete:
        warning = "INCOMPLETE: interrupted before all runs had ended"
        put(sheet, 1, 0, warning, styles(bold=True, font_color=WARNING))
    for c, name in enumerate((*(each.title for each in figure.columns), "Answer")):
        sheet.write_string(2, c, name, styles.header)


def _summary(
    sheet: Worksheet, styles: Styles, figure: TableFigure, answers: Sequence[Answered]
) -> None:
    """Write a study in front of its answers."""
    row = 3
    for line, each in zip(figure.lines, answers, strict=True):
        for k, table in enumerate(each.tables):
            for c, value in enumerate(line.values if k == 0 else ()):
                whole = "#,##0" if figure.columns[c].precision.unit == "count" else ""
                last = c == len(line.values) - 1
                put(sheet, row, c, value, styles(whole, text_wrap=last, valign="top"))
            put(sheet, row, len(figure.columns), table.said, styles(text_wrap=True, valign="top"))
            sheet.set_row(row, LINE_HEIGHT * _lines(table.said, ANSWER))
            row += 1
    for c, width in enumerate((26, 14, 10, 10, 34, ANSWER)):
        sheet.set_column(c, c, width)
    sheet.freeze_panes(3, 0)
    set_print(sheet)


def _answer(
    book: xlsxwriter.Workbook,
    styles: Styles,
    name: str,
    answer: AnswerFigures,
    links: CellLinks | None = None,
) -> None:
    """Write a sheet of an answer: what it says, its table, and its chart."""
    sheet, table = book.add_worksheet(name), answer.table
    wide = 0.0
    for c, column in enumerate(table.columns):
        put(sheet, 1, c, column.title, styles.header)
        width = _width(table, c)
        wide += width
        sheet.set_column(c, c, width)
    last = len(table.columns) - 1
    style = styles(bold=True, text_wrap=last > 0, valign="top")
    put(sheet, 0, 0, table.caption, style)
    if last > 0:
        sheet.merge_range(0, 0, 0, last, text(table.caption)[:LONGEST_TEXT], style)
        sheet.set_row(0, LINE_HEIGHT * _lines(table.caption, wide / 1.1))
    for r, line in enumerate(table.lines, FIRST):
        for c, value in enumerate(line.values):
            column = table.columns[c] if c <= last else FigureColumn("")
            link = links.to(str(value)) if links and column.title == CELL else None
            if link is None:
                put(sheet, r, c, value, _style(styles, value, column))
            else:
                linked = styles(font_color=LINK, underline=1)
                sheet.write_url(r, c, link, linked, str(value), "Open the workbook there")
    sheet.set_row(1, 45)
    sheet.freeze_panes(FIRST, 1)
    if table.lines and table.map:
        colours = {"min_color": "#63BE7B", "mid_color": "#FFEB84", "max_color": "#F8696B"}
        scale = {"type": "3_color_scale", **colours}
        sheet.conditional_format(FIRST, 1, FIRST + len(table.lines) - 1, last, scale)
    elif table.lines:
        sheet.autofilter(1, 0, len(table.lines) + 1, last)
    if answer.chart is not None:
        _draw(book, sheet, name, answer.chart, last + 2, styles)
    set_print(sheet)


def _style(styles: Styles, value: object, column: FigureColumn) -> Format:
    """Return the style of a value; a text wider than any column is wrapped."""
    if isinstance(value, str) and len(value) > WIDEST:
        return styles(text_wrap=True, valign="top")
    return styles(_format(value, column))


def _width(table: TableFigure, c: int) -> float:
    values = (_shown(line.values[c]) for line in table.lines if c < len(line.values))
    longest = max(map(len, values), default=0)
    return min(max(11, longest + 2, len(table.columns[c].title) / 2 + 3), WIDEST)


def _shown(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else "" if value is None else str(value)


def _format(value: object, column: FigureColumn) -> str:
    if isinstance(value, dt.date):
        return DATE
    if not isinstance(value, float):
        return ""
    if column.precision.unit == "1":
        return SHARE
    return WHOLE if value.is_integer() else short_format(value, 6)


# --- Charts ---------------------------------------------------------------------------------------


def _draw(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    name: str,
    figure: ChartFigure,
    right: int,
    styles: Styles,
) -> None:
    """Draw a chart right of its table; series that are no column of it stand between the two."""
    mark, tall = figure.series[0].mark, HEIGHT
    across, up = _axis(figure.x), _axis(figure.y)
    match mark:
        case "bar":
            # XlsxWriter takes what lies along the bottom for the x axis, of bars too. The longest
            # bar stands first, and on top.
            chart = book.add_chart({"type": "bar"})
            across, up = (
                {**up, "major_gridlines": GRIDLINES},
                {
                    **{"reverse": True, "label_position": "low", "crossing": "max"},
                    "major_gridlines": NONE,
                },
            )
            tall += BAR * len(figure.labels)
        case "band":
            chart = _fan(book, sheet, name, figure, styles, right)
            across["num_format"] = "yyyy-mm"
            right += len(BAND) + 2
        case "column":
            chart = book.add_chart({"type": "column"})
            across["label_position"] = "low"
        case _:
            chart = book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    for each, colour in zip(figure.series, PAIRS.get(mark, ()), strict=False):
        references = _references(name, figure, each.column or 0)
        chart.add_series({**references, **_look(each, colour)})
    chart.set_title(titled(figure.title))
    chart.set_x_axis({**AXIS, **across})
    chart.set_y_axis({**AXIS, "major_gridlines": GRIDLINES, **up})
    below = {"position": "bottom", "font": FONT}
    chart.set_legend(below if len(figure.series) > 1 else {"none": True})
    chart.set_chartarea({"border": {"color": GRID}})
    chart.set_size({"width": WIDTH, "height": tall})
    about = {"object_position": 3, "description": legible(figure.caption)}
    sheet.insert_chart(1, right, chart, about)


def _references(name: str, figure: ChartFigure, column: int) -> dict[str, Any]:
    """Return the cells of a series: its title, the labels in the first column, and its numbers."""
    last = FIRST + len(figure.labels) - 1
    return {
        "name": [name, 1, column],
        "categories": [name, FIRST, 0, last, 0],
        "values": [name, FIRST, column, last, column],
    }


def _look(series: FigureSeries, colour: str) -> dict[str, Any]:
    """Return how a series looks; points that bring nothing are grey."""
    if series.mark == "bar":
        return {"fill": {"color": colour}, "overlap": 100, "gap": 30}
    if series.mark == "column":
        return {"fill": {"color": colour}, "gap": 20}
    filled = {"fill": {"color": colour}, "border": {"color": colour}}
    grey = {"fill": {"color": GRID}, "border": {"color": INK}}
    points = [grey if k in series.faint else None for k in range(len(series.values))]
    return {
        "line": {"color": colour, "width": 1.5},
        "marker": {"type": "circle", "size": 7, **filled},
        "points": points if series.faint else [],
    }


def _axis(axis: FigureAxis) -> dict[str, Any]:
    """Return an axis of numbers, with decimals only where they are small."""
    largest = axis.largest or 0.0
    found: dict[str, Any] = {
        "name": literal(axis.label),
        "num_format": short_format(largest, 2, "0"),
    }
    return found if axis.least is None else {**found, "min": axis.least}


def _fan(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    name: str,
    figure: ChartFigure,
    styles: Styles,
    right: int,
) -> Chart:
    """Draw bands as stacked areas, their widths in columns of their own, and a line over them."""
    chart = book.add_chart({"type": "area", "subtype": "stacked"})
    bands = [each for each in figure.series if each.column is None]
    for c, each in enumerate(bands, right):
        put(sheet, 1, c, each.name, styles.header)
        shown = styles(drawn_format(each.values))
        for r, number in enumerate(each.values, FIRST):
            put(sheet, r, c, number, shown)
        beneath = each.role == "beneath"
        fill = {"none": True} if beneath else {"color": BAND[c - right - 1]}
        chart.add_series({**_references(name, figure, c), "fill": fill})
    over = book.add_chart({"type": "line"})
    for each in figure.series:
        if each.column is not None:
            references = _references(name, figure, each.column)
            over.add_series({**references, "line": {"color": LINE, "width": 2.25}})
    chart.combine(over)
    return chart


# --- Runs -----------------------------------------------------------------------------------------


def _runs(sheet: Worksheet, styles: Styles, figure: TableFigure) -> None:
    """Write one row a run."""
    for c, column in enumerate(figure.columns):
        put(sheet, 0, c, column.title, styles.header)
    shares = [each.precision.unit == "1" for each in figure.columns]
    share, plain = styles("0.000 %"), FigureColumn("")
    for row, line in enumerate(figure.lines, 1):
        for c, value in enumerate(line.values):
            style = share if shares[c] else styles(_format(value, plain))
            put(sheet, row, c, value, style)
    last = len(figure.columns) - 1
    for c, width in enumerate(ACROSS):
        sheet.set_column(c, c, width)
    sheet.set_column(len(ACROSS), last, WIDE)
    sheet.set_row(0, 45)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(figure.lines)), last)
    set_print(sheet)
