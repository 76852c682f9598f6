"""What uncertainty costs: the value of the stochastic solution and of perfect information, by solving.

Birge, Louveaux: Introduction to Stochastic Programming (2011), chapter 4. RP is the plan under scenarios; WS the mean of the plans
for each scenario alone, known from the start; EEV what it costs to decide for the mean of all inputs until the first scenario is
known, and under scenarios from then on. EVPI = RP - WS, VSS = EEV - RP. With a risk weight all three are weighed like the
objective.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import decisions
from stockpile_model.blocks.objective import cvar
from stockpile_model.calendar import Calendar
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Result, Row, column, columns
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Price
from stockpile_model.tree import BASE, Tree


@dataclass(frozen=True, kw_only=True)
class Worth(Result):
    SHEET = "uncertainty"
    figure: str = column("RP, WS, EEV, EVPI or VSS")
    meaning: str = column("what it is")
    value: float | None = column("value; blank = there is none, see the meaning", "money")
    least: float | None = column("proven to be at least", "money")
    most: float | None = column("proven to be at most", "money")


@dataclass(frozen=True)
class Solved:
    """What a plan costs and the bound below which none can come; None where there is no plan [money]."""

    objective: float | None
    bound: float | None


def scenario(stockpile: Stockpile, name: str) -> Stockpile:
    """The stockpile as it is in one scenario, known from the start."""
    path = stockpile.tree.paths[stockpile.scenarios[name]]
    return replace(stockpile, shape=Tree.chain(len(path)), views=tuple(_plain(stockpile.at(n)) for n in path), scenarios={})


def mean(stockpile: Stockpile) -> Stockpile:
    """The stockpile with the mean over the scenarios of every number and date, period by period; of a duration the nearest whole
    number of periods. A cell that is blank in one of them is blank: it means no limit."""
    tree, views = stockpile.tree, []
    for period in range(stockpile.settings.periods):
        weights: dict[int, float] = {}
        known: dict[int, Stockpile] = {}
        for n in tree.at[period]:
            view = stockpile.at(n)
            known[id(view)] = view
            weights[id(view)] = weights.get(id(view), 0.0) + tree.probability[n]
        views.append(_mean([(known[key], weight) for key, weight in weights.items()]))
    return replace(stockpile, shape=Tree.chain(len(views)), views=tuple(views), scenarios={}, classes=None)


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
        tables[kind] = tuple(_mean_row(first.calendar, each, [weight / total for _, weight in views]) for each in rows)
    return replace(first, tables=tables, shape=None)


def _mean_row(calendar: Calendar, rows: Sequence[Row], weights: Sequence[float]) -> Row:
    changed: dict[str, Any] = {}
    for each in columns(type(rows[0])):
        values = [getattr(row, each.field) for row in rows]
        if each.many or each.kind not in ("number", "date") or all(value == values[0] for value in values):
            continue
        value = None if None in values else _mean_value(values, weights)
        if value is not None and each.unit == "months" and all(calendar.whole(months) is not None for months in values):
            value = float(max(round(value / calendar.months), each.above is not None) * calendar.months)
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
        return dt.date.fromordinal(round(sum(weight * value.toordinal() for value, weight in zip(values, weights, strict=True))))
    return sum(weight * value for value, weight in zip(values, weights, strict=True))


def decide(formulation: Formulation, meant: Formulation) -> None:
    """Fix what is done until the first scenario is known to what the plan for the mean does."""
    tree = formulation.stockpile.tree
    period = {n: tree.period[n] for n in formulation.stockpile.trunk}
    for name in decisions():  # who pays is left open
        variables, others = formulation.m.find_component(name), meant.m.find_component(name)
        for key in variables:
            if key[-1] in period:
                twin = (*key[:-1], period[key[-1]])
                value = pyo.value(others[twin]) if twin in others else 0.0
                variables[key].fix(round(value) if variables[key].is_integer() else max(0.0, value))


def worth(stockpile: Stockpile, plan: Solved, alone: Mapping[str, Solved], eev: Solved, mean_found: bool) -> Iterator[Worth]:
    """The five figures. `alone` is the plan of each scenario, known from the start."""
    settings, tree = stockpile.settings, stockpile.tree
    weight = {name: tree.probability[leaf] for name, leaf in stockpile.scenarios.items()}

    def weighed(costs: Mapping[str, float | None]) -> float | None:
        known = {name: cost for name, cost in costs.items() if cost is not None}
        if len(known) < len(costs):
            return None
        average = sum(weight[name] * cost for name, cost in known.items())
        tail = cvar({name: (weight[name], cost) for name, cost in known.items()}, settings.risk_tail)
        return (1 - settings.risk_weight) * average + settings.risk_weight * tail

    ws = Solved(
        weighed({name: each.objective for name, each in alone.items()}), weighed({name: each.bound for name, each in alone.items()})
    )

    def figure(name: str, meaning: str, value: float | None, least: float | None, most: float | None) -> Worth:
        return Worth(figure=name, meaning=meaning, value=value, least=least, most=most)

    def less(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a - b

    yield figure("RP", "this plan: objective under the scenarios", plan.objective, plan.bound, plan.objective)
    yield figure("WS", f"each scenario planned alone, as if known from the start ({BASE} included)", ws.objective, ws.bound, ws.objective)
    if eev.objective is not None:
        said = "the plan for the mean of all inputs, kept until the first scenario is known"
    elif mean_found:
        said = "no value: the plan for the mean of all inputs, kept until the first scenario is known, leaves some scenario without a plan"
    else:
        said = "no value: the mean of all inputs has no plan"
    yield figure("EEV", said, eev.objective, eev.bound, eev.objective)
    yield figure(
        "EVPI", "what perfect foresight would save: RP - WS", less(plan.objective, ws.objective), less(plan.bound, ws.objective),
        less(plan.objective, ws.bound),
    )  # fmt: skip
    yield figure(
        "VSS", "what this plan saves against planning for the mean: EEV - RP", less(eev.objective, plan.objective),
        less(eev.bound, plan.objective), less(eev.objective, plan.bound),
    )  # fmt: skip
