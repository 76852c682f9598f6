"""The random processes: prices that revert or wander, times without supply, triangles.

Prices follow X_i = log price against its mean path, dX_i = -κ_i X_i dt + σ_i dW_i with correlated
dW (Schwartz 1997, model 1; κ = 0 is geometric Brownian motion), drawn exactly at any dates, without
steps between them. Outages and embargoes begin as a Poisson process that pauses while one lasts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stockpile_model.names import identity

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


def stream(seed: int, name: str) -> np.random.Generator:
    """Return random numbers of their own for each thing that is uncertain.

    One more of them leaves the others as they were.
    """
    return np.random.default_rng([seed, *identity(name).encode()])


def memory(kappa: Array, years: Array | float) -> Array:
    """Return ∫ exp(-κs) ds from 0 to `years`: the time itself where κ = 0 [years]."""
    small = np.abs(kappa * years) < 1e-12
    safe = np.where(small, 1.0, kappa)
    return np.asarray(np.where(small, years, -np.expm1(-safe * years) / safe))


def variance(kappa: Array, sigma: Array, years: float) -> Array:
    """Return Var X after `years`: σ²(1 - exp(-2κt)) / 2κ, or σ²t where κ = 0.

    In the long run it is σ²/2κ.
    """
    return sigma**2 * memory(2 * kappa, years)


def log_paths(
    rng: np.random.Generator,
    samples: int,
    years: Array,
    kappa: Array,
    sigma: Array,
    correlation: Array,
) -> Array:
    """Return X at the given years from a start at 0: samples x dates x indices.

    The increments of a step h have the covariance ρ_ij σ_i σ_j (1 - exp(-(κ_i + κ_j)h)) / (κ_i +
    κ_j).
    """
    found = np.zeros((samples, len(years), len(kappa)))
    now, before = np.zeros((samples, len(kappa))), 0.0
    for k, year in enumerate(years):
        step = float(year - before)
        covariance = correlation * np.outer(sigma, sigma) * memory(np.add.outer(kappa, kappa), step)
        now = now * np.exp(-kappa * step) + rng.standard_normal(now.shape) @ root(covariance).T
        found[:, k] = now
        before = float(year)
    return found


def root(covariance: Array) -> Array:
    """Return a matrix R with R Rᵀ = covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)))


def possible(correlation: Array) -> tuple[Array, float]:
    """Return the nearest correlation matrix, and how far it is from the given one.

    Its eigenvalues are clipped, and it is scaled back to ones on the diagonal. The distance is the
    largest change of a correlation: 0 where the given one was possible.
    """
    values, vectors = np.linalg.eigh(correlation)
    if (values >= -1e-10).all():
        return correlation, 0.0
    clipped = (vectors * np.clip(values, 0.0, None)) @ vectors.T
    scale = np.sqrt(np.diag(clipped))
    found = clipped / np.outer(scale, scale)
    np.fill_diagonal(found, 1.0)
    return found, float(np.abs(found - correlation).max())


def triangular(
    rng: np.random.Generator, samples: int, low: float, mode: float, high: float
) -> Array:
    """Draw between low and high, most likely at mode; all alike where the two are one."""
    drawn = rng.random(samples)
    if high <= low:
        return np.full(samples, mode)
    turn = (mode - low) / (high - low)
    rising = low + np.sqrt(drawn * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - drawn) * (high - low) * (high - mode))
    return np.asarray(np.where(drawn < turn, rising, falling))


def spells(
    rng: np.random.Generator,
    first: Whole,
    periods: int,
    per_year: float,
    months: tuple[float, float, float] | None,
    period_months: int,
) -> Flags:
    """Return in which periods something lasts: samples x periods."""
    found = np.zeros((len(first), periods), dtype=bool)
    if per_year <= 0:
        return found
    at, clock = np.arange(periods), first.astype(float)
    while True:
        clock = clock + rng.exponential(1 / per_year, len(first)) * 12 / period_months
        if not (clock < periods).any():
            return found
        drawn = (
            np.full(len(first), float(periods))
            if months is None
            else triangular(rng, len(first), *months) / period_months
        )
        length = np.maximum(1.0, np.rint(drawn))
        begin = np.floor(clock)
        found |= (at >= begin[:, None]) & (at < (begin + length)[:, None])
        clock = clock + length


def rounded(values: Array, digits: int = 4) -> Array:
    """Return numbers as a person writes them, to a few significant digits."""
    return np.array([float(f"{value:.{digits}g}") for value in values.ravel().tolist()]).reshape(
        values.shape
    )
