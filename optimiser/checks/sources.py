"""What offers and contracts could bring, whatever it costs."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from optimiser.checks.series import menu, over
from stockpile_model.blocks.contracts.contract_terms import (
    Contract,
    agreed,
    even,
    signable,
    signed_before,
)
from stockpile_model.blocks.in_transit.transit_terms import coming
from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.projects.windows import earliest
from stockpile_model.calendar import overlap
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True)
class Source:
    """Describe what an offer or a contract could bring at most, whatever it costs.

    `periods` are those of arrival, `most` is for each of them and `total` for the horizon
    [quantity]; infinite where nothing bounds it.
    """

    row: Offer | Contract
    periods: range
    most: float
    total: float = math.inf


@functools.lru_cache(maxsize=16)
def able(stockpile: Stockpile) -> Mapping[str, tuple[Source, ...]]:
    """Return what could bring any of each material if there were no rules."""
    found: dict[str, list[Source]] = {material: [] for material in stockpile.keyed(Material)}
    for row in stockpile.rows(Offer):
        if row.availability > 0 and (periods := _arrivals(stockpile, row)):
            most, total = (
                math.inf if limit is None else row.availability * limit
                for limit in (row.capacity, row.total)
            )
            found[row.material].append(Source(row, periods, most, total))
    for contract in stockpile.rows(Contract):
        if contract.availability > 0 and (periods := _deliveries(stockpile, contract)):
            rate = max(
                (even(stockpile, level) for level in menu(stockpile)[contract.contract].values()),
                default=0.0,
            )
            found[contract.material].append(
                Source(contract, periods, contract.availability * contract.flex * rate)
            )
    for each in coming(stockpile):
        period, most = stockpile.tree.period[each.node], each.row.quantity
        source = Source(each.source, range(period, period + 1), most, most)
        found[each.source.material].append(source)
    return {material: tuple(each) for material, each in found.items()}


def _arrivals(stockpile: Stockpile, offer: Offer) -> range:
    """Return the periods in which an offer's metal could arrive."""
    if not stockpile.counts(offer.supplier):
        return range(0)
    window, lead = (
        overlap(stockpile.calendar, offer.from_, offer.to),
        offer_terms.lead(stockpile, offer),
    )
    ready = 0 if offer.project is None else earliest(stockpile, offer.project)
    first = max(window.start, stockpile.shipping(offer.supplier), ready)
    return range(first + lead, min(window.stop + lead, len(over(stockpile))))


def _deliveries(stockpile: Stockpile, contract: Contract) -> range:
    """Return the periods in which a contract could bring metal."""
    window = overlap(stockpile.calendar, contract.sign_from, contract.sign_to)
    if signed_before(stockpile, contract.contract) is not None:
        window = range(len([*signable(stockpile, contract)][:1]))  # its first period; else none
    if contract.form != "purchase" or not stockpile.counts(contract.supplier) or not window:
        return range(0)
    ready = 0 if contract.project is None else earliest(stockpile, contract.project)
    first = max(
        ready, agreed(stockpile, contract, window.start), stockpile.shipping(contract.supplier)
    )
    return range(first, len(over(stockpile)))
