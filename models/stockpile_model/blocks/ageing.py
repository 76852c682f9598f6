"""How stock ages: from period to period it is handed on from age to age. Ages that nothing in the workbook tells apart are one class.

With p = p(n), for an age of its own, with arrivals only at age 0:

    stock[i,w,a,n] = stock[i,w,a-1,p] + arrivals - departures,   a < L_i - 1
    expired[i,w,n] = stock[i,w,L-2,p] + arrivals - departures    at the last age, L_i - 1

A class of D ages has one column for what is on hand, `stock`, and one for what is of its oldest age at period end: `expired` in the last
class, in the others `pass_on`, a part of the stock. With stay = stock - pass_on, what stays in the class,

    stay[n] = stay[p] + enter[n] - departures - oldest[n]           (balance_stock)
    stay[n] ≤ what entered in the last D-1 periods                  (cap_staying)
    stay[n] ≥ Σ oldest over the next D-1 periods                    (hold_staying)
    oldest[n] ≤ what entered D-1 periods before                     (cap_oldest)

These say the same as a column for each age. Set aside of each batch what will be left of it in the end, no more than it has; the rest
must leave within D periods of its entry. That is a transport problem whose intervals do not contain each other, so the oldest first
solves it where anything does: where all that has left lies between what must be gone by then and what has entered by then. Which batch a
departure takes is told by `lots`. On a tree the argument holds from one branching to the next. Where branches part, and at leaves where
closing stock is worth the less the older it is, stock is known by its age (`aged`), and each branch begins with these batches.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo

from stockpile_model.formulation import summed
from stockpile_model.ledger import Kept, Ledger
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

SHORTEST = 4  # ages in a class: fewer take no more columns of their own


def classes(marks: Sequence[object]) -> tuple[range, ...]:
    """Ages 0, 1, … with these marks, in classes of consecutive ones that are marked alike."""
    found: list[range] = []
    for age, mark in enumerate(marks):
        if age and mark == marks[age - 1]:
            found[-1] = range(found[-1].start, age + 1)
        else:
            found.append(range(age, age + 1))
    return tuple(
        part
        for ages in found
        for part in ([ages] if len(ages) >= SHORTEST else (range(a, a + 1) for a in ages))
    )


class Ageing:
    """Hands on the stock in `m.STOCKS` and what expires in `m.EXPIRIES`, each by the first age of its class."""

    def __init__(self, m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
        self.m, self.stockpile, self.tree, self.ledger = m, stockpile, stockpile.tree, ledger
        self.arriving: dict[tuple[str, str, int, int], list[Any]] = {}
        for each in ledger.arrivals:
            self.arriving.setdefault((each.material, each.site, each.age, each.node), []).append(
                each.amount
            )
        self.leaving: dict[tuple[str, str, int, int], list[Any]] = {}
        for gone in ledger.departures:
            self.leaving.setdefault((gone.material, gone.site, gone.age, gone.node), []).append(
                gone.amount
            )
        self.opening: dict[tuple[str, str, int, int], float] = {}
        for lot in ledger.openings:
            # An overaged lot expires in the first period: it stands behind the last age, where nothing can use it.
            span = self._life(lot.material, lot.node)
            key = lot.material, lot.site, 0 if span is None else min(lot.age, span), lot.node
            self.opening[key] = self.opening.get(key, 0.0) + lot.quantity
        self.wide = {
            (i, w, ages.start): ages
            for i, found in (stockpile.classes or {}).items()
            for w in stockpile.sites
            for ages in found
            if len(ages) > 1
        }

    def overaged(self, i: str, w: str, n: int) -> float:
        """What is beyond its life when the horizon begins: nothing can use it, so all of it expires [quantity]."""
        span = self._life(i, n)
        return 0.0 if span is None else self.opening.get((i, w, span, n), 0.0)

    def add(self) -> None:
        """The rows and columns of the equations above."""
        m, stockpile = self.m, self.stockpile
        self._add_classes()
        m.balance_stock = pyo.Constraint(
            m.STOCKS, rule=self._balance_stock, doc="stock by age is handed on [quantity]"
        )
        m.balance_expiry = pyo.Constraint(
            pyo.Set(
                dimen=3,
                initialize=[
                    (i, w, n) for i, w, n in m.EXPIRIES if len(stockpile.age_classes(i, n)[-1]) == 1
                ],
            ),
            rule=self._balance_expiry,
            doc="what leaves the last age unused has expired [quantity]",
        )
        m.hold_expiry = pyo.Constraint(
            pyo.Set(dimen=3, initialize=[key for key in m.EXPIRIES if self._beyond(*key)]),
            rule=lambda m, i, w, n: m.expired[i, w, n] >= summed(self._beyond(i, w, n)),
            doc="nothing can use what is older than a shortened life [quantity]",
        )

    def _add_classes(self) -> None:
        m, wide = self.m, self.wide
        m.CLASSES = pyo.Set(
            dimen=4,
            initialize=[(*key, n) for key in wide for n in self.tree.nodes],
            doc="material, site, first of several ages, node",
        )
        m.PASSES = pyo.Set(
            dimen=4,
            initialize=[
                key for key in m.CLASSES if wide[key[:3]].stop < (self._life(key[0], key[3]) or 0)
            ],
            doc="material, site, first age, node of a class that is not the last",
        )
        m.pass_on = pyo.Var(
            m.PASSES,
            domain=pyo.NonNegativeReals,
            doc="stock of a class's oldest age at period end [quantity]",
        )
        m.ENTRIES = pyo.Set(
            dimen=4,
            initialize=[key for key in m.CLASSES if len(self._coming(*key)) > 1],
            doc="material, site, first age, node of a class that is entered in several ways",
        )
        parted = [key for key in m.CLASSES if key[3] in self._known_by_age[key[0]]]
        m.AGED = pyo.Set(
            dimen=5,
            initialize=[(i, w, a, age, n) for i, w, a, n in parted for age in wide[i, w, a][:-1]],
            doc="material, site, first age, age, node at which the stock of a class is known by its age",
        )
        m.enter = pyo.Var(m.ENTRIES, doc="what enters a class [quantity]")
        m.aged = pyo.Var(
            m.AGED,
            domain=pyo.NonNegativeReals,
            doc="stock of one age of a class at period end [quantity]",
        )
        m.balance_enter = pyo.Constraint(
            m.ENTRIES,
            rule=lambda m, *key: summed([*self._coming(*key), -m.enter[key]]) == 0,
            doc="what enters a class adds up [quantity]",
        )
        m.balance_aged = pyo.Constraint(
            pyo.Set(dimen=4, initialize=parted),
            rule=lambda m, i, w, a, n: (
                summed(m.aged[i, w, a, age, n] for age in wide[i, w, a][:-1])
                == self._staying(i, w, a, n)
            ),
            doc="the stock of a class is that of its ages [quantity]",
        )
        m.cap_aged = pyo.Constraint(
            m.AGED,
            rule=lambda m, i, w, a, age, n: (
                m.aged[i, w, a, age, n] <= self._batch(i, w, a, n, age - a)
            ),
            doc="no more is of an age than entered when it did [quantity]",
        )
        inner = [key for key in m.CLASSES if key[3] not in self._known_by_age[key[0]]]
        m.cap_staying = pyo.Constraint(
            pyo.Set(dimen=4, initialize=inner),
            rule=lambda m, i, w, a, n: (
                self._staying(i, w, a, n)
                <= summed(self._batch(i, w, a, n, k) for k in range(len(wide[i, w, a]) - 1))
            ),
            doc="what stays in a class entered it not long ago [quantity]",
        )
        m.hold_staying = pyo.Constraint(
            pyo.Set(dimen=4, initialize=[key for key in inner if self._left_later(*key)]),
            rule=lambda m, *key: self._staying(*key) >= summed(self._left_later(*key)),
            doc="what will be left of a batch stays until then [quantity]",
        )
        m.cap_oldest = pyo.Constraint(
            m.CLASSES,
            rule=lambda m, i, w, a, n: (
                self._oldest(i, w, a, n) <= self._batch(i, w, a, n, len(wide[i, w, a]) - 1)
            ),
            doc="no more is left of a batch than entered [quantity]",
        )
        self.ledger.kept += [
            Kept(n, i, w, wide[i, w, a][-1], self._oldest(i, w, a, n)) for i, w, a, n in m.CLASSES
        ]
        self.ledger.kept += [
            Kept(n, i, w, age, m.aged[i, w, a, age, n]) for i, w, a, age, n in m.AGED
        ]

    # --- Stock from period to period: i, w, the first age of a class, n ---

    def _balance_stock(self, m: pyo.ConcreteModel, i: str, w: str, a: int, n: int) -> object:
        parent, terms = self.tree.parent[n], self._going(i, w, a, n)
        if (i, w, a) not in self.wide:
            terms += self._coming(i, w, a, n)
            if parent is not None and self._life(i, n) is None:
                terms += [
                    m.stock[i, w, each, parent]
                    for each in self.stockpile.first_ages(i, parent)
                    if (i, w, each, parent) in m.STOCKS
                ]
            return summed([*terms, -m.stock[i, w, a, n]]) == 0
        terms += [self._entered(i, w, a, n), -self._oldest(i, w, a, n)]
        if parent is not None:
            terms.append(self._staying(i, w, a, parent))
        else:
            terms += [self.opening.get((i, w, age, n), 0.0) for age in self.wide[i, w, a][1:]]
        return summed([*terms, -self._staying(i, w, a, n)]) == 0

    def _balance_expiry(self, m: pyo.ConcreteModel, i: str, w: str, n: int) -> object:
        last = int(self._life(i, n) or 0) - 1
        terms = [
            *self._coming(i, w, last, n),
            *self._going(i, w, last, n),
            *self._beyond(i, w, n),
            self.overaged(i, w, n),
        ]
        return summed([*terms, -m.expired[i, w, n]]) == 0

    def _coming(self, i: str, w: str, a: int, n: int) -> list[Any]:
        """What comes to an age: arrivals, what was of the age before, opening stock."""
        parent, terms = self.tree.parent[n], [*self.arriving.get((i, w, a, n), ())]
        if parent is None:
            opening = self.opening.get((i, w, a, n), 0.0)
            return [*terms, opening] if opening else terms
        if a > 0 and (
            before := next(
                (ages for ages in self.stockpile.age_classes(i, parent) if ages.stop == a), None
            )
        ):
            if (i, w, before.start) in self.wide:
                terms.append(self.m.pass_on[i, w, before.start, parent])
            elif (i, w, before.start, parent) in self.m.STOCKS:
                terms.append(self.m.stock[i, w, before.start, parent])
        return terms

    def _going(self, i: str, w: str, a: int, n: int) -> list[Any]:
        return [-gone for gone in self.leaving.get((i, w, a, n), ())]

    def _beyond(self, i: str, w: str, n: int) -> list[Any]:
        """What is older than a life that a scenario shortens."""
        parent = self.tree.parent[n]
        older = (
            range(int(self._life(i, n) or 0), self._life(i, parent) or 0)
            if parent is not None
            else ()
        )
        return [self.m.stock[i, w, a - 1, parent] for a in older]

    def _life(self, i: str, n: int) -> int | None:
        return self.stockpile.at(n).life(i)

    # --- Within a class ---

    def _entered(self, i: str, w: str, a: int, n: int) -> Any:
        """What enters a class at a node [quantity]."""
        if (i, w, a, n) in self.m.ENTRIES:
            return self.m.enter[i, w, a, n]
        return next(iter(self._coming(i, w, a, n)), 0.0)

    def _oldest(self, i: str, w: str, a: int, n: int) -> Any:
        """What is of a class's oldest age at period end."""
        if (i, w, a, n) in self.m.PASSES:
            return self.m.pass_on[i, w, a, n]
        overaged = self.overaged(i, w, n)
        return self.m.expired[i, w, n] - overaged if overaged else self.m.expired[i, w, n]

    def _staying(self, i: str, w: str, a: int, n: int) -> Any:
        """What is in a class at period end and will be in the next period."""
        stock = self.m.stock[i, w, a, n]
        return stock - self.m.pass_on[i, w, a, n] if (i, w, a, n) in self.m.PASSES else stock

    def _batch(self, i: str, w: str, a: int, n: int, k: int) -> Any:
        """What entered a class k periods before a node; where branches parted since, what was left of it there; of opening stock
        what there was."""
        period, parting = self.tree.period[n], self._parting[n]
        if parting is not None and period - k <= self.tree.period[parting]:
            return self.m.aged[i, w, a, a + k - (period - self.tree.period[parting]), parting]
        path = self.tree.paths[n]
        return (
            self._entered(i, w, a, path[-1 - k])
            if k <= period
            else self.opening.get((i, w, a + k - period, path[0]), 0.0)
        )

    def _left_later(self, i: str, w: str, a: int, n: int) -> list[Any]:
        """What will be left of the batches that have entered: at the class's oldest age, or where the stock is next known by its age."""
        ages, found, node = self.wide[i, w, a], [], n
        for ahead in range(1, len(ages)):
            if len(self.tree.children[node]) != 1:
                break
            (node,) = self.tree.children[node]
            found.append(self._oldest(i, w, a, node))
            if node in self._known_by_age[i]:
                found += [self.m.aged[i, w, a, age, node] for age in ages[ahead:-1]]
        return found

    @functools.cached_property
    def _parting(self) -> list[int | None]:
        """For each node the nearest one above it where branches part."""
        found: list[int | None] = []
        for parent in self.tree.parent:
            found.append(
                None
                if parent is None
                else parent
                if len(self.tree.children[parent]) > 1
                else found[parent]
            )
        return found

    @functools.cached_property
    def _known_by_age(self) -> dict[str, set[int]]:
        """Of each material the nodes where branches part, and the leaves where closing stock has a value."""
        parting = {n for n in self.tree.nodes if len(self.tree.children[n]) > 1}
        return {
            i: parting
            | {
                n
                for n in self.tree.leaves
                if self.stockpile.at(n).keyed(Material)[i].closing_value > 0
            }
            for i in self.stockpile.keyed(Material)
        }


def by_age(
    m: pyo.ConcreteModel, stockpile: Stockpile, i: str, w: str, n: int
) -> list[tuple[int, Any]]:
    """Stock at the end of a node at which it is known by its age: age and amount [quantity]."""
    found = []
    for ages in stockpile.age_classes(i, n):
        a = ages.start
        if len(ages) == 1:
            found += [(a, m.stock[i, w, a, n])] if (i, w, a, n) in m.STOCKS else []
            continue
        found += [(age, m.aged[i, w, a, age, n]) for age in ages[:-1]]
        found += [(ages[-1], m.pass_on[i, w, a, n])] if (i, w, a, n) in m.PASSES else []
    return found
