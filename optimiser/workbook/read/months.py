"""A table with a column for each month, quarter or year, as planners keep them: what such a title
means, and how a row of it is written in the long form that is read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from optimiser.workbook.read.cells import Cell, Lost, letter
from stockpile_model.schema import Row, columns, keys
from stockpile_model.values import YEARS, normal, text

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR, _GAP = r"(?P<year>\d{4}|\d{2})", r"[\s.,_/'\u2019-]*"
_TITLES = [
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        rf"{_NAME}(?:{_GAP}{_YEAR})?",
        rf"(?P<year>\d{{4}}){_GAP}{_NAME}",
        r"(?P<year>\d{4})[-./_](?P<month>\d{1,2})(?:[-./_]\d{1,2})?",
        r"(?P<month>\d{1,2})[-./_](?P<year>\d{4})",
        r"\d{1,2}[-./](?P<month>\d{1,2})[-./](?P<year>\d{4})",
        rf"q(?P<quarter>[1-4])(?:{_GAP}{_YEAR})?",
        rf"(?P<year>\d{{4}}){_GAP}q(?P<quarter>[1-4])",
        r"(?P<fiscal>fy|fiscal[ _]year)[ _']*(?P<year>\d{4}|\d{2})",
        r"(?:year[ _]*)?(?P<year>\d{4})",
        r"(?:m|month|p|period)[ _]*(?P<number>\d{1,3})",
    )
]


@dataclass(frozen=True)
class Span:
    """Describe what a title names: so many months from a date, of which the year may be open, or a
    period by its number.
    """

    months: int
    month: int = 0
    year: int = 0
    fiscal: bool = False
    number: int = 0

    def first(
        self, start: dt.date | None, period_months: int, fiscal_start: int, year: int
    ) -> dt.date | None:
        """Return its first day; `year` is the row's, for a title without one.

        Return None where the year is open.
        """
        if self.number:
            return None if start is None else _after(start, (self.number - 1) * period_months)
        if self.fiscal:
            return dt.date(self.year - (fiscal_start > 1), fiscal_start, 1)
        known = (
            self.year or year or (0 if start is None else start.year + (self.month < start.month))
        )
        return dt.date(known, self.month, 1) if known else None


def _after(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, 12)
    return dt.date(day.year + years, month + 1, 1)


def spans(titles: Mapping[int, Cell], known: Collection[str], table: str) -> dict[int, Span]:
    """Return the columns whose title names a month, a quarter or a year, where there are several;
    the title may also hold words that the table knows.
    """
    words = {*known, table, table.removesuffix("s"), "total"}
    found = {}
    for column, cell in titles.items():
        if (
            not isinstance(cell, Lost)
            and (name := normal(text(cell))) not in known
            and len(name) < 40
        ):
            bare = "_".join(word for word in name.split("_") if word not in words)
            if (span := _span(bare.strip("_-:")) or _span(name)) is not None:
                found[column] = span
    return found if len(found) > 1 else {}


def _span(title: str) -> Span | None:
    for pattern in _TITLES:
        if match := pattern.fullmatch(title):
            given = {name: value for name, value in match.groupdict().items() if value}
            year = int(given.get("year", 0))
            year += 2000 if 0 < year < 100 else 0
            month = (
                _MONTHS.index(given["name"][:3].lower()) + 1
                if "name" in given
                else int(given.get("month", 0))
            )
            if (
                (year and not YEARS[0] < year < YEARS[1])
                or month > 12
                or ("month" in given and not month)
            ):
                return None
            if "quarter" in given:
                return Span(3, month=3 * int(given["quarter"]) - 2, year=year)
            if "number" in given:
                return Span(0, number=int(given["number"])) if int(given["number"]) else None
            return Span(1 if month else 12, month=month or 1, year=year, fiscal="fiscal" in given)
    return None


@dataclass(frozen=True)
class Wide:
    """A table with columns for spans of time, and a row of it: its cells by name, those of its
    spans by column.
    """

    kind: type[Row]
    spans: Mapping[int, Span]
    line: int
    cells: Mapping[str, Cell]
    values: Mapping[int, Cell]

    def message(self, start: dt.date | None, period_months: int, fiscal_start: int) -> str:
        """Return what is wrong, and how the row looks in the form that is read."""
        (first, last), name = (min(self.spans), max(self.spans)), value_column(self.kind)
        said = f"columns {letter(first)} to {letter(last)} are for months, quarters or years"
        if name is None and not self.kind.OPEN:
            return (
                f"{said}, and a row of {self.kind.TABLE} holds one value for all time; prices that"
                " vary in time go into the sheet prices"
            )
        year = next((number for cell in self.cells.values() if (number := _year(cell))), 0)
        given = [
            (span, self.values[column])
            for column, span in sorted(self.spans.items())
            if column in self.values
        ]
        shown = [
            self._row(
                value, span, span.first(start, period_months, fiscal_start, year), period_months
            )
            for span, value in given[:2]
        ]
        what = "row" if name else "row, with a column for each index,"
        more = "; and so on" if len(given) > 2 else ""
        like = f"; row {self.line} becomes: {'; '.join(shown)}{more}" if shown else ""
        return f"{said}: write a {what} for each of them instead{like}"

    def _row(self, value: Cell, span: Span, day: dt.date | None, period_months: int) -> str:
        """Return a row of the long form in words: each column and its value."""
        name, date = (
            value_column(self.kind),
            "the first day of the column" if day is None else day.isoformat(),
        )
        amount = value.shown if isinstance(value, Lost) else text(value)
        if name is None:
            titles = [
                text(cell)
                for cell in self.cells.values()
                if isinstance(cell, str) and not _year(cell)
            ]
            return f"date {date}, {titles[0] if titles else self.kind.OPEN} {amount}"
        known = {column.name: column for column in columns(self.kind)}
        parts = [
            f"{each} {text(cell)}"
            for each, cell in self.cells.items()
            if each in known and not isinstance(cell, Lost)
        ]
        parts.append(f"from {date}")
        if "to" in known and day is not None and span.months > period_months:
            parts.append(f"to {_after(day, span.months) - dt.timedelta(days=1)}")
        many = span.months // period_months if known[name].unit.endswith("/period") else 0
        if many > 1 and isinstance(value, float):
            amount = (
                f"{value / many:.12g} (in each period, where {amount} is for all {many} of them)"
            )
        parts.append(f"{name} {amount}")
        return ", ".join(parts)


def value_column(kind: type[Row]) -> str | None:
    """Return the column of a table that holds the amount from a date on, where its rows may repeat
    for further dates; None in any other.
    """
    known = {column.name: column for column in columns(kind)}
    if keys(kind) or "from" not in known:
        return None
    return next((column.name for column in known.values() if column.kind == "number"), None)


def _year(cell: Cell) -> int:
    """Return the year that a cell is, or lies in; 0 where it is none."""
    if isinstance(cell, dt.date):
        return cell.year
    if isinstance(cell, Lost) or not re.fullmatch(r"\d{4}", said := text(cell), re.ASCII):
        return 0
    return int(said) if YEARS[0] < int(said) < YEARS[1] else 0
