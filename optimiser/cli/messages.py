"""Lines on standard output and error, in which nothing steers the terminal."""

from __future__ import annotations

import sys

import click

from optimiser.system.streams import Careful
from stockpile_model.names import printable


def say(line: str) -> None:
    """Print a line on standard error."""
    click.echo(printable(line), err=True)


def answer(line: str) -> None:
    """Print a line on standard output."""
    click.echo(printable(line))


def lost(output: Careful | None) -> str:
    """Return why standard output cannot be written; an empty text where it can."""
    sys.stdout.flush()
    return output.lost if output else ""
