"""Money: what appropriations hold against the least that metal costs that must be bought."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from optimiser.checks.series import (
    Series,
    families,
    floor,
    index,
    made_of_others,
    menu,
    must_hand_out,
    must_hold,
    opened,
    over,
    reference,
)
from optimiser.checks.supply import sources
from stockpile_model import amounts
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.in_transit.transit_terms import coming
from stockpile_model.blocks.offers import break_terms
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.supplier_terms import terms_of
from stockpile_model.blocks.rotation.outlet_terms import EARNING, Outlet
from stockpile_model.calendar import overlap
from stockpile_model.funds import Fund
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

_BUYING = ("purchase", "contract")
_SLACK = 1e-6  # share of an amount below which it is not missing


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield where the money that could have come by a period is too little for the metal due then.

    This is for each material and group alone, and for all together.
    """
    if not stockpile.given(Fund):
        return
    needs = {
        name: need
        for name in (*stockpile.keyed(Material), *stockpile.groups)
        if (need := _least_cost(stockpile, name)) is not None
    }
    found = [
        (problem, short)
        for name, need in needs.items()
        for problem, short in _short(stockpile, [name], need)
    ]
    apart = [name for name in families(stockpile) if name in needs]
    if len(apart) > 1 and not found:
        found = list(_short(stockpile, apart, np.sum([needs[name] for name in apart], axis=0)))
    yield from (problem for problem, _ in found)


def _short(
    stockpile: Stockpile, materials: Sequence[str], need: Series
) -> Iterator[tuple[Problem, float]]:
    """Yield the first period by which the money that may buy these materials is too little."""
    money = _money(stockpile, [each for name in materials for each in stockpile.members(name)])
    if money is None:
        return
    for period in over(stockpile):
        short = float(need[period] - money[period])
        if short > _SLACK * float(need[-1]):
            unit, month = (
                stockpile.settings.currency,
                amounts.month(stockpile.calendar.begin(period)),
            )
            message = (
                f"the money for {' and '.join(materials)} is too little, so no plan exists: what"
                f" must be bought by {month} costs {amounts.money(need[period])} {unit} at least,"
                f" at the lowest price of all, and {amounts.money(money[period])} {unit} may be"
                " spent by then"
            )
            rows = stockpile.rows(Budget)
            table, line, column = (
                (Budget.TABLE, rows[0].line, "amount")
                if rows
                else (Fund.TABLE, stockpile.rows(Fund)[0].line, "fund")
            )
            yield Problem(table, line, column, message, warning=True), short
            return


def _least_cost(stockpile: Stockpile, name: str) -> Series | None:
    """Return what the metal costs at least that must be bought by the end of each period [money].

    It is None where that is nothing.
    """
    demand, members = must_hand_out(stockpile, name)[0].cumsum(), stockpile.members(name)
    ordered = sum(c.row.quantity for c in coming(stockpile) if c.source.material in members)
    need = demand + must_hold(stockpile, name) - opened(stockpile, name) - ordered
    need = np.maximum.accumulate(np.maximum(0.0, need))
    price = cheapest(stockpile, name)
    if not need.any() or math.isinf(price) or price <= 0 or made_of_others(stockpile, name):
        return None
    return need * price


def cheapest(stockpile: Stockpile, name: str) -> float:
    """Return the least that a unit of a material or group can cost at arrival [money/quantity].

    It is infinite where nothing brings it.
    """
    found = (source for each in stockpile.members(name) for source in sources(stockpile)[each])
    rows = (source.row for source in found)
    return min((_landed(stockpile, row) for row in rows), default=math.inf)


def _landed(stockpile: Stockpile, row: Offer | Contract) -> float:
    """Return the least that a unit can cost under an offer or a contract, in the book's money."""
    rate = 1.0 if row.currency is None else float(index(stockpile, row.currency).min())
    if isinstance(row, Offer):
        return rate * _offered(stockpile, row)
    return rate * _contracted(stockpile, row)


def _offered(stockpile: Stockpile, offer: Offer) -> float:
    rates = [] if offer.price is None else [offer.price]
    lowest = 0.0 if offer.price_index is None else float(index(stockpile, offer.price_index).min())
    premiums = [offer.premium] if offer.price is None else []
    for row in break_terms.breaks(stockpile).get(offer.offer, ()):
        if row.price is None:
            premiums.append(row.premium or 0.0)
        else:
            rates.append(row.price)
    rate = min([*rates, *(lowest * (1 + premium) for premium in premiums)])
    delivered = rate * (1 + offer.duty) + offer.adder + _freight(stockpile, offer)
    return delivered / offer.availability if offer.payment == "order" else delivered


def _freight(stockpile: Stockpile, offer: Offer) -> float:
    """Return the least freight that is paid for a unit: none where it may be free."""
    terms = terms_of(stockpile, offer.supplier)
    return offer.freight if terms is None or terms.free_freight_from is None else 0.0


def _contracted(stockpile: Stockpile, contract: Contract) -> float:
    levels, market = menu(stockpile)[contract.contract].values(), reference(stockpile, contract)
    years = math.ceil(stockpile.calendar.years(len(over(stockpile))))
    rates = [math.inf]
    for row in levels:
        least = floor(stockpile, row) * min(1.0, (1 + row.escalation) ** years)
        rates.append(float((least if market is None else np.maximum(least, market)).min()))
    return min(rates) * (1 + contract.duty) + contract.freight


def _money(stockpile: Stockpile, materials: Sequence[str]) -> Series | None:
    """Return what may be spent on metal of these materials by the end of each period [money].

    It is None where receipts add to it.
    """
    names = set(materials)
    able = {
        row.fund: row
        for row in stockpile.rows(Fund)
        if (not row.uses or set(row.uses) & set(_BUYING))
        and (not row.materials or set(row.materials) & names)
    }
    if any(
        row.form in EARNING and row.fund in able and able[row.fund].keeps_receipts
        for row in stockpile.rows(Outlet)
    ):
        return None
    kept = math.fsum(row.receipts_left for row in able.values())
    found = np.full(len(over(stockpile)), kept)
    for row in stockpile.rows(Budget):
        window = overlap(stockpile.calendar, row.from_, row.expires)
        if row.fund in able and window:
            found[window.start :] += row.amount
    return found
