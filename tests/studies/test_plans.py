"""Plans of runs: kept row by row, audited as plans of `solve` are, and which of them are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.engine.compiled import compile_program
from optimiser.studies.engine.evaluate import SAMPLE, CaseEvaluator, StudyJob
from optimiser.studies.engine.plan_checks import audit, broken
from optimiser.studies.engine.record import Record
from optimiser.studies.engine.runner import Runner
from optimiser.studies.study_sheet.study_inputs import Input
from stockpile_model.stockpile import Stockpile
from tests.support.accept import book, contract, demand, event, floor, offer, prices, scenario
from tests.support.studied import Here

OPTIONS = Options(gap=0.0, time_limit=60, threads=1)
MOVED = Input("offers", "spot", "price", "set", 5, 20)
BOOK = book(
    contract(price_index="market", take_or_pay=0),
    floor(8, 120),
    *prices(9, 12),
    offer(order_cost=3, capacity=40),
    demand(13, 0, 1),
)


def case(price: float, **asked: Any) -> Case:
    return Case((MOVED.change(price),), (price,), **asked)


class Lenient(CaseEvaluator):
    """Audits only what it is asked to audit."""

    def run(self, each: Case) -> Any:
        self.planned = SAMPLE
        self.planned += 1
        return super().run(each)


def planned(stockpile: Stockpile, each: Case) -> CaseResult:
    result, _ = Lenient(StudyJob(stockpile, OPTIONS)).run(each)
    assert result.planned
    assert not result.audited
    return result


def test_a_plan_keeps_its_program_and_one_that_is_changed_does_not() -> None:
    compiled = compile_program(BOOK)
    program, x = compiled.program, planned(BOOK, Case()).plan / compiled.size
    assert broken(program, x) == ""
    for j in np.flatnonzero(
        np.diff(np.r_[0, np.bincount(program.index, minlength=program.columns)]) != 0
    )[:3]:
        other = x.copy()
        other[j] += 0.01
        assert broken(program, other) != ""
    part = x.copy()
    part[np.flatnonzero(program.integer)[0]] += 0.5
    assert "whole" in broken(program, np.clip(part, program.lower, program.upper)) or broken(
        program, part
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"aim": "shortfall"},
        {"aim": "cvar"},
        {"limit": ("cvar", 1e5)},
        {"limit": ("shortfall", 5.0)},
    ],
)
def test_a_plan_is_audited_whatever_its_aim(asked: dict[str, Any]) -> None:
    rows = [
        *(row for each in BOOK.tables.values() for row in each),
        scenario(),
        event("demand.quantity", "scale", 1.5, 1),
    ]
    stockpile = book(*rows, risk_weight=0.3)
    evaluator = Lenient(StudyJob(stockpile, OPTIONS))
    result = planned(stockpile, case(9.0, **asked))
    assert evaluator.audit(case(9.0, **asked), result).how == f"{result.how}, audited"


def test_of_two_objectives_the_plan_is_audited_too() -> None:
    stockpile = replace(BOOK, settings=replace(BOOK.settings, objective="shortfall_first"))
    result = planned(stockpile, case(9.0))
    assert Lenient(StudyJob(stockpile, OPTIONS)).audit(case(9.0), result).audited


def test_a_plan_of_another_case_fails() -> None:
    """What costs 5 a unit costs 12 in another case: more than the plan says."""
    evaluator, result = Lenient(StudyJob(BOOK, OPTIONS)), planned(BOOK, case(5.0))
    assert result.number("order spot") == pytest.approx(26)
    found = evaluator.audit(case(12.0), result)
    assert (found.status, found.audited) == ("failed", True)
    assert "the plan fails its audit: it costs" in found.message


def test_a_figure_that_the_input_does_not_bear_out_fails() -> None:
    """More is ordered than arrives: the model alone would be content with the numbers of its
    columns.
    """
    result = planned(BOOK, Case())
    labels = compile_program(BOOK).labels
    x = result.plan.copy()
    x[labels.index(("buy", ("spot", 1)))] += 1.0
    assert audit(BOOK, x, "optimal", None, None) != ""


class Counting(Lenient):
    def __init__(self, job: StudyJob) -> None:
        super().__init__(job)
        self.asked = list[float]()

    def audit(self, each: Case, result: CaseResult) -> CaseResult:
        self.asked.append(float(each.point[0] or 0.0))
        return super().audit(each, result)


def studied(evaluator: Any, path: Path, *values: float) -> list[CaseResult]:
    with Record(path) as record:
        return Runner("s", record, "", lambda: Here(evaluator), audits=True).run(
            [case(each) for each in values]
        )


def test_first_cheapest_and_dearest_are_audited_before_anybody_sees_them(tmp_path: Path) -> None:
    evaluator = Counting(StudyJob(BOOK, OPTIONS))
    found = studied(evaluator, tmp_path / "r.sqlite", 9.0, 15.0, 5.0, 11.0, 20.0, 15.0)
    assert sorted(evaluator.asked) == [5.0, 9.0, 20.0]
    assert [each.audited for each in found] == [True, False, True, False, True, False]
    assert all(each.plan is None for each in found)
    again = Counting(StudyJob(BOOK, OPTIONS))
    kept = studied(again, tmp_path / "r.sqlite", 9.0, 15.0, 5.0, 11.0, 20.0, 15.0)
    assert [(each.objective, each.how) for each in kept] == [
        (each.objective, each.how) for each in found
    ]
    assert again.asked == [], "the record knows"
    assert len(studied(again, tmp_path / "r.sqlite", 15.0, 11.0)) == 2
    assert sorted(again.asked) == [
        11.0,
        15.0,
    ], "what was named by no answer before is run again for its plan"


class Wrong(Counting):
    """Reports the plan of the middle for every case below."""

    def run(self, each: Case) -> Any:
        result, warm_starts = super().run(each)
        return (
            (replace(result, objective=result.objective - 1.0), warm_starts)
            if (each.point[0] or 0.0) < 7
            else (result, warm_starts)
        )


def test_a_plan_that_fails_is_no_result_and_the_next_is_audited(tmp_path: Path) -> None:
    evaluator = Wrong(StudyJob(BOOK, OPTIONS))
    found = studied(evaluator, tmp_path / "r.sqlite", 9.0, 5.0, 6.0, 20.0)
    assert [each.status for each in found] == ["optimal", "failed", "failed", "optimal"]
    assert sorted(evaluator.asked) == [5.0, 6.0, 9.0, 20.0]


def test_a_sample_is_audited_in_each_process() -> None:
    evaluator = CaseEvaluator(StudyJob(BOOK, OPTIONS))
    ways = [evaluator.run(case(5.0 + k / 10))[0].audited for k in range(SAMPLE + 2)]
    assert [k for k, each in enumerate(ways) if each] == [0, SAMPLE]
