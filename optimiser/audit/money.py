"""Money: cash flow, payments, appropriations and the objective, against what is due by the decisions and the input."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optimiser.audit.case import NOT_CASH, USE, Case, Flow, Outlay
from optimiser.audit.findings import NOISE


def cash_flow(case: Case) -> None:
    """Every cost and receipt is what quantities and inputs make of it, discounted from the start of its period."""
    record, inputs = case.record, case.inputs
    found: dict[Flow, float] = defaultdict(float)
    factors = [inputs.factor(t) for t in range(inputs.periods + 1)]
    for line in case.sheets["cash_flow"]:
        heading, t = line["heading"], inputs.period(line["date"])
        if not record.holds(heading in USE, line.at("heading"), f"{heading!r} is no heading of cost"):
            continue
        past = heading == "closing_stock" and t == inputs.periods
        if not past and case.when(line) is None:
            continue
        record.term(line, "cash", heading not in NOT_CASH)
        record.figure(line, "factor", factors[t], 1e-12)
        record.figure(line, "discounted", factors[t] * line["amount"])
        found[Flow(t, heading, line["material"], line["name"])] += line["amount"]
    case.differ("cash_flow: amount of", case.cash, found, case.cent)


def payments(case: Case) -> None:
    """Where there are funds every outlay is paid in full, each by an appropriation that may, when it may."""
    inputs, record = case.inputs, case.record
    funds = inputs.keyed("funds")
    if not funds:
        for sheet in ("payments", "budget"):
            record.holds(not case.sheets[sheet], sheet, "the input has no funds, so nothing is paid by any")
        return
    sources = _sources(case)
    paid: dict[Outlay, float] = defaultdict(float)
    spent: dict[str, dict[int, float]] = {name: defaultdict(float) for name in sources}
    granted: dict[tuple[int, str], float] = defaultdict(float)
    for line in case.sheets["payments"]:
        t, fund = case.when(line), case.known(line, "fund", "funds", funds)
        name = line["appropriation"]
        said = f"{name!r} is no appropriation of the input"
        if t is None or fund is None or not record.holds(name in sources, line.at("appropriation"), said):
            continue
        owner, row = sources[name]
        record.term(line, "fund", owner)
        record.least(line.at("amount"), line.told("amount"), 0.0, line["amount"])
        if row is not None:
            case.within(line, "date", row, "from_", "expires", f"and {name} can be spent")
        told = f"{name} may not pay {line['use']} of {line['material'] or 'no one material'} for {line['buyer'] or 'all'}"
        for allowed, column in (
            (not fund.uses or line["use"] in fund.uses, "uses"),
            (not fund.materials or line["material"] in fund.materials, "materials"),
            (fund.buyer is None or line["buyer"] in (None, fund.buyer), "buyer"),
        ):
            record.holds(allowed, line.where, told, inputs.cell(fund, column), line["amount"])
        paid[Outlay(t, line["use"], line["material"], line["buyer"])] += line["amount"]
        spent[name][t] += line["amount"]
        if line["use"] == "project":
            granted[t, line["fund"]] += line["amount"]
    case.differ("payments: paid for", case.outlays, paid, 10 * case.cent)
    _grants(case, granted)
    _budget(case, sources, spent)


def _sources(case: Case) -> dict[str, tuple[str, Any]]:
    """Each appropriation by the name that the plan gives it: its fund and its row; no row for the receipts that a fund keeps."""
    found: dict[str, tuple[str, Any]] = {}
    rows = case.inputs.rows("budgets")
    names = [f"{row.fund} {row.from_ or case.inputs.start:%Y-%m}" for row in rows]
    for k, (name, row) in enumerate(zip(names, rows, strict=True)):
        found[f"{name} ({names[: k + 1].count(name)})" if names.count(name) > 1 else name] = row.fund, row
    for row in case.inputs.rows("funds"):
        if row.keeps_receipts:
            found[f"{row.fund} receipts"] = row.fund, None
    return found


def _grants(case: Case, granted: dict[tuple[int, str], float]) -> None:
    """A grant whose project names a fund is paid by that fund."""
    due: dict[tuple[int, str], float] = defaultdict(float)
    projects = case.inputs.keyed("projects")
    for flow, amount in case.cash.items():
        if flow.heading == "grants" and projects[flow.name].fund is not None:
            due[flow.t, projects[flow.name].fund] += amount
    for (t, fund), amount in due.items():
        what = f"what {fund} pays for projects in {case.inputs.begins[t]}"
        case.record.least("payments", what, amount, granted[t, fund], 10 * case.cent)


def _budget(case: Case, sources: dict[str, tuple[str, Any]], spent: dict[str, dict[int, float]]) -> None:
    """An appropriation pays no more than its amount, receipts no sooner than they arrive; the rest lapses or is left."""
    inputs, record = case.inputs, case.record
    outlets = inputs.keyed("outlets")
    lines = {line["appropriation"]: line for line in case.sheets["budget"]}
    for name, (fund, row) in sources.items():
        total = sum(spent[name].values())
        if row is not None:
            amount = row.amount
            record.most("payments", f"what {name} pays", amount, total, 10 * case.cent, inputs.cell(row, "amount"))
        else:
            amount, arrived, gone = 0.0, defaultdict(float), 0.0
            for flow, receipt in case.cash.items():
                if flow.heading == "sales" and outlets[flow.name].fund == fund:
                    arrived[flow.t] -= receipt
            for t in range(inputs.periods):
                amount, gone = amount + arrived.get(t, 0.0), gone + spent[name].get(t, 0.0)
                if spent[name].get(t, 0.0):
                    what = f"what {name} have paid by the end of {inputs.begins[t]}, before they arrive,"
                    record.most("payments", what, amount, gone, 10 * case.cent)
        line = lines.pop(name, None)
        if not record.holds(line is not None, "budget", f"{name} is not on the sheet", inputs.cell(row, "fund")) or line is None:
            continue
        rest = max(0.0, amount - total)
        ends = row is not None and row.expires is not None and inputs.period(row.expires) < inputs.periods
        noise = 10 * case.cent
        record.term(line, "fund", fund)
        record.term(line, "from", None if row is None else row.from_, inputs.cell(row, "from"))
        record.term(line, "expires", None if row is None else row.expires, inputs.cell(row, "expires"))
        record.figure(line, "amount", amount, noise, inputs.cell(row, "amount"))
        record.figure(line, "spent", total, noise)
        record.figure(line, "lapsed", rest if ends else 0.0, noise, inputs.cell(row, "expires"))
        record.figure(line, "left", 0.0 if ends else rest, noise)
    for line in lines.values():
        record.holds(False, line.where, f"{line['appropriation']!r} is no appropriation of the input")


def objective(case: Case) -> None:
    """The cost by heading and in all, the waste and the shortfall that the summary claims."""
    inputs, record, sheets = case.inputs, case.record, case.sheets
    costs: dict[str, float] = defaultdict(float)
    size = 0.0
    for flow, amount in case.cash.items():
        discounted = amount * inputs.factor(flow.t)
        costs[flow.heading] += discounted
        size += abs(discounted)
    noise = 10 * case.cent + 1e-6 * size
    for heading in [*USE, *(each for each in sheets.costs if each not in USE)]:
        record.equal("summary", f"discounted {heading}", costs.get(heading, 0.0), sheets.costs.get(heading, 0.0), noise)
    record.equal("summary", "objective", sum(costs.values()), sheets.objective, noise)
    if sheets.bound is not None:
        record.least("summary", "objective, which no plan can be below,", sheets.bound, sheets.objective, noise)
    record.equal("summary", "waste", case.waste, sheets.waste, 100 * NOISE)
    record.equal("summary", "shortfall", case.shortfall, sheets.shortfall, 100 * NOISE)
