"""Moves: stock goes from site to site, as old as it is, and is no stock on its way."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from stockpile_model.blocks.moves.moved_lots import MovedLot
from stockpile_model.blocks.offers.ceilings import ceiling
from stockpile_model.blocks.stock.lot_outcomes import LotStock, Movement
from stockpile_model.build import report
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    demand,
    event,
    faults,
    least_cost,
    lot,
    material,
    month,
    move,
    offer,
    outlet,
    put,
    scenario,
    site,
    target,
    warnings,
)

TWO = site("a"), site("b")
KEEPS = material(shelf_life_months=3)


def apart(*rows: Row, **settings: object) -> Stockpile:
    """10 of age 0 of 3 in January at site a, and a demand that only site b serves."""
    sites = site("a", buyer="navy"), site("b", buyer="army")
    return book(*sites, lot(10, 0, site="a"), KEEPS, *rows, **settings)


# The life is cut to a month in one scenario: what left before is a month old as it arrives.
SHORTENED = book(
    site("a", buyer="navy"), site("b", buyer="army"), lot(10, 0, site="a"),
    material(shelf_life_months=3, shortage_cost=7, disposal_cost=1),
    move(lead_time_months=1), demand(10, 1, buyer="army"),
    scenario(known=1), event("materials.shelf_life_months", "set", 1, 1),
)  # fmt: skip
OUTLIVED = {
    "moved[road,ga,0,0]": 10, "use[ga,army,b,1,1]": 10,
    "expired[ga,b,2]": 10, "unmet[ga,army,2]": 10,
}  # fmt: skip

CASES = [
    Case(
        "balance_stock",
        "what leaves a site is at the other a month later, a month older",
        apart(move(lead_time_months=1), periods=2),
        {
            "moved[road,ga,0,0]": 4, "stock[ga,a,0,0]": 6,
            "stock[ga,a,1,1]": 6, "stock[ga,b,1,1]": 4,
        },
        [
            {"stock[ga,b,1,1]": 0},
            {"stock[ga,a,0,0]": 10, "stock[ga,a,1,1]": 10},  # it is gone from where it was
            {"stock[ga,b,0,0]": 4},  # on its way it is no stock
            {"stock[ga,b,0,1]": 4, "stock[ga,b,1,1]": 0},  # it does not grow young
        ],
    ),
    Case(
        "cap_move",
        "of all materials and ages together",
        book(
            *TWO, lot(5, 0, site="a"), lot(5, 0, "M", site="a", material="in"), material(),
            material("in"), move(capacity=6), periods=1,
        ),
        {
            "moved[road,ga,0,0]": 4, "moved[road,in,0,0]": 2, "stock[ga,a,0,0]": 1,
            "stock[ga,b,0,0]": 4, "stock[in,a,0,0]": 3, "stock[in,b,0,0]": 2,
        },
        [{"moved[road,in,0,0]": 3, "stock[in,a,0,0]": 2, "stock[in,b,0,0]": 3}],
    ),
    Case(
        "hold_moved",
        "metal moves once in a period: what came by a move stays",
        book(
            *TWO, site("c"), lot(5, 0, site="a"), lot(2, 0, "M", site="b"),
            move(), move("b", "c", "rail"), move("b", "a", "back"), periods=1,
        ),
        {
            "moved[road,ga,0,0]": 5, "moved[rail,ga,0,0]": 2,
            "stock[ga,b,0,0]": 5, "stock[ga,c,0,0]": 2,
        },
        [
            {"moved[rail,ga,0,0]": 7, "stock[ga,b,0,0]": 0, "stock[ga,c,0,0]": 7},
            {"moved[back,ga,0,0]": 3, "stock[ga,a,0,0]": 3, "stock[ga,b,0,0]": 2},
            {"moved[road,ga,0,0]": 9, "moved[back,ga,0,0]": 4},  # in a circle
        ],
    ),
    Case(
        "hold_moved",
        "what was of the age before may leave, and what arrives under an offer",
        book(
            *TWO, lot(2, -1, site="b"), lot(1, 0, "M", site="a"), KEEPS, offer(site="b"),
            move(), move("b", "a", "back"), periods=1,
        ),
        {
            "moved[back,ga,1,0]": 2, "buy[spot,0]": 3, "moved[back,ga,0,0]": 3,
            "moved[road,ga,0,0]": 1, "stock[ga,a,1,0]": 2, "stock[ga,a,0,0]": 3,
            "stock[ga,b,0,0]": 1,
        },
        [{"moved[back,ga,0,0]": 4, "stock[ga,a,0,0]": 4, "stock[ga,b,0,0]": 0}],
    ),
    Case(
        "hold_expiry",
        "where a scenario shortens a life, what is on its way expires as it arrives",
        SHORTENED,
        OUTLIVED,
        [{"use[ga,army,b,0,2]": 10, "expired[ga,b,2]": 0, "unmet[ga,army,2]": 0}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_what_outlives_its_life_on_its_way_is_waste() -> None:
    assert bill(SHORTENED, OUTLIVED) == pytest.approx({"shortage": 35, "disposal": 5})
    rows = report(put(built(SHORTENED), OUTLIVED))
    movements = [each for each in rows if isinstance(each, Movement)]
    assert [(each.kind, each.site, each.scenarios) for each in movements] == [
        ("opening", "a", "all"),
        ("move out", "a", "all"),
        ("move in", "b", "base"),
        ("demand", "b", "base"),
        ("move in", "b", "war"),
        ("expired", "b", "war"),
    ]


def leaving(stockpile: Stockpile, n: int = 0) -> list[int]:
    """The indices of stock that can be moved at a node."""
    return [a for _, _, a, node in built(stockpile).m.MOVES if node == n]


@pytest.mark.parametrize(("months", "ages"), [(0, [0, 1, 2]), (1, [0, 1]), (2, [0]), (3, [])])
def test_what_would_arrive_too_old_or_after_the_horizon_does_not_leave(
    months: int, ages: list[int]
) -> None:
    stockpile = apart(move(lead_time_months=months), periods=4)
    assert leaving(stockpile) == ages
    assert leaving(stockpile, 4 - max(1, months)) == ([] if months else ages)


def test_one_material_or_all() -> None:
    rows = *TWO, material(), material("in")
    assert {i for _, i, _, _ in built(book(*rows, move())).m.MOVES} == {"ga", "in"}
    assert {i for _, i, _, _ in built(book(*rows, move(material="in"))).m.MOVES} == {"in"}


def test_ages_are_told_apart_where_metal_can_be_moved() -> None:
    rows = *TWO, material(shelf_life_months=12), material("in", shelf_life_months=12)
    given = book(*rows, move(material="ga"), periods=6)
    stockpile = built(replace(given, classes=None)).stockpile
    assert all(len(ages) == 1 for ages in stockpile.age_classes("ga", 0))
    assert any(len(ages) > 1 for ages in stockpile.age_classes("in", 0))


def test_a_move_costs_its_own_and_no_handling() -> None:
    """Paid as it leaves; demand pays the handling of the site that it leaves in the end."""
    sites = site("a", handling_in=50, handling_out=60), site("b", handling_in=70, handling_out=3)
    rows = lot(10, 0, site="a"), move(cost=2, lead_time_months=1), demand(10, 1)
    plan = {"moved[road,ga,0,0]": 10, "use[ga,,b,0,1]": 10}
    stockpile = book(*sites, *rows, discount_rate=0.1)
    assert bill(stockpile, plan) == pytest.approx({"moves": 20, "handling": 30 / 1.1 ** (1 / 12)})


def test_on_its_way_metal_costs_no_storage_and_does_not_count() -> None:
    sites = site("a", cost=1), site("b", cost=1)
    rows = lot(10, 0, site="a"), move(lead_time_months=1), target(10)
    stockpile = book(*sites, *rows, material(below_target_cost=5))
    plan = {"moved[road,ga,0,0]": 10, "below[ga,,0]": 10, "stock[ga,b,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx({"below_target": 50, "storage": 10})


# --- Values by hand ---


def test_stock_leaves_a_dear_site_once_that_pays() -> None:
    """Three months at 5 a unit, or a move for 4 and one at 1 for each month from February on: 6 may
    move, and 4 of them are there at the end of January already.
    """
    sites = site("a", cost=5), site("b", cost=1)
    rows = lot(10, 0, site="a"), move(cost=4, capacity=6), demand(10, 2)
    moved = 6 * 4 + 6 * 2 * 1 + 4 * (5 + 4 + 1)  # the last 4 stay January and move in February
    assert least_cost(book(*sites, *rows, periods=3)) == pytest.approx(moved)


def test_a_demand_that_only_another_site_serves() -> None:
    """The offer comes to the navy's site alone; the army's metal is bought there a month before."""
    stockpile = apart(
        offer(price=10, site="a"), move(cost=2, lead_time_months=1), demand(12, 2, buyer="army"),
        periods=3,
    )  # fmt: skip
    assert least_cost(stockpile) == pytest.approx(2 * 10 + 12 * 2)


def test_metal_that_would_arrive_too_old_is_bought() -> None:
    """Its life of 3 months ends in March; the way takes two. In March only fresh metal is of use,
    bought in January for it, as no lot that left then has an age of 3.
    """
    rows = lot(10, -1, site="a"), KEEPS, offer(price=10, site="a"), demand(5, 2, buyer="army")
    sites = site("a", buyer="navy"), site("b", buyer="army")
    stockpile = book(*sites, *rows, move(lead_time_months=2), periods=3)
    assert least_cost(stockpile) == pytest.approx(50)


def test_a_free_way_there_and_back_earns_nothing() -> None:
    """Nothing moves in a circle, and the sale of 10 lots of 1 each is all there is."""
    rows = lot(10, 0, site="a"), move(), move("b", "a", "back"), outlet("sale", price=1)
    assert least_cost(book(*TWO, *rows)) == pytest.approx(-10)


def test_the_bound_of_an_order_counts_no_metal_twice() -> None:
    """What can be of use of an order with a cost is what demand can use, moved or not."""
    cells = {"order_cost": 5, "price": 10}
    without, with_moves = (
        built(book(*TWO, offer(**cells), demand(7), *more)) for more in ([], [move()])
    )
    spot = without.stockpile.rows(type(offer()))[0]
    assert ceiling(with_moves.stockpile, spot, 0) == ceiling(without.stockpile, spot, 0)


# --- Lots ---


def test_a_lot_keeps_its_name_and_its_date() -> None:
    stockpile = apart(move(cost=2, lead_time_months=1), demand(4, 1, buyer="army"))
    plan = {
        "moved[road,ga,0,0]": 4,
        "use[ga,army,b,1,1]": 4,
        "stock[ga,a,0,0]": 6,
        "stock[ga,a,1,1]": 6,
    }
    rows = [*report(put(built(stockpile), plan))]
    movements = [
        (each.date, each.lot, each.site, each.made, each.age, each.kind, each.name, each.quantity)
        for each in rows
        if isinstance(each, Movement)
    ]
    made = month(0)
    assert movements == [
        (month(0), "L", "a", made, 0, "opening", "L", 10),
        (month(0), "L", "a", made, 0, "move out", "road", -4),
        (month(1), "L", "b", made, 1, "move in", "road", 4),
        (month(1), "L", "b", made, 1, "demand", "army", -4),
    ]
    (moved,) = (each for each in rows if isinstance(each, MovedLot))
    assert (moved.quantity, moved.cost, moved.arrives) == (4, 8, month(1))
    assert moved.instruction == (
        "2027-01: move 4 kg of lot L (ga, made 2027-01-01) from a to b, by road; it arrives 2027-02"
    )


def test_a_lot_that_moves_at_once_arrives_in_its_month() -> None:
    plan = {"moved[road,ga,0,0]": 10, "stock[ga,b,0,0]": 10}
    rows = [*report(put(built(book(*TWO, lot(10, 0, site="a"), move(), periods=1)), plan))]
    (moved,) = (each for each in rows if isinstance(each, MovedLot))
    assert moved.instruction.endswith("from a to b, by road")
    (held,) = (each for each in rows if isinstance(each, LotStock))
    assert (held.lot, held.site, held.quantity) == ("L", "b", 10)


def test_without_a_shelf_life_a_lot_keeps_its_age() -> None:
    plan = {"moved[road,ga,0,0]": 10, "stock[ga,b,0,1]": 10}
    stockpile = book(*TWO, lot(10, -7, site="a"), move(lead_time_months=1))
    (held,) = (each for each in report(put(built(stockpile), plan)) if isinstance(each, LotStock))
    assert (held.site, held.made, held.age) == ("b", month(-7), 8)


def test_the_parts_of_a_lot_that_move_one_after_another_are_one_lot() -> None:
    plan = {
        "moved[road,ga,0,0]": 3,
        "stock[ga,a,0,0]": 7,
        "stock[ga,b,0,0]": 3,
        "moved[road,ga,0,1]": 7,
        "stock[ga,b,0,1]": 10,
    }
    rows = [*report(put(built(book(*TWO, lot(10, 0, site="a"), move())), plan))]
    held = [(each.date, each.site, each.quantity) for each in rows if isinstance(each, LotStock)]
    assert held == [(month(0), "a", 7), (month(0), "b", 3), (month(1), "b", 10)]


def test_requalified_metal_keeps_its_tests() -> None:
    """8 of 10 pass, at index 4 (once, age 0); all move, and may be tested no more."""
    check = outlet("test", "requalify", gain_months=2, yield_=0.8)
    stockpile = book(*TWO, lot(10, -1, site="a"), KEEPS, check, move(lead_time_months=1))
    plan = {
        "out[test,a,1,0]": 10,
        "moved[road,ga,4,0]": 8,
        "moved[road,ga,9,0]": 2,
        "stock[ga,b,5,1]": 8,
        "expired[ga,b,1]": 2,
    }
    formulation = built(stockpile)
    rows = [*report(put(formulation, plan))]
    names = {each.lot for each in rows if isinstance(each, MovedLot)}
    assert names == {"L requalified 2027-01", "L failed 2027-01"}
    held = [(each.lot, each.site) for each in rows if isinstance(each, LotStock)]
    assert held == [("L requalified 2027-01", "b")]
    assert [a for r, w, a, n in formulation.m.OUTS if (r, w, n) == ("test", "b", 1)] == [0, 1, 2]


# --- Scenarios ---


def test_what_is_under_way_arrives_in_every_scenario() -> None:
    """The way takes a month when it leaves; that it takes two in a scenario is known later."""
    rows = scenario(known=1), event("moves.lead_time_months", "set", 2, 1)
    stockpile = apart(move(lead_time_months=1), *rows, periods=3)
    arriving = {
        (each.node, each.origin.node)
        for each in built(stockpile).ledger.arrivals
        if each.origin is not None
    }
    assert {(1, 0), (3, 0), (2, 1)} == arriving


def test_an_event_changes_capacity_and_cost() -> None:
    rows = (
        scenario(probability=0.25, known=1),
        event("moves.capacity", "set", 2, 1),
        event("moves.cost", "scale", 3, 1),
    )
    short = material(shelf_life_months=3, shortage_cost=100)
    sites = site("a", buyer="navy"), site("b", buyer="army")
    need = demand(4, 1, buyer="army")
    free = book(*sites, lot(10, 0, site="a"), short, need, move(cost=1, capacity=5), *rows)
    assert least_cost(free) == pytest.approx(4)  # they move in January, when nothing is known
    late = offer(price=10, site="a", from_=month(1))
    bought = book(*sites, short, need, move(cost=1, capacity=5), late, *rows)
    expected = 0.75 * 4 * (10 + 1) + 0.25 * (2 * (10 + 3) + 2 * 100)
    assert least_cost(bought) == pytest.approx(expected)


# --- What may be wrong ---


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ({}, []),
        ({"end": "a"}, ["moves.to_site: is a again: write the site where the metal is to arrive"]),
        (
            {"lead_time_months": 1.5},
            [
                "moves.lead_time_months: must be a whole number of periods of 1 month, "
                "found 1.5 months; write 1 or 2"
            ],
        ),
        (
            {"lead_time_months": 3},
            [
                "moves.lead_time_months: is no shorter than the shelf life, 3 months: nothing can "
                "be moved, found 3"
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_move(cells: dict[str, object], lines: list[str]) -> None:
    stockpile = book(*TWO, KEEPS, move(**cells), periods=9)
    assert [*faults(stockpile), *warnings(stockpile)] == lines


def test_a_way_longer_than_the_horizon() -> None:
    (line,) = warnings(book(*TWO, material(), move(lead_time_months=2), periods=2))
    assert line == (
        "moves.lead_time_months: is no shorter than the horizon, 2 months: nothing can be moved, "
        "found 2"
    )


def test_the_day_of_arrival_is_that_of_a_period() -> None:
    stockpile = book(*TWO, lot(4, 0, site="a"), move(lead_time_months=3), period_months=3)
    plan = {"moved[road,ga,0,0]": 4, "stock[ga,b,0,1]": 4}
    (moved,) = (each for each in report(put(built(stockpile), plan)) if isinstance(each, MovedLot))
    assert moved.arrives == dt.date(2027, 4, 1)
