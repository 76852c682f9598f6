"""What is known of a solved plan at the date of a row: so the row can say why it is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from optimiser.plan.reason_limits import BindingLimits
from optimiser.plan.target_sums import TargetSums
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.schema import Dated, Result
from stockpile_model.stockpile import Stockpile

TOLD = "; "  # between the clauses of a reason


class KnownFacts:
    """Describe what is known of a plan: worths and limits by the duals of its linear program, and
    targets.

    Each question is asked once: many rows share a date.
    """

    def __init__(
        self, binding: BindingLimits, rows: Mapping[type[Result], Sequence[Result]]
    ) -> None:
        self.binding, self.formulation = binding, binding.formulation
        missed = TargetSums[tuple[str, str, dt.date]]()
        for row in cast("Iterable[TargetMet]", rows.get(TargetMet, ())):
            for material in self.formulation.stockpile.members(row.material):
                missed.add((material, row.scenarios, row.date), row, row.below)
        self._missed = missed.largest()
        self._worths: dict[tuple[str, int, int, dt.date], float | None] = {}

    def because(self, row: Dated, node: int) -> str | None:
        """Return why a row at a node is done, in one sentence; None where it does not say."""
        said = row.because(_AtNode(self, row, node))
        return TOLD.join(said) or None

    def worth(self, material: str, node: int, day: dt.date, age: int) -> float | None:
        """Return what one more unit is worth at a date, expected at a node [money/quantity]."""
        key = material, node, age, day
        if key not in self._worths:
            self._worths[key] = self._worth(*key)
        return self._worths[key]

    def _worth(self, material: str, node: int, age: int, day: dt.date) -> float | None:
        stockpile = self.formulation.stockpile
        tree, period = stockpile.tree, stockpile.calendar.period(day)
        if not tree.period[node] <= period < stockpile.calendar.periods:
            return None
        ends = tree.later(node, period - tree.period[node])
        found = [self.binding.worth(material, n, age) for n in ends]
        shares = [tree.probability[n] for n in ends]
        if any(each is None for each in found) or not sum(shares):
            return None
        mean = sum(share * (each or 0.0) for share, each in zip(shares, found, strict=True))
        return mean / sum(shares) / stockpile.discount(period)

    def below(self, material: str, scenarios: str, day: dt.date) -> float | None:
        """Return what is missing of the targets of a material; None where it has none then."""
        return self._missed.get((material, scenarios, day))


@dataclass(frozen=True)
class _AtNode:
    """Describe what is known where a row is decided."""

    known: KnownFacts
    row: Dated
    node: int

    @property
    def now(self) -> Stockpile:
        """Return the rows of the input as they stand there."""
        return self.known.formulation.stockpile.at(self.node)

    def worth(self, material: str, day: dt.date, age: int) -> float | None:
        """Return what one more unit is worth to the plan at a date, at an age in periods."""
        return self.known.worth(material, self.node, day, age)

    def below(self, material: str) -> float | None:
        """Return what is missing of the targets of a material [quantity]; None: it has none."""
        day = self.row.last_day(self.now.calendar)
        return None if day is None else self.known.below(material, self.row.scenarios, day)

    def stop(self, table: str, name: str) -> str | None:
        """Return the limit of a row of the input that binds then, with its cell."""
        stop = self.known.binding.at(table, name, self.node)
        return None if stop is None else str(stop)
