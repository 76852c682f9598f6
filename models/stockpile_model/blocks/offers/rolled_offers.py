"""The offers from which the next plan goes on, and the orders that are under way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

from stockpile_model.blocks.budget.rolled_payers import pay_alike
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.in_transit.transit_terms import InTransit, coming, ordered_before
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.supplier_terms import terms_of
from stockpile_model.funds import Fund
from stockpile_model.passed import Passed, PlanRow
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the offers with what is left of their totals, and the orders that are under way."""
    orders, offers = [*passed.done("orders")], passed.stockpile.keyed(Offer)
    under_way = [row for row in orders if not passed.over(row["arrives"])]
    yield Offer, [_left(passed, row, orders, under_way) for row in passed.rows(Offer)]
    _compare_payers(passed, under_way)
    now = {row.offer: row for row in passed.rows(Offer)}
    shipped = [
        row
        for row in under_way
        if _waived(passed, offers[row["offer"]]) or not _comes(passed, row, now[row["offer"]])
    ]
    before = [(row, due) for row, due in ordered_before(passed.stockpile) if due >= passed.gone]
    late = [each for each in before if _due(passed, each[0].date, now[each[0].name]) != each[1]]
    yield (
        Commitment,
        [_ordered(row) for row in under_way if row not in shipped]
        + [row for row, due in before if (row, due) not in late],
    )
    sent = [_shipped(row, offers[row["offer"]]) for row in shipped]
    sent += [row for each in late for row in _still_due(passed, *each)]
    yield InTransit, [*_on_days_of_their_own(passed, sent)]


def _on_days_of_their_own(passed: Passed, sent: Sequence[InTransit]) -> Iterator[InTransit]:
    """Yield what is sent, on another day of its period where its name and day are taken already."""
    taken = {(row.name, row.arrives) for row in passed.rows(InTransit)}
    for row in sent:
        day = row.arrives
        while (row.name, day) in taken:
            day += dt.timedelta(days=1)
        taken.add((row.name, day))
        yield replace(row, arrives=day)


def _compare_payers(passed: Passed, under_way: Sequence[PlanRow]) -> None:
    """Remark where others may pay for an order than in the plan, or it may go to another buyer."""
    offers, calendar = passed.stockpile.keyed(Offer), passed.calendar
    if not passed.rows(Fund):
        return
    several = len({site.buyer for site in passed.stockpile.sites.values()}) > 1
    for row in under_way:
        offer, arrives = offers[row["offer"]], calendar.period(row["arrives"])
        shared = several and offer.site is None
        if shared and (offer.payment == "order" or row["price_break"] is not None):
            passed.remarks.append(
                f"{offer.offer}: what each buyer pays, or paid, of the order of {row['date']} is "
                "not known any more: it may arrive at a site of any, at its mean price"
            )
        if offer.payment == "order":
            continue
        if arrives > passed.gone and row["arriving"] < row["ordered"]:
            passed.remarks.append(
                f"{offer.offer}: of the order of {row['date']} some fails to arrive; the plan "
                f"holds the money for it until {row['arrives']}, in the next workbook it is free "
                "at once"
            )
        bound, day, due = calendar.period(row["date"]), row["date"], range(arrives, arrives + 1)
        if not pay_alike(passed, "purchase", offer.material, bound, day, due):
            passed.remarks.append(
                f"{offer.offer}: by the date of the order of {day}, other appropriations may pay "
                "for it than in the plan"
            )


def _due(passed: Passed, day: dt.date | None, offer: Offer) -> int | None:
    """Return when an order of a day arrives, by the lead time that holds now [periods]."""
    calendar = passed.calendar
    return None if day is None else calendar.period(day) + calendar.count(offer.lead_time_months)


def _comes(passed: Passed, row: PlanRow, offer: Offer) -> bool:
    """Return whether an order arrives when the lead time that holds now says."""
    return _due(passed, row["date"], offer) == passed.calendar.period(row["arrives"])


def _still_due(passed: Passed, row: Commitment, due: int) -> Iterator[InTransit]:
    """Yield an order from before the plan with what is due of it, as its lead time has changed."""
    below = passed.stockpile.tree.below[passed.nodes[-1]]
    found = [
        each.row
        for each in coming(passed.stockpile)
        if each.row.name == row.name and each.row.ordered == row.date and each.node in below
    ]
    if len({(each.quantity, each.unpaid) for each in found}) > 1:
        passed.remarks.append(
            f"{row.name}: what arrives of the order of {row.date}, or is due for it, depends on "
            "scenarios: it is that of one of them"
        )
    yield from found[:1]


def _ordered(row: PlanRow) -> Commitment:
    """Return an order that is under way as a commitment."""
    return Commitment(kind="order", name=row["offer"], date=row["date"], quantity=row["ordered"])


def _waived(passed: Passed, offer: Offer) -> bool:
    """Return whether the freight of an order may be free, by what else was ordered with it."""
    terms = terms_of(passed.stockpile, offer.supplier)
    return terms is not None and terms.free_freight_from is not None


def _shipped(row: PlanRow, offer: Offer) -> InTransit:
    """Return an order that is under way with what is still due of it."""
    due = 0.0 if offer.payment == "order" else row["delivered_price"] * row["arriving"]
    return InTransit(
        name=row["offer"],
        ordered=row["date"],
        arrives=row["arrives"],
        quantity=row["arriving"],
        unpaid=due,
    )


def _left(
    passed: Passed, offer: Offer, orders: Sequence[PlanRow], under_way: Sequence[PlanRow]
) -> Offer:
    """Return an offer with its total less what was ordered; what is under way counts again."""
    if offer.total is None:
        return offer
    left = offer.total - sum(row["ordered"] for row in orders if row["offer"] == offer.offer)
    left += sum(row["arriving"] for row in under_way if row["offer"] == offer.offer)
    left -= sum(
        each.row.quantity
        for each in coming(passed.stockpile)
        if each.row.name == offer.offer and each.node in passed.nodes
    )
    return replace(offer, total=max(0.0, left))
