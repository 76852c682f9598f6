"""Lists of names in one text."""

from __future__ import annotations

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optimiser as so
from optimiser.auditing import audit
from optimiser.figures.of_memo.to_sign import _payers
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.html.row_data import tables
from optimiser.plan.action_rows import Action
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.name_lists import list_of, names_in
from stockpile_model.names import clean
from tests.test_actions import LOTS, month

FUND = "Smith, Jones Ltd"
DRY = "dry; then wet"


@given(st.lists(st.text('ab",; 、').map(clean).filter(bool)))
def test_a_list_is_read_as_it_was_written(names: list[str]) -> None:
    assert names_in(list_of(names)) == tuple(names)


@pytest.mark.parametrize(
    ("written", "names"),
    [("a, b", ["a", "b"]), ("a;b ,, c", ["a", "b", "c"]), ('5" pipe, b', ['5" pipe', "b"]), ("", [])],
)  # fmt: skip
def test_a_list_is_read_as_people_write_it(written: str, names: list[str]) -> None:
    assert names_in(written) == tuple(names)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Two funds pay each order, and what the demand is becomes known in the second period."""
    funds = [FUND, "Jones Ltd"]
    plan = so.solve(so.from_tables({
        **LOTS,
        "offers": [{**LOTS["offers"][0], "offer": "spot, near"}],
        "funds": [{"fund": each} for each in funds],
        "budgets": [{"fund": each, "from": month(1), "amount": 30} for each in funds],
        "scenarios": [{"scenario": each, "probability": 0.25} for each in (DRY, "wet")],
        "events": [
            {
                "scenario": each, "table": "demand", "column": "quantity", "how": "set", "value": value,
                "from": month(3),
            }
            for each, value in ((DRY, 5), ("wet", 6))
        ],
    })).plan  # fmt: skip
    assert plan is not None
    return plan


def test_names_with_commas_stay_whole_in_a_plan(plan: Plan) -> None:
    first = next(each for each in plan.of(Action) if each.date == month(1))
    paid = (f"{FUND} 2027-01", "Jones Ltd 2027-01")
    assert set(names_in(first.appropriation or "")) == set(paid)
    assert set(names_in(first.lots or "")) == {"spot, near 2027-02"}
    assert _payers(first).endswith("and 1 more")
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()


def test_links_lead_to_whole_names(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = plan.save(tmp_path_factory.mktemp("named") / "plan.xlsx")
    assert so.load_plan(path)["deliveries"]["lot"][0] == "spot, near 2027-02"
    book = openpyxl.load_workbook(path)
    sheet = book["cash_flow"]
    titles = [str(each.value) for each in sheet[1]]
    cell = next(row[titles.index("Appropriation")] for row in sheet.iter_rows(min_row=2))
    first = names_in(str(cell.value))[0]
    place = cell.hyperlink.location
    there, at = place.replace("'", "").split("!")
    assert book[there][at].value == first


def test_an_edited_plan_keeps_its_scenarios(plan: Plan) -> None:
    """Each row of a scenario whose name holds a mark of lists stands on its path alone."""
    assert {each.scenario for each in plan.of(ScenarioOutcome)} == {"base", DRY, "wet"}
    flows = {name for each in plan.of(CashFlow) for name in names_in(each.scenarios)}
    assert DRY in flows
    assert "then wet" not in flows


def test_a_page_leads_by_whole_names(plan: Plan) -> None:
    table = next(each for each in tables(PlanRows(plan)) if each["name"] == "cash_flow")
    several = [each["name"] for each in table["columns"] if each["several"]]  # type: ignore[index,union-attr]
    assert several == ["appropriation"]


def test_a_list_of_the_input_may_hold_a_name_with_a_comma() -> None:
    book = so.from_tables({**LOTS, "funds": [
        {"fund": "treasury", "materials": '"gallium, pure", gallium'},
    ], "materials": [*LOTS["materials"], {"material": "gallium, pure"}]})  # fmt: skip
    (fund,) = book.stockpile.tables[next(k for k in book.stockpile.tables if k.TABLE == "funds")]
    assert fund.materials == ("gallium, pure", "gallium")  # type: ignore[attr-defined]
