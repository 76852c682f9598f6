"""A workbook in memory: read from a file, or made of tables."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimiser.plan.frames import Shown, frame
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read import input_reader as reader
from optimiser.workbook.read.cells import Cells, Sheet, Unreadable
from optimiser.workbook.read.input_reader import Reading
from stockpile_model import amounts
from stockpile_model.block import tables as block_tables
from stockpile_model.changes import Change, parse
from stockpile_model.name_lists import list_of
from stockpile_model.schema import columns, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.values import blank, normal

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], None]
"""A function that gets messages while something runs, a line each."""


@dataclass(frozen=True, eq=False, repr=False)
class Book(Shown):
    """A workbook without faults.

    `source` is the name of its file; `changes` are those applied since, in the words of `--set`.

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
        """Return the warnings of its checks, each with its cell."""
        return self.reading.warnings

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the file that it was read from; an empty text without a file."""
        return self.reading.sha256

    @property
    def sizes(self) -> Mapping[str, int]:
        """Return the number of rows of each table that has any, by its name.

        >>> import optimiser as so
        >>> so.read("inputs/small.xlsx").sizes["offers"]
        2
        """
        return {kind.TABLE: len(rows) for kind, rows in self.stockpile.tables.items() if rows}

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables that have rows."""
        return tuple(self.sizes)

    def change(self, *changes: str) -> Book:
        """Return the workbook after changes to its cells, each in the words of `--set`.

        Raises InputError for a change that names no cell, or after which the workbook is wrong.

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

        Raises KeyError for a table that there is not, and InputError where the rest is wrong
        without them.

        >>> import optimiser as so
        >>> "outlets" in so.read("inputs/small.xlsx").without("outlets").tables
        False
        """
        for table in tables:
            if table not in reader.kinds():
                raise KeyError(f"no table {table!r}{nearest(table, reader.kinds())}")
        kept = {
            kind: rows for kind, rows in self.stockpile.tables.items() if kind.TABLE not in tables
        }
        rest = replace(self.reading, stockpile=replace(self.stockpile, tables=kept))
        return replace(self, reading=reader.changed(rest, ()))

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the tables, so that `in` finds one too."""
        return iter(self.tables)

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
        settings = self.stockpile.settings
        return {
            "horizon": (
                f"{settings.periods} periods of {amounts.count(settings.period_months, 'month')}"
                f" from {settings.start}"
            ),
            "units": f"{settings.quantity_unit}, {settings.currency}",
            "tables": ", ".join(f"{name} ({count})" for name, count in self.sizes.items()),
            "scenarios": self.sizes.get("scenarios", "none"),
            "changes": "; ".join(self.changes) or "none",
            "warnings": len(self.warnings),
        }


Source = Book | str | Path
"""A workbook: in memory, or the path of one."""


def read(path: str | Path, *changes: str) -> Book:
    """Read a workbook (.xlsx), or a folder with a CSV file for each table.

    Raises InputError, whose `faults` are all that is wrong with it, each with its cell. The file is
    only read.

    >>> import optimiser as so
    >>> book = so.read("inputs/small.xlsx")
    >>> book["offers"]["offer"].tolist()
    ['spot', 'framework']
    """
    return Book(reader.read(path, parsed(changes)), Path(path).name, tuple(changes))


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


def check(path: str | Path, errors: str | Path | None = None, force: bool = False) -> Book:
    """Read a workbook as `read` does, and list all that is wrong with it in a workbook of its own.

    `errors` (.xlsx) names that workbook; each of its rows leads to a cell. It is written also where
    this raises InputError. A file there that this program did not write is replaced by `force`
    only. Raises InputError and OutputError.

    >>> import optimiser as so
    >>> so.check("inputs/small.xlsx", errors="errors.xlsx", force=True).warnings
    ()
    """
    if errors is None:
        return read(path)
    from optimiser.workbook.write.error_book import check_workbook

    return Book(check_workbook(Path(path), Path(errors), force), Path(path).name)


def book_of(source: Source, changes: Sequence[str] = (), say: Say | None = None) -> Book:
    """Return a workbook after changes; one that is named by its path is read.

    `say` gets its warnings, a line each.
    """
    if not isinstance(source, Book):
        book = read(source, *changes)
    else:
        book = source.change(*changes) if changes else source
    if say is not None:
        for fault in book.warnings:
            say(f"warning: {fault}")
    return book


def path_of(source: Source) -> Path | None:
    """Return the path of a workbook that is named by it."""
    return None if isinstance(source, Book) else Path(source)


def check_changes(*changes: str) -> None:
    """Raise InputError with all texts that are no change in the words of `--set`.

    Whether a workbook has the cell is checked when the change is applied.

    >>> import optimiser as so
    >>> try:
    ...     so.check_changes("offers[spot].price = 11", "offers[spot].price")
    ... except so.InputError as error:
    ...     print(len(error.faults))
    1
    """
    parsed(changes)


def parsed(changes: Iterable[str]) -> list[Change]:
    """Return changes in the words of `--set` as changes.

    Raises InputError with all texts that are no change.
    """
    valid, faults = list[Change](), list[Fault]()
    for each in changes:
        try:
            valid.append(parse(each))
        except ValueError as reason:
            faults.append(Fault("change", str(reason)))
    if faults:
        raise InputError(faults)
    return valid


def _sheet_rows(name: str, given: Any) -> Iterator[tuple[int, Cells]]:
    """Yield the header and the rows of a table as a sheet holds them."""
    rows = _mappings(name, given)
    titles = [*dict.fromkeys(title for row in rows for title in row)] or _titles(name, given)
    yield 1, dict(enumerate(titles, start=1))
    for line, row in enumerate(rows, start=2):
        cells = {
            c: cell
            for c, title in enumerate(titles, start=1)
            if (cell := _cell(row.get(title))) is not None
        }
        if cells:
            yield line, cells


def _titles(name: str, given: Any) -> list[str]:
    """Return the titles of a table without rows: its own, or all that such a table has."""
    if name == Settings.TABLE:
        return ["name", "value"]
    own = () if given is None else getattr(given, "columns", given)  # of a frame or a mapping
    kinds = (kind for kind in block_tables() if normal(name) == kind.TABLE)
    return [*own] or [column.name for kind in kinds for column in columns(kind)]


def _mappings(name: str, given: Any) -> list[Mapping[str, Any]]:
    if name == Settings.TABLE and isinstance(given, Mapping):
        return [{"name": key, "value": value} for key, value in given.items()]
    if hasattr(given, "to_dict"):  # a frame
        return [*given.to_dict(orient="records")]
    if isinstance(given, Mapping):
        rows = _of_columns(given) if all(map(_several, given.values())) else [given]  # or one row
    else:
        rows = [*given] if isinstance(given, Iterable) else [] if given is None else [given]
    if any(not isinstance(row, Mapping) for row in rows):
        message = "must be a frame, a sequence of rows or a mapping from columns to their values"
        raise Unreadable(f"{name} {message}, all of one length")
    return rows


def _several(values: Any) -> bool:
    """Return whether something holds the values of a column, not one of them."""
    return isinstance(values, Iterable) and not isinstance(values, str)


def _of_columns(given: Mapping[str, Any]) -> list[Any]:
    """Return the rows of columns; of columns of unlike lengths there are none, only these."""
    values = [[*each] for each in given.values()]
    if len({*map(len, values)}) > 1:
        return values
    return [dict(zip(given, row, strict=True)) for row in zip(*values, strict=True)]


def _cell(value: Any) -> Any:
    """Return a value of a frame or row as a cell holds it; None for a blank."""
    value = (
        value.item() if hasattr(value, "item") and not isinstance(value, (str, bytes)) else value
    )  # of numpy
    if isinstance(value, (list, tuple, set, frozenset)):
        return list_of(value) or None
    if (
        value is None
        or (isinstance(value, str) and blank(value))
        or (isinstance(value, float) and math.isnan(value))
        or type(value).__name__ in ("NaTType", "NAType")
    ):
        return None
    if isinstance(value, dt.datetime) or hasattr(value, "to_pydatetime"):
        return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return value if isinstance(value, (str, bool, int, float, dt.date)) else str(value)
