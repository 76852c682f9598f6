"""Plans side by side: what differs is shown, what does not is not, and a plan whose workbook
changed since is said to be stale.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import optimiser as so
from optimiser.auditing import Sheets
from optimiser.cli.compare_command import _amount, show_comparison
from optimiser.cli.terminal import Plain
from optimiser.comparison.compared import Compared, change, compare
from optimiser.plan.audited import as_sheets
from optimiser.system.errors import InputError, OutputError
from optimiser.workbook.write.plan_book import write
from tests.support.books import book
from tests.support.commands import stockpile
from tests.support.plans import plan_of, shared_plan
from tests.support.trees import TWO_STAGE, tree_plan
from tests.test_cli import TABLES

DEARER = "offers[spot].price set 6"
MORE = "demand[*].quantity scale 1.5"


def solved(source: Path, name: str, *changes: str) -> Path:
    target = source.with_name(name)
    assert so.solve(source, output=target, changes=changes).plan is not None
    return target


def differing(found: so.SideBySide) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {(row.what, row.of): row.values for row in found.rows if row.differs}


def row(rows: Any, what: str, of: str = "") -> Compared:
    (found,) = (each for each in rows if (each.what, each.of) == (what, of))
    return found  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workbook and two plans of it, which tests copy."""
    source = book(tmp_path_factory.mktemp("planned") / "mine.xlsx", TABLES)
    solved(source, "a.xlsx")
    solved(source, "b.xlsx", DEARER)
    return source.parent


@pytest.fixture
def workbook(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(planned / "mine.xlsx", tmp_path))


@pytest.fixture
def plans(planned: Path, workbook: Path) -> tuple[Path, Path]:
    return Path(shutil.copy(planned / "a.xlsx", workbook.parent)), Path(
        shutil.copy(planned / "b.xlsx", workbook.parent)
    )


# --- Rows -----------------------------------------------------------------------------------------


def test_a_dearer_price_differs_in_cost_alone(plans: tuple[Path, Path]) -> None:
    found = so.compare(*plans)
    assert differing(found) == {
        ("objective", ""): (pytest.approx(224), pytest.approx(264)),
        ("proven bound", ""): (pytest.approx(224), pytest.approx(264)),
        ("expected cost", ""): (pytest.approx(224), pytest.approx(264)),
        ("cost", "purchases"): (pytest.approx(200), pytest.approx(240)),
        ("spent", "treasury 2027-01"): (pytest.approx(224), pytest.approx(264)),
    }
    assert row(found.rows, "ordered", "spot").values == (pytest.approx(40), pytest.approx(40))
    assert row(found.rows, "cost", "order costs").values == (pytest.approx(24), pytest.approx(24))
    assert found.units == {"money": "USD", "quantity": "kg"}
    assert found.notes == (f"b: is planned with {DEARER}",)


def test_more_demand_differs_in_its_orders(workbook: Path) -> None:
    found = differing(so.compare(solved(workbook, "a.xlsx"), solved(workbook, "b.xlsx", MORE)))
    assert found["ordered", "spot"] == (pytest.approx(40), pytest.approx(60))
    assert found["arrives", "smelter"] == (pytest.approx(40), pytest.approx(60))
    dated = [
        values
        for (what, of), values in found.items()
        if what.startswith("order 2027-") and of == "spot"
    ]
    assert [sum(column) for column in zip(*dated, strict=True)] != [0, 0]
    assert ("first order", "spot") not in found


def test_a_plan_compared_with_itself_does_not_differ(plans: tuple[Path, Path]) -> None:
    assert differing(so.compare(plans[0], plans[0])) == {}


def test_a_plan_written_and_read_is_as_it_was_made(tmp_path: Path) -> None:
    for name, plan in (("shared", shared_plan()), ("tree", tree_plan("two_stage"))):
        write(plan, tmp_path / f"{name}.xlsx")
        side, _ = so.compare(*[tmp_path / f"{name}.xlsx"] * 2).sides
        assert [each for each in compare([as_sheets(plan), side.sheets]) if each.differs] == []


def edited(sheets: Sheets, sheet: str, where: Callable[[Any], bool], **values: Any) -> Sheets:
    def line(old: Any) -> Any:
        new = (
            type(old)({**old, **values}, old.sheet, old.number, old.letters, old.names)
            if where(old)
            else old
        )
        return new

    assert any(map(where, sheets[sheet]))
    return replace(sheets, rows={**sheets.rows, sheet: [line(each) for each in sheets[sheet]]})


def test_contracts_and_projects_are_compared_by_what_is_decided() -> None:
    before = as_sheets(shared_plan())
    after = edited(
        before, "contracts", lambda line: line["contract"] == "hedge", level=None, signed=None
    )
    after = edited(
        after, "projects", lambda line: line["project"] == "plant", decision="no", decided=None
    )
    found = {(each.what, each.of): each.values for each in compare([before, after]) if each.differs}
    assert found == {
        ("contract", "hedge"): ("one, 2027-01-01", "not signed"),
        ("project", "plant"): (found["project", "plant"][0], "no"),
    }
    assert str(found["project", "plant"][0]).startswith("grant, 2027-")


def test_rotation_and_arrivals_are_summed_by_outlet_and_supplier() -> None:
    before = as_sheets(shared_plan())
    after = edited(before, "rotation", lambda line: line["outlet"] == "swap", quantity=1.0)
    after = edited(after, "deliveries", lambda line: line["supplier"] == "trader", quantity=0.0)
    found = {(each.what, each.of): each.values for each in compare([before, after]) if each.differs}
    lines = [line for line in before["rotation"] if line["outlet"] == "swap"]
    assert found["rotated", "swap"] == (
        pytest.approx(sum(line["quantity"] for line in lines)),
        pytest.approx(len(lines)),
    )
    assert found["arrives", "trader"][1] == 0
    assert found.keys() == {("rotated", "swap"), ("arrives", "trader")}


def test_scenarios_are_compared_and_sums_are_expected() -> None:
    plan = tree_plan("two_stage")
    sheets = as_sheets(plan)
    other = edited(sheets, "scenarios", lambda line: line["scenario"] == "squeeze", cost=1.0)
    found = compare(
        [sheets, other, replace(sheets, cvar=2.0, rows={**sheets.rows, "scenarios": []})]
    )
    assert row(found, "cost", "squeeze").values[1:] == (1.0, None)
    assert row(found, "CVaR").values == (plan.cvar, plan.cvar, 2.0)
    assert row(found, "shortfall", "squeeze").values[0] is not None
    expected = sum(
        line["probability"] * line["ordered"]
        for line in sheets["orders"]
        if line["offer"] == "spot"
    )
    plain = sum(line["ordered"] for line in sheets["orders"] if line["offer"] == "spot")
    assert row(found, "ordered", "spot").values[0] == pytest.approx(expected)
    assert expected < plain - 1
    dated = {each.what for each in found if each.what.startswith("order 2027")}
    assert dated
    assert dated <= {"order 2027-01-01", "order 2027-02-01"}  # in March the first scenario is known


@pytest.mark.parametrize(
    ("first", "other", "differs"),
    [
        (1e9, 1e9 + 900, False),
        (1e9, 1e9 + 1100, True),
        (0.0, 5e-7, False),
        (0.0, 1e-5, True),
        (None, 1.0, True),
        ("a", "a", False),
    ],
)
def test_what_is_one_amount(first: Any, other: Any, differs: bool) -> None:
    assert (change(first, other, 1e-6) is not None) == differs


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_amounts_are_one_in_any_unit(unit: float) -> None:
    """What differs by a hundredth differs in millions and in millionths too; what is noise of the
    largest amount is none.
    """
    plans = [replace(as_sheets(shared_plan()), costs={"freight": of * unit, "duty": 5e3 * unit, "storage": rest * unit}, objective=0.0)
             for of, rest in ((1.0, 0.0), (1.01, 1e-7))]  # fmt: skip
    plans = [
        replace(
            each, bound=None, expected_cost=None, cvar=None, rows={name: [] for name in each.rows}
        )
        for each in plans
    ]
    found = {each.of: each.differs for each in compare(plans) if each.what == "cost"}
    assert found == {"freight": True, "duty": False, "storage": False}


# --- Stale plans, and workbooks planned now -------------------------------------------------------


def test_a_plan_is_stale_once_its_workbook_next_to_it_changes(
    workbook: Path, plans: tuple[Path, Path], tmp_path: Path
) -> None:
    assert [side.stale for side in so.compare(*plans).sides] == [None, None]
    book(workbook, {**TABLES, "budgets": [{**TABLES["budgets"][0], "amount": 2000}]})
    found = so.compare(*plans)
    assert found.notes[0] == f"a: is stale, made from another version of {workbook}"
    assert [side.stale for side in found.sides] == [workbook, workbook]
    workbook.unlink()
    assert [side.stale for side in so.compare(*plans).sides] == [None, None]


def test_a_workbook_is_planned_now_and_compared_with_its_plan(
    workbook: Path, plans: tuple[Path, Path]
) -> None:
    same = so.compare(plans[0], workbook)
    assert differing(same) == {}
    assert [side.name for side in same.sides] == ["a", "mine, planned now"]
    elsewhere = workbook.parent / "edited"
    elsewhere.mkdir()
    book(elsewhere / "mine.xlsx", {**TABLES, "offers": [{**TABLES["offers"][0], "price": 6}]})
    found = so.compare(plans[0], elsewhere / "mine.xlsx")
    assert found.sides[0].stale == elsewhere / "mine.xlsx"
    assert found.sides[1].stale is None
    assert differing(found)["cost", "purchases"] == (pytest.approx(200), pytest.approx(240))
    assert sorted(path.name for path in workbook.parent.iterdir()) == [
        "a.xlsx",
        "b.xlsx",
        "edited",
        "mine.xlsx",
    ]


def test_changes_are_made_to_what_is_planned_now(workbook: Path, plans: tuple[Path, Path]) -> None:
    found = so.compare(plans[1], workbook, changes=[DEARER])
    assert differing(found) == {}
    assert [side.stale for side in found.sides] == [None, None]


def test_a_note_reports_a_plan_with_changes_next_to_its_workbook_without_them(
    workbook: Path, plans: tuple[Path, Path]
) -> None:
    """Their difference is that of the changes too."""
    without = so.compare(plans[1], workbook).notes
    assert (
        sum(
            "is planned without what b is planned with; --set gives it the same changes" in note
            for note in without
        )
        == 1
    )
    assert not any(
        "without" in note for note in so.compare(plans[1], workbook, changes=[DEARER]).notes
    )
    assert not any("without" in note for note in so.compare(plans[0], workbook).notes)


def test_a_workbook_without_a_plan_is_reported(workbook: Path, plans: tuple[Path, Path]) -> None:
    with pytest.raises(so.NoPlanError, match=r"mine\.xlsx: No plan keeps every limit"):
        so.compare(plans[0], workbook, changes=["budgets[treasury].amount set 1"])


def test_files_of_one_name_are_distinguished(plans: tuple[Path, Path]) -> None:
    folder = plans[0].parent / "other"
    folder.mkdir()
    (folder / "a.xlsx").write_bytes(plans[1].read_bytes())
    assert [side.name for side in so.compare(plans[0], folder / "a.xlsx").sides] == [
        str(plans[0]),
        str(folder / "a.xlsx"),
    ]


def test_of_a_plan_of_first_decisions_no_later_ones_are_compared(tmp_path: Path) -> None:
    source = book(tmp_path / "tree.xlsx", TWO_STAGE)
    first = tmp_path / "first.xlsx"
    so.solve_in_bundles(source, 2, output=first)
    found = so.compare(solved(source, "whole.xlsx"), first)
    assert found.notes == (
        (
            "first: holds what is done before 2027-03-01, so of all plans no later decisions are"
            " compared"
        ),
    )
    whole = [line for line in found.sides[0].sheets["orders"] if line["offer"] == "spot"]
    early = sum(line["probability"] * line["ordered"] for line in whole if line["date"].month < 3)
    assert row(found.rows, "ordered", "spot").values[0] == pytest.approx(early)
    assert early < sum(line["probability"] * line["ordered"] for line in whole) - 1


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("currency", "EUR", "money in EUR"), ("quantity_unit", "t", "quantities in t")],
)
def test_other_units_are_refused(
    plans: tuple[Path, Path], name: str, value: str, said: str
) -> None:
    other = book(
        plans[0].with_name("other.xlsx"),
        {**TABLES, "settings": {**TABLES["settings"], name: value}},
    )
    with pytest.raises(InputError) as error:
        so.compare(plans[0], solved(other, "c.xlsx"))
    (fault,) = error.value.faults
    assert str(fault).startswith(f"{plans[0].with_name('c.xlsx')}: has {said}, {plans[0]} in ")


def test_a_broken_plan_is_reported_in_one_line(plans: tuple[Path, Path]) -> None:
    made = openpyxl.load_workbook(plans[1])
    for name in ("orders", "lots", "budget"):
        del made[name]
    made.save(plans[1])
    with pytest.raises(InputError) as error:
        so.compare(*plans)
    assert [str(each) for each in error.value.faults] == [
        f"{plans[1]}: the sheet 'orders' is missing: this is no plan, or not all of one (and 2"
        " more)"
    ]


def test_no_input_is_written_to(workbook: Path, plans: tuple[Path, Path]) -> None:
    before = plans[0].read_bytes(), workbook.read_bytes()
    for target in (plans[0], workbook):
        with pytest.raises(OutputError, match="never written to"):
            so.compare(*plans, workbook, output=target)
    assert (plans[0].read_bytes(), workbook.read_bytes()) == before


# --- The workbook ---------------------------------------------------------------------------------


def test_the_workbook_holds_every_row_with_its_colours(
    workbook: Path, plans: tuple[Path, Path]
) -> None:
    third = solved(workbook, "third.xlsx", MORE)
    found = so.compare(*plans, third, output=workbook.with_name("out.xlsx"))
    made = openpyxl.load_workbook(workbook.with_name("out.xlsx"))
    values = openpyxl.load_workbook(workbook.with_name("out.xlsx"), data_only=True)
    assert made.sheetnames == [
        "figures",
        "decisions",
        "scenarios",
        "appropriations",
        "plans",
    ]
    sheet = values["figures"]
    header, objective = ([cell.value for cell in sheet[k]] for k in (1, 2))
    assert header == [
        "What",
        "Of",
        "Unit",
        "Differs",
        "a",
        "b",
        "third",
        "b minus a",
        "third minus a",
    ]
    assert all(cell.comment for cell in made["figures"][1])
    assert objective == [
        "objective",
        None,
        "USD",
        "yes",
        *(pytest.approx(each) for each in (224, 264, 324, 40, 100)),
    ]
    assert made["figures"]["H2"].value == "=F2-E2"
    parts = ("figures", "decisions", "scenarios", "appropriations")
    assert sum(values[name].max_row - 1 for name in parts) == len(found.rows)
    formats = {
        str(area.sqref): [each.formula for each in rules]
        for area, rules in made["figures"].conditional_formatting._cf_rules.items()
    }
    noise = "1E-06"  # of the largest amount of money, what is appropriated
    assert formats["F2:G2"] == [
        [
            f"IF(AND(ISNUMBER($E2),ISNUMBER(F2)),F2-$E2>MAX({noise},0.000001*MAX(ABS($E2),ABS(F2))),FALSE)"
        ],
        [
            f"IF(AND(ISNUMBER($E2),ISNUMBER(F2)),$E2-F2>MAX({noise},0.000001*MAX(ABS($E2),ABS(F2))),FALSE)"
        ],
        [
            f"IF(AND(ISNUMBER($E2),ISNUMBER(F2)),ABS(F2-$E2)>MAX({noise},0.000001*MAX(ABS($E2),ABS(F2))),NOT(EXACT($E2,F2)))"
        ],
    ]
    assert (
        len(formats["F3:G3"]) == len(formats["F4:G4"]) == 1
    )  # of the bound and the gap neither more nor less is worse
    about = [
        [cell.value for cell in line] for line in values["plans"].iter_rows(min_row=2, max_row=3)
    ]
    assert [line[2] for line in about] == ["mine.xlsx", "mine.xlsx"]
    assert [line[4] for line in about] == [None, DEARER]


def test_names_like_formulas_stay_text(tmp_path: Path) -> None:
    hostile = '=HYPERLINK("http://x","[red]y")'
    tables = {
        **TABLES,
        "suppliers": [{"supplier": "@SUM(1)"}],
        "offers": [{**TABLES["offers"][0], "offer": hostile, "supplier": "@SUM(1)"}],
    }
    source = book(tmp_path / "=1+1", tables)  # a folder of CSV files
    plan = solved(source, "=2+2.xlsx")
    so.compare(plan, source, output=tmp_path / "out.xlsx")
    made = openpyxl.load_workbook(tmp_path / "out.xlsx")
    values = {cell.value for sheet in made for line in sheet.iter_rows() for cell in line}
    assert {hostile, "@SUM(1)", "=2+2", "=1+1, planned now"} <= values
    raw = {
        name: text
        for name, text in _parts(tmp_path / "out.xlsx").items()
        if name.startswith("xl/worksheets/sheet")
    }
    formulas = [each for text in raw.values() for each in re.findall(r"<f>(.*?)</f>", text)]
    assert formulas
    assert all(re.fullmatch(r"F\d+-E\d+", each) for each in formulas)
    assert not any("<hyperlink" in text for text in raw.values())


def _parts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


# --- The terminal ---------------------------------------------------------------------------------


def test_the_terminal_shows_what_differs(plans: tuple[Path, Path]) -> None:
    ran = stockpile("compare", *plans, cwd=plans[0].parent)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"cost +purchases +USD +200 +240 \(\+40\)", ran.stdout)
    assert "order costs" not in ran.stdout
    assert "Decisions" not in ran.stdout
    assert "\x1b" not in ran.stdout
    assert "note: b: is planned with offers[spot].price set 6" in ran.stderr
    assert sorted(path.name for path in plans[0].parent.iterdir()) == [
        "a.xlsx",
        "b.xlsx",
        "mine.xlsx",
    ]
    shown = stockpile("compare", *plans, "--all", cwd=plans[0].parent).stdout
    assert re.search(r"cost +order costs +USD +24 +24\n", shown)
    assert re.search(r"ordered +spot +kg +40 +40\n", shown)
    assert "Nothing differs" in stockpile("compare", plans[0], plans[0], cwd=plans[0].parent).stdout


def test_more_cost_is_red_and_less_green(
    plans: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for order, colour in ((plans, "31"), (plans[::-1], "32")):
        target = io.StringIO()
        console = Plain(file=target, force_terminal=True, color_system="standard", width=150)
        monkeypatch.setattr("optimiser.cli.terminal.Plain", lambda console=console, **_: console)
        show_comparison(so.compare(*order), everything=False)
        assert re.search(rf"\x1b\[{colour}m2\d\d \([+-]40\)\x1b", target.getvalue())


def test_json_is_one_object_of_all_rows(workbook: Path, plans: tuple[Path, Path]) -> None:
    book(workbook, {**TABLES, "materials": [{**TABLES["materials"][0], "shelf_life_months": 4}]})
    ran = stockpile("compare", *plans, "--json", cwd=workbook.parent)
    found = json.loads(ran.stdout)
    assert [(each["name"], each["stale"], each["planned_now"]) for each in found["plans"]] == [
        ("a", True, False),
        ("b", True, False),
    ]
    assert found["rows"][0]["what"] == "objective"
    assert found["rows"][0]["values"] == [pytest.approx(224), pytest.approx(264)]
    assert found["rows"][0]["differs"] is True
    assert any(each["differs"] is False for each in found["rows"])


def test_exit_statuses(workbook: Path, plans: tuple[Path, Path]) -> None:
    folder = workbook.parent
    assert stockpile("compare", plans[0], cwd=folder).returncode == 2
    gone = stockpile("compare", plans[0], "gone.xlsx", cwd=folder)
    assert (gone.returncode, gone.stderr.splitlines()) == (1, ["gone.xlsx: there is no such file"])
    (folder / "junk.xlsx").write_bytes(os.urandom(64))
    junk = stockpile("compare", plans[0], "junk.xlsx", cwd=folder)
    assert (junk.returncode, len(junk.stderr.splitlines())) == (1, 1)
    none = stockpile(
        "compare", plans[0], workbook, "--set", "budgets[treasury].amount set 1", cwd=folder
    )
    assert none.returncode == 3
    assert "mine.xlsx: No plan keeps every limit" in none.stderr


def test_plans_of_scenarios_are_shown(tmp_path: Path) -> None:
    tree = tree_plan("two_stage")
    calmer = plan_of(
        {
            **TWO_STAGE,
            "scenarios": [{"scenario": "squeeze", "probability": 0.1}, *TWO_STAGE["scenarios"][1:]],
        }
    )
    assert calmer is not None
    for name, plan in (("tree", tree), ("calmer", calmer)):
        write(plan, tmp_path / f"{name}.xlsx")
    ran = stockpile("compare", "tree.xlsx", "calmer.xlsx", "-o", "out.xlsx", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"probability +squeeze +30\.000 % +10\.000 % \(-20\.000 %\)", ran.stdout)
    assert re.search(r"expected cost +USD +\d+ +\d+ \(-", ran.stdout)
    assert re.search(
        r"CVaR +USD", stockpile("compare", "tree.xlsx", "calmer.xlsx", "--all", cwd=tmp_path).stdout
    )
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["scenarios"]
    assert {sheet.cell(r, 2).value for r in range(2, sheet.max_row + 1)} == {
        "base",
        "squeeze",
        "outage",
    }  # what cannot come is in no plan


@pytest.mark.parametrize(
    ("amount", "sign", "said"),
    [(0.00001234, "+", "+0.00001234"), (-0.5, "", "-0.5"), (1234.6, "+", "+1,235"), (3.0, "", "3")],
)
def test_no_amount_is_a_power_of_ten(amount: float, sign: str, said: str) -> None:
    assert _amount(amount, "money", sign) == said
