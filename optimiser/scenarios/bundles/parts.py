"""Many scenarios as bundles of few, and what the plans of these prove of all.

Each bundle is a stockpile of its own, small enough to plan.

The *trunk* is the part of the tree that all scenarios pass: what is done before the first of them
is known. Below it the tree falls into *branches*; a bundle is a set of branches with the trunk that
they share, at conditional probabilities.

The sum over the bundles of probability × least cost is a lower bound. Let x be a best plan of all
scenarios and ζ the beginning of its tail. Its objective is a sum over the scenarios,

    Σ_s π_s f_s = Σ_b π_b Σ_{s in b} π_s/π_b f_s,  f_s = (1 - w)·c_s + w·(ζ + max(0, c_s - ζ)/α),

and what stands behind π_b is the objective of bundle b at the part of x that its nodes hold and the
same ζ. That part keeps every limit of the bundle, since limits are kept along paths, so the
bundle's least cost is no more. A bundle may decide in the trunk, and let its tail begin, as suits
it alone: so the bound falls short (K. Sandıkçı, O. Y. Özaltın, A scalable bounding
method for multistage stochastic programs, SIAM J. Optim. 27, 2017; L. F. Escudero, M. A. Garín, A.
Unzueta, Cluster Lagrangean decomposition in multistage stochastic optimization, Comput. Oper. Res.
67, 2016). With `shortfall_first` it would not hold: a bundle that misses less at a higher cost is
no bound on the cost of all.

With the trunk's decisions held the branches are planned one by one, and what they cost together is
what these decisions cost: an upper bound.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from optimiser.system.errors import Fault, InputError
from stockpile_model.block import decisions as done
from stockpile_model.block import follows, ties
from stockpile_model.blocks.demand import Demand
from stockpile_model.calendar import overlap
from stockpile_model.formulation import Formulation
from stockpile_model.names import identity
from stockpile_model.scale import NOISE
from stockpile_model.scenarios import Event, Scenario, lineage, unfold
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings
from stockpile_model.tree import BASE

TOLERANCES, RELATIVE = (1e-5, 1e-4), 1e-7
"""The most by which what follows in the trunk may differ between branches: in scaled units (the
wider where a solver fails at the finer), and relatively.

A solver takes a variable for fixed, at either of its bounds, where these are as near as its own
tolerance (1e-6), and a sum of such variables then misses what it must be. So these are wider.
"""


@dataclass(frozen=True)
class Split:
    """`periods` of the trunk; the scenarios of each branch, and their probabilities [1]."""

    periods: int
    branches: tuple[tuple[str, ...], ...]
    probability: Mapping[str, float]

    def weight(self, names: Collection[str]) -> float:
        """Return the probability of some scenarios [1]."""
        return sum(self.probability[name] for name in names)


@dataclass(frozen=True)
class Decisions:
    """The values of the trunk, or of other nodes, by variable and index.

    `at_risk` is where the tail of the plan begins [money], None without one.
    """

    values: Mapping[str, Mapping[Any, float]] = field(default_factory=dict)
    at_risk: float | None = None


def split(stockpile: Stockpile) -> Split:
    """Return the trunk and the branches.

    Raises InputError for a stockpile that cannot be planned by bundles.
    """
    if stockpile.settings.objective == "shortfall_first":
        cell = stockpile.address(Settings.TABLE, 0, "objective")
        raise InputError(
            [
                Fault(
                    cell,
                    "bundles bound the cost of a plan: they need the objective cost, found"
                    " shortfall_first",
                )
            ]
        )
    tied = "holds over all scenarios together, and bundles are planned apart: leave it blank"
    if faults := [Fault(stockpile.cell(*cell), tied) for cell in ties(stockpile)]:
        raise InputError(faults)
    unfolded = unfold(stockpile)
    if not unfolded.scenarios:
        raise InputError(
            [Fault(Scenario.TABLE, "bundles are made of scenarios, and there is none")]
        )
    tree, periods = unfolded.tree, len(unfolded.trunk)
    found: dict[int, list[str]] = {}
    for name, leaf in unfolded.scenarios.items():
        path = tree.paths[leaf]
        found.setdefault(path[periods] if periods < len(path) else leaf, []).append(name)
    return Split(
        periods,
        tuple(map(tuple, found.values())),
        {name: tree.probability[leaf] for name, leaf in unfolded.scenarios.items()},
    )


def bundles(stockpile: Stockpile, into: Split, count: int) -> list[tuple[tuple[str, ...], ...]]:
    """Deal out the branches to `count` bundles, or to one each where there are fewer.

    Each bundle is to resemble the whole. So the branches are sorted by what demand is worth at
    index prices, and of every `count` neighbours each bundle gets one, which one is drawn
    (stratified sampling, seeded by the settings).
    """
    drawn = random.Random(stockpile.settings.seed)
    unfolded = unfold(stockpile)
    ranked = sorted(into.branches, key=lambda names: _worth(unfolded, into, names))
    found: list[list[tuple[str, ...]]] = [[] for _ in range(min(count, len(ranked)))]
    for first in range(0, len(ranked), len(found)):
        stratum = ranked[first : first + len(found)]
        for k, names in zip(drawn.sample(range(len(found)), len(stratum)), stratum, strict=True):
            found[k].append(names)
    return [tuple(each) for each in found]


def _worth(stockpile: Stockpile, into: Split, names: Sequence[str]) -> float:
    """Return what demand is worth at index prices in some scenarios, expected [money].

    Without demand it is the worth of one of everything.
    """
    tree, indices, total = stockpile.tree, stockpile.names("prices"), 0.0
    for name in names:
        for n in tree.paths[stockpile.scenarios[name]][into.periods :]:
            view = stockpile.at(n)
            asked = [
                row
                for row in view.rows(Demand)
                if tree.period[n] in overlap(view.calendar, row.from_, row.to or row.from_)
            ]
            price = sum(stockpile.price(index, n) for index in indices) or 1.0
            total += (
                into.probability[name]
                * price
                * (sum(row.quantity for row in asked) if view.given(Demand) else 1.0)
            )
    return total / into.weight(names)


def part(stockpile: Stockpile, names: Collection[str]) -> Stockpile:
    """Return the stockpile with some of its scenarios, at conditional probabilities.

    Its tree is what they pass of the whole tree, since who owns a node follows from the rows of
    those that pass it. What they follow without passing its leaf stays, without probability.
    """
    rows = {identity(row.scenario): row for row in stockpile.rows(Scenario)}
    total = sum(row.probability for row in rows.values())
    weights = {name: row.probability for name, row in rows.items()} | {BASE: 1.0 - total}
    members = {identity(name) for name in names}
    whole = sum(weights[name] for name in members)
    kept = {each for name in members for each in lineage(stockpile, name)} - {BASE} or {
        next(iter(rows))
    }  # a scenario makes a tree
    scenarios = tuple(
        replace(row, probability=row.probability / whole if name in members else 0.0)
        for name, row in rows.items()
        if name in kept
    )
    events = tuple(row for row in stockpile.rows(Event) if identity(row.scenario) in kept)
    tables = {**stockpile.tables, Scenario: scenarios, Event: events}
    return replace(stockpile, tables=tables, shape=None, views=(), scenarios={})


# --- What is decided in the trunk -----------------------------------------------------------------


def decided(formulation: Formulation, nodes: Container[int]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the variables of some nodes: name, index, variable.

    Those of a trunk come first in every tree that it begins.
    """
    counted = follows()
    for variable in formulation.m.component_objects(pyo.Var, descend_into=False):
        name = str(variable.local_name)
        if name not in counted:
            for key, each in variable.items():
                if _node(key) in nodes:
                    yield name, key, each


def _node(key: Any) -> int:
    """Return the node at which a variable or a row stands: the last part of its index."""
    last = key[-1] if isinstance(key, tuple) else key
    return last if isinstance(last, int) else -1


def decisions(formulation: Formulation, nodes: Container[int]) -> Decisions:
    """Return what a solved formulation does at some nodes."""
    found: dict[str, dict[Any, float]] = {}
    for name, key, each in decided(formulation, nodes):
        if value := _whole(each):
            found.setdefault(name, {})[key] = value
    at_risk = formulation.m.find_component("at_risk")
    return Decisions(found, None if at_risk is None else float(pyo.value(at_risk)))


def _whole(variable: Any) -> float:
    value = float(pyo.value(variable))
    return float(round(value)) if variable.is_integer() else value


def hold(
    formulation: Formulation,
    kept: Decisions,
    nodes: Container[int],
    tolerance: float = TOLERANCES[0],
) -> bool:
    """Hold some nodes at what was decided there; False where they cannot do what was.

    What is done is fixed, and what follows from it, who pays for it also, held within a
    tolerance. Rows among fixed variables held where these were decided; they may hold a bound here
    that the data of other scenarios gave, and are left out.
    """
    m, seen, acts = formulation.m, set[tuple[str, Any]](), done()
    for name, key, each in decided(formulation, nodes):
        seen.add((name, key))
        value = kept.values.get(name, {}).get(key, 0.0)
        if name in acts:
            each.fix(value, skip_validation=True)
        else:
            far, (lower, upper) = (
                tolerance * formulation.size(each) + RELATIVE * abs(value),
                each.bounds,
            )
            each.setlb(value - far if lower is None else max(lower, value - far))
            each.setub(value + far if upper is None else min(max(upper, value), value + far))
    for row in m.component_objects(pyo.Constraint, active=True):
        for key, each in row.items():
            if _node(key) in nodes and all(
                variable.fixed for variable in identify_variables(each.body, include_fixed=True)
            ):
                each.deactivate()
    if kept.at_risk is not None and m.find_component("at_risk") is not None:
        m.at_risk.fix(kept.at_risk)
    missing = (
        (name, value)
        for name, found in kept.values.items()
        for key, value in found.items()
        if (name, key) not in seen
    )
    return all(
        abs(value) <= NOISE * formulation.size(m.find_component(name)) for name, value in missing
    )


def settle(formulation: Formulation) -> float:
    """Return the objective of a plan whose tail began where another's did.

    It begins where that is best for its own costs [money].
    """
    m, tree = formulation.m, formulation.stockpile.tree
    if m.find_component("at_risk") is not None:
        costs = {leaf: float(pyo.value(m.so_far[leaf])) for leaf in tree.leaves}
        left = formulation.stockpile.settings.risk_tail
        for leaf in sorted(costs, key=lambda each: -costs[each]):
            m.at_risk.set_value(costs[leaf])
            left -= tree.probability[leaf]
            if left <= 0:
                break
        for leaf, cost in costs.items():
            m.excess[leaf].set_value(max(0.0, cost - pyo.value(m.at_risk)))
    return float(pyo.value(m.cost))
