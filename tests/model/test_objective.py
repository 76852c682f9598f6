"""The objective: what is added up, discounted how, and which shortfall comes first."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest

from optimiser.solving.solve import Options, solve
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome, cvar
from stockpile_model.build import report
from stockpile_model.schema import Row
from tests.support.accept import (
    Case,
    bill,
    book,
    built,
    demand,
    event,
    least_cost,
    lot,
    material,
    month,
    offer,
    outlet,
    prices,
    put,
    scenario,
    target,
)

FEBRUARY = 1.21 ** (-1 / 12)

# January is node 0; February is node 1 in the base and node 2 in the war, where metal costs 20
# instead of 10.
RISKY = book(
    offer(),
    scenario(probability=0.25),
    event("offers.price", "scale", 2, 1),
    risk_weight=0.5,
    risk_tail=0.25,
)
TAIL = {
    "buy[spot,0]": 10, "buy[spot,2]": 5, "stock[ga,stockpile,0,0]": 10, "stock[ga,stockpile,0,1]": 10, "stock[ga,stockpile,0,2]": 15,
    "so_far[0]": 100, "so_far[1]": 100, "so_far[2]": 200, "at_risk": 120, "excess[2]": 80,
}  # fmt: skip
CASES = [
    Case(
        "balance_cost",
        "the cost of a path is that of its nodes",
        RISKY,
        TAIL,
        [{"so_far[2]": 190}, {"so_far[1]": 0}, {"so_far[0]": 90}],
    ),
    Case(
        "hold_excess",
        "what a path costs beyond the tail's beginning",
        RISKY,
        TAIL,
        [{"excess[2]": 79}, {"at_risk": 119}],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan(case: Case) -> None:
    case.judge()


@pytest.mark.parametrize(
    ("cells", "made", "worth"),
    [
        ({}, 0, 10 * 20 * 0.5),
        (
            {"shelf_life_months": 4},
            1,
            10 * 20 * 0.5 * 3 / 4,
        ),  # new in the last month, 3 of 4 months left at its end
        ({"shelf_life_months": 4}, 0, 10 * 20 * 0.5 * 2 / 4),
        ({"shelf_life_months": 4}, -1, 10 * 20 * 0.5 * 1 / 4),
    ],
)
def test_closing_stock_is_credited_at_the_last_price_a_period_later(
    cells: dict[str, float], made: int, worth: float
) -> None:
    """10 left at the end of February, index 20 then, half of it credited as in March; 21 % a year."""
    source = offer(price=0) if made == 1 else lot(10, made)
    stockpile = book(
        source,
        material(closing_value=0.5, price_index="market", **cells),
        *prices(5, 20, 90),
        discount_rate=0.21,
    )
    limited, plan = "shelf_life_months" in cells, {}
    for t in range(max(0, made), 2):
        plan[f"stock[ga,stockpile,{t - made if limited else 0},{t}]"] = 10.0
    plan |= {"buy[spot,1]": 10.0} if made == 1 else {}
    assert bill(stockpile, plan) == pytest.approx({"closing_stock": -worth * FEBRUARY**2})


def test_money_is_discounted_from_the_start_of_its_period() -> None:
    """A third year begins after two."""
    stockpile = book(offer(), periods=3, period_months=12, discount_rate=0.25)
    plan = {"buy[spot,2]": 10, "stock[ga,stockpile,0,2]": 10}
    assert bill(stockpile, plan) == pytest.approx({"purchases": 100 / 1.25**2})


def test_cash_flow_adds_up_to_the_cost() -> None:
    rows: tuple[Row, ...] = (
        lot(5, -1), offer(duty=0.1), demand(9, 0, 1), outlet(),
        material(shelf_life_months=3, shortage_cost=40, holding_cost=1, closing_value=0.5, price_index="market"),
    )  # fmt: skip
    formulation = built(book(*rows, *prices(10, 20), discount_rate=0.21))
    plan = {
        "use[ga,,stockpile,1,0]": 4, "out[sale,stockpile,1,0]": 1, "unmet[ga,,0]": 5, "buy[spot,1]": 10, "use[ga,,stockpile,0,1]": 9,
        "stock[ga,stockpile,0,1]": 1,
    }  # fmt: skip
    flows = [row for row in report(put(formulation, plan)) if isinstance(row, CashFlow)]
    assert [(row.date, row.heading, row.cash, pytest.approx(row.amount)) for row in flows] == [
        (month(0), "shortage", False, 200),
        (month(0), "sales", True, -5),
        (month(1), "purchases", True, 100),
        (month(1), "duty", True, 10),
        (month(1), "storage", True, 1),
        (month(2), "closing_stock", False, pytest.approx(-20 * 0.5 * 2 / 3)),
    ]
    assert sum(row.discounted for row in flows) == pytest.approx(pyo.value(formulation.m.cost))


def test_no_money_is_no_row_of_the_cash_flow() -> None:
    """A solver may leave 1e-13 of 10 in an outlet: nothing is paid for that."""
    formulation = built(book(lot(10, 0), outlet(), material(holding_cost=1), periods=1))
    plan = {"out[sale,stockpile,0,0]": 1e-13, "stock[ga,stockpile,0,0]": 10}
    flows = [row for row in report(put(formulation, plan)) if isinstance(row, CashFlow)]
    assert [(row.heading, row.amount) for row in flows] == [("storage", 10)]


def test_shortfall_counts_unmet_demand_and_stock_below_targets_alike_and_undiscounted() -> None:
    rows = (demand(7), target(5), material(shortage_cost=1, below_target_cost=1))
    formulation = put(
        built(book(*rows, objective="shortfall_first", discount_rate=0.21)),
        {"unmet[ga,,0]": 7, "below[ga,,0]": 5, "below[ga,,1]": 5},
    )
    assert pyo.value(formulation.m.shortfall) == 17


@pytest.mark.parametrize(
    ("objective", "cost", "shortfall"), [("cost", 14, 7), ("shortfall_first", 70, 0)]
)
def test_shortfall_first_buys_what_cost_would_leave(
    objective: str, cost: float, shortfall: float
) -> None:
    """7 wanted, at 10 each, or 2 for each that is missing."""
    formulation = built(book(demand(7), offer(), material(shortage_cost=2), objective=objective))
    assert solve(formulation.m, Options(gap=0.0)).objective == pytest.approx(cost, abs=1e-4)
    assert pyo.value(formulation.m.shortfall) == pytest.approx(shortfall, abs=1e-5)


# Over scenarios
# --------------------------------------------------------------------------------------------------


def test_what_is_minimised_weighs_the_mean_with_the_tail() -> None:
    """100 in the base, 200 in the war: mean 125; the worst quarter is the war, 200.

    The tail is right where it begins at 200 or below.
    """
    assert pyo.value(put(built(RISKY), TAIL).m.cost) == pytest.approx(0.5 * 125 + 0.5 * 200)
    assert pyo.value(
        put(built(RISKY), TAIL | {"at_risk": 0, "excess[1]": 100, "excess[2]": 200}).m.cost
    ) == pytest.approx(0.5 * 125 + 0.5 * (0.75 * 100 + 0.25 * 200) / 0.25)


def test_with_all_weight_on_the_tail_the_mean_is_minimised_last() -> None:
    """From February on there are two offers.

    In the war 10 kg cost 200 at least; in the base 50 or 80, and neither is in the tail.
    """
    offers = (offer("b", 8, from_=month(1)), offer("a", 5, from_=month(1)))
    rows = (*offers, demand(10, 1), scenario(probability=0.5), event("offers.price", "scale", 4, 1))
    formulation = built(book(*rows, periods=2, risk_weight=1, risk_tail=0.5))
    outcome = solve(formulation.m, Options(gap=0.0, threads=1))
    assert [each.name for each in outcome.stages] == ["cost", "mean"]
    assert (outcome.status, outcome.objective) == ("optimal", pytest.approx(200, abs=1e-4))
    assert pyo.value(formulation.m.mean) == pytest.approx(0.5 * 50 + 0.5 * 200, abs=1e-4)
    half = built(book(*rows, periods=2, risk_weight=0.5, risk_tail=0.5))
    assert [each.name for each in solve(half.m, Options(gap=0.0, threads=1)).stages] == ["cost"]


def test_the_tail_is_discounted_like_the_mean() -> None:
    """A third year begins after two; what is left at its end is credited a year later."""
    rows = (
        offer(),
        material(closing_value=1, price_index="market"),
        *prices(8),
        scenario(),
        event("offers.price", "scale", 2, 24),
    )
    stockpile = book(
        *rows, periods=3, period_months=12, discount_rate=0.25, risk_weight=1, risk_tail=0.5
    )
    plan = {
        "buy[spot,2]": 10,
        "buy[spot,3]": 10,
        "stock[ga,stockpile,0,2]": 10,
        "stock[ga,stockpile,0,3]": 10,
    }
    path = [10 * price / 1.25**2 - 10 * 8 / 1.25**3 for price in (10, 20)]
    plan |= {
        "so_far[2]": path[0],
        "so_far[3]": path[1],
        "at_risk": path[0],
        "excess[3]": path[1] - path[0],
    }
    assert pyo.value(put(built(stockpile), plan).m.cost) == pytest.approx(path[1])


@pytest.mark.parametrize(
    ("costs", "tail", "worst"),
    [
        ([(1, 30)], 0.1, 30),
        ([(0.5, 10), (0.5, 30)], 1, 20),  # all of it: the mean
        ([(0.5, 10), (0.5, 30)], 0.5, 30),
        ([(0.5, 10), (0.5, 30)], 0.75, (0.5 * 30 + 0.25 * 10) / 0.75),
        ([(0.5, 10), (0.5, 30)], 0.1, 30),  # smaller than the worst probability: the worst alone
        ([(0.2, 30), (0.2, 30), (0.6, 0)], 0.3, 30),  # a tie
        ([(0.2, 30), (0.6, 30), (0.2, 5)], 0.9, (0.8 * 30 + 0.1 * 5) / 0.9),
        ([(0.5, -40), (0.5, -10)], 0.5, -10),  # receipts
        ([(0.1, 50), (0.2, 40), (0.3, 20), (0.4, 10)], 0.5, (5 + 8 + 4) / 0.5),
    ],
)
def test_the_mean_of_the_worst(costs: list[tuple[float, float]], tail: float, worst: float) -> None:
    assert cvar({f"s{k}": each for k, each in enumerate(costs)}, tail) == pytest.approx(worst)
    assert cvar({f"s{k}": each for k, each in enumerate(reversed(costs))}, tail) == pytest.approx(
        worst
    )


@pytest.mark.parametrize(
    ("weight", "stored", "cost"), [(0.0, 0, 22.5), (0.1, 0, 29.25), (0.8, 10, 30)]
)
def test_who_fears_the_tail_buys_before_the_war(weight: float, stored: float, cost: float) -> None:
    """10 wanted in February, should there be war (1 in 4): bought then at 9, or in January at 3.

    With a weight w of the worst quarter waiting costs (1 - w)·22.5 + w·90, and storing 30: alike at
    w = 1/9.
    """
    rows = (
        offer("now", 3, to=month(0)), offer("then", 9, from_=month(1)), demand(0, 1),
        scenario(probability=0.25), event("demand.quantity", "set", 10, 1),
    )  # fmt: skip
    formulation = built(book(*rows, risk_weight=weight, risk_tail=0.25))
    assert solve(formulation.m, Options(gap=0.0)).objective == pytest.approx(cost)
    assert pyo.value(formulation.m.buy["now", 0]) == pytest.approx(stored)


def test_each_scenario_reports_what_it_costs_and_misses() -> None:
    """In the war 4 of 10 are unmet at 7 each and 10 expire."""
    rows = (
        material(shelf_life_months=2, shortage_cost=7), lot(10, -1), demand(6, 1), offer(capacity=6),
        scenario(probability=0.25, known=1), event("demand.quantity", "set", 10, 1), event("offers.price", "set", 12, 1),
        scenario("drill", 0.25, 1, follows="war"),
    )  # fmt: skip
    formulation = put(
        built(book(*rows)),
        {
            "expired[ga,stockpile,0]": 10, "buy[spot,1]": 6, "use[ga,,stockpile,0,1]": 6, "buy[spot,2]": 6, "use[ga,,stockpile,0,2]": 6,
            "unmet[ga,,2]": 4, "buy[spot,3]": 1, "use[ga,,stockpile,0,3]": 1, "unmet[ga,,3]": 9,
        },
    )  # fmt: skip
    base, war, drill = (row for row in report(formulation) if isinstance(row, ScenarioOutcome))
    assert (base.scenario, base.probability, base.follows, base.revealed) == (
        "base",
        0.5,
        None,
        None,
    )
    assert (war.scenario, war.probability, war.follows, war.revealed) == (
        "war",
        0.25,
        "base",
        month(1),
    )
    assert (drill.scenario, drill.probability, drill.follows, drill.revealed) == (
        "drill",
        0.25,
        "war",
        month(1),
    )
    assert [(each.cost, each.shortfall, each.waste) for each in (base, war, drill)] == [
        (6 * 10, 0, 10), (6 * 12 + 4 * 7, 4, 10), (12 + 9 * 7, 9, 10)
    ]  # fmt: skip


def test_without_scenarios_there_is_none_to_report() -> None:
    assert [
        row for row in report(put(built(book(offer())), {})) if isinstance(row, ScenarioOutcome)
    ] == []


def test_a_risk_weight_without_scenarios_changes_nothing() -> None:
    m = built(book(offer(), demand(5), risk_weight=0.9)).m
    assert m.find_component("balance_cost") is None
    assert least_cost(book(offer(), demand(5), risk_weight=0.9)) == pytest.approx(50)
