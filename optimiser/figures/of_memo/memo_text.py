"""Text of a memo: nothing in it prints nothing, turns the direction of text, or runs long."""

from __future__ import annotations

from dataclasses import replace

from optimiser.figures.figure import ChartFigure, Figured, FigureLine, TextFigure
from stockpile_model.names import clean

LONGEST_NAME, LONGEST_SENTENCE = 48, 420  # characters
MORE = "…"


def legible(written: str, longest: int = LONGEST_SENTENCE) -> str:
    """Return a text as it is printed, cut where it is longer."""
    shown = clean(written).encode(errors="backslashreplace").decode()
    return shown if len(shown) <= longest else f"{shown[: longest - 1].rstrip()}{MORE}"


def named(written: object) -> str:
    """Return a name as it is printed in a cell; blank for None."""
    return "" if written is None else legible(str(written), LONGEST_NAME)


def legible_figure(figure: Figured) -> Figured:
    """Return a figure all of whose text is legible."""
    if isinstance(figure, TextFigure):
        paragraphs = tuple(map(legible, figure.paragraphs))
        return replace(figure, paragraphs=paragraphs, aside=legible(figure.aside))
    if isinstance(figure, ChartFigure):
        return replace(figure, title=legible(figure.title), caption=legible(figure.caption))
    lines = tuple(
        FigureLine(
            tuple(legible(each) if isinstance(each, str) else each for each in line.values),
            legible(line.note),
            line.total,
            line.precisions,
        )
        for line in figure.lines
    )
    return replace(figure, lines=lines, caption=legible(figure.caption))
