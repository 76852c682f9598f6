"""Numbers that record what is done with them, against the same computation done afresh."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.solving.standard_form import standard_form
from optimiser.studies.engine.traced import Expressions, Tape, Traced, Untraceable
from stockpile_model.extremes import larger, smaller

NUMBERS = st.floats(-8, 8).map(lambda x: round(x, 1))


def again(compute: Callable[..., Any], seen: list[float], point: list[float]) -> float | None:
    """What the operations of one computation make of other inputs; None where they do not hold."""
    tape = Tape()
    found = compute(*[tape.input(each) for each in seen])
    assert isinstance(found, Traced)
    done = Expressions(tape, [found.node]).at(np.array(point))
    return None if done is None else float(done[0])


def arithmetic(x: Any, y: Any) -> Any:
    total = (
        1.5 * x
        - y / 4
        + (2 - x) * -y
        + abs(x - y)
        + 3 / (abs(y) + 1)
        + (abs(x) + 1) ** -0.5
        + 2.0 ** (x / 8)
    )
    total += larger(x, 0.0, y - 1) - smaller(math.inf, y, 2.0)
    return total * +x + sum([x, y, 1])


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_arithmetic_is_done_again_to_the_last_bit(a: float, b: float, x: float, y: float) -> None:
    assert again(arithmetic, [a, b], [x, y]) == arithmetic(x, y)


def branching(x: Any, y: Any) -> Any:
    """Takes sides in every way that Python has."""
    found = x * 2 if x > y else y * 3
    found = found + 1 if x else found * x
    found = found - y if x * 2 == y or x != x else found + y
    found += min(x, y, 0) * max([y, x]) + sorted([y, x, 1])[1] * 5
    found += 7 * x if x in (0, 1, y) else 2 * y
    return found if 0 <= x + y < 3 else -found


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_what_took_another_side_is_not_computed(a: float, b: float, x: float, y: float) -> None:
    """Where the same sides are taken it is the same number; where it is None, one was not."""
    found = again(branching, [a, b], [x, y])
    assert found is None or found == branching(x, y)
    assert again(branching, [a, b], [a, b]) == branching(a, b)


def test_a_computation_that_would_fail_is_not_repeated() -> None:
    assert again(lambda x: 1 / x * 0 + x, [2.0], [0.0]) is None
    assert again(lambda x: x**0.5, [4.0], [-4.0]) is None
    assert again(lambda x: 2.0**x, [4.0], [5000.0]) is None


def test_a_comparison_with_no_bound_needs_no_guard() -> None:
    assert again(lambda x: x if x < math.inf and x != math.inf else -x, [2.0], [5.0]) == 5.0


LOST: list[Callable[[Any], object]] = [
    *(
        float,
        int,
        str,
        repr,
        hash,
        round,
        math.floor,
        math.ceil,
        math.trunc,
        math.isfinite,
        math.exp,
        range,
        complex,
    ),
    *(
        "{:g}".format,
        lambda x: {x: 1},
        lambda x: {x},
        lambda x: x // 2,
        lambda x: x % 2,
        lambda x: 5 % x,
        lambda x: divmod(x, 2),
    ),
    *(
        lambda x: [1, 2, 3][x],
        lambda x: x.is_integer(),
        lambda x: np.array([x], dtype=np.float64),
        lambda x: x in {1.0},
    ),
]


@pytest.mark.parametrize("use", LOST)
def test_nothing_is_lost_in_silence(use: Callable[[Any], object]) -> None:
    tape = Tape()
    one, other = tape.input(2.0), tape.input(3.0)
    with pytest.raises(Untraceable) as told:
        use(other + 0.5)
    assert told.value.inputs == {1}
    with pytest.raises(Untraceable):  # also where somebody on the way caught the error
        Expressions(tape, [one.node])


def test_pyomo_keeps_it_as_a_coefficient_and_as_a_bound() -> None:
    def model(x: Any, y: Any) -> pyo.ConcreteModel:
        m = pyo.ConcreteModel()
        m.a = pyo.Var(bounds=(0, x))
        m.b = pyo.Var(domain=pyo.NonNegativeReals, bounds=(y - 1, None))
        m.c = pyo.Constraint(expr=x * m.a + 2 * m.b * y + (m.a + m.b) * x - y * m.a >= x * y + 1)
        m.d = pyo.Constraint(expr=pyo.quicksum([x, m.a * y, 3.0]) == y + m.b)
        m.o = pyo.Objective(expr=x * (m.a - 2 * m.b + y))
        return m

    tape = Tape()
    program = standard_form(model(tape.input(2.0), tape.input(3.0)), numbers=object).program
    for point in ([2.0, 3.0], [5.0, 7.0]):
        fresh = standard_form(model(*point)).program
        for name in ("cost", "lower", "upper", "row_lower", "row_upper", "value"):
            traced = getattr(program, name).tolist()
            wanted = [each.node for each in traced if isinstance(each, Traced)]
            found = Expressions(tape, wanted).at(np.array(point))
            assert found is not None
            numbers = iter(found.tolist())
            assert [
                next(numbers) if isinstance(each, Traced) else each for each in traced
            ] == getattr(fresh, name).tolist()
