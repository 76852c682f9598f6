"""What the commands show on a terminal: one live line, its words, no noise elsewhere."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest
from rich.text import Text

import optimiser as so
from optimiser.cli.main import COMMANDS
from optimiser.cli.progress import LiveLine, clock, found, search_parts, study_parts
from optimiser.cli.solve_command import show_plan
from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from tests.support.commands import run
from tests.support.pages import PAGED

ROOT = Path(__file__).parents[1]
COMPLETED = "import sys; sys.argv = ['stockpile']; from optimiser.cli.main import main; main()"


def seen(columns: int, *arguments: object, **environment: str) -> tuple[str, str]:
    """Run a command whose standard error is a terminal of a width; return that and its output."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "TERM")}
    process = subprocess.Popen(
        [sys.executable, "-m", "optimiser", *map(str, arguments)],
        cwd=ROOT,
        env={**kept, "TERM": "xterm-256color", "OPENBLAS_NUM_THREADS": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=follower,
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    output, _ = process.communicate(timeout=120)
    os.close(leader)
    assert process.returncode == 0, shown
    return shown.decode(), output.decode()


def lines(shown: str) -> list[str]:
    """Return the texts that were shown, without what steers the terminal."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    return [each for each in re.split(r"[\r\n]+", plain) if each.strip()]


@pytest.mark.parametrize("columns", [60, 100])
def test_a_terminal_shows_one_line_that_fits(columns: int, tmp_path: Path) -> None:
    shown, output = seen(columns, "solve", "inputs/small.xlsx", "-o", tmp_path / "plan.xlsx")
    assert lines(shown), "a live line was expected"
    assert all(len(each) < columns for each in lines(shown))
    assert all(re.match(r"[|/\\-] \d+:\d\d  ", each) for each in lines(shown))
    assert "\x1b[36m" in shown  # in colour
    assert "incumbent" not in shown + output
    assert "630" in output


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("plan") / "plan.xlsx"
    so.solve("inputs/small.xlsx", output=target)
    return target


def test_an_audit_and_a_check_show_what_they_do(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, output = seen(60, "audit", "inputs/small.xlsx", plan)
    first = lines(shown)
    assert any(re.fullmatch(r"[|/\\-] \d+:\d\d  recomputing the plan", each) for each in first)
    assert "agrees with" in output
    shown, output = seen(60, "check", "inputs/small.xlsx")
    assert any("  reading and checking small.xlsx" in each for each in lines(shown))
    assert output.startswith("inputs/small.xlsx: no error")
    assert run(capsys, "check", "inputs/small.xlsx").err == "", "nothing where it is piped"
    assert run(capsys, "audit", "inputs/small.xlsx", plan).err.startswith("not checked:")


def test_a_plan_is_shown_in_short_and_wholly_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    solved = so.solve(so.from_tables(PAGED), what_ifs=("adequacy",))
    assert solved.plan is not None
    show_plan(solved, False)
    short = capsys.readouterr().out
    show_plan(solved, True)
    whole = " ".join(capsys.readouterr().out.split())
    flat = " ".join(short.split())
    costs = "The cost that is minimised, expected over the scenarios and discounted to 2027-01-01"
    for said in (costs, "In the base scenario pay", "Proven: no plan costs less."):
        assert said in flat
        assert said in whole
    assert "To do first, before 2027-07" in short
    assert sum(each.startswith("2027-") for each in short.splitlines()) >= 5
    assert "embargo" in flat, "what was asked besides is answered"
    for listed in (
        "order 36 kg of gallium in 2 orders",
        "Why not",
        "No cash, but added",
        "flood  ",
    ):
        assert listed not in short
        assert " ".join(listed.split()) in whole
    assert len(short.splitlines()) < 60


def test_no_color_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "plan.xlsx"
    shown, output = seen(100, "solve", "inputs/small.xlsx", "-o", target, NO_COLOR="1")
    assert lines(shown)
    assert not re.search(r"\x1b\[(3[0-7]|9[0-7]|38)[;m]", shown + output)


def test_quiet_shows_no_progress(tmp_path: Path) -> None:
    target = tmp_path / "plan.xlsx"
    shown, output = seen(100, "solve", "inputs/small.xlsx", "-o", target, "--quiet")
    assert lines(shown) == []
    assert "630" in output


def test_what_is_piped_has_a_line_for_a_plan_and_no_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, "solve", "inputs/small.xlsx", "-o", tmp_path / "plan.xlsx")
    assert "\x1b" not in ran.out + ran.err
    assert re.fullmatch(r"0:\d\d  found 6[37]0\S*, .*\n", ran.err)


def progress(**changes: object) -> so.Progress:
    known: dict[str, object] = {
        "stage": 1,
        "stages": 1,
        "objective": "cost",
        "seconds": 1.0,
        "nodes": 0,
        "incumbent": 58.8e6,
        "bound": 58.63e6,
        "gap": 0.0029,
        "phase": "branching",
    }
    return so.Progress(**{**known, **changes})  # type: ignore[arg-type]


def test_a_plan_is_said_in_words_for_officers() -> None:
    assert found(progress()) == "found 58.8 million, at most 0.29 % above the best"
    assert found(progress(gap=0.00291)) == "found 58.8 million, at most 0.3 % above the best"
    assert found(progress(gap=0.0)) == "found 58.8 million, the best"
    assert found(progress(gap=None, bound=None)) == "found 58.8 million"
    assert found(progress(incumbent=None, gap=None)) == "no plan yet"
    assert search_parts(progress(phase="HiGHS"))[1] == "searching"
    assert search_parts(progress(stages=2, objective="shortfall"))[1] == "shortfall: branching"


def test_the_clock_moves_on_its_own() -> None:
    line = LiveLine(said=search_parts(progress()), limit=300)
    now, later = line.text(100, 12.0), line.text(100, 75.25)
    assert "0:12  found" in now.plain
    assert "at most 4:48 left" in now.plain
    assert "1:15  found" in later.plain
    assert "at most 3:44 left" in later.plain
    assert now.plain[0] == "|"
    assert later.plain[0] == "/"
    short = line.text(60, 12.0)
    assert isinstance(short, Text)
    assert len(short.plain) < 60
    assert "at most 0.29 % above the best" in short.plain
    assert clock(3725) == "1:02:05"


def test_a_study_says_what_is_left() -> None:
    made = so.StudyProgress("tornado", 4, 10, 2, 20.0)
    assert study_parts(made) == (
        "tornado: 4 of 10 runs",
        "1:00 left",
        "2 from the record",
        "0.1 a second",
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: str(each.name))
def test_the_help_of_each_command_has_an_example(
    command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, command.name, "--help")
    (example,) = re.findall(r"Example:\s+(.*)", ran.out.replace("\n", " "))
    assert f"stockpile {command.name} " in " ".join(example.split())
    words = example.split("stockpile ")[1].replace('"', "").replace(")", "").split()
    known = {opt for each in command.params for opt in (*each.opts, *each.secondary_opts)}
    assert {each for each in words if each.startswith("-")} <= known


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_completes_the_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "completion", shell)
    assert f"_STOCKPILE_COMPLETE={shell}_complete" in ran.out


def test_the_completion_lists_commands() -> None:
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv = ['stockpile']; from optimiser.cli.main import main; main()",
        ],
        env={
            **os.environ,
            "_STOCKPILE_COMPLETE": "zsh_complete",
            "COMP_WORDS": "stockpile so",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "solve" in listed.stdout.splitlines()


def test_no_figure_is_cut_where_a_terminal_is_narrow() -> None:
    """Figures of a table wrap at 24 columns; before, what was beyond was an ellipsis."""
    from optimiser.cli.terminal import Plain, drawn

    titles = "heading", "cost of the plan", "cost of the other plan"
    amounts = Precision("money", [123456789.0])
    columns = (FigureColumn(titles[0]), *(FigureColumn(each, amounts) for each in titles[1:]))
    lines = (FigureLine(("purchases", 123456789.0, 987654321.0)),)
    console = Plain(width=24, record=True, file=io.StringIO())
    console.print(drawn(TableFigure("costs", "", columns, lines)))
    shown = console.export_text()
    assert "…" not in shown
    assert sorted(filter(str.isdigit, shown)) == sorted("123456789987654321")
