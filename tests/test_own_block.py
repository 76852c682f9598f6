"""A concern that is added in one file, one line in `BLOCKS` and one in `TWINS`, is known everywhere.

Its draws take up to 100 kg of stock for money. An offer has an order cost and no capacity, so the
most that can be ordered follows from what all blocks can use.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

import optimiser as so
from inputs import dictionary
from optimiser import auditing
from optimiser.auditing import audit
from optimiser.comparison.compared import compare
from optimiser.figures.figure import TableFigure
from optimiser.figures.of_comparison import side_by_side
from optimiser.figures.of_plan import figures_of
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.figures.origins import known
from optimiser.plan.action_rows import Action
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.studies.kinds import frontier
from optimiser.studies.what_ifs import INFORMATION
from optimiser.studies.what_ifs.information import Worth
from optimiser.workbook.read.plan_reader import read_plan
from optimiser.workbook.template import template_book
from optimiser.workbook.write import plan_book
from stockpile_model import block, schema
from stockpile_model.blocks import stock
from stockpile_model.build import build
from tests.support import own_block
from tests.support.own_block import Drawn
from tests.support.plans import asked_beside

ORDER_COST, COST, PRICE, DEMAND, MOST = 50.0, 10.0, 30.0, 20.0, 100.0


def month(number: int) -> dt.date:
    return dt.date(2027, number, 1)


TABLES: dict[str, Any] = {
    "settings": {"start": month(1), "periods": 4, "mip_gap": 0},
    "materials": [{"material": "gallium", "shortage_cost": 1000}],
    "suppliers": [{"supplier": "alpha"}],
    "offers": [
        {
            "offer": "spot",
            "supplier": "alpha",
            "material": "gallium",
            "price": COST,
            "order_cost": ORDER_COST,
            "to": month(2),
        }
    ],
    "demand": [{"material": "gallium", "from": month(2), "quantity": DEMAND}],
    "draws": [
        {"draw": "swap", "material": "gallium", "date": month(3), "quantity": MOST, "price": PRICE}
    ],
}
GLUT: dict[str, Any] = {
    "scenarios": [{"scenario": "glut", "probability": 0.5, "revealed": month(3)}],
    "events": [
        {"scenario": "glut", "table": "draws", "row": "swap", "column": "quantity"}
        | {"how": "scale", "value": 0}
    ],
}


@pytest.fixture(autouse=True)
def _own_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the block, before the one that balances stock, and its twin: each by one line."""
    blocks = [*block.blocks()]
    blocks.insert(blocks.index(stock.BLOCK), own_block.BLOCK)
    monkeypatch.setattr(block, "BLOCKS", blocks)
    monkeypatch.setattr(schema, "_COLUMNS", {})  # the choices of a column are read once
    monkeypatch.setattr(auditing, "TWINS", [*auditing.TWINS, own_block.TWIN])


def book(**more: Any) -> so.Book:
    return so.from_tables({**TABLES, **more})


def plan_of(stockpile: so.Book) -> Plan:
    plan = so.solve(stockpile).plan
    assert plan is not None
    return plan


def cost(ordered: float, drawn: float) -> float:
    return ORDER_COST + COST * ordered - PRICE * drawn


def test_the_optimum_orders_what_is_drawn_in_one_order() -> None:
    plan = plan_of(book())
    assert plan.objective == pytest.approx(cost(DEMAND + MOST, MOST))
    assert [order["ordered"] for _, order in plan["orders"].iterrows()] == [DEMAND + MOST]
    (drawn,) = plan.of(Drawn)
    assert (drawn.date, drawn.quantity, drawn.receipts) == (month(3), MOST, MOST * PRICE)


def test_a_block_that_moves_metal_stands_before_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [each for each in block.blocks() if each is not own_block.BLOCK]
    monkeypatch.setattr(block, "BLOCKS", [*others, own_block.BLOCK])
    with pytest.raises(AssertionError, match="'draw' moves metal: list it before `stock`"):
        build(book().stockpile)


def test_a_commitment_may_name_a_draw() -> None:
    kept = [{"kind": "draw", "name": "swap", "how": "exactly", "quantity": 40}]
    assert plan_of(book(commitments=kept)).objective == pytest.approx(cost(DEMAND + 40, 40))


def test_the_table_is_in_the_template_and_the_data_dictionary() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(template_book.compose("blank")))["draws"]
    header = " ".join(str(cell.value).lower() for cell in next(sheet.iter_rows()))
    assert header.startswith("draw material date quantity [kg] price [usd/kg]"), header
    assert "most that is drawn" in dictionary.dictionary()


def test_the_sheet_is_in_the_plan_workbook_and_is_read_again(tmp_path: Any) -> None:
    plan = plan_of(book())
    sheet = openpyxl.load_workbook(io.BytesIO(plan_book.compose(plan)))["draws"]
    _, row = sheet.iter_rows(values_only=True)
    assert row[1:5] == ("swap", "gallium", MOST, MOST * PRICE)
    path = plan.save(tmp_path / "plan.xlsx")
    assert so.load_plan(path)["draws"]["quantity"].tolist() == [MOST]


def test_the_audit_agrees_until_a_figure_is_changed() -> None:
    plan = plan_of(book())
    sheets = as_sheets(plan)
    assert audit(plan.stockpile, sheets).findings == ()
    (line,) = sheets["draws"]
    for column, value in (("quantity", 90.0), ("receipts", 2000.0), ("draw", "none")):
        changed = type(line)({**line, column: value}, "draws", line.number, line.letters)
        found = audit(plan.stockpile, replace(sheets, rows={**sheets.rows, "draws": [changed]}))
        assert any("draws" in each.where for each in found.findings), column
    without = replace(sheets, rows={**sheets.rows, "draws": []})
    assert audit(plan.stockpile, without).findings


def test_the_audit_refuses_a_plan_of_another_quantity() -> None:
    book_, plan = book(), plan_of(book())
    less = book_.change("draws[swap].quantity set 60").stockpile
    said = [str(each) for each in audit(less, as_sheets(plan)).findings]
    assert any("draws" in each and "at most 60" in each for each in said)


def test_plans_that_differ_in_what_is_drawn_differ_where_they_are_compared() -> None:
    """The plans draw as much, one month apart; all else of them is the same."""
    early, late = (
        as_sheets(plan_of(book(draws=[{**TABLES["draws"][0], "date": month(number)}])))
        for number in (3, 4)
    )
    found = {(each.what, each.of): each.values for each in compare([early, late]) if each.differs}
    assert found == {
        ("first draw", "swap"): (month(3), month(4)),
        ("draw 2027-03-01", "swap"): (pytest.approx(MOST), 0.0),
        ("draw 2027-04-01", "swap"): (0.0, pytest.approx(MOST)),
    }
    less = so.solve(book().change("draws[swap].quantity set 60")).plan
    assert less is not None
    row = next(each for each in compare([early, as_sheets(less)]) if each.what == "drawn")
    assert (row.of, row.values, row.differs) == ("swap", pytest.approx((MOST, 60.0)), True)


def test_the_titles_of_a_comparison_name_what_is_drawn() -> None:
    first, *_ = side_by_side.figures(["a", "b"], [], {})
    assert "draw" in first.columns[1].meaning.replace(" or ", ", ").split(", ")


def test_what_is_drawn_is_an_action(tmp_path: Any) -> None:
    """It is on the list, its row has its number, and the audit compares the two."""
    plan = plan_of(book())
    (drawn,) = [each for each in plan.of(Action) if each.sheet == "draws"]
    assert (drawn.number, drawn.what, drawn.kind) == ("D2027-03/1", "draw: swap", "draw")
    assert (drawn.quantity, drawn.receipt) == (MOST, MOST * PRICE)
    assert plan["draws"]["number"].tolist() == ["D2027-03/1"]
    sheets = as_sheets(plan)
    lines = [
        each if each["number"] != "D2027-03/1" else _changed(each) for each in sheets["actions"]
    ]
    found = audit(plan.stockpile, replace(sheets, rows={**sheets.rows, "actions": lines}))
    assert any("receipt" in str(each) for each in found.findings)


def _changed(line: Any) -> Any:
    values = {**line, "receipt": 1.0}
    return type(line)(values, line.sheet, line.number, line.letters, line.names)


def test_the_summary_sums_up_what_is_drawn_and_its_metal_balances() -> None:
    figures = figures_of(PlanRows(plan_of(book())))
    quantities, checks = figures["quantities"], figures["checks"]
    assert isinstance(quantities, TableFigure)
    assert isinstance(checks, TableFigure)
    assert quantities.cell("Drawn").value == pytest.approx(MOST)
    labels = [line.values[0] for line in quantities.lines]
    assert labels.index("Delivered") < labels.index("Drawn") < labels.index("Stock at the end")
    assert {known(line.values[1]) for line in checks.lines} == {"agrees"}


def test_the_audit_recomputes_the_summary_of_what_is_drawn(tmp_path: Any) -> None:
    path = plan_of(book()).save(tmp_path / "plan.xlsx")
    stockpile = book().stockpile
    sheets = read_plan(path).sheets
    assert audit(stockpile, sheets).findings == ()
    changed = [
        type(line)({**line, "B": 90.0}, "summary", line.number, line.letters, line.names)
        if line["label"] == "Drawn"
        else line
        for line in sheets["summary"]
    ]
    edited = replace(sheets, rows={**sheets.rows, "summary": changed})
    (finding,) = audit(stockpile, edited).findings
    assert (finding.what, finding.expected, finding.found) == ("B (Drawn)", MOST, 90.0)
    hidden = [line for line in sheets["summary"] if line["label"] != "Drawn"]
    without = replace(sheets, rows={**sheets.rows, "summary": hidden})
    (finding,) = audit(stockpile, without).findings
    assert finding.what == "Drawn is not there, below Quantities"


def test_the_verdict_has_a_sentence_of_what_is_drawn() -> None:
    assert "Draw 100 kg." in plan_of(book()).verdict.splitlines()


def test_the_points_of_a_frontier_share_their_plans_where_a_column_is_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = []

    def spy(points: Any, ends: Any, strict: int, gap: float, money: float) -> Any:
        shared.append(strict)
        return points

    monkeypatch.setattr(frontier, "_shared", spy)
    for column in ("quantity", "price"):
        so.study(book(), "frontier", {f"draws[swap].{column}": (10, 20)}, steps=2, gap=0)
    assert shared == [1]


def test_a_price_far_from_the_others_looks_like_a_slip() -> None:
    assert book().warnings == ()
    dear = {**TABLES["draws"][0], "price": 100 * COST}
    (warning,) = book(draws=[dear]).warnings
    assert str(warning) == (
        "draws!E2: price is 1,000 USD/kg, where other prices of gallium are about 10: another unit,"
        " as per t instead of per kg, or a slip?"
    )


def test_a_message_names_what_is_drawn() -> None:
    plan = plan_of(book())
    (line,) = as_sheets(plan)["draws"]
    assert line.words("quantity") == "quantity (2027-03-01, swap, gallium)"


def test_an_event_changes_what_can_be_drawn() -> None:
    drawn = {each.scenarios: each.quantity for each in plan_of(book(**GLUT)).of(Drawn)}
    assert drawn == {"base": MOST, "glut": 0.0}


def test_the_value_of_information_of_what_can_be_drawn() -> None:
    """Compute by hand: the mean draws 50, and an order is placed before the scenario is known."""
    plan = asked_beside(INFORMATION, plan_of(book(**GLUT)))
    rp = cost(DEMAND + MOST, MOST / 2)
    ws = (cost(DEMAND + MOST, MOST) + cost(DEMAND, 0)) / 2
    eev = cost(DEMAND + MOST / 2, MOST / 4)
    expected = {"RP": rp, "WS": ws, "EEV": eev, "EVPI": rp - ws, "VSS": eev - rp}
    assert {each.figure: each.value for each in plan.of(Worth)} == pytest.approx(expected)


def test_a_sweep_over_the_price() -> None:
    found = so.study(book(), "sweep", {"draws[swap].price": (5, 25)}, steps=3, gap=0)
    costs = {row["price"]: row["objective"] for row in _rows(found)}
    expected = {5: cost(DEMAND, 0), 15: 50 + 10 * 120 - 15 * 100, 25: 50 + 10 * 120 - 25 * 100}
    assert costs == pytest.approx(expected)


def _rows(found: so.StudyResult) -> Iterator[dict[str, Any]]:
    """The runs of a study, each with the price that it moved and what it came to."""
    frame = found.frame
    for _, row in frame.iterrows():
        yield {"price": row.iloc[0], "objective": row["objective"]}
