"""Why there is no plan, as a workbook whose rows lead to the cells."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimiser.studies.repairs.diagnosis import Diagnosis
from optimiser.workbook.write.cell_links import CellLinks
from optimiser.workbook.write.ownership import Kind, about, check_target, replace
from optimiser.workbook.write.styles import OPTIONS, Styles, exact_formats, legible, put, set_print

HEADER = {"Part": 22, "Cell": 20, "What": 90, "Change": 50, "Cost of the plan": 26}
LINE_HEIGHT = 15  # of a row that holds one line of text [points]
WIDER = 1.05  # characters of text that a unit of a column holds


@dataclass(frozen=True)
class _Line:
    """A row of the explanation: the cell that it is about, or none."""

    part: str
    cell: str
    said: str
    change: str = ""
    cost: float | None = None


def write(found: Diagnosis, source: Path | None, name: str, path: Path) -> None:
    """Write an explanation to `path` (.xlsx). Raises OutputError; then nothing has changed."""
    check_target(path, Kind.EXPLANATION)
    replace(path, compose(found, source, name, path))


def compose(found: Diagnosis, source: Path | None, name: str, path: Path) -> bytes:
    """Return the workbook of an explanation as its file holds it, to stand at `path`."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = legible(f"Why there is no plan of {name or 'the workbook'}")
        book.set_properties(about(Kind.EXPLANATION, title))
        _list(book.add_worksheet("explanation"), Styles(book), found, source, path)
    return target.getvalue()


def _lines(found: Diagnosis) -> Iterator[_Line]:
    yield _Line("answer", "", next(iter(found.lines())))
    for each in found.sums:
        cell, _, said = each.partition(": ")
        yield _Line("by the figures alone", cell, said)
    for number, repair in enumerate(found.repairs, start=1):
        for at, (cell, change) in enumerate(zip(repair.cells, repair.changes, strict=True)):
            cost = repair.objective if at == 0 else None
            said = repair.told if at == 0 else f"belongs to repair {number}"
            yield _Line(f"repair {number}", cell, said, change, cost)
    for rule in found.clash.rules:
        yield _Line("cannot all be kept", rule.cell, rule.said)
    if found.ended:
        yield _Line("note", "", found.ended)


def _list(
    sheet: Worksheet, styles: Styles, found: Diagnosis, source: Path | None, path: Path
) -> None:
    """Write a row for each line; its cell leads to where it stands."""
    lines = [*_lines(found)]
    links = None if source is None else CellLinks(source, path)
    for column, (name, width) in enumerate(HEADER.items()):
        unit = f" [{found.currency}]" if column == len(HEADER) - 1 and found.currency else ""
        sheet.write_string(0, column, f"{name}{unit}", styles.header)
        sheet.set_column(column, column, width)
    plain, wrapped = styles(valign="top"), styles(valign="top", text_wrap=True)
    linked = styles(valign="top", font_color="#0563C1", underline=1)
    shown = exact_formats("money", [line.cost for line in lines])
    for at, (line, money) in enumerate(zip(lines, shown, strict=True), start=1):
        sheet.set_row(at, LINE_HEIGHT * _height(line))
        link = links.to(line.cell) if links and line.cell else None
        put(sheet, at, 0, line.part, plain)
        if link is None:
            put(sheet, at, 1, line.cell, plain)
        else:
            sheet.write_url(at, 1, link, linked, line.cell, "Open the workbook there")
        put(sheet, at, 2, line.said, wrapped)
        put(sheet, at, 3, line.change, wrapped)
        put(sheet, at, 4, line.cost, styles(money, valign="top"))
    sheet.autofilter(0, 0, max(1, len(lines)), len(HEADER) - 1)
    sheet.freeze_panes(1, 0)
    set_print(sheet)


def _height(line: _Line) -> int:
    """Return how many lines of text a row needs."""
    wrapped = ((line.said, HEADER["What"]), (line.change, HEADER["Change"]))
    return max(1, *(len(textwrap.wrap(text, int(WIDER * width))) for text, width in wrapped))
