"""Demand: met from the right sites, or counted as unmet."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.demand import Demand, DemandMet, required
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
)

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


def test_faults_of_a_demand() -> None:
    assert faults(book(demand(1, 1, 0))) == [
        "demand.to: must not be before from (2027-02-01), found 2027-01-01"
    ]
