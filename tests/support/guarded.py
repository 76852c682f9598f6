"""What a spreadsheet program would refuse to take into a cell, worked out from the workbook's data
validations.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from openpyxl import Workbook
from openpyxl.formula.translate import Translator
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from tests.support.formulas import value_of


def validation(sheet: Worksheet, cell: str) -> DataValidation:
    """The one validation of a cell."""
    (found,) = (each for each in sheet.data_validations.dataValidation if cell in each.sqref)
    return found


def refuses(book: Workbook, table: str, cell: str, value: Any) -> bool:
    """Whether typing a value into a cell is stopped.

    The cell holds it afterwards, as if it had been pasted.
    """
    book[table][cell] = value
    return not accepted(book, table, cell)


def accepted(book: Workbook, table: str, cell: str) -> bool:
    """Whether the value of a cell passes its validation."""
    sheet, value = book[table], book[table][cell].value
    rule = validation(sheet, cell)
    match rule.type:
        case None:
            return True
        case "list":
            return (
                str(value).casefold()
                in {str(each).casefold() for each in choices(book, table, cell)}
                or rule.errorStyle == "warning"
            )
        case "custom":
            formula = _moved(rule, cell).replace("period_months", str(_period_months(book)))
            try:
                return bool(
                    value_of(
                        formula,
                        {table: [list(row) for row in sheet.iter_rows(values_only=True)]},
                        table,
                    )
                )
            except TypeError:  # text where a number is asked for
                return False
        case "date":
            return isinstance(value, dt.date) and _bound(rule.formula1) <= _serial(value) <= _bound(
                rule.formula2
            )
        case kind:
            assert kind in ("decimal", "whole")
            number = isinstance(value, (int, float)) and (kind == "decimal" or value == int(value))
            return number and _bound(rule.formula1) <= value <= _bound(rule.formula2)


def choices(book: Workbook, table: str, cell: str) -> list[Any]:
    """What the drop-down of a cell offers."""
    source = _moved(validation(book[table], cell), cell).removeprefix("=")
    if source.startswith('"'):
        return source.strip('"').split(",")
    while found := re.fullmatch(r"IF\((OR\(.*?\)|[^,]+),(\w+),(.*)\)", source):
        asked = re.findall(r'(\$[A-Z]+\d+)="(\w+)"', found[1])
        holds = any(book[table][cell.replace("$", "")].value == value for cell, value in asked)
        source = found[2] if holds else found[3]
    return named(book, source)


def named(book: Workbook, name: str) -> list[Any]:
    """The values of a defined name: an area, or the part of one that is filled below its header."""
    text = book.defined_names[name].attr_text
    grown = re.fullmatch(
        r'OFFSET\((.+?),1,0,MAX\(1,SUMPRODUCT\(MAX\(\((.+?)<>""\)\*ROW\((.+?)\)\)\)-1\),1\)', text
    )
    if grown:
        assert grown[1] == grown[2] == grown[3]
    sheet, _, area = (grown[1] if grown else text).partition("!")
    values = (
        _indices(book)
        if sheet == "lists" and grown
        else [row[0].value for row in book[sheet][area.replace("$", "")]]
    )
    filled = values[1:] if grown else values
    while filled and filled[-1] in (None, ""):
        filled.pop()
    return filled


def _indices(book: Workbook) -> list[Any]:
    """The column `indices` of the sheet `lists`, whose formulas read the titles of `prices`."""
    titles = [str(cell.value or "") for cell in book["prices"][1][1:]]
    names = [title.partition("[")[0].strip() for title in titles]
    return ["indices", *(name for name in names[: names.index("Source")])]


def _period_months(book: Workbook) -> Any:
    return (
        next(
            row[1].value for row in book["settings"].iter_rows() if row[0].value == "period_months"
        )
        or 1
    )


def _moved(rule: DataValidation, cell: str) -> str:
    """The formula of a validation, which speaks of the first cell of its area, for another cell."""
    first = str(rule.sqref).partition(":")[0]
    return Translator(f"={rule.formula1}", origin=first).translate_formula(cell)


def _bound(text: str) -> float:
    return float(text)


def _serial(day: dt.date) -> int:
    return (dt.date(day.year, day.month, day.day) - dt.date(1899, 12, 30)).days
