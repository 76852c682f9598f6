"""A plan as a workbook, for the officer who acts on it: sheets to filter, a summary with live totals, native charts.

Written with XlsxWriter, which draws native charts and stores the value of a formula beside it. The file stands there
whole or not at all.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import xlsxwriter

from optimiser.errors import OutputError
from optimiser.plan import Plan
from optimiser.workbook.charts import add_charts
from optimiser.workbook.result_sheets import add_table, set_print, tables
from optimiser.workbook.styles import Styles, legible, put, text
from optimiser.workbook.summary import add_summary

OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write(plan: Plan, path: Path) -> None:
    """Write the plan to `path` (.xlsx), in place of what stands there. Raises OutputError; then nothing has changed."""
    check_target(path)
    replace(path, compose(plan))


def check_target(path: Path) -> None:
    """Raise OutputError where a workbook could not be written to `path`: to be told before a long search, not after it."""
    folder = path.resolve().parent
    if path.suffix.lower() != ".xlsx":
        raise OutputError(f"{path}: a workbook is written as .xlsx; choose a name that ends so")
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}; make it or choose another")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; choose the name of a file")
    try:
        # Rights tell less than an attempt: access lists, full or read-only disks, network drives.
        with tempfile.TemporaryFile(dir=folder):
            pass
        if path.exists():
            with path.open("r+b"):
                pass
    except OSError as reason:
        raise _refused(path, reason) from reason


def same_file(path: Path, source: Path) -> bool:
    """Whether two paths mean one file."""
    return path.resolve() == source.resolve() or (path.exists() and source.exists() and path.samefile(source))


def compose(plan: Plan) -> bytes:
    """The workbook of a plan, as its file holds it."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        _describe(book, plan)
        styles, found = Styles(book), tables(plan)
        summary = book.add_worksheet("summary")
        for table in found.values():
            add_table(book, styles, plan, table)
        _add_run(book, styles, plan.run)
        add_summary(summary, styles, plan, found)
        add_charts(book, styles, plan, found, summary)
        summary.activate()
    return target.getvalue()


def _describe(book: xlsxwriter.Workbook, plan: Plan) -> None:
    """Document properties; the date is the run's, so that one plan always makes one file."""
    properties: dict[str, object] = {
        "title": legible(plan.title) or "Stockpile plan",
        "subject": f"Stockpile plan, {plan.status}",
        "author": "stockpile-optimiser",
        "comments": "; ".join(
            f"{name}: {legible(text(plan.run[name]))}" for name in ("input", "input sha256", "changes") if plan.run.get(name)
        ),
    }
    with contextlib.suppress(ValueError):  # a plan made by another program may say no date
        properties["created"] = dt.datetime.fromisoformat(str(plan.run.get("planned at", "")).removesuffix(" UTC"))
    book.set_properties(properties)
    book.set_calc_mode("auto")


def _add_run(book: xlsxwriter.Workbook, styles: Styles, run: Mapping[str, object]) -> None:
    """What an auditor needs to repeat the run."""
    sheet = book.add_worksheet("run")
    for c, name in enumerate(("Name", "Value")):
        sheet.write_string(0, c, name, styles.header)
    for r, (name, value) in enumerate(run.items(), start=1):
        put(sheet, r, 0, name, styles())
        put(sheet, r, 1, value, styles(align="left"))
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 80)
    sheet.freeze_panes(1, 1)
    set_print(sheet)


def replace(path: Path, content: bytes) -> None:
    """Write beside the target, then move into place; whatever happens, nothing half-written stays."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as reason:
        raise _refused(path, reason) from reason


def _refused(path: Path, reason: OSError) -> OutputError:
    if isinstance(reason, PermissionError):
        return OutputError(f"{path}: cannot be written; close it in the spreadsheet program, or see the rights of file and folder")
    return OutputError(f"{path}: cannot be written: {reason.strerror or reason}")
