"""Events: what a scenario changes, read where it is used; each book has so few decisions that its
plan is known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyomo.environ as pyo
import pytest

from optimiser.auditing import audit
from optimiser.plan.audited import as_sheets
from optimiser.solving.solve import Options, solve
from stockpile_model.blocks.budget import BudgetUse
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Floor
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock
from stockpile_model.build import report
from stockpile_model.scenarios import Scenario
from stockpile_model.schema import Result, Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import (
    bill,
    book,
    broken,
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
    prices,
    put,
    scenario,
    site,
    supplier,
    target,
    warnings,
)
from tests.support.plans import plan_for


def planned(stockpile: Stockpile) -> list[Result]:
    """The rows of the best plan."""
    formulation = built(stockpile)
    assert solve(formulation.m, Options(gap=0.0)).status == "optimal"
    return list(report(formulation))


# --- Shelf life -----------------------------------------------------------------------------------


def test_what_is_older_than_a_shortened_life_expires_where_it_is_known() -> None:
    """Bought in January, 10 keep four months; in March it is known, 1 in 4, that they keep two.

    Thrown away at 2.
    """
    rows = (
        offer(capacity=10, to=month(0)), *prices(40),
        material(shelf_life_months=4, disposal_cost=2, closing_value=0.4, price_index="market"),
        scenario(probability=0.25), event("materials.shelf_life_months", "set", 2, 2),
    )  # fmt: skip
    plan = {
        "buy[spot,0]": 10,
        "stock[ga,stockpile,0,0]": 10,
        "stock[ga,stockpile,1,1]": 10,
        "stock[ga,stockpile,2,2]": 10,
    }
    plan |= {
        "expired[ga,stockpile,3]": 10
    }  # node 3 is March in the scenario: at the age of 2 it is beyond a life of 2
    stockpile = book(*rows, periods=3)
    assert bill(stockpile, plan) == pytest.approx(
        {"purchases": 100, "closing_stock": -0.75 * 10 * 40 * 0.4 / 4, "disposal": 0.25 * 20}
    )
    rotated = [each for each in report(put(built(stockpile), plan)) if isinstance(each, Rotated)]
    assert [
        (each.date, each.form, each.quantity, each.scenarios, each.probability) for each in rotated
    ] == [(month(2), "expired", 10, "war", 0.25)]


def test_what_is_young_enough_for_a_shortened_life_stays() -> None:
    """Made in January and February; in March a life of 2 months leaves the younger, in its last
    month.
    """
    rows = (
        offer(), demand(0, 2), material(shelf_life_months=4), scenario(), event("materials.shelf_life_months", "set", 2, 2),
        event("demand.quantity", "set", 5, 2), lot(3, 0, "old"),
    )  # fmt: skip
    plan = {
        "stock[ga,stockpile,0,0]": 3, "buy[spot,1]": 5, "stock[ga,stockpile,1,1]": 3, "stock[ga,stockpile,0,1]": 5,
        "stock[ga,stockpile,2,2]": 3, "stock[ga,stockpile,1,2]": 5, "use[ga,,stockpile,1,3]": 5, "expired[ga,stockpile,3]": 3,
    }  # fmt: skip
    formulation = built(book(*rows, periods=3))
    assert broken(formulation, plan) == set()
    assert broken(
        formulation, plan | {"use[ga,,stockpile,1,3]": 4, "expired[ga,stockpile,3]": 3}
    ) == {"balance_demand", "balance_expiry"}
    last = [
        (each.lot, each.quantity, each.remaining_life)
        for each in report(put(formulation, plan))
        if isinstance(each, LotStock)
    ]
    assert last[-2:] == [("old", 3, 1), ("spot 2027-02", 5, 2)]


def test_a_lengthened_life_keeps_what_has_not_expired() -> None:
    """Two months of life; known in February that it is four, 1 in 2: what January bought serves
    March then, and not otherwise.
    """
    rows = (
        offer("early", 3, to=month(0)), offer("late", 9, from_=month(2)), demand(10, 2), material(shelf_life_months=2),
        scenario(), event("materials.shelf_life_months", "set", 4, 1),
    )  # fmt: skip
    assert least_cost(book(*rows, periods=3)) == pytest.approx(0.5 * 90 + 30)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("offers.material", "ga"),
        ("offers.payment", "order"),
        ("targets.hard", "yes"),
        ("suppliers.stage", "announced"),
    ],
)
def test_an_event_changes_numbers_and_dates_only(cell: str, value: str) -> None:
    found = faults(book(offer(), target(0, hard=False), scenario(), event(cell, "set", value)))
    assert found == [
        f"events.column: no scenario can change {cell}: an event changes numbers and dates"
    ]


def test_no_event_changes_what_has_happened_before_the_start() -> None:
    out = lot(5, -2, site="a", tested_by="check", left=month(-1))
    check_out = outlet("check", "requalify", gain_months=2, lead_time_months=1)
    life = material(shelf_life_months=6)
    later = event("opening_stock.left", "add", 30)
    rows = (offer(), life, site("a"), out, check_out, scenario())
    assert faults(book(*rows)) == []
    assert faults(book(*rows, later)) == [
        "events.column: no scenario can change opening_stock.left"
    ]


@pytest.mark.parametrize("follower", [False, True])
def test_events_that_only_together_cannot_be_are_reported(follower: bool) -> None:
    """Each leaves a month of life; the second, of the scenario or of one that follows, none."""
    later = scenario("siege", 0.2, known=1, follows="war")
    shorter = event("materials.shelf_life_months", "add", -1, 0)
    second = event("materials.shelf_life_months", "add", -1, 1, name="siege" if follower else "war")
    rows = (offer(), material(shelf_life_months=2), scenario(), later, shorter)
    assert faults(book(*rows)) == []
    assert faults(book(*rows, second)) == [
        "events.value: cannot be, after the events before it:"
        " materials.shelf_life_months: shelf_life_months must be above 0, found 0"
    ]


# --- Lead times -----------------------------------------------------------------------------------


def test_two_orders_arrive_together_where_a_scenario_shortens_the_lead_time() -> None:
    """Two months from January; from February on one month, in the scenario: both orders arrive in
    March, each at its availability.
    """
    rows = (
        offer(lead_time_months=2, capacity=10, availability=0.8, freight=1), demand(0, 2), scenario(),
        event("offers.lead_time_months", "set", 1, 1), event("demand.quantity", "set", 14, 2), outlet("scrap", "dispose"),
    )  # fmt: skip
    stockpile = book(*rows, periods=3)
    plan = {
        "buy[spot,0]": 10, "stock[ga,stockpile,0,2]": 8,
        "buy[spot,3]": 7.5, "use[ga,,stockpile,0,4]": 14,
    }  # fmt: skip
    assert broken(built(stockpile), plan) == set()
    assert bill(stockpile, plan) == pytest.approx(
        {"purchases": 10 * (8 + 0.5 * 6), "freight": 8 + 0.5 * 6}
    )
    arrived = [each for each in report(put(built(stockpile), plan)) if isinstance(each, Delivery)]
    assert [(each.date, each.quantity, each.scenarios) for each in arrived] == [
        (month(2), 8, "base"),
        (month(2), 14, "war"),
    ]


def test_a_lengthened_lead_time_delays_what_is_ordered_from_then_on() -> None:
    """Ordered in January it is on its way; from February the way takes two months and ends after
    the horizon.
    """
    rows = (
        offer(lead_time_months=1, capacity=10),
        scenario(),
        event("offers.lead_time_months", "set", 2, 1),
    )
    m = built(book(*rows, periods=3)).m
    assert set(m.ORDERS) == {("spot", 0), ("spot", 1)}
    assert (
        broken(
            built(book(*rows, periods=3)),
            {"buy[spot,0]": 4, **{f"stock[ga,stockpile,0,{n}]": 4 for n in (1, 2, 3, 4)}},
        )
        == set()
    )


# --- Suppliers ------------------------------------------------------------------------------------


def test_a_slip_after_signing_delays_the_first_delivery_on_that_path() -> None:
    """Signed in January for 10 a month from March, for two months at 8; known in February, 1 in 4,
    that the plant ships from April.
    """
    rows = (
        contract(deliver_from=month(2), term_months=2, signing_cost=5), floor(8, 120), supplier(start=month(2)),
        scenario(probability=0.25, known=1), event("suppliers.start", "set", month(3)),
    )  # fmt: skip
    stockpile = book(*rows, periods=5)
    plan = {"sign[offtake,low,0]": 1}
    # Nodes: January 0 to May 4 in the base, February 5 to May 8 in the scenario.
    plan |= {
        "take[offtake,low,2,2]": 10,
        "take[offtake,low,2,3]": 10,
        "take[offtake,low,3,7]": 10,
        "take[offtake,low,3,8]": 10,
    }
    plan |= {"stock[ga,stockpile,0,2]": 10} | {f"stock[ga,stockpile,0,{n}]": 20 for n in (3, 4)}
    plan |= {"stock[ga,stockpile,0,7]": 10, "stock[ga,stockpile,0,8]": 20}
    assert bill(stockpile, plan) == pytest.approx({"signing": 5, "offtakes": 160})
    formulation = built(stockpile)
    assert {(d, n) for *_, d, n in formulation.m.TAKES} == {(2, 2), (2, 3), (3, 7), (3, 8)}
    short = {
        "take[offtake,low,3,8]": 0,
        "deficit[offtake,low,3,8]": 10,
        "stock[ga,stockpile,0,8]": 10,
    }
    assert bill(stockpile, plan | short) == pytest.approx(
        {"signing": 5, "offtakes": 160 - 0.25 * 80, "deficits": 0.25 * 80}
    )
    likely, late = (
        each for each in report(put(formulation, plan)) if isinstance(each, ContractOutcome)
    )
    assert (likely.first_delivery, likely.last_delivery, likely.scenarios) == (
        month(2),
        dt.date(2027, 4, 30),
        "base",
    )
    assert (late.first_delivery, late.last_delivery, late.scenarios) == (
        month(3),
        dt.date(2027, 5, 31),
        "war",
    )
    assert (likely.delivered, late.delivered, likely.cost + late.cost) == (
        15,
        5,
        165,
    )  # each weighed with how likely it is
    assert likely.instruction == late.instruction
    assert likely.instruction.endswith("first delivery 2027-03 (2027-04 in war)")


def test_a_slip_past_the_horizon_leaves_a_signature_without_deliveries() -> None:
    """What is not delivered is not owed either: nothing is paid on that path but the signature."""
    rows = (
        contract(signing_cost=5),
        floor(8, 120),
        supplier(start=month(1)),
        scenario(),
        event("suppliers.start", "set", month(30), 1),
    )
    plan = {"sign[offtake,low,0]": 1, "take[offtake,low,1,1]": 10, "stock[ga,stockpile,0,1]": 10}
    assert bill(book(*rows), plan) == pytest.approx({"signing": 5, "offtakes": 0.5 * 80})


def test_an_offer_of_a_plant_that_slips_is_not_ordered_there() -> None:
    rows = (offer(), supplier(start=month(1)), scenario(), event("suppliers.start", "add", 1, 1))
    assert set(built(book(*rows, periods=3)).m.ORDERS) == {("spot", 1), ("spot", 2), ("spot", 4)}


# --- Budgets --------------------------------------------------------------------------------------


def test_what_is_spent_before_a_cut_counts_against_what_is_left() -> None:
    """100 for two months; known in February, 1 in 4, that it is 60. 10 at 4 are bought in January,
    so in war 5 can follow.
    """
    rows = (
        offer(price=4),
        fund(),
        budget(100, first=0, expires=1),
        scenario(probability=0.25),
        event("budgets.amount", "set", 60, 1),
    )
    stockpile = book(*rows)
    plan = {
        "buy[spot,0]": 10, "buy[spot,1]": 15, "buy[spot,2]": 5, "stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,0,1]": 25,
        "stock[ga,stockpile,0,2]": 15,
    }  # fmt: skip
    names = [f"pay[0,purchase,ga,,,{n},{n}]" for n in range(3)]
    paid = dict(zip(names, (40, 60, 20), strict=True))
    formulation = built(stockpile)
    assert broken(formulation, plan | paid) == set()
    more = {"buy[spot,2]": 6, "stock[ga,stockpile,0,2]": 16, names[2]: 24}
    assert broken(formulation, plan | paid | more) == {"cap_budget"}
    put(formulation, plan | paid)
    (use,) = (each for each in report(formulation) if isinstance(each, BudgetUse))
    assert (use.amount, use.spent) == pytest.approx(
        (0.75 * 100 + 0.25 * 60, 40 + 0.75 * 60 + 0.25 * 20)
    )
    assert use.amount == pytest.approx(use.spent + use.lapsed + use.left)


def test_a_cut_below_what_is_spent_forbids_to_spend_it() -> None:
    """In war 30 are left of 100: no more than 30 may go in January, though it is likely that there
    are 100.
    """
    rows = (
        offer(price=4, to=month(0)), fund(), budget(100, first=0, expires=1), scenario(probability=0.01),
        event("budgets.amount", "set", 30, 1), demand(7, 1), outlet(price=5),
    )  # fmt: skip
    assert least_cost(book(*rows)) == pytest.approx(7 * 4 - 0.5)
    assert least_cost(book(*rows, demand(1, 1))) is None


# --- Several roots --------------------------------------------------------------------------------


def test_opening_stock_stands_at_every_root() -> None:
    """Known at once, 1 in 4: the lot holds 4, not 10. 6 are used each month; what is missing is
    bought at 10.
    """
    rows = (
        lot(10, -1),
        offer(),
        demand(6, 0, 1),
        scenario(probability=0.25),
        event("opening_stock.quantity", "set", 4),
    )
    stockpile = book(*rows)
    formulation = built(stockpile)
    tree = formulation.stockpile.tree
    assert (tree.period, tree.parent, tree.probability) == (
        (0, 1, 0, 1),
        (None, 0, None, 2),
        (0.75, 0.75, 0.25, 0.25),
    )
    plan = {
        "use[ga,,stockpile,0,0]": 6, "stock[ga,stockpile,0,0]": 4, "use[ga,,stockpile,0,1]": 6, "buy[spot,1]": 2,
        "use[ga,,stockpile,0,2]": 6, "buy[spot,2]": 2, "use[ga,,stockpile,0,3]": 6, "buy[spot,3]": 6,
    }  # fmt: skip
    assert bill(stockpile, plan) == pytest.approx({"purchases": 0.75 * 20 + 0.25 * 80})
    assert least_cost(stockpile) == pytest.approx(0.75 * 20 + 0.25 * 80)
    found = list(report(put(formulation, plan)))
    held = [
        (each.date, each.lot, each.quantity, each.scenarios)
        for each in found
        if isinstance(each, LotStock)
    ]
    assert held == [(month(0), "L", 4, "base")]
    orders = [
        (each.date, each.ordered, each.scenarios, each.probability)
        for each in found
        if isinstance(each, Order)
    ]
    assert orders == [
        (month(1), 2, "base", 0.75),
        (month(0), 2, "war", 0.25),
        (month(1), 6, "war", 0.25),
    ]


def test_a_lot_of_every_root_ages_by_its_own_life() -> None:
    """Made in November: at a life of 2 months it has expired when the horizon begins, in war; else
    it is used in January.
    """
    rows = (
        lot(5, -2), material(shelf_life_months=4, shortage_cost=7, disposal_cost=3), demand(5), scenario(probability=0.25),
        event("materials.shelf_life_months", "set", 2),
    )  # fmt: skip
    assert least_cost(book(*rows)) == pytest.approx(0.25 * (5 * 7 + 5 * 3))
    expired = [each for each in planned(book(*rows)) if isinstance(each, Rotated)]
    assert [(each.date, each.form, each.quantity, each.scenarios) for each in expired] == [
        (month(0), "expired", 5, "war")
    ]


# --- Firm periods ---------------------------------------------------------------------------------


def test_beyond_firm_periods_orders_are_relaxed_in_every_scenario() -> None:
    """Lots of 10 at an order cost of 8: whole in January, in parts from February. 4 wanted each
    month, in war 6 in February: half a part of a lot costs its part of the order cost, of a
    capacity of 20.
    """
    rows = (
        offer(price=1, lot_size=10, order_cost=8, capacity=20), demand(4), demand(4, 1, material="ga"), material(shelf_life_months=1),
        scenario(), event("demand.quantity", "set", 6, 1),
    )  # fmt: skip
    stockpile = book(*rows, firm_periods=1)
    m = built(stockpile).m
    assert [("spot", n) in m.lots for n in range(3)] == [True, False, False]
    assert [("spot", n) in m.place for n in range(3)] == [True, False, False]
    later = 0.5 * (4 + 8 * 4 / 20) + 0.5 * (6 + 8 * 6 / 20)
    assert least_cost(stockpile) == pytest.approx(10 + 8 + later)
    orders = [each for each in planned(stockpile) if isinstance(each, Order)]
    assert [(each.date, each.relaxed, each.lots, each.scenarios) for each in orders] == [
        (month(0), False, 1, "all"), (month(1), True, None, "base"), (month(1), True, None, "war")
    ]  # fmt: skip


def test_what_is_read_at_a_node_is_what_holds_there() -> None:
    """An event from February to March moves the price of those months only; one from March on the
    capacity of an outlet.
    """
    rows: tuple[Row, ...] = (
        offer(price=10), scenario(known=1), event("offers.price", "add", 5, 1, 2), demand(1, 0, 3),
        outlet(capacity=9), event("outlets.capacity", "set", 3, 2),
    )  # fmt: skip
    formulation = built(book(*rows, periods=4))
    bought = {
        each.node: each.amount for each in formulation.ledger.money if each.heading == "purchases"
    }
    m = put(formulation, {f"buy[spot,{n}]": 1 for n in range(7)}).m
    assert [pyo.value(bought[n]) for n in range(7)] == [10, 10, 10, 10, 15, 15, 10]
    assert [pyo.value(m.cap_outlet["sale", n].upper) for n in range(7)] == [9, 9, 9, 9, 9, 3, 3]


def test_dates_of_a_scenario_fall_into_their_periods() -> None:
    """Revealed in the middle of February, it is known in February."""
    war = Scenario(scenario="war", probability=0.5, revealed=dt.date(2027, 2, 17))
    assert built(
        book(offer(), war, event("offers.price", "scale", 2), periods=3)
    ).stockpile.tree.parent == (None, 0, 1, 0, 3)


def test_an_embargo_reaches_plants_by_their_feedstock() -> None:
    """All capacity is cut to nothing, 1 in 2: the mine has none left, the plant whose feed is half
    foreign 5 of 10, the plant with its own feed all. Base 10·1 + 2·2, war 5·2 + 7·10.
    """
    feeds = {"mine": 1.0, "half": 0.5, "own": 0.0}
    rows: list[Row] = [supplier(name, foreign_feedstock=share) for name, share in feeds.items()]
    rows += [
        offer(name, supplier=name, price=price, capacity=10, from_=month(1))
        for name, price in zip(feeds, (1, 2, 10), strict=True)
    ]
    ban = replace(event("offers.capacity", "scale", 0, 1), feedstock=True)
    stockpile = book(*rows, demand(12, 1), scenario(known=1), ban, periods=2)
    assert least_cost(stockpile) == pytest.approx(0.5 * 14 + 0.5 * 80)


@pytest.mark.parametrize("row", ["country = canada", "supplier = B"])
def test_an_embargo_reaches_what_is_in_transit(row: str) -> None:
    """5 are under way from each of two countries; of one they do not come, should there be war."""
    rows: tuple[Row, ...] = (
        supplier("A", country="Japan"), supplier("B", country="Canada"), scenario(known=1),
        offer("one", supplier="A"), offer("two", supplier="B", price=8), demand(20, 1),
        in_transit(5, 1, "one"), in_transit(5, 1, "two"), event("in_transit.quantity", "scale", 0, 1, row=row),
    )  # fmt: skip
    stockpile = book(*rows, periods=2)
    assert [each for each in warnings(stockpile) if each.startswith("events")] == []
    assert least_cost(stockpile) == pytest.approx(0.5 * 10 * 8 + 0.5 * 15 * 8)
    plan = plan_for(stockpile)
    assert plan is not None
    assert audit(plan.stockpile, as_sheets(plan)).findings == ()


def test_an_event_by_country_reaches_the_levels_of_its_contracts() -> None:
    """The floor of the contract of one country rises, that of the other stays."""
    rows: tuple[Row, ...] = (
        supplier("A", country="Japan"), supplier("B", country="Canada"), scenario(known=1),
        contract("one", supplier="A"), contract("two", supplier="B"), demand(1),
        floor(10, 12, name="one"), floor(10, 12, name="two"),
        event("floors.floor", "add", 5, 1, row="country = Canada"),
    )  # fmt: skip
    stockpile = built(book(*rows, periods=2)).stockpile
    floors = [[row.floor for row in stockpile.at(n).rows(Floor)] for n in range(3)]
    assert floors == [[10, 10], [10, 10], [10, 15]]
