"""The audit of what contracts bind beyond take-or-pay: plans pass, and what they break is named."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import Line, audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.workbook.read.plan_reader import read_plan
from optimiser.workbook.write.plan_book import compose
from stockpile_model.changes import apply, parse
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    book,
    commitment,
    contract,
    demand,
    event,
    floor,
    material,
    offer,
    prices,
    scenario,
)
from tests.support.plans import plan_for

# 10 a month at 8 under an offtake, any more at 10 spot; 15 are wanted in January and in April.
WANTED = (
    material(holding_cost=0.01),
    demand(15),
    demand(15, 3),
    offer(price=10),
    floor(8, 120),
)


def bound(**cells: Any) -> Stockpile:
    """A book of six months whose offtake binds to something."""
    row = contract(**{"take_or_pay": 0, "flex": 1.5, "signing_cost": 1} | cells)
    return book(row, *WANTED, periods=6)


def replace_settings(stockpile: Stockpile, **cells: Any) -> Stockpile:
    return replace(stockpile, settings=replace(stockpile.settings, **cells))


# Two months at 8, of which two more save 120 less 10 if the index is 14, and not if it is 4.
option = book(
    contract(price_index="market", ceiling=8, term_months=2, option_months=2, option_price=10),
    floor(8, 120),
    material(shelf_life_months=1),
    demand(10, 0, 3),
    offer(price=None, price_index="market"),
    *prices(10, 10, 14, 14),
    scenario("war", 0.5, 1),
    event("prices.market", "set", 4, 2),
    periods=4,
)

BOOKS: Mapping[str, Stockpile] = {
    "least of each period": bound(least_per_period=0.1),
    "prepayment": bound(prepayment=30, credit=2),
    "option": option,
    "option past the horizon": bound(term_months=3, option_months=9, take_or_pay=0.3),
    "least total": bound(least_total=48, term_months=8),
    "lots": bound(call_off_lot=4),
    "cost of a call-off": bound(call_off_cost=2, availability=0.5),
    "relaxed": replace_settings(bound(call_off_cost=2, call_off_lot=4), firm_periods=0),
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


def test_a_signed_contract_that_brings_nothing_has_no_price() -> None:
    kept = commitment("sign", "offtake", 1)
    found = plan_for(book(contract(take_or_pay=0), floor(99, 120), *WANTED[:-1], kept, periods=6))
    assert found is not None
    sheets = as_sheets(found)
    assert not audit(found.stockpile, sheets).findings
    (row,) = sheets["contracts"]
    assert (row["decision"], row["delivered"]) == ("sign", 0)
    for column in ("expected_price", "share_at_floor"):
        changed = copy.deepcopy(sheets)
        changed["contracts"][0][column] = 0.5
        (said,) = map(str, audit(found.stockpile, changed).findings)
        assert said.startswith(row.at(column)), said


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
            "prepayment",
            "contracts[offtake].credit set 1",
            r"cash_flow: credit of offtake in 2027-01-01 must be 15 .* found 30",
        ),
        (
            "prepayment",
            "contracts[offtake].prepayment set 40",
            r"contracts!\w+2: uncredited .* must be 10 ",
        ),
        (
            "prepayment",
            "contracts[offtake].prepayment set 20",
            r"cash_flow: credit of offtake in 2027-01-01 must be 20 .* found 30",
        ),
        (
            "prepayment",
            "contracts[offtake].prepayment set 40",
            r"contracts!\w+2: prepayment .* must be 40",
        ),
        (
            "option",
            "contracts[offtake].option_price set 12",
            r"extensions!\w+2: paid .* must be 12 \(contracts",
        ),
        (
            "option",
            "contracts[offtake].option_price set 12",
            r"extensions!\w+2: saving .* must be 108 ",
        ),
        (
            "option",
            "contracts[offtake].option_price set 12",
            r"floors!\w+2: extension value .* must be 54, found 55",
        ),
        (
            "option",
            "contracts[offtake].option_price set 0",
            r"floors!\w+2: waiting value .* must be 40, found 45",
        ),
        (
            "option",
            "contracts[offtake].option_months set 1",
            r"extensions!\w+2: last delivery .* must be 2027-03-31",
        ),
        (
            "option",
            "contracts[offtake].option_months set 1",
            r"extensions!\w+2: months .* must be 1 \(contracts",
        ),
        (
            "option",
            "contracts[offtake].option_from set 2027-01-01",
            r"extensions!\w+2: date .* must be 2027-01-01",
        ),
        (
            "option",
            "contracts[offtake].option_months set 0",
            r"extensions!\w+: offtake has a decision too many to extend it",
        ),
        (
            "least total",
            "contracts[offtake].least_total set 56",
            r"contracts!\w+2: deficit .* must be 12 \(contracts.* found 6",
        ),
        (
            "least total",
            "contracts[offtake].term_months set 6",
            r"contracts!\w+2: deficit .* must be 18 \(contracts.* found 6",
        ),
        (
            "lots",
            "contracts[offtake].call_off_lot set 5",
            r"call_offs!\w+2: called off .*, in whole lots of 5, must be 10 .* found 12",
        ),
        (
            "cost of a call-off",
            "contracts[offtake].call_off_cost set 3",
            r"call_offs!\w+2: cost .* must be 3 \(contracts",
        ),
        (
            "relaxed",
            "settings.firm_periods set 6",
            r"call_offs!\w+2: relaxed .* must be no",
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


def line(sheets: dict[str, list[Line]], sheet: str) -> Line:
    return sheets[sheet][0]


def called_off_twice(sheets: dict[str, list[Line]]) -> None:
    sheets["call_offs"].append(copy.copy(line(sheets, "call_offs")))


def called_off_without_metal(sheets: dict[str, list[Line]]) -> None:
    line(sheets, "call_offs")["called_off"] = 8.0


def not_signed(sheets: dict[str, list[Line]]) -> None:
    line(sheets, "contracts")["decision"] = "do not sign"


def not_called_off(sheets: dict[str, list[Line]]) -> None:
    del sheets["call_offs"][0]


def faults_of(name: str, plant: Callable[[dict[str, list[Line]]], None]) -> list[str]:
    """What the audit reports of a plan in which an error is planted."""
    found = as_sheets(plan(name))
    rows = {sheet: [copy.copy(each) for each in lines] for sheet, lines in found.rows.items()}
    plant(rows)
    return [str(each) for each in audit(plan(name).stockpile, replace(found, rows=rows)).findings]


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (called_off_twice, r"call_offs.*: offtake is called off a second time in 2027-01-01"),
        (called_off_without_metal, r"deliveries of offtake in 2027-01-01: quantity, as it is called"),
        (called_off_without_metal, r"call_offs!\w+2: lots .* must be 2 .*found 3"),
        (called_off_without_metal, r"call_offs!\w+2: arriving .* must be 8"),
        (not_signed, r"call_offs!\w+2: offtake is not signed, and is called off"),
        (not_called_off, r"deliveries of offtake in 2027-01-01: quantity, as it is called off, must"),
    ],
)  # fmt: skip
def test_a_call_off_that_does_not_fit_is_named(
    plant: Callable[[dict[str, list[Line]]], None], said: str
) -> None:
    found = faults_of("lots", plant)
    assert any(re.match(said, each) for each in found), "\n".join(found[:20])


def extended(sheets: dict[str, list[Line]]) -> None:
    extension(sheets, "let it end")["decision"] = "extend"


def let_end(sheets: dict[str, list[Line]]) -> None:
    extension(sheets, "extend")["decision"] = "let it end"


def perhaps(sheets: dict[str, list[Line]]) -> None:
    extension(sheets, "extend")["decision"] = "perhaps"


def not_decided(sheets: dict[str, list[Line]]) -> None:
    sheets["extensions"].remove(extension(sheets, "extend"))


def extension(sheets: dict[str, list[Line]], decision: str) -> Line:
    (found,) = (each for each in sheets["extensions"] if each["decision"] == decision)
    return found


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (extended, r"contracts!\w+2: deficit .* must be 10 .* found 0"),
        (extended, r"extensions!\w+: paid .* must be 10"),
        (let_end, r"deliveries of offtake in 2027-03-01: outside its term"),
        (let_end, r"extensions!\w+: paid .* must be nothing"),
        (perhaps, r"extensions!\w+: 'perhaps' is neither extend nor let it end"),
        (not_decided, r"extensions: offtake has no decision to extend it"),
        (not_signed, r"extensions!\w+: offtake is not signed, and is extended or not"),
    ],
)
def test_an_extension_that_does_not_fit_is_named(
    plant: Callable[[dict[str, list[Line]]], None], said: str
) -> None:
    found = faults_of("option", plant)
    assert any(re.match(said, each) for each in found), "\n".join(found[:20])


def test_the_value_of_an_option_is_what_the_plan_costs_less_by_it() -> None:
    without = plan_for(apply(option, parse("contracts[offtake].option_months = 0")), gap=0.0)
    (level,) = as_sheets(plan("option"))["floors"]
    assert without is not None
    assert without.objective - plan("option").objective == pytest.approx(55)
    assert (level["extension_value"], level["waiting_value"]) == pytest.approx((55, 45))


def test_the_verdict_says_how_likely_a_contract_is_extended() -> None:
    assert "Extend offtake with probability 50 %." in plan("option").verdict


@pytest.mark.parametrize("name", BOOKS)
def test_its_workbook_is_read_and_passes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(compose(plan(name)))
    read = read_plan(path).sheets
    assert [str(each) for each in audit(plan(name).stockpile, read).findings] == []
    assert len(read["call_offs"]) == len(as_sheets(plan(name))["call_offs"])


def test_what_is_called_off_where_nothing_arrives_may_be_less_than_is_allowed() -> None:
    """10 a month for 1 each, from January to March; a new fiscal year begins in March. In February
    and March nothing arrives. What is called off for February is obligated in January: with 15 USD
    5 of it, so 5 are not taken and paid in March. They and the 10 that are called off for March are
    obligated there, by the 5 USD that are free again and 10 more.
    """
    tables: dict[str, Any] = {
        "settings": {"start": "2027-01-01", "periods": 3, "fiscal_year_start": 3, "mip_gap": 0},
        "materials": [{"material": "gallium"}],
        "suppliers": [{"supplier": "alpha"}],
        "contracts": [
            {"contract": "offtake", "supplier": "alpha", "material": "gallium", "form": "purchase"}
        ],
        "floors": [{"contract": "offtake", "level": "low", "floor": 1, "annual_quantity": 120}],
        "commitments": [{"kind": "sign", "name": "offtake", "level": "low", "date": "2027-01-01"}],
        "demand": [{"material": "gallium", "from": "2027-01-01", "quantity": 10}],
        "scenarios": [{"scenario": "closed", "probability": 1, "revealed": "2027-01-01"}],
        "events": [
            {"scenario": "closed", "table": "contracts", "column": "availability", "from": "2027-02-01", "how": "set", "value": 0}
        ],
        "funds": [{"fund": "treasury"}],
        "budgets": [
            {"fund": "treasury", "amount": 15},
            {"fund": "treasury", "from": "2027-03-01", "amount": 10},
        ],
    }  # fmt: skip
    plan = so.solve(so.from_tables(tables)).plan  # it agrees with its audit
    assert plan is not None
    assert (plan.costs["offtakes"], plan.costs["deficits"]) == pytest.approx((10, 5))
