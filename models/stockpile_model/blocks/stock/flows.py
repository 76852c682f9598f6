"""What comes to each age of stock and goes from it, and what stays in a class of ages."""

from __future__ import annotations

import functools
from typing import Any

import pyomo.environ as pyo

from stockpile_model.ledger import Arrival, Ledger
from stockpile_model.standing import Standing
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

Place = tuple[str, str, int, int]
"""A material, a site, an age (the first of its class) and a node."""


class Flows:
    """The terms of the equations of ageing, for material i, site w, first age a and node n."""

    def __init__(self, m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
        self.m, self.stockpile, self.tree = m, stockpile, stockpile.tree
        self.arriving: dict[Place, list[Any]] = {}
        self.at_once: dict[Place, list[Any]] = {}  # from another site in the same period
        self.outlived: dict[tuple[str, str, int], list[Any]] = {}  # on its way from another site
        for came in ledger.arrivals:
            key = came.material, came.site, came.age, came.node
            if came.moved and self._outlives(came):
                place = came.material, came.site, came.node
                self.outlived.setdefault(place, []).append(came.amount)
            elif came.moved and came.origin is not None and came.origin.node == came.node:
                self.at_once.setdefault(key, []).append(came.amount)
            else:
                self.arriving.setdefault(key, []).append(came.amount)
        self.leaving: dict[Place, list[Any]] = {}
        self.moving: dict[Place, list[Any]] = {}  # to another site
        for gone in ledger.departures:
            key = gone.material, gone.site, gone.age, gone.node
            self.leaving.setdefault(key, []).append(gone.amount)
            if gone.exit.inside:
                self.moving.setdefault(key, []).append(gone.amount)
        self.opening: dict[Place, float] = {}
        for lot in ledger.openings:
            # An overaged lot stands behind the last age, where nothing can use it.
            life = self.life(lot.material, lot.node)
            age = 0 if life is None else min(lot.age, life)
            if lot.times != 0 and age != life:
                age = stockpile.standings[lot.material].index(Standing(age, lot.times))
            key = lot.material, lot.site, age, lot.node
            self.opening[key] = self.opening.get(key, 0.0) + lot.quantity
        self.wide = {
            (i, w, ages.start): ages
            for i, found in (stockpile.classes or {}).items()
            for w in stockpile.sites
            for ages in found
            if len(ages) > 1
        }

    def life(self, i: str, n: int) -> int | None:
        """Return the shelf life at a node [periods]; None = unlimited."""
        return self.stockpile.at(n).life(i)

    def _outlives(self, came: Arrival) -> bool:
        """Return whether metal arrives beyond its life, which was shortened on its way."""
        life = self.life(came.material, came.node)
        return life is not None and self.stockpile.standing(came.material, came.age).age >= life

    def overaged(self, i: str, w: str, n: int) -> float:
        """Return what is beyond its life when the horizon begins [quantity].

        Nothing can use it, so all of it expires.
        """
        life = self.life(i, n)
        return 0.0 if life is None else self.opening.get((i, w, life, n), 0.0)

    # --- From period to period ---

    def coming(self, i: str, w: str, a: int, n: int) -> list[Any]:
        """Return what comes to an age, from other sites too."""
        return [*self.own(i, w, a, n), *self.at_once.get((i, w, a, n), ())]

    def own(self, i: str, w: str, a: int, n: int) -> list[Any]:
        """Return what comes to an age: arrivals, what was of the age before, opening stock."""
        parent, terms = self.tree.parent[n], [*self.arriving.get((i, w, a, n), ())]
        if opening := self.opening.get((i, w, a, n), 0.0):
            terms.append(opening)
        if parent is None:
            return terms
        classes = self.stockpile.age_classes(i, parent)
        before = next((ages for ages in classes if ages.stop == a), None) if a > 0 else None
        if before is not None:
            if (i, w, before.start) in self.wide:
                terms.append(self.m.pass_on[i, w, before.start, parent])
            elif (i, w, before.start, parent) in self.m.STOCKS:
                terms.append(self.m.stock[i, w, before.start, parent])
        return terms

    def going(self, i: str, w: str, a: int, n: int) -> list[Any]:
        """Return what goes from an age, below zero."""
        return [-gone for gone in self.leaving.get((i, w, a, n), ())]

    def unaged(self, i: str, w: str, n: int) -> list[Any]:
        """Return what was in stock before a node at which life is unlimited."""
        parent = self.tree.parent[n]
        if parent is None or self.life(i, n) is not None:
            return []
        keys = ((i, w, each, parent) for each in self.stockpile.first_ages(i, parent))
        return [self.m.stock[key] for key in keys if key in self.m.STOCKS]

    def beyond(self, i: str, w: str, n: int) -> list[Any]:
        """Return what is older than a life that a scenario shortens, also what arrives so."""
        parent = self.tree.parent[n]
        if parent is None:
            return []
        older = range(int(self.life(i, n) or 0), self.life(i, parent) or 0)
        return [
            *(self.m.stock[i, w, begin + a - 1, parent] for begin in self.begins(i) for a in older),
            *self.outlived.get((i, w, n), ()),
        ]

    def begins(self, i: str) -> list[int]:
        """Return the index of age 0 for each number of tests, of those that can be."""
        found = self.stockpile.standings.get(i)
        return [0] if found is None else found.indices(1)

    # --- Within a class ---

    def entered(self, i: str, w: str, a: int, n: int) -> Any:
        """Return what enters a class at a node [quantity]."""
        if (i, w, a, n) in self.m.ENTRIES:
            return self.m.enter[i, w, a, n]
        return next(iter(self.coming(i, w, a, n)), 0.0)

    def oldest(self, i: str, w: str, a: int, n: int) -> Any:
        """Return what is of a class's oldest age at period end [quantity]."""
        if (i, w, a, n) in self.m.PASSES:
            return self.m.pass_on[i, w, a, n]
        overaged = self.overaged(i, w, n)
        return self.m.expired[i, w, n] - overaged if overaged else self.m.expired[i, w, n]

    def staying(self, i: str, w: str, a: int, n: int) -> Any:
        """Return what is in a class at period end and will be in the next period [quantity]."""
        stock = self.m.stock[i, w, a, n]
        return stock - self.m.pass_on[i, w, a, n] if (i, w, a, n) in self.m.PASSES else stock

    def batch(self, i: str, w: str, a: int, n: int, k: int) -> Any:
        """Return what entered a class k periods before a node [quantity].

        Where branches parted since, it is what was left of it there; of opening stock what there
        was.
        """
        period, parting = self.tree.period[n], self._parting[n]
        if parting is not None and period - k <= self.tree.period[parting]:
            age = a + k - (period - self.tree.period[parting])
            return self.m.aged[i, w, a, age, parting]
        path = self.tree.paths[n]
        if k <= period:
            return self.entered(i, w, a, path[-1 - k])
        return self.opening.get((i, w, a + k - period, path[0]), 0.0)

    def left_later(self, i: str, w: str, a: int, n: int) -> list[Any]:
        """Return what will be left of the batches that have entered a class.

        It is left at the class's oldest age, or where the stock is next known by its age.
        """
        ages, found, node = self.wide[i, w, a], [], n
        for ahead in range(1, len(ages)):
            if len(self.tree.children[node]) != 1:
                break
            (node,) = self.tree.children[node]
            found.append(self.oldest(i, w, a, node))
            if self.by_age(i, node):
                found += [self.m.aged[i, w, a, age, node] for age in ages[ahead:-1]]
        return found

    def by_age(self, i: str, n: int) -> bool:
        """Return whether stock is known by its age at a node.

        It is where branches part, and at leaves where closing stock has a value.
        """
        return n in self._known_by_age[i]

    @functools.cached_property
    def _parting(self) -> list[int | None]:
        """Return for each node the nearest one above it where branches part."""
        found: list[int | None] = []
        for parent in self.tree.parent:
            parts = parent is not None and len(self.tree.children[parent]) > 1
            found.append(None if parent is None else parent if parts else found[parent])
        return found

    @functools.cached_property
    def _known_by_age(self) -> dict[str, set[int]]:
        tree, at = self.tree, self.stockpile.at
        parting = {n for n in tree.nodes if len(tree.children[n]) > 1}
        return {
            i: parting | {n for n in tree.leaves if at(n).keyed(Material)[i].closing_value > 0}
            for i in self.stockpile.keyed(Material)
        }
