"""Offers: orders, lots, what arrives when, and what it costs."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from stockpile_model.blocks.offers import ceilings, order_report, order_windows
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms
from stockpile_model.build import report
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    Plan,
    bill,
    book,
    broken,
    budget,
    built,
    commitment,
    contract,
    demand,
    faults,
    floor,
    fund,
    least_cost,
    material,
    month,
    offer,
    outlet,
    price_break,
    prices,
    project,
    put,
    rule,
    site,
    supplier,
    target,
    warnings,
)

# The navy has two sites and the army one.
BUYERS = (site("north", buyer="navy"), site("west", buyer="navy"), site("south", buyer="army"))
AT_ONCE = {"payment": "order", "capacity": 30}
# Half of 20 ordered arrives: 4 + 2 for the navy and 4 for the army.
SHARED = {
    "buy[spot,0]": 20,
    "arrive[spot,north,0]": 4,
    "arrive[spot,west,0]": 2,
    "arrive[spot,south,0]": 4,
}
SHARED |= {"stock[ga,north,0,0]": 4, "stock[ga,west,0,0]": 2, "stock[ga,south,0,0]": 4}
PORTIONS = {"portion[spot,navy,0]": 12, "portion[spot,army,0]": 8}
# From 10 on the price is 8 instead of 10.
AT_EIGHT = {"place[spot,0]": 1, "reach[spot,1,0]": 1, "part[spot,1,0]": 20}

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
        "hold_lots",
        "two steps of 4, and not the step where the offer has a lot of its own",
        book(offer(capacity=10), offer("own", capacity=10, lot_size=3), order_step=4),
        {"buy[spot,1]": 8, "lots[spot,1]": 2, "stock[ga,stockpile,0,1]": 11}
        | {"buy[own,1]": 3, "lots[own,1]": 1},
        [
            {"buy[spot,1]": 9, "stock[ga,stockpile,0,1]": 12},
            {"buy[own,1]": 4, "stock[ga,stockpile,0,1]": 12},
        ],
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
    Case(
        "link_order_project",
        "a plant that is granted in January is ready in February",
        book(offer(project="plant 2", capacity=10), project(cost=5, ready_lag_months=1), periods=3),
        {"grant[plant 2,0]": 1, "buy[spot,1]": 10, "stock[ga,stockpile,0,1]": 10, "stock[ga,stockpile,0,2]": 10},
        [{"grant[plant 2,0]": 0}, {"grant[plant 2,0]": 0, "grant[plant 2,1]": 1}],
    ),
    Case(
        "link_order_project",
        "an order that is placed or not waits in the same way",
        book(offer(project="plant 2", capacity=10, order_cost=1), project(cost=5, ready_lag_months=1), periods=3),
        {"grant[plant 2,1]": 1, "place[spot,2]": 1, "buy[spot,2]": 10, "stock[ga,stockpile,0,2]": 10},
        [
            {"grant[plant 2,1]": 0},
            {"place[spot,2]": 0, "buy[spot,2]": 0, "place[spot,1]": 1, "buy[spot,1]": 10, "stock[ga,stockpile,0,1]": 10},
        ],
    ),
    Case(
        "link_order_project",
        "all that can be ordered may be, as soon as it is ready",
        book(offer(project="plant 2"), demand(7, 0, 1), project(cost=5)),
        {"grant[plant 2,0]": 1, "buy[spot,0]": 14, "use[ga,,stockpile,0,0]": 7, "stock[ga,stockpile,0,0]": 7, "use[ga,,stockpile,0,1]": 7},
        [{"grant[plant 2,0]": 0, "grant[plant 2,1]": 1}],
    ),
    Case(
        "balance_portion",
        "paid when it is placed, an order is shared in full, also when nothing of it arrives",
        book(offer(availability=0, **AT_ONCE), *BUYERS, periods=1),
        {"buy[spot,0]": 20} | PORTIONS,
        [{"portion[spot,army,0]": 7}, {"portion[spot,navy,0]": 13}],
    ),
    Case(
        "balance_buyer_arrival",
        "and what arrives follows what was paid",
        book(offer(availability=0.5, **AT_ONCE), *BUYERS, periods=1),
        SHARED | PORTIONS,
        [{"portion[spot,navy,0]": 11, "portion[spot,army,0]": 9}, {"portion[spot,navy,0]": 20, "portion[spot,army,0]": 0}],
    ),
    Case(
        "balance_buyer_arrival",
        "what arrives where all are served is a part of its own",
        book(offer(**AT_ONCE), site("north", buyer="navy"), site("depot"), periods=1),
        {"buy[spot,0]": 20, "portion[spot,navy,0]": 12, "portion[spot,,0]": 8, "arrive[spot,north,0]": 12, "arrive[spot,depot,0]": 8}
        | {"stock[ga,north,0,0]": 12, "stock[ga,depot,0,0]": 8},
        [{"portion[spot,navy,0]": 11, "portion[spot,,0]": 9}],
    ),
    Case(
        "balance_bill",
        "of an order at a break the buyers pay 20 x 8, in any split",
        book(offer(availability=0.5, **AT_ONCE), price_break(10, 8), *BUYERS, periods=1),
        SHARED | PORTIONS | AT_EIGHT | {"bill[spot,navy,0]": 100, "bill[spot,army,0]": 60},
        [{"bill[spot,army,0]": 59}, {"bill[spot,navy,0]": 101}],
    ),
    Case(
        "balance_bill",
        "on delivery of half of it 10 x 8",
        book(offer(availability=0.5, capacity=30), price_break(10, 8), *BUYERS, periods=1),
        SHARED | AT_EIGHT | {"bill[spot,navy,0]": 50, "bill[spot,army,0]": 30},
        [{"bill[spot,army,0]": 31}],
    ),
    Case(
        "cap_bill",
        "none pays more than 10 for a unit of its part",
        book(offer(availability=0.5, **AT_ONCE), price_break(10, 8), *BUYERS, periods=1),
        SHARED | PORTIONS | AT_EIGHT | {"bill[spot,navy,0]": 120, "bill[spot,army,0]": 40},
        [{"bill[spot,navy,0]": 121, "bill[spot,army,0]": 39}, {"bill[spot,navy,0]": 79, "bill[spot,army,0]": 81}],
    ),
    Case(
        "cap_bill",
        "on delivery none more than 10 for what arrives",
        book(offer(availability=0.5, capacity=30), price_break(10, 8), *BUYERS, periods=1),
        SHARED | AT_EIGHT | {"bill[spot,navy,0]": 60, "bill[spot,army,0]": 20},
        [{"bill[spot,navy,0]": 61, "bill[spot,army,0]": 19}, {"bill[spot,navy,0]": 39, "bill[spot,army,0]": 41}],
    ),
    Case(
        "bill",
        "and none is paid",
        book(offer(availability=0.5, capacity=30), price_break(10, 2), *BUYERS, periods=1),
        SHARED | AT_EIGHT | {"bill[spot,navy,0]": 20},
        [{"bill[spot,navy,0]": 21, "bill[spot,army,0]": -1}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


# Money
# --------------------------------------------------------------------------------------------------

LANDED = {
    "price_index": "market",
    "premium": 0.25,
    "adder": 0.5,
    "duty": 0.1,
    "freight": 2,
    "availability": 0.5,
    "order_cost": 7,
}
LATER = 1.21 ** (1 / 12)  # February, at 21 % a year


def test_paid_on_delivery_at_the_price_of_the_arrival_for_what_arrives() -> None:
    """Index 8 in January, 12 in February: 12 x 1.25 = 15 for each of the 10 that arrive.

    The order costs 7 in January.
    """
    stockpile = book(
        offer(price=None, lead_time_months=1, capacity=20, **LANDED),
        *prices(8, 12),
        discount_rate=0.21,
    )
    plan = {"buy[spot,0]": 20, "place[spot,0]": 1, "stock[ga,stockpile,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx(
        {"purchases": 155 / LATER, "duty": 15 / LATER, "freight": 20 / LATER, "order_costs": 7},
    )


def test_paid_on_order_at_the_price_of_the_order_for_all_that_is_ordered() -> None:
    """8 x 1.25 = 10 in January for each of the 20 ordered."""
    stockpile = book(
        offer(price=None, lead_time_months=1, capacity=20, payment="order", **LANDED),
        *prices(8, 12),
        discount_rate=0.21,
    )
    plan = {"buy[spot,0]": 20, "place[spot,0]": 1, "stock[ga,stockpile,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx(
        {"purchases": 210, "duty": 20, "freight": 40, "order_costs": 7}
    )


def paid_by(stockpile: Stockpile, plan: dict[str, float]) -> dict[tuple[str, str | None], float]:
    """What a plan costs by heading and buyer."""
    formulation = put(built(stockpile), plan)
    found: dict[tuple[str, str | None], float] = {}
    for each in formulation.ledger.money:
        if amount := float(pyo.value(each.amount)):
            found[each.heading, each.buyer] = found.get((each.heading, each.buyer), 0.0) + amount
    return found


COSTS = {
    "adder": 0.5,
    "duty": 0.1,
    "freight": 2,
    "availability": 0.5,
    "order_cost": 7,
    "capacity": 30,
}


@pytest.mark.parametrize(
    ("payment", "breaks", "plan", "costs"),
    [
        # On delivery the navy pays for 6 and the army for 4; the cost of the order anyone may pay.
        (
            "delivery", (), {"place[spot,0]": 1},
            {"purchases": (63, 42), "duty": (6, 4), "freight": (12, 8)},
        ),
        # On order for 12 and 8.
        (
            "order", (), {"place[spot,0]": 1} | PORTIONS,
            {"purchases": (126, 84), "duty": (12, 8), "freight": (24, 16)},
        ),
        # With a break each pays what its bill says, and duty on that; adder and freight as without.
        (
            "delivery", (price_break(10, 8),), AT_EIGHT | {"bill[spot,navy,0]": 50, "bill[spot,army,0]": 30},
            {"purchases": (53, 32), "duty": (5, 3), "freight": (12, 8)},
        ),
        (
            "order", (price_break(10, 8),), AT_EIGHT | PORTIONS | {"bill[spot,navy,0]": 100, "bill[spot,army,0]": 60},
            {"purchases": (106, 64), "duty": (10, 6), "freight": (24, 16)},
        ),
    ],
)  # fmt: skip
def test_each_buyer_pays_for_its_part(
    payment: str, breaks: tuple[Row, ...], plan: Plan, costs: dict[str, tuple[float, float]]
) -> None:
    stockpile = book(offer(payment=payment, **COSTS), *breaks, *BUYERS, periods=1)
    assert broken(built(stockpile), {**SHARED, **plan}) == set()
    by_buyer = {
        (heading, buyer): paid
        for heading, pair in costs.items()
        for buyer, paid in zip(("navy", "army"), pair, strict=True)
    }
    assert paid_by(stockpile, {**SHARED, **plan}) == pytest.approx(
        {("order_costs", None): 7} | by_buyer
    )


def test_what_arrives_where_all_are_served_any_fund_pays() -> None:
    stockpile = book(offer(), site("north", buyer="navy"), site("depot"), periods=1)
    plan = {"buy[spot,0]": 20, "arrive[spot,north,0]": 12, "arrive[spot,depot,0]": 8}
    assert paid_by(stockpile, plan) == {("purchases", "navy"): 120, ("purchases", None): 80}


def test_the_breaks_are_shared_by_buyers_that_reach_them_together() -> None:
    """6 each: neither has the money for 10 at 8, nor for 6 at 10; together 12 at 8 are 48 each."""
    buyers = (site("north", buyer="navy"), site("south", buyer="army"))
    rows = (
        offer(capacity=30),
        price_break(10, 8),
        demand(6, buyer="navy"),
        demand(6, buyer="army"),
        *buyers,
    )
    money = (fund("navy", buyer="navy"), fund("army", buyer="army"))
    assert least_cost(
        book(*rows, *money, budget(50, "navy"), budget(50, "army"), periods=1)
    ) == pytest.approx(96)
    assert least_cost(
        book(*rows, *money, budget(60, "navy"), budget(36, "army"), periods=1)
    ) == pytest.approx(96)
    # Never more than 10 for a unit: with 35 of the army the navy must buy half a unit that it does
    # not need.
    assert least_cost(
        book(*rows, *money, budget(96, "navy"), budget(35, "army"), periods=1)
    ) == pytest.approx(100)


def test_an_order_is_reported() -> None:
    stockpile = book(
        offer(
            lead_time_months=1,
            capacity=20,
            lot_size=4,
            duty=0.1,
            freight=2,
            adder=0.5,
            order_cost=7,
            availability=0.5,
        )
    )
    plan = {"buy[spot,0]": 20, "lots[spot,0]": 5, "place[spot,0]": 1, "stock[ga,stockpile,0,1]": 10}
    (order,) = [row for row in report(put(built(stockpile), plan)) if isinstance(row, Order)]
    assert (order.date, order.arrives, order.paid_on) == (month(0), month(1), month(1))
    assert (order.ordered, order.lots, order.arriving) == (20, 5, 10)
    assert (order.price, order.delivered_price, order.paid) == pytest.approx(
        (10.5, 13.5, 10 * 13.5 + 7)
    )
    assert order.instruction == (
        "2027-01: order 20 kg of ga from plant under spot, to arrive 2027-02, of which 10 kg are"
        " expected, for 142 USD in all"
    )
    assert order.invoice == pytest.approx(20 * 13.5)  # all that is ordered may arrive


# Beyond the firm periods
# --------------------------------------------------------------------------------------------------

HALF = {"buy[spot,1]": 5, "stock[ga,stockpile,0,1]": 5}


@pytest.mark.parametrize(("firm", "accepted"), [(None, False), (2, False), (1, True), (0, True)])
def test_orders_beyond_the_firm_periods_may_be_placed_in_part(
    firm: int | None, accepted: bool
) -> None:
    """Half a lot in February, half of the least quantity; of its cost as much as of its capacity,
    where it need not be whole.
    """
    stockpile = book(
        offer(capacity=20, minimum_order=10, lot_size=10, order_cost=8), firm_periods=firm
    )
    entire = {"lots[spot,1]": 0.5, "place[spot,1]": 0.5}
    assert broken(built(stockpile), HALF if accepted else HALF | entire) == (
        set() if accepted else {"place", "lots"}
    )
    january = {"buy[spot,0]": 5} | {f"stock[ga,stockpile,0,{t}]": 5 for t in (0, 1)}
    entire = {"lots[spot,0]": 0.5, "place[spot,0]": 0.5}
    assert broken(built(stockpile), january if firm == 0 else january | entire) == (
        {"place", "lots"} if firm != 0 else set()
    )
    if accepted:
        assert bill(stockpile, HALF)["order_costs"] == 8 * 5 / 20


def test_prices_beyond_the_firm_periods_may_be_mixed() -> None:
    """5 of February as half an order of 10 at 8."""
    stockpile = book(offer(capacity=20), price_break(10, 8), firm_periods=1)
    plan = {
        "buy[spot,1]": 5,
        "place[spot,1]": 0.5,
        "reach[spot,1,1]": 0.5,
        "part[spot,1,1]": 5,
        "stock[ga,stockpile,0,1]": 5,
    }
    assert bill(stockpile, plan) == {"purchases": 40}


@pytest.mark.parametrize(
    ("terms", "bought", "lots", "ordered", "said"),
    [
        ({"minimum_order": 500}, 499.9999999, None, 500, "500"),
        ({"minimum_order": 500}, 499.99, None, 499.99, "499.99"),  # no noise: left for the audit
        ({}, 999.9999999, None, 1000, "1,000"),
        ({}, 1000.0000001, None, 1000, "1,000"),
        ({"lot_size": 0.25}, 12.7499999, 51, 12.75, "12.75"),
        ({"lot_size": 0.1, "minimum_order": 0.3}, 0.30000001, 3, 0.3, "0.3"),
        ({}, 123.456789, None, 123.456789, "123.456789"),
        ({}, 1000 / 3, None, 333.333333333, "333.3333"),
        ({"lot_size": 333.333333333}, 333.33333333, 1, 333.333333333, "333.333333333"),
    ],
)
def test_what_is_ordered_has_no_noise(
    terms: dict[str, float], bought: float, lots: int | None, ordered: float, said: str
) -> None:
    """A solver misses a minimum, a capacity or whole lots by its tolerance: the officer orders what
    is meant.
    """
    plan = {"buy[spot,0]": bought, "place[spot,0]": 1, "stock[ga,stockpile,0,0]": bought}
    plan |= {"lots[spot,0]": lots + 1e-8} if lots else {}
    formulation = put(built(book(offer(capacity=1000, order_cost=1, **terms))), plan)
    (order,) = [row for row in report(formulation) if isinstance(row, Order)]
    assert f": order {said} kg of ga " in order.instruction
    assert order.ordered == ordered
    assert order.paid == pytest.approx(10 * order.ordered + 1)


def test_a_relaxed_order_is_reported_as_one() -> None:
    stockpile = book(
        offer(capacity=20, minimum_order=10, lot_size=10, order_cost=8),
        price_break(10, 8),
        firm_periods=1,
    )
    plan = HALF | {"place[spot,1]": 0.5, "reach[spot,1,1]": 0.5, "part[spot,1,1]": 5}
    (order,) = [row for row in report(put(built(stockpile), plan)) if isinstance(row, Order)]
    assert (order.relaxed, order.lots, order.price_break, order.cheaper_from) == (
        True,
        None,
        None,
        None,
    )
    assert (order.price, order.order_cost, order.paid) == pytest.approx((8, 4, 44))


# When an order can be placed
# --------------------------------------------------------------------------------------------------


def placeable(stockpile: Stockpile) -> list[int]:
    return list(order_windows.placeable(stockpile, stockpile.rows(Offer)[0]))


@pytest.mark.parametrize(
    ("stockpile", "nodes"),
    [
        (book(offer(), periods=4), [0, 1, 2, 3]),
        (
            book(offer(from_=month(1, 20), to=month(2, 1)), periods=4),
            [1, 2],
        ),  # a date means the month that contains it
        (book(offer(to=month(-1)), periods=4), []),
        (
            book(offer(), supplier(start=month(2, 15)), periods=4),
            [2, 3],
        ),  # the plant ships from the month of its start
        (
            book(offer(lead_time_months=2), supplier(start=month(1)), periods=4),
            [1],
        ),  # on order, and in time to arrive
        (book(offer(lead_time_months=6), periods=4, period_months=3), [0, 1]),
        (
            book(
                offer(project="plant 2"),
                project(cost=1, decide_from=month(1), ready_lag_months=1),
                periods=4,
            ),
            [2, 3],
        ),
        (
            book(
                offer(project="plant 2"),
                project(cost=1, decide_to=month(1), ready_lag_months=1),
                periods=4,
            ),
            [1, 2, 3],
        ),
        (
            book(offer(project="plant 2"), project(), periods=4),
            [],
        ),  # which can neither be granted nor carried
        (
            book(
                offer(),
                supplier(stage="building"),
                periods=4,
                supply_stages=("operating", "commissioning"),
            ),
            [],
        ),
        (
            book(
                offer(),
                supplier(stage="building"),
                periods=4,
                supply_stages=("operating", "building"),
            ),
            [0, 1, 2, 3],
        ),
    ],
)
def test_when_an_order_can_be_placed(stockpile: Stockpile, nodes: list[int]) -> None:
    assert placeable(stockpile) == nodes


# What an order with no stated capacity can hold
# ----------------------------------------------------------------------------------


def ceiling(stockpile: Stockpile, node: int = 0) -> float | None:
    return ceilings.ceiling(stockpile, stockpile.rows(Offer)[0], node)


@pytest.mark.parametrize(
    ("stockpile", "most"),
    [
        (book(offer(capacity=7, order_cost=1), demand(5)), 7),  # what is stated comes first
        (book(offer(total=7, order_cost=1), demand(5)), 7),
        (book(offer(order_cost=1), demand(10, 0, 5), periods=6), 60),
        (
            book(offer(order_cost=1), material(shelf_life_months=2), demand(10, 0, 5), periods=6),
            20,
        ),  # before it expires
        (
            book(offer(order_cost=1, lead_time_months=5), demand(10, 0, 5), periods=6),
            10,
        ),  # after it arrives
        (
            book(offer(order_cost=1), demand(10, 0), target(30), target(20, 1)),
            40,
        ),  # and the largest target
        (book(offer(lot_size=8, minimum_order=9, availability=0.5), demand(10, 0)), 20 + 8 + 9),
        (
            book(offer(order_cost=1), demand(10), outlet(price=15, capacity=3)),
            10 + 2 * 3,
        ),  # and what outlets take
        (book(offer(order_cost=1), demand(10), outlet(price=9)), 10),  # no profit in this one
        (
            book(offer(order_cost=1), demand(10), outlet(price=15), fund(), budget(500)),
            50,
        ),  # profit, as far as money goes
        (book(offer(order_cost=1), demand(10), outlet(price=15)), None),
        (
            book(offer(), price_break(40, 8), demand(10)),
            40,
        ),  # buying up to the last break may cost less
        (book(offer(project="plant 2"), project(cost=1), demand(10)), 10),
        (
            book(offer(order_cost=1), demand(10), commitment("order", "spot", 5, 0)),
            15,
        ),  # and what is committed
        (
            book(offer(order_cost=1), demand(10), outlet(price=1), commitment("rotate", "sale", 6)),
            16,
        ),
        (
            book(
                offer(order_cost=1),
                demand(10),
                rule("supplier", "plant", measure="spend", least=300),
            ),
            40,
        ),  # 30 more at 10
        (
            book(
                offer(order_cost=1),
                material(shelf_life_months=1),
                demand(10),
                outlet("swap", "exchange", capacity=3),
            ),
            10 + 3,
        ),  # a life may begin anew
        (book(offer(order_cost=1), demand(10), outlet("swap", "exchange")), 10),
        (
            book(offer(order_cost=1), demand(10), outlet("swap", "exchange", yield_=0.5)),
            40,
        ),  # half is lost in each of two months
        (
            book(offer(), price_break(40, 8), demand(10), *BUYERS),
            200,
        ),  # 5 times what one buyer would need at most
        (
            book(
                offer(order_cost=1),
                material(closing_value=1.5, price_index="market"),
                *prices(10),
                demand(10),
            ),
            None,
        ),
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
        pytest.param(book(offer(), price_break(50, 1), demand(10)), id="a price break far above the need"),
        pytest.param(book(offer(), price_break(50, 1, kind="incremental"), demand(10)), id="incremental breaks far above the need"),
        pytest.param(
            book(offer(project="plant 2", lead_time_months=1), offer("dear", 90), project(cost=50), demand(10, 1)), id="a project",
        ),
        pytest.param(
            book(offer(project="plant 2"), contract(project="plant 2", take_or_pay=0), floor(9, 12), project(breakeven_floor=8),
                 demand(10, 0, 1)),
            id="a project that a contract carries",
        ),
        pytest.param(
            book(offer(order_cost=5), demand(10), commitment("order", "spot", 35, 0)), id="a commitment beyond any use",
        ),
        pytest.param(
            book(offer(order_cost=5), demand(10), outlet(price=1), commitment("rotate", "sale", 35, 1)), id="a commitment to rotate",
        ),
        pytest.param(
            book(offer(order_cost=5), demand(10), rule("supplier", "plant", measure="spend", least=400)), id="a rule forces spending",
        ),
        pytest.param(
            book(offer(), offer("b", 30, supplier="other"), supplier(), supplier("other"), demand(10),
                 rule("supplier", measure="count", least=2, most=2)),
            id="a rule counts",
        ),
        pytest.param(
            book(offer(order_cost=5, to=month(0)), material(shelf_life_months=2), outlet("swap", "exchange", capacity=6), demand(5, 2),
                 periods=3),
            id="an exchange outlives the shelf life",
        ),
        pytest.param(
            book(offer(order_cost=5), material(), material("in"), outlet("refine", "rework", to_material="in", capacity=6, yield_=0.5),
                 demand(3, 1, material="in")),
            id="a rework makes another material",
        ),
    ],
)  # fmt: skip
def test_the_bound_of_an_order_never_cuts_off_the_optimum(stockpile: Stockpile) -> None:
    """Without a stated capacity the optimum is that of a capacity far above anything."""
    offers = tuple(Offer(**{**vars(row), "capacity": 5000.0}) for row in stockpile.rows(Offer))
    stated = Stockpile(stockpile.settings, {**stockpile.tables, Offer: offers})
    best = least_cost(stated)
    assert best is not None
    assert ceiling(stockpile) is None or least_cost(stockpile) == pytest.approx(best)


# What is wrong with a row
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (
            {"price": None},
            "offers.price: an offer needs price or price_index: both are blank; fill one of the two",
        ),
        (
            {"price_index": "market"},
            "offers.price: an offer needs price or price_index, and has price 10 and price_index 'market'; remove one of the two",
        ),
        (
            {"premium": 0.1},
            "offers.premium: is a share of an index: it needs price_index instead of price",
        ),
        (
            {"from_": month(1), "to": month(0)},
            "offers.to: must not be before from (2027-02-01), found 2027-01-01",
        ),
        (
            {"lead_time_months": 0.5},
            (
                "offers.lead_time_months: must be a whole number of periods of 1 month, found 0.5"
                " months; write 0 or 1"
            ),
        ),
        (
            {"availability": 1e-9, "capacity": 5},
            (
                "offers.availability: must be 0 (nothing) or at least 0.000001, found 1e-09; write"
                " 0 where as good as nothing arrives"
            ),
        ),
        (
            {"order_cost": 1},
            (
                "offers.capacity: is needed: orders have a minimum, a cost or price breaks, and"
                " nothing else in the workbook bounds what could be bought"
            ),
        ),
    ],
)
def test_faults_of_an_offer(cells: dict[str, object], fault: str) -> None:
    assert faults(book(offer(**cells), outlet(price=100), *prices(1))) == [fault]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([offer(order_cost=1)], "orders have a minimum, a cost or price breaks"),
        ([offer(), price_break(5, 9)], "orders have a minimum, a cost or price breaks"),
        (
            [offer(), SupplierTerms(supplier="plant", order_cost=1)],
            "the orders of its supplier have terms (order_terms)",
        ),
        ([offer(project="plant 2"), project(cost=1)], "the offer waits for a project"),
        ([offer(), rule("supplier", measure="count", most=2)], "a rule counts members"),
    ],
)
def test_why_an_offer_needs_a_capacity(rows: list[Row], why: str) -> None:
    (said,) = faults(book(*rows, outlet(price=100)))
    assert (
        said
        == f"offers.capacity: is needed: {why}, and nothing else in the workbook bounds what could"
        " be bought"
    )


def test_an_order_without_bound_in_a_later_month_is_reported() -> None:
    """Stock of the last month earns more than it costs: what arrives then is without bound, what
    arrives first is not.
    """
    stock = material(shelf_life_months=2, closing_value=1, price_index="market")
    assert [
        each.partition(": ")[0]
        for each in faults(book(offer(order_cost=5), stock, *prices(100), periods=6))
    ] == ["offers.capacity"]


@pytest.mark.parametrize(
    ("offer_", "best"),
    [
        ({"lot_size": 1e-9}, 300),
        ({"capacity": 1e12, "minimum_order": 5}, 300),
        ({"capacity": 1e12, "order_cost": 7}, 307),
        ({"total": 1e12, "order_cost": 7}, 307),
        ({"minimum_order": 1e11, "price": 13}, 360),
        ({"order_cost": 1e11}, 360),
        ({"price": 1e12}, 360),
        ({"capacity": 1e-9, "price": 1}, 360 - 33e-9),
    ],
    ids=str,
)
def test_extreme_figures_leave_the_optimum_as_it_is(offer_: dict[str, float], best: float) -> None:
    """10 wanted in each of three months, a second offer has it for 12."""
    stockpile = book(offer(**offer_), offer("other", 12), demand(10, 0, 2), periods=3)
    assert least_cost(stockpile) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("column", ["price", "order_cost", "minimum_order"])
def test_a_figure_next_to_which_a_solver_sees_no_other_is_refused(column: str) -> None:
    """In any unit: 10 are wanted for 12 each. A limit from above may be as large as it is."""
    for money, metal in ((1.0, 1.0), (1e6, 1.0), (1.0, 1e-6)):
        units = {"price": money / metal, "order_cost": money, "minimum_order": metal}
        far = {
            column: (1e19 if column == "price" else 1e15) * units[column],
            "capacity": 1e18,
            "total": 1e18,
        }
        other = offer("other", 12 * money / metal)
        (fault,) = faults(
            book(offer(**{"price": 12 * money / metal, **far}), other, demand(10 * metal))
        )
        assert fault.startswith(f"offers.{column}: is too large to be planned together")


def test_a_lot_of_next_to_nothing_is_refused() -> None:
    said = (
        "offers.lot_size: is too small for whole lots to mean anything, found 0.000000000001 where"
        " 10 is needed; leave it blank where "
    )
    assert faults(book(offer(lot_size=1e-12), demand(10))) == [f"{said}any quantity can be ordered"]


def test_an_offer_of_which_nothing_arrives_is_no_use() -> None:
    assert least_cost(
        book(offer("none", 1, availability=0, order_cost=5), offer(), demand(10))
    ) == pytest.approx(100)


@pytest.mark.parametrize("offer_", [offer(to=month(-1)), offer(lead_time_months=2)])
def test_an_offer_that_can_never_be_ordered_is_odd(offer_: Offer) -> None:
    assert warnings(book(offer_)) == [
        "offers.offer: spot can never be ordered within the horizon: see its dates and lead time"
    ]


@pytest.mark.parametrize("limit", ["capacity", "total"])
def test_a_limit_below_the_smallest_order_is_odd(limit: str) -> None:
    said = f"offers.{limit}: is below the smallest order, 12: no order can be placed, found 11"
    assert warnings(book(offer(**{limit: 11, "minimum_order": 10, "lot_size": 4}))) == [said]
    assert warnings(book(offer(**{limit: 12, "minimum_order": 10, "lot_size": 4}))) == []


def test_a_price_lies_between_those_of_its_segments() -> None:
    """Of a tiny order the solver leaves segments off by more of it than the audit lets pass."""
    bills = [order_report.OrderBill(1.0, offer(price=20, duty=0.5), [20.0, 15.0])]
    price, duty, _ = order_report.mean_prices(bills, [2e-5 + 1e-12, 0.0], 2e-5, 1.0)
    assert (price, duty) == (20.0, 10.0)
    price, duty, _ = order_report.mean_prices(bills, [1.0, 3.0], 4.0, 1.0)
    assert (price, duty) == (16.25, 8.125)
