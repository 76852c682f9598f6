"""Offers: orders, lots, what arrives when, and what it costs."""

from __future__ import annotations

import pytest

from stockpile_model.blocks import purchases
from stockpile_model.build import report
from stockpile_model.data import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    budget,
    built,
    demand,
    faults,
    fund,
    least_cost,
    material,
    month,
    offer,
    outlet,
    prices,
    put,
    rule,
    site,
    supplier,
    target,
    warnings,
)

CASES = [
    Case(
        "buy",
        "10 can be ordered in a month",
        book(offer(capacity=10)),
        {"buy[spot,0]": 10, "stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,0,1]": 10},
        [{"buy[spot,0]": 11, "stock[ga,stockpile,0,0]": 11, "stock[ga,stockpile,0,1]": 11}],
    ),
    Case(
        "cap_order",
        "10 can be, also where an order has a cost",
        book(offer(capacity=10, order_cost=3)),
        {"buy[spot,1]": 10, "place[spot,1]": 1, "stock[ga,stockpile,0,1]": 10},
        [{"buy[spot,1]": 11, "stock[ga,stockpile,0,1]": 11}],
    ),
    Case(
        "cap_order",
        "what costs an order is ordered only where one is placed",
        book(offer(capacity=10, order_cost=3)),
        {"buy[spot,1]": 10, "place[spot,1]": 1, "stock[ga,stockpile,0,1]": 10},
        [{"place[spot,1]": 0}],
    ),
    Case(
        "place",
        "an order is placed or not",
        book(offer(capacity=10, order_cost=3)),
        {"buy[spot,1]": 5, "place[spot,1]": 1, "stock[ga,stockpile,0,1]": 5},
        [{"place[spot,1]": 0.5}],
    ),
    Case(
        "hold_minimum_order",
        "6 or nothing",
        book(offer(capacity=10, minimum_order=6)),
        {"buy[spot,1]": 6, "place[spot,1]": 1, "stock[ga,stockpile,0,1]": 6},
        [{"buy[spot,1]": 5.9, "stock[ga,stockpile,0,1]": 5.9}],
    ),
    Case(
        "hold_lots",
        "two lots of 4",
        book(offer(capacity=10, lot_size=4)),
        {"buy[spot,1]": 8, "lots[spot,1]": 2, "stock[ga,stockpile,0,1]": 8},
        [{"lots[spot,1]": 1}, {"buy[spot,1]": 9, "stock[ga,stockpile,0,1]": 9}],
    ),
    Case(
        "lots",
        "a lot is whole",
        book(offer(capacity=10, lot_size=4)),
        {"buy[spot,1]": 8, "lots[spot,1]": 2, "stock[ga,stockpile,0,1]": 8},
        [{"buy[spot,1]": 6, "lots[spot,1]": 1.5, "stock[ga,stockpile,0,1]": 6}],
    ),
    Case(
        "cap_total",
        "12 over the horizon",
        book(offer(total=12)),
        {"buy[spot,0]": 6, "buy[spot,1]": 6, "stock[ga,stockpile,0,0]": 6, "stock[ga,stockpile,0,1]": 12},
        [{"buy[spot,1]": 7, "stock[ga,stockpile,0,1]": 13}],
    ),
    Case(
        "balance_arrival",
        "of 10 ordered half arrives, at two sites",
        book(offer(availability=0.5), site("north"), site("south")),
        {"buy[spot,1]": 10, "arrive[spot,north,1]": 2, "arrive[spot,south,1]": 3, "stock[ga,north,0,1]": 2, "stock[ga,south,0,1]": 3},
        [
            {"arrive[spot,north,1]": 3, "stock[ga,north,0,1]": 3},
            {"arrive[spot,north,1]": 1, "stock[ga,north,0,1]": 1},
        ],
    ),
    Case(
        "balance_stock",
        "an order of January arrives in February, four fifths of it",
        book(offer(lead_time_months=1, availability=0.8)),
        {"buy[spot,0]": 10, "stock[ga,stockpile,0,1]": 8},
        [{"stock[ga,stockpile,0,0]": 8}, {"stock[ga,stockpile,0,1]": 10}],
    ),
    Case(
        "balance_stock",
        "an offer for one site arrives there",
        book(offer(site="south"), site("north"), site("south")),
        {"buy[spot,1]": 10, "stock[ga,south,0,1]": 10},
        [{"stock[ga,south,0,1]": 0, "stock[ga,north,0,1]": 10}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


# Money -------------------------------------------------------------------------------------------------------------------------

LANDED = {"price_index": "market", "premium": 0.25, "adder": 0.5, "duty": 0.1, "freight": 2, "availability": 0.5, "order_cost": 7}
LATER = 1.21 ** (1 / 12)  # February, at 21 % a year


def test_paid_on_delivery_at_the_price_of_the_arrival_for_what_arrives() -> None:
    """Index 8 in January, 12 in February: 12 x 1.25 = 15 for each of the 10 that arrive. The order costs 7 in January."""
    stockpile = book(offer(price=None, lead_time_months=1, capacity=20, **LANDED), *prices(8, 12), discount_rate=0.21)
    plan = {"buy[spot,0]": 20, "place[spot,0]": 1, "stock[ga,stockpile,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx(
        {"purchases": 155 / LATER, "duty": 15 / LATER, "freight": 20 / LATER, "order_costs": 7},
    )


def test_paid_on_order_at_the_price_of_the_order_for_all_that_is_ordered() -> None:
    """8 x 1.25 = 10 in January for each of the 20 ordered."""
    stockpile = book(offer(price=None, lead_time_months=1, capacity=20, payment="order", **LANDED), *prices(8, 12), discount_rate=0.21)
    plan = {"buy[spot,0]": 20, "place[spot,0]": 1, "stock[ga,stockpile,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx({"purchases": 210, "duty": 20, "freight": 40, "order_costs": 7})


def test_an_order_is_told() -> None:
    stockpile = book(offer(lead_time_months=1, capacity=20, lot_size=4, duty=0.1, freight=2, adder=0.5, order_cost=7, availability=0.5))
    plan = {"buy[spot,0]": 20, "lots[spot,0]": 5, "place[spot,0]": 1, "stock[ga,stockpile,0,1]": 10}
    (order,) = [row for row in report(put(built(stockpile), plan)) if isinstance(row, purchases.Order)]
    assert (order.date, order.arrives, order.paid_on) == (month(0), month(1), month(1))
    assert (order.ordered, order.lots, order.arriving) == (20, 5, 10)
    assert (order.price, order.delivered_price, order.paid) == pytest.approx((10.5, 13.5, 10 * 13.5 + 7))
    assert order.instruction == "2027-01: order 20 kg of ga from plant under spot, to arrive 2027-02, for 142 USD in all"


# When an order can be placed ----------------------------------------------------------------------------------------------------


def placeable(stockpile: Stockpile) -> list[int]:
    return list(purchases.placeable(stockpile, stockpile.rows(purchases.Offer)[0]))


@pytest.mark.parametrize(
    ("stockpile", "nodes"),
    [
        (book(offer(), periods=4), [0, 1, 2, 3]),
        (book(offer(from_=month(1, 20), to=month(2, 1)), periods=4), [1, 2]),  # a date means the month that contains it
        (book(offer(to=month(-1)), periods=4), []),
        (book(offer(), supplier(start=month(2, 15)), periods=4), [2, 3]),  # the plant ships from the month of its start
        (book(offer(lead_time_months=2), supplier(start=month(1)), periods=4), [1]),  # on order, and in time to arrive
        (book(offer(lead_time_months=6), periods=4, period_months=3), [0, 1]),
        (book(offer(), supplier(stage="building"), periods=4, supply_stages=("operating", "commissioning")), []),
        (book(offer(), supplier(stage="building"), periods=4, supply_stages=("operating", "building")), [0, 1, 2, 3]),
    ],
)
def test_when_an_order_can_be_placed(stockpile: Stockpile, nodes: list[int]) -> None:
    assert placeable(stockpile) == nodes


# What an order with no stated capacity can hold ----------------------------------------------------------------------------------


def ceiling(stockpile: Stockpile, node: int = 0) -> float | None:
    return purchases.ceiling(stockpile, stockpile.rows(purchases.Offer)[0], node)


@pytest.mark.parametrize(
    ("stockpile", "most"),
    [
        (book(offer(capacity=7, order_cost=1), demand(5)), 7),  # what is stated comes first
        (book(offer(total=7, order_cost=1), demand(5)), 7),
        (book(offer(order_cost=1), demand(10, 0, 5), periods=6), 60),
        (book(offer(order_cost=1), material(shelf_life_months=2), demand(10, 0, 5), periods=6), 20),  # before it expires
        (book(offer(order_cost=1, lead_time_months=5), demand(10, 0, 5), periods=6), 10),  # after it arrives
        (book(offer(order_cost=1), demand(10, 0), target(30), target(20, 1)), 40),  # and the largest target
        (book(offer(lot_size=8, minimum_order=9, availability=0.5), demand(10, 0)), 20 + 8 + 9),
        (book(offer(order_cost=1), demand(10), outlet(price=15, capacity=3)), 10 + 2 * 3),  # and what outlets take
        (book(offer(order_cost=1), demand(10), outlet(price=9)), 10),  # no profit in this one
        (book(offer(order_cost=1), demand(10), outlet(price=15), fund(), budget(500)), 50),  # profit, as far as money goes
        (book(offer(order_cost=1), demand(10), outlet(price=15)), None),
        (book(offer(order_cost=1), material(closing_value=1.5, price_index="market"), *prices(10), demand(10)), None),
    ],
)
def test_what_one_order_can_hold(stockpile: Stockpile, most: float | None) -> None:
    assert ceiling(stockpile) == most


@pytest.mark.parametrize(
    "stockpile",
    [
        pytest.param(book(offer(order_cost=30), demand(10, 0, 5), material(holding_cost=1), periods=6), id="demand"),
        pytest.param(book(offer(lot_size=7), demand(10, 0, 5), material(shelf_life_months=2), periods=6), id="lots"),
        pytest.param(book(offer(minimum_order=50), demand(10)), id="an order far above the need"),
        pytest.param(book(offer(minimum_order=5, availability=0.5), demand(10), target(20, hard=True)), id="half arrives"),
        pytest.param(
            book(offer(order_cost=5), offer("dear", 30, supplier="other"), supplier(), supplier("other"), demand(10, 1),
                 target(5, 1, hard=True), rule("supplier", "plant", measure="quantity", least=40)),
            id="a rule forces a quantity beyond any use",
        ),
        pytest.param(
            book(offer(order_cost=5), offer("sole", supplier="other", to=month(0)), supplier(), supplier("other"), demand(10),
                 rule("supplier", "other", most=0.2)),
            id="a share makes room for one by buying of the other",
        ),
        pytest.param(
            book(offer("first", order_cost=5, to=month(0)), offer("then", supplier="other", from_=month(1)), supplier(), supplier("other"),
                 material(shelf_life_months=1), demand(10, 0, 5), rule("supplier", "other", most=0.5), periods=6),
            id="a share over the horizon makes January pay for the months after it",
        ),
        pytest.param(
            book(offer("a", order_cost=5), offer("b", supplier="other", minimum_order=100), supplier(), supplier("other"), demand(10),
                 rule("supplier", None, most=0.5)),
            id="a share makes one order follow the minimum of the other",
        ),
        pytest.param(
            book(offer("a", order_cost=5), offer("b", material="in", supplier="other"), supplier(), supplier("other"), material("ga"),
                 material("in"), demand(10), demand(100, material="in"), rule("supplier", "other", most=0.5)),
            id="a share of all materials together",
        ),
        pytest.param(
            book(offer(order_cost=5, to=month(0)), offer("late", 20, from_=month(1)), material(shelf_life_months=1), demand(10, 1),
                 outlet(price=8, fund="nds"), fund(keeps_receipts=True), budget(500, expires=0)),
            id="money that expires is turned into receipts that are kept",
        ),
    ],
)  # fmt: skip
def test_the_bound_of_an_order_never_cuts_off_the_optimum(stockpile: Stockpile) -> None:
    """Without a stated capacity the optimum is that of a capacity far above anything."""
    offers = tuple(purchases.Offer(**{**vars(row), "capacity": 5000.0}) for row in stockpile.rows(purchases.Offer))
    stated = Stockpile(stockpile.settings, {**stockpile.tables, purchases.Offer: offers})
    best = least_cost(stated)
    assert best is not None
    assert ceiling(stockpile) is None or least_cost(stockpile) == pytest.approx(best)


# What is wrong with a row -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"price": None}, "offers.price: an offer needs price or price_index, and not both"),
        ({"price_index": "market"}, "offers.price: an offer needs price or price_index, and not both"),
        ({"premium": 0.1}, "offers.premium: is a share of an index: it needs price_index instead of price"),
        ({"from_": month(1), "to": month(0)}, "offers.to: must not be before from (2027-02-01), found 2027-01-01"),
        ({"lead_time_months": 0.5}, "offers.lead_time_months: must be a whole number of periods of 1 months, found 0.5 months"),
        (
            {"order_cost": 1},
            "offers.capacity: is needed: orders have a minimum, a cost or price breaks, and nothing else in the workbook bounds what could be "
            "bought",
        ),
    ],
)
def test_faults_of_an_offer(cells: dict[str, object], fault: str) -> None:
    assert faults(book(offer(**cells), outlet(price=100), *prices(1))) == [fault]


def test_an_order_without_bound_in_a_later_month_is_told() -> None:
    """Stock of the last month earns more than it costs: what arrives then is without bound, what arrives first is not."""
    stock = material(shelf_life_months=2, closing_value=1, price_index="market")
    assert [each.partition(": ")[0] for each in faults(book(offer(order_cost=5), stock, *prices(100), periods=6))] == ["offers.capacity"]


def test_an_offer_of_which_nothing_arrives_is_no_use() -> None:
    assert least_cost(book(offer("none", 1, availability=0, order_cost=5), offer(), demand(10))) == pytest.approx(100)


@pytest.mark.parametrize("offer_", [offer(to=month(-1)), offer(lead_time_months=2)])
def test_an_offer_that_can_never_be_ordered_is_odd(offer_: purchases.Offer) -> None:
    assert warnings(book(offer_)) == ["offers.offer: spot can never be ordered within the horizon: see its dates and lead time"]


@pytest.mark.parametrize("limit", ["capacity", "total"])
def test_a_limit_below_the_smallest_order_is_odd(limit: str) -> None:
    said = f"offers.{limit}: is below the smallest order, 12: no order can be placed, found 11"
    assert warnings(book(offer(**{limit: 11, "minimum_order": 10, "lot_size": 4}))) == [said]
    assert warnings(book(offer(**{limit: 12, "minimum_order": 10, "lot_size": 4}))) == []
