"""The paths of prices in sampled scenarios: where the samples lie, the base, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.scenarios.sampling.make import Made, quantiles
from stockpile_model import amounts

SHARES = (0.05, 0.5, 0.95)
NAMES = ("5 % of all samples", "median of all samples", "95 % of all samples")


def figures(made: Made) -> Iterator[ChartFigure]:
    """Yield the paths of each index."""
    if not made.samples.prices:
        return
    samples, stockpile = made.samples, made.stockpile
    settings, begin = stockpile.settings, stockpile.calendar.begin(samples.revealed)
    days, bands = (begin, *samples.dates), quantiles(samples, SHARES)
    unit = f"{settings.currency}/{settings.quantity_unit}"
    shares, kept = made.reduction.probability.tolist(), made.reduction.kept.tolist()
    for index, prices in samples.prices.items():
        now = stockpile.price_on(index, begin)
        series = [
            FigureSeries(name, (now, *bands[index][k].tolist()), "joined", "spread")
            for k, name in enumerate(NAMES)
        ]
        base = tuple(stockpile.price_on(index, day) for day in days)
        series.append(FigureSeries("base", base, "joined", "base"))
        for name, share, k in zip(made.names, shares, kept, strict=True):
            path = (now, *prices[k].tolist())
            series.append(FigureSeries(f"{name} ({amounts.percent(share, 1)})", path, "joined"))
        yield ChartFigure(
            f"paths of {index}",
            f"Paths of {index}",
            f"{index} [{unit}]",
            FigureAxis("date"),
            FigureAxis("price", unit, least=0),
            days,
            tuple(series),
        )
