"""Figures in sentences: what a person orders, signs, pays or moves.

Every sentence takes its figures from here.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

NOISE = 1e-6
"""The share of a figure by which a solver may miss it; what is further off is for the audit."""
_SAME = 1e-9  # share of a figure that a shorter way to write it may differ by
_SHORT = 7  # digits of a figure that a person may have meant
_TYPED = 12  # digits: a figure with no more of them was written by a person
_KEPT = 15  # digits that a cell holds
_FEW = 9  # digits: a figure with no more of them is written whole
_DIGITS = 7  # significant digits of money, and of what is to be done
STATED = 1e-7
"""The share of a figure by which a sentence may differ from it: the audit lets as much pass."""


def quantity(value: float) -> str:
    """Write a quantity or limit with every digit it has.

    Thousands are separated; it is never a power of ten.
    """
    return _plain(Decimal(repr(float(value)))) if math.isfinite(value) else str(value)


def money(value: float, among: float | None = None) -> str:
    """Write an amount of money or a price: to the cent at least, to seven digits for a large unit.

    `among` is the largest of the amounts that stand with it, whose places it has.
    """
    if not math.isfinite(value):
        return str(value)
    exact = Decimal(repr(float(value)))
    places = _DIGITS - 1 - max(abs(exact), Decimal(repr(abs(float(among or 0.0))))).adjusted()
    written = _plain(round(exact, max(2, places)))
    return written + "0" if len(written.partition(".")[2]) == 1 else written


def stated(value: float) -> str:
    """Write a quantity that is to be ordered or moved: to seven digits and its whole ones.

    It has more where they are few, or where the quantity is not the same to the audit without.
    """
    cleaned = clean(value)
    if not math.isfinite(cleaned) or _short(cleaned):
        return quantity(cleaned)
    exact = Decimal(repr(cleaned))
    places = max(0, _DIGITS - 1 - exact.adjusted())
    shown = round(exact, places)
    if abs(shown - exact) > Decimal(STATED) * abs(exact):
        shown = round(exact, places + 1)
    return _plain(shown)


def rounded(value: float) -> str:
    """Write money as people say it, to four digits: `73.99 million`; a small sum to the cent."""
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if abs(value) >= size and math.isfinite(value):
            return f"{_plain(Decimal(f'{value / size:.4g}'))} {name}"
    return price(value)


def price(value: float) -> str:
    """Write the price of a unit that is a mean, to six digits."""
    return money(float(f"{value:.6g}"))


def summed(value: float) -> str:
    """Write a sum of quantities: with all its digits where they are few, else to six digits."""
    cleaned = clean(value)
    return quantity(cleaned) if math.isfinite(cleaned) and _short(cleaned) else about(value)


def about(value: float) -> str:
    """Write what is an estimate or a mean to six digits."""
    return _plain(Decimal(f"{value:.6g}")) if math.isfinite(value) else str(value)


def percent(share: float, places: int = 0, sign: str = "") -> str:
    """Write a share in per cent: `43 %`; with `sign` `+` what is above zero has one too."""
    return f"{100 * share:{sign}.{places}f} %"


def count(number: float, noun: str, many: str | None = None) -> str:
    """Write how many there are of something: `1 order`, `2 orders`.

    `many` is the plural where it takes more than an s.
    """
    return f"{quantity(number)} {noun if number == 1 else many or f'{noun}s'}"


def listed(names: Sequence[str]) -> str:
    """Write names as a list: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def be(number: int) -> str:
    """Return the verb of so many: `is` or `are`."""
    return "is" if number == 1 else "are"


def month(day: dt.date) -> str:
    """Write the first day of a period: its month, or the day where periods begin within a month."""
    return f"{day:%Y-%m}" if day.day == 1 else f"{day:%Y-%m-%d}"


def clean(value: float) -> float:
    """Return a figure without a solver's noise.

    It is a short one that is the same to nine digits, 500 for 499.9999999998; where there is none
    the figure to twelve digits, so that sums of such figures keep the limits that their parts keep.
    """
    if (
        not math.isfinite(value)
        or len(Decimal(repr(float(value))).normalize().as_tuple().digits) <= _TYPED
    ):
        return float(value)
    short = (float(f"{value:.{digits}g}") for digits in range(1, _SHORT + 1))
    return next(
        (each for each in short if abs(each - value) <= _SAME * abs(value)),
        float(f"{value:.{_TYPED}g}"),
    )


def lots(number: int, size: float) -> float:
    """Return so many whole lots, as a person would multiply what the cell of their size shows."""
    return float(number * _typed(size))


def snapped(
    value: float, least: Iterable[float | None] = (), most: Iterable[float | None] = ()
) -> float:
    """Return a figure without a solver's noise, within its limits.

    That leaves it neither below the figures it may not be below nor above those it may not be above
    (None: no such limit). What misses one by more than noise stays as it is.
    """
    found = clean(value)
    for limit, below, above in (
        *((each, NOISE, _SAME) for each in least),
        *((each, _SAME, NOISE) for each in most),
    ):
        if limit is not None and limit * (1 - below) <= found <= limit * (1 + above):
            return float(_typed(limit))
    return found


def _short(value: float) -> bool:
    return float(f"{value:.{_FEW}g}") == value


def _typed(value: float) -> Decimal:
    """Return a figure of a cell, with the digits that a spreadsheet keeps."""
    return Decimal(f"{value:.{_KEPT}g}")


def _plain(value: Decimal) -> str:
    written = f"{value:,f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return "0" if written == "-0" else written
