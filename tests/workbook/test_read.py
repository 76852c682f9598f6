"""The reading rules of the workbook: what counts as what, and one line for each fault, with its
cell.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.cells import UNCACHED
from optimiser.workbook.read.input_reader import Reading, read
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.targets import Target
from stockpile_model.changes import parse
from stockpile_model.funds import Fund
from stockpile_model.tables import Material, Price, Supplier
from tests.support.books import book
from tests.support.sound import SOUND, START, Tables, faults

Lines = Callable[[Tables], list[str]]


@pytest.fixture
def tables() -> Tables:
    return copy.deepcopy(SOUND)


@pytest.fixture(params=["book.xlsx", "book"], ids=["xlsx", "csv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


@pytest.fixture
def lines(path: Path) -> Lines:
    """The faults of a workbook with these tables, in words."""

    def told(tables: Tables) -> list[str]:
        return faults(book(path, tables))

    return told


def _sheets(path: Path, change: Callable[[openpyxl.Workbook], None]) -> Path:
    """The base workbook after a change that plain tables cannot express."""
    workbook = openpyxl.load_workbook(book(path, SOUND))
    change(workbook)
    workbook.save(path)
    return path


# --- What is read ---------------------------------------------------------------------------------


def test_reads_every_table_into_its_rows(path: Path, tables: Tables) -> None:
    reading = read(book(path, tables))
    stockpile = reading.stockpile
    assert reading.warnings == ()
    assert (stockpile.settings.title, stockpile.settings.start, stockpile.settings.periods) == (
        "Test",
        START,
        12,
    )
    spot, indexed = stockpile.rows(Offer)
    assert (spot.offer, spot.supplier, spot.price, spot.lot_size, spot.line) == (
        "spot",
        "Trader",
        300.0,
        50.0,
        2,
    )
    assert (indexed.price, indexed.price_index, indexed.premium, indexed.from_, indexed.line) == (
        None,
        "Rotterdam",
        0.1,
        START,
        3,
    )
    assert stockpile.rows(Price)[1].values == {"Rotterdam": 500.0}
    assert stockpile.rows(Fund)[0].uses == ("purchase", "storage")
    assert [fund.materials for fund in stockpile.rows(Fund)] == [()]
    assert not stockpile.given(Target)


def test_a_folder_and_a_workbook_mean_the_same(tmp_path: Path, tables: Tables) -> None:
    workbook, folder = (
        read(book(tmp_path / name, tables)).stockpile for name in ("book.xlsx", "book")
    )
    assert workbook.tables == folder.tables
    assert workbook.settings == folder.settings
    assert workbook.header == folder.header


def test_the_file_is_left_as_it_was(path: Path, tables: Tables) -> None:
    files = [each for each in [book(path, tables), *path.parent.rglob("*")] if each.is_file()]
    before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in files}
    read(path)
    assert {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in files} == before
    assert {each for each in path.parent.rglob("*") if each.is_file()} == set(files)


def test_headers_and_sheets_match_in_readable_form(path: Path, tables: Tables) -> None:
    tables["materials"] = [
        {
            "Material": "gallium",
            "Shelf life months [months]": 12,
            " shortage_cost [USD/kg]": 900,
            "DISPOSAL  COST": 3,
        }
    ]
    tables["Demand"] = tables.pop("demand")
    tables["Opening stock"] = [{"lot": "L1", "material": "gallium", "quantity": 5, "made": START}]
    stockpile = read(book(path, tables)).stockpile
    (material,) = stockpile.rows(Material)
    assert (material.shelf_life_months, material.shortage_cost, material.disposal_cost) == (
        12,
        900,
        3,
    )
    assert len(stockpile.rows(Demand)) == 1
    assert stockpile.address("materials", 2, "shelf_life_months") == "materials!B2"


def test_settings_take_readable_names_and_their_ranges(path: Path, tables: Tables) -> None:
    tables["settings"] = [
        {"name": "start", "value": START},
        {
            "name": "Periods [periods]",
            "value": 12,
            "source": "memo",
            "source_date": dt.date(2026, 5, 4),
        },
        {
            "name": "Discount rate",
            "value": 0.05,
            "value_low": 0.02,
            "value_high": 0.07,
            "confidence": "low",
            "note": "an assumption",
        },
        {"name": "supply_stages", "value": "Operating; building"},
        {"name": "seed"},
    ]
    settings = read(book(path, tables)).stockpile.settings
    assert (settings.discount_rate, settings.ranges) == (0.05, {"discount_rate": (0.02, 0.07)})
    assert (settings.supply_stages, settings.seed) == (("operating", "building"), 1)
    about = settings.about["periods"]
    assert (about.source, about.source_date, about.line) == ("memo", "2026-05-04", 3)
    assert (settings.about["discount_rate"].confidence, settings.about["discount_rate"].note) == (
        "low",
        "an assumption",
    )
    assert read(path).stockpile.address("settings", 0, "discount_rate") == "settings!B4"


def test_sheets_that_are_not_read(path: Path, tables: Tables) -> None:
    for name in ("guide", "Notes", "LISTS", "_work", "_"):
        tables[name] = [{"anything": "=1+"}]
    assert read(book(path, tables)).stockpile.rows(Offer)


def test_every_table_carries_its_source(path: Path, tables: Tables) -> None:
    tables["demand"][0] |= {
        "Source": " memo 7 ",
        "source_date": dt.date(2026, 3, 1),
        "confidence": "low",
        "note": 5,
    }
    (row,) = read(book(path, tables)).stockpile.rows(Demand)
    assert (row.source, row.source_date, row.confidence, row.note) == (
        "memo 7",
        "2026-03-01",
        "low",
        "5",
    )


def test_a_range_may_stand_next_to_a_number(path: Path, tables: Tables) -> None:
    tables["offers"][0] |= {"price_low": 250, "price_high": 380, "Lead time months low": 1}
    tables["offers"][1] |= {"price_low": 100}
    spot, indexed = read(book(path, tables)).stockpile.rows(Offer)
    assert spot.ranges == {"price": (250.0, 380.0), "lead_time_months": (1.0, None)}
    assert indexed.ranges == {"price": (100.0, None)}
    assert indexed.price is None


def test_an_index_may_have_a_range_and_gaps(path: Path, tables: Tables) -> None:
    tables["prices"] = [
        {"date": START, "Rotterdam [USD/kg]": 400, "Rotterdam low": 350, "China domestic": None},
        {
            "date": dt.date(2027, 6, 1),
            "Rotterdam [USD/kg]": None,
            "Rotterdam low": None,
            "China domestic": 200,
        },
    ]
    tables["offers"][1]["price_index"] = " china_domestic"
    stockpile = read(book(path, tables)).stockpile
    first, second = stockpile.rows(Price)
    assert (first.values, first.ranges) == ({"Rotterdam": 400.0}, {"Rotterdam": (350.0, None)})
    assert second.values == {"China domestic": 200.0}
    assert stockpile.rows(Offer)[1].price_index == "China domestic"


def test_blank_cells_mean_the_default(path: Path, tables: Tables) -> None:
    tables["offers"][0] |= {"availability": "  ", "payment": None, "freight": ""}
    offer = read(book(path, tables)).stockpile.rows(Offer)[0]
    assert (offer.availability, offer.payment, offer.freight) == (1.0, "delivery", 0.0)


def test_blank_rows_do_not_shift_row_numbers(path: Path, tables: Tables) -> None:
    tables["offers"] = [
        {},
        tables["offers"][0],
        {"offer": " ", "price": "  "},
        {},
        tables["offers"][1] | {"lot_size": -50},
    ]
    tables["offers"][0] = dict.fromkeys(tables["offers"][1])
    assert faults(book(path, tables)) == ["offers!E6: lot_size must be above 0, found -50"]


def test_text_is_trimmed_and_keys_match_in_any_case(path: Path, tables: Tables) -> None:
    tables["offers"][0] |= {
        "offer": "  spot ",
        "supplier": "TRADER",
        "material": " Gallium ",
        "payment": "ORDER",
    }
    tables["suppliers"][0]["stage"] = "Building"
    tables["funds"][0] |= {"materials": "GALLIUM", "uses": "Purchase;STORAGE"}
    stockpile = read(book(path, tables)).stockpile
    offer = stockpile.rows(Offer)[0]
    assert (offer.offer, offer.supplier, offer.material, offer.payment) == (
        "spot",
        "Trader",
        "gallium",
        "order",
    )
    assert stockpile.rows(Supplier)[0].stage == "building"
    assert (stockpile.rows(Fund)[0].materials, stockpile.rows(Fund)[0].uses) == (
        ("gallium",),
        ("purchase", "storage"),
    )


def test_codes_stay_text(tmp_path: Path, tables: Tables) -> None:
    def codes(workbook: openpyxl.Workbook) -> None:
        cells = workbook["suppliers"]
        cells["B2"] = "NA"
        cells["A3"], cells["A3"].number_format = 1, "000"
        workbook["offers"]["B2"] = "001"
        cells["B3"] = 12.0
        workbook["demand"]["E1"], workbook["demand"]["E2"] = "buyer", True

    stockpile = read(_sheets(tmp_path / "book.xlsx", codes)).stockpile
    assert [(row.supplier, row.country) for row in stockpile.rows(Supplier)] == [
        ("Metlen", "NA"),
        ("001", "12"),
    ]
    assert stockpile.rows(Offer)[0].supplier == "001"
    assert stockpile.rows(Demand)[0].buyer == "TRUE"


def test_numbers_and_dates_in_other_clothes(tmp_path: Path, tables: Tables) -> None:
    tables["settings"]["periods"] = "12.0"
    tables["offers"][0] |= {"price": " 3e2 ", "capacity": "+500.", "availability": ".5"}
    tables["offers"][1]["from"] = "2027-02-01T00:00:00"
    tables["targets"] = [
        {
            "material": "gallium",
            "from": dt.datetime(2027, month, 1, 13, 30) if month < 6 else f"2027-{month:02}-01",
            "quantity": 1,
            "hard": hard,
        }
        for month, hard in enumerate((True, "YES", 1, "true", "1", False, "no", 0, "FALSE", "0"), 1)
    ]
    stockpile = read(book(tmp_path / "book.xlsx", tables)).stockpile
    offers = stockpile.rows(Offer)
    assert (
        stockpile.settings.periods,
        offers[0].price,
        offers[0].capacity,
        offers[0].availability,
    ) == (12, 300.0, 500.0, 0.5)
    assert offers[1].from_ == dt.date(2027, 2, 1)
    assert [row.hard for row in stockpile.rows(Target)] == [True] * 5 + [False] * 5
    assert [row.from_ for row in stockpile.rows(Target)] == [
        dt.date(2027, month, 1) for month in range(1, 11)
    ]


def test_composite_keys_are_unique_together(path: Path, tables: Tables) -> None:
    tables["contracts"] = [
        {"contract": name, "supplier": "Metlen", "material": "gallium"} for name in ("A", "B")
    ]
    tables["floors"] = [
        {"contract": name, "level": level, "floor": 1, "annual_quantity": 1}
        for name in "ab"
        for level in ("low", "high")
    ]
    stockpile = read(book(path, tables)).stockpile
    assert [row.contract for row in stockpile.rows(Floor)] == ["A", "A", "B", "B"]
    assert len(stockpile.rows(Contract)) == 2
    tables["floors"][3]["level"] = "LOW"
    assert faults(book(path, tables)) == [
        "floors!B5: level 'LOW' of contract 'b' stands in B4 already, as 'low'; rename or remove"
        " one of the two"
    ]


def test_hidden_rows_columns_and_sheets_are_read(tmp_path: Path) -> None:
    def hide(workbook: openpyxl.Workbook) -> None:
        workbook["demand"].sheet_state = "veryHidden"
        workbook["offers"].row_dimensions[2].hidden = True
        workbook["offers"].column_dimensions["D"].hidden = True

    stockpile = read(_sheets(tmp_path / "book.xlsx", hide)).stockpile
    assert (len(stockpile.rows(Demand)), stockpile.rows(Offer)[0].price) == (1, 300.0)


def test_a_table_may_stand_there_without_rows(path: Path, tables: Tables) -> None:
    tables["studies"] = [{"study": None, "kind": None}]
    assert read(book(path, tables)).stockpile.rows(Offer)


def test_warnings_do_not_stop_the_reading(path: Path, tables: Tables) -> None:
    tables["suppliers"][0]["start"] = dt.date(2030, 1, 1)
    reading = read(book(path, tables))
    assert isinstance(reading, Reading)
    assert "suppliers!D2" in [fault.where for fault in reading.warnings]
    assert all(fault.warning for fault in reading.warnings)


# --- Several faults -------------------------------------------------------------------------------


def test_a_missing_sheet_is_reported_once_for_each_column_that_refers_to_it(
    tmp_path: Path, tables: Tables
) -> None:
    del tables["suppliers"], tables["materials"]
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "offers!B2: supplier 'Trader' has no row: the sheet suppliers is missing; add it",
        "offers!C2: material 'gallium' has no row: the sheet materials is missing; add it",
        "demand!A2: material 'gallium' has no row: the sheet materials is missing; add it",
    ]


def test_all_faults_at_once_in_the_order_of_the_cells(tmp_path: Path, tables: Tables) -> None:
    tables["settings"] |= {"discount_rate": "5%", "mip_gap": -1}
    tables["offers"][0] |= {"price": "1,200", "lot_size": 0, "lead_time_months": 1.5}
    tables["offers"][1] |= {"supplier": "Metlin", "premium": "x"}
    tables["demand"].append({"material": "gallium", "from": dt.date(2028, 2, 1), "quantity": 5})
    tables["budgets"][0]["expires"] = dt.date(2020, 1, 1)
    tables["studies"] = [{"study": "prices", "kind": "tornadoes"}]
    assert [line.split(" ")[0] for line in faults(book(tmp_path / "book.xlsx", tables))] == [
        "settings!B5:",
        "settings!B6:",
        "offers!D2:",
        "offers!E2:",
        "offers!B3:",
        "offers!I3:",
        "demand!B3:",
        "budgets!D2:",
        "studies!B2:",
    ]


def test_a_copy_of_a_sheet_hides_nothing(tmp_path: Path, tables: Tables) -> None:
    tables["offers (2)"] = tables["offers"]
    tables["offers"][0]["lead_time_months"] = 1.5
    assert [line.split(" ")[0] for line in faults(book(tmp_path / "book.xlsx", tables))] == [
        "offers!G2:",
        "offers",
    ]


def test_more_faults_than_anyone_reads_are_counted(tmp_path: Path, tables: Tables) -> None:
    tables["demand"] = [{"material": "gallium", "from": START, "quantity": -1}] * 1005
    told = faults(book(tmp_path / "book", tables))
    assert len(told) == 1001
    assert told[0] == "demand: has 5 faults more"
    assert told[-1] == "demand!C1001: quantity must be at least 0, found -1"


def test_a_wide_mistake_is_reported_in_bounded_time(tmp_path: Path, tables: Tables) -> None:
    tables["suppliers"] = [{"supplier": f"plant {number}"} for number in range(2_000)]
    tables["offers"] = [
        {"offer": f"{number}", "supplier": f"plnt {number}", "material": "gallium", "price": 1}
        for number in range(2_000)
    ]
    assert faults(book(tmp_path / "book", tables))[1].startswith(
        "offers!B2: supplier 'plnt 0' has no row in the sheet suppliers; the nearest there"
    )


# --- What only a spreadsheet can hold -------------------------------------------------------------


def test_error_cells_are_named(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        settings = workbook.add_worksheet("settings")
        settings.write_column(0, 0, ["name", "start", "periods", "title"])
        settings.write_column(0, 1, ["value", "2027-01-01", 12])
        settings.write_formula("B4", "=NA()", None, "#N/A")
        materials = workbook.add_worksheet("materials")
        materials.write_row(0, 0, ["material", "shelf_life_months", "source"])
        materials.write_row(1, 0, ["gallium"])
        materials.write_formula("B2", "=1/0", None, "#DIV/0!")
        materials.write_formula("C2", "=gone", None, "#REF!")
    assert faults(path) == [
        "settings!B4: title is the error #N/A; correct its formula or write the value",
        "materials!B2: shelf_life_months is the error #DIV/0!; correct its formula or write the value",
        "materials!C2: source is the error #REF!; correct its formula or write the value",
    ]


def test_error_texts_of_a_csv_are_named(tmp_path: Path, tables: Tables) -> None:
    tables["offers"][0]["price"] = "#N/A"
    assert faults(book(tmp_path / "book", tables)) == [
        "offers!D2: price is the error #N/A; correct its formula or write the value"
    ]


def test_formulas_count_by_their_cached_values(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        settings = workbook.add_worksheet("settings")
        settings.write_column(0, 0, ["name", "start", "periods", "title"])
        settings.write_column(0, 1, ["value", "2027-01-01"])
        settings.write_formula("B3", "=3*4", None, 12)
        settings.write_formula("B4", '="a"&"b"', None, "ab")
        materials = workbook.add_worksheet("materials")
        materials.write_column(0, 0, ["material", "gallium"])
    settings_read = read(path).stockpile.settings
    assert (settings_read.periods, settings_read.title) == (12, "ab")


def test_formulas_without_a_cached_value_are_named(tmp_path: Path) -> None:
    def formulas(workbook: openpyxl.Workbook) -> None:
        workbook["settings"]["B4"] = "=3*4"
        workbook["offers"]["D2"] = "=250+50"

    path = _sheets(tmp_path / "book.xlsx", formulas)
    assert faults(path) == [
        f"settings!B4: periods {UNCACHED.message}",
        f"offers!D2: price {UNCACHED.message}",
    ]
    assert "open the workbook in a spreadsheet program and save it once" in UNCACHED.message


def test_merged_cells_are_refused_where_they_hide_a_table(tmp_path: Path) -> None:
    def merge(workbook: openpyxl.Workbook) -> None:
        workbook["suppliers"].merge_cells("B2:B3")
        workbook["offers"].merge_cells("F1:G1")
        workbook["demand"].merge_cells("A30:C31")

    assert faults(_sheets(tmp_path / "book.xlsx", merge)) == [
        (
            "suppliers!B2: the merged cells B2:B3 hold one value for several cells; unmerge them"
            " and fill each"
        ),
        (
            "offers!F1: the merged cells F1:G1 hold one value for several cells; unmerge them and"
            " fill each"
        ),
    ]


def test_values_next_to_the_table_are_not_passed_over(tmp_path: Path) -> None:
    def stray(workbook: openpyxl.Workbook) -> None:
        workbook["demand"]["F2"] = "an afterthought"
        workbook["demand"]["F3"] = "and another"

    expected = (
        "demand!F1: has no name for this column, which holds a value in row 2; name it or clear it"
    )
    assert faults(_sheets(tmp_path / "book.xlsx", stray)) == [expected]


def test_dates_and_times_are_no_numbers(tmp_path: Path, tables: Tables) -> None:
    tables["offers"][0]["price"] = dt.date(2027, 2, 1)
    tables["offers"][1]["from"] = 46_000
    tables["funds"][0]["keeps_receipts"] = dt.date(2027, 2, 1)
    assert faults(book(tmp_path / "book.xlsx", tables)) == [
        "offers!D2: price must be a number, found the date 2027-02-01; format the cell as a number",
        (
            "offers!I3: from must be a date, found 46000; as the number of a day that is"
            " 2025-12-09: format the cell as a date"
        ),
        "funds!C2: keeps_receipts must be yes or no, found '2027-02-01'",
    ]


def test_a_sheet_given_twice(tmp_path: Path, tables: Tables) -> None:
    tables["Offers "] = tables["offers"]
    assert faults(book(tmp_path / "book", tables)) == [
        "offers: this sheet stands twice, the second time as 'offers'; remove one of the two"
    ]


# --- Changes --------------------------------------------------------------------------------------


def test_changes_are_made_before_rows_are_judged_together(path: Path, tables: Tables) -> None:
    book(path, tables)
    assert (
        read(path, [parse("offers[spot].price scale 0.5")]).stockpile.rows(Offer)[0].price == 150.0
    )
    with pytest.raises(InputError) as caught:
        read(
            path,
            [parse("offers[spot].lead_time_months set 1.5"), parse("offers[sopt].price add 1")],
        )
    assert caught.value.faults == (
        Fault(
            "offers!A2",
            "lead_time_months must be a whole number of periods of 1 month, found 1.5 months; write"
            " 1 or 2",
        ),
        Fault(
            "--set 'offers[sopt].price add 1'", "offers has no row 'sopt' (did you mean 'spot'?)"
        ),
    )


def test_rules_are_read(path: Path, tables: Tables) -> None:
    tables["rules"] = [
        {"rule": "half", "of": "Bloc", "measure": "share", "window": "horizon", "most": 0.5}
    ]
    assert read(book(path, tables)).stockpile.rows(Rule)[0].of == "bloc"


def test_a_buyer_is_one_in_any_case(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["sites"] = [{"site": "vault", "buyer": "Navy"}]
    tables["demand"][0]["buyer"] = "NAVY"
    stockpile = read(book(tmp_path / "book.xlsx", tables)).stockpile
    assert {stockpile.sites["vault"].buyer, *(row.buyer for row in stockpile.rows(Demand))} in (
        {"Navy"},
        {"NAVY"},
    )


def test_a_price_is_not_negative(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["prices"][1]["Rotterdam"] = -500
    with pytest.raises(InputError, match=r"^prices!B3: Rotterdam must be at least 0, found -500$"):
        read(book(tmp_path / "book.xlsx", tables))
