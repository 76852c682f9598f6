"""From scenarios and events to a tree: which scenarios share which nodes, and what the inputs are at each.

Two scenarios share their nodes until the earlier of their `revealed` dates, and a scenario that follows another shares that
one's past; so nothing can be decided with what is not yet known (workbook contract, table `scenarios`). What a scenario
follows stays true in it: its events come on top.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from stockpile_model import changes
from stockpile_model.block import tables
from stockpile_model.calendar import overlap
from stockpile_model.changes import Change, How
from stockpile_model.names import identity
from stockpile_model.schema import Problem, Row, columns, nearest
from stockpile_model.schema import column as _column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL, BASE, Tree
from stockpile_model.values import normal


@dataclass(frozen=True, kw_only=True)
class Scenario(Row):
    TABLE = "scenarios"
    PURPOSE = (
        "What may happen, how likely it is and when it becomes known. The base, without "
        "events, has the probability they leave."
    )
    STEP = "scenarios"
    CERTAIN = True
    scenario: str = _column("name of the scenario", required=True, key=True)
    probability: float = _column(
        "probability; what the scenarios leave is the base's", "1", required=True, least=0, most=1
    )
    follows: str | None = _column(
        "scenario it shares its past with; blank = the base", names=lambda row: "scenarios"
    )
    revealed: dt.date | None = _column(
        "date it becomes known; blank = the first date of its events"
    )


@dataclass(frozen=True, kw_only=True)
class Event(Row):
    TABLE = "events"
    PURPOSE = (
        "What changes in a scenario: a number or a date of another table, from when, until "
        "when and by how much."
    )
    STEP = "scenarios"
    CERTAIN = True
    scenario: str = _column(
        "scenario in which it happens", required=True, names=lambda row: "scenarios"
    )
    table: str = _column("table of the cell that changes", required=True)
    row: str | None = _column("key of the row, as in --set; blank = every row")
    column: str = _column("column of the cell", required=True)
    from_: dt.date | None = _column(
        "first date of the change; blank = as soon as the scenario is known"
    )
    to: dt.date | None = _column("last date; blank = to the end")
    how: str = _column("how the cell changes", required=True, choices=("set", "scale", "add"))
    value: str | None = _column("by what, or to what; a date is moved by months", numbers=True)


def change(event: Event) -> Change:
    """What an event does to the cells it names."""
    return Change(
        event.table, event.row or "*", event.column, cast(How, event.how), event.value or ""
    )


MOST_FOLLOWED = 100  # scenarios that follow each other
MOST_NODES = 1_000_000  # of the tree, at most one for each scenario and period


@functools.lru_cache(maxsize=8)
def known(stockpile: Stockpile) -> Mapping[str, Scenario]:
    """The named scenarios by their folded names."""
    return {identity(row.scenario): row for row in stockpile.rows(Scenario)}


def parent(row: Scenario) -> str:
    """The scenario that one follows, folded."""
    return identity(row.follows or BASE)


def lineage(stockpile: Stockpile, name: str) -> list[str]:
    """A scenario and those it follows, itself first, the base last; all folded. A circle is cut, and so is what follows too many."""
    memo, rows, own = _lineages(stockpile), known(stockpile), identity(name)
    if own not in memo:
        found = [own]
        while (
            found[-1] in rows
            and parent(rows[found[-1]]) not in found
            and len(found) <= MOST_FOLLOWED
        ):
            found.append(parent(rows[found[-1]]))
        memo[own] = found
    return memo[own]


@functools.lru_cache(maxsize=8)
def _lineages(_: Stockpile) -> dict[str, list[str]]:
    """Those that were asked for, by the scenario."""
    return {}


@functools.lru_cache(maxsize=8)
def _events(stockpile: Stockpile) -> Mapping[str, tuple[Event, ...]]:
    found: dict[str, list[Event]] = {}
    for row in stockpile.rows(Event):
        found.setdefault(identity(row.scenario), []).append(row)
    return {name: tuple(rows) for name, rows in found.items()}


def revealed(stockpile: Stockpile, row: Scenario) -> int:
    """The first period in which a scenario is known: that of `revealed`, or of the first date of its events; the first of the
    horizon where neither says one."""
    day = row.revealed
    if day is None:
        dates = [event.from_ for event in _events(stockpile).get(identity(row.scenario), ())]
        day = (
            None
            if None in dates
            else min((each for each in dates if each is not None), default=None)
        )
    return 0 if day is None else max(0, stockpile.calendar.period(day))


def base_probability(stockpile: Stockpile) -> float:
    """What the named scenarios leave to the base [1]."""
    left = 1.0 - sum(
        row.probability for row in stockpile.rows(Scenario) if identity(row.scenario) != BASE
    )
    return left if left > PROBABLE else 0.0


PROBABLE = 1e-9  # a probability below this is none


@functools.lru_cache(maxsize=8)
def unfold(stockpile: Stockpile) -> Stockpile:
    """The stockpile with its tree and, for each node, its rows as they are there. A scenario without probability has no node:
    it changes nothing."""
    if stockpile.views or not stockpile.rows(Scenario):
        return stockpile
    stockpile = stockpile.anchored()
    periods, rows = stockpile.settings.periods, known(stockpile)
    weights = {name: row.probability for name, row in rows.items()} | {
        BASE: base_probability(stockpile)
    }
    order = sorted(
        [BASE, *rows], key=lambda name: len(lineage(stockpile, name))
    )  # those that are followed before those that follow
    place = {name: at for at, name in enumerate(order)}
    begins = {name: revealed(stockpile, rows[name]) if name in rows else 0 for name in order}
    # (scenario, period) is a node of its own from the period in which the scenario is known; before, it is another's.
    owner = {(name, t): _owner(rows, begins, name, t) for name in order for t in range(periods)}
    passed: dict[tuple[str, int], float] = {}
    for name in order:
        for t in range(periods):
            passed[owner[name, t]] = passed.get(owner[name, t], 0.0) + weights[name]
    kept = [key for key in dict.fromkeys(owner.values()) if passed[key] > PROBABLE]
    kept.sort(key=lambda key: (place[key[0]], key[1]))
    number = {key: n for n, key in enumerate(kept)}
    parents = [None if t == 0 else number[owner[name, t - 1]] for name, t in kept]
    tree = Tree(
        tuple(t for _, t in kept), tuple(parents), tuple(min(1.0, passed[key]) for key in kept)
    )
    named = {BASE: BASE} | {name: row.scenario for name, row in rows.items()}
    leaves = {
        named[name]: number[owner[name, periods - 1]] for name in order if weights[name] > PROBABLE
    }
    views = _views(stockpile, tree, kept)
    return replace(stockpile, shape=tree, views=views, scenarios=leaves)


def _owner(
    rows: Mapping[str, Scenario], begins: Mapping[str, int], name: str, t: int
) -> tuple[str, int]:
    """The node of a scenario in a period: its own once it is known, before that of the one it follows."""
    while name != BASE and t < begins[name]:
        name = parent(rows[name])
    return name, t


def _views(stockpile: Stockpile, tree: Tree, nodes: list[tuple[str, int]]) -> tuple[Stockpile, ...]:
    """The rows at each node. Nodes at which the same events hold share theirs."""
    made: dict[tuple[int, ...], Stockpile] = {(): replace(stockpile, shape=tree)}
    found = []
    for name, t in nodes:
        active = tuple(active_events(stockpile, name, t))
        key = tuple(id(event) for event in active)
        if key not in made:
            done = next(size for size in range(len(key) - 1, -1, -1) if key[:size] in made)
            view = made[key[:done]]
            for event in active[done:]:
                view = changes.apply(view, change(event))
            made[key] = replace(view, shape=tree)
        found.append(made[key])
    return tuple(found)


def active_events(stockpile: Stockpile, name: str, period: int) -> Iterator[Event]:
    """The events that hold in a scenario in a period: those of the scenarios it follows first, then its own."""
    by_scenario = _events(stockpile)
    for each in reversed(lineage(stockpile, name)):
        for event in by_scenario.get(each, ()):
            if period in overlap(stockpile.calendar, event.from_, event.to):
                yield event


def check(stockpile: Stockpile) -> Iterator[Problem]:
    if stockpile.shape is not None and not stockpile.views:
        return  # the rows at a node: its events are made, and would be made a second time
    rows, total, periods, deep = known(stockpile), 0.0, stockpile.settings.periods, False
    if len(rows) * periods > MOST_NODES:
        last = stockpile.rows(Scenario)[-1]
        message = f"{len(rows):,} scenarios of {periods:,} periods each are more than {MOST_NODES:,} nodes: leave some out"
        yield Problem(last.TABLE, last.line, "scenario", message)
    for row in stockpile.rows(Scenario):
        name, of = identity(row.scenario), parent(row)
        total += row.probability
        if name == BASE:
            yield Problem(
                row.TABLE,
                row.line,
                "scenario",
                f"{BASE!r} is the scenario without events: it has what the others leave; name it otherwise",
            )
        elif name == ALL or "," in name:
            reason = (
                f"{ALL!r} stands for all scenarios"
                if name == ALL
                else "a plan lists scenarios with commas between them"
            )
            yield Problem(
                row.TABLE,
                row.line,
                "scenario",
                f"{reason}: name it otherwise, found {row.scenario!r}",
            )
        elif of != BASE and of not in rows:
            hint = nearest(str(row.follows), [each.scenario for each in rows.values()])
            yield Problem(
                row.TABLE,
                row.line,
                "follows",
                f"{row.follows!r} has no row in the sheet scenarios{hint}",
            )
        elif of == name:
            yield Problem(
                row.TABLE,
                row.line,
                "follows",
                f"must not be the scenario itself, found {row.follows!r}",
            )
        elif len(lineage(stockpile, name)) > MOST_FOLLOWED:
            if not deep:
                message = f"{row.scenario!r} follows more than {MOST_FOLLOWED} scenarios, one after the other; let it follow an earlier one"
                yield Problem(row.TABLE, row.line, "follows", message)
            deep = True
        elif BASE not in lineage(stockpile, name):
            circle = " follows ".join(rows[each].scenario for each in lineage(stockpile, name))
            yield Problem(
                row.TABLE,
                row.line,
                "follows",
                f"the scenarios follow each other in a circle: {circle}",
            )
        elif of != BASE and revealed(stockpile, row) < revealed(stockpile, rows[of]):
            first = stockpile.calendar.begin(revealed(stockpile, rows[of]))
            message = f"must not be before {rows[of].scenario}, which it follows, is known ({first:%Y-%m-%d})"
            yield Problem(row.TABLE, row.line, "revealed", message)
        if (
            row.revealed is not None
            and stockpile.calendar.period(row.revealed) >= stockpile.settings.periods
        ):
            yield Problem(
                row.TABLE,
                row.line,
                "revealed",
                f"{row.scenario} is known after the horizon: it is the one it follows",
                warning=True,
            )
    if total > 1 + 1e-9 and all(
        row.probability <= 1 for row in rows.values()
    ):  # one alone is told by its cell
        last = stockpile.rows(Scenario)[-1]
        yield Problem(
            last.TABLE,
            last.line,
            "probability",
            f"the probabilities sum to {total:.6g}: they must be 1 at most, the base has the rest",
        )
    for event in stockpile.rows(Event):
        yield from _check_event(stockpile, event, rows)


def _check_event(
    stockpile: Stockpile, event: Event, rows: Mapping[str, Scenario]
) -> Iterator[Problem]:
    if identity(event.scenario) not in rows:
        hint = nearest(event.scenario, [each.scenario for each in rows.values()])
        yield Problem(
            event.TABLE,
            event.line,
            "scenario",
            f"{event.scenario!r} has no row in the sheet scenarios{hint}",
        )
    if event.from_ is not None and event.to is not None and event.to < event.from_:
        yield Problem(
            event.TABLE,
            event.line,
            "to",
            f"must not be before from ({event.from_}), found {event.to}",
        )
    if not overlap(stockpile.calendar, event.from_, event.to) and not (
        event.from_ and event.to and event.to < event.from_
    ):
        yield Problem(
            event.TABLE,
            event.line,
            "from",
            "no period of the horizon is covered: the event changes nothing",
            warning=True,
        )
    kinds = dict.fromkeys((*tables(), *stockpile.tables))
    kind = next((each for each in kinds if normal(event.table) == each.TABLE), None)
    if kind is not None and kind.CERTAIN:
        yield Problem(event.TABLE, event.line, "table", f"no scenario can change {event.table}")
        return
    cell = (
        next((each for each in columns(kind) if each.name == normal(event.column)), None)
        if kind
        else None
    )
    if (
        cell is not None
        and not cell.key
        and (cell.many or cell.kind not in ("number", "whole", "date"))
    ):
        message = (
            f"no scenario can change {event.table}.{cell.name}: an event changes numbers and dates"
        )
        yield Problem(event.TABLE, event.line, "column", message)
        return
    try:
        changes.apply(stockpile, change(event))
    except changes.UnknownError as reason:
        yield Problem(event.TABLE, event.line, reason.part, str(reason))
    except ValueError as reason:
        yield Problem(event.TABLE, event.line, "value", f"cannot be: {reason}")
