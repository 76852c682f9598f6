"""The limits that matter most: what one per cent more of each would save."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.marginal_values import MarginalValue
from stockpile_model import amounts

NAME = "weighty limits"
MOST = 10


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the ten limits with the largest saving for one per cent, in words."""
    plan = rows.plan
    found = sorted(plan.of(MarginalValue), key=lambda each: -abs(each.worth * each.amount))
    if not found:
        return
    lines, worths = [], []
    for each in found[:MOST]:
        worths.append(each.worth * each.amount / 100)
        where = (each.scenarios,) if rows.scenarios else ()
        lines.append(FigureLine((each.limit, _sentence(rows, each), *where, worths[-1])))
    yield TableFigure(
        NAME,
        "The limits that matter most",
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


def _sentence(rows: PlanRows, each: MarginalValue) -> str:
    looser = "less" if each.sense == "least" else "more"
    unit = {"1": "whole (a share of 1)"}.get(each.unit, each.unit)
    saves = "saves" if each.worth >= 0 else "costs"
    worth = amounts.money(abs(each.worth))
    return (
        f"From {amounts.month(each.date)} one {unit} {looser} {saves} {worth} {rows.plan.currency}"
    )
