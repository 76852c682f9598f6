"""Offtakes: signing, deliveries, take-or-pay, and what floor, ceiling, top-up and upside make of
the price.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optimiser.auditing import call_off_audit, extension_audit, prepayment_audit
from optimiser.auditing.call_off_audit import listed, sized
from optimiser.auditing.inputs import Inputs, Rows
from optimiser.auditing.path_audit import PathAudit, Since
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.projects import breakeven, level_at
from optimiser.auditing.together import Together
from optimiser.auditing.twin import (
    DUTY,
    FREIGHT,
    AuditedAct,
    AuditedChoice,
    AuditedDeed,
    AuditedHeading,
    AuditedInstruction,
    AuditedSheet,
    Done,
    Size,
    Twin,
)
from stockpile_model.names import identity

PER_UNIT = ("expected_price", "share_at_floor")  # figures of a contract that brings metal
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """A contract signed at a level in period `t`, on one path.

    It delivers from period `first`; never within the horizon where that is None. Its project is
    ready from period `ready` on. It may be `extended` after its term. Its terms are those of each
    period. Where it was signed before the start `t`, and perhaps `first`, are below 0, and its
    terms at signing are those of the first period.
    """

    inputs: Inputs
    contract: str
    level: str
    t: int
    first: int | None
    ready: int = 0
    extended: bool = False

    def row(self, t: int) -> Any:
        """Return the contract in a period."""
        return self.inputs.at(t).keyed("contracts")[self.contract]

    def floor(self, t: int) -> Any:
        """Return the level in a period."""
        return self.inputs.at(t).floor(self.contract, self.level)

    def rate(self, t: int) -> float:
        """Return the even rate [quantity/period]."""
        return float(self.floor(t).annual_quantity * self.inputs.months / 12)

    @property
    def before(self) -> Any:
        """Return the commitment by which it was signed before the start; None: it was not."""
        return self.inputs.earlier("sign", self.contract)[0] if self.t < 0 else None

    @property
    def prepaid(self) -> float:
        """Return what is left of the prepayment as the plan begins, or as it is signed [money]."""
        row, done = self.row(self.t), self.before
        if done is None:
            return float(row.prepayment)
        if done.prepayment_left is not None:
            return float(done.prepayment_left)
        brought = row.availability * self.rate(self.t) * max(0, -(self.first or 0))
        return float(max(0.0, row.prepayment - row.credit * brought))

    @property
    def term(self) -> range:
        """Return the periods of the term, which is that at signing."""
        return range(0) if self.first is None else span(self.inputs, self.row(self.t), self.first)

    @property
    def extension(self) -> range:
        """Return the periods by which the term may be extended."""
        row = self.row(self.t)
        if not self.term or row.term_months is None or not row.option_months:
            return range(0)
        begin = self.term.start + self.inputs.whole(row.term_months)
        return range(begin, min(self.inputs.periods, begin + self.inputs.whole(row.option_months)))

    @property
    def deciding(self) -> int:
        """Return the period in which it is decided whether the term is extended."""
        date, last = self.row(self.t).option_from, self.term[-1]
        if date is None:
            return last
        return min(max(0, self.term[0], self.inputs.period(date)), last)

    def bound(self, t: int) -> int | Since:
        """Return the period in which what is due in a period is obligated, or the day before.

        It is the start of its fiscal year, or the signing (the extension) where that is later.
        """
        year, signing = self.inputs.fiscal_year(t), self.before
        month = self.inputs.settings.fiscal_year_start
        begun = dt.date(year - (1 if month > 1 else 0), month, 1)
        past = signing is not None and begun < self.inputs.settings.start
        if past and not (self.extended and t in self.extension):
            return Since(max(begun, signing.date))
        begins = next(s for s in range(t + 1) if self.inputs.fiscal_year(s) == year)
        agreed = self.deciding if self.extended and t in self.extension else self.t
        return max(begins, agreed)

    @property
    def spans(self) -> list[range]:
        """Return the term, and its extension where there is one."""
        return [self.term, *([self.extension] if self.extended else [])]

    @property
    def span(self) -> range:
        """Return the periods of delivery within the horizon."""
        return range(max(0, self.term.start), self.spans[-1].stop)

    @property
    def owing(self) -> list[range]:
        """Return the spans at whose end a least quantity is owed: contract years, or the term."""
        if self.row(self.t).least_total is None or not self.term:
            return self.years
        return self.spans

    def owed(self, span: range) -> float:
        """Return the least quantity of a contract year, or of a term with a total [quantity]."""
        row, signed = self.row(span[-1]), self.row(self.t)
        left, done = range(max(0, span.start), span.stop), self.before
        so_far = done.called_off if done is not None and span.start < 0 else None
        counted = len(left) if so_far is None else len(span)
        if signed.least_total is None:
            owed = row.take_or_pay * self.rate(span[-1]) * counted
        elif signed.term_months is None:
            owed = row.least_total * counted / len(span)
        else:
            owed = row.least_total * counted / self.inputs.whole(signed.term_months)
        return float(max(0.0, owed - (so_far or 0.0)))

    def most_upside(self, year: range) -> float:
        """Return the most upside that is received in what is left of a contract year [money]."""
        row, done = self.row(year[-1]), self.before
        received = done.upside_received if done is not None and year.start < 0 else None
        counted = len(year) - (max(0, -year.start) if received is None else 0)
        cap = row.upside_cap * counted * self.inputs.months / 12
        return float(max(0.0, cap - (received or 0.0)))

    @property
    def years(self) -> list[range]:
        """Return the periods of each contract year that ends in the horizon, or is cut by it.

        One that began before the start has periods below 0.
        """
        year = 12 // self.inputs.months
        return [
            range(begin, min(begin + year, each.stop))
            for each in self.spans
            for begin in each[::year]
            if min(begin + year, each.stop) > 0
        ]

    def floor_at(self, t: int) -> float:
        """Return the floor in a period, escalated by whole contract years [money/quantity]."""
        years, level = (t - (self.first or 0)) * self.inputs.months // 12, self.floor(t)
        return float(level_at(self.inputs, level, t) * (1 + level.escalation) ** years)

    def exchange_rate(self, t: int) -> float:
        """Return what a unit of the contract's money is worth in the book's [1]."""
        currency = self.row(t).currency
        return 1.0 if currency is None else self.inputs.price(currency, t)

    def reference(self, t: int) -> float | None:
        """Return the index less the discount, without the ceiling; None where the floor rules."""
        row = self.row(t)
        return (
            None
            if row.price_index is None
            else float(self.inputs.price(row.price_index, t) * (1 - row.discount))
        )

    def market(self, t: int) -> float | None:
        """Return the reference under the ceiling."""
        found, ceiling = self.reference(t), self.row(t).ceiling
        return found if found is None or ceiling is None else min(ceiling, found)

    def price(self, t: int) -> float:
        """Return max(floor, min(ceiling, reference)) [money/quantity]."""
        market, least = self.market(t), self.floor_at(t)
        return least if market is None else max(least, market)

    def credit(self, t: int) -> float:
        """Return what is taken off for each unit while a prepayment lasts [money/quantity]."""
        return float(min(self.row(t).credit, self.price(t)))

    def topup(self, t: int) -> float:
        """Return max(0, floor - reference) [money/quantity]."""
        return max(0.0, self.floor_at(t) - (self.reference(t) or 0.0))

    def upside(self, t: int) -> float:
        """Return what the buyer may receive for each unit [money/quantity]."""
        market, row = self.reference(t), self.row(t)
        if not row.upside_share or market is None or row.upside_trigger is None:
            return 0.0
        return float(row.upside_share * max(0.0, market - row.upside_trigger))


def span(inputs: Inputs, row: Any, first: int) -> range:
    """Return the periods in which a contract signed on these terms delivers in the horizon."""
    return range(
        first,
        (
            inputs.periods
            if row.term_months is None
            else min(inputs.periods, first + inputs.whole(row.term_months))
        ),
    )


def begin(inputs: Inputs, row: Any, t: int, ready: int = 0) -> int | None:
    """Return the first delivery of a contract signed in a period; None if past the horizon.

    It is agreed by then, its project is ready and its supplier ships. Of a contract signed before
    the start it may lie before it too, and may be stated.
    """
    for done in inputs.earlier("sign", row.contract):
        if done.first_delivery is not None:
            return inputs.period(done.first_delivery)
    least = t + inputs.whole(row.lead_time_months)
    if t >= 0 or row.project is not None:
        least = max(least, ready)
    if row.deliver_from is not None:
        least = max(least, inputs.period(row.deliver_from))
    if least < 0 and inputs.ships(row.supplier, 0):
        start = inputs.at(0).suppliers[row.supplier].start
        return least if start is None else max(least, inputs.period(start))
    least = max(0, least)
    return next((s for s in range(least, inputs.periods) if inputs.ships(row.supplier, s)), None)


def contracts(path: PathAudit) -> None:
    """Compare contracts with their terms.

    At most one level is signed, once, when it can be. It delivers within term and flex, and what a
    year falls short of take-or-pay is paid. A contract that is not signed brings nothing.
    """
    rows, record = path.inputs.keyed("contracts"), path.record
    brought: dict[str, dict[int, float]] = defaultdict(dict)
    for (table, name, t), sites in path.arriving.items():
        if table == "contracts":
            brought[name][t] = sum(sites.values())
    signed: set[str] = set()
    called = {**call_off_audit.call_offs(path)}
    extended = extension_audit.extensions(path)
    for line in path.sheets["contracts"]:
        row = path.known(line, "contract", "contracts", rows)
        if row is None:
            continue
        for column in ("supplier", "material", "form"):
            record.term(line, column, getattr(row, column), (row, column))
        allowed = _decisions(path, row)
        if record.fails(line["decision"] in allowed):
            message = f"{line['decision']!r} is not {' or '.join(allowed)}"
            record.refuse(line.at("decision"), message)
            continue
        idle = line["decision"] == "signed" and not path.inputs.staged(row.supplier)
        if line["decision"] in ("do not sign", "ended") or idle:
            _not_signed(path, line)
            continue
        if record.fails(row.contract not in signed):
            record.refuse(line.at("decision"), f"{row.contract} is signed a second time")
        signed.add(row.contract)
        if record.fails(path.inputs.base.floor(row.contract, line["level"]) is not None):
            record.refuse(
                line.at("level"),
                f"{row.contract} has no level {line['level']!r} in the sheet floors",
            )
            continue
        found = _sign(path, line, row.contract)
        if found is not None:
            found = extension_audit.extended(path, found, extended.pop(row.contract, []))
            path.signed.append(found)
            came = brought.pop(row.contract, {})
            _account(path, line, found, came, called.pop(row.contract, {}))
    for name, lines in called.items():
        for line in lines.values():
            record.refuse(line.at("contract"), f"{name} is not signed, and is called off")
    for name, decisions in extended.items():
        for line in decisions:
            record.refuse(line.at("contract"), f"{name} is not signed, and is extended or not")
    for name, came in brought.items():
        what = f"what arrives under {name}, which is not signed,"
        record.within("deliveries", what, 0.0, sum(came.values()), path.noise(rows[name].material))


def _decisions(path: PathAudit, row: Any) -> tuple[str, ...]:
    """Return what the sheet may say of a contract: what was signed before the start stays so."""
    signed = path.inputs.earlier("sign", row.contract)
    if not signed:
        return ("sign", "do not sign")
    if not path.inputs.staged(row.supplier):
        return ("signed",)
    inputs = path.inputs
    now, t = inputs.at(0).keyed("contracts")[row.contract], inputs.period(signed[0].date)
    first = begin(inputs, now, t, path.ready(row.project) if row.project else 0)
    over = first is not None and first < 0 and span(inputs, now, first).stop <= 0
    return ("ended",) if over else ("signed",)


def _not_signed(path: PathAudit, line: Line) -> None:
    """Compare the row of a contract that is not signed: nothing comes of it."""
    path.record.figure(line, "cost", 0.0)
    for column in (
        "called_off",
        "delivered",
        "deficit",
        "credited",
        "uncredited",
        "topups",
        "upside",
    ):
        path.record.figure(line, column, 0.0)
    for column in (
        "level",
        "signed",
        "first_delivery",
        "last_delivery",
        "floor",
        "annual_quantity",
        "least_per_period",
        "prepayment",
        "breakeven",
        *PER_UNIT,
    ):
        path.record.term(line, column, None)


def _sign(path: PathAudit, line: Line, name: str) -> Signed | None:
    """Compare when a contract is signed, and return the term that follows on this path."""
    inputs, record = path.inputs, path.record
    before = line["decision"] == "signed"
    t = _signed_before(path, line, name) if before else path.when(line, "signed")
    if t is None:
        return None
    row, floor = inputs.at(t).keyed("contracts")[name], inputs.at(t).floor(name, line["level"])
    path.called[name, floor.level, t] = path.called.get((name, floor.level, t), 0) + 1
    if not before:
        path.within(line, "signed", row, "sign_from", "sign_to", "and it can be signed")
    path.staged(line, "decision", row.supplier)
    ready = 0
    if row.project is not None:
        # A level that carries its project makes it go ahead with the signing.
        if record.fails(path.ahead.get(row.project, inputs.periods) <= t):
            message = (
                f"{line.words('signed')} is {line['signed']}, and project {row.project} has not"
                " gone ahead"
            )
            record.refuse(line.at("signed"), message, (row, "project"))
        ready = path.ready(row.project)
    first = begin(inputs, row, t, ready)
    last = None if first is None else inputs.begin(span(inputs, row, first)[-1] + 1) - _DAY
    record.term(
        line,
        "first_delivery",
        None if first is None else inputs.begin(first),
        (row, "lead_time_months"),
    )
    record.term(line, "last_delivery", last, (row, "term_months"))
    path.together.begun.setdefault((name, floor.level), {})[path.future.name] = t, first
    record.figure(
        line,
        "floor",
        level_at(inputs, floor, t),
        cell=(floor, "floor" if floor.floor is not None else "floor_index"),
    )
    record.figure(line, "annual_quantity", floor.annual_quantity, cell=(floor, "annual_quantity"))
    record.figure(
        line,
        "least_per_period",
        row.least_per_period * floor.annual_quantity * inputs.months / 12
        if row.form == "purchase" and row.least_per_period
        else None,
        cell=(row, "least_per_period"),
    )
    prepaid = None if before else row.prepayment or None
    record.figure(line, "prepayment", prepaid, cell=(row, "prepayment"))
    least = (
        None
        if row.project is None
        else breakeven(inputs.at(t).keyed("projects")[row.project], floor.annual_quantity)
    )
    record.figure(line, "breakeven", least)
    return Signed(inputs, name, floor.level, t, first, ready)


def _signed_before(path: PathAudit, line: Line, name: str) -> int:
    """Compare when and at which level a contract was signed before the start; return the period."""
    inputs, (row, *_) = path.inputs, path.inputs.earlier("sign", name)
    t, levels = inputs.period(row.date), [e for e in inputs.rows("floors") if e.contract == name]
    level = row.level if row.level is not None else levels[0].level
    path.record.term(line, "signed", inputs.begin(t), (row, "date"))
    path.record.term(line, "level", level, (row, "level"))
    return t


def begun(together: Together) -> None:
    """Compare signatures with first deliveries.

    A contract that is signed delivers on one at least of the paths that are one at signing.
    """
    for (name, _), every in together.begun.items():
        signed = {scenario: each for scenario, each in every.items() if each[0] >= 0}
        row = together.base.keyed("contracts")[name]
        for node in dict.fromkeys(
            together.nodes[t][scenario] for scenario, (t, _) in signed.items()
        ):
            if together.record.fails(
                any(
                    first is not None for scenario, (_, first) in signed.items() if scenario in node
                )
            ):
                message = f"{name} is signed and would deliver first past the horizon"
                together.record.refuse("contracts", message, (row, "lead_time_months"))


def _account(
    path: PathAudit,
    line: Line,
    signed: Signed,
    came: dict[int, float],
    lines: Mapping[int, Line],
) -> None:
    """Compare what a contract brings and costs."""
    row, record = signed.row(signed.t), path.record
    before, cent = len(path.spent), path.cent(row.material)
    if signed.t >= 0:
        cost = row.signing_cost
        path.pay(signed.t, "signing", cost, row.material, row.contract, table="contracts")
    extension_audit.pay(path, signed)
    rates = {t: signed.credit(t) for t in signed.span if row.form == "purchase"}
    bounds = {t: signed.bound(t) for t in signed.span}
    credited = prepayment_audit.credited(path, row, signed.t, signed.prepaid, rates, came, bounds)
    path.total(line, "credited", credited, cent, (row, "prepayment"))
    path.total(line, "uncredited", signed.prepaid - credited, cent, (row, "prepayment"))
    deficit = topups = 0.0
    if row.form == "cfd":
        what = f"what arrives under {row.contract}, which moves cash only,"
        record.within(
            "deliveries", what, 0.0, sum(came.values()), path.noise(row.material), (row, "form")
        )
        earned = {t: signed.upside(t) * signed.rate(t) for t in signed.span}
        for t in signed.span:
            topup = signed.topup(t) * signed.rate(t)
            bound = signed.bound(t)
            path.pay(t, "topups", topup, row.material, row.contract, None, "contracts", bound)
            topups += topup
        for column in ("called_off", "delivered"):
            record.figure(line, column, 0.0)
        record.figure(line, "expected_price", None)
    else:
        deficit = _deliver(path, line, signed, came, lines)
        earned = {t: signed.upside(t) * quantity for t, quantity in came.items()}
    path.total(line, "topups", topups, cent)
    path.total(line, "deficit", deficit, path.noise(row.material), (row, "take_or_pay"))
    upside = _receive(path, signed, earned)
    path.total(line, "upside", upside, cent)
    path.total(line, "cost", sum(each.amount for each in path.spent[before:]) - upside, cent)


def _deliver(
    path: PathAudit,
    line: Line,
    signed: Signed,
    came: dict[int, float],
    lines: Mapping[int, Line],
) -> float:
    """Compare deliveries with term, flex and price; return the deficit of all contract years."""
    record, inputs, name = path.record, path.inputs, signed.contract
    most = {t: signed.row(t).flex * signed.rate(t) for t in signed.span}
    paid, noise = 0.0, path.noise(signed.row(signed.t).material)
    for t, quantity in sorted(came.items()):
        row, where = signed.row(t), f"deliveries of {name} in {inputs.begins[t]}"
        if record.fails(t in signed.span):
            record.refuse(where, "outside its term", (row, "term_months"), quantity)
            continue
        record.within(where, "quantity", most[t] * row.availability, quantity, noise, (row, "flex"))
        price = signed.price(t)
        path.price["contracts", name, t] = price * quantity, quantity
        paid += price * quantity
        for buyer, share in path.shares("contracts", name, t).items():
            rates = (("offtakes", price), ("duty", row.duty * price), ("freight", row.freight))
            for heading, rate in rates:
                due = rate * quantity * share
                path.pay(t, heading, due, row.material, name, buyer, "contracts", signed.bound(t))
    called = _called(path, signed, came, lines)
    # Where nothing arrives nobody sees what was called off: all that is allowed at most. It costs
    # nothing, but money that is short may be obligated for something else.
    unseen = {
        t: most[t]
        for t in signed.span
        if not signed.row(t).availability
        and not listed(signed.row(t), path.inputs.settings.order_step)
    }
    _fail(path, signed, called, unseen)
    deficit = _deficit(path, signed, called, unseen)
    delivered, total = sum(came.values()), sum(called.values())
    path.total(line, "delivered", delivered, noise)
    if not unseen:
        path.total(line, "called_off", total, noise, (signed.row(signed.t), "availability"))
    elif (key := (id(line), "called_off")) not in path.together.unseen:
        path.together.unseen.update({key, (id(line), "share_at_floor")})
    if total > noise:
        at_floor = sum(
            quantity
            for t, quantity in called.items()
            if (market := signed.market(t)) is None or market <= signed.floor_at(t)
        )
        path.mean(line, "share_at_floor", at_floor / total, noise / total, weight=total)
    if delivered > noise:
        path.mean(
            line,
            "expected_price",
            paid / delivered,
            path.cent(signed.row(signed.t).material) / delivered,
            weight=delivered,
        )
    path.blank(line, "share_at_floor", total, noise)
    path.blank(line, "expected_price", delivered, noise)
    return deficit


def _fail(
    path: PathAudit, signed: Signed, called: Mapping[int, float], unseen: Mapping[int, float]
) -> None:
    """Post what is called off and does not arrive: it was obligated, and is released."""
    for t in signed.span:
        row = signed.row(t)
        unit = signed.price(t) * (1 + row.duty) + row.freight
        lost = unit * (1 - row.availability) * called.get(t, 0.0)
        most = unit * unseen[t] if t in unseen else lost
        path.fail(
            t, "contract", row.material, signed.contract, signed.bound(t), min(lost, most), most
        )


def _called(
    path: PathAudit, signed: Signed, came: dict[int, float], lines: Mapping[int, Line]
) -> dict[int, float]:
    """Return what is called off in each period, and compare it with what comes [quantity].

    It stands on the sheet `call_offs` where a call-off is a decision of its own; elsewhere it
    follows from what arrives.
    """
    record, name = path.record, signed.contract
    called: dict[int, float] = {}
    for t in signed.span:
        row, where = signed.row(t), f"deliveries of {name} in {path.inputs.begins[t]}"
        noise, arrives = path.noise(row.material), came.get(t, 0.0)
        least = row.least_per_period * signed.rate(t) * row.availability
        record.reaches(where, "quantity", least, arrives, noise, (row, "least_per_period"))
        if not listed(row, path.inputs.settings.order_step):
            called[t] = arrives / row.availability if row.availability else 0.0
            continue
        if t in lines:
            bound = signed.bound(t)
            called[t] = call_off_audit.compare(path, lines[t], row, signed.rate(t), t, bound)
        due = row.availability * called.get(t, 0.0)
        record.equal(where, "quantity, as it is called off,", due, arrives, noise)
    for t, line in lines.items():
        if record.fails(
            t in signed.span and listed(signed.row(t), path.inputs.settings.order_step)
        ):
            message = f"{name} has nothing to call off in {path.inputs.begins[t]}"
            record.refuse(line.at("date"), message)
    return called


def _deficit(
    path: PathAudit, signed: Signed, called: Mapping[int, float], unseen: Mapping[int, float]
) -> float:
    """Return what is owed and not called off, and pay for it [quantity].

    It is owed by contract year, or in all of a term with a total. `unseen`: the most that may have
    been called off where nothing arrives; what is paid for then says how much it was.
    """
    inputs, name, deficit = path.inputs, signed.contract, 0.0
    for year in signed.owing:
        end = year[-1]
        row, noise = signed.row(end), path.noise(signed.row(end).material)
        missing = signed.owed(year) - sum(called.get(t, 0.0) for t in year)
        short = max(0.0, missing - sum(unseen.get(t, 0.0) for t in year))
        if (path.idle or short < missing) and signed.price(end) > 0:
            what = f"deficit of {name} in the contract year from {inputs.begin(year[0])}"
            shown = _flow(path, "deficits", name, range(end, end + 1)) / signed.price(end)
            path.record.reaches("cash_flow", what, short, shown, noise, (row, "take_or_pay"))
            if not path.idle:
                path.record.within("cash_flow", what, missing, shown, noise, (row, "take_or_pay"))
            short = max(short, shown)
        deficit += short
        if short > noise:
            amount, bound = signed.price(end) * short, signed.bound(end)
            path.pay(end, "deficits", amount, row.material, name, None, "contracts", bound)
    return deficit


def _flow(path: PathAudit, heading: str, name: str, periods: range) -> float:
    """Return the plan's cash flow of a contract under a heading in some periods [money]."""
    return float(
        sum(
            each["amount"]
            for each in path.sheets["cash_flow"]
            if each["heading"] == heading
            and each["name"] == name
            and path.inputs.period(each["date"]) in periods
        )
    )


def _receive(path: PathAudit, signed: Signed, earned: dict[int, float]) -> float:
    """Compare the upside received, and return it.

    It is never more than a period earns, and in each contract year all that is earned up to the
    cap.
    """
    record, inputs, name = path.record, path.inputs, signed.contract
    if not any(signed.row(t).upside_share for t in signed.span):
        return 0.0
    received: dict[int, float] = defaultdict(float)
    for each in path.sheets["cash_flow"]:
        if each["heading"] == "upside" and each["name"] == name:
            received[inputs.period(each["date"])] -= each["amount"]
    for t, amount in received.items():
        what = f"upside of {name} in {inputs.begin(t)}"
        record.within(
            "cash_flow",
            what,
            earned.get(t, 0.0),
            amount,
            path.cent(signed.row(t).material),
            (signed.row(t), "upside_share"),
        )
        path.book(t, "upside", -amount, signed.row(t).material, name)
    # A cap that some scenarios change, or that is better reached late, may leave a path with less
    # than it could have received.
    caps = {rows.keyed("contracts")[name].upside_cap for rows in path.together.variants}
    whole = len(path.together.futures) == 1 or (
        len(caps) == 1 and inputs.settings.discount_rate >= 0 and not path.idle
    )
    for year in signed.years:
        row = signed.row(year[-1])
        due, cell = sum(earned.get(t, 0.0) for t in year), (row, "upside_share")
        if row.upside_cap is not None and signed.most_upside(year) < due:
            due, cell = signed.most_upside(year), (row, "upside_cap")
        what = f"upside of {name} in the contract year from {inputs.begin(year[0])}"
        compare = record.equal if whole or caps == {None} else record.within
        compare(
            "cash_flow",
            what,
            due,
            sum(received.get(t, 0.0) for t in year),
            path.cent(row.material),
            cell,
        )
    return sum(received.values())


def _planned(path: PathAudit, name: str, level: str | None, t: int | None) -> float:
    """Return how often a contract is signed, at a level or any, in a period or over the horizon."""
    return float(
        sum(
            n
            for (k, f, s), n in path.called.items()
            if identity(k) == name and level in (None, identity(f)) and t in (None, s)
        )
    )


def _bound(path: PathAudit, name: str, level: str | None, t: int) -> float:
    """Return what a level signed in a period binds at its floor, within the horizon [money]."""
    inputs, rows = path.inputs, path.inputs.at(t)
    row, floor = rows.keyed("contracts")[name], listed_level(rows, name, level)
    agreed = [t + inputs.whole(row.lead_time_months), t]
    dates = row.deliver_from, rows.suppliers[row.supplier].start
    first = max(*agreed, *(inputs.period(date) for date in dates if date is not None))
    rate = level_at(inputs, floor, t) + row.freight
    return float(rate * floor.annual_quantity * inputs.months / 12 * len(span(inputs, row, first)))


def listed_level(rows: Rows, name: str, level: str | None) -> Any:
    """Return a level of a contract, or the first that is listed."""
    asked = None if level is None else identity(level)
    floors = [row for row in rows.rows("floors") if row.contract == name]
    return next((row for row in floors if asked in (None, identity(row.level))), floors[0])


def _called_off(path: PathAudit, name: str, level: str | None, t: int | None) -> float:
    """Return what is called off under a contract, by what arrives of it [quantity].

    Where a plan decides how much that is.
    """
    step, base, found = path.inputs.settings.order_step, path.inputs.keyed("contracts"), 0.0
    for (table, each, s), came in path.arriving.items():
        if table == "contracts" and identity(each) == name and t in (None, s):
            availability = path.inputs.at(s).keyed("contracts")[each].availability
            if availability > 0 and sized(base[each], step):
                found += sum(came.values()) / availability
    return found


def _landed(path: PathAudit, name: str, level: str | None, t: int) -> float:
    """Return what a unit called off in a period costs landed, without escalation [money/quantity].

    It is that of the level signed before the start, else of the first that is listed.
    """
    inputs, rows = path.inputs, path.inputs.at(t)
    row, before = rows.keyed("contracts")[name], inputs.earlier("sign", name)
    floor = listed_level(rows, name, before[0].level if before else None)
    price = Signed(inputs, name, floor.level, t, t).price(t)
    return float(price * (1 + row.duty) + row.freight)


def _done(path: PathAudit) -> Done:
    """Return what each level that is signed brings in each period [quantity].

    What was in transit was ordered before, at whatever level.
    """
    levels = {name: level for name, level, _ in path.called}
    return {
        (name, levels[name], t): sum(came.values())
        for (table, name, t), came in path.arriving.items()
        if table == "contracts" and name in levels
    }


def _cash_only(path: PathAudit) -> list[str]:
    """Return the contracts that bring no metal."""
    return [name for name, row in path.inputs.keyed("contracts").items() if row.form == "cfd"]


TWIN = Twin(
    headings=(
        AuditedHeading("offtakes", "contract"),
        AuditedHeading("deficits", "contract"),
        AuditedHeading("topups", "contract"),
        AuditedHeading("signing", "contract"),
        AuditedHeading("upside"),
        FREIGHT,
        DUTY,
    ),
    sheets=(
        AuditedSheet(
            name="contracts",
            date="signed",
            decision=("contract", "level"),
            member="contract",
            instruction=AuditedInstruction(
                ("contract", "supplier", "level"),
                ("floor", "annual_quantity", "least_per_period", "prepayment"),
                ("signed", "first_delivery"),
            ),
            act=AuditedAct(
                table="contracts",
                name="contract",
                date="signed",
                level="level",
                supplier="supplier",
                lasts=True,
                decisions=("sign",),
                quantity="annual_quantity",
                expected="delivered",
                price="floor",
                cost="cost",
                weighed=True,
                fees=("prepayment", "signing_cost"),
                due="signed",
                until="sign_to",
                deed="sign",
                metal=False,
            ),
        ),
    ),
    deeds=(
        AuditedDeed("sign", "contracts", _planned, _bound, metal=False),
        AuditedDeed("call_off", "contracts", _called_off, _landed),
    ),
    choices=(AuditedChoice("level", _done, _cash_only),),
    sources={"contracts": "contract"},
    needs=(Size("floors", "annual_quantity"),),
    decide=(contracts,),
    conclude=(begun,),
)
