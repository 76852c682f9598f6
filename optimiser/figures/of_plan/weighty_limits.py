"""The limits that matter most: what one per cent more of each would save."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.marginal_values import MarginalValue, weightiest
from stockpile_model import amounts
from stockpile_model.tree import ALL

NAME, TITLE = "weighty limits", "The limits that matter most"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the ten limits with the largest saving for one per cent, in words."""
    plan = rows.plan
    found = weightiest(plan.of(MarginalValue))
    if not found:
        return
    lines, worths = [], []
    for each in found:
        worths.append(each.worth * each.amount / 100)
        where = (each.scenarios,) if rows.scenarios else ()
        lines.append(FigureLine((each.limit, _sentence(rows, each), *where, worths[-1])))
    yield TableFigure(
        NAME,
        TITLE,
        (
            FigureColumn("Limit"),
            FigureColumn("In words"),
            *((FigureColumn("In scenarios"),) if rows.scenarios else ()),
            FigureColumn(
                f"One per cent looser saves [{plan.currency}]", Precision("money", worths)
            ),
        ),
        tuple(lines),
        "Marginal values hold for small changes, with orders placed and levels signed kept.",
    )


def in_words(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield a sentence for each of these limits, where there is room for sentences only."""
    for figure in figures(rows, earlier):
        said = []
        for line in figure.lines:
            limit, sentence, *rest = line.known
            where = f" (in {rest[0]})" if rows.scenarios and rest[0] != ALL else ""
            said.append(f"{limit}: {str(sentence)[0].lower()}{str(sentence)[1:]}{where}")
        yield TextFigure(f"{NAME} in words", TITLE, tuple(said), figure.caption)


def _sentence(rows: PlanRows, each: MarginalValue) -> str:
    looser = "less" if each.sense == "least" else "more"
    unit, worth = each.unit, abs(each.worth)
    if unit == "1":  # nobody moves a share by the whole of it
        unit, worth = "percentage point", worth / 100
    saves = "saves" if each.worth >= 0 else "costs"
    return (
        f"From {amounts.month(each.date)} one {unit} {looser} {saves} {amounts.money(worth)}"
        f" {rows.plan.currency}"
    )
