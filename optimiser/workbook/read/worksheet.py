"""The cells of one worksheet, read once, forwards, from its part of an Excel package.

openpyxl reads the package: texts, formats, names. Its own reader of rows drops cells that stand out
of order, rows and cells that repeat and what is hidden, reads an uncached formula as a blank, and
takes two passes where formulas are asked for. Here every cell is read, or refused with its address.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import iterparse
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import SHEET_MAIN_NS

from optimiser.workbook.read.cells import (
    MOST_COLUMNS,
    UNCACHED,
    Area,
    Cell,
    Cells,
    Hidden,
    Lost,
    Percent,
    Stale,
    Unreadable,
    corners,
    error,
    letter,
    number,
    too_long,
)
from stockpile_model.schema import quoted
from stockpile_model.values import Padded

LAST_ROW = 1_048_576  # of every spreadsheet program
MOST_MERGED = 100  # areas of merged cells that are reported
_LONGEST_FORMAT = 255  # characters; no spreadsheet program keeps a longer one
_WIDEST_SPILL = 50  # columns of an array formula that are looked at
_DATA, _ROW, _CELL, _VALUE, _FORMULA, _INLINE, _RUN, _TEXT, _COLUMN, _MERGED = (
    f"{{{SHEET_MAIN_NS}}}{name}"
    for name in ("sheetData", "row", "c", "v", "f", "is", "r", "t", "col", "mergeCell")
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_WORD = re.compile(r"[^\W\d][\w.]*")
_TRUE, _FALSE = ("1", "true"), ("0", "false")


def damaged(what: str) -> Unreadable:
    """Return the error for a sheet whose XML no spreadsheet program would write."""
    return Unreadable(f"the sheet is damaged ({what}); save it again from a spreadsheet program")


@dataclass(frozen=True)
class Package:
    """Describe what the cells of all worksheets refer to: shared texts, formats by style, and the
    names that a formula may use.
    """

    texts: Sequence[str]
    formats: Sequence[str]  # the number format of each style
    dates: Collection[int]  # styles that show a date
    durations: Collection[int]  # styles that show a span of time
    epoch: dt.datetime
    names: Collection[str]  # in lower case

    @classmethod
    def of(cls, book: Any, texts: Sequence[str]) -> Package:
        """Return what openpyxl has read of a package."""
        own = book._number_formats
        formats = [
            (
                BUILTIN_FORMATS.get(style.numFmtId, "General")
                if style.numFmtId < BUILTIN_FORMATS_MAX_SIZE
                else own[style.numFmtId - BUILTIN_FORMATS_MAX_SIZE]
            )
            for style in book._cell_styles
        ]
        names = {
            name.casefold() for holder in (book, *book.worksheets) for name in holder.defined_names
        }
        return cls(texts, formats, book._date_formats, book._timedelta_formats, book.epoch, names)

    def elsewhere(self, formula: str) -> bool:
        """Return whether a formula reads another sheet or workbook, directly or by a name."""
        return (
            "!" in formula
            or "[" in formula
            or any(word.casefold() in self.names for word in _WORD.findall(formula))
        )


@dataclass
class Worksheet:
    """One worksheet. `merged` and `hidden` are complete once `rows` has been read."""

    package: Package
    merged: list[Area] = field(default_factory=list)
    hidden: Hidden = field(default_factory=Hidden)
    shared: dict[str | None, bool] = field(
        default_factory=dict
    )  # whether a formula that several cells share reads elsewhere
    spilled: dict[int, int] = field(
        default_factory=dict
    )  # by column the last row that an array formula fills from elsewhere
    covered: int = 0  # the last column of which it is known whether it is hidden

    def rows(self, stream: IO[bytes]) -> Iterator[tuple[int, Cells]]:
        """Yield the rows that are not blank. Raises Unreadable, and what the XML parser raises."""
        open_elements: list[
            Element
        ] = []  # those outside the data, so that each can be dropped once it is read
        data: Element | None = None
        line = column = last = widest = 0
        cells: Cells = {}
        for event, element in iterparse(stream, ("start", "end")):
            tag = element.tag
            if event == "start":
                if data is None:
                    open_elements.append(element)
                    if tag == _DATA:
                        data = element
                elif tag == _ROW:
                    line, column, cells = _line(element.get("r"), line), 0, {}
            elif tag == _CELL and data is not None:
                column = _place(element.get("r"), line, column)
                if (cell := self._cell(element, line, column)) is not None:
                    cells[column] = cell
            elif tag == _ROW and data is not None:
                if cells:
                    last, widest = line, max(widest, column)
                    if _is_hidden(element, "ht"):
                        self.hidden.rows.append(line)
                    yield line, cells
                del data[-1]
            elif data is None or tag == _DATA:
                data = None
                self._note(element, last, widest)
                open_elements.pop()
                if open_elements:
                    del open_elements[-1][-1]

    def _note(self, element: Element, last: int, widest: int) -> None:
        """Note hidden columns and merged cells, which stand outside the rows; the last row and the
        last column with a value bound them.
        """
        if element.tag == _COLUMN and _is_hidden(element, "width"):
            first = max(self.covered + 1, int(element.get("min", 0)))
            end = min(MOST_COLUMNS, int(element.get("max", 0)))
            self.hidden.columns.update(range(first, end + 1))
            self.covered = max(self.covered, end)
        elif element.tag == _MERGED:
            area = corners(element.get("ref", ""))
            if area[0] <= last and area[1] <= widest and len(self.merged) < MOST_MERGED:
                self.merged.append(area)

    def _cell(self, element: Element, line: int, column: int) -> Cell | None:
        """Return what a cell holds; None where it is blank."""
        kind, formula = element.get("t", "n"), element.find(_FORMULA)
        said = (
            _inline(element.find(_INLINE))
            if kind == "inlineStr"
            else element.findtext(_VALUE) or ""
        )
        linked = (
            self._linked(formula, line, column)
            if formula is not None
            else line <= self.spilled.get(column, 0)
        )
        if not said:
            return UNCACHED if formula is not None and kind not in ("str", "inlineStr") else None
        match kind:
            case "s":
                at = (
                    int(said)
                    if said.isascii() and said.isdecimal() and len(said) < 10
                    else len(self.package.texts)
                )
                if at >= len(self.package.texts):
                    return _none(f"text number {quoted(said)}, which the file does not hold")
                return _text(self.package.texts[at])
            case "str" | "inlineStr":
                return _text(said)
            case "n":
                return self._number(said.strip(), element.get("s", "0"), linked)
            case "b":
                return (
                    said in _TRUE
                    if said in (*_TRUE, *_FALSE)
                    else _none(f"{quoted(said)} as true or false")
                )
            case "e":
                return error(said)
            case "d":
                try:
                    moment: Cell = from_ISO8601(said)  # type: ignore[no-untyped-call]
                except (ValueError, OverflowError):
                    return _none(f"{quoted(said)} as a date, which is none")
                return moment
        return _none(f"{quoted(said)} as a value of the kind {quoted(kind)}, which there is not")

    def _number(self, said: str, style: str, linked: bool) -> Cell:
        if not _NUMBER.fullmatch(said) or abs(value := float(said)) == float("inf"):
            return _none(f"{quoted(said)} as a number, which is none")
        at = int(style) if style.isascii() and style.isdecimal() and len(style) < 10 else -1
        if at < 0 or (at >= len(self.package.formats) and at > 0):
            return _none(
                f"a number in the format number {quoted(style)}, which the file does not hold"
            )
        if at in self.package.dates:
            try:
                moment = from_excel(
                    value, self.package.epoch, timedelta=at in self.package.durations
                )
            except (ValueError, OverflowError):
                return error("#VALUE!")  # a spreadsheet program shows ####
            return moment / dt.timedelta(days=1) if isinstance(moment, dt.timedelta) else moment
        code = self.package.formats[at] if at < len(self.package.formats) else "General"
        if linked and not value:
            return Stale(value)
        if digits := _zeros(code):
            return Padded(value, digits)
        return Percent(value) if _percent(code) else value

    def _linked(self, formula: Element, line: int, column: int) -> bool:
        """Return whether the formula of a cell reads another sheet or workbook."""
        group = formula.get("si")
        if not formula.text:
            return self.shared.get(group, False)
        linked = self.package.elsewhere(formula.text)
        if group is not None:
            self.shared[group] = linked
        if linked and formula.get("t") == "array":
            bottom, right = (corners(formula.get("ref", ""))[at] for at in (2, 3))
            self.spilled.update(
                dict.fromkeys(range(column, min(right, column + _WIDEST_SPILL) + 1), bottom)
            )
        return linked


def _line(said: str | None, before: int) -> int:
    """Return the number of a row that follows another in the file."""
    if said is None:
        found = before + 1
    elif re.fullmatch(r"[0-9]{1,12}(\.0+)?", said):
        found = int(float(said))
    else:
        raise damaged(f"a row below row {before} has the number {quoted(said)}")
    if found <= before:
        raise damaged(
            f"row {found} stands after row {before} in the file"
            if found < before
            else f"row {found} stands twice in the file"
        )
    if found > LAST_ROW:
        raise damaged(f"row {found} is beyond the last of a sheet, {LAST_ROW}")
    return found


def _place(said: str | None, line: int, before: int) -> int:
    """Return the column of a cell that follows another in its row."""
    if said is None:
        found = before + 1
    elif reference := _REFERENCE.fullmatch(said):
        found = _column(reference[1])
        if int(reference[2]) != line:
            raise damaged(f"the cell {said} stands in row {line} of the file")
    else:
        raise damaged(f"row {line} has a cell {quoted(said)}")
    if found <= before:
        where = "twice" if found == before else f"after {letter(before)}{line}"
        raise damaged(f"the cell {letter(found)}{line} stands {where} in the file")
    if found > MOST_COLUMNS:
        raise damaged(f"the cell {letter(found)}{line} is beyond the last column of a sheet")
    return found


_column = functools.cache(number)


def _is_hidden(element: Element, size: str) -> bool:
    """Return whether a row or column is hidden: marked so, or of no size."""
    if element.get("hidden", "0") in _TRUE:
        return True
    return re.fullmatch(r"0+(\.0*)?", element.get(size, "")) is not None


def _inline(element: Element | None) -> str:
    """Return the text in a cell, with all its runs and without its phonetics."""
    if element is None:
        return ""
    runs = [element, *element.findall(_RUN)]
    return "".join(part.text or "" for run in runs for part in run.findall(_TEXT))


def _text(said: str) -> Cell | None:
    said = unescape(said)
    return too_long(said) or said if said and not said.isspace() else None


def _none(what: str) -> Lost:
    return Lost(f"is damaged: it holds {what}; write the value that is meant")


@functools.cache
def _zeros(code: str) -> int:
    """Return how many digits a format shows at least, where it shows whole numbers with leading
    zeros: 3 for `000`.
    """
    first = _bare(code)
    return len(first) if re.fullmatch("00+", first) else 0


@functools.cache
def _percent(code: str) -> bool:
    """Return whether a format shows a share as a percentage: 25 % for 0.25."""
    return "%" in _bare(code)


def _bare(code: str) -> str:
    """Return the first section of a format, without its literal text."""
    if len(code) > _LONGEST_FORMAT:
        return ""
    return re.sub(r'"[^"]*"|\[[^\]]*\]|[\\_*].', "", code).partition(";")[0]
