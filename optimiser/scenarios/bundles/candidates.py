"""First decisions that may be tried in every scenario: which differ, and which are typical."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from optimiser.scenarios.bundles.bundle_tasks import TrialResult
from optimiser.scenarios.bundles.parts import Decisions
from stockpile_model.block import decisions


@dataclass
class Candidate:
    """First decisions, the scenarios that they were made for, and their trials by bundle."""

    decisions: Decisions | None
    names: frozenset[str]
    tried: dict[int, TrialResult] = field(default_factory=dict)

    def failed(self) -> frozenset[str]:
        """Return the scenarios that these decisions leave without a plan, as far as is known."""
        return frozenset(name for each in self.tried.values() for name in each.failed)


def _done(decided: Decisions) -> Iterator[tuple[str, Any, float]]:
    """Yield what is done, of all that is held."""
    return (
        (name, key, value)
        for name in sorted(decisions())
        for key, value in sorted(decided.values.get(name, {}).items())
    )


def different(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the first of those that do the same."""
    first: dict[tuple[Any, ...], Candidate] = {}
    for each in candidates:
        first.setdefault(
            tuple(
                (name, at, round(value, 6))
                for name, at, value in _done(each.decisions or Decisions())
            ),
            each,
        )
    return list(first.values())


def typical(candidates: list[Candidate]) -> list[Candidate]:
    """Return candidates sorted by their distance from the mean of all.

    A decision is counted in the largest of its kind.
    """
    every = [
        {(name, key): value for name, key, value in _done(each.decisions or Decisions())}
        for each in candidates
    ]
    most: dict[Any, float] = {}
    mean: dict[Any, float] = {}
    for each in every:
        for at, value in each.items():
            most[at] = max(most.get(at, 0.0), abs(value))
            mean[at] = mean.get(at, 0.0) + value / len(every)
    far = [
        sum(abs(each.get(at, 0.0) - mean[at]) / most[at] for at in mean if most[at])
        for each in every
    ]
    return [
        candidate
        for _, _, candidate in sorted(
            zip(far, range(len(far)), candidates, strict=True), key=lambda each: each[:2]
        )
    ]
