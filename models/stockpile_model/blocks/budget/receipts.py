"""Receipts that funds keep: one more appropriation of each, which grows as metal is sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.budget.appropriating import BudgetCharge, Charges
from stockpile_model.blocks.budget.budget_terms import Budget, keepers
from stockpile_model.formulation import summed
from stockpile_model.funds import Fund
from stockpile_model.ledger import Ledger
from stockpile_model.stockpile import Stockpile

Receipts = Mapping[tuple[int, int], Sequence[Any]]
"""What is received, below zero, by appropriation and node [money]."""


def receipts(stockpile: Stockpile, ledger: Ledger) -> Receipts:
    """Return the receipts that funds keep; they stand in the ledger below zero.

    What is left of those from before the start comes at its first nodes.
    """
    first, funds = len(stockpile.rows(Budget)), keepers(stockpile)
    found: dict[tuple[int, int], list[Any]] = {}
    for b, fund in enumerate(funds, first):
        if left := stockpile.keyed(Fund)[fund].receipts_left:
            parent = stockpile.tree.parent
            found |= {(b, n): [-left] for n in stockpile.tree.nodes if parent[n] is None}
    for money in ledger.money:
        if money.fund in funds:
            key = (first + funds.index(str(money.fund)), money.node)
            found.setdefault(key, []).append(money.amount)
    return found


def balance_receipts(m: pyo.ConcreteModel, found: Charges, received: Receipts) -> None:
    """Require receipts_left[b,n] = receipts_left[b,p] + receipts - pay, never below zero.

    Receipts that a fund keeps are one more appropriation: along each path what is spent of them up
    to n is at most what arrived up to n. Summed along each path from the root, the rows would be
    dense.
    """
    tree, able = found.stockpile.tree, found.able
    m.RECEIPTS = pyo.Set(
        dimen=2,
        initialize=[(b, n) for b in range(able.number, len(able.owners)) for n in tree.nodes],
        doc="fund that keeps its receipts, node",
    )
    m.receipts_left = pyo.Var(
        m.RECEIPTS, domain=pyo.NonNegativeReals, doc="receipts kept and not yet spent [money]"
    )

    def rule(m: pyo.ConcreteModel, b: int, n: int) -> object:
        parent, now = tree.parent[n], m.receipts_left[b, n]
        before = [] if parent is None else [m.receipts_left[b, parent]]
        paid = [each.amount for each in found.paid.get((b, n), ())]
        moved = [-each for each in (*received.get((b, n), ()), *paid, now)]
        return summed([*before, *moved]) == 0

    m.balance_receipts = pyo.Constraint(
        m.RECEIPTS, rule=rule, doc="receipts are spent only once they have arrived [money]"
    )


def hold_receipts(m: pyo.ConcreteModel, found: Charges) -> None:
    """Require receipts_left[b,n] ≥ Σ held of what is obligated by n and not released before.

    What may not arrive is held back from the order on, on each path.
    """
    tree, rows = found.stockpile.tree, dict[tuple[int, int, int], list[BudgetCharge]]()
    for b in (b for b in sorted(found.watched) if b >= found.able.number):
        for leaf in tree.leaves:
            path = tree.paths[leaf]
            held = [*found.on(found.held, b, path)]
            for n in path:
                later = [each for each in held if each.holds(n)]
                if later:
                    rows[b, n, max(each.node for each in later)] = later
    m.hold_receipts = pyo.Constraint(
        pyo.Set(dimen=3, initialize=list(rows)),
        rule=lambda m, b, n, end: (
            m.receipts_left[b, n] >= summed(each.amount for each in rows[b, n, end])
        ),
        doc="receipts that are obligated for what does not arrive are not spent [money]",
    )
