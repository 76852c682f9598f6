"""What changed of the inputs since a plan was announced, and which of it a decision rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from optimiser.plan.assumption_rows import Assumption, assumptions
from optimiser.plan.plan import Plan
from stockpile_model import amounts
from stockpile_model.block import announceable
from stockpile_model.names import identity
from stockpile_model.nearness import DeedKey
from stockpile_model.schema import Row, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

BLANK = "blank"
PASSING = ("start", "periods", "realised_scenario")
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
        named = not self.row.isdigit()  # else it is the number of a row
        of = "" if self.table == Settings.TABLE else f" of {self.row if named else self.table}"
        where = f" ({self.cell})" if self.cell else ""
        what = f"{self.column.replace('_', ' ')}{of}"
        return f"{what} is now {self.after}, was {self.before}{where}"


def changed_inputs(plan: Plan, stockpile: Stockpile) -> list[ChangedCell]:
    """Return the cells that have changed since a plan was announced.

    Rows that have no name are compared by their number, so only where the two begin at one date:
    when time passes, rows go. What time itself changes is left out.
    """
    old, new = (_by_place(assumptions(of)) for of in (plan.stockpile, stockpile))
    rolled = plan.stockpile.settings.start != stockpile.settings.start
    found = []
    for place in dict.fromkeys((*old, *new)):
        was, now = old.get(place), new.get(place)
        same = _told(was) == _told(now)
        if not same and not (rolled and _passes(place, was, now, (plan.stockpile, stockpile))):
            found.append(_changed_cell(place, was, now))
    return found


Place = tuple[str, str, str]
"""The table, row and column of a cell."""


def _changed_cell(place: Place, was: Assumption | None, now: Assumption | None) -> ChangedCell:
    both = [each for each in (now, was) if each is not None]
    cell = next((each.cell for each in both if each.cell), "")
    return ChangedCell(place[0], both[0].row, both[0].column, cell, _told(was), _told(now))


def _passes(
    place: Place,
    was: Assumption | None,
    now: Assumption | None,
    books: tuple[Stockpile, Stockpile],
) -> bool:
    """Return whether a cell changes as time passes: it is of a row without a name, or of a row that
    only one of the two workbooks has, or says when the plan begins and how long it lasts.
    """
    table, row, column = place
    if table == Settings.TABLE:
        return column in PASSING
    kind = next(each for of in books for each in of.tables if table == each.TABLE)
    if not keys(kind):
        return True
    once = was is None or now is None
    return once and not all(row in map(identity, of.names(table)) for of in books)


def behind(key: DeedKey, stockpile: Stockpile, changed: Sequence[ChangedCell]) -> list[ChangedCell]:
    """Return the changed cells that a decision rests on: of its own row, and of rows it names."""
    table = announceable()[key.kind].table
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


def _by_place(rows: Iterable[Assumption]) -> dict[Place, Assumption]:
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
