"""The smallest set of cells that cannot all be kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from optimiser.studies.repairs.elastic import ElasticProgram
from optimiser.studies.repairs.trials import Trials


def smallest(
    program: ElasticProgram, touched: Sequence[int], trials: Trials
) -> tuple[tuple[int, ...], bool]:
    """Return cells of which not all can be kept though all others give, and whether each of them is
    needed for that.

    A deletion filter (Chinneck and Dravnieks 1991): a cell that may give while the others still
    clash is no part of it. `touched` are those that the proof rests on: all of them, where the
    fewer are not proven to clash.
    """
    free = set(program.given) - set(touched)
    kept: list[int] = []
    order = sorted(touched, key=lambda j: -program.levers[j].give.weight)
    for j in order:
        if not trials.pace.allows(1.0):
            return _proven(program, free, touched, trials), False
        possible = program.possible(free | {j}, trials.limited(), trials.interrupt)
        if possible is False:
            free.add(j)
        else:
            kept.append(j)
    found = _proven(program, free, touched, trials)
    return found, found == tuple(sorted(kept))


def _proven(
    program: ElasticProgram, free: Collection[int], touched: Sequence[int], trials: Trials
) -> tuple[int, ...]:
    """Return the cells but those that may give, where these are proven to clash; else all."""
    fewer = sorted(set(touched) - set(free))
    options = trials.limited()
    same = len(fewer) == len(touched)
    if same or program.possible(free, options, trials.interrupt, proven=True) is False:
        return tuple(fewer)
    return tuple(sorted(touched))
