"""The order step: the lot of what is ordered, called off or sold without one of its own."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from stockpile_model.blocks.contracts.call_off_report import CallOff
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.rotation.dispatched import Dispatch
from stockpile_model.build import build
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    contract,
    demand,
    faults,
    floor,
    least_cost,
    lot,
    offer,
    outlet,
    warnings,
)
from tests.support.plans import plan_of

TABLES: dict[str, Any] = {
    "settings": {"start": "2027-01-01", "periods": 3, "mip_gap": 0, "order_step": 5},
    "materials": [{"material": "ga"}],
    "suppliers": [{"supplier": "plant"}],
    "offers": [{"offer": "spot", "supplier": "plant", "material": "ga", "price": 3}],
    "outlets": [{"outlet": "sell", "material": "ga", "form": "sale", "price": 2}],
    "opening_stock": [{"lot": "old", "material": "ga", "quantity": 12, "made": "2026-12-01"}],
    "demand": [{"material": "ga", "from": "2027-02-01", "to": "2027-02-28", "quantity": 26}],
    "contracts": [{"contract": "offtake", "supplier": "plant", "material": "ga", "take_or_pay": 0}],
    "floors": [{"contract": "offtake", "level": "low", "floor": 1, "annual_quantity": 84}],
}
"""12 are there and 26 wanted in February. Up to 7 a month can be called off at 1: one step of 5 in
each, of which the last is sold at 2. One step of 5 is ordered at 3; 1 is left of it: no step to
sell. 5 + 5 + 5 + 15 - 10 = 20.
"""


def test_orders_call_offs_and_sales_are_whole_steps() -> None:
    plan = plan_of(TABLES)
    assert plan is not None
    assert plan.objective == pytest.approx(20)
    assert [(each.ordered, each.lots) for each in plan.of(Order)] == [(5, 1)]
    assert [(each.called_off, each.lots) for each in plan.of(CallOff)] == [(5, 1)] * 3
    assert [(each.quantity, each.lots) for each in plan.of(Dispatch)] == [(5, 1)]


def test_without_a_step_the_plan_has_any_quantity_and_costs_less() -> None:
    """14 are called off by February, and 7 more that are sold in March: 21 - 14 = 7."""
    tables = {**TABLES, "settings": {**TABLES["settings"], "order_step": None}}
    plan = plan_of(tables)
    assert plan is not None
    assert plan.objective == pytest.approx(7)
    assert not [*plan.of(CallOff), *plan.of(Dispatch)]


@pytest.mark.parametrize(
    ("sheet", "column", "value", "finding"),
    [
        ("orders", "ordered", 6.0, r"ordered .* in whole lots of 5.* \(settings!"),
        ("orders", "lots", None, r"lots .* \(settings!"),
        ("call_offs", "called_off", 6.0, r"in whole lots of 5.* \(settings!"),
        ("dispatches", "quantity", 4.0, r"in whole lots of 5.* \(settings!"),
        ("dispatches", "lots", 2, r"lots .* \(settings!"),
    ],
)
def test_a_quantity_that_is_no_whole_step_is_found(
    sheet: str, column: str, value: object, finding: str
) -> None:
    plan = plan_of(TABLES)
    assert plan is not None
    sheets = copy.deepcopy(as_sheets(plan))
    assert [*map(str, audit(plan.stockpile, sheets).findings)] == []
    sheets[sheet][0][column] = value
    found = [str(each) for each in audit(plan.stockpile, sheets).findings]
    assert any(re.search(finding, each) for each in found), found


def test_a_contract_of_an_even_rate_delivers_that_rate() -> None:
    """7 a month are due: a step of 5 would leave 2 to pay for in each, and is none of a call-off."""
    rows = (contract(), floor(2, 84), demand(7), offer(price=50))
    assert least_cost(book(*rows, order_step=5)) == pytest.approx(least_cost(book(*rows)))
    free = book(contract(take_or_pay=0), *rows[1:], order_step=5)
    assert least_cost(free) > least_cost(book(*rows)) + 1


def test_beyond_the_firm_periods_there_is_no_step() -> None:
    m = build(book(offer(), lot(9, 0), outlet(), order_step=4, firm_periods=1)).m
    assert [*m.LOT_ORDERS] == [("spot", 0)]
    assert [*m.LOT_DISPATCHES] == [("sale", 0)]


def test_an_exchange_has_no_step() -> None:
    row = replace(outlet(), form="exchange", price=None)
    assert not [*build(book(offer(), lot(9, 0), row, order_step=4)).m.LOT_DISPATCHES]


def _costs(*steps: float | None) -> list[float]:
    return [least_cost(_small(order_step=step)) for step in steps]


def _small(**settings: Any) -> Stockpile:
    return book(offer(), demand(8), **settings)


def test_a_multiple_of_a_step_never_costs_less() -> None:
    """A law: what is a whole multiple of 6 is one of 3, and of any quantity."""
    free, fine, coarse = _costs(None, 3, 6)
    assert free <= fine + 1e-9
    assert fine <= coarse + 1e-9
    assert free < coarse


def test_a_step_that_is_too_small_or_too_large_is_named() -> None:
    assert [each.partition(":")[0] for each in faults(_small(order_step=1e-12))] == [
        "settings.order_step"
    ]
    assert warnings(book(offer(capacity=3), demand(2), order_step=4)) == [
        "offers.capacity: is below the smallest order, 4: no order can be placed, found 3"
    ]


def test_the_step_is_changed_as_any_setting() -> None:
    changed = so.read("inputs/small.xlsx").change("settings.order_step = 4")
    plan = so.solve(changed, gap=0.0).plan
    assert plan is not None
    assert {each % 4 for each in plan["orders"]["ordered"]} == {0}
