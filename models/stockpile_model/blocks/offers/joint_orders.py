"""What is ordered from a supplier in one period: its least value, its cost, its free freight."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.offers.joint_terms import JointTerms
from stockpile_model.blocks.offers.order_terms import PaymentTerm
from stockpile_model.blocks.offers.sharing import paid_for
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger
from stockpile_model.tables import Supplier


def add_joint(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Add joint[s,n] and free[s,n]: whether anything is ordered, and whether freight is free."""
    firm = terms.orders.stockpile.firm

    def domain(m: pyo.ConcreteModel, s: str, n: int) -> Any:
        return pyo.Binary if firm(n) else pyo.UnitInterval

    m.JOINTS = pyo.Set(
        dimen=2, initialize=list(terms.offers), doc="supplier with terms, node of its orders"
    )
    m.joint = pyo.Var(
        m.JOINTS, domain=domain, doc="whether anything is ordered from a supplier [1]"
    )
    m.FREIGHTS = pyo.Set(
        dimen=2, initialize=terms.free, doc="supplier, node of orders whose freight may be free"
    )
    m.free = pyo.Var(
        m.FREIGHTS, domain=domain, doc="whether the freight of what is ordered is free [1]"
    )
    m.WAIVABLE = pyo.Set(
        dimen=2, initialize=terms.waivable, doc="offer, node of an order whose freight may be free"
    )
    m.waived = pyo.Var(
        m.WAIVABLE, domain=pyo.NonNegativeReals, doc="what is ordered free of freight [quantity]"
    )


def link_joint(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Order from a supplier jointly: buy[o,n] ≤ cap·joint[s,n]; place[o,n] ≤ joint[s,n]."""

    def rule(m: pyo.ConcreteModel, s: str, n: int, o: str) -> Any:
        if (o, n) in m.PLACINGS:
            return m.place[o, n] <= 1.0 * m.joint[s, n]
        return m.buy[o, n] <= terms.orders.limits[o, n] * m.joint[s, n]

    m.link_joint = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[(s, n, o) for s, n in m.JOINTS for o in terms.offers[s, n]]),
        rule=rule,
        doc="an offer is ordered with its supplier's others [quantity or 1]",
    )
    for (_, n, o), row in m.link_joint.items():
        if (o, n) in m.PLACINGS:
            m.scaling_factor[row] = 1.0


def hold_joint(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Hold what is ordered jointly to something: Σ_o buy[o,n] ≥ q·joint[s,n], q so that it shows.

    So nothing is paid for no metal.
    """
    m.hold_joint = pyo.Constraint(
        m.JOINTS,
        rule=lambda m, s, n: (
            summed(m.buy[o, n] for o in terms.offers[s, n]) >= terms.smallest(s, n) * m.joint[s, n]
        ),
        doc="what is ordered jointly is something [quantity]",
    )


def value(m: pyo.ConcreteModel, terms: JointTerms, s: str, n: int) -> Any:
    """Return the value of what is ordered from a supplier at a node: price and adder [money]."""
    parts = []
    for o in terms.offers[s, n]:
        rates = terms.rates(o, n)
        if (o, n) in terms.orders.segments:
            several = zip(range(len(terms.orders.segments[o, n])), rates, strict=False)
            parts += [rate * m.part[o, k, n] for k, rate in several]
        else:
            parts.append(rates[0] * m.buy[o, n])
    return summed(parts)


def hold_minimum_value(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Hold what is ordered jointly to its least value: Σ_o price·buy[o,n] ≥ least·joint[s,n]."""
    m.hold_minimum_value = pyo.Constraint(
        m.JOINTS,
        rule=lambda m, s, n: value(m, terms, s, n) >= terms.row(s, n).minimum_value * m.joint[s, n],
        doc="what is ordered jointly is worth the minimum [money]",
    )


def hold_free_value(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Free the freight from a value on: Σ_o price·buy[o,n] ≥ from·free[s,n]."""
    m.hold_free_value = pyo.Constraint(
        m.FREIGHTS,
        rule=lambda m, s, n: value(m, terms, s, n) >= _free_from(terms, s, n) * m.free[s, n],
        doc="freight is free from a value on [money]",
    )


def cap_charged_value(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Charge freight below that value only: Σ_o price·buy[o,n] ≤ from + (most - from)·free[s,n]."""

    def rule(m: pyo.ConcreteModel, s: str, n: int) -> Any:
        begin, most = _free_from(terms, s, n), terms.most_value(s, n)
        if most <= begin:
            return pyo.Constraint.Skip
        return value(m, terms, s, n) <= begin + (most - begin) * m.free[s, n]

    m.cap_charged_value = pyo.Constraint(
        m.FREIGHTS, rule=rule, doc="freight is charged up to a value [money]"
    )


def _free_from(terms: JointTerms, s: str, n: int) -> float:
    """Return the value from which freight is free at a node [money]."""
    return terms.row(s, n).free_freight_from or 0.0


def cap_waived(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Waive freight where it is free: waived[o,n] ≤ cap·free[s,n]."""
    m.cap_waived = pyo.Constraint(
        m.WAIVABLE,
        rule=lambda m, o, n: (
            m.waived[o, n] <= terms.orders.limits[o, n] * m.free[_supplier(terms, o), n]
        ),
        doc="freight is waived where it is free [quantity]",
    )


def cap_waived_order(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Waive the freight of what is ordered: waived[o,n] ≤ buy[o,n]."""
    m.cap_waived_order = pyo.Constraint(
        m.WAIVABLE,
        rule=lambda m, o, n: m.waived[o, n] <= m.buy[o, n],
        doc="freight is waived of what is ordered [quantity]",
    )


def hold_waived(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Waive all freight where it is free: waived[o,n] ≥ buy[o,n] - cap·(1 - free[s,n])."""
    m.hold_waived = pyo.Constraint(
        m.WAIVABLE,
        rule=lambda m, o, n: (
            m.waived[o, n]
            >= m.buy[o, n] - terms.orders.limits[o, n] * (1 - m.free[_supplier(terms, o), n])
        ),
        doc="all freight is waived where it is free [quantity]",
    )


def _supplier(terms: JointTerms, o: str) -> str:
    """Return the supplier of an offer."""
    return terms.orders.offers[o].supplier


def balance_exempt(m: pyo.ConcreteModel, terms: JointTerms) -> None:
    """Share what is waived among buyers: Σ_b exempt[o,b,n] = Σ of what is waived and paid there."""
    m.EXEMPT = pyo.Set(
        dimen=3,
        initialize=terms.exempt,
        doc="offer, buyer, node of a payment whose freight may be free",
    )
    m.exempt = pyo.Var(
        m.EXEMPT,
        domain=pyo.NonNegativeReals,
        doc="a buyer's part of what is free of freight [quantity]",
    )
    m.balance_exempt = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(dict.fromkeys((o, n) for o, _, n in terms.exempt))),
        rule=lambda m, o, n: (
            summed(m.exempt[o, b, n] for b in terms.orders.shared[o])
            == waived(m, o, terms.orders.payments[o, n])
        ),
        doc="the buyers' parts are what is free of freight [quantity]",
    )
    m.cap_exempt = pyo.Constraint(
        m.EXEMPT,
        rule=lambda m, o, b, n: m.exempt[o, b, n] <= paid_for(m, terms.orders, o, b, n),
        doc="a buyer is free of freight of what it pays for [quantity]",
    )


def exempted(m: pyo.ConcreteModel, o: str, b: str, n: int, payment: PaymentTerm) -> Any:
    """Return of what a buyer pays at a node, how much is free of freight [quantity]."""
    return m.exempt[o, b, n] if (o, b, n) in m.EXEMPT else waived(m, o, payment)


def waived(m: pyo.ConcreteModel, o: str, payment: PaymentTerm) -> Any:
    """Return of what is paid together, how much is free of freight [quantity]."""
    free = [m.waived[o, each] for each in payment.nodes if (o, each) in m.WAIVABLE]
    return payment.share * summed(free)


def post_joint_costs(m: pyo.ConcreteModel, terms: JointTerms, ledger: Ledger) -> None:
    """Post order_cost·joint, in the name of the supplier."""
    for s, n in m.JOINTS:
        if (cost := terms.row(s, n).order_cost) > 0:
            amount, material = cost * m.joint[s, n], terms.material(s)
            ledger.pay(n, "order_costs", amount, "purchase", material, name=s, table=Supplier.TABLE)
