"""How well the figures of the workbook are founded: their confidence and their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.assumption_rows import Assumption

NAME = "evidence"
NONE = "not stated"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield for each table how many of its cells have a source, and by confidence."""
    given = [each for each in rows.plan.of(Assumption) if each.given]
    if not given:
        return
    grades = [*dict.fromkeys(each.confidence or NONE for each in given)]
    grades.sort(key=lambda each: each == NONE)
    count, share = Precision("count"), Precision("1")
    lines = []
    for table in (*dict.fromkeys(each.table for each in given), ""):
        cells = [each for each in given if not table or each.table == table]
        sourced = sum(bool(each.source) for each in cells)
        by = Counter(each.confidence or NONE for each in cells)
        values = (len(cells), sourced / len(cells), *(by[grade] for grade in grades))
        lines.append(FigureLine((table or "All", *values), total=not table))
    yield TableFigure(
        NAME,
        "Inputs by table: source and confidence",
        (
            FigureColumn("Table"),
            FigureColumn("Cells given", count),
            FigureColumn("With a source", share),
            *(FigureColumn(f"Confidence {grade}", count) for grade in grades),
        ),
        tuple(lines),
    )
