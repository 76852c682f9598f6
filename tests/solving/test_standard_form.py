"""The arrays say what the Pyomo model says."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.solving.standard_form import StandardForm, standard_form
from tests.support.linear_models import random_model

INF = float("inf")


def row_of(form: StandardForm, constraint: Any) -> tuple[float, dict[str, float], float]:
    """Bounds and coefficients, by the variables' names."""
    p, i = form.program, form.row(constraint)
    assert i is not None
    entries = range(p.start[i], p.start[i + 1])
    return (
        p.row_lower[i],
        {form.variables[p.index[k]].name: float(p.value[k]) for k in entries},
        p.row_upper[i],
    )


@given(st.integers(0, 2**32))
def test_every_row_and_objective_has_the_value_that_pyomo_gives_it_at_any_point(seed: int) -> None:
    r = random.Random(seed)
    m = random_model(r)
    form = standard_form(m)
    p = form.program
    for variable in form.variables:
        if not variable.fixed:
            variable.set_value(r.uniform(-10, 10), skip_validation=True)
    x = np.array([each.value for each in form.variables])
    body = p.activity(x)
    for constraint in m.component_data_objects(pyo.Constraint, active=True):
        i = form.row(constraint)
        low, high = constraint.lb, constraint.ub
        if i is None:
            # Left out: no coefficient is left over, and it holds.
            assert low is None or pyo.value(constraint.body) >= low - 1e-9
            assert high is None or pyo.value(constraint.body) <= high + 1e-9
            continue
        # The constant of the body stands in the bounds, so the slacks are what is the same.
        for mine, theirs in ((p.row_lower[i], low), (p.row_upper[i], high)):
            if theirs is None:
                assert math.isinf(mine)
            else:
                assert body[i] - mine == pytest.approx(
                    pyo.value(constraint.body) - theirs, abs=1e-9
                )
    assert form.row(m.off) is None
    assert p.objective(x) == pytest.approx(pyo.value(m.cost), abs=1e-9)
    for j, variable in enumerate(form.variables):
        low, high = (variable.value, variable.value) if variable.fixed else variable.bounds
        assert (p.lower[j], p.upper[j]) == (low, high)
        assert bool(p.integer[j]) == (variable.is_integer() and not variable.fixed)
    assert all(
        len(set(p.index[a:b])) == b - a for a, b in zip(p.start, p.start[1:], strict=False)
    ), "an entry stands twice"
    assert (p.value != 0).all()


def test_the_same_variable_several_times_is_summed_and_constants_go_into_the_bounds() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.y = pyo.Var()
    m.c = pyo.Constraint(expr=2 * m.x + 3 + m.y + m.x - (m.y - 1) <= 10)
    assert row_of(standard_form(m), m.c) == (-INF, {"x": 3.0}, 6.0)


def test_signs_are_those_of_pyomos_body_and_a_range_is_one_row() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1])
    m.least = pyo.Constraint(expr=m.x[0] >= 4)
    m.turned = pyo.Constraint(expr=4 >= m.x[0] + m.x[1])  # noqa: SIM300
    m.linked = pyo.Constraint(expr=m.x[0] >= 3 * m.x[1])
    m.ranged = pyo.Constraint(expr=pyo.inequality(1, m.x[0] + 1, 5))
    m.equal = pyo.Constraint(expr=7 == m.x[0])  # noqa: SIM300
    form = standard_form(m)
    assert row_of(form, m.least) == (4.0, {"x[0]": 1.0}, INF)
    assert row_of(form, m.turned) == (-INF, {"x[0]": 1.0, "x[1]": 1.0}, 4.0)
    assert row_of(form, m.linked) == (-INF, {"x[0]": -1.0, "x[1]": 3.0}, 0.0)
    assert row_of(form, m.ranged) == (0.0, {"x[0]": 1.0}, 4.0)
    assert row_of(form, m.equal) == (7.0, {"x[0]": 1.0}, 7.0)


def test_true_constraints_without_variables_are_dropped_and_false_ones_kept_as_rows_that_cannot_hold() -> (
    None
):
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.true = pyo.Constraint(expr=m.x - m.x <= 1)
    m.false = pyo.Constraint(expr=m.x - m.x >= 1)
    m.free = pyo.Constraint(expr=m.x >= -INF)
    form = standard_form(m)
    assert form.constraints == (m.false,)
    assert row_of(form, m.false) == (1.0, {}, INF)


def test_a_fixed_variable_holds_its_value_against_its_domain() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Binary, initialize=0.5)
    m.x.fix()
    p = standard_form(m).program
    assert (p.lower[0], p.upper[0], bool(p.integer[0])) == (0.5, 0.5, False)


def test_variables_of_a_switched_off_block_are_columns_and_its_constraints_no_rows() -> None:
    m = pyo.ConcreteModel()
    m.b = pyo.Block()
    m.b.x = pyo.Var(bounds=(0, 1))
    m.b.c = pyo.Constraint(expr=m.b.x >= 2)
    m.b.deactivate()
    m.c = pyo.Constraint(expr=m.b.x >= 1)
    form = standard_form(m)
    assert form.variables == (m.b.x,)
    assert form.constraints == (m.c,)


def test_a_reference_is_not_a_second_variable() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1])
    m.again = pyo.Reference(m.x)
    m.c = pyo.Constraint(expr=m.again[0] + m.x[0] <= 1)
    form = standard_form(m)
    assert len(form.variables) == 2
    assert row_of(form, m.c) == (-INF, {"x[0]": 2.0}, 1.0)


def _product(m: Any) -> None:
    m.c = pyo.Constraint(expr=m.x * m.y <= 1)


def _sine(m: Any) -> None:
    m.c = pyo.Objective(expr=pyo.sin(m.x))


def _maximised(m: Any) -> None:
    m.c = pyo.Objective(expr=m.x, sense=pyo.maximize)


def _foreign(m: Any) -> None:
    stranger = pyo.Var()
    stranger.construct()
    m.c = pyo.Constraint(expr=m.x + stranger <= 1)


def _sos(m: Any) -> None:
    m.z = pyo.Var([0, 1])
    m.c = pyo.SOSConstraint(var=m.z, sos=1)


def _nan(m: Any) -> None:
    m.c = pyo.Constraint(expr=float("nan") * m.x + m.y <= 1)


def _nan_bound(m: Any) -> None:
    m.rate = pyo.Param(mutable=True, initialize=float("nan"))
    m.c = pyo.Constraint(expr=m.x + m.y <= m.rate)


def _nan_cost(m: Any) -> None:
    m.c = pyo.Objective(expr=float("nan") * m.x)


def _unset(m: Any) -> None:
    m.c = pyo.Var()
    m.c.fix()


def _steps(m: Any) -> None:
    m.c = pyo.Var(domain=pyo.RangeSet(0, 10, 5))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_product, "c is not linear"),
        (_sine, "c is not linear"),
        (_maximised, "c is to be maximised"),
        (_foreign, "c uses a variable that is not on the model"),
        (_sos, "SOSConstraint"),
        (_nan, "constraint c has a coefficient or bound"),
        (_nan_bound, "constraint c has a coefficient or bound"),
        (_nan_cost, "objective c has a coefficient"),
        (_unset, "variable c is fixed and has no value"),
        (_steps, "variable c is neither real nor whole"),
    ],
)
def test_what_is_no_linear_model_is_refused_by_name(spoil: Any, message: str) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.y = pyo.Var()
    spoil(m)
    with pytest.raises(ValueError, match=message):
        standard_form(m)


def test_a_product_with_a_fixed_variable_is_linear() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.y = pyo.Var(initialize=3)
    m.y.fix()
    m.c = pyo.Constraint(expr=m.x * m.y <= 6)
    assert row_of(standard_form(m), m.c) == (-INF, {"x": 3.0}, 6.0)


def test_extended_adds_columns_and_rows_behind_and_entries_anywhere() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1], domain=pyo.Integers)
    m.a = pyo.Constraint(expr=m.x[0] <= 1)
    m.b = pyo.Constraint(expr=m.x[1] <= 2)
    p = standard_form(m).program.extended(
        cost=[5],
        lower=[0],
        upper=[9],
        row_lower=[-1],
        row_upper=[3],
        row=[0, 2, 2],
        column=[2, 2, 1],
        value=[-1, 4, 6],
    )
    dense = np.zeros((p.rows, p.columns))
    for i in range(p.rows):
        dense[i, p.index[p.start[i] : p.start[i + 1]]] = p.value[p.start[i] : p.start[i + 1]]
    assert dense.tolist() == [[1, 0, -1], [0, 1, 0], [0, 6, 4]]
    assert (p.cost.tolist(), p.lower.tolist()[2], p.upper.tolist()[2], p.integer.tolist()) == (
        [0, 0, 5],
        0,
        9,
        [True, True, False],
    )
    assert (p.row_lower.tolist(), p.row_upper.tolist()) == ([-INF, -INF, -1], [1, 2, 3])
