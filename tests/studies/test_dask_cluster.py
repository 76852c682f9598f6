"""The same runner on a Dask cluster of this computer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Runner, StudyProgress
from optimiser.system.errors import StockpileError
from tests.studies.test_runner import cases
from tests.support.hollow import Hollow

distributed = pytest.importorskip("distributed")

from optimiser.execution import dask_cluster as module  # noqa: E402


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": None,
    }
    with distributed.LocalCluster(**options) as found:
        yield found


def run(
    scheduler: Any, record: Path, job: Hollow, count: int, watch: Any = lambda _: None
) -> list[CaseResult]:
    executor = module.Cluster(job, scheduler.scheduler_address)
    try:
        with Record(record) as kept:
            return Runner("s", kept, "of", lambda: executor, watch).run(
                cases(*(k / 100 for k in range(count)))
            )
    finally:
        executor.close()


def test_runs_on_a_cluster_and_goes_on_there(scheduler: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    found = run(scheduler, tmp_path / "r.sqlite", Hollow(log=log), 4)
    assert [each.objective for each in found] == pytest.approx([0.25 + k / 100 for k in range(4)])
    assert len(run(scheduler, tmp_path / "r.sqlite", Hollow(log=log), 6)) == 6
    assert len(log.read_text().splitlines()) == 6


def test_a_worker_lost_in_mid_run_costs_nothing(scheduler: Any, tmp_path: Path) -> None:
    struck: list[str] = []

    def strike(progress: StudyProgress) -> None:
        if progress.ended == 2 and not struck:
            worker = next(iter(scheduler.workers.values()))
            struck.append(worker.worker_address)
            worker.process.process._process.kill()

    found = run(scheduler, tmp_path / "r.sqlite", Hollow(pause=0.1), 12, strike)
    assert struck
    assert [each.status for each in found] == ["optimal"] * 12


def test_data_that_went_with_its_last_worker_is_sent_again(scheduler: Any, tmp_path: Path) -> None:
    executor = module.Cluster(Hollow(pause=0.05), scheduler.scheduler_address)
    lost: list[str] = []

    def strike(progress: StudyProgress) -> None:
        if progress.ended == 2 and not lost:
            lost.append(executor._sent.key)
            executor._client.cancel([executor._sent], force=True)

    try:
        with Record(tmp_path / "r.sqlite") as kept:
            found = Runner("s", kept, "of", lambda: executor, strike).run(
                cases(*(k / 100 for k in range(8)))
            )
    finally:
        executor.close()
    assert lost != [executor._sent.key]
    assert [each.status for each in found] == ["optimal"] * 8


@pytest.mark.parametrize(
    "address", ["nonsense", "tcp://nonsense", "http://10.0.0.5:8786", "tcp://a b:1", ""]
)
def test_what_is_no_address_is_reported_at_once(address: str) -> None:
    with pytest.raises(StockpileError, match="is no address of a Dask scheduler"):
        module.Cluster(Hollow(), address)


def test_no_scheduler_is_reported_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTING", 0.2)
    with pytest.raises(StockpileError, match=r"tcp://127\.0\.0\.1:9: there is no Dask scheduler"):
        module.Cluster(Hollow(), "tcp://127.0.0.1:9")
