"""Signing: one level of a contract at most, once on a path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Deed
from stockpile_model.blocks.contracts.contract_terms import (
    Contract,
    bound_money,
    menu,
    signable,
    signed_before,
)
from stockpile_model.blocks.contracts.schedule import Cover, Extension, Schedule
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger
from stockpile_model.stockpile import Stockpile


def add_sign(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add sign[k,f,n]: whether contract k is signed at level f at node n."""
    m.SIGNINGS = pyo.Set(
        dimen=3,
        initialize=[(k, f, n) for k, n in schedule.signings for f in schedule.levels[k]],
        doc="contract, level, node at which it can be signed",
    )
    m.sign = pyo.Var(
        m.SIGNINGS, domain=pyo.Binary, doc="whether a level of a contract is signed [1]"
    )
    m.priority[m.sign] = 1


def signed(m: pyo.ConcreteModel, k: str, f: str, covers: Iterable[Cover]) -> Any:
    """Return Σ of signatures and extensions of a contract at a level: 1 where one holds [1]."""
    return summed([_holds(m, k, f, each) for each in covers])


def _holds(m: pyo.ConcreteModel, k: str, f: str, cover: Cover) -> Any:
    """Return the variable of a signature or extension at a level [1]."""
    if isinstance(cover, Extension):
        return m.extend[k, f, cover.first, cover.node]
    if cover.going is None:
        return m.sign[k, f, cover.node]
    return m.begin[k, f, cover.going, cover.node]


def forbid_second_signing(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_{f, path} sign[k,f,s] ≤ 1.

    The last signing nodes of each path carry the row: on a chain one row for a contract.
    """
    leaves = schedule.stockpile.tree.leaves
    ends = {
        (k, max(nodes))
        for k in schedule.contracts
        for leaf in leaves
        if (nodes := schedule.signable(k, leaf))
    }
    m.forbid_second_signing = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(ends)),
        rule=lambda m, k, n: (
            summed(m.sign[k, f, s] for s in schedule.signable(k, n) for f in schedule.levels[k])
            <= 1
        ),
        doc="at most one level of a contract, once on every path [1]",
    )


def hold_signed_before(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require sign[k,f,n] = 1 of the level that was signed before the start, at each first node."""
    m.hold_signed_before = pyo.Constraint(
        pyo.Set(
            dimen=3,
            initialize=[key for key in m.SIGNINGS if signed_before(schedule.stockpile, key[0])],
        ),
        rule=lambda m, k, f, n: m.sign[k, f, n] == 1,
        doc="a contract that was signed before the start stays signed [1]",
    )


def pay_signing(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post signing_cost · sign at the node of signing; before the start it is sunk."""
    for k, f, n in m.SIGNINGS:
        row = schedule.contract(k, n)
        if row.signing_cost > 0 and not signed_before(schedule.stockpile, k):
            amount = row.signing_cost * m.sign[k, f, n]
            material = schedule.contracts[k].material
            ledger.pay(n, "signing", amount, "contract", material, name=k)


def _possible(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Return the nodes at which a contract can be signed."""
    contract = stockpile.keyed(Contract)[name]
    if not stockpile.counts(contract.supplier) or signed_before(stockpile, name):
        return iter(())
    return signable(stockpile, contract)


def _done(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return the signatures of a contract at a node, at one level or (None) at any."""
    return [
        m.sign[name, f, node]
        for f in menu(stockpile)[name]
        if level in (None, f)
        and (name, f, node) in m.SIGNINGS
        and not signed_before(stockpile, name)
    ]


def _levels(stockpile: Stockpile, name: str) -> Iterable[str]:
    """Return the levels on the menu of a contract."""
    return menu(stockpile).get(name, {})


DEED = Deed(
    "sign",
    Contract.TABLE,
    metal=False,
    possible=_possible,
    done=_done,
    levels=_levels,
    before=True,
    value=bound_money,
)
