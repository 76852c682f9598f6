"""The audit of outlets: what leaves together, how old it is, and rules on who takes it."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import re
from typing import Any

import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from tests.support.plans import day, plan_of

SOLD: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 4, "mip_gap": 0, "firm_periods": 3},
    "materials": [{"material": "gallium", "shelf_life_months": 4, "disposal_cost": 1}],
    "suppliers": [{"supplier": "smelter"}],
    "opening_stock": [
        {"lot": "old", "material": "gallium", "quantity": 14, "made": dt.date(2026, 12, 1)},
        {"lot": "new", "material": "gallium", "quantity": 20, "made": day(1)},
    ],
    "outlets": [
        {
            "outlet": "resale",
            "material": "gallium",
            "form": "sale",
            "price": 5,
            "capacity": 12,
            "country": "JP",
            "minimum_age_months": 1,
            "minimum_order": 4,
            "lot_size": 2,
            "order_cost": 6,
        },
        {"outlet": "bin", "material": "gallium", "form": "dispose", "order_cost": 1},
    ],
    "rules": [
        {"rule": "some", "of": "outlet_country", "measure": "share", "most": 0.8},
        {"rule": "earn", "of": "outlet", "value": "resale", "measure": "spend", "least": 1},
        {"rule": "two", "of": "outlet", "measure": "count", "least": 2},
        {"rule": "little", "of": "outlet", "value": "bin", "measure": "quantity", "most": 20},
    ],
}


@functools.cache
def sold() -> Plan:
    """The plan of SOLD, solved once in a process."""
    plan = plan_of(SOLD)
    assert plan is not None
    return plan


def test_a_sound_plan_passes() -> None:
    assert [*map(str, audit(sold().stockpile, as_sheets(sold())).findings)] == []
    rows = as_sheets(sold())["dispatches"]
    assert {row["outlet"] for row in rows} == {"resale", "bin"}
    assert {row["relaxed"] for row in rows} == {True, False}


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "finding"),
    [
        ("dispatches", "resale", "quantity", 3.0, r"quantity .* must be at least 4 \(outlets!"),
        ("dispatches", "resale", "quantity", 11.0, r"in whole lots of 2.* \(outlets!"),
        ("dispatches", "resale", "lots", 1, r"lots .* \(outlets!"),
        ("dispatches", "resale", "order_cost", 5.0, r"order cost .* must be 6 \(outlets!"),
        ("dispatches", "resale", "relaxed", True, r"relaxed"),
        ("dispatches", "resale", "country", "US", r"country .* \(outlets!"),
        ("dispatches", "bin", "quantity", 1.0, r"what leaves through an outlet \(bin"),
        ("rules", "some", "observed", 0.5, r"observed \(some"),
        ("rules", "earn", "observed", 1.0, r"observed \(earn"),
        ("rules", "two", "observed", 1, r"observed \(two"),
        ("rules", "little", "observed", 1.0, r"observed \(little"),
    ],
)
def test_a_planted_fault_is_found(
    sheet: str, row: str, column: str, value: object, finding: str
) -> None:
    sheets = copy.deepcopy(as_sheets(sold()))
    line = next(each for each in sheets[sheet] if row in (each.get("outlet"), each.get("rule")))
    line[column] = value
    found = [str(each) for each in audit(sold().stockpile, sheets).findings]
    assert any(re.search(finding, each) for each in found), found


@pytest.mark.parametrize(
    ("cell", "value", "finding"),
    [
        (
            "minimum_age_months",
            3.0,
            r"rotation![A-Z]+\d+: age of lot .* must be at least 3 \(outlets!",
        ),
        ("order_cost", 9.0, r"order cost"),
        ("country", "US", r"rules: some, US, horizon is not on the sheet"),
    ],
)
def test_a_plan_that_breaks_a_cell_is_found(cell: str, value: object, finding: str) -> None:
    outlets = [{**SOLD["outlets"][0], cell: value}, SOLD["outlets"][1]]
    other = plan_of({**SOLD, "outlets": outlets})
    assert other is not None
    found = [str(each) for each in audit(other.stockpile, as_sheets(sold())).findings]
    assert any(re.search(finding, each) for each in found), found


def test_metal_of_any_life_is_not_sold_too_young() -> None:
    """Without a shelf life a plan that sells metal of a month breaks a least age of two."""
    endless = {**SOLD, "materials": [{"material": "gallium"}]}
    older = [{**SOLD["outlets"][0], "minimum_age_months": 2}, SOLD["outlets"][1]]
    young, old = plan_of(endless), plan_of({**endless, "outlets": older})
    assert young is not None
    assert old is not None
    found = [str(each) for each in audit(old.stockpile, as_sheets(young)).findings]
    assert any(re.search(r"age of lot .* must be at least 2 \(outlets!", each) for each in found)


KEPT: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 2, "mip_gap": 0, "release_below_target": "no"},
    "materials": [{"material": "gallium", "shelf_life_months": 4, "below_target_cost": 2}],
    "suppliers": [{"supplier": "smelter"}],
    "opening_stock": SOLD["opening_stock"],
    "targets": [{"material": "gallium", "from": day(1), "quantity": 30}],
    "outlets": [
        {"outlet": "resale", "material": "gallium", "form": "sale", "price": 9, "from": day(1)}
    ],
}


def test_what_is_sold_below_a_target_is_found() -> None:
    """4 may leave of 34; a plan that may sell below the target sells all."""
    kept, free = (
        plan_of(KEPT),
        plan_of({**KEPT, "settings": {**KEPT["settings"], "release_below_target": "yes"}}),
    )
    assert kept is not None
    assert free is not None
    assert [*map(str, audit(kept.stockpile, as_sheets(kept)).findings)] == []
    assert sum(row["quantity"] for row in as_sheets(kept)["rotation"]) == pytest.approx(4)
    found = [str(each) for each in audit(kept.stockpile, as_sheets(free)).findings]
    expected = r"what leaves of gallium in 2027-0\d-01 and would count .* \(settings!"
    assert any(re.search(expected, each) for each in found), found


TESTED: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 4, "mip_gap": 0},
    "materials": [{"material": "gallium", "shelf_life_months": 2, "disposal_cost": 1}],
    "suppliers": [{"supplier": "smelter"}],
    "sites": [{"site": "depot", "cost": 0.1, "handling_in": 0.2}],
    "offers": [{"offer": "spot", "supplier": "smelter", "material": "gallium", "price": 30}],
    "opening_stock": [{"lot": "old", "material": "gallium", "quantity": 20, "made": day(1)}],
    "demand": [{"material": "gallium", "from": day(4), "quantity": 9}],
    "outlets": [
        {
            "outlet": "lab",
            "material": "gallium",
            "form": "requalify",
            "cost": 2,
            "yield": 0.8,
            "gain_months": 1,
            "times": 2,
        },
        {"outlet": "resale", "material": "gallium", "form": "sale", "price": 0.5},
        {"outlet": "bin", "material": "gallium", "form": "dispose"},
    ],
}


@functools.cache
def requalified() -> Plan:
    """The plan of TESTED, solved once in a process."""
    plan = plan_of(TESTED)
    assert plan is not None
    return plan


def test_a_plan_with_tests_passes() -> None:
    """9 of month 4 are tested twice: of 14.0625 pass 11.25, of these 9."""
    sheets = as_sheets(requalified())
    assert [*map(str, audit(requalified().stockpile, sheets).findings)] == []
    rows = sheets["requalified"]
    assert [(row["times"], row["quantity"]) for row in rows] == [
        (1, pytest.approx(11.25)),
        (None, pytest.approx(2.8125)),
        (2, pytest.approx(9)),
        (None, pytest.approx(2.25)),
    ]
    assert {row["first_made"] for row in rows} == {day(1)}


@pytest.mark.parametrize(
    ("sheet", "number", "column", "value", "finding"),
    [
        ("requalified", 0, "quantity", 12.0, r"what comes back \(lab"),
        ("requalified", 0, "times", 2, r"was requalified 2 times before"),
        ("requalified", 0, "first_made", day(2), r"first made"),
        ("requalified", 0, "made", day(1), r"what comes back \(lab"),
        ("requalified", 1, "passed", True, r"what comes back \(lab"),
        ("requalified", 1, "remaining_life", 1.0, r"remaining life"),
        ("requalified", 2, "before", "old", r"what comes back \(lab"),
        ("rotation", 0, "returned", 14.0, r"returned .* \(outlets!"),
    ],
)
def test_a_planted_fault_of_a_test_is_found(
    sheet: str, number: int, column: str, value: object, finding: str
) -> None:
    sheets = copy.deepcopy(as_sheets(requalified()))
    lines = [each for each in sheets[sheet] if each.get("outlet") == "lab"]
    lines[number][column] = value
    found = [str(each) for each in audit(requalified().stockpile, sheets).findings]
    assert any(re.search(finding, each) for each in found), found


@pytest.mark.parametrize(
    ("cell", "value", "finding"),
    [
        ("times", 1, r"was requalified 1 times before \(outlets!"),
        ("yield", 0.9, r"returned"),
        ("lead_time_months", 1, r"returns .* \(outlets!"),
        ("cost", 3, r"cost"),
    ],
)
def test_a_test_that_breaks_a_cell_is_found(cell: str, value: object, finding: str) -> None:
    outlets = [{**TESTED["outlets"][0], cell: value}, *TESTED["outlets"][1:]]
    other = plan_of({**TESTED, "outlets": outlets})
    assert other is not None
    found = [str(each) for each in audit(other.stockpile, as_sheets(requalified())).findings]
    assert any(re.search(finding, each) for each in found), found


@pytest.mark.parametrize(
    ("kind", "name"),
    [("rotation", "resale"), ("demand", "")],
)
def test_metal_that_failed_is_no_use(kind: str, name: str) -> None:
    """What is moved is as it was; where it goes is another."""
    sheets = copy.deepcopy(as_sheets(requalified()))
    failed = {row["lot"] for row in sheets["requalified"] if not row["passed"]}
    moves = [row for row in sheets["movements"] if row["lot"] in failed]
    for row in moves:
        if row["kind"] == "expired":
            row["kind"], row["name"] = kind, name
    for row in sheets["rotation"]:
        if row["lot"] in failed:
            row["outlet"], row["form"] = name, "sale"
    found = [str(each) for each in audit(requalified().stockpile, sheets).findings]
    assert any("has failed a test" in each for each in found), found


LENT: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 3, "mip_gap": 0},
    "materials": [{"material": "gallium", "shelf_life_months": 2}],
    "suppliers": [{"supplier": "smelter"}],
    "offers": [
        {"offer": "spot", "supplier": "smelter", "material": "gallium", "price": 30, "from": day(3)}
    ],
    "opening_stock": [{"lot": "old", "material": "gallium", "quantity": 10, "made": day(1)}],
    "demand": [{"material": "gallium", "from": day(3), "quantity": 12}],
    "outlets": [
        {
            "outlet": "maker",
            "material": "gallium",
            "form": "loan",
            "price": 3,
            "yield": 1.1,
            "months": 2,
        },
    ],
}


@functools.cache
def lent() -> Plan:
    """The plan of LENT, solved once in a process."""
    plan = plan_of(LENT)
    assert plan is not None
    return plan


def test_a_plan_with_a_loan_passes() -> None:
    """10 are lent for 30 and 11 are back in month 3."""
    sheets = as_sheets(lent())
    assert [*map(str, audit(lent().stockpile, sheets).findings)] == []
    (row,) = sheets["rotation"]
    assert (row["form"], row["proceeds"], row["returns"], row["returned"]) == (
        "loan",
        30,
        day(3),
        pytest.approx(11),
    )
    assert row["instruction"] == (
        "2027-01: lend 10 kg of lot old (gallium, stockpile, made 2027-01-01), 2 months of life"
        " left, through maker for 30 USD; 11 kg of gallium come back 2027-03"
    )


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("returned", 10.0, r"returned .* must be 11 \(outlets!"),
        ("returns", day(2), r"returns .* \(outlets!"),
        ("price", 4.0, r"price .* must be 3 \(outlets!"),
        ("proceeds", 40.0, r"proceeds .* must be 30"),
        ("quantity", 9.0, r"what leaves"),
    ],
)
def test_a_planted_fault_of_a_loan_is_found(column: str, value: object, finding: str) -> None:
    sheets = copy.deepcopy(as_sheets(lent()))
    sheets["rotation"][0][column] = value
    found = [str(each) for each in audit(lent().stockpile, sheets).findings]
    assert any(re.search(finding, each) for each in found), found


def test_what_comes_back_is_stated_as_exactly_as_it_is_audited() -> None:
    """0.9 of 18.1818181815 is 16.36363636335: to seven digits it is another to the audit."""
    swap = {"outlet": "swap", "material": "gallium", "form": "exchange", "yield": 0.9}
    lot = {"lot": "old", "material": "gallium", "quantity": 18.1818181815, "made": day(1)}
    plan = plan_of(
        {
            "settings": {"start": day(1), "periods": 2},
            "materials": [{"material": "gallium", "shelf_life_months": 2, "disposal_cost": 1}],
            "suppliers": [{"supplier": "smelter"}],
            "opening_stock": [lot],
            "outlets": [swap | {"lot_size": 18.1818181815}],
            "targets": [{"material": "gallium", "from": day(2), "quantity": 16, "hard": True}],
        }
    )
    assert plan is not None
    sheets = as_sheets(plan)
    row = sheets["rotation"][0]
    assert row["returned"] == pytest.approx(16.36363636335)
    assert " 16.363636 " in row["instruction"]
    assert [*map(str, audit(plan.stockpile, sheets).findings)] == []


def test_a_lot_out_for_a_test_counts_it_on_top_of_those_before() -> None:
    """It was requalified once, and comes back from a second test, though the outlet now takes
    metal for one.
    """
    check = {"outlet": "check", "material": "gallium", "form": "requalify", "gain_months": 1}
    plan = plan_of(
        {
            "settings": {"start": day(1), "periods": 1},
            "materials": [{"material": "gallium", "shelf_life_months": 4}],
            "opening_stock": [
                {"lot": "old", "material": "gallium", "quantity": 3, "made": dt.date(2026, 11, 1),
                 "requalified": 1, "tested_by": "check", "left": dt.date(2026, 12, 1)}
            ],
            "outlets": [check | {"lead_time_months": 1}],
        }
    )  # fmt: skip
    assert plan is not None
    assert plan["requalified"]["times"].tolist() == [2]
    assert [*map(str, audit(plan.stockpile, as_sheets(plan)).findings)] == []
