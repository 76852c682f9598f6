"""Money: cash flow, payments, appropriations and the objective, against what is due by the decisions and the input."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optimiser.audit.case import NOT_CASH, USE, Case, Flow, Outlay
from optimiser.audit.findings import EXACT, NOISE


def cash_flow(case: Case) -> None:
    """Every cost and receipt is what quantities and inputs make of it, discounted from the start of its period."""
    record, inputs = case.record, case.inputs
    found: dict[Flow, float] = defaultdict(float)
    factors = [inputs.factor(t) for t in range(inputs.periods + 1)]
    for line in case.sheets["cash_flow"]:
        heading, t = line["heading"], inputs.period(line["date"])
        if record.fails(heading in USE):
            record.refuse(line.at("heading"), f"{heading!r} is no heading of cost")
            continue
        after = heading == "closing_stock" and t == inputs.periods
        if not after and case.when(line) is None:
            continue
        record.term(line, "cash", heading not in NOT_CASH)
        record.figure(line, "factor", factors[t], 1e-12)
        record.figure(line, "discounted", factors[t] * line["amount"])
        found[Flow(t, heading, line["material"], line["name"], line["buyer"])] += line["amount"]
    case.match("cash_flow", "amount", case.cash, found, case.cent)


def payments(case: Case) -> None:
    """Where there are funds every outlay is paid in full, each by an appropriation that may, when it may."""
    inputs, record = case.inputs, case.record
    funds = inputs.keyed("funds")
    if not funds:
        for sheet in ("payments", "budget"):
            if record.fails(not case.sheets[sheet]):
                record.refuse(sheet, "the input has no funds, so no appropriation pays anything")
        return
    sources = _sources(case)
    paid: dict[Outlay, float] = defaultdict(float)
    spent: dict[str, dict[int, float]] = {name: defaultdict(float) for name in sources}
    granted: dict[tuple[int, str], float] = defaultdict(float)
    for line in case.sheets["payments"]:
        t, fund, name = case.when(line), case.known(line, "fund", "funds", funds), line["appropriation"]
        if record.fails(name in sources):
            record.refuse(line.at("appropriation"), f"{name!r} is no appropriation of the input")
            continue
        if t is None or fund is None:
            continue
        owner, row = sources[name]
        record.term(line, "fund", owner)
        record.least(line, "amount", 0.0)
        if row is not None:
            case.within(line, "date", row, "from_", "expires", f"and {name} can be spent")
        for column, allowed in (
            ("uses", not fund.uses or line["use"] in fund.uses),
            ("materials", not fund.materials or line["material"] in fund.materials),
            ("buyer", fund.buyer is None or line["buyer"] in (None, fund.buyer)),
        ):
            if record.fails(allowed):
                told = f"{name} may not pay {line['use']} of {line['material'] or 'no one material'} for {line['buyer'] or 'all'}"
                record.refuse(line.where, told, (fund, column), line["amount"])
        paid[Outlay(t, line["use"], line["material"], line["buyer"])] += line["amount"]
        spent[name][t] += line["amount"]
        if line["use"] == "project":
            granted[t, line["fund"]] += line["amount"]
    case.match("payments", "paid for", case.outlays, paid, 10 * case.cent)
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
    projects = case.inputs.keyed("projects")
    due: dict[tuple[int, str], tuple[float, Any]] = {}
    for flow, amount in case.cash.items():
        if flow.heading == "grants" and (row := projects[str(flow.name)]).fund is not None:
            due[flow.t, row.fund] = due.get((flow.t, row.fund), (0.0, row))[0] + amount, row
    for (t, fund), (amount, row) in due.items():
        what = f"what {fund} pays for projects in {case.inputs.begins[t]}"
        case.record.reaches("payments", what, amount, granted[t, fund], 10 * case.cent, (row, "fund"))


def _budget(case: Case, sources: dict[str, tuple[str, Any]], spent: dict[str, dict[int, float]]) -> None:
    """An appropriation pays no more than its amount; the rest lapses on its last day, or is left."""
    inputs, record, noise = case.inputs, case.record, 10 * case.cent
    lines = {line["appropriation"]: line for line in case.sheets["budget"]}
    for name, (fund, row) in sources.items():
        total = sum(spent[name].values())
        amount = _receipts(case, name, fund, spent[name]) if row is None else row.amount
        if row is not None:
            record.within("payments", f"what {name} pays", amount, total, noise, (row, "amount"))
        line = lines.pop(name, None)
        if record.fails(line is not None):
            record.refuse("budget", f"{name} is not on the sheet", (row, "fund"))
        if line is None:
            continue
        rest = max(0.0, amount - total)
        ends = row is not None and row.expires is not None and inputs.period(row.expires) < inputs.periods
        record.term(line, "fund", fund)
        record.term(line, "from", None if row is None else row.from_, (row, "from"))
        record.term(line, "expires", None if row is None else row.expires, (row, "expires"))
        record.figure(line, "amount", amount, EXACT if row is not None else noise, (row, "amount"))
        record.figure(line, "spent", total, noise)
        record.figure(line, "lapsed", rest if ends else 0.0, noise, (row, "expires"))
        record.figure(line, "left", 0.0 if ends else rest, noise)
    for line in lines.values():
        record.refuse(line.where, f"{line['appropriation']!r} is no appropriation of the input")


def _receipts(case: Case, name: str, fund: str, spent: dict[int, float]) -> float:
    """What a fund receives and keeps; it spends it no sooner than it arrives [money]."""
    outlets = case.inputs.keyed("outlets")
    arrived: dict[int, float] = defaultdict(float)
    for flow, receipt in case.cash.items():
        if flow.heading == "sales" and outlets[str(flow.name)].fund == fund:
            arrived[flow.t] -= receipt
    amount = gone = 0.0
    for t in range(case.inputs.periods):
        amount, gone = amount + arrived.get(t, 0.0), gone + spent.get(t, 0.0)
        what = f"what {name} have paid by the end of {case.inputs.begins[t]}, before they arrive,"
        case.record.within("payments", what, amount, gone, 10 * case.cent)
    return amount


def objective(case: Case) -> None:
    """The cost by heading and in all, the waste and the shortfall that the summary claims."""
    record, sheets = case.record, case.sheets
    costs: dict[str, float] = defaultdict(float)
    size = 0.0
    for flow, amount in case.cash.items():
        discounted = amount * case.inputs.factor(flow.t)
        costs[flow.heading] += discounted
        size += abs(discounted)
    noise = 10 * case.cent + 1e-6 * size
    for heading in [*USE, *(each for each in sheets.costs if each not in USE)]:
        record.equal("summary", f"discounted {heading}", costs.get(heading, 0.0), sheets.costs.get(heading, 0.0), noise)
    record.equal("summary", "objective", sum(costs.values()), sheets.objective, noise)
    if sheets.bound is not None:
        record.reaches("summary", "objective, which no plan can be below,", sheets.bound, sheets.objective, noise)
    record.equal("summary", "waste", case.waste, sheets.waste, 100 * NOISE)
    record.equal("summary", "shortfall", case.shortfall, sheets.shortfall, 100 * NOISE)
