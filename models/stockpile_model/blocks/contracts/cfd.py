"""Contracts for difference: cash up to the floor, and no metal."""

from __future__ import annotations

import pyomo.environ as pyo

from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.delivery_obligations import bound_at, by_node
from stockpile_model.blocks.contracts.schedule import Schedule
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.ledger import Ledger


def pay_topups(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post max(0, floor - reference)·Q_f·months/12·active, also where it is nothing.

    It is obligated like a delivery of metal.
    """
    for k, f, d, n in schedule.topups:
        row, floor = schedule.contract(k, n), schedule.floor(k, f, n)
        rate = terms.topup(schedule.stockpile, row, floor, d, n)
        material = schedule.contracts[k].material
        for s, covers in by_node(schedule, k, d, n).items():
            amount = rate * schedule.even(k, f, n) * signed(m, k, f, covers)
            bound = bound_at(schedule, k, s, n)
            ledger.pay(n, "topups", amount, "contract", material, name=k, obligation=bound)
