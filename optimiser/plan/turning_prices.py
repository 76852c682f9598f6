"""The price at which something enters the plan or leaves it, by ranging: for what is not whole."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from optimiser.solving.ranging import Direction, Ranging
from stockpile_model.block import blocks
from stockpile_model.blocks.budget import outlay_rows, unsettled
from stockpile_model.choice import Lever, PlanChoice
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile

RANGING = "ranging"
KEPT = "ranging, other whole decisions kept"
Member = tuple[str, str | None]
"""What a choice is of: a name, and a level of it."""


@dataclass(frozen=True)
class Changed:
    """Describe by how much the price of something must change, and between what that is.

    `change` is None where no change does it. `unit` is None where that is no matter of a price.
    """

    change: float | None
    least: float | None
    most: float | None
    unit: str | None
    found_by: str
    to_type: str | None


class WholeColumns:
    """Describe which columns of a plan are whole, by their variable and the first part of its
    index."""

    def __init__(self, ranging: Ranging | None) -> None:
        self.names: dict[str, set[str]] = defaultdict(set)
        if ranging is not None:
            form = ranging.form
            for j in form.program.integer.nonzero()[0]:
                variable, key = form.labels[j]
                self.names[variable].add(str(key[0]))

    def of(self, choice: PlanChoice, name: str) -> bool:
        """Return whether a decision about a choice is whole."""
        owners = [
            block
            for block in blocks()
            if choice in block.choices or any(each.kind == choice.deed for each in block.deeds)
        ]
        return any(name in self.names.get(each, ()) for block in owners for each in block.decisions)

    @property
    def any(self) -> bool:
        """Return whether the plan has whole decisions at all."""
        return bool(self.names)


@dataclass(eq=False)
class TurningPrices:
    """The prices at which the choices of a plan turn, by ranging."""

    formulation: Formulation
    ranging: Ranging

    def __post_init__(self) -> None:
        self.whole = WholeColumns(self.ranging)

    @functools.cached_property
    def outlays(self) -> dict[tuple[int, str, str], Any]:
        """Return the constraints that pay; made only where some choice is not whole."""
        return outlay_rows(self.formulation)

    @functools.cached_property
    def unsettled(self) -> set[str]:
        """Return the names whose price changes more than these constraints."""
        return unsettled(self.formulation)

    def of(self, choice: PlanChoice, member: Member, used: bool) -> Changed | None:
        """Return by how much the price of a choice must change; None where ranging is silent."""
        (name, level), stockpile = member, self.formulation.stockpile
        lever = None if choice.lever is None else choice.lever(stockpile, name, level)
        if lever is None or not self._answers(choice, name):
            return None
        direction = self._direction(choice, member)
        if direction is None:
            return None
        worse = _worse(direction, lever)
        found = (
            self.ranging.leaves(worse, lever.worst)
            if used
            else self.ranging.enters(worse, lever.room)
        )
        if found is None:
            return None
        change = found.most if found.least is None else found.least
        return Changed(
            change,
            found.least,
            found.most,
            unit_of(stockpile, lever),
            KEPT if self.whole.any else RANGING,
            None if change is None else typed(lever, change, used),
        )

    def _answers(self, choice: PlanChoice, name: str) -> bool:
        """Return whether ranging finds a price: it is no whole decision, moves no constraint that
        is not followed, and the objective is a mean."""
        weighted = self.formulation.stockpile.settings.risk_weight
        return not (self.whole.of(choice, name) or weighted or name in self.unsettled)

    def _direction(self, choice: PlanChoice, member: Member) -> Direction | None:
        """Return how the program changes with one unit of a choice's lever."""
        stockpile = self.formulation.stockpile
        done = list[Any]()
        cost = list[tuple[Any, float]]()
        entries = list[tuple[Any, Any, float]]()
        for each in choice.payments(self.formulation, *member):
            weight = stockpile.tree.probability[each.node]
            weight *= stockpile.discount(stockpile.tree.period[each.node])
            done.append(each.data)
            cost.append((each.data, weight * each.factor))
            row = self.outlays.get((each.node, each.heading, member[0])) if each.heading else None
            if row is not None:
                entries.append((row, each.data, -each.factor))
        return self.ranging.direction(done, cost, entries)


def _worse(direction: Direction, lever: Lever) -> Direction:
    """Return the direction in which the lever worsens the plan."""
    if lever.sign > 0:
        return direction
    cost = {j: -each for j, each in direction.cost.items()}
    entries = {key: -each for key, each in direction.entries.items()}
    return Direction(direction.done, cost, entries)


def unit_of(stockpile: Stockpile, lever: Lever) -> str:
    """Return the unit of a lever in words."""
    if lever.unit == "1":
        return "of the index"
    settings = stockpile.settings
    names = {"quantity": settings.quantity_unit, "money": settings.currency}
    return "/".join(names.get(each, each) for each in lever.unit.split("/"))


def typed(lever: Lever, change: float, used: bool) -> str:
    """Return a change as `--set` takes it, one after another."""
    by = change * lever.sign * (1 if used else -1)
    written = f"{by:.9g}"  # what is behind these digits is the solver's noise
    return "; ".join(f"{table}[{row}].{column} add {written}" for table, row, column in lever.cells)
