"""The value of an expression is what Pyomo says it is."""

from __future__ import annotations

import random
from typing import Any

import pyomo.environ as pyo
import pytest

from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import summed


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4), initialize={0: 0.1, 1: 2, 2: -3.7, 3: 0.0})
    m.p = pyo.Param(initialize=1.3, mutable=True)
    return m


def expressions(m: Any) -> dict[str, Any]:
    x = m.x
    return {
        "number": 3,
        "variable": x[0],
        "monomial": 0.3 * x[1],
        "negation": -(x[0] + x[2]),
        "difference": x[0] - 2 * x[1] + 5,
        "sum": summed([0.1 * x[0], x[1], 7.0, -x[2], summed([x[2], 3 * x[3]])]),
        "empty sum": summed([]),
        "linear sum": pyo.quicksum(0.7 * each for each in x.values()),
        "scaled sum": 0.9 * summed([x[0], x[1], x[2]]),
        "division": (x[0] + x[1]) / 3,
        "parameter": m.p * x[2] + m.p,
        "named": pyo.quicksum([x[0] * x[1], x[2] ** 2]),
    }


@pytest.mark.parametrize("name", expressions(model()))
def test_an_expression_is_worth_what_pyomo_says(name: str) -> None:
    expression = expressions(model())[name]
    assert evaluate(expression) == pyo.value(expression)


def test_long_sums_are_added_in_the_same_order() -> None:
    m, r = pyo.ConcreteModel(), random.Random(1)
    m.x = pyo.Var(range(1000), initialize=lambda m, j: r.uniform(-1e6, 1e6))
    expression = summed([r.uniform(-1, 1) * each for each in m.x.values()])
    assert evaluate(expression) == pyo.value(expression)


def test_a_variable_without_a_value_is_an_error() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    with pytest.raises(ValueError, match="uninitialized"):
        evaluate(3 * m.x)
