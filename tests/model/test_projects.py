"""Projects: a plant goes ahead by a grant or by the signing of a contract, once, and what waits for
it waits.
"""

from __future__ import annotations

from typing import Any

import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from stockpile_model.blocks.contracts.contract_terms import annuity, breakeven
from stockpile_model.blocks.projects import windows
from stockpile_model.blocks.projects.project_outcomes import ProjectOutcome
from stockpile_model.build import report
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project
from tests.support.accept import (
    Case,
    bill,
    book,
    broken,
    budget,
    built,
    contract,
    demand,
    faults,
    floor,
    fund,
    least_cost,
    material,
    month,
    offer,
    prices,
    project,
    put,
    supplier,
    warnings,
)
from tests.support.plans import plan_for

GRANTED = {"grant[plant 2,0]": 1}
OFFER = offer(project="plant 2", capacity=10)
OFFTAKE = contract(project="plant 2", take_or_pay=0)
TEN, FOUR = floor(10, 120, "high"), floor(4, 60)
CARRIED = {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1}

CASES = [
    Case(
        "forbid_second_go",
        "a project is granted once",
        book(OFFER, project(cost=5)),
        GRANTED,
        [{"grant[plant 2,1]": 1}],
    ),
    Case(
        "forbid_second_go",
        "and not carried beside a grant",
        book(OFFTAKE, TEN, project(cost=5, breakeven_floor=9)),
        {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1} | GRANTED,
        [
            {"carry[plant 2,0]": 1},
            {"carry[plant 2,0]": 1, "grant[plant 2,0]": 0, "grant[plant 2,1]": 1},
        ],
    ),
    Case(
        "hold_capital",
        "grant and floor bring the capital together: 2 x 120 x (5 - 4) and 60",
        book(OFFTAKE, floor(5, 120), project(cost=200, match=0.5, capex=300, opex=4, life_years=2)),
        {"sign[offtake,low,0]": 1, "begin[offtake,low,0,0]": 1, "carry[plant 2,0]": 1}
        | {"aid[plant 2,0]": 60},
        [
            {"aid[plant 2,0]": 59},
            {"sign[offtake,low,0]": 0, "begin[offtake,low,0,0]": 0, "aid[plant 2,0]": 100},
        ],
    ),
    Case(
        "hold_capital",
        "a contract that is signed later brings nothing",
        book(
            contract(project="plant 2", sign_to=month(1), take_or_pay=0),
            floor(5, 120),
            project(cost=300, capex=300, opex=4, life_years=2),
        ),
        {"sign[offtake,low,1]": 1, "begin[offtake,low,0,1]": 1, "carry[plant 2,0]": 1}
        | {"aid[plant 2,0]": 300},
        [{"aid[plant 2,0]": 60}],
    ),
    Case(
        "cap_aid",
        "a grant is the share of the cost at most, of a project that goes ahead",
        book(OFFER, project(cost=200, match=0.5, capex=90, life_years=2)),
        {"carry[plant 2,0]": 1, "aid[plant 2,0]": 100},
        [{"aid[plant 2,0]": 101}, {"aid[plant 2,1]": 1}],
    ),
    Case(
        "grant",
        "a grant is given or not",
        book(OFFER, project(cost=5)),
        GRANTED,
        [{"grant[plant 2,0]": 0.5}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


# When it goes ahead, and when it is ready
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "settings", "nodes"),
    [
        ([project(cost=1)], {}, [0, 1, 2, 3]),
        ([project(cost=0)], {}, [0, 1, 2, 3]),
        ([project()], {}, []),  # without a cost it cannot be granted
        (
            [project(cost=1, decide_from=month(1, 20), decide_to=month(2))],
            {},
            [1, 2],
        ),  # a date means the month that contains it
        ([project(cost=1, decide_to=month(-1))], {}, []),
        (
            [project(cost=1, ready_lag_months=2)],
            {},
            [0, 1, 2, 3],
        ),  # it may be ready after the horizon
        (
            [project(cost=1), supplier(stage="announced")],
            {"supply_stages": ("operating", "building")},
            [],
        ),
        (
            [project(cost=1), supplier(stage="building")],
            {"supply_stages": ("operating", "building")},
            [0, 1, 2, 3],
        ),
    ],
)
def test_when_a_project_can_be_granted(
    rows: list[Row], settings: dict[str, object], nodes: list[int]
) -> None:
    assert (
        list(windows.grantable(book(OFFER, *rows, **{"periods": 4} | settings), "plant 2")) == nodes
    )


@pytest.mark.parametrize(
    ("rows", "settings", "nodes"),
    [
        ([OFFTAKE, TEN, project(breakeven_floor=10)], {}, [0]),
        ([OFFTAKE, TEN, project(breakeven_floor=10.01)], {}, []),
        ([OFFTAKE, TEN, project()], {}, []),  # nothing says from which floor on
        ([contract(), TEN, project(breakeven_floor=1)], {}, []),  # of no project
        ([contract(project="plant 2", sign_to=month(2)), TEN, project(breakeven_floor=9, ready_lag_months=2)], {}, [0, 1]),
        # The window limits grants only.
        ([contract(project="plant 2", sign_to=month(2)), TEN, project(breakeven_floor=9, decide_to=month(0))], {}, [0, 1, 2]),
        ([OFFTAKE, TEN, project(breakeven_floor=9), supplier(stage="announced")], {"supply_stages": ("operating",)}, []),
        # The index is 8, 10, 12, and the floor 0.9 of it.
        (
            [contract(project="plant 2", sign_to=month(2)), floor(None, 60, floor_index="market", floor_factor=0.9), *prices(8, 10, 12),
             project(breakeven_floor=9)], {}, [1, 2],
        ),
        # Without escalation.
        (
            [contract(project="plant 2", sign_to=month(2)), floor(8, 60, escalation=0.5), project(breakeven_floor=9)],
            {"period_months": 12}, [],
        ),
    ],
)  # fmt: skip
def test_when_a_contract_can_carry_a_project(
    rows: list[Row], settings: dict[str, object], nodes: list[int]
) -> None:
    assert list(windows.carriable(book(*rows, **{"periods": 4} | settings), "plant 2")) == nodes


def test_the_earliest_that_a_project_can_be_ready() -> None:
    rows = (OFFER, contract(project="plant 2", sign_from=month(1), sign_to=month(1)), TEN)
    assert (
        windows.earliest(
            book(*rows, project(cost=1, ready_lag_months=1, decide_from=month(2)), periods=5),
            "plant 2",
        )
        == 3
    )
    carried = project(cost=1, ready_lag_months=1, decide_from=month(2), breakeven_floor=10)
    assert windows.earliest(book(*rows, carried, periods=5), "plant 2") == 2
    assert windows.earliest(book(*rows, project(), periods=5), "plant 2") == 5


def test_a_plant_that_one_contract_carries_serves_the_offers_of_the_project_too() -> None:
    """Ready in February; the order of January is refused."""
    rows = (
        offer(project="plant 2", capacity=10),
        OFFTAKE,
        TEN,
        project(breakeven_floor=9, ready_lag_months=1),
    )
    plan = {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1}
    bought = {"buy[spot,1]": 10, "stock[ga,stockpile,0,1]": 10}
    formulation = built(book(*rows))
    assert broken(formulation, plan | bought) == set()
    assert set(formulation.m.ORDERS) == {("spot", 1)}
    assert broken(formulation, bought) == {"link_order_project"}


def test_what_waits_for_a_project_is_worth_its_grant_or_not() -> None:
    """10 in each of two months at 6 instead of 20: worth a grant of 280, and of 140 where only one
    month is left.
    """
    rows = (
        offer(price=20),
        offer("cheap", 6, project="plant 2"),
        material(shelf_life_months=1),
        demand(10, 0, 1),
    )
    assert least_cost(book(*rows, project(cost=1000, match=0.27))) == pytest.approx(270 + 120)
    assert least_cost(book(*rows, project(cost=1000, match=0.29))) == pytest.approx(400)
    assert least_cost(book(*rows, project(cost=130, ready_lag_months=1))) == pytest.approx(
        130 + 200 + 60
    )
    assert least_cost(book(*rows, project(cost=130, decide_from=month(1)))) == pytest.approx(
        130 + 200 + 60
    )
    assert least_cost(book(*rows, project(cost=141, ready_lag_months=1))) == pytest.approx(400)


def test_the_level_that_carries_is_signed_for_the_sake_of_the_project() -> None:
    """5 of 10 a month at 4 carry nothing; 10 at 10 carry the plant and all of them are taken.

    Spot costs 12.
    """
    rows = (
        contract(project="plant 2"),
        TEN,
        FOUR,
        offer(price=12),
        material(shelf_life_months=1),
        demand(10, 0, 1),
    )
    assert least_cost(book(*rows, project(breakeven_floor=9))) == pytest.approx(2 * 10 * 10)
    assert least_cost(book(*rows, project(breakeven_floor=4))) == pytest.approx(
        2 * (5 * 4 + 5 * 12)
    )
    assert least_cost(book(*rows, project(breakeven_floor=11))) == pytest.approx(2 * 10 * 12)
    # A grant of 30 opens the level that does not carry.
    assert least_cost(book(*rows, project(breakeven_floor=9, cost=30))) == pytest.approx(30 + 160)


# What it costs
# --------------------------------------------------------------------------------------------------


def test_a_grant_is_the_buyers_share_of_the_cost_in_the_period_of_its_decision() -> None:
    """A quarter of 200 in February, at 21 % a year."""
    stockpile = book(OFFER, project(cost=200, match=0.25), discount_rate=0.21)
    assert bill(stockpile, {"grant[plant 2,1]": 1}) == pytest.approx(
        {"grants": 50 * 1.21 ** (-1 / 12)}
    )
    assert bill(stockpile, {}) == {}


def test_what_a_contract_carries_costs_no_grant() -> None:
    assert bill(book(OFFTAKE, TEN, project(cost=5, breakeven_floor=9)), CARRIED) == {}


def payers(*rows: Row) -> set[tuple[int, str]]:
    """The appropriations that may pay a grant, and for which material."""
    return {
        (b, i) for b, use, i, *_ in built(book(*rows, periods=1)).m.PAYMENTS if use == "project"
    }


@pytest.mark.parametrize(
    ("rows", "able"),
    [
        ([fund("a"), fund("b"), budget(9, "a"), budget(9, "b")], {(0, "ga"), (1, "ga")}),
        (
            [
                fund("a", uses=("project",)),
                fund("b", uses=("purchase",)),
                budget(9, "a"),
                budget(9, "b"),
            ],
            {(0, "ga")},
        ),
        (
            [
                fund("a", materials=("in",)),
                fund("b", materials=("ga",)),
                budget(9, "a"),
                budget(9, "b"),
            ],
            {(1, "ga")},
        ),
        (
            [fund("a", buyer="navy"), fund("b"), budget(9, "a"), budget(9, "b")],
            {(0, "ga"), (1, "ga")},
        ),  # of any buyer
    ],
)
def test_which_fund_pays_a_grant(rows: list[Row], able: set[tuple[int, str]]) -> None:
    assert payers(OFFER, project(cost=5), material(), material("in"), *rows) == able


def test_only_the_fund_that_a_project_names_pays_its_grant() -> None:
    money = (fund("a"), fund("b"), budget(9, "a"), budget(9, "b"))
    assert payers(OFFER, project(cost=5, fund="b"), *money) == {(1, "ga")}
    assert (
        payers(
            OFFER, project(cost=5, fund="b"), fund("a"), fund("b", uses=("contract",)), *money[2:]
        )
        == set()
    )


def test_a_project_of_several_materials_is_none_of_a_fund_for_one() -> None:
    rows = (
        OFFER,
        offer("other", project="plant 2", material="in", capacity=10),
        material(),
        material("in"),
        project(cost=5),
    )
    assert payers(
        *rows, fund("a", materials=("ga",)), fund("b"), budget(9, "a"), budget(9, "b")
    ) == {(1, "")}


# Break-even
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "years", "worth"),
    [
        (0.1, 2, 1 / 1.1 + 1 / 1.21),
        (0.25, 1, 0.8),
        (0, 7, 7),
        (1e-9, 7, 7),
        (0.1, 10, 6.144567),
        (0.08, 5, 3.992710),
    ],  # the last two as tabled
)
def test_an_annuity(rate: float, years: float, worth: float) -> None:
    assert annuity(rate, years) == pytest.approx(worth, rel=1e-6)


TWO_YEARS = project(capex=210, opex=4, rate=0.1, life_years=2)  # an annuity of 2.1 / 1.21


@pytest.mark.parametrize(
    ("row", "quantity", "grant", "least"),
    [
        (project(breakeven_floor=7), 100, 0, 7),  # what is given
        (project(breakeven_floor=7, capex=210, opex=4, rate=0.1, life_years=2), 100, 0, 7),
        (
            project(breakeven_floor=7, capex=210, opex=4, rate=0.1, life_years=2),
            100,
            89,
            4 + 1.21 * 121 / 210,
        ),
        (project(breakeven_floor=7), 100, 50, 7),  # nothing says what a grant changes
        (TWO_YEARS, 100, 0, 4 + 1.21),
        (TWO_YEARS, 50, 0, 4 + 2.42),
        (TWO_YEARS, 100, 105, 4 + 0.605),
        (TWO_YEARS, 100, 999, 4),  # a grant above the capital leaves none
        (TWO_YEARS, 0, 0, None),  # nothing is committed to return it
        (project(capex=0, opex=4, life_years=2), 0, 0, 4),
        (project(capex=300, life_years=3), 100, 0, 1),  # no cost of capital, no running cost
        (project(cost=50), 100, 0, None),
    ],
)
def test_break_even(row: Project, quantity: float, grant: float, least: float | None) -> None:
    found = breakeven(row, quantity, grant)
    assert found == (None if least is None else pytest.approx(least))


def test_at_its_break_even_the_margins_of_a_plant_return_its_capital() -> None:
    """The present value of the yearly margins, written out year by year."""
    row = project(capex=5000, opex=12, rate=0.08, life_years=15)
    margin = 250 * ((breakeven(row, 250) or 0.0) - 12)
    assert sum(margin / 1.08**year for year in range(1, 16)) == pytest.approx(5000)


# What is reported
# --------------------------------------------------------------------------------------------------


def told(stockpile: Stockpile, plan: dict[str, float]) -> list[ProjectOutcome]:
    return [row for row in report(put(built(stockpile), plan)) if isinstance(row, ProjectOutcome)]


def test_a_project_is_reported_with_the_break_even_of_each_level() -> None:
    """At 120 a year 4 + 210 x 1.21 / (2.1 x 120), at 60 a year twice as much above 4; with a grant
    of 105 half of that.
    """
    plant = project(
        capex=210, opex=4, rate=0.1, life_years=2, cost=420, match=0.25, ready_lag_months=1
    )
    stockpile = book(OFFTAKE, TEN, FOUR, OFFER, plant, periods=3)
    high, low = told(
        stockpile, {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1}
    )
    assert (high.contract, high.level, high.annual_quantity, high.floor, high.carries) == (
        "offtake",
        "high",
        120,
        10,
        True,
    )
    assert (low.contract, low.level, low.annual_quantity, low.floor, low.carries) == (
        "offtake",
        "low",
        60,
        4,
        False,
    )
    assert (high.breakeven, low.breakeven) == pytest.approx((4 + 1.21 / 1.2, 4 + 1.21 / 0.6))
    assert (high.breakeven_granted, low.breakeven_granted) == pytest.approx(
        (4 + 0.605 / 1.2, 4 + 0.605 / 0.6)
    )
    for row in (high, low):
        assert (row.project, row.supplier, row.decision, row.grant) == (
            "plant 2",
            "plant",
            "carried",
            0,
        )
        assert (row.decided, row.ready) == (month(0), month(1))
        assert (
            row.instruction == "2027-01: plant builds plant 2, ready 2027-02, carried by a contract"
        )


def test_a_granted_project_is_reported() -> None:
    """No contract names it: its offers bring 10 a month at most, 120 a year."""
    stockpile = book(
        OFFER,
        project(capex=210, opex=4, rate=0.1, life_years=2, cost=420, match=0.5, ready_lag_months=1),
        periods=3,
    )
    (row,) = told(stockpile, {"carry[plant 2,1]": 1, "aid[plant 2,1]": 210})
    assert (row.decision, row.decided, row.ready, row.grant) == ("grant", month(1), month(2), 210)
    assert (row.grant_needed, row.brought) == (210, 0)
    assert (row.contract, row.level, row.floor, row.carries, row.annual_quantity) == (
        None,
        None,
        None,
        False,
        120,
    )
    assert (row.breakeven, row.breakeven_granted) == pytest.approx((4 + 1.21 / 1.2, 4))
    assert row.instruction == "2027-02: plant builds plant 2, ready 2027-03, for a grant of 210 USD"


def test_a_grant_and_a_contract_together_are_reported() -> None:
    """Each year the floor leaves 120 x (5 - 4), for two years 240 of the 300: 60 are granted."""
    stockpile = book(
        OFFTAKE, floor(5, 120), project(cost=200, match=0.5, capex=300, opex=4, life_years=2)
    )
    plan = {"sign[offtake,low,0]": 1, "begin[offtake,low,0,0]": 1, "carry[plant 2,0]": 1}
    plan |= {"aid[plant 2,0]": 60, "take[offtake,low,0,0]": 10, "take[offtake,low,0,1]": 7}
    (row,) = told(stockpile, plan)
    assert (row.decision, row.grant, row.grant_needed, row.carries) == ("both", 60, 60, False)
    assert row.brought == 17
    assert row.instruction == (
        "2027-01: plant builds plant 2, ready 2027-01, for a grant of 60 USD and carried by a"
        " contract"
    )


def test_plants_are_reported_with_what_is_known_of_them_the_furthest_first() -> None:
    rows = (
        supplier("plan", stage="announced"), supplier("site", stage="building", start=month(1)),
        project("far", supplier="plan", permits="none yet", output=90), project("near", supplier="site"),
    )  # fmt: skip
    far, near = told(book(*rows), {})[::-1]
    assert (far.stage, far.permits, far.output, far.start) == ("announced", "none yet", 90, None)
    assert (near.stage, near.start, near.brought) == ("building", month(1), 0)


def test_a_project_that_is_not_helped_says_so() -> None:
    (row,) = told(book(offer(project="plant 2"), demand(5), project(cost=420)), {})
    assert (row.decision, row.decided, row.ready, row.grant) == ("no", None, None, 0)
    assert (row.annual_quantity, row.breakeven, row.breakeven_granted) == (
        None,
        None,
        None,
    )  # nothing says how much it brings
    assert row.instruction == "do not help plant 2"


@pytest.mark.parametrize(("given", "least"), [({}, None), ({"breakeven_floor": 7}, 7)])
def test_of_a_plant_that_brings_nothing_no_break_even_is_computed(
    given: dict[str, Any], least: float | None
) -> None:
    """It was infinite without offers; one that the workbook gives is shown all the same."""
    plant = project(cost=420, capex=210, opex=4, rate=0.1, life_years=2, **given)
    rows = (offer(), demand(5), plant)
    (row,) = told(book(*rows), {})
    assert (row.annual_quantity, row.breakeven, row.breakeven_granted) == (None, least, 4)
    plan = plan_for(book(*rows))
    assert plan is not None
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()


def test_the_floor_of_a_level_at_an_index_is_reported_at_the_first_date_of_signing() -> None:
    row = contract(project="plant 2", sign_from=month(1), sign_to=month(2))
    rows = (
        row,
        floor(None, 60, floor_index="market", floor_factor=0.9),
        *prices(8, 10, 12),
        project(breakeven_floor=9),
    )
    (found,) = told(book(*rows, periods=3), {})
    assert (found.floor, found.breakeven, found.carries) == pytest.approx((9, 9, True))


# What is wrong with a row
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            project(decide_from=month(1), decide_to=month(0)),
            "projects.decide_to: must not be before decide_from (2027-02-01), found 2027-01-01",
        ),
        (
            project(ready_lag_months=0.5),
            "projects.ready_lag_months: must be a whole number of periods of 1 month, found 0.5 months; write 0 or 1",
        ),
        (
            project(capex=5),
            "projects.life_years: is required with capex: the break-even follows from both",
        ),
        (
            project(life_years=5),
            "projects.capex: is required with life_years: the break-even follows from both",
        ),
    ],
)  # fmt: skip
def test_faults_of_a_project(row: Project, fault: str) -> None:
    assert faults(book(OFFER, row)) == [fault]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [project(cost=5)],
            ["projects.project: no offer and no contract waits for plant 2: it changes nothing"],
        ),
        (
            [project(cost=5, supplier="other"), supplier(), supplier("other"), OFFER],
            ["offers.supplier: is not the supplier of project plant 2, other: found plant"],
        ),
        (
            [project(cost=5, ready_lag_months=2), OFFER],
            [
                (
                    "offers.offer: spot can never be ordered within the horizon: see its dates and"
                    " lead time"
                ),
                (
                    "projects.project: plant 2 can never go ahead within the horizon: give a cost"
                    " that a grant shares, or a level of one of its contracts at or above the"
                    " break-even; see its dates and ready_lag_months"
                ),
            ],
        ),
        ([project(cost=5), OFFER], []),
    ],
)
def test_a_project_that_is_odd(rows: list[Row], said: list[str]) -> None:
    assert sorted(warnings(book(*rows))) == said


def test_a_small_grant_in_a_book_of_large_numbers_is_paid_in_full() -> None:
    """5 next to purchases of 5e11 was shown as 0, and the plan failed its audit."""
    rows = (offer(project="plant 2"), project(cost=5), demand(5e10), material(shortage_cost=99))
    plan = plan_for(book(*rows))
    assert plan is not None
    assert [(row.decision, row.grant) for row in plan.of(ProjectOutcome)] == [("grant", 5)]
