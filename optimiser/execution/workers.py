"""Tasks in worker processes: spawned, one solver thread each, and none outlives the one who waits
for it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol, TypeVar

from optimiser.solving.solve import SolverError
from optimiser.system.interrupts import ignore

A = TypeVar("A")
B = TypeVar("B")


class Run(Protocol):
    """Does a task for each argument; what comes back comes in any order, each with the number of
    its argument.
    """

    def __call__(
        self, task: Callable[[A], B], arguments: Iterable[A], /
    ) -> Iterator[tuple[int, B]]: ...


def cores() -> int:
    """As many processes as there are cores to run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """A context whose `run` hands tasks to worker processes; 0 is one for each core.

    A task and its argument are pickled, so a task is a function of a module. What a task raises is
    raised here; a worker that dies is a SolverError. On leaving the context the workers end,
    whatever they do.
    """

    def __init__(self, count: int = 0) -> None:
        self.count = count or cores()

    def __enter__(self) -> Workers:
        self._others = {each.pid for each in multiprocessing.active_children()}
        # A process that is forked after a solve with threads hangs.
        self._pool = ProcessPoolExecutor(
            self.count, multiprocessing.get_context("spawn"), initializer=ignore
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for each in multiprocessing.active_children():
            if each.pid not in self._others:
                each.kill()  # it ignores SIGTERM, as a batch system sends it to all
                each.join()

    def run(self, task: Callable[[A], B], arguments: Iterable[A], /) -> Iterator[tuple[int, B]]:
        futures = {}
        try:
            futures = {
                self._pool.submit(task, argument): number
                for number, argument in enumerate(arguments)
            }
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise SolverError(
                "a worker process died before its answer, perhaps for want of memory: try fewer"
                " workers, or more and smaller bundles"
            ) from error
        finally:
            for future in futures:
                future.cancel()
