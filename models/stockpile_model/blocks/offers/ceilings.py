"""Ceilings of orders: the most that one order can hold. It holds no variable."""

from __future__ import annotations

import functools
import math

from stockpile_model.blocks.offers import offer_terms, usefulness
from stockpile_model.blocks.offers.break_terms import breaks
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.supplier_terms import sought, terms_of
from stockpile_model.extremes import larger, smaller
from stockpile_model.stockpile import Stockpile

EXCESS = 100.0  # times the largest need: an offer's own limit above that is no bound [1]


def needs_binary(stockpile: Stockpile, offer: Offer) -> bool:
    """Return whether an order is placed or not: it has a minimum, a cost or price breaks."""
    return offer.minimum_order > 0 or offer.order_cost > 0 or offer.offer in breaks(stockpile)


def needs_ceiling(stockpile: Stockpile, offer: Offer) -> bool:
    """Return whether an order needs a bound.

    It does where it is placed or not, is ordered with others of its supplier, waits for a project,
    or where a rule of another block depends on it.
    """
    return (
        needs_binary(stockpile, offer)
        or terms_of(stockpile, offer.supplier) is not None
        or offer.project is not None
        or bool(usefulness.reason(stockpile))
    )


def ceiling(stockpile: Stockpile, offer: Offer, node: int) -> float | None:
    """Return the most that one order can hold [quantity]; None where nothing bounds it.

    It is what the offer allows, or else what the data let be of any use. What is allowed in great
    excess of all needs is cut to that too: the cost of an order would hide in the solver's
    tolerance.
    """
    allowed = _allowed(stockpile, offer, node)
    if allowed is not None and allowed <= EXCESS * stockpile.scale.largest:
        return allowed
    arrival = stockpile.tree.period[node] + offer_terms.lead(stockpile, offer)
    # Where least arrives most must be ordered for the same use.
    arriving = (
        stockpile.at(n).keyed(Offer)[offer.offer].availability
        for n in stockpile.tree.below[node]
        if stockpile.tree.period[n] == arrival
    )
    availability = min((each for each in arriving if each > 0), default=0.0)
    if availability == 0:
        return 0.0 if allowed is None else allowed
    useful = usefulness.useful(stockpile, offer.material, arrival, offer.offer, market(stockpile))
    if useful == math.inf:
        return allowed
    # More than what is of use may be cheaper in all: up to the last price break.
    rows = breaks(stockpile.at(node)).get(offer.offer, ())
    least = offer.minimum_order + _raised(stockpile, offer)
    most = max([useful / availability + least, *(row.from_quantity for row in rows)])
    if most == math.inf:
        return allowed
    within = most * _shifted(stockpile, offer) + (stockpile.lot(offer.lot_size) or 0)
    return smaller(_or_infinite(allowed), within)


def _allowed(stockpile: Stockpile, offer: Offer, node: int) -> float | None:
    """Return the most that an offer allows an order at a node: its capacity, or else its total."""
    allowed = offer.capacity
    end = stockpile.calendar.periods - 1
    leaves = (n for n in stockpile.tree.below[node] if stockpile.tree.period[n] == end)
    totals = [stockpile.at(leaf).keyed(Offer)[offer.offer].total for leaf in leaves]
    stated = [each for each in totals if each is not None]
    return min(stated) if allowed is None and stated else allowed


def _raised(stockpile: Stockpile, offer: Offer) -> float:
    """Return how much of an offer may be bought to reach a value that its supplier asks for.

    The result is infinite where metal costs nothing [quantity].
    """
    value = sought(stockpile, offer.supplier)
    if value == 0:
        return 0.0
    rate = cheapest(stockpile, offer.offer)
    return value / rate if rate > 0 else math.inf


def _shifted(stockpile: Stockpile, offer: Offer) -> float:
    """Return how many times what is of use several buyers may buy [1].

    Each pays at most the price p without breaks. What one cannot pay another can only take over
    by buying more: p - p_s for each unit more at the price p_s, and at most p_s for all that is
    bought.
    """
    if len(offer_terms.buyers(stockpile, offer)) < 2:
        return 1.0
    rates = (
        offer_terms.prices(stockpile, stockpile.at(n).keyed(Offer)[offer.offer], n)
        for n in stockpile.tree.nodes
    )
    return max(
        (max(each) / (max(each) - rate) for each in rates for rate in each if rate < max(each)),
        default=1.0,
    )


@functools.lru_cache(maxsize=4096)
def cheapest(stockpile: Stockpile, name: str) -> float:
    """Return an offer's lowest price with adder [money/quantity]."""
    rows = {n: stockpile.at(n).keyed(Offer)[name] for n in stockpile.tree.nodes}
    return smaller(
        *(
            each + row.adder
            for n, row in rows.items()
            for each in offer_terms.prices(stockpile, row, n)
        )
    )


@functools.lru_cache(maxsize=64)
def market(stockpile: Stockpile) -> usefulness.Market:
    """Return what all offers bring, as far as it bounds what an order is useful for."""
    lowest, most = dict[str, float](), dict[str, float]()
    for name, row in stockpile.keyed(Offer).items():
        lowest[row.material] = smaller(
            lowest.get(row.material, math.inf), cheapest(stockpile, name)
        )
        most[row.material] = most.get(row.material, 0.0) + _supplied(stockpile, name)
    offers = {name: cheapest(stockpile, name) for name in stockpile.keyed(Offer)}
    smallest = (_smallest(stockpile, name) for name in offers)
    return usefulness.Market(offers, lowest, most, sum(smallest))


def _supplied(stockpile: Stockpile, name: str) -> float:
    """Return the most that an offer brings over the horizon, as it stands anywhere [quantity]."""
    periods, rows = stockpile.calendar.periods, _variants(stockpile, name)
    return larger(
        *(smaller(_or_infinite(row.capacity) * periods, _or_infinite(row.total)) for row in rows)
    )


def _smallest(stockpile: Stockpile, name: str) -> float:
    """Return the most that the least order of an offer brings beyond any use [quantity]."""
    rows = _variants(stockpile, name)
    least = max(row.minimum_order + (stockpile.lot(row.lot_size) or 0.0) for row in rows)
    return least + _raised(stockpile, rows[0])


def _variants(stockpile: Stockpile, name: str) -> list[Offer]:
    """Return an offer as it stands anywhere in the tree."""
    return [view.keyed(Offer)[name] for view in stockpile.variants]


def _or_infinite(limit: float | None) -> float:
    """Return a limit; infinity where there is none."""
    return math.inf if limit is None else limit
