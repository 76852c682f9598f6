"""What the benchmarks compare with means the same as the project's, and their comparisons tell who
was better.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import optimiser as so
from optimiser.solving.solve import Options, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from tests.benchmarks import guides
from tests.benchmarks.plain import plain
from tests.benchmarks.search import Compared, measured
from tests.benchmarks.search_solvers import INSTALLED, SOLVERS, Search
from tests.benchmarks.show import ROOT
from tests.benchmarks.synthetic import scenario_tree
from tests.support.books import book


@pytest.mark.parametrize("ages", [False, True])
@pytest.mark.parametrize(("scenarios", "life"), [(2, 3), (4, 4)])
def test_the_plain_model_of_a_tree_has_the_same_optimum(
    tmp_path: Path, scenarios: int, life: int, ages: bool
) -> None:
    tables = scenario_tree(scenarios, periods=10, known=4, life=life, offers=6, ages=ages)
    stockpile = read(book(tmp_path / "tree.xlsx", tables)).stockpile
    ours, other = (solve(m, Options(gap=1e-6)) for m in (build(stockpile).m, plain(stockpile)))
    assert ours.status == other.status == "optimal"
    assert ours.objective == pytest.approx(other.objective, rel=1e-5)


def test_every_solver_that_is_installed_finds_the_same_optimum_of_the_small_case() -> None:
    solvers = [each for each in SOLVERS if INSTALLED.get(each, True)]
    _, compared = measured("small", solvers, limit=60.0)
    assert [*compared.searches] == solvers
    assert not compared.contradiction()
    for each in compared.searches.values():
        assert each.finished
        assert each.objective == pytest.approx(630, rel=1e-5)
        assert each.bound == pytest.approx(630, rel=1e-5)
        assert each.first is not None
        assert each.first <= each.seconds


def test_a_search_is_compared_with_the_best_that_proved_its_plan() -> None:
    engine = Search(finished=True, seconds=2.0, first=0.5, objective=100.0, bound=99.0)
    cut, slow = (
        Search(finished=False, seconds=5.0),
        Search(finished=True, seconds=10.0, first=4.0, objective=100.5, bound=100.0),
    )
    compared = Compared({"engine": engine, "HiGHS": slow, "SCIP": cut})
    assert (compared.best, compared.ratio, compared.first, compared.contradiction()) == (
        "HiGHS",
        0.2,
        0.125,
        "",
    )
    beyond = Compared({"engine": Search(finished=False, seconds=5.0), "HiGHS": slow})
    assert (beyond.ratio, beyond.first) == (math.inf, math.inf)
    wrong = Compared(
        {
            "engine": engine,
            "HiGHS": Search(finished=True, seconds=9.0, objective=102.0, bound=101.0),
        }
    )
    assert wrong.contradiction() == "the bound of HiGHS, 101, is above the plan of engine, 100"


def test_a_guide_is_read_as_its_reader_tries_it() -> None:
    guide = """# A case

## What to try

Each line can be tried with `stockpile solve a.xlsx --set '...'`.

- Less money: `budgets[nds].amount scale 0.8`. 78.1 m USD. More:
  `budgets[nds].amount scale 2`: 60 m USD.
- No feedstock: `rules[a].most set 0`, with `rules[b].least set 3`
  and `rules[c].most set 0`: only three. 69.4 m USD.
- No duty, or `--firm`: `offers[*].duty set 0`. The same plan.

## What is left out

- Nothing of `offers[x].price set 1`. 1.0 m USD.
"""
    assert [*guides.lines(guide)] == [
        guides.Line(("budgets[nds].amount scale 0.8",), "78.1"),
        guides.Line(("budgets[nds].amount scale 2",), "60"),
        guides.Line(("rules[a].most set 0", "rules[b].least set 3", "rules[c].most set 0"), "69.4"),
        guides.Line(("offers[*].duty set 0",), None),
    ]


@pytest.mark.parametrize(
    ("objective", "stated", "expected"),
    [
        (78_149_000, "78.1", True),
        (78_151_000, "78.1", False),
        (60_400_000, "60", True),
        (59_400_000, "60", False),
    ],
)
def test_a_stated_cost_counts_as_far_as_it_is_written(
    objective: float, stated: str, expected: bool
) -> None:
    assert guides.agrees(objective, stated) == expected


@pytest.mark.parametrize("case", ["gallium", "indium", "portfolio"])
def test_what_a_guide_says_to_try_can_be_tried(case: str) -> None:
    """Each change names a cell that is there."""
    found = [*guides.lines((ROOT / "inputs" / case / "guide.md").read_text(encoding="utf-8"))]
    assert len(found) >= 9
    workbook = so.read(ROOT / "inputs" / f"{case}.xlsx")
    for line in found:
        workbook.change(*guides.ALONE.get(case, ()), *line.changes)
