"""What sampled scenarios were drawn from, and what keeping a few of them lost."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.scenarios.sampling import calibrate, uncertainty
from optimiser.scenarios.sampling.draw import Process
from optimiser.scenarios.sampling.make import Made
from optimiser.scenarios.sampling.uncertainty import Uncertainty

MOST_CORRELATIONS = 3  # that stand with an index
TEXT = Precision()


def figures(made: Made) -> Iterator[TableFigure]:
    """Yield the parameters of prices and of supply, and what each lost, where there are any."""
    if made.samples.processes:
        yield _price_parameters(made)
    if any(row.kind != "price" for row in made.stockpile.rows(Uncertainty)):
        yield _supply_parameters(made)
    if made.prices:
        yield _price_losses(made)
    if made.supply:
        yield _supply_losses(made)


def _price_parameters(made: Made) -> TableFigure:
    samples = made.samples
    names = [each.index for each in samples.processes][:MOST_CORRELATIONS]
    columns = (
        FigureColumn("Index"),
        FigureColumn("Volatility [1/√year]", Precision(places=3)),
        FigureColumn("Reversion [1/year]", Precision(places=3)),
        *(FigureColumn(f"ρ {name}", Precision(places=2)) for name in names),
        FigureColumn("Returns to"),
        FigureColumn("Jump"),
    )
    lines = []
    for each, row in zip(samples.processes, samples.correlation, strict=True):
        name = each.index + (" (calibrated)" if _calibrated(each) else "")
        level = f"{each.level:,.6g}" if each.level is not None else "own path"
        if each.row.process == "geometric":
            level = "nothing"
        correlations = (float(value) for value in row[:MOST_CORRELATIONS])
        values = (name, each.volatility, each.reversion, *correlations, level, _jump(each))
        lines.append(FigureLine(values))
    note = (
        "Log prices against their mean path revert (Schwartz 1997, model 1) or wander (geometric "
        "Brownian motion), drawn exactly at the dates; without jumps the mean of the samples is "
        "the mean path, and jumps come on top. "
    )
    calibrated = [each for each in samples.processes if _calibrated(each)]
    if calibrated:
        note += (
            "Calibrated by maximum likelihood, which is the regression on the price before (AR(1)) "
            "where dates are evenly apart: "
        )
        note += "; ".join(f"{each.index} from {each.origin}" for each in calibrated)
        note += ". Short histories give too fast a reversion; below "
        note += f"{calibrate.LEAST_POINTS} points they are not used."
    return TableFigure("price parameters", "Prices", columns, tuple(lines), note)


def _calibrated(process: Process) -> bool:
    return process.origin.startswith("price_history")


def _jump(process: Process) -> str:
    row = process.row
    if row.jump_factor is None:
        return "none"
    low, mode, high = uncertainty.triangle(row, "jump_factor")
    often = row.jumps_with or f"{row.per_year:g} a year"
    return f"x {mode:g} ({low:g} to {high:g}) with {often}"


def _supply_parameters(made: Made) -> TableFigure:
    titles = ("Name", "Kind", "Of", "Value", "A year", "Months", "Confidence", "Source")
    columns = tuple(
        FigureColumn(each, Precision(places=3) if each == "A year" else TEXT) for each in titles
    )
    lines = []
    for row in made.stockpile.rows(Uncertainty):
        if row.kind != "price":
            name = "delay_months" if row.kind == "delay" else "duration_months"
            spread = " to ".join(f"{each:g}" for each in uncertainty.triangle(row, name))
            about = (row.name, row.kind, uncertainty.about(row), row.value or "each")
            values = (*about, row.per_year, spread, row.confidence, row.source)
            lines.append(FigureLine(values))
    note = (
        "Outages and embargoes begin as a Poisson process (so many a year while none is on; within "
        "a year with 1 - exp(-that)) and last a whole number of periods. A plant is late by a draw "
        "of its own; one that ships before the scenarios part has no delay."
    )
    return TableFigure("supply parameters", "Plants and embargoes", columns, tuple(lines), note)


def _price_losses(made: Made) -> TableFigure:
    settings = made.stockpile.settings
    unit = f"{settings.currency}/{settings.quantity_unit}"
    price = Precision("money/quantity", places=2)
    pairs = (
        f"{what}, {when}" for what in ("Mean", "SD", "5 %", "95 %") for when in ("all", "kept")
    )
    columns = (
        FigureColumn("Index and date"),
        *(FigureColumn(title, price) for title in (f"Base [{unit}]", *pairs)),
    )
    lines = []
    for each in made.prices:
        both = (value for pair in zip(each.before, each.after, strict=True) for value in pair)
        lines.append(FigureLine((f"{each.index} {each.date}", each.base, *both)))
    note = "All samples, and the kept scenarios with their probabilities."
    title = "What the reduction lost: prices"
    return TableFigure("price losses", title, columns, tuple(lines), note)


def _supply_losses(made: Made) -> TableFigure:
    share, months = Precision("1"), Precision("months", places=1)
    columns = (
        FigureColumn("What"),
        FigureColumn("Probability, all", share),
        FigureColumn("Probability, kept", share),
        FigureColumn("Months, all", months),
        FigureColumn("Months, kept", months),
    )
    lines = []
    for each in made.supply:
        name = each.name if each.kind in each.name else f"{each.kind} {each.name}"
        likely, long = zip(each.before, each.after, strict=True)
        lines.append(FigureLine((name, *likely, *long)))
    note = (
        "The probability that it happens within the horizon, and its months (late, or without "
        "supply) on average over all cases."
    )
    title = "What the reduction lost: supply"
    return TableFigure("supply losses", title, columns, tuple(lines), note)
