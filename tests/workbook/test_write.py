"""The plan workbook: what stands where, that text stays text, and that a file is whole or not
there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import io
import math
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import get_column_letter, range_boundaries

from optimiser.plan.plan import Plan
from optimiser.system.errors import OutputError
from optimiser.workbook.result_kinds import sheet_kinds
from optimiser.workbook.write import plan_book as writing
from optimiser.workbook.write import result_sheets
from optimiser.workbook.write.ownership import check_target
from optimiser.workbook.write.plan_book import compose, write
from optimiser.workbook.write.result_sheets import shown
from optimiser.workbook.write.styles import short_format
from stockpile_model.blocks.budget import BudgetUse
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.schema import Column, Dated, Result, column, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Settings
from stockpile_model.values import normal
from tests.support.plans import full_plan, uncertain_plan

START = dt.date(2027, 1, 1)


@pytest.fixture(scope="module")
def full() -> bytes:
    return compose(full_plan())


@pytest.fixture(scope="module")
def uncertain() -> bytes:
    return compose(uncertain_plan())


@functools.lru_cache(maxsize=8)
def opened(content: bytes, **options: Any) -> Any:
    """A plan as a reader opens it; no test changes it."""
    return openpyxl.load_workbook(io.BytesIO(content), **options)


def parts(content: bytes, pattern: str) -> list[str]:
    """The parts of the file whose names match, as text."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return [file.read(name).decode() for name in file.namelist() if re.fullmatch(pattern, name)]


def empty_plan(
    rows: Mapping[type[Result], tuple[Result, ...]] | None = None,
    settings: Mapping[str, Any] | None = None,
    **cells: Any,
) -> Plan:
    """A plan by hand of two months; without rows nothing is bought."""
    stockpile = Stockpile(
        Settings(**{"start": START, "periods": 2, **(settings or {})}),
        {
            Material: (
                Material(material="ga", shelf_life_months=6, count_life_months=1),
                Material(material="ge"),
            )
        },
    )
    about: dict[str, Any] = {
        "title": "By hand", "currency": "USD", "unit": "kg", "status": "optimal", "objective": 0.0, "bound": 0.0, "gap": 0.0, "costs": {},
        "expected_cost": cells.get("objective", 0.0), "cvar": None, "waste": 0.0, "shortfall": 0.0, "verdict": "Buy nothing.",
        "warnings": (), "run": {}, "stockpile": stockpile,
    }  # fmt: skip
    return Plan(rows=rows or {}, **{**about, **cells})


def order(**cells: Any) -> Order:
    given: dict[str, Any] = {
        "date": START, "offer": "spot", "supplier": "plant", "material": "ga", "ordered": 10.0, "lots": None, "arrives": START,
        "arriving": 10.0, "price": 5.0, "delivered_price": 5.0, "order_cost": 0.0, "paid": 50.0, "paid_on": START,
        "instruction": "order it",
    }  # fmt: skip
    return Order(**{**given, **cells})


def cash(**cells: Any) -> CashFlow:
    given: dict[str, Any] = {
        "date": START, "heading": "purchases", "cash": True, "material": "ga", "name": "spot", "amount": 50.0, "factor": 1.0,
        "discounted": 50.0,
    }  # fmt: skip
    return CashFlow(**{**given, **cells})


def held(quantity: float, **cells: Any) -> LotStock:
    given: dict[str, Any] = {
        "date": START, "lot": "L", "material": "ga", "site": "depot", "made": START, "age": 0.0, "remaining_life": 5.0, "quantity": quantity
    }  # fmt: skip
    return LotStock(**{**given, **cells})


def lines(content: bytes) -> dict[str, list[Any]]:
    """The lines of the summary by their first cell."""
    found: dict[str, list[Any]] = {}
    for row in opened(content, data_only=True)["summary"].iter_rows(values_only=True, max_col=6):
        if row[0] is not None:
            found.setdefault(str(row[0]), list(row[1:]))
    return found


CHECKS = dict.fromkeys(
    [
        "Headings sum to the expected cost",
        "Metal in equals metal out and stock",
        "Deliveries equal the arrivals of lots",
        "Actions sum up what is ordered",
        "Actions sum up what is rotated out",
        "Payments equal what appropriations spent",
    ],
    "agrees",
)


def checks(found: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return what each check of a summary says."""
    names = list(found)
    own = names[names.index("Checks") + 1 : names.index("Warnings")]
    return {name: found[name][0] for name in own}


# --- Tables ---------------------------------------------------------------------------------------


def test_sheets_for_people_stand_before_those_for_programs(full: bytes) -> None:
    assert opened(full).sheetnames == [
        "summary", "actions", "orders", "contracts", "floors", "obligations", "projects", "rotation", "targets", "demand", "budget", "rules", "commitments",
        "deliveries", "lots", "movements", "payments", "cash_flow", "marginal_values", "assumptions", "run", "chart_data",
    ]  # fmt: skip


ALWAYS = [kind for kind in sheet_kinds() if kind.ALWAYS]


@pytest.mark.parametrize("kind", ALWAYS, ids=lambda kind: kind.SHEET)
def test_a_sheet_holds_every_row_and_reads_back(kind: type[Result], full: bytes) -> None:
    """Row 1 is the header; read by rule 2 of the contract its names are the columns', and pandas
    reads the values.
    """
    frame = pd.read_excel(
        io.BytesIO(full), sheet_name=kind.SHEET, keep_default_na=False, na_values=[""]
    )
    assert [normal(str(name)) for name in frame.columns] == [
        each.name for each in shown(kind, scenarios=False)
    ]
    rows = kind.in_order(full_plan().of(kind))
    assert rows
    assert len(frame) == len(rows)
    for name, each in zip(frame.columns, shown(kind, scenarios=False), strict=True):
        if each.kind in ("number", "whole"):
            expected = [
                math.nan if get(row, each.name) is None else float(get(row, each.name))
                for row in rows
            ]
            assert frame[name].astype(float).tolist() == pytest.approx(
                expected, rel=1e-14, abs=1e-14, nan_ok=True
            )


def test_headers_say_unit_and_meaning(full: bytes) -> None:
    sheet = opened(full)["orders"]
    said = {cell.value: cell.comment.text for cell in sheet[1]}
    assert said["Ordered [kg]"] == "quantity ordered"
    assert (
        said["Delivered price [USD/kg]"] == "average price with adder, duty and freight, expected"
    )
    assert list(said)[:4] == ["Date [period begins]", "Offer", "Supplier", "Material"]


def test_tables_are_ready_to_use(full: bytes) -> None:
    book = opened(full)
    for kind, first in ((Order, "C2"), (BudgetUse, "B2")):
        sheet = book[kind.SHEET]
        assert sheet.freeze_panes == first
        assert (
            sheet.auto_filter.ref
            == f"A1:{get_column_letter(len(shown(kind, scenarios=False)))}{len(full_plan().of(kind)) + 1}"
        )
        assert sheet.print_title_rows == "$1:$1"
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
        widths = [dimension.width for dimension in sheet.column_dimensions.values()]
        assert min(widths) > 7
        assert max(widths) < 101


@pytest.mark.parametrize(
    ("name", "number_format"),
    [
        ("Date [period begins]", "yyyy-mm-dd"),
        ("Ordered [kg]", "#,##0.00"),
        ("Price [USD/kg]", "#,##0.00"),
        ("Paid [USD]", "#,##0"),
    ],
)
def test_numbers_are_formatted_by_their_unit(name: str, number_format: str) -> None:
    sheet = opened(compose(empty_plan({Order: (order(ordered=10.25, paid=50_000.0),)})))["orders"]
    (cell,) = [sheet.cell(2, each.column) for each in sheet[1] if each.value == name]
    assert cell.number_format == number_format


def test_a_limit_is_formatted_by_the_unit_of_its_row(full: bytes) -> None:
    sheet = opened(full)["rules"]
    observed = next(each.column for each in sheet[1] if each.value == "Observed")
    formats = {row[0].value: row[observed - 1].number_format for row in sheet.iter_rows(min_row=2)}
    assert formats["spread"] == "0.0 %"
    assert formats["some_framework"] in ("#,##0", "#,##0.00")


def test_dated_rows_stand_in_the_order_of_their_dates() -> None:
    rows = (order(date=dt.date(2027, 2, 1)), order(offer="first"))
    sheet = opened(compose(empty_plan({Order: rows})))["orders"]
    assert [sheet.cell(r, 2).value for r in (2, 3)] == ["first", "spot"]


def test_a_plan_without_rows_has_headers_alone() -> None:
    book = opened(compose(empty_plan()))
    for kind in ALWAYS:
        assert book[kind.SHEET].max_row == 1
    assert not {kind.SHEET for kind in sheet_kinds() if not kind.ALWAYS} & set(book.sheetnames)
    assert book["summary"]["A1"].value == "By hand"


def test_rows_of_a_new_type_get_their_sheet_before_those_for_programs() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Scenario(Result):
        SHEET = "scenarios"
        from_: dt.date = column("first date")
        probability: float = column("probability", "1")
        known: bool = column("whether it is known")

    Scenario.__annotations__.update(from_=dt.date, probability=float, known=bool)
    book = opened(
        compose(empty_plan({Scenario: (Scenario(from_=START, probability=0.25, known=True),)}))
    )
    assert book.sheetnames[-4:] == ["marginal_values", "assumptions", "run", "chart_data"]
    assert book.sheetnames[book.sheetnames.index("scenarios") + 1] == "deliveries"
    assert [cell.value for cell in book["scenarios"][1]] == ["From", "Probability", "Known"]
    assert [cell.value for cell in book["scenarios"][2]] == [dt.datetime(2027, 1, 1), 0.25, "yes"]
    assert book["scenarios"]["B2"].number_format == "0.0 %"


# --- Values that could do harm --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2",
        "@SUM(A1)",
        "https://example.org",
        "{=1}",
        "001",
        "NA",
        "x" * 300,
    ],
)
def test_text_is_never_a_formula_or_a_link(name: str) -> None:
    plan = empty_plan(
        {Order: (order(supplier=name, instruction=name),), LotStock: (held(3.0),)},
        title=name,
        verdict=name,
        warnings=(name,),
    )
    book = opened(compose(plan))
    cell = book["orders"]["C2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (name, "s", None)
    texts = [cell for row in book["summary"].iter_rows() for cell in row if cell.value == name]
    assert len(texts) == 4  # title, verdict, instruction, warning
    assert {cell.data_type for cell in texts} == {"s"}


def test_names_cannot_break_charts_or_properties() -> None:
    odd = "=run!$A$1\x01<&>"
    rows: dict[type[Result], tuple[Result, ...]] = {
        LotStock: (held(3.0, lot=odd),),
        CashFlow: (cash(name=odd),),
        BudgetUse: (
            BudgetUse(
                appropriation=odd,
                fund=odd,
                from_=None,
                expires=None,
                amount=1.0,
                spent=1.0,
                lapsed=0.0,
                left=0.0,
                obligated=1.0,
            ),
        ),
    }
    content = compose(empty_plan(rows, unit=odd, currency=odd, title=odd, run={"input": odd}))
    for part in parts(content, r".*\.(xml|rels)"):
        ElementTree.fromstring(part)
    references = re.findall(r"<c:f>(.*?)</c:f>", "".join(parts(content, r"xl/charts/.*")))
    assert references
    assert all(each.startswith("chart_data!") for each in references)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_shows_as_an_error(value: float) -> None:
    plan = empty_plan(
        {Order: (order(ordered=value),), CashFlow: (cash(amount=value, discounted=value),)},
        objective=value,
    )
    book = opened(compose(plan), data_only=True)
    assert book["orders"]["E2"].value == "#NUM!"
    assert lines(compose(plan))["Total"][0] == "#NUM!"


def test_text_longer_than_a_cell_is_cut() -> None:
    book = opened(compose(empty_plan({Order: (order(instruction="y" * 40_000),)})))
    told = next(cell.column_letter for cell in book["orders"][1] if cell.value == "Instruction")
    assert len(book["orders"][f"{told}2"].value) == 32_767


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_sheets, "MOST_ROWS", 2)
    with pytest.raises(OutputError, match=r"^orders would need 3 rows; a sheet holds 2: "):
        compose(empty_plan({Order: (order(),) * 3}))


# --- The summary ----------------------------------------------------------------------------------


def test_the_summary_says_how_good_the_plan_is() -> None:
    found = lines(compose(empty_plan(status="feasible", objective=1200.0, bound=1000.0, gap=1 / 6)))
    assert found["Status"][0] == "feasible"
    assert "not proven" in found["Status"][1]
    assert [found[name][0] for name in ("Objective", "Proven bound", "Gap")] == pytest.approx(
        [1200.0, 1000.0, 1 / 6]
    )
    assert "Buy nothing." in found
    assert found["Objective"][1] == "USD: cost, discounted to 2027-01-01"


def test_a_bound_that_is_not_known_is_reported_as_such() -> None:
    found = lines(compose(empty_plan(bound=None, gap=None)))
    assert (found["Proven bound"][0], found["Gap"][0]) == ("not known", "not known")


def test_totals_are_live_formulas(full: bytes) -> None:
    sheet = opened(full)["summary"]
    formulas = {
        row[0].value: row[1].value
        for row in sheet.iter_rows(max_col=2)
        if row[0].value and row[1].data_type == "f"
    }
    assert formulas["purchases"].startswith("=SUMIFS(cash_flow!")
    assert formulas["Ordered"].startswith("=SUM(orders!")
    assert formulas["Waste"].endswith(',"expired")')
    assert formulas["Stock at the end"].endswith("DATE(2027,12,1))")
    assert all("budget!" in formulas[row.appropriation] for row in full_plan().of(BudgetUse))
    found = lines(full)
    assert found["Total"][0] == pytest.approx(full_plan().objective)
    assert found["Shortfall"][0] == pytest.approx(full_plan().shortfall)
    assert found["Waste"][0] == pytest.approx(full_plan().waste)
    assert checks(found) == CHECKS


def test_costs_that_do_not_sum_to_the_objective_show() -> None:
    assert (
        lines(compose(empty_plan({CashFlow: (cash(),)}, objective=51.0)))[
            "Headings sum to the expected cost"
        ][0]
        == "differs"
    )
    assert (
        lines(compose(empty_plan({CashFlow: (cash(),)}, objective=50.0)))[
            "Headings sum to the expected cost"
        ][0]
        == "agrees"
    )


def test_the_first_things_to_do_are_reported(full: bytes) -> None:
    found = list(lines(full))
    first = found[found.index("To do first, before 2027-07") + 1 :]
    told = first[: next(k for k, line in enumerate(first) if line.startswith("…"))]
    assert told == sorted(told, key=lambda line: line[:7])
    assert any("sign offtake" in line for line in told)
    assert all(line[:7] < "2027-07" for line in told)
    assert len(told) <= 12


def test_no_signature_is_left_out_for_an_order() -> None:
    signed = full_plan().of(ContractOutcome)
    rows = {
        Order: tuple(order(instruction=f"2027-01: order {k}") for k in range(40)),
        ContractOutcome: signed,
    }
    found = list(lines(compose(empty_plan(rows))))
    assert any("sign offtake" in line for line in found)
    assert sum(": order " in line for line in found) == 11
    assert any(line.startswith("… and 29 more") for line in found)


def test_what_comes_later_is_reported_where_nothing_comes_first() -> None:
    later = order(date=dt.date(2028, 3, 1), instruction="2028-03: order it")
    found = list(lines(compose(empty_plan({Order: (later,)}, settings={"periods": 24}))))
    assert found[found.index("To do first: nothing before 2028-03") + 1] == "2028-03: order it"


# --- Charts ---------------------------------------------------------------------------------------


def blocks(content: bytes) -> dict[str, pd.DataFrame]:
    """The pivots behind the charts by their titles."""
    rows = list(opened(content, data_only=True)["chart_data"].iter_rows(values_only=True))
    starts = [c for c, cell in enumerate(rows[0]) if cell is not None] if rows else []
    found = {}
    for c in starts:
        end = next((k for k in range(c, len(rows[1])) if rows[1][k] is None), len(rows[1]))
        body = [row[c:end] for row in rows[2:] if row[c] is not None]
        found[str(rows[0][c])] = pd.DataFrame(
            [row[1:] for row in body],
            index=[row[0] for row in body],
            columns=list(rows[1][c + 1 : end]),
        )
    return found


def test_a_chart_for_each_material_purchases_cash_and_appropriations(full: bytes) -> None:
    titles = [
        "".join(re.findall(r"<a:t>(.*?)</a:t>", part.split("</c:title>")[0]))
        for part in parts(full, r"xl/charts/chart\d+\.xml")
    ]
    assert titles == [
        "Stock of gallium at period end by remaining life, against target",
        "Stock of germanium at period end, against target",
        "Purchases by supplier, as they arrive, all metals together",
        "Cash flow by heading, undiscounted",
        "Appropriations: spent, lapsed, left",
    ]


def test_charts_show_what_the_sheets_hold(full: bytes) -> None:
    plan, found = full_plan(), blocks(full)
    stock = found["stock of gallium by remaining life [kg]"]
    assert list(stock.columns) == [
        "3 to 4 months left", "2 to 3 months left", "1 to 2 months left (does not count)", "0 to 1 months left (does not count)", "target"
    ]  # fmt: skip
    for row in plan.of(TargetMet):
        if row.material == "gallium":
            here = stock.loc[f"{row.date:%Y-%m}"]
            assert here["target"] == pytest.approx(row.target)
            assert here.iloc[:2].sum() == pytest.approx(row.stock, abs=1e-5)
    assert stock.iloc[:, :4].to_numpy().sum() == pytest.approx(
        sum(row.quantity for row in plan.of(LotStock) if row.material == "gallium")
    )
    assert math.isnan(stock["target"].iloc[0])
    flows = found["cash flow [thousand USD], running sum [thousand USD]"]
    paid = sum(row.amount for row in plan.of(CashFlow) if row.cash) / 1000
    assert flows.iloc[:, :-1].to_numpy().sum() == pytest.approx(paid)
    assert flows["running sum (right)"].iloc[-1] == pytest.approx(paid)
    funds = found["appropriations [thousand USD]"]
    assert funds.to_numpy().sum() == pytest.approx(
        sum(row.amount for row in plan.of(BudgetUse)) / 1000
    )


@pytest.mark.parametrize("plan", ["full", "uncertain"])
def test_chart_references_cover_their_pivots(plan: str, request: pytest.FixtureRequest) -> None:
    """Every series points at cells of chart_data that hold its name, its labels and a value or a
    gap for each.
    """
    content = request.getfixturevalue(plan)
    sheet = opened(content, data_only=True)["chart_data"]
    for part in parts(content, r"xl/charts/chart\d+\.xml"):
        references = re.findall(r"<c:f>chart_data!(.*?)</c:f>", part)
        assert references
        for name, labels, values in zip(
            references[::3], references[1::3], references[2::3], strict=True
        ):
            assert isinstance(sheet[name.replace("$", "")].value, str)
            shown = [row[0].value for row in sheet[labels.replace("$", "")]]
            assert None not in shown
            numbers = [row[0].value for row in sheet[values.replace("$", "")]]
            assert len(numbers) == len(shown)
            assert any(isinstance(each, (int, float)) for each in numbers)


@pytest.mark.parametrize(
    ("quantity", "shown"), [(0.0003, "#,##0.00000"), (5.0, "#,##0.0"), (5000.0, "#,##0")]
)
def test_the_axis_of_a_chart_shows_numbers_of_any_unit(quantity: float, shown: str) -> None:
    plan = empty_plan({LotStock: (held(quantity),)})
    (chart,) = parts(compose(plan), r"xl/charts/chart\d+\.xml")
    assert f'<c:numFmt formatCode="{shown}" sourceLinked="0"/>' in chart


def test_charts_without_matter_are_left_out() -> None:
    assert parts(compose(empty_plan()), r"xl/charts/.*") == []
    asked = TargetMet(
        date=START,
        material="ga",
        buyer=None,
        target=5.0,
        hard=False,
        stock=0.0,
        below=5.0,
        cost=0.0,
    )
    assert list(blocks(compose(empty_plan({TargetMet: (asked,)})))) == [
        "stock of ga by remaining life [kg]"
    ]
    stock = blocks(
        compose(empty_plan({LotStock: (held(4.0, material="ge", remaining_life=None),)}))
    )["stock of ge by remaining life [kg]"]
    assert list(stock.columns) == ["stock"]
    assert stock["stock"].tolist() == [4.0, 0.0]


def test_many_suppliers_become_a_few_and_the_others() -> None:
    rows = tuple(
        Delivery(
            date=START, lot=f"l{k}", kind="offers", name="o", supplier=f"s{k:02d}", material="ga", site="depot", quantity=float(20 - k)
        )
        for k in range(12)
    )  # fmt: skip
    found = blocks(compose(empty_plan({Delivery: rows})))["deliveries by supplier [kg]"]
    assert list(found.columns) == [*(f"s{k:02d}" for k in range(7)), "(all others)"]
    assert found["(all others)"].iloc[0] == sum(20 - k for k in range(7, 12))


# --- Under scenarios ------------------------------------------------------------------------------


def test_the_sheet_of_scenarios_stands_before_those_for_programs(
    full: bytes, uncertain: bytes
) -> None:
    with_, without = opened(uncertain).sheetnames, opened(full).sheetnames
    new = [name for name in with_ if name not in without]
    assert new == ["one_scenario", "scenarios", "scenario_rows"]
    assert with_[with_.index("scenarios") + 1] == "deliveries"
    assert with_[with_.index("one_scenario") - 1] == "actions"
    hidden = [sheet.title for sheet in opened(uncertain) if sheet.sheet_state != "visible"]
    assert hidden == ["scenario_rows"]


DATED = [kind for kind in ALWAYS if issubclass(kind, Dated)]


def test_there_are_sheets_whose_rows_are_of_scenarios() -> None:
    assert {kind.SHEET for kind in DATED} >= {
        "orders", "contracts", "projects", "deliveries", "rotation", "lots", "movements", "targets", "demand", "payments", "cash_flow",
        "rules", "marginal_values",
    }  # fmt: skip


def weighed_title(name: str, column: Column) -> str:
    """Return the header of a column that is weighed over scenarios; it says so once."""
    if not column.weighed or "expected" in name.lower():
        return name
    by = ", expected" if column.over == "rest" else " × probability"
    return f"{name[:-1]}{by}]" if name.endswith("]") else f"{name} [{by.lstrip(', ')}]"


@pytest.mark.parametrize("kind", DATED, ids=lambda kind: kind.SHEET)
def test_a_row_says_for_which_scenarios_it_holds(
    kind: type[Result], full: bytes, uncertain: bytes
) -> None:
    """Last; or, where a part of the sheet is printed, behind what its instruction is about."""
    frames = opened(full)[kind.SHEET], opened(uncertain)[kind.SHEET]
    without, with_ = ([cell.value for cell in sheet[1]] for sheet in frames)
    found = shown(kind, scenarios=False)
    titles = [weighed_title(name, of) for name, of in zip(without, found, strict=True)]
    place = with_.index("Scenarios")
    assert with_ == [*titles[:place], "Scenarios", *titles[place:], "Probability"]
    _, _, printed, _ = range_boundaries(frames[1].print_area.rpartition("!")[2])
    assert place < printed
    weight = {row.scenario: row.probability for row in uncertain_plan().of(ScenarioOutcome)}
    for row in frames[1].iter_rows(min_row=2, values_only=True):
        told, probability = row[place], row[-1]
        of = weight if told == "all" else told.split(", ")
        assert probability == pytest.approx(sum(weight[name] for name in of))


def test_the_objective_its_mean_and_its_tail_are_distinguished(uncertain: bytes) -> None:
    found, plan = lines(uncertain), uncertain_plan()
    assert plan.cvar is not None
    assert found["Objective"][:2] == [
        pytest.approx(plan.objective),
        "USD: expected cost, weighed with its tail",
    ]
    assert found["Expected cost"][:2] == [
        pytest.approx(plan.expected_cost),
        "USD: mean over the scenarios",
    ]
    assert found["CVaR"][:2] == [
        pytest.approx(plan.cvar),
        "USD: mean of the worst 20 % of scenarios",
    ]
    assert plan.objective == pytest.approx(0.75 * plan.expected_cost + 0.25 * plan.cvar)
    assert found["Total"][0] == pytest.approx(plan.expected_cost)
    assert checks(found) == CHECKS


def test_totals_weigh_rows_by_their_probability(uncertain: bytes) -> None:
    sheet, book = opened(uncertain)["summary"], opened(uncertain)
    formulas = {
        row[0].value: row[1].value
        for row in sheet.iter_rows(max_col=2)
        if row[0].value and row[1].data_type == "f"
    }

    def weights(name: str) -> str:
        at = get_column_letter(book[name].max_column)
        return f"{name}!${at}$2:${at}${book[name].max_row}"

    assert (
        formulas["Ordered"]
        == f"=SUMPRODUCT(orders!$E$2:$E${book['orders'].max_row}*{weights('orders')})"
    )
    assert formulas["Waste"].startswith("=SUMPRODUCT((rotation!")
    assert formulas["Waste"].endswith(f"*{weights('rotation')})")
    assert '="expired")*' in formulas["Waste"]
    assert "=DATE(2027,12,1))*" in formulas["Stock at the end"]
    assert formulas["purchases"].startswith("=SUMIFS(cash_flow!"), "expected already"
    found = lines(uncertain)
    assert found["Ordered"][0] == pytest.approx(
        sum(each.probability * each.ordered for each in uncertain_plan().of(Order))
    )
    assert found["Shortfall"][0] == pytest.approx(uncertain_plan().shortfall)
    assert found["Waste"][0] == pytest.approx(uncertain_plan().waste)


def headings(content: bytes, begin: str) -> list[Any]:
    """The titles of the columns of a table of the summary."""
    rows = opened(content, data_only=True)["summary"].iter_rows(values_only=True, max_col=6)
    titles = next(row for row in rows if str(row[0]).startswith(begin) and row[1])
    return [each for each in titles[1:] if each]


def test_sums_over_scenarios_say_that_they_are_expected(full: bytes, uncertain: bytes) -> None:
    assert headings(full, "Cost by heading") == ["Discounted", "Undiscounted"]
    found = headings(uncertain, "Cost by heading")
    assert found == ["Discounted, expected", "Undiscounted, expected"]
    assert set(headings(uncertain, "Appropriations")) == {
        f"{each}, expected" for each in headings(full, "Appropriations")
    }
    charts = "".join(parts(uncertain, r"xl/charts/chart\d+\.xml"))
    assert "as they arrive, all metals together, expected<" in charts


def test_what_comes_later_names_sheets_with_rows_and_says_over_what_it_counts(
    full: bytes, uncertain: bytes
) -> None:
    (said,) = (each for each in lines(uncertain) if each.startswith("… and "))
    assert " more over all scenarios on the sheets " in said
    (said,) = (each for each in lines(full) if each.startswith("… and "))
    assert "scenarios" not in said
    rows = {Order: tuple(order(instruction=f"2027-01: order {k}") for k in range(40))}
    (said,) = (each for each in lines(compose(empty_plan(rows))) if each.startswith("… and "))
    assert said == "… and 28 more on the sheet orders."


def test_sums_over_metals_say_so(full: bytes) -> None:
    found = list(lines(full))
    assert "Suppliers, all metals together" in found
    titles = "".join(parts(full, r"xl/charts/chart\d+\.xml"))
    assert "Purchases by supplier, as they arrive, all metals together<" in titles


def test_what_is_to_be_done_in_some_scenarios_says_in_which(uncertain: bytes) -> None:
    found = list(lines(uncertain))
    first = found[found.index("To do first, before 2027-07") + 1 :]
    told = first[: next(k for k, line in enumerate(first) if line.startswith("…"))]
    rows: dict[str, list[str]] = {}
    for row in uncertain_plan().of(Order):
        rows.setdefault(row.instruction, []).append(row.scenarios)
    some = [
        f"{said} (in {', '.join(names)})"
        for said, names in rows.items()
        if names != ["all"] and said < "2027-05"
    ]
    assert some
    assert {*some} & {*told}
    signed = [row for row in uncertain_plan().of(ContractOutcome) if row.level]
    assert len({row.instruction for row in signed}) == 1  # decided alike: one signature
    assert signed[0].instruction in told
    assert any("(in " not in line for line in told)


def test_charts_under_scenarios_show_what_is_expected(uncertain: bytes) -> None:
    titles = [
        "".join(re.findall(r"<a:t>(.*?)</a:t>", each.split("</c:title>")[0]))
        for each in parts(uncertain, r"xl/charts/chart\d+\.xml")
    ]
    assert titles[:3] == [
        "Expected stock of gallium at period end by remaining life, against target",
        "Expected stock of germanium at period end, against target",
        "Cost and shortfall by scenario",
    ]
    found, plan = blocks(uncertain), uncertain_plan()
    outcomes = found["scenarios: cost [thousand USD], shortfall [kg], all metals together"]
    by_name = {row.scenario: row for row in plan.of(ScenarioOutcome)}
    dearest_first = sorted(by_name, key=lambda name: by_name[name].cost, reverse=True)
    assert list(outcomes.index) == dearest_first != [*by_name]
    for name, cost, shortfall in outcomes.itertuples():
        assert (cost, shortfall) == pytest.approx(
            (by_name[name].cost / 1000, by_name[name].shortfall)
        )
    stock = found["stock of gallium by remaining life [kg]"]
    held = sum(
        row.probability * row.quantity for row in plan.of(LotStock) if row.material == "gallium"
    )
    assert stock.iloc[:, :4].to_numpy().sum() == pytest.approx(held)
    asked = {
        f"{row.date:%Y-%m}": row.target for row in plan.of(TargetMet) if row.material == "gallium"
    }  # in each scenario the same
    assert stock["target"].dropna().to_dict() == pytest.approx(asked)
    (title,) = (each for each in found if each.startswith("cash flow ["))
    scale = {"running sum [USD]": 1, "running sum [thousand USD]": 1000}[title.split(", ")[1]]
    assert found[title]["running sum (right)"].iloc[-1] == pytest.approx(
        sum(row.probability * row.amount for row in plan.of(CashFlow) if row.cash) / scale
    )


# --- The file -------------------------------------------------------------------------------------


def test_one_plan_makes_one_file(full: bytes) -> None:
    assert compose(full_plan()) == full
    properties = opened(full).properties
    assert properties.created == dt.datetime(2026, 11, 21, 10, 30)
    assert properties.title == "All of it"
    assert f"input sha256: {'0' * 64}" in str(properties.description)


def test_the_run_is_reported(full: bytes) -> None:
    rows = list(opened(full)["run"].iter_rows(values_only=True))
    assert rows[0] == ("Name", "Value")
    assert ("threads", 2) in rows


def test_a_plan_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(b"older")
    write(empty_plan(), path)
    assert openpyxl.load_workbook(path).sheetnames[0] == "summary"
    assert os.listdir(tmp_path) == ["plan.xlsx"]


@pytest.mark.parametrize(
    "failure",
    [KeyboardInterrupt(), PermissionError(13, "in use"), OSError(28, "No space left on device")],
)
@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_failure_leaves_what_was_there(
    failure: BaseException, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(b"older")

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(
        KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else OutputError
    ) as raised:
        write(empty_plan(), path)
    assert "\n" not in str(raised.value)
    assert os.listdir(tmp_path) == ["plan.xlsx"]
    assert path.read_bytes() == b"older"


def test_a_plan_that_cannot_be_composed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "add_summary", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(empty_plan(), tmp_path / "plan.xlsx")
    assert os.listdir(tmp_path) == []


def test_a_target_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "file").write_text("")
    for path, said in [
        (tmp_path / "missing" / "plan.xlsx", "there is no folder"),
        (tmp_path / "file" / "plan.xlsx", "there is no folder"),
        (tmp_path / "folder.xlsx", "is a folder"),
        (tmp_path / "plan.csv", "a plan is written as .xlsx"),
    ]:
        with pytest.raises(OutputError, match=said) as raised:
            write(empty_plan(), path)
        assert str(raised.value).startswith(f"{path}: ")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("where", ["folder", "file"])
def test_rights_are_tried_before_the_search(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The superuser may write anywhere, so the refusal of the system is played."""

    def refuse(path: Path, mode: str = "r", plain: Any = Path.open) -> Any:
        if mode == {"folder": "xb", "file": "r+b"}[where]:
            raise PermissionError(13, "Permission denied")
        return plain(path, mode)

    path = tmp_path / "plan.xlsx"
    path.write_bytes(b"older")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError, match="close it in the spreadsheet program, or see the rights"):
        check_target(path)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "plan.xlsx"
    link.symlink_to(tmp_path / "there" / "plan.xlsx")
    write(empty_plan(), link)
    assert link.is_symlink()
    assert openpyxl.load_workbook(tmp_path / "there" / "plan.xlsx").sheetnames[0] == "summary"


def test_demand_unmet_is_marked() -> None:
    rows = (
        DemandMet(
            date=START, material="ga", buyer=None, required=5.0, met=3.0, unmet=2.0, cost=0.0
        ),
    )
    plan = replace(empty_plan(), rows={DemandMet: rows})
    ranges = [str(each.sqref) for each in opened(compose(plan))["demand"].conditional_formatting]
    assert ranges == ["G2"]


@pytest.mark.parametrize(
    ("value", "digits", "place", "shown"),
    [
        (0.0, 6, "#", "#,##0.#####"),
        (1234.5, 6, "#", "#,##0.##"),
        (1234567.8, 6, "#", "#,##0"),
        (0.00000123, 3, "#", "#,##0.########"),
        (0.00047, 2, "0", "#,##0.00000"),
        (47.0, 2, "0", "#,##0"),
        (math.inf, 6, "#", "#,##0.#####"),
    ],
)
def test_a_short_format_shows_digits_in_any_unit(
    value: float, digits: int, place: str, shown: str
) -> None:
    """A millionth of a billion is not shown as nothing."""
    assert short_format(value, digits, place) == shown
