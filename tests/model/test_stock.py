"""Stock by age: what is handed on, what expires, what it costs to hold."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.blocks.stock.lot_terms import (
    OpeningLot,
    age_at_start,
    remaining_life,
    tells_apart,
)
from stockpile_model.build import report
from stockpile_model.lots import Lot
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    contract,
    demand,
    event,
    faults,
    floor,
    lot,
    material,
    month,
    offer,
    outlet,
    put,
    scenario,
    site,
    warnings,
)

ONE_MONTH = material(shelf_life_months=1)
TWO_MONTHS = material(shelf_life_months=2)
THREE_MONTHS = material(shelf_life_months=3)

CASES = [
    Case(
        "balance_stock",
        "without a shelf life what is left is kept",
        book(lot(10, -50), demand(4)),
        {"use[ga,,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 6, "stock[ga,stockpile,0,1]": 6},
        [{"stock[ga,stockpile,0,1]": 5}, {"stock[ga,stockpile,0,1]": 7}],
    ),
    Case(
        "balance_stock",
        "with one it is a period older in the next",
        book(offer(), THREE_MONTHS),
        {"buy[spot,0]": 10, "stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,1,1]": 10},
        [{"stock[ga,stockpile,1,1]": 0, "stock[ga,stockpile,0,1]": 10}],
    ),
    Case(
        "balance_stock",
        "an opening lot enters at the age its date gives it",
        book(lot(10, -1), THREE_MONTHS, periods=1),
        {"stock[ga,stockpile,1,0]": 10},
        [{"stock[ga,stockpile,1,0]": 0, "stock[ga,stockpile,0,0]": 10}],
    ),
    Case(
        "balance_stock",
        "what is received with two months of three left is a month old",
        book(offer(life_on_receipt_months=2), THREE_MONTHS, periods=1),
        {"buy[spot,0]": 10, "stock[ga,stockpile,1,0]": 10},
        [{"stock[ga,stockpile,1,0]": 0, "stock[ga,stockpile,0,0]": 10}],
    ),
    Case(
        "balance_expiry",
        "what an offtake delivers with one month of three left keeps for that month",
        book(
            contract(life_on_receipt_months=1), floor(10, 120), THREE_MONTHS, demand(3), periods=1
        ),
        {
            "sign[offtake,low,0]": 1,
            "take[offtake,low,0,0]": 10,
            "use[ga,,stockpile,2,0]": 3,
            "expired[ga,stockpile,0]": 7,
        },
        [{"expired[ga,stockpile,0]": 6}, {"expired[ga,stockpile,0]": 0}],
    ),
    Case(
        "balance_expiry",
        "a life of 2: used in the month of arrival and the next, and expired at the end of that",
        book(offer(), TWO_MONTHS, demand(3, 0, 1)),
        {
            "buy[spot,0]": 10,
            "use[ga,,stockpile,0,0]": 3,
            "stock[ga,stockpile,0,0]": 7,
            "use[ga,,stockpile,1,1]": 3,
            "expired[ga,stockpile,1]": 4,
        },
        [{"expired[ga,stockpile,1]": 3}, {"expired[ga,stockpile,1]": 0}],
    ),
    Case(
        "balance_expiry",
        "a life of 1 is over at the end of the month of arrival",
        book(offer(), ONE_MONTH, demand(3), periods=1),
        {"buy[spot,0]": 10, "use[ga,,stockpile,0,0]": 3, "expired[ga,stockpile,0]": 7},
        [{"expired[ga,stockpile,0]": 6}],
    ),
    Case(
        "balance_expiry",
        "an opening lot made two months before the first has one of three months left",
        book(lot(10, -2), THREE_MONTHS, demand(3), periods=1),
        {"use[ga,,stockpile,2,0]": 3, "expired[ga,stockpile,0]": 7},
        [{"expired[ga,stockpile,0]": 6}],
    ),
    Case(
        "expired",
        "an opening lot older than its life is waste of the first month: nothing can use it, not"
        " even what takes the last age",
        book(lot(10, -7), lot(4, -2, "M"), THREE_MONTHS, outlet()),
        {"out[sale,stockpile,2,0]": 4, "expired[ga,stockpile,0]": 10},
        [{"out[sale,stockpile,2,0]": 5, "expired[ga,stockpile,0]": 9}],
    ),
    Case(
        "balance_expiry",
        "and all of it is",
        book(lot(10, -7), lot(4, -2, "M"), THREE_MONTHS),
        {"expired[ga,stockpile,0]": 14},
        [{"expired[ga,stockpile,0]": 10}, {"expired[ga,stockpile,0]": 15}],
    ),
    Case(
        "hold_expiry",
        "what is older than a life that a scenario shortens is waste: no taker of the last age"
        " has it",
        book(
            lot(10, -2),
            lot(5, 0, "M"),
            material(shelf_life_months=4),
            outlet(),
            scenario(),
            event("materials.shelf_life_months", "set", 2, 1),
        ),
        {
            "stock[ga,stockpile,2,0]": 10,
            "stock[ga,stockpile,0,0]": 5,
            "stock[ga,stockpile,1,1]": 5,
            "expired[ga,stockpile,1]": 10,
            "out[sale,stockpile,1,2]": 5,
            "expired[ga,stockpile,2]": 10,
        },
        [{"out[sale,stockpile,1,2]": 6, "expired[ga,stockpile,2]": 9}],
    ),
    Case(
        "stock",
        "no more leaves than is there",
        book(lot(10, 0), outlet()),
        {"out[sale,stockpile,0,0]": 10},
        [
            {
                "out[sale,stockpile,0,0]": 11,
                "stock[ga,stockpile,0,0]": -1,
                "stock[ga,stockpile,0,1]": -1,
            }
        ],
    ),
    Case(
        "expired",
        "nor in its last month",
        book(lot(10, -1), TWO_MONTHS, outlet(), periods=1),
        {"out[sale,stockpile,1,0]": 10},
        [{"out[sale,stockpile,1,0]": 11, "expired[ga,stockpile,0]": -1}],
    ),
    Case(
        "cap_site",
        "10 at period end, all materials together; more may pass through",
        book(
            offer(),
            offer("other", material="in"),
            demand(5),
            material(),
            material("in"),
            site(capacity=10),
            periods=1,
        ),
        {
            "buy[spot,0]": 9,
            "use[ga,,stockpile,0,0]": 5,
            "buy[other,0]": 6,
            "stock[ga,stockpile,0,0]": 4,
            "stock[in,stockpile,0,0]": 6,
        },
        [{"buy[spot,0]": 10, "stock[ga,stockpile,0,0]": 5}],
    ),
    Case(
        "cap_site",
        "every age is held, what expires is not",
        book(lot(5, -2), lot(4, -1, "M"), offer(), THREE_MONTHS, site(capacity=10), periods=1),
        {
            "expired[ga,stockpile,0]": 5,
            "stock[ga,stockpile,1,0]": 4,
            "buy[spot,0]": 6,
            "stock[ga,stockpile,0,0]": 6,
        },
        [{"buy[spot,0]": 7, "stock[ga,stockpile,0,0]": 7}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("made", "months", "age"),
    [
        (month(0, 20), 1, 0),
        (month(-1, 31), 1, 1),
        (month(-1, 1), 1, 1),
        (month(-2, 28), 1, 2),
        (month(-1), 3, 1),
        (month(-3), 3, 1),
        (month(-4), 3, 2),
    ],
)
def test_age_of_an_opening_lot_in_the_first_period(made: object, months: int, age: int) -> None:
    stockpile = book(
        OpeningLot(lot="L", material="ga", quantity=1, made=made), period_months=months
    )
    assert age_at_start(stockpile, stockpile.rows(OpeningLot)[0]) == age


# What it costs
# --------------------------------------------------------------------------------------------------


def test_holding_is_paid_by_the_month_on_stock_at_period_end() -> None:
    """Quarters: (0.5 of the site + 0.25 of the material) x 3 months on the 6 left over, and on
    nothing that is used or expires.
    """
    stockpile = book(
        offer(price=0),
        demand(4),
        material(holding_cost=0.25, shelf_life_months=6),
        site(cost=0.5),
        period_months=3,
    )
    plan = {
        "buy[spot,0]": 10,
        "use[ga,,stockpile,0,0]": 4,
        "stock[ga,stockpile,0,0]": 6,
        "expired[ga,stockpile,1]": 6,
    }
    assert bill(stockpile, plan) == pytest.approx({"storage": 6 * 0.75 * 3})


def test_handling_is_paid_on_arrivals_and_on_what_leaves_for_demand_or_rotation() -> None:
    """In: 10 at 1. Out: 4 + 3 at 2. Neither on the opening 5 nor on the 8 that expire."""
    rows = (
        offer(price=0),
        lot(5, 0),
        demand(4),
        outlet(price=0),
        material(shelf_life_months=1),
        site(handling_in=1, handling_out=2),
    )
    plan = {
        "buy[spot,0]": 10,
        "use[ga,,stockpile,0,0]": 4,
        "out[sale,stockpile,0,0]": 3,
        "expired[ga,stockpile,0]": 8,
    }
    assert bill(book(*rows, periods=1), plan) == {"handling": 10 * 1 + 7 * 2}


def test_what_expires_is_charged_in_its_month() -> None:
    """5 too old in January, 10 in February, at 3 and 21 % a year."""
    stockpile = book(
        lot(5, -9),
        lot(10, 0, "M"),
        material(shelf_life_months=2, disposal_cost=3),
        discount_rate=0.21,
    )
    plan = {
        "expired[ga,stockpile,0]": 5,
        "stock[ga,stockpile,0,0]": 10,
        "expired[ga,stockpile,1]": 10,
    }
    assert bill(stockpile, plan) == pytest.approx({"disposal": 15 + 30 * 1.21 ** (-1 / 12)})


# What is reported
# --------------------------------------------------------------------------------------------------


def test_lots_movements_and_deliveries_are_reported() -> None:
    """5 made in December and 10 bought in January, a life of 3 months: 7 are used in January."""
    stockpile = book(lot(5, -1), offer(), demand(7), THREE_MONTHS)
    plan = {"buy[spot,0]": 10, "use[ga,,stockpile,1,0]": 5, "use[ga,,stockpile,0,0]": 2}
    plan |= {"stock[ga,stockpile,0,0]": 8, "stock[ga,stockpile,1,1]": 8}
    rows = list(report(put(built(stockpile), plan)))
    held = [
        (row.date, row.lot, row.age, row.remaining_life, row.quantity)
        for row in rows
        if isinstance(row, LotStock)
    ]
    assert held == [(month(0), "spot 2027-01", 0, 2, 8), (month(1), "spot 2027-01", 1, 1, 8)]
    moved = [
        (row.lot, row.kind, row.age, row.remaining_life, row.quantity)
        for row in rows
        if isinstance(row, Movement)
    ]
    assert sorted(moved) == [
        ("L", "demand", 1, 2, -5),
        ("L", "opening", 1, 2, 5),
        ("spot 2027-01", "arrival", 0, 3, 10),
        ("spot 2027-01", "demand", 0, 3, -2),
    ]
    (delivery,) = (row for row in rows if isinstance(row, Delivery))
    assert (delivery.date, delivery.kind, delivery.name, delivery.supplier, delivery.quantity) == (
        month(0),
        "offers",
        "spot",
        "plant",
        10,
    )


# What is wrong with a row
# --------------------------------------------------------------------------------------------------


def test_faults_of_an_opening_lot() -> None:
    assert faults(book(lot(1, 0), site("north"), site("south"))) == [
        "opening_stock.site: is required: the workbook has several sites"
    ]
    assert faults(book(lot(1, 1))) == [
        "opening_stock.made: must not be after the first period, which begins on 2027-01-01, found"
        " 2027-02-01"
    ]


def test_a_lot_older_than_its_life_is_odd() -> None:
    said = (
        "opening_stock.made: lot L is older than its shelf life of 3 months: it expires in the"
        " first period"
    )
    assert warnings(book(lot(1, -3), THREE_MONTHS)) == [said]
    assert warnings(book(lot(1, -2), THREE_MONTHS)) == []


def test_a_life_beyond_the_horizon_is_as_long_as_any_other() -> None:
    """A million months cost no more than what the oldest lot and the most demanding outlet
    can distinguish; what is left of a life is reported, and credited at the end, in full.
    """
    rows = (lot(10, -5), outlet(minimum_life_months=7), offer())
    short, long = (
        book(*rows, material(shelf_life_months=life), periods=3) for life in (3 + 5 + 7 + 1, 1e9)
    )
    assert (short.life("ga"), long.life("ga"), long.shelf_life("ga")) == (16, 16, 1_000_000_000)
    assert len(built(short).m.stock) == len(built(long).m.stock)
    assert remaining_life(long, Lot("L", "ga", "stockpile", month(0)), 5) == 1e9 - 5


# Life on receipt
# --------------------------------------------------------------------------------------------------


def test_metal_received_with_less_life_is_followed_from_when_it_was_made() -> None:
    """Two months of three are left: made in December, used in January and February."""
    stockpile = book(offer(life_on_receipt_months=2), demand(4, 0, 1), THREE_MONTHS)
    plan = {"buy[spot,0]": 8, "use[ga,,stockpile,1,0]": 4, "stock[ga,stockpile,1,0]": 4}
    plan |= {"use[ga,,stockpile,2,1]": 4}
    rows = list(report(put(built(stockpile), plan)))
    (came,) = (row for row in rows if isinstance(row, Delivery))
    assert (came.made, came.remaining_life) == (month(-1), 2)
    (held,) = (row for row in rows if isinstance(row, LotStock))
    assert (held.lot, held.made, held.age, held.remaining_life) == (
        "spot 2027-01",
        month(-1),
        1,
        1,
    )
    (order,) = (row for row in rows if isinstance(row, Order))
    assert order.life_on_receipt == 2
    assert "to arrive 2027-01 with 2 months of life left, for 80 USD" in order.instruction


def test_the_age_at_receipt_is_that_of_the_period_of_arrival() -> None:
    """Ordered in January; in A the life that February's arrivals have left is shorter."""
    rows = (
        offer(life_on_receipt_months=3, lead_time_months=1),
        THREE_MONTHS,
        scenario("A", 0.5, 1),
        event("offers.life_on_receipt_months", "set", 1, 1, name="A"),
    )
    arrivals = built(book(*rows)).ledger.arrivals
    assert {(each.node, each.age) for each in arrivals} == {(1, 0), (2, 2)}


def test_a_life_that_a_scenario_shortens_is_all_that_is_received() -> None:
    rows = (
        offer(life_on_receipt_months=2),
        THREE_MONTHS,
        scenario("A", 0.5, 1),
        event("materials.shelf_life_months", "set", 1, 1, name="A"),
    )
    stockpile = book(*rows)
    assert warnings(stockpile) == []
    assert [each.age for each in built(stockpile).ledger.arrivals] == [1, 1, 0]


def test_ages_at_receipt_begin_a_class() -> None:
    rows = (material(shelf_life_months=12), offer(life_on_receipt_months=5))
    stockpile = book(*rows, periods=12)
    assert [tells_apart(stockpile, "ga", age) for age in range(12)] == [0] * 7 + [1] * 5


@pytest.mark.parametrize(
    ("life", "received", "said"),
    [
        (None, 6, "needs a shelf_life_months of ga: without one no age is kept"),
        (6, 5.5, "must be a whole number of periods of 1 month, found 5.5 months; write 5 or 6"),
        (
            1e6,
            6,
            "is so far below the shelf life of ga, 1,000,000 months, that no date says when the "
            "metal was made, found 6",
        ),
    ],
)
def test_faults_of_a_life_on_receipt(life: float | None, received: float, said: str) -> None:
    rows = (material(shelf_life_months=life), floor(1, 12))
    rows += (offer(life_on_receipt_months=received), contract(life_on_receipt_months=received))
    assert faults(book(*rows)) == [
        f"offers.life_on_receipt_months: {said}",
        f"contracts.life_on_receipt_months: {said}",
    ]


def test_more_life_than_a_metal_can_have_is_odd() -> None:
    assert warnings(book(offer(life_on_receipt_months=4), THREE_MONTHS)) == [
        "offers.life_on_receipt_months: is above the shelf life of ga, 3 months: the metal arrives "
        "with that, found 4"
    ]
