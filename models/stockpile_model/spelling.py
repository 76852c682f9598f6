"""One name, one spelling: rows that mean the same thing carry the very same text.

So inside the model names are compared as text. A name is spelt as its key is, or where it has no
table of its own (`GROUPS`) as it stands first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from stockpile_model.names import identity
from stockpile_model.schema import Column, Row, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from stockpile_model.values import normal

GROUPS = ("buyer", "country", "bloc", "stage", "group")
"""Columns whose names have no table of their own: one name means the same in every table."""
ENDOWED = "endowed"
"""The group of the names of all rows of which buyers have a part."""

RECEIVED = "received"
"""The group of the names of all rows that bring metal of a supplier."""


def named(column: Column) -> Callable[[Any], str] | None:
    """Return what the texts in a column are names of, for a row, as `Column.names`.

    None where they name nothing.
    """
    if column.names is not None:
        return column.names
    where = column.refers or (column.name if column.name in GROUPS else "")
    return (lambda row: where) if where else None


def folded(where: str, name: str) -> str:
    """Return a name as it is compared with the others of a table or group.

    An index is the title of a column.
    """
    return normal(name) if where == Price.TABLE else identity(name)


@functools.lru_cache(maxsize=8)
def spellings(stockpile: Stockpile) -> Mapping[str, Mapping[str, str]]:
    """Return for each table, menu of floors and group its names as compared -> as written."""
    found: dict[str, dict[str, str]] = {}
    for kind, rows in stockpile.tables.items():
        own = [column.name for column in columns(kind) if column.key and column.kind == "text"]
        if kind is Price or (own == list(keys(kind)) and len(own) == 1):
            found[kind.TABLE] = {
                folded(kind.TABLE, name): name for name in reversed(stockpile.names(kind.TABLE))
            }
        elif own == list(keys(kind)) and len(own) == 2:
            for row in rows:
                first, second = (get(row, name) for name in own)
                found.setdefault(f"{kind.TABLE}/{first}", {}).setdefault(identity(second), second)
        for where, name in _groups(kind, rows):
            found.setdefault(where, {}).setdefault(identity(name), name)
    for each in (each for kind in stockpile.tables for each in columns(kind) if each.grouped):
        found[each.refers] = {**found.get(each.grouped, {}), **found.get(each.refers, {})}
    return found


def _groups(kind: type[Row], rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Yield the groups in which a table has names, each with such a name."""
    for row in rows if brings(kind) else ():
        yield RECEIVED, get(row, keys(kind)[0])
    for column in columns(kind):
        for row in rows:
            if column.name in GROUPS and (name := getattr(row, column.field)) is not None:
                yield column.name, name
            if column.endowed:
                yield ENDOWED, get(row, column.endowed)


def brings(kind: type[Row]) -> bool:
    """Return whether the rows of a table bring metal of a supplier."""
    return any(each.age == "received" for each in columns(kind))


def spelt(stockpile: Stockpile, where: str, value: Any) -> Any:
    """Return a name of a table or group, or a list of them, in its one spelling.

    An unknown one stays as it stands.
    """
    known = spellings(stockpile).get(where, {})
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(known.get(folded(where, item), item) for item in value))
    return known.get(folded(where, value), value)


def alike(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with every name in its one spelling.

    The time grows with the number of rows.
    """
    return replace(
        stockpile,
        tables={kind: _alike(stockpile, kind, rows) for kind, rows in stockpile.tables.items()},
    )


def _alike(stockpile: Stockpile, kind: type[Row], rows: tuple[Row, ...]) -> tuple[Row, ...]:
    pointing = [
        (column.field, where) for column in columns(kind) if (where := named(column)) is not None
    ]
    found = []
    for given in rows:
        row = given
        for (
            field,
            where,
        ) in (
            pointing
        ):  # one after the other: a level is looked for on the menu of the contract as it is spelt
            value = getattr(row, field)
            if value is not None and (one := spelt(stockpile, where(row), value)) != value:
                row = replace(row, **{field: one})
        found.append(row)
    return tuple(found)
