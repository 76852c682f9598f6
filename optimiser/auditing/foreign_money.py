"""Rows in another currency than the book's, as an audit reads them on a day of payment."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from optimiser.auditing.inputs import Rows
from stockpile_model.schema import columns, get

PARTS = {"price_breaks": ("offers", "offer"), "floors": ("contracts", "contract")}
"""Of rows that are part of others: the table of these, and the column that names one."""

INDEXED = (
    ("premium", "price_index"),
    ("discount", "price_index"),
    ("price_factor", "price_index"),
    ("floor_factor", "floor_index"),
)
"""The shares of an index, and the column of the index; a break of a price has none of its own."""


def in_book_money(rows: Rows, day: dt.date) -> Rows:
    """Return the rows with all of their money in the book's, by the prices of a day."""
    return Rows(
        {
            table: tuple(_converted(rows, table, row, day) for row in found)
            for table, found in rows.tables.items()
        }
    )


def _converted(rows: Rows, table: str, row: Any, day: dt.date) -> Any:
    """Return a row in the money of the book."""
    currency = getattr(row, "currency", None)
    if table in PARTS:
        whole, name = PARTS[table]
        currency = rows.keyed(whole)[getattr(row, name)].currency
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
