"""What the benchmarks compare with means the same as the project's, and their comparisons tell who
was better.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from optimiser.solving.solve import Options, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from tests.benchmarks.plain import plain
from tests.benchmarks.search import Compared, measured
from tests.benchmarks.search_solvers import INSTALLED, SOLVERS, Search
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
