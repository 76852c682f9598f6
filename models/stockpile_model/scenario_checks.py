"""What may be wrong with scenarios and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stockpile_model import changes
from stockpile_model.block import tables
from stockpile_model.calendar import overlap
from stockpile_model.names import identity
from stockpile_model.scenarios import (
    MOST_FOLLOWED,
    MOST_NODES,
    Event,
    Scenario,
    change,
    known,
    lineage,
    parent,
    revealed,
)
from stockpile_model.schema import Problem, Row, columns, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL, BASE
from stockpile_model.values import normal

Rows = Mapping[str, Scenario]
"""The named scenarios by their folded names."""


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with scenarios and events.

    The rows at a node are not checked: their events are made, and would be made a second time.
    """
    if stockpile.shape is not None and not stockpile.views:
        return
    rows = known(stockpile)
    yield from _check_size(stockpile, rows)
    yield from _check_scenarios(stockpile, rows)
    yield from _check_probabilities(stockpile, rows)
    for event in stockpile.rows(Event):
        yield from _check_event(stockpile, event, rows)


def _check_size(stockpile: Stockpile, rows: Rows) -> Iterator[Problem]:
    periods = stockpile.settings.periods
    if len(rows) * periods > MOST_NODES:
        last = stockpile.rows(Scenario)[-1]
        size = f"{len(rows):,} scenarios of {periods:,} periods each"
        message = f"{size} are more than {MOST_NODES:,} nodes: leave some out"
        yield Problem(last.TABLE, last.line, "scenario", message)


def _check_scenarios(stockpile: Stockpile, rows: Rows) -> Iterator[Problem]:
    """Yield what is wrong with each scenario; of those that follow too many the first alone."""
    deep = False
    for row in stockpile.rows(Scenario):
        too_deep = False
        if reserved := _reserved(row):
            yield Problem(row.TABLE, row.line, "scenario", reserved)
        elif unfollowable := _unfollowable(row, rows):
            yield Problem(row.TABLE, row.line, "follows", unfollowable)
        elif too_deep := len(lineage(stockpile, row.scenario)) > MOST_FOLLOWED:
            if not deep:
                message = f"{row.scenario!r} follows more than {MOST_FOLLOWED} scenarios"
                message += ", one after the other; let it follow an earlier one"
                yield Problem(row.TABLE, row.line, "follows", message)
        else:
            yield from _check_past(stockpile, row, rows)
        deep |= too_deep
        day = row.revealed
        if day is not None and stockpile.calendar.period(day) >= stockpile.settings.periods:
            message = f"{row.scenario} is known after the horizon: it is the one it follows"
            yield Problem(row.TABLE, row.line, "revealed", message, warning=True)


def _reserved(row: Scenario) -> str:
    """Return why a scenario needs another name; blank where it needs none."""
    name = identity(row.scenario)
    if name == BASE:
        return (
            f"{BASE!r} is the scenario without events: it has what the others leave; "
            "name it otherwise"
        )
    reason = ""
    if name == ALL:
        reason = f"{ALL!r} stands for all scenarios"
    elif "," in name:
        reason = "a plan lists scenarios with commas between them"
    return f"{reason}: name it otherwise, found {row.scenario!r}" if reason else ""


def _unfollowable(row: Scenario, rows: Rows) -> str:
    """Return why a scenario cannot follow the one it names; blank where it can."""
    of = parent(row)
    if of != BASE and of not in rows:
        hint = nearest(str(row.follows), [each.scenario for each in rows.values()])
        return f"{row.follows!r} has no row in the sheet scenarios{hint}"
    if of == identity(row.scenario):
        return f"must not be the scenario itself, found {row.follows!r}"
    return ""


def _check_past(stockpile: Stockpile, row: Scenario, rows: Rows) -> Iterator[Problem]:
    """Yield a problem where scenarios follow each other in a circle, or one is known too early."""
    past, of = lineage(stockpile, row.scenario), parent(row)
    if BASE not in past:
        circle = " follows ".join(rows[each].scenario for each in past)
        message = f"the scenarios follow each other in a circle: {circle}"
        yield Problem(row.TABLE, row.line, "follows", message)
    elif of != BASE and revealed(stockpile, row) < revealed(stockpile, rows[of]):
        first = stockpile.calendar.begin(revealed(stockpile, rows[of]))
        followed = f"{rows[of].scenario}, which it follows, is known ({first:%Y-%m-%d})"
        yield Problem(row.TABLE, row.line, "revealed", f"must not be before {followed}")


def _check_probabilities(stockpile: Stockpile, rows: Rows) -> Iterator[Problem]:
    """Yield a problem where probabilities sum to more than 1, unless one alone is above it."""
    given = stockpile.rows(Scenario)
    total = sum(row.probability for row in given)
    if total > 1 + 1e-9 and all(row.probability <= 1 for row in rows.values()):
        message = f"the probabilities sum to {total:.12g}: they must be 1 at most"
        message += ", the base has the rest"
        yield Problem(given[-1].TABLE, given[-1].line, "probability", message)


def _check_event(stockpile: Stockpile, event: Event, rows: Rows) -> Iterator[Problem]:
    if identity(event.scenario) not in rows:
        hint = nearest(event.scenario, [each.scenario for each in rows.values()])
        message = f"{event.scenario!r} has no row in the sheet scenarios{hint}"
        yield Problem(event.TABLE, event.line, "scenario", message)
    twisted = event.from_ is not None and event.to is not None and event.to < event.from_
    if twisted:
        message = f"must not be before from ({event.from_}), found {event.to}"
        yield Problem(event.TABLE, event.line, "to", message)
    elif not overlap(stockpile.calendar, event.from_, event.to):
        message = "no period of the horizon is covered: the event changes nothing"
        yield Problem(event.TABLE, event.line, "from", message, warning=True)
    if fault := _unchangeable(stockpile, event) or _unfed(stockpile, event):
        yield fault
        return
    if nothing := changes.empty(stockpile, change(event)):
        message = f"{nothing}: the event changes nothing"
        yield Problem(event.TABLE, event.line, "row", message, warning=True)
        return
    try:
        changes.apply(stockpile, change(event))
    except changes.UnknownError as reason:
        yield Problem(event.TABLE, event.line, reason.part, str(reason))
    except ValueError as reason:
        yield Problem(event.TABLE, event.line, "value", f"cannot be: {reason}")


def _kind(stockpile: Stockpile, event: Event) -> type[Row] | None:
    """Return the table that an event changes; None where there is none."""
    kinds = dict.fromkeys((*tables(), *stockpile.tables))
    return next((each for each in kinds if normal(event.table) == each.TABLE), None)


def _unfed(stockpile: Stockpile, event: Event) -> Problem | None:
    """Return why feedstock cannot weigh what an event does; None where it can or need not."""
    kind = _kind(stockpile, event)
    if not event.feedstock or kind is None:
        return None
    if event.how != "scale":
        message = f"is for events that scale: it needs how scale, found {event.how}"
        return Problem(event.TABLE, event.line, "feedstock", message)
    fed = [each.name for each in columns(kind) if each.fed]
    if normal(event.column) in fed:
        return None
    known = f"scale {' or '.join(fed)}" if fed else f"no column of {kind.TABLE} is so"
    message = f"is for what a supplier can bring: {known}, found {event.column}"
    return Problem(event.TABLE, event.line, "feedstock", message)


def _unchangeable(stockpile: Stockpile, event: Event) -> Problem | None:
    """Return why no scenario can change a cell; None where one can, or there is no such cell."""
    kind = _kind(stockpile, event)
    if kind is None:
        return None
    if kind.CERTAIN:
        return Problem(event.TABLE, event.line, "table", f"no scenario can change {event.table}")
    cell = next((each for each in columns(kind) if each.name == normal(event.column)), None)
    if cell is None or cell.key:
        return None
    changes = not cell.many and cell.kind in ("number", "whole", "date")
    if cell.certain or not changes:
        message = f"no scenario can change {event.table}.{cell.name}"
        message += "" if cell.certain else ": an event changes numbers and dates"
        return Problem(event.TABLE, event.line, "column", message)
    return None
