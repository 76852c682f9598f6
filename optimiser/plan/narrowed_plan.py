"""A plan of one scenario, of one material, or for one buyer: the rows that are about it.

In one scenario nothing is weighed by a probability: every figure is what it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from optimiser.plan.plan import Plan
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.schema import Dated, Result, columns
from stockpile_model.solved_plan import by_scenario, parts
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL, Tree

Rows = dict[type[Result], tuple[Result, ...]]


def scenarios_of(plan: Plan) -> tuple[str, ...]:
    """Return the scenarios of which a plan says apart what to do; none where nothing parts."""
    return tuple(plan.stockpile.scenarios) if parts(plan) else ()


def in_scenario(plan: Plan, scenario: str) -> Plan:
    """Return what a plan does, costs and misses should one scenario come; nothing is proven of it
    apart.

    Rows that are no rows of scenarios stay as they are: what they expect, they still expect.
    """
    rows: Rows = {
        kind: tuple(_certain(each) for each in by_scenario(plan, kind)[scenario])
        if issubclass(kind, Dated)
        else members
        for kind, members in plan.rows.items()
    }
    outcome = next(each for each in plan.of(ScenarioOutcome) if each.scenario == scenario)
    costs = dict.fromkeys(plan.costs, 0.0)
    flows: dict[str, list[float]] = {}
    for flow in rows.get(CashFlow, ()):
        assert isinstance(flow, CashFlow)
        flows.setdefault(flow.heading, []).append(flow.discounted)
    costs |= {heading: math.fsum(amounts) for heading, amounts in flows.items()}
    return replace(
        plan,
        objective=outcome.cost,
        bound=None,
        gap=None,
        costs=costs,
        expected_cost=outcome.cost,
        cvar=None,
        waste=outcome.waste,
        shortfall=outcome.shortfall,
        rows=rows,
        stockpile=_path(plan.stockpile, scenario),
    )


def _certain(row: Dated) -> Dated:
    """Return a row as it is in a scenario in which it holds."""
    share = row.probability
    changed: dict[str, Any] = {
        each.field: getattr(row, each.field) / share
        for each in columns(type(row))
        if each.adds_up and getattr(row, each.field) is not None and share > 0
    }
    return replace(row, scenarios=ALL, probability=1.0, **changed)


def _path(stockpile: Stockpile, scenario: str) -> Stockpile:
    """Return the rows on the path of a scenario, as if nothing else could come."""
    path = stockpile.tree.paths[stockpile.scenarios[scenario]]
    views = tuple(stockpile.views[n] for n in path) if stockpile.views else ()
    return replace(stockpile, shape=Tree.chain(len(path)), views=views, scenarios={})


def of_material(plan: Plan, material: str) -> Plan:
    """Return the rows of a plan that are of a material, or of a group that it is in.

    Rows of a type that does not name materials stay; those that name none are left out.
    """
    stockpile = plan.stockpile
    of = {material, *(group for group, names in stockpile.groups.items() if material in names)}
    return _kept(plan, "material", of)


def for_buyer(plan: Plan, buyer: str) -> Plan:
    """Return the rows of a plan that are for a buyer, or at one of its sites.

    Rows of a type that names neither stay; those that serve all buyers are left out.
    """
    sites = plan.stockpile.owners.get(buyer, ())
    return _kept(_kept(plan, "buyer", {buyer}), "site", set(sites), unless="buyer")


def _kept(plan: Plan, name: str, values: Collection[str], unless: str = "") -> Plan:
    """Return the plan without the rows whose column has none of the values."""
    rows: Rows = {}
    for kind, members in plan.rows.items():
        names = {each.name for each in columns(kind)}
        keeps = name not in names or unless in names
        rows[kind] = members if keeps else _chosen(members, lambda row: getattr(row, name), values)
    return replace(plan, rows=rows)


def _chosen(
    rows: Iterable[Result], value: Callable[[Any], Any], values: Collection[str]
) -> tuple[Result, ...]:
    return tuple(row for row in rows if value(row) in values)
