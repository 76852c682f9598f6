"""Morris: elementary effects of each input along trajectories that change one input at a time
(Morris 1991; SALib).

A trajectory in which a run has no plan is left out as a whole, and the answer says so. With fewer
than two whole ones the effects are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from optimiser.studies.kinds.screened import cases, costs, missed, problem, quiet

TRAJECTORIES, LEVELS = 10, 4
LEAST = 2  # trajectories from which an effect can be estimated


def rounds(asked: Asked) -> Rounds:
    """Plan along trajectories, and rank the inputs by their effects."""
    with quiet():
        from SALib.analyze import morris as analysis
        from SALib.sample import morris as sampling

    stated, many = problem(asked), asked.study.samples or TRAJECTORIES
    levels = asked.study.steps or LEVELS
    levels += levels % 2  # the method needs an even number
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
        said = f"Refused: fewer than {LEAST} whole trajectories.{out}"
        return [AnswerTable("morris", said, header, [])]
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
    said, axis = _answer(asked, rows) + out, f"effect on the cost [{asked.money}]"
    return [AnswerTable("morris", said, header, rows, "columns", (3, 5), axis)]


def _answer(asked: Asked, rows: Sequence[Sequence[object]]) -> str:
    """Say which input moves the cost most."""
    name, most = rows[0][0], figure(rows[0][3])
    said = "No input moves the cost"
    if most:
        said = f"{name} moves the cost most, by {asked.paid(most)} over its range on average (μ*)"
        if len(rows) > 1:
            said += f"; next is {rows[1][0]}, by {asked.paid(figure(rows[1][3]))}"
    return f"{said}. σ says how much that depends on the other inputs."
