"""What arrives in each period, by supplier."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.figures.of_plan.periods import labels, largest, pivoted, weighed
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.of_plan.quantities import materials_of, together
from stockpile_model.blocks.stock.lot_outcomes import Delivery

NAME = "purchases"
MOST_PERIODS = 24  # with more periods, fiscal years are shown


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the deliveries over periods or, of many periods, over fiscal years."""
    yield from drawn(rows, NAME, rows.plan.stockpile.calendar.periods > MOST_PERIODS)


def drawn(rows: PlanRows, name: str, yearly: bool) -> Iterator[ChartFigure]:
    """Yield the deliveries as a chart with a name, over fiscal years or over periods."""
    if not rows.height(Delivery):
        return
    plan, calendar = rows.plan, rows.plan.stockpile.calendar
    span, x = "period", labels(plan)
    when = x.labels
    if yearly:
        span, when = (
            "fiscal year",
            [f"FY{calendar.fiscal_year(t)}" for t in range(calendar.periods)],
        )
    cells = (
        (when[calendar.period(day)], supplier, quantity)
        for day, supplier, quantity in weighed(rows, Delivery, "supplier", "quantity")
        if supplier is not None
    )
    along = tuple(dict.fromkeys(when))
    columns = largest(pivoted(along, cells))
    yield ChartFigure(
        name,
        f"Purchases by supplier, as they arrive{together(materials_of(rows, Delivery))}",
        f"deliveries by supplier [{plan.unit}]",
        FigureAxis(span, every=None if yearly else x.every),
        FigureAxis("deliveries", plan.unit, least=0),
        along,
        tuple(FigureSeries(name, tuple(each)) for name, each in columns.items()),
        stacked=True,
        spacing=50,
        expected=rows.scenarios,
    )
