"""What an officer orders and signs by a rule of thumb, without a solver.

Stock grows evenly from milestone to milestone of the targets. What it lacks in a period, with the
demand and what has become too old, comes from the cheapest landed source that has room: contracts
at their lowest floor, then offers. The oldest metal goes out first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from stockpile_model.blocks import demand
from stockpile_model.blocks.contracts import contract_terms
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.blocks.stock.lot_terms import OpeningLot, age_at_start, is_out
from stockpile_model.blocks.targets import target_terms
from stockpile_model.blocks.targets.target_terms import Target
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True)
class ThumbOfftake:
    """A contract at a level, with the node at which it is signed."""

    contract: Contract
    level: Floor
    node: int


@dataclass(eq=False)
class ThumbWishes:
    """The orders [quantity] by offer and node, and the contracts signed: level and node.

    `stockpile` is unfolded and has one path.
    """

    stockpile: Stockpile
    orders: dict[tuple[str, int], float] = field(default_factory=dict)
    signed: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for material in self.stockpile.keyed(Material):
            _Supply(self, material).plan()


@dataclass(eq=False)
class _Supply:
    """The supply of one material, period by period."""

    wishes: ThumbWishes
    material: str
    lots: list[tuple[int, float]] = field(default_factory=list)  # period made [periods], quantity

    @property
    def stockpile(self) -> Stockpile:
        return self.wishes.stockpile

    @functools.cached_property
    def path(self) -> tuple[int, ...]:
        """Return the nodes, one for each period."""
        (leaf,) = self.stockpile.tree.leaves
        return self.stockpile.tree.paths[leaf]

    def plan(self) -> None:
        """Sign, then order in each period what the even path still lacks."""
        self.lots = [
            (-age_at_start(self.stockpile, row), row.quantity)
            for row in self.stockpile.rows(OpeningLot)
            if row.material == self.material and not is_out(row)
        ]
        wanted = self._wanted()
        arriving = [0.0] * len(self.path)
        for t, rate in self._sign(wanted):
            arriving[t] += rate
        for t, node in enumerate(self.path):
            if arriving[t]:
                self.lots.append((t, arriving[t]))
            used = self._used(node)
            self._leave(t, used)
            missing = wanted[t] + max(0.0, used - self._on_hand(t)) - self._counting(t)
            if missing > self.stockpile.scale.nothing:
                self.lots += self._ordered(t, missing)

    # --- What is needed

    def _mine(self, name: str) -> bool:
        """Return whether a demand or target, of a group perhaps, is this material's to serve."""
        return self.stockpile.members(name)[0] == self.material

    def _used(self, node: int) -> float:
        needs = demand.required(self.stockpile, node)
        return sum(each.quantity for (name, _), each in needs.items() if self._mine(name))

    def _wanted(self) -> list[float]:
        """Return the stock at the end of each period, even from milestone to milestone."""
        total, begun = [0.0] * len(self.path), self._counting(0)
        keys = dict.fromkeys((row.material, row.buyer) for row in self.stockpile.rows(Target))
        for k, key in enumerate(key for key in keys if self._mine(key[0])):
            points = self._milestones(*key)
            before, level = -1, begun if k == 0 else 0.0
            for at, (period, asked) in enumerate(points):
                for t in range(max(0, before + 1), min(period, len(total) - 1) + 1):
                    share = (t - before) / max(1, period - before)
                    total[t] += level + share * (asked - level) if asked >= level else level
                if asked < level and 0 <= period < len(total):
                    total[period] += asked - level
                before, level = max(before, period), asked
                if at == len(points) - 1:
                    for t in range(max(0, before + 1), len(total)):
                        total[t] += level
        return total

    def _milestones(self, material: str, buyer: str | None) -> list[tuple[int, float]]:
        """Return the periods from which targets hold, with the stock that they ask for."""
        stockpile, found = self.stockpile, dict[int, float]()
        rows = (r for r in stockpile.rows(Target) if (r.material, r.buyer) == (material, buyer))
        for row in sorted(rows, key=lambda each: each.from_):
            period = stockpile.calendar.period(row.from_)
            node = self.path[min(max(period, 0), len(self.path) - 1)]
            found[max(period, -1)] = target_terms.level(stockpile, row, node)
        return sorted(found.items())

    # --- Lots

    def _leave(self, t: int, quantity: float) -> None:
        """Take metal out, the oldest first, and what no longer counts."""
        self.lots.sort()
        left = []
        for made, held in self.lots:
            taken = min(held, quantity)
            quantity -= taken
            if held > taken and self._counts(t, made):
                left.append((made, held - taken))
        self.lots = left

    def _counts(self, t: int, made: int) -> bool:
        """Return whether metal made in a period counts at the end of another."""
        life = self.stockpile.life(self.material)
        age = t - made
        return life is None or (
            age < life and target_terms.counts(self.stockpile, self.material, age)
        )

    def _counting(self, t: int) -> float:
        return sum(held for made, held in self.lots if self._counts(t, made))

    def _on_hand(self, t: int) -> float:
        return sum(held for made, held in self.lots if made <= t)

    # --- Where it comes from

    def _sign(self, wanted: list[float]) -> Iterator[tuple[int, float]]:
        """Sign the cheapest contracts that an even supply has use for, at their lowest floors.

        Yields what they deliver: a period and a quantity.
        """
        stockpile = self.stockpile
        years = max(1.0, len(self.path) * stockpile.calendar.months / 12)
        life = stockpile.life(self.material)
        turns = 1.0 if life is None else max(1.0, years * 12 / (life * stockpile.calendar.months))
        need = max(wanted, default=0.0) * turns + sum(map(self._used, self.path))
        left = need / years
        for _, source in sorted(self._sources(), key=lambda each: each[0]):
            if left <= 0:
                break
            if isinstance(source, Offer):
                left -= self._yearly(source)
                continue
            contract, level = source.contract, source.level
            left -= level.annual_quantity
            self.wishes.signed[contract.contract] = (level.level, source.node)
            rate = contract_terms.even(stockpile, level) * contract.availability
            begun = contract_terms.begun(stockpile, contract, source.node)
            yield from ((stockpile.tree.period[n], rate) for n in begun)

    def _yearly(self, offer: Offer) -> float:
        """Return the most that an offer brings in a year [quantity]."""
        orders = len(self._offers[offer.offer][1])
        most = math.inf if offer.capacity is None else offer.capacity * orders
        total = math.inf if offer.total is None else offer.total
        years = len(self.path) * self.stockpile.calendar.months / 12
        return min(most, total) * offer.availability / max(1.0, years) if orders else 0.0

    def _sources(self) -> Iterator[tuple[float, Offer | ThumbOfftake]]:
        """Yield offers, and contracts at their lowest floor when they can first be signed, each
        with what a unit costs landed [money/quantity]. A contract that waits for a plant is left.
        """
        stockpile = self.stockpile
        for offer, placed in self._offers.values():
            if placed:
                yield self._landed(offer, sorted(placed)[len(placed) // 2]), offer
        for contract in stockpile.rows(Contract):
            levels = [*contract_terms.menu(stockpile).get(contract.contract, {}).values()]
            nodes = [*contract_terms.signable(stockpile, contract)]
            mine = contract.material == self.material and stockpile.counts(contract.supplier)
            if mine and levels and nodes and not contract.project and contract.form == "purchase":
                low = min(levels, key=lambda f: contract_terms.floor_value(stockpile, f, nodes[0]))
                begun = contract_terms.begun(stockpile, contract, nodes[0])
                middle = [*begun][len(begun) // 2]
                price = contract_terms.price(stockpile, contract, low, begun[middle], middle)
                landed = price * (1 + contract.duty) + contract.freight
                yield landed, ThumbOfftake(contract, low, nodes[0])

    def _landed(self, offer: Offer, node: int) -> float:
        """Return what a unit that arrives costs, all in [money/quantity]."""
        price = offer_terms.price(self.stockpile, offer, node) * (1 + offer.duty)
        lost = offer.availability if offer.payment == "order" and offer.availability else 1.0
        return (price + offer.adder + offer.freight) / lost

    def _ordered(self, t: int, missing: float) -> Iterator[tuple[int, float]]:
        """Order what is missing at the end of a period, the cheapest landed first.

        Yields what arrives: a quantity, in that period or later where no order comes in time.
        """
        choices = []
        for name, (offer, nodes) in self._offers.items():
            node = self.path[max(0, t - offer_terms.lead(self.stockpile, offer))]
            if offer.availability > 0 and node in nodes:
                choices.append((self._landed(offer, node), name, offer, node))
        for _, name, offer, node in sorted(choices, key=lambda each: each[:2]):
            quantity = self._room(offer, node, missing / offer.availability)
            if quantity > 0:
                key = name, node
                self.wishes.orders[key] = self.wishes.orders.get(key, 0.0) + quantity
                missing -= quantity * offer.availability
                arrives = self.stockpile.tree.period[node]
                arrives += offer_terms.lead(self.stockpile, offer)
                yield arrives, quantity * offer.availability
            if missing <= self.stockpile.scale.nothing:
                return

    @functools.cached_property
    def _offers(self) -> dict[str, tuple[Offer, frozenset[int]]]:
        """Return the offers of the material by name, with the nodes at which each can be placed."""
        rows = (each for each in self.stockpile.rows(Offer) if each.material == self.material)
        return {row.offer: (row, frozenset(placeable(self.stockpile, row))) for row in rows}

    def _room(self, offer: Offer, node: int, quantity: float) -> float:
        """Return what is ordered where so much is wanted: in lots, within capacity and total."""
        orders = self.wishes.orders
        before = orders.get((offer.offer, node), 0.0)
        most = math.inf if offer.capacity is None else offer.capacity - before
        if offer.total is not None:
            done = sum(each for (name, _), each in orders.items() if name == offer.offer)
            most = min(most, offer.total - done)
        quantity = quantity if before else max(quantity, offer.minimum_order)
        if lot := self.stockpile.lot(offer.lot_size):
            quantity = math.ceil(quantity / lot - 1e-9) * lot
            most = most if math.isinf(most) else math.floor(most / lot + 1e-9) * lot
        quantity = min(quantity, most)
        return quantity if before or quantity >= offer.minimum_order else 0.0
