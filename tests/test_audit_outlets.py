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
        ("minimum_age_months", 3.0, r"rotation!F\d+: age of lot .* must be at least 3 \(outlets!"),
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
