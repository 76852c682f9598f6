"""From many sampled scenarios to a few: the subset that is nearest by the Kantorovich distance,
with new probabilities.

`forward` is fast forward selection (Heitsch and Römisch 2003, Computational Optimization and
Applications 24, algorithm 2.4): the next scenario is the one that brings the kept ones nearest to
all. `kmedoids` goes on from there by exchanging a kept scenario for another as long as that helps
(PAM's swap phase, Kaufman and Rousseeuw 1990, with the sums of Schubert and Rousseeuw 2021). Either
way a scenario that is left gives its probability to the nearest that is kept, which is optimal for
the subset (Dupačová, Gröwe-Kuska and Römisch 2003, theorem 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from optimiser.scenarios.sampling.random_processes import Array, Whole

METHODS = {
    "forward": "fast forward selection (Heitsch and Römisch 2003)",
    "kmedoids": "k-medoids (PAM, Kaufman and Rousseeuw 1990)",
}
_NOTHING = 1e-12


@dataclass(frozen=True)
class Reduction:
    """The kept scenarios by number, the most probable first, with their probabilities.

    Each scenario went to one of them. `distance` is the Kantorovich distance from all to the kept
    ones; `relative` is its share of the distance where one scenario alone is kept.
    """

    kept: Whole
    probability: Array
    nearest: Whole
    distance: float
    relative: float


def distances(features: Array) -> Array:
    """Return the Euclidean distance between each two rows."""
    return np.asarray(cdist(features, features))


def reduce(
    cost: Array, weight: Array, keep: int, method: str = "forward", order: Whole | None = None
) -> Reduction:
    """Keep `keep` of the scenarios with the distances `cost` and probabilities `weight`; `order` is
    that of `forward`, where known.
    """
    chosen = (forward(cost, weight, keep)[0] if order is None else order)[:keep]
    if method == "kmedoids":
        chosen = exchange(cost, weight, chosen)
    nearest = chosen[np.argmin(cost[:, chosen], axis=1)]
    nearest[chosen] = chosen  # each kept one stands for itself, also where another is the same
    mass: Array = np.bincount(nearest, weights=weight, minlength=len(weight)).astype(np.float64)
    kept = np.array(sorted(chosen, key=lambda k: (-mass[k], k)), dtype=np.int64)
    one = float((weight @ cost).min())
    left = float(weight @ cost[np.arange(len(weight)), nearest])
    return Reduction(kept, mass[kept], nearest, left, left / one if one > _NOTHING else 0.0)


def forward(cost: Array, weight: Array, keep: int) -> tuple[Whole, Array]:
    """Return the scenarios in the order in which forward selection takes them, and the Kantorovich
    distance after each.

    What a scenario would gain never grows as others are taken, so only those are looked at again
    whose last gain is the greatest.
    """
    best = int(np.argmin(weight @ cost))
    near = cost[best].copy()
    chosen, left = [best], [float(weight @ near)]
    gain = np.full(len(weight), np.inf)
    while len(chosen) < keep:
        gain[chosen[-1]] = -np.inf
        fresh = np.zeros(len(weight), dtype=bool)
        while not fresh[best := int(np.argmax(gain))]:
            gain[best], fresh[best] = left[-1] - float(weight @ np.minimum(near, cost[best])), True
        near = np.minimum(near, cost[best])
        chosen.append(best)
        left.append(float(weight @ near))
    return np.array(chosen, dtype=np.int64), np.array(left)


def exchange(cost: Array, weight: Array, chosen: Whole) -> Whole:
    """Exchange kept scenarios for others, the best exchange first.

    It ends where none brings the kept ones nearer to all.
    """
    chosen = chosen.copy()
    while len(chosen) < len(weight):
        order = np.sort(cost[:, chosen], axis=1)
        mine, first = np.argmin(cost[:, chosen], axis=1), order[:, 0]
        second = order[:, 1] if len(chosen) > 1 else np.full(len(weight), np.inf)
        gain = weight[:, None] * np.minimum(cost - first[:, None], 0.0)
        lost = weight[:, None] * (np.minimum(cost, second[:, None]) - first[:, None]) - gain
        change = np.array(
            [gain.sum(axis=0) + lost[mine == m].sum(axis=0) for m in range(len(chosen))]
        )
        change[:, chosen] = np.inf
        m, other = np.unravel_index(int(np.argmin(change)), change.shape)
        if change[m, other] >= -_NOTHING * max(1.0, float(weight @ first)):
            break
        chosen[m] = other
    return chosen
