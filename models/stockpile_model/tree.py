"""The scenario tree: nodes of which each stands for a period of some scenarios."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

ALL = "all"  # scenarios
BASE = "base"  # the scenario without events


@dataclass(frozen=True)
class Tree:
    """The horizon as a tree of nodes 0, 1, …, parents before children.

    A chain is the tree of one scenario. `period[n]` is the period of node n, `parent[n]` its parent
    (None at the root), `probability[n]` the probability that n is passed.
    """

    period: tuple[int, ...]
    parent: tuple[int | None, ...]
    probability: tuple[float, ...]

    @classmethod
    def chain(cls, periods: int) -> Tree:
        """Return the tree of one scenario."""
        return cls(tuple(range(periods)), (None, *range(periods - 1)), (1.0,) * periods)

    @property
    def nodes(self) -> range:
        """Return all nodes, parents before children."""
        return range(len(self.period))

    @functools.cached_property
    def leaves(self) -> tuple[int, ...]:
        """Return the nodes without children: the ends of the paths."""
        inner = set(self.parent)
        return tuple(n for n in self.nodes if n not in inner)

    @functools.cached_property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """Return for each node, the nodes from the root to it."""
        found: list[tuple[int, ...]] = []
        for parent in self.parent:
            found.append((*(found[parent] if parent is not None else ()), len(found)))
        return tuple(found)

    @functools.cached_property
    def below(self) -> tuple[tuple[int, ...], ...]:
        """Return for each node, itself and all that descend from it, parents before children."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for each in self.paths[node]:
                found[each].append(node)
        return tuple(tuple(nodes) for nodes in found)

    def back(self, node: int, periods: int) -> int | None:
        """Return the ancestor `periods` before a node; None before the root."""
        path = self.paths[node]
        return path[-1 - periods] if periods < len(path) else None

    @functools.cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Return for each node, those of which it is the parent."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node, parent in enumerate(self.parent):
            if parent is not None:
                found[parent].append(node)
        return tuple(tuple(nodes) for nodes in found)

    def later(self, node: int, periods: int) -> list[int]:
        """Return the descendants `periods` after a node, on every path.

        It is the node itself after none, and nothing past the horizon.
        """
        found = [node]
        for _ in range(periods):
            found = [child for each in found for child in self.children[each]]
        return found

    @functools.cached_property
    def at(self) -> Mapping[int, tuple[int, ...]]:
        """Return the nodes of each period."""
        found: dict[int, list[int]] = {}
        for node, period in enumerate(self.period):
            found.setdefault(period, []).append(node)
        return {period: tuple(nodes) for period, nodes in found.items()}
