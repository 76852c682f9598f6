"""Time: the periods of the horizon."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month, `months` later.

    Where that month has no such day, it is its last.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            if last <= 28:
                raise
    raise AssertionError("every month has 28 days")


@dataclass(frozen=True)
class Calendar:
    """Periods of `months` months from `start`. A period runs from its first day to its last."""

    start: dt.date
    periods: int
    months: int
    fiscal_year_start: int

    def begin(self, period: int) -> dt.date:
        """Return the first day of a period.

        The period after the last one begins the day after the horizon.
        """
        if (found := self._begins.get(period)) is None:
            found = self._begins[period] = add_months(self.start, period * self.months)
        return found

    @functools.cached_property
    def _begins(self) -> dict[int, dt.date]:
        return {}

    def end(self, period: int) -> dt.date:
        """Return the last day of a period."""
        return self.begin(period + 1) - dt.timedelta(days=1)

    def period(self, day: dt.date) -> int:
        """Return the period that contains a date.

        It is negative before the horizon, `periods` or more after it.
        """
        guess = ((day.year - self.start.year) * 12 + day.month - self.start.month) // self.months
        while self.begin(guess) > day:
            guess -= 1
        while self.begin(guess + 1) <= day:
            guess += 1
        return guess

    def whole(self, months: float) -> int | None:
        """Return a duration in periods, or None where it is no whole number of them."""
        count = months / self.months
        return round(count) if abs(count - round(count)) < 1e-9 else None

    def count(self, months: float) -> int:
        """Return a duration in periods; the check has refused any that is not whole."""
        whole = self.whole(months)
        if whole is None:
            raise ValueError(
                f"{months} months are no whole number of periods of {self.months} months"
            )
        return whole

    def years(self, period: int) -> float:
        """Return the time from the start of the horizon to the start of a period [years]."""
        return period * self.months / 12

    def fiscal_year(self, period: int) -> int:
        """Return the fiscal year that contains the first day of a period.

        Its name is the calendar year in which it ends.
        """
        if (found := self._fiscal_years.get(period)) is None:
            day = self.begin(period)
            found = self._fiscal_years[period] = day.year + (
                1 if 1 < self.fiscal_year_start <= day.month else 0
            )
        return found

    def fiscal_year_begin(self, period: int) -> dt.date:
        """Return the first day of the fiscal year that contains the first day of a period."""
        month = self.fiscal_year_start
        return dt.date(self.fiscal_year(period) - (1 if month > 1 else 0), month, 1)

    @functools.cached_property
    def _fiscal_years(self) -> dict[int, int]:
        return {}


def overlap(calendar: Calendar, begin: dt.date | None, end: dt.date | None) -> range:
    """Return the periods of the horizon from one date to another; a blank date is no limit."""
    first = 0 if begin is None else max(0, calendar.period(begin))
    last = calendar.periods - 1 if end is None else min(calendar.periods - 1, calendar.period(end))
    return range(first, last + 1)
