"""The whole: a workbook with studies in, a workbook of studies and a record out."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

import optimiser as so
from optimiser.cli.main import cli
from optimiser.execution.executor import Done
from optimiser.studies.answered import Answered
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Ran
from optimiser.studies.kinds import AnswerTable
from optimiser.studies.study_sheet.every_input import every_input
from optimiser.studies.study_sheet.study_table import by_name
from optimiser.system.errors import InputError, OutputError
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.write.study_book import compose
from stockpile_model.tables import Settings
from tests.support.books import book
from tests.support.hollow import Hollow
from tests.support.studied import Here

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
    source = book(tmp_path / "book.xlsx", tables)
    output, kept = tmp_path / "study.xlsx", tmp_path / "runs.sqlite"
    so.run_studies(source, output=output, record=kept, workers=1)
    found = openpyxl.load_workbook(output)
    assert found.sheetnames == [
        "summary",
        "1 sweep cost",
        "1 sweep shortfall",
        "2 threshold",
        "runs",
        "run",
    ]
    runs = [[cell.value for cell in row] for row in found["runs"].iter_rows()]
    assert [row[6] for row in runs[1:5]] == ["optimal"] * 4
    assert runs[0][:7] == ["Study", "Run", "For", "Changes", "Minimised", "Under", "Status"]
    assert runs[1][3] == "offers[spot].price set 8; budgets[row 2].amount set 0"
    assert {row[4] for row in runs[1:]} == {"cost [USD]"}
    price, scaled = (
        runs[0].index(name) for name in ("offers[spot].price [USD/kg]", "budgets[nds].amount scale")
    )
    assert [row[price] for row in runs[1:5]] == [8, 8, 12, 12]
    assert [row[scaled] for row in runs[1:6]] == [None] * 4 + [0.1]
    assert {row[5] for row in runs[5:]} == {"shortfall at most 0"}
    with Record(kept) as record:
        assert len(record) == len({row[3] for row in runs[1:]} | {None}) - 1


def test_started_again_nothing_is_run(
    tmp_path: Path, tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = book(tmp_path / "book.xlsx", tables), tmp_path / "study.xlsx"
    places = {"output": output, "record": tmp_path / "runs.sqlite"}
    first = so.run_studies(source, workers=1, **places)
    monkeypatch.setattr("optimiser.studies.plan_what_ifs.Processes", None)
    again = so.run_studies(source, workers=1, **places)
    assert (first.kept, again.kept) == (0, sum(len(each.runs) for each in first))
    assert openpyxl.load_workbook(output)["summary"]["D4"].value == 4
    assert [table.rows for each in again for table in each.tables] == [
        table.rows for each in first for table in each.tables
    ]
    assert [each.results for each in again] == [each.results for each in first]


def test_everything_needs_no_study(tmp_path: Path, tables: dict[str, Any]) -> None:
    del tables["studies"]
    path = book(tmp_path / "book.xlsx", tables)
    made = so.run_studies(path, everything=True)
    table, left = made["everything"].tables
    names = {row[0]: row[1:3] for row in table.rows}
    assert names["offers[spot].price"] == (8, 14)
    assert names["budgets[row 2].amount"] == (150, 260)
    assert names["budgets[row 3].amount"] == pytest.approx((135, 165))
    assert "settings.periods" not in names
    assert ("settings say how to plan", "settings.periods") in left.rows
    assert names["budgets[row 3].from add"] == (-1, 1)
    with pytest.raises(InputError, match="there is no study: add a sheet studies"):
        so.run_studies(path)


def test_every_number_of_a_sample_can_be_changed() -> None:
    stockpile = read("inputs/gallium.xlsx").stockpile
    every = [*every_input(stockpile)]
    assert len(every) > 200
    assert len({each.name for each in every}) == len(every)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"table": "ofers"},
            "studies!C2: the workbook has no table 'ofers' (did you mean 'offers'?)",
        ),
        ({"row": "sport"}, "studies!D2: offers has no row 'sport' (did you mean 'spot'?)"),
        ({"column": "prise"}, "studies!E2: offers has no column 'prise' (did you mean 'price'?)"),
        ({"table": None}, "studies!C2: table is required: which cell is changed"),
        ({"low": 12, "high": 12}, "studies!G2: high must be above low, found 12 and 12"),
        ({"column": "supplier"}, "studies!E2: offers!B2: supplier can be set, not added to"),
        (
            {"kind": "tornado"},
            "studies!B3: kind must be tornado as in row 2: one study has one kind",
        ),
        (
            {"kind": "sweeps"},
            (
                "studies!B2: kind must be one of tornado, sweep, frontier, threshold, monte_carlo,"
                " morris, sobol"
            ),
        ),
    ],
)
def test_a_wrong_study_is_reported_with_its_cell(
    tmp_path: Path, tables: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    tables["studies"][0] |= change
    assert faults(book(tmp_path / "book.xlsx", tables))[0].startswith(message)


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ("sign metlen", "studies!J4: 'metlen' has no row in the sheet contracts"),
        (
            "order sport",
            "studies!J4: 'sport' has no row in the sheet offers (did you mean 'spot'?)",
        ),
        (
            "buy spot",
            (
                "studies!J4: decision must be target, or project, order, sign, rotate with a name,"
                " as in 'sign metlen'"
            ),
        ),
    ],
)
def test_a_decision_that_is_none_is_reported(
    tmp_path: Path, tables: dict[str, Any], decision: str, message: str
) -> None:
    tables["studies"][2]["decision"] = decision
    assert faults(book(tmp_path / "book.xlsx", tables))[0].startswith(message)


def test_a_decision_is_judged_by_cost(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["settings"]["objective"] = "shortfall_first"
    assert read(book(tmp_path / "target.xlsx", tables))
    tables["studies"][2]["decision"] = "order spot"
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "studies!J4: 'order spot' is judged by cost: it needs the objective cost, found"
        " shortfall_first; target needs no cost"
    ]


def test_three_inputs_are_too_many_for_a_sweep(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["studies"][2] = tables["studies"][0]
    assert faults(book(tmp_path / "book.xlsx", tables))[0].startswith(
        "studies!A4: study has 3 rows: a sweep has 2 at most"
    )


def test_a_frontier_of_what_is_no_measure(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["studies"] = [{"study": "f", "kind": "frontier", "table": None, "column": "cvar"}]
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "studies!D2: column is cvar, but the workbook has no scenarios: nothing is at risk"
    ]


def test_the_input_is_never_written_to(tmp_path: Path, tables: dict[str, Any]) -> None:
    path = book(tmp_path / "book.xlsx", tables)
    for place in ("output", "record"):
        with pytest.raises(OutputError, match="is the input workbook"):
            so.run_studies(path, **{place: path})
    both = tmp_path / "x.xlsx"
    with pytest.raises(OutputError, match="is both the output and the record"):
        so.run_studies(path, output=both, record=both)
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "x.xlsx")
    with pytest.raises(OutputError, match="is both the output and the record"):
        so.run_studies(path, output=both, record=tmp_path / "link.xlsx")
    other = book(tmp_path / "other.xlsx", tables)
    before = other.read_bytes()
    with pytest.raises(OutputError, match="is no record of studies; it is left as it is"):
        so.run_studies(path, record=other)
    assert other.read_bytes() == before


def test_faults_of_studies_are_reported_with_all_others(
    tmp_path: Path, tables: dict[str, Any]
) -> None:
    """But what a study says of a table that has a fault itself is judged when that is mended."""
    tables["demand"][0]["quantity"] = -10
    tables["studies"][0] |= {"row": "sport"}
    tables["studies"][1] |= {"low": 9, "high": 1}
    tables["studies"][2] |= {"table": None, "decision": "order sport"}
    tables["studies"] += [
        tables["studies"][2]
        | {
            "study": "more",
            "table": "demand",
            "row": "none",
            "decision": "target",
        }
    ]
    found = faults(book(tmp_path / "book.xlsx", tables))
    assert [each.split(":")[0] for each in found] == [
        "demand!D2",
        "studies!D2",
        "studies!G3",
        "studies!C4",
        "studies!J4",
    ]


def test_alternatives_are_judged_by_cost(tmp_path: Path, tables: dict[str, Any]) -> None:
    tables["settings"]["objective"] = "shortfall_first"
    tables["studies"] = [{"study": "others", "kind": "alternatives"}]
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "studies!B2: alternatives are judged by cost: they need the objective cost, found"
        " shortfall_first"
    ]


@pytest.mark.parametrize(("befalls", "status"), [("raise", 70), ("kill", 70), ("infeasible", 0)])
def test_the_command_says_which_runs_failed_and_ends_otherwise_than_well(
    tmp_path: Path,
    tables: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    befalls: str,
    status: int,
) -> None:
    """What has no plan is an answer; what failed is none."""
    path, crews = book(tmp_path / "book.xlsx", tables), [Here(Hollow(befalls=befalls).evaluator())]
    if befalls == "kill":
        crews[0].wait = lambda: [
            Done(crews[0].tasks.pop().number, died="its process was killed by signal 9")
        ]  # type: ignore[method-assign]
    monkeypatch.setattr("optimiser.studies.plan_what_ifs.Processes", lambda *_: crews[0])
    result = CliRunner().invoke(cli, ["study", str(path), "grid"])
    assert result.exit_code == status, result.output
    assert (
        "4 runs failed: the sheet runs says why; the same command tries them again" in result.output
    ) == (status == 70)
    found = openpyxl.load_workbook(tmp_path / "book-study.xlsx")
    assert (
        found["summary"]["E4"].value
        == {"raise": "4 failed", "kill": "4 crashed", "infeasible": "4 infeasible"}[befalls]
    )


def test_a_planner_passes_over_studies(tmp_path: Path, tables: dict[str, Any]) -> None:
    stockpile = read(book(tmp_path / "book", tables)).stockpile
    assert [*by_name(stockpile)] == ["grid", "lean"]


def test_the_command(tmp_path: Path, tables: dict[str, Any]) -> None:
    path = book(tmp_path / "book.xlsx", tables)
    result = CliRunner().invoke(
        cli, ["study", str(path), "lean", "--workers", "1", "-o", str(tmp_path / "out.xlsx")]
    )
    assert result.exit_code == 0, result.output
    assert "lean: every target and all demand can be met" in result.output
    assert (tmp_path / "out.sqlite").exists()
    with pytest.raises(InputError, match=r"there is no study 'fat'; there are grid, lean"):
        CliRunner().invoke(cli, ["study", str(path), "fat"], catch_exceptions=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_what_there_is_and_the_next_start_ends_the_study(
    tmp_path: Path, tables: dict[str, Any], number: int
) -> None:
    tables["studies"] = [
        {
            "study": "mc",
            "kind": "monte_carlo",
            "table": "offers",
            "row": "spot",
            "column": "price",
            "low": 8,
            "high": 12,
            "samples": 600,
        }
    ]
    path = book(tmp_path / "book.xlsx", tables)
    paths = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "models")])
    command = [sys.executable, "-m", "optimiser", "study", str(path), "--workers", "1"]
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    record = tmp_path / "book-study.sqlite"
    while process.poll() is None and _kept(record) < 3:
        time.sleep(0.05)
    os.killpg(process.pid, number)  # as a terminal does, to every process of its group
    _, said = process.communicate()
    assert process.returncode == 130
    assert "the runs that had ended are kept" in said
    assert "Traceback" not in said
    assert 3 <= _kept(record) < 600
    found = openpyxl.load_workbook(tmp_path / "book-study.xlsx")
    assert "INCOMPLETE" in found["summary"]["A2"].value
    ended = [row[6].value for row in found["runs"].iter_rows(min_row=2)]
    assert (len(ended), ended.count("optimal")) == (600, _kept(record))
    assert set(ended) == {"optimal", "not run"}
    tables["studies"][0]["samples"] = 20
    made = so.run_studies(book(path, tables), record=record, workers=1)
    assert "20 of 20 runs have a plan" in made.results[0].answers[0]


def _kept(record: Path) -> int:
    if not record.exists():
        return 0
    try:
        with Record(record) as kept:
            return len(kept)
    except OutputError:
        return 0


def test_a_record_that_was_edited_is_warned_about_and_counted(
    tmp_path: Path, tables: dict[str, Any]
) -> None:
    source, record, said = (
        book(tmp_path / "book.xlsx", tables),
        tmp_path / "runs.sqlite",
        list[str](),
    )
    made = so.run_studies(source, "grid", record=record, on_message=said.append)
    with contextlib.closing(sqlite3.connect(record)) as connection:
        connection.execute(
            "UPDATE runs SET objective = 0.01, bound = 0.01 WHERE changes LIKE '%set 8;%'"
        )
        connection.commit()
    assert said == []
    again = so.run_studies(source, "grid", record=record, on_message=said.append)
    assert said == [
        f"warning: {record}: 2 runs do not bear their checksum (edited or damaged): they are"
        " not used"
    ]
    assert [table.rows for table in again["grid"].tables] == [
        table.rows for table in made["grid"].tables
    ]
    assert again.kept == 2


def test_what_charts_say() -> None:
    """The bars of a tornado lie: their cost is counted along the bottom, the longest stands on top.

    Symbols and cells keep their case.
    """
    rows = [("offers[a].price", 1.0, 2.0, -300.0, 400.0, 400.0), ("x", 1.0, 2.0, -3.0, 4.0, 4.0)]
    header = ("input", "low", "high", "cost at low", "cost at high", "swing")
    morris = AnswerTable(
        "morris",
        "m",
        ("input", "μ* [USD]", "σ [USD]", "offers[spot].price [kg]"),
        [("a", 1.0, 2.0, 3.0)],
        "columns",
        (1, 2),
        "effect",
    )
    tables = [
        AnswerTable("tornado", "t", header, rows, "tornado", (3, 4), "least cost [USD]"),
        morris,
    ]
    content = compose(
        [Answered("s", "tornado", tables, [], [])],
        lambda _: None,
        {},
        Settings(start=START, periods=1),
    )
    found = openpyxl.load_workbook(io.BytesIO(content))
    assert [cell.value for cell in found["1 morris"][2][:4]] == [
        "Input",
        "μ* [USD]",
        "σ [USD]",
        "offers[spot].price [kg]",
    ]
    tornado, columns = found["1 tornado"]._charts[0], found["1 morris"]._charts[0]
    assert (tornado.barDir, tornado.x_axis.scaling.orientation, tornado.y_axis.crosses) == (
        "bar",
        "maxMin",
        "max",
    )
    assert tornado.x_axis.title is None
    assert title(tornado.y_axis) == "least cost [USD]"
    assert tornado.y_axis.number_format.formatCode == "#,##0"
    assert [each.val.numRef.f for each in columns.series] == ["'1 morris'!$B$3", "'1 morris'!$C$3"]
    assert title(columns.y_axis) == "effect"


def title(axis: Any) -> str:
    return "".join(run.t for part in axis.title.tx.rich.p for run in part.r or ())


def test_hostile_text_stays_text() -> None:
    evil = '=HYPERLINK("http://x","y")'
    tables = [
        AnswerTable(
            f"tornado{k}",
            evil,
            (evil, "low", "high", evil, "b", "c"),
            [(evil, 1.0, 2.0, -3.0, 4.0, 4.0)],
            chart,
            (3, 4),
            evil,
        )  # type: ignore[arg-type]
        for k, chart in enumerate(("tornado", "line", "frontier", "columns", "heat"))
    ]
    result = CaseResult("failed", message=evil, figures={"sign =1+1": evil})
    answers = [Answered(evil, "tornado", tables, [Ran(evil, evil, "k")], ["sign =1+1"])]
    content = compose(
        answers, lambda _: result, {evil: evil}, Settings(start=START, periods=1, title=evil)
    )
    found = openpyxl.load_workbook(io.BytesIO(content))
    assert not [
        cell
        for sheet in found
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" and "HYPER" in str(cell.value)
    ]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sum(name.startswith("xl/charts/chart") for name in archive.namelist()) == 4
