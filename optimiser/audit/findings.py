"""What an audit compares, and what it finds to differ: one line each, with the plan's cell and the input's."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from optimiser.audit.sheets import Line

NOISE = 1e-4  # what the solver's tolerance may leave of a quantity, summed over the lots of a period [quantity]
EXACT = 1e-9  # for what follows from one figure by one multiplication
RELATIVE = 1e-6  # of the larger figure, on top of either

Relation = Literal["is", "most", "least", "never"]


@dataclass(frozen=True)
class Finding:
    """One disagreement. `where` is a cell, a row or a sheet of the plan, `cell` the input's cell that sets what is expected;
    `amount` is by how much they differ (0 where it is no matter of amount)."""

    where: str
    what: str
    expected: Any
    found: Any
    amount: float
    relation: Relation = "is"
    cell: str = ""

    def __str__(self) -> str:
        source = f" ({self.cell})" if self.cell else ""
        if self.relation == "never":
            return f"{self.where}: {self.what}{source}" + (f"; by {_shown(self.amount)}" if self.amount else "")
        must = {"is": "", "most": "at most ", "least": "at least "}[self.relation]
        by = f"; off by {_shown(self.amount)}" if self.amount else ""
        return f"{self.where}: {self.what} must be {must}{_shown(self.expected)}{source}, found {_shown(self.found)}{by}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,.10g}"
    return str(value) if isinstance(value, dt.date) else repr(value)


class Record:
    """Counts the figures compared and keeps what differs."""

    def __init__(self) -> None:
        self.figures = 0
        self.findings: list[Finding] = []

    def equal(self, where: str, what: str, expected: float, found: float, noise: float = NOISE, cell: str = "") -> None:
        """Two numbers that must be the same."""
        self.figures += 1
        if abs(expected - found) > noise + RELATIVE * max(abs(expected), abs(found)):
            self.findings.append(Finding(where, what, expected, found, abs(expected - found), cell=cell))

    def figure(self, line: Line, column: str, expected: float | None, noise: float = EXACT, cell: str = "") -> None:
        """A number of the plan, or a blank, and what it must be."""
        self.figures += 1
        found = line[column]
        if expected is None or found is None:
            if expected is not found:
                self.findings.append(Finding(line.at(column), line.told(column), expected, found, abs(expected or found or 0.0), cell=cell))
        elif abs(expected - found) > noise + RELATIVE * max(abs(expected), abs(found)):
            self.findings.append(Finding(line.at(column), line.told(column), expected, found, abs(expected - found), cell=cell))

    def term(self, line: Line, column: str, expected: Any, cell: str = "") -> None:
        """A name, a date or a yes or no of the plan, and what it must be."""
        self.figures += 1
        if line[column] != expected:
            self.findings.append(Finding(line.at(column), line.told(column), expected, line[column], 0.0, cell=cell))

    def most(self, where: str, what: str, limit: float | None, found: float, noise: float = NOISE, cell: str = "") -> None:
        """A number that must not be above a limit; None is no limit."""
        self.figures += 1
        if limit is not None and found - limit > noise + RELATIVE * abs(limit):
            self.findings.append(Finding(where, what, limit, found, found - limit, "most", cell))

    def least(self, where: str, what: str, limit: float | None, found: float, noise: float = NOISE, cell: str = "") -> None:
        """A number that must not be below a limit; None is no limit."""
        self.figures += 1
        if limit is not None and limit - found > noise + RELATIVE * abs(limit):
            self.findings.append(Finding(where, what, limit, found, limit - found, "least", cell))

    def holds(self, condition: bool, where: str, what: str, cell: str = "", amount: float = 0.0) -> bool:
        """A condition; `what` says what is wrong where it does not hold."""
        self.figures += 1
        if not condition:
            self.findings.append(Finding(where, what, None, None, amount, "never", cell))
        return condition
