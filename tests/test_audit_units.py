"""The audit in any unit: a plan whose figures are all in other units has the same findings, and no
tolerance is a number of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from optimiser.auditing import Line, Sheets, audit
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.schema import Column, Row, columns
from stockpile_model.stockpile import Stockpile
from tests.support.plans import day, plan_of, shared_plan
from tests.support.trees import tree_plan
from tests.test_audit import Plant, drop, planted, put

PLANS: dict[str, Callable[[], Plan]] = {
    "shared": shared_plan,
    "tree": lambda: tree_plan("two_stage"),
}
UNITS = [
    (1e6, 1.0),
    (1e-6, 1.0),
    (1.0, 1e6),
    (1.0, 1e-6),
    (1e-3, 1e9),
    (1e6, 1e-6),
]  # of quantity and of money, in the new ones


def factor(column: Column, row: Any, quantity: float, money: float) -> float:
    """By what the figures of a column are multiplied in other units."""
    if column.kind != "number":
        return 1.0
    of = (
        row
        if isinstance(row, Line)
        else {name: getattr(row, name, None) for name in ("measure", "kind")}
    )
    counted = column.name == "quantity" and of.get("kind") in ("sign", "project")
    if " or " in column.unit or counted:  # the row says which
        measure = str(of.get("measure") or of.get("kind"))
        return {"quantity": quantity, "order": quantity, "rotate": quantity, "spend": money}.get(
            measure, 1.0
        )
    head, *below = (
        {"quantity": quantity, "money": money}.get(part, 1.0) for part in column.unit.split("/")
    )
    return head / math.prod(below)


def changed(row: Row, kinds: dict[str, type[Row]], quantity: float, money: float) -> Row:
    """A row of the input in other units."""
    new = {
        each.field: value * factor(each, row, quantity, money)
        for each in columns(type(row))
        if isinstance(value := getattr(row, each.field), (int, float))
        and factor(each, row, quantity, money) != 1
    }
    if type(row).OPEN:
        new["values"] = {
            name: price if name == "euro" else price * money / quantity
            for name, price in row.values.items()  # type: ignore[attr-defined]
        }  # a currency is worth as much in the book's, when both have other units
    if row.TABLE == "events" and row.how != "scale" and isinstance(row.value, (int, float)):  # type: ignore[attr-defined]
        of = [each for each in columns(kinds[row.table]) if each.name == row.column]  # type: ignore[attr-defined]
        new["value"] = row.value * (factor(of[0], row, quantity, money) if of else money / quantity)  # type: ignore[attr-defined]
    return replace(row, **new)


def in_other_units(
    plan: Plan, sheets: Sheets, quantity: float, money: float
) -> tuple[Stockpile, Sheets]:
    """The input of a plan and its sheets, where a unit of quantity is `quantity` new ones and one
    of money `money`.
    """
    kinds = {kind.TABLE: kind for kind in plan.stockpile.tables}
    tables = {
        kind: tuple(changed(row, kinds, quantity, money) for row in rows)
        for kind, rows in plan.stockpile.tables.items()
    }
    rows: dict[str, list[Line]] = {}
    for kind in plan.rows:
        if kind is Assumption:  # it repeats the input, in words
            continue
        known = {each.name: each for each in columns(kind)}
        rows[kind.SHEET] = [copy.copy(line) for line in sheets[kind.SHEET]]
        for line in rows[kind.SHEET]:
            for name, value in line.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    line[name] = value * factor(known[name], line, quantity, money)
    money_claims = ("objective", "bound", "expected_cost", "cvar")
    claims = {
        name: None if (value := getattr(sheets, name)) is None else value * money
        for name in money_claims
    }
    costs = {heading: cost * money for heading, cost in sheets.costs.items()}
    made = replace(
        sheets,
        rows=rows,
        costs=costs,
        waste=sheets.waste * quantity,
        shortfall=sheets.shortfall * quantity,
        **claims,
    )
    return replace(plan.stockpile, tables=tables, views=(), shape=None, scenarios={}), made


SENTENCES = ("instruction", "in words")
"""How an audit names the sentences of a plan."""


def found(
    plan: Plan, sheets: Sheets, quantity: float = 1.0, money: float = 1.0
) -> list[tuple[str, str]]:
    """Where and what an audit finds, in some units; the sentences of the plan keep the old ones."""
    findings = audit(*in_other_units(plan, sheets, quantity, money)).findings
    return [(each.where, each.what) for each in findings if not each.what.startswith(SENTENCES)]


@pytest.mark.parametrize("units", UNITS, ids=str)
@pytest.mark.parametrize("name", PLANS)
def test_a_sound_plan_passes_in_any_unit(name: str, units: tuple[float, float]) -> None:
    assert found(PLANS[name](), as_sheets(PLANS[name]()), *units) == []


FAULTS: list[Plant] = [
    put("orders", "ordered", lambda old: old * (1 + 3e-6)),
    put("deliveries", "quantity", lambda old: old * (1 + 3e-6)),
    put("deliveries", "price", lambda old: old * (1 + 1e-6)),
    put("lots", "quantity", lambda old: old * (1 + 1e-5)),
    put("movements", "quantity", lambda old: old * (1 + 1e-5), kind="demand"),
    put("cash_flow", "amount", lambda old: old * (1 + 1e-5), heading="purchases"),
    put("cash_flow", "discounted", lambda old: old * (1 + 1e-8), heading="purchases"),
    put("payments", "amount", lambda old: old * (1 + 1e-4), amount=lambda amount: amount > 1000),
    put("budget", "spent", lambda old: old * (1 + 1e-5), spent=lambda spent: spent > 1000),
    drop("movements", kind="arrival"),
]  # fmt: skip


@pytest.mark.parametrize("units", UNITS, ids=str)
def test_a_small_fault_is_found_alike_in_any_unit(units: tuple[float, float]) -> None:
    for plant in FAULTS:
        sheets = planted(as_sheets(shared_plan()), plant)
        assert found(shared_plan(), sheets) != []
        assert found(shared_plan(), sheets, *units) == found(shared_plan(), sheets)


MIXED: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 3, "mip_gap": 0},
    "materials": [{"material": "gallium"}, {"material": "scandium"}],
    "suppliers": [{"supplier": "smelter"}],
    "offers": [
        {
            "offer": "tonnes",
            "supplier": "smelter",
            "material": "gallium",
            "price": 5,
            "capacity": 90000,
            "minimum_order": 40000,
        },
        {
            "offer": "grams",
            "supplier": "smelter",
            "material": "scandium",
            "price": 9000,
            "lot_size": 0.2,
            "order_cost": 1,
        },
    ],
    "demand": [
        {"material": "gallium", "from": day(1), "to": day(3), "quantity": 20000},
        {"material": "scandium", "from": day(1), "to": day(3), "quantity": 3},
    ],
}


@pytest.mark.parametrize("units", [(1.0, 1.0), *UNITS], ids=str)
@pytest.mark.parametrize(("material", "typical"), [("gallium", 20000), ("scandium", 3)])
def test_each_material_has_noise_of_its_own(
    material: str, typical: float, units: tuple[float, float]
) -> None:
    """Of a few millionths of what is typically asked of it, where another is asked for in tonnes."""
    plan = plan_of(MIXED)
    assert plan is not None
    for share, told in ((5e-7, False), (3e-6, True)):
        for sheet, column, size in (
            ("movements", "quantity", typical),
            ("lots", "quantity", typical),
            ("demand", "met", typical),
        ):
            sheets = planted(
                as_sheets(plan),
                put(sheet, column, lambda old, add=share * size: old + add, material=material),
            )
            assert bool(found(plan, sheets, *units)) == told, f"{sheet} {share}"
        price = {"gallium": 5, "scandium": 9000}[material]
        sheets = planted(
            as_sheets(plan),
            put(
                "cash_flow",
                "amount",
                lambda old, add=share * price * typical: old + add,
                material=material,
            ),
        )
        told_of = [where for where, _ in found(plan, sheets, *units) if where == "cash_flow"]
        assert bool(told_of) == told


def test_noise_stays_below_the_least_decision() -> None:
    lots = {**MIXED, "offers": [{**MIXED["offers"][0], "lot_size": 0.02}, MIXED["offers"][1]]}
    for tables, told in ((MIXED, False), (lots, True)):
        plan = plan_of(tables)
        assert plan is not None
        sheets = planted(
            as_sheets(plan),
            put(
                "movements",
                "quantity",
                lambda old: old + 0.0199,
                material="gallium",
                kind="arrival",
            ),
        )
        assert bool(found(plan, sheets)) == told


def test_what_is_expected_of_millions_is_said_as_its_row_has_it() -> None:
    """1,371,742 and some are ordered: of its figures six do not show the whole ones."""
    plan = plan_of({
        "settings": {"start": "2027-01-01", "periods": 3},
        "materials": [{"material": "ga"}],
        "suppliers": [{"supplier": "s"}],
        "offers": [
            {"offer": "o", "supplier": "s", "material": "ga", "price": 4, "availability": 0.9}
        ],
        "demand": [{"material": "ga", "from": "2027-02-01", "quantity": 1_234_567.8}],
    })  # fmt: skip
    assert plan is not None
    (said,) = plan["orders"]["instruction"]
    assert ", of which 1,234,567.8 kg are expected, for" in said
    assert found(plan, as_sheets(plan)) == []
