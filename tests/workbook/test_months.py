"""Tables with a column for each month, quarter or year: one line that shows the long form of a row
of theirs.
"""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path

import pytest

from optimiser.workbook.read.input_reader import read
from tests.support.books import Rows, book
from tests.support.sound import SOUND, faults

JANUARY, FEBRUARY = "from 2027-01-01, quantity 100", "from 2027-02-01, quantity 110"
LONG = f"material gallium, {JANUARY}; material gallium, {FEBRUARY}"
WIDE: dict[str, tuple[str, Rows, str]] = {
    "names and years": (
        "demand",
        [{"material": "gallium", "Jan 2027": 100, "Feb 2027": 110}],
        LONG,
    ),
    "names alone, from the start on": (
        "demand",
        [{"material": "gallium", "January": 100, "Feb": 110}],
        LONG,
    ),
    "short years": (
        "demand",
        [{"material": "gallium", "jan-27": 100, "Feb '27": 110, "Mar/27": None}],
        LONG,
    ),
    "years first": ("demand", [{"material": "gallium", "2027-01": 100, "2027/02": 110}], LONG),
    "years last": ("demand", [{"material": "gallium", "01/2027": 100, "2.2027": 110}], LONG),
    "dates": ("demand", [{"material": "gallium", "2027-01-01": 100, "01.02.2027": 110}], LONG),
    "numbers of periods": (
        "demand",
        [{"material": "gallium", "M1": 100, "Month 2": 110, "Period 3": 1}],
        f"{LONG}; and so on",
    ),
    "with a word and a unit": (
        "demand",
        [{"material": "gallium", "Quantity Jan 2027 [kg]": 100, "Demand Feb 2027": 110}],
        LONG,
    ),
    "a row that begins late": (
        "demand",
        [
            {"material": "x", "Jan 2027": None},
            {"material": "gallium", "Jan 2027": 100, "Feb 2027": 110},
        ],
        LONG,
    ),
    "quarters": (
        "demand",
        [{"material": "gallium", "Q2 2027": 300, "2027 Q3": 330}],
        (
            "material gallium, from 2027-04-01, to 2027-06-30, quantity 100 (in each period, where"
            " 300 is for all 3 of them); material gallium, from 2027-07-01, to 2027-09-30, quantity"
            " 110 (in each period, where 330 is for all 3 of them)"
        ),
    ),
    "targets": (
        "targets",
        [{"material": "gallium", "hard": "yes", "2027": 100, "2028": 110}],
        (
            "material gallium, hard yes, from 2027-01-01, quantity 100; material gallium, hard yes,"
            " from 2028-01-01, quantity 110"
        ),
    ),
    "appropriations": (
        "budgets",
        [{"fund": "nds", "FY2027": 1_000_000, "FY28": 5}],
        "fund nds, from 2026-10-01, amount 1000000; fund nds, from 2027-10-01, amount 5",
    ),
    "prices": (
        "prices",
        [{"index": "Rotterdam", "Jan 2027": 400, "Feb 2027": 410}],
        "date 2027-01-01, Rotterdam 400; date 2027-02-01, Rotterdam 410",
    ),
    "prices of years": (
        "prices",
        [{"date": "2028", "Jan": 400, "Feb": 410, "Mar": 3}],
        "date 2028-01-01, index 400; date 2028-02-01, index 410; and so on",
    ),
}


@pytest.mark.parametrize("what", WIDE)
def test_the_long_form_of_a_wide_row_is_shown(what: str, tmp_path: Path) -> None:
    table, rows, long = WIDE[what]
    tables = copy.deepcopy(SOUND) | {table: [*rows]}
    (line,) = faults(book(tmp_path / "book.xlsx", tables))
    assert line.startswith(f"{table}!")
    lines = len(rows) + 1
    assert line.endswith(f"for each of them instead; row {lines} becomes: {long}")


def test_cells_that_are_dates(tmp_path: Path) -> None:
    header: dict[object, object] = {
        "material": "gallium",
        dt.date(2027, 1, 1): 100,
        dt.date(2027, 2, 1): 110,
    }
    path = book(tmp_path / "book.xlsx", copy.deepcopy(SOUND) | {"demand": [header]})  # type: ignore[dict-item]
    assert faults(path) == [
        "demand!B1: columns B to C are for months, quarters or years: write a row for each of them"
        f" instead; row 2 becomes: {LONG}"
    ]


def test_other_tables_hold_no_months(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["offers"][0] |= {"Jan 2027": 400, "Feb 2027": 410}
    assert faults(book(tmp_path / "book", tables)) == [
        "offers!G1: columns G to H are for months, quarters or years, and a row of offers holds one"
        " value for all time; prices that vary in time go into the sheet prices"
    ]


def test_an_index_may_be_called_like_a_year(tmp_path: Path) -> None:
    """One such name is no wide table."""
    tables = copy.deepcopy(SOUND)
    tables["prices"][0]["2027"] = 3
    assert read(book(tmp_path / "book", tables)).stockpile.names("prices") == ("Rotterdam", "2027")
