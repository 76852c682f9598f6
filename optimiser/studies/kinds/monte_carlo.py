"""Monte Carlo: all inputs drawn from their distributions, independently, and what becomes of cost, shortfall and stock.

Draw k is the same however many follow it, so a study that is extended keeps its runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimiser.solver.standard_form import Floats
from optimiser.studies.case import Result
from optimiser.studies.kinds.asked import Asked, Rounds, Table
from optimiser.studies.kinds.screened import missed

SAMPLES = 200
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BINS = 20


def rounds(asked: Asked) -> Rounds:
    samples = asked.study.samples or SAMPLES
    dice = np.random.default_rng(asked.seed)
    shares = dice.random((samples, len(asked.inputs)))
    results = yield [asked.case(*(each.at(share) for each, share in zip(asked.inputs, row, strict=True))) for row in shares.tolist()]
    planned = [each for each in results if each.planned]
    tables = [_summary(asked, results, planned)]
    if planned:
        tables += [_histogram(asked, planned), _fan(asked, planned)]
        tables.append(_correlated(asked, shares, results))
    return tables


def _summary(asked: Asked, results: Sequence[Result], planned: Sequence[Result]) -> Table:
    rows: list[tuple[object, ...]] = []
    for name, unit in (("objective", asked.money), ("shortfall", asked.unit), ("waste", asked.unit)):
        values = np.array([number for each in planned if (number := each.number(name)) is not None])
        if len(values):
            error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
            shown = "cost" if name == "objective" else name
            rows.append((shown, unit, float(values.mean()), error, *(float(each) for each in np.quantile(values, QUANTILES))))
    short = sum((each.number("shortfall") or 0.0) > 0 for each in planned)
    said = f"{len(planned)} of {len(results)} runs have a plan, {short} of these fall short of a target or demand."
    if len(planned) < len(results):
        said += f" Runs without a plan are left out of every figure: {missed(results)}."
    said += f" Costs carry the gap of {asked.gap:.2%}; what else is told is that of one plan within it."
    header = ("of", "unit", "mean", "standard error", *(f"{share:.0%} quantile" for share in QUANTILES))
    return Table("monte carlo", said, header, rows)


def _histogram(asked: Asked, planned: Sequence[Result]) -> Table:
    values = np.array([each.objective for each in planned], dtype=np.float64)
    counts, edges = np.histogram(values, bins=min(BINS, max(1, len(values) // 3)))
    rows = [(float((low + high) / 2), int(count)) for low, high, count in zip(edges, edges[1:], counts, strict=False)]
    return Table("cost histogram", "How often the cost falls where.", (f"cost [{asked.money}]", "runs"), rows, "columns")


def _fan(asked: Asked, planned: Sequence[Result]) -> Table:
    """Quantiles of stock by period."""
    stock = np.array([each.stock for each in planned if len(each.stock)], dtype=np.float32)
    calendar = asked.stockpile.calendar
    bands = np.quantile(stock, QUANTILES, axis=0) if len(stock) else np.zeros((len(QUANTILES), 0))
    rows = [(calendar.begin(t), *(float(each) for each in bands[:, t])) for t in range(bands.shape[1])]
    header = ("period", *(f"{share:.0%}" for share in QUANTILES))
    return Table("stock fan", f"Stock at the end of each period [{asked.unit}]: quantiles over the runs.", header, rows, "fan")


def _correlated(asked: Asked, shares: Floats, results: Sequence[Result]) -> Table:
    """Spearman's rank correlation of each input with the cost."""
    from scipy.stats import spearmanr

    kept = np.array([each.planned for each in results])
    cost = np.array([each.objective for each in results if each.planned], dtype=np.float64)
    spread = len(cost) > 2 and np.ptp(cost) > 0
    rows: list[tuple[object, ...]] = []
    for k, each in enumerate(asked.inputs):
        correlation = float(spearmanr(shares[kept, k], cost).statistic) if spread else None
        rows.append((each.name, each.low, each.high, each.distribution, correlation))
    rows.sort(key=lambda row: -abs(float(str(row[4] or 0.0))))
    return Table(
        "correlation",
        "Spearman's rank correlation of each input with the cost: -1 to 1.",
        ("input", "low", "high", "distribution", "correlation"),
        rows,
    )
