"""A plan for tests of pages: scenarios, two buyers, two materials, and a supplier with a hostile
name.
"""

from __future__ import annotations

import functools
from typing import Any

import optimiser as so

HOSTILE = "<script>alert(1)</script>"
MARKED = "<b>mill</b>"
PAGED: dict[str, Any] = {
    "settings": {"title": "Two metals </title> & two buyers", "start": "2027-01-01", "periods": 4, "mip_gap": 0, "discount_rate": 0.1},
    "materials": [
        {"material": "gallium", "shelf_life_months": 3, "count_life_months": 1, "below_target_cost": 60, "shortage_cost": 900},
        {"material": "indium", "shortage_cost": 700},
    ],
    "sites": [{"site": "fort", "buyer": "army", "cost": 1}, {"site": "pier", "buyer": "navy", "cost": 2}],
    "suppliers": [
        {"supplier": HOSTILE, "country": "China", "bloc": "other", "foreign_feedstock": 1},
        {"supplier": MARKED, "country": "Canada", "bloc": "allied", "foreign_feedstock": 0.25},
    ],
    "prices": [{"date": "2027-01-01", "market": 40}, {"date": "2027-04-01", "market": 60}],
    "offers": [
        {"offer": "cheap", "supplier": HOSTILE, "material": "gallium", "price": 30, "order_cost": 5},
        {"offer": "sure", "supplier": MARKED, "material": "gallium", "price_index": "market"},
        {"offer": "in", "supplier": MARKED, "material": "indium", "price": 20},
    ],
    "contracts": [
        {"contract": "take", "supplier": MARKED, "material": "gallium", "price_index": "market", "discount": 0.6, "term_months": 12,
         "lead_time_months": 1},
    ],
    "floors": [{"contract": "take", "level": "low", "floor": 18, "annual_quantity": 60, "escalation": 0.02}],
    "demand": [
        {"material": "gallium", "buyer": "army", "from": "2027-01-01", "to": "2027-04-01", "quantity": 8},
        {"material": "gallium", "buyer": "navy", "from": "2027-02-01", "to": "2027-04-01", "quantity": 3},
        {"material": "indium", "buyer": "navy", "from": "2027-02-01", "to": "2027-04-01", "quantity": 2.5},
    ],
    "targets": [{"material": "gallium", "buyer": "army", "from": "2027-03-01", "quantity": 10}],
    "outlets": [{"outlet": "resale", "material": "gallium", "form": "sale", "price": 4}],
    "funds": [{"fund": "army_fund"}],
    "budgets": [{"fund": "army_fund", "from": "2027-01-01", "expires": "2027-12-31", "amount": 9000}],
    "scenarios": [
        {"scenario": "ban", "probability": 0.25, "revealed": "2027-03-01"},
        {"scenario": "flood", "probability": 0.25, "revealed": "2027-02-01"},
    ],
    "events": [
        {"scenario": "ban", "table": "offers", "row": "cheap", "column": "capacity", "from": "2027-03-01", "how": "set", "value": 0},
        {"scenario": "flood", "table": "prices", "column": "market", "from": "2027-02-01", "how": "scale", "value": 0.5},
    ],
}  # fmt: skip

STUDIED: dict[str, Any] = {
    **{name: rows for name, rows in PAGED.items() if name not in ("scenarios", "events")},
    "studies": [
        {
            "study": HOSTILE,
            "kind": "sweep",
            "table": "offers",
            "row": "sure",
            "column": "premium",
            "low": 0.0,
            "high": 0.5,
            "steps": 3,
        }
    ],
}


@functools.cache
def paged_plan() -> so.Plan:
    """The plan of PAGED, solved once in a process."""
    plan = so.solve(so.from_tables(PAGED)).plan
    assert plan is not None
    return plan
