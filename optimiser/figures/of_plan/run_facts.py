"""How a plan was made: its input, options, versions, and what its audit says."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows

NAME = "run"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the record of the run, a line for each fact."""
    lines = tuple(
        FigureLine((name, str(value))) for name, value in rows.plan.run.items() if value != ""
    )
    if lines:
        columns = (FigureColumn("Fact"), FigureColumn("Value"))
        yield TableFigure(NAME, "The run", columns, lines, "What is needed to repeat it.")
