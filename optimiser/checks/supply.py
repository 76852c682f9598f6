"""Quantity: what could arrive at most against demand that must be met and targets."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimiser.checks import rule_clashes
from optimiser.checks.series import (
    Series,
    TargetSeries,
    asked_to_hold,
    made_of_others,
    must_hand_out,
    opening,
    over,
    renewed,
)
from optimiser.checks.sources import Source, able
from stockpile_model.amounts import clean, month, quantity
from stockpile_model.blocks import targets
from stockpile_model.blocks.demand import Demand, covers, serving
from stockpile_model.schema import Problem, Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

_SLACK = 1e-6  # share of a quantity below which it is not missing


@functools.lru_cache(maxsize=16)
def sources(stockpile: Stockpile) -> Mapping[str, tuple[Source, ...]]:
    """Return what could bring any of each material, in the periods in which rules allow it."""
    shut = rule_clashes.shut(stockpile)
    return {
        material: tuple(
            replace(each, periods=run)
            for each in found
            for run in _runs(each.periods, shut.get(material, frozenset()))
        )
        for material, found in able(stockpile).items()
    }


def _runs(periods: range, shut: frozenset[int]) -> Iterator[range]:
    """Yield the parts of a range that hold no period in which rules let nothing arrive."""
    begin = periods.start
    for period in sorted(shut & set(periods)):
        if period > begin:
            yield range(begin, period)
        begin = period + 1
    if begin < periods.stop:
        yield range(begin, periods.stop)


def arriving(stockpile: Stockpile, material: str, first: NDArray[np.int64]) -> Series:
    """Return for each period the most that could arrive from its period in `first` on [quantity].

    Both periods are included.
    """
    last = np.arange(len(over(stockpile)))
    open_, most, found = np.zeros(len(last)), np.zeros(len(last)), np.zeros(len(last))
    for source in sources(stockpile)[material]:
        if math.isfinite(source.total):
            count = np.minimum(last + 1, source.periods.stop) - np.maximum(
                first, source.periods.start
            )
            with np.errstate(invalid="ignore"):  # infinite in no period is nothing
                found += np.where(count > 0, np.minimum(source.total, source.most * count), 0.0)
        elif math.isfinite(source.most):
            most[source.periods.start : source.periods.stop] += source.most
        else:
            open_[source.periods.start : source.periods.stop] = 1.0
    for amounts, each in ((most, 1.0), (open_, math.inf)):
        sums = np.concatenate([[0.0], amounts.cumsum()])
        within = sums[last + 1] - sums[np.minimum(first, last + 1)]
        found += within if each == 1.0 else np.where(within > 0, each, 0.0)
    return found


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what cannot be met, and the rules that let nothing arrive.

    No plan exists where it must be met, or must arrive.
    """
    held: dict[str, list[TargetSeries]] = {}
    for each in asked_to_hold(stockpile):
        held.setdefault(each.material, []).append(each)
    impossible: set[str] = set()
    needed = held.keys() | {row.material for row in stockpile.rows(Demand)}
    groups = (group for group in stockpile.groups if group in needed)
    for name in (*stockpile.keyed(Material), *groups):
        if made_of_others(stockpile, name):
            continue
        demand, rows = must_hand_out(stockpile, name)
        found = list(_demand(stockpile, name, demand, rows)) if rows else []
        found += _targets(stockpile, name, held[name], demand) if name in held else []
        impossible.update(*(stockpile.members(name) for _, hard in found if hard))
        yield from (problem for problem, _ in found)
    for clash in rule_clashes.clashes(stockpile):
        yield clash.problem(bool(clash.materials & impossible))


def _there(stockpile: Stockpile, oldest: Mapping[str, int | None]) -> Series:
    """Return for each period the most of some materials that could have come.

    Each is at most so old; None: of whatever age, as it may have been used before [quantity].
    """
    found: Series = np.sum([_come(stockpile, *each) for each in oldest.items()], axis=0)
    return found


def _come(stockpile: Stockpile, material: str, oldest: int | None) -> Series:
    """Return for each period the most of a material that could have come, as in `_there`."""
    quantities, ages = opening(stockpile)[material]
    periods = np.arange(len(over(stockpile)))
    if oldest is None:
        return float(quantities.sum()) + arriving(
            stockpile, material, np.zeros(len(periods), dtype=int)
        )
    usable = np.array([quantities[ages + period <= oldest].sum() for period in periods])
    return usable + arriving(stockpile, material, np.maximum(0, periods - oldest))


def _oldest(stockpile: Stockpile, material: str, age: int) -> int | None:
    """Return an age that limits what is there of a material; None where life is unlimited."""
    return None if stockpile.life(material) is None else age


def _never_renewed(stockpile: Stockpile, name: str) -> bool:
    """Return whether a material, or all of a group, only grow older, so that age limits it."""
    return renewed(stockpile).isdisjoint(stockpile.members(name))


def _demand(
    stockpile: Stockpile, name: str, demand: Series, rows: tuple[Demand, ...]
) -> Iterator[tuple[Problem, bool]]:
    """Yield the first period by which more demand must be met than could be there for it."""
    required, members = demand.cumsum(), stockpile.members(name)
    # All that was required until now, and what is required now alone, of metal with life left.
    usable = {each: _oldest(stockpile, each, (stockpile.life(each) or 1) - 1) for each in members}
    short = required - _there(stockpile, dict.fromkeys(members))
    if _never_renewed(stockpile, name) and any(age is not None for age in usable.values()):
        short = np.maximum(short, demand - _there(stockpile, usable))
    found = np.flatnonzero((demand > 0) & (short > _SLACK * required[-1]))
    if len(found):
        period = int(found[0])
        row = next(row for row in rows if period in covers(stockpile, row))
        what = "what could arrive at most by then, with the stock at the start"
        yield (
            _warning(
                stockpile,
                row,
                f"demand for {name}",
                period,
                period,
                float(short[period]),
                what,
                True,
            ),
            True,
        )


def _targets(
    stockpile: Stockpile, name: str, required: list[TargetSeries], demand: Series
) -> Iterator[tuple[Problem, bool]]:
    """Yield for each row of targets the first period in which it is more than could be there.

    Hard demand is met before.
    """
    members = stockpile.members(name)
    counting = {
        each: _oldest(stockpile, each, max(ages))
        for each in members
        if (ages := [age for age in stockpile.ages(each) if targets.counts(stockpile, each, age)])
    }
    if not counting:  # the block of targets warns of it
        return
    limits = [_there(stockpile, dict.fromkeys(members)) - demand.cumsum()]
    reasons = [
        "what could arrive at most by then, with the stock at the start and after demand that must"
        " be met"
    ]
    limited = len(counting) < len(members) or any(age is not None for age in counting.values())
    if limited and _never_renewed(stockpile, name):
        limits.append(_there(stockpile, counting))
        reasons.append("what could arrive at most that is still in spec then")
    reasons.append("the capacity of its sites")
    for held in required:
        sites = [stockpile.sites[name].capacity for name in serving(stockpile, held.buyer)]
        room = math.inf if None in sites else sum(each or 0.0 for each in sites)
        there = np.maximum(0.0, np.array([*limits, np.full(len(demand), room)]))
        short = held.quantity - there.min(axis=0)
        missed = short > _SLACK * held.quantity.max()
        for span, row in held.spans if missed.any() else ():
            found = [period for period in span if missed[period]]
            if found:
                worst = max(found, key=lambda period: float(short[period]))
                what = reasons[int(there[:, worst].argmin())]
                yield (
                    _warning(
                        stockpile,
                        row,
                        f"target for {name}",
                        found[0],
                        worst,
                        float(short[worst]),
                        what,
                        row.certain,
                    ),
                    row.certain,
                )


def _warning(
    stockpile: Stockpile,
    row: Row,
    name: str,
    first: int,
    worst: int,
    short: float,
    what: str,
    hard: bool,
) -> Problem:
    """Return the warning.

    `first` is the first period of which it is true, `worst` that in which most is missing.
    """
    begin, later = (month(stockpile.calendar.begin(period)) for period in (first, worst))
    amount = f"{quantity(clean(short))} {stockpile.settings.quantity_unit}" + (
        f" in {later}" if worst > first else ""
    )
    if hard:
        message = (
            f"the {name} cannot be met in {begin}, so no plan exists: it is {amount} above {what}"
        )
    else:
        message = (
            f"the {name} will be missed in {begin}{' and' if worst > first else ''} by at least"
            f" {amount}: it is above {what}"
        )
    return Problem(row.TABLE, row.line, "quantity", message, warning=True)
