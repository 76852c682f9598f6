"""The smallest set of cells that cannot all be kept."""

from __future__ import annotations

from collections.abc import Sequence

from optimiser.studies.repairs.elastic import ElasticProgram
from optimiser.studies.repairs.trials import Trials


def smallest(
    program: ElasticProgram, touched: Sequence[int], trials: Trials
) -> tuple[tuple[int, ...], bool]:
    """Return cells of which not all can be kept though all others give, and whether each of them is
    needed for that.

    A deletion filter (Chinneck and Dravnieks 1991): a cell that may give while the others still
    clash is no part of it. `touched` are those that the proof rests on.
    """
    free = set(program.given) - set(touched)
    kept: list[int] = []
    order = sorted(touched, key=lambda j: -program.levers[j].give.weight)
    for at, j in enumerate(order):
        if not trials.pace.allows(1.0):
            return tuple(sorted([*kept, *order[at:]])), False
        possible = program.possible(free | {j}, trials.options, trials.interrupt)
        if possible is False:
            free.add(j)
        else:
            kept.append(j)
    return tuple(sorted(kept)), True
