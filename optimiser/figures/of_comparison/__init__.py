"""The figures of a comparison of plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from optimiser.comparison.compared import Compared
from optimiser.figures.figure import ChartFigure
from optimiser.figures.of_comparison import cost_columns, side_by_side
from optimiser.figures.of_comparison.side_by_side import ComparisonPart

ComparisonMaker = Callable[
    [Sequence[str], Sequence[Compared], Mapping[str, str]], Iterator[ComparisonPart]
]

ChartMaker = Callable[[Sequence[str], Sequence[Compared], Mapping[str, str]], Iterator[ChartFigure]]

COMPARISON: Sequence[ComparisonMaker] = (side_by_side.figures,)
"""The figures of a comparison in the order in which they are read."""

CHARTS: Sequence[ChartMaker] = (cost_columns.figures,)
"""The charts of a comparison, where there is room for them."""


def figures_of(
    plans: Sequence[str], rows: Sequence[Compared], units: Mapping[str, str]
) -> dict[str, ComparisonPart]:
    """Return the figures of a comparison by name: of plans with names, whose amounts have units."""
    made = (each for figures in COMPARISON for each in figures(plans, rows, units))
    return {each.name: each for each in made}


def charts_of(
    plans: Sequence[str], rows: Sequence[Compared], units: Mapping[str, str]
) -> list[ChartFigure]:
    """Return the charts of a comparison, as `figures_of` does its tables."""
    return [each for figures in CHARTS for each in figures(plans, rows, units)]
