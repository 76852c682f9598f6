"""The audit of groups of materials: what they use, hold and weigh, recomputed from rows alone."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from optimiser.auditing import audit
from optimiser.auditing.plan_sheets import Sheets
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.changes import apply, parse
from tests.support.plans import day, plan_of
from tests.support.small_books import Tables, small_books

GROUPED: Tables = {
    "settings": {"start": day(1), "periods": 3, "mip_gap": 0},
    "materials": [
        {"material": name, "group": "gallium", "shortage_cost": cost, "below_target_cost": 3}
        | {"shelf_life_months": life, "count_life_months": life - 3}
        for name, cost, life in (("4N", 40, 4), ("6N", 60, 6))
    ]
    + [{"material": "tin"}],
    "suppliers": [{"supplier": "home", "country": "US"}, {"supplier": "abroad", "country": "CN"}],
    "opening_stock": [
        {"lot": "old", "material": "4N", "quantity": 7, "made": day(12, year=2026)},
        {"lot": "pure", "material": "6N", "quantity": 3, "made": day(9, year=2026)},
    ],
    "demand": [
        {"material": "gallium", "from": day(1), "to": day(3), "quantity": 10},
        {"material": "gallium", "from": day(2), "quantity": 16},
        {"material": "6N", "from": day(2), "quantity": 4},
        {"material": "tin", "from": day(2), "quantity": 6},
    ],
    "targets": [
        {"material": "gallium", "from": day(1), "quantity": 9},
        {"material": "gallium", "from": day(3), "days": 20},
    ],
    "offers": [
        {"offer": "four", "supplier": "abroad", "material": "4N", "price": 10, "capacity": 6},
        {"offer": "six", "supplier": "home", "material": "6N", "price": 15, "capacity": 5},
        {"offer": "tin", "supplier": "abroad", "material": "tin", "price": 2},
    ],
    "rules": [
        {"rule": "china", "of": "country", "value": "CN", "material": "gallium", "most": 0.7}
    ],
}


def grouped_plan() -> Plan:
    plan = plan_of(GROUPED)
    assert plan is not None
    return plan


def findings(plan: Plan, sheets: Sheets | None = None) -> list[str]:
    return [str(each) for each in audit(plan.stockpile, sheets or as_sheets(plan)).findings]


def test_a_plan_of_groups_passes_and_uses_what_is_audited() -> None:
    plan = grouped_plan()
    assert findings(plan) == []
    sheets = as_sheets(plan)
    of_group = [line for line in sheets["demand"] if line["material"] == "gallium"]
    used = {line["material"] for line in sheets["movements"] if line["kind"] == "demand"}
    assert used == {"4N", "6N", "tin"}
    assert any(line["unmet"] > 1 for line in of_group)
    assert any(line["met"] > 1 for line in of_group)
    assert any(line["below"] > 1 and line["cost"] > 1 for line in sheets["targets"])


def edited(sheet: str, column: str, value: Any, **where: Any) -> Callable[[Sheets], None]:
    """Changes the first cell of a column in the rows that hold some values."""

    def edit(sheets: Sheets) -> None:
        line = next(
            each
            for each in sheets[sheet]
            if all(each[name] == wanted for name, wanted in where.items())
        )
        line[column] = value(line[column]) if callable(value) else value

    return edit


FAULTS: dict[str, tuple[Callable[[Sheets], None], str]] = {
    "more is met of the group": (
        edited("demand", "met", lambda met: met + 2, material="gallium"),
        r"what is met \(gallium\) in 2027-01-01",
    ),
    "more is asked of the group": (
        edited("demand", "required", 11, material="gallium"),
        r"what is required \(gallium\) in 2027-01-01 must be 10, found 11",
    ),
    "the price of another material": (
        edited("demand", "cost", lambda cost: cost + 20, material="gallium", unmet=8),
        r"demand!.*cost",
    ),
    "more is met of a material": (
        edited("demand", "met", lambda met: met + 1, material="6N"),
        r"demand![A-Z]\d+: unmet \(6N.* must be -1",
    ),
    "metal of no material of the group": (
        edited(
            "movements", "quantity", lambda quantity: quantity - 2, kind="demand", material="tin"
        ),
        r"what is met \(tin\)",
    ),
    "stock that does not count": (
        edited("targets", "stock", lambda stock: stock + 1, material="gallium"),
        r"targets!.*stock",
    ),
    "a target of no group": (
        edited("targets", "material", "germanium", material="gallium"),
        r"'germanium' has no row in the sheet materials of the input",
    ),
    "a share of all materials": (
        edited("rules", "observed", 0.9, rule="china"),
        r"rules!.*observed \(china",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_rows_of_a_group_is_reported(name: str) -> None:
    plan, (plant, expected) = grouped_plan(), FAULTS[name]
    sheets = as_sheets(plan)
    rows = {sheet: [copy.copy(line) for line in lines] for sheet, lines in sheets.rows.items()}
    planted = replace(sheets, rows=rows)
    plant(planted)
    found = findings(plan, planted)
    assert any(re.search(expected, line) for line in found), "\n".join(found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("materials[4N].shortage_cost set 39", r"cost"),
        ("materials[4N].count_life_months set 3", r"targets!.*stock"),
        ("demand[gallium].quantity scale 1.5", r"what is required \(gallium\)"),
        ("rules[china].most set 0.1", r"observed \(china.* must be at most 0.1"),
    ],
)
def test_a_plan_of_other_cells_is_found_out(change: str, expected: str) -> None:
    plan = grouped_plan()
    stockpile = apply(plan.stockpile, parse(change))
    found = [str(each) for each in audit(stockpile, as_sheets(plan)).findings]
    assert any(re.search(expected, line) for line in found), "\n".join(found)


@settings(max_examples=8)
@given(small_books("group_target"))
def test_plans_of_random_groups_pass(tables: Tables) -> None:
    plan = plan_of(tables)
    assert plan is None or findings(plan) == []
