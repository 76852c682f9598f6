"""Splits of a cost: published games, and laws that hold for every game."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.studies.what_ifs.cooperative_games import Game, groups, nucleolus, shapley


def saved(players: str, value: Callable[[frozenset[str]], float]) -> Game:
    """A game of gains, as one of cost."""
    every = [frozenset[str](), *map(frozenset, groups(players)), frozenset(players)]
    return {group: -value(group) for group in every}


@pytest.mark.parametrize(
    ("estate", "awards"),
    [(100, (100 / 3, 100 / 3, 100 / 3)), (200, (50, 75, 75)), (300, (50, 100, 150))],
)
def test_the_estates_of_the_talmud(estate: float, awards: tuple[float, ...]) -> None:
    """Claims of 100, 200 and 300 (R. Aumann, M. Maschler, Game theoretic analysis of a bankruptcy
    problem from the Talmud, 1985).
    """
    claims = {"a": 100, "b": 200, "c": 300}
    game = saved(
        "abc",
        lambda group: max(0.0, estate - sum(claims[name] for name in "abc" if name not in group)),
    )
    found = nucleolus("abc", game)
    assert [-found[name] for name in "abc"] == pytest.approx(awards)


def test_a_left_glove_and_two_right_ones() -> None:
    """The owner of the only left glove gets all of the pair (L. Shapley, M. Shubik, Pure
    competition, coalitional power, and fair division, 1969); by Shapley's rule two thirds.
    """
    game = saved("abc", lambda group: float("a" in group and len(group) > 1))
    assert nucleolus("abc", game) == pytest.approx({"a": -1, "b": 0, "c": 0}, abs=1e-9)
    assert shapley("abc", game) == pytest.approx({"a": -2 / 3, "b": -1 / 6, "c": -1 / 6})


@pytest.mark.parametrize("costs", [(1.0, 2.0, 3.0), (2.0, 3.0, 7.0, 11.0), (5.0, 5.0, 6.0)])
def test_a_runway_is_paid_as_littlechild_has_it(costs: tuple[float, ...]) -> None:
    """A group pays for the longest runway that one of it needs. In order of need, the next to be
    served pay each the least over k of the (rest of cost k) / (players up to k and one) (S.
    Littlechild, A simple expression for the nucleolus in a special case, 1974).
    """
    players = "abcd"[: len(costs)]
    need = dict(zip(players, costs, strict=True))
    game = saved(players, lambda group: -max((need[name] for name in group), default=0.0))
    parts: list[float] = []
    while len(parts) < len(costs) - 1:
        begun, paid = len(parts), sum(parts)
        rates = [((costs[k] - paid) / (k - begun + 2), k) for k in range(begun, len(costs) - 1)]
        rate, last = min(rates, key=lambda pair: (pair[0], -pair[1]))
        parts += [rate] * (last - begun + 1)
    parts.append(costs[-1] - sum(parts))
    found = nucleolus(players, game)
    assert [found[name] for name in players] == pytest.approx(parts)


@given(
    st.integers(2, 5).flatmap(
        lambda many: st.lists(st.integers(0, 100), min_size=2**many - 1, max_size=2**many - 1)
    ),
    st.integers(0, 2**32 - 1),
)
def test_no_split_is_better_for_those_who_save_least(costs: list[int], seed: int) -> None:
    """The nucleolus against random splits that leave no player worse than alone, if any does."""
    players = "abcde"[: (len(costs) + 1).bit_length() - 1]
    every = [*groups(players), tuple(players)]
    game: Game = {frozenset(): 0.0} | {
        frozenset(group): float(cost) for group, cost in zip(every, costs, strict=True)
    }
    whole = game[frozenset(players)]
    own = np.array([game[frozenset(name)] for name in players])
    rational = own.sum() >= whole
    found = nucleolus(players, game)
    best = np.array([found[name] for name in players])
    assert best.sum() == pytest.approx(whole, abs=1e-6)

    def losses(split: np.ndarray) -> np.ndarray:
        members = np.array([[name in group for name in players] for group in groups(players)])
        alone = np.array([game[frozenset(group)] for group in groups(players)])
        return np.sort(members @ split - alone)[::-1]

    random = np.random.default_rng(seed)
    for size in (0.01, 1, 20):
        step = random.normal(size=len(players)) * size
        other = best + step - step.mean()
        if not rational or (other <= own).all():
            first = next(
                (
                    mine - theirs
                    for mine, theirs in zip(losses(best), losses(other), strict=True)
                    if abs(mine - theirs) > 1e-6
                ),
                0.0,
            )
            assert first <= 0


@given(st.lists(st.integers(0, 100), min_size=7, max_size=7))
def test_shapley_is_the_mean_over_all_orders(costs: list[int]) -> None:
    every = [*groups("abc"), tuple("abc")]
    game: Game = {frozenset(): 0.0} | {
        frozenset(group): float(cost) for group, cost in zip(every, costs, strict=True)
    }
    orders = [*itertools.permutations("abc")]
    for name in "abc":
        adds = [
            game[frozenset(order[: order.index(name) + 1])]
            - game[frozenset(order[: order.index(name)])]
            for order in orders
        ]
        assert shapley("abc", game)[name] == pytest.approx(sum(adds) / len(orders), abs=1e-9)
