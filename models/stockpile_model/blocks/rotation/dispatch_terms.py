"""Terms of dispatches: what leaves through an outlet in a period, with its minimum, lots and cost.

It holds no variable. Every input is read at the node at which it is used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from stockpile_model.blocks.offers import usefulness
from stockpile_model.blocks.offers.ceilings import EXCESS
from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.outlet_terms import REQUALIFY, RETURNING, Outlet, back
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.extremes import larger, smaller
from stockpile_model.ledger import Ledger
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile

Key = tuple[str, int]
"""An outlet and a node."""


def fixed(outlet: Outlet) -> bool:
    """Return whether each sale or dispatch of an outlet has a minimum or a cost."""
    return outlet.minimum_order > 0 or outlet.order_cost > 0


def lot(stockpile: Stockpile, outlet: Outlet) -> float | None:
    """Return the lot of a dispatch [quantity]: its own, or of a sale the step."""
    return stockpile.lot(outlet.lot_size) if outlet.form == "sale" else outlet.lot_size


def whole(stockpile: Stockpile, outlet: Outlet) -> bool:
    """Return whether what an outlet takes in a period is a dispatch of its own."""
    return fixed(outlet) or lot(stockpile, outlet) is not None


def bounds_orders(stockpile: Stockpile) -> str:
    """Return why every order needs a bound: what leaves without a capacity is what may be there."""
    rows = (row for view in stockpile.variants for row in view.rows(Outlet))
    unlimited = any(fixed(row) and not _limited(stockpile, row) for row in rows)
    return "an outlet without a capacity has a minimum or a cost" if unlimited else ""


def _limited(stockpile: Stockpile, outlet: Outlet) -> bool:
    """Return whether the capacity of an outlet is a bound; one in great excess of needs is none."""
    return outlet.capacity is not None and outlet.capacity <= EXCESS * stockpile.scale.largest


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the outlets with a minimum or a cost through which any quantity could leave."""
    if growth(stockpile, 0) < math.inf:
        return
    for row in stockpile.rows(Outlet):
        if fixed(row) and row.capacity is None:
            message = (
                "is needed: a sale or dispatch has a minimum or a cost, and an exchange or rework "
                "gives back at once more than goes in"
            )
            yield Problem(row.TABLE, row.line, "capacity", message)


def growth(stockpile: Stockpile, period: int) -> float:
    """Return how many times the metal that came may be on hand by the end of a period [1].

    Each exchange or rework multiplies it by its yield, again after its lead time.
    """
    found = 1.0
    for name in stockpile.keyed(Outlet):
        rows = [view.keyed(Outlet)[name] for view in stockpile.variants]
        most = larger(1.0, *(row.yield_ for row in rows if row.form in RETURNING))
        if most > 1:
            lead = min(outlet_terms.lead(stockpile, row) for row in rows)
            found *= most ** (period // lead) if lead else math.inf
    return found


@dataclass(frozen=True, eq=False)
class DispatchTerms:
    """All numbers of the dispatches of a stockpile; `keys`: where metal can leave."""

    stockpile: Stockpile
    ledger: Ledger
    keys: Sequence[Key]

    def outlet(self, r: str, n: int) -> Outlet:
        """Return an outlet as it stands at a node."""
        return self.stockpile.at(n).keyed(Outlet)[r]

    def lot(self, r: str, n: int) -> float | None:
        """Return the lot of a dispatch [quantity]; None where it is of any quantity."""
        return lot(self.stockpile, self.outlet(r, n))

    @functools.cached_property
    def limits(self) -> Mapping[Key, float | None]:
        """Return the most that leaves through an outlet at a node [quantity]; None: nothing bounds
        it."""
        return {key: self._limit(*key) for key in self.keys}

    def _limit(self, r: str, n: int) -> float | None:
        """Return the capacity, or where that is less what may be on hand.

        That is known only where every order has a bound.
        """
        outlet = self.outlet(r, n)
        if not usefulness.reason(self.stockpile):
            return outlet.capacity
        there = self._on_hand(outlet.material, n)
        if outlet.form == REQUALIFY:  # metal may be there again in the same period
            there *= outlet.times
        most = smaller(math.inf if outlet.capacity is None else outlet.capacity, there)
        return most if most < math.inf else None

    def together(self, outlets: Iterable[str], n: int) -> float:
        """Return the most that leaves through outlets of one material at a node [quantity]."""
        names = sorted(outlets)
        limits = (self.limits[r, n] for r in names)
        most = sum(math.inf if each is None else each for each in limits)
        return smaller(most, self._on_hand(self.outlet(names[0], n).material, n))

    def _on_hand(self, material: str, n: int) -> float:
        """Return the most that may be on hand of a material at a node [quantity]."""
        period = self.stockpile.tree.period[n]
        return self._there[material][n] * growth(self.stockpile, period)

    @functools.cached_property
    def _there(self) -> Mapping[str, Sequence[float]]:
        """Return by material and node the most of it, and of what it is made of, that has come."""
        tree, came = self.stockpile.tree, self._came
        found: dict[str, list[float]] = {}
        for material in {self.outlet(*key).material for key in self.keys}:
            sums: list[float] = []
            for n in tree.nodes:
                parent, own = tree.parent[n], self._sources(material)
                before = 0.0 if parent is None else sums[parent]
                sums.append(before + sum(came.get((n, each), 0.0) for each in own))
            found[material] = sums
        return found

    @functools.cached_property
    def _came(self) -> Mapping[tuple[int, str], float]:
        """Return the most that comes new at each node of each material: not from a site, and back
        only of what went out before the start."""
        most = {
            (each.node, each.material, each.table, each.name, each.lot): each.most
            for each in self.ledger.arrivals
            if each.table != Outlet.TABLE and not each.moved
        }
        found: dict[tuple[int, str], float] = {}
        for (n, material, *_), each in most.items():
            came = math.inf if each is None else each
            found[n, material] = found.get((n, material), 0.0) + came
        tree = self.stockpile.tree
        for root in (n for n in tree.nodes if tree.parent[n] is None):
            for lot in self.stockpile.at(root).rows(OpeningLot):
                found[root, lot.material] = found.get((root, lot.material), 0.0) + lot.quantity
        for row, outlet, due in outlet_terms.out_before(self.stockpile):
            material = outlet_terms.back(outlet)
            for n in tree.at.get(due, ()):
                back = outlet_terms.returned(row, outlet)
                found[n, material] = found.get((n, material), 0.0) + back
        return found

    def _sources(self, material: str) -> AbstractSet[str]:
        """Return a material and all that it can be made of."""
        rows = [row for row in self.stockpile.rows(Outlet) if row.form in RETURNING]
        found = {material}
        while more := {row.material for row in rows if back(row) in found} - found:
            found |= more
        return found

    # Dispatches ---------------------------------------------------------------------------------

    def smallest(self, r: str, n: int) -> float:
        """Return the least of a dispatch [quantity].

        Where it has a cost it is large enough to show in a plan.
        """
        row, visible = self.outlet(r, n), self.stockpile.scale.visible
        least = smaller(visible, self.limits[r, n] or visible) if row.order_cost > 0 else 0.0
        return larger(row.minimum_order, least)

    @functools.cached_property
    def placings(self) -> Sequence[Key]:
        """Return the dispatches that have a variable for whether they are made."""
        return [key for key in self.keys if fixed(self.outlet(*key)) and not self._in_part(*key)]

    def _in_part(self, r: str, n: int) -> bool:
        """Return whether a dispatch is made just as far as it is of its limit: it is relaxed.

        One whose minimum is above its limit is never made.
        """
        return not self.stockpile.firm(n) and self.smallest(r, n) <= (self.limits[r, n] or 0.0)

    @functools.cached_property
    def placed(self) -> AbstractSet[Key]:
        """Return the placings, to look one up."""
        return frozenset(self.placings)

    @functools.cached_property
    def in_lots(self) -> Sequence[Key]:
        """Return the dispatches in whole lots."""
        firm = self.stockpile.firm
        return [(r, n) for r, n in self.keys if firm(n) and self.lot(r, n)]
