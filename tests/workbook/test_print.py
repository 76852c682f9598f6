"""How a plan prints: what people act on, on pages that can be read; sheets for programs do not run
to hundreds of pages.
"""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise, takewhile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.utils import range_boundaries

import optimiser as so
from optimiser.workbook.result_kinds import sheet_kinds
from optimiser.workbook.write.charts import GAP, even
from optimiser.workbook.write.charts import PAGE as CHART_PAGE
from optimiser.workbook.write.formulas import Formulas
from optimiser.workbook.write.result_sheets import PAGE_ROWS
from optimiser.workbook.write.styles import Styles
from optimiser.workbook.write.summary_sheet import LOW, PAGE, SummaryWriter
from stockpile_model.schema import INSTRUCTION
from tests.support.plans import uncertain_plan

PROGRAMS = {kind.SHEET for kind in sheet_kinds() if kind.FOR_PROGRAMS}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    """Five years of a need of 10 a month, which outlasts a page of cash flows."""
    tables = {
        "settings": {"start": "2027-01-01", "periods": 60},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [{"offer": "spot", "supplier": "plant", "material": "ga", "price": 3}],
        "demand": [{"material": "ga", "from": "2027-01-01", "to": "2031-12-31", "quantity": 10}],
    }
    plan = so.solve(so.from_tables(tables)).plan
    assert plan is not None
    path = plan.save(tmp_path_factory.mktemp("print") / "plan.xlsx")
    return openpyxl.load_workbook(path)


def area(book: openpyxl.Workbook, sheet: str) -> tuple[int, int, int, int]:
    return range_boundaries(book[sheet].print_area.rpartition("!")[2])


def test_sheets_for_people_come_before_those_for_programs(printed: openpyxl.Workbook) -> None:
    order = [each in PROGRAMS for each in printed.sheetnames if each not in ("run", "chart_data")]
    assert PROGRAMS & {*printed.sheetnames}
    assert order == sorted(order)


def test_orders_print_up_to_the_instruction(printed: openpyxl.Workbook) -> None:
    sheet = printed["orders"]
    column = area(printed, "orders")[2]
    header = [cell.value for cell in sheet[1]]
    assert header[column - 1] == INSTRUCTION.capitalize()
    assert "Ordered [kg]" in header[:column]
    assert sheet.print_title_rows == "$1:$1"


def test_what_people_act_on_prints_its_first_year_and_says_so(printed: openpyxl.Workbook) -> None:
    for name, most in (("orders", 12), ("actions", 12)):
        sheet, last = printed[name], area(printed, name)[3]
        assert last == min(sheet.max_row, 1 + max(most, PAGE_ROWS))
        cut = last < sheet.max_row
        rest = f": the beginning, {last - 1} of {sheet.max_row - 1} rows; the rest is on screen"
        assert (rest in (sheet.oddFooter.left.text or "")) == cut
    assert area(printed, "orders")[3] < printed["orders"].max_row


def test_reasons_print_those_of_the_horizon_and_of_the_first_year(tmp_path: Path) -> None:
    """Of 48 offers: one row each for the horizon, and for each of the two years of the plan; a page
    holds 40."""
    offer = {"supplier": "plant", "material": "ga", "price": 3, "capacity": 1}
    tables = {
        "settings": {"start": "2027-01-01", "periods": 24, "fiscal_year_start": 1},
        "materials": [{"material": "ga", "shortage_cost": 9}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [{**offer, "offer": f"spot {k}"} for k in range(48)],
        "demand": [{"material": "ga", "from": "2027-01-01", "to": "2028-12-31", "quantity": 10}],
    }
    plan = so.solve(so.from_tables(tables)).plan
    assert plan is not None
    sheet = openpyxl.load_workbook(plan.save(tmp_path / "plan.xlsx"))["reasons"]
    header = [cell.value for cell in sheet[1]]
    *_, right, last = range_boundaries(sheet.print_area.rpartition("!")[2])
    assert header[right - 1] == "Reason"
    assert (sheet.page_setup.fitToWidth or 1) == 1
    years = [row[header.index("Fiscal year")].value for row in sheet.iter_rows(min_row=2)]
    printed = years[: last - 1]
    assert [printed.count(year) for year in (None, "FY2027", "FY2028")] == [48, 48, 0]
    foot = ": the first year, 96 of 144 rows; the rest is on screen"
    assert (sheet.oddFooter.left.text or "").endswith(foot)


def test_a_sheet_for_programs_prints_its_beginning(printed: openpyxl.Workbook) -> None:
    assert printed["cash_flow"].max_row > PAGE_ROWS + 1
    for name in PROGRAMS & {*printed.sheetnames}:
        assert area(printed, name)[3] <= PAGE_ROWS + 1


def test_no_sheet_is_shrunk_below_what_can_be_read(printed: openpyxl.Workbook) -> None:
    """Digits across all pages of a sheet, at most some 230 on each."""
    for sheet in printed.worksheets:
        if sheet.title in {kind.SHEET for kind in sheet_kinds()}:
            last = area(printed, sheet.title)[2]
            letters = [cell.column_letter for cell in sheet[1][:last]]
            wide = sum(sheet.column_dimensions[each].width for each in letters)
            assert wide / (sheet.page_setup.fitToWidth or 1) <= 235


def test_with_scenarios_actions_are_no_wider_and_long_lists_wrap(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(uncertain_plan().save(tmp_path / "plan.xlsx"))["actions"]
    titles = [cell.value for cell in sheet[1]]
    last = range_boundaries(sheet.print_area.rpartition("!")[2])[2]
    for c, title in enumerate(titles[:last]):
        wide = sheet.column_dimensions[sheet.cell(1, c + 1).column_letter].width
        assert title not in ("What", "Scenarios", "Appropriation") or wide <= 21
    payers = titles.index("Appropriation") + 1
    long = [row for row in range(2, sheet.max_row + 1) if "," in str(sheet.cell(row, payers).value)]
    assert long
    for row in long:
        assert sheet.cell(row, payers).alignment.wrap_text
        assert sheet.row_dimensions[row].height >= 30
        assert sheet.cell(row, payers).hyperlink is None  # LibreOffice does not wrap a link
        assert sheet.cell(row, titles.index("Sign by") + 1).hyperlink is not None


def test_of_one_scenario_the_sums_are_printed(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(uncertain_plan().save(tmp_path / "plan.xlsx"))["one_scenario"]
    _, _, right, last = range_boundaries(sheet.print_area.rpartition("!")[2])
    titles = {str(cell.value): cell.row for cell in sheet["A"] if cell.value}
    (first,) = (row for title, row in titles.items() if title.startswith("actions: "))
    assert titles["Appropriations"] < last < first
    assert right < 10


def test_the_charts_stand_on_pages_of_their_own(printed: openpyxl.Workbook) -> None:
    sheet = printed["summary"]
    assert [each.id for each in sheet.col_breaks.brk] == [6]
    assert sheet.page_setup.scale == 60


def test_the_summary_prints_without_its_list_of_sheets(printed: openpyxl.Workbook) -> None:
    sheet = printed["summary"]
    titles = {cell.value: cell.row for cell in sheet["A"]}
    assert area(printed, "summary")[3] < titles["Sheets"]
    assert area(printed, "summary")[3] >= titles["The limits that matter most"]


def test_no_page_of_the_summary_cuts_a_chart(tmp_path: Path) -> None:
    """Charts of the stock of four metals and of thirty appropriations."""
    metals = ("ga", "ge", "in", "sb")
    bought = {"from": "2027-01-01", "quantity": 10}
    tables = {
        "settings": {"start": "2027-01-01", "periods": 30},
        "materials": [{"material": each} for each in metals],
        "suppliers": [{"supplier": "plant"}],
        "offers": [
            {"offer": each, "supplier": "plant", "material": each, "price": 3} for each in metals
        ],
        "demand": [{"material": each, "to": "2029-06-30", **bought} for each in metals],
        "targets": [{"material": each, **bought} for each in metals],
        "budgets": [
            {"fund": "f", "from": f"{2027 + k // 12}-{1 + k % 12:02d}-01", "amount": 200}
            for k in range(30)
        ],
        "funds": [{"fund": "f", "uses": "purchase"}],
    }
    plan = so.solve(so.from_tables(tables)).plan
    assert plan is not None
    sheet = openpyxl.load_workbook(plan.save(tmp_path / "plan.xlsx"))["summary"]
    starts = [each.id for each in sheet.row_breaks.brk]  # rows, counted from 0
    assert starts
    pages = [
        [
            sum(start <= row for start in starts)
            for row in (each.anchor._from.row, each.anchor.to.row)
        ]
        for each in sheet._charts
    ]
    assert len({first for first, _ in pages}) > 1
    assert all(first == last for first, last in pages)


def test_no_chart_stands_alone_on_a_last_page_where_others_can_move_to_it() -> None:
    assert even([370, 370, 370, 370, 534]) == 3 * 370 + 2 * GAP
    assert even([370, 370]) == 2 * 370 + GAP
    assert even([]) == CHART_PAGE


def test_every_sheet_prints_one_page_across(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(uncertain_plan().save(tmp_path / "plan.xlsx"))
    for name in {kind.SHEET for kind in sheet_kinds()} & {*book.sheetnames}:
        sheet, last = book[name], area(book, name)[2]
        assert (sheet.page_setup.fitToWidth or 1) == 1
        letters = [cell.column_letter for cell in sheet[1][:last]]
        assert sum(sheet.column_dimensions[each].width for each in letters) <= 245
    instruction = [cell.value for cell in book["contracts"][1]].index("Instruction")
    texts = [row[instruction] for row in book["contracts"].iter_rows(min_row=2)]
    assert all(each.alignment.wrap_text for each in texts)


def test_no_page_of_the_summary_ends_with_a_heading() -> None:
    with xlsxwriter.Workbook(BytesIO()) as book:
        writer = SummaryWriter(book.add_worksheet(), Styles(book), Formulas({}))
        for k in range(300):
            if k % 7:
                writer.paragraph("word " * (k % 11) * 30)
            else:
                writer.heading("title")
    starts = [*takewhile(lambda row: row < writer.row, writer.pages())]
    assert len(starts) > 5
    for first, then in pairwise(starts):
        assert then - 1 not in writer.headings
        heights = [writer.heights.get(row, LOW) for row in range(first, then + 1)]
        assert sum(heights[:-1]) <= PAGE
        assert sum(heights) > PAGE or then in writer.headings
    assert any(start in writer.headings for start in starts)
