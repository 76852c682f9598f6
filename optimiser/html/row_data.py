"""Result rows as a page's script reads them: a table for each type, its values column by column."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from optimiser.figures.column_units import unit_of
from optimiser.figures.figure import Precision
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.html.figure_data import DIGITS, Data
from optimiser.html.number_text import SHARE, places, written
from optimiser.plan.plan import Plan
from stockpile_model.schema import Column, Dated, Result, columns

CENTS = 2  # decimals of money
MOST_ROWS = 20_000  # of a table on a page; a workbook holds all
OF = tuple(each.name for each in columns(Dated))
NUMBERS = ("number", "whole")


def tables(rows: PlanRows) -> Iterator[Data]:
    """Yield a table for each type of result row that the plan has any of, in the order of the
    sheets."""
    plan = rows.plan
    for kind in sorted(plan.rows, key=lambda kind: kind.PLACE):
        if rows.height(kind):
            yield _table(rows, kind)


def _table(rows: PlanRows, kind: type[Result]) -> Data:
    plan, height = rows.plan, rows.height(kind)
    found = [each for each in columns(kind) if not (issubclass(kind, Dated) and each.name in OF)]
    filled = [each for each in found if any(_filled(v) for v in rows.column(kind, each.name))]
    data = {
        "name": kind.SHEET,
        "title": _capital(kind.SHEET.replace("_", " ")),
        "about": kind.ABOUT,
        "height": min(height, MOST_ROWS),
        "all": height,
        "columns": [_column(plan, each, rows.column(kind, each.name)) for each in filled],
        "means": bool(kind.MEANS) and issubclass(kind, Dated),
    }
    if issubclass(kind, Dated) and rows.scenarios:
        data["scenarios"] = _texts(rows.column(kind, "scenarios"))
        data["probability"] = [*rows.column(kind, "probability")[:MOST_ROWS]]
    return data


def _filled(value: object) -> bool:
    return value not in (None, "", ())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _column(plan: Plan, column: Column, values: Sequence[Any]) -> Data:
    """Return a column: its title with its unit, and its values; text as numbers of a list."""
    unit = "" if " or " in column.unit else unit_of(column.unit, plan.unit, plan.currency)
    name = _capital(column.name.replace("_", " "))
    data: Data = {
        "name": column.name,
        "title": f"{name} [{unit}]" if unit else name,
        "meaning": column.meaning,
        "sentence": column.sentence,
        "expected": column.adds_up,
        "several": column.several,
        **_leads(column),
    }
    if column.kind in NUMBERS:
        share = column.unit == SHARE
        numbers = [each for each in values if isinstance(each, float)]
        found = places(Precision(column.unit, numbers))
        if column.unit == "money" and any(each % 1 for each in filter(math.isfinite, numbers)):
            found = max(found or 0, CENTS)  # a sum of a table is rounded, what is paid is not
        return data | {
            "sort": "share" if share else "number",
            "places": found,
            "values": [_plain(each) for each in values[:MOST_ROWS]],
        }
    if column.name == "unit":
        values = [unit_of(each, plan.unit, plan.currency) for each in values]
    return data | {"sort": "text", **_texts(values)}


def _leads(column: Column) -> Data:
    """Return where a click on a cell may lead: the table, or the column that names it, the column
    whose words are searched there, and the pairs of columns that are the same there and here."""
    if not column.leads:
        return {}
    return {
        "leads": [
            {
                "to": lead.sheet,
                "named": lead.named,
                "own": lead.on[0][1] or column.name,
                "on": [[there, own or column.name] for there, own in lead.on],
            }
            for lead in column.leads
        ]
    }


def _plain(value: float | None) -> float | str | None:
    if value is None:
        return None
    if not math.isfinite(value):
        return "unlimited"
    return round(value) if value == round(value) else float(f"{value:.{DIGITS}g}")


def _texts(values: Sequence[object]) -> Data:
    """Return texts as a list of the different ones, and for each row its place there."""
    place: dict[str, int] = {}
    found = []
    for each in values[:MOST_ROWS]:
        text = written(each, Precision())
        found.append(place.setdefault(text, len(place)))
    return {"texts": [*place], "values": found}
