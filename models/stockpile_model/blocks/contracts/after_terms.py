"""What a signed contract binds after the horizon, as numbers. It holds no variable.

Dates and terms are those at signing, prices and levels those at the end of the path. An index is
flat after its last date, and so is a currency: each payment is at the rate of its date.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from stockpile_model.blocks.commitments.commitment_terms import ready_before
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.contracts.schedule import Cover, Schedule, Signature
from stockpile_model.blocks.projects.project_terms import ready
from stockpile_model.extremes import larger, smaller
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


class Bound(NamedTuple):
    """Describe what a level binds in a period after the horizon.

    `least`, `most`: the quantity to take [quantity]. `price`: of a unit; of a cfd its top-up.
    `topup`: what a unit costs above the reference [money/quantity]. `arrives`: the share of what is
    called off that arrives and is paid [1].
    """

    period: int
    least: float
    most: float
    price: float
    topup: float
    arrives: float


class Spell(NamedTuple):
    """The periods from the first delivery to the true end, of which the first `term` are the term.

    An extension adds the others.
    """

    periods: range
    term: int


@dataclass(frozen=True, eq=False)
class AfterTerms:
    """Describe what the contracts of a schedule bind after the horizon, on the path to each
    leaf."""

    schedule: Schedule

    @property
    def stockpile(self) -> Stockpile:
        """Return the rows of the workbook."""
        return self.schedule.stockpile

    @functools.cached_property
    def _firsts(self) -> dict[tuple[str, Cover], dict[int, int]]:
        """Return the period of first delivery of each signature, at each of its nodes of
        delivery."""
        found: dict[tuple[str, Cover], dict[int, int]] = {}
        for (k, d, n), covers in self.schedule.active.items():
            for cover in covers:
                found.setdefault((k, cover), {})[n] = d
        for k, n in self.schedule.signings:  # signed before the start, to deliver after the end
            if terms.signed_before(self.stockpile, k):
                found.setdefault((k, Signature(n, None)), {})
        return found

    def signatures(self) -> Iterator[tuple[str, Cover, int, Spell]]:
        """Yield contract, signature, leaf and the periods of delivery on the path to it.

        The extensions of a contract follow its signatures.
        """
        tree = self.stockpile.tree
        for (k, cover), firsts in self._firsts.items():
            for leaf in tree.leaves:
                if cover.node in tree.paths[leaf]:
                    yield k, cover, leaf, self._spell(k, cover, leaf, firsts)

    def _spell(self, k: str, cover: Cover, leaf: int, firsts: dict[int, int]) -> Spell:
        """Return the periods of delivery on the path to a leaf, also those past the horizon."""
        if isinstance(cover, Signature):
            term = self._term(k, cover, leaf, firsts)
            return Spell(term, len(term))
        row, count = self.schedule.contract(k, cover.node), self.stockpile.calendar.count
        term = range(cover.first, terms.true_last(self.stockpile, row, cover.first) + 1)
        return Spell(range(term.start, term.stop + count(row.option_months)), len(term))

    def _term(self, k: str, signature: Signature, leaf: int, firsts: dict[int, int]) -> range:
        """Return the periods of delivery on the path to a leaf, also those past the horizon."""
        stockpile, (s, going) = self.stockpile, signature
        row = self.schedule.contract(k, s)
        first = next((firsts[n] for n in stockpile.tree.paths[leaf] if n in firsts), None)
        if first is None:
            opened = (
                ready_before(stockpile, row.project) or 0
                if going is None
                else ready(stockpile, str(row.project), going)
            )
            ships = stockpile.at(leaf).shipping(row.supplier)
            agreed = terms.agreed(stockpile, row, s)
            first = max(agreed, opened, ships, stockpile.calendar.periods)
        return range(first, terms.true_last(stockpile, row, first) + 1)

    def bound(self, k: str, f: str, leaf: int, span: Spell) -> Iterator[Bound]:
        """Yield what a level binds in each period that lies after the horizon."""
        term = span.periods
        stockpile, schedule = self.stockpile, self.schedule
        row, floor = schedule.contract(k, leaf), schedule.floor(k, f, leaf)
        even = terms.even(stockpile, floor)
        cash = row.form == "cfd"
        taken = even if cash else self._least(row, even, span.term)
        most = even if cash else row.flex * even
        for t in range(max(term.start, stockpile.calendar.periods), term.stop):
            years = (t - term.start) * stockpile.calendar.months // 12
            rate = self._rate(k, leaf, t)
            least = rate * self._floor(k, f, leaf, t) * (1 + floor.escalation) ** years
            reference = self._reference(k, leaf, t)
            topup = 0.0 if reference is None else larger(0.0, least - reference)
            price = topup if cash else larger(least, rate * self._market(row, leaf, t))
            arrives = 1.0 if cash else row.availability
            yield Bound(t, taken, most, price, topup, arrives)

    def _least(self, row: Contract, even: float, periods: int) -> float:
        """Return the least to take or pay for in a period of a term of so many [quantity].

        It is the take-or-pay, or the least total pro rata, and no less than the period's least.
        """
        owed = row.take_or_pay * even if row.least_total is None else row.least_total / periods
        return larger(owed, row.least_per_period * even) if row.least_per_period else owed

    def _index(self, index: str, leaf: int, t: int) -> float:
        """Return an index on the first day of a period, as it stands at a leaf."""
        found = self._indices.get((index, leaf, t))
        if found is None:
            stockpile = self.stockpile
            found = stockpile.at(leaf).price_on(index, stockpile.calendar.begin(t))
            self._indices[index, leaf, t] = found
        return found

    @functools.cached_property
    def _indices(self) -> dict[tuple[str, int, int], float]:
        return {}

    def _rate(self, k: str, leaf: int, t: int) -> float:
        """Return how many times what it was at the end of the path a contract's currency is worth.

        The rows of a leaf are in the book's money by the prices of its period.
        """
        currency = self.stockpile.keyed(Contract)[k].currency
        if currency is None:
            return 1.0
        last = self._index(currency, leaf, self.stockpile.calendar.periods - 1)
        return self._index(currency, leaf, t) / last if last else 1.0

    def _floor(self, k: str, f: str, leaf: int, t: int) -> float:
        """Return a floor in a period, before it escalates, at the rate of the leaf."""
        floor = self.schedule.floor(k, f, leaf)
        if floor.floor_index is None:
            return floor.floor or 0.0
        factor = 1.0 if floor.floor_factor is None else floor.floor_factor
        return self._index(floor.floor_index, leaf, t) * factor

    def _reference(self, k: str, leaf: int, t: int) -> float | None:
        """Return the reference, or where the floor is the price that of the material.

        None where neither has an index.
        """
        row = self.schedule.contract(k, leaf)
        if row.price_index is not None:
            reference = self._index(row.price_index, leaf, t) * (1 - row.discount)
            return self._rate(k, leaf, t) * reference
        worth = self.stockpile.at(leaf).keyed(Material)[row.material].price_index
        return None if worth is None else self._index(worth, leaf, t)

    def _market(self, row: Contract, leaf: int, t: int) -> float:
        """Return min(ceiling, reference) at the rate of the leaf; 0 where there is no index."""
        if row.price_index is None:
            return 0.0
        found = self._index(row.price_index, leaf, t) * (1 - row.discount)
        return found if row.ceiling is None else smaller(row.ceiling, found)
