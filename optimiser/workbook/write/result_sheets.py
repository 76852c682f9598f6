"""One sheet for each type of result row, by reflection over its columns."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat, takewhile
from textwrap import wrap
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from optimiser.figures.column_units import unit_of
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.plan.plan import Plan
from optimiser.system.errors import OutputError
from optimiser.workbook.result_kinds import DATED, place, sheet_kinds
from optimiser.workbook.write.result_table import ResultTable
from optimiser.workbook.write.sheet_links import LinkedCells, SheetLinks
from optimiser.workbook.write.styles import (
    DATE,
    FACTOR,
    Styles,
    decimals,
    exact_formats,
    number_format,
    put,
    set_print,
    text,
)
from optimiser.workbook.write.table_sheet import TableSheet
from stockpile_model.calendar import add_months
from stockpile_model.scale import NOISE
from stockpile_model.schema import Column, Dated, Result, on_sheet
from stockpile_model.values import unbracketed

NUMBERS = ("number", "whole")
PAGE_WIDTH, PAGE_ROWS = 230, 40  # digits across a page that can still be read, rows on it
WIDEST, WIDEST_SENTENCE = 60, 100  # widths, in digits
LINE_SENTENCE = 115  # characters of a sentence that go into the latter
# of sentences, texts and names that lead somewhere among what is printed on one page
WIDTH_OF_WHY, WIDTH_OF_NAMES, WIDTH_OF_LEADS = 38, 20, 30
LEAST_WIDTH = 24  # of a sentence at the end of a page
PADDING = 0.7  # digits that a column has around its width
HEADER, TIGHT_HEADER = (2, 4), (3, 2.5)  # lines, and the digits that a filter arrow takes
LINE_HEIGHT = 15  # points
LINKED = {"font_color": "#0563C1", "underline": 1}
FIRST, FAINT = "#EEF4E4", "#7F7F7F"  # the first part of a sheet, and what is a forecast
MOST_ROWS = 1_048_576 - 1
REST = ": {part}, {rows:,} of {height:,} rows; the rest is on screen"  # at the foot of a page
EXPECTED = "expected"  # in a title, where a figure is a mean over scenarios
WEIGHED = "× probability"  # in a title, where it adds up to that mean with those of other rows
WEIGHT = "probability"  # the column by which sums over scenarios weigh a row


def tables(rows: PlanRows) -> dict[type[Result], ResultTable]:
    """Return the tables of a plan in the order of its sheets; dated rows in the order of their
    dates.
    """
    kinds = dict.fromkeys([*(kind for kind in sheet_kinds() if kind.ALWAYS), *rows.plan.rows])
    return {kind: _table(kind, rows) for kind in sorted(kinds, key=place)}


def _table(kind: type[Result], rows: PlanRows) -> ResultTable:
    found = shown(kind, rows.scenarios)
    return ResultTable(
        kind, {each.name: rows.column(kind, each.name) for each in found}, rows.height(kind)
    )


def shown(kind: type[Result], scenarios: bool) -> list[Column]:
    """Return the columns of a sheet; those for the scenarios of a row only where there are any."""
    hidden = DATED if issubclass(kind, Dated) and not scenarios else ()
    return [each for each in on_sheet(kind, scenarios) if each.name not in hidden]


def add_table(
    book: xlsxwriter.Workbook,
    styles: Styles,
    plan: Plan,
    table: ResultTable,
    links: SheetLinks,
) -> None:
    """Write a table: row 1 is the header, each of its cells with the column's meaning as a
    comment.
    """
    if table.height > MOST_ROWS:
        raise OutputError(
            f"{table.sheet} would need {table.height:,} rows; a sheet holds {MOST_ROWS:,}: plan"
            " fewer periods or longer ones"
        )
    sheet = book.add_worksheet(table.sheet, TableSheet)
    found = shown(table.kind, bool(plan.stockpile.scenarios))
    widths = list[float]()
    for c in range(len(found)):
        room = PAGE_WIDTH - sum(widths) - (c + 1) * PADDING
        widths.append(_add_column(sheet, styles, plan, table, found, c, links, room))
    _set_page(sheet, plan, table, found, widths)
    sheet.set_row(0, LINE_HEIGHT * (TIGHT_HEADER if table.kind.ONE_ACROSS else HEADER)[0] + 2)
    sheet.freeze_panes(1, 2 if found[0].kind == "date" else 1)
    sheet.autofilter(0, 0, table.height, len(found) - 1)
    sheet.ignore_errors(
        {"number_stored_as_text": f"A1:{xl_col_to_name(len(found) - 1)}{table.height + 1}"}
    )


def _set_page(
    sheet: TableSheet,
    plan: Plan,
    table: ResultTable,
    found: Sequence[Column],
    widths: Sequence[float],
) -> None:
    """Set the page: what people act on up to its instruction, tables as wide as can be read."""
    last = _last_printed(table.kind, found)
    pages = 1 if table.kind.ONE_ACROSS else math.ceil(sum(widths[: last + 1]) / PAGE_WIDTH)
    rows, part = _printed(plan, table)
    set_print(sheet, wide=pages, part=part)
    sheet.repeat_rows(0)
    if pages > 1:
        sheet.repeat_columns(0)
    # a long note runs beyond its cell, not beyond the page
    sheet.print_area(0, 0, rows, last)


def _last_printed(kind: type[Result], found: Sequence[Column]) -> int:
    """Return the index of the last column that is printed."""
    names = [each.name for each in found]
    return names.index(kind.PRINTED) if kind.PRINTED in names else len(found) - 1


def _printed(plan: Plan, table: ResultTable) -> tuple[int, str]:
    """Return how many rows are printed, and what the foot of the page says of it.

    Of a sheet for programs it is a page. Of what people act on it is a year: by its end what comes
    later has been planned anew.
    """
    rows, part = table.height, "the beginning"
    if table.kind.FOR_PROGRAMS:
        rows = min(rows, PAGE_ROWS)
    elif table.kind.RENEWED:
        first = sum(1 for _ in takewhile(bool, _of_first_year(plan, table)))
        rows = max(min(rows, PAGE_ROWS), first)
        part = "the first year" if rows == first else part
    said = REST.format(part=part, rows=rows, height=table.height)
    return rows, "" if rows == table.height else said


def _of_first_year(plan: Plan, table: ResultTable) -> Iterator[bool]:
    """Yield of each row whether it is of the first year: by its date, or by its fiscal year.

    What is of no fiscal year is of the whole horizon.
    """
    calendar = plan.stockpile.calendar
    end = add_months(plan.stockpile.settings.start, 12)
    if "date" in table.values:
        yield from (day < end for day in table.values["date"])
        return
    periods = takewhile(lambda t: calendar.begin(t) < end, range(calendar.periods))
    years = {f"FY{calendar.fiscal_year(t)}" for t in periods}
    yield from (year is None or year in years for year in table.values["fiscal_year"])


def _add_column(
    sheet: TableSheet,
    styles: Styles,
    plan: Plan,
    table: ResultTable,
    found: Sequence[Column],
    c: int,
    links: SheetLinks,
    room: float,
) -> float:
    """Write the column with an index: header, values, the height of rows with long sentences.

    Returns its width. `room` is what those before it leave of a page across: the sentence that ends
    it has that, within limits.
    """
    column, header = found[c], title(found[c], plan, issubclass(table.kind, Dated))
    sheet.write_string(0, c, header, styles.header)
    sheet.write_comment(0, c, column.meaning, {"x_scale": 2, "y_scale": 0.6, "font_size": 9})
    values = table.values[column.name]
    if column.name == "unit":
        values = [unit_of(value, plan.unit, plan.currency) for value in values]
    formats, places = None, 2
    if column.kind in NUMBERS and _acted_on(column, found):
        formats = exact_formats(column.unit, values)
        places = max(map(decimals, formats), default=0)
    tight = table.kind.ONE_ACROSS and c <= _last_printed(table.kind, found)
    width = _width(column, header, values, places, tight)
    squeezed = tight and column.kind == "text"
    if squeezed:
        width = min(width, _most(table.kind, found, c, room))
    sheet.set_column(c, c, width)
    gap = c > 0 and found[c - 1].kind in NUMBERS
    looks = map(styles, formats) if formats else _styles(styles, column, table, plan, gap)
    linked, line = links.of(table, column), round(width * LINE_SENTENCE / WIDEST_SENTENCE)
    if squeezed:
        looks = map(styles.more, looks, repeat({"text_wrap": True}))
        linked = [each for each in linked if not _any_wraps(values, each, line)]
    if linked:
        for each in linked:
            sheet.link(c, *each)
        looks = map(styles.more, looks, _blue(linked, table.height))
    parted = bool(table.kind.PARTED)
    if parted:
        looks = map(styles.more, looks, _marks(table))
    sheet.put_column(c, values, looks, lined=parted)
    if column.sentence or squeezed:
        _heighten(sheet, values, line)
    if column.alarm and values:
        alarm = {
            "type": "cell",
            "criteria": ">",
            "value": NOISE * plan.stockpile.scale.of(column.unit),
            "format": styles.book.add_format({"bg_color": "#FFE699"}),
        }
        sheet.conditional_format(1, c, len(values), c, alarm)
    return width


def _most(kind: type[Result], found: Sequence[Column], c: int, room: float) -> float:
    """Return the most that a text may take of the one page across on which it is printed."""
    if not found[c].sentence:
        return WIDTH_OF_LEADS if found[c].leads and not found[c].several else WIDTH_OF_NAMES
    return max(LEAST_WIDTH, room) if c == _last_printed(kind, found) else WIDTH_OF_WHY


def _wraps(value: object, line: int) -> bool:
    """Return whether a text needs more than a line, on which not every program writes a link."""
    return isinstance(value, str | tuple) and (len(text(value)) > line or "\n" in text(value))


def _any_wraps(values: Sequence[Any], cells: LinkedCells, line: int) -> bool:
    first, last, _ = cells
    return any(_wraps(value, line) for value in values[first : last + 1])


def _heighten(sheet: TableSheet, values: Sequence[object], line: int) -> None:
    """Give the rows of texts that wrap their height: not every program fits it by itself."""
    for r, value in enumerate(values, start=1):
        if _wraps(value, line):
            lines = sum(max(1, len(wrap(each, line))) for each in text(value).split("\n"))
            sheet.set_row_height(r, LINE_HEIGHT * lines)


def _blue(linked: Iterable[LinkedCells], height: int) -> list[dict[str, Any]]:
    """Return what marks each cell of a column that leads somewhere."""
    found: list[dict[str, Any]] = [{}] * height
    for first, last, _ in linked:
        found[first : last + 1] = [LINKED] * (last + 1 - first)
    return found


def _marks(table: ResultTable) -> Iterator[dict[str, Any]]:
    """Yield what marks each row of a sheet in parts: a line above each part, the first in colour.

    What is no more than a forecast is grey.
    """
    values, before = table.values[table.kind.PARTED], None
    statuses = table.values.get("status") or repeat("")
    for value, status in zip(values, statuses, strict=False):
        marks: dict[str, Any] = {"bottom": 4, "bottom_color": FAINT}
        marks |= {} if value == before else {"top": 2}
        marks |= {"bg_color": FIRST} if value == values[0] else {}
        yield marks | ({"font_color": FAINT, "italic": True} if status == "indicative" else {})
        before = value


def list_pairs(sheet: Worksheet, styles: Styles, pairs: Mapping[str, object]) -> None:
    """Write a sheet of names and values: what is needed to repeat a run."""
    for c, name in enumerate(("Name", "Value")):
        sheet.write_string(0, c, name, styles.header)
    for r, (name, value) in enumerate(pairs.items(), start=1):
        put(sheet, r, 0, name, styles())
        put(sheet, r, 1, value, styles(align="left"))
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 80)
    sheet.freeze_panes(1, 1)
    set_print(sheet)


def title(column: Column, plan: Plan, parted: bool = False) -> str:
    """Return the readable form of a column's name with its unit; read back, it equals the name
    (workbook contract, rule 2).

    With scenarios it says where figures are expected over them, but for a name that says so itself.
    Where they are `parted` into rows it says what is weighed with the probability of its row.
    """
    unit = (
        "" if " or " in column.unit else unit_of(column.unit, plan.unit, plan.currency)
    )  # else the row says which
    if column.weighed and plan.stockpile.scenarios and EXPECTED not in column.name:
        parts = parted and column.adds_up
        unit = f"{unit} {WEIGHED}".lstrip() if parts else f"{unit}, {EXPECTED}".lstrip(", ")
    if column.kind == "date" and column.name == "date":
        unit = "period begins; stock at its end" if column.at_end else "period begins"
    name = column.name.replace("_", " ")
    return name[0].upper() + name[1:] + (f" [{unbracketed(unit)}]" if unit else "")


def _styles(
    styles: Styles, column: Column, table: ResultTable, plan: Plan, gap: bool
) -> Iterable[Format]:
    """Return the format of each cell; with a `gap` text is indented from the number before it.

    Where the unit of a column differs from row to row, another column holds it.
    """
    values = table.values[column.name]
    if " or " in column.unit:
        names = {plan.unit: "quantity", plan.currency: "money", "share": "1", "spend": "money"}
        said = table.values.get("unit") or table.values.get("measure") or ()
        units = [names.get(unit.partition(" x ")[0], unit) for unit in said]  # kg x period
        of = defaultdict[str, list[Any]](list)
        for unit, value in zip(units, values, strict=True):
            of[unit].append(value)
        by_unit = {unit: styles(number_format(unit, own)) for unit, own in of.items()}
        return [by_unit[unit] for unit in units]
    if column.name == "value":  # of any kind
        return [
            styles(DATE if isinstance(value, dt.date) else "", align="left") for value in values
        ]
    if column.kind == "date":
        style = styles(DATE, align="center")
    elif column.name == "factor":
        style = styles(FACTOR)
    elif column.kind in NUMBERS:
        style = styles(number_format(column.unit, values))
    else:
        style = styles(text_wrap=column.sentence, indent=1 if gap else 0)
    return repeat(style)


def _acted_on(column: Column, others: Sequence[Column]) -> bool:
    """Return whether a column holds quantities or money of a sheet with instructions: its cells
    show every digit.
    """
    return column.unit in ("quantity", "money", "money/quantity", "quantity or times") and any(
        each.name in ("instruction", "planned") for each in others
    )


def _width(column: Column, header: str, values: Sequence[Any], places: int, tight: bool) -> float:
    """Return a width for every value, and for the header on its lines next to the filter arrow."""
    lines, beside = TIGHT_HEADER if tight else HEADER
    longest = max(map(len, header.split(" ")))
    heading = max(longest, math.ceil(len(header) / lines)) + beside
    if column.kind == "date":
        content = 10
    elif column.kind in NUMBERS:
        largest = max(filter(math.isfinite, map(abs, filter(None, values))), default=0.0)
        content = len(f"{largest:,.{places}f}") + 1
    else:
        content = max((len(str(v)) for v in set(values) if v is not None), default=0)
    return min(max(heading, content + 1.5), WIDEST_SENTENCE if column.sentence else WIDEST)
