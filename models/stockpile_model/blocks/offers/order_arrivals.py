"""Let orders arrive a lead time later, at every descendant d of the node n of the order."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.order_terms import OrderTerms, PaymentTerm
from stockpile_model.blocks.offers.price_segments import spent
from stockpile_model.formulation import summed
from stockpile_model.ledger import Arrival, Ledger


def balance_arrival(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Split what arrives over the sites w: Σ_w arrive[o,w,d] = availability·buy[o,n]."""
    m.ARRIVALS = pyo.Set(
        dimen=3,
        initialize=[(o, w, d) for o, d in terms.split for w in terms.landing[o]],
        doc="offer, site, node of an arrival that may be split",
    )
    m.arrive = pyo.Var(
        m.ARRIVALS, domain=pyo.NonNegativeReals, doc="what arrives at a site [quantity]"
    )
    m.balance_arrival = pyo.Constraint(
        pyo.Set(dimen=2, initialize=terms.split),
        rule=lambda m, o, d: (
            summed(m.arrive[o, w, d] for w in terms.landing[o]) == _brought(m, terms, o, d)
        ),
        doc="what arrives is split over the sites [quantity]",
    )


def post_arrivals(m: pyo.ConcreteModel, terms: OrderTerms, ledger: Ledger) -> None:
    """Post what arrives at each site."""
    for (o, d), nodes in terms.placed_at.items():
        row, sites = terms.offer(o, d), terms.landing[o]
        limits = [terms.limits[o, n] for n in nodes]
        stated = [each for each in limits if each is not None]
        most = row.availability * sum(stated) if len(stated) == len(limits) else None
        unit_price, age = _unit_price(m, terms, o, d), terms.age(o, d)
        for w in sites:
            amount = m.arrive[o, w, d] if len(sites) > 1 else _brought(m, terms, o, d)
            what = amount, "offers", o, row.supplier, unit_price, most
            ledger.bring(Arrival(d, row.material, w, age, *what))


def _brought(m: pyo.ConcreteModel, terms: OrderTerms, o: str, d: int) -> Any:
    """Return what the orders that arrive at a node bring [quantity]."""
    share = terms.offer(o, d).availability
    return summed(share * m.buy[o, n] for n in terms.placed_at[o, d])


def _unit_price(m: pyo.ConcreteModel, terms: OrderTerms, o: str, d: int) -> Any:
    """Return what a unit that arrives costs with its adder.

    Where orders have price breaks, or are paid at several nodes, it is the pair of money and
    quantity of which it is the ratio.
    """
    nodes = terms.placed_at[o, d]
    if not terms.at_once(o, d):
        row = terms.offer(o, d)
        if (o, nodes[0]) not in terms.segments:
            return offer_terms.price(terms.stockpile, row, d) + row.adder
        quantity = summed(m.buy[o, n] for n in nodes)
        return spent(m, terms, o, d, PaymentTerm(nodes, 1.0)) + row.adder * quantity, quantity
    if len(nodes) == 1 and (o, nodes[0]) not in terms.segments:
        row = terms.offer(o, nodes[0])
        return offer_terms.price(terms.stockpile, row, nodes[0]) + row.adder
    metal = [
        (
            spent(m, terms, o, n, PaymentTerm([n], 1.0))
            if (o, n) in terms.segments
            else offer_terms.price(terms.stockpile, terms.offer(o, n), n) * m.buy[o, n]
        )
        for n in nodes
    ]
    adders = [terms.offer(o, n).adder * m.buy[o, n] for n in nodes]
    return summed([*metal, *adders]), summed(m.buy[o, n] for n in nodes)
