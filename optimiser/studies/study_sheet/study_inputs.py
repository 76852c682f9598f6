"""The inputs of studies: the cells that a row names, and between which values they are moved."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from optimiser.studies.study_sheet.study_table import Study
from stockpile_model import changes
from stockpile_model.changes import Change, How
from stockpile_model.scenarios import Event
from stockpile_model.schema import Column, Row, columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import normal

ENDLESS = ("normal", "lognormal")  # distributions without ends
TAIL = 0.05  # of a distribution without ends, on each side of its low and high
SHARE = 0.1  # how far an input without a range is moved, up and down, as a share of it
Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class Input:
    """A number that a study changes: the cells, how, and between which values.

    `base` is what stands there (`set`), or what changes nothing; `step`: between two values that
    the cells can hold, where not every number is one; `unit` in the words of the workbook.
    """

    table: str
    row: str
    column: str
    how: How
    low: float
    high: float
    base: float | None = None
    distribution: str = "uniform"
    step: float | None = None
    unit: str = ""

    def change(self, value: float) -> Change:
        """Return the change that gives the input a value."""
        return Change(self.table, self.row, self.column, self.how, float(value))

    @property
    def reach(self) -> tuple[float, float]:
        """Return between which values nearly all of its samples lie.

        These are low and high; of a distribution without ends 999 of 1000 samples lie there.
        """
        return (
            (self.at(0.0005), self.at(0.9995))
            if self.distribution in ENDLESS
            else (self.low, self.high)
        )

    def snap(self, value: float) -> float:
        """Return the nearest value that the cells can hold."""
        if self.step is None:
            return value
        return self.low + math.floor((value - self.low) / self.step + 0.5) * self.step

    def level(self, share: float) -> float:
        """Return the value at a level of a grid, 0 to 1: the quantiles from 5 % to 95 % of a
        distribution without ends, for its far tails are no part of a range.
        """
        return self.at(TAIL + (1 - 2 * TAIL) * share if self.distribution in ENDLESS else share)

    def at(self, share: float) -> float:
        """Return the quantile of its distribution."""
        if self.step is not None:
            count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
            return self.low + min(int(share * count), count - 1) * self.step
        if self.distribution == "triangular":
            return self._triangular(share)
        if self.distribution in ENDLESS:
            return self._endless(share)
        return self.low + share * (self.high - self.low)

    def _triangular(self, share: float) -> float:
        """Return a quantile of a triangle whose mode is the base, or the middle."""
        middle = (self.low + self.high) / 2 if self.base is None else self.base
        mode = min(max(middle, self.low), self.high)
        width = self.high - self.low
        if share < (mode - self.low) / width:
            return self.low + math.sqrt(share * width * (mode - self.low))
        return self.high - math.sqrt((1 - share) * width * (self.high - mode))

    def _endless(self, share: float) -> float:
        """Return a quantile of a normal or lognormal distribution."""
        logarithmic = self.distribution == "lognormal"
        low, high = (
            (math.log(self.low), math.log(self.high)) if logarithmic else (self.low, self.high)
        )
        unit, inside = NormalDist(), min(max(share, 1e-12), 1 - 1e-12)
        found = (low + high) / 2 + (high - low) / 2 * unit.inv_cdf(inside) / unit.inv_cdf(1 - TAIL)
        return math.exp(found) if logarithmic else found

    @property
    def name(self) -> str:
        """Return its name: the cells, and how they are changed."""
        said = (
            f"{self.table}[{self.row}].{self.column}"
            if self.table != "settings"
            else f"settings.{self.row}"
        )
        return said if self.how == "set" else f"{said} {self.how}"

    @property
    def label(self) -> str:
        """Return its name with its unit, for a header or an axis."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True)
class Cell:
    """A cell that a study may change.

    `column` is None for an index of `prices`; `value` is a number, or a date.
    """

    row: Row
    name: str
    column: Column | None
    value: float | dt.date

    @property
    def range(self) -> tuple[float | None, float | None]:
        """Return the low and high of the cell."""
        return self.row.ranges.get(self.name, (None, None))


def cells(stockpile: Stockpile, row: Study) -> list[Cell]:
    """Find the cells that a row names.

    ValueError where it names none, or one that holds neither a number nor a date.
    """
    if not row.table or not row.column:
        raise ValueError("needs a table and a column")
    changed = changes.apply(
        stockpile, Change(row.table, row.row or "*", row.column, "add", 0.0)
    )  # says what is not there
    if normal(row.table) == Settings.TABLE:
        return [*cells_of(stockpile.settings, str(row.row))]
    kind = next(each for each in stockpile.tables if normal(str(row.table)) == each.TABLE)
    pairs = zip(stockpile.rows(kind), changed.rows(kind), strict=True)
    return [
        cell
        for before, after in pairs
        if before is not after
        for cell in cells_of(before, row.column)
    ]


def cells_of(row: Row, name: str = "*") -> Iterator[Cell]:
    """Yield the cells of a row that hold a number or a date, of one column or of all but keys."""
    for each in columns(type(row)):
        if name in ("*", "", each.name) or normal(name) == normal(each.name):
            value = get(row, each.name)
            if each.kind == "text" and each.numbers:
                value = _number_of(value)
            if (
                not each.many
                and not each.key
                and not isinstance(value, bool)
                and isinstance(value, (int, float, dt.date))
            ):
                yield Cell(row, each.name, each, value)
    for index, value in getattr(row, "values", {}).items():
        if name in ("*", "") or normal(name) == normal(index):
            yield Cell(row, index, None, float(value))


def _number_of(said: object) -> float | None:
    """Return the number that a text holds; None where it holds none."""
    try:
        return None if said is None else float(str(said))
    except ValueError:
        return None


def step_of(stockpile: Stockpile, cell: Cell) -> float | None:
    """Return the distance between two values that a cell can hold, or by which it can be moved.

    None: it can hold any number.
    """
    column = column_of(stockpile, cell)
    if column is None or is_factor(cell):
        return None
    if column.kind == "date" or (column.unit == "months" and column.kind == "number"):
        return float(stockpile.calendar.months)
    return 1.0 if column.kind == "whole" else None


def column_of(stockpile: Stockpile, cell: Cell) -> Column | None:
    """Return the column whose number a cell holds; None for an index of `prices`.

    The value of an event is a number of the column that it changes.
    """
    if not isinstance(cell.row, Event) or cell.name != "value":
        return cell.column
    table, column = normal(cell.row.table), normal(cell.row.column)
    kind = next((each for each in stockpile.tables if table == each.TABLE), None)
    return (
        None
        if kind is None
        else next((each for each in columns(kind) if column == each.name), None)
    )


def is_factor(cell: Cell) -> bool:
    """Return whether a cell holds a factor: the value of an event that scales."""
    return isinstance(cell.row, Event) and cell.name == "value" and cell.row.how == "scale"


def unit_of(stockpile: Stockpile, cell: Cell, how: str) -> str:
    """Return the unit of a change of a cell."""
    settings = stockpile.settings
    if how == "scale" or is_factor(cell):
        return ""
    column = column_of(stockpile, cell)
    if column is None:
        unit = "money/quantity"
    elif column.kind == "date":
        unit = "months"
    else:
        unit = column.unit if isinstance(cell.row, Event) else cell.row.measured(column)
    names = {"quantity": settings.quantity_unit, "money": settings.currency}
    return (
        "" if unit == "1" else re.sub(r"\b(quantity|money)\b", lambda found: names[found[0]], unit)
    )


def input_of(stockpile: Stockpile, row: Study) -> Input:
    """Return the input of a row.

    Raises ValueError, to be read after the name of a column or alone, where it has no range.
    """
    named = cells(stockpile, row)
    if not named:
        raise ValueError("names cells that hold no number")
    steps = {step_of(stockpile, each) for each in named}
    step = max((each for each in steps if each is not None), default=None)
    first = named[0]
    if isinstance(first.value, dt.date) and row.how != "add":
        raise ValueError(
            "names a date, which can only be moved: write add as its how, and months as low and"
            " high"
        )
    if step is not None and row.how == "scale":
        raise ValueError(
            "names a duration or a whole number, which cannot be scaled: write set or add as"
            " its how"
        )
    how, base, low, high = _range(row, named, step)
    if not low < high:
        raise ValueError(f"must be above low, found {low:g} and {high:g}")
    whole = isinstance(first.value, dt.date) or step == 1
    if whole and not (float(low).is_integer() and float(high).is_integer()):
        raise ValueError(f"must be a whole number, and low too, found {low:g} and {high:g}")
    table, key, column = normal(str(row.table)), row.row or "*", str(row.column)
    unit = unit_of(stockpile, first, how)
    return Input(table, key, column, how, low, high, base, row.distribution, step, unit)


def _range(
    row: Study, named: Sequence[Cell], step: float | None
) -> tuple[How, float | None, float, float]:
    """Return how cells are moved, the value that changes nothing, and low and high."""
    how = _how(row.how)
    base = {"set": _value(named), "scale": 1.0, "add": 0.0}[how]
    if row.low is not None and row.high is not None:
        return how, base, row.low, row.high
    own: Ends = (None, None)
    if how == "set" and len({each.range for each in named}) == 1:
        own = named[0].range
    together = how == "scale" or (how == "set" and row.low is None and row.high is None)
    if step is not None and base is not None:
        low, high = _ends(own, base, step)
    elif how == "set" and base is not None:
        low, high = _ends(own, base, SHARE * abs(base))
    elif step is None and together:
        # Cells with different numbers are moved together, by the same share.
        how, base, low, high = "scale", 1.0, 1 - SHARE, 1 + SHARE
    else:
        raise ValueError("needs low and high: the cell has no range to take them from")
    return (
        how,
        base,
        low if row.low is None else row.low,
        high if row.high is None else row.high,
    )


def _value(named: Sequence[Cell]) -> float | None:
    """Return the number that stands in all cells; None where they hold dates or differ."""
    value = named[0].value
    same = all(each.value == value for each in named)
    return float(value) if same and not isinstance(value, dt.date) else None


def _ends(own: Ends, middle: float, by: float) -> tuple[float, float]:
    """Return low and high: those of the cell where it has them, else about the middle."""
    low, high = own
    return middle - by if low is None else low, middle + by if high is None else high


def _how(how: str) -> How:
    return "scale" if how == "scale" else "add" if how == "add" else "set"
