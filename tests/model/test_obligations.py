"""When money is obligated, which appropriation may pay for it later, and what is released."""

from __future__ import annotations

from typing import Any

import pytest

from stockpile_model.blocks.budget import Budget, BudgetUse, Payment
from stockpile_model.build import report
from stockpile_model.schema import Row
from tests.support.accept import (
    Case,
    book,
    budget,
    built,
    contract,
    demand,
    event,
    faults,
    floor,
    fund,
    in_transit,
    least_cost,
    lot,
    material,
    month,
    offer,
    outlet,
    put,
    scenario,
    target,
    warnings,
)
from tests.support.plans import plan_of

BULK = offer("bulk", availability=0.5, lead_time_months=1)
"""Half of what is ordered arrives, a month later."""
HALF = "pay[0,purchase,ga,,,0,1]"
LOST = "reserved[0,purchase,ga,,,0,1]"
AT_ONCE = "pay[0,purchase,ga,,,0,0]"
LOST_AT_ONCE = "reserved[0,purchase,ga,,,0,0]"
FIGURES = ("amount", "obligated", "spent", "released", "lapsed", "left")

CASES = [
    Case(
        "cap_obligated",
        "100 are obligated in January for bulk; 50 of it are free again in February",
        book(BULK, offer(), fund(), budget(120)),
        {"buy[bulk,0]": 10, HALF: 50, LOST: 50, "buy[spot,0]": 2, "pay[0,purchase,ga,,,0,0]": 20}
        | {"buy[spot,1]": 5, "pay[0,purchase,ga,,,1,1]": 50, "paid_so_far[0,0]": 20, "paid_so_far[0,1]": 120}
        | {"stock[ga,stockpile,0,0]": 2, "stock[ga,stockpile,0,1]": 12},
        [
            {"buy[spot,0]": 3, "pay[0,purchase,ga,,,0,0]": 30, "paid_so_far[0,0]": 30}
            | {"buy[spot,1]": 4, "pay[0,purchase,ga,,,1,1]": 40, "stock[ga,stockpile,0,0]": 3},
        ],
    ),
    Case(
        "cap_budget",
        "what expires in January must hold all that is ordered, though half is released later",
        book(BULK, fund(), budget(100, expires=0, pay_by=month(1))),
        {"buy[bulk,0]": 10, HALF: 50, LOST: 50, "paid_so_far[0,1]": 50, "stock[ga,stockpile,0,1]": 5},
        [
            {"buy[bulk,0]": 10.2, HALF: 51, LOST: 51, "paid_so_far[0,1]": 51}
            | {"stock[ga,stockpile,0,1]": 5.1},
        ],
    ),
    Case(
        "cap_obligated",
        "what fails in the month of its order is free again only in the next",
        book(offer(availability=0.5), fund(), budget(120)),
        {"buy[spot,0]": 12, AT_ONCE: 60, LOST_AT_ONCE: 60, "paid_so_far[0,0]": 60}
        | {"buy[spot,1]": 6, "pay[0,purchase,ga,,,1,1]": 30, "reserved[0,purchase,ga,,,1,1]": 30}
        | {"paid_so_far[0,1]": 90, "stock[ga,stockpile,0,0]": 6, "stock[ga,stockpile,0,1]": 9},
        [
            {"buy[spot,0]": 13, AT_ONCE: 65, LOST_AT_ONCE: 65, "paid_so_far[0,0]": 65}
            | {"buy[spot,1]": 5, "pay[0,purchase,ga,,,1,1]": 25, "reserved[0,purchase,ga,,,1,1]": 25}
            | {"stock[ga,stockpile,0,0]": 6.5},
        ],
    ),
    Case(
        "hold_receipts",
        "receipts pay for all that is ordered, though half of it fails at once",
        book(lot(20, 0), outlet(fund="nds"), offer(availability=0.5), fund(keeps_receipts=True)),
        {"out[sale,stockpile,0,0]": 12, "buy[spot,0]": 6, AT_ONCE: 30, LOST_AT_ONCE: 30}
        | {"receipts_left[0,0]": 30, "receipts_left[0,1]": 30}
        | {"stock[ga,stockpile,0,0]": 11, "stock[ga,stockpile,0,1]": 11},
        [
            {"buy[spot,0]": 7, AT_ONCE: 35, LOST_AT_ONCE: 35}
            | {"receipts_left[0,0]": 25, "receipts_left[0,1]": 25}
            | {"stock[ga,stockpile,0,0]": 11.5, "stock[ga,stockpile,0,1]": 11.5},
        ],
    ),
    Case(
        "balance_reserved",
        "all that does not arrive is obligated",
        book(BULK, fund(), budget(120)),
        {"buy[bulk,0]": 10, HALF: 50, LOST: 50, "paid_so_far[0,1]": 50, "stock[ga,stockpile,0,1]": 5},
        [{LOST: 49}],
    ),
    Case(
        "balance_paid",
        "what is paid adds up from month to month",
        book(BULK, offer(), fund(), budget(120)),
        {"buy[bulk,0]": 10, HALF: 50, LOST: 50, "paid_so_far[0,1]": 50, "stock[ga,stockpile,0,1]": 5},
        [{"paid_so_far[0,1]": 49}],
    ),
    Case(
        "hold_receipts",
        "of 60 received 50 are held back for what may not arrive",
        book(lot(20, 0), outlet(fund="nds"), BULK, offer(), fund(keeps_receipts=True)),
        {"out[sale,stockpile,0,0]": 12, "receipts_left[0,0]": 60, "stock[ga,stockpile,0,0]": 8}
        | {"buy[bulk,0]": 10, HALF: 50, LOST: 50, "receipts_left[0,1]": 10}
        | {"stock[ga,stockpile,0,1]": 13},
        [
            {"buy[spot,0]": 1, "pay[0,purchase,ga,,,0,0]": 10, "receipts_left[0,0]": 50 - 5}
            | {"out[sale,stockpile,0,0]": 11, "receipts_left[0,1]": -5}
            | {"stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,0,1]": 15},
        ],
        also=("receipts_left",),
    ),
    Case(
        "cap_binding",
        "signed in January, the delivery of March is no matter of the money of February",
        book(
            contract(sign_to=month(1), deliver_from=month(2), take_or_pay=0), floor(8, 120),
            fund(), budget(90), budget(90, first=1), periods=3,
        ),
        {"sign[offtake,low,0]": 1, "take[offtake,low,2,2]": 10, "binding[0,0,2]": 80}
        | {"pay[0,contract,ga,,,0,2]": 80, "stock[ga,stockpile,0,2]": 10},
        [
            {"binding[0,0,2]": 0, "pay[0,contract,ga,,,0,2]": 0}
            | {"binding[0,1,2]": 80, "pay[1,contract,ga,,,1,2]": 80},
        ],
    ),
    Case(
        "balance_binding",
        "a delivery is obligated as a whole",
        book(
            contract(sign_to=month(1), deliver_from=month(2), take_or_pay=0), floor(8, 120),
            fund(), budget(90), budget(90, first=1), periods=3,
        ),
        {"sign[offtake,low,1]": 1, "take[offtake,low,2,2]": 10, "binding[0,1,2]": 80}
        | {"pay[1,contract,ga,,,1,2]": 80, "stock[ga,stockpile,0,2]": 10},
        [{"binding[0,1,2]": 79, "pay[1,contract,ga,,,1,2]": 79}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


LATE = (offer(lead_time_months=1), demand(10, 1), fund())
"""10 are needed in February, ordered in January for 100."""
YEARLY = (contract(take_or_pay=0), floor(8, 120), demand(10, 0, 1), fund())
"""10 a month for 80, under a contract that is signed in January."""
OWED = (in_transit(4, 1, unpaid=6, ordered=month(-1)), offer(), fund())
"""6 are due in February for what was ordered in December."""


@pytest.mark.parametrize(
    ("rows", "settings", "cost"),
    [
        # An order is placed no sooner than there is money (31 USC 1341).
        ((*LATE, budget(100, first=1)), {}, None),
        ((*LATE, budget(100, first=0)), {}, 100),
        # All that is ordered must be paid should it arrive, also where it arrives at once.
        ((offer(availability=0.5), demand(5, 0), fund(), budget(99)), {}, None),
        ((offer(availability=0.5), demand(5, 0), fund(), budget(100)), {}, 50),
        ((offer(availability=0.5), demand(5, 0), fund(), budget(100, expires=0)), {}, 50),
        ((offer(availability=0.5), demand(5, 0), fund(), budget(99, expires=0)), {}, None),
        # What was obligated in January is paid in February, where the appropriation still pays.
        ((*LATE, budget(100, expires=0)), {}, None),
        ((*LATE, budget(100, expires=0, pay_by=month(1))), {}, 100),
        ((*LATE, budget(100, expires=0, pay_by=month(0, 31))), {}, None),
        # Half fails: 10 of 20 ordered arrive, and all 200 are obligated.
        ((BULK, *LATE[1:], budget(199)), {}, None),
        ((BULK, *LATE[1:], budget(200)), {}, 100),
        # Paid with the order nothing is released: the metal costs twice.
        ((offer(availability=0.5, lead_time_months=1, payment="order"), *LATE[1:], budget(200)), {}, 200),
        # Deliveries of a fiscal year are obligated at its start, or at signing.
        ((*YEARLY, budget(160, expires=0, pay_by=month(9))), {}, 160),
        ((*YEARLY, budget(160, expires=0, pay_by=month(9))), {"fiscal_year_start": 2}, None),
        ((*YEARLY, budget(80, expires=0), budget(80, first=1)), {"fiscal_year_start": 2}, 160),
        ((*YEARLY, budget(80, expires=0), budget(80, first=1)), {}, None),
        # What was in transit is paid by what lived when it was ordered, or else at the start.
        ((*OWED, budget(6, first=-3, expires=-1, pay_by=month(1)), budget(99, first=0)), {}, 6),
        ((*OWED, budget(5, first=-3, expires=-1, pay_by=month(1)), budget(99, first=0)), {}, None),
        ((*OWED, budget(5, first=-3, expires=-1), budget(99, first=0)), {}, 6),
        ((*OWED, budget(99, first=1)), {}, None),
    ],
)  # fmt: skip
def test_which_money_may_pay_what(
    rows: tuple[Row, ...], settings: dict[str, Any], cost: float | None
) -> None:
    found = least_cost(book(*rows, **settings))
    assert found == (None if cost is None else pytest.approx(cost))


def test_what_is_released_may_be_obligated_again() -> None:
    """60 of 120 come back in February, for 6 more at 10; not where the money lapsed in January."""
    rows = (offer("bulk", availability=0.5, lead_time_months=1), demand(6, 1), fund())
    again = (demand(6, 2), offer("later", from_=month(1), to=month(1), lead_time_months=1))
    assert least_cost(book(*rows, *again, budget(120), periods=3)) == pytest.approx(120)
    late = budget(120, expires=0, pay_by=month(2))
    assert least_cost(book(*rows, *again, late, periods=3)) is None


def test_what_fails_in_a_scenario_alone_is_obligated_there() -> None:
    """In war nothing arrives in February; in peace all 10. Both are obligated in January."""
    rows = (*LATE[:1], material(shortage_cost=30), demand(10, 1), fund())
    war = (scenario(known=1), event("offers.availability", "set", 0, 1))
    assert least_cost(book(*rows, *war, budget(100))) == pytest.approx(0.5 * 100 + 0.5 * 300)
    assert least_cost(book(*rows, *war, budget(50))) == pytest.approx(0.5 * (50 + 150) + 0.5 * 300)


def test_where_nothing_fails_and_money_has_no_end_there_is_one_row_for_each() -> None:
    m = built(book(offer("now"), *LATE, budget(100), budget(50), periods=4)).m
    assert len(m.cap_budget) == 2
    names = (
        "binding",
        "reserved",
        "paid_so_far",
        "cap_obligated",
        "hold_receipts",
        "balance_reserved",
    )
    assert [len(m.find_component(name)) for name in names] == [0] * len(names)
    assert len({key[:-2] for key in m.OUTLAYS}) == 1
    assert len(m.OUTLAYS) == 4  # one for each period, though orders of two are paid there


def test_payments_show_what_they_were_obligated_for() -> None:
    """Of 100 obligated in January half is paid in February, and half released and lapsed."""
    stockpile = book(
        BULK, offer(), fund(), budget(120, expires=0, pay_by=month(1)), budget(90, first=1),
        fiscal_year_start=2,
    )  # fmt: skip
    plan = {"buy[bulk,0]": 10, HALF: 50, LOST: 50, "buy[spot,1]": 4, "stock[ga,stockpile,0,1]": 9}
    plan |= {"pay[1,purchase,ga,,,1,1]": 40, "paid_so_far[0,1]": 50}
    told = list(report(put(built(stockpile), plan)))
    assert [
        (row.date, row.appropriation, row.amount, row.obligated, row.obligation, row.released)
        for row in told
        if isinstance(row, Payment)
    ] == [
        (month(1), "nds 2027-01", 50, month(0), "bulk", 50),
        (month(1), "nds 2027-02", 40, month(1), "spot", 0),
    ]
    assert [
        (row.appropriation, row.fiscal_year, *(getattr(row, name) for name in FIGURES))
        for row in told
        if isinstance(row, BudgetUse)
    ] == [
        ("nds 2027-01", 2027, 120, 100, 0, 0, 20, 0),
        ("nds 2027-01", 2028, 0, 0, 50, 50, 50, 0),
        ("nds 2027-02", 2028, 90, 40, 40, 0, 0, 50),
    ]


def test_a_contract_that_may_be_signed_twice_pays_what_is_signed() -> None:
    """10 a month from March at 8: the money of February may pay where it is signed then."""
    rows = (
        contract(sign_to=month(1), deliver_from=month(2), take_or_pay=0), floor(8, 120),
        demand(10, 2), fund(),
    )  # fmt: skip
    assert least_cost(book(*rows, budget(80, first=1), periods=3)) == pytest.approx(80)
    old = budget(80, expires=0, pay_by=month(2))
    stockpile = book(*rows, old, budget(70, first=1), periods=3)
    assert least_cost(stockpile) == pytest.approx(80)
    assert least_cost(book(*rows, budget(70, expires=0, pay_by=month(2)), periods=3)) is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            budget(1, first=0, expires=1, pay_by=month(0)),
            "budgets.pay_by: must not be before expires (2027-02-28), found 2027-01-01",
        ),
        (
            budget(1, pay_by=month(1)),
            "budgets.pay_by: needs expires: money that is available until spent is paid at any "
            "time; write the last date on which it can be obligated, or leave pay_by blank",
        ),
    ],
)
def test_faults_of_a_date_of_payment(row: Budget, told: str) -> None:
    assert faults(book(fund(), row)) == [told]


def test_an_appropriation_that_still_pays_is_not_odd() -> None:
    rows = (fund(), budget(1, first=-9, expires=-3, pay_by=month(0)))
    assert warnings(book(*rows)) == []
    assert warnings(book(fund(), budget(1, first=-9, expires=-3, pay_by=month(-1)))) != []


def test_the_verdict_says_what_lapses_while_a_target_is_missed() -> None:
    tables: dict[str, Any] = {
        "settings": {"start": "2027-01-01", "periods": 2, "mip_gap": 0},
        "materials": [{"material": "gallium", "below_target_cost": 1}],
        "suppliers": [{"supplier": "mill"}],
        "offers": [{"offer": "spot", "supplier": "mill", "material": "gallium", "price": 10}],
        "targets": [{"material": "gallium", "from": "2027-02-01", "quantity": 5}],
        "funds": [{"fund": "nds", "uses": "purchase"}, {"fund": "house", "uses": "storage"}],
        "budgets": [
            {"fund": name, "expires": "2027-01-31", "amount": 40} for name in ("nds", "house")
        ],
    }
    plan = plan_of(tables)
    assert plan is not None
    said = "Meanwhile 40 USD of appropriations that may buy metal lapse unspent (nds 2027-01)."
    assert said in plan.verdict
    peril = plan_of(
        {
            **tables,
            "scenarios": [{"scenario": "war", "probability": 0.25, "revealed": "2027-02-01"}],
        }
    )
    assert peril is not None
    assert (
        f"{said.removesuffix(' (nds 2027-01).')}, on average over the scenarios (" in peril.verdict
    )
    tables["budgets"] = [{"fund": "nds", "amount": 40}]
    left = plan_of(tables)
    assert left is not None
    assert "lapse" not in left.verdict


def test_a_target_that_counts_is_bought_by_money_that_lives() -> None:
    """The money of February cannot order what must be there in February."""
    rows = (offer(lead_time_months=1), target(5, 1, hard=True), fund())
    assert least_cost(book(*rows, budget(90, first=1))) is None
    assert least_cost(book(*rows, budget(90))) == pytest.approx(50)
