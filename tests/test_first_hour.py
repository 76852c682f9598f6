"""An officer's first hour: what a plan says of its inputs, what is taken for what, which cells must
be filled, and tables of several metals.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import optimiser as so
from optimiser.figures.figure import ChartFigure, TableFigure
from optimiser.workbook.template.guards import REQUIRED
from optimiser.workbook.template.template_book import compose
from stockpile_model.block import tables as block_tables
from stockpile_model.schema import columns
from stockpile_model.values import normal
from tests.support.books import book
from tests.support.commands import run

TWO_METALS: dict[str, Any] = {
    "settings": {"start": "2030-01-01", "periods": 2},
    "materials": [
        {"material": "gallium", "shortage_cost": 90},
        {"material": "indium", "shortage_cost": 90},
    ],
    "suppliers": [{"supplier": "mill"}],
    "offers": [
        {
            "offer": "spot_ga",
            "supplier": "mill",
            "material": "gallium",
            "price": 5,
            "availability": 1,
            "source": "quotation 7",
            "confidence": "high",
        },
        {"offer": "spot_in", "supplier": "mill", "material": "indium", "price": 5, "capacity": 4},
    ],
    "demand": [
        {"material": "gallium", "from": "2030-01-01", "quantity": 10},
        {"material": "indium", "from": "2030-02-01", "quantity": 20},
    ],
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, so.Plan]:
    """Return a workbook of two metals, the file of its plan, and the plan."""
    folder = tmp_path_factory.mktemp("two-metals")
    source, target = book(folder / "two.xlsx", TWO_METALS), folder / "two-plan.xlsx"
    plan = so.solve(source, output=target).plan
    assert plan is not None
    return source, target, plan


def test_a_cell_that_holds_the_default_keeps_its_place_and_source(
    planned: tuple[Path, Path, so.Plan],
) -> None:
    rows = planned[2]["assumptions"].set_index(["row", "column"])
    stated, blank = rows.loc["spot_ga", "availability"], rows.loc["spot_in", "availability"]
    assert (stated["given"], stated["source"], stated["confidence"]) == (
        True,
        "quotation 7",
        "high",
    )
    assert stated["cell"] == "offers!E2"
    assert (blank["given"], blank["cell"]) == (False, "")
    assert not isinstance(blank["source"], str)


@pytest.mark.parametrize("command", ["check", "solve", "explain"])
def test_a_plan_is_recognised_as_a_plan(
    command: str, planned: tuple[Path, Path, so.Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, command, planned[1])
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert "is a plan, not a workbook to plan; name two.xlsx instead" in ran.err


def test_required_columns_of_the_template_look_required(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    path.write_bytes(compose("indium"))
    sheets = openpyxl.load_workbook(path)
    for kind in block_tables():
        if kind.TABLE == "settings":
            continue
        required = {each.name for each in columns(kind) if each.required}
        marked = {
            normal(str(cell.value))
            for cell in sheets[kind.TABLE][1]
            if cell.value and cell.fill.fgColor.rgb == f"FF{REQUIRED[1:]}"
        }
        assert marked == required
    names = sheets["settings"]["A"]
    marked = {cell.value for cell in names if cell.fill.fgColor.rgb == f"FF{REQUIRED[1:]}"}
    assert marked == {"start", "periods"}


def test_metals_are_not_added(planned: tuple[Path, Path, so.Plan]) -> None:
    figure = so.figures_of(planned[2])["metals"]
    assert isinstance(figure, TableFigure)
    assert {line.known[0]: line.known[1:] for line in figure.lines} == {
        "gallium": (10.0, 10.0, 0.0, 0.0, 0.0),
        "indium": (8.0, 8.0, 0.0, 0.0, 12.0),
    }
    assert so.figures_of(planned[2])["quantities"].title == "Quantities [kg], all metals together"


def test_a_false_balance_of_a_metal_is_found(
    planned: tuple[Path, Path, so.Plan], tmp_path: Path
) -> None:
    source, target, _ = planned
    assert so.audit(source, target).findings == ()
    edited = openpyxl.load_workbook(target)
    cell = next(
        row[5]
        for row in edited["summary"].iter_rows()
        if row[0].value == "indium" and row[5].value is not None
    )
    cell.value = 11
    edited.save(path := tmp_path / "edited.xlsx")
    found = [str(each) for each in so.audit(source, path).findings]
    assert any(each.startswith(f"summary!{cell.coordinate}: ") for each in found)


def test_one_metal_has_no_table_of_metals(planned: tuple[Path, Path, so.Plan]) -> None:
    alone = so.read("inputs/small.xlsx")
    plan = so.solve(alone).plan
    assert plan is not None
    assert "metals" not in so.figures_of(plan)


@pytest.mark.parametrize("scenarios", [(), ({"scenario": "ban", "probability": 1},)])
def test_one_scenario_is_compared_with_nothing(scenarios: tuple[dict[str, Any], ...]) -> None:
    events = [
        {
            "scenario": each["scenario"],
            "table": "demand",
            "row": "gallium",
            "column": "quantity",
            "from": "2030-01-01",
            "how": "scale",
            "value": 2,
        }
        for each in scenarios
    ]
    tables = {**TWO_METALS, "scenarios": [*scenarios], "events": events}
    plan = so.solve(so.from_tables({k: v for k, v in tables.items() if v})).plan
    assert plan is not None
    figures = so.figures_of(plan)
    assert not any(
        isinstance(each, ChartFigure) and "scenario" in each.name for each in figures.values()
    )
    assert "1 scenario" not in plan.verdict


def test_further_plans_say_what_they_are_for() -> None:
    seen: list[so.Progress] = []
    what_ifs = ["firm_supply", "floor_levels"]
    plan = so.solve("inputs/small.xlsx", what_ifs=what_ifs, workers=0, on_progress=seen.append).plan
    assert plan is not None
    phases = [*dict.fromkeys(each.phase for each in seen)]
    assert phases[-4:] == [
        "firm supply: 0 of 1 more plan",
        "firm supply: 1 of 1 more plan",
        "floor levels: 0 of 1 more plan",
        "floor levels: 1 of 1 more plan",
    ]
    for figure in so.figures_of(plan, brief=True).values():
        for k, _ in enumerate(figure.columns if isinstance(figure, TableFigure) else ()):
            assert any(line.known[k] is not None for line in figure.lines)


def test_firm_supply_without_a_plan_shows_no_empty_columns() -> None:
    tables = {
        "settings": {"start": "2030-01-01", "periods": 1},
        "materials": [{"material": "metal"}],
        "suppliers": [{"supplier": "mine", "stage": "announced"}],
        "offers": [{"offer": "spot", "supplier": "mine", "material": "metal", "price": 5}],
        "demand": [{"material": "metal", "from": "2030-01-01", "quantity": 10}],
    }
    tables["suppliers"].append({"supplier": "mill"})
    plan = so.solve(so.from_tables(tables), what_ifs=["firm_supply"]).plan
    assert plan is not None
    assert "no plan keeps every limit" in plan.verdict
    figure = so.figures_of(plan, brief=True)["firm_supply"]
    assert isinstance(figure, TableFigure)
    titles = [each.title for each in figure.columns]
    assert "firm" not in titles
    assert math.isfinite(plan.objective)


# --- Comparisons, audits and JSON -----------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the plan of the small workbook."""
    target = tmp_path_factory.mktemp("small") / "small-plan.xlsx"
    assert so.solve("inputs/small.xlsx", output=target).plan is not None
    return target


def test_a_comparison_begins_with_whether_a_decision_changes(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = so.read("inputs/small.xlsx")
    richer = so.solve(book.change("budgets[treasury].amount = 900")).plan
    fewer = so.solve(book.change("outlets[resale].capacity = 5")).plan
    same = so.compare(small, richer, names=("today", "richer"))
    assert same.opening == "No decision changes."
    assert [row.values for row in same.differing if row.part == "appropriations"] == [
        (680.0, 900.0),
    ]
    other = so.compare(small, fewer, names=("today", "fewer"))
    assert other.opening.startswith("2 decisions change: ")
    assert "resale 10 kg -> 5 kg" in other.opening
    assert [each.title for each in other.figures["decisions"].columns[4:]] == [
        "today",
        "fewer",
        "fewer minus today",
    ]
    ran = run(capsys, "compare", small, small)
    assert ran.out.splitlines()[0] == "No decision changes."


def test_the_audit_of_an_edited_plan_is_a_line(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited = openpyxl.load_workbook(small)
    assert edited["orders"]["E3"].value == 30
    edited["orders"]["E3"] = 35
    edited.save(path := tmp_path / "edited.xlsx")
    ran = run(capsys, "audit", "inputs/small.xlsx", path)
    assert ran.status == 1
    assert ran.out.count("\n") == 1
    assert "order framework 2030-03-01 35" in ran.out
    assert "costs 45 USD more; no limit was found broken on its own rows" in ran.out
    assert "sheet commitments" in ran.out
    everything = run(capsys, "audit", "inputs/small.xlsx", path, "--all")
    assert everything.out.startswith(ran.out)
    assert everything.out.count("\n") > 5
    found = so.audit("inputs/small.xlsx", path).edited
    assert found is not None
    assert found.decisions[0]["quantity"] == "35"


def test_the_audit_of_an_edit_beyond_a_limit_names_it(
    planned: tuple[Path, Path, so.Plan], tmp_path: Path
) -> None:
    source, target, _ = planned
    edited = openpyxl.load_workbook(target)
    row = next(each for each in edited["orders"].iter_rows() if each[1].value == "spot_in")
    row[4].value = 7  # of a capacity of 4
    edited.save(path := tmp_path / "beyond.xlsx")
    found = so.audit(source, path).edited
    assert found is not None
    assert found.broken
    assert "1 limit broken: " in found.line
    assert "above 4" in found.line


def test_json_holds_what_is_decided_and_its_units() -> None:
    found = so.solve("inputs/small.xlsx").as_object()
    assert (found["currency"], found["quantity_unit"]) == ("USD", "kg")
    orders, contracts = found["orders"], found["contracts"]
    assert isinstance(orders, list)
    assert [(each["offer"], each["ordered"], each["date"]) for each in orders] == [
        ("spot", 10.0, "2030-01-01"),
        ("framework", 30.0, "2030-03-01"),
    ]
    assert isinstance(contracts, list)
    assert [(each["contract"], each["level"]) for each in contracts] == [("offtake", "low")]
    assert json.loads(json.dumps(found)) == found
