"""The command line as an officer uses it: what it prints, where, and with which exit status."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from optimiser.api.planning import planner
from optimiser.explaining import bounded_solve
from tests.support.books import book
from tests.support.commands import run, stockpile

ROOT = Path(__file__).parents[1]

TABLES: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 4, "mip_gap": 0},
    "materials": [{"material": "gallium", "shelf_life_months": 3}],
    "suppliers": [{"supplier": "smelter"}],
    "offers": [
        {
            "offer": "spot",
            "supplier": "smelter",
            "material": "gallium",
            "price": 5,
            "order_cost": 12,
            "capacity": 100,
        }
    ],
    "demand": [{"material": "gallium", "from": "2027-01-01", "to": "2027-04-30", "quantity": 10}],
    "funds": [{"fund": "treasury"}],
    "budgets": [{"fund": "treasury", "from": "2027-01-01", "amount": 1000}],
}
# Two orders feed four months of a metal that keeps for three: 40 kg at 5 and 2 orders at 12.
OPTIMUM = 40 * 5 + 2 * 12


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "mine.xlsx"
    book(path, TABLES)
    return path


def changed(path: Path, table: str, **cells: object) -> Path:
    book(path, {**TABLES, table: [{**TABLES[table][0], **cells}]})
    return path


def test_solve_writes_a_plan_next_to_the_workbook_and_leaves_the_workbook_alone(
    workbook: Path,
) -> None:
    before = workbook.read_bytes()
    ran = stockpile("solve", workbook, "--json", cwd=workbook.parent)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["status"] == "optimal"
    assert found["objective"] == pytest.approx(OPTIMUM)
    assert found["bound"] == pytest.approx(OPTIMUM)
    assert found["gap"] == 0
    assert sum(found["costs"].values()) == pytest.approx(OPTIMUM)
    assert found["costs"]["order_costs"] == pytest.approx(24)
    assert (found["waste"], found["shortfall"]) == (0, 0)
    assert Path(found["plan"]) == workbook.parent / "mine-plan.xlsx"
    assert found["seconds"] > 0
    assert workbook.read_bytes() == before
    assert sorted(path.name for path in workbook.parent.iterdir()) == [
        "mine-plan.xlsx",
        "mine.xlsx",
    ]


def test_without_json_the_verdict_is_on_standard_output_and_progress_on_standard_error(
    workbook: Path,
) -> None:
    ran = stockpile("solve", workbook, "-o", "plan.xlsx", "--all", cwd=workbook.parent)
    assert ran.returncode == 0
    assert "Order 40 kg in 2 orders from smelter." in ran.stdout
    assert "found " in ran.stderr
    assert "found " not in ran.stdout


def test_one_seed_makes_one_plan_with_any_number_of_threads_and_any_order_of_sets(
    tmp_path: Path,
) -> None:
    found = []
    for number in (1, 2):
        plan = tmp_path / f"plan{number}.xlsx"
        command = [
            sys.executable,
            "-m",
            "optimiser",
            "solve",
            "inputs/small.xlsx",
            "-o",
            str(plan),
            "--threads",
            str(number),
        ]
        environment = {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'models'}",
            "PATH": "/usr/bin:/bin",
            "PYTHONHASHSEED": str(number),
        }
        subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=True
        )
        sheets = openpyxl.load_workbook(plan)
        found.append(
            {
                sheet.title: list(sheet.iter_rows(values_only=True))
                for sheet in sheets
                if sheet.title != "run"
            }
        )
    assert found[0] == found[1]


def test_set_changes_one_run_only(workbook: Path) -> None:
    changes = [
        "--set",
        "offers[spot].order_cost set 0",
        "--set",
        "demand[gallium].quantity scale 2",
    ]
    ran = stockpile("solve", workbook, "--json", *changes, cwd=workbook.parent)
    assert json.loads(ran.stdout)["objective"] == pytest.approx(400)


@pytest.mark.parametrize(
    "change",
    ["offers[spot].order_cost", "offers[spto].order_cost set 0", "offers[spot].capacity set -1"],
)
def test_a_change_that_makes_no_sense_is_refused_in_one_line(workbook: Path, change: str) -> None:
    ran = stockpile("solve", workbook, "--set", change, cwd=workbook.parent)
    assert ran.returncode in (1, 2)
    assert "Traceback" not in ran.stderr
    assert not (workbook.parent / "mine-plan.xlsx").exists()


def test_check_is_silent_about_a_sound_workbook_but_for_one_line(workbook: Path) -> None:
    ran = stockpile("check", workbook, cwd=workbook.parent)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("\n") == 1


def test_every_fault_gives_a_line_with_its_cell_and_nothing_is_written(tmp_path: Path) -> None:
    path = changed(tmp_path / "bad.xlsx", "offers", capacity=-5, supplier="smeltr", duty=25)
    for command in (["check", path], ["solve", path], ["solve", path, "--json"]):
        ran = stockpile(*command, cwd=tmp_path)
        assert ran.returncode == 1
        assert ran.stdout == ""
        assert "Traceback" not in ran.stderr
        lines = ran.stderr.splitlines()
        assert len(lines) == 2, ran.stderr  # a duty of 2500 % is odd and no fault
        assert all(line.startswith("offers!") for line in lines)
        assert "the nearest there is 'smelter'" in ran.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["bad.xlsx"]


def test_infeasible_names_the_short_limits_with_their_cells(tmp_path: Path) -> None:
    path = changed(tmp_path / "poor.xlsx", "budgets", amount=124)
    ran = stockpile("solve", path, "--json", cwd=tmp_path)
    assert ran.returncode == 3
    found = json.loads(ran.stdout)
    assert found["status"] == "infeasible"
    assert found["plan"] is None
    assert "raise `budgets!C2` from 124 to at least 224" in ran.stderr
    assert "demand!D2" in ran.stderr
    assert "budgets!C2" in found["repairs"][0]["cells"]
    assert not (tmp_path / "poor-plan.xlsx").exists()


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"outlets": [{"outlet": "trader", "material": "gallium", "form": "sale", "price": 6}]},
            "buying under spot together with rotating out through trader (outlets!A2)",
        ),
        (
            {
                "materials": [{"material": "gallium", "closing_value": 1, "price_index": "market"}],
                "prices": [{"date": "2027-01-01", "market": 9}],
            },
            "buying under spot together with the value at the end of gallium (materials!B2)",
        ),
    ],
)
def test_a_profit_without_limit_is_wrong_input(
    tables: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """In words and cells, also where scenarios are planned in bundles."""
    found = {name: rows for name, rows in TABLES.items() if name not in ("funds", "budgets")}
    path = book(tmp_path / "endless.xlsx", found | {"offers": [ENDLESS]} | tables)
    ran = stockpile("solve", path, cwd=tmp_path)
    line = f"offers!D2: {said} earns without limit: give one of them a capacity or total, or"
    assert (ran.returncode, ran.stderr) == (1, f"{line} look at the prices\n")
    parted = {
        "scenarios": [{"scenario": "war", "probability": 0.5}],
        "events": [
            {"scenario": "war", "table": "demand", "column": "quantity", "from": "2027-01-01",
             "how": "add", "value": 1}
        ],
    }  # fmt: skip
    path = book(tmp_path / "parted.xlsx", found | {"offers": [ENDLESS]} | tables | parted)
    ran = stockpile("solve", path, "--bundles", 2, "--workers", 1, cwd=tmp_path)
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (1, f"{line} look at the prices")


ENDLESS = {
    "offer": "spot", "supplier": "smelter", "material": "gallium", "capacity": None, "price": 5,
}  # fmt: skip


def test_the_input_is_never_the_output(workbook: Path) -> None:
    before = workbook.read_bytes()
    for option in ("-o", "--write-model"):
        ran = stockpile("solve", workbook, option, workbook, cwd=workbook.parent)
        assert ran.returncode == 2
        assert "never written to" in ran.stderr
    assert workbook.read_bytes() == before


def test_the_model_can_be_written_and_another_solver_named(workbook: Path) -> None:
    ran = stockpile(
        "solve",
        workbook,
        "--solver",
        "appsi_highs",
        "--write-model",
        "model.lp",
        "--json",
        cwd=workbook.parent,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["objective"] == pytest.approx(OPTIMUM)
    assert "buy(spot,0)" in (workbook.parent / "model.lp").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--gap", "2"],
        ["--gap", "-0.1"],
        ["--time-limit", "0"],
        ["--threads", "-1"],
        ["--solver", "nobody"],
        ["-o", "nowhere/plan.xlsx"],
        ["--write-model", "model.txt"],
        ["--frobnicate"],
    ],
)
def test_a_wrong_command_line_ends_with_2_and_without_a_plan(
    workbook: Path, arguments: list[str]
) -> None:
    ran = stockpile("solve", workbook, *arguments, cwd=workbook.parent)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert not (workbook.parent / "mine-plan.xlsx").exists()


def test_shortfall_first_spends_what_it_takes(tmp_path: Path) -> None:
    tables = {
        **TABLES,
        "materials": [{"material": "gallium", "shelf_life_months": 3, "shortage_cost": 1}],
    }
    path = tmp_path / "short.xlsx"
    for objective, shortfall in (("cost", 40), ("shortfall_first", 0)):
        book(path, {**tables, "settings": {**TABLES["settings"], "objective": objective}})
        found = json.loads(stockpile("solve", path, "--json", cwd=tmp_path).stdout)
        assert found["shortfall"] == pytest.approx(shortfall)


def hard_tables() -> dict[str, Any]:
    """A workbook that finds plans at once and cannot be proven for a long time: lots and order
    costs everywhere.
    """
    offers = [
        {
            "offer": f"offer {k}",
            "supplier": "smelter",
            "material": "gallium",
            "price": 5 + k % 3 + k / 100,
            "order_cost": 40 + 7 * k % 11,
            "capacity": 50 + 13 * k % 17,
            "lot_size": 3 + k % 5,
            "minimum_order": 9,
            "total": 300 + k,
        }
        for k in range(12)
    ]
    demand = [
        {
            "material": "gallium",
            "from": f"{2027 + k // 12}-{k % 12 + 1:02d}-01",
            "quantity": 31 + 17 * k % 23,
        }
        for k in range(60)
    ]
    materials = [{"material": "gallium", "shelf_life_months": 5, "holding_cost": 0.07}]
    return {
        **TABLES,
        "settings": {"start": "2027-01-01", "periods": 60, "mip_gap": 0},
        "materials": materials,
        "offers": offers,
        "demand": demand,
        "funds": [{"fund": "treasury"}],
        "budgets": [{"fund": "treasury", "amount": 1e6}],
    }


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_keep_and_write_the_best_plan_so_far(
    ending: signal.Signals, tmp_path: Path
) -> None:
    """Also where the shell has it ignore Ctrl-C, as in the background of a script."""
    path = book(tmp_path / "hard.xlsx", hard_tables())
    ignoring = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    command = [
        *ignoring,
        sys.executable,
        "-m",
        "optimiser",
        "solve",
        str(path),
        "--json",
        "--time-limit",
        "600",
    ]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'models'}", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as ran:
        assert ran.stderr is not None
        for line in ran.stderr:
            if "found " in line:
                break
        ran.send_signal(ending)
        out, said = ran.communicate(timeout=240)
    assert ran.returncode == 0, said
    found = json.loads(out)
    assert found["status"] == "feasible"
    assert found["gap"] > 0
    assert found["bound"] < found["objective"]
    assert Path(found["plan"]).exists()


def test_no_plan_within_the_time_limit_ends_with_4(tmp_path: Path) -> None:
    path = book(tmp_path / "hard.xlsx", hard_tables())
    ran = stockpile("solve", path, "--json", "--time-limit", "0.0001", cwd=tmp_path)
    assert ran.returncode == 4, ran.stdout
    assert json.loads(ran.stdout)["status"] == "no_plan"
    assert not (tmp_path / "hard-plan.xlsx").exists()


def test_check_writes_what_is_wrong_as_a_workbook(tmp_path: Path) -> None:
    bad, good = (
        changed(tmp_path / "bad.xlsx", "offers", capacity=-5),
        book(tmp_path / "good.xlsx", TABLES),
    )
    for path, status, rows in ((bad, 1, 2), (good, 0, 2)):
        ran = stockpile("check", path, "--errors", "errors.xlsx", cwd=tmp_path)
        assert ran.returncode == status, ran.stderr
        assert openpyxl.load_workbook(tmp_path / "errors.xlsx")["errors"].max_row == rows
    before = bad.read_bytes()
    assert stockpile("check", bad, "--errors", bad, cwd=tmp_path).returncode == 2
    assert bad.read_bytes() == before


def test_what_is_odd_is_reported_and_stands_in_the_plan(tmp_path: Path) -> None:
    path = changed(tmp_path / "odd.xlsx", "offers", duty=3)
    told = (
        "offers!G2: duty is 3, which is 3 times 100 %: shares and rates are fractions, 0.25 is 25 %"
    )
    for command in ("check", "solve"):
        ran = stockpile(command, path, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert f"warning: {told}" in ran.stderr.splitlines()
    summary = openpyxl.load_workbook(tmp_path / "odd-plan.xlsx")["summary"]
    assert any(told in str(cell.value) for row in summary.iter_rows() for cell in row)


def test_what_has_no_plan_is_reported_before_the_search(tmp_path: Path) -> None:
    path = changed(tmp_path / "poor.xlsx", "budgets", amount=199)
    ran = stockpile("solve", path, cwd=tmp_path)
    assert ran.returncode == 3
    assert "no plan exists" in ran.stderr.splitlines()[0]


# --- Where output goes, and what nobody foresaw ---------------------------------------------------


def system_stream(path: str | Path, encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(io.FileIO(path, "w")), encoding=encoding)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("where", ["full", "closed"])
def test_a_standard_output_that_cannot_be_written_is_reported_and_the_plan_stands(
    options: list[str],
    where: str,
    workbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdout", system_stream("/dev/full") if where == "full" else None)
    ran = run(capsys, "solve", workbook, *options)
    plan = workbook.with_name("mine-plan.xlsx")
    assert ran.status == 0
    assert openpyxl.load_workbook(plan, read_only=True).sheetnames[0] == "summary"
    assert f"The plan is in {plan}" in ran.err
    assert "standard output cannot be written" in ran.err
    monkeypatch.setattr(sys, "stdout", system_stream("/dev/full") if where == "full" else None)
    assert (
        run(
            capsys, "audit", workbook, changed(workbook.with_name("x.xlsx"), "offers", price=6)
        ).status
        == 1
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_the_output_does_not_have_are_escaped(
    encoding: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = book(
        tmp_path / "βook.xlsx", {**TABLES, "settings": {**TABLES["settings"], "title": "Γάλλιο 镓"}}
    )
    monkeypatch.setattr(sys, "stdout", system_stream(tmp_path / "out", encoding))
    assert run(capsys, "solve", source).status == 0
    assert "\\u9553: optimal" in (tmp_path / "out").read_text(encoding)


def test_names_of_files_that_are_no_text_are_written_as_escapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        source = book(tmp_path / os.fsdecode(b"b\xff.xlsx"), TABLES)
    except OSError:
        pytest.skip("names of files are text here")
    plan, errors, both = (
        tmp_path / os.fsdecode(name + b"\xff.xlsx") for name in (b"p", b"e", b"c")
    )
    assert run(capsys, "check", source, "--errors", errors).status == 0
    assert run(capsys, "solve", source, "-o", plan).status == 0
    assert run(capsys, "compare", source, plan, "-o", both).status == 0
    assert any(
        row == ("input", "b\\udcff.xlsx")
        for row in openpyxl.load_workbook(plan)["run"].iter_rows(values_only=True)
    )


def test_what_nobody_foresaw_is_one_line_and_70(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a figure\nis nothing")

    monkeypatch.setattr(planner, "build", fail)
    ran = run(capsys, "solve", workbook)
    assert (ran.status, ran.out) == (70, "")
    assert ran.err.startswith(
        "internal error, please report it: ZeroDivisionError: a figure is nothing (test_cli.py:"
    )
    assert ran.err.count("\n") == 1
    monkeypatch.setenv("STOCKPILE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        run(capsys, "solve", workbook)


def test_a_request_in_vain_is_reported_before_the_search(
    workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bounded_solve, "solve", None)
    for option in ("--shares", "--value"):
        ran = run(capsys, "solve", workbook, option)
        assert ran.status == 1
        assert f"{option} needs" in ran.err
