"""Order: how much of which offer, placed or not, in lots, within the offer's limits."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.in_transit import transit_terms
from stockpile_model.blocks.offers.order_terms import OrderTerms
from stockpile_model.blocks.projects import going
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger


def add_sets(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Add the sets of orders."""
    m.OFFERS = pyo.Set(initialize=list(terms.offers), doc="offers")
    m.ORDERS = pyo.Set(
        dimen=2, initialize=terms.orders, doc="offer, node at which it can be ordered"
    )
    m.PLACINGS = pyo.Set(dimen=2, initialize=terms.placings, doc="orders that are placed or not")
    m.LOT_ORDERS = pyo.Set(dimen=2, initialize=terms.lot_orders, doc="orders in whole lots")


def add_variables(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Add what is ordered, whether an order is placed, and in how many lots.

    Where an order is placed or not its capacity is a row alone, so that one thing gives way when
    the limit does.
    """
    placed, limits, firm = terms.placed, terms.limits, terms.stockpile.firm
    m.buy = pyo.Var(
        m.ORDERS,
        bounds=lambda m, o, n: (0, None if (o, n) in placed else limits[o, n]),
        doc="quantity ordered [quantity]",
    )
    m.place = pyo.Var(
        m.PLACINGS,
        domain=lambda m, o, n: pyo.Binary if firm(n) else pyo.UnitInterval,
        doc="whether an order is placed [1]",
    )
    m.lots = pyo.Var(m.LOT_ORDERS, domain=pyo.NonNegativeIntegers, doc="lots in an order [lots]")


def cap_order(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Cap an order: buy ≤ cap·place. With price breaks its segments do."""
    m.cap_order = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[key for key in terms.placings if key not in terms.segments]),
        rule=lambda m, o, n: m.buy[o, n] <= terms.limits[o, n] * m.place[o, n],
        doc="an order is placed and within the capacity [quantity]",
    )


def hold_minimum_order(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Hold an order to its minimum: buy ≥ q_min·place."""
    m.hold_minimum_order = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[key for key in terms.placings if terms.smallest(*key) > 0]),
        rule=lambda m, o, n: m.buy[o, n] >= terms.smallest(o, n) * m.place[o, n],
        doc="an order is at least the minimum [quantity]",
    )


def hold_lots(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Hold an order to whole lots: buy = lot·lots."""
    m.hold_lots = pyo.Constraint(
        m.LOT_ORDERS,
        rule=lambda m, o, n: m.buy[o, n] == terms.lot(o, n) * m.lots[o, n],
        doc="an order is whole lots [quantity]",
    )


def link_order_project(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Let an order wait for its project: place ≤ ready; without place, buy ≤ cap·ready."""
    placed = terms.placed

    def rule(m: pyo.ConcreteModel, o: str, n: int) -> Any:
        ready = going.ready(m, terms.stockpile, str(terms.offer(o, n).project), n)
        if (o, n) in placed:
            return m.place[o, n] <= 1.0 * ready
        return m.buy[o, n] <= terms.limits[o, n] * ready

    m.link_order_project = pyo.Constraint(
        pyo.Set(dimen=2, initialize=terms.waiting),
        rule=rule,
        doc="an order waits until its project is ready [quantity or 1]",
    )
    for key, row in m.link_order_project.items():
        if key in placed:
            m.scaling_factor[row] = 1.0


def cap_total(m: pyo.ConcreteModel, terms: OrderTerms) -> None:
    """Cap the orders over the horizon: Σ_path buy + what is in transit ≤ total."""
    m.cap_total = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(terms.on_path)),
        rule=lambda m, o, leaf: _in_all(m, terms, o, leaf) <= terms.offer(o, leaf).total,
        doc="orders over the horizon stay within the offer's total [quantity]",
    )


def _in_all(m: pyo.ConcreteModel, terms: OrderTerms, o: str, leaf: int) -> Any:
    """Return what is ordered over a path, with what was before the start [quantity]."""
    came = transit_terms.under(terms.stockpile, o, leaf)
    return summed([*(m.buy[o, n] for n in terms.on_path[o, leaf]), *([came] if came else [])])


def post_limits(m: pyo.ConcreteModel, terms: OrderTerms, ledger: Ledger) -> None:
    """Post the capacity of every order that it limits, and the totals."""
    for o, n in terms.orders:
        row = terms.offer(o, n)
        if row.capacity is None or terms.limits[o, n] != row.capacity:
            continue
        data, factor = m.buy[o, n], 1.0
        if (o, n) in terms.segments:
            last = len(terms.segments[o, n]) - 1
            data, factor = m.cap_part[o, last, n], m.reach[o, last, n]
        elif (o, n) in terms.placed:
            data, factor = m.cap_order[o, n], m.place[o, n]
        what, used = f"capacity of offer {o}", m.buy[o, n]
        ledger.limit(data, "most", row.capacity, "quantity", what, row, "capacity", n, used, factor)
    for o, leaf in m.cap_total:
        row = terms.offer(o, leaf)
        data, amount, what = m.cap_total[o, leaf], row.total or 0.0, f"total of offer {o}"
        ledger.limit(data, "most", amount, "quantity", what, row, "total", leaf)


def placed_share(m: pyo.ConcreteModel, o: str, n: int) -> Any:
    """Return how far an order is placed [1].

    Without a variable of its own it is placed as far as it is bought of its ceiling.
    """
    if (o, n) in m.PLACINGS:
        return m.place[o, n]
    return (1 / pyo.value(m.buy[o, n].upper)) * m.buy[o, n]
