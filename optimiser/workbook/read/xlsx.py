"""An Excel workbook as sheets of cells, read once, forwards.

What is no workbook, or unpacks to too much, is refused before openpyxl reads the package;
`worksheet` reads the cells.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
import textwrap
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import (
    ARC_CONTENT_TYPES,
    ARC_STYLE,
    ARC_WORKBOOK,
    ARC_WORKBOOK_RELS,
    REL_NS,
    SHEET_MAIN_NS,
    XLSM,
    XLSX,
    XLTM,
    XLTX,
)

from optimiser.workbook.read.cells import MOST_BYTES, Cells, Digest, Sheet, Unreadable
from optimiser.workbook.read.worksheet import Package, Worksheet
from stockpile_model.schema import quoted

_OLE = bytes.fromhex(
    "d0cf11e0a1b11ae1"
)  # the container of a password-protected workbook and of the old format
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_PARTS = 10_000
_NAMES = (ARC_WORKBOOK, ARC_WORKBOOK_RELS)  # the parts that say what the sheets are called
_MOST_TAGS = 4_000_000  # as many rows as are read, of ten cells each
_SUSPECT = (
    16 * 2**20,
    100,
)  # bytes from which on an expansion of this many times is no workbook any more
_LONGEST_FORMAT = 2_000
_LONG_FORMAT = re.compile(rb"formatCode=[\"'][^\"']{%d}" % _LONGEST_FORMAT)
_LESS = "remove rows or split the workbook"
_SAVE = "save it as an Excel workbook (.xlsx)"

# What zipfile, zlib and the XML parser raise at a damaged package, and openpyxl where a part of it
# is not as expected (ArithmeticError: a number no float holds; RuntimeError: a compression zipfile
# does not know; SyntaxError: no XML).
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, SyntaxError),
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
)

# openpyxl warns of what it would lose when it saved the workbook.
warnings.filterwarnings("ignore", module="openpyxl")


def sheets(path: Path, seen: Digest | None = None) -> Iterator[Sheet]:
    """Yield the sheets of a workbook, in its order.

    The rows of a sheet must be read before the next sheet is asked for. `seen` takes note of the
    bytes, which are read once: saving the file meanwhile changes neither.
    """
    if (size := path.stat().st_size) > MOST_BYTES:
        raise Unreadable(
            f"has {size / 2**20:,.0f} MB; at most {MOST_BYTES / 2**20:,.0f} MB are read; {_LESS}"
        )
    content = path.read_bytes()
    if seen is not None:
        seen.update(content)
    with io.BytesIO(content) as stream:
        _refuse_other_formats(stream)
        with _undamaged("the file"):
            archive = zipfile.ZipFile(stream)
            _refuse_bombs(archive, len(content))
            _refuse_entities(archive)
            _refuse_other_packages(archive)
            _refuse_formats(archive)
            reader = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
            reader.read()
            worksheets, charts = (
                reader.wb.worksheets,
                {sheet.title for sheet in reader.wb.chartsheets},
            )
            if not worksheets:
                raise Unreadable(f"holds no sheet that can be read; {_SAVE}, not as a strict one")
            package = Package.of(reader.wb, reader.shared_strings)
        for named in reader.parser.sheets:  # openpyxl leaves those out whose part is missing
            if worksheets and worksheets[0].title == named.name:
                found, worksheet = worksheets.pop(0), Worksheet(package)
                worksheet.hidden.sheet = found.sheet_state != "visible"
                part = found._worksheet_path  # type: ignore[attr-defined]
                rows = _rows(archive, part, worksheet)
                yield Sheet(named.name, rows, worksheet.merged, worksheet.hidden)
            elif named.name not in charts:
                yield Sheet(named.name, _missing())


@contextlib.contextmanager
def _undamaged(what: str) -> Iterator[None]:
    """Raise Unreadable, in one line, for what readers raise on a damaged or hostile package."""
    try:
        yield
    except _DAMAGE as reason:
        cause = reason.__cause__ or reason  # openpyxl wraps a ValueError
        if isinstance(cause, DefusedXmlException):
            raise Unreadable("declares entities, which no spreadsheet program writes") from reason
        said = textwrap.shorten(str(cause) or type(cause).__name__, 120, placeholder=" …")
        raise Unreadable(
            f"{what} is damaged or cut short ({said}); save it again from a spreadsheet program"
        ) from reason


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
    """Raise Unreadable where an archive declares more than is read; zipfile reads no further than
    it declares.
    """
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MOST_BYTES or len(entries) > _MOST_PARTS:
        most = _largest(archive, {entry.filename: entry.file_size for entry in entries})
        limit = f"at most {MOST_BYTES / 2**20:,.0f} MB in {_MOST_PARTS:,} parts are read"
        raise Unreadable(
            f"unpacks to {size / 2**20:,.0f} MB in {len(entries):,} parts{most}; {limit}; {_LESS}"
        )
    if size > _SUSPECT[0] and size > _SUSPECT[1] * packed:
        raise Unreadable(
            f"unpacks to {size / packed:,.0f} times its size; {_SAVE} again, without its empty rows"
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("is protected by a password; save it without one")
    (name, times), *_ = Counter(entry.filename for entry in entries).most_common(1) or [("", 0)]
    if times > 1:
        raise Unreadable(
            f"holds the part {quoted(name)} {times} times; save it again from a spreadsheet program"
        )
    tags = {}
    for entry in entries:
        with archive.open(entry) as part:
            tags[entry.filename] = sum(
                chunk.count(b"<") for chunk in iter(functools.partial(part.read, 2**20), b"")
            )
    if (total := sum(tags.values())) > _MOST_TAGS:
        raise Unreadable(
            f"holds {total:,} XML tags{_largest(archive, tags)}; at most {_MOST_TAGS:,} are read;"
            f" {_LESS}"
        )


def _refuse_entities(archive: zipfile.ZipFile) -> None:
    """Raise what defusedxml does where a part declares entities before its first element: openpyxl
    reads with lxml, which takes them, wherever that is installed.
    """
    for entry in archive.infolist():
        # A part that is no XML, such as a picture, declares none; a damaged one is reported later.
        with archive.open(entry) as part, contextlib.suppress(SyntaxError):
            next(iterparse(part, events=("start",)), None)


def _refuse_formats(archive: zipfile.ZipFile) -> None:
    """Raise Unreadable for a number format that no spreadsheet program keeps: openpyxl examines
    each with patterns whose time grows with the square of its length.
    """
    styles = archive.read(ARC_STYLE) if ARC_STYLE in archive.namelist() else b""
    if _LONG_FORMAT.search(styles.replace(b"\0", b"")):  # a part may be UTF-16
        raise Unreadable(
            f"holds a number format of more than {_LONGEST_FORMAT:,} characters; {_SAVE} again"
        )


def _largest(archive: zipfile.ZipFile, sizes: Mapping[str, int]) -> str:
    """Return which sheet the largest part of an archive holds; blank where it is no sheet."""
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


def _rows(archive: zipfile.ZipFile, part: str, worksheet: Worksheet) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of a worksheet that are not blank."""
    with _undamaged("the sheet"), archive.open(part) as stream:
        yield from worksheet.rows(stream)


def _missing() -> Iterator[tuple[int, Cells]]:
    """Raise Unreadable for a sheet that the workbook names and does not hold."""
    raise Unreadable(
        "the file names this sheet and holds no cells of it; save the workbook again from a"
        " spreadsheet program"
    )
    yield
