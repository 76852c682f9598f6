"""The amount of each appropriation, and what of it is spent, lapses, is left and was obligated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Above
from stockpile_model import amounts
from stockpile_model.blocks.budget import BudgetUse

NAME, TITLE = "appropriations", "Appropriations"
AMOUNTS = ("amount", "spent", "lapsed", "left", "obligated")
SPENT, TOTAL = 2, "Total"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the amounts of each appropriation, where there are any, and their sums."""
    if not rows.height(BudgetUse):
        return
    labels = [*dict.fromkeys(rows.column(BudgetUse, "appropriation"))]
    totals = {
        name: [rows.total_of(BudgetUse, name, "appropriation", label) for label in labels]
        for name in AMOUNTS
    }
    money = Precision("money", [each.value for column in totals.values() for each in column])
    lines = [
        FigureLine((label, *(totals[name][r] for name in AMOUNTS)))
        for r, label in enumerate(labels)
    ]
    sums = (
        Above("sum", k, len(lines), math.fsum(each.value for each in totals[name]))
        for k, name in enumerate(AMOUNTS, 1)
    )
    yield TableFigure(
        NAME,
        f"{TITLE} [{rows.plan.currency}]",
        (
            FigureColumn("Appropriation"),
            *(FigureColumn(name.capitalize(), money) for name in AMOUNTS),
        ),
        (*lines, FigureLine((TOTAL, *sums), total=True)),
        _again(rows, labels),
    )


def _again(rows: PlanRows, labels: Sequence[str]) -> str:
    """Say of which appropriations more is obligated than they have, and why; blank for none."""

    def total(name: str, label: str) -> float:
        return rows.total_of(BudgetUse, name, "appropriation", label).value

    again = [
        each
        for each in labels
        if total("obligated", each) > total("amount", each) * (1 + amounts.NOISE)
    ]
    if not again:
        return ""
    released = amounts.rounded(sum(total("released", each) for each in again))
    return (
        f"More is obligated than there is of {amounts.listed(again)}: {released}"
        f" {rows.plan.currency} of it did not arrive, was released and could be obligated again."
        " At no time is more obligated than the amount."
    )
