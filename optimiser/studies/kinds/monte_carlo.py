"""Monte Carlo: all inputs drawn from their distributions, independently, and what becomes of cost,
shortfall and stock.

Draw k is the same however many follow it, so a study that is extended keeps its runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimiser.solving.program import Floats
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds, figure
from optimiser.studies.kinds.screened import missed
from stockpile_model import amounts
from stockpile_model.tables import Material

SAMPLES = 200
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 20


def rounds(asked: Asked) -> Rounds:
    """Draw the inputs, and plan for each sample."""
    samples = asked.study.samples or SAMPLES
    dice = np.random.default_rng(asked.seed)
    shares = dice.random((samples, len(asked.inputs)))
    results = yield [
        asked.case(*(each.at(share) for each, share in zip(asked.inputs, row, strict=True)))
        for row in shares.tolist()
    ]
    planned = [each for each in results if each.planned]
    if not planned:
        return [_summary(asked, results, planned, "")]
    correlated = _correlated(asked, shares, results)
    return [
        _summary(asked, results, planned, correlated.said),
        _histogram(asked, planned),
        _fan(asked, planned),
        correlated,
    ]


def _summary(
    asked: Asked, results: Sequence[CaseResult], planned: Sequence[CaseResult], correlated: str
) -> AnswerTable:
    rows: list[tuple[object, ...]] = []
    for name, unit in (
        ("objective", asked.money),
        ("shortfall", asked.unit),
        ("waste", asked.unit),
    ):
        values = np.array([value for each in planned if (value := each.number(name)) is not None])
        if len(values):
            error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
            shown = "cost" if name == "objective" else name
            rows.append(
                (
                    shown,
                    unit,
                    float(values.mean()),
                    error,
                    *(float(each) for each in np.quantile(values, QUANTILES)),
                )
            )
    short = sum((each.number("shortfall") or 0.0) > 0 for each in planned)
    said = ""
    if rows:
        mean, error, low, high = (figure(rows[0][at]) for at in (2, 3, 4, -1))
        said = f"The {asked.least} is {asked.paid(mean)} on average"
        said += f" (standard error {asked.paid(error)})" if math.isfinite(error) else ""
        said += (
            f", and from {asked.paid(low)} to {asked.paid(high)} in nine runs of ten. {correlated} "
        )
    said += (
        f"{len(planned)} of {len(results)} runs have a plan, {short} of these fall short of a"
        " target or demand."
    )
    if len(planned) < len(results):
        said += f" Runs without a plan are left out of every figure: {missed(results)}."
    said += (
        f" Costs carry the gap of {amounts.percent(asked.gap, 2)}; all other figures are those of"
        " one plan within it."
    )
    header = (
        "of",
        "unit",
        "mean",
        "standard error",
        *(f"{amounts.percent(share)} quantile" for share in QUANTILES),
    )
    return AnswerTable("monte carlo", said, header, rows)


def _histogram(asked: Asked, planned: Sequence[CaseResult]) -> AnswerTable:
    values = np.array([each.objective for each in planned], dtype=np.float64)
    counts, edges = np.histogram(values, bins=min(BINS, max(1, len(values) // 3)))
    rows = [
        (float((low + high) / 2), int(count))
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    often = max(rows, key=lambda row: row[1])
    said = f"Most runs, {often[1]:,} of {len(values):,}, cost about {asked.paid(often[0])}."
    return AnswerTable(
        "cost histogram", said, (f"cost [{asked.money}]", "runs"), rows, "columns", axis="runs"
    )


def _fan(asked: Asked, planned: Sequence[CaseResult]) -> AnswerTable:
    """Return quantiles of stock by period."""
    stock = np.array([each.stock for each in planned if len(each.stock)], dtype=np.float32)
    calendar = asked.stockpile.calendar
    bands = np.quantile(stock, QUANTILES, axis=0) if len(stock) else np.zeros((len(QUANTILES), 0))
    rows = [
        (calendar.begin(t), *(float(each) for each in bands[:, t])) for t in range(bands.shape[1])
    ]
    header = ("period", *(amounts.percent(share) for share in QUANTILES))
    several = ", all metals together" if len(asked.stockpile.rows(Material)) > 1 else ""
    said = f"Stock at the end of each period [{asked.unit}]{several}: quantiles over the runs."
    if rows:
        low, high = (max(figure(row[k]) for row in rows) for k in (1, len(QUANTILES)))
        said += (
            f" At its largest it is {amounts.about(low)} to {amounts.about(high)} {asked.unit} in"
            " nine runs of ten."
        )
    return AnswerTable("stock fan", said, header, rows, "fan", axis=f"stock [{asked.unit}]")


def _correlated(asked: Asked, shares: Floats, results: Sequence[CaseResult]) -> AnswerTable:
    """Return Spearman's rank correlation of each input with the cost."""
    from scipy.stats import spearmanr

    kept = np.array([each.planned for each in results])
    cost = np.array([each.objective for each in results if each.planned], dtype=np.float64)
    spread = len(cost) > 2 and np.ptp(cost) > 0
    rows: list[tuple[object, ...]] = []
    for k, each in enumerate(asked.inputs):
        correlation = float(spearmanr(shares[kept, k], cost).statistic) if spread else None
        rows.append((each.name, each.low, each.high, each.distribution, correlation))
    rows.sort(key=lambda row: -abs(figure(row[4] or 0.0)))
    most = rows[0][4] if rows else None
    said = "The cost does not move with any input."
    if most is not None:
        said = f"The cost moves most with {rows[0][0]} (rank correlation {figure(most):.2f})."
    header = ("input", "low", "high", "distribution", "correlation of ranks with the cost")
    return AnswerTable(
        "correlation", said, header, rows, "columns", (4,), "rank correlation, -1 to 1"
    )
