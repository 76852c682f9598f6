"""Tasks in the process that sends them."""

from __future__ import annotations

from typing import Any

from optimiser.execution.executor import Done, Job, Task, perform


class InProcess:
    """Runs one task after the other here."""

    size = 1

    def __init__(self, job: Job) -> None:
        self._evaluator: Any = job.evaluator()
        self._done: list[Done] = []

    def idle(self) -> int:
        """Return how many tasks can be sent: one at a time."""
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
