"""Prices of metal that lie a million times apart: a plan comes, and it is the best one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import optimiser as so
from optimiser.explaining import bounded_solve
from optimiser.solving import highs
from optimiser.solving.solve import Options, SolverError, solve
from optimiser.solving.standard_form import standard_form
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import Reading
from stockpile_model.build import build
from tests.test_units import in_units


def month(number: int) -> str:
    return f"2027-{number:02d}-01"


def far_apart(periods: int, offers: list[dict[str, Any]], needs: list[float], **terms: Any) -> Any:
    """Needs from February on, met under offers by funds that are ample."""
    return {
        "settings": {"start": "2027-01-01", "periods": periods, "mip_gap": 0},
        "materials": [{"material": "ga", **terms}],
        "suppliers": [{"supplier": "s"}],
        "offers": [{"supplier": "s", "material": "ga", **each} for each in offers],
        "demand": [
            {"material": "ga", "from": month(k), "quantity": each} for k, each in enumerate(needs, 2)
        ],
        "funds": [{"fund": "f"}, {"fund": "g"}],
        "budgets": [
            {"fund": "f", "amount": 200 * max(each["price"] for each in offers)},
            {"fund": "g", "from": "2027-03-01", "expires": "2027-12-31", "amount": 1e4},
        ],
    }  # fmt: skip


DEAR = 1854625.64
RARE = far_apart(
    6,
    [
        {"offer": "cheap", "price": 1, "capacity": 5, "lead_time_months": 1, "availability": 0.9, "lot_size": 5},
        {"offer": "dear", "price": DEAR, "capacity": 50, "lead_time_months": 1, "order_cost": 10},
    ],
    [27, 6, 2, 28, 15],
    shelf_life_months=6,
)  # fmt: skip
OFTEN = far_apart(
    12,
    [
        {"offer": "cheap", "price": 1, "capacity": 20, "lot_size": 5},
        {"offer": "dear", "price": 5e7},
        {"offer": "dearer", "price": 7e7, "capacity": 20},
    ],
    [2, 1, 5, 21, 11, 30, 18, 9, 8, 25, 26],
    holding_cost=0.01,
)  # fmt: skip


@pytest.mark.parametrize(
    ("tables", "optimum"),
    [
        # Five times 4.5 come cheap; 55.5 are dear, in two orders.
        (RARE, 22.5 + 55.5 * DEAR + 2 * 10),
        # 32 lots of 5, and 52 kg-months of what is bought ahead of 156 in months of at most 20.
        (OFTEN, 32 * 5 + 52 * 0.01),
    ],
)
@pytest.mark.parametrize("units", [(1.0, 1.0), (1e-6, 1e6), (1e6, 1.0)])
def test_prices_a_million_apart_have_a_plan(
    tables: Any, optimum: float, units: tuple[float, float]
) -> None:
    """Money was counted in units of the middle price: HiGHS gave up, or saw no cheap metal."""
    quantity, money = units
    stockpile = in_units(so.from_tables(tables).stockpile, quantity, money)
    found = so.solve(replace(so.from_tables(tables), reading=Reading(stockpile)))
    assert found.status == "optimal"
    assert found.plan.objective == pytest.approx(optimum * money, rel=1e-9)


def test_a_program_at_which_highs_gives_up_is_solved_in_units_of_its_own() -> None:
    stockpile = so.from_tables(RARE).stockpile
    usual = stockpile.scale
    small = usual._replace(money=usual.quantity * 1.0 / 10)  # where the price of 1 is a usual one
    formulation = build(replace(stockpile, anchor=small))
    program = standard_form(formulation.m).program
    with pytest.raises(SolverError, match="Solve error"):
        highs._minimised(program, Options(gap=0.0), Interrupt(), None, None)
    outcome = solve(formulation.m, Options(gap=0.0))
    assert (outcome.status, outcome.objective) == (
        "optimal",
        pytest.approx(22.5 + 55.5 * DEAR + 20),
    )
    other = build(stockpile)
    usually = solve(other.m, Options(gap=0.0))
    duals = [
        [each.dual(m.balance_demand[k]) for k in m.balance_demand]
        for each, m in ((outcome, formulation.m), (usually, other.m))
    ]
    assert duals[0] == pytest.approx(duals[1])


def test_where_no_units_help_the_price_that_is_far_from_another_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> None:
        raise SolverError("HiGHS ended with the status 'Solve error'")

    monkeypatch.setattr(bounded_solve, "solve", fails)
    with pytest.raises(
        so.InputError, match=r"offers!D3: is too far above the price 1 of offers!D2"
    ):
        so.solve(so.from_tables(RARE))
    near = far_apart(6, [{"offer": "one", "price": 5}, {"offer": "two", "price": 9}], [4])
    with pytest.raises(SolverError, match="HiGHS ended with"):
        so.solve(so.from_tables(near))
