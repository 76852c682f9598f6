"""Numbers with where they come from: what a workbook writes as a formula, and others as a number.

Each origin has its `value`. A sum over result rows names their type and column; other numbers name
the cells of figures that they are worked out from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stockpile_model.schema import Result, columns

AGREES, DIFFERS = "agrees", "differs"


@dataclass(frozen=True)
class Total:
    """The sum of a column of result rows: of those whose columns have the values of `where`, and
    whose column `labelled` has the label of the line. With `weighed` each row counts by its
    probability."""

    kind: type[Result]
    column: str
    value: float
    where: tuple[tuple[str, object], ...] = ()
    labelled: str = ""
    weighed: bool = False


@dataclass(frozen=True)
class Cited:
    """One value of the result row with an index."""

    kind: type[Result]
    column: str
    row: int
    value: float


@dataclass(frozen=True)
class CellOf:
    """The value in a line and a column of a figure."""

    figure: str
    line: int
    column: int
    value: float


@dataclass(frozen=True)
class Combined:
    """The sum of numbers, less others."""

    plus: tuple[Origin, ...]
    value: float
    minus: tuple[Origin, ...] = ()


@dataclass(frozen=True)
class Above:
    """The sum of a column over the first lines of its figure, the number above zero, or the
    largest."""

    how: Literal["sum", "count", "largest"]
    column: int
    lines: int
    value: float


@dataclass(frozen=True)
class Quotient:
    """A column of the same line as a share of another number; zero where that is zero."""

    column: int
    whole: Origin
    value: float


@dataclass(frozen=True)
class RowDifference:
    """A column of the same line, less another."""

    column: int
    less: int
    value: float


@dataclass(frozen=True)
class Agreement:
    """Describe whether two numbers differ by no more than an allowance."""

    left: Origin
    right: Origin
    allowance: float

    @property
    def value(self) -> str:
        """Return the word for it."""
        near = abs(self.left.value - self.right.value) <= self.allowance
        return AGREES if near else DIFFERS


Origin = Total | Cited | CellOf | Combined | Above | Quotient | RowDifference


def known(value: object) -> object:
    """Return the value of a number with an origin, and any other value as it is."""
    return value.value if isinstance(value, Origin | Agreement) else value


def expected(value: object) -> bool:
    """Return whether a number is expected over the scenarios: it sums up rows of several."""
    match value:
        case Total():
            of = next(each for each in columns(value.kind) if each.name == value.column)
            return value.weighed or of.adds_up
        case Combined():
            return any(map(expected, (*value.plus, *value.minus)))
        case Quotient():
            return expected(value.whole)
    return False
