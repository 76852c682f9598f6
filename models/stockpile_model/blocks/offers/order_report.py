"""Report the orders of a solved plan, each with its price, its payment and its instruction."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.acts import NUMBER, TO_ACTION, TO_LOT, TO_PAYMENTS, WHY, Act, RowFacts
from stockpile_model.blocks.offers import break_terms, offer_terms
from stockpile_model.blocks.offers.break_terms import PriceBreak, Segment
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.ordering import placed_share
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import ComparedSum, Dated, DeedColumns, Result, SummedLine, column
from stockpile_model.solved_plan import SolvedPlan, by_material, by_scenario, on_path, parts, spread
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings


@dataclass(frozen=True, kw_only=True)
class Order(Dated):
    """An order to place."""

    SHEET = "orders"
    ABOUT = "what to order, when and from whom"
    PLACE = 10
    RENEWED = True
    MEANS = ("date", "offer")
    DECIDED = "date"
    RANK = 3
    LETTER = "O"
    BUYS = True
    DEED = DeedColumns("order", "offer", "date", "ordered")
    NAMED = ("offer", "material", "date")
    SUMMED = (SummedLine("Ordered", "ordered", note="under offers"),)
    COMPARED = (ComparedSum("ordered", "offer", "ordered", "first order", "order"),)
    date: dt.date = column("first day of the period in which the order is placed")
    offer: str = column("offer")
    supplier: str = column("supplier")
    material: str = column("material")
    ordered: float = column("quantity ordered", "quantity")
    lots: int | None = column("whole lots ordered", "lots")
    arrives: dt.date = column("first day of the period of arrival")
    arriving: float = column("quantity that arrives, expected", "quantity", over="rest")
    price: float = column(
        "average price with adder, expected", "money/quantity", per="arriving", over="rest"
    )
    delivered_price: float = column(
        "average price with adder, duty and freight, expected",
        "money/quantity",
        per="arriving",
        over="rest",
    )
    price_break: float | None = column(
        "quantity of the price break that the order reaches; blank = none", "quantity", given=True
    )
    cheaper_from: float | None = column(
        "quantity from which buying up to that break costs less; blank = nothing is bought up",
        "quantity",
    )
    order_cost: float = column("cost of placing the order", "money")
    relaxed: bool = column(
        "whether it is beyond firm_periods: lots, minimum, cost and breaks hold on average only"
    )
    paid: float = column(
        "what the order costs in all, undiscounted, expected",
        "money",
        leads=(TO_PAYMENTS,),
        over="rest",
    )
    paid_on: dt.date = column("first day of the period in which the metal is paid")
    life_on_receipt: float | None = column(
        "life that it must have left when it arrives; blank = the whole shelf life", "months"
    )
    instruction: str = column("what to do", sentence=True)
    invoice: float | None = column(
        "most to pay for it at once: if all that is ordered arrives, at its dearest price",
        "money",
        default=None,
    )
    number: str | None = column(NUMBER, default=None, leads=(TO_ACTION,))
    becomes: str | None = column(
        "lots that it becomes", default=None, leads=(TO_LOT,), several=True
    )
    why: str | None = column(WHY, default=None, sentence=True)

    def act(self, now: Stockpile) -> Act:
        """Return the order to sign."""
        return Act(
            "order",
            self.date,
            Offer.TABLE,
            self.offer,
            supplier=self.supplier,
            material=self.material,
            deed="order",
            quantity=self.ordered,
            expected=self.arriving,
            price=self.delivered_price,
            cost=self.paid,
            invoice=self.invoice or None,
            due=self.paid_on,
            until=now.keyed(Offer)[self.offer].to,
            comes=self.arrives,
            relaxed=self.relaxed,
        )

    def because(self, facts: RowFacts) -> Iterator[str]:
        """Yield what one more unit is worth when it arrives, and what keeps the plan from more."""
        now, settings = facts.now, facts.now.settings
        age = now.age_received(self.material, self.life_on_receipt)
        worth = facts.worth(self.material, self.arrives, age)
        if worth is not None and self.arriving > 0:
            cost = (self.paid - self.order_cost) / self.arriving
            said = (
                f"one more {settings.quantity_unit} when it arrives is worth"
                f" {amounts.rounded(worth)} {settings.currency} to the plan and costs"
                f" {amounts.rounded(cost)}"
            )
            whole = self.lots is not None or now.keyed(Offer)[self.offer].minimum_order > 0
            if worth < cost * (1 - ROUNDING) and whole and not self.relaxed:
                said += ", but it is ordered in whole lots or at its minimum"
            yield said
        if self.cheaper_from is not None:
            yield "bought up to a price break, where more metal costs less"
        if stop := facts.stop(Offer.TABLE, self.offer):
            yield f"no more of it because of {stop}"

    def of_branches(self, first: Self, rows: Collection[Result], settings: Settings) -> Self:
        """Return the order with an instruction that has what it costs on average."""
        return replace(self, instruction=instruction(self, settings))

    @classmethod
    def done(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield how much is ordered from whom; of a whole plan also which orders are relaxed, and
        how many are bought up.
        """
        if not plan.of(cls):
            return
        paths, unit = by_scenario(plan, cls), plan.unit
        orders = next(iter(paths.values()))
        if not orders:
            yield on_path(plan, "Order nothing.")
        for of, rows in by_material(plan, orders):
            yield on_path(plan, _ordered(rows, f"{unit}{of}"))
        if plan.until is None:
            yield from _exceptions(orders)
        if parts(plan):
            means = [
                (of, sum(each.probability * each.ordered for each in rows))
                for of, rows in by_material(plan, plan.of(cls))
            ]
            said = amounts.listed([f"{amounts.summed(mean)} {unit}{of}" for of, mean in means])
            yield (
                f"Over the scenarios {said} are ordered on average, in {spread(paths, 'order')}."
            )


def _ordered(orders: Sequence[Order], unit: str) -> str:
    """Return how much is ordered in how many orders from whom."""
    one = len(orders) == 1  # what is ordered is signed as it stands
    total = sum(each.ordered for each in orders)
    ordered = _stated(orders[0]) if one else amounts.summed(total)
    suppliers = amounts.listed(sorted({each.supplier for each in orders}))
    return f"Order {ordered} {unit} in {amounts.count(len(orders), 'order')} from {suppliers}."


def _exceptions(orders: Sequence[Order]) -> Iterator[str]:
    """Yield which orders are relaxed, and how many are bought up."""
    if relaxed := [each for each in orders if each.relaxed]:
        lie, they = ("lies", "it") if len(relaxed) == 1 else ("lie", "they")
        yield (
            f"{len(relaxed)} of them, from {amounts.month(min(each.date for each in relaxed))}"
            f" on, {lie} beyond firm_periods: lots, minimum, cost and price breaks are relaxed"
            f" there, so in the end {they} will cost somewhat more."
        )
    if up := sum(each.cheaper_from is not None for each in orders):
        yield (
            f"{up} of them {amounts.be(up)} bought up to a price break, where more metal costs"
            " less."
        )


class OrderBill(NamedTuple):
    """A node where an order is paid, seen from the order's own.

    `share`: of the order that is paid there, times the probability of the node [1]. `offer`: as it
    stands there. `rates`: the price of each segment [money/quantity].
    """

    share: float
    offer: Offer
    rates: list[float]


class SolvedOrder(NamedTuple):
    """Describe what the solver decided of an order: its parts, one for each segment of its
    price."""

    quantity: float
    lots: int | None
    parts: list[float]
    reached: PriceBreak | None


def report(formulation: Formulation) -> Iterator[Order]:
    """Yield the orders that the plan places."""
    m, nothing = formulation.m, formulation.stockpile.scale.nothing
    for o, n in m.ORDERS:
        if evaluate(m.buy[o, n]) > nothing:
            yield _order(m, formulation.stockpile, o, n)


def _order(m: pyo.ConcreteModel, stockpile: Stockpile, o: str, n: int) -> Order:
    """Return the order of an offer at a node."""
    calendar, period, now = stockpile.calendar, stockpile.tree.period[n], stockpile.at(n)
    row, firm = now.keyed(Offer)[o], stockpile.firm(n)
    quantity, lots, parts, reached = solved_order(m, stockpile, o, n)
    arrival = period + offer_terms.lead(stockpile, row)
    date, arrives = calendar.begin(period), calendar.begin(arrival)
    whole = row.order_cost == 0 or firm
    cost = row.order_cost * (1.0 if whole else evaluate(placed_share(m, o, n)))
    bills = bills_of(stockpile, o, n, arrival)
    price, duty, freight = mean_prices(bills, parts, quantity, charged(m, o, n, quantity))
    delivered = price + duty + freight
    paid = delivered * sum(each.share for each in bills) * quantity + cost
    cheaper_from = None if reached is None else _cheaper_from(now, reached, quantity, bills[0])
    ends = _ends(stockpile, o, n, arrival)
    order = Order(
        **stockpile.where(n),
        date=date,
        offer=o,
        supplier=row.supplier,
        material=row.material,
        ordered=quantity,
        lots=lots,
        arrives=arrives,
        arriving=sum(weight * there.availability for weight, there, _ in ends) * quantity,
        price=price,
        delivered_price=delivered,
        price_break=reached.from_quantity if reached else None,
        cheaper_from=cheaper_from,
        order_cost=cost,
        relaxed=not firm,
        paid=paid,
        paid_on=date if row.payment == "order" else arrives,
        invoice=_largest(bills, parts, quantity, charged(m, o, n, quantity))
        + (cost if row.payment == "order" else 0.0),
        life_on_receipt=row.life_on_receipt_months,
        instruction="",
    )
    return replace(order, instruction=instruction(order, stockpile.settings))


def _largest(
    bills: Sequence[OrderBill], parts: Sequence[float], quantity: float, charged: float
) -> float:
    """Return the most that is to be paid for the metal of an order at once [money]."""
    each = (sum(mean_prices([bill], parts, quantity, charged)) for bill in bills)
    return max(each) * quantity


def solved_order(m: pyo.ConcreteModel, stockpile: Stockpile, o: str, n: int) -> SolvedOrder:
    """Return what the solver decided of an order, without its noise."""
    now, firm = stockpile.at(n), stockpile.firm(n)
    row = now.keyed(Offer)[o]
    lots = round(evaluate(m.lots[o, n])) if (o, n) in m.LOT_ORDERS else None
    rates = offer_terms.prices(stockpile, row, n)
    parts = [evaluate(m.part[o, s, n]) for s in range(len(rates)) if (o, s, n) in m.SEGMENTS]
    last = max((s for s, part in enumerate(parts) if part > stockpile.scale.nothing), default=0)
    segment = break_terms.segments(now, o, math.inf)[last]
    least = (row.minimum_order, segment.begin if parts else None) if firm else ()
    whole = None if lots is None else amounts.lots(lots, stockpile.lot(row.lot_size) or 0.0)
    quantity = _settled(row, evaluate(m.buy[o, n]), least, whole)
    reached = break_terms.reached(now, o, quantity) if firm else None
    if reached is not None and not break_terms.incremental(now, o):
        # At the foot of a break an order may pay either price: its part shows which it does.
        reached = segment.row
    return SolvedOrder(quantity, lots, parts or [quantity], reached)


def _settled(
    row: Offer, quantity: float, least: Sequence[float | None], whole: float | None
) -> float:
    """Return the quantity to order, as a person would write it [quantity].

    It is `whole` lots (None: of any quantity), else no less than `least` and no more than the
    offer allows.
    """
    if whole is not None:
        return whole if abs(whole - quantity) <= amounts.NOISE * whole else quantity
    return amounts.snapped(quantity, least, (row.capacity, row.total))


def _ends(stockpile: Stockpile, name: str, n: int, arrival: int) -> list[tuple[float, Offer, int]]:
    """Return where an order arrives: the probability once it is placed, the offer, the node."""
    tree = stockpile.tree
    nodes = tree.later(n, arrival - tree.period[n])
    return [
        (tree.probability[d] / tree.probability[n], stockpile.at(d).keyed(Offer)[name], d)
        for d in nodes
    ]


def bills_of(stockpile: Stockpile, name: str, n: int, arrival: int) -> list[OrderBill]:
    """Return where an order is paid."""
    row = stockpile.at(n).keyed(Offer)[name]
    if row.payment == "order":
        return [OrderBill(1.0, row, offer_terms.prices(stockpile, row, n))]
    return [
        OrderBill(weight * there.availability, there, offer_terms.prices(stockpile, there, d))
        for weight, there, d in _ends(stockpile, name, n, arrival)
    ]


def charged(m: pyo.ConcreteModel, o: str, n: int, quantity: float) -> float:
    """Return the part of an order for which freight is paid [1]."""
    if (o, n) not in m.WAIVABLE:
        return 1.0
    part = 1 - evaluate(m.waived[o, n]) / quantity
    return part if ROUNDING < part < 1 - ROUNDING else float(round(part))


ROUNDING = 1e-6  # part of an order of which noise may speak as charged, or as free [1]


def mean_prices(
    bills: Sequence[OrderBill], parts: Sequence[float], quantity: float, charged: float
) -> tuple[float, float, float]:
    """Return the expected price with adder, the duty and the freight [money/quantity].

    `charged`: the part of the order for which freight is paid [1].
    """
    whole = sum(each.share for each in bills)
    price = duty = freight = 0.0
    for share, there, rates in bills:
        # Where nothing arrives on any path the price is that of nothing.
        weight = share / whole if whole else 1 / len(bills)
        priced = [*zip(rates, parts, strict=False)]
        # Of a tiny order the parts are off by more of it than a price may be.
        ordered = sum(part for _, part in priced) or quantity
        base = sum(rate * part for rate, part in priced) / ordered
        price += weight * (base + there.adder)
        duty += weight * base * there.duty
        freight += weight * charged * there.freight
    return price, duty, freight


def _cheaper_from(
    stockpile: Stockpile, row: PriceBreak, quantity: float, bill: OrderBill
) -> float | None:
    """Return from which quantity an order at the foot of an all-units break costs less [quantity].

    It costs less than just what it asks for, with adder, duty and freight. The result is None where
    the order does not stand at the foot of the break.
    """
    if row.kind == "incremental":
        return None
    if abs(quantity - row.from_quantity) > break_terms.clearance(stockpile):
        return None
    there = bill.offer
    rates = [rate * (1 + there.duty) + there.adder + there.freight for rate in bill.rates]
    steps: list[tuple[Segment, float]] = list(
        zip(break_terms.segments(stockpile, row.offer, math.inf), rates, strict=True)
    )
    paid = quantity * next(rate for each, rate in steps if each.row is row)
    same = (
        max(each.begin, paid / rate)
        for each, rate in steps
        if rate > 0 and paid / rate < each.end <= row.from_quantity
    )
    return min(same, default=None)


def instruction(order: Order, settings: Settings) -> str:
    """Return the sentence that places an order."""
    unit, currency, life = settings.quantity_unit, settings.currency, ""
    if order.life_on_receipt is not None:
        life = f" with {amounts.count(order.life_on_receipt, 'month')} of life left"
    indicative = ", indicative" if order.relaxed else ""
    fails = abs(order.arriving - order.ordered) > amounts.NOISE * order.ordered
    of_it = f", of which {amounts.stated(order.arriving)} {unit} are expected" if fails else ""
    sentence = (
        f"{amounts.month(order.date)}{indicative}: order {_stated(order)} {unit}"
        f" of {order.material} from {order.supplier} under {order.offer}, to arrive"
        f" {amounts.month(order.arrives)}{life}{of_it},"
        f" for {amounts.money(order.paid)} {currency} in all"
    )
    if order.cheaper_from is None:
        return sentence
    bought_up = f"{amounts.stated(order.cheaper_from)} {unit}"
    return f"{sentence} (bought up to the price break: it costs less from {bought_up} on)"


def _stated(order: Order) -> str:
    """Write how much is ordered; lots as their cell has them."""
    if order.lots is not None:
        return amounts.quantity(order.ordered)
    return amounts.stated(order.ordered)
