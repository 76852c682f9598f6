"""Progress of searches and studies on standard error: on a terminal one line that renews itself,
elsewhere a line now and then.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context

import click
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

import optimiser as so
from optimiser.cli.command_options import QUIET
from optimiser.cli.messages import say
from optimiser.cli.terminal import Plain, coloured
from stockpile_model.amounts import rounded

EVERY = 10.0  # seconds between two lines where there is no terminal
A_SECOND = 4  # renewals of the line of a terminal
SIGNS = "|/-\\"  # one after the other: it moves where nothing else does


@dataclass
class LiveLine:
    """Describe what a command does at present, in a line of a terminal.

    Its clock moves on its own, also where a solver says nothing for long. `said` are its parts, the
    weightiest first; those for which there is no room are left out. `limit`: the seconds that what
    is done may take.
    """

    said: tuple[str, ...] = ("reading",)
    limit: float | None = None
    began: float = field(default_factory=time.monotonic)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the line for the width that there is."""
        yield self.text(options.max_width, time.monotonic() - self.began)

    def text(self, width: int, seconds: float) -> Text:
        """Return the line after so many seconds, in at most `width` columns."""
        sign = SIGNS[int(A_SECOND * seconds) % len(SIGNS)]
        line = f"{sign} {clock(seconds)}"
        parts = list(self.said)
        if self.limit is not None and seconds < self.limit:
            parts.append(f"at most {clock(self.limit - seconds)} left")
        for part in parts:
            if len(line) + len(part) + 2 < width:
                line += f"  {part}"
        found = coloured(line[: max(width - 1, 1)], "cyan")
        found.no_wrap = True
        return found


def clock(seconds: float) -> str:
    """Return a time in minutes and seconds, with hours where there are some."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextlib.contextmanager
def live_line() -> Iterator[LiveLine | None]:
    """Show a line on a terminal until the command has ended what it does; None elsewhere, and
    where the command is to be quiet.
    """
    console = Plain(stderr=True, highlight=False)
    if quiet() or not console.is_terminal:
        yield None
        return
    line = LiveLine()
    with Live(line, console=console, refresh_per_second=A_SECOND, transient=True):
        yield line


def quiet() -> bool:
    """Return whether the command is to show no progress."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(QUIET))


@contextlib.contextmanager
def waiting(what: str) -> Iterator[Callable[[str], None]]:
    """Show a clock on a terminal while something is done that says no more than its phase."""
    with live_line() as line:

        def now(phase: str) -> None:
            if line is not None:
                line.said = (phase,)

        now(what)
        yield now


@contextlib.contextmanager
def search_progress() -> Iterator[Callable[[so.Progress], None]]:
    """Show the progress of a search: phase, plan, how good it is, time left."""
    with live_line() as line:
        if line is None:
            yield _nothing if quiet() else _SearchLines()
            return

        def update(progress: so.Progress) -> None:
            line.said = search_parts(progress)
            if progress.limit is not None:
                line.limit = time.monotonic() - line.began + progress.limit - progress.seconds

        yield update


def search_parts(progress: so.Progress) -> tuple[str, ...]:
    """Return what a search has found and does, the weightiest first."""
    stage = f"{progress.objective}: " if progress.stages > 1 else ""
    phase = {"": "searching", "HiGHS": "searching"}.get(progress.phase, progress.phase)
    return (found(progress), f"{stage}{phase}")


def found(progress: so.Progress) -> str:
    """Return the plan that is found so far, and how much better another could be.

    What could be better is rounded up: it is never less than what is open.
    """
    best, gap = progress.incumbent, progress.gap
    if best is None or not math.isfinite(best):
        return "no plan yet"
    plan = f"found {rounded(best)}"
    if gap is None or not math.isfinite(gap):
        return plan
    open_ = float(Context(prec=2, rounding=ROUND_CEILING).create_decimal_from_float(100 * gap))
    return f"{plan}, at most {open_:g} % above the best" if open_ > 0 else f"{plan}, the best"


def _nothing(progress: object) -> None:
    """Show nothing."""


class _SearchLines:
    """A line of a search's progress at its first plan, and every few seconds."""

    def __init__(self) -> None:
        self.printed, self.planned = time.monotonic(), False

    def __call__(self, progress: so.Progress) -> None:
        now, planned = time.monotonic(), progress.incumbent is not None
        if now - self.printed >= EVERY or (planned and not self.planned):
            self.printed, self.planned = now, planned
            say("  ".join((clock(progress.seconds), *search_parts(progress))))


@contextlib.contextmanager
def study_progress() -> Iterator[Callable[[so.StudyProgress], None]]:
    """Show the progress of a study: its runs, their rate, time left."""
    with live_line() as line:
        if line is None:
            yield _nothing if quiet() else _StudyLines()
            return

        def update(progress: so.StudyProgress) -> None:
            line.said = study_parts(progress)

        yield update


class _StudyLines:
    """A line of a study's progress every few seconds, and at its end."""

    def __init__(self) -> None:
        self.printed = 0.0

    def __call__(self, progress: so.StudyProgress) -> None:
        ended = progress.ended == progress.asked and progress.ended > progress.kept
        if progress.seconds - self.printed >= EVERY or ended:
            self.printed = progress.seconds
            say(", ".join(study_parts(progress)))


def study_parts(progress: so.StudyProgress) -> tuple[str, ...]:
    """Return how far a study is, the weightiest first."""
    rate, left = progress.rate, progress.left
    parts = (
        f"{progress.study}: {progress.ended:,} of {progress.asked:,} runs",
        f"{clock(left)} left" if left and math.isfinite(left) else "",
        f"{progress.kept:,} from the record" if progress.kept else "",
        f"{rate:.2g} a second" if rate else "",
    )
    return tuple(filter(None, parts))
