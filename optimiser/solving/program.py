"""A mixed-integer linear program as arrays."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

INFINITY = float("inf")


@dataclass(frozen=True, eq=False)
class Program:
    """min cost·x + offset  over  row_lower ≤ A x ≤ row_upper,  lower ≤ x ≤ upper,  x[integer]
    whole.

    Shapes: `cost lower upper integer` one for each column, `row_lower row_upper` one for each row.
    A is kept by rows: row i holds `value[k]` in column `index[k]` for start[i] ≤ k < start[i + 1].
    No entry is zero or stands twice. A bound that is not there is ±inf.
    """

    cost: Floats
    offset: float
    lower: Floats
    upper: Floats
    integer: Bools
    row_lower: Floats
    row_upper: Floats
    start: Ints
    index: Ints
    value: Floats

    @property
    def columns(self) -> int:
        """Return the number of columns."""
        return len(self.cost)

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.row_lower)

    def objective(self, x: Floats) -> float:
        """Return cost·x + offset."""
        # Not `@`: on long vectors BLAS wakes a thread for each core, which takes longer to sleep
        # again than the sum takes.
        return float((self.cost * x).sum()) + self.offset

    @property
    def least(self) -> float:
        """Return the least value of the objective within the bounds of the columns."""
        at, cost = np.where(self.cost > 0, self.lower, self.upper), self.cost
        return float((cost[cost != 0] * at[cost != 0]).sum()) + self.offset

    def activity(self, x: Floats) -> Floats:
        """Return A x, one value for each row."""
        row = np.repeat(np.arange(self.rows), np.diff(self.start))
        return np.bincount(row, weights=self.value * x[self.index], minlength=self.rows).astype(
            np.float64
        )

    def holds(self, x: Floats, tolerance: float = 1e-7) -> bool:
        """Return whether x keeps all bounds, each to a tolerance in its size, and is whole where it
        must be.
        """
        for value, lower, upper in (
            (x, self.lower, self.upper),
            (self.activity(x), self.row_lower, self.row_upper),
        ):
            with np.errstate(invalid="ignore"):
                room = tolerance * np.maximum(1.0, np.abs(value))
            if (value < lower - room).any() or (value > upper + room).any():
                return False
        return bool((x[self.integer] == np.round(x[self.integer])).all())

    def matrix(self) -> Any:
        """Return A as a sparse array of scipy, by rows."""
        return _sparse().csr_array(
            (self.value, self.index, self.start), shape=(self.rows, self.columns)
        )

    def relaxed(self) -> Program:
        """Return the same program with continuous columns only."""
        return replace(self, integer=np.zeros(self.columns, dtype=np.bool_))

    def fixed(self, whole: Floats) -> Program:
        """Return the linear program with the integer columns held at given values."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[self.integer] = upper[self.integer] = whole
        return replace(self.relaxed(), lower=lower, upper=upper)

    def restricted(self, columns: Any, x: Floats) -> tuple[Program, Any]:
        """Return the program of some columns, the others held at a point of this one, and its rows:
        those in which the columns stand.
        """
        other = x.copy()
        other[columns] = 0.0
        held, kept = self.activity(other), self.activity(x)
        among = self.matrix()[:, columns].tocsr()
        rows = np.flatnonzero(np.diff(among.indptr))
        own = among[rows]
        part = replace(
            self,
            cost=self.cost[columns],
            offset=0.0,
            lower=self.lower[columns],
            upper=self.upper[columns],
            integer=self.integer[columns],
            # A point keeps its rows to rounding only.
            row_lower=(np.minimum(self.row_lower, kept) - held)[rows],
            row_upper=(np.maximum(self.row_upper, kept) - held)[rows],
            start=own.indptr.astype(np.int32),
            index=own.indices.astype(np.int32),
            value=own.data,
        )
        return part, rows

    def extended(
        self,
        *,
        lower: Sequence[float] | Floats = (),
        upper: Sequence[float] | Floats = (),
        cost: Sequence[float] | Floats = (),
        row_lower: Sequence[float] | Floats = (),
        row_upper: Sequence[float] | Floats = (),
        row: Sequence[int] | Ints = (),
        column: Sequence[int] | Ints = (),
        value: Sequence[float] | Floats = (),
    ) -> Program:
        """Return the program with more continuous columns (`cost lower upper`), rows (`row_lower
        row_upper`) and entries (`row column value`).

        New columns and rows stand behind the old ones. No new entry may stand in the place of an
        old one.
        """
        rows = self.rows + len(row_lower)
        row_of = np.concatenate(
            [np.repeat(np.arange(self.rows), np.diff(self.start)), np.asarray(row, dtype=np.int64)]
        )
        order = np.argsort(row_of, kind="stable")
        return replace(
            self,
            cost=np.append(self.cost, cost),
            lower=np.append(self.lower, lower),
            upper=np.append(self.upper, upper),
            integer=np.append(self.integer, np.zeros(len(lower), dtype=np.bool_)),
            row_lower=np.append(self.row_lower, row_lower),
            row_upper=np.append(self.row_upper, row_upper),
            start=np.concatenate([[0], np.cumsum(np.bincount(row_of, minlength=rows))]).astype(
                np.int32
            ),
            index=np.append(self.index, np.asarray(column, dtype=np.int32))[order],
            value=np.append(self.value, np.asarray(value, dtype=np.float64))[order],
        )


def _sparse() -> Any:
    """Return scipy.sparse.

    Pyomo watches for the import of scipy and then imports its statistics and more, which takes half
    a second. Loaded by the finder of the standard library scipy is not noticed.
    """
    if "scipy" not in sys.modules:
        spec = PathFinder.find_spec("scipy")
        if spec is not None and spec.loader is not None:
            sys.modules["scipy"] = module_from_spec(spec)
            spec.loader.exec_module(sys.modules["scipy"])
    return importlib.import_module("scipy.sparse")
