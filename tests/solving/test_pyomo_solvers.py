"""Solvers by name: the same verdicts and optima as the direct way, and a word about those that are
not there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

from optimiser.solving import pyomo_solvers
from optimiser.solving.pyomo_solvers import solve_by_name
from optimiser.solving.solve import Options, SolverError, SolverUnavailable, UnboundedError, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from stockpile_model.changes import parse
from tests.support.hard import knapsacks

INPUTS = Path(__file__).resolve().parents[2] / "inputs"
INSTALLED = [
    name
    for name in ("highs", "appsi_highs", "glpk", "cbc", "scip", "gurobi")
    if pyo.SolverFactory(name).available(exception_flag=False)
]
EXACT = Options(gap=0.0, time_limit=60, threads=1)


def model() -> Any:
    m = pyo.ConcreteModel()
    m.lots = pyo.Var(["cheap", "dear"], domain=pyo.NonNegativeIntegers)
    m.missed = pyo.Var(domain=pyo.NonNegativeReals)
    m.need = pyo.Constraint(expr=2 * m.lots["cheap"] + 2 * m.lots["dear"] + m.missed >= 10)
    m.scarce = pyo.Constraint(expr=m.lots["cheap"] <= 2)
    m.money = pyo.Constraint(expr=3 * m.lots["cheap"] + 8 * m.lots["dear"] <= 15)
    m.cost = pyo.Objective(expr=3 * m.lots["cheap"] + 8 * m.lots["dear"] + 7 * m.missed + 1)
    return m


@pytest.mark.parametrize("name", INSTALLED)
def test_the_optimum_is_that_of_the_direct_way(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    mine, theirs = model(), model()
    direct, named = solve(mine, EXACT), solve(theirs, EXACT, solver=name)
    assert (named.status, named.objective) == ("optimal", pytest.approx(direct.objective))
    assert pyo.value(theirs.cost) == pytest.approx(named.objective)
    assert named.bound is None or named.bound <= direct.objective + 1e-6  # type: ignore[operator]
    assert named.solver == f"{name} through Pyomo"
    assert named.dual(theirs.need) is None
    assert all(isinstance(each.value, int) for each in theirs.lots.values())
    assert capfd.readouterr() == ("", ""), "standard output belongs to --json"


@pytest.mark.parametrize("name", INSTALLED)
def test_objectives_are_minimised_in_turn_and_the_model_is_left_as_it_was(name: str) -> None:
    m = model()
    m.del_component("cost")
    m.shortfall = pyo.Objective(expr=m.missed)
    m.cost = pyo.Objective(expr=3 * m.lots["cheap"] + 8 * m.lots["dear"])
    outcome = solve(m, EXACT, solver=name)
    assert [
        (each.name, each.status, pytest.approx(each.objective, abs=1e-5)) for each in outcome.stages
    ] == [
        ("shortfall", "optimal", 4.0),
        ("cost", "optimal", 14.0),
    ]
    assert list(m.component_map(pyo.Constraint)) == ["need", "scarce", "money"]
    assert m.shortfall.active
    assert m.cost.active


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("domain", [pyo.NonNegativeReals, pyo.NonNegativeIntegers])
def test_infeasible_and_unbounded_are_distinguished(name: str, domain: Any) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=domain)
    m.y = pyo.Var(domain=domain)
    m.c = pyo.Constraint(expr=m.x + m.y >= 2)
    m.cost = pyo.Objective(expr=m.y - m.x)
    with pytest.raises(UnboundedError, match="x"):
        solve(m, EXACT, solver=name)
    m.d = pyo.Constraint(expr=m.x + m.y <= 1)
    assert solve(m, EXACT, solver=name).status == "infeasible"


@pytest.mark.parametrize("name", INSTALLED)
def test_a_plan_that_is_not_proven_in_time_is_feasible(name: str) -> None:
    m = knapsacks()
    outcome = solve(m, Options(gap=0.0, time_limit=3, threads=1), solver=name)
    assert outcome.status == "feasible"
    assert outcome.objective == pytest.approx(pyo.value(m.cost))
    assert outcome.bound is None or outcome.bound < outcome.objective  # type: ignore[operator]
    assert outcome.seconds < 30


@pytest.mark.parametrize("name", ["highs", "appsi_highs"])
def test_orders_in_small_steps_have_a_plan_by_name_too(name: str) -> None:
    """At HiGHS's own tolerance its presolve called this infeasible."""
    stockpile = read(INPUTS / "portfolio.xlsx", [parse("settings.order_step set 1")]).stockpile
    outcome = solve(build(stockpile).m, Options(gap=0.5, time_limit=2, threads=1), solver=name)
    assert outcome.status in ("optimal", "feasible", "no_plan")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nosuch", "'nosuch' is not known to Pyomo"),
        ("baron", "'baron' is known to Pyomo, but is not installed"),
    ],
)
def test_a_solver_that_is_not_there_is_named(
    name: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SolverUnavailable, match=message):
        solve(model(), EXACT, solver=name)
    assert caplog.records == []


def test_a_solver_that_fails_is_a_solver_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("licence expired")

    monkeypatch.setattr(type(pyo.SolverFactory("appsi_highs")), "solve", fail)
    with pytest.raises(SolverError, match="'appsi_highs' failed: licence expired"):
        solve(model(), EXACT, solver="appsi_highs")


@pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")
def test_a_program_is_found_in_the_absolute_folders_of_path_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, here, bare = tmp_path / "ran", tmp_path / "here", tmp_path / "bare"
    here.mkdir()
    bare.mkdir()
    for name in ("cbc", "mine"):
        (here / name).write_text(f"#!/bin/sh\necho {name} >> {ran}\n")
        (here / name).chmod(0o755)
    monkeypatch.chdir(here)
    monkeypatch.setattr(pyomo_solvers, "_second_opinion", lambda *_: "no_plan")
    for path in (f"{bare}", f".:{bare}", f":{bare}", f"../here:{bare}"):
        monkeypatch.setenv("PATH", path)
        for name in ("cbc", "mine", "./cbc", str(here / "cbc"), "asl:./mine", "~/cbc", "c*c"):
            with pytest.raises(SolverUnavailable):
                solve_by_name(model(), name, Options())
    assert not ran.exists()
    monkeypatch.setenv("PATH", f"{bare}:{here}")
    with pytest.raises(SolverError):
        solve_by_name(model(), "cbc", Options())
    assert ran.exists()
