"""A run ends near its time limit: what is spent on compiling and on bounds is not left for the
search.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from optimiser.solving.engine import Engine
from optimiser.solving.highs import ProgramSolution
from optimiser.solving.search_options import SolverError
from optimiser.solving.solve import KnownPlan, Options, scenario_tree, solve
from optimiser.studies.engine import certify
from optimiser.studies.engine.case import Case
from optimiser.studies.engine.evaluate import LEAST_SECONDS, CaseEvaluator, StudyJob
from optimiser.studies.engine.views import WITHOUT
from stockpile_model.build import build
from stockpile_model.changes import Change
from tests.support.accept import book, demand, offer

LIMIT = 60.0
STOCKPILE = book(offer(order_cost=3), demand(10, 0, 1))
JOB = StudyJob(STOCKPILE, Options(gap=0.01, time_limit=LIMIT, threads=1))


def test_a_search_has_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def searched(program: Any, options: Options, *_: Any, **__: Any) -> Any:
        left.append(options.time_limit)
        raise SolverError("the search was asked for")

    monkeypatch.setattr(certify, "optimise", searched)
    monkeypatch.setattr(Engine, "run", lambda _: None)
    clock = iter([0.0, 12.0])  # the case begins; its program is compiled
    monkeypatch.setattr(
        "optimiser.studies.engine.evaluate.time.perf_counter", lambda: next(clock, 12.0)
    )
    assert CaseEvaluator(JOB).run(Case())[0].message == "the search was asked for"
    clock = iter([0.0, 2 * LIMIT])
    monkeypatch.setattr(
        "optimiser.studies.engine.evaluate.time.perf_counter", lambda: next(clock, 2 * LIMIT)
    )
    CaseEvaluator(JOB).run(Case())
    assert left == pytest.approx([LIMIT - 12.0, LEAST_SECONDS])


def test_what_is_found_before_the_deadline_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time is for bounds and known plans; where it ends, a plan that is known is not
    lost.
    """
    evaluator = CaseEvaluator(JOB)
    assert evaluator.run(Case())[0].status == "optimal"
    monkeypatch.setattr(Engine, "_relaxed", raising)
    monkeypatch.setattr(certify, "optimise", lambda *_, **__: ProgramSolution("no_plan"))
    found, _ = evaluator.run(Case(note="again"))
    assert (found.status, found.objective) == ("feasible", pytest.approx(203))


def test_a_plan_that_is_known_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its decisions are tried first, and its bound proves it; a case that moves a price has both
    its plan and its own proof.
    """
    formulation = build(STOCKPILE)
    outcome = solve(formulation.m, JOB.options, tree=scenario_tree(formulation))
    known = KnownPlan.of(outcome)
    assert known is not None
    assert known.bound is not None
    dearer = Case((Change("offers", "spot", "price", "add", 1.0),))
    assert CaseEvaluator(JOB).run(dearer)[0].objective == pytest.approx(223)
    monkeypatch.setattr(Engine, "_relaxed", raising)
    monkeypatch.setattr(certify, "optimise", lambda *_, **__: ProgramSolution("no_plan"))
    assert CaseEvaluator(JOB).run(Case())[0].status == "no_plan"
    evaluator = CaseEvaluator(replace(JOB, known=known))
    found, _ = evaluator.run(Case())
    assert (found.status, found.objective) == ("optimal", pytest.approx(outcome.objective))
    found, _ = evaluator.run(dearer)
    assert (found.status, found.objective) == ("feasible", pytest.approx(223))
    assert found.bound is None


def test_a_search_without_a_rule_begins_with_the_plan_that_keeps_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That plan is one without the rule too; how much less another may cost is for the search."""
    formulation = build(STOCKPILE)
    outcome = solve(formulation.m, JOB.options, tree=scenario_tree(formulation))
    known = KnownPlan.of(outcome)
    monkeypatch.setattr(Engine, "_relaxed", raising)
    monkeypatch.setattr(certify, "optimise", lambda *_, **__: ProgramSolution("no_plan"))
    found, _ = CaseEvaluator(replace(JOB, known=known)).run(Case(view=(WITHOUT,)))
    assert (found.status, found.objective) == ("feasible", pytest.approx(outcome.objective))
    assert found.bound is None


def raising(*_: Any) -> Any:
    raise SolverError("no time is left")
