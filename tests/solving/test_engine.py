"""The search against HiGHS alone: random trees and chains, what it is taught, and how it ends
before its time.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimiser.solving import engine, highs
from optimiser.solving.branching import Gains, SearchTree
from optimiser.solving.dive import FeasiblePoint
from optimiser.solving.engine import Engine, Known, better, led, optimise, pays
from optimiser.solving.highs import ProgramSolution, Snapshot
from optimiser.solving.linear import Basis, LinearProgram, OutOfTime, SearchClock, Vertex
from optimiser.solving.paths import Paths
from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.solving.standard_form import standard_form
from optimiser.solving.structure import Label, ScenarioTree, Structure, structure
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from stockpile_model.changes import parse
from tests.support.programs import planning

INPUTS = Path(__file__).resolve().parents[2] / "inputs"
EXACT = Options(gap=0.0, threads=1)
ANY = Options(gap=0.0, threads=1, target=np.inf)
SLOW = {86, 95, 98}
"""Seeds of programs that take as long as all others of their test together."""


def drawn(seed: int) -> tuple[Program, Structure]:
    r = np.random.default_rng(seed + 10**6)
    return planning(
        seed,
        leaves=int(r.integers(1, 8)),
        periods=int(r.integers(1, 8)),
        across=bool(r.integers(2)),
        light=bool(r.integers(2)),
    )


def kept(program: Program, x: Any) -> None:
    """A plan keeps every row and bound, and is whole to the last digit."""
    assert program.holds(x, 1e-6)
    assert (x[program.integer] == np.round(x[program.integer])).all()


@pytest.mark.parametrize("seed", range(40))
def test_random_trees_and_chains_have_the_optimum_of_highs(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    program, shape = drawn(seed)
    expected, found = (
        highs.optimise(program, EXACT, Interrupt()),
        optimise(program, shape, EXACT, Interrupt()),
    )
    assert found.status == expected.status
    if expected.objective is None or expected.x is None:
        return
    assert found.objective == pytest.approx(expected.objective, rel=1e-7)
    assert found.bound == pytest.approx(expected.objective, rel=1e-7)
    kept(program, found.x)
    assert found.row_dual is not None
    assert found.column_dual is not None


@pytest.mark.parametrize("seed", range(40, 80))
def test_its_bounds_and_plans_hold_wherever_it_stops(seed: int) -> None:
    program, shape = drawn(seed)
    expected = highs.optimise(program, EXACT, Interrupt())
    search = Engine(program, shape, 0.02, SearchClock())
    search.run()
    if expected.objective is None:
        assert search.best is None
        return
    size = 1e-6 * abs(expected.objective)
    assert search.bound <= expected.objective + size
    if search.best is not None:
        kept(program, search.best.x)
        assert search.best.objective == pytest.approx(program.objective(search.best.x))
        assert search.best.objective >= expected.objective - size
        if search.proven:
            assert search.best.objective <= expected.objective * 1.02 + size


@pytest.mark.parametrize("seed", range(80, 110))
def test_a_led_search_proves_what_is_aimed_at(seed: int) -> None:
    """The least shortfall under a budget for each path, led by the cost."""
    r = np.random.default_rng(seed)
    program, shape = planning(
        seed, leaves=int(r.integers(1, 7)), periods=int(r.integers(2, 6)), scarce=True
    )
    short = np.arange(program.columns) >= program.columns - len(shape.tree.parent)
    aim = replace(program, cost=np.where(short, program.cost, 0.0), offset=0.0)
    least = highs.optimise(aim, EXACT, Interrupt())
    search = Engine(led(aim, program.cost), shape, 0.02, SearchClock(), aim=aim)
    search.run()
    if least.objective is None:
        assert search.best is None
        return
    assert search.bound <= least.objective + 1e-6
    assert search.best is not None
    kept(program, search.best.x)
    found = search.solution(Options(gap=0.02))
    assert found.objective is not None
    assert found.bound is not None
    assert found.objective == pytest.approx(aim.objective(found.x), abs=1e-9)
    assert found.objective >= least.objective - 1e-6
    assert found.bound <= least.objective + 1e-6
    if search.proven:
        assert found.objective <= least.objective + 0.02 * found.objective + 1e-6


def test_a_plan_without_prices_of_what_is_aimed_at_is_a_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the linear program does not end at the costs that are aimed at, it has no duals."""
    program, shape = planning(81, leaves=3, periods=4, scarce=True)
    short = np.arange(program.columns) >= program.columns - len(shape.tree.parent)
    aim = replace(program, cost=np.where(short, program.cost, 0.0), offset=0.0)
    search = Engine(led(aim, program.cost), shape, 0.02, SearchClock(), aim=aim)
    search.run()
    assert search.best is not None
    asked: list[float] = []

    def unsolved(self: LinearProgram, cost: Any, offset: float) -> Vertex:
        asked.append(offset)
        return Vertex(-np.inf)

    monkeypatch.setattr(LinearProgram, "priced", unsolved)
    found = search.solution(Options(gap=0.02))
    assert asked
    kept(program, found.x)


def test_a_basis_takes_one_more_row() -> None:
    program, _ = planning(7, leaves=3, periods=4)
    relaxation = LinearProgram(program, SearchClock())
    before = relaxation.solve()
    some = program.cost.nonzero()[0]
    row, value = np.full(len(some), program.rows), program.cost[some]
    longer = program.extended(
        row_lower=[-np.inf], row_upper=[np.inf], row=row, column=some, value=value
    )
    clock = SearchClock()
    again = LinearProgram(longer, clock).solve(
        Basis.of(before.basis).with_row(program.rows), primal=True
    )
    assert again.objective == pytest.approx(before.objective)
    assert clock.iterations == 0


def test_most_of_them_need_no_other_search() -> None:
    ended = []
    for seed in range(20):
        search = Engine(
            *planning(seed, leaves=2 + seed % 6, periods=2 + seed % 5), 0.02, SearchClock()
        )
        search.run()
        ended.append(search.proven)
    assert sum(ended) >= 8


@pytest.mark.parametrize("seed", range(80, 110))
def test_where_any_plan_will_do_one_is_found_wherever_there_is_one(seed: int) -> None:
    program, shape = drawn(seed)
    expected, found = (
        highs.optimise(program, EXACT, Interrupt()),
        optimise(program, shape, ANY, Interrupt()),
    )
    if expected.objective is None:
        assert found.status == expected.status
        return
    assert found.objective is not None
    assert found.bound is not None
    size = 1e-6 * abs(expected.objective)
    assert found.bound - size <= expected.objective <= found.objective + size
    kept(program, found.x)


def test_where_any_plan_will_do_that_of_a_dive_ends_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the search went on")

    monkeypatch.setattr(SearchTree, "grow", refuse)
    monkeypatch.setattr(highs, "optimise", refuse)
    found = optimise(*planning(7, leaves=5, periods=6), ANY, Interrupt())
    assert found.status == "feasible"


@pytest.mark.parametrize("seed", range(10))
def test_one_thread_and_two_end_the_same(seed: int) -> None:
    program, shape = planning(seed, leaves=1 + seed % 5, periods=6)
    one, two = (Engine(program, shape, 0.001, SearchClock(), threads=threads) for threads in (1, 2))
    one.run()
    two.run()
    assert one.best is not None
    assert two.best is not None
    assert (one.best.x == two.best.x).all()
    assert (one.bound, one.nodes, one.clock.iterations) == (
        two.bound,
        two.nodes,
        two.clock.iterations,
    )


def test_a_plan_that_is_known_comes_first_and_a_known_basis_saves_the_paths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, shape = planning(7, leaves=5, periods=6)
    first = Engine(program, shape, 0.02, SearchClock())
    first.run()
    assert first.best is not None
    assert first.root is not None

    def refuse(*_: Any) -> None:
        raise AssertionError("the paths were solved again")

    monkeypatch.setattr(Paths, "grow", refuse)
    root, core = first.warm_start()
    again = Engine(
        program,
        shape,
        0.02,
        SearchClock(),
        Known([first.best.whole], root, core, first.known.gains),
    )
    again.run()
    assert again.best is not None
    assert again.best.objective <= first.best.objective + 1e-6
    assert np.array_equal(again.attempts[0].whole, first.best.whole)


@pytest.mark.parametrize("seed", sorted({*range(80, 100)} - SLOW))
def test_what_a_near_program_taught_leaves_the_optimum_as_it_is(seed: int) -> None:
    """Begun with the plans, the basis and the core of a program with other costs and limits, it
    proves what HiGHS alone finds.
    """
    program, shape = drawn(seed)
    first = Engine(program, shape, 0.02, SearchClock())
    first.run()
    r = np.random.default_rng(seed)
    moved = replace(
        program,
        cost=program.cost * r.uniform(0.7, 1.4, program.columns),
        row_lower=program.row_lower * r.uniform(0.8, 1.2, program.rows),
        value=program.value * r.uniform(0.9, 1.1, len(program.value)),
    )
    moved = replace(moved, row_upper=np.maximum(moved.row_lower, program.row_upper))
    expected = highs.optimise(moved, EXACT, Interrupt())
    plans = [each.whole for each in first.attempts] + (
        [] if first.best is None else [first.best.whole]
    )
    again = Engine(moved, shape, 0.02, SearchClock(), Known(plans, *first.warm_start()))
    again.run()
    if expected.objective is None:
        assert again.best is None
        return
    size = 1e-6 * abs(expected.objective)
    assert again.bound <= expected.objective + size
    if again.best is not None:
        kept(moved, again.best.x)
        assert again.best.objective >= expected.objective - size


def test_integers_beyond_their_bounds_make_no_plan() -> None:
    program, shape = planning(3, leaves=3, periods=4)
    wrong = np.full(int(program.integer.sum()), 99.0)
    search = Engine(program, shape, 0.02, SearchClock(), Known([wrong]))
    search.run()
    assert search.attempts[0].objective == np.inf
    assert search.best is not None


def test_the_paths_are_planned_one_after_another() -> None:
    program, shape = planning(11, leaves=6, periods=6)
    paths = Paths(engine.Master.program_of(program, shape), shape, SearchClock())
    assert [*paths.grow()] == [1, 2, 3, 4, 5, 6]
    plan = paths.plan()
    assert plan is not None
    plan = plan[: program.columns]
    plan[program.integer] = np.round(plan[program.integer])
    assert program.holds(plan, 1e-6)


def test_a_path_that_asks_for_more_is_solved_before_the_others() -> None:
    """Bought at the root: 1 is enough for the probable leaf, the other needs 5."""
    tree = ScenarioTree((None, 0, 0), (1.0, 0.7, 0.3))
    labels: list[Label] = [("buy", ("one", 0)), ("late", ("one", 1)), ("late", ("one", 2))]
    program = Program(
        cost=np.array([1.0, 0.7, 0.3]),
        offset=0.0,
        lower=np.zeros(3),
        upper=np.array([9.0, 0.0, 0.0]),
        integer=np.array([True, False, False]),
        row_lower=np.array([1.0, 5.0]),
        row_upper=np.array([np.inf, np.inf]),
        start=np.array([0, 2, 4], dtype=np.int32),
        index=np.array([0, 1, 0, 2], dtype=np.int32),
        value=np.ones(4),
    )
    shape = structure(program, labels, np.zeros(3, dtype=np.int32), tree)
    paths = Paths(program, shape, SearchClock())
    assert [*paths.grow()] == [1, 1, 2]
    assert paths.order == [(0, 2), (0, 1)]
    plan = paths.plan()
    assert plan is not None
    assert plan.tolist() == [5, 0, 0]


def test_a_path_without_a_plan_is_planned_before_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of what is bought at the root the other leaf takes an even number, and one is not even.
    HiGHS, whose search takes longer, is not asked."""

    def refuse(*_: Any) -> None:
        raise AssertionError("HiGHS was asked")

    monkeypatch.setattr("optimiser.solving.paths.searched", refuse)
    tree = ScenarioTree((None, 0, 0), (1.0, 0.7, 0.3))
    labels: list[Label] = [("buy", ("one", 0)), ("late", ("one", 1)), ("late", ("one", 2))]
    program = Program(
        cost=np.array([1.0, 0.7, 0.0]),
        offset=0.0,
        lower=np.zeros(3),
        upper=np.array([9.0, 0.0, 9.0]),
        integer=np.ones(3, dtype=np.bool_),
        row_lower=np.array([1.0, 1.0, 0.0]),
        row_upper=np.array([np.inf, np.inf, 0.0]),
        start=np.array([0, 1, 3, 5], dtype=np.int32),
        index=np.array([0, 0, 1, 0, 2], dtype=np.int32),
        value=np.array([1.0, 1.0, 1.0, -1.0, 2.0]),
    )
    shape = structure(program, labels, np.zeros(3, dtype=np.int32), tree)
    paths = Paths(program, shape, SearchClock())
    assert [*paths.grow()] == [1, 2]
    plan = paths.plan()
    assert plan is not None
    assert plan.tolist() == [2, 0, 1]


def test_a_path_whose_numbers_cannot_be_rounded_is_planned_by_highs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where that is no better with two of them before the others."""
    monkeypatch.setattr("optimiser.solving.paths.dive", lambda *of: None)
    program, shape = planning(11, leaves=6, periods=6)
    paths = Paths(engine.Master.program_of(program, shape), shape, SearchClock())
    assert [*paths.grow()] == [1, 2, 3, 4, 5, 6]
    plan = paths.plan()
    assert plan is not None
    plan = plan[: program.columns]
    kept(program, np.where(program.integer, np.round(plan), plan))


def test_what_is_small_or_has_no_integers_goes_to_highs_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program, shape = planning(2, leaves=4, periods=5)

    def refuse(*_: Any) -> None:
        raise AssertionError("the engine ran")

    monkeypatch.setattr(Engine, "run", refuse)
    assert not pays(program, shape)
    assert optimise(program, shape, EXACT, Interrupt()).status == "optimal"
    monkeypatch.setattr(engine, "LARGE", 0)
    assert pays(program, shape)
    chain, single = planning(2, leaves=1, periods=5)
    assert not pays(chain.relaxed(), single)


def test_a_tree_without_integers_is_solved_path_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    program, shape = planning(13, leaves=6, periods=6)
    plain = program.relaxed()
    expected = highs.optimise(plain, EXACT, Interrupt())

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("HiGHS was asked")

    monkeypatch.setattr(highs, "optimise", refuse)
    found = optimise(plain, shape, EXACT, Interrupt())
    assert (found.status, found.objective) == ("optimal", pytest.approx(expected.objective))
    assert found.row_dual is not None


def test_a_search_that_does_not_hear_that_it_is_to_end_keeps_the_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    program, shape = planning(5, leaves=5, periods=6)

    def stuck(search: Engine) -> None:
        x = known.x
        search._take(FeasiblePoint(x[program.integer], x, program.objective(x)))
        raise highs.Stuck

    known = highs.optimise(program, Options(gap=0.5, threads=1), Interrupt())
    assert known.x is not None
    monkeypatch.setattr(Engine, "run", stuck)
    found = optimise(program, shape, EXACT, Interrupt())
    assert found.status == "feasible"
    kept(program, found.x)


def test_a_plan_stands_where_highs_sees_none() -> None:
    program, _ = planning(5, leaves=5, periods=6)
    known = highs.optimise(program, EXACT, Interrupt())
    assert better(program, ProgramSolution("infeasible"), known, EXACT) is known
    assert (
        better(program, ProgramSolution("infeasible"), ProgramSolution("no_plan"), EXACT).status
        == "infeasible"
    )


def test_a_bound_above_a_known_plan_proves_nothing() -> None:
    """HiGHS did not know a plan that is cheaper than its optimum: it proved what is false."""
    program, _ = planning(5, leaves=5, periods=6)
    known = highs.optimise(program, EXACT, Interrupt())
    assert known.x is not None
    assert known.objective is not None
    begun = replace(known, status="feasible", bound=known.objective - 3)
    wrong = replace(known, objective=known.objective + 1, bound=known.objective + 1)
    found = better(program, wrong, begun, EXACT)
    assert (found.objective, found.bound) == (known.objective, begun.bound)
    assert found.status == "feasible"
    found = better(program, wrong, replace(begun, bound=None), EXACT)
    assert (found.objective, found.bound) == (known.objective, None)


def test_orders_in_small_steps_beside_large_quantities_have_a_plan() -> None:
    """At HiGHS's own tolerance its presolve called this infeasible within half a second."""
    program = standard_form(
        build(read(INPUTS / "portfolio.xlsx", [parse("settings.order_step set 1")]).stockpile).m
    ).program
    found = highs.optimise(program, Options(gap=0.5, time_limit=2, threads=1), Interrupt())
    assert found.status != "infeasible"


def plans_given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list that gets the plan with which each search of HiGHS begins; None without one."""
    begun: list[Any] = []
    ordinary = highs.optimise

    def watched(
        program: Program,
        options: Options,
        interrupt: Interrupt,
        watch: Any = None,
        known: Any = None,
    ) -> Any:
        begun.append(known)
        return ordinary(program, options, interrupt, watch, known)

    monkeypatch.setattr(highs, "optimise", watched)
    return begun


def test_a_chain_goes_to_highs_with_a_better_plan_once_only_orders_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    begun = plans_given(monkeypatch)
    gaps = []
    for seed in range(8):
        program, shape = planning(seed, leaves=1, periods=20)
        found = optimise(program, shape, EXACT, Interrupt())
        if begun and begun[-1] is not None and found.objective is not None:
            kept(program, begun[-1])
            gaps.append(program.objective(begun[-1]) / found.objective - 1)
        begun.clear()
    assert len(gaps) >= 6
    assert min(gaps) >= -1e-9
    assert float(np.median(gaps)) < 0.03


def test_what_it_gives_up_highs_ends_with_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    monkeypatch.setattr(engine, "WORK", 0)
    begun = plans_given(monkeypatch)
    program, shape = planning(5, leaves=5, periods=6)
    found = optimise(program, shape, EXACT, Interrupt())
    assert found.status == "optimal"
    assert begun
    assert begun[-1] is not None
    assert program.holds(begun[-1], 1e-6)


def test_time_that_is_over_or_an_interrupt_keep_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    program, shape = planning(5, leaves=5, periods=6)
    search = Engine(program, shape, 0.0, SearchClock(deadline=time.perf_counter() - 1))
    with pytest.raises(OutOfTime):
        search.run()
    assert search.solution(EXACT).status == "no_plan"
    interrupt = Interrupt(keeps=True)

    def pressed(seen: Snapshot) -> None:
        if seen.incumbent is not None:
            interrupt.requested = True

    # The clock looks before each linear program: the first that begins after the first plan ends
    # the search.
    ticking = SearchClock.left.fget  # type: ignore[attr-defined]

    def left(clock: SearchClock) -> float:
        if search.best is not None:
            interrupt.requested = True
        return float(ticking(clock))

    search = Engine(program, shape, 0.0, SearchClock(interrupt=interrupt))
    monkeypatch.setattr(SearchClock, "left", property(left))
    with pytest.raises(OutOfTime):
        search.run()
    monkeypatch.undo()
    assert search.best is not None
    kept(program, search.best.x)
    assert search.solution(EXACT).status == "feasible"


def test_progress_names_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    monkeypatch.setattr(highs, "REPORTING", 0.0)
    monkeypatch.setattr(highs, "POLLING", 0.0001)
    seen: list[Snapshot] = []
    program, shape = planning(7, leaves=7, periods=9)
    optimise(program, shape, Options(gap=0.001, threads=1), Interrupt(), seen.append)
    phases = " ".join(dict.fromkeys(each.phase for each in seen))
    assert "relaxation, path" in phases
    assert "of 7" in phases
    assert "branching" in phases
    known = [each for each in seen if each.incumbent is not None]
    assert [each.incumbent for each in known] == sorted(
        (each.incumbent or 0.0 for each in known), reverse=True
    ), "plans only get better"


def test_a_program_without_a_plan_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGE", 0)
    program, shape = planning(5, leaves=3, periods=4)
    short = np.arange(program.columns - len(shape.tree.parent), program.columns)
    row, value = np.full(len(short), program.rows), np.ones(len(short))
    hopeless = program.extended(
        row_lower=[-np.inf], row_upper=[-1.0], row=row, column=short, value=value
    )
    assert optimise(hopeless, shape, EXACT, Interrupt()).status == "infeasible"


def test_what_branches_brought_says_which_is_next() -> None:
    gains = Gains()
    gains.take([(3, 1.0), (3, 2.0), (-1, 4.0)])
    assert gains.mean(3) == pytest.approx(1.5)
    assert gains.mean(-1) == pytest.approx(4.0)
    assert gains.mean(0) is None
