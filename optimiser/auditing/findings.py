"""What an audit compares, and what differs: one line each, with the cells of plan and input."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from optimiser.auditing.plan_sheets import Line
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile

EXACT = 1e-9  # of the larger figure, for what follows from the plan's own figures and the input
RELATIVE = 1e-7  # of the larger figure, on top of the noise of what a solver has found


def apart(expected: float, found: float, noise: float = 0.0) -> bool:
    """Return whether two figures differ by more than noise; two infinite ones do not."""
    return expected != found and abs(expected - found) > noise + (
        RELATIVE if noise else EXACT
    ) * max(abs(expected), abs(found))


Relation = Literal["is", "most", "least", "never"]
Cell = tuple[Any, str] | None
"""What sets a figure: a row of the input, and its column."""


@dataclass(frozen=True)
class Finding:
    """One disagreement.

    `where` is a cell, a row or a sheet of the plan. `cell` is the input's cell that sets what is
    expected. `amount` is the difference (0 where it has no size). `scenarios` are those in which it
    is there; none stands for all.
    """

    where: str
    what: str
    expected: Any
    found: Any
    amount: float
    relation: Relation = "is"
    cell: str = ""
    scenarios: tuple[str, ...] = ()

    def __str__(self) -> str:
        source = f" ({self.cell})" if self.cell else ""
        by = f"; off by {_shown(self.amount)}" if self.amount else ""
        by += f"; in scenario {', '.join(self.scenarios)}" if self.scenarios else ""
        if self.relation == "never":
            return f"{self.where}: {self.what}{source}{by}"
        must = {"is": "", "most": "at most ", "least": "at least "}[self.relation]
        return (
            f"{self.where}: {self.what} must be {must}{_shown(self.expected)}{source}, found"
            f" {_shown(self.found)}{by}"
        )


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,.10g}"
    return str(value) if isinstance(value, dt.date) else repr(value)


class Findings:
    """Describe what differs, and the number of figures compared.

    Messages are composed only for what differs. `scenario` is the one whose path is audited; None
    where all of them are audited together.
    """

    def __init__(self, stockpile: Stockpile, scenarios: Sequence[str]) -> None:
        self.stockpile = stockpile
        self.scenarios = scenarios
        self.scenario: str | None = None
        self.figures = 0
        self.unchecked: dict[str, None] = {}  # what stands in the plan and cannot be recomputed
        self._found: dict[Finding, dict[str, None]] = {}  # with the scenarios in which it is found

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what differs, each once: in some scenarios, or in all of them."""
        return tuple(
            replace(each, scenarios=() if len(names) in (0, len(self.scenarios)) else tuple(names))
            for each, names in self._found.items()
        )

    def _add(self, finding: Finding) -> None:
        names = self._found.setdefault(finding, {})
        if self.scenario is not None:
            names[self.scenario] = None

    # Whether something is wrong; then `add` or `refuse` follows

    def differs(self, expected: float, found: float, noise: float) -> bool:
        """Count a figure, and return whether it differs."""
        self.figures += 1
        return apart(expected, found, noise)

    def above(self, limit: float | None, found: float, noise: float) -> bool:
        """Count a figure, and return whether it is above a limit; None is no limit."""
        self.figures += 1
        return limit is not None and found > limit and apart(limit, found, noise)

    def below(self, limit: float | None, found: float, noise: float) -> bool:
        """Count a figure, and return whether it is below a limit; None is no limit."""
        self.figures += 1
        return limit is not None and found < limit and apart(limit, found, noise)

    def fails(self, condition: bool) -> bool:
        """Count a condition, and return whether it does not hold."""
        self.figures += 1
        return not condition

    def add(
        self,
        where: str,
        what: str,
        expected: Any,
        found: Any,
        relation: Relation = "is",
        cell: Cell = None,
    ) -> None:
        """Add a finding: a figure that is not what it must be."""
        amount = (
            abs(expected - found)
            if isinstance(expected, (int, float)) and isinstance(found, (int, float))
            else 0.0
        )
        self._add(Finding(where, what, expected, found, amount, relation, self._cell(cell)))

    def refuse(self, where: str, what: str, cell: Cell = None, amount: float = 0.0) -> None:
        """Add a finding: what must not be."""
        self._add(Finding(where, what, None, None, abs(amount), "never", self._cell(cell)))

    def _cell(self, cell: Cell) -> str:
        """Return the address of an input cell; blank for what stands on no sheet."""
        return (
            self.stockpile.cell(cell[0], cell[1].rstrip("_"))
            if cell is not None and isinstance(cell[0], Row)
            else ""
        )

    # A column of one line

    def figure(
        self, line: Line, column: str, expected: float | None, noise: float = 0.0, cell: Cell = None
    ) -> None:
        """Compare a number of the plan, or a blank, with what it must be.

        Without noise it follows from other figures alone.
        """
        self.figures += 1
        found = line[column]
        if expected is None or found is None:
            if expected is not found:
                self.add(line.at(column), line.words(column), expected, found, cell=cell)
        elif apart(expected, found, noise):
            self.add(line.at(column), line.words(column), expected, found, cell=cell)

    def term(self, line: Line, column: str, expected: Any, cell: Cell = None) -> None:
        """Compare a name, a date or a yes or no of the plan with what it must be."""
        self.figures += 1
        if line[column] != expected:
            self.add(line.at(column), line.words(column), expected, line[column], cell=cell)

    def most(
        self, line: Line, column: str, limit: float | None, noise: float, cell: Cell = None
    ) -> None:
        """Compare a number of the plan with the most that it may be."""
        if self.above(limit, line[column], noise):
            self.add(line.at(column), line.words(column), limit, line[column], "most", cell)

    def least(
        self, line: Line, column: str, limit: float | None, noise: float, cell: Cell = None
    ) -> None:
        """Compare a number of the plan with the least that it may be."""
        if self.below(limit, line[column], noise):
            self.add(line.at(column), line.words(column), limit, line[column], "least", cell)

    # A total that stands in no one cell

    def equal(
        self, where: str, what: str, expected: float, found: float, noise: float, cell: Cell = None
    ) -> None:
        """Compare a total with what it must be."""
        if self.differs(expected, found, noise):
            self.add(where, what, expected, found, cell=cell)

    def within(
        self,
        where: str,
        what: str,
        limit: float | None,
        found: float,
        noise: float,
        cell: Cell = None,
    ) -> None:
        """Compare a total with the most that it may be."""
        if self.above(limit, found, noise):
            self.add(where, what, limit, found, "most", cell)

    def reaches(
        self,
        where: str,
        what: str,
        limit: float | None,
        found: float,
        noise: float,
        cell: Cell = None,
    ) -> None:
        """Compare a total with the least that it may be."""
        if self.below(limit, found, noise):
            self.add(where, what, limit, found, "least", cell)
