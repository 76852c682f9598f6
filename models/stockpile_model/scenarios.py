"""From scenarios and events to a tree: which scenarios share which nodes, with which inputs.

Two scenarios share their nodes until the earlier of their `revealed` dates, and a scenario that
follows another shares that one's past; so nothing can be decided with what is not yet known
(workbook contract, table `scenarios`). What a scenario follows stays true in it: its events come on
top.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast, get_args

from stockpile_model import changes, currencies
from stockpile_model.calendar import overlap
from stockpile_model.changes import Change, How
from stockpile_model.giving import FACT, Give, Gives
from stockpile_model.names import identity
from stockpile_model.schema import Row
from stockpile_model.schema import column as _column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import BASE, Tree


@dataclass(frozen=True, kw_only=True)
class Scenario(Row):
    """Describe what may happen, how likely it is and when it becomes known."""

    TABLE = "scenarios"
    PURPOSE = (
        "What may happen, how likely it is and when it becomes known. The base, without "
        "events, has the probability they leave."
    )
    STEP = "scenarios"
    CERTAIN = True
    GIVES: ClassVar[Gives] = {
        "probability": Give("less", FACT),
        "revealed": Give("earlier", FACT),
    }
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
    """A change of cells in a scenario."""

    TABLE = "events"
    PURPOSE = (
        "What changes in a scenario: a number or a date of another table, from when, until "
        "when and by how much."
    )
    STEP = "scenarios"
    CERTAIN = True
    GIVES: ClassVar[Gives] = {
        "value": Give("either", FACT),
        "from": Give("later", FACT),
        "to": Give("earlier", FACT),
    }
    scenario: str = _column(
        "scenario in which it happens",
        required=True,
        names=lambda row: "scenarios",
        listed="scenarios",
    )
    table: str = _column("table of the cell that changes", required=True, listed="tables")
    row: str | None = _column(
        "key of the row, as in --set; `country = China`, `bloc = other` or `supplier = neo`: every "
        "row whose supplier is so; blank = every row"
    )
    column: str = _column("column of the cell", required=True)
    from_: dt.date | None = _column(
        "first date of the change; blank = as soon as the scenario is known"
    )
    to: dt.date | None = _column("last date; blank = to the end")
    how: str = _column("how the cell changes", required=True, choices=get_args(How))
    value: str | None = _column("by what, or to what; a date is moved by months", numbers=True)
    feedstock: bool = _column(
        "`yes`: what a scale of a capacity, availability or quantity takes away counts by the "
        "supplier's foreign_feedstock, so a ban on half of its feed halves the cut",
        default=False,
    )


def change(event: Event) -> Change:
    """Return what an event does to the cells it names."""
    return Change(
        event.table,
        event.row or "*",
        event.column,
        cast(How, event.how),
        "" if event.value is None else event.value,  # 0 is a value
        event.feedstock,
    )


MOST_FOLLOWED = 100  # scenarios that follow each other
MOST_NODES = 1_000_000  # of the tree, at most one for each scenario and period


@functools.lru_cache(maxsize=8)
def known(stockpile: Stockpile) -> Mapping[str, Scenario]:
    """Return the named scenarios by their folded names."""
    return {identity(row.scenario): row for row in stockpile.rows(Scenario)}


def parent(row: Scenario) -> str:
    """Return the scenario that one follows, folded."""
    return identity(row.follows or BASE)


def lineage(stockpile: Stockpile, name: str) -> list[str]:
    """Return a scenario and those it follows, itself first, the base last; all folded.

    A circle is cut, and so is what follows too many.
    """
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
    """Return those that were looked up before, by the scenario."""
    return {}


@functools.lru_cache(maxsize=8)
def _events(stockpile: Stockpile) -> Mapping[str, tuple[Event, ...]]:
    found: dict[str, list[Event]] = {}
    for row in stockpile.rows(Event):
        found.setdefault(identity(row.scenario), []).append(row)
    return {name: tuple(rows) for name, rows in found.items()}


def revealed(stockpile: Stockpile, row: Scenario) -> int:
    """Return the first period in which a scenario is known.

    It is that of `revealed`, or of the first date of its events; the first of the horizon where
    neither says one.
    """
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
    """Return what the named scenarios leave to the base [1]."""
    left = 1.0 - sum(
        row.probability for row in stockpile.rows(Scenario) if identity(row.scenario) != BASE
    )
    return left if left > PROBABLE else 0.0


PROBABLE = 1e-9  # a probability below this is none


@functools.lru_cache(maxsize=8)
def unfold(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with its tree and, for each node, its rows as they are there.

    A scenario without probability has no node: it changes nothing.
    """
    if stockpile.views:
        return stockpile
    foreign = currencies.foreign(stockpile)
    if foreign:
        stockpile = currencies.anchored(stockpile)
    grown = _grown(stockpile.anchored()) if stockpile.rows(Scenario) else stockpile
    return _in_book_money(grown) if foreign else grown


def _in_book_money(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with all money of its rows in the book's, at each node by its prices."""
    tree = stockpile.tree
    views = (currencies.converted(replace(stockpile.at(n), shape=tree), n) for n in tree.nodes)
    return replace(stockpile, shape=tree, views=tuple(views))


def _grown(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with the tree of its scenarios."""
    rows, last = known(stockpile), stockpile.settings.periods - 1
    weights = {BASE: base_probability(stockpile)}
    weights |= {name: row.probability for name, row in rows.items()}
    # Those that are followed stand before those that follow.
    order = sorted([BASE, *rows], key=lambda name: len(lineage(stockpile, name)))
    owner = _owners(stockpile, order)
    passed = _passed(owner, weights)
    place = {name: at for at, name in enumerate(order)}
    kept = [key for key in dict.fromkeys(owner.values()) if passed[key] > PROBABLE]
    kept.sort(key=lambda key: (place[key[0]], key[1]))
    number = {key: n for n, key in enumerate(kept)}
    parents = tuple(None if t == 0 else number[owner[name, t - 1]] for name, t in kept)
    chances = tuple(min(1.0, passed[key]) for key in kept)
    tree = Tree(tuple(t for _, t in kept), parents, chances)
    named = {BASE: BASE} | {name: row.scenario for name, row in rows.items()}
    likely = [name for name in order if weights[name] > PROBABLE]
    leaves = {named[name]: number[owner[name, last]] for name in likely}
    views = _views(stockpile, tree, kept)
    return replace(stockpile, shape=tree, views=views, scenarios=leaves)


Place = tuple[str, int]
"""A scenario and a period: a node of its own once the scenario is known, before that another's."""


def _owners(stockpile: Stockpile, order: list[str]) -> dict[Place, Place]:
    """Return whose node each scenario passes in each period."""
    rows, periods = known(stockpile), stockpile.settings.periods
    begins = {name: revealed(stockpile, rows[name]) if name in rows else 0 for name in order}
    return {(name, t): _owner(rows, begins, name, t) for name in order for t in range(periods)}


def _passed(owner: Mapping[Place, Place], weights: Mapping[str, float]) -> dict[Place, float]:
    """Return the probability that each node is passed [1]."""
    passed: dict[Place, float] = {}
    for (name, _), node in owner.items():
        passed[node] = passed.get(node, 0.0) + weights[name]
    return passed


def _owner(rows: Mapping[str, Scenario], begins: Mapping[str, int], name: str, t: int) -> Place:
    """Return the node of a scenario in a period.

    It is its own once it is known, before that of the one it follows.
    """
    while name != BASE and t < begins[name]:
        name = parent(rows[name])
    return name, t


class EventError(ValueError):
    """Events that cannot happen after those before them, each with the reason."""

    def __init__(self, reasons: Sequence[tuple[Event, str]]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reason for _, reason in reasons))


def _views(stockpile: Stockpile, tree: Tree, nodes: list[tuple[str, int]]) -> tuple[Stockpile, ...]:
    """Return the rows at each node. Nodes at which the same events hold share theirs.

    Raises EventError where one cannot happen after the others.
    """
    made: dict[tuple[int, ...], Stockpile] = {(): replace(stockpile, shape=tree)}
    found, wrong = [], dict[int, tuple[Event, str]]()
    for name, t in nodes:
        active = tuple(active_events(stockpile, name, t))
        key = tuple(id(event) for event in active)
        if key not in made:
            done = next(size for size in range(len(key) - 1, -1, -1) if key[:size] in made)
            view = made[key[:done]]
            for event in active[done:]:
                try:
                    if not changes.empty(view, change(event)):
                        view = changes.apply(view, change(event))
                except ValueError as reason:
                    wrong.setdefault(id(event), (event, str(reason)))
            made[key] = replace(view, shape=tree)
        found.append(made[key])
    if wrong:
        raise EventError([*wrong.values()])
    return tuple(found)


def active_events(stockpile: Stockpile, name: str, period: int) -> Iterator[Event]:
    """Yield the events that hold in a scenario in a period.

    Those of the scenarios it follows come first, then its own.
    """
    by_scenario = _events(stockpile)
    for each in reversed(lineage(stockpile, name)):
        for event in by_scenario.get(each, ()):
            if period in overlap(stockpile.calendar, event.from_, event.to):
                yield event
