"""What has passed: the periods of a plan that are over, from which the next workbook goes on.

A plan is made again each month. Each block says in `rolls` what becomes of its rows when the first
periods are over; what no block speaks of stays as it is.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stockpile_model.calendar import Calendar
from stockpile_model.name_lists import names_in
from stockpile_model.names import identity
from stockpile_model.schema import R, Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL, BASE

PlanRow = Mapping[str, Any]
"""A row of a sheet of a plan, by column."""


@dataclass(frozen=True, eq=False)
class Passed:
    """The first periods of a plan, as they went on the path of one scenario.

    `stockpile` is the unfolded one of the plan, `sheets` are its rows, `gone` is how many periods
    are over. `left` are the rows with what has come folded in, once that is done. `stuck` gets what
    cannot be carried on, `remarks` what the next workbook does not know any more, `folded` what
    became of the events that have come; a line each.
    """

    stockpile: Stockpile
    sheets: Mapping[str, Sequence[PlanRow]]
    gone: int
    scenario: str = BASE
    stuck: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    left: Stockpile | None = None

    @property
    def calendar(self) -> Calendar:
        """Return the periods of the plan."""
        return self.stockpile.calendar

    @property
    def start(self) -> dt.date:
        """Return the first day of what is not over."""
        return self.calendar.begin(self.gone)

    def rows(self, kind: type[R]) -> tuple[R, ...]:
        """Return the rows of a table, with what has come folded in."""
        return (self.left or self.stockpile).rows(kind)

    @functools.cached_property
    def nodes(self) -> tuple[int, ...]:
        """Return the nodes that are over, one for each period."""
        leaves = {identity(name): leaf for name, leaf in self.stockpile.scenarios.items()}
        leaf = leaves.get(identity(self.scenario), self.stockpile.tree.leaves[0])
        return self.stockpile.tree.paths[leaf][: self.gone]

    def at(self, period: int) -> Stockpile:
        """Return the rows as they stood in a period that is over."""
        return self.stockpile.at(self.nodes[max(0, period)])

    def over(self, day: dt.date | None) -> bool:
        """Return whether a date lies in a period that is over."""
        return day is not None and self.calendar.period(day) < self.gone

    def shown(self, sheet: str) -> Iterator[PlanRow]:
        """Yield the rows of a sheet that hold on the path."""
        for row in self.sheets.get(sheet, ()):
            names = [identity(each) for each in names_in(str(row.get("scenarios") or ALL))]
            if ALL in names or identity(self.scenario) in names:
                yield row

    def done(self, sheet: str, date: str = "date") -> Iterator[PlanRow]:
        """Yield the rows of a sheet that hold on the path and are over, by the column of a date."""
        return (row for row in self.shown(sheet) if self.over(row.get(date)))


def merged(
    tables: Mapping[type[Row], tuple[Row, ...]],
    found: Iterable[tuple[type[Row], Sequence[Row]]],
) -> dict[type[Row], tuple[Row, ...]]:
    """Return tables with those that blocks gave in their place; what several give is joined."""
    new: dict[type[Row], tuple[Row, ...]] = {}
    for kind, rows in found:
        new[kind] = (*new.get(kind, ()), *rows)
    return {**tables, **new}


def clipped(passed: Passed, row: Any, first: str, last: str) -> Any:
    """Return a row whose dates begin no earlier than what is not over; None where it is over."""
    begin, end = getattr(row, first), getattr(row, last)
    if passed.over(begin if end is None and begin is not None else end):
        return None
    return replace(row, **{first: passed.start}) if passed.over(begin) else row
