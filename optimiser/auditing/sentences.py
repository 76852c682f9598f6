"""The instructions of a plan.

An instruction names what its row holds, and gives no figure and no month that its row does not.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from optimiser.auditing.findings import RELATIVE
from optimiser.auditing.plan_sheets import Line
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedInstruction

EXACTLY = (
    "ordered",
    "quantity",
    "annual_quantity",
    "called_off",
    "least_per_period",
)  # quantities, which are to be done: they are given as exactly as they are audited
# by what part of it a sum may be rounded that is written to seven digits: 101.99999 as 102
MONEY = 5.01e-7
MONTH, NUMBER = (
    re.compile(r"\b\d{4}-\d\d(?:-\d\d)?\b"),
    re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"),
)


@dataclass(frozen=True)
class _Names:
    """Names that an instruction may hold: words, the longest first, figures and months.

    A level may be called 550, an offer 2027-03: such a name is one more figure or month that the
    instruction may give.
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


class _Written(NamedTuple):
    """A number as a text writes it, its value, and half of the last digit that it shows."""

    text: str
    value: float
    half: float

    @classmethod
    def read(cls, text: str) -> _Written:
        """Read a number."""
        shown = Decimal(text.replace(",", ""))
        return cls(text, float(shown), 0.5 * 10.0 ** int(shown.as_tuple().exponent))

    def shows(self, value: float) -> bool:
        """Return whether this is a value, to the last digit that is shown.

        A figure halfway between two of them may be shown as either.
        """
        noise = 4 * sys.float_info.epsilon * abs(value)
        return abs(self.value - abs(value)) <= self.half * (1 + 1e-6) + noise

    def gives(self, value: float, exactly: bool) -> bool:
        """Return whether this is a value, but for a solver's noise.

        Money may be given to seven digits, or to the last digit of two decimals or more.
        """
        near = abs(self.value - value) <= (RELATIVE if exactly else MONEY) * abs(value)
        return near or (not exactly and len(self.text.partition(".")[2]) > 1 and self.shows(value))


def sentences(together: Together) -> None:
    """Compare every instruction with its row."""
    settings = together.clock.settings
    indices = {
        index for rows in together.variants for row in rows.rows("prices") for index in row.values
    }
    known = _Names.of([settings.currency, settings.quantity_unit, *together.probability, *indices])
    for sheet, instruction in together.twins.instructions():
        for lines in _alike(instruction, together.sheets[sheet]):
            days = {day for line in lines for day in line.values() if isinstance(day, dt.date)}
            for line in lines:
                for fault in _wrong(line, known.and_of(_texts(line)), instruction, days):
                    together.record.refuse(
                        line.at("instruction"), f"{line.words('instruction')}: {fault}"
                    )
                together.record.figures += 1


def _alike(instruction: AuditedInstruction, lines: Iterable[Line]) -> list[list[Line]]:
    """Return the rows of each decision.

    A contract that delivers first at several dates names them all.
    """
    found: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        key = *(line[name] for name in instruction.names), line[instruction.dates[0]]
        found.setdefault(key, []).append(line)
    return [*found.values()]


def _texts(line: Line) -> Iterator[str]:
    yield from (
        value
        for name, value in line.items()
        if isinstance(value, str) and value and name != "instruction"
    )


def _wrong(
    line: Line, known: _Names, instruction: AuditedInstruction, days: set[dt.date]
) -> Iterator[str]:
    """Yield what an instruction says that its row does not, and what it leaves out."""
    text = str(line["instruction"] or "")
    decided = line.get("decision") not in ("do not sign", "no")
    names = (str(line[name]) for name in instruction.names if line[name] is not None)
    yield from (f"does not name {name}" for name in names if name not in text)
    for name in known.words:
        if name in text:
            text = _word(name).sub(" ", text)
    due = [f"{line[date]:%Y-%m}" for date in instruction.dates if line[date] is not None]
    yield from _wrong_months(MONTH.findall(text), known, days, due if decided else [])
    numbers = [_Written.read(each) for each in NUMBER.findall(MONTH.sub(" ", text))]
    yield from _wrong_figures(numbers, line, known)
    for name in instruction.figures:
        if (
            decided
            and line[name]
            and not any(number.gives(line[name], name in EXACTLY) for number in numbers)
        ):
            yield f"does not give its {name.replace('_', ' ')}, {line[name]:,.12g}"


def _wrong_months(
    months: list[str], known: _Names, days: set[dt.date], due: list[str]
) -> Iterator[str]:
    """Yield the months that an instruction says and its row does not hold, and those left out."""
    shown = [f"{day:%Y-%m-%d}" for day in days] + known.months
    yield from (
        f"says {month}, a date that its row does not hold"
        for month in months
        if not any(day.startswith(month) for day in shown)
    )
    yield from (
        f"does not say {month}"
        for month in due
        if not any(each.startswith(month) for each in months)
    )


def _wrong_figures(numbers: list[_Written], line: Line, known: _Names) -> Iterator[str]:
    """Yield the figures that an instruction says and its row does not hold."""
    held = [
        value
        for value in line.values()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    yield from (
        f"says {number.text}, a figure that its row does not hold"
        for number in numbers
        if not any(number.shows(each) for each in (*held, *known.figures))
    )


@functools.cache
def _word(name: str) -> re.Pattern[str]:
    """Return a pattern of a name that stands in a text as a word."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
