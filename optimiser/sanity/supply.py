"""Quantity: what could arrive at most against demand that must be met and targets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimiser.sanity.series import Series, asked_to_hold, made_of_others, must_hand_out, opening, over, renewed
from stockpile_model.blocks import price_floors, projects, purchases, targets
from stockpile_model.blocks.demand import Demand, covers, serving
from stockpile_model.blocks.price_floors import Contract
from stockpile_model.blocks.purchases import Offer
from stockpile_model.data import Material, Problem, Row, Stockpile, overlap

_SLACK = 1e-6  # share of a quantity below which it is not missing


@dataclass(frozen=True)
class Supply:
    """What of one material could arrive at most, whatever it costs [quantity]: `open_` where nothing bounds it in a period,
    else `most`, and beside these offers with a total over the horizon, a row each."""

    open_: Series
    most: Series
    limited: Series
    totals: Series

    def between(self, first: int, last: int) -> float:
        """The most that could arrive from one period to another, both included."""
        if first > last:
            return 0.0
        if self.open_[last + 1] > self.open_[first]:
            return math.inf
        parts = np.minimum(self.totals, self.limited[:, last + 1] - self.limited[:, first]) if len(self.totals) else np.zeros(1)
        return float(self.most[last + 1] - self.most[first] + parts.sum())


def supply(stockpile: Stockpile, material: str) -> Supply:
    """The supply of a material, summed up from the start of the horizon to the start of each period and its end."""
    periods = len(over(stockpile))
    open_, most, limited, totals = np.zeros(periods), np.zeros(periods), [], []
    for row in stockpile.rows(Offer):
        if row.material != material or not (landed := arrivals(stockpile, row)):
            continue
        where = slice(landed.start, landed.stop)
        if row.total is None:
            if row.capacity is None:
                open_[where] += row.availability > 0
            else:
                most[where] += row.availability * row.capacity
        else:
            amounts = np.zeros(periods)
            amounts[where] = row.availability * (row.total if row.capacity is None else row.capacity)
            limited.append(amounts)
            totals.append(row.availability * row.total)
    for contract in stockpile.rows(Contract):
        if contract.material == material and (first := delivers(stockpile, contract)) is not None:
            most[first:] += contract.availability * contract.flex * largest(stockpile, contract)
    return Supply(_summed(open_), _summed(most), _summed(np.array(limited).reshape(-1, periods)), np.array(totals))


def _summed(amounts: Series) -> Series:
    return np.concatenate([np.zeros((*amounts.shape[:-1], 1)), amounts.cumsum(axis=-1)], axis=-1)


def arrivals(stockpile: Stockpile, offer: Offer) -> range:
    """The periods in which an offer's metal could arrive."""
    if not stockpile.counts(offer.supplier):
        return range(0)
    window, lead = overlap(stockpile.calendar, offer.from_, offer.to), purchases.lead(stockpile, offer)
    first = max(
        window.start, stockpile.shipping(offer.supplier), 0 if offer.project is None else projects.earliest(stockpile, offer.project)
    )
    return range(first + lead, min(window.stop + lead, len(over(stockpile))))


def delivers(stockpile: Stockpile, contract: Contract) -> int | None:
    """The first period in which a contract could bring metal; None where it never does."""
    if contract.form != "purchase" or not stockpile.counts(contract.supplier):
        return None
    window = overlap(stockpile.calendar, contract.sign_from, contract.sign_to)
    if not window:
        return None
    first = price_floors.first_delivery(stockpile, contract, window.start)
    if contract.project is not None:
        first = max(first, projects.earliest(stockpile, contract.project))
    return first if first < len(over(stockpile)) else None


def largest(stockpile: Stockpile, contract: Contract) -> float:
    """The even rate of a contract's largest level [quantity/period]."""
    levels = price_floors.menu(stockpile)[contract.contract].values()
    return max((price_floors.even(stockpile, floor) for floor in levels), default=0.0)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for material in stockpile.keyed(Material):
        if material in made_of_others(stockpile):
            continue
        demand, rows = must_hand_out(stockpile).get(material, (np.zeros(len(over(stockpile))), ()))
        keys = [key for key in asked_to_hold(stockpile) if key[0] == material]
        if rows or keys:
            most = supply(stockpile, material)
            yield from _demand(stockpile, material, most, demand, rows)
            for key in keys:
                yield from _targets(stockpile, *key, most, demand)


def _usable(stockpile: Stockpile, material: str, period: int, oldest: int | None) -> float:
    """The opening stock that is at most so old in a period [quantity]; None: of any age, used before if need be."""
    return sum(quantity for quantity, age in opening(stockpile, material) if oldest is None or age + period <= oldest)


def _demand(stockpile: Stockpile, material: str, most: Supply, demand: Series, rows: tuple[Demand, ...]) -> Iterator[Problem]:
    """The first period by which demand that must be met is more than what could be there for it."""
    life = None if material in renewed(stockpile) else stockpile.life(material)
    asked = 0.0
    for period in over(stockpile):
        asked += float(demand[period])
        # All that was asked for until now, and what is asked for now alone, from what is not yet over.
        pairs = [(asked, _usable(stockpile, material, period, None) + most.between(0, period))]
        if life is not None:
            usable = _usable(stockpile, material, period, life - 1)
            pairs.append((float(demand[period]), usable + most.between(max(0, period - life + 1), period)))
        short = max(need - there for need, there in pairs)
        if demand[period] > 0 and short > _SLACK * max(1.0, asked):
            row = next(row for row in rows if period in covers(stockpile, row))
            what = "what could arrive at most by then, with the stock at the start"
            yield _told(stockpile, row, f"demand for {material}", period, short, what, True)
            return


def _targets(stockpile: Stockpile, material: str, buyer: str, most: Supply, demand: Series) -> Iterator[Problem]:
    """For each row of targets the first period in which it is more than what could be there for it, hard demand met."""
    oldest = max((age for age in stockpile.ages(material) if targets.counts(stockpile, material, age)), default=None)
    if oldest is None:  # told by the block of targets
        return
    fresh = None if stockpile.life(material) is None or material in renewed(stockpile) else oldest
    sites = [stockpile.sites[name].capacity for name in serving(stockpile, buyer)]
    room = math.inf if None in sites else sum(each or 0.0 for each in sites)
    handed_out = demand.cumsum()
    told: dict[int, tuple[int, float, float, str, targets.Asked]] = {}  # first period, short in it, short at most
    for period, asked in asked_to_hold(stockpile)[material, buyer].items():
        there = [(room, "the capacity of its sites")]
        left = _usable(stockpile, material, period, None) + most.between(0, period) - float(handed_out[period])
        there.append((left, "what could arrive at most by then, with the stock at the start and after demand that must be met"))
        if fresh is not None:
            arriving = _usable(stockpile, material, period, fresh) + most.between(max(0, period - fresh), period)
            there.append((arriving, "what could arrive at most that is still in spec then"))
        least, what = min(there, key=lambda pair: pair[0])
        short = asked.quantity - max(0.0, least)
        if short > _SLACK * max(1.0, asked.quantity):
            first, at_first, worst, *_ = told.get(id(asked.row), (period, short, 0.0))
            told[id(asked.row)] = (first, at_first, max(worst, short), what, asked)
    for first, at_first, worst, what, asked in told.values():
        later = "up to " if asked.hard and worst > at_first else ""
        yield _told(stockpile, asked.row, f"target for {material}", first, worst, what, asked.hard, later)


def _told(stockpile: Stockpile, row: Row, name: str, period: int, short: float, what: str, hard: bool, later: str = "") -> Problem:
    amount, month = f"{short:,.6g} {stockpile.settings.quantity_unit}", f"{stockpile.calendar.begin(period):%Y-%m}"
    if hard:
        message = f"the {name} cannot be met from {month} on, so no plan exists: it is {later}{amount} above {what}"
    else:
        message = f"the {name} will be missed by at least {amount}, first in {month}: it is above {what}"
    return Problem(row.TABLE, row.line, "quantity", message, warning=True)
