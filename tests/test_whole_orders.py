"""By how much it can matter that orders beyond `firm_periods` are relaxed: plans whose whole orders
a reader can compute.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimiser.api.planning.whole_orders import with_whole_orders
from optimiser.explaining import bounded_solve
from optimiser.plan.plan import Plan
from optimiser.plan.plan_maker import make_plan
from optimiser.solving.solve import Options, Outcome, solve
from optimiser.workbook.read.plan_reader import read_plan
from stockpile_model.build import build
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from tests.support.accept import book, demand, event, material, month, offer, scenario, site
from tests.support.books import book as workbook
from tests.support.commands import run
from tests.test_cli import TABLES

EXACT = Options(gap=0.0)
FIGURE = "objective with whole orders"


def planned(stockpile: Stockpile) -> Plan:
    formulation = build(stockpile)
    outcome = solve(formulation.m, EXACT)
    return with_whole_orders(make_plan(formulation, outcome), formulation, EXACT, outcome.seconds)


def lots(*rows: Row, **settings: Any) -> Stockpile:
    """3 wanted in February, sold at 2 in lots of 10 then."""
    return book(
        offer("now", 5, to=month(0)),
        offer("then", 2, from_=month(1), lot_size=10, capacity=10),
        demand(3, 1),
        *rows,
        **settings,
    )


def test_a_lot_that_is_relaxed_costs_what_is_wanted_of_it_and_whole_all_of_it() -> None:
    """Relaxed: 3 at 2. Whole: a lot of 10 at 2."""
    plan = planned(lots(firm_periods=1))
    assert plan.objective == pytest.approx(6)
    assert plan.run[FIGURE] == pytest.approx(20)
    assert plan.verdict.endswith(
        "\nWith orders whole from 2027-02 on too, and what is done before kept, a plan costs 20 USD:"
        " relaxed orders can matter by 14 USD at most."
    )


def test_what_was_done_in_the_firm_periods_is_kept() -> None:
    """To begin anew would cost 15: 3 at 5 in January."""
    assert planned(lots()).objective == pytest.approx(15)
    assert planned(lots(firm_periods=1)).run[FIGURE] == pytest.approx(20)


def test_a_plan_that_cannot_be_made_whole_says_so() -> None:
    """Of a lot of 10 the demand leaves 7, and there is room for 5."""
    plan = planned(lots(site(capacity=5), firm_periods=1))
    assert plan.run[FIGURE] == "none"
    assert plan.verdict.endswith(
        "\nNo plan exists that does the same before 2027-02 and orders whole from then on too."
    )


@pytest.mark.parametrize("weight", [0.0, 0.5])
@pytest.mark.parametrize("known", [1, 2])
def test_scenarios_are_planned_together(weight: float, known: int) -> None:
    """In war 12 are wanted: relaxed 24, whole 2 lots at 2.

    Peace is as above: 6 and 20. The tail is war.
    """
    rows = (
        offer("then", 2, from_=month(1), lot_size=10),
        demand(3, known),
        scenario(probability=0.25),
    )
    stockpile = book(
        *rows, event("demand.quantity", "set", 12, known), material(), firm_periods=1, periods=3, risk_weight=weight, risk_tail=0.25,
    )  # fmt: skip
    plan = planned(stockpile)
    assert plan.objective == pytest.approx((1 - weight) * (0.75 * 6 + 0.25 * 24) + weight * 24)
    assert plan.run[FIGURE] == pytest.approx((1 - weight) * (0.75 * 20 + 0.25 * 40) + weight * 40)


def test_that_no_plan_was_found_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*arguments: Any) -> Outcome:
        outcome = solve(*arguments)
        return replace(
            outcome, stages=(replace(outcome.stages[0], status="no_plan", objective=None),)
        )

    monkeypatch.setattr(bounded_solve, "solve", lost)
    plan = planned(lots(firm_periods=1))
    assert plan.run[FIGURE] == "none"
    assert plan.verdict.endswith(
        "\nNo plan was found that does the same before 2027-02 and orders whole from then on too."
    )


@pytest.mark.parametrize("asked", [True, False])
def test_it_is_reported_on_request_and_the_plan_agrees_with_its_input(
    asked: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Relaxed the second order, of 10 where 100 can be had, costs a tenth of 12: 10.80 more when
    whole.
    """
    source = workbook(
        tmp_path / "book.xlsx", {**TABLES, "settings": {**TABLES["settings"], "firm_periods": 1}}
    )
    ran = run(capsys, "solve", source, *(["--whole-orders"] if asked else []))
    assert ran.status == 0, ran.err
    assert (FIGURE in read_plan(tmp_path / "book-plan.xlsx").run) == asked
    assert ("relaxed orders can matter by 10.80 USD at most" in " ".join(ran.out.split())) == asked
    assert run(capsys, "audit", source, tmp_path / "book-plan.xlsx").status == 0


@pytest.mark.parametrize(
    "settings", [{}, {"firm_periods": 4}, {"firm_periods": 1, "objective": "shortfall_first"}]
)
def test_where_nothing_can_be_reported_the_request_is_refused(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = workbook(
        tmp_path / "book.xlsx", {**TABLES, "settings": {**TABLES["settings"], **settings}}
    )
    ran = run(capsys, "solve", source, "--whole-orders")
    assert ran.status == 1
    assert "--whole-orders" in ran.err
