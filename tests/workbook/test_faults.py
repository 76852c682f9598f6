"""Single faults as officers make them: each gives one line, with its cell and the way to correct
it, from a workbook and from a folder of CSV files alike.
"""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from optimiser.workbook.read.input_reader import read
from tests.support.books import book
from tests.support.sound import SOUND, START, Tables, faults

SALE = {"outlet": "buyer", "material": "gallium", "form": "sale", "price": 1}
OFFTAKE: dict[str, Any] = {
    "contracts": [
        {
            "contract": "offtake",
            "supplier": "Metlen",
            "material": "gallium",
            "price_index": "Rotterdam",
        }
    ],
    "floors": [{"contract": "offtake", "level": "low", "floor": 300, "annual_quantity": 1200}],
}


def _offtake(tables: Tables, **cells: object) -> None:
    tables.update(copy.deepcopy(OFFTAKE))
    tables["contracts"][0].update(cells)


def _breaks(tables: Tables, *rows: dict[str, object]) -> None:
    tables["price_breaks"] = [{"offer": "spot", **row} for row in rows]


def _project(tables: Tables, **cells: object) -> None:
    """The offer `spot` waits for a plant that a grant would build."""
    tables["projects"] = [{"project": "plant", "supplier": "Trader", "cost": 100, **cells}]
    tables["offers"][0]["project"] = "plant"
    tables["funds"][0]["uses"] = "purchase, storage, project"


def _war(tables: Tables, **cells: object) -> None:
    """In a war that is known in March the offer `spot` costs twice as much."""
    tables["scenarios"] = [
        {"scenario": "war", "probability": 0.25, "revealed": dt.date(2027, 3, 1)}
    ]
    event = {
        "scenario": "war",
        "table": "offers",
        "row": "spot",
        "column": "price",
        "how": "scale",
        "value": 2,
    }
    tables["events"] = [{**event, **cells}]


SINGLE: dict[str, tuple[Callable[[Tables], object], str]] = {
    "an event of no scenario": (
        lambda t: _war(t, scenario="wra"),
        "events!A2: 'wra' has no row in the sheet scenarios (did you mean 'war'?)",
    ),
    "an event on a table that nothing changes": (
        lambda t: _war(t, table="settings", row="periods", column="value"),
        "events!B2: no scenario can change settings",
    ),
    "an event on a row that is not there": (
        lambda t: _war(t, row="sopt"),
        "events!C2: offers has no row 'sopt' (did you mean 'spot'?)",
    ),
    "an event on text": (
        lambda t: _war(t, column="material", how="set", value="gallium"),
        "events!D2: no scenario can change offers.material: an event changes numbers and dates",
    ),
    "an event that a cell cannot hold": (
        lambda t: _war(t, value=-2),
        "events!F2: cannot be: offers!D2: price must be at least 0, found -600",
    ),
    "an event that is wrong between cells": (
        lambda t: _war(t, column="lead_time_months", how="set", value=0.5),
        (
            "offers!A2: in scenario war: lead_time_months must be a whole number of periods of 1"
            " month, found 0.5 months; write 0 or 1"
        ),
    ),
    "a probability above 1": (
        lambda t: (_war(t), t["scenarios"][0].update(probability=1.2)),
        (
            "scenarios!B2: probability must be at most 1, found 1.2; shares are fractions: write"
            " 0.012 for 1.2 %"
        ),
    ),
    "probabilities beyond 1": (
        lambda t: (_war(t), t["scenarios"].append({"scenario": "glut", "probability": 0.8})),
        (
            "scenarios!B3: the probabilities sum to 1.05: they must be 1 at most, the base has the"
            " rest"
        ),
    ),
    "a scenario that is the base": (
        lambda t: (_war(t, scenario="base"), t["scenarios"][0].update(scenario="base")),
        (
            "scenarios!A2: 'base' is the scenario without events: it has what the others leave;"
            " name it otherwise"
        ),
    ),
    "below a bound": (
        lambda t: t["offers"][0].update(lot_size=-50),
        "offers!E2: lot_size must be above 0, found -50",
    ),
    "above a bound": (
        lambda t: t["offers"][0].update(availability=95),
        (
            "offers!G2: availability must be at most 1, found 95; shares are fractions: write 0.95"
            " for 95 %"
        ),
    ),
    "no number": (
        lambda t: t["offers"][0].update(price="cheap"),
        (
            "offers!D2: price must be a number, found 'cheap'; write a number such as 1200.5, or"
            " leave it blank where there is none"
        ),
    ),
    "thousands separator": (
        lambda t: t["offers"][0].update(price="1,200"),
        (
            "offers!D2: price must be a number, found '1,200'; write it with a decimal point and"
            " without thousands separators, as in 1200.5"
        ),
    ),
    "percent": (
        lambda t: t["offers"][1].update(premium="12.5 %"),
        "offers!H3: premium must be a number, found '12.5 %'; write it as the fraction 0.125",
    ),
    "unit": (
        lambda t: t["offers"][0].update(price="300 USD"),
        (
            "offers!D2: price must be a number, found '300 USD'; write the number alone, without a"
            " unit"
        ),
    ),
    "not finite": (
        lambda t: t["offers"][0].update(price="-inf"),
        (
            "offers!D2: price must be a finite number, found '-inf'; write a number such as 1200.5,"
            " or leave it blank where there is none"
        ),
    ),
    "not a number": (
        lambda t: t["offers"][0].update(price="NaN"),
        (
            "offers!D2: price must be a finite number, found 'NaN'; write a number such as 1200.5,"
            " or leave it blank where there is none"
        ),
    ),
    "too large": (
        lambda t: t["offers"][0].update(price="1e999"),
        "offers!D2: price must be a finite number, found inf; write the number that is meant",
    ),
    "beyond any quantity": (
        lambda t: t["offers"][0].update(price=2e18),
        "offers!D2: price must be at most 1e+18 in size, found 2e+18; see its unit",
    ),
    "beyond any whole number": (
        lambda t: t["settings"].update(seed=1e300),
        "settings!B5: seed must be at most 2147483647, found 1e+300",
    ),
    "index beyond any price": (
        lambda t: t["prices"][0].update(Rotterdam=1e19),
        "prices!B2: Rotterdam must be at most 1e+18 in size, found 1e+19; see its unit",
    ),
    "not whole": (
        lambda t: t["settings"].update(periods=12.5),
        "settings!B4: periods must be a whole number, found 12.5; write 12 or 13",
    ),
    "no date": (
        lambda t: t["demand"][0].update(to="31/12/2027"),
        (
            "demand!C2: to must be a date, found '31/12/2027'; write it as year-month-day, as in"
            " 2027-03-31"
        ),
    ),
    "no day of the calendar": (
        lambda t: t["demand"][0].update(to="2027-02-30"),
        (
            "demand!C2: to must be a date of the calendar, found '2027-02-30'; see the month and"
            " its last day"
        ),
    ),
    "far date": (
        lambda t: t["demand"][0].update(to="2999-02-03"),
        "demand!C2: to must be a date between 1900 and 2500, found 2999-02-03",
    ),
    "neither yes nor no": (
        lambda t: t["funds"][0].update(keeps_receipts="maybe"),
        "funds!C2: keeps_receipts must be yes or no, found 'maybe'",
    ),
    "unknown choice": (
        lambda t: t["suppliers"][0].update(bloc="alied"),
        (
            "suppliers!C2: bloc must be one of domestic, allied, other, found 'alied' (did you mean"
            " 'allied'?)"
        ),
    ),
    "unknown choice in a list": (
        lambda t: t["funds"][0].update(uses="purchase, storge"),
        (
            "funds!B2: uses must be one of project, purchase, contract, rotation, storage, found"
            " 'storge' (did you mean 'storage'?)"
        ),
    ),
    "required cell": (
        lambda t: t["demand"][0].update(quantity=" "),
        "demand!D2: quantity is required and must not be blank",
    ),
    "required key": (
        lambda t: t["suppliers"][1].update(supplier=None),
        "suppliers!A3: supplier is required and must not be blank",
    ),
    "required setting": (
        lambda t: t["settings"].update(start=None),
        "settings!B3: start is required and must not be blank",
    ),
    "missing setting": (
        lambda t: t["settings"].pop("periods"),
        "settings: periods must be given: add a row with the name and its value",
    ),
    "misspelt setting": (
        lambda t: t["settings"].update(perods=t["settings"].pop("periods")),
        "settings!A4: name 'perods' is unknown (did you mean 'periods'?)",
    ),
    "unknown setting": (
        lambda t: t["settings"].update(zzz=3),
        "settings!A5: name 'zzz' is unknown; rename it or remove the row",
    ),
    "nameless setting": (
        lambda t: t["settings"].update({"": t["settings"].pop("periods")}),
        "settings!A4: name is required and must not be blank; periods must be given",
    ),
    "setting given twice": (
        lambda t: t["settings"].update({"Start": START}),
        "settings!A5: start stands twice: here and in B3; remove one of the two",
    ),
    "key given twice": (
        lambda t: t["suppliers"].append({"supplier": "metlen "}),
        (
            "suppliers!A4: supplier 'metlen' stands in A2 already, as 'Metlen'; rename or remove"
            " one of the two"
        ),
    ),
    "date given twice": (
        lambda t: t["prices"].append({"date": START, "Rotterdam": 1}),
        "prices!A4: date '2027-01-01' stands in A2 already; rename or remove one of the two",
    ),
    "unknown reference": (
        lambda t: t["offers"][1].update(supplier="Metlin"),
        (
            "offers!B3: supplier 'Metlin' has no row in the sheet suppliers; the nearest there is"
            " 'Metlen'"
        ),
    ),
    "far reference": (
        lambda t: t["budgets"][0].update(fund="treasury"),
        "budgets!A2: fund 'treasury' has no row in the sheet funds; the nearest there is 'nds'",
    ),
    "unknown reference in a list": (
        lambda t: t["funds"][0].update(materials="gallium; indum"),
        (
            "funds!C2: materials 'indum' has no row in the sheet materials; the nearest there is"
            " 'gallium'"
        ),
    ),
    "unknown index": (
        lambda t: t["offers"][1].update(price_index="Roterdam"),
        (
            "offers!G3: price_index 'Roterdam' is no column of the sheet prices; the nearest there"
            " is 'Rotterdam'"
        ),
    ),
    "misspelt table": (
        lambda t: t.update(supliers=t.pop("suppliers")),
        (
            "supliers: this sheet is no table (did you mean 'suppliers'?); rename it, or begin its"
            " name with _ to leave it out"
        ),
    ),
    "unknown table": (
        lambda t: t.update(Sheet1=[{"x": 1}]),
        "Sheet1: this sheet is no table; rename it, or begin its name with _ to leave it out",
    ),
    "missing settings": (
        lambda t: t.pop("settings"),
        "settings: this sheet is missing; add it, with at least start and periods",
    ),
    "empty sheet": (
        lambda t: t.update(suppliers=[]),
        (
            "suppliers: is empty: its first row must hold the names of the columns; fill the sheet"
            " or remove it"
        ),
    ),
    "unknown column": (
        lambda t: t["offers"][0].update(remark="x"),
        (
            "offers!G1: unknown column 'remark'; rename it or remove it (remarks belong in the"
            " column note)"
        ),
    ),
    "misspelt column": (
        lambda t: [row.update({"prise [USD]": row.pop("price", None)}) for row in t["offers"]],
        "offers!F1: unknown column 'prise [USD]' (did you mean 'price'?)",
    ),
    "misspelt required column": (
        lambda t: [row.update(suplier=row.pop("supplier")) for row in t["suppliers"]],
        "suppliers!C1: unknown column 'suplier' (did you mean 'supplier'?)",
    ),
    "missing required column": (
        lambda t: [row.pop("supplier") for row in t["offers"]],
        "offers!A1: the column 'supplier' is missing; add it and fill it",
    ),
    "column given twice": (
        lambda t: t["offers"][0].update({"Price [USD/kg]": 3}),
        "offers!G1: column 'price' stands twice: here and in D1; remove one of the two",
    ),
    "index given twice": (
        lambda t: [row.update({"ROTTERDAM": 3}) for row in t["prices"]],
        "prices!C1: column 'Rotterdam' stands twice: here and in B1; remove one of the two",
    ),
    "no header": (
        lambda t: t.update(demand=[{"gallium": "gallium", "2027-01-01": "2027-02-01", "100": 100}]),
        (
            "demand!A1: this row must hold the names of the columns (material, buyer, from …); none"
            " is known"
        ),
    ),
    "index without a number": (
        lambda t: [row.update(comment="about Rotterdam") for row in t["prices"]],
        "prices!C1: the index 'comment' has no number; fill it or remove it",
    ),
    "misspelt column of prices": (
        lambda t: [row.update(sourse="memo") for row in t["prices"]],
        "prices!C1: the index 'sourse' has no number (did you mean 'source'?)",
    ),
    "blank index": (
        lambda t: t["prices"][0].update(China=None),
        "prices!C1: the index 'China' has no number; fill it or remove it",
    ),
    "range upside down": (
        lambda t: t["offers"][0].update(price_low=5, price_high=3),
        "offers!G2: price_low must not be above price_high, found 5 and 3",
    ),
    "range out of bounds": (
        lambda t: t["offers"][0].update(price_low=-5),
        "offers!G2: price_low must be at least 0, found -5",
    ),
    "between cells": (
        lambda t: t["offers"][0].update(lead_time_months=1.5),
        (
            "offers!G2: lead_time_months must be a whole number of periods of 1 month, found 1.5"
            " months; write 1 or 2"
        ),
    ),
    "between cells, in words of their own": (
        lambda t: t["offers"][0].update(price=None),
        "offers!D2: an offer needs price or price_index: both are blank; fill one of the two",
    ),
    "a shelf life that others are judged by": (
        lambda t: (
            t["materials"][0].update(
                shelf_life_months=12.5,
                count_life_months=30,
                closing_value=1,
                price_index="Rotterdam",
            ),
            t.update(outlets=[SALE | {"minimum_life_months": 13, "age_discount": 0.01}]),
            t.update(targets=[{"material": "gallium", "from": START, "quantity": 5, "hard": True}]),
            t.update(
                opening_stock=[
                    {"lot": "L", "material": "gallium", "quantity": 5, "made": dt.date(2020, 1, 1)}
                ]
            ),
        ),
        (
            "materials!B2: shelf_life_months must be a whole number of periods of 1 month, found"
            " 12.5 months; write 12 or 13"
        ),
    ),
    "a table without rows": (
        lambda t: t.update(
            {table: [dict.fromkeys(t[table][0])] for table in ("materials", "offers", "demand")}
        ),
        "materials: has no row: name at least one material",
    ),
    "something that others are judged by": (
        lambda t: (
            t["materials"][0].update(shelf_life_months="one year"),
            t.update(outlets=[SALE | {"minimum_life_months": 3, "age_discount": 0.01}]),
        ),
        (
            "materials!B2: shelf_life_months must be a number, found 'one year'; "
            "write a number such as 1200.5, or leave it blank where there is none"
        ),
    ),
    "date with dots": (
        lambda t: t["demand"][0].update(to="31.03.2027"),
        (
            "demand!C2: to must be a date, found '31.03.2027'; write it as year-month-day, as in"
            " 2027-03-31"
        ),
    ),
    "year alone": (
        lambda t: t["demand"][0].update(to="2027"),
        "demand!C2: to must be a date, found '2027'; write it as year-month-day, as in 2027-03-31",
    ),
    "date as the number of a day": (
        lambda t: t["demand"][0].update(to="46388"),
        (
            "demand!C2: to must be a date, found '46388'; as the number of a day that is"
            " 2027-01-01: write it so"
        ),
    ),
    "date before all dates": (
        lambda t: t["demand"][0].update({"from": "1899-12-31"}),
        "demand!B2: from must be a date between 1900 and 2500, found 1899-12-31",
    ),
    "decimal comma": (
        lambda t: t["offers"][0].update(price="3,50"),
        (
            "offers!D2: price must be a number, found '3,50'; write it with a decimal point and"
            " without thousands separators, as in 1200.5"
        ),
    ),
    "thousands with dots": (
        lambda t: t["offers"][0].update(price="1.200,50"),
        (
            "offers!D2: price must be a number, found '1.200,50'; write it with a decimal point and"
            " without thousands separators, as in 1200.5"
        ),
    ),
    "word for no limit": (
        lambda t: t["offers"][0].update(capacity="unlimited"),
        (
            "offers!F2: capacity must be a number, found 'unlimited'; write a number such as"
            " 1200.5, or leave it blank where there is none"
        ),
    ),
    "word for the default": (
        lambda t: t["offers"][0].update(freight="none"),
        (
            "offers!G2: freight must be a number, found 'none'; write a number such as 1200.5, or"
            " leave it blank for 0"
        ),
    ),
    "word where a number is required": (
        lambda t: t["demand"][0].update(quantity="tbd"),
        "demand!D2: quantity must be a number, found 'tbd'; write a number such as 1200.5",
    ),
    "range in a cell": (
        lambda t: t["demand"][0].update(quantity="90-110"),
        (
            "demand!D2: quantity must be a number, found '90-110'; write one number; the range goes"
            " into quantity_low and quantity_high"
        ),
    ),
    "negative capacity": (
        lambda t: t["offers"][0].update(capacity=-500),
        "offers!F2: capacity must be at least 0, found -500",
    ),
    "percent as a whole number": (
        lambda t: t["settings"].update(discount_rate=5),
        (
            "settings!B5: discount_rate must be at most 1, found 5; shares are fractions: write"
            " 0.05 for 5 %"
        ),
    ),
    "row of totals": (
        lambda t: t["demand"].append({"material": "Total:", "quantity": 1200}),
        "demand!A3: this row looks like a total, which is no row of the table; remove it",
    ),
    "row of numbers alone": (
        lambda t: t["demand"].append({"quantity": 1200}),
        (
            "demand!A3: material and from are required and must not be blank; a row of totals or"
            " remarks must be removed"
        ),
    ),
    "row of units": (
        lambda t: t["demand"].insert(
            0, {"material": "(name)", "from": "(date)", "to": "(date)", "quantity": "(kg)"}
        ),
        (
            "demand!A2: this row holds no values; remove it, and write units into the names of the"
            " columns, as in price [USD/kg]"
        ),
    ),
    "header below a title": (
        lambda t: t.update(
            demand=[
                {"Demand of the navy": "material", "": "from", " ": "quantity"},
                {"Demand of the navy": "gallium"},
            ]
        ),
        "demand!A1: the names of the columns stand in row 2; remove the rows above them",
    ),
    "letter of another alphabet": (
        lambda t: t["offers"][0].update(supplier="Tr\u0430der"),
        (
            "offers!B2: supplier 'Tr\u0430der' (with U+0430) has no row in the sheet suppliers; the"
            " nearest there is 'Trader'"
        ),
    ),
    "two names in one cell": (
        lambda t: t["offers"][0].update(material="gallium, indium"),
        (
            "offers!C2: material 'gallium, indium' has no row in the sheet materials; the nearest"
            " there is 'gallium'"
        ),
    ),
    "neither a material nor a group": (
        lambda t: (
            t["materials"][0].update(group="metals"),
            t["demand"][0].update(material="metal"),
        ),
        (
            "demand!A2: material 'metal' is no material and no group in the sheet materials; the"
            " nearest there is 'metals'"
        ),
    ),
    "an offer of a group": (
        lambda t: (
            t["materials"][0].update(group="metals"),
            t["offers"][0].update(material="metals"),
        ),
        (
            "offers!C2: material 'metals' has no row in the sheet materials; the nearest there is"
            " 'gallium'"
        ),
    ),
    "a group with the name of a material": (
        lambda t: t["materials"][0].update(group="Gallium"),
        (
            "materials!D2: group must not be the name of a material, found 'Gallium', which is the"
            " material in row 2; name the group otherwise"
        ),
    ),
    "text without end": (
        lambda t: t["offers"][0].update(supplier="x" * 30_000),
        (
            "offers!B2: supplier must be at most 255 characters long, found 30,000; shorten it, the"
            " column note takes long texts"
        ),
    ),
    "demand before the horizon": (
        lambda t: t["demand"].append(
            {"material": "gallium", "from": "2020-01-01", "to": "2020-05-01", "quantity": 5}
        ),
        (
            "demand!B3: no period of the horizon, 2027-01-01 to 2027-12-31, is covered by"
            " 2020-01-01 to 2020-05-01; change the dates or remove the row"
        ),
    ),
    "demand after the horizon": (
        lambda t: t["demand"].append({"material": "gallium", "from": "2030-01-01", "quantity": 5}),
        (
            "demand!B3: no period of the horizon, 2027-01-01 to 2027-12-31, is covered by"
            " 2030-01-01 to 2030-01-01; change the dates or remove the row"
        ),
    ),
    "target after the horizon": (
        lambda t: t.update(
            targets=[{"material": "gallium", "from": "2030-01-01", "quantity": 5, "hard": "yes"}]
        ),
        (
            "targets!B2: from is after the horizon, which ends on 2027-12-31, found 2030-01-01;"
            " change the date or remove the row"
        ),
    ),
    "target given twice": (
        lambda t: t.update(
            targets=[
                {"material": "gallium", "from": f"2027-02-{day}", "quantity": 5, "hard": "yes"}
                for day in ("01", "15")
            ]
        ),
        (
            "targets!B3: a target for gallium in this period stands in row 2 already; remove one of"
            " the two"
        ),
    ),
    "stock made in the future": (
        lambda t: t.update(
            opening_stock=[{"lot": "L", "material": "gallium", "quantity": 5, "made": "2028-01-01"}]
        ),
        (
            "opening_stock!D2: made must not be after the first period, which begins on 2027-01-01,"
            " found 2028-01-01"
        ),
    ),
    "stock at no site": (
        lambda t: t.update(
            sites=[{"site": "here"}, {"site": "there"}],
            opening_stock=[{"lot": "L", "material": "gallium", "quantity": 5, "made": START}],
        ),
        "opening_stock!A2: site is required: the workbook has several sites",
    ),
    "dates out of order": (
        lambda t: t["demand"][0].update(to="2026-01-01"),
        "demand!C2: to must not be before from (2027-01-01), found 2026-01-01",
    ),
    "money that expires before it comes": (
        lambda t: t["budgets"][0].update(expires="2026-01-01"),
        "budgets!D2: expires must not be before from (2027-01-01), found 2026-01-01",
    ),
    "money without funds": (
        lambda t: t.pop("funds"),
        "budgets!A2: fund 'nds' has no row: the sheet funds is missing; add it",
    ),
    "lead time in quarters": (
        lambda t: (
            t["settings"].update(period_months=3),
            t["offers"][0].update(lead_time_months=2),
        ),
        (
            "offers!G2: lead_time_months must be a whole number of periods of 3 months, found 2"
            " months; write 0 or 3"
        ),
    ),
    "life below one period": (
        lambda t: (
            t["settings"].update(period_months=3),
            t["materials"][0].update(shelf_life_months=2),
        ),
        (
            "materials!B2: shelf_life_months must be a whole number of periods of 3 months, found 2"
            " months; write 3"
        ),
    ),
    "length of a period": (
        lambda t: t["settings"].update(period_months=2),
        "settings!B5: period_months must be one of 1, 3, 6, 12, found 2",
    ),
    "horizon without end": (
        lambda t: t["settings"].update(periods=5000),
        "settings!B4: periods must be at most 1200, found 5000",
    ),
    "two prices": (
        lambda t: t["offers"][0].update(price_index="Rotterdam"),
        "offers!D2: an offer needs price or price_index, and has price 300 and price_index 'Rotterdam'; remove one of the two",
    ),
    "premium on a fixed price": (
        lambda t: t["offers"][0].update(premium=0.1),
        "offers!G2: premium is a share of an index: it needs price_index instead of price",
    ),
    "value of closing stock": (
        lambda t: t["materials"][0].update(closing_value=0.5),
        "materials!A2: price_index is required where closing_value is above 0: it values the stock",
    ),
    "index with a word in it": (
        lambda t: t["prices"][1].update(Rotterdam="n/a"),
        (
            "prices!B3: Rotterdam must be a number, found 'n/a'; write a number such as 1200.5, or"
            " leave it blank where there is none"
        ),
    ),
    "price without a date": (
        lambda t: t["prices"][1].update(date=None),
        "prices!A3: date is required and must not be blank",
    ),
    "negative price": (
        lambda t: t["prices"][1].update(Rotterdam=-500),
        "prices!B3: Rotterdam must be at least 0, found -500",
    ),
    "rule without a limit": (
        lambda t: t.update(rules=[{"rule": "half", "of": "country"}]),
        "rules!A2: the rule has no limit: give least or most",
    ),
    "rule on a share in percent": (
        lambda t: t.update(
            rules=[{"rule": "half", "of": "country", "measure": "share", "most": 50}]
        ),
        "rules!D2: most must be at most 1 for a share (0.25 is 25 %), found 50",
    ),
    "rule upside down": (
        lambda t: t.update(rules=[{"rule": "half", "of": "country", "least": 0.5, "most": 0.3}]),
        "rules!C2: least must not be above most (0.3), found 0.5",
    ),
    "rule on nobody": (
        lambda t: t.update(
            rules=[{"rule": "half", "of": "supplier", "value": "Tradr", "most": 0.3}]
        ),
        "rules!C2: no supplier 'Tradr' in the sheet suppliers (did you mean 'Trader'?)",
    ),
    "contract without a menu": (
        lambda t: t.update(OFFTAKE, floors=[]) or t.pop("floors"),
        "contracts!A2: offtake has no row in the sheet floors: give its menu there",
    ),
    "menu of no contract": (
        lambda t: t.update(
            OFFTAKE,
            floors=[
                *OFFTAKE["floors"],
                {"contract": "ofttake", "level": "x", "floor": 1, "annual_quantity": 1},
            ],
        ),
        (
            "floors!A3: contract 'ofttake' has no row in the sheet contracts; the nearest there is"
            " 'offtake'"
        ),
    ),
    "share that is taken or paid": (
        lambda t: t.update(copy.deepcopy(OFFTAKE)) or t["contracts"][0].update(take_or_pay=75),
        (
            "contracts!E2: take_or_pay must be at most 1, found 75; shares are fractions: write"
            " 0.75 for 75 %"
        ),
    ),
    "term of a contract": (
        lambda t: t.update(copy.deepcopy(OFFTAKE)) or t["contracts"][0].update(term_months=6.5),
        (
            "contracts!E2: term_months must be a whole number of periods of 1 month, found 6.5"
            " months; write 6 or 7"
        ),
    ),
    "decision of no kind": (
        lambda t: t.update(commitments=[{"kind": "buy", "name": "spot"}]),
        "commitments!A2: kind must be one of project, order, sign, rotate, found 'buy'",
    ),
    "project of nobody": (
        lambda t: t["offers"][0].update(project="plant"),
        "offers!G2: project 'plant' has no row: the sheet projects is missing; add it",
    ),
    "price break without a price": (
        lambda t: _breaks(t, {"from_quantity": 100}),
        "price_breaks!A2: a price break needs price or premium: both are blank; fill one of the two",
    ),
    "price break with two prices": (
        lambda t: _breaks(t, {"from_quantity": 100, "price": 1, "premium": 0.1}),
        "price_breaks!C2: a price break needs price or premium, and has price 1 and premium 0.1; remove one of the two",
    ),
    "premium of a price break without an index": (
        lambda t: _breaks(t, {"from_quantity": 100, "premium": 0.1}),
        "price_breaks!C2: premium is a share of an index: it needs a price_index of spot",
    ),
    "price break given twice": (
        lambda t: _breaks(
            t, {"from_quantity": 100, "price": 290}, {"from_quantity": 100, "price": 280}
        ),
        "price_breaks!B3: a break of spot at 100 stands in row 2 already; remove one of the two",
    ),
    "price breaks of two kinds": (
        lambda t: _breaks(
            t,
            {"from_quantity": 100, "price": 290, "kind": "all_units"},
            {"from_quantity": 200, "price": 280, "kind": "incremental"},
        ),
        "price_breaks!D3: kind must be the one kind of its offer, all_units as in row 2",
    ),
    "price break of nothing": (
        lambda t: _breaks(t, {"from_quantity": 0, "price": 290}),
        "price_breaks!B2: from_quantity must be above 0, found 0",
    ),
    "difference to no reference": (
        lambda t: _offtake(t, form="cfd", price_index=None),
        (
            "contracts!D2: price_index is required for a cfd: it pays the difference from the floor"
            " to a reference"
        ),
    ),
    "upside without a trigger": (
        lambda t: _offtake(t, upside_share=0.5),
        "contracts!A2: upside_trigger is required where upside_share is above 0",
    ),
    "two floors": (
        lambda t: (_offtake(t), t["floors"][0].update(floor_index="Rotterdam")),
        "floors!C2: a level needs floor or floor_index, and has floor 300 and floor_index 'Rotterdam'; remove one of the two",
    ),
    "no floor": (
        lambda t: (_offtake(t), t["floors"][0].update(floor=None)),
        "floors!C2: a level needs floor or floor_index: both are blank; fill one of the two",
    ),
    "share of no index": (
        lambda t: (_offtake(t), t["floors"][0].update(floor_factor=0.5)),
        "floors!E2: floor_factor is a share of an index: it needs floor_index",
    ),
    "ceiling of no reference": (
        lambda t: _offtake(t, price_index=None, ceiling=3),
        "contracts!E2: ceiling caps a reference: it needs price_index",
    ),
    "plant without a life": (
        lambda t: _project(t, capex=1000),
        "projects!A2: life_years is required with capex: the break-even follows from both",
    ),
    "time to build a plant": (
        lambda t: _project(t, ready_lag_months=1.5),
        (
            "projects!D2: ready_lag_months must be a whole number of periods of 1 month, found 1.5"
            " months; write 1 or 2"
        ),
    ),
    "decision upside down": (
        lambda t: _project(t, decide_from="2027-06-01", decide_to="2027-05-01"),
        "projects!E2: decide_to must not be before decide_from (2027-06-01), found 2027-05-01",
    ),
    "project that waits for itself": (
        lambda t: (
            _project(t, fund="sales"),
            t["offers"].pop(1),
            t["funds"].append({"fund": "sales", "keeps_receipts": "yes"}),
            t.update(outlets=[SALE | {"fund": "sales", "capacity": 5}]),
        ),
        (
            "projects!D2: the project plant waits for itself: its grant can only be paid by the"
            " receipts of buyer, which sell metal that only comes once it has gone ahead; give its"
            " fund an appropriation, or name another fund"
        ),
    ),
    "sale as another material": (
        lambda t: t.update(outlets=[SALE | {"to_material": "gallium"}]),
        (
            "outlets!E2: to_material is for a rework: an outlet of form sale gives back no other"
            " material"
        ),
    ),
    "sale for nothing": (
        lambda t: t.update(outlets=[{"outlet": "buyer", "material": "gallium", "form": "sale"}]),
        "outlets!A2: a sale needs price or price_index: both are blank; fill one of the two",
    ),
    "time until metal is back": (
        lambda t: t.update(
            outlets=[
                {
                    "outlet": "swap",
                    "material": "gallium",
                    "form": "exchange",
                    "lead_time_months": 1.5,
                }
            ]
        ),
        (
            "outlets!D2: lead_time_months must be a whole number of periods of 1 month, found 1.5"
            " months; write 1 or 2"
        ),
    ),
    "commitment to nothing known": (
        lambda t: t.update(
            commitments=[{"kind": "order", "name": "sopt", "date": START, "quantity": 50}]
        ),
        "commitments!B2: 'sopt' has no row in the sheet offers (did you mean 'spot'?)",
    ),
    "commitment without a quantity": (
        lambda t: t.update(commitments=[{"kind": "order", "name": "spot", "date": START}]),
        "commitments!A2: quantity is required: how much is ordered or rotated",
    ),
    "commitment after the horizon": (
        lambda t: t.update(
            commitments=[{"kind": "order", "name": "spot", "date": "2029-01-01", "quantity": 50}]
        ),
        (
            "commitments!C2: date must be within the horizon, 2027-01-01 to 2027-12-31, found"
            " 2029-01-01"
        ),
    ),
    "commitment that cannot be kept": (
        lambda t: (
            t["offers"][0].update({"from": "2027-06-01"}),
            t.update(
                commitments=[{"kind": "order", "name": "spot", "date": START, "quantity": 50}]
            ),
        ),
        (
            "commitments!C2: cannot be kept: order of spot is not possible on 2027-01-01; see its"
            " dates, lead time and supplier"
        ),
    ),
    "buyer without a site": (
        lambda t: (
            t.update(sites=[{"site": "vault", "buyer": "navy"}]),
            t["demand"][0].update(buyer="army"),
        ),
        "demand!E2: 'army' has no site, and no site in the sheet sites serves all; give it one",
    ),
}


@pytest.mark.parametrize("fault", SINGLE)
@pytest.mark.parametrize("name", ["book.xlsx", "book"], ids=["xlsx", "csv"])
def test_one_fault_one_line(fault: str, name: str, tmp_path: Path) -> None:
    tables: Tables = copy.deepcopy(SOUND)
    plant, expected = SINGLE[fault]
    plant(tables)
    assert faults(book(tmp_path / name, tables)) == [expected]


ODD: dict[str, tuple[Callable[[Tables], object], str]] = {
    "price breaks out of order": (
        lambda t: _breaks(
            t, {"from_quantity": 100, "price": 280}, {"from_quantity": 200, "price": 290}
        ),
        (
            "price_breaks!C3: price is above that of the smaller quantity in row 2, 280: breaks out"
            " of order? found 290"
        ),
    ),
    "price break that is never reached": (
        lambda t: _breaks(t, {"from_quantity": 1000, "price": 280}),
        (
            "price_breaks!B2: from_quantity is above the capacity of spot, 500: no order reaches"
            " it, found 1,000"
        ),
    ),
    "metal under a contract for cash": (
        lambda t: _offtake(t, form="cfd", flex=2),
        "contracts!F2: flex has no effect on a cfd, which moves no metal",
    ),
    "trigger of no upside": (
        lambda t: _offtake(t, upside_trigger=3),
        "contracts!E2: upside_trigger has no effect without an upside_share",
    ),
    "plant of another supplier": (
        lambda t: _project(t, supplier="Metlen"),
        "offers!B2: supplier is not the supplier of project plant, Metlen: found Trader",
    ),
    "yield of a sale": (
        lambda t: t.update(outlets=[SALE | {"yield": 0.5}]),
        "outlets!E2: yield has no effect on an outlet of form sale",
    ),
    "appropriation outside the horizon": (
        lambda t: t["budgets"].append({"fund": "nds", "from": "2031-01-01", "amount": 1}),
        "budgets!B3: the appropriation cannot be spent within the horizon",
    ),
    "offer outside the horizon": (
        lambda t: t["offers"].append(
            {**t["offers"][1], "offer": "late", "from": dt.date(2031, 1, 1)}
        ),
        "offers!A4: late can never be ordered within the horizon: see its dates and lead time",
    ),
    "capacity below one lot": (
        lambda t: t["offers"][0].update(lot_size=600),
        "offers!F2: capacity is below the smallest order, 600: no order can be placed, found 500",
    ),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["book.xlsx", "book"], ids=["xlsx", "csv"])
def test_one_odd_thing_one_warning(odd: str, name: str, tmp_path: Path) -> None:
    tables: Tables = copy.deepcopy(SOUND)
    plant, expected = ODD[odd]
    plant(tables)
    assert [str(fault) for fault in read(book(tmp_path / name, tables)).warnings] == [expected]


def _openpyxl(change: Callable[[openpyxl.Workbook], None], path: Path) -> None:
    workbook = openpyxl.load_workbook(path)
    change(workbook)
    workbook.save(path)


def _circle(workbook: openpyxl.Workbook) -> None:
    """Cells that need each other: a spreadsheet program keeps no value for them."""
    workbook["offers"]["D2"] = "=F2"


def _number_for_a_date(workbook: openpyxl.Workbook) -> None:
    workbook["demand"]["B2"], workbook["demand"]["B2"].number_format = 46388, "General"


def _date_for_a_number(workbook: openpyxl.Workbook) -> None:
    workbook["offers"]["D2"] = dt.date(2027, 3, 1)


def _error(workbook: openpyxl.Workbook) -> None:
    workbook["offers"]["D2"] = "#REF!"


def _lost_name(workbook: openpyxl.Workbook) -> None:
    workbook["offers"]["D1"] = "#N/A"


SHEETS: dict[str, tuple[Callable[[openpyxl.Workbook], None], str]] = {
    "formula error": (
        _error,
        "offers!D2: price is the error #REF!; correct its formula or write the value",
    ),
    "formula error in the header": (
        _lost_name,
        "offers!D1: the name of the column is the error #N/A; correct its formula or write the value",
    ),
    "formula without a value": (
        _circle,
        (
            "offers!D2: price is a formula with no cached value; open the workbook in a spreadsheet"
            " program and save it once"
        ),
    ),
    "date without its format": (
        _number_for_a_date,
        (
            "demand!B2: from must be a date, found 46388; as the number of a day that is"
            " 2027-01-01: format the cell as a date"
        ),
    ),
    "number with the format of a date": (
        _date_for_a_number,
        "offers!D2: price must be a number, found the date 2027-03-01; format the cell as a number",
    ),
    "merged cells": (
        lambda book: book["suppliers"].merge_cells("B2:B3"),
        (
            "suppliers!B2: the merged cells B2:B3 hold one value for several cells; unmerge them"
            " and fill each"
        ),
    ),
    "merged title": (
        lambda book: (
            book["demand"].insert_rows(1),
            book["demand"].merge_cells("A1:D1"),
            book["demand"].cell(1, 1, "Demand"),
        ),
        "demand!A1: the names of the columns stand in row 2; remove the rows above them",
    ),
    "value next to the table": (
        lambda book: book["demand"].cell(2, 6, "an afterthought"),
        "demand!F1: has no name for this column, which holds a value in row 2; name it or clear it",
    ),
    "fault in a hidden row": (
        lambda book: (
            setattr(book["offers"].row_dimensions[2], "hidden", True),
            book["offers"].cell(2, 6, -1),
        ),
        "offers!F2: capacity must be at least 0, found -1",
    ),
    "fault in a hidden sheet": (
        lambda book: (
            setattr(book["offers"], "sheet_state", "hidden"),
            book["offers"].cell(2, 6, -1),
        ),
        "offers!F2: capacity must be at least 0, found -1",
    ),
    "copy of a sheet": (
        lambda book: setattr(book.copy_worksheet(book["offers"]), "title", "offers (2)"),
        (
            "offers (2): this sheet is no table (did you mean 'offers'?); rename it, or begin its"
            " name with _ to leave it out"
        ),
    ),
}


@pytest.mark.parametrize("fault", SHEETS)
def test_one_fault_of_a_spreadsheet_one_line(fault: str, tmp_path: Path) -> None:
    change, expected = SHEETS[fault]
    path = book(tmp_path / "book.xlsx", SOUND)
    _openpyxl(change, path)
    assert faults(path) == [expected]


@pytest.mark.parametrize("name", ["book.xlsx", "book"], ids=["xlsx", "csv"])
def test_a_million_rows_are_refused_in_bounded_time(tmp_path: Path, name: str) -> None:
    rows = 1_000_000
    path = book(tmp_path / name, {table: SOUND[table] for table in ("settings", "materials")})
    if path.is_dir():
        with (path / "demand.csv").open("w") as stream:
            stream.write("material,from,quantity\n")
            stream.writelines(itertools.repeat("gallium,2027-01-01,5\n", rows))
        expected = "demand: has more than 100,000 rows of data; remove rows or split the workbook"
    else:
        _add_rows(path, rows)
        expected = (
            "XML tags, most of it in the sheet 'demand'; at most 4,000,000 are read; remove rows or"
            " split the workbook"
        )
    began = time.perf_counter()
    (line,) = faults(path)
    assert line.endswith(expected)
    assert time.perf_counter() - began < 30


def _add_rows(path: Path, rows: int) -> None:
    """A sheet `demand` with many rows, written into the archive piece by piece."""
    workbook = openpyxl.load_workbook(path)
    workbook.create_sheet("demand")
    workbook.save(path)
    small = path.with_suffix(".small")
    path.rename(small)
    sheet = workbook["demand"]
    part = f"xl/worksheets/sheet{workbook.worksheets.index(sheet) + 1}.xml"
    text = '<c t="inlineStr"><is><t>{}</t></is></c>'
    cells = text.format("gallium") + text.format("2027-01-01") + "<c><v>5</v></c>"
    with (
        zipfile.ZipFile(small) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for entry in source.infolist():
            if entry.filename != part:
                target.writestr(entry, source.read(entry))
        with target.open(part, "w") as stream:
            stream.write(
                b"<worksheet"
                b' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>'
            )
            stream.write(
                "".join(text.format(name) for name in ("material", "from", "quantity")).encode()
                + b"</row>"
            )
            for line in range(rows):
                stream.write(f'<row r="{line + 2}">{cells}</row>'.encode())
            stream.write(b"</sheetData></worksheet>")
