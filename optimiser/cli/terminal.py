"""Text on a terminal: a workbook holds no markup, and no character of it steers the terminal."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

import optimiser as so
from stockpile_model.amounts import money
from stockpile_model.names import printable


class Plain(Console):
    """A console that shows every string as it stands, in tables and titles too; only the program
    itself sets colours.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text without markup and emoji."""
        return super().render_str(printable(text), **{**options, "markup": False, "emoji": False})


def coloured(text: str, style: str) -> Text:
    """Return a text in a colour."""
    return Text(printable(text), style)


def drawn(figure: so.TableFigure) -> Table:
    """Return a figure as a table of the terminal: numbers to the right, with the digits of the
    largest in their column.
    """
    table = Table(*(each.title for each in figure.columns), box=None, pad_edge=False)
    largest: list[float] = []
    for column, shown in zip(figure.columns, table.columns, strict=True):
        amounts = [abs(each) for each in column.precision.among if math.isfinite(each)]
        shown.justify = "right" if amounts else "left"
        shown.overflow = "fold"  # no figure is cut where the terminal is narrow
        largest.append(max(amounts, default=0.0))
    for line in figure.lines:
        cells = (_cell(each, *of) for each, *of in zip(line.known, largest, strict=False))
        table.add_row(*cells, style="bold" if line.total else None)
    return table


def _cell(value: object, among: float) -> str:
    """Return a value in words, among numbers of which the largest is `among`."""
    if isinstance(value, float):
        return money(value, among)
    return "-" if value is None else str(value)
