"""How a plan prints: what people act on, on pages that can be read; sheets for programs do not run
to hundreds of pages.
"""

from __future__ import annotations

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

import optimiser as so
from optimiser.workbook.result_kinds import sheet_kinds
from optimiser.workbook.write.result_sheets import PAGE_ROWS
from stockpile_model.schema import INSTRUCTION

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
    _, _, column, row = area(printed, "orders")
    header = [cell.value for cell in sheet[1]]
    assert header[column - 1] == INSTRUCTION.capitalize()
    assert "Ordered [kg]" in header[:column]
    assert row == sheet.max_row
    assert sheet.print_title_rows == "$1:$1"


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


def test_the_charts_stand_on_pages_of_their_own(printed: openpyxl.Workbook) -> None:
    sheet = printed["summary"]
    assert [each.id for each in sheet.col_breaks.brk] == [6]
    assert sheet.page_setup.scale == 60
