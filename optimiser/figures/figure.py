"""What a figure is: a named table, a named chart of series, or named paragraphs, in no format.

A workbook, a page and a terminal draw them: which cell, which colour and how wide is theirs. What
stands here is what is shown: titles, units, numbers, and what a series is of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from optimiser.figures.origins import CellOf, Cited, expected, known

Mark = Literal["column", "bar", "line", "point", "joined", "band", "span", "place"]
"""How a series is drawn: columns, bars, a line over labels, points, points joined by a line over an
axis of numbers, the width of a band above the one before it, bars that begin anywhere, or sizes at
the places on earth that the labels name."""

Role = Literal[
    "part",
    "counting",
    "not counting",
    "lost",
    "open",
    "aim",
    "sum",
    "low",
    "high",
    "beneath",
    "base",
    "spread",
]
"""What a series is of the whole: one of its parts; what counts towards a target or does not; what
is lost or still open; what is aimed at; the sum; at the low or high end; what lies beneath bands;
what is known before, and where samples lie."""


@dataclass(frozen=True)
class Precision:
    """The unit of numbers, and the numbers that decide how many decimals all of them have; with
    `places` that many. The units are those of columns (`money`, `quantity`, `1`), or `count`."""

    unit: str = ""
    among: Sequence[float] = ()
    places: int | None = None


@dataclass(frozen=True)
class FigureColumn:
    """A column of a table: its title, with its unit as people read it, and its precision."""

    title: str
    precision: Precision = Precision()
    meaning: str = ""


@dataclass(frozen=True)
class FigureLine:
    """A line of a table: one value for each column, the first of which is its label. A `total` sums
    up the lines before it. `precisions` are those of the values behind the label, where they are
    not those of the columns; the last one holds for all that follow."""

    values: tuple[object, ...]
    note: str = ""
    total: bool = False
    precisions: tuple[Precision, ...] = ()

    @property
    def known(self) -> tuple[object, ...]:
        """Return the values; of a number with an origin the number."""
        return tuple(known(each) for each in self.values)


@dataclass(frozen=True)
class TableFigure:
    """A table. `caption` says in a sentence what it answers; a table that is a `map` has numbers
    in all columns behind the first, which are compared with each other.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> costs = so.figures_of(plan)["costs"]
    >>> isinstance(costs, so.TableFigure), costs.columns[1].title
    (True, 'Discounted')
    """

    name: str
    title: str
    columns: tuple[FigureColumn, ...]
    lines: tuple[FigureLine, ...]
    caption: str = ""
    map: bool = False

    def precision(self, line: FigureLine, column: int) -> Precision:
        """Return the precision of a value behind the label of a line."""
        if line.precisions:
            return line.precisions[min(column, len(line.precisions)) - 1]
        return self.columns[column].precision

    def heading(self, column: int, weighed: bool) -> str:
        """Return the title of a column; of figures that are `weighed` over scenarios it says where
        its numbers are expected."""
        title = self.columns[column].title
        values = [line.values[column] for line in self.lines if column < len(line.values)]
        if weighed and any(expected(each) or isinstance(each, Cited) for each in values):
            return f"{title}, expected" if title else "Expected"
        return title

    def cell(self, label: object, column: int = 1) -> CellOf:
        """Return a number with its place: that of the line with a label, in a column."""
        line = next(k for k, each in enumerate(self.lines) if each.values[0] == label)
        number = known(self.lines[line].values[column])
        if not isinstance(number, (int, float)):
            raise ValueError(f"{self.name} has no number for {label}")
        return CellOf(self.name, line, column, float(number))


@dataclass(frozen=True)
class TextFigure:
    """Paragraphs below a title; the last of them may be an `aside`.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> warnings = so.figures_of(plan)["warnings"]
    >>> isinstance(warnings, so.TextFigure), warnings.paragraphs
    (True, ('none',))
    """

    name: str
    title: str
    paragraphs: tuple[str, ...]
    aside: str = ""


@dataclass(frozen=True)
class FigureAxis:
    """An axis: its title with its unit. `least` is where it begins; `largest` the largest number
    along it, which decides its decimals (None: it needs none); of an axis of labels `every` says
    which of them are shown. The numbers of an axis of `dates` are ordinals of days."""

    title: str
    unit: str = ""
    least: float | None = None
    largest: float | None = None
    every: int | None = None
    dates: bool = False

    @property
    def label(self) -> str:
        """Return the title with the unit."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True)
class FigureSeries:
    """Numbers along the axis; None is a gap. A series on the `right` has an axis of its own, one
    with `marks` shows its points. `column` is the column of the table that it shows, where it shows
    one, and `faint` are the indices of points that matter less. `begins` are where spans begin,
    whose values are where they end; `notes` say what is to know of each label."""

    name: str
    values: tuple[float | None, ...]
    mark: Mark = "column"
    role: Role = "part"
    right: bool = False
    marks: bool = False
    column: int | None = None
    faint: frozenset[int] = frozenset()
    begins: tuple[float | None, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChartFigure:
    """Series over an axis. `caption` names the numbers and their units; `x` and `y` are the axes,
    `right` is that of the series on the right. The columns of a chart that is `stacked` stand on
    each other; `spacing` is the gap between them [% of their width]. `expected`: its amounts are
    expected over scenarios.

    >>> import optimiser as so
    >>> plan = so.solve(so.read("inputs/small.xlsx")).plan
    >>> chart = so.figures_of(plan)["purchases"]
    >>> isinstance(chart, so.ChartFigure), [each.name for each in chart.series]
    (True, ['new_plant', 'smelter', 'trader'])
    """

    name: str
    title: str
    caption: str
    x: FigureAxis
    y: FigureAxis
    labels: tuple[object, ...]
    series: tuple[FigureSeries, ...]
    right: FigureAxis | None = None
    stacked: bool = False
    spacing: int = 30
    expected: bool = False


Figured = TableFigure | ChartFigure | TextFigure


def scaled(values: Iterable[float], currency: str) -> tuple[float, str]:
    """Return a power of a thousand in which the largest value reads well, and that unit's name."""
    largest = max((abs(each) for each in values), default=0.0)
    for scale, name in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if largest >= 2 * scale:
            return scale, f"{name} {currency}"
    return 1.0, currency
