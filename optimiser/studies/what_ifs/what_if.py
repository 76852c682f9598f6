"""A what-if: a question about a plan that a few more plans answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import Asked, Rounds
from stockpile_model.schema import Result as ResultRow
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """A question about a plan.

    `kind` names it; the study of that kind answers it for a workbook alone.

    refuse(stockpile): raise InputError where it has no answer. cases(plan): the plans that answer
    it. attach(plan, results, options): the plan with the answer, given how its cases ended.
    rounds(asked): the same as a study. `results`: the types of row with the answer in a
    plan. `compares`: whether the answer compares what the plan costs with what others do.
    `partial`: what some of the cases say is an answer too, where the rest were not run. `together`:
    all of its cases have the time limit together, and not each of them.
    """

    kind: str
    refuse: Callable[[Stockpile], None]
    cases: Callable[[Plan], list[Case]]
    attach: Callable[[Plan, Sequence[CaseResult], Options], Plan]
    rounds: Callable[[Asked], Rounds]
    results: tuple[type[ResultRow], ...] = ()
    compares: bool = True
    partial: bool = False
    together: bool = False


def no_refusal(stockpile: Stockpile) -> None:
    """Refuse nothing."""
