"""Time, the tree, prices on a day, and the tables every block reads."""

from __future__ import annotations

import datetime as dt

import pytest

from stockpile_model.calendar import Calendar, add_months, overlap
from stockpile_model.schema import Row, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from stockpile_model.tree import Tree
from tests.support.accept import (
    book,
    demand,
    faults,
    material,
    month,
    offer,
    prices,
    site,
    supplier,
    warnings,
)

JANUARY = month(0)


def calendar(
    start: dt.date = JANUARY, periods: int = 12, months: int = 1, fiscal_year_start: int = 10
) -> Calendar:
    return Calendar(start, periods, months, fiscal_year_start)


D = dt.date


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (D(2027, 1, 15), 1, D(2027, 2, 15)),
        (D(2027, 1, 31), 1, D(2027, 2, 28)),
        (D(2028, 1, 31), 1, D(2028, 2, 29)),
        (D(2027, 1, 31), 3, D(2027, 4, 30)),
        (D(2027, 1, 29), 1, D(2027, 2, 28)),
        (D(2027, 11, 1), 14, D(2029, 1, 1)),
        (D(2027, 1, 1), -1, D(2026, 12, 1)),
    ],
)
def test_add_months(day: dt.date, months: int, later: dt.date) -> None:
    assert add_months(day, months) == later


def test_a_period_runs_from_its_first_day_to_its_last() -> None:
    quarters = calendar(D(2027, 10, 15), 4, 3)
    assert [quarters.begin(t) for t in range(5)] == [
        D(2027, 10, 15),
        D(2028, 1, 15),
        D(2028, 4, 15),
        D(2028, 7, 15),
        D(2028, 10, 15),
    ]
    assert quarters.end(0) == D(2028, 1, 14)


@pytest.mark.parametrize("months", [1, 3, 6, 12])
@pytest.mark.parametrize("start", [D(2027, 1, 1), D(2027, 10, 15), D(2027, 12, 31), D(2028, 2, 29)])
def test_every_day_is_in_one_period(start: dt.date, months: int) -> None:
    """Before, within and after the horizon, a day belongs to the period whose first and last day
    are around it.
    """
    periods = calendar(start, 4, months)
    for days in range(-800, 1800, 7):
        day = start + dt.timedelta(days=days)
        t = periods.period(day)
        assert periods.begin(t) <= day <= periods.end(t)
    for t in range(-3, 6):
        assert periods.period(periods.begin(t)) == periods.period(periods.end(t)) == t


@pytest.mark.parametrize(
    ("first", "months", "start", "years"),
    [
        (D(2027, 8, 1), 1, 10, [2027, 2027, 2028]),  # named by the year in which it ends
        (D(2027, 8, 1), 1, 9, [2027, 2028, 2028]),
        (D(2027, 11, 1), 1, 1, [2027, 2027, 2028]),
        (
            D(2027, 9, 15),
            3,
            10,
            [2027, 2028, 2028],
        ),  # a period belongs to the year of its first day
        (D(2027, 1, 1), 12, 10, [2027, 2028, 2029]),
    ],
)
def test_fiscal_year(first: dt.date, months: int, start: int, years: list[int]) -> None:
    assert [calendar(first, 3, months, start).fiscal_year(t) for t in range(3)] == years


@pytest.mark.parametrize(
    ("months", "length", "whole"),
    [(1, 5, 5), (3, 6, 2), (3, 4, None), (6, 3, None), (12, 24, 2), (1, 0.5, None), (3, 0, 0)],
)
def test_whole_periods(months: int, length: float, whole: int | None) -> None:
    assert calendar(months=months).whole(length) == whole


def test_years_from_the_start() -> None:
    assert [calendar(months=3).years(t) for t in (0, 2, 5)] == [0, 0.5, 1.25]


@pytest.mark.parametrize(
    ("begin", "end", "periods"),
    [
        (None, None, [0, 1, 2]),
        (month(1, 20), None, [1, 2]),
        (None, month(1), [0, 1]),
        (month(-4), month(9), [0, 1, 2]),
        (month(3), None, []),
        (None, month(-1), []),
    ],
)
def test_periods_between_dates(
    begin: dt.date | None, end: dt.date | None, periods: list[int]
) -> None:
    assert list(overlap(calendar(periods=3), begin, end)) == periods


# The tree
# --------------------------------------------------------------------------------------------------

#   0 - 1 - 2 - 3
#        \  4 - 5
FORK = Tree(
    period=(0, 1, 2, 3, 2, 3),
    parent=(None, 0, 1, 2, 1, 4),
    probability=(1, 1, 0.75, 0.75, 0.25, 0.25),
)


def test_a_chain() -> None:
    chain = Tree.chain(3)
    assert (chain.period, chain.parent, chain.probability) == (
        (0, 1, 2),
        (None, 0, 1),
        (1.0, 1.0, 1.0),
    )
    assert chain.leaves == (2,)


def test_a_fork() -> None:
    assert FORK.leaves == (3, 5)
    assert FORK.paths[5] == (0, 1, 4, 5)
    assert FORK.at[2] == (2, 4)


@pytest.mark.parametrize(
    ("node", "periods", "ancestor"),
    [(5, 0, 5), (5, 1, 4), (5, 2, 1), (3, 3, 0), (3, 4, None), (0, 1, None)],
)
def test_the_way_back(node: int, periods: int, ancestor: int | None) -> None:
    assert FORK.back(node, periods) == ancestor


@pytest.mark.parametrize(
    ("node", "periods", "nodes"),
    [(1, 0, [1]), (0, 1, [1]), (0, 3, [3, 5]), (1, 1, [2, 4]), (4, 1, [5]), (4, 2, [])],
)
def test_the_way_on(node: int, periods: int, nodes: list[int]) -> None:
    assert FORK.later(node, periods) == nodes


# Prices
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (month(-5), 10),
        (month(0), 10),
        (month(0, 16), 10 + 10 * 15 / 31),
        (month(1), 20),
        (month(1, 15), 18),
        (month(2), 16),
        (month(9), 16),
    ],
)
def test_an_index_is_linear_between_its_dates_and_flat_outside(day: dt.date, value: float) -> None:
    assert book(*prices(10, 20, 16)).price_on("market", day) == pytest.approx(value)


def test_a_blank_cell_of_an_index_is_no_point() -> None:
    """Rows in any order; the middle one says nothing of `market`."""
    rows = (
        Price(date=month(4), values={"market": 50, "other": 1}),
        Price(date=month(2), values={"other": 7}),
        Price(date=month(0), values={"market": 10}),
    )
    assert book(*rows).price_on("market", month(2)) == pytest.approx(10 + 40 * 59 / 120)


def test_an_index_is_read_at_the_start_of_the_period() -> None:
    assert book(*prices(10, 20, 16, 12), period_months=3).price("market", 1) == 12


def test_discount() -> None:
    assert [
        book(discount_rate=0.21, period_months=6).discount(t) for t in range(3)
    ] == pytest.approx([1, 1 / 1.1, 1 / 1.21])


# The tables that every block reads
# ----------------------------------------------------------------------------------------------


def test_without_the_table_there_is_one_free_site() -> None:
    (only,) = book().sites.values()
    assert (only.capacity, only.cost, only.handling_in, only.handling_out) == (None, 0, 0, 0)


def test_which_suppliers_count() -> None:
    plants = (supplier("a"), supplier("b", stage="announced"))
    assert [book(*plants).counts(each) for each in "ab"] == [True, True]
    assert [book(*plants, supply_stages=("operating",)).counts(each) for each in "ab"] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("start", "shipping"), [(None, 0), (month(-3), 0), (month(1, 20), 1), (month(7), 7)]
)
def test_when_a_supplier_ships_first(start: dt.date | None, shipping: int) -> None:
    assert book(supplier(start=start)).shipping("plant") == shipping


@pytest.mark.parametrize(
    ("rows", "settings", "fault"),
    [
        (
            [material(shelf_life_months=4)],
            {"period_months": 3},
            (
                "materials.shelf_life_months: must be a whole number of periods of 3 months, found"
                " 4 months; write 3 or 6"
            ),
        ),
        (
            [material(closing_value=1)],
            {},
            (
                "materials.price_index: is required where closing_value is above 0: it values the"
                " stock"
            ),
        ),
        (
            [site(buyer="navy"), demand(1, buyer="army")],
            {},
            (
                "demand.buyer: 'army' has no site, and no site in the sheet sites serves all; give"
                " it one"
            ),
        ),
    ],
)
def test_faults(rows: list[Row], settings: dict[str, int], fault: str) -> None:
    assert faults(book(*rows, **settings)) == [fault]


def test_a_life_to_count_or_to_take_need_be_no_whole_number_of_periods() -> None:
    """Only a lead time or a shelf life must be (workbook contract, meaning of time)."""
    assert faults(book(material(shelf_life_months=12, count_life_months=4), period_months=3)) == []


def test_a_supplier_after_the_horizon_is_odd() -> None:
    assert warnings(book(supplier(start=month(2)))) == [
        "suppliers.start: plant ships first on 2027-03-01, after the horizon: it is never used"
    ]


def test_the_nearest_name() -> None:
    assert nearest("Galium", ["gallium", "indium"]) == " (did you mean 'gallium'?)"
    assert nearest("zinc", ["gallium", "indium"]) == ""


def test_a_cell_has_an_address() -> None:
    header = {"offers": {"offer": "A", "lot_size": "F"}, "settings": {"start": "B4"}}
    stockpile = Stockpile(book().settings, {}, header)
    assert stockpile.cell(offer(line=7), "lot_size") == "offers!F7"
    assert stockpile.address("settings", 0, "start") == "settings!B4"
    assert stockpile.address("budgets", 0, "amount") == "budgets.amount"
