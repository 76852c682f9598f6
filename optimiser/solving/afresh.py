"""A better plan path by path: what stands on one path alone is decided afresh, with everything else
as it is.

A plan that was rounded as a whole leaves something on the table at each of its ends. With all that
a path shares with others held, what is left of it is a program of its own, a fraction of the whole,
and HiGHS solves it in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimiser.solving.branching import Master
from optimiser.solving.dive import FeasiblePoint, attempt, searched
from optimiser.solving.linear import SearchClock
from optimiser.solving.program import Program
from optimiser.solving.search_options import ABSOLUTE_GAP
from optimiser.solving.structure import Positions, ScenarioTree

FINER = 0.1  # what part of the gap one path may leave open


def decide_afresh(
    master: Master, plan: FeasiblePoint, aim: Program, gap: float, clock: SearchClock
) -> FeasiblePoint:
    """Return a plan that costs no more, with new decisions on each path that misses some of the
    aim.

    Raises OutOfTime and SolverError.
    """
    best, node = plan, master.structure.node
    for own in _own_nodes(master.structure.tree):
        columns = np.flatnonzero(np.isin(node, own))
        missing = columns[aim.cost[columns] > 0]
        if not (aim.cost[missing] * (best.x - aim.lower)[missing] > ABSOLUTE_GAP).any():
            continue
        part, _ = master.program.restricted(columns, best.x)
        finer = FINER * gap * _share(master.program, columns, best)
        dearest = float(np.abs(master.program.cost).max())
        found = searched(part, clock, finer, best.x[columns], dearest)
        if found is None:
            continue
        x = best.x.copy()
        x[columns] = found
        better = attempt(master, np.round(x[master.integers]), best.objective, best.basis)
        best = better or best
    return best


def _own_nodes(tree: ScenarioTree) -> Iterator[list[int]]:
    """Yield of each path the nodes that no path before it has."""
    seen: set[int] = set()
    for path in tree.paths:
        yield [each for each in path if each not in seen]
        seen.update(path)


def _share(program: Program, columns: Positions, plan: FeasiblePoint) -> float:
    """Return by how much a plan costs more than what some columns of it do."""
    own = abs(float((program.cost[columns] * plan.x[columns]).sum()))
    return abs(plan.objective) / own if own else 1.0
