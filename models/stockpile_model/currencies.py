"""Currencies: rows that state their money in another than the book's, as they stand at a node.

A currency is an index of `prices` of its name: money of the book per unit of it. A row with one
states all of its money, and quotes the index that sets its price, in it; so do the rows that name
it (the levels of a contract, the breaks of an offer). A row is read at the node at which it is
paid, so there its money is converted; a share of an index is multiplied likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from stockpile_model.schema import Column, Row, columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price

CURRENCY = "currency"  # the column of a row that names one


def foreign(stockpile: Stockpile) -> bool:
    """Return whether any row states its money in another currency than the book's."""
    return any(_own(row) is not None for rows in stockpile.tables.values() for row in rows)


def anchored(stockpile: Stockpile) -> Stockpile:
    """Keep the scale of the rows in the book's money, without the currencies themselves."""
    if stockpile.anchor is not None:
        return stockpile
    names = {_own(row) for rows in stockpile.tables.values() for row in rows}
    first = converted(replace(stockpile, views=()), 0)
    prices = tuple(
        replace(row, values={name: each for name, each in row.values.items() if name not in names})
        for row in first.rows(Price)
    )
    return replace(stockpile, anchor=replace(first, tables={**first.tables, Price: prices}).scale)


def converted(stockpile: Stockpile, node: int) -> Stockpile:
    """Return the rows of a view in the money of the book, by the prices of a node."""
    tables = {
        kind: tuple(_converted(stockpile, row, node) for row in rows)
        for kind, rows in stockpile.tables.items()
    }
    return replace(stockpile, tables=tables)


def currency_of(stockpile: Stockpile, row: Row) -> str | None:
    """Return the currency of a row: its own, or that of the row that it is part of."""
    if (own := _own(row)) is not None:
        return own
    first = columns(type(row))[0]
    whole = next((kind for kind in stockpile.tables if first.refers == kind.TABLE), None)
    if whole is None or not any(each.name == CURRENCY for each in columns(whole)):
        return None
    other = stockpile.keyed(whole).get(get(row, first.name))
    return None if other is None else _own(other)


def _own(row: Row) -> str | None:
    """Return the currency that a row names; None where it names none."""
    found: str | None = getattr(row, CURRENCY, None)
    return found


def _converted(stockpile: Stockpile, row: Row, node: int) -> Row:
    """Return a row in the money of the book."""
    currency = currency_of(stockpile, row)
    if currency is None:
        return row
    rate = stockpile.price_on(currency, stockpile.date(node))
    values: dict[str, Any] = dict(_values(row, rate))
    if _own(row) is not None:
        values[CURRENCY] = None
    return replace(row, **values)


def _values(row: Row, rate: float) -> Iterator[tuple[str, float]]:
    """Yield the fields of a row that hold money, or a share of an index, in the book's money."""
    for each in columns(type(row)):
        value = getattr(row, each.field)
        if each.kind == "number" and each.unit.startswith("money") and value is not None:
            yield each.field, value * rate
        elif each.indexed and _has_index(row) and (value is not None or each.indexed == "times"):
            yield each.field, _INDEXED[each.indexed](1.0 if value is None else value, rate)


def _has_index(row: Row) -> bool:
    """Return whether a row names the index of its price, or has no column for it."""
    names: list[Column] = [
        each for each in columns(type(row)) if each.refers == Price.TABLE and each.name != CURRENCY
    ]
    return not names or any(getattr(row, each.field) is not None for each in names)


_INDEXED: Mapping[str, Any] = {
    "more": lambda share, rate: (1 + share) * rate - 1,
    "less": lambda share, rate: 1 - (1 - share) * rate,
    "times": lambda share, rate: share * rate,
}
"""What becomes of a share of an index, by how the price follows from it."""
