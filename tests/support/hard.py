"""A search that does not end for a long time, and has plans from its first second."""

from __future__ import annotations

import random

import pyomo.environ as pyo


def knapsacks(items: int = 60, sacks: int = 10, seed: int = 0) -> pyo.ConcreteModel:
    """Multi-dimensional knapsack with values close to the weights: hours of branch and bound."""
    r = random.Random(seed)
    weight = [[r.randint(1, 99) for _ in range(items)] for _ in range(sacks)]
    m = pyo.ConcreteModel()
    m.take = pyo.Var(range(items), domain=pyo.Binary)
    m.cap = pyo.Constraint(
        range(sacks),
        rule=lambda m, s: (
            pyo.quicksum(weight[s][i] * m.take[i] for i in range(items)) <= sum(weight[s]) // 2
        ),
    )
    value = [sum(row[i] for row in weight) / sacks + r.randint(-5, 5) for i in range(items)]
    m.cost = pyo.Objective(expr=-pyo.quicksum(value[i] * m.take[i] for i in range(items)))
    return m
