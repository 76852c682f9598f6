"""From what a cell or a command line gives to the value of a column, or a message.

The message says how to fix it.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
from collections.abc import Callable
from typing import Any

from stockpile_model.name_lists import names_in
from stockpile_model.names import LONGEST, clean, identity
from stockpile_model.schema import Column, Kind, quoted

Given = str | float | bool | dt.datetime | dt.date | dt.time
"""What a cell holds: text, a number, a truth value, a date or a time."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?", re.ASCII)
_DAYS = re.compile(r"[2-9]\d{4}", re.ASCII)  # the days of 1954 to 2173
_EPOCH = dt.date(1899, 12, 30)
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
YEARS = (1900, 2500)  # a date outside is a slip, and would leave no room for the horizon


class Padded(float):
    """A number that its cell shows with leading zeros, such as the code `001`."""

    digits: int

    def __new__(cls, number: float, digits: int) -> Padded:
        self = super().__new__(cls, number)
        self.digits = digits
        return self


def convert(column: Column, given: Given) -> Any:
    """Return the value of a cell that is not blank.

    ValueError, to be read after the column's name, where it cannot be one. Only the kind is judged
    here; bounds and choices are `Column.fault`'s.
    """
    if column.many:
        items: dict[str, Any] = {}
        for part in names_in(text(given)):
            if not blank(part):
                items.setdefault(identity(part), _CONVERT[column.kind](column, part))
        return tuple(items.values())
    return _CONVERT[column.kind](column, given)


def text(given: Given) -> str:
    """Return a cell as text, as its sheet shows it, trimmed.

    It is 12 for 12.0, 001 for a 1 formatted so, ISO for a date.
    """
    match given:
        case str():
            return given.strip()
        case bool():
            return "TRUE" if given else "FALSE"
        case Padded() if given.is_integer():
            return f"{int(given):0{given.digits}d}"
        case int() | float():
            return str(int(given)) if float(given).is_integer() else repr(float(given))
        case dt.datetime() if given.time() == dt.time():
            return given.date().isoformat()
        case _:
            return given.isoformat()


def blank(given: Given | None) -> bool:
    """Return whether a cell counts as blank: nothing in it, or nothing that prints."""
    return given is None or (isinstance(given, str) and not clean(given))


def unbracketed(unit: str) -> str:
    """Return a unit as it stands between the brackets of a title, without any of its own.

    An example is `USD (2026)` for `USD [2026]`.
    """
    return unit.translate(_ROUND)


_ROUND = str.maketrans("[]\uff3b\uff3d", "()()")


def parted(title: str) -> tuple[str, str]:
    """Return a title without its trailing `[unit]`, and that unit.

    It may hold brackets: `price [USD [2026]/kg]`.
    """
    title = clean(title)
    depth = 0
    for k in range(len(title) - 1, -1, -1) if title.endswith(("]", "\uff3d")) else ():
        depth += (title[k] in "]\uff3d") - (title[k] in "[\uff3b")
        if not depth:
            return title[:k].rstrip(), title[k + 1 : -1].strip()
    return title, ""


def unitless(title: str) -> str:
    """Return a title without its trailing `[unit]`."""
    return parted(title)[0]


def normal(title: str) -> str:
    """Return the name that a title stands for.

    It is its identity without a trailing `[unit]`, spaces as `_`.
    """
    return unitless(identity(title)).replace(" ", "_")


def _text(column: Column, given: Given) -> str:
    if column.prose:
        return text(given)
    written = clean(text(given))
    if column.choices:
        return next(
            (choice for choice in column.choices if identity(choice) == identity(written)), written
        )
    if len(written) > LONGEST:
        message = f"must be at most {LONGEST} characters long, found {len(written):,}"
        raise ValueError(f"{message}; shorten it, the column note takes long texts")
    return written


def _number(column: Column, given: Given) -> float:
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given)
    if isinstance(given, numbers.Real) and not isinstance(given, bool):
        return given  # a number that records what is done with it
    if isinstance(given, str):
        written = given.strip()
        if _NUMBER.fullmatch(written):
            return float(given)
        message = f"must be a {_finite(given)}number, found {quoted(written)}"
        raise ValueError(f"{message}; {_remedy(column, written)}")
    if isinstance(given, dt.date):
        raise ValueError(
            f"must be a number, found the date {text(given)}; format the cell as a number"
        )
    raise ValueError(f"must be a number, found {text(given)}; {_remedy(column, '')}")


def _finite(given: str) -> str:
    return "finite " if given.strip().lstrip("+-").casefold() in ("nan", "inf", "infinity") else ""


def _remedy(column: Column, given: str) -> str:
    """Return how to write what was meant as a number."""
    if given.endswith("%") and _NUMBER.fullmatch(given[:-1].strip().replace(",", ".")):
        return f"write it as the fraction {float(given[:-1].replace(',', '.')) / 100:.12g}"
    if re.search("[0-9]", given) and re.fullmatch(r"[+-]?[0-9.,'\u2019\s]+", given):
        return "write it with a decimal point and without thousands separators, as in 1200.5"
    if re.match(r"[+-]?\.?\d[\d.,]*\s*[^\W\d_]", given) or re.fullmatch(r"[$€£¥]\s*[\d.,]+", given):
        return "write the number alone, without a unit"
    if re.fullmatch(r"[\d.,\s]+(-|\u2013|to)[\d.,\s]+", given):
        return f"write one number; the range goes into {column.name}_low and {column.name}_high"
    if column.required or column.default is None:
        return "write a number such as 1200.5" + (
            "" if column.required else ", or leave it blank where there is none"
        )
    return f"write a number such as 1200.5, or leave it blank for {column.default:g}"


def _whole(column: Column, given: Given) -> int:
    number = _number(column, given)
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, found {number}; {_remedy(column, '')}")
    if not number.is_integer():
        remedy = f"write {math.floor(number)} or {math.ceil(number)}"
        raise ValueError(f"must be a whole number, found {number:g}; {remedy}")
    return int(number)


def _date(column: Column, given: Given) -> dt.date:
    day = given
    if isinstance(given, str) and _DATE.fullmatch(given.strip()):
        try:
            day = dt.date.fromisoformat(given.strip()[:10])
        except ValueError:
            message = f"must be a date of the calendar, found {quoted(given.strip())}"
            raise ValueError(f"{message}; see the month and its last day") from None
    if isinstance(day, dt.datetime):
        day = day.date()
    if not isinstance(day, dt.date):
        written = quoted(given.strip()) if isinstance(given, str) else text(given)
        raise ValueError(f"must be a date, found {written}; {_date_remedy(given)}")
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(f"must be a date between {YEARS[0]} and {YEARS[1]}, found {day}")
    return day


def _date_remedy(given: Given) -> str:
    """Return how to write what was meant as a date.

    A spreadsheet keeps a date as the number of a day, which loses its format when it is pasted.
    """
    written = text(given)
    if _DAYS.fullmatch(written):
        day = _EPOCH + dt.timedelta(days=int(written))
        return f"as the number of a day that is {day}: " + (
            "write it so" if isinstance(given, str) else "format the cell as a date"
        )
    return "write it as year-month-day, as in 2027-03-31"


def _yes_no(column: Column, given: Given) -> bool:
    written = text(given)
    if identity(written) not in _YES_NO:
        raise ValueError(f"must be yes or no, found {quoted(written)}")
    return _YES_NO[identity(written)]


_CONVERT: dict[Kind, Callable[[Column, Any], Any]] = {
    "text": _text,
    "number": _number,
    "whole": _whole,
    "date": _date,
    "yes_no": _yes_no,
}
