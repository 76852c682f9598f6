"""By how much limits must give, against answers that can be counted on fingers and against a plain
model with slacks.
"""

from __future__ import annotations

import random
from typing import Any

import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.solving.relax import Elastic, relax
from optimiser.solving.solve import Options, solve
from optimiser.solving.standard_form import standard_form

EXACT = Options(gap=0.0, threads=1)


def short_of_supply(need: float = 10.0, cap: float = 4.0, money: float = 12.0) -> Any:
    m = pyo.ConcreteModel()
    m.buy = pyo.Var(bounds=(0, cap))
    m.lots = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, 1))
    m.need = pyo.Constraint(expr=m.buy + 3 * m.lots == need)
    m.money = pyo.Constraint(expr=2 * m.buy + 4 * m.lots <= money)
    m.cost = pyo.Objective(expr=2 * m.buy)
    return m


def amounts(m: Any, *elastic: Elastic) -> tuple[float, ...]:
    found = relax(standard_form(m), elastic, EXACT)
    assert found.status == "optimal"
    assert found.gap == 0
    return found.amounts


def test_what_is_required_falls_short_by_what_cannot_be_had() -> None:
    m = short_of_supply()
    assert solve(m).status == "infeasible"
    assert amounts(m, Elastic(m.need, "least")) == (pytest.approx(3.0),)


def test_the_bound_of_a_variable_gives_and_integers_stay_whole() -> None:
    m = short_of_supply(money=100)
    assert amounts(m, Elastic(m.buy, "most")) == (pytest.approx(3.0),)
    assert amounts(m, Elastic(m.lots, "most")) == (pytest.approx(1.0),)
    m.lots.setub(0)
    assert amounts(m, Elastic(m.buy, "most"), Elastic(m.lots, "most", 2.9)) == (
        0,
        pytest.approx(2.0),
    ), "2 lots and 4 units, not 6/3 lots"


def test_weights_say_what_gives() -> None:
    m = short_of_supply()
    both = [Elastic(m.buy, "most"), Elastic(m.money, "most")]
    # 10 units are 7 and a lot: 3 above the cap, 18 of money.
    assert amounts(m, *both) == (pytest.approx(3), pytest.approx(6))
    assert amounts(m, Elastic(m.need, "least"), *both) == (pytest.approx(3), 0, 0)
    assert amounts(m, Elastic(m.need, "least", 10), *both) == (
        0,
        pytest.approx(3),
        pytest.approx(6),
    )


def test_the_sense_chooses_the_side_of_an_equation_or_range() -> None:
    m = short_of_supply()
    assert relax(standard_form(m), [Elastic(m.need, "most")], EXACT).status == "infeasible"
    m.need.set_value(pyo.inequality(-7, m.buy + 3 * m.lots - 20, -5))
    assert amounts(m, Elastic(m.need, "least")) == (pytest.approx(6),)
    m.need.set_value(pyo.inequality(-7, m.buy + 3 * m.lots, -5))
    assert amounts(m, Elastic(m.need, "most")) == (pytest.approx(5),)


def test_a_false_constraint_without_variables_can_give_too() -> None:
    m = short_of_supply()
    m.need.set_value(m.buy - m.buy >= 4)
    assert amounts(m, Elastic(m.need, "least")) == (pytest.approx(4),)


def test_nothing_gives_where_there_is_a_plan_and_the_model_is_left_as_it_was() -> None:
    m = short_of_supply(need=7)
    m.buy.set_value(1.5)
    assert amounts(m, Elastic(m.need, "least"), Elastic(m.buy, "most")) == (0, 0)
    assert (m.buy.value, m.buy.bounds, pyo.value(m.cost)) == (1.5, (0, 4), 3.0)


def test_infeasible_even_so() -> None:
    m = short_of_supply()
    m.never = pyo.Constraint(expr=m.buy >= 50)
    found = relax(standard_form(m), [Elastic(m.need, "least")], EXACT)
    assert (found.status, found.amounts) == ("infeasible", ())


def test_a_constraint_that_is_always_true_gives_nothing() -> None:
    m = short_of_supply()
    m.true = pyo.Constraint(expr=m.buy - m.buy <= 1)
    assert amounts(m, Elastic(m.true, "most"), Elastic(m.need, "least")) == (0, pytest.approx(3.0))


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_the_least_weighted_amount_is_that_of_a_model_with_slacks_written_by_hand(
    seed: int,
) -> None:
    r = random.Random(seed)
    least = [r.randint(0, 20) for _ in range(4)]
    most = [r.randint(0, 20) for _ in range(4)]
    rates = [[r.randint(0, 3) for _ in range(3)] for _ in range(4)]
    weights = [r.randint(1, 9) for _ in range(8)]

    def model(slack: Any) -> Any:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(
            range(3),
            domain=lambda m, i: [pyo.NonNegativeReals, pyo.NonNegativeIntegers][i % 2],
            bounds=(0, 5),
        )
        m.give = pyo.Var(range(8), domain=pyo.NonNegativeReals)
        rows = [pyo.quicksum(rates[k][i] * m.x[i] for i in range(3)) for k in range(4)]
        m.least = pyo.Constraint(
            range(4), rule=lambda m, k: rows[k] + slack * m.give[k] >= least[k]
        )
        m.most = pyo.Constraint(
            range(4), rule=lambda m, k: rows[k] - slack * m.give[4 + k] <= most[k]
        )
        m.cost = pyo.Objective(expr=pyo.quicksum(weights[k] * m.give[k] for k in range(8)))
        return m

    by_hand = solve(model(1), EXACT).objective
    m = model(0)
    limits = [Elastic(m.least[k], "least", weights[k]) for k in range(4)] + [
        Elastic(m.most[k], "most", weights[4 + k]) for k in range(4)
    ]
    found = amounts(m, *limits)
    assert sum(
        weight * amount for weight, amount in zip(weights, found, strict=True)
    ) == pytest.approx(by_hand, abs=1e-5)
