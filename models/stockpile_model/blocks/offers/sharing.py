"""Share orders among buyers: each pays for what arrives at its sites."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.order_terms import OrderTerms
from stockpile_model.blocks.offers.price_segments import spent
from stockpile_model.formulation import summed


def balance_portion(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Share an order that is paid when placed among its buyers b: Σ_b portion[o,b,n] = buy[o,n]."""
    m.PORTIONS = pyo.Set(
        dimen=3,
        initialize=terms.portions,
        doc="offer, buyer, node of an order that is paid when placed and that buyers share",
    )
    m.portion = pyo.Var(
        m.PORTIONS, domain=pyo.NonNegativeReals, doc="a buyer's part of an order [quantity]"
    )
    m.balance_portion = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(dict.fromkeys((o, n) for o, _, n in terms.portions))),
        rule=lambda m, o, n: summed(m.portion[o, b, n] for b in terms.shared[o]) == m.buy[o, n],
        doc="the buyers' parts are the whole order [quantity]",
    )


def balance_buyer_arrival(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Bring each buyer its part: Σ_w arrive[o,w,d] = availability·portion[o,b,n], w its sites."""
    portions = frozenset(terms.portions)
    keys = [
        (o, b, d)
        for (o, d), nodes in terms.placed_at.items()
        if o in terms.shared and (o, terms.shared[o][0], nodes[0]) in portions
        for b in terms.shared[o]
    ]

    def rule(m: pyo.ConcreteModel, o: str, b: str, d: int) -> Any:
        share, nodes = terms.offer(o, d).availability, terms.placed_at[o, d]
        paid = summed(share * m.portion[o, b, n] for n in nodes)
        return _arriving(m, terms, o, b, d) == paid

    m.balance_buyer_arrival = pyo.Constraint(
        pyo.Set(dimen=3, initialize=keys),
        rule=rule,
        doc="what arrives for a buyer is its part of the order [quantity]",
    )


def balance_bill(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Share the price of an order with breaks: Σ_b bill[o,b,n] = what it costs without adder."""
    m.BILLS = pyo.Set(
        dimen=3,
        initialize=terms.bills,
        doc="offer, buyer, node at which an order with price breaks is paid that buyers share",
    )
    m.bill = pyo.Var(
        m.BILLS,
        domain=pyo.NonNegativeReals,
        doc="what a buyer pays for its part of an order, without adder [money]",
    )
    m.balance_bill = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(dict.fromkeys((o, n) for o, _, n in terms.bills))),
        rule=lambda m, o, n: (
            summed(m.bill[o, b, n] for b in terms.shared[o])
            == spent(m, terms, o, n, terms.payments[o, n])
        ),
        doc="the buyers' payments are the price of the order [money]",
    )


def cap_bill(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Cap each buyer's bill: bill[o,b,n] ≤ the highest price · what it pays for."""
    m.cap_bill = pyo.Constraint(
        m.BILLS,
        rule=lambda m, o, b, n: (
            m.bill[o, b, n] <= max(terms.prices(o, n)) * paid_for(m, terms, o, b, n)
        ),
        doc="no buyer pays more for its part than the highest price of the offer [money]",
    )


def paid_for(m: pyo.ConcreteModel, terms: OrderTerms, o: str, b: str, n: int) -> Any:
    """Return what a buyer's payment at a node is for, of an order that buyers share [quantity]."""
    return m.portion[o, b, n] if terms.at_once(o, n) else _arriving(m, terms, o, b, n)


def _arriving(m: pyo.ConcreteModel, terms: OrderTerms, o: str, b: str, d: int) -> Any:
    """Return what arrives at a buyer's sites at a node [quantity]."""
    sites = offer_terms.sites_of(terms.stockpile, terms.offers[o], b)
    return summed(m.arrive[o, w, d] for w in sites)
