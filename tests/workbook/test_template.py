"""The template: it passes `check`, it solves, and it takes what `check` takes and refuses what
`check` refuses.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import io
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from openpyxl import Workbook
from openpyxl.utils import column_index_from_string, get_column_letter

import optimiser as so
from optimiser.cli.main import cli
from optimiser.cli.template_command import template
from optimiser.scenarios.sampling import uncertainty as uncertain
from optimiser.studies.study_sheet import study_table as studies
from optimiser.studies.study_sheet.study_table import Study
from optimiser.system.errors import InputError, OutputError
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.template.guards import ROWS, SUGGESTED
from optimiser.workbook.template.template_book import MATERIALS, compose, write_template
from stockpile_model.block import tables as block_tables
from stockpile_model.schema import PROVENANCE, Column, Row, columns, get, in_order, keys
from stockpile_model.tables import Price, Settings
from stockpile_model.values import normal
from tests.support.guarded import accepted, choices, named, refuses, validation

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "optimiser" / "workbook" / "template" / "examples"
LAST = ROWS + 1


@pytest.fixture(params=MATERIALS)
def material(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@functools.cache
def composed(material: str) -> bytes:
    return compose(material)


def opened(material: str) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(composed(material)))


@pytest.fixture
def book() -> Workbook:
    return opened("gallium")


def saved(book: Workbook, folder: Path) -> Path:
    book.save(folder / "filled.xlsx")
    return folder / "filled.xlsx"


def letters(book: Workbook, table: str) -> dict[str, str]:
    """The letter of each column of a sheet, by its name."""
    return {
        normal(str(cell.value)): get_column_letter(cell.column)
        for cell in book[table][1]
        if cell.value
    }


def setting(book: Workbook, name: str) -> str:
    """The cell of a setting."""
    return next(f"B{row[0].row}" for row in book["settings"].iter_rows() if row[0].value == name)


def blank_line(book: Workbook, table: str) -> int:
    return 2 + max(
        (
            cell.row
            for row in book[table].iter_rows(min_row=2)
            for cell in row
            if cell.value is not None
        ),
        default=1,
    )


# --- It is a workbook like any other --------------------------------------------------------------


def test_it_passes_the_check_and_holds_its_example(material: str, tmp_path: Path) -> None:
    write_template(tmp_path / "new.xlsx", material)
    found, example = read(tmp_path / "new.xlsx"), read(EXAMPLES / material)
    assert found.warnings == example.warnings == ()
    assert {kind: rows for kind, rows in found.stockpile.tables.items() if rows} == dict(
        example.stockpile.tables
    )
    for column in columns(Settings):
        assert get(found.stockpile.settings, column.name) == get(
            example.stockpile.settings, column.name
        )


def test_it_solves_at_once(material: str, tmp_path: Path) -> None:
    write_template(tmp_path / "new.xlsx", material)
    answer = so.solve(tmp_path / "new.xlsx", output=tmp_path / "plan.xlsx")
    assert answer.plan is not None
    assert answer.status == "optimal"
    assert (answer.plan.objective > 0) == (material != "blank")
    assert answer.plan.waste == answer.plan.shortfall == 0


def test_the_examples_show_what_they_are_for() -> None:
    for name in ("gallium", "indium"):
        tables = {
            kind.TABLE for kind, rows in read(EXAMPLES / name).stockpile.tables.items() if rows
        }
        assert tables >= {
            "suppliers",
            "offers",
            "contracts",
            "floors",
            "demand",
            "targets",
            "funds",
            "budgets",
            "outlets",
            "rules",
        }
    lives = [read(EXAMPLES / name).stockpile.life(name) for name in ("gallium", "indium")]
    assert lives == [12, None]


def test_every_row_of_an_example_says_where_it_comes_from() -> None:
    for name in ("gallium", "indium"):
        for rows in read(EXAMPLES / name).stockpile.tables.values():
            for row in rows:
                assert row.source, row
                assert row.source_date, row
                assert row.confidence in ("high", "medium", "low", "assumption"), row
                if row.source == "assumption":
                    assert row.confidence == "assumption", row


def test_two_templates_are_one_file(material: str) -> None:
    assert compose(material) == composed(material)


def test_the_examples_are_packed() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]["package-data"]["optimiser"]
    files = [
        str(file.relative_to(ROOT / "optimiser")) for file in EXAMPLES.rglob("*") if file.is_file()
    ]
    assert len(files) > 20
    assert [
        file for file in files if not any(fnmatch.fnmatch(file, pattern) for pattern in packed)
    ] == []


# --- Every table, every column --------------------------------------------------------------------


ALL_TABLES = (*block_tables(), *studies.TABLES, *uncertain.TABLES)
ORDER = [kind.TABLE for kind in in_order(ALL_TABLES)]


def test_every_table_is_a_sheet_in_the_order_of_filling(book: Workbook) -> None:
    sheets = {kind.TABLE for kind in (*block_tables(), Study)}
    assert book.sheetnames == ["guide", *(name for name in ORDER if name in sheets), "lists"]
    assert all(kind.PURPOSE for kind in ALL_TABLES)


def test_a_list_leads_to_a_sheet_before_it() -> None:
    for kind in block_tables():
        for column in columns(kind):
            if column.refers:
                assert ORDER.index(column.refers) < ORDER.index(kind.TABLE), (
                    f"{kind.TABLE}.{column.name}"
                )


@pytest.mark.parametrize("kind", block_tables(), ids=lambda kind: kind.TABLE)
def test_every_column_has_a_header_a_comment_and_a_validation(
    kind: type[Row], book: Workbook
) -> None:
    sheet, at = book[kind.TABLE], letters(book, kind.TABLE)
    assert sheet.freeze_panes in ("B2", "C2")
    assert sheet.auto_filter.ref
    assert all(cell.comment for cell in sheet[1])
    if kind is Settings:
        assert set(at) == {"name", "value", *PROVENANCE}
        assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [
            column.name for column in columns(Settings)
        ]
        return
    assert list(at)[-4:] == list(PROVENANCE)
    for column in columns(kind):
        head = sheet[f"{at[column.name]}1"]
        assert column.meaning.replace("`", "")[1:] in head.comment.text
        assert ("Required." in head.comment.text) == column.required
        assert not column.choices or ", ".join(map(str, column.choices)) in head.comment.text
        assert not column.refers or f"See the sheet {column.refers}." in head.comment.text
        assert column.most is None or f"At most {column.most:,.12g}." in head.comment.text
        rule = validation(sheet, f"{at[column.name]}2")
        assert rule is validation(sheet, f"{at[column.name]}{LAST}")
        assert rule.type == expected(kind, column)
        assert rule.prompt
        assert not rule.type or (rule.error and rule.errorTitle and rule.showErrorMessage)


def expected(kind: type[Row], column: Column) -> str | None:
    if column.many:
        return None
    if column.refers or column.choices or column.lists or column.listed:
        return "list"
    if column.name in SUGGESTED:
        return None if kind.TABLE == "sites" else "list"
    if column.key or (column.above is not None and column.kind == "number") or column.whole_periods:
        return "custom"
    return {"text": None, "number": "decimal", "whole": "whole", "date": "date", "yes_no": "list"}[
        column.kind
    ]


def test_excel_can_hold_every_validation(book: Workbook) -> None:
    for sheet in book:
        for rule in sheet.data_validations.dataValidation:
            assert len(rule.formula1 or "") <= 255
            assert max(len(rule.prompt or ""), len(rule.error or "")) <= 255
            assert max(len(rule.promptTitle or ""), len(rule.errorTitle or "")) <= 32
            if (
                rule.type in ("list", "custom")
                and not str(rule.formula1).startswith('"')
                and "list_" in str(rule.formula1)
            ):
                assert not rule.allowBlank  # a gap in the list would let any value pass


def test_every_setting_shows_its_default_and_its_meaning(book: Workbook) -> None:
    sheet = opened("blank")["settings"]
    for row, column in zip(sheet.iter_rows(min_row=2), columns(Settings), strict=True):
        assert column.meaning.replace("`", "")[1:] in row[2].value
        assert row[0].comment
        assert validation(sheet, row[1].coordinate).prompt
        if column.default not in (None, "", ()):
            yes_no = {True: "yes", False: "no"} if column.kind == "yes_no" else {}
            assert row[1].value == yes_no.get(column.default, column.default)


def test_cells_below_the_rows_have_their_format(book: Workbook) -> None:
    at = letters(book, "offers")
    formats = {
        column: each.number_format
        for each in book["offers"].column_dimensions.values()
        for column in range(each.min, each.max + 1)
    }
    shown = {name: formats[column_index_from_string(letter)] for name, letter in at.items()}
    asked = {
        "offer": "@",
        "supplier": "@",
        "from": "yyyy-mm-dd",
        "premium": "0.0 %",
        "price": "#,##0.00",
        "capacity": "#,##0",
    }
    assert {name: shown[name] for name in asked} == asked
    assert shown["source_date"] == "@"  # 2026-11 is no date


def test_the_guide_leads_to_every_sheet(book: Workbook) -> None:
    guide = book["guide"]
    links = [cell.hyperlink.location for row in guide.iter_rows() for cell in row if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:-1]]
    text = "\n".join(str(cell.value) for row in guide.iter_rows() for cell in row if cell.value)
    assert "stockpile check mine.xlsx" in text
    assert "stockpile solve mine.xlsx" in text
    assert "[" not in text.replace("targets[*]", "")


# --- Drop-downs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (kind, column)
        for kind in block_tables()
        for column in columns(kind)
        if column.refers and not column.many
    ],
    ids=lambda each: each.TABLE if isinstance(each, type) else each.name,
)
def test_a_reference_is_offered_every_key_and_no_other(
    kind: type[Row], column: Column, book: Workbook
) -> None:
    cell = f"{letters(book, kind.TABLE)[column.name]}{blank_line(book, kind.TABLE)}"
    if column.refers == "prices":
        book["prices"]["D1"] = "shanghai [USD/kg]"
        assert choices(book, kind.TABLE, cell) == ["rotterdam", "china_domestic", "shanghai"]
        assert not refuses(book, kind.TABLE, cell, "shanghai")
    else:
        (target,) = (each for each in block_tables() if column.refers == each.TABLE)
        key = letters(book, column.refers)[keys(target)[0]]
        for line, name in (
            (blank_line(book, column.refers), "fresh"),
            (LAST, "last"),
        ):  # after a gap, and at the end
            book[column.refers][f"{key}{line}"] = name
            assert choices(book, kind.TABLE, cell)[-1] == name
            assert not refuses(book, kind.TABLE, cell, name)
    # Where a group may stand too, the list names what is usual.
    assert refuses(book, kind.TABLE, cell, "nobody") == (not column.grouped)


DEPENDENT = [(kind, each) for kind in block_tables() for each in columns(kind) if each.lists]


@pytest.mark.parametrize(
    ("kind", "column"), DEPENDENT, ids=[f"{kind.TABLE}.{each.name}" for kind, each in DEPENDENT]
)
def test_a_list_depends_on_the_cell_next_to_it(
    kind: type[Row], column: Column, book: Workbook
) -> None:
    table, lists = kind.TABLE, dict(column.lists)
    at, line = letters(book, table), blank_line(book, table)
    (chosen,) = (each for each in columns(kind) if each.name == column.lists_by)
    assert set(lists) <= set(chosen.choices) <= {*lists, "foreign_feedstock"}
    for value, listed in lists.items():
        book[table][f"{at[chosen.name]}{line}"] = value
        offered = choices(book, table, f"{at[column.name]}{line}")
        assert offered == named(book, f"list_{listed}")
        assert offered or listed == "projects"
        assert refuses(book, table, f"{at[column.name]}{line}", "nobody")
    assert named(book, "list_nothing") == []


def test_buyers_are_suggested_and_not_required(book: Workbook) -> None:
    book["sites"]["B2"] = "navy"
    cell = f"{letters(book, 'demand')['buyer']}4"
    assert choices(book, "demand", cell) == ["navy"]
    assert not refuses(book, "demand", cell, "army")


def test_an_event_is_of_a_scenario_and_of_a_table_that_can_change(book: Workbook) -> None:
    at = letters(book, "events")
    for line, name in ((2, "war"), (3, "peace")):
        book["scenarios"][f"A{line}"] = name
    assert choices(book, "events", f"{at['scenario']}2") == ["war", "peace"]
    assert refuses(book, "events", f"{at['scenario']}2", "base")
    tables = choices(book, "events", f"{at['table']}2")
    kinds = (*block_tables(), *studies.TABLES)
    assert set(tables) == {kind.TABLE for kind in kinds if not kind.CERTAIN}
    assert not refuses(book, "events", f"{at['table']}2", "suppliers")
    certain = [kind.TABLE for kind in kinds if kind.CERTAIN]
    assert [
        table for table in certain if not refuses(book, "events", f"{at['table']}2", table)
    ] == []


def test_a_scenario_to_follow_is_suggested_and_may_be_the_base(book: Workbook) -> None:
    book["scenarios"]["A2"] = "war"
    cell = f"{letters(book, 'scenarios')['follows']}3"
    assert choices(book, "scenarios", cell) == ["war"]
    assert not refuses(book, "scenarios", cell, "base")


def test_the_names_of_indices_are_worked_out_from_their_headers() -> None:
    lists = openpyxl.load_workbook(io.BytesIO(composed("gallium")), data_only=True)["lists"]
    assert [row[1].value for row in lists.iter_rows(min_row=2, max_row=4)] == [
        "rotterdam",
        "china_domestic",
        None,
    ]


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "name", "good", "bad"),
    [
        ("offers", "price", [0, 12.5], [-1, "dear"]),
        ("offers", "premium", [-1, 0.3], [-1.5]),
        ("offers", "availability", [0, 1], [1.2, 95]),
        ("offers", "lot_size", [0.5, 50], [0, -50, "50 kg"]),
        ("offers", "lead_time_months", [0, 3], [0.5, -1]),
        ("offers", "from", [dt.date(2027, 3, 31)], [dt.date(2827, 3, 31), 12.5, "soon"]),
        ("offers", "payment", ["order"], ["later"]),
        (
            "offers",
            "offer",
            ["fresh", "neo"],
            ["neo_framework", "NEO_framework", " neo_framework "],
        ),
        ("floors", "escalation", [-0.5, 0.02], [-1, "2 %"]),
        ("targets", "hard", ["yes", "no"], ["perhaps"]),
        (
            "prices",
            "date",
            [dt.date(2030, 1, 1)],
            [dt.date(2027, 1, 1), dt.date(2700, 1, 1), "soon"],
        ),
        ("prices", "rotterdam", [0, 900.5], [-1, "n/a"]),
        ("materials", "shelf_life_months", [24], [0, 2.5]),
        ("funds", "uses", ["purchase, contract"], []),
    ],
)
def test_what_is_wrong_is_refused(
    table: str, name: str, good: list[Any], bad: list[Any], book: Workbook
) -> None:
    cell = f"{letters(book, table)[name]}{blank_line(book, table)}"
    assert [value for value in good if refuses(book, table, cell, value)] == []
    assert [value for value in bad if not refuses(book, table, cell, value)] == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("start", [dt.date(2028, 1, 1)], ["January"]),
        ("periods", [1, 60], [0, 12.5, 5000]),
        ("period_months", [1, 3, 6, 12], [2, 4]),
        ("discount_rate", [0, 0.05, -0.01], [-1, 3]),
        ("objective", ["shortfall_first"], ["least"]),
        ("supply_stages", ["operating, building"], []),
        ("time_limit_seconds", [60], [0]),
        ("risk_weight", [0, 0.25, 1], [-0.1, 25]),
        ("risk_tail", [0.05, 1], [0, 5]),
    ],
)
def test_a_setting_is_refused_by_its_own_kind(
    name: str, good: list[Any], bad: list[Any], book: Workbook
) -> None:
    cell = setting(book, name)
    assert [value for value in good if refuses(book, "settings", cell, value)] == []
    assert [value for value in bad if not refuses(book, "settings", cell, value)] == []


def test_a_level_stands_once_in_a_contract(book: Workbook) -> None:
    line = blank_line(book, "floors")
    book["floors"][f"A{line}"] = "pavlodar_offtake"
    assert refuses(book, "floors", f"B{line}", "high")
    book["floors"][f"A{line}"] = "other_offtake"
    assert not refuses(book, "floors", f"B{line}", "high")


def test_durations_are_whole_periods(book: Workbook) -> None:
    book["settings"][setting(book, "period_months")] = 3
    cell = f"{letters(book, 'offers')['lead_time_months']}{blank_line(book, 'offers')}"
    assert [months for months in (0, 1, 3, 4, 6, 7.5) if refuses(book, "offers", cell, months)] == [
        1,
        4,
        7.5,
    ]


def test_what_an_example_holds_is_accepted(material: str) -> None:
    book = opened(material)
    untouched = {column.name for column in columns(Settings) if column.unbuilt is True}
    for kind in block_tables():
        for row in book[kind.TABLE].iter_rows(min_row=2):
            for cell in row[1:] if kind is Settings else row:
                if cell.value is not None and row[0].value not in untouched:
                    assert accepted(book, kind.TABLE, cell.coordinate), (
                        f"{kind.TABLE}!{cell.coordinate} {cell.value}"
                    )


def test_what_is_left_to_correct_is_coloured(book: Workbook) -> None:
    for kind in block_tables():
        at, found = letters(book, kind.TABLE), book[kind.TABLE].conditional_formatting
        marked = {
            (str(each.sqref), rule.formula[0])
            for each in found
            for rule in each.rules
            if rule.formula
        }
        for column in columns(kind):
            if kind is Settings:
                continue
            area = f"{at[column.name]}2:{at[column.name]}{LAST}"
            tests = " ".join(formula for where, formula in marked if where == area)
            assert ("COUNTA(" in tests) == column.required, f"{kind.TABLE}.{column.name}"
            assert (">1)" in tests) == column.key, f"{kind.TABLE}.{column.name}"
            assert not column.refers or column.many or f"TRIM(list_{column.refers})" in tests, (
                f"{kind.TABLE}.{column.name}"
            )
            listed = f"TRIM(list_{column.grouped}s)" in tests
            assert listed == bool(column.grouped), f"{kind.TABLE}.{column.name}"


# --- An officer fills it --------------------------------------------------------------------------

NEW: dict[str, dict[str, Any]] = {
    "prices": {"date": dt.date(2029, 6, 30), "rotterdam": 900, "china_domestic": 240},
    "materials": {"material": "germanium", "shelf_life_months": 24, "price_index": "rotterdam", "closing_value": 0.5},
    "sites": {"site": "annex", "capacity": 500, "cost": 0.5},
    "moves": {"move": "lorry", "from_site": "depot", "to_site": "annex", "cost": 0.5, "lead_time_months": 1, "capacity": 100},
    "opening_stock": {"lot": "001", "material": "gallium", "site": "depot", "quantity": 12.5, "made": dt.date(2026, 11, 1)},
    "in_transit": {"name": "trial", "ordered": dt.date(2026, 11, 1), "arrives": dt.date(2027, 2, 1), "quantity": 5, "unpaid": 100, "site": "depot"},
    "demand": {"material": "gallium", "from": dt.date(2027, 2, 1), "quantity": 5},
    "targets": {"material": "germanium", "from": dt.date(2028, 6, 1), "quantity": 0, "hard": "no"},
    "suppliers": {"supplier": "korea_zinc", "country": "South Korea", "bloc": "allied", "start": dt.date(2028, 7, 1)},
    "funds": {"fund": "dpa", "uses": "contract, project", "materials": "gallium", "keeps_receipts": "no"},
    "budgets": {"fund": "dpa", "from": dt.date(2027, 10, 1), "expires": dt.date(2028, 9, 30), "amount": 500000},
    "projects": {"project": "onsan", "supplier": "korea_zinc", "cost": 1e6, "match": 0.5, "breakeven_floor": 600, "ready_lag_months": 6},
    "offers": {"offer": "trial", "supplier": "korea_zinc", "material": "gallium", "price": 950, "capacity": 100, "site": "annex"},
    "price_breaks": {"offer": "trial", "from_quantity": 50, "price": 900, "kind": "all_units"},
    "order_terms": {"supplier": "korea_zinc", "minimum_value": 50000, "order_cost": 500, "free_freight_from": 200000},
    "supply_curves": {"index": "rotterdam", "from_quantity": 250, "rise": 0.04, "window": "fiscal_year"},
    "contracts": {"contract": "onsan_offtake", "supplier": "korea_zinc", "material": "gallium", "price_index": "rotterdam"},
    "floors": {"contract": "onsan_offtake", "level": "only", "floor": 500, "annual_quantity": 1200},
    "outlets": {"outlet": "dump", "material": "germanium", "form": "dispose", "cost": 1},
    "rules": {"rule": "allied", "of": "bloc", "value": "allied", "measure": "share", "least": 0.1},
    "scenarios": {"scenario": "embargo", "probability": 0.2, "follows": "base", "revealed": dt.date(2028, 1, 1)},
    "events": {
        "scenario": "embargo", "table": "offers", "row": "trial", "column": "capacity", "from": dt.date(2028, 1, 1),
        "to": dt.date(2028, 12, 31), "how": "scale", "value": "0.5",
    },
    "commitments": {"kind": "order", "name": "trial", "date": dt.date(2028, 8, 1), "quantity": 60, "how": "exactly"},
    "endowments": {"name": "trial", "buyer": "army", "share": 1},
}  # fmt: skip


def test_a_new_row_in_every_sheet_is_taken_and_passes(book: Workbook, tmp_path: Path) -> None:
    assert {*NEW, "settings"} == {kind.TABLE for kind in block_tables()}
    for table in book.sheetnames:
        at = letters(book, table)
        line = blank_line(book, table) if table in NEW else 0
        for name, value in NEW.get(table, {}).items():
            assert not refuses(book, table, f"{at[name]}{line}", value), f"{table}.{name}"
        for name, value in zip(
            PROVENANCE, ("a letter", "2026-11", "medium", "by telephone"), strict=True
        ):
            if table in NEW:
                book[table][f"{at[name]}{line}"] = value
    stockpile = read(saved(book, tmp_path)).stockpile
    for kind in block_tables():
        if kind is not Settings:
            row = stockpile.rows(kind)[-1]
            assert row.source_date == "2026-11"
            given = {
                name: get(row, name)
                for name in NEW[kind.TABLE]
                if kind is not Price or name == "date"
            }
            shown = {name: value for name, value in NEW[kind.TABLE].items() if name in given}
            assert {
                name: ", ".join(value) if isinstance(value, tuple) else value
                for name, value in given.items()
            } == {
                name: {"yes": True, "no": False}.get(str(value), value)
                for name, value in shown.items()
            }


def test_a_blank_template_is_filled_from_nothing(tmp_path: Path) -> None:
    book = opened("blank")
    book["prices"]["B1"] = "market [USD/kg]"
    for table, row in {
        "prices": {"date": dt.date(2027, 1, 1), "market": 80},
        "demand": {"material": "metal", "from": dt.date(2027, 3, 1), "quantity": 10},
        "suppliers": {"supplier": "mill"},
        "offers": {
            "offer": "spot",
            "supplier": "mill",
            "material": "metal",
            "price_index": "market",
        },
    }.items():
        at = letters(book, table)
        for name, value in row.items():
            assert not refuses(book, table, f"{at[name]}2", value), f"{table}.{name}"
    answer = so.solve(saved(book, tmp_path), output=tmp_path / "plan.xlsx")
    assert answer.plan is not None
    assert answer.plan.objective == pytest.approx(800)


def test_a_pasted_slip_is_reported_with_its_cell(book: Workbook, tmp_path: Path) -> None:
    cell = f"{letters(book, 'offers')['supplier']}2"
    assert refuses(book, "offers", cell, "new")
    with pytest.raises(
        InputError,
        match=(
            rf"^offers!{cell}: supplier 'new' has no row in the sheet suppliers; the nearest there"
            r" is 'neo'$"
        ),
    ):
        read(saved(book, tmp_path))


# --- The command ----------------------------------------------------------------------------------


def test_the_command_writes_gallium_by_default(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["template", str(tmp_path / "new.xlsx")])
    assert ran.exit_code == 0, ran.output
    assert f"stockpile check {tmp_path / 'new.xlsx'}" in ran.output
    assert (tmp_path / "new.xlsx").read_bytes() == composed("gallium")
    ran = CliRunner().invoke(cli, ["check", str(tmp_path / "new.xlsx")])
    assert ran.exit_code == 0, ran.output
    (option,) = (each for each in template.params if each.name == "material")
    assert tuple(option.type.choices) == MATERIALS  # type: ignore[attr-defined]


def test_no_file_is_replaced_without_force(tmp_path: Path) -> None:
    path = tmp_path / "mine.xlsx"
    path.write_bytes(b"work of a week")
    with pytest.raises(
        OutputError,
        match=r"mine\.xlsx: exists already; choose another name, or replace it with --force$",
    ):
        write_template(path, "blank")
    assert path.read_bytes() == b"work of a week"
    write_template(path, "blank", force=True)
    assert path.read_bytes() == composed("blank")
    assert [each.name for each in tmp_path.iterdir()] == ["mine.xlsx"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("new.xls", "a template is written as .xlsx"), ("none/new.xlsx", "there is no folder")],
)
def test_a_place_where_none_can_stand_is_reported_in_one_line(
    name: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match=said) as raised:
        write_template(tmp_path / name, "gallium")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
