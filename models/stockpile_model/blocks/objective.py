"""The objective: expected discounted cost, or shortfall first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.ageing import by_age
from stockpile_model.data import BASE, Dated, Material, Result, Row, Stockpile, column
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import HEADINGS, Ledger, Money
from stockpile_model.scenarios import Scenario, base_probability, revealed


@dataclass(frozen=True, kw_only=True)
class CashFlow(Dated):
    SHEET = "cash_flow"
    date: dt.date = column("first day of the period")
    heading: str = column("heading of the cost")
    cash: bool = column("whether money moves; prices on shortage and shortfall and closing stock do not")
    material: str | None = column("material")
    name: str | None = column("offer, contract, project, site, outlet or buyer")
    buyer: str | None = column("for whom; blank = for all")
    amount: float = column("cost (receipts below zero), undiscounted", "money")
    factor: float = column("discount factor, times the probability of the scenarios", "1")
    discounted: float = column("expected discounted cost", "money")


@dataclass(frozen=True, kw_only=True)
class ScenarioOutcome(Result):
    SHEET = "scenarios"
    scenario: str = column("scenario")
    probability: float = column("probability", "1")
    follows: str | None = column("scenario it shares its past with")
    revealed: dt.date | None = column("first day of the period in which it is known; blank = the base")
    cost: float = column("discounted cost, should it come", "money")
    shortfall: float = column("unmet demand and stock below targets, summed over periods", "quantity")
    waste: float = column("what reaches the end of its life unused", "quantity")


TABLES: tuple[type[Row], ...] = ()
NOT_CASH = {"shortage", "below_target", "closing_stock"}


def factor(stockpile: Stockpile, money: Money) -> float:
    """π_n·δ_t: what money at a node counts for in the objective [1]."""
    tree = stockpile.tree
    return tree.probability[money.node] * stockpile.discount(tree.period[money.node] + money.delay)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """cost = Σ_n π_n δ_t (outlays + prices of shortage and shortfall - receipts) - closing stock,

    where stock left at the end earns closing_value × price of the last period × remaining life / shelf life, discounted
    like a cash flow of the period after. shortfall = Σ_n π_n (unmet + below); where it comes first, cost is minimised
    at no more of it. With a risk weight w, the mean of the leaves' costs gives way to

    (1 - w)·mean + w·CVaR,  CVaR = ζ + Σ_leaf π·excess/α,  excess ≥ cost on the path to the leaf - ζ    (Rockafellar, Uryasev 2000)

    With w = 1 nothing above says what is done outside of the tail: there the mean is minimised last, at no more of CVaR.
    """
    tree = stockpile.tree
    for leaf in tree.leaves:
        for i, material in stockpile.at(leaf).keyed(Material).items():
            if material.closing_value > 0:
                worth = material.closing_value * stockpile.price(str(material.price_index), leaf)
                life = stockpile.at(leaf).shelf_life(i)
                for w, site in stockpile.sites.items():
                    for age, stock in by_age(m, stockpile, i, w, leaf):
                        share = 1.0 if life is None else (life - 1 - age) / life
                        if share > 0:
                            ledger.charge(leaf, "closing_stock", -worth * share * stock, i, w, site.buyer, delay=1)

    risk = stockpile.settings.risk_weight if len(tree.leaves) > 1 else 0.0
    costs = _discounted(stockpile, ledger)
    missing = [(m.unmet[key], key[2]) for key in m.SHORTAGES] + [(m.below[key], key[2]) for key in m.SOFT_TARGETS]
    m.shortfall = pyo.Objective(
        expr=summed([0.0, *(tree.probability[n] * each for each, n in missing)]),
        sense=pyo.minimize,
        doc="expected unmet demand and stock below targets [quantity]",
    )
    if stockpile.settings.objective != "shortfall_first":
        m.shortfall.deactivate()
    mean = summed([0.0, *(tree.probability[n] * each for n, each in costs.items())])
    tail = _tail(m, stockpile, costs) if risk else mean
    m.cost = pyo.Objective(
        expr=(1 - risk) * mean + risk * tail if risk else mean,
        sense=pyo.minimize,
        doc="expected discounted cost, weighed with its tail [money]",
    )
    m.mean = pyo.Objective(expr=mean, sense=pyo.minimize, doc="expected discounted cost [money]")
    m.tail = pyo.Objective(expr=tail, sense=pyo.minimize, doc="mean of the worst discounted costs (CVaR) [money]")
    m.tail.deactivate()
    if risk < 1:
        m.mean.deactivate()


def _discounted(stockpile: Stockpile, ledger: Ledger) -> dict[int, Any]:
    """Return what each node costs at the start of the horizon [money]."""
    due: dict[tuple[int, int], list[Any]] = {}
    for each in ledger.money:
        due.setdefault((each.node, each.delay), []).append(each.amount)
    found: dict[int, list[Any]] = {}
    for (n, delay), amounts in due.items():
        found.setdefault(n, []).append(stockpile.discount(stockpile.tree.period[n] + delay) * summed(amounts))
    return {n: summed(parts) for n, parts in found.items()}


def _tail(m: pyo.ConcreteModel, stockpile: Stockpile, costs: Mapping[int, Any]) -> Any:
    """CVaR of the cost over the leaves [money]. What a path has cost so far is handed on from node to node."""
    tree = stockpile.tree
    m.LEAVES = pyo.Set(initialize=list(tree.leaves), doc="leaves of the scenario tree")
    m.so_far = pyo.Var(m.NODES, doc="discounted cost on the path to a node [money]")
    m.at_risk = pyo.Var(doc="cost beyond which the tail begins [money]")
    m.excess = pyo.Var(m.LEAVES, domain=pyo.NonNegativeReals, doc="cost beyond it [money]")

    def balance_cost(m: pyo.ConcreteModel, n: int) -> object:
        parent = tree.parent[n]
        before = [] if parent is None else [m.so_far[parent]]
        return summed([costs.get(n, 0.0), *before, -m.so_far[n]]) == 0

    m.balance_cost = pyo.Constraint(m.NODES, rule=balance_cost, doc="the cost of a path adds up [money]")
    m.hold_excess = pyo.Constraint(
        m.LEAVES, rule=lambda m, n: m.excess[n] >= m.so_far[n] - m.at_risk, doc="what a path costs beyond the tail's beginning [money]"
    )
    tail = stockpile.settings.risk_tail
    return m.at_risk + summed(tree.probability[n] / tail * m.excess[n] for n in tree.leaves)


def cvar(costs: Mapping[str, tuple[float, float]], tail: float) -> float:
    """The mean cost of the worst `tail` of scenarios, given the probability and cost of each [money]."""
    left, total = tail, 0.0
    for probability, cost in sorted(costs.values(), key=lambda each: -each[1]):
        part = min(left, probability)
        left, total = left - part, total + part * cost
    return total / (tail - left) if tail > left else 0.0


def report(formulation: Formulation) -> Iterator[Result]:
    yield from _by_scenario(formulation)
    stockpile, tree, calendar = formulation.stockpile, formulation.stockpile.tree, formulation.stockpile.calendar
    sums: dict[tuple[int, int, str, str | None, str, str | None], float] = {}
    weights: dict[tuple[int, int], float] = {}
    for each, amount in formulation.money:
        key = (each.node, each.delay, each.heading, each.material, each.name, each.buyer)
        sums[key] = sums.get(key, 0.0) + amount
        if (each.node, each.delay) not in weights:
            weights[each.node, each.delay] = factor(stockpile, each)
    order = list(HEADINGS)
    for (n, delay, heading, material, name, buyer), amount in sorted(
        sums.items(), key=lambda item: (tree.period[item[0][0]], item[0][0], order.index(item[0][2]))
    ):
        if amount != 0:
            weight = weights[n, delay]
            yield CashFlow(
                **stockpile.where(n),
                date=calendar.begin(tree.period[n] + delay),
                heading=heading,
                cash=heading not in NOT_CASH,
                material=material,
                name=name or None,
                buyer=buyer,
                amount=amount,
                factor=weight,
                discounted=weight * amount,
            )


def _by_scenario(formulation: Formulation) -> Iterator[ScenarioOutcome]:
    """What each scenario costs and misses; without scenarios there is nothing to tell."""
    m, stockpile, tree = formulation.m, formulation.stockpile, formulation.stockpile.tree
    if not stockpile.scenarios:
        return
    costs, short, expired = ([0.0] * len(tree.nodes) for _ in range(3))
    for each, amount in formulation.money:
        costs[each.node] += stockpile.discount(tree.period[each.node] + each.delay) * amount
    for variable, keys, found in ((m.unmet, m.SHORTAGES, short), (m.below, m.SOFT_TARGETS, short), (m.expired, m.EXPIRIES, expired)):
        for key in keys:
            found[key[2]] += evaluate(variable[key])
    by_name = {row.scenario: row for row in stockpile.rows(Scenario)}
    for name, leaf in stockpile.scenarios.items():
        path, row = tree.paths[leaf], by_name.get(name)
        known = revealed(stockpile, row) if row is not None else None
        yield ScenarioOutcome(
            scenario=name,
            probability=base_probability(stockpile) if row is None else row.probability,
            follows=None if row is None else row.follows or BASE,
            revealed=None if known is None else stockpile.calendar.begin(known),
            cost=sum(costs[n] for n in path),
            shortfall=sum(short[n] for n in path if short[n] > stockpile.scale.nothing),
            waste=sum(expired[n] for n in path if expired[n] > stockpile.scale.nothing),
        )
