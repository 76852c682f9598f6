"""Random programs of scenario trees and chains, small enough for HiGHS to solve to the end."""

from __future__ import annotations

import numpy as np

from optimiser.solving.program import Program
from optimiser.solving.structure import Label, ScenarioTree, Structure, structure


def random_tree(r: np.random.Generator, leaves: int, periods: int) -> ScenarioTree:
    """A tree whose paths part at any time, each from any other; one leaf makes a chain."""
    parent: list[int | None] = [None, *range(periods - 1)]
    paths = [[*range(periods)]]
    for _ in range(leaves - 1):
        known, at = (
            paths[int(r.integers(len(paths)))],
            int(r.integers(1, periods)) if periods > 1 else 1,
        )
        path = known[:at]
        for _ in range(at, periods):
            parent.append(path[-1])
            path.append(len(parent) - 1)
        paths.append(path)
    weight = r.integers(1, 6, len(paths)).astype(float)
    probability = np.zeros(len(parent))
    for path, share in zip(paths, weight / weight.sum(), strict=True):
        probability[path] += share
    return ScenarioTree(tuple(parent), tuple(probability.tolist()))


def planning(
    seed: int,
    leaves: int,
    periods: int,
    across: bool = False,
    scarce: bool = False,
    light: bool = False,
) -> tuple[Program, Structure]:
    """A stock that is bought in lots at order costs, or under a contract that is signed once on a
    path, against demand at each node.

    Columns at a node: bought, ordered (0 or 1), lots, taken, signed (0 or 1, weighty), stock,
    short. `across` adds a row over all nodes, `scarce` a budget for each path, which may not do for
    all that is needed. `light`: lots are decided last.
    """
    r = np.random.default_rng(seed)
    tree = random_tree(r, leaves, periods)
    names = ("buy", "place", "lots", "take", "sign", "stock", "short")
    nodes = len(tree.parent)
    labels: list[Label] = [(name, ("one", n)) for name in names for n in range(nodes)]
    at = {label: j for j, label in enumerate(labels)}
    price, rate = r.integers(4, 12, nodes), np.array(tree.probability) * 0.99**tree.depth
    signing = int(r.integers(5, 60))
    per: dict[str, float | np.ndarray] = {
        "buy": price,
        "place": 20.0,
        "lots": 0.0,
        "take": 6.0,
        "sign": signing,
    }
    per |= {"stock": 0.2, "short": 40.0}
    cost = np.concatenate([per[name] * rate for name in names]).astype(float)
    high = {"buy": 60, "place": 1, "lots": 6, "take": 12, "sign": 1, "stock": 80, "short": np.inf}
    rows: list[tuple[float, dict[tuple[str, int], float], float]] = []
    for n in range(nodes):
        before, way = tree.parent[n], _path(tree, n)
        flow = {("buy", n): 1.0, ("take", n): 1.0, ("short", n): 1.0, ("stock", n): -1.0}
        if before is not None:
            flow["stock", before] = 1.0
        need = float(r.integers(0, 15))
        rows.append((need, flow, need))
        rows.append((0.0, {("lots", n): 10.0, ("buy", n): -1.0}, 0.0))
        rows.append((-np.inf, {("buy", n): 1.0, ("place", n): -60.0}, 0.0))
        rows.append((-np.inf, {("take", n): 1.0} | {("sign", m): -12.0 for m in way}, 0.0))
        rows.append((-np.inf, {("sign", m): 1.0 for m in way}, 1.0))
    if across:
        rows.append(
            (
                -np.inf,
                {("short", n): tree.probability[n] for n in range(nodes)},
                float(r.integers(5, 30)),
            )
        )
    if scarce:
        budget, spent = float(r.integers(20, 60) * periods), ("buy", "place", "take", "sign")
        for path in tree.paths:
            outlays = {
                (name, n): float(per[name][n] if name == "buy" else per[name])
                for name in spent
                for n in path
            }  # type: ignore[index,arg-type]
            rows.append((-np.inf, outlays, budget))
    keyed = [
        (low, {at[name, ("one", n)]: value for (name, n), value in row.items()}, up)
        for low, row, up in rows
    ]
    integer = np.array([name in ("place", "lots", "sign") for name, _ in labels])
    program = Program(
        cost=cost,
        offset=1.0,
        lower=np.zeros(len(labels)),
        upper=np.repeat([float(high[name]) for name in names], nodes),
        integer=integer,
        row_lower=np.array([low for low, _, _ in keyed]),
        row_upper=np.array([up for _, _, up in keyed]),
        start=np.concatenate([[0], np.cumsum([len(row) for _, row, _ in keyed])]).astype(np.int32),
        index=np.concatenate([[*row] for _, row, _ in keyed]).astype(np.int32),
        value=np.concatenate([[*row.values()] for _, row, _ in keyed]).astype(float),
    )
    priority = np.array(
        [(name == "sign") - (light and name == "lots") for name, _ in labels], dtype=np.int32
    )
    return program, structure(program, labels, priority, tree)


def _path(tree: ScenarioTree, node: int) -> list[int]:
    path: list[int] = []
    at: int | None = node
    while at is not None:
        path.append(at)
        at = tree.parent[at]
    return path
