"""Groups of rows that go by one address: all rows whose supplier is of a country, bloc or name.

An example is `country = China`. The supplier of a row is the one that it names, or that of the row
to which it refers: a level has the supplier of its contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model.names import clean, identity
from stockpile_model.schema import Row, columns, get, keys, nearest
from stockpile_model.spelling import RECEIVED, brings
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier

TRAITS = ("country", "bloc", "supplier")
"""The columns of a supplier by which its rows are addressed."""

_FORM = re.compile(rf"({'|'.join(TRAITS)})\s*=\s*(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class RowGroup:
    """The rows of a table whose supplier has a value in a column."""

    trait: str
    value: str

    def __str__(self) -> str:
        return f"{self.trait} = {self.value}"

    def holds(self, stockpile: Stockpile, row: Row) -> bool:
        """Return whether the supplier of a row is of the group."""
        supplier = supplier_of(stockpile, row)
        found = None if supplier is None else get(supplier, self.trait)
        return found is not None and identity(found) == identity(self.value)

    def missing(self, stockpile: Stockpile, table: str) -> str:
        """Return the message that no row of a table is of the group."""
        values = (get(each, self.trait) for each in stockpile.rows(Supplier))
        known = dict.fromkeys(each for each in values if each is not None)
        there = identity(self.value) in map(identity, known)
        hint = "" if there else nearest(self.value, known)
        return f"{table} has no row of a supplier with {self}{hint}"


def row_group(written: str | None) -> RowGroup | None:
    """Return the group that an address names; None where it names a row, or every row."""
    found = _FORM.fullmatch(clean(written or ""))
    return None if found is None else RowGroup(found[1].lower(), found[2])


def supplier_of(stockpile: Stockpile, row: Row) -> Supplier | None:
    """Return the supplier of a row; None where it has none."""
    if isinstance(row, Supplier):
        return row
    pointed = sorted(_pointed(stockpile, row), key=lambda other: not isinstance(other, Supplier))
    found = (supplier_of(stockpile, other) for other in pointed)
    return next((each for each in found if each is not None), None)


def _pointed(stockpile: Stockpile, row: Row) -> Iterator[Row]:
    """Yield the rows of other tables to which a row refers."""
    kinds = [kind for kind in stockpile.tables if len(keys(kind)) == 1]
    for each in columns(type(row)):
        where = each.refers or (each.names(row) if each.names else "")
        for kind in kinds if where and where != row.TABLE and not each.many else ():
            if where == kind.TABLE or (where == RECEIVED and brings(kind)):
                other = stockpile.keyed(kind).get(get(row, each.name))
                if other is not None:
                    yield other
