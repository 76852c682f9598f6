"""The workbook that `stockpile scenarios` writes: the tables of the officer again, with new rows,
and how these came about.

The sheet `guide` says the seed, the parameters, the method and what the reduction lost, and draws
the paths; the sheet `_paths` holds what is drawn. Neither is read again. One seed gives one file:
no clock goes into it.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.worksheet import Worksheet

from optimiser.figures import of_scenarios
from optimiser.figures.figure import ChartFigure, Role, TableFigure
from optimiser.scenarios.sampling.draw import ADDED_GAP
from optimiser.scenarios.sampling.make import Made
from optimiser.scenarios.sampling.reduce import METHODS
from optimiser.scenarios.sampling.uncertainty import Uncertainty
from optimiser.workbook.read.drafts import Written, write_row, write_table
from optimiser.workbook.write.charts import (
    AXIS,
    COLOURS,
    FONT,
    GRID,
    GRIDLINES,
    INK,
    LINE,
    axis_of,
    titled,
)
from optimiser.workbook.write.input_sheets import (
    CREATED,
    LINE_HEIGHT,
    Units,
    Writer,
    lay_out_guide,
    write_guide,
)
from optimiser.workbook.write.ownership import Kind, about, check_target, replace
from optimiser.workbook.write.styles import (
    DATE,
    OPTIONS,
    Styles,
    drawn_format,
    legible,
    plain,
    precise,
    put,
)
from stockpile_model.amounts import count, percent
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import PROVENANCE, Row
from stockpile_model.tables import Price

PATHS = "_paths"
NEW = (Scenario, Event)
LINES: dict[Role, dict[str, Any]] = {
    "base": {"color": INK, "width": 2.25, "dash_type": "dash"},
    "spread": {"color": LINE, "width": 2.5},
}
_WIDTH, _HEIGHT, _MOST_CHARTS = 900, 400, 6  # pixels
_CHART_COLUMN = 11  # first column next to the guide, where the charts stand


def write(
    made: Made, given: Mapping[type[Row], Written], source: str, fingerprint: str, path: Path
) -> None:
    """Write the workbook to `path` (.xlsx), in place of what stands there. Raises OutputError; then
    nothing has changed."""
    check_target(path, Kind.SCENARIOS)
    replace(path, compose(made, given, source, fingerprint))


def compose(made: Made, given: Mapping[type[Row], Written], source: str, fingerprint: str) -> bytes:
    """Return the workbook, as its file holds it. `given` are the tables of the workbook that it is
    made from."""
    target = io.BytesIO()
    written = _written(made, given)
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = made.stockpile.settings.title
        origin = f"from {legible(source)}, sha256 {fingerprint}"
        book.set_properties(
            about(
                Kind.SCENARIOS,
                legible(title) or "Stockpile with scenarios",
                created=CREATED,
                comments=origin,
            )
        )
        styles = Styles(book)
        guide = book.add_worksheet("guide")
        writer = Writer(
            styles, Units(made.stockpile.settings.quantity_unit, made.stockpile.settings.currency)
        )
        for kind, table in written.items():
            sheet = book.add_worksheet(kind.TABLE)
            writer.table(sheet, kind, table.names, table.rows)
            if kind is Event:
                _values(sheet, table, styles)
        _guide(book, guide, made, source, fingerprint, writer)
    return target.getvalue()


def _written(made: Made, given: Mapping[type[Row], Written]) -> dict[type[Row], Written]:
    """Return the tables to write, in the order of the workbook: what it gave, the dates added to
    prices, and the new rows last."""
    found = {kind: table for kind, table in given.items() if kind not in NEW}
    if made.samples.added:
        added = {
            row.date.isoformat(): write_row(row)
            for row in made.stockpile.rows(Price)
            if row.date in made.samples.added
        }
        table = found[Price]
        rows = sorted((*table.rows, *added.values()), key=lambda row: row["date"])
        own = [name for name in table.names if name not in PROVENANCE]
        about = [name for name in PROVENANCE if any(name in row for row in rows)]
        found[Price] = Written((*own, *about), tuple(rows))
    if made.defaults:
        found[Uncertainty] = write_table(Uncertainty, made.stockpile.rows(Uncertainty))
    order = [*found]
    if Uncertainty in order:  # next to what it leads to
        order = [kind for kind in order if kind is not Uncertainty] + [Uncertainty]
    return {kind: found[kind] for kind in order} | {
        kind: write_table(kind, made.stockpile.rows(kind)) for kind in NEW
    }


def _values(sheet: Worksheet, table: Written, styles: Styles) -> None:
    """Write the values of events as numbers: the column is text, for an event may set text too."""
    at = table.names.index("value")
    for line, row in enumerate(table.rows, 1):
        put(sheet, line, at, float(row["value"]), styles())


# --- The guide ------------------------------------------------------------------------------------


def _guide(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    made: Made,
    source: str,
    fingerprint: str,
    writer: Writer,
) -> None:
    lay_out_guide(sheet)
    styles = writer.styles
    line = write_guide(sheet, _text(made, source, fingerprint), styles)
    figures = of_scenarios.figures_of(made).values()
    for figure in figures:
        if isinstance(figure, TableFigure):
            line = _table_of(sheet, styles, figure, line)
    _charts(book, sheet, [each for each in figures if isinstance(each, ChartFigure)], styles)


def _text(made: Made, source: str, fingerprint: str) -> str:
    """Return what the guide says above its tables."""
    lines = [
        f"# Scenarios for {made.stockpile.settings.title or source}",
        (
            f"{count(len(made.names), 'scenario')} of {made.options.samples} samples, made from "
            f"{source} (sha256 {fingerprint}). All other tables are as they are there; its guide, "
            "formulas and formats are not repeated. This sheet is not read."
        ),
        "## How they were made",
        *_method(made, source),
        *(f"- Note: {each}." for each in made.said),
        "## What to do with them",
        (
            "- Read and edit the sheets scenarios and events like any other: rename, delete,"
            " change, add."
        ),
        (
            "- Then: stockpile check and stockpile solve on this workbook. Fewer scenarios solve "
            "faster; --keep says how many."
        ),
    ]
    return "\n\n".join(lines)


def _method(made: Made, source: str) -> Iterator[str]:
    """Yield how the scenarios were drawn and reduced."""
    options, samples, reduction = made.options, made.samples, made.reduction
    begin = made.stockpile.calendar.begin(samples.revealed)
    yield (
        f"- Again, to the byte: stockpile scenarios {source} --samples {options.samples} "
        f"--keep {options.keep} --seed {options.seed} --method {options.method} --revealed {begin}"
    )
    yield (
        f"- Until {begin} nothing of them is known: one plan holds for all. From then on each "
        "scenario has its own."
    )
    yield (
        f"- Reduced by {METHODS[options.method]}; a sample that is not kept gives its probability "
        "to the nearest that is. Distance: prices against their mean (an index counts by how many "
        "rows are priced on it), the metal that each supplier could ship in each year and does "
        "not, the months of each embargo in each year; each of the three with the same total "
        "variance."
    )
    events = count(len(made.stockpile.rows(Event)), "row")
    yield (
        "- The kept scenarios have all the probability; the base has none left, and serves as the "
        f"past that they share. {events} of events."
    )
    curve = ", ".join(f"{size}: {percent(left, 1)}" for size, left in made.curve)
    yield (
        f"- Relative Kantorovich distance: {percent(reduction.relative, 1)} (0 % keeps all"
        " samples, 100 % is what the best single one leaves). By number kept, forward selection"
        f" leaves: {curve}."
    )
    if samples.added:
        number = len(samples.added)
        yield (
            f"- {count(number, 'date')} {'was' if number == 1 else 'were'} added to the sheet "
            f"prices (at most {ADDED_GAP} months apart), so that a path can be followed. What is "
            "added lies on the straight line between its own dates: the base is unchanged."
        )
    if made.defaults:
        yield (
            "- The workbook had no sheet uncertainty. The one in this workbook holds the defaults: "
            "change it here and run again."
        )


def _table_of(sheet: Worksheet, styles: Styles, figure: TableFigure, line: int) -> int:
    """Write a table below what it says; return the line below it."""
    explained = f"## {figure.title}\n\n{figure.caption}"
    line = write_guide(sheet, explained, styles, line + 1)
    sheet.set_row(line, 2 * LINE_HEIGHT)
    formats = [precise(each.precision) for each in figure.columns]
    for at, column in enumerate(figure.columns):
        sheet.write_string(line, at, column.title, styles.header)
    for each in figure.lines:
        line += 1
        for at, value in enumerate(each.values):
            put(sheet, line, at, value, styles(formats[at] if isinstance(value, float) else ""))
    return line + 1


# --- The paths ------------------------------------------------------------------------------------


def _charts(
    book: xlsxwriter.Workbook, guide: Worksheet, figures: Sequence[ChartFigure], styles: Styles
) -> None:
    """Draw a chart of each index from the numbers on a sheet of their own."""
    if not figures:
        return
    sheet, first = book.add_worksheet(PATHS), 0
    for number, figure in enumerate(figures):
        put(sheet, 0, first, figure.caption, styles(bold=True))
        for at, name in enumerate((figure.x.title, *(each.name for each in figure.series)), first):
            put(sheet, 1, at, name, styles.header)
        for row, day in enumerate(figure.labels, 2):
            put(sheet, row, first, day, styles(DATE))
        for at, each in enumerate(figure.series, first + 1):
            shown = styles(drawn_format(each.values))
            for row, price in enumerate(each.values, 2):
                put(sheet, row, at, price, shown)
        sheet.set_column(first, first + len(figure.series), 12)
        if number < _MOST_CHARTS:
            place = {"y_offset": 4 + number * (_HEIGHT + 20), "object_position": 3}
            guide.insert_chart(0, _CHART_COLUMN, _chart(book, first, figure), place)
        first += len(figure.series) + 2
    sheet.freeze_panes(2, 0)


def _chart(book: xlsxwriter.Workbook, first: int, figure: ChartFigure) -> Chart:
    """Draw the lines of an index, whose numbers stand from a column on."""
    chart, count = book.add_chart({"type": "scatter", "subtype": "straight"}), len(figure.labels)
    colours = itertools.cycle(COLOURS)
    for at, each in enumerate(figure.series, first + 1):
        line = LINES[each.role] if each.role in LINES else {"color": next(colours), "width": 1}
        chart.add_series(
            {
                "name": [PATHS, 1, at],
                "categories": [PATHS, 2, first, count + 1, first],
                "values": [PATHS, 2, at, count + 1, at],
                "line": line,
            }
        )
    begin, *_, end = figure.labels
    span = {"min": plain(begin), "max": plain(end), "num_format": "yyyy-mm"}
    chart.set_title(titled(figure.title))
    chart.set_x_axis({**AXIS, **span, "name": figure.x.title})
    chart.set_y_axis({**AXIS, "major_gridlines": GRIDLINES, **axis_of(figure.y, figure)})
    chart.set_legend({"position": "right", "font": FONT})
    chart.set_size({"width": _WIDTH, "height": _HEIGHT})
    chart.set_chartarea({"border": {"color": GRID}})
    return chart
