"""Whether a linear program has a point, by the interior point, as the simplex sees it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from optimiser.solving import highs
from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.system.interrupts import Interrupt


def drawn(seed: int) -> Program:
    """A program of random rows, some of which no point keeps."""
    r = random.Random(seed)
    rows, columns = 6, 8
    dense = np.array([[r.choice([0, 0, 1, -1, 3]) for _ in range(columns)] for _ in range(rows)])
    low = np.array([r.choice([-np.inf, r.uniform(-5, 25)]) for _ in range(rows)])
    return Program(
        cost=np.array([r.uniform(-1, 1) for _ in range(columns)]),
        offset=0.0,
        lower=np.zeros(columns),
        upper=np.full(columns, 4.0),
        integer=np.zeros(columns, dtype=np.bool_),
        row_lower=low,
        row_upper=np.where(np.isfinite(low), low + r.uniform(0, 2), 3.0),
        start=np.append(0, np.cumsum((dense != 0).sum(axis=1))).astype(np.int32),
        index=np.concatenate([np.flatnonzero(each) for each in dense]).astype(np.int32),
        value=dense[dense != 0].astype(np.float64),
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_program_has_a_point_where_the_simplex_finds_one(seed: int) -> None:
    program = drawn(seed)
    expected = highs.optimise(program, Options(), Interrupt()).x is not None
    assert highs.has_point(program, Options(), Interrupt()) == expected


def test_programs_that_are_drawn_are_of_both_kinds() -> None:
    found = {highs.has_point(drawn(seed), Options(), Interrupt()) for seed in range(20)}
    assert found == {False, True}
