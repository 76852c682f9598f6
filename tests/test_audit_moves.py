"""The audit of moves between sites: both legs, the terms, and what is on its way."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import Sheets, audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from tests.support.plans import MOVED, day, moved_plan, plan_of


def told(plan: Plan, sheets: Sheets) -> list[str]:
    """What an audit says of a plan, a line each."""
    return [str(each) for each in audit(plan.stockpile, sheets).findings]


def test_a_plan_with_moves_passes() -> None:
    sheets = as_sheets(moved_plan())
    assert told(moved_plan(), sheets) == []
    kinds = {line["kind"] for line in sheets["movements"]}
    assert {"move out", "move in"} <= kinds
    paid = {(line["fund"], line["use"]) for line in sheets["payments"]}
    assert ("navy", "storage") in paid  # of the site that the metal leaves


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("quantity", 4.0, r"move out .* must be 4, found 5"),
        ("cost", 1.0, r"cost .* must be 10 \(moves!"),
        ("arrives", day(3), r"arrives .* must be 2027-02-01 \(moves!"),
        ("to_site", "yard", r"to site .* must be 'vault' \(moves!"),
        ("from_site", "yard", r"from site .* must be 'port' \(moves!"),
        ("age", 1.0, r"age .* must be 0"),
        ("move", "rail", r"from site .* must be 'yard' \(moves!"),
        ("move", "ship", r"'ship' has no row in the sheet moves"),
        ("date", day(4), r"arrives .* is past the horizon \(moves!"),
    ],
)
def test_a_planted_fault_of_a_move_is_found(column: str, value: object, finding: str) -> None:
    sheets = copy.deepcopy(as_sheets(moved_plan()))
    assert sheets["moves"][0]["quantity"] == pytest.approx(5)
    sheets["moves"][0][column] = value
    found = told(moved_plan(), sheets)
    assert any(re.search(finding, each) for each in found), found


@pytest.mark.parametrize(
    ("kind", "column", "value", "finding"),
    [
        ("move in", "quantity", 4.0, r"move in .* must be 5, found 4"),
        ("move in", "lot", "other", r"move in \(lot other .* must be 0, found 5"),
        ("move in", "date", day(3), r"move in .* in 2027-03"),
        ("move out", "site", "yard", r"move out .* yard"),
        ("move out", "name", "ship", r"'ship' has no row in the sheet moves"),
        ("move in", "name", "ship", r"'ship' has no row in the sheet moves"),
    ],
)
def test_a_planted_fault_of_a_movement_is_found(
    kind: str, column: str, value: object, finding: str
) -> None:
    sheets = copy.deepcopy(as_sheets(moved_plan()))
    line = next(each for each in sheets["movements"] if each["kind"] == kind)
    line[column] = value
    found = told(moved_plan(), sheets)
    assert any(re.search(finding, each) for each in found), found


@pytest.mark.parametrize(
    ("cell", "finding"),
    [
        ({"capacity": 4}, r"what is moved by road .* must be at most 4 \(moves!"),
        ({"cost": 3}, r"cost .* must be 15 \(moves!"),
        ({"material": "indium"}, r"material .* must be 'indium' \(moves!"),
    ],
)
def test_a_plan_of_other_terms_is_found(cell: dict[str, Any], finding: str) -> None:
    road, rail = MOVED["moves"]
    materials = [*MOVED["materials"], {"material": "indium"}]
    tables = {**MOVED, "materials": materials, "moves": [{**road, **cell}, rail]}
    other = so.from_tables(tables).stockpile
    found = [str(each) for each in audit(other, as_sheets(moved_plan())).findings]
    assert any(re.search(finding, each) for each in found), found


def test_metal_that_moves_twice_in_a_period_is_found() -> None:
    """5 come by rail and leave by road, in the month in which they come."""
    port, vault, yard = MOVED["sites"]
    tables = {
        **MOVED,
        "sites": [port, vault, {**yard, "buyer": "navy"}],
        "opening_stock": [{**MOVED["opening_stock"][0], "site": "yard"}],
        "demand": [{**MOVED["demand"][0], "from": day(3)}],
    }
    there = plan_of(tables)
    assert there is not None
    sheets = copy.deepcopy(as_sheets(there))
    assert told(there, sheets) == []
    for line in (*sheets["moves"], *sheets["movements"]):
        if "rail" in (line.get("move"), line.get("name")):
            later = {"date": day(2), "age": 1, "remaining_life": 2}
            line.update(later | ({"arrives": day(2)} if "arrives" in line else {}))
    found = told(there, sheets)
    assert any("having moved once in it at most" in each for each in found), found


def test_a_lot_keeps_its_tests_where_it_moves() -> None:
    """Half of what is tested fails; the rest has life for April, and goes to where it is used."""
    only = {**MOVED["outlets"][0], "capacity": 5}
    tables = {
        **MOVED,
        "outlets": [only],
        "demand": [{**MOVED["demand"][1], "quantity": 2.5, "minimum_life_months": 1}],
        "offers": [{**MOVED["offers"][0], "price": 90}],
    }
    plan = plan_of(tables)
    assert plan is not None
    sheets = copy.deepcopy(as_sheets(plan))
    assert told(plan, sheets) == []
    assert [each["lot"] for each in sheets["moves"]] == ["old requalified 2027-03"]
    again = next(each for each in sheets["requalified"] if each["passed"])
    again["passed"], again["times"] = False, None
    found = told(plan, sheets)
    used = r"lot \(army, .* old requalified 2027-03 has failed a test"
    assert any(re.search(used, each) for each in found), found
