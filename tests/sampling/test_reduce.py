"""The reduction against brute force on small sets, and what must hold of any."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.scenarios.sampling.random_processes import Array
from optimiser.scenarios.sampling.reduce import METHODS, distances, exchange, forward, reduce

EXACT = 1e-9


def drawn(seed: int, count: int = 9, wide: int = 3) -> tuple[Array, Array]:
    """Distances and probabilities of random scenarios."""
    rng = np.random.default_rng(seed)
    weight = rng.random(count) + 0.05
    return distances(rng.normal(size=(count, wide))), weight / weight.sum()


def left(cost: Array, weight: Array, kept: tuple[int, ...]) -> float:
    """The Kantorovich distance to a subset: each goes to the nearest."""
    return float(sum(p * min(cost[k, j] for j in kept) for k, p in enumerate(weight)))


def best(cost: Array, weight: Array, keep: int) -> float:
    return min(
        left(cost, weight, kept) for kept in itertools.combinations(range(len(weight)), keep)
    )


def test_distances_are_euclidean() -> None:
    found = distances(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0]]))
    assert found == pytest.approx(np.array([[0, 5, 5], [5, 0, 0], [5, 0, 0]]), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_each_step_of_forward_selection_is_the_best_that_it_can_do(seed: int) -> None:
    cost, weight = drawn(seed)
    order, after = forward(cost, weight, 5)
    for size in range(1, 6):
        taken = tuple(order[: size - 1].tolist())
        choices = [left(cost, weight, (*taken, k)) for k in range(len(weight)) if k not in taken]
        assert after[size - 1] == pytest.approx(min(choices))
    assert after[0] == pytest.approx(best(cost, weight, 1))  # the first step is optimal


@pytest.mark.parametrize("seed", range(8))
def test_kmedoids_is_optimal_for_exchanges_and_never_worse_than_forward_selection(
    seed: int,
) -> None:
    cost, weight = drawn(seed)
    start = forward(cost, weight, 3)[0]
    found = tuple(exchange(cost, weight, start).tolist())
    exchanges = [
        (*found[:m], k, *found[m + 1 :])
        for m in range(3)
        for k in range(len(weight))
        if k not in found
    ]
    distance = left(cost, weight, found)
    assert distance <= min(left(cost, weight, each) for each in exchanges) + EXACT
    assert (
        best(cost, weight, 3) - EXACT
        <= distance
        <= left(cost, weight, tuple(start.tolist())) + EXACT
    )


def test_kmedoids_improves_what_forward_selection_cannot() -> None:
    """Three points on a line: the middle is the best single one, the ends are the best two of four
    at 0, 1, 9, 10 and one at 5.
    """
    cost, weight = (
        distances(np.array([[0.0], [1.0], [5.0], [9.0], [10.0]])),
        np.array([0.24, 0.24, 0.04, 0.24, 0.24]),
    )
    assert 2 in forward(cost, weight, 2)[0]
    found = exchange(cost, weight, forward(cost, weight, 2)[0])
    assert left(cost, weight, tuple(found.tolist())) == pytest.approx(best(cost, weight, 2))


@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 12),
    method=st.sampled_from(sorted(METHODS)),
    data=st.data(),
)
def test_what_holds_of_any_reduction(
    seed: int, count: int, method: str, data: st.DataObject
) -> None:
    cost, weight = drawn(seed, count)
    keep = data.draw(st.integers(1, count))
    found = reduce(cost, weight, keep, method)
    assert len(set(found.kept.tolist())) == keep
    assert found.probability.sum() == pytest.approx(1)
    assert (found.probability > 0).all()
    assert sorted(found.probability, reverse=True) == found.probability.tolist()
    assert found.distance == pytest.approx(left(cost, weight, tuple(found.kept.tolist())), abs=1e-9)
    assert 0 <= found.relative <= 1 + EXACT
    for k, to in enumerate(found.nearest):
        assert cost[k, to] == pytest.approx(min(cost[k, j] for j in found.kept), abs=1e-12)
    if keep < count:
        assert (
            reduce(cost, weight, keep + 1, "forward").distance
            <= reduce(cost, weight, keep, "forward").distance + EXACT
        )
    else:
        assert found.distance == 0
        assert found.probability[np.argsort(found.kept)] == pytest.approx(weight)


def test_scenarios_that_are_alike_stand_each_for_itself() -> None:
    cost, weight = distances(np.zeros((4, 2))), np.full(4, 0.25)
    for method in METHODS:
        found = reduce(cost, weight, 4, method)
        assert found.probability.tolist() == [0.25] * 4
        assert found.relative == 0
