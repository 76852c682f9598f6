"""Terms of a supplier: what is ordered from it in one period, under all its offers together."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.offers.joint_report import JointOrder
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms
from stockpile_model.build import report
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    demand,
    event,
    least_cost,
    month,
    offer,
    price_break,
    put,
    rule,
    scenario,
    site,
    supplier,
    warnings,
)


def terms(**cells: object) -> SupplierTerms:
    return SupplierTerms(supplier="plant", **cells)  # type: ignore[arg-type]


ONE = offer("one", 10, capacity=30, freight=2)
TWO = offer("two", 12, capacity=20, adder=1)
HELD = {"stock[ga,stockpile,0,0]": 8, "stock[ga,stockpile,0,1]": 8}
BOTH = {"joint[plant,0]": 1, "buy[one,0]": 3, "buy[two,0]": 5, **HELD}
BUYERS = (site("north", buyer="navy"), site("south", buyer="army"))
SHARED = {"joint[plant,1]": 1, "free[plant,1]": 1, "buy[one,1]": 10, "waived[one,1]": 10}
SHARED |= {
    "arrive[one,north,1]": 4,
    "arrive[one,south,1]": 6,
    "stock[ga,north,0,1]": 4,
    "stock[ga,south,0,1]": 6,
}
SHARED |= {"exempt[one,navy,1]": 4, "exempt[one,army,1]": 6}

CASES = [
    Case(
        "link_joint",
        "what is ordered from a supplier is ordered jointly",
        book(ONE, TWO, terms(order_cost=5)),
        BOTH,
        [{"joint[plant,0]": 0}],
    ),
    Case(
        "link_joint",
        "also where an order is placed or not",
        book(offer("one", 10, capacity=30, order_cost=1), terms(order_cost=5)),
        {"joint[plant,0]": 1, "place[one,0]": 1, "buy[one,0]": 8, **HELD},
        [{"joint[plant,0]": 0}],
    ),
    Case(
        "joint",
        "anything is ordered or not",
        book(ONE, TWO, terms(order_cost=5)),
        BOTH,
        [{"joint[plant,0]": 0.5}],
    ),
    Case(
        "hold_joint",
        "nothing is paid for no metal",
        book(ONE, TWO, terms(order_cost=5)),
        BOTH,
        [{"joint[plant,1]": 1}],
    ),
    Case(
        "hold_minimum_value",
        "3 x 10 + 5 x 13 is the 95 that is asked for",
        book(ONE, TWO, terms(minimum_value=95)),
        BOTH,
        [{"buy[one,0]": 4, "buy[two,0]": 4}],
    ),
    Case(
        "hold_free_value",
        "freight is free from 95 on",
        book(ONE, TWO, terms(free_freight_from=95)),
        BOTH | {"free[plant,0]": 1, "waived[one,0]": 3},
        [{"buy[one,0]": 4, "buy[two,0]": 4, "waived[one,0]": 4}],
    ),
    Case(
        "cap_charged_value",
        "and charged up to it",
        book(ONE, TWO, terms(free_freight_from=95)),
        BOTH,
        [{"buy[one,0]": 2, "buy[two,0]": 6}],
    ),
    Case(
        "cap_waived",
        "no freight is waived where it is charged",
        book(ONE, TWO, terms(free_freight_from=95)),
        BOTH | {"free[plant,0]": 1, "waived[one,0]": 3},
        [{"free[plant,0]": 0}],
    ),
    Case(
        "cap_waived_order",
        "nor of what is not ordered",
        book(ONE, TWO, terms(free_freight_from=95)),
        BOTH | {"free[plant,0]": 1, "waived[one,0]": 3},
        [{"waived[one,0]": 4}],
    ),
    Case(
        "hold_waived",
        "all of it is waived where it is free",
        book(ONE, TWO, terms(free_freight_from=95)),
        BOTH | {"free[plant,0]": 1, "waived[one,0]": 3},
        [{"waived[one,0]": 2}],
    ),
    Case(
        "balance_exempt",
        "the buyers' parts are what is free",
        book(ONE, terms(free_freight_from=95), *BUYERS),
        SHARED,
        [{"exempt[one,army,1]": 5}],
    ),
    Case(
        "cap_exempt",
        "each is free of freight of its own part",
        book(ONE, terms(free_freight_from=95), *BUYERS),
        SHARED,
        [{"exempt[one,army,1]": 5, "exempt[one,navy,1]": 5}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_a_joint_order_is_paid_once_and_its_freight_where_it_is_charged() -> None:
    paid = bill(book(ONE, TWO, terms(order_cost=5)), BOTH)
    assert (paid["order_costs"], paid["freight"]) == (5, 6)
    free = BOTH | {"free[plant,0]": 1, "waived[one,0]": 3}
    assert "freight" not in bill(book(ONE, TWO, terms(free_freight_from=95)), free)


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        # 5 in each month at 10 and 2 of freight.
        ({}, 120),
        # All in one month saves the second cost.
        ({"order_cost": 7}, 127),
        # 8 at 10 + 2 is more than the 5 of a month: 10 at once.
        ({"minimum_value": 80}, 120),
        ({"minimum_value": 200}, 240),
        # 12 cost 120 free of freight, as much as 10 with it; at 13 on 130 are dearer.
        ({"free_freight_from": 110}, 110),
        ({"free_freight_from": 130}, 120),
        ({"free_freight_from": 100, "order_cost": 7}, 107),
    ],
)
def test_the_least_cost_by_hand(row: dict[str, float], cost: float) -> None:
    assert least_cost(book(ONE, demand(5, 0, 1), terms(**row))) == pytest.approx(cost)


def test_the_value_follows_the_price_breaks() -> None:
    """From 10 on each costs 8: 10 are worth 80, and 9 are worth 90."""
    rows = (offer("one", 10, capacity=30), price_break(10, 8, "one"), demand(9, 0, 0))
    assert least_cost(book(*rows, terms(minimum_value=85), periods=1)) == pytest.approx(85)
    assert least_cost(book(*rows, terms(minimum_value=95), periods=1)) == pytest.approx(95)


def test_terms_of_a_scenario_hold_once_it_is_known() -> None:
    """In the war each order costs 50 more: half of the time 2 x 50 + 50 and 100."""
    rows = (offer("one", 10, capacity=5), demand(5, 0, 1), scenario(known=1))
    change = event("order_terms.order_cost", "add", 50, 1)
    assert least_cost(book(*rows, terms(order_cost=1), change)) == pytest.approx(102 + 25)


def test_spending_on_a_supplier_counts_its_joint_orders() -> None:
    rows = (ONE, demand(5, 0, 0), terms(order_cost=7))
    for most, cost in ((67, 67), (66, None)):
        limit = rule("supplier", "plant", measure="spend", most=most)
        assert least_cost(book(*rows, limit, periods=1)) == pytest.approx(cost)


def test_a_joint_order_is_reported() -> None:
    stockpile = book(ONE, TWO, terms(order_cost=5, minimum_value=90, free_freight_from=95))
    plan = BOTH | {"free[plant,0]": 1, "waived[one,0]": 3}
    rows = list(report(put(built(stockpile), plan)))
    (joint,) = [row for row in rows if isinstance(row, JointOrder)]
    assert (joint.date, joint.supplier, joint.ordered, joint.value) == (month(0), "plant", 8, 95)
    assert (joint.minimum_value, joint.order_cost, joint.freight_free) == (90, 5, True)
    assert joint.instruction == (
        "2027-01: order from plant at once under one, two, for 95 USD without duty and freight,"
        " free of freight"
    )
    one = next(row for row in rows if isinstance(row, Order) and row.offer == "one")
    assert (one.delivered_price, one.paid) == (10, 30)


def test_terms_of_a_supplier_without_offers_change_nothing() -> None:
    rows = (supplier(), supplier("other"), ONE, SupplierTerms(supplier="other", order_cost=1))
    assert warnings(book(*rows)) == [
        "order_terms.supplier: no offer is of other: its order terms change nothing"
    ]
