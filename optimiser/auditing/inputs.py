"""The input rows as an audit reads them: by table and column, in the period of their use."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from optimiser.auditing.clock import AuditClock
from stockpile_model.names import identity
from stockpile_model.schema import get, keys


class Rows:
    """All tables as they stand in a period. Rows are read by attribute; a `from` is `from_`."""

    def __init__(self, tables: Mapping[str, tuple[Any, ...]]) -> None:
        self.tables = tables
        self._keyed: dict[str, dict[str, Any]] = {}
        self._series: dict[str, tuple[list[dt.date], list[float]]] = {}
        self._floors = {(row.contract, row.level): row for row in self.rows("floors")}
        self.materials = self.keyed("materials")
        self.suppliers = self.keyed("suppliers")
        self.sites: Mapping[str, Any] = self.keyed("sites") or {"stockpile": _ONE_SITE}
        self.groups: dict[str, list[str]] = {}  # the materials of each group
        for name, row in self.materials.items():
            if row.group is not None:
                self.groups.setdefault(row.group, []).append(name)

    def rows(self, table: str) -> tuple[Any, ...]:
        """Return the rows of a table."""
        return self.tables.get(table, ())

    def keyed(self, table: str) -> dict[str, Any]:
        """Return the rows of a table by their key."""
        if table not in self._keyed:
            self._keyed[table] = {get(row, keys(type(row))[0]): row for row in self.rows(table)}
        return self._keyed[table]

    def members(self, name: str) -> list[str]:
        """Return the materials for which a name stands: its own, or all of a group."""
        return self.groups.get(name, [name])

    def least(self, name: str, column: str) -> float | None:
        """Return the least of a column over the materials for which a name stands.

        None: it is blank for all.
        """
        stated = [get(self.materials[each], column) for each in self.members(name)]
        return min((each for each in stated if each is not None), default=None)

    def floor(self, contract: str, level: str | None) -> Any:
        """Return a level of a contract; None where there is none."""
        return self._floors.get((contract, level))

    def price(self, index: str, day: dt.date) -> float:
        """Return an index on a day: linear between dates, flat outside them [money/quantity]."""
        if index not in self._series:
            points = sorted(
                (row.date, float(row.values[index]))
                for row in self.rows("prices")
                if index in row.values
            )
            self._series[index] = [date for date, _ in points], [value for _, value in points]
        dates, values = self._series[index]
        k = bisect.bisect_right(dates, day)
        if k == 0 or k == len(dates):
            return values[min(k, len(dates) - 1)]
        return (
            values[k - 1]
            + (values[k] - values[k - 1])
            * (day - dates[k - 1]).days
            / (dates[k] - dates[k - 1]).days
        )


class Inputs(AuditClock):
    """Time, the rows without any event, and on one path those of each period.

    Periods in which the same events hold share their rows.
    """

    def __init__(self, settings: Any, base: Rows, path: Sequence[Rows]) -> None:
        super().__init__(settings)
        self.base, self.path = base, path
        self._prices: dict[tuple[str, int], float] = {}
        self._lives: dict[tuple[str, int], int | None] = {}

    def at(self, t: int) -> Rows:
        """Return the rows as they stand in a period; outside the horizon as at its nearest end."""
        return self.path[t if 0 <= t < self.periods else 0 if t < 0 else -1]

    def rows(self, table: str) -> tuple[Any, ...]:
        """Return the rows of a table without any event: for names, and what no event changes."""
        return self.base.rows(table)

    def keyed(self, table: str) -> dict[str, Any]:
        """Return the rows of a table without any event, by their key."""
        return self.base.keyed(table)

    def earlier(self, kind: str, name: str | None = None) -> list[Any]:
        """Return the commitments of a kind that were decided before the start, also by name."""
        return [
            row
            for row in self.rows("commitments")
            if row.kind == kind
            and row.date is not None
            and row.date < self.start
            and (name is None or identity(row.name) == identity(name))
        ]

    def out(self, column: str, table: str, lasts: str) -> Iterator[tuple[int, Any, Any]]:
        """Yield what left before the start and is not back: the period of its arrival, the lot, and
        the row of a table by which it is out, whose column says how long that lasts.
        """
        for lot in self.at(0).rows("opening_stock"):
            if getattr(lot, column) is not None:
                by = self.keyed(table)[getattr(lot, column)]
                yield self.period(lot.left) + self.whole(getattr(by, lasts)), lot, by

    def moving(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield the lots that are under way to another site at the start."""
        return self.out("moved_by", "moves", "lead_time_months")

    def testing(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield the lots that are out for a test at the start."""
        return self.out("tested_by", "outlets", "lead_time_months")

    # What rows say

    def price(self, index: str, t: int) -> float:
        """Return an index on the first day of a period [money/quantity]."""
        if (index, t) not in self._prices:
            self._prices[index, t] = self.at(t).price(index, self.begin(t))
        return self._prices[index, t]

    def life(self, material: str, t: int) -> int | None:
        """Return the shelf life in a period [periods]; None = unlimited."""
        if (material, t) not in self._lives:
            months = self.at(t).materials[material].shelf_life_months
            self._lives[material, t] = None if months is None else self.whole(months)
        return self._lives[material, t]

    def counts(self, material: str, age: int, t: int) -> bool:
        """Return whether stock at the end of a period counts towards a target.

        Some life is left, and at least count_life_months.
        """
        life = self.life(material, t)
        left = 1 if life is None else life - 1 - age
        return life is None or (
            left > 0
            and left * self.months >= self.at(t).materials[material].count_life_months - 1e-9
        )

    def staged(self, supplier: str) -> bool:
        """Return whether a supplier is at a stage that the settings count."""
        stages = self.settings.supply_stages
        return not stages or self.base.suppliers[supplier].stage in stages

    def ships(self, supplier: str, t: int) -> bool:
        """Return whether a supplier ships in a period, by what is known of it then."""
        start = self.at(t).suppliers[supplier].start
        return start is None or self.period(start) <= t

    def serves(self, site: str, buyer: str | None) -> bool:
        """Return whether a site's stock serves a buyer: its own sites do, and those of nobody.

        All sites do where no buyer is named.
        """
        return not buyer or self.base.sites[site].buyer in (None, buyer)


_ONE_SITE = SimpleNamespace(
    site="stockpile", buyer=None, capacity=None, cost=0.0, handling_in=0.0, handling_out=0.0
)
