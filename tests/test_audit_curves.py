"""The audit of supply curves: what own buying adds to prices, recomputed from orders and input."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import replace

import pytest

from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.blocks import supply_curves
from stockpile_model.blocks.supply_curves import CurveWindow, SupplyCurve
from stockpile_model.changes import apply, parse
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    budget,
    curve,
    demand,
    event,
    fund,
    offer,
    prices,
    scenario,
    site,
)
from tests.support.plans import plan_for
from tests.test_audit import Plant, drop, planted, put, told, twice

MARKET, CHINA = {"index": "market"}, {"index": "china"}


def stockpile() -> Stockpile:
    """Two indices, one curve over periods and one over fiscal years; a year ends in February."""
    return book(
        offer("spot", None, price_index="market", availability=0.8, capacity=20),
        offer("early", None, price_index="market", payment="order", lead_time_months=1),
        offer("china", None, price_index="china", lead_time_months=1, capacity=9),
        *prices(10, 11, 12, 13),
        *prices(11, 10, 12, index="china"),
        curve(5, 0.1),
        curve(9, 0.3),
        curve(4, 0.2, "china", window="fiscal_year"),
        demand(9, 0),
        demand(14, 1, 3),
        site("north", buyer="navy"),
        site("depot"),
        fund(),
        budget(2000),
        scenario("war", 0.4),
        event("supply_curves.rise", "scale", 2, 2),
        event("demand.quantity", "add", 6, 2),
        event("offers.availability", "set", 0.5, 3, row="spot"),
        periods=4,
        fiscal_year_start=3,
        discount_rate=0.05,
    )


@functools.cache
def plan() -> Plan:
    found = plan_for(stockpile())
    assert found is not None
    return found


def test_a_sound_plan_passes() -> None:
    assert told(plan()) == []
    windows = {(row["index"], row["window"]) for row in as_sheets(plan()).rows["price_rises"]}
    assert {("market", "2027-01"), ("china", "FY2027"), ("china", "FY2028")} <= windows
    assert {row["scenarios"] for row in as_sheets(plan()).rows["price_rises"]} == {
        "all", "base", "war",
    }  # fmt: skip


FAULTS: dict[str, tuple[Plant, str]] = {
    "a rise too small": (
        put("price_rises", "rise", 0.5, window="2027-01", **MARKET),
        r"price_rises!G\d+: rise \(market, 2027-01\) must be .*\(supply_curves\.rise\), found 0\.5",
    ),
    "more beyond": (
        put("price_rises", "beyond", lambda old: old + 1, **CHINA),
        r"price_rises!F\d+: beyond \(china, FY2027\) must be .*off by 1",
    ),
    "more bought": (
        put("price_rises", "bought", lambda old: old + 1, **CHINA),
        r"price_rises!E\d+: bought \(china, FY2027\) must be .*off by 1",
    ),
    "an average": (
        put("price_rises", "average_rise", 9.0, **MARKET),
        r"price_rises!H\d+: average rise \(market, 2027-01\) must be .*found 9",
    ),
    "another date": (
        put("price_rises", "date", dt.date(2027, 1, 1), window="FY2027", **CHINA),
        r"price_rises!A\d+: date \(china, FY2027\) must be 2027-02-01",
    ),
    "another material": (
        put("price_rises", "material", "in", **MARKET),
        r"price_rises!C\d+: material .* must be 'ga', found 'in'",
    ),
    "a window that is left out": (
        drop("price_rises", window="2027-01", **MARKET),
        r"price_rises: market in 2027-01 is not on the sheet",
    ),
    "a window that stands twice": (
        twice("price_rises", MARKET),
        r"rise \(market, 2027-01\) stands twice",
    ),
    "a window that is none": (
        twice("price_rises", MARKET, window="FY1999"),
        r"rise \(market, FY1999\) is of no curve and window of the input",
    ),
    "a rise that nobody pays": (
        drop("cash_flow", heading="price_rise"),
        r"cash_flow: amount \(price_rise, ga, market\) in 2027-01-01 must be .*found 0",
    ),
    "an order that moves the price": (
        put("orders", "ordered", lambda old: old + 3, offer="spot"),
        r"price_rises!E\d+: bought \(market, 2027-01\) must be",
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
        ("supply_curves[market/9].rise = 0.35", r"rise \(market.*\(supply_curves\.rise\)"),
        ("supply_curves[china/4].rise scale 1.1", r"rise \(china.*\(supply_curves\.rise\)"),
        ("supply_curves[china/4].window = period", r"china in 2027-02 is not on the sheet"),
        ("prices[2027-01-01].market scale 1.1", r"rise \(market, 2027-01\) must be"),
    ],
)
def test_a_cell_that_a_plan_breaks_is_named(change: str, said: str) -> None:
    found = told(plan(), stockpile=apply(plan().stockpile, parse(change)))
    assert any(re.search(said, line) for line in found), "\n".join(found[:20])


def without_the_last_step(
    self: supply_curves.CurveTerms, x: str, n: int, index: float | None
) -> object:
    return STEPS(self, x, n, index)[:1]


def of_the_last_node(self: supply_curves.CurveTerms, nodes: set[int]) -> int:
    return max(nodes)


def less_bought(m: object, window: CurveWindow) -> object:
    return 0.9 * BOUGHT(m, window)


STEPS, BOUGHT = supply_curves.CurveTerms._steps, supply_curves.bought


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ((supply_curves.CurveTerms, "_steps", without_the_last_step), r"rise \(market"),
        ((supply_curves.CurveTerms, "_first", of_the_last_node), r"rise \(china, FY2027"),
        ((supply_curves, "bought", less_bought), r"bought \(market"),
    ],
)
def test_a_fault_in_the_model_is_reported(
    patch: tuple[object, str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*patch)
    found = plan_for(stockpile())
    assert found is not None
    lines = told(found)
    assert any(re.search(said, line) for line in lines), "\n".join(lines[:20])


def test_a_row_of_a_book_without_curves_is_refused() -> None:
    bare = replace(stockpile(), tables={**stockpile().tables, SupplyCurve: ()})
    found = told(plan(), stockpile=bare)
    assert any("is of no curve and window of the input" in line for line in found)
