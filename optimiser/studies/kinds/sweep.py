"""Sweep: one or two inputs over an even grid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from optimiser.studies.engine.case import CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.kinds.screened import missed
from optimiser.studies.study_sheet.study_inputs import Input

STEPS = 7


def grid(moved: Input, steps: int) -> list[float]:
    """Return evenly spaced values, both ends among them; of what moves by steps the nearest that
    there are, each once.
    """
    return [
        *dict.fromkeys(
            moved.snap(float(each)) for each in np.linspace(moved.low, moved.high, steps)
        )
    ]


def rounds(asked: Asked) -> Rounds:
    """Plan at each point of a grid of one or two inputs."""
    axes = [grid(each, asked.study.steps or STEPS) for each in asked.inputs]
    points = [*itertools.product(*axes)]
    results = yield [asked.case(*point) for point in points]
    first, said = asked.inputs[0], _answer(asked, points, results)
    if len(axes) == 1:
        rows = [
            (
                point[0],
                each.objective,
                each.bound,
                each.number("shortfall"),
                each.ended if not each.planned else each.status,
            )
            for point, each in zip(points, results, strict=True)
        ]
        header = (
            first.label,
            f"cost [{asked.money}]",
            f"bound [{asked.money}]",
            f"shortfall [{asked.unit}]",
            "status",
        )
        return [
            AnswerTable("sweep", said, header, rows, "line", axis=f"{asked.least} [{asked.money}]")
        ]
    found = dict(zip(points, results, strict=True))
    tables = list[AnswerTable]()
    for name, unit in (("objective", asked.money), ("shortfall", asked.unit)):
        shown = asked.least if name == "objective" else name
        cells = [(x, *(found[x, y].number(name) for y in axes[1])) for x in axes[0]]
        where = (
            f"{shown.capitalize()} [{unit}]: down {first.label}, across {asked.inputs[1].label};"
            " blank = no plan."
        )
        sheet = "sweep cost" if name == "objective" else "sweep shortfall"
        tables.append(
            AnswerTable(
                sheet,
                where if tables else f"{said} {where}",
                (first.label, *(f"{y:.6g}" for y in axes[1])),
                cells,
                "heat",
            )
        )
    return tables


def _answer(
    asked: Asked, points: Sequence[tuple[float, ...]], results: Sequence[CaseResult]
) -> str:
    """Return where the cost is least and where it is most."""
    planned = [
        (each.objective, point)
        for point, each in zip(points, results, strict=True)
        if each.objective is not None
    ]
    without = (
        f"{len(results) - len(planned)} of {len(results)} runs have no plan: {missed(results)}."
    )
    if not planned:
        return f"No run has a plan: {missed(results)}."

    def at(point: tuple[float, ...]) -> str:
        return " and ".join(
            f"{value:.6g} of {each.name}" for value, each in zip(point, asked.inputs, strict=True)
        )

    (low, where_low), (high, where_high) = min(planned), max(planned)
    if high - low <= asked.gap * abs(high):
        said = f"The {asked.least} is {asked.paid(low)} everywhere, within the gap."
    else:
        said = (
            f"The {asked.least} goes from {asked.paid(low)} at {at(where_low)} to"
            f" {asked.paid(high)} at {at(where_high)}."
        )
    return said if len(planned) == len(results) else f"{said} {without}"
