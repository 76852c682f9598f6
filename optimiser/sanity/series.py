"""Quantities and prices over the periods of the horizon, as arrays."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile_model.blocks import rotation, targets
from stockpile_model.blocks.demand import Demand, covers
from stockpile_model.blocks.price_floors import Contract, Floor
from stockpile_model.blocks.rotation import Outlet
from stockpile_model.blocks.stock import OpeningLot, age_at_start
from stockpile_model.data import Material, Price, Stockpile

Series = NDArray[np.float64]


def over(stockpile: Stockpile) -> range:
    """The periods of the horizon."""
    return range(stockpile.calendar.periods)


def listed(values: Iterable[str], most: int = 3) -> str:
    """Names in a sentence; of many only the first."""
    names = list(dict.fromkeys(values))
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


@functools.lru_cache(maxsize=256)
def index(stockpile: Stockpile, name: str) -> Series:
    """A price index at the start of each period [money/quantity]."""
    points = sorted((row.date.toordinal(), row.values[name]) for row in stockpile.rows(Price) if name in row.values)
    days = [stockpile.calendar.begin(period).toordinal() for period in over(stockpile)]
    return np.interp(days, [day for day, _ in points], [value for _, value in points])


def floor(stockpile: Stockpile, row: Floor) -> Series:
    """A floor in each period, before it escalates [money/quantity]."""
    if row.floor_index is None:
        return np.full(len(over(stockpile)), float(row.floor or 0.0))
    return index(stockpile, row.floor_index) * (1.0 if row.floor_factor is None else row.floor_factor)


def reference(stockpile: Stockpile, row: Contract) -> Series | None:
    """The reference price of a contract under its ceiling [money/quantity]; None where the floor is the price."""
    if row.price_index is None:
        return None
    found = index(stockpile, row.price_index) * (1 - row.discount)
    return found if row.ceiling is None else np.minimum(found, row.ceiling)


@functools.lru_cache(maxsize=16)
def must_hand_out(stockpile: Stockpile) -> Mapping[str, tuple[Series, tuple[Demand, ...]]]:
    """By material the demand of each period that must be met [quantity], and the rows that ask for it."""
    materials, found = stockpile.keyed(Material), dict[str, tuple[Series, tuple[Demand, ...]]]()
    for row in stockpile.rows(Demand):
        if materials[row.material].shortage_cost is None and row.quantity > 0:
            amounts, rows = found.get(row.material, (np.zeros(len(over(stockpile))), ()))
            asked = covers(stockpile, row)
            amounts[asked.start : asked.stop] += row.quantity
            found[row.material] = (amounts, (*rows, row))
    return found


@functools.lru_cache(maxsize=16)
def asked_to_hold(stockpile: Stockpile) -> Mapping[tuple[str, str], Mapping[int, targets.Asked]]:
    """By material and buyer the targets of each period."""
    found: dict[tuple[str, str], dict[int, targets.Asked]] = {}
    for period in over(stockpile):
        for key, asked in targets.required(stockpile, period).items():
            found.setdefault(key, {})[period] = asked
    return found


@functools.lru_cache(maxsize=16)
def must_hold(stockpile: Stockpile) -> Mapping[str, Series]:
    """By material what must at least be in stock at the end of each period [quantity]: the hard targets of all buyers, or of
    none in particular where that is more."""
    found: dict[str, Series] = {}
    named: dict[str, Series] = {}
    for (material, buyer), asked in asked_to_hold(stockpile).items():
        amounts = np.zeros(len(over(stockpile)))
        for period, each in asked.items():
            amounts[period] = each.quantity if each.hard else 0.0
        kind = named if buyer else found
        kind[material] = kind.get(material, 0.0) + amounts
    zero = np.zeros(len(over(stockpile)))
    return {material: np.maximum(found.get(material, zero), named.get(material, zero)) for material in {**found, **named}}


def opening(stockpile: Stockpile, material: str) -> list[tuple[float, int]]:
    """The opening lots of a material that are not over at once: quantity and age in the first period."""
    life = stockpile.life(material)
    lots = [(row.quantity, age_at_start(stockpile, row)) for row in stockpile.rows(OpeningLot) if row.material == material]
    return [(quantity, age) for quantity, age in lots if life is None or age < life]


@functools.lru_cache(maxsize=16)
def made_of_others(stockpile: Stockpile) -> frozenset[str]:
    """The materials of which outlets can bring more than suppliers do: out of another material, or at a yield above 1."""
    rows: Iterable[Any] = (row for row in stockpile.rows(Outlet) if row.form in rotation.RETURNING)
    return frozenset(rotation.back(row) for row in rows if rotation.back(row) != row.material or row.yield_ > 1)


@functools.lru_cache(maxsize=16)
def renewed(stockpile: Stockpile) -> frozenset[str]:
    """The materials that an exchange or rework makes young again."""
    return frozenset(rotation.back(row) for row in stockpile.rows(Outlet) if row.form in rotation.RETURNING)
