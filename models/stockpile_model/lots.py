"""Which lot leaves: decided after the solve, oldest made first.

The model knows stock by age; lots of one age are alike to it, so handing out the oldest `made`
first cannot change the optimum. Everything here is numbers: a lot is opening stock, or what one
offer or contract brought to one site in one period. What comes back of a lot from a test is a lot
of its own; what moves to another site keeps its name and its date.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from stockpile_model.evaluation import evaluate
from stockpile_model.ledger import Arrival, Departure, Ledger
from stockpile_model.standing import Standing
from stockpile_model.stockpile import Stockpile

COMING = OPENING, ARRIVAL, RETURN = ("opening", "arrival", "return")
EXPIRED = "expired"
"""Kinds of movement; a departure that a block posts is of the kind of its exit."""


@dataclass(frozen=True)
class Lot:
    """Opening stock, what one offer or contract brought to one site in one period, or a test.

    `made`: the date its shelf life runs from. Of what comes back from a test `first` is the date on
    which it was made, `times` how often it was requalified; None: it has failed.
    """

    name: str
    material: str
    site: str
    made: dt.date
    first: dt.date | None = None
    times: int | None = 0


@dataclass(frozen=True)
class Held:
    """Describe what is left of a lot at the end of a node's period [quantity]; age in periods."""

    node: int
    lot: Lot
    age: int
    quantity: float


@dataclass(frozen=True)
class Moved:
    """Describe what comes in (above zero) or goes out (below zero) of a lot at a node [quantity].

    `age` in periods; `price` of what arrives, with its adder [money/quantity]; `ahead`: it was
    ordered before the start.
    """

    node: int
    lot: Lot
    age: int
    kind: str
    table: str
    name: str
    supplier: str | None
    quantity: float
    price: float = 0.0
    ahead: bool = False


@dataclass(frozen=True)
class Tested:
    """Describe what comes back of a lot from a test at a node [quantity]; age in periods.

    `before` is the lot that went in, `lot` what comes back of it.
    """

    node: int
    outlet: str
    before: Lot
    lot: Lot
    age: int
    quantity: float


@dataclass
class Trace:
    """Describe what became of every lot. `nothing`: a quantity up to which there is none
    [quantity]."""

    nothing: float
    stock: list[Held] = field(default_factory=list)
    movements: list[Moved] = field(default_factory=list)
    tests: list[Tested] = field(default_factory=list)


@dataclass
class Batch:
    """Describe what is on hand of a lot; age in periods since it was made, also where life is
    unlimited."""

    lot: Lot
    age: int
    quantity: float


def trace(stockpile: Stockpile, ledger: Ledger) -> Trace:
    """Follow every lot from its arrival to its end, along every path of the tree.

    The solver's noise is dropped.
    """
    tree = stockpile.tree
    found = Trace(stockpile.scale.nothing)
    arrivals = _arrivals(stockpile, ledger, found.nothing)
    departures: dict[int, list[tuple[Departure, float]]] = {}
    for gone in ledger.departures:
        if (quantity := evaluate(gone.amount)) > found.nothing:
            departures.setdefault(gone.node, []).append((gone, quantity))
    kept, returns = _kept(stockpile, ledger), _Returns(stockpile, ledger, found)
    shelves: dict[int, list[Batch]] = {}
    for n in tree.nodes:
        parent = tree.parent[n]
        before = shelves[parent] if parent is not None else []
        shelf = [Batch(each.lot, each.age + 1, each.quantity) for each in before]
        shelf += _opening(ledger, found, n)
        new = arrivals.get(n, ())
        found.movements += [_arrived(n, lot, came, quantity) for lot, came, quantity in new]
        _shelve(shelf, [Batch(lot, came.age, quantity) for lot, came, quantity in new])
        _shelve(shelf, returns.due(n))
        shelf.sort(key=lambda batch: (batch.lot.made, batch.lot.name))
        for together in returns.in_turn(departures.get(n, [])):
            for gone, quantity in together:
                seen = len(found.movements)
                _leave(stockpile, found, shelf, gone, quantity, kept)
                returns.send(gone, found.movements[seen:])
            _shelve(shelf, returns.due(n))
        shelves[n] = _close(stockpile, found, n, shelf)
    return found


def _shelve(shelf: list[Batch], batches: list[Batch]) -> None:
    """Put batches on a shelf; what comes to a lot that is there is one with it."""
    there = {batch.lot: batch for batch in shelf} if batches else {}
    for batch in batches:
        if (known := there.setdefault(batch.lot, batch)) is batch:
            shelf.append(batch)
        else:
            known.quantity += batch.quantity


def _arrivals(
    stockpile: Stockpile, ledger: Ledger, nothing: float
) -> dict[int, list[tuple[Lot, Arrival, float]]]:
    """Return by node the lots that arrive; the age at which each does says when it was made."""
    calendar, period = stockpile.calendar, stockpile.tree.period
    found: dict[int, list[tuple[Lot, Arrival, float]]] = {}
    for each in (one for one in ledger.arrivals if one.origin is None):
        if (quantity := evaluate(each.amount)) > nothing:
            came, made = period[each.node], period[each.node] - each.age
            name = each.lot or f"{each.name} {calendar.begin(came):%Y-%m}"
            lot = Lot(name, each.material, each.site, calendar.begin(made))
            found.setdefault(each.node, []).append((lot, each, quantity))
    return found


def _arrived(node: int, lot: Lot, came: Arrival, quantity: float) -> Moved:
    kind, price = ARRIVAL if came.supplier is not None else RETURN, _unit_price(came)
    if came.moved and came.origin is not None:
        kind = came.origin.exit.inside
    what = kind, came.table, came.name, came.supplier, quantity, price, bool(came.lot)
    return Moved(node, lot, came.age, *what)


def _leave(
    stockpile: Stockpile,
    found: Trace,
    shelf: list[Batch],
    gone: Departure,
    quantity: float,
    kept: Callable[[int, str, str, int], float],
) -> None:
    """Take a departure from a shelf: of a class of ages the oldest that need not be kept."""
    n, material, site = gone.node, gone.material, gone.site
    ages = next(each for each in stockpile.age_classes(material, n) if each.start == gone.age)
    limited, left = stockpile.at(n).life(material) is not None, quantity
    standing = stockpile.standing(material, gone.age)
    own = [batch for batch in shelf if (batch.lot.material, batch.lot.site) == (material, site)]
    if material in stockpile.standings:
        ages = range(standing.age, standing.age + 1)
        own = [batch for batch in own if batch.lot.times == standing.times]
    here = [batch for batch in own if batch.age in ages or not limited]
    for age in reversed(ages) if len(ages) > 1 else ():
        of_age = [batch for batch in here if batch.age == age]
        free = sum(batch.quantity for batch in of_age) - kept(n, material, site, age)
        left -= _hand_out(found, gone, of_age, min(left, free))
    _hand_out(found, gone, here, left)  # of a class the solver's noise


class _Returns:
    """Describe what tests give back of each lot, what other sites get of it, and when."""

    def __init__(self, stockpile: Stockpile, ledger: Ledger, found: Trace) -> None:
        self.stockpile, self.found = stockpile, found
        self.back: dict[tuple[object, ...], list[Arrival]] = {}
        for each in ledger.arrivals:
            if each.origin is not None:
                self.back.setdefault(_key(each.origin), []).append(each)
        self.waiting: dict[int, list[tuple[Arrival, Batch, Tested | None]]] = {}  # by node

    def in_turn(
        self, departures: list[tuple[Departure, float]]
    ) -> Iterator[list[tuple[Departure, float]]]:
        """Yield departures together that leave before any of them is back.

        First by age moves to other sites, then tests that are back at once; then all else.
        """

        def turn(each: tuple[Departure, float]) -> tuple[float, int]:
            gone, _ = each
            if gone.exit.inside:
                return gone.age, 0
            at_once = any(came.node == gone.node for came in self.back.get(_key(gone), ()))
            return (gone.age, 1) if at_once else (math.inf, 0)

        for _, together in itertools.groupby(sorted(departures, key=turn), turn):
            yield [*together]

    def send(self, gone: Departure, parts: list[Moved]) -> None:
        """Note what will be back of the parts of a departure, or arrive at another site."""
        for came in self.back.get(_key(gone), ()) if parts else ():
            out = -sum(part.quantity for part in parts)
            share = 1.0 if came.moved else evaluate(came.amount) / out
            for part in parts:
                quantity = -part.quantity * share
                if quantity > self.found.nothing:
                    expect = self._moved if came.moved else self._tested
                    self.waiting.setdefault(came.node, []).append(expect(came, part, quantity))

    def due(self, node: int) -> list[Batch]:
        """Post what is back at a node, or arrives there from another site, and return it."""
        shelf = []
        for came, batch, test in self.waiting.pop(node, ()):
            shelf.append(batch)
            if test is not None:
                self.found.tests.append(test)
            moved = _arrived(node, batch.lot, came, batch.quantity)
            self.found.movements.append(replace(moved, age=batch.age))
        return shelf

    def _moved(self, came: Arrival, part: Moved, quantity: float) -> tuple[Arrival, Batch, None]:
        """Return what arrives of a lot at another site."""
        period = self.stockpile.tree.period
        age = part.age + period[came.node] - period[part.node]
        return came, Batch(replace(part.lot, site=came.site), age, quantity), None

    def _tested(self, came: Arrival, part: Moved, quantity: float) -> tuple[Arrival, Batch, Tested]:
        """Return what comes back of a lot from a test."""
        standing = self.stockpile.standing(came.material, came.age)
        lot = self._lot(part.lot, standing, came.node)
        test = Tested(came.node, came.name, part.lot, lot, standing.age, quantity)
        return came, Batch(lot, standing.age, quantity), test

    def _lot(self, before: Lot, standing: Standing, node: int) -> Lot:
        """Return the lot that comes back from a test; its name says what has become of it."""
        calendar, period = self.stockpile.calendar, self.stockpile.tree.period[node]
        name = tested_name(before.name, standing, calendar.begin(period))
        made, first = calendar.begin(period - standing.age), before.first or before.made
        return Lot(name, before.material, before.site, made, first, standing.times)


def tested_name(before: str, standing: Standing, day: dt.date) -> str:
    """Return the name of a lot that comes back from a test."""
    what = "failed" if standing.times is None else "requalified"
    again = standing.times is not None and standing.times > 1
    return f"{before}{',' if again else f' {what}'} {day:%Y-%m}"


def _key(gone: Departure) -> tuple[object, ...]:
    """Return what tells a departure from all others."""
    return gone.node, gone.material, gone.site, gone.age, gone.exit.name, gone.name


def _kept(stockpile: Stockpile, ledger: Ledger) -> Callable[[int, str, str, int], float]:
    """Return what of an age at a node must not leave there.

    It is what the plan leaves of the batch later on.
    """
    children = stockpile.tree.children
    amounts = {(each.node, each.material, each.site, each.age): each.amount for each in ledger.kept}

    def kept(node: int, material: str, site: str, age: int) -> float:
        while (node, material, site, age) not in amounts:
            if len(children[node]) != 1:
                return 0.0
            (node,), age = children[node], age + 1
        return evaluate(amounts[node, material, site, age])

    return kept


def _unit_price(arrival: Arrival) -> float:
    """Return what a unit of an arrival cost, with its adder [money/quantity]."""
    if not isinstance(arrival.price, tuple):
        return float(arrival.price)
    paid, quantity = arrival.price
    return float(evaluate(paid) / evaluate(quantity))


def _opening(ledger: Ledger, found: Trace, node: int) -> list[Batch]:
    """Return the opening lots of a node."""
    shelf = []
    for each in ledger.openings:
        if each.node == node and each.quantity > found.nothing:
            what, test = (each.lot, each.material, each.site, each.made), each.back
            lot, kind, table, name = (
                Lot(*what, times=each.times),
                OPENING,
                "opening_stock",
                each.lot,
            )
            if test is not None:
                before = Lot(test.lot, each.material, each.site, test.made, times=test.times)
                lot, kind = replace(lot, first=test.made), RETURN
                table, name = test.table, test.outlet
                found.tests.append(Tested(node, name, before, lot, each.age, each.quantity))
            shelf.append(Batch(lot, each.age, each.quantity))
            moved = Moved(node, lot, each.age, kind, table, name, None, each.quantity)
            found.movements.append(moved)
    return shelf


def _hand_out(found: Trace, gone: Departure, batches: list[Batch], quantity: float) -> float:
    """Take a quantity from batches in their order, the oldest first; return what was taken."""
    taken, kind, name = 0.0, gone.exit.name, gone.name
    for batch in batches:
        part = min(batch.quantity, quantity)
        if part > found.nothing:
            batch.quantity -= part
            quantity -= part
            taken += part
            moved = Moved(gone.node, batch.lot, batch.age, kind, "", name, None, -part)
            found.movements.append(moved)
    return taken


def _close(stockpile: Stockpile, found: Trace, node: int, shelf: list[Batch]) -> list[Batch]:
    """End a period: what is in its last age has expired, the rest is stock."""
    kept = []
    for batch in shelf:
        if batch.quantity <= found.nothing:
            continue
        life = stockpile.at(node).life(batch.lot.material)
        if life is not None and batch.age >= life - 1:
            gone = Moved(node, batch.lot, batch.age, EXPIRED, "", "", None, -batch.quantity)
            found.movements.append(gone)
        else:
            found.stock.append(Held(node, batch.lot, batch.age, batch.quantity))
            kept.append(batch)
    return kept
