"""How stock ages: from period to period it is handed on from age to age.

With p = p(n), for an age of its own:

    stock[i,w,a,n] = stock[i,w,a-1,p] + arrivals - departures,   a < L_i - 1
    expired[i,w,n] = stock[i,w,L-2,p] + arrivals - departures    at the last age, L_i - 1

What leaves the last age unused has expired: it is neither held nor counted. Where a scenario
shortens a life, all that is older expires too, and nothing can use it. Without a shelf life there
is one class, which keeps its age. `age_classes` has the equations of ages that are one class.
"""

from __future__ import annotations

from collections.abc import Callable

import pyomo.environ as pyo

from stockpile_model.blocks.stock.flows import Flows
from stockpile_model.formulation import summed


def balance_stock(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require stock[a,n] = stock[a-1,p] + arrivals - departures; of a class what stays in it."""

    def rule(m: pyo.ConcreteModel, i: str, w: str, a: int, n: int) -> object:
        balance: Callable[..., object] = _of_class if (i, w, a) in flows.wide else _of_age
        return balance(m, flows, i, w, a, n)

    m.balance_stock = pyo.Constraint(
        m.STOCKS, rule=rule, doc="stock by age is handed on [quantity]"
    )


def _of_age(m: pyo.ConcreteModel, flows: Flows, i: str, w: str, a: int, n: int) -> object:
    terms = [*flows.going(i, w, a, n), *flows.coming(i, w, a, n), *flows.unaged(i, w, n)]
    return summed([*terms, -m.stock[i, w, a, n]]) == 0


def _of_class(m: pyo.ConcreteModel, flows: Flows, i: str, w: str, a: int, n: int) -> object:
    parent, terms = flows.tree.parent[n], flows.going(i, w, a, n)
    terms += [flows.entered(i, w, a, n), -flows.oldest(i, w, a, n)]
    if parent is not None:
        terms.append(flows.staying(i, w, a, parent))
    else:
        terms += [flows.opening.get((i, w, age, n), 0.0) for age in flows.wide[i, w, a][1:]]
    return summed([*terms, -flows.staying(i, w, a, n)]) == 0


def balance_expiry(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require expired[n] = stock[L-2,p] + arrivals - departures at the last age."""

    def rule(m: pyo.ConcreteModel, i: str, w: str, n: int) -> object:
        last = int(flows.life(i, n) or 0) - 1
        terms = []
        for a in (begin + last for begin in flows.begins(i)):
            terms += [*flows.coming(i, w, a, n), *flows.going(i, w, a, n)]
        terms += [*flows.beyond(i, w, n), flows.overaged(i, w, n)]
        return summed([*terms, -m.expired[i, w, n]]) == 0

    alone = [key for key in m.EXPIRIES if len(flows.stockpile.age_classes(key[0], key[2])[-1]) == 1]
    m.balance_expiry = pyo.Constraint(
        pyo.Set(dimen=3, initialize=alone),
        rule=rule,
        doc="what leaves the last age unused has expired [quantity]",
    )


def hold_last_age(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require departures ≤ stock[L-2,p] + arrivals at the last age, after each number of tests."""
    tested = [
        (i, w, begin + int(flows.life(i, n) or 0) - 1, n)
        for i, w, n in m.EXPIRIES
        if i in flows.stockpile.standings
        for begin in flows.begins(i)
    ]
    m.hold_last_age = pyo.Constraint(
        pyo.Set(dimen=4, initialize=[key for key in tested if flows.going(*key)]),
        rule=lambda m, *key: summed([*flows.coming(*key), *flows.going(*key)]) >= 0,
        doc="what leaves at the last age is of metal that was tested so often [quantity]",
    )


def hold_moved(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require what moves to other sites ≤ stock[a-1,p] + arrivals, but from other sites at once.

    So metal moves once in a period at most, and in no circle.
    """

    def rule(m: pyo.ConcreteModel, i: str, w: str, a: int, n: int) -> object:
        there = [*flows.own(i, w, a, n), *flows.unaged(i, w, n)]
        return summed(flows.moving[i, w, a, n]) <= summed(there)

    m.hold_moved = pyo.Constraint(
        pyo.Set(dimen=4, initialize=[key for key in flows.moving if key in flows.at_once]),
        rule=rule,
        doc="what moves was at its site before anything moved in the period [quantity]",
    )


def hold_expiry(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require expired[n] ≥ what is older than a life that a scenario shortens."""
    m.hold_expiry = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[key for key in m.EXPIRIES if flows.beyond(*key)]),
        rule=lambda m, i, w, n: m.expired[i, w, n] >= summed(flows.beyond(i, w, n)),
        doc="nothing can use what is older than a shortened life [quantity]",
    )
