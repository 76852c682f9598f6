"""A sheet as its file holds it, before anything is known of tables: rows of cells that are not
blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from stockpile_model.values import Given

MOST_ROWS = 100_000
"""Rows that a sheet may hold.

Far above any plan that can be solved; below what exhausts a computer.
"""

MOST_BYTES = 128 * 2**20
"""Bytes that all of an input may unpack to."""

MOST_COLUMNS = 16_384
"""Columns of a sheet, as in every spreadsheet program."""

MOST_TITLES = 1_000
"""Columns that may have a name. Far above any table of prices that a person can survey."""

LONGEST_TEXT = 32_767
"""Characters of a cell, as in every spreadsheet program."""


class Unreadable(Exception):
    """A file, or a sheet of it, that cannot be read: why, and what to do about it."""


class Digest(Protocol):
    """Takes note of bytes, as a checksum of `hashlib` does."""

    def update(self, data: bytes, /) -> None:
        """Take note of bytes."""


@dataclass(frozen=True)
class Lost:
    """A cell whose value is lost: an error of the spreadsheet program, or a formula without a
    cached value. `shown` is what the spreadsheet program shows in its place.
    """

    message: str
    shown: str = field(default="", compare=False)


UNCACHED = Lost(
    "is a formula with no cached value; open the workbook in a spreadsheet program and save it once"
)


def error(shown: str) -> Lost:
    """Return a cell that shows an error of the spreadsheet program."""
    return Lost(f"is the error {shown}; correct its formula or write the value", shown)


def too_long(said: str) -> Lost | None:
    """Return a lost cell for a text that no cell of a spreadsheet holds, else None."""
    return (
        Lost(f"holds {len(said):,} characters; a cell holds at most {LONGEST_TEXT:,}")
        if len(said) > LONGEST_TEXT
        else None
    )


class Percent(float):
    """A number that its cell shows as a percentage."""


class Stale(float):
    """The 0 of a formula that reads another sheet or workbook: also what it finds where there is
    nothing.
    """


Cell = Given | Lost
Cells = dict[int, Cell]
"""The cells of a row that are not blank, by column (1 is A)."""


Area = tuple[int, int, int, int]
"""First row, first column, last row, last column."""


@dataclass
class Hidden:
    """Describe what of a sheet is not shown: the sheet, rows that are not blank, and columns."""

    sheet: bool = False
    rows: list[int] = field(default_factory=list)
    columns: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    `rows` can be read once: the number of each row that is not blank, as a spreadsheet program
    counts it, and its cells. `merged` (the areas of merged cells that reach the rows) and `hidden`
    are complete when all rows have been read. `typed` says whether a number that is given as text
    is a slip; in a CSV file every cell is text.
    """

    name: str
    rows: Iterable[tuple[int, Cells]]
    merged: list[Area] = field(default_factory=list)
    hidden: Hidden = field(default_factory=Hidden)
    typed: bool = True

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        for count, row in enumerate(self.rows):
            if count > MOST_ROWS:
                raise Unreadable(
                    f"has more than {MOST_ROWS:,} rows of data; remove rows or split the workbook"
                )
            yield row


def letter(column: int) -> str:
    """Return the letters of a column: 1 is A, 28 is AB."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def number(letters: str) -> int:
    """Return the number of a column: A is 1, AB is 28."""
    found = 0
    for each in letters:
        found = found * 26 + ord(each) - ord("A") + 1
    return found


def corners(reference: str) -> Area:
    """Return the area that a reference such as `A2:C4` means."""
    cells = [re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", part) for part in reference.split(":")]
    first, last = cells[0], cells[-1]
    if first is None or last is None:
        raise ValueError(f"{reference[:20]!r} is no area of a sheet")
    return int(first[2]), number(first[1]), int(last[2]), number(last[1])
