"""Bounds of a scenario tree by its paths, against HiGHS alone and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimiser.solving import highs, path_bounds
from optimiser.solving.branching import Gains, Master, SearchTree, Subproblem
from optimiser.solving.linear import LinearProgram, SearchClock
from optimiser.solving.path_bounds import PathBounds
from optimiser.solving.program import INFINITY, Program
from optimiser.solving.search_options import Options, SolverError
from optimiser.solving.structure import Label, ScenarioTree, structure
from optimiser.system.interrupts import Interrupt
from tests.support.programs import planning

EXACT = Options(gap=0.0, threads=1)
GAP = 0.001


def by_leaves(leaves: int, probability: float | None = None) -> Master:
    """Each leaf signs one of two levels or buys 0.5 for 3 a unit: a level of 1 costs 4, one of 2
    costs 6, and both may be signed in parts by the relaxation alone.
    """
    likely = [1.0 / leaves if probability is None else probability] * leaves
    tree = ScenarioTree((None, *[0] * leaves), (1.0, *likely))
    labels: list[Label] = [("stock", ("root", 0))]
    cost, upper, rows = [0.0], [0.0], []
    for leaf in range(1, leaves + 1):
        at = len(labels)
        labels += [("sign", ("a", "low", leaf)), ("sign", ("a", "high", leaf))]
        labels += [("buy", ("spot", leaf))]
        share = likely[leaf - 1]
        cost += [4 * share, 6 * share, 30 * share]
        upper += [1.0, 1.0, INFINITY]
        rows.append((at, at + 1, at + 2))
    program = Program(
        cost=np.array(cost),
        offset=7.0,
        lower=np.zeros(len(labels)),
        upper=np.array(upper),
        integer=np.array([name == "sign" for name, _ in labels]),
        row_lower=np.full(leaves, 0.5),
        row_upper=np.full(leaves, INFINITY),
        start=np.arange(0, 3 * leaves + 1, 3, dtype=np.int32),
        index=np.array(rows, dtype=np.int32).ravel(),
        value=np.tile([1.0, 2.0, 1.0], leaves),
    )
    priority = np.array([name == "sign" for name, _ in labels], dtype=np.int32)
    shape = structure(program, labels, priority, tree)
    return Master(program, shape, LinearProgram(Master.program_of(program, shape), SearchClock()))


def test_what_paths_decide_apart_adds_up() -> None:
    """Every leaf signs a quarter of the high level in the relaxation, at 1.5, and the whole low one
    in a plan, at 4. Branches see it for all ten leaves after a thousand parts.
    """
    master = by_leaves(10)
    root = master.relaxation.solve()
    assert root.bound == pytest.approx(7 + 1.5)
    assert PathBounds(master, GAP).bound(Subproblem(), root, INFINITY) == pytest.approx(7 + 4)
    bounds = PathBounds(master, GAP).bound
    tree = SearchTree(master, root, Gains(), 10.0, bounds)
    assert tree.reaches(10.9)
    tree.grow(10.9, 2)
    assert tree.bound >= 10.9
    assert tree.nodes == 0
    alone = SearchTree(master, root, Gains(), 10.0)
    alone.grow(10.9, 40)
    assert alone.bound < 10.9


def test_paths_without_probability_bound_nothing_and_divide_by_nothing() -> None:
    master = by_leaves(2, probability=0.0)
    root = master.relaxation.solve()
    with np.errstate(all="raise"):
        assert PathBounds(master, GAP).bound(Subproblem(), root, INFINITY) == pytest.approx(7)


def test_what_leaves_share_without_a_node_is_priced_for_each() -> None:
    """Three are needed of two leaves together, where either may buy two at 1 and 1.2 and pays 2.5
    for a licence to it: no leaf alone needs three.
    """
    tree = ScenarioTree((None, 0, 0), (1.0, 0.5, 0.5))
    labels: list[Label] = [("stock", ("root", 0))]
    labels += [(name, ("a", leaf)) for leaf in (1, 2) for name in ("sign", "buy")]
    program = Program(
        cost=np.array([0.0, 2.5, 1.0, 2.5, 1.2]),
        offset=0.0,
        lower=np.zeros(5),
        upper=np.array([0.0, 1.0, 2.0, 1.0, 2.0]),
        integer=np.array([False, True, False, True, False]),
        row_lower=np.array([3.0, -INFINITY, -INFINITY]),
        row_upper=np.array([INFINITY, 0.0, 0.0]),
        start=np.array([0, 2, 4, 6], dtype=np.int32),
        index=np.array([2, 4, 1, 2, 3, 4], dtype=np.int32),
        value=np.array([1.0, 1.0, -2.0, 1.0, -2.0, 1.0]),
    )
    shape = structure(program, labels, np.array([0, 1, 0, 1, 0], dtype=np.int32), tree)
    whole = LinearProgram(Master.program_of(program, shape), SearchClock())
    master = Master(program, shape, whole)
    root = whole.solve()
    assert root.bound == pytest.approx(2 + 1.2 + 2.5 * 1.5)
    found = PathBounds(master, GAP).bound(Subproblem(), root, INFINITY)
    assert root.bound - 1e-9 <= found <= 2 + 1.2 + 2 * 2.5 + 1e-9


def test_a_path_that_is_not_solved_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    master = by_leaves(3)
    root, ordinary, asked = master.relaxation.solve(), PathBounds._of_path, list[object]()

    def one_fails(self: PathBounds, *of: Any) -> float:
        asked.append(of)
        if len(asked) == 1:
            raise SolverError("it gave up")
        return ordinary(self, *of)

    monkeypatch.setattr(PathBounds, "_of_path", one_fails)
    found = PathBounds(master, GAP).bound(Subproblem(), root, INFINITY)
    assert found == pytest.approx(7 + (1.5 + 4 + 4) / 3)


def test_paths_that_brought_little_are_not_asked_again() -> None:
    """The second part is asked only where it misses not much more than the first gained."""
    master, asked = by_leaves(4), list[Subproblem]()
    root = master.relaxation.solve()

    def bound(part: Subproblem, vertex: object, enough: float) -> float:
        asked.append(part)
        return root.bound + 0.01

    tree = SearchTree(master, root, Gains(), 10.0, bound)
    tree.grow(10.9, 12)
    assert tree.nodes >= 8, "branches go on"
    assert len(asked) == 1


@pytest.mark.parametrize("seed", range(60))
def test_no_plan_costs_less_than_its_paths_say(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of random trees, also with rows across their paths, at the root and in parts of them."""
    monkeypatch.setattr(path_bounds, "LITTLE", 0.0)
    program, shape = planning(
        seed, leaves=2 + seed % 5, periods=2 + seed % 4, across=bool(seed % 2), light=bool(seed % 3)
    )
    whole = LinearProgram(Master.program_of(program, shape), SearchClock())
    master = Master(program, shape, whole)
    bounds = PathBounds(master, GAP)
    parts = [Subproblem()]
    while parts and len(parts) < 4:
        part = parts.pop(0)
        vertex = master.solve(part)
        if not vertex.solved:
            continue
        exact = highs.optimise(
            replace(master.bounded(part), integer=_integer(master)), EXACT, Interrupt()
        )
        found = bounds.bound(part, vertex, INFINITY)
        size = 1e-6 * max(1.0, abs(vertex.bound))
        assert found >= vertex.bound - size
        if exact.objective is not None:
            assert found <= exact.objective + size
        for _, branch in master.open(vertex)[:1]:
            parts += master.sides(part, branch)


def _integer(master: Master) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.isin(np.arange(master.relaxation.program.columns), master.integers)
