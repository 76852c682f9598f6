"""Numbers over the periods of a plan: their labels, and sums by label and name."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.plan.plan import Plan
from stockpile_model.schema import Result

MOST_SERIES, MOST_LABELS = 8, 12
OTHERS = "(all others)"
STEPS = (1, 3, 6, 12, 24, 60, 120, 240)  # between two labels that are shown [months]

Pivoted = dict[str, list[float]]
"""Numbers along labels, by name."""


@dataclass(frozen=True)
class PeriodLabels:
    """The labels of all periods; `every` of them is shown, no closer than can be read."""

    labels: list[str]
    every: int


@cache
def label(day: dt.date) -> str:
    """Return the label of the period that begins on a day."""
    return f"{day:%Y-%m}"


def labels(plan: Plan, most: int = MOST_LABELS) -> PeriodLabels:
    """Return the labels of the periods, `most` of them shown, at whole years or parts of a year."""
    calendar = plan.stockpile.calendar
    steps = [step // calendar.months for step in STEPS if step % calendar.months == 0]
    every = next((step for step in steps if calendar.periods <= step * most), steps[-1])
    return PeriodLabels([label(calendar.begin(t)) for t in range(calendar.periods)], every)


def weighed(
    rows: PlanRows, kind: type[Result], name: str, amount: str
) -> Iterator[tuple[dt.date, Any, float]]:
    """Yield the day, a column, and the expected amount of each row."""
    days, names = rows.column(kind, "date"), rows.column(kind, name)
    yield from zip(days, names, rows.expected(kind, amount), strict=True)


def pivoted(
    along: Sequence[str],
    cells: Iterable[tuple[str, str, float]],
    names: Sequence[str] | None = None,
) -> Pivoted:
    """Sum numbers by label and name, by default for all names that occur, in their order."""
    found: dict[tuple[str, str], list[float]] = {}
    for place, name, number in cells:
        found.setdefault((place, name), []).append(number)
    chosen = sorted({name for _, name in found}) if names is None else names
    return {name: [math.fsum(found.get((place, name), ())) for place in along] for name in chosen}


def largest(columns: Mapping[str, Sequence[float]]) -> Pivoted:
    """Return the columns with the largest sums; what is left of them as one more."""
    order = sorted(columns, key=lambda name: -math.fsum(abs(each) for each in columns[name]))
    kept = order if len(order) <= MOST_SERIES else order[: MOST_SERIES - 1]
    found = {name: [*columns[name]] for name in kept}
    if len(kept) < len(order):
        found[OTHERS] = row_sums([columns[name] for name in order[len(kept) :]])
    return found


def row_sums(
    columns: Iterable[Sequence[float]], sign: Callable[[float], float] = float
) -> list[float]:
    """Return the sum over columns at each label."""
    return [math.fsum(sign(each) for each in row) for row in zip(*columns, strict=True)]
