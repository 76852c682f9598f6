"""Pay for orders: price and adder, duty and freight, and the cost of placing them."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.joint_orders import exempted
from stockpile_model.blocks.offers.joint_terms import JointTerms
from stockpile_model.blocks.offers.order_terms import OrderTerms, PaymentTerm
from stockpile_model.blocks.offers.ordering import placed_share
from stockpile_model.blocks.offers.price_segments import spent
from stockpile_model.blocks.offers.sharing import paid_for
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger


def post_payments(m: pyo.ConcreteModel, joint: JointTerms, ledger: Ledger) -> None:
    """Post what each buyer pays for metal, duty and freight."""
    terms = joint.orders
    for (o, n), payment in terms.payments.items():
        material, broken = terms.offers[o].material, (o, payment.nodes[0]) in terms.segments
        for b in terms.buyers[o]:
            outlays = _with_breaks if broken else _at_one_price
            found = outlays(m, terms, o, b, n, payment)
            if terms.offer(o, n).freight and any((o, each) in m.WAIVABLE for each in payment.nodes):
                found["freight"] -= terms.offer(o, n).freight * exempted(m, joint, o, b, n)
            for heading, amount in found.items():
                ledger.pay(n, heading, amount, "purchase", material, b or None, o)


def post_order_costs(m: pyo.ConcreteModel, terms: OrderTerms, ledger: Ledger) -> None:
    """Post order_cost·place."""
    for o, n in terms.orders:
        row = terms.offer(o, n)
        if row.order_cost > 0:
            amount = row.order_cost * placed_share(m, o, n)
            ledger.pay(n, "order_costs", amount, "purchase", row.material, name=o)


def _at_one_price(
    m: pyo.ConcreteModel, terms: OrderTerms, o: str, b: str, n: int, payment: PaymentTerm
) -> dict[str, Any]:
    """Return by heading what a buyer pays at a node for orders without price breaks [money]."""
    row = terms.offer(o, n)
    rate = offer_terms.price(terms.stockpile, row, n)
    quantity, share = _quantity(m, terms, o, b, n, payment)
    costs = {"purchases": rate + row.adder, "duty": row.duty * rate, "freight": row.freight}
    return {heading: share * each * quantity for heading, each in costs.items() if each}


def _with_breaks(
    m: pyo.ConcreteModel, terms: OrderTerms, o: str, b: str, n: int, payment: PaymentTerm
) -> dict[str, Any]:
    """Return by heading what a buyer pays at a node for orders with price breaks [money]."""
    row = terms.offer(o, n)
    metal = m.bill[o, b, n] if o in terms.shared else spent(m, terms, o, n, payment)
    quantity, share = _quantity(m, terms, o, b, n, payment)
    costs = {"purchases": row.adder, "freight": row.freight}
    outlays = {heading: share * each * quantity for heading, each in costs.items() if each}
    outlays["purchases"] = outlays.get("purchases", 0.0) + metal
    if row.duty:
        outlays["duty"] = row.duty * metal
    return outlays


def _quantity(
    m: pyo.ConcreteModel, terms: OrderTerms, o: str, b: str, n: int, payment: PaymentTerm
) -> tuple[Any, float]:
    """Return a quantity and the share of it that a buyer pays at a node [quantity, 1]."""
    if o in terms.shared:
        return paid_for(m, terms, o, b, n), 1.0
    return summed(m.buy[o, each] for each in payment.nodes), payment.share
