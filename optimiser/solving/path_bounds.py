"""Bounds of a scenario tree by its paths.

What two paths decide late hardly depends on one another, but branches in the whole program see only
one combination of all such decisions after another: ten decisions of ten paths are a thousand
branches. Apart they are twenty. So the program is split into one for each path, from the root to
the leaf, with own copies of what it shares. The duals of the relaxation say what of the cost each
copy carries; at these the programs of the paths together cost what the relaxation does, and what
their branches raise adds up: dual decomposition of Carøe and Schultz (Operations Research Letters,
1999), at the duals of the linear program.

A cost and a row are shared out among the paths that pass their node, by probability. A row of
several paths that do not share its nodes is priced by its dual.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optimiser.solving.branching import Gains, Master, SearchTree, Subproblem
from optimiser.solving.linear import Basis, LinearProgram, Vertex
from optimiser.solving.program import Floats, Program
from optimiser.solving.search_options import SolverError
from optimiser.solving.structure import Positions, ScenarioTree, Structure, nodes_of_rows

NODES = 40  # linear programs, at most, of the branches of one path
STEP = 4  # of them between two looks at whether they are enough
LITTLE = 0.1  # of what is missing, by path: what a step must bring for another
ANEW = 10  # rows and columns for each iteration after which one is solved from nothing


@dataclass(frozen=True, eq=False)
class PathPart:
    """Describe what of a program lies on a path: its columns and rows, those of sums behind the
    others, with its share of each; `own` rows are no sums.
    """

    columns: Positions
    rows: Positions
    column_share: Floats
    row_share: Floats
    own: int
    matrix: Any
    structure: Structure


class PathBounds:
    """The paths of a program, which bound its parts; their branches are measured by a gap."""

    def __init__(self, master: Master, gap: float) -> None:
        self.master, self.gap = master, gap

    @cached_property
    def _parts(self) -> list[PathPart]:
        master = self.master
        whole, structure = master.relaxation.program, master.structure
        matrix, own = master.relaxation.matrix, master.program.rows
        row_node, local = nodes_of_rows(whole, structure)
        parts = []
        for path, share in _shares(structure.tree):
            inside = np.zeros(len(share), dtype=np.bool_)
            inside[[*path, -1]] = True
            columns = np.flatnonzero(inside[structure.node])
            rows = np.flatnonzero(inside[row_node] & local)
            among = int((rows < own).sum())
            place = np.full(whole.columns, -1, dtype=np.int32)
            place[columns] = np.arange(len(columns), dtype=np.int32)
            numbers = rows[among:] - own
            of_path = replace(
                structure.of(columns),
                sums=tuple(place[structure.sums[k]] for k in numbers.tolist()),
                first=int((numbers < structure.first).sum()),
            )
            parts.append(
                PathPart(
                    columns,
                    rows,
                    share[structure.node[columns]],
                    share[row_node[rows]],
                    among,
                    matrix[rows][:, columns].tocsr(),
                    of_path,
                )
            )
        return parts

    def bound(self, part: Subproblem, vertex: Vertex, enough: float) -> float:
        """Return a bound of a part of the program, from the vertex of its relaxation: no plan of it
        costs less. Branches end where it is `enough`.

        Raises OutOfTime.
        """
        paths = self._parts
        whole, relaxation = self.master.bounded(part), self.master.relaxation
        side = np.where(vertex.dual > 0, whole.row_lower, whole.row_upper)
        finite = np.isfinite(side)
        dual, side = np.where(finite, vertex.dual, 0.0), np.where(finite, side, 0.0)
        reduced = whole.cost - relaxation.matrix.T @ dual
        at = np.where(reduced > 0, whole.lower, whole.upper)
        # What the duals prove of each column and row: all together are the bound of the vertex.
        of_columns = reduced * np.where(np.isfinite(at), at, 0.0)
        of_rows = dual * side
        bound, basis = vertex.bound, relaxation.kept(vertex.basis)
        little = LITTLE * (enough - bound) / len(paths)
        for each in paths:
            columns, rows = each.columns, each.rows
            cost = each.matrix.T @ (dual[rows] * each.row_share) + (
                reduced[columns] * each.column_share
            )
            proven = float((of_columns[columns] * each.column_share).sum()) + float(
                (of_rows[rows] * each.row_share).sum()
            )
            # It costs what the others do too, so that the gap means the same.
            offset, reached = vertex.bound - proven, vertex.bound + enough - bound
            with contextlib.suppress(SolverError):  # a path that is not solved raises nothing
                found = self._of_path(each, whole, cost, offset, basis, reached, little)
                bound += max(0.0, found - vertex.bound)
            if bound >= enough:
                break
        return bound

    def _of_path(
        self,
        path: PathPart,
        whole: Program,
        cost: Floats,
        offset: float,
        basis: Basis,
        enough: float,
        little: float,
    ) -> float:
        """Return the bound of what lies on a path, as far as its branches bring more than a
        `little`.
        """
        columns, rows, k = path.columns, path.rows, path.own
        integer = np.zeros(whole.columns, dtype=np.bool_)
        integer[self.master.integers] = True
        top = path.matrix[:k]
        program = Program(
            cost=cost,
            offset=offset,
            lower=whole.lower[columns],
            upper=whole.upper[columns],
            integer=integer[columns],
            row_lower=whole.row_lower[rows[:k]],
            row_upper=whole.row_upper[rows[:k]],
            start=top.indptr.astype(np.int32),
            index=top.indices.astype(np.int32),
            value=top.data,
        )
        extended = replace(
            program,
            row_lower=whole.row_lower[rows],
            row_upper=whole.row_upper[rows],
            start=path.matrix.indptr.astype(np.int32),
            index=path.matrix.indices.astype(np.int32),
            value=path.matrix.data,
        )
        clock = replace(self.master.relaxation.clock, iterations=0)
        soon = (extended.rows + extended.columns) // ANEW
        relaxation = LinearProgram(extended, clock, soon)
        vertex = relaxation.solve(basis.at(columns, rows))
        master = Master(program, path.structure, relaxation)
        tree = SearchTree(master, vertex, Gains(), self.gap)
        while tree.weighty and tree.nodes < NODES and tree.bound < enough:
            before = tree.bound
            if not tree.grow(enough, STEP) or tree.bound - before < little:
                break
        return tree.bound


def _shares(tree: ScenarioTree) -> list[tuple[tuple[int, ...], Floats]]:
    """Return each path with what share of each node is its: by probability among the paths that
    pass it, among equals where they have none. Behind the nodes stands what is at none: all pass
    it.
    """
    size = len(tree.parent) + 1
    weight, passed = np.zeros(size), np.zeros(size)
    for path in tree.paths:
        weight[[*path, -1]] += tree.probability[path[-1]]
        passed[[*path, -1]] += 1
    shares = []
    for path in tree.paths:
        share, at = np.zeros(size), [*path, -1]
        likely = tree.probability[path[-1]]
        for n in at:
            share[n] = likely / weight[n] if weight[n] > 0 else 1.0 / passed[n]
        shares.append((path, share))
    return shares
