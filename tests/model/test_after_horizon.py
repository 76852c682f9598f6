"""After the horizon: what a signed contract still binds is charged, and shown by fiscal year."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from stockpile_model.blocks.contracts.after_horizon import Obligation
from stockpile_model.build import report
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.support.accept import (
    bill,
    book,
    built,
    contract,
    demand,
    event,
    floor,
    least_cost,
    material,
    month,
    offer,
    prices,
    put,
    scenario,
    supplier,
)

SIGNED = {"sign[offtake,low,0]": 1}
TEN = floor(12, 120)
RATE = 1.05


def bound(*rows: object, **settings: object) -> Stockpile:
    """Two months of an offtake of 10 a month for four, at a floor 2 above the market of 10."""
    offtake = contract(price_index="market", take_or_pay=0.5, flex=1.5, term_months=4)
    return book(offtake, TEN, *prices(10), *rows, **settings)  # type: ignore[arg-type]


def used(stockpile: Stockpile) -> dict[str, float]:
    """What is paid over the horizon where 5 a month are taken."""
    kept = {"stock[ga,stockpile,0,0]": 5, "stock[ga,stockpile,0,1]": 10}
    return bill(stockpile, SIGNED | {f"take[offtake,low,0,{t}]": 5 for t in (0, 1)} | kept)


def test_the_topup_of_take_or_pay_is_charged() -> None:
    """Half of 10 a month, two months long, 2 above the reference, discounted from January 2027."""
    found = used(bound(discount_rate=RATE - 1))
    due = 2 * 5 * (RATE ** (-2 / 12) + RATE ** (-3 / 12))
    assert found["after_horizon"] == pytest.approx(due)


def test_what_is_paid_later_is_paid_at_the_rate_of_its_date() -> None:
    """The euro is worth 1 in February, 2 in March and 3 from April on: 5 a month, each 2 euro above
    the reference, and not above what the metal is worth in the book's money.
    """
    euro = [
        Price(date=month(t), values={"market": 10.0, "euro": rate})
        for t, rate in enumerate([1.0, 1.0, 2.0, 3.0])
    ]
    offtake = contract(price_index="market", take_or_pay=0.5, term_months=4, currency="euro")
    assert used(book(offtake, TEN, *euro))["after_horizon"] == pytest.approx(5 * 2 * (2 + 3))
    fixed = contract(take_or_pay=0.5, term_months=4, currency="euro")
    metal = material(price_index="market")
    found = used(book(fixed, TEN, *euro, metal))["after_horizon"]
    assert found == pytest.approx(5 * (2 * 12 - 10) + 5 * (3 * 12 - 10))


def test_it_may_only_be_shown() -> None:
    assert "after_horizon" not in used(bound(after_horizon="show"))


@pytest.mark.parametrize(
    ("cells", "level", "due"),
    [
        ({}, {}, 20),
        ({"term_months": 2}, {}, 0),
        ({"term_months": None}, {}, 0),
        ({"discount": 0.5}, {}, 70),
        ({"availability": 0.6}, {}, 12),
        ({"take_or_pay": 0}, {}, 0),
        ({"take_or_pay": 0, "least_per_period": 0.3}, {}, 12),
        ({"least_total": 12}, {}, 12),
        ({"form": "cfd"}, {}, 40),
        ({"price_index": None}, {}, 20),  # the material's index is the reference
        ({}, {"floor": None, "floor_index": "market", "floor_factor": 1.5}, 50),
        ({"term_months": 14}, {"escalation": 0.5}, 2 * 50 + 2 * 5 * 8),
    ],
)
def test_what_is_bound_by_the_terms(
    cells: dict[str, object], level: dict[str, object], due: float
) -> None:
    """The terms of two months after the horizon; the fifth of a year's floor of 12 is 18."""
    terms: dict[str, object] = {"price_index": "market", "take_or_pay": 0.5, "term_months": 4}
    menu: dict[str, object] = {"floor": 12.0} | level
    first = menu.pop("floor")
    stockpile = book(
        contract(**{**terms, **cells}),
        floor(first, 120, **menu),  # type: ignore[arg-type]
        material(price_index="market"),
        *prices(10),
    )
    taken = {} if cells.get("form") == "cfd" else {f"take[offtake,low,0,{t}]": 5 for t in (0, 1)}
    kept = {f"stock[ga,stockpile,0,{t}]": 5.0 * cells_share(cells) * (t + 1) for t in (0, 1)}
    plan = SIGNED | taken | (kept if taken else {})
    assert bill(stockpile, plan).get("after_horizon", 0.0) == pytest.approx(due)


def cells_share(cells: dict[str, object]) -> float:
    """The share of what is called off that arrives."""
    share = cells.get("availability", 1.0)
    assert isinstance(share, float)
    return share


def test_an_index_goes_on_to_its_last_date_and_is_flat_after_it() -> None:
    """In March and April the market is 11 and 13, then 13 for two months more."""
    offtake = contract(price_index="market", take_or_pay=1, term_months=6)
    stockpile = book(offtake, floor(15, 120), *prices(10, 10, 11, 13))
    plan = SIGNED | {f"take[offtake,low,0,{t}]": 10 for t in (0, 1)}
    kept = {"stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,0,1]": 20}
    assert bill(stockpile, plan | kept)["after_horizon"] == pytest.approx(10 * (4 + 2 + 2 + 2))


def test_a_floor_far_above_the_market_for_twenty_years_is_not_signed() -> None:
    """Spot costs 52, the floor 50 at a market of 10: cheaper for a year, not for twenty."""
    rows = (
        contract(price_index="market", term_months=240),
        floor(50, 120),
        offer(price=52),
        demand(10, 0, 11),
        *prices(10),
    )
    assert least_cost(book(*rows, periods=12, after_horizon="show")) == pytest.approx(6000)
    assert least_cost(book(*rows, periods=12)) == pytest.approx(6240)


def test_each_path_is_charged_what_it_binds() -> None:
    """In a war, known from the start, the market is 11: the floor is 1 above it."""
    stockpile = book(
        contract(price_index="market", take_or_pay=1, term_months=4),
        TEN,
        *prices(10),
        scenario(known=0),
        event("prices.market", "set", 11),
    )
    plan = {f"sign[offtake,low,{n}]": 1 for n in (0, 2)}
    plan |= {f"take[offtake,low,0,{n}]": 10 for n in range(4)}
    plan |= {f"stock[ga,stockpile,0,{n}]": 10 + 10 * (n % 2) for n in range(4)}
    assert bill(stockpile, plan)["after_horizon"] == pytest.approx(0.5 * 2 * 10 * (2 + 1))


def test_a_delay_past_the_horizon_binds_the_whole_term() -> None:
    """Signed before the delay is known, it delivers from June in the war, for four months."""
    stockpile = book(
        contract(price_index="market", take_or_pay=1, term_months=4, deliver_from=month(1)),
        TEN,
        *prices(10),
        scenario(known=1),
        event("suppliers.start", "set", month(5)),
    )
    plan = SIGNED | {"take[offtake,low,1,1]": 10, "stock[ga,stockpile,0,1]": 10}
    due = 0.5 * 2 * 10 * 3 + 0.5 * 2 * 10 * 4
    assert bill(stockpile, plan)["after_horizon"] == pytest.approx(due)


def test_obligations_stand_by_fiscal_year_to_the_true_end() -> None:
    """Of a term to April 2028 the months from March to September 2027 are of one fiscal year."""
    offtake = contract(price_index="market", take_or_pay=0.5, flex=1.5, term_months=16)
    formulation = built(book(offtake, TEN, *prices(10)))
    put(formulation, SIGNED)
    found = [row for row in report(formulation) if isinstance(row, Obligation)]
    assert [(row.fiscal_year, row.date, row.ends) for row in found] == [
        (2027, month(2), dt.date(2028, 4, 30)),
        (2028, month(9), dt.date(2028, 4, 30)),
    ]
    assert [(row.least_quantity, row.most_quantity) for row in found] == [(35, 105), (35, 105)]
    assert [(row.least_money, row.most_money, row.topup) for row in found] == [
        (420, 1260, 70),
        (420, 1260, 70),
    ]


def test_a_contract_that_ends_in_the_horizon_binds_nothing_after_it() -> None:
    formulation = built(book(contract(price_index="market", term_months=2), TEN, *prices(10)))
    put(formulation, SIGNED)
    (row,) = (row for row in report(formulation) if isinstance(row, Obligation))
    assert (row.ends, row.fiscal_year, row.topup) == (dt.date(2027, 2, 28), None, None)
    later = replace(row, contract="later", fiscal_year=2028)
    assert Obligation.in_order([row, later]) == [later, row]


def test_the_first_delivery_past_the_horizon_is_that_of_the_supplier() -> None:
    stockpile = book(
        contract(price_index="market", take_or_pay=1, term_months=4, deliver_from=month(1)),
        TEN,
        *prices(10),
        supplier(),
        scenario(known=1),
        event("suppliers.start", "set", month(5)),
    )
    formulation = built(stockpile)
    put(formulation, SIGNED)
    rows = [row for row in report(formulation) if isinstance(row, Obligation)]
    assert [(row.scenarios, row.date, row.ends) for row in rows] == [
        ("base", month(2), dt.date(2027, 5, 31)),
        ("war", month(5), dt.date(2027, 9, 30)),
    ]
