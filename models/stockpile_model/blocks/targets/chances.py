"""Targets that must hold with a probability: in enough scenarios, in all their periods.

With π the probability of a leaf and `kept` whether a target is met on the whole path to it:

    below[i,b,n] ≤ target[i,b,n]·(1 - kept[row,leaf])    at each leaf below n
    Σ π·kept[row,leaf] ≥ probability
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyomo.environ as pyo

from stockpile_model.blocks.targets.target_terms import Asks, Target
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile

NOISE = 1e-9  # of a sum of probabilities [1]


def ties(stockpile: Stockpile) -> Iterator[tuple[Row, str]]:
    """Yield the cells that hold across scenarios: probabilities of targets."""
    for row in stockpile.rows(Target):
        if row.probability is not None:
            yield row, "probability"


def _numbers(stockpile: Stockpile) -> dict[int, Target]:
    """Return the targets with a probability, by their number in the table."""
    rows = enumerate(stockpile.rows(Target))
    return {number: row for number, row in rows if row.probability is not None}


def _number(stockpile: Stockpile, n: int, row: Target) -> int:
    """Return the number of a row as it stands at a node."""
    return next(k for k, each in enumerate(stockpile.at(n).rows(Target)) if each is row)


def hold_chances(m: pyo.ConcreteModel, stockpile: Stockpile, asked: Asks, ledger: Ledger) -> None:
    """Add what targets with a probability need; nothing where there is none."""
    rows = _numbers(stockpile)
    if rows:
        add_kept(m, stockpile, rows)
        forbid_below(m, stockpile, asked)
        hold_probability(m, stockpile, rows, ledger)


def add_kept(m: pyo.ConcreteModel, stockpile: Stockpile, rows: Mapping[int, Target]) -> None:
    """Add kept[row,leaf]: whether a target is met on the whole path to a leaf."""
    m.CHANCES = pyo.Set(initialize=list(rows), doc="number of a target with a probability")
    m.kept = pyo.Var(
        m.CHANCES,
        stockpile.tree.leaves,
        domain=pyo.Binary,
        doc="whether a target is met in all its periods in a scenario [1]",
    )


def forbid_below(m: pyo.ConcreteModel, stockpile: Stockpile, asked: Asks) -> None:
    """Require below[i,b,n] ≤ target[i,b,n]·(1 - kept[row,leaf]) at each leaf below n."""
    leaves = frozenset(stockpile.tree.leaves)
    keys = [
        (_number(stockpile, n, each.row), i, b, n, leaf)
        for (i, b, n), each in asked.items()
        if each.row.probability is not None
        for leaf in stockpile.tree.below[n]
        if leaf in leaves
    ]
    m.forbid_below = pyo.Constraint(
        pyo.Set(dimen=5, initialize=keys),
        rule=lambda m, k, i, b, n, leaf: (
            m.below[i, b, n] <= asked[i, b, n].quantity * (1 - m.kept[k, leaf])
        ),
        doc="a target that is met in a scenario misses nothing on its path [quantity]",
    )


def hold_probability(
    m: pyo.ConcreteModel, stockpile: Stockpile, rows: Mapping[int, Target], ledger: Ledger
) -> None:
    """Require Σ π·kept[row,leaf] ≥ probability of a target."""
    tree = stockpile.tree
    least = {k: (row.probability or 0.0) - NOISE for k, row in rows.items()}
    m.hold_probability = pyo.Constraint(
        m.CHANCES,
        rule=lambda m, k: (
            summed(tree.probability[leaf] * m.kept[k, leaf] for leaf in tree.leaves) >= least[k]
        ),
        doc="a target is met in scenarios of at least its probability [1]",
    )
    for k, row in rows.items():
        data, what = m.hold_probability[k], f"probability of the target for {row.material}"
        last = tree.leaves[-1]
        ledger.limit(data, "least", least[k], "probability", what, row, "probability", last)
