"""Offtakes: signing, deliveries, take-or-pay, the price of a level, and where a contract year ends."""

from __future__ import annotations

import datetime as dt

import pytest

from stockpile_model.blocks import price_floors
from stockpile_model.blocks.price_floors import Contract, ContractOutcome, Floor
from stockpile_model.build import report
from stockpile_model.data import Stockpile
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    contract,
    demand,
    faults,
    floor,
    least_cost,
    material,
    month,
    offer,
    prices,
    put,
    rule,
    site,
    supplier,
    warnings,
)

# An offtake of 120 a year, 10 a month, at one level, signed in January 2027.
TEN = floor(8, 120)
SIGNED = {"sign[offtake,low,0]": 1}


def taken(*quantities: float, first: int = 0) -> dict[str, float]:
    """What is called off month by month from the first delivery, all of it kept."""
    plan: dict[str, float] = {}
    for t, quantity in enumerate(quantities, start=first):
        plan[f"take[offtake,low,{first},{t}]"] = quantity
        plan[f"stock[ga,stockpile,0,{t}]"] = sum(quantities[: t - first + 1])
    return plan


CASES = [
    Case(
        "forbid_second_signing",
        "one level of the menu",
        book(contract(take_or_pay=0), TEN, floor(9, 240, "high")),
        SIGNED,
        [{"sign[offtake,high,0]": 1}],
    ),
    Case(
        "forbid_second_signing",
        "once",
        book(contract(take_or_pay=0, sign_to=month(1)), TEN),
        SIGNED,
        [{"sign[offtake,low,1]": 1}],
    ),
    Case(
        "sign",
        "a level is signed or not",
        book(contract(take_or_pay=0), TEN),
        SIGNED,
        [{"sign[offtake,low,0]": 0.5}],
    ),
    Case(
        "cap_take",
        "no delivery without a signature",
        book(contract(take_or_pay=0), TEN),
        SIGNED | taken(10, 10),
        [{"sign[offtake,low,0]": 0}],
    ),
    Case(
        "cap_take",
        "a month brings 1.5 times the even rate of 10",
        book(contract(take_or_pay=0, flex=1.5), TEN),
        SIGNED | taken(15, 0),
        [taken(15.1, 0)],
    ),
    Case(
        "cap_take",
        "a quarter brings three months",
        book(contract(take_or_pay=0), TEN, period_months=3),
        SIGNED | taken(30, 0),
        [taken(30.1, 0)],
    ),
    Case(
        "cap_take",
        "the metal is that of the level signed",
        book(contract(take_or_pay=0), TEN, floor(9, 240, "high")),
        {"sign[offtake,high,0]": 1, "take[offtake,high,0,1]": 20, "stock[ga,stockpile,0,1]": 20},
        [{"take[offtake,high,0,1]": 10, "take[offtake,low,0,1]": 10}],
    ),
    Case(
        "hold_take_or_pay",
        "80 % of a year of 120 is 96: 90 taken, 6 paid for nothing",
        book(contract(take_or_pay=0.8), TEN, periods=12),
        SIGNED | taken(*[10] * 9, 0, 0, 0) | {"deficit[offtake,low,0,11]": 6},
        [{"deficit[offtake,low,0,11]": 5}, {"sign[offtake,low,0]": 1, **taken(*[10] * 8, 9, 0, 0, 0)}],
    ),
    Case(
        "hold_take_or_pay",
        "a year that the horizon cuts after three months counts for a quarter",
        book(contract(), TEN, periods=3),
        SIGNED | taken(10, 10, 0) | {"deficit[offtake,low,0,2]": 10},
        [{"deficit[offtake,low,0,2]": 9}],
    ),
    Case(
        "hold_take_or_pay",
        "a second year that the term cuts after one month",
        book(contract(term_months=13), TEN, periods=15),
        SIGNED | taken(*[0] * 13) | {"stock[ga,stockpile,0,0]": 0, "deficit[offtake,low,0,11]": 120, "deficit[offtake,low,0,12]": 10},
        [{"deficit[offtake,low,0,12]": 9}, {"deficit[offtake,low,0,11]": 119}],
    ),
    Case(
        "hold_take_or_pay",
        "what fails to arrive is no deficit",
        book(contract(availability=0.5), TEN, periods=1),
        SIGNED | {"take[offtake,low,0,0]": 10, "stock[ga,stockpile,0,0]": 5},
        [{"take[offtake,low,0,0]": 8, "stock[ga,stockpile,0,0]": 4}],
    ),
    Case(
        "cap_deficit",
        "a least spend is not reached by paying for what is taken: there is no deficit in a year that does not fall short",
        book(contract(take_or_pay=0.5), TEN, rule("contract", "offtake", measure="spend", least=1)),
        SIGNED | taken(10, 0),
        [{"deficit[offtake,low,0,1]": 5}],
    ),
    Case(
        "cap_paid",
        "a least spend is not reached by a deficit above what is short, or without a signature",
        book(contract(take_or_pay=0.5), TEN, rule("contract", "offtake", measure="spend", least=1)),
        SIGNED | taken(4, 0) | {"deficit[offtake,low,0,1]": 6, "short[offtake,low,0,1]": 1},
        [{"deficit[offtake,low,0,1]": 7}, {"sign[offtake,low,0]": 0, **taken(0, 0)}],
    ),
    Case(
        "balance_delivery",
        "a delivery may be split over sites",
        book(contract(take_or_pay=0, availability=0.5), TEN, site("north"), site("south"), periods=1),
        SIGNED
        | {"take[offtake,low,0,0]": 10, "deliver[offtake,north,0]": 2, "deliver[offtake,south,0]": 3}
        | {"stock[ga,north,0,0]": 2, "stock[ga,south,0,0]": 3},
        [{"deliver[offtake,north,0]": 3, "stock[ga,north,0,0]": 3}, {"deliver[offtake,north,0]": 1, "stock[ga,north,0,0]": 1}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


# When it delivers ---------------------------------------------------------------------------------------------------------------


def deliveries(stockpile: Stockpile) -> dict[int, list[int]]:
    """The periods of delivery by the period of signing, of the first level."""
    form = built(stockpile)
    return {
        s: sorted(n for _, f, d, n in form.m.TAKES if f == level and d == _first(stockpile, s))
        for _, level, s in form.m.SIGNINGS
        if level == stockpile.rows(Floor)[0].level
    }


def _first(stockpile: Stockpile, node: int) -> int:
    return price_floors.first_delivery(stockpile, stockpile.rows(Contract)[0], node)


@pytest.mark.parametrize(
    ("stockpile", "periods"),
    [
        (book(contract(), TEN, periods=4), {0: [0, 1, 2, 3]}),
        (book(contract(term_months=2), TEN, periods=4), {0: [0, 1]}),
        (book(contract(deliver_from=month(2)), TEN, periods=4), {0: [2, 3]}),
        (book(contract(deliver_from=month(2), lead_time_months=3), TEN, periods=4), {0: [3]}),  # the later of the two
        (book(contract(sign_to=month(9), lead_time_months=2, term_months=1), TEN, periods=4), {0: [2], 1: [3]}),  # too late is not signed
        (book(contract(sign_to=month(9), deliver_from=month(1)), TEN, periods=3), {0: [1, 2], 1: [1, 2], 2: [2]}),
        (book(contract(), TEN, supplier(start=month(2)), periods=4), {0: [2, 3]}),  # not before the plant ships
        (book(contract(sign_from=None, sign_to=None), TEN), {0: [0, 1], 1: [1]}),
        (book(contract(), TEN, supplier(stage="announced"), supply_stages=("operating",)), {}),
    ],
)
def test_when_a_contract_delivers(stockpile: Stockpile, periods: dict[int, list[int]]) -> None:
    assert deliveries(stockpile) == periods


@pytest.mark.parametrize(
    ("stockpile", "first", "years"),
    [
        (book(contract(), TEN, periods=30), 1, [range(1, 13), range(13, 25), range(25, 30)]),
        (book(contract(term_months=18), TEN, periods=60), 0, [range(12), range(12, 18)]),
        (book(contract(), TEN, periods=5, period_months=6), 1, [range(1, 3), range(3, 5)]),
        (book(contract(), TEN, periods=2, period_months=12), 0, [range(1), range(1, 2)]),
    ],
)
def test_contract_years_begin_at_the_first_delivery(stockpile: Stockpile, first: int, years: list[range]) -> None:
    assert price_floors.years(stockpile, stockpile.rows(Contract)[0], first) == years


# What it costs ------------------------------------------------------------------------------------------------------------------


def price(stockpile: Stockpile, first: int, node: int) -> float:
    return price_floors.price(stockpile, stockpile.rows(Contract)[0], stockpile.rows(Floor)[0], first, node)


@pytest.mark.parametrize(("market", "paid"), [(5, 8), (10, 9), (20, 12)])
def test_the_price_is_the_reference_between_floor_and_ceiling(market: float, paid: float) -> None:
    """Reference 0.9 x index, floor 8, ceiling 12."""
    assert price(book(contract(price_index="market", discount=0.1, ceiling=12), TEN, *prices(market)), 0, 0) == pytest.approx(paid)


def test_a_floor_above_the_ceiling_is_paid() -> None:
    assert price(book(contract(price_index="market", ceiling=7), TEN, *prices(20)), 0, 0) == 8


def test_without_an_index_the_floor_is_the_price() -> None:
    assert price(book(contract(), TEN), 0, 0) == 8


@pytest.mark.parametrize(("node", "paid"), [(3, 8), (14, 8), (15, 10), (26, 10), (27, 12.5)])
def test_a_floor_escalates_by_whole_contract_years(node: int, paid: float) -> None:
    """25 % a year from a first delivery in period 3."""
    assert price(book(contract(), floor(8, 120, escalation=0.25), periods=60), 3, node) == pytest.approx(paid)


def test_a_floor_escalates_in_quarters() -> None:
    stockpile = book(contract(), floor(8, 120, escalation=0.25), periods=12, period_months=3)
    assert [price(stockpile, 1, n) for n in (1, 4, 5, 8, 9)] == pytest.approx([8, 8, 10, 10, 12.5])


def test_what_a_contract_costs() -> None:
    """Signed in January for 50, first delivery in February. Index 10, 20, 30; half of what is called off fails.

    February: 10 called off, 5 arrive at 20, with 10 % duty and freight 1. March: nothing, and the two months of the year within the
    horizon were 20, so 10 are paid at the price of March. 21 % a year.
    """
    terms = contract(price_index="market", lead_time_months=1, signing_cost=50, duty=0.1, freight=1, availability=0.5)
    stockpile = book(terms, TEN, *prices(10, 20, 30), periods=3, discount_rate=0.21)
    plan = SIGNED | {"take[offtake,low,1,1]": 10, "deficit[offtake,low,1,2]": 10}
    plan |= {"stock[ga,stockpile,0,1]": 5, "stock[ga,stockpile,0,2]": 5}
    february, march = 1.21 ** (-1 / 12), 1.21 ** (-2 / 12)
    assert bill(stockpile, plan) == pytest.approx(
        {"signing": 50, "offtakes": 100 * february, "duty": 10 * february, "freight": 5 * february, "deficits": 300 * march}
    )


def test_a_deficit_is_paid_at_the_escalated_floor_of_its_years_last_period() -> None:
    """Years of 120: the first at 8, the second at 10; nothing is taken."""
    stockpile = book(contract(), floor(8, 120, escalation=0.25), periods=24)
    plan = SIGNED | {"deficit[offtake,low,0,11]": 120, "deficit[offtake,low,0,23]": 120}
    assert bill(stockpile, plan) == pytest.approx({"deficits": 120 * 8 + 120 * 10})


def test_the_cheapest_level_that_serves_is_signed() -> None:
    """10 a month for a year. Low: all 120 at 8, the rest of 120 spot at 12. High: 20 a month at 9, of which the other half is waste."""
    stockpile = book(contract(), TEN, floor(9, 240, "high"), offer(price=12), material(shelf_life_months=1), demand(20, 0, 11), periods=12)
    assert least_cost(stockpile) == pytest.approx(min(120 * 8 + 120 * 12, 240 * 9))


def test_the_outcome_of_a_contract_is_told() -> None:
    terms = contract(price_index="market", lead_time_months=1, term_months=2, signing_cost=50, availability=0.5)
    stockpile = book(terms, TEN, floor(9, 240, "high"), *prices(1, 6, 30), contract("other"), floor(5, 60, name="other"), periods=4)
    plan = SIGNED | {"take[offtake,low,1,1]": 10, "take[offtake,low,1,2]": 5, "deficit[offtake,low,1,2]": 5}
    told, other = (row for row in report(put(built(stockpile), plan)) if isinstance(row, ContractOutcome))
    assert (told.decision, told.level, told.floor, told.annual_quantity) == ("sign", "low", 8, 120)
    assert (told.signed, told.first_delivery, told.last_delivery) == (month(0), month(1), dt.date(2027, 3, 31))
    assert (told.called_off, told.delivered, told.deficit) == (15, 7.5, 5)
    assert told.expected_price == pytest.approx((5 * 8 + 2.5 * 30) / 7.5)
    assert told.cost == pytest.approx(50 + 5 * 8 + 2.5 * 30 + 5 * 30)
    assert told.share_at_floor == pytest.approx(10 / 15)
    assert told.instruction == "2027-01: sign offtake with plant at level low, floor 8 USD/kg, 120 kg a year, first delivery 2027-02"
    assert (other.decision, other.level, other.cost) == ("do not sign", None, 0)


# What is wrong with a row -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([contract()], "contracts.contract: offtake has no row in the sheet floors: give its menu there"),
        ([contract(sign_from=month(2)), TEN], "contracts.sign_to: must not be before sign_from (2027-03-01), found 2027-01-01"),
        ([contract(ceiling=9), TEN], "contracts.ceiling: caps a reference: it needs price_index"),
        (
            [contract(lead_time_months=2.5), TEN],
            "contracts.lead_time_months: must be a whole number of periods of 1 months, found 2.5 months",
        ),
        (
            [contract(), Floor(contract="offtake", level="low", annual_quantity=120)],
            "floors.floor: is required: the least price of the level",
        ),
    ],
)
def test_faults_of_a_contract(rows: list[Contract | Floor], fault: str) -> None:
    assert faults(book(*rows)) == [fault]


def test_a_contract_that_cannot_deliver_is_odd() -> None:
    assert warnings(book(contract(lead_time_months=2), TEN)) == [
        "contracts.contract: offtake cannot be signed to deliver within the horizon: see its dates, lead time and its supplier's start"
    ]
