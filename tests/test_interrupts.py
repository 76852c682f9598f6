"""Ctrl-C, SIGTERM and SIGHUP: before there is a plan they end the command, afterwards they keep the
plan.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from optimiser.api import compared_plans, decision_memo
from optimiser.api.planning import planner
from optimiser.cli import memo_command, solve_command
from optimiser.explaining import bounded_solve
from optimiser.solving import highs
from optimiser.solving.solve import Options, Progress, solve
from optimiser.studies.repairs import repair_search
from optimiser.system import interrupts
from optimiser.system.interrupts import Interrupt
from tests.support.books import book
from tests.support.commands import run
from tests.support.hard import knapsacks
from tests.test_cli import ROOT, TABLES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.fixture(autouse=True)
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The handlers of the command line, and nothing seen yet."""
    for name in ("_seen", "_ending"):
        monkeypatch.setattr(interrupts, name, threading.Event())
    numbers = [getattr(signal, name) for name in ENDINGS]
    known = {number: signal.signal(number, interrupts._pressed) for number in numbers}
    yield
    for number, handler in known.items():
        signal.signal(number, handler)


def press(name: str = "SIGINT") -> None:
    signal.raise_signal(getattr(signal, name))


@pytest.mark.parametrize("name", ENDINGS)
def test_what_there_may_be_to_keep_is_kept_at_the_first_signal_only(name: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        press(name)
    with Interrupt() as outer, Interrupt() as inner:
        press(name)
        assert inner.requested
        if name == "SIGINT":
            with pytest.raises(KeyboardInterrupt):
                press(name)
        else:
            press(name)  # a batch system and a terminal that closes send more than one
            press("SIGHUP")
    assert outer.requested
    with Interrupt() as later:
        assert later.requested == (name != "SIGINT"), (
            "a program that is to end begins no other search"
        )
    with Interrupt(keeps=False), pytest.raises(KeyboardInterrupt):
        press()


PHASES: dict[str, tuple[Any, str]] = {
    "reading": (planner, "book_of"),
    "building": (planner, "build"),
    "the model file": (planner, "write_model"),
    "before the search": (bounded_solve, "solve"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_before_there_is_a_plan_the_command_ends_with_130(
    phase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = book(tmp_path / "book.xlsx", TABLES)
    place, name = PHASES[phase]
    pressing(monkeypatch, place, name, "SIGTERM")
    options = ["--write-model", tmp_path / "model.mps"]
    if phase == "before the search":  # the press is noted, and nothing is searched
        monkeypatch.setattr(highs, "load", None)
        options = []
    ran = run(capsys, "solve", source, *options)
    assert ran.status == 130
    assert "interrupted" in ran.err
    assert not (tmp_path / "book-plan.xlsx").exists()


def pressing(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, which: str) -> None:
    plain: Callable[..., Any] = getattr(place, name)

    def pressed(*arguments: Any, **named: Any) -> Any:
        press(which)
        return plain(*arguments, **named)

    monkeypatch.setattr(place, name, pressed)


def test_why_there_is_no_plan_is_not_worked_out_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = book(
        tmp_path / "poor.xlsx",
        {**TABLES, "budgets": [{"fund": "treasury", "from": "2027-01-01", "amount": 124}]},
    )
    pressing(monkeypatch, repair_search, "effects", "SIGINT")
    assert run(capsys, "solve", source).status == 130
    pressing(monkeypatch, bounded_solve, "solve", "SIGINT")
    monkeypatch.setattr(highs, "load", None)
    monkeypatch.setattr(compared_plans, "is_plan", lambda _: False)
    assert run(capsys, "compare", source, source).status == 130


@pytest.mark.parametrize("name", ["make_plan", "with_what_ifs", "write"])
@pytest.mark.parametrize("which", ["SIGINT", "SIGTERM"])
def test_once_there_is_a_plan_it_is_written(
    name: str,
    which: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = book(tmp_path / "book.xlsx", TABLES)
    pressing(monkeypatch, planner, name, which)
    ran = run(capsys, "solve", source, "--firm", "--json")
    assert ran.status == 0, ran.err
    assert (tmp_path / "book-plan.xlsx").exists()
    assert ("has none of the comparisons still to be run" in ran.err) == name.startswith("with_")
    assert ('"firm"' in ran.out) == (name == "write")


@pytest.mark.parametrize("which", ["SIGINT", "SIGTERM"])
def test_what_is_printed_of_a_plan_does_not_change_its_exit_status(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = book(tmp_path / "book.xlsx", TABLES)
    pressing(monkeypatch, solve_command, "show_plan", which)
    ran = run(capsys, "solve", source)
    assert ran.status == 0, ran.err
    assert f"The plan is in {tmp_path / 'book-plan.xlsx'}" in ran.out


def test_what_stands_is_said_where_a_command_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = book(tmp_path / "book.xlsx", TABLES)
    assert run(capsys, "solve", source).status == 0
    plan, memo = tmp_path / "book-plan.xlsx", tmp_path / "book-plan-memo.docx"
    with monkeypatch.context() as early:
        pressing(early, decision_memo, "load_plan", "SIGINT")
        assert "interrupted; nothing was written" in run(capsys, "memo", plan).err
    assert not memo.exists()
    pressing(monkeypatch, memo_command, "answer", "SIGINT")
    ran = run(capsys, "memo", plan)
    assert ran.status == 130
    assert f"interrupted; {memo} was written" in ran.err
    assert memo.exists()


ENDING = """
import os, signal
from optimiser.__main__ import main

class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

late = Late()
main()
"""


def test_a_signal_at_the_very_end_leaves_the_exit_status(tmp_path: Path) -> None:
    """An interpreter that ends has given SIGTERM back to the system, which kills it."""
    written = tmp_path / "new.xlsx"
    command = [sys.executable, "-c", ENDING, "template", str(written)]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'models'}", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert written.exists()


@pytest.mark.parametrize("found", [True, False])
def test_a_search_that_does_not_hear_is_left_behind(
    found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HiGHS looks up only now and then. Its best plan so far is handed over as it is found."""
    deaf: list[Any] = []
    stop = highs.stop
    monkeypatch.setattr(highs, "stop", deaf.append)
    monkeypatch.setattr(highs, "LEAVING", 0.1)
    if not found:
        monkeypatch.setattr(highs._Progress, "keep", lambda *_: None)

    def report(progress: Progress) -> None:
        if progress.incumbent is not None and not deaf:
            press("SIGTERM")

    m, options = knapsacks(), Options(gap=0.0, time_limit=60, threads=1)
    try:
        if found:
            outcome = solve(m, options, report)
            assert (outcome.status, outcome.interrupted) == ("feasible", True)
            assert outcome.bound < outcome.objective < 0  # type: ignore[operator]
            assert m.take[0].value in (0.0, 1.0)
        else:
            with pytest.raises(KeyboardInterrupt):
                solve(m, options, report)
    finally:
        for h in deaf:
            stop(h)


def test_what_the_parent_has_ignored_stays_so_but_for_a_ctrl_c_that_is_meant_for_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    monkeypatch.setattr(signal, "set_wakeup_fd", lambda *_, **__: -1)
    for shares in (True, False):
        monkeypatch.setattr(interrupts, "_shares_terminal", lambda shares=shares: shares)
        for name in ENDINGS:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        interrupts.listen()
        heard = [
            name
            for name in ENDINGS
            if signal.getsignal(getattr(signal, name)) is interrupts._pressed
        ]
        assert heard == ([] if shares else ["SIGINT"])
