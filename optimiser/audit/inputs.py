"""The input rows as an audit reads them: by table and column name, with its own arithmetic of time, prices and life."""

from __future__ import annotations

import bisect
import calendar
import datetime as dt
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from stockpile_model.data import Stockpile, get, keys


class Inputs:
    """All tables of a stockpile. Rows are read by attribute; a `from` is `from_`."""

    def __init__(self, stockpile: Stockpile) -> None:
        self.settings = stockpile.settings
        self.start: dt.date = self.settings.start
        self.months: int = self.settings.period_months
        self.periods: int = self.settings.periods
        self.tables: dict[str, tuple[Any, ...]] = {kind.TABLE: rows for kind, rows in stockpile.tables.items()}
        self.begins = [self.begin(t) for t in range(self.periods + 1)]
        self._keyed: dict[str, dict[str, Any]] = {}
        self.materials = self.keyed("materials")
        self.suppliers = self.keyed("suppliers")
        self.sites: Mapping[str, Any] = self.keyed("sites") or {"stockpile": _ONE_SITE}
        self._period: dict[dt.date, int] = {}
        self._prices: dict[tuple[str, int], float] = {}
        self._series: dict[str, tuple[list[dt.date], list[float]]] = {}

    def rows(self, table: str) -> tuple[Any, ...]:
        return self.tables.get(table, ())

    def keyed(self, table: str) -> dict[str, Any]:
        """The rows of a table by their key."""
        if table not in self._keyed:
            self._keyed[table] = {get(row, keys(type(row))[0]): row for row in self.rows(table)}
        return self._keyed[table]

    # Time

    def begin(self, t: int) -> dt.date:
        """First day of a period; of a month without that day its last."""
        year, month = divmod(self.start.year * 12 + self.start.month - 1 + t * self.months, 12)
        return dt.date(year, month + 1, min(self.start.day, calendar.monthrange(year, month + 1)[1]))

    def period(self, day: dt.date) -> int:
        """The period that contains a date; negative before the horizon."""
        found = self._period.get(day)
        if found is None:
            t = ((day.year - self.start.year) * 12 + day.month - self.start.month) // self.months
            found = self._period[day] = t if self.begin(t) <= day else t - 1
        return found

    def spans(self, first: dt.date | None, last: dt.date | None) -> range:
        """The periods of the horizon from one date to another; a blank is no limit."""
        low = 0 if first is None else max(0, self.period(first))
        high = self.periods - 1 if last is None else min(self.periods - 1, self.period(last))
        return range(low, high + 1)

    def whole(self, months: float) -> int:
        """A duration in periods; reading has refused any that is not whole."""
        return round(months / self.months)

    def firm(self, t: int) -> bool:
        """Whether orders of a period are whole: placed or not, in whole lots, at the price of their quantity."""
        return self.settings.firm_periods is None or t < self.settings.firm_periods

    def fiscal_year(self, t: int) -> int:
        """The fiscal year of a period's first day, named by the calendar year in which it ends."""
        first, day = self.settings.fiscal_year_start, self.begins[t]
        return day.year + 1 if 1 < first <= day.month else day.year

    def factor(self, t: int) -> float:
        """What money at the start of a period is worth at the start of the horizon [1]."""
        return float((1 + self.settings.discount_rate) ** (-t * self.months / 12))

    # What rows say

    def price(self, index: str, t: int) -> float:
        """An index on the first day of a period: linear between dates, flat outside them [money/quantity]."""
        if (index, t) not in self._prices:
            self._prices[index, t] = self._price(index, self.begin(t))
        return self._prices[index, t]

    def _price(self, index: str, day: dt.date) -> float:
        if index not in self._series:
            points = sorted((row.date, float(row.values[index])) for row in self.rows("prices") if index in row.values)
            self._series[index] = [date for date, _ in points], [value for _, value in points]
        dates, values = self._series[index]
        k = bisect.bisect_right(dates, day)
        if k == 0 or k == len(dates):
            return values[min(k, len(dates) - 1)]
        return values[k - 1] + (values[k] - values[k - 1]) * (day - dates[k - 1]).days / (dates[k] - dates[k - 1]).days

    def life(self, material: str) -> int | None:
        """Shelf life [periods]; None = unlimited."""
        months = self.materials[material].shelf_life_months
        return None if months is None else self.whole(months)

    def counts(self, material: str, age: int) -> bool:
        """Whether stock at period end counts towards a target: some life left, and at least count_life_months."""
        life = self.life(material)
        left = 1 if life is None else life - 1 - age
        return life is None or (left > 0 and left * self.months >= self.materials[material].count_life_months - 1e-9)

    def staged(self, supplier: str) -> bool:
        """Whether a supplier is at a stage that the settings count."""
        stages = self.settings.supply_stages
        return not stages or self.suppliers[supplier].stage in stages

    def ships(self, supplier: str) -> int:
        """The first period in which a supplier can ship."""
        start = self.suppliers[supplier].start
        return 0 if start is None else max(0, self.period(start))

    def serves(self, site: str, buyer: str | None) -> bool:
        """Whether a site's stock serves a buyer: its own and nobody's sites do; all of them where no buyer is named."""
        return not buyer or self.sites[site].buyer in (None, buyer)


_ONE_SITE = SimpleNamespace(site="stockpile", buyer=None, capacity=None, cost=0.0, handling_in=0.0, handling_out=0.0)
