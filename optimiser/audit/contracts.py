"""Offtakes: signing, deliveries, take-or-pay, and what floor, ceiling, top-up and upside make of the price."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from optimiser.audit.case import Case
from optimiser.audit.findings import NOISE
from optimiser.audit.projects import breakeven, level_at
from optimiser.audit.sheets import Line

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """A contract signed at a level, its periods of delivery and contract years within the horizon."""

    row: Any
    floor: Any
    t: int
    first: int
    last: int
    years: tuple[range, ...]
    rate: float  # the even rate [quantity/period]

    def floor_at(self, case: Case, t: int) -> float:
        """The floor in a period, escalated by whole contract years [money/quantity]."""
        years = (t - self.first) * case.inputs.months // 12
        return float(level_at(case, self.floor, t) * (1 + self.floor.escalation) ** years)

    def reference(self, case: Case, t: int) -> float | None:
        """The index less the discount, without the ceiling; None where the floor alone is the price."""
        if self.row.price_index is None:
            return None
        return float(case.inputs.price(self.row.price_index, t) * (1 - self.row.discount))

    def capped(self, case: Case, t: int) -> float | None:
        """The reference under the ceiling."""
        found = self.reference(case, t)
        return found if found is None or self.row.ceiling is None else min(self.row.ceiling, found)

    def price(self, case: Case, t: int) -> float:
        """max(floor, min(ceiling, reference)) [money/quantity]."""
        market, least = self.capped(case, t), self.floor_at(case, t)
        return least if market is None else max(least, market)


def contracts(case: Case) -> None:
    """At most one level of a contract is signed, once, when it can be; it delivers within term and flex; what a year falls
    short of take-or-pay is paid; a contract that is not signed brings nothing."""
    rows, inputs, record = case.inputs.keyed("contracts"), case.inputs, case.record
    floors = {(row.contract, row.level): row for row in inputs.rows("floors")}
    brought: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (table, name, t), sites in case.arriving.items():
        if table == "contracts":
            brought[name][t] += sum(sites.values())
    seen: set[str] = set()
    signed: set[str] = set()
    for line in case.sheets["contracts"]:
        row = case.known(line, "contract", "contracts", rows)
        if row is None:
            continue
        seen.add(row.contract)
        record.term(line, "supplier", row.supplier, inputs.cell(row, "supplier"))
        record.term(line, "material", row.material, inputs.cell(row, "material"))
        record.term(line, "form", row.form, inputs.cell(row, "form"))
        decision = line["decision"]
        if not record.holds(decision in ("sign", "do not sign"), line.at("decision"), f"{decision!r} is neither sign nor do not sign"):
            continue
        if decision == "do not sign":
            for column in ("called_off", "delivered", "deficit", "topups", "upside", "cost"):
                record.figure(line, column, 0.0)
            continue
        record.holds(row.contract not in signed, line.at("decision"), f"{row.contract} is signed a second time")
        signed.add(row.contract)
        floor = floors.get((row.contract, line["level"]))
        if not record.holds(floor is not None, line.at("level"), f"{row.contract} has no level {line['level']!r} in the sheet floors"):
            continue
        found = _sign(case, line, row, floor)
        if found is not None:
            _account(case, line, found, brought.pop(row.contract, {}))
    for name in rows.keys() - seen:
        record.holds(False, "contracts", f"{name} is not on the sheet", inputs.cell(rows[name], "contract"))
    for name, came in brought.items():
        record.most("deliveries", f"what arrives under {name}, which is not signed,", 0.0, sum(came.values()))


def _sign(case: Case, line: Line, row: Any, floor: Any) -> Signed | None:
    """When it is signed, and the term that follows from it."""
    inputs, record = case.inputs, case.record
    t = case.when(line, "signed")
    if t is None:
        return None
    case.called[row.contract, floor.level, t] = case.called.get((row.contract, floor.level, t), 0) + 1
    case.within(line, "signed", row, "sign_from", "sign_to", "and it can be signed")
    case.staged(line, "decision", row.supplier)
    ships = inputs.ships(row.supplier)
    first = max(t + inputs.whole(row.lead_time_months), ships, 0 if row.deliver_from is None else inputs.period(row.deliver_from))
    if row.project is not None:
        # A level that carries its project makes it go ahead with the signing.
        said = f"{line.told('signed')}: project {row.project} has not gone ahead"
        record.holds(case.ahead.get(row.project, inputs.periods) <= t, line.at("signed"), said, inputs.cell(row, "project"))
        first = max(first, case.ready(row.project))
    said = f"{line.told('first_delivery')}: the first would be past the horizon"
    if not record.holds(first < inputs.periods, line.at("first_delivery"), said, inputs.cell(row, "lead_time_months")):
        return None
    end = inputs.periods - 1
    last = end if row.term_months is None else min(end, first + inputs.whole(row.term_months) - 1)
    year = 12 // inputs.months
    years = tuple(range(begin, min(begin + year, last + 1)) for begin in range(first, last + 1, year))
    record.term(line, "first_delivery", inputs.begins[first], inputs.cell(row, "lead_time_months"))
    record.term(line, "last_delivery", inputs.begins[last + 1] - _DAY, inputs.cell(row, "term_months"))
    record.figure(line, "floor", level_at(case, floor, t), cell=inputs.cell(floor, "floor" if floor.floor is not None else "floor_index"))
    record.figure(line, "annual_quantity", floor.annual_quantity, cell=inputs.cell(floor, "annual_quantity"))
    project = inputs.keyed("projects").get(row.project)
    record.figure(line, "breakeven", None if project is None else breakeven(project, floor.annual_quantity))
    return Signed(row, floor, t, first, last, years, floor.annual_quantity * inputs.months / 12)


def _account(case: Case, line: Line, signed: Signed, came: dict[int, float]) -> None:
    """What it brings and costs."""
    row, record, inputs = signed.row, case.record, case.inputs
    before = len(case.spent)
    case.pay(signed.t, "signing", row.signing_cost, row.material, row.contract, table="contracts")
    earned: dict[int, float] = {}
    deficit = topups = 0.0
    if row.form == "cfd":
        record.most("deliveries", f"what {row.contract} brings, which moves cash only,", 0.0, sum(came.values()), cell=inputs.cell(row, "form"))
        for t in range(signed.first, signed.last + 1):
            topup = max(0.0, signed.floor_at(case, t) - (signed.reference(case, t) or 0.0)) * signed.rate
            case.pay(t, "topups", topup, row.material, row.contract, table="contracts")
            topups += topup
            earned[t] = _upside(case, signed, t) * signed.rate
        record.figure(line, "called_off", 0.0)
        record.figure(line, "delivered", 0.0)
        record.figure(line, "expected_price", None)
    else:
        deficit = _deliver(case, line, signed, came)
        earned = {t: _upside(case, signed, t) * quantity for t, quantity in came.items()}
    record.figure(line, "topups", topups, case.cent)
    record.figure(line, "deficit", deficit, 10 * NOISE, inputs.cell(row, "take_or_pay"))
    upside = _receive(case, signed, earned)
    record.figure(line, "upside", upside, 10 * case.cent)
    record.figure(line, "cost", sum(each.amount for each in case.spent[before:]) - upside, 10 * case.cent)


def _deliver(case: Case, line: Line, signed: Signed, came: dict[int, float]) -> float:
    """Deliveries within term and flex, their price, and the deficit of each contract year; returns their sum."""
    row, record, inputs = signed.row, case.record, case.inputs
    most = row.flex * signed.rate
    called: dict[int, float] = {}
    paid = at_floor = 0.0
    for t, quantity in sorted(came.items()):
        where = f"deliveries of {row.contract} in {inputs.begins[t]}"
        if not record.holds(signed.first <= t <= signed.last, where, "outside its term", inputs.cell(row, "term_months"), quantity):
            continue
        record.most(where, "quantity", most * row.availability, quantity, cell=inputs.cell(row, "flex"))
        called[t] = quantity / row.availability if row.availability else 0.0
        price, market = signed.price(case, t), signed.capped(case, t)
        paid += price * quantity
        at_floor += called[t] if market is None or market <= signed.floor_at(case, t) else 0.0
        for buyer, share in case.shares("contracts", row.contract, t).items():
            key = (row.material, row.contract, buyer, "contracts")
            case.pay(t, "offtakes", price * quantity * share, *key)
            case.pay(t, "duty", row.duty * price * quantity * share, *key)
            case.pay(t, "freight", row.freight * quantity * share, *key)
    deficit = 0.0
    for year in signed.years:
        owed = row.take_or_pay * signed.rate * len(year)
        # Where nothing arrives nobody sees what was called off; calling off all that is allowed costs nothing.
        taken = sum(called.get(t, 0.0) for t in year) if row.availability else most * len(year)
        short = max(0.0, owed - taken)
        deficit += short
        if short > NOISE:
            case.pay(year[-1], "deficits", signed.price(case, year[-1]) * short, row.material, row.contract, table="contracts")
    delivered = sum(came.values())
    record.figure(line, "delivered", delivered, 10 * NOISE)
    if row.availability:
        total = sum(called.values())
        record.figure(line, "called_off", total, 10 * NOISE, inputs.cell(row, "availability"))
        record.figure(line, "share_at_floor", at_floor / total if total > NOISE else None, 1e-3)
    if delivered > NOISE:
        record.figure(line, "expected_price", paid / delivered, 1e-6 * case.cent / NOISE)
    return deficit


def _upside(case: Case, signed: Signed, t: int) -> float:
    """What the buyer may receive in a period for each unit [money/quantity]."""
    row, market = signed.row, signed.reference(case, t)
    if not row.upside_share or market is None or row.upside_trigger is None:
        return 0.0
    return float(row.upside_share * max(0.0, market - row.upside_trigger))


def _receive(case: Case, signed: Signed, earned: dict[int, float]) -> float:
    """The upside received: never more than a period earns, and in each contract year all that is earned up to the cap."""
    row, record, inputs = signed.row, case.record, case.inputs
    if not row.upside_share:
        return 0.0
    received: dict[int, float] = defaultdict(float)
    for each in case.sheets["cash_flow"]:
        if each["heading"] == "upside" and each["name"] == row.contract:
            received[inputs.period(each["date"])] -= each["amount"]
    for t, amount in received.items():
        what = f"upside of {row.contract} in {inputs.begin(t)}"
        record.most("cash_flow", what, earned.get(t, 0.0), amount, 10 * case.cent, inputs.cell(row, "upside_share"))
        case.book(t, "upside", -amount, row.material, row.contract)
    for year in signed.years:
        due = sum(earned.get(t, 0.0) for t in year)
        if row.upside_cap is not None:
            due = min(due, row.upside_cap * len(year) * inputs.months / 12)
        what = f"upside of {row.contract} in the contract year from {inputs.begins[year[0]]}"
        got = sum(received.get(t, 0.0) for t in year)
        record.equal("cash_flow", what, due, got, 10 * case.cent, inputs.cell(row, "upside_cap" if row.upside_cap is not None else "upside_share"))
    return sum(received.values())
