"""The workbook of faults: what it says, where its rows lead, and that nothing else is touched."""

from __future__ import annotations

import copy
import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from optimiser.system.errors import InputError, OutputError
from optimiser.workbook.read.cells import number
from optimiser.workbook.write.error_book import HEADER, NOTHING_WRONG, check_workbook
from tests.support.books import book
from tests.support.sound import SOUND, Tables


@pytest.fixture
def tables() -> Tables:
    return copy.deepcopy(SOUND)


def wrong(tables: Tables) -> Tables:
    """Three errors: in a cell, in a sheet, in a cell of a sheet whose name must be quoted."""
    tables["offers"][0] |= {"capacity": -5, "note": "=1+1"}
    tables["Opening stock"] = [
        {"lot": "it's", "material": "gallum", "quantity": 5, "made": dt.date(2026, 12, 1)}
    ]
    tables["supply"] = [{"x": 1}]
    return tables


def checked(source: Path, errors: Path) -> list[str]:
    """What `check` tells, as lines; the workbook of faults is at `errors`."""
    try:
        return [str(fault) for fault in check_workbook(source, errors).warnings]
    except InputError as error:
        return [str(fault) for fault in error.faults]


def rows(path: Path) -> Iterator[tuple[dict[str, Any], str | None]]:
    """The rows of the list and the link of each: the file that it opens, # and the cell."""
    sheet = openpyxl.load_workbook(path)["errors"]
    assert [cell.value for cell in sheet[1]] == list(HEADER)
    for cells in sheet.iter_rows(min_row=2):
        link = cells[2].hyperlink
        address = (
            None
            if link is None
            else f"{link.target}" + (f"#{link.location}" if link.location else "")
        )
        yield dict(zip(HEADER, (cell.value for cell in cells), strict=True)), address


def test_each_fault_is_a_row_that_leads_to_its_cell(tmp_path: Path, tables: Tables) -> None:
    source = book(tmp_path / "in put.xlsx", wrong(tables))
    told = checked(source, tmp_path / "errors.xlsx")
    found = list(rows(tmp_path / "errors.xlsx"))
    assert [(row["Sheet"], row["Cell"], row["Found"], link) for row, link in found] == [
        ("offers", "F2", "-5", "in%20put.xlsx#'offers'!F2"),
        ("Opening stock", "B2", "gallum", "in%20put.xlsx#'Opening stock'!B2"),
        ("supply", "open", None, "in%20put.xlsx#'supply'!A1"),
    ]
    assert all(row["Kind"] == "error" for row, _ in found)
    assert [line.partition(": ")[2] for line in told] == [row["Message"] for row, _ in found]


def test_links_open_the_cell_that_is_wrong(tmp_path: Path, tables: Tables) -> None:
    """Followed as a spreadsheet program follows them."""
    tables["offers"][0]["capacity"] = -5
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    source = book(tmp_path / "in" / "50 % #1.xlsx", tables)
    checked(source, tmp_path / "out" / "errors.xlsx")
    ((_, link),) = rows(tmp_path / "out" / "errors.xlsx")
    address, _, place = str(link).partition("#")
    for code, character in (("%20", " "), ("%23", "#"), ("%25", "%"), ("\\", "/")):
        address = address.replace(code, character)
    assert not Path(address).is_absolute()
    sheet, _, cell = place.replace("'", "").partition("!")
    assert openpyxl.load_workbook(tmp_path / "out" / address)[sheet][cell].value == -5


def test_a_sheet_with_a_quotation_mark_in_its_name(tmp_path: Path, tables: Tables) -> None:
    tables["Bob's"] = [{"x": 1}]
    checked(book(tmp_path / "book.xlsx", tables), tmp_path / "errors.xlsx")
    assert [link for _, link in rows(tmp_path / "errors.xlsx")] == ["book.xlsx#'Bob''s'!A1"]


def test_a_folder_leads_to_its_files(tmp_path: Path, tables: Tables) -> None:
    source = book(tmp_path / "tables", wrong(tables))
    (source / "offers.csv").rename(source / "Offers.CSV")
    checked(source, tmp_path / "errors.xlsx")
    assert [
        (row["Cell"], row["Found"], str(link).replace("\\", "/"))
        for row, link in rows(tmp_path / "errors.xlsx")
    ] == [
        ("F2", "-5", "tables/Offers.CSV"),
        ("B2", "gallum", "tables/Opening%20stock.csv"),
        ("open", None, "tables/supply.csv"),
    ]


def test_warnings_are_rows_too(tmp_path: Path, tables: Tables) -> None:
    tables["offers"][0]["duty"] = 25
    assert len(checked(book(tmp_path / "book.xlsx", tables), tmp_path / "errors.xlsx")) == 1
    ((row, link),) = rows(tmp_path / "errors.xlsx")
    assert (row["Kind"], row["Cell"], row["Found"], link) == (
        "warning",
        "G2",
        "25",
        "book.xlsx#'offers'!G2",
    )


def test_a_sound_workbook_gives_a_list_that_says_so(tmp_path: Path, tables: Tables) -> None:
    assert checked(book(tmp_path / "book.xlsx", tables), tmp_path / "errors.xlsx") == []
    ((row, link),) = rows(tmp_path / "errors.xlsx")
    assert (row["Message"], link) == (NOTHING_WRONG, None)


def test_the_list_can_be_filtered_and_counts_by_sheet(tmp_path: Path, tables: Tables) -> None:
    checked(book(tmp_path / "book.xlsx", wrong(tables)), tmp_path / "errors.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "errors.xlsx")
    assert workbook.sheetnames == ["errors", "how to use"]
    assert workbook["errors"].auto_filter.ref == "A1:E4"
    assert workbook["errors"].freeze_panes == "A2"
    said = [[cell.value for cell in line] for line in workbook["how to use"].iter_rows()]
    assert ["offers", 1, 0] in said
    assert ["In all", 3, 0] in said


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no archive", b"not a workbook"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "book.xlsx"
    source.write_bytes(content)
    (told,) = checked(source, tmp_path / "errors.xlsx")
    ((row, link),) = rows(tmp_path / "errors.xlsx")
    assert told == f"{source}: {row['Message']}"
    assert (row["Sheet"], row["Cell"], link) == (None, "open", "book.xlsx")


def test_no_file_at_all(tmp_path: Path) -> None:
    checked(tmp_path / "book.xlsx", tmp_path / "errors.xlsx")
    ((row, link),) = rows(tmp_path / "errors.xlsx")
    assert row["Message"].startswith("there is no such file")
    assert link is None


def test_text_is_no_formula_and_control_characters_do_no_harm(
    tmp_path: Path, tables: Tables
) -> None:
    tables["offers"][0]["supplier"] = "=cmd|' /c calc'!A0\x01"
    tables["offers"][1]["supplier"] = "@SUM(1+1)\n\u202e"
    checked(book(tmp_path / "book", tables), tmp_path / "errors.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "errors.xlsx")["errors"]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}
    assert "=cmd" in sheet["D2"].value


def test_what_a_cell_shows_is_found_where_its_value_is_lost(tmp_path: Path, tables: Tables) -> None:
    source = book(tmp_path / "book.xlsx", tables)
    workbook = openpyxl.load_workbook(source)
    workbook["offers"]["D2"], workbook["offers"]["F2"] = "#REF!", "=D2"
    workbook.save(source)
    checked(source, tmp_path / "errors.xlsx")
    assert [(row["Cell"], row["Found"]) for row, _ in rows(tmp_path / "errors.xlsx")] == [
        ("D2", "#REF!"),
        ("F2", None),
    ]


def test_nothing_else_is_touched(tmp_path: Path, tables: Tables) -> None:
    source = book(tmp_path / "book.xlsx", wrong(tables))
    before = source.read_bytes(), source.stat().st_mtime_ns
    checked(source, tmp_path / "errors.xlsx")
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "errors.xlsx"]
    first = parts(tmp_path / "errors.xlsx")
    checked(source, tmp_path / "errors.xlsx")
    assert parts(tmp_path / "errors.xlsx") == first


def parts(path: Path) -> dict[str, bytes]:
    """Return what a workbook holds, but for when it was written."""
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [("book.xlsx", "never written to"), ("errors.csv", ".xlsx"), ("nowhere/e.xlsx", "no folder")],
)
def test_where_the_list_may_not_be_written(
    tmp_path: Path, tables: Tables, name: str, reason: str
) -> None:
    source = book(tmp_path / "book.xlsx", wrong(tables))
    before = source.read_bytes()
    with pytest.raises(OutputError, match=reason):
        check_workbook(source, tmp_path / name)
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


def test_letters_of_wide_sheets(tmp_path: Path, tables: Tables) -> None:
    tables["offers"][0] |= {f"column {k}": k for k in range(30)}
    checked(book(tmp_path / "book.xlsx", tables), tmp_path / "errors.xlsx")
    cells = [row["Cell"] for row, _ in rows(tmp_path / "errors.xlsx")]
    assert cells[-1] == "AJ1"
    assert number("AJ") == 36
