"""Volatility, reversion and correlation from past prices.

Log prices are taken for an Ornstein-Uhlenbeck process, x' = μ + (x - μ) exp(-κΔ) + s ε with s² =
σ²(1 - exp(-2κΔ)) / 2κ (Schwartz 1997, Journal of Finance 52, model 1). At equal steps its
likelihood is greatest at the regression of x' on x: exp(-κΔ) is the slope, s² the mean square of
the residuals. At unequal steps the same likelihood is searched over κ. Short histories give a
reversion that is too fast (Yu 2012, Journal of Econometrics 169), so the number of points is given
with it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from optimiser.scenarios.sampling.random_processes import Array, memory

LEAST_POINTS = 12
"""Points of an index, or common to two, below which a history says too little."""

_SLOWEST, _FASTEST = 1e-3, 50.0  # reversion that is looked for [1/year]


@dataclass(frozen=True)
class Fit:
    """The parameters of an index by its history, per year.

    `residuals` are the standardised steps.
    """

    volatility: float
    reversion: float
    points: int
    residuals: Array


def fit(years: Array, prices: Array, reverting: bool) -> Fit:
    """Calibrate one index on its prices at rising dates."""
    x, steps = np.log(prices), np.diff(years)
    kappa = _likeliest(x, steps) if reverting else 0.0
    _, sigma, residuals = _profile(x, steps, kappa)
    return Fit(sigma, kappa, len(prices), residuals)


def _likeliest(x: Array, steps: Array) -> float:
    """Return the reversion with the greatest likelihood.

    It is the best of a grid, searched on between its neighbours.
    """
    grid = np.geomspace(_SLOWEST, _FASTEST, 120)
    values = [_profile(x, steps, float(kappa))[0] for kappa in grid]
    best = int(np.argmax(values))
    between = math.log(grid[max(0, best - 1)]), math.log(grid[min(len(grid) - 1, best + 1)])
    found = minimize_scalar(
        lambda log: -_profile(x, steps, math.exp(log))[0],
        bounds=between,
        method="bounded",
        options={"xatol": 1e-9},
    )
    return math.exp(float(found.x))


def _profile(x: Array, steps: Array, kappa: float) -> tuple[float, float, Array]:
    """Return the greatest log-likelihood for a reversion (up to a constant), its volatility, and
    the standardised residuals.

    Without reversion the mean is a drift: x' = x + a Δ + s ε.
    """
    decay = np.exp(-kappa * steps)
    scale = np.sqrt(memory(np.array(2 * kappa), steps))
    pull = (1 - decay) / scale if kappa else steps / scale
    moved = (x[1:] - decay * x[:-1]) / scale
    mean = float(pull @ moved / (pull @ pull))
    left = moved - mean * pull
    sigma = math.sqrt(max(float(left @ left) / len(left), 1e-300))
    return -len(left) * math.log(sigma) - float(np.log(scale).sum()), sigma, left / sigma


Steps = Mapping[tuple[dt.date, dt.date], float]
"""Standardised residuals by the dates between which they arose."""


def correlation(first: Steps, second: Steps) -> tuple[float, int]:
    """Return the correlation of two indices by their residuals in common steps, and how many there
    are.
    """
    common = sorted(first.keys() & second.keys())
    pairs = np.array([[first[step], second[step]] for step in common]).reshape(-1, 2)
    squares = pairs.T @ pairs
    size = math.sqrt(squares[0, 0] * squares[1, 1])
    return float(np.clip(squares[0, 1] / size, -1.0, 1.0)) if size else 0.0, len(common)
