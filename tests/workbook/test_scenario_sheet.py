"""The sheet on which one scenario is chosen, against the plan in that scenario."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import optimiser as so
from optimiser.plan.marginal_values import MarginalValue
from optimiser.plan.narrowed_plan import in_scenario, scenarios_of
from optimiser.workbook.write import scenario_sheet
from stockpile_model.blocks.budget import Payment
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.schema import Dated, Result, columns, get
from tests.support.office import converted
from tests.support.pages import PAGED, paged_plan


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chosen") / "plan.xlsx"
    return paged_plan().save(path)


@pytest.fixture(scope="module")
def opened(written: Path) -> Workbook:
    """The workbook, to be changed and saved; each test puts back what it changes."""
    return openpyxl.load_workbook(written)


def test_sums_are_shown_in_any_unit(tmp_path: Path) -> None:
    """Of a book in billions and kilotonnes nothing is rounded to 0."""
    flows = (
        replace(each, amount=each.amount * 1e-9, discounted=each.discounted * 1e-9)
        for each in paged_plan().of(CashFlow)
    )
    small = replace(paged_plan(), rows={**paged_plan().rows, CashFlow: tuple(flows)})
    sheet = openpyxl.load_workbook(small.save(tmp_path / "small.xlsx"))["one_scenario"]
    total = next(row for row in sheet.iter_rows(max_col=3) if row[0].value == "Total")
    assert all(each.number_format.startswith("#,##0.000") for each in total[1:])


def sheet_of(path: Path) -> Worksheet:
    return openpyxl.load_workbook(path, data_only=True)["one_scenario"]


def sections(sheet: Worksheet) -> dict[str, list[tuple[Any, ...]]]:
    """The lines below each title, the title first."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    lines: list[tuple[Any, ...]] = []
    for row in sheet.iter_rows(min_row=4):
        values = tuple(None if each.value == "" else each.value for each in row)
        if row[0].font.bold and row[0].fill.fgColor.rgb == "FFD9E1F2":
            lines = found.setdefault(str(values[0]), [])
        if any(each is not None for each in values):
            lines.append(values)
    return found


def plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def assert_shows(sheet: Worksheet, plan: so.Plan, scenario: str) -> None:
    """Compare every sum and every row with the plan in the scenario."""
    alone, found = in_scenario(plan, scenario), sections(sheet)
    outcome = next(each for each in plan.of(ScenarioOutcome) if each.scenario == scenario)
    assert sheet["B3"].value == scenario
    assert sheet["B7"].value == pytest.approx(outcome.cost)
    costs = {line[0]: line[1] for line in found["Cost by heading [USD]"][1:]}
    assert costs.pop("Total") == pytest.approx(outcome.cost)
    known = {name.replace("_", " "): cost for name, cost in alone.costs.items()}
    assert costs == pytest.approx({name: known[name] for name in costs})
    gallium = {line[0]: line[1] for line in found["Quantities [kg]"][1:]}
    arrives = alone["deliveries"].query("material == 'gallium'")["quantity"].sum()
    assert gallium["Delivered"] == pytest.approx(arrives)
    paid = math.fsum(line[1] for line in found["Appropriations"][1:])
    assert paid == pytest.approx(math.fsum(each.amount for each in alone.of(Payment)))
    for kind, lines in tables(plan, found):
        rows = [
            each for each in alone.of(kind) if kind is not MarginalValue or get(each, "worth") != 0
        ]
        assert len(lines) - 1 == len(rows), kind.SHEET
        for name in {each.name for each in columns(kind)} & {"quantity", "ordered", "worth", "met"}:
            at = next(
                c for c, each in enumerate(lines[0]) if str(each or "").lower().startswith(name)
            )
            assert math.fsum(line[at] for line in lines[1:]) == pytest.approx(
                math.fsum(get(each, name) for each in rows)
            )


def tables(
    plan: so.Plan, found: dict[str, list[tuple[Any, ...]]]
) -> Iterator[tuple[type[Result], list[tuple[Any, ...]]]]:
    for kind in plan.rows:
        title = f"{kind.SHEET}: {kind.ABOUT}"
        if issubclass(kind, Dated) and title in found:
            yield kind, found[title]


def test_the_sheet_shows_the_first_scenario_unweighted(written: Path) -> None:
    plan = paged_plan()
    assert_shows(sheet_of(written), plan, scenarios_of(plan)[0])
    shown = {kind.SHEET for kind, _ in tables(plan, sections(sheet_of(written)))}
    assert {"orders", "contracts", "targets", "demand", "marginal_values"} <= shown


def test_the_choice_is_a_list_of_the_scenarios(written: Path) -> None:
    book = openpyxl.load_workbook(written)
    (validation,) = book["one_scenario"].data_validations.dataValidation
    assert (str(validation.sqref), validation.formula1) == ("B3", "scenarios!$A$2:$A$4")
    assert book["scenario_rows"].sheet_state == "hidden"
    links = {cell.value for (cell,) in book["summary"].iter_rows(max_col=1)}
    assert "one_scenario" in links


# --- It is audited --------------------------------------------------------------------------------


def audited(path: Path) -> list[str]:
    """What the audit finds of a workbook with this plan."""
    return [str(each) for each in so.audit(so.from_tables(PAGED), path).findings]


def test_the_audit_recomputes_the_sheet(written: Path) -> None:
    report = so.audit(so.from_tables(PAGED), written)
    assert report.findings == ()
    assert report.unchecked[-1] == "the sheets run, chart_data"


def at(sheet: Worksheet, text: str) -> int:
    """The row whose first cell begins with a text."""
    cells = (row[0] for row in sheet.iter_rows(max_col=1))
    return next(each.row for each in cells if str(each.value or "").startswith(text))


PLANTED: dict[str, tuple[str, Callable[[Worksheet], int], str, Any]] = {
    "a fact": ("one_scenario", lambda sheet: at(sheet, "Cost [USD]"), "B", 1.0),
    "a scenario": ("one_scenario", lambda sheet: 3, "B", "drought"),
    "a sum": ("one_scenario", lambda sheet: at(sheet, "purchases"), "C", 7.0),
    "a total": ("one_scenario", lambda sheet: at(sheet, "Total"), "B", 7.0),
    "a label": ("one_scenario", lambda sheet: at(sheet, "purchases"), "A", "gifts"),
    "a quantity": ("one_scenario", lambda sheet: at(sheet, "Delivered"), "B", 1e6),
    "a row": ("one_scenario", lambda sheet: at(sheet, "orders: ") + 1, "A", 99),
    "a cell of a row": ("one_scenario", lambda sheet: at(sheet, "orders: ") + 1, "C", "nobody"),
    "a row that does not hold": (
        "one_scenario", lambda sheet: at(sheet, "Total") + 1, "A", "more",
    ),
    "a count": ("scenario_rows", lambda sheet: 3, "D", 7),
    "the chosen name": ("scenario_rows", lambda sheet: 1, "B", ", ban,"),
    "the place": ("scenario_rows", lambda sheet: 2, "B", 2),
    "a table that is counted": ("scenario_rows", lambda sheet: 1, "D", "payments"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_the_audit_finds_a_changed_cell(opened: Workbook, tmp_path: Path, name: str) -> None:
    sheet, row, letter, value = PLANTED[name]
    cell = opened[sheet][f"{letter}{row(opened[sheet])}"]
    before, cell.value = cell.value, value
    opened.save(planted := tmp_path / "planted.xlsx")
    cell.value = before
    assert any(each.startswith(sheet) for each in audited(planted))


def test_the_audit_reads_a_name_in_quotation_marks(tmp_path: Path) -> None:
    """A plan puts a name with a semicolon in quotation marks where it lists scenarios."""
    name, names = "a; ban; b", scenario_sheet.scenarios
    tables = json.loads(json.dumps(PAGED).replace('"ban"', json.dumps(name)))
    plan = so.solve(so.from_tables(tables)).plan
    with pytest.MonkeyPatch.context() as patch:  # what is shown is of the scenario that is first
        patch.setattr(scenario_sheet, "scenarios", lambda plan: sorted(names(plan)))
        path = plan.save(tmp_path / "plan.xlsx")
    assert sheet_of(path)["B3"].value == name
    assert [str(each) for each in so.audit(so.from_tables(tables), path).findings] == []


def test_formulas_that_have_lost_their_values_are_no_finding(written: Path, tmp_path: Path) -> None:
    openpyxl.load_workbook(written).save(saved := tmp_path / "saved.xlsx")
    assert audited(saved) == []


def test_the_audit_finds_a_stale_value_of_a_formula(written: Path, tmp_path: Path) -> None:
    stale, changed = tmp_path / "stale.xlsx", 0
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(stale, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            formula = (
                rb"(<f>INDEX\(scenarios![^<]*</f><v>|<f>SUMPRODUCT\(\([^<]*NUMBER[^<]*</f><v>)\d"
            )
            text, now = re.subn(formula, rb"\g<1>9", text, count=1)
            changed += now
            new.writestr(part, text)
    assert changed
    assert any(each.startswith(("one_scenario", "scenario_rows")) for each in audited(stale))


@pytest.mark.office
def test_another_choice_is_recalculated(written: Path, tmp_path: Path) -> None:
    plan = paged_plan()
    scenario = scenarios_of(plan)[1]
    book = openpyxl.load_workbook(written)
    book["one_scenario"]["B3"] = scenario
    book.save(chosen := tmp_path / "chosen.xlsx")
    assert_shows(sheet_of(converted(chosen, "xlsx")), plan, scenario)


def test_weighed_columns_say_by_what(written: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written, read_only=True)
    titles = {name: [cell.value for cell in next(book[name].iter_rows())] for name in ("contracts", "orders", "cash_flow", "budget", "marginal_values")}  # fmt: skip
    assert "Delivered [kg × probability]" in titles["contracts"]
    assert "Floor [USD/kg]" in titles["contracts"]
    assert "Expected price [USD/kg]" in titles["contracts"]
    assert "Paid [USD, expected]" in titles["orders"]
    assert "Discounted [USD × probability]" in titles["cash_flow"]
    assert "Amount [USD]" in titles["cash_flow"]
    assert "Lapsed [USD, expected]" in titles["budget"]
    certain = so.solve("inputs/small.xlsx", output=tmp_path / "small.xlsx").path
    assert certain is not None
    alone = openpyxl.load_workbook(certain, read_only=True)
    assert "Delivered [kg]" in [cell.value for cell in next(alone["contracts"].iter_rows())]
    assert "one_scenario" not in alone.sheetnames
