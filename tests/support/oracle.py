"""The optimum of a small workbook by brute force: a second reading of the contract that shares no code with the planner.

`optimum(tables)` takes a workbook as plain tables, `{"settings": {name: value}, "offers": [{column: value}, ...], ...}`, tries
every way to sign the contracts, branches on the orders that have a minimum, a cost or a lot, and solves what remains as a
linear program in fractions (`exact_lp`). It knows no Pyomo, no HiGHS and no floating point; only discount factors are rounded, to
12 decimals. Stock is followed by lot, not by age. Prices are per unit, money in the workbook's currency, time in periods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any, Literal

from tests.support.exact_lp import Answer, Linear, Name, Row, at_least, at_most, equal, minimise, total, variable

Tables = Mapping[str, Any]
Cells = Mapping[str, Any]
ZERO, ONE = Fraction(0), Fraction(1)


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
    programs = [Program(book, signed) for signed in signatures(book)]
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
        """Whether the plan may use this offer or contract: its supplier is at one of the `supply_stages`."""
        stages = listed(self.settings.get("supply_stages"))
        return not stages or self.suppliers.get(row.get("supplier"), {}).get("stage") in stages

    def ships_from(self, row: Cells) -> int:
        begin = self.suppliers.get(row.get("supplier"), {}).get("start")
        return self.period(begin) if begin else 0


# Signing contracts ----------------------------------------------------------------------------------------------------------

Signed = Mapping[str, tuple[Cells, int] | None]


def signatures(book: Book) -> Iterator[Signed]:
    """Every way to sign: for each contract nothing, or one level of its menu in one period of its window."""
    names, choices = [], []
    for contract in book.rows("contracts"):
        levels = [row for row in book.rows("floors") if row["contract"] == contract["contract"]]
        window = book.between(contract, "sign_from", "sign_to")
        names.append(contract["contract"])
        choices.append([None, *product(levels, window)] if book.counts(contract) else [None])
    for choice in product(*choices):
        yield dict(zip(names, choice, strict=True))


# The program that remains -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrival:
    """What comes in from an offer or a contract; a site of None is any site."""

    material: str
    t: int
    amount: Linear
    row: Cells
    site: str | None


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
class Decision:
    """An order that is placed or not (`cost` when it is, at least `least`), or a number of lots that is whole (`least` None)."""

    amount: Linear
    least: Fraction | None = None
    cost: Linear = field(default_factory=Linear)

    def branches(self, point: Mapping[Name, Fraction]) -> list[tuple[Row, Linear | None]]:
        """The ways to decide it, none when the point already is one of them; each a row and what it adds to the outlays."""
        value = self.amount.at(point)
        if self.least is None:
            down = floor(value)
            return [] if value == down else [(at_most(self.amount, down), None), (at_least(self.amount, down + 1), None)]
        if not value:
            return []
        return [(at_most(self.amount, 0), None), (at_least(self.amount, self.least), self.cost)]


class Program:
    """The linear program of a workbook once it is settled which contracts are signed."""

    def __init__(self, book: Book, signed: Signed) -> None:
        self.book = book
        self.rows: list[Row] = []
        self.decisions: list[Decision] = []
        self.arrivals: list[Arrival] = []
        self.outlays: dict[tuple[int, str, str], Linear] = defaultdict(Linear)  # by period, use, material
        self.receipts: dict[tuple[int, str | None], Linear] = defaultdict(Linear)  # by period, fund
        self.credit = Linear()  # discounted: closing value less the prices of shortage and shortfall
        self.shortfall = Linear()
        for offer in book.rows("offers"):
            self.order(offer)
        for contract in book.rows("contracts"):
            self.deliver(contract, signed[contract["contract"]])
        self.pools = self.stock()
        for outlet in book.rows("outlets"):
            self.rotate(outlet)
        for material in book.materials:
            self.demand(material)
        self.hold()
        for material in book.materials:
            self.target(material)
        for rule in book.rows("rules"):
            self.rule(rule)
        self.pay()

    @property
    def cost(self) -> Linear:
        result = self.credit * -1
        for (t, _, _), amount in self.outlays.items():
            result.add(amount, self.book.discount(t))
        for (t, _), amount in self.receipts.items():
            result.add(amount, -self.book.discount(t))
        return result

    def spend(self, t: int, use: str, material: str, amount: Linear, price: Fraction = ONE) -> None:
        self.outlays[t, use, material].add(amount, price)

    # Buying

    def order(self, offer: Cells) -> None:
        book, name, material = self.book, offer["offer"], offer["material"]
        lead, arrives = book.whole(offer, "lead_time_months"), number(offer, "availability", 1)
        ordered = []
        for t in book.between(offer):
            if not book.counts(offer) or t < book.ships_from(offer) or t + lead > book.last:
                continue
            buy = variable(("buy", name, t))
            if offer.get("lot_size"):
                lots = variable(("lots", name, t))
                buy = lots * number(offer, "lot_size")
                self.decisions.append(Decision(lots))
            ordered.append(buy)
            if offer.get("capacity") is not None:
                self.rows.append(at_most(buy, number(offer, "capacity")))
            if number(offer, "minimum_order") or number(offer, "order_cost"):
                fee = Linear({("fee", name, t): number(offer, "order_cost")})
                self.spend(t, "purchase", material, fee)
                self.decisions.append(Decision(buy, number(offer, "minimum_order"), variable(("fee", name, t))))
            arrival = buy * arrives
            self.arrivals.append(Arrival(material, t + lead, arrival, offer, offer.get("site")))
            paid, quantity = (t, buy) if offer.get("payment") == "order" else (t + lead, arrival)
            price = number(offer, "price")
            if offer.get("price_index"):
                price = book.index(offer["price_index"], paid) * (1 + number(offer, "premium"))
            self.spend(paid, "purchase", material, quantity, landed(offer, price))
        if offer.get("total") is not None:
            self.rows.append(at_most(total(ordered), number(offer, "total")))

    def deliver(self, contract: Cells, signed: tuple[Cells, int] | None) -> None:
        if signed is None:
            return
        book, name, material = self.book, contract["contract"], contract["material"]
        level, at = signed
        self.spend(at, "contract", material, Linear(constant=number(contract, "signing_cost")))
        first = max(at + book.whole(contract, "lead_time_months"), book.ships_from(contract))
        if contract.get("deliver_from"):
            first = max(first, book.period(contract["deliver_from"]))
        end = book.last + 1
        if contract.get("term_months"):
            end = min(first + book.whole(contract, "term_months"), end)
        a_year = 12 // book.months
        for begin in range(first, end, a_year):
            year = range(begin, min(begin + a_year, end))
            even = number(level, "annual_quantity") * book.months / 12
            takes = []
            for t in year:
                price = self.contract_price(contract, level, t, (begin - first) // a_year)
                take = variable(("take", name, t))
                self.rows.append(at_most(take, even * number(contract, "flex", 1)))
                takes.append(take)
                arrival = take * number(contract, "availability", 1)
                self.arrivals.append(Arrival(material, t, arrival, contract, None))
                self.spend(t, "contract", material, arrival, landed(contract, price))
            deficit = variable(("deficit", name, begin))
            self.rows.append(at_least(total([*takes, deficit]), even * len(year) * number(contract, "take_or_pay", 1)))
            self.spend(year[-1], "contract", material, deficit, self.contract_price(contract, level, year[-1], (begin - first) // a_year))

    def contract_price(self, contract: Cells, level: Cells, t: int, years: int) -> Fraction:
        bottom = number(level, "floor")
        if level.get("floor_index"):
            bottom = self.book.index(level["floor_index"], t) * number(level, "floor_factor", 1)
        bottom *= (1 + number(level, "escalation")) ** years
        if not contract.get("price_index"):
            return bottom
        reference = self.book.index(contract["price_index"], t) * (1 - number(contract, "discount"))
        if contract.get("ceiling") is not None:
            reference = min(reference, number(contract, "ceiling"))
        return max(bottom, reference)

    # Stock

    def stock(self) -> list[Pool]:
        """The pools of every material and site; arrivals for any site are split over them."""
        book = self.book
        entering: dict[tuple[str, str | None, int], Linear] = defaultdict(Linear)
        free: dict[tuple[str, int], Linear] = defaultdict(Linear)
        for arrival in self.arrivals:
            only = next(iter(book.sites)) if len(book.sites) == 1 else arrival.site
            if only is None and len(book.sites) > 1:
                free[arrival.material, arrival.t].add(arrival.amount)
            else:
                entering[arrival.material, only, arrival.t].add(arrival.amount)
        for (material, t), amount in free.items():
            parts = [variable(("enter", material, site, t)) for site in book.sites]
            self.rows.append(equal(total(parts), amount))
            for site, part in zip(book.sites, parts, strict=True):
                entering[material, site, t].add(part)
        for (material, site, t), amount in entering.items():
            self.spend(t, "storage", material, amount, number(book.sites[site], "handling_in"))
        pools = []
        opening: dict[tuple[str, str | None], Linear] = defaultdict(Linear)
        for lot in book.rows("opening_stock"):
            material, site = lot["material"], lot.get("site") or next(iter(book.sites))
            quantity = Linear(constant=number(lot, "quantity"))
            if not book.materials[material].get("shelf_life_months"):
                opening[material, site].add(quantity)
                continue
            born = book.period(lot["made"])
            last = born + book.whole(book.materials[material], "shelf_life_months") - 1
            if last < 0:
                self.discard(0, material, quantity)
            else:
                pools.append(Pool(f"lot {lot['lot']}", material, site, {0: quantity}, born, last))
        for material, row in book.materials.items():
            for site in book.sites:
                inflow = {t: entering[material, site, t] for t in book.periods if (material, site, t) in entering}
                if row.get("shelf_life_months"):
                    life = book.whole(row, "shelf_life_months")
                    pools += [Pool(f"{material} {site} {t}", material, site, {t: amount}, t, t + life - 1) for t, amount in inflow.items()]
                elif inflow or (material, site) in opening:
                    inflow[0] = inflow.get(0, Linear()) + opening[material, site]
                    pools.append(Pool(f"{material} {site}", material, site, inflow, 0, None))
        return pools

    def leave(self, pool: Pool, t: int, way: str) -> Linear:
        amount = variable((way, pool.name, t))
        pool.outflow[t].add(amount)
        self.spend(t, "storage", pool.material, amount, number(self.book.sites[pool.site], "handling_out"))
        return amount

    def discard(self, t: int, material: str, amount: Linear) -> None:
        self.spend(t, "rotation", material, amount, number(self.book.materials[material], "disposal_cost"))

    def rotate(self, outlet: Cells) -> None:
        book, material = self.book, outlet["material"]
        for t in book.between(outlet):
            leaving = Linear()
            for pool in self.pools:
                if pool.material != material or t not in pool.present(book):
                    continue
                if pool.last is not None and (pool.last + 1 - t) * book.months < number(outlet, "minimum_life_months"):
                    continue
                amount = self.leave(pool, t, outlet["outlet"])
                leaving.add(amount)
                self.spend(t, "rotation", material, amount, number(outlet, "cost"))
                if outlet["form"] == "dispose":
                    self.discard(t, material, amount)
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
                    self.discard(t, pool.material, pool.stock(t))
                    continue
                held[t, pool.site].add(pool.stock(t))
                rate = number(book.sites[pool.site], "cost") + number(material, "holding_cost")
                self.spend(t, "storage", pool.material, pool.stock(t), rate * book.months)
            if number(material, "closing_value") and book.last in present and book.last != pool.last:
                value = number(material, "closing_value") * book.index(material["price_index"], book.last) * book.discount(book.last + 1)
                if pool.last is not None:
                    value *= Fraction(pool.last - book.last, book.whole(material, "shelf_life_months"))
                self.credit.add(pool.stock(book.last), value)
        for (_, site), amount in held.items():
            if book.sites[site].get("capacity") is not None:
                self.rows.append(at_most(amount, number(book.sites[site], "capacity")))

    # What is wanted

    def demand(self, material: str) -> None:
        book = self.book
        wanted: dict[int, Fraction] = defaultdict(Fraction)
        for row in book.rows("demand"):
            if row["material"] == material:
                for t in book.between({"from": row["from"], "to": row.get("to") or row["from"]}):
                    wanted[t] += number(row, "quantity")
        hard = book.materials[material].get("shortage_cost") is None
        price = number(book.materials[material], "shortage_cost")
        for t, quantity in wanted.items():
            used = total([self.leave(pool, t, "use") for pool in self.pools if pool.material == material and t in pool.present(book)])
            if hard:
                self.rows.append(equal(used, quantity))
                continue
            unmet = (used - quantity) * -1
            self.rows.append(at_least(unmet, 0))
            self.shortfall.add(unmet)
            self.credit.add(unmet, -price * book.discount(t))

    def target(self, material: str) -> None:
        book = self.book
        rows = sorted((row for row in book.rows("targets") if row["material"] == material), key=lambda row: day(row["from"]))
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
                    for pool in self.pools
                    if pool.material == material
                    and t in pool.present(book)
                    and (pool.last is None or (pool.last - t > 0 and (pool.last - t) * book.months >= life))
                ]
            )
            if hard:
                self.rows.append(at_least(counted, quantity))
                continue
            below = variable(("below", material, t))
            self.rows.append(at_least(counted + below, quantity))
            self.shortfall.add(below)
            self.credit.add(below, -price * book.discount(t))

    def rule(self, rule: Cells) -> None:
        book, of = self.book, rule["of"]
        window: Callable[[int], int] = {"horizon": lambda t: 0, "fiscal_year": book.fiscal_year, "period": lambda t: t}[rule["window"]]
        arrivals = [a for a in self.arrivals if rule.get("material") in (None, a.material)]
        values: Sequence[str | None] = [rule["value"]] if rule.get("value") else self.members(of)
        for value in values:
            weight = [self.weight(of, value, arrival) for arrival in arrivals]
            for w in {window(t) for t in book.periods}:
                group, everything = Linear(), Linear()
                for arrival, share in zip(arrivals, weight, strict=True):
                    if window(arrival.t) == w:
                        group.add(arrival.amount, share)
                        everything.add(arrival.amount)
                limit = everything if rule["measure"] == "share" else Linear(constant=1)
                if rule.get("most") is not None:
                    self.rows.append(at_most(group, limit * number(rule, "most")))
                if rule.get("least") is not None:
                    self.rows.append(at_least(group, limit * number(rule, "least")))

    def members(self, of: str) -> Sequence[str | None]:
        """The values that a rule without a value takes in turn: those that the workbook names."""
        if of == "foreign_feedstock":
            return [None]
        if of in ("offer", "contract"):
            return [row[of] for row in self.book.rows(of + "s")]
        return sorted({row[of] for row in self.book.suppliers.values() if row.get(of)})

    def weight(self, of: str, value: str | None, arrival: Arrival) -> Fraction:
        """The share of an arrival that counts towards a rule."""
        if of in ("offer", "contract"):
            return Fraction(arrival.row.get(of) == value)
        supplier = self.book.suppliers.get(arrival.row.get("supplier"), {})
        return number(supplier, of) if of == "foreign_feedstock" else Fraction(supplier.get(of) == value)

    # Money

    def pay(self) -> None:
        """Every outlay is paid by appropriations and kept receipts that may. Outlays that the same ones may pay are paid together."""
        book, funds = self.book, {row["fund"]: row for row in self.book.rows("funds")}
        if not funds:
            return
        purses = [(f"budget {i}", row["fund"], book.between(row, "from", "expires")) for i, row in enumerate(book.rows("budgets"))]
        purses += [(f"receipts {name}", name, book.between({})) for name, row in funds.items() if row.get("keeps_receipts") == "yes"]
        together: dict[tuple[int, tuple[str, ...]], Linear] = defaultdict(Linear)
        for (t, use, material), amount in self.outlays.items():
            payers = tuple(purse for purse, fund, window in purses if t in window and may_pay(funds[fund], use, material))
            together[t, payers].add(amount)
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


def may_pay(fund: Cells, use: str, material: str) -> bool:
    uses, materials = listed(fund.get("uses")), listed(fund.get("materials"))
    return (not uses or use in uses) and (not materials or material in materials)


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
                    left = [other for other in decisions if other is not decision]
                    for row, fee in branches:
                        # A whole number may be split again; an order is placed or not once and for all.
                        again = decisions if decision.least is None else left
                        waiting.append(([*rows, row, *([at_least(fee, 1)] if fee else [])], again))
                    break
            else:
                best = Optimum("optimal", answer.objective, shortfall.at(answer.point), answer.point)
    return best
