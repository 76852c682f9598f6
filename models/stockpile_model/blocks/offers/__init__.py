"""Offers: spot and framework offers, ordered in one period and delivered in a later one.

Beyond `firm_periods` orders are relaxed: placed in part (place = buy/cap costs least), in parts of
lots, at a mix of the prices of their breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Block, Deed, Tally, Way
from stockpile_model.blocks.offers import (
    order_arrivals,
    ordering,
    paying,
    price_segments,
    sharing,
)
from stockpile_model.blocks.offers.break_terms import PriceBreak
from stockpile_model.blocks.offers.offer_checks import check, review
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_report import Order, report
from stockpile_model.blocks.offers.order_terms import OrderTerms
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.ledger import DUTY, FREIGHT, Heading, Ledger
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add the orders, their arrivals and their payments."""
    terms = OrderTerms(stockpile)

    ordering.add_sets(m, terms)
    ordering.add_variables(m, terms)
    ordering.cap_order(m, terms)
    ordering.hold_minimum_order(m, terms)
    ordering.hold_lots(m, terms)

    price_segments.add_segments(m, terms)
    price_segments.balance_part(m, terms)
    price_segments.cap_part(m, terms)
    price_segments.hold_part(m, terms)
    price_segments.link_segment(m, terms)

    ordering.link_order_project(m, terms)
    ordering.cap_total(m, terms)

    order_arrivals.balance_arrival(m, terms)
    sharing.balance_portion(m, terms)
    sharing.balance_buyer_arrival(m, terms)
    sharing.balance_bill(m, terms)
    sharing.cap_bill(m, terms)

    order_arrivals.post_arrivals(m, terms, ledger)
    paying.post_payments(m, terms, ledger)
    paying.post_order_costs(m, terms, ledger)
    ordering.post_limits(m, terms, ledger)


def _can_order(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Yield the nodes at which an offer can be ordered."""
    return placeable(stockpile, stockpile.keyed(Offer)[name])


def _ordered(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return what is ordered under an offer at a node."""
    return [m.buy[name, node]] if (name, node) in m.ORDERS else []


def _ways(stockpile: Stockpile, supplier: str) -> Iterator[Way]:
    """Yield the offers of a supplier."""
    periods = 12 / stockpile.calendar.months
    for row in stockpile.rows(Offer):
        if row.supplier == supplier:
            yearly = None if row.capacity is None else row.capacity * periods
            yield Way(Offer.TABLE, row.offer, yearly)


BLOCK = Block(
    tables=(PriceBreak, Offer),
    results=(Order,),
    pays=("purchase",),
    sources={Offer.TABLE: "purchase"},
    headings=(
        Heading("purchases", "metal bought under offers"),
        Heading("order_costs", "cost of each order placed"),
        FREIGHT,
        DUTY,
    ),
    decisions=("reach", "buy", "place", "lots"),
    tallies=(Tally("buy", "order", alike=True),),
    deeds=(Deed("order", Offer.TABLE, metal=True, possible=_can_order, done=_ordered),),
    check=check,
    review=review,
    add=add,
    report=report,
    ways=_ways,
)
