"""The kinds of study, one file each: a generator of rounds of cases that gets the results of each
round and ends with its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimiser.studies.kinds import (
    alternatives,
    frontier,
    monte_carlo,
    morris,
    sobol,
    sweep,
    threshold,
    tornado,
)
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds

__all__ = ["ROUNDS", "AnswerTable", "Asked", "Rounds"]

ROUNDS: Mapping[str, Callable[[Asked], Rounds]] = {
    "tornado": tornado.rounds,
    "sweep": sweep.rounds,
    "frontier": frontier.rounds,
    "threshold": threshold.rounds,
    "monte_carlo": monte_carlo.rounds,
    "morris": morris.rounds,
    "sobol": sobol.rounds,
    "alternatives": alternatives.rounds,
}
