"""`solve --floors`: what each level that is not signed would cost, against a fresh solve with that
level committed.
"""

from __future__ import annotations

import random

import pytest

from optimiser.plan.plan import Plan
from optimiser.solving.solve import Options
from optimiser.studies.what_ifs import FLOOR_LEVELS
from optimiser.studies.what_ifs.floor_levels import compared, open_levels
from stockpile_model.blocks.contracts.option_value import FloorOutcome
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    budget,
    commitment,
    contract,
    demand,
    event,
    floor,
    fund,
    least_cost,
    material,
    month,
    offer,
    prices,
    project,
    scenario,
    supplier,
)
from tests.support.plans import asked_beside, plan_for

EXACT = Options(gap=0.0)
TEN = floor(8, 120)


def planned(stockpile: Stockpile) -> Plan:
    plan = plan_for(stockpile)
    assert plan is not None
    return plan


def levels(plan: Plan) -> dict[tuple[str, str], FloorOutcome]:
    return {
        (each.contract, each.level): each
        for each in asked_beside(FLOOR_LEVELS, plan).of(FloorOutcome)
    }


def told(*rows: Row) -> dict[str, FloorOutcome]:
    """The levels of the one contract of a book, compared."""
    return {level: each for (_, level), each in levels(planned(book(*rows))).items()}


def test_a_level_other_than_the_one_that_is_signed() -> None:
    """10 wanted in each of two months.

    Low: 10 a month at 8. High: 20 a month at 9, of which half stays: 360 instead of 160. Its 40
    would have to cost 5 less.
    """
    found = told(contract(), TEN, floor(9, 240, "high"), offer(price=12), demand(10, 0, 1))
    assert (found["low"].signed, found["low"].cost_difference, found["low"].to_change) == (
        True,
        None,
        None,
    )
    assert (found["high"].cost_difference, found["high"].difference_at_least) == pytest.approx(
        (200, 200)
    )
    assert (
        found["high"].to_change
        == "signed instead of low it would cost 200 USD more in all: its price would have to fall"
        " by about 5 USD/kg, or money of that size come with it"
    )


def test_a_contract_that_is_not_signed() -> None:
    """Metal at 7 elsewhere: the 20 of the offtake would cost 20 more."""
    found = told(contract(), TEN, offer(price=7), demand(10, 0, 1))
    assert (
        found["low"].to_change
        == "signed it would cost 20 USD more in all: its price would have to fall by about 1"
        " USD/kg, or money of that size come with it"
    )


def test_a_level_that_costs_the_same() -> None:
    """Ten a month at 8, be it under one name or the other."""
    found = told(contract(), TEN, floor(8, 120, "twin"), offer(price=12), demand(10, 0, 1))
    (twin,) = (each for each in found.values() if not each.signed)
    assert twin.cost_difference == pytest.approx(0, abs=1e-6)
    assert "it would cost no more, within the gap" in str(twin.to_change)


def test_a_level_that_no_money_can_pay() -> None:
    """170 are there: the low level takes 160, the high one 360."""
    found = told(contract(), TEN, floor(9, 240, "high"), demand(10, 0, 1), fund(), budget(170))
    assert (found["high"].cost_difference, found["high"].to_change) == (
        None,
        "cannot be signed: then no plan keeps every limit",
    )


def test_a_level_that_delivers_nothing_has_no_price_to_change() -> None:
    found = told(contract(signing_cost=3), floor(8, 0))
    assert found["low"].to_change == "signed it would cost 3 USD more in all"


def test_only_levels_that_could_be_signed_are_planned() -> None:
    plan = planned(book(contract(), TEN, supplier(stage="announced"), supply_stages=("operating",)))
    assert list(open_levels(plan)) == []
    assert levels(plan)["offtake", "low"].to_change is None


def test_a_bound_below_the_plan_is_shown_as_it_is() -> None:
    plan = planned(book(contract(), TEN, offer(price=7), demand(10, 0, 1)))
    (level,) = open_levels(plan)
    found = compared(plan, level, 160.0, 138.0)
    assert (found.cost_difference, found.difference_at_least) == pytest.approx((20, -2))
    assert compared(plan, level, 160.0, None).difference_at_least is None


UNCERTAIN: tuple[Row, ...] = (
    contract(price_index="market"), TEN, floor(9, 240, "high"), contract("anchor", project="plant 2", sign_to=month(1), term_months=2),
    floor(6, 60, name="anchor"), project(breakeven_floor=6, ready_lag_months=1), offer(price=11), *prices(10), demand(12, 1, 3),
    material(shelf_life_months=2), scenario(probability=0.25), event("prices.market", "set", 4, 1), event("demand.quantity", "scale", 2, 2),
)  # fmt: skip


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_a_difference_is_that_of_a_fresh_plan_with_the_level_committed(weight: float) -> None:
    settings = {"periods": 4, "risk_weight": weight, "risk_tail": 0.25}
    plan = planned(book(*UNCERTAIN, **settings))
    found = {key: each for key, each in levels(plan).items() if not each.signed}
    assert found
    for (name, level), each in found.items():
        fresh = least_cost(book(*UNCERTAIN, commitment("sign", name, level=level), **settings))
        assert fresh is not None
        assert each.cost_difference == pytest.approx(fresh - plan.objective)


@pytest.mark.parametrize("seed", range(6))
def test_no_level_costs_less_than_the_plan(seed: int) -> None:
    dice = random.Random(seed)
    menu = [floor(dice.randint(4, 9), 12 * dice.randint(2, 12), f"l{k}") for k in range(3)]
    rows = (
        contract(sign_to=month(1), take_or_pay=0.8),
        *menu,
        offer(price=dice.randint(5, 9)),
        demand(dice.randint(4, 9), 0, 3),
    )
    for each in levels(planned(book(*rows, periods=4))).values():
        assert each.signed or each.cost_difference is None or each.cost_difference >= -1e-6
