"""Supply curves: what own buying adds to the price, over a period or a fiscal year."""

from __future__ import annotations

import pytest

from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.blocks.supply_curves import PriceRise, SupplyCurve
from stockpile_model.build import report
from stockpile_model.changes import apply, parse
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Row
from tests.support.accept import (
    Case,
    bill,
    book,
    budget,
    built,
    curve,
    demand,
    event,
    faults,
    fund,
    least_cost,
    material,
    month,
    offer,
    prices,
    put,
    rule,
    scenario,
    warnings,
)
from tests.support.plans import plan_for

# At 10 each; every unit beyond 5 costs 1 more, beyond 10 it costs 3 more.
SPOT = offer("spot", None, price_index="market")
STEEP = (SPOT, *prices(10), curve(5, 0.1), curve(10, 0.3))
YEARLY = (SPOT, *prices(10), curve(5, 0.1, window="fiscal_year"))

CASES = [
    Case(
        "hold_beyond",
        "what is beyond each quantity of a curve costs more",
        book(*STEEP, periods=1),
        {"buy[spot,0]": 12, "stock[ga,stockpile,0,0]": 12, "beyond[market,0,0]": 7}
        | {"beyond[market,1,0]": 2},
        [{"beyond[market,0,0]": 6.9}, {"beyond[market,1,0]": 1.9}],
    ),
    Case(
        "hold_beyond",
        "a fiscal year sums up its periods",
        book(*YEARLY),
        {"buy[spot,0]": 3, "buy[spot,1]": 4, "stock[ga,stockpile,0,0]": 3}
        | {"stock[ga,stockpile,0,1]": 7, "beyond[market,0,1]": 2},
        [{"beyond[market,0,1]": 1.9}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


def test_what_a_plan_costs() -> None:
    """12 at 10, 7 of them 1 more and 2 of these 2 more on top."""
    plan = {"buy[spot,0]": 12, "stock[ga,stockpile,0,0]": 12, "beyond[market,0,0]": 7}
    found = bill(book(*STEEP, periods=1), {**plan, "beyond[market,1,0]": 2})
    assert found == pytest.approx({"purchases": 120, "price_rise": 11})


def rises(formulation: Formulation) -> list[PriceRise]:
    return [row for row in report(formulation) if isinstance(row, PriceRise)]


# By hand
# --------------------------------------------------------------------------------------------------


def test_a_second_supplier_at_the_same_index_does_not_keep_the_price_down() -> None:
    other = offer("other", None, price_index="market")
    assert least_cost(book(*STEEP, other, demand(10), periods=1)) == pytest.approx(105)


def test_two_suppliers_are_split_so_as_not_to_move_one_index() -> None:
    """A unit of the other index costs 10.5: dearer than one that moves nothing, not than others."""
    other = offer("other", None, price_index="second")
    series = prices(10.5, index="second")
    plan = plan_for(book(*STEEP, other, *series, demand(10), periods=1))
    assert plan is not None
    assert {row.offer: row.ordered for row in plan.of(Order)} == pytest.approx(
        {"spot": 5, "other": 5}
    )
    assert plan.objective == pytest.approx(50 + 52.5)


@pytest.mark.parametrize(
    ("holding", "ordered", "cost"),
    [
        (0.2, {0: 10, 1: 10}, 200 + 10 * 0.2 + 5 + 5),
        (2.5, {0: 5, 1: 15}, 200 + 5 * 2.5 + 5 + 5 * 3),
        (4, {1: 20}, 200 + 5 + 10 * 3),
    ],
)
def test_buying_is_spread_over_periods_where_a_curve_is_steep(
    holding: float, ordered: dict[int, float], cost: float
) -> None:
    """In each month the first 5 move nothing, the next cost 1 more, those beyond 10 cost 3 more: a
    unit is bought a month before where to hold it costs less.
    """
    plan = plan_for(book(*STEEP, demand(20, 1), material(holding_cost=holding)))
    assert plan is not None
    assert plan.objective == pytest.approx(cost)
    found = {row.date.month - 1: row.ordered for row in plan.of(Order)}
    assert found == pytest.approx(ordered)


def test_within_a_fiscal_year_buying_earlier_does_not_keep_the_price_down() -> None:
    """Nine months to September are one year: 5 in it and 5 in October cost nothing more."""
    needs = (demand(10, 9), demand(1, 10))
    yearly = book(*YEARLY, *needs, material(holding_cost=0.3), periods=11)
    assert least_cost(yearly) == pytest.approx(110 + 5 * 0.3 + 1)
    monthly = book(SPOT, *prices(10), curve(5, 0.1), *needs, material(holding_cost=0.3), periods=11)
    assert least_cost(monthly) == pytest.approx(110 + 5 * 0.3)


def test_the_rise_of_a_year_is_paid_at_its_end_at_the_index_of_its_beginning() -> None:
    """8 in January at 10, so 3 beyond 5 cost 1 more each, in March."""
    rows = (SPOT, *prices(10, 20, 40), curve(5, 0.1, window="fiscal_year"), demand(8, 0))
    plan = plan_for(book(*rows, periods=3))
    assert plan is not None
    assert plan.of(PriceRise) == (
        PriceRise(
            date=month(2),
            index="market",
            material="ga",
            window="FY2027",
            bought=pytest.approx(8),
            beyond=pytest.approx(3),
            rise=pytest.approx(3),
            average_rise=pytest.approx(0.375),
        ),
    )
    assert plan.costs["price_rise"] == pytest.approx(3)
    assert "Own buying moves market: 3 USD is paid on top of the price." in plan.verdict


def test_a_rise_needs_money_when_it_is_paid() -> None:
    money = (fund(), budget(80, expires=0), budget(3, first=2))
    rows = (*YEARLY, demand(8, 0), *money)
    assert least_cost(book(*rows, periods=3)) == pytest.approx(83)
    assert least_cost(book(*rows[:-1], budget(2.9, first=2), periods=3)) is None


def test_money_that_would_lapse_is_no_reason_to_pay_more() -> None:
    money = (fund(), budget(500, expires=0), budget(500))
    formulation = built(book(*STEEP, demand(12, 0), demand(12, 1), *money))
    assert least_cost(book(*STEEP, demand(12, 0), demand(12, 1), *money)) == pytest.approx(262)
    assert len(formulation.m.CURVES) == 4


@pytest.mark.parametrize(
    ("cells", "cost"),
    [
        ({"availability": 0.5}, 100 + 5),  # 20 ordered, 10 arrive and are paid
        ({"availability": 0.5, "payment": "order"}, 200 + 5 + 10 * 3),  # all 20 are paid
        ({"adder": 2, "freight": 1, "duty": 0.5}, 100 + 50 + 30 + 5),  # no duty on the rise
    ],
)
def test_what_counts_as_bought_is_what_is_paid_for(cells: dict[str, object], cost: float) -> None:
    spot = offer("spot", None, price_index="market", **cells)
    assert least_cost(book(spot, *STEEP[1:], demand(10), periods=1)) == pytest.approx(cost)


@pytest.mark.parametrize(("window", "cost"), [("period", 8 * 20 + 3 * 2), ("fiscal_year", 163)])
def test_a_rise_is_in_the_currency_of_the_offers(window: str, cost: float) -> None:
    """8 at 10 euro of 2 dollars in February; the euro of January was worth 1."""
    spot = offer("spot", None, price_index="market", currency="euro")
    rows = (*prices(10), *prices(1, 2, index="euro"), curve(5, 0.1, window=window), demand(8, 1))
    assert least_cost(book(spot, *rows, material(shelf_life_months=1))) == pytest.approx(cost)


def test_the_index_is_that_of_the_payment() -> None:
    """Ordered in January at 10, or paid on delivery in February at 30."""
    for payment, index in (("order", 10), ("delivery", 30)):
        spot = offer("spot", None, price_index="market", payment=payment, lead_time_months=1)
        rows = (spot, *prices(10, 30), curve(5, 0.1), demand(8, 1))
        assert least_cost(book(*rows)) == pytest.approx(8 * index + 3 * 0.1 * index), payment


def test_a_curve_may_begin_at_nothing() -> None:
    assert least_cost(book(SPOT, *prices(10), curve(0, 0.2), demand(4))) == pytest.approx(48)


def test_each_path_has_a_rise_of_its_own() -> None:
    """8 are bought in January, for all: 3 beyond 5. In war 4 more make it 7 beyond, else 3."""
    rows = (*YEARLY, demand(8, 0), scenario("war", 0.25), event("demand.quantity", "set", 4, 1))
    stockpile = book(*rows, demand(0, 1))
    formulation = built(stockpile)
    assert sorted(formulation.m.CURVES) == [("market", 0, 1), ("market", 0, 2)]
    plan = plan_for(stockpile)
    assert plan is not None
    found = {row.scenarios: (row.bought, row.rise) for row in plan.of(PriceRise)}
    assert found == {"base": pytest.approx((8, 3)), "war": pytest.approx((12, 7))}
    assert plan.objective == pytest.approx(80 + 0.75 * 3 + 0.25 * (40 + 7))


@pytest.mark.parametrize(
    ("window", "first", "cost"),
    [("period", 1, 130 + 3 * 4), ("fiscal_year", 1, 130 + 8), ("fiscal_year", 0, 130 + 8 * 4)],
)
def test_an_event_moves_a_rise_in_the_windows_that_begin_while_it_holds(
    window: str, first: int, cost: float
) -> None:
    """Nothing keeps: 5 in January and 8 in February, of which 3 or 8 are beyond 5."""
    rows = (SPOT, *prices(10), demand(5, 0), demand(8, 1), material(shelf_life_months=1))
    happens = event("supply_curves.rise", "scale", 4, first, row="market/5")
    stockpile = book(*rows, curve(5, 0.1, window=window), scenario("war", 1), happens)
    assert least_cost(stockpile) == pytest.approx(cost)


def test_a_rise_is_moved_by_its_name() -> None:
    changed = apply(book(*STEEP), parse("supply_curves[market/10].rise = 0.5"))
    assert [row.rise for row in changed.rows(SupplyCurve)] == [0.1, 0.5]


def test_rules_on_spend_leave_the_rise_out() -> None:
    """It belongs to no supplier alone, not even to an offer with the name of the index."""
    spot = offer("market", None, price_index="market")
    dear = rule("offer", "market", measure="spend", most=200)
    plan = plan_for(book(spot, *STEEP[1:], dear, demand(12), periods=1))
    assert plan is not None
    assert plan.costs["price_rise"] == pytest.approx(7 + 2 * 2)
    assert [row.observed for row in plan.of(RuleKept)] == pytest.approx([120])


def test_spending_more_than_is_due_is_no_way_to_keep_a_rule() -> None:
    """3 more are bought, which nobody needs: the rise does not count."""
    least = rule("offer", "spot", measure="spend", least=150)
    plan = plan_for(book(*STEEP, least, demand(12), periods=1))
    assert plan is not None
    assert plan.objective == pytest.approx(150 + 10 + 5 * 2)
    assert [row.rise for row in plan.of(PriceRise)] == pytest.approx([20])


def test_where_only_the_tail_counts_no_path_pays_more_than_it_must() -> None:
    rows = (*STEEP, demand(12, 0), demand(12, 1), scenario("war", 0.5))
    stockpile = book(*rows, event("demand.quantity", "scale", 2, 1), risk_weight=1, risk_tail=0.5)
    plan = plan_for(stockpile)
    assert plan is not None
    for row in plan.of(PriceRise):
        due = max(0, row.bought - 5) + 2 * max(0, row.bought - 10)
        assert row.rise == pytest.approx(due)


def test_the_rise_is_no_part_of_an_order_that_shows_nothing() -> None:
    formulation = put(built(book(*STEEP, periods=1)), {})
    assert rises(formulation) == []


# What may be wrong
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            [SPOT, curve(5, 0.2, line=2), curve(10, 0.1, line=3)],
            "supply_curves.rise: must be at least that of the smaller quantity in row 2, 0.2: it"
            " grows with quantity, found 0.1",
        ),
        (
            [SPOT, curve(5, 0.1, line=2), curve(10, 0.2, line=3, window="fiscal_year")],
            "supply_curves.window: must be the one window of its index, period as in row 2",
        ),
        (
            [SPOT, offer("in", None, material="in", price_index="market"), curve(5, 0.1)],
            "supply_curves.index: market prices offers of ga and in: a curve is of one material;"
            " give each an index of its own in the sheet prices",
        ),
        (
            [SPOT, offer("eu", None, price_index="market", currency="euro"), curve(5, 0.1)],
            "supply_curves.index: market prices offers in USD and euro: a curve is of one"
            " currency; give each an index of its own in the sheet prices",
        ),
    ],
)
def test_faults(rows: list[Row], fault: str) -> None:
    assert faults(
        book(material(), material("in"), *prices(10), *prices(2, index="euro"), *rows)
    ) == [fault]


def test_a_curve_of_an_index_that_prices_no_offer_is_odd() -> None:
    said = "supply_curves.index: market prices no offer: its curve changes nothing"
    assert said in warnings(book(offer(), *prices(10), curve(5, 0.1), demand(3)))
    assert least_cost(book(offer(), *prices(10), curve(5, 0.1), demand(8))) == pytest.approx(80)
