"""What each of several buyers gets and pays."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.cost_headings import NAME as COSTS
from optimiser.figures.of_plan.cost_headings import TOTAL
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows, cell
from optimiser.figures.of_plan.quantities import materials_of, together
from optimiser.figures.origins import CellOf, Combined
from stockpile_model.blocks.objective import CashFlow
from stockpile_model.blocks.stock.lot_outcomes import Delivery

NAME, TITLE = "buyers", "Buyers"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield what each buyer gets and pays, where there are several; what is paid for
    all is shared by the funds that pay it."""
    plan = rows.plan
    if len(plan.stockpile.owners) < 2:
        return
    lines, own = [], []
    for k, buyer in enumerate(sorted(each for each in plan.stockpile.owners if each is not None)):
        paid = rows.total_of(CashFlow, "discounted", "buyer", buyer)
        lines.append(FigureLine((buyer, rows.total_of(Delivery, "quantity", "buyer", buyer), paid)))
        own.append(CellOf(NAME, k, 2, paid.value))
    cost = cell(earlier, COSTS, TOTAL)
    rest = Combined((cost,), cost.value - math.fsum(each.value for each in own), tuple(own))
    note = "of no single buyer: order and signing costs, deficits, shared sites"
    delivered = Precision("quantity", rows.column(Delivery, "quantity"))
    paid_by = Precision("money", rows.column(CashFlow, "amount"))
    yield TableFigure(
        NAME,
        f"{TITLE}{together(materials_of(rows, Delivery))}",
        (
            FigureColumn("Buyer"),
            FigureColumn(f"Delivered [{plan.unit}]", delivered),
            FigureColumn(f"Discounted [{plan.currency}]", paid_by),
        ),
        (*lines, FigureLine(("for all", None, rest), note)),
    )
