"""Steps from a plan: they pay, keep every row, end, and stop where the plan is good enough."""

from __future__ import annotations

import numpy as np
import pytest

from optimiser.solving import highs
from optimiser.solving.branching import Master, Subproblem
from optimiser.solving.dive import FeasiblePoint, attempt, dive
from optimiser.solving.linear import LinearProgram, SearchClock
from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.solving.stepping import improve
from optimiser.solving.structure import Label, structure
from optimiser.system.interrupts import Interrupt


def orders(seed: int, periods: int = 8) -> Program:
    """Demand in each period; an order has a cost and one of two prices, the lower one from 20 on;
    what is left is stored.

    Columns of a period: placed, its two prices (one of them where it is placed), the quantity at
    each, what is stored.
    """
    r = np.random.default_rng(seed)
    demand = r.integers(3, 15, periods)
    rows: list[tuple[float, float, dict[int, float]]] = []
    for t in range(periods):
        placed, dear, cheap, at_dear, at_cheap, stored = range(6 * t, 6 * t + 6)
        rows += [
            (0, 0, {dear: 1, cheap: 1, placed: -1}),
            (-np.inf, 0, {at_dear: 1, dear: -40}),
            (-np.inf, 0, {at_cheap: 1, cheap: -40}),
            (0, np.inf, {at_cheap: 1, cheap: -20}),
            (
                demand[t],
                demand[t],
                {at_dear: 1, at_cheap: 1, stored: -1} | ({stored - 6: 1} if t else {}),
            ),
        ]
    upper = np.tile([1, 1, 1, np.inf, np.inf, np.inf], periods)
    return Program(
        cost=np.tile([r.integers(10, 40), 0, 0, 6, 5, 1], periods).astype(float)
        * r.uniform(0.9, 1.1, 6 * periods),
        offset=7.0,
        lower=np.zeros(6 * periods),
        upper=upper,
        integer=upper == 1,
        row_lower=np.array([low for low, _, _ in rows], dtype=float),
        row_upper=np.array([high for _, high, _ in rows], dtype=float),
        start=np.cumsum([0, *(len(entries) for _, _, entries in rows)]).astype(np.int32),
        index=np.concatenate([list(entries) for _, _, entries in rows]).astype(np.int32),
        value=np.concatenate([list(entries.values()) for _, _, entries in rows]).astype(float),
    )


def planned(program: Program) -> tuple[Master, FeasiblePoint]:
    labels: list[Label] = [("x", (j, 0)) for j in range(program.columns)]
    shape = structure(program, labels, np.zeros(program.columns, dtype=np.int32))
    master = Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))
    plan = dive(master, Subproblem(), master.solve(Subproblem()))
    assert plan is not None
    return master, plan


@pytest.mark.parametrize("seed", range(8))
def test_orders_are_planned_and_then_better(seed: int) -> None:
    program = orders(seed)
    best = highs.optimise(program, Options(gap=0.0, threads=1), Interrupt()).objective
    assert best is not None
    master, plan = planned(program)
    better = improve(master, plan, 1e-4, -np.inf)
    for each in (plan, better):
        assert program.holds(each.x, 1e-6)
        assert each.objective == pytest.approx(program.objective(each.x))
    assert best - 1e-6 <= better.objective <= plan.objective
    assert better.objective <= 1.06 * best
    again = planned(program)
    assert improve(*again, 1e-4, -np.inf).x.tolist() == better.x.tolist(), "the same plan each time"


def test_steps_pay() -> None:
    """Without them this would not be worth its code."""
    gained = []
    for seed in range(8):
        master, plan = planned(orders(seed))
        gained.append(1 - improve(master, plan, 1e-4, -np.inf).objective / plan.objective)
    assert np.mean(gained) > 0.005


def test_a_level_steps_into_the_place_of_another() -> None:
    """Exactly one of three levels is chosen, the first at the start; only a pair of steps leads to
    the second, which is the best.
    """
    program = Program(
        cost=np.array([3.0, 1.0, 2.0]),
        offset=0.0,
        lower=np.zeros(3),
        upper=np.ones(3),
        integer=np.ones(3, dtype=np.bool_),
        row_lower=np.ones(1),
        row_upper=np.ones(1),
        start=np.array([0, 3], dtype=np.int32),
        index=np.arange(3, dtype=np.int32),
        value=np.ones(3),
    )
    master, _ = planned(program)
    first = attempt(master, np.array([1.0, 0.0, 0.0]))
    assert first is not None
    assert improve(master, first, 1e-4, -np.inf).whole.tolist() == [0.0, 1.0, 0.0]


def test_what_is_good_enough_is_left() -> None:
    master, plan = planned(orders(3))
    before = master.relaxation.clock.iterations
    assert improve(master, plan, 1e-4, plan.objective + 1.0) is plan
    assert master.relaxation.clock.iterations - before <= 5
