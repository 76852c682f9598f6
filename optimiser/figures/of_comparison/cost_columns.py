"""What plans cost by heading, side by side as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optimiser.comparison.compared import FIGURES, Compared
from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, scaled

NAME = "costs"
COST = "cost"  # what rows of costs by heading are called


def figures(
    plans: Sequence[str], rows: Sequence[Compared], units: Mapping[str, str]
) -> Iterator[ChartFigure]:
    """Yield the expected cost of each heading in each plan, where there are any."""
    found = [row for row in rows if row.part == FIGURES and row.what == COST]
    amounts = [[_amount(value) for value in row.values] for row in found]
    if not found:
        return
    scale, unit = scaled([each for row in amounts for each in row], units.get("money", ""))
    yield ChartFigure(
        NAME,
        "Expected cost by heading",
        f"discounted cost, receipts below zero [{unit}]",
        FigureAxis("heading"),
        FigureAxis("cost", unit),
        tuple(row.of for row in found),
        tuple(
            FigureSeries(name, tuple(row[k] / scale for row in amounts))
            for k, name in enumerate(plans)
        ),
    )


def _amount(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
