"""The plain model that the benchmarks compare with means the same as the project's."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimiser.solve import Options, solve
from optimiser.workbook.read import read
from stockpile_model.build import build
from tests.benchmarks.plain import plain
from tests.benchmarks.synthetic import scenario_tree
from tests.support.books import book


@pytest.mark.parametrize("ages", [False, True])
@pytest.mark.parametrize(("scenarios", "life"), [(2, 3), (4, 4)])
def test_the_plain_model_of_a_tree_has_the_same_optimum(tmp_path: Path, scenarios: int, life: int, ages: bool) -> None:
    tables = scenario_tree(scenarios, periods=10, known=4, life=life, offers=6, ages=ages)
    stockpile = read(book(tmp_path / "tree.xlsx", tables)).stockpile
    ours, other = (solve(m, Options(gap=1e-6)) for m in (build(stockpile).m, plain(stockpile)))
    assert ours.status == other.status == "optimal"
    assert ours.objective == pytest.approx(other.objective, rel=1e-5)
