"""The workbook of a comparison: figures, decisions and scenarios of plans side by side, in colour where they differ."""

from __future__ import annotations

import datetime as dt
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from optimiser.comparison import DECISIONS, FIGURES, SAME, SCENARIOS, Compared, Value
from optimiser.workbook.files import Kind, about, check_target, replace
from optimiser.workbook.result_sheets import set_print
from optimiser.workbook.styles import DATE, OPTIONS, Styles, number_format, put, writable

MORE, LESS, OTHER = "#FFC7CE", "#C6EFCE", "#FFEB9C"
TITLES = {
    "What": "what is compared",
    "Of": "heading, scenario, contract, project, offer, outlet or supplier",
    "Unit": "unit of the amounts",
    "Differs": "whether a plan differs from the first",
}
MEANING = {
    FIGURES: "red: costs or misses more than the first plan; green: less; yellow: other",
    SCENARIOS: "red: costs or misses more than in the first plan; green: less; yellow: other",
    DECISIONS: "yellow: other than in the first plan. Amounts are what is expected over the scenarios",
}
FIRST = len(TITLES)  # the column of the first plan


@dataclass(frozen=True)
class Column:
    """A plan by its name, and what there is to say about it."""

    name: str
    about: Mapping[str, str]


def write(plans: Sequence[Column], rows: Sequence[Compared], units: Mapping[str, str], notes: Sequence[str], path: Path) -> None:
    """Write a comparison to `path` (.xlsx), in place of what stands there. Raises OutputError; then nothing has changed."""
    check_target(path, Kind.COMPARISON)
    replace(path, compose(plans, rows, units, notes))


def compose(plans: Sequence[Column], rows: Sequence[Compared], units: Mapping[str, str], notes: Sequence[str]) -> bytes:
    """The workbook, as its file holds it."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        book.set_properties(about(Kind.COMPARISON, "Plans compared"))
        styles = Styles(book)
        for part in (FIGURES, DECISIONS, SCENARIOS):
            _part(book.add_worksheet(part), styles, part, [each.name for each in plans], [row for row in rows if row.part == part], units)
        _about(book.add_worksheet("plans"), styles, plans, notes)
    return target.getvalue()


def _part(sheet: Worksheet, styles: Styles, part: str, names: Sequence[str], rows: Sequence[Compared], units: Mapping[str, str]) -> None:
    differences = {f"{name}, less the first": f"{name} less {names[0]}" for name in names[1:]}
    notes = [*TITLES.values(), *(f"{name}. {MEANING[part]}" for name in names), *differences.values()]
    for c, (title, note) in enumerate(zip([*TITLES, *names, *differences], notes, strict=True)):
        put(sheet, 0, c, title, styles.header)
        sheet.write_comment(0, c, writable(note), {"x_scale": 2, "y_scale": 0.6, "font_size": 9})
    for r, row in enumerate(rows, start=1):
        for c, told in enumerate((row.what, row.of, units.get(row.unit, ""), "yes" if row.differs else "no")):
            put(sheet, r, c, told, styles())
        for c, value in enumerate(row.values, start=FIRST):
            put(sheet, r, c, value, styles(_format(row, value), align="right"))
        for k, value in enumerate(row.values[1:], start=1):
            first = row.values[0]
            if isinstance(value, (int, float)) and isinstance(first, (int, float)):
                formula = f"={xl_rowcol_to_cell(r, FIRST + k)}-{xl_rowcol_to_cell(r, FIRST)}"
                sheet.write_formula(r, FIRST + len(names) + k - 1, formula, styles(_format(row, value)), value - first)
    _colour(sheet, styles, rows, len(names))
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 26)
    sheet.set_column(2, 3, 9)
    sheet.set_column(FIRST, FIRST + 2 * len(names) - 2, 22)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, FIRST)
    sheet.autofilter(0, 0, max(1, len(rows)), FIRST + 2 * len(names) - 2)
    set_print(sheet)


def _format(row: Compared, value: Value) -> str:
    if isinstance(value, dt.date):
        return DATE
    if row.unit == "1":
        return "0.000 %"
    return number_format(row.unit, row.values) if isinstance(value, (int, float)) else ""


def _colour(sheet: Worksheet, styles: Styles, rows: Sequence[Compared], plans: int) -> None:
    """Conditional formats, which follow the cells when an officer changes them: one for each run of rows that are told alike."""
    r, first, other = 1, xl_col_to_name(FIRST), xl_col_to_name(FIRST + 1)
    for (costly, noise), run in itertools.groupby(rows, lambda row: (row.costly, row.noise)):
        last = r + len(list(run)) - 1
        a, b = f"${first}{r + 1}", f"{other}{r + 1}"
        far, amounts = f"MAX({noise:.6G},{SAME:.6f}*MAX(ABS({a}),ABS({b})))", f"ISNUMBER({a}),ISNUMBER({b})"
        worse, less = f"IF(AND({amounts}),{b}-{a}>{far},FALSE)", f"IF(AND({amounts}),{a}-{b}>{far},FALSE)"
        differs = f"IF(AND({amounts}),ABS({b}-{a})>{far},NOT(EXACT({a},{b})))"
        for formula, colour in ((worse, MORE), (less, LESS), (differs, OTHER)) if costly else ((differs, OTHER),):
            shown = styles.book.add_format({"bg_color": colour})
            told = {"type": "formula", "criteria": f"={formula}", "format": shown, "stop_if_true": True}
            sheet.conditional_format(r, FIRST + 1, last, FIRST + plans - 1, told)
        r = last + 1


def _about(sheet: Worksheet, styles: Styles, plans: Sequence[Column], notes: Sequence[str]) -> None:
    """Where each plan comes from, and what is to be said of it."""
    for c, title in enumerate(("plan", *plans[0].about)):
        put(sheet, 0, c, title.capitalize(), styles.header)
    for r, plan in enumerate(plans, start=1):
        for c, value in enumerate((plan.name, *plan.about.values())):
            put(sheet, r, c, value, styles())
    for r, note in enumerate(notes, start=len(plans) + 2):
        put(sheet, r, 0, note, styles())
    sheet.set_column(0, len(plans[0].about), 26)
    sheet.freeze_panes(1, 1)
    set_print(sheet)
