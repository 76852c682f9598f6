"""A year of planning again each month on a small gallium: nothing appears, nothing vanishes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from stockpile_model.scenarios import Scenario
from stockpile_model.tables import Supplier
from tests.support.gallium import gallium_until
from tests.support.year import Month, appropriated, nothing_is_lost, received, unspent, year

MONTHS = 12


@pytest.fixture(scope="module")
def months() -> list[Month]:
    """Eighteen months of the base and the plant that is late, which it is from July on."""
    book = gallium_until(dt.date(2028, 7, 1), scenarios=("metlen_late",))
    return [*year(book, "metlen_late", MONTHS, gap=0.05)]


def test_no_metal_money_or_order_appears_or_vanishes(months: list[Month]) -> None:
    assert [month.begin for month in months] == [dt.date(2027, t + 1, 1) for t in range(MONTHS)]
    for month in months:
        nothing_is_lost(month)


def test_what_was_spent_over_the_year_and_what_is_left_is_what_there_was(
    months: list[Month],
) -> None:
    spent, lapsed, came = 0.0, 0.0, 0.0
    for month in months:
        left, has = unspent(month), appropriated(month.following.stockpile)
        came += received(month).total()
        spent += sum(row["amount"] for row in month.rows("payments"))
        lapsed += sum(amount for key, amount in left.items() if key not in has)
    assert spent > 0
    assert came > 0
    before = appropriated(months[0].book.stockpile).total()
    after = appropriated(months[-1].following.stockpile).total()
    assert before + came == pytest.approx(spent + lapsed + after, rel=1e-9)


def test_the_scenario_that_has_come_is_in_the_rows(months: list[Month]) -> None:
    """Metlen was to ship from July 2027; then it is known that it does so a year later."""
    for month in months:
        (metlen,) = (
            row for row in month.following.stockpile.rows(Supplier) if row.supplier == "metlen"
        )
        known = month.begin >= dt.date(2027, 7, 1)
        assert metlen.start == dt.date(2028 if known else 2027, 7, 1)
        assert month.following.stockpile.given(Scenario) != known
    (said,) = (each for month in months for each in month.following.folded)
    assert said == "suppliers[metlen].start add 12 has come with metlen_late: it is in the rows"


@pytest.mark.parametrize(
    "change",
    [
        "opening_stock[*].quantity scale 1.001",
        "opening_stock[*].made add -1",
        "budgets[operations].amount add 5",
        "commitments[order].quantity add 1",
        "commitments[sign].date add -1",
    ],
)
def test_what_appears_or_vanishes_is_found(months: list[Month], change: str) -> None:
    """A kilogram, a month of age, a dollar, an order or a day of signature too much."""
    month = months[8]
    with pytest.raises(AssertionError):
        nothing_is_lost(replace(month, following=month.following.change(change)))
