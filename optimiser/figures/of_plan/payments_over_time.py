"""What each appropriation pays in each period."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, scaled
from optimiser.figures.of_plan.periods import label, labels, largest, pivoted, row_sums, weighed
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.budget import Payment

NAME = "payments"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the payments, undiscounted, where there are appropriations that pay."""
    if not rows.height(Payment):
        return
    plan, x = rows.plan, labels(rows.plan)
    found = weighed(rows, Payment, "appropriation", "amount")
    columns = largest(pivoted(x.labels, ((label(day), name, paid) for day, name, paid in found)))
    sizes = row_sums(columns.values())
    scale, unit = scaled(sizes, plan.currency)
    yield ChartFigure(
        NAME,
        "Payments of each appropriation",
        f"payments by appropriation [{unit}]",
        FigureAxis("period", every=x.every),
        FigureAxis("paid", unit, least=0, largest=max(sizes) / scale),
        tuple(x.labels),
        tuple(
            FigureSeries(name, tuple(each / scale for each in paid))
            for name, paid in columns.items()
        ),
        stacked=True,
        expected=rows.scenarios,
    )
