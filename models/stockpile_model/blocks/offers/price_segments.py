"""Divide an order with price breaks over the segments s of its price, from begin_s to end_s."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.offers.order_terms import OrderTerms, PaymentTerm
from stockpile_model.formulation import summed


def add_segments(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Add the part of an order in each segment, and whether the order reaches it."""
    firm = terms.stockpile.firm
    keys = [(o, s, n) for (o, n), each in terms.segments.items() for s in range(len(each))]
    m.SEGMENTS = pyo.Set(
        dimen=3,
        initialize=keys,
        doc="offer, segment of its price, node at which an order can reach it",
    )
    m.part = pyo.Var(
        m.SEGMENTS,
        domain=pyo.NonNegativeReals,
        doc="part of an order in a segment [quantity]",
    )
    m.reach = pyo.Var(
        m.SEGMENTS,
        domain=lambda m, o, s, n: pyo.Binary if firm(n) else pyo.UnitInterval,
        doc="whether an order reaches a segment [1]",
    )


def balance_part(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Divide an order: Σ_s part_s = buy."""
    m.balance_part = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(terms.segments)),
        rule=lambda m, o, n: (
            summed(m.part[o, s, n] for s in range(len(terms.segments[o, n]))) == m.buy[o, n]
        ),
        doc="an order is divided over the segments of its price [quantity]",
    )


def cap_part(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Cap a segment: part_s ≤ width_s·reach_s; with a price for all units the width is end_s."""
    m.cap_part = pyo.Constraint(
        m.SEGMENTS,
        rule=lambda m, o, s, n: m.part[o, s, n] <= terms.width(o, s, n) * m.reach[o, s, n],
        doc="a segment holds no more than its width, and only once reached [quantity]",
    )


def hold_part(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Hold a segment to what its price asks for.

    All units: part_s ≥ begin_s·reach_s. Incremental: part_s ≥ width_s·reach_{s+1}.
    """

    def rule(m: pyo.ConcreteModel, o: str, s: int, n: int) -> Any:
        quantity, reached = terms.least(o, s, n) or (0.0, s)
        return m.part[o, s, n] >= quantity * m.reach[o, reached, n]

    m.hold_part = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[key for key in m.SEGMENTS if terms.least(*key)]),
        rule=rule,
        doc="a price holds from its break on [quantity]",
    )


def link_segment(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Give an order that is placed a price.

    All units: Σ_s reach_s = place. Incremental: reach_0 = place.
    """

    def rule(m: pyo.ConcreteModel, o: str, n: int) -> Any:
        first = 1 if terms.incremental(o) else len(terms.segments[o, n])
        return summed(m.reach[o, s, n] for s in range(first)) == m.place[o, n]

    m.link_segment = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(terms.segments)),
        rule=rule,
        doc="an order that is placed has a price [1]",
    )


def spent(m: pyo.ConcreteModel, terms: OrderTerms, o: str, n: int, payment: PaymentTerm) -> Any:
    """Return what is paid at a node for orders with price breaks, without adder [money]."""
    rates = terms.prices(o, n)
    return summed(
        payment.share * rate * m.part[o, s, at]
        for at in payment.nodes
        for s, rate in zip(range(len(terms.segments[o, at])), rates, strict=False)
    )
