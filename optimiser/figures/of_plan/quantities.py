"""Metal in and out, and what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.figures.origins import Combined, Origin
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.blocks.targets import TargetMet

NAME = "quantities"
OPENING, DELIVERED, RETURNED, USED = "Opening stock", "Delivered", "Returned", "Used by demand"
ROTATED, WASTE, AT_THE_END = "Rotated out", "Waste", "Stock at the end"
CAME, WENT = (OPENING, DELIVERED, RETURNED), (USED, ROTATED, WASTE, AT_THE_END)
UNMET, BELOW = "Unmet demand", "Below targets"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the sums of what is ordered, comes, goes and is missing, over all materials."""
    plan = rows.plan
    sums = _sums(rows)
    lines = [FigureLine((label, value), note) for label, note, value in sums]
    values = [value.value for _, _, value in sums]
    until = "" if plan.until is None else f", before {plan.until}"
    figure = TableFigure(
        NAME,
        f"Quantities [{plan.unit}]{until}",
        (FigureColumn("What"), FigureColumn("Total", Precision("quantity", values))),
        tuple(lines),
    )
    missing = (figure.cell(UNMET), figure.cell(BELOW))
    shortfall = Combined(missing, sum(each.value for each in missing))
    note = "unmet demand and stock below targets"
    last = FigureLine(("Shortfall", shortfall), note, total=True)
    yield TableFigure(NAME, figure.title, figure.columns, (*figure.lines, last))


def _sums(rows: PlanRows) -> list[tuple[str, str, Origin]]:
    """Return the label, the note and the sum of each line."""
    plan, calendar = rows.plan, rows.plan.stockpile.calendar
    end = calendar.end(calendar.periods - 1)
    if plan.until is not None:
        end = plan.until - dt.timedelta(days=1)
    last = calendar.begin(calendar.period(end))
    out = rows.total(Rotated, "quantity")
    waste = rows.total(Rotated, "quantity", form="expired")
    return [
        ("Ordered", "under offers", rows.total(Order, "ordered")),
        (OPENING, "", rows.total(Movement, "quantity", kind="opening")),
        (DELIVERED, "under offers and contracts", rows.total(Delivery, "quantity")),
        (
            RETURNED,
            "back from exchange and rework",
            rows.total(Movement, "quantity", kind="return"),
        ),
        (USED, "", rows.total(DemandMet, "met")),
        (ROTATED, "through outlets", Combined((out,), out.value - waste.value, (waste,))),
        (WASTE, "reaches the end of its life unused", waste),
        (AT_THE_END, f"at the end of {end}", rows.total(LotStock, "quantity", date=last)),
        (UNMET, "", rows.total(DemandMet, "unmet")),
        (BELOW, "sum over periods", rows.total(TargetMet, "below")),
    ]
