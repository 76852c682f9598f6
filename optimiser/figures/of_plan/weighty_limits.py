"""The limits that matter most: what one per cent more of each would save."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.marginal_values import MarginalValue, weightiest

NAME, TITLE = "weighty limits", "The limits that matter most"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the ten limits with the largest saving for one per cent, in words."""
    plan = rows.plan
    found = weightiest(plan.of(MarginalValue))
    if not found:
        return
    lines, worths = [], []
    unit = f"{plan.currency}, expected" if rows.scenarios else plan.currency
    for each in found:
        worths.append(each.worth * each.amount / 100)
        lines.append(FigureLine((each.limit, each.in_words, worths[-1])))
    yield TableFigure(
        NAME,
        TITLE,
        (
            FigureColumn("Limit"),
            FigureColumn("In words"),
            FigureColumn(f"One per cent looser saves [{unit}]", Precision("money", worths)),
        ),
        tuple(lines),
        "Marginal values hold for small changes, with orders placed and levels signed kept.",
    )


def in_words(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield a sentence for each of these limits, where there is room for sentences only."""
    for figure in figures(rows, earlier):
        said = []
        for line in figure.lines:
            limit, sentence = map(str, line.known[:2])
            said.append(f"{limit}: {sentence[0].lower()}{sentence[1:]}")
        yield TextFigure(f"{NAME} in words", TITLE, tuple(said), figure.caption)
