"""What an order could ever be useful for: bounds that the data give where the workbook states none.

An order with a fixed cost needs a bound. With a very large one the solver hides a small order's cost inside its integer
tolerance, so the bound is taken from the data: what demand, targets, outlets and rules could absorb.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stockpile_model.blocks import demand, policy, price_floors, rotation, targets
from stockpile_model.blocks.budget import Budget, Fund
from stockpile_model.data import Commitment, Material, Stockpile, larger, smaller

LEAST_LEFT = 1e-3  # of metal that is exchanged again and again [1]: a bound from less would be no bound


@dataclass(frozen=True, eq=False)
class Market:
    """What offers bring: the lowest price of each offer and of each material [money/quantity], the most of each material over the
    horizon [quantity], and what the least orders of all offers in one period may bring beyond any use [quantity]."""

    offers: Mapping[str, float]
    materials: Mapping[str, float]
    most: Mapping[str, float]
    least_orders: float


@functools.lru_cache(maxsize=4096)
def useful(stockpile: Stockpile, material: str, arrival: int, offer: str, market: Market) -> float:
    """The most that metal arriving in a period could be put to use before it expires or the horizon ends, when it costs
    what an offer asks at its lowest [quantity]; infinite where nothing bounds it."""
    cheapest = market.offers[offer]
    if not policy.shares(stockpile):
        most = _used(stockpile, material, arrival, cheapest) + _forced(stockpile, cheapest)
        if share := policy.tokens(stockpile):
            most += share * _everything(stockpile, None, market)
    else:
        room = _everything(stockpile, None if policy.binds_over_time(stockpile) else arrival, market)
        most = room * (1 + policy.tokens(stockpile)) * policy.stretch(stockpile)
    return smaller(most, _affordable(stockpile, cheapest))


def _forced(stockpile: Stockpile, cheapest: float) -> float:
    """What rules and commitments may force to be bought beyond any use [quantity]."""
    committed = sum(row.quantity or 0.0 for row in stockpile.rows(Commitment) if row.kind in ("order", "rotate"))
    return policy.forced(stockpile, cheapest) + committed


def _window(stockpile: Stockpile, material: str, arrival: int) -> range:
    """The periods in which what arrives in a period can be used or held."""
    end, lives = stockpile.calendar.periods, {view.life(material) for view in stockpile.variants}
    life = None if None in lives else max(each for each in lives if each is not None)
    return range(arrival, end if life is None else min(end, arrival + life))


def _used(stockpile: Stockpile, material: str, arrival: int, cheapest: float) -> float:
    """What demand, targets and outlets could take of metal that arrives in a period before its life is over; beyond it there is
    only profit. An exchange or rework without a capacity leads to a new life, or to another material's uses, as often as there
    are periods, and each time loses what its yield says."""
    endless = [
        row
        for view in stockpile.variants
        for row in view.rows(rotation.Outlet)
        if row.form in rotation.RETURNING and row.capacity is None and row.yield_ > 0
    ]
    reached = {material}
    while further := {rotation.back(row) for row in endless if row.material in reached} - reached:
        reached |= further
    used = [row for row in endless if row.material in reached]
    if not used:
        return _taken(stockpile, material, _window(stockpile, material, arrival), cheapest)
    window = range(arrival, stockpile.calendar.periods)
    lost = min(1.0, *(row.yield_ for row in used)) ** len(window)
    cheapest /= max(1.0, *(row.yield_ for row in used)) ** len(window)
    if lost < LEAST_LEFT:
        return math.inf
    return sum(_taken(stockpile, each, window, cheapest) for each in sorted(reached)) / lost


def _taken(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """What demand, targets and outlets of a material could take in a window; infinite where profit has no limit."""
    tree, end = stockpile.tree, stockpile.calendar.periods - 1
    used = sum(max(_total(stockpile, material, n, demand.required) for n in tree.at[period]) for period in window)
    held = max(_total(stockpile, material, n, targets.required) for period in window for n in tree.at[period])
    lasting = stockpile.settings.discount_rate < 0
    for leaf in tree.leaves if end in window else ():
        row = stockpile.at(leaf).keyed(Material)[material]
        if row.closing_value > 0 and (row.closing_value * stockpile.price(str(row.price_index), leaf) > cheapest or lasting):
            return math.inf
    for name, outlet in stockpile.keyed(rotation.Outlet).items():
        if outlet.material != material or outlet.form == "dispose":
            continue
        rows = {n: stockpile.at(n).keyed(rotation.Outlet)[name] for n in tree.nodes}
        if outlet.form in rotation.RETURNING:
            used += max(row.capacity or 0.0 for row in rows.values()) * len(window)
            continue
        best = larger(*(rotation.price(stockpile, row, 0, n) for n, row in rows.items()))
        # A sale at a loss still pays where it turns money that expires into receipts that a fund keeps.
        keeps = outlet.fund is not None and stockpile.keyed(Fund)[outlet.fund].keeps_receipts
        if all(row.capacity is not None for row in rows.values()):
            used += max(row.capacity or 0.0 for row in rows.values()) * len(window)
        elif best > cheapest or lasting or keeps:
            return math.inf
    return used + held


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
    for k in stockpile.keyed(price_floors.Contract):
        pairs = (
            (view.keyed(price_floors.Contract)[k], floor) for view in stockpile.variants for floor in price_floors.menu(view)[k].values()
        )
        total += max((row.flex * price_floors.even(stockpile, floor) for row, floor in pairs), default=0.0) * periods
    return total


def _total(stockpile: Stockpile, material: str, node: int, required: Callable[[Stockpile, int], Mapping[tuple[str, str], Any]]) -> float:
    found: float = sum(amount for (i, _), (amount, *_) in required(stockpile, node).items() if i == material)
    return found


def _affordable(stockpile: Stockpile, cheapest: float) -> float:
    """What all appropriations together could buy at the lowest price [quantity]; unbounded without funds."""
    if not stockpile.given(Fund) or cheapest <= 0 or any(fund.keeps_receipts for fund in stockpile.rows(Fund)):
        return math.inf
    return sum(max(view.rows(Budget)[b].amount for view in stockpile.variants) for b, _ in enumerate(stockpile.rows(Budget))) / cheapest
