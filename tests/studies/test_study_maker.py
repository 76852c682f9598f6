"""The whole: a workbook with studies in, a workbook of studies and a record out."""

from __future__ import annotations

import datetime as dt
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from optimiser.cli import cli
from optimiser.errors import InputError, OutputError
from optimiser.studies.case import Result
from optimiser.studies.kinds import Table
from optimiser.studies.record import Record
from optimiser.studies.tables import by_name, every_input
from optimiser.study_maker import Request, make_studies
from optimiser.workbook.read import read
from optimiser.workbook.study_book import Answered, Ran, compose
from stockpile_model.data import Settings
from tests.support.books import book

START = dt.date(2027, 1, 1)


@pytest.fixture
def tables() -> dict[str, Any]:
    return {
        "settings": {"start": START, "periods": 3, "title": "studied"},
        "materials": [{"material": "ga", "shortage_cost": 90}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [
            {"offer": "spot", "supplier": "plant", "material": "ga", "price": 10, "price_low": 8, "price_high": 14, "order_cost": 5}
        ],
        "demand": [{"material": "ga", "from": START, "to": dt.date(2027, 3, 1), "quantity": 10}],
        "funds": [{"fund": "nds"}],
        "budgets": [
            {"fund": "nds", "from": START, "amount": 200, "amount_low": 150, "amount_high": 260},
            {"fund": "nds", "from": dt.date(2027, 2, 1), "amount": 150},
        ],
        "studies": [
            {"study": "grid", "kind": "sweep", "table": "offers", "row": "spot", "column": "price", "low": 8, "high": 12, "steps": 2},
            {"study": "grid", "kind": "sweep", "table": "budgets", "row": "row 2", "column": "amount", "low": 0, "high": 300, "steps": 2},
            {"study": "lean", "kind": "threshold", "table": "budgets", "row": "nds", "column": "amount", "how": "scale", "low": 0.1,
             "high": 1.5, "steps": 4, "decision": "target"},
        ],
    }  # fmt: skip


def faults(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(path)
    return [str(fault) for fault in caught.value.faults]


def test_a_workbook_of_studies(tmp_path: Path, tables: dict[str, Any]) -> None:
    made = make_studies(Request(source=book(tmp_path / "book.xlsx", tables), workers=1), lambda _: None)
    assert made.path == tmp_path / "book-study.xlsx"
    assert made.record == tmp_path / "book-study.sqlite"
    found = openpyxl.load_workbook(made.path)
    assert found.sheetnames == ["summary", "1 sweep cost", "1 sweep shortfall", "2 threshold", "runs", "run"]
    runs = [[cell.value for cell in row] for row in found["runs"].iter_rows()]
    assert [row[4] for row in runs[1:5]] == ["optimal"] * 4
    assert runs[0][:5] == ["Study", "Run", "For", "Changes", "Status"]
    assert runs[1][3] == "offers[spot].price set 8; budgets[row 2].amount set 0"
    with Record(made.record) as record:
        assert len(record) == len({row[3] for row in runs[1:]} | {None}) - 1


def test_started_again_nothing_is_run(tmp_path: Path, tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(source=book(tmp_path / "book.xlsx", tables), workers=1)
    first = make_studies(request, lambda _: None)
    monkeypatch.setattr("optimiser.study_maker.Processes", None)
    again = make_studies(request, lambda _: None)
    assert [table.rows for each in again.answers for table in each.tables] == [
        table.rows for each in first.answers for table in each.tables
    ]


def test_everything_needs_no_study(tmp_path: Path, tables: dict[str, Any]) -> None:
    del tables["studies"]
    path = book(tmp_path / "book.xlsx", tables)
    made = make_studies(Request(source=path, everything=True, workers=1), lambda _: None)
    (table,) = made.answers[0].tables
    names = {row[0]: row[1:3] for row in table.rows}
    assert names["offers[spot].price"] == (8, 14)
    assert names["budgets[row 2].amount"] == (150, 260)
    assert names["budgets[row 3].amount"] == pytest.approx((135, 165))
    assert "settings.periods" not in names
    with pytest.raises(InputError, match="there is no study: add a sheet studies"):
        make_studies(Request(source=path), lambda _: None)


def test_every_number_of_a_sample_can_be_changed() -> None:
    stockpile = read("inputs/gallium.xlsx").stockpile
    every = [*every_input(stockpile)]
    assert len(every) > 200
    assert len({each.name for each in every}) == len(every)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": "ofers"}, "studies!C2: the workbook has no table 'ofers' (did you mean 'offers'?)"),
        ({"row": "sport"}, "studies!D2: offers has no row 'sport' (did you mean 'spot'?)"),
        ({"column": "prise"}, "studies!E2: offers has no column 'prise' (did you mean 'price'?)"),
        ({"table": None}, "studies!C2: table is required: which cell is changed"),
        ({"low": 12, "high": 12}, "studies!G2: high must be above low, found 12 and 12"),
        ({"column": "supplier"}, "studies!E2: offers!B2: supplier can be set, not added to"),
        ({"kind": "tornado"}, "studies!B3: kind must be tornado as in row 2: one study has one kind"),
        ({"kind": "sweeps"}, "studies!B2: kind must be one of tornado, sweep, frontier, threshold, monte_carlo, morris, sobol"),
    ],
)
def test_a_wrong_study_is_told_with_its_cell(tmp_path: Path, tables: dict[str, Any], change: dict[str, Any], message: str) -> None:
    tables["studies"][0] |= change
    assert faults(book(tmp_path / "book.xlsx", tables))[0].startswith(message)


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ("sign metlen", "studies!J4: 'metlen' has no row in the sheet contracts"),
        ("order sport", "studies!J4: 'sport' has no row in the sheet offers (did you mean 'spot'?)"),
        ("buy spot", "studies!J4: decision must be target, or sign, order, rotate, project with a name, as in 'sign metlen'"),
    ],
)
def test_a_decision_that_is_none_is_told(tmp_path: Path, tables: dict[str, Any], decision: str, message: str) -> None:
    tables["studies"][2]["decision"] = decision
    assert faults(book(tmp_path / "book.xlsx", tables))[0].startswith(message)


def test_a_decision_is_judged_by_cost(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["settings"]["objective"] = "shortfall_first"
    assert read(book(tmp_path / "target.xlsx", tables))
    tables["studies"][2]["decision"] = "order spot"
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "studies!J4: 'order spot' is judged by cost: it needs the objective cost, found shortfall_first; target can be asked for"
    ]


def test_three_inputs_are_too_many_for_a_sweep(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["studies"][2] = tables["studies"][0]
    assert faults(book(tmp_path / "book.xlsx", tables))[0].startswith("studies!A4: study has 3 rows: a sweep has 2 at most")


def test_a_frontier_of_what_is_no_measure(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["studies"] = [{"study": "f", "kind": "frontier", "table": None, "column": "cvar"}]
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "studies!D2: column is cvar, but the workbook has no scenarios: nothing is at risk"
    ]


def test_the_input_is_never_written_to(tmp_path: Path, tables: dict[str, Any]) -> None:
    path = book(tmp_path / "book.xlsx", tables)
    for request in (Request(source=path, output=path), Request(source=path, record=path)):
        with pytest.raises(OutputError, match="is the input workbook"):
            make_studies(request, lambda _: None)


def test_a_planner_passes_over_studies(tmp_path: Path, tables: dict[str, Any]) -> None:
    stockpile = read(book(tmp_path / "book", tables)).stockpile
    assert [*by_name(stockpile)] == ["grid", "lean"]


def test_the_command(tmp_path: Path, tables: dict[str, Any]) -> None:
    path = book(tmp_path / "book.xlsx", tables)
    result = CliRunner().invoke(cli, ["study", str(path), "lean", "--workers", "1", "-o", str(tmp_path / "out.xlsx")])
    assert result.exit_code == 0, result.output
    assert "lean: every target and all demand can be met" in result.output
    assert (tmp_path / "out.sqlite").exists()
    with pytest.raises(InputError, match=r"there is no study 'fat'; there are grid, lean"):
        CliRunner().invoke(cli, ["study", str(path), "fat"], catch_exceptions=False)


def test_ctrl_c_keeps_the_runs_and_the_next_start_ends_the_study(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["studies"] = [
        {"study": "mc", "kind": "monte_carlo", "table": "offers", "row": "spot", "column": "price", "low": 8, "high": 12, "samples": 600}
    ]
    path = book(tmp_path / "book.xlsx", tables)
    paths = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "models")])
    command = [sys.executable, "-m", "optimiser", "study", str(path), "--workers", "1"]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True, start_new_session=True)
    record = tmp_path / "book-study.sqlite"
    while process.poll() is None and _kept(record) < 3:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to every process of its group
    _, said = process.communicate()
    assert process.returncode == 130
    assert "the runs that had ended are kept" in said
    assert "Traceback" not in said
    assert 3 <= _kept(record) < 600
    assert not (tmp_path / "book-study.xlsx").exists()
    tables["studies"][0]["samples"] = 20
    made = make_studies(Request(source=book(path, tables), workers=1), lambda _: None)
    assert "20 of 20 runs have a plan" in made.answers[0].tables[0].said


def _kept(record: Path) -> int:
    if not record.exists():
        return 0
    try:
        with Record(record) as kept:
            return len(kept)
    except OutputError:
        return 0


def test_hostile_text_stays_text() -> None:
    evil = '=HYPERLINK("http://x","y")'
    tables = [
        Table(f"tornado{k}", evil, (evil, "low", "high", evil, "b", "c"), [(evil, 1.0, 2.0, -3.0, 4.0, 4.0)], chart)  # type: ignore[arg-type]
        for k, chart in enumerate(("tornado", "line", "frontier", "columns", "heat"))
    ]
    result = Result("failed", message=evil, figures={"sign =1+1": evil})
    answers = [Answered(evil, "tornado", tables, [Ran(evil, evil, "k")], ["sign =1+1"])]
    content = compose(answers, lambda _: result, {evil: evil}, Settings(start=START, periods=1, title=evil))
    found = openpyxl.load_workbook(io.BytesIO(content))
    assert not [
        cell for sheet in found for row in sheet.iter_rows() for cell in row if cell.data_type == "f" and "HYPER" in str(cell.value)
    ]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sum(name.startswith("xl/charts/chart") for name in archive.namelist()) == 4
