"""What each kind of study answers, on cases whose answer is known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimiser.solve import Options
from optimiser.studies.evaluate import Evaluator, Job
from optimiser.studies.kinds import Table
from optimiser.studies.tables import Input, made
from optimiser.studies.tables import Study as Row
from stockpile_model.data import Stockpile
from tests.support.accept import book, budget, contract, demand, floor, fund, material, month, offer, outlet, rule, supplier
from tests.support.studied import Hollow, Ishigami, Linear, Plain, inputs, studied

EXACT = Options(gap=1e-6, time_limit=60, threads=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.sqlite"


def answered(kind: str, stockpile: Stockpile, path: Path, *moved: Input, **cells: Any) -> list[Table]:
    return studied(kind, Evaluator(Job(stockpile, EXACT)), moved, path, stockpile, **cells)


def column(table: Table, name: str) -> list[Any]:
    at = next(k for k, title in enumerate(table.header) if title.startswith(name))
    return [row[at] for row in table.rows]


def test_tornado_of_a_plan(path: Path) -> None:
    """10 kg at 10, and 1 of duty on them: a price of 5 to 20 swings by 110, a duty of 0 to 0.2 by 10."""
    stockpile = book(offer(duty=0.1), demand(10))
    moved = (Input("offers", "spot", "duty", "set", 0, 0.2, 0.1), Input("offers", "spot", "price", "set", 5, 20, 10))
    (table,) = answered("tornado", stockpile, path, *moved)
    assert column(table, "input") == ["offers[spot].price", "offers[spot].duty"]
    assert column(table, "cost at low") == pytest.approx([-55, -10])
    assert column(table, "cost at high") == pytest.approx([110, 10])
    assert column(table, "largest swing") == pytest.approx([110, 10])


def test_tornado_tells_an_end_without_a_plan_first(path: Path) -> None:
    stockpile = book(offer(capacity=20), demand(10))
    moved = (Input("offers", "spot", "price", "set", 5, 20, 10), Input("offers", "spot", "capacity", "set", 5, 30, 20))
    (table,) = answered("tornado", stockpile, path, *moved)
    assert column(table, "remark")[0] == "low: infeasible"


def test_sweep_of_one_and_of_two(path: Path) -> None:
    stockpile = book(offer(), demand(10))
    price, quantity = Input("offers", "spot", "price", "set", 5, 15), Input("demand", "ga", "quantity", "set", 0, 10)
    (table,) = answered("sweep", stockpile, path, price, steps=3)
    assert [row[:2] for row in table.rows] == [pytest.approx((x, 10 * x)) for x in (5, 10, 15)]
    cost, short = answered("sweep", stockpile, path, price, quantity, steps=3)
    assert cost.header == ("offers[spot].price", "0", "5", "10")
    assert [list(row) for row in cost.rows] == [pytest.approx([x, 0, 5 * x, 10 * x]) for x in (5, 10, 15)]
    assert [list(row[1:]) for row in short.rows] == [[0, 0, 0]] * 3
    assert cost.chart == "heat"


def test_frontier_of_shortfall(path: Path) -> None:
    """10 kg at 10 are worth only 6 each: at least cost all is short. Each kg less of it costs 4 more."""
    stockpile = book(offer(), demand(10), material(shortage_cost=6))
    (table,) = answered("frontier", stockpile, path, column="shortfall", steps=3)
    assert column(table, "shortfall [") == pytest.approx([0, 5, 10], abs=1e-3)
    assert column(table, "cost") == pytest.approx([100, 80, 60], abs=1e-2)
    assert column(table, "dominated") == ["", "", ""]


def test_frontier_of_a_rule_marks_what_is_dominated(path: Path) -> None:
    """The cheap plant may bring half at most to all: beyond its capacity of 6 of 10 a looser rule saves nothing."""
    stockpile = book(
        *(supplier("cheap"), supplier("dear"), offer("a", 5, supplier="cheap", capacity=6), offer("b", 10, supplier="dear")),
        *(demand(10), rule("supplier", "cheap", measure="share", window="horizon", most=0.5)),
    )
    limit = Input("rules", stockpile.rows(type(rule("supplier")))[0].rule, "most", "set", 0.0, 1.0)
    (table,) = answered("frontier", stockpile, path, limit, steps=6)
    assert column(table, "cost") == pytest.approx([100, 90, 80, 70, 70, 70])
    assert column(table, "dominated") == ["", "", "", "", "dominated", "dominated"]


def test_of_what_must_be_reached_more_is_stricter(path: Path) -> None:
    """The cheap plant brings 6 of 10 at most: to ask for up to 4 from the dear one costs nothing."""
    stockpile = book(
        *(supplier("cheap"), supplier("dear"), offer("a", 5, supplier="cheap", capacity=6), offer("b", 10, supplier="dear")),
        *(demand(10), rule("supplier", "dear", measure="share", window="horizon", least=0.5)),
    )
    limit = Input("rules", stockpile.rows(type(rule("supplier")))[0].rule, "least", "set", 0.0, 1.0)
    (table,) = answered("frontier", stockpile, path, limit, steps=6)
    assert column(table, "cost") == pytest.approx([70, 70, 70, 80, 90, 100])
    assert column(table, "dominated") == ["dominated", "dominated", "", "", "", ""]


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


def test_threshold_of_a_sale(path: Path) -> None:
    """10 kg on hand, scrap at 4: the sale is right from a price at which it brings more, and never below it."""
    from tests.support.accept import lot

    stockpile = book(lot(10, 0), outlet(price=5, capacity=10), outlet("scrap", price=4, capacity=10), periods=1)
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
    assert table.said.endswith("is right at 5, is right at 7 of floors[offtake/low].floor: no flip is proven.")


def test_within_the_gap_a_decision_is_open_and_its_proven_ends_are_told(path: Path) -> None:
    """At a gap of 10 % the floors between about 9 and 11 are as good as the offer."""
    stockpile = book(contract(), floor(8, 120), offer(price=10, order_cost=3), demand(10, 0, 1))
    moved = (Input("floors", "offtake/low", "floor", "set", 5, 17),)
    job = Job(stockpile, replace(EXACT, gap=0.1))
    (table,) = studied("threshold", Evaluator(job), moved, path, stockpile, decision="sign offtake", steps=8)
    yes, no = ([row[0] for row in table.rows if row[1] == verdict] for verdict in ("yes", "no"))
    assert max(yes) < 10.3
    assert min(no) > 10.1
    assert table.said.count("both proven") == 1


def test_monte_carlo_and_its_extension(path: Path) -> None:
    moved = tuple(replace(each, distribution=name) for each, name in zip(inputs(2), ("uniform", "triangular"), strict=True))
    summary, histogram, fan, correlated = studied("monte_carlo", Plain(), moved, path, samples=400)
    assert summary.rows[0][2] == pytest.approx(1.0, abs=0.06)
    assert sum(column(histogram, "runs")) == 400
    assert [row[1:] for row in fan.rows] == [(1,) * 5, (2,) * 5]
    assert set(column(correlated, "correlation")) != {None}

    class Counting(Plain):
        count = 0

        def cost(self, x: list[float]) -> float:
            Counting.count += 1
            return sum(x)

    studied("monte_carlo", Counting(), moved, path, samples=410)
    assert Counting.count == 2 * 10  # each new run asks twice: for its cost and its bound


@pytest.mark.parametrize(
    ("distribution", "mean", "quantile"),
    [("uniform", 2.5, 1.15), ("triangular", (1 + 2 + 4) / 3, 1.387), ("normal", 2.5, 1.0), ("lognormal", None, 1.0)],
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


# --- SALib ------------------------------------------------------------------------------------------------------------

ROUND = inputs(3, -math.pi, math.pi)


def test_morris_on_a_line(path: Path) -> None:
    """Inputs are shares of their range: effects of 10, 2 and 0 times their width."""
    (table,) = studied("morris", Linear(), inputs(3, 0, 2), path, samples=6)
    found = {row[0]: row[3:6] for row in table.rows}
    assert found["offers[x0].price"] == pytest.approx((20, 20, 0), abs=1e-9)
    assert found["offers[x1].price"] == pytest.approx((4, 4, 0), abs=1e-9)
    assert found["offers[x2].price"] == pytest.approx((0, 0, 0), abs=1e-9)


def test_sobol_on_the_function_of_ishigami(path: Path) -> None:
    (table,) = studied("sobol", Ishigami(), ROUND, path, samples=1024)
    found = {row[0]: (row[3], row[5]) for row in table.rows}
    assert found["offers[x0].price"] == pytest.approx((0.3139, 0.5576), abs=0.04)
    assert found["offers[x1].price"] == pytest.approx((0.4424, 0.4424), abs=0.04)
    assert found["offers[x2].price"] == pytest.approx((0.0, 0.2437), abs=0.04)


def test_morris_leaves_out_whole_trajectories_and_says_so(path: Path) -> None:
    (table,) = studied("morris", Hollow(model="Linear", befalls="infeasible").evaluator(), inputs(3), path, samples=8, seed=3)
    assert "trajectories are left out" in table.said or "Refused" in table.said
    assert "infeasible" in table.said


def test_sobol_refuses_what_has_missing_runs(path: Path) -> None:
    (table,) = studied("sobol", Hollow(befalls="infeasible").evaluator(), inputs(2), path, samples=8)
    assert table.said.startswith("Refused: ")
    assert "infeasible" in table.said
    assert table.rows == []


# --- Alternatives -----------------------------------------------------------------------------------------------------


def test_alternatives_are_unlike_and_cost_little_more(path: Path) -> None:
    """Three plants at 10, 10.1 and 10.3 with room for all: within 2 % the second alone is a plan, the third alone is not."""
    offers = [offer(name, price, supplier=name, capacity=20) for name, price in (("a", 10), ("b", 10.1), ("c", 10.3))]
    stockpile = book(*(supplier(name) for name in "abc"), *offers, demand(10))
    (table,) = answered("alternatives", stockpile, path, high=0.02, steps=3)
    assert all(cost <= 102 + 1e-3 for cost in column(table, "cost"))
    assert column(table, "order a")[0] == pytest.approx(10)
    assert column(table, "order a")[1] == pytest.approx(0, abs=1e-6)
    assert column(table, "unlike")[1] == pytest.approx(1)
    assert all(unlike is None or unlike > 0 for unlike in column(table, "unlike"))


def test_the_ranges_beside_a_cell_are_used() -> None:
    stockpile = book(offer(price=10, ranges={"price": (7.0, 12.0)}), offer("b", 20.0), demand(10), start=month(0))
    one = made(stockpile, Row(study="s", kind="tornado", table="offers", row="spot", column="price"))
    assert (one.how, one.low, one.high, one.base) == ("set", 7, 12, 10)
    both = made(stockpile, Row(study="s", kind="tornado", table="offers", column="price"))
    assert (both.how, both.low, both.high, both.base) == ("scale", 0.9, 1.1, 1.0)
    bare = made(stockpile, Row(study="s", kind="tornado", table="offers", row="b", column="price"))
    assert (bare.low, bare.high) == pytest.approx((18, 22))
