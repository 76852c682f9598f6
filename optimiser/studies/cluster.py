"""The same tasks on a Dask cluster: what a process keeps for its cases it keeps there too, one worker process for each case at a time.

A task whose worker is lost goes to another by Dask itself; where that fails too it is told as died, and the runner does what it does
for processes of its own. Start workers with one thread each (`dask worker ADDRESS --nthreads 1`).
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import Any

from optimiser.errors import StockpileError
from optimiser.studies.crew import Done, Job, Task, perform

CONNECTING = 30.0  # longest wait for the scheduler [s]
_kept: dict[str, Any] = {}  # by job: what runs its cases in this process
_one = threading.Lock()  # HiGHS has one thread in a process


def _perform(name: str, job: Job, task: Task) -> Done:
    """On a worker: run a task with what is kept for its job."""
    with _one:
        if name not in _kept:
            _kept.clear()  # of the study before
            _kept[name] = job.evaluator()
        return replace(perform(_kept[name], task), lessons=[])  # each worker keeps its own


class Cluster:
    """A crew on a Dask cluster. Raises StockpileError where there is none at the address."""

    def __init__(self, job: Job, address: str) -> None:
        try:
            from distributed import Client, as_completed
        except ImportError as reason:
            raise StockpileError("--scheduler needs the extra cluster: pip install 'stockpile-optimiser[cluster]'") from reason
        try:
            self._client = Client(address, timeout=CONNECTING, set_as_default=False)
            self._client.wait_for_workers(1, timeout=CONNECTING)
        except (OSError, TimeoutError, ValueError) as reason:
            raise StockpileError(f"{address}: there is no Dask scheduler with a worker ({type(reason).__name__}: {reason})") from reason
        self._name = uuid.uuid4().hex
        self._job = self._client.scatter(job, broadcast=True)
        self._running: dict[Any, Task] = {}
        self._ended = as_completed([], loop=self._client.loop)

    @property
    def size(self) -> int:
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def idle(self) -> int:
        """One task more for each worker than it runs, so that none waits for the next."""
        return max(0, 2 * self.size - len(self._running))

    def send(self, task: Task) -> None:
        future = self._client.submit(_perform, self._name, self._job, task, pure=False)
        self._running[future] = task
        self._ended.add(future)

    def wait(self) -> list[Done]:
        future = next(self._ended)
        task = self._running.pop(future)
        try:
            return [future.result()]
        except Exception as reason:  # its worker was lost again and again, or cannot run it
            return [Done(task.number, died=f"{type(reason).__name__}: {reason}")]

    def close(self) -> None:
        self._client.cancel([*self._running])
        self._client.close()
