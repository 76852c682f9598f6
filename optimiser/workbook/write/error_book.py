"""What is wrong with a workbook, as a workbook of its own whose rows lead to the cells."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimiser.system.errors import Fault, InputError, OutputError
from optimiser.workbook.read.cells import Lost, Unreadable, number
from optimiser.workbook.read.input_reader import Reading, read, sheets
from optimiser.workbook.write.cell_links import CellPlace, link_to
from optimiser.workbook.write.ownership import (
    Kind,
    about,
    check_target,
    refuse_foreign,
    replace,
    same_file,
)
from optimiser.workbook.write.styles import OPTIONS, Styles, legible, put, set_print
from stockpile_model.values import normal, text

HEADER = {"Kind": 10, "Sheet": 18, "Cell": 10, "Found": 30, "Message": 110}  # and the widths
NOTHING_WRONG = "no error, and nothing odd"
HOW_TO_USE = (
    (
        "Each row of the sheet errors is one thing to correct in the checked workbook, and says how"
        " to correct it."
    ),
    (
        "A click on its cell opens the checked workbook there. Keep the two files where they are,"
        " as the link says where to look."
    ),
    (
        "An error must be corrected before there is a plan. A warning is odd and does not stop one,"
        " unless it says that no plan exists."
    ),
    (
        "Correct the cells, save the workbook and check it again: this list is a copy, and nothing"
        " written into it has any effect."
    ),
    "Warnings are looked for once there is no error left.",
)
_LONGEST_FOUND = 200  # characters


def check_workbook(source: Path, errors: Path, force: bool = False) -> Reading:
    """Read a workbook, and write to `errors` what is wrong with it, or odd about it; by `force` in
    the place of any file.

    Raises InputError as `read` does, after `errors` has been written, and OutputError.
    """
    if same_file(errors, source):
        raise OutputError(
            f"{errors}: is the workbook to be checked, which is never written to; choose another"
            " name"
        )
    check_target(errors, Kind.ERRORS)
    refuse_foreign(errors, Kind.ERRORS, force)
    try:
        reading = read(source)
    except InputError as error:
        replace(errors, compose(error.faults, source, errors))
        raise
    replace(errors, compose(reading.warnings, source, errors))
    return reading


def compose(faults: Sequence[Fault], source: Path, path: Path) -> bytes:
    """Return the workbook of faults as its file holds it, to stand at `path`."""
    places = [CellPlace.of(fault.where) for fault in faults]
    titles, found = _looked_up(source, places)
    entries = [
        _Entry(
            kind="warning" if fault.warning else "error",
            sheet=titles.get(place.sheet, "" if place.sheet == str(source) else place.sheet),
            cell=f"{place.letters}{place.line}" if place.line else "",
            found=found.get(place, ""),
            message=fault.message,
            link=link_to(source, path, place, titles),
        )
        for fault, place in zip(faults, places, strict=True)
    ]
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        book.set_properties(about(Kind.ERRORS, legible(f"What is wrong with {source.name}")))
        styles = Styles(book)
        _list(book.add_worksheet("errors"), styles, entries)
        _explain(book.add_worksheet("how to use"), styles, source, entries)
    return target.getvalue()


@dataclass(frozen=True)
class _Entry:
    """A row of the list."""

    kind: str
    sheet: str
    cell: str
    found: str
    message: str
    link: str | None


def _looked_up(
    source: Path, places: Iterable[CellPlace]
) -> tuple[Mapping[str, str], Mapping[CellPlace, str]]:
    """Return the titles of the sheets as their file spells them, by the name in a fault, and what
    stands in the cells of faults.
    """
    wanted: dict[str, dict[int, list[CellPlace]]] = {}
    for place in places:
        if place.line:
            wanted.setdefault(place.sheet, {}).setdefault(place.line, []).append(place)
    titles: dict[str, str] = {}
    found: dict[CellPlace, str] = {}
    with contextlib.suppress(Unreadable, OSError):  # a fault reports what cannot be read
        for sheet in sheets(source):
            first = titles.setdefault(normal(sheet.name), sheet.name) == sheet.name
            titles.setdefault(sheet.name, sheet.name)
            lines = wanted.get(normal(sheet.name), {}) if first else {}
            with contextlib.suppress(Unreadable):
                for line, cells in sheet if lines else ():
                    for place in lines.get(line, ()):
                        if (cell := cells.get(number(place.letters))) is not None:
                            found[place] = (
                                cell.shown
                                if isinstance(cell, Lost)
                                else text(cell)[:_LONGEST_FOUND]
                            )
                    if line >= max(lines):
                        break
    return titles, found


def _list(sheet: Worksheet, styles: Styles, entries: Sequence[_Entry]) -> None:
    """Write a row for each fault, to be filtered; its cell leads to where it stands."""
    for column, (name, width) in enumerate(HEADER.items()):
        sheet.write_string(0, column, name, styles.header)
        sheet.set_column(column, column, width)
    plain, wrapped = styles(valign="top"), styles(valign="top", text_wrap=True)
    colours = {
        "error": styles(valign="top", font_color="#9C0006"),
        "warning": styles(valign="top", font_color="#7F6000"),
    }
    linked = styles(valign="top", font_color="#0563C1", underline=1)
    for line, entry in enumerate(entries, 1):
        put(sheet, line, 0, entry.kind, colours[entry.kind])
        put(sheet, line, 1, entry.sheet, plain)
        if entry.link is None:
            put(sheet, line, 2, entry.cell, plain)
        else:
            sheet.write_url(
                line, 2, entry.link, linked, entry.cell or "open", "Open the checked workbook there"
            )
        put(sheet, line, 3, entry.found, wrapped)
        put(sheet, line, 4, entry.message, wrapped)
    if not entries:
        put(sheet, 1, 4, NOTHING_WRONG, wrapped)
    sheet.autofilter(0, 0, max(1, len(entries)), len(HEADER) - 1)
    sheet.freeze_panes(1, 0)
    set_print(sheet)


def _explain(sheet: Worksheet, styles: Styles, source: Path, entries: Sequence[_Entry]) -> None:
    """Write how to use the list, and how many rows it has of each sheet."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 2, 12)
    put(sheet, 0, 0, f"What is wrong with {source.name}", styles(bold=True, font_size=14))
    for line, said in enumerate(HOW_TO_USE, 2):
        put(sheet, line, 0, said, styles())
    top = len(HOW_TO_USE) + 3
    for column, name in enumerate(("Sheet", "Errors", "Warnings")):
        sheet.write_string(top, column, name, styles.header)
    counts = {
        kind: Counter(entry.sheet or source.name for entry in entries if entry.kind == kind)
        for kind in ("error", "warning")
    }
    names = list(dict.fromkeys(entry.sheet or source.name for entry in entries))
    for line, name in enumerate(names, top + 1):
        for column, value in enumerate((name, counts["error"][name], counts["warning"][name])):
            put(sheet, line, column, value, styles())
    end = top + 1 + len(names)
    put(sheet, end, 0, "In all", styles(bold=True))
    for column, kind in enumerate(counts, 1):
        put(sheet, end, column, counts[kind].total(), styles(bold=True))
    set_print(sheet)
