"""By how much it could matter that orders beyond `firm_periods` are relaxed: plans whose whole orders a reader can compute."""

from __future__ import annotations

from typing import Any

import pytest

from optimiser.plan import Plan, make_plan
from optimiser.planner import with_whole_orders
from optimiser.solve import Options, solve
from stockpile_model.build import build
from stockpile_model.data import Row, Stockpile
from tests.support.accept import book, demand, event, material, month, offer, scenario, site

EXACT = Options(gap=0.0)
FIGURE = "objective with whole orders"


def planned(stockpile: Stockpile, options: Options = EXACT) -> Plan:
    formulation = build(stockpile)
    outcome = solve(formulation.m, EXACT)
    return with_whole_orders(make_plan(formulation, outcome), formulation, options, outcome.seconds)


def lots(*rows: Row, **settings: Any) -> Stockpile:
    """3 wanted in February, sold at 2 in lots of 10 then."""
    return book(offer("now", 5, to=month(0)), offer("then", 2, from_=month(1), lot_size=10, capacity=10), demand(3, 1), *rows, **settings)


def test_a_lot_that_is_relaxed_costs_what_is_wanted_of_it_and_whole_all_of_it() -> None:
    """Relaxed: 3 at 2. Whole: a lot of 10 at 2."""
    plan = planned(lots(firm_periods=1))
    assert plan.objective == pytest.approx(6)
    assert plan.run[FIGURE] == pytest.approx(20)
    assert plan.verdict.endswith(
        "With whole orders from then on, what is done in the first period can be kept for 20 USD, 14 more than this plan says; "
        "that they are relaxed can matter by 14 USD at most."
    )


def test_what_was_done_in_the_firm_periods_is_kept() -> None:
    """To begin anew would cost 15: 3 at 5 in January."""
    assert planned(lots()).objective == pytest.approx(15)
    assert planned(lots(firm_periods=1)).run[FIGURE] == pytest.approx(20)


def test_a_plan_that_cannot_be_made_whole_says_so() -> None:
    """Of a lot of 10 the demand leaves 7, and there is room for 5."""
    plan = planned(lots(site(capacity=5), firm_periods=1))
    assert plan.run[FIGURE] == "none"
    assert plan.verdict.endswith(
        "No plan has whole orders from then on and keeps what is done in the first period: it would have to begin differently."
    )


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_scenarios_that_part_after_the_firm_periods_are_planned_one_by_one(weight: float) -> None:
    """In war 12 are wanted: relaxed 24, whole 2 lots at 2. Peace is as above: 6 and 20. The tail is war."""
    rows = (offer("then", 2, from_=month(1), lot_size=10), demand(3, 1), scenario(probability=0.25))
    stockpile = book(
        *rows, event("demand.quantity", "set", 12, 1), material(), firm_periods=1, risk_weight=weight, risk_tail=0.25,
    )  # fmt: skip
    plan = planned(stockpile)
    assert plan.objective == pytest.approx((1 - weight) * (0.75 * 6 + 0.25 * 24) + weight * 24)
    assert plan.run[FIGURE] == pytest.approx((1 - weight) * (0.75 * 20 + 0.25 * 40) + weight * 40)


def test_scenarios_that_part_later_are_planned_together() -> None:
    rows = (offer("then", 2, from_=month(1), lot_size=10), demand(3, 2), scenario(probability=0.25))
    stockpile = book(*rows, event("demand.quantity", "set", 12, 2), firm_periods=1, periods=3)
    assert planned(stockpile).run[FIGURE] == pytest.approx(0.75 * 20 + 0.25 * 40)


def test_what_is_not_found_in_time_is_said_to_be_unknown() -> None:
    rows = (offer("then", 2, from_=month(1), lot_size=10), demand(3, 1), scenario(probability=0.25))
    stockpile = book(*rows, event("demand.quantity", "set", 12, 1), firm_periods=1)
    plan = planned(stockpile, Options(gap=0.0, time_limit=1e-9))
    assert plan.run[FIGURE] == "not found in time"
    assert "By how much that could matter is not known" in plan.verdict


@pytest.mark.parametrize("firm", [None, 2, 5])
def test_where_no_order_is_relaxed_nothing_is_said(firm: int | None) -> None:
    assert FIGURE not in planned(lots(firm_periods=firm)).run
