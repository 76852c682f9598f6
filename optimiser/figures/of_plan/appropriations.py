"""The amount of each appropriation, and what of it is spent, lapses, is left and was obligated."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Above
from stockpile_model.blocks.budget import BudgetUse

NAME = "appropriations"
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
        f"Appropriations [{rows.plan.currency}]",
        (
            FigureColumn("Appropriation"),
            *(FigureColumn(name.capitalize(), money) for name in AMOUNTS),
        ),
        (*lines, FigureLine((TOTAL, *sums), total=True)),
    )
