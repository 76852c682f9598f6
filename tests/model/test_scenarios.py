"""Scenarios: which share which nodes, what the rows are there, which mistakes are reported, and
what risk adds up.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

from optimiser.solving.solve import Options, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model import changes
from stockpile_model.block import tables as block_tables
from stockpile_model.block import ties
from stockpile_model.blocks.objective import ScenarioOutcome, cvar
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.stock.lot_outcomes import LotStock, Movement
from stockpile_model.build import build, check, report
from stockpile_model.scenarios import Event, Scenario, unfold
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material
from tests.support.accept import (
    Case,
    book,
    built,
    demand,
    everything,
    lot,
    material,
    month,
    offer,
    prices,
    supplier,
)
from tests.support.books import book as workbook
from tests.support.same import differences
from tests.support.sound import Tables, faults


def scenario(
    name: str, probability: float, revealed: dt.date | int | None = None, follows: str | None = None
) -> Scenario:
    day = month(revealed) if isinstance(revealed, int) else revealed
    return Scenario(scenario=name, probability=probability, revealed=day, follows=follows)


def event(
    name: str,
    table: str,
    row: str | None,
    column: str,
    how: str,
    value: str,
    since: int | None = None,
    to: int | None = None,
) -> Event:
    begin, end = (None if t is None else month(t) for t in (since, to))
    return Event(
        scenario=name,
        table=table,
        row=row,
        column=column,
        from_=begin,
        to=end,
        how=how,
        value=value,
    )


def price(
    name: str, value: str, since: int | None = None, to: int | None = None, how: str = "set"
) -> Event:
    return event(name, "offers", "spot", "price", how, value, since, to)


# Trees
# --------------------------------------------------------------------------------------------------

Nodes = dict[tuple[int, str], tuple[str | None, float]]


def tree(*rows: Row, periods: int = 3) -> Nodes:
    """The nodes of a book: by period and the scenarios that pass, those of the parent and the
    probability.
    """
    stockpile = unfold(book(*rows, offer(), periods=periods))
    names = [", ".join(sorted(each)) for each in stockpile.holds]
    tree = stockpile.tree
    assert all(parent is None or parent < n for n, parent in enumerate(tree.parent))
    return {
        (tree.period[n], names[n]): (
            None if (parent := tree.parent[n]) is None else names[parent],
            pytest.approx(tree.probability[n]),
        )
        for n in tree.nodes
    }


def test_four_scenarios_part_when_they_are_known() -> None:
    """B comes of A two months later; C comes of the base, between the two."""
    rows = (
        scenario("B", 0.1, 3, "A"),
        scenario("C", 0.3, 2),
        scenario("A", 0.2, dt.date(2027, 2, 28), "base"),
    )
    assert tree(*rows, periods=5) == {
        (0, "A, B, C, base"): (None, 1),
        (1, "C, base"): ("A, B, C, base", 0.7),
        (1, "A, B"): ("A, B, C, base", 0.3),
        (2, "base"): ("C, base", 0.4),
        (2, "C"): ("C, base", 0.3),
        (2, "A, B"): ("A, B", 0.3),
        (3, "base"): ("base", 0.4),
        (3, "C"): ("C", 0.3),
        (3, "A"): ("A, B", 0.2),
        (3, "B"): ("A, B", 0.1),
        (4, "base"): ("base", 0.4),
        (4, "C"): ("C", 0.3),
        (4, "A"): ("A", 0.2),
        (4, "B"): ("B", 0.1),
    }


@pytest.mark.parametrize(
    "at_once",
    [scenario("A", 0.25), scenario("A", 0.25, 0), scenario("A", 0.25, dt.date(2020, 5, 1))],
)
def test_what_is_known_at_once_has_a_root_of_its_own(at_once: Scenario) -> None:
    assert tree(at_once, periods=2) == {
        (0, "base"): (None, 0.75),
        (1, "base"): ("base", 0.75),
        (0, "A"): (None, 0.25),
        (1, "A"): ("A", 0.25),
    }


@pytest.mark.parametrize(
    ("events", "known"),
    [
        ([price("A", "5", 2), price("A", "6", 1)], 1),
        ([price("a", "5", 2)], 2),
        (
            [price("A", "5", 2), price("A", "6")],
            0,
        ),  # one that holds as soon as the scenario is known
        ([], 0),
    ],
)
def test_a_scenario_without_a_date_is_known_by_its_first_event(
    events: list[Event], known: int
) -> None:
    assert min(t for t, names in tree(scenario("A", 0.25), *events) if names == "A") == known


def test_without_probability_there_is_no_node() -> None:
    """Neither of A nor of the base; B keeps the past that it shares with A."""
    rows = (scenario("A", 0, 1), scenario("B", 1, 2, "A"), scenario("C", 0, 0))
    assert tree(*rows) == {(0, "B"): (None, 1), (1, "B"): ("B", 1), (2, "B"): ("B", 1)}


def test_what_is_known_after_the_horizon_is_as_what_it_follows() -> None:
    assert list(tree(scenario("A", 0.25, 3), price("A", "99", 0))) == [
        (0, "A, base"),
        (1, "A, base"),
        (2, "A, base"),
    ]


def seen(stockpile: Stockpile, name: str) -> list[float | None]:
    """The price of `spot` in a scenario, period by period."""
    stockpile = unfold(stockpile)
    return [
        stockpile.at(n).keyed(Offer)["spot"].price
        for n in stockpile.tree.paths[stockpile.scenarios[name]]
    ]


def test_an_event_holds_where_its_scenario_is_known_and_between_its_dates() -> None:
    rows = (scenario("A", 0.25, 1), scenario("B", 0.25, 3, "A"), scenario("C", 0.25, 1))
    events = (
        price("B", "2", 2, how="scale"), price("A", "4", 0, 1), price("A", "7", 2), price("A", "1", 2, how="add"), price("C", "3", 2, 2),
    )  # fmt: skip
    stockpile = book(offer(price=10), *rows, *events, periods=5)
    assert seen(stockpile, "base") == [10, 10, 10, 10, 10]
    assert seen(stockpile, "A") == [10, 4, 8, 8, 8]
    assert seen(stockpile, "B") == [10, 4, 8, 16, 16]  # on top of what happened in A
    assert seen(stockpile, "C") == [10, 10, 3, 10, 10]


def test_dates_are_moved_by_months_and_cells_are_found_as_by_a_change() -> None:
    rows = (
        *(
            supplier("plant", start=month(1)),
            supplier("other", start=month(0)),
            offer("spot"),
            offer("dear", 50.0),
            scenario("A", 1),
        ),
        event("A", "Suppliers", "PLANT", "Start", "add", "14"),
        event("A", "offers", None, "price", "scale", "0.5"),
        event("A", "materials", "*", "shelf life months", "set", "6"),
    )
    now = unfold(book(*rows)).at(0)
    assert (now.shipping("plant"), now.shipping("other")) == (15, 0)
    assert [row.price for row in now.rows(Offer)] == [5, 25]
    assert [row.shelf_life_months for row in now.rows(Material)] == [6]


Cell = tuple[str, str, changes.How, str]
"""A table, a column, and how an event changes its cells."""


def sure(*cells: Cell) -> tuple[Stockpile, Stockpile]:
    """The book that uses everything with events that are sure and known at once, and the book in
    which the cells are changed.
    """
    base = everything()
    tables = {kind: rows for kind, rows in base.tables.items() if kind not in (Scenario, Event)}
    plain = replace(base, tables=tables)
    rows: dict[type[Row], tuple[Row, ...]] = {
        Scenario: (scenario("A", 1),),
        Event: tuple(event("A", table, None, *change) for table, *change in cells),
    }
    written = plain.anchored()
    for table, *change in cells:
        written = changes.apply(written, changes.Change(table, "*", *change))
    return replace(base, tables={**tables, **rows}), written


TIED = {(row.TABLE, name) for row, name in ties(everything())}
"""The cells that hold over all scenarios together, which no event may change."""
WITH_AN_OPTION = {("contracts", name) for name in ("term_months", "option_from", "option_months")}
"""The cells of a contract with an option to extend that no event may change."""
OUT_BEFORE = {
    *(("outlets", name) for name in ("yield", "gain_months", "lead_time_months")),
    ("moves", "lead_time_months"),
}
"""The cells by which metal comes back that is out since before the start: no event reaches back."""
CELLS: list[Cell] = [
    (
        kind.TABLE,
        each.name,
        *(
            ("add", "1")
            if each.kind in ("date", "whole") or each.unit == "months"
            else ("scale", "0.5")
        ),
    )
    for kind in block_tables()
    if not kind.CERTAIN
    for each in columns(kind)
    if each.kind in ("number", "whole", "date")
    and not each.key
    and not each.certain
    and (kind.TABLE, each.name) not in TIED | WITH_AN_OPTION | OUT_BEFORE
] + [("prices", "market", "scale", "0.5")]
APART = len(CELLS) // 4
"""How far the cells lie apart that are changed together: no two of one table, which might hide each
other."""


@pytest.mark.parametrize("first", range(APART), ids=lambda k: f"{CELLS[k][0]}.{CELLS[k][1]}")
def test_what_is_sure_and_known_at_once_is_as_if_it_were_written_so(first: int) -> None:
    """Whatever cells events change: the model is the same."""
    happens, written = sure(*CELLS[first::APART])
    assert differences(build(happens).m, build(written).m) == []


@pytest.mark.parametrize("cell", sorted(TIED), ids=".".join)
def test_no_event_changes_what_holds_over_all_scenarios(cell: tuple[str, str]) -> None:
    happens, written = sure((*cell, "scale", "0.5"))
    refused = {(each.table, each.column) for each in check(happens) if not each.warning}
    assert refused - {(each.table, each.column) for each in check(written)} == {cell}


# Mistakes
# --------------------------------------------------------------------------------------------------

SCENARIOS = [
    {"scenario": "embargo", "probability": 0.3, "follows": None, "revealed": month(3)},
    {"scenario": "war", "probability": 0.1, "follows": "embargo", "revealed": month(5)},
]
EVENTS: list[dict[str, Any]] = [
    {
        "scenario": "embargo",
        "table": "offers",
        "row": "spot",
        "column": "price",
        "from": month(3),
        "to": month(6),
        "how": "scale",
        "value": 2,
    },
]
SOUND: Tables = {
    "settings": {"start": month(0), "periods": 8},
    "materials": [{"material": "gallium", "shortage_cost": 900, "below_target_cost": 5}],
    "suppliers": [{"supplier": "Trader"}],
    "offers": [
        {
            "offer": "spot",
            "supplier": "Trader",
            "material": "gallium",
            "price": 300,
            "capacity": 500,
            "lot_size": None,
        },
        {
            "offer": "other",
            "supplier": "Trader",
            "material": "gallium",
            "price": 310,
            "capacity": 500,
            "lot_size": 10,
        },
    ],
    "demand": [{"material": "gallium", "from": month(0), "to": month(7), "quantity": 100}],
    "targets": [{"material": "gallium", "from": month(2), "quantity": 10, "hard": "no"}],
    "scenarios": SCENARIOS,
    "events": EVENTS,
}


def changed(
    scenarios: dict[int, dict[str, Any]] | None = None, events: dict[str, Any] | None = None
) -> Tables:
    """The sound workbook with other cells in rows of its scenarios, or in its event."""
    rows = [{**row, **(scenarios or {}).get(i, {})} for i, row in enumerate(SCENARIOS)]
    return {**SOUND, "scenarios": rows, "events": [{**EVENTS[0], **(events or {})}]}


def test_the_sound_workbook_is(tmp_path: Path) -> None:
    assert not read(workbook(tmp_path / "book.xlsx", SOUND)).warnings


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (
            changed({0: {"probability": 0.95}}),
            "scenarios!B3: the probabilities sum to 1.05: they must be 1 at most, the base has the rest",
        ),
        (
            changed({0: {"probability": 0.9000001}}),
            "scenarios!B3: the probabilities sum to 1.0000001: they must be 1 at most, the base has the rest",
        ),
        (
            changed({1: {"scenario": "Base"}}),
            "scenarios!A3: 'base' is the scenario without events: it has what the others leave; name it otherwise",
        ),
        (changed({1: {"follows": "embarg"}}), "scenarios!C3: 'embarg' has no row in the sheet scenarios (did you mean 'embargo'?)"),
        (changed({1: {"follows": "WAR"}}), "scenarios!C3: follows must not be the scenario itself, found 'war'"),
        (
            changed({1: {"revealed": month(2)}}),
            "scenarios!D3: revealed must not be before embargo, which it follows, is known (2027-04-01)",
        ),
        (changed(events={"scenario": "embarko"}), "events!A2: 'embarko' has no row in the sheet scenarios (did you mean 'embargo'?)"),
        (changed(events={"scenario": "base"}), "events!A2: 'base' has no row in the sheet scenarios"),
        (changed(events={"table": "offer"}), "events!B2: the workbook has no table 'offer' (did you mean 'offers'?)"),
        (changed(events={"row": "sport"}), "events!C2: offers has no row 'sport' (did you mean 'spot'?)"),
        (changed(events={"column": "prize"}), "events!D2: offers has no column 'prize' (did you mean 'price'?)"),
        (changed(events={"column": "offer"}), "events!D2: offer is the key of its row and cannot be changed"),
        (changed(events={"column": "lot_size"}), "events!H2: cannot be: every such cell is blank: only set can change it"),
        (changed(events={"value": -2}), "events!H2: cannot be: offers!D2: price must be at least 0, found -600"),
        (changed(events={"feedstock": "yes", "column": "capacity", "how": "set"}),
         "events!I2: feedstock is for events that scale: it needs how scale, found set"),
        (changed(events={"feedstock": "yes"}),
         "events!I2: feedstock is for what a supplier can bring: scale capacity or total or availability, found price"),
        (changed(events={"feedstock": "yes", "table": "demand", "row": None, "column": "quantity"}),
         "events!I2: feedstock is for what a supplier can bring: no column of demand is so, found quantity"),
        (changed(events={"how": "twice"}), "events!G2: how must be one of set, scale, add, found 'twice'"),
        (changed(events={"to": month(1)}), "events!F2: to must not be before from (2027-04-01), found 2027-02-01"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_cell(tables: Tables, told: str, tmp_path: Path) -> None:
    assert faults(workbook(tmp_path / "book.xlsx", tables)) == [told]


def test_a_circle_is_reported_at_each_of_its_scenarios(tmp_path: Path) -> None:
    tables = changed({0: {"follows": "war", "revealed": month(5)}})
    assert faults(workbook(tmp_path / "book.xlsx", tables)) == [
        "scenarios!C2: the scenarios follow each other in a circle: embargo follows war",
        "scenarios!C3: the scenarios follow each other in a circle: war follows embargo",
    ]


@pytest.mark.parametrize("table", ["settings", "scenarios", "events", "commitments", "funds"])
def test_what_is_fixed_no_scenario_changes(table: str, tmp_path: Path) -> None:
    tables = changed(events={"table": table, "row": "periods", "column": "value", "how": "set"})
    assert faults(workbook(tmp_path / "book.xlsx", tables)) == [
        f"events!B2: no scenario can change {table}"
    ]


def test_no_scenario_limits_a_life_that_was_unlimited(tmp_path: Path) -> None:
    """The age of what is on hand is not kept; with a life from the start, or known from the start,
    it is.
    """
    life = {
        "table": "materials",
        "row": None,
        "column": "shelf_life_months",
        "how": "set",
        "value": 6,
    }
    told = (
        "materials!A2: in scenario embargo: gallium has a shelf life from 2027-04-01 on and none"
        " before: the age of what is on hand is not known; give it a long life in materials"
    )
    assert faults(workbook(tmp_path / "book.xlsx", changed(events=life))) == [told]
    known = changed({0: {"revealed": month(0)}}, {**life, "from": None, "to": None})
    assert not read(workbook(tmp_path / "book.xlsx", known)).warnings


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (
            changed(events={"from": month(8), "to": None}),
            "events!E2: no period of the horizon is covered: the event changes nothing",
        ),
        (
            changed({1: {"revealed": month(8)}}),
            "scenarios!D3: war is known after the horizon: it is the one it follows",
        ),
        (
            changed(events={"row": "supplier = Tradr"}),
            "events!C2: offers has no row of a supplier with supplier = Tradr (did you mean"
            " 'Trader'?): the event changes nothing",
        ),
        (
            changed(events={"row": "country = China"}),
            "events!C2: offers has no row of a supplier with country = China: the event changes"
            " nothing",
        ),
    ],
)
def test_what_changes_nothing_is_a_warning(tables: Tables, told: str, tmp_path: Path) -> None:
    assert [str(each) for each in read(workbook(tmp_path / "book.xlsx", tables)).warnings] == [told]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (
            {"table": "demand", "row": "gallium", "column": "to", "value": "2026-12-01"},
            (
                "demand!C2: in scenario embargo: to must not be before from (2027-01-01), found"
                " 2026-12-01"
            ),
        ),
        (
            {"table": "demand", "row": None, "column": "from", "value": "2028-01-01"},
            (
                "demand!B2: in scenario embargo: no period of the horizon, 2027-01-01 to"
                " 2027-08-31, is covered by 2028-01-01 to 2028-01-01; change the dates or remove"
                " the row"
            ),
        ),
    ],
)
def test_what_an_event_makes_wrong_between_cells_is_reported_with_its_scenario(
    cell: dict[str, Any], told: str, tmp_path: Path
) -> None:
    tables = changed(events={"how": "set", **cell})
    tables["demand"] = [{**tables["demand"][0], "to": month(7) if cell["column"] == "to" else None}]
    assert faults(workbook(tmp_path / "book.xlsx", tables)) == [told]


# Risk and plans
# --------------------------------------------------------------------------------------------------

# 3 are bought in January for 10 each; in A 2 more a year later, for 20 each. What is left, 3 or 5,
# is worth half of 16 another year later; 25 % a year.
RISKY = book(
    *(
        offer(price=10),
        scenario("A", 0.25, 12),
        price("A", "20", 12),
        material(closing_value=0.5, price_index="market"),
        *prices(16),
    ),
    **{
        "periods": 2,
        "period_months": 12,
        "discount_rate": 0.25,
        "risk_weight": 0.5,
        "risk_tail": 0.3,
    },
)
RISKY_PLAN = {
    **{
        "buy[spot,0]": 3,
        "stock[ga,stockpile,0,0]": 3,
        "stock[ga,stockpile,0,1]": 3,
        "buy[spot,2]": 2,
        "stock[ga,stockpile,0,2]": 5,
    },
    **{"so_far[0]": 30, "so_far[1]": 30 - 3 * 8 * 0.64, "so_far[2]": 30 + 32 - 5 * 8 * 0.64},
    **{"excess[1]": 30 - 3 * 8 * 0.64, "excess[2]": 62 - 5 * 8 * 0.64},
}
CASES = [
    Case(
        "balance_cost",
        "what a path costs adds up from node to node, discounted",
        RISKY,
        RISKY_PLAN,
        [{"so_far[1]": 14}, {"so_far[2]": 36}, {"so_far[2]": 6.4}, {"so_far[0]": 29}],
    ),
    Case(
        "hold_excess",
        "beyond the threshold, here 0, each leaf counts with all it costs",
        RISKY,
        RISKY_PLAN,
        [{"excess[1]": 14}, {"excess[2]": 36}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("tail", "worst"),
    [
        (0.1, 400),
        (0.2, 400),
        (0.3, (0.2 * 400 + 0.1 * 200) / 0.3),
        (0.5, (0.2 * 400 + 0.3 * 200) / 0.5),
        (1, 0.5 * 100 + 60 + 80),
    ],
)
def test_the_tail_is_the_mean_of_the_worst(tail: float, worst: float) -> None:
    assert cvar(
        {"base": (0.5, 100), "worst": (0.2, 400), "bad": (0.3, 200)}, tail
    ) == pytest.approx(worst)


def solved(stockpile: Stockpile) -> Any:
    formulation = built(stockpile)
    assert solve(formulation.m, Options(gap=0.0)).status == "optimal"
    return formulation


def test_a_plan_waits_for_what_will_be_known() -> None:
    """10 in January, then 5 or 12: nothing is bought before it is known which."""
    formulation = solved(
        book(
            offer(price=10),
            demand(10, 1),
            scenario("A", 0.5, 1),
            scenario("B", 0.5, 1),
            price("A", "5"),
            price("B", "12"),
        )
    )
    m, holds, tree = formulation.m, formulation.stockpile.holds, formulation.stockpile.tree
    bought = {(tree.period[n], *holds[n]): pyo.value(m.buy["spot", n]) for n in tree.nodes}
    assert bought == pytest.approx({(0, "A", "B"): 0, (1, "A"): 10, (1, "B"): 10})


def test_lots_are_followed_along_each_path() -> None:
    """5 made in January for 3 months. 1 is used in March, in A 4; in B they are dead in February,
    in C they live for ever.
    """
    rows: tuple[Row, ...] = (
        *(lot(5, 0), material(shelf_life_months=3, shortage_cost=9), demand(1, 2)),
        *(scenario("A", 0.25, 1), scenario("B", 0.25, 1), scenario("C", 0.25, 1)),
        *(
            event("A", "demand", "ga", "quantity", "set", "4"),
            event("B", "materials", "ga", "shelf_life_months", "set", "1"),
        ),
        event("C", "materials", "ga", "shelf_life_months", "set", ""),
    )
    found = list(report(solved(book(*rows, periods=3))))
    held = {
        (row.scenarios, row.date): (row.quantity, row.remaining_life)
        for row in found
        if isinstance(row, LotStock)
    }
    moved = {
        (row.scenarios, row.date, row.kind): row.quantity
        for row in found
        if isinstance(row, Movement)
    }
    assert held == {
        ("all", month(0)): (5, 2),
        ("base", month(1)): (5, 1),
        ("A", month(1)): (5, 1),
        ("C", month(1)): (5, None),
        ("C", month(2)): (4, None),
    }
    assert moved == {
        ("all", month(0), "opening"): 5,
        ("base", month(2), "demand"): -1,
        ("base", month(2), "expired"): -4,
        ("A", month(2), "demand"): -4,
        ("A", month(2), "expired"): -1,
        ("B", month(1), "expired"): -5,
        ("C", month(2), "demand"): -1,
    }


def test_lots_are_there_at_every_beginning() -> None:
    """Known at once: in A 2 of 5 are wanted in February, and life is without end there as in the
    base.
    """
    rows = (
        lot(5, 0),
        demand(1, 1),
        scenario("A", 0.25, 0),
        event("A", "demand", "ga", "quantity", "set", "2"),
    )
    found = list(report(solved(book(*rows))))
    assert {
        (row.scenarios, row.date): row.quantity for row in found if isinstance(row, LotStock)
    } == {
        ("base", month(0)): 5,
        ("base", month(1)): 4,
        ("A", month(0)): 5,
        ("A", month(1)): 3,
    }
    assert [
        row.quantity for row in found if isinstance(row, Movement) and row.kind == "opening"
    ] == [5, 5]


def test_each_scenario_is_reported_with_its_cost_and_shortfall() -> None:
    """5 are bought in January for 10 and held for 1 each; 4 of the 9 of A are missed at 7 each.

    What is known after the horizon is as the base, with a probability of its own.
    """
    rows: tuple[Row, ...] = (
        *(offer(price=10, to=month(0)), material(shortage_cost=12, holding_cost=1), demand(5, 1)),
        *(
            scenario("A", 0.25, 1),
            scenario("late", 0.35, 2, "base"),
            event("A", "demand", "ga", "quantity", "set", "9"),
        ),
    )
    found = [row for row in report(solved(book(*rows))) if isinstance(row, ScenarioOutcome)]
    told = {
        row.scenario: (
            row.probability,
            row.follows,
            row.revealed,
            round(row.cost, 4),
            round(row.shortfall, 4),
        )
        for row in found
    }
    assert told == {
        "base": (pytest.approx(0.4), None, None, 55, 0),
        "A": (0.25, "base", month(1), 55 + 4 * 12, 4),
        "late": (0.35, "base", month(2), 55, 0),
    }


@pytest.mark.parametrize("closed", [False, True], ids=["a chain", "a circle"])
def test_scenarios_that_follow_each_other_without_end(closed: bool, tmp_path: Path) -> None:
    """Views of a chain are as many as its scenarios squared: it is cut where no one follows it, and
    reported once.
    """
    rows = [
        {
            "scenario": f"s{at}",
            "probability": 1e-4,
            "follows": f"s{at - 1}" if at else "s1999" if closed else None,
        }
        for at in range(2_000)
    ]
    tables: Tables = {
        "settings": {"start": "2027-01-01", "periods": 3},
        "materials": [{"material": "ga"}],
        "scenarios": rows,
    }
    (line,) = faults(workbook(tmp_path / "book", tables))
    assert line.endswith(
        "follows more than 100 scenarios, one after the other; let it follow an earlier one"
    )


def test_a_chain_of_scenarios_shares_what_is_made() -> None:
    """Each view is one event further than that of the scenario it follows."""
    chain = [scenario(f"s{at}", 0.01, 1, f"s{at - 1}" if at else None) for at in range(40)]
    rows = (*chain, *(price(f"s{at}", "1.5", how="scale") for at in range(40)), offer(price=1))
    made: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        apply = changes.apply
        patch.setattr(changes, "apply", lambda *each: made.append(each) or apply(*each))
        stockpile = unfold(book(*rows, periods=3))
    assert len(made) == 40
    assert stockpile.at(stockpile.scenarios["s39"]).rows(Offer)[0].price == pytest.approx(1.5**40)
