"""A study in the process that asks for it: no other process, and a record that lasts as long as it
does.
"""

from __future__ import annotations

from typing import Any

from optimiser.execution.processes import Done, Job, Task, perform
from optimiser.studies.case import Case, Result
from optimiser.studies.record import AGAIN


class InProcess:
    """Runs one task after the other here."""

    size = 1

    def __init__(self, job: Job) -> None:
        self._evaluator: Any = job.evaluator()
        self._done: list[Done] = []

    def idle(self) -> int:
        """Return whether a task can be sent: one at a time."""
        return 0 if self._done else 1

    def send(self, task: Task) -> None:
        """Run a task."""
        self._done.append(perform(self._evaluator, task))

    def wait(self) -> list[Done]:
        """Return what has ended."""
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        """End: there is nothing to end."""


class MemoryRecord:
    """A record of runs in memory, for a study that keeps none on disk."""

    def __init__(self) -> None:
        self.earlier = self.damaged = 0
        self._runs: dict[str, Result] = {}

    def find(self, key: str) -> Result | None:
        """Return the result of a run that has ended and is not to be made again; None where there
        is none.
        """
        found = self._runs.get(key)
        return None if found is None or found.status in AGAIN else found

    def find_any(self, key: str) -> Result | None:
        """Return the result of a run that has ended, however; None where there is none."""
        return self._runs.get(key)

    def keep(self, key: str, study: str, case: Case, result: Result) -> None:
        """Keep a run."""
        self._runs[key] = result
