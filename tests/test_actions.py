"""Actions: what is to be signed, the numbers by which other rows name it, why it is done, and what
of a plan surprises.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pandas as pd
import pytest

import optimiser as so
from optimiser.auditing import audit
from optimiser.auditing.plan_sheets import Line
from optimiser.plan.action_rows import Action
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.workbook.write import plan_book
from optimiser.workbook.write.sheet_links import _onward
from stockpile_model.block import results
from stockpile_model.blocks.budget import Payment
from stockpile_model.blocks.contracts import ContractOutcome
from stockpile_model.leads import Lead
from stockpile_model.schema import Result
from tests.support.plans import uncertain_plan

COMMITTED = ["kind", "name", "level", "date", "quantity", "how"]


def month(number: int, day: int = 1) -> dt.date:
    return dt.date(2027, number, day)


def planned(tables: dict[str, Any]) -> Plan:
    plan = so.solve(so.from_tables(tables)).plan
    assert plan is not None
    return plan


LOTS: dict[str, Any] = {
    "settings": {"start": month(1), "periods": 4, "mip_gap": 0, "firm_periods": 2},
    "materials": [{"material": "gallium", "shelf_life_months": 12, "shortage_cost": 100}],
    "suppliers": [{"supplier": "alpha"}],
    "offers": [
        {
            "offer": "spot", "supplier": "alpha", "material": "gallium", "price": 10, "freight": 1,
            "lot_size": 5, "capacity": 5, "availability": 0.8, "lead_time_months": 1, "order_cost": 2,
            "to": month(3, 20),
        }
    ],
    "outlets": [{"outlet": "resale", "material": "gallium", "form": "sale", "price": 4, "cost": 1}],
    "demand": [{"material": "gallium", "from": month(2), "to": month(4), "quantity": 4}],
    "funds": [{"fund": "treasury"}],
    "budgets": [
        {"fund": "treasury", "from": month(1), "expires": month(1, 25), "pay_by": month(6, 30), "amount": 60},
        {"fund": "treasury", "from": month(2), "amount": 1000},
    ],
}  # fmt: skip
"""Four of five units arrive. In January money expires on the 25th; from March on lots are relaxed.
What is ordered in February is paid by the other appropriation."""


@pytest.fixture(scope="module")
def lots() -> Plan:
    return planned(LOTS)


@pytest.fixture(scope="module")
def uncertain() -> Plan:
    return uncertain_plan()


def action(plan: Plan, number: str) -> Action:
    return next(each for each in plan.of(Action) if each.number == number)


# --- The list -------------------------------------------------------------------------------------


def test_an_order_says_what_is_signed_what_arrives_and_what_it_may_cost(lots: Plan) -> None:
    first = action(lots, "O2027-01/1")
    assert (first.what, first.supplier) == ("order: spot", "alpha")
    assert (first.signed_quantity, first.expected) == (5, 4)
    assert (first.price, first.invoice) == (11, 55)  # all five may arrive
    assert (first.appropriation, first.due) == ("treasury 2027-01", month(2))
    assert (first.sign_by, first.pay_by) == (month(1, 25), month(6, 30))
    assert (first.status, first.lots, first.sheet) == ("firm", "spot 2027-02", "orders")


def test_the_last_day_is_that_of_the_period_of_the_offer_or_of_the_money(lots: Plan) -> None:
    """The money of February has no end, so its period ends first; the offer ends on 20 March."""
    found = {each.number: (each.sign_by, each.pay_by) for each in lots.of(Action)}
    assert found["O2027-02/1"] == (month(2, 28), None)
    assert found["O2027-03/1"] == (month(3, 20), None)


def test_what_lies_beyond_firm_periods_is_indicative(lots: Plan) -> None:
    status = {each.number: each.status for each in lots.of(Action)}
    assert status == {"O2027-01/1": "firm", "O2027-02/1": "firm", "O2027-03/1": "indicative"}
    said = dict(zip(lots["orders"]["number"], lots["orders"]["instruction"], strict=True))
    assert said["O2027-03/1"].startswith("2027-03, indicative: order 5 kg")
    assert said["O2027-01/1"] == (
        "2027-01: order 5 kg of gallium from alpha under spot, to arrive 2027-02, of which 4 kg are"
        " expected, for 46 USD in all"
    )


def test_the_first_period_stands_first(uncertain: Plan) -> None:
    dates = [each.date for each in uncertain.of(Action)]
    assert dates == sorted(dates)
    assert len({each.number for each in uncertain.of(Action)}) == len(dates)


def test_every_row_that_is_an_action_is_on_the_list(uncertain: Plan) -> None:
    listed = {each.number for each in uncertain.of(Action)}
    shown = {
        row.number  # type: ignore[attr-defined]
        for kind in results()
        for row in uncertain.of(kind)
        if kind.LETTER and row.number is not None  # type: ignore[attr-defined]
    }
    assert shown == listed


def test_a_number_does_not_change_with_what_is_done_in_other_periods(lots: Plan) -> None:
    more = planned({**LOTS, "demand": [{**LOTS["demand"][0], "to": month(3)}]})
    same, before = action(more, "O2027-01/1"), action(lots, "O2027-01/1")
    assert (same.date, same.quantity, same.lots) == (before.date, before.quantity, before.lots)


LATE: dict[str, Any] = {
    "settings": {"start": month(1), "periods": 6, "mip_gap": 0},
    "materials": [{"material": "gallium", "shortage_cost": 100}],
    "suppliers": [{"supplier": "plant"}],
    "contracts": [
        {"contract": "offtake", "supplier": "plant", "material": "gallium", "deliver_from": month(2), "sign_to": month(1, 31)}
    ],
    "floors": [{"contract": "offtake", "level": "low", "floor": 2, "annual_quantity": 120}],
    "demand": [{"material": "gallium", "from": month(2), "to": month(6), "quantity": 10}],
    "scenarios": [{"scenario": "late", "probability": 0.25, "revealed": month(2)}],
    "events": [
        {
            "scenario": "late", "table": "suppliers", "row": "plant", "column": "start", "how": "set", "from": month(2),
            "value": month(4),
        }
    ],
}  # fmt: skip
"""10 a month at 2: five times from February on, or three times where the plant is late."""


def test_a_signature_says_what_it_brings_and_costs_over_its_scenarios() -> None:
    """Its rows, one for each first delivery, weigh what comes and what is paid already."""
    plan = planned(LATE)
    assert [each.delivered for each in plan.of(ContractOutcome)] == pytest.approx([37.5, 7.5])
    signed = action(plan, "S2027-01/1")
    assert (signed.expected, signed.cost) == pytest.approx((45, 90))
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()
    assert any("actions" in each for each in edited(plan, "actions", 0, expected=29.0))


def test_what_a_signature_brings_is_given_that_it_is_signed() -> None:
    """It may be signed in February, and in one scenario its floor is above what a shortage costs."""
    late = {**LATE["contracts"][0], "sign_from": month(2), "sign_to": month(2, 28)}
    dear = {"table": "floors", "row": "offtake", "column": "floor", "value": 200}
    plan = planned({**LATE, "contracts": [late], "events": [{**LATE["events"][0], **dear}]})
    (row,) = (each for each in plan.of(ContractOutcome) if each.decision == "sign")
    assert (row.probability, row.delivered) == pytest.approx((0.75, 37.5))
    (signed,) = (each for each in plan.of(Action) if each.kind == "sign")
    assert (signed.expected, signed.cost) == pytest.approx((50, 100))
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()


# --- Other rows name it ---------------------------------------------------------------------------


def test_deliveries_lots_and_payments_name_the_order(lots: Plan) -> None:
    frame = lots["deliveries"]
    assert dict(zip(frame["lot"], frame["number"], strict=True)) == {
        "spot 2027-02": "O2027-01/1",
        "spot 2027-03": "O2027-02/1",
        "spot 2027-04": "O2027-03/1",
    }
    assert lots["orders"]["becomes"].tolist() == ["spot 2027-02", "spot 2027-03", "spot 2027-04"]
    assert set(lots["movements"]["number"]) == {"O2027-01/1", "O2027-02/1", "O2027-03/1"}
    paid = lots["payments"]
    assert paid.groupby("number")["amount"].sum().to_dict() == pytest.approx(
        {"O2027-01/1": 46, "O2027-02/1": 46, "O2027-03/1": 46}, rel=0.1
    )
    assert set(paid["kind"]) == {"offers"}


def test_each_payment_names_what_it_pays(uncertain: Plan) -> None:
    kinds = {row["kind"] for _, row in uncertain["payments"].iterrows()}
    assert {"offers", "contracts", "sites", "outlets"} <= kinds
    of = {each.number: each for each in uncertain.of(Action)}
    for _, row in uncertain["payments"].iterrows():
        if row["kind"] in ("offers", "contracts", "outlets"):
            assert all(of[each].name == row["obligation"] for each in row["number"].split(", "))


def test_the_cash_flow_names_the_appropriation(lots: Plan) -> None:
    flow = lots["cash_flow"]
    freight = flow[(flow["heading"] == "freight") & (flow["date"] == month(2))]
    assert freight["appropriation"].tolist() == ["treasury 2027-01"]  # of January's order
    cost = flow[(flow["heading"] == "order_costs") & (flow["date"] == month(2))]
    assert cost["appropriation"].tolist() == ["treasury 2027-02"]  # of February's order
    first = flow[flow["date"] == month(1)]
    assert first["appropriation"].tolist() == ["treasury 2027-01"]


# --- It can be committed to -----------------------------------------------------------------------


SMALL: dict[str, Any] = {
    path.stem: pd.read_csv(path) for path in sorted(Path("inputs/small").glob("*.csv"))
}


@pytest.mark.parametrize("tables", [LOTS, SMALL], ids=["lots", "small"])
def test_actions_that_are_pasted_into_commitments_keep_the_cost(tables: dict[str, Any]) -> None:
    plan = planned(tables)
    pasted = plan["actions"][COMMITTED].dropna(subset=["kind"])
    kept = planned({**tables, "commitments": pasted})
    assert kept.objective == pytest.approx(plan.objective)
    assert len(kept["commitments"]) == len(pasted) > 1
    assert kept["commitments"]["planned"].tolist() == pytest.approx(pasted["quantity"].tolist())


def test_what_holds_in_some_scenarios_only_is_no_commitment(uncertain: Plan) -> None:
    for each in uncertain.of(Action):
        assert (each.how == "exactly") == (each.scenarios == "all" and each.kind is not None)


# --- The audit ------------------------------------------------------------------------------------


def edited(plan: Plan, sheet: str, row: int, **values: Any) -> list[str]:
    """What the audit finds where a row of a sheet is changed."""
    sheets = as_sheets(plan)
    lines = [*sheets[sheet]]
    old = lines[row]
    lines[row] = Line({**old, **values}, old.sheet, old.number, old.letters, old.names)
    found = audit(plan.stockpile, replace(sheets, rows={**sheets.rows, sheet: lines}))
    return [str(each) for each in found.findings]


def test_the_audit_agrees(lots: Plan, uncertain: Plan) -> None:
    for plan in (lots, uncertain):
        assert audit(plan.stockpile, as_sheets(plan)).findings == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("number", "O2027-01/9"),
        ("signed_quantity", 4.0),
        ("expected", 5.0),
        ("invoice", 44.0),
        ("price", 10.0),
        ("appropriation", "treasury 2027-02"),
        ("sign_by", month(1, 31)),
        ("pay_by", None),
        ("due", month(1)),
        ("status", "indicative"),
        ("kind", "rotate"),
        ("name", "other"),
        ("quantity", 4.0),
        ("date", month(2)),
        ("lots", "spot 2027-03"),
        ("supplier", "beta"),
        ("details", "2027-01: order nothing"),
    ],
)
def test_the_audit_finds_a_changed_action(lots: Plan, column: str, value: Any) -> None:
    assert any("actions" in each for each in edited(lots, "actions", 0, **{column: value}))


@pytest.mark.parametrize(
    ("sheet", "values"),
    [
        ("orders", {"number": "O2027-02/1"}),
        ("orders", {"becomes": "spot 2027-04"}),
        ("orders", {"invoice": 44.0}),
        ("deliveries", {"number": None}),
        ("movements", {"number": "O2027-03/1"}),
        ("payments", {"number": "O2027-02/1"}),
        ("payments", {"kind": "contracts"}),
        ("payments", {"heading": "purchases"}),
        ("payments", {"fiscal_year": 2031}),
        ("cash_flow", {"appropriation": "treasury 2027-02"}),
    ],
)
def test_the_audit_finds_a_wrong_reference(lots: Plan, sheet: str, values: Any) -> None:
    assert any(each.startswith((sheet, "actions")) for each in edited(lots, sheet, 0, **values))


def test_the_audit_finds_an_action_that_is_left_out(lots: Plan) -> None:
    sheets = as_sheets(lots)
    fewer = replace(sheets, rows={**sheets.rows, "actions": sheets["actions"][1:]})
    found = [str(each) for each in audit(lots.stockpile, fewer).findings]
    assert any("O2027-01/1 is no action of its kind" in each for each in found)


# --- Why ------------------------------------------------------------------------------------------


def test_an_order_says_what_one_more_unit_is_worth() -> None:
    """Without lots one more unit is worth what the source costs that brings it."""
    plan = so.solve("inputs/small.xlsx", gap=0).plan
    assert plan is not None
    why = plan["orders"].set_index("offer")["why"]
    assert why["spot"] == "one more kg when it arrives is worth 12 USD to the plan and costs 12"


SOLD: dict[str, Any] = {
    "settings": {"start": month(1), "periods": 3, "mip_gap": 0},
    "materials": [{"material": "gallium", "shelf_life_months": 6, "below_target_cost": 1}],
    "suppliers": [{"supplier": "alpha"}],
    "opening_stock": [{"lot": "old", "material": "gallium", "quantity": 10, "made": month(1)}],
    "offers": [{"offer": "spot", "supplier": "alpha", "material": "gallium", "price": 30, "to": month(1, 31)}],
    "targets": [{"material": "gallium", "from": month(1), "quantity": 20}],
    "outlets": [{"outlet": "resale", "material": "gallium", "form": "sale", "price": 8}],
}  # fmt: skip
"""A unit below target costs 1 a period, a unit sold brings 8: the lot is sold in the last one."""


def without(*names: str) -> dict[str, Any]:
    return {name: table for name, table in SOLD.items() if name not in names}


def test_a_plan_that_sells_below_its_target_says_so_with_its_reason() -> None:
    plan = planned(SOLD)
    (said,) = (line for line in plan.verdict.splitlines() if "would still count" in line)
    assert said == (
        "In 1 period 10 kg leave that would still count, while a target is missed: most in 2027-03,"
        " 10 kg of old through resale at 8 USD/kg, with 20 kg below target then. Kept, it would"
        " count at 1 more period end, which saves at most 1 USD/kg of the price on stock below"
        " target. The setting release_below_target = no forbids it."
    )
    (why,) = plan["rotation"]["why"]
    assert "it brings 8 USD/kg" in why
    assert "it would count towards a target for 1 more period" in why
    assert "20 kg are below target then, which the settings allow" in why
    kept = planned({**SOLD, "settings": {**SOLD["settings"], "release_below_target": "no"}})
    assert "would still count" not in kept.verdict


def test_what_leaves_below_a_target_is_said_of_each_metal() -> None:
    both = {
        name: [*rows, *({**each, "material": "indium", **_renamed(each)} for each in rows)]
        for name, rows in without("settings", "suppliers").items()
    }
    plan = planned({**both, "settings": SOLD["settings"], "suppliers": SOLD["suppliers"]})
    said = [line for line in plan.verdict.splitlines() if "would still count" in line]
    assert [each.split(" leave ")[0] for each in said] == [
        "In 1 period 10 kg of gallium",
        "In 1 period 10 kg of indium",
    ]


def test_what_is_below_the_targets_of_a_buyer_and_of_all_is_counted_once() -> None:
    targets = [*SOLD["targets"], {**SOLD["targets"][0], "buyer": "army", "quantity": 15}]
    plan = planned({**SOLD, "targets": targets, "sites": [{"site": "depot", "buyer": "army"}]})
    (said,) = (line for line in plan.verdict.splitlines() if "would still count" in line)
    assert "with 20 kg below target then" in said
    assert "20 kg are below target then" in plan["rotation"]["why"].iloc[0]


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {key: f"{row[key]} 2" for key in ("lot", "offer", "outlet") if key in row}


def test_a_plan_that_buys_dear_and_sells_cheap_says_so() -> None:
    """What is sold is old; fresh metal is needed by a demand that asks for life."""
    demand = [{"material": "gallium", "from": month(1), "quantity": 2, "minimum_life_months": 6}]
    old = [{**SOLD["opening_stock"][0], "made": dt.date(2026, 10, 1)}]
    outlets = [{**SOLD["outlets"][0], "to": month(1, 31)}]
    more = {"demand": demand, "opening_stock": old, "outlets": outlets}
    plan = planned({**without("targets"), **more})
    (said,) = (line for line in plan.verdict.splitlines() if "ordered for more" in line)
    assert said == (
        "In 1 period a material is ordered for more than it is sold for. In 2027-01 2 kg of gallium"
        " are ordered at 30 USD/kg delivered with 6 months of life, and 10 kg sold at 8"
        " USD/kg with 3 months of life."
    )


def test_a_ban_that_is_the_cheapest_future_says_so() -> None:
    """What cannot be bought is not paid, and what is missing has a low price."""
    cheap = {
        **without("targets", "opening_stock", "outlets"),
        "materials": [{"material": "gallium", "shortage_cost": 31}],
        "offers": [{**SOLD["offers"][0], "to": None}],
        "demand": [{"material": "gallium", "from": month(2), "quantity": 5}],
        "scenarios": [{"scenario": "ban", "probability": 0.5, "revealed": month(2)}],
        "events": [
            {"scenario": "ban", "table": "offers", "row": "spot", "column": "price", "how": "set", "value": 90},
            {"scenario": "ban", "table": "materials", "row": "gallium", "column": "shortage_cost", "how": "set", "value": 20},
        ],
    }  # fmt: skip
    plan = planned(cheap)
    (said,) = (line for line in plan.verdict.splitlines() if "cheapest scenario" in line)
    assert said == (
        "The cheapest scenario is ban, 100 USD, though it misses 5 kg more than base:"
        " undiscounted it pays 150 USD less, and what else is counted comes to 100 USD more."
    )


# --- The workbook ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workbook(uncertain: Plan) -> Any:
    return openpyxl.load_workbook(io.BytesIO(plan_book.compose(uncertain)))


def linked(workbook: Any) -> Iterator[tuple[str, str, Any, Any]]:
    """Each link between sheets of rows: its sheet, its column, its cell, the row that it leads to."""
    for sheet in workbook.worksheets:
        titles = {cell.column: str(cell.value) for cell in sheet[1]}
        for row in sheet.iter_rows(min_row=2) if sheet.title != "summary" else ():
            for cell in row:
                if cell.hyperlink is not None:
                    name, place = cell.hyperlink.location.split("!")
                    there = workbook[name.strip("'")]
                    header = [str(each.value) for each in there[1]]
                    values = [each.value for each in there[int(place[1:])]]
                    yield (
                        sheet.title,
                        titles[cell.column],
                        cell,
                        dict(zip(header, values, strict=True)),
                    )


def sheet_cell(workbook: Any, sheet: str, row: int, title: str) -> str:
    """The text of a row below a title."""
    titles = [cell.value for cell in workbook[sheet][1]]
    return str(workbook[sheet].cell(row, titles.index(title) + 1).value)


def test_the_list_is_the_first_sheet_after_the_summary(workbook: Any) -> None:
    assert workbook.sheetnames[:2] == ["summary", "actions"]
    sheet = workbook["actions"]
    titles = [str(cell.value) for cell in sheet[1]]
    at = titles.index("Kind")
    assert [each.split(" [")[0].lower() for each in titles[at : at + 6]] == COMMITTED
    last = titles.index("Date signed") + 1
    letter = openpyxl.utils.get_column_letter(last)
    assert sheet.print_area == f"'actions'!$A$1:${letter}${sheet.max_row}"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.page_setup.fitToWidth in (None, 1)  # one page wide, which is the default


def test_every_link_leads_to_a_row_that_is_meant(workbook: Any) -> None:
    ways = set()
    for sheet, title, cell, there in linked(workbook):
        first = str(cell.value).split(", ")[0]
        if title == "Number":
            assert there["Number"].split(", ")[0] == first
            ways.add(sheet)
        elif title in ("Lot", "Lots", "Becomes"):
            assert there["Lot"] in (cell.value, first)
            ways.add(title)
        elif title == "Appropriation":
            assert there["Appropriation"] in (cell.value, first)
            ways.add(title)
        elif title == "Sign by":
            payers = sheet_cell(workbook, "actions", cell.row, "Appropriation")
            assert there["Appropriation"] == payers.split(", ")[0]
            ways.add(title)
        elif title in ("Cell", "Stopped at"):
            assert there["Cell"] == cell.value
            ways.add(sheet)
    assert {"actions", "orders", "contracts", "deliveries", "lots", "movements", "payments"} <= ways
    assert {"Lot", "Lots", "Becomes", "Appropriation", "Sign by"} <= ways
    assert "marginal_values" in ways


def test_every_order_leads_to_its_lots_and_its_payments(workbook: Any) -> None:
    sheet = workbook["orders"]
    titles = [str(cell.value) for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        for name in ("Becomes", "Number", "Paid [USD, expected]"):
            assert row[titles.index(name)].hyperlink is not None


def followed(workbook: Any, sheet: str, row: int, title: str) -> int | None:
    """The row to which a click on a cell of a row leads."""
    titles = [str(cell.value).split(" [")[0] for cell in workbook[sheet][1]]
    link = workbook[sheet].cell(row, titles.index(title) + 1).hyperlink
    return None if link is None else int(link.location.split("!A")[1])


def passed(workbook: Any, row: int | None, title: str) -> set[int]:
    """The payments that clicks pass from one on."""
    found: set[int] = set()
    while row is not None and row not in found:
        found.add(row)
        row = followed(workbook, "payments", row, title)
    return found


@pytest.fixture(scope="module")
def shared() -> Plan:
    """Each order is paid by two appropriations, the second of them by three of them together."""
    amounts = (30, 30, 1000)
    budgets = [
        {"fund": "treasury", "from": month(1, 1 + k), "amount": each}
        for k, each in enumerate(amounts)
    ]
    return planned({**LOTS, "budgets": budgets})


def test_clicks_pass_every_payment_of_an_order_and_of_an_appropriation(shared: Plan) -> None:
    book = openpyxl.load_workbook(io.BytesIO(plan_book.compose(shared)))
    header, *lines = book["payments"].iter_rows(values_only=True)
    paid = pd.DataFrame(lines, columns=[str(each).split(" [")[0].lower() for each in header])
    assert (paid.groupby("number")["appropriation"].nunique() > 1).any()
    for row, number in enumerate(shared["orders"]["number"], start=2):
        first = followed(book, "orders", row, "Paid")
        assert passed(book, first, "Amount") == {*(paid.index[paid["number"] == number] + 2)}
    for row, use in enumerate(shared["budget"].itertuples(), start=2):
        own = paid["appropriation"] == use.appropriation
        if own.any():
            first = followed(book, "budget", row, "Spent")
            assert passed(book, first, "Fiscal year") == {*(paid.index[own] + 2)}
    for row in range(2, 2 + len(paid)):
        assert followed(book, "payments", row, "Heading") is not None
        assert followed(book, "payments", row, "Appropriation") is not None


def test_each_outlay_is_paid_by_what_pays_its_heading(shared: Plan) -> None:
    paid, flow = shared["payments"], shared["cash_flow"]
    for row in flow[flow["cash"] & (flow["amount"] > 0)].itertuples():
        own = paid[(paid["date"] == row.date) & (paid["heading"] == row.heading)]
        assert own["amount"].sum() == pytest.approx(row.amount)
        assert row.appropriation == ", ".join(dict.fromkeys(own["appropriation"]))
    assert flow["appropriation"].str.contains(", ").any()


def test_a_payment_of_several_actions_is_on_the_way_of_each() -> None:
    lead = Lead("payments", (("number", "number"),), onward=True)
    table = SimpleNamespace(
        sheet="payments", kind=Payment, height=5, values={"number": ["a", "a, b", None, "b", "c"]}
    )
    places = list(_onward(table, lead))  # type: ignore[arg-type]
    assert places == ["'payments'!A3", "'payments'!A5", None, "'payments'!A2", None]


def test_the_rows_of_a_lot_and_of_an_appropriation_stand_together(workbook: Any) -> None:
    for name, title in (("lots", "Lot"), ("movements", "Lot"), ("payments", "Appropriation")):
        sheet = workbook[name]
        at = [str(cell.value) for cell in sheet[1]].index(title)
        values = [row[at] for row in sheet.iter_rows(min_row=2, values_only=True)]
        changes = sum(a != b for a, b in itertools.pairwise(values))
        assert changes == len(set(values)) - 1


def test_a_move_of_two_materials_is_an_action_of_each() -> None:
    """One lorry takes both, and each is signed for by itself."""
    names = ("gallium", "indium")
    plan = planned({
        "settings": {"start": month(1), "periods": 2, "mip_gap": 0},
        "materials": [{"material": name, "shortage_cost": 100} for name in names],
        "sites": [{"site": "north", "buyer": "army"}, {"site": "south", "buyer": "navy"}],
        "moves": [{"move": "lorry", "from_site": "north", "to_site": "south", "cost": 1}],
        "opening_stock": [{"lot": f"old {name}", "material": name, "site": "north", "quantity": 5, "made": month(1)}
                          for name in names],
        "demand": [{"material": name, "buyer": "navy", "from": month(1), "quantity": 5} for name in names],
        "funds": [{"fund": "all"}],
        "budgets": [{"fund": "all", "amount": 100}],
    })  # fmt: skip
    actions = plan["actions"]
    moved = actions[actions["what"].str.startswith("move")]
    assert moved[["number", "material", "signed_quantity", "cost"]].to_numpy().tolist() == [
        ["M2027-01/1", "gallium", 5, 5],
        ["M2027-01/2", "indium", 5, 5],
    ]


def test_letters_tell_kinds_of_action_apart() -> None:
    letters = [kind.LETTER for kind in results() if kind.LETTER]
    assert len(letters) == len(set(letters))


def test_a_row_without_a_letter_is_no_action() -> None:
    for kind in results():
        acts = kind.act is not Result.act
        assert acts == bool(kind.LETTER)


def test_an_order_of_free_metal_has_nothing_to_pay_at_once() -> None:
    tables = {**LOTS, "offers": [{**LOTS["offers"][0], "price": 0, "freight": 0}]}
    first = action(planned(tables), "O2027-01/1")  # planned: the plan agrees with its audit
    assert (first.invoice, first.cost) == (None, 2)
