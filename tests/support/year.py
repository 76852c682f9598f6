"""A year of planning again each month: what each month began with, did, and left.

A plan is made, its first period goes by as planned, the workbook is rolled forward and planned
again. Nothing that is compared comes from the roll itself: what a month leaves is summed from the
sheets of its plan, what the next one begins with is read in its workbook.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

import optimiser as so
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.budget.budget_terms import keepers, label
from stockpile_model.blocks.commitments.commitment_terms import Commitment, before
from stockpile_model.blocks.in_transit.transit_terms import InTransit
from stockpile_model.blocks.offers.offer_terms import Offer, lead
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.stock.lot_terms import OpeningLot, is_out
from stockpile_model.funds import Fund
from stockpile_model.lots import OPENING
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import BASE
from tests.support.plans import plan_for

Row = Mapping[str, Any]


class Metal(NamedTuple):
    """What tells metal apart."""

    material: str
    site: str | None
    made: dt.date


class Money(NamedTuple):
    """What tells an appropriation apart, and stays the same through the year."""

    fund: str
    begins: dt.date | None
    expires: dt.date | None
    pay_by: dt.date | None


@dataclass(frozen=True)
class Month:
    """A month: its workbook, its plan, the workbook that goes on from it, and what all that took.

    `came`: the scenario that comes, as this workbook calls it. `seconds`: of the processor.
    """

    book: so.Book
    plan: so.Plan
    following: so.RolledBook
    came: str
    seconds: float

    @property
    def begin(self) -> dt.date:
        return self.book.stockpile.settings.start

    def rows(self, sheet: str, date: str = "date") -> Iterator[Row]:
        """The rows of a sheet of the plan that are of this month and hold in what comes."""
        for row in self.plan[sheet].to_dict("records"):
            holds = {"all", self.came} & {*str(row["scenarios"]).split(", ")}
            if holds and str(row[date])[:10] == self.begin.isoformat():
                yield row


def year(
    book: so.Book, scenario: str, months: int, gap: float, time_limit: float = 120
) -> Iterator[Month]:
    """Plan, let a month go by in which things go on towards a scenario, and so on."""
    for _ in range(months):
        began = time.process_time()
        plan = plan_for(book.stockpile, gap, time_limit=time_limit)
        assert plan is not None
        came = scenario if scenario in plan.stockpile.scenarios else BASE
        following = so.roll(plan, plan.stockpile.calendar.begin(1), scenario=came)
        yield Month(book, plan, following, came, time.process_time() - began)
        book = following


# What must add up
# --------------------------------------------------------------------------------------------------


def nothing_is_lost(month: Month) -> None:
    """Metal, money and what is bound by a month are where they were, or where they went."""
    assert so.audit(month.book, month.plan).findings == ()
    metal_adds_up(month)
    money_adds_up(month)
    orders_add_up(month)
    contracts_go_on(month)


def metal_adds_up(month: Month) -> None:
    """Of each age: what was there, and came less what left, is what is there when the next begins."""
    found = on_hand(month.book.stockpile)
    for row in month.rows("movements"):
        if row["kind"] != OPENING:
            found[_metal(row)] += row["quantity"]
    closing = Counter[Metal]()
    for row in month.rows("lots"):
        closing[_metal(row)] += row["quantity"]
    _same(found, closing, month.plan.stockpile.scale.quantity)
    _same(on_hand(month.following.stockpile), closing, month.plan.stockpile.scale.quantity)


def on_hand(stockpile: Stockpile) -> Counter[Metal]:
    """The lots with which a workbook begins, by what tells them apart."""
    (one, *others), found = stockpile.sites, Counter[Metal]()
    for row in (each for each in stockpile.rows(OpeningLot) if not is_out(each)):
        assert row.site is not None or not others
        found[Metal(row.material, row.site or one, row.made)] += row.quantity
    return found


def _metal(row: Row) -> Metal:
    return Metal(row["material"], row["site"], _day(row["made"]))


def money_adds_up(month: Month) -> None:
    """An appropriation has what it had, less what it paid; all that is paid is paid by one."""
    size = month.plan.stockpile.scale.money
    outlays = sum(
        row["amount"]
        for row in month.rows("cash_flow")
        if row["cash"] and row["heading"] not in RECEIPTS
    )
    paid = sum(row["amount"] for row in month.rows("payments"))
    assert outlays == pytest.approx(paid, rel=1e-9, abs=1e-6 * size)
    left, begin = unspent(month), month.following.stockpile.settings.start
    has = appropriated(month.following.stockpile)
    for key in {*left} - {*has}:  # it pays nothing more
        until = key.pay_by or key.expires
        assert until is not None
        assert until < begin
        left.pop(key)
    _same(has, left, size)


RECEIPTS = ("sales", "upside")
"""Headings of money that comes."""


def unspent(month: Month) -> Counter[Money]:
    """What the appropriations of a month, and receipts that a fund keeps, have left at its end."""
    left = appropriated(month.book.stockpile)
    for fund, amount in received(month).items():
        left[_receipts(fund)] += amount
    rows = month.book.stockpile.rows(Budget)
    names = {label(month.book.stockpile, b): _money(row) for b, row in enumerate(rows)}
    names |= {f"{fund} receipts": _receipts(fund) for fund in keepers(month.book.stockpile)}
    for row in month.rows("payments"):
        left[names[row["appropriation"]]] -= row["amount"]
    return left


def received(month: Month) -> Counter[str]:
    """What the funds that keep their receipts have received in a month."""
    stockpile = month.book.stockpile
    funds = {row.outlet: row.fund for row in stockpile.rows(Outlet)}
    found = Counter[str]()
    for row in month.rows("rotation"):
        fund = funds.get(row["outlet"])
        if fund in keepers(stockpile) and row["proceeds"]:
            found[fund] += row["proceeds"]
    return found


def _money(row: Budget) -> Money:
    return Money(row.fund, row.from_, row.expires, row.pay_by)


def _receipts(fund: str) -> Money:
    return Money(fund, None, None, None)


def appropriated(stockpile: Stockpile) -> Counter[Money]:
    """What the appropriations of a workbook hold, and what is left of receipts."""
    found = Counter[Money]()
    for row in stockpile.rows(Budget):
        assert _money(row) not in found
        found[_money(row)] = row.amount
    for fund in stockpile.rows(Fund):
        if fund.receipts_left:
            found[_receipts(fund.fund)] += fund.receipts_left
    return found


def orders_add_up(month: Month) -> None:
    """What was under way, and is ordered, has arrived or is under way."""
    stockpile, offers = month.book.stockpile, month.book.stockpile.keyed(Offer)
    found = under_way(stockpile)
    for row in month.rows("orders"):
        found[row["offer"], _day(row["date"])] += row["ordered"]
    calendar, due = stockpile.calendar, Counter[str]()
    for (name, day), ordered in [*found.items()]:
        if calendar.period(day) + lead(stockpile, offers[name]) <= 0:
            due[name] += ordered * offers[name].availability
            del found[name, day]
    came = Counter[str]()
    for row in month.rows("deliveries"):
        if row["kind"] == Offer.TABLE:
            came[row["name"]] += row["quantity"]
    _same(came, due, stockpile.scale.quantity)
    _same(under_way(month.following.stockpile), found, stockpile.scale.quantity)


def under_way(stockpile: Stockpile) -> Counter[tuple[str, dt.date]]:
    """What was ordered before the start and has not arrived, by offer and day."""
    assert not stockpile.rows(InTransit)
    found = Counter[tuple[str, dt.date]]()
    for row in stockpile.rows(Commitment):
        if row.kind == "order" and before(stockpile, row):
            assert row.date is not None
            found[row.name, row.date] += row.quantity or 0.0
    return found


def contracts_go_on(month: Month) -> None:
    """What was signed stays signed, on the same day, and so does what is signed now."""
    found = signed(month.book.stockpile)
    for row in month.rows("contracts", "signed"):
        found[row["contract"]] = row["level"], _day(row["signed"])
    assert signed(month.following.stockpile) == found


def signed(stockpile: Stockpile) -> dict[str, tuple[str | None, dt.date | None]]:
    """The contracts that are signed before the start, each with its level and day."""
    return {
        row.name: (row.level, row.date)
        for row in stockpile.rows(Commitment)
        if row.kind == "sign" and before(stockpile, row)
    }


def _same(found: Counter[Any], expected: Counter[Any], size: float) -> None:
    for key in {*found, *expected}:
        assert found[key] == pytest.approx(expected[key], rel=1e-9, abs=1e-6 * size), key


def _day(value: Any) -> dt.date:
    return dt.date.fromisoformat(str(value)[:10])
