"""What an order could ever be useful for: bounds that the data give where the workbook states none.

An order with a fixed cost needs a bound. With a very large one the solver hides a small order's cost inside its integer
tolerance, so the bound is taken from the data: what the blocks could use, hold or be made to buy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from stockpile_model.block import Stretch, blocks
from stockpile_model.extremes import smaller
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

LEAST_LEFT = 1e-3  # of metal that is exchanged again and again [1]: a bound from less would be no bound


@dataclass(frozen=True, eq=False)
class Market:
    """What offers bring: the lowest price of each offer and of each material [money/quantity], the most of each material over the
    horizon [quantity], and what the least orders of all offers in one period may bring beyond any use [quantity]."""

    offers: Mapping[str, float]
    materials: Mapping[str, float]
    most: Mapping[str, float]
    least_orders: float


def reason(stockpile: Stockpile) -> str:
    """Return why every order needs a bound; blank where none does."""
    found = (block.bounds_orders(stockpile) for block in blocks() if block.bounds_orders is not None)
    return next(filter(None, found), "")


@functools.lru_cache(maxsize=8)
def _stretch(stockpile: Stockpile) -> Stretch:
    """Return by how much the rules of all blocks together may make the plan buy beyond any use."""
    found = [block.stretch(stockpile) for block in blocks() if block.stretch is not None]
    shares, over_time = any(each.shares for each in found), any(each.over_time for each in found)
    return Stretch(shares, over_time, math.prod(each.times for each in found), sum(each.tokens for each in found))


@functools.lru_cache(maxsize=4096)
def useful(stockpile: Stockpile, material: str, arrival: int, offer: str, market: Market) -> float:
    """The most that metal arriving in a period could be put to use before it expires or the horizon ends, when it costs
    what an offer asks at its lowest [quantity]; infinite where nothing bounds it."""
    cheapest, stretch = market.offers[offer], _stretch(stockpile)
    if not stretch.shares:
        most = _used(stockpile, material, arrival, cheapest) + _forced(stockpile, cheapest)
        if stretch.tokens:
            most += stretch.tokens * _everything(stockpile, None, market)
    else:
        room = _everything(stockpile, None if stretch.over_time else arrival, market)
        most = room * (1 + stretch.tokens) * stretch.times
    return smaller(most, *(block.affords(stockpile, cheapest) for block in blocks() if block.affords is not None))


def _forced(stockpile: Stockpile, cheapest: float) -> float:
    """What may be bought beyond any use because something forces it [quantity]."""
    return sum(block.forces(stockpile, cheapest) for block in blocks())


def _window(stockpile: Stockpile, material: str, arrival: int) -> range:
    """The periods in which what arrives in a period can be used or held."""
    end, lives = stockpile.calendar.periods, {view.life(material) for view in stockpile.variants}
    life = None if None in lives else max(each for each in lives if each is not None)
    return range(arrival, end if life is None else min(end, arrival + life))


def _used(stockpile: Stockpile, material: str, arrival: int, cheapest: float) -> float:
    """What could be used or held of metal that arrives in a period before its life is over; beyond it there is only profit. Metal
    that comes back without limit has a new life, or is of use as another material, as often as there are periods, and each time
    loses what its yield says."""
    endless = [turn for block in blocks() for turn in block.turns(stockpile)]
    reached = {material}
    while further := {turn.back for turn in endless if turn.material in reached} - reached:
        reached |= further
    used = [turn.yield_ for turn in endless if turn.material in reached]
    if not used:
        return _taken(stockpile, material, _window(stockpile, material, arrival), cheapest)
    window = range(arrival, stockpile.calendar.periods)
    lost = min(1.0, *used) ** len(window)
    cheapest /= max(1.0, *used) ** len(window)
    if lost < LEAST_LEFT:
        return math.inf
    return sum(_taken(stockpile, each, window, cheapest) for each in sorted(reached)) / lost


def _taken(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """What all blocks could take of a material in a window; infinite where profit has no limit."""
    return sum(block.uses(stockpile, material, window, cheapest) for block in blocks())


@functools.lru_cache(maxsize=4096)
def _everything(stockpile: Stockpile, arrival: int | None, market: Market) -> float:
    """The most of all materials together that could be put to use, or must be bought beyond any use, in one period or (None) over the
    whole horizon. Under shares metal is also bought to make room for what others bring."""
    end, cheapest, offered = stockpile.calendar.periods, market.materials, market.most
    periods = end if arrival is None else 1
    total: float = _forced(stockpile, smaller(math.inf, *cheapest.values())) + market.least_orders * periods
    for i in stockpile.keyed(Material):
        # Within a life what is held for a target may have to be renewed: the windows overlap.
        life = min(view.life(i) or 2 * end for view in stockpile.variants)
        starts = range(0, end, max(1, life // 2)) if arrival is None else (arrival,)
        used = sum(_used(stockpile, i, start, cheapest.get(i, math.inf)) for start in starts)
        total += smaller(used, offered.get(i, 0.0))
    return total + sum(block.brings(stockpile, periods) for block in blocks())
