"""Sobol: the share of the cost's variance that each input explains alone (S1) and with all others
(ST) (Saltelli 2010; SALib).

The indices tolerate no missing run: where one has no plan they are refused, with the reason. Its
runs stay in the record.
"""

from __future__ import annotations

import numpy as np

from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from optimiser.studies.kinds.screened import cases, costs, missed, problem, quiet
from stockpile_model import amounts

SAMPLES = 64


def rounds(asked: Asked) -> Rounds:
    """Plan for the samples of Saltelli, and split the variance of the cost over the inputs."""
    with quiet():
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as sampling

    stated, seed = problem(asked), asked.seed
    with quiet():
        shares = sampling.sample(
            stated, asked.study.samples or SAMPLES, calc_second_order=False, seed=seed
        )
    results = yield cases(asked, shares)
    cost = costs(results)
    header = ("input", "low", "high", "S1", "S1 ±", "ST", "ST ±")
    if np.isnan(cost).any():
        said = (
            f"Refused: {int(np.isnan(cost).sum())} of {len(cost)} runs have no cost"
            f" ({missed(results)}); Sobol's indices tolerate none. "
        )
        return [
            AnswerTable(
                "sobol",
                said + "Narrow the ranges, or give shortage a price so that every case has a plan.",
                header,
                [],
            )
        ]
    if np.ptp(cost) == 0:
        return [
            AnswerTable(
                "sobol",
                "Refused: the cost is the same in every run, so there is no variance to explain.",
                header,
                [],
            )
        ]
    with quiet():
        found = analysis.analyze(stated, cost, calc_second_order=False, seed=seed)
    columns = zip(
        asked.inputs, found["S1"], found["S1_conf"], found["ST"], found["ST_conf"], strict=True
    )
    rows = [(each.name, each.low, each.high, *map(float, numbers)) for each, *numbers in columns]
    rows.sort(key=lambda row: -figure(row[5]))
    name, alone, total = rows[0][0], figure(rows[0][3]), figure(rows[0][5])
    said = (
        f"{name} explains most of the cost's variance: {amounts.percent(max(0.0, alone))} alone"
        f" (S1), {amounts.percent(total)} with all that it does together with "
    )
    said += (
        f"others (ST). {len(cost)} runs; ± is a 95 % confidence interval. Costs carry the gap of"
        f" {amounts.percent(asked.gap, 2)}."
    )
    return [
        AnswerTable("sobol", said, header, rows, "columns", (3, 5), "share of the variance, 0 to 1")
    ]
