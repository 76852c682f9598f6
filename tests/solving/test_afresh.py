"""Decisions made afresh, one path after the other: no plan gets worse, and what a path left on the
table is found.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.solving import highs
from optimiser.solving.afresh import decide_afresh
from optimiser.solving.branching import Master
from optimiser.solving.dive import FeasiblePoint
from optimiser.solving.engine import led
from optimiser.solving.linear import LinearProgram, OutOfTime, SearchClock
from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.solving.structure import Structure
from optimiser.system.interrupts import Interrupt
from tests.support.programs import planning


def missing(seed: int) -> tuple[Program, Program, Structure]:
    """What is short, led by the cost; what is short alone; and the structure."""
    program, shape = planning(seed, leaves=4, periods=5, scarce=True)
    short = np.arange(program.columns) >= program.columns - program.columns // 7
    aim = replace(program, cost=np.where(short, program.cost / 40.0, 0.0), offset=0.0)
    return led(aim, program.cost), aim, shape


def idle(program: Program) -> FeasiblePoint:
    """The plan that does nothing."""
    held = highs.optimise(
        program.fixed(np.zeros(int(program.integer.sum()))), Options(threads=1), Interrupt()
    )
    assert held.x is not None
    return FeasiblePoint(held.x[program.integer], held.x, program.objective(held.x))


def test_a_plan_that_does_nothing_is_bettered_on_every_path() -> None:
    bettered = 0
    for seed in range(8):
        program, aim, shape = missing(seed)
        master = Master(
            program, shape, LinearProgram(Master.program_of(program, shape), SearchClock())
        )
        plan = idle(program)
        least = highs.optimise(aim, Options(gap=0.0, threads=1), Interrupt())
        found = decide_afresh(master, plan, aim, 0.001, SearchClock())
        assert found.objective <= plan.objective
        assert program.holds(found.x, 1e-6)
        assert found.objective == pytest.approx(program.objective(found.x))
        assert least.objective is not None
        assert aim.objective(found.x) >= least.objective - 1e-6
        bettered += aim.objective(found.x) < 0.7 * aim.objective(plan.x)
    assert bettered >= 6


def test_a_path_that_misses_nothing_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    program, aim, shape = missing(1)
    plan = idle(program)
    master = Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))

    def refuse(*_: object) -> None:
        raise AssertionError("HiGHS was asked")

    monkeypatch.setattr(highs, "optimise", refuse)
    nothing = replace(aim, cost=np.zeros(program.columns))
    assert decide_afresh(master, plan, nothing, 0.001, SearchClock()) is plan


def test_it_ends_at_its_time() -> None:
    program, aim, shape = missing(2)
    master = Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))
    with pytest.raises(OutOfTime):
        decide_afresh(master, idle(program), aim, 0.001, SearchClock(deadline=0.0))
