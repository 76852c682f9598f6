"""A folder of CSV files: what its cells are called, and what is wrong with the files themselves."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from optimiser.system.errors import InputError
from optimiser.workbook.read import csvs
from optimiser.workbook.read.input_reader import read
from stockpile_model.blocks.demand import Demand
from stockpile_model.funds import Fund
from stockpile_model.tables import Supplier
from tests.support.books import Tables, book

TABLES: Tables = {
    "settings": {"start": dt.date(2027, 1, 1), "periods": 12},
    "materials": [{"material": "gallium", "shortage_cost": 9}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return book(tmp_path / "tables", TABLES)


def only_line(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(folder)
    (fault,) = caught.value.faults
    assert "\n" not in str(fault)
    return str(fault)


def test_rows_are_counted_as_a_spreadsheet_program_counts_them(folder: Path) -> None:
    rows = [
        "\ufeffmaterial,from,quantity,note",
        "",
        'gallium,2027-01-01,5,"two\r\nlines, and ""quotes"""',
        " , ,,",
        "gallium,2027-02-01,-5,",
        "",
    ]
    text = "\r\n".join(rows)
    (folder / "demand.csv").write_bytes(text.encode())
    assert only_line(folder) == "demand!C5: quantity must be at least 0, found -5"
    (folder / "demand.csv").write_bytes(text.replace("-5", "5").encode())
    first, second = read(folder).stockpile.rows(Demand)
    assert (first.line, first.note, second.line) == (3, 'two\r\nlines, and "quotes"', 5)


def test_short_and_long_rows(folder: Path) -> None:
    (folder / "demand.csv").write_text(
        "material,from,quantity,buyer\ngallium,2027-01-01,5\ngallium,2027-02-01,5,,,\n"
    )
    assert len(read(folder).stockpile.rows(Demand)) == 2
    (folder / "demand.csv").write_text("material,from,quantity,buyer\ngallium,2027-01-01,1,200,\n")
    assert [row.buyer for row in read(folder).stockpile.rows(Demand)] == ["200"]
    (folder / "demand.csv").write_text("material,from,quantity\ngallium,2027-01-01,1,200\n")
    assert (
        only_line(folder)
        == "demand!D1: has no name for this column, which holds a value in row 2; name it or"
        " clear it"
    )


def test_codes_stay_as_they_are_typed(folder: Path) -> None:
    (folder / "suppliers.csv").write_text("supplier,country\n001,NA\n1,007\n")
    assert [(row.supplier, row.country) for row in read(folder).stockpile.rows(Supplier)] == [
        ("001", "NA"),
        ("1", "007"),
    ]


def test_other_files_are_left_alone(folder: Path) -> None:
    (folder / "README.md").write_text("about these tables")
    (folder / "guide.csv").write_bytes(b"\xff")
    (folder / "_draft.csv").write_text("anything\n")
    (folder / "archive.csv").mkdir()
    (folder / "demand.csv").write_text("material,from,quantity\ngallium,2027-01-01,5\n")
    (folder / "demand.csv").rename(folder / "Demand.CSV")
    assert read(folder).stockpile.given(Demand)


def test_an_unknown_file_is_reported(folder: Path) -> None:
    (folder / "targts.csv").write_text("material\n")
    expected = (
        "targts: this sheet is no table (did you mean 'targets'?); rename it, or begin its name"
        " with _ to leave it out"
    )
    assert only_line(folder) == expected


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (
        b"",
        "is empty: its first row must hold the names of the columns; fill the sheet or remove it",
    ),
    "blank": (
        b"\n , \n",
        "is empty: its first row must hold the names of the columns; fill the sheet or remove it",
    ),
    "latin": (
        b"material,from,quantity\ngallium,2027-01-01,5\nGa\xe9,2027-01-01,5\n",
        "is no UTF-8 text (byte 0xe9); save it as CSV UTF-8",
    ),
    "utf-16": (
        "material,from,quantity\n".encode("utf-16"),
        "is no UTF-8 text (byte 0xff); save it as CSV UTF-8",
    ),
    "open quote": (
        b'material,from,quantity\n"gallium,2027-01-01,5\n',
        "cannot be read after row 1: unexpected end of data; see its quotation marks",
    ),
    "stray quote": (
        b'material,from,quantity\n"gal"lium,2027-01-01,5\n',
        "cannot be read after row 1: ',' expected after '\"'; see its quotation marks",
    ),
    "endless cell": (
        b"material,from,quantity\n" + b"x" * 200_000,
        (
            "cannot be read after row 1: field larger than field limit (131072); see its quotation"
            " marks"
        ),
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_no_table(folder: Path, kind: str) -> None:
    content, message = FILES[kind]
    (folder / "demand.csv").write_bytes(content)
    assert only_line(folder) == f"demand: {message}"


def test_a_binary_file(folder: Path) -> None:
    (folder / "demand.csv").write_bytes(b"material,from,quantity\n\0\0\0,,\n")
    assert only_line(folder) == "demand: holds bytes that are no text; save it as CSV UTF-8"


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_other_marks_between_the_cells(folder: Path, mark: str, name: str) -> None:
    (folder / "demand.csv").write_text(
        "material,from,quantity\ngallium,2027-01-01,5\n".replace(",", mark)
    )
    assert (
        only_line(folder)
        == f"demand: is separated by {name}; save it as CSV with commas between the cells and"
        " decimal points"
    )


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_a_title_that_holds_commas_hides_no_other_mark(folder: Path, mark: str) -> None:
    """Also where there are as many commas as marks in the header: the rows below it have none."""
    header, row = (
        "material,from,quantity; in kg, of gallium\n".replace(";", "\0")
        .replace(",", ";", 2)
        .replace("\0", ","),
        "gallium;2027-01-01;5\n",
    )
    text = header.replace(";", mark) + row.replace(";", mark)
    (folder / "demand.csv").write_text(text)
    assert only_line(folder).startswith("demand: is separated by ")


def test_a_remark_with_semicolons_is_no_separator(folder: Path) -> None:
    (folder / "demand.csv").write_text(
        'material,from,quantity,note\ngallium,2027-01-01,5,"first; then; and then;'
        ' so"\ngallium,2027-02-01,5,a;b;c\n'
    )
    assert len(read(folder).stockpile.rows(Demand)) == 2


def test_a_list_with_semicolons_is_no_separator(folder: Path) -> None:
    """It makes more cells of a narrow table than its commas do."""
    (folder / "funds.csv").write_text("\nfund,uses\nnds,purchase;contract;storage;rotation\n")
    (folder / "budgets.csv").write_text("fund,amount\nnds,1000\n")
    (fund,) = read(folder).stockpile.rows(Fund)
    assert len(fund.uses) == 4
    text = ",,\nfund;uses;materials\nnds;purchase,contract;\n"
    (folder / "funds.csv").write_text(text)
    assert only_line(folder).startswith("funds: is separated by semicolons")


def test_hidden_files_are_no_tables(folder: Path) -> None:
    for name in ("._demand.csv", ".demand.csv", "._nonsense.csv"):
        (folder / name).write_bytes(b"\0\5\26\7")
    (folder / ".~lock.demand.csv#").write_text("")
    assert not read(folder).stockpile.given(Demand)
    for file in folder.glob("[!.]*.csv"):
        file.unlink()
    assert only_line(folder).endswith(
        "holds no <table>.csv; name a folder with one for each table, or a workbook (.xlsx)"
    )


def test_a_table_that_is_no_file(folder: Path) -> None:
    """A pipe would be waited for, a device never ends, and a link may lead nowhere: none is passed
    over.
    """
    for make in (
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(folder / "gone.csv"),
    ):
        make(folder / "demand.csv")
        assert (
            only_line(folder) == "demand: is no file, or a link to none; put the file itself there"
        )
        (folder / "demand.csv").unlink()


def test_columns_without_a_name_cost_nothing(folder: Path) -> None:
    (folder / "prices.csv").write_text("date" + "," * 16_000 + "\n2027-01-01" + "," * 16_000 + "\n")
    assert read(folder).stockpile.settings.periods == 12
    (folder / "prices.csv").write_text("date" + "," * 20_000 + "\n")
    assert only_line(folder) == "prices: has 20,001 cells in row 1; at most 16,384 are read"
    (folder / "prices.csv").write_text(
        "date," + ",".join(f"index {number}" for number in range(5_000)) + "\n2027-01-01\n"
    )
    assert (
        only_line(folder)
        == "prices!A1: has 5,001 columns with a name; at most 1,000 are read; remove those that are"
        " not needed"
    )


def test_a_folder_without_tables(tmp_path: Path) -> None:
    assert (
        only_line(tmp_path)
        == f"{tmp_path}: holds no <table>.csv; name a folder with one for each table, or a workbook"
        " (.xlsx)"
    )


def test_a_folder_that_is_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvs, "MOST_BYTES", 10)
    assert only_line(folder) == f"{folder}: holds 0 MB of CSV files; at most 0 MB are read"
