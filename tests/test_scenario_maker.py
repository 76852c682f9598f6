"""`stockpile scenarios` from file to file: what the new workbook holds, that it can be planned, and
what is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

import optimiser as so
from optimiser.cli.main import cli
from optimiser.scenarios.sampling.defaults import DEFAULTS
from optimiser.scenarios.sampling.uncertainty import PriceHistory, Uncertainty
from optimiser.system.errors import InputError, OutputError
from optimiser.workbook.read.input_reader import read
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import PROVENANCE, Row
from stockpile_model.tables import Price
from tests.support.books import book

INPUTS = Path(__file__).parents[1] / "inputs"
FEW = {"samples": 60, "keep": 3}
START = dt.date(2027, 1, 1)
TABLES: dict[str, Any] = {
    "settings": [
        {"name": "title", "value": "Test", "note": "of the maker"},
        {"name": "start", "value": START},
        {"name": "periods", "value": 24},
        {
            "name": "discount_rate",
            "value": 0.02,
            "value_low": 0.01,
            "value_high": 0.05,
            "source": "a book",
        },
        {"name": "objective", "value": None, "note": "left as it is"},
        {"name": "supply_stages", "value": "operating, building"},
    ],
    "materials": [
        {
            "material": "ga",
            "shelf_life_months": 12,
            "shortage_cost": 900,
            "price_index": "Rotterdam 4N",
        }
    ],
    "suppliers": [
        {"supplier": "001", "country": "Greece", "note": None},
        {
            "supplier": "trader",
            "country": "China",
            "stage": "building",
            "start": dt.date(2028, 3, 1),
        },
    ],
    "offers": [
        {
            "offer": "spot",
            "supplier": "001",
            "material": "ga",
            "price_index": "Rotterdam 4N",
            "premium": 0,
            "capacity": 30,
            "duty": 0.03,
        }
        | {
            "duty_low": 0,
            "duty_high": 0.28,
            "source": "a letter",
            "source_date": "2026-11",
            "confidence": "low",
        },
        {
            "offer": "far",
            "supplier": "trader",
            "material": "ga",
            "price": 300,
            "capacity": 20,
            "lead_time_months": 2,
        },
    ],
    "prices": [
        {
            "date": START,
            "Rotterdam 4N": 400,
            "Rotterdam 4N_low": 300,
            "home": None,
            "source": "a bank",
        },
        {
            "date": dt.date(2028, 12, 1),
            "Rotterdam 4N": 523.123456789,
            "Rotterdam 4N_low": None,
            "home": 40,
            "source": None,
        },
    ],
    "demand": [{"material": "ga", "from": START, "to": dt.date(2028, 12, 31), "quantity": 12.5}],
    "funds": [{"fund": "nds", "keeps_receipts": "yes", "uses": "purchase, storage"}],
    "budgets": [{"fund": "nds", "from": START, "amount": 1_000_000}],
}
UNCERTAIN = [
    {
        "name": "metal",
        "kind": "price",
        "value": "rotterdam_4n",
        "volatility": 0.5,
        "reversion": 0.5,
        "jumps_with": "ban",
        "jump_factor": 2,
    },
    {
        "name": "ban",
        "kind": "embargo",
        "value": "china",
        "per_year": 0.5,
        "duration_months": 6,
        "duration_months_high": 12,
    },
]


def made(
    folder: Path, tables: Any = TABLES, options: Any = FEW, **rest: Any
) -> tuple[Path, Path, list[str]]:
    source, output, said = book(folder / "in.xlsx", tables), folder / "out.xlsx", []
    so.sample(source, output=output, on_message=said.append, **options, **rest)
    return source, output, said


def bare(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, line=0) for row in rows]


def test_the_other_tables_are_as_they_were(tmp_path: Path) -> None:
    source, output, _ = made(tmp_path)
    before, after = read(source).stockpile, read(output).stockpile
    for kind, rows in before.tables.items():
        if kind is not Price:
            assert bare(after.rows(kind)) == bare(rows), kind.TABLE
    for name in (*PROVENANCE, "ranges"):
        for setting, about in before.settings.about.items():
            assert getattr(after.settings.about[setting], name) == getattr(about, name)
    assert replace(before.settings, about={}) == replace(after.settings, about={})
    own = {row.date for row in before.rows(Price)}
    assert bare([row for row in after.rows(Price) if row.date in own]) == bare(before.rows(Price))
    assert all(
        row.confidence == "assumption" and row.note
        for row in after.rows(Price)
        if row.date not in own
    )
    for days in range(0, 1500, 11):
        day = START + dt.timedelta(days=days)
        for index in ("Rotterdam 4N", "home"):
            assert after.price_on(index, day) == pytest.approx(before.price_on(index, day))


def test_what_was_written_as_zero_or_left_blank_stays_so(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(made(tmp_path)[1])["offers"]
    titles = [str(cell.value) for cell in sheet[1]]
    assert titles[:8] == [
        "Offer",
        "Supplier",
        "Material",
        "Price index",
        "Premium",
        "Capacity [kg/period]",
        "Duty",
        "Duty low",
    ]
    row = dict(zip(titles, (cell.value for cell in sheet[2]), strict=True))
    assert (row["Supplier"], row["Premium"], row["Price [USD/kg]"]) == ("001", 0, None)


@pytest.mark.parametrize("name", ["small.xlsx", "small", "gallium.xlsx"])
def test_the_sample_workbooks_get_scenarios_that_pass_the_check(name: str, tmp_path: Path) -> None:
    output = tmp_path / "out.xlsx"
    so.sample(INPUTS / name, output=output, replace=name == "gallium.xlsx", **FEW)
    stockpile = read(output).stockpile
    assert len(stockpile.rows(Scenario)) == 3
    assert sum(row.probability for row in stockpile.rows(Scenario)) == pytest.approx(1)
    assert stockpile.rows(Event)


@pytest.mark.parametrize("uncertain", [None, UNCERTAIN], ids=["defaults", "own"])
def test_the_new_workbook_can_be_planned(uncertain: Any, tmp_path: Path) -> None:
    _, output, _ = made(tmp_path, TABLES | ({"uncertainty": uncertain} if uncertain else {}))
    answer = so.solve(output)
    assert answer.status == "optimal"
    assert answer.plan is not None
    assert {*answer.plan.stockpile.scenarios} == {"s01", "s02", "s03"}


def test_the_input_is_only_read_and_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    source, output, _ = made(tmp_path)
    first, before = output.read_bytes(), source.read_bytes()
    so.sample(source, output=output, **FEW)
    assert output.read_bytes() == first
    assert source.read_bytes() == before
    so.sample(source, output=output, **FEW, seed=2)
    assert output.read_bytes() != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.xlsx", "out.xlsx"]


def test_the_defaults_stand_in_the_new_workbook_and_make_the_same_again(tmp_path: Path) -> None:
    _, output, _ = made(tmp_path)
    rows = read(output).stockpile.rows(Uncertainty)
    named = {row.name for row in DEFAULTS} - {
        "delay_commissioning",
        "delay_announced",
    }  # of stages that no supplier has
    assert {row.name for row in rows} == named
    assert bare(rows) == [row for row in DEFAULTS if row.name in named]
    again = tmp_path / "again.xlsx"
    so.sample(output, output=again, replace=True, **FEW)
    assert bare(read(again).stockpile.rows(Event)) == bare(read(output).stockpile.rows(Event))


def test_own_uncertainty_is_kept_and_used(tmp_path: Path) -> None:
    history = [
        {"date": dt.date(2020 + k // 12, k % 12 + 1, 1), "home": 40 + k % 5} for k in range(24)
    ]
    _, output, said = made(tmp_path, TABLES | {"uncertainty": UNCERTAIN, "price_history": history})
    stockpile = read(output).stockpile
    assert [row.name for row in stockpile.rows(Uncertainty)] == ["metal", "ban"]
    assert stockpile.rows(Uncertainty)[1].ranges == {"duration_months": (None, 12.0)}
    assert len(stockpile.rows(PriceHistory)) == 24
    assert {row.column for row in stockpile.rows(Event) if row.table == "prices"} == {
        "Rotterdam 4N"
    }
    assert not [line for line in said if "price_history" in line]


def test_the_guide_says_how_they_were_made_and_what_was_lost(tmp_path: Path) -> None:
    output = made(tmp_path)[1]
    workbook = openpyxl.load_workbook(output)
    assert workbook.sheetnames[0] == "guide"
    assert workbook.sheetnames[-4:] == ["uncertainty", "scenarios", "events", "_paths"]
    guide = workbook["guide"]
    cells = [cell.value for row in guide.iter_rows() for cell in row if cell.value is not None]
    text = " ".join(map(str, cells))
    for said in (
        (
            "stockpile scenarios in.xlsx --samples 60 --keep 3 --seed 1 --method forward --revealed"
            " 2027-10-01"
        ),
        "Heitsch and Römisch 2003",
        "Relative Kantorovich distance",
        "What the reduction lost: prices",
        "95 %, kept",
        "outage 001",
        "delay trader",
        "embargo_china",
    ):
        assert said in text
    assert len(guide._charts) == 2
    paths = workbook["_paths"]
    header = [cell.value for cell in paths[2]]
    assert header[:5] == [
        "date",
        "5 % of all samples",
        "median of all samples",
        "95 % of all samples",
        "base",
    ]
    assert sum(str(name).startswith("s0") for name in header) == 6


def test_events_hold_numbers_to_edit(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(made(tmp_path)[1])["events"]
    at = [cell.value for cell in sheet[1]].index("Value")
    assert {type(row[at].value) for row in sheet.iter_rows(min_row=2)} <= {int, float}


def test_a_plan_passes_over_what_is_uncertain(tmp_path: Path) -> None:
    history = [{"date": START, "home": 40}]
    objectives = []
    for tables in (TABLES, TABLES | {"uncertainty": UNCERTAIN, "price_history": history}):
        answer = so.solve(book(tmp_path / "in.xlsx", tables))
        assert answer.plan is not None
        objectives.append(answer.plan.objective)
    assert objectives[0] == objectives[1]


# --- What is refused ------------------------------------------------------------------------------

OWN = {
    "scenarios": [{"scenario": "mine", "probability": 0.5}],
    "events": [
        {
            "scenario": "mine",
            "table": "offers",
            "row": "spot",
            "column": "duty",
            "how": "set",
            "value": 0.28,
        }
    ],
}


def test_scenarios_of_the_workbook_are_kept_unless_replaced(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="has 1 row already; --replace leaves them out of the new workbook"
    ):
        made(tmp_path, TABLES | OWN)
    assert not (tmp_path / "out.xlsx").exists()
    _, output, _ = made(tmp_path, TABLES | OWN, replace=True)
    found = read(output).stockpile
    assert (
        {row.scenario for row in found.rows(Scenario)}
        == {row.scenario for row in found.rows(Event)}
        == {"s01", "s02", "s03"}
    )


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    source = book(tmp_path / "in.xlsx", TABLES)
    with pytest.raises(OutputError, match="is the input workbook, which is never written to"):
        so.sample(source, output=tmp_path / "." / "in.xlsx", **FEW)


def test_hard_targets_are_warned_about(tmp_path: Path) -> None:
    hard = {
        "targets": [{"material": "ga", "from": dt.date(2028, 6, 1), "quantity": 5, "hard": "yes"}]
    }
    said = made(tmp_path, TABLES | hard)[2]
    assert any(
        line.startswith("warning: targets!D2: hard targets must be met in every scenario")
        for line in said
    )


@pytest.mark.parametrize(
    ("tables", "options", "status", "said"),
    [
        (
            {},
            ["--keep", "20", "--samples", "10"],
            2,
            "--keep 20 is more than --samples 10: what is kept must be sampled first",
        ),
        (
            {
                "prices": None,
                "materials": [{"material": "ga", "shortage_cost": 9}],
                "offers": TABLES["offers"][1:],
            },
            [],
            1,
            "prices: has no index",
        ),
        (
            {"uncertainty": [{**UNCERTAIN[0], "value": "rotterdm"}, UNCERTAIN[1]]},
            [],
            1,
            "uncertainty!C2: 'rotterdm' is no column of the sheet prices",
        ),
        (
            {
                "uncertainty": [
                    {**UNCERTAIN[0], "correlates_with": "metal", "correlation": 0.5},
                    UNCERTAIN[1],
                ]
            },
            [],
            1,
            (
                "uncertainty!H2: correlates_with must not lead back to the row itself: metal with"
                " metal"
            ),
        ),
        (
            {
                "uncertainty": [
                    {**UNCERTAIN[0], "correlates_with": "ban", "correlation": 1.5},
                    UNCERTAIN[1],
                ]
            },
            [],
            1,
            "uncertainty!I2: correlation must be at most 1, found 1.5",
        ),
        ({}, ["--revealed", "2031-01-01"], 2, "--revealed 2031-01-01: must lie in the horizon"),
        (OWN, [], 1, "scenarios: has 1 row already; --replace"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_status(
    tables: Any,
    options: list[str],
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from optimiser.cli.main import main

    source = book(
        tmp_path / "in.xlsx",
        {name: rows for name, rows in (TABLES | tables).items() if rows is not None},
    )
    monkeypatch.setattr(
        "sys.argv",
        ["stockpile", "scenarios", str(source), "-o", str(tmp_path / "out.xlsx"), *options],
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == status
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(said)
    assert not (tmp_path / "out.xlsx").exists()


def test_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    source, output = book(tmp_path / "in.xlsx", TABLES), tmp_path / "out.xlsx"
    ran = CliRunner().invoke(
        cli,
        [
            "scenarios",
            str(source),
            "-o",
            str(output),
            "--samples",
            "60",
            "--keep",
            "4",
            "--method",
            "kmedoids",
        ],
    )
    assert ran.exit_code == 0
    assert f"{output}: 4 scenarios of 60 samples, relative Kantorovich distance " in ran.output
    assert f"Next: stockpile solve {output}" in ran.output
    assert len(read(output).stockpile.rows(Scenario)) == 4
