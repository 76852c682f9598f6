"""The objective: expected discounted cost, or shortfall first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pyomo.environ as pyo

from stockpile_model.data import Material, Result, Row, Stockpile, column
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import HEADINGS, Ledger, Money


@dataclass(frozen=True, kw_only=True)
class CashFlow(Result):
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
    at no more of it.
    """
    tree = stockpile.tree
    for leaf in tree.leaves:
        for i, material in stockpile.at(leaf).keyed(Material).items():
            if material.closing_value > 0:
                worth = material.closing_value * stockpile.price(str(material.price_index), leaf)
                life = stockpile.life(i)
                for _, w, a, _ in (key for key in m.STOCKS if key[0] == i and key[3] == leaf):
                    share = 1.0 if life is None else (life - 1 - a) / life
                    if share > 0:
                        buyer = stockpile.sites[w].buyer
                        ledger.charge(leaf, "closing_stock", -worth * share * m.stock[i, w, a, leaf], i, w, buyer, delay=1)

    terms = [weight * each.amount for each in ledger.money if (weight := factor(stockpile, each))]
    missing = [(m.unmet[key], key[2]) for key in m.SHORTAGES] + [(m.below[key], key[2]) for key in m.SOFT_TARGETS]
    m.shortfall = pyo.Objective(
        expr=pyo.quicksum([0.0, *(tree.probability[n] * each for each, n in missing)]),
        sense=pyo.minimize,
        doc="expected unmet demand and stock below targets [quantity]",
    )
    if stockpile.settings.objective != "shortfall_first":
        m.shortfall.deactivate()
    m.cost = pyo.Objective(expr=pyo.quicksum([0.0, *terms]), sense=pyo.minimize, doc="expected discounted cost [money]")


def report(formulation: Formulation) -> Iterator[Result]:
    stockpile, tree, calendar = formulation.stockpile, formulation.stockpile.tree, formulation.stockpile.calendar
    sums: dict[tuple[int, int, str, str | None, str, str | None], float] = {}
    weights: dict[tuple[int, int], float] = {}
    for each in formulation.ledger.money:
        key = (each.node, each.delay, each.heading, each.material, each.name, each.buyer)
        sums[key] = sums.get(key, 0.0) + float(pyo.value(each.amount))
        weights[each.node, each.delay] = factor(stockpile, each)
    order = list(HEADINGS)
    for (n, delay, heading, material, name, buyer), amount in sorted(
        sums.items(), key=lambda item: (tree.period[item[0][0]], item[0][0], order.index(item[0][2]))
    ):
        if amount != 0:
            weight = weights[n, delay]
            yield CashFlow(
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
