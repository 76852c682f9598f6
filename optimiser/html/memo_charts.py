"""The charts of a memo: columns on each other with lines over them, drawn without a script.

A page gets them as SVG, a text document as a chart of its own format (DrawingML: ISO/IEC 29500-1,
part 21.2), which a word processor draws and a person may restyle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from optimiser.figures.figure import Precision
from optimiser.html.figure_data import Data
from optimiser.html.number_text import written
from optimiser.html.rendering import environment

WIDTH, HEIGHT = 360, 122
LEFT, RIGHT, TOP, BOTTOM = 52, 356, 20, 104
LETTER = 6.0  # how wide one is
MOST_TICKS = 4
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
COLOURS = {"part": "0072B2", "counting": "009E73", "aim": "A3000F"}
"""The colour of each role that a memo draws: apart for those who see few colours too."""


def svg(chart: Data) -> dict[str, Any]:
    """Return where the parts of a chart lie, for the template of a page."""
    columns, lines = _by_mark(chart)
    ticks = _ticks(chart)
    low, high = ticks[0], ticks[-1]

    def y(value: float) -> float:
        return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 2)

    slot = (RIGHT - LEFT) / len(chart["labels"])
    middles = [round(LEFT + slot * (k + 0.5), 2) for k in range(len(chart["labels"]))]
    bar = slot / (1 + chart["spacing"] / 100)
    every = chart["x"]["every"] or 1
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": RIGHT,
        "bottom": BOTTOM,
        "zero": y(0.0),
        "ticks": [(y(each), _number(each)) for each in ticks],
        "labels": [
            (x, text)
            for k, (x, text) in enumerate(zip(middles, chart["labels"], strict=True))
            if k % every == 0
        ],
        "bars": [
            {
                "x": round(middles[k] - bar / 2, 2),
                "y": y(max(begin, end)),
                "width": round(bar, 2),
                "height": round(abs(y(begin) - y(end)), 2),
                "role": columns[c]["role"],
                "said": f"{columns[c]['name']}, {chart['labels'][k]}: {_number(end - begin)}",
            }
            for c, k, begin, end in _stacked(columns)
        ],
        "lines": [
            {
                "role": each["role"],
                "points": " ".join(f"{middles[k]},{y(each['values'][k])}" for k in run),
            }
            for each in lines
            for run in _runs(each["values"])
        ],
        "keys": [*_keys(chart["series"])],
    }


def drawing_ml(chart: Data) -> bytes:
    """Return a chart as the part of a text document."""
    columns, lines = _by_mark(chart)
    text = (
        environment()
        .get_template("memo_chart.xml")
        .render(
            chart=chart,
            columns=columns,
            lines=lines,
            colours=COLOURS,
            ticks=_ticks(chart),
        )
    )
    return text.encode()


def _by_mark(chart: Data) -> tuple[list[Data], list[Data]]:
    """Return the series that are columns, and those that are lines."""
    columns = [each for each in chart["series"] if each["mark"] == "column"]
    return columns, [each for each in chart["series"] if each["mark"] == "line"]


def _stacked(columns: Sequence[Data]) -> Iterator[tuple[int, int, float, float]]:
    """Yield series, label, begin and end of each column: on those above zero, or below it."""
    tops: dict[tuple[int, bool], float] = {}
    for c, each in enumerate(columns):
        for k, value in enumerate(each["values"]):
            if value:
                begin = tops.get((k, value > 0), 0.0)
                tops[k, value > 0] = begin + value
                yield c, k, begin, begin + value


def _runs(values: Sequence[float | None]) -> Iterator[list[int]]:
    """Yield the indices of points that follow one another without a gap."""
    run: list[int] = []
    for k, value in enumerate(values):
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append(k)
    if run:
        yield run


def _ticks(chart: Data) -> list[float]:
    """Return the round numbers along the axis: the first and the last of them enclose all."""
    columns, lines = _by_mark(chart)
    ends = [end for _, _, _, end in _stacked(columns)]
    points = [value for each in lines for value in each["values"] if value is not None]
    low, high = min((0.0, *ends, *points)), max((0.0, *ends, *points))
    if low == high:
        return [0.0, 1.0]
    least = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(each * power for each in STEPS if each * power >= least * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [each * step for each in range(first, last + 1)]


def _keys(series: Sequence[Data]) -> Iterator[dict[str, Any]]:
    """Yield the keys to the series, from left to right."""
    x = float(LEFT)
    for each in series:
        yield {"x": x, "name": each["name"], "role": each["role"], "mark": each["mark"]}
        x += LETTER * len(each["name"]) + 40


def _number(value: float) -> str:
    return written(value, Precision())
