"""Progress of searches and studies on standard error."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import optimiser as so
from optimiser.cli.messages import say
from optimiser.cli.terminal import Plain
from stockpile_model.amounts import money

EVERY = 10.0  # seconds between two lines of progress


@contextlib.contextmanager
def search_progress() -> Iterator[Callable[[so.Progress | so.StudyProgress], None]]:
    """Show the progress of a search, and of the runs that follow it: on a terminal a line that
    renews itself, elsewhere a line for each report of the search, and now and then one of the runs.
    """
    console, lines = Plain(stderr=True), _Lines()
    if not console.is_terminal:
        yield (
            lambda each: (
                lines(each) if isinstance(each, so.StudyProgress) else say(search_line(each))
            )
        )
        return
    with console.status("reading …") as status:
        yield lambda each: status.update(
            study_line(each) if isinstance(each, so.StudyProgress) else search_line(each)
        )


def search_line(progress: so.Progress) -> str:
    """Return the progress of a search in a line."""
    gap = progress.gap
    stage = f"{progress.objective}: " if progress.stages > 1 else ""
    return "  ".join(
        (
            f"{progress.seconds:7.1f} s",
            f"{stage}{progress.phase or 'search'}",
            f"incumbent {_number(progress.incumbent)}",
            f"bound {_number(progress.bound)}",
            f"gap {'-' if gap is None or not math.isfinite(gap) else f'{gap:.3%}'}",
            f"nodes {progress.nodes}",
        )
    )


def _number(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else money(value)


@contextlib.contextmanager
def study_progress() -> Iterator[Callable[[so.StudyProgress], None]]:
    """Show the progress of a study: on a terminal a bar with rate and time left, elsewhere a line
    now and then.
    """
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Plain(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (BarColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("reading …", total=None)
        yield lambda progress: bar.update(
            task,
            total=progress.asked,
            completed=progress.ended,
            description=study_line(progress),
        )


class _Lines:
    """A line of a study's progress every few seconds, and at its end."""

    def __init__(self) -> None:
        self.printed = 0.0

    def __call__(self, progress: so.StudyProgress) -> None:
        ended = progress.ended == progress.asked and progress.ended > progress.kept
        if progress.seconds - self.printed >= EVERY or ended:
            self.printed = progress.seconds
            say(study_line(progress))


def study_line(progress: so.StudyProgress) -> str:
    """Return the progress of a study in a line."""
    rate, left = progress.rate, progress.left
    parts = [
        f"{progress.study}: {progress.ended:,} of {progress.asked:,} runs",
        f"{progress.kept:,} from the record" if progress.kept else "",
        f"{rate:.2g} a second" if rate else "",
        f"{_minutes(left)} left" if left and math.isfinite(left) else "",
    ]
    return ", ".join(filter(None, parts))


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
