"""Decisions before the start: contracts that were signed, plants that went ahead, open orders."""

from __future__ import annotations

import copy
import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from stockpile_model.blocks.commitments import CommitmentKept
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.stock.lot_outcomes import Movement
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project
from tests.support.accept import (
    Case,
    book,
    budget,
    commitment,
    contract,
    demand,
    event,
    faults,
    floor,
    fund,
    least_cost,
    material,
    month,
    offer,
    outlet,
    price_break,
    prices,
    project,
    rule,
    scenario,
    site,
    supplier,
    warnings,
)
from tests.support.plans import plan_for

SWAP = outlet("swap", "exchange", None, **{"yield_": 0.9, "lead_time_months": 2})
SPOT = (offer(price=10), demand(10, 0, 5))


def signed(t: int = -2, level: str | None = None, name: str = "offtake", **cells: Any) -> Row:
    """Signed in month t, before the start."""
    return commitment("sign", name, None, t, level=level, **cells)


def planned(stockpile: Stockpile) -> Plan:
    """The plan of a stockpile, which its audit accepts."""
    plan = plan_for(stockpile)
    assert plan is not None
    assert [str(each) for each in audit(stockpile, as_sheets(plan)).findings] == []
    return plan


def half_year(*rows: Row, **settings: Any) -> Stockpile:
    return book(*rows, **{"periods": 6} | settings)


CASES = [
    Case(
        "hold_signed_before",
        "what was signed stays signed",
        book(contract(take_or_pay=0), floor(8, 120), offer(), signed()),
        {"sign[offtake,low,0]": 1},
        [{"sign[offtake,low,0]": 0}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def term(**cells: Any) -> Row:
    """Signed in November for four months from December: 10 a month, at a floor."""
    return contract(**{"lead_time_months": 1, "term_months": 4, "signing_cost": 50} | cells)


# What each binds, and what half a year of 10 a month costs with spot metal at 10.
BOUND: dict[str, tuple[tuple[Row, ...], float]] = {
    "three of four months at 8 are left; the signing is sunk": (
        (term(), floor(8, 120), signed()),
        3 * 80 + 3 * 100,
    ),
    "no more than the three months are taken": (
        (term(take_or_pay=0), floor(12, 120), signed()),
        600,
    ),
    "take-or-pay of the year's three months that are left: 30 at 12": (
        (term(), floor(12, 120), signed()),
        3 * 120 + 300,
    ),
    "of 40 in the year 25 were called off: 15 are owed": (
        (term(), floor(12, 120), signed(called_off=25)),
        15 * 12 + 450,
    ),
    "more was called off than the year owes": (
        (term(), floor(12, 120), signed(called_off=45)),
        600,
    ),
    "half of the even rate in each month": (
        (term(take_or_pay=0, least_per_period=0.5), floor(12, 120), signed()),
        15 * 12 + 450,
    ),
    "three quarters of a least total of 24 are left": (
        (term(least_total=24), floor(12, 120), signed()),
        18 * 12 + 420,
    ),
    "of a least total of 24, 20 were called off": (
        (term(least_total=24), floor(12, 120), signed(called_off=20)),
        4 * 12 + 560,
    ),
    "the floor rises in the contract year from December": (
        (
            contract(),
            floor(5, 120, escalation=0.2),
            signed(-9),
        ),
        3 * 50 + 3 * 60,
    ),
    "a credit of 2 on what is left of a prepayment of 60: 60 less 20 in December": (
        (term(prepayment=60, credit=2), floor(8, 120), signed()),
        3 * 80 + 300 - 40,
    ),
    "a credit of 2 until the 10 that are stated to be left are used up": (
        (term(prepayment=60, credit=2), floor(8, 120), signed(prepayment_left=10)),
        3 * 80 + 300 - 10,
    ),
    "extended by two months at its end, for 5": (
        (term(option_months=2, option_price=5), floor(8, 120), signed()),
        5 * 80 + 100 + 5,
    ),
    "extended in the first month, for the date to decide is past": (
        (
            term(option_months=2, option_price=5, option_from=signed(-2).date),
            floor(8, 120),
            signed(),
        ),
        5 * 80 + 100 + 5,
    ),
    "the one that was signed of two levels": (
        (term(), floor(8, 120), floor(7, 12, "little"), signed(level="little")),
        3 * (7 + 90) + 300,
    ),
    "cash up to the floor, upside of half of what is above 9, at most 3 of the 12 of a year": (
        (
            contract(form="cfd", price_index="market", upside_share=0.5, upside_trigger=9,
                     upside_cap=12, term_months=12),
            *prices(12, 12, 8, 8, 8, 8),
            floor(9, 120),
            signed(-9),
        ),
        600 - 3 + 10,
    ),
    "the same with 11 of the upside of the year received": (
        (
            contract(form="cfd", price_index="market", upside_share=0.5, upside_trigger=9,
                     upside_cap=12, term_months=12),
            *prices(12, 12, 8, 8, 8, 8),
            floor(9, 120),
            signed(-9, upside_received=11),
        ),
        600 - 1 + 10,
    ),
    "it delivers first when its supplier ships, in February, for four months": (
        (term(supplier="late"), floor(8, 120), supplier(), supplier("late", start=signed(1).date),
         signed()),
        2 * 100 + 4 * 80,
    ),
    "it delivers first when its plant is ready, in February": (
        (
            term(supplier="plant", project="plant 2"),
            project(cost=1000, ready_lag_months=4),
            floor(8, 120),
            signed(),
            commitment("project", "plant 2", None, -3),
        ),
        100 + 4 * 80 + 100,
    ),
    "an offer of a plant that went ahead, from when it is ready": (
        (
            offer("ours", 6, project="plant 2"),
            project(cost=1000, ready_lag_months=4),
            commitment("project", "plant 2", None, -3),
        ),
        100 + 5 * 60,
    ),
    "a contract of a plant that went ahead is signed now": (
        (
            contract(project="plant 2"),
            project(cost=1000, ready_lag_months=4),
            floor(8, 120),
            commitment("project", "plant 2", None, -3),
        ),
        100 + 5 * 80,
    ),
    "10 ordered in December at 6 arrive and are paid in February": (
        (offer("old", 6, lead_time_months=2, to=signed(-1).date), commitment("order", "old", 10, -1)),
        500 + 60,
    ),
    "half of it arrives, with duty, freight and adder": (
        (
            offer("old", 6, lead_time_months=2, to=signed(-1).date, availability=0.5, duty=0.5,
                  freight=1, adder=1),
            commitment("order", "old", 10, -1),
        ),
        550 + 5 * 11,
    ),
    "paid when it was ordered": (
        (
            offer("old", 6, lead_time_months=2, to=signed(-1).date, payment="order"),
            commitment("order", "old", 10, -1),
        ),
        500,
    ),
    "at the price of its size": (
        (
            offer("old", 9, lead_time_months=2, to=signed(-1).date),
            price_break(8, 5, name="old"),
            commitment("order", "old", 10, -1),
        ),
        550,
    ),
    "8 at 9 and 2 at 5": (
        (
            offer("old", 9, lead_time_months=2, to=signed(-1).date),
            price_break(8, 5, name="old", kind="incremental"),
            commitment("order", "old", 10, -1),
        ),
        500 + 82,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOUND)
def test_what_was_decided_before_the_start_costs_what_is_left_of_it(name: str) -> None:
    rows, cost = BOUND[name]
    assert planned(half_year(*SPOT, *rows)).objective == pytest.approx(cost)


# What each says, and what is wrong with it.
WRONG: dict[str, tuple[tuple[Row, ...], str]] = {
    "a contract is signed once": (
        (term(), floor(8, 120), signed(), signed(-3)),
        "commitments.name: offtake was signed in row 0 already: a contract is signed once",
    ),
    "the level must be known": (
        (term(), floor(8, 120), floor(7, 12, "little"), signed()),
        "commitments.level: is required for a contract signed before the start: which one was signed",
    ),
    "its plant had gone ahead": (
        (term(project="plant 2"), project(cost=9), floor(8, 120), signed()),
        "commitments.date: offtake waits for project plant 2, which had then gone ahead: add a row of "
        "kind project with the date on which it did",
    ),
    "its plant went ahead before it was signed": (
        (term(project="plant 2"), project(cost=9), floor(8, 120), signed(-2),
         commitment("project", "plant 2", None, -1)),
        "commitments.date: offtake waits for project plant 2, which had then gone ahead: add a row of "
        "kind project with the date on which it did",
    ),
    "a plant goes ahead once": (
        (offer(project="plant 2"), project(cost=9), commitment("project", "plant 2", None, -1),
         commitment("project", "plant 2", None, -2)),
        "commitments.name: plant 2 went ahead in row 0 already",
    ),
    "what was not done needs no row": (
        (term(), floor(8, 120), commitment("sign", "offtake", 0, -2)),
        "commitments.quantity: is 0 before the start: what was not done then needs no row, leave it out",
    ),
    "it was done, not at most": (
        (term(), floor(8, 120), signed(how="at_most")),
        "commitments.how: must be exactly or at_least for a decision before the start: it was taken",
    ),
    "no more is left of a prepayment than was paid": (
        (term(prepayment=9, credit=1), floor(8, 120), signed(prepayment_left=10)),
        "commitments.prepayment_left: must be at most the prepayment of offtake, 9",
    ),
    "what was called off belongs to a contract signed before": (
        (term(), floor(8, 120), commitment("sign", "offtake", None, 0, called_off=3)),
        "commitments.called_off: is of a contract signed before the start only: leave it blank",
    ),
    "an order that has arrived": (
        (offer(lead_time_months=1), commitment("order", "spot", 9, -2)),
        "commitments.date: spot ordered on 2026-11-01 arrived in the period of 2026-12-01, before the "
        "start: what is left of it is opening_stock; or write what is late into in_transit",
    ),
    "what was rotated out has left": (
        (outlet(), commitment("rotate", "sale", 9, -2)),
        "commitments.date: must be within the horizon, from 2027-01-01 on, found 2026-11-01: sale "
        "gives no fresh metal back, and what has left by then is not in opening_stock",
    ),
    "what was exchanged is back": (
        (SWAP, commitment("rotate", "swap", 9, -3)),
        "commitments.date: what went out through swap on 2026-10-01 was back in the period of "
        "2026-12-01, before the start: what is left of it is opening_stock",
    ),
    "where what was exchanged comes back": (
        (SWAP, site("a"), site("b"), commitment("rotate", "swap", 9, -1)),
        "commitments.site: is required where there are several sites: where it comes back",
    ),
    "what is ordered has its site in the offer": (
        (site("a"), offer(), commitment("order", "spot", 9, 0, site="a")),
        "commitments.site: is of what went out through an outlet before the start only: leave it blank",
    ),
    "a first delivery before the signature": (
        (term(), floor(8, 120), signed(-3, first_delivery=month(-4))),
        "commitments.first_delivery: must be from the signing, 2026-10-01, to before the start, "
        "2027-01-01, found 2026-09-01",
    ),
    "a first delivery to come": (
        (term(), floor(8, 120), signed(-3, first_delivery=month(0))),
        "commitments.first_delivery: must be from the signing, 2026-10-01, to before the start, "
        "2027-01-01, found 2027-01-01: later deliveries follow from the terms, see deliver_from",
    ),
}  # fmt: skip


def test_what_is_out_through_an_outlet_comes_back_fresh() -> None:
    """Of 10 that went out in December 9 are back in February, and handled at 2 each. They keep to
    March, so 5 for March need no order at 10.
    """
    rows = (
        SWAP, material(shelf_life_months=2), site(handling_in=2), offer(capacity=99),
        demand(4, 1), demand(5, 2), commitment("rotate", "swap", 10, -1),
    )  # fmt: skip
    plan = planned(book(*rows, periods=3))
    assert plan.objective == pytest.approx(18)
    (came,) = (each for each in plan.of(Movement) if each.kind == "return")
    assert (came.date, came.name, came.quantity, came.age) == (month(1), "swap", 9, 0)
    (kept,) = plan.of(CommitmentKept)
    assert (kept.quantity, kept.planned) == (10, 10)
    late = book(SWAP, commitment("rotate", "swap", 10, -1), periods=1)
    assert least_cost(late) == 0
    assert warnings(late) == [
        "commitments.date: comes back through swap after the horizon: it is not in the plan"
    ]


def test_a_first_delivery_that_is_stated_begins_the_term() -> None:
    """Signed in October for a year, and delivering since November: ten of its months are left, at
    3 each. The     supplier ships again from April, which changes nothing of that.
    """
    rows = (supplier(start=month(3)), term(term_months=12), floor(3, 12))
    for first, months in ((month(-2), 10), (None, 9)):
        found = book(*rows, signed(-3, first_delivery=first), periods=12)
        plan = planned(found)
        (row,) = plan.of(ContractOutcome)
        assert plan.objective == pytest.approx(3 * months)
        assert row.first_delivery == (first or month(3))


@pytest.mark.parametrize("name", WRONG)
def test_a_decision_before_the_start_that_cannot_be_is_refused(name: str) -> None:
    rows, message = WRONG[name]
    assert faults(book(*rows)) == [message]


def test_what_brings_nothing_any_more_is_warned_about() -> None:
    done = half_year(*SPOT, term(term_months=1), floor(8, 120), signed())
    message = "the term of offtake, signed then, ended before the start: it brings nothing"
    assert warnings(done) == [f"commitments.date: {message}"]
    plan = planned(done)
    assert plan.objective == 600
    assert plan["contracts"]["decision"].tolist() == ["ended"]
    never = half_year(
        *SPOT, term(supplier="x"), supplier(), supplier("x", stage="announced"), floor(8, 120),
        signed(), supply_stages=("operating",),
    )  # fmt: skip
    message = (
        "is at a stage that settings.supply_stages does not count: nothing of it is in the plan"
    )
    assert warnings(never) == [f"commitments.name: offtake was signed, and its supplier {message}"]
    assert planned(never)["contracts"]["decision"].tolist() == ["signed"]


def test_the_sheets_say_what_was_decided_and_when() -> None:
    plan = planned(
        half_year(
            *SPOT,
            term(project="plant 2", prepayment=60, credit=2),
            project(cost=1000, ready_lag_months=1),
            floor(8, 120, escalation=0.5),
            signed(),
            commitment("project", "plant 2", None, -3),
        )
    )
    (row,) = plan["contracts"].to_dict("records")
    assert str(row["signed"])[:10] == "2026-11-01"
    assert str(row["first_delivery"])[:10] == "2026-12-01"
    assert str(row["last_delivery"])[:10] == "2027-03-31"
    assert row["decision"] == "signed"
    assert row["instruction"].startswith("2026-11: signed offtake with plant at level low")
    assert (row["called_off"], row["credited"], row["uncredited"]) == (30, 40, 0)
    (row,) = plan["projects"].to_dict("records")
    assert (row["decision"], row["grant"], row["brought"]) == ("before", 0, 30)
    assert row["instruction"] == "2026-10: plant 2 went ahead with plant, ready 2026-11"
    assert "Sign" not in plan.verdict
    assert plan["commitments"]["planned"].tolist() == [1, 1]


def test_what_it_binds_after_the_horizon_is_shown_and_charged() -> None:
    """Of a term of ten months two are left after the six: 2 of 10 at 12, the market at 10."""
    rows = (term(term_months=9, price_index="market"), *prices(10), floor(12, 120), signed())
    plan = planned(half_year(*SPOT, *rows))
    assert plan.objective == pytest.approx(720 + 2 * 20)
    (row,) = plan["obligations"].to_dict("records")
    assert (row["least_quantity"], row["topup"]) == (20, 40)
    """Its first delivery may lie after the horizon: then all of it does."""
    late = half_year(*SPOT, *rows[:1], *rows[1:-1], signed(-1), supplier(start=signed(7).date),
                     offer("other", supplier="x"), supplier("x"))  # fmt: skip
    plan = planned(late)
    assert plan["obligations"]["topup"].sum() == pytest.approx(9 * 20)
    assert plan.objective == pytest.approx(600 + 9 * 20)


def test_what_arrives_counts_in_rules() -> None:
    """Half at most may be of Chile, and 30 come of it under an offtake: 30 more are bought."""
    rows = (
        offer("fair", 20), offer("cheap", 5, supplier="x"), demand(10, 0, 5), material(),
        supplier(), supplier("x", country="Chile"), rule("country", "Chile", most=0.5),
    )  # fmt: skip
    signature = (term(supplier="x"), floor(8, 120), signed())
    assert planned(half_year(*rows)).objective == pytest.approx(30 * 20 + 30 * 5)
    assert planned(half_year(*rows, *signature)).objective == pytest.approx(30 * 20 + 30 * 8)


def test_appropriations_pay_what_is_left_and_not_what_is_sunk() -> None:
    rows = (*SPOT, term(term_months=7), floor(8, 120), signed(), fund())
    assert planned(half_year(*rows, budget(480))).objective == pytest.approx(480)
    assert plan_for(half_year(*rows, budget(479))) is None


def test_scenarios_share_what_was_decided_before() -> None:
    """The plant is late in war: it delivers there from March, and from December else."""
    late = supplier("late", start=signed(-1).date)
    war = (scenario(), event("suppliers.start", "set", "2027-03-01", 0, row="late"))
    rows = (*SPOT, term(supplier="late"), supplier(), late, floor(8, 120), signed(), *war)
    plan = planned(half_year(*rows))
    assert plan.objective == pytest.approx((240 + 300) / 2 + (200 + 320) / 2)
    firsts = sorted(str(each)[:10] for each in plan["contracts"]["first_delivery"])
    assert firsts == ["2026-12-01", "2027-03-01"]


def test_it_cannot_be_signed_again() -> None:
    rows = (contract(take_or_pay=0, sign_to=None, term_months=2), floor(8, 120), *SPOT)
    assert least_cost(half_year(*rows)) == pytest.approx(2 * 80 + 400)
    assert least_cost(half_year(*rows, signed(-1))) == pytest.approx(80 + 500)
    again = commitment("sign", "offtake", 1, 0)
    assert "cannot be kept" in faults(half_year(*rows, signed(-1), again))[0]


def test_sites_share_what_arrives() -> None:
    rows = (*SPOT, term(), floor(8, 120), signed(), site("north"), site("south"))
    assert planned(half_year(*rows)).objective == pytest.approx(540)


# A contract, a plant and an order from before the start, with what a plan shows of each.
BEFORE = half_year(
    *SPOT,
    term(project="plant 2", prepayment=60, credit=2, option_months=1, option_price=3),
    project(cost=1000, ready_lag_months=1),
    floor(8, 120),
    floor(7, 60, "little"),
    offer("old", 6, lead_time_months=2, to=signed(-1).date),
    signed(level="low"),
    commitment("project", "plant 2", None, -3),
    commitment("order", "old", 4, -1),
)


@pytest.mark.parametrize(
    ("sheet", "column", "value", "said"),
    [
        ("contracts", "decision", "sign", "'sign' is not signed"),
        ("contracts", "decision", "do not sign", "'do not sign' is not signed"),
        ("contracts", "decision", "ended", "'ended' is not signed"),
        ("contracts", "signed", dt.date(2026, 12, 1), "signed .* must be 2026-11-01"),
        ("contracts", "level", "little", "level .* must be 'low'"),
        ("contracts", "first_delivery", dt.date(2027, 1, 1), "must be 2026-12-01"),
        ("contracts", "last_delivery", dt.date(2027, 4, 30), "must be 2027-03-31"),
        ("contracts", "prepayment", 60.0, "prepayment .* must be nothing"),
        ("contracts", "uncredited", 10.0, "uncredited .* must be 0"),
        ("projects", "decision", "grant", "decision .* must be 'before'"),
        ("projects", "decided", dt.date(2027, 1, 1), "decided .* must be 2026-10-01"),
        ("projects", "ready", dt.date(2027, 1, 1), "ready .* must be 2026-11-01"),
        ("projects", "grant", 1000.0, "grant .* must be 0"),
        ("commitments", "planned", 0.0, "planned .* must be 1"),
        ("cash_flow", "amount", 1.0, "cash_flow"),
    ],
)
def test_an_error_about_what_was_decided_before_is_named(
    sheet: str, column: str, value: Any, said: str
) -> None:
    found = as_sheets(planned(BEFORE))
    rows = {name: [copy.copy(each) for each in lines] for name, lines in found.rows.items()}
    rows[sheet][0][column] = value
    findings = [str(each) for each in audit(BEFORE, replace(found, rows=rows)).findings]
    assert any(re.search(said, each) for each in findings), findings


@pytest.mark.parametrize(
    ("table", "row", "cells", "said"),
    [
        (Contract, 0, {"prepayment": 61}, "credit of offtake"),
        (Contract, 0, {"term_months": 3}, "last delivery .* must be 2027-02-28"),
        (Contract, 0, {"lead_time_months": 2}, "first delivery .* must be 2027-01-01"),
        (Project, 0, {"ready_lag_months": 3}, "ready .* must be 2027-01-01"),
        (Commitment, 0, {"prepayment_left": 3.0}, "credit of offtake"),
        (Commitment, 0, {"date": dt.date(2026, 10, 1)}, "signed .* must be 2026-10-01"),
        (Commitment, 2, {"quantity": 3.0}, "what was in transit"),
        (Offer, 1, {"price": 5.0}, "what was still due of what was in transit"),
        (Offer, 1, {"payment": "order"}, "what was still due of what was in transit"),
    ],
)
def test_a_plan_of_another_book_is_named(
    table: type[Row], row: int, cells: dict[str, Any], said: str
) -> None:
    found = as_sheets(planned(BEFORE))
    rows = [*BEFORE.rows(table)]
    rows[row] = replace(rows[row], **cells)
    other = replace(BEFORE, tables={**BEFORE.tables, table: tuple(rows)})
    findings = [str(each) for each in audit(other, found).findings]
    assert any(re.search(said, each) for each in findings), findings
