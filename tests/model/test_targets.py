"""Targets: which stock counts, how a path runs, what is missing."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.targets import Target, TargetMet, counts, required
from stockpile_model.build import report
from stockpile_model.scenarios import unfold
from stockpile_model.schema import Row
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
    offer,
    put,
    scenario,
    site,
    target,
    warnings,
)

CHANCE = book(
    target(10, 1, probability=0.5), offer(), scenario(known=1), event("offers.price", "scale", 2, 1)
)
"""A target of the second month that must hold in one of two scenarios at least."""

CASES = [
    Case(
        "hold_target",
        "10 at the end of every month, of which a hard target misses nothing",
        book(target(10, hard=True), offer(), demand(5, 1)),
        {
            "buy[spot,0]": 10,
            "stock[ga,stockpile,0,0]": 10,
            "buy[spot,1]": 5,
            "use[ga,,stockpile,0,1]": 5,
            "stock[ga,stockpile,0,1]": 10,
        },
        [{"buy[spot,1]": 4, "stock[ga,stockpile,0,1]": 9}],
    ),
    Case(
        "hold_target",
        "what a soft one misses is below",
        book(target(10), offer(), periods=1),
        {"buy[spot,0]": 7, "stock[ga,stockpile,0,0]": 7, "below[ga,,0]": 3},
        [{"below[ga,,0]": 2}],
    ),
    Case(
        "hold_target",
        "a lot counts that has 2 of its 4 months left at period end, and one with a month left"
        " does not",
        book(
            target(10, hard=True),
            material(shelf_life_months=4, count_life_months=2),
            lot(6, -1),
            lot(9, -2, "M"),
            offer(),
            periods=1,
        ),
        {
            "stock[ga,stockpile,1,0]": 6,
            "stock[ga,stockpile,2,0]": 9,
            "buy[spot,0]": 4,
            "stock[ga,stockpile,0,0]": 4,
        },
        [{"buy[spot,0]": 3, "stock[ga,stockpile,0,0]": 3}],
    ),
    Case(
        "below",
        "below nothing there is nothing",
        book(target(5), offer(), periods=1),
        {"buy[spot,0]": 5, "stock[ga,stockpile,0,0]": 5},
        [{"buy[spot,0]": 7, "stock[ga,stockpile,0,0]": 7, "below[ga,,0]": -2}],
    ),
    Case(
        "hold_target",
        "stock at the buyer's sites and those of nobody",
        book(
            target(5, buyer="navy"), offer(), site("common"), site("own", buyer="navy"), periods=1
        ),
        {
            "buy[spot,0]": 5,
            "arrive[spot,common,0]": 2,
            "arrive[spot,own,0]": 3,
            "stock[ga,common,0,0]": 2,
            "stock[ga,own,0,0]": 3,
        },
        [{"buy[spot,0]": 4, "arrive[spot,common,0]": 1, "stock[ga,common,0,0]": 1}],
    ),
    Case(
        "forbid_below",
        "what is met in a scenario misses nothing on its path; the war alone may go without",
        CHANCE,
        {"below[ga,,1]": 10, "below[ga,,2]": 0, "buy[spot,2]": 10, "stock[ga,stockpile,0,2]": 10}
        | {"kept[0,2]": 1},
        [{"kept[0,1]": 1}],
    ),
    Case(
        "hold_probability",
        "the war alone is not enough",
        CHANCE,
        {"below[ga,,1]": 10, "buy[spot,2]": 10, "stock[ga,stockpile,0,2]": 10, "kept[0,2]": 1},
        [{"kept[0,2]": 0}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("cells", "months", "ages"),
    [
        ({}, 1, [0]),
        ({"count_life_months": 24}, 1, [0]),  # unlimited life
        ({"shelf_life_months": 4}, 1, [0, 1, 2]),  # at age 3 nothing is left at period end
        ({"shelf_life_months": 4, "count_life_months": 1}, 1, [0, 1, 2]),
        ({"shelf_life_months": 4, "count_life_months": 2}, 1, [0, 1]),
        ({"shelf_life_months": 4, "count_life_months": 3}, 1, [0]),
        ({"shelf_life_months": 4, "count_life_months": 4}, 1, []),
        ({"shelf_life_months": 12, "count_life_months": 6}, 3, [0, 1]),
        (
            {"shelf_life_months": 12, "count_life_months": 4},
            3,
            [0, 1],
        ),  # 4 months are more than one quarter
        ({"shelf_life_months": 1}, 1, []),
    ],
)
def test_the_ages_that_count(cells: dict[str, float], months: int, ages: list[int]) -> None:
    stockpile = book(material(**cells), period_months=months, periods=4)
    assert [age for age in stockpile.ages("ga") if counts(stockpile, "ga", age)] == ages


def asked(*rows: Row, periods: int = 6) -> list[tuple[float, bool] | None]:
    stockpile = book(*rows, periods=periods)
    found = [required(stockpile, n).get(("ga", "")) for n in stockpile.tree.nodes]
    return [each and (pytest.approx(each.quantity), each.hard) for each in found]


SOFT, HARD = False, True


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        ([target(10, 2)], [None, None, (10, SOFT), (10, SOFT), (10, SOFT), (10, SOFT)]),
        ([target(4, -9, hard=True), target(10, 2)], [(4, HARD), (4, HARD), (10, SOFT), (10, SOFT), (10, SOFT), (10, SOFT)]),
        # in any order
        ([target(10, 4), target(4, 1)], [None, (4, SOFT), (4, SOFT), (4, SOFT), (10, SOFT), (10, SOFT)]),
        ([target(4, 1), target(0, 3)], [None, (4, SOFT), (4, SOFT), None, None, None]),
        # The first ramp rises from 0 at the start of the horizon.
        ([target(8, 4, path="ramp")], [None, (2, SOFT), (4, SOFT), (6, SOFT), (8, SOFT), (8, SOFT)]),
        ([target(8, 0, path="ramp")], [(8, SOFT)] * 6),
        # From the row before, as hard as the row it leads to; at its own date the row before still
        # holds.
        ([target(2, 1), target(8, 4, path="ramp", hard=True)], [None, (2, SOFT), (4, HARD), (6, HARD), (8, HARD), (8, HARD)]),
        ([target(8, 1, hard=True), target(2, 4, path="ramp")], [None, (8, HARD), (6, SOFT), (4, SOFT), (2, SOFT), (2, SOFT)]),
        ([target(2, -2), target(8, 4, path="ramp")], [(4, SOFT), (5, SOFT), (6, SOFT), (7, SOFT), (8, SOFT), (8, SOFT)]),
        ([target(8, 2, path="ramp"), target(1, 4)], [None, (4, SOFT), (8, SOFT), (8, SOFT), (1, SOFT), (1, SOFT)]),
    ],
)  # fmt: skip
def test_the_path_of_a_target(rows: list[Row], path: list[tuple[float, bool] | None]) -> None:
    assert asked(*rows) == path


def test_what_is_missing_is_charged_each_period_and_reported() -> None:
    """3 below in January, 10 in February, at 2 for each period of 3 months; 21 % a year."""
    rows = (target(10), material(below_target_cost=2), lot(7, 0), demand(7, 3))
    stockpile = book(*rows, discount_rate=0.21, period_months=3)
    plan = {
        "stock[ga,stockpile,0,0]": 7,
        "below[ga,,0]": 3,
        "use[ga,,stockpile,0,1]": 7,
        "below[ga,,1]": 10,
    }
    april = 1.21 ** (-1 / 4)
    assert bill(stockpile, plan) == pytest.approx({"below_target": 6 + 20 * april})
    told = [row for row in report(put(built(stockpile), plan)) if isinstance(row, TargetMet)]
    assert [(row.date, row.target, row.hard, row.stock, row.below) for row in told] == [
        (month(0), 10, False, 7, 3),
        (month(3), 10, False, 0, 10),
    ]
    assert [row.cost for row in told] == pytest.approx([6, 20 * april])


def test_metal_that_cannot_count_is_not_bought_for_a_target() -> None:
    """A life of one period leaves none at its end: the target is missed whatever is bought, for 5 x
    2 in each of two months.
    """
    assert least_cost(
        book(target(5), material(shelf_life_months=1, below_target_cost=2), offer(price=0.1))
    ) == pytest.approx(20)
    assert least_cost(book(target(5, hard=True), material(shelf_life_months=1), offer())) is None


def test_faults_of_a_target() -> None:
    assert faults(book(target(1), Target(material="ga", from_=month(0, 9), quantity=2))) == [
        "targets.from: a target for ga in this period stands in row 0 already; remove one of"
        " the two"
    ]


def test_a_soft_target_without_a_price_is_odd() -> None:
    said = (
        "targets.hard: the target is soft and ga has no below_target_cost: it has no effect (set"
        " hard, or a cost in materials)"
    )
    assert warnings(book(target(1))) == [said]
    assert warnings(book(target(1), objective="shortfall_first")) == []
    assert warnings(book(target(1, hard=True))) == []


def test_a_step_beyond_the_horizon_is_a_fault_and_a_ramp_to_it_is_none() -> None:
    beyond = month(6)
    said = (
        "targets.from: is after the horizon, which ends on 2027-03-31, found 2027-07-01; change the"
        " date or remove the row"
    )
    assert faults(book(Target(material="ga", from_=beyond, quantity=6, hard=True), periods=3)) == [
        said
    ]
    ramp = book(
        Target(material="ga", from_=beyond, quantity=6, path="ramp", hard=True), offer(), periods=3
    )
    assert faults(ramp) == []
    assert [required(ramp, n)["ga", ""].quantity for n in (1, 2)] == [1, 2]


@pytest.mark.parametrize(
    ("days", "path"),
    [
        (28, [28, 28, 0, 0]),  # February is as long as that; nothing is asked in April, or after it
        (14, [14, 14, 0, 0]),
        (59, [28 + 31, 31, 0, 0]),
    ],
)
def test_days_of_cover_are_the_demand_that_follows(days: float, path: list[float]) -> None:
    """28 in February 2027, 31 in March, of other materials and buyers more."""
    rows = (demand(28, 1), demand(31, 2), demand(99, 1, material="in"), material("in"), material())
    stockpile = book(target(None, days=days), *rows, periods=4)
    assert [required(stockpile, n).get(("ga", ""), (0.0,))[0] for n in range(4)] == path


def test_days_of_cover_go_on_after_the_horizon_as_in_its_last_period() -> None:
    stockpile = book(target(None, days=62), demand(31, 0, 1), periods=2)
    # March has 31 days and April 30; of the last two days of 62, May has 31.
    assert required(stockpile, 1)["ga", ""].quantity == pytest.approx(31 + 31 + 31 * 1 / 31)


def test_days_of_cover_of_a_buyer_are_of_its_demand() -> None:
    rows = (site("own", buyer="navy"), demand(31, 1, buyer="navy"), demand(31, 1))
    stockpile = book(target(None, days=31, buyer="navy"), target(None, days=31), *rows)
    asked = {key: each.quantity for key, each in required(stockpile, 0).items()}
    assert asked == {("ga", "navy"): pytest.approx(31 + 31 * 3 / 31), ("ga", ""): pytest.approx(68)}


def test_days_of_cover_are_of_the_demand_that_is_expected() -> None:
    """31 in March, in war 93; who knows of it in February looks forward to it, before to its mean."""
    happening = (scenario("war", 0.25, known=1), event("demand.quantity", "scale", 3, 2))
    stockpile = unfold(book(target(None, days=59), demand(31, 2), *happening, periods=3))
    asked = [required(stockpile, n).get(("ga", "")) for n in stockpile.tree.nodes]
    known = {
        (stockpile.tree.period[n], stockpile.holds[n]): round(each.quantity, 6)
        for n, each in enumerate(asked)
        if each is not None
    }
    assert known[0, ("base", "war")] == 31 * 0.75 + 93 * 0.25
    assert known[1, ("base",)] == pytest.approx(31 + 31 * 28 / 30)
    assert known[1, ("war",)] == pytest.approx(93 + 93 * 28 / 30)


def test_a_target_says_how_much_it_asks_once() -> None:
    assert faults(book(target(None))) == [
        "targets.quantity: needs quantity, or days of cover in the column days"
    ]
    assert faults(book(target(5, days=30), demand(1))) == [
        "targets.days: has a quantity in the same row, which says it another way; remove one of"
        " the two"
    ]
    assert warnings(book(target(None, days=30, hard=True))) == [
        "targets.days: there is no demand for ga: days of cover of it are nothing"
    ]


def test_no_event_changes_a_probability() -> None:
    rows = (target(5, probability=0.5), scenario(), event("targets.probability", "set", 0.9))
    assert faults(book(*rows)) == [
        "targets.probability: is about all scenarios together: no event may change it"
    ]


def test_a_target_that_holds_in_enough_scenarios_costs_less_than_in_all() -> None:
    """A law: the less probable a target must be, the less a plan costs."""
    costs = [
        least_cost(
            book(
                target(10, 1, probability=chance),
                offer(),
                scenario("war", 0.3, known=1),
                scenario("flood", 0.2, known=1),
                event("offers.price", "scale", 3, 1),
                event("offers.price", "scale", 0.5, 1, name="flood"),
                event("offers.capacity", "set", 0, 0, 0),
                event("offers.capacity", "set", 0, 0, 0, name="flood"),
            )
        )
        for chance in (0.1, 0.2, 0.5, 0.7, 0.71, 1.0)
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[2] < costs[3] < costs[4]
