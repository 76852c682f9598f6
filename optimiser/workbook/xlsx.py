"""An Excel workbook as sheets of cells, read once, forwards, in bounded time and memory.

The parts of the file are read as the standard describes them (ECMA-376, part 1, chapter 18: SpreadsheetML). A library
that hands out values hides what an officer must be told: openpyxl and pandas turn an error cell and a formula without
a cached value into a blank, cannot tell the latter from a formula whose text is empty, drop the leading zeros of a
code, stop at a damaged style, and fill gaps for as many rows as a hostile file pretends to have.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from optimiser.workbook.sheets import MOST_BYTES, UNCACHED, Area, Cell, Cells, Sheet, Unreadable, corners, error, number
from stockpile_model.values import Padded

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of a password-protected workbook and of the old format
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_ENTRIES = 10_000
_MOST_TEXTS, _MOST_PART = 128 * 2**20, 16 * 2**20  # bytes of a part that is held in memory: the shared texts, any other
_SUSPECT = 64 * 2**20, 100  # bytes from which on an expansion of this many times is no workbook any more
_LAST_ROW, _LAST_COLUMN, _LONGEST = 1_048_576, 16_384, 7 * 32_767  # of every spreadsheet program; `_x000D_` is one character
_SAVE = "save it as an Excel workbook (.xlsx)"
_DAMAGE = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, KeyError, IndexError, ValueError, NotImplementedError, RuntimeError)

Attributes = dict[str, str]


def sheets(path: Path) -> Iterator[Sheet]:
    """The sheets of a workbook, in its order. The rows of a sheet must be read before the next sheet is asked for."""
    with _told("the file"):
        _refuse_other_formats(path)
        archive = zipfile.ZipFile(path)
    with archive:
        with _told("the file"):
            _refuse_bombs(archive, path)
            book = _Book(archive)
        for name, part, kind in book.sheets:
            if kind.endswith("/worksheet"):
                merged: list[Area] = []
                yield Sheet(name, book.rows(part, merged), merged)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Tells in words what a damaged file makes its readers raise."""
    try:
        yield
    except _DAMAGE as reason:
        said = str(reason) or type(reason).__name__
        raise Unreadable(f"{what} is damaged or cut short ({said}); save it again from a spreadsheet program") from reason


def _refuse_other_formats(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(8)
        if start == _OLE:
            file.seek(0)
            if any(_ENCRYPTED in chunk for chunk in iter(lambda: file.read(2**20), b"")):
                raise Unreadable("is protected by a password; save it without one")
            raise Unreadable(f"is a workbook of the old format; {_SAVE}")
    if not start:
        raise Unreadable("is empty")
    if not start.startswith(b"PK"):
        raise Unreadable(f"is no Excel workbook; {_SAVE}, or name a folder of CSV files")


def _refuse_bombs(archive: zipfile.ZipFile, path: Path) -> None:
    """The sizes that an archive declares bound what can be read of it (zipfile reads no further)."""
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    packed = path.stat().st_size
    if size > MOST_BYTES or len(entries) > _MOST_ENTRIES:
        limit = f"at most {MOST_BYTES / 2**20:,.0f} MB in {_MOST_ENTRIES:,} parts are read"
        raise Unreadable(f"unpacks to {size / 2**20:,.0f} MB in {len(entries):,} parts; {limit}")
    if size > _SUSPECT[0] and size > _SUSPECT[1] * packed:
        raise Unreadable(f"unpacks to {size / packed:,.0f} times its size; {_SAVE} again, without its empty rows")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("is protected by a password; save it without one")


def _local(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition(" ")[2]


def _ignore(_: str) -> None:
    pass


def _parse(
    stream: IO[bytes], start: Callable[[str, Attributes], None], end: Callable[[str], None] = _ignore, text: Callable[[str], None] = _ignore
) -> Iterator[None]:
    """Feeds a part to handlers, a chunk at a time. A document type, and with it every entity, is refused."""

    def refuse(*_: object) -> None:
        raise Unreadable("holds a document type declaration, which no spreadsheet program writes")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for chunk in iter(lambda: stream.read(2**16), b""):
        parser.Parse(chunk)
        yield
    parser.Parse(b"", True)
    yield


class _Book:
    """The parts of a workbook that its sheets refer to: names, texts and formats."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        names = set(archive.namelist())
        if "_rels/.rels" not in names:
            raise Unreadable(f"is no Excel workbook; {_SAVE}")
        root = next((target for target, kind in self._relations("").values() if kind.endswith("/officeDocument")), None)
        if root is None or root not in names or root.endswith(".bin"):
            raise Unreadable(f"is no Excel workbook (.xlsx); {_SAVE}")
        self.parts = self._relations(root)
        self.sheets: list[tuple[str, str, str]] = []
        self.epoch = dt.datetime(1899, 12, 30)
        for name, attributes in self._elements(root):
            if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self.epoch = dt.datetime(1904, 1, 1)
            elif name == "sheet":
                reference = next((value for key, value in attributes.items() if key.endswith("relationships id")), "")
                self.sheets.append((attributes["name"], *self.parts[reference]))
        if not self.sheets:
            raise Unreadable(f"is no Excel workbook; {_SAVE}")
        self.texts = self._texts()
        self.formats = self._formats()

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to: reference -> path, kind."""
        folder, name = posixpath.split(part)
        found = {}
        for _, each in self._elements(posixpath.join(folder, "_rels", f"{name}.rels")):
            if "Id" in each:
                found[each["Id"]] = (posixpath.normpath(posixpath.join("/", folder, each["Target"])).lstrip("/"), each["Type"])
        return found

    def _open(self, part: str, most: int = _MOST_PART) -> IO[bytes]:
        if self.archive.getinfo(part).file_size > most:
            raise Unreadable(f"unpacks to more than {most / 2**20:,.0f} MB in {part}; remove what is no table")
        return self.archive.open(part)

    def _elements(self, part: str) -> list[tuple[str, Attributes]]:
        found: list[tuple[str, Attributes]] = []
        with self._open(part) as stream:
            for _ in _parse(stream, lambda name, attributes: found.append((_local(name), attributes))):
                pass
        return found

    def _part(self, kind: str) -> str | None:
        return next((target for target, of in self.parts.values() if of.endswith(kind)), None)

    def _texts(self) -> list[str]:
        """The texts that cells share, without phonetic guides."""
        found: list[str] = []
        inside: list[str] = []
        part = self._part("/sharedStrings")

        def start(name: str, _: Attributes) -> None:
            inside.append(_local(name))
            if inside[-1] == "si":
                found.append("")

        def end(_: str) -> None:
            if inside.pop() == "si":
                found[-1] = _unescape(found[-1])

        def text(data: str) -> None:
            if inside[-1] == "t" and "rPh" not in inside:
                found[-1] = _longer(found[-1], data)

        if part is not None:
            with self._open(part, _MOST_TEXTS) as stream:
                for _ in _parse(stream, start, end, text):
                    pass
        return found

    def _formats(self) -> list[Callable[[float], Cell]]:
        """What each style makes of a number: itself, a date, or a code with leading zeros."""
        part = self._part("/styles")
        codes: dict[str, str] = {}
        styles: list[str] = []
        listed = False
        for name, attributes in self._elements(part) if part is not None else []:
            if name == "numFmt":
                codes[attributes["numFmtId"]] = attributes.get("formatCode", "")
            elif name in ("cellXfs", "cellStyles", "dxfs"):
                listed = name == "cellXfs"
            elif name == "xf" and listed:
                styles.append(attributes.get("numFmtId", "0"))
        return [self._format(int(style), codes.get(style, "")) for style in styles]

    def _format(self, identity: int, code: str) -> Callable[[float], Cell]:
        first = re.sub(r'"[^"]*"|\[[^\]]*\]|[\\_*].', "", code).partition(";")[0]
        if 14 <= identity <= 22 or 27 <= identity <= 36 or 45 <= identity <= 47 or 50 <= identity <= 58:
            return self._date
        if re.search("[dmyhs]", first, re.IGNORECASE):
            return self._date
        if re.fullmatch("00+", first):
            return lambda number: Padded(number, len(first))
        return _as_it_is

    def _date(self, serial: float) -> Cell:
        """A date by its number of days; what is no day of the calendar stays a number."""
        if not 1 <= serial < 2_958_466:
            return serial
        early = serial < 60 and self.epoch.year == 1899  # the day 60 of the 1900 system, 29 February 1900, never was
        return self.epoch + dt.timedelta(days=int(serial) + early, seconds=round(serial % 1 * 86_400))

    def rows(self, part: str, merged: list[Area]) -> Iterator[tuple[int, Cells]]:
        """The rows of a sheet that are not blank; the areas of merged cells go to `merged`."""
        with _told("the sheet"), self.archive.open(part) as stream:
            rows = _Rows(self.texts, self.formats, merged)
            for _ in _parse(stream, rows.start, rows.end, rows.text):
                yield from rows.ready
                rows.ready.clear()


def _as_it_is(number: float) -> Cell:
    return number


def _longer(text: str, data: str) -> str:
    if len(text) + len(data) > _LONGEST:
        raise ValueError(f"a text of more than {_LONGEST:,} characters")
    return text + data


def _unescape(text: str) -> str:
    """Characters that XML cannot hold are written as `_x000D_`."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Rows:
    """Handlers that make rows of the elements of a sheet. `ready` are the rows that are complete."""

    def __init__(self, texts: list[str], formats: list[Callable[[float], Cell]], merged: list[Area]) -> None:
        self.texts, self.formats, self.merged = texts, formats, merged
        self.ready: list[tuple[int, Cells]] = []
        self.columns: dict[str, int] = {}
        self.line = self.column = 0
        self.cells: Cells = {}
        self.inside = self.listening = self.formula = False
        self.kind, self.style = "n", 0
        self.data = ""

    def start(self, name: str, attributes: Attributes) -> None:
        name = _local(name)
        if not self.inside:
            if name == "sheetData":
                self.inside = True
            elif name == "mergeCell":
                self.merged.append(corners(attributes["ref"]))
        elif name == "c":
            self.column = self._column(attributes["r"]) if "r" in attributes else self.column + 1
            self.kind = attributes.get("t", "n")
            self.style = int(attributes.get("s", 0))
            self.formula = False
            self.data = ""
        elif name == "v" or (name == "t" and self.kind == "inlineStr"):
            self.listening = True
        elif name == "f":
            self.formula = True
        elif name == "rPh":
            self.kind = "phonetic"
        elif name == "row":
            line = int(attributes.get("r", self.line + 1))
            if not self.line < line <= _LAST_ROW:
                raise ValueError(f"row {line} after row {self.line}")
            self.line, self.column, self.cells = line, 0, {}

    def text(self, data: str) -> None:
        if self.listening:
            self.data = _longer(self.data, data)

    def end(self, name: str) -> None:
        if not self.inside:
            return
        name = _local(name)
        if name in ("v", "t"):
            self.listening = False
        elif name == "c":
            cell = self._cell()
            if cell is not None:
                self.cells[self.column] = cell
        elif name == "rPh":
            self.kind = "inlineStr"
        elif name == "row":
            if self.cells:
                self.ready.append((self.line, self.cells))
        elif name == "sheetData":
            self.inside = False

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        if letters not in self.columns:
            if not re.fullmatch("[A-Z]{1,3}", letters) or number(letters) > _LAST_COLUMN:
                raise ValueError(f"cell {reference[:20]!r}")
            self.columns[letters] = number(letters)
        return self.columns[letters]

    def _cell(self) -> Cell | None:
        data, kind = self.data, self.kind
        if self.formula and not data and kind != "str":
            return UNCACHED
        if kind == "inlineStr":
            data = _unescape(data)
        elif not data:
            return None
        elif kind == "n":
            try:
                value = float(data)
            except ValueError:
                return data
            return self.formats[self.style](value) if self.formats else value
        elif kind == "s":
            data = self.texts[int(data)]
        elif kind == "b":
            return data in ("1", "true")
        elif kind == "e":
            return error(data)
        elif kind == "d":
            return _moment(data)
        elif kind == "str":
            data = _unescape(data)
        return None if not data or data.isspace() else data


def _moment(data: str) -> Cell:
    try:
        return dt.datetime.fromisoformat(data)
    except ValueError:
        return data
