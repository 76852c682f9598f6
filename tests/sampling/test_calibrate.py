"""Calibration: what was simulated comes out again, and equal steps mean the regression."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pytest

from optimiser.scenarios.sampling import calibrate, random_processes
from optimiser.scenarios.sampling.random_processes import Array


def history(years: Array, kappa: float, sigma: float, seed: int = 1, mean: float = 6.0) -> Array:
    """Prices of a process, from its mean on."""
    x = random_processes.log_paths(
        random_processes.stream(seed, "history"),
        1,
        years[1:] - years[0],
        np.array([kappa]),
        np.array([sigma]),
        np.eye(1),
    )
    return np.exp(mean + np.concatenate([[0.0], x[0, :, 0]]))


def test_a_long_history_gives_its_parameters() -> None:
    """4,000 steps: σ within 3 % (its standard error is 1.1 %), κ within four standard errors
    √(2κ/T).
    """
    years = np.arange(4001) / 12
    found = calibrate.fit(years, history(years, 1.2, 0.5), reverting=True)
    assert found.volatility == pytest.approx(0.5, rel=0.05)
    assert found.reversion == pytest.approx(1.2, abs=4 * (2 * 1.2 / years[-1]) ** 0.5)
    assert found.points == 4001
    assert found.residuals.std() == pytest.approx(1, abs=0.05)


def test_at_equal_steps_it_is_the_regression_on_the_price_before() -> None:
    years = np.arange(200) / 12
    prices = history(years, 0.9, 0.4, seed=3)
    x = np.log(prices)
    slope, intercept = np.polyfit(x[:-1], x[1:], 1)
    left = x[1:] - intercept - slope * x[:-1]
    kappa = -np.log(slope) * 12
    sigma = np.sqrt((left @ left) / len(left) * 2 * kappa / (1 - slope**2))
    found = calibrate.fit(years, prices, reverting=True)
    assert found.reversion == pytest.approx(kappa, rel=1e-5)
    assert found.volatility == pytest.approx(sigma, rel=1e-5)


def test_unequal_steps_are_weighed_by_their_length() -> None:
    steps = np.random.default_rng(4).choice([0.02, 0.1, 0.5], size=4000)
    years = np.concatenate([[0.0], np.cumsum(steps)])
    found = calibrate.fit(years, history(years, 0.7, 0.6, seed=5), reverting=True)
    assert found.volatility == pytest.approx(0.6, rel=0.05)
    assert found.reversion == pytest.approx(0.7, abs=4 * (2 * 0.7 / years[-1]) ** 0.5)


def test_a_geometric_history_has_no_reversion_and_any_drift() -> None:
    years = np.arange(2001) / 52
    prices = history(years, 0.0, 0.3, seed=6) * np.exp(0.2 * years)
    found = calibrate.fit(years, prices, reverting=False)
    assert found.reversion == 0
    assert found.volatility == pytest.approx(0.3, rel=0.07)


def test_a_price_that_never_moved_has_no_volatility() -> None:
    found = calibrate.fit(np.arange(20) / 12, np.full(20, 300.0), reverting=True)
    assert found.volatility == pytest.approx(0, abs=1e-9)


def test_correlation_is_of_common_steps() -> None:
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=7 * k) for k in range(401)]
    steps = list(itertools.pairwise(days))
    rng = np.random.default_rng(9)
    a = rng.normal(size=400)
    b = 0.7 * a + (1 - 0.7**2) ** 0.5 * rng.normal(size=400)
    first, second = (
        dict(zip(steps, a.tolist(), strict=True)),
        dict(zip(steps[50:], b[50:].tolist(), strict=True)),
    )
    found, common = calibrate.correlation(first, second)
    assert common == 350
    assert found == pytest.approx(0.7, abs=4 * (1 - 0.7**2) / 350**0.5)
    assert calibrate.correlation(first, {}) == (0.0, 0)
