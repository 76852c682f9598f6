"""Shocks: what befalls a plan, as rows of the workbook's own tables `scenarios` and `events`.

So a shock means what the same rows would mean in a workbook, and its plan can be audited.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stockpile_model.changes import Change
from stockpile_model.names import identity
from stockpile_model.scenarios import Event, Scenario, base_probability, parent, revealed
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import BASE
from stockpile_model.values import text

NAME = "stress"


@dataclass(frozen=True)
class Shock:
    """Changes of cells from a date on; none: all goes as the workbook says.

    In the base path alone, or with `everywhere` in each scenario on top of what happens there.
    """

    since: dt.date
    changes: tuple[Change, ...] = ()
    everywhere: bool = False

    @property
    def key(self) -> list[object]:
        """Return what distinguishes it from others."""
        return [self.since.isoformat(), [str(each) for each in self.changes], self.everywhere]


def struck(stockpile: Stockpile, shock: Shock) -> Stockpile:
    """Return the stockpile with a shock: a scenario that takes the place of the base.

    Scenarios that become known after it follow it; those known before have its events too.
    """
    if not shock.everywhere:
        base = Scenario(scenario=NAME, probability=1.0, revealed=shock.since)
        return _with(stockpile, (base,), tuple(_events(shock, NAME)))
    rows = stockpile.rows(Scenario)
    name = _unused({identity(row.scenario) for row in rows})
    instead = Scenario(scenario=name, probability=base_probability(stockpile), revealed=shock.since)
    begins = max(0, stockpile.calendar.period(shock.since))
    scenarios, events = [instead], [*stockpile.rows(Event), *_events(shock, name)]
    for row in rows:
        if parent(row) != identity(BASE):
            scenarios.append(row)
        elif revealed(stockpile, row) >= begins:
            scenarios.append(replace(row, follows=name, revealed=_day(stockpile, row)))
        else:
            scenarios.append(replace(row, revealed=_day(stockpile, row)))
            events += _events(shock, row.scenario)
    return _with(stockpile, tuple(scenarios), tuple(events))


def _day(stockpile: Stockpile, row: Scenario) -> dt.date:
    """Return the date on which a scenario becomes known, which may follow from its events."""
    return row.revealed or stockpile.calendar.begin(revealed(stockpile, row))


def _unused(taken: set[str]) -> str:
    """Return a name that no scenario has."""
    return next(name for k in range(len(taken) + 1) if (name := f"{NAME}{k or ''}") not in taken)


def _events(shock: Shock, scenario: str) -> Iterator[Event]:
    """Yield the rows of a shock in a scenario."""
    for each in shock.changes:
        yield Event(
            scenario=scenario,
            table=each.table,
            row=each.row,
            column=each.column,
            from_=shock.since,
            how=each.how,
            value=text(each.value),
        )


def _with(
    stockpile: Stockpile, scenarios: tuple[Scenario, ...], events: tuple[Event, ...]
) -> Stockpile:
    tables = {**stockpile.tables, Scenario: scenarios, Event: events}
    return replace(stockpile, tables=tables, classes=None)
