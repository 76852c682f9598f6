"""Groups of materials: demand met of any of them, targets and rules over all of them together."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.demand import Demand, DemandMet
from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.blocks.targets import TargetMet, required
from stockpile_model.build import report
from stockpile_model.schema import Result, Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    Plan,
    bill,
    book,
    built,
    demand,
    event,
    faults,
    least_cost,
    lot,
    material,
    offer,
    outlet,
    put,
    rule,
    scenario,
    supplier,
    target,
    warnings,
)


def grade(name: str, **cells: float) -> Row:
    """A grade of gallium, as a material."""
    return material(name, group="gallium", **cells)


def grades(*rows: Row, **cells: float) -> Stockpile:
    """Two grades of gallium that can be bought in one month, the purer one at 15."""
    offers = (offer("four", material="4N"), offer("six", 15, material="6N"))
    return book(grade("4N", **cells), grade("6N", **cells), *offers, *rows, periods=1)


def asked(stockpile: Stockpile) -> dict[tuple[str, str], float]:
    """The targets of the first node, by material or group and by buyer."""
    return {key: each.quantity for key, each in required(stockpile, 0).items()}


def reported(stockpile: Stockpile, plan: Plan, kind: type[Result]) -> list[Result]:
    return [row for row in report(put(built(stockpile), plan)) if isinstance(row, kind)]


ANY = demand(10, material="gallium")
OF_FOUR, OF_SIX = (f"use_of_group[gallium,{name},,stockpile,0,0]" for name in ("4N", "6N"))

CASES = [
    Case(
        "balance_demand",
        "any grade meets the demand of a group, and no more than it asks for",
        grades(ANY),
        {"buy[four,0]": 6, "buy[six,0]": 4, OF_FOUR: 6, OF_SIX: 4},
        [
            {OF_FOUR: 5, "stock[4N,stockpile,0,0]": 1},
            {OF_SIX: 5, "buy[six,0]": 5},
        ],
    ),
    Case(
        "balance_demand",
        "what is used for one of its grades is not used for the group",
        grades(ANY, demand(3, material="6N")),
        {"buy[four,0]": 10, OF_FOUR: 10, "buy[six,0]": 3, "use[6N,,stockpile,0,0]": 3},
        [{"use[6N,,stockpile,0,0]": 2, OF_SIX: 1, OF_FOUR: 9, "stock[4N,stockpile,0,0]": 1}],
    ),
    Case(
        "balance_stock",
        "what leaves for a group leaves the stock of its material",
        grades(ANY),
        {"buy[four,0]": 10, OF_FOUR: 10},
        [{OF_FOUR: 9, OF_SIX: 1, "buy[six,0]": 0, "stock[4N,stockpile,0,0]": 1}],
    ),
    Case(
        "use_of_group",
        "nothing comes back",
        grades(ANY),
        {"buy[four,0]": 10, OF_FOUR: 10},
        [{OF_FOUR: 12, "buy[four,0]": 12, OF_SIX: -2, "stock[6N,stockpile,0,0]": 2}],
    ),
    Case(
        "hold_target",
        "the stock of all grades counts towards the target of their group",
        grades(target(10, material="gallium", hard=True)),
        {
            "buy[four,0]": 6,
            "stock[4N,stockpile,0,0]": 6,
            "buy[six,0]": 4,
            "stock[6N,stockpile,0,0]": 4,
        },
        [{"buy[six,0]": 3, "stock[6N,stockpile,0,0]": 3}],
    ),
    Case(
        "hold_target",
        "each grade counts with the life that it needs itself",
        book(
            grade("4N", shelf_life_months=4, count_life_months=2),
            grade("6N", shelf_life_months=4, count_life_months=1),
            target(10, material="gallium", hard=True),
            lot(6, -2, "A", material="4N"),
            lot(6, -2, "B", material="6N"),
            offer("four", material="4N"),
            periods=1,
        ),
        {
            "stock[4N,stockpile,2,0]": 6,
            "stock[6N,stockpile,2,0]": 6,
            "buy[four,0]": 4,
            "stock[4N,stockpile,0,0]": 4,
        },
        [{"buy[four,0]": 3, "stock[4N,stockpile,0,0]": 3}],
    ),
    Case(
        "hold_life",
        "metal of any grade with the life that is asked for, and what is left for who asks for less",
        book(
            grade("4N", shelf_life_months=4),
            grade("6N", shelf_life_months=6),
            demand(5, material="gallium"),
            demand(3, material="gallium", minimum_life_months=3),
            lot(6, -2, "A", material="4N"),
            lot(4, -2, "B", material="6N"),
            periods=1,
        ),
        {
            "use_of_group[gallium,4N,,stockpile,2,0]": 5,
            "stock[4N,stockpile,2,0]": 1,
            "use_of_group[gallium,6N,,stockpile,2,0]": 3,
            "stock[6N,stockpile,2,0]": 1,
        },
        [
            {
                "use_of_group[gallium,4N,,stockpile,2,0]": 6,
                "stock[4N,stockpile,2,0]": 0,
                "use_of_group[gallium,6N,,stockpile,2,0]": 2,
                "stock[6N,stockpile,2,0]": 2,
            }
        ],
    ),
    Case(
        "cap_release",
        "no grade is sold while the target of the group is missed",
        book(
            grade("4N", below_target_cost=1),
            grade("6N", below_target_cost=1),
            target(10, material="gallium"),
            lot(4, 0, "A", material="4N"),
            lot(3, 0, "B", material="6N"),
            outlet("four", material="4N", capacity=9),
            outlet("six", material="6N", capacity=9),
            periods=1,
            release_below_target=False,
        ),
        {"stock[4N,stockpile,0,0]": 4, "stock[6N,stockpile,0,0]": 3, "below[gallium,,0]": 3},
        [{"out[six,stockpile,0,0]": 3, "stock[6N,stockpile,0,0]": 0, "below[gallium,,0]": 6}],
    ),
    Case(
        "hold_rule_most",
        "a rule of a group weighs the arrivals of all its grades, and of nothing else",
        book(
            supplier("cn", country="CN"),
            supplier("us", country="US"),
            grade("4N"),
            grade("6N"),
            material("in"),
            offer("four", supplier="cn", material="4N"),
            offer("six", supplier="us", material="6N"),
            offer("indium", supplier="us", material="in"),
            rule("country", "CN", material="gallium", most=0.5),
            periods=1,
        ),
        {
            "buy[four,0]": 5,
            "stock[4N,stockpile,0,0]": 5,
            "buy[six,0]": 5,
            "stock[6N,stockpile,0,0]": 5,
            "buy[indium,0]": 90,
            "stock[in,stockpile,0,0]": 90,
        },
        [{"buy[four,0]": 6, "stock[4N,stockpile,0,0]": 6}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_what_is_missing_of_a_group_costs_the_least_that_it_costs_of_a_grade() -> None:
    prices = (grade("4N", shortage_cost=30, below_target_cost=4), grade("6N", shortage_cost=50))
    stockpile = book(*prices, ANY, offer("four", material="4N"), periods=1)
    plan = {"buy[four,0]": 7, OF_FOUR: 7, "unmet[gallium,,0]": 3}
    assert bill(stockpile, plan) == {"purchases": 70, "shortage": 90}
    (row,) = reported(stockpile, plan, DemandMet)
    assert isinstance(row, DemandMet)
    assert (row.material, row.required, row.met, row.unmet, row.cost) == ("gallium", 10, 7, 3, 90)


def test_the_stock_of_all_grades_is_reported_against_the_target_of_their_group() -> None:
    stockpile = grades(target(10, material="gallium"), below_target_cost=4)
    plan = {
        "buy[four,0]": 5,
        "stock[4N,stockpile,0,0]": 5,
        "buy[six,0]": 2,
        "stock[6N,stockpile,0,0]": 2,
        "below[gallium,,0]": 3,
    }
    assert bill(stockpile, plan) == {"purchases": 80, "below_target": 12}
    (row,) = reported(stockpile, plan, TargetMet)
    assert isinstance(row, TargetMet)
    assert (row.material, row.target, row.stock, row.below) == ("gallium", 10, 7, 3)


def test_a_rule_of_a_group_is_reported_as_it_weighs() -> None:
    stockpile = grades(rule("offer", "six", material="gallium", most=0.5), ANY)
    plan = {"buy[four,0]": 8, "buy[six,0]": 2, OF_FOUR: 8, OF_SIX: 2}
    (row,) = reported(stockpile, plan, RuleKept)
    assert isinstance(row, RuleKept)
    assert (row.material, row.observed) == ("gallium", 0.2)


def test_days_of_cover_of_a_group_are_of_its_demand_and_of_that_of_its_grades() -> None:
    """February 2027 has 28 days; what is for the group is not for one of its grades."""
    rows = (
        grade("4N"),
        grade("6N"),
        material("in"),
        target(None, days=28, material="gallium"),
        target(None, days=28, material="6N"),
        demand(20, 1, material="gallium"),
        demand(5, 1, material="6N"),
        demand(99, 1, material="in"),
    )
    assert asked(book(*rows)) == {("gallium", ""): 25, ("6N", ""): 5}


def test_a_demand_of_a_group_takes_the_cheaper_grade_in_each_scenario() -> None:
    """4N at 10 costs 20 in war, where 6N at 15 is taken: 100 or 150."""
    rows = (
        scenario("war", 0.5, known=0),
        event("offers.price", "scale", 2, row="four"),
    )
    assert least_cost(grades(ANY, *rows)) == pytest.approx((100 + 150) / 2)


def test_a_target_of_a_grade_is_met_of_metal_that_is_refined() -> None:
    """8 of 4N at 3, refined at 2 each, bring 4 of 6N; 2 more of 4N make 6 of the group."""
    stockpile = book(
        grade("4N"),
        grade("6N"),
        offer("four", 3, material="4N"),
        outlet("refine", "rework", material="4N", to_material="6N", yield_=0.5, cost=2),
        target(4, material="6N", hard=True),
        target(6, material="gallium", hard=True),
        periods=1,
    )
    assert least_cost(stockpile) == pytest.approx(8 * 3 + 8 * 2 + 2 * 3)


def test_a_price_of_one_scenario_may_be_the_least_of_a_group() -> None:
    """In war what is missing of 4N costs 20 instead of 90, and nothing is bought at 30."""
    stockpile = book(
        grade("4N", shortage_cost=90),
        grade("6N", shortage_cost=90),
        ANY,
        offer("four", 30, material="4N"),
        scenario("war", 0.5, known=0),
        event("materials.shortage_cost", "set", 20, row="4N"),
        periods=1,
    )
    assert least_cost(stockpile) == pytest.approx((300 + 200) / 2)


ONLY_SOME = (
    " is blank for 6N and not for all of the group gallium, of which the sheet {} speaks: give it"
    " for all its materials or for none"
)


def test_a_group_has_a_price_for_all_its_materials_or_for_none() -> None:
    some = (grade("4N", shortage_cost=30, below_target_cost=4), grade("6N"))
    assert faults(book(*some)) == []
    assert faults(book(*some, ANY)) == [f"materials.shortage_cost:{ONLY_SOME.format('demand')}"]
    soft = target(5, material="gallium")
    assert faults(book(*some, soft)) == [
        f"materials.below_target_cost:{ONLY_SOME.format('targets')}"
    ]
    assert faults(book(*some, target(5, material="gallium", hard=True))) == []


def test_prices_of_a_group_that_differ_are_warned_about() -> None:
    differ = (grade("4N", shortage_cost=30), grade("6N", shortage_cost=50))
    assert warnings(book(*differ, ANY)) == [
        "materials.shortage_cost: is 30 for 4N and up to 50 for others of the group gallium: what is"
        " missing of the group costs 30"
    ]
    assert warnings(book(*differ, demand(10, material="6N"))) == []


@pytest.mark.parametrize("name", ["4N", " 4n", "6N"])
def test_a_group_has_not_the_name_of_a_material(name: str) -> None:
    (fault,) = faults(book(material("4N"), material("6N", group=name)))
    assert fault.startswith("materials.group: must not be the name of a material, found ")


def test_a_target_of_a_group_without_effect_is_odd() -> None:
    assert warnings(grades(target(5, material="gallium"))) == [
        "targets.hard: the target is soft and gallium has no below_target_cost: it has no effect"
        " (set hard, or a cost in materials)"
    ]
    assert warnings(grades(target(5, material="gallium", hard=True), shelf_life_months=1)) == [
        "targets.quantity: no lot of gallium can count: its shelf life leaves none with"
        " count_life_months at period end"
    ]
    assert warnings(grades(target(None, days=5, material="gallium", hard=True))) == [
        "targets.days: there is no demand for gallium: days of cover of it are nothing"
    ]
    covered = (target(None, days=5, material="gallium", hard=True), demand(1, material="6N"))
    assert warnings(grades(*covered)) == []


def test_a_book_whose_groups_nothing_names_is_as_without_them() -> None:
    rows = (
        demand(5, material="4N"),
        target(3, material="6N", hard=True),
        offer("four", material="4N"),
    )
    with_groups = built(book(grade("4N"), grade("6N"), *rows)).m
    without = built(book(material("4N"), material("6N"), *rows)).m
    names = [sorted(each.name for each in m.component_objects()) for m in (with_groups, without)]
    assert names[0] == names[1]


def test_names_of_groups_are_one_in_whatever_case_they_stand() -> None:
    stockpile = book(
        grade("4N"), material("6N", group="GALLIUM "), demand(1, material="Gallium"), periods=1
    )
    assert stockpile.groups == {"gallium": ("4N", "6N")}
    assert [row.material for row in stockpile.rows(Demand)] == ["gallium"]
