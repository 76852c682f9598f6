"""Purchases: spot and framework offers, ordered in one period and delivered in a later one."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.block import Block, Deed, Tally, asks_spending
from stockpile_model.blocks import bounds, price_breaks, projects
from stockpile_model.blocks.price_breaks import PriceBreak
from stockpile_model.calendar import overlap
from stockpile_model.checks import ordered, seen, whole_periods
from stockpile_model.evaluation import evaluate
from stockpile_model.extremes import larger, smaller
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import DUTY, FREIGHT, Arrival, Heading, Ledger
from stockpile_model.schema import Dated, Problem, Result, Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Offer(Row):
    TABLE = "offers"
    PURPOSE = "Spot and framework purchases: ordered in one period, delivered in a later one."
    STEP = "means"
    offer: str = column("name of the offer", required=True, key=True)
    supplier: str = column("who ships", required=True, refers="suppliers")
    material: str = column("what is bought", required=True, refers="materials")
    price: float | None = column("fixed price", "money/quantity", least=0)
    price_index: str | None = column("index that sets the price", refers="prices")
    premium: float = column("share of the index paid on top of it", "1", default=0.0, least=-1)
    adder: float = column("paid on top of the price", "money/quantity", default=0.0, least=0)
    duty: float = column("customs duty, share of the price (without adder and freight)", "1", default=0.0, least=0)
    freight: float = column("freight", "money/quantity", default=0.0, least=0)
    from_: dt.date | None = column("first date an order can be placed; blank = from the start")
    to: dt.date | None = column("last date an order can be placed; blank = to the end")
    capacity: float | None = column("most that can be ordered in a period; blank = unlimited", "quantity/period", least=0)
    total: float | None = column("most that can be ordered over the horizon; blank = unlimited", "quantity", least=0)
    minimum_order: float = column("least quantity of an order", "quantity", default=0.0, least=0)
    lot_size: float | None = column("orders are whole multiples of it; blank = any quantity", "quantity", above=0)
    order_cost: float = column("cost of each order placed", "money", default=0.0, least=0)
    lead_time_months: float = column("time from order to arrival", "months", default=0.0, least=0)
    payment: str = column("when the metal is paid", default="delivery", choices=("delivery", "order"))
    availability: float = column("share of what was ordered that arrives", "1", default=1.0, least=0, most=1)
    site: str | None = column("where it arrives; blank = any site", refers="sites")
    project: str | None = column("project the offer waits for", refers="projects")


@dataclass(frozen=True, kw_only=True)
class Order(Dated):
    SHEET = "orders"
    ABOUT = "what to order, when and from whom"
    PLACE = 10
    MEANS = ("date", "offer")
    DECIDED = "date"
    date: dt.date = column("first day of the period in which the order is placed")
    offer: str = column("offer")
    supplier: str = column("supplier")
    material: str = column("material")
    ordered: float = column("quantity ordered", "quantity")
    lots: int | None = column("whole lots ordered", "lots")
    arrives: dt.date = column("first day of the period of arrival")
    arriving: float = column("quantity that arrives, expected", "quantity")
    price: float = column("average price with adder, expected", "money/quantity", per="arriving")
    delivered_price: float = column("average price with adder, duty and freight, expected", "money/quantity", per="arriving")
    price_break: float | None = column("quantity of the price break that the order reaches; blank = none", "quantity", given=True)
    cheaper_from: float | None = column("quantity from which buying up to that break costs less; blank = nothing is bought up", "quantity")
    order_cost: float = column("cost of placing the order", "money")
    relaxed: bool = column("whether it is beyond firm_periods: lots, minimum, cost and breaks hold on average only")
    paid: float = column("what the order costs in all, undiscounted, expected", "money")
    paid_on: dt.date = column("first day of the period in which the metal is paid")
    instruction: str = column("what to do", sentence=True)


FINEST = 1e-8  # lot of which whole ones are ordered [units of the scale]
ALIKE = 1e-9  # part of a quantity by which rounding may change it [1]
EXCESS = 100.0  # times the largest need that an order is taken to hold at most because its offer says so


def lead(stockpile: Stockpile, offer: Offer) -> int:
    """Periods from order to arrival."""
    return stockpile.calendar.count(offer.lead_time_months)


def placeable(stockpile: Stockpile, offer: Offer) -> Iterator[int]:
    """The nodes at which an order can be placed: within the offer's dates, once the supplier ships, and early enough to
    arrive within the horizon (workbook contract, fine print)."""
    tree, calendar = stockpile.tree, stockpile.calendar
    opens = 0 if offer.project is None else projects.earliest(stockpile, offer.project)

    @functools.cache
    def window(view: Stockpile) -> range:
        """The periods in which the rows of a view let an order be placed."""
        row = view.keyed(Offer)[offer.offer]
        dates = overlap(calendar, row.from_, row.to)
        return range(max(dates.start, opens, view.shipping(row.supplier)), min(dates.stop, calendar.periods - lead(stockpile, row)))

    for node in tree.nodes if stockpile.counts(offer.supplier) else ():
        if tree.period[node] in window(stockpile.at(node)):
            yield node


def landing(stockpile: Stockpile, offer: Offer) -> list[str]:
    """The sites where an offer's metal may arrive."""
    return [offer.site] if offer.site else list(stockpile.sites)


def price(stockpile: Stockpile, offer: Offer, node: int, row: PriceBreak | None = None) -> float:
    """The offer's price at a node from a price break on (None: its own), without adder, duty and freight [money/quantity]."""
    if row is not None and row.price is not None:
        return row.price
    if row is None and offer.price is not None:
        return offer.price
    premium = offer.premium if row is None else row.premium or 0.0
    return stockpile.price(str(offer.price_index), node) * (1 + premium)


def prices(stockpile: Stockpile, offer: Offer, node: int) -> list[float]:
    """The price of each segment of an order that is paid at a node [money/quantity]."""
    return [price(stockpile, offer, node, row) for row in (None, *price_breaks.breaks(stockpile.at(node)).get(offer.offer, ()))]


@functools.lru_cache(maxsize=4096)
def cheapest(stockpile: Stockpile, name: str) -> float:
    """An offer's lowest price with adder [money/quantity]."""
    rows = {n: stockpile.at(n).keyed(Offer)[name] for n in stockpile.tree.nodes}
    return smaller(*(each + row.adder for n, row in rows.items() for each in prices(stockpile, row, n)))


@functools.lru_cache(maxsize=64)
def market(stockpile: Stockpile) -> bounds.Market:
    """The offers, as far as they bound what an order is useful for."""

    def smallest(name: str) -> float:
        return max(row.minimum_order + (row.lot_size or 0.0) for view in stockpile.variants for row in [view.keyed(Offer)[name]])

    def supplied(name: str) -> float:
        rows = [view.keyed(Offer)[name] for view in stockpile.variants]
        return larger(*(smaller(_unless(row.capacity) * stockpile.calendar.periods, _unless(row.total)) for row in rows))

    lowest, most = dict[str, float](), dict[str, float]()
    for name, row in stockpile.keyed(Offer).items():
        lowest[row.material] = smaller(lowest.get(row.material, math.inf), cheapest(stockpile, name))
        most[row.material] = most.get(row.material, 0.0) + supplied(name)
    offers = {name: cheapest(stockpile, name) for name in stockpile.keyed(Offer)}
    return bounds.Market(offers, lowest, most, sum(map(smallest, offers)))


def _unless(limit: float | None) -> float:
    """A limit; infinite where there is none."""
    return math.inf if limit is None else limit


def ceiling(stockpile: Stockpile, offer: Offer, node: int) -> float | None:
    """Most that one order can hold: what the offer allows, or else what the data let be of any use [quantity]. What is allowed in great
    excess of all needs is cut to that too: the cost of an order would hide in the solver's tolerance."""
    allowed = offer.capacity
    ends = (n for n in stockpile.tree.below[node] if stockpile.tree.period[n] == stockpile.calendar.periods - 1)
    totals = [each for leaf in ends if (each := stockpile.at(leaf).keyed(Offer)[offer.offer].total) is not None]
    if allowed is None and totals:
        allowed = min(totals)
    if allowed is not None and allowed <= EXCESS * stockpile.scale.largest:
        return allowed
    arrival = stockpile.tree.period[node] + lead(stockpile, offer)
    # Where least arrives most must be ordered for the same use.
    arriving = (
        stockpile.at(n).keyed(Offer)[offer.offer].availability for n in stockpile.tree.below[node] if stockpile.tree.period[n] == arrival
    )
    availability = min((each for each in arriving if each > 0), default=0.0)
    if availability == 0:
        return 0.0 if allowed is None else allowed
    useful = bounds.useful(stockpile, offer.material, arrival, offer.offer, market(stockpile))
    if useful == math.inf:
        return allowed
    # More than what is of use may be cheaper in all: up to the last price break.
    breaks = price_breaks.breaks(stockpile.at(node)).get(offer.offer, ())
    most = max([useful / availability + offer.minimum_order, *(row.from_quantity for row in breaks)])
    return smaller(_unless(allowed), most * _shifted(stockpile, offer) + (offer.lot_size or 0))


def _shifted(stockpile: Stockpile, offer: Offer) -> float:
    """By how much buyers may buy beyond that [1]: each pays at most the price p without breaks, so what one cannot pay another
    can only take over by buying more, p - p_s for each unit more at the price p_s, and at most p_s for all that is bought."""
    if len(_buyers(stockpile, offer)) < 2:
        return 1.0
    rates = (prices(stockpile, stockpile.at(n).keyed(Offer)[offer.offer], n) for n in stockpile.tree.nodes)
    return max((max(each) / (max(each) - rate) for each in rates for rate in each if rate < max(each)), default=1.0)


def needs_binary(stockpile: Stockpile, offer: Offer) -> bool:
    return offer.minimum_order > 0 or offer.order_cost > 0 or offer.offer in price_breaks.breaks(stockpile)


def needs_ceiling(stockpile: Stockpile, offer: Offer) -> bool:
    """Whether an order needs a bound: it is placed or not, waits for a project, or must be nothing for a member not to count."""
    return needs_binary(stockpile, offer) or offer.project is not None or bool(bounds.reason(stockpile))


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Offer):
        yield from ordered(row, "from", "to")
        yield from whole_periods(stockpile, row, "lead_time_months")
        yield from seen(row, "availability")
        if row.lot_size is not None and row.lot_size < FINEST * stockpile.scale.quantity:
            found = f"found {amounts.quantity(row.lot_size)} where {amounts.quantity(stockpile.scale.largest)} is needed"
            message = f"is too small for whole lots to mean anything, {found}; leave it blank where any quantity can be ordered"
            yield Problem(row.TABLE, row.line, "lot_size", message)
        if (row.price is None) == (row.price_index is None):
            yield Problem(row.TABLE, row.line, "price", "an offer needs price or price_index, and not both")
        if row.price is not None and row.premium != 0:
            yield Problem(row.TABLE, row.line, "premium", "is a share of an index: it needs price_index instead of price")
        for each in price_breaks.breaks(stockpile).get(row.offer, ()):
            if each.premium is not None and each.price is None and row.price_index is None:
                yield Problem(each.TABLE, each.line, "premium", f"is a share of an index: it needs a price_index of {row.offer}")
            if row.capacity is not None and each.from_quantity > row.capacity:
                found = amounts.quantity(each.from_quantity)
                message = f"is above the capacity of {row.offer}, {amounts.quantity(row.capacity)}: no order reaches it, found {found}"
                yield Problem(each.TABLE, each.line, "from_quantity", message, warning=True)
        smallest = math.ceil(row.minimum_order / row.lot_size * (1 - ALIKE)) * row.lot_size if row.lot_size else row.minimum_order
        smallest = max(smallest, row.lot_size or 0)
        for name, limit in (("capacity", row.capacity), ("total", row.total)):
            if limit is not None and 0 < limit < smallest * (1 - ALIKE):
                found = amounts.quantity(limit)
                message = f"is below the smallest order, {amounts.quantity(smallest)}: no order can be placed, found {found}"
                yield Problem(row.TABLE, row.line, name, message, warning=True)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Offer):
        if not stockpile.counts(row.supplier) or all(view.keyed(Offer)[row.offer].availability == 0 for view in stockpile.variants):
            continue
        nodes = list(placeable(stockpile, row))
        if not nodes:
            yield Problem(
                row.TABLE, row.line, "offer", f"{row.offer} can never be ordered within the horizon: see its dates and lead time", True
            )
            continue
        rows = [(n, stockpile.at(n).keyed(Offer)[row.offer]) for n in nodes]
        if any(needs_ceiling(stockpile, each) and ceiling(stockpile, each, n) is None for n, each in rows):
            why = (
                "orders have a minimum, a cost or price breaks"
                if any(needs_binary(stockpile, each) for _, each in rows)
                else "the offer waits for a project"
                if row.project is not None
                else bounds.reason(stockpile)
            )
            message = f"is needed: {why}, and nothing else in the workbook bounds what could be bought"
            yield Problem(row.TABLE, row.line, "capacity", message)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Orders, and their arrivals ℓ_o periods later at every descendant d of the node n of the order:

    q_min·place ≤ buy ≤ cap·place,  buy = lot·lots,  Σ_path buy ≤ total,  Σ_w arrive[o,w,d] = availability·buy[o,n].

    An order under a project waits until the project is ready. With several buyers each pays for what arrives at its sites.
    Beyond `firm_periods` orders are relaxed: placed in part (place = buy/cap costs least), in parts of lots, at a mix of the
    prices of their breaks.
    """
    tree = stockpile.tree
    offers = stockpile.keyed(Offer)
    there = [stockpile.at(n).keyed(Offer) for n in tree.nodes]

    def offer(o: str, n: int) -> Offer:
        return there[n][o]

    orders = [(o, n) for o, row in offers.items() for n in placeable(stockpile, row)]
    limits: Mapping[tuple[str, int], float | None] = {
        (o, n): ceiling(stockpile, offer(o, n), n) if needs_ceiling(stockpile, offer(o, n)) else offer(o, n).capacity for o, n in orders
    }

    def smallest(o: str, n: int) -> float:
        """An order is at least its minimum; and where it has a cost, or a rule asks for spending, that is not paid for nothing."""
        costs = offer(o, n).order_cost > 0 or asks_spending(stockpile)
        visible = min(stockpile.scale.visible, limits[o, n] or stockpile.scale.visible)
        return max(offer(o, n).minimum_order, visible if costs else 0.0)

    def in_part(o: str, n: int) -> bool:
        """Whether an order is placed just as far as it is bought of its ceiling: relaxed, at one price, and no rule asks for
        spending; then it needs no variable of its own. One whose minimum is above its ceiling is never placed."""
        entire = stockpile.firm(n) or o in price_breaks.breaks(stockpile) or asks_spending(stockpile)
        return not entire and smallest(o, n) <= (limits[o, n] or 0.0)

    placings = [(o, n) for o, n in orders if needs_binary(stockpile, offer(o, n)) and not in_part(o, n)]
    placed = set(placings)
    broken = {
        (o, n): price_breaks.segments(stockpile.at(n), o, limits[o, n] or 0.0) for o, n in placings if o in price_breaks.breaks(stockpile)
    }
    m.OFFERS = pyo.Set(initialize=list(offers), doc="offers")
    m.ORDERS = pyo.Set(dimen=2, initialize=orders, doc="offer, node at which it can be ordered")
    m.PLACINGS = pyo.Set(dimen=2, initialize=placings, doc="orders that are placed or not")
    m.LOT_ORDERS = pyo.Set(
        dimen=2, initialize=[(o, n) for o, n in orders if stockpile.firm(n) and offer(o, n).lot_size], doc="orders in whole lots"
    )
    # Where an order is placed or not its capacity is a row alone, so that one thing gives way when the limit does.
    m.buy = pyo.Var(m.ORDERS, bounds=lambda m, o, n: (0, None if (o, n) in placed else limits[o, n]), doc="quantity ordered [quantity]")
    m.place = pyo.Var(
        m.PLACINGS,
        domain=lambda m, o, n: pyo.Binary if stockpile.firm(n) else pyo.UnitInterval,
        doc="whether an order is placed [1]",
    )
    m.lots = pyo.Var(m.LOT_ORDERS, domain=pyo.NonNegativeIntegers, doc="lots in an order [lots]")
    m.cap_order = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[key for key in placings if key not in broken]),
        rule=lambda m, o, n: m.buy[o, n] <= limits[o, n] * m.place[o, n],
        doc="an order is placed and within the capacity [quantity]",
    )
    m.hold_minimum_order = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[(o, n) for o, n in m.PLACINGS if smallest(o, n) > 0]),
        rule=lambda m, o, n: m.buy[o, n] >= smallest(o, n) * m.place[o, n],
        doc="an order is at least the minimum [quantity]",
    )
    m.hold_lots = pyo.Constraint(
        m.LOT_ORDERS, rule=lambda m, o, n: m.buy[o, n] == offer(o, n).lot_size * m.lots[o, n], doc="an order is whole lots [quantity]"
    )

    lands = {(o, n): tree.later(n, lead(stockpile, offer(o, n))) for o, n in orders}

    def paid_at(o: str, n: int) -> list[int]:
        """Where an order is paid: at its own node, or at every node of its arrival."""
        return [n] if offer(o, n).payment == "order" else lands[o, n]

    rising = {
        (o, s, n)
        for (o, n), found in broken.items()
        for s in range(1, len(found))
        for d in paid_at(o, n)
        if (rates := prices(stockpile, offer(o, d), d))[s] > rates[s - 1]
    }
    price_breaks.divide(m, stockpile, broken, rising)

    waiting = [(o, n) for o, n in orders if offer(o, n).project is not None]
    m.link_order_project = pyo.Constraint(
        pyo.Set(dimen=2, initialize=waiting),
        rule=lambda m, o, n: (
            (m.place[o, n] if (o, n) in m.PLACINGS else m.buy[o, n])
            <= (1.0 if (o, n) in m.PLACINGS else limits[o, n]) * projects.ready(m, stockpile, str(offer(o, n).project), n)
        ),
        doc="an order waits until its project is ready [quantity]",
    )
    for key, row in m.link_order_project.items():
        if key in placed:
            m.scaling_factor[row] = 1.0

    reachable = set(orders)
    on_path = {
        (o, leaf): [n for n in tree.paths[leaf] if (o, n) in reachable]
        for o, row in offers.items()
        for leaf in tree.leaves
        if stockpile.at(leaf).keyed(Offer)[o].total is not None
    }
    m.cap_total = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[key for key, nodes in on_path.items() if nodes]),
        rule=lambda m, o, leaf: summed(m.buy[o, n] for n in on_path[o, leaf]) <= offer(o, leaf).total,
        doc="orders over the horizon stay within the offer's total [quantity]",
    )

    # (offer, node of arrival) -> nodes of the orders that arrive: several where a scenario changes the lead time
    placed_at: dict[tuple[str, int], list[int]] = {}
    for (o, n), nodes in lands.items():
        for d in nodes:
            placed_at.setdefault((o, d), []).append(n)

    def brought(o: str, d: int) -> Any:
        """What the orders that arrive at a node bring [quantity]."""
        parts = [offer(o, d).availability * m.buy[o, n] for n in placed_at[o, d]]
        return parts[0] if len(parts) == 1 else summed(parts)

    split = [key for key in placed_at if len(landing(stockpile, offers[key[0]])) > 1]
    m.ARRIVALS = pyo.Set(
        dimen=3,
        initialize=[(o, w, d) for o, d in split for w in landing(stockpile, offers[o])],
        doc="offer, site, node of an arrival that may be split",
    )
    m.arrive = pyo.Var(m.ARRIVALS, domain=pyo.NonNegativeReals, doc="what arrives at a site [quantity]")
    m.balance_arrival = pyo.Constraint(
        pyo.Set(dimen=2, initialize=split),
        rule=lambda m, o, d: summed(m.arrive[o, w, d] for w in landing(stockpile, offers[o])) == brought(o, d),
        doc="what arrives is split over the sites [quantity]",
    )

    buyers = {o: _buyers(stockpile, row) for o, row in offers.items()}
    shared = {o: several for o, several in buyers.items() if len(several) > 1}
    portions = [(o, b, n) for o, n in orders if o in shared and offer(o, n).payment == "order" for b in shared[o]]
    m.PORTIONS = pyo.Set(dimen=3, initialize=portions, doc="offer, buyer, node of an order that is paid when placed and that buyers share")
    m.portion = pyo.Var(m.PORTIONS, domain=pyo.NonNegativeReals, doc="a buyer's part of an order [quantity]")
    m.balance_portion = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(dict.fromkeys((o, n) for o, _, n in portions))),
        rule=lambda m, o, n: summed(m.portion[o, b, n] for b in shared[o]) == m.buy[o, n],
        doc="the buyers' parts are the whole order [quantity]",
    )
    m.balance_buyer_arrival = pyo.Constraint(
        pyo.Set(
            dimen=3,
            initialize=[
                (o, b, d) for (o, d), at in placed_at.items() if (o, shared.get(o, [""])[0], at[0]) in m.PORTIONS for b in shared[o]
            ],
        ),
        rule=lambda m, o, b, d: (
            summed(m.arrive[o, w, d] for w in _at(stockpile, offers[o], b))
            == summed(offer(o, d).availability * m.portion[o, b, n] for n in placed_at[o, d])
        ),
        doc="what arrives for a buyer is its part of the order [quantity]",
    )

    # What is paid at a node: (offer, node of payment) -> nodes of the orders, and the share of an order that is paid.
    bills = {(o, d): (at, offer(o, d).availability) for (o, d), at in placed_at.items() if offer(o, d).payment == "delivery"}
    bills |= {(o, n): ([n], 1.0) for o, n in orders if offer(o, n).payment == "order"}
    m.BILLS = pyo.Set(
        dimen=3,
        initialize=[(o, b, n) for (o, n), (at, _) in bills.items() if o in shared and (o, at[0]) in broken for b in shared[o]],
        doc="offer, buyer, node at which an order with price breaks is paid that buyers share",
    )
    m.bill = pyo.Var(m.BILLS, domain=pyo.NonNegativeReals, doc="what a buyer pays for its part of an order, without adder [money]")

    def metal(o: str, n: int, at: Sequence[int], share: float) -> Any:
        """Price times quantity of what is paid at a node of orders with price breaks, without adder [money]."""
        rates = prices(stockpile, offer(o, n), n)
        parts = (share * rate * m.part[o, s, each] for each in at for s, rate in zip(range(len(broken[o, each])), rates, strict=False))
        return summed(parts)

    def bought(o: str, b: str, n: int) -> Any:
        """What a buyer's payment at a node is for [quantity]."""
        if offer(o, n).payment == "order":
            return m.portion[o, b, n]
        return summed(m.arrive[o, w, n] for w in _at(stockpile, offers[o], b))

    m.balance_bill = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(dict.fromkeys((o, n) for o, _, n in m.BILLS))),
        rule=lambda m, o, n: summed(m.bill[o, b, n] for b in shared[o]) == metal(o, n, *bills[o, n]),
        doc="the buyers' payments are the price of the order [money]",
    )
    m.cap_bill = pyo.Constraint(
        m.BILLS,
        rule=lambda m, o, b, n: m.bill[o, b, n] <= max(prices(stockpile, offer(o, n), n)) * bought(o, b, n),
        doc="no buyer pays more for its part than the price without breaks [money]",
    )

    def unit_price(o: str, d: int) -> Any:
        """What a unit that arrives costs with its adder, or the money and the quantity of which it is the ratio."""
        at = placed_at[o, d]
        if offer(o, d).payment == "delivery":
            if (o, at[0]) not in broken:
                return price(stockpile, offer(o, d), d) + offer(o, d).adder
            whole = summed(m.buy[o, n] for n in at)
            return metal(o, d, at, 1.0) + offer(o, d).adder * whole, whole
        if len(at) == 1 and (o, at[0]) not in broken:
            return price(stockpile, offer(o, at[0]), at[0]) + offer(o, at[0]).adder
        spent = [metal(o, n, [n], 1.0) if (o, n) in broken else price(stockpile, offer(o, n), n) * m.buy[o, n] for n in at]
        adders = [offer(o, n).adder * m.buy[o, n] for n in at]
        return summed([*spent, *adders]), summed(m.buy[o, n] for n in at)

    for (o, d), at in placed_at.items():
        row = offer(o, d)
        sites, bounds_ = landing(stockpile, row), [limits[o, n] for n in at]
        known = None if None in bounds_ else row.availability * sum(each for each in bounds_ if each is not None)
        each_price = unit_price(o, d)
        for w in sites:
            amount = m.arrive[o, w, d] if len(sites) > 1 else brought(o, d)
            ledger.bring(Arrival(d, row.material, w, 0, amount, "offers", o, row.supplier, each_price, known))
    for (o, n), (at, share) in bills.items():
        row = offer(o, n)
        for b in buyers[o]:
            if o in shared:
                quantity, times = bought(o, b, n), 1.0
            else:
                quantity, times = (m.buy[o, at[0]] if len(at) == 1 else summed(m.buy[o, each] for each in at)), share
            if (o, at[0]) not in broken:
                rate = price(stockpile, row, n)
                costs = {"purchases": rate + row.adder, "duty": row.duty * rate, "freight": row.freight}
                amounts = {heading: times * each * quantity for heading, each in costs.items() if each}
            else:
                spent = m.bill[o, b, n] if o in shared else metal(o, n, at, share)
                costs = {"purchases": row.adder, "duty": 0.0, "freight": row.freight}
                amounts = {heading: times * each * quantity for heading, each in costs.items() if each}
                amounts["purchases"] = amounts.get("purchases", 0.0) + spent
                if row.duty:
                    amounts["duty"] = row.duty * spent
            for heading, amount in amounts.items():
                ledger.pay(n, heading, amount, "purchase", row.material, b or None, o)
    for o, n in orders:
        row = offer(o, n)
        if row.order_cost > 0:
            ledger.pay(n, "order_costs", row.order_cost * _placed(m, o, n), "purchase", row.material, name=o)
        if row.capacity is not None and limits[o, n] == row.capacity:
            if (o, n) in broken:
                last = len(broken[o, n]) - 1
                data, factor = m.cap_part[o, last, n], m.reach[o, last, n]
            elif (o, n) in placed:
                data, factor = m.cap_order[o, n], m.place[o, n]
            else:
                data, factor = m.buy[o, n], 1.0
            ledger.limit(data, "most", row.capacity, "quantity", f"capacity of offer {o}", row, "capacity", n, m.buy[o, n], factor)
    for o, leaf in m.cap_total:
        row = offer(o, leaf)
        ledger.limit(m.cap_total[o, leaf], "most", row.total or 0.0, "quantity", f"total of offer {o}", row, "total", leaf)


def _placed(m: pyo.ConcreteModel, o: str, n: int) -> Any:
    """How far an order is placed [1]: where it has no variable for it, as far as it is bought of its ceiling."""
    return m.place[o, n] if (o, n) in m.PLACINGS else (1 / pyo.value(m.buy[o, n].upper)) * m.buy[o, n]


def _buyers(stockpile: Stockpile, offer: Offer) -> list[str]:
    """The owners of the sites where an offer may arrive; blank for those that serve all."""
    return list(dict.fromkeys(stockpile.sites[w].buyer or "" for w in landing(stockpile, offer)))


def _at(stockpile: Stockpile, offer: Offer, buyer: str) -> list[str]:
    """The sites of a buyer among those where an offer may arrive."""
    return [w for w in landing(stockpile, offer) if (stockpile.sites[w].buyer or "") == buyer]


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    tree, calendar = stockpile.tree, stockpile.calendar
    for o, n in m.ORDERS:
        quantity = evaluate(m.buy[o, n])
        if quantity <= stockpile.scale.nothing:
            continue
        now = stockpile.at(n)
        row, firm = now.keyed(Offer)[o], stockpile.firm(n)
        lots = round(evaluate(m.lots[o, n])) if row.lot_size and firm else None
        arrival = tree.period[n] + lead(stockpile, row)
        paid_at = tree.period[n] if row.payment == "order" else arrival
        date, arrives, paid_on = calendar.begin(tree.period[n]), calendar.begin(arrival), calendar.begin(paid_at)
        cost = row.order_cost * (evaluate(_placed(m, o, n)) if row.order_cost and not firm else 1.0)
        parts = [evaluate(m.part[o, s, n]) for s, _ in enumerate(prices(stockpile, row, n)) if (o, s, n) in m.SEGMENTS]
        last = max((s for s, part in enumerate(parts) if part > stockpile.scale.nothing), default=0)
        begin = price_breaks.segments(now, o, math.inf)[last].begin if firm and parts else None
        quantity = _settled(row, quantity, lots, (row.minimum_order, begin) if firm else ())
        parts = parts or [quantity]
        arriving = sum(weight * there.availability for weight, there, _ in _ends(stockpile, o, n, arrival)) * quantity
        bills = _bills(stockpile, o, n, arrival)
        whole = sum(weight for weight, *_ in bills)
        price = delivered = 0.0
        for share, there, rates in bills:
            # Where nothing arrives on any path the price is that of nothing.
            weight = share / whole if whole else 1 / len(bills)
            base = sum(rate * part for rate, part in zip(rates, parts, strict=False)) / quantity
            price += weight * (base + there.adder)
            delivered += weight * (base * (1 + there.duty) + there.adder + there.freight)
        reached = price_breaks.reached(now, o, quantity) if firm else None
        if reached is not None and not price_breaks.incremental(now, o):
            # At the foot of a break an order may pay either price: its part says which it does.
            reached = price_breaks.segments(now, o, math.inf)[last].row
        paid = delivered * whole * quantity + cost
        _, there, rates = bills[0]
        in_all = [rate * (1 + there.duty) + there.adder + there.freight for rate in rates]
        cheaper_from = None if reached is None else _cheaper_from(now, reached, quantity, in_all)
        bought_up = "" if cheaper_from is None else amounts.about(cheaper_from)
        unit = stockpile.settings.quantity_unit
        yield Order(
            **stockpile.where(n),
            date=date,
            offer=o,
            supplier=row.supplier,
            material=row.material,
            ordered=quantity,
            lots=lots,
            arrives=arrives,
            arriving=arriving,
            price=price,
            delivered_price=delivered,
            price_break=reached.from_quantity if reached else None,
            cheaper_from=cheaper_from,
            order_cost=cost,
            relaxed=not firm,
            paid=paid,
            paid_on=paid_on,
            instruction=(
                f"{amounts.month(date)}: order {amounts.quantity(quantity)} {unit} of {row.material} from {row.supplier} under {o}, "
                f"to arrive {amounts.month(arrives)}, for {amounts.money(paid)} {stockpile.settings.currency} in all"
                + ("" if cheaper_from is None else f" (bought up to the price break: it costs less from {bought_up} {unit} on)")
            ),
        )


def _settled(row: Offer, quantity: float, lots: int | None, least: Sequence[float | None]) -> float:
    """What is ordered, as it is to be done [quantity]: in whole lots, no less than `least` and no more than the offer allows."""
    if lots is not None and row.lot_size:
        whole = amounts.lots(lots, row.lot_size)
        return whole if abs(whole - quantity) <= amounts.NOISE * whole else quantity
    return amounts.snapped(quantity, least, (row.capacity, row.total))


def _ends(stockpile: Stockpile, name: str, n: int, arrival: int) -> list[tuple[float, Offer, int]]:
    """Where an order that is placed at a node arrives: how likely, once it is placed, the offer there, and the node."""
    tree = stockpile.tree
    nodes = tree.later(n, arrival - tree.period[n])
    return [(tree.probability[d] / tree.probability[n], stockpile.at(d).keyed(Offer)[name], d) for d in nodes]


def _bills(stockpile: Stockpile, name: str, n: int, arrival: int) -> list[tuple[float, Offer, list[float]]]:
    """Where an order is paid: the share of it that is paid there, times how likely that is, the offer there, and its prices."""
    row = stockpile.at(n).keyed(Offer)[name]
    if row.payment == "order":
        return [(1.0, row, prices(stockpile, row, n))]
    return [(weight * there.availability, there, prices(stockpile, there, d)) for weight, there, d in _ends(stockpile, name, n, arrival)]


def _cheaper_from(stockpile: Stockpile, row: price_breaks.PriceBreak, quantity: float, rates: list[float]) -> float | None:
    """The quantity from which an order at the foot of an all-units break costs less than just what it asks for, with adder, duty
    and freight in `rates` [quantity]; None where an order that reaches a break does not stand at its foot."""
    if row.kind == "incremental" or abs(quantity - row.from_quantity) > price_breaks.before(stockpile):
        return None
    steps = price_breaks.segments(stockpile, row.offer, math.inf)
    paid = quantity * next(rate for each, rate in zip(steps, rates, strict=True) if each.row is row)
    below = zip(steps, rates, strict=True)
    same = (max(each.begin, paid / rate) for each, rate in below if rate > 0 and paid / rate < each.end <= row.from_quantity)
    return min(same, default=None)


def _can_order(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Yield the nodes at which an offer can be ordered."""
    return placeable(stockpile, stockpile.keyed(Offer)[name])


def _ordered(m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int) -> list[Any]:
    """Return what is ordered under an offer at a node."""
    return [m.buy[name, node]] if (name, node) in m.ORDERS else []


DEED = Deed("order", Offer.TABLE, metal=True, possible=_can_order, done=_ordered)


BLOCK = Block(
    tables=(Offer,),
    results=(Order,),
    headings=(
        Heading("purchases", "metal bought under offers"),
        Heading("order_costs", "cost of each order placed"),
        FREIGHT,
        DUTY,
    ),
    decisions=("buy", "place", "lots"),
    tallies=(Tally("buy", "order", alike=True),),
    deeds=(DEED,),
    check=check,
    review=review,
    add=add,
    report=report,
)
