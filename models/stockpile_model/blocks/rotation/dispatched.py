"""What leaves in each period through an outlet whose dispatches have a minimum, lots or a cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model import amounts
from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms, whole
from stockpile_model.blocks.rotation.dispatching import made, through_outlets
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.schema import Dated, column


@dataclass(frozen=True, kw_only=True)
class Dispatch(Dated):
    """Describe what leaves in a period through an outlet, of all lots together."""

    SHEET = "dispatches"
    ABOUT = "what leaves together through an outlet: its lots and the cost of the dispatch"
    PLACE = 44
    RENEWED = True
    ALWAYS = False
    date: dt.date = column("first day of the period")
    outlet: str = column("outlet")
    form: str = column("form of the outlet")
    country: str | None = column("country of the taker")
    material: str = column("material")
    quantity: float = column("what leaves, of all lots and sites together", "quantity")
    lots: int | None = column("whole lots", "lots")
    order_cost: float = column("cost of the dispatch", "money")
    relaxed: bool = column(
        "whether it is beyond firm_periods: lots, minimum and cost hold on average only"
    )


def dispatched(formulation: Formulation) -> Iterator[Dispatch]:
    """Yield each dispatch that the plan makes, where it has a minimum, lots or a cost."""
    m, stockpile, through = formulation.m, formulation.stockpile, through_outlets(formulation.m)
    terms = DispatchTerms(stockpile, formulation.ledger, list(through))
    for (r, n), outs in through.items():
        row, firm = terms.outlet(r, n), stockpile.firm(n)
        quantity = evaluate(summed(outs)) if whole(stockpile, row) else 0.0
        if quantity <= stockpile.scale.nothing:
            continue
        lots = round(evaluate(m.dispatch_lots[r, n])) if (r, n) in m.LOT_DISPATCHES else None
        in_lots = None if lots is None else amounts.lots(lots, terms.lot(r, n) or 0.0)
        share = 1.0 if firm or row.order_cost == 0 else evaluate(made(m, terms, through, r, n))
        yield Dispatch(
            **stockpile.where(n),
            date=stockpile.date(n),
            outlet=r,
            form=row.form,
            country=row.country,
            material=row.material,
            quantity=_settled(row, quantity, firm, in_lots),
            lots=lots,
            order_cost=row.order_cost * share,
            relaxed=not firm,
        )


def _settled(row: Outlet, quantity: float, firm: bool, lots: float | None) -> float:
    """Return what leaves as a person would write it [quantity]: in lots, within its limits."""
    if lots is not None:
        return lots if abs(lots - quantity) <= amounts.NOISE * lots else quantity
    return amounts.snapped(quantity, (row.minimum_order if firm else None,), (row.capacity,))
