"""Tasks on the ranks of an MPI run.

Every rank sends all tasks, runs its share, and gets the ends of all.

mpi-sppy gives the library, or a stand-in of one rank. This module needs the extra `cluster`.
"""

from __future__ import annotations

import contextlib
import io
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from optimiser.execution.executor import Done, Task
from optimiser.system.errors import StockpileError

T = TypeVar("T")
FAILED = 70  # exit status of all ranks where one fails
MOST_SENT = 2**31 - 1  # tasks that wait on a rank


class ClusterUnavailable(StockpileError):
    """mpi-sppy or an MPI library is missing, or there are more ranks than work."""


def quietly() -> contextlib.AbstractContextManager[Any]:
    """Return a context without the progress of mpi-sppy on standard output."""
    return contextlib.redirect_stdout(io.StringIO())


def _mpi() -> Any:
    """Return the MPI of mpi-sppy: a stand-in of one rank where mpi4py is not installed."""
    try:
        with quietly():
            from mpisppy import MPI
    except (ImportError, RuntimeError) as error:
        raise ClusterUnavailable(
            "--decompose needs mpi-sppy and an MPI library: pip install"
            f" 'stockpile-optimiser[cluster]' ({error})"
        ) from None
    return MPI


def first_rank() -> bool:
    """Return whether this process is the first rank of an MPI run: of all ranks it alone writes.

    A process that no MPI run has started is the first of one. Raises StockpileError where mpi-sppy
    is not installed.

    >>> import optimiser as so
    >>> so.first_rank()
    True
    """
    return int(_mpi().COMM_WORLD.rank) == 0


class Ranks:
    """The ranks of this run as an executor of calls, and as a context.

    Every rank does the same between tasks. Where one fails alone all end, for the others would wait
    for it for ever.
    """

    def __init__(self) -> None:
        self.comm = _mpi().COMM_WORLD
        self.rank, self.size = int(self.comm.rank), int(self.comm.size)
        self._sent: list[Task] = []

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and self.size > 1:
            lines = (
                [f"{error}\n"]
                if isinstance(error, StockpileError)
                else traceback.format_exception(error)
            )
            print("".join(lines), end="", file=sys.__stderr__, flush=True)
            self.comm.Abort(FAILED)

    @contextlib.contextmanager
    def agreed(self) -> Iterator[None]:
        """Raise on all ranks what any of them raises here, so that none waits for one that ends."""
        error: StockpileError | None = None
        with self:
            try:
                yield
            except StockpileError as raised:
                error = raised
            errors = [each for each in self.gathered([error]) if each is not None]
        if errors:
            raise error or errors[0]

    def idle(self) -> int:
        """Return how many tasks can be sent: they are shared out when all are."""
        return MOST_SENT - len(self._sent)

    def send(self, task: Task) -> None:
        """Note a task; every rank sends the same."""
        self._sent.append(task)

    def wait(self) -> list[Done]:
        """Run the share of this rank, and return the ends of all tasks, on every rank.

        What a task raises is raised here, on this rank alone: the context ends the others.
        """
        sent, self._sent = self._sent, []
        mine = [
            Done(task.number, _called(*task.case))
            for at, task in enumerate(sent)
            if at % self.size == self.rank
        ]
        return sorted(self.gathered(mine), key=lambda done: done.number)

    def gathered(self, mine: list[T]) -> list[T]:
        """Return what all ranks have, on each."""
        if self.size == 1:
            return mine
        return [each for part in self.comm.allgather(mine) for each in part]

    def close(self) -> None:
        """End: there is nothing to end."""


def _called(function: Callable[[Any], T], argument: object) -> T:
    return function(argument)
