"""Processes that run tasks: one that dies loses its own task and no other.

Each is spawned (a fork after HiGHS has run hangs), runs one task after the other with one HiGHS
thread, and ends with its parent.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing as mp
import multiprocessing.connection as mpc
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from optimiser.execution.executor import Done, Job, Task, perform
from optimiser.system.errors import StockpileError
from optimiser.system.interrupts import ignore

MOST_OWED = 96  # warm starts that wait for a process; older ones are forgotten


def _serve(connection: mpc.Connection, job: Job) -> None:
    """Serve as a process: take a message, do it, answer."""
    ignore()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    evaluator = job.evaluator()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(EOFError, OSError):
        connection.send(None)
        while (message := connection.recv()) is not None:
            if isinstance(message, Task):
                connection.send(perform(evaluator, message))
            else:
                name, value = message
                getattr(evaluator, name)(value)


def _end_with_parent() -> None:
    """End this process when its parent ends."""
    parent = mp.parent_process()
    if parent is not None:
        mpc.wait([parent.sentinel])
        os._exit(1)


@dataclass(eq=False)
class _Worker:
    """A process, its task, and the warm starts that wait for it."""

    process: Any
    connection: mpc.Connection
    ready: bool = False
    task: Task | None = None
    since: float = 0.0
    owed: list[Any] = field(
        default_factory=list
    )  # warm starts of others, sent before its next task


class Processes:
    """An executor of spawned processes on this computer.

    A task that takes longer than `longest` seconds ends with its process.
    """

    MOST_STILLBORN = 3  # processes that die before they are ready

    def __init__(self, job: Job, size: int, longest: float) -> None:
        self.job, self.size, self.longest = job, size, longest
        self._context = mp.get_context("spawn")
        self._stillborn = 0
        self._workers = [self._start() for _ in range(size)]

    @property
    def pids(self) -> list[int]:
        """Return the identifiers of the processes."""
        return [each.process.pid for each in self._workers]

    def _start(self) -> _Worker:
        """Start a process."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self.job), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def idle(self) -> int:
        """Return how many processes wait for a task."""
        return sum(each.ready and each.task is None for each in self._workers)

    def send(self, task: Task) -> None:
        """Send a task to a process that waits."""
        worker = next(each for each in self._workers if each.ready and each.task is None)
        worker.task, worker.since = task, time.monotonic()
        if (
            worker.owed
        ):  # not sooner: while it runs it reads nothing, and each might wait for the other to read
            self._send(worker, ("share", worker.owed))
            worker.owed = []
        with contextlib.suppress(OSError):  # it has died since: `wait` sees that
            worker.connection.send(task)

    def _send(self, worker: _Worker, message: tuple[str, Any]) -> None:
        if worker.ready:
            with contextlib.suppress(OSError):
                worker.connection.send(message)

    def wait(self) -> list[Done]:
        """Wait for tasks to end, a second at most, and return those that have ended."""
        by_end: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_end[worker.connection] = worker
        found = []
        for end in mpc.wait([*by_end], timeout=1.0):
            worker = by_end[end]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                found += self._died(worker)
                continue
            if message is None:
                worker.ready, self._stillborn = True, 0
                continue
            worker.task = None
            found.append(message)
            for other in self._workers:
                if other is not worker:
                    other.owed = [*other.owed, *message.warm_starts][-MOST_OWED:]
        for worker in [*self._workers]:
            if worker.task is not None and time.monotonic() - worker.since > self.longest:
                found += self._died(worker, "it took far longer than its time limit and was ended")
        return found

    def _died(self, worker: _Worker, why: str = "") -> list[Done]:
        """Put another process in the place of one that is gone."""
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= self.MOST_STILLBORN:
                raise StockpileError(
                    "no process can be started to run cases (the last ended with"
                    f" {worker.process.exitcode}); a program asks for processes below"
                    " `if __name__ == '__main__':`"
                )
        self._workers[self._workers.index(worker)] = self._start()
        code = worker.process.exitcode
        reason = why or (
            f"its process was killed by signal {-code}"
            if code and code < 0
            else f"its process ended with {code}"
        )
        return (
            [Done(worker.task.number, died=reason, late=bool(why))]
            if worker.task is not None
            else []
        )

    def close(self) -> None:
        """Kill all processes, whatever they do."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
