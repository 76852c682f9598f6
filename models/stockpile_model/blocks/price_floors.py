"""Offtakes with price floors: the producer commits a quantity, the buyer a least price, chosen from a menu."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.blocks import policy
from stockpile_model.blocks.breakeven import breakeven
from stockpile_model.data import (
    Dated,
    Problem,
    Project,
    Result,
    Row,
    Stockpile,
    column,
    columns,
    get,
    larger,
    ordered,
    overlap,
    seen,
    smaller,
    whole_periods,
)
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Arrival, Ledger


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
class ContractOutcome(Dated):
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
    first_delivery: dt.date | None = column("first day of the first period of delivery; blank = past the horizon")
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


@dataclass(frozen=True, kw_only=True)
class FloorOutcome(Result):
    """What a level of a contract is worth, signed or not: under these scenarios, at the even rate, when it is signed as the plan
    does or else at the first date it can be, its project then."""

    SHEET = "floors"
    contract: str = column("offtake")
    level: str = column("level on its menu")
    signed: bool = column("whether the plan signs it")
    floor: float = column("floor, as it stands at signing", "money/quantity")
    annual_quantity: float = column("quantity committed", "quantity/year")
    expected_quantity: float = column("delivered within the horizon at the even rate, over the scenarios", "quantity")
    expected_price: float = column("mean price over its deliveries and the scenarios; of a cfd the mean top-up", "money/quantity")
    binds: float | None = column("how likely the floor sets the price, over deliveries and scenarios; blank = it always does", "1")
    expected_topup: float = column("expected payment above the reference, undiscounted", "money")
    option_value: float = column("value of the floor to the producer as an option: the expected payment above it, discounted", "money")
    option_per_unit: float = column("the same, for each unit delivered", "money/quantity")
    producer_index: float | None = column("index above which the floor is worth nothing to the producer", "money/quantity")
    buyer_index: float | None = column("index below which the buyer would pay less without the contract", "money/quantity")
    breakeven: float | None = column("floor at which its project pays for itself at that quantity", "money/quantity")
    cost_difference: float | None = column("what the plan would cost more with this level signed; blank = not asked for", "money")
    difference_at_least: float | None = column("proven to be at least", "money")
    to_change: str | None = column("what would have had to change for it to be signed")


TABLES: tuple[type[Row], ...] = (Contract, Floor)
CASH_ONLY = ("ceiling", "take_or_pay", "flex", "duty", "freight", "availability")  # what means nothing without metal


@functools.lru_cache(maxsize=1024)
def menu(stockpile: Stockpile) -> Mapping[str, Mapping[str, Floor]]:
    """The levels on the menu of each contract."""
    found: dict[str, dict[str, Floor]] = {k: {} for k in stockpile.keyed(Contract)}
    for row in stockpile.rows(Floor):
        found.setdefault(row.contract, {})[row.level] = row
    return found


def agreed(stockpile: Stockpile, contract: Contract, node: int) -> int:
    """The first period in which a contract signed at a node may deliver: the later of deliver_from and signing + lead time."""
    earliest = 0 if contract.deliver_from is None else stockpile.calendar.period(contract.deliver_from)
    return max(earliest, stockpile.tree.period[node] + stockpile.calendar.count(contract.lead_time_months))


def begun(stockpile: Stockpile, contract: Contract, node: int, ready: int = 0) -> dict[int, int]:
    """For each node at which a contract signed at a node delivers, the period of its first delivery: on each path the first
    period that is agreed, in which the supplier ships and, of a project, the plant is `ready`."""
    tree, least = stockpile.tree, max(agreed(stockpile, contract, node), ready)
    found: dict[int, int] = {}
    for n in tree.below[node]:
        parent, period = tree.parent[n], tree.period[n]
        if parent in found:
            first = found[parent]
        elif period >= least and period >= stockpile.at(n).shipping(contract.supplier):
            first = period
        else:
            continue
        found[n] = first
    return {n: first for n, first in found.items() if tree.period[n] <= last_period(stockpile, contract, first)}


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
    """Index x (1 - discount) [money/quantity]; None where the floor alone is the price."""
    return None if contract.price_index is None else stockpile.price(contract.price_index, node) * (1 - contract.discount)


def market(stockpile: Stockpile, contract: Contract, node: int) -> float | None:
    """The reference under the ceiling [money/quantity]; None where the floor alone is the price."""
    found = reference(stockpile, contract, node)
    return found if found is None or contract.ceiling is None else smaller(contract.ceiling, found)


def floor_value(stockpile: Stockpile, floor: Floor, node: int) -> float:
    """The floor at a node before it escalates: fixed, or tied to an index [money/quantity]."""
    if floor.floor_index is None:
        return floor.floor or 0.0
    return stockpile.price(floor.floor_index, node) * (1.0 if floor.floor_factor is None else floor.floor_factor)


def floor_at(stockpile: Stockpile, floor: Floor, first: int, node: int) -> float:
    """The floor at a node, escalated by whole contract years from the first delivery [money/quantity]."""
    months = (stockpile.tree.period[node] - first) * stockpile.calendar.months
    return floor_value(stockpile, floor, node) * (1 + floor.escalation) ** (months // 12)


def price(stockpile: Stockpile, contract: Contract, floor: Floor, first: int, node: int) -> float:
    """max(floor, min(ceiling, reference)) at a node [money/quantity]."""
    least, found = floor_at(stockpile, floor, first, node), market(stockpile, contract, node)
    return least if found is None else larger(least, found)


def topup(stockpile: Stockpile, contract: Contract, floor: Floor, first: int, node: int) -> float:
    """max(0, floor - reference): what a cfd pays at a node [money/quantity]."""
    return larger(0.0, floor_at(stockpile, floor, first, node) - (reference(stockpile, contract, node) or 0.0))


def upside(stockpile: Stockpile, contract: Contract, node: int) -> float:
    """share · max(0, reference - trigger): what the buyer receives at a node [money/quantity]."""
    if contract.upside_share == 0:
        return 0.0
    return contract.upside_share * larger(0.0, (reference(stockpile, contract, node) or 0.0) - (contract.upside_trigger or 0.0))


def _capped(stockpile: Stockpile, contract: Contract, periods: int) -> float:
    """The cap on the upside of a contract year of so many periods, pro rata [money]."""
    return (contract.upside_cap or 0.0) * periods * stockpile.calendar.months / 12


def carries(stockpile: Stockpile, contract: Contract, floor: Floor, node: int) -> bool:
    """Whether signing a level at a node makes the contract's project go ahead: its floor is at or above the break-even."""
    least = None
    if contract.project is not None:
        least = breakeven(stockpile.at(node).keyed(Project)[contract.project], floor.annual_quantity)
    return least is not None and floor_value(stockpile, floor, node) >= least * (1 - 1e-9)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    levels = menu(stockpile)
    for row in stockpile.rows(Contract):
        yield from ordered(row, "sign_from", "sign_to")
        yield from whole_periods(stockpile, row, "term_months", "lead_time_months")
        yield from seen(row, "availability")
        if not levels[row.contract]:
            yield Problem(row.TABLE, row.line, "contract", f"{row.contract} has no row in the sheet floors: give its menu there")
        if row.price_index is None and row.ceiling is not None:
            yield Problem(row.TABLE, row.line, "ceiling", "caps a reference: it needs price_index")
        if row.price_index is None and row.form == "cfd":
            yield Problem(row.TABLE, row.line, "price_index", "is required for a cfd: it pays the difference from the floor to a reference")
        if row.upside_share > 0 and row.price_index is None:
            yield Problem(row.TABLE, row.line, "price_index", "is required for an upside: it is a share of a reference above the trigger")
        if row.upside_share > 0 and row.upside_trigger is None:
            yield Problem(row.TABLE, row.line, "upside_trigger", "is required where upside_share is above 0")
        for name in ("upside_trigger", "upside_cap") if row.upside_share == 0 else ():
            if get(row, name) is not None:
                yield Problem(row.TABLE, row.line, name, "has no effect without an upside_share", warning=True)
        for name in CASH_ONLY if row.form == "cfd" else ():
            if get(row, name) != next(each.default for each in columns(Contract) if each.name == name):
                yield Problem(row.TABLE, row.line, name, "has no effect on a cfd, which moves no metal", warning=True)
    for floor in stockpile.rows(Floor):
        if (floor.floor is None) == (floor.floor_index is None):
            yield Problem(floor.TABLE, floor.line, "floor", "a level needs floor or floor_index, and not both")
        if floor.floor_factor is not None and floor.floor_index is None:
            yield Problem(floor.TABLE, floor.line, "floor_factor", "is a share of an index: it needs floor_index")


def review(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Contract):
        if stockpile.counts(row.supplier) and not list(signable(stockpile, row)):
            message = f"{row.contract} cannot be signed to deliver within the horizon: see its dates, lead time and its supplier's start"
            yield Problem(row.TABLE, row.line, "contract", message, warning=True)


def signable(stockpile: Stockpile, contract: Contract) -> Iterator[int]:
    """The nodes at which a contract can be signed and still deliver within the horizon."""
    for node in stockpile.tree.nodes:
        row = stockpile.at(node).keyed(Contract)[contract.contract]
        if stockpile.tree.period[node] in overlap(stockpile.calendar, row.sign_from, row.sign_to) and begun(stockpile, row, node):
            yield node


def helped(m: pyo.ConcreteModel, stockpile: Stockpile, contract: Contract, node: int) -> dict[int, list[Any]]:
    """The nodes, up to a node of signing, at which the project of a contract can go ahead and be ready for it within the horizon;
    to each the ways in which it does."""
    project, found = str(contract.project), dict[int, list[Any]]()
    for each in stockpile.tree.paths[node]:
        ways = [variable[project, each] for variable, keys in ((m.grant, m.GRANTS), (m.carry, m.CARRIAGES)) if (project, each) in keys]
        if ways and begun(stockpile, contract, node, ready(stockpile, project, each)):
            found[each] = ways
    return found


def ready(stockpile: Stockpile, project: str, node: int) -> int:
    """The period in which a project that goes ahead at a node is ready."""
    row = stockpile.at(node).keyed(Project)[project]
    return stockpile.tree.period[node] + stockpile.calendar.count(row.ready_lag_months)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """One level of a contract at most, once on a path; deliveries by level and by the period d of the first delivery,
    since contract years and escalation run from it:

    Σ_{f, path} sign ≤ 1
    take[k,f,d,n] ≤ flex·Q_f·months/12·active,  active = Σ of the signatures on the path to n that deliver first in d
    Σ_year take + deficit ≥ take_or_pay·Q_f·active·(months of the year within term and horizon)/12

    A contract of a project is signed once that goes ahead, and delivers first when it is ready:

    Σ_h begin[k,f,h,s] = sign[k,f,s],  Σ_f begin[k,f,h,s] ≤ Σ of the ways to go ahead at h, up to s
    carry[g,n] ≤ Σ sign of the levels at or above the break-even
    Σ begin[k,f,h,s] ≤ grant[g,h] + Σ sign[k',f,h] of other contracts that carry it,  but for what k signs at h to carry it itself

    A cfd pays max(0, floor - reference) on the even rate. The upside is share·max(0, reference - trigger) on what arrives, of a
    cfd on the even rate; in a contract year at most the cap, pro rata.
    """
    tree = stockpile.tree
    contracts = {k: row for k, row in stockpile.keyed(Contract).items() if stockpile.counts(row.supplier)}
    levels = menu(stockpile)

    there, menus = [stockpile.at(n).keyed(Contract) for n in tree.nodes], [menu(stockpile.at(n)) for n in tree.nodes]

    def contract(k: str, n: int) -> Contract:
        return there[n][k]

    def level(k: str, f: str, n: int) -> Floor:
        return menus[n][k][f]

    windows = {k: list(signable(stockpile, row)) for k, row in contracts.items()}
    ways = {(k, n): helped(m, stockpile, contract(k, n), n) for k, row in contracts.items() if row.project is not None for n in windows[k]}
    signings = [(k, n) for k, row in contracts.items() for n in windows[k] if row.project is None or ways[k, n]]
    m.SIGNINGS = pyo.Set(
        dimen=3,
        initialize=[(k, f, n) for k, n in signings for f in levels[k]],
        doc="contract, level, node at which it can be signed",
    )
    m.sign = pyo.Var(m.SIGNINGS, domain=pyo.Binary, doc="whether a level of a contract is signed [1]")
    m.priority[m.sign] = 1

    able = set(signings)

    def signable_on(k: str, n: int) -> list[int]:
        return [s for s in tree.paths[n] if (k, s) in able]

    # The last signing nodes of each path carry the row: on a chain one row a contract.
    ends = {(k, max(nodes)) for k in contracts for leaf in tree.leaves if (nodes := signable_on(k, leaf))}
    m.forbid_second_signing = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(ends)),
        rule=lambda m, k, n: summed(m.sign[k, f, s] for s in signable_on(k, n) for f in levels[k]) <= 1,
        doc="at most one level of a contract, once on every path [1]",
    )

    m.BEGINS = pyo.Set(
        dimen=4,
        initialize=[(k, f, h, n) for (k, n), helps in ways.items() for f in levels[k] for h in helps],
        doc="contract of a project, level, node at which the project goes ahead, node of signing",
    )
    m.begin = pyo.Var(m.BEGINS, domain=pyo.NonNegativeReals, doc="whether a contract that is signed relies on a project from a node on [1]")
    m.balance_begin = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[key for key in m.SIGNINGS if (key[0], key[2]) in ways]),
        rule=lambda m, k, f, n: summed(m.begin[k, f, h, n] for h in ways[k, n]) == m.sign[k, f, n],
        doc="a contract of a project is signed once that goes ahead [1]",
    )
    m.link_begin = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[(k, n, h) for (k, n), helps in ways.items() for h in helps]),
        rule=lambda m, k, n, h: summed(m.begin[k, f, h, n] for f in levels[k]) <= summed(ways[k, n][h]),
        doc="a contract relies on a project where that goes ahead only [1]",
    )

    def carrying(g: str, n: int) -> list[tuple[str, str]]:
        return [
            (k, f)
            for k, row in contracts.items()
            if row.project == g
            for f in levels[k]
            if (k, f, n) in m.SIGNINGS and carries(stockpile, contract(k, n), level(k, f, n), n)
        ]

    carriers = {(g, n): carrying(g, n) for g, n in m.CARRIAGES}
    m.link_carry = pyo.Constraint(
        m.CARRIAGES,
        rule=lambda m, g, n: m.carry[g, n] <= summed([m.sign[k, f, n] for k, f in carriers[g, n]]),
        doc="a project is carried by a signature at or above its break-even only [1]",
    )

    def forbid_own_help(m: pyo.ConcreteModel, k: str, n: int, h: int) -> Any:
        g = str(contracts[k].project)
        waits = [m.begin[k, f, h, n] for f in levels[k] if n != h or (k, f) not in carriers[g, h]]
        helps = [m.grant[g, h]] if (g, h) in m.GRANTS else []
        helps += [m.sign[other, f, h] for other, f in carriers[g, h] if other != k]
        return summed(waits) <= summed(helps) if waits else pyo.Constraint.Skip

    # It follows from the rows before for whole signatures alone: without it the relaxation signs a part of a high floor, and on the
    # project that this part carries a part of a low one.
    m.forbid_own_help = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[(k, n, h) for k, n, h in m.link_begin if (str(contracts[k].project), h) in carriers]),
        rule=forbid_own_help,
        doc="a contract does not wait for a project that its own signature carries [1]",
    )

    # (contract, first delivery, node) -> the signatures that cover the node, with the node of going ahead of a project
    active: dict[tuple[str, int, int], list[tuple[int, int | None]]] = {}
    for k, s in signings:
        helps: Iterable[int | None] = ways.get((k, s), (None,))
        for help_ in helps:
            since = 0 if help_ is None else ready(stockpile, str(contracts[k].project), help_)
            for n, first in begun(stockpile, contract(k, s), s, since).items():
                active.setdefault((k, first, n), []).append((s, help_))

    def signed(k: str, f: str, first: int, n: int, only: Mapping[tuple[str, int, int], list[tuple[int, int | None]]] = active) -> Any:
        return summed([m.sign[k, f, s] if h is None else m.begin[k, f, h, s] for s, h in only[k, first, n]])

    m.TAKES = pyo.Set(
        dimen=4,
        initialize=[(k, f, d, n) for k, d, n in active if contracts[k].form == "purchase" for f in levels[k]],
        doc="contract, level, period of first delivery, node of delivery",
    )
    m.take = pyo.Var(m.TAKES, domain=pyo.NonNegativeReals, doc="called off under a contract [quantity]")
    m.cap_take = pyo.Constraint(
        m.TAKES,
        rule=lambda m, k, f, d, n: m.take[k, f, d, n] <= contract(k, n).flex * even(stockpile, level(k, f, n)) * signed(k, f, d, n),
        doc="a period's delivery is within flex and only under the level signed [quantity]",
    )

    # The node at which a contract year ends on a path, and the periods of that year; the signatures of which it is a year: a term
    # is that at signing, so a scenario may change it.
    year_ends: dict[tuple[str, int, int], range] = {}
    ending: dict[tuple[str, int, int], list[tuple[int, int | None]]] = {}
    for (k, d, n), signatures in active.items():
        for s, help_ in signatures:
            for year in years(stockpile, contract(k, s), d):
                if tree.period[n] == year[-1]:
                    year_ends[k, d, n] = year
                    ending.setdefault((k, d, n), []).append((s, help_))
    # All signatures that deliver in those periods: the year of some goes on, or ended before.
    within = {
        (k, d, n): list(dict.fromkeys(each for s in tree.paths[n] if tree.period[s] in year for each in active.get((k, d, s), ())))
        for (k, d, n), year in year_ends.items()
    }
    owed = [(k, d, n) for k, d, n in year_ends if contracts[k].form == "purchase" and contract(k, n).take_or_pay > 0]
    m.DEFICITS = pyo.Set(
        dimen=4,
        initialize=[(k, f, d, n) for k, d, n in owed for f in levels[k]],
        doc="contract, level, first delivery, node at which a contract year ends",
    )
    m.deficit = pyo.Var(m.DEFICITS, domain=pyo.NonNegativeReals, doc="paid for and not taken in a contract year [quantity]")

    def hold_take_or_pay(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> object:
        year = year_ends[k, d, n]
        taken = summed([m.take[k, f, d, s] for s in tree.paths[n] if tree.period[s] in year])
        least = contract(k, n).take_or_pay * even(stockpile, level(k, f, n)) * len(year)
        return taken + m.deficit[k, f, d, n] >= least * signed(k, f, d, n, ending)

    m.hold_take_or_pay = pyo.Constraint(
        m.DEFICITS, rule=hold_take_or_pay, doc="what is not taken of a year's take-or-pay is a deficit [quantity]"
    )

    delivering = functools.partial(signed, only=within)
    _owe_no_more(m, stockpile, {key: year_ends[key[0], key[2], key[3]] for key in m.DEFICITS}, delivering)

    def earned(k: str, f: str, d: int, n: int) -> Any:
        """The upside before its cap [money]."""
        row = contract(k, n)
        rate = upside(stockpile, row, n)
        if row.form == "cfd":
            return rate * even(stockpile, level(k, f, n)) * signed(k, f, d, n)
        return rate * row.availability * m.take[k, f, d, n]

    capped = {k for k in contracts if any(view.keyed(Contract)[k].upside_cap is not None for view in stockpile.variants)}
    # Columns exist wherever the contract has an upside; their bound says whether there is one at this node.
    shared = [(k, f, d, n) for k, d, n in active if contract(k, n).upside_share > 0 for f in levels[k]]
    m.UPSIDES = pyo.Set(
        dimen=4,
        initialize=[key for key in shared if key[0] in capped],
        doc="contract, level, first delivery, node at which an upside under a cap is received",
    )
    m.upside = pyo.Var(m.UPSIDES, domain=pyo.NonNegativeReals, doc="upside received under a cap [money]")
    m.cap_upside = pyo.Constraint(
        m.UPSIDES, rule=lambda m, k, f, d, n: m.upside[k, f, d, n] <= earned(k, f, d, n), doc="no more upside than is earned [money]"
    )
    by_year = {
        (k, f, d, n): [m.upside[k, f, d, s] for s in tree.paths[n] if tree.period[s] in year and (k, f, d, s) in m.UPSIDES]
        for (k, d, n), year in year_ends.items()
        if contract(k, n).upside_cap is not None
        for f in levels[k]
    }

    def cap_upside_year(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> object:
        most = _capped(stockpile, contract(k, n), len(year_ends[k, d, n])) * signed(k, f, d, n, ending)
        if others := [each for each in within[k, d, n] if each not in ending[k, d, n]]:
            most += _capped(stockpile, contract(k, n), 12 // stockpile.calendar.months) * signed(k, f, d, n, {(k, d, n): others})
        return summed(by_year[k, f, d, n]) <= most

    m.cap_upside_year = pyo.Constraint(
        pyo.Set(dimen=4, initialize=[key for key, parts in by_year.items() if parts]),
        rule=cap_upside_year,
        doc="the upside of a contract year stays within its cap, pro rata [money]",
    )
    for k, f, d, n in shared:
        received = m.upside[k, f, d, n] if (k, f, d, n) in m.UPSIDES else earned(k, f, d, n)
        ledger.receive(n, "upside", received, contracts[k].material, k)

    for k, d, n in active:
        for f in levels[k] if contracts[k].form == "cfd" else ():
            rate = topup(stockpile, contract(k, n), level(k, f, n), d, n)  # posted where it is nothing too, as the upside is
            amount = rate * even(stockpile, level(k, f, n)) * signed(k, f, d, n)
            ledger.pay(n, "topups", amount, "contract", contracts[k].material, name=k)
    for k, f, d, n in m.DEFICITS:
        rate = price(stockpile, contract(k, n), level(k, f, n), d, n)
        if rate != 0:
            ledger.pay(n, "deficits", rate * m.deficit[k, f, d, n], "contract", contracts[k].material, name=k)
    for k, f, n in m.SIGNINGS:
        if contract(k, n).signing_cost > 0:
            ledger.pay(n, "signing", contract(k, n).signing_cost * m.sign[k, f, n], "contract", contracts[k].material, name=k)
    _deliver(m, stockpile, ledger)


def _owe_no_more(
    m: pyo.ConcreteModel, stockpile: Stockpile, years_: Mapping[tuple[str, str, int, int], range], signed: Callable[..., Any]
) -> None:
    """Where a rule asks for spending, or nobody minds what a path outside of the tail pays, a deficit is just what is owed, with
    `short` 1 in a year that falls short:

    Σ_year take + deficit ≤ due·active + (most - due)·(1 - short),  deficit ≤ due·short
    """
    keys = list(years_) if policy.spend_at_least(stockpile) or stockpile.settings.risk_weight == 1 else []
    m.SHORT_YEARS = pyo.Set(dimen=4, initialize=keys, doc="contract, level, first delivery, end of a contract year that may fall short")
    m.short = pyo.Var(m.SHORT_YEARS, domain=pyo.Binary, doc="whether a contract year falls short of take-or-pay [1]")

    def rate(k: str, f: str, n: int) -> float:
        return even(stockpile, menu(stockpile.at(n))[k][f])

    def due(k: str, f: str, n: int, year: range) -> tuple[float, float]:
        owed = stockpile.at(n).keyed(Contract)[k].take_or_pay * rate(k, f, n) * len(year)
        nodes = (s for s in stockpile.tree.paths[n] if stockpile.tree.period[s] in year)
        return owed, max(owed, sum(stockpile.at(s).keyed(Contract)[k].flex * rate(k, f, s) for s in nodes))

    def cap_deficit(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> object:
        year = years_[k, f, d, n]
        owed, most = due(k, f, n, year)
        taken = summed(m.take[k, f, d, s] for s in stockpile.tree.paths[n] if stockpile.tree.period[s] in year)
        return taken + m.deficit[k, f, d, n] <= owed * signed(k, f, d, n) + (most - owed) * (1 - m.short[k, f, d, n])

    m.cap_deficit = pyo.Constraint(m.SHORT_YEARS, rule=cap_deficit, doc="no more is paid for nothing than is owed [quantity]")
    m.link_short = pyo.Constraint(
        m.SHORT_YEARS,
        rule=lambda m, k, f, d, n: m.deficit[k, f, d, n] <= due(k, f, n, years_[k, f, d, n])[0] * m.short[k, f, d, n],
        doc="a deficit is of a year that falls short [quantity]",
    )


def _deliver(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """What is called off arrives, at the sites in any split, and each buyer pays for what arrives at its own:

    Σ_w deliver[k,w,n] = Σ_{f,d} availability·take,  Σ_b call[k,f,d,b,n] = availability·take,  Σ_{w of b} deliver = Σ_{f,d} call[..b..].
    """
    owners, sites = {buyer or "": names for buyer, names in stockpile.owners.items()}, list(stockpile.sites)
    takes: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for k, f, d, n in m.TAKES:
        takes.setdefault((k, n), []).append((f, d))

    def contract(k: str, n: int) -> Contract:
        return stockpile.at(n).keyed(Contract)[k]

    split = list(takes) if len(sites) > 1 else []
    m.DELIVERIES = pyo.Set(
        dimen=3, initialize=[(k, w, n) for k, n in split for w in sites], doc="contract, site, node of a delivery that may be split"
    )
    m.deliver = pyo.Var(m.DELIVERIES, domain=pyo.NonNegativeReals, doc="what a contract delivers to a site [quantity]")
    m.CALLS = pyo.Set(
        dimen=5,
        initialize=[(k, f, d, b, n) for k, f, d, n in m.TAKES for b in owners] if len(owners) > 1 else [],
        doc="contract, level, first delivery, buyer, node of a delivery that buyers share",
    )
    m.call = pyo.Var(m.CALLS, domain=pyo.NonNegativeReals, doc="what arrives for a buyer at a level [quantity]")
    m.balance_call = pyo.Constraint(
        m.TAKES if len(owners) > 1 else pyo.Set(dimen=4, initialize=[]),
        rule=lambda m, k, f, d, n: summed(m.call[k, f, d, b, n] for b in owners) == contract(k, n).availability * m.take[k, f, d, n],
        doc="the buyers' parts are what arrives under a contract [quantity]",
    )

    def arriving(k: str, n: int) -> Any:
        return summed(contract(k, n).availability * m.take[k, f, d, n] for f, d in takes[k, n])

    def balance_delivery(m: pyo.ConcreteModel, k: str, b: str, n: int) -> object:
        called = summed(m.call[k, f, d, b, n] for f, d in takes[k, n]) if len(owners) > 1 else arriving(k, n)
        return summed(m.deliver[k, w, n] for w in owners[b]) == called

    m.balance_delivery = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[(k, b, n) for k, n in split for b in owners]),
        rule=balance_delivery,
        doc="what is delivered to a buyer is split over its sites [quantity]",
    )
    for (k, n), parts in takes.items():
        row, levels = contract(k, n), menu(stockpile.at(n))[k]
        rates = {(f, d): price(stockpile, row, levels[f], d, n) for f, d in parts}
        amounts = {(f, d): row.availability * m.take[k, f, d, n] for f, d in parts}
        for b in owners:
            own = {(f, d): m.call[k, f, d, b, n] for f, d in parts} if len(owners) > 1 else amounts
            worth = [rate * own[key] for key, rate in rates.items() if rate != 0]
            for heading, rate, parts_ in (("offtakes", 1.0, worth), ("duty", row.duty, worth), ("freight", row.freight, own.values())):
                if rate != 0 and parts_:
                    ledger.pay(n, heading, rate * summed(parts_), "contract", row.material, b or None, k)
        whole = summed([*amounts.values()])
        unit_price = rates[parts[0]] if len(parts) == 1 else (summed([rates[key] * each for key, each in amounts.items()]), whole)
        most = row.flex * row.availability * max(even(stockpile, levels[f]) for f, _ in parts)
        for w in sites:
            amount = m.deliver[k, w, n] if split else whole
            ledger.bring(Arrival(n, row.material, w, 0, amount, "contracts", k, row.supplier, unit_price, most))


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    money: dict[str, dict[tuple[int, str], float]] = {}  # contract -> node and heading
    for each, amount in formulation.money:
        if each.use == "contract" or each.heading == "upside":
            sums = money.setdefault(each.name, {})
            sums[each.node, each.heading] = sums.get((each.node, each.heading), 0.0) + amount
    for k, row in stockpile.keyed(Contract).items():
        signed = [(f, n) for kk, f, n in m.SIGNINGS if kk == k and evaluate(m.sign[kk, f, n]) > 0.5]
        yield from _floors(formulation, row, signed)
        if not signed:  # what is not signed says so
            yield ContractOutcome(
                contract=k, supplier=row.supplier, material=row.material, form=row.form, decision="do not sign", level=None, floor=None,
                signed=None, annual_quantity=None, first_delivery=None, last_delivery=None, called_off=0.0, delivered=0.0, deficit=0.0,
                expected_price=None, topups=0.0, upside=0.0, cost=0.0, breakeven=None, share_at_floor=None,
                instruction=f"do not sign {k} with {row.supplier}",
            )  # fmt: skip
        for f, s in signed:
            yield from _signed(formulation, row, f, s, money.get(k, {}))


def _worth(formulation: Formulation, k: str, f: str, at: int, delivers: Mapping[int, int], signed: bool) -> FloorOutcome:
    """What a level is worth at the even rate over the nodes at which it delivers, each with its first delivery; its terms as they
    stand where it is signed."""
    stockpile = formulation.stockpile
    tree, row, level = stockpile.tree, stockpile.at(at).keyed(Contract)[k], menu(stockpile.at(at))[k][f]
    quantity = paid = binding = above = discounted = 0.0
    for n, first in delivers.items():
        there, terms = stockpile.at(n).keyed(Contract)[row.contract], menu(stockpile.at(n))[row.contract][f]
        rate = tree.probability[n] * even(stockpile, terms) * (1.0 if row.form == "cfd" else there.availability)
        least, found = floor_at(stockpile, terms, first, n), reference(stockpile, there, n)
        over = 0.0 if found is None else max(0.0, least - found)
        quantity += rate
        paid += rate * (over if row.form == "cfd" else price(stockpile, there, terms, first, n))
        binding += rate * (found is not None and found < least)
        above += rate * over
        discounted += rate * over * stockpile.discount(tree.period[n])
    floor, tied = floor_value(stockpile, level, at), row.price_index is not None
    return FloorOutcome(
        contract=row.contract,
        level=f,
        signed=signed,
        floor=floor,
        annual_quantity=level.annual_quantity,
        expected_quantity=quantity,
        expected_price=paid / quantity if quantity else 0.0,
        binds=binding / quantity if quantity and tied else None,
        expected_topup=above,
        option_value=discounted,
        option_per_unit=discounted / quantity if quantity else 0.0,
        producer_index=floor / (1 - row.discount) if tied and row.discount < 1 else None,
        buyer_index=floor if tied else None,
        breakeven=None if row.project is None else breakeven(stockpile.at(at).keyed(Project)[row.project], level.annual_quantity),
        cost_difference=None,
        difference_at_least=None,
        to_change=None,
    )


def _floors(formulation: Formulation, row: Contract, signed: Sequence[tuple[str, int]]) -> Iterator[FloorOutcome]:
    """Each level of a contract: where the plan signs it, or else the first date at which it can be."""
    stockpile = formulation.stockpile
    nodes = list(signable(stockpile, row))
    for f in menu(stockpile)[row.contract]:
        if at := [n for ff, n in signed if ff == f]:
            covered = {n: d for each in at for n, d in _begun(formulation, row.contract, f, each).items()}
            yield _worth(formulation, row.contract, f, at[0], covered, signed=True)
        elif nodes:
            first = [n for n in nodes if not any(each in nodes for each in stockpile.tree.paths[n][:-1])]
            rows = {n: stockpile.at(n).keyed(Contract)[row.contract] for n in first}
            opens = {n: 0 if each.project is None else ready(stockpile, each.project, n) for n, each in rows.items()}
            delivers = {n: d for each in first for n, d in begun(stockpile, rows[each], each, opens[each]).items()}
            yield _worth(formulation, row.contract, f, nodes[0], delivers, signed=False)


def _begun(formulation: Formulation, k: str, f: str, s: int) -> dict[int, int]:
    """For each node at which a contract that is signed delivers, the period of its first delivery."""
    m, stockpile = formulation.m, formulation.stockpile
    row = stockpile.at(s).keyed(Contract)[k]
    if row.project is None:
        return begun(stockpile, row, s)
    at = next(int(h) for kk, ff, h, n in m.BEGINS if (kk, ff, n) == (k, f, s) and evaluate(m.begin[kk, ff, h, n]) > 0.5)
    return begun(stockpile, row, s, ready(stockpile, row.project, at))


def _apart(stockpile: Stockpile, s: int, delivers: Mapping[int, int]) -> dict[int | None, dict[int, float]]:
    """The paths through a node of signing by the period of their first delivery (None: none within the horizon), the likeliest
    first; of each the nodes, with how likely a path of these passes them."""
    tree, found = stockpile.tree, dict[int | None, dict[int, float]]()
    for leaf in tree.leaves:
        if s in tree.paths[leaf]:
            nodes = found.setdefault(next((delivers[n] for n in tree.paths[leaf] if n in delivers), None), {})
            for n in tree.paths[leaf]:
                nodes[n] = nodes.get(n, 0.0) + tree.probability[leaf]
    return dict(sorted(found.items(), key=lambda each: -each[1][s]))


def _signed(formulation: Formulation, row: Contract, f: str, s: int, money: Mapping[tuple[int, str], float]) -> Iterator[ContractOutcome]:
    """What becomes of a contract that is signed at level f at node s: a row for each date at which it may deliver first."""
    m, stockpile, k = formulation.m, formulation.stockpile, row.contract
    tree, calendar, unit = stockpile.tree, stockpile.calendar, stockpile.settings.quantity_unit
    delivers, level, date = _begun(formulation, k, f, s), menu(stockpile.at(s))[k][f], calendar.begin(tree.period[s])
    apart = _apart(stockpile, s, delivers)
    of: dict[int | None, dict[str, Any]] = {}
    for first, nodes in apart.items():
        names = [name for name, leaf in stockpile.scenarios.items() if leaf in nodes]
        of[first] = stockpile.where(s) if len(apart) == 1 else {"scenarios": ", ".join(names), "probability": nodes[s]}
    floor = floor_value(stockpile, level, s)
    tied = "" if level.floor_index is None else f" (tied to {level.floor_index})"
    paid_without = f", cash for {amounts.quantity(level.annual_quantity)} {unit} a year from" if row.form == "cfd" else (
        f", {amounts.quantity(level.annual_quantity)} {unit} a year, first delivery"
    )  # fmt: skip
    begins = ["past the horizon" if first is None else amounts.month(calendar.begin(first)) for first in apart]
    later = [f"{each} in {of[first]['scenarios']}" for each, first in zip(begins[1:], list(apart)[1:], strict=True)]
    said = (
        f"{amounts.month(date)}: sign {k} with {row.supplier} at level {f}, "
        f"floor {amounts.money(floor)} {stockpile.settings.currency}/{unit}{tied}"
        f"{paid_without} {begins[0]}" + (f" ({'; '.join(later)})" if later else "")
    )
    for first, nodes in apart.items():
        called = paid = at_floor = arrived = 0.0
        for kk, ff, d, n in m.TAKES:
            if (kk, ff, d) == (k, f, first) and n in nodes and delivers.get(n) == d:
                there, level_there = stockpile.at(n).keyed(Contract)[k], menu(stockpile.at(n))[k][f]
                taken = nodes[n] * evaluate(m.take[kk, ff, d, n])
                arriving = taken * there.availability
                called, arrived = called + taken, arrived + arriving
                paid += arriving * price(stockpile, there, level_there, d, n)
                most = market(stockpile, there, n)
                if most is None or most <= floor_at(stockpile, level_there, d, n):
                    at_floor += taken
        deficit = sum(
            nodes[n] * evaluate(m.deficit[kk, ff, d, n])
            for kk, ff, d, n in m.DEFICITS
            if (kk, ff, d) == (k, f, first) and n in nodes and delivers.get(n) == d
        )
        sums: dict[str, float] = {}
        for (n, heading), amount in money.items():
            if n in nodes and s in tree.paths[n]:
                sums[heading] = sums.get(heading, 0.0) + nodes[n] * amount
        last = None if first is None else calendar.end(last_period(stockpile, stockpile.at(s).keyed(Contract)[k], first))
        yield ContractOutcome(
            **of[first],
            contract=k,
            supplier=row.supplier,
            material=row.material,
            form=row.form,
            decision="sign",
            level=f,
            floor=floor,
            signed=date,
            annual_quantity=level.annual_quantity,
            first_delivery=None if first is None else calendar.begin(first),
            last_delivery=last,
            called_off=called,
            delivered=arrived,
            deficit=deficit if deficit > stockpile.scale.nothing else 0.0,
            expected_price=paid / arrived if arrived > stockpile.scale.nothing else None,
            topups=sums.get("topups", 0.0),
            upside=0.0 - sums.get("upside", 0.0),
            cost=sum(sums.values()),
            breakeven=None if row.project is None else breakeven(stockpile.at(s).keyed(Project)[row.project], level.annual_quantity),
            share_at_floor=at_floor / called if called > stockpile.scale.nothing else None,
            instruction=said,
        )
