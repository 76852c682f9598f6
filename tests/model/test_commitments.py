"""Commitments: what has been decided is kept, exactly, at least or at most."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile_model.blocks.commitments import CommitmentKept
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.build import report
from stockpile_model.schema import Row
from tests.support.accept import (
    Case,
    Plan,
    book,
    broken,
    built,
    commitment,
    contract,
    demand,
    faults,
    floor,
    least_cost,
    lot,
    material,
    month,
    offer,
    outlet,
    project,
    put,
    site,
    supplier,
)

MENU = (contract(take_or_pay=0, sign_to=month(1)), floor(8, 120), floor(9, 240, "high"))
LOTS = (
    lot(9, 0, site="north"),
    lot(9, -1, "M", site="south"),
    site("north"),
    site("south"),
    material(shelf_life_months=4),
)
PLANT = (
    project(cost=5, breakeven_floor=7),
    contract(project="plant 2", take_or_pay=0),
    floor(8, 120),
)
CARRIED = {"carry[plant 2,0]": 1, "sign[offtake,low,0]": 1, "begin[offtake,low,0,0]": 1}


def bought(january: float, february: float) -> dict[str, float]:
    return {"buy[spot,0]": january, "buy[spot,1]": february, "stock[ga,stockpile,0,0]": january,
            "stock[ga,stockpile,0,1]": january + february}  # fmt: skip


def sold(north: float, south: float) -> dict[str, float]:
    """9 of January at the north and 9 of December at the south, of which some leave in January."""
    return {
        "out[sale,north,0,0]": north, "stock[ga,north,0,0]": 9 - north, "stock[ga,north,1,1]": 9 - north,
        "out[sale,south,1,0]": south, "stock[ga,south,1,0]": 9 - south, "stock[ga,south,2,1]": 9 - south,
    }  # fmt: skip


def cases(
    name: str,
    rows: tuple[Row, ...],
    done: dict[str, Any],
    accepted: Plan,
    fewer: list[Plan],
    more: list[Plan],
) -> list[Case]:
    """What is committed exactly refuses less and more; at least, or at most, it refuses the one and
    accepts the other.
    """
    found = []
    for component, refused, others, sense in (
        ("hold_commitment_least", fewer, more, "at_least"),
        ("hold_commitment_most", more, fewer, "at_most"),
    ):
        if refused:
            found.append(
                Case(
                    component,
                    f"{name}, exactly",
                    book(*rows, commitment(**done)),
                    accepted,
                    refused,
                )
            )
            loose = book(*rows, commitment(**done, how=sense))
            found += [
                Case(component, f"{name}, {sense}", loose, {**accepted, **other}, refused)
                for other in ({}, *others)
            ]
    return found


CASES = [
    *cases("6 ordered in January", (offer(),), {"kind": "order", "name": "spot", "quantity": 6, "t": 0},
           bought(6, 3), [bought(5, 4)], [bought(7, 2)]),
    *cases("6 ordered in all", (offer(),), {"kind": "order", "name": "spot", "quantity": 6}, bought(2, 4), [bought(2, 3)], [bought(3, 4)]),
    *cases("a name in any case", (offer(),), {"kind": "order", "name": "SPOT", "quantity": 6, "t": 1},
           bought(0, 6), [bought(6, 5)], [bought(0, 7)]),
    *cases("what is ordered counts, not what arrives", (offer(availability=0.5),), {"kind": "order", "name": "spot", "quantity": 6, "t": 1},
           {"buy[spot,1]": 6, "stock[ga,stockpile,0,1]": 3}, [{"buy[spot,1]": 5, "stock[ga,stockpile,0,1]": 2.5}],
           [{"buy[spot,1]": 12, "stock[ga,stockpile,0,1]": 6}]),
    *cases("one level signed in January", MENU, {"kind": "sign", "name": "offtake", "level": "high", "t": 0},
           {"sign[offtake,high,0]": 1},
           [{"sign[offtake,high,0]": 0, "sign[offtake,high,1]": 1}, {"sign[offtake,high,0]": 0, "sign[offtake,low,0]": 1}], []),
    *cases("any level at any time", MENU, {"kind": "sign", "name": "offtake"},
           {"sign[offtake,low,1]": 1}, [{"sign[offtake,low,1]": 0}], []),
    *cases("not signed in February", MENU, {"kind": "sign", "name": "offtake", "quantity": 0, "t": 1},
           {"sign[offtake,low,0]": 1}, [], [{"sign[offtake,low,0]": 0, "sign[offtake,high,1]": 1}]),
    *cases("5 rotated out in January, of all sites and ages", (*LOTS, outlet()),
           {"kind": "rotate", "name": "sale", "quantity": 5, "t": 0}, sold(3, 2), [sold(3, 1)], [sold(4, 2)]),
    *cases("granted in February", (offer(project="plant 2", capacity=9), project(cost=5)), {"kind": "project", "name": "plant 2", "t": 1},
           {"grant[plant 2,1]": 1}, [{"grant[plant 2,1]": 0, "grant[plant 2,0]": 1}], []),
    *cases("carried counts as well as granted", PLANT, {"kind": "project", "name": "plant 2", "t": 0}, CARRIED,
           [{"carry[plant 2,0]": 0, "sign[offtake,low,0]": 0, "begin[offtake,low,0,0]": 0}], []),
    *cases("not helped in January", PLANT, {"kind": "project", "name": "plant 2", "quantity": 0, "t": 0}, {"grant[plant 2,1]": 1},
           [], [{"grant[plant 2,1]": 0} | CARRIED, {"grant[plant 2,1]": 0, "grant[plant 2,0]": 1}]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_the_plan_decides_the_rest_around_what_is_committed() -> None:
    """10 are wanted. 4 are committed from the dear offer at 20, 6 come at 10; at most 3 of the
    cheap one: 30 + 140.
    """
    rows = (offer(), offer("dear", 20), demand(10))
    assert least_cost(book(*rows, periods=1)) == pytest.approx(100)
    assert least_cost(book(*rows, commitment("order", "dear", 4, 0), periods=1)) == pytest.approx(
        80 + 60
    )
    assert least_cost(
        book(*rows, commitment("order", "spot", 3, how="at_most"), periods=1)
    ) == pytest.approx(30 + 140)
    assert least_cost(
        book(*rows, commitment("order", "spot", 3, how="at_least"), periods=1)
    ) == pytest.approx(100)
    assert least_cost(
        book(*rows, commitment("order", "spot", 12, 0, how="at_least"), periods=1)
    ) == pytest.approx(120)


def test_a_date_falls_into_the_period_that_contains_it() -> None:
    stockpile = book(
        offer(),
        Commitment(kind="order", name="spot", quantity=6, date=month(5, 20)),
        periods=4,
        period_months=3,
    )
    formulation = built(stockpile)
    kept = {"buy[spot,1]": 6} | {f"stock[ga,stockpile,0,{t}]": 6.0 for t in (1, 2, 3)}
    assert broken(formulation, kept) == set()
    assert broken(
        formulation, {"buy[spot,2]": 6, "stock[ga,stockpile,0,2]": 6, "stock[ga,stockpile,0,3]": 6}
    ) == {"hold_commitment_least"}


def test_commitments_that_exclude_each_other_leave_no_plan() -> None:
    rows = (
        offer(),
        commitment("order", "spot", 5, 0),
        commitment("order", "spot", 4, how="at_most"),
    )
    assert faults(book(*rows)) == []
    assert least_cost(book(*rows)) is None


# What is reported
# --------------------------------------------------------------------------------------------------


def test_what_is_committed_and_what_is_planned_is_reported() -> None:
    rows = (
        offer(), *MENU, outlet(), lot(9, 0),
        commitment("order", "Spot", 6, 1, how="at_least"), commitment("sign", "offtake", level="high"),
        commitment("rotate", "sale", 5, how="at_most"),
    )  # fmt: skip
    plan = {
        "buy[spot,1]": 8,
        "sign[offtake,high,0]": 1,
        "out[sale,stockpile,0,0]": 1,
        "out[sale,stockpile,0,1]": 3,
    }
    told = [row for row in report(put(built(book(*rows)), plan)) if isinstance(row, CommitmentKept)]
    assert [(row.date, row.kind, row.name, row.level) for row in told] == [
        (month(1), "order", "spot", None), (None, "sign", "offtake", "high"), (None, "rotate", "sale", None),
    ]  # fmt: skip
    assert [(row.how, row.quantity, row.planned, row.measure) for row in told] == [
        ("at_least", 6, 8, "quantity"), ("exactly", 1, 1, "times"), ("at_most", 5, 4, "quantity"),
    ]  # fmt: skip


# What is wrong with a row
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            commitment("order", "spott", 6),
            "commitments.name: 'spott' has no row in the sheet offers (did you mean 'spot'?)",
        ),
        (commitment("sign", "spot"), "commitments.name: 'spot' has no row in the sheet contracts"),
        (
            commitment("sign", "offtake", level="hihg"),
            (
                "commitments.level: 'hihg' is no level of offtake in the sheet floors (did you mean"
                " 'high'?)"
            ),
        ),
        (
            commitment("order", "spot", 6, level="high"),
            "commitments.level: must be blank for all but sign: only a contract has levels",
        ),
        (
            commitment("order", "spot", 6, 2),
            (
                "commitments.date: must be within the horizon, 2027-01-01 to 2027-02-28, found"
                " 2027-03-01"
            ),
        ),
        (
            commitment("order", "spot", 6, -1),
            (
                "commitments.date: spot ordered on 2026-12-01 arrived in the period of 2026-12-01,"
                " before the start: what is left of it is opening_stock; or write what is late"
                " into in_transit"
            ),
        ),
        (
            commitment("order", "spot"),
            "commitments.quantity: is required: how much is ordered or rotated",
        ),
        (
            commitment("rotate", "sale"),
            "commitments.quantity: is required: how much is ordered or rotated",
        ),
        (
            commitment("sign", "offtake", 2),
            "commitments.quantity: must be 1 (it is done) or 0 (it is not), found 2",
        ),
        (
            commitment("project", "plant 2", 0.5),
            "commitments.quantity: must be 1 (it is done) or 0 (it is not), found 0.5",
        ),
    ],
)
def test_faults_of_a_commitment(row: Commitment, fault: str) -> None:
    rows = (
        offer(),
        *MENU,
        outlet(),
        project(cost=5),
        offer("other", project="plant 2", capacity=1),
    )
    assert faults(book(*rows, row)) == [fault]


@pytest.mark.parametrize(
    ("row", "impossible"),
    [
        (commitment("order", "spot", 6, 1), True),  # would arrive in March
        (commitment("order", "spot", 6, 0), False),
        (commitment("order", "spot", 6), False),
        (commitment("order", "spot", 6, 1, how="at_least"), True),
        (commitment("order", "spot", 6, 1, how="at_most"), False),
        (commitment("order", "spot", 0, 1), False),
        (commitment("order", "late", 6, 0), True),
        (commitment("sign", "offtake", t=1), False),
        (commitment("sign", "once", t=1), True),
        (commitment("sign", "once", 0, 1), False),
        (commitment("sign", "theirs"), True),  # a supplier that does not count
        (commitment("rotate", "swap", 6, 1), True),  # would be back in March
        (commitment("rotate", "swap", 6, 0), False),
        (commitment("project", "plant 2", t=0), True),
        (commitment("project", "plant 2", t=1), False),
        (commitment("project", "plant 2", 0, 0), False),
    ],
)
def test_what_cannot_be_done_at_all_cannot_be_committed(row: Commitment, impossible: bool) -> None:
    rows = (
        supplier(), supplier("them", stage="announced"), offer(lead_time_months=1), offer("late", from_=month(1)), *MENU,
        contract("once"), floor(8, 60, name="once"), contract("theirs", supplier="them"), floor(8, 60, name="theirs"),
        outlet("swap", "exchange", lead_time_months=1), project(cost=5, decide_from=month(1)), offer("new", project="plant 2", capacity=1),
    )  # fmt: skip
    when = "" if row.date is None else f" on {row.date}"
    said = (
        f"commitments.date: cannot be kept: {row.kind} of {row.name} is not possible{when}; see its"
        " dates, lead time and supplier"
    )
    assert faults(book(*rows, row, supply_stages=("operating",))) == ([said] if impossible else [])
