"""The cells that can give way, each with its value, its size and its weight."""

from __future__ import annotations

import datetime as dt
import functools
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimiser.studies.repairs.event_values import event_value
from stockpile_model import amounts, changes
from stockpile_model.block import tables
from stockpile_model.calendar import add_months
from stockpile_model.giving import Give
from stockpile_model.name_lists import list_of
from stockpile_model.scale import NOISE, PRICE
from stockpile_model.scenarios import Event, change
from stockpile_model.schema import LARGEST, Column, Row, columns, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import text

MONTHS = 12.0  # a date or duration counts by years, or by the horizon where that is shorter
DAYS = 365.25 / 12  # of a month
DEAR = 10.0  # a price that takes the place of none, in typical prices
FAR = 1000.0  # so many times as large is as large as may be


@dataclass(frozen=True, eq=False)
class GivingCell:
    """A cell that can give way.

    `row` is the row as the workbook has it, the `number`-th of its table. `address` is how `--set`
    names the cell, `cell` where it stands. `size` is what counts one weight to move it by, in its
    own unit: its own size, or what is usual in rows of its kind. `extreme` is its value where it
    has given all that it can. `signs` are the directions in which it can give, `room` how far [its
    sizes]; None: as far as the column allows. `rigid`: its number enters the model by way of a
    date, a duration or a count.
    """

    row: Row
    number: int
    column: Column
    give: Give
    address: str
    cell: str
    value: Any
    size: float
    extreme: Any
    signs: tuple[int, ...] = (1,)
    room: float | None = None
    rigid: bool = False

    @property
    def numeric(self) -> bool:
        """Return whether its number enters the model as it is: no duration, no date, no choice."""
        return (
            self.column.kind == "number"
            and not (self.column.many or self.rigid)
            and self.column.unit != "months"
            and isinstance(self.value, (int, float))
        )

    def part_way(self, share: float) -> Any:
        """Return the value at which it has given a share of all that it can, in whole months."""
        old, extreme = self.value, self.extreme
        if isinstance(extreme, dt.date):
            months = (extreme.year - old.year) * 12 + extreme.month - old.month
            return add_months(old, round(share * months))
        return type(old)(old + math.ceil(share * (extreme - old)))

    def farthest(self, sign: int) -> float:
        """Return the number to which it can go in a direction."""
        extreme = self.extreme
        if isinstance(extreme, (int, float)) and (extreme - self.value) * sign > 0:
            return float(extreme)
        least, most = self.column.least, self.column.most
        if sign > 0:
            return FAR * (self.value + self.size) if most is None else float(most)
        return 0.0 if least is None else float(max(least, 0.0))

    def reaches(self, step: float) -> bool:
        """Return whether it can give as much as a step."""
        room = self.farthest(1 if step > 0 else -1) - self.value
        return bool(abs(step) <= abs(room) + NOISE * self.size)

    def set_to(self, value: Any) -> str:
        """Return the change that gives the cell a value, in the words of `--set`."""
        if value is None or value == ():
            return f"{self.address} ="
        if isinstance(value, bool):
            return f"{self.address} = {'yes' if value else 'no'}"
        if isinstance(value, tuple):
            return f"{self.address} = {', '.join(map(text, value))}"
        written = f"{Decimal(text(value)):f}" if isinstance(value, (int, float)) else text(value)
        return f"{self.address} = {written}"

    def weight(self, value: Any) -> float:
        """Return what it counts to give the cell a value [1]."""
        old = self.value
        if isinstance(value, dt.date) and isinstance(old, dt.date):
            return self.give.weight * abs((value - old).days) / (DAYS * self.size)
        if (
            not isinstance(value, (bool, str))
            and isinstance(value, (int, float))
            and isinstance(old, (int, float))
        ):
            return self.give.weight * abs(value - old) / self.size
        return self.give.weight

    def said(self, value: Any) -> str:
        """Return in words what becomes of the cell."""
        what = f"`{self.cell}`"
        if self.give.way == "priced":
            return f"put a price of {_shown(value)} in {what}, so that it need not all be met"
        if value is None or value == ():
            return f"clear {what}, which is {_shown(self.value)}"
        if isinstance(value, (bool, str, tuple)):
            return f"set {what} from {_shown(self.value)} to {_shown(value)}"
        if isinstance(value, dt.date):
            earlier = self.value is None or value < self.value
            return f"move {what} from {_shown(self.value)} to {_shown(value)}" + (
                " or before" if earlier else " or later"
            )
        if value > self.value:
            return f"raise {what} from {_shown(self.value)} to at least {_shown(value)}"
        return f"lower {what} from {_shown(self.value)} to {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return list_of(value)
    if isinstance(value, (int, float)):
        return amounts.quantity(value)
    return "blank" if value is None else str(value)


def levers(stockpile: Stockpile) -> list[GivingCell]:
    """Return the cells of a workbook that can give way, in the order of its tables."""
    return [*_of_settings(stockpile), *_of_tables(stockpile)]


def _of_settings(stockpile: Stockpile) -> Iterator[GivingCell]:
    settings = stockpile.settings
    for column in columns(Settings):
        if column.name in Settings.GIVES:
            found = _lever(stockpile, settings, 0, column, getattr(settings, column.field))
            if found is not None:
                yield found


def _of_tables(stockpile: Stockpile) -> Iterator[GivingCell]:
    for kind in tables():
        if kind is Settings:
            continue
        own = [each for each in columns(kind) if each.name in kind.GIVES]
        more = changes.open_columns(stockpile, kind) if kind.OPEN in kind.GIVES else []
        for number, row in enumerate(stockpile.rows(kind)):
            for column in (*own, *more):
                value = changes.held(row, column)
                if (found := _lever(stockpile, row, number, column, value)) is not None:
                    yield found


def _lever(
    stockpile: Stockpile, row: Row, number: int, column: Column, value: Any
) -> GivingCell | None:
    """Return the lever of a cell; None where it can give no further."""
    give, size, rigid = _give(row, column), None, False
    if isinstance(row, Event) and column.numbers:
        found = event_value(stockpile, row, column, lambda *of: _extreme(stockpile, *of))
        if found is None:
            return None
        column, give, value, extreme = found.column, found.give, found.value, found.extreme
        size, rigid = found.size, found.rigid
    elif (value is None) != (give.way == "priced") or (
        value is not None and value == column.default
    ):
        return None
    else:
        extreme = _extreme(stockpile, row, column, give, value)
    where = changes.address(stockpile, row, column.name)
    if extreme == value or where is None:
        return None
    signs = {"more": (1,), "less": (-1,), "either": (-1, 1)}.get(give.way, (1,))
    return GivingCell(
        row,
        number,
        column,
        give,
        where,
        _cell(stockpile, row, column),
        value,
        size or _size(stockpile, row, column, value),
        extreme,
        signs,
        rigid=rigid,
    )


def _give(row: Row, column: Column) -> Give:
    return row.GIVES[row.OPEN if _open(column) else column.name]


def _open(column: Column) -> bool:
    """Return whether a column is one of those that a table has for each member of something."""
    return not column.field


def _cell(stockpile: Stockpile, row: Row, column: Column) -> str:
    """Return where a cell stands; the name of its column where the sheet has none."""
    letters = stockpile.header.get(row.TABLE, {})
    if letters and column.name not in letters and not isinstance(row, Settings):
        return f"{row.TABLE}.{column.name}"
    return stockpile.cell(row, column.name)


def _extreme(stockpile: Stockpile, row: Row, column: Column, give: Give, value: Any) -> Any:
    """Return the value at which a cell has given all that it can."""
    filled = give.grows or (id(row), column.name) in _reckoned(stockpile)
    blank = not (column.required or column.default is not None or filled)
    if give.way == "default":
        return column.default
    if give.way == "priced":
        scale = stockpile.scale
        return rounded(DEAR * PRICE * scale.money / scale.quantity, 1, 1)
    if column.kind == "date":
        first = stockpile.settings.start
        last = stockpile.calendar.begin(stockpile.settings.periods - 1)
        if blank:
            return None
        return min(value, first) if give.way == "earlier" else max(value, last)
    if give.way == "more":
        return _largest(stockpile, row, column, value)
    if _open(column):  # a price that is nothing is none
        return rounded(value / FAR, -1, value, 2) if value else _typical(stockpile, column)
    if column.least is not None:
        return type(value)(max(column.least, 0))
    return None if blank else value / FAR


@functools.lru_cache(maxsize=8)
def _reckoned(stockpile: Stockpile) -> frozenset[tuple[int, str]]:
    """Return the rows, by identity, and the columns of cells from whose value an event reckons."""
    return frozenset(
        (id(row), column.name)
        for event in stockpile.rows(Event)
        if event.how != "set"
        for row, column, _ in changes.addressed(stockpile, change(event))
    )


def _largest(stockpile: Stockpile, row: Row, column: Column, value: float) -> float:
    """Return a number that is as large as any can matter."""
    if column.unit == "months":
        longest = value + 2.0 * stockpile.settings.periods * stockpile.calendar.months
        return longest if column.most is None else min(longest, column.most)
    if column.most is not None:
        return column.most
    if column.kind == "whole":  # what is done a whole number of times is done once a period
        return int(value) + 2 * stockpile.settings.periods
    if getattr(row, "measure", "") == "share":
        return max(1.0, value)
    return min(LARGEST, FAR * (value + _typical(stockpile, column)))


def _typical(stockpile: Stockpile, column: Column) -> float:
    """Return one scaled unit of a column, which moves a cell that is 0."""
    return stockpile.scale.of(column.unit) if column.unit else 1.0


def _size(stockpile: Stockpile, row: Row, column: Column, value: Any) -> float:
    """Return the size of a cell: its own, or that usual in rows of the same fund, material ….

    A cell that is far too small is so moved back at the price of a usual one.
    """
    if column.unit == "months" or column.kind == "date":
        settings = stockpile.settings
        return min(MONTHS, float(settings.periods * settings.period_months))
    if column.kind not in ("number", "whole") or not isinstance(value, (int, float)):
        return 1.0
    kind = type(row)
    alike = "material" if keys(kind) else columns(kind)[0].field
    own = getattr(row, alike, None)
    others = [
        abs(other)
        for each in stockpile.rows(kind)
        if getattr(each, alike, None) == own
        and isinstance(other := changes.held(each, column), (int, float))
        and other
    ]
    size = max(abs(value), statistics.median_low(others) if others else 0.0)
    return size or _typical(stockpile, column) or 1.0


def rounded(value: float, direction: int, size: float, digits: int = 4) -> float:
    """Return a number with few digits that lies on the safe side of a value.

    `direction` is 1 to round up and -1 to round down; `size` gives the digits that count: that many
    of the larger of the value and the size.
    """
    largest = max(abs(value), abs(size) * 1e-9)
    if largest == 0 or not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(largest)) - digits + 1)
    count = value / step
    whole = math.ceil(count - 1e-9) if direction > 0 else math.floor(count + 1e-9)
    return float(f"{whole * step:.12g}")
