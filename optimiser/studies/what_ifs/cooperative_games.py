"""Games of cost: how players that do together what each could do alone may split its cost.

A game holds the cost of every group of its players [money], of none and of all among them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from optimiser.solving.search_options import SolverError

Game = Mapping[frozenset[str], float]

NOISE = 1e-9
"""What rounding leaves of a cost, as a share of the largest cost of the game."""


def groups(players: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every group of players but none and all, the smallest first."""
    return [
        group for size in range(1, len(players)) for group in itertools.combinations(players, size)
    ]


def noise(game: Game) -> float:
    """Return what rounding leaves of the costs of a game [money]."""
    return NOISE * max(map(abs, game.values()))


def shapley(players: Sequence[str], game: Game) -> dict[str, float]:
    """Return what each player pays by Shapley's rule [money].

    It is the average, over every order in which the players could have joined, of what its joining
    adds (L. S. Shapley, A value for n-person games, 1953).
    """
    found, many = dict.fromkeys(players, 0.0), math.factorial(len(players))
    for group, amount in game.items():
        for player in players:
            if player not in group:
                weight = (
                    math.factorial(len(group))
                    * math.factorial(len(players) - len(group) - 1)
                    / many
                )
                found[player] += weight * (game[group | {player}] - amount)
    return found


def nucleolus(players: Sequence[str], game: Game) -> dict[str, float]:
    """Return what each player pays by the nucleolus [money].

    It is the split in which the group that gains least against its own cost gains most, then the
    next, and so on (D. Schmeidler, The nucleolus of a characteristic function game, 1969). Where
    any split keeps each player from paying more than alone, so does this one.

    At most one linear program for each player: a group with a dual value gains the same in all best
    splits, so what it pays is settled, and with it what every sum of settled groups pays. Raises
    SolverError where a program has no solution, which no game has.
    """
    from scipy.optimize import linprog

    scale = max(map(abs, game.values())) or 1.0
    rows = {group: _members(players, group) for group in map(frozenset, groups(players))}
    everybody = frozenset(players)
    settled, paid = [_members(players, everybody)], [game[everybody] / scale]
    alone = [game[frozenset([player])] / scale for player in players]
    bounds = [(None, most if sum(alone) >= paid[0] else None) for most in alone]
    while (rank := len(settled)) < len(players):
        rows = {
            group: row
            for group, row in rows.items()
            if np.linalg.matrix_rank([*settled, row]) > rank
        }
        best = linprog(
            [0.0] * len(players) + [1.0],
            A_ub=[[*row, -1.0] for row in rows.values()],
            b_ub=[game[group] / scale for group in rows],
            A_eq=[[*row, 0.0] for row in settled],
            b_eq=paid,
            bounds=[*bounds, (None, None)],
        )
        if not best.success:
            raise SolverError(f"the nucleolus of the buyers' costs was not reached: {best.message}")
        tight = [*rows][int(np.argmin(best.ineqlin.marginals))]
        settled.append(rows[tight])
        paid.append(game[tight] / scale + best.fun)
    split = np.linalg.solve(np.array(settled), np.array(paid))
    return {player: float(part) * scale for player, part in zip(players, split, strict=True)}


def _members(players: Sequence[str], group: frozenset[str]) -> list[float]:
    return [float(player in group) for player in players]
