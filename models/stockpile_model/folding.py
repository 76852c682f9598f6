"""Folding: what a scenario that has come changed becomes plain values of the rows.

When the first periods are over it is known which scenarios have come and which have not. What came
is a fact from then on: its events are made on the rows of the next workbook, and it is the base.
What did not come vanishes, and its probability is shared out. A change that holds in some of the
periods to come, and that no row can say, stays an event of a scenario that is certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stockpile_model import changes
from stockpile_model.block import blocks
from stockpile_model.calendar import overlap
from stockpile_model.names import identity
from stockpile_model.passed import Passed
from stockpile_model.scenarios import (
    Event,
    Scenario,
    active_events,
    base_probability,
    change,
    known,
    lineage,
    revealed,
)
from stockpile_model.schema import Row, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import normal


def fold(passed: Passed) -> Passed:
    """Return what has passed, with the rows as what has come leaves them.

    The plan of the next workbook costs the same as if the events had stayed.
    """
    stockpile = passed.stockpile
    if not stockpile.rows(Scenario):
        return passed
    story = story_of(stockpile, passed.scenario, passed.gone)
    fit = [name for name in known(stockpile) if story_of(stockpile, name, passed.gone) == story]
    others = [name for name in fit if name not in story]
    open_events = [
        row
        for row in stockpile.rows(Event)
        if identity(row.scenario) in others and not passed.over(row.to)
    ]
    tables = dict(stockpile.tables)
    stay = _fold_story(passed, story, open_events, tables)
    tables[Event] = (*stay, *open_events)
    tables[Scenario] = tuple(_scenarios(passed, story, fit, certain=bool(stay)))
    return replace(passed, left=replace(stockpile, tables=tables, shape=None, views=()))


def story_of(stockpile: Stockpile, name: str, periods: int) -> tuple[str, ...]:
    """Return the scenarios that are known of one in the first periods, folded, itself first."""
    rows = known(stockpile)
    line = (each for each in lineage(stockpile, name) if each in rows)
    return tuple(each for each in line if revealed(stockpile, rows[each]) < periods)


def realised(passed: Passed) -> str | None:
    """Return the last scenario that has come, in this plan or before it; None: the base goes on."""
    stockpile = passed.stockpile
    rows = stockpile.rows(Scenario)
    story = story_of(stockpile, passed.scenario, passed.gone) if rows else ()
    came = known(stockpile)[story[0]].scenario if story else None
    return came or stockpile.settings.realised_scenario


def _scenarios(
    passed: Passed, story: Sequence[str], fit: Sequence[str], certain: bool
) -> list[Scenario]:
    """Return the scenarios that may still come, with what is known now of their probability.

    `certain`: what has come still has events; then it is a scenario too, which all others follow.
    """
    stockpile, rows = passed.stockpile, known(passed.stockpile)
    total = sum(rows[name].probability for name in fit)
    total += 0.0 if story else base_probability(stockpile)
    kept = [story[0]] if certain else []
    found = []
    for name, row in rows.items():
        if name not in kept and (name in story or name not in fit):
            continue
        follows: str | None = row.follows
        if name in kept:
            follows = None
        elif follows is not None and identity(follows) in story:
            follows = rows[story[0]].scenario if certain else None
        period = revealed(stockpile, row)
        day = stockpile.calendar.begin(period) if period >= passed.gone else passed.start
        chance = row.probability / total
        found.append(replace(row, probability=chance, follows=follows, revealed=day))
    return found


def _fold_story(
    passed: Passed,
    story: Sequence[str],
    others: Sequence[Event],
    tables: dict[type[Row], tuple[Row, ...]],
) -> list[Event]:
    """Make what has come on the rows of tables; return the events that no row can say.

    `others`: the events of what may still come. Events are made in their order; one that could
    touch the cells of an earlier one that stays must stay too.
    """
    stockpile = passed.stockpile
    to_come = range(passed.gone, passed.calendar.periods)
    spans: list[tuple[Event, range]] = []
    for name in reversed(story):
        for row in stockpile.rows(Event):
            if identity(row.scenario) == name:
                span = overlap(stockpile.calendar, row.from_, row.to)
                spans.append((row, range(max(span.start, passed.gone), span.stop)))
    spans = [(row, span) for row, span in spans if len(span)]
    dated = (
        {} if all(span == to_come for _, span in spans) else _dated(passed, story[0], spans, others)
    )
    stay: list[Event] = []
    whole = stockpile
    for row, span in spans:
        if _kind(stockpile, row) in dated:
            _note(passed, row, span)
        elif span == to_come and not any(_touch(row, each) for each in stay):
            if not changes.empty(whole, change(row)):
                whole = changes.apply(whole, change(row))
            _note(passed, row, span)
        else:
            scenario = known(stockpile)[story[0]].scenario
            stay.append(replace(row, scenario=scenario))
            passed.folded.append(
                f"{change(row)} has come with {row.scenario} and stays an event "
                f"{_when(passed, span)}: a row cannot say that it holds for a time"
            )
    for kind, rows in whole.tables.items():
        before = stockpile.rows(kind)
        tables[kind] = tuple(_ranged(a, b) for a, b in zip(before, rows, strict=True))
    tables.update(dated)
    return stay


def _kind(stockpile: Stockpile, event: Event) -> type[Row] | None:
    """Return the table that an event changes."""
    return next((kind for kind in stockpile.tables if normal(event.table) == kind.TABLE), None)


def _dated(
    passed: Passed, story: str, spans: Sequence[tuple[Event, range]], others: Sequence[Event]
) -> Mapping[type[Row], tuple[Row, ...]]:
    """Return the tables that say by their dates what has come and holds for a time only."""
    stockpile, periods = passed.stockpile, range(passed.gone, passed.calendar.periods)
    partly = {_kind(stockpile, row) for row, span in spans if span != periods}
    barred = {_kind(stockpile, row) for row in others if _bars(stockpile, row)}
    views = _views(passed, story)
    return {
        kind: tuple(rows)
        for block in blocks()
        for kind, rows in block.dated(passed, views)
        if kind in partly - barred
    }


def _bars(stockpile: Stockpile, event: Event) -> bool:
    """Return whether an event forbids to write the rows of its table anew.

    It names one row of the sheet, which may be another one afterwards, or it moves a date.
    """
    kind = _kind(stockpile, event)
    if kind is None:
        return False
    dates = {each.name for each in columns(kind) if each.kind == "date"}
    if normal(event.column) in dates:
        return True
    if event.row is None or event.row.strip() in ("", "*"):
        return False
    return bool(keys(kind)) or identity(event.row).startswith("row ")


def _views(passed: Passed, story: str) -> list[Stockpile]:
    """Return the rows in each period, as what has come leaves them."""
    stockpile = passed.stockpile
    made: dict[tuple[int, ...], Stockpile] = {}
    found = []
    for period in range(passed.calendar.periods):
        active = tuple(active_events(stockpile, story, period))
        key = tuple(id(event) for event in active)
        if key not in made:
            view = replace(stockpile, views=(), shape=None)
            for event in active:
                if not changes.empty(view, change(event)):
                    view = changes.apply(view, change(event))
            made[key] = view
        found.append(made[key])
    return found


def _touch(event: Event, other: Event) -> bool:
    """Return whether two events may change the same cell."""
    one, two = normal(event.column), normal(other.column)
    return normal(event.table) == normal(other.table) and (one == two or "*" in (one, two))


def _note(passed: Passed, event: Event, span: range) -> None:
    when = (
        ""
        if span.stop == passed.calendar.periods and span.start == passed.gone
        else (f" {_when(passed, span)}")
    )
    passed.folded.append(f"{change(event)}{when} has come with {event.scenario}: it is in the rows")


def _when(passed: Passed, span: range) -> str:
    """Return when an event holds, in words."""
    calendar = passed.calendar
    return f"from {calendar.begin(span.start)} to {calendar.end(span.stop - 1)}"


def _ranged(before: Row, now: Row) -> Row:
    """Return a row with the ranges of its cells moved by the factor by which the cells were.

    A range that is none any more is left out.
    """
    if before is now or not now.ranges:
        return now
    ranges = dict(now.ranges)
    for name, sides in now.ranges.items():
        old, new = _value(before, name), _value(now, name)
        if old == new:
            continue
        del ranges[name]
        if old and new:
            low, high = (None if side is None else side * new / old for side in sides)
            column = next((each for each in columns(type(now)) if each.name == name), None)
            if column is None or not any(map(column.fault, (each for each in (low, high) if each))):
                ranges[name] = low, high
    return replace(now, ranges=ranges)


def _value(row: Row, name: str) -> Any:
    """Return a number of a row, or of its series."""
    series: Mapping[str, float] = getattr(row, "values", {})
    return series[name] if name in series else get(row, name)
