"""Rows in another currency than the book's: paid at the rate of the day of payment."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.offers.break_terms import PriceBreak
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.support.accept import (
    bill,
    book,
    built,
    contract,
    demand,
    event,
    floor,
    least_cost,
    lot,
    month,
    offer,
    outlet,
    price_break,
    scenario,
)

RATES = tuple(
    Price(date=month(t), values={"euro": rate, "market": 10.0}) for t, rate in enumerate((2.0, 0.5))
)
EURO = {"currency": "euro"}
HELD = {"stock[ga,stockpile,0,0]": 5, "stock[ga,stockpile,0,1]": 5}


def at(stockpile: Stockpile, node: int, kind: type[Row]) -> Row:
    return unfold(stockpile).at(node).rows(kind)[0]


def test_all_money_of_an_offer_is_converted_where_it_is_paid() -> None:
    """In January 2 of the book for one: (3 + 1) x 5 and 1 of freight for each, 7 for the order."""
    euros = offer("spot", 3, adder=1, freight=1, duty=0.5, order_cost=7, capacity=9, **EURO)
    plan = {"buy[spot,0]": 5, "place[spot,0]": 1, **HELD}
    assert bill(book(euros, *RATES), plan) == {
        "purchases": 40, "duty": 15, "freight": 10, "order_costs": 14,
    }  # fmt: skip


@pytest.mark.parametrize(("payment", "cost"), [("delivery", 5 * 3 * 0.5), ("order", 5 * 3 * 2)])
def test_the_rate_is_that_of_the_day_of_payment(payment: str, cost: float) -> None:
    later = offer("spot", 3, lead_time_months=1, payment=payment, **EURO)
    assert least_cost(book(later, demand(5, 1), *RATES)) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("row", "kind", "fields"),
    [
        (offer("spot", None, price_index="market", premium=0.1, **EURO), Offer, {"premium": 1.2}),
        (offer("spot", 3, **EURO), Offer, {"price": 6, "premium": 0}),
        (outlet("sale", price=4, cost=1, **EURO), Outlet, {"price": 8, "cost": 2, "price_factor": 1}),
        (outlet("sale", price=None, price_index="market", price_factor=0.6, **EURO), Outlet, {"price_factor": 1.2}),
        (contract(price_index="market", discount=0.25, ceiling=8, signing_cost=5, **EURO),
         Contract, {"discount": -0.5, "ceiling": 16, "signing_cost": 10}),
    ],
)  # fmt: skip
def test_what_the_columns_of_a_row_become(
    row: Row, kind: type[Row], fields: dict[str, float]
) -> None:
    found = at(
        book(offer("other"), row, *RATES) if kind is not Offer else book(row, *RATES), 0, kind
    )
    assert {name: getattr(found, name) for name in fields} == pytest.approx(fields)


def test_levels_and_breaks_are_in_the_currency_of_their_row() -> None:
    rows = (
        offer("spot", 9, capacity=20, **EURO),
        price_break(5, 8),
        contract(**EURO),
        floor(6, 12),
    )
    tied = floor(None, 12, "tied", floor_index="market")
    stockpile = built(book(*rows, tied, *RATES)).stockpile
    assert [stockpile.at(n).rows(PriceBreak)[0].price for n in (0, 1)] == [16, 4]
    assert [stockpile.at(n).rows(Floor)[0].floor for n in (0, 1)] == [12, 3]
    assert [stockpile.at(n).rows(Floor)[1].floor_factor for n in (0, 1)] == [2, 0.5]


def test_a_contract_is_paid_at_the_rate_of_each_delivery() -> None:
    """One a month at 6: 12 and 3, and 4 at signing."""
    rows = (contract(signing_cost=2, sign_to=month(0), **EURO), floor(6, 12), demand(1, 0, 1))
    assert least_cost(book(*rows, *RATES)) == pytest.approx(12 + 3 + 4)


def test_a_sale_earns_the_money_of_the_book() -> None:
    """5 sold in January, when one is worth two."""
    rows = (lot(5, 0), outlet("sale", price=4, **EURO))
    assert least_cost(book(*rows, *RATES)) == pytest.approx(-40)


def test_a_scenario_may_change_a_currency() -> None:
    """From February on it is worth 4 in the war: half of the time 4 x 3 instead of 1.5."""
    rows = (offer("spot", 3, from_=month(1), **EURO), demand(1, 1), scenario(known=1))
    change = event("prices.euro", "set", 4, 1)
    assert least_cost(book(*rows, *RATES, change)) == pytest.approx(0.5 * 1.5 + 0.5 * 12)


def test_a_book_without_another_currency_has_no_rows_of_its_own_at_a_node() -> None:
    assert built(book(offer(), *RATES)).stockpile.views == ()
