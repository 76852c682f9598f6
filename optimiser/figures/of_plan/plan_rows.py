"""The result rows of a plan by column, as its figures and its sheets read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from operator import attrgetter
from typing import Any

from optimiser.figures.figure import Figured, TableFigure
from optimiser.figures.origins import CellOf, Total
from optimiser.plan.plan import Plan
from stockpile_model.schema import Dated, Result, columns

Earlier = Mapping[str, Figured]
"""The figures of a plan computed before, by name: others refer to their numbers."""


def cell(earlier: Earlier, name: str, label: object, column: int = 1) -> CellOf:
    """Return a number of a table that was computed before, with its place."""
    figure = earlier[name]
    if not isinstance(figure, TableFigure):
        raise TypeError(f"{name} is no table: its numbers have no place")
    return figure.cell(label, column)


class PlanRows:
    """The rows of a plan in the order of their sheets; each column is read once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._rows: dict[type[Result], Sequence[Any]] = {}
        self._columns: dict[tuple[type[Result], str], list[Any]] = {}

    @cached_property
    def scenarios(self) -> bool:
        """Return whether the plan has scenarios."""
        return bool(self.plan.stockpile.scenarios)

    def of(self, kind: type[Result]) -> Sequence[Any]:
        """Return the rows of a type."""
        if kind not in self._rows:
            self._rows[kind] = kind.in_order(self.plan.of(kind))
        return self._rows[kind]

    def column(self, kind: type[Result], name: str) -> list[Any]:
        """Return a column of the rows of a type."""
        if (kind, name) not in self._columns:
            field = next(each.field for each in columns(kind) if each.name == name)
            self._columns[kind, name] = [*map(attrgetter(field), self.of(kind))]
        return self._columns[kind, name]

    def height(self, kind: type[Result]) -> int:
        """Return the number of rows of a type."""
        return len(self.of(kind))

    def total(self, kind: type[Result], column: str, /, **where: object) -> Total:
        """Return the expected sum of a column over the rows whose columns have given values."""
        amounts = self.expected(kind, column)
        for name, value in where.items():
            amounts = [
                amount if each == value else 0.0
                for amount, each in zip(amounts, self.column(kind, name), strict=True)
            ]
        weighed = self._weighed(kind, column)
        return Total(kind, column, math.fsum(amounts), tuple(where.items()), weighed=weighed)

    def total_of(
        self, kind: type[Result], column: str, name: str, label: object, /, **where: object
    ) -> Total:
        """Return the expected sum of a column over the rows whose `name` is the label of a line,
        and whose columns have given values."""
        found = self.total(kind, column, **{name: label}, **where)
        return replace(found, where=tuple(where.items()), labelled=name)

    def expected(self, kind: type[Result], column: str) -> list[float]:
        """Return the amounts of a column, each weighed by the probability of its row; blank is
        nothing."""
        amounts = [each or 0.0 for each in self.column(kind, column)]
        if not self._weighed(kind, column):
            return amounts
        weights = self.column(kind, "probability")
        return [amount * weight for amount, weight in zip(amounts, weights, strict=True)]

    def _weighed(self, kind: type[Result], column: str) -> bool:
        """Return whether a sum must weigh a column by the probability of its rows."""
        own = next(each for each in columns(kind) if each.name == column)
        return self.scenarios and issubclass(kind, Dated) and not own.adds_up
