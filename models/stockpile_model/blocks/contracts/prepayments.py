"""Prepayments: money paid at signing, taken off what is due for deliveries until it is used up."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts.contract_terms import signed_before
from stockpile_model.blocks.contracts.deliveries import arrives, buyer_sites, due
from stockpile_model.blocks.contracts.schedule import Schedule
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger


def add_prepaid(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add credited[k,f,d,q,n], prepaid[k,f,d,n] and used_up[k,f,d,n].

    They are the credit that buyer q receives, the prepayment that is left after it, and whether
    none is left.
    """
    buyers = buyer_sites(schedule.stockpile)
    m.PREPAID = pyo.Set(
        dimen=4,
        initialize=[key for key in schedule.takes if key[0] in schedule.prepaid],
        doc="contract, level, first delivery, node of a delivery with a credit",
    )
    m.CREDITS = pyo.Set(
        dimen=5,
        initialize=[(k, f, d, q, n) for k, f, d, n in m.PREPAID for q in buyers],
        doc="contract, level, first delivery, buyer, node of a credit",
    )
    m.credited = pyo.Var(
        m.CREDITS, domain=pyo.NonNegativeReals, doc="taken off what a buyer owes [money]"
    )
    m.prepaid = pyo.Var(
        m.PREPAID, domain=pyo.NonNegativeReals, doc="what is left of a prepayment [money]"
    )
    m.used_up = pyo.Var(m.PREPAID, domain=pyo.Binary, doc="whether a prepayment is used up [1]")


def balance_prepaid(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require prepaid[n] = prepaid[p(n)] - Σ_q credited[n], from Σ prepayment·active on.

    Of a contract signed before the start it goes on from what is left.
    """
    tree = schedule.stockpile.tree

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        if tree.period[n] == max(0, d):
            parts = schedule.active[k, d, n]
            before = summed(
                [schedule.prepayment(k, f, d, s.node) * signed(m, k, f, [s]) for s in parts]
            )
        else:
            before = m.prepaid[k, f, d, tree.parent[n]]
        return m.prepaid[k, f, d, n] == before - _credit(m, schedule, k, f, d, n)

    m.balance_prepaid = pyo.Constraint(
        m.PREPAID, rule=rule, doc="a credit is taken off what is left of a prepayment [money]"
    )


def cap_credited(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require credited[k,f,d,q,n] ≤ min(credit, price)·(what arrives for buyer q)."""
    several = len(buyer_sites(schedule.stockpile)) > 1

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, q: str, n: int) -> Any:
        own = m.call[k, f, d, q, n] if several else arrives(m, schedule, k, f, d, n)
        return m.credited[k, f, d, q, n] <= schedule.credit(k, f, d, n) * own

    m.cap_credited = pyo.Constraint(
        m.CREDITS, rule=rule, doc="no more is credited than is due for what arrives [money]"
    )


def hold_credited(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_q credited ≥ min(credit, price)·(availability·take - most·used_up)."""

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        most = schedule.contract(k, n).availability * schedule.most(k, f, n)
        whole = arrives(m, schedule, k, f, d, n) - most * m.used_up[k, f, d, n]
        rate = schedule.credit(k, f, d, n)
        return _credit(m, schedule, k, f, d, n) >= rate * whole

    m.hold_credited = pyo.Constraint(
        m.PREPAID, rule=rule, doc="each unit is credited until the prepayment is used up [money]"
    )


def cap_prepaid(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require prepaid ≤ prepayment·(1 - used_up)."""

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        most = max(schedule.prepayment(k, f, d, s) for s in schedule.signable(k, n))
        return m.prepaid[k, f, d, n] <= most * (1 - m.used_up[k, f, d, n])

    m.cap_prepaid = pyo.Constraint(
        m.PREPAID, rule=rule, doc="nothing is left of a prepayment that is used up [money]"
    )


def pay_prepayments(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post prepayment·sign at the node of signing, and less what is credited at each delivery.

    What was prepaid before the start is sunk. The credit is obligated with the delivery that it
    lessens.
    """
    for k, f, n in m.SIGNINGS:
        amount = schedule.contract(k, n).prepayment
        if amount > 0 and not signed_before(schedule.stockpile, k):
            material = schedule.contracts[k].material
            ledger.pay(n, "prepayments", amount * m.sign[k, f, n], "contract", material, name=k)
    for k, f, d, q, n in m.CREDITS:
        credit, material = m.credited[k, f, d, q, n], schedule.contracts[k].material
        bound = due(m, schedule, k, n, schedule.contract(k, n).availability)
        ledger.pay(n, "credits", -credit, "contract", material, q or None, k, obligation=bound)


def _credit(m: pyo.ConcreteModel, schedule: Schedule, k: str, f: str, d: int, n: int) -> Any:
    """Return Σ_q credited[k,f,d,q,n] [money]."""
    return summed([m.credited[k, f, d, q, n] for q in buyer_sites(schedule.stockpile)])
