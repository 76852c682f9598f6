"""A folder with one `<table>.csv` for each table, as sheets of cells."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import os
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from optimiser.workbook.read.cells import (
    MOST_BYTES,
    MOST_COLUMNS,
    Cell,
    Cells,
    Digest,
    Sheet,
    Unreadable,
    error,
    too_long,
)

_ERROR = re.compile(
    r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)"
)  # as a spreadsheet program exports it

_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT, _LONGEST_LINE = (
    5,
    100_000,
)  # lines, and characters of each, in which the mark between the cells is looked for


def files(folder: Path) -> list[Path]:
    """Return the CSV files of a folder, by name.

    Hidden ones, such as the `._demand.csv` of some programs, are left out.
    """
    named = (
        file
        for file in folder.iterdir()
        if file.suffix.casefold() == ".csv" and not file.name.startswith(".")
    )
    return sorted(file for file in named if not file.is_dir())


def sheets(folder: Path, seen: Digest | None = None) -> Iterator[Sheet]:
    """Yield the CSV files of a folder as sheets.

    `seen` takes note of their names and bytes, which are read once, before the first sheet.
    """
    found = files(folder)
    if not found:
        raise Unreadable(
            "holds no <table>.csv; name a folder with one for each table, or a workbook (.xlsx)"
        )
    size = sum(file.stat().st_size for file in found if file.is_file())
    if size > MOST_BYTES:
        raise Unreadable(
            f"holds {size / 2**20:,.0f} MB of CSV files; at most {MOST_BYTES / 2**20:,.0f} MB are"
            " read"
        )
    contents = {
        file: file.read_bytes() if file.is_file() else None for file in found
    }  # reading any other would block, or never end
    for file, content in contents.items():
        note(seen, file, content or b"")
    for file, content in contents.items():
        yield Sheet(file.stem, _rows(content), typed=False)


def note(seen: Digest | None, file: Path, content: bytes) -> None:
    """Take note of a CSV file by its name and bytes."""
    if seen is not None:
        seen.update(os.fsencode(file.name))
        seen.update(content)


def _rows(content: bytes | None) -> Iterator[tuple[int, Cells]]:
    """Yield the rows that are not blank.

    A row counts as one, however many lines of text its cells have, as it does where a spreadsheet
    program opens the file.
    """
    if content is None:
        raise Unreadable("is no file, or a link to none; put the file itself there")
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="") as stream:
        _refuse_separators(stream)
        reader = csv.reader(stream, strict=True)
        line = 0
        try:
            for line, texts in enumerate(reader, 1):
                if len(texts) > MOST_COLUMNS:
                    raise Unreadable(
                        f"has {len(texts):,} cells in row {line}; at most {MOST_COLUMNS:,} are read"
                    )
                cells = {
                    column: _cell(text)
                    for column, text in enumerate(texts, 1)
                    if text and not text.isspace()
                }
                if any("\0" in text for text in texts):
                    raise Unreadable("holds bytes that are no text; save it as CSV UTF-8")
                if cells:
                    yield line, cells
        except UnicodeDecodeError as reason:
            raise Unreadable(
                f"is no UTF-8 text (byte {reason.object[reason.start]:#04x}); save it as CSV UTF-8"
            ) from reason
        except csv.Error as reason:
            raise Unreadable(
                f"cannot be read after row {line}: {reason}; see its quotation marks"
            ) from reason


def _refuse_separators(stream: TextIO) -> None:
    """Raise Unreadable where another mark than the comma separates the cells, as spreadsheet
    programs of many countries write it.

    Such a mark stands in the header and makes more cells of the first rows than the comma does;
    single titles may hold commas, and cells may hold lists with semicolons.
    """
    with contextlib.suppress(UnicodeDecodeError):
        head = [
            line
            for line in itertools.islice(
                iter(lambda: stream.readline(_LONGEST_LINE), ""), _LOOKED_AT
            )
            if not line.isspace()
        ]
        blank = "".join((",", *_MARKS, '"', *string.whitespace))
        header = next((line for line in head if line.strip(blank)), "")
        marks = (mark for mark in _MARKS if mark in header)
        counts = {mark: _count(head, mark) for mark in (",", *marks)}
        mark = max(counts, key=lambda each: counts[each])  # the comma where there are as many
        if mark != ",":
            raise Unreadable(
                f"is separated by {_MARKS[mark]}; save it as CSV with commas between the cells and"
                " decimal points"
            )
    stream.seek(0)


def _count(lines: list[str], mark: str) -> int:
    """Return how many cells a mark makes of lines."""
    with contextlib.suppress(csv.Error):
        return sum(map(len, csv.reader(lines, delimiter=mark)))
    return 0


def _cell(text: str) -> Cell:
    return error(text.strip()) if _ERROR.fullmatch(text.strip()) else too_long(text) or text
