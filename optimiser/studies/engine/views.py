"""Views of a stockpile that a case of a study can plan: firm supply only, some buyers alone, one
scenario, the mean of all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from optimiser.system.errors import Fault, InputError
from stockpile_model import part
from stockpile_model.block import decisions, eased, waivers
from stockpile_model.calendar import Calendar
from stockpile_model.formulation import Formulation
from stockpile_model.scale import PRICE
from stockpile_model.schema import Row, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import ANNOUNCED, OPERATING, STAGES, Material, Price, Settings
from stockpile_model.tree import Tree


def scenario(stockpile: Stockpile, name: str) -> Stockpile:
    """Return the stockpile as it is in one scenario, known from the start."""
    path = stockpile.tree.paths[stockpile.scenarios[name]]
    return replace(
        stockpile,
        shape=Tree.chain(len(path)),
        views=tuple(_plain(stockpile.at(n)) for n in path),
        scenarios={},
    )


def mean(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with the mean over the scenarios of every number and date.

    It is taken period by period; of a duration it is the nearest whole number of periods. A cell
    that is blank in one scenario is blank: it means no limit.
    """
    tree, views = stockpile.tree, []
    for period in range(stockpile.settings.periods):
        weights: dict[int, float] = {}
        known: dict[int, Stockpile] = {}
        for n in tree.at[period]:
            view = stockpile.at(n)
            known[id(view)] = view
            weights[id(view)] = weights.get(id(view), 0.0) + tree.probability[n]
        views.append(_mean([(known[key], weight) for key, weight in weights.items()]))
    return replace(
        stockpile, shape=Tree.chain(len(views)), views=tuple(views), scenarios={}, classes=None
    )


FIRM = tuple(stage for stage in STAGES if stage != ANNOUNCED)


def firm(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with the suppliers that are at least being built, of those that count.

    Raises InputError where none counts.
    """
    stages = tuple(stage for stage in stockpile.settings.supply_stages or FIRM if stage in FIRM)
    if not stages:
        cell = stockpile.address(Settings.TABLE, 0, "supply_stages")
        raise InputError(
            [
                Fault(
                    cell,
                    "counts no firm stage, so there is no firm supply to compare with: add one of"
                    f" {', '.join(FIRM)}",
                )
            ]
        )
    return everywhere(
        stockpile, lambda view: replace(view, settings=replace(view.settings, supply_stages=stages))
    )


def operating(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile with the plants alone that operate.

    What may not be missed with all supply may be missed here, at a high price, so that there is a
    plan to look at. Blocks ease their own rows.
    """
    return everywhere(stockpile, _operating)


MISSED_DEMAND, MISSED_TARGET = 100.0, 10.0
"""What a unit costs that is missing and has no price; of stock in each period [typical price]."""


def _operating(view: Stockpile) -> Stockpile:
    typical = PRICE * view.scale.money / view.scale.quantity
    tables = {kind: tuple(map(eased(kind), rows)) for kind, rows in view.tables.items()}
    tables[Material] = tuple(
        replace(
            row,
            shortage_cost=_or(row.shortage_cost, MISSED_DEMAND * typical),
            below_target_cost=_or(row.below_target_cost, MISSED_TARGET * typical),
        )
        for row in view.rows(Material)
    )
    settings = replace(view.settings, supply_stages=(OPERATING,), objective="cost")
    return replace(view, tables=tables, settings=settings)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def whole(stockpile: Stockpile) -> Stockpile:
    """Return the stockpile whose orders are whole in every period."""
    return everywhere(
        stockpile, lambda view: replace(view, settings=replace(view.settings, firm_periods=None))
    )


def alone(stockpile: Stockpile, *group: str) -> Stockpile:
    """Return the stockpile for some of its buyers alone, at each node of its tree."""
    return everywhere(stockpile, lambda view: part.alone(view, group))


def folded(stockpile: Stockpile) -> Stockpile:
    """Return the rows of a stockpile alone, of which a changed tree can be derived."""
    return replace(stockpile, shape=None, views=(), scenarios={}, classes=None)


def everywhere(stockpile: Stockpile, change: Callable[[Stockpile], Stockpile]) -> Stockpile:
    """Return the stockpile after a change, made to the rows at each node of its tree too."""
    views = {id(view): view for view in stockpile.views}
    made = {key: change(view) for key, view in views.items()}
    return replace(change(stockpile), views=tuple(made[id(view)] for view in stockpile.views))


WITHOUT = "without"


def without(stockpile: Stockpile, *what: str) -> Stockpile:
    """Return the stockpile without some rules, by what they are."""
    # The last first: what is taken out moves the rows after it.
    for each in reversed([each for each in waivers(stockpile) if each.what in what]):
        stockpile = each.lift(stockpile)
    return stockpile


@dataclass(frozen=True)
class View:
    """A part of an unfolded stockpile, given what the rest of a case's `view` names.

    `has_rows`: its tables say all that it plans, so that its plan can be audited; what a scenario
    alone holds stands in no table.
    """

    make: Callable[..., Stockpile]
    has_rows: bool = True


AS_IT_IS, OPERATING_ONLY = "as it is", "operating plants"
ASSESSED = "adequacy"
"""The view of a year in a scenario of the plan of another view: its stock, supply and embargoes."""

VIEWS: Mapping[str, View] = {
    AS_IT_IS: View(lambda stockpile: stockpile),
    "firm supply": View(firm),
    OPERATING_ONLY: View(operating),
    "buyers": View(alone),
    "scenario": View(scenario, has_rows=False),
    WITHOUT: View(without),
}
"""The views by name."""

NO_MEAN = "the mean of all inputs has no plan"
# the view under which what is decided for the mean is held until the first scenario is known
HELD = "held mean"


def _plain(view: Stockpile) -> Stockpile:
    return replace(view, shape=None)


def _mean(views: Sequence[tuple[Stockpile, float]]) -> Stockpile:
    first = views[0][0]
    if len(views) == 1:
        return _plain(first)
    total = sum(weight for _, weight in views)
    tables = {}
    for kind in first.tables:
        rows = zip(*(view.rows(kind) for view, _ in views), strict=True)
        tables[kind] = tuple(
            _mean_row(first.calendar, each, [weight / total for _, weight in views])
            for each in rows
        )
    return replace(first, tables=tables, shape=None)


def _mean_row(calendar: Calendar, rows: Sequence[Row], weights: Sequence[float]) -> Row:
    changed: dict[str, Any] = {}
    for each in columns(type(rows[0])):
        values = [getattr(row, each.field) for row in rows]
        if (
            each.many
            or each.kind not in ("number", "date")
            or all(value == values[0] for value in values)
        ):
            continue
        value = None if None in values else _mean_value(values, weights)
        if (
            value is not None
            and each.unit == "months"
            and all(calendar.whole(months) is not None for months in values)
        ):
            value = float(
                max(round(value / calendar.months), each.above is not None) * calendar.months
            )
        changed[each.field] = value
    if isinstance(rows[0], Price):
        series = [row.values for row in rows if isinstance(row, Price)]
        changed["values"] = {
            name: sum(weight * each[name] for each, weight in zip(series, weights, strict=True))
            for name in series[0]
            if all(name in each for each in series)
        }
    return replace(rows[0], **changed) if changed else rows[0]


def _mean_value(values: Sequence[Any], weights: Sequence[float]) -> Any:
    if isinstance(values[0], dt.date):
        return dt.date.fromordinal(
            round(
                sum(
                    weight * value.toordinal()
                    for value, weight in zip(values, weights, strict=True)
                )
            )
        )
    return sum(weight * value for value, weight in zip(values, weights, strict=True))


def decide(formulation: Formulation, meant: Formulation) -> None:
    """Fix what is done until the first scenario is known to what the plan for the mean does."""
    tree = formulation.stockpile.tree
    period = {n: tree.period[n] for n in formulation.stockpile.trunk}
    for name in decisions():  # who pays is left open
        variables, others = formulation.m.find_component(name), meant.m.find_component(name)
        if variables is None or others is None:  # a block may add a variable only where it is used
            continue
        for key in variables:
            if key[-1] in period:
                twin = (*key[:-1], period[key[-1]])
                value = pyo.value(others[twin]) if twin in others else 0.0
                whole = variables[key].is_integer()
                settled = round(value) if whole else max(0.0, value)
                variables[key].fix(settled, skip_validation=True)
