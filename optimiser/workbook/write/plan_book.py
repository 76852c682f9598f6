"""A plan as a workbook, for the officer who acts on it: sheets to filter, a summary with live
totals, native charts.

Written with XlsxWriter, which draws native charts and stores the value of a formula with it. The
file stands there whole or not at all.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from pathlib import Path

import xlsxwriter

from optimiser.figures import of_plan
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.plan.plan import WRITERS, Plan
from optimiser.workbook.write import scenario_sheet
from optimiser.workbook.write.ownership import Kind, about, check_target, refuse_foreign, replace
from optimiser.workbook.write.result_sheets import add_table, list_pairs, tables
from optimiser.workbook.write.scenario_sheet import add_scenario_sheet, scenarios
from optimiser.workbook.write.sheet_links import SheetLinks
from optimiser.workbook.write.styles import OPTIONS, Styles, legible, text
from optimiser.workbook.write.summary_sheet import add_summary
from optimiser.workbook.write.table_sheet import FormulaSheet


def write(plan: Plan, path: Path) -> None:
    """Write the plan to `path` (.xlsx), in place of what stands there.

    Raises OutputError; then nothing has changed.
    """
    check_target(path)
    replace(path, compose(plan))


def save(plan: Plan, path: Path, force: bool = False) -> None:
    """Write the plan, but not in place of a file that is none, unless by `force`.

    Raises OutputError; then nothing has changed.
    """
    check_target(path)
    refuse_foreign(path, Kind.PLAN, force)
    write(plan, path)


WRITERS[".xlsx"] = save


def compose(plan: Plan) -> bytes:
    """Return the workbook of a plan, as its file holds it."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        _describe(book, plan)
        rows = PlanRows(plan)
        styles, found, figures = Styles(book), tables(rows), of_plan.figures_of(rows)
        summary = book.add_worksheet("summary")
        links, chosen = SheetLinks(found), None
        for place, table in enumerate(found.values()):
            add_table(book, styles, plan, table, links)
            if place == 0 and scenarios(plan):  # behind what is to be signed
                chosen = book.add_worksheet(scenario_sheet.SHEET, FormulaSheet)
        list_pairs(book.add_worksheet("run"), styles, plan.run)
        add_summary(book, summary, styles, plan, figures, found)
        if chosen is not None:
            rows_of = book.add_worksheet(scenario_sheet.ROWS, FormulaSheet)
            add_scenario_sheet(chosen, rows_of, styles, plan, found)
        summary.activate()
    return target.getvalue()


def _describe(book: xlsxwriter.Workbook, plan: Plan) -> None:
    """Set the document properties; the date is the run's, so that one plan makes one file."""
    comments = (
        f"{name}: {legible(text(plan.run[name]))}"
        for name in ("input", "input sha256", "changes")
        if plan.run.get(name)
    )
    properties = about(
        Kind.PLAN,
        legible(plan.title) or "Stockpile plan",
        f", {plan.status}",
        comments="; ".join(comments),
    )
    with contextlib.suppress(ValueError):  # a plan of another program may have no date
        properties["created"] = dt.datetime.fromisoformat(
            str(plan.run.get("planned at", "")).removesuffix(" UTC")
        )
    book.set_properties(properties)
    book.set_calc_mode("auto")
