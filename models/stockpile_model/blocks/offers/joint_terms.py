"""Terms of what is ordered from a supplier in one period, as numbers. It holds no variable."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_terms import Key, OrderTerms
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms
from stockpile_model.extremes import larger

Joint = tuple[str, int]
"""A supplier, and a node at which its offers can be ordered."""


@dataclass(frozen=True, eq=False)
class JointTerms:
    """All numbers of what is ordered from the suppliers with terms of their own."""

    orders: OrderTerms

    @functools.cached_property
    def offers(self) -> Mapping[Joint, Sequence[str]]:
        """Return the offers that can be ordered together."""
        suppliers = self.orders.stockpile.keyed(SupplierTerms)
        found: dict[Joint, list[str]] = {}
        for o, n in self.orders.orders:
            supplier = self.orders.offers[o].supplier
            if supplier in suppliers:
                found.setdefault((supplier, n), []).append(o)
        return found

    def row(self, s: str, n: int) -> SupplierTerms:
        """Return the terms of a supplier as they stand at a node."""
        return self.orders.stockpile.at(n).keyed(SupplierTerms)[s]

    @functools.cached_property
    def free(self) -> Sequence[Joint]:
        """Return where freight may be free: from a value on, for offers with freight."""
        return [
            (s, n)
            for (s, n), offers in self.offers.items()
            if self.row(s, n).free_freight_from is not None
            and any(self._has_freight(o) for o in offers)
        ]

    def _has_freight(self, o: str) -> bool:
        """Return whether freight is paid under an offer, as it stands anywhere in the tree."""
        return any(view.keyed(Offer)[o].freight > 0 for view in self.orders.stockpile.variants)

    @functools.cached_property
    def waivable(self) -> Sequence[Key]:
        """Return the orders whose freight may be free."""
        return [(o, n) for s, n in self.free for o in self.offers[s, n] if self._has_freight(o)]

    def rates(self, o: str, n: int) -> list[float]:
        """Return price and adder of each segment of an order, as it is ordered [money/quantity]."""
        adder = self.orders.offer(o, n).adder
        return [rate + adder for rate in self.orders.prices(o, n)]

    def smallest(self, s: str, n: int) -> float:
        """Return the least that is ordered if anything is, so that it shows [quantity]."""
        limits = (self.orders.limits[o, n] or 0.0 for o in self.offers[s, n])
        return min(self.orders.stockpile.scale.visible, larger(0.0, *limits))

    def most_value(self, s: str, n: int) -> float:
        """Return the most that can be ordered from a supplier at a node [money]."""
        return sum(
            max(self.rates(o, n)) * (self.orders.limits[o, n] or 0.0) for o in self.offers[s, n]
        )

    def material(self, s: str) -> str | None:
        """Return the one material of a supplier's offers; None where there are several."""
        found = {row.material for row in self.orders.offers.values() if row.supplier == s}
        return found.pop() if len(found) == 1 else None

    @functools.cached_property
    def exempt(self) -> Sequence[tuple[str, str, int]]:
        """Return the shared payments (offer, buyer, node) whose freight may be free."""
        waivable = frozenset(self.waivable)
        return [
            (o, b, n)
            for (o, n), (nodes, _) in self.orders.payments.items()
            if o in self.orders.shared and any((o, each) in waivable for each in nodes)
            for b in self.orders.shared[o]
        ]
