"""In transit: what was ordered before the start arrives, counts and is paid."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.in_transit import transit_terms
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.build import report
from stockpile_model.schema import Row
from tests.support.accept import (
    Case,
    bill,
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
    material,
    month,
    offer,
    put,
    rule,
    scenario,
    site,
    supplier,
    warnings,
)

CASES = [
    Case(
        "balance_transit",
        "4 arrive in February, at the sites that the plan chooses",
        book(in_transit(4, 1), offer(), site("north"), site("south")),
        {
            "land[0,north,1]": 1,
            "land[0,south,1]": 3,
            "stock[ga,north,0,1]": 1,
            "stock[ga,south,0,1]": 3,
        },
        [
            {"land[0,south,1]": 2, "stock[ga,south,0,1]": 2},
            {"land[0,south,1]": 4, "stock[ga,south,0,1]": 4},
        ],
    ),
    Case(
        "cap_total",
        "of a total of 12 with 4 in transit 8 can be ordered",
        book(in_transit(4, 0), offer(total=12), periods=1),
        {"land[0,stockpile,0]": 4, "buy[spot,0]": 8, "stock[ga,stockpile,0,0]": 12},
        [{"buy[spot,0]": 9, "stock[ga,stockpile,0,0]": 13}],
    ),
    Case(
        "hold_rule_most",
        "half may be of Chile: of 4 in transit and 4 ordered it is",
        book(
            in_transit(4, 0),
            offer(supplier="chile"),
            offer("fair"),
            supplier(),
            supplier("chile", country="CL"),
            rule("country", "CL", most=0.5),
            periods=1,
        ),
        {"land[0,stockpile,0]": 4, "buy[fair,0]": 4, "stock[ga,stockpile,0,0]": 8},
        [{"buy[fair,0]": 3, "stock[ga,stockpile,0,0]": 7}],
    ),
    Case(
        "balance_outlay",
        "what is due is paid by money for purchases",
        book(in_transit(4, 0, unpaid=6), offer(), fund(), budget(9), periods=1),
        {
            "land[0,stockpile,0]": 4,
            "stock[ga,stockpile,0,0]": 4,
            "pay[0,purchase,ga,,,0,0]": 6,
        },
        [{"pay[0,purchase,ga,,,0,0]": 5}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_a_site_that_a_row_or_its_offer_states_is_where_it_arrives() -> None:
    sites = (site("north"), site("south"))
    stated = built(book(in_transit(4, 0, site="south"), offer(site="north"), *sites)).m
    assert list(stated.TRANSIT) == [(0, "south", 0)]
    of_the_offer = built(book(in_transit(4, 0), offer(site="north"), *sites)).m
    assert list(of_the_offer.TRANSIT) == [(0, "north", 0)]


def test_what_is_due_is_paid_on_arrival_by_who_owns_the_site() -> None:
    """6 for 4: the navy has 3 of them."""
    sites = (site("north", buyer="navy"), site("south", buyer="army"))
    stockpile = book(in_transit(4, 1, unpaid=6), offer(), *sites)
    plan = {"land[0,north,1]": 3, "land[0,south,1]": 1}
    plan |= {"stock[ga,north,0,1]": 3, "stock[ga,south,0,1]": 1}
    assert bill(stockpile, plan) == pytest.approx({"in_transit": 6})
    money = (each for each in built(stockpile).ledger.money if each.heading == "in_transit")
    assert {each.buyer: each.node for each in money} == {"navy": 1, "army": 1}


def test_it_arrives_with_the_life_of_its_contract_in_a_lot_of_its_own() -> None:
    rows: tuple[Row, ...] = (
        contract(life_on_receipt_months=2),
        floor(1, 12),
        material(shelf_life_months=3),
    )
    stockpile = book(in_transit(4, 0, "offtake", unpaid=6), *rows, periods=1)
    plan = {"land[0,stockpile,0]": 4, "stock[ga,stockpile,1,0]": 4}
    (came,) = (row for row in report(put(built(stockpile), plan)) if isinstance(row, Delivery))
    assert (came.kind, came.lot, came.in_transit) == ("contracts", "offtake due 2027-01-01", True)
    assert (came.made, came.remaining_life, came.price, came.paid) == (month(-1), 2, 1.5, 6)


def test_it_arrives_once_where_its_date_has_come() -> None:
    """In war what is due in February comes in March; in January nothing is known of it."""
    late = event("in_transit.arrives", "set", month(2), 1)
    stockpile = built(book(in_transit(4, 1), offer(), scenario(known=1), late, periods=3)).stockpile
    tree = stockpile.tree
    nodes = [each.node for each in transit_terms.coming(stockpile)]
    assert sorted(tree.period[n] for n in nodes) == [1, 2]
    assert all(len(set(tree.paths[leaf]) & set(nodes)) == 1 for leaf in tree.leaves)


def test_it_serves_demand() -> None:
    """10 are needed; 4 arrive for 6, the rest is bought for 10 each."""
    assert least_cost(book(in_transit(4, 1, unpaid=6), offer(), demand(10, 1))) == 66


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            in_transit(4, 0, "spat"),
            "name: 'spat' has no row in the sheet offers or contracts (did you mean 'spot'?)",
        ),
        (
            in_transit(4, 0, ordered=month(0)),
            "ordered: must be before the start, 2027-01-01: later orders are commitments, "
            "found 2027-01-01",
        ),
        (
            in_transit(4, -1),
            "arrives: must not be before the start, 2027-01-01: what has arrived is "
            "opening_stock, found 2026-12-01",
        ),
        (in_transit(4, 0, "hedge"), "name: hedge brings no metal: it is a cfd"),
    ],
)
def test_faults_of_a_row(row: Row, said: str) -> None:
    rows = (contract("hedge", form="cfd"), floor(1, 12, name="hedge"))
    assert f"in_transit.{said}" in faults(book(row, offer(), *rows))


def test_one_row_for_what_arrives_under_a_name_on_a_date() -> None:
    twice = (in_transit(4, 0, line=2), in_transit(3, 0, line=3))
    assert faults(book(*twice, offer())) == [
        "in_transit.arrives: spot arrives on 2027-01-01 in row 2 already: write their sum in one"
    ]
    two = (in_transit(4, 0), in_transit(3, 1), scenario(known=0))
    assert faults(book(*two, offer(), event("in_transit.arrives", "set", month(1), 0))) == []


def test_what_arrives_after_the_horizon_is_not_in_the_plan() -> None:
    stockpile = book(in_transit(4, 2), offer())
    assert warnings(stockpile) == [
        "in_transit.arrives: spot arrives after the horizon: it is not in the plan"
    ]
    assert len(built(stockpile).m.TRANSIT) == 0
