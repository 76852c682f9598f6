"""Which lot leaves: decided after the solve, oldest made first.

The model knows stock by age; lots of one age are alike to it, so handing out the oldest `made` first cannot change the
optimum. Everything here is numbers: a lot is opening stock, or what one offer or contract brought to one site in one
period.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from stockpile_model.evaluation import evaluate
from stockpile_model.ledger import Arrival, Ledger
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True)
class Lot:
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
    """What comes in (above zero) or goes out (below zero) of a lot at a node [quantity]; age in periods."""

    node: int
    lot: Lot
    age: int
    kind: str  # opening, arrival, return, demand, outlet, expired
    table: str
    name: str
    supplier: str | None
    quantity: float
    price: float = 0.0  # of what arrives, with its adder [money/quantity]


@dataclass
class Trace:
    """What became of every lot. `nothing`: a quantity up to which there is none [quantity]."""

    nothing: float
    stock: list[Held] = field(default_factory=list)
    movements: list[Moved] = field(default_factory=list)


@dataclass
class Batch:
    lot: Lot
    age: int  # periods since it was made, kept also where life is unlimited
    quantity: float


def trace(stockpile: Stockpile, ledger: Ledger) -> Trace:
    """Follow every lot from its arrival to its end, along every path of the tree. The solver's noise is dropped."""
    tree, calendar = stockpile.tree, stockpile.calendar
    found = Trace(stockpile.scale.nothing)
    arrivals: dict[int, list[tuple[Lot, Arrival, float]]] = {}
    for each in ledger.arrivals:
        if (quantity := evaluate(each.amount)) > found.nothing:
            begin = calendar.begin(tree.period[each.node])
            lot = Lot(f"{each.name} {begin:%Y-%m}", each.material, each.site, begin)
            arrivals.setdefault(each.node, []).append((lot, each, quantity))
    departures: dict[int, list[tuple[str, str, int, str, str, float]]] = {}
    for gone in ledger.departures:
        if (quantity := evaluate(gone.amount)) > found.nothing:
            departures.setdefault(gone.node, []).append(
                (gone.material, gone.site, gone.age, gone.kind, gone.name, quantity)
            )

    kept = _kept(stockpile, ledger)
    shelves: dict[int, list[Batch]] = {}
    for n in tree.nodes:
        parent = tree.parent[n]
        shelf = (
            [Batch(each.lot, each.age + 1, each.quantity) for each in shelves[parent]]
            if parent is not None
            else []
        )
        shelf += _opening(ledger, found, n)
        for lot, came, quantity in arrivals.get(n, ()):
            shelf.append(Batch(lot, 0, quantity))
            kind = "arrival" if came.supplier is not None else "return"
            found.movements.append(
                Moved(
                    n,
                    lot,
                    0,
                    kind,
                    came.table,
                    came.name,
                    came.supplier,
                    quantity,
                    _unit_price(came),
                )
            )
        shelf.sort(key=lambda batch: (batch.lot.made, batch.lot.name))
        for material, site, age, kind, name, quantity in departures.get(n, ()):
            ages = next(ages for ages in stockpile.age_classes(material, n) if ages.start == age)
            limited, left = stockpile.at(n).life(material) is not None, quantity
            here = [
                b
                for b in shelf
                if (b.lot.material, b.lot.site) == (material, site)
                and (b.age in ages or not limited)
            ]
            for old in reversed(ages) if len(ages) > 1 else ():
                of_age = [b for b in here if b.age == old]
                free = sum(b.quantity for b in of_age) - kept(n, material, site, old)
                left -= _hand_out(found, n, of_age, kind, name, min(left, free))
            _hand_out(found, n, here, kind, name, left)  # of a class the solver's noise
        shelves[n] = _close(stockpile, found, n, shelf)
    return found


def _kept(stockpile: Stockpile, ledger: Ledger) -> Callable[[int, str, str, int], float]:
    """What of an age at a node must not leave there: it is what the plan leaves of the batch later on."""
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
    """What a unit of an arrival cost, with its adder [money/quantity]."""
    if not isinstance(arrival.price, tuple):
        return float(arrival.price)
    paid, quantity = arrival.price
    return float(evaluate(paid) / evaluate(quantity))


def _opening(ledger: Ledger, found: Trace, node: int) -> list[Batch]:
    shelf = []
    for each in ledger.openings:
        if each.node == node and each.quantity > found.nothing:
            lot = Lot(each.lot, each.material, each.site, each.made)
            shelf.append(Batch(lot, each.age, each.quantity))
            found.movements.append(
                Moved(
                    node, lot, each.age, "opening", "opening_stock", each.lot, None, each.quantity
                )
            )
    return shelf


def _hand_out(
    found: Trace, node: int, batches: list[Batch], kind: str, name: str, quantity: float
) -> float:
    """Take a quantity from batches in their order, the oldest first; what was taken."""
    taken = 0.0
    for batch in batches:
        part = min(batch.quantity, quantity)
        if part > found.nothing:
            batch.quantity -= part
            quantity -= part
            taken += part
            found.movements.append(Moved(node, batch.lot, batch.age, kind, "", name, None, -part))
    return taken


def _close(stockpile: Stockpile, found: Trace, node: int, shelf: list[Batch]) -> list[Batch]:
    """End of a period: what is in its last age has expired, the rest is stock."""
    kept = []
    for batch in shelf:
        if batch.quantity <= found.nothing:
            continue
        life = stockpile.at(node).life(batch.lot.material)
        if life is not None and batch.age >= life - 1:
            found.movements.append(
                Moved(node, batch.lot, batch.age, "expired", "", "", None, -batch.quantity)
            )
        else:
            found.stock.append(Held(node, batch.lot, batch.age, batch.quantity))
            kept.append(batch)
    return kept
