"""Sites as a plan may use them or not: what holding a unit costs for a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyomo.environ as pyo

from stockpile_model.choice import Fact, Lever, LeverPayment, PlanChoice, UnitCost
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Site


def facts(formulation: Formulation, name: str, level: str | None) -> Iterator[Fact]:
    """Yield what a site holds at the end of each period, and what a unit costs there."""
    m, stockpile = formulation.m, formulation.stockpile
    for n in stockpile.tree.nodes:
        held = sum(evaluate(each) for each in stocks(m, stockpile, name, None, n))
        rate = stockpile.at(n).sites[name].cost * stockpile.calendar.months
        present = rate * stockpile.discount(stockpile.tree.period[n])
        amount = held if held > stockpile.scale.nothing else 0.0
        yield Fact(n, amount, UnitCost(other=rate, present=present))


def stocks(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return the stock of a site at a node, by material and age."""
    return [
        m.stock[i, name, a, node]
        for i in stockpile.keyed(Material)
        for a in stockpile.first_ages(i, node)
        if (i, name, a, node) in m.STOCKS
    ]


def _nodes(stockpile: Stockpile, name: str) -> Iterable[int]:
    """Return the nodes at which a site can hold metal."""
    return stockpile.tree.nodes


def lever(stockpile: Stockpile, name: str, level: str | None) -> Lever:
    """Return the cell of what storage costs."""
    row = stockpile.sites[name]
    return Lever(((Site.TABLE, name, "cost"),), "money/quantity/month", 1, row.cost)


def payments(formulation: Formulation, name: str, level: str | None) -> Iterator[LeverPayment]:
    """Yield what one more unit of the cost of storage costs for each unit held."""
    stockpile, months = formulation.stockpile, float(formulation.stockpile.calendar.months)
    for n in stockpile.tree.nodes:
        for each in stocks(formulation.m, stockpile, name, None, n):
            yield LeverPayment(each, n, months, "storage")


def entries(formulation: Formulation, material: str, node: int, age: int = 0) -> Iterator[Any]:
    """Yield the balance of the stock of a material of an age [periods] at each site of a node.

    Of an age that is none of its own there, but one of a class, nothing.
    """
    m, stockpile = formulation.m, formulation.stockpile
    for w in stockpile.sites if age in stockpile.first_ages(material, node) else ():
        if (material, w, age, node) in m.balance_stock:
            yield m.balance_stock[material, w, age, node]
        elif (material, w, node) in m.balance_expiry:
            yield m.balance_expiry[material, w, node]


CHOICE = PlanChoice(
    kind="site",
    table=Site.TABLE,
    unit="quantity x period",
    possible=_nodes,
    done=stocks,
    facts=facts,
    lever=lever,
    payments=payments,
)
