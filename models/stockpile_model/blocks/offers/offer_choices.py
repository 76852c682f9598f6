"""Offers as a plan may use them or not: what a unit costs landed, and what makes it cheaper."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model import amounts
from stockpile_model.blocks.offers import offer_terms, order_report
from stockpile_model.blocks.offers.break_terms import PriceBreak, breaks
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.choice import Fact, Lever, LeverPayment, UnitCost
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile


def facts(formulation: Formulation, name: str, level: str | None) -> Iterator[Fact]:
    """Yield what is ordered under an offer at each node, and what a unit costs landed there.

    What is not ordered is priced before any break, with its order cost spread over the largest
    order that its capacity or total allows, or else over its minimum.
    """
    m, stockpile = formulation.m, formulation.stockpile
    for n in placeable(stockpile, stockpile.keyed(Offer)[name]):
        ordered = evaluate(m.buy[name, n])
        used = ordered > stockpile.scale.nothing
        cost = _used(formulation, name, n) if used else _unused(stockpile, name, n)
        yield Fact(n, ordered if used else 0.0, cost, brings=True)


def _used(formulation: Formulation, o: str, n: int) -> UnitCost | None:
    """Return what a unit of an order costs that is placed."""
    m, stockpile = formulation.m, formulation.stockpile
    solved = order_report.solved_order(m, stockpile, o, n)
    part = order_report.charged(m, o, n, solved.quantity)
    return _landed(stockpile, o, n, solved.parts, solved.quantity, part)


def _unused(stockpile: Stockpile, o: str, n: int) -> UnitCost | None:
    """Return what a unit of an order would cost that is not placed."""
    row = stockpile.at(n).keyed(Offer)[o]
    stated = [each for each in (row.capacity, row.total) if each]
    quantity = max(min(stated, default=0.0), row.minimum_order) or 1.0
    sized = bool(stated) or row.minimum_order > 0
    return _landed(stockpile, o, n, [quantity], quantity, 1.0, ordering=sized)


def _landed(
    stockpile: Stockpile,
    o: str,
    n: int,
    parts: list[float],
    quantity: float,
    charged: float,
    ordering: bool = True,
) -> UnitCost | None:
    """Return what each unit that arrives costs; None where nothing would arrive."""
    row, calendar, tree = stockpile.at(n).keyed(Offer)[o], stockpile.calendar, stockpile.tree
    lead = offer_terms.lead(stockpile, row)
    arrival = tree.period[n] + lead
    nodes = tree.later(n, lead)
    arriving = sum(
        tree.probability[d] / tree.probability[n] * stockpile.at(d).keyed(Offer)[o].availability
        for d in nodes
    )
    if arriving <= 0 or arrival >= calendar.periods:
        return None
    bills = order_report.bills_of(stockpile, o, n, arrival)
    paid = sum(each.share for each in bills) / arriving
    price, duty, freight = order_report.mean_prices(bills, parts, quantity, charged)
    price, duty, freight = price * paid, duty * paid, freight * paid
    ordering_cost = row.order_cost / (quantity * arriving) if ordering else 0.0
    handling = min(
        stockpile.at(n).sites[w].handling_in for w in offer_terms.landing(stockpile, row)
    )
    then, now = stockpile.discount(arrival), stockpile.discount(tree.period[n])
    due = now if row.payment == "order" else then
    present = (price + duty + freight) * due + ordering_cost * now + handling * then
    return UnitCost(price, duty, freight, ordering_cost, handling, 0.0, present)


def lever(stockpile: Stockpile, name: str, level: str | None) -> Lever | None:
    """Return the cells of the price: of the offer, and of its breaks.

    Of a share of an index they are the premium. None where the breaks are stated in the other way.
    """
    row = stockpile.keyed(Offer)[name]
    fixed = row.price is not None
    rows: list[PriceBreak] = list(breaks(stockpile).get(name, ()))
    if any((each.price is not None) != fixed for each in rows):
        return None
    column = "price" if fixed else "premium"
    tables = [Offer.TABLE, *([PriceBreak.TABLE] if rows else [])]
    stated = [row.price if fixed else row.premium]
    stated += [each.price if fixed else each.premium for each in rows]
    least = min(each or 0.0 for each in stated)
    room = least if fixed else 1.0 + least
    cells = tuple((table, name, column) for table in tables)
    return Lever(cells, "money/quantity" if fixed else "1", 1, room)


def payments(formulation: Formulation, name: str, level: str | None) -> Iterator[LeverPayment]:
    """Yield what one more unit of the price costs, with duty, for each unit ordered.

    None are for an offer with breaks, or that several buyers pay for: there the price stands not by
    the order.
    """
    m, stockpile = formulation.m, formulation.stockpile
    row = stockpile.keyed(Offer)[name]
    if breaks(stockpile).get(name) or len(offer_terms.buyers(stockpile, row)) > 1:
        return
    fixed = row.price is not None
    for n in placeable(stockpile, row):
        there = stockpile.at(n).keyed(Offer)[name]
        at_once = there.payment == "order"
        lead = offer_terms.lead(stockpile, there)
        for d in [n] if at_once else stockpile.tree.later(n, lead):
            due = stockpile.at(d).keyed(Offer)[name]
            share = 1.0 if at_once else due.availability
            rate = share if fixed else share * stockpile.price(str(due.price_index), d)
            if row.currency is not None:
                rate *= stockpile.price(row.currency, d)
            yield LeverPayment(m.buy[name, n], d, rate, "purchases")
            if due.duty:
                yield LeverPayment(m.buy[name, n], d, rate * due.duty, "duty")


def why_not(stockpile: Stockpile, name: str) -> str:
    """Return why an offer can never be ordered; blank where it can."""
    row = stockpile.keyed(Offer)[name]
    if not stockpile.counts(row.supplier):
        return f"its supplier {row.supplier} is at a stage that does not count"
    if any(True for _ in placeable(stockpile, row)):
        return ""
    lead = amounts.count(row.lead_time_months, "month")
    ships = stockpile.shipping(row.supplier)
    first = max(ships, 0 if row.from_ is None else max(0, stockpile.calendar.period(row.from_)))
    if first + offer_terms.lead(stockpile, row) >= stockpile.calendar.periods:
        late = first + offer_terms.lead(stockpile, row) - stockpile.calendar.periods + 1
        earlier = amounts.count(late * stockpile.calendar.months, "month")
        return (
            f"ordered as soon as it can be, with a lead time of {lead}, it would arrive past the"
            f" horizon: {earlier} too late"
        )
    return "its dates leave no period in which it can be ordered"
