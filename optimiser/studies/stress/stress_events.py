"""The events of a stress test, one at a time: late plants, lost suppliers, prices, money, life.

Which cells they change the columns say (`Column.stress`), and by which ways a supplier's metal
comes the blocks do.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from optimiser.studies.engine.shocks import Shock
from stockpile_model.block import ways
from stockpile_model.calendar import add_months, overlap
from stockpile_model.changes import Change
from stockpile_model.names import identity
from stockpile_model.row_groups import supplier_of
from stockpile_model.schema import Column, Row, Stress, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import OPERATING, Price, Supplier
from stockpile_model.values import text

DELAYS = (6, 12)  # months
MOVES = ((1.2, "20 % higher"), (0.8, "20 % lower"))
CUT, SHORTER = 0.8, 0.75  # what is left of money, and of a life
ENDS = ("pay_by", "expires")  # until when money can be used, the last date first


@dataclass(frozen=True)
class StressEvent:
    """Describe what happens, and at which cell; `until`: the periods that are decided before."""

    what: str
    cell: str
    shock: Shock
    until: int


@dataclass(frozen=True)
class LeftOut:
    """A cell that no event changes, and why."""

    cell: str
    why: str


@dataclass
class StressEvents:
    """The events that follow `until` periods, in the base path or in every scenario.

    An event is known at the end of these periods; a plant that is late when it should have
    shipped, if that is earlier.
    """

    stockpile: Stockpile
    until: int
    everywhere: bool = False
    events: list[StressEvent] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def __post_init__(self) -> None:
        for supplier in self.stockpile.rows(Supplier):
            if self.stockpile.counts(supplier.supplier):
                self._late(supplier)
        for supplier in self.stockpile.rows(Supplier):
            if self.stockpile.counts(supplier.supplier):
                self._gone(supplier)
        self._indices()
        self._prices()
        for row, column in self._flagged("cut"):
            self._cut(row, column)
        for row, column in self._flagged("shorter"):
            self._shorter(row, column)

    # --- Plants and suppliers

    def _late(self, supplier: Supplier) -> None:
        """Add the delays of a plant that does not operate yet."""
        stockpile, calendar = self.stockpile, self.stockpile.calendar
        ships, name = stockpile.shipping(supplier.supplier), supplier.supplier
        if supplier.stage == OPERATING and not ships:
            return
        cells = [
            (row, column)
            for row, column in self._flagged("late")
            if supplier_of(stockpile, row) is supplier
        ]
        waits = [calendar.whole(get(row, each.name)) for row, each in cells if each.kind != "date"]
        due = max([ships, *([min(each or 0 for each in waits)] if waits else [])])
        cell = stockpile.cell(supplier, cells[0][1].name)
        if due >= calendar.periods:
            self.left_out.append(LeftOut(cell, f"{name} ships only after the horizon"))
            return
        for months in DELAYS:
            if calendar.whole(months) is None:
                why = f"{months} months are no whole number of periods: {name} cannot be so late"
                self.left_out.append(LeftOut(cell, why))
                continue
            changes = tuple(self._delay(row, column, months) for row, column in cells)
            what, known = f"{name} late by {months} months", min(self.until, due)
            self._add(what, cell, changes, calendar.start, known)

    def _delay(self, row: Row, column: Column, months: int) -> Change:
        """Return the change that delays a date, or prolongs a wait; a date that is past, or none,
        is that of the start.
        """
        start, value = self.stockpile.settings.start, get(row, column.name)
        if column.kind == "date" and (value is None or value < start):
            return self._change(row, column, "set", add_months(start, months))
        return self._change(row, column, "add", months)

    def _gone(self, supplier: Supplier) -> None:
        """Add the loss of a supplier: nothing of it arrives any more, ordered or not."""
        found = ways(self.stockpile, supplier.supplier)
        changes = tuple(Change(way.table, way.name, "availability", "set", 0.0) for way in found)
        cell = self.stockpile.cell(supplier, "supplier")
        if changes:
            self._add(f"{supplier.supplier} gone", cell, changes)
        else:
            self.left_out.append(LeftOut(cell, f"no metal comes from {supplier.supplier}"))

    # --- Prices

    def _indices(self) -> None:
        """Add a move of each index up and down."""
        stockpile = self.stockpile
        used = {
            identity(str(get(row, each.name)))
            for kind, rows in stockpile.tables.items()
            for each in columns(kind)
            if each.refers == Price.TABLE
            for row in rows
        }
        for index in stockpile.names(Price.TABLE):
            cell = stockpile.cell(stockpile.rows(Price)[0], index)
            if identity(index) not in used:
                self.left_out.append(LeftOut(cell, f"nothing has the price of {index}"))
                continue
            for factor, moved in MOVES:
                changes = (Change(Price.TABLE, "*", index, "scale", factor),)
                self._add(f"{index} {moved}", cell, changes)

    def _prices(self) -> None:
        """Add a move of each fixed price up and down, that of an offer with its breaks."""
        groups: dict[tuple[str, str], list[tuple[Row, Column]]] = {}
        for row, column in self._flagged("price"):
            if get(row, column.name):
                first = columns(type(row))[0]
                key = (first.refers or row.TABLE, identity(text(get(row, first.name))))
                groups.setdefault(key, []).append((row, column))
        for (table, _), cells in groups.items():
            cells.sort(key=lambda each: table != each[0].TABLE)
            row, column = cells[0]
            for factor, moved in MOVES:
                changes = dict.fromkeys(self._change(*each, "scale", factor) for each in cells)
                name = text(get(row, columns(type(row))[0].name))
                what = f"{column.name} of {name} {moved}"
                self._add(what, self.stockpile.cell(row, column.name), tuple(changes))

    # --- Money and life

    def _cut(self, row: Row, column: Column) -> None:
        """Add the cut of an appropriation that can still be spent."""
        first, has = columns(type(row))[0], {each.name for each in columns(type(row))}
        begin = get(row, "from") if "from" in has else None
        end = next((get(row, each) for each in ENDS if each in has and get(row, each)), None)
        name = f"{text(get(row, first.name))} {begin or self.stockpile.settings.start:%Y-%m}"
        cell = self.stockpile.cell(row, column.name)
        window = overlap(self.stockpile.calendar, begin, end)
        if window.stop <= self.until or not get(row, column.name):
            self.left_out.append(LeftOut(cell, f"{name} has lapsed by then, or is nothing"))
            return
        if not window:
            self.left_out.append(LeftOut(cell, f"{name} cannot be spent within the horizon"))
            return
        changes = (self._change(row, column, "scale", CUT),)
        self._add(f"appropriation {name} cut by a fifth", cell, changes)

    def _shorter(self, row: Row, column: Column) -> None:
        """Add a life that is a quarter shorter, in whole periods."""
        life, period = get(row, column.name), self.stockpile.calendar.months
        if life is None:
            return
        name, cell = (
            text(get(row, columns(type(row))[0].name)),
            self.stockpile.cell(row, column.name),
        )
        left = math.floor(life * SHORTER / period + 1e-9) * period
        if left <= 0:
            why = f"three quarters of the life of {name} are less than a period"
            self.left_out.append(LeftOut(cell, why))
            return
        changes = (self._change(row, column, "set", float(left)),)
        what = f"life of {name} {left:g} months instead of {life:g}"
        self._add(what, cell, changes)

    # --- All of them

    def _flagged(self, stress: Stress) -> Iterator[tuple[Row, Column]]:
        """Yield the cells to which an event may happen: a row and a column."""
        for kind, rows in self.stockpile.tables.items():
            for column in columns(kind):
                if column.stress == stress:
                    yield from ((row, column) for row in rows)

    def _change(self, row: Row, column: Column, how: Any, value: float | dt.date) -> Change:
        """Return a change of a cell, by the key of its row or by its number in the sheet."""
        kind = type(row)
        numbered = not keys(kind) and row.line and column.stress == "cut"
        name = f"row {row.line}" if numbered else text(get(row, columns(kind)[0].name))
        return Change(kind.TABLE, name, column.name, how, value)

    def _add(
        self,
        what: str,
        cell: str,
        changes: Sequence[Change],
        since: dt.date | None = None,
        until: int | None = None,
    ) -> None:
        """Add an event, from the first day after the periods that are held on unless said."""
        day = self.stockpile.calendar.begin(self.until) if since is None else since
        shock = Shock(day, tuple(changes), self.everywhere)
        self.events.append(StressEvent(what, cell, shock, self.until if until is None else until))
