"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import optimiser as so

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

WORKBOOK = click.argument("workbook", type=click.Path(path_type=Path))
FORCE = click.option(
    "--force",
    is_flag=True,
    help="Replace any file at the output, not only what this program wrote.",
)
RECORD = click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where finished runs are kept; by default as the output, .sqlite.",
)
THREADS = click.option(
    "--threads",
    type=click.IntRange(0),
    help="Threads of the solver; 0 = as many as it can use.",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes on this computer; by default one for each core.",
)

QUIET = "optimiser.quiet"
"""Where the context of a command keeps whether it is to show no progress."""


def _keep_quiet(context: click.Context, _: object, value: bool) -> None:
    context.meta[QUIET] = value


quiet_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_keep_quiet,
    help="Show no progress.",
)


def output(text: str, required: bool = False) -> Decorator:
    """Return the option that names the file to write."""
    place = click.Path(path_type=Path, dir_okay=False)
    return click.option("-o", "--output", type=place, required=required, help=text)


def changes(text: str) -> Decorator:
    """Return the option that changes cells of the workbook."""
    return click.option(
        "--set", "changes", multiple=True, metavar="CHANGE", callback=_checked, help=text
    )


def gap(text: str, **options: Any) -> Decorator:
    """Return the option that sets the proven relative gap."""
    return click.option("--gap", type=click.FloatRange(0, 1), help=text, **options)


def time_limit(text: str) -> Decorator:
    """Return the option that limits the seconds of a search."""
    return click.option("--time-limit", type=click.FloatRange(0, min_open=True), help=text)


def json_output(text: str) -> Decorator:
    """Return the option that prints one JSON object."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def _checked(_: object, __: object, lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the changes of `--set`. Raises UsageError where a line is no change."""
    try:
        if lines:
            so.check_changes(*lines)
    except so.InputError as error:
        raise click.UsageError(f"--set: {error.faults[0].message}") from error
    return lines


def next_to(source: Path, kind: str) -> Path:
    """Return the path of what is written about a workbook: NAME-kind.xlsx in its folder."""
    there = source.resolve()
    return there.with_name(f"{there.stem if there.is_file() else there.name}-{kind}.xlsx")
