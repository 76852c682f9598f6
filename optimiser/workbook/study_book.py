"""The workbook of studies: what each answers with native charts, and one row for every run."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimiser.studies.case import Result
from optimiser.studies.kinds.asked import Table, figure
from optimiser.studies.runner import Ran
from optimiser.workbook.charts import AXIS, COLOURS, FONT, GRID, GRIDLINES, INK, LINE
from optimiser.workbook.files import Kind, about, check_target, replace
from optimiser.workbook.result_sheets import list_pairs, set_print
from optimiser.workbook.styles import DATE, LONGEST_TEXT, OPTIONS, SHARE, Styles, legible, literal, put, text
from stockpile_model.block import tallies
from stockpile_model.tables import Settings

MOST_DECISIONS = 40  # columns of the sheet runs
MOST_BARS = 25  # of a tornado that are drawn
MOST_RUNS = 1_000_000
MOST_INPUTS = 1_000  # columns of the sheet runs
COMPLETE = "complete"  # how studies ended, on the sheet run
WEIGHTY = ("chosen", "ever", "sum")  # how decisions are counted, the most weighty first
FIRST = 2  # row below the title and the header of an answer
WIDTH, HEIGHT = 900, 420  # pixels
LOW, HIGH = "#2E86C1", "#E67E22"
WARNING = "#C0392B"
LINE_HEIGHT = 15  # points
NONE = {"visible": False}
BAND = ("#D6E4F0", "#9DC3E6", "#9DC3E6", "#D6E4F0")


@dataclass(frozen=True)
class Answered:
    """A study with its answers and runs. `noted` are the figures that are not nothing in some run; `inputs` the titles of its inputs by
    their names; `kept` says how many runs came from the record."""

    name: str
    kind: str
    tables: Sequence[Table]
    runs: Sequence[Ran]
    noted: Sequence[str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    kept: int = 0


Find = Callable[[str], Result | None]


def write(answers: Sequence[Answered], find: Find, told: Mapping[str, object], settings: Settings, path: Path) -> None:
    """Write the studies to `path` (.xlsx), in place of what stands there. Raises OutputError; then nothing has changed."""
    check_target(path, Kind.STUDY)
    replace(path, compose(answers, find, told, settings))


def compose(answers: Sequence[Answered], find: Find, told: Mapping[str, object], settings: Settings) -> bytes:
    """The workbook, as its file holds it. `find` gives the result of a run by its key."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = legible(settings.title) or "Stockpile"
        book.set_properties(about(Kind.STUDY, f"{title}: studies"))
        styles = Styles(book)
        summary = book.add_worksheet("summary")
        incomplete = told.get("ended", COMPLETE) != COMPLETE
        for number, each in enumerate(answers, 1):
            for table in each.tables:
                _answer(book, styles, f"{number} {table.name}"[:31], each.name, table)
        counts = _runs(book.add_worksheet("runs"), styles, answers, find, settings)
        _summary(summary, styles, answers, counts, title, incomplete)
        list_pairs(book.add_worksheet("run"), styles, told)
        summary.activate()
    return target.getvalue()


def _summary(
    sheet: Worksheet, styles: Styles, answers: Sequence[Answered], counts: Sequence[Mapping[str, int]], title: str, incomplete: bool
) -> None:
    put(sheet, 0, 0, f"{title}: studies", styles(bold=True, font_size=14))
    if incomplete:
        put(sheet, 1, 0, "INCOMPLETE: interrupted before all runs had ended", styles(bold=True, font_color=WARNING))
    for c, name in enumerate(("Study", "Kind", "Runs", "From the record", "How they ended", "Answer")):
        sheet.write_string(2, c, name, styles.header)
    row = 3
    for each, count in zip(answers, counts, strict=True):
        ended = ", ".join(f"{number:,} {status}" for status, number in count.items())
        for k, table in enumerate(each.tables):
            for c, value in enumerate((each.name, each.kind, len(each.runs), each.kept, ended) if k == 0 else ()):
                put(sheet, row, c, value, styles("#,##0" if c in (2, 3) else "", text_wrap=c == 4, valign="top"))
            put(sheet, row, 5, table.said, styles(text_wrap=True, valign="top"))
            sheet.set_row(row, LINE_HEIGHT * (1 + len(table.said) // 95))
            row += 1
    for c, width in enumerate((26, 14, 10, 10, 34, 95)):
        sheet.set_column(c, c, width)
    sheet.freeze_panes(3, 0)
    set_print(sheet)


def _answer(book: xlsxwriter.Workbook, styles: Styles, name: str, study: str, table: Table) -> None:
    sheet = book.add_worksheet(name)
    wide = 0.0
    for c, title in enumerate(table.header):
        put(sheet, 1, c, _title(title), styles.header)
        longest = max((len(_shown(row[c])) for row in table.rows if c < len(row)), default=0)
        width = min(max(11, longest + 2, len(title) / 2 + 3), 60)
        wide += width
        sheet.set_column(c, c, width)
    said = f"{study}: {table.said}"
    put(sheet, 0, 0, said, styles(bold=True, text_wrap=len(table.header) > 1, valign="top"))
    if len(table.header) > 1:
        sheet.merge_range(0, 0, 0, len(table.header) - 1, text(said)[:LONGEST_TEXT], styles(bold=True, text_wrap=True, valign="top"))
        sheet.set_row(0, LINE_HEIGHT * (1 + int(len(said) * 1.1 / wide)))
    for r, row in enumerate(table.rows, FIRST):
        for c, value in enumerate(row):
            put(sheet, r, c, value, styles(_format(value, table.header[c] if c < len(table.header) else "")))
    sheet.set_row(1, 45)
    sheet.freeze_panes(FIRST, 1)
    if table.rows:
        if table.chart != "heat":
            sheet.autofilter(1, 0, len(table.rows) + 1, len(table.header) - 1)
        _draw(book, sheet, name, table, styles)
    set_print(sheet)


def _title(title: str) -> str:
    """A title with a capital, where it begins with a word and not with a symbol or the name of a cell."""
    return title[:1].upper() + title[1:] if re.match(r"[a-z]+(?![\w.\[])", title) else title


def _shown(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else "" if value is None else str(value)


def _format(value: object, title: str) -> str:
    if isinstance(value, dt.date):
        return DATE
    if not isinstance(value, float):
        return ""
    if title.startswith("more than the best"):
        return SHARE
    return "#,##0" if abs(value) >= 1000 else "0.####"


# --- Charts -----------------------------------------------------------------------------------------------------------


def _draw(book: xlsxwriter.Workbook, sheet: Worksheet, name: str, table: Table, styles: Styles) -> None:
    last, right = FIRST + len(table.rows) - 1, len(table.header) + 1

    def series(column: int, **rest: Any) -> dict[str, Any]:
        end = min(last, FIRST + MOST_BARS - 1) if table.chart in ("tornado", "columns") else last
        return {
            "name": [name, 1, column],
            "categories": [name, FIRST, 0, end, 0],
            "values": [name, FIRST, column, end, column],
            **rest,
        }

    across: dict[str, Any] = {"name": literal(table.header[0]), "num_format": _scale(table, (0,))}
    up: dict[str, Any] = {"name": literal(table.axis), "num_format": _scale(table, table.drawn)}
    match table.chart:
        case "tornado":
            # XlsxWriter takes what lies along the bottom for the x axis, of bars too. The longest bar stands first, and on top.
            chart = book.add_chart({"type": "bar"})
            for column, colour in zip(table.drawn, (LOW, HIGH), strict=False):
                chart.add_series(series(column, fill={"color": colour}, overlap=100, gap=30))
            across, up = (
                {**up, "major_gridlines": GRIDLINES},
                {"reverse": True, "label_position": "low", "crossing": "max", "major_gridlines": NONE},
            )
        case "heat":
            colours = {"min_color": "#63BE7B", "mid_color": "#FFEB84", "max_color": "#F8696B"}
            sheet.conditional_format(FIRST, 1, last, len(table.header) - 1, {"type": "3_color_scale", **colours})
            return
        case "frontier" | "line":
            chart = book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
            points: list[Any] = []
            if table.chart == "frontier":
                grey = {"fill": {"color": GRID}, "border": {"color": INK}}
                points = [grey if row[4] else None for row in table.rows]
            for column, colour in zip(table.drawn, (COLOURS[0], HIGH), strict=False):
                marker = {"type": "circle", "size": 7, "fill": {"color": colour}, "border": {"color": colour}}
                chart.add_series(series(column, line={"color": colour, "width": 1.5}, marker=marker, points=points))
        case "fan":
            chart = _fan(book, sheet, name, table, styles, right)
            across["num_format"] = "yyyy-mm"
            right += len(BAND) + 2
            up["min"] = 0
        case "columns":
            chart = book.add_chart({"type": "column"})
            for column, colour in zip(table.drawn, (COLOURS[1], HIGH), strict=False):
                chart.add_series(series(column, fill={"color": colour}, gap=20))
            across["label_position"] = "low"
        case _:
            return
    chart.set_title({"name": literal(_title(table.name)), "overlay": False, "name_font": {"size": 13, "bold": True, "color": INK}})
    chart.set_x_axis({**AXIS, **across})
    chart.set_y_axis({**AXIS, "major_gridlines": GRIDLINES, **up})
    chart.set_legend({"position": "bottom", "font": FONT} if len(table.drawn) > 1 or table.chart == "fan" else {"none": True})
    chart.set_chartarea({"border": {"color": GRID}})
    tall = HEIGHT + 12 * min(len(table.rows), MOST_BARS) if table.chart == "tornado" else HEIGHT
    chart.set_size({"width": WIDTH, "height": tall})
    sheet.insert_chart(1, right, chart, {"object_position": 3, "description": legible(table.said)})


def _scale(table: Table, columns: Sequence[int]) -> str:
    """The number format of an axis: decimals only where its numbers are small."""
    numbers = (abs(figure(row[c])) for row in table.rows for c in columns if c < len(row))
    largest = max((each for each in numbers if math.isfinite(each)), default=0.0)
    return "#,##0" if largest >= 100 else "0.##" if largest >= 1 else "0.####"


def _fan(book: xlsxwriter.Workbook, sheet: Worksheet, name: str, table: Table, styles: Styles, right: int) -> Any:
    """Bands between quantiles as stacked areas, their widths in columns of their own, and the median as a line."""
    last = FIRST + len(table.rows) - 1
    titles = ["below", *(f"{low} to {high}" for low, high in zip(table.header[1:], table.header[2:], strict=False))]
    for c, title in enumerate(titles, right):
        put(sheet, 1, c, title, styles.header)
        for r, row in enumerate(table.rows, FIRST):
            numbers = [float(str(value)) for value in row[1:]]
            put(sheet, r, c, numbers[0] if c == right else numbers[c - right] - numbers[c - right - 1], styles("#,##0"))
    chart = book.add_chart({"type": "area", "subtype": "stacked"})
    for c in range(len(titles)):
        fill = {"none": True} if c == 0 else {"color": BAND[c - 1]}
        chart.add_series(
            {
                "name": [name, 1, right + c],
                "categories": [name, FIRST, 0, last, 0],
                "values": [name, FIRST, right + c, last, right + c],
                "fill": fill,
            }
        )
    middle = 1 + (len(table.header) - 1) // 2
    line = book.add_chart({"type": "line"})
    line.add_series(
        {
            "name": [name, 1, middle],
            "categories": [name, FIRST, 0, last, 0],
            "values": [name, FIRST, middle, last, middle],
            "line": {"color": LINE, "width": 2.25},
        }
    )
    chart.combine(line)
    return chart


# --- Runs -------------------------------------------------------------------------------------------------------------


def _runs(sheet: Worksheet, styles: Styles, answers: Sequence[Answered], find: Find, settings: Settings) -> list[dict[str, int]]:
    """One row a run; how many runs of each study ended how."""
    decisions = [*dict.fromkeys(name for each in answers for name in each.noted if name not in ("shortfall", "waste", "cost"))]
    ranks = {tally.figure: WEIGHTY.index(tally.how) for tally in tallies() if tally.how in WEIGHTY}
    decisions = sorted(decisions, key=lambda name: ranks.get(name.split(" ")[0], len(WEIGHTY)))
    decisions = decisions[:MOST_DECISIONS]
    inputs = dict([pair for each in answers for pair in each.inputs.items()][:MOST_INPUTS])
    money, unit = settings.currency, settings.quantity_unit
    cost = "cost at the least shortfall" if settings.objective == "shortfall_first" else "cost"
    minimised = {
        "cost": f"{cost} [{money}]",
        "cvar": f"CVaR [{money}]",
        "shortfall": f"shortfall [{unit}]",
        "distance": "likeness to other plans [1]",
    }
    header = (
        *("Study", "Run", "For", "Changes", "Minimised", "Under", "Status", "Least found", "Proven bound", "Gap", "How", "Seconds"),
        *(f"Shortfall [{unit}]", f"Waste [{unit}]", "Message", *inputs.values(), *decisions),
    )
    for c, title in enumerate(header):
        put(sheet, 0, c, title, styles.header)
    share, plain = styles("0.000 %"), styles()
    row, counts = 0, []
    for each in answers:
        count: dict[str, int] = {}
        for k, ran in enumerate(each.runs, 1):
            result = find(ran.key) or Result("not run")
            count[result.status] = count.get(result.status, 0) + 1
            if row >= MOST_RUNS:
                continue
            row += 1
            values = (
                *(each.name, k, ran.note, ran.changes, minimised.get(ran.aim, ran.aim), ran.asked, result.status),
                *(result.objective, result.bound, result.gap, result.how, result.seconds),
                *(result.figures.get("shortfall"), result.figures.get("waste"), result.message),
                *(ran.values.get(name) for name in inputs),
                *(result.figures.get(name) for name in decisions),
            )
            for c, value in enumerate(values):
                style = share if c == 9 else styles(_format(value, "")) if c != 3 else plain
                put(sheet, row, c, value, style)
        counts.append(count)
    for c, width in enumerate((20, 7, 26, 50, 20, 26, 11, 15, 15, 9, 10, 10, 12, 12, 20)):
        sheet.set_column(c, c, width)
    sheet.set_column(15, len(header) - 1, 14)
    sheet.set_row(0, 45)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, row), len(header) - 1)
    set_print(sheet)
    return counts
