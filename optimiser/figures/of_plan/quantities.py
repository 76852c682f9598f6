"""Metal in and out, and what is missing: the sums that the result rows declare."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Combined, Origin
from stockpile_model.block import summed
from stockpile_model.schema import Result, Side, SummedLine

NAME = "quantities"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the sums of what is ordered, comes, goes and is missing, over all materials."""
    plan, end = rows.plan, _end(rows)
    sums = [(line, _sum(rows, kind, line, end)) for kind, line in summed()]
    held = f"at the end of {end}"
    lines = [
        FigureLine((line.label, value), held if line.side == "held" else line.note)
        for line, value in sums
    ]
    until = "" if plan.until is None else f", before {plan.until}"
    figure = TableFigure(
        NAME,
        f"Quantities [{plan.unit}]{until}",
        (
            FigureColumn("What"),
            FigureColumn("Total", Precision("quantity", [value.value for _, value in sums])),
        ),
        tuple(lines),
    )
    missing = tuple(figure.cell(label) for label in labels("missing"))
    shortfall = Combined(missing, sum(each.value for each in missing))
    note = "unmet demand and stock below targets"
    last = FigureLine(("Shortfall", shortfall), note, total=True)
    yield TableFigure(NAME, figure.title, figure.columns, (*figure.lines, last))


def labels(*sides: Side) -> list[str]:
    """Return the labels of the lines of some sides of the balance."""
    return [line.label for _, line in summed() if line.side in sides]


def _end(rows: PlanRows) -> dt.date:
    """Return the last day that the plan is about."""
    plan, calendar = rows.plan, rows.plan.stockpile.calendar
    if plan.until is not None:
        return plan.until - dt.timedelta(days=1)
    return calendar.end(calendar.periods - 1)


def _sum(rows: PlanRows, kind: type[Result], line: SummedLine, end: dt.date) -> Origin:
    """Return the sum of a line; what is held is that of the last period."""
    where, calendar = dict(line.where), rows.plan.stockpile.calendar
    if line.side == "held":
        where["date"] = calendar.begin(calendar.period(end))
    whole = rows.total(kind, line.column, **where)
    if not line.but:
        return whole
    less = rows.total(kind, line.column, **where, **dict(line.but))
    return Combined((whole,), whole.value - less.value, (less,))
