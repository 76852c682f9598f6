"""What a plan says in words: an instruction names what its row holds, and gives no figure and no
month that its row does not.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimiser.auditing.findings import EXACT
from optimiser.auditing.sheets import Line
from optimiser.auditing.together import Together

SAID = {  # what an instruction must name and give, where its row holds it
    "orders": (("offer", "supplier", "material"), ("ordered", "paid"), ("date", "arrives")),
    "contracts": (
        ("contract", "supplier", "level"),
        ("floor", "annual_quantity"),
        ("signed", "first_delivery"),
    ),
    "projects": (("project",), ("grant",), ("decided", "ready")),
    "rotation": (("lot", "material", "site", "outlet"), ("quantity",), ("date", "returns")),
}
EXACTLY = (
    "ordered",
    "quantity",
    "annual_quantity",
)  # every digit of a quantity, for it is to be done
# by what part of it a sum may be rounded that is written to nine digits: 101.9999995 as 102
MONEY = 5.01e-9
MONTH, NUMBER = (
    re.compile(r"\b\d{4}-\d\d(?:-\d\d)?\b"),
    re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"),
)


@dataclass(frozen=True)
class _Names:
    """Names that an instruction may hold: words, the longest first; and those that look like a
    figure or a month. A level may be called 550, an offer 2027-03: such a name stays, and is one
    more figure or month that may be said.
    """

    words: list[str]
    figures: list[float]
    months: list[str]

    @classmethod
    def of(cls, names: Iterable[str]) -> _Names:
        """Sort names by what they look like."""
        found = cls([], [], [])
        for name in set(names):
            if NUMBER.fullmatch(name):
                found.figures.append(float(name.replace(",", "")))
            elif MONTH.fullmatch(name):
                found.months.append(name)
            else:
                found.words.append(name)
        found.words.sort(key=len, reverse=True)
        return found

    def and_of(self, names: Iterable[str]) -> _Names:
        """Return these names and others."""
        more = _Names.of(names)
        words = sorted(self.words + more.words, key=len, reverse=True)
        return _Names(words, self.figures + more.figures, self.months + more.months)


def sentences(together: Together) -> None:
    """Every instruction is that of its row."""
    settings = together.clock.settings
    indices = {
        index for rows in together.variants for row in rows.rows("prices") for index in row.values
    }
    known = _Names.of([settings.currency, settings.quantity_unit, *together.probability, *indices])
    for sheet, (names, figures, dates) in SAID.items():
        alike: dict[
            tuple[Any, ...], list[Line]
        ] = {}  # a contract that delivers first at several dates says them all
        for line in together.sheets[sheet]:
            alike.setdefault((*(line[name] for name in names), line[dates[0]]), []).append(line)
        for lines in alike.values():
            days = {day for line in lines for day in line.values() if isinstance(day, dt.date)}
            for line in lines:
                for said in _wrong(line, known.and_of(_texts(line)), names, figures, dates, days):
                    together.record.refuse(
                        line.at("instruction"), f"{line.told('instruction')}: {said}"
                    )
                together.record.figures += 1


def _texts(line: Line) -> Iterator[str]:
    yield from (
        value
        for name, value in line.items()
        if isinstance(value, str) and value and name != "instruction"
    )


def _wrong(
    line: Line,
    known: _Names,
    names: Iterable[str],
    figures: Iterable[str],
    dates: Iterable[str],
    days: set[dt.date],
) -> Iterator[str]:
    """What an instruction says that its row does not, and what it leaves out."""
    told = str(line["instruction"] or "")
    decided = line.get("decision") not in ("do not sign", "no")
    yield from (
        f"does not name {line[name]}"
        for name in names
        if decided and line[name] is not None and str(line[name]) not in told
    )
    for name in known.words:
        if name in told:
            told = _word(name).sub(" ", told)
    months = MONTH.findall(told)
    shown = [f"{day:%Y-%m-%d}" for day in days] + known.months
    yield from (
        f"says {month}, a date that its row does not hold"
        for month in months
        if not any(day.startswith(month) for day in shown)
    )
    due = [f"{line[date]:%Y-%m}" for date in dates if decided and line[date] is not None]
    yield from (
        f"does not say {month}"
        for month in due
        if not any(each.startswith(month) for each in months)
    )
    numbers = NUMBER.findall(MONTH.sub(" ", told))
    held = [
        value
        for value in line.values()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    strange = (
        number
        for number in numbers
        if not any(_shows(number, each) for each in (*held, *known.figures))
    )
    yield from (f"says {number}, a figure that its row does not hold" for number in strange)
    for name in figures:
        if (
            decided
            and line[name]
            and not any(_gives(number, line[name], name in EXACTLY) for number in numbers)
        ):
            yield f"does not give its {name.replace('_', ' ')}, {line[name]:,.12g}"


@functools.cache
def _word(name: str) -> re.Pattern[str]:
    """A pattern of a name that stands in a text as a word."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _gives(number: str, value: float, exactly: bool) -> bool:
    """Whether a number in a text is a value, but for a solver's noise; of money to nine digits, or
    to the last digit of two decimals or more.
    """
    near = abs(float(number.replace(",", "")) - value) <= (2 * EXACT if exactly else MONEY) * abs(
        value
    )
    return near or (not exactly and len(number.partition(".")[2]) > 1 and _shows(number, value))


def _shows(number: str, value: float) -> bool:
    """Whether a number in a text is a value, to the last digit that the text shows."""
    shown = Decimal(number.replace(",", ""))
    return abs(float(shown) - abs(value)) <= 0.5 * 10.0 ** int(shown.as_tuple().exponent) * (
        1 + 1e-6
    )
