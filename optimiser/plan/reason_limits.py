"""The limits behind a reason: those that bind what is used, and those that stop what is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from optimiser.plan.marginal_values import WORTHLESS
from optimiser.solving.ranging import Ranging
from stockpile_model import amounts
from stockpile_model.block import bars, entries, misses
from stockpile_model.choice import PlanChoice
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Limit
from stockpile_model.schema import Row, columns, get, keys

MOST_NAMED = 3  # limits that a sentence names


@dataclass(frozen=True)
class Stop:
    """A limit that binds, and the cell that sets it."""

    what: str
    cell: str | None

    def __str__(self) -> str:
        return f"{self.what} ({self.cell})" if self.cell else self.what


class BindingLimits:
    """The limits of a plan that bind, by the duals of its linear program; none without that."""

    def __init__(self, formulation: Formulation, ranging: Ranging | None) -> None:
        self.formulation, self.ranging = formulation, ranging
        self.stockpile = formulation.stockpile
        self.by_row: dict[int, Limit] = {}
        self.by_column: dict[int, Limit] = {}
        # The limits of a row of the input, by its table and key, each with its weight.
        self.own: dict[tuple[str, str], list[tuple[float, Limit]]] = defaultdict(list)
        self.asked = {each.row.TABLE for each in misses(formulation)}
        if ranging is not None and ranging.known:
            for limit in formulation.ledger.limits:
                self._add(limit, ranging)

    def _add(self, limit: Limit, ranging: Ranging) -> None:
        """Note where a limit stands in the program, and what it weighs for its row of the input.

        That is what one per cent of it is worth, times a hundred [money], so that a share and a
        quantity are compared alike in all units. One of 0 counts by what is usual of its unit.
        """
        dual = self._placed(limit, ranging)
        named = _named(limit.row)
        if dual is None or named is None:
            return
        scale = self.stockpile.scale
        worth = abs(dual * evaluate(limit.factor))
        if worth > WORTHLESS * scale.of(f"money/{limit.unit}"):
            usual = abs(limit.amount) or scale.of(limit.unit)
            self.own[named].append((worth * usual, limit))

    def _placed(self, limit: Limit, ranging: Ranging) -> float | None:
        """Note the row or the column of a limit, and return its dual; None where it is neither."""
        if limit.data.ctype is pyo.Var:
            j = ranging.form.column(limit.data)
            if j is None:
                return None
            self.by_column[j] = limit
            return min(0.0, float(ranging.column_dual[j]))
        i = ranging.form.row(limit.data)
        if i is None:
            return None
        self.by_row[i] = limit
        return float(ranging.row_dual[i])

    def of(self, choice: PlanChoice, name: str, year: int | None) -> Stop | None:
        """Return the limit of a choice's own row that binds most in a year, or at any time."""
        calendar, period = self.stockpile.calendar, self.stockpile.tree.period
        return self._hardest(
            (weight, limit)
            for weight, limit in self.own.get((choice.table, name), ())
            if year in (None, calendar.fiscal_year(period[limit.node]))
        )

    def at(self, table: str, name: str, node: int) -> Stop | None:
        """Return the limit of a row of a table that binds most at a node; None where none does."""
        return self._hardest(
            (weight, limit)
            for weight, limit in self.own.get((table, name), ())
            if limit.node == node
        )

    def _hardest(self, found: Iterable[tuple[float, Limit]]) -> Stop | None:
        """Return the limit that weighs most."""
        first = max(found, key=lambda each: each[0], default=None)
        return None if first is None else self._stop(first[1])

    def bar(self, choice: PlanChoice, name: str) -> Stop | None:
        """Return what allows nothing of a choice, in no period of any scenario."""
        kind = next(each for each in self.stockpile.tables if choice.table == each.TABLE)
        found = next(bars(self.formulation, self.stockpile.keyed(kind)[name]), None)
        if found is None:
            return None
        return Stop(found.what, self.stockpile.cell(found.row, found.column))

    def smallest(self, choice: PlanChoice, name: str) -> Stop | None:
        """Return the least that a choice must be used at once, such as its minimum order."""
        kind = next(each for each in self.stockpile.tables if choice.table == each.TABLE)
        row = self.stockpile.keyed(kind)[name]
        for each in columns(kind):
            if each.limit == "least" and (least := get(row, each.name)):
                what = f"{each.name.replace('_', ' ')} of {amounts.quantity(least)}"
                return Stop(what, self.stockpile.cell(row, each.name))
        return None

    def against(self, done: Sequence[Any], of: tuple[PlanChoice, str]) -> Stop | None:
        """Return the limit that adds most to what a unit of a choice costs that is not done.

        Its own capacity only adds to that where a whole decision is not taken, or it is 0.
        """
        if self.ranging is None or not self.ranging.known:
            return None
        found: dict[int, float] = defaultdict(float)
        for each in done:
            for i, added in self.ranging.added(each).items():
                found[i] = max(found[i], added)
        nothing = WORTHLESS * self.stockpile.scale.of("money/quantity")
        costs = {
            i: added
            for i, added in found.items()
            if added > nothing and i in self.by_row and self._stops(self.by_row[i], of)
        }
        if not costs:
            return None
        limit = self.by_row[max(costs, key=lambda i: costs[i])]
        return self._stop(limit)

    @staticmethod
    def _stops(limit: Limit, of: tuple[PlanChoice, str]) -> bool:
        """Return whether a limit may stop a choice: it is of another row, or 0."""
        choice, name = of
        return _named(limit.row) != (choice.table, name) or limit.amount == 0

    def behind(self, variable: Any) -> list[Stop]:
        """Return the limits by which a variable would fall were they looser, the first by most."""
        found = None if self.ranging is None else self.ranging.follows(variable)
        limits: dict[Stop, float] = {}
        for place, falls in (found or {}).items():
            limit = self.by_row.get(place) if place >= 0 else self.by_column.get(-1 - place)
            if limit is None or limit.row is None or limit.row.TABLE in self.asked:
                continue  # that less would be missing if less were wanted goes without saying
            looser = falls * evaluate(limit.factor) * (1 if limit.sense == "most" else -1)
            looser /= self.stockpile.scale.of(f"quantity/{limit.unit}")
            if looser > WORTHLESS:
                stop = self._stop(limit)
                limits[stop] = max(limits.get(stop, 0.0), looser)
        return sorted(limits, key=lambda each: -limits[each])[:MOST_NAMED]

    def worth(self, material: str, node: int, age: int = 0) -> float | None:
        """Return what a unit of a material is worth at a node, discounted [money/quantity].

        It is of an age in periods.
        """
        if self.ranging is None:
            return None
        probability = self.stockpile.tree.probability[node]
        duals = (self.ranging.row(each) for each in entries(self.formulation, material, node, age))
        found = [abs(each.dual) / probability for each in duals if each is not None]
        return max(found, default=None)

    def _stop(self, limit: Limit) -> Stop:
        cell = None if limit.row is None else self.stockpile.cell(limit.row, limit.column)
        return Stop(limit.what, cell)


def _named(row: Row | None) -> tuple[str, str] | None:
    """Return the table of a row and its name there; None where no single column names it."""
    names = () if row is None else keys(type(row))
    if row is None or len(names) != 1:
        return None
    return row.TABLE, str(get(row, names[0]))
