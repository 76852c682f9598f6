"""Price breaks: what an order pays by its quantity, for all of its units or for those beyond the
break.
"""

from __future__ import annotations

import pytest

from stockpile_model import amounts
from stockpile_model.blocks.offers import break_terms
from stockpile_model.blocks.offers.break_terms import PriceBreak, Segment
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.build import report
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    broken,
    built,
    demand,
    faults,
    least_cost,
    material,
    month,
    offer,
    price_break,
    prices,
    put,
    target,
    warnings,
)

# 10 each; from 10 on 9 each, from 20 on 8, at most 30.
SPOT = offer(capacity=30)
ALL_UNITS = (SPOT, price_break(10, 9), price_break(20, 8))
BEYOND = (SPOT, price_break(10, 9, kind="incremental"), price_break(20, 8, kind="incremental"))


def placed(quantity: float, *parts: float) -> dict[str, float]:
    """An order of January in one month, by its parts; a segment is reached where its part is above
    0.
    """
    plan: dict[str, float] = {
        "buy[spot,0]": quantity,
        "place[spot,0]": 1,
        "stock[ga,stockpile,0,0]": quantity,
    }
    for s, part in enumerate(parts):
        plan |= {f"part[spot,{s},0]": part, f"reach[spot,{s},0]": float(part > 0)}
    return plan


def one_month(*rows: object) -> Stockpile:
    return book(*rows, periods=1)  # type: ignore[arg-type]


CASES = [
    Case(
        "balance_part",
        "all that is ordered has a price",
        one_month(*ALL_UNITS),
        placed(15, 0, 15, 0),
        [{"part[spot,1,0]": 14}, {"part[spot,1,0]": 16}],
    ),
    Case(
        "cap_part",
        "up to the first break the offer's own price holds",
        one_month(*ALL_UNITS),
        placed(10, 10, 0, 0),
        [placed(10.1, 10.1, 0, 0)],
    ),
    Case("cap_part", "up to the second break that of the first", one_month(*ALL_UNITS), placed(20, 0, 20, 0), [placed(20.1, 0, 20.1, 0)]),
    Case("cap_part", "the last one up to the capacity", one_month(*ALL_UNITS), placed(30, 0, 0, 30), [placed(30.1, 0, 0, 30.1)]),
    Case("hold_part", "from the second break on its price holds", one_month(*ALL_UNITS), placed(20, 0, 0, 20), [placed(19.9, 0, 0, 19.9)]),
    Case("hold_part", "from the first on that of the first", one_month(*ALL_UNITS), placed(10, 0, 10, 0), [placed(9.9, 0, 9.9, 0)]),
    Case(
        "link_segment",
        "one price for all units",
        one_month(*ALL_UNITS),
        placed(15, 0, 15, 0),
        [{"part[spot,0,0]": 3, "part[spot,1,0]": 12, "reach[spot,0,0]": 1}],
    ),
    Case("link_segment", "and only for an order that is placed", one_month(*ALL_UNITS), placed(15, 0, 15, 0), [{"place[spot,0]": 0}]),
    Case(
        "reach",
        "a break is reached or not",
        one_month(*ALL_UNITS),
        placed(15, 0, 15, 0),
        [{"reach[spot,0,0]": 0.25, "reach[spot,1,0]": 0.75}],
    ),
    Case(
        "hold_part",
        "what is beyond a break is cheaper only when all before it is bought",
        one_month(*BEYOND),
        placed(25, 10, 10, 5),
        [{"part[spot,0,0]": 9, "part[spot,1,0]": 10, "part[spot,2,0]": 6}, {"part[spot,1,0]": 9, "part[spot,2,0]": 6}],
    ),
    Case(
        "cap_part",
        "between two breaks there is no more than lies between them",
        one_month(*BEYOND),
        placed(25, 10, 10, 5),
        [
            {"part[spot,0,0]": 11, "part[spot,2,0]": 4},
            {"part[spot,1,0]": 11, "part[spot,2,0]": 4},
            placed(31, 10, 10, 11),
        ],
    ),
    Case("cap_part", "and nothing that is not reached", one_month(*BEYOND), placed(15, 10, 5, 0), [{"reach[spot,1,0]": 0}]),
    Case("link_segment", "nor of an order that is not placed", one_month(*BEYOND), placed(15, 10, 5, 0), [{"place[spot,0]": 0}]),
    Case(
        "balance_part",
        "all that is ordered is divided",
        one_month(*BEYOND),
        placed(15, 10, 5, 0),
        [{"part[spot,1,0]": 4}, {"part[spot,1,0]": 6}],
    ),
    Case(
        "cap_part",
        "where a price rises at its break an order keeps the lower one as long as it stays below",
        one_month(SPOT, price_break(10, 12)),
        placed(9.99, 9.99, 0),
        [placed(10, 10, 0)],
    ),
    Case("hold_part", "and may pay the higher one from the break on", one_month(SPOT, price_break(10, 12)), placed(10, 0, 10),
         [placed(9.99, 0, 9.99)]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("cells", "rises_in"), [({"payment": "order"}, 0), ({"payment": "delivery"}, 1)]
)
def test_whether_a_price_rises_is_read_when_it_is_paid(
    cells: dict[str, str], rises_in: int
) -> None:
    """The index is 10, 20, 10, and from 10 on 15 is paid: dearer in January and March, cheaper in
    February. What is ordered arrives a month later.
    """
    row = offer(price=None, price_index="market", lead_time_months=1, capacity=30, **cells)
    stockpile = book(row, price_break(10, 15), *prices(10, 20, 10), periods=3)

    def at_the_break(n: int) -> dict[str, float]:
        return {
            f"buy[spot,{n}]": 10,
            f"place[spot,{n}]": 1,
            f"part[spot,0,{n}]": 10,
            f"reach[spot,0,{n}]": 1,
        }

    assert [n for n in (0, 1) if "cap_part" in broken(built(stockpile), at_the_break(n))] == [
        rises_in
    ]


@pytest.mark.parametrize(
    ("quantity", "cost"),
    [(5, 50), (9.9, 99), (10, 90), (15, 135), (19, 171), (20, 160), (30, 240)],
)
def test_all_units_have_the_price_of_the_last_break(quantity: float, cost: float) -> None:
    """Never dearer than buying up to the next break: 9.9 cost 90 at most, 19 cost 160."""
    stockpile = one_month(*ALL_UNITS, demand(quantity))
    assert least_cost(stockpile) == pytest.approx(
        min(cost, 90 if quantity <= 10 else 999, 160 if quantity <= 20 else 999)
    )


@pytest.mark.parametrize(
    ("quantity", "cost"), [(5, 50), (10, 100), (15, 145), (20, 190), (30, 270)]
)
def test_what_is_beyond_a_break_has_its_price(quantity: float, cost: float) -> None:
    stockpile = one_month(*BEYOND, demand(quantity))
    assert least_cost(stockpile) == pytest.approx(cost)


def test_breaks_in_any_order_of_rows() -> None:
    rows = (SPOT, price_break(20, 8), price_break(10, 9))
    stockpile = one_month(*rows, demand(15))
    assert [row.from_quantity for row in break_terms.breaks(stockpile)["spot"]] == [10, 20]
    assert least_cost(stockpile) == pytest.approx(135)
    assert warnings(stockpile) == []


def test_the_segments_of_an_order() -> None:
    first, second = price_break(10, 9), price_break(20, 8)
    stockpile = one_month(SPOT, second, first)
    assert break_terms.segments(stockpile, "spot", 30) == [
        Segment(0, 10, None),
        Segment(10, 20, first),
        Segment(20, 30, second),
    ]
    assert break_terms.segments(stockpile, "spot", 15) == [
        Segment(0, 10, None),
        Segment(10, 15, first),
    ]
    assert break_terms.segments(stockpile, "spot", 7) == [Segment(0, 7, None)]
    assert break_terms.segments(stockpile, "other", 7) == [Segment(0, 7, None)]


@pytest.mark.parametrize(
    ("quantity", "step"), [(9, None), (10, 10), (10 - 1e-9, 10), (19.9, 10), (25, 20)]
)
def test_the_break_that_an_order_reaches(quantity: float, step: float | None) -> None:
    found = break_terms.reached(one_month(*ALL_UNITS), "spot", quantity)
    assert (found.from_quantity if found else None) == step


def test_an_order_without_a_capacity_reaches_the_last_break_and_beyond() -> None:
    """3 are wanted; 100 at 0.1 cost less than 3 at 10."""
    assert least_cost(one_month(offer(), price_break(100, 0.1), demand(3))) == pytest.approx(10)
    assert least_cost(
        one_month(offer(lot_size=7), price_break(100, 0.1), demand(3))
    ) == pytest.approx(10.5)
    assert least_cost(one_month(offer(), price_break(5, 8), demand(90))) == pytest.approx(720)


def test_every_order_is_broken_by_itself() -> None:
    """A break is per order: 6 in each of two months that cannot be kept are never 12."""
    stockpile = book(
        offer(capacity=30), price_break(12, 1), material(shelf_life_months=1), demand(6, 0, 1)
    )
    assert least_cost(stockpile) == pytest.approx(12 + 12)


def test_a_minimum_an_order_cost_and_lots_hold_together_with_the_breaks() -> None:
    """12 wanted, in lots of 5 and at least 10: 15 at 9 and 4 for the order; without breaks 154.

    At 20: 164.
    """
    stockpile = one_month(
        offer(capacity=30, minimum_order=10, lot_size=5, order_cost=4),
        price_break(15, 9),
        price_break(20, 8),
        demand(12),
    )
    assert least_cost(stockpile) == pytest.approx(139)


# What it costs
# --------------------------------------------------------------------------------------------------

LANDED = {
    "price": None,
    "price_index": "market",
    "premium": 0.25,
    "adder": 0.5,
    "duty": 0.1,
    "freight": 2,
    "availability": 0.5,
}
LATER = 1.21 ** (1 / 12)  # February, at 21 % a year


@pytest.mark.parametrize(
    ("kind", "payment", "costs"),
    [
        # Delivery: 10 of the 20 ordered arrive in February, at an index of 12.
        (
            "all_units",
            "delivery",
            {"purchases": (120 + 5) / LATER, "duty": 12 / LATER, "freight": 20 / LATER},
        ),
        (
            "incremental",
            "delivery",
            {
                "purchases": (0.5 * (10 * 15 + 10 * 12) + 5) / LATER,
                "duty": 13.5 / LATER,
                "freight": 20 / LATER,
            },
        ),
        # Order: 20 are paid in January, at an index of 8.
        ("all_units", "order", {"purchases": 160 + 10, "duty": 16, "freight": 40}),
        ("incremental", "order", {"purchases": 10 * 10 + 10 * 8 + 10, "duty": 18, "freight": 40}),
    ],
)
def test_what_an_order_costs(kind: str, payment: str, costs: dict[str, float]) -> None:
    """20 ordered in January, a premium of 25 % on the index and from 10 on none."""
    row = offer(lead_time_months=1, capacity=30, order_cost=7, payment=payment, **LANDED)
    stockpile = book(
        row, price_break(10, premium=0.0, kind=kind), *prices(8, 12), discount_rate=0.21
    )
    plan = {
        "buy[spot,0]": 20,
        "place[spot,0]": 1,
        "stock[ga,stockpile,0,1]": 10,
        "reach[spot,1,0]": 1,
    }
    plan |= (
        {"part[spot,1,0]": 20} if kind == "all_units" else {"part[spot,0,0]": 10, "part[spot,1,0]": 10, "reach[spot,0,0]": 1}
    )  # fmt: skip
    assert bill(stockpile, plan) == pytest.approx({"order_costs": 7} | costs)


def test_a_break_with_a_price_of_its_own_on_an_offer_at_an_index() -> None:
    """20 at 6 whatever the index says; 5 at 8."""
    stockpile = one_month(
        offer(price=None, price_index="market", capacity=30), price_break(10, 6), *prices(8)
    )
    assert bill(stockpile, placed(20, 0, 20)) == {"purchases": 120}
    assert bill(stockpile, placed(5, 5, 0)) == {"purchases": 40}


# What is reported
# --------------------------------------------------------------------------------------------------


def told(stockpile: Stockpile, plan: dict[str, float]) -> Order:
    (order,) = [row for row in report(put(built(stockpile), plan)) if isinstance(row, Order)]
    return order


@pytest.mark.parametrize(
    ("quantity", "parts", "price", "step", "cheaper_from"),
    [
        (5, (5, 0, 0), 10, None, None),
        (10, (0, 10, 0), 9, 10, 9),  # 9 at 10 each cost as much
        (15, (0, 15, 0), 9, 10, None),
        (20, (0, 0, 20), 8, 20, 160 / 9),
        (25, (0, 0, 25), 8, 20, None),
    ],
)
def test_an_order_at_a_break_says_from_where_it_costs_less(
    quantity: float,
    parts: tuple[float, ...],
    price: float,
    step: float | None,
    cheaper_from: float | None,
) -> None:
    order = told(one_month(*ALL_UNITS), placed(quantity, *parts))
    assert (order.price, order.price_break, order.paid) == pytest.approx(
        (price, step, price * quantity)
    )
    assert order.cheaper_from == (None if cheaper_from is None else pytest.approx(cheaper_from))
    said = (
        f" (bought up to the price break: it costs less from {amounts.stated(cheaper_from)} kg on)"
        if cheaper_from
        else ""
    )
    assert (
        order.instruction
        == f"2027-01: order {quantity} kg of ga from plant under spot, to arrive 2027-01, for"
        f" {price * quantity:,.0f} USD in all{said}"
    )


@pytest.mark.parametrize(
    ("parts", "price", "step"),
    [((10, 5, 0), 145 / 15, 10), ((10, 10, 0), 9.5, 20), ((10, 10, 5), 9.2, 20)],
)
def test_a_price_beyond_a_break_is_an_average_and_nothing_is_bought_up(
    parts: tuple[float, ...], price: float, step: float
) -> None:
    """An order of just 20 reaches the break at 20, though it buys nothing beyond it."""
    order = told(one_month(*BEYOND), placed(sum(parts), *parts))
    assert (order.price, order.price_break, order.cheaper_from, order.paid) == pytest.approx(
        (price, step, None, price * sum(parts))
    )


def test_from_where_an_order_costs_less_is_reported_of_all_that_a_unit_costs() -> None:
    """10 at 9 with 10 % duty, 1 and 3 of adder and freight are 139; so are 139 / 15 at 10 with the
    same.
    """
    row = offer(capacity=30, adder=1, duty=0.1, freight=3)
    assert told(
        one_month(row, price_break(10, 9)), placed(10, 0, 10)
    ).cheaper_from == pytest.approx(139 / 15)


def test_nothing_is_bought_up_to_a_price_that_rises_beyond_its_break() -> None:
    rows = (
        offer(price=1, capacity=30),
        price_break(10, 10, kind="incremental"),
        price_break(20, 12, kind="incremental"),
    )
    order = told(one_month(*rows), placed(20, 10, 10, 0))
    assert (order.price, order.price_break, order.cheaper_from) == (5.5, 20, None)


def test_a_bought_up_order_may_cost_less_from_a_quantity_two_breaks_below() -> None:
    """20 at 1 are 20: as much as 2 of the first price, so that no order from 2 to 20 is cheaper."""
    order = told(one_month(SPOT, price_break(10, 9), price_break(20, 1)), placed(20, 0, 0, 20))
    assert order.cheaper_from == 2


def test_an_order_is_reported_with_the_price_of_the_month_in_which_it_is_paid() -> None:
    """20 ordered in January, of which 10 arrive in February at 12 and 0.5, with 10 % duty on 12 and
    2 of freight.
    """
    stockpile = book(
        offer(lead_time_months=1, capacity=30, order_cost=7, **LANDED),
        price_break(10, premium=0.0),
        *prices(8, 12),
    )
    plan = {
        "buy[spot,0]": 20,
        "place[spot,0]": 1,
        "stock[ga,stockpile,0,1]": 10,
        "reach[spot,1,0]": 1,
        "part[spot,1,0]": 20,
    }
    order = told(stockpile, plan)
    assert (order.price, order.delivered_price, order.paid) == pytest.approx(
        (12.5, 15.7, 10 * 15.7 + 7)
    )
    assert order.paid_on == month(1)


# What is wrong with a row
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            [price_break(10)],
            "price_breaks.price: a price break needs price or premium: both are blank; fill one of the two",
        ),
        (
            [price_break(10, premium=0.1)],
            "price_breaks.premium: is a share of an index: it needs a price_index of spot",
        ),
        (
            [price_break(10, 9, line=2), price_break(10, 8, line=3)],
            (
                "price_breaks.from_quantity: a break of spot at 10 stands in row 2 already; remove"
                " one of the two"
            ),
        ),
        (
            [price_break(10, 9, line=2), price_break(20, 8, line=3, kind="incremental")],
            "price_breaks.kind: must be the one kind of its offer, all_units as in row 2",
        ),
    ],
)
def test_faults_of_a_price_break(rows: list[PriceBreak], fault: str) -> None:
    assert faults(one_month(SPOT, *rows)) == [fault]


def test_a_price_break_has_a_price_or_a_premium() -> None:
    row = offer(price=None, price_index="market", capacity=30)
    assert faults(one_month(row, price_break(10, 9, premium=0.1), *prices(8))) == [
        "price_breaks.price: a price break needs price or premium, and has price 9 and premium 0.1; remove one of the two"
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [price_break(10, 9, line=2), price_break(20, 9.5, line=3)],
            (
                "price_breaks.price: is above that of the smaller quantity in row 2, 9: breaks out"
                " of order? found 9.5"
            ),
        ),
        (
            [price_break(31, 9)],
            (
                "price_breaks.from_quantity: is above the capacity of spot, 30: no order reaches"
                " it, found 31"
            ),
        ),
    ],
)
def test_a_price_break_that_is_odd(rows: list[PriceBreak], said: str) -> None:
    assert warnings(one_month(SPOT, *rows)) == [said]


def test_a_premium_that_rises_is_odd() -> None:
    rows = (
        offer(price=None, price_index="market", capacity=30),
        price_break(10, premium=-0.1, line=2),
        price_break(20, premium=0.0, line=3),
    )
    said = (
        "price_breaks.premium: is above that of the smaller quantity in row 2, -0.1: breaks out of"
        " order? found 0"
    )
    assert warnings(one_month(*rows, *prices(8))) == [said]


def test_breaks_of_an_order_that_nothing_bounds_need_a_capacity() -> None:
    """A target makes a bound, profit does not: stock that earns more than it costs."""
    stock = material(closing_value=1, price_index="market")
    said = (
        "offers.capacity: is needed: orders have a minimum, a cost or price breaks, and nothing"
        " else in the workbook bounds what could be bought"
    )
    assert faults(one_month(offer(), price_break(10, 9), stock, *prices(9.5))) == [said]
    assert faults(one_month(offer(), price_break(10, 9), target(5))) == []
