"""A folder with one `<table>.csv` for each table, as sheets of cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from optimiser.workbook.sheets import MOST_BYTES, Cell, Cells, Sheet, Unreadable, error

_ERROR = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)")  # as a spreadsheet program exports it


def sheets(folder: Path) -> Iterator[Sheet]:
    """The CSV files of a folder, by name."""
    files = sorted(file for file in folder.iterdir() if file.suffix.casefold() == ".csv" and file.is_file())
    if not files:
        raise Unreadable("holds no <table>.csv; name a folder with one for each table, or a workbook (.xlsx)")
    size = sum(file.stat().st_size for file in files)
    if size > MOST_BYTES:
        raise Unreadable(f"holds {size / 2**20:,.0f} MB of CSV files; at most {MOST_BYTES / 2**20:,.0f} MB are read")
    for file in files:
        yield Sheet(file.stem, _rows(file), typed=False)


def _rows(file: Path) -> Iterator[tuple[int, Cells]]:
    """The rows that are not blank. A row counts as one, however many lines of text its cells have, as it does where a
    spreadsheet program opens the file."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        line, seen = 0, False
        try:
            for line, texts in enumerate(reader, 1):
                cells = {column: _cell(text) for column, text in enumerate(texts, 1) if text and not text.isspace()}
                if any("\0" in text for text in texts):
                    raise Unreadable("holds bytes that are no text; save it as CSV UTF-8")
                if cells and not seen:
                    _refuse_separators(cells)
                    seen = True
                if cells:
                    yield line, cells
        except UnicodeDecodeError as reason:
            raise Unreadable(f"is no UTF-8 text (byte {reason.object[reason.start]:#04x}); save it as CSV UTF-8") from reason
        except csv.Error as reason:
            raise Unreadable(f"cannot be read after row {line}: {reason}; see its quotation marks") from reason


def _refuse_separators(header: Cells) -> None:
    """A header in one cell with another mark between its names: as a spreadsheet program writes it in many countries."""
    (first, *others) = map(str, header.values())
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if mark in first and not others:
            raise Unreadable(f"is separated by {name}; save it as CSV with commas between the cells and decimal points")


def _cell(text: str) -> Cell:
    return error(text.strip()) if _ERROR.fullmatch(text.strip()) else text
