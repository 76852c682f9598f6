"""Bundles decomposed by mpi-sppy, as they are started: on one rank and on two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from optimiser.execution import mpi_ranks
from optimiser.scenarios.bundles import decomposed as cluster
from optimiser.scenarios.bundles.bundle_planner import BundlePlanner
from optimiser.solving.solve import Options
from optimiser.system.errors import OutputError
from tests.support.books import book
from tests.support.commands import stockpile
from tests.support.plans import day, plan_of
from tests.support.trees import TREES, happens, tree_plan
from tests.test_bundles import here, read_tables
from tests.test_cli import ROOT

MPIEXEC = Path(sys.executable).parent / "mpiexec"
RISKLESS: dict[str, Any] = {
    **TREES["two_stage"],
    "settings": {**TREES["two_stage"]["settings"], "risk_weight": 0},
}


def start(
    *arguments: object, cwd: Path, ranks: int = 0, path: str = ""
) -> subprocess.CompletedProcess[str]:
    begin = [str(MPIEXEC), "-n", str(ranks)] if ranks else []
    command = [*begin, sys.executable, "-m", "optimiser", "solve", *map(str, arguments)]
    paths = os.pathsep.join([*([path] if path else []), str(ROOT), str(ROOT / "models")])
    environment = os.environ | {"PYTHONPATH": paths, "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture(name="cluster")
def needs_cluster() -> None:
    pytest.importorskip("mpisppy", reason="needs the extra cluster", exc_type=ImportError)


@pytest.mark.usefixtures("cluster")
def test_the_extensive_form_of_bundles_is_the_plan_of_all(tmp_path: Path) -> None:
    whole = plan_of(RISKLESS)
    assert whole is not None
    ran = start(
        book(tmp_path / "mine.xlsx", RISKLESS),
        "--decompose",
        "ef",
        "--bundles",
        3,
        "--json",
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    found, best = json.loads(ran.stdout), whole.objective
    assert (found["objective"], found["bound"], found["status"]) == (
        pytest.approx(best),
        pytest.approx(best),
        "optimal",
    )


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(("name", "alone"), [("two_stage", False), ("stages", True)])
def test_two_ranks_enclose_the_plan_of_all_and_report_it_once(
    name: str, alone: bool, tmp_path: Path
) -> None:
    """What one rank finds `alone` is the same."""
    source = book(tmp_path / "mine.xlsx", TREES[name])
    best = tree_plan(name).objective
    two = start(
        source, "--decompose", "lagrangian", "--bundles", 2, "--json", cwd=tmp_path, ranks=2
    )
    assert two.returncode == 0, two.stderr
    found = json.loads(two.stdout)  # one object, from one rank
    assert found["bound"] <= best + 1e-6
    assert found["objective"] >= best - 1e-6
    assert found["gap"] == pytest.approx(1 - found["bound"] / found["objective"], abs=1e-9)
    assert found["status"] == ("optimal" if found["gap"] == 0 else "feasible")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine-plan.xlsx", "mine.xlsx"]
    if alone:
        one = json.loads(
            start(
                source, "--decompose", "lagrangian", "--bundles", 2, "--json", cwd=tmp_path
            ).stdout
        )
        assert (one["bound"], one["objective"]) == pytest.approx(
            (found["bound"], found["objective"])
        )


@pytest.mark.usefixtures("cluster")
def test_lagrangian_prices_prove_more_than_bundles_alone(tmp_path: Path) -> None:
    source = book(tmp_path / "mine.xlsx", RISKLESS)
    priced = json.loads(
        start(source, "--decompose", "lagrangian", "--bundles", 3, "--json", cwd=tmp_path).stdout
    )
    alone = json.loads(
        stockpile("solve", source, "--bundles", 3, "--workers", 1, "--json", cwd=tmp_path).stdout
    )
    assert priced["bound"] > alone["bound"] + 1


@pytest.mark.usefixtures("cluster")
def test_a_bundle_without_a_plan_is_named_by_two_ranks_once(tmp_path: Path) -> None:
    tables = {
        name: rows for name, rows in TREES["stages"].items() if name not in ("contracts", "floors")
    }
    tables["materials"] = [{"material": "gallium"}]  # demand must be met
    tables["events"] = [
        *tables["events"],
        happens("embargo", "demand[gallium].quantity", "scale", 9, day(4)),
    ]
    source = book(tmp_path / "mine.xlsx", tables)
    ran = start(source, "--decompose", "lagrangian", "--bundles", 2, cwd=tmp_path, ranks=2)
    assert ran.returncode == 3
    assert ran.stderr.count("No plan keeps every limit of this workbook.") == 1


@pytest.mark.usefixtures("cluster")
def test_ranks_without_work_are_refused(tmp_path: Path) -> None:
    source = book(tmp_path / "mine.xlsx", TREES["stages"])
    ran = start(source, "--decompose", "lagrangian", "--bundles", 1, cwd=tmp_path, ranks=2)
    assert ran.returncode == 2
    assert ran.stderr.count("2 ranks have 1 bundle to share") == 1


def test_the_extensive_form_is_refused_on_more_than_one_rank(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        mpi_ranks, "_mpi", lambda: SimpleNamespace(COMM_WORLD=SimpleNamespace(rank=0, size=2))
    )
    planner = BundlePlanner(read_tables(TREES["stages"]), 2, Options(gap=0.0), here())
    with pytest.raises(
        mpi_ranks.ClusterUnavailable,
        match="--decompose ef is one model on one rank: start it without mpiexec",
    ):
        cluster.check(planner, mpi_ranks.Ranks(), "ef")


@pytest.mark.parametrize(("own", "others"), [(None, "theirs"), ("ours", None), ("ours", "theirs")])
def test_what_one_rank_raises_before_the_bundles_all_raise(
    own: str | None, others: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rank that ends alone would leave the others waiting for it."""
    theirs = None if others is None else OutputError(others)
    comm = SimpleNamespace(rank=0, size=2, allgather=lambda mine: [[theirs], mine])
    monkeypatch.setattr(mpi_ranks, "_mpi", lambda: SimpleNamespace(COMM_WORLD=comm))

    def prepare() -> None:
        with mpi_ranks.Ranks().agreed():
            if own is not None:
                raise OutputError(own)

    with pytest.raises(OutputError, match=own or others):
        prepare()


def test_a_missing_extra_is_reported_with_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "mpisppy").mkdir()
    (tmp_path / "mpisppy" / "__init__.py").write_text(
        "raise ImportError('cannot load MPI library')\n"
    )
    source = book(tmp_path / "mine.xlsx", TREES["stages"])
    ran = start(source, "--decompose", "lagrangian", cwd=tmp_path, path=str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr.splitlines() == [
        "--decompose needs mpi-sppy and an MPI library: pip install 'stockpile-optimiser[cluster]'"
        " (cannot load MPI library)"
    ]
