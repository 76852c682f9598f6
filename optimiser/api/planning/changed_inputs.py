"""What changed of the inputs since a plan was announced, and which of it a decision rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from optimiser.plan.assumption_rows import Assumption, assumptions
from optimiser.plan.plan import Plan
from stockpile_model import amounts
from stockpile_model.block import deeds
from stockpile_model.names import identity
from stockpile_model.nearness import DeedKey
from stockpile_model.schema import Row, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

BLANK = "blank"
PASSING = ("start", "periods")
"""Settings that change as time passes."""


@dataclass(frozen=True)
class ChangedCell:
    """A cell of the input, what it was when a plan was announced, and what it is now."""

    table: str
    row: str
    column: str
    cell: str
    before: str
    after: str

    def __str__(self) -> str:
        of = "" if self.table == Settings.TABLE else f" of {self.row}"
        where = f" ({self.cell})" if self.cell else ""
        what = f"{self.column.replace('_', ' ')}{of}"
        return f"{what} is now {self.after}, was {self.before}{where}"


def changed_inputs(plan: Plan, stockpile: Stockpile) -> list[ChangedCell]:
    """Return the cells that have changed since a plan was announced.

    Rows that have no name are compared by their number, so only where the two begin at one date:
    when time passes, rows go. What time itself changes is left out.
    """
    rolled = plan.stockpile.settings.start != stockpile.settings.start
    named = {kind.TABLE for kind in stockpile.tables if keys(kind)} | {Settings.TABLE}
    old, new = (_by_place(rows) for rows in map(assumptions, (plan.stockpile, stockpile)))
    found = []
    for place in dict.fromkeys((*old, *new)):
        table, row, column = place
        was, now = old.get(place), new.get(place)
        if _told(was) == _told(now) or (rolled and table not in named):
            continue
        if table == Settings.TABLE and column in PASSING:
            continue
        both = {identity(each.row) for each in (was, now) if each is not None}
        if rolled and None in (was, now) and not _stays(stockpile, plan.stockpile, table, both):
            continue
        cell = next((each.cell for each in (now, was) if each is not None and each.cell), "")
        shown = (now or was).row if now or was else row  # type: ignore[union-attr]
        found.append(ChangedCell(table, shown, column, cell, _told(was), _told(now)))
    return found


def behind(key: DeedKey, stockpile: Stockpile, changed: Sequence[ChangedCell]) -> list[ChangedCell]:
    """Return the changed cells that a decision rests on: of its own row, and of rows it names."""
    table = deeds()[key.kind].table
    own = [each for each in changed if each.table == table and _is(each.row, key.name)]
    parts = [
        each for each in changed if each.table != table and _is(each.row.split("/")[0], key.name)
    ]
    return [*own, *parts, *_named(table, key.name, stockpile, changed)]


def _named(
    table: str, name: str, stockpile: Stockpile, changed: Iterable[ChangedCell]
) -> Iterator[ChangedCell]:
    """Yield the changed cells of the rows that a row names, and of the indices it is priced by."""
    kind = next((each for each in stockpile.tables if table == each.TABLE), None)
    row: Row | None = None if kind is None else stockpile.keyed(kind).get(name)
    if kind is None or row is None:
        return
    refers = [
        (each.refers, str(get(row, each.name)))
        for each in columns(kind)
        if each.refers and get(row, each.name) is not None
    ]
    for each in changed:
        if any(
            each.table == other and (_is(each.row, key) or _is(each.column, key))
            for other, key in refers
        ):
            yield each


def _is(name: str, other: str) -> bool:
    return identity(name) == identity(other)


def _stays(now: Stockpile, was: Stockpile, table: str, rows: set[str]) -> bool:
    """Return whether a row stands in both workbooks: one of its cells was filled or cleared."""
    return all(rows <= {identity(name) for name in of.names(table)} for of in (now, was))


def _by_place(rows: Iterable[Assumption]) -> dict[tuple[str, str, str], Assumption]:
    return {(each.table, identity(each.row), identity(each.column)): each for each in rows}


def _told(row: Assumption | None) -> str:
    """Return a value as a message shows it; two that are alike are shown alike."""
    value = None if row is None else row.value
    if value is None or value == "":
        return BLANK
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return amounts.quantity(amounts.clean(float(value)))
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value)
