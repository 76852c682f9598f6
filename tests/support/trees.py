"""Workbooks with scenarios: small trees of two and of several stages, and the two that use all
there is.
"""

from __future__ import annotations

import functools
from typing import Any

from optimiser.plan.plan import Plan
from tests.support.plans import FULL, SHARED, day, plan_of


def happens(
    scenario: str, cell: str, how: str, value: Any, first: Any = None, last: Any = None
) -> dict[str, Any]:
    """An event: `table[row].column`."""
    table, rest = cell.split("[")
    row, column = rest.split("].")
    return {
        "scenario": scenario,
        "table": table,
        "row": row,
        "column": column,
        "from": first,
        "to": last,
        "how": how,
        "value": value,
    }


TWO_STAGE: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 4, "discount_rate": 0.05, "mip_gap": 0, "risk_weight": 0.4, "risk_tail": 0.3},
    "materials": [
        {"material": "gallium", "shortage_cost": 60, "holding_cost": 0.5, "price_index": "market", "closing_value": 0.5},
    ],
    "prices": [{"date": day(1), "market": 20}, {"date": day(4), "market": 23}],
    "suppliers": [{"supplier": "smelter"}, {"supplier": "mill", "start": day(2)}],
    "offers": [
        {"offer": "spot", "supplier": "smelter", "material": "gallium", "price_index": "market", "capacity": 30, "order_cost": 5},
        {
            "offer": "slow", "supplier": "mill", "material": "gallium", "price": 12, "capacity": 6, "lead_time_months": 1,
            "availability": 0.9,
        },
    ],
    "contracts": [
        {
            "contract": "offtake", "supplier": "mill", "material": "gallium", "price_index": "market", "discount": 0.15, "sign_to": day(1),
            "take_or_pay": 0.5, "flex": 1.2, "signing_cost": 3,
        },
    ],
    "floors": [{"contract": "offtake", "level": "one", "floor": 18, "annual_quantity": 36}],
    "demand": [{"material": "gallium", "from": day(1), "to": day(4), "quantity": 12}],
    "funds": [{"fund": "treasury"}],
    "budgets": [{"fund": "treasury", "amount": 1100}],
    "rules": [{"rule": "spread", "of": "supplier", "value": "smelter", "most": 0.9}],
    "scenarios": [
        {"scenario": "squeeze", "probability": 0.3},
        {"scenario": "outage", "probability": 0.2, "revealed": day(3)},
        {"scenario": "never", "probability": 0},
    ],
    "events": [
        happens("squeeze", "prices[*].market", "scale", 1.6, day(3)),
        happens("squeeze", "budgets[treasury].amount", "scale", 0.9, day(3)),
        happens("outage", "offers[slow].availability", "set", 0, day(3), day(3)),
        happens("outage", "suppliers[mill].start", "add", 2, day(3)),
        happens("outage", "demand[gallium].quantity", "scale", 1.25, day(4)),
        happens("never", "offers[*].capacity", "set", 0),
    ],
}  # fmt: skip
"""Prices, a budget, an outage, a delay and demand; both scenarios are known in March, one that
cannot come never.
"""

STAGES: dict[str, Any] = {
    **TWO_STAGE,
    "settings": {**TWO_STAGE["settings"], "periods": 6, "risk_weight": 0.2},
    "demand": [{"material": "gallium", "from": day(1), "to": day(6), "quantity": 14}],
    "budgets": [
        {"fund": "treasury", "expires": day(4, 30), "amount": 1300},
        {"fund": "treasury", "from": day(3), "amount": 600},
    ],
    "scenarios": [
        {"scenario": "tension", "probability": 0.3},
        {"scenario": "embargo", "probability": 0.25, "follows": "tension"},
        {"scenario": "blockade", "probability": 0.15, "follows": "embargo", "revealed": day(5)},
    ],
    "events": [
        happens("tension", "prices[*].market", "scale", 1.2, day(2)),
        happens("embargo", "offers[spot].capacity", "scale", 0.4, day(3)),
        happens("embargo", "suppliers[mill].start", "add", 2, day(4)),
        happens("blockade", "offers[spot].availability", "set", 0.5, day(5)),
        happens("blockade", "demand[*].quantity", "add", 2, day(6)),
    ],
}
"""One scenario leads to the next."""

FULL_TREE: dict[str, Any] = {
    **FULL,
    "settings": {**FULL["settings"], "risk_weight": 0.3, "risk_tail": 0.2},
    "scenarios": [
        {"scenario": "slump", "probability": 0.3, "revealed": day(5)},
        {"scenario": "embargo", "probability": 0.25, "revealed": day(4)},
        {"scenario": "war", "probability": 0.1, "follows": "embargo", "revealed": day(8)},
        {"scenario": "never", "probability": 0},
    ],
    "events": [
        happens("slump", "prices[*].market", "scale", 0.6, day(5)),
        happens("slump", "budgets[stockpile_fund].amount", "scale", 1.1, day(5)),
        happens("embargo", "offers[spot].availability", "scale", 0.5, day(4), day(8)),
        happens("embargo", "suppliers[ours].start", "add", 3),
        happens("war", "demand[gallium].quantity", "scale", 1.3, day(9)),
        happens("war", "materials[gallium].shelf_life_months", "set", 3, day(9)),
        happens("never", "offers[*].availability", "set", 0),
    ],
}

SHARED_TREE: dict[str, Any] = {
    **SHARED,
    "settings": {**SHARED["settings"], "risk_weight": 0.5, "risk_tail": 0.3},
    "scenarios": [
        {"scenario": "boom", "probability": 0.35, "revealed": day(7)},
        {"scenario": "outage", "probability": 0.3},
        {"scenario": "worse", "probability": 0.2, "follows": "outage"},
    ],
    "events": [
        happens("boom", "prices[*].market", "scale", 1.5, day(7)),
        happens("boom", "prices[*].ore", "scale", 1.3, day(7)),
        happens("outage", "offers[bulk].availability", "set", 0, day(10), day(4, 1, 2028)),
        happens("outage", "offers[bulk].lead_time_months", "add", 3, day(10)),
        happens("outage", "suppliers[mill].start", "add", 12, day(10)),
        happens("worse", "budgets[navy_fund].amount", "scale", 0.7, day(1, 1, 2028)),
        happens("worse", "demand[gallium].quantity", "scale", 1.2, day(4, 1, 2028)),
    ],
}

TREES = {"two_stage": TWO_STAGE, "stages": STAGES, "full": FULL_TREE, "shared": SHARED_TREE}


@functools.cache
def tree_plan(name: str) -> Plan:
    """The plan of one of TREES, solved once in a process."""
    plan = plan_of(TREES[name], gap=0.05 if name in ("full", "shared") else 0.0)
    assert plan is not None
    return plan
