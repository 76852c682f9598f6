"""Terms of orders, worked out before any algebra: what can be ordered where, within which limits.

It holds no variable. Every input is read at the node at which it is used.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from stockpile_model.block import asks_spending
from stockpile_model.blocks.commitments.commitment_terms import gone_before
from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.break_terms import (
    Segment,
    breaks,
    clearance,
    incremental,
    segments,
)
from stockpile_model.blocks.offers.ceilings import ceiling, needs_binary, needs_ceiling
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.stockpile import Stockpile

Key = tuple[str, int]
"""An offer, and the node of an order, of an arrival or of a payment."""


class PaymentTerm(NamedTuple):
    """The nodes of the orders that are paid together, and the share of them that is paid [1]."""

    nodes: Sequence[int]
    share: float


@dataclass(frozen=True, eq=False)
class OrderTerms:
    """All numbers of the orders of a stockpile."""

    stockpile: Stockpile

    @functools.cached_property
    def offers(self) -> Mapping[str, Offer]:
        """Return the offers by name, without what scenarios change."""
        return self.stockpile.keyed(Offer)

    @functools.cached_property
    def _rows(self) -> Sequence[Mapping[str, Offer]]:
        """Return the offers by name, at each node."""
        return [self.stockpile.at(n).keyed(Offer) for n in self.stockpile.tree.nodes]

    def offer(self, o: str, n: int) -> Offer:
        """Return an offer as it stands at a node."""
        return self._rows[n][o]

    def lot(self, o: str, n: int) -> float | None:
        """Return the lot of an order [quantity]; None where it is of any quantity."""
        return self.stockpile.lot(self.offer(o, n).lot_size)

    def prices(self, o: str, n: int) -> list[float]:
        """Return the price of each segment of an order that is paid at a node [money/quantity]."""
        return offer_terms.prices(self.stockpile, self.offer(o, n), n)

    # Orders -----------------------------------------------------------------------------------

    @functools.cached_property
    def orders(self) -> Sequence[Key]:
        """Return the orders that can be placed."""
        return [(o, n) for o, row in self.offers.items() for n in placeable(self.stockpile, row)]

    @functools.cached_property
    def limits(self) -> Mapping[Key, float | None]:
        """Return the most of each order [quantity]; None where it is unlimited."""
        return {(o, n): self._limit(self.offer(o, n), n) for o, n in self.orders}

    def _limit(self, row: Offer, n: int) -> float | None:
        """Return the most of an order [quantity]: its ceiling where it needs one."""
        needed = needs_ceiling(self.stockpile, row)
        return ceiling(self.stockpile, row, n) if needed else row.capacity

    @functools.cached_property
    def _asks_spending(self) -> bool:
        """Return whether a rule asks for spending."""
        return asks_spending(self.stockpile)

    def smallest(self, o: str, n: int) -> float:
        """Return the least of an order that is placed [quantity].

        Where it has a cost, or a rule asks for spending, it is large enough to show in a plan, so
        that nothing is paid for no metal.
        """
        row, visible = self.offer(o, n), self.stockpile.scale.visible
        costs = row.order_cost > 0 or self._asks_spending
        return max(row.minimum_order, min(visible, self.limits[o, n] or visible) if costs else 0.0)

    @functools.cached_property
    def placings(self) -> Sequence[Key]:
        """Return the orders that have a variable for whether they are placed."""
        return [
            (o, n)
            for o, n in self.orders
            if needs_binary(self.stockpile, self.offer(o, n)) and not self._in_part(o, n)
        ]

    def _in_part(self, o: str, n: int) -> bool:
        """Return whether an order is placed just as far as it is bought of its ceiling.

        It is where it is relaxed, at one price, and no rule asks for spending. An order whose
        minimum is above its ceiling is never placed.
        """
        broken = o in breaks(self.stockpile)
        entire = self.stockpile.firm(n) or broken or self._asks_spending
        return not entire and self.smallest(o, n) <= (self.limits[o, n] or 0.0)

    @functools.cached_property
    def placed(self) -> AbstractSet[Key]:
        """Return the placings, to look one up."""
        return frozenset(self.placings)

    @functools.cached_property
    def lot_orders(self) -> Sequence[Key]:
        """Return the orders in whole lots."""
        return [(o, n) for o, n in self.orders if self.stockpile.firm(n) and self.lot(o, n)]

    @functools.cached_property
    def waiting(self) -> Sequence[Key]:
        """Return the orders that wait for a project."""
        return [
            (o, n)
            for o, n in self.orders
            if (project := self.offer(o, n).project) is not None
            and gone_before(self.stockpile, project) is None
        ]

    @functools.cached_property
    def on_path(self) -> Mapping[Key, Sequence[int]]:
        """Return the nodes of the orders on the path to each leaf, by offer with a total and
        leaf."""
        tree, reachable = self.stockpile.tree, frozenset(self.orders)
        paths = {
            (o, leaf): [n for n in tree.paths[leaf] if (o, n) in reachable]
            for o in self.offers
            for leaf in tree.leaves
            if self.offer(o, leaf).total is not None
        }
        return {key: nodes for key, nodes in paths.items() if nodes}

    # Price breaks -----------------------------------------------------------------------------

    @functools.cached_property
    def segments(self) -> Mapping[Key, Sequence[Segment]]:
        """Return the segments of each order with price breaks."""
        broken = breaks(self.stockpile)
        return {
            (o, n): segments(self.stockpile.at(n), o, self.limits[o, n] or 0.0)
            for o, n in self.placings
            if o in broken
        }

    @functools.cached_property
    def _parted(self) -> AbstractSet[tuple[str, int, int]]:
        """Return the segments (offer, segment, node) with a price that nobody would pay of his own
        accord.

        At the break an order could else keep the price before it: one that is lower, or, where a
        rule asks for spending, one that is higher.
        """
        return {
            (o, s, n)
            for (o, n), each in self.segments.items()
            for s in range(1, len(each))
            for d in self._paid_at(o, n)
            if (rates := self.prices(o, d))[s] > rates[s - 1]
            or (self._asks_spending and rates[s] < rates[s - 1])
        }

    def incremental(self, o: str) -> bool:
        """Return whether the price of a segment holds only for what is beyond its break."""
        return incremental(self.stockpile, o)

    def width(self, o: str, s: int, n: int) -> float:
        """Return the most that a segment holds [quantity]."""
        begin, end, _ = self.segments[o, n][s]
        if self.incremental(o):
            return end - begin
        return end - clearance(self.stockpile) if (o, s + 1, n) in self._parted else end

    def least(self, o: str, s: int, n: int) -> tuple[float, int] | None:
        """Return the least that a segment holds [quantity], and the segment reached for it.

        The result is None where a segment may hold nothing.
        """
        if self.incremental(o):
            full = s + 1 < len(self.segments[o, n])
            return (self.width(o, s, n), s + 1) if full else None
        return (self.segments[o, n][s].begin, s) if s else None

    # Arrivals ---------------------------------------------------------------------------------

    @functools.cached_property
    def arrivals(self) -> Mapping[Key, Sequence[int]]:
        """Return the nodes where each order arrives."""
        tree = self.stockpile.tree
        return {
            (o, n): tree.later(n, offer_terms.lead(self.stockpile, self.offer(o, n)))
            for o, n in self.orders
        }

    @functools.cached_property
    def placed_at(self) -> Mapping[Key, Sequence[int]]:
        """Return the nodes of the orders that arrive at a node: several where a lead time
        changes."""
        nodes: dict[Key, list[int]] = {}
        for (o, n), ends in self.arrivals.items():
            for d in ends:
                nodes.setdefault((o, d), []).append(n)
        return nodes

    def age(self, o: str, d: int) -> int:
        """Return the age of what arrives at a node [periods]."""
        row = self.offer(o, d)
        return self.stockpile.at(d).age_received(row.material, row.life_on_receipt_months)

    @functools.cached_property
    def landing(self) -> Mapping[str, Sequence[str]]:
        """Return the sites where each offer may arrive."""
        return {o: offer_terms.landing(self.stockpile, row) for o, row in self.offers.items()}

    @functools.cached_property
    def split(self) -> Sequence[Key]:
        """Return the arrivals that may be split over several sites."""
        return [(o, d) for o, d in self.placed_at if len(self.landing[o]) > 1]

    # Payments ---------------------------------------------------------------------------------

    @functools.cached_property
    def buyers(self) -> Mapping[str, Sequence[str]]:
        """Return the buyers of each offer; blank for what serves all."""
        return {o: offer_terms.buyers(self.stockpile, row) for o, row in self.offers.items()}

    @functools.cached_property
    def shared(self) -> Mapping[str, Sequence[str]]:
        """Return the buyers of each offer that has several."""
        return {o: several for o, several in self.buyers.items() if len(several) > 1}

    def at_once(self, o: str, n: int) -> bool:
        """Return whether an order is paid when it is placed."""
        return self.offer(o, n).payment == "order"

    def _paid_at(self, o: str, n: int) -> Sequence[int]:
        """Return where an order is paid: at its own node, or at every node of its arrival."""
        return [n] if self.at_once(o, n) else self.arrivals[o, n]

    @functools.cached_property
    def portions(self) -> Sequence[tuple[str, str, int]]:
        """Return the parts (offer, buyer, node) of orders that buyers share and pay when placed."""
        return [
            (o, b, n)
            for o, n in self.orders
            if o in self.shared and self.at_once(o, n)
            for b in self.shared[o]
        ]

    @functools.cached_property
    def payments(self) -> Mapping[Key, PaymentTerm]:
        """Return what is paid at each node: first on delivery, then with the order."""
        payments = {
            (o, d): PaymentTerm(nodes, self.offer(o, d).availability)
            for (o, d), nodes in self.placed_at.items()
            if not self.at_once(o, d)
        }
        payments |= {(o, n): PaymentTerm([n], 1.0) for o, n in self.orders if self.at_once(o, n)}
        return payments

    @functools.cached_property
    def bills(self) -> Sequence[tuple[str, str, int]]:
        """Return the bills (offer, buyer, node) for orders with price breaks that buyers share."""
        return [
            (o, b, n)
            for (o, n), (nodes, _) in self.payments.items()
            if o in self.shared and (o, nodes[0]) in self.segments
            for b in self.shared[o]
        ]
