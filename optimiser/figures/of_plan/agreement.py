"""Whether the sums of a plan agree with each other: a changed cell shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimiser.figures.figure import FigureColumn, FigureLine, TableFigure
from optimiser.figures.of_plan import appropriations, assessment, cost_headings, quantities
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows, cell
from optimiser.figures.origins import Agreement, Combined, Origin
from optimiser.plan.action_rows import Action
from stockpile_model.block import results
from stockpile_model.blocks.budget import Payment
from stockpile_model.blocks.stock.lot_outcomes import Delivery, Movement
from stockpile_model.schema import Side

NAME, TITLE = "checks", "Checks"
SLACK = 1e-6  # by how much sums may differ, as a share of them
IN: tuple[Side, ...] = ("in",)
OUT: tuple[Side, ...] = ("out", "waste", "held")
LEAST = 1000.0  # scaled units: what a smaller sum counts as


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the checks of money and metal."""
    lines = tuple(FigureLine((label, check)) for label, check in _checks(rows, earlier))
    yield TableFigure(NAME, TITLE, (FigureColumn("Check"), FigureColumn("")), lines)


def _checks(rows: PlanRows, earlier: Earlier) -> Iterator[tuple[str, Agreement]]:
    plan, scale = rows.plan, rows.plan.stockpile.scale
    spent = max(scale.money, abs(plan.objective), *(abs(each) for each in plan.costs.values()))
    expected = assessment.OBJECTIVE if plan.cvar is None else assessment.EXPECTED
    total = cell(earlier, cost_headings.NAME, cost_headings.TOTAL)
    stated = cell(earlier, assessment.NAME, expected)
    yield "Headings sum to the expected cost", Agreement(total, stated, SLACK * spent)
    came, went = (
        [cell(earlier, quantities.NAME, label) for label in quantities.labels(*sides)]
        for sides in (IN, OUT)
    )
    slack = SLACK * max(LEAST * scale.quantity, sum(each.value for each in came))
    yield "Metal in equals metal out and stock", Agreement(_sum(came), _sum(went), slack)
    arrivals = rows.total(Movement, "quantity", kind="arrival")
    delivered = cell(earlier, quantities.NAME, Delivery.SUMMED[0].label)
    yield "Deliveries equal the arrivals of lots", Agreement(arrivals, delivered, slack)
    for deed, label in _signed():
        done = cell(earlier, quantities.NAME, label)
        asked = rows.total(Action, "quantity", kind=deed)
        slack = SLACK * max(LEAST * scale.quantity, done.value)
        if asked.value or done.value:
            yield f"Actions sum up what is {label.lower()}", Agreement(asked, done, slack)
    if appropriations.NAME in earlier:
        paid = rows.total(Payment, "amount")
        spent_of = cell(earlier, appropriations.NAME, appropriations.TOTAL, appropriations.SPENT)
        slack = SLACK * max(LEAST * scale.money, paid.value)
        yield "Payments equal what appropriations spent", Agreement(paid, spent_of, slack)


def _signed() -> Iterator[tuple[str, str]]:
    """Yield the kinds of commitment to metal, each with the line of what the plan does of it."""
    for kind in results():
        deed = kind.DEED if kind.LETTER else None
        if deed is not None and kind.SUMMED and deed.quantity == kind.SUMMED[0].column:
            yield deed.kind, kind.SUMMED[0].label


def _sum(parts: Sequence[Origin]) -> Combined:
    return Combined(tuple(parts), math.fsum(each.value for each in parts))
