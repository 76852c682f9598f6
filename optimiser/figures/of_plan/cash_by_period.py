"""The cash that flows in each period, by heading, and its running sum."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, scaled
from optimiser.figures.of_plan.periods import label, labels, largest, pivoted, row_sums, weighed
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.objective import CashFlow

NAME = "cash flow"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the undiscounted cash of each heading, receipts below zero, and the running sum on the
    right."""
    plan, x = rows.plan, labels(rows.plan)
    pairs = zip(
        weighed(rows, CashFlow, "heading", "amount"), rows.column(CashFlow, "cash"), strict=True
    )
    cells = [
        (label(day), heading.replace("_", " "), amount)
        for (day, heading, amount), cash in pairs
        if cash
    ]
    if not cells:
        return
    flows = largest(pivoted(x.labels, cells))
    running = list(itertools.accumulate(row_sums(flows.values())))
    sizes = row_sums(flows.values(), abs)
    scale, unit = scaled(sizes, plan.currency)
    sum_scale, sum_unit = scaled(running, plan.currency)
    total = tuple(each / sum_scale for each in running)
    series = [
        FigureSeries(name, tuple(each / scale for each in flow)) for name, flow in flows.items()
    ]
    yield ChartFigure(
        NAME,
        "Cash flow by heading, undiscounted",
        f"cash flow [{unit}], running sum [{sum_unit}]",
        FigureAxis("period", every=x.every),
        FigureAxis("each period", unit, largest=max(sizes) / scale),
        tuple(x.labels),
        (*series, FigureSeries("running sum (right)", total, "line", "sum", right=True)),
        FigureAxis("running sum", sum_unit, largest=max(map(abs, total))),
        stacked=True,
        expected=rows.scenarios,
    )
