"""The objective: expected discounted cost, or shortfall first."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import pyomo.environ as pyo

from stockpile_model.acts import TO_BUDGET
from stockpile_model.block import Block, headings
from stockpile_model.blocks.stock.age_classes import by_age
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Amount, Heading, Ledger, Money
from stockpile_model.scenarios import Scenario, base_probability, revealed
from stockpile_model.schema import Dated, Result, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Settings
from stockpile_model.tree import BASE

CLOSING = Heading("closing_stock", "value of stock left at the end (no cash)", cash=False)


@dataclass(frozen=True, kw_only=True)
class CashFlow(Dated):
    """Money of a heading in a period, undiscounted and discounted."""

    SHEET = "cash_flow"
    ABOUT = "every cost and receipt, undiscounted and discounted"
    PLACE = 62
    FOR_PROGRAMS = True
    MEANS = ("date", "heading", "material", "name", "buyer")
    NAMED = ("heading", "name", "material", "date")
    date: dt.date = column("first day of the period")
    heading: str = column("heading of the cost")
    cash: bool = column(
        "whether money moves; prices on shortage and shortfall and closing stock do not"
    )
    material: str | None = column("material")
    name: str | None = column("offer, contract, project, site, outlet or buyer")
    buyer: str | None = column("for whom; blank = for all")
    amount: float = column("cost (receipts below zero), undiscounted", "money")
    factor: float = column(
        "discount factor, times the probability of the scenarios", "1", given=True
    )
    discounted: float = column("expected discounted cost", "money", expected=True)
    appropriation: str | None = column(
        "appropriations that pay it, as on the sheet `payments`; blank = none does",
        default=None,
        leads=(TO_BUDGET,),
        several=True,
    )

    def joined(self, other: Self) -> Self:
        """Return the money, with what pays it where both branches have the same."""
        alike = self.appropriation == other.appropriation
        return self if alike else replace(self, appropriation=None)

    def of_branches(self, first: Self, rows: Collection[Result], settings: Settings) -> Self:
        """Return the money with the factor of all branches."""
        return replace(self, factor=first.factor / first.probability)


@dataclass(frozen=True, kw_only=True)
class ScenarioOutcome(Result):
    """Describe what a scenario costs and misses."""

    SHEET = "scenarios"
    ABOUT = "what each scenario costs and misses"
    PLACE = 80
    ALWAYS = False
    BRIEF = "Scenarios"
    NAMED = ("scenario",)
    scenario: str = column("scenario")
    probability: float = column("probability", "1")
    follows: str | None = column("scenario it shares its past with")
    revealed: dt.date | None = column(
        "first day of the period in which it is known; blank = the base"
    )
    cost: float = column("discounted cost, should it come", "money")
    shortfall: float = column(
        "unmet demand and stock below targets, summed over periods", "quantity"
    )
    waste: float = column("what reaches the end of its life unused", "quantity")


RISK = ("so_far", "at_risk", "excess")  # the variables of the tail


def factor(stockpile: Stockpile, money: Money) -> float:
    """Return π_n·δ_t: what money at a node counts for in the objective [1]."""
    tree = stockpile.tree
    return tree.probability[money.node] * _discount(stockpile, money)


def _discount(stockpile: Stockpile, money: Money) -> float:
    """Return δ_t: what money at a node is worth at the start of the horizon [1]."""
    return stockpile.discount(stockpile.tree.period[money.node] + money.delay)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what is minimised: cost, or shortfall first.

    With a risk weight w the mean of the leaves' costs gives way to (1 - w)·mean + w·CVaR. With
    w = 1 that does not say what is done outside of the tail: there the mean is minimised last, at
    no more of CVaR.
    """
    credit_closing_stock(m, stockpile, ledger)
    minimise_shortfall(m, stockpile, ledger)
    risk = stockpile.settings.risk_weight if len(stockpile.tree.leaves) > 1 else 0.0
    costs, probability = _discounted(stockpile, ledger), stockpile.tree.probability
    mean = summed([0.0, *(probability[n] * cost for n, cost in costs.items())])
    tail = add_tail(m, stockpile, costs) if risk else mean
    minimise_cost(m, mean, tail, risk)


def credit_closing_stock(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what stock left at the end earns.

    It is closing_value × price of the last period × remaining life / shelf life, discounted like a
    cash flow of the period after.
    """
    for leaf in stockpile.tree.leaves:
        for i, material in stockpile.at(leaf).keyed(Material).items():
            if material.closing_value > 0:
                worth = material.closing_value * stockpile.price(str(material.price_index), leaf)
                life = stockpile.at(leaf).shelf_life(i)
                for w, site in stockpile.sites.items():
                    for age, stock in by_age(m, stockpile, i, w, leaf):
                        share = 1.0 if life is None else (life - 1 - age) / life
                        if share > 0:
                            credit = -worth * share * stock
                            ledger.charge(leaf, CLOSING.name, credit, i, w, site.buyer, delay=1)


def minimise_shortfall(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Minimise Σ_n π_n (unmet + below), where it comes first."""
    probability = stockpile.tree.probability
    m.shortfall = pyo.Objective(
        expr=summed([0.0, *(probability[n] * amount for n, amount in ledger.missing)]),
        sense=pyo.minimize,
        doc="expected unmet demand and stock below targets [quantity]",
    )
    if stockpile.settings.objective != "shortfall_first":
        m.shortfall.deactivate()


def _discounted(stockpile: Stockpile, ledger: Ledger) -> dict[int, Any]:
    """Return δ_t (outlays + prices of shortage and shortfall - receipts) of each node [money]."""
    due: dict[tuple[int, int], list[Any]] = {}
    for each in ledger.money:
        due.setdefault((each.node, each.delay), []).append(each.amount)
    found: dict[int, list[Any]] = {}
    for (n, delay), amounts in due.items():
        discount = stockpile.discount(stockpile.tree.period[n] + delay)
        found.setdefault(n, []).append(discount * summed(amounts))
    return {n: summed(parts) for n, parts in found.items()}


def minimise_cost(m: pyo.ConcreteModel, mean: Any, tail: Any, risk: float) -> None:
    """Minimise (1 - w)·mean + w·CVaR; with w = 1 the mean last."""
    m.cost = pyo.Objective(
        expr=(1 - risk) * mean + risk * tail if risk else mean,
        sense=pyo.minimize,
        doc="expected discounted cost, weighed with its tail [money]",
    )
    m.mean = pyo.Objective(expr=mean, sense=pyo.minimize, doc="expected discounted cost [money]")
    m.tail = pyo.Objective(
        expr=tail, sense=pyo.minimize, doc="mean of the worst discounted costs (CVaR) [money]"
    )
    m.tail.deactivate()
    if risk < 1:
        m.mean.deactivate()


def add_tail(m: pyo.ConcreteModel, stockpile: Stockpile, costs: Mapping[int, Any]) -> Any:
    """Return CVaR = ζ + Σ_leaf π·excess/α of the cost over the leaves [money].

    Rockafellar and Uryasev, Optimization of conditional value-at-risk, 2000.
    """
    tree, tail = stockpile.tree, stockpile.settings.risk_tail
    m.LEAVES = pyo.Set(initialize=list(tree.leaves), doc="leaves of the scenario tree")
    m.so_far = pyo.Var(m.NODES, doc="discounted cost on the path to a node [money]")
    m.at_risk = pyo.Var(doc="cost beyond which the tail begins [money]")
    m.excess = pyo.Var(m.LEAVES, domain=pyo.NonNegativeReals, doc="cost beyond it [money]")
    balance_cost(m, stockpile, costs)
    hold_excess(m)
    return m.at_risk + summed(tree.probability[n] / tail * m.excess[n] for n in tree.leaves)


def balance_cost(m: pyo.ConcreteModel, stockpile: Stockpile, costs: Mapping[int, Any]) -> None:
    """Require so_far[n] = so_far[p] + the discounted cost at n."""

    def rule(m: pyo.ConcreteModel, n: int) -> object:
        parent = stockpile.tree.parent[n]
        before = [] if parent is None else [m.so_far[parent]]
        return summed([costs.get(n, 0.0), *before, -m.so_far[n]]) == 0

    m.balance_cost = pyo.Constraint(m.NODES, rule=rule, doc="the cost of a path adds up [money]")


def hold_excess(m: pyo.ConcreteModel) -> None:
    """Require excess[leaf] ≥ cost on the path to the leaf - ζ."""
    m.hold_excess = pyo.Constraint(
        m.LEAVES,
        rule=lambda m, n: m.excess[n] >= m.so_far[n] - m.at_risk,
        doc="what a path costs beyond the tail's beginning [money]",
    )


def cvar(costs: Mapping[str, tuple[float, float]], tail: float) -> float:
    """Return the mean cost of the worst `tail` of scenarios [money].

    `costs`: the probability and the cost of each.
    """
    left, total = tail, 0.0
    for probability, cost in sorted(costs.values(), key=lambda each: -each[1]):
        part = min(left, probability)
        left, total = left - part, total + part * cost
    return total / (tail - left) if tail > left else 0.0


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what each scenario costs, and all money by period and heading."""
    yield from _by_scenario(formulation)
    yield from _cash_flow(formulation)


def _cash_flow(formulation: Formulation) -> Iterator[CashFlow]:
    """Yield the sums of money that have the same node, heading, material, name and buyer.

    What is only the solver's noise is left out, as it is on the sheet of payments.
    """
    stockpile, tree, known = formulation.stockpile, formulation.stockpile.tree, headings()
    sums: dict[tuple[int, int, str, str | None, str, str | None], float] = {}
    weights: dict[tuple[int, int], float] = {}
    for each, amount in formulation.money:
        key = (each.node, each.delay, each.heading, each.material, each.name, each.buyer)
        sums[key] = sums.get(key, 0.0) + amount
        if (each.node, each.delay) not in weights:
            weights[each.node, each.delay] = factor(stockpile, each)
    place = {heading: at for at, heading in enumerate(known)}
    order = sorted(sums, key=lambda key: (tree.period[key[0]], key[0], place[key[2]]))
    for n, delay, heading, material, name, buyer in order:
        amount = sums[n, delay, heading, material, name, buyer]
        if abs(amount) > stockpile.scale.no_money:
            weight = weights[n, delay]
            yield CashFlow(
                **stockpile.where(n),
                date=stockpile.calendar.begin(tree.period[n] + delay),
                heading=heading,
                cash=known[heading].cash,
                material=material,
                name=name or None,
                buyer=buyer,
                amount=amount,
                factor=weight,
                discounted=weight * amount,
            )


def _by_scenario(formulation: Formulation) -> Iterator[ScenarioOutcome]:
    """Yield what each scenario costs and misses; nothing without scenarios."""
    stockpile, ledger = formulation.stockpile, formulation.ledger
    if not stockpile.scenarios:
        return
    costs = dict.fromkeys(stockpile.tree.nodes, 0.0)
    for each, amount in formulation.money:
        costs[each.node] += _discount(stockpile, each) * amount
    short, waste = _by_node(stockpile, ledger.missing), _by_node(stockpile, ledger.wasted)
    by_name = {row.scenario: row for row in stockpile.rows(Scenario)}
    nothing = stockpile.scale.nothing
    for name, leaf in stockpile.scenarios.items():
        path, row = stockpile.tree.paths[leaf], by_name.get(name)
        known = None if row is None else revealed(stockpile, row)
        yield ScenarioOutcome(
            scenario=name,
            probability=base_probability(stockpile) if row is None else row.probability,
            follows=None if row is None else row.follows or BASE,
            revealed=None if known is None else stockpile.calendar.begin(known),
            cost=sum(costs[n] for n in path),
            shortfall=sum(short[n] for n in path if short[n] > nothing),
            waste=sum(waste[n] for n in path if waste[n] > nothing),
        )


def _by_node(stockpile: Stockpile, amounts: Iterable[Amount]) -> dict[int, float]:
    """Return the sum of quantities at each node."""
    found = dict.fromkeys(stockpile.tree.nodes, 0.0)
    for n, quantity in amounts:
        found[n] += evaluate(quantity)
    return found


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return whether stock that is left pays [quantity].

    It is without limit where stock is worth more than metal costs, else 0.
    """
    tree = stockpile.tree
    for leaf in tree.leaves if stockpile.calendar.periods - 1 in window else ():
        row = stockpile.at(leaf).keyed(Material)[material]
        if row.closing_value > 0:
            worth = row.closing_value * stockpile.price(str(row.price_index), leaf)
            if stockpile.settings.discount_rate < 0 or worth > cheapest:
                return math.inf
    return 0.0


BLOCK = Block(
    results=(CashFlow, ScenarioOutcome),
    headings=(CLOSING,),
    follows=RISK,
    add=add,
    report=report,
    uses=uses,
)
