"""Upside: the buyer receives a share of the reference above the trigger, up to a yearly cap."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.contracts.schedule import Schedule
from stockpile_model.blocks.contracts.signing import signed
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger


def add_upside(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add upside[k,f,d,n]: received under a cap.

    It exists wherever the contract has an upside; its bound shows whether there is one at a node.
    """
    variants = schedule.stockpile.variants
    capped = {
        k
        for k in schedule.contracts
        if any(view.keyed(Contract)[k].upside_cap is not None for view in variants)
    }
    m.UPSIDES = pyo.Set(
        dimen=4,
        initialize=[key for key in schedule.upsides if key[0] in capped],
        doc="contract, level, first delivery, node at which an upside under a cap is received",
    )
    m.upside = pyo.Var(
        m.UPSIDES, domain=pyo.NonNegativeReals, doc="upside received under a cap [money]"
    )


def cap_upside(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require upside[k,f,d,n] ≤ what is earned at the node."""
    m.cap_upside = pyo.Constraint(
        m.UPSIDES,
        rule=lambda m, k, f, d, n: m.upside[k, f, d, n] <= _earned(m, schedule, k, f, d, n),
        doc="no more upside than is earned [money]",
    )


def cap_upside_year(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_year upside ≤ Σ_year upside_cap·months/12·active.

    A signature that delivers in the year and whose own year ends elsewhere allows a whole cap.
    """
    stockpile = schedule.stockpile
    received = {
        (k, f, d, n): [m.upside[k, f, d, s] for s in year.nodes if (k, f, d, s) in m.UPSIDES]
        for (k, d, n), year in schedule.years.items()
        if schedule.contract(k, n).upside_cap is not None
        for f in schedule.levels[k]
    }

    def rule(m: pyo.ConcreteModel, k: str, f: str, d: int, n: int) -> Any:
        row, year = schedule.contract(k, n), schedule.years[k, d, n]
        cap = terms.most_upside(stockpile, row, len(year.periods), year.gone)
        most = cap * signed(m, k, f, year.ending)
        if others := year.others:
            whole = terms.most_upside(stockpile, row, 12 // stockpile.calendar.months)
            most += whole * signed(m, k, f, others)
        return summed(received[k, f, d, n]) <= most

    m.cap_upside_year = pyo.Constraint(
        pyo.Set(dimen=4, initialize=[key for key, parts in received.items() if parts]),
        rule=rule,
        doc="the upside of a contract year stays within its cap, pro rata [money]",
    )


def receive_upside(m: pyo.ConcreteModel, schedule: Schedule, ledger: Ledger) -> None:
    """Post what is received: all that is earned, or what the cap leaves of it."""
    for k, f, d, n in schedule.upsides:
        capped = (k, f, d, n) in m.UPSIDES
        amount = m.upside[k, f, d, n] if capped else _earned(m, schedule, k, f, d, n)
        ledger.receive(n, "upside", amount, schedule.contracts[k].material, k)


def _earned(m: pyo.ConcreteModel, schedule: Schedule, k: str, f: str, d: int, n: int) -> Any:
    """Return share·max(0, reference - trigger)·availability·take; of a cfd on the even rate."""
    row = schedule.contract(k, n)
    rate = terms.upside(schedule.stockpile, row, n)
    if row.form == "cfd":
        return rate * schedule.even(k, f, n) * signed(m, k, f, schedule.active[k, d, n])
    return rate * row.availability * m.take[k, f, d, n]
