"""Nearness: by how much a plan changes decisions that were announced.

A decision (an order, a signature, a call-off, a project, a rotation) is taken at a node. What
changes is the difference between what is done and what was announced, weighed by the value of the
decision, so that kilograms, signatures and grants are all one kind of money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyomo.environ as pyo

from stockpile_model.block import Deed, announceable
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.scale import NOISE
from stockpile_model.stockpile import Stockpile

COMPONENTS = ("ANNOUNCED", "more", "less", "balance_announced", "changed")
"""The components that `add_nearness` adds."""


class DeedKey(NamedTuple):
    """A decision at a node: its kind, its name and its level (None: it has none)."""

    kind: str
    name: str
    level: str | None
    node: int


@dataclass(frozen=True)
class Decided:
    """A decision that a plan can take at a node.

    `announced`: how much of it was announced [quantity or times]. `value`: what one unit of it
    moves [money/quantity, or money]. `done`: the variables of what is done; none where it is not
    possible there.
    """

    key: DeedKey
    announced: float
    value: float
    done: tuple[Any, ...]

    @property
    def now(self) -> float:
        """Return what the plan does of it [quantity or times]."""
        return sum(evaluate(each) for each in self.done)


def members(stockpile: Stockpile, deed: Deed) -> Iterator[tuple[str, str | None]]:
    """Yield the names of a deed, each with each of its levels."""
    for name in stockpile.names(deed.table):
        if deed.levels is None:
            yield name, None
        else:
            yield from ((name, level) for level in deed.levels(stockpile, name))


def value_of(stockpile: Stockpile, key: DeedKey) -> float:
    """Return what one unit of a decision moves [money/quantity, or money].

    What has no price is worth what a unit of the scale is: no change is free.
    """
    deed = announceable()[key.kind]
    found = deed.value(stockpile, key.name, key.level, key.node)
    return found if found > 0 else stockpile.scale.of("money/quantity" if deed.metal else "money")


def nothing_of(stockpile: Stockpile, kind: str) -> float:
    """Return up to which amount nothing is done of a decision of a kind [quantity or times]."""
    return stockpile.scale.nothing if announceable()[kind].metal else NOISE


def decided(
    formulation: Formulation, announced: Mapping[DeedKey, float], within: Callable[[int], bool]
) -> list[Decided]:
    """Return every decision that can be taken at the nodes `within` the time of what was announced.

    What was `announced` and is not possible any more is none of them.
    """
    stockpile, found = formulation.stockpile, list[Decided]()
    for kind, deed in announceable().items():
        for name, level in members(stockpile, deed):
            for n in dict.fromkeys(deed.possible(stockpile, name)):
                done = tuple(deed.done(formulation.m, stockpile, name, level, n))
                if done and within(n):
                    key = DeedKey(kind, name, level, n)
                    value = value_of(stockpile, key)
                    found.append(Decided(key, announced.get(key, 0.0), value, done))
    return found


def add_nearness(formulation: Formulation, decisions: Sequence[Decided]) -> None:
    """Add what a plan changes: the objective `changed`, Σ_n π_n · value · |done - announced|.

    It is not active. more[d] and less[d] are how far metal that was announced is missed; whole
    decisions need none, |done - 1| is 1 - done, and |done - 0| is done.
    """
    m, scale = formulation.m, formulation.stockpile.scale
    table = {_index(each.key): each for each in decisions if _measured(each)}
    m.ANNOUNCED = pyo.Set(
        dimen=4,
        initialize=list(table),
        doc="metal that was announced: kind of decision, name, level, node",
    )
    m.more = pyo.Var(
        m.ANNOUNCED, domain=pyo.NonNegativeReals, doc="done beyond what was announced [quantity]"
    )
    m.less = pyo.Var(
        m.ANNOUNCED, domain=pyo.NonNegativeReals, doc="announced and not done [quantity]"
    )
    m.balance_announced = pyo.Constraint(
        m.ANNOUNCED,
        rule=lambda m, *d: summed([*table[d].done, -m.more[d], m.less[d]]) == table[d].announced,
        doc="what is done is what was announced, and more or less of it [quantity]",
    )
    m.changed = pyo.Objective(
        expr=summed(_changes(m, formulation.stockpile, decisions)),
        sense=pyo.minimize,
        doc="expected value of what is changed of the plan that was announced [money]",
    )
    m.changed.deactivate()
    for d, each in table.items():  # where a search begins
        m.more[d].set_value(max(0.0, each.now - each.announced), skip_validation=True)
        m.less[d].set_value(max(0.0, each.announced - each.now), skip_validation=True)
    for part in (m.more, m.less, m.balance_announced):
        m.scaling_factor[part] = 1 / scale.quantity
    m.scaling_factor[m.changed] = 1 / scale.money


def gaps(m: pyo.ConcreteModel, each: Decided) -> list[Any]:
    """Return the terms of by how much a decision differs from what was announced."""
    if _measured(each):
        return [m.more[_index(each.key)], m.less[_index(each.key)]]
    return [1.0, *(-part for part in each.done)] if each.announced else list(each.done)


def parts(m: pyo.ConcreteModel, each: Decided) -> list[Any]:
    """Return the variables that, each at the bound where it changes least, keep a decision as it
    was announced; none where a whole one can be done in several ways.
    """
    if _measured(each):
        return [m.more[_index(each.key)], m.less[_index(each.key)]]
    return [] if each.announced and len(each.done) > 1 else list(each.done)


def _changes(
    m: pyo.ConcreteModel, stockpile: Stockpile, decisions: Iterable[Decided]
) -> Iterator[Any]:
    """Yield the terms of Σ_n π_n · value · |done - announced| [money]."""
    for each in decisions:
        weight = stockpile.tree.probability[each.key.node] * each.value
        yield from (weight * part for part in gaps(m, each))


def _index(key: DeedKey) -> tuple[str, str, str, int]:
    return key.kind, key.name, key.level or "", key.node


def _measured(each: Decided) -> bool:
    """Return whether a decision is of metal that was announced."""
    return each.announced > 0 and announceable()[each.key.kind].metal


def remove_nearness(formulation: Formulation) -> None:
    """Take the components of `add_nearness` out of the model again."""
    for name in COMPONENTS:
        part = formulation.m.component(name)
        if part in formulation.m.scaling_factor:
            del formulation.m.scaling_factor[part]
        formulation.m.del_component(part)
