"""A plan that was read from a file, with its rows and its workbook again as they were planned.

The sheet `assumptions` holds every cell that the workbook gives, so a plan is enough: its workbook
need not be at hand.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from optimiser.api.book import from_tables
from optimiser.auditing import Line, Sheets
from optimiser.figures.of_plan import remarks
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import EDITED, trunk_verdict, verdict
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.plan_reader import PlanReading
from optimiser.workbook.result_kinds import sheet_kinds
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Result, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

HEADER = "Name"  # of the sheet run
TOGETHER = "Bundles of them, each planned alone, prove"


def restored(
    reading: PlanReading,
    source: str,
    until: dt.date | None,
    edited: bool,
    notes: Iterable[str] = (),
) -> Plan:
    """Return the plan that a file holds, with its rows by type and the workbook that it was of.

    Of a plan that was `edited` neither the bound nor the audit is kept. `notes` are further
    warnings. Raises InputError where its assumptions are no workbook.
    """
    sheets = reading.sheets
    stockpile = _stockpile(sheets, source)
    settings, rows = stockpile.settings, _rows(sheets)
    run: dict[str, object] = {name: said for name, said in reading.run.items() if name != HEADER}
    if edited:
        run["audit"] = "of the plan as it was written; it was changed since"
    expected = sheets.expected_cost
    plan = Plan(
        title=settings.title,
        currency=settings.currency,
        unit=settings.quantity_unit,
        status=EDITED if edited else sheets.status or "not known",
        objective=sheets.objective,
        bound=None if edited else sheets.bound,
        gap=None if edited else sheets.gap,
        costs=dict(sheets.costs),
        expected_cost=math.fsum(sheets.costs.values()) if expected is None else expected,
        cvar=sheets.cvar,
        waste=sheets.waste or 0.0,
        shortfall=sheets.shortfall or 0.0,
        verdict="",
        warnings=(*notes, *_warnings(sheets)),
        rows=rows,
        run=run,
        stockpile=stockpile,
        until=until,
    )
    said = verdict(plan) if until is None else trunk_verdict(plan, TOGETHER)
    return replace(plan, verdict=said)


def _stockpile(sheets: Sheets, source: str) -> Stockpile:
    """Return the workbook that the assumptions of a plan give.

    A row is known by its keys and its line: joined keys alone may be those of two rows (`a/b` with
    `c`, `a` with `b/c`).
    """
    tables: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for line in sheets[Assumption.SHEET]:
        if line["given"]:
            row = str(line["row"]), _line(str(line["cell"]))
            cells = tables.setdefault(str(line["table"]), {}).setdefault(row, {})
            cells[str(line["column"])] = line["value"]
    settings = tables.pop(Settings.TABLE, {})
    own = {name: value for cells in settings.values() for name, value in cells.items()}
    given: dict[str, Any] = {Settings.TABLE: own}
    given |= {name: [*rows.values()] for name, rows in tables.items()}
    try:
        return unfold(from_tables(given).stockpile)
    except InputError as error:
        first = error.faults[0]
        raise InputError(
            [
                Fault(
                    source,
                    f"its sheet {Assumption.SHEET} is no workbook any more ({first}); plan the"
                    " workbook again",
                )
            ]
        ) from error


def _line(cell: str) -> str:
    """Return the line of a cell, `7` of `offers!F7`; blank where it has none."""
    found = re.search(r"!\D*(\d+)$", cell)
    return found[1] if found else ""


def _rows(sheets: Sheets) -> Mapping[type[Result], tuple[Result, ...]]:
    """Return the rows of all sheets by their type."""
    found: dict[type[Result], tuple[Result, ...]] = {}
    for kind in sheet_kinds():
        if kind.SHEET in sheets.rows:
            fields = [(each.name, each.field) for each in columns(kind)]
            found[kind] = tuple(_row(kind, fields, line) for line in sheets[kind.SHEET])
    return found


def _row(kind: type[Result], fields: Iterable[tuple[str, str]], line: Line) -> Result:
    return kind(**{field: line[name] for name, field in fields if name in line})


def _warnings(sheets: Sheets) -> Iterator[str]:
    """Yield the warnings that the summary of a workbook repeats: up to the title of a table."""
    for line in sheets["summary"]:
        if line.get("part") == remarks.TITLE:
            if line.get("B") is not None:
                return
            if line["label"] != remarks.NONE:
                yield str(line["label"])
