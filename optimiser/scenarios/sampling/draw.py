"""Draw samples of what is uncertain: price paths, delays of plants, periods without supply."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from optimiser.scenarios.sampling import calibrate, random_processes, uncertainty
from optimiser.scenarios.sampling.random_processes import Array, Flags, Whole
from optimiser.scenarios.sampling.uncertainty import PriceHistory, Uncertainty
from optimiser.system.errors import Fault, InputError, StockpileError
from stockpile_model.amounts import count
from stockpile_model.calendar import add_months
from stockpile_model.names import identity
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Supplier
from stockpile_model.values import normal

YEAR = 365.25  # days
MOST_GAP, ADDED_GAP = 6, 3
"""Months that dates of `prices` may lie apart for a path to be followed; where they lie further,
dates are added this far apart.
"""


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """Describe how many scenarios are sampled and kept, and how.

    `revealed` None: the first fiscal year that begins within the horizon.
    """

    samples: int = 1000
    keep: int = 10
    seed: int = 1
    method: Literal["forward", "kmedoids"] = "forward"
    revealed: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Process:
    """Describe how an index moves: its parameters as they are used, and where they come from."""

    index: str
    row: Uncertainty
    volatility: float
    reversion: float  # 0: geometric
    level: float | None
    origin: str


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Describe what was drawn.

    Prices: samples x dates; delays [months] by supplier; periods in which a plant or an embargo
    stops supply.
    """

    revealed: int  # the period in which the scenarios part
    dates: tuple[dt.date, ...]  # of prices, after that
    added: tuple[dt.date, ...]  # dates that the workbook's own prices lack
    processes: tuple[Process, ...]
    correlation: Array
    prices: Mapping[str, Array]
    delays: Mapping[str, Whole]
    outages: Mapping[str, Flags]  # by supplier
    embargoes: Mapping[str, Flags]  # by row
    notes: tuple[str, ...] = field(default=())  # what the officer should know

    @property
    def size(self) -> int:
        """Return how many samples there are."""
        return len(
            next(
                iter(
                    (
                        *self.prices.values(),
                        *self.delays.values(),
                        *self.outages.values(),
                        *self.embargoes.values(),
                    )
                )
            )
        )


def draw(stockpile: Stockpile, options: SamplingOptions) -> Samples:
    """Sample everything that the sheet `uncertainty` names.

    Raises InputError or StockpileError where there is nothing to sample.
    """
    notes: list[str] = []
    revealed = _revealed(stockpile, options.revealed)
    dates, added = _dates(stockpile, revealed)
    moving, correlation = _processes(stockpile, notes)
    embargoes = _embargoes(stockpile, options, revealed)
    delays = _delays(stockpile, options, revealed, notes)
    outages = _outages(stockpile, options, revealed, delays)
    found = Samples(
        revealed=revealed,
        dates=dates,
        added=added if moving else (),
        processes=tuple(moving),
        correlation=correlation,
        prices=_prices(stockpile, options, revealed, dates, moving, correlation, embargoes),
        delays=delays,
        outages=outages,
        embargoes=embargoes,
        notes=tuple(notes),
    )
    if not (found.prices or delays or outages or embargoes):
        raise InputError(
            [
                Fault(
                    Uncertainty.TABLE,
                    "names nothing that can differ: no index, no plant and no embargo",
                )
            ]
        )
    return found


# --- Time -----------------------------------------------------------------------------------------


def _revealed(stockpile: Stockpile, day: dt.date | None) -> int:
    """Return the period in which the scenarios become known."""
    calendar = stockpile.calendar
    if day is not None:
        period = calendar.period(day)
        if not 0 <= period < calendar.periods - 1:
            last = calendar.begin(calendar.periods - 1)
            raise StockpileError(
                f"--revealed {day}: must lie in the horizon and before its last period"
                f" ({calendar.start} to {last})"
            )
        return period
    if calendar.periods < 2:
        raise StockpileError(
            "scenarios need a horizon of two periods at least: what is known in the first, and what"
            " may come"
        )
    years = [calendar.fiscal_year(t) for t in range(calendar.periods - 1)]
    turned = next((t for t, year in enumerate(years) if year != years[0]), None)
    return turned if turned is not None else min(12, calendar.periods // 2)


def _dates(stockpile: Stockpile, revealed: int) -> tuple[tuple[dt.date, ...], tuple[dt.date, ...]]:
    """Return the dates at which price paths are drawn, after the scenarios part, and those of them
    and before that `prices` lacks.

    The workbook's own dates are enough where none of their gaps is longer than MOST_GAP. Where they
    are not, the dates are added at which the scenarios part and the last period begins, and between
    any two that lie further apart others every ADDED_GAP months.
    """
    calendar = stockpile.calendar
    begin, end = calendar.begin(revealed), calendar.begin(calendar.periods - 1)
    own = {row.date for row in stockpile.rows(Price)}
    dates = sorted({day for day in own if begin < day <= end})
    marks = [begin, *dates, end]
    enough = bool(dates) and all(add_months(a, MOST_GAP) >= b for a, b in itertools.pairwise(marks))
    if enough and (end in own or not any(day > end for day in own)):
        return tuple(dates), ()
    found = {begin, *dates, end}
    for a, b in itertools.pairwise(sorted(found)):
        found |= set(_added(a, b))
    return tuple(sorted(found - {begin})), tuple(sorted(found - own))


def _added(begin: dt.date, end: dt.date) -> Iterator[dt.date]:
    """Yield dates between two, ADDED_GAP months apart, the last a month before the end."""
    for k in itertools.count(1):
        day = add_months(begin, ADDED_GAP * k)
        if add_months(day, 1) >= end:
            return
        yield day


# --- Prices ---------------------------------------------------------------------------------------


def _processes(stockpile: Stockpile, notes: list[str]) -> tuple[list[Process], Array]:
    """Return how each uncertain index moves, and how they move together."""
    rows = uncertainty.indices(stockpile)
    fits = _fits(stockpile, rows, notes)
    found = []
    for index, row in rows.items():
        fit, reverting = fits.get(index), row.process == "mean_reverting"
        volatility, reversion = (
            (fit[0].volatility, fit[0].reversion)
            if fit
            else (row.volatility, row.reversion if reverting else 0.0)
        )
        if volatility is None or reversion is None:
            missing = "volatility" if volatility is None else "reversion"
            raise InputError(
                [
                    Fault(
                        stockpile.cell(row, missing),
                        f"{missing} is required: price_history has too few points of {index}",
                    )
                ]
            )
        days = [
            row.date
            for row in stockpile.rows(PriceHistory)
            if fit and _value(row, index) is not None
        ]
        origin = (
            f"price_history, {count(len(days), 'point')}, {min(days)} to {max(days)}"
            if days
            else f"uncertainty, row {row.name}"
        )
        found.append(
            Process(
                index=index,
                row=row,
                volatility=volatility,
                reversion=reversion,
                level=row.level,
                origin=origin,
            )
        )
    return found, _correlation(
        stockpile,
        [each.index for each in found],
        {index: fit[1] for index, fit in fits.items()},
        notes,
    )


def _fits(
    stockpile: Stockpile, rows: Mapping[str, Uncertainty], notes: list[str]
) -> dict[str, tuple[calibrate.Fit, calibrate.Steps]]:
    """Return the fit and the residuals by step of each index that a history calibrates."""
    found: dict[str, tuple[calibrate.Fit, calibrate.Steps]] = {}
    history = sorted(stockpile.rows(PriceHistory), key=lambda row: row.date)
    for index, row in rows.items():
        points = [
            (each.date, value) for each in history if (value := _value(each, index)) is not None
        ]
        if len(points) >= calibrate.LEAST_POINTS:
            days = [day for day, _ in points]
            years = np.array([(day - days[0]).days / YEAR for day in days])
            fit = calibrate.fit(
                years, np.array([value for _, value in points]), row.process == "mean_reverting"
            )
            found[index] = (
                fit,
                dict(zip(itertools.pairwise(days), fit.residuals.tolist(), strict=True)),
            )
        elif points:
            few = f"{count(len(points), 'point')}, fewer than {calibrate.LEAST_POINTS}"
            notes.append(
                f"price_history holds {few}, of {index}: the parameters of uncertainty ({row.name})"
                " are used"
            )
    known = {normal(index) for index in stockpile.names(Price.TABLE)}
    unknown = dict.fromkeys(
        index for row in history for index in row.values if normal(index) not in known
    )
    notes += [
        f"price_history has {index}, which is no index of prices: it is ignored"
        for index in unknown
    ]
    return found


def _value(row: PriceHistory, index: str) -> float | None:
    return next(
        (value for name, value in row.values.items() if normal(name) == normal(index)), None
    )


def _correlation(
    stockpile: Stockpile,
    indices: Sequence[str],
    steps: Mapping[str, calibrate.Steps],
    notes: list[str],
) -> Array:
    """Return the correlations.

    They are those of the histories of two indices where these have enough common steps, else those
    of `uncertainty`: along the chain of rows that leads from one index to the other the
    correlations multiply, which is always possible.
    """
    partner = uncertainty.correlated(stockpile)
    found = np.eye(len(indices))
    for (i, a), (j, b) in itertools.combinations(enumerate(indices), 2):
        if a in steps and b in steps:
            value, common = calibrate.correlation(steps[a], steps[b])
            if common >= calibrate.LEAST_POINTS - 1:
                found[i, j] = found[j, i] = value
                continue
            notes.append(
                f"price_history has {common} common steps of {a} and {b}, too few: their"
                " correlation in uncertainty is used"
            )
        up, down = dict(_chain(a, partner)), dict(_chain(b, partner))
        meeting = next((name for name in up if name in down), None)
        found[i, j] = found[j, i] = 0.0 if meeting is None else up[meeting] * down[meeting]
    found, change = random_processes.possible(found)
    if change > 0.005:
        notes.append(
            "the correlations from price_history, of different dates, are impossible together:"
            f" changed by {change:.2f} at most"
        )
    return found


def _chain(index: str, partner: Mapping[str, tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """Yield the indices that one leads to by `correlates_with`, itself first, each with the product
    of the correlations on the way.
    """
    product, passed = 1.0, {index}
    yield index, product
    while index in partner:
        index, correlation = partner[index]
        if index in passed:
            return
        passed.add(index)
        product *= correlation
        yield index, product


def _prices(
    stockpile: Stockpile,
    options: SamplingOptions,
    revealed: int,
    dates: Sequence[dt.date],
    moving: Sequence[Process],
    correlation: Array,
    embargoes: Mapping[str, Flags],
) -> dict[str, Array]:
    """Return the price paths, samples x dates, to four digits.

    A path is the mean path x exp(X - Var X / 2), so that without jumps the mean is the mean path.
    While a jump lasts it is multiplied by the jump factor.
    """
    if not moving:
        return {}
    calendar = stockpile.calendar
    start = calendar.begin(revealed)
    years = np.array([(day - start).days / YEAR for day in dates])
    periods = [calendar.period(day) for day in dates]
    kappa, sigma = (
        np.array([each.reversion for each in moving]),
        np.array([each.volatility for each in moving]),
    )
    rng = random_processes.stream(options.seed, "prices")
    drawn = random_processes.log_paths(rng, options.samples, years, kappa, sigma, correlation)
    spread = np.array([random_processes.variance(kappa, sigma, float(year)) for year in years])
    drawn = np.exp(drawn - spread / 2)
    by_name = {identity(name): flags for name, flags in embargoes.items()}
    found = {}
    for k, each in enumerate(moving):
        path = drawn[:, :, k] * _mean_path(stockpile, each, start, dates, years)
        if each.row.jump_factor is not None:
            rng = random_processes.stream(options.seed, f"jump {each.index}")
            factor = random_processes.triangular(
                rng, options.samples, *uncertainty.triangle(each.row, "jump_factor")
            )
            on = by_name.get(identity(each.row.jumps_with or ""))
            if on is None:
                on = _spells(rng, each.row, np.full(options.samples, revealed), stockpile)
            path = np.where(on[:, periods], path * factor[:, None], path)
        found[each.index] = random_processes.rounded(path)
    return found


def _mean_path(
    stockpile: Stockpile, process: Process, start: dt.date, dates: Sequence[dt.date], years: Array
) -> Array:
    """Return the mean path of an index: that of the workbook.

    With a level it is the way from the price at the start to the level, κ fast on the log scale.
    """
    if process.level is None:
        return np.array([stockpile.price_on(process.index, day) for day in dates])
    price = stockpile.price_on(process.index, start)
    if price <= 0:
        raise InputError(
            [
                Fault(
                    stockpile.cell(process.row, "level"),
                    f"level needs a price of {process.index} above 0 on {start}",
                )
            ]
        )
    return np.asarray(
        process.level * np.exp(math.log(price / process.level) * np.exp(-process.reversion * years))
    )


# --- Supply ---------------------------------------------------------------------------------------


def _spells(
    rng: np.random.Generator, row: Uncertainty, first: Whole, stockpile: Stockpile
) -> Flags:
    months = None if row.duration_months is None else uncertainty.triangle(row, "duration_months")
    return random_processes.spells(
        rng,
        first,
        stockpile.settings.periods,
        row.per_year or 0.0,
        months,
        stockpile.calendar.months,
    )


def _embargoes(stockpile: Stockpile, options: SamplingOptions, revealed: int) -> dict[str, Flags]:
    """Return the periods of each embargo."""
    first = np.full(options.samples, revealed)
    return {
        name: _spells(
            random_processes.stream(options.seed, f"embargo {name}"), row, first, stockpile
        )
        for name, (row, _) in uncertainty.embargoes(stockpile).items()
    }


def _delays(
    stockpile: Stockpile, options: SamplingOptions, revealed: int, notes: list[str]
) -> dict[str, Whole]:
    """Draw delays in whole months.

    A plant that ships before the scenarios part has no delay.
    """
    found = {}
    begin = stockpile.calendar.begin(revealed)
    for name, row in uncertainty.suppliers(stockpile, "delay").items():
        start = stockpile.keyed(Supplier)[name].start
        if start is not None and start > begin:
            drawn = random_processes.triangular(
                random_processes.stream(options.seed, f"delay {name}"),
                options.samples,
                *uncertainty.triangle(row, "delay_months"),
            )
            found[name] = np.rint(drawn).astype(np.int64)
    if not found and any(row.kind == "delay" for row in stockpile.rows(Uncertainty)):
        notes.append(
            f"no delay is drawn: no plant that it names has a start after {begin}, when the"
            " scenarios part"
        )
    return found


def _outages(
    stockpile: Stockpile, options: SamplingOptions, revealed: int, delays: Mapping[str, Whole]
) -> dict[str, Flags]:
    """Return the periods in which each plant ships nothing.

    Outages begin once the scenarios part and the plant ships.
    """
    calendar = stockpile.calendar
    found = {}
    for name, row in uncertainty.suppliers(stockpile, "outage").items():
        start, late = (
            stockpile.keyed(Supplier)[name].start,
            delays.get(name, np.zeros(options.samples, dtype=np.int64)),
        )
        starts = {
            months: 0 if start is None else calendar.period(add_months(start, months))
            for months in set(late.tolist())
        }
        first = np.array([max(revealed, starts[months]) for months in late.tolist()])
        found[name] = _spells(
            random_processes.stream(options.seed, f"outage {name}"), row, first, stockpile
        )
    return found
