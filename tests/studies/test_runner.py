"""Runs in spawned processes: recorded as they end, gone on with after any fault."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from array import array
from pathlib import Path
from types import SimpleNamespace

import pytest

from optimiser.execution.processes import Processes
from optimiser.studies.engine.case import NO_TIME, Case, CaseResult, Commit
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.engine.record import APPLICATION, FORMAT, Record
from optimiser.studies.engine.runner import Runner, SharedTime, StudyProgress
from optimiser.system.errors import OutputError, StockpileError
from tests.support.hollow import Hollow, Plain
from tests.support.studied import Here, inputs

MOVED = inputs(2)


def cases(*first: float) -> list[Case]:
    return [
        Case(
            tuple(each.change(value) for each, value in zip(MOVED, (x, 0.25), strict=True)),
            (x, 0.25),
        )
        for x in first
    ]


def run(
    record: Path, job: Hollow, wanted: list[Case], workers: int = 1, longest: float = 600
) -> list[CaseResult]:
    executor = Processes(job, workers, longest)
    try:
        with Record(record) as kept:
            return Runner("s", kept, "of", lambda: executor).run(wanted)
    finally:
        executor.close()


def ran(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_results_come_in_the_order_of_their_cases(tmp_path: Path) -> None:
    found = run(tmp_path / "r.sqlite", Hollow(), cases(0.4, 0.1, 0.3, 0.2, 0.1), workers=2)
    assert [each.objective for each in found] == pytest.approx([0.65, 0.35, 0.55, 0.45, 0.35])


def test_what_is_in_the_record_is_not_run_again(tmp_path: Path) -> None:
    log, record = tmp_path / "log", tmp_path / "r.sqlite"
    run(record, Hollow(log=log), cases(0.1, 0.2))
    assert ran(log) == 2
    found = run(record, Hollow(log=log), cases(0.1, 0.2, 0.3))  # extended
    assert ran(log) == 3
    assert [each.objective for each in found] == pytest.approx([0.35, 0.45, 0.55])


def test_a_finished_study_needs_no_executor(tmp_path: Path) -> None:
    record = tmp_path / "r.sqlite"
    run(record, Hollow(), cases(0.1))

    def nobody() -> Here:
        raise AssertionError("a executor was hired")

    seen: list[StudyProgress] = []
    with Record(record) as kept:
        assert len(Runner("s", kept, "of", nobody, seen.append).run(cases(0.1))) == 1
        with pytest.raises(AssertionError, match="hired"):
            Runner("s", kept, "another input", nobody).run(cases(0.1))
    assert (seen[-1].ended, seen[-1].kept, seen[-1].rate) == (1, 1, None)


class Slow(Plain):
    """Takes four seconds of a clock, or all that it may, and then has no proof."""

    def __init__(self) -> None:
        self.now = 0.0

    def run(self, case: Case) -> tuple[CaseResult, list[object]]:
        self.now += min(case.seconds, 4.0)
        return CaseResult("optimal" if case.seconds >= 4.0 else "feasible", case.seconds), []


@pytest.mark.parametrize(
    ("limit", "least", "shares", "kept"),
    [
        (20.0, 0.0, [5.0, 16 / 3, 6.0, 8.0], 4),
        (10.0, 4.0, [4.0, 4.0, 2.0, None], 2),
        (10.0, 0.0, [2.5, 2.5, 2.5, 2.5], 0),
    ],
)
def test_cases_share_their_time_and_only_answers_are_kept(
    monkeypatch: pytest.MonkeyPatch,
    limit: float,
    least: float,
    shares: list[float | None],
    kept: int,
) -> None:
    """What a case leaves is for those after it; what ended for want of time is run again."""
    slow, record = Slow(), MemoryRecord()
    monkeypatch.setattr(
        "optimiser.studies.engine.runner.time", SimpleNamespace(monotonic=lambda: slow.now)
    )
    shared = SharedTime(limit, least, begun=0.0)
    wanted = cases(0.1, 0.2, 0.3, 0.4)
    found = Runner("s", record, "of", lambda: Here(slow), shared=shared).run(wanted)
    assert [each.objective for each in found] == pytest.approx(shares)
    assert slow.now <= limit
    assert {(each.status, each.message) for each in found if each.objective is None} <= {
        ("not run", NO_TIME)
    }
    assert sum(record.find(case.key("of")) is not None for case in wanted) == kept


def test_a_run_that_kills_its_process_is_a_result_and_no_other_is_lost(tmp_path: Path) -> None:
    found = run(tmp_path / "r.sqlite", Hollow(befalls="kill"), cases(0.1, 0.9, 0.2, 0.3))
    assert [each.status for each in found] == ["optimal", "crashed", "optimal", "optimal"]
    assert found[1].message == "its process was killed by signal 9"


def test_a_run_that_crashed_is_tried_again_at_the_next_start(tmp_path: Path) -> None:
    record, log = tmp_path / "r.sqlite", tmp_path / "log"
    run(record, Hollow(befalls="kill"), cases(0.1, 0.9))
    found = run(record, Hollow(log=log), cases(0.1, 0.9))
    assert [each.status for each in found] == ["optimal", "optimal"]
    assert ran(log) == 1


def test_a_run_that_failed_is_tried_again_at_the_next_start(tmp_path: Path) -> None:
    record, log = tmp_path / "r.sqlite", tmp_path / "log"
    with Record(record) as kept:
        runner = Runner("s", kept, "of", lambda: Here(Hollow(befalls="raise").evaluator()))
        assert [each.status for each in runner.run(cases(0.1, 0.9))] == ["optimal", "failed"]
        assert runner.failed == 1
        again = Runner("s", kept, "of", lambda: Here(Hollow(log=log).evaluator()))
        assert [each.status for each in again.run(cases(0.1, 0.9))] == ["optimal", "optimal"]
        assert (again.failed, again.kept) == (0, 1)
    assert ran(log) == 1


@pytest.mark.parametrize(("befalls", "status"), [("raise", "failed"), ("infeasible", "infeasible")])
def test_a_run_that_fails_is_a_result(tmp_path: Path, befalls: str, status: str) -> None:
    found = run(tmp_path / "r.sqlite", Hollow(befalls=befalls), cases(0.9, 0.1))
    assert [each.status for each in found] == [status, "optimal"]
    assert befalls != "raise" or found[0].message == "ZeroDivisionError: an error nobody thought of"


def test_a_run_without_end_is_ended(tmp_path: Path) -> None:
    found = run(
        tmp_path / "r.sqlite", Hollow(befalls="hang"), cases(0.9, 0.1), workers=2, longest=0.5
    )
    assert [each.status for each in found] == ["no_plan", "optimal"]
    assert "far longer than its time limit" in found[0].message


def test_a_worker_killed_in_mid_run_costs_nothing(tmp_path: Path) -> None:
    executor = Processes(Hollow(pause=0.15), 2, 600)
    killed: list[int] = []

    def strike(progress: StudyProgress) -> None:
        if progress.ended == 2 and not killed:
            killed.append(executor.pids[0])
            os.kill(killed[0], signal.SIGKILL)

    try:
        with Record(tmp_path / "r.sqlite") as kept:
            found = Runner("s", kept, "of", lambda: executor, strike).run(
                cases(*(k / 20 for k in range(8)))
            )
    finally:
        executor.close()
    assert killed
    assert [each.status for each in found] == ["optimal"] * 8


def test_processes_that_cannot_start_are_reported(tmp_path: Path) -> None:
    with pytest.raises(StockpileError, match="no process can be started to run cases"):
        run(tmp_path / "r.sqlite", Hollow(model="there is no such model"), cases(0.1))


# Each of its processes imports it too, as what it is not.
PARENT = """
if __name__ == "__main__":
    import sys
    from pathlib import Path
    from optimiser.execution.processes import Processes
    from optimiser.studies.engine.record import Record
    from optimiser.studies.engine.runner import Runner
    from tests.studies.test_runner import cases
    from tests.support.hollow import Hollow

    executor = Processes(Hollow(pause=0.1, log=Path(sys.argv[2])), 2, 600)
    with Record(Path(sys.argv[1])) as kept:
        try:
            Runner("s", kept, "of", lambda: executor, lambda p: print(p.ended, flush=True)).run(cases(*(k / 100 for k in range(40))))
        except KeyboardInterrupt:
            executor.close()
            sys.exit(130)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_the_parent_killed_or_interrupted(tmp_path: Path, blow: int) -> None:
    """What had ended is kept, its processes end too, and the next start runs the rest alone."""
    script, record, log = tmp_path / "parent.py", tmp_path / "r.sqlite", tmp_path / "log"
    script.write_text(PARENT)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "models")])
    }
    parent = subprocess.Popen(
        [sys.executable, str(script), str(record), str(log)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert parent.stdout is not None
    for line in parent.stdout:
        if int(line) >= 3:
            break
    parent.send_signal(blow)
    parent.wait()
    parent.stdout.close()
    pids = {int(line) for line in log.read_text().split()}
    waited = time.monotonic() + 20
    while any(_alive(pid) for pid in pids) and time.monotonic() < waited:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)
    with Record(record) as kept:
        before = len(kept)
    assert 3 <= before < 40
    again = tmp_path / "again"
    found = run(record, Hollow(log=again), cases(*(k / 100 for k in range(40))), workers=2)
    assert len(found) == 40
    assert ran(again) == 40 - before


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_full_disk_keeps_what_had_ended(tmp_path: Path) -> None:
    """The limit of the file's pages stands for that of the disk."""
    path = tmp_path / "r.sqlite"
    with Record(path) as kept:
        kept._connection.execute("PRAGMA max_page_count = 12")
        with pytest.raises(
            OutputError, match=r"full.*finished runs are kept, start the study again"
        ):
            Runner("s", kept, "of", lambda: Here(Plain())).run(
                cases(*(k / 1000 for k in range(400)))
            )
        before = len(kept)
    assert before > 0
    with Record(path) as kept:
        assert (
            len(
                Runner("s", kept, "of", lambda: Here(Plain())).run(
                    cases(*(k / 1000 for k in range(400)))
                )
            )
            == 400
        )
        assert len(kept) == 400


VIEW = (
    "CREATE VIEW runs AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key + 1 FROM n) SELECT"
    " key, key AS status FROM n"
)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ["CREATE TABLE mail (letter TEXT)", "INSERT INTO mail VALUES ('mine')"],
            "is an SQLite file, but no record of studies",
        ),
        (
            [f"PRAGMA application_id={APPLICATION}", "PRAGMA user_version=99"],
            r"is a record of another version \(99\)",
        ),
        (
            ["PRAGMA user_version=1", "CREATE TABLE runs (key TEXT PRIMARY KEY)"],
            "is no record of studies, or one of a version before this",
        ),
        ([VIEW], "is an SQLite file, but no record of studies"),
        (
            [f"PRAGMA application_id={APPLICATION}", f"PRAGMA user_version={FORMAT}", VIEW],
            "is an SQLite file, but no record of studies",
        ),
        (
            ["PRAGMA journal_mode=WAL", "CREATE TABLE mail (letter TEXT)"],
            "is an SQLite file, but no record of studies",
        ),
    ],
)
def test_what_this_program_did_not_write_is_refused_and_left_as_it_is(
    tmp_path: Path, statements: list[str], message: str
) -> None:
    path = tmp_path / "r.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for each in statements:
            connection.execute(each)
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(OutputError, match=message):
        Record(path)
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    path.write_text("this is no database, and long enough to be seen as none" * 20)
    with pytest.raises(
        OutputError,
        match="is no record of studies; it is left as it is: choose another with --record",
    ):
        Record(path)
    with pytest.raises(OutputError, match="there is no folder"):
        Record(tmp_path / "nowhere" / "r.sqlite")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is no file"):
        Record(tmp_path / "pipe")


def test_a_record_that_is_read_only_or_in_use_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    with Record(path) as kept:
        kept._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(OutputError, match="is read-only; allow writing to both"):
            kept.keep("key", "s", Case(), CaseResult("infeasible"))
        kept._connection.execute("PRAGMA query_only = OFF")
        kept._connection.execute("PRAGMA busy_timeout = 0")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OutputError, match="is in use by another program"):
                kept.keep("key", "s", Case(), CaseResult("infeasible"))


@pytest.mark.parametrize(
    "edit",
    [
        "SET objective = 0.01, bound = 0.01",
        "SET status = 'optimal', objective = NULL",
        "SET key = 'another'",
        "SET figures = 'no json'",
        "SET stock = X'ff00'",
        "SET study = 'mine'",
    ],
)
def test_a_row_that_was_edited_or_damaged_is_not_believed_and_its_run_is_made_again(
    tmp_path: Path, edit: str
) -> None:
    path, log = tmp_path / "r.sqlite", tmp_path / "log"
    run(path, Hollow(), cases(0.1, 0.2))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE runs {edit} WHERE changes LIKE '%set 0.2;%'")
        connection.commit()
    with Record(path) as kept:
        runner = Runner("s", kept, "of", lambda: Here(Hollow(log=log).evaluator()))
        found = runner.run(cases(0.1, 0.2))
        assert (runner.kept, kept.damaged) == (1, 0 if "key" in edit else 1)
    assert ran(log) == 1
    assert [each.objective for each in found] == pytest.approx([0.35, 0.45])


def test_the_record_says_of_each_run_its_study_and_limit(tmp_path: Path) -> None:
    with Record(tmp_path / "r.sqlite") as kept:
        case = Case(
            note="shortfall at most 5",
            limit=("shortfall", 5.0),
            commits=(Commit("sign", "metlen", "low", "exactly", 0.0),),
        )
        kept.keep("key", "my study", case, CaseResult("optimal", 1, 1, 0, 2))
        row = kept._connection.execute("SELECT study, note, asked FROM runs").fetchone()
        assert kept.find("key") == CaseResult("optimal", 1.0, 1.0, 0.0, 2.0, stock=array("f"))
    assert row == (
        "my study",
        "shortfall at most 5",
        "shortfall at most 5; sign metlen low exactly 0",
    )


def test_a_result_survives_the_record(tmp_path: Path) -> None:
    whole = CaseResult(
        "feasible",
        1.5,
        1.25,
        0.2,
        0.1,
        "searched",
        "said",
        {"sign k": "low", "order o": 3.5},
        (1.0, 2.5),
    )
    with Record(tmp_path / "r.sqlite") as kept:
        kept.keep("key", "s", Case(), whole)
        found = kept.find("key")
    assert found is not None
    assert (found.status, found.objective, found.gap, found.figures, [*found.stock]) == (
        "feasible",
        1.5,
        0.2,
        whole.figures,
        [1.0, 2.5],
    )


def test_the_key_distinguishes_cases() -> None:
    plain = cases(0.1)[0]
    others = [
        *cases(0.2),
        Case(plain.changes, limit=("shortfall", 1.0)),
        Case(plain.changes, aim="shortfall"),
    ]
    assert len({each.key("of") for each in (plain, *others)} | {plain.key("other")}) == 5
    assert plain.key("of") == Case(plain.changes, note="another note").key("of")


def test_what_cases_taught_is_sent_before_the_next_task(tmp_path: Path) -> None:
    """Of more than a pipe holds, and none waits for the other to read.

    Who runs the last case has heard of all the other's but one.
    """
    found = run(
        tmp_path / "r.sqlite",
        Hollow("Telling", pause=0.02),
        cases(*(k / 40 for k in range(40))),
        workers=2,
    )
    by_process: dict[object, list[float]] = {}
    for each in found:
        heard = each.number("heard")
        assert heard is not None
        by_process.setdefault(each.figures["process"], []).append(heard)
    assert len(by_process) == 2
    mine, yours = by_process.values()
    assert max(mine) >= len(yours) - 1 or max(yours) >= len(mine) - 1
    assert max(mine) <= len(yours)
    assert max(yours) <= len(mine)


def test_the_key_of_a_workbook_is_the_same_in_every_process() -> None:
    """Else no run is found again in the record. Sets of text have another order in each process."""
    code = """
import optimiser as so
from optimiser.solving.search_options import Options
from optimiser.studies.engine.study_key import common
print(common(so.read("inputs/small.xlsx").stockpile, Options()))
"""
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(keys) == 1
