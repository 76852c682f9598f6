"""The random processes against their closed forms, within four standard errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optimiser.scenarios.sampling import random_processes
from optimiser.scenarios.sampling.random_processes import Array

SAMPLES = 40_000
ERRORS = 4.0
YEARS = np.array([0.25, 0.5, 1.5, 4.0])
KAPPA, SIGMA = np.array([0.8, 2.5, 0.0]), np.array([0.4, 0.7, 0.3])
RHO = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 1.0]])


@pytest.fixture(scope="module")
def paths() -> Array:
    return random_processes.log_paths(
        random_processes.stream(7, "test"), SAMPLES, YEARS, KAPPA, SIGMA, RHO
    )


def near(values: Array, expected: float) -> None:
    assert abs(values.mean() - expected) < ERRORS * values.std() / math.sqrt(len(values)), (
        values.mean(),
        expected,
    )


@pytest.mark.parametrize("date", range(len(YEARS)))
@pytest.mark.parametrize("index", range(3))
def test_mean_and_variance_are_those_of_the_process(paths: Array, date: int, index: int) -> None:
    """κ = 0, the third index, is geometric Brownian motion: σ²t."""
    x, kappa, sigma, year = paths[:, date, index], KAPPA[index], SIGMA[index], YEARS[date]
    expected = (
        sigma**2 * year
        if kappa == 0
        else sigma**2 * (1 - math.exp(-2 * kappa * year)) / (2 * kappa)
    )
    assert random_processes.variance(KAPPA, SIGMA, float(year))[index] == pytest.approx(expected)
    near(x, 0.0)
    near(x**2, expected)
    near(np.exp(x - expected / 2), 1.0)  # so that the mean of the prices is the mean path


def test_in_the_long_run_the_variance_is_that_of_the_stationary_process() -> None:
    late = random_processes.log_paths(
        random_processes.stream(3, "test"),
        SAMPLES,
        np.array([40.0]),
        KAPPA[:1],
        SIGMA[:1],
        np.eye(1),
    )[:, 0, 0]
    near(late**2, SIGMA[0] ** 2 / (2 * KAPPA[0]))


def test_what_is_left_of_a_move_decays_with_the_reversion(paths: Array) -> None:
    """E X_s X_t = Var X_s exp(-κ(t - s)), whatever dates lie between."""
    for index in range(3):
        expected = float(
            np.exp(-KAPPA[index] * (YEARS[3] - YEARS[0]))
            * random_processes.variance(KAPPA, SIGMA, float(YEARS[0]))[index]
        )
        near(paths[:, 0, index] * paths[:, 3, index], expected)


@pytest.mark.parametrize(("a", "b"), [(0, 1), (0, 2), (1, 2)])
def test_indices_move_together_as_their_shocks_do(paths: Array, a: int, b: int) -> None:
    """E X_a X_b = ρ σ_a σ_b (1 - exp(-(κ_a + κ_b)t)) / (κ_a + κ_b)."""
    total = KAPPA[a] + KAPPA[b]
    for date, year in enumerate(YEARS):
        near(
            paths[:, date, a] * paths[:, date, b],
            RHO[a, b] * SIGMA[a] * SIGMA[b] * (1 - math.exp(-total * year)) / total,
        )


def test_a_correlation_of_one_is_no_trouble() -> None:
    x = random_processes.log_paths(
        random_processes.stream(1, "test"),
        100,
        YEARS,
        np.array([1.0, 1.0]),
        np.array([0.3, 0.3]),
        np.ones((2, 2)),
    )
    assert x[:, :, 0] == pytest.approx(x[:, :, 1], abs=1e-6)


def test_correlations_that_cannot_be_are_brought_to_the_nearest_that_can() -> None:
    impossible = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.9], [0.0, 0.9, 1.0]])
    found, change = random_processes.possible(impossible)
    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert np.diag(found) == pytest.approx(1.0)
    assert 0 < change < 0.5
    kept, none = random_processes.possible(RHO)
    assert kept is RHO
    assert none == 0


def test_a_triangle_has_its_mean_variance_and_ends() -> None:
    low, mode, high = 2.0, 6.0, 16.0
    drawn = random_processes.triangular(
        random_processes.stream(5, "test"), SAMPLES, low, mode, high
    )
    assert drawn.min() >= low
    assert drawn.max() <= high
    mean = (low + mode + high) / 3
    near(drawn, mean)
    near(
        (drawn - mean) ** 2,
        (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18,
    )
    assert set(random_processes.triangular(random_processes.stream(5, "test"), 10, 3, 3, 3)) == {
        3.0
    }
    assert random_processes.triangular(random_processes.stream(5, "test"), 10, 0, 0, 4).min() >= 0


def test_outages_begin_as_a_poisson_process_and_last_as_long_as_drawn() -> None:
    """At least one in four years: 1 - exp(-4λ).

    The first begins when an exponential time is over.
    """
    rate, periods = 0.2, 48
    first = np.zeros(SAMPLES, dtype=np.int64)
    flags = random_processes.spells(
        random_processes.stream(2, "test"), first, periods, rate, (3.0, 3.0, 3.0), 1
    )
    near(flags.any(axis=1).astype(float), 1 - math.exp(-rate * periods / 12))
    begun = flags.any(axis=1) & ~flags[:, -4:].any(axis=1)
    runs = np.diff(flags.astype(int), axis=1, prepend=0) == 1
    assert set(flags.sum(axis=1)[begun & (runs.sum(axis=1) == 1)]) <= {
        3,
        6,
        9,
    }  # one may follow another at once


def test_outages_wait_until_there_is_something_to_stop() -> None:
    first = np.array([5, 10, 99], dtype=np.int64)
    flags = random_processes.spells(
        random_processes.stream(2, "test"), np.repeat(first, 500), 20, 3.0, (1.0, 2.0, 4.0), 3
    )
    assert [int(np.flatnonzero(flags[k : k + 500].any(axis=0)).min()) for k in (0, 500)] == [5, 10]
    assert not flags[1000:].any()
    assert not random_processes.spells(
        random_processes.stream(2, "test"), first, 20, 0.0, (1.0, 2.0, 4.0), 3
    ).any()
    endless = random_processes.spells(
        random_processes.stream(2, "test"), np.zeros(500, dtype=np.int64), 20, 1.0, None, 3
    )
    assert (np.diff(endless.astype(int), axis=1) >= 0).all()


def test_random_numbers_hang_on_the_seed_and_the_name_alone() -> None:
    assert random_processes.stream(1, "a").random() == random_processes.stream(1, "A").random()
    assert (
        len(
            {random_processes.stream(seed, name).random() for seed in (1, 2) for name in ("a", "b")}
        )
        == 4
    )


def test_prices_are_rounded_to_four_digits() -> None:
    assert random_processes.rounded(np.array([1234.56, 0.0123456, 0.0, 98767.0])).tolist() == [
        1235.0,
        0.01235,
        0.0,
        98770.0,
    ]
