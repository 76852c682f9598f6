"""What is read and may not be meant: one warning for each kind, or an error where a cell says one
thing here and another there.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from optimiser.workbook.read.input_reader import read
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.offers.offer_terms import Offer
from tests.support.books import book
from tests.support.sound import SOUND, START, Tables, faults
from tests.workbook.test_xlsx import OFFICE, PARTS, TABLES, data, package


def warnings(path: Path) -> list[str]:
    return [str(fault) for fault in read(path).warnings]


def changed(path: Path, change: Callable[[openpyxl.Workbook], object]) -> Path:
    workbook = openpyxl.load_workbook(book(path, SOUND))
    change(workbook)
    workbook.save(path)
    return path


def _demand(*rows: dict[str, object]) -> Tables:
    return {**copy.deepcopy(SOUND), "demand": [{**SOUND["demand"][0], **row} for row in rows]}


# --- Hidden ---------------------------------------------------------------------------------------


def _rows(book: openpyxl.Workbook, *lines: int) -> None:
    for line in lines:
        book["offers"].row_dimensions[line].hidden = True


def _columns(book: openpyxl.Workbook, **more: Any) -> None:
    book["offers"].column_dimensions.group("C", "D", **more)


HIDDEN: dict[str, tuple[Callable[[openpyxl.Workbook], object], list[str]]] = {
    "rows": (
        lambda b: _rows(b, 2, 3),
        ["offers!A2: rows 2 to 3 are hidden, and read: show what counts, or remove it"],
    ),
    "a row": (
        lambda b: _rows(b, 3),
        ["offers!A3: row 3 is hidden, and read: show what counts, or remove it"],
    ),
    "names of columns": (
        lambda b: _rows(b, 1),
        ["offers!A1: row 1 is hidden, and read: show what counts, or remove it"],
    ),
    "blank rows": (lambda b: _rows(b, 4, 9), []),
    "columns": (
        lambda b: _columns(b, hidden=True),
        ["offers!C1: columns C to D are hidden, and read: show what counts, or remove it"],
    ),
    "a column beside the table": (
        lambda b: setattr(b["offers"].column_dimensions["Z"], "hidden", True),
        [],
    ),
    "a sheet": (
        lambda b: setattr(b["offers"], "sheet_state", "hidden"),
        [
            "offers: this sheet is hidden, and is read: show it, or remove it, or begin its name"
            " with _ to leave it out"
        ],
    ),
    "the settings, very": (
        lambda b: setattr(b["settings"], "sheet_state", "veryHidden"),
        [
            "settings: this sheet is hidden, and is read: show it, or remove it, or begin its name"
            " with _ to leave it out"
        ],
    ),
    "a sheet that is not read": (
        lambda b: setattr(b.create_sheet("_work"), "sheet_state", "hidden"),
        [],
    ),
}


@pytest.mark.parametrize("what", HIDDEN)
def test_what_is_hidden_is_read_with_a_warning(what: str, tmp_path: Path) -> None:
    hide, expected = HIDDEN[what]
    path = changed(tmp_path / "book.xlsx", hide)
    assert warnings(path) == expected
    assert read(path).stockpile.tables == read(book(tmp_path / "open.xlsx", SOUND)).stockpile.tables


def test_columns_that_overlap_are_counted_once(tmp_path: Path) -> None:
    """A hostile file may hide all columns over and over."""
    columns = "<cols>{}</cols><sheetData>".format('<col min="1" max="16384" hidden="1"/>' * 20_000)
    path = package(tmp_path / "book.xlsx", sheet=data("").replace("<sheetData>", columns))
    assert faults(path) == [
        "settings: is empty: its first row must hold the names of the columns; fill the sheet or"
        " remove it"
    ]


# --- Rows that repeat, sums, prices of 0 ----------------------------------------------------------


@pytest.mark.parametrize("name", ["book.xlsx", "book"], ids=["xlsx", "csv"])
def test_rows_that_repeat_each_other(name: str, tmp_path: Path) -> None:
    tables = _demand(
        {}, {"material": " GALLIUM ", "note": "again"}, {"quantity": 100.5}, {"quantity": 7}, {}, {}
    )
    tables["budgets"] *= 2
    tables["scenarios"] = [{"scenario": "war", "probability": 0.25}]
    event = {
        "scenario": "war",
        "table": "offers",
        "row": "spot",
        "column": "price",
        "how": "scale",
        "value": 2,
        "from": START,
    }
    tables["events"] = [event, event]
    path = book(tmp_path / name, tables)
    assert sorted(warnings(path)) == [
        "budgets!A3: row 3 repeats row 2 exactly, and all of them count; remove what is not meant",
        "demand!A3: row 3 repeats row 2 exactly, and all of them count; remove what is not meant",
        (
            "demand!A6: rows 6 to 7 repeat row 2 exactly, and all of them count; remove what is not"
            " meant"
        ),
        "events!A3: row 3 repeats row 2 exactly, and all of them count; remove what is not meant",
    ]
    assert len(read(path).stockpile.rows(Demand)) == 6


@pytest.mark.parametrize(
    "name", ["Total", "TOTALS:", "sub-total", "Sum of funds", "nds Total", "Grand total"]
)
def test_a_complete_row_of_totals(name: str, tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["funds"].append({"fund": name, "uses": "storage"})
    expected = (
        f"funds!A3: fund {name!r} reads like a sum of other rows, and counts like any row; remove"
        " the row, or rename it"
    )
    assert warnings(book(tmp_path / "book", tables)) == [expected]


@pytest.mark.parametrize("name", ["TotalEnergies", "Summit", "Consum", "the sum total co"])
def test_names_that_are_no_totals(name: str, tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["suppliers"].append({"supplier": name, "note": "Total of both plants"})
    assert warnings(book(tmp_path / "book", tables)) == []


def test_a_price_of_nothing(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["offers"][0]["price"] = 0
    tables["prices"] = [
        {"date": dt.date(2027, month, 1), "Rotterdam": 0 if month < 4 else 400}
        for month in range(1, 6)
    ]
    tables["contracts"] = [{"contract": "A", "supplier": "Metlen", "material": "gallium"}]
    tables["floors"] = [{"contract": "A", "level": "low", "floor": 0, "annual_quantity": 1}]
    assert [
        line for line in warnings(book(tmp_path / "book.xlsx", tables)) if "free of charge" in line
    ] == [
        (
            "offers!D2: price is 0: it is read as free of charge; write the price, or clear the"
            " cell where there is none"
        ),
        (
            "prices!B2: Rotterdam is 0 in rows 2 to 4: it is read as free of charge; write the"
            " price, or clear the cell where there is none"
        ),
        (
            "floors!C2: floor is 0 and its contract has no price_index: the metal is read as free"
            " of charge; write the price"
        ),
    ]


# --- Numbers as text ------------------------------------------------------------------------------


def _text(number: str) -> Callable[[openpyxl.Workbook], None]:
    def change(workbook: openpyxl.Workbook) -> None:
        workbook["offers"]["F2"] = number

    return change


@pytest.mark.parametrize("number", ["1.200", " 12.345", "+1.234"])
def test_a_text_that_is_two_numbers(number: str, tmp_path: Path) -> None:
    (line,) = faults(changed(tmp_path / "book.xlsx", _text(number)))
    said, other = f"{float(number):g}", number.strip().replace(".", "")
    assert (
        line == f"offers!F2: capacity {number.strip()!r} is {said} in some countries and {other} in"
        " others; write it as a number, not as text"
    )


@pytest.mark.parametrize(
    "number",
    [
        "1,200",
        "1.234.567",
        "1 200",
        "1\u00a0200",
        "1\u202f200",
        "1'200",
        "1\u2019200",
        "1.200,5",
        "1,5",
    ],
)
def test_other_marks_in_a_number(number: str, tmp_path: Path) -> None:
    (line,) = faults(changed(tmp_path / "book.xlsx", _text(number)))
    assert line.endswith(
        "write it with a decimal point and without thousands separators, as in 1200.5"
    )


@pytest.mark.parametrize("number", ["0.125", "1234.567", "1.2", "1.2000", "1.200e0", "200", ".500"])
def test_a_text_that_is_one_number(number: str, tmp_path: Path) -> None:
    path = changed(tmp_path / "book.xlsx", _text(number))
    assert read(path).stockpile.rows(Offer)[0].capacity == float(number)


def test_a_csv_file_may_show_what_its_point_is(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["offers"][0]["capacity"], tables["offers"][1]["capacity"] = "1.200", "850"
    expected = (
        "offers!F2: capacity '1.200' is 1.2 in some countries and 1200 in others; write 1.2000 or"
        " 1200"
    )
    assert faults(book(tmp_path / "book", tables)) == [expected]
    for decided in ("12.5", "0.125", "1234.567"):
        tables["offers"][1]["capacity"] = decided
        assert read(book(tmp_path / "book", tables)).stockpile.rows(Offer)[0].capacity == 1.2


def test_a_csv_file_that_shows_no_point(tmp_path: Path) -> None:
    """A program that writes 1.2 writes no zero behind it; of 1.234 nothing tells, unless a number
    elsewhere in the table does.
    """
    tables = _demand({"quantity": "1.234"}, {"quantity": "2.345"}, {"quantity": 7})
    (line,) = warnings(book(tmp_path / "book", tables))
    said = "demand!D2: quantity '1.234' is read as 1.234 and not as 1234, and so on in 1 row more"
    assert line == f"{said}; no other number of this file shows whether its point is decimal"
    tables["demand"][2]["quantity_low"] = "0.5"
    assert warnings(book(tmp_path / "book", tables)) == []


# --- Links ----------------------------------------------------------------------------------------


def _linked(path: Path, formula: str, value: float | str = 0) -> Path:
    with xlsxwriter.Workbook(path) as workbook:
        for name, rows in {
            "settings": {"name": "value", "start": "2027-01-01", "periods": 12},
            "materials": {"material": "shortage_cost"},
        }.items():
            sheet = workbook.add_worksheet(name)
            for line, row in enumerate(rows.items()):
                sheet.write_row(line, 0, row)
        sheet.write_string("A2", "gallium")
        sheet.write_formula("B2", formula, None, value)
        workbook.define_name("rate", "=settings!$B$3")
    return path


@pytest.mark.parametrize(
    "formula",
    [
        "=[2]costs!A1",
        "='C:\\[costs.xlsx]one'!A1*2",
        "=settings!B9",
        "=1*rate",
        "=SUM(Costs[gallium])",
    ],
)
def test_a_stale_link_is_0(formula: str, tmp_path: Path) -> None:
    said = (
        "shortage_cost is 0 by a formula that reads another sheet or workbook, as it is where"
        " nothing is found there"
    )
    assert warnings(_linked(tmp_path / "book.xlsx", formula)) == [
        f"materials!B2: {said}; update its links and save the workbook, or write the value"
    ]


@pytest.mark.parametrize(("formula", "value"), [("=settings!B9", 3), ("=0*C2", 0), ("=1-1", 0)])
def test_a_formula_that_is_no_stale_link(formula: str, value: float, tmp_path: Path) -> None:
    assert warnings(_linked(tmp_path / "book.xlsx", formula, value)) == []


TEXT = '<c t="inlineStr"><is><t>{}</t></is></c>'


def _raw(path: Path, *rows: str, columns: str = "") -> Path:
    """A workbook whose settings end with these rows of XML."""
    given = [("name", "value"), ("start", "2027-01-01"), ("periods", "12")]
    texts = "".join(f"<row>{TEXT.format(name)}{TEXT.format(value)}</row>" for name, value in given)
    relation = (
        f'<Relationship Id="m" Type="{OFFICE}/worksheet"'
        ' Target="worksheets/two.xml"/></Relationships>'
    )
    parts = {
        "xl/_rels/workbook.xml.rels": (
            PARTS["xl/_rels/workbook.xml.rels"].replace("</Relationships>", relation)
        ),
        "xl/worksheets/two.xml": data(
            f"<row>{TEXT.format('material')}</row><row>{TEXT.format('gallium')}</row>"
        ),
    }
    sheets = PARTS["xl/workbook.xml"].replace(
        "</sheets>", '<sheet name="materials" sheetId="2" r:id="m"/></sheets>'
    )
    sheet = data(texts + "".join(rows)).replace("<sheetData>", f"<cols>{columns}</cols><sheetData>")
    return package(path, parts, book=sheets, sheet=sheet)


def test_formulas_that_share_a_stale_link(tmp_path: Path) -> None:
    """A shared formula, and an array that fills cells without a formula of their own, say once what
    they read.
    """
    formulas = {
        "discount_rate": '<f t="shared" ref="B4:B5" si="0">other!A1</f>',
        "seed": '<f t="shared" si="0"/>',
        "mip_gap": '<f t="array" ref="B6:B7">other!A1:A2</f>',
        "threads": "",
        "firm_periods": "",
    }
    rows = [
        f"<row>{TEXT.format(name)}<c>{formula}<v>0</v></c></row>"
        for name, formula in formulas.items()
    ]
    (line,) = warnings(_raw(tmp_path / "book.xlsx", *rows))
    assert line.startswith(
        "settings!B4: value is 0 in rows 4 to 7 by a formula that reads another sheet or workbook"
    )


def test_rows_and_columns_of_no_size_are_hidden(tmp_path: Path) -> None:
    row = f'<row ht="0" customHeight="1">{TEXT.format("seed")}<c><v>2</v></c></row>'
    path = _raw(
        tmp_path / "book.xlsx",
        row,
        columns=(
            '<col min="2" max="3" width="0" customWidth="1"/><col min="1" max="1" width="0.5"/>'
        ),
    )
    assert warnings(path) == [
        "settings!B1: column B (value) is hidden, and read: show what counts, or remove it",
        "settings!A4: row 4 is hidden, and read: show what counts, or remove it",
    ]


def test_nothing_is_odd_about_a_plain_book(tmp_path: Path) -> None:
    assert warnings(book(tmp_path / "book.xlsx", SOUND)) == []
    assert warnings(book(tmp_path / "book", TABLES)) == []
