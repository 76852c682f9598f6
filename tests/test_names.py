"""Names from the workbook to the plan: one name however it is written, warnings of slips, and names
that would do harm.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table

import optimiser as so
from optimiser.cli.solve_command import show_plan
from optimiser.cli.terminal import Plain
from optimiser.comparison.compared import compare
from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.studies.answered import Answered
from optimiser.studies.kinds import asked as study
from optimiser.system.errors import InputError
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.read.plan_reader import read_plan
from optimiser.workbook.write import scenario_book, study_book
from stockpile_model.changes import apply, parse
from stockpile_model.tables import Settings, Supplier
from tests.support.books import book
from tests.support.planner import plan_of
from tests.support.small_books import small_books

Tables = dict[str, Any]
JANUARY, FEBRUARY, MARCH = (dt.date(2027, t, 1) for t in (1, 2, 3))

RICH: Tables = {
    "settings": {"start": JANUARY, "periods": 3, "objective": "cost", "supply_stages": "operating, building"},
    "materials": [{"material": "Fine Metal", "shortage_cost": 500, "price_index": "Fixing Ltd", "closing_value": 0.1}],
    "sites": [{"site": "Site One", "buyer": "Army Depot"}, {"site": "Site Two"}],
    "suppliers": [
        {"supplier": "Plant Fe", "country": "South Cor\u00e9e", "bloc": "allied", "stage": "building"},
        {"supplier": "Mine Fi", "country": "Stra\u00dfe", "bloc": "other"},
    ],
    "offers": [
        {"offer": "Spot Fi", "supplier": "Plant Fe", "material": "Fine Metal", "price_index": "Fixing Ltd", "capacity": 9,
         "site": "Site One"},
        {"offer": "Frame Fi", "supplier": "Mine Fi", "material": "Fine Metal", "price": 140, "payment": "order"},
    ],
    "price_breaks": [{"offer": "Frame Fi", "from_quantity": 8, "price": 120, "kind": "all_units"}],
    "contracts": [{"contract": "Off Take", "supplier": "Plant Fe", "material": "Fine Metal", "price_index": "Fixing Ltd",
                   "term_months": 3}],
    "floors": [
        {"contract": "Off Take", "level": "Low Fi", "floor": 60, "annual_quantity": 12},
        {"contract": "Off Take", "level": "High", "floor": 95, "annual_quantity": 24},
    ],
    "prices": [{"date": JANUARY, "Fixing Ltd": 100}, {"date": MARCH, "Fixing Ltd": 120}],
    "demand": [{"material": "Fine Metal", "buyer": "Army Depot", "from": JANUARY, "to": MARCH, "quantity": 10}],
    "funds": [{"fund": "New Fund", "buyer": "Army Depot", "uses": "purchase, contract", "materials": "Fine Metal"}],
    "budgets": [{"fund": "New Fund", "amount": 3600}],
    "rules": [
        {"rule": "Fair Fi", "of": "country", "value": "South Cor\u00e9e", "measure": "share", "window": "horizon", "most": 0.7},
        {"rule": "Few", "of": "offer", "value": "Frame Fi", "measure": "quantity", "most": 16},
    ],
    "scenarios": [
        {"scenario": "Hard Fi", "probability": 0.3, "revealed": FEBRUARY},
        {"scenario": "Harder", "probability": 0.2, "follows": "Hard Fi"},
    ],
    "events": [
        {"scenario": "Hard Fi", "table": "offers", "row": "Spot Fi", "column": "capacity", "how": "scale", "value": 0.5},
        {"scenario": "Harder", "table": "prices", "row": "*", "column": "Fixing Ltd", "from": FEBRUARY, "how": "scale", "value": 1.5},
        {"scenario": "Harder", "table": "floors", "row": "Off Take/High", "column": "floor", "from": FEBRUARY, "how": "add", "value": 5},
    ],
    "commitments": [
        {"kind": "sign", "name": "Off Take", "level": "High"},
        {"kind": "order", "name": "Frame Fi", "quantity": 5, "date": JANUARY, "how": "at_least"},
    ],
    "studies": [{"study": "My Study", "kind": "sweep", "table": "offers", "row": "Frame Fi", "column": "price", "low": 90, "high": 190}],
    "uncertainty": [{"name": "Fix Fi", "kind": "price", "value": "Fixing Ltd", "volatility": 0.2, "reversion": 0.5}],
}  # fmt: skip

KINDS: dict[str, Callable[[str], str]] = {
    "non-breaking space": lambda said: said.replace(" ", "\xa0"),
    "two spaces and a tab": lambda said: "  " + said.replace(" ", " \t ") + " ",
    "em space and line break": lambda said: f"\u2003{said.replace(' ', chr(10))}",
    "decomposed": lambda said: unicodedata.normalize("NFD", said),
    "zero-width joiner": "\u200d".join,
    "zero-width space, byte order mark": lambda said: f"\ufeff{said[:2]}\u200b{said[2:]}",
    "soft hyphen": lambda said: f"{said[:1]}\u00ad{said[1:]}",
    "full-width letters": lambda said: "".join(
        chr(ord(each) + 0xFEE0) if each.isascii() and each.isalnum() else each for each in said
    ),
    "ligature": lambda said: said.replace("fi", "\ufb01").replace("Fi", "\ufb01"),
    "capitals": lambda said: said.upper(),
    "Turkish capitals": lambda said: said.replace("i", "\u0130"),
    "mark of direction": lambda said: f"\u202a{said}\u202c",
}


def decorated(tables: Tables, decorate: Callable[[str], str], kept: tuple[str, ...] = ()) -> Tables:
    """The workbook with every text written otherwise: names of sheets, columns and settings, keys,
    references, choices, list items.
    """

    def cell(value: Any) -> Any:
        return (
            ", ".join(map(decorate, value.split(", ")))
            if isinstance(value, str) and not _dated(value)
            else value
        )

    found: Tables = {}
    for name, rows in tables.items():
        title = name if name in kept else decorate(name)
        if isinstance(rows, dict):
            found[title] = {decorate(each): cell(value) for each, value in rows.items()}
        else:
            header = {
                column: decorate(column)
                for column in dict.fromkeys(column for row in rows for column in row)
            }
            found[title] = [
                {header[column]: cell(value) for column, value in row.items()} for row in rows
            ]
    return found


def _dated(value: str) -> bool:
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


@cache
def _objective() -> float:
    return float(plan_of(RICH).objective or 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_written_otherwise_has_the_same_plan(kind: str) -> None:
    assert plan_of(decorated(RICH, KINDS[kind])).objective == pytest.approx(_objective())


def test_what_names_say_in_that_workbook_matters() -> None:
    """Without what a name links, or with another, the plan is another or none: so the test above
    sees names that are not recognised.
    """
    for table, row in (
        ("rules", 0),
        ("budgets", 0),
        ("events", 0),
        ("events", 1),
        ("commitments", 0),
        ("price_breaks", 0),
    ):
        tables: Tables = deepcopy(RICH)
        tables[table].pop(row)
        assert plan_of(
            {name: rows for name, rows in tables.items() if rows}
        ).objective != pytest.approx(_objective()), (table, row)


@settings(max_examples=12)
@given(small_books(), st.randoms(use_true_random=False))
def test_any_workbook_written_otherwise_has_the_same_plan(tables: Tables, random: Any) -> None:
    """Each text in a way of its own, so that no two that mean the same are written alike."""

    def otherwise(said: str) -> str:
        return str(random.choice([*KINDS.values()])(said))

    plan, other = plan_of(tables), plan_of(decorated(tables, otherwise))
    assert (other.status, other.objective) == (
        plan.status,
        None if plan.objective is None else pytest.approx(plan.objective),
    )


# --- One country, one buyer, whatever its spaces and accents --------------------------------------

PLAIN: Tables = {
    "settings": {"start": JANUARY, "periods": 3, "mip_gap": 0},
    "materials": [{"material": "m"}],
    "suppliers": [
        {"supplier": "s", "country": "South Korea"},
        {"supplier": "n", "country": "South Korea"},
    ],
    "offers": [
        {"offer": "o", "supplier": "s", "material": "m", "price": 100, "capacity": 40},
        {"offer": "x", "supplier": "n", "material": "m", "price": 50, "capacity": 40},
    ],
    "demand": [{"material": "m", "from": JANUARY, "to": MARCH, "quantity": 5}],
}


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("South Korea", "South\xa0Korea", "South Korea"),
        ("Core\u0301e du Sud", "Cor\u00e9e du Sud", "Cor\u00e9e du Sud"),
    ],
)
def test_a_rule_on_a_country_holds_for_all_its_suppliers(
    first: str, second: str, rule: str
) -> None:
    tables: Tables = deepcopy(PLAIN)
    tables["suppliers"] = [
        {"supplier": "s", "country": first},
        {"supplier": "n", "country": second},
    ]
    tables["rules"] = [
        {"rule": "kr", "of": "country", "value": rule, "measure": "quantity", "most": 0}
    ]
    assert plan_of(tables).status == "infeasible"
    tables["suppliers"][1]["country"] = "Japan"
    assert plan_of(tables).objective == pytest.approx(750)


def test_a_fund_pays_for_its_buyer() -> None:
    tables = PLAIN | {
        "materials": [{"material": "m", "shortage_cost": 500}],
        "offers": PLAIN["offers"][:1],
        "sites": [{"site": "A1", "buyer": "Army Depot"}],
        "demand": [{**PLAIN["demand"][0], "buyer": "Army Depot"}],
        "funds": [{"fund": "f", "buyer": "Army\xa0Depot"}],
        "budgets": [{"fund": "f", "amount": 100_000}],
    }
    assert plan_of(tables).objective == pytest.approx(1_500)


# --- What is shown, and what is reported ----------------------------------------------------------


def reading(tables: Tables) -> Any:
    with TemporaryDirectory() as folder:
        return read(book(Path(folder) / "book", tables))


def told(tables: Tables) -> list[str]:
    with pytest.raises(InputError) as caught:
        reading(tables)
    return [str(fault) for fault in caught.value.faults]


def test_rows_carry_the_spelling_of_the_key_or_of_the_first() -> None:
    """So that inside the model, and in the plan, names are one text: composed, with plain spaces,
    without what does not print.
    """
    tables: Tables = deepcopy(RICH)
    tables["suppliers"][1]["country"] = " south\u00ad  CORE\u0301E"
    tables["rules"][0]["value"] = "SOUTH COR\u00c9E"
    tables["offers"][1]["supplier"] = "mine\u200b fi"
    tables["commitments"][0] |= {"name": "OFF TAKE", "level": "high"}
    stockpile = reading(tables).stockpile
    rows = {kind.TABLE: rows for kind, rows in stockpile.tables.items()}
    assert [row.country for row in rows["suppliers"]] == ["South Cor\u00e9e"] * 2
    assert (rows["rules"][0].value, rows["offers"][1].supplier) == ("South Cor\u00e9e", "Mine Fi")
    assert (rows["commitments"][0].name, rows["commitments"][0].level) == ("Off Take", "High")
    changed = apply(stockpile, parse("suppliers[mine\xa0fi].country = S\u00adouth cor\u00e9e"))
    assert changed.rows(Supplier)[1].country == "South Cor\u00e9e"


@pytest.mark.parametrize(
    "said",
    ["offers[frame\xa0fi].price scale 2", "OFFERS[Frame\u200b  Fi].pri\u00adce\xa0scale\xa02", "offers[\uff26rame Fi].Price scale 2",
     "offers[Frame Fi].price [USD/kg] scale 2"],
)  # fmt: skip
def test_a_change_finds_its_cell(said: str) -> None:
    changed = apply(reading(RICH).stockpile, parse(said))
    assert [
        getattr(row, "price", None)
        for kind, rows in changed.tables.items()
        if kind.TABLE == "offers"
        for row in rows
    ] == [None, 280]


def test_one_name_twice_is_reported_with_both_cells_and_what_differs() -> None:
    tables: Tables = deepcopy(PLAIN)
    tables["offers"][1]["offer"] = "\u200bO"
    assert told(tables) == [
        "offers!A3: offer '\\u200bO' (with U+200B) stands in A2 already, as 'o'; rename or remove"
        " one of the two"
    ]
    tables = deepcopy(PLAIN)
    tables["suppliers"] += [{"supplier": "Core\u0301e"}, {"supplier": "Cor\u00e9e"}]
    assert (
        told(tables)[0]
        == "suppliers!A5: supplier 'Cor\u00e9e' (with U+00E9) stands in A4 already, as"
        " 'Core\u0301e' (with U+0301); rename or remove one of the two"
    )


def test_a_reference_that_only_looks_like_its_key_says_why() -> None:
    tables: Tables = deepcopy(PLAIN)
    tables["suppliers"][0]["supplier"] = "Meta"
    tables["offers"][0]["supplier"] = "\u041ceta"
    assert told(tables) == [
        "offers!B2: supplier '\u041ceta' (with U+041C) has no row in the sheet suppliers; the"
        " nearest there is 'Meta'"
    ]


def test_a_name_has_an_end() -> None:
    tables: Tables = deepcopy(PLAIN)
    tables["suppliers"].append({"supplier": "x" * 255})
    assert not reading(tables).warnings
    tables["suppliers"].append({"supplier": "x" * 32_767})
    assert told(tables) == [
        "suppliers!A5: supplier must be at most 255 characters long, found 32,767; shorten it, the"
        " column note takes long texts"
    ]
    tables["suppliers"] = PLAIN["suppliers"]
    tables["prices"] = [{"date": JANUARY, "x" * 256: 1}]
    assert told(tables) == [
        "prices!B1: the index must have a name of at most 255 characters, found 256; shorten it"
    ]
    tables["prices"] = [{"date": JANUARY, "x" * 255: 1}]
    tables["suppliers"] = [{**row, "note": "x" * 32_767} for row in PLAIN["suppliers"]]
    assert not reading(tables).warnings


TWO = "they count as two; write them alike where they mean one"
BUYERS: Tables = {"sites": [{"site": "A", "buyer": "Army Depot"}, {"site": "B"}]}
ODD: dict[str, tuple[Tables, list[str]]] = {
    "a country one letter from another": (
        {"suppliers": [{"supplier": "s", "country": "Germany"}, {"supplier": "n", "country": "Germny"}]},
        [f"suppliers!B3: country 'Germny' is one letter from 'Germany' in suppliers!B2: {TWO}"],
    ),
    "the rarer is the slip": (
        {"suppliers": [{"supplier": "s", "country": "Germny"}, *({"supplier": k, "country": "Germany"} for k in "nab")]},
        [f"suppliers!B2: country 'Germny' is one letter from 'Germany' in suppliers!B3: {TWO}"],
    ),
    "a letter of another alphabet": (
        {"suppliers": [{"supplier": "s", "country": "China"}, {"supplier": "n", "country": "Chin\u0430"}]},
        [f"suppliers!B3: country 'Chin\u0430' (with U+0430) is one letter from 'China' in suppliers!B2: {TWO}"],
    ),
    "a buyer of demand": (
        {**BUYERS, "demand": [{**PLAIN["demand"][0], "buyer": "Army Depto"}]},
        [f"demand!E2: buyer 'Army Depto' is one letter from 'Army Depot' in sites!B2: {TWO}"],
    ),
    "a buyer of a fund": (
        {**BUYERS, "funds": [{"fund": "f", "buyer": "Navy"}], "budgets": [{"fund": "f", "amount": 9_999}]},
        ["funds!B2: no row of the sheet sites has the buyer 'Navy': the fund f pays for what serves all alone"],
    ),
    "a buyer of a fund, nearly": (
        {**BUYERS, "funds": [{"fund": "f", "buyer": "Army Depott"}], "budgets": [{"fund": "f", "amount": 9_999}]},
        [f"funds!B2: buyer 'Army Depott' is one letter from 'Army Depot' in sites!B2: {TWO}"],
    ),
    "a rule on nobody": (
        {"rules": [{"rule": "r", "of": "country", "value": "North Korea", "most": 0.5}]},
        ["rules!C2: no row of the sheet suppliers has the country 'North Korea': the rule r counts nothing; "
         "did you mean 'South Korea' in suppliers!B2?"],
    ),
    "a group of materials, nearly": (
        {"materials": [
            {"material": "m", "group": "Minor metals"}, {"material": "indium", "group": "minor metal"},
            {"material": "tin", "group": "MINOR METALS"}]},
        [f"materials!B3: group 'minor metal' is one letter from 'Minor metals' in materials!B2: {TWO}"],
    ),
    "numbers": ({"sites": [{"site": f"Lot {k}", "buyer": f"Depot {k}"} for k in (1, 2, "A", "B", "II", "III")]}, []),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_slips_are_warned_about(odd: str) -> None:
    tables, expected = ODD[odd]
    assert [str(each) for each in reading({**PLAIN, **tables}).warnings] == expected


# --- Names that would do harm ---------------------------------------------------------------------

HOSTILE: Tables = {
    "settings": {
        "start": JANUARY,
        "periods": 2,
        "mip_gap": 0,
        "currency": "USD [2026]",
        "quantity_unit": "k]g[",
        "title": "[/x] \x1b[31m",
    },
    "materials": [{"material": "m[bold]", "price_index": "a!B1"}],
    "sites": [{"site": "Depot \x1b[2J", "buyer": "[red]B!A1"}],
    "suppliers": [{"supplier": "{s}!C3", "country": "\u202eevil"}],
    "offers": [
        {"offer": "[/x]", "supplier": "{s}!C3", "material": "m[bold]", "price_index": "a!B1"}
    ],
    "prices": [{"date": JANUARY, "a!B1": 100}],
    "demand": [
        {
            "material": "m[bold]",
            "buyer": "[red]B!A1",
            "from": JANUARY,
            "to": FEBRUARY,
            "quantity": 7,
        }
    ],
    "scenarios": [{"scenario": "[/x]", "probability": 0.4, "revealed": FEBRUARY}],
    "events": [
        {
            "scenario": "[/x]",
            "table": "prices",
            "column": "a!B1",
            "from": FEBRUARY,
            "how": "scale",
            "value": 1.5,
        }
    ],
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, so.Solution]:
    """A workbook of such names, and its plan."""
    source = book(tmp_path_factory.mktemp("hostile") / "book", HOSTILE)
    return source, so.solve(source, output=source.with_suffix(".xlsx"))


def _edited(plan: Path, edit: Callable[[Any], object]) -> Path:
    workbook = openpyxl.load_workbook(plan, data_only=True)
    edit(workbook)
    workbook.save(other := plan.with_name("edited.xlsx"))
    return other


def test_the_plan_of_hostile_names_passes_its_audit_as_a_workbook(
    hostile: tuple[Path, so.Solution],
) -> None:
    """Also where its currency and unit hold brackets, and where names were typed anew."""
    source, answer = hostile
    assert answer.path is not None
    assert so.audit(source, answer.path).findings == ()

    def typed_anew(workbook: Any) -> None:
        workbook["orders"].sheet_state, workbook["demand"].row_dimensions[2].hidden = (
            "veryHidden",
            True,
        )
        for column in workbook["orders"].iter_cols():
            for cell in column[1:] if column[0].value != "Instruction" else ():
                if isinstance(cell.value, str):
                    cell.value = f"\xa0{cell.value.upper()}\u200b"

    edited = _edited(answer.path, typed_anew)
    found = so.audit(source, edited)
    assert found.findings == ()
    assert found.notes[:2] == (
        "orders: this sheet is hidden, and is read",
        "demand: 1 row of it is hidden, and read",
    )
    assert not [
        row
        for row in compare([read_plan(answer.path).sheets, read_plan(edited).sheets])
        if row.differs
    ]
    other = _edited(
        answer.path, lambda workbook: setattr(workbook["orders"].cell(2, 2), "value", "[/y]")
    )
    assert so.audit(source, other).findings


def test_what_a_plan_says_of_its_run_is_reported_by_cell_where_it_cannot_be(
    hostile: tuple[Path, so.Solution],
) -> None:
    source, answer = hostile
    assert answer.path is not None

    def edit(workbook: Any) -> None:
        workbook["run"].append(["decided before", "soon"])
        row = next(row for row in workbook["run"].iter_rows() if row[0].value == "changes")
        row[1].value = "offers twice"

    with pytest.raises(InputError) as caught:
        so.audit(source, _edited(answer.path, edit))
    first, second = map(str, caught.value.faults)
    assert re.match(r"run!B\d+: changes 'offers twice' is no change; write it as in ", first)
    assert re.match(
        r"run!B\d+: decided before must be a date, found 'soon'; write it as year-month-day,"
        r" as in ",
        second,
    )


def test_the_terminal_shows_names_as_they_stand(
    hostile: tuple[Path, so.Solution], capsys: pytest.CaptureFixture[str]
) -> None:
    """No markup of them is followed or swallowed, and nothing of them steers the terminal."""
    show_plan(hostile[1], True)
    shown = capsys.readouterr().out
    assert shown.startswith("\n[/x] [31m: optimal")
    assert re.search(r"^\[/x\] +0.4", shown, re.MULTILINE)
    assert "expected, discounted [USD [2026]]" in shown
    table = Table("[/x]", title="[bold]\x1b[2J")
    table.add_row("[red]a\x1b[31m")
    (console := Plain(force_terminal=True, color_system=None, width=60)).print(
        table, "[/y]\u202e:smile:"
    )
    shown = capsys.readouterr().out
    assert not re.search("[\x1b\u202e]", shown.replace("\x1b[0m", ""))
    assert all(
        each in shown
        for each in ("[/x]", "[bold]\\x1b[2J", "[red]a\\x1b[31m", "[/y]\\u202e:smile:")
    )
    assert not console.is_dumb_terminal


def test_no_name_is_a_formula_of_a_chart() -> None:
    """In studies and scenarios, as in plans: charts refer to cells of the program's own sheets."""
    swept = study.AnswerTable(
        "sweep", "over a!B1", ("prices[*].a!B1", "cost [=x!A1]"), [(1.0, 2.0), (2.0, 3.0)], "line"
    )
    answers = [Answered("[/s]!A1", "sweep", [swept], [], [])]
    studies = study_book.compose(
        answers, lambda key: None, {}, Settings(start=JANUARY, periods=1, title="=a!B1")
    )
    with xlsxwriter.Workbook(target := io.BytesIO()) as workbook:
        sheet = workbook.add_worksheet(scenario_book.PATHS)
        prices = FigureAxis("price", "=x!A1/kg", least=0)
        days, base = (
            (JANUARY, dt.date(2027, 2, 1)),
            FigureSeries("base", (1.0, 2.0), "joined", "base"),
        )
        paths = ChartFigure("paths", "Paths of a!B1", "", FigureAxis("date"), prices, days, (base,))
        chart = scenario_book._chart(workbook, 0, paths)
        sheet.insert_chart(0, 0, chart)
    for file in (io.BytesIO(studies), target):
        with zipfile.ZipFile(file) as parts:
            drawn = "".join(
                parts.read(name).decode()
                for name in parts.namelist()
                if name.startswith("xl/charts/")
            )
        assert "a!\u2060B1" in drawn
        assert {found.split("!")[0] for found in re.findall("<c:f>(.*?)</c:f>", drawn)} <= {
            "'1 sweep'",
            scenario_book.PATHS,
        }


def test_offers_that_are_ordered_together_may_be_called_by_figures() -> None:
    """The instruction for both names them, and gives no figure that its row does not hold."""
    tables: Tables = {
        "settings": {"start": JANUARY, "periods": 1},
        "materials": [{"material": "metal"}],
        "suppliers": [{"supplier": "trader"}],
        "offers": [
            {"offer": name, "supplier": "trader", "material": "metal", "price": 10, "capacity": 5}
            for name in ("o2", "2027-03 7, 4N")
        ],
        "order_terms": [{"supplier": "trader", "order_cost": 3}],
        "demand": [{"material": "metal", "from": JANUARY, "quantity": 9}],
    }
    plan = so.solve(so.from_tables(tables)).plan
    assert plan is not None
    assert plan["joint_orders"]["offers"].tolist() == ["2027-03 7, 4N, o2"]
