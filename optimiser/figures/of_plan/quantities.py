"""Metal in and out, and what is missing: the sums that the result rows declare."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Combined, Origin, Total
from stockpile_model.block import summed
from stockpile_model.schema import Result, Side, SummedLine

NAME, TITLE = "quantities", "Quantities"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the sums of what is ordered, comes, goes and is missing, over all materials."""
    plan, end = rows.plan, end_of(rows)
    sums = [(line, sum_of(rows, kind, line)) for kind, line in summed()]
    held = f"at the end of {end}"
    lines = [
        FigureLine((line.label, value), held if line.side == "held" else line.note)
        for line, value in sums
    ]
    metals = {name for kind, line in summed() if line.side for name in materials_of(rows, kind)}
    until = "" if plan.until is None else f", before {plan.until}"
    figure = TableFigure(
        NAME,
        f"{TITLE} [{plan.unit}]{together(metals)}{until}",
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


def together(materials: Collection[str]) -> str:
    """Return the words after the title of sums over materials; blank where there is one alone."""
    return ", all metals together" if len(materials) > 1 else ""


def materials_of(rows: PlanRows, kind: type[Result]) -> list[str]:
    """Return the materials and groups of the rows of a type, each once."""
    return [*dict.fromkeys(rows.column(kind, "material"))]


def labels(*sides: Side) -> list[str]:
    """Return the labels of the lines of some sides of the balance."""
    return [line.label for _, line in summed() if line.side in sides]


def end_of(rows: PlanRows) -> dt.date:
    """Return the last day that the plan is about."""
    plan, calendar = rows.plan, rows.plan.stockpile.calendar
    if plan.until is not None:
        return plan.until - dt.timedelta(days=1)
    return calendar.end(calendar.periods - 1)


def sum_of(rows: PlanRows, kind: type[Result], line: SummedLine, material: str = "") -> Origin:
    """Return the sum of a line, all of it or that of a material; what is held is that of the last
    period."""
    where, calendar = dict(line.where), rows.plan.stockpile.calendar
    if line.side == "held":
        where["date"] = calendar.begin(calendar.period(end_of(rows)))

    def total(**more: object) -> Total:
        of = {**where, **more}
        if material:
            return rows.total_of(kind, line.column, "material", material, **of)
        return rows.total(kind, line.column, **of)

    whole = total()
    if not line.but:
        return whole
    less = total(**dict(line.but))
    return Combined((whole,), whole.value - less.value, (less,))
