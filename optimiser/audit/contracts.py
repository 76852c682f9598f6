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
    """A contract signed at a level in period `t`, its periods of delivery and contract years within the horizon; `rate` is
    the even rate [quantity/period]."""

    case: Case
    row: Any
    floor: Any
    t: int
    first: int
    last: int

    @property
    def rate(self) -> float:
        return float(self.floor.annual_quantity * self.case.inputs.months / 12)

    @property
    def years(self) -> list[range]:
        year = 12 // self.case.inputs.months
        return [range(begin, min(begin + year, self.last + 1)) for begin in range(self.first, self.last + 1, year)]

    def floor_at(self, t: int) -> float:
        """The floor in a period, escalated by whole contract years [money/quantity]."""
        years = (t - self.first) * self.case.inputs.months // 12
        return float(level_at(self.case, self.floor, t) * (1 + self.floor.escalation) ** years)

    def reference(self, t: int) -> float | None:
        """The index less the discount, without the ceiling; None where the floor alone is the price."""
        if self.row.price_index is None:
            return None
        return float(self.case.inputs.price(self.row.price_index, t) * (1 - self.row.discount))

    def market(self, t: int) -> float | None:
        """The reference under the ceiling."""
        found = self.reference(t)
        return found if found is None or self.row.ceiling is None else min(self.row.ceiling, found)

    def price(self, t: int) -> float:
        """max(floor, min(ceiling, reference)) [money/quantity]."""
        market, least = self.market(t), self.floor_at(t)
        return least if market is None else max(least, market)

    def upside(self, t: int) -> float:
        """What the buyer may receive for each unit [money/quantity]."""
        market = self.reference(t)
        if not self.row.upside_share or market is None or self.row.upside_trigger is None:
            return 0.0
        return float(self.row.upside_share * max(0.0, market - self.row.upside_trigger))


def contracts(case: Case) -> None:
    """At most one level of a contract is signed, once, when it can be; it delivers within term and flex; what a year falls
    short of take-or-pay is paid; a contract that is not signed brings nothing."""
    rows, record = case.inputs.keyed("contracts"), case.record
    floors = {(row.contract, row.level): row for row in case.inputs.rows("floors")}
    brought: dict[str, dict[int, float]] = defaultdict(dict)
    for (table, name, t), sites in case.arriving.items():
        if table == "contracts":
            brought[name][t] = sum(sites.values())
    seen: set[str] = set()
    signed: set[str] = set()
    for line in case.sheets["contracts"]:
        row = case.known(line, "contract", "contracts", rows)
        if row is None:
            continue
        seen.add(row.contract)
        for column in ("supplier", "material", "form"):
            record.term(line, column, getattr(row, column), (row, column))
        if record.fails(line["decision"] in ("sign", "do not sign")):
            record.refuse(line.at("decision"), f"{line['decision']!r} is neither sign nor do not sign")
            continue
        if line["decision"] == "do not sign":
            for column in ("called_off", "delivered", "deficit", "topups", "upside", "cost"):
                record.figure(line, column, 0.0)
            continue
        if record.fails(row.contract not in signed):
            record.refuse(line.at("decision"), f"{row.contract} is signed a second time")
        signed.add(row.contract)
        floor = floors.get((row.contract, line["level"]))
        if record.fails(floor is not None):
            record.refuse(line.at("level"), f"{row.contract} has no level {line['level']!r} in the sheet floors")
            continue
        found = _sign(case, line, row, floor)
        if found is not None:
            _account(case, line, found, brought.pop(row.contract, {}))
    for name in rows.keys() - seen:
        record.refuse("contracts", f"{name} is not on the sheet", (rows[name], "contract"))
    for name, came in brought.items():
        record.within("deliveries", f"what arrives under {name}, which is not signed,", 0.0, sum(came.values()))


def _sign(case: Case, line: Line, row: Any, floor: Any) -> Signed | None:
    """When it is signed, and the term that follows from it."""
    inputs, record = case.inputs, case.record
    t = case.when(line, "signed")
    if t is None:
        return None
    case.called[row.contract, floor.level, t] = case.called.get((row.contract, floor.level, t), 0) + 1
    case.within(line, "signed", row, "sign_from", "sign_to", "and it can be signed")
    case.staged(line, "decision", row.supplier)
    waits = [t + inputs.whole(row.lead_time_months), inputs.ships(row.supplier)]
    waits += [] if row.deliver_from is None else [inputs.period(row.deliver_from)]
    if row.project is not None:
        # A level that carries its project makes it go ahead with the signing.
        if record.fails(case.ahead.get(row.project, inputs.periods) <= t):
            said = f"{line.told('signed')} is {line['signed']}, and project {row.project} has not gone ahead"
            record.refuse(line.at("signed"), said, (row, "project"))
        waits.append(case.ready(row.project))
    first = max(waits)
    if record.fails(first < inputs.periods):
        record.refuse(line.at("first_delivery"), f"{row.contract} would deliver first past the horizon", (row, "lead_time_months"))
        return None
    end = inputs.periods - 1
    last = end if row.term_months is None else min(end, first + inputs.whole(row.term_months) - 1)
    record.term(line, "first_delivery", inputs.begins[first], (row, "lead_time_months"))
    record.term(line, "last_delivery", inputs.begins[last + 1] - _DAY, (row, "term_months"))
    record.figure(line, "floor", level_at(case, floor, t), cell=(floor, "floor" if floor.floor is not None else "floor_index"))
    record.figure(line, "annual_quantity", floor.annual_quantity, cell=(floor, "annual_quantity"))
    least = None if row.project is None else breakeven(inputs.keyed("projects")[row.project], floor.annual_quantity)
    if least != line["breakeven"]:  # both may be infinite
        record.figure(line, "breakeven", least)
    return Signed(case, row, floor, t, first, last)


def _account(case: Case, line: Line, signed: Signed, came: dict[int, float]) -> None:
    """What a contract brings and costs."""
    row, record = signed.row, case.record
    before = len(case.spent)
    case.pay(signed.t, "signing", row.signing_cost, row.material, row.contract, table="contracts")
    deficit = topups = 0.0
    if row.form == "cfd":
        what = f"what arrives under {row.contract}, which moves cash only,"
        record.within("deliveries", what, 0.0, sum(came.values()), cell=(row, "form"))
        earned = {t: signed.upside(t) * signed.rate for t in range(signed.first, signed.last + 1)}
        for t in earned:
            topup = max(0.0, signed.floor_at(t) - (signed.reference(t) or 0.0)) * signed.rate
            case.pay(t, "topups", topup, row.material, row.contract, table="contracts")
            topups += topup
        for column in ("called_off", "delivered"):
            record.figure(line, column, 0.0)
        record.figure(line, "expected_price", None)
    else:
        deficit = _deliver(case, line, signed, came)
        earned = {t: signed.upside(t) * quantity for t, quantity in came.items()}
    record.figure(line, "topups", topups, case.cent)
    record.figure(line, "deficit", deficit, 10 * NOISE, (row, "take_or_pay"))
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
        if record.fails(signed.first <= t <= signed.last):
            record.refuse(where, "outside its term", (row, "term_months"), quantity)
            continue
        record.within(where, "quantity", most * row.availability, quantity, cell=(row, "flex"))
        called[t] = quantity / row.availability if row.availability else 0.0
        price, market = signed.price(t), signed.market(t)
        case.unit_price["contracts", row.contract, t] = price
        paid += price * quantity
        at_floor += called[t] if market is None or market <= signed.floor_at(t) else 0.0
        for buyer, share in case.shares("contracts", row.contract, t).items():
            rates = (("offtakes", price), ("duty", row.duty * price), ("freight", row.freight))
            for heading, rate in rates:
                case.pay(t, heading, rate * quantity * share, row.material, row.contract, buyer, "contracts")
    deficit = 0.0
    for year in signed.years:
        owed = row.take_or_pay * signed.rate * len(year)
        # Where nothing arrives nobody sees what was called off; calling off all that is allowed costs nothing.
        taken = sum(called.get(t, 0.0) for t in year) if row.availability else most * len(year)
        short = max(0.0, owed - taken)
        deficit += short
        if short > NOISE:
            case.pay(year[-1], "deficits", signed.price(year[-1]) * short, row.material, row.contract, table="contracts")
    delivered = sum(came.values())
    record.figure(line, "delivered", delivered, 10 * NOISE)
    if row.availability:
        total = sum(called.values())
        record.figure(line, "called_off", total, 10 * NOISE, (row, "availability"))
        if total > NOISE:
            record.figure(line, "share_at_floor", at_floor / total, 1e-3)
    if delivered > NOISE:
        record.figure(line, "expected_price", paid / delivered, case.cent)
    return deficit


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
        record.within("cash_flow", what, earned.get(t, 0.0), amount, 10 * case.cent, (row, "upside_share"))
        case.book(t, "upside", -amount, row.material, row.contract)
    for year in signed.years:
        due, cell = sum(earned.get(t, 0.0) for t in year), (row, "upside_share")
        if row.upside_cap is not None and row.upside_cap * len(year) * inputs.months / 12 < due:
            due, cell = row.upside_cap * len(year) * inputs.months / 12, (row, "upside_cap")
        what = f"upside of {row.contract} in the contract year from {inputs.begins[year[0]]}"
        record.equal("cash_flow", what, due, sum(received.get(t, 0.0) for t in year), 10 * case.cent, cell)
    return sum(received.values())
