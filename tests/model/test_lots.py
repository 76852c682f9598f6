"""Lots: which leaves, how old it is, and what becomes of the rest.

Everything is numbers; no model is solved.
"""

from __future__ import annotations

import datetime as dt

import pytest

from stockpile_model.block import exits
from stockpile_model.blocks.stock.lot_outcomes import Movement
from stockpile_model.ledger import Arrival, Exit, Ledger, Opening
from stockpile_model.lots import Trace, trace
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from tests.support.accept import book, material, month

THREE_MONTHS = material(shelf_life_months=3)
UNLIMITED = material()


class Told(Ledger):
    """A ledger of the material `ga` at one site, in numbers."""

    def opens(self, name: str, made: int, quantity: float, day: int = 1) -> Told:
        self.openings.append(Opening(0, "ga", "stockpile", -made, name, month(made, day), quantity))
        return self

    def arrives(self, node: int, quantity: float, name: str = "spot") -> Told:
        self.bring(Arrival(node, "ga", "stockpile", 0, quantity, "offers", name, "plant"))
        return self

    def leaves(
        self, node: int, age: int, quantity: float, kind: str = "demand", name: str = ""
    ) -> Told:
        self.take(node, "ga", "stockpile", age, quantity, Exit(kind), name)
        return self


def three_months(*rows: Row) -> Stockpile:
    return book(*rows, periods=3)


def held(found: Trace, node: int) -> list[tuple[str, int, float]]:
    return [(each.lot.name, each.age, each.quantity) for each in found.stock if each.node == node]


def gone(found: Trace, kind: str = "demand") -> list[tuple[int, str, int, float]]:
    return [
        (each.node, each.lot.name, each.age, -each.quantity)
        for each in found.movements
        if each.kind == kind
    ]


def test_the_oldest_made_leaves_first_without_a_shelf_life() -> None:
    ledger = Told().opens("new", -2, 5).opens("old", -40, 5).arrives(0, 5).leaves(1, 0, 12)
    found = trace(three_months(UNLIMITED), ledger)
    assert gone(found) == [(1, "old", 41, 5), (1, "new", 3, 5), (1, "spot 2027-01", 1, 2)]
    assert held(found, 2) == [("spot 2027-01", 2, 3)]


def test_among_lots_of_one_age_the_oldest_made_leaves_first() -> None:
    """Both made in December, and what leaves is of their age: the lot bought in January stays."""
    ledger = (
        Told()
        .opens("late", -1, 5, day=20)
        .opens("early", -1, 5, day=3)
        .arrives(0, 5)
        .leaves(0, 1, 7)
    )
    found = trace(three_months(THREE_MONTHS), ledger)
    assert gone(found) == [(0, "early", 1, 5), (0, "late", 1, 2)]
    assert held(found, 0) == [("late", 1, 3), ("spot 2027-01", 0, 5)]


def test_what_the_plan_takes_of_an_age_comes_from_lots_of_that_age() -> None:
    ledger = Told().opens("old", -1, 5).arrives(0, 5).leaves(0, 0, 4, "outlet", "sale")
    assert gone(trace(three_months(THREE_MONTHS), ledger), "outlet") == [(0, "spot 2027-01", 0, 4)]


def test_a_lot_grows_older_and_expires_at_the_end_of_its_last_period() -> None:
    found = trace(three_months(THREE_MONTHS), Told().arrives(0, 5).leaves(1, 1, 2))
    assert [held(found, n) for n in range(3)] == [
        [("spot 2027-01", 0, 5)],
        [("spot 2027-01", 1, 3)],
        [],
    ]
    assert gone(found, "expired") == [(2, "spot 2027-01", 2, 3)]


def test_a_life_of_one_period_leaves_no_stock() -> None:
    found = trace(three_months(material(shelf_life_months=1)), Told().arrives(1, 5).leaves(1, 0, 2))
    assert found.stock == []
    assert gone(found, "expired") == [(1, "spot 2027-02", 0, 3)]


@pytest.mark.parametrize(("made", "expires"), [(0, 2), (-1, 1), (-2, 0), (-3, 0), (-50, 0)])
def test_an_opening_lot_expires_at_its_age_and_at_once_where_it_is_overdue(
    made: int, expires: int
) -> None:
    found = trace(three_months(THREE_MONTHS), Told().opens("L", made, 5))
    assert gone(found, "expired") == [(expires, "L", expires - made, 5)]


def test_an_overdue_lot_serves_nothing() -> None:
    """The lot of the last age serves, not the one behind it."""
    found = trace(
        three_months(THREE_MONTHS),
        Told().opens("overdue", -9, 5).opens("last", -2, 5).leaves(0, 2, 4),
    )
    assert gone(found) == [(0, "last", 2, 4)]
    assert sorted(gone(found, "expired")) == [(0, "last", 2, 1), (0, "overdue", 9, 5)]


def test_without_a_shelf_life_nothing_expires_and_age_is_kept() -> None:
    found = trace(three_months(UNLIMITED), Told().opens("L", -100, 5))
    assert held(found, 2) == [("L", 102, 5)]
    assert gone(found, "expired") == []


def test_every_arrival_is_a_lot_of_its_own() -> None:
    found = trace(
        three_months(UNLIMITED), Told().arrives(0, 5).arrives(0, 3, "other").arrives(1, 2)
    )
    assert held(found, 1) == [
        ("other 2027-01", 1, 3),
        ("spot 2027-01", 1, 5),
        ("spot 2027-02", 0, 2),
    ]
    assert {each.lot.made for each in found.stock} == {dt.date(2027, 1, 1), dt.date(2027, 2, 1)}


def test_sites_and_materials_do_not_mix() -> None:
    ledger = Told().arrives(0, 5)
    ledger.bring(Arrival(0, "ga", "vault", 0, 5, "offers", "spot", "plant"))
    ledger.bring(Arrival(0, "in", "stockpile", 0, 5, "offers", "tin", "plant"))
    ledger.leaves(1, 0, 4)
    stock = trace(book(UNLIMITED, material("in"), periods=2), ledger).stock
    left = [(each.lot.material, each.lot.site, each.quantity) for each in stock if each.node == 1]
    assert sorted(left) == [("ga", "stockpile", 1), ("ga", "vault", 5), ("in", "stockpile", 5)]


def test_the_noise_of_a_solver_is_no_lot() -> None:
    found = trace(
        three_months(UNLIMITED),
        Told().arrives(0, 1e-7).arrives(1, 5).leaves(1, 0, 1e-8).leaves(2, 0, 4.9999999),
    )
    assert [each.quantity for each in found.movements] == [5, -4.9999999]
    assert held(found, 2) == []


# --- Ways out of stock ---


def test_a_departure_is_a_movement_of_the_kind_of_its_exit() -> None:
    ledger = Told().arrives(0, 5).leaves(0, 0, 2, "draw", "laboratory")
    assert gone(trace(three_months(THREE_MONTHS), ledger), "draw") == [(0, "spot 2027-01", 0, 2)]


def test_the_sheet_of_movements_names_the_exits_of_all_blocks() -> None:
    (kind,) = (each for each in columns(Movement) if each.name == "kind")
    assert kind.meaning == (
        "`opening`, `arrival`, `return`, `move in`, `demand`, `rotation`, `move out` or `expired`"
    )
    assert [(each.name, each.free) for each in exits()] == [
        ("demand", False),
        ("rotation", True),
        ("move out", False),
    ]
