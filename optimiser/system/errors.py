"""The failures that a user can mend. `cli.py` maps each family to its exit status, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the input, or (`warning`) odd about it, in one line.

    `where` is a cell (`offers!F7`), a sheet or a file: what a link in a spreadsheet program points
    to.
    """

    where: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class StockpileError(Exception):
    """A failure that is told in words, without a traceback."""


class InputError(StockpileError):
    """The input is wrong: all faults that were found, in the order of the sheets, their rows and
    columns.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class OutputError(StockpileError):
    """A file cannot be written where it was asked for: which, why, and what to do about it."""


def locate(stockpile: Stockpile, problem: Problem) -> Fault:
    """A problem of the model's checks, with the cell where it stands."""
    return Fault(
        stockpile.address(problem.table, problem.line, problem.column),
        problem.said,
        problem.warning,
    )
