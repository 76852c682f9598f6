"""Scenarios as an audit derives them from the rows: what is known when, and the input on each path.

A path has a story: the scenarios that have become known on it, the oldest first. Two paths are one
until their stories differ. What holds in a period follows from the story known by then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from optimiser.auditing.clock import AuditClock, later
from optimiser.auditing.foreign_money import in_book_money
from optimiser.auditing.inputs import Rows
from stockpile_model.names import identity
from stockpile_model.schema import Column, columns, get, keys
from stockpile_model.spelling import RECEIVED
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import blank, convert, normal, text

BASE = "base"
TRAITS = ("country", "bloc", "supplier")  # of a supplier, by which its rows are addressed
LEAST = 1e-9  # a probability below this is none

Tables = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Future:
    """A scenario that may come.

    `row` is None for the base; `known` is the period from which it is known. `story` is what is
    known by each period: two futures share a period where that is the same. `path` are the rows of
    each period.
    """

    name: str
    probability: float
    row: Any
    known: int
    story: tuple[tuple[str, ...], ...]
    path: tuple[Rows, ...]


def futures(stockpile: Stockpile) -> tuple[Rows, list[Future]]:
    """Return the rows without any event, and the scenarios that may come: at least the base."""
    tables: Tables = {kind.TABLE: rows for kind, rows in stockpile.tables.items()}
    clock = AuditClock(stockpile.settings)
    named = {identity(row.scenario): row for row in tables.get("scenarios", ())}
    events: dict[str, list[Any]] = {name: [] for name in named}
    for row in tables.get("events", ()):
        events.setdefault(identity(row.scenario), []).append(row)
    known = {name: _known(clock, row, events[name]) for name, row in named.items()}
    base = 1.0 - sum(row.probability for row in named.values())
    views: dict[tuple[int, ...], Rows] = {(): Rows(tables)}
    found = []
    for name in (BASE, *named):
        row = named.get(name)
        probability = float(base if row is None else row.probability)
        if probability <= LEAST:
            continue
        line = _line(name, named)
        story = tuple(
            tuple(each for each in line if known[each] <= t) for t in range(clock.periods)
        )
        path = []
        for t, known_now in enumerate(story):
            active = [
                event
                for each in known_now
                for event in events[each]
                if t in clock.spans(event.from_, event.to)
            ]
            path.append(in_book_money(_rows(views, tables, active), clock.begin(t)))
        found.append(
            Future(
                BASE if row is None else row.scenario,
                probability,
                row,
                known.get(name, 0),
                story,
                tuple(path),
            )
        )
    return views[()], found


def _known(clock: AuditClock, row: Any, events: list[Any]) -> int:
    """Return the period from which a scenario is known.

    It is that of `revealed`, else of the first date of its events, else the first.
    """
    dates = [row.revealed] if row.revealed is not None else [event.from_ for event in events]
    return 0 if not dates or None in dates else max(0, min(clock.period(date) for date in dates))


def _line(name: str, named: Mapping[str, Any]) -> list[str]:
    """Return a scenario and those that it follows, the oldest first; without the base."""
    line: list[str] = []
    while name != BASE:
        line.insert(0, name)
        name = identity(named[name].follows or BASE)
    return line


def _rows(views: dict[tuple[int, ...], Rows], tables: Tables, active: list[Any]) -> Rows:
    """Return the rows while some events hold, one after the other; the same events share theirs."""
    key = tuple(map(id, active))
    if key not in views:
        changed = dict(tables)
        for event in active:
            table, now = normal(event.table), dict(changed)
            changed[table] = tuple(_changed(event, row, now) for row in now.get(table, ()))
        views[key] = Rows(changed)
    return views[key]


# --- What an event does to a row ------------------------------------------------------------------


def _changed(event: Any, row: Any, tables: Tables) -> Any:
    """Return a row after an event; it stays as it is where the event is not about it."""
    if not _about(event, row, tables):
        return row
    if event.feedstock:
        share = _supplier(row, tables).foreign_feedstock
        event = replace(event, value=repr((1 - share) + share * float(event.value)))
    new: dict[str, Any] = {}
    for column in _columns(event, type(row)):
        if (old := getattr(row, column.field)) is not None or event.how == "set":
            new[column.field] = _value(event, column, old, tables)
    if type(row).OPEN:
        series = dict(row.values)
        for index in _indices(event, tables):
            if event.how != "set" and index not in series:
                continue
            number = Column(name=index, field=index, kind="number", meaning="")
            series[index] = _value(event, number, series.get(index), tables)
        new["values"] = {index: value for index, value in series.items() if value is not None}
    return replace(row, **new)


def _about(event: Any, row: Any, tables: Tables) -> bool:
    """Return whether an event is about a row: by its name, or else by its supplier."""
    asked = event.row or "*"
    if asked == "*" or identity(asked) in _names(row):
        return True
    trait, _, value = (part.strip() for part in asked.partition("="))
    if identity(trait) not in TRAITS or not value:
        return False
    if any(identity(asked) in _names(each) for each in tables[type(row).TABLE]):
        return False
    written = getattr(_supplier(row, tables), identity(trait), None)
    return written is not None and identity(written) == identity(value)


def _supplier(row: Any, tables: Tables) -> Any:
    """Return the supplier of a row, its own or that of the offer or contract it is of."""
    if type(row).TABLE == "suppliers":
        return row
    if hasattr(row, "supplier"):
        return next((each for each in tables["suppliers"] if each.supplier == row.supplier), None)
    for column in columns(type(row)):
        where = column.refers or (column.names(row) if column.names is not None else "")
        if where == type(row).TABLE or column.many:
            continue
        for table in _bringing(tables) if where == RECEIVED else (where,):
            for other in tables.get(table, ()):
                if get(other, keys(type(other))[0]) == getattr(row, column.field):
                    if (found := _supplier(other, tables)) is not None:
                        return found
                    break
    return None


def _bringing(tables: Tables) -> Iterator[str]:
    """Yield the tables whose rows bring metal, which says how old it is when it is received."""
    for table, rows in tables.items():
        if rows and any(each.age == "received" for each in columns(type(rows[0]))):
            yield table


def _names(row: Any) -> set[str]:
    """Return the names of a row.

    They are its first column, its keys where they are several, and its number where it has no key.
    """
    parts = [text(get(row, name)) for name in keys(type(row))]
    names = {text(get(row, columns(type(row))[0].name)), "/".join(parts)}
    if not parts and row.line:
        names.add(f"row {row.line}")
    return {identity(name) for name in names if name}


def _columns(event: Any, kind: Any) -> list[Column]:
    """Return the columns that an event changes: the one it names, or all that hold numbers."""
    if event.column not in ("*", ""):
        return [each for each in columns(kind) if each.name == normal(event.column)]
    return [each for each in columns(kind) if each.kind in ("number", "whole") and not each.many]


def _indices(event: Any, tables: Tables) -> Iterable[str]:
    """Return the indices of prices that an event changes."""
    known = dict.fromkeys(index for row in tables.get("prices", ()) for index in row.values)
    return [
        index
        for index in known
        if event.column in ("*", "") or normal(index) == normal(event.column)
    ]


def _value(event: Any, column: Column, old: Any, tables: Tables) -> Any:
    """Return what becomes of a cell."""
    if event.how == "set":
        if blank(event.value):
            return column.default
        value = convert(column, event.value)
        return _spelt(column.refers, value, tables) if column.refers else value
    if isinstance(old, dt.date):
        return later(old, round(float(event.value)))
    value = old * float(event.value) if event.how == "scale" else old + float(event.value)
    return round(value) if column.kind == "whole" else value


def _spelt(table: str, value: Any, tables: Tables) -> Any:
    """Return a name in the spelling of its key."""
    if isinstance(value, tuple):
        return tuple(_spelt(table, each, tables) for each in value)
    rows = tables.get(table, ())
    names = (
        [index for row in rows for index in row.values]
        if table == "prices"
        else [get(row, keys(type(row))[0]) for row in rows]
    )
    return next((name for name in names if normal(name) == normal(value)), value)
