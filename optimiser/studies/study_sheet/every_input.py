"""All inputs of a workbook, as `--everything` moves them."""

from __future__ import annotations

import bisect
import datetime as dt
from dataclasses import dataclass

from optimiser.studies.study_sheet.study_inputs import (
    SHARE,
    Cell,
    Input,
    cells_of,
    column_of,
    step_of,
    unit_of,
)
from stockpile_model.changes import How
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Settings
from stockpile_model.values import text

HELD = {
    "studies": "studies are no input of the plan",
    "commitments": "what was decided stays decided",
    "uncertainty": "only sampled scenarios are made of it",
    "price_history": "only sampled scenarios are made of it",
}
"""Tables that `--everything` leaves alone, and why."""


@dataclass(frozen=True)
class Every:
    """All that `--everything` moves, and how many cells it leaves out, by the reason."""

    inputs: tuple[Input, ...]
    left_out: dict[str, list[str]]


def everything(stockpile: Stockpile) -> Every:
    """Return every number, date and duration of the workbook as an input.

    A number is moved between its low and high, or 10 % down and up; a date one period earlier and
    later; a duration one period shorter and longer. What is left out has its reason.
    """
    inputs: list[Input] = []
    left: dict[str, list[str]] = {}
    settings, near = stockpile.settings, _near(stockpile)
    for cell in cells_of(settings):
        if cell.name != "discount_rate" and cell.name not in settings.ranges:
            left.setdefault("settings say how to plan", []).append(f"settings.{cell.name}")
        else:
            _move(stockpile, cell, cell.name, inputs, left)
    for kind, rows in stockpile.tables.items():
        names = keys(kind)
        for row in rows:
            key = "/".join(text(get(row, name)) for name in names) if names else f"row {row.line}"
            for cell in cells_of(row):
                if kind.TABLE in HELD:
                    left.setdefault(f"{kind.TABLE}: {HELD[kind.TABLE]}", []).append(
                        f"{kind.TABLE}[{key}].{cell.name}"
                    )
                elif isinstance(row, Price) and (cell.name, row.date) not in near:
                    left.setdefault("prices that no period of the horizon uses", []).append(
                        f"prices[{key}].{cell.name}"
                    )
                else:
                    _move(stockpile, cell, key, inputs, left)
    return Every(tuple(inputs), left)


def every_input(stockpile: Stockpile) -> tuple[Input, ...]:
    """Return all that `--everything` moves."""
    return everything(stockpile).inputs


def _near(stockpile: Stockpile) -> set[tuple[str, dt.date]]:
    """Return the prices, by index and date, from which a period of the horizon is read.

    Between two dates of a series both count.
    """
    calendar, found = stockpile.calendar, set[tuple[str, dt.date]]()
    series: dict[str, list[dt.date]] = {}
    for row in stockpile.rows(Price):
        for index in row.values:
            series.setdefault(index, []).append(row.date)
    days = [calendar.begin(t) for t in range(calendar.periods)]
    for index, dates in series.items():
        dates.sort()
        for day in days:
            after = bisect.bisect_left(dates, day)
            ends = (
                dates[max(0, after - 1) : after + 1]
                if after < len(dates) and dates[after] != day
                else dates[after : after + 1] or dates[-1:]
            )
            found.update((index, each) for each in ends)
    return found


def _move(
    stockpile: Stockpile, cell: Cell, key: str, inputs: list[Input], left: dict[str, list[str]]
) -> None:
    """Add the input of a cell to `inputs`, or the cell to what is left out."""
    table = type(cell.row).TABLE
    in_settings = table == Settings.TABLE
    row, column = (cell.name, "value") if in_settings else (key, cell.name)
    name = f"settings.{cell.name}" if in_settings else f"{table}[{key}].{cell.name}"
    how: How = "add" if isinstance(cell.value, dt.date) else "set"
    base = 0.0 if isinstance(cell.value, dt.date) else float(cell.value)
    if how == "set" and base == 0 and None in cell.range:
        left.setdefault("a zero without low and high", []).append(name)
        return
    low, high = _ends(stockpile, cell, how, base)
    if low < high:
        step, unit = step_of(stockpile, cell), unit_of(stockpile, cell, how)
        inputs.append(Input(table, row, column, how, low, high, base, "uniform", step, unit))
    else:
        left.setdefault("a number that cannot be moved within its bounds", []).append(name)


def _ends(stockpile: Stockpile, cell: Cell, how: How, base: float) -> tuple[float, float]:
    """Return between which values a cell is moved, within the bounds of its column."""
    step = step_of(stockpile, cell)
    by = step if step is not None else SHARE * abs(base)
    low, high = (None, None) if how == "add" else cell.range
    low, high = base - by if low is None else low, base + by if high is None else high
    free = how == "add" or (isinstance(cell.row, Event) and cell.row.how != "set")
    bounds = None if free else column_of(stockpile, cell)
    if bounds is not None:
        if bounds.most is not None:
            high = min(high, bounds.most)
        if bounds.least is not None:
            low = max(low, bounds.least)
        if bounds.above is not None and low <= bounds.above:
            low = base
    if isinstance(cell.row, Scenario) and cell.name == "probability":
        # Those of all scenarios sum to 1 at most.
        high = min(high, base + 1.0 - sum(each.probability for each in stockpile.rows(Scenario)))
    return low, high
