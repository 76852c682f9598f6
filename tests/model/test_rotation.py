"""Rotation: what an outlet takes, at which age, and what it pays."""

from __future__ import annotations

import pytest

from stockpile_model.blocks import rotation
from stockpile_model.blocks.rotation import Outlet, Rotated
from stockpile_model.build import report
from stockpile_model.data import Stockpile
from tests.support.accept import Case, bill, book, built, faults, lot, material, month, outlet, prices, put, site, warnings

CASES = [
    Case(
        "cap_outlet",
        "5 a month, of all sites and ages together",
        book(
            outlet(capacity=5), material(shelf_life_months=3),
            lot(9, 0, site="north"), lot(9, -2, "M", site="south"), site("north"), site("south"), periods=1,
        ),
        {"out[sale,north,0,0]": 3, "stock[ga,north,0,0]": 6, "out[sale,south,2,0]": 2, "expired[ga,south,0]": 7},
        [
            {"out[sale,north,0,0]": 4, "stock[ga,north,0,0]": 5},
            {"out[sale,south,2,0]": 3, "expired[ga,south,0]": 6},
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def _outlet(stockpile: Stockpile) -> Outlet:
    return stockpile.rows(Outlet)[0]


@pytest.mark.parametrize(
    ("months", "life", "needed", "ages"),
    [
        (1, 4, 0, [0, 1, 2, 3]),
        (1, 4, 1, [0, 1, 2, 3]),  # in its last period of use a lot has one left
        (1, 4, 2, [0, 1, 2]),
        (1, 4, 4, [0]),
        (3, 12, 3, [0, 1, 2, 3]),
        (3, 12, 6, [0, 1, 2]),
        (1, None, 99, [0]),  # without a shelf life there is one class, which always will do
    ],
)
def test_an_outlet_takes_what_has_life_enough_left(months: int, life: float | None, needed: float, ages: list[int]) -> None:
    stockpile = book(outlet(minimum_life_months=needed), material(shelf_life_months=life), period_months=months, periods=1)
    assert [age for _, _, age, _ in built(stockpile).m.OUTS] == ages


def test_an_outlet_takes_between_its_dates() -> None:
    stockpile = book(outlet(from_=month(1, 20), to=month(2, 1)), periods=5)
    assert [node for *_, node in built(stockpile).m.OUTS] == [1, 2]


@pytest.mark.parametrize(
    ("cells", "age", "node", "earned"),
    [
        ({}, 3, 1, 5),
        ({"price": None, "price_index": "market"}, 0, 1, 20),
        ({"price": None, "price_index": "market", "price_factor": 0.75}, 0, 1, 15),
        ({"age_discount": 0.1}, 0, 0, 5),
        ({"age_discount": 0.1}, 3, 0, 3.5),
        ({"age_discount": 0.4}, 3, 0, 0),  # never below zero
    ],
)
def test_price_of_a_sale(cells: dict[str, object], age: int, node: int, earned: float) -> None:
    stockpile = book(outlet(**cells), *prices(10, 20), material(shelf_life_months=12))
    assert rotation.price(stockpile, _outlet(stockpile), age, node) == pytest.approx(earned)


def test_age_counts_in_months() -> None:
    stockpile = book(outlet(age_discount=0.1), material(shelf_life_months=12), period_months=3)
    assert rotation.price(stockpile, _outlet(stockpile), 2, 0) == pytest.approx(5 * (1 - 0.6))


def test_what_is_rotated_out_earns_and_costs() -> None:
    """10 made in December: 4 sold in February at age 2 for 5 x 0.8, at a cost of 1; 6 thrown away for 1 and 3 for disposal. 21 % a year."""
    rows = (
        lot(10, -1), material(shelf_life_months=3, disposal_cost=3), outlet(age_discount=0.1, cost=1), outlet("scrap", "dispose", cost=1),
    )  # fmt: skip
    stockpile = book(*rows, discount_rate=0.21)
    plan = {"stock[ga,stockpile,1,0]": 10, "out[sale,stockpile,2,1]": 4, "out[scrap,stockpile,2,1]": 6}
    february = 1.21 ** (-1 / 12)
    assert bill(stockpile, plan) == pytest.approx({"sales": -16 * february, "rotation": 10 * february, "disposal": 18 * february})
    sold, thrown = [row for row in report(put(built(stockpile), plan)) if isinstance(row, Rotated)]
    assert (sold.date, sold.lot, sold.made, sold.age, sold.remaining_life) == (month(1), "L", month(-1), 2, 1)
    assert (sold.outlet, sold.quantity, sold.price, sold.proceeds, sold.cost) == pytest.approx(("sale", 4, 4, 16, 4))
    assert sold.instruction == (
        "2027-02: sell 4 kg of lot L (ga, stockpile, made 2026-12-01), 1 months of life left, through sale, for 16 USD"
    )
    assert (thrown.outlet, thrown.form, thrown.quantity, thrown.proceeds, thrown.cost) == ("scrap", "dispose", 6, 0, 24)


def test_what_expires_is_told() -> None:
    stockpile = book(lot(10, 0), material(shelf_life_months=1, disposal_cost=3), periods=1)
    (told,) = [row for row in report(put(built(stockpile), {"expired[ga,stockpile,0]": 10})) if isinstance(row, Rotated)]
    assert (told.form, told.outlet, told.quantity, told.cost) == ("expired", None, 10, 30)
    assert told.instruction == "2027-01: 10 kg of lot L (ga, stockpile, made 2027-01-01) reaches the end of its life and is waste"


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"price": None}, "outlets.price: a sale needs price or price_index, and not both"),
        ({"price_index": "market"}, "outlets.price: a sale needs price or price_index, and not both"),
        ({"from_": month(1), "to": month(0)}, "outlets.to: must not be before from (2027-02-01), found 2027-01-01"),
        ({"age_discount": 0.1}, "outlets.age_discount: needs a shelf_life_months of ga: without one its age is not kept"),
    ],
)
def test_faults_of_an_outlet(cells: dict[str, object], fault: str) -> None:
    assert faults(book(outlet(**cells), *prices(1), site())) == [fault]


def test_an_outlet_that_asks_for_more_than_the_shelf_life_is_odd() -> None:
    said = "outlets.minimum_life_months: is above the shelf life of ga, 2 months: the outlet takes nothing, found 3"
    assert warnings(book(outlet(minimum_life_months=3), material(shelf_life_months=2))) == [said]
