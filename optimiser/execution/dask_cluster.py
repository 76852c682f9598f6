"""Tasks on a Dask cluster.

A worker process runs one case at a time, and keeps what serves the next. Dask sends a task whose
worker is lost to another; where that fails too its end is `died`,
and the runner does what it does for processes of its own. Start workers with one thread each (`dask
worker ADDRESS --nthreads 1`).
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

from optimiser.execution.executor import Done, Job, Task, perform
from optimiser.system.errors import StockpileError

CONNECTING = 20.0  # longest wait for the scheduler [s]
RETURNING = 60.0  # longest wait for a worker in the place of the last [s]
LEAVING = 5.0  # longest wait to disconnect [s]
ADDRESS = re.compile(
    r"((tcp|tls|ws|wss|ucx)://)?(\[[0-9a-f:]+\]|[^\s:/\[\]]+):\d{1,5}", re.IGNORECASE
)
_kept: dict[str, Any] = {}  # by job: what runs its cases in this process
_one = threading.Lock()  # HiGHS has one thread in a process


def _perform(name: str, job: Job, task: Task) -> Done:
    """Run a task on a worker, with what is kept for its job."""
    with _one:
        if name not in _kept:
            _kept.clear()  # of the study before
            _kept[name] = job.evaluator()
        return replace(perform(_kept[name], task), warm_starts=[])  # each worker keeps its own


class Cluster:
    """An executor on a Dask cluster.

    Raises StockpileError where there is none at the address, or no worker is left.
    """

    def __init__(self, job: Job, address: str) -> None:
        if not ADDRESS.fullmatch(address):
            raise StockpileError(
                f"{address!r} is no address of a Dask scheduler; write it as in tcp://10.0.0.5:8786"
            )
        try:
            from distributed import Client
        except ImportError as reason:
            raise StockpileError(
                "--scheduler needs the extra cluster: pip install 'stockpile-optimiser[cluster]'"
            ) from reason
        try:
            self._client = Client(address, timeout=CONNECTING, set_as_default=False)
            self._client.wait_for_workers(1, timeout=CONNECTING)
        except (OSError, TimeoutError, ValueError) as reason:
            raise StockpileError(
                f"{address}: there is no Dask scheduler with a worker ({type(reason).__name__}:"
                f" {reason})"
            ) from reason
        self._name, self._address = uuid.uuid4().hex, address
        self._job, self._sent = job, self._client.scatter(job, broadcast=True, hash=False)
        self._running: dict[Any, Task] = {}
        self._some = threading.Event()  # a task may have ended
        self._alive = time.monotonic()  # when there was a worker last

    @property
    def size(self) -> int:
        """Return how many workers there are."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def idle(self) -> int:
        """Return how many tasks can be sent now.

        Each worker has one more than it runs, so that none waits for the next.
        """
        return max(0, 2 * self.size - len(self._running))

    def send(self, task: Task) -> None:
        """Send a task to the cluster."""
        self._sent = self._still(self._sent, self._job)
        future = self._client.submit(_perform, self._name, self._sent, task, pure=False)
        self._running[future] = task
        future.add_done_callback(lambda _: self._some.set())

    def _still(self, sent: Any, what: Any) -> Any:
        """Return what was sent to the workers, sent again where the last that had it is lost."""
        lost = what is not None and (sent is None or sent.status != "finished")
        return self._client.scatter(what, broadcast=True, hash=False) if lost else sent

    def wait(self) -> list[Done]:
        """Wait for tasks to end, a second at most, and return those that have ended."""
        self._some.wait(1.0)
        self._some.clear()
        if self._client.status != "running":
            raise StockpileError(
                f"{self._address}: the connection to the scheduler is lost; finished runs are kept"
            )
        if self.size:
            self._alive = time.monotonic()
        elif time.monotonic() > self._alive + RETURNING:
            raise StockpileError(
                f"{self._address}: no worker is left; finished runs are kept: start workers and the"
                " study again"
            )
        ended = [
            (future, self._running.pop(future))
            for future in [*self._running]
            if future.status != "pending"
        ]
        return [self._done(future, task) for future, task in ended]

    @staticmethod
    def _done(future: Any, task: Task) -> Done:
        """Return how a task ended."""
        if future.status in (
            "cancelled",
            "lost",
        ):  # Dask does not send its data again: they went with a worker
            return Done(task.number, died="its worker was lost")
        try:
            done: Done = future.result()
        except Exception as reason:  # its worker was lost again and again, or cannot run it
            return Done(task.number, died=f"{type(reason).__name__}: {reason}")
        return done

    def close(self) -> None:
        """Cancel what runs, and leave the cluster."""
        self._client.cancel([*self._running])
        self._client.close(timeout=LEAVING)
