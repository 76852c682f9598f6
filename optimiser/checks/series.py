"""Quantities and prices over the periods of the horizon, as arrays."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockpile_model.blocks.contracts import contract_terms
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.demand import Demand, covers
from stockpile_model.blocks.rotation.outlet_terms import GIVING_BACK, RETURNING, Outlet, back
from stockpile_model.blocks.stock.lot_terms import OpeningLot, age_at_start
from stockpile_model.blocks.targets import Target
from stockpile_model.blocks.targets.target_terms import level
from stockpile_model.groups import price
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Price

Series = NDArray[np.float64]


def over(stockpile: Stockpile) -> range:
    """Return the periods of the horizon."""
    return range(stockpile.calendar.periods)


def listed(values: Iterable[str], most: int = 3) -> str:
    """Return names in a sentence; of many only the first."""
    names = list(dict.fromkeys(values))
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


@functools.lru_cache(maxsize=256)
def index(stockpile: Stockpile, name: str) -> Series:
    """Return a price index at the start of each period [money/quantity]."""
    points = sorted(
        (row.date.toordinal(), row.values[name])
        for row in stockpile.rows(Price)
        if name in row.values
    )
    days = [stockpile.calendar.begin(period).toordinal() for period in over(stockpile)]
    return np.interp(days, [day for day, _ in points], [value for _, value in points])


def floor(stockpile: Stockpile, row: Floor) -> Series:
    """Return a floor in each period, before it escalates [money/quantity]."""
    if row.floor_index is None:
        return np.full(len(over(stockpile)), float(row.floor or 0.0))
    return index(stockpile, row.floor_index) * (
        1.0 if row.floor_factor is None else row.floor_factor
    )


def reference(stockpile: Stockpile, row: Contract) -> Series | None:
    """Return the reference price of a contract under its ceiling [money/quantity].

    It is None where the floor is the price.
    """
    if row.price_index is None:
        return None
    found = index(stockpile, row.price_index) * (1 - row.discount)
    return found if row.ceiling is None else np.minimum(found, row.ceiling)


def families(stockpile: Stockpile) -> list[str]:
    """Return the groups, and the materials that are of none."""
    alone = (row.material for row in stockpile.rows(Material) if row.group is None)
    return [*alone, *stockpile.groups]


def together(stockpile: Stockpile, name: str) -> tuple[str, ...]:
    """Return the names under which metal is asked for: a material; a group and its materials."""
    return tuple(dict.fromkeys((name, *stockpile.members(name))))


@functools.lru_cache(maxsize=64)
def must_hand_out(stockpile: Stockpile, name: str) -> tuple[Series, tuple[Demand, ...]]:
    """Return the demand of each period that must be met, and its rows [quantity].

    It is that of a material, or of a group and each of its materials.
    """
    amounts, names = np.zeros(len(over(stockpile))), together(stockpile, name)
    rows = [
        row
        for each in names
        if price(stockpile, each, "shortage_cost") is None
        for row in stockpile.rows(Demand)
        if row.material == each and row.quantity > 0
    ]
    for row in rows:
        covered = covers(stockpile, row)
        amounts[covered.start : covered.stop] += row.quantity
    return amounts, tuple(rows)


@dataclass(frozen=True)
class TargetSeries:
    """The target of a material or group and of a buyer in each period [quantity].

    `begins` are the first period of each row and the row.
    """

    material: str
    buyer: str
    quantity: Series
    begins: tuple[tuple[int, Target], ...]

    @property
    def spans(self) -> Iterator[tuple[range, Target]]:
        """Yield the periods of each row, as far as they lie within the horizon."""
        ends = [*(first for first, _ in self.begins[1:]), len(self.quantity)]
        for (first, row), end in zip(self.begins, ends, strict=True):
            yield range(max(0, first), min(end, len(self.quantity))), row


@functools.lru_cache(maxsize=16)
def asked_to_hold(stockpile: Stockpile) -> tuple[TargetSeries, ...]:
    """Return the targets over the periods, as `targets.required` reads them at a node."""
    points: dict[tuple[str, str], list[tuple[int, Target]]] = {}
    for row in stockpile.rows(Target):
        points.setdefault((row.material, row.buyer or ""), []).append(
            (stockpile.calendar.period(row.from_), row)
        )
    return tuple(
        _held(stockpile, *key, sorted(rows, key=lambda point: point[0]))
        for key, rows in points.items()
    )


def _held(
    stockpile: Stockpile, material: str, buyer: str, points: list[tuple[int, Target]]
) -> TargetSeries:
    periods = len(over(stockpile))
    quantity, begins = np.zeros(periods), list[tuple[int, Target]]()
    before, low = 0, np.zeros(periods)
    for (at, row), after in zip(points, [*(at for at, _ in points[1:]), periods], strict=True):
        levels = _levels(stockpile, row)
        if row.path == "ramp" and at > before:
            # From the period after the row before, or from the start of the horizon.
            first = before + 1 if begins else 0
            steps = np.arange(max(0, first), min(at, periods))
            quantity[steps] = low[steps] + (levels - low)[steps] * (steps - before) / (at - before)
            begins.append((first, row))
        else:
            begins.append((at, row))
        inside = slice(max(0, at), max(0, after))
        quantity[inside] = levels[inside]
        before, low = at, levels
    return TargetSeries(material, buyer, quantity, tuple(begins))


def _levels(stockpile: Stockpile, row: Target) -> Series:
    """Return what a target asks for at the end of each period [quantity]."""
    if row.days is None:
        return np.full(len(over(stockpile)), row.quantity or 0.0)
    return np.array([level(stockpile, row, t) for t in over(stockpile)])


@functools.lru_cache(maxsize=64)
def must_hold(stockpile: Stockpile, name: str) -> Series:
    """Return what must at least be in stock of a material or group at period end [quantity].

    These are the hard targets of all buyers, or of none in particular where that is more; of a
    group its own, or those of its materials together where that is more.
    """
    sums = {by_buyer: np.zeros(len(over(stockpile))) for by_buyer in (False, True)}
    for held in (each for each in asked_to_hold(stockpile) if each.material == name):
        for span, row in held.spans:
            if row.certain:
                sums[bool(held.buyer)][span.start : span.stop] += held.quantity[
                    span.start : span.stop
                ]
    own: Series = np.maximum(*sums.values())
    members = stockpile.groups.get(name, ())
    return np.maximum(own, sum((must_hold(stockpile, each) for each in members), np.zeros(1)))


@functools.lru_cache(maxsize=16)
def menu(stockpile: Stockpile) -> Mapping[str, Mapping[str, Floor]]:
    """Return the levels of each contract."""
    return contract_terms.menu(stockpile)


@functools.lru_cache(maxsize=16)
def opening(stockpile: Stockpile) -> Mapping[str, tuple[Series, NDArray[np.int64]]]:
    """Return the opening lots that do not expire at once, by material.

    They are given by their quantities and their ages in the first period.
    """
    found: dict[str, list[tuple[float, int]]] = {
        material: [] for material in stockpile.keyed(Material)
    }
    for row in stockpile.rows(OpeningLot):
        life, age = stockpile.life(row.material), age_at_start(stockpile, row)
        if life is None or age < life:
            found[row.material].append((row.quantity, age))
    return {
        material: (
            np.array([quantity for quantity, _ in lots], dtype=float),
            np.array([age for _, age in lots], dtype=int),
        )
        for material, lots in found.items()
    }


def made_of_others(stockpile: Stockpile, name: str) -> bool:
    """Return whether outlets can bring more of a material or group than suppliers do.

    It comes out of another material, or at a yield above 1.
    """
    members = stockpile.members(name)
    rows = (row for row in stockpile.rows(Outlet) if row.form in RETURNING)
    return any(
        back(row) in members and (row.material not in members or row.yield_ > 1) for row in rows
    )


def opened(stockpile: Stockpile, name: str) -> float:
    """Return the stock at the start of a material or group, without what expires at once."""
    return float(sum(opening(stockpile)[each][0].sum() for each in stockpile.members(name)))


@functools.lru_cache(maxsize=16)
def renewed(stockpile: Stockpile) -> frozenset[str]:
    """Return the materials that an exchange, a rework or another test makes young again."""
    return frozenset(back(row) for row in stockpile.rows(Outlet) if row.form in GIVING_BACK)
