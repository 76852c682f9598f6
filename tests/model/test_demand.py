"""Demand: met from the right sites, or counted as unmet."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.demand import Demand, DemandMet, required, tells_apart
from stockpile_model.build import report
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    demand,
    faults,
    lot,
    material,
    month,
    offer,
    put,
    site,
    warnings,
)

SEVERAL = (demand(4, minimum_life_months=2), demand(3))
MIXED = book(*SEVERAL, material(shelf_life_months=3), lot(5, -2), offer(), periods=1)

CASES = [
    Case(
        "balance_demand",
        "10 are handed out, neither less nor more",
        book(demand(10), offer(), periods=1),
        {"buy[spot,0]": 10, "use[ga,,stockpile,0,0]": 10},
        [
            {"use[ga,,stockpile,0,0]": 9, "stock[ga,stockpile,0,0]": 1},
            {"use[ga,,stockpile,0,0]": 11, "buy[spot,0]": 11},
        ],
    ),
    Case(
        "balance_demand",
        "what is not handed out is unmet, where that has a price",
        book(demand(10), material(shortage_cost=30), offer(), periods=1),
        {"buy[spot,0]": 8, "use[ga,,stockpile,0,0]": 8, "unmet[ga,,0]": 2},
        [{"unmet[ga,,0]": 1}],
    ),
    Case(
        "balance_demand",
        "stock of every age and site serves a demand that names no buyer",
        book(
            demand(10), material(shelf_life_months=2), lot(6, -1, site="north"), lot(4, 0, "M", site="south"), site("north"), site("south"),
            periods=1,
        ),
        {"use[ga,,north,1,0]": 6, "use[ga,,south,0,0]": 4},
        [{"use[ga,,north,1,0]": 5, "expired[ga,north,0]": 1}],
    ),
    Case(
        "hold_life",
        "of 7 units 4 must have two months left: the old lot serves the other 3",
        MIXED,
        {"buy[spot,0]": 4, "use[ga,,stockpile,0,0]": 4, "use[ga,,stockpile,2,0]": 3, "expired[ga,stockpile,0]": 2},
        [
            {"buy[spot,0]": 3, "use[ga,,stockpile,0,0]": 3, "use[ga,,stockpile,2,0]": 4, "expired[ga,stockpile,0]": 1},
            {"buy[spot,0]": 4, "use[ga,,stockpile,0,0]": 2, "stock[ga,stockpile,0,0]": 2, "use[ga,,stockpile,2,0]": 5, "expired[ga,stockpile,0]": 0},
        ],
    ),
    Case(
        "hold_life",
        "what is not met may be of the life that is asked for",
        book(*SEVERAL, material(shelf_life_months=3, shortage_cost=30), lot(9, -2), offer(), periods=1),
        {"buy[spot,0]": 1, "use[ga,,stockpile,0,0]": 1, "use[ga,,stockpile,2,0]": 3, "unmet[ga,,0]": 3, "expired[ga,stockpile,0]": 6},
        [{"use[ga,,stockpile,2,0]": 4, "unmet[ga,,0]": 2, "expired[ga,stockpile,0]": 5}],
    ),
    Case(
        "unmet",
        "no more than nothing can be unmet",
        book(demand(10), material(shortage_cost=30), offer(), periods=1),
        {"buy[spot,0]": 10, "use[ga,,stockpile,0,0]": 10},
        [{"buy[spot,0]": 12, "use[ga,,stockpile,0,0]": 12, "unmet[ga,,0]": -2}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_a_demand_of_a_buyer_is_served_by_its_sites_and_by_those_of_nobody() -> None:
    m = built(
        book(demand(10, buyer="navy"), site("common"), site("own", buyer="navy"), periods=1)
    ).m
    assert set(m.USES) == {("ga", "navy", "common", 0, 0), ("ga", "navy", "own", 0, 0)}


@pytest.mark.parametrize(
    ("months", "ages"),
    [(0, {0, 1, 2}), (1, {0, 1, 2}), (1.5, {0, 1}), (2, {0, 1}), (3, {0}), (4, set())],
)
def test_metal_serves_at_ages_that_leave_the_life_asked_for(months: float, ages: set[int]) -> None:
    """At age a it has 3 - a months left."""
    life = material(shelf_life_months=3, shortage_cost=9)
    m = built(book(demand(10, minimum_life_months=months), life, periods=4)).m
    assert {a for _, _, _, a, _ in m.USES} == ages


def test_metal_without_a_shelf_life_serves_every_demand() -> None:
    m = built(book(demand(10, minimum_life_months=60), demand(5), periods=1)).m
    assert len(m.USES) == 1
    assert len(m.DEMAND_LIVES) == 0


def test_ages_are_told_apart_where_a_demand_takes_one_and_not_the_other() -> None:
    rows = (material(shelf_life_months=12), demand(1, 0, 11), demand(1, 3, minimum_life_months=6))
    assert [tells_apart(book(*rows, periods=12), "ga", age) for age in range(12)] == (
        [1] * 7 + [0] * 5
    )


def test_what_is_met_and_missing_is_reported_by_life() -> None:
    """The one new unit serves what asks for two months; of what is missing 3 are of that."""
    stockpile = book(
        *SEVERAL, material(shelf_life_months=3, shortage_cost=30), lot(9, -2), offer(), periods=1
    )
    plan = {
        "buy[spot,0]": 1,
        "use[ga,,stockpile,0,0]": 1,
        "use[ga,,stockpile,2,0]": 2,
        "unmet[ga,,0]": 4,
        "expired[ga,stockpile,0]": 7,
    }
    assert bill(stockpile, plan) == pytest.approx({"purchases": 10, "shortage": 120})
    rows = [row for row in report(put(built(stockpile), plan)) if isinstance(row, DemandMet)]
    assert [(row.minimum_life, row.required, row.met, row.unmet, row.cost) for row in rows] == [
        (2, 4, 1, 3, 90),
        (None, 3, 2, 1, 30),
    ]


def asked(stockpile: Stockpile) -> list[float]:
    return [required(stockpile, n).get(("ga", ""), (0.0, None))[0] for n in stockpile.tree.nodes]


@pytest.mark.parametrize(
    ("rows", "quantities"),
    [
        ([demand(10, 1)], [0, 10, 0, 0]),  # a blank `to` is the month of `from`
        ([demand(10, 1, 2)], [0, 10, 10, 0]),
        ([demand(10, -5, 9)], [10, 10, 10, 10]),
        ([demand(10, 1, 2), demand(5, 2, 3)], [0, 10, 15, 5]),  # rows add up
        (
            [Demand(material="ga", from_=month(1, 28), to=month(2), quantity=10)],
            [0, 10, 10, 0],
        ),  # a date is the month it falls into
    ],
)
def test_demand_of_a_period(rows: list[Row], quantities: list[float]) -> None:
    assert asked(book(*rows, periods=4)) == quantities


def test_unmet_demand_is_charged_and_reported() -> None:
    stockpile = book(demand(10, 1), material(shortage_cost=30), offer(), discount_rate=0.21)
    plan = {"buy[spot,1]": 8, "use[ga,,stockpile,0,1]": 8, "unmet[ga,,1]": 2}
    february = 1.21 ** (-1 / 12)
    assert bill(stockpile, plan) == pytest.approx(
        {"purchases": 80 * february, "shortage": 60 * february}
    )
    (told,) = [row for row in report(put(built(stockpile), plan)) if isinstance(row, DemandMet)]
    assert (told.date, told.required, told.met, told.unmet) == (month(1), 10, 8, 2)
    assert told.cost == pytest.approx(60 * february)


def test_a_life_that_no_metal_has_is_warned_about() -> None:
    rows = (material(shelf_life_months=6, shortage_cost=9), demand(1, minimum_life_months=7))
    assert warnings(book(*rows)) == [
        "demand.minimum_life_months: is above the shelf life of ga, 6 months: no metal can meet "
        "the demand, found 7"
    ]


def test_faults_of_a_demand() -> None:
    assert faults(book(demand(1, 1, 0))) == [
        "demand.to: must not be before from (2027-02-01), found 2027-01-01"
    ]


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e3])
def test_a_need_that_a_solver_does_not_see_next_to_another_is_refused(unit: float) -> None:
    """A plan left it out, as if nothing were needed, or failed its audit. It is so in any unit; the
    largest need of a material counts, and that of a group is one of each of its members."""
    materials = (material("ga", group="rare"), material("steel"))
    offers = (offer(), offer("mill", material="steel"))
    steel = demand(1e9 * unit, material="steel")
    (said,) = faults(book(*materials, *offers, steel, demand(10 * unit)))
    assert said.startswith(
        "demand.quantity: is too small to be planned together with a need of 1,0"
    )
    assert said.endswith("of ga; see its unit, or plan ga in a workbook of its own")
    for more in (demand(200 * unit, 1), demand(200 * unit, 1, material="rare")):
        assert not faults(book(*materials, *offers, steel, demand(10 * unit), more))


def test_a_lot_that_a_solver_does_not_see_next_to_a_need_is_refused() -> None:
    """A plan lost it, or failed its audit. It is no matter where its material has a need."""
    rows = (material("ga"), material("steel"), offer("mill", material="steel"))
    steel = demand(1e9, material="steel")
    (said,) = faults(book(*rows, steel, lot(5, -1)))
    assert said.startswith("opening_stock.quantity: is too small to be planned together")
    assert said.endswith(
        "the largest quantity of ga; see its unit, or plan ga in a workbook of its own"
    )
    assert not faults(book(*rows, steel, lot(11, -1)))
    assert not faults(book(*rows, steel, lot(5, -1), demand(101), offer()))
