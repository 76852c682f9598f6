"""Twice the workbook takes twice the work, in every step of the reader; what is hostile is reported
at once.

Work is counted, not timed: the calls of functions, and for what happens within one call an input
for which a square would never end.
"""

from __future__ import annotations

import copy
import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from optimiser.system.errors import InputError
from optimiser.workbook.read.input_reader import read
from stockpile_model.names import identity
from tests.support.books import book
from tests.support.sound import SOUND, START, Tables, faults
from tests.workbook.test_xlsx import MAIN, data, only_line, package

TEXT = '<c t="inlineStr"><is><t>{}</t></is></c>'
HEADER = f"<row>{TEXT.format('name')}{TEXT.format('value')}</row>"


def _demand(count: int, **cells: object) -> Tables:
    row = {"material": "gallium", "to": dt.date(2027, 12, 1)}
    return {
        "demand": [
            {**row, "from": dt.date(2027, 1 + at % 12, 1), "quantity": 1 + at, **cells}
            for at in range(count)
        ]
    }


GROWING: dict[str, Callable[[int], Tables]] = {
    "rows": _demand,
    "rows that repeat": lambda count: _demand(count, quantity=7, **{"from": START}),
    "rows of totals": lambda count: {
        "suppliers": [*SOUND["suppliers"], *({"supplier": f"total {at}"} for at in range(count))]
    },
    "doubtful numbers": lambda count: _demand(count, quantity="1.234"),
    "faults": lambda count: _demand(count, quantity=-1),
    "ranges upside down": lambda count: _demand(count, quantity_low=5, quantity_high=3),
    "unknown references": lambda count: _demand(count, material="indium"),
    "keys that stand twice": lambda count: {
        "suppliers": [*SOUND["suppliers"], *({"supplier": "Twin"} for _ in range(count))]
    },
    "indices": lambda count: {
        "prices": [
            {"date": START, "Rotterdam": 1, **{f"index {at} [USD/kg]": 1 for at in range(count)}}
        ]
    },
    "indices without a number": lambda count: {
        "prices": [{"date": START, "Rotterdam": 1, **{f"index {at}": None for at in range(count)}}]
    },
    "unknown columns": lambda count: {
        "suppliers": [
            SOUND["suppliers"][0] | {f"column {at}": 1 for at in range(count)},
            SOUND["suppliers"][1],
        ]
    },
    "months as columns": lambda count: {
        "demand": [{"material": "gallium", **{f"M{at + 1}": 1 for at in range(count)}}]
    },
    "cells next to a table": lambda count: _demand(1, **{" " * (at + 1): 1 for at in range(count)}),
    "prices of 0": lambda count: {
        "prices": [{"date": START + dt.timedelta(at), "Rotterdam": at % 2} for at in range(count)]
    },
    "unknown settings": lambda count: {
        "settings": SOUND["settings"] | {f"setting {at}": 1 for at in range(count)}
    },
}


def _calls(path: Path) -> int:
    """How many functions are called to read a workbook."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    identity.cache_clear()
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(path)
    except InputError:
        pass
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    ("what", "name"), [*((what, "csv") for what in GROWING), ("rows", "xlsx"), ("indices", "xlsx")]
)
def test_twice_the_workbook_takes_twice_the_work(what: str, name: str, tmp_path: Path) -> None:
    work = []
    for count in (40, 40, 80, 160):  # once to fill what is kept from call to call
        path = tmp_path / (f"{count}.xlsx" if name == "xlsx" else f"{count}")
        work.append(_calls(book(path, copy.deepcopy(SOUND) | GROWING[what](count))))
    assert work[3] - work[2] < 2.4 * (work[2] - work[1]) + 2_000


def test_a_title_of_nothing_but_spaces_or_brackets(tmp_path: Path) -> None:
    for title in (
        "value" + " " * 32_000 + "x",
        "value" + "[" * 32_000 + "]",
        "value [" + "USD/" * 8_000 + "]",
        "value" + "_" * 32_000,
    ):
        tables = copy.deepcopy(SOUND)
        tables["offers"][0][title] = None
        assert faults(book(tmp_path / "book", tables))[0].startswith("offers!G1: ")
    path = package(
        tmp_path / "book.xlsx", sheet=data(HEADER.replace("value", "value" + " " * 1_000_000 + "x"))
    )
    assert (
        "settings!B1: the name of the column holds 1,000,006 characters; a cell holds at most"
        " 32,767" in faults(path)
    )


def test_a_number_format_without_end(tmp_path: Path) -> None:
    for code in ("0" * 500_000, "[h" * 250_000):
        formats = (
            f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164"'
            f' formatCode="{code}"/></numFmts></styleSheet>'
        )
        path = package(tmp_path / "book.xlsx", formats=formats, sheet=data(HEADER))
        assert only_line(path).startswith(
            f"{path}: holds a number format of more than 2,000 characters"
        )


def test_merged_cells_without_end(tmp_path: Path) -> None:
    """Only those that reach the table count, and of these a hundred; what a file says of them is
    not kept.
    """
    rows = f"{HEADER}<row>{TEXT.format('start')}{TEXT.format('2027-01-01')}</row>"
    merged = '<mergeCell ref="A2:B2"/>' * 30_000
    path = package(
        tmp_path / "book.xlsx",
        sheet=data(rows).replace("</worksheet>", f"<mergeCells>{merged}</mergeCells></worksheet>"),
    )
    told = faults(path)
    assert 100 <= len(told) <= 103


def test_columns_that_no_table_has(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["prices"][0] |= {f"index {at}": 1 for at in range(1_200)}
    (line,) = faults(book(tmp_path / "book.xlsx", tables))
    assert (
        line
        == "prices!A1: has 1,202 columns with a name; at most 1,000 are read; remove those that are"
        " not needed"
    )
