"""Sweep: one or two inputs over an even grid."""

from __future__ import annotations

import itertools

import numpy as np

from optimiser.studies.kinds.asked import Asked, Rounds, Table

STEPS = 7


def grid(low: float, high: float, steps: int) -> list[float]:
    """Evenly spaced values, both ends among them."""
    return [float(each) for each in np.linspace(low, high, steps)]


def rounds(asked: Asked) -> Rounds:
    axes = [grid(each.low, each.high, asked.study.steps or STEPS) for each in asked.inputs]
    points = [*itertools.product(*axes)]
    results = yield [asked.case(*point) for point in points]
    first = asked.inputs[0].name
    if len(axes) == 1:
        rows = [
            (point[0], each.objective, each.bound, each.number("shortfall"), each.status)
            for point, each in zip(points, results, strict=True)
        ]
        header = (first, f"cost [{asked.money}]", f"bound [{asked.money}]", f"shortfall [{asked.unit}]", "status")
        return [Table("sweep", f"The least cost over {first}.", header, rows, "line")]
    found = dict(zip(points, results, strict=True))
    tables = []
    for name, unit in (("objective", asked.money), ("shortfall", asked.unit)):
        shown = "cost" if name == "objective" else name
        cells = [(x, *(found[x, y].number(name) for y in axes[1])) for x in axes[0]]
        said = f"{shown.capitalize()} [{unit}]: down {first}, across {asked.inputs[1].name}; blank = no plan."
        tables.append(Table(f"sweep {shown}", said, (first, *(f"{y:.6g}" for y in axes[1])), cells, "heat"))
    return tables
