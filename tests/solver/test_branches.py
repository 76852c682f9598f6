"""A program solved branch by branch: the parts it falls into, and the same optimum as by a search of the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimiser.interrupts import Interrupt
from optimiser.solve import solve
from optimiser.solver import branches, highs
from optimiser.solver.branches import optimise, split
from optimiser.solver.search import Options
from optimiser.solver.standard_form import Bools, Program
from optimiser.workbook.read import read
from stockpile_model.build import build
from tests.benchmarks.synthetic import scenario_tree
from tests.support.books import book

EXACT = Options(gap=0.0, threads=1)


def star(seed: int, several: int = 9, whole: float = 0.5, size: int = 5) -> tuple[Program, Bools]:
    """A trunk of columns, some of them integers, and branches of unlike size; every row of a branch is over its own columns and some of
    the trunk. Bounded, and feasible or not. Its columns and rows are shuffled."""
    r = np.random.default_rng(seed)
    sizes = [5, *(int(r.integers(size - 2, size + 3)) for _ in range(several))]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    rows: list[np.ndarray] = []
    for k, many in enumerate(sizes):
        for _ in range(many):
            row = np.where((owner == k) | (owner == 0), r.integers(-2, 7, len(owner)), 0) * (r.random(len(owner)) < 0.7)
            if k == 0 or not row[owner == k].any():
                row[np.flatnonzero(owner == k)[0]] = 1
            rows.append(row.astype(float))
    columns, order = r.permutation(len(owner)), r.permutation(len(rows))
    matrix, owner = np.array(rows)[order][:, columns], owner[columns]
    at = [np.flatnonzero(row) for row in matrix]
    return (
        Program(
            cost=r.integers(1, 9, len(owner)).astype(float),
            offset=3.0,
            lower=np.zeros(len(owner)),
            upper=r.integers(3, 12, len(owner)).astype(float),
            integer=r.random(len(owner)) < whole * np.where(owner == 0, 1.0, 0.2),
            row_lower=r.integers(1, 12, len(rows)).astype(float),
            row_upper=np.full(len(rows), np.inf),
            start=np.concatenate([[0], np.cumsum([len(each) for each in at])]).astype(np.int32),
            index=np.concatenate(at).astype(np.int32),
            value=np.concatenate([row[each] for row, each in zip(matrix, at, strict=True)]),
        ),
        owner == 0,
    )


def test_a_program_falls_into_its_branches() -> None:
    program, trunk = star(1, several=12)
    parts = split(program, trunk)
    columns = [set(each.columns.tolist()) for each in parts.branches]
    assert set.union(set(parts.trunk.columns.tolist()), *columns) == set(range(program.columns))
    assert sum(map(len, columns)) + len(parts.trunk.columns) == program.columns
    assert set(np.flatnonzero(trunk).tolist()) <= set(parts.trunk.columns.tolist())
    owner = {j: k for k, each in enumerate(columns) for j in each}
    seen = []
    for k, each in [(None, parts.trunk), *enumerate(parts.branches)]:
        seen += each.rows.tolist()
        for i in each.rows:
            held = {owner.get(j) for j in program.index[program.start[i] : program.start[i + 1]].tolist()}
            assert held <= {None, k}
    assert sorted(seen) == list(range(program.rows))


def test_a_part_much_smaller_than_the_largest_goes_with_the_trunk() -> None:
    program, trunk = star(2, several=10, size=15)
    assert len(split(program, trunk).branches) == 10
    lone = program.extended(lower=[0.0], upper=[1.0], cost=[-1.0])
    assert len(split(lone, np.append(trunk, False)).branches) == 10
    assert program.columns in split(lone, np.append(trunk, False)).trunk.columns


@pytest.mark.parametrize("seed", range(60))
def test_it_finds_the_optimum_or_says_how_far_it_is(seed: int) -> None:
    program, trunk = star(seed, several=int(np.random.default_rng(seed).integers(8, 30)), whole=0.0 if seed % 5 == 0 else 0.5)
    expected, found = highs.optimise(program, EXACT, Interrupt()), optimise(program, trunk, EXACT, Interrupt())
    if expected.objective is None:
        assert found is None or found.x is None
        return
    assert found is not None
    assert found.bound is not None
    assert found.bound <= expected.objective + 1e-6
    if not program.integer.any():
        assert found.status == "optimal"
    if found.x is None:
        return
    assert found.objective == pytest.approx(program.objective(found.x))
    assert (found.x >= program.lower - 1e-6).all()
    assert (found.x <= program.upper + 1e-6).all()
    assert (program.activity(found.x) >= program.row_lower - 1e-5).all()
    assert np.abs(found.x - np.round(found.x))[program.integer].max(initial=0) < 1e-9
    assert found.objective >= expected.objective - 1e-6
    assert (found.status == "optimal") == (found.objective <= found.bound + 1e-6)
    assert found.row_dual is not None
    assert found.column_dual is not None
    # The duals are those of the program with its integers fixed: they prove that it cannot be better then.
    held = np.where(program.integer, found.x, np.where(found.column_dual > 0, program.lower, program.upper))
    assert float(found.row_dual @ program.row_lower + found.column_dual @ held) + 3.0 == pytest.approx(found.objective, abs=1e-5)


def test_some_of_them_are_solved_to_the_end() -> None:
    for gap, status in ((0.1, "optimal"), (0.0, "feasible")):
        found = [optimise(*star(seed, several=12, size=9), Options(gap=gap, threads=1), Interrupt()) for seed in range(12)]
        assert sum(each is not None and each.status == status for each in found) >= 3


def test_few_branches_no_time_or_an_interrupt_tell_nothing() -> None:
    program, trunk = star(3, several=branches.MANY - 1, size=9)
    assert optimise(program, trunk, EXACT, Interrupt()) is None
    program, trunk = star(6, several=branches.MANY + 4, size=9)
    assert optimise(program, trunk, EXACT, Interrupt()) is not None
    assert optimise(program, trunk, replace(EXACT, time_limit=0.0), Interrupt()) is None
    pressed = Interrupt()
    pressed.press()
    assert optimise(program, trunk, EXACT, pressed) is None


@pytest.mark.parametrize("ages", [False, True])
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_a_tree_has_the_same_optimum(tmp_path: Path, ages: bool, weight: float) -> None:
    tables = scenario_tree(10, periods=12, known=4, life=5, offers=6, ages=ages)
    tables["settings"] |= {"risk_weight": weight, "risk_tail": 0.2}
    formulation = build(read(book(tmp_path / "book", tables)).stockpile)
    expected = solve(formulation.m, EXACT)
    found = solve(formulation.m, EXACT, in_trunk=formulation.in_trunk)
    assert (found.status, expected.status) == ("optimal", "optimal")
    assert found.objective == pytest.approx(expected.objective, rel=1e-6)
    assert found.form is not None
    trunk = np.array([formulation.in_trunk(each) for each in found.form.variables])
    assert len(split(found.form.program, trunk).branches) == 10
