"""What each event of a stress test costs, misses and would have cost, with proven ranges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from optimiser.studies.engine.case import CaseResult
from optimiser.studies.stress.stress_events import StressEvent
from stockpile_model.scale import Scale

Range = tuple[float | None, float | None, float | None]
"""A figure, and what it is proven to be at least and at most."""

NONE: Range = (None, None, None)


@dataclass(frozen=True)
class StressedPlan:
    """Describe how the plan ends under an event: with its first decisions held, and known from the
    start.

    `since`: the first day on which it is known. `scale`: what is only rounding. `first`: shortfall
    is minimised before cost, so costs compare at one shortfall only.
    """

    event: StressEvent
    since: dt.date
    plan: CaseResult
    held: CaseResult
    known: CaseResult
    scale: Scale
    first: bool = False

    @property
    def possible(self) -> bool:
        """Return whether there is a plan with the first decisions held."""
        return self.held.objective is not None

    @property
    def stuck(self) -> bool:
        """Return whether it is proven that there is no plan with the first decisions held."""
        return self.held.status == "infeasible"

    @property
    def unknown(self) -> bool:
        """Return whether neither a plan is known nor that there is none."""
        return not self.possible and not self.stuck

    @property
    def impossible(self) -> str:
        """Return why there is none, and whether there would be one; blank where there is one."""
        if self.possible:
            return ""
        why = self.held.ended
        if not self.stuck:
            return why
        if self.known.objective is not None:
            return f"{why}. Known from the start there is a plan"
        if self.known.status == "infeasible":
            return f"{why}. Known from the start there is none either"
        return f"{why}. Known from the start: {self.known.ended}"

    @property
    def least(self) -> float | None:
        """Return the cost of the best plan that is found for the event, known from the start.

        A plan with decisions held is one of them.
        """
        held, known = self.held.objective, self.known.objective
        if held is None or known is None or not self._comparable(self.held, self.known):
            return known
        return min(held, known)

    @property
    def more(self) -> Range:
        """Return what it costs more than the plan [money]."""
        return self._difference(self.held, self.plan)

    @property
    def regret(self) -> Range:
        """Return what the first decisions cost more than those that know the event [money].

        It is never below zero: what is held is one of the plans that know it.
        """
        value, least, most = self._difference(self.held, self.known)
        if value is None:
            return NONE
        return (max(0.0, value), None if least is None else max(0.0, least), most)

    @property
    def short(self) -> float | None:
        """Return the shortfall [quantity]."""
        return self.held.number("shortfall")

    @property
    def shorter(self) -> float | None:
        """Return how much more shortfall it has than the plan [quantity]."""
        one, other = self.short, self.plan.number("shortfall")
        if one is None or other is None:
            return None
        return 0.0 if abs(one - other) <= self.scale.nothing else one - other

    @property
    def weight(self) -> tuple[float, ...]:
        """Return by what it is ranked, the gravest first: whether there is no plan, whether there
        would be one, what is short where that goes before cost, cost.
        """
        if not self.possible:
            return (0.0 if self.stuck else 2.0, 0.0 if self.known.objective is not None else 1.0)
        return (1.0, -(self.shorter or 0.0) if self.first else 0.0, -(self.held.objective or 0.0))

    def _comparable(self, one: CaseResult, other: CaseResult) -> bool:
        """Return whether two costs can be compared."""
        if not self.first:
            return True
        short, less = one.number("shortfall"), other.number("shortfall")
        return short is not None and less is not None and abs(short - less) <= self.scale.visible

    def _difference(self, one: CaseResult, other: CaseResult) -> Range:
        """Return what a plan costs more than another, with its proven range [money]."""
        if one.objective is None or other.objective is None or not self._comparable(one, other):
            return NONE
        least = None if one.bound is None else self._money(one.bound - other.objective)
        most = None if other.bound is None else self._money(one.objective - other.bound)
        return self._money(one.objective - other.objective), least, most

    def _money(self, amount: float) -> float:
        """Return an amount of money without a solver's noise."""
        return 0.0 if abs(amount) <= self.scale.no_money else amount


def ranked(rows: Sequence[StressedPlan]) -> list[StressedPlan]:
    """Return the events, the gravest first."""
    return sorted(rows, key=lambda each: each.weight)
