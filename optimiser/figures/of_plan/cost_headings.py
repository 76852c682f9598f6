"""What a plan costs by heading, discounted and not."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Above
from stockpile_model.block import headings
from stockpile_model.blocks.objective import CashFlow

NAME, TITLE = "costs", "Cost by heading"
TOTAL = "Total"
DISCOUNTED, UNDISCOUNTED = 1, 2  # columns


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the sums of each heading that has cash flows, and the sum of all."""
    plan, meanings = rows.plan, headings()
    present = set(rows.column(CashFlow, "heading"))
    lines, sums = [], []
    for each in dict.fromkeys([*meanings, *plan.costs]):
        if each in present:
            pair = [rows.total(CashFlow, name, heading=each) for name in ("discounted", "amount")]
            note = meanings[each].meaning if each in meanings else ""
            lines.append(FigureLine((each.replace("_", " "), *pair), note))
            sums.append(pair)
    totals = (
        Above("sum", k, len(lines), math.fsum(pair[k - 1].value for pair in sums))
        for k in (DISCOUNTED, UNDISCOUNTED)
    )
    money = Precision("money", rows.column(CashFlow, "amount"))
    yield TableFigure(
        NAME,
        f"{TITLE} [{plan.currency}]",
        (
            FigureColumn("Heading"),
            FigureColumn("Discounted", money),
            FigureColumn("Undiscounted", money),
        ),
        (*lines, FigureLine((TOTAL, *totals), total=True)),
    )
