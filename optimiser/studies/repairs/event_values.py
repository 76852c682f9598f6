"""What the value of an event can give: towards the value that its cells have without the event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from stockpile_model import changes
from stockpile_model.giving import Give
from stockpile_model.scenarios import Event, change
from stockpile_model.schema import Column, Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import blank, convert

IDLE = {"scale": 1.0, "add": 0.0}  # the values of events that change nothing

Farthest = Callable[[Row, Column, Give, Any], Any]
"""The value at which a cell of a row has given all that it can."""


@dataclass(frozen=True)
class EventValue:
    """The value of an event as a cell that can give.

    `column` is that of the event with the kind, unit and limits of the cells that change. `rigid`:
    it enters the model by way of a date, a duration or a count.
    """

    column: Column
    give: Give
    value: Any
    extreme: Any
    size: float | None
    rigid: bool


def event_value(
    stockpile: Stockpile, event: Event, own: Column, farthest: Farthest
) -> EventValue | None:
    """Return the value of an event as a cell that can give; None where it cannot."""
    cells = changes.addressed(stockpile, change(event))
    if not cells or blank(event.value):
        return None
    give = event.GIVES[own.name]
    row, column, _ = cells[0]
    rigid = any(each.kind != "number" or each.unit == "months" for _, each, _ in cells)
    if event.how in IDLE:
        value = _number(event.value)
        if value is None:
            return None
        idle = IDLE[event.how]
        as_number = replace(own, kind="number", whole_periods=rigid)
        size = max(1.0, abs(value)) if event.how == "scale" else None
        return EventValue(as_number, give, value, idle, size, rigid)
    try:
        value = convert(column, event.value or "")
    except ValueError:
        return None
    way = _way(row, column)
    if way is None:
        return None
    given = Give(way, give.weight)
    befores = [each for _, _, each in cells]
    extreme = _better(befores, value, way)
    if extreme is None:
        extreme = farthest(row, column, given, value)
    sizes = [abs(each) for each in befores if isinstance(each, (int, float)) and each]
    size = max([abs(value), *sizes[:1]]) if column.kind != "date" else None
    like = replace(column, name=own.name, field=own.field, numbers=True, required=False, key=False)
    return EventValue(like, given, value, extreme, size or None, rigid)


def _way(row: Row, column: Column) -> Any:
    """Return in which way the cells give that an event sets; None where they cannot."""
    give = row.GIVES.get(column.name) or (row.GIVES.get(row.OPEN) if row.OPEN else None)
    if give is None or give.way in ("default", "priced"):
        return None
    return give.way


def _better(befores: list[Any], value: Any, way: str) -> Any:
    """Return the best of the values that cells have without an event, where it is better."""
    known = [each for each in befores if each is not None]
    if len(known) < len(befores) or not known:
        return None
    best = max(known) if way in ("more", "later") else min(known)
    if way == "either":
        return best if best != value else None
    return best if (best > value) == (way in ("more", "later")) and best != value else None


def _number(written: Any) -> float | None:
    try:
        return float(written)
    except (TypeError, ValueError):
        return None
