"""One protocol for where tasks run: in this process, in others, on a Dask cluster.

A job makes, once in each place, what runs its tasks. `run_calls` hands out a function's arguments.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from optimiser.solving.search_options import SolverError
from optimiser.system.errors import StockpileError

A = TypeVar("A")
B = TypeVar("B")
_numbers = itertools.count()


@dataclass(frozen=True)
class Task:
    """A case to run, or one whose result is known and whose plan is to be audited."""

    number: int
    case: Any
    known: Any = None


@dataclass(frozen=True)
class Done:
    """The end of a task: its result, and warm starts for the tasks that follow.

    `died`: why its process ended before it. `late`: it was ended because it took too long.
    """

    number: int
    result: Any = None
    warm_starts: list[Any] = field(default_factory=list)
    died: str = ""
    late: bool = False


class Job(Protocol):
    """Describe what goes to each process once."""

    def evaluator(self) -> Any:
        """Return what runs the tasks of the job."""


class Executor(Protocol):
    """Runs the tasks of a job."""

    @property
    def size(self) -> int:
        """Return how many tasks run at a time."""

    def idle(self) -> int:
        """Return how many tasks can be sent now."""

    def send(self, task: Task) -> None:
        """Start a task; only where one is idle."""

    def wait(self) -> list[Done]:
        """Wait for a task to end, and return those that have ended, maybe none."""

    def close(self) -> None:
        """End all that runs."""


def perform(evaluator: Any, task: Task) -> Done:
    """Run a task; what goes wrong in it is its result."""
    result, warm_starts = evaluator.perform(task.case, task.known)
    return Done(task.number, result, warm_starts)


def cores() -> int:
    """Return how many cores there are to run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes(workers: int | None) -> int:
    """Return how many processes to start for so many workers: one for each core for None.

    Raises StockpileError where this process is one that another program starts: it would start
    others without end.
    """
    if workers != 0 and multiprocessing.parent_process() is not None:
        raise StockpileError(
            "processes were requested by a process that was itself just starting: put the call"
            " below `if __name__ == '__main__':`, or set workers to 0 and run all in one process"
        )
    return cores() if workers is None else workers


# --- Functions as tasks ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Failure:
    """An error that a function raised."""

    error: Exception


@dataclass(frozen=True)
class Calls:
    """A job whose tasks are calls: a function of a module, and its argument."""

    def evaluator(self) -> Calls:
        """Return what calls functions."""
        return self

    def perform(self, call: tuple[Callable[[Any], Any], Any], _: object) -> tuple[Any, list[Any]]:
        """Call a function."""
        function, argument = call
        try:
            return function(argument), []
        except Exception as error:
            if not isinstance(error, StockpileError):  # that one explains itself
                error.add_note(traceback.format_exc())
            return _Failure(error), []


def run_calls(
    executor: Executor, function: Callable[[A], B], arguments: Iterable[A]
) -> Iterator[tuple[int, B]]:
    """Call a function for each argument on an executor of `Calls`.

    Yields results in any order, each with the number of its argument. Raises what the function
    raises, and SolverError where a process died.
    """
    waiting, numbers = deque(enumerate(arguments)), dict[int, int]()
    while waiting or numbers:
        while waiting and executor.idle():
            at, argument = waiting.popleft()
            numbers[task := next(_numbers)] = at
            executor.send(Task(task, (function, argument)))
        for done in executor.wait():
            if done.number not in numbers:  # of a run that was left before its end
                continue
            if done.died:
                raise SolverError(
                    f"a worker process died before its answer ({done.died}), perhaps for want of"
                    " memory: try fewer workers, or more and smaller bundles"
                )
            if isinstance(done.result, _Failure):
                raise done.result.error
            yield numbers.pop(done.number), done.result
