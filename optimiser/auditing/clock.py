"""Time, with arithmetic of its own: periods, dates, fiscal years and discounting."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any


def later(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month, some months later; of a month without that day its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class AuditClock:
    """The periods of the horizon, as the audit computes them from the settings."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.start: dt.date = settings.start
        self.months: int = settings.period_months
        self.periods: int = settings.periods
        self.begins = [self.begin(t) for t in range(self.periods + 1)]
        self._period: dict[dt.date, int] = {}

    def begin(self, t: int) -> dt.date:
        """Return the first day of a period."""
        return later(self.start, t * self.months)

    def period(self, day: dt.date) -> int:
        """Return the period that contains a date; negative before the horizon."""
        found = self._period.get(day)
        if found is None:
            t = ((day.year - self.start.year) * 12 + day.month - self.start.month) // self.months
            found = self._period[day] = t if self.begin(t) <= day else t - 1
        return found

    def spans(self, first: dt.date | None, last: dt.date | None) -> range:
        """Return the periods of the horizon from one date to another; a blank is no limit."""
        low = 0 if first is None else max(0, self.period(first))
        high = self.periods - 1 if last is None else min(self.periods - 1, self.period(last))
        return range(low, high + 1)

    def whole(self, months: float) -> int:
        """Return a duration in periods; reading has refused any that is not whole."""
        return round(months / self.months)

    def firm(self, t: int) -> bool:
        """Return whether orders of a period are whole.

        They are placed or not, in whole lots, at the price of their quantity.
        """
        return self.settings.firm_periods is None or t < self.settings.firm_periods

    def fiscal_year(self, t: int) -> int:
        """Return the fiscal year of a period's first day.

        It is named by the calendar year in which it ends.
        """
        first, day = self.settings.fiscal_year_start, self.begin(t)
        return day.year + 1 if 1 < first <= day.month else day.year

    def factor(self, t: int) -> float:
        """Return what money at the start of a period is worth at the start of the horizon [1]."""
        return float((1 + self.settings.discount_rate) ** (-t * self.months / 12))
