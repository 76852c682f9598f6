"""How cells of a plan look: formats, each made once, and how a value of any kind is put into a
cell.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optimiser.figures.figure import Precision
from stockpile_model import amounts
from stockpile_model.name_lists import list_of

DATE, SHARE, PRICE, WHOLE, DECIMAL, FACTOR = (
    "yyyy-mm-dd",
    "0.0 %",
    "#,##0.00",
    "#,##0",
    "#,##0.00",
    "0.0000",
)
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
LONGEST_TEXT = 32_767  # characters that a cell holds
MOST_DECIMALS = 20  # that a number format asks for
_NOT_SHOWN = (
    1e-8  # share of the largest figure of a column below which a part of one is the solver's noise
)
_EPOCH = dt.date(1899, 12, 30)
_PLAIN: dict[str, Any] = {"valign": "vcenter"}


@dataclass
class Styles:
    """The formats of one workbook by their properties."""

    book: xlsxwriter.Workbook
    made: dict[tuple[tuple[str, Any], ...], Format] = field(default_factory=dict)
    known: dict[Format, dict[str, Any]] = field(default_factory=dict)
    marked: dict[tuple[Any, ...], Format] = field(default_factory=dict)

    def __call__(self, num_format: str = "", **properties: Any) -> Format:
        properties = _PLAIN | properties | ({"num_format": num_format} if num_format else {})
        key = tuple(sorted(properties.items()))
        if key not in self.made:
            self.made[key] = made = self.book.add_format(properties)
            self.known[made] = properties
        return self.made[key]

    def more(self, style: Format, properties: dict[str, Any]) -> Format:
        """Return a format with more properties than one that was made before."""
        if not properties:
            return style
        key = style, *properties.items()
        if key not in self.marked:
            self.marked[key] = self(**(self.known[style] | properties))
        return self.marked[key]

    @property
    def header(self) -> Format:
        """Return the format of a header."""
        return self.on_header("#1F3864")

    def on_header(self, colour: str) -> Format:
        """Return the format of a header on a dark colour."""
        return self(
            bold=True,
            font_color="white",
            bg_color=colour,
            text_wrap=True,
            border=1,
            border_color="#8EA9DB",
        )


def set_print(sheet: Worksheet, wide: int = 1, part: str = "") -> None:
    """Set the page: landscape on A4, so many pages wide; `part` says below it what is printed."""
    sheet.set_landscape()
    sheet.fit_to_pages(wide, 0)
    _set_paper(sheet, part)


def set_print_in_two(sheet: Worksheet, column: int, percent: int) -> None:
    """Set the page: upright on A4, what stands from a column on behind the rest."""
    sheet.set_portrait()
    sheet.set_print_scale(percent)
    sheet.set_v_pagebreaks([column])
    _set_paper(sheet)


def _set_paper(sheet: Worksheet, part: str = "") -> None:
    """Set the paper and its margins, with the sheet's name, its part and the page below."""
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer(f"&L&A{part}&RPage &P of &N")


def put(sheet: Worksheet, row: int, column: int, value: object, style: Format) -> None:
    """Write a value; text is never taken for a formula or a link.

    None leaves the cell empty, a number that is none is #NUM!.
    """
    match plain(value):
        case None:
            return
        case str() as found:
            sheet.write_string(row, column, found, style)
        case found if math.isfinite(found):
            sheet.write_number(row, column, found, style)
        case _:
            sheet.write_formula(row, column, "=#NUM!", style, "#NUM!")


def plain(value: object) -> float | str | None:
    """Return a value of any kind as a cell holds it: a number, text, or nothing."""
    match value:
        case None | "":
            return None
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return value
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case dt.date():
            return serial(value)
        case _:
            return writable(text(value))[:LONGEST_TEXT]


def text(value: object) -> str:
    """Return a value as text; a list as its members."""
    if isinstance(value, (tuple, list, frozenset, set)):
        return list_of(value)
    return str(value)


def literal(title: str) -> str:
    """Return a title of a chart or axis as text.

    XlsxWriter takes what holds `Sheet!A1` for a reference, so an invisible character separates the
    two.
    """
    return legible(title).replace("!", "!\u2060")


def legible(value: str) -> str:
    """Return text without the control characters that XML cannot hold, for titles; cells escape
    them.
    """
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", writable(value))


def writable(value: str) -> str:
    """Return text with escapes for what no encoding holds: bytes of a file's name that are no text
    (lone surrogates).
    """
    return value if value.isascii() else value.encode(errors="backslashreplace").decode()


def serial(day: dt.date) -> int:
    """Return a date as a spreadsheet counts it, in days."""
    return (day - _EPOCH).days


def number_format(unit: str, values: Iterable[object]) -> str:
    """Return the format of a column of numbers by its unit.

    Shares are in per cent. Quantities and money have decimals only where they matter, and more of
    them where all figures are small because their unit is a large one.
    """
    if unit == "1":
        return SHARE
    if not unit.startswith(("quantity", "money")):
        return ""
    numbers = [
        abs(each) for each in values if isinstance(each, (int, float)) and math.isfinite(each)
    ]
    largest = max(numbers, default=0.0)
    if not unit.startswith("money/"):
        large = unit == "money" and largest >= 1000
        if large or all(abs(each - round(each)) <= _NOT_SHOWN * largest for each in numbers):
            return WHOLE
    return _decimals(
        2
        if largest >= 0.01 or not largest
        else min(MOST_DECIMALS, 2 - math.floor(math.log10(largest)))
    )


def short_format(value: float, digits: int, place: str = "#") -> str:
    """Return a format that shows so many digits of a value, whatever its unit, and all of its whole
    ones; `place` is the sign of a decimal: `0` is always shown."""
    size = math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0
    places = min(MOST_DECIMALS, digits - 1 - size)
    return WHOLE if places <= 0 else f"#,##0.{place * places}"


def drawn_format(values: Iterable[float | None]) -> str:
    """Return the format of numbers that a chart draws: it shows six digits of the largest."""
    sizes = [abs(each) for each in values if each is not None and math.isfinite(each)]
    if all(each.is_integer() for each in map(float, sizes)):
        return WHOLE
    return short_format(max(sizes), 6, "0")


def precise(precision: Precision) -> str:
    """Return the format of the numbers of a figure."""
    unit, places = precision.unit, precision.places
    if unit == "count":
        return "0"
    if places is None:
        return SHARE if unit == "1" else number_format(unit, precision.among)
    if unit == "1":
        return f"0.{'0' * places} %"
    return _decimals(places) if unit.startswith(("quantity", "money")) else f"0.{'0' * places}"


def exact_formats(unit: str, values: Sequence[object]) -> list[str]:
    """Return the format of each cell of a column whose figures are to be acted on: each shows the
    digits that a sentence gives.
    """
    said = (
        amounts.money
        if unit.startswith("money")
        else lambda value: amounts.quantity(amounts.clean(value))
    )
    places = [
        (
            len(said(each).partition(".")[2])
            if isinstance(each, (int, float)) and math.isfinite(each)
            else 0
        )
        for each in values
    ]
    least = 2 if any(places) or unit.startswith("money/") else 0
    return [_decimals(min(MOST_DECIMALS, max(least, each))) for each in places]


def decimals(num_format: str) -> int:
    """Return how many decimals a format shows."""
    return num_format.partition(".")[2].count("0")


def _decimals(places: int) -> str:
    return WHOLE + ("." + "0" * places if places else "")
