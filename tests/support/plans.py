"""Plans for tests: a workbook that uses all there is, one of quarters with names like formulas, and
how they are planned.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.solve import Options, scenario_tree, solve
from optimiser.studies.engine.memory_record import MemoryRecord
from optimiser.studies.plan_what_ifs import answered
from optimiser.studies.what_ifs import WhatIf
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build, check
from stockpile_model.stockpile import Stockpile
from tests.support.books import book


def day(month: int, of: int = 1, year: int = 2027) -> dt.date:
    return dt.date(year, month, of)


FULL: dict[str, Any] = {
    "settings": {"title": "All of it", "start": day(1), "periods": 12, "discount_rate": 0.05, "fiscal_year_start": 4, "mip_gap": 0},
    "materials": [
        {
            "material": "gallium", "shelf_life_months": 4, "count_life_months": 2, "price_index": "market", "closing_value": 0.3,
            "shortage_cost": 500, "below_target_cost": 20, "holding_cost": 0.5, "disposal_cost": 2,
        },
        {"material": "germanium", "holding_cost": 0.2, "price_index": "market", "closing_value": 0.5},
    ],
    "sites": [
        {"site": "depot", "capacity": 70, "cost": 0.3, "handling_in": 0.5, "handling_out": 0.4},
        {"site": "vault", "cost": 0.9, "handling_in": 0.1, "handling_out": 0.2},
    ],
    "prices": [
        {"date": day(1), "market": 40, "china": 25},
        {"date": day(7, 15), "market": 70, "china": None},
        {"date": day(12), "market": 30, "china": 35},
    ],
    "opening_stock": [
        {"lot": "old", "material": "gallium", "site": "depot", "quantity": 7, "made": day(8, 20, 2026)},
        {"lot": "young", "material": "gallium", "site": "depot", "quantity": 25, "made": day(11, 20, 2026)},
        {"lot": "reserve", "material": "germanium", "site": "vault", "quantity": 12.5, "made": day(1, 1, 2020)},
    ],
    "demand": [
        {"material": "gallium", "from": day(2), "to": day(12), "quantity": 8},
        {"material": "gallium", "from": day(9), "to": None, "quantity": 190},
        {"material": "germanium", "from": day(3), "to": day(12), "quantity": 2},
    ],
    "targets": [
        {"material": "gallium", "from": day(6), "quantity": 45, "path": "ramp", "hard": "no"},
        {"material": "gallium", "from": day(11), "quantity": 30, "path": "step", "hard": "yes"},
        {"material": "germanium", "from": day(4), "quantity": 5, "path": "step", "hard": "yes"},
    ],
    "suppliers": [
        {"supplier": "ours", "bloc": "domestic", "stage": "building", "start": day(3), "foreign_feedstock": 0.1},
        {"supplier": "theirs", "bloc": "other", "country": "China", "foreign_feedstock": 1},
        {"supplier": "friends", "bloc": "allied", "country": "Japan", "foreign_feedstock": 0.6},
    ],
    "offers": [
        {
            "offer": "spot", "supplier": "theirs", "material": "gallium", "price_index": "china", "premium": 0.1, "adder": 1, "duty": 0.25,
            "freight": 2, "capacity": 40, "total": 200, "minimum_order": 10, "lot_size": 5, "order_cost": 30, "lead_time_months": 1,
            "availability": 0.9,
        },
        {
            "offer": "framework", "supplier": "friends", "material": "gallium", "price": 45, "freight": 1, "from": day(2), "to": day(9),
            "capacity": 15, "minimum_order": 4, "lead_time_months": 2, "payment": "order", "site": "vault",
        },
        {"offer": "germanium_spot", "supplier": "friends", "material": "germanium", "price_index": "market", "capacity": 10},
    ],
    "contracts": [
        {
            "contract": "offtake", "supplier": "ours", "material": "gallium", "price_index": "market", "discount": 0.1, "ceiling": 60,
            "sign_to": day(4), "term_months": 18, "take_or_pay": 0.9, "flex": 1.5, "signing_cost": 75, "lead_time_months": 1, "duty": 0.02,
            "freight": 1.5, "availability": 0.95,
        },
        {"contract": "dear", "supplier": "friends", "material": "gallium", "sign_to": day(2), "term_months": 6, "project": "furnace"},
    ],
    "floors": [
        {"contract": "offtake", "level": "low", "floor": 38, "annual_quantity": 60, "escalation": 0.02},
        {"contract": "offtake", "level": "high", "floor": 44, "annual_quantity": 160, "escalation": 0.02},
        {"contract": "dear", "level": "only", "floor": 900, "annual_quantity": 60},
    ],
    "outlets": [
        {
            "outlet": "resale", "material": "gallium", "form": "sale", "price_index": "market", "price_factor": 0.7, "age_discount": 0.05,
            "capacity": 9, "minimum_life_months": 2, "cost": 0.5, "fund": "stockpile_fund",
        },
        {"outlet": "scrap", "material": "gallium", "form": "dispose", "cost": 0.1, "to": day(10)},
    ],
    "funds": [
        {"fund": "stockpile_fund", "keeps_receipts": "yes"},
        {"fund": "title_three", "uses": "contract", "materials": "gallium"},
    ],
    "budgets": [
        {"fund": "stockpile_fund", "from": day(1), "expires": day(6, 30), "amount": 6000},
        {"fund": "stockpile_fund", "from": day(7), "expires": None, "amount": 1500},
        {"fund": "title_three", "from": day(1), "expires": day(2, 28), "amount": 500},
        {"fund": "title_three", "from": day(3), "expires": day(9, 30), "amount": 2500},
        {"fund": "title_three", "from": day(10), "expires": day(9, 30, 2028), "amount": 400},
    ],
    "rules": [
        {"rule": "spread", "of": "supplier", "material": "gallium", "most": 0.4},
        {"rule": "allies", "of": "bloc", "value": "other", "window": "fiscal_year", "most": 0.5},
        {"rule": "feedstock", "of": "foreign_feedstock", "most": 0.75},
        {"rule": "some_framework", "of": "offer", "value": "framework", "measure": "quantity", "least": 12, "most": 40},
    ],
}  # fmt: skip

FULL["projects"] = [
    {
        "project": "furnace",
        "supplier": "friends",
        "cost": 9000,
        "match": 0.5,
        "capex": 9000,
        "opex": 20,
        "rate": 0.08,
        "life_years": 10,
    },
]
FULL["commitments"] = [
    {"kind": "order", "name": "framework", "date": day(4), "quantity": 4, "how": "at_least"},
    {"kind": "project", "name": "furnace", "quantity": 0},
]

QUARTERS: dict[str, Any] = {
    "settings": {
        "start": day(2),
        "periods": 8,
        "period_months": 3,
        "discount_rate": 0.1,
        "objective": "shortfall_first",
        "mip_gap": 0,
    },
    "materials": [{"material": "indium", "holding_cost": 1}],
    "suppliers": [{"supplier": "=1+1"}, {"supplier": "*", "stage": "announced"}],
    "offers": [
        {
            "offer": "first",
            "supplier": "=1+1",
            "material": "indium",
            "price": 10,
            "capacity": 20,
            "lead_time_months": 3,
            "order_cost": 40,
        },
        {"offer": "second", "supplier": "*", "material": "indium", "price": 14, "capacity": 6},
    ],
    "demand": [{"material": "indium", "from": day(5), "to": day(10, 1, 2028), "quantity": 9}],
    "targets": [{"material": "indium", "from": day(11), "quantity": 60}],
}


SHARED: dict[str, Any] = {
    "settings": {"title": "Two buyers", "start": day(1), "periods": 8, "period_months": 3, "discount_rate": 0.04, "mip_gap": 0},
    "materials": [
        {"material": "gallium", "shelf_life_months": 12, "shortage_cost": 900, "below_target_cost": 30, "disposal_cost": 1},
        {"material": "arsenide", "shortage_cost": 700, "holding_cost": 0.1, "price_index": "market", "closing_value": 0.4},
        {"material": "dross", "holding_cost": 1},
    ],
    "sites": [
        {"site": "fort", "buyer": "army", "cost": 0.2, "handling_in": 0.3, "handling_out": 0.2},
        {"site": "pier", "buyer": "navy", "capacity": 160, "cost": 0.1, "handling_in": 0.1},
        {"site": "yard", "cost": 0.4},
    ],
    "prices": [
        {"date": day(1), "market": 60, "ore": 20},
        {"date": day(1, 1, 2028), "market": 90, "ore": 30},
        {"date": day(10, 1, 2028), "market": 40, "ore": 24},
    ],
    "opening_stock": [
        {"lot": "old", "material": "gallium", "site": "fort", "quantity": 40, "made": day(7, 5, 2026)},
        {"lot": "cake", "material": "arsenide", "site": "pier", "quantity": 15, "made": day(1, 1, 2025)},
    ],
    "demand": [
        {"material": "gallium", "buyer": "army", "from": day(4), "to": day(12, 1, 2028), "quantity": 30},
        {"material": "gallium", "buyer": "navy", "from": day(1), "to": day(12, 1, 2028), "quantity": 25},
        {"material": "arsenide", "from": day(4), "to": day(12, 1, 2028), "quantity": 6},
    ],
    "targets": [
        {"material": "gallium", "buyer": "navy", "from": day(4), "quantity": 35},
        {"material": "gallium", "from": day(1, 1, 2028), "quantity": 70, "hard": "yes"},
    ],
    "suppliers": [
        {"supplier": "mill", "country": "Greece", "bloc": "allied", "stage": "building", "start": day(4)},
        {"supplier": "works", "country": "Canada", "bloc": "allied", "foreign_feedstock": 0.3},
        {"supplier": "trader", "country": "China", "bloc": "other", "foreign_feedstock": 1},
    ],
    "offers": [
        {
            "offer": "bulk", "supplier": "trader", "material": "gallium", "price": 70, "adder": 1, "duty": 0.1, "freight": 2,
            "capacity": 120, "order_cost": 20, "availability": 0.9, "lead_time_months": 3,
        },
        {
            "offer": "steps", "supplier": "works", "material": "gallium", "price_index": "market", "capacity": 60, "payment": "order",
            "lead_time_months": 3,
        },
        {"offer": "plant_spot", "supplier": "mill", "material": "gallium", "price": 35, "capacity": 18, "project": "plant"},
    ],
    "price_breaks": [
        {"offer": "bulk", "from_quantity": 60, "price": 58},
        {"offer": "bulk", "from_quantity": 100, "price": 55},
        {"offer": "steps", "from_quantity": 30, "premium": -0.3, "kind": "incremental"},
    ],
    "projects": [
        {
            "project": "plant", "supplier": "mill", "cost": 900, "match": 0.5, "decide_to": day(12), "ready_lag_months": 6,
            "permits": "water: yes; emissions: applied for", "output": 800, "fund": "industry",
        },
        {"project": "furnace", "supplier": "works", "ready_lag_months": 3, "capex": 4000, "opex": 12, "rate": 0.08, "life_years": 10},
    ],
    "contracts": [
        {
            "contract": "furnace_offtake", "supplier": "works", "material": "gallium", "price_index": "market", "discount": 0.3,
            "ceiling": 50, "upside_share": 0.4, "upside_trigger": 50, "upside_cap": 90, "sign_to": day(9), "take_or_pay": 0.8,
            "flex": 1.2, "signing_cost": 40, "duty": 0.05, "project": "furnace",
        },
        {
            "contract": "hedge", "supplier": "works", "material": "gallium", "form": "cfd", "price_index": "market", "upside_share": 0.5,
            "upside_trigger": 55, "sign_to": day(3), "term_months": 18, "signing_cost": 5,
        },
        {"contract": "legacy", "supplier": "works", "material": "dross", "take_or_pay": 0.5, "availability": 0.8, "term_months": 12},
    ],
    "floors": [
        {"contract": "furnace_offtake", "level": "low", "floor": 18, "annual_quantity": 60},
        {
            "contract": "furnace_offtake", "level": "high", "floor_index": "ore", "floor_factor": 1.4, "annual_quantity": 90,
            "escalation": 0.03,
        },
        {"contract": "hedge", "level": "one", "floor": 65, "annual_quantity": 40},
        {"contract": "legacy", "level": "one", "floor": 5, "annual_quantity": 8},
    ],
    "outlets": [
        {
            "outlet": "swap", "material": "gallium", "form": "exchange", "yield": 0.9, "lead_time_months": 3, "cost": 4, "capacity": 25,
            "minimum_life_months": 3,
        },
        {"outlet": "refine", "material": "gallium", "form": "rework", "yield": 0.8, "to_material": "arsenide", "cost": 3, "to": day(12)},
        {"outlet": "market", "material": "arsenide", "form": "sale", "price_index": "market", "price_factor": 0.2, "fund": "navy_fund"},
    ],
    "funds": [
        {"fund": "army_fund", "buyer": "army"},
        {"fund": "navy_fund", "buyer": "navy", "keeps_receipts": "yes"},
        {"fund": "industry", "uses": "project, contract"},
    ],
    "budgets": [
        {"fund": "army_fund", "from": day(1), "expires": day(12, 31), "amount": 9000},
        {"fund": "army_fund", "from": day(1, 1, 2028), "expires": None, "amount": 9000},
        {"fund": "navy_fund", "from": None, "expires": None, "amount": 15000},
        {"fund": "industry", "from": day(1), "expires": day(12, 31), "amount": 900},
    ],
    "rules": [
        {"rule": "few", "of": "supplier", "measure": "count", "window": "period", "most": 2},
        {"rule": "several", "of": "country", "measure": "count", "window": "horizon", "least": 2},
        {"rule": "bill", "of": "bloc", "value": "other", "measure": "spend", "window": "fiscal_year", "most": 9000},
    ],
    "commitments": [
        {"kind": "order", "name": "bulk", "date": day(1), "quantity": 60, "how": "at_least"},
        {"kind": "sign", "name": "hedge", "level": "one", "date": day(1), "quantity": None, "how": "exactly"},
        {"kind": "sign", "name": "legacy", "level": None, "date": None, "quantity": 1, "how": "at_least"},
        {"kind": "rotate", "name": "swap", "date": None, "quantity": 12, "how": "at_least"},
        {"kind": "rotate", "name": "refine", "date": None, "quantity": 5, "how": "exactly"},
        {"kind": "project", "name": "plant", "date": None, "quantity": 1, "how": "exactly"},
    ],
}  # fmt: skip


UNCERTAIN: dict[str, Any] = {
    **FULL,
    "settings": {**FULL["settings"], "title": "What may come", "risk_weight": 0.25, "risk_tail": 0.2, "after_horizon": "show"},
    # lots take twice the time
    "offers": [{name: cell for name, cell in row.items() if name != "lot_size"} for row in FULL["offers"]],
    "scenarios": [
        {"scenario": "embargo", "probability": 0.2, "follows": None, "revealed": day(5)},
        {"scenario": "war", "probability": 0.1, "follows": "embargo", "revealed": day(9)},
        {"scenario": "glut", "probability": 0.3, "follows": None, "revealed": None},
    ],
    "events": [
        {"scenario": "embargo", "table": "offers", "row": "spot", "column": "capacity", "from": day(5), "how": "set", "value": 10},
        {"scenario": "embargo", "table": "prices", "row": None, "column": "china", "from": day(5), "how": "scale", "value": 2},
        {"scenario": "war", "table": "demand", "row": "gallium", "column": "quantity", "from": day(10), "how": "scale", "value": 1.5},
        {"scenario": "glut", "table": "prices", "column": "market", "from": day(4), "to": day(9), "how": "scale", "value": 0.5},
        {"scenario": "glut", "table": "budgets", "row": "title_three", "column": "amount", "from": day(4), "how": "scale", "value": 0.8},
    ],
}  # fmt: skip


def plan_of(
    tables: Mapping[str, Any] | Path, gap: float = 0.0, reasons: bool = False
) -> Plan | None:
    """The plan of tables, or of a workbook; None where there is none."""
    with TemporaryDirectory() as folder:
        reading = read(tables if isinstance(tables, Path) else book(Path(folder) / "book", tables))
    return plan_for(reading.stockpile, gap, map(str, reading.warnings), reasons)


def plan_for(
    stockpile: Stockpile,
    gap: float = 0.0,
    warnings: Iterable[str] = (),
    reasons: bool = False,
    time_limit: float = 120,
) -> Plan | None:
    """The plan of a stockpile that has no faults; None where there is none."""
    assert [each for each in check(stockpile) if not each.warning] == []
    formulation = build(stockpile)
    outcome = solve(
        formulation.m, Options(gap=gap, time_limit=time_limit), tree=scenario_tree(formulation)
    )
    if outcome.objective is None:
        return None
    run = {
        "input": "book.xlsx",
        "input sha256": "0" * 64,
        "changes": "",
        "planned at": "2026-11-21 10:30:00 UTC",
        "threads": 2,
    }
    return make_plan(formulation, outcome, warnings, run, reasons)


def asked_beside(what_if: WhatIf, plan: Plan) -> Plan:
    """The plan with the answer to a what-if, in this process and to a gap of 0."""
    return answered(plan, [what_if], Options(gap=0.0), MemoryRecord(), "test")


@functools.cache
def shared_plan() -> Plan:
    """The plan of SHARED, solved once in a process."""
    plan = plan_of(SHARED)
    assert plan is not None
    return plan


TOGETHER: dict[str, Any] = {
    **SHARED,
    "projects": [
        SHARED["projects"][0],
        {**SHARED["projects"][1], "capex": 9700, "cost": 50},
    ],
}
"""The furnace needs a grant and the floor of its contract."""


IN_EUROS = {
    **SHARED,
    "prices": [
        {**row, "euro": rate} for row, rate in zip(SHARED["prices"], (1.2, 0.8, 1.1), strict=True)
    ],
    **{
        table: [
            {**row, "currency": "euro"} if k % 2 == 0 else row
            for k, row in enumerate(SHARED[table])
        ]
        for table in ("offers", "contracts", "outlets")
    },
}
"""Every second offer, contract and outlet is in euros, whose worth changes."""

JOINTLY: dict[str, Any] = {
    **SHARED,
    "order_terms": [
        {"supplier": "trader", "minimum_value": 3000, "order_cost": 12, "free_freight_from": 6500},
        {"supplier": "works", "order_cost": 7},
    ],
}
"""What is ordered from the trader in a period is worth 3,000, and from 6,500 on free of freight."""


MOVED: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 4, "mip_gap": 0},
    "materials": [{"material": "gallium", "shelf_life_months": 3}],
    "suppliers": [{"supplier": "smelter"}],
    "sites": [
        {"site": "port", "buyer": "navy"},
        {"site": "vault", "buyer": "army"},
        {"site": "yard", "buyer": "army", "cost": 1},
    ],
    "offers": [
        {
            "offer": "spot",
            "supplier": "smelter",
            "material": "gallium",
            "price": 10,
            "from": day(2),
            "site": "port",
        }
    ],
    "opening_stock": [
        {"lot": "old", "material": "gallium", "site": "port", "quantity": 6, "made": day(1)}
    ],
    "outlets": [
        {
            "outlet": "check",
            "material": "gallium",
            "form": "requalify",
            "yield": 0.5,
            "gain_months": 2,
            "cost": 0.5,
        },
    ],
    "funds": [{"fund": "navy", "buyer": "navy"}, {"fund": "army", "buyer": "army"}],
    "budgets": [{"fund": "navy", "amount": 100}, {"fund": "army", "amount": 100}],
    "demand": [
        {"material": "gallium", "buyer": "army", "from": day(2), "quantity": 5},
        {"material": "gallium", "buyer": "army", "from": day(4), "quantity": 5.5},
    ],
    "moves": [
        {
            "move": "road",
            "from_site": "port",
            "to_site": "vault",
            "cost": 2,
            "lead_time_months": 1,
            "capacity": 6,
        },
        {"move": "rail", "from_site": "yard", "to_site": "port"},
    ],
}
"""Only the port has supply, and only the vault and the yard serve the army."""


@functools.cache
def jointly_plan() -> Plan:
    """The plan of JOINTLY, solved once in a process."""
    plan = plan_of(JOINTLY)
    assert plan is not None
    return plan


@functools.cache
def together_plan() -> Plan:
    """The plan of TOGETHER, solved once in a process."""
    plan = plan_of(TOGETHER)
    assert plan is not None
    return plan


@functools.cache
def uncertain_plan() -> Plan:
    """The plan of UNCERTAIN, solved once in a process."""
    plan = plan_of(UNCERTAIN, gap=0.02)
    assert plan is not None
    return plan


@functools.cache
def full_plan() -> Plan:
    """The plan of FULL, solved once in a process."""
    plan = plan_of(FULL, gap=0.01)
    assert plan is not None
    return plan


@functools.cache
def moved_plan() -> Plan:
    """The plan of MOVED, solved once in a process.

    5 of the lot leave for February. For April 5 are bought, and what passes a test of the last 1
    follows them.
    """
    plan = plan_of(MOVED)
    assert plan is not None
    return plan
