"""Rows of many branches as one plan: each row once, its figures expected over the branches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stockpile_model.calendar import Calendar
from stockpile_model.schema import Dated, Result, columns
from stockpile_model.tables import Settings

CERTAIN = 1 - 1e-9  # probability of what is so in every scenario [1]
Sums = Mapping[str, tuple[float, float]]
"""By column, the weighted sum of its figures and the sum of their weights."""


def in_trunk(row: Result, until: dt.date) -> bool:
    """Return whether a row is decided before the first scenario is known.

    A row without such a date belongs to every period.
    """
    date = getattr(row, row.DECIDED) if row.DECIDED else None
    return date is None or date < until


def of_trunk(row: Result, until: dt.date, calendar: Calendar) -> bool:
    """Return whether a row is about the trunk alone."""
    date = row.last_day(calendar)
    return date is not None and date < until


@dataclass
class ExpectedRows:
    """The rows of many branches, each once with the sums that make the means of its figures.

    `rows` holds, by the key of a row, the first such row, its probability and its sums.
    """

    rows: dict[tuple[Any, ...], tuple[Result, float, Sums]] = field(default_factory=dict)

    def add(self, row: Result, weight: float) -> None:
        """Add a row of a branch with the probability of the branch."""
        kind = type(row)
        of = weight * (row.probability if isinstance(row, Dated) and not kind.DECIDED else 1.0)
        sums = dict[str, tuple[float, float]]()
        for each in columns(kind):
            value = getattr(row, each.field)
            if each.kind != "number" or each.given or each.name == "probability" or value is None:
                continue
            by = weight if each.expected else of
            if each.per:
                by *= getattr(row, each.per)
            # An infinite break-even is one on every branch.
            sums[each.field] = (by * value if by else 0.0, by)
        self._put(row, of, sums)

    def merge(self, other: ExpectedRows) -> None:
        """Add the rows of other branches."""
        for row, weight, sums in other.rows.values():
            self._put(row, weight, sums)

    def _put(self, row: Result, weight: float, sums: Sums) -> None:
        key = (type(row), *(getattr(row, name) for name in row.MEANS))
        first, total, before = self.rows.get(key, (row, 0.0, {}))
        summed = dict(before)
        for name, (top, bottom) in sums.items():
            a, b = summed.get(name, (0.0, 0.0))
            summed[name] = (a + top, b + bottom)
        self.rows[key] = (first.joined(row), total + weight, summed)

    def means(self, settings: Settings) -> Iterator[Result]:
        """Yield the rows with their means.

        What is not signed, or not helped, stands only where it is so in every scenario.
        """
        rows = [row for row, *_ in self.rows.values()]
        for row, weight, sums in self.rows.values():
            if row.DECIDED and getattr(row, row.DECIDED) is None and weight < CERTAIN:
                continue
            changed = _means(row, sums)
            if isinstance(row, Dated):
                changed["scenarios"], changed["probability"] = "all", 1.0
            yield replace(row, **changed).of_branches(row, rows, settings)


def _means(row: Result, sums: Sums) -> dict[str, Any]:
    """Return the means of a row's figures; a price is the mean over what it is paid for."""
    rates = {each.field for each in columns(type(row)) if each.per}
    found = dict[str, Any]()
    for name, (top, bottom) in sums.items():
        if name not in rates:
            found[name] = top
        elif bottom > 0:
            found[name] = top / bottom
    return found
