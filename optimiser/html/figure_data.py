"""Figures as a page's script and template read them: plain values, numbers also in words."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    Figured,
    FigureLine,
    FigureSeries,
    Precision,
    TableFigure,
    TextFigure,
)
from optimiser.figures.of_comparison.side_by_side import ComparedLine
from optimiser.html.number_text import written

Data = dict[str, Any]
DIGITS = 12  # of the numbers of a chart
MOST_LINES = 2_000  # of a table; a workbook holds all


def figure_data(figure: Figured, weighed: bool = False) -> Data:
    """Return a figure as data. Of figures that are `weighed` over scenarios, columns that are
    expected say so."""
    match figure:
        case TableFigure():
            return _table(figure, weighed)
        case ChartFigure():
            return _chart(figure)
        case TextFigure():
            return {
                "sort": "text",
                "name": figure.name,
                "title": figure.title,
                "paragraphs": list(figure.paragraphs),
                "aside": figure.aside,
            }


def _table(figure: TableFigure, weighed: bool) -> Data:
    lines, caption = figure.lines[:MOST_LINES], figure.caption
    if len(figure.lines) > MOST_LINES:
        caption += f" The first {MOST_LINES:,} of {len(figure.lines):,} lines are shown."
    columns = [
        {
            "title": figure.heading(c, weighed),
            "meaning": column.meaning,
            "number": c > 0
            and any(_rounded(line.known[c]) is not None for line in lines if c < len(line.values)),
        }
        for c, column in enumerate(figure.columns)
    ]
    return {
        "sort": "table",
        "name": figure.name,
        "title": figure.title,
        "caption": caption.strip(),
        "map": figure.map,
        "columns": columns,
        "lines": [_line(figure, line) for line in lines],
        "notes": any(line.note for line in lines),
    }


def _line(figure: TableFigure, line: FigureLine) -> Data:
    cells = [
        {
            "text": written(value, figure.precision(line, c) if c else Precision()),
            "number": _rounded(value),
        }
        for c, value in enumerate(line.known)
    ]
    differs = isinstance(line, ComparedLine) and line.differs
    return {"cells": cells, "note": line.note, "total": line.total, "differs": differs}


def _chart(figure: ChartFigure) -> Data:
    across = figure.y if any(each.mark == "span" for each in figure.series) else figure.x
    return {
        "sort": "chart",
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "x": _axis(figure.x),
        "y": _axis(figure.y),
        "right": None if figure.right is None else _axis(figure.right),
        "labels": [_label(each) for each in figure.labels],
        "series": [_series(each, across) for each in figure.series],
        "stacked": figure.stacked,
        "spacing": figure.spacing,
        "expected": figure.expected,
    }


def _label(value: object) -> float | str:
    """Return a label: a number where it lies along an axis of numbers."""
    number = _rounded(value)
    return written(value, Precision()) if number is None else number


def _axis(axis: FigureAxis) -> Data:
    return {
        "title": axis.title,
        "unit": axis.unit,
        "least": axis.least,
        "every": axis.every,
        "dates": axis.dates,
    }


def _series(series: FigureSeries, across: FigureAxis) -> Data:
    return {
        "name": series.name,
        "mark": series.mark,
        "role": series.role,
        "right": series.right,
        "marks": series.marks,
        "values": [_value(each, across) for each in series.values],
        "begins": [_value(each, across) for each in series.begins],
        "notes": list(series.notes),
        "faint": sorted(series.faint),
    }


def _value(value: float | None, axis: FigureAxis) -> float | str | None:
    if value is None or not math.isfinite(value):
        return None
    return dt.date.fromordinal(round(value)).isoformat() if axis.dates else _rounded(value)


def _rounded(value: object) -> float | None:
    """Return a number with no more digits than a tooltip shows; None for what is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return round(value) if value == round(value) else float(f"{value:.{DIGITS}g}")
