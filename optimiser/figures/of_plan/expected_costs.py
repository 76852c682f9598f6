"""The expected cost of a plan by heading, in brief: headings without any are left out."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows

NAME = "expected costs"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the cost of each heading, and the objective."""
    plan = rows.plan
    lines = [
        FigureLine((heading.replace("_", " "), amount))
        for heading, amount in plan.costs.items()
        if amount
    ]
    money = Precision("money", (plan.objective, *plan.costs.values()))
    said = "expected, discounted" if rows.scenarios else "discounted"
    columns = FigureColumn("heading"), FigureColumn(f"{said} [{plan.currency}]", money)
    last = FigureLine(("objective", plan.objective), total=True)
    yield TableFigure(NAME, "", columns, (*lines, last))
