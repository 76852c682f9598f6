"""Branches on sums and single columns, their bounds, and linear programs that begin where another
ended.
"""

from __future__ import annotations

import pickle
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimiser.solving import branching, highs
from optimiser.solving import dive as diving
from optimiser.solving.branching import Branch, Gains, Master, SearchTree, Subproblem
from optimiser.solving.dive import dive
from optimiser.solving.linear import Basis, LinearProgram, OutOfTime, SearchClock, Vertex
from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.solving.structure import Label, structure
from optimiser.solving.structure import ScenarioTree as Scenarios
from optimiser.system.interrupts import Interrupt
from tests.support.programs import planning


def master_of(
    program: Program, labels: list[Label], priority: list[int] | list[bool], tree: Scenarios
) -> Master:
    shape = structure(program, labels, np.array(priority, dtype=np.int32), tree)
    return Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))


def test_sums_run_along_the_paths_of_the_tree() -> None:
    """Two scenarios part after the first month: a signature in either of the later months sums with
    the first, not with the other.
    """
    nothing = np.zeros(4)
    program = Program(
        *(nothing, 0.0, nothing, np.ones(4), np.array([True, True, True, False])),
        *(
            np.zeros(0),
            np.zeros(0),
            np.zeros(1, dtype=np.int32),
            np.zeros(0, dtype=np.int32),
            np.zeros(0),
        ),
    )
    labels: list[Label] = [
        *(("sign", ("offtake", "low", node)) for node in range(3)),
        ("buy", ("spot", 0)),
    ]
    shape = structure(
        program,
        labels,
        np.array([1, 1, 1, 0], dtype=np.int32),
        Scenarios((None, 0, 0), (1.0, 0.5, 0.5)),
    )
    assert sorted(each.tolist() for each in shape.sums) == [[0, 1], [0, 2]]
    assert shape.first == 2
    assert shape.node.tolist() == [0, 1, 2, 0]
    assert shape.weighty.tolist() == [True, True, True, False]


def two_orders() -> Master:
    """Two orders of which each is half in the relaxation: one costs next to nothing whole, the
    other 100.
    """
    program = Program(
        cost=np.array([0.01, 100.0, 0.0, 0.0]),
        offset=0.0,
        lower=np.zeros(4),
        upper=np.array([1.0, 1.0, 10.0, 10.0]),
        integer=np.array([True, True, False, False]),
        row_lower=np.array([5.0, 4.5, 0.0, 0.0]),
        row_upper=np.full(4, np.inf),
        start=np.array([0, 1, 2, 4, 6], dtype=np.int32),
        index=np.array([2, 3, 0, 2, 1, 3], dtype=np.int32),
        value=np.array([1.0, 1.0, 10.0, -1.0, 10.0, -1.0]),
    )
    labels: list[Label] = [("x", (name, 0)) for name in "abcd"]
    return master_of(program, labels, [False] * 4, Scenarios((None,), (1.0,)))


def test_of_columns_of_which_nothing_is_known_that_is_taken_which_brings_most() -> None:
    master = two_orders()
    root, gains = master.relaxation.solve(), Gains()
    assert root.bound == pytest.approx(45.005)
    tree = SearchTree(master, root, gains, 0.0)
    tree.grow(100.0, 4)
    assert tree.bound == pytest.approx(100.005)
    again = SearchTree(master, master.solve(Subproblem(), root.basis), gains, 0.0)
    again.grow(100.0, 2)
    assert again.bound == pytest.approx(100.005), "what brought most before is taken at once"


def test_single_decisions_are_branched_on_where_their_sums_are_whole() -> None:
    """One of two months, as much in the one as in the other but for a fifth: halves can do that,
    whole signatures cannot.
    """
    program = Program(
        cost=np.array([1.0, 2.0]),
        offset=0.0,
        lower=np.zeros(2),
        upper=np.ones(2),
        integer=np.ones(2, dtype=np.bool_),
        row_lower=np.array([1.0, -0.2]),
        row_upper=np.array([1.0, 0.2]),
        start=np.array([0, 2, 4], dtype=np.int32),
        index=np.array([0, 1, 0, 1], dtype=np.int32),
        value=np.array([1.0, 1.0, 1.0, -1.0]),
    )
    labels: list[Label] = [("sign", ("offtake", "low", 0)), ("sign", ("offtake", "low", 1))]
    master = master_of(program, labels, [True, True], Scenarios((None, 0), (1.0, 1.0)))
    assert [each.tolist() for each in master.structure.sums] == [[0, 1]]
    tree = SearchTree(master, master.relaxation.solve(), Gains(), 0.0)
    assert tree.bound == pytest.approx(1.4)
    assert not tree.grow(np.inf, 10)
    assert tree.bound == np.inf


def test_a_side_that_was_left_off_is_solved_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """However near the cutoff of a side is at first, the bound in the end is the same."""
    bounds = []
    for far in (0.01, 1e9):
        monkeypatch.setattr(branching, "FAR", far)
        program, shape = planning(15, leaves=3, periods=8)
        whole = LinearProgram(Master.program_of(program, shape), SearchClock())
        tree = SearchTree(Master(program, shape, whole), whole.solve(), Gains(), 0.0)
        while tree.grow(np.inf, 2) and tree.nodes < 200:
            assert tree.lowest is not None, "a dive may begin there"
        bounds.append(tree.bound)
    assert bounds[0] == pytest.approx(bounds[1])


def test_a_dive_does_not_round_up_what_costs_much() -> None:
    """Of 0.5 that is asked for a plant of 1,000 makes up to 10, which half a tenth of it makes at
    50; bought it costs 60.
    """
    program = Program(
        cost=np.array([1000.0, 0.0, 120.0]),
        offset=0.0,
        lower=np.zeros(3),
        upper=np.array([1.0, 10.0, 10.0]),
        integer=np.array([True, False, False]),
        row_lower=np.array([0.5, 0.0]),
        row_upper=np.full(2, np.inf),
        start=np.array([0, 2, 4], dtype=np.int32),
        index=np.array([1, 2, 0, 1], dtype=np.int32),
        value=np.array([1.0, 1.0, 10.0, -1.0]),
    )
    labels: list[Label] = [("place", ("plant", 0)), ("x", (0,)), ("z", (0,))]
    master = master_of(program, labels, [False] * 3, Scenarios((None,), (1.0,)))
    root = master.solve(Subproblem())
    assert root.objective == pytest.approx(50)
    found = dive(master, Subproblem(), root)
    assert found is not None
    assert found.objective == pytest.approx(60)


def test_a_dive_turns_an_earlier_decision_round_where_the_last_costs_much() -> None:
    """Of 0.3 that is asked for beside what costs 1,000 anyway, two plants make up to 1 each at 10
    and 11, a third up to 30 at 360. A part of each is cheap, so one after another is left out, and
    the third has to be built: unless the second is taken after all.
    """
    program = Program(
        cost=np.array([10.0, 11.0, 360.0, 1000.0]),
        offset=0.0,
        lower=np.array([0.0, 0.0, 0.0, 1.0]),
        upper=np.ones(4),
        integer=np.array([True, True, True, False]),
        row_lower=np.array([0.3]),
        row_upper=np.full(1, np.inf),
        start=np.array([0, 3], dtype=np.int32),
        index=np.array([0, 1, 2], dtype=np.int32),
        value=np.array([1.0, 1.0, 30.0]),
    )
    labels: list[Label] = [("place", (name, 0)) for name in ("one", "two", "three", "rest")]
    master = master_of(program, labels, [True] * 3 + [False], Scenarios((None,), (1.0,)))
    found = dive(master, Subproblem(), master.solve(Subproblem()))
    assert found is not None
    assert found.objective in (1010, 1011)


def test_numbers_that_became_whole_give_way_where_nothing_else_fits() -> None:
    """Of x + 2 y = 3 the linear program takes x = 2, its most, and y = 0.5. With x held at 2 or more
    neither 0 nor 1 fits for y.
    """
    program = Program(
        cost=np.array([1.0, 3.0]),
        offset=0.0,
        lower=np.zeros(2),
        upper=np.full(2, 2.0),
        integer=np.ones(2, dtype=np.bool_),
        row_lower=np.array([3.0]),
        row_upper=np.array([3.0]),
        start=np.array([0, 2], dtype=np.int32),
        index=np.array([0, 1], dtype=np.int32),
        value=np.array([1.0, 2.0]),
    )
    labels: list[Label] = [("lots", ("x", 0)), ("lots", ("y", 0))]
    master = master_of(program, labels, [0, 0], Scenarios((None,), (1.0,)))
    root = master.solve(Subproblem())
    assert root.x[:2].tolist() == [2, 0.5]
    found = dive(master, Subproblem(), root)
    assert found is not None
    assert found.x.tolist() == [1, 1]


def test_a_dive_plans_the_ends_of_paths_one_by_one() -> None:
    """Each plan keeps every row and is the best with its integers, a better one is less dear, and the vertex from which it begins stays as it is."""
    alone = 0
    for seed in range(8):
        program, shape = planning(seed, leaves=4, periods=5)
        lp = LinearProgram(Master.program_of(program, shape), SearchClock())
        master, ends = Master(program, shape, lp), diving._ends(shape)
        inner = {each for each in shape.tree.parent if each is not None}
        assert len(ends) == len(shape.tree.parent) - len(inner)
        # What paths share is held, so that the ends alone are left to decide.
        found = dive(master, Subproblem(), master.solve(Subproblem()))
        assert found is not None
        shared = ~np.isin(master.integers, np.concatenate(ends))
        part = Subproblem().hold(master.integers[shared], found.whole[shared])
        vertex = master.solve(part)
        before = vertex.x.copy()
        plan = diving._end_by_end(master, part, part, vertex, np.inf, ends)
        assert plan is not None
        assert (vertex.x == before).all()
        assert (plan.whole[shared] == found.whole[shared]).all()
        assert program.holds(plan.x, diving.EXACT)
        best = highs.optimise(program.fixed(plan.whole), Options(threads=1), Interrupt())
        assert plan.objective == pytest.approx(best.objective)
        better = diving._end_by_end(master, part, part, vertex, plan.objective, ends)
        assert better is None or better.objective < plan.objective
        alone += bool((before[master.integers] % 1 > 1e-6).any())
    assert alone >= 4


def test_the_end_of_a_path_is_decided_anew() -> None:
    """An end may decide otherwise than the way to it did."""
    cheaper = 0
    for seed in range(8):
        program, shape = planning(seed, leaves=4, periods=5)
        lp = LinearProgram(Master.program_of(program, shape), SearchClock())
        master, ends = Master(program, shape, lp), diving._ends(shape)
        at = np.intersect1d(master.integers, ends[0])[:1]
        part = Subproblem().at_least(at, np.ones(1))
        vertex = master.solve(part)
        bound, free = (
            diving._end_by_end(master, begun, part, vertex, np.inf, ends)
            for begun in (part, Subproblem())
        )
        assert free is not None
        cheaper += bound is None or free.objective < bound.objective - 1e-6
    assert cheaper >= 4


def test_highs_plans_an_end_that_cannot_be_rounded_and_may_cost_much_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it may not cost much more it is given up."""
    program, shape = planning(3, leaves=4, periods=5)
    lp = LinearProgram(Master.program_of(program, shape), SearchClock())
    master, ends = Master(program, shape, lp), diving._ends(shape)
    whole = diving._rounded

    def of_the_whole_alone(own: Master, *others: Any) -> Any:
        return whole(own, *others) if own is master else None

    monkeypatch.setattr(diving, "_rounded", of_the_whole_alone)
    vertex = master.solve(Subproblem())
    plan = diving._end_by_end(master, Subproblem(), Subproblem(), vertex, np.inf, ends)
    assert plan is not None
    assert program.holds(plan.x, diving.EXACT)
    assert (
        diving._end_by_end(master, Subproblem(), Subproblem(), vertex, 2 * plan.objective, ends)
        is not None
    )
    monkeypatch.setattr(diving, "SPARE", 1.0)
    assert (
        diving._end_by_end(master, Subproblem(), Subproblem(), vertex, 1.1 * plan.objective, ends)
        is None
    )


def lots_over_a_tree(priority: int, room: float = 0.0) -> tuple[Master, Scenarios]:
    """Lots of sales at the nodes of two paths that share two nodes and part for two, at a price
    that falls by a hundredth: by each node no more than 1.4 for each so far, and `room`.
    """
    tree = Scenarios((None, 0, 1, 2, 1, 4), (1.0, 1.0, 0.5, 0.5, 0.5, 0.5))
    nodes = len(tree.parent)
    ways = [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 4], [0, 1, 4, 5]]
    index = np.concatenate(ways)
    program = Program(
        cost=-np.array(tree.probability) * 0.99**tree.depth,
        offset=0.0,
        lower=np.zeros(nodes),
        upper=np.full(nodes, 9.0),
        integer=np.ones(nodes, dtype=np.bool_),
        row_lower=np.full(nodes, -np.inf),
        row_upper=np.array([1.4 * len(way) + room for way in ways]),
        start=np.cumsum([0, *map(len, ways)]).astype(np.int32),
        index=index.astype(np.int32),
        value=np.ones(len(index)),
    )
    labels: list[Label] = [("lots", ("buyer", n)) for n in range(nodes)]
    return master_of(program, labels, [priority] * nodes, tree), tree


def test_light_numbers_have_no_sums_and_are_branched_on_last() -> None:
    master, _ = lots_over_a_tree(-1)
    assert not master.structure.sums
    assert master.structure.late.all()
    heavy, _ = lots_over_a_tree(0)
    assert heavy.structure.sums
    program = Program(
        cost=np.array([-1.0, -1.0]),
        offset=0.0,
        lower=np.zeros(2),
        upper=np.full(2, 9.0),
        integer=np.ones(2, dtype=np.bool_),
        row_lower=np.full(2, -np.inf),
        row_upper=np.array([1.5, 2.5]),
        start=np.array([0, 1, 2], dtype=np.int32),
        index=np.array([0, 1], dtype=np.int32),
        value=np.ones(2),
    )
    labels: list[Label] = [("order", ("a", 0)), ("lots", ("b", 0))]
    for priority, first in (([0, -1], [0]), ([-1, 0], [1]), ([-1, -1], [0, 1])):
        mixed = master_of(program, labels, priority, Scenarios((None,), (1.0,)))
        assert sorted(each.at for _, each in mixed.open(mixed.solve(Subproblem()))) == first


@pytest.mark.parametrize(
    ("room", "expected"), [(0.5, [1, 3, 4, 6, 4, 6]), (0.0, [1, 2, 4, 5, 4, 5])]
)
def test_a_dive_rounds_light_numbers_so_that_their_sums_stay(
    room: float, expected: list[int]
) -> None:
    """Of 1.4 lots at each node the sums are 1.4, 2.8, 4.2 and 5.6: to the nearest lot 1, 3, 4, 6.

    Where no more than 1.4 at each node is there, 3 by the second node are no plan: then they are
    rounded as other numbers are.
    """
    master, tree = lots_over_a_tree(-1, room)
    root = replace(master.solve(Subproblem()), x=np.full(6, 1.4))
    found = dive(master, Subproblem(), root)
    assert found is not None
    sums = np.zeros(len(tree.parent))
    for n, parent in enumerate(tree.parent):
        sums[n] = found.x[n] + (0.0 if parent is None else sums[parent])
    assert sums.tolist() == expected


def test_a_dive_rounds_what_is_late_after_what_it_depends_on() -> None:
    """1.4 lots come at each node, to the nearest lot 1, 3, 4 and 6 in all; of them 0.95, 2.85, 3.8
    and 5.7 may leave: below that 0, 2, 3 and 5 lots.

    Rounded together with what comes, 1.33 at each node, 1, 3, 4 and 5 would leave: no plan.
    """
    nodes, arrives = 4, 0.95
    comes, leaves = np.arange(nodes), np.arange(nodes) + nodes
    ways = [np.concatenate([comes[: n + 1], leaves[: n + 1]]) for n in range(nodes)]
    program = Program(
        cost=np.append(np.full(nodes, 0.1), -(0.99 ** np.arange(nodes))),
        offset=0.0,
        lower=np.zeros(2 * nodes),
        upper=np.full(2 * nodes, 9.0),
        integer=np.ones(2 * nodes, dtype=np.bool_),
        row_lower=np.full(nodes, -np.inf),
        row_upper=np.zeros(nodes),
        start=np.cumsum([0, *map(len, ways)]).astype(np.int32),
        index=np.concatenate(ways).astype(np.int32),
        value=np.concatenate([[-arrives] * (n + 1) + [1.0] * (n + 1) for n in range(nodes)]),
    )
    labels: list[Label] = [(name, ("one", n)) for name in ("come", "leave") for n in range(nodes)]
    tree = Scenarios((None, 0, 1, 2), (1.0,) * nodes)
    master = master_of(program, labels, [-1] * nodes + [-2] * nodes, tree)
    x = np.repeat([1.4, 1.4 * arrives], nodes)
    found = dive(master, Subproblem(), replace(master.solve(Subproblem()), x=x))
    assert found is not None
    assert np.cumsum(found.x[comes]).tolist() == [1, 3, 4, 6]
    assert np.cumsum(found.x[leaves]).tolist() == [0, 2, 3, 5]


def test_both_sides_of_a_branch_leave_no_plan_out() -> None:
    program, shape = planning(4, leaves=3, periods=4)
    master = Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))
    columns = shape.sums[0]
    less, more = master.sides(Subproblem(), Branch(0, 0.0, of_sum=True))
    assert less.sums == {0: (-np.inf, 0.0)}
    assert set(less.columns) == set(columns.tolist())
    assert more.sums == {0: (1.0, np.inf)}
    j = int(master.integers[0])
    less, more = master.sides(Subproblem(columns={j: (1.0, 5.0)}), Branch(j, 2.0, of_sum=False))
    assert less.columns[j] == (1.0, 2.0)
    assert more.columns[j] == (3.0, 5.0)


def test_duals_prove_the_bound_whatever_the_solver_says() -> None:
    """Of any duals the bound is one that no point is below; of those at the optimum it is the
    optimum.
    """
    program, shape = planning(9, leaves=3, periods=5)
    extended = Master.program_of(program, shape)
    relaxation = LinearProgram(extended, SearchClock())
    vertex = relaxation.solve()
    value = extended.objective(vertex.x)
    assert vertex.bound == pytest.approx(value)
    r = np.random.default_rng(1)
    for size in (1e-3, 1.0):
        assert relaxation.proven(vertex.dual + r.normal(0, size, len(vertex.dual))) <= value + 1e-6
    assert relaxation.proven(np.full(len(vertex.dual), -1e3)) == -np.inf


def test_what_is_given_up_at_a_cutoff_cannot_be_below_it() -> None:
    program, shape = planning(9, leaves=3, periods=5)
    master = Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))
    root = master.solve(Subproblem())
    held = Subproblem().hold(master.integers, np.zeros(len(master.integers)))
    free = master.solve(held, root.basis)
    assert free.solved
    for cutoff in (free.bound * 0.9, free.bound - 1e-3):
        found = master.solve(held, root.basis, cutoff)
        assert cutoff * (1 - 1e-7) <= found.bound <= free.bound + 1e-6
    assert master.solve(held, root.basis, free.bound + 1.0).solved


@pytest.mark.parametrize("threads", [1, 2])
def test_both_sides_of_a_split_end_as_each_alone(threads: int) -> None:
    program, shape = planning(9, leaves=3, periods=5)
    relaxation = LinearProgram(Master.program_of(program, shape), SearchClock())
    master = Master(program, shape, relaxation, threads=threads)
    root = master.solve(Subproblem())
    _, branch = master.open(root)[0]
    sides = master.sides(Subproblem(), branch)
    alone = [master.solve(side, root.basis).bound for side in sides]
    assert [each.bound for each in master.prove_both(sides, root.basis, np.inf)] == pytest.approx(
        alone
    )
    relaxation.clock.interrupt.requested = True
    with pytest.raises(OutOfTime):
        master.prove_both(sides, root.basis, np.inf)


def test_a_thread_is_stopped_where_the_other_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C reaches one thread alone."""
    program, shape = planning(9, leaves=3, periods=5)
    relaxation = LinearProgram(Master.program_of(program, shape), SearchClock())
    master = Master(program, shape, relaxation, threads=2)
    root = master.solve(Subproblem())
    sides = master.sides(Subproblem(), master.open(root)[0][1])
    solving, stopped = LinearProgram.solve, threading.Event()

    def solve(self: LinearProgram, *args: Any) -> Vertex:
        if self is relaxation:
            raise KeyboardInterrupt
        assert stopped.wait(10)
        return solving(self, *args)

    monkeypatch.setattr(LinearProgram, "solve", solve)
    monkeypatch.setattr(LinearProgram, "stop", lambda self: stopped.set())
    with pytest.raises(KeyboardInterrupt):
        master.prove_both(sides, root.basis, np.inf)
    assert stopped.is_set()


def test_a_basis_goes_to_another_process_and_back() -> None:
    program, _ = planning(1, leaves=2, periods=6)
    vertex = LinearProgram(program, SearchClock()).solve()
    basis = pickle.loads(pickle.dumps(Basis.of(vertex.basis)))
    clock = SearchClock()
    assert LinearProgram(program, clock).solve(basis).bound == pytest.approx(vertex.bound)
    assert clock.iterations == 0


def test_no_linear_program_runs_past_the_deadline() -> None:
    program, _ = planning(1, leaves=2, periods=6)
    with pytest.raises(OutOfTime):
        LinearProgram(program, SearchClock(time.perf_counter() - 1)).solve()
    assert LinearProgram(program, SearchClock(time.perf_counter() + 60)).solve().solved
