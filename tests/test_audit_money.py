"""The audit of money: when it was obligated, by whom it is paid, what is released and lapses."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import Any

import pytest

from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.changes import apply, parse
from tests.support.plans import plan_of
from tests.test_audit import Plant, planted, put, told

TABLES: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 3, "fiscal_year_start": 2, "mip_gap": 0},
    "materials": [{"material": "gallium", "below_target_cost": 40}],
    "suppliers": [{"supplier": "mill"}],
    "offers": [
        {"offer": "bulk", "supplier": "mill", "material": "gallium", "price": 10,
         "availability": 0.5, "lead_time_months": 1, "to": "2027-01-31"},
        {"offer": "spot", "supplier": "mill", "material": "gallium", "price": 12,
         "from": "2027-02-01"},
    ],
    "contracts": [
        {"contract": "offtake", "supplier": "mill", "material": "gallium", "sign_from": "2027-01-01",
         "sign_to": "2027-01-31", "term_months": 3, "deliver_from": "2027-02-01",
         "availability": 0.8},
    ],
    "floors": [{"contract": "offtake", "level": "one", "floor": 5, "annual_quantity": 12}],
    "in_transit": [{"name": "bulk", "ordered": "2026-12-20", "arrives": "2027-02-15",
                    "quantity": 1, "unpaid": 3}],
    "targets": [{"material": "gallium", "from": "2027-02-01", "quantity": 12}],
    "funds": [{"fund": "nds"}],
    "budgets": [
        {"fund": "nds", "from": "2026-10-01", "expires": "2027-01-31", "pay_by": "2027-02-28",
         "amount": 120},
        {"fund": "nds", "from": "2027-02-01", "amount": 90},
    ],
}  # fmt: skip
"""Half of what is ordered in January comes in February; the money of January lapses then."""


@cache
def plan() -> Plan:
    found = plan_of(TABLES)
    assert found is not None
    return found


def test_the_plan_agrees() -> None:
    assert told(plan()) == []
    rows = as_sheets(plan()).rows
    assert {line["obligation"] for line in rows["payments"]} == {"bulk", "spot", "offtake"}
    assert sum(line["released"] for line in rows["payments"]) > 50
    assert sum(line["lapsed"] for line in rows["budget"]) > 50


JANUARY, FEBRUARY = dt.date(2027, 1, 1), dt.date(2027, 2, 1)
ORDERED = {"obligation": "bulk", "obligated": JANUARY}

FAULTS: dict[str, tuple[Plant, str]] = {
    "by money that did not live": (
        put("payments", "appropriation", "nds 2027-02", **ORDERED),
        r"can be obligated from 2027-02-01 only \(budgets!B3\)",
    ),
    "by money that did not live when it was ordered": (
        put("payments", "appropriation", "nds 2027-02", obligated=dt.date(2026, 12, 20)),
        r"did not live when bulk was ordered, before the start \(budgets!",
    ),
    "as if it were obligated when paid": (
        put("payments", "obligated", FEBRUARY, **ORDERED),
        r"paid for what was obligated for \(purchase, gallium, bulk, 2027-02-01\)",
    ),
    "for another thing": (
        put("payments", "obligation", "spot", **ORDERED),
        r"paid for what was obligated for \(purchase, gallium, spot, 2027-01-01\)",
    ),
    "obligated after it is paid": (
        put("payments", "obligated", dt.date(2027, 3, 1), **ORDERED),
        r"is 2027-03-01, after it is paid",
    ),
    "less released": (
        put("payments", "released", lambda old: old - 7, **ORDERED),
        r"released of what was obligated for \(purchase, gallium, bulk, 2027-01-01\).*off by 7",
    ),
    "what a contract does not deliver is not released": (
        put("payments", "released", 0.0, obligation="offtake", released=lambda old: old > 0),
        r"released of what was obligated for \(contract, gallium, offtake",
    ),
    "less obligated": (
        put("budget", "obligated", lambda old: old - 3),
        r"budget!H2: obligated .*off by 3",
    ),
    "less released in the year": (
        put("budget", "released", lambda old: old - 3, released=lambda old: old > 3),
        r"budget!J\d+: released .*off by 3",
    ),
    "nothing lapses": (
        put("budget", "lapsed", 0.0, lapsed=lambda old: old > 1),
        r"budget!K\d+: lapsed ",
    ),
    "left in another year": (
        put("budget", "fiscal_year", 2027, appropriation="nds 2027-02"),
        r"left of nds 2027-02 in FY2028, which is not on the sheet",
    ),
    "a year twice": (
        put("budget", "fiscal_year", 2028, fiscal_year=2027),
        r"stands twice in a fiscal year",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_rows_is_reported(name: str) -> None:
    plant, said = FAULTS[name]
    found = told(plan(), planted(as_sheets(plan()), plant))
    assert any(re.search(said, line) for line in found), "\n".join(found[:20])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("budgets[row 2].pay_by set 2027-01-31", r"can pay until 2027-01-31 only \(budgets!D2\)"),
        (
            "budgets[row 2].amount set 100",
            r"nds 2026-10 has obligated in the period from 2027-01-01 must be at most 100 \(budgets!",
        ),
        ("offers[bulk].availability set 0.6", r"released of what was obligated for"),
        ("budgets[row 2].expires set 2026-12-31", r"can be obligated until 2026-12-31 only"),
    ],
)
def test_a_cell_that_the_plan_breaks_is_named(change: str, said: str) -> None:
    changed = apply(plan().stockpile, parse(change))
    found = told(plan(), stockpile=changed)
    assert any(re.search(said, line) for line in found), "\n".join(found[:20])


def test_all_that_is_ordered_is_obligated_also_where_it_arrives_at_once() -> None:
    """Half of what is ordered for 120 arrives in the same month. 60 are paid, 60 released; of two
    appropriations neither is obligated beyond its amount at any time."""
    tables: dict[str, Any] = {
        "settings": {"start": "2027-01-01", "periods": 1, "mip_gap": 0},
        "materials": [{"material": "gallium"}],
        "suppliers": [{"supplier": "plant"}],
        "offers": [
            {
                "offer": "spot",
                "supplier": "plant",
                "material": "gallium",
                "price": 10,
                "availability": 0.5,
            }
        ],
        "demand": [{"material": "gallium", "from": "2027-01-01", "quantity": 6}],
        "funds": [{"fund": "treasury"}],
        "budgets": [{"fund": "treasury", "amount": 100}, {"fund": "treasury", "amount": 20}],
    }
    plan = plan_of(tables)
    assert told(plan) == []
    paid = plan["payments"].groupby("appropriation")[["amount", "released"]].sum()
    assert paid.sum(axis=1).sort_values().tolist() == pytest.approx([20, 100])
    less = apply(plan.stockpile, parse("budgets[row 2].amount set 99"))
    said = "has obligated in the period from 2027-01-01 must be at most 99 (budgets!"
    assert any(said in line for line in told(plan, stockpile=less))


def test_what_is_obligated_as_it_fails_is_released_at_once() -> None:
    """An offtake may be signed in January or in February, and is in February, where half of what is
    called off fails at once. So 20 USD are obligated for it and released in one period."""
    day = [dt.date(2027, month, 1) for month in (1, 2)]
    plan = plan_of(
        {
            "settings": {"start": day[0], "periods": 2, "mip_gap": 0, "fiscal_year_start": 1},
            "materials": [{"material": "gallium", "shortage_cost": 45}],
            "suppliers": [{"supplier": "plant"}],
            "contracts": [
                {
                    "contract": "offtake",
                    "supplier": "plant",
                    "material": "gallium",
                    "sign_to": day[1],
                    "availability": 0.5,
                }
            ],
            "floors": [{"contract": "offtake", "level": "low", "floor": 4, "annual_quantity": 120}],
            "demand": [{"material": "gallium", "from": day[1], "quantity": 5}],
            "funds": [{"fund": "treasury"}],
            "budgets": [{"fund": "treasury", "amount": amount} for amount in (60, 40)],
        }
    )
    assert told(plan) == []
    assert plan["payments"][["date", "obligated"]].iloc[0].tolist() == [day[1], day[1]]
    assert plan["payments"]["released"].tolist() == [20]


def test_a_contract_that_may_be_signed_at_any_time_is_paid_from_where_it_is_signed() -> None:
    """Its deliveries may be obligated before and after more money comes, and are before it."""
    day = [dt.date(2027, month, 1) for month in range(2, 8)]
    plan = plan_of(
        {
            "settings": {"start": day[0], "periods": 6},
            "materials": [{"material": "gallium"}],
            "suppliers": [{"supplier": "plant"}],
            "contracts": [{"contract": "offtake", "supplier": "plant", "material": "gallium"}],
            "floors": [{"contract": "offtake", "level": "low", "floor": 8, "annual_quantity": 24}],
            "demand": [{"material": "gallium", "from": day[0], "to": day[5], "quantity": 2}],
            "funds": [{"fund": "treasury"}],
            "budgets": [
                {"fund": "treasury", "from": day[4], "amount": 800},
                {"fund": "treasury", "amount": 5000},
            ],
        }
    )
    assert told(plan) == []
    assert plan["payments"]["amount"].sum() == pytest.approx(6 * 2 * 8)


def test_freight_that_is_free_in_part_is_paid_by_the_buyer_who_can() -> None:
    """Beyond `firm_periods` four fifths of it are free. The army has no money for the rest, which
    is paid by the navy, though half of the metal is the army's.
    """
    day = [dt.date(2027, month, 1) for month in (1, 2)]
    buyers = ("army", "navy")
    plan = plan_of(
        {
            "settings": {"start": day[0], "periods": 2, "firm_periods": 1, "mip_gap": 0},
            "materials": [{"material": "gallium"}],
            "sites": [{"site": f"depot of {buyer}", "buyer": buyer} for buyer in buyers],
            "suppliers": [{"supplier": "trader"}],
            "offers": [{"offer": "spot", "supplier": "trader", "material": "gallium", "price": 10,
                        "freight": 1, "capacity": 12, "from": day[1]}],
            "order_terms": [{"supplier": "trader", "free_freight_from": 150}],
            "demand": [{"material": "gallium", "buyer": buyer, "from": day[1], "quantity": 6}
                       for buyer in buyers],
            "funds": [{"fund": buyer, "buyer": buyer} for buyer in buyers],
            "budgets": [{"fund": "army", "amount": 60}, {"fund": "navy", "amount": 100}],
        }
    )  # fmt: skip
    assert told(plan) == []
    paid = plan["cash_flow"].query("heading == 'freight'")
    assert paid["buyer"].tolist() == ["navy"]
    assert paid["amount"].tolist() == [pytest.approx(12 * (1 - 120 / 150))]
    more = planted(as_sheets(plan), put("cash_flow", "amount", 7.0, heading="freight"))
    assert any("that navy pays must be at most 6" in line for line in told(plan, more))
