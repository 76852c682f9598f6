"""The sheet `summary`: how good the plan is, what to do first, and totals as live formulas over the other sheets."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optimiser.plan import Plan
from optimiser.workbook.result_sheets import Table, set_print
from optimiser.workbook.styles import SHARE, Styles, number_format, put
from stockpile_model.amounts import count, month
from stockpile_model.block import headings as block_headings
from stockpile_model.blocks.budget import BudgetUse, Payment
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.objective import CashFlow
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.projects.project_outcomes import ProjectOutcome
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.calendar import add_months
from stockpile_model.schema import Result
from stockpile_model.tree import ALL

WIDTHS = (36, 17, 17, 17, 17, 17)
LAST = len(WIDTHS) - 1
LINE = 125  # characters on a line across all columns
HIGHEST = 409  # points that a row may have
FIRST_MONTHS, MOST_FIRST = 6, 12
NOTE: dict[str, Any] = {"font_color": "#595959", "indent": 1}
AGREES, DIFFERS = "agrees", "differs"
SLACK, LEAST = 1e-6, 1000.0  # what sums may differ by, relatively; of less than so many scaled units as of these
WEIGHT, EXPECTED = "probability", ("discounted",)  # under scenarios sums weigh rows by it, but for what is expected already

STATUS = {
    "optimal": "optimal: proven to be the best plan, within the gap asked for",
    "feasible": "feasible: a plan that keeps every limit, not proven to be the best; the gap says how much better one could be",
}


@dataclass(frozen=True)
class Live:
    """A formula and the value that it has now."""

    formula: str
    value: float | str


def total(table: Table, column: str, **equal: object) -> Live:
    """The sum of a column, over the rows whose columns hold the given values."""
    amounts = table.values[column]
    for name, value in equal.items():
        amounts = [amount if each == value else 0.0 for amount, each in zip(amounts, table.values[name], strict=True)]
    if WEIGHT in table.values and column not in EXPECTED:
        amounts = [amount * weight for amount, weight in zip(amounts, table.values[WEIGHT], strict=True)]
        conditions = "".join(f"({table.range(name)}={_criterion(value)})*" for name, value in equal.items())
        return Live(f"SUMPRODUCT({conditions}{table.range(column)}*{table.range(WEIGHT)})", math.fsum(amounts))
    if not equal:
        return Live(f"SUM({table.range(column)})", math.fsum(amounts))
    asked = ",".join(f"{table.range(name)},{_criterion(value)}" for name, value in equal.items())
    return Live(f"SUMIFS({table.range(column)},{asked})", math.fsum(amounts))


def _criterion(value: object) -> str:
    """A value of this program's own as a criterion. Names that a user gave may hold wildcards: see `total_of`."""
    if isinstance(value, dt.date):
        return f"DATE({value.year},{value.month},{value.day})"
    return f'"{value}"'


def total_of(table: Table, column: str, name: str, cell: str, value: object) -> Live:
    """The sum of a column over the rows whose `name` equals a cell, exactly: no wildcard, no comparison sign is read into it."""
    weights = table.values[WEIGHT] if WEIGHT in table.values and column not in EXPECTED else [1.0] * table.height
    rows = zip(table.values[column], table.values[name], weights, strict=True)
    weighed = f"*{table.range(WEIGHT)}" if WEIGHT in table.values and column not in EXPECTED else ""
    amounts = [amount * weight for amount, each, weight in rows if each == value]
    return Live(f"SUMPRODUCT(({table.range(name)}={cell})*{table.range(column)}{weighed})", math.fsum(amounts))


@dataclass
class Writer:
    """Writes the summary from top to bottom; `row` is the next free one. Cells of totals are kept by their label."""

    sheet: Worksheet
    styles: Styles
    row: int = 0
    cells: dict[str, Live] = field(default_factory=dict)

    def heading(self, text: str, *columns: str) -> None:
        self.row += 1
        for c in range(LAST + 1):
            shown = (text, *columns)[c] if c <= len(columns) else ""
            self.sheet.write_string(self.row, c, shown, self.styles(bold=True, bg_color="#D9E1F2", align="right" if c else "left"))
        self.row += 1

    def paragraph(self, text: str, **properties: Any) -> None:
        """Text across all columns, wrapped; a merged cell does not fit its own height."""
        lines = max(1, math.ceil(len(text) / LINE))
        self.sheet.set_row(self.row, min(HIGHEST, 15.75 * lines))
        self.sheet.merge_range(self.row, 0, self.row, LAST, "", self.styles(text_wrap=True, **properties))
        put(self.sheet, self.row, 0, text or " ", self.styles(text_wrap=True, **properties))
        self.row += 1

    def line(self, label: object, *values: object, note: str = "", key: str = "", bold: bool = False, formats: Sequence[str] = ()) -> None:
        """A label, its values and a note behind them. The first value is kept under `key` for other formulas."""
        properties: dict[str, Any] = {"bold": True, "top": 1} if bold else {}
        put(self.sheet, self.row, 0, label, self.styles(**properties))
        for c, value in enumerate(values, start=1):
            chosen = formats[min(c, len(formats)) - 1] if formats else ""
            self._value(c, value, self.styles(chosen, align="right", **properties))
        if key and isinstance(values[0], Live):
            self.cells[key] = Live(f"$B${self.row + 1}", values[0].value)
        elif key and isinstance(values[0], (int, float)):
            self.cells[key] = Live(f"$B${self.row + 1}", values[0])
        if note:
            put(self.sheet, self.row, len(values) + 1, note, self.styles(**NOTE))
        self.row += 1

    def _value(self, c: int, value: object, style: Format) -> None:
        if isinstance(value, Live):
            safe = value.value if isinstance(value.value, str) or math.isfinite(value.value) else "#NUM!"
            self.sheet.write_formula(self.row, c, f"={value.formula}", style, safe)
        else:
            put(self.sheet, self.row, c, value, style)

    def check(self, label: str, left: Live, right: Live, allowance: float) -> None:
        """Whether two totals agree, live."""
        left_value, right_value = float(left.value), float(right.value)
        formula = f'IF(ABS(({left.formula})-({right.formula}))<={allowance:.6g},"{AGREES}","{DIFFERS}")'
        row = self.row
        self.line(label, Live(formula, AGREES if abs(left_value - right_value) <= allowance else DIFFERS))
        for word, colour in ((AGREES, "#C6EFCE"), (DIFFERS, "#FFC7CE")):
            style = self.styles.book.add_format({"bg_color": colour})
            self.sheet.conditional_format(row, 1, row, 1, {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": style})


def add_summary(sheet: Worksheet, styles: Styles, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    """Fill the summary, top to bottom, in the columns left of the charts."""
    for c, width in enumerate(WIDTHS):
        sheet.set_column(c, c, width)
    sheet.set_column(LAST + 1, LAST + 1, 3)
    sheet.hide_gridlines(2)
    set_print(sheet)
    writer = Writer(sheet, styles)
    parts: tuple[Callable[[Writer, Plan, Mapping[type[Result], Table]], None], ...] = (
        _verdict, _first, _costs, _quantities, _appropriations, _suppliers, _buyers, _checks, _warnings, _contents,
    )  # fmt: skip
    for part in parts:
        part(writer, plan, found)


def _verdict(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    calendar = plan.stockpile.calendar
    w.sheet.set_row(0, 24)
    put(w.sheet, 0, 0, plan.title or "Stockpile plan", w.styles(bold=True, font_size=16, font_color="#1F3864"))
    w.row = 1
    w.paragraph(
        f"{count(calendar.periods, 'period')} of {count(calendar.months, 'month')}, "
        f"{calendar.begin(0)} to {calendar.end(calendar.periods - 1)}. Quantities in {plan.unit}, "
        f"money in {plan.currency} of {calendar.begin(0)}.",
        font_color="#595959",
    )
    w.row += 1
    w.line("Status", plan.status, note=STATUS.get(plan.status, ""))
    money = number_format("money", [plan.objective])
    weighed = plan.stockpile.settings.risk_weight > 0 and plan.cvar is not None
    said = "expected cost, weighed with its tail" if weighed else f"expected cost, discounted to {calendar.begin(0)}"
    w.line("Objective", plan.objective, note=f"{plan.currency}: {said}", key="objective", formats=[money])
    w.cells["expected"] = w.cells["objective"]
    if plan.cvar is not None:
        w.line("Expected cost", plan.expected_cost, note=f"{plan.currency}: mean over the scenarios", key="expected", formats=[money])
        worst = f"mean of the worst {plan.stockpile.settings.risk_tail:.0%} of scenarios"
        w.line("CVaR", plan.cvar, note=f"{plan.currency}: {worst}", formats=[money])
    bound, gap = ("not known" if each is None else each for each in (plan.bound, plan.gap))
    w.line("Proven bound", bound, note=f"{plan.currency}: no plan can cost less", formats=[money])
    w.line("Gap", gap, note="from the bound to the objective, as a share of the objective", formats=["0.000 %"])
    w.row += 1
    w.paragraph(plan.verdict, border=1, border_color="#8EA9DB", bg_color="#F2F6FC")


def _first(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    """The first signatures, orders and rotations, as sentences."""
    start = plan.stockpile.settings.start
    until = add_months(start, FIRST_MONTHS)
    told: list[tuple[dt.date, int, str]] = []
    kinds = ((ProjectOutcome, "decided"), (ContractOutcome, "signed"), (Order, "date"), (Rotated, "date"))
    for order, (kind, date) in enumerate(kinds):
        values = found[kind].values
        of = values.get("scenarios", [ALL] * found[kind].height)
        weights = values.get(WEIGHT, [1.0] * found[kind].height)
        rows: dict[tuple[dt.date | None, str], dict[str, float]] = {}  # a project says the same at each level, a contract at each delivery
        for day, said, names, weight in zip(values[date], values["instruction"], of, weights, strict=True):
            rows.setdefault((day, said), {})[names] = weight
        told += [(day, order, _said_in(said, holds)) for (day, said), holds in rows.items() if day is not None]
    told.sort(key=lambda each: each[:2])
    first = [each for each in told if each[0] < until] or told[:1]
    later = told and first[0][0] >= until
    w.heading(f"To do first: nothing before {month(first[0][0])}" if later else f"To do first, before {month(until)}")
    first = sorted(sorted(first, key=lambda each: each[1])[:MOST_FIRST], key=lambda each: each[:2])  # no signature is left out for an order
    for _, _, instruction in first:
        w.paragraph(instruction)
    rest = len(told) - len(first)
    if not told:
        w.paragraph("Nothing to sign, order or rotate.")
    elif rest:
        w.paragraph(f"… and {rest:,} more on the sheets contracts, orders and rotation.", italic=True)


def _said_in(instruction: str, holds: Mapping[str, float]) -> str:
    """An instruction, with the scenarios in which it holds where these are not all."""
    return instruction if ALL in holds or sum(holds.values()) > 1 - 1e-9 else f"{instruction} (in {', '.join(holds)})"


def _costs(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    flows = found[CashFlow]
    present = set(flows.values["heading"])
    meanings = block_headings()
    headings = [each for each in dict.fromkeys([*meanings, *plan.costs]) if each in present]
    money = number_format("money", flows.values["amount"])
    w.heading(f"Cost by heading [{plan.currency}]", "Discounted", "Undiscounted")
    begin = w.row + 1
    sums = [(total(flows, "discounted", heading=each), total(flows, "amount", heading=each)) for each in headings]
    for each, (discounted, amount) in zip(headings, sums, strict=True):
        w.line(each, discounted, amount, note=meanings[each].meaning if each in meanings else "", formats=[money])
    span = (begin, max(begin, w.row))
    totals = [Live(f"SUM({c}{span[0]}:{c}{span[1]})", math.fsum(float(pair[k].value) for pair in sums)) for k, c in enumerate("BC")]
    if not headings:
        totals = [Live("SUM(0)", 0.0), Live("SUM(0)", 0.0)]
    w.line("Total", *totals, key="cost", bold=True, formats=[money])


def _quantities(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    """Metal in and out; with several materials also each of them."""
    settings, calendar = plan.stockpile.settings, plan.stockpile.calendar
    end = calendar.end(settings.periods - 1) if plan.until is None else plan.until - dt.timedelta(days=1)
    last = calendar.begin(calendar.period(end))
    out, waste = total(found[Rotated], "quantity"), total(found[Rotated], "quantity", form="expired")
    lines: list[tuple[str, str, Live]] = [
        ("Ordered", "under offers", total(found[Order], "ordered")),
        ("Opening stock", "", total(found[Movement], "quantity", kind="opening")),
        ("Delivered", "under offers and contracts", total(found[Delivery], "quantity")),
        ("Returned", "back from exchange and rework", total(found[Movement], "quantity", kind="return")),
        ("Used by demand", "", total(found[DemandMet], "met")),
        ("Rotated out", "through outlets", _difference(out, waste)),
        ("Waste", "reaches the end of its life unused", waste),
        ("Stock at the end", f"at the end of {end}", total(found[LotStock], "quantity", date=last)),
        ("Unmet demand", "", total(found[DemandMet], "unmet")),
        ("Below targets", "sum over periods", total(found[TargetMet], "below")),
    ]
    decimals = number_format("quantity", [live.value for _, _, live in lines])
    w.heading(f"Quantities [{plan.unit}]" + ("" if plan.until is None else f", before {plan.until}"), "Total")
    for label, note, live in lines:
        w.line(label, live, note=note, key=label, formats=[decimals])
    missing = [w.cells["Unmet demand"], w.cells["Below targets"]]
    shortfall = Live("+".join(each.formula for each in missing), sum(float(each.value) for each in missing))
    w.line("Shortfall", shortfall, note="unmet demand and stock below targets", bold=True, formats=[decimals])


def _difference(left: Live, right: Live) -> Live:
    return Live(f"{left.formula}-{right.formula}", float(left.value) - float(right.value))


def _appropriations(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    table = found[BudgetUse]
    if not table.height:
        return
    names = ("amount", "spent", "lapsed", "left")
    money = number_format("money", [value for name in names for value in table.values[name]])
    w.heading(f"Appropriations [{plan.currency}]", *(name.capitalize() for name in names))
    begin = w.row + 1
    for r, label in enumerate(table.values["appropriation"]):
        w.line(label, *(Live(table.cell(name, r), table.values[name][r]) for name in names), formats=[money])
    sums = [Live(f"SUM({c}{begin}:{c}{w.row})", math.fsum(table.values[name])) for c, name in zip("BCDE", names, strict=True)]
    w.cells["spent"] = Live(f"$C${w.row + 1}", sums[1].value)
    w.line("Total", *sums, bold=True, formats=[money])


def _suppliers(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    table = found[Delivery]
    brought: dict[str, float] = {}
    for supplier, quantity in zip(table.values["supplier"], table.values["quantity"], strict=True):
        brought[supplier] = brought.get(supplier, 0.0) + quantity
    if not brought:
        return
    delivered = w.cells["Delivered"]
    decimals = number_format("quantity", brought.values())
    w.heading("Suppliers", f"Delivered [{plan.unit}]", "Share")
    begin = w.row + 1
    shares = []
    for supplier in sorted(brought, key=lambda name: (-brought[name], name)):
        here = w.row + 1
        live = total_of(table, "quantity", "supplier", f"$A{here}", supplier)
        shares.append(float(live.value) / float(delivered.value) if delivered.value else 0.0)
        w.line(supplier, live, Live(f"IF({delivered.formula}=0,0,B{here}/{delivered.formula})", shares[-1]), formats=[decimals, SHARE])
    end = w.row
    count = Live(f'COUNTIF(B{begin}:B{end},">0")', float(sum(each > 0 for each in brought.values())))
    w.line("Number of suppliers", count, formats=["0"])
    w.line("Largest share", Live(f"MAX(C{begin}:C{end})", max(shares)), formats=[SHARE])


def _buyers(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    """With several buyers: what each gets and pays; what stands for all is shared by the funds that pay it."""
    if len(plan.stockpile.owners) < 2:
        return
    deliveries, flows = found[Delivery], found[CashFlow]
    w.heading("Buyers", f"Delivered [{plan.unit}]", f"Discounted [{plan.currency}]")
    formats = [number_format("quantity", deliveries.values["quantity"]), number_format("money", flows.values["amount"])]
    rest: list[Live] = []
    for buyer in sorted(each for each in plan.stockpile.owners if each is not None):
        here = f"$A{w.row + 1}"
        pair = (total_of(deliveries, "quantity", "buyer", here, buyer), total_of(flows, "discounted", "buyer", here, buyer))
        rest.append(Live(f"$C${w.row + 1}", pair[1].value))
        w.line(buyer, *pair, formats=formats)
    shared = Live("-".join(["$B$" + w.cells["cost"].formula.split("$")[-1], *(each.formula for each in rest)]), 0.0)
    value = float(w.cells["cost"].value) - math.fsum(float(each.value) for each in rest)
    w.line(
        "for all",
        None,
        Live(shared.formula, value),
        note="not one buyer's: order and signing costs, deficits, shared sites",
        formats=formats,
    )


def _checks(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    """Whether the sheets agree with each other: a changed cell shows."""
    w.heading("Checks")
    cells, scale = w.cells, plan.stockpile.scale
    spent = max(scale.money, abs(plan.objective), *(abs(each) for each in plan.costs.values()))
    w.check("Headings sum to the expected cost", cells["cost"], cells["expected"], SLACK * spent)
    came = [cells[name] for name in ("Opening stock", "Delivered", "Returned")]
    went = [cells[name] for name in ("Used by demand", "Rotated out", "Waste", "Stock at the end")]
    moved = max(LEAST * scale.quantity, sum(float(each.value) for each in came))
    w.check("Metal in is metal out and stock", _sum(came), _sum(went), SLACK * moved)
    flows, deliveries = total(found[Movement], "quantity", kind="arrival"), cells["Delivered"]
    w.check("Deliveries are the arrivals of lots", flows, deliveries, SLACK * moved)
    if "spent" in cells:
        paid = total(found[Payment], "amount")
        w.check("Payments are what appropriations spent", paid, cells["spent"], SLACK * max(LEAST * scale.money, float(paid.value)))


def _sum(parts: Sequence[Live]) -> Live:
    return Live("+".join(each.formula for each in parts), math.fsum(float(each.value) for each in parts))


def _warnings(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    w.heading("Warnings")
    for warning in plan.warnings or ("none",):
        w.paragraph(warning)


def _contents(w: Writer, plan: Plan, found: Mapping[type[Result], Table]) -> None:
    w.heading("Sheets", "Rows")
    link = w.styles(font_color="#0563C1", underline=1)
    for kind, table in found.items():
        w.sheet.write_url(w.row, 0, f"internal:'{table.sheet}'!A1", link, table.sheet)
        put(w.sheet, w.row, 1, table.height, w.styles("#,##0", align="right"))
        put(w.sheet, w.row, 2, kind.ABOUT + ("" if table.height else " (none in this plan)"), w.styles(**NOTE))
        w.row += 1
    for name, meaning in (("run", "versions, options and times of the run"), ("chart_data", "what the charts show")):
        w.sheet.write_url(w.row, 0, f"internal:'{name}'!A1", link, name)
        put(w.sheet, w.row, 2, meaning, w.styles(**NOTE))
        w.row += 1
