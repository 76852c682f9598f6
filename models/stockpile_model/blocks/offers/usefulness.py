"""Bound what an order could ever be useful for, where the workbook states no bound.

An order with a fixed cost needs a bound. With a very large one the solver hides a small order's
cost inside its integer tolerance, so the bound is taken from the data: what the blocks could use,
hold or be forced to buy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from stockpile_model.block import Stretch, blocks, renewals
from stockpile_model.extremes import smaller
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

LEAST_LEFT = 1e-3  # of metal exchanged again and again [1]: a bound from less would be no bound


@dataclass(frozen=True, eq=False)
class Market:
    """Describe what all offers together bring, and at which price.

    `offers`, `materials`: the lowest price of each offer and of each material [money/quantity].
    `most`: the most of each material over the horizon [quantity]. `least_orders`: what the least
    orders of all offers in one period may bring beyond any use [quantity].
    """

    offers: Mapping[str, float]
    materials: Mapping[str, float]
    most: Mapping[str, float]
    least_orders: float


def reason(stockpile: Stockpile) -> str:
    """Return why every order needs a bound; blank where none does."""
    reasons = (
        block.bounds_orders(stockpile) for block in blocks() if block.bounds_orders is not None
    )
    return next(filter(None, reasons), "")


@functools.lru_cache(maxsize=4096)
def useful(stockpile: Stockpile, material: str, arrival: int, offer: str, market: Market) -> float:
    """Return the most of an arrival that could be put to use [quantity].

    It is used before it expires or the horizon ends, and costs what the offer asks at its lowest.
    The result is infinite where nothing bounds it.
    """
    cheapest, stretch = market.offers[offer], _stretch(stockpile)
    if not stretch.shares:
        most = _used(stockpile, material, arrival, cheapest) + _forced(stockpile, cheapest)
        if stretch.tokens:
            most += stretch.tokens * _everything(stockpile, None, market)
    else:
        room = _everything(stockpile, None if stretch.over_time else arrival, market)
        most = room * (1 + stretch.tokens) * stretch.times
    affordable = (
        block.affords(stockpile, cheapest) for block in blocks() if block.affords is not None
    )
    return smaller(most, *affordable)


@functools.lru_cache(maxsize=8)
def _stretch(stockpile: Stockpile) -> Stretch:
    """Return how far the rules of all blocks together may make the plan buy beyond any use."""
    parts = [block.stretch(stockpile) for block in blocks() if block.stretch is not None]
    shares, over_time = any(each.shares for each in parts), any(each.over_time for each in parts)
    times, tokens = math.prod(each.times for each in parts), sum(each.tokens for each in parts)
    return Stretch(shares, over_time, times, tokens)


def _forced(stockpile: Stockpile, cheapest: float) -> float:
    """Return what blocks may force the plan to buy beyond any use [quantity]."""
    return sum(block.forces(stockpile, cheapest) for block in blocks())


def _window(stockpile: Stockpile, material: str, arrival: int) -> range:
    """Return the periods in which what arrives in a period can be used or held."""
    end, lives = stockpile.calendar.periods, {view.life(material) for view in stockpile.variants}
    life = None if None in lives else max(each for each in lives if each is not None)
    return range(arrival, end if life is None else min(end, arrival + life))


def _used(stockpile: Stockpile, material: str, arrival: int, cheapest: float) -> float:
    """Return the most of an arrival that blocks could use or hold in its life [quantity].

    Beyond that there is only profit. Metal that comes back without limit has a new life, or is of
    use as another material, as often as there are periods, and each time loses what its yield
    states. So does metal that tests give more life, as often as it may be tested. What it earns
    while it is away makes it cheaper.
    """
    endless = [turn for block in blocks() for turn in block.turns(stockpile)]
    within_reach = {material}
    while further := {t.back for t in endless if t.material in within_reach} - within_reach:
        within_reach |= further
    yields = [turn.yield_ for turn in endless if turn.material in within_reach]
    tests = [each for each in renewals(stockpile) if each.material in within_reach]
    if not yields and not tests:
        return _taken(stockpile, material, _window(stockpile, material, arrival), cheapest)
    window = range(arrival, stockpile.calendar.periods)
    left = min([1.0, *yields]) ** len(window)
    left *= min([1.0, *(each.yield_**each.times for each in tests)])
    cheapest /= max([1.0, *yields]) ** len(window)
    earned = max((turn.earns for turn in endless if turn.material in within_reach), default=0.0)
    cheapest -= earned * len(window)
    if left < LEAST_LEFT or (earned > 0 and cheapest <= 0):
        return math.inf
    return sum(_taken(stockpile, each, window, cheapest) for each in sorted(within_reach)) / left


def _taken(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return what all blocks could take of a material in a window [quantity].

    The result is infinite where profit has no limit.
    """
    return sum(block.uses(stockpile, material, window, cheapest) for block in blocks())


def _shortest_life(stockpile: Stockpile, material: str) -> int | None:
    """Return the least life with which metal is received [periods]; None = unlimited."""
    life = stockpile.life(material)
    return None if life is None else life - max(stockpile.received(material), default=0)


@functools.lru_cache(maxsize=4096)
def _everything(stockpile: Stockpile, arrival: int | None, market: Market) -> float:
    """Return the most of all materials together that could be used or must be bought [quantity].

    This holds for one period of arrival, or (None) for the whole horizon. Under shares metal is
    also bought to make room for what others bring.
    """
    end, cheapest, offered = stockpile.calendar.periods, market.materials, market.most
    periods = end if arrival is None else 1
    lowest = smaller(math.inf, *cheapest.values())
    total: float = _forced(stockpile, lowest) + market.least_orders * periods
    for i in stockpile.keyed(Material):
        # Within a life what is held for a target may have to be renewed: the windows overlap.
        life = min(_shortest_life(view, i) or 2 * end for view in stockpile.variants)
        starts = range(0, end, max(1, life // 2)) if arrival is None else (arrival,)
        used = sum(_used(stockpile, i, start, cheapest.get(i, math.inf)) for start in starts)
        total += smaller(used, offered.get(i, 0.0))
    return total + sum(block.brings(stockpile, periods) for block in blocks())
