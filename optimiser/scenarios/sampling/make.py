"""Make rows of samples that an officer can read and edit, and measure what the reduction lost."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimiser.scenarios.sampling import uncertainty
from optimiser.scenarios.sampling.defaults import DEFAULTS
from optimiser.scenarios.sampling.draw import Samples, SamplingOptions, draw
from optimiser.scenarios.sampling.random_processes import Array, Flags
from optimiser.scenarios.sampling.reduce import METHODS, Reduction, distances, forward, reduce
from optimiser.scenarios.sampling.uncertainty import Uncertainty
from optimiser.system.errors import Fault, InputError, StockpileError
from stockpile_model import amounts
from stockpile_model.block import ways
from stockpile_model.blocks.targets import Target
from stockpile_model.build import check
from stockpile_model.calendar import add_months
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price, Supplier
from stockpile_model.values import text

_MOST_NOTED = 4  # things of one kind that the note of a scenario names
_MOST_DATES = 4  # dates at which prices before and after the reduction are compared
_MUCH = 0.3  # share of a spread or a probability whose loss the command line reports
TAILS = (0.05, 0.95)


@dataclass(frozen=True, kw_only=True)
class PriceLoss:
    """An index on a date, before and after the reduction [money/quantity].

    Before are all samples; after are the kept scenarios by their probabilities.
    """

    index: str
    date: dt.date
    base: float
    before: tuple[float, float, float, float]  # mean, standard deviation, 5 %, 95 %
    after: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class SupplyLoss:
    """A delay, an outage or an embargo, before and after the reduction.

    The figures are its probability within the horizon, and its months on average.
    """

    kind: str
    name: str
    before: tuple[float, float]
    after: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A stockpile with its new scenarios, how they were made and what was lost."""

    stockpile: Stockpile
    options: SamplingOptions
    samples: Samples
    reduction: Reduction
    curve: tuple[
        tuple[int, float], ...
    ]  # kept, and the relative distance that forward selection leaves
    defaults: bool  # whether the workbook does not state what is uncertain
    prices: tuple[PriceLoss, ...]
    supply: tuple[SupplyLoss, ...]
    said: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the new scenarios."""
        return tuple(row.scenario for row in self.stockpile.rows(Scenario))


def make(stockpile: Stockpile, options: SamplingOptions) -> Made:
    """Sample, reduce and write rows.

    The stockpile has none of its own `scenarios` and `events` left.

    Raises InputError or StockpileError where that cannot be, also where a plan could not be made of
    what came out.
    """
    if options.keep > options.samples:
        raise StockpileError(
            f"--keep {options.keep} is more than --samples {options.samples}: what is kept must be"
            " sampled first"
        )
    defaults = not stockpile.rows(Uncertainty)
    if defaults:
        kept = tuple(
            row for row in DEFAULTS if row.kind != "delay" or uncertainty.named(stockpile, row)
        )
        stockpile = replace(stockpile, tables={**stockpile.tables, Uncertainty: kept})
        if not stockpile.names(Price.TABLE):
            missing = (
                "has no index: there is no price that could move; add prices, or say in a sheet"
                " uncertainty what else may happen"
            )
            raise InputError([Fault(Price.TABLE, missing)])
    samples = draw(stockpile, options)
    cost = distances(features(stockpile, samples))
    weight = np.full(options.samples, 1 / options.samples)
    order, left = forward(cost, weight, min(options.samples, 2 * options.keep))
    reduction = reduce(cost, weight, options.keep, options.method, order)
    sizes = sorted({1, max(1, options.keep // 2), options.keep, len(left)})
    curve = tuple((size, float(left[size - 1] / left[0]) if left[0] > 0 else 0.0) for size in sizes)
    made = _with_rows(stockpile, options, samples, reduction)
    if faults := [Fault(*made.located(each)) for each in check(made) if not each.warning]:
        raise InputError(faults)
    prices, supply = (
        tuple(_price_losses(stockpile, samples, reduction)),
        tuple(_supply_losses(stockpile, samples, reduction)),
    )
    return Made(
        stockpile=made,
        options=options,
        samples=samples,
        reduction=reduction,
        curve=curve,
        defaults=defaults,
        prices=prices,
        supply=supply,
        said=(*samples.notes, *_advice(stockpile, samples), *_thin(prices, supply)),
    )


# --- Distance -------------------------------------------------------------------------------------


def features(stockpile: Stockpile, samples: Samples) -> Array:
    """Return what scenarios are compared by, a row for each sample.

    There are three groups: prices against their mean over the horizon, an index counting by how
    many rows are priced on it; the metal that each supplier could ship in each year and does not,
    being late or stopped; and the months of each embargo in each year. Among the prices alone
    embargoes would hide: in trials half of their probability was lost.

    Each group is scaled to the same total variance, so that none drowns the others.
    """
    counts = {index: _priced_on(stockpile, index) for index in samples.prices}
    if not any(counts.values()):
        counts = dict.fromkeys(counts, 1)
    prices = [
        each / max(float(each.mean()), 1e-12) * np.sqrt(counts[index])
        for index, each in samples.prices.items()
    ]
    scaled = []
    embargoes = [
        np.add.reduceat(flags.astype(float), _years(stockpile, samples), axis=1)
        for flags in samples.embargoes.values()
    ]
    for parts in (prices, list(_lost(stockpile, samples)), embargoes):
        if parts:
            group = np.concatenate(parts, axis=1)
            total = float(group.var(axis=0).sum())
            scaled.append(group / np.sqrt(total) if total > 0 else group * 0.0)
    return np.concatenate(scaled, axis=1)


def _priced_on(stockpile: Stockpile, index: str) -> int:
    """Return how many rows of other tables name an index."""
    fields = {
        kind: [column.field for column in columns(kind) if column.refers == Price.TABLE]
        for kind in stockpile.tables
    }
    return sum(
        getattr(row, each) == index
        for kind, names in fields.items()
        for row in stockpile.tables[kind]
        for each in names
    )


def _lost(stockpile: Stockpile, samples: Samples) -> Iterator[Array]:
    """Yield for each supplier what it could ship and does not ship in a sample [quantity].

    It is counted in each year from where the scenarios part. What nothing limits counts as the
    largest that something does.
    """
    calendar, stopped = stockpile.calendar, _stopped(stockpile, samples)
    names = dict.fromkeys((*stopped, *samples.delays))
    most = {name: _shipped(stockpile, name) for name in names}
    largest = max((each for each in most.values() if each is not None), default=1.0) or 1.0
    at = np.arange(calendar.periods)
    years = _years(stockpile, samples)
    for name in names:
        start = stockpile.keyed(Supplier)[name].start
        late = samples.delays.get(name, np.zeros(samples.size, dtype=np.int64))
        begins = {
            months: 0 if start is None else calendar.period(add_months(start, months))
            for months in {0, *late.tolist()}
        }
        ships = at >= np.array([begins[months] for months in late.tolist()])[:, None]
        if name in stopped:
            ships = ships & ~stopped[name]
        lost = (at >= begins[0]).astype(float) - ships
        size = most[name]
        yield (
            np.add.reduceat(lost, years, axis=1)
            * (largest if size is None else size)
            * calendar.months
            / 12
        )


def _years(stockpile: Stockpile, samples: Samples) -> list[int]:
    """Return the periods in which a year begins, counted from where the scenarios part."""
    return [
        *range(
            samples.revealed, stockpile.settings.periods, max(1, 12 // stockpile.calendar.months)
        )
    ]


def _shipped(stockpile: Stockpile, supplier: str) -> float | None:
    """Return the most that a supplier ships in a year [quantity]; None where nothing limits it."""
    yearly = [way.yearly for way in ways(stockpile, supplier)]
    known = [each for each in yearly if each is not None]
    return sum(known) if len(known) == len(yearly) else None


def _stopped(stockpile: Stockpile, samples: Samples) -> dict[str, Flags]:
    """Return the periods in which each supplier ships nothing, for whatever reason."""
    found = dict(samples.outages)
    for name, (_, suppliers) in uncertainty.embargoes(stockpile).items():
        for supplier in suppliers:
            flags = samples.embargoes[name]
            found[supplier] = found[supplier] | flags if supplier in found else flags
    return found


# --- Rows -----------------------------------------------------------------------------------------


def _with_rows(
    stockpile: Stockpile, options: SamplingOptions, samples: Samples, reduction: Reduction
) -> Stockpile:
    """Return the stockpile with scenarios, events, and the dates of prices that they need."""
    begin = stockpile.calendar.begin(samples.revealed)
    width = max(2, len(str(options.keep)))
    scenarios: list[Scenario] = []
    events: list[Event] = []
    source = (
        f"stockpile scenarios: {options.samples} samples, seed {options.seed},"
        f" {METHODS[options.method]}"
    )
    for number, (k, probability) in enumerate(
        zip(reduction.kept.tolist(), reduction.probability.tolist(), strict=True), 1
    ):
        name = f"s{number:0{width}d}"
        scenarios.append(
            Scenario(
                scenario=name,
                probability=round(probability, 12),
                revealed=begin,
                source=source,
                confidence="assumption",
                note="; ".join(_described(stockpile, samples, k))
                or "as the base, but for small moves of prices",
            )
        )
        events += _events(stockpile, samples, name, k)
    prices: list[Price] = [*stockpile.rows(Price), *_between(stockpile, samples.added)]
    prices.sort(key=lambda row: row.date)
    rows: dict[type[Row], tuple[Row, ...]] = {
        **stockpile.tables,
        Price: tuple(prices),
        Scenario: tuple(scenarios),
        Event: tuple(events),
    }
    return replace(stockpile, tables=rows)


def _between(stockpile: Stockpile, dates: Sequence[dt.date]) -> Iterator[Price]:
    """Yield rows of `prices` that change nothing: each index as it is on that date."""
    for day in dates:
        yield Price(
            date=day,
            values={
                index: stockpile.price_on(index, day) for index in stockpile.names(Price.TABLE)
            },
            source="linear between the dates around it",
            confidence="assumption",
            note="Added so that scenarios can follow a path; it changes nothing by itself.",
        )


def _events(stockpile: Stockpile, samples: Samples, scenario: str, k: int) -> Iterator[Event]:
    """Yield the rows of `events` that make up a sample."""
    for index, prices in samples.prices.items():
        for day, price in zip(samples.dates, prices[k].tolist(), strict=True):
            yield Event(
                scenario=scenario,
                table="prices",
                row=day.isoformat(),
                column=index,
                how="set",
                value=text(price),
            )
    for supplier, months in samples.delays.items():
        if months[k]:
            yield Event(
                scenario=scenario,
                table="suppliers",
                row=supplier,
                column="start",
                how="add",
                value=text(int(months[k])),
            )
    for supplier, flags in _stopped(stockpile, samples).items():
        for begin, end in _runs(stockpile, flags[k]):
            for way in ways(stockpile, supplier):
                yield Event(
                    scenario=scenario,
                    table=way.table,
                    row=way.name,
                    column="availability",
                    from_=begin,
                    to=end,
                    how="set",
                    value="0",
                )


def _runs(stockpile: Stockpile, flags: Flags) -> list[tuple[dt.date, dt.date]]:
    """Return the first and last day of each unbroken run of periods."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int))).tolist()
    return [
        (stockpile.calendar.begin(a), stockpile.calendar.end(b - 1))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _described(stockpile: Stockpile, samples: Samples, k: int) -> Iterator[str]:
    """Yield a sample in words."""
    for index, prices in itertools.islice(samples.prices.items(), _MOST_NOTED):
        base = stockpile.price_on(index, samples.dates[-1])
        mean = float(np.mean([stockpile.price_on(index, day) for day in samples.dates]))
        yield (
            f"{index} {prices[k].mean():,.4g} on average (base {mean:,.4g}), {prices[k, -1]:,.4g}"
            f" at the end (base {base:,.4g})"
        )
    for name, flags in samples.embargoes.items():
        yield from (
            f"{name} {begin:%Y-%m} to {end:%Y-%m}" for begin, end in _runs(stockpile, flags[k])
        )
    runs = [
        (supplier, run)
        for supplier, flags in samples.outages.items()
        for run in _runs(stockpile, flags[k])
    ]
    stops = [f"{supplier} out {begin:%Y-%m} to {end:%Y-%m}" for supplier, (begin, end) in runs]
    months = {supplier: int(each[k]) for supplier, each in samples.delays.items() if each[k]}
    late = [
        f"{supplier} {abs(each)} months {'late' if each > 0 else 'early'}"
        for supplier, each in months.items()
    ]
    for found in (stops, late):
        yield from found[:_MOST_NOTED]
        if len(found) > _MOST_NOTED:
            yield f"{len(found) - _MOST_NOTED} more {'outages' if found is stops else 'delays'}"


def _advice(stockpile: Stockpile, samples: Samples) -> Iterator[str]:
    """Yield what is easily overlooked."""
    begin = stockpile.calendar.begin(samples.revealed)
    hard = [row for row in stockpile.rows(Target) if row.certain and row.from_ > begin]
    if hard and (samples.delays or samples.outages or samples.embargoes):
        yield (
            f"{stockpile.cell(hard[0], 'hard')}: hard targets must be met in every scenario,"
            " however late plants are; where no plan can, make them soft with a below_target_cost"
        )
    without = [name for name in _stopped(stockpile, samples) if not ways(stockpile, name)]
    if without:
        yield f"no offer or contract is of {', '.join(without)}: their outages change nothing"


def _thin(prices: Sequence[PriceLoss], supply: Sequence[SupplyLoss]) -> Iterator[str]:
    """Yield where the kept scenarios show too little spread or too improbable embargoes."""
    lost = [
        f"{amounts.percent(each.after[1] / each.before[1])} of the spread of {each.index}"
        f" on {each.date}"
        for each in prices
        if _narrow(each)
    ]
    lost += [
        f"{each.name} with a probability of {amounts.percent(each.after[0])} instead of"
        f" {amounts.percent(each.before[0])}"
        for each in supply
        if each.kind == "embargo" and abs(each.after[0] - each.before[0]) > _MUCH * each.before[0]
    ]
    if lost:
        shown = "; ".join(lost[:_MOST_NOTED]) + ("; …" if len(lost) > _MOST_NOTED else "")
        yield (
            f"the kept scenarios hold {shown}. Keep more of them, or let fewer things be uncertain"
        )


def _narrow(each: PriceLoss) -> bool:
    return each.before[1] > 0 and each.after[1] < (1 - _MUCH) * each.before[1]


# --- What was lost --------------------------------------------------------------------------------


def moments(values: Array, weight: Array) -> tuple[float, float, float, float]:
    """Return mean, standard deviation, 5 % and 95 % of weighted values.

    A quantile is the least value with at least that mass up to it.
    """
    mean = float(weight @ values)
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order])
    low, high = (
        float(values[order[min(len(values) - 1, int(np.searchsorted(mass, share - 1e-12)))]])
        for share in TAILS
    )
    return mean, float(np.sqrt(max(0.0, float(weight @ (values - mean) ** 2)))), low, high


def _price_losses(
    stockpile: Stockpile, samples: Samples, reduction: Reduction
) -> Iterator[PriceLoss]:
    every = np.full(samples.size, 1 / samples.size)
    count = len(samples.dates)
    chosen = sorted({round((count - 1) * part / _MOST_DATES) for part in range(1, _MOST_DATES + 1)})
    for index, prices in samples.prices.items():
        for d in chosen:
            yield PriceLoss(
                index=index,
                date=samples.dates[d],
                base=stockpile.price_on(index, samples.dates[d]),
                before=moments(prices[:, d], every),
                after=moments(prices[reduction.kept, d], reduction.probability),
            )


def _supply_losses(
    stockpile: Stockpile, samples: Samples, reduction: Reduction
) -> Iterator[SupplyLoss]:
    """Yield the months of delay or without supply, counted within the horizon."""
    every = np.full(samples.size, 1 / samples.size)
    months = stockpile.calendar.months
    found: list[tuple[str, str, Array]] = [
        *(
            ("embargo", name, flags.sum(axis=1) * float(months))
            for name, flags in samples.embargoes.items()
        ),
        *(
            ("outage", name, flags.sum(axis=1) * float(months))
            for name, flags in samples.outages.items()
        ),
        *(("delay", name, each.astype(float)) for name, each in samples.delays.items()),
    ]

    def measured(values: Array, weight: Array) -> tuple[float, float]:
        return float(weight @ (values != 0)), float(weight @ values)

    for kind, name, values in found:
        after = measured(values[reduction.kept], reduction.probability)
        yield SupplyLoss(kind=kind, name=name, before=measured(values, every), after=after)


def quantiles(samples: Samples, shares: Sequence[float]) -> Mapping[str, Array]:
    """Return the quantiles of each index on each date over all samples: shares x dates."""
    return {index: np.quantile(prices, shares, axis=0) for index, prices in samples.prices.items()}
