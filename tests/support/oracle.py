"""The optimum of a small workbook by brute force: a second reading of the contract that shares no code with the planner.

`optimum(tables)` takes a workbook as plain tables, `{"settings": {name: value}, "offers": [{column: value}, ...], ...}`, tries
every way to sign the contracts and to let the projects go ahead, branches on the orders that have a minimum, a cost, price breaks
or a lot and on what a rule counts, and solves what remains as a linear program in fractions (`exact_lp`). It knows no Pyomo, no
HiGHS and no floating point; only discount factors are rounded, to 12 decimals. Stock is followed by lot, not by age. Prices are per
unit, money in the workbook's currency, time in periods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import Any, Literal

from tests.support.exact_lp import Answer, Linear, Name, Row, at_least, at_most, equal, minimise, total, variable

Tables = Mapping[str, Any]
Cells = Mapping[str, Any]
ZERO, ONE = Fraction(0), Fraction(1)
COUNTS = Fraction(1, 1000)  # what must arrive of a member for a rule to count it


@dataclass(frozen=True)
class Optimum:
    """`objective` is the discounted cost, `shortfall` unmet demand plus soft target missed, both over all periods."""

    status: Literal["optimal", "infeasible", "unbounded"]
    objective: Fraction = ZERO
    shortfall: Fraction = ZERO
    point: Mapping[Name, Fraction] = field(default_factory=dict)


def optimum(tables: Tables) -> Optimum:
    """The least cost of the workbook, or the least shortfall and then the least cost at it, as `settings.objective` says."""
    book = Book(tables)
    programs = [Program(book, settled) for settled in settlements(book)]
    if book.settings.get("objective", "cost") == "shortfall_first":
        least = search(programs, lambda program: program.shortfall)
        if least.status != "optimal":
            return least
        for program in programs:
            program.rows.append(at_most(program.shortfall, least.objective))
    return search(programs, lambda program: program.cost)


# Reading ------------------------------------------------------------------------------------------------------------------


def number(row: Cells, column: str, default: Any = 0) -> Fraction:
    value = row.get(column)
    return Fraction(str(default if value is None else value))


def day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def listed(value: str | None) -> list[str]:
    return [part.strip() for part in value.replace(";", ",").split(",")] if value else []


class Book:
    """The tables, with the calendar and the price series read."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.settings: Cells = tables["settings"]
        self.start = day(self.settings["start"])
        self.months = int(self.settings.get("period_months", 1))
        self.periods = range(int(self.settings["periods"]))
        self.last = len(self.periods) - 1
        self.materials = {row["material"]: row for row in self.rows("materials")}
        self.suppliers = {row["supplier"]: row for row in self.rows("suppliers")}
        self.sites: dict[str | None, Cells] = {row["site"]: row for row in self.rows("sites")} or {None: {}}
        self.projects = {row["project"]: row for row in self.rows("projects")}

    def rows(self, table: str) -> list[Cells]:
        return self.tables.get(table, [])

    def period(self, value: date | str) -> int:
        """The period that contains a date: negative before the start."""
        value = day(value)
        months = 12 * (value.year - self.start.year) + value.month - self.start.month - (value.day < self.start.day)
        return months // self.months

    def whole(self, row: Cells, column: str) -> int:
        """Months as a number of periods."""
        periods, rest = divmod(int(number(row, column)), self.months)
        if rest:
            raise ValueError(f"{column} is no whole number of periods")
        return periods

    def between(self, row: Cells, first: str = "from", last: str = "to") -> range:
        """The periods from one date to another; a blank one is the end of the horizon on its side."""
        begin = max(0, self.period(row[first])) if row.get(first) else 0
        end = min(self.last, self.period(row[last])) if row.get(last) else self.last
        return range(begin, end + 1)

    def first_day(self, t: int) -> date:
        months = self.start.month - 1 + t * self.months
        return date(self.start.year + months // 12, months % 12 + 1, self.start.day)

    def fiscal_year(self, t: int) -> int:
        first = self.first_day(t)
        return first.year + (first.month >= int(self.settings.get("fiscal_year_start", 10)))

    def discount(self, t: int) -> Fraction:
        rate = number(self.settings, "discount_rate")
        return Fraction(round(float(1 + rate) ** (-t * self.months / 12) * 10**12), 10**12)

    def index(self, name: str, t: int) -> Fraction:
        """A price series on the first day of a period: linear between its dates, flat outside them."""
        known = sorted((day(row["date"]), number(row, name)) for row in self.rows("prices") if row.get(name) is not None)
        today = self.first_day(t)
        before = [point for point in known if point[0] <= today]
        after = [point for point in known if point[0] > today]
        if not before:
            return after[0][1]
        if not after:
            return before[-1][1]
        (d0, p0), (d1, p1) = before[-1], after[0]
        return p0 + (p1 - p0) * Fraction((today - d0).days, (d1 - d0).days)

    def counts(self, row: Cells) -> bool:
        """Whether the plan may use this offer, contract or project: its supplier is at one of the `supply_stages`."""
        stages = listed(self.settings.get("supply_stages"))
        return not stages or self.suppliers.get(row.get("supplier"), {}).get("stage") in stages

    def ships_from(self, row: Cells) -> int:
        begin = self.suppliers.get(row.get("supplier"), {}).get("start")
        return self.period(begin) if begin else 0

    def buyer(self, site: str | None) -> str | None:
        return self.sites[site].get("buyer")

    def floor(self, level: Cells, t: int) -> Fraction:
        """The floor of a level in a period, before escalation."""
        if level.get("floor_index"):
            return self.index(level["floor_index"], t) * number(level, "floor_factor", 1)
        return number(level, "floor")


# What is settled first ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    level: Cells
    at: int


@dataclass(frozen=True)
class Start:
    """A project goes ahead: by a grant, or carried by a contract."""

    at: int
    granted: bool


@dataclass(frozen=True)
class Settled:
    """What each contract is signed at and how each project goes ahead, if at all."""

    signed: Mapping[str, Signature | None]
    started: Mapping[str, Start | None]

    def ready(self, book: Book, row: Cells) -> int:
        """The first period in which an offer can be ordered from, or a contract deliver, for what its project has to say."""
        if not row.get("project"):
            return 0
        start = self.started[row["project"]]
        return book.last + 1 if start is None else start.at + book.whole(book.projects[row["project"]], "ready_lag_months")

    def first(self, book: Book, contract: Cells, at: int) -> int:
        """The period of the first delivery under a contract signed in period `at`."""
        begin = book.period(contract["deliver_from"]) if contract.get("deliver_from") else 0
        return max(begin, at + book.whole(contract, "lead_time_months"), book.ships_from(contract), self.ready(book, contract))


def settlements(book: Book) -> Iterator[Settled]:
    """Every way to sign and to start: for each contract nothing, or one level of its menu in one period of its window; for each
    project nothing, a grant in one period of its window, or a contract that carries it."""
    contracts, projects = {}, {}
    for contract in book.rows("contracts"):
        levels = [row for row in book.rows("floors") if row["contract"] == contract["contract"]]
        window = book.between(contract, "sign_from", "sign_to")
        signatures = [Signature(level, t) for level, t in product(levels, window)] if book.counts(contract) else []
        contracts[contract["contract"]] = [None, *signatures]
    for name, project in book.projects.items():
        window = book.between(project, "decide_from", "decide_to")
        grants = [Start(t, True) for t in window] if project.get("cost") is not None else []
        carried = [Start(t, False) for t in book.periods]
        projects[name] = [None, *grants, *carried] if book.counts(project) else [None]
    for signed in product(*contracts.values()):
        for started in product(*projects.values()):
            settled = Settled(dict(zip(contracts, signed, strict=True)), dict(zip(projects, started, strict=True)))
            if possible(book, settled) and committed(book, settled):
                yield settled


def possible(book: Book, settled: Settled) -> bool:
    """Whether every project that goes ahead without a grant is carried, and every contract of a project has one that goes ahead
    no later than it is signed and in time for a delivery."""
    for name, start in settled.started.items():
        own = [row for row in book.rows("contracts") if row.get("project") == name]
        signed = [(row, signature) for row in own if (signature := settled.signed[row["contract"]])]
        if start is None:
            if signed:
                return False
            continue
        if any(signature.at < start.at or settled.first(book, row, signature.at) > book.last for row, signature in signed):
            return False
        if not start.granted and not any(carries(book, name, signature) for _, signature in signed if signature.at == start.at):
            return False
    return True


def carries(book: Book, project: str, signature: Signature) -> bool:
    """Whether a contract signed like this makes its project go ahead: its floor returns what the plant costs."""
    row, level = book.projects[project], signature.level
    if row.get("breakeven_floor") is not None:
        breakeven = number(row, "breakeven_floor")
    elif row.get("capex") is None or not number(level, "annual_quantity"):
        return False
    else:
        rate, life = number(row, "rate"), int(number(row, "life_years"))
        annuity = sum((1 / (1 + rate) ** year for year in range(1, life + 1)), ZERO)
        breakeven = number(row, "opex") + number(row, "capex") / (number(level, "annual_quantity") * annuity)
    return book.floor(level, signature.at) >= breakeven


def committed(book: Book, settled: Settled) -> bool:
    """Whether it keeps to the commitments to sign and to start."""
    for row in book.rows("commitments"):
        if row["kind"] == "sign":
            signature = settled.signed[row["name"]]
            done = signature is not None and row.get("level") in (None, signature.level["level"])
            at = signature.at if signature else None
        elif row["kind"] == "project":
            start = settled.started[row["name"]]
            done, at = start is not None, start.at if start else None
        else:
            continue
        times = Fraction(done and (not row.get("date") or book.period(row["date"]) == at))
        if not holds(agreed(row, Linear(constant=times), 1), {}):
            return False
    return True


def agreed(commitment: Cells, amount: Linear, default: int = 0) -> Row:
    compare = {"exactly": equal, "at_least": at_least, "at_most": at_most}[commitment.get("how") or "exactly"]
    return compare(amount, number(commitment, "quantity", default))


def holds(row: Row, point: Mapping[Name, Fraction]) -> bool:
    value = row.expression.at(point)
    return not value or (row.sense == "<=" and value < 0)


# The program that remains -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What arrives, or what is paid, in a period under an offer or a contract: what rules speak of."""

    material: str
    t: int
    amount: Linear
    row: Cells


@dataclass(frozen=True)
class Outlay:
    """What money is paid for; who may pay depends on it. A material of None is several at once; an outlay without a buyer may be
    split among all, one without a fund be paid by any."""

    t: int
    use: str
    material: str | None
    buyer: str | None = None
    fund: str | None = None


@dataclass(frozen=True)
class Segment:
    """An order of a quantity from `begin` to `end` costs `before` plus `price` for each unit."""

    begin: Fraction
    end: Fraction | None
    price: Fraction
    before: Fraction


@dataclass(frozen=True)
class Pool:
    """Stock whose units need not be told apart: one lot, or everything where life is unlimited. `last` is the period at whose
    end it expires; `born` the period it is aged from."""

    name: str
    material: str
    site: str | None
    inflow: Mapping[int, Linear]
    born: int
    last: int | None
    outflow: dict[int, Linear] = field(default_factory=lambda: defaultdict(Linear))

    def present(self, book: Book) -> range:
        """The periods in which it can be used."""
        return range(min(self.inflow), book.last + 1 if self.last is None else min(book.last, self.last) + 1)

    def stock(self, t: int) -> Linear:
        """What is there at the end of t, what expires then included."""
        arrived = total([amount for s, amount in self.inflow.items() if s <= t])
        return arrived - total([amount for s, amount in self.outflow.items() if s <= t])


@dataclass(frozen=True)
class Choice:
    """One of several ways must hold, each a list of rows."""

    ways: Sequence[Sequence[Row]]

    def branches(self, point: Mapping[Name, Fraction]) -> Sequence[Sequence[Row]]:
        """The ways to decide it; none when the point already keeps to one."""
        return [] if any(all(holds(row, point) for row in way) for way in self.ways) else self.ways


@dataclass(frozen=True)
class WholeNumber:
    amount: Linear

    def branches(self, point: Mapping[Name, Fraction]) -> Sequence[Sequence[Row]]:
        value = self.amount.at(point)
        down = floor(value)
        return [] if value == down else [[at_most(self.amount, down)], [at_least(self.amount, down + 1)]]


Decision = Choice | WholeNumber


class Program:
    """The linear program of a workbook once it is settled which contracts are signed and which projects go ahead."""

    def __init__(self, book: Book, settled: Settled) -> None:
        self.book = book
        self.settled = settled
        self.rows: list[Row] = []
        self.decisions: list[Decision] = []
        self.arrivals: list[Entry] = []
        self.payments: list[Entry] = []
        self.entering: dict[tuple[str, str | None, int], Linear] = defaultdict(Linear)  # by material, site, period
        self.done: dict[tuple[str, str, int], Linear] = defaultdict(Linear)  # ordered and rotated, by kind, name, period
        self.outlays: dict[Outlay, Linear] = defaultdict(Linear)
        self.receipts: dict[tuple[int, str | None], Linear] = defaultdict(Linear)  # by period, fund
        self.credit = Linear()  # discounted: closing value less the prices of shortage and shortfall
        self.shortfall = Linear()
        for offer in book.rows("offers"):
            self.order(offer)
        for contract in book.rows("contracts"):
            if signature := settled.signed[contract["contract"]]:
                self.honour(contract, signature)
        for name, start in settled.started.items():
            if start and start.granted:
                self.grant(name, start.at)
        self.pools = self.stock()
        for outlet in book.rows("outlets"):
            self.rotate(outlet)
        for material, buyer in sorted({(row["material"], row.get("buyer")) for row in book.rows("demand")}, key=repr):
            self.demand(material, buyer)
        self.hold()
        for material, buyer in sorted({(row["material"], row.get("buyer")) for row in book.rows("targets")}, key=repr):
            self.target(material, buyer)
        for rule in book.rows("rules"):
            self.rule(rule)
        for commitment in book.rows("commitments"):
            if commitment["kind"] in ("order", "rotate"):
                self.commit(commitment)
        self.pay()

    @property
    def cost(self) -> Linear:
        result = self.credit * -1
        for outlay, amount in self.outlays.items():
            result.add(amount, self.book.discount(outlay.t))
        for (t, _), amount in self.receipts.items():
            result.add(amount, -self.book.discount(t))
        return result

    def spend(self, outlay: Outlay, amount: Linear, price: Fraction = ONE, under: Cells | None = None) -> None:
        """Pay; `under` is the offer or contract that asks for it."""
        self.outlays[outlay].add(amount, price)
        if under is not None and outlay.material is not None:
            self.payments.append(Entry(outlay.material, outlay.t, amount * price, under))

    def split(self, name: Name, amount: Linear, site: str | None) -> dict[str | None, Linear]:
        """An amount over the sites it may go to: one, or any."""
        sites = list(self.book.sites) if site is None else [site]
        if len(sites) == 1:
            return {sites[0]: amount}
        parts = {one: variable((name, one)) for one in sites}
        self.rows.append(equal(total(list(parts.values())), amount))
        return parts

    def by_buyer(self, parts: Mapping[str | None, Linear]) -> dict[str | None, Linear]:
        result: dict[str | None, Linear] = defaultdict(Linear)
        for site, part in parts.items():
            result[self.book.buyer(site)].add(part)
        return result

    def enter(self, material: str, site: str | None, t: int, amount: Linear) -> None:
        self.entering[material, site, t].add(amount)
        self.spend(Outlay(t, "storage", material, self.book.buyer(site)), amount, number(self.book.sites[site], "handling_in"))

    # Buying

    def order(self, offer: Cells) -> None:
        book, name, material = self.book, offer["offer"], offer["material"]
        lead, arrives = book.whole(offer, "lead_time_months"), number(offer, "availability", 1)
        least, fee = number(offer, "minimum_order"), number(offer, "order_cost")
        possible_from = max(book.ships_from(offer), self.settled.ready(book, offer))
        ordered = []
        for t in book.between(offer):
            if not book.counts(offer) or t < possible_from or t + lead > book.last:
                continue
            buy = variable(("buy", name, t))
            if offer.get("lot_size"):
                lots = variable(("lots", name, t))
                buy = lots * number(offer, "lot_size")
                self.decisions.append(WholeNumber(lots))
            ordered.append(buy)
            self.done["order", name, t].add(buy)
            if offer.get("capacity") is not None:
                self.rows.append(at_most(buy, number(offer, "capacity")))
            parts = self.split(("part", name, t), buy, offer.get("site"))
            self.arrivals.append(Entry(material, t + lead, buy * arrives, offer))
            for site, part in parts.items():
                self.enter(material, site, t + lead, part * arrives)
            paid, share = (t, ONE) if offer.get("payment") == "order" else (t + lead, arrives)
            segments = self.segments(offer, paid)
            unbroken, owned = segments[0].price, self.by_buyer(parts)
            bills = {buyer: part * (unbroken * share) for buyer, part in owned.items()}
            placed, metal = variable(("placed", name, t)), variable(("metal", name, t))
            if fee:
                self.spend(Outlay(t, "purchase", material), placed, fee, offer)
            if len(segments) > 1:
                self.rows.append(at_least(metal, buy * min(segment.price for segment in segments)))
                bills = self.shared(("bill", name, t), metal * share, bills)
            if fee or least or len(segments) > 1:
                ways = [[equal(buy, 0), *([equal(placed, 0)] if fee else []), *([equal(metal, 0)] if len(segments) > 1 else [])]]
                for segment in segments:
                    begin, end = max(segment.begin, least), segment.end
                    if end is not None and begin >= end:
                        continue  # at its end the next one holds: an order may come as near as it likes, where there are no lots
                    way = [at_least(buy, begin), *([equal(placed, 1)] if fee else [])]
                    if end is not None:
                        lot = number(offer, "lot_size")
                        way.append(at_most(buy, (ceil(end / lot) - 1) * lot if lot else end))
                    if len(segments) > 1:
                        way.append(equal(metal, buy * segment.price + segment.before))
                    ways.append(way)
                self.decisions.append(Choice(ways))
            for buyer, part in owned.items():
                outlay = Outlay(paid, "purchase", material, buyer)
                self.spend(outlay, bills[buyer], 1 + number(offer, "duty"), offer)
                self.spend(outlay, part * share, number(offer, "adder") + number(offer, "freight"), offer)
        if offer.get("total") is not None:
            self.rows.append(at_most(total(ordered), number(offer, "total")))

    def segments(self, offer: Cells, t: int) -> list[Segment]:
        """What an order costs that is paid in period t, by its quantity."""

        def price(row: Cells) -> Fraction:
            if row.get("price") is None and offer.get("price_index"):
                return self.book.index(offer["price_index"], t) * (1 + number(row, "premium"))
            return number(row, "price")

        breaks = sorted(
            (row for row in self.book.rows("price_breaks") if row["offer"] == offer["offer"]), key=lambda row: number(row, "from_quantity")
        )
        begins, prices = [ZERO, *(number(row, "from_quantity") for row in breaks)], [price(row) for row in [offer, *breaks]]
        incremental = any(row.get("kind") == "incremental" for row in breaks)
        segments, before = [], ZERO
        for i, begin in enumerate(begins):
            if incremental and i:
                before += (prices[i - 1] - prices[i]) * begin
            segments.append(Segment(begin, begins[i + 1] if i + 1 < len(begins) else None, prices[i], before))
        return segments

    def shared(self, name: Name, bill: Linear, most: Mapping[str | None, Linear]) -> dict[str | None, Linear]:
        """A bill that several buyers split as they like, each up to its most."""
        if len(most) == 1:
            return dict.fromkeys(most, bill)
        parts = {buyer: variable((name, buyer)) for buyer in most}
        self.rows.append(equal(total(list(parts.values())), bill))
        self.rows += [at_most(parts[buyer], limit) for buyer, limit in most.items()]
        return parts

    def honour(self, contract: Cells, signature: Signature) -> None:
        """Sign a contract and keep to it: deliveries, deficits, top-ups and the upside."""
        book, material, level = self.book, contract["material"], signature.level
        self.spend(Outlay(signature.at, "contract", material), Linear(constant=number(contract, "signing_cost")), under=contract)
        first, end = self.settled.first(book, contract, signature.at), book.last + 1
        if contract.get("term_months"):
            end = min(first + book.whole(contract, "term_months"), end)
        a_year = 12 // book.months
        even = number(level, "annual_quantity") * book.months / 12
        for begin in range(first, end, a_year):
            year = range(begin, min(begin + a_year, end))
            grown = (1 + number(level, "escalation")) ** ((begin - first) // a_year)
            floors = {t: book.floor(level, t) * grown for t in year}
            if contract.get("form") == "cfd":
                delivered = dict.fromkeys(year, Linear(constant=even))
                for t in year:
                    self.spend(Outlay(t, "contract", material), delivered[t], max(ZERO, floors[t] - self.reference(contract, t)), contract)
            else:
                delivered = self.deliver(contract, year, even, floors)
            if number(contract, "upside_share"):
                self.upside(contract, delivered)

    def deliver(self, contract: Cells, year: range, even: Fraction, floors: Mapping[int, Fraction]) -> dict[int, Linear]:
        """The deliveries of a contract year, and what it falls short of take-or-pay."""
        name, material = contract["contract"], contract["material"]
        takes, delivered, price = [], {}, ZERO
        for t in year:
            price = floors[t]
            if contract.get("price_index"):
                reference = self.reference(contract, t)
                if contract.get("ceiling") is not None:
                    reference = min(reference, number(contract, "ceiling"))
                price = max(price, reference)
            take = variable(("take", name, t))
            self.rows.append(at_most(take, even * number(contract, "flex", 1)))
            takes.append(take)
            delivered[t] = take * number(contract, "availability", 1)
            self.arrivals.append(Entry(material, t, delivered[t], contract))
            parts = self.split(("enter", name, t), delivered[t], None)
            for site, part in parts.items():
                self.enter(material, site, t, part)
            for buyer, part in self.by_buyer(parts).items():
                self.spend(Outlay(t, "contract", material, buyer), part, landed(contract, price), contract)
        taken, due = total(takes), even * len(year) * number(contract, "take_or_pay", 1)
        deficit = variable(("deficit", name, year[0]))
        self.rows.append(at_least(taken + deficit, due))
        self.decisions.append(Choice([[equal(deficit, 0), at_least(taken, due)], [equal(taken + deficit, due)]]))
        self.spend(Outlay(year[-1], "contract", material), deficit, price, contract)
        return delivered

    def reference(self, contract: Cells, t: int) -> Fraction:
        return self.book.index(contract["price_index"], t) * (1 - number(contract, "discount"))

    def upside(self, contract: Cells, delivered: Mapping[int, Linear]) -> None:
        """The buyer's share of what the reference is above the trigger, over the deliveries of a contract year."""
        received = []
        for t, amount in delivered.items():
            share = number(contract, "upside_share") * max(ZERO, self.reference(contract, t) - number(contract, "upside_trigger"))
            if not share:
                continue
            received.append(variable(("upside", contract["contract"], t)))
            self.rows.append(at_most(received[-1], amount * share))
            self.receipts[t, None].add(received[-1])
        if contract.get("upside_cap") is not None:
            cap = number(contract, "upside_cap") * len(delivered) * self.book.months / 12
            self.rows.append(at_most(total(received), cap))

    def grant(self, name: str, t: int) -> None:
        project = self.book.projects[name]
        materials = {row["material"] for table in ("offers", "contracts") for row in self.book.rows(table) if row.get("project") == name}
        outlay = Outlay(t, "project", materials.pop() if len(materials) == 1 else None, fund=project.get("fund"))
        self.spend(outlay, Linear(constant=number(project, "cost")), number(project, "match", 1))

    # Stock

    def stock(self) -> list[Pool]:
        """The pools of every material and site in which something is there, arrives or may come back."""
        book = self.book
        pools = []
        for lot in book.rows("opening_stock"):
            material, site = lot["material"], lot.get("site") or next(iter(book.sites))
            quantity = Linear(constant=number(lot, "quantity"))
            if not book.materials[material].get("shelf_life_months"):
                self.entering[material, site, 0].add(quantity)
                continue
            born = book.period(lot["made"])
            last = born + book.whole(book.materials[material], "shelf_life_months") - 1
            if last < 0:
                self.discard(0, material, site, quantity)
            else:
                pools.append(Pool(f"lot {lot['lot']}", material, site, {0: quantity}, born, last))
        for outlet in book.rows("outlets"):
            for t, site in product(self.open(outlet), book.sites):
                if outlet["form"] in ("exchange", "rework"):
                    self.entering[returned(outlet), site, t + book.whole(outlet, "lead_time_months")].add(0)
        for material, row in book.materials.items():
            for site in book.sites:
                inflow = {t: self.entering[material, site, t] for t in book.periods if (material, site, t) in self.entering}
                if row.get("shelf_life_months"):
                    life = book.whole(row, "shelf_life_months")
                    pools += [Pool(f"{material} {site} {t}", material, site, {t: amount}, t, t + life - 1) for t, amount in inflow.items()]
                elif inflow:
                    pools.append(Pool(f"{material} {site}", material, site, inflow, 0, None))
        return pools

    def open(self, outlet: Cells) -> range:
        """The periods in which stock can leave by an outlet: what comes back must do so within the horizon."""
        window = self.book.between(outlet)
        if outlet["form"] not in ("exchange", "rework"):
            return window
        return range(window.start, min(window.stop, len(self.book.periods) - self.book.whole(outlet, "lead_time_months")))

    def leave(self, pool: Pool, t: int, way: str) -> Linear:
        amount = variable((way, pool.name, t))
        pool.outflow[t].add(amount)
        outlay = Outlay(t, "storage", pool.material, self.book.buyer(pool.site))
        self.spend(outlay, amount, number(self.book.sites[pool.site], "handling_out"))
        return amount

    def discard(self, t: int, material: str, site: str | None, amount: Linear) -> None:
        outlay = Outlay(t, "rotation", material, self.book.buyer(site))
        self.spend(outlay, amount, number(self.book.materials[material], "disposal_cost"))

    def rotate(self, outlet: Cells) -> None:
        book, material = self.book, outlet["material"]
        for t in self.open(outlet):
            leaving = self.done["rotate", outlet["outlet"], t]
            for pool in self.pools:
                if pool.material != material or t not in pool.present(book):
                    continue
                if pool.last is not None and (pool.last + 1 - t) * book.months < number(outlet, "minimum_life_months"):
                    continue
                amount = self.leave(pool, t, outlet["outlet"])
                leaving.add(amount)
                self.spend(Outlay(t, "rotation", material, book.buyer(pool.site)), amount, number(outlet, "cost"))
                if outlet["form"] == "dispose":
                    self.discard(t, material, pool.site, amount)
                    continue
                if outlet["form"] in ("exchange", "rework"):
                    back = t + book.whole(outlet, "lead_time_months")
                    self.enter(returned(outlet), pool.site, back, amount * number(outlet, "yield", 1))
                    continue
                price = number(outlet, "price")
                if outlet.get("price_index"):
                    price = book.index(outlet["price_index"], t) * number(outlet, "price_factor", 1)
                lost = number(outlet, "age_discount") * (t - pool.born) * book.months if pool.last is not None else ZERO
                self.receipts[t, outlet.get("fund")].add(amount, price * (1 - lost))
            if outlet.get("capacity") is not None:
                self.rows.append(at_most(leaving, number(outlet, "capacity")))

    def hold(self) -> None:
        """Keep stock from going below 0 and sites from overflowing; charge what is held and what expires; value what is left."""
        book = self.book
        held: dict[tuple[int, str | None], Linear] = defaultdict(Linear)
        for pool in self.pools:
            material = book.materials[pool.material]
            present = pool.present(book)
            for t in present if pool.last is None else present[-1:]:
                self.rows.append(at_least(pool.stock(t), 0))
            for t in present:
                if t == pool.last:
                    self.discard(t, pool.material, pool.site, pool.stock(t))
                    continue
                held[t, pool.site].add(pool.stock(t))
                rate = number(book.sites[pool.site], "cost") + number(material, "holding_cost")
                self.spend(Outlay(t, "storage", pool.material, book.buyer(pool.site)), pool.stock(t), rate * book.months)
            if number(material, "closing_value") and book.last in present and book.last != pool.last:
                value = number(material, "closing_value") * book.index(material["price_index"], book.last) * book.discount(book.last + 1)
                if pool.last is not None:
                    value *= Fraction(pool.last - book.last, book.whole(material, "shelf_life_months"))
                self.credit.add(pool.stock(book.last), value)
        for (_, site), amount in held.items():
            if book.sites[site].get("capacity") is not None:
                self.rows.append(at_most(amount, number(book.sites[site], "capacity")))

    # What is wanted

    def serving(self, material: str, buyer: str | None, t: int) -> list[Pool]:
        """The pools that serve a buyer in a period: those at its sites and at sites without a buyer; all when none is named."""
        serves = (None, buyer)
        return [
            pool
            for pool in self.pools
            if pool.material == material and t in pool.present(self.book) and (buyer is None or self.book.buyer(pool.site) in serves)
        ]

    def demand(self, material: str, buyer: str | None) -> None:
        book = self.book
        wanted: dict[int, Fraction] = defaultdict(Fraction)
        for row in book.rows("demand"):
            if (row["material"], row.get("buyer")) == (material, buyer):
                for t in book.between({"from": row["from"], "to": row.get("to") or row["from"]}):
                    wanted[t] += number(row, "quantity")
        hard = book.materials[material].get("shortage_cost") is None
        price = number(book.materials[material], "shortage_cost")
        for t, quantity in wanted.items():
            used = total([self.leave(pool, t, f"use {buyer}") for pool in self.serving(material, buyer, t)])
            if hard:
                self.rows.append(equal(used, quantity))
                continue
            unmet = (used - quantity) * -1
            self.rows.append(at_least(unmet, 0))
            self.shortfall.add(unmet)
            self.credit.add(unmet, -price * book.discount(t))

    def target(self, material: str, buyer: str | None) -> None:
        book = self.book
        rows = [row for row in book.rows("targets") if (row["material"], row.get("buyer")) == (material, buyer)]
        rows.sort(key=lambda row: day(row["from"]))
        wanted: dict[int, tuple[Fraction, bool]] = {}
        begin, level = 0, ZERO
        for i, row in enumerate(rows):
            at, quantity, hard = book.period(row["from"]), number(row, "quantity"), row.get("hard") == "yes"
            if row.get("path") == "ramp":
                inside = range(begin + 1 if i else 0, at)
                wanted |= {t: (level + (quantity - level) * Fraction(t - begin, at - begin), hard) for t in inside}
            wanted |= dict.fromkeys(range(at, book.last + 1), (quantity, hard))
            begin, level = at, quantity
        life = number(book.materials[material], "count_life_months")
        price = number(book.materials[material], "below_target_cost")
        for t, (quantity, hard) in wanted.items():
            if t not in book.periods or not quantity:
                continue
            counted = total(
                [
                    pool.stock(t)
                    for pool in self.serving(material, buyer, t)
                    if pool.last is None or (pool.last - t > 0 and (pool.last - t) * book.months >= life)
                ]
            )
            if hard:
                self.rows.append(at_least(counted, quantity))
                continue
            below = variable(("below", material, buyer, t))
            self.rows.append(at_least(counted + below, quantity))
            self.shortfall.add(below)
            self.credit.add(below, -price * book.discount(t))

    def rule(self, rule: Cells) -> None:
        book, of, measure = self.book, rule["of"], rule["measure"]
        window: Callable[[int], int] = {"horizon": lambda t: 0, "fiscal_year": book.fiscal_year, "period": lambda t: t}[rule["window"]]
        entries = [e for e in (self.payments if measure == "spend" else self.arrivals) if rule.get("material") in (None, e.material)]
        for w in {window(t) for t in book.periods}:
            inside = [entry for entry in entries if window(entry.t) == w]
            if measure == "count":
                self.limit(rule, self.count(rule, w, inside), Linear(constant=1))
                continue
            everything = total([entry.amount for entry in inside])
            for value in [rule["value"]] if rule.get("value") else self.members(of):
                self.limit(rule, self.group(of, value, inside), everything if measure == "share" else Linear(constant=1))

    def limit(self, rule: Cells, amount: Linear, unit: Linear) -> None:
        if rule.get("most") is not None:
            self.rows.append(at_most(amount, unit * number(rule, "most")))
        if rule.get("least") is not None:
            self.rows.append(at_least(amount, unit * number(rule, "least")))

    def group(self, of: str, value: str | None, entries: Sequence[Entry]) -> Linear:
        return total([entry.amount * self.weight(of, value, entry) for entry in entries])

    def count(self, rule: Cells, w: int, entries: Sequence[Entry]) -> Linear:
        """How many members of a rule have an arrival among the entries."""
        of, value = rule["of"], rule.get("value")
        members: Sequence[str | None]
        if of == "foreign_feedstock":
            of, members = "supplier", [name for name, row in self.book.suppliers.items() if number(row, "foreign_feedstock")]
        elif value and of in ("country", "bloc", "stage"):
            of, members = "supplier", [name for name, row in self.book.suppliers.items() if row.get(of) == value]
        else:
            members = [value] if value else self.members(of)
        counted = []
        for member in members:
            arrives, counts = self.group(of, member, entries), variable(("counts", rule["rule"], w, member))
            self.rows += [at_most(counts, 1), at_least(arrives, counts * COUNTS)]
            self.decisions.append(Choice([[equal(arrives, 0), equal(counts, 0)], [at_least(arrives, COUNTS), equal(counts, 1)]]))
            counted.append(counts)
        return total(counted)

    def members(self, of: str) -> Sequence[str | None]:
        """The values that a rule without a value takes in turn: those that the workbook names."""
        if of == "foreign_feedstock":
            return [None]
        if of in ("offer", "contract"):
            return [row[of] for row in self.book.rows(of + "s")]
        return sorted({row[of] for row in self.book.suppliers.values() if row.get(of)})

    def weight(self, of: str, value: str | None, entry: Entry) -> Fraction:
        """The share of an arrival or payment that counts towards a rule."""
        if of in ("offer", "contract", "supplier"):
            return Fraction(entry.row.get(of) == value)
        supplier = self.book.suppliers.get(entry.row.get("supplier"), {})
        return number(supplier, of) if of == "foreign_feedstock" else Fraction(supplier.get(of) == value)

    def commit(self, commitment: Cells) -> None:
        """Order or rotate what is committed, in its period or over the horizon."""
        book = self.book
        times = [book.period(commitment["date"])] if commitment.get("date") else book.periods
        self.rows.append(agreed(commitment, total([self.done[commitment["kind"], commitment["name"], t] for t in times])))

    # Money

    def pay(self) -> None:
        """Every outlay is paid by appropriations and kept receipts that may. Outlays that the same ones may pay are paid together."""
        book, funds = self.book, {row["fund"]: row for row in self.book.rows("funds")}
        if not funds:
            return
        purses = [(f"budget {i}", row["fund"], book.between(row, "from", "expires")) for i, row in enumerate(book.rows("budgets"))]
        purses += [(f"receipts {name}", name, book.between({})) for name, row in funds.items() if row.get("keeps_receipts") == "yes"]
        together: dict[tuple[int, tuple[str, ...]], Linear] = defaultdict(Linear)
        for outlay, amount in self.outlays.items():
            payers = tuple(purse for purse, fund, window in purses if outlay.t in window and may_pay(funds[fund], outlay))
            together[outlay.t, payers].add(amount)
        paid: dict[tuple[str, int], Linear] = defaultdict(Linear)
        for (t, payers), amount in together.items():
            pays = [variable(("pay", t, purse, payers)) for purse in payers]
            self.rows.append(equal(total(pays), amount))
            for purse, pay in zip(payers, pays, strict=True):
                paid[purse, t].add(pay)
        for i, row in enumerate(book.rows("budgets")):
            self.rows.append(at_most(total([paid[f"budget {i}", t] for t in book.periods]), number(row, "amount")))
        for name, row in funds.items():
            if row.get("keeps_receipts") == "yes":
                for t in book.periods:
                    received = total([self.receipts[s, name] for s in range(t + 1)])
                    self.rows.append(at_most(total([paid[f"receipts {name}", s] for s in range(t + 1)]), received))


def landed(row: Cells, price: Fraction) -> Fraction:
    """What a unit costs: its price with duty on it, adder and freight."""
    return price * (1 + number(row, "duty")) + number(row, "adder") + number(row, "freight")


def returned(outlet: Cells) -> str:
    """The material that comes back from an exchange or rework."""
    return outlet.get("to_material") or outlet["material"]


def may_pay(fund: Cells, outlay: Outlay) -> bool:
    uses, materials = listed(fund.get("uses")), listed(fund.get("materials"))
    return (
        (not uses or outlay.use in uses)
        and (not materials or outlay.material in materials)
        and (None in (fund.get("buyer"), outlay.buyer) or fund["buyer"] == outlay.buyer)
        and outlay.fund in (None, fund["fund"])
    )


# Searching --------------------------------------------------------------------------------------------------------------------


def search(programs: Sequence[Program], objective: Callable[[Program], Linear]) -> Optimum:
    """The least objective over all programs and all their decisions: branch where the linear program leaves one open, and leave a
    branch when even with the rest open it is no better than the best known."""
    best: Optimum = Optimum("infeasible")
    for program in programs:
        waiting: list[tuple[list[Row], list[Decision]]] = [(program.rows, program.decisions)]
        aim, shortfall = objective(program), program.shortfall
        while waiting:
            rows, decisions = waiting.pop()
            answer: Answer = minimise(aim, rows)
            if answer.status == "unbounded":
                return Optimum("unbounded")
            if answer.point is None or (best.status == "optimal" and answer.objective >= best.objective):
                continue
            for decision in decisions:
                if branches := decision.branches(answer.point):
                    # A whole number may be split again; a choice is made once and for all.
                    left = decisions if isinstance(decision, WholeNumber) else [other for other in decisions if other is not decision]
                    waiting += [([*rows, *branch], left) for branch in branches]
                    break
            else:
                best = Optimum("optimal", answer.objective, shortfall.at(answer.point), answer.point)
    return best
