"""Assumptions: every input that a plan rests on, with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stockpile_model.name_lists import list_of
from stockpile_model.schema import PROVENANCE, Result, Row, column, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

_column = column  # within Assumption a field has taken the name


@dataclass(frozen=True, kw_only=True)
class Assumption(Result):
    """A cell of the input that the plan rests on, with its source."""

    SHEET = "assumptions"
    ABOUT = "every input, with its source and date"
    PLACE = 100
    FOR_PROGRAMS = True
    ONE_ACROSS = True
    cell: str = _column("cell of the input")
    table: str = _column("table")
    row: str = _column("key of the row")
    column: str = _column("column")
    value: object = _column("value")
    unit: str = _column("unit")
    low: float | None = _column("low of the range a study may use")
    high: float | None = _column("high of the range a study may use")
    given: bool = _column("whether the workbook gives it; else it is the default")
    source: str | None = _column("source", sentence=True)
    source_date: str | None = _column("date of the source")
    confidence: str | None = _column("confidence")
    note: str | None = _column("note", sentence=True)


def assumptions(stockpile: Stockpile) -> Iterator[Assumption]:
    """Yield every input with its source: the cells of the workbook, and the defaults."""
    for row in (stockpile.settings, *(row for rows in stockpile.tables.values() for row in rows)):
        kind = type(row)
        key = "/".join(str(get(row, name)) for name in keys(kind)) or str(row.line or "")
        for each in columns(kind):
            value = getattr(row, each.field)
            if value is None or value == ():
                continue
            yield _assumption(stockpile, row, key, each.name, value, each.unit, row.given(each))
        if kind.OPEN:
            for index, value in row.values.items():  # type: ignore[attr-defined]
                yield _assumption(stockpile, row, key, index, value, "money/quantity", True)


def _assumption(
    stockpile: Stockpile, row: Row, key: str, name: str, value: object, unit: str, given: bool
) -> Assumption:
    """Return the row of an input."""
    low, high = row.ranges.get(name, (None, None))
    about = row.about.get(name, row) if isinstance(row, Settings) else row
    return Assumption(
        cell=stockpile.cell(row, name) if given else "",
        table=row.TABLE,
        row=key,
        column=name,
        value=list_of(value) if isinstance(value, tuple) else value,
        unit=unit,
        low=low,
        high=high,
        given=given,
        **{each: getattr(about, each) if given else None for each in PROVENANCE},
    )
