"""Morris: elementary effects of each input along trajectories that change one input at a time
(Morris 1991; SALib).

A trajectory in which a run has no plan is left out as a whole, and told; with fewer than two whole
ones the effects are refused.
"""

from __future__ import annotations

import numpy as np

from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from optimiser.studies.kinds.screened import cases, costs, missed, problem, quiet

TRAJECTORIES, LEVELS = 10, 4
LEAST = 2  # trajectories of which anything can be told


def rounds(asked: Asked) -> Rounds:
    with quiet():
        from SALib.analyze import morris as analysis
        from SALib.sample import morris as sampling

    stated, many = problem(asked), asked.study.samples or TRAJECTORIES
    levels = asked.study.steps or LEVELS
    levels += levels % 2  # the method asks for an even number
    with quiet():
        shares = sampling.sample(stated, many, num_levels=levels, seed=asked.seed)
    results = yield cases(asked, shares, levels=True)
    cost, size = costs(results), len(asked.inputs) + 1
    whole = ~np.isnan(cost.reshape(-1, size)).any(axis=1)
    header = (
        "input",
        "low",
        "high",
        f"μ* [{asked.money}]",
        f"μ [{asked.money}]",
        f"σ [{asked.money}]",
        f"μ* ± [{asked.money}]",
    )
    out = (
        ""
        if whole.all()
        else f" {int((~whole).sum())} of {len(whole)} trajectories are left out: {missed(results)}."
    )
    if whole.sum() < LEAST:
        return [
            AnswerTable(
                "morris", f"Refused: fewer than {LEAST} whole trajectories.{out}", header, []
            )
        ]
    kept = np.repeat(whole, size)
    with quiet():
        found = analysis.analyze(
            stated, np.asarray(shares)[kept], cost[kept], num_levels=levels, seed=asked.seed
        )
    columns = zip(
        asked.inputs,
        found["mu_star"],
        found["mu"],
        found["sigma"],
        found["mu_star_conf"],
        strict=True,
    )
    rows = [(each.name, each.low, each.high, *map(float, numbers)) for each, *numbers in columns]
    rows.sort(key=lambda row: -figure(row[3]))
    name, most = rows[0][0], figure(rows[0][3])
    said = (
        f"{name} moves the cost most, by {asked.paid(most)} over its range on average (μ*)"
        if most
        else "No input moves the cost"
    )
    if most and len(rows) > 1:
        said += f"; next is {rows[1][0]}, by {asked.paid(figure(rows[1][3]))}"
    said += ". σ says how much that depends on the other inputs." + out
    return [
        AnswerTable(
            "morris", said, header, rows, "columns", (3, 5), f"effect on the cost [{asked.money}]"
        )
    ]
