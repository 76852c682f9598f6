"""What the README says about extending the project: rows, a kind of study and a command; a block of
its own is in `test_own_block.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click
import pytest

import optimiser as so
from optimiser.cli.main import cli
from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.every_kind import EVERY_KIND
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs.what_if import WhatIf, no_refusal
from stockpile_model.changes import parse
from tests.support.commands import run
from tests.support.plans import asked_beside

BOOK = {
    "settings": {"start": "2027-01-01", "periods": 3, "mip_gap": 0},
    "materials": [{"material": "gallium", "shortage_cost": 9000}],
    "suppliers": [{"supplier": "mill"}],
    "offers": [
        {
            "offer": "spot",
            "supplier": "mill",
            "material": "gallium",
            "price": 500,
            "order_cost": 1000,
        }
    ],
    "demand": [{"material": "gallium", "from": "2027-02-01", "quantity": 10}],
}


def test_a_metal_a_supplier_an_offer_and_a_scenario_are_rows() -> None:
    """Of germanium 4 at 100; with a quarter of probability twice the gallium is needed."""
    more = {
        **BOOK,
        "materials": [*BOOK["materials"], {"material": "germanium"}],
        "suppliers": [*BOOK["suppliers"], {"supplier": "smelter"}],
        "offers": [
            *BOOK["offers"],
            {"offer": "ge", "supplier": "smelter", "material": "germanium", "price": 100},
        ],
        "demand": [
            *BOOK["demand"],
            {"material": "germanium", "from": "2027-01-01", "quantity": 4},
        ],
        "scenarios": [{"scenario": "war", "probability": 0.25}],
        "events": [
            {
                "scenario": "war",
                "table": "demand",
                "row": "row 2",
                "column": "quantity",
                "how": "scale",
                "value": 2,
            }
        ],
    }
    found = so.solve(so.from_tables(more)).plan
    assert found is not None
    assert found.objective == pytest.approx(4 * 100 + 10 * 500 + 1000 + 0.25 * 10 * 500)


def halves(asked: Asked) -> Rounds:
    """Ask what each input costs at half of itself."""
    (each,) = asked.inputs
    (half,) = yield [asked.case(each.base / 2)]
    rows = [(each.name, half.objective)]
    return [AnswerTable("halves", f"at half {half.objective:,.0f}", ("input", "cost"), rows)]


def test_a_study_kind_of_its_own_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVERY_KIND, "halves", halves)
    found = so.study(so.from_tables(BOOK), "halves", {"demand[*].quantity": (5, 20)})
    assert found["halves"]["cost"].tolist() == [5 * 500 + 1000]
    assert found.answers == ("at half 3,500",)


HALF = Case(changes=(parse("demand[*].quantity scale 0.5"),), note="half of all demand")


def with_half(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with what it costs at half of all demand."""
    (half,) = results
    return replace(
        plan, verdict=plan.verdict_with(f"At half of all demand: {half.objective:,.0f}.")
    )


def half(asked: Asked) -> Rounds:
    """Ask the same of a workbook alone."""
    (found,) = yield [HALF]
    return [AnswerTable("half", f"at half {found.objective:,.0f}", ("cost",), [(found.objective,)])]


def test_a_what_if_of_its_own_answers_for_a_plan_and_for_a_workbook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = WhatIf(
        kind="half_demand",
        refuse=no_refusal,
        cases=lambda plan: [HALF],
        attach=with_half,
        rounds=half,
    )
    book = so.from_tables(BOOK)
    plan = so.solve(book).plan
    assert plan is not None
    assert asked_beside(own, plan).verdict.endswith("At half of all demand: 3,500.")
    monkeypatch.setitem(EVERY_KIND, own.kind, own.rounds)
    assert so.study(book, own.kind).answers == ("at half 3,500",)


@pytest.mark.parametrize(
    ("error", "status"),
    [(so.InputError([so.Fault("offers!B2", "is odd")]), 1), (click.UsageError("none"), 2)],
)
def test_a_command_of_its_own_ends_as_all_do(
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command("own")
    def own() -> None:
        raise error

    monkeypatch.setitem(cli.commands, "own", own)
    ran = run(capsys, "own")
    assert (ran.status, ran.out) == (status, "")
    assert "is odd" in ran.err or "none" in ran.err
