"""The answers of a study: a table of each, and the chart that shows it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureColumn,
    FigureLine,
    FigureSeries,
    Mark,
    Precision,
    Role,
    TableFigure,
)
from optimiser.studies.answered import Answered
from optimiser.studies.kinds.asked import AnswerTable, Chart, figure
from stockpile_model.values import parted

MOST_BARS = 25  # that are drawn
REMARK = 4  # the column of a frontier that says which points bring nothing
SHARES = "more than the best"  # how the title of a column of shares begins
ENDS: tuple[Role, ...] = ("low", "high")
Drawing = Callable[[AnswerTable], tuple[FigureSeries, ...]]


@dataclass(frozen=True)
class AnswerFigures:
    """The table of an answer, and its chart, where it has one."""

    table: TableFigure
    chart: ChartFigure | None


def figures(answered: Answered) -> Iterator[AnswerFigures]:
    """Yield the figures of each answer of a study."""
    for table in answered.tables:
        drawn = table.rows and DRAWINGS.get(table.chart)
        chart = _chart(table, drawn(table)) if drawn else None
        yield AnswerFigures(_table(answered.name, table), chart)


def _table(study: str, table: AnswerTable) -> TableFigure:
    lines = tuple(FigureLine(tuple(row)) for row in table.rows)
    note = f"{study}: {table.said}"
    return TableFigure(
        table.name,
        capital(table.name),
        columns_of(table),
        lines,
        note,
        map=table.chart == "heat",
    )


def columns_of(table: AnswerTable) -> tuple[FigureColumn, ...]:
    """Return the columns of an answer. Those with a unit are written as amounts of it."""
    return tuple(
        FigureColumn(
            capital(title),
            Precision(_amounts_of(title), _numbers(table, c)),
        )
        for c, title in enumerate(table.header)
    )


def _numbers(table: AnswerTable, column: int) -> list[float]:
    found = (figure(row[column]) for row in table.rows if column < len(row))
    return [each for each in found if math.isfinite(each)]


def _amounts_of(title: str) -> str:
    """Return the kind of unit of a column: shares, amounts, prices, or plain numbers."""
    unit = parted(title)[1]
    if title.startswith(SHARES):
        return "1"
    if unit in ("", "1"):
        return ""
    return "money/quantity" if "/" in unit else "money"


def capital(title: str) -> str:
    """Return a title with a capital, where it begins with a word and not with a symbol or the name
    of a cell."""
    named = re.match(r"[a-z]+(?![\w.\[])", title)
    return title[:1].upper() + title[1:] if named else title


def _chart(table: AnswerTable, series: tuple[FigureSeries, ...]) -> ChartFigure:
    """Return the chart of a table: along its first column, or along the values of its bars."""
    across = FigureAxis(table.header[0], largest=_largest(table, (0,)))
    least = 0 if table.chart == "fan" else None
    up = FigureAxis(table.axis, least=least, largest=_largest(table, table.drawn))
    labels = tuple(row[0] for row in table.rows)[: len(series[0].values)]
    title, stacked = capital(table.name), table.chart == "fan"
    return ChartFigure(table.name, title, table.said, across, up, labels, series, stacked=stacked)


def _largest(table: AnswerTable, columns: Sequence[int]) -> float:
    """Return the largest of the numbers of some columns."""
    return max((abs(each) for c in columns for each in _numbers(table, c)), default=0.0)


def _series(
    table: AnswerTable, column: int, mark: Mark, role: Role = "part", most: int | None = None
) -> FigureSeries:
    """Return a column as a series; a cell without a number is a gap."""
    numbers = [figure(row[column] if column < len(row) else None) for row in table.rows[:most]]
    values = tuple(None if math.isnan(each) else each for each in numbers)
    return FigureSeries(capital(table.header[column]), values, mark, role, column=column)


def _ends(table: AnswerTable) -> tuple[FigureSeries, ...]:
    """Return bars of what each input does at its low and its high, the longest first."""
    pairs = zip(table.drawn, ENDS, strict=False)
    return tuple(_series(table, column, "bar", role, MOST_BARS) for column, role in pairs)


def _columns(table: AnswerTable) -> tuple[FigureSeries, ...]:
    return tuple(_series(table, column, "column", most=MOST_BARS) for column in table.drawn)


def _joined(table: AnswerTable) -> tuple[FigureSeries, ...]:
    return tuple(_series(table, column, "joined") for column in table.drawn)


def _frontier(table: AnswerTable) -> tuple[FigureSeries, ...]:
    """Return the points, faint where a stricter limit costs no more."""
    faint = frozenset(k for k, row in enumerate(table.rows) if row[REMARK])
    return tuple(replace(each, faint=faint) for each in _joined(table))


def _fan(table: AnswerTable) -> tuple[FigureSeries, ...]:
    """Return the widths of the bands between quantiles, each above the one before, and the
    median."""
    rows = [[figure(value) for value in row[1:]] for row in table.rows]
    quantiles = [*zip(*rows, strict=True)]
    below = FigureSeries("below", quantiles[0], "band", "beneath")
    names = itertools.pairwise(table.header[1:])
    bands = (
        FigureSeries(f"{low} to {high}", tuple(b - a for a, b in zip(*pair, strict=True)), "band")
        for (low, high), pair in zip(names, itertools.pairwise(quantiles), strict=True)
    )
    middle = 1 + (len(table.header) - 1) // 2
    return (below, *bands, _series(table, middle, "line", "aim"))


DRAWINGS: Mapping[Chart, Drawing] = {
    "tornado": _ends,
    "columns": _columns,
    "line": _joined,
    "frontier": _frontier,
    "fan": _fan,
}
"""How the answers are drawn; a table that is a map is coloured, and has no chart."""
