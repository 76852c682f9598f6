"""The interface for programs: every public name has an example that runs, and does what it says."""

from __future__ import annotations

import doctest
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import optimiser as so
from optimiser.api.planning.plan_object import _firm
from optimiser.studies.what_ifs.firm_supply import FirmSupplyRow
from stockpile_model.blocks.contracts.contract_terms import Floor

ROOT = Path(__file__).resolve().parents[2]

BOOK = {
    "settings": {"start": "2027-01-01", "periods": 3},
    "materials": [{"material": "gallium", "shelf_life_months": 2, "shortage_cost": 9000}],
    "suppliers": [{"supplier": "mill"}],
    "offers": [
        {"offer": "spot", "supplier": "mill", "material": "gallium", "price": 500, "capacity": 20}
    ],
    "demand": [{"material": "gallium", "from": "2027-02-01", "quantity": 10}],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, with the worked examples."""
    (tmp_path / "inputs").symlink_to(ROOT / "inputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", so.__all__)
def test_the_examples_of_a_public_name_run(name: str, folder: Path) -> None:
    found = doctest.DocTestFinder(recurse=True).find(getattr(so, name), name)
    examples = [each for each in found if each.examples]
    assert examples, f"{name} has no example"
    said = io.StringIO()
    for each in examples:
        assert doctest.DocTestRunner().run(each, out=said.write).failed == 0, said.getvalue()


def test_nothing_is_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    book = so.from_tables(BOOK)
    so.compare(so.solve(book).plan, so.solve(book.change("offers[spot].price = 600")).plan)
    so.study(book, "sweep", {"offers[spot].price": (400, 600)}, steps=2)
    assert capfd.readouterr() == ("", "")


def test_frames_and_rows_and_columns_make_the_same_book() -> None:
    """Dates as dates of pandas, blanks as NaN, numbers of numpy."""
    frames = {name: pd.DataFrame(rows) for name, rows in BOOK.items() if name != "settings"}
    frames["demand"]["from"] = pd.to_datetime(frames["demand"]["from"])
    frames["offers"]["total"] = np.nan
    columns = {"suppliers": {"supplier": ["mill"]}}
    made = so.from_tables({"settings": BOOK["settings"], **frames, **columns})
    assert so.solve(made).plan.objective == so.solve(so.from_tables(BOOK)).plan.objective == 5000


def test_a_fault_of_a_row_in_memory_names_its_cell() -> None:
    wrong = {**BOOK, "offers": [{**BOOK["offers"][0], "price": -1}]}
    with pytest.raises(so.InputError) as error:
        so.from_tables(wrong)
    assert [str(each) for each in error.value.faults] == [
        "offers!D2: price must be at least 0, found -1"
    ]


def test_no_plan_comes_with_its_explanation() -> None:
    book = so.from_tables(BOOK).change(
        "materials[gallium].shortage_cost = ", "offers[spot].capacity = 4"
    )
    found = so.solve(book)
    assert (found.status, found.plan) == ("infeasible", None)
    assert any("raise `offers" in line for line in found.explanation.lines())
    assert "No plan keeps every limit" in repr(found)


def test_a_plan_that_there_is_not_is_neither_compared_nor_audited() -> None:
    book = so.from_tables(BOOK)
    plan = so.solve(book).plan
    for ask in (lambda: so.compare(plan, None), lambda: so.audit(book, None)):
        with pytest.raises(so.StockpileError, match="there is no plan here"):
            ask()


GUARD = """
import optimiser as so

book = so.read("inputs/small.xlsx")
prices = {"offers[spot].price": (11, 12)}
print(len(so.study(book, "sweep", prices, steps=2).runs))
try:
    so.study(book, "sweep", prices, steps=2, workers=1)
except so.StockpileError as error:
    print("__main__" in str(error))
"""


def test_a_program_without_a_guard_studies_in_its_process_or_gets_a_message(folder: Path) -> None:
    (folder / "program.py").write_text(GUARD)
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "models")])}
    ran = subprocess.run(
        [sys.executable, "program.py"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | paths,
        check=True,
    )
    assert ran.stdout.split()[-2:] == ["2", "True"]


def test_what_is_shown_is_ten_lines_and_escaped() -> None:
    book = so.from_tables({**BOOK, "settings": {**BOOK["settings"], "title": "<script>"}})
    plan = so.solve(book).plan
    for each in (book, plan, so.solve(book), so.compare(plan, plan)):
        assert len(repr(each).splitlines()) <= 10
        assert "<script>" not in each._repr_html_()


@pytest.mark.parametrize("suffix", [".xlsx", ".json"])
def test_a_plan_is_read_again_as_it_was_saved(suffix: str, tmp_path: Path) -> None:
    book = so.from_tables(BOOK)
    plan = so.solve(book).plan
    saved = so.load_plan(plan.save(tmp_path / f"plan{suffix}"))
    assert saved.objective == plan.objective
    assert saved["orders"]["ordered"].tolist() == plan["orders"]["ordered"].tolist()
    assert so.audit(book, saved).findings == ()
    assert so.audit(book.change("offers[spot].price = 600"), saved).findings != ()
    assert so.compare(plan, saved).differing == ()


def test_rows_whose_joined_keys_are_alike_are_read_again_as_two(tmp_path: Path) -> None:
    deal = {"supplier": "mill", "material": "gallium", "term_months": 1}
    named = [("a/b", "c", 400), ("a", "b/c", 450)]
    book = so.from_tables({
        **BOOK,
        "contracts": [{"contract": name, **deal} for name, _, _ in named],
        "floors": [
            {"contract": name, "level": level, "floor": floor, "annual_quantity": 120}
            for name, level, floor in named
        ],
    })  # fmt: skip
    saved = so.load_plan(so.solve(book).plan.save(tmp_path / "plan.xlsx"))
    floors = saved.plan.stockpile.rows(Floor)
    assert [(each.contract, each.level, each.floor) for each in floors] == named


def test_a_table_in_memory_may_have_no_row() -> None:
    without = {"demand": [], "rules": pd.DataFrame(columns=["rule", "of", "measure", "most"])}
    book = so.from_tables({**BOOK, **without, "Sites": {"site": [], "buyer": []}})
    assert so.solve(book).plan["orders"].empty
    with pytest.raises(so.InputError, match="ofers: this sheet is no table"):
        so.from_tables({**BOOK, "ofers": []})
    assert so.solve(so.from_tables({**BOOK, "rules": None})).status == "optimal"
    with pytest.raises(so.InputError, match="start and periods must be given"):
        so.from_tables({**BOOK, "settings": {}})


@pytest.mark.parametrize("nothing", ["", " ", None, float("nan")])
def test_a_text_that_prints_nothing_is_a_blank(nothing: Any) -> None:
    offer = {"offer": "spot", "supplier": "mill", "material": "gallium", "price": nothing}
    with pytest.raises(so.InputError, match="an offer needs price or price_index: both are blank"):
        so.from_tables({**BOOK, "offers": [{**offer, "price_index": nothing, "site": nothing}]})
    (sound,) = BOOK["offers"]
    assert so.solve(so.from_tables({**BOOK, "offers": [{**sound, "price_index": nothing}]})).plan


def test_a_term_beyond_any_calendar_is_an_error_at_its_cell() -> None:
    deal = {"contract": "c", "supplier": "mill", "material": "gallium", "term_months": 1e9}
    floors = [{"contract": "c", "level": "a", "floor": 4, "annual_quantity": 12}]
    with pytest.raises(
        so.InputError, match=r"term_months must be at most 12,?000, found 1,?000,?000"
    ):
        so.from_tables({**BOOK, "contracts": [deal], "floors": floors})
    long = {**deal, "term_months": 12_000, "option_months": 12_000}
    assert so.solve(so.from_tables({**BOOK, "contracts": [long], "floors": floors})).plan


@pytest.mark.parametrize(
    "offers", ["spot", 5, [["spot", "alpha", 10]], {"offer": ["spot"], "price": [10, 11]}]
)
def test_what_is_no_table_is_reported_in_words(offers: Any) -> None:
    with pytest.raises(so.InputError, match="offers must be a frame, a sequence of rows or"):
        so.from_tables({**BOOK, "offers": offers})


def test_one_row_of_a_table_is_a_row() -> None:
    (offer,) = BOOK["offers"]
    book = so.from_tables({**BOOK, "offers": offer})
    assert book["offers"].equals(so.from_tables(BOOK)["offers"])


def test_plans_and_workbooks_can_be_gone_through(tmp_path: Path) -> None:
    book = so.from_tables(BOOK)
    plan = so.solve(book).plan
    idle = so.solve(so.from_tables({**BOOK, "demand": []})).plan
    saved = so.load_plan(idle.save(tmp_path / "plan.xlsx"))
    for each, name in ((book, "offers"), (plan, "orders"), (saved, "orders")):
        assert name in each
        assert "no such sheet" not in each
        assert all(len(each[one].columns) for one in each)
    assert saved["orders"]["ordered"].sum() == 0  # nothing is ordered, and the columns are there


@pytest.mark.parametrize("name", ["plan.xlsx", "plan.json"])
def test_a_file_that_is_no_plan_stays(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("of somebody else")
    plan = so.solve(so.from_tables(BOOK)).plan
    with pytest.raises(so.OutputError, match="stays"):
        plan.save(tmp_path / name)
    assert (tmp_path / name).read_text() == "of somebody else"
    plan.save(tmp_path / name, force=True)
    plan.save(tmp_path / name)
    assert so.load_plan(tmp_path / name).objective == plan.objective


def test_an_evaluator_is_a_function_of_its_inputs() -> None:
    """10 at a price; where the shortage is cheaper, nothing is bought."""
    model = so.Evaluator(so.from_tables(BOOK), {"offers[spot].price": (400, 600)}, gap=0.0)
    assert model.problem["bounds"] == [[400.0, 600.0]]
    assert model.evaluate(np.array([[400.0], [500.0]])).tolist() == [4000.0, 5000.0]
    assert model([[9500.0]]).tolist() == [90000.0]


def test_a_study_keeps_its_record_and_reports_its_progress(tmp_path: Path) -> None:
    book, seen = so.from_tables(BOOK), list[int]()
    for expected in (0, 3):
        found = so.study(
            book,
            "sweep",
            {"offers[spot].price": (400, 600)},
            steps=3,
            record=tmp_path / "runs.sqlite",
            on_progress=lambda progress: seen.append(progress.kept),
        )
        assert found.frame["objective"].tolist() == [4000.0, 5000.0, 6000.0]
        assert seen[-1] == expected


@pytest.mark.parametrize("kind", ["firm_supply", "floor_levels"])
def test_a_what_if_is_a_kind_of_study(kind: str, folder: Path) -> None:
    assert so.study(so.read("inputs/small.xlsx"), kind).answers


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        ("optimiser", ("pyomo", "pandas")),
        ("optimiser.cli.main, optimiser.api.planning.planner", ("scipy", "pandas")),
    ],
)
def test_import_is_light(imported: str, heavy: tuple[str, ...]) -> None:
    """What a command needs before it listens to Ctrl-C is next to nothing, and a plan needs no
    package that only some studies use.
    """
    said = f"import sys, {imported}; print(*[each for each in {heavy} if each in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ran.stdout.split() == []


def test_a_search_that_was_interrupted_is_not_said_to_have_run_out_of_time() -> None:
    late = so.Solution("no_plan", None, None, 1.0)
    assert late.reasons == ("No plan was found within the time limit.",)
    stopped = so.Solution("no_plan", None, None, 1.0, interrupted=True)
    assert stopped.reasons == ("The search was interrupted before it found a plan.",)


def test_a_study_of_the_sheet_goes_by_its_name_in_any_case() -> None:
    rows = [{"study": "Price", "kind": "sweep", "table": "offers", "row": "spot", "column": "price",
             "low": 11, "high": 13, "steps": 2}]  # fmt: skip
    book = so.from_tables({
        "settings": {"start": "2027-01-01", "periods": 1},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [{"offer": "spot", "supplier": "plant", "material": "ga", "price": 12}],
        "demand": [{"material": "ga", "from": "2027-01-01", "quantity": 1}],
        "studies": rows,
    })  # fmt: skip
    found = so.study(book, "price")
    assert str(found).splitlines()[0] == "Study sweep of 2 runs"
    with pytest.raises(so.InputError):
        so.study(book, "sweep", [""])


def test_a_workbook_cannot_be_without_what_is_no_table() -> None:
    book = so.read("inputs/small.xlsx")
    assert "studies" not in book.without("studies").tables
    with pytest.raises(KeyError, match="no table 'outlet'"):
        book.without("outlet")


def test_the_gap_of_firm_supply_is_that_of_any_unit() -> None:
    rows = [
        FirmSupplyRow(figure=name, of=None, unit="money", planned=1e-8, firm=firm, difference=0.0)
        for name, firm in (("objective", 1e-8), ("proven bound", 9e-9), ("waste", 0.0), ("shortfall", 0.0))
    ]  # fmt: skip
    assert _firm(rows, 1e-9)["gap"] == pytest.approx(0.1)
    rows[0] = replace(rows[0], firm=0.0)
    rows[1] = replace(rows[1], firm=-1.0)
    assert _firm(rows, 1e-9)["gap"] is None
