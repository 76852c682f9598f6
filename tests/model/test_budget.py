"""Money: which appropriation may pay what, when, and what lapses."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.budget import Budget, BudgetUse, Payment
from stockpile_model.build import report
from stockpile_model.funds import Fund
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    Case,
    book,
    budget,
    built,
    contract,
    faults,
    floor,
    fund,
    least_cost,
    lot,
    material,
    month,
    offer,
    outlet,
    put,
    site,
    target,
    warnings,
)

# 10 bought for 100 in January and kept.
BOUGHT = {"buy[spot,0]": 10, "stock[ga,stockpile,0,0]": 10}

CASES = [
    Case(
        "balance_outlay",
        "every outlay is paid in full, out of one appropriation or several",
        book(offer(), fund(), budget(70), budget(50), periods=1),
        BOUGHT | {"pay[0,purchase,ga,,,0,0]": 70, "pay[1,purchase,ga,,,0,0]": 30},
        [{"pay[1,purchase,ga,,,0,0]": 29}, {"pay[1,purchase,ga,,,0,0]": 31}],
    ),
    Case(
        "balance_outlay",
        "metal, order cost, duty and freight under offers are purchase; holding is storage",
        book(offer(capacity=10, duty=0.1, freight=1, order_cost=5), material(holding_cost=2), fund(), budget(200), periods=1),
        BOUGHT | {"place[spot,0]": 1, "pay[0,purchase,ga,,,0,0]": 100 + 10 + 10 + 5, "pay[0,storage,ga,,,0,0]": 20},
        [{"pay[0,purchase,ga,,,0,0]": 120, "pay[0,storage,ga,,,0,0]": 25}],
    ),
    Case(
        "balance_outlay",
        "deliveries, duty, freight, deficits and signing are contract",
        book(contract(signing_cost=7, duty=0.5, freight=1), floor(8, 120), fund(), budget(200), periods=1),
        {"sign[offtake,low,0]": 1, "take[offtake,low,0,0]": 4, "deficit[offtake,low,0,0]": 6, "stock[ga,stockpile,0,0]": 4}
        | {"pay[0,contract,ga,,,0,0]": 7 + 4 * (8 + 4 + 1) + 6 * 8},
        [{"pay[0,contract,ga,,,0,0]": 100}],
    ),
    Case(
        "balance_outlay",
        "handling is storage; the cost of outlets and of waste is rotation",
        book(
            lot(10, 0), material(shelf_life_months=1, disposal_cost=3), outlet(price=0, cost=1), site(handling_out=2),
            fund(), budget(100), periods=1,
        ),
        {"out[sale,stockpile,0,0]": 4, "expired[ga,stockpile,0]": 6, "pay[0,storage,ga,,,0,0]": 8, "pay[0,rotation,ga,,,0,0]": 4 + 18},
        [{"pay[0,storage,ga,,,0,0]": 0}, {"pay[0,rotation,ga,,,0,0]": 21}],
    ),
    Case(
        "cap_budget",
        "an appropriation pays no more than its amount, over all the months and uses it may",
        book(offer(), material(holding_cost=1), fund(), budget(120)),
        BOUGHT
        | {"stock[ga,stockpile,0,1]": 10, "pay[0,purchase,ga,,,0,0]": 100, "pay[0,storage,ga,,,0,0]": 10, "pay[0,storage,ga,,,1,1]": 10},
        [{"buy[spot,1]": 1, "stock[ga,stockpile,0,1]": 11, "pay[0,purchase,ga,,,1,1]": 10, "pay[0,storage,ga,,,1,1]": 11}],
    ),
    Case(
        "balance_receipts",
        "of 20 received 10 are spent in their month and 10 a month later",
        book(lot(10, 0), outlet(fund="nds"), offer(), fund(keeps_receipts=True)),
        {"out[sale,stockpile,0,0]": 4, "buy[spot,0]": 1, "pay[0,purchase,ga,,,0,0]": 10, "stock[ga,stockpile,0,0]": 7}
        | {"receipts_left[0,0]": 10, "buy[spot,1]": 1, "pay[0,purchase,ga,,,1,1]": 10, "stock[ga,stockpile,0,1]": 8},
        [
            {"buy[spot,1]": 2, "pay[0,purchase,ga,,,1,1]": 20, "stock[ga,stockpile,0,1]": 9},
            {"out[sale,stockpile,0,0]": 3, "stock[ga,stockpile,0,0]": 8, "stock[ga,stockpile,0,1]": 9},
            {"receipts_left[0,0]": 0},
        ],
    ),
    Case(
        "receipts_left",
        "they are not spent before they arrive",
        book(lot(10, 0), outlet(fund="nds"), offer(), fund(keeps_receipts=True)),
        {"stock[ga,stockpile,0,0]": 10, "out[sale,stockpile,0,1]": 2, "buy[spot,1]": 1, "pay[0,purchase,ga,,,1,1]": 10}
        | {"stock[ga,stockpile,0,1]": 9},
        [
            {"buy[spot,1]": 0, "pay[0,purchase,ga,,,1,1]": 0, "buy[spot,0]": 1, "pay[0,purchase,ga,,,0,0]": 10, "stock[ga,stockpile,0,0]": 11}
            | {"receipts_left[0,0]": -10},
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def payers(stockpile: Stockpile) -> set[tuple[int, str, str, int]]:
    """Appropriation, use, material, node."""
    return {(b, use, material, n) for b, use, material, *_, n in built(stockpile).m.PAYMENTS}


SPENDING = (offer(), material("ga", holding_cost=1), offer("other", material="in"), material("in"))


@pytest.mark.parametrize(
    ("rows", "able"),
    [
        ([fund(uses=("storage",))], {(0, "storage", "ga", t) for t in (0, 1)}),
        ([fund(materials=("in",))], {(0, "purchase", "in", t) for t in (0, 1)}),
        ([fund(uses=("purchase",), materials=("ga",))], {(0, "purchase", "ga", t) for t in (0, 1)}),
    ],
)
def test_uses_and_materials_a_fund_may_pay(
    rows: list[Fund], able: set[tuple[int, str, str, int]]
) -> None:
    assert payers(book(*SPENDING, *rows, budget(100))) == able


@pytest.mark.parametrize(
    ("row", "months"),
    [
        (budget(1), [0, 1, 2, 3]),
        (budget(1, first=1), [1, 2, 3]),
        (budget(1, expires=1), [0, 1]),
        (
            Budget(fund="nds", amount=1, from_=month(1, 20), expires=month(2)),
            [1, 2],
        ),  # a date means the month that contains it
        (budget(1, first=-9, expires=20), [0, 1, 2, 3]),
    ],
)
def test_when_an_appropriation_may_pay(row: Budget, months: list[int]) -> None:
    assert sorted(n for *_, n in payers(book(offer(), fund(), row, periods=4))) == months


def test_a_buyers_fund_pays_for_its_own_sites() -> None:
    rows = (
        material(holding_cost=1),
        site("navy yard", buyer="navy"),
        fund(buyer="navy"),
        budget(100),
    )
    assert payers(book(*rows, periods=1)) == {(0, "storage", "ga", 0)}


def test_prices_that_are_no_money_need_no_fund() -> None:
    rows = (target(10), material(below_target_cost=2, price_index="market"), fund())
    assert least_cost(book(*rows, periods=1)) == 20


def test_what_no_appropriation_may_pay_cannot_be_bought() -> None:
    assert (
        least_cost(
            book(offer(), target(10, hard=True), fund(uses=("storage",)), budget(999), periods=1)
        )
        is None
    )
    assert (
        least_cost(
            book(offer(), target(10, hard=True), fund(uses=("purchase",)), budget(100), periods=1)
        )
        == 100
    )
    assert (
        least_cost(
            book(offer(), target(10, hard=True), fund(uses=("purchase",)), budget(99), periods=1)
        )
        is None
    )


def test_without_the_table_money_is_unlimited() -> None:
    assert not hasattr(built(book(offer())).m, "pay")


def test_receipts_are_lost_to_a_fund_that_does_not_keep_them() -> None:
    """10 made in January are sold for 50, which no fund keeps: nothing can be bought in February."""
    rows = (
        lot(10, 0),
        material(shelf_life_months=1, shortage_cost=30),
        outlet(fund="nds"),
        offer(price=1),
    )
    assert not any(b for b, *_ in payers(book(*rows, fund(), budget(0))))
    assert any(b for b, *_ in payers(book(*rows, fund(keeps_receipts=True), budget(0))))


def test_appropriations_and_payments_are_reported() -> None:
    """One expires in January, one is left over, one pays out of 20 received."""
    rows = (
        lot(4, 0), outlet(fund="nds"), offer(), fund(keeps_receipts=True),
        budget(90, expires=0), budget(50, first=1), budget(9, first=1, expires=1),
    )  # fmt: skip
    plan = {
        "out[sale,stockpile,0,0]": 4,
        "buy[spot,0]": 10,
        "stock[ga,stockpile,0,0]": 10,
        "stock[ga,stockpile,0,1]": 10,
    }
    plan |= {"pay[0,purchase,ga,,,0,0]": 85, "pay[3,purchase,ga,,,0,0]": 15}
    told = list(report(put(built(book(*rows)), plan)))
    used = [
        (row.appropriation, row.amount, row.spent, row.lapsed, row.left)
        for row in told
        if isinstance(row, BudgetUse)
    ]
    assert used == [
        ("nds 2027-01", 90, 85, 5, 0),
        ("nds 2027-02 (1)", 50, 0, 0, 50),
        ("nds 2027-02 (2)", 9, 0, 9, 0),
        ("nds receipts", 20, 15, 0, 5),
    ]
    paid = [
        (row.date, row.appropriation, row.fund, row.use, row.amount)
        for row in told
        if isinstance(row, Payment)
    ]
    assert paid == [
        (month(0), "nds 2027-01", "nds", "purchase", 85),
        (month(0), "nds receipts", "nds", "purchase", 15),
    ]


def test_faults_of_an_appropriation() -> None:
    assert faults(book(budget(1))) == [
        "budgets.: needs the sheet funds, which says what each fund may pay"
    ]
    assert faults(book(fund(), Budget(fund="nds", amount=1, from_=month(1), expires=month(0)))) == [
        "budgets.expires: must not be before from (2027-02-01), found 2027-01-01"
    ]


def test_an_appropriation_outside_the_horizon_is_odd() -> None:
    assert warnings(book(fund(), budget(1, first=2))) == [
        "budgets.from: the appropriation cannot be spent within the horizon"
    ]
