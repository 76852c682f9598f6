"""What a plan has on hand, and what is due, on the path of one scenario.

It is read off the rows of the plan. What is due at a date is what was ordered or signed before it,
and what has gone out and comes back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from optimiser.plan.plan import Plan
from stockpile_model import restricted
from stockpile_model.block import exits
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.extension_report import ExtensionOutcome
from stockpile_model.blocks.moves import move_terms
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.calendar import Calendar
from stockpile_model.lots import OPENING, RETURN
from stockpile_model.name_lists import names_in
from stockpile_model.schema import Dated
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import OPERATING, Supplier
from stockpile_model.tree import ALL, BASE

D = TypeVar("D", bound=Dated)
EXTENDED = "extend"


@dataclass(frozen=True)
class MetalBatch:
    """Metal that is on hand from a period on, at an age then [periods]; its quantity."""

    material: str
    site: str
    period: int
    age: int
    quantity: float


@dataclass(frozen=True)
class DueMetal:
    """Metal that comes: what was decided in which period brings it; None: before the start.

    `restricted`: the share of it that looks through to the restricted country [1]. `operating`:
    whether the plant that makes it operates; of what comes back it is no plant.
    """

    batch: MetalBatch
    decided: int | None
    restricted: float
    bought: bool
    operating: bool = False


def names(stockpile: Stockpile) -> dict[str, float]:
    """Return the scenarios of a plan with their probabilities; without any the base."""
    probability = stockpile.tree.probability
    found = {name: probability[leaf] for name, leaf in stockpile.scenarios.items()}
    return found or {BASE: 1.0}


class PathSupply:
    """The supply of a plan on the path of a scenario."""

    def __init__(self, plan: Plan, scenario: str) -> None:
        self.plan, self.scenario, self.stockpile = plan, scenario, plan.stockpile
        leaf = self.stockpile.scenarios.get(scenario, self.stockpile.tree.leaves[0])
        self.path = self.stockpile.tree.paths[leaf]
        self._listed = {ALL: True}  # whether rows that list these scenarios hold

    @property
    def calendar(self) -> Calendar:
        """Return the periods of the horizon."""
        return self.stockpile.calendar

    def node(self, period: int) -> int:
        """Return the node of a period; after the horizon the last."""
        return self.path[min(period, len(self.path) - 1)]

    def now(self, period: int) -> Stockpile:
        """Return the rows as they stand in a period; after the horizon as in the last."""
        return self.stockpile.at(self.node(period))

    def rows(self, kind: type[D]) -> list[D]:
        """Return the rows of a type that hold in the scenario."""
        return [row for row in self.plan.of(kind) if self._holds(row.scenarios)]

    def _holds(self, listed: str) -> bool:
        if listed not in self._listed:
            self._listed[listed] = self.scenario in names_in(listed)
        return self._listed[listed]

    # --- On hand

    def on_hand(self, period: int) -> list[MetalBatch]:
        """Return the metal in spec that is on hand as a period begins, with its age in it.

        In the first period that is the opening stock.
        """
        return self._openings if period == 0 else self.left(period - 1, later=1)

    def left(self, period: int, later: int = 0) -> list[MetalBatch]:
        """Return the metal in spec at the end of a period, with its age so many periods later."""
        return [
            MetalBatch(each.material, each.site, period + later, age + later, each.quantity)
            for each, age in self._stock.get(period, ())
        ]

    @cached_property
    def _stock(self) -> dict[int, list[tuple[LotStock, int]]]:
        found: dict[int, list[tuple[LotStock, int]]] = {}
        for row in self.rows(LotStock):
            if row.remaining_life is None or row.remaining_life > 0:  # what failed a test has none
                period = self.calendar.period(row.date)
                found.setdefault(period, []).append((row, self._periods(row.age)))
        return found

    @cached_property
    def _openings(self) -> list[MetalBatch]:
        return [
            self._batch(row, self._periods(row.age))
            for row in self._moved
            if row.kind == OPENING and row.remaining_life != 0
            if self.calendar.period(row.date) == 0
        ]

    # --- Due

    @cached_property
    def coming(self) -> list[DueMetal]:
        """Return all that comes under offers and contracts, from outlets and from other sites."""
        return [*self._delivered(), *self._returned()]

    def _delivered(self) -> Iterator[DueMetal]:
        """Yield deliveries, a part for each order that arrives together."""
        ordered = self._ordered()
        for row in self.rows(Delivery):
            period = self.calendar.period(row.date)
            now, age = self.now(period), period - self.calendar.period(row.made)
            of = (
                restricted.share(now, row.supplier),
                True,
                now.keyed(Supplier)[row.supplier].stage == OPERATING,
            )
            whole = self._batch(row, age)
            key = row.kind, row.name, row.date
            parts = {} if row.in_transit else ordered.get(key, {})
            if not parts:
                parts = {None if row.in_transit else self._signed(row): 1.0}
            for decided, part in parts.items():
                batch = MetalBatch(whole.material, whole.site, period, age, part * whole.quantity)
                yield DueMetal(batch, decided, *of)

    def _ordered(self) -> dict[tuple[str, str, dt.date], dict[int | None, float]]:
        """Return in which periods what arrives under an offer was ordered, with their shares."""
        sums: dict[tuple[str, str, dt.date], dict[int | None, float]] = {}
        for row in self.rows(Order):
            parts = sums.setdefault((Offer.TABLE, row.offer, row.arrives), {})
            period = self.calendar.period(row.date)
            parts[period] = parts.get(period, 0.0) + row.ordered
        for parts in sums.values():
            total = sum(parts.values())
            for decided in parts:
                parts[decided] /= total
        return sums

    def _signed(self, row: Delivery) -> int:
        """Return the period of the decision that brings a delivery under a contract.

        That is its signing, or after its term the decision to extend it.
        """
        contract = next(
            each
            for each in self.rows(ContractOutcome)
            if each.contract == row.name and each.signed is not None
        )
        decided = contract.signed
        if contract.last_delivery is not None and row.date > contract.last_delivery:
            decided = next(
                each.date
                for each in self.rows(ExtensionOutcome)
                if each.contract == row.name and each.decision == EXTENDED
            )
        assert decided is not None
        return self.calendar.period(decided)

    def _returned(self) -> Iterator[DueMetal]:
        """Yield what comes back from outlets, and what arrives from other sites."""
        inside = {each.inside for each in exits() if each.inside}
        for row in self._moved:
            later = row.kind == OPENING and self.calendar.period(row.date) > 0
            if later and row.remaining_life != 0:  # it was under way at the start
                batch = self._batch(row, self._periods(row.age))
                yield DueMetal(batch, None, 0.0, bought=False)
            if row.kind in (RETURN, *inside) and row.remaining_life != 0:
                batch = self._batch(row, self._periods(row.age))
                back = row.kind == RETURN
                sent = (
                    self._sent_out(row.name, batch.period)
                    if back
                    else self._moved_off(row.name, batch.period)
                )
                country = self.now(batch.period).keyed(Outlet)[row.name].country if back else None
                cut = float(restricted.is_restricted(self.now(batch.period), country))
                yield DueMetal(batch, sent, cut, bought=False)

    def _sent_out(self, outlet: str, back: int) -> int | None:
        """Return the period in which what an outlet gives back in a period went in.

        None: that was before the start.
        """
        sent = (
            sent
            for sent in range(back, -1, -1)
            for now in [self.now(sent)]
            if sent + outlet_terms.lead(now, now.keyed(Outlet)[outlet]) == back
        )
        return next(sent, None)

    def _moved_off(self, move: str, there: int) -> int:
        """Return the period in which what arrives by a move in a period left."""
        return next(
            sent
            for sent in range(there, -1, -1)
            for now in [self.now(sent)]
            if sent + move_terms.lead(now, now.keyed(SiteMove)[move]) == there
        )

    @cached_property
    def _moved(self) -> list[Movement]:
        return self.rows(Movement)

    def _batch(self, row: Movement | Delivery, age: int) -> MetalBatch:
        period = self.calendar.period(row.date)
        return MetalBatch(row.material, row.site, period, age, row.quantity)

    def _periods(self, months: float) -> int:
        return round(months / self.calendar.months)
