"""Offtakes: signing, deliveries, take-or-pay, the price of a level, and where a contract year ends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyomo.environ as pyo
import pytest

from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.after_horizon import Obligation
from stockpile_model.blocks.contracts.call_off_report import CallOff
from stockpile_model.blocks.contracts.contract_choices import facts
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.contracts.extension_report import ExtensionOutcome
from stockpile_model.blocks.contracts.option_value import FloorOutcome
from stockpile_model.blocks.projects.project_terms import ready
from stockpile_model.build import report
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.support.accept import (
    Case,
    bill,
    book,
    broken,
    budget,
    built,
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
    prices,
    project,
    put,
    rule,
    scenario,
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


def credits(*amounts: float, left: float) -> dict[str, float]:
    """What is taken off what is due month by month, of which so much is left at the end."""
    plan: dict[str, float] = {}
    for t, amount in enumerate(amounts):
        plan[f"credited[offtake,low,0,,{t}]"] = amount
        plan[f"prepaid[offtake,low,0,{t}]"] = left + sum(amounts[t + 1 :])
    return plan


# Of a prepayment of 30 each of ten units takes 2 off in January; in February it is used up.
CREDITED = credits(20, 10, left=0) | {"used_up[offtake,low,0,1]": 1}
# A term of January, and an extension in February for 7.
MORE: dict[str, Any] = {"term_months": 1, "option_months": 1, "option_price": 7}
EXTENDED = {"extend[offtake,low,0,0]": 1}
# Signed for a month: reference 18, of which 4 above the trigger go by half to the buyer.
SHARING = {
    "price_index": "market",
    "discount": 0.1,
    "upside_share": 0.5,
    "upside_trigger": 10,
    "upside_cap": 1200,
    "take_or_pay": 0,
}
HEDGE = {"form": "cfd"} | {name: cell for name, cell in SHARING.items() if name != "take_or_pay"}
FOR_BOTH = (site("north", buyer="navy"), site("west", buyer="navy"), site("south", buyer="army"))
CALLED = {"call[offtake,low,0,navy,0]": 6, "call[offtake,low,0,army,0]": 4}
CALLED |= {
    "deliver[offtake,north,0]": 4,
    "deliver[offtake,west,0]": 2,
    "deliver[offtake,south,0]": 4,
}
CALLED |= {"stock[ga,north,0,0]": 4, "stock[ga,west,0,0]": 2, "stock[ga,south,0,0]": 4}
WAITING = contract(project="plant 2", take_or_pay=0, sign_to=month(1))
EIGHT = floor(8, 120, "high")


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
        "hold_least_take",
        "no period is skipped: half of the even rate of 10 at least, where the term holds it",
        book(contract(take_or_pay=0, least_per_period=0.5, term_months=2), TEN, periods=3),
        SIGNED | taken(5, 7) | {"stock[ga,stockpile,0,2]": 12},
        [taken(4, 8) | {"stock[ga,stockpile,0,2]": 12}],
    ),
    Case(
        "hold_least_take",
        "a quarter takes three months' share of the level signed",
        book(contract(take_or_pay=0, least_per_period=0.5), TEN, floor(9, 240, "high"), periods=1, period_months=3),
        {"sign[offtake,high,0]": 1, "take[offtake,high,0,0]": 30, "stock[ga,stockpile,0,0]": 30},
        [{"take[offtake,high,0,0]": 29, "stock[ga,stockpile,0,0]": 29}],
    ),
    Case(
        "hold_take_or_pay",
        "a total of 30 over a term of three months, whichever month takes it: 24 taken, 6 paid for nothing",
        book(contract(flex=1.5, least_total=30, term_months=3), TEN, periods=4),
        SIGNED | taken(15, 0, 9) | {"stock[ga,stockpile,0,3]": 24, "deficit[offtake,low,0,2]": 6},
        [{"deficit[offtake,low,0,2]": 5}, taken(15, 0, 8) | {"stock[ga,stockpile,0,3]": 23}],
    ),
    Case(
        "hold_take_or_pay",
        "a term of 24 months that the horizon cuts after six owes a quarter of its total",
        book(contract(least_total=40, term_months=24), TEN, periods=6),
        SIGNED | taken(10, 0, 0, 0, 0, 0),
        [taken(9, 0, 0, 0, 0, 0)],
    ),
    Case(
        "cap_deficit",
        "and nothing is paid beyond it to please a rule on spending",
        book(contract(least_total=8), TEN, rule("contract", "offtake", measure="spend", least=1)),
        SIGNED | taken(4, 2) | {"deficit[offtake,low,0,1]": 2, "short[offtake,low,0,1]": 1},
        [{"deficit[offtake,low,0,1]": 3}],
    ),
    Case(
        "hold_call_off_lots",
        "a call-off is whole lots",
        book(contract(take_or_pay=0, call_off_lot=4), TEN),
        SIGNED | taken(8, 4) | {"called_lots[offtake,0]": 2, "called_lots[offtake,1]": 1},
        [taken(8, 5), taken(8, 3)],
    ),
    Case(
        "hold_call_off_lots",
        "a call-off of free size is whole steps",
        book(contract(take_or_pay=0), TEN, order_step=4),
        SIGNED | taken(8, 4) | {"called_lots[offtake,0]": 2, "called_lots[offtake,1]": 1},
        [taken(8, 5), taken(8, 3)],
    ),
    Case(
        "cap_take",
        "no more whole lots than fit, also in parts",
        book(contract(take_or_pay=0, call_off_lot=4), TEN),
        SIGNED | taken(8, 4) | {"called_lots[offtake,0]": 2, "called_lots[offtake,1]": 1},
        [taken(10, 4) | {"called_lots[offtake,0]": 2.5}],
        parts=True,
    ),
    Case(
        "hold_least_take",
        "as many whole lots as reach the least, also in parts",
        book(contract(take_or_pay=0, call_off_lot=4, least_per_period=0.5), TEN),
        SIGNED | taken(8, 8) | {"called_lots[offtake,0]": 2, "called_lots[offtake,1]": 2},
        [taken(6, 8) | {"called_lots[offtake,0]": 1.5}],
        parts=True,
    ),
    Case(
        "called_lots",
        "not half a lot, in the firm periods",
        book(contract(take_or_pay=0, call_off_lot=4), TEN, firm_periods=1),
        SIGNED | taken(8, 1) | {"called_lots[offtake,0]": 2},
        [taken(6, 1) | {"called_lots[offtake,0]": 1.5}],
    ),
    Case(
        "cap_call_off",
        "no metal without a call-off",
        book(contract(take_or_pay=0, call_off_cost=5), TEN),
        SIGNED | taken(10, 0) | {"call_off[offtake,low,0,0]": 1},
        [{"call_off[offtake,low,0,0]": 0}],
    ),
    Case(
        "hold_call_off",
        "and none that brings nothing",
        book(contract(take_or_pay=0, call_off_cost=5), TEN),
        SIGNED | taken(10, 0) | {"call_off[offtake,low,0,0]": 1},
        [{"call_off[offtake,low,0,1]": 1}],
    ),
    Case(
        "call_off",
        "it is made or not",
        book(contract(take_or_pay=0, call_off_cost=5), TEN),
        SIGNED | taken(5, 0) | {"call_off[offtake,low,0,0]": 1},
        [{"call_off[offtake,low,0,0]": 0.5}],
    ),
    Case(
        "balance_prepaid",
        "of 30 paid at signing 20 are taken off for ten units, and the rest for five of the next",
        book(contract(prepayment=30, credit=2), TEN),
        SIGNED | taken(10, 10) | CREDITED,
        [{"prepaid[offtake,low,0,0]": 9}],
    ),
    Case(
        "cap_credited",
        "never more than the credit for each unit",
        book(contract(prepayment=30, credit=2, take_or_pay=0), TEN),
        SIGNED | taken(10, 10) | CREDITED,
        [taken(9, 10)],
    ),
    Case(
        "cap_credited",
        "nor more than its price",
        book(contract(prepayment=30, credit=9), floor(1, 120)),
        SIGNED | taken(10, 10) | credits(10, 10, left=10),
        [credits(11, 10, left=9)],
    ),
    Case(
        "hold_credited",
        "it is not kept for later",
        book(contract(prepayment=30, credit=2), TEN),
        SIGNED | taken(10, 10) | CREDITED,
        [credits(19, 11, left=0) | {"used_up[offtake,low,0,1]": 1}],
    ),
    Case(
        "cap_prepaid",
        "and is used up only when nothing is left",
        book(contract(prepayment=30, credit=2), TEN),
        SIGNED | taken(10, 10) | CREDITED,
        [{"used_up[offtake,low,0,0]": 1}],
    ),
    Case(
        "used_up",
        "used up or not",
        book(contract(prepayment=30, credit=2), TEN),
        SIGNED | taken(10, 10) | CREDITED,
        [{"used_up[offtake,low,0,1]": 0.5}],
    ),
    Case(
        "link_extend",
        "only a contract that is signed goes on after its term",
        book(contract(take_or_pay=0, **MORE), TEN),
        SIGNED | taken(10, 10) | EXTENDED,
        [{"sign[offtake,low,0]": 0} | taken(0, 10)],
    ),
    Case(
        "extend",
        "it does or does not",
        book(contract(take_or_pay=0, **MORE), TEN),
        SIGNED | taken(10, 5) | EXTENDED,
        [{"extend[offtake,low,0,0]": 0.5}],
    ),
    Case(
        "cap_take",
        "nothing is delivered after the term of a contract that is not extended",
        book(contract(**MORE), TEN),
        SIGNED | taken(10, 0),
        [taken(10, 1)],
    ),
    Case(
        "hold_take_or_pay",
        "an extension has contract years of its own",
        book(contract(**MORE), TEN),
        SIGNED | taken(10, 4) | EXTENDED | {"deficit[offtake,low,0,1]": 6},
        [{"deficit[offtake,low,0,1]": 5}],
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
        "link_short",
        "a least spend is not reached by paying for what is taken: there is no deficit in a year that does not fall short",
        book(contract(take_or_pay=0.5), TEN, rule("contract", "offtake", measure="spend", least=1)),
        SIGNED | taken(10, 0),
        [{"deficit[offtake,low,0,1]": 5}],
    ),
    Case(
        "cap_deficit",
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
    Case(
        "cap_deficit",
        "nothing is paid for nothing to please a rule on spending: 8 are owed and 6 taken",
        book(contract(take_or_pay=0.8), TEN, rule("contract", "offtake", measure="spend", least=1), periods=1),
        SIGNED | taken(6) | {"deficit[offtake,low,0,0]": 2, "short[offtake,low,0,0]": 1},
        [{"deficit[offtake,low,0,0]": 3}],
    ),
    Case(
        "link_short",
        "nor in a year that falls not short",
        book(contract(take_or_pay=0.8), TEN, rule("contract", "offtake", measure="spend", least=1), periods=1),
        SIGNED | taken(10),
        [taken(9) | {"deficit[offtake,low,0,0]": 1}],
    ),
    Case(
        "short",
        "which it does or not",
        book(contract(take_or_pay=0.8), TEN, rule("contract", "offtake", measure="spend", least=1), periods=1),
        SIGNED | taken(6) | {"deficit[offtake,low,0,0]": 2, "short[offtake,low,0,0]": 1},
        [{"deficit[offtake,low,0,0]": 3, "short[offtake,low,0,0]": 0.5}],
    ),
    Case(
        "balance_delivery",
        "a buyer's part is split over its own sites",
        book(contract(take_or_pay=0, availability=0.5), floor(8, 240), *FOR_BOTH, periods=1),
        SIGNED | {"take[offtake,low,0,0]": 20} | CALLED,
        [
            {"deliver[offtake,north,0]": 3, "deliver[offtake,south,0]": 5, "stock[ga,north,0,0]": 3, "stock[ga,south,0,0]": 5},
            {"call[offtake,low,0,navy,0]": 7, "call[offtake,low,0,army,0]": 3},
        ],
    ),
    Case(
        "balance_call",
        "the buyers' parts are all that arrives",
        book(contract(take_or_pay=0, availability=0.5), floor(8, 240), *FOR_BOTH, periods=1),
        SIGNED | {"take[offtake,low,0,0]": 20} | CALLED,
        [{"take[offtake,low,0,0]": 19}, {"call[offtake,low,0,army,0]": 5, "deliver[offtake,south,0]": 5, "stock[ga,south,0,0]": 5}],
    ),
    Case(
        "cap_upside",
        "half of 18 less 10, on the 5 that arrive",
        book(contract(availability=0.5, **SHARING), TEN, *prices(20), periods=1),
        SIGNED | {"take[offtake,low,0,0]": 10, "stock[ga,stockpile,0,0]": 5, "upside[offtake,low,0,0]": 20},
        [{"upside[offtake,low,0,0]": 20.1}, {"take[offtake,low,0,0]": 9.8, "stock[ga,stockpile,0,0]": 4.9}],
    ),
    Case(
        "cap_upside",
        "also above the ceiling",
        book(contract(ceiling=11, **SHARING), TEN, *prices(20), periods=1),
        SIGNED | {"take[offtake,low,0,0]": 10, "stock[ga,stockpile,0,0]": 10, "upside[offtake,low,0,0]": 40},
        [{"upside[offtake,low,0,0]": 40.1}],
    ),
    Case(
        "cap_upside",
        "of a cfd on the even rate of a quarter, at the price of each quarter",
        book(contract(**HEDGE | {"upside_cap": 9999}), TEN, *prices(20, 20, 20, 15), periods=2, period_months=3),
        SIGNED | {"upside[offtake,low,0,0]": 120, "upside[offtake,low,0,1]": 52.5},
        [{"upside[offtake,low,0,0]": 120.1}, {"upside[offtake,low,0,1]": 52.6}],
    ),
    Case(
        "cap_upside_year",
        "1200 a year are 300 for the three months of it before the horizon ends, at any time",
        book(contract(**HEDGE | {"upside_share": 1}), floor(8, 360), *prices(20), periods=3),
        SIGNED | {"upside[offtake,low,0,0]": 60, "upside[offtake,low,0,2]": 240},
        [{"upside[offtake,low,0,0]": 61}, {"upside[offtake,low,0,1]": 1}],
    ),
    Case(
        "cap_upside_year",
        "each contract year has its own, and the last is cut by the term",
        book(contract(term_months=13, **HEDGE | {"upside_cap": 120}), floor(8, 360), *prices(20), periods=15),
        SIGNED | {"upside[offtake,low,0,3]": 60, "upside[offtake,low,0,11]": 60, "upside[offtake,low,0,12]": 10},
        [{"upside[offtake,low,0,3]": 61}, {"upside[offtake,low,0,12]": 11}],
    ),
    Case(
        "cap_upside_year",
        "and only what is signed",
        book(contract(**SHARING | {"upside_cap": 60}), TEN, EIGHT, *prices(20), periods=1),
        {"sign[offtake,high,0]": 1, "take[offtake,high,0,0]": 10, "stock[ga,stockpile,0,0]": 10, "upside[offtake,high,0,0]": 5},
        [{"upside[offtake,high,0,0]": 6}],
    ),
    Case(
        "balance_begin",
        "a contract of a project that is signed relies on it from one decision on",
        book(WAITING, EIGHT, project(breakeven_floor=8)),
        {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1},
        [{"begin[offtake,high,0,0]": 0}],
    ),
    Case(
        "link_begin",
        "it waits until its project goes ahead",
        book(WAITING, EIGHT, project(breakeven_floor=8)),
        {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1},
        [{"carry[plant 2,0]": 0}],
    ),
    Case(
        "link_begin",
        "signed with the grant of January or after it, it delivers first in February, when the plant is ready",
        book(WAITING, EIGHT, project(cost=1, ready_lag_months=1), periods=4),
        {"grant[plant 2,0]": 1, "sign[offtake,high,1]": 1, "begin[offtake,high,0,1]": 1, "take[offtake,high,1,1]": 10}
        | {"stock[ga,stockpile,0,1]": 10, "stock[ga,stockpile,0,2]": 10, "stock[ga,stockpile,0,3]": 10},
        [
            {"grant[plant 2,0]": 0, "grant[plant 2,1]": 1},
            {"grant[plant 2,0]": 0, "grant[plant 2,2]": 1},
        ],
    ),
    Case(
        "cap_take",
        "and nothing comes before its first delivery",
        book(WAITING, EIGHT, project(cost=1, ready_lag_months=1), periods=4),
        {"grant[plant 2,1]": 1, "sign[offtake,high,1]": 1, "begin[offtake,high,1,1]": 1, "take[offtake,high,2,2]": 10}
        | {"stock[ga,stockpile,0,2]": 10, "stock[ga,stockpile,0,3]": 10},
        [{"take[offtake,high,2,2]": 0, "take[offtake,high,1,2]": 10}],
    ),
    Case(
        "link_carry",
        "a project is carried by a floor at its break-even, and by no lower one",
        book(WAITING, EIGHT, floor(7, 120), project(breakeven_floor=8)),
        {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1},
        [{"sign[offtake,high,0]": 0, "begin[offtake,high,0,0]": 0, "sign[offtake,low,0]": 1, "begin[offtake,low,0,0]": 1}],
        also=("forbid_own_help",),
    ),
    Case(
        "link_carry",
        "where nothing is signed that could carry it, nothing does",
        book(WAITING, EIGHT, floor(7, 120), project(breakeven_floor=8)),
        {"sign[offtake,high,0]": 1, "begin[offtake,high,0,0]": 1, "carry[plant 2,0]": 1},
        [{"sign[offtake,high,0]": 0, "begin[offtake,high,0,0]": 0}],
    ),
    Case(
        "link_carry",
        "nor does a lower floor, here signed on a grant of one half",
        book(WAITING, EIGHT, floor(7, 120), project(breakeven_floor=8, cost=1)),
        {"grant[plant 2,0]": 0.5, "sign[offtake,low,0]": 0.5, "begin[offtake,low,0,0]": 0.5},
        [{"carry[plant 2,0]": 0.5}],
        parts=True,
    ),
    Case(
        "link_carry",
        "in the period of its signing, not before or after",
        book(WAITING, EIGHT, project(breakeven_floor=8)),
        {"sign[offtake,high,1]": 1, "begin[offtake,high,1,1]": 1, "carry[plant 2,1]": 1},
        [{"carry[plant 2,1]": 0, "carry[plant 2,0]": 1, "begin[offtake,high,1,1]": 0, "begin[offtake,high,0,1]": 1}],
        also=("forbid_own_help",),
    ),
    Case(
        "link_carry",
        "of a contract signed in parts neither",
        book(WAITING, EIGHT, project(breakeven_floor=8)),
        {"sign[offtake,high,1]": 0.5, "begin[offtake,high,1,1]": 0.5, "carry[plant 2,1]": 0.5},
        [{"carry[plant 2,0]": 0.5}],
        parts=True,
    ),
    Case(
        "link_carry",
        "nor by a contract that carries another one",
        book(
            WAITING, EIGHT, project(breakeven_floor=8),
            contract("other", project="annex", take_or_pay=0), floor(9, 60, name="other"), project("annex", breakeven_floor=9),
        ),
        {"sign[other,low,0]": 1, "begin[other,low,0,0]": 1, "carry[annex,0]": 1},
        [{"carry[plant 2,0]": 1}],
    ),
    Case(
        "link_carry",
        "nor by one of no project",
        book(WAITING, EIGHT, contract("other", take_or_pay=0), floor(9, 60, name="other"), project(breakeven_floor=8)),
        {"sign[other,low,0]": 1},
        [{"carry[plant 2,0]": 1}],
    ),
    Case(
        "forbid_own_help",
        "of a contract signed in parts the second does not rely on what the first carries",
        book(WAITING, EIGHT, floor(7, 120), project(breakeven_floor=8)),
        {"sign[offtake,high,0]": 0.5, "begin[offtake,high,0,0]": 0.5, "carry[plant 2,0]": 0.5},
        [
            {"sign[offtake,low,1]": 0.5, "begin[offtake,low,0,1]": 0.5},
            {"sign[offtake,high,1]": 0.5, "begin[offtake,high,0,1]": 0.5},
        ],
        parts=True,
    ),
    Case(
        "forbid_own_help",
        "but on what another contract carries, or a grant",
        book(
            WAITING, EIGHT, floor(7, 120), project(breakeven_floor=8, cost=1),
            contract("other", project="plant 2", take_or_pay=0), floor(9, 60, name="other"),
        ),
        {"sign[other,low,0]": 0.5, "begin[other,low,0,0]": 0.5, "sign[offtake,high,0]": 0.5, "begin[offtake,high,0,0]": 0.5}
        | {"carry[plant 2,0]": 0.75, "grant[plant 2,0]": 0.25, "sign[offtake,low,1]": 0.5, "begin[offtake,low,0,1]": 0.5},
        [{"sign[other,low,0]": 0.25, "begin[other,low,0,0]": 0.25, "grant[plant 2,0]": 0.2}],
        parts=True,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


# When it delivers
# --------------------------------------------------------------------------------------------------


def deliveries(stockpile: Stockpile) -> dict[int, list[int]]:
    """The periods of delivery by the period of signing, of the first level."""
    form = built(stockpile)
    return {
        s: sorted(n for _, f, d, n in form.m.TAKES if f == level and d == _first(stockpile, s))
        for _, level, s in form.m.SIGNINGS
        if level == stockpile.rows(Floor)[0].level
    }


def _first(stockpile: Stockpile, node: int) -> int:
    return min(terms.begun(stockpile, stockpile.rows(Contract)[0], node).values())


@pytest.mark.parametrize(
    ("stockpile", "periods"),
    [
        (book(contract(), TEN, periods=4), {0: [0, 1, 2, 3]}),
        (book(contract(term_months=2), TEN, periods=4), {0: [0, 1]}),
        (book(contract(deliver_from=month(2)), TEN, periods=4), {0: [2, 3]}),
        (
            book(contract(deliver_from=month(2), lead_time_months=3), TEN, periods=4),
            {0: [3]},
        ),  # the later of the two
        (
            book(contract(sign_to=month(9), lead_time_months=2, term_months=1), TEN, periods=4),
            {0: [2], 1: [3]},
        ),  # too late is not signed
        (
            book(contract(sign_to=month(9), deliver_from=month(1)), TEN, periods=3),
            {0: [1, 2], 1: [1, 2], 2: [2]},
        ),
        (
            book(contract(), TEN, supplier(start=month(2)), periods=4),
            {0: [2, 3]},
        ),  # not before the plant ships
        (book(contract(sign_from=None, sign_to=None), TEN), {0: [0, 1], 1: [1]}),
        (book(contract(), TEN, supplier(stage="announced"), supply_stages=("operating",)), {}),
    ],
)
def test_when_a_contract_delivers(stockpile: Stockpile, periods: dict[int, list[int]]) -> None:
    assert deliveries(stockpile) == periods


@pytest.mark.parametrize(
    ("stockpile", "begins"),
    [
        # (signed, first delivery)
        (book(WAITING, TEN, project(cost=1), periods=3), {(0, 0), (1, 1)}),
        (book(WAITING, TEN, project(cost=1, ready_lag_months=1), periods=3), {(0, 1), (1, 1), (1, 2)}),
        (book(WAITING, TEN, project(breakeven_floor=8, ready_lag_months=1), periods=3), {(0, 1), (1, 1), (1, 2)}),
        # a later one is past the horizon
        (book(WAITING, TEN, project(cost=1, ready_lag_months=2), periods=3), {(0, 2), (1, 2)}),
        # not signed before the plant goes ahead
        (book(WAITING, TEN, project(cost=1, decide_from=month(1)), periods=3), {(1, 1)}),
        # the later
        (book(contract(project="plant 2", lead_time_months=2), TEN, project(cost=1, ready_lag_months=1), periods=4), {(0, 2)}),
        (book(WAITING, TEN, project(cost=1, ready_lag_months=1), supplier(start=month(2)), periods=4), {(0, 2), (1, 2)}),
        (book(WAITING, TEN, project(), periods=3), set()),
    ],
)  # fmt: skip
def test_a_contract_of_a_project_delivers_first_when_that_is_ready(
    stockpile: Stockpile, begins: set[tuple[int, int]]
) -> None:
    m, row = built(stockpile).m, stockpile.rows(Contract)[0]
    delivers = {
        (s, h): terms.begun(stockpile, row, s, ready(stockpile, "plant 2", h))
        for _, _, h, s in m.BEGINS
    }
    assert {(s, min(nodes.values())) for (s, _), nodes in delivers.items()} == begins
    assert all(h <= s for s, h in delivers)
    assert {(d, n) for *_, d, n in m.TAKES} == {
        (d, n) for nodes in delivers.values() for n, d in nodes.items()
    }
    assert {s for *_, s in m.SIGNINGS} == {s for s, _ in begins}


def test_the_years_of_a_contract_run_from_the_delivery_that_its_project_allows() -> None:
    """Granted in January and ready in March: the first year ends with February, and the floor of 8
    escalates to 10 in March.
    """
    rows = (
        contract(project="plant 2"),
        floor(8, 120, escalation=0.25),
        project(cost=0, ready_lag_months=2),
    )
    plan = {"grant[plant 2,0]": 1, "sign[offtake,low,0]": 1, "begin[offtake,low,0,0]": 1}
    plan |= {"deficit[offtake,low,2,13]": 120, "deficit[offtake,low,2,15]": 20}
    assert bill(book(*rows, periods=16), plan) == pytest.approx({"deficits": 120 * 8 + 20 * 10})


@pytest.mark.parametrize(
    ("stockpile", "first", "years"),
    [
        (book(contract(), TEN, periods=30), 1, [range(1, 13), range(13, 25), range(25, 30)]),
        (book(contract(term_months=18), TEN, periods=60), 0, [range(12), range(12, 18)]),
        (book(contract(), TEN, periods=5, period_months=6), 1, [range(1, 3), range(3, 5)]),
        (book(contract(), TEN, periods=2, period_months=12), 0, [range(1), range(1, 2)]),
    ],
)
def test_contract_years_begin_at_the_first_delivery(
    stockpile: Stockpile, first: int, years: list[range]
) -> None:
    row = stockpile.rows(Contract)[0]
    assert terms.years(stockpile, terms.term(stockpile, row, first)) == years


@pytest.mark.parametrize(
    ("cells", "decided", "extension"),
    [
        ({}, 3, range(4, 6)),
        ({"option_from": month(2)}, 2, range(4, 6)),
        ({"option_from": month(0)}, 1, range(4, 6)),  # in the first period of the term
        ({"option_from": month(9)}, 3, range(4, 6)),  # in the last
        ({"option_months": 5}, 3, range(4, 8)),  # to the end of the horizon
        ({"option_months": 0}, 3, range(0)),
        ({"term_months": None}, 7, range(0)),
        ({"term_months": 7}, 7, range(0)),
    ],
)
def test_when_a_contract_can_be_extended(
    cells: dict[str, Any], decided: int, extension: range
) -> None:
    """First delivered in February, for three months; two more may follow."""
    row = contract(**{"term_months": 3, "option_months": 2} | cells)
    stockpile = book(row, TEN, periods=8)
    assert [*terms.extension(stockpile, row, 1)] == [*extension]
    assert terms.deciding(stockpile, row, 1) == decided


# What it costs
# --------------------------------------------------------------------------------------------------


def price(stockpile: Stockpile, first: int, node: int) -> float:
    return terms.price(
        stockpile, stockpile.rows(Contract)[0], stockpile.rows(Floor)[0], first, node
    )


@pytest.mark.parametrize(("market", "paid"), [(5, 8), (10, 9), (20, 12)])
def test_the_price_is_the_reference_between_floor_and_ceiling(market: float, paid: float) -> None:
    """Reference 0.9 x index, floor 8, ceiling 12."""
    assert price(
        book(contract(price_index="market", discount=0.1, ceiling=12), TEN, *prices(market)), 0, 0
    ) == pytest.approx(paid)


def test_a_floor_above_the_ceiling_is_paid() -> None:
    assert price(book(contract(price_index="market", ceiling=7), TEN, *prices(20)), 0, 0) == 8


def test_without_an_index_the_floor_is_the_price() -> None:
    assert price(book(contract(), TEN), 0, 0) == 8


@pytest.mark.parametrize(("node", "paid"), [(3, 8), (14, 8), (15, 10), (26, 10), (27, 12.5)])
def test_a_floor_escalates_by_whole_contract_years(node: int, paid: float) -> None:
    """25 % a year from a first delivery in period 3."""
    assert price(
        book(contract(), floor(8, 120, escalation=0.25), periods=60), 3, node
    ) == pytest.approx(paid)


def test_a_floor_escalates_in_quarters() -> None:
    stockpile = book(contract(), floor(8, 120, escalation=0.25), periods=12, period_months=3)
    assert [price(stockpile, 1, n) for n in (1, 4, 5, 8, 9)] == pytest.approx([8, 8, 10, 10, 12.5])


def test_what_a_contract_costs() -> None:
    """Signed in January for 50, first delivery in February.

    Index 10, 20, 30; half of what is called off fails.

    February: 10 called off, 5 arrive at 20, with 10 % duty and freight 1. March: nothing, and the
    two months of the year within the horizon were 20, so 10 are paid at the price of March. 21 % a
    year.
    """
    terms = contract(
        price_index="market",
        lead_time_months=1,
        signing_cost=50,
        duty=0.1,
        freight=1,
        availability=0.5,
    )
    stockpile = book(terms, TEN, *prices(10, 20, 30), periods=3, discount_rate=0.21)
    plan = SIGNED | {"take[offtake,low,1,1]": 10, "deficit[offtake,low,1,2]": 10}
    plan |= {"stock[ga,stockpile,0,1]": 5, "stock[ga,stockpile,0,2]": 5}
    february, march = 1.21 ** (-1 / 12), 1.21 ** (-2 / 12)
    assert bill(stockpile, plan) == pytest.approx(
        {
            "signing": 50,
            "offtakes": 100 * february,
            "duty": 10 * february,
            "freight": 5 * february,
            "deficits": 300 * march,
        }
    )


def test_a_deficit_is_paid_at_the_escalated_floor_of_its_years_last_period() -> None:
    """Years of 120: the first at 8, the second at 10; nothing is taken."""
    stockpile = book(contract(), floor(8, 120, escalation=0.25), periods=24)
    plan = SIGNED | {"deficit[offtake,low,0,11]": 120, "deficit[offtake,low,0,23]": 120}
    assert bill(stockpile, plan) == pytest.approx({"deficits": 120 * 8 + 120 * 10})


def test_a_total_is_paid_at_the_price_of_the_last_period_of_the_term() -> None:
    """13 months of a floor of 8 that is 10 in the last: 50 of 60 are taken, 10 paid at 10."""
    row = contract(least_total=60, term_months=13)
    stockpile = book(row, floor(8, 120, escalation=0.25), periods=13)
    plan = SIGNED | taken(*[10] * 5, *[0] * 8) | {"deficit[offtake,low,0,12]": 10}
    plan |= {f"stock[ga,stockpile,0,{t}]": 50 for t in range(5, 13)}
    assert bill(stockpile, plan) == pytest.approx({"offtakes": 50 * 8, "deficits": 10 * 10})


def test_a_prepayment_is_taken_off_what_is_due_for_deliveries() -> None:
    """30 at signing, and of 10 units of 8 in each month 20 and 10 less."""
    row, plan = contract(prepayment=30, credit=2), SIGNED | taken(10, 10) | CREDITED
    stockpile = book(row, TEN)
    found = bill(stockpile, plan)
    assert found == pytest.approx({"offtakes": 160, "prepayments": 30, "credits": -30})
    (outcome,) = (
        row for row in report(put(built(stockpile), plan)) if isinstance(row, ContractOutcome)
    )
    assert (outcome.prepayment, outcome.credited, outcome.cost) == (30, 30, 160)
    assert outcome.instruction.endswith("first delivery 2027-01, and prepay 30 USD")


def test_an_extension_costs_its_price_and_is_reported() -> None:
    """10 of 10 in January and in February, at 8 under an index of 9 and 11: 3 a unit less 7."""
    row = contract(price_index="market", ceiling=8, prepayment=100, credit=2, **MORE)
    stockpile = book(row, TEN, *prices(9, 11))
    plan = SIGNED | taken(10, 10) | EXTENDED | credits(20, 20, left=60)
    found = bill(stockpile, plan)
    assert found == pytest.approx(
        {"offtakes": 160, "extensions": 7, "prepayments": 100, "credits": -40}
    )
    rows = report(put(built(stockpile), plan))
    outcome = next(each for each in rows if isinstance(each, ContractOutcome))
    assert (outcome.called_off, outcome.cost) == (20, 227)
    assert (outcome.credited, outcome.uncredited) == (40, 60)
    assert outcome.last_delivery == dt.date(2027, 1, 31)
    extension = next(each for each in rows if isinstance(each, ExtensionOutcome))
    assert (extension.date, extension.decision, extension.paid) == (month(0), "extend", 7)
    assert (extension.first_delivery, extension.last_delivery) == (month(1), dt.date(2027, 2, 28))
    assert extension.saving == pytest.approx(23)
    assert extension.instruction == (
        "2027-01: extend offtake with plant by 1 month from 2027-02, and pay 7 USD"
    )


def test_what_an_extension_binds_after_the_horizon_is_charged_and_shown() -> None:
    """Three months from February: in March and April 10 at 8, 3 above an index of 5."""
    row = contract(price_index="market", **MORE | {"option_months": 3})
    stockpile, plan = book(row, TEN, *prices(5)), SIGNED | taken(10, 10) | EXTENDED
    found = bill(stockpile, plan)
    assert found == pytest.approx({"offtakes": 160, "extensions": 7, "after_horizon": 60})
    (bound,) = (
        each for each in report(put(built(stockpile), plan)) if isinstance(each, Obligation)
    )
    assert (bound.ends, bound.least_quantity) == (dt.date(2027, 4, 30), 20)
    ended = report(put(built(stockpile), SIGNED | taken(10, 0)))
    (bound,) = (each for each in ended if isinstance(each, Obligation))
    assert (bound.ends, bound.least_quantity) == (dt.date(2027, 1, 31), None)


def test_a_contract_that_is_left_to_end_is_reported() -> None:
    stockpile = book(contract(**MORE), TEN)
    rows = report(put(built(stockpile), SIGNED | taken(10, 0)))
    (found,) = (each for each in rows if isinstance(each, ExtensionOutcome))
    assert (found.decision, found.paid, found.saving) == ("let it end", None, None)
    assert found.instruction == (
        "2027-01: do not extend offtake with plant by 1 month: it ends before 2027-02"
    )


def test_an_extension_of_a_contract_of_a_project_has_contract_years_of_its_own() -> None:
    """Nothing is taken of 10 in the term, nor of 10 after it."""
    stockpile = book(contract(project="plant 2", **MORE), TEN, project(cost=0))
    plan = {"grant[plant 2,0]": 1, "begin[offtake,low,0,0]": 1} | SIGNED | EXTENDED
    plan |= {"deficit[offtake,low,0,0]": 10, "deficit[offtake,low,0,1]": 10}
    assert bill(stockpile, plan) == pytest.approx({"deficits": 160, "extensions": 7})


def test_a_total_holds_for_an_extension_pro_rata() -> None:
    """8 in a term of two months, and 4 in a month more: 2 of them are paid for nothing."""
    row = contract(least_total=8, term_months=2, option_months=1)
    stockpile = book(row, TEN, periods=3)
    plan = SIGNED | taken(8, 0, 2) | {"extend[offtake,low,0,1]": 1, "deficit[offtake,low,0,2]": 2}
    assert bill(stockpile, plan) == pytest.approx({"offtakes": 80, "deficits": 16})


def test_each_call_off_costs_and_beyond_the_firm_periods_a_part_of_it() -> None:
    """10 of at most 10 in January; in February, which is relaxed, 4 of at most 10: 5 + 2."""
    stockpile = book(contract(take_or_pay=0, call_off_cost=5), TEN, firm_periods=1)
    plan = SIGNED | taken(10, 4) | {"call_off[offtake,low,0,0]": 1}
    assert bill(stockpile, plan) == pytest.approx({"offtakes": 14 * 8, "call_offs": 7})


def test_what_is_called_off_is_reported() -> None:
    """Two lots of 4 in January, of which half arrives; in February what is relaxed."""
    row = contract(take_or_pay=0, availability=0.5, call_off_lot=4, call_off_cost=5)
    stockpile = book(row, TEN, firm_periods=1)
    plan = SIGNED | {"call_off[offtake,low,0,0]": 1, "called_lots[offtake,0]": 2}
    plan |= {"take[offtake,low,0,0]": 8, "take[offtake,low,0,1]": 5}
    plan |= {"stock[ga,stockpile,0,0]": 4, "stock[ga,stockpile,0,1]": 6.5}
    first, second = (row for row in report(put(built(stockpile), plan)) if isinstance(row, CallOff))
    assert (first.date, first.called_off, first.lots, first.arriving) == (month(0), 8, 2, 4)
    assert (first.cost, first.relaxed) == (5, False)
    assert first.instruction == "2027-01: call off 8 kg of ga from plant under offtake, 2 lots"
    assert (second.called_off, second.lots, second.cost, second.relaxed) == (5, None, 2.5, True)
    assert second.instruction == "2027-02, indicative: call off 5 kg of ga from plant under offtake"


@pytest.mark.parametrize(
    ("cells", "node", "least"),
    [
        ({}, 0, 8),
        ({"floor_factor": 1.5}, 0, 12),
        ({"floor_factor": 1.5}, 11, 24),
        ({"floor_factor": 1.5, "escalation": 0.25}, 11, 24),
        ({"floor_factor": 1.5, "escalation": 0.25}, 12, 30),  # at its index and after a whole year
        ({"floor_factor": 0}, 0, 0),
    ],
)
def test_a_floor_tied_to_an_index(cells: dict[str, float], node: int, least: float) -> None:
    """8 in January and 16 from February on."""
    stockpile = book(
        contract(), floor(None, 120, floor_index="market", **cells), *prices(8, 16), periods=24
    )
    assert price(stockpile, 0, node) == pytest.approx(least)


def test_a_floor_tied_to_an_index_is_paid_where_the_reference_is_below() -> None:
    """Floor 8, 16, reference 10: 10 and 16."""
    values = (
        Price(date=month(t), values={"market": market, "reference": 10})
        for t, market in enumerate((8, 16))
    )
    stockpile = book(
        contract(price_index="reference"), floor(None, 120, floor_index="market"), *values
    )
    assert bill(stockpile, SIGNED | taken(10, 10)) == pytest.approx({"offtakes": 100 + 160})


def test_a_cfd_pays_up_to_the_floor_without_metal() -> None:
    """Floor 8, 10 from the second year on, of 10 a month; 0.9 x index. 7.2 in January, 9 and more
    from February, 9 after a year. A ceiling, an availability and a duty mean nothing. 21 % a year,
    20 to sign.
    """
    row = contract(
        form="cfd",
        price_index="market",
        discount=0.1,
        ceiling=1,
        availability=0.5,
        duty=0.5,
        freight=9,
        signing_cost=20,
    )
    rows = (row, floor(8, 120, escalation=0.25), *prices(8, 10))
    plan = {"sign[offtake,low,0]": 1}
    later = sum(1.21 ** (-t / 12) for t in range(12, 15))
    assert bill(book(*rows, periods=15, discount_rate=0.21), plan) == pytest.approx(
        {"signing": 20, "topups": 10 * 0.8 + 10 * 1 * later}
    )
    assert bill(book(*rows, periods=15), {}) == {}


def test_a_cfd_brings_no_metal_and_owes_none() -> None:
    m = built(book(contract(form="cfd", price_index="market"), TEN, *prices(8))).m
    assert len(m.SIGNINGS) == 1
    assert (len(m.TAKES), len(m.DEFICITS)) == (0, 0)


@pytest.mark.parametrize(("market", "received"), [(10, 0), (100 / 9, 0), (20, 40), (30, 85)])
def test_the_upside_is_a_share_of_the_reference_above_the_trigger(
    market: float, received: float
) -> None:
    """Half of 0.9 x index less 10, on 10."""
    sharing = {name: cell for name, cell in SHARING.items() if name != "upside_cap"}
    rows = (TEN, *prices(market))
    metal = bill(
        book(contract(ceiling=9, duty=0.1, **sharing), *rows, periods=1), SIGNED | taken(10)
    )
    assert metal == pytest.approx(
        {"offtakes": 90, "duty": 9} | ({"upside": -received} if received else {})
    )  # duty on what is paid
    hedge = bill(book(contract(**HEDGE | {"upside_cap": None}), *rows, periods=1), SIGNED)
    assert hedge == pytest.approx({"upside": -received} if received else {})


def test_a_deficit_has_no_upside_and_no_fund_keeps_one() -> None:
    sharing = {name: cell for name, cell in SHARING.items() if name != "upside_cap"} | {
        "take_or_pay": 1
    }
    stockpile = book(
        contract(**sharing), TEN, *prices(20), fund(keeps_receipts=True), budget(999), periods=1
    )
    plan = SIGNED | {
        "take[offtake,low,0,0]": 4,
        "stock[ga,stockpile,0,0]": 4,
        "deficit[offtake,low,0,0]": 6,
    }
    assert bill(stockpile, plan | {"pay[0,contract,ga,,,0,0]": 180}) == pytest.approx(
        {"offtakes": 72, "deficits": 108, "upside": -16}
    )
    assert broken(
        built(stockpile), plan | {"pay[0,contract,ga,,,0,0]": 164, "pay[1,contract,ga,,,0,0]": 16}
    ) == {"balance_receipts"}


def test_a_cap_is_used_where_it_is_worth_most() -> None:
    """40 a month would be shared, 60 a quarter may be: 40 in January and 20 in February, at 21 % a
    year.
    """
    stockpile = book(
        contract(**HEDGE | {"upside_cap": 240}),
        floor(0, 120),
        *prices(20),
        periods=3,
        discount_rate=0.21,
    )
    assert least_cost(stockpile) == pytest.approx(-40 - 20 * 1.21 ** (-1 / 12))


def test_what_arrives_is_paid_by_the_buyer_of_its_site_and_the_rest_by_any() -> None:
    """6 for the navy and 4 for the army at 8, with 10 % of duty and 1 of freight; 5 to sign."""
    row = contract(take_or_pay=0, availability=0.5, duty=0.1, freight=1, signing_cost=5)
    formulation = put(
        built(book(row, floor(8, 240), *FOR_BOTH, periods=1)),
        SIGNED | {"take[offtake,low,0,0]": 20} | CALLED,
    )
    paid = {
        (each.heading, each.buyer): pyo.value(each.amount)
        for each in formulation.ledger.money
        if each.use == "contract"
    }
    assert paid == pytest.approx(
        {("offtakes", "navy"): 48, ("duty", "navy"): 4.8, ("freight", "navy"): 6}
        | {
            ("offtakes", "army"): 32,
            ("duty", "army"): 3.2,
            ("freight", "army"): 4,
            ("signing", None): 5,
        }
    )


def test_the_cheapest_level_that_serves_is_signed() -> None:
    """10 a month for a year.

    Low: all 120 at 8, the rest of 120 spot at 12. High: 20 a month at 9, of which the other half is
    waste.
    """
    stockpile = book(
        contract(),
        TEN,
        floor(9, 240, "high"),
        offer(price=12),
        material(shelf_life_months=1),
        demand(20, 0, 11),
        periods=12,
    )
    assert least_cost(stockpile) == pytest.approx(min(120 * 8 + 120 * 12, 240 * 9))


def test_the_outcome_of_a_contract_is_reported() -> None:
    terms = contract(
        price_index="market", lead_time_months=1, term_months=2, signing_cost=50, availability=0.5
    )
    stockpile = book(
        terms,
        TEN,
        floor(9, 240, "high"),
        *prices(1, 6, 30),
        contract("other"),
        floor(5, 60, name="other"),
        periods=4,
    )
    plan = SIGNED | {
        "take[offtake,low,1,1]": 10,
        "take[offtake,low,1,2]": 5,
        "deficit[offtake,low,1,2]": 5,
    }
    told, other = (
        row for row in report(put(built(stockpile), plan)) if isinstance(row, ContractOutcome)
    )
    assert (told.decision, told.level, told.floor, told.annual_quantity) == ("sign", "low", 8, 120)
    assert (told.signed, told.first_delivery, told.last_delivery) == (
        month(0),
        month(1),
        dt.date(2027, 3, 31),
    )
    assert (told.called_off, told.delivered, told.deficit) == (15, 7.5, 5)
    assert told.expected_price == pytest.approx((5 * 8 + 2.5 * 30) / 7.5)
    assert told.cost == pytest.approx(50 + 5 * 8 + 2.5 * 30 + 5 * 30)
    assert told.share_at_floor == pytest.approx(10 / 15)
    assert (
        told.instruction
        == "2027-01: sign offtake with plant at level low, floor 8 USD/kg, 120 kg a year, first"
        " delivery 2027-02"
    )
    assert (other.decision, other.level, other.cost) == ("do not sign", None, 0)


def test_the_least_of_each_period_is_reported() -> None:
    """A quarter of 10 a month, three months a period."""
    row = contract(take_or_pay=0, least_per_period=0.25)
    stockpile = book(row, TEN, periods=1, period_months=3)
    plan = SIGNED | {"take[offtake,low,0,0]": 30, "stock[ga,stockpile,0,0]": 30}
    (outcome,) = (
        row for row in report(put(built(stockpile), plan)) if isinstance(row, ContractOutcome)
    )
    assert outcome.least_per_period == 7.5
    assert (
        outcome.instruction
        == "2027-01: sign offtake with plant at level low, floor 8 USD/kg, 120 kg a year, at least"
        " 7.5 kg each period, first delivery 2027-01"
    )


def test_the_outcome_of_a_cfd_is_reported() -> None:
    """10 a month for three months from February: floor 11, at 9 in February 2 a unit; 15 and 17
    share half of what is above 13.
    """
    row = contract(
        form="cfd",
        price_index="market",
        upside_share=0.5,
        upside_trigger=13,
        upside_cap=600,
        lead_time_months=1,
        signing_cost=6,
    )
    stockpile = book(row, floor(11, 120), *prices(9, 9, 15, 17), periods=4)
    plan = SIGNED | {"upside[offtake,low,1,2]": 10, "upside[offtake,low,1,3]": 19}
    (told,) = (
        row for row in report(put(built(stockpile), plan)) if isinstance(row, ContractOutcome)
    )
    assert (told.form, told.decision, told.level, told.floor, told.annual_quantity) == (
        "cfd",
        "sign",
        "low",
        11,
        120,
    )
    assert (told.first_delivery, told.last_delivery) == (month(1), dt.date(2027, 4, 30))
    assert (
        told.called_off,
        told.delivered,
        told.deficit,
        told.expected_price,
        told.share_at_floor,
    ) == (0, 0, 0, None, None)
    assert (told.topups, told.upside, told.cost, told.breakeven) == (20, 29, 6 + 20 - 29, None)
    assert (
        told.instruction
        == "2027-01: sign offtake with plant at level low, floor 11 USD/kg, cash for 120 kg a year"
        " from 2027-02"
    )


def test_the_outcome_of_a_contract_of_a_project_is_reported() -> None:
    """Granted in January, ready in March; the floor is tied to an index, and signed in February
    when it stands at 9.
    """
    rows = (
        contract(project="plant 2", sign_to=month(1), take_or_pay=0),
        floor(None, 120, floor_index="market"),
        *prices(8, 9, 12),
    )
    stockpile = book(
        *rows, project(cost=600, ready_lag_months=2, capex=600, opex=3, life_years=5), periods=4
    )
    plan = {
        "carry[plant 2,0]": 1,
        "aid[plant 2,0]": 600,
        "sign[offtake,low,1]": 1,
        "begin[offtake,low,0,1]": 1,
        "take[offtake,low,2,3]": 10,
    }
    plan |= {"stock[ga,stockpile,0,3]": 10}
    (told,) = (
        row for row in report(put(built(stockpile), plan)) if isinstance(row, ContractOutcome)
    )
    assert (told.signed, told.first_delivery, told.floor, told.breakeven) == (
        month(1),
        month(2),
        9,
        4,
    )
    assert (told.delivered, told.expected_price, told.cost) == (10, 12, 120)
    assert (
        told.instruction
        == "2027-02: sign offtake with plant at level low, floor 9 USD/kg (tied to market), 120 kg"
        " a year, first delivery 2027-03"
    )


# What is wrong with a row
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            [contract()],
            "contracts.contract: offtake has no row in the sheet floors: give its menu there",
        ),
        (
            [contract(sign_from=month(2)), TEN],
            "contracts.sign_to: must not be before sign_from (2027-03-01), found 2027-01-01",
        ),
        ([contract(ceiling=9), TEN], "contracts.ceiling: caps a reference: it needs price_index"),
        (
            [contract(lead_time_months=2.5), TEN],
            (
                "contracts.lead_time_months: must be a whole number of periods of 1 month, found"
                " 2.5 months; write 2 or 3"
            ),
        ),
        (
            [contract(flex=1.5, least_per_period=2.0), TEN],
            "contracts.least_per_period: must be at most flex, the largest delivery (1.5 of the"
            " even rate), found 2",
        ),
        (
            [contract(), Floor(contract="offtake", level="low", annual_quantity=120)],
            "floors.floor: a level needs floor or floor_index: both are blank; fill one of the two",
        ),
    ],
)
def test_faults_of_a_contract(rows: list[Contract | Floor], fault: str) -> None:
    assert faults(book(*rows)) == [fault]


@pytest.mark.parametrize(
    ("cells", "level", "said"),
    [
        (
            {"form": "cfd"},
            TEN,
            [
                "contracts.price_index: is required for a cfd: it pays the difference from the"
                " floor to a reference"
            ],
        ),
        (
            {"upside_share": 0.5, "upside_trigger": 9},
            TEN,
            [
                "contracts.price_index: is required for an upside: it is a share of a reference"
                " above the trigger"
            ],
        ),
        (
            {"upside_share": 0.5, "price_index": "market"},
            TEN,
            ["contracts.upside_trigger: is required where upside_share is above 0"],
        ),
        (
            {},
            floor(8, 120, floor_index="market"),
            [
                "floors.floor: a level needs floor or floor_index, and has floor 8 and floor_index 'market'; remove one of the two"
            ],
        ),
        (
            {},
            floor(8, 120, floor_factor=1),
            ["floors.floor_factor: is a share of an index: it needs floor_index"],
        ),
        ({}, floor(None, 120, floor_index="market", floor_factor=1), []),
    ],
)
def test_faults_of_cfd_upside_and_floors_at_an_index(
    cells: dict[str, object], level: Floor, said: list[str]
) -> None:
    assert faults(book(contract(**cells), level, *prices(1))) == said


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            {"upside_trigger": 9.0},
            ["contracts.upside_trigger: has no effect without an upside_share"],
        ),
        ({"upside_cap": 9.0}, ["contracts.upside_cap: has no effect without an upside_share"]),
        (
            {
                "form": "cfd",
                "ceiling": 9.0,
                "take_or_pay": 0.5,
                "flex": 2.0,
                "duty": 0.1,
                "freight": 1.0,
                "availability": 0.5,
            },
            [
                f"contracts.{name}: has no effect on a cfd, which moves no metal"
                for name in ("ceiling", "take_or_pay", "flex", "duty", "freight", "availability")
            ],
        ),
        (
            {
                "ceiling": 9.0,
                "take_or_pay": 0.5,
                "flex": 2.0,
                "duty": 0.1,
                "freight": 1.0,
                "availability": 0.5,
            },
            [],
        ),
    ],
)
def test_what_has_no_effect_on_a_contract_is_odd(cells: dict[str, object], said: list[str]) -> None:
    assert warnings(book(contract(price_index="market", **cells), TEN, *prices(1))) == said


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"call_off_lot": 5}, []),
        (
            {"call_off_lot": 12},
            [
                "contracts.call_off_lot: a delivery at level low is at most 10 kg, less than a lot"
                " of 12: nothing can be called off"
            ],
        ),
        (
            {"call_off_lot": 6, "least_per_period": 0.8},
            [
                "contracts.call_off_lot: a delivery at level low is at most 10 kg and at least 8,"
                " and no whole lots of 6 lie between: the level cannot be signed"
            ],
        ),
        (
            {"least_total": 9, "take_or_pay": 0.5},
            ["contracts.take_or_pay: has no effect: least_total holds instead"],
        ),
        ({"least_total": 9, "take_or_pay": 0}, []),
        ({"prepayment": 9, "credit": 1}, []),
        (
            {"prepayment": 9},
            [
                "contracts.prepayment: is lost: without credit nothing of it is taken off what is"
                " due"
            ],
        ),
        ({"credit": 1}, ["contracts.credit: has no effect without prepayment"]),
        (
            {"option_months": 1},
            [
                "contracts.option_months: has no effect without term_months: the term runs to the"
                " end of the horizon"
            ],
        ),
        (
            {"option_price": 1, "option_from": month(0), "term_months": 1},
            [
                "contracts.option_from: has no effect without option_months",
                "contracts.option_price: has no effect without option_months",
            ],
        ),
        ({"term_months": 1, "option_months": 1, "option_price": 1}, []),
    ],
)
def test_call_offs_that_cannot_be_are_odd(cells: dict[str, float], said: list[str]) -> None:
    assert warnings(book(contract(**cells), TEN)) == said


def test_a_total_is_given_in_every_scenario_or_in_none() -> None:
    rows = (TEN, scenario(), event("contracts.least_total", "set", 9, 1))
    assert faults(book(contract(least_total=5), *rows)) == []
    assert faults(book(contract(), *rows)) == [
        "contracts.least_total: must be given in the base where an event gives it, and stay given"
    ]


def test_the_dates_of_an_option_are_the_same_in_all_scenarios() -> None:
    rows = (TEN, scenario(), event("contracts.term_months", "set", 2, 1))
    assert faults(book(contract(term_months=1), *rows)) == []
    assert faults(book(contract(**MORE), *rows)) == [
        "contracts.term_months: must be the same in all scenarios of a contract with an option to"
        " extend"
    ]
    rows = (TEN, scenario(), event("contracts.option_price", "set", 2, 1))
    assert faults(book(contract(**MORE), *rows)) == []


def test_a_contract_that_cannot_deliver_is_odd() -> None:
    assert warnings(book(contract(lead_time_months=2), TEN)) == [
        "contracts.contract: offtake cannot be signed to deliver within the horizon: see its dates,"
        " lead time and its supplier's start"
    ]


# What a level is worth
# --------------------------------------------------------------------------------------------------


def floors_of(
    stockpile: Stockpile, plan: dict[str, float] | None = None
) -> dict[str, FloorOutcome]:
    """The rows of the sheet `floors`, by level."""
    return {
        each.level: each
        for each in report(put(built(stockpile), plan or {}))
        if isinstance(each, FloorOutcome)
    }


# In February it is known, 1 in 4, that the index falls from 12.5 to 5; the reference is 4/5 of it:
# 10 or 4.
FALL = (*prices(12.5), scenario(probability=0.25), event("prices.market", "set", 5, 1))


FALLEN = [f"take[offtake,low,0,{n}]" for n in range(5)]


@pytest.mark.parametrize("plan", [{}, {**SIGNED, **dict.fromkeys(FALLEN, 10.0)}])
def test_signing_is_spread_over_what_comes_on_one_path(plan: dict[str, float]) -> None:
    """60 for 30 that come within three months, in whichever scenario: 2 a unit."""
    stockpile = book(contract(price_index="market", signing_cost=60), TEN, *FALL, periods=3)
    found = facts(put(built(stockpile), plan), "offtake", "low")
    assert [each.cost.other for each in found if each.cost] == pytest.approx([2] * 5)


def test_a_signing_before_the_start_is_sunk() -> None:
    rows = contract(signing_cost=60), TEN, commitment("sign", "offtake", t=-1)
    found = facts(put(built(book(*rows)), SIGNED), "offtake", "low")
    assert [each.cost.other for each in found if each.cost] == [0, 0]


def test_a_floor_is_worth_what_it_pays_above_the_reference() -> None:
    """10 a month for three months at a floor of 8: it binds in war, in February and March, and pays
    4 more then.
    """
    stockpile = book(
        contract(price_index="market", discount=0.2), TEN, *FALL, periods=3, discount_rate=0.21
    )
    told = floors_of(stockpile)["low"]
    assert (told.contract, told.signed, told.floor, told.annual_quantity) == (
        "offtake",
        False,
        8,
        120,
    )
    assert told.expected_quantity == pytest.approx(30)
    assert told.expected_price == pytest.approx((100 + 0.75 * 200 + 0.25 * 160) / 30)
    assert told.binds == pytest.approx(0.25 * 2 / 3)
    assert told.expected_topup == pytest.approx(0.25 * 80)
    assert told.option_value == pytest.approx(0.25 * 40 * (1.21 ** (-1 / 12) + 1.21 ** (-2 / 12)))
    assert told.option_per_unit == pytest.approx(told.option_value / 30)
    assert (told.producer_index, told.buyer_index, told.breakeven) == (10, 8, None)
    assert (told.cost_difference, told.difference_at_least, told.to_change) == (None, None, None)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ({}, (None, None)),
        ({"option_months": 2, "option_price": 10}, (55, 45)),
        ({"option_months": 2, "option_price": 10, "option_from": month(0)}, (10, 0)),
        ({"option_months": 2, "option_price": 10, "price_index": None, "ceiling": None}, (None, None)),
        ({"option_months": 2, "option_price": 10, "form": "cfd", "ceiling": None}, (0, 0)),
    ],
)  # fmt: skip
def test_an_option_to_extend_is_worth_what_it_saves_where_it_is_taken(
    cells: dict[str, Any], values: tuple[float | None, float | None]
) -> None:
    """At 8 under an index of 14 or, by half, of 4, for two months: 120 less 10, or 80 lost."""
    row = contract(**{"price_index": "market", "ceiling": 8, "term_months": 2} | cells)
    war = scenario("war", 0.5, 1), event("prices.market", "set", 4, 2)
    found = floors_of(book(row, TEN, *prices(10, 10, 14, 14), *war, periods=4))["low"]
    assert (found.extension_value, found.waiting_value) == pytest.approx(values)


def test_what_does_not_arrive_is_worth_nothing() -> None:
    whole, half = (
        floors_of(book(contract(price_index="market", discount=0.2, availability=share), TEN, *FALL, periods=3))["low"]
        for share in (1.0, 0.5)
    )  # fmt: skip
    assert (half.expected_quantity, half.expected_topup) == pytest.approx(
        (whole.expected_quantity / 2, whole.expected_topup / 2)
    )
    assert (half.expected_price, half.binds) == pytest.approx((whole.expected_price, whole.binds))


def test_each_level_of_the_menu_is_reported_signed_or_not() -> None:
    """Signed in February; the other as from January, the first date it can be."""
    stockpile = book(contract(sign_to=month(1)), TEN, floor(9, 240, "high"))
    plan = {"sign[offtake,high,1]": 1, "take[offtake,high,1,1]": 20, "stock[ga,stockpile,0,1]": 20}
    told = floors_of(stockpile, plan)
    assert [(level, each.signed, each.expected_quantity) for level, each in told.items()] == [
        ("low", False, 20),
        ("high", True, 20),
    ]
    assert (
        told["low"].expected_price,
        told["low"].binds,
        told["low"].expected_topup,
        told["low"].producer_index,
    ) == (8, None, 0, None)


def test_a_level_signed_in_several_scenarios_is_reported_once_over_all_of_them() -> None:
    """Signed in February, in peace and in war, where the floor binds."""
    stockpile = book(
        contract(price_index="market", discount=0.2, sign_from=month(1), sign_to=month(1)),
        TEN,
        *FALL,
    )
    plan = {
        "sign[offtake,low,1]": 1,
        "sign[offtake,low,2]": 1,
        "take[offtake,low,1,1]": 10,
        "take[offtake,low,1,2]": 10,
    }
    told = floors_of(
        stockpile, plan | {"stock[ga,stockpile,0,1]": 10, "stock[ga,stockpile,0,2]": 10}
    )["low"]
    assert (told.signed, told.expected_quantity, told.expected_price, told.binds) == pytest.approx(
        (True, 10, 9.5, 0.25)
    )


def test_a_cfd_is_worth_its_topups() -> None:
    """Even 10 a month: nothing at 12 or 11, 2 a unit at 9."""
    rows = (
        contract(form="cfd", price_index="market"),
        floor(11, 120),
        *prices(12),
        scenario(probability=0.25),
    )
    told = floors_of(book(*rows, event("prices.market", "set", 9, 1)))["low"]
    assert (told.expected_quantity, told.expected_price, told.binds) == pytest.approx(
        (20, 0.25 * 20 / 20, 0.125)
    )
    assert (told.expected_topup, told.option_value) == pytest.approx((5, 5))


def test_an_index_of_a_contract_in_another_currency_is_compared_in_its_own_money() -> None:
    """A floor of 8 euro and an index of 10 euro, 2 each: an extension at the index saves nothing,
    and the floor binds below 8 euro.
    """
    quoted = Price(date=month(0), values={"market": 10.0, "euro": 2.0})
    cells = {"term_months": 1.0, "option_months": 1.0, "currency": "euro"}
    stockpile = book(contract(price_index="market", **cells), TEN, quoted)
    told = floors_of(stockpile)["low"]
    assert (told.floor, told.producer_index, told.buyer_index) == (16, 8, 8)
    formulation = put(built(stockpile), {**SIGNED, **taken(10)})
    (row,) = (each for each in report(formulation) if isinstance(each, ExtensionOutcome))
    assert row.saving == 0


def test_a_cfd_costs_the_buyer_something_up_to_where_its_reference_reaches_the_floor() -> None:
    """At an index of 9.5 the reference is 7.6, and 0.4 are paid on top of the market: from 10 on
    nothing is.
    """
    told = floors_of(
        book(contract(form="cfd", price_index="market", discount=0.2), TEN, *prices(9.5))
    )
    assert (told["low"].producer_index, told["low"].buyer_index) == (10, 10)


def test_a_floor_tied_to_an_index_moves_with_it() -> None:
    """Half of 16, 20 and 24 against 9: 8, 10 and 12."""
    rows = (contract(price_index="market"), floor(None, 120, floor_index="ore", floor_factor=0.5))
    indices = (
        Price(date=month(t), values={"market": 9.0, "ore": value})
        for t, value in enumerate((16.0, 20.0, 24.0))
    )
    told = floors_of(book(*rows, *indices, periods=3))["low"]
    assert (told.floor, told.expected_price, told.binds) == pytest.approx(
        (8, (9 + 10 + 12) / 3, 2 / 3)
    )
    assert told.expected_topup == pytest.approx(10 * (1 + 3))


def test_an_escalated_floor_is_worth_more_in_a_later_year() -> None:
    """A floor of 8 on a reference of 9 binds in the second year only, at 10."""
    rows = (contract(price_index="market"), floor(8, 120, escalation=0.25), *prices(9))
    told = floors_of(book(*rows, periods=2, period_months=12))["low"]
    assert (told.floor, told.expected_price, told.binds, told.expected_topup) == pytest.approx(
        (8, 9.5, 0.5, 120)
    )


def test_a_level_of_a_project_delivers_once_that_is_ready() -> None:
    """Not signed: as if the plant went ahead with the signature.

    Granted and signed in January, ready in March.
    """
    rows = (contract(project="plant 2", take_or_pay=0), TEN, floor(9, 60, "high"))
    stockpile = book(
        *rows, project(cost=600, ready_lag_months=2, capex=600, opex=3, life_years=5), periods=4
    )
    assert [(each.expected_quantity, each.breakeven) for each in floors_of(stockpile).values()] == [
        (20, 4),
        (10, 5),
    ]
    plan = {"carry[plant 2,0]": 1, "sign[offtake,low,0]": 1, "begin[offtake,low,0,0]": 1}
    assert [
        (each.signed, each.expected_quantity) for each in floors_of(stockpile, plan).values()
    ] == [(True, 20), (False, 10)]


def test_a_contract_that_cannot_be_signed_has_no_worth() -> None:
    assert floors_of(book(contract(lead_time_months=5), TEN)) == {}
