"""A part of a stockpile: what stands for some buyers, without the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from stockpile_model.block import blocks, owner
from stockpile_model.schema import Column, Row, columns, get, keys
from stockpile_model.stockpile import Stockpile


def alone(stockpile: Stockpile, group: Collection[str]) -> Stockpile:
    """Return a stockpile for some of its buyers alone.

    The rows of other buyers are left out, and with them the rows that refer to these, as their
    blocks say. What names no buyer stays, in the part that the blocks say.
    """
    for block in blocks():
        if block.alone is not None:
            stockpile = block.alone(stockpile, group)
    tables, gone = dict(stockpile.tables), dict[str, set[Any]]()
    for kind, rows in stockpile.tables.items():
        lost = [row for row in rows if not _belongs(row, group)]
        tables[kind] = tuple(row for row in rows if _belongs(row, group))
        if len(keys(kind)) == 1:
            gone[kind.TABLE] = {get(row, keys(kind)[0]) for row in lost}
    before = None
    while before != gone:  # what is left out may be referred to in turn
        before = {table: set(names) for table, names in gone.items()}
        for kind, rows in tables.items():
            kept = [(row, _without(row, gone)) for row in rows]
            tables[kind] = tuple(left for _, left in kept if left is not None)
            if len(keys(kind)) == 1:
                gone[kind.TABLE] |= {get(row, keys(kind)[0]) for row, left in kept if left is None}
    return replace(stockpile, tables=tables)


def _belongs(row: Row, group: Collection[str]) -> bool:
    """Return whether a row stands for a buyer of the group, or for all."""
    return all(get(row, each.name) in (None, *group) for each in columns(type(row)) if each.owner)


def _without(row: Row, gone: dict[str, set[Any]]) -> Row | None:
    """Return what becomes of a row when some of what it may refer to is left out.

    None: it goes too.
    """
    left: Row | None = row
    for column, table in _references(row):
        if left is not None and get(left, column.name) in gone.get(table, ()):
            block = owner(type(row))
            left = (
                None if block is None or block.orphan is None else block.orphan(left, column.name)
            )
    return left


def _references(row: Row) -> Iterator[tuple[Column, str]]:
    """Yield the columns of a row that refer to one row of a table, with the table."""
    for each in columns(type(row)):
        if not each.many and (table := each.refers or (each.names(row) if each.names else "")):
            yield each, table
