"""Release: metal that counts does not leave while its target is missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stockpile_model.blocks.release import tells_apart
from stockpile_model.schema import Row
from tests.support.accept import (
    Case,
    book,
    built,
    demand,
    faults,
    least_cost,
    lot,
    material,
    offer,
    outlet,
    site,
    target,
)

KEPT = {"release_below_target": False, "periods": 1}

CASES = [
    Case(
        "cap_missed",
        "where metal that counts is sold the target of 5 is met",
        book(lot(9, 0), target(5), outlet(), **KEPT),
        {"out[sale,stockpile,0,0]": 4, "stock[ga,stockpile,0,0]": 5, "release[ga,,0]": 1},
        [{"out[sale,stockpile,0,0]": 5, "stock[ga,stockpile,0,0]": 4, "below[ga,,0]": 1}],
    ),
    Case(
        "cap_release",
        "while a target of 12 is missed none of the 9 that count is sold or thrown away; an"
        " exchange and demand may take some, and the old lot may be sold",
        book(
            lot(9, 0), lot(4, -2, "M"), material(shelf_life_months=3), target(12),
            outlet(), outlet("bin", "dispose"), outlet("swap", "exchange"), demand(3), **KEPT,
        ),
        {
            "use[ga,,stockpile,0,0]": 3,
            "out[swap,stockpile,0,0]": 2,
            "out[sale,stockpile,2,0]": 4,
            "stock[ga,stockpile,0,0]": 6,
            "below[ga,,0]": 6,
        },
        [
            {"out[sale,stockpile,0,0]": 1, "stock[ga,stockpile,0,0]": 5, "below[ga,,0]": 7},
            {"out[bin,stockpile,0,0]": 1, "stock[ga,stockpile,0,0]": 5, "below[ga,,0]": 7},
        ],
    ),
    Case(
        "cap_release",
        "nothing is lent while the target is missed",
        book(lot(9, 0), target(12), outlet("lend", "loan", months=1), **KEPT | {"periods": 2}),
        {
            "stock[ga,stockpile,0,0]": 9, "below[ga,,0]": 3,
            "stock[ga,stockpile,0,1]": 9, "below[ga,,1]": 3,
        },
        [{"out[lend,stockpile,0,0]": 1, "stock[ga,stockpile,0,0]": 8, "below[ga,,0]": 4}],
    ),
    Case(
        "cap_release",
        "of what a buyer's target counts; another's site may sell",
        book(
            lot(9, 0, site="north"), lot(9, 0, "M", site="south"), outlet(),
            site("north", buyer="navy"), site("south", buyer="army"), target(12, buyer="navy"),
            **KEPT,
        ),
        {
            "out[sale,south,0,0]": 5, "stock[ga,south,0,0]": 4,
            "stock[ga,north,0,0]": 9, "below[ga,navy,0]": 3,
        },
        [{"out[sale,north,0,0]": 5, "stock[ga,north,0,0]": 4, "below[ga,navy,0]": 8}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_a_sale_that_earns_more_than_the_target_is_worth_waits_for_the_target() -> None:
    """12 at 5 each against 2 for each that is missing of 10: all are sold for 60 and 20 are due,
    net 40. Kept below its target, 2 are sold for 10.
    """
    rows = lot(12, 0), target(10), outlet(), material(below_target_cost=2)
    assert least_cost(book(*rows, periods=1)) == pytest.approx(20 - 60)
    assert least_cost(book(*rows, **KEPT)) == pytest.approx(-10)


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ((), 1),
        ((target(5, hard=True),), 0),  # is not missed
        ((outlet(form="exchange"),), 0),  # comes back
        ((outlet(material="in"), material(), material("in")), 0),
    ],
)
def test_a_binary_only_where_one_is_needed(rows: tuple[Row, ...], count: int) -> None:
    given = {type(row) for row in rows}
    others = [each for each in (target(5), outlet()) if type(each) not in given]
    assert len(built(book(lot(9, 0), *rows, *others, **KEPT)).m.RELEASES) == count
    assert not built(book(lot(9, 0), *rows, *others, periods=1)).m.RELEASES


def test_ages_that_count_and_that_do_not_are_no_class() -> None:
    """At its last age metal would expire."""
    stockpile = book(material(shelf_life_months=6), target(9), outlet(), **{**KEPT, "periods": 9})
    marks = [tells_apart(stockpile, "ga", age) for age in range(6)]
    assert marks == [True] * 5 + [False]
    free = replace(stockpile.settings, release_below_target=True)
    assert not any(tells_apart(replace(stockpile, settings=free), "ga", age) for age in range(6))


def test_the_last_age_may_leave_from_a_class() -> None:
    """Of a lot in its sixth and last month nothing counts: 9 are sold for 45 while all 10 of the
    target are missed.
    """
    rows = lot(9, -5), material(shelf_life_months=6, below_target_cost=1), target(10), outlet()
    classed = replace(book(*rows, **KEPT), classes=None)
    assert least_cost(classed) == pytest.approx(10 - 45)


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            (outlet(), outlet("swap", "exchange", yield_=2)),
            "outlets.capacity: is needed: metal that counts is not released below its target, and"
            " an exchange or rework gives back at once more than goes in",
        ),
        (
            (outlet(price=50), offer()),
            "offers.capacity: is needed: metal that counts is not released below its target, and"
            " nothing else in the workbook bounds what could be bought",
        ),
    ],
)
def test_what_could_be_released_must_be_bounded(rows: tuple[Row, ...], fault: str) -> None:
    assert faults(book(*rows, target(9), **KEPT)) == [fault]
