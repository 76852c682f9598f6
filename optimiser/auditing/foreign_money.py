"""Rows in another currency than the book's, as an audit reads them on a day of payment."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from optimiser.auditing.inputs import Rows
from stockpile_model.schema import columns, get

INDEXED = (
    ("premium", "price_index"),
    ("discount", "price_index"),
    ("price_factor", "price_index"),
    ("floor_factor", "floor_index"),
)
"""The shares of an index, and the column of the index; a break of a price has none of its own."""


def in_book_money(rows: Rows, day: dt.date) -> Rows:
    """Return the rows with all of their money in the book's, by the prices of a day."""
    if not any(getattr(row, "currency", None) for found in rows.tables.values() for row in found):
        return rows
    return Rows(
        {
            table: tuple(_converted(rows, row, day) for row in found)
            for table, found in rows.tables.items()
        }
    )


def _currency(rows: Rows, row: Any) -> str | None:
    """Return the currency of a row, or of the row that it is a part of: the first that it names."""
    first = columns(type(row))[0]
    if hasattr(row, "currency") or not first.refers:
        return getattr(row, "currency", None)
    return getattr(rows.keyed(first.refers).get(get(row, first.name)), "currency", None)


def _converted(rows: Rows, row: Any, day: dt.date) -> Any:
    """Return a row in the money of the book."""
    currency = _currency(rows, row)
    if currency is None:
        return row
    rate = rows.price(currency, day)
    fields = {each.field: each.unit.split("/")[0] for each in columns(type(row))}
    new = {
        name: getattr(row, name) * rate
        for name, unit in fields.items()
        if unit == "money" and getattr(row, name) is not None
    }
    for share, index in INDEXED:
        if share in fields and getattr(row, index, "own") is not None:
            new |= _share(share, get(row, share), rate)
    return replace(row, **new)


def _share(name: str, share: float | None, rate: float) -> dict[str, float]:
    """Return a share of an index such that the price is in the book's money."""
    if name == "premium":
        return {} if share is None else {name: (1 + share) * rate - 1}
    if name == "discount":
        return {name: 1 - (1 - (share or 0.0)) * rate}
    return {name: (1.0 if share is None else share) * rate}
