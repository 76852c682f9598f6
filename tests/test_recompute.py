"""Plans recomputed from their workbook alone, and faults planted in them."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from openpyxl.utils import get_column_letter

from optimiser.plan import Assumption, MarginalValue, Plan
from optimiser.workbook.result_sheets import SHEETS
from optimiser.workbook.write import write
from stockpile_model.data import columns
from stockpile_model.ledger import HEADINGS
from tests.support.plans import QUARTERS, full_plan, plan_of
from tests.support.recompute import Book, check_plan
from tests.support.small_books import small_books

INPUTS = Path(__file__).parents[1] / "inputs"


def written(plan: Plan | None, path: Path) -> Path:
    assert plan is not None
    write(plan, path)
    return path


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(full_plan(), tmp_path_factory.mktemp("full") / "plan.xlsx")


def test_a_bit_of_everything_agrees_with_itself(full: Path) -> None:
    assert check_plan(full) == []


def test_a_bit_of_everything_uses_what_it_checks(full: Path) -> None:
    rows = Book(full).rows
    assert {row["kind"] for row in rows("movements")} == {"opening", "arrival", "demand", "rotation", "expired"}
    assert {row["kind"] for row in rows("deliveries")} == {"offers", "contracts"}
    assert {row["heading"] for row in rows("cash_flow")} == set(HEADINGS) - {"deficits"}
    assert {row["site"] for row in rows("lots")} == {"depot", "vault"}
    assert any(row["binding"] for row in rows("rules"))
    assert any(row["lapsed"] > 1 for row in rows("budget"))
    assert any(row["appropriation"] == "stockpile_fund receipts" for row in rows("payments"))


def test_quarters_without_funds_and_with_names_like_formulas(tmp_path: Path) -> None:
    assert check_plan(written(plan_of(QUARTERS), tmp_path / "plan.xlsx")) == []


@pytest.mark.parametrize(("name", "gap"), [("small", 0.0), ("gallium", 0.2)])
def test_the_examples(name: str, gap: float, tmp_path: Path) -> None:
    assert check_plan(written(plan_of(INPUTS / f"{name}.xlsx", gap), tmp_path / "plan.xlsx")) == []


@given(small_books())
@settings(max_examples=25, deadline=None)
def test_random_workbooks(tables: dict[str, Any]) -> None:
    plan = plan_of(tables)
    if plan is not None:
        with TemporaryDirectory() as folder:
            assert check_plan(written(plan, Path(folder) / "plan.xlsx")) == []


# --- Planted faults -------------------------------------------------------------------------------------------------------------

TOLD_ONLY = {("contracts", "share_at_floor"), *((kind.SHEET, each.name) for kind in (MarginalValue, Assumption) for each in columns(kind))}
NUMBERS = [
    (kind.SHEET, each.name)
    for kind in SHEETS
    for each in columns(kind)
    if each.kind in ("number", "whole", "date") and (kind.SHEET, each.name) not in TOLD_ONLY
]


def plant(source: Path, target: Path, sheet: str, cell: str, change: float) -> None:
    """A copy of a workbook in which one stored number is changed and nothing is computed anew."""
    member = f"xl/worksheets/sheet{openpyxl.load_workbook(source, read_only=True).sheetnames.index(sheet) + 1}.xml"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                pattern = rf'(<c r="{cell}"[^>]*>(?:<f>[^<]*</f>)?<v>)([^<]*)(</v>)'
                text, count = re.subn(pattern, lambda found: f"{found[1]}{float(found[2]) + change!r}{found[3]}", content.decode())
                assert count == 1, f"{sheet}!{cell} holds no number"
                content = text.encode()
            new.writestr(name, content)


@pytest.mark.parametrize(("sheet", "column"), NUMBERS, ids=map(".".join, NUMBERS))
def test_a_changed_number_is_found(sheet: str, column: str, full: Path, tmp_path: Path) -> None:
    rows = Book(full).rows(sheet)
    line, row = next((k, row) for k, row in enumerate(rows, start=2) if row[column] is not None)
    letter = get_column_letter(list(row).index(column) + 1)
    change = 31.0 if isinstance(row[column], dt.date) else 0.01 * abs(row[column]) + 0.5
    plant(full, tmp_path / "plan.xlsx", sheet, f"{letter}{line}", change)
    assert check_plan(tmp_path / "plan.xlsx") != []


def test_every_stored_value_of_the_summary_is_recomputed(full: Path, tmp_path: Path) -> None:
    formulas = openpyxl.load_workbook(full)["summary"]
    values = openpyxl.load_workbook(full, data_only=True)["summary"]
    cells = [each.coordinate for row in formulas.iter_rows() for each in row if each.data_type == "f"]
    numbers = [cell for cell in cells if isinstance(values[cell].value, (int, float))]
    assert len(numbers) > 60
    for cell in numbers[::7]:
        plant(full, tmp_path / "plan.xlsx", "summary", cell, 1.0)
        assert any(said.startswith(f"summary: {cell} stores") for said in check_plan(tmp_path / "plan.xlsx"))
