"""The workbook that goes on from a plan: its tables, and a guide that says where it comes from.

No clock goes into it: the same plan and date give the same file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from optimiser.workbook.read.drafts import Written, write_row, write_table
from optimiser.workbook.write.input_sheets import (
    CREATED,
    Units,
    Writer,
    lay_out_guide,
    write_guide,
)
from optimiser.workbook.write.ownership import Kind, about, check_target, replace
from optimiser.workbook.write.styles import OPTIONS, Styles, legible
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings


def write(stockpile: Stockpile, guide: Sequence[str], path: Path) -> None:
    """Write the workbook to `path` (.xlsx), in place of what stands there.

    `guide` are its paragraphs. Raises OutputError; then nothing has changed.
    """
    check_target(path, Kind.NEXT)
    replace(path, compose(stockpile, guide))


def compose(stockpile: Stockpile, guide: Sequence[str]) -> bytes:
    """Return the workbook, as its file holds it."""
    target, settings = io.BytesIO(), stockpile.settings
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        title = legible(settings.title) or "Stockpile"
        book.set_properties(about(Kind.NEXT, title, created=CREATED))
        styles = Styles(book)
        page = book.add_worksheet("guide")
        lay_out_guide(page)
        write_guide(page, "\n\n".join(map(legible, guide)), styles)
        writer = Writer(styles, Units(settings.quantity_unit, settings.currency))
        given = write_row(settings)
        rows = tuple({"name": name, "value": value} for name, value in given.items())
        tables = {Settings: Written(("name", "value"), rows)}
        for kind, found in stockpile.tables.items():
            if found:
                tables[kind] = write_table(kind, found)  # type: ignore[index]
        for kind, table in tables.items():
            sheet = book.add_worksheet(kind.TABLE)
            writer.table(sheet, kind, table.names, table.rows)
    return target.getvalue()
