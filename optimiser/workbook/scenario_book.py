"""The workbook that `stockpile scenarios` writes: the officer's tables again, with the new rows, and how these were made.

The sheet `guide` tells the seed, the parameters, the method and what the reduction lost, and draws the paths; the sheet `_paths` holds
what is drawn. Neither is read again. One seed makes one file: no clock goes into it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimiser.sampling import calibrate, tables
from optimiser.sampling.draw import ADDED_GAP, Process
from optimiser.sampling.make import Made, quantiles
from optimiser.sampling.reduce import METHODS
from optimiser.sampling.tables import Uncertainty
from optimiser.workbook.charts import AXIS, COLOURS, FONT, GRID, GRIDLINES, INK
from optimiser.workbook.drafts import Written, write_row
from optimiser.workbook.files import Kind, about, check_target, replace
from optimiser.workbook.input_sheets import CREATED, LINE_HEIGHT, Units, Writer, lay_out_guide, write_guide
from optimiser.workbook.styles import DATE, OPTIONS, PRICE, SHARE, Styles, legible, literal, put, serial, unit_of
from stockpile_model.amounts import count
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import PROVENANCE, Column, Row, columns
from stockpile_model.tables import Price

PATHS = "_paths"
NEW = (Scenario, Event)
_BAND = (0.05, 0.5, 0.95)
_NAMES = {0.05: "5 % of all samples", 0.5: "median of all samples", 0.95: "95 % of all samples"}
_WIDTH, _HEIGHT, _MOST_CHARTS = 900, 400, 6  # pixels
_MOST_SHOWN = 3  # correlations beside an index
_BESIDE = 11  # first column beside the guide, where the charts stand


def write(made: Made, given: Mapping[type[Row], Written], source: str, fingerprint: str, path: Path) -> None:
    """Write the workbook to `path` (.xlsx), in place of what stands there. Raises OutputError; then nothing has changed."""
    check_target(path, Kind.SCENARIOS)
    replace(path, compose(made, given, source, fingerprint))


def compose(made: Made, given: Mapping[type[Row], Written], source: str, fingerprint: str) -> bytes:
    """The workbook, as its file holds it. `given` are the tables of the workbook that it was made from."""
    target = io.BytesIO()
    written = _written(made, given)
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = made.stockpile.settings.title
        said = f"from {legible(source)}, sha256 {fingerprint}"
        book.set_properties(about(Kind.SCENARIOS, legible(title) or "Stockpile with scenarios", created=CREATED, comments=said))
        styles = Styles(book)
        guide = book.add_worksheet("guide")
        writer = Writer(styles, Units(made.stockpile.settings.quantity_unit, made.stockpile.settings.currency))
        for kind, table in written.items():
            sheet = book.add_worksheet(kind.TABLE)
            writer.table(sheet, kind, table.names, table.rows)
            if kind is Event:
                _values(sheet, table, styles)
        _guide(book, guide, made, source, fingerprint, writer)
    return target.getvalue()


def _written(made: Made, given: Mapping[type[Row], Written]) -> dict[type[Row], Written]:
    """The tables to write, in the order of the workbook: what it gave, the dates added to prices, and the new rows last."""
    found = {kind: table for kind, table in given.items() if kind not in NEW}
    if made.samples.added:
        added = {row.date.isoformat(): write_row(row) for row in made.stockpile.rows(Price) if row.date in made.samples.added}
        table = found[Price]
        rows = sorted((*table.rows, *added.values()), key=lambda row: row["date"])
        own = [name for name in table.names if name not in PROVENANCE]
        about = [name for name in PROVENANCE if any(name in row for row in rows)]
        found[Price] = Written((*own, *about), tuple(rows))
    if made.defaults:
        found[Uncertainty] = _table(Uncertainty, made.stockpile.rows(Uncertainty))
    order = [*found]
    if Uncertainty in order:  # beside what it leads to
        order = [kind for kind in order if kind is not Uncertainty] + [Uncertainty]
    return {kind: found[kind] for kind in order} | {kind: _table(kind, made.stockpile.rows(kind)) for kind in NEW}


def _table(kind: type[Row], rows: Iterable[Row]) -> Written:
    """New rows as a table; the columns that one of them fills, and those that a row must fill."""
    cells = tuple(write_row(row) for row in rows)
    found = [name for column in columns(kind) for name in (column.name, f"{column.name}_low", f"{column.name}_high")]
    required = {column.name for column in columns(kind) if column.required}
    return Written(tuple(name for name in (*found, *PROVENANCE) if name in required or any(name in row for row in cells)), cells)


def _values(sheet: Worksheet, table: Written, styles: Styles) -> None:
    """The values of events as numbers: the column is text, since an event may set text too."""
    at = table.names.index("value")
    for line, row in enumerate(table.rows, 1):
        put(sheet, line, at, float(row["value"]), styles())


# --- The guide --------------------------------------------------------------------------------------------------------


def _guide(book: xlsxwriter.Workbook, sheet: Worksheet, made: Made, source: str, fingerprint: str, writer: Writer) -> None:
    lay_out_guide(sheet)
    styles = writer.styles
    line = write_guide(sheet, _text(made, source, fingerprint), styles)
    for title, explained, header, rows in _sections(made, writer.units):
        line = write_guide(sheet, f"## {title}\n\n{explained}", styles, line + 1)
        sheet.set_row(line, 2 * LINE_HEIGHT)
        for at, name in enumerate(header):
            sheet.write_string(line, at, name, styles.header)
        for row, cells in enumerate(rows, line + 1):
            for at, (value, shown) in enumerate(cells):
                put(sheet, row, at, value, styles(shown))
            line = row
        line += 1
    _charts(book, sheet, made, writer)


def _text(made: Made, source: str, fingerprint: str) -> str:
    options, samples, reduction = made.options, made.samples, made.reduction
    begin = made.stockpile.calendar.begin(samples.revealed)
    rows = made.stockpile.rows(Event)
    again = f"--samples {options.samples} --keep {options.keep} --seed {options.seed} --method {options.method} --revealed {begin}"
    lines = [
        f"# Scenarios for {made.stockpile.settings.title or source}",
        f"{count(len(made.names), 'scenario')} of {options.samples} samples, made from {source} (sha256 {fingerprint}). All other tables "
        "are as they are there; its guide, formulas and formats are not repeated. This sheet is not read.",
        "## How they were made",
        f"- Again, to the byte: stockpile scenarios {source} {again}",
        f"- Until {begin} nothing of them is known: one plan holds for all. From then on each scenario has its own.",
        f"- Reduced by {METHODS[options.method]}; a sample that is not kept gives its probability to the nearest that is. Distance: prices "
        "against their mean (an index counts by how many rows are priced on it), the metal that each supplier could ship in each year and "
        "does not, the months of each embargo in each year; each of the three with the same total variance.",
        f"- The kept scenarios have all the probability; the base has none left, and serves as the past that they share. "
        f"{count(len(rows), 'row')} of events.",
        f"- Relative Kantorovich distance: {reduction.relative:.1%} (0 % keeps all samples, 100 % is what the best single one leaves). By "
        "number kept, forward selection leaves: " + ", ".join(f"{size}: {left:.1%}" for size, left in made.curve) + ".",
    ]
    if samples.added:
        dates = f"{count(len(samples.added), 'date')} {'was' if len(samples.added) == 1 else 'were'}"
        lines.append(
            f"- {dates} added to the sheet prices (at most {ADDED_GAP} months apart), so that a path can be followed. "
            "What is added lies on the straight line between its own dates: the base is unchanged."
        )
    if made.defaults:
        lines.append("- The workbook had no sheet uncertainty. The one in this workbook holds the defaults: mend it here and run again.")
    lines += [f"- Note: {each}." for each in made.said]
    lines += ["## What to do with them", "- Read and edit the sheets scenarios and events like any other: rename, delete, change, add."]
    lines += ["- Then: stockpile check and stockpile solve on this workbook. Fewer scenarios solve faster; --keep says how many."]
    return "\n\n".join(lines)


Shown = tuple[object, str]
Section = tuple[str, str, Sequence[str], list[list[Shown]]]


def _sections(made: Made, units: Units) -> Iterator[Section]:
    """The tables of the guide: title, what they say, header, rows of values with their formats."""
    if made.samples.processes:
        yield _price_parameters(made)
    if any(row.kind != "price" for row in made.stockpile.rows(Uncertainty)):
        yield _supply_parameters(made)
    if made.prices:
        yield _price_losses(made, units)
    if made.supply:
        yield _supply_losses(made)


def _price_parameters(made: Made) -> Section:
    samples = made.samples
    indices = [each.index for each in samples.processes]
    header = ["Index", "Volatility [1/√year]", "Reversion [1/year]", *(f"ρ {name}" for name in indices[:_MOST_SHOWN]), "Returns to", "Jump"]

    def row(k: int, each: Process) -> list[Shown]:
        own, jump = each.row, "none"
        if own.jump_factor is not None:
            low, mode, high = tables.triangle(own, "jump_factor")
            jump = f"x {mode:g} ({low:g} to {high:g}) with {own.jumps_with or f'{own.per_year:g} a year'}"
        name = each.index + (" (calibrated)" if each.origin.startswith("price_history") else "")
        level = "nothing" if own.process == "geometric" else "own path" if each.level is None else f"{each.level:,.6g}"
        shown: list[Shown] = [(name, ""), (each.volatility, "0.000"), (each.reversion, "0.000")]
        return [*shown, *((float(value), "0.00") for value in samples.correlation[k][:_MOST_SHOWN]), (level, ""), (jump, "")]

    said = (
        "Log prices against their mean path revert (Schwartz 1997, model 1) or wander (geometric Brownian motion), drawn exactly at the "
        "dates; without jumps the mean of the samples is the mean path, and jumps come on top. "
    )
    calibrated = [each for each in samples.processes if each.origin.startswith("price_history")]
    if calibrated:
        said += "Calibrated by maximum likelihood, which is the regression on the price before (AR(1)) where dates are evenly apart: "
        said += "; ".join(f"{each.index} from {each.origin}" for each in calibrated)
        said += f". Short histories say too fast a reversion; below {calibrate.LEAST_POINTS} points they are not used."
    return "Prices", said, header, [row(k, each) for k, each in enumerate(samples.processes)]


def _supply_parameters(made: Made) -> Section:
    rows: list[list[Shown]] = []
    for row in made.stockpile.rows(Uncertainty):
        if row.kind != "price":
            name = "delay_months" if row.kind == "delay" else "duration_months"
            spread = " to ".join(f"{each:g}" for each in tables.triangle(row, name))
            told = [row.name, row.kind, tables.about(row), row.value or "each", row.per_year, spread, row.confidence, row.source]
            rows.append([(each, "0.000" if isinstance(each, float) else "") for each in told])
    said = (
        "Outages and embargoes begin as a Poisson process (so many a year while none is on; within a year with 1 - exp(-that)) and "
        "last a whole number of periods. A plant is late by a draw of its own; one that ships before the scenarios part is late no more."
    )
    return "Plants and embargoes", said, ["Name", "Kind", "Of", "Value", "A year", "Months", "Confidence", "Source"], rows


def _price_losses(made: Made, units: Units) -> Section:
    unit = unit_of("money/quantity", units.quantity, units.currency)
    header = ["Index and date", f"Base [{unit}]"]
    header += [f"{what}, {when}" for what in ("Mean", "SD", "5 %", "95 %") for when in ("all", "kept")]
    rows: list[list[Shown]] = []
    for each in made.prices:
        pairs = [value for both in zip(each.before, each.after, strict=True) for value in both]
        rows.append([(f"{each.index} {each.date}", ""), (each.base, PRICE), *((value, PRICE) for value in pairs)])
    return "What the reduction lost: prices", "All samples beside the kept scenarios with their probabilities.", header, rows


def _supply_losses(made: Made) -> Section:
    header = ["What", "Probability, all", "Probability, kept", "Months, all", "Months, kept"]
    rows: list[list[Shown]] = [
        [
            (f"{each.kind} {each.name}" if each.kind not in each.name else each.name, ""),
            *((value, SHARE) for value in (each.before[0], each.after[0])),
            *((value, "0.0") for value in (each.before[1], each.after[1])),
        ]
        for each in made.supply
    ]
    said = "How probable it is that it happens within the horizon, and its months (late, or without supply) on average over all cases."
    return "What the reduction lost: supply", said, header, rows


# --- The paths --------------------------------------------------------------------------------------------------------


def _charts(book: xlsxwriter.Workbook, guide: Worksheet, made: Made, writer: Writer) -> None:
    """For each index a chart: where the samples lie, the base, and the kept scenarios."""
    if not made.samples.prices:
        return
    sheet, styles, samples = book.add_worksheet(PATHS), writer.styles, made.samples
    begin = made.stockpile.calendar.begin(samples.revealed)
    days, band, first = [begin, *samples.dates], quantiles(samples, _BAND), 0
    for number, (index, prices) in enumerate(samples.prices.items()):
        now = made.stockpile.price_on(index, begin)
        lines: dict[str, list[float]] = {_NAMES[share]: [now, *band[index][k].tolist()] for k, share in enumerate(_BAND)}
        lines["base"] = [made.stockpile.price_on(index, day) for day in days]
        shares = made.reduction.probability.tolist()
        for name, share, k in zip(made.names, shares, made.reduction.kept.tolist(), strict=True):
            lines[f"{name} ({share:.1%})"] = [now, *prices[k].tolist()]
        put(sheet, 0, first, f"{index} [{_price_unit(writer.units)}]", styles(bold=True))
        for at, name in enumerate(("date", *lines), first):
            put(sheet, 1, at, name, styles.header)
        for row, day in enumerate(days, 2):
            put(sheet, row, first, day, styles(DATE))
            for at, values in enumerate(lines.values(), first + 1):
                put(sheet, row, at, values[row - 2], styles(PRICE))
        sheet.set_column(first, first + len(lines), 12)
        if number < _MOST_CHARTS:
            span = {"min": serial(days[0]), "max": serial(days[-1])}
            chart = _chart(book, first, len(days), [*lines], f"Paths of {index}", _price_unit(writer.units), span)
            guide.insert_chart(0, _BESIDE, chart, {"y_offset": 4 + number * (_HEIGHT + 20), "object_position": 3})
        first += len(lines) + 2
    sheet.freeze_panes(2, 0)


def _price_unit(units: Units) -> str:
    return units(Column(name="", field="", kind="number", meaning="", unit="money/quantity"))


def _chart(book: xlsxwriter.Workbook, first: int, count: int, names: Sequence[str], title: str, unit: str, span: Mapping[str, int]) -> Any:
    chart = book.add_chart({"type": "scatter", "subtype": "straight"})
    kept = 0
    for at, name in enumerate(names, first + 1):
        if name == "base":
            line: dict[str, Any] = {"color": INK, "width": 2.25, "dash_type": "dash"}
        elif name in _NAMES.values():
            line = {"color": "#C0392B", "width": 2.5}
        else:
            line, kept = {"color": COLOURS[kept % len(COLOURS)], "width": 1}, kept + 1
        chart.add_series(
            {
                "name": [PATHS, 1, at],
                "categories": [PATHS, 2, first, count + 1, first],
                "values": [PATHS, 2, at, count + 1, at],
                "line": line,
            }
        )
    chart.set_title({"name": literal(title), "overlay": False, "name_font": {"size": 13, "bold": True, "color": INK}})
    chart.set_x_axis({**AXIS, **span, "num_format": "yyyy-mm", "name": "date"})
    chart.set_y_axis({**AXIS, "major_gridlines": GRIDLINES, "num_format": "#,##0", "min": 0, "name": literal(f"price [{unit}]")})
    chart.set_legend({"position": "right", "font": FONT})
    chart.set_size({"width": _WIDTH, "height": _HEIGHT})
    chart.set_chartarea({"border": {"color": GRID}})
    return chart
