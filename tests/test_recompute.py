"""The summary of plan workbooks recomputed from their other sheets, and faults planted in it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings

from optimiser.plan.plan import Plan
from optimiser.workbook.write.plan_book import write
from tests.support.plans import QUARTERS, full_plan, plan_of, uncertain_plan
from tests.support.recompute import check_summary
from tests.support.small_books import small_books


def written(plan: Plan | None, path: Path) -> Path:
    assert plan is not None
    write(plan, path)
    return path


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(full_plan(), tmp_path_factory.mktemp("full") / "plan.xlsx")


def test_the_summary_of_a_bit_of_everything_agrees(full: Path) -> None:
    assert check_summary(full) == []


def test_quarters_without_funds_and_with_names_like_formulas(tmp_path: Path) -> None:
    assert check_summary(written(plan_of(QUARTERS), tmp_path / "plan.xlsx")) == []


def test_totals_under_scenarios_are_what_is_expected(tmp_path: Path) -> None:
    assert check_summary(written(uncertain_plan(), tmp_path / "plan.xlsx")) == []


@given(small_books())
@settings(max_examples=10)
def test_random_workbooks(tables: dict[str, Any]) -> None:
    plan = plan_of(tables)
    if plan is not None:
        with TemporaryDirectory() as folder:
            assert check_summary(written(plan, Path(folder) / "plan.xlsx")) == []


# --- Planted faults -------------------------------------------------------------------------------


def plant(source: Path, target: Path, sheet: str, changes: dict[str, float]) -> None:
    """A copy of a workbook in which stored numbers are changed and nothing is computed anew."""
    member = f"xl/worksheets/sheet{openpyxl.load_workbook(source, read_only=True).sheetnames.index(sheet) + 1}.xml"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                text = content.decode()
                for cell, change in changes.items():
                    pattern = rf'(<c r="{cell}"[^>]*>(?:<f>[^<]*</f>)?<v>)([^<]*)(</v>)'
                    text, count = re.subn(
                        pattern,
                        lambda found, by=change: f"{found[1]}{float(found[2]) + by!r}{found[3]}",
                        text,
                    )
                    assert count == 1, f"{sheet}!{cell} holds no number"
                content = text.encode()
            new.writestr(name, content)


def test_every_stored_value_of_the_summary_is_recomputed(full: Path, tmp_path: Path) -> None:
    """Each is changed by another amount, so that no sum of them is right again."""
    formulas = openpyxl.load_workbook(full)["summary"]
    values = openpyxl.load_workbook(full, data_only=True)["summary"]
    cells = [
        each.coordinate for row in formulas.iter_rows() for each in row if each.data_type == "f"
    ]
    numbers = [cell for cell in cells if isinstance(values[cell].value, (int, float))]
    assert len(numbers) > 60
    changes = {cell: (k + 1) ** 2 / 7 for k, cell in enumerate(numbers)}
    plant(full, tmp_path / "plan.xlsx", "summary", changes)
    said = "\n".join(check_summary(tmp_path / "plan.xlsx"))
    assert [cell for cell in numbers if f"summary: {cell} stores" not in said] == []
