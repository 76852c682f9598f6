"""A workbook in memory: read from a file, or made of tables."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimiser.plan.frames import Shown, frame
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read import input_reader as reader
from optimiser.workbook.read.cells import Cells, Sheet, Unreadable
from optimiser.workbook.read.input_reader import Reading
from stockpile_model import amounts
from stockpile_model.changes import Change, parse
from stockpile_model.schema import nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

if TYPE_CHECKING:
    import pandas as pd

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Book(Shown):
    """A workbook without faults.

    `source` is the name of its file; `changes` were made to it since, in the words of `--set`.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> isinstance(book, so.Book), book.warnings
    (True, ())
    """

    reading: Reading
    source: str = ""
    changes: tuple[str, ...] = ()

    @property
    def stockpile(self) -> Stockpile:
        """Return the rows of all its tables."""
        return self.reading.stockpile

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Return what is odd about it, each with its cell."""
        return self.reading.warnings

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables that have rows."""
        return tuple(kind.TABLE for kind, rows in self.stockpile.tables.items() if rows)

    def change(self, *changes: str) -> Book:
        """Return the workbook after changes to its cells, each in the words of `--set`.

        Raises InputError for a change that names no cell, or that makes the workbook wrong.

        >>> import optimiser as so
        >>> book = so.read("inputs/small.xlsx").change("demand[*].quantity scale 1.1")
        >>> book.changes
        ('demand[*].quantity scale 1.1',)
        """
        return Book(
            reader.changed(self.reading, parsed(changes)), self.source, (*self.changes, *changes)
        )

    def without(self, *tables: str) -> Book:
        """Return the workbook without some of its tables.

        Raises InputError where the rest is wrong without them.

        >>> import optimiser as so
        >>> "outlets" in so.read("inputs/small.xlsx").without("outlets").tables
        False
        """
        kept = {
            kind: rows for kind, rows in self.stockpile.tables.items() if kind.TABLE not in tables
        }
        rest = replace(self.reading, stockpile=replace(self.stockpile, tables=kept))
        return replace(self, reading=reader.changed(rest, ()))

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return a table as a frame. Raises KeyError where the workbook has no such table."""
        kind = next((each for each in self.stockpile.tables if table == each.TABLE), None)
        if kind is None:
            raise KeyError(
                f"no table {table!r}{nearest(table, self.tables)}; there are"
                f" {', '.join(self.tables)}"
            )
        return frame(kind, self.stockpile.rows(kind))

    def _title(self) -> str:
        return f"Workbook {self.stockpile.settings.title or self.source or 'of tables'}"

    def _facts(self) -> Mapping[str, object]:
        settings, scenarios = self.stockpile.settings, len(self._rows_of("scenarios"))
        return {
            "horizon": (
                f"{settings.periods} periods of {amounts.count(settings.period_months, 'month')}"
                f" from {settings.start}"
            ),
            "units": f"{settings.quantity_unit}, {settings.currency}",
            "tables": ", ".join(f"{name} ({len(self._rows_of(name))})" for name in self.tables),
            "scenarios": scenarios or "none",
            "changes": "; ".join(self.changes) or "none",
            "warnings": len(self.warnings),
        }

    def _rows_of(self, table: str) -> tuple[Any, ...]:
        """Return the rows of a table by its name; none where there is no such table."""
        return next(
            (rows for kind, rows in self.stockpile.tables.items() if table == kind.TABLE), ()
        )


def read(path: str | Path, *changes: str) -> Book:
    """Read a workbook (.xlsx), or a folder with a CSV file for each table.

    Raises InputError, whose `faults` hold all that is wrong with it, each with its cell. The file
    is only read.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> book["offers"]["offer"].tolist()
    ['spot', 'framework']
    """
    made = parsed(changes)
    return Book(reader.read(path, made), Path(path).name, tuple(changes))


def from_tables(tables: Mapping[str, Any], *changes: str) -> Book:
    """Make a workbook of tables in memory: no file is needed.

    `tables` gives for each name a frame, a sequence of rows (mappings from column to value), or for
    `settings` a mapping from name to value. A blank is None or NaN; a list is joined by commas.
    Faults name a row by its number in a sheet: the first is row 2. Raises InputError as `read`
    does.

    >>> import optimiser as so
    >>> book = so.from_tables({
    ...     "settings": {"start": "2027-01-01", "periods": 2},
    ...     "materials": [{"material": "gallium", "shortage_cost": 9000}],
    ...     "suppliers": [{"supplier": "mill"}],
    ...     "offers": [{"offer": "spot", "supplier": "mill", "material": "gallium", "price": 500}],
    ...     "demand": [{"material": "gallium", "from": "2027-02-01", "quantity": 10}],
    ... })
    >>> so.solve(book).plan.objective
    5000.0
    """
    given = [Sheet(name, _sheet_rows(name, rows)) for name, rows in tables.items()]
    try:
        return Book(reader.read_sheets(given, parsed(changes)), "", tuple(changes))
    except Unreadable as reason:
        raise InputError([Fault("tables", str(reason))]) from reason


def parsed(changes: Iterable[str]) -> list[Change]:
    """Return changes in the words of `--set` as changes.

    Raises InputError with all that are none.
    """
    found, faults = list[Change](), list[Fault]()
    for each in changes:
        try:
            found.append(parse(each))
        except ValueError as reason:
            faults.append(Fault("change", str(reason)))
    if faults:
        raise InputError(faults)
    return found


def _sheet_rows(name: str, given: Any) -> Iterator[tuple[int, Cells]]:
    """Yield the header and the rows of a table as a sheet holds them."""
    rows = _mappings(name, given)
    titles = [*dict.fromkeys(title for row in rows for title in row)]
    yield 1, dict(enumerate(titles, start=1))
    for line, row in enumerate(rows, start=2):
        cells = {
            c: cell
            for c, title in enumerate(titles, start=1)
            if (cell := _cell(row.get(title))) is not None
        }
        if cells:
            yield line, cells


def _mappings(name: str, given: Any) -> list[Mapping[str, Any]]:
    if name == Settings.TABLE and isinstance(given, Mapping):
        return [{"name": key, "value": value} for key, value in given.items()]
    if hasattr(given, "to_dict"):  # a frame
        return [*given.to_dict(orient="records")]
    if isinstance(given, Mapping):  # columns
        return [
            dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)
        ]
    return [*given]


def _cell(value: Any) -> Any:
    """Return a value of a frame or row as a cell holds it; None for a blank."""
    value = (
        value.item() if hasattr(value, "item") and not isinstance(value, (str, bytes)) else value
    )  # of numpy
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(each) for each in value) or None
    if (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or type(value).__name__ in ("NaTType", "NAType")
    ):
        return None
    if isinstance(value, dt.datetime) or hasattr(value, "to_pydatetime"):
        return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return value if isinstance(value, (str, bool, int, float, dt.date)) else str(value)
