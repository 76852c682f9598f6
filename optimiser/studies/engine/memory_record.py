"""A record of runs in memory, which ends with its process."""

from __future__ import annotations

from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.engine.record import AGAIN


class MemoryRecord:
    """A record of runs in memory, for a study that keeps none on disk."""

    def __init__(self) -> None:
        self.earlier = self.damaged = 0
        self._runs: dict[str, CaseResult] = {}

    def find(self, key: str) -> CaseResult | None:
        """Return the result of a run that has ended and is not to be made again; None where there
        is none.
        """
        found = self._runs.get(key)
        return None if found is None or found.status in AGAIN else found

    def find_any(self, key: str) -> CaseResult | None:
        """Return the result of a run that has ended, however; None where there is none."""
        return self._runs.get(key)

    def keep(self, key: str, study: str, case: Case, result: CaseResult) -> None:
        """Keep a run."""
        self._runs[key] = result
