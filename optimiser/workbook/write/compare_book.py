"""The workbook of a comparison: figures, decisions and scenarios of plans side by side, in colour
where they differ."""

from __future__ import annotations

import datetime as dt
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from optimiser.comparison.compared import DECISIONS, FIGURES, SAME, SCENARIOS
from optimiser.figures.of_comparison.side_by_side import FIRST, ComparedLine, ComparisonPart
from optimiser.figures.origins import RowDifference
from optimiser.workbook.write.formulas import Formulas
from optimiser.workbook.write.ownership import Kind, about, check_target, replace
from optimiser.workbook.write.styles import (
    DATE,
    OPTIONS,
    Styles,
    precise,
    put,
    set_print,
    writable,
)

ORDER = (FIGURES, DECISIONS, SCENARIOS)  # of the sheets; others stand behind them
MORE, LESS, OTHER = "#FFC7CE", "#C6EFCE", "#FFEB9C"


@dataclass(frozen=True)
class PlanColumn:
    """A plan by its name, with notes on it."""

    name: str
    about: Mapping[str, str]


def write(
    plans: Sequence[PlanColumn],
    figures: Mapping[str, ComparisonPart],
    notes: Sequence[str],
    path: Path,
) -> None:
    """Write a comparison to `path` (.xlsx), in place of what stands there. Raises OutputError; then
    nothing has changed."""
    check_target(path, Kind.COMPARISON)
    replace(path, compose(plans, figures, notes))


def compose(
    plans: Sequence[PlanColumn],
    figures: Mapping[str, ComparisonPart],
    notes: Sequence[str],
) -> bytes:
    """Return the workbook, as its file holds it."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        book.set_properties(about(Kind.COMPARISON, "Plans compared"))
        styles = Styles(book)
        for name in (*ORDER, *(each for each in figures if each not in ORDER)):
            _part(book.add_worksheet(name), styles, figures[name])
        _about(book.add_worksheet("plans"), styles, plans, notes)
    return target.getvalue()


def _part(sheet: Worksheet, styles: Styles, figure: ComparisonPart) -> None:
    """Write a part: one row a line, the differences as formulas."""
    for c, column in enumerate(figure.columns):
        put(sheet, 0, c, column.title, styles.header)
        note = {"x_scale": 2, "y_scale": 0.6, "font_size": 9}
        sheet.write_comment(0, c, writable(column.meaning), note)
    formulas, last = Formulas({}), len(figure.columns) - 1
    for r, line in enumerate(figure.lines, start=1):
        for c, value in enumerate(line.values):
            if isinstance(value, RowDifference):
                formula = f"={formulas.of(value, 1, r)}"
                sheet.write_formula(r, c, formula, styles(_format(line, value.value)), value.value)
            elif c < FIRST:
                put(sheet, r, c, value, styles())
            else:
                put(sheet, r, c, value, styles(_format(line, value), align="right"))
    _colour(sheet, styles, figure.lines, len(figure.plans))
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 26)
    sheet.set_column(2, 3, 9)
    sheet.set_column(FIRST, last, 22)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, FIRST)
    sheet.autofilter(0, 0, max(1, len(figure.lines)), last)
    set_print(sheet)


def _format(line: ComparedLine, value: object) -> str:
    if isinstance(value, dt.date):
        return DATE
    precision = line.precisions[0]
    return precise(precision) if precision.unit == "1" or isinstance(value, (int, float)) else ""


def _colour(sheet: Worksheet, styles: Styles, lines: Sequence[ComparedLine], plans: int) -> None:
    """Write conditional formats, which follow the cells when an officer changes them: one for each
    run of lines that are judged alike."""
    r, first, other = 1, xl_col_to_name(FIRST), xl_col_to_name(FIRST + 1)
    for (costly, noise), run in itertools.groupby(lines, lambda line: (line.costly, line.noise)):
        last = r + len(list(run)) - 1
        a, b = f"${first}{r + 1}", f"{other}{r + 1}"
        for formula, colour in _rules(a, b, costly, noise):
            shown = styles.book.add_format({"bg_color": colour})
            rule = {"type": "formula", "criteria": f"={formula}", "format": shown}
            area = (r, FIRST + 1, last, FIRST + plans - 1)
            sheet.conditional_format(*area, {**rule, "stop_if_true": True})
        r = last + 1


def _rules(a: str, b: str, costly: bool, noise: float) -> list[tuple[str, str]]:
    """Return the conditions on two cells, with their colours."""
    far = f"MAX({noise:.6G},{SAME:.6f}*MAX(ABS({a}),ABS({b})))"
    amounts = f"ISNUMBER({a}),ISNUMBER({b})"
    worse = f"IF(AND({amounts}),{b}-{a}>{far},FALSE)"
    less = f"IF(AND({amounts}),{a}-{b}>{far},FALSE)"
    differs = f"IF(AND({amounts}),ABS({b}-{a})>{far},NOT(EXACT({a},{b})))"
    return [*([(worse, MORE), (less, LESS)] if costly else []), (differs, OTHER)]


def _about(
    sheet: Worksheet, styles: Styles, plans: Sequence[PlanColumn], notes: Sequence[str]
) -> None:
    """Write where each plan comes from, and the notes on it."""
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
