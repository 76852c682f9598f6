"""Native charts on the summary, drawn from pivots that stand on the sheet `chart_data`."""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.worksheet import Worksheet

from optimiser.plan import Plan
from optimiser.workbook.result_sheets import Table, set_print
from optimiser.workbook.styles import Styles, legible, literal, put
from stockpile_model.blocks.budget import BudgetUse
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.schema import Result
from stockpile_model.tables import Material

SHEET = "chart_data"
LEFT_COLUMN = 7  # the first column right of the summary's tables
WIDTH, HEIGHT, GAP = 820, 370, 20  # pixels
A_PAGE, PAGE = 3, 1215  # charts on a printed page, and its height in pixels: none is cut in two
MOST_MATERIALS, MOST_SERIES, MOST_LABELS, MOST_PERIODS = 4, 8, 12, 24
INK, GRID = "#404040", "#D9D9D9"
LIFE_COLOURS = ("#1B4F72", "#2E86C1", "#7FB3D5", "#F5B041", "#E67E22")  # from fresh to old
GREYS = ("#A6ACAF", "#D0D3D4")  # what does not count towards a target
COLOURS = ("#1F3864", "#2E86C1", "#17A589", "#F1C40F", "#E67E22", "#A93226", "#7D3C98", "#909497", "#5D6D7E")
LINE = "#C0392B"
FONT: dict[str, Any] = {"size": 9, "color": INK}
AXIS: dict[str, Any] = {"num_font": FONT, "name_font": {**FONT, "bold": False}, "line": {"color": GRID}}
GRIDLINES: dict[str, Any] = {"visible": True, "line": {"color": GRID, "width": 0.5}}
UNCOUNTED = " (does not count)"


@dataclass(frozen=True)
class Pivot:
    """Numbers by label, a row for each, and by name, a column for each; None is a gap. `axis` says what the labels are."""

    axis: str
    labels: Sequence[str]
    columns: Mapping[str, Sequence[float | None]]


def pivot(axis: str, labels: Sequence[str], cells: Iterable[tuple[str, str, float]], names: Sequence[str] | None = None) -> Pivot:
    """Sum numbers by label and name; `names` gives the columns, by default all that occur, in alphabetical order."""
    found: dict[tuple[str, str], list[float]] = {}
    for label, name, number in cells:
        found.setdefault((label, name), []).append(number)
    chosen = sorted({name for _, name in found}) if names is None else names
    return Pivot(axis, labels, {name: [math.fsum(found.get((label, name), ())) for label in labels] for name in chosen})


@dataclass
class Charts:
    """Places charts one below the other, and their data side by side."""

    book: xlsxwriter.Workbook
    styles: Styles
    summary: Worksheet
    data: Worksheet
    column: int = 0
    placed: int = 0

    def block(self, title: str, shown: Pivot) -> Block:
        """Write a pivot: its title, a header, and rows under their labels."""
        first = self.column
        put(self.data, 0, first, title, self.styles(bold=True))
        for c, name in enumerate((shown.axis, *shown.columns), start=first):
            put(self.data, 1, c, name, self.styles.header)
        self.data.set_column(first, first + len(shown.columns), 14)
        for r, label in enumerate(shown.labels, start=2):
            put(self.data, r, first, label, self.styles())
        for c, numbers in enumerate(shown.columns.values(), start=first + 1):
            for r, number in enumerate(numbers, start=2):
                put(self.data, r, c, number, self.styles("#,##0.00"))
        self.column += len(shown.columns) + 2
        return Block(first, 2, len(shown.labels) + 1)

    def chart(self, kind: str, subtype: str = "") -> Chart:
        return self.book.add_chart({"type": kind, "subtype": subtype} if subtype else {"type": kind})

    def place(self, chart: Chart, title: str, x: dict[str, Any], y: dict[str, Any], height: int = HEIGHT) -> None:
        """Give a chart its title, axes and legend, and its place on the summary."""
        chart.set_title({"name": literal(title), "overlay": False, "name_font": {"size": 13, "bold": True, "color": INK}})
        chart.set_x_axis({**AXIS, **x, "name": literal(x.get("name", ""))})
        chart.set_y_axis({**AXIS, "major_gridlines": GRIDLINES, **y, "name": literal(y.get("name", ""))})
        chart.set_legend({"position": "bottom", "font": FONT})
        chart.set_size({"width": WIDTH, "height": height})
        chart.set_chartarea({"border": {"color": GRID}})
        chart.show_blanks_as("gap")
        page, place = divmod(self.placed, A_PAGE)
        top = 4 + page * PAGE + place * (HEIGHT + GAP)
        self.summary.insert_chart(0, LEFT_COLUMN, chart, {"y_offset": top, "object_position": 2, "description": legible(title)})
        self.placed += 1


@dataclass(frozen=True)
class Block:
    """Where a pivot stands on the data sheet."""

    column: int
    first: int
    last: int

    def series(self, number: int) -> dict[str, Any]:
        """The references of a column of the pivot: its name, its labels and its values."""
        c = self.column + 1 + number
        return {
            "name": [SHEET, self.first - 1, c],
            "categories": [SHEET, self.first, self.column, self.last, self.column],
            "values": [SHEET, self.first, c, self.last, c],
        }


def add_charts(book: xlsxwriter.Workbook, styles: Styles, plan: Plan, found: Mapping[type[Result], Table], summary: Worksheet) -> None:
    """Draw what the plan has rows for: stock of each material, purchases, appropriations, cash flow."""
    data = book.add_worksheet(SHEET)
    data.freeze_panes(2, 0)
    set_print(data)
    charts = Charts(book, styles, summary, data)
    held, asked = _dated(found[LotStock]), _dated(found[TargetMet])
    for material in _largest_materials(held, asked):
        _stock(charts, plan, material, *([row for row in rows if row["material"] == material] for rows in (held, asked)))
    if ScenarioOutcome in found:
        _scenarios(charts, plan, found[ScenarioOutcome])
    _purchases(charts, plan, _dated(found[Delivery]))
    _cash_flow(charts, plan, _dated(found[CashFlow]))
    _appropriations(charts, plan, found[BudgetUse])


Line = dict[str, Any]


def _dated(table: Table) -> list[Line]:
    """The rows of a table with their periods; under scenarios their amounts are what is expected of them."""
    rows = [dict(zip(table.values, values, strict=True)) for values in zip(*table.values.values(), strict=True)]
    labels = {day: _label(day) for day in set(table.values["date"])}
    for row in rows:
        row["period"] = labels[row["date"]]
        for name in ("quantity", "amount", "target") if "probability" in row else ():
            if name in row:
                row[name] *= row["probability"]
    return rows


def _label(day: dt.date) -> str:
    return f"{day:%Y-%m}"


def _periods(plan: Plan) -> list[str]:
    calendar = plan.stockpile.calendar
    return [_label(calendar.begin(t)) for t in range(calendar.periods)]


def _time_axis(plan: Plan) -> dict[str, Any]:
    """Labels at whole years, or parts of a year, no closer than can be read."""
    months, periods = plan.stockpile.calendar.months, plan.stockpile.calendar.periods
    steps = [step // months for step in (1, 3, 6, 12, 24, 60, 120, 240) if step % months == 0]
    every = next((step for step in steps if periods <= step * MOST_LABELS), steps[-1])
    return {"text_axis": True, "interval_unit": every, "interval_tick": every, "label_position": "low"}


def _largest_materials(held: Iterable[Line], asked: Iterable[Line]) -> list[str]:
    """The materials that are held or asked for, those with the largest stock or target first."""
    stock: dict[tuple[str, str], float] = {}
    for row in held:
        stock[row["material"], row["period"]] = stock.get((row["material"], row["period"]), 0.0) + row["quantity"]
    largest: dict[str, float] = {}
    for material, amount in itertools.chain(
        ((m, each) for (m, _), each in stock.items()), ((row["material"], row["target"]) for row in asked)
    ):
        largest[material] = max(amount, largest.get(material, 0.0))
    names = [name for name in sorted(largest) if largest[name] > 0]
    return sorted(names, key=lambda name: -largest[name])[:MOST_MATERIALS]


def _stock(charts: Charts, plan: Plan, material: str, held: Sequence[Line], asked: Sequence[Line]) -> None:
    """Stacked columns of stock by remaining life, against the target as a line."""
    labels, edges = _life_classes(plan, material)
    cells = [(row["period"], labels[bisect.bisect_right(edges, row["remaining_life"] or 0.0) - 1], row["quantity"]) for row in held]
    shown = pivot("period", _periods(plan), cells, labels[::-1])  # the freshest at the bottom
    if asked:
        target = pivot("period", sorted({row["period"] for row in asked}), ((row["period"], "target", row["target"]) for row in asked))
        at = dict(zip(target.labels, target.columns["target"], strict=True))
        shown = Pivot(shown.axis, shown.labels, {**shown.columns, "target": [at.get(label) for label in shown.labels]})
    block = charts.block(f"stock of {material} by remaining life [{plan.unit}]", shown)

    counted = sum(not label.endswith(UNCOUNTED) for label in labels)
    chart = charts.chart("column", "stacked")
    for k in range(len(labels)):
        colour = LIFE_COLOURS[k % len(LIFE_COLOURS)] if k < counted else GREYS[(k - counted) % len(GREYS)]
        chart.add_series({**block.series(k), "fill": {"color": colour}, "gap": 30})
    if asked:
        line = charts.chart("line")
        marker = {"type": "none" if len(asked) > 1 else "diamond"}
        line.add_series({**block.series(len(labels)), "line": {"color": LINE, "width": 2.25}, "marker": marker})
        chart.combine(line)
    charts.place(
        chart,
        ("Expected stock" if plan.stockpile.scenarios else "Stock")
        + f" of {material} at period end"
        + " by remaining life" * (len(labels) > 1)
        + ", against target" * bool(asked),
        {"name": "period", **_time_axis(plan)},
        {"name": f"stock [{plan.unit}]", "num_format": "#,##0", "min": 0},
    )


def _life_classes(plan: Plan, material: str) -> tuple[list[str], list[float]]:
    """Classes of remaining life [months], four or five of them, split where stock begins to count towards a target."""
    row = plan.stockpile.keyed(Material)[material]
    if row.shelf_life_months is None:
        return ["stock"], [0.0]
    months = plan.stockpile.calendar.months
    width = months * max(1, -(-int(row.shelf_life_months // months) // 4))
    edges = sorted({0.0, *(float(edge) for edge in range(width, int(row.shelf_life_months), width)), row.count_life_months})
    edges = [edge for edge in edges if edge < row.shelf_life_months]
    ends = [*edges[1:], row.shelf_life_months]
    labels = []
    for begin, end in zip(edges, ends, strict=True):
        label = f"{begin:g} to {end:g} months left"
        labels.append(label if begin >= row.count_life_months else label + UNCOUNTED)
    return labels, edges


def _scenarios(charts: Charts, plan: Plan, table: Table) -> None:
    """The cost of each scenario as a column, the dearest first, and its shortfall as a line with an axis of its own."""
    rows = sorted(zip(*(table.values[name] for name in ("scenario", "cost", "shortfall")), strict=True), key=lambda row: -row[1])
    scale, unit = _scale([cost for _, cost, _ in rows], plan.currency)
    costs = [cost / scale for _, cost, _ in rows]
    shown = Pivot("scenario", [name for name, _, _ in rows], {"cost": costs, "shortfall (right)": [short for _, _, short in rows]})
    block = charts.block(f"scenarios: cost [{unit}], shortfall [{plan.unit}]", shown)
    chart, line = charts.chart("column"), charts.chart("line")
    chart.add_series({**block.series(0), "fill": {"color": COLOURS[0]}, "gap": 40})
    marker = {"type": "diamond", "size": 7, "fill": {"color": LINE}, "border": {"color": LINE}}
    line.add_series({**block.series(1), "line": {"none": True}, "marker": marker, "y2_axis": True})
    chart.combine(line)
    line.set_y2_axis({**AXIS, "name": literal(f"shortfall [{plan.unit}]"), "num_format": "#,##0", "min": 0})
    charts.place(
        chart,
        "Cost and shortfall by scenario",
        {"name": "scenario", "text_axis": True, "label_position": "low"},
        {"name": f"discounted cost [{unit}]", "num_format": _decimals(max(map(abs, costs)))},
    )


def _purchases(charts: Charts, plan: Plan, rows: Sequence[Line]) -> None:
    """Stacked columns of what arrives, by supplier, over periods or fiscal years."""
    if not rows:
        return
    calendar = plan.stockpile.calendar
    yearly = calendar.periods > MOST_PERIODS
    when = [f"FY{calendar.fiscal_year(t)}" if yearly else label for t, label in enumerate(_periods(plan))]
    span = "fiscal year" if yearly else "period"
    cells = ((when[calendar.period(row["date"])], row["supplier"], row["quantity"]) for row in rows if row["supplier"] is not None)
    shown = _largest(pivot(span, list(dict.fromkeys(when)), cells))
    block = charts.block(f"deliveries by supplier [{plan.unit}]", shown)
    chart = charts.chart("column", "stacked")
    for k in range(len(shown.columns)):
        chart.add_series({**block.series(k), "fill": {"color": COLOURS[k % len(COLOURS)]}, "gap": 50})
    axis: dict[str, Any] = {"text_axis": True} if yearly else _time_axis(plan)
    charts.place(
        chart,
        "Purchases by supplier, as they arrive",
        {"name": span, **axis},
        {"name": f"deliveries [{plan.unit}]", "num_format": "#,##0", "min": 0},
    )


def _largest(shown: Pivot) -> Pivot:
    """The columns with the largest sums; what is left of them as one more."""
    order = sorted(shown.columns, key=lambda name: -math.fsum(abs(each or 0.0) for each in shown.columns[name]))
    kept = order if len(order) <= MOST_SERIES else order[: MOST_SERIES - 1]
    columns = {name: shown.columns[name] for name in kept}
    if len(kept) < len(order):
        columns["(all others)"] = _row_sums(Pivot(shown.axis, shown.labels, {name: shown.columns[name] for name in order[len(kept) :]}))
    return Pivot(shown.axis, shown.labels, columns)


def _row_sums(shown: Pivot, sign: Callable[[float], float] = float) -> list[float]:
    """The sum of each row."""
    return [math.fsum(sign(each or 0.0) for each in row) for row in zip(*shown.columns.values(), strict=True)]


def _cash_flow(charts: Charts, plan: Plan, rows: Sequence[Line]) -> None:
    """Stacked columns of cash by heading, receipts below zero, and the running sum as a line with an axis of its own."""
    rows = [row for row in rows if row["cash"]]
    if not rows:
        return
    flows = _largest(pivot("period", _periods(plan), ((row["period"], row["heading"].replace("_", " "), row["amount"]) for row in rows)))
    running, sizes = list(itertools.accumulate(_row_sums(flows))), _row_sums(flows, abs)
    scale, unit = _scale(sizes, plan.currency)
    total_scale, total_unit = _scale(running, plan.currency)
    columns = {name: [(each or 0.0) / scale for each in numbers] for name, numbers in flows.columns.items()}
    total = [each / total_scale for each in running]
    shown = Pivot(flows.axis, flows.labels, {**columns, "running sum (right)": total})
    block = charts.block(f"cash flow [{unit}], running sum [{total_unit}]", shown)
    chart, line = charts.chart("column", "stacked"), charts.chart("line")
    headings = len(columns)
    for k in range(headings):
        chart.add_series({**block.series(k), "fill": {"color": COLOURS[k % len(COLOURS)]}, "gap": 30})
    line.add_series({**block.series(headings), "line": {"color": INK, "width": 2.25}, "y2_axis": True})
    chart.combine(line)
    line.set_y2_axis({**AXIS, "name": literal(f"running sum [{total_unit}]"), "num_format": _decimals(max(map(abs, total)))})
    charts.place(
        chart,
        "Cash flow by heading, undiscounted",
        {"name": "period", **_time_axis(plan)},
        {"name": f"each period [{unit}]", "num_format": _decimals(max(sizes) / scale)},
    )


def _appropriations(charts: Charts, plan: Plan, table: Table) -> None:
    """A stacked bar for each appropriation: spent, lapsed, left."""
    if not table.height:
        return
    scale, unit = _scale(table.values["amount"], plan.currency)
    columns = {name: [each / scale for each in table.values[name]] for name in ("spent", "lapsed", "left")}
    block = charts.block(f"appropriations [{unit}]", Pivot("appropriation", table.values["appropriation"], columns))
    chart = charts.chart("bar", "stacked")
    for k, colour in enumerate((COLOURS[0], LINE, "#A9CCE3")):
        chart.add_series({**block.series(k), "fill": {"color": colour}, "gap": 40})
    charts.place(
        chart,
        "Appropriations: spent, lapsed, left",
        {
            "name": f"amount [{unit}]",
            "num_format": _decimals(max(0.0, *map(max, columns.values()))),
            "min": 0,
            "major_gridlines": GRIDLINES,
        },
        {"reverse": True, "interval_unit": 1, "major_gridlines": {"visible": False}, "crossing": "max"},
        height=max(HEIGHT, 150 + 24 * table.height),
    )


def _scale(values: Sequence[float], currency: str) -> tuple[float, str]:
    """A power of a thousand in which the largest value reads well, and the name of the unit."""
    largest = max((abs(each) for each in values), default=0.0)
    for scale, name in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if largest >= 2 * scale:
            return scale, f"{name} {currency}"
    return 1.0, currency


def _decimals(largest: float) -> str:
    return "#,##0" if largest >= 8 else "#,##0.0"
