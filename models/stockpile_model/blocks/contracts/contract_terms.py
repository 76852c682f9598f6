"""The terms of offtakes: their rows, dates, prices and break-even, as numbers.

The producer commits a quantity, the buyer a least price, chosen from a menu of levels.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from stockpile_model.blocks.commitments.commitment_terms import (
    Commitment,
    decided,
    once,
    ready_before,
)
from stockpile_model.calendar import overlap
from stockpile_model.extremes import larger, smaller
from stockpile_model.giving import FACT, TERM, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project, Supplier

LONGEST = 12_000.0  # term of a contract: a calendar ends with the year 9999 [months]


@dataclass(frozen=True, kw_only=True)
class Contract(Row):
    """An offtake that can be signed at one level of its menu."""

    TABLE = "contracts"
    PURPOSE = (
        "Offtakes: metal at a price with a floor, a quantity committed for years; or, as "
        "`cfd`, cash without metal. Signed once or not at all."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "sign_from": Give("earlier", TERM, grows=True),
        "sign_to": Give("later", TERM, grows=True),
        "deliver_from": Give("earlier", TERM),
        "term_months": Give("more", TERM, grows=True),
        "take_or_pay": Give("less", TERM),
        "flex": Give("more", TERM),
        "least_per_period": Give("less", TERM),
        "least_total": Give("less", TERM),
        "call_off_lot": Give("less", TERM),
        "call_off_cost": Give("less", FACT),
        "signing_cost": Give("less", FACT),
        "prepayment": Give("less", TERM),
        "ceiling": Give("less", TERM),
        "lead_time_months": Give("less", FACT),
        "duty": Give("less", FACT),
        "freight": Give("less", FACT),
        "availability": Give("more", FACT),
        "life_on_receipt_months": Give("more", FACT),
        "form": Give("default", FACT),
        "discount": Give("more", TERM),
        "credit": Give("more", TERM),
        "option_from": Give("earlier", TERM),
        "option_months": Give("more", TERM),
        "option_price": Give("less", TERM),
    }
    contract: str = column("name of the offtake", required=True, key=True)
    supplier: str = column("producer", required=True, refers="suppliers")
    material: str = column("what is delivered", required=True, refers="materials")
    form: str = column(
        "`purchase`: metal at max(floor, min(ceiling, reference)); "
        "`cfd`: cash top-up only, no metal",
        default="purchase",
        choices=("purchase", "cfd"),
    )
    price_index: str | None = column(
        "index of the reference price; blank = the floor is the price",
        refers="prices",
        outlier="either",
    )
    discount: float = column(
        "reference = index x (1 - discount)", "1", default=0.0, most=1, indexed="less"
    )
    ceiling: float | None = column(
        "most the reference may count; blank = none", "money/quantity", least=0
    )
    upside_share: float = column(
        "share of the reference above the trigger that the buyer receives",
        "1",
        default=0.0,
        least=0,
        most=1,
    )
    upside_trigger: float | None = column(
        "reference above which the upside is shared", "money/quantity", least=0
    )
    upside_cap: float | None = column(
        "most upside in a contract year; blank = no limit",
        "money/year",
        least=0,
        endowed="contract",
    )
    sign_from: dt.date | None = column("first date it can be signed; blank = from the start")
    sign_to: dt.date | None = column("last date it can be signed; blank = to the end")
    deliver_from: dt.date | None = column("earliest first delivery; blank = signing + lead time")
    term_months: float | None = column(
        "length from the first delivery; blank = to the end of the horizon",
        "months",
        above=0,
        most=LONGEST,
        whole_periods=True,
    )
    take_or_pay: float = column(
        "share of the annual quantity paid for whether taken or not",
        "1",
        default=1.0,
        least=0,
        most=1,
    )
    flex: float = column(
        "a period's largest delivery as a multiple of the even rate", "1", default=1.0, above=0
    )
    least_per_period: float = column(
        "share of the even rate that each period takes at least", "1", default=0.0, least=0
    )
    least_total: float | None = column(
        "quantity called off over the whole term at least, instead of a yearly take-or-pay; what "
        "lacks at its end is paid; blank = take_or_pay holds",
        "quantity",
        least=0,
        endowed="contract",
    )
    call_off_lot: float | None = column(
        "each call-off is a whole number of lots of this size; blank = any quantity",
        "quantity",
        above=0,
    )
    call_off_cost: float = column("cost of each call-off", "money", default=0.0, least=0)
    signing_cost: float = column("paid at signing", "money", default=0.0, least=0)
    prepayment: float = column(
        "money paid at signing", "money", default=0.0, least=0, endowed="contract"
    )
    credit: float = column(
        "taken off what is due for each unit delivered, until the prepayment is used up; what is "
        "left of it at the end of the term is lost",
        "money/quantity",
        default=0.0,
        least=0,
    )
    option_from: dt.date | None = column(
        "when the buyer decides whether to extend the term; blank, or a date after it = in the "
        "last period of the term; before it = in the first"
    )
    option_months: float = column(
        "by how long the buyer may extend the term, once and on the same terms; 0 = not at all",
        "months",
        default=0.0,
        least=0,
        most=LONGEST,
        whole_periods=True,
    )
    option_price: float = column(
        "paid if the term is extended, when that is decided",
        "money",
        default=0.0,
        least=0,
        endowed="contract",
    )
    lead_time_months: float = column(
        "from signing to first delivery", "months", default=0.0, least=0, whole_periods=True
    )
    duty: float = column("customs duty, share of the price", "1", default=0.0, least=0)
    freight: float = column("freight", "money/quantity", default=0.0, least=0)
    availability: float = column(
        "share of what is called off that arrives", "1", default=1.0, least=0, most=1, fed=True
    )
    project: str | None = column("project the contract waits for", refers="projects")
    life_on_receipt_months: float | None = column(
        "life left when it arrives; blank = the whole shelf life",
        "months",
        above=0,
        whole_periods=True,
        age="received",
    )
    currency: str | None = column(
        "currency of the money of this row, of its levels and of its index: an index of `prices` "
        "of that name, money of the book per unit of it at the date of payment; blank = the book's",
        refers="prices",
    )


@dataclass(frozen=True, kw_only=True)
class Floor(Row):
    """A level on the menu of a contract: a least price, and what is committed at it."""

    TABLE = "floors"
    PURPOSE = (
        "The menu of a contract: at most one level is signed. The higher the floor, the more "
        "the producer commits."
    )
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "floor": Give("less", TERM),
        "floor_factor": Give("less", TERM),
        "annual_quantity": Give("either", TERM),
        "escalation": Give("less", TERM),
    }
    contract: str = column(
        "contract whose menu this is", required=True, key=True, refers="contracts"
    )
    level: str = column("name of the level", required=True, key=True)
    floor: float | None = column("least price", "money/quantity", least=0, outlier="either")
    floor_index: str | None = column(
        "index the floor is tied to, instead of a fixed floor", refers="prices"
    )
    floor_factor: float | None = column(
        "floor as a share of that index; blank = 1", "1", least=0, indexed="times"
    )
    annual_quantity: float = column(
        "what the producer commits at that floor",
        "quantity/year",
        required=True,
        least=0,
        endowed="contract",
        outlier="either",
        fed=True,
    )
    escalation: float = column(
        "rise of the floor, each whole contract year", "1/year", default=0.0, above=-1
    )


@functools.lru_cache(maxsize=1024)
def menu(stockpile: Stockpile) -> Mapping[str, Mapping[str, Floor]]:
    """Return the levels on the menu of each contract, by name."""
    found: dict[str, dict[str, Floor]] = {k: {} for k in stockpile.keyed(Contract)}
    for row in stockpile.rows(Floor):
        found.setdefault(row.contract, {})[row.level] = row
    return found


# Dates ----------------------------------------------------------------------------------------


def signed_before(stockpile: Stockpile, name: str) -> Commitment | None:
    """Return the signature of a contract before the start; None: it was not signed then."""
    return once(stockpile, "sign", name)


def signed_level(stockpile: Stockpile, row: Commitment) -> str:
    """Return the level at which a contract was signed: the one stated, or the only one."""
    return row.level or next(iter(menu(stockpile)[row.name]))


def signing_period(stockpile: Stockpile, name: str, node: int) -> int:
    """Return the period in which a contract is signed: below 0 where that was before the start.

    A signature before the start stands at the first node of each path, and so do its terms.
    """
    row = signed_before(stockpile, name)
    return stockpile.tree.period[node] if row is None else decided(stockpile, row)


def agreed(stockpile: Stockpile, contract: Contract, node: int) -> int:
    """Return the first period in which a contract signed at a node may deliver.

    It is the later of `deliver_from` and signing plus lead time; it may lie before the start.
    """
    calendar = stockpile.calendar
    signed = signing_period(stockpile, contract.contract, node)
    lead = signed + calendar.count(contract.lead_time_months)
    begin = contract.deliver_from
    return lead if begin is None else max(lead, calendar.period(begin))


def _opens(stockpile: Stockpile, contract: Contract, node: int, ready: int | None) -> int:
    """Return the first period that is agreed, and in which the plant is ready."""
    waits = (ready, ready_before(stockpile, contract.project))
    return max([agreed(stockpile, contract, node), *(each for each in waits if each is not None)])


def delivers_since(stockpile: Stockpile, name: str) -> int | None:
    """Return the period, below 0, of a first delivery that is stated; None where none is."""
    row = signed_before(stockpile, name)
    if row is None or row.first_delivery is None:
        return None
    return stockpile.calendar.period(row.first_delivery)


def begun(
    stockpile: Stockpile, contract: Contract, node: int, ready: int | None = None
) -> dict[int, int]:
    """Return the nodes of delivery of a contract signed at a node, with its first delivery there.

    On each path the first delivery is in the first period that is agreed, in which the supplier
    ships and, for a contract that waits for a project, the plant is `ready`. It lies before the
    start (below 0) where all that was so then.
    """
    tree, least = stockpile.tree, _opens(stockpile, contract, node, ready)
    since = delivers_since(stockpile, contract.contract)
    found: dict[int, int] = {}
    for n in tree.below[node]:
        parent, period = tree.parent[n], tree.period[n]
        if parent in found:
            first = found[parent]
        elif parent is None:
            first = max(least, _shipped(stockpile, contract.supplier, n, least))
            first = first if since is None else since
            if first > period:
                continue
        elif period >= least and period >= stockpile.at(n).shipping(contract.supplier):
            first = period
        else:
            continue
        found[n] = first
    return {
        n: first
        for n, first in found.items()
        if tree.period[n] <= last_period(stockpile, contract, first)
    }


def _shipped(stockpile: Stockpile, supplier: str, node: int, least: int) -> int:
    """Return the period from which a supplier ships as known at a node; no less than `least`."""
    start = stockpile.at(node).keyed(Supplier)[supplier].start
    return least if start is None else max(least, stockpile.calendar.period(start))


def ended(stockpile: Stockpile, contract: Contract, node: int) -> bool:
    """Return whether the term of a contract that was signed is over before a first node."""
    least = _opens(stockpile, contract, node, None)
    since = delivers_since(stockpile, contract.contract)
    first = _shipped(stockpile, contract.supplier, node, least) if since is None else since
    return first < 0 and true_last(stockpile, contract, first) < 0


def signable(stockpile: Stockpile, contract: Contract) -> Iterator[int]:
    """Yield the nodes at which a contract can be signed and still deliver within the horizon.

    Of one that was signed before the start they are the first nodes, where its term goes on.
    """
    calendar, tree = stockpile.calendar, stockpile.tree
    if signed_before(stockpile, contract.contract) is not None:
        for node in tree.at[0]:
            if not ended(stockpile, stockpile.at(node).keyed(Contract)[contract.contract], node):
                yield node
        return
    for node in tree.nodes:
        row = stockpile.at(node).keyed(Contract)[contract.contract]
        window = overlap(calendar, row.sign_from, row.sign_to)
        if tree.period[node] in window and begun(stockpile, row, node):
            yield node


def last_period(stockpile: Stockpile, contract: Contract, first: int) -> int:
    """Return the last period of delivery within the horizon, when the first is `first`."""
    return min(stockpile.calendar.periods - 1, true_last(stockpile, contract, first))


def true_last(stockpile: Stockpile, contract: Contract, first: int) -> int:
    """Return the last period of delivery, also past the horizon, when the first is `first`.

    Without a term it is the last period of the horizon.
    """
    if contract.term_months is None:
        return stockpile.calendar.periods - 1
    return first + stockpile.calendar.count(contract.term_months) - 1


def term(stockpile: Stockpile, contract: Contract, first: int) -> range:
    """Return the periods of the term within the horizon."""
    return range(first, last_period(stockpile, contract, first) + 1)


def extension(stockpile: Stockpile, contract: Contract, first: int) -> range:
    """Return the periods within the horizon by which the term may be extended."""
    calendar = stockpile.calendar
    if contract.term_months is None or contract.option_months == 0:
        return range(0)
    begin = first + calendar.count(contract.term_months)
    return range(begin, min(calendar.periods, begin + calendar.count(contract.option_months)))


def deciding(stockpile: Stockpile, contract: Contract, first: int) -> int:
    """Return the period in which it is decided whether the term is extended."""
    last = last_period(stockpile, contract, first)
    if contract.option_from is None:
        return last
    return min(max(0, first, stockpile.calendar.period(contract.option_from)), last)


def years(stockpile: Stockpile, span: range) -> list[range]:
    """Return the periods of each contract year of a term or extension; the last one may be cut."""
    year = 12 // stockpile.calendar.months
    return [range(begin, min(begin + year, span.stop)) for begin in span[::year]]


def whole(stockpile: Stockpile, span: range) -> list[range]:
    """Return a term or extension as the one span of a least total."""
    return [span]


# Quantities and prices ------------------------------------------------------------------------


def called_off_before(stockpile: Stockpile, name: str) -> float | None:
    """Return what was called off of a running contract year, or term with a total [quantity].

    None where it is not stated: then what is left of the year, or term, counts pro rata.
    """
    row = signed_before(stockpile, name)
    return None if row is None else row.called_off


def prepayment(stockpile: Stockpile, contract: Contract, floor: Floor, first: int) -> float:
    """Return what can be credited of a prepayment from the first delivery in the plan on [money].

    Of a contract signed before the start it is what is left: as stated, or less the credit of all
    that the even rate has delivered since the first delivery, whatever the price was.
    """
    row = signed_before(stockpile, contract.contract)
    if row is None:
        return contract.prepayment
    if row.prepayment_left is not None:
        return row.prepayment_left
    brought = contract.availability * even(stockpile, floor) * max(0, -first)
    return larger(0.0, contract.prepayment - contract.credit * brought)


def even(stockpile: Stockpile, floor: Floor) -> float:
    """Return the even rate of a level [quantity/period]."""
    return floor.annual_quantity * stockpile.calendar.months / 12


def least_take(stockpile: Stockpile, contract: Contract, floor: Floor) -> float:
    """Return the least that is called off in a period at a level [quantity]."""
    return contract.least_per_period * even(stockpile, floor)


def least_total(stockpile: Stockpile, contract: Contract, signed: Contract, periods: int) -> float:
    """Return the least of a whole term of which so many periods are in the horizon [quantity].

    It counts pro rata where the horizon cuts the term, which is that of the contract as `signed`.
    """
    total = contract.least_total or 0.0
    if signed.term_months is None:
        return total
    return total * periods / stockpile.calendar.count(signed.term_months)


def lot(stockpile: Stockpile, contract: Contract) -> float | None:
    """Return the lot of a call-off [quantity]: its own, or the step where its size is free."""
    return stockpile.lot(contract.call_off_lot) if free(contract) else contract.call_off_lot


def free(contract: Contract) -> bool:
    """Return whether the size of a call-off is free.

    It is not where all of the even rate is due in each period.
    """
    due = contract.take_or_pay == 1 or contract.least_per_period == 1
    return contract.least_total is not None or not due or contract.flex != 1


def calls_off(stockpile: Stockpile, contract: Contract) -> bool:
    """Return whether each call-off of a contract is a decision of its own."""
    return contract.form == "purchase" and (
        contract.least_total is not None
        or lot(stockpile, contract) is not None
        or contract.call_off_cost > 0
    )


def brings(stockpile: Stockpile, periods: int) -> float:
    """Return the most that all contracts together may bring in so many periods [quantity]."""
    found = 0.0
    for k in stockpile.keyed(Contract):
        pairs = (
            (view.keyed(Contract)[k], floor)
            for view in stockpile.variants
            for floor in menu(view)[k].values()
        )
        rates = (row.flex * even(stockpile, floor) for row, floor in pairs)
        found += max(rates, default=0.0) * periods
    return found


def exchange_rate(stockpile: Stockpile, name: str, node: int) -> float:
    """Return what a unit of the money of a contract and its index is worth in the book's money.

    The rows of a node are converted; an index stands as it is quoted.
    """
    currency = stockpile.keyed(Contract)[name].currency
    return 1.0 if currency is None else stockpile.price(currency, node)


def reference(stockpile: Stockpile, contract: Contract, node: int) -> float | None:
    """Return index · (1 - discount) [money/quantity]; None where the floor alone is the price."""
    if contract.price_index is None:
        return None
    return stockpile.price(contract.price_index, node) * (1 - contract.discount)


def market(stockpile: Stockpile, contract: Contract, node: int) -> float | None:
    """Return min(ceiling, reference) [money/quantity]; None where the floor is the price."""
    found = reference(stockpile, contract, node)
    if found is None or contract.ceiling is None:
        return found
    return smaller(contract.ceiling, found)


def floor_value(stockpile: Stockpile, floor: Floor, node: int) -> float:
    """Return the floor at a node before it escalates, fixed or tied to an index."""
    if floor.floor_index is None:
        return floor.floor or 0.0
    factor = 1.0 if floor.floor_factor is None else floor.floor_factor
    return stockpile.price(floor.floor_index, node) * factor


def floor_at(stockpile: Stockpile, floor: Floor, first: int, node: int) -> float:
    """Return the floor at a node, escalated by whole contract years from the first delivery."""
    months = (stockpile.tree.period[node] - first) * stockpile.calendar.months
    return floor_value(stockpile, floor, node) * (1 + floor.escalation) ** (months // 12)


def price(stockpile: Stockpile, contract: Contract, floor: Floor, first: int, node: int) -> float:
    """Return max(floor, min(ceiling, reference)) at a node [money/quantity]."""
    least, found = floor_at(stockpile, floor, first, node), market(stockpile, contract, node)
    return least if found is None else larger(least, found)


def credit(stockpile: Stockpile, contract: Contract, floor: Floor, first: int, node: int) -> float:
    """Return min(credit, price), which is taken off what is due for a unit [money/quantity]."""
    return smaller(contract.credit, price(stockpile, contract, floor, first, node))


def prepays(stockpile: Stockpile, name: str) -> bool:
    """Return whether a prepayment of a contract may be credited in any scenario."""
    rows = [view.keyed(Contract)[name] for view in stockpile.variants]
    return (
        rows[0].form == "purchase"
        and any(row.prepayment > 0 for row in rows)
        and any(row.credit > 0 for row in rows)
    )


def topup(stockpile: Stockpile, contract: Contract, floor: Floor, first: int, node: int) -> float:
    """Return max(0, floor - reference), which a cfd pays at a node [money/quantity]."""
    found = reference(stockpile, contract, node) or 0.0
    return larger(0.0, floor_at(stockpile, floor, first, node) - found)


def upside(stockpile: Stockpile, contract: Contract, node: int) -> float:
    """Return share · max(0, reference - trigger), due to the buyer at a node [money/quantity]."""
    if contract.upside_share == 0:
        return 0.0
    above = (reference(stockpile, contract, node) or 0.0) - (contract.upside_trigger or 0.0)
    return contract.upside_share * larger(0.0, above)


def most_upside(stockpile: Stockpile, contract: Contract, periods: int, gone: int = 0) -> float:
    """Return the cap on the upside of a contract year of so many periods, pro rata [money].

    `gone`: its periods before the start, for which the cap counts too where it is stated what was
    received in them; that is taken off.
    """
    row = signed_before(stockpile, contract.contract) if gone else None
    received = None if row is None else row.upside_received
    periods += 0 if received is None else gone
    cap = (contract.upside_cap or 0.0) * periods * stockpile.calendar.months / 12
    return cap if received is None else larger(0.0, cap - received)


def bound_money(stockpile: Stockpile, name: str, level: str | None, node: int) -> float:
    """Return what a level signed at a node binds at its floor, within the horizon [money].

    It is floor · even rate over the term, as known there; 0 where it would deliver nothing. Without
    a level it is that of the first of the menu.
    """
    contract = stockpile.at(node).keyed(Contract)[name]
    levels = menu(stockpile.at(node))[name]
    floor = levels[level] if level is not None else next(iter(levels.values()))
    least = max(agreed(stockpile, contract, node), stockpile.at(node).shipping(contract.supplier))
    first = max(least, stockpile.tree.period[node])
    rate = floor_value(stockpile, floor, node) + contract.freight
    return rate * even(stockpile, floor) * len(term(stockpile, contract, first))


# Break-even -----------------------------------------------------------------------------------

ROUNDING = 1e-9  # part of a capital cost, or of a break-even, by which rounding may miss it [1]


def annuity(rate: float, years: float) -> float:
    """Return the present value of 1 at the end of each year [1]."""
    return years if rate == 0 else (1 - (1 + rate) ** -years) / rate


def breakeven(project: Project, annual_quantity: float, grant: float = 0.0) -> float | None:
    """Return the break-even of a plant at a committed quantity [money/quantity].

    It is the one that is given, or opex + (capex - grant) / (quantity per year · annuity): the
    least constant price at which margins at the end of each year of the plant's life return the
    capital spent at its start, when a grant [money] pays part of that. None where the workbook
    gives neither, or capital is left and nothing is committed to return it.
    """
    if project.capex is not None and project.life_years is not None:
        capital = max(0.0, project.capex - grant)
        if project.breakeven_floor is None or grant > 0:
            yearly = annual_quantity * annuity(project.rate, project.life_years)
            if yearly > 0:
                return project.opex + capital / yearly
            return None if capital > 0 else project.opex
    return project.breakeven_floor


def financed(project: Project) -> bool:
    """Return whether grant and floors carry a plant together, up to its capital cost."""
    return project.capex is not None and project.life_years is not None


def capital(project: Project) -> float:
    """Return what grant and floors must bring together, rounding allowed for [money]."""
    return (project.capex or 0.0) * (1 - ROUNDING)


def backing(stockpile: Stockpile, project: Project, floor: Floor, node: int) -> float:
    """Return what a level signed at a node brings towards the capital of a plant [money].

    It is annuity · quantity per year · (floor - opex): the present worth of its margins over the
    plant's life; all of the capital where the floor is at or above a break-even that is given.
    """
    if project.capex is None or project.life_years is None:
        return 0.0
    price, enough = floor_value(stockpile, floor, node), project.breakeven_floor
    if enough is not None and price >= enough * (1 - ROUNDING):
        return project.capex
    years = annuity(project.rate, project.life_years)
    return years * floor.annual_quantity * (price - project.opex)


def least_floor(stockpile: Stockpile, contract: Contract, floor: Floor, node: int) -> float | None:
    """Return the break-even of a contract's project at the quantity of a level.

    None where the contract waits for no project or the break-even is not known.
    """
    if contract.project is None:
        return None
    project = stockpile.at(node).keyed(Project)[contract.project]
    return breakeven(project, floor.annual_quantity)


def carries(stockpile: Stockpile, contract: Contract, floor: Floor, node: int) -> bool:
    """Return whether signing a level at a node makes the contract's project go ahead.

    It does where the floor is at or above the break-even.
    """
    least = least_floor(stockpile, contract, floor, node)
    return least is not None and floor_value(stockpile, floor, node) >= least * (1 - ROUNDING)
