"""The price at which something enters the plan or leaves it, by ranging: for what is not whole."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from optimiser.solving.ranging import Direction, Ranging
from stockpile_model import amounts
from stockpile_model.block import blocks
from stockpile_model.blocks.budget import outlay_rows, unsettled
from stockpile_model.choice import Lever, PlanChoice
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile

RANGING = "ranging"
KEPT = "ranging, other whole decisions kept"


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

    def of(self, choice: PlanChoice, member: tuple[str, str | None], used: bool) -> Changed | None:
        """Return by how much the price of a choice must change; None where ranging is silent."""
        return _turning(self, choice, member, used)


def _turning(
    prices: TurningPrices, choice: PlanChoice, member: tuple[str, str | None], used: bool
) -> Changed | None:
    (name, level), formulation, ranging = member, prices.formulation, prices.ranging
    whole = prices.whole
    lever = None if choice.lever is None else choice.lever(formulation.stockpile, name, level)
    if lever is None or whole.of(choice, name) or formulation.stockpile.settings.risk_weight:
        return None
    if name in prices.unsettled:
        return None
    direction = _direction(prices, choice, member)
    if direction is None:
        return None
    found = ranging.leaves(_worse(direction, lever), lever.worst) if used else None
    if not used:
        found = ranging.enters(_worse(direction, lever), lever.room)
    if found is None:
        return None
    least, most = found.least, found.most
    change = most if least is None else least
    return Changed(
        change,
        least,
        most,
        unit_of(formulation.stockpile, lever),
        KEPT if whole.any else RANGING,
        None if change is None else typed(lever, change, used),
    )


def _direction(
    prices: TurningPrices, choice: PlanChoice, member: tuple[str, str | None]
) -> Direction | None:
    """Return how the program changes with one unit of a choice's lever."""
    stockpile, done, cost, entries = prices.formulation.stockpile, [], [], []
    for each in choice.payments(prices.formulation, *member):
        weight = stockpile.tree.probability[each.node]
        weight *= stockpile.discount(stockpile.tree.period[each.node])
        done.append(each.data)
        cost.append((each.data, weight * each.factor))
        if each.heading:
            row = prices.outlays.get((each.node, each.heading, member[0]))
            if row is not None:
                entries.append((row, each.data, -each.factor))
    return prices.ranging.direction(done, cost, entries)


def _worse(direction: Direction, lever: Lever) -> Direction:
    """Return the direction in which the lever worsens the plan."""
    if lever.sign > 0:
        return direction
    cost = {j: -each for j, each in direction.cost.items()}
    entries = {key: -each for key, each in direction.entries.items()}
    return Direction(direction.done, cost, entries)


def unit_of(stockpile: Stockpile, lever: Lever) -> str:
    """Return the unit of a lever in words."""
    settings = stockpile.settings
    unit = lever.unit.replace("quantity", settings.quantity_unit)
    return unit.replace("money", settings.currency) if unit != "1" else "of the index"


def typed(lever: Lever, change: float, used: bool) -> str:
    """Return a change as `--set` takes it, one after another."""
    by = change * lever.sign * (1 if used else -1)
    written = amounts.clean(float(f"{by:.9g}"))  # what is behind it is the solver's noise
    return "; ".join(
        f"{table}[{row}].{column} add {written:.9g}" for table, row, column in lever.cells
    )
