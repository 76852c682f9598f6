"""Outlets as a plan may use them or not: what a unit earns or costs, and what would better that."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.outlet_terms import EARNING, Outlet
from stockpile_model.choice import Fact, Lever, LeverPayment, UnitCost
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.funds import Fund
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def facts(formulation: Formulation, name: str, level: str | None) -> Iterator[Fact]:
    """Yield what leaves through an outlet at each node, and what a unit costs, its price taken off.

    What does not leave is priced as the youngest metal that the outlet takes.
    """
    m, stockpile = formulation.m, formulation.stockpile
    outs: dict[int, list[tuple[int, str, float]]] = {}
    for r, w, a, n in m.OUTS:
        if r == name:
            outs.setdefault(n, []).append((a, w, evaluate(m.out[r, w, a, n])))
    for n, found in outs.items():
        whole = sum(out for *_, out in found)
        if whole > stockpile.scale.nothing:
            yield Fact(n, whole, _unit(stockpile, name, n, found, whole))
        else:
            youngest, site, _ = min(found)
            row = stockpile.at(n).keyed(Outlet)[name]
            size = max(row.capacity or 0.0, row.minimum_order) or math.inf
            yield Fact(n, 0.0, _unit(stockpile, name, n, [(youngest, site, size)], size))


def _unit(
    stockpile: Stockpile, name: str, n: int, outs: list[tuple[int, str, float]], whole: float
) -> UnitCost:
    """Return what a unit costs of what leaves, by age and site."""
    now = stockpile.at(n)
    row = now.keyed(Outlet)[name]
    earned = handled = 0.0
    for a, w, out in outs:
        age, part = stockpile.standing(row.material, a).age, 1.0 if out == whole else out / whole
        earned += part * outlet_terms.price(stockpile, row, age, n)
        handled += part * now.sites[w].handling_out
    waste = now.keyed(Material)[row.material].disposal_cost if row.form == "dispose" else 0.0
    cost = UnitCost(-earned, 0.0, 0.0, row.order_cost / whole, handled, row.cost + waste)
    return cost._replace(present=cost.landed * stockpile.discount(stockpile.tree.period[n]))


def lever(stockpile: Stockpile, name: str, level: str | None) -> Lever:
    """Return the cell of the price received, or its share of an index; else that of the cost."""
    row = stockpile.keyed(Outlet)[name]
    if row.form not in EARNING:
        return Lever(((Outlet.TABLE, name, "cost"),), "money/quantity", 1, row.cost)
    if row.price_index is not None:
        cells = ((Outlet.TABLE, name, "price_factor"),)
        return Lever(cells, "1", -1, math.inf, row.price_factor)
    cells = ((Outlet.TABLE, name, "price"),)
    return Lever(cells, "money/quantity", -1, math.inf, row.price or 0.0)


def payments(formulation: Formulation, name: str, level: str | None) -> Iterator[LeverPayment]:
    """Yield what one more unit of the lever costs for each unit that leaves, by age.

    None are where a fund keeps the receipts, which then may pay for more.
    """
    m, stockpile = formulation.m, formulation.stockpile
    row = stockpile.keyed(Outlet)[name]
    fund = stockpile.keyed(Fund).get(row.fund or "")
    if fund is not None and fund.keeps_receipts:
        return
    earns = row.form in EARNING
    for r, w, a, n in m.OUTS:
        if r != name:
            continue
        there = stockpile.at(n).keyed(Outlet)[name]
        rate = 1.0
        if earns and there.form == "sale":
            rate = outlet_terms.worth(stockpile, there, stockpile.standing(there.material, a).age)
            if there.price_index is not None:
                rate *= stockpile.price(there.price_index, n)
        if row.currency is not None:
            rate *= stockpile.price(row.currency, n)
        yield LeverPayment(
            m.out[r, w, a, n], n, -rate if earns else rate, "" if earns else "rotation"
        )


def why_not(stockpile: Stockpile, name: str) -> str:
    """Return why an outlet can never be used; blank where it can."""
    if len(outlet_terms.opened(stockpile, stockpile.keyed(Outlet)[name])):
        return ""
    return "its dates, or the time until metal is back, leave no period in which it takes metal"
