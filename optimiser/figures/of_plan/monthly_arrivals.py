"""What arrives in each period, by supplier, where the chart of purchases is by fiscal year."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure
from optimiser.figures.of_plan import arrivals
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows

NAME = "purchases by period"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the deliveries of each period."""
    if rows.plan.stockpile.calendar.periods > arrivals.MOST_PERIODS:
        yield from arrivals.drawn(rows, NAME, yearly=False)
