"""The relaxation of a scenario tree, path by path.

The most probable path is solved alone; each other path then alone from where it parts, with its
beginning held. Their bases together are a basis of the whole, near the best one, from which the
primal simplex goes on: a fifth of the time that the whole takes from nothing, a tenth where there
are a hundred paths. Where there are many, some are joined before the others are added, then twice
as many, and so on. Columns of kinds that the first path does not use, and whose prices say that it
should not, are left out until the last: two of five. A path that cannot go on from the beginning of
the others, as it asks for more, is solved before them.

From the basis of the whole, each path is planned with whole integers too, with what was planned
before it held: the first plan. A path for which rounding finds none after what the others decided
first is planned before them, and after some such paths by HiGHS, whose search of one path takes
longer than all the paths before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from optimiser.solving.branching import Master, Subproblem
from optimiser.solving.dive import dive, searched
from optimiser.solving.linear import (
    AT_LOWER,
    BASIC,
    PRICED,
    Basis,
    Bytes,
    LinearProgram,
    SearchClock,
    Vertex,
)
from optimiser.solving.program import Bools, Floats, Program
from optimiser.solving.structure import NOWHERE, Positions, Structure, nodes_of_rows

FEW = 3  # paths that are joined at once
PRICINGS = 4  # times that columns come back, at most
RESTARTS = 2  # times that a path which asks for more is put before the others, at most


class Paths:
    """The values and the basis of what has been solved so far."""

    def __init__(self, program: Program, structure: Structure, clock: SearchClock) -> None:
        self.program, self.structure, self.clock = program, structure, clock
        self.matrix = program.matrix()
        self.row_node, self.local = nodes_of_rows(program, structure)
        self.order = [*structure.tree.paths]
        self._begin()

    def _begin(self) -> None:
        """Begin with nothing solved."""
        program = self.program
        self.used = np.ones(program.columns, dtype=np.bool_)  # columns that are not left out
        self.x = np.zeros(program.columns)
        self.columns: Bytes = np.full(program.columns, AT_LOWER, dtype=np.int8)
        self.rows: Bytes = np.full(program.rows, BASIC, dtype=np.int8)

    def grow(self) -> Iterator[int]:
        """Solve path by path, and join what was solved; yield how many paths are done.

        Raises OutOfTime and SolverError.
        """
        several, k, restarts = len(self.order), 0, 0
        joins = {several}
        while min(joins) > FEW:
            joins.add(-(-min(joins) // 2))
        inside = self._nowhere()
        while k < several:
            new = self._new(self.order[k], inside)
            if not self._alone(new) and k > 0 and restarts < RESTARTS:
                restarts += 1
                self.order.insert(0, self.order.pop(k))
                self._begin()
                inside, k = self._nowhere(), 0
                continue
            inside |= new
            k += 1
            yield k
            if k in joins:
                self._join(inside, k)

    def plan(self) -> Floats | None:
        """Return a plan, path by path from the basis of the whole; None where a path has none after
        the others. Raises OutOfTime and SolverError.
        """
        order, restarts, k = [*self.order], 0, 0
        x, inside = np.zeros(self.program.columns), self._nowhere()
        while k < len(order):
            new = self._new(order[k], inside)
            before = k > 0 and restarts < RESTARTS  # may be planned before the others
            found = self._planned(new, x, searching=not before)
            if found is not None:
                x, inside, k = found, inside | new, k + 1
            elif before:
                restarts += 1
                order.insert(0, order.pop(k))
                x, inside, k = np.zeros(self.program.columns), self._nowhere(), 0
            else:
                return None
        return x

    def _new(self, path: Sequence[int], inside: Bools) -> Bools:
        """Return what of a path is not inside yet; NOWHERE comes with the first."""
        new = self._nowhere()
        new[[*path]] = True
        new[NOWHERE] = True
        return new & ~inside

    def _nowhere(self) -> Bools:
        """Return no node; the last place is NOWHERE."""
        return np.zeros(len(self.structure.tree.parent) + 1, dtype=np.bool_)

    @property
    def basis(self) -> Basis:
        """Return the basis of the whole program."""
        return Basis(self.columns.tobytes(), self.rows.tobytes())

    def _alone(self, new: Bools) -> bool:
        """Solve what stands at some nodes, the others as they are.

        Return whether there is a point.
        """
        every, rows = self._at(new)
        columns = every[self.used[every]]
        relaxation = LinearProgram(self._part(columns, rows, self.x), self.clock)
        vertex = relaxation.solve()
        if not vertex.solved and len(columns) < len(every):
            columns = every
            vertex = LinearProgram(self._part(columns, rows, self.x), self.clock).solve()
            if vertex.solved:
                self._use(columns[vertex.x > 0])
        self._keep(columns, rows, vertex)
        if new[0] and vertex.solved and len(self.order) > 1:
            self._leave_out(columns, relaxation, vertex)
        return vertex.solved

    def _leave_out(self, columns: Positions, relaxation: LinearProgram, vertex: Vertex) -> None:
        """Leave out the kinds of columns that the first path does not use and that cost it."""
        reduced = relaxation.reduced(vertex.dual)
        at_lower = self.columns[columns] == AT_LOWER
        cheap = (vertex.x > 0) | (at_lower & (reduced <= PRICED)) | self.program.integer[columns]
        self.used = self.structure.node == NOWHERE
        self._use(columns[cheap])

    def _use(self, columns: Positions) -> None:
        """Take in all columns of the kinds of some."""
        kind = self.structure.kind
        self.used |= np.isin(kind, kind[columns])

    def _planned(self, new: Bools, x: Floats, searching: bool) -> Floats | None:
        """Return x with what stands at some nodes planned, the others as they are; None where it
        has no plan. Where rounding finds none HiGHS does if that may be searching.
        """
        columns, rows = self._at(new)
        part = replace(self._part(columns, rows, x), integer=self.program.integer[columns])
        relaxation = LinearProgram(part.relaxed(), self.clock)
        vertex = relaxation.solve(self.basis.at(columns, rows))
        if not vertex.solved:
            return None
        found = dive(Master(part, self.structure.of(columns), relaxation), Subproblem(), vertex)
        whole = None if found is None else found.x
        if whole is None and searching:
            whole = searched(part, self.clock)
        if whole is None:
            return None
        planned = x.copy()
        planned[columns] = whole
        return planned

    def _join(self, inside: Bools, leaves: int) -> None:
        """Solve what stands at the nodes so far, as if their leaves were all.

        Kinds of columns whose prices now say that they should be used come back.
        """
        tree = self.structure.tree
        weight = np.zeros(len(inside))
        for path in self.order[:leaves]:
            weight[[*path]] += tree.probability[path[-1]]
        weight = np.append(weight[:-1] / weight[0] / np.array(tree.probability), 1.0)
        every, rows = self._at(inside)
        if leaves == len(self.order):
            rows = np.arange(self.program.rows)
        cost = self.program.cost[every] * weight[self.structure.node[every]]
        self.columns[~self.used] = AT_LOWER  # basic at nothing, where a part was solved with all
        for _ in range(PRICINGS):
            kept = self.used[every]
            columns = every[kept]
            part = replace(self._part(columns, rows, self.x), cost=cost[kept])
            vertex = LinearProgram(part, self.clock).solve(
                self.basis.at(columns, rows), primal=True
            )
            self._keep(columns, rows, vertex)
            if not vertex.solved or kept.all():
                break
            reduced = cost[~kept] - self.matrix[rows][:, every[~kept]].T @ vertex.dual
            cheap = reduced < -PRICED * np.maximum(1.0, np.abs(cost[~kept]))
            if not cheap.any():
                break
            self._use(every[~kept][cheap])

    def _at(self, nodes: Bools) -> tuple[Positions, Positions]:
        return np.flatnonzero(nodes[self.structure.node]), np.flatnonzero(
            nodes[self.row_node] & self.local
        )

    def _part(self, columns: Positions, rows: Positions, x: Floats) -> Program:
        """Return the program of some rows over some columns, the others at x; it costs what it does
        once its nodes are reached.
        """
        whole, tree = self.program, self.structure.tree
        among = self.matrix[rows]
        other = x.copy()
        other[columns] = 0.0
        held = among @ other
        own = among[:, columns].tocsr()
        probability = np.append(tree.probability, 1.0)
        return Program(
            cost=whole.cost[columns] / probability[self.structure.node[columns]],
            offset=0.0,
            lower=whole.lower[columns],
            upper=whole.upper[columns],
            integer=np.zeros(len(columns), dtype=np.bool_),
            row_lower=whole.row_lower[rows] - held,
            row_upper=whole.row_upper[rows] - held,
            start=own.indptr.astype(np.int32),
            index=own.indices.astype(np.int32),
            value=own.data,
        )

    def _keep(self, columns: Positions, rows: Positions, vertex: Vertex) -> None:
        if not vertex.solved:
            return  # the others are a beginning all the same
        self.x[columns] = np.clip(
            vertex.x, self.program.lower[columns], self.program.upper[columns]
        )
        self.columns[columns] = np.fromiter(
            map(int, vertex.basis.col_status), np.int8, len(columns)
        )
        self.rows[rows] = np.fromiter(map(int, vertex.basis.row_status), np.int8, len(rows))
