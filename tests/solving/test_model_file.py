"""A written model is the same model to whoever reads it."""

from __future__ import annotations

import random
from pathlib import Path

import highspy
import pyomo.environ as pyo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.solving.model_file import legal_names, write_model
from optimiser.solving.solve import Options, solve
from optimiser.system.errors import OutputError
from tests.support.linear_models import random_model


def read(path: Path) -> highspy.Highs:
    h = highspy.Highs()
    h.silent()
    assert h.readModel(str(path)) == highspy.HighsStatus.kOk
    h.setOptionValue("mip_rel_gap", 0.0)
    h.run()
    return h


@pytest.mark.parametrize("suffix", [".mps", ".lp", ".LP"])
def test_what_is_read_back_has_the_same_optimum_and_verdict(suffix: str, tmp_path: Path) -> None:
    verdicts = set()
    for seed in range(30):
        m = random_model(random.Random(seed))
        path = tmp_path / f"model{suffix}"
        assert write_model(m, path) == "cost"
        outcome, h = solve(m, Options(gap=0.0, threads=1)), read(path)
        verdicts.add(outcome.status)
        if outcome.status == "infeasible":
            assert h.getModelStatus() == highspy.HighsModelStatus.kInfeasible
        else:
            assert h.getInfo().objective_function_value == pytest.approx(
                outcome.objective, abs=1e-5
            )
        assert list(tmp_path.iterdir()) == [path], "nothing is left beside the file"
    assert verdicts == {"optimal", "infeasible"}


def odd_names() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.OFFERS = pyo.Set(
        dimen=2,
        initialize=[
            ("metlen spot", 3),
            ("metlen_spot", 3),
            ("Rußland – 中", 1),
            ("", 2),
            ("3/x", 0),
        ],
    )
    m.buy = pyo.Var(m.OFFERS, bounds=(0, 9), domain=pyo.Integers)
    m.free = pyo.Var(bounds=(-1, 4))
    m.e12 = pyo.Var(bounds=(-1, 4))
    m.st = pyo.Constraint(expr=pyo.quicksum(m.buy.values()) + m.free + m.e12 >= 7.5)
    m.obj = pyo.Constraint(expr=m.free - m.e12 <= 1)
    m.cost = pyo.Objective(
        expr=pyo.quicksum((k + 1) * each for k, each in enumerate(m.buy.values()))
        + 3 * m.free
        + 5 * m.e12
        + 100
    )
    return m


@pytest.mark.parametrize("suffix", [".mps", ".lp"])
def test_names_stay_readable_and_become_legal(suffix: str, tmp_path: Path) -> None:
    m, path = odd_names(), tmp_path / f"model{suffix}"
    write_model(m, path)
    h = read(path)
    lp = h.getLp()
    # The order is HiGHS's own: an LP file lists what its objective names first.
    assert sorted(lp.col_names_) == sorted(
        [
            "buy(metlen_spot,3)",
            "buy(metlen_spot,3)_2",
            "buy(Ruland__,1)",
            "buy(,2)",
            "buy(3_x,0)",
            "_free",
            "_e12",
        ]
    )
    assert lp.row_names_ == ["_st", "_obj"]
    assert h.getInfo().objective_function_value == pytest.approx(
        solve(m, Options(gap=0.0)).objective
    )


@given(st.lists(st.text(max_size=6), max_size=12))
def test_legal_names_are_legal_and_unique(names: list[str]) -> None:
    legal = legal_names(names)
    assert len(legal) == len(set(legal)) == len(names)
    assert all(each.isascii() and (each[0].isalpha() or each[0] == "_") for each in legal)
    assert not any(set(each) & set(" []+-*/^<>=:;'\"\\") for each in legal)


def test_a_long_name_is_cut_and_stays_unique() -> None:
    first, second = legal_names(["x" * 500 + "a", "x" * 500 + "b"])
    assert first != second
    assert len(second) < 255


def test_of_two_objectives_the_cost_is_written(tmp_path: Path) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(1, 2))
    m.shortfall = pyo.Objective(expr=-m.x)
    m.cost = pyo.Objective(expr=3 * m.x)
    assert write_model(m, tmp_path / "m.mps") == "cost"
    assert read(tmp_path / "m.mps").getInfo().objective_function_value == pytest.approx(3)


def test_where_nothing_can_be_written_it_is_reported_and_nothing_changes(tmp_path: Path) -> None:
    m = random_model(random.Random(0))
    with pytest.raises(OutputError, match=r"\.mps or \.lp"):
        write_model(m, tmp_path / "model.txt")
    with pytest.raises(OutputError, match="cannot be written"):
        write_model(m, tmp_path / "nowhere" / "model.mps")
    (tmp_path / "folder.mps").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_model(m, tmp_path / "folder.mps")
    assert [each.name for each in tmp_path.iterdir()] == ["folder.mps"]
