"""A linear program of which HiGHS holds only what matters: columns that were used, and rows that
bound something, in near programs.

The rest is looked at after each solve. A column that would lower the cost comes in, and so does a
row that is broken, until there is none: then the vertex and its bound are those of the whole
program. Where little comes in, an iteration of the simplex takes half as long.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus

from optimiser.solving.linear import (
    AT_LOWER,
    BASIC,
    PRICED,
    STATUSES,
    Basis,
    LinearProgram,
    SearchClock,
)
from optimiser.solving.program import Bools, Floats, Program
from optimiser.solving.search_options import PRECISION
from optimiser.solving.structure import Positions

BROKEN = 1e-7  # by how much a row that is left out may be missed, in its size
# columns that come in with those that lower the cost: whose reduced cost is less, of what it is the
# difference of
NEAR = 0.01


@dataclass(frozen=True, eq=False)
class Core:
    """The columns and rows of a program that matter."""

    columns: Bools
    rows: Bools

    @classmethod
    def of(cls, basis: Basis, rows: int) -> Core:
        """Return what a basis uses: the columns that are not at their lower bound, and of the first
        rows those at one of theirs.
        """
        column, row = (np.frombuffer(part, dtype=np.int8) for part in (basis.columns, basis.rows))
        return cls(column != AT_LOWER, row[:rows] != BASIC)

    def __or__(self, other: Core) -> Core:
        return Core(self.columns | other.columns, self.rows | other.rows)


class Sifted(LinearProgram):
    """A linear program of whose columns and rows HiGHS holds a core, and the rows behind those of
    the core. A column that is left out stands at its lower bound of 0. `core` is what was used
    since. `repairs`: whether columns come in where there is no point without them.
    """

    anew = False  # what comes in is read off the ray of what has no point: presolve leaves none

    def __init__(
        self, program: Program, clock: SearchClock, core: Core, repairs: bool = True
    ) -> None:
        self.core = Core(np.zeros_like(core.columns), np.zeros_like(core.rows))
        self._repairs = repairs
        behind = np.ones(program.rows - len(core.rows), dtype=np.bool_)
        self._columns = np.flatnonzero(core.columns | (program.lower != 0))
        self._rows = np.flatnonzero(np.append(core.rows, behind))
        self._column, self._row = (
            _places(self._columns, program.columns),
            _places(self._rows, program.rows),
        )
        super().__init__(program, clock)

    def _loaded(self) -> Program:
        whole, columns, rows = self.program, self._columns, self._rows
        part = self.matrix[rows][:, columns].tocsr()
        return Program(
            cost=whole.cost[columns],
            offset=whole.offset,
            lower=whole.lower[columns],
            upper=whole.upper[columns],
            integer=whole.integer[columns],
            row_lower=whole.row_lower[rows],
            row_upper=whole.row_upper[rows],
            start=part.indptr.astype(np.int32),
            index=part.indices.astype(np.int32),
            value=part.data,
        )

    def twin(self) -> None:
        """Return nothing: what comes in on one side of a branch serves the other."""

    # --- Bounds and bases

    def bound(self, lower: Floats, upper: Floats) -> None:
        """Put bounds on the columns. One that may no longer be 0 comes in."""
        changed = (lower != self.lower) | (upper != self.upper)
        self.lower, self.upper = lower, upper
        at = np.flatnonzero(changed & (self._column >= 0)).astype(np.int32)
        if len(at):
            self.h.changeColsBounds(len(at), self._column[at], lower[at], upper[at])
        self._add_columns(np.flatnonzero((lower != 0) & (self._column < 0)))

    def bound_rows(self, lower: Floats, upper: Floats) -> None:
        """Put bounds on the rows."""
        changed = (lower != self.row_lower) | (upper != self.row_upper)
        self.row_lower, self.row_upper = lower, upper
        at = np.flatnonzero(changed & (self._row >= 0)).astype(np.int32)
        if len(at):
            held = (self._row[at], lower[at], upper[at])
            self.h.changeRowsBounds(len(at), *held)  # type: ignore[attr-defined]
        self._add_rows(np.flatnonzero(changed & (self._row < 0)))

    def _begin(self, basis: Any) -> None:
        found = highspy.HighsBasis()
        if isinstance(basis, Basis):
            found.col_status = [STATUSES[basis.columns[j]] for j in self._columns.tolist()]
            found.row_status = [STATUSES[basis.rows[i]] for i in self._rows.tolist()]
            found.alien = True  # of the whole: here it need not be square
        else:
            columns, rows = basis.col_status, basis.row_status  # what came in since is behind
            found.col_status = columns + [STATUSES[AT_LOWER]] * (len(self._columns) - len(columns))
            found.row_status = rows + [STATUSES[BASIC]] * (len(self._rows) - len(rows))
        found.valid = True
        self.h.setBasis(found)

    def _charge(self, cost: Floats) -> None:
        self._cost, every = cost, np.arange(len(self._columns), dtype=np.int32)
        self.h.changeColsCost(len(every), every, cost[self._columns])

    def kept(self, basis: Any) -> Basis:
        """Return the basis of a vertex as one of the whole."""
        columns = np.full(self.program.columns, AT_LOWER, dtype=np.int8)
        rows = np.full(self.program.rows, BASIC, dtype=np.int8)
        for every, held, status in (
            (columns, self._columns, basis.col_status),
            (rows, self._rows, basis.row_status),
        ):
            every[held[: len(status)]] = np.fromiter(map(int, status), np.int8, len(status))
        return Basis(columns.tobytes(), rows.tobytes())

    # --- What comes in

    def _vertex(self, ended: HighsModelStatus, cutoff: float) -> Any:
        while (primal := self._came_in(ended, cutoff)) is not None:
            ended = self._minimised(primal)
        return super()._vertex(ended, cutoff)

    def _came_in(self, ended: HighsModelStatus, cutoff: float) -> bool | None:
        """Let in what would change how a solve ended.

        Return whether the primal simplex goes on from there; None where nothing came in.
        """
        if ended == HighsModelStatus.kInfeasible:
            return False if self._repairs and self._add_columns(self._repairing()) else None
        if ended not in (
            HighsModelStatus.kOptimal,
            HighsModelStatus.kObjectiveBound,
        ):  # unbounded without the rows that are left out
            columns, rows = (
                self._add_columns(np.flatnonzero(self._left_out)),
                self._add_rows(np.flatnonzero(self._row < 0)),
            )
            return False if columns or rows else None
        x, activity, dual = self._solution()
        if ended == HighsModelStatus.kObjectiveBound and self.proven(
            dual
        ) >= cutoff - PRECISION * abs(cutoff):
            return None
        if self._add_columns(self._cheap(dual)):
            return ended == HighsModelStatus.kOptimal
        if ended == HighsModelStatus.kObjectiveBound:
            return None
        return False if self._add_rows(self._broken(x, activity)) else None

    def _broken(self, x: Floats, activity: Floats) -> Positions:
        """Return the rows that are left out and broken, with those that are near to it; none where
        none is.
        """
        left_out, missed = (
            self._row < 0,
            np.maximum(self.row_lower - activity, activity - self.row_upper),
        )
        if not (left_out & (missed > BROKEN * np.maximum(1.0, np.abs(activity)))).any():
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(left_out & (missed >= -NEAR * (self._magnitude @ np.abs(x))))

    def _cheap(self, dual: Floats) -> Positions:
        """Return the columns that are left out and would lower the cost, with those that are near
        to it; none where none would.
        """
        reduced, cost, left_out = self.reduced(dual), np.abs(self.program.cost), self._left_out
        if not (left_out & (reduced < -PRICED * np.maximum(1.0, cost))).any():
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(
            left_out & (reduced < NEAR * (cost + self._magnitude.T @ np.abs(dual)))
        )

    @functools.cached_property
    def _magnitude(self) -> Any:
        return abs(self.matrix)

    @property
    def _left_out(self) -> Bools:
        """Return the columns that are left out, but for those that are 0 in any case."""
        left_out: Bools = (self._column < 0) & (self.upper > 0)
        return left_out

    def _repairing(self) -> Positions:
        """Return the columns without which there is no point: those that the proof of it has not
        seen.
        """
        left_out = self._left_out
        # Without a ray at hand HiGHS would solve for it from nothing.
        if not self.h.getDualRayExist()[1]:  # type: ignore[attr-defined]
            return np.flatnonzero(left_out)
        _, _, ray = self.h.getDualRay()  # type: ignore[attr-defined]
        dual = np.zeros(self.program.rows)
        dual[self._rows] = ray / np.abs(ray).max()
        moved = np.abs(self.matrix.T @ dual)
        return np.flatnonzero(left_out & (moved > PRICED))

    def _add_columns(self, at: Positions) -> bool:
        """Let columns in. Return whether there were any."""
        if len(at):
            part = self.matrix[self._rows][:, at].tocsc()
            start, index = part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32)
            cost, lower, upper = self.program.cost[at], self.lower[at], self.upper[at]
            self.h.addCols(len(at), cost, lower, upper, part.nnz, start, index, part.data)
            self._column[at] = len(self._columns) + np.arange(len(at), dtype=np.int32)
            self._columns = np.append(self._columns, at)
        return len(at) > 0

    def _add_rows(self, at: Positions) -> bool:
        """Let rows in. Return whether there were any."""
        if len(at):
            part = self.matrix[at][:, self._columns].tocsr()
            start, index = part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32)
            self.h.addRows(
                len(at), self.row_lower[at], self.row_upper[at], part.nnz, start, index, part.data
            )
            self._row[at] = len(self._rows) + np.arange(len(at), dtype=np.int32)
            self._rows = np.append(self._rows, at)
        return len(at) > 0

    def _solution(self) -> tuple[Floats, Floats, Floats]:
        solution = self.h.getSolution()
        x, dual = np.zeros(self.program.columns), np.zeros(self.program.rows)
        x[self._columns], dual[self._rows] = solution.col_value, solution.row_dual
        rows = dual[: len(self.core.rows)]
        self.core |= Core(x != 0, rows != 0)
        return x, np.asarray(self.matrix @ x), dual


def _places(held: Positions, many: int) -> Any:
    """Return the place of each among those that are held; -1 where it is not."""
    places = np.full(many, -1, dtype=np.int32)
    places[held] = np.arange(len(held), dtype=np.int32)
    return places
