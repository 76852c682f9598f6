"""A program in units of its own: rows and columns whose numbers lie less far apart.

HiGHS keeps absolute tolerances. Next to prices that are a million apart money has amounts to which
no number of 16 digits keeps them, and it gives up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimiser.solving.program import Floats, Program

ROUNDS = 8  # after which the numbers come no nearer to each other


@dataclass(frozen=True, eq=False)
class EvenScale:
    """The size of one unit of each row and of each column, a power of 2: they round nothing."""

    row: Floats
    column: Floats

    @classmethod
    def of(cls, program: Program) -> EvenScale:
        """Return units in which the entries of each row and column have a geometric mean near 1.

        A column that is whole keeps its own. (R. Fourer, Math. Program. 23, 1982.)
        """
        entry, size = _rows_of(program), np.abs(program.value)
        row, column = np.ones(program.rows), np.ones(program.columns)
        for _ in range(ROUNDS):
            row *= _middle(size * column[program.index] / row[entry], entry, program.rows)
            middle = _middle(
                size * column[program.index] / row[entry], program.index, program.columns
            )
            column = np.where(program.integer, 1.0, column / middle)
        return cls(_power(row), _power(column))

    def scaled(self, program: Program) -> Program:
        """Return a program in these units."""
        return replace(
            program,
            cost=program.cost * self.column,
            lower=program.lower / self.column,
            upper=program.upper / self.column,
            row_lower=program.row_lower / self.row,
            row_upper=program.row_upper / self.row,
            value=program.value * self.column[program.index] / self.row[_rows_of(program)],
        )


def _rows_of(program: Program) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the row of each entry."""
    return np.repeat(np.arange(program.rows), np.diff(program.start))


def _middle(size: Floats, of: np.ndarray[tuple[int, ...], np.dtype[np.integer]], n: int) -> Floats:
    """Return the root of the least times the largest size of each; 1 where it has no entry."""
    least, most = np.full(n, np.inf), np.zeros(n)
    np.minimum.at(least, of, size)
    np.maximum.at(most, of, size)
    some = most > 0
    return np.where(some, np.sqrt(least, where=some, out=np.ones(n)) * np.sqrt(most), 1.0)


def _power(size: Floats) -> Floats:
    """Return the power of 2 that is nearest to each size."""
    return np.asarray(2.0 ** np.rint(np.log2(size)), dtype=np.float64)
