"""Appropriations: what each has obligated, pays and gets back, and what becomes of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from optimiser.auditing.path_audit import Outlay, OwedFor, PathAudit
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Appropriated, Together
from optimiser.auditing.twin import Twin

FIGURES = ("amount", "obligated", "spent", "released", "lapsed", "left")
"""The figures of the sheet `budget`."""


class AuditedCharge(NamedTuple):
    """Describe what is charged to an appropriation: from a period (-1: before the start) until
    another."""

    bound: int
    t: int
    paid: float
    released: float

    def held(self, t: int) -> float:
        """Return what is held in a period for what does not arrive [money].

        What should arrive as it is ordered is obligated in full in that period.
        """
        return self.released if self.bound <= t < self.t or self.bound == t == self.t else 0.0


def payments(path: PathAudit) -> None:
    """Compare payments with outlays: each is paid in full, by appropriations that may pay it.

    It must have lived when the outlay was obligated, and still pay. Without funds nothing is paid
    by an appropriation.
    """
    inputs, record = path.inputs, path.record
    funds = inputs.keyed("funds")
    if not funds:
        if record.fails(not path.sheets["payments"]):
            record.refuse("payments", "the input has no funds, so no appropriation pays anything")
        return
    sources = _sources(path.together)
    paid: dict[Outlay, float] = defaultdict(float)
    owed: dict[OwedFor, float] = defaultdict(float)
    released: dict[OwedFor, float] = defaultdict(float)
    charges: dict[str, list[AuditedCharge]] = {name: [] for name in sources}
    by_fund: dict[tuple[int, str, str], float] = defaultdict(float)
    for line in path.sheets["payments"]:
        t, fund, name = (
            path.when(line),
            path.known(line, "fund", "funds", funds),
            line["appropriation"],
        )
        if record.fails(name in sources):
            record.refuse(line.at("appropriation"), f"{name!r} is no appropriation of the input")
            continue
        if t is None or fund is None:
            continue
        owner, b = sources[name]
        record.term(line, "fund", owner)
        for column in ("amount", "released"):
            record.least(line, column, 0.0, path.cent(line["material"]))
        bound = _bound(path, line["obligated"])
        if record.fails(bound <= t):
            message = f"{line.words('obligated')} is {line['obligated']}, after it is paid"
            record.refuse(line.at("obligated"), message)
        if b is not None:
            _lives(path, line, b, bound)
            _still_pays(path, line, b, t)
        _may_pay(path, line, fund)
        paid[Outlay(t, line["use"], line["material"], line["buyer"])] += line["amount"]
        key = OwedFor(t, line["use"], line["material"], line["obligation"], line["obligated"])
        owed[key] += line["amount"]
        released[key] += line["released"]
        charges[name].append(AuditedCharge(bound, t, line["amount"], line["released"]))
        by_fund[t, line["use"], line["fund"]] += line["amount"]
    _match(path, paid, owed, released)
    _payers(path, by_fund)
    for name, (fund, b) in sources.items():
        _appropriation(path, name, fund, b, charges[name])


def _match(
    path: PathAudit,
    paid: dict[Outlay, float],
    owed: dict[OwedFor, float],
    released: dict[OwedFor, float],
) -> None:
    """Compare what is paid and released with what is due, and with what was obligated."""

    def cent(key: Outlay | OwedFor) -> float:
        return path.cent(key.material)

    path.match("payments", "paid for", path.outlays, paid, cent)
    path.match("payments", "paid for what was obligated for", path.owed, owed, cent)
    due = {
        key: min(max(released.get(key, 0.0), least), most)
        for key, (least, most) in path.failing.items()
    }
    path.match("payments", "released of what was obligated for", due, released, cent)


def _bound(path: PathAudit, date: dt.date | None) -> int:
    """Return the period of an obligation; -1 where it was before the start."""
    if date is None or date < path.inputs.begins[0]:
        return -1
    return path.inputs.period(date)


def _lives(path: PathAudit, line: Line, b: int, bound: int) -> None:
    """Compare when an outlay was obligated with the dates of the appropriation that pays it."""
    inputs, record = path.inputs, path.record
    name = line["appropriation"]
    if bound < 0:
        if record.fails(b in _before(path, line)):
            message = f"{name} did not live when {line['obligation']} was ordered, before the start"
            record.refuse(line.at("obligated"), message, (inputs.rows("budgets")[b], "from_"))
        return
    row = inputs.at(min(bound, inputs.periods - 1)).rows("budgets")[b]
    path.within(line, "obligated", row, "from_", "expires", f"and {name} can be obligated")


def _before(path: PathAudit, line: Line) -> list[int]:
    """Return the appropriations that may pay for an order before the start.

    They lived then; where none did that may pay, or the date is not known, they live at the start.
    """
    inputs, date, t = path.inputs, line["obligated"], path.inputs.period(line["date"])
    funds = inputs.keyed("funds")
    able = []
    for b, row in enumerate(inputs.at(0).rows("budgets")):
        until = _until(path, b, t)
        pays = until is None or t <= inputs.period(until)
        if pays and not _refused(line, funds[row.fund]):
            able.append((b, row))
    then = [
        b
        for b, row in able
        if date is not None
        and (row.from_ is None or row.from_ <= date)
        and (row.expires is None or row.expires >= date)
    ]
    now = [
        b
        for b, row in able
        if (row.from_ is None or inputs.period(row.from_) <= 0)
        and (row.expires is None or inputs.period(row.expires) >= 0)
    ]
    return then or now


def _until(path: PathAudit, b: int, t: int) -> dt.date | None:
    """Return the last date on which an appropriation can pay, as it stands in a period."""
    row = path.inputs.at(t).rows("budgets")[b]
    found: dt.date | None = row.expires if row.pay_by is None else row.pay_by
    return found


def _still_pays(path: PathAudit, line: Line, b: int, t: int) -> None:
    """Compare the date of a payment with the last on which its appropriation can pay."""
    row, until = path.inputs.at(t).rows("budgets")[b], _until(path, b, t)
    if path.record.fails(until is None or t <= path.inputs.period(until)):
        column = "expires" if row.pay_by is None else "pay_by"
        message = (
            f"{line.words('date')} is {line['date']}, and {line['appropriation']} can pay until"
            f" {until} only"
        )
        path.record.refuse(line.at("date"), message, (row, column))


def _refused(line: Line, fund: Any) -> list[str]:
    """Return the columns by which a fund may not pay what a line is for."""
    terms = (
        ("uses", not fund.uses or line["use"] in fund.uses),
        ("materials", not fund.materials or line["material"] in fund.materials),
        ("buyer", fund.buyer is None or line["buyer"] in (None, fund.buyer)),
    )
    return [column for column, allowed in terms if not allowed]


def _may_pay(path: PathAudit, line: Line, fund: Any) -> None:
    """Compare what a line is for with what its fund may pay."""
    path.record.figures += 3
    for column in _refused(line, fund):
        message = (
            f"{line['appropriation']} may not pay {line['use']} of"
            f" {line['material'] or 'no one material'} for {line['buyer'] or 'all'}"
        )
        path.record.refuse(line.where, message, (fund, column), line["amount"])


def _sources(together: Together) -> dict[str, tuple[str, int | None]]:
    """Return each appropriation by the name that the plan gives it: fund and number of its row.

    The receipts that a fund keeps have no row.
    """
    found: dict[str, tuple[str, int | None]] = {}
    rows = together.base.rows("budgets")
    names = [f"{row.fund} {row.from_ or together.clock.start:%Y-%m}" for row in rows]
    for k, (name, row) in enumerate(zip(names, rows, strict=True)):
        found[f"{name} ({names[: k + 1].count(name)})" if names.count(name) > 1 else name] = (
            row.fund,
            k,
        )
    for row in together.base.rows("funds"):
        if row.keeps_receipts:
            found[f"{row.fund} receipts"] = row.fund, None
    return found


def _payers(path: PathAudit, paid: dict[tuple[int, str, str], float]) -> None:
    """Compare the outlays whose row names a fund with what that fund pays."""
    due: dict[tuple[int, str, str, str], tuple[float, Any]] = {}
    for flow, amount in path.cash.items():
        heading = path.twins.headings[flow.heading]
        row = path.inputs.keyed(heading.payer)[str(flow.name)] if heading.payer else None
        if row is not None and row.fund is not None:
            key = flow.t, heading.use, heading.payer, row.fund
            due[key] = due.get(key, (0.0, row))[0] + amount, row
    for (t, use, table, fund), (amount, row) in due.items():
        what = f"what {fund} pays for {table} in {path.inputs.begins[t]}"
        found = paid[t, use, fund]
        path.record.reaches("payments", what, amount, found, path.cent(), (row, "fund"))


def _appropriation(
    path: PathAudit, name: str, fund: str, b: int | None, charges: list[AuditedCharge]
) -> None:
    """Compare what an appropriation has obligated on this path with its amount.

    The amount is that of the last period in which it can be obligated. What is not obligated on
    its last day lapses, or is left; what is released later lapses then.
    """
    inputs, chance = path.inputs, path.future.probability
    years = _Years(path, name)
    for each in charges:
        years.at(each.bound).obligated += chance * (each.paid + each.released)
        years.at(each.t).spent += chance * each.paid
        years.at(each.t).released += chance * each.released
    total = sum(each.paid for each in charges)
    if b is None:
        received = _receipts(path, name, fund, charges)
        for t, amount in received.items():
            years.at(t).amount += chance * amount
        years.at(inputs.periods).left += chance * max(0.0, sum(received.values()) - total)
        return
    windows = ((t, inputs.at(t).rows("budgets")[b]) for t in range(inputs.periods))
    able = [t for t, row in windows if t in inputs.spans(row.from_, row.expires)]
    row = inputs.at(max(able, default=inputs.periods)).rows("budgets")[b]
    cell = (row, "amount")
    path.record.within("payments", f"what {name} pays", row.amount, total, path.cent(), cell)
    _obligated(path, name, row, max(able, default=0), charges)
    years.at(0 if row.from_ is None else inputs.period(row.from_)).amount += chance * row.amount
    rest = max(0.0, row.amount - total)
    ends = None if row.expires is None else inputs.period(row.expires)
    if ends is None or ends >= inputs.periods:
        years.at(inputs.periods).left += chance * rest
        return
    for each in charges:
        if each.t > ends:
            late = min(rest, each.released)
            years.at(each.t).lapsed += chance * late
            rest -= late
    years.at(ends).lapsed += chance * rest


def _obligated(
    path: PathAudit, name: str, row: Any, last: int, charges: list[AuditedCharge]
) -> None:
    """Compare what is obligated at any time, less what was released, with the amount."""
    if not any(each.released for each in charges):
        return
    for t in range(last + 1):
        held = sum(each.held(t) + (each.paid if each.bound <= t else 0.0) for each in charges)
        what = f"what {name} has obligated in the period from {path.inputs.begins[t]}"
        path.record.within("payments", what, row.amount, held, path.cent(), (row, "amount"))


class _Years:
    """Describe what becomes of an appropriation by fiscal year, expected."""

    def __init__(self, path: PathAudit, name: str) -> None:
        self.inputs, self.name, self.found = path.inputs, name, path.together.budgets

    def at(self, t: int) -> Appropriated:
        """Return that of the fiscal year of a period; before the horizon its first."""
        year = self.inputs.fiscal_year(min(max(0, t), self.inputs.periods - 1))
        return self.found[self.name, year]


def _receipts(
    path: PathAudit, name: str, fund: str, charges: list[AuditedCharge]
) -> dict[int, float]:
    """Return what a fund receives and keeps, by period [money].

    Compare when it is spent: no sooner than it arrives, less what is held for what fails.
    """
    headings = path.twins.headings
    arrived: dict[int, float] = defaultdict(float)
    arrived[0] += path.inputs.keyed("funds")[fund].receipts_left
    for flow, receipt in path.cash.items():
        table = headings[flow.heading].receiver
        if table and path.inputs.keyed(table)[str(flow.name)].fund == fund:
            arrived[flow.t] -= receipt
    amount = 0.0
    for t in range(path.inputs.periods):
        amount += arrived.get(t, 0.0)
        gone = sum(each.paid for each in charges if each.t <= t)
        gone += sum(each.held(t) for each in charges)
        what = f"what {name} have paid by the end of {path.inputs.begins[t]}, before they arrive,"
        path.record.within("payments", what, amount, gone, path.cent())
    return arrived


def budget(together: Together) -> None:
    """Compare what becomes of each appropriation, expected, by fiscal year."""
    record = together.record
    lines = {
        (line["appropriation"], line["fiscal_year"]): line for line in together.sheets["budget"]
    }
    if record.fails(len(lines) == len(together.sheets["budget"])):
        record.refuse("budget", "an appropriation stands twice in a fiscal year")
    clock = together.clock
    known = {clock.fiscal_year(t) for t in range(clock.periods)}
    for name, (fund, b) in _sources(together).items():
        row = None if b is None else together.base.rows("budgets")[b]
        own = {year: each for of, year, each in _found(together) if of == name}
        shown = {year: line for (of, year), line in lines.items() if of == name}
        if record.fails(bool(shown)):
            record.refuse("budget", f"{name} is not on the sheet", (row, "fund"))
            continue
        for year in sorted({*own, *shown}):
            _in_year(
                together, name, fund, row, own.get(year, Appropriated()), shown.get(year), year
            )
        for year, line in shown.items():
            if record.fails(year in known):
                message = f"{line.words('fiscal_year')} is {year}, none of the horizon"
                record.refuse(line.at("fiscal_year"), message)
            del lines[name, year]
    for (name, _), line in lines.items():
        record.refuse(line.where, f"{name!r} is no appropriation of the input")


def _found(together: Together) -> Iterator[tuple[str, int, Appropriated]]:
    """Yield what becomes of each appropriation in each fiscal year."""
    for (name, year), each in together.budgets.items():
        yield name, year, each


def _in_year(
    together: Together,
    name: str,
    fund: str,
    row: Any,
    found: Appropriated,
    line: Line | None,
    year: int,
) -> None:
    """Compare a line of the sheet; where there is none, nothing may have become of it."""
    record, cent = together.record, together.noise.money()
    if line is None:
        for column in FIGURES:
            what = f"{column} of {name} in FY{year}, which is not on the sheet,"
            record.equal("budget", what, getattr(found, column), 0.0, cent, (row, "fund"))
        return
    record.term(line, "fund", fund)
    record.term(line, "from", None if row is None else row.from_, (row, "from"))
    record.term(line, "expires", None if row is None else row.expires, (row, "expires"))
    record.term(line, "pay_by", None if row is None else row.pay_by, (row, "pay_by"))
    for column in FIGURES:
        exact = column == "amount" and row is not None
        noise, cell = 0.0 if exact else cent, (row, "amount" if exact else "expires")
        record.figure(line, column, getattr(found, column), noise, cell)


TWIN = Twin(settle=(payments,), conclude=(budget,))
