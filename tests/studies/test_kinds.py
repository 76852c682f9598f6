"""What each kind of study answers, on cases whose answer is known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimiser.solving.solve import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.engine.evaluate import CaseEvaluator, StudyJob
from optimiser.studies.kinds import AnswerTable, Asked, frontier, tornado
from optimiser.studies.study_sheet.every_input import everything
from optimiser.studies.study_sheet.study_inputs import Input, input_of
from optimiser.studies.study_sheet.study_table import Study as Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from tests.support.accept import (
    book,
    budget,
    contract,
    demand,
    event,
    floor,
    fund,
    material,
    month,
    offer,
    outlet,
    prices,
    rule,
    scenario,
    supplier,
)
from tests.support.hollow import Hollow, Ishigami, Linear, Plain
from tests.support.studied import inputs, studied

EXACT = Options(gap=1e-6, time_limit=60, threads=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.sqlite"


def answered(
    kind: str, stockpile: Stockpile, path: Path, *moved: Input, **cells: Any
) -> list[AnswerTable]:
    return studied(kind, CaseEvaluator(StudyJob(stockpile, EXACT)), moved, path, stockpile, **cells)


def column(table: AnswerTable, name: str) -> list[Any]:
    at = next(k for k, title in enumerate(table.header) if title.startswith(name))
    return [row[at] for row in table.rows]


def test_tornado_of_a_plan(path: Path) -> None:
    """10 kg at 10, and 1 of duty on them: a price of 5 to 20 swings by 110, a duty of 0 to 0.2 by
    10.
    """
    stockpile = book(offer(duty=0.1), demand(10))
    moved = (
        Input("offers", "spot", "duty", "set", 0, 0.2, 0.1),
        Input("offers", "spot", "price", "set", 5, 20, 10),
    )
    (table,) = answered("tornado", stockpile, path, *moved)
    assert column(table, "input") == ["offers[spot].price", "offers[spot].duty"]
    assert column(table, "cost at low") == pytest.approx([-55, -10])
    assert column(table, "cost at high") == pytest.approx([110, 10])
    assert column(table, "largest swing") == pytest.approx([110, 10])
    assert (
        table.said
        == "offers[spot].price moves the cost most, by 110 USD (more at its high); next is"
        " offers[spot].duty, by 10 USD. As it is the plan costs 110 USD."
    )


def test_tornado_reports_an_end_without_a_plan_first(path: Path) -> None:
    stockpile = book(offer(capacity=20), demand(10))
    moved = (
        Input("offers", "spot", "price", "set", 5, 20, 10),
        Input("offers", "spot", "capacity", "set", 5, 30, 20),
    )
    (table,) = answered("tornado", stockpile, path, *moved)
    assert column(table, "remark")[0] == "low: no plan keeps every limit"


def test_a_difference_that_is_rounding_moves_no_cost() -> None:
    moved = Input("offers", "spot", "price", "set", 5, 20, 10)
    asked = Asked(Row(study="s", kind="tornado"), (moved,), book(offer(), demand(10)), 0.0)
    asking = tornado.rounds(asked)
    next(asking)
    ends = [CaseResult("optimal", 5e6 - off, 5e6) for off in (0.0, 9.4e-10, -9.4e-10)]
    with pytest.raises(StopIteration) as ended:
        asking.send(ends)
    (table,) = ended.value.value
    assert "No input moves the cost." in table.said
    assert (column(table, "cost at low"), column(table, "largest swing")) == ([0], [0])


def test_sweep_of_one_and_of_two(path: Path) -> None:
    stockpile = book(offer(), demand(10))
    price, quantity = (
        Input("offers", "spot", "price", "set", 5, 15),
        Input("demand", "ga", "quantity", "set", 0, 10),
    )
    (table,) = answered("sweep", stockpile, path, price, steps=3)
    assert [row[:2] for row in table.rows] == [pytest.approx((x, 10 * x)) for x in (5, 10, 15)]
    cost, short = answered("sweep", stockpile, path, price, quantity, steps=3)
    assert cost.header == ("offers[spot].price", "0", "5", "10")
    assert [list(row) for row in cost.rows] == [
        pytest.approx([x, 0, 5 * x, 10 * x]) for x in (5, 10, 15)
    ]
    assert [list(row[1:]) for row in short.rows] == [[0, 0, 0]] * 3
    assert cost.chart == "heat"
    assert (
        table.said
        == "The least cost goes from 50 USD at 5 of offers[spot].price to 150 USD at 15 of"
        " offers[spot].price."
    )
    (first,) = answered(
        "sweep",
        replace(stockpile, settings=replace(stockpile.settings, objective="shortfall_first")),
        path,
        price,
    )
    assert first.said.startswith("The cost at the least shortfall goes from 50 USD")


def test_a_sweep_of_what_moves_by_whole_periods_takes_these(path: Path) -> None:
    stockpile = book(offer(), demand(10, 1), material(shortage_cost=30))
    row = Row(
        study="s",
        kind="sweep",
        table="offers",
        row="spot",
        column="lead_time_months",
        low=0,
        high=2,
    )
    (table,) = answered("sweep", stockpile, path, input_of(stockpile, row), steps=7)
    assert [row[:2] for row in table.rows] == [
        (0, pytest.approx(100)),
        (1, pytest.approx(100)),
        (2, pytest.approx(300)),
    ]
    assert table.header[0] == "offers[spot].lead_time_months [months]"


def test_frontier_of_shortfall(path: Path) -> None:
    """10 kg at 10 are worth only 6 each: at least cost all is short.

    Each kg less of it costs 4 more.
    """
    stockpile = book(offer(), demand(10), material(shortage_cost=6))
    (table,) = answered("frontier", stockpile, path, column="shortfall", steps=3)
    assert column(table, "shortfall [") == pytest.approx([0, 5, 10], abs=1e-3)
    assert column(table, "cost") == pytest.approx([100, 80, 60], abs=1e-2)
    assert column(table, "remark") == ["", "", ""]
    assert table.said.startswith(
        "The least cost goes from 100 USD at shortfall 0 kg to 60 USD at 10 kg; a looser limit"
        " saves most between"
    )


def test_frontier_of_cvar_where_contracts_have_take_or_pay(path: Path) -> None:
    """10 kg of demand, in the war 30: the contract for 20 kg pays for what is not taken, and is
    dear but safe where spot is 40.
    """
    rows = (
        contract(),
        floor(12, 240),
        offer(),
        demand(10, 1),
        material(shortage_cost=90),
        scenario(probability=0.2),
    )
    stockpile = book(
        *rows,
        event("offers.price", "scale", 4, 1),
        event("demand.quantity", "scale", 3, 1),
        risk_tail=0.2,
    )
    (table,) = answered("frontier", stockpile, path, column="cvar", steps=3)
    assert column(table, "status") == ["optimal"] * 3
    assert table.header[0] == "CVaR [USD]"
    costs = column(table, "cost")
    assert costs[0] > costs[-1]
    assert costs == sorted(costs, reverse=True)


def test_an_end_of_a_frontier_that_failed_is_no_end_without_a_plan(path: Path) -> None:
    (table,) = studied("frontier", Hollow(befalls="fail").evaluator(), (), path, column="shortfall")
    assert (
        table.said
        == "An end of the frontier was not found: least cost: failed: no luck; least shortfall:"
        " failed: no luck."
    )


def test_points_of_a_frontier_share_their_plans_and_bounds() -> None:
    """At a gap of 10 % each point has what another proves and plans: 100 at 1, no point costs more
    than at a stricter limit.
    """
    points = [
        (1.0, CaseResult("optimal", 100, 91)),
        (2.0, CaseResult("optimal", 104, 96, figures={"shortfall": 2.0})),
        (3.0, CaseResult("no_plan", None, 80)),
        (4.0, CaseResult("optimal", 90, 85)),
    ]
    found = dict(frontier._shared(points, [(math.inf, CaseResult("optimal", None, 86))], 1, 0.1))
    assert [(each.status, each.objective, each.bound) for each in found.values()] == [
        ("optimal", 100, 96), ("optimal", 100, 96), ("feasible", 100, 86), ("optimal", 90, 86)
    ]  # fmt: skip
    table = frontier._table(
        Asked(Row(study="s", kind="frontier"), (), book(), 0.1), "x", "kg", 1, [*found.items()]
    )
    unproven = "within the gap: no plan is known that is cheaper than at 1"
    assert column(table, "remark") == ["", unproven, unproven, ""]
    turned = dict(
        frontier._shared(
            [(1.0, CaseResult("optimal", 90, 90)), (2.0, CaseResult("optimal", 80, 80))],
            [],
            -1,
            0.0,
        )
    )
    assert [each.objective for each in turned.values()] == [80, 80]


def test_frontier_of_a_rule_marks_what_is_dominated(path: Path) -> None:
    """The cheap plant may bring half at most to all: beyond its capacity of 6 of 10 a looser rule
    saves nothing.
    """
    stockpile = book(
        *(
            supplier("cheap"),
            supplier("dear"),
            offer("a", 5, supplier="cheap", capacity=6),
            offer("b", 10, supplier="dear"),
        ),
        *(demand(10), rule("supplier", "cheap", measure="share", window="horizon", most=0.5)),
    )
    limit = Input("rules", stockpile.rows(type(rule("supplier")))[0].rule, "most", "set", 0.0, 1.0)
    (table,) = answered("frontier", stockpile, path, limit, steps=6)
    assert column(table, "cost") == pytest.approx([100, 90, 80, 70, 70, 70])
    assert column(table, "remark") == ["", "", "", "", "dominated", "dominated"]


def test_of_what_must_be_reached_more_is_stricter(path: Path) -> None:
    """The cheap plant brings 6 of 10 at most: to ask for up to 4 from the dear one costs nothing."""
    stockpile = book(
        *(
            supplier("cheap"),
            supplier("dear"),
            offer("a", 5, supplier="cheap", capacity=6),
            offer("b", 10, supplier="dear"),
        ),
        *(demand(10), rule("supplier", "dear", measure="share", window="horizon", least=0.5)),
    )
    limit = Input("rules", stockpile.rows(type(rule("supplier")))[0].rule, "least", "set", 0.0, 1.0)
    (table,) = answered("frontier", stockpile, path, limit, steps=6)
    assert column(table, "cost") == pytest.approx([70, 70, 70, 80, 90, 100])
    assert column(table, "remark") == ["dominated", "dominated", "", "", "", ""]


def test_threshold_at_which_an_offtake_is_signed(path: Path) -> None:
    """20 kg at the floor, or at 10 elsewhere: signed below 10."""
    stockpile = book(contract(), floor(8, 120), offer(price=10), demand(10, 0, 1))
    moved = Input("floors", "offtake/low", "floor", "set", 5, 17)
    (table,) = answered("threshold", stockpile, path, moved, decision="sign offtake", steps=8)
    assert "is right up to" in table.said
    yes = [row[0] for row in table.rows if row[1] == "yes"]
    no = [row[0] for row in table.rows if row[1] == "no"]
    assert max(yes) < 10 < min(no)
    assert min(no) - max(yes) < 12 / 2**7


def test_a_sweep_of_its_price_shows_what_an_option_to_extend_is_worth(path: Path) -> None:
    """Two months at 8, and by option two more, which save 120 if the index is 14 and none if it is
    4: 340 without them, and half of 120 less its price with them.
    """
    stockpile = book(
        contract(price_index="market", ceiling=8, term_months=2, option_months=2),
        *(floor(8, 120), material(shelf_life_months=1), demand(10, 0, 3)),
        *(offer(price=None, price_index="market"), *prices(10, 10, 14, 14)),
        *(scenario("war", 0.5, 1), event("prices.market", "set", 4, 2)),
        periods=4,
    )
    moved = Input("contracts", "offtake", "option_price", "set", 0, 160)
    (table,) = answered("sweep", stockpile, path, moved, steps=5)
    assert [row[1] for row in table.rows] == pytest.approx([280, 300, 320, 340, 340])


def test_threshold_of_a_sale(path: Path) -> None:
    """10 kg on hand, scrap at 4: the sale is right from a price at which it brings more, and never
    below it.
    """
    from tests.support.accept import lot

    stockpile = book(
        lot(10, 0), outlet(price=5, capacity=10), outlet("scrap", price=4, capacity=10), periods=1
    )
    moved = Input("outlets", "sale", "price", "set", 0, 9)
    (table,) = answered("threshold", stockpile, path, moved, decision="rotate sale", steps=7)
    no, yes = ([row[0] for row in table.rows if row[1] == verdict] for verdict in ("no", "yes"))
    assert max(no) < 4 < min(yes)
    assert min(yes) - max(no) < 0.2


def test_how_far_a_budget_may_fall_before_the_target_fails(path: Path) -> None:
    stockpile = book(offer(), demand(10), material(shortage_cost=50), fund(), budget(200))
    moved = Input("budgets", "nds", "amount", "set", 20, 200)
    (table,) = answered("threshold", stockpile, path, moved, decision="target", steps=10)
    no, yes = ([row[0] for row in table.rows if row[1] == verdict] for verdict in ("no", "yes"))
    assert max(no) < 100 <= min(yes) + 1e-3
    assert min(yes) - max(no) < 1


def test_a_threshold_without_a_flip_says_so(path: Path) -> None:
    stockpile = book(contract(), floor(8, 120), offer(price=10), demand(10, 0, 1))
    moved = Input("floors", "offtake/low", "floor", "set", 5, 7)
    (table,) = answered("threshold", stockpile, path, moved, decision="sign offtake")
    assert table.said.endswith(
        "is right at 5, is right at 7 of floors[offtake/low].floor: no flip is proven."
    )


def test_within_the_gap_a_decision_is_open_and_its_proven_ends_are_reported(path: Path) -> None:
    """At a gap of 10 % the floors between about 9 and 11 are as good as the offer."""
    stockpile = book(contract(), floor(8, 120), offer(price=10, order_cost=3), demand(10, 0, 1))
    moved = (Input("floors", "offtake/low", "floor", "set", 5, 17),)
    job = StudyJob(stockpile, replace(EXACT, gap=0.1))
    (table,) = studied(
        "threshold", CaseEvaluator(job), moved, path, stockpile, decision="sign offtake", steps=8
    )
    yes, no = ([row[0] for row in table.rows if row[1] == verdict] for verdict in ("yes", "no"))
    assert max(yes) < 10.3
    assert min(no) > 10.1
    assert table.said.count("both proven") == 1


def test_a_threshold_of_what_moves_by_whole_periods_ends_between_two(path: Path) -> None:
    stockpile = book(offer(), demand(10, 3), material(shortage_cost=30), periods=6)
    row = Row(
        study="s",
        kind="threshold",
        table="offers",
        row="spot",
        column="lead_time_months",
        low=0,
        high=8,
    )
    (table,) = answered(
        "threshold", stockpile, path, input_of(stockpile, row), decision="target", steps=9
    )
    assert "yes up to 3 months, no from 4 months of offers[spot].lead_time_months" in table.said


def test_monte_carlo_and_its_extension(path: Path) -> None:
    moved = tuple(
        replace(each, distribution=name)
        for each, name in zip(inputs(2), ("uniform", "triangular"), strict=True)
    )
    summary, histogram, fan, correlated = studied("monte_carlo", Plain(), moved, path, samples=400)
    assert summary.rows[0][2] == pytest.approx(1.0, abs=0.06)
    assert sum(column(histogram, "runs")) == 400
    assert [row[1:] for row in fan.rows] == [(1,) * 5, (2,) * 5]
    assert set(column(correlated, "correlation")) != {None}
    assert summary.said.startswith("The least cost is ")
    assert "in nine runs of ten. The cost moves most with offers[x" in summary.said

    class Counting(Plain):
        count = 0

        def cost(self, x: list[float]) -> float:
            Counting.count += 1
            return sum(x)

    studied("monte_carlo", Counting(), moved, path, samples=410)
    assert Counting.count == 2 * 10  # each new run asks twice: for its cost and its bound


@pytest.mark.parametrize(
    ("distribution", "mean", "quantile"),
    [
        ("uniform", 2.5, 1.15),
        ("triangular", (1 + 2 + 4) / 3, 1.387),
        ("normal", 2.5, 1.0),
        ("lognormal", None, 1.0),
    ],
)
def test_distributions(distribution: str, mean: float | None, quantile: float) -> None:
    moved = Input("t", "r", "c", "set", 1.0, 4.0, 2.0, distribution)
    values = [moved.at((k + 0.5) / 2000) for k in range(2000)]
    assert moved.at(0.05) == pytest.approx(quantile, abs=2e-3)
    if mean is not None:
        assert math.fsum(values) / 2000 == pytest.approx(mean, rel=1e-3)
    low, high = moved.reach
    assert low <= moved.at(0.001)
    assert high >= moved.at(0.999)


# --- SALib ----------------------------------------------------------------------------------------

ROUND = inputs(3, -math.pi, math.pi)


def test_morris_on_a_line(path: Path) -> None:
    """Inputs are shares of their range: effects of 10, 2 and 0 times their width."""
    (table,) = studied("morris", Linear(), inputs(3, 0, 2), path, samples=6)
    found = {row[0]: row[3:6] for row in table.rows}
    assert found["offers[x0].price"] == pytest.approx((20, 20, 0), abs=1e-9)
    assert found["offers[x1].price"] == pytest.approx((4, 4, 0), abs=1e-9)
    assert found["offers[x2].price"] == pytest.approx((0, 0, 0), abs=1e-9)
    assert table.said.startswith(
        "offers[x0].price moves the cost most, by 20 USD over its range on average (μ*); next is"
        " offers[x1].price"
    )
    assert table.drawn == (3, 5)


@pytest.mark.parametrize("distribution", ["normal", "lognormal"])
def test_morris_stays_between_the_quantiles_of_a_distribution_without_ends(
    path: Path, distribution: str
) -> None:
    seen: list[float] = []

    class Seen(Plain):
        def cost(self, x: list[float]) -> float:
            seen.extend(x)
            return sum(x)

    studied(
        "morris",
        Seen(),
        tuple(replace(each, distribution=distribution) for each in inputs(2, 1, 4)),
        path,
        samples=4,
    )
    assert (min(seen), max(seen)) == (pytest.approx(1), pytest.approx(4))


def test_sobol_on_the_function_of_ishigami(path: Path) -> None:
    (table,) = studied("sobol", Ishigami(), ROUND, path, samples=1024)
    found = {row[0]: (row[3], row[5]) for row in table.rows}
    assert found["offers[x0].price"] == pytest.approx((0.3139, 0.5576), abs=0.04)
    assert found["offers[x1].price"] == pytest.approx((0.4424, 0.4424), abs=0.04)
    assert found["offers[x2].price"] == pytest.approx((0.0, 0.2437), abs=0.04)
    assert table.said.startswith("offers[x0].price explains most of the cost's variance: 3")
    assert table.drawn == (3, 5), "S1 and ST"


def test_morris_leaves_out_whole_trajectories_and_says_so(path: Path) -> None:
    (table,) = studied(
        "morris",
        Hollow(model="Linear", befalls="infeasible").evaluator(),
        inputs(3),
        path,
        samples=8,
        seed=3,
    )
    assert "trajectories are left out" in table.said or "Refused" in table.said
    assert "no plan keeps every limit" in table.said


def test_sobol_refuses_what_has_missing_runs(path: Path) -> None:
    (table,) = studied(
        "sobol", Hollow(befalls="infeasible").evaluator(), inputs(2), path, samples=8
    )
    assert table.said.startswith("Refused: ")
    assert "no plan keeps every limit" in table.said
    assert table.rows == []


# --- Alternatives ---------------------------------------------------------------------------------


def test_alternatives_are_unlike_and_cost_little_more(path: Path) -> None:
    """Three plants at 10, 10.1 and 10.3 with room for all: within 2 % the second alone is a plan,
    the third alone is not.
    """
    offers = [
        offer(name, price, supplier=name, capacity=20)
        for name, price in (("a", 10), ("b", 10.1), ("c", 10.3))
    ]
    stockpile = book(*(supplier(name) for name in "abc"), *offers, demand(10))
    (table,) = answered("alternatives", stockpile, path, high=0.02, steps=3)
    assert all(cost <= 102 + 1e-3 for cost in column(table, "cost"))
    assert column(table, "order a")[0] == pytest.approx(10)
    assert column(table, "order a")[1] == pytest.approx(0, abs=1e-6)
    assert column(table, "unlike")[1] == pytest.approx(1)
    assert all(unlike is None or unlike > 0 for unlike in column(table, "unlike"))
    assert table.said.startswith("The best plan costs 100 USD; ")
    (pair,) = answered("alternatives", stockpile, path, high=0.02, steps=2)
    assert "; 1 other costs at most 2.0 % more, and plan 2, for" in pair.said


def test_fewer_alternatives_than_were_asked_for_have_a_reason(path: Path) -> None:
    (table,) = answered("alternatives", book(offer(), demand(10)), path, high=0.02, steps=4)
    assert len(table.rows) == 1
    assert (
        "1 of 4 plans were found: the next is like one of these to 99.5 %, and there is none that is"
        " less alike." in table.said
    )


def test_an_alternative_beyond_the_gap_that_was_asked_for_is_not_called_optimal() -> None:
    """How unlike a plan is needs no proof to the last: 5 % are enough for the search, and not for
    the word.
    """
    offers = [
        offer(name, 10 + k / 10, supplier=name, capacity=4, order_cost=1)
        for k, name in enumerate("abcdef")
    ]
    stockpile = book(*(supplier(name) for name in "abcdef"), *offers, demand(10))
    weights = tuple((f"buy {name}", 1 / 6 + k / 50) for k, name in enumerate("abcdef"))
    found, _ = CaseEvaluator(StudyJob(stockpile, EXACT)).run(
        Case(aim="distance", avoid=weights, limit=("cost", 110.0))
    )
    assert found.planned
    assert found.gap is not None
    assert found.status == ("optimal" if found.gap <= EXACT.gap else "feasible")


def test_the_ranges_next_to_a_cell_are_used() -> None:
    stockpile = book(
        offer(price=10, ranges={"price": (7.0, 12.0)}), offer("b", 20.0), demand(10), start=month(0)
    )
    one = input_of(
        stockpile, Row(study="s", kind="tornado", table="offers", row="spot", column="price")
    )
    assert (one.how, one.low, one.high, one.base) == ("set", 7, 12, 10)
    both = input_of(stockpile, Row(study="s", kind="tornado", table="offers", column="price"))
    assert (both.how, both.low, both.high, both.base) == ("scale", 0.9, 1.1, 1.0)
    bare = input_of(
        stockpile, Row(study="s", kind="tornado", table="offers", row="b", column="price")
    )
    assert (bare.low, bare.high) == pytest.approx((18, 22))


@pytest.mark.parametrize(
    ("measure", "unit"), [("share", ""), ("quantity", "kg"), ("spend", "USD"), ("count", "members")]
)
def test_a_limit_is_in_the_unit_of_what_its_rule_measures(measure: str, unit: str) -> None:
    limit = rule("supplier", measure=measure, most=5)
    stockpile = book(supplier("plant"), offer(), demand(10), limit)
    row = Row(study="s", kind="sweep", table="rules", row="*", column="most", low=0, high=1)
    assert input_of(stockpile, row).unit == unit


# --- What can be moved ----------------------------------------------------------------------------


def cell(table: str, row: str | None, column: str, **cells: Any) -> Row:
    return Row(study="s", kind="monte_carlo", table=table, row=row, column=column, **cells)


UNCERTAIN = book(
    *(
        offer(lead_time_months=3),
        demand(10, 3),
        supplier("plant", start=month(6)),
        scenario(probability=0.3),
        *prices(8),
    ),
    *(
        replace(event("offers.price", "scale", 2, 3), line=2),
        replace(event("offers.lead_time_months", "set", 6, 3), line=3),
    ),
    replace(event("suppliers.start", "add", 3, 3), line=4),
    periods=12,
    period_months=3,
)


@pytest.mark.parametrize(
    ("row", "label", "steps"),
    [
        (cell("events", "row 2", "value", low=1, high=3), "events[row 2].value", None),
        (
            cell("events", "row 2", "value", how="scale", low=0.5, high=2),
            "events[row 2].value scale",
            None,
        ),
        (
            cell("events", "row 3", "value", low=0, high=6),
            "events[row 3].value [months]",
            [0, 3, 6],
        ),
        (
            cell("events", "row 4", "value", low=-3, high=6),
            "events[row 4].value [months]",
            [-3, 0, 3, 6],
        ),
        (
            cell("scenarios", "war", "probability", low=0.1, high=0.9),
            "scenarios[war].probability",
            None,
        ),
        (
            cell("suppliers", "plant", "start", how="add", low=-3, high=3),
            "suppliers[plant].start add [months]",
            [-3, 0, 3],
        ),
        (
            cell("offers", "spot", "lead_time_months"),
            "offers[spot].lead_time_months [months]",
            [0, 3, 6],
        ),
        (cell("offers", "spot", "price"), "offers[spot].price [USD/kg]", None),
        (
            cell("offers", "supplier = Plant", "price"),
            "offers[supplier = Plant].price [USD/kg]",
            None,
        ),
        (cell("prices", "*", "market", low=5, high=9), "prices[*].market [USD/kg]", None),
    ],
)
def test_events_probabilities_dates_and_durations_can_be_moved(
    row: Row, label: str, steps: list[float] | None
) -> None:
    """What can hold whole periods alone is drawn from these, each as likely, and every draw is a
    case that the model takes.
    """
    moved = input_of(UNCERTAIN, replace(row, distribution="discrete" if steps else "uniform"))
    assert moved.label == label
    drawn = [moved.at((k + 0.5) / 12) for k in range(12)]
    if steps is not None:
        assert sorted(set(drawn)) == steps
        assert {drawn.count(value) for value in steps} == {12 // len(steps)}
    evaluator = CaseEvaluator(StudyJob(UNCERTAIN, EXACT))
    for value in (min(drawn), max(drawn)):
        assert not isinstance(evaluator._changed(Case((moved.change(value),))), CaseResult)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            cell("suppliers", "plant", "start", low=1, high=3),
            "names a date, which can only be moved",
        ),
        (
            cell("suppliers", "plant", "start", how="add", low=0.5, high=3),
            "must be a whole number, and low too, found 0.5 and 3",
        ),
        (
            cell("offers", "spot", "lead_time_months", how="scale", low=0.5, high=2),
            "cannot be scaled: write set or add as its how",
        ),
        (cell("events", None, "table", low=0, high=2), "can be set, not added to"),
    ],
)
def test_what_cannot_be_moved_so_is_refused(row: Row, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        input_of(UNCERTAIN, row)


def test_everything_moves_events_dates_and_durations_and_says_what_it_leaves_out() -> None:
    far = (Price(date=month(t), values={"market": 10.0 + t}) for t in (-24, -12, 12, 48, 60))
    rows = [row for kind, each in UNCERTAIN.tables.items() if kind is not Price for row in each]
    every = everything(book(*rows, *far, periods=12, period_months=3))
    found = {each.name: (each.low, each.high) for each in every.inputs}
    assert found["events[row 2].value"] == pytest.approx((1.8, 2.2))
    assert found["events[row 3].value"] == (3, 9)
    assert found["scenarios[war].probability"] == pytest.approx((0.27, 0.33))
    assert found["suppliers[plant].start add"] == (-3, 3)
    assert found["offers[spot].lead_time_months"] == (0, 6)
    prices_of = [name for name in found if name.startswith("prices")]
    assert prices_of == [f"prices[{month(t)}].market" for t in (-12, 12, 48)], (
        "between two dates both count"
    )
    assert every.left_out["prices that no period of the horizon uses"] == [
        f"prices[{month(t)}].market" for t in (-24, 60)
    ]
    assert "settings.periods" in every.left_out["settings say how to plan"]


def test_the_points_of_a_frontier_are_proven_in_any_unit() -> None:
    """A difference of 10 % is one also where money is counted in a large unit."""
    points = [(1.0, CaseResult("feasible", 100e-9, 90e-9))]
    (found,) = frontier._shared(points, [], 1, 0.01, 1e-9)
    assert (found[1].status, found[1].gap) == ("feasible", pytest.approx(0.1))
