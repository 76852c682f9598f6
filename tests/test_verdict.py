"""The verdict: what is paid, from which money, what comes back, and how sure the cost is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import optimiser as so
from optimiser.figures.of_memo import memo_of
from optimiser.figures.of_memo.memo_content import MemoAudit, MemoGround
from optimiser.html.plan_page import plan_page
from optimiser.plan import verdict
from stockpile_model import amounts
from tests.support.plans import plan_of
from tests.test_scenario_output import WAR


def lines(tables: dict[str, Any]) -> list[str]:
    plan = plan_of(tables)
    assert plan is not None
    return plan.verdict.splitlines()


def test_cash_of_the_small_case_by_hand() -> None:
    """390 of metal, 20 of orders, 250 of the offtake, 20 of storage; 10 kg sell for 50."""
    plan = so.solve(so.read("inputs/small.xlsx"), gap=0.0).plan
    assert plan is not None
    said = plan.verdict.splitlines()
    assert "Pay 680 USD: 680 from treasury." in said
    assert "Receive 50 USD for what is sold and shared." in said
    assert said[-1] == "Proven: no plan costs less."
    assert not any("No cash" in each for each in said)


def test_what_is_no_cash_stands_apart() -> None:
    """2 of 10 are missing at 7, 1 is kept at a worth of 4: of 8 + 1 bought at 3, 27 are paid."""
    tables = {
        "settings": {"start": "2027-01-01", "periods": 1, "mip_gap": 0},
        "materials": [
            {"material": "ga", "shortage_cost": 7, "price_index": "world", "closing_value": 1}
        ],
        "suppliers": [{"supplier": "plant"}],
        "offers": [
            {"offer": "spot", "supplier": "plant", "material": "ga", "price": 3, "total": 9}
        ],
        "demand": [{"material": "ga", "from": "2027-01-01", "quantity": 10}],
        "targets": [{"material": "ga", "from": "2027-01-01", "quantity": 1, "hard": True}],
        "prices": [{"date": "2027-01-01", "world": 4}],
    }
    said = lines(tables)
    assert "Pay 27 USD." in said
    assert "No cash, but added to the cost: price of unmet demand, 14 USD." in said
    assert "No cash, but taken off the cost: value of stock left at the end, 4 USD." in said
    # 27 paid less 4 of worth for one kilogram held one month: 12 times that a year.
    assert any("in spec for a year costs 276 USD" in each for each in said)


def test_where_the_shortfall_comes_first_the_proof_is_of_plans_that_miss_as_little() -> None:
    """To buy the 10 costs 30, to miss them nothing: such a plan costs less."""
    tables = {
        "settings": {
            "start": "2027-01-01",
            "periods": 1,
            "mip_gap": 0,
            "objective": "shortfall_first",
        },
        "materials": [{"material": "ga", "shortage_cost": 0}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [{"offer": "spot", "supplier": "plant", "material": "ga", "price": 3}],
        "demand": [{"material": "ga", "from": "2027-01-01", "quantity": 10}],
    }
    assert lines(tables)[-1] == "Proven: no plan that misses as little costs less."
    plan = plan_of(tables)
    assert plan is not None
    bound = so.figures_of(plan)["assessment"]
    assert isinstance(bound, so.TableFigure)
    assert "USD: no plan that misses as little can cost less" in {e.note for e in bound.lines}
    assert "No plan that misses as little can cost less than" in dict(plan_page(plan).facts)
    *_, proof = memo_of(MemoGround(plan, MemoAudit("agrees"))).parts
    values = [line.values[1] for line in proof.figures[1].lines]  # type: ignore[union-attr]
    assert "no plan that misses as little costs less than 30 USD" in str(values[0])


def test_the_base_is_paid_and_the_range_is_that_of_the_scenarios() -> None:
    """In peace nothing is bought, in war 10 at 9."""
    assert "In the base scenario pay 0 USD (0 to 90 over the scenarios)." in lines(WAR)


def test_what_comes_in_and_what_is_no_cash_names_its_scenario() -> None:
    said = lines(TWO_METALS)
    sold = "In the base scenario receive 2 USD (0 to 2 over the scenarios) for what is sold"
    assert f"{sold} and shared." in said
    priced = "No cash, but added to the cost in the base scenario: price of unmet demand, 0 USD"
    assert f"{priced} (0 to 216 over the scenarios)." in said


def test_metals_are_not_added() -> None:
    """Five kilograms of each, never ten of both."""
    tables = {
        **{name: rows for name, rows in WAR.items() if name not in ("scenarios", "events")},
        "materials": [{"material": "ga"}, {"material": "ge"}],
        "offers": [*WAR["offers"], {**WAR["offers"][0], "offer": "ge", "material": "ge"}],
        "demand": [
            {"material": metal, "from": "2027-01-01", "quantity": 5} for metal in ("ga", "ge")
        ],
    }
    said = lines(tables)
    assert "Order 5 kg of ga in 1 order from plant." in said
    assert "Order 5 kg of ge in 1 order from plant." in said


TWO_METALS: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 2, "mip_gap": 0},
    "materials": [
        {"material": name, "shelf_life_months": 2, "shortage_cost": 9} for name in ("ga", "ge")
    ],
    "sites": [{"site": "near", "cost": 1}, {"site": "far"}],
    "moves": [{"move": "road", "from_site": "near", "to_site": "far"}],
    "opening_stock": [
        {
            "lot": f"old {name}",
            "material": name,
            "site": "near",
            "quantity": 8,
            "made": "2027-01-01",
        }
        for name in ("ga", "ge")
    ],
    "demand": [{"material": name, "from": "2027-02-01", "quantity": 4} for name in ("ga", "ge")],
    "outlets": [
        {"outlet": f"resale {name}", "material": name, "form": "sale", "price": 1, "capacity": 1}
        for name in ("ga", "ge")
    ],
    "scenarios": [{"scenario": "war", "probability": 0.25, "revealed": "2027-02-01"}],
    "events": [
        {
            "scenario": "war",
            "table": "demand",
            "row": "*",
            "column": "quantity",
            "from": "2027-02-01",
            "how": "set",
            "value": 20,
        }
    ],
}
"""Of each metal 8 are held, of which 4 are used in peace; in war 20 are wanted. Two may be sold."""


def test_amounts_over_scenarios_say_so_and_metals_are_not_added() -> None:
    """In war, one time in four, 12 of each are missing; in peace 3 expire and 1 is sold."""
    said, mean = lines(TWO_METALS), ", on average over the scenarios."
    expired = "The plan lets 2.25 kg of ga and 2.25 kg of ge reach the end of its life unused"
    assert f"{expired}{mean}" in said
    for metal in ("ga", "ge"):
        assert f"3 kg of demand for {metal} stay unmet{mean}" in said
        assert f"Rotate 0.75 kg of {metal} out through resale {metal}{mean}" in said
        assert f"Move 8 kg of {metal} between sites{mean}" in said


def test_a_rise_that_some_scenarios_pay_is_said_as_a_mean() -> None:
    """In war 10 are bought at 10: 5 of them cost a tenth more."""
    tables = {
        **WAR,
        "offers": [{**WAR["offers"][1], "price": None, "price_index": "market"}],
        "prices": [{"date": "2027-01-01", "market": 10}],
        "supply_curves": [{"index": "market", "from_quantity": 5, "rise": 0.1}],
    }
    said = "Own buying moves market: 1.25 USD is paid on top of the price, on average over the"
    assert f"{said} scenarios." in lines(tables)


def test_what_holding_a_unit_costs_counts_stock_before_the_first_target() -> None:
    """30 are paid for 10 kg, held for two months of which the second has a target."""
    tables = {
        "settings": {"start": "2027-01-01", "periods": 2, "mip_gap": 0},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [{**WAR["offers"][0], "price": 3}],
        "targets": [{"material": "ga", "from": "2027-02-01", "quantity": 10, "hard": True}],
    }
    assert any("in spec for a year costs 18 USD" in each for each in lines(tables))
    both = {**tables, "materials": [{"material": "ga"}, {"material": "ge"}]}
    assert not any("in spec for a year" in each for each in lines(both))


def test_what_holding_a_unit_costs_is_said_of_the_path_that_is_counted() -> None:
    tables = {
        **WAR,
        "targets": [{"material": "ga", "from": "2027-01-01", "quantity": 10, "hard": True}],
    }
    begin = "In the base scenario to hold one kg of ga in spec for a year costs "
    assert any(each.startswith(begin) for each in lines(tables))


@given(st.floats(1e-9, 1e12), st.integers(1, 5))
def test_what_is_open_is_never_shown_smaller(value: float, digits: int) -> None:
    shown = verdict._up(value, digits)
    assert value * (1 - 1e-15) <= shown <= value * (1 + 10.0 ** (1 - digits)) * (1 + 1e-15)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (73_988_422.15, "73.99 million"),
        (2_500_000_000, "2.5 billion"),
        (1_982_959.42, "1.983 million"),
        (123_353.869, "123,354"),
        (22.5, "22.50"),
        (-1_500_000, "-1.5 million"),
        (0, "0"),
        (0.1234567, "0.123457"),
    ],
)
def test_money_as_people_say_it(value: float, said: str) -> None:
    assert amounts.rounded(value) == said


def test_the_worth_of_a_limit_on_members_is_said_of_one_member() -> None:
    rows = {"rules": [{"rule": "two", "of": "supplier", "measure": "count", "least": 1}]}
    tables = {
        "settings": {"start": "2027-01-01", "periods": 1},
        "materials": [{"material": "gallium"}],
        "suppliers": [{"supplier": "alpha"}],
        "offers": [{"offer": "spot", "supplier": "alpha", "material": "gallium", "price": 10}],
        "demand": [{"material": "gallium", "from": "2027-01-01", "quantity": 5}],
    }
    plan = so.solve(so.from_tables({**tables, **rows})).plan
    assert plan is not None
    said = plan["marginal_values"]["in_words"].tolist()
    assert "From 2027-01 one member less saves nothing" in said
