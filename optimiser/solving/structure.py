"""The structure of a program: its scenario tree, and the decisions that move a plan most.

A program of a scenario tree falls apart where what its paths share is fixed. Signatures and the
like decide what everything else costs; summed along a path they are whole in every plan, and to
branch on such a sum says more than to branch on one of its columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from optimiser.solving.program import Bools, Floats, Ints, Program
from optimiser.solving.standard_form import Label

Positions = npt.NDArray[np.int64]
NOWHERE = -1  # the node of what stands at none


@dataclass(frozen=True)
class ScenarioTree:
    """A scenario tree: the parent of each node (None at the root; parents stand before children),
    and the probability that it is passed.
    """

    parent: Sequence[int | None]
    probability: Sequence[float]

    @cached_property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """Return for each leaf the nodes from the root to it; the most probable first."""
        way: list[tuple[int, ...]] = []
        for n, parent in enumerate(self.parent):
            way.append((*(way[parent] if parent is not None else ()), n))
        inner = set(self.parent)
        leaves = [n for n in range(len(way)) if n not in inner]
        return tuple(way[n] for n in sorted(leaves, key=lambda n: (-self.probability[n], n)))

    @cached_property
    def depth(self) -> Ints:
        """Return how many nodes stand before each."""
        depth = np.zeros(len(self.parent), dtype=np.int32)
        for n, parent in enumerate(self.parent):
            depth[n] = 0 if parent is None else depth[parent] + 1
        return depth


CHAIN = ScenarioTree((None,), (1.0,))


@dataclass(frozen=True, eq=False)
class Structure:
    """`node`: of the tree at which each column stands; `kind`: a number that columns share which
    differ in their node alone; `weighty`: whether a column is whole and decided before others, as
    its priority says; `late`: above 0 where it is whole and decided after them (light), the later
    the higher; `sums`: the columns of each sum that is whole in every plan, those of weighty
    columns first (`first` of them). There are none of light columns: to branch on them brings next
    to nothing.
    """

    tree: ScenarioTree
    node: Ints
    kind: Ints
    weighty: Bools
    late: Ints
    sums: tuple[Ints, ...]
    first: int

    def of(self, columns: Positions) -> Structure:
        """Return the structure of the program of some columns, without sums."""
        return Structure(
            self.tree,
            self.node[columns],
            self.kind[columns],
            self.weighty[columns],
            self.late[columns],
            (),
            0,
        )


def structure(
    program: Program, labels: Sequence[Label], priority: Ints, tree: ScenarioTree = CHAIN
) -> Structure:
    """Return the structure of a program.

    The last part of a label's index is the node of its column, where it is a number.
    """
    last = (key[-1] if key else None for _, key in labels)
    node = np.fromiter(
        (each if isinstance(each, int) and each < len(tree.parent) else NOWHERE for each in last),
        np.int32,
        len(labels),
    )
    kinds: dict[Any, int] = {}
    kind = np.fromiter(
        (kinds.setdefault((name, key[:-1]), len(kinds)) for name, key in labels),
        np.int32,
        len(labels),
    )
    weighty = program.integer & (priority > 0)
    late = np.where(program.integer, np.maximum(-priority, 0), 0).astype(np.int32)
    first, then = (
        _sums(labels, np.flatnonzero(of), tree)
        for of in (weighty, program.integer & (priority == 0))
    )
    return Structure(tree, node, kind, weighty, late, (*first, *then), len(first))


def _sums(labels: Sequence[Label], columns: Positions, tree: ScenarioTree) -> list[Ints]:
    """Return the sums along each path of the columns of a component that share the head of their
    index (a contract, one of its levels).

    A sum over all nodes at once says little: the decisions of two paths are independent.
    """
    found: dict[Any, list[int]] = {}
    ways: dict[int, list[int]] = {}
    for way, path in enumerate(tree.paths):
        for node in path:
            ways.setdefault(node, []).append(way)
    for j in columns.tolist():
        name, key = labels[j]
        if key and isinstance(key[-1], int):
            for size, way in itertools.product(range(1, len(key)), ways.get(key[-1], ())):
                found.setdefault((name, key[:size], way), []).append(j)
    # Paths share their beginnings: once is enough. A sum of one column is that column.
    return [
        np.array(each, dtype=np.int32)
        for each in dict.fromkeys(map(tuple, found.values()))
        if len(each) > 1
    ]


def extended(program: Program, sums: Sequence[Ints]) -> Program:
    """Return the program with a row without bounds for each sum behind its own."""
    row: Ints = (
        np.repeat(np.arange(len(sums)), [len(each) for each in sums]) + program.rows
    ).astype(np.int32)
    column = np.concatenate([np.zeros(0, dtype=np.int32), *sums])
    free: Floats = np.full(len(sums), np.inf)
    return program.extended(
        row_lower=-free, row_upper=free, row=row, column=column, value=np.ones(len(row))
    )


def nodes_of_rows(program: Program, structure: Structure) -> tuple[Ints, Bools]:
    """Return the deepest node of each row, and whether all others lie on the path to it."""
    tree, node = structure.tree, structure.node
    rank = np.append(
        tree.depth.astype(np.int64) * len(tree.parent) + np.arange(len(tree.parent)), -1
    )
    row = np.repeat(np.arange(program.rows), np.diff(program.start))
    deepest = np.full(program.rows, -1, dtype=np.int64)
    np.maximum.at(deepest, row, rank[node[program.index]])
    row_node = np.where(deepest < 0, NOWHERE, deepest % len(tree.parent)).astype(np.int32)
    enters, leaves = _spans(structure)
    inner, outer = node[program.index], row_node[row]
    along = (inner == NOWHERE) | (
        (enters[inner] <= enters[outer]) & (enters[outer] < leaves[inner])
    )
    local = np.ones(program.rows, dtype=np.bool_)
    local[row[~along]] = False
    return row_node, local


def _spans(structure: Structure) -> tuple[Ints, Ints]:
    """Return for each node its place in a walk through the tree, and the place behind all that
    descend from it.
    """
    parent = structure.tree.parent
    size = np.ones(len(parent), dtype=np.int32)
    for n in reversed(range(len(parent))):
        if (p := parent[n]) is not None:
            size[p] += size[n]
    enters = np.zeros(len(parent), dtype=np.int32)
    taken = np.ones(len(parent), dtype=np.int32)
    for n, p in enumerate(parent):
        if p is not None:
            enters[n] = enters[p] + taken[p]
            taken[p] += size[n]
    return enters, enters + size
