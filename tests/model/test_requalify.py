"""Requalify: a test gives metal more life, as often as it may, and some of it fails."""

from __future__ import annotations

import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from stockpile_model.blocks.offers.ceilings import ceiling
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.rotation.requalified import Requalified
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_outcomes import LotStock, Movement
from stockpile_model.build import report
from stockpile_model.schema import Row
from stockpile_model.standing import Standing, Standings
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    demand,
    event,
    faults,
    lot,
    material,
    month,
    offer,
    outlet,
    prices,
    put,
    scenario,
    target,
    warnings,
)
from tests.support.plans import plan_for


def check(name: str = "test", **cells: object) -> Row:
    return outlet(name, "requalify", **{"gain_months": 2} | cells)


def checked(*rows: Row, **settings: object) -> Stockpile:
    """10 of age 1 of 3 in January; of what is tested a fifth fails.

    Stock that was never tested has the indices 0 to 2, what passed 4 to 6, what failed 8 to 10.
    """
    given = {type(row): row for row in rows}
    basis = [each for each in (material(shelf_life_months=3),) if type(each) not in given]
    return book(lot(10, -1), *basis, check(yield_=0.8), *rows, **settings)


# 8 of the 10 pass at age 0, 2 fail at age 1 and expire in February.
PASSED = {
    "out[test,stockpile,1,0]": 10,
    "stock[ga,stockpile,4,0]": 8,
    "stock[ga,stockpile,9,0]": 2,
}
USED = {**PASSED, "use[ga,,stockpile,5,1]": 8, "expired[ga,stockpile,1]": 2}

CASES = [
    Case(
        "balance_stock",
        "8 of 10 pass, and what failed is no use",
        checked(demand(8, 1)),
        USED,
        [
            {
                "stock[ga,stockpile,4,0]": 10, "stock[ga,stockpile,9,0]": 0,
                "stock[ga,stockpile,5,1]": 2, "expired[ga,stockpile,1]": 0,
            },
        ],
    ),
    Case(
        "balance_expiry",
        "what failed expires",
        checked(demand(8, 1)),
        USED,
        [{"expired[ga,stockpile,1]": 0}],
    ),
    Case(
        "hold_last_age",
        "of metal in its last month each has its own: what was never tested and what passed",
        book(
            lot(5, -1), lot(4, 0, "N"), material(shelf_life_months=2),
            check(gain_months=1), outlet(),
        ),
        {
            "out[test,stockpile,1,0]": 5, "stock[ga,stockpile,3,0]": 5,
            "stock[ga,stockpile,0,0]": 4,
            "out[sale,stockpile,1,1]": 4, "out[sale,stockpile,4,1]": 5,
        },
        [
            {"out[sale,stockpile,1,1]": 9, "out[sale,stockpile,4,1]": 0},
            {"out[sale,stockpile,1,1]": 0, "out[sale,stockpile,4,1]": 9},
        ],
    ),
    Case(
        "hold_target",
        "metal that was never tested counts, and what passed; what failed does not",
        checked(target(9, hard=True), periods=1),
        {"stock[ga,stockpile,1,0]": 10},
        [{**PASSED, "stock[ga,stockpile,1,0]": 0}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def outs(stockpile: Stockpile, name: str, n: int = 0) -> list[int]:
    """The indices of stock that an outlet takes at a node."""
    return [a for r, _, a, node in built(stockpile).m.OUTS if (r, node) == (name, n)]


def test_an_index_names_an_age_and_a_number_of_tests() -> None:
    standings = Standings(times=2, span=5)
    assert standings.indices(2) == [0, 1, 5, 6, 10, 11, 15, 16]
    for each in (Standing(3), Standing(0, 2), Standing(1, None)):
        assert standings.standing(standings.index(each)) == each
    assert (standings.index(Standing(1)), standings.index(Standing(1, None))) == (1, 16)


@pytest.mark.parametrize(
    ("cells", "indices"),
    [
        ({}, [0, 1, 2]),  # once only
        ({"times": 2}, [0, 1, 2, 4, 5, 6]),
        ({"lead_time_months": 1, "gain_months": 1}, [0, 1, 2]),
        ({"lead_time_months": 2, "gain_months": 1}, [0, 1]),  # some life must be left to it
        ({"minimum_age_months": 1, "minimum_life_months": 2}, [1]),
    ],
)
def test_what_can_be_tested(cells: dict[str, object], indices: list[int]) -> None:
    rows = lot(9, -1), material(shelf_life_months=3)
    assert outs(book(*rows, check(**cells), periods=3), "test") == indices


@pytest.mark.parametrize("off", [{"capacity": 0}, {"to": month(-1)}])
def test_a_test_that_is_switched_off_changes_no_model(off: dict[str, object]) -> None:
    """Neither its ages nor its times are told apart."""
    rows = lot(9, -1), material(shelf_life_months=6), target(5, 1), outlet(minimum_life_months=2)
    cells = {"minimum_age_months": 3, "times": 2} | off
    without, switched = (built(book(*rows, *more)).m for more in ((), (check(**cells),)))
    assert outs(book(*rows, check(**cells)), "test") == []
    assert [*switched.OUTS] == [*without.OUTS]
    assert [*switched.stock] == [*without.stock]


def test_what_failed_is_only_reworked_or_thrown_away() -> None:
    others = outlet("bin", "dispose"), outlet("refine", "rework"), outlet("swap", "exchange")
    stockpile = checked(*others, outlet())
    for name, last in (("bin", 10), ("refine", 10), ("swap", 6), ("sale", 6)):
        assert outs(stockpile, name)[-1] == last
    assert not [key for key in built(checked(demand(1))).m.USES if key[3] > 6]


def test_what_failed_is_worth_nothing_at_the_end() -> None:
    """Half of 10 passes with 2 of 3 months left at the end, of a price of 6."""
    worth = material(shelf_life_months=3, price_index="market", closing_value=1)
    half = check(yield_=0.5)
    stockpile = book(lot(10, -1), worth, half, *prices(6), periods=1)
    plan = {**PASSED, "stock[ga,stockpile,4,0]": 5, "stock[ga,stockpile,9,0]": 5}
    assert bill(stockpile, plan) == pytest.approx({"closing_stock": -5 * 6 * 2 / 3})


def test_a_lot_is_followed_through_its_tests() -> None:
    stockpile = book(
        lot(10, -1),
        material(shelf_life_months=2),
        check(yield_=0.8, gain_months=1, times=2, cost=3),
        outlet("bin", "dispose"),
    )
    plan = {
        "out[test,stockpile,1,0]": 10,
        "stock[ga,stockpile,3,0]": 8,
        "out[bin,stockpile,10,0]": 2,
        "out[test,stockpile,4,1]": 8,
        "stock[ga,stockpile,6,1]": 6.4,
        "expired[ga,stockpile,1]": 1.6,
    }
    rows = [*report(put(built(stockpile), plan))]
    tests = [row for row in rows if isinstance(row, Requalified)]
    assert [(row.date, row.before, row.lot, row.passed, row.times) for row in tests] == [
        (month(0), "L", "L requalified 2027-01", True, 1),
        (month(0), "L", "L failed 2027-01", False, None),
        (month(1), "L requalified 2027-01", "L requalified 2027-01, 2027-02", True, 2),
        (month(1), "L requalified 2027-01", "L requalified 2027-01 failed 2027-02", False, None),
    ]
    assert [row.quantity for row in tests] == pytest.approx([8, 2, 6.4, 1.6])
    assert {row.first_made for row in tests} == {month(-1)}
    assert [(row.age, row.remaining_life) for row in tests] == [(0, 2), (1, 0), (0, 2), (1, 0)]
    first, *_ = (row for row in rows if isinstance(row, Rotated))
    assert (first.form, first.quantity, first.returned, first.cost) == ("requalify", 10, 8, 30)
    assert first.instruction == (
        "2027-01: requalify 10 kg of lot L (ga, stockpile, made 2026-12-01), 1 month of life"
        " left, through test; 8 kg of ga pass and come back 2027-01"
    )
    held = {row.lot: row.quantity for row in rows if isinstance(row, LotStock)}
    assert held == pytest.approx({tests[0].lot: 8, tests[2].lot: 6.4})
    moved: dict[str, float] = {}
    for row in rows:
        if isinstance(row, Movement):
            moved[row.kind] = moved.get(row.kind, 0.0) + row.quantity
    assert moved == pytest.approx({"opening": 10, "rotation": -20, "return": 18, "expired": -1.6})


def test_what_is_tested_where_scenarios_part_comes_back_in_each() -> None:
    """Away for a month; in war its life is 2 months, so that what failed is at its last age."""
    stockpile = checked(
        check("slow", lead_time_months=1, yield_=0.5),
        scenario(known=1),
        event("materials.shelf_life_months", "set", 2, 1),
    )
    plan = {
        "out[slow,stockpile,1,0]": 10,
        "stock[ga,stockpile,4,1]": 5,
        "expired[ga,stockpile,1]": 5,
        "stock[ga,stockpile,4,2]": 5,
        "expired[ga,stockpile,2]": 5,
    }
    formulation = put(built(stockpile), plan)
    tests = [row for row in report(formulation) if isinstance(row, Requalified)]
    assert [(row.scenarios, row.quantity, row.age) for row in tests] == [
        ("base", 5, 0),
        ("base", 5, 2),
        ("war", 5, 0),
        ("war", 5, 1),
    ]


def test_a_test_bounds_an_order_by_what_its_share_leaves() -> None:
    """10 asked for in each of two months, half of which passes."""
    rows = offer(order_cost=1), demand(10, 0, 1), material(shelf_life_months=1)
    stockpile = built(book(*rows, check(yield_=0.5, gain_months=1))).stockpile
    assert ceiling(stockpile, stockpile.keyed(Offer)["spot"], 0) == pytest.approx(40)


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            (check(),),
            "outlets.form: ga has no shelf_life_months: it needs no test",
        ),
        (
            (check(gain_months=0), material(shelf_life_months=3)),
            "outlets.gain_months: is needed: the months of life that metal gains by being"
            " requalified",
        ),
        (
            (check(yield_=2), material(shelf_life_months=3)),
            "outlets.yield: is the share that passes: at most 1, found 2",
        ),
        (
            (check(gain_months=1.5), material(shelf_life_months=3)),
            "outlets.gain_months: must be a whole number of periods of 1 month, found 1.5 months;"
            " write 1 or 2",
        ),
    ],
)
def test_what_is_wrong_with_a_test(rows: tuple[Row, ...], fault: str) -> None:
    assert faults(book(*rows)) == [fault]


def test_only_a_test_has_a_gain_and_times() -> None:
    assert warnings(book(outlet(gain_months=1, times=2))) == [
        "outlets.gain_months: has no effect on an outlet of form sale",
        "outlets.times: has no effect on an outlet of form sale",
    ]


@pytest.mark.parametrize(
    ("before", "times", "cost", "tested"),
    [
        (0, 1, 3 * 10 + 90 * 2, [1]),  # 8 of 10 pass, 2 stay unmet
        (1, 1, 90 * 10, []),  # it was tested as often as it may be
        (1, 2, 3 * 10 + 90 * 2, [2]),
        (5, 2, 90 * 10, []),
    ],
)
def test_a_lot_on_hand_may_have_been_requalified_before(
    before: int, times: int, cost: float, tested: list[int]
) -> None:
    """10 that would expire in February are wanted in March; a test costs 3, a kilogram unmet 90."""
    stockpile = book(
        lot(10, -1, requalified=before),
        material(shelf_life_months=3, shortage_cost=90),
        check(yield_=0.8, cost=3, times=times),
        demand(10, 2),
        periods=3,
    )
    plan = plan_for(stockpile)
    assert plan is not None
    assert plan.objective == pytest.approx(cost)
    assert [row.times for row in plan.of(Requalified) if row.passed] == tested
    assert audit(stockpile, as_sheets(plan)).findings == ()


def test_the_audit_refuses_one_test_too_many() -> None:
    """The plan of a lot that was never tested, held against one that was."""
    rows = (material(shelf_life_months=3, shortage_cost=90), check(cost=3), demand(10, 2))
    plan = plan_for(book(lot(10, -1), *rows, periods=3))
    assert plan is not None
    found = audit(book(lot(10, -1, requalified=1), *rows, periods=3), as_sheets(plan)).findings
    assert any("was requalified 1 times before" in str(each) for each in found)
