"""What a title says in brackets against the unit in which its column is read."""

from __future__ import annotations

import copy
from pathlib import Path

import openpyxl
import pytest

from optimiser.figures.column_units import unit_of
from optimiser.scenarios.sampling import uncertainty as uncertain
from optimiser.studies.study_sheet import study_table as studies
from optimiser.workbook.read.drafts import Bracket, Drafts, Observations
from optimiser.workbook.read.headed_sheet import Faults
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.read.named_units import WorkbookUnits
from optimiser.workbook.read.title_units import judge
from optimiser.workbook.template.template_book import MATERIALS, write_template
from stockpile_model.block import tables as block_tables
from stockpile_model.schema import Column, columns
from tests.support.books import book
from tests.support.sound import SOUND, faults

PRICE, CAPACITY, STOCK, MONEY, LIFE, SHARE, RATE = (
    "money/quantity",
    "quantity/period",
    "quantity",
    "money",
    "months",
    "1",
    "1/year",
)
HOLDING, LIMIT, YEARLY = "money/quantity/month", "1, quantity, money or members", "quantity/year"


def judged(
    said: str,
    unit: str,
    quantity: str = "kg",
    currency: str = "USD",
    months: int = 1,
    largest: float = 0.0,
    name: str = "x",
) -> str:
    """What is wrong with a title; empty where nothing is."""
    column = Column(name=name, field=name, kind="number", meaning="", unit=unit)
    table = Drafts(
        type(None),
        Faults("t"),
        seen=Observations(whole={name: (2, largest)} if largest >= 1 else {}),
    )  # type: ignore[arg-type]
    table.units[name] = Bracket(said, column, 1, 1)
    judge(
        table,
        WorkbookUnits.of(
            {"quantity_unit": quantity, "currency": currency, "period_months": months}
        ),
    )
    return "".join(fault.message for fault in table.faults)


WRONG: list[tuple[str, str]] = [
    *[
        (said, PRICE)
        for said in (
            "USD/t",
            "$/lb",
            "US$ per tonne",
            "EUR/kg",
            "\u20ac/kg",
            "GBP/kg",
            "CNY/kg",
            "RMB/t",
            "\u00a5/kg",
            "usd/mt",
        )
    ],
    *[
        (said, PRICE)
        for said in (
            "kUSD/kg",
            "USD million/t",
            "c/lb",
            "US cents/lb",
            "USD/100 kg",
            "USD/1,000 kg",
            "USD/g",
            "USD/ozt",
            "kg",
        )
    ],
    *[
        (said, PRICE)
        for said in (
            "USD/kg/month",
            "EUR",
            "A$/kg",
            "eur/kg, real",
            "real 2026 EUR/kg",
            "USD kg-1 month-1",
            "USD/metric ton",
            "USD/mtu",
        )
    ],
    *[
        (said, PRICE)
        for said in (
            "\u20ac/\u338f",
            "USD/\uff54",
            "USD\u00b7t\u207b\u00b9",
            "pounds/kg",
            "USDk/kg",
            "m$/t",
            "%",
            "EUR / kg (CIF)",
            "MEUR/t",
        )
    ],
    *[
        (said, CAPACITY)
        for said in (
            "t",
            "t/month",
            "kg/year",
            "kg per year",
            "kg p.a.",
            "kg/a",
            "annual kg",
            "kg/week",
            "lb",
            "kg/quarter",
            "kt/a",
        )
    ],
    *[
        (said, CAPACITY)
        for said in (
            "1000 kg",
            "'000 kg",
            "thousand kg",
            "10^3 kg",
            "10\u00b3 kg",
            "k",
            "USD",
            "months",
            "m3",
            "pieces",
            "kg a year",
            "Mt",
        )
    ],
    *[
        (said, STOCK)
        for said in (
            "t",
            "kg/month",
            "tonnes",
            "lbs",
            "%",
            "g",
            "short tons",
            "troy ounces",
            "litres",
            "drums",
            "in thousands",
        )
    ],
    *[
        (said, MONEY)
        for said in (
            "kUSD",
            "k USD",
            "USD k",
            "USD thousand",
            "thousands",
            "USD million",
            "m USD",
            "MUSD",
            "$m",
            "USDm",
            "mln USD",
        )
    ],
    *[
        (said, MONEY)
        for said in (
            "EUR",
            "1000 USD",
            "'000 USD",
            "USD bn",
            "USD/kg",
            "USD per year",
            "USD/FY",
            "m",
            "Mio. EUR",
            "CHF",
            "dollars/t",
        )
    ],
    *[
        (said, LIFE)
        for said in ("days", "d", "weeks", "years", "y", "quarters", "kg", "hours", "6 months")
    ],
    *[(said, SHARE) for said in ("bp", "basis points", "\u2030", "kg", "USD/kg", "ppm")],
    *[(said, RATE) for said in ("% per month", "per quarter")],
    *[
        (said, HOLDING)
        for said in (
            "USD/kg/year",
            "USD/t/month",
            "USD per kg and year",
            "USD/(kg\u00b7year)",
            "EUR/kg/month",
            "USD/kg yearly",
        )
    ],
    *[(said, "years") for said in ("months", "days")],
    *[(said, "s") for said in ("min", "hours", "minutes")],
    *[(said, YEARLY) for said in ("kg/month", "t/year", "kg per month")],
    ("t", LIMIT),
    ("EUR", LIMIT),
]
RIGHT: list[tuple[str, str]] = [
    *[
        (said, PRICE)
        for said in (
            "USD/kg",
            "$/kg",
            "US$ per kilogram",
            "usd/KG",
            "USD",
            "per kg",
            "USD/kg, real 2026",
            "2026 USD/kg",
            "/kg",
            "USD kg-1",
        )
    ],
    *[
        (said, PRICE)
        for said in (
            "assumption",
            "CIF Rotterdam",
            "real terms",
            "see note",
            "USD/kg, monthly average",
            "USD/kg at month end",
            "USD/kg (99.99 %)",
        )
    ],
    *[
        (said, PRICE)
        for said in (
            "all in",
            "top price",
            "USD/kg Ga",
            "USD per kg contained",
            "dollars per kilo",
            "USD/\u338f",
            "USD\u00b7kg\u207b\u00b9",
            "",
        )
    ],
    *[
        (said, CAPACITY)
        for said in (
            "kg",
            "kg/month",
            "kg per month",
            "kg a month",
            "kg monthly",
            "kg/period",
            "per period",
            "kg, 99.99 %",
            "kg Ga",
            "kgs",
        )
    ],
    *[
        (said, STOCK)
        for said in (
            "kg",
            "KG",
            "kilograms",
            "in-spec kg",
            "unit",
            "kg (dry)",
            "quantity",
            "kg, month end",
        )
    ],
    *[
        (said, MONEY)
        for said in ("USD", "US$", "$", "USD 2026", "real USD", "USD [2026]", "nominal")
    ],
    *[
        (said, LIFE)
        for said in (
            "months",
            "month",
            "mo",
            "m",
            "months from signing",
            "periods",
            "months (1-12)",
        )
    ],
    *[(said, SHARE) for said in ("%", "share", "fraction", "% of index", "1", "per cent", "")],
    *[(said, RATE) for said in ("%/year", "% p.a.", "per year", "per annum", "%")],
    *[
        (said, HOLDING)
        for said in (
            "USD/kg/month",
            "USD per kg and month",
            "USD/(kg\u00b7month)",
            "USD/kg",
            "USD/kg monthly",
        )
    ],
    *[(said, "years") for said in ("years", "yr", "a")],
    *[(said, "s") for said in ("s", "sec", "seconds")],
    *[(said, LIMIT) for said in ("kg", "USD", "%", "members", "kg or USD")],
]


@pytest.mark.parametrize(("said", "unit"), WRONG)
def test_titles_that_name_another_unit(said: str, unit: str) -> None:
    assert f"its title says [{said}]" in judged(said, unit)


@pytest.mark.parametrize(("said", "unit"), RIGHT)
def test_titles_that_name_the_unit_or_none(said: str, unit: str) -> None:
    assert judged(said, unit) == ""


def test_the_units_of_the_book_count() -> None:
    for said in ("USD/t", "USD/tonne", "$/mt", "USD/metric ton", "USD/1000 kg", "USD per 1 000 kg"):
        assert judged(said, PRICE, quantity="t") == ""
    assert judged("USD/kg", PRICE, quantity="t")
    assert judged("USD", MONEY, currency="EUR")
    for said in ("m USD", "USD million", "MUSD", "USDm", "USD mn", "1000000 USD", "10^6 USD"):
        assert judged(said, MONEY, currency="m USD") == ""
    assert judged("USD", MONEY, currency="m USD")
    assert judged("k USD", MONEY, currency="m USD")
    for dollars in ("CAD", "AUD", "US$"):
        assert judged("$/kg", PRICE, currency=dollars) == ""
    assert judged("US$/kg", PRICE, currency="CAD")
    assert (
        judged("flasks", STOCK, quantity="flasks")
        == judged("credits/drum", PRICE, quantity="drum", currency="credits")
        == ""
    )
    assert judged("kg", STOCK, quantity="ingots")
    assert judged("USD", MONEY, currency="credits")
    assert judged("kg/month", CAPACITY, months=3)
    assert (
        judged("kg/quarter", CAPACITY, months=3) == judged("kg/3 months", CAPACITY, months=3) == ""
    )
    assert judged("USD/EUR", PRICE, name="EUR") == ""
    assert judged("USD/EUR", PRICE, name="Rotterdam")


def test_per_cent_over_large_values() -> None:
    assert (
        judged("%", SHARE, largest=2.5)
        == "x is read as a fraction (0.25 is 25 %), and its title says [%] over 2.5 in row 2; write"
        " 0.025 for 2.5 %"
    )
    assert judged("", SHARE, largest=2.5) == ""


@pytest.mark.parametrize("quantity", ["kg", "t", "kg Ga", "1000 t", "flask", "m", "lb (dry)"])
@pytest.mark.parametrize(
    "currency", ["USD", "EUR", "k USD", "USD [2026]", "$", "m \u20ac", "credits", "USD/EUR"]
)
def test_titles_as_the_program_writes_them_pass(quantity: str, currency: str) -> None:
    for kind in (*block_tables(), *uncertain.TABLES, *studies.TABLES):
        for column in columns(kind):
            for months in (1, 3):
                assert (
                    judged(
                        unit_of(column.unit, quantity, currency),
                        column.unit,
                        quantity,
                        currency,
                        months,
                    )
                    == ""
                )


@pytest.mark.parametrize("material", MATERIALS)
def test_nothing_is_odd_about_a_template(material: str, tmp_path: Path) -> None:
    write_template(tmp_path / "book.xlsx", material)
    told = "hidden", "repeats", "sum of other", "free of charge", "another sheet"
    assert [
        fault
        for fault in read(tmp_path / "book.xlsx").warnings
        if any(word in fault.message for word in told)
    ] == []


@pytest.mark.parametrize("name", ["book.xlsx", "book"], ids=["xlsx", "csv"])
def test_all_titles_are_reported_with_their_cells(name: str, tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["settings"] |= {"quantity_unit": "t", "Time limit seconds [min]": 5}
    tables["materials"][0]["shelf_life_months [days]"] = (
        tables["materials"][0].pop("shelf_life_months") * 30
    )
    tables["offers"][0] |= {"Price low [kUSD/t]": 1, "duty [%]": 2}
    tables["prices"] = [
        {"date": row["date"], "Rotterdam [USD/kg]": row["Rotterdam"]} for row in tables["prices"]
    ]
    change = ", or change {} in the settings"
    assert sorted(faults(book(tmp_path / name, tables)), key=lambda line: line[:2] != "se") == [
        (
            "settings!A6: time_limit_seconds is read in s, and its title says [min]; convert its"
            " values and write [s]"
        ),
        (
            "materials!C1: shelf_life_months is read in months, and its title says [days]; convert"
            " its values and write [months]"
        ),
        "offers!G1: price_low is read in USD/t, and its title says [kUSD/t]; convert its values and"
        " write [USD/t]" + change.format("currency"),
        (
            "offers!H1: duty is read as a fraction (0.25 is 25 %), and its title says [%] over 2 in"
            " row 2; write 0.02 for 2 %"
        ),
        "prices!B1: Rotterdam is read in USD/t, and its title says [USD/kg]; convert its values and"
        " write [USD/t]" + change.format("quantity_unit"),
    ]


def test_a_cell_that_shows_per_cent_is_a_fraction(tmp_path: Path) -> None:
    tables = copy.deepcopy(SOUND)
    tables["offers"][0]["availability [%]"] = 1
    path = book(tmp_path / "book.xlsx", tables)
    assert faults(path)[0].startswith("offers!G1: availability is read as a fraction")
    workbook = openpyxl.load_workbook(path)
    workbook["offers"]["G2"].number_format = "0.0 %"
    workbook.save(path)
    assert read(path).warnings == ()
