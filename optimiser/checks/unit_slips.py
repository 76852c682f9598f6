"""Appropriations and targets that look like another unit, by what they are for.

All thresholds are shares of other figures, so the workbook's unit does not matter.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from optimiser.checks.series import (
    Series,
    TargetSeries,
    asked_to_hold,
    families,
    made_of_others,
    menu,
    opened,
    over,
    together,
)
from optimiser.checks.sources import Source, able
from optimiser.checks.spending import cheapest
from stockpile_model import amounts
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.demand import Demand, covers
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.rotation.outlet_terms import EARNING, Outlet
from stockpile_model.calendar import overlap
from stockpile_model.funds import Fund
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile

_BUYING = {"purchase", "contract"}
# share of what is required below which an appropriation is not meant to pay a part of it
_PART = 0.005
_MISSING = 0.02  # the same of what is required beyond the stock at the start
_SMALLEST = 0.001  # share of the largest appropriation below which another one looks odd
_SEED = 1e-6  # share of what is required that starts a fund which lives on its receipts
_STEPS = (("thousands", 1e3), ("millions", 1e6), ("billions", 1e9))
_DAY = 0.03  # share of a month's demand below which a target holds nothing back
_APART = 1000  # times: between supply and target, and between two rows of targets
_STOCK = 300  # times: between the stock at the start and the target
_ORDER = 10  # times: between the smallest order and the target
_YEAR = 100  # times: between a contract's year and the target


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the appropriations and targets that look like another unit."""
    yield from _appropriations(stockpile)
    held: dict[str, list[TargetSeries]] = {}
    for each in asked_to_hold(stockpile):
        held.setdefault(each.material, []).append(each)
    for material, required in held.items():
        if (problem := _target(stockpile, material, required)) is not None:
            yield problem
        else:
            yield from _steps(stockpile, required)


# --- Appropriations -------------------------------------------------------------------------------


def _appropriations(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield each appropriation that may buy and looks too small.

    It is compared with the least that it costs to buy what is required until it expires.
    """
    funds = stockpile.keyed(Fund)
    buying = [row for row in stockpile.rows(Budget) if row.amount > 0 and _buys(funds[row.fund])]
    fed = {
        row.fund
        for row in stockpile.rows(Outlet)
        if row.form in EARNING and row.fund and funds[row.fund].keeps_receipts
    } | {row.fund for row in funds.values() if row.receipts_left}
    for row in buying:
        window = overlap(stockpile.calendar, row.from_, row.expires)
        parts = _parts(stockpile, funds[row.fund], window) if window else {}
        if not parts:
            continue
        costs = _Costs.of(stockpile, parts)
        if costs.odd(row.amount) and not (
            _completed(stockpile, row, buying, parts, costs)
            or (row.fund in fed and row.amount >= _SEED * costs.whole)
        ):
            required = {name: quantity for name, (quantity, _) in parts.items()}
            message = _too_little(stockpile, row, required, costs.whole)
            yield Problem(row.TABLE, row.line, "amount", message, True)


class _Costs(NamedTuple):
    """Describe what costs at least what is required, and what of it the stock at the start lacks
    [money]."""

    whole: float
    missing: float

    @classmethod
    def of(cls, stockpile: Stockpile, parts: Mapping[str, tuple[float, float]]) -> _Costs:
        """Return the costs of what is required of each material, with its stock at the start."""
        prices = {material: cheapest(stockpile, material) for material in parts}
        return cls(
            sum(required * prices[material] for material, (required, _) in parts.items()),
            sum(
                max(0.0, required - stock) * prices[each]
                for each, (required, stock) in parts.items()
            ),
        )

    def odd(self, amount: float) -> bool:
        """Return whether an amount is too small to be meant for a part of either."""
        return amount < _PART * self.whole or amount < _MISSING * self.missing


def _parts(stockpile: Stockpile, fund: Fund, window: range) -> dict[str, tuple[float, float]]:
    """Return what is required in a window of each material that a fund may buy."""
    return {
        material: part
        for material in _priced(stockpile, fund)
        if (part := _required(stockpile, material, fund.buyer, window))[0] > 0
    }


def _completed(
    stockpile: Stockpile,
    row: Budget,
    buying: Sequence[Budget],
    parts: Mapping[str, tuple[float, float]],
    costs: _Costs,
) -> bool:
    """Return whether an appropriation is a part of others that are large enough together."""
    funds = stockpile.keyed(Fund)
    others = sum(
        each.amount
        for each in buying
        if each.fund == row.fund
        or not funds[each.fund].materials
        or set(funds[each.fund].materials) & set(parts)
    )
    largest = max(each.amount for each in buying)
    return not costs.odd(others) and row.amount >= _SMALLEST * largest


def _buys(fund: Fund) -> bool:
    return not fund.uses or not _BUYING.isdisjoint(fund.uses)


def _priced(stockpile: Stockpile, fund: Fund) -> Iterator[str]:
    """Yield the materials, or their groups, that a fund may buy and that have a price."""
    for name in families(stockpile):
        may = not fund.materials or not set(fund.materials).isdisjoint(stockpile.members(name))
        if may and not made_of_others(stockpile, name) and 0 < cheapest(stockpile, name) < math.inf:
            yield name


def _required(
    stockpile: Stockpile, material: str, buyer: str | None, window: range
) -> tuple[float, float]:
    """Return what demand and targets require of a material, and what stock could give of it.

    It is that of a window, or where that is nothing of all the horizon [quantity].
    """
    stock, names = opened(stockpile, material), together(stockpile, material)
    for periods in (window, over(stockpile)):
        where = slice(periods.start, periods.stop)
        held = [
            each.quantity
            for each in asked_to_hold(stockpile)
            if each.material in names and _for(buyer, each.buyer or None)
        ]
        target = max((float(each[where].max()) for each in held), default=0.0)
        if required := target + float(_demand(stockpile, material, buyer)[where].sum()):
            return required, stock
    return 0.0, stock


def _for(buyer: str | None, of: str | None) -> bool:
    return buyer is None or of is None or of == buyer


def _demand(stockpile: Stockpile, material: str, buyer: str | None = None) -> Series:
    """Return the demand of each period, at whatever price it may stay unmet [quantity]."""
    found, names = np.zeros(len(over(stockpile))), together(stockpile, material)
    for row in stockpile.rows(Demand):
        if row.material in names and _for(buyer, row.buyer):
            required = covers(stockpile, row)
            found[required.start : required.stop] += row.quantity
    return found


def _too_little(stockpile: Stockpile, row: Budget, parts: dict[str, float], cost: float) -> str:
    unit, currency = stockpile.settings.quantity_unit, stockpile.settings.currency
    required = sum(parts.values())
    name, times = next(
        (each for each in _STEPS if row.amount * each[1] >= _MISSING * cost), ("", 0.0)
    )
    meant = (
        f"{name} meant ({amounts.money(row.amount * times)} {currency})?"
        if name
        else "another unit?"
    )
    return (
        f"is {amounts.money(row.amount)} {currency}, which pays"
        f" {amounts.about(row.amount / cost * required)} {unit} of the"
        f" {amounts.about(required)} {unit} of"
        f" {' and '.join(parts)} asked for in its window, at the lowest price of all"
        f" ({amounts.about(cost)} {currency} together): {meant}"
    )


# --- Targets --------------------------------------------------------------------------------------


def _target(stockpile: Stockpile, material: str, held: Sequence[TargetSeries]) -> Problem | None:
    """Return the warning about the largest target of a material; None where there is none.

    It is compared with its demand, stock, orders, contracts and capacities.
    """
    rows = [(row.quantity, row) for each in held for _, row in each.spans if row.quantity]
    if not rows:
        return None
    most, row = max(rows, key=lambda pair: pair[0])
    largest, unit = (
        float(sum(each.quantity.max() for each in held)),
        stockpile.settings.quantity_unit,
    )
    months, demand = stockpile.calendar.months, _demand(stockpile, material)
    monthly = float(demand[demand > 0].mean()) / months if demand.any() else 0.0
    needed, stock = largest + float(demand.sum()), opened(stockpile, material)
    sources = [source for each in stockpile.members(material) for source in able(stockpile)[each]]
    orders = [_smallest(stockpile, each) for each in sources]
    years = [
        each
        for source in sources
        if not isinstance(source.row, Offer)
        for each in _yearly(stockpile, source)
    ]
    supply = sum(min(each.total, each.most * len(each.periods)) for each in sources)
    evidence: tuple[tuple[bool, str, float], ...] = (
        (largest < _DAY * monthly, "where demand of a month is", monthly),
        (
            bool(orders) and needed * _ORDER < min(orders),
            "where the least that could be ordered is",
            min(orders, default=0.0),
        ),
        (
            bool(years) and needed * _YEAR < min(years),
            "where the least that a contract brings in a year is",
            min(years, default=0.0),
        ),
        (largest * _STOCK < stock, "where the stock at the start is", stock),
        (
            bool(sources) and needed * _APART < supply < math.inf,
            "where what could arrive in the horizon is",
            supply,
        ),
    )
    evident = next(
        (f"{where} {amounts.about(amount)} {unit}" for odd, where, amount in evidence if odd), None
    )
    if evident is None:
        return None
    message = (
        f"is {amounts.quantity(most)} {unit}, the largest target of {material}, {evident}:"
        " thousands meant, or another unit?"
    )
    return Problem(row.TABLE, row.line, "quantity", message, warning=True)


def _smallest(stockpile: Stockpile, source: Source) -> float:
    """Return the least that an order, or a contract in a year, brings if anything [quantity]."""
    if isinstance(source.row, Offer):
        return (
            max(source.row.minimum_order, stockpile.lot(source.row.lot_size) or 0.0)
            * source.row.availability
        )
    return min(_yearly(stockpile, source), default=0.0)


def _yearly(stockpile: Stockpile, source: Source) -> Iterator[float]:
    assert not isinstance(source.row, Offer)
    for level in menu(stockpile)[source.row.contract].values():
        least = source.row.take_or_pay if source.row.least_total is None else 0.0
        yield level.annual_quantity * least * source.row.availability


def _steps(stockpile: Stockpile, required: Sequence[TargetSeries]) -> Iterator[Problem]:
    """Yield two rows of targets, one after the other, that are far enough apart to be two units."""
    unit = stockpile.settings.quantity_unit
    for held in required:
        rows = [(row.quantity, row) for _, row in held.begins if row.quantity]
        for (old, before), (new, row) in itertools.pairwise(rows):
            if max(old, new) >= _APART * min(old, new):
                steps = (
                    f"from {amounts.quantity(old)} {unit} in row {before.line} to"
                    f" {amounts.quantity(new)} {unit}"
                )
                message = f"the target for {held.material} goes {steps}: another unit, or a slip?"
                yield Problem(row.TABLE, row.line, "quantity", message, warning=True)
                break
