"""`stockpile adequacy`, and `solve --adequacy`, as an officer runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import optimiser as so
from optimiser.system.interrupts import INTERRUPTED
from tests.support.commands import run

SMALL = Path(__file__).parents[2] / "inputs" / "small.xlsx"


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own takes seconds to start."""
    monkeypatch.setattr("optimiser.api.planning.planner.processes", lambda _: 0)


def test_it_prints_a_line_for_each_year_and_writes_a_plan_that_can_be_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "assessed.xlsx"
    ran = run(capsys, "adequacy", SMALL, "-o", target)
    assert ran.status == 0
    assert "In an embargo nothing new can be ordered" in ran.out
    assert "FY2030" in ran.out
    sheets = openpyxl.load_workbook(target).sheetnames
    assert {"summary", "adequacy", "embargo"} <= {*sheets}
    assert run(capsys, "audit", SMALL, target).status == 0


def test_an_edited_figure_of_the_workbook_is_found_by_the_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "assessed.xlsx"
    so.adequacy(SMALL, output=target)
    book = openpyxl.load_workbook(target)
    sheet = book["embargo"]
    titles = [str(cell.value).split(" [")[0].lower() for cell in sheet[1]]
    cell = sheet.cell(2, titles.index("unmet") + 1)
    cell.value = 7
    book.save(target)
    ran = run(capsys, "audit", SMALL, target)
    assert ran.status == 1
    assert f"embargo!{cell.coordinate}" in ran.out + ran.err


def test_as_json_it_is_one_object_and_changes_are_made_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "-o", tmp_path / "a.xlsx"
    found = json.loads(run(capsys, "adequacy", SMALL, *where, "--json").out)
    assert (found["status"], found["plan"]) == ("optimal", str(where[1]))
    assert [each["unmet"] for each in found["embargo"]] == [120, 90, 100, 90]
    change = "--set", "demand[*].quantity scale 0.5"
    ran = run(capsys, "adequacy", SMALL, *where, *change, "--json")
    assert json.loads(ran.out)["embargo"][0]["demand"] == 60


def test_solve_answers_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "plan.xlsx"
    ran = run(capsys, "solve", SMALL, "-o", target, "--adequacy", "--json")
    assert [each["unmet"] for each in json.loads(ran.out)["embargo"]] == [120, 90, 100, 90]
    assert (tmp_path / "plan.sqlite").exists()


def test_without_a_plan_it_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change = "--set", "demand[*].quantity = 1000"
    ran = run(capsys, "adequacy", SMALL, "-o", tmp_path / "a.xlsx", *change)
    assert (ran.status, ran.out.strip()) == (3, "")
    assert "No plan keeps every limit" in ran.err
    assert not (tmp_path / "a.xlsx").exists()


def test_an_interrupt_keeps_the_plan_and_says_that_it_is_not_assessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("optimiser.api.planning.planner.with_what_ifs", interrupted)
    ran = run(capsys, "adequacy", SMALL, "-o", tmp_path / "a.xlsx")
    assert ran.status == INTERRUPTED
    assert "the supply was not assessed" in ran.err
    assert (tmp_path / "a.xlsx").exists()
