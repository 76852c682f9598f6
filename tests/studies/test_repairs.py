"""A workbook that one cell spoils: the cell is named, or a repair no heavier than undoing it."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import load_workbook

import optimiser as so
from optimiser.auditing import AuditError
from optimiser.solving.search_options import Options, SolverError
from optimiser.studies.engine.compiled import trace
from optimiser.studies.repairs import elastic, repair_search, trials
from optimiser.studies.repairs.elastic import Gift, moved
from optimiser.studies.repairs.levers import levers, rounded
from optimiser.studies.repairs.sums import sums
from optimiser.system.interrupts import Interrupt
from stockpile_model import changes
from stockpile_model.block import tables as block_tables
from stockpile_model.build import build
from stockpile_model.schema import columns, get
from stockpile_model.tables import Material
from tests.support.books import book as written_book
from tests.support.commands import run

INPUTS = Path(__file__).resolve().parents[2] / "inputs"
BOOK: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 3},
    "materials": [
        {"material": "ga", "shelf_life_months": 3, "holding_cost": 1, "below_target_cost": 5}
    ],
    "sites": [{"site": "depot", "capacity": 100}],
    "suppliers": [
        {"supplier": "mill", "country": "Canada"},
        {"supplier": "plant", "country": "Greece"},
    ],
    "offers": [
        {
            "offer": "spot",
            "supplier": "mill",
            "material": "ga",
            "price": 10,
            "capacity": 30,
            "total": 60,
            "from": "2027-01-01",
            "to": "2027-03-31",
        },
        {
            "offer": "frame",
            "supplier": "plant",
            "material": "ga",
            "price": 9,
            "capacity": 20,
            "lead_time_months": 1,
            "minimum_order": 2,
        },
    ],
    "opening_stock": [{"lot": "old", "material": "ga", "quantity": 4, "made": "2027-01-01"}],
    "demand": [{"material": "ga", "from": "2027-02-01", "to": "2027-03-31", "quantity": 10}],
    "targets": [{"material": "ga", "from": "2027-03-01", "quantity": 12, "hard": "yes"}],
    "rules": [
        {"rule": "greek", "of": "country", "value": "Greece", "least": 0.2, "most": 0.9},
        {"rule": "both", "of": "supplier", "measure": "count", "least": 2},
    ],
    "funds": [{"fund": "nds"}],
    "budgets": [{"fund": "nds", "from": "2027-01-01", "expires": "2027-12-31", "amount": 400}],
}
DAMAGES = (
    "budgets[nds].amount scale 0.3",
    "budgets[nds].from = 2027-04-01",
    "budgets[nds].expires = 2027-01-31",
    "demand[ga].quantity scale 10",
    "demand[ga].quantity scale 1000",
    "demand[ga].minimum_life_months = 9",
    "demand[ga].from = 2026-06-01|demand[ga].quantity scale 3.4",
    "targets[ga].quantity scale 9",
    "targets[ga].quantity scale 1000",
    "targets[ga].quantity = 90",
    "materials[ga].shelf_life_months = 1",
    "materials[ga].count_life_months = 3",
    "materials[ga].holding_cost scale 1000",
    "sites[depot].capacity = 0",
    "sites[depot].capacity = 5",
    "sites[depot].cost = 500",
    "sites[depot].handling_out = 500",
    "suppliers[plant].start = 2029-01-01",
    "suppliers[plant].stage = announced|settings.supply_stages = operating",
    "offers[spot].capacity = 0",
    "offers[spot].capacity = 1|offers[frame].capacity = 4",
    "offers[spot].total = 1|offers[frame].capacity = 4",
    "offers[frame].total = 1",
    "offers[frame].capacity = 0.5",
    "offers[frame].minimum_order = 50",
    "offers[frame].minimum_order = 5000",
    "offers[frame].lot_size = 70",
    "offers[frame].lead_time_months = 6",
    "offers[frame].from = 2027-03-01",
    "offers[frame].to = 2026-12-31",
    "offers[frame].availability = 0.02",
    "offers[*].price scale 20",
    "rules[greek].least = 0.9|offers[frame].capacity = 10",
    "rules[both].least = 3",
    "settings.order_step = 70|offers[frame].total = 69",
    "commitments[row 2].quantity = 500",
)
"""Each leaves no plan. After a bar stands what only makes the first change matter."""


OFFTAKE: dict[str, Any] = {
    "contracts": [
        {
            "contract": "offtake",
            "supplier": "plant",
            "material": "ga",
            "sign_from": "2028-01-01",
            "sign_to": "2028-03-01",
            "term_months": 12,
        }
    ],
    "floors": [{"contract": "offtake", "level": 1, "floor": 9, "annual_quantity": 12}],
}


def base(*given: str) -> so.Book:
    extra = {}
    if any("commitments" in each for each in given):
        extra["commitments"] = [
            {"kind": "order", "name": "frame", "date": "2027-01-01", "quantity": 5}
        ]
    return so.from_tables({**BOOK, **extra}, *given)


@pytest.fixture(autouse=True)
def _fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer fewer repairs, which is quicker, and all of them however slow the machine is."""
    monkeypatch.setattr(repair_search, "MOST", 3)
    monkeypatch.setattr(trials, "ALWAYS", 60.0)


def undone(book: so.Book, damage: str) -> tuple[set[str], float]:
    """Return the cells that a damage moved, and what it weighs to undo it."""
    cells, weight = set(), 0.0
    before = {each.address: each.value for each in levers(base(*_needs(damage)).stockpile)}
    for lever in levers(book.stockpile):
        old = before.get(lever.address, lever.column.default)
        if old != lever.value and damage.startswith(lever.row.TABLE):
            cells.add(lever.cell)
            weight += lever.weight(lever.extreme if old is None else old)
    return cells, weight


def _needs(damage: str) -> tuple[str, ...]:
    return ("commitments[row 2].quantity = 5",) if "commitments" in damage else ()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_cell_that_leaves_no_plan_is_named(damage: str) -> None:
    book = base(*damage.split("|"))
    found = so.explain(book)
    assert found.status == "infeasible", damage
    assert found.repairs
    for each in found.repairs:
        assert so.solve(book.change(*each.changes)).plan is not None, each.changes
    cells, weight = undone(book, damage.split("|", maxsplit=1)[0])
    named = cells & {cell for each in found.repairs for cell in each.cells}
    assert named or found.repairs[0].weight <= weight * (1 + 1e-6), (cells, found)


def test_every_column_that_gives_is_a_column_of_its_table() -> None:
    for kind in block_tables():
        names = {each.name for each in columns(kind)} | ({kind.OPEN} if kind.OPEN else set())
        assert set(kind.GIVES) <= names, kind.TABLE


def test_a_cell_is_addressed_alone() -> None:
    stockpile = so.read(INPUTS / "portfolio.xlsx").stockpile
    for lever in levers(stockpile):
        changed = changes.apply(stockpile, changes.parse(lever.set_to(lever.extreme)))
        differ = [
            (kind.TABLE, new.line)
            for kind, rows in stockpile.tables.items()
            for old, new in zip(rows, changed.rows(kind), strict=True)
            if old != new
        ]
        if lever.row.TABLE != "settings":
            assert differ == [(lever.row.TABLE, lever.row.line)], lever.address


@pytest.mark.parametrize(
    ("value", "direction", "size", "found"),
    [
        (13411876.2, 1, 1e7, 13412000.0),
        (38950.9, -1, 1e4, 38950.0),
        (0.0, 1, 1.0, 0.0),
        (1e-12, -1, 1e-12, 1e-12),
        (-2.00001, 1, 1.0, -2.0),
    ],
)
def test_a_figure_to_type_is_on_the_safe_side(
    value: float, direction: int, size: float, found: float
) -> None:
    assert rounded(value, direction, size, 5) == pytest.approx(found, rel=1e-12)
    assert (rounded(value, direction, size, 5) - value) * direction >= -1e-9 * abs(value)


def test_slopes_of_a_traced_build_are_differences() -> None:
    """What a cell moves in the program is what a build with another value moves."""
    stockpile = base().stockpile.anchored()
    chosen = [each for each in levers(stockpile) if each.numeric]
    piece = trace(lambda at: moved(stockpile, chosen, at), [each.value for each in chosen])
    point = [each.value for each in chosen]
    for name, at, which in piece.places:
        slopes = piece.expressions.slopes(which)
        for k in range(len(chosen)):
            step = 1e-6 * max(1.0, abs(point[k]))
            ends = []
            for sign in (-1, 1):
                near = [*point]
                near[k] += sign * step
                ends.append(piece.expressions.at(near))
            if ends[0] is None or ends[1] is None:
                continue  # at a kink, where another piece begins
            steep = (ends[1] - ends[0])[which] / (2 * step)
            for found, wanted in zip(slopes, steep, strict=True):
                assert found.get(k, 0.0) == pytest.approx(wanted, rel=1e-4, abs=1e-6), name
        assert len(at) == len(slopes)


def test_a_workbook_with_a_plan_needs_no_repair() -> None:
    found = so.explain(base())
    assert (found.status, found.repairs) == ("feasible", ())
    assert "nothing is to repair" in next(found.lines())


def test_the_least_change_is_known_by_hand() -> None:
    """10 are wanted and 4 can come: the capacity or the demand moves by 6, to the last digit."""
    book = so.from_tables(
        {
            "settings": {"start": "2027-01-01", "periods": 1},
            "materials": [{"material": "ga"}],
            "suppliers": [{"supplier": "mill"}],
            "offers": [
                {"offer": "a", "supplier": "mill", "material": "ga", "price": 3, "capacity": 4}
            ],
            "demand": [{"material": "ga", "from": "2027-01-01", "quantity": 10}],
        }
    )
    found = so.explain(book)
    by_cell = {each.cells: each for each in found.repairs}
    assert by_cell["demand!C2",].changes == ("demand[ga].quantity = 4",)
    assert by_cell["demand!C2",].said == "Short in FY2027: lower `demand!C2` from 10 to 4"
    assert by_cell["offers!E2",].changes == ("offers[a].capacity = 10",)
    assert by_cell["offers!E2",].objective == pytest.approx(30)
    assert {each.cell for each in found.clash.rules} == {"demand!C2", "offers!E2"}
    assert found.clash.smallest
    assert any("no plan exists" in each for each in found.sums)


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_repairs_do_not_depend_on_the_units(factor: float) -> None:
    """With all money times a factor the same cells give, by the same part of themselves."""
    poor = {**BOOK, "budgets": [{**BOOK["budgets"][0], "amount": 120}]}
    dear = json.loads(json.dumps(poor))
    for table, names in (
        ("materials", ("holding_cost", "below_target_cost")),
        ("offers", ("price",)),
        ("budgets", ("amount",)),
    ):
        for row in dear[table]:
            row.update({name: row[name] * factor for name in names})
    one, other = (so.explain(so.from_tables(each)) for each in (poor, dear))
    assert one.repairs[0].cells == other.repairs[0].cells
    assert one.repairs[0].weight == pytest.approx(other.repairs[0].weight, rel=1e-3)


def test_a_repair_is_written_into_a_workbook_of_its_own(tmp_path: Path) -> None:
    path = written_book(
        tmp_path / "poor.xlsx", {**BOOK, "budgets": [{"fund": "nds", "amount": 120}]}
    )
    before = path.read_bytes()
    found = so.explain(path, apply=1, output=tmp_path / "fixed.xlsx")
    assert path.read_bytes() == before
    fixed = so.read(tmp_path / "fixed.xlsx")
    assert so.solve(fixed).plan is not None
    wanted = so.read(path).change(*found.repairs[0].changes)
    for name in wanted.tables:
        assert fixed[name].equals(wanted[name]), name


def test_a_repair_keeps_a_blank_setting_with_its_note(tmp_path: Path) -> None:
    path = written_book(
        tmp_path / "poor.xlsx", {**BOOK, "budgets": [{"fund": "nds", "amount": 120}]}
    )
    book = load_workbook(path)
    sheet = book["settings"]
    note = sheet.max_column + 1
    sheet.cell(1, note, "note")
    last = sheet.max_row + 1
    sheet.cell(last, 1, "risk_weight")
    sheet.cell(last, note, "left blank on purpose")
    book.save(path)
    so.explain(path, apply=1, output=tmp_path / "fixed.xlsx")
    rows = [*load_workbook(tmp_path / "fixed.xlsx")["settings"].iter_rows(values_only=True)]
    (kept,) = (row for row in rows if row[0] == "risk_weight")
    assert kept[1] is None
    assert "left blank on purpose" in kept


def test_an_explanation_is_a_workbook_with_links(tmp_path: Path) -> None:
    path = written_book(
        tmp_path / "poor.xlsx", {**BOOK, "budgets": [{"fund": "nds", "amount": 120}]}
    )
    found = so.explain(path, output=tmp_path / "why.xlsx")
    sheet = load_workbook(tmp_path / "why.xlsx")["explanation"]
    rows = [*sheet.iter_rows(min_row=2)]
    cells = {row[1].value: row[1].hyperlink for row in rows if row[1].value}
    assert cells["budgets!B2"].target.startswith("poor.xlsx")
    assert [row[3].value for row in rows if row[3].value] == [
        change for each in found.repairs for change in each.changes
    ]


def test_a_repair_that_there_is_not_writes_nothing(tmp_path: Path) -> None:
    path = written_book(tmp_path / "book.xlsx", BOOK)
    with pytest.raises(so.StockpileError, match="there is no repair 1: there is none"):
        so.explain(path, apply=1, output=tmp_path / "fixed.xlsx")
    assert not (tmp_path / "fixed.xlsx").exists()
    with pytest.raises(so.OutputError, match="is the input workbook"):
        so.explain(path, output=path)
    with pytest.raises(so.StockpileError, match="give the path"):
        so.explain(base(), apply=1, output=tmp_path / "fixed.xlsx")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("budgets[nds].amount = 100", "the money for ga is too little"),
        ("demand[ga].quantity = 200", "above what could arrive at most by then"),
        ("demand[ga].minimum_life_months = 9", "asks for 9 months of life of ga, which has 3 at"),
        ("materials[ga].count_life_months = 3", "asks for 3 months of life of ga, which has 2 at"),
        ("rules[both].least = 3", "the rule both"),
    ],
)
def test_the_sums_come_before_any_solver(damage: str, said: str) -> None:
    assert any(said in each for each in sums(base(damage).stockpile)), sums(base(damage).stockpile)
    assert not sums(base().stockpile)


def test_the_command_explains_in_words_and_as_an_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written_book(tmp_path / "poor.xlsx", BOOK)
    poor = ("explain", path, "--set", "budgets[nds].amount = 120")
    said = run(capsys, *poor)
    assert said.status == 3
    assert "raise `budgets!D2` from 120 to at least" in said.out
    fixed = tmp_path / "fixed.xlsx"
    found = run(capsys, *poor, "--json", "--apply", 1, "-o", fixed)
    assert found.status == 3
    first = json.loads(found.out)["repairs"][0]
    assert set(first) == {"changes", "cells", "said", "weight", "objective", "proven"}
    pasted = [each for change in first["changes"] for each in ("--set", change)]
    solved = run(capsys, "solve", path, *poor[2:], *pasted, "-o", tmp_path / "plan.xlsx", "--json")
    assert solved.status == 0
    assert json.loads(solved.out)["objective"] == pytest.approx(first["objective"], rel=1e-3)
    assert run(capsys, "solve", fixed, "-o", tmp_path / "other.xlsx").status == 0
    assert run(capsys, *poor, "--apply", 1).status == 2
    assert run(capsys, "explain", path).status == 0


def test_a_plan_that_there_is_not_comes_with_its_repairs() -> None:
    found = so.solve(base("budgets[nds].amount = 120")).as_object()
    assert found["status"] == "infeasible"
    assert found["repairs"][0]["cells"] == ["budgets!D2"]


def ban(offer: str, since: str, share: float) -> dict[str, Any]:
    """A scenario in which a share of the capacity of offers is left from a day on."""
    event = {"table": "offers", "row": offer, "column": "capacity", "from": since}
    return {
        "scenarios": [{"scenario": "ban", "probability": 0.4, "revealed": "2027-01-01"}],
        "events": [{"scenario": "ban", **event, "how": "scale", "value": share}],
    }


def test_a_scenario_that_is_the_cause_is_named() -> None:
    """In a ban a twentieth comes under each offer, so what is wanted is short there alone."""
    tables = {**BOOK, **ban("*", "2027-01-01", 0.05)}
    found = so.explain(so.from_tables(tables, "opening_stock[old].quantity = 0"))
    assert found.status == "infeasible"
    assert all("in scenario ban" in each.said for each in found.repairs), found


def by_index(*given: str) -> so.Book:
    """The book with its offers at the price of an index."""
    offers = [
        {**{k: v for k, v in row.items() if k != "price"}, "price_index": "us"}
        for row in BOOK["offers"]
    ]
    prices = [{"date": "2027-01-01", "us": 10}, {"date": "2027-03-01", "us": 11}]
    return so.from_tables({**BOOK, "offers": offers, "prices": prices}, *given)


def test_a_price_that_the_money_cannot_pay_is_named_alone() -> None:
    """One date of an index ten times too dear: nothing else may give, so the price does."""
    search = search_of(by_index("prices[2027-03-01].us scale 10"), {"prices"})
    found = search.run(proven=False)
    assert found.status == "infeasible"
    assert found.repairs[0].cells == ("prices!B3",)
    changed = by_index("prices[2027-03-01].us scale 10", *found.repairs[0].changes)
    assert so.solve(changed).plan is not None


def search_of(given: so.Book, kept: set[str]) -> repair_search.RepairSearch:
    """Return the search for repairs in which cells of some tables alone give."""
    held = {
        (kind.TABLE, each.name)
        for kind in block_tables()
        for each in columns(kind)
        if kind.TABLE not in kept
    }
    with Interrupt(keeps=False) as interrupt:
        return repair_search.RepairSearch(given.stockpile, Options(), interrupt, held)


def test_what_a_cell_moves_to_first_order_is_a_difference() -> None:
    """The pull of each cell is what all cells give more where it is a little larger."""
    given = by_index("budgets[nds].amount = 200")

    def least(at: so.Book) -> tuple[repair_search.RepairSearch, Gift]:
        with Interrupt(keeps=False) as interrupt:
            search = repair_search.RepairSearch(at.stockpile, Options(), interrupt)
            program = search.program
            return search, program.least(program.given, Options(), interrupt)

    search, first = least(given)
    pulls = search.program.pull(first)
    seen = 0
    for j, pull in pulls.items():
        lever = search.levers[j]
        if lever.row.TABLE == "prices":
            up = given.change(lever.set_to(lever.value * (1 + 1e-4)))
            more = (least(up)[1].weight - first.weight) / (lever.value * 1e-4)
            assert pull == pytest.approx(more, rel=1e-2, abs=1e-6), lever.address
            seen += pull != 0
    assert seen


@pytest.mark.parametrize(
    ("event", "opening", "change"),
    [
        (("offers", "*", "capacity", 1), 0, "events[ban].value = "),
        (("suppliers", "plant", "start", "2028-01-01"), 4, "events[ban].value = 2027-02-01"),
        (("prices", "*", "us", 9000), 4, "events[ban].value = "),
    ],
)
def test_what_an_event_sets_can_give(
    event: tuple[str, str, str, object], opening: float, change: str
) -> None:
    table, row, column, value = event
    given = {
        "scenarios": [{"scenario": "ban", "probability": 0.4, "revealed": "2027-01-01"}],
        "events": [
            {
                "scenario": "ban",
                "table": table,
                "row": row,
                "column": column,
                "from": "2027-01-01",
                "how": "set",
                "value": value,
            }
        ],
    }
    whole = {name: table for name, table in BOOK.items() if name != "prices"}
    if table == "prices":
        offers = [{**each, "price": None, "price_index": "us"} for each in BOOK["offers"]]
        whole |= {"offers": offers, "prices": [{"date": "2027-01-01", "us": 10}]}
    damaged = so.from_tables({**whole, **given}, f"opening_stock[old].quantity = {opening}")
    found = so.explain(damaged)
    assert found.status == "infeasible"
    alone = [each for each in found.repairs if each.cells == ("events!G2",)]
    assert alone, found
    assert alone[0].changes[0].startswith(change)
    assert so.solve(damaged.change(*alone[0].changes)).plan is not None


def test_no_figure_is_a_power_of_ten() -> None:
    lever = next(each for each in levers(base().stockpile) if each.address == "offers[spot].price")
    assert lever.set_to(0.0000125) == "offers[spot].price = 0.0000125"
    assert lever.set_to(2.5e11) == "offers[spot].price = 250000000000"
    assert "0.0000125" in lever.said(0.0000125)


def test_a_solver_that_fails_ends_no_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the linear programs would have said is not known then; dates still give."""

    def fail(*_: object) -> None:
        raise SolverError("HiGHS ended with the status 'Unknown'")

    monkeypatch.setattr(elastic, "highs", SimpleNamespace(optimise=fail, optimise_inside=fail))
    found = so.explain(base("budgets[nds].from = 2027-04-01"))
    assert found.status == "infeasible"
    assert {each.cells for each in found.repairs} & {("budgets!B2",)}


def test_a_repair_whose_plan_fails_its_audit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """`solve` would not write that plan, so it is no proof."""
    refused: list[object] = []

    def refuse(plan: object) -> None:
        refused.append(plan)
        raise AuditError(())

    monkeypatch.setattr(trials, "audited", refuse)
    found = so.explain(base("budgets[nds].amount = 120"), time_limit=2.0)
    assert refused
    assert (found.status, found.repairs) == ("infeasible", ())


def test_what_is_done_a_whole_number_of_times_gives_whole_numbers() -> None:
    """How often metal may be tested can give too; half a test there is not."""
    book = so.from_tables({
        "settings": {"start": "2027-01-01", "periods": 3},
        "materials": [{"material": "ga", "shelf_life_months": 3}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "spot", "supplier": "mill", "material": "ga", "price": 10, "capacity": 3}],
        "outlets": [{"outlet": "test", "material": "ga", "form": "requalify", "gain_months": 1, "times": 2}],
        "demand": [{"material": "ga", "from": "2027-01-01", "to": "2027-03-01", "quantity": 5}],
    })  # fmt: skip
    assert so.explain(book).repairs[0].changes == ("demand[ga].quantity = 3",)


def test_one_cell_among_many_is_found_by_few_trials() -> None:
    """Halving finds it, and one trial more says that no other is needed."""
    search = search_of(base("budgets[nds].expires = 2027-01-31"), {"budgets", "offers", "rules"})
    wanted = next(j for j, each in enumerate(search.levers) if each.column.name == "expires")
    tried: list[frozenset[int]] = []

    class Counted(trials.Trials):
        def feasible(self, stockpile: Any) -> bool:
            moved_cells = frozenset(
                j
                for j, each in enumerate(search.levers)
                if get(stockpile.rows(type(each.row))[each.number], each.column.name)
                == each.extreme
            )
            tried.append(moved_cells)
            return wanted in moved_cells

    counted = Counted(search.stockpile, search.options, search.interrupt, search.pace)
    found = trials.fewest(counted, search.levers, range(len(search.levers)), large=False)
    assert found == {wanted: search.levers[wanted].extreme}
    assert len(tried) <= 2 + math.ceil(math.log2(len(search.levers)))


@pytest.mark.parametrize("most", [None, 2, 1])
def test_a_set_of_more_cells_than_are_offered_is_not_completed(
    most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cells make a plan, and neither alone."""
    search = search_of(base("budgets[nds].expires = 2027-01-31"), {"budgets", "offers", "rules"})
    wanted = {0, len(search.levers) - 1}

    def feasible(_: object, stockpile: Any) -> bool:
        moved_cells = (
            j
            for j, each in enumerate(search.levers)
            if get(stockpile.rows(type(each.row))[each.number], each.column.name) == each.extreme
        )
        return wanted <= set(moved_cells)

    monkeypatch.setattr(trials.Trials, "feasible", feasible)
    chosen = range(len(search.levers))
    found = trials.fewest(search.trials, search.levers, chosen, large=False, most=most)
    assert (found is None) == (most == 1)
    assert found is None or found.keys() == wanted


@pytest.mark.parametrize(
    "damage",
    [
        "budgets[nds].amount scale 0.3",
        "targets[ga].quantity = 90",
        "offers[spot].capacity = 1|offers[frame].capacity = 4",
    ],
)
def test_what_a_cell_that_is_too_little_misses_another_must_do(damage: str) -> None:
    """No cell that makes a plan alone is left out; the cell that is too little is not asked again,
    nor what does no more than it does.
    """
    search = search_of(base(*damage.split("|")), {"budgets", "targets", "offers", "demand"})
    ask = search.program.least
    first = ask(search.program.given, search.options, search.interrupt)
    alone = search.program.alone(first)
    able = {j for j in alone if ask([j], search.options, search.interrupt).values}
    assert able
    unable = search.program.given - able
    for j in unable:
        assert able <= search._without(j, alone).keys() <= alone.keys()
    for j in alone.keys() - able:
        assert j not in search._without(j, alone)


def test_lots_and_least_orders_are_looked_at_first_where_whole_numbers_leave_no_plan() -> None:
    """Lighter cells could make a plan too, many of them together."""
    search = search_of(base("offers[frame].lot_size = 70"), {"offers", "demand", "targets"})
    lumps = {search.levers[j].address for j in search.effects.lumpy()}
    assert lumps >= {"offers[frame].lot_size", "offers[frame].minimum_order"}
    assert {each.partition("[")[0] for each in lumps} == {"offers"}
    found = search.run(proven=True)
    assert found.repairs[0].changes[0].startswith("offers[frame].lot_size =")


def test_a_trial_with_a_plan_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was tried is proven with the model of the trial."""
    built: list[object] = []

    def counted(stockpile: Any) -> Any:
        built.append(stockpile)
        return build(stockpile)

    search = search_of(base("budgets[nds].expires = 2027-01-31"), {"budgets"})
    lever = next(each for each in search.levers if each.column.name == "expires")
    monkeypatch.setattr(trials, "build", counted)
    assert search.trials.feasible(moved(search.stockpile, [lever], [lever.extreme]))
    status, cost = search.trials.solved([lever.set_to(lever.extreme)])
    assert status == "optimal"
    assert len(built) == 1
    other, _ = search.trials.solved([lever.set_to(lever.extreme), "demand[ga].quantity = 9"])
    assert other == "optimal"
    assert len(built) == 2
    plan = so.solve(base("budgets[nds].expires = 2027-01-31").change(lever.set_to(lever.extreme)))
    assert plan.plan is not None
    assert cost == pytest.approx(plan.plan.objective)


def test_a_repair_that_had_no_time_gets_all_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no other was found; that its cost is not proven is said."""
    search = search_of(base("budgets[nds].amount = 120"), {"budgets"})
    seen: list[bool] = []

    def solved(_: object, changes: object, patient: bool = False) -> tuple[str, float | None]:
        seen.append(patient)
        return ("feasible", 1234.0) if patient else ("no_plan", None)

    monkeypatch.setattr(repair_search, "LATE", 0.0)
    monkeypatch.setattr(trials.Trials, "solved", solved)
    found = search.run(proven=True)
    assert seen == [False, False, False, True]
    assert [each.proven for each in found.repairs] == [False]
    assert any("1,234 USD (not proven" in each for each in found.lines())
    assert "not proven" in found.repairs[0].told


@pytest.mark.parametrize("ended", ["feasible", "infeasible"])
def test_that_there_is_no_plan_is_said_where_it_is_proven(
    monkeypatch: pytest.MonkeyPatch, ended: Any
) -> None:
    """That a search out of time found only what changes cells, or nothing, is no proof."""
    search = search_of(base("budgets[nds].amount = 120"), {"budgets"})
    values = {0: 200.0} if ended == "feasible" else {}
    monkeypatch.setattr(elastic.ElasticProgram, "least", lambda *_: Gift(ended, values, 1.0))
    monkeypatch.setattr(elastic.ElasticProgram, "possible", lambda *_, **__: None)
    assert search.run(proven=False).status == "no_plan"


def test_what_gives_less_than_what_is_too_little_gets_no_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No plan was found in time of what is just enough, and twice as much is proven too little."""
    search = search_of(base("budgets[nds].amount = 120"), {"budgets"})
    tried: list[tuple[float, bool]] = []

    def solved(_: object, changes: tuple[str, ...], patient: bool = False) -> tuple[str, None]:
        amount = float(changes[0].partition("= ")[2])
        tried.append((amount, patient))
        return "infeasible" if 400 < amount < 500 else "no_plan", None

    monkeypatch.setattr(repair_search, "LATE", 0.0)
    monkeypatch.setattr(trials.Trials, "solved", solved)
    monkeypatch.setattr(repair_search.RepairSearch, "_tightened", lambda *_: ("no_plan", None))
    search.run(proven=True)
    assert [amount for amount, patient in tried if patient] == [max(tried)[0]]
    assert len(tried) > 3


def test_what_the_interior_point_holds_for_impossible_is_proven_before_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that the first proof rests on is said, where fewer do not clash."""
    honest = so.explain(base("budgets[nds].amount = 120"))
    assert honest.clash.smallest
    possible = elastic.ElasticProgram.possible

    def hasty(self: Any, *of: Any, proven: bool = False) -> bool | None:
        return possible(self, *of, proven=True) if proven else False

    monkeypatch.setattr(elastic.ElasticProgram, "possible", hasty)
    found = so.explain(base("budgets[nds].amount = 120")).clash
    assert not found.smallest
    assert set(found.rules) >= set(honest.clash.rules)


@pytest.mark.parametrize("proven", [False, True])
def test_whether_cells_can_make_a_plan_is_known_with_and_without_a_proof(proven: bool) -> None:
    search = search_of(base("budgets[nds].amount = 120"), {"budgets"})
    options, program = Options(), search.program
    assert program.possible((), options, search.interrupt, proven) is False
    assert program.possible(program.given, options, search.interrupt, proven) is True


def test_what_no_plan_was_found_for_is_not_tried_again_but_for_its_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Just enough by the relaxation, then twice and ten times the change: three searches, and none
    for how little is enough."""
    search = search_of(base("budgets[nds].amount = 120"), {"budgets"})
    lever = next(j for j, each in enumerate(search.levers) if each.column.name == "amount")
    tried: list[str] = []

    def solved(_: object, changes: tuple[str, ...]) -> tuple[str, None]:
        tried.extend(changes)
        return "no_plan", None

    monkeypatch.setattr(trials.Trials, "solved", solved)
    monkeypatch.setattr(repair_search.RepairSearch, "_tightened", None)
    monkeypatch.setattr(elastic.ElasticProgram, "least", lambda *_: Gift("no_plan", {}, 0.0))
    search._offer({lever: 279.999999}, ())
    assert tried == [f"budgets[nds].amount = {value}" for value in (280, 440.01, 1720.1)]


@pytest.mark.parametrize(
    ("large", "needed", "typed"),
    [
        (False, 279.87654321, [279.88]),
        (True, 279.87654321, [287.88]),
        (False, 280.0, [280, 280.01]),
        (True, 280.0, [280, 280.01]),
    ],
)
def test_in_a_large_model_a_little_more_is_typed_than_just_enough(
    large: bool, needed: float, typed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A twentieth of the change more, unless it is a figure that people write."""
    monkeypatch.setattr(repair_search, "LARGE", 0 if large else 10**9)
    search = search_of(base("budgets[nds].amount = 120"), {"budgets"})
    lever = next(j for j, each in enumerate(search.levers) if each.column.name == "amount")
    assert [each[lever] for each in search._written({lever: needed})] == typed


def test_a_search_in_vain_takes_no_longer_than_all_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the processor: on a machine that does other things too it has more time by the clock."""
    spent, passed = 0.0, 0.0
    monkeypatch.setattr(trials.time, "process_time", lambda: spent)
    monkeypatch.setattr(trials.time, "perf_counter", lambda: passed)
    pace = trials.Pace(300.0, begun=0.0, clock=0.0)
    assert pace.attempt == trials.ATTEMPT
    spent, passed = 10.0, 10.0
    assert pace.attempt == 10.0
    passed = 20.0
    assert pace.attempt == 20.0
    pace.one = 2.0
    assert pace.attempt == trials.LONGER * 2.0 * 2.0


def test_a_search_takes_no_longer_than_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four solves of ten seconds, of which 35 seconds are gone: five are left, and not thirty."""
    monkeypatch.setattr(trials, "ALWAYS", 0.1)
    monkeypatch.setattr(trials.time, "process_time", lambda: 35.0)
    monkeypatch.setattr(trials.time, "perf_counter", lambda: 35.0)
    pace = trials.Pace(300.0, begun=0.0, clock=0.0, one=10.0)
    assert pace.attempt == trials.TIMES * 10.0 - 35.0


@pytest.mark.parametrize("ended", ["no_plan", "infeasible"])
def test_a_change_of_several_cells_waits_for_single_ones(
    ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was tried with is not tried again: neither what is impossible, nor what is slow."""
    search = search_of(base("budgets[nds].amount = 200"), {"budgets", "targets"})
    typed: list[tuple[str, ...]] = []

    def solved(changes: tuple[str, ...], any_plan: bool = False) -> tuple[str, None]:
        typed.append(changes)
        return ended, None

    monkeypatch.setattr(search.trials, "solved", solved)
    several = {j: lever.value * 1.5 for j, lever in enumerate(search.levers) if lever.numeric}
    several = dict([*several.items()][:2])
    search._offer(several, ())
    enough = [*typed]
    assert {len(each) for each in enough} == {2}
    assert frozenset(several) not in search.tried
    search.later = None
    search._offer(several, ())
    assert len(typed) > len(enough)
    assert len({*typed}) == len(typed)
    assert frozenset(several) in search.tried


@pytest.mark.parametrize("large", [False, True])
def test_on_a_large_workbook_single_cells_that_weigh_no_more_come_first(
    large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a proof takes long, two cells count twice."""
    monkeypatch.setattr(repair_search, "LARGE", 0 if large else 10**9)
    damaged = base("materials[ga].holding_cost scale 1000")
    search = search_of(damaged, {"materials", "targets", "budgets"})
    first = search.program.least(search.program.given, search.options, search.interrupt)
    assert len(first.values) == 2
    found = [[*values] for values, _ in itertools.islice(search._candidates(first), 2)]
    assert [len(each) for each in found] == ([1, 1] if large else [2, 1])
    named = [search.levers[each[0]].address for each in found]
    assert ("materials[ga].holding_cost" in named) == large


def test_a_repair_holds_no_cell_that_stays_as_it_is() -> None:
    search = search_of(base("budgets[nds].amount = 100"), {"budgets", "sites"})
    at = {each.address: j for j, each in enumerate(search.levers)}
    money, room = at["budgets[nds].amount"], at["sites[depot].capacity"]
    status, tight = search._tightened({money: 2000.0, room: 1000.0})
    assert status == "optimal"
    assert tight is not None
    assert tight.keys() == {money}


def test_a_cell_that_is_far_off_is_moved_by_powers_of_ten() -> None:
    search = search_of(base(), {"materials"})
    cost = next(each for each in search.levers if each.column.name == "holding_cost")
    assert search._towards(cost, -1000.0) == pytest.approx([0.1, 0.01, 0.001, 0.0])
    assert search._towards(cost, -0.5) == pytest.approx([1 - 0.5005, 1 - 0.625, 0.0])


def test_less_than_any_lot_weighs_is_tried_before_lots() -> None:
    given = so.read(INPUTS / "small.xlsx", "targets[metal].path = ramp")
    with Interrupt(keeps=False) as interrupt:
        search = repair_search.RepairSearch(given.stockpile, Options(), interrupt)
        search.run(proven=False)
    assert search.repairs[0].changes[0].startswith("budgets[treasury].amount = ")


def test_an_event_that_takes_all_away_keeps_no_cell_from_giving() -> None:
    """A value of 0 is a value, also where it is traced."""
    given = ban("spot", "2027-03-01", 0)
    book = so.from_tables({**BOOK, **given}, "budgets[nds].amount = 100")
    with Interrupt(keeps=False) as interrupt:
        search = repair_search.RepairSearch(book.stockpile, Options(), interrupt)
    assert {"events[ban].value", "budgets[nds].amount"} <= {
        search.levers[j].address for j in search.effects.traced
    }


@pytest.mark.parametrize(
    "damage", ["budgets[nds].expires = 2027-01-31", "offers[frame].lead_time_months = 6"]
)
def test_cells_from_which_events_reckon_are_not_cleared(damage: str) -> None:
    """A date that is blank cannot be moved: such a workbook is wrong, whatever else gives."""
    slip = {
        "scenarios": [{"scenario": "slip", "probability": 0.4, "revealed": "2027-02-01"}],
        "events": [
            {
                "scenario": "slip",
                "table": "offers",
                "row": "spot",
                "column": "to",
                "how": "add",
                "value": 1,
            }
        ],
    }
    found = so.explain(so.from_tables({**BOOK, **slip}, damage))
    named = {change.partition(" =")[0] for each in found.repairs for change in each.changes}
    assert damage.partition(" =")[0] in named


def test_what_is_kept_exactly_clashes_as_such() -> None:
    given = [{"kind": "order", "name": "spot", "quantity": 3, "how": "exactly"}]
    book = so.from_tables({**BOOK, "commitments": given}, "offers[frame].total = 14")
    said = [each.said for each in so.explain(book).clash.rules]
    assert "commitment to order spot, exactly 3" in said, said


@pytest.mark.parametrize(("large", "longest"), [(0, 2.0), (10**9, 7.0)])
def test_of_a_large_model_what_makes_it_larger_gives_little_at_first(
    large: int, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A life of two months is an eighth of all that it can give, and enough."""
    monkeypatch.setattr(repair_search, "LARGE", large)
    search = search_of(base("materials[ga].shelf_life_months = 1"), {"materials", "offers"})
    lives, feasible = set[float](), trials.Trials.feasible

    def seen(self: trials.Trials, stockpile: Any) -> bool:
        lives.add(stockpile.rows(Material)[0].shelf_life_months)
        return feasible(self, stockpile)

    monkeypatch.setattr(trials.Trials, "feasible", seen)
    found = search.run(proven=True)
    assert found.repairs[0].changes == ("materials[ga].shelf_life_months = 2",)
    assert max(lives) == longest


@pytest.mark.parametrize("large", [False, True])
def test_light_cells_come_first_also_among_those_that_make_a_model_larger(
    large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = search_of(so.from_tables({**BOOK, **OFFTAKE}), {"materials", "contracts", "offers"})
    orders = list[list[int]]()
    monkeypatch.setattr(trials, "_together", lambda own, given, order: orders.append(order))
    assert trials.fewest(search.trials, search.levers, range(len(search.levers)), large) is None
    weights = [[search.levers[j].give.weight for j in order] for order in orders]
    assert all(each == sorted(each) for each in weights)
    assert len({len(each) for each in orders}) == 1 + large


def test_a_cell_gives_a_share_of_what_it_can_in_whole_months() -> None:
    """Half of the way to the first month, and to the last; half of two horizons more."""
    book = so.from_tables({**BOOK, **OFFTAKE}, "settings.periods = 36")
    given = {each.column.name: each for each in levers(book.stockpile) if each.give.grows}
    assert {name: each.part_way(0.5) for name, each in given.items()} == {
        "shelf_life_months": 39,
        "sign_from": dt.date(2027, 7, 1),
        "sign_to": dt.date(2029, 1, 1),
        "term_months": 48,
    }
