"""What a plan may use or leave, what that costs, and which rules it could do without: what blocks
say so that a plan can give its reasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pyomo.environ as pyo

from stockpile_model.formulation import Formulation
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile

if TYPE_CHECKING:
    from stockpile_model.block import Deed


def _none(*_: Any) -> tuple[Any, ...]:
    return ()


class UnitCost(NamedTuple):
    """Describe what a unit costs landed [money/quantity], undiscounted; below zero it earns.

    `price` has its adder, `ordering` is the cost of an order, spread over what it holds, `other` is
    what else it costs. `present` is the whole, discounted to the start of the horizon.
    """

    price: float = 0.0
    duty: float = 0.0
    freight: float = 0.0
    ordering: float = 0.0
    handling: float = 0.0
    other: float = 0.0
    present: float = 0.0

    @property
    def landed(self) -> float:
        """Return the whole, undiscounted."""
        return sum(self[:-1])


class Fact(NamedTuple):
    """Describe what a plan does of a choice at a node [quantity or 1], or 0, and what a unit costs
    there.

    `cost` is None where it has none of its own. `brings`: it is metal that comes, so that other
    metal may be beaten by it.
    """

    node: int
    amount: float
    cost: UnitCost | None = None
    brings: bool = False


class LeverPayment(NamedTuple):
    """Describe what is paid for one unit of a choice that is done, for one unit of its lever.

    `data`: a variable that holds such units. `factor`: money that is paid for each at a node, by
    the appropriations that pay what the ledger posts under `heading` and the choice's name.
    """

    data: Any
    node: int
    factor: float
    heading: str


@dataclass(frozen=True)
class Lever:
    """Cells that move what a unit of a choice costs, all by the same amount.

    `cells`: table, row and column of each, as a change addresses them. `unit`: theirs. `sign`: 1
    where less is better for the plan, -1 where more is. `room`: by how much they can be bettered,
    `worst`: by how much they can be worsened; infinite where nothing ends it.
    """

    cells: tuple[tuple[str, str, str], ...]
    unit: str
    sign: int
    room: float
    worst: float = math.inf


@dataclass(frozen=True, kw_only=True)
class PlanChoice:
    """Something that a plan may use or leave, of whose use it gives a reason: rows of `table`.

    `kind` is what one is called, `unit` that of the amounts of its facts. `possible`, `done` and
    `levels` are those of a deed; `deed` is its kind, blank where commitments cannot name it.

    facts(formulation, name, level): what the plan does of it where. lever(stockpile, name, level):
    the cells by which it gets cheaper; None where there is no one such amount.
    payments(formulation, name, level): what one unit of the lever costs. why_not(stockpile, name):
    why it can never be used; blank where it can.
    """

    kind: str
    table: str
    unit: str
    possible: Callable[[Stockpile, str], Iterable[int]]
    done: Callable[[pyo.ConcreteModel, Stockpile, str, str | None, int], Sequence[Any]]
    levels: Callable[[Stockpile, str], Iterable[str]] | None = None
    deed: str = ""
    facts: Callable[[Formulation, str, str | None], Iterable[Fact]] | None = None
    lever: Callable[[Stockpile, str, str | None], Lever | None] | None = None
    payments: Callable[[Formulation, str, str | None], Iterable[LeverPayment]] = _none
    why_not: Callable[[Stockpile, str], str] | None = None


def chosen(deed: Deed, **rest: Any) -> PlanChoice:
    """Return the choice whose deed a commitment can name; `rest` are its other fields."""
    of = {each: getattr(deed, each) for each in ("table", "possible", "done", "levels")}
    unit = "quantity" if deed.metal else "times"
    return PlanChoice(**{"kind": deed.kind, "unit": unit, **of, "deed": deed.kind, **rest})


class Bar(NamedTuple):
    """Describe what allows nothing of a choice: what it is, and the row and column that say so."""

    what: str
    row: Row
    column: str


@dataclass(frozen=True)
class Waiver:
    """A rule of the workbook that a plan could do without: what it is, its row and column.

    lift(stockpile): the stockpile without it; its other rows keep their places.
    """

    what: str
    row: Row
    column: str
    lift: Callable[[Stockpile], Stockpile]


def changed(stockpile: Stockpile, change: Callable[[Stockpile], Stockpile]) -> Stockpile:
    """Return a stockpile after a change that is made to the rows at each node of its tree too."""
    made = {id(view): change(view) for view in stockpile.views}
    return replace(change(stockpile), views=tuple(made[id(view)] for view in stockpile.views))


def with_row(stockpile: Stockpile, kind: type[Row], number: int, **values: Any) -> Stockpile:
    """Return a stockpile with other values in a row, by its place in its table."""

    def change(view: Stockpile) -> Stockpile:
        rows = list(view.rows(kind))
        rows[number] = replace(rows[number], **values)
        return replace(view, tables={**view.tables, kind: tuple(rows)}, classes=None)

    return changed(stockpile, change)


def without_row(stockpile: Stockpile, kind: type[Row], number: int) -> Stockpile:
    """Return a stockpile without a row, by its place in its table."""

    def change(view: Stockpile) -> Stockpile:
        rows = view.rows(kind)
        kept = (*rows[:number], *rows[number + 1 :])
        return replace(view, tables={**view.tables, kind: kept}, classes=None)

    return changed(stockpile, change)


class Missed(NamedTuple):
    """Describe what is asked for at a node and is not there [quantity]; `data` is the variable of
    it."""

    node: int
    material: str
    what: str
    row: Row
    column: str
    data: Any
