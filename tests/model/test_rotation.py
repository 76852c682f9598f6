"""Rotation: what an outlet takes, at which age, and what it pays."""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo
import pytest

from stockpile_model.blocks.rotation import outlet_terms as rotation
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.build import report
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    budget,
    built,
    demand,
    event,
    faults,
    fund,
    least_cost,
    lot,
    material,
    month,
    offer,
    outlet,
    prices,
    put,
    scenario,
    site,
    warnings,
)

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
    Case(
        "cap_outlet",
        "a rework takes 5 in, whatever comes back",
        book(lot(9, 0), outlet("refine", "rework", capacity=5, yield_=0.5, to_material="in"), material(), material("in"), periods=1),
        {"out[refine,stockpile,0,0]": 5, "stock[ga,stockpile,0,0]": 4, "stock[in,stockpile,0,0]": 2.5},
        [{"out[refine,stockpile,0,0]": 6, "stock[ga,stockpile,0,0]": 3, "stock[in,stockpile,0,0]": 3}],
    ),
    Case(
        "balance_stock",
        "of 8 exchanged in January at age 1 three quarters are back in March, fresh",
        book(lot(8, -1), outlet("swap", "exchange", yield_=0.75, lead_time_months=2), material(shelf_life_months=6), periods=4),
        {"out[swap,stockpile,1,0]": 8, "stock[ga,stockpile,0,2]": 6, "stock[ga,stockpile,1,3]": 6},
        [
            {"stock[ga,stockpile,0,2]": 8, "stock[ga,stockpile,1,3]": 8},
            {"stock[ga,stockpile,0,1]": 6, "stock[ga,stockpile,1,2]": 6, "stock[ga,stockpile,0,2]": 0, "stock[ga,stockpile,1,3]": 0,
             "stock[ga,stockpile,2,3]": 6},
            {"stock[ga,stockpile,0,2]": 0, "stock[ga,stockpile,1,3]": 0, "stock[ga,stockpile,3,2]": 6, "stock[ga,stockpile,4,3]": 6},
        ],
    ),
    Case(
        "balance_stock",
        "it comes back to where it left, and of all ages together",
        book(
            lot(8, -1, site="south"), lot(4, -2, "M", site="south"), outlet("swap", "exchange", lead_time_months=1), site("north"),
            site("south"), material(shelf_life_months=4),
        ),
        {"out[swap,south,1,0]": 8, "out[swap,south,2,0]": 4, "stock[ga,south,0,1]": 12},
        [{"stock[ga,south,0,1]": 0, "stock[ga,north,0,1]": 12}, {"stock[ga,south,0,1]": 8}],
    ),
    Case(
        "balance_stock",
        "a rework without a lead time gives 1.5 of the other material for each unit, usable at once",
        book(
            lot(8, 0), outlet("refine", "rework", yield_=1.5, to_material="in"), material(), material("in"), demand(12, material="in"),
            periods=1,
        ),
        {"out[refine,stockpile,0,0]": 8, "use[in,,stockpile,0,0]": 12},
        [{"out[refine,stockpile,0,0]": 7}, {"stock[ga,stockpile,0,0]": 8}],
    ),
    Case(
        "balance_stock",
        "a rework that names no other material gives back the same",
        book(lot(8, -1), outlet("refine", "rework"), material(shelf_life_months=3), periods=1),
        {"out[refine,stockpile,1,0]": 8, "stock[ga,stockpile,0,0]": 8},
        [{"stock[ga,stockpile,0,0]": 0, "stock[ga,stockpile,1,0]": 8}],
    ),
    Case(
        "balance_expiry",
        "what comes back with a life of one month is used in it or expires",
        book(lot(8, 0), outlet("refine", "rework", to_material="in"), material(), material("in", shelf_life_months=1), periods=1),
        {"out[refine,stockpile,0,0]": 8, "expired[in,stockpile,0]": 8},
        [{"expired[in,stockpile,0]": 7}],
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
def test_an_outlet_takes_what_has_life_enough_left(
    months: int, life: float | None, needed: float, ages: list[int]
) -> None:
    stockpile = book(
        outlet(minimum_life_months=needed),
        material(shelf_life_months=life),
        period_months=months,
        periods=4,
    )
    assert [age for _, _, age, n in built(stockpile).m.OUTS if n == 0] == ages


def test_an_outlet_takes_between_its_dates() -> None:
    stockpile = book(outlet(from_=month(1, 20), to=month(2, 1)), periods=5)
    assert [node for *_, node in built(stockpile).m.OUTS] == [1, 2]


@pytest.mark.parametrize(
    ("form", "cells", "settings", "nodes"),
    [
        ("exchange", {}, {}, [0, 1, 2, 3, 4]),
        ("exchange", {"lead_time_months": 2}, {}, [0, 1, 2]),  # back within the horizon
        ("rework", {"lead_time_months": 4}, {}, [0]),
        ("rework", {"lead_time_months": 5}, {}, []),
        ("rework", {"lead_time_months": 6}, {"period_months": 3}, [0, 1, 2]),
        ("exchange", {"lead_time_months": 2, "from_": month(1), "to": month(3)}, {}, [1, 2]),
        ("sale", {"lead_time_months": 2}, {}, [0, 1, 2, 3, 4]),  # nothing comes back
    ],
)
def test_when_an_exchange_or_a_rework_takes_metal(
    form: str, cells: dict[str, object], settings: dict[str, int], nodes: list[int]
) -> None:
    stockpile = book(outlet("swap", form, **cells), **{"periods": 5} | settings)
    assert [node for *_, node in built(stockpile).m.OUTS] == nodes


def test_an_exchange_takes_what_has_life_enough_left() -> None:
    stockpile = book(
        outlet("swap", "exchange", minimum_life_months=3), material(shelf_life_months=4), periods=1
    )
    assert [age for _, _, age, _ in built(stockpile).m.OUTS] == [0, 1]


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
    """10 made in December: 4 sold in February at age 2 for 5 x 0.8, at a cost of 1; 6 thrown away
    for 1 and 3 for disposal. 21 % a year.
    """
    rows = (
        lot(10, -1), material(shelf_life_months=3, disposal_cost=3), outlet(age_discount=0.1, cost=1), outlet("scrap", "dispose", cost=1),
    )  # fmt: skip
    stockpile = book(*rows, discount_rate=0.21)
    plan = {
        "stock[ga,stockpile,1,0]": 10,
        "out[sale,stockpile,2,1]": 4,
        "out[scrap,stockpile,2,1]": 6,
    }
    february = 1.21 ** (-1 / 12)
    assert bill(stockpile, plan) == pytest.approx(
        {"sales": -16 * february, "rotation": 10 * february, "disposal": 18 * february}
    )
    sold, thrown = [row for row in report(put(built(stockpile), plan)) if isinstance(row, Rotated)]
    assert (sold.date, sold.lot, sold.made, sold.age, sold.remaining_life) == (
        month(1),
        "L",
        month(-1),
        2,
        1,
    )
    assert (sold.outlet, sold.quantity, sold.price, sold.proceeds, sold.cost) == pytest.approx(
        ("sale", 4, 4, 16, 4)
    )
    assert (
        sold.instruction
        == "2027-02: sell 4 kg of lot L (ga, stockpile, made 2026-12-01), 1 month of life left,"
        " through sale, for 16 USD"
    )
    assert (thrown.outlet, thrown.form, thrown.quantity, thrown.proceeds, thrown.cost) == (
        "scrap",
        "dispose",
        6,
        0,
        24,
    )


def test_an_exchange_costs_its_price_and_the_handling_out_and_in() -> None:
    """8 at 2 and a handling out of 1 in January; 6 that come back in March at 3. 21 % a year.

    It earns nothing.
    """
    rows = (
        lot(8, -1),
        outlet("swap", "exchange", yield_=0.75, lead_time_months=2, cost=2),
        site(handling_in=3, handling_out=1),
    )
    stockpile = book(
        *rows, material(shelf_life_months=6, disposal_cost=50), periods=4, discount_rate=0.21
    )
    plan = {
        "out[swap,stockpile,1,0]": 8,
        "stock[ga,stockpile,0,2]": 6,
        "stock[ga,stockpile,1,3]": 6,
    }
    assert bill(stockpile, plan) == pytest.approx(
        {"rotation": 16, "handling": 8 + 18 * 1.21 ** (-2 / 12)}
    )


def test_the_buyer_of_the_site_pays_for_a_rework() -> None:
    rows = (
        lot(8, 0, site="north"),
        site("north", buyer="navy"),
        site("south", buyer="army"),
        outlet("refine", "rework", cost=2),
    )
    formulation = put(built(book(*rows, periods=1)), {"out[refine,north,0,0]": 8})
    paid = [
        (each.heading, each.use, each.buyer, pyo.value(each.amount))
        for each in formulation.ledger.money
        if pyo.value(each.amount)
    ]
    assert paid == [("rotation", "rotation", "navy", 16)]


def test_what_comes_back_is_reported() -> None:
    """8 made in December, exchanged in January for 6 that come back in March, of which 2 serve a
    demand in April.
    """
    rows = (
        lot(8, -1),
        outlet("swap", "exchange", yield_=0.75, lead_time_months=2, cost=2),
        demand(2, 3),
    )
    stockpile = book(*rows, material(shelf_life_months=6), periods=4)
    plan = {
        "out[swap,stockpile,1,0]": 8,
        "stock[ga,stockpile,0,2]": 6,
        "use[ga,,stockpile,1,3]": 2,
        "stock[ga,stockpile,1,3]": 4,
    }
    told = list(report(put(built(stockpile), plan)))
    (row,) = (each for each in told if isinstance(each, Rotated))
    assert (row.date, row.lot, row.age, row.remaining_life, row.outlet, row.form) == (
        month(0),
        "L",
        1,
        5,
        "swap",
        "exchange",
    )
    assert (row.quantity, row.price, row.proceeds, row.cost) == (8, 0, 0, 16)
    assert (row.returns, row.returned, row.to_material) == (month(2), 6, "ga")
    assert (
        row.instruction
        == "2027-01: exchange 8 kg of lot L (ga, stockpile, made 2026-12-01), 5 months of life"
        " left, through swap; 6 kg of ga come back 2027-03"
    )
    moved = [
        (each.date, each.lot, each.made, each.kind, each.age, each.quantity)
        for each in told
        if isinstance(each, Movement)
    ]
    assert moved[2:] == [
        (month(2), "swap 2027-03", month(2), "return", 0, 6),
        (month(3), "swap 2027-03", month(2), "demand", 1, -2),
    ]
    assert not [each for each in told if isinstance(each, Delivery)]  # no supplier brings it


def test_a_rework_is_reported_with_the_material_it_makes() -> None:
    rows = (
        lot(8, 0),
        outlet("refine", "rework", yield_=0.5, to_material="in"),
        material(),
        material("in"),
    )
    formulation = put(
        built(book(*rows, periods=1)),
        {"out[refine,stockpile,0,0]": 8, "stock[in,stockpile,0,0]": 4},
    )
    told = list(report(formulation))
    (row,) = (each for each in told if isinstance(each, Rotated))
    assert (row.form, row.returns, row.returned, row.to_material) == ("rework", month(0), 4, "in")
    assert (
        row.instruction
        == "2027-01: rework 8 kg of lot L (ga, stockpile, made 2027-01-01), through refine; 4 kg of"
        " in come back 2027-01"
    )
    assert [
        (each.lot, each.material, each.quantity) for each in told if isinstance(each, LotStock)
    ] == [("refine 2027-01", "in", 4)]


def test_what_is_lent_comes_back_with_a_premium() -> None:
    """8 for 2 each: 10 fresh ones are back in the month after, when the lot would be dead."""
    rows = lot(8, 0), material(shelf_life_months=1), demand(10, 1)
    maker = replace(outlet("maker", "loan", months=1, yield_=1.25), price=2)
    stockpile = book(*rows, maker)
    plan = {"out[maker,stockpile,0,0]": 8, "use[ga,,stockpile,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx({"sales": -16})


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ({}, ["outlets.months: is needed: the months until what is lent is replaced"]),
        ({"months": 1, "yield_": 1.1}, []),  # a premium is no slip
        (
            {"months": 1, "lead_time_months": 1, "age_discount": 0.1, "gain_months": 1},
            [
                "outlets.age_discount: has no effect on an outlet of form loan",
                "outlets.lead_time_months: has no effect on an outlet of form loan",
                "outlets.gain_months: has no effect on an outlet of form loan",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_loan(cells: dict[str, float], lines: list[str]) -> None:
    stockpile = book(outlet("maker", "loan", **cells), material(shelf_life_months=3))
    assert [*faults(stockpile), *warnings(stockpile)] == lines


def test_what_does_not_come_back_says_nothing_of_it() -> None:
    formulation = put(built(book(lot(8, 0), outlet(), periods=1)), {"out[sale,stockpile,0,0]": 8})
    (row,) = (each for each in report(formulation) if isinstance(each, Rotated))
    assert (row.returns, row.returned, row.to_material) == (None, None, None)


def test_an_exchange_outlives_the_shelf_life() -> None:
    """8 with a life of two months, wanted in the fourth; 10 each bought then, 1 for each exchange,
    of which two are needed. Where half is lost in each, 2 are left.
    """
    rows = (
        lot(8, 0),
        material(shelf_life_months=2),
        demand(8, 3),
        offer(from_=month(3)),
        outlet("swap", "exchange", cost=1),
    )
    assert least_cost(book(*rows, periods=4)) == pytest.approx(8 + 8)
    assert least_cost(
        book(*rows[:-1], outlet("swap", "exchange", cost=1, yield_=0.5), periods=4)
    ) == pytest.approx(8 + 4 + 6 * 10)
    assert least_cost(
        book(*rows[:-1], outlet("swap", "exchange", cost=11), periods=4)
    ) == pytest.approx(80)


def test_what_expires_is_reported() -> None:
    stockpile = book(lot(10, 0), material(shelf_life_months=1, disposal_cost=3), periods=1)
    (told,) = [
        row
        for row in report(put(built(stockpile), {"expired[ga,stockpile,0]": 10}))
        if isinstance(row, Rotated)
    ]
    assert (told.form, told.outlet, told.quantity, told.cost) == ("expired", None, 10, 30)
    assert (
        told.instruction
        == "2027-01: 10 kg of lot L (ga, stockpile, made 2027-01-01) reaches the end of its life"
        " and is waste"
    )


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (
            {"price": None},
            "outlets.price: a sale needs price or price_index: both are blank; fill one of the two",
        ),
        (
            {"price_index": "market"},
            "outlets.price: a sale needs price or price_index, and has price 5 and price_index 'market'; remove one of the two",
        ),
        (
            {"from_": month(1), "to": month(0)},
            "outlets.to: must not be before from (2027-02-01), found 2027-01-01",
        ),
        (
            {"to_material": "ga"},
            (
                "outlets.to_material: is for a rework: an outlet of form sale gives back no other"
                " material"
            ),
        ),
        (
            {"form": "exchange", "price": None, "to_material": "ga"},
            (
                "outlets.to_material: is for a rework: an outlet of form exchange gives back no"
                " other material"
            ),
        ),
        (
            {"form": "rework", "price": None, "lead_time_months": 0.5},
            (
                "outlets.lead_time_months: must be a whole number of periods of 1 month, found 0.5"
                " months; write 0 or 1"
            ),
        ),
    ],
)
def test_faults_of_an_outlet(cells: dict[str, object], fault: str) -> None:
    assert faults(book(outlet(**cells), *prices(1), site())) == [fault]


def test_an_outlet_that_asks_for_more_than_the_shelf_life_is_odd() -> None:
    said = (
        "outlets.minimum_life_months: is above the shelf life of ga, 2 months: the outlet takes"
        " nothing, found 3"
    )
    assert warnings(book(outlet(minimum_life_months=3), material(shelf_life_months=2))) == [said]


@pytest.mark.parametrize(
    ("form", "cells", "names"),
    [
        ("sale", {"yield_": 0.5, "lead_time_months": 1.0}, ["yield", "lead_time_months"]),
        ("dispose", {"price": 5.0, "fund": "nds", "yield_": 0.5}, ["price", "fund", "yield"]),
        (
            "exchange",
            {
                "price": 5.0,
                "price_index": "market",
                "price_factor": 0.5,
                "age_discount": 0.1,
                "fund": "nds",
            },
            ["price", "price_index", "price_factor", "age_discount", "fund"],
        ),
        ("rework", {"price": 5.0}, ["price"]),
        ("rework", {"yield_": 0.5, "lead_time_months": 1.0}, []),
    ],
)
def test_what_has_no_effect_on_an_outlet_is_odd(
    form: str, cells: dict[str, object], names: list[str]
) -> None:
    row = Outlet(
        **{
            "outlet": "out",
            "material": "ga",
            "form": form,
            "price": 5.0 if form == "sale" else None,
        }
        | cells
    )
    said = [f"outlets.{name}: has no effect on an outlet of form {form}" for name in names]
    assert warnings(book(row, *prices(1), material(shelf_life_months=4), fund(), budget(9))) == said


def test_more_back_than_goes_in_is_odd_where_it_is_the_same_material() -> None:
    said = ["outlets.yield: is above 1: more comes back than goes in, found 1.5"]
    assert warnings(book(outlet("swap", "exchange", yield_=1.5, capacity=5))) == said
    assert (
        warnings(book(outlet("refine", "rework", yield_=1.5, capacity=5), material("ga"))) == said
    )
    assert (
        warnings(
            book(
                outlet("refine", "rework", yield_=1.5, to_material="in"),
                material("ga"),
                material("in"),
            )
        )
        == []
    )


@pytest.mark.parametrize("life", [None, 1200])
@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ((outlet(price=5, age_discount=0.1, minimum_age_months=2),), -10 * 5 * 0.8),
        ((outlet(price=5, age_discount=0.1, minimum_age_months=2), offer(price=3, capacity=1)), -40 - 2 * (4 - 3)),
        ((outlet(price=5, minimum_age_months=4),), 0),
        ((outlet(price=5, age_discount=0.1, minimum_life_months=24),), -10 * 5),
        ((outlet(price=5, minimum_age_months=2), demand(4, 3, minimum_life_months=36)), -6 * 5),
        ((outlet(price=5), scenario(), event("outlets.minimum_age_months", "set", 4)), -25),
    ],
)  # fmt: skip
def test_the_age_of_metal_whose_life_is_unlimited_is_kept(
    rows: tuple[Row, ...], best: float, life: float | None
) -> None:
    """10 are new in January, of four months."""
    stockpile = book(*rows, lot(10, 0), material(shelf_life_months=life), periods=4)
    assert least_cost(stockpile) == pytest.approx(best)


def test_metal_of_unlimited_life_that_is_kept_by_age_has_all_its_value_at_the_end() -> None:
    stock = material(price_index="market", closing_value=0.5)
    rows = outlet(price=1, age_discount=0.1), lot(10, -20), *prices(8)
    stockpile = book(*rows, stock, periods=2)
    assert least_cost(stockpile) == pytest.approx(-10 * 0.5 * 8)


def lend(fee: float, **cells: float) -> Outlet:
    return replace(outlet("loan", "loan", **cells), price=fee)


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ((lend(0.5, months=2, yield_=1.2),), 100 + 20 - 5),
        ((lend(0.5, months=1),), 120 + 20 - 2 * 6),
        ((lend(5.1, months=1),), None),
        ((lend(1, months=1), outlet(price=6.5)), 120 + 20 - 2 * 12),
        ((lend(1, months=1), outlet(price=9)), None),
    ],
)
def test_a_loan_without_capacity_bounds_orders_where_its_fees_are_less_than_metal_costs(
    rows: tuple[Row, ...], best: float | None
) -> None:
    """12 are wanted in March, for 10 each and 20 an order: bought in January they can be lent."""
    stockpile = book(*rows, offer(order_cost=20), demand(12, 2), periods=3)
    if best is None:
        (fault,) = faults(stockpile)
        assert fault.startswith("offers.capacity: is needed: ")
    else:
        assert least_cost(stockpile) == pytest.approx(best)
