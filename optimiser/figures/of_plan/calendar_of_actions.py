"""A calendar of what is to be done: how many instructions fall into each month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.block import results
from stockpile_model.calendar import add_months

NAME = "calendar"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield a line for each year with the number of instructions in each month, over all
    scenarios; None outside of the horizon."""
    calendar = rows.plan.stockpile.calendar
    begin = calendar.begin(0)
    end = add_months(calendar.begin(calendar.periods - 1), calendar.months)
    found: dict[tuple[int, int], set[tuple[dt.date, str]]] = {}
    for kind in (each for each in results() if each.RANK):
        days, said = rows.column(kind, kind.dated_by()), rows.column(kind, "instruction")
        for day, instruction in zip(days, said, strict=True):
            if day is not None:
                found.setdefault((day.year, day.month), set()).add((day, instruction))
    if not found:
        return
    over = " over all scenarios" if rows.scenarios else ""
    lines = []
    for year in range(begin.year, (end - dt.timedelta(days=1)).year + 1):
        numbers = (
            len(found.get((year, month), ())) if _within(year, month, begin, end) else None
            for month in range(1, 13)
        )
        lines.append(FigureLine((f"{year}", *numbers)))
    yield TableFigure(
        NAME,
        "Calendar: instructions in each month",
        (
            FigureColumn("Year"),
            *(FigureColumn(each, Precision("count")) for each in MONTHS),
        ),
        tuple(lines),
        f"How many orders, signatures, call-offs and rotations are due{over}, each counted once.",
        map=True,
    )


def _within(year: int, month: int, begin: dt.date, end: dt.date) -> bool:
    """Return whether a month is in the horizon."""
    return (begin.year, begin.month) <= (year, month) < (end.year, end.month)
