"""The warnings of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import TextFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows

NAME, TITLE, NONE = "warnings", "Warnings", "none"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield the warnings, a paragraph each."""
    yield TextFigure(NAME, TITLE, rows.plan.warnings or (NONE,))
