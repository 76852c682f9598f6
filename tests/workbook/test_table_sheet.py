"""A column written at once holds what the same values hold when they are put one by one."""

from __future__ import annotations

import datetime as dt
import io
import math
from itertools import repeat
from typing import Any

import openpyxl
import xlsxwriter

from optimiser.workbook.write.styles import OPTIONS, Styles, put
from optimiser.workbook.write.table_sheet import TableSheet

VALUES: list[Any] = [
    *(
        None,
        "",
        "text",
        "text",
        " kept ",
        "<a & b>",
        "=1+1",
        "über",
        "a\x01b",
        "x" * 40_000,
        "\ud800",
    ),
    *(1.5, -0.0, 1e-300, 1 / 3, 2**53, 0, 1, True, False, math.inf, -math.inf, math.nan),
    *(dt.date(2027, 1, 31), dt.datetime(2027, 1, 31, 12, 30), ("a", "b")),
]


def read(values: list[Any], at_once: bool) -> list[tuple[Any, str, str]]:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        styles = Styles(book)
        sheet = book.add_worksheet("values", TableSheet)
        sheet.write_string(0, 0, "header")
        sheet.write_string(0, 1, "next")
        if at_once:
            sheet.put_column(0, values, repeat(styles("0.000")))
            sheet.put_column(
                1, values, [styles("0.0", bold=k % 2 == 0) for k in range(len(values))]
            )
            sheet.set_row_height(2, 30)
        else:
            plain = book.add_worksheet("plain")
            for row, value in enumerate(values, start=1):
                put(plain, row, 0, value, styles("0.000"))
                put(plain, row, 1, value, styles("0.0", bold=row % 2 == 1))
            plain.set_row(2, 30)
    found = openpyxl.load_workbook(target)["values" if at_once else "plain"]
    assert found.row_dimensions[3].height == 30
    return [
        (
            cell.value,
            cell.data_type,
            cell.number_format + str(cell.font.b) * (cell.value is not None),
        )
        for row in found.iter_rows(min_row=2, max_row=len(values) + 1, max_col=2)
        for cell in row
    ]


def test_a_column_at_once_is_the_same_as_cell_by_cell() -> None:
    assert read(VALUES, at_once=True) == read(VALUES, at_once=False)


def test_the_header_stands_above_its_column() -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        sheet = book.add_worksheet("values", TableSheet)
        sheet.write_string(0, 0, "header")
        sheet.put_column(0, [], repeat(Styles(book)()))
    assert [
        [cell.value for cell in row] for row in openpyxl.load_workbook(target)["values"].iter_rows()
    ] == [["header"]]
