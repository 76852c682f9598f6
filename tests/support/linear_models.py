"""Small random linear Pyomo models, written in every way that Pyomo allows a linear model to be
written.
"""

from __future__ import annotations

import random
from typing import Any

import pyomo.environ as pyo


def random_model(r: random.Random, variables: int = 6, constraints: int = 6) -> pyo.ConcreteModel:
    """Variables of every domain, some fixed; equations, inequalities either way round and ranges
    over sums, products, quotients, nested and named expressions, with the same variable several
    times. Bounded, and feasible or not.
    """
    m = pyo.ConcreteModel()
    m.I = pyo.Set(initialize=range(variables))
    m.rate = pyo.Param(m.I, mutable=True, initialize={i: r.randint(-4, 4) for i in m.I})
    domains = [
        pyo.Reals,
        pyo.NonNegativeReals,
        pyo.NonPositiveReals,
        pyo.Binary,
        pyo.Integers,
        pyo.NonNegativeIntegers,
        pyo.UnitInterval,
    ]
    m.x = pyo.Var(
        m.I,
        domain=lambda m, i: r.choice(domains),
        bounds=lambda m, i: (r.randint(-9, 0), r.randint(0, 9)),
    )
    m.y = pyo.Var(bounds=(-20, 20))
    m.part = pyo.Block()
    m.part.z = pyo.Var([0, 1], bounds=(0, 5))
    for i in m.I:
        if r.random() < 0.15:
            m.x[i].fix(r.choice(m.x[i].bounds))
    pool = [*m.x.values(), m.y, *m.part.z.values()]
    m.named = pyo.Expression(m.I, rule=lambda m, i: _sum(r, pool, m))

    def rule(m: Any, _: int) -> Any:
        left, right = (
            _sum(r, [*pool, *m.named.values()], m),
            r.choice([r.randint(-5, 30), m.rate[0] + 12, _sum(r, pool, m)]),
        )
        kind = r.randrange(5)
        if kind == 0:
            return left == right + m.y
        if kind == 1:
            return pyo.inequality(-r.randint(5, 60), left, r.randint(5, 60))
        if kind == 2:
            return right >= left
        if kind == 3:
            return left >= -r.randint(0, 60) - m.rate[1]
        return left <= right + 40

    m.c = pyo.Constraint(pyo.RangeSet(constraints), rule=rule)
    m.part.d = pyo.Constraint(expr=m.part.z[0] + m.part.z[1] - 7 <= m.y - m.y)
    m.off = pyo.Constraint(expr=m.y >= 1000)
    m.off.deactivate()
    m.cost = pyo.Objective(expr=_sum(r, [*pool, *m.named.values()], m) + 3)
    return m


def _sum(r: random.Random, pool: list[Any], m: Any) -> Any:
    """A random linear expression."""
    terms: list[Any] = []
    for _ in range(r.randint(1, 5)):
        each = r.choice(pool)
        terms.append(
            r.choice(
                [
                    each,
                    r.randint(-5, 5) * each,
                    -each,
                    each / 4,
                    m.rate[r.choice(list(m.I))] * each,
                    2 * (each - r.choice(pool) + 1),
                    -(each + 2 * r.choice(pool)),
                    (each + r.choice(pool)) / 2,
                    (each + 1) * m.rate[0],
                    r.randint(-3, 3),
                    m.rate[2] * 2,
                ]
            )
        )
    return pyo.quicksum(terms) + m.y - 0 * m.y
