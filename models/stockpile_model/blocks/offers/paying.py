"""Pay for orders: price and adder, duty and freight, and the cost of placing them."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.joint_orders import exempted, waived
from stockpile_model.blocks.offers.joint_terms import JointTerms
from stockpile_model.blocks.offers.order_terms import OrderTerms, PaymentTerm
from stockpile_model.blocks.offers.ordering import placed_share
from stockpile_model.blocks.offers.price_segments import spent
from stockpile_model.blocks.offers.sharing import paid_for
from stockpile_model.formulation import summed
from stockpile_model.ledger import Binding, Ledger


def post_payments(m: pyo.ConcreteModel, joint: JointTerms, ledger: Ledger) -> None:
    """Post what each buyer pays for metal, duty and freight, by the order that obligates it.

    An order is obligated in full when it is placed; what does not arrive of it is released.
    """
    terms = joint.orders
    for (o, n), payment in terms.payments.items():
        if o in terms.shared:
            _post_shared(m, joint, ledger, o, n)
            continue
        (b,) = terms.buyers[o]
        for each in payment.nodes:
            order = Binding((each,))
            found = _outlays(m, joint, o, b, n, PaymentTerm([each], payment.share))
            _post(terms, ledger, o, b, n, found, order)
            if payment.share < 1:
                lost = _outlays(m, joint, o, b, n, PaymentTerm([each], 1 - payment.share))
                _release(terms, ledger, o, b, n, lost, order)


def _post_shared(m: pyo.ConcreteModel, joint: JointTerms, ledger: Ledger, o: str, n: int) -> None:
    """Post what buyers pay together at a node, and what is obligated with it and fails.

    A buyer's part of orders that arrive together may be of any of them. It bears what fails in
    proportion to what it pays; where nothing arrives any buyer may.
    """
    terms = joint.orders
    payment = terms.payments[o, n]
    order = _together(m, joint, o, n, payment)
    for b in terms.buyers[o]:
        found = _outlays(m, joint, o, b, n, payment)
        _post(terms, ledger, o, b, n, found, order)
        if 0 < payment.share < 1:
            rest = (1 - payment.share) / payment.share
            lost = {heading: rest * each for heading, each in found.items()}
            failing = _together(m, joint, o, n, payment._replace(share=1 - payment.share))
            _release(terms, ledger, o, b, n, lost, failing)
    if payment.share <= 0:
        for each in payment.nodes:
            lost = _outlays(m, joint, o, "", n, PaymentTerm([each], 1.0), whole=True)
            _release(terms, ledger, o, "", n, lost, Binding((each,)))


def _together(
    m: pyo.ConcreteModel, joint: JointTerms, o: str, n: int, payment: PaymentTerm
) -> Binding:
    """Return where orders are obligated that arrive together, each with what it costs."""
    if len(payment.nodes) == 1:
        return Binding(tuple(payment.nodes))
    bills = {each: PaymentTerm([each], payment.share) for each in sorted(payment.nodes)}
    most = {
        each: summed(_outlays(m, joint, o, "", n, bill, whole=True).values())
        for each, bill in bills.items()
    }
    return Binding(tuple(most), ("order", o, n), most)


def _outlays(
    m: pyo.ConcreteModel,
    joint: JointTerms,
    o: str,
    b: str,
    n: int,
    payment: PaymentTerm,
    whole: bool = False,
) -> dict[str, Any]:
    """Return by heading what a buyer pays at a node for orders, or (`whole`) what they cost."""
    terms = joint.orders
    broken = (o, payment.nodes[0]) in terms.segments
    outlays = _with_breaks if broken else _at_one_price
    found = outlays(m, terms, o, b, n, payment, whole)
    if terms.offer(o, n).freight and any((o, each) in m.WAIVABLE for each in payment.nodes):
        free = waived(m, o, payment) if whole else exempted(m, o, b, n, payment)
        found["freight"] -= terms.offer(o, n).freight * free
    return found


def _post(
    terms: OrderTerms,
    ledger: Ledger,
    o: str,
    b: str,
    n: int,
    outlays: dict[str, Any],
    order: Binding,
) -> None:
    """Post what a buyer pays at a node under an offer."""
    material = terms.offers[o].material
    for heading, amount in outlays.items():
        ledger.pay(n, heading, amount, "purchase", material, b or None, o, obligation=order)


def _release(
    terms: OrderTerms,
    ledger: Ledger,
    o: str,
    b: str,
    n: int,
    outlays: dict[str, Any],
    order: Binding,
) -> None:
    """Post what does not arrive of an order: it was obligated in full, and is released."""
    amount = summed(outlays.values())
    ledger.release(n, amount, "purchase", terms.offers[o].material, b or None, o, order)


def post_order_costs(m: pyo.ConcreteModel, terms: OrderTerms, ledger: Ledger) -> None:
    """Post order_cost·place."""
    for o, n in terms.orders:
        row = terms.offer(o, n)
        if row.order_cost > 0:
            amount = row.order_cost * placed_share(m, o, n)
            ledger.pay(n, "order_costs", amount, "purchase", row.material, name=o)


def _at_one_price(
    m: pyo.ConcreteModel,
    terms: OrderTerms,
    o: str,
    b: str,
    n: int,
    payment: PaymentTerm,
    whole: bool,
) -> dict[str, Any]:
    """Return by heading what a buyer pays at a node for orders without price breaks [money]."""
    row = terms.offer(o, n)
    rate = offer_terms.price(terms.stockpile, row, n)
    quantity, share = _quantity(m, terms, o, b, n, payment, whole)
    costs = {"purchases": rate + row.adder, "duty": row.duty * rate, "freight": row.freight}
    return {heading: share * each * quantity for heading, each in costs.items() if each}


def _with_breaks(
    m: pyo.ConcreteModel,
    terms: OrderTerms,
    o: str,
    b: str,
    n: int,
    payment: PaymentTerm,
    whole: bool,
) -> dict[str, Any]:
    """Return by heading what a buyer pays at a node for orders with price breaks [money]."""
    row = terms.offer(o, n)
    shared = o in terms.shared and not whole
    metal = m.bill[o, b, n] if shared else spent(m, terms, o, n, payment)
    quantity, share = _quantity(m, terms, o, b, n, payment, whole)
    costs = {"purchases": row.adder, "freight": row.freight}
    outlays = {heading: share * each * quantity for heading, each in costs.items() if each}
    outlays["purchases"] = outlays.get("purchases", 0.0) + metal
    if row.duty:
        outlays["duty"] = row.duty * metal
    return outlays


def _quantity(
    m: pyo.ConcreteModel,
    terms: OrderTerms,
    o: str,
    b: str,
    n: int,
    payment: PaymentTerm,
    whole: bool,
) -> tuple[Any, float]:
    """Return a quantity and the share of it that a buyer pays at a node [quantity, 1].

    `whole`: of all buyers together.
    """
    if o in terms.shared and not whole:
        return paid_for(m, terms, o, b, n), 1.0
    return summed(m.buy[o, each] for each in payment.nodes), payment.share
