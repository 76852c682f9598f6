"""Workbooks for tests, from plain tables."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

Rows = Sequence[Mapping[str, Any]]
Tables = Mapping[str, Mapping[str, Any] | Rows]
"""`{"settings": {name: value}, "offers": [{column: value}, ...], ...}`"""


def book(path: Path, tables: Tables) -> Path:
    """Writes a workbook, or where the path has no suffix a folder of CSV files, with a sheet for
    each table.

    The columns of a sheet are those of its rows, in the order in which they first appear. None is a
    blank cell.
    """
    if path.suffix:
        _workbook(path, {name: _grid(rows) for name, rows in tables.items()})
    else:
        _folder(path, {name: _grid(rows) for name, rows in tables.items()})
    return path


def _grid(rows: Mapping[str, Any] | Rows) -> list[list[Any]]:
    """A header and the rows below it."""
    if isinstance(rows, Mapping):
        rows = [{"name": name, "value": value} for name, value in rows.items()]
    header = list(dict.fromkeys(column for row in rows for column in row))
    return [header, *([row.get(column) for column in header] for row in rows)]


def _workbook(path: Path, sheets: Mapping[str, list[list[Any]]]) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as workbook:
        for name, grid in sheets.items():
            sheet = workbook.add_worksheet(name)
            for line, row in enumerate(grid):
                sheet.write_row(line, 0, row)


def _folder(path: Path, sheets: Mapping[str, list[list[Any]]]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, grid in sheets.items():
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([[_said(cell) for cell in row] for row in grid])


def _said(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell.isoformat() if isinstance(cell, dt.date) else cell
