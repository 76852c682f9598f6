"""Report what is ordered from a supplier with terms of its own in each period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Dated, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class JointOrder(Dated):
    """All that is ordered in a period from a supplier with terms of its own."""

    SHEET = "joint_orders"
    ABOUT = "what is ordered together from a supplier, by its order terms"
    PLACE = 11
    RENEWED = True
    ALWAYS = False
    MEANS = ("date", "supplier")
    DECIDED = "date"
    RANK = 4
    date: dt.date = column("first day of the period in which the orders are placed")
    supplier: str = column("supplier")
    offers: str = column("offers under which it is ordered")
    ordered: float = column("quantity ordered under all offers", "quantity")
    value: float = column("price and adder of it, as they stand when it is ordered", "money")
    minimum_value: float = column("least value of an order", "money", given=True)
    order_cost: float = column("cost of ordering in this period", "money")
    free_freight_from: float | None = column(
        "value from which freight is free; blank = it is paid", "money", given=True
    )
    freight_free: bool = column("whether no freight is paid for what is ordered")
    relaxed: bool = column("whether it is beyond firm_periods: the terms hold on average only")
    instruction: str = column("what to do", sentence=True)


def report(formulation: Formulation) -> Iterator[JointOrder]:
    """Yield what is ordered together."""
    m, stockpile = formulation.m, formulation.stockpile
    for s, n in m.JOINTS:
        offers = [row for row in stockpile.at(n).rows(Offer) if row.supplier == s]
        ordered = {
            row.offer: evaluate(m.buy[row.offer, n])
            for row in offers
            if (row.offer, n) in m.ORDERS
            and evaluate(m.buy[row.offer, n]) > stockpile.scale.nothing
        }
        if ordered:
            yield _joint(formulation, s, n, ordered)


def _joint(formulation: Formulation, s: str, n: int, ordered: dict[str, float]) -> JointOrder:
    """Return what is ordered together from a supplier at a node."""
    m, stockpile = formulation.m, formulation.stockpile
    row, firm = stockpile.at(n).keyed(SupplierTerms)[s], stockpile.firm(n)
    joint = 1.0 if firm else evaluate(m.joint[s, n])
    value = sum(_value(m, stockpile, o, n, quantity) for o, quantity in ordered.items())
    date = stockpile.calendar.begin(stockpile.tree.period[n])
    begin = row.free_freight_from
    free = begin is not None and value >= begin  # where no order has freight to be free of
    if (s, n) in m.FREIGHTS:
        free = evaluate(m.free[s, n]) > 0.5
    currency, offers = stockpile.settings.currency, ", ".join(sorted(ordered))
    instruction = (
        f"{amounts.month(date)}{'' if firm else ', indicative'}: order from {s} at once under"
        f" {offers}, for {amounts.money(value)} {currency} without duty and freight"
    )
    if free:
        instruction += ", free of freight"
    return JointOrder(
        **stockpile.where(n),
        date=date,
        supplier=s,
        offers=offers,
        ordered=sum(ordered.values()),
        value=value,
        minimum_value=row.minimum_value,
        order_cost=joint * row.order_cost,
        free_freight_from=row.free_freight_from,
        freight_free=free,
        relaxed=not firm,
        instruction=instruction,
    )


def _value(m: pyo.ConcreteModel, stockpile: Stockpile, o: str, n: int, quantity: float) -> float:
    """Return price and adder of an order as it is placed [money]."""
    row = stockpile.at(n).keyed(Offer)[o]
    rates = offer_terms.prices(stockpile, row, n)
    if (o, 0, n) not in m.SEGMENTS:
        return (rates[0] + row.adder) * quantity
    parts = [evaluate(m.part[o, k, n]) for k in range(len(rates)) if (o, k, n) in m.SEGMENTS]
    return sum(rate * part for rate, part in zip(rates, parts, strict=False)) + row.adder * quantity
