"""The errors that a user can fix. The command line gives each kind an exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One error of the input, or (`warning`) one oddity, in one line.

    `where` is a cell (`offers!F7`), a sheet or a file, as a link in a spreadsheet program has it.

    >>> import optimiser as so
    >>> print(so.Fault("offers!F7", "price must be a number, found 'ten'"))
    offers!F7: price must be a number, found 'ten'
    """

    where: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class StockpileError(Exception):
    """An error that a user can fix; its message says how.

    >>> import optimiser as so
    >>> issubclass(so.InputError, so.StockpileError)
    True
    """

    internal: ClassVar[bool] = False
    """Whether it is an error of this program or its solver, which no user can fix."""


class InputError(StockpileError):
    """The input is wrong: `faults` holds all errors, in the order of sheets, rows, columns.

    >>> import optimiser as so
    >>> try:
    ...     so.read("inputs/small.xlsx", "offers[spot].capacity = -5")
    ... except so.InputError as error:
    ...     print(error.faults[0].message)
    offers!A2: capacity must be at least 0, found -5
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        """Return how it is made again in another process."""
        return type(self), (self.faults,)


class OutputError(StockpileError):
    """A file cannot be written: which one, why, and what to do about it.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> try:
    ...     plan.save("plan.pdf")
    ... except so.OutputError as error:
    ...     print(error)
    plan.pdf: a plan is saved as .html, .json or .xlsx; choose such a name
    """


class NoPlanError(StockpileError):
    """A workbook whose plan is to be compared has none.

    `status`: infeasible or no_plan. `interrupted`: the user ended the search.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> try:
    ...     so.compare(book, book.change("offers[*].capacity = 0"))
    ... except so.NoPlanError as error:
    ...     print(error.status)
    infeasible
    """

    def __init__(self, message: str, status: str, interrupted: bool = False) -> None:
        self.status, self.interrupted = status, interrupted
        super().__init__(message)
