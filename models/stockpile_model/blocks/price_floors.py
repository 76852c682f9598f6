"""Offtakes with price floors: the producer commits a quantity, the buyer a least price, chosen from a menu."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model.data import NOTHING, Problem, Result, Row, Stockpile, column, ordered, overlap, whole_periods
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Contract(Row):
    TABLE = "contracts"
    contract: str = column("name of the offtake", required=True, key=True)
    supplier: str = column("producer", required=True, refers="suppliers")
    material: str = column("what is delivered", required=True, refers="materials")
    form: str = column(
        "`purchase`: metal at max(floor, min(ceiling, reference)); `cfd`: cash top-up only, no metal",
        default="purchase",
        choices=("purchase", "cfd"),
    )
    price_index: str | None = column("index of the reference price; blank = the floor is the price", refers="prices")
    discount: float = column("reference = index x (1 - discount)", "1", default=0.0, most=1)
    ceiling: float | None = column("most the reference may count; blank = none", "money/quantity", least=0)
    upside_share: float = column("share of the reference above the trigger that the buyer receives", "1", default=0.0, least=0, most=1)
    upside_trigger: float | None = column("reference above which the upside is shared", "money/quantity", least=0)
    upside_cap: float | None = column("most upside in a contract year; blank = no limit", "money/year", least=0)
    sign_from: dt.date | None = column("first date it can be signed; blank = from the start")
    sign_to: dt.date | None = column("last date it can be signed; blank = to the end")
    deliver_from: dt.date | None = column("earliest first delivery; blank = signing + lead time")
    term_months: float | None = column("length from the first delivery; blank = to the end of the horizon", "months", above=0)
    take_or_pay: float = column("share of the annual quantity paid for whether taken or not", "1", default=1.0, least=0, most=1)
    flex: float = column("a period's largest delivery as a multiple of the even rate", "1", default=1.0, above=0)
    signing_cost: float = column("paid at signing", "money", default=0.0, least=0)
    lead_time_months: float = column("from signing to first delivery", "months", default=0.0, least=0)
    duty: float = column("customs duty, share of the price", "1", default=0.0, least=0)
    freight: float = column("freight", "money/quantity", default=0.0, least=0)
    availability: float = column("share of what is called off that arrives", "1", default=1.0, least=0, most=1)
    project: str | None = column("project the contract waits for", refers="projects")


@dataclass(frozen=True, kw_only=True)
class Floor(Row):
    TABLE = "floors"
    contract: str = column("contract whose menu this is", required=True, key=True, refers="contracts")
    level: str = column("name of the level", required=True, key=True)
    floor: float | None = column("least price", "money/quantity", least=0)
    floor_index: str | None = column("index the floor is tied to, instead of a fixed floor", refers="prices")
    floor_factor: float | None = column("floor as a share of that index; blank = 1", "1", least=0)
    annual_quantity: float = column("what the producer commits at that floor", "quantity/year", required=True, least=0)
    escalation: float = column("rise of the floor, each whole contract year", "1/year", default=0.0, above=-1)


@dataclass(frozen=True, kw_only=True)
class ContractOutcome(Result):
    SHEET = "contracts"
    contract: str = column("offtake")
    supplier: str = column("producer")
    material: str = column("material")
    form: str = column("`purchase` or `cfd`")
    decision: str = column("`sign` or `do not sign`")
    level: str | None = column("level signed")
    floor: float | None = column("floor signed, as it stands at signing", "money/quantity")
    signed: dt.date | None = column("first day of the period of signing")
    annual_quantity: float | None = column("quantity committed", "quantity/year")
    first_delivery: dt.date | None = column("first day of the first period of delivery")
    last_delivery: dt.date | None = column("last day of the last period of delivery within the horizon")
    called_off: float = column("called off within the horizon", "quantity")
    delivered: float = column("arrives within the horizon, expected", "quantity")
    deficit: float = column("paid for and not taken, expected", "quantity")
    expected_price: float | None = column("average price paid for the metal", "money/quantity")
    topups: float = column("paid for the difference to the floor without metal (cfd), expected, undiscounted", "money")
    upside: float = column("received of the price above the trigger, expected, undiscounted", "money")
    cost: float = column("cost of the contract less its upside, expected, undiscounted", "money")
    breakeven: float | None = column("floor at which its project pays for itself at the quantity signed", "money/quantity")
    share_at_floor: float | None = column("share of deliveries at which the floor sets the price", "1")
    instruction: str = column("what to do")


TABLES: tuple[type[Row], ...] = (Contract, Floor)


def menu(stockpile: Stockpile) -> dict[str, dict[str, Floor]]:
    """The levels on the menu of each contract."""
    found: dict[str, dict[str, Floor]] = {k: {} for k in stockpile.keyed(Contract)}
    for row in stockpile.rows(Floor):
        found.setdefault(row.contract, {})[row.level] = row
    return found


def first_delivery(stockpile: Stockpile, contract: Contract, node: int) -> int:
    """Period of the first delivery when signed at a node: the later of deliver_from and signing + lead time, and not
    before the supplier ships."""
    earliest = 0 if contract.deliver_from is None else stockpile.calendar.period(contract.deliver_from)
    signed = stockpile.tree.period[node] + stockpile.calendar.count(contract.lead_time_months)
    return max(earliest, signed, stockpile.at(node).shipping(contract.supplier))


def last_period(stockpile: Stockpile, contract: Contract, first: int) -> int:
    """Last period of delivery within the horizon, when the first is in period `first`."""
    end = stockpile.calendar.periods - 1
    return end if contract.term_months is None else min(end, first + stockpile.calendar.count(contract.term_months) - 1)


def years(stockpile: Stockpile, contract: Contract, first: int) -> list[range]:
    """The periods of each contract year within the horizon; the last may be cut by the term or the horizon."""
    year = 12 // stockpile.calendar.months
    last = last_period(stockpile, contract, first)
    return [range(begin, min(begin + year, last + 1)) for begin in range(first, last + 1, year)]


def even(stockpile: Stockpile, floor: Floor) -> float:
    """The even rate of a level [quantity/period]."""
    return floor.annual_quantity * stockpile.calendar.months / 12


def reference(stockpile: Stockpile, contract: Contract, node: int) -> float | None:
    """Index x (1 - discount) under the ceiling [money/quantity]; None where the floor alone is the price."""
    if contract.price_index is None:
        return None
    found = stockpile.price(contract.price_index, node) * (1 - contract.discount)
    return found if contract.ceiling is None else min(contract.ceiling, found)


def floor_at(stockpile: Stockpile, floor: Floor, first: int, node: int) -> float:
    """The floor at a node, escalated by whole contract years from the first delivery [money/quantity]."""
    months = (stockpile.tree.period[node] - first) * stockpile.calendar.months
    return float(floor.floor or 0.0) * (1 + floor.escalation) ** (months // 12)


def price(stockpile: Stockpile, contract: Contract, floor: Floor, first: int, node: int) -> float:
    """max(floor, min(ceiling, reference)) at a node [money/quantity]."""
    least, market = floor_at(stockpile, floor, first, node), reference(stockpile, contract, node)
    return least if market is None else max(least, market)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    levels = menu(stockpile)
    for row in stockpile.rows(Contract):
        yield from ordered(row, "sign_from", "sign_to")
        yield from whole_periods(stockpile, row, "term_months", "lead_time_months")
        if not levels[row.contract]:
            yield Problem(row.TABLE, row.line, "contract", f"{row.contract} has no row in the sheet floors: give its menu there")
        if row.price_index is None and row.ceiling is not None:
            yield Problem(row.TABLE, row.line, "ceiling", "caps a reference: it needs price_index")
    for floor in stockpile.rows(Floor):
        if floor.floor is None:
            yield Problem(floor.TABLE, floor.line, "floor", "is required: the least price of the level")


def review(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Contract):
        if stockpile.counts(row.supplier) and not list(_signings(stockpile, row)):
            message = f"{row.contract} cannot be signed to deliver within the horizon: see its dates, lead time and its supplier's start"
            yield Problem(row.TABLE, row.line, "contract", message, warning=True)


def _signings(stockpile: Stockpile, contract: Contract) -> Iterator[int]:
    """The nodes at which a contract can be signed and still deliver within the horizon."""
    window = overlap(stockpile.calendar, contract.sign_from, contract.sign_to)
    for node in stockpile.tree.nodes:
        row = stockpile.at(node).keyed(Contract)[contract.contract]
        if stockpile.tree.period[node] in window and first_delivery(stockpile, row, node) < stockpile.calendar.periods:
            yield node


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """One level of a contract at most, once on a path; deliveries by level and by the period d of the first delivery,
    since contract years and escalation run from it:

    Σ_{f, path} sign ≤ 1
    take[k,f,d,n] ≤ flex·Q_f·months/12·active,  active = Σ of the signatures on the path to n that deliver first in d
    Σ_year take + deficit ≥ take_or_pay·Q_f·active·(months of the year within term and horizon)/12
    """
    tree = stockpile.tree
    contracts = {k: row for k, row in stockpile.keyed(Contract).items() if stockpile.counts(row.supplier)}
    levels = menu(stockpile)

    def contract(k: str, n: int) -> Contract:
        return stockpile.at(n).keyed(Contract)[k]

    signings = {(k, n): first_delivery(stockpile, contract(k, n), n) for k, row in contracts.items() for n in _signings(stockpile, row)}
    m.SIGNINGS = pyo.Set(
        dimen=3, initialize=[(k, f, n) for k, n in signings for f in levels[k]], doc="contract, level, node at which it can be signed"
    )
    m.sign = pyo.Var(m.SIGNINGS, domain=pyo.Binary, doc="whether a level of a contract is signed [1]")

    def signable(k: str, n: int) -> list[int]:
        return [s for s in tree.paths[n] if (k, s) in signings]

    # The last signing nodes of each path carry the row: on a chain one row a contract.
    ends = {(k, max(nodes)) for k in contracts for leaf in tree.leaves if (nodes := signable(k, leaf))}
    m.forbid_second_signing = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(ends)),
        rule=lambda m, k, n: pyo.quicksum(m.sign[k, f, s] for s in signable(k, n) for f in levels[k]) <= 1,
        doc="at most one level of a contract, once on every path [1]",
    )

    # (contract, first delivery, node) -> the signatures that cover the node
    active: dict[tuple[str, int, int], list[int]] = {}
    for (k, s), first in signings.items():
        for n in tree.nodes:
            if first <= tree.period[n] <= last_period(stockpile, contract(k, s), first) and s in tree.paths[n]:
                active.setdefault((k, first, n), []).append(s)

    def signed(k: str, f: str, first: int, n: int) -> Any:
        return pyo.quicksum(m.sign[k, f, s] for s in active[k, first, n])

    m.TAKES = pyo.Set(
        dimen=4,
        initialize=[(k, f, d, n) for k, d, n in active for f in levels[k]],
        doc="contract, level, period of first delivery, node of delivery",
    )
    m.take = pyo.Var(m.TAKES, domain=pyo.NonNegativeReals, doc="called off under a contract [quantity]")
    m.cap_take = pyo.Constraint(
        m.TAKES,
        rule=lambda m, k, f, d, n: m.take[k, f, d, n] <= contract(k, n).flex * even(stockpile, levels[k][f]) * signed(k, f, d, n),
        doc="a period's delivery is within flex and only under the level signed [quantity]",
    )

    # The node at which a contract year ends on a path, and the periods of that year.
    year_ends = {
        (k, d, n): year
        for k, d, n in active
        for year in years(stockpile, contracts[k], d)
        if tree.period[n] == year[-1] and contract(k, n).take_or_pay > 0
    }
    m.DEFICITS = pyo.Set(
        dimen=4,
        initialize=[(k, f, d, n) for k, d, n in year_ends for f in levels[k]],
        doc="contract, level, first delivery, node at which a contract year ends",
    )
    m.deficit = pyo.Var(m.DEFICITS, domain=pyo.NonNegativeReals, doc="paid for and not taken in a contract year [quantity]")

    def hold_take_or_pay(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> object:
        year = year_ends[k, d, n]
        taken = pyo.quicksum(m.take[k, f, d, s] for s in tree.paths[n] if tree.period[s] in year)
        least = contract(k, n).take_or_pay * even(stockpile, levels[k][f]) * len(year)
        return taken + m.deficit[k, f, d, n] >= least * signed(k, f, d, n)

    m.hold_take_or_pay = pyo.Constraint(
        m.DEFICITS, rule=hold_take_or_pay, doc="what is not taken of a year's take-or-pay is a deficit [quantity]"
    )

    calls: dict[tuple[str, int], list[object]] = {}
    for k, f, d, n in m.TAKES:
        row = contract(k, n)
        paid = price(stockpile, row, levels[k][f], d, n)
        arriving = row.availability * m.take[k, f, d, n]
        calls.setdefault((k, n), []).append(arriving)
        for heading, rate in (("offtakes", paid), ("duty", row.duty * paid), ("freight", row.freight)):
            if rate != 0:
                ledger.pay(n, heading, rate * arriving, "contract", row.material, name=k)
    for k, f, d, n in m.DEFICITS:
        rate = price(stockpile, contract(k, n), levels[k][f], d, n)
        if rate != 0:
            ledger.pay(n, "deficits", rate * m.deficit[k, f, d, n], "contract", contracts[k].material, name=k)
    for k, f, n in m.SIGNINGS:
        if contract(k, n).signing_cost > 0:
            ledger.pay(n, "signing", contract(k, n).signing_cost * m.sign[k, f, n], "contract", contracts[k].material, name=k)

    landing = list(stockpile.sites)
    split = list(calls) if len(landing) > 1 else []
    m.DELIVERIES = pyo.Set(
        dimen=3, initialize=[(k, w, n) for k, n in split for w in landing], doc="contract, site, node of a delivery that may be split"
    )
    m.deliver = pyo.Var(m.DELIVERIES, domain=pyo.NonNegativeReals, doc="what a contract delivers to a site [quantity]")
    m.balance_delivery = pyo.Constraint(
        pyo.Set(dimen=2, initialize=split),
        rule=lambda m, k, n: pyo.quicksum(m.deliver[k, w, n] for w in landing) == pyo.quicksum(calls[k, n]),
        doc="what is delivered is split over the sites [quantity]",
    )
    for (k, n), amounts in calls.items():
        for w in landing:
            amount = m.deliver[k, w, n] if split else pyo.quicksum(amounts)
            ledger.bring(n, contracts[k].material, w, 0, amount, "contracts", k, contracts[k].supplier)


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    tree, calendar, unit = stockpile.tree, stockpile.calendar, stockpile.settings.quantity_unit
    levels = menu(stockpile)
    cost: dict[str, float] = {}
    for each in formulation.ledger.money:
        if each.use == "contract":
            cost[each.name] = cost.get(each.name, 0.0) + tree.probability[each.node] * pyo.value(each.amount)
    for k, row in stockpile.keyed(Contract).items():
        signed = [(f, n) for kk, f, n in m.SIGNINGS if kk == k and pyo.value(m.sign[kk, f, n]) > 0.5]
        if not signed:  # what is not signed says so
            yield ContractOutcome(
                contract=k, supplier=row.supplier, material=row.material, decision="do not sign", level=None, floor=None, signed=None,
                annual_quantity=None, first_delivery=None, last_delivery=None, called_off=0.0, delivered=0.0, deficit=0.0,
                expected_price=None, cost=0.0, share_at_floor=None, instruction=f"do not sign {k} with {row.supplier}",
            )  # fmt: skip
        for f, s in signed:
            first = first_delivery(stockpile, row, s)
            floor, date = levels[k][f], calendar.begin(tree.period[s])
            called = paid = at_floor = arrived = 0.0
            for kk, ff, d, n in m.TAKES:
                if (kk, ff, d) == (k, f, first) and s in tree.paths[n]:
                    weight = tree.probability[n]
                    taken = weight * pyo.value(m.take[kk, ff, d, n])
                    arriving = taken * stockpile.at(n).keyed(Contract)[k].availability
                    called, arrived = called + taken, arrived + arriving
                    paid += arriving * price(stockpile, row, floor, d, n)
                    market = reference(stockpile, row, n)
                    if market is None or market <= floor_at(stockpile, floor, d, n):
                        at_floor += taken
            deficit = sum(
                tree.probability[n] * pyo.value(m.deficit[kk, ff, d, n])
                for kk, ff, d, n in m.DEFICITS
                if (kk, ff, d) == (k, f, first) and s in tree.paths[n]
            )
            yield ContractOutcome(
                contract=k,
                supplier=row.supplier,
                material=row.material,
                decision="sign",
                level=f,
                floor=floor.floor,
                signed=date,
                annual_quantity=floor.annual_quantity,
                first_delivery=calendar.begin(first),
                last_delivery=calendar.end(last_period(stockpile, row, first)),
                called_off=called,
                delivered=arrived,
                deficit=deficit if deficit > NOTHING else 0.0,
                expected_price=paid / arrived if arrived > NOTHING else None,
                cost=cost.get(k, 0.0),
                share_at_floor=at_floor / called if called > NOTHING else None,
                instruction=(
                    f"{date:%Y-%m}: sign {k} with {row.supplier} at level {f}, "
                    f"floor {floor.floor:,.6g} {stockpile.settings.currency}/{unit}, "
                    f"{floor.annual_quantity:,.6g} {unit} a year, first delivery {calendar.begin(first):%Y-%m}"
                ),
            )
