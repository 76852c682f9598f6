"""Call-offs: each delivery under a contract in whole lots, and at a cost of its own."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts.delivery_obligations import obligation
from stockpile_model.blocks.contracts.schedule import Schedule
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger


def add_call_off(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add called_lots[k,n], the lots of a call-off, and call_off[k,f,d,n], whether it is made.

    A contract is signed once, so one number serves all levels and first deliveries. Beyond
    `firm_periods` neither is needed: lots are relaxed, and of the cost the part is paid that is
    called off of the most that can be.
    """
    firm = [key for key in schedule.takes if schedule.stockpile.firm(key[-1])]
    m.LOT_CALL_OFFS = pyo.Set(
        dimen=2,
        initialize=[(k, n) for k, n in schedule.parts if schedule.in_lots(k, n)],
        doc="contract, node of a call-off in whole lots",
    )
    m.CALL_OFFS = pyo.Set(
        dimen=4,
        initialize=[key for key in firm if schedule.contract(key[0], key[-1]).call_off_cost > 0],
        doc="contract, level, first delivery, node of a call-off with a cost",
    )
    m.called_lots = pyo.Var(
        m.LOT_CALL_OFFS, domain=pyo.NonNegativeIntegers, doc="lots in a call-off [lots]"
    )
    m.priority[m.called_lots] = -1  # as of what leaves, but that can follow what has come
    m.call_off = pyo.Var(m.CALL_OFFS, domain=pyo.Binary, doc="whether anything is called off [1]")


def hold_call_off_lots(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Hold a call-off to whole lots: Σ_{f,d} take[k,f,d,n] = lot·called_lots[k,n]."""

    def rule(m: pyo.ConcreteModel, k: str, n: int) -> Any:
        called = summed(m.take[k, f, d, n] for f, d in schedule.parts[k, n])
        return called == schedule.lot(k, n) * m.called_lots[k, n]

    m.hold_call_off_lots = pyo.Constraint(
        m.LOT_CALL_OFFS, rule=rule, doc="a call-off is whole lots [quantity]"
    )


def cap_call_off(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Let metal come by a call-off only: take ≤ flex·Q_f·months/12·call_off."""
    m.cap_call_off = pyo.Constraint(
        m.CALL_OFFS,
        rule=lambda m, k, f, d, n: (
            m.take[k, f, d, n] <= schedule.most(k, f, n) * m.call_off[k, f, d, n]
        ),
        doc="metal comes by a call-off that is made [quantity]",
    )


def hold_call_off(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Hold a call-off to a visible quantity, so that nothing is paid for none."""
    visible = schedule.stockpile.scale.visible

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        least = min(visible, schedule.most(k, f, n))
        return m.take[k, f, d, n] >= least * m.call_off[k, f, d, n]

    m.hold_call_off = pyo.Constraint(
        m.CALL_OFFS, rule=rule, doc="a call-off that is made brings something [quantity]"
    )


def pay_call_offs(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post call_off_cost·call_off; beyond `firm_periods` the part of it that is called off."""
    for k, f, d, n in schedule.takes:
        cost, most = schedule.contract(k, n).call_off_cost, schedule.most(k, f, n)
        if cost > 0 and most > 0:
            made = (
                m.call_off[k, f, d, n]
                if (k, f, d, n) in m.CALL_OFFS
                else (1 / most) * m.take[k, f, d, n]
            )
            material, source = schedule.contracts[k].material, ("call_offs", f, d)
            bound = obligation(m, schedule, k, n, [d], [(f, d, cost)], source)
            ledger.pay(n, "call_offs", cost * made, "contract", material, name=k, obligation=bound)
