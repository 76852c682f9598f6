"""Targets: in-spec stock that must be there at period end."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.blocks.demand import serving
from stockpile_model.checks import served
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.schema import Dated, Problem, Result, Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True, kw_only=True)
class Target(Row):
    """Stock that a buyer asks for from a date on."""

    TABLE = "targets"
    PURPOSE = "In-spec stock that must be there at period end."
    STEP = "need"
    material: str = column("material", required=True, refers="materials")
    buyer: str | None = column("whose stock counts; blank = all sites", owner=True)
    from_: dt.date = column(
        "date from which it holds, until the material's next row", required=True
    )
    quantity: float = column(
        "in-spec stock at period end", "quantity", required=True, need=True, least=0
    )
    path: str = column(
        "`step`: from this date; `ramp`: linear from the row before",
        default="step",
        choices=("step", "ramp"),
    )
    hard: bool = column("whether it must be met", default=False)


@dataclass(frozen=True, kw_only=True)
class TargetMet(Dated):
    """The stock that counts towards a target at the end of a period."""

    SHEET = "targets"
    ABOUT = "stock that counts, against the target"
    PLACE = 50
    date: dt.date = column("first day of the period")
    material: str = column("material")
    buyer: str | None = column("whose stock counts")
    target: float = column("in-spec stock asked for at period end", "quantity")
    hard: bool = column("whether it must be met")
    stock: float = column("in-spec stock with enough life left to count", "quantity")
    below: float = column("what is missing", "quantity", alarm=True)
    cost: float = column("price of what is missing, discounted, expected", "money")


class Requirement(NamedTuple):
    """A target at a node, with the row that sets it."""

    quantity: float
    hard: bool
    row: Target


Asks = Mapping[tuple[str, str, int], Requirement]
"""The target of each material, buyer and node."""


@functools.lru_cache(maxsize=4096)
def required(stockpile: Stockpile, node: int) -> dict[tuple[str, str], Requirement]:
    """Return the target at a node by material and buyer [quantity]."""
    calendar = stockpile.calendar
    series: dict[tuple[str, str], list[tuple[int, Target]]] = {}
    for row in stockpile.at(node).rows(Target):
        point = (calendar.period(row.from_), row)
        series.setdefault((row.material, row.buyer or ""), []).append(point)
    found = {key: _asked(points, stockpile.tree.period[node]) for key, points in series.items()}
    return {key: asked for key, asked in found.items() if asked is not None and asked.quantity > 0}


def _asked(points: list[tuple[int, Target]], period: int) -> Requirement | None:
    """Return the target of a series of rows in a period; None before the first.

    A ramp is linear in periods, as hard as the row it leads to; the first one rises from 0 at the
    start of the horizon.
    """
    points.sort(key=lambda point: point[0])
    before = next(((p, row) for p, row in reversed(points) if p <= period), None)
    after = next(((p, row) for p, row in points if p > period), None)
    ramp = after is not None and after[1].path == "ramp"
    if after is not None and ramp and (before is None or before[0] < period):
        begin, level = (before[0], before[1].quantity) if before else (0, 0.0)
        rise = (after[1].quantity - level) * (period - begin) / (after[0] - begin)
        return Requirement(level + rise, after[1].hard, after[1])
    return None if before is None else Requirement(before[1].quantity, before[1].hard, before[1])


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return the most that targets ask to be held of a material at once in a window [quantity]."""
    nodes = (n for period in window for n in stockpile.tree.at[period])
    return max(_total(stockpile, material, n) for n in nodes)


def _total(stockpile: Stockpile, material: str, node: int) -> float:
    asked = required(stockpile, node).items()
    return sum(each.quantity for (i, _), each in asked if i == material)


def counts(stockpile: Stockpile, material: str, age: int) -> bool:
    """Return whether end-of-period stock of an age counts.

    It has `life - 1 - age` periods left, must have some, and at least count_life_months (workbook
    contract, meaning of time).
    """
    life = stockpile.life(material)
    if life is None:
        return True
    left, least = life - 1 - age, stockpile.keyed(Material)[material].count_life_months
    return left > 0 and left * stockpile.calendar.months >= least - 1e-9


def tells_apart(stockpile: Stockpile, material: str, age: int) -> object:
    """Return whether an age counts towards a target.

    At the last age nothing is held, so it has the mark of the one before.
    """
    life = stockpile.life(material)
    asked = any(row.material == material for row in stockpile.rows(Target))
    held = age if life is None else max(0, min(age, life - 2))
    return asked and counts(stockpile, material, held)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the date of each target, and whether it can have an effect."""
    seen: dict[tuple[str, str, int], Target] = {}
    materials, calendar = stockpile.keyed(Material), stockpile.calendar
    for row in stockpile.rows(Target):
        yield from served(stockpile, row)
        period = calendar.period(row.from_)
        # A ramp may lead to a date after the horizon: its first part lies within.
        if period >= calendar.periods and row.path == "step":
            end = calendar.end(calendar.periods - 1)
            message = f"is after the horizon, which ends on {end}, found {row.from_}"
            remedy = "change the date or remove the row"
            yield Problem(row.TABLE, row.line, "from", f"{message}; {remedy}")
        twin = seen.setdefault((row.material, row.buyer or "", period), row)
        if twin is not row:
            message = f"a target for {row.material} in this period stands in row {twin.line}"
            message += " already; remove one of the two"
            yield Problem(row.TABLE, row.line, "from", message)
        if row.material in materials:
            yield from _check_effect(stockpile, row, materials[row.material])


def _check_effect(stockpile: Stockpile, row: Target, material: Material) -> Iterator[Problem]:
    """Yield a warning where a target costs nothing to miss, or nothing can count towards it."""
    free = not row.hard and material.below_target_cost is None
    if free and row.quantity > 0 and stockpile.settings.objective == "cost":
        message = (
            f"the target is soft and {row.material} has no below_target_cost: it has no effect "
            "(set hard, or a cost in materials)"
        )
        yield Problem(row.TABLE, row.line, "hard", message, warning=True)
    whole = stockpile.calendar.whole(material.shelf_life_months or 0) is not None
    if row.quantity > 0 and whole:
        ages = stockpile.ages(row.material)
        if not any(counts(stockpile, row.material, age) for age in ages):
            message = (
                f"no lot of {row.material} can count: its shelf life leaves none with "
                "count_life_months at period end"
            )
            yield Problem(row.TABLE, row.line, "quantity", message, warning=True)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what is below soft targets, and hold all targets."""
    tree = stockpile.tree
    asked = {(*key, n): each for n in tree.nodes for key, each in required(stockpile, n).items()}
    add_below(m, asked)
    hold_target(m, stockpile, asked)
    limit_target(m, asked, ledger)
    charge_below(m, stockpile, ledger)


def add_below(m: pyo.ConcreteModel, asked: Asks) -> None:
    """Add below[i,b,n] for soft targets."""
    m.TARGETS = pyo.Set(dimen=3, initialize=list(asked), doc="material, buyer, node with a target")
    m.SOFT_TARGETS = pyo.Set(
        dimen=3,
        initialize=[key for key, each in asked.items() if not each.hard],
        doc="targets that may be missed",
    )
    m.below = pyo.Var(
        m.SOFT_TARGETS, domain=pyo.NonNegativeReals, doc="stock below a soft target [quantity]"
    )


def hold_target(m: pyo.ConcreteModel, stockpile: Stockpile, asked: Asks) -> None:
    """Require Σ_{w, a that count} stock[i,w,a,n] + below[i,b,n] ≥ target[i,b,n]."""

    def rule(m: pyo.ConcreteModel, i: str, b: str, n: int) -> object:
        terms = _counted(m, stockpile, i, b, n)
        if (i, b, n) in m.SOFT_TARGETS:
            terms.append(m.below[i, b, n])
        return summed(terms) >= asked[i, b, n].quantity

    m.hold_target = pyo.Constraint(
        m.TARGETS,
        rule=rule,
        doc="in-spec stock reaches the target, or is counted as below [quantity]",
    )


def limit_target(m: pyo.ConcreteModel, asked: Asks, ledger: Ledger) -> None:
    """Post each target with its cell."""
    for (i, b, n), (amount, _, row) in asked.items():
        data, what = m.hold_target[i, b, n], f"target for {i}"
        ledger.limit(data, "least", amount, "quantity", what, row, "quantity", n)


def _counted(m: pyo.ConcreteModel, stockpile: Stockpile, i: str, b: str, n: int) -> list[object]:
    """Return the stock that counts towards a target."""
    ages = [a for a in stockpile.first_ages(i, n) if counts(stockpile.at(n), i, a)]
    return [m.stock[i, w, a, n] for w in serving(stockpile, b) for a in ages]


def charge_below(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what is missing, and its price."""
    for i, b, n in m.SOFT_TARGETS:
        ledger.miss(n, m.below[i, b, n])
        rate = stockpile.at(n).keyed(Material)[i].below_target_cost
        if rate:
            ledger.charge(n, "below_target", rate * m.below[i, b, n], i, b, b or None)


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield the stock that counts towards each target, and what is missing."""
    m, stockpile = formulation.m, formulation.stockpile
    tree = stockpile.tree
    for i, b, n in m.TARGETS:
        target = required(stockpile, n)[i, b]
        below = evaluate(m.below[i, b, n]) if (i, b, n) in m.SOFT_TARGETS else 0.0
        rate = stockpile.at(n).keyed(Material)[i].below_target_cost or 0.0
        yield TargetMet(
            **stockpile.where(n),
            date=stockpile.date(n),
            material=i,
            buyer=b or None,
            target=target.quantity,
            hard=target.hard,
            stock=sum(evaluate(each) for each in _counted(m, stockpile, i, b, n)),
            below=below if below > stockpile.scale.nothing else 0.0,
            cost=tree.probability[n] * stockpile.discount(tree.period[n]) * rate * below,
        )


BLOCK = Block(
    tables=(Target,),
    results=(TargetMet,),
    headings=(Heading("below_target", "price of stock below targets (no cash)", cash=False),),
    check=check,
    add=add,
    report=report,
    tells_apart=tells_apart,
    uses=uses,
)
