"""A plan as JSON: its figures, its rows by sheet, and how it was made."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optimiser.auditing import Line, Sheets
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import WRITERS, Plan
from optimiser.system.atomic_files import check_owner, check_place, replace
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.plan_reader import PlanReading
from optimiser.workbook.result_kinds import sheet_kinds
from stockpile_model.schema import columns
from stockpile_model.values import text

FORMAT = "stockpile plan 1"
SHOWN = ("title", "currency", "unit", "verdict", "warnings")
CLAIMS = (
    "objective",
    "costs",
    "waste",
    "shortfall",
    "bound",
    "expected_cost",
    "cvar",
    "status",
    "gap",
    "asked",
)
INFINITE = "infinite"  # a number that JSON does not have


def dumps(plan: Plan) -> str:
    """Return a plan as JSON text."""
    sheets = as_sheets(plan)
    rows = {
        name: [{column: _plain(value) for column, value in line.items()} for line in lines]
        for name, lines in sheets.rows.items()
    }
    return json.dumps(
        {
            "format": FORMAT,
            **{name: _plain(getattr(plan, name)) for name in SHOWN},
            **{name: _plain(getattr(sheets, name)) for name in CLAIMS},
            "until": _plain(plan.until),
            "run": {name: _plain(value) for name, value in plan.run.items()},
            "rows": rows,
        },
        indent=1,
        ensure_ascii=False,
    )


def save(plan: Plan, path: Path, force: bool = False) -> None:
    """Write a plan as JSON. Raises OutputError; then nothing has changed."""
    check_place(path)
    check_owner(path, "a plan", _is_own, force)
    replace(path, dumps(plan).encode())


WRITERS[".json"] = save


def load(path: Path) -> PlanReading:
    """Read a plan that was saved as JSON. Raises InputError where it is none."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise InputError(
            [Fault(str(path), f"cannot be read: {reason.strerror or reason}")]
        ) from reason
    except ValueError as reason:
        raise InputError([Fault(str(path), f"is no JSON text: {reason}")]) from reason
    try:
        if stored["format"] != FORMAT:
            raise InputError(
                [
                    Fault(
                        str(path),
                        f"is no plan of this version: its format is {stored['format']!r}, not"
                        f" {FORMAT!r}",
                    )
                ]
            )
        rows = {name: _lines(name, lines) for name, lines in stored["rows"].items()}
        sheets = Sheets(rows, **{name: _number(stored[name]) for name in CLAIMS})
        run = {name: text(value) for name, value in stored["run"].items() if value is not None}
    except (KeyError, TypeError, AttributeError, ValueError) as reason:
        raise InputError([Fault(str(path), f"is no plan as it was saved: {reason!r}")]) from reason
    settings = {
        line["column"]: text(line["value"])
        for line in sheets[Assumption.SHEET]
        if line["table"] == "settings"
    }
    return PlanReading(sheets, run, tuple(stored["warnings"]), settings)


def _is_own(path: Path) -> bool:
    with path.open("rb") as file:
        return FORMAT.encode() in file.read(100)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return INFINITE
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _number(value: Any) -> Any:
    return math.inf if value == INFINITE else value


def _lines(sheet: str, rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return the rows of a sheet, with their dates as dates."""
    kind = next((each for each in sheet_kinds() if sheet == each.SHEET), None)
    dates = {each.name for each in columns(kind) if each.kind == "date"} if kind else set()
    names, lines = kind.named_by() if kind else (), []
    for number, row in enumerate(rows, start=2):
        values = {
            name: dt.date.fromisoformat(value) if name in dates and value else _number(value)
            for name, value in row.items()
        }
        lines.append(Line(values, sheet, number, {name: name for name in values}, names))
    return lines
