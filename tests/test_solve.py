"""Statuses, bounds, duals, objectives in turn, progress and Ctrl-C, on models small enough to know
the answer.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.solving import engine
from optimiser.solving.dive import FeasiblePoint
from optimiser.solving.program import Program
from optimiser.solving.solve import (
    LexicographicSearch,
    Options,
    Outcome,
    Progress,
    SolverError,
    UnboundedError,
    scenario_tree,
    solve,
)
from optimiser.solving.standard_form import Objective, Sizes, StandardForm
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from stockpile_model.changes import parse
from tests.support.hard import knapsacks
from tests.support.linear_models import random_model
from tests.support.programs import planning

ROOT = Path(__file__).parents[1]
EXACT = Options(gap=0.0, threads=1)


def orders(demand: list[float], capacity: float, fixed: float = 50.0) -> Any:
    """Lot sizing: each order costs `fixed`, and a unit in stock 1 a period."""
    m = pyo.ConcreteModel()
    m.N = pyo.RangeSet(0, len(demand) - 1)
    m.buy = pyo.Var(m.N, domain=pyo.NonNegativeReals)
    m.order = pyo.Var(m.N, domain=pyo.Binary)
    m.stock = pyo.Var(m.N, domain=pyo.NonNegativeReals)
    m.balance = pyo.Constraint(
        m.N, rule=lambda m, n: m.stock[n] == (m.stock[n - 1] if n else 0) + m.buy[n] - demand[n]
    )
    m.cap = pyo.Constraint(m.N, rule=lambda m, n: m.buy[n] <= capacity * m.order[n])
    m.cost = pyo.Objective(
        expr=pyo.quicksum(fixed * m.order[n] + m.buy[n] + m.stock[n] for n in m.N)
    )
    return m


@pytest.mark.parametrize("domain", [pyo.Binary, pyo.UnitInterval])
def test_a_solve_prints_nothing(domain: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """HiGHS writes to the file descriptor, past Python's own streams."""
    m = orders([10.0, 20.0], capacity=30.0)
    for each in m.order.values():
        each.domain = domain
    assert solve(m, EXACT).status == "optimal"
    assert capfd.readouterr() == ("", "")


def least_order_cost(demand: list[float], fixed: float = 50.0) -> float:
    """By Wagner and Whitin's recursion."""
    best = [0.0]
    for last in range(1, len(demand) + 1):
        # The last order is placed in period `first` and serves what is asked from there to `last`.
        best.append(
            min(
                best[first]
                + fixed * any(demand[first:last])
                + sum(d * (1 + wait) for wait, d in enumerate(demand[first:last]))
                for first in range(last)
            )
        )
    return best[-1]


# --- Optima ---------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_verdict_and_optimum_are_those_of_pyomos_own_interface(seed: int) -> None:
    m = random_model(random.Random(seed))
    mine = solve(m, EXACT)
    values = [each.value for each in m.component_data_objects(pyo.Var)]
    theirs = solve(random_model(random.Random(seed)), EXACT, solver="appsi_highs")
    assert mine.status == theirs.status
    if mine.objective is None:
        return
    assert mine.status == "optimal"
    assert mine.objective == pytest.approx(theirs.objective, abs=1e-5)
    assert mine.bound == pytest.approx(mine.objective, abs=1e-5)
    assert pyo.value(m.cost) == pytest.approx(mine.objective, abs=1e-9)
    assert None not in values, "a variable in no row has a value too"
    for constraint in m.component_data_objects(pyo.Constraint, active=True):
        assert constraint.slack() >= -1e-6
    for variable in m.component_data_objects(pyo.Var):
        if not variable.fixed:
            assert variable.lb <= variable.value <= variable.ub
            assert not variable.is_integer() or variable.value == round(variable.value), (
                "integers are whole, not nearly"
            )


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12), st.sampled_from([100.0, 1e5, 1e7, 1e8])
)
def test_a_large_capacity_does_not_hide_the_cost_of_an_order(
    demand: list[int], capacity: float
) -> None:
    """Under 10^7 an order of 7 needs its binary at 7·10^-7 only, which a solver takes for 0."""
    asked = [float(each) for each in demand]
    outcome = solve(orders(asked, capacity), EXACT)
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(least_order_cost(asked), abs=1e-5)


@pytest.mark.parametrize("capacity", [1e10, 1e11])
def test_where_integers_made_whole_leave_no_plan_the_search_goes_on(capacity: float) -> None:
    """Under 10^10 an order of 3 hides in the tightest tolerance: it is looked for on both sides of
    its binary.
    """
    outcome = solve(orders([3.0, 4.0], capacity), EXACT)
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(least_order_cost([3.0, 4.0]))


def test_the_gap_that_was_asked_for_is_proven() -> None:
    demand = [float(each) for each in (69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56) * 3]
    loose = solve(orders(demand, 1000.0), Options(gap=0.05, threads=1))
    assert loose.status == "optimal"
    assert loose.gap is not None
    assert loose.objective is not None
    assert loose.bound is not None
    assert loose.gap <= 0.05
    assert loose.bound <= least_order_cost(demand) + 1e-6 <= loose.objective + 2e-6


def test_an_optimum_of_zero_has_no_gap() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(0, 5))
    m.cost = pyo.Objective(expr=3 * m.x)
    outcome = solve(m, EXACT)
    assert (outcome.status, outcome.objective, outcome.gap) == ("optimal", 0.0, 0.0)


def test_a_model_without_variables_or_without_rows_has_an_answer() -> None:
    m = pyo.ConcreteModel()
    m.cost = pyo.Objective(expr=7)
    assert (solve(m).status, solve(m).objective) == ("optimal", 7.0)
    m.x = pyo.Var(bounds=(2, 3))
    assert (solve(m).objective, m.x.value is None) == (7.0, False)
    m.cost.set_value(m.x + 1)
    assert (solve(m).objective, m.x.value) == (3.0, 2.0)


@pytest.mark.parametrize("solver", [None, "appsi_highs"])
def test_a_model_without_objective_is_refused(solver: str | None) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    with pytest.raises(ValueError, match="no active objective"):
        solve(m, solver=solver)


# --- No plan --------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", [pyo.NonNegativeReals, pyo.NonNegativeIntegers])
def test_infeasible(domain: Any) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=domain)
    m.y = pyo.Var(domain=domain)
    m.c = pyo.Constraint(expr=m.x + m.y <= 3)
    m.d = pyo.Constraint(expr=m.x + 2 * m.y >= 8)
    m.cost = pyo.Objective(expr=m.x)
    outcome = solve(m)
    assert (outcome.status, outcome.objective, outcome.bound, outcome.gap) == (
        "infeasible",
        None,
        None,
        None,
    )
    assert m.x.value is None


def test_infeasible_through_a_false_constraint_or_crossed_bounds_or_integers_alone() -> None:
    def model() -> Any:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(0, 4), domain=pyo.Integers)
        m.cost = pyo.Objective(expr=m.x)
        return m

    false, crossed, whole = model(), model(), model()
    false.c = pyo.Constraint(expr=false.x - false.x >= 1)
    crossed.x.setlb(5)
    whole.c = pyo.Constraint(expr=pyo.inequality(1, 4 * whole.x, 3))
    assert [solve(each).status for each in (false, crossed, whole)] == ["infeasible"] * 3


@pytest.mark.parametrize("domain", [pyo.NonNegativeReals, pyo.NonNegativeIntegers])
def test_unbounded_is_an_error_that_names_what_moves(domain: Any) -> None:
    m = pyo.ConcreteModel()
    m.buy = pyo.Var(domain=domain)
    m.sell = pyo.Var(domain=domain)
    m.other = pyo.Var(domain=domain, bounds=(0, 1))
    m.c = pyo.Constraint(expr=m.sell <= m.buy + m.other)
    m.cost = pyo.Objective(expr=2 * m.buy - 3 * m.sell - m.other)
    with pytest.raises(UnboundedError, match="buy, sell") as caught:
        solve(m)
    assert caught.value.variables == (m.buy, m.sell)


def test_unbounded_below_and_infeasible_at_once_is_infeasible() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.NonNegativeIntegers)
    m.y = pyo.Var(bounds=(0, 1))
    m.c = pyo.Constraint(expr=m.y >= 2)
    m.cost = pyo.Objective(expr=-m.x)
    assert solve(m).status == "infeasible"


def test_no_plan_within_the_time_limit() -> None:
    """Market split: feasible or not, nobody knows within a second."""
    r = random.Random(1)
    weight = [[r.randint(1, 99) for _ in range(50)] for _ in range(6)]
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(50), domain=pyo.Binary)
    m.c = pyo.Constraint(
        range(6),
        rule=lambda m, k: (
            pyo.quicksum(weight[k][i] * m.x[i] for i in range(50)) == sum(weight[k]) // 2
        ),
    )
    m.cost = pyo.Objective(expr=m.x[0])
    outcome = solve(m, Options(time_limit=1, threads=1))
    assert (outcome.status, outcome.objective, outcome.interrupted) == ("no_plan", None, False)
    assert outcome.seconds < 20


def test_a_plan_that_is_not_proven_in_time_is_feasible_with_an_honest_bound() -> None:
    m = knapsacks()
    outcome = solve(m, Options(gap=0.0, time_limit=1, threads=1))
    assert outcome.status == "feasible"
    assert outcome.objective is not None
    assert outcome.bound is not None
    assert outcome.gap is not None
    assert outcome.bound < outcome.objective == pytest.approx(pyo.value(m.cost))
    assert outcome.gap == pytest.approx((outcome.objective - outcome.bound) / -outcome.objective)
    assert all(each.slack() >= 0 for each in m.cap.values())


# --- Duals ----------------------------------------------------------------------------------------


def test_duals_are_the_change_of_the_optimum_for_one_more_unit_of_a_limit() -> None:
    def model(need: float = 11.0, most: float = 4.0, cap: float = 7.0) -> Any:
        m = pyo.ConcreteModel()
        m.cheap = pyo.Var(bounds=(0, most))
        m.middle = pyo.Var(bounds=(0, None))
        m.dear = pyo.Var(bounds=(0, None))
        m.whole = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
        m.need = pyo.Constraint(expr=m.cheap + m.middle + m.dear + m.whole >= need)
        m.cap = pyo.Constraint(expr=m.cheap + m.middle <= cap)
        m.idle = pyo.Constraint(expr=m.cheap <= 100)
        m.cost = pyo.Objective(expr=m.cheap + 2 * m.middle + 5 * m.dear + 4.5 * m.whole)
        return m

    def cost(**changed: float) -> float:
        objective = solve(model(**changed), EXACT).objective
        assert objective is not None
        return objective

    m = model()
    outcome = solve(m, EXACT)
    worth = {
        "need": outcome.dual(m.need),
        "cap": outcome.dual(m.cap),
        "most": outcome.reduced_cost(m.cheap),
    }
    assert worth == {"need": pytest.approx(5), "cap": pytest.approx(-3), "most": pytest.approx(-1)}
    assert outcome.dual(m.idle) == 0
    for limit, base in (("need", 11.0), ("cap", 7.0), ("most", 4.0)):
        assert cost(**{limit: base + 0.25}) - cost() == pytest.approx(0.25 * worth[limit])  # type: ignore[operator]


# --- Objectives in turn ---------------------------------------------------------------------------


def shortfall_first(budget: float) -> Any:
    """Cheap metal is scarce, dear metal is not; money is short: first miss as little as possible,
    then pay little.
    """
    m = pyo.ConcreteModel()
    m.lots = pyo.Var(["cheap", "dear"], domain=pyo.NonNegativeIntegers)
    m.missed = pyo.Var(domain=pyo.NonNegativeReals)
    m.need = pyo.Constraint(expr=2 * m.lots["cheap"] + 2 * m.lots["dear"] + m.missed >= 10)
    m.scarce = pyo.Constraint(expr=m.lots["cheap"] <= 2)
    spend = 3 * m.lots["cheap"] + 8 * m.lots["dear"]
    m.money = pyo.Constraint(expr=spend <= budget)
    m.shortfall = pyo.Objective(expr=m.missed)
    m.cost = pyo.Objective(expr=spend + 1)
    return m


@pytest.mark.parametrize("budget", range(0, 40, 3))
def test_the_first_objective_comes_first_and_the_cost_is_least_at_it(budget: float) -> None:
    plans = [(c, d) for c, d in itertools.product(range(3), range(6)) if 3 * c + 8 * d <= budget]
    missed, cost = min((max(0, 10 - 2 * c - 2 * d), 3 * c + 8 * d + 1) for c, d in plans)
    m = shortfall_first(budget)
    outcome = solve(m, EXACT)
    assert outcome.status == "optimal"
    assert [(each.name, each.status) for each in outcome.stages] == [
        ("shortfall", "optimal"),
        ("cost", "optimal"),
    ]
    assert outcome.stages[0].objective == pytest.approx(missed, abs=1e-5)
    assert outcome.objective == pytest.approx(cost, abs=1e-5)
    assert pyo.value(m.shortfall) == pytest.approx(missed, abs=1e-5)
    assert pyo.value(m.cost) == pytest.approx(cost, abs=1e-5)


def test_a_first_stage_that_is_not_proven_makes_the_whole_unproven_and_leaves_time_for_the_second() -> (
    None
):
    m = knapsacks()
    m.second = pyo.Objective(expr=pyo.quicksum(m.take.values()))
    outcome = solve(m, Options(gap=0.0, time_limit=4, threads=1))
    assert outcome.status == "feasible"
    assert [each.status for each in outcome.stages] in (
        ["feasible", "optimal"],
        ["feasible", "feasible"],
    )
    assert outcome.stages[0].seconds < 3.5
    assert outcome.stages[0].bound is not None
    assert outcome.stages[0].objective is not None
    assert outcome.stages[0].bound < outcome.stages[0].objective
    assert pyo.value(m.cost) <= outcome.stages[0].objective + 1e-4, (
        "the second stage keeps what the first found"
    )


def in_turn(program: Program) -> StandardForm:
    """The program of a tree with two objectives: what is short, then its cost."""
    r = np.ones(program.rows)
    columns = np.arange(program.columns)
    nodes = program.columns // 7
    missed = np.where(columns >= program.columns - nodes, program.cost / 40.0, 0.0)
    objectives = (
        Objective("shortfall", missed, 0.0),
        Objective("cost", program.cost, program.offset),
    )
    sizes = Sizes(np.ones(program.columns), r, {"shortfall": 1.0, "cost": 1.0})
    return StandardForm(
        program,
        objectives,
        (),
        (None,) * program.rows,
        sizes,
        objectives,
        np.zeros(program.columns, dtype=np.int32),
    )


@pytest.mark.parametrize("seed", range(30))
def test_objectives_in_turn_have_the_optimum_of_highs_on_random_trees(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = np.random.default_rng(seed + 10**6)
    program, shape = planning(
        seed, leaves=int(r.integers(1, 6)), periods=int(r.integers(1, 6)), scarce=True
    )
    form = in_turn(program)
    expected, _ = LexicographicSearch(form, EXACT, Interrupt(), None, shape).run()
    monkeypatch.setattr(engine, "LARGE", 0)
    for gap in (0.0, 0.03):
        options = Options(gap=gap, threads=1)
        stages, x = LexicographicSearch(form, options, Interrupt(), None, shape).run()
        assert [each.status for each in stages] == [each.status for each in expected]
        if x is None or expected[0].objective is None or stages[0].objective is None:
            continue
        assert program.holds(x, 1e-6)
        assert stages[0].bound is not None
        assert stages[0].bound <= expected[0].objective + 1e-6
        assert stages[0].objective <= expected[0].objective + gap * stages[0].objective + 1e-5
        if gap == 0:
            assert stages[1].objective == pytest.approx(expected[1].objective, rel=1e-5)


def test_the_first_plan_of_a_large_tree_is_good_by_both_objectives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C at the first plan keeps it: one path leaves the next what that needs."""
    stockpile = read(
        ROOT / "inputs" / "gallium.xlsx", [parse("settings.objective=shortfall_first")]
    ).stockpile
    formulation = build(stockpile)
    ordinary = engine.Engine._take

    def take(search: engine.Engine, found: FeasiblePoint | None) -> None:
        ordinary(search, found)
        search.clock.interrupt.requested = True

    monkeypatch.setattr(engine.Engine, "_take", take)
    outcome = solve(
        formulation.m,
        Options(gap=stockpile.settings.mip_gap, threads=1),
        tree=scenario_tree(formulation),
    )
    assert outcome.interrupted
    assert outcome.status == "feasible"
    assert [(each.name, each.status) for each in outcome.stages] == [
        ("shortfall", "feasible"),
        ("cost", "feasible"),
    ]
    shortfall, cost = (each.objective for each in outcome.stages)
    assert shortfall == pytest.approx(pyo.value(formulation.m.shortfall), rel=1e-6)
    assert cost == pytest.approx(pyo.value(formulation.m.cost), rel=1e-6)
    assert shortfall is not None
    assert cost is not None
    assert shortfall < 3000, "a plan by cost alone misses some 12,400"
    assert cost < 1.2 * 70.8e6, "the least cost of any plan is 70.8 m"


# --- Progress and Ctrl-C --------------------------------------------------------------------------


def test_progress_is_reported_in_the_callers_thread_at_most_once_a_second() -> None:
    seen: list[Progress] = []
    here = threading.get_ident()

    def report(progress: Progress) -> None:
        assert threading.get_ident() == here
        seen.append(progress)

    solve(knapsacks(), Options(gap=0.0, time_limit=3, threads=1), report)
    assert 2 <= len(seen) <= 5
    assert [each.seconds for each in seen] == sorted(each.seconds for each in seen)
    last = seen[-1]
    assert (last.stage, last.stages, last.objective) == (1, 1, "cost")
    assert last.incumbent is not None
    assert last.bound is not None
    assert last.gap is not None
    assert last.bound < last.incumbent
    assert last.nodes > 0


def test_an_error_in_the_report_ends_the_search_and_comes_out() -> None:
    class Broken(Exception):
        pass

    def report(_: Progress) -> None:
        raise Broken

    with pytest.raises(Broken):
        solve(knapsacks(), Options(gap=0.0, time_limit=60, threads=1), report)


INTERRUPTED = """
    import sys, time
    from optimiser.solving.solve import Options, solve
    from optimiser.solving import highs
    from tests.support.hard import knapsacks

    def report(progress):
        if progress.incumbent is not None:
            print("searching", flush=True)

    def late(h, stop=highs.stop):
        time.sleep(1)
        stop(h)

    if sys.argv[1] == "2":
        highs.stop = late  # HiGHS hears of the first press only after the second
    m = knapsacks()
    try:
        outcome = solve(m, Options(gap=0.0, time_limit=100, threads=1), report)
    except KeyboardInterrupt:
        print("aborted", flush=True)
        sys.exit(130)
    print(outcome.status, outcome.interrupted, outcome.bound < outcome.objective < 0, m.take[0].value in (0.0, 1.0), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a single process")
@pytest.mark.parametrize(
    ("presses", "end", "status"), [(1, "feasible True True True", 0), (2, "aborted", 130)]
)
def test_ctrl_c_keeps_the_best_plan_so_far_and_a_second_one_aborts(
    presses: int, end: str, status: int
) -> None:
    script = [sys.executable, "-c", textwrap.dedent(INTERRUPTED), str(presses)]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "models")])}
    with subprocess.Popen(
        script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | paths
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "searching\n"
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        rest, errors = process.communicate(timeout=60)
    assert (rest.splitlines()[-1], process.returncode) == (end, status), errors


# --- Options --------------------------------------------------------------------------------------


def test_threads_may_change_from_solve_to_solve_and_do_not_change_the_answer() -> None:
    demand = [float(each) for each in (69, 29, 36, 61, 61, 26)]
    found: list[Outcome] = [
        solve(orders(demand, 1000.0), Options(gap=0.0, threads=threads)) for threads in (1, 2, 1, 0)
    ]
    assert {each.status for each in found} == {"optimal"}
    assert [each.objective for each in found] == [pytest.approx(least_order_cost(demand))] * 4


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    solve(orders([3.0, 4.0, 5.0], 1e7), EXACT)
    assert capfd.readouterr() == ("", "")


def test_any_seed_and_any_number_of_threads_will_do() -> None:
    assert solve(orders([3.0], 10.0), Options(seed=2**40 + 1, threads=100_000)).status == "optimal"


def test_an_option_that_highs_does_not_take_is_not_passed_over() -> None:
    with pytest.raises(SolverError, match=r"does not take .* as mip_rel_gap"):
        solve(orders([3.0], 10.0), Options(gap=-1.0))


def test_what_highs_refuses_is_a_solver_error() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(domain=pyo.Binary), pyo.Var(domain=pyo.Binary)
    m.c = pyo.Constraint(expr=1e40 * m.x + m.y >= 1)  # in no unit of the row are both seen
    m.cost = pyo.Objective(expr=m.x)
    with pytest.raises(SolverError, match="HiGHS refuses"):
        solve(m)
