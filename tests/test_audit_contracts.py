"""The audit of what contracts bind beyond take-or-pay: plans pass, and what they break is named."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.changes import apply, parse
from stockpile_model.stockpile import Stockpile
from tests.support.accept import book, contract, demand, floor, offer
from tests.support.plans import plan_for

# 10 a month at 8 under an offtake, any more at 10 spot; 15 are wanted in January and in April.
WANTED = (demand(15), demand(15, 3), offer(price=10), floor(8, 120))


def bound(**cells: Any) -> Stockpile:
    """A book of six months whose offtake binds to something."""
    row = contract(**{"take_or_pay": 0, "flex": 1.5, "signing_cost": 1} | cells)
    return book(row, *WANTED, periods=6)


BOOKS: Mapping[str, Stockpile] = {
    "least of each period": bound(least_per_period=0.1),
}


@functools.cache
def plan(name: str) -> Plan:
    found = plan_for(BOOKS[name], gap=0.0)
    assert found is not None
    return found


def told(name: str, change: str = "") -> list[str]:
    """What the audit says of a plan, after a change of a cell of its book."""
    found, stockpile = plan(name), plan(name).stockpile
    changed = apply(stockpile, parse(change)) if change else stockpile
    return [str(each) for each in audit(changed, as_sheets(found)).findings]


def signed(name: str) -> Mapping[str, Any]:
    """The row of the sheet `contracts`."""
    (row,) = as_sheets(plan(name))["contracts"]
    return row


@pytest.mark.parametrize("name", BOOKS)
def test_a_plan_that_keeps_its_contract_passes(name: str) -> None:
    assert told(name) == []
    assert signed(name)["decision"] == "sign"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "least of each period",
            "contracts[offtake].least_per_period set 0.2",
            r"deliveries of offtake in 2027-02-01: quantity must be at least 2 .*found 1",
        ),
        (
            "least of each period",
            "contracts[offtake].least_per_period set 0.2",
            r"contracts!\w+2: least per period .* must be 2 \(contracts",
        ),
    ],
)
def test_what_a_plan_breaks_of_its_contract_is_named(name: str, change: str, said: str) -> None:
    found = told(name, change)
    assert any(re.match(said, line) for line in found), "\n".join(found[:20])
