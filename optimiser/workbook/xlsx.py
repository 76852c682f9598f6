"""An Excel workbook as sheets of cells, read once, forwards, with openpyxl.

What is no workbook, or unpacks to too much, is refused before openpyxl sees it. openpyxl reads an uncached formula as a
blank, a code such as `001` as the number 1 and leaves merged cells out: what an officer must be told of these is looked
up beside its values.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import re
import textwrap
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from openpyxl import Workbook, load_workbook
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.formula.tokenizer import TokenizerError
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import (
    ARC_CONTENT_TYPES,
    ARC_WORKBOOK,
    ARC_WORKBOOK_RELS,
    REL_NS,
    SHEET_MAIN_NS,
    XLSM,
    XLSX,
    XLTM,
    XLTX,
)

from optimiser.workbook.sheets import MOST_BYTES, UNCACHED, Area, Cell, Cells, Sheet, Unreadable, corners, error
from stockpile_model.values import Padded

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of a password-protected workbook and of the old format
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_PARTS = 10_000
_NAMES = (ARC_WORKBOOK, ARC_WORKBOOK_RELS)  # the parts that say what the sheets are called
_MOST_TAGS = 4_000_000  # as many rows as are read, of ten cells each; openpyxl needs some 300 bytes and 20 µs for one
_SUSPECT = 16 * 2**20, 100  # bytes from which on an expansion of this many times is no workbook any more
_LAST_ROW = 1_048_576  # of every spreadsheet program
_MOST_CELLS = 10_000_000  # of a sheet, blank ones before the last of a row among them
_LESS = "remove rows or split the workbook"
_SAVE = "save it as an Excel workbook (.xlsx)"
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([^\"']*)")

# What zipfile, zlib and the XML parser raise at a damaged package, and openpyxl where a part of it is not as expected
# (ArithmeticError: a number no float holds; RuntimeError: a compression zipfile does not know; SyntaxError: no XML).
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, SyntaxError, TokenizerError),
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
)

# openpyxl warns of what it would lose when it saved the workbook.
warnings.filterwarnings("ignore", module="openpyxl")


def sheets(path: Path) -> Iterator[Sheet]:
    """The sheets of a workbook, in its order. The rows of a sheet must be read before the next sheet is asked for."""
    with path.open("rb") as stream:
        _refuse_other_formats(stream)
        with _told("the file"):
            archive = zipfile.ZipFile(stream)
            _refuse_bombs(archive, path.stat().st_size)
            _refuse_other_packages(archive)
            values = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        if not values.worksheets:
            raise Unreadable(f"holds no sheet that can be read; {_SAVE}, not as a strict one")
        formulas = functools.cache(lambda: load_workbook(stream, read_only=True, keep_links=False))
        for sheet in values.worksheets:
            merged: list[Area] = []
            yield Sheet(sheet.title, _rows(archive, sheet, formulas, merged), merged)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Tells in one line what a damaged or hostile package makes its readers raise."""
    try:
        yield
    except _DAMAGE as reason:
        cause = reason.__cause__ or reason  # openpyxl wraps a ValueError
        if isinstance(cause, DefusedXmlException):
            raise Unreadable("declares entities, which no spreadsheet program writes") from reason
        said = textwrap.shorten(str(cause) or type(cause).__name__, 120, placeholder=" …")
        raise Unreadable(f"{what} is damaged or cut short ({said}); save it again from a spreadsheet program") from reason


def _refuse_other_formats(stream: BinaryIO) -> None:
    start = stream.read(8)
    if start == _OLE:
        stream.seek(0)
        if any(_ENCRYPTED in chunk for chunk in iter(lambda: stream.read(2**20), b"")):
            raise Unreadable("is protected by a password; save it without one")
        raise Unreadable(f"is a workbook of the old format; {_SAVE}")
    if not start:
        raise Unreadable("is empty; save it again from a spreadsheet program")
    if not start.startswith(b"PK"):
        raise Unreadable(f"is no Excel workbook; {_SAVE}, or name a folder of CSV files")


def _refuse_bombs(archive: zipfile.ZipFile, packed: int) -> None:
    """The sizes that an archive declares bound what can be read of it (zipfile reads no further)."""
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MOST_BYTES or len(entries) > _MOST_PARTS:
        most = _largest(archive, {entry.filename: entry.file_size for entry in entries})
        limit = f"at most {MOST_BYTES / 2**20:,.0f} MB in {_MOST_PARTS:,} parts are read"
        raise Unreadable(f"unpacks to {size / 2**20:,.0f} MB in {len(entries):,} parts{most}; {limit}; {_LESS}")
    if size > _SUSPECT[0] and size > _SUSPECT[1] * packed:
        raise Unreadable(f"unpacks to {size / packed:,.0f} times its size; {_SAVE} again, without its empty rows")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("is protected by a password; save it without one")
    tags = {}
    for entry in entries:
        with archive.open(entry) as part:
            tags[entry.filename] = sum(chunk.count(b"<") for chunk in iter(functools.partial(part.read, 2**20), b""))
    if (total := sum(tags.values())) > _MOST_TAGS:
        raise Unreadable(f"holds {total:,} XML tags{_largest(archive, tags)}; at most {_MOST_TAGS:,} are read; {_LESS}")


def _largest(archive: zipfile.ZipFile, sizes: Mapping[str, int]) -> str:
    """Which sheet the largest part of an archive holds; nothing where it is no sheet."""
    part = max(sizes, key=lambda name: sizes[name])
    if any(name not in sizes or archive.getinfo(name).file_size > 2**20 for name in _NAMES):
        return ""
    book, relations = (fromstring(archive.read(name)) for name in _NAMES)
    target = {each.get("Id"): each.get("Target", "").rpartition("/")[2] for each in relations}
    for sheet in book.iter(f"{{{SHEET_MAIN_NS}}}sheet"):
        if target.get(sheet.get(f"{{{REL_NS}}}id")) == part.rpartition("/")[2]:
            return f", most of it in the sheet {sheet.get('name')!r}"
    return ""


def _refuse_other_packages(archive: zipfile.ZipFile) -> None:
    kinds = archive.read(ARC_CONTENT_TYPES) if ARC_CONTENT_TYPES in archive.namelist() else b""
    if not any(kind.encode() in kinds for kind in (XLSX, XLSM, XLTX, XLTM)):
        raise Unreadable(f"is no Excel workbook (.xlsx); {_SAVE}")


def _rows(archive: zipfile.ZipFile, sheet: Any, formulas: Callable[[], Workbook], merged: list[Area]) -> Iterator[tuple[int, Cells]]:
    """The rows of a sheet that are not blank; the areas of merged cells go to `merged`."""
    with _told("the sheet"):
        has_formulas = _scan(archive.read(sheet._worksheet_path), merged)
        twins = _cells(formulas()[sheet.title]) if has_formulas else itertools.repeat(itertools.repeat(EMPTY_CELL))
        spanned = 0
        for line, (row, twin) in enumerate(zip(_cells(sheet), twins, strict=False), 1):
            spanned += len(row)
            if line > _LAST_ROW or spanned > _MOST_CELLS:
                raise ValueError(f"more than {_LAST_ROW:,} rows or {_MOST_CELLS:,} cells")
            pairs = enumerate(zip(row, twin, strict=False), 1)
            if cells := {column: cell for column, pair in pairs if (cell := _cell(*pair)) is not None}:
                yield line, cells


def _scan(xml: bytes, merged: list[Area]) -> bool:
    """Finds in a part what openpyxl passes over: merged cells, and whether there are formulas. A part may be UTF-16."""
    xml = xml.replace(b"\0", b"")
    merged += [corners(reference.decode()) for reference in _MERGED.findall(xml)]
    return _FORMULA.search(xml) is not None


def _cells(sheet: Any) -> Iterator[Any]:
    sheet.reset_dimensions()  # some programs write wrong ones
    return sheet.iter_rows()  # type: ignore[no-any-return]


def _cell(cell: Any, twin: Any) -> Cell | None:
    """What a cell holds. `twin` is the same cell read with its formula instead of its value."""
    value = cell.value
    if value is None:  # a formula whose value is the empty text is of type "str"
        return UNCACHED if twin.data_type == "f" and cell.data_type != "str" else None
    if cell.data_type == "e":
        return error(value)
    if isinstance(value, str):
        text = unescape(value)
        return text if text and not text.isspace() else None
    if isinstance(value, dt.timedelta):  # a number shown as hours, in days
        return value / dt.timedelta(days=1)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    digits = _zeros(cell.number_format)
    return Padded(value, digits) if digits else float(value)


@functools.cache
def _zeros(code: str) -> int:
    """How many digits a format shows at least, where it shows whole numbers with leading zeros: 3 for `000`."""
    first = re.sub(r'"[^"]*"|\[[^\]]*\]|[\\_*].', "", code).partition(";")[0]
    return len(first) if re.fullmatch("00+", first) else 0
