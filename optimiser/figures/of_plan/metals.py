"""The balance of each metal: what comes in, goes out, is held and is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.of_plan.quantities import end_of, materials_of, sum_of
from optimiser.figures.origins import Combined, Origin
from stockpile_model.block import summed
from stockpile_model.schema import SIDES, Side

NAME, TITLE = "metals", "Metals"
TITLES: dict[Side, str] = {
    "in": "In",
    "out": "Used, rotated",
    "waste": "Expired",
    "held": "Held at the end",
    "missing": "Missing",
}
"""The sides of the balance as columns are called."""


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the sides of the balance of each metal, and of each group that is needed, where there
    are several: quantities of different metals have no sum that means anything."""
    plan, sides = rows.plan, [each for each in SIDES if each]
    names = dict.fromkeys(
        name for kind, line in summed() if line.side for name in materials_of(rows, kind)
    )
    if len(names) < 2:
        return
    groups = {group for group in map(str, names) if len(plan.stockpile.members(group)) > 1}
    lines = [
        FigureLine((name, *(_side(rows, side, name) for side in sides)))
        for name in sorted(map(str, names), key=lambda name: (name in groups, name))
    ]
    amounts = [each.value for line in lines for each in line.values if isinstance(each, Combined)]
    quantity = Precision("quantity", amounts)
    others = f" {', '.join(sorted(groups))}: needed of any of its metals." if groups else ""
    until = "" if plan.until is None else f", before {plan.until}"
    yield TableFigure(
        NAME,
        f"{TITLE} [{plan.unit}]{until}",
        (FigureColumn("Metal"), *(FigureColumn(TITLES[side], quantity) for side in sides)),
        tuple(lines),
        f"In: opening stock, deliveries and returns. Held: at the end of {end_of(rows)}."
        " Missing: unmet demand and stock below targets, summed over periods." + others,
    )


def _side(rows: PlanRows, side: Side, material: str) -> Origin:
    """Return the sum of one side of the balance of a material."""
    parts = tuple(
        sum_of(rows, kind, line, material) for kind, line in summed() if line.side == side
    )
    return Combined(parts, math.fsum(each.value for each in parts))
