"""Which lot leaves: decided after the solve, oldest made first.

The model knows stock by age; lots of one age are alike to it, so handing out the oldest `made`
first cannot change the optimum. Everything here is numbers: a lot is opening stock, or what one
offer or contract brought to one site in one period.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from stockpile_model.evaluation import evaluate
from stockpile_model.ledger import Arrival, Departure, Ledger
from stockpile_model.stockpile import Stockpile

COMING = OPENING, ARRIVAL, RETURN = ("opening", "arrival", "return")
EXPIRED = "expired"
"""Kinds of movement; a departure that a block posts is of the kind of its exit."""


@dataclass(frozen=True)
class Lot:
    """Opening stock, or what one offer or contract brought to one site in one period."""

    name: str
    material: str
    site: str
    made: dt.date


@dataclass(frozen=True)
class Held:
    """What is left of a lot at the end of a node's period [quantity]; age in periods."""

    node: int
    lot: Lot
    age: int
    quantity: float


@dataclass(frozen=True)
class Moved:
    """What comes in (above zero) or goes out (below zero) of a lot at a node [quantity].

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


@dataclass
class Trace:
    """What became of every lot. `nothing`: a quantity up to which there is none [quantity]."""

    nothing: float
    stock: list[Held] = field(default_factory=list)
    movements: list[Moved] = field(default_factory=list)


@dataclass
class Batch:
    """What is on hand of a lot; age in periods since it was made, also where life is unlimited."""

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
    kept = _kept(stockpile, ledger)
    shelves: dict[int, list[Batch]] = {}
    for n in tree.nodes:
        parent = tree.parent[n]
        before = shelves[parent] if parent is not None else []
        shelf = [Batch(each.lot, each.age + 1, each.quantity) for each in before]
        shelf += _opening(ledger, found, n)
        for lot, came, quantity in arrivals.get(n, ()):
            shelf.append(Batch(lot, came.age, quantity))
            found.movements.append(_arrived(n, lot, came, quantity))
        shelf.sort(key=lambda batch: (batch.lot.made, batch.lot.name))
        for gone, quantity in departures.get(n, ()):
            _leave(stockpile, found, shelf, gone, quantity, kept)
        shelves[n] = _close(stockpile, found, n, shelf)
    return found


def _arrivals(
    stockpile: Stockpile, ledger: Ledger, nothing: float
) -> dict[int, list[tuple[Lot, Arrival, float]]]:
    """Return by node the lots that arrive; the age at which each does says when it was made."""
    calendar, period = stockpile.calendar, stockpile.tree.period
    found: dict[int, list[tuple[Lot, Arrival, float]]] = {}
    for each in ledger.arrivals:
        if (quantity := evaluate(each.amount)) > nothing:
            came, made = period[each.node], period[each.node] - each.age
            name = each.lot or f"{each.name} {calendar.begin(came):%Y-%m}"
            lot = Lot(name, each.material, each.site, calendar.begin(made))
            found.setdefault(each.node, []).append((lot, each, quantity))
    return found


def _arrived(node: int, lot: Lot, came: Arrival, quantity: float) -> Moved:
    kind, price = ARRIVAL if came.supplier is not None else RETURN, _unit_price(came)
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
    own = [batch for batch in shelf if (batch.lot.material, batch.lot.site) == (material, site)]
    here = [batch for batch in own if batch.age in ages or not limited]
    for age in reversed(ages) if len(ages) > 1 else ():
        of_age = [batch for batch in here if batch.age == age]
        free = sum(batch.quantity for batch in of_age) - kept(n, material, site, age)
        left -= _hand_out(found, gone, of_age, min(left, free))
    _hand_out(found, gone, here, left)  # of a class the solver's noise


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
            lot, table = Lot(each.lot, each.material, each.site, each.made), "opening_stock"
            shelf.append(Batch(lot, each.age, each.quantity))
            moved = Moved(node, lot, each.age, OPENING, table, each.lot, None, each.quantity)
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
