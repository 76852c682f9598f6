"""Dispatches: minimum, lots and cost of what leaves, the taker's country, rules on outlets."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.blocks.rotation.dispatched import Dispatch
from stockpile_model.build import report
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    commitment,
    faults,
    in_transit,
    least_cost,
    lot,
    material,
    month,
    offer,
    outlet,
    put,
    rule,
    site,
    target,
    warnings,
)

ABROAD = (
    lot(9, 0),
    outlet("home", country="US"),
    outlet("away", country="JP"),
    outlet("waste", "dispose"),
)
SOLD = {
    "out[home,stockpile,0,0]": 3,
    "out[away,stockpile,0,0]": 2,
    "out[waste,stockpile,0,0]": 1,
    "stock[ga,stockpile,0,0]": 3,
}

CASES = [
    Case(
        "cap_dispatch",
        "a sale with a cost is made or not, within the capacity of all sites together",
        book(
            outlet(order_cost=4, capacity=8), lot(9, 0, site="north"), lot(9, 0, "M", site="south"),
            site("north"), site("south"), periods=1,
        ),
        {
            "out[sale,north,0,0]": 5, "out[sale,south,0,0]": 3, "dispatch[sale,0]": 1,
            "stock[ga,north,0,0]": 4, "stock[ga,south,0,0]": 6,
        },
        [
            {"dispatch[sale,0]": 0},
            {"out[sale,north,0,0]": 6, "stock[ga,north,0,0]": 3},
        ],
    ),
    Case(
        "cap_dispatch",
        "without a capacity the bound is what may be on hand",
        book(outlet(order_cost=4), lot(9, 0), offer(capacity=2), periods=1),
        {"buy[spot,0]": 2, "out[sale,stockpile,0,0]": 11, "dispatch[sale,0]": 1},
        [{"dispatch[sale,0]": 0}, {"dispatch[sale,0]": 0.999}],
        parts=True,
    ),
    Case(
        "hold_minimum_dispatch",
        "5 at least, or nothing",
        book(outlet(minimum_order=5, capacity=8), lot(9, 0), periods=1),
        {"out[sale,stockpile,0,0]": 5, "dispatch[sale,0]": 1, "stock[ga,stockpile,0,0]": 4},
        [{"out[sale,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 5}],
    ),
    Case(
        "hold_dispatch_lots",
        "whole steps of 3",
        book(outlet(), lot(9, 0), periods=1, order_step=3),
        {
            "out[sale,stockpile,0,0]": 6,
            "dispatch_lots[sale,0]": 2,
            "stock[ga,stockpile,0,0]": 3,
        },
        [
            {"out[sale,stockpile,0,0]": 5, "stock[ga,stockpile,0,0]": 4},
            {"dispatch_lots[sale,0]": 1},
        ],
    ),
    Case(
        "hold_dispatch_lots",
        "whole lots of 3",
        book(outlet(lot_size=3), lot(9, 0), periods=1),
        {
            "out[sale,stockpile,0,0]": 6,
            "dispatch_lots[sale,0]": 2,
            "stock[ga,stockpile,0,0]": 3,
        },
        [
            {"out[sale,stockpile,0,0]": 5, "stock[ga,stockpile,0,0]": 4},
            {"dispatch_lots[sale,0]": 1},
        ],
    ),
    Case(
        "hold_rule_most",
        "at most half of what leaves goes to one country; what is thrown away counts in the whole",
        book(*ABROAD, rule("outlet_country", "US", most=0.5), periods=1),
        SOLD,
        [{"out[home,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 2}],
    ),
    Case(
        "hold_rule_most",
        "of each outlet in turn at most 3",
        book(*ABROAD, rule("outlet", measure="quantity", most=3), periods=1),
        SOLD,
        [
            {"out[home,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 2},
            {"out[away,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 1},
            {"out[waste,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 0},
        ],
    ),
    Case(
        "hold_rule_least",
        "the receipts from an outlet are 15 at least",
        book(*ABROAD, rule("outlet", "home", measure="spend", least=15), periods=1),
        SOLD,
        [{"out[home,stockpile,0,0]": 2, "stock[ga,stockpile,0,0]": 4}],
    ),
    Case(
        "cap_present",
        "metal leaves to one country only",
        book(*ABROAD, rule("outlet_country", measure="count", most=1), periods=1),
        {
            "out[home,stockpile,0,0]": 3,
            "present[policy,US,0]": 1,
            "out[waste,stockpile,0,0]": 1,
            "stock[ga,stockpile,0,0]": 5,
        },
        [{"out[away,stockpile,0,0]": 1, "stock[ga,stockpile,0,0]": 4}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("months", "least", "ages"),
    [(1, 0, [0, 1, 2, 3]), (1, 2, [2, 3]), (3, 4, [2, 3]), (3, 6, [2, 3]), (1, 9, [])],
)
def test_younger_metal_is_not_released(months: int, least: float, ages: list[int]) -> None:
    stockpile = book(
        outlet(minimum_age_months=least),
        material(shelf_life_months=4 * months),
        period_months=months,
        periods=4,
    )
    assert [age for _, _, age, n in built(stockpile).m.OUTS if n == 0] == ages


def test_each_sale_costs() -> None:
    """10 at 5 each, 6 in a month: two sales at 12 each. With a fee of 21 the second, of 4, earns
    less than it costs; with one of 31 neither pays.
    """
    rows = lot(10, 0), material(shelf_life_months=9)
    for fee, cost in ((12, 2 * 12 - 50), (21, 21 - 30), (31, 0)):
        stockpile = book(*rows, outlet(capacity=6, order_cost=fee))
        assert least_cost(stockpile) == pytest.approx(cost)


def test_what_an_exchange_of_before_the_start_gives_back_is_sold_at_a_fee() -> None:
    """18 of 20 are back in February and sold for 90 at a fee of 4: nothing else was ever there."""
    swap = outlet("swap", "exchange", capacity=9, yield_=0.9, lead_time_months=2)
    rows = swap, commitment("rotate", "swap", 20, -1), outlet(order_cost=4)
    assert least_cost(book(*rows, periods=3)) == pytest.approx(4 - 90)


def test_what_is_in_transit_is_sold_together_with_what_comes_with_it() -> None:
    """20 that are due and 10 that are ordered for 1 each come at once: 30 are sold, at one fee."""
    rows = offer(price=1, capacity=10), in_transit(20, 0), outlet(order_cost=4)
    assert least_cost(book(*rows, periods=1)) == pytest.approx(10 + 4 - 150)


def test_what_is_sold_is_whole_lots_of_no_less_than_the_minimum() -> None:
    """Of 10 with a life of one month the rest is thrown away: 8 in lots of 4 earn 40 and cost 2 x 2
    for the rest; where 9 at least are sold in lots of 4 nothing is.
    """
    rows = lot(10, 0), material(shelf_life_months=1, disposal_cost=2)
    assert least_cost(book(*rows, outlet(lot_size=4), periods=1)) == pytest.approx(4 - 40)
    stockpile = book(*rows, outlet(lot_size=4, minimum_order=9, capacity=11), periods=1)
    assert least_cost(stockpile) == pytest.approx(20)
    assert warnings(stockpile) == [
        "outlets.capacity: is below the smallest order, 12: nothing can leave through it, found 11"
    ]


def test_beyond_firm_periods_a_sale_costs_the_part_of_the_fee_that_it_is_of_its_limit() -> None:
    """4 of a capacity of 8 in February cost half of the fee of 6; 10 are in no whole lots."""
    stockpile = book(
        lot(10, 0), outlet(capacity=8, order_cost=6, lot_size=3), periods=2, firm_periods=1
    )
    formulation = built(stockpile)
    assert [*formulation.m.DISPATCHES] == [("sale", 0)]
    plan = {
        "stock[ga,stockpile,0,0]": 10,
        "out[sale,stockpile,0,1]": 4,
        "stock[ga,stockpile,0,1]": 6,
    }
    assert bill(stockpile, plan) == pytest.approx({"rotation": 3, "sales": -20})
    (row,) = (each for each in report(put(formulation, plan)) if isinstance(each, Dispatch))
    assert (row.quantity, row.lots, row.order_cost, row.relaxed) == (4, None, 3, True)


def test_a_dispatch_is_reported_with_its_lots() -> None:
    stockpile = book(
        lot(4, 0),
        lot(5, -1, "M"),
        outlet(lot_size=3, order_cost=6, country="JP"),
        outlet("waste", "dispose"),
        material(shelf_life_months=3),
        periods=1,
    )
    plan = {
        "out[sale,stockpile,0,0]": 1,
        "out[sale,stockpile,1,0]": 5,
        "dispatch[sale,0]": 1,
        "dispatch_lots[sale,0]": 2,
        "out[waste,stockpile,0,0]": 3,
    }
    (row,) = (each for each in report(put(built(stockpile), plan)) if isinstance(each, Dispatch))
    assert (row.date, row.outlet, row.form, row.country) == (month(0), "sale", "sale", "JP")
    assert (row.quantity, row.lots, row.order_cost, row.relaxed) == (6, 2, 6, False)


def test_a_binary_only_where_a_dispatch_needs_one() -> None:
    rows = lot(4, 0), outlet("a"), outlet("b", lot_size=2), outlet("c", minimum_order=1, capacity=3)
    m = built(book(*rows, periods=1)).m
    assert [*m.DISPATCHES] == [("c", 0)]
    assert [*m.LOT_DISPATCHES] == [("b", 0)]


def test_the_bound_of_a_sale_grows_with_what_an_exchange_brings_back() -> None:
    """Of 10, and 3 a month, 1.5 times as much in each of the two months before."""
    rows = lot(10, 0), offer(capacity=3), outlet(order_cost=1)
    swap = outlet("swap", "exchange", yield_=1.5, lead_time_months=1)
    m = built(book(*rows, swap, periods=3)).m
    bounds = [-pyo.value(m.cap_dispatch[key].body.args[1].args[0]) for key in m.DISPATCHES]
    assert bounds == pytest.approx([13, 16 * 1.5, 19 * 1.5**2])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            (outlet(order_cost=1), outlet("swap", "exchange", yield_=2)),
            "outlets.capacity: is needed: a sale or dispatch has a minimum or a cost, and an"
            " exchange or rework gives back at once more than goes in",
        ),
        (
            (
                outlet(),
                outlet("swap", "exchange", yield_=2, capacity=3),
                rule("outlet", measure="count", most=1),
            ),
            "outlets.capacity: is needed: a rule counts outlets, and an exchange or rework gives"
            " back at once more than goes in",
        ),
        (
            (outlet(price=50, order_cost=1), offer()),
            "offers.capacity: is needed: an outlet without a capacity has a minimum or a cost, and"
            " nothing else in the workbook bounds what could be bought",
        ),
        (
            (outlet(lot_size=1e-12), target(100)),
            "outlets.lot_size: is too small for whole lots to mean anything, found 0.000000000001"
            " where 100 is needed; leave it blank where any quantity can be ordered",
        ),
        (
            (outlet(), rule("outlet", "resale", most=1)),
            "rules.value: no outlet 'resale' in the sheet outlets (did you mean 'sale'?)",
        ),
    ],
)
def test_what_is_wrong_with_a_dispatch(rows: tuple, fault: str) -> None:  # type: ignore[type-arg]
    assert faults(book(*rows)) == [fault]


def test_no_age_is_left_between_two_limits() -> None:
    stockpile = book(
        outlet(minimum_age_months=3, minimum_life_months=2), material(shelf_life_months=4)
    )
    assert warnings(stockpile) == [
        "outlets.minimum_age_months: leaves no age between it and minimum_life_months in the shelf"
        " life of ga, 4 months: the outlet takes nothing, found 3"
    ]


def test_a_rule_on_outlets_is_reported() -> None:
    """Of 6 that leave 3 go to the United States, for 15."""
    seen = {}
    for measure, most in (("share", 1.0), ("quantity", 9.0), ("spend", 99.0), ("count", 2.0)):
        limit = rule("outlet_country", "US", measure=measure, most=most)
        formulation = put(built(book(*ABROAD, limit, periods=1)), SOLD)
        (row,) = (each for each in report(formulation) if isinstance(each, RuleKept))
        seen[measure] = row.observed
    assert seen == {"share": 0.5, "quantity": 3, "spend": 15, "count": 1}
