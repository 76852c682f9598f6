"""Text on a terminal: what a workbook says is never markup, and no character of it steers the
terminal.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from stockpile_model.names import printable


class Plain(Console):
    """A console that shows every string as it stands, in tables and titles too; colours are what
    the program itself gives.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **{**options, "markup": False, "emoji": False})


def coloured(said: str, style: str) -> Text:
    """A text in a colour."""
    return Text(printable(said), style)
