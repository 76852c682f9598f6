"""Every kind of study: those of the sheet `studies`, and the what-ifs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimiser.studies.kinds import ROUNDS
from optimiser.studies.kinds.asked import Asked, Rounds
from optimiser.studies.stress import stress_rounds
from optimiser.studies.what_ifs import WHAT_IFS

EVERY_KIND: Mapping[str, Callable[[Asked], Rounds]] = {
    **ROUNDS,
    **{each.kind: each.rounds for each in WHAT_IFS},
    stress_rounds.KIND: stress_rounds.rounds,
}
