"""The objective: what is added up, discounted how, and which shortfall comes first."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from optimiser.solve import Options, solve
from stockpile_model.blocks.objective import CashFlow
from stockpile_model.build import report
from stockpile_model.data import Row
from tests.support.accept import bill, book, built, demand, lot, material, month, offer, outlet, prices, put, target

FEBRUARY = 1.21 ** (-1 / 12)


@pytest.mark.parametrize(
    ("cells", "made", "worth"),
    [
        ({}, 0, 10 * 20 * 0.5),
        ({"shelf_life_months": 4}, 1, 10 * 20 * 0.5 * 3 / 4),  # new in the last month, 3 of 4 months left at its end
        ({"shelf_life_months": 4}, 0, 10 * 20 * 0.5 * 2 / 4),
        ({"shelf_life_months": 4}, -1, 10 * 20 * 0.5 * 1 / 4),
    ],
)
def test_closing_stock_is_credited_at_the_last_price_a_period_later(cells: dict[str, float], made: int, worth: float) -> None:
    """10 left at the end of February, index 20 then, half of it credited as in March; 21 % a year."""
    source = offer(price=0) if made == 1 else lot(10, made)
    stockpile = book(source, material(closing_value=0.5, price_index="market", **cells), *prices(5, 20, 90), discount_rate=0.21)
    limited, plan = "shelf_life_months" in cells, {}
    for t in range(max(0, made), 2):
        plan[f"stock[ga,stockpile,{t - made if limited else 0},{t}]"] = 10.0
    plan |= {"buy[spot,1]": 10.0} if made == 1 else {}
    assert bill(stockpile, plan) == pytest.approx({"closing_stock": -worth * FEBRUARY**2})


def test_money_is_discounted_from_the_start_of_its_period() -> None:
    """A third year begins after two."""
    stockpile = book(offer(), periods=3, period_months=12, discount_rate=0.25)
    plan = {"buy[spot,2]": 10, "stock[ga,stockpile,0,2]": 10}
    assert bill(stockpile, plan) == pytest.approx({"purchases": 100 / 1.25**2})


def test_cash_flow_adds_up_to_the_cost() -> None:
    rows: tuple[Row, ...] = (
        lot(5, -1), offer(duty=0.1), demand(9, 0, 1), outlet(),
        material(shelf_life_months=3, shortage_cost=40, holding_cost=1, closing_value=0.5, price_index="market"),
    )  # fmt: skip
    formulation = built(book(*rows, *prices(10, 20), discount_rate=0.21))
    plan = {
        "use[ga,,stockpile,1,0]": 4, "out[sale,stockpile,1,0]": 1, "unmet[ga,,0]": 5, "buy[spot,1]": 10, "use[ga,,stockpile,0,1]": 9,
        "stock[ga,stockpile,0,1]": 1,
    }  # fmt: skip
    flows = [row for row in report(put(formulation, plan)) if isinstance(row, CashFlow)]
    assert [(row.date, row.heading, row.cash, pytest.approx(row.amount)) for row in flows] == [
        (month(0), "shortage", False, 200),
        (month(0), "sales", True, -5),
        (month(1), "purchases", True, 100),
        (month(1), "duty", True, 10),
        (month(1), "storage", True, 1),
        (month(2), "closing_stock", False, pytest.approx(-20 * 0.5 * 2 / 3)),
    ]
    assert sum(row.discounted for row in flows) == pytest.approx(pyo.value(formulation.m.cost))


def test_shortfall_counts_unmet_demand_and_stock_below_targets_alike_and_undiscounted() -> None:
    rows = (demand(7), target(5), material(shortage_cost=1, below_target_cost=1))
    formulation = put(
        built(book(*rows, objective="shortfall_first", discount_rate=0.21)), {"unmet[ga,,0]": 7, "below[ga,,0]": 5, "below[ga,,1]": 5}
    )
    assert pyo.value(formulation.m.shortfall) == 17


@pytest.mark.parametrize(("objective", "cost", "shortfall"), [("cost", 14, 7), ("shortfall_first", 70, 0)])
def test_shortfall_first_buys_what_cost_would_leave(objective: str, cost: float, shortfall: float) -> None:
    """7 wanted, at 10 each, or 2 for each that is missing."""
    formulation = built(book(demand(7), offer(), material(shortage_cost=2), objective=objective))
    assert solve(formulation.m, Options(gap=0.0)).objective == pytest.approx(cost, abs=1e-4)
    assert pyo.value(formulation.m.shortfall) == pytest.approx(shortfall, abs=1e-5)
