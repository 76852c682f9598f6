"""What is learnt of a program, against a fresh compilation."""

from __future__ import annotations

import numpy as np
import pytest

from optimiser.studies.compiled import JOINT, Learnt, compile_program, learn, probes
from optimiser.studies.tables import Input
from stockpile_model.changes import apply
from stockpile_model.data import Stockpile
from tests.support.accept import book, contract, demand, everything, floor, month, offer, prices, supplier


def learnt(stockpile: Stockpile, *moved: Input) -> Learnt | None:
    low, high = (np.array([getattr(each, end) for each in moved]) for end in ("low", "high"))
    for joint in JOINT:
        points = probes(low, high, joint)
        if found := learn(points, [compile_program(at(stockpile, moved, point)) for point in points], low, high):
            return found
    return None


def at(stockpile: Stockpile, moved: tuple[Input, ...], point: np.ndarray) -> Stockpile:  # type: ignore[type-arg]
    for each, value in zip(moved, point, strict=True):
        stockpile = apply(stockpile, each.change(value))
    return stockpile


def agrees(stockpile: Stockpile, *moved: Input, draws: int = 8) -> bool:
    """Whether what was learnt is the program at points that were not probed."""
    found = learnt(stockpile, *moved)
    assert found is not None
    dice = np.random.default_rng(7)
    points = [dice.uniform(found.low, found.high) for _ in range(draws)]
    return not any(found.errs(point, compile_program(at(stockpile, moved, point))) for point in points)


def moving(table: str, row: str, column: str, low: float, high: float, how: str = "set") -> Input:
    return Input(table, row, column, how, low, high)  # type: ignore[arg-type]


PRICE = moving("offers", "spot", "price", 5, 15)


def test_one_number_moves_its_entries_along_a_line() -> None:
    assert agrees(book(offer(), demand(10)), PRICE)


def test_numbers_that_multiply_each_other() -> None:
    """Price, duty and availability make one coefficient together."""
    stockpile = book(offer(duty=0.1, availability=0.9), demand(10))
    assert agrees(stockpile, PRICE, moving("offers", "spot", "duty", 0, 0.3), moving("offers", "spot", "availability", 0.5, 1))


def test_a_number_that_is_nothing_where_it_stands() -> None:
    """Half of the range has entries that the other end has not."""
    assert agrees(book(offer(adder=1), demand(10)), moving("offers", "spot", "adder", 0, 3), moving("offers", "spot", "duty", 0, 0.5))


def test_a_price_that_a_floor_cuts_off() -> None:
    """max(8, 0.95·index) of an index from 4 to 12, and with a discount on it that is hidden wherever the floor holds."""
    stockpile = book(contract(price_index="market", discount=0.05), floor(8, 120), *prices(10), demand(10, 0, 1))
    index = moving("prices", "*", "market", 4, 12)
    assert agrees(stockpile, index)
    assert agrees(stockpile, index, moving("contracts", "offtake", "discount", 0.0, 0.2))


def test_a_cost_that_is_spread_over_a_capacity() -> None:
    """Where orders are relaxed the order cost is paid by what is ordered of the capacity: its share of a unit is a quotient."""
    stockpile = book(offer(order_cost=90, capacity=40), demand(10, 0, 3), periods=4, firm_periods=1)
    capacity = moving("offers", "spot", "capacity", 20, 60)
    assert agrees(stockpile, capacity)
    assert agrees(stockpile, capacity, PRICE, moving("offers", "spot", "order_cost", 0.8, 1.2, "scale"))


def test_what_is_no_sum_of_products_is_not_learnt() -> None:
    """A discount rate is a power in every entry."""
    assert learnt(book(offer(), demand(10, 0, 23), periods=24), moving("settings", "discount_rate", "value", 0.0, 0.9)) is None


def test_columns_that_come_and_go_are_not_learnt() -> None:
    """A plant opens in another month, and orders can be placed from then on."""
    low, high = np.array([0.0]), np.array([2.0])
    points = probes(low, high)
    books = [book(offer(), supplier(start=month(round(point[0]))), demand(1, 5), periods=6) for point in points]
    assert learn(points, [compile_program(each) for each in books], low, high) is None


def test_outside_its_range_nothing_is_known() -> None:
    found = learnt(book(offer(), demand(10)), PRICE)
    assert found is not None
    assert found.holds(np.array([15.0]))
    assert not found.holds(np.array([15.1]))
    assert not found.holds(np.array([5.0, 5.0]))


def test_a_book_that_uses_everything() -> None:
    stockpile = everything()
    cells = [("materials", "below_target_cost"), ("outlets", "price"), ("sites", "cost")]
    moved = [moving(table, "*", column, 0.9, 1.1, "scale") for table, column in cells]
    assert agrees(stockpile, *moved, draws=4)


@pytest.mark.parametrize("broken", ["cost", "value", "row_upper"])
def test_a_compilation_that_differs_in_one_entry_is_seen(broken: str) -> None:
    found = learnt(book(offer(capacity=20), demand(10)), PRICE)
    assert found is not None
    point = np.array([7.0])
    fresh = compile_program(at(book(offer(capacity=20), demand(10)), (PRICE,), point))
    assert not found.errs(point, fresh)
    entries = getattr(fresh.program, broken)
    entries[np.flatnonzero(np.isfinite(entries) & (entries != 0))[0]] += 1e-3
    assert found.errs(point, fresh)
