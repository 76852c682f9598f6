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
    joint_orders,
    offer_choices,
    order_arrivals,
    ordering,
    paying,
    price_segments,
    rolled_offers,
    sharing,
)
from stockpile_model.blocks.offers.break_terms import PriceBreak
from stockpile_model.blocks.offers.joint_report import JointOrder
from stockpile_model.blocks.offers.joint_report import report as report_joint
from stockpile_model.blocks.offers.joint_terms import JointTerms
from stockpile_model.blocks.offers.offer_checks import check, review
from stockpile_model.blocks.offers.offer_terms import Offer, landed
from stockpile_model.blocks.offers.order_report import Order, report
from stockpile_model.blocks.offers.order_terms import OrderTerms
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms
from stockpile_model.choice import chosen
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import DUTY, FREIGHT, Heading, Ledger
from stockpile_model.schema import Result
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add the orders, their arrivals and their payments."""
    terms = OrderTerms(stockpile)
    joint = JointTerms(terms)

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

    _order_jointly(m, joint)

    order_arrivals.post_arrivals(m, terms, ledger)
    paying.post_payments(m, joint, ledger)
    paying.post_order_costs(m, terms, ledger)
    joint_orders.post_joint_costs(m, joint, ledger)
    ordering.post_limits(m, terms, ledger)


def _order_jointly(m: pyo.ConcreteModel, joint: JointTerms) -> None:
    """Hold what is ordered from a supplier in one period to the terms of the supplier."""
    joint_orders.add_joint(m, joint)
    joint_orders.link_joint(m, joint)
    joint_orders.hold_joint(m, joint)
    joint_orders.hold_minimum_value(m, joint)
    joint_orders.hold_free_value(m, joint)
    joint_orders.cap_charged_value(m, joint)
    joint_orders.cap_waived(m, joint)
    joint_orders.cap_waived_order(m, joint)
    joint_orders.hold_waived(m, joint)
    joint_orders.balance_exempt(m, joint)


def _report(formulation: Formulation) -> Iterator[Result]:
    """Yield the orders, and what is ordered from a supplier with terms of its own."""
    yield from report(formulation)
    yield from report_joint(formulation)


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


DEED = Deed(
    "order",
    Offer.TABLE,
    metal=True,
    possible=_can_order,
    done=_ordered,
    before=True,
    value=landed,
)

BLOCK = Block(
    tables=(PriceBreak, Offer, SupplierTerms),
    results=(Order, JointOrder),
    pays=("purchase",),
    sources={Offer.TABLE: "purchase"},
    headings=(
        Heading("purchases", "metal bought under offers"),
        Heading("order_costs", "cost of each order placed"),
        FREIGHT,
        DUTY,
    ),
    decisions=("reach", "buy", "place", "lots", "joint", "free"),
    follows=("waived", "exempt"),
    tallies=(Tally("buy", "order", alike=True),),
    deeds=(DEED,),
    choices=(
        chosen(
            DEED,
            kind="offer",
            facts=offer_choices.facts,
            lever=offer_choices.lever,
            payments=offer_choices.payments,
            why_not=offer_choices.why_not,
        ),
    ),
    check=check,
    review=review,
    add=add,
    report=_report,
    ways=_ways,
    rolls=rolled_offers.rolls,
)
