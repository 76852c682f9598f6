"""Ages that nothing in the workbook distinguishes are one class.

A class of D ages has one column for what is on hand, `stock`, and one for what is of its oldest age
at period end: `expired` in the last class, in the others `pass_on`, a part of the stock. With
stay = stock - pass_on, what stays in the class, and p = p(n),

    stay[n] = stay[p] + enter[n] - departures - oldest[n]           (balance_stock)
    stay[n] ≤ what entered in the last D-1 periods                  (cap_staying)
    stay[n] ≥ Σ oldest over the next D-1 periods                    (hold_staying)
    oldest[n] ≤ what entered D-1 periods before                     (cap_oldest)

These say the same as a column for each age. Set aside of each batch what will be left of it in the
end, no more than it has; the rest must leave within D periods of its entry. That is a transport
problem whose intervals do not contain each other, so the oldest first solves it where anything
does: where all that has left lies between what must be gone by then and what has entered by then.
`lots` says which batch a departure takes. On a tree the argument holds from one branching to the
next. Where branches part, and at leaves where closing stock is worth the less the older it is,
stock is known by its age (`aged`), and each branch begins with these batches.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.stock.flows import Flows
from stockpile_model.formulation import summed
from stockpile_model.ledger import Kept, Ledger
from stockpile_model.stockpile import Stockpile


def add_pass_on(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Add pass_on[i,w,a,n]: what is of the oldest age of a class that is not the last."""
    m.CLASSES = pyo.Set(
        dimen=4,
        initialize=[(*key, n) for key in flows.wide for n in flows.tree.nodes],
        doc="material, site, first of several ages, node",
    )
    m.PASSES = pyo.Set(
        dimen=4,
        initialize=[
            key for key in m.CLASSES if flows.wide[key[:3]].stop < (flows.life(key[0], key[3]) or 0)
        ],
        doc="material, site, first age, node of a class that is not the last",
    )
    m.pass_on = pyo.Var(
        m.PASSES,
        domain=pyo.NonNegativeReals,
        doc="stock of a class's oldest age at period end [quantity]",
    )


def balance_enter(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require enter[i,w,a,n] = Σ of what comes to a class, where that is several terms."""
    m.ENTRIES = pyo.Set(
        dimen=4,
        initialize=[key for key in m.CLASSES if len(flows.coming(*key)) > 1],
        doc="material, site, first age, node of a class that is entered in several ways",
    )
    m.enter = pyo.Var(m.ENTRIES, doc="what enters a class [quantity]")
    m.balance_enter = pyo.Constraint(
        m.ENTRIES,
        rule=lambda m, *key: summed([*flows.coming(*key), -m.enter[key]]) == 0,
        doc="what enters a class adds up [quantity]",
    )


def balance_aged(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require Σ_age aged[i,w,a,age,n] = what stays in a class, where it is known by its age."""
    parted = [key for key in m.CLASSES if flows.by_age(key[0], key[3])]
    m.AGED = pyo.Set(
        dimen=5,
        initialize=[(i, w, a, age, n) for i, w, a, n in parted for age in flows.wide[i, w, a][:-1]],
        doc=(
            "material, site, first age, age, node at which the stock of a class is known by its age"
        ),
    )
    m.aged = pyo.Var(
        m.AGED,
        domain=pyo.NonNegativeReals,
        doc="stock of one age of a class at period end [quantity]",
    )
    m.balance_aged = pyo.Constraint(
        pyo.Set(dimen=4, initialize=parted),
        rule=lambda m, i, w, a, n: (
            summed(m.aged[i, w, a, age, n] for age in flows.wide[i, w, a][:-1])
            == flows.staying(i, w, a, n)
        ),
        doc="the stock of a class is that of its ages [quantity]",
    )


def cap_aged(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require aged[i,w,a,age,n] ≤ what entered the class when that age did."""
    m.cap_aged = pyo.Constraint(
        m.AGED,
        rule=lambda m, i, w, a, age, n: m.aged[i, w, a, age, n] <= flows.batch(i, w, a, n, age - a),
        doc="no more is of an age than entered when it did [quantity]",
    )


def cap_staying(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require stay[n] ≤ what entered in the last D-1 periods."""

    def rule(m: pyo.ConcreteModel, i: str, w: str, a: int, n: int) -> object:
        entered = (flows.batch(i, w, a, n, k) for k in range(len(flows.wide[i, w, a]) - 1))
        return flows.staying(i, w, a, n) <= summed(entered)

    m.cap_staying = pyo.Constraint(
        pyo.Set(dimen=4, initialize=_inner(m, flows)),
        rule=rule,
        doc="what stays in a class entered it not long ago [quantity]",
    )


def hold_staying(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require stay[n] ≥ Σ oldest over the next D-1 periods."""
    m.hold_staying = pyo.Constraint(
        pyo.Set(dimen=4, initialize=[key for key in _inner(m, flows) if flows.left_later(*key)]),
        rule=lambda m, *key: flows.staying(*key) >= summed(flows.left_later(*key)),
        doc="what will be left of a batch stays until then [quantity]",
    )


def _inner(m: pyo.ConcreteModel, flows: Flows) -> list[tuple[str, str, int, int]]:
    """Return the classes whose stock is not known by its age."""
    return [key for key in m.CLASSES if not flows.by_age(key[0], key[3])]


def cap_oldest(m: pyo.ConcreteModel, flows: Flows) -> None:
    """Require oldest[n] ≤ what entered D-1 periods before."""

    def rule(m: pyo.ConcreteModel, i: str, w: str, a: int, n: int) -> object:
        entered = flows.batch(i, w, a, n, len(flows.wide[i, w, a]) - 1)
        return flows.oldest(i, w, a, n) <= entered

    m.cap_oldest = pyo.Constraint(
        m.CLASSES, rule=rule, doc="no more is left of a batch than entered [quantity]"
    )


def keep_ages(m: pyo.ConcreteModel, flows: Flows, ledger: Ledger) -> None:
    """Post what a class must still have of its oldest age, and of each age that is known."""
    for i, w, a, n in m.CLASSES:
        oldest = flows.oldest(i, w, a, n)
        ledger.kept.append(Kept(n, i, w, flows.wide[i, w, a][-1], oldest))
    for i, w, a, age, n in m.AGED:
        ledger.kept.append(Kept(n, i, w, age, m.aged[i, w, a, age, n]))


def by_age(
    m: pyo.ConcreteModel, stockpile: Stockpile, i: str, w: str, n: int
) -> list[tuple[int, Any]]:
    """Return age and amount of the stock at the end of a node at which it is known by its age.

    What has failed a test is left out.
    """
    found = []
    for ages in stockpile.age_classes(i, n):
        a, (age, times) = ages.start, stockpile.standing(i, ages.start)
        if len(ages) == 1:
            held = times is not None and (i, w, a, n) in m.STOCKS
            found += [(age, m.stock[i, w, a, n])] if held else []
            continue
        found += [(age, m.aged[i, w, a, age, n]) for age in ages[:-1]]
        found += [(ages[-1], m.pass_on[i, w, a, n])] if (i, w, a, n) in m.PASSES else []
    return found
