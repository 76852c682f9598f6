"""The parts of each appropriation, as bars: spent, lapsed, left."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, Role, scaled
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.budget import BudgetUse

NAME = "appropriation parts"
PARTS: tuple[tuple[str, Role], ...] = (("spent", "part"), ("lapsed", "lost"), ("left", "open"))


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield a bar for each appropriation, where there are any."""
    if not rows.height(BudgetUse):
        return
    labels = [*dict.fromkeys(rows.column(BudgetUse, "appropriation"))]

    def totals(name: str) -> list[float]:
        """Return a figure of each appropriation, over its fiscal years."""
        return [rows.total_of(BudgetUse, name, "appropriation", each).value for each in labels]

    scale, unit = scaled(totals("amount"), rows.plan.currency)
    series = tuple(
        FigureSeries(name, tuple(each / scale for each in totals(name)), "bar", role)
        for name, role in PARTS
    )
    largest = max(0.0, *(value or 0.0 for each in series for value in each.values))
    yield ChartFigure(
        NAME,
        "Appropriations: spent, lapsed, left",
        f"appropriations [{unit}]",
        FigureAxis("appropriation"),
        FigureAxis("amount", unit, least=0, largest=largest),
        tuple(labels),
        series,
        stacked=True,
        spacing=40,
        expected=rows.scenarios,
    )
