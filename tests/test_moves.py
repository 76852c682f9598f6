"""Moves between sites as they are asked for: cells by name, studies, buyers apart, the workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import optimiser as so
from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.workbook.read.plan_reader import read_plan
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.part import alone
from tests.support.plans import MOVED, day, moved_plan
from tests.support.recompute import check_summary

DEAR: dict[str, Any] = {
    "settings": {"start": day(1), "periods": 3, "mip_gap": 0},
    "materials": [{"material": "gallium"}],
    "sites": [{"site": "dear", "cost": 5}, {"site": "cheap", "cost": 1}],
    "opening_stock": [
        {"lot": "old", "material": "gallium", "site": "dear", "quantity": 10, "made": day(1)}
    ],
    "demand": [{"material": "gallium", "from": day(3), "quantity": 10}],
    "moves": [
        {"move": "road", "from_site": "dear", "to_site": "cheap", "cost": 3, "capacity": 6},
    ],
}
"""6 at 3 and two months at 1, 4 at 5 in January, then at 3 and 1; without a move each costs 10."""


def least(book: so.Book) -> float:
    """The least cost of a book."""
    plan = so.solve(book, gap=0.0).plan
    assert plan is not None
    return plan.objective


def dear(capacity: float = 6, cost: float = 3) -> float:
    """The least cost of DEAR by hand, where the cost of a move is at most 4."""
    first = min(10, capacity)
    second = min(10 - first, capacity)
    return first * (cost + 2) + second * (5 + cost + 1) + (10 - first - second) * 10


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("moves[road].capacity scale 0.5", dear(capacity=3)),
        ("moves[road].capacity = 20", dear(capacity=20)),
        ("moves[road].cost add -1", dear(cost=2)),
        ("moves[*].cost scale 9", 100),
        # They leave in January or in February, and are no stock for a month; then nothing is left
        # to store but what waits in January.
        ("moves[road].lead_time_months = 1", 6 * (3 + 1) + 4 * (5 + 3)),
    ],
)
def test_a_cell_of_a_move_is_set(change: str, expected: float) -> None:
    assert least(so.from_tables(DEAR).change(change)) == pytest.approx(expected)


def test_a_sweep_over_the_capacity_of_a_move() -> None:
    found = so.study(
        so.from_tables(DEAR), "sweep", {"moves[road].capacity": (2, 10)}, steps=3, gap=0.0
    ).frame
    expected = [dear(capacity) for capacity in (2, 6, 10)]
    assert found["objective"].tolist() == pytest.approx(expected)


def test_an_event_closes_a_way() -> None:
    """From February on nothing moves in half of the cases: what is left in January stays dear."""
    closed = {
        **DEAR,
        "scenarios": [{"scenario": "flood", "probability": 0.5, "revealed": day(2)}],
        "events": [
            {
                "scenario": "flood",
                "table": "moves",
                "row": "road",
                "column": "capacity",
                "from": day(2),
                "how": "set",
                "value": 0,
            }
        ],
    }
    found = so.solve(so.from_tables(closed), gap=0.0).plan
    assert found is not None
    assert found.objective == pytest.approx((dear() + 6 * 5 + 4 * 10) / 2)
    moved = {
        (line["date"], line["scenarios"]): line["quantity"] for line in as_sheets(found)["moves"]
    }
    assert moved == {(day(1), "all"): 6, (day(2), "base"): 4}
    assert audit(found.stockpile, as_sheets(found)).findings == ()


def test_the_summary_of_a_plan_with_moves_agrees(tmp_path: Path) -> None:
    """A move is neither in nor out of the whole; and the plan that is read again passes."""
    path = moved_plan().save(tmp_path / "plan.xlsx")
    assert check_summary(path) == []
    assert audit(so.from_tables(MOVED).stockpile, read_plan(path).sheets).findings == ()
    assert "Move 10.5 kg between sites." in moved_plan().verdict.splitlines()


def test_plans_that_differ_in_a_move_differ_where_they_are_compared() -> None:
    plans = [moved_plan(), so.solve(so.from_tables(DEAR), gap=0.0).plan]
    assert all(plan is not None for plan in plans)
    rows = so.compare(*plans, names=("one", "other")).frame
    moved = rows[rows["what"] == "moved"]
    assert moved["of"].tolist() == ["road"]


def test_a_move_to_the_site_of_another_buyer_goes_with_that_buyer() -> None:
    stockpile = so.from_tables(MOVED).stockpile
    assert [row.move for row in alone(stockpile, ["navy"]).rows(SiteMove)] == []
    assert len(alone(stockpile, ["army", "navy"]).rows(SiteMove)) == 2
