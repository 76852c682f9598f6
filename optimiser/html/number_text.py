"""How the numbers of figures and rows are written on a page."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal

from optimiser.figures.figure import Precision
from stockpile_model.name_lists import list_of

NOT_SHOWN = 1e-8  # share of the largest number below which a part of one is the solver's noise
MOST_PLACES = 20
SHARE = "1"  # the unit of shares, which are shown in per cent


def places(precision: Precision) -> int | None:
    """Return how many decimals numbers have, shares those of per cent; None: as many as each
    needs."""
    unit = precision.unit
    if unit == "count":
        return 0
    if precision.places is not None:
        return precision.places
    if unit == SHARE:
        return 1
    if not unit.startswith(("quantity", "money")):
        return None
    return _places(unit, precision.among)


def _places(unit: str, among: Iterable[object]) -> int:
    """Return the decimals of quantities and money: some only where they matter, more where all are
    small because their unit is a large one."""
    numbers = [
        abs(each) for each in among if isinstance(each, (int, float)) and math.isfinite(each)
    ]
    largest = max(numbers, default=0.0)
    if not unit.startswith("money/"):
        large = unit == "money" and largest >= 1000
        if large or all(abs(each - round(each)) <= NOT_SHOWN * largest for each in numbers):
            return 0
    if largest >= 0.01 or not largest:
        return 2
    return min(MOST_PLACES, 2 - math.floor(math.log10(largest)))


def written(value: object, precision: Precision) -> str:
    """Return a value as it is read: a number with its decimals, a date, yes or no, or text."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _number(value, precision)
        case dt.date():
            return value.isoformat()
        case tuple() | list():
            return list_of(value)
    return str(value)


def _number(value: float, precision: Precision) -> str:
    if not math.isfinite(value):
        return "no number" if math.isnan(value) else "unlimited"
    shown = places(precision)
    if shown is None:
        largest = max((abs(each) for each in precision.among), default=0.0)
        if abs(value) <= NOT_SHOWN * largest:
            return "0"
        return f"{Decimal(f'{value:.7g}'):,f}"
    if precision.unit == SHARE:
        return f"{100 * value:,.{shown}f} %"
    text = f"{value:,.{shown}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text
