"""Reliance: a contract of a project is signed once that goes ahead, and may make it go ahead."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.commitments.commitment_terms import gone_before
from stockpile_model.blocks.contracts.contract_terms import Contract, begun, capital
from stockpile_model.blocks.contracts.schedule import Schedule
from stockpile_model.blocks.projects import going
from stockpile_model.blocks.projects.project_terms import ready
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.tables import Project


def add_begin(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Add begin[k,f,h,n]: whether k, signed at n, relies on its project going ahead at h.

    It delivers first when that is ready.
    """
    m.BEGINS = pyo.Set(
        dimen=4,
        initialize=[
            (k, f, h, n)
            for (k, n), starts in schedule.starts.items()
            for f in schedule.levels[k]
            for h in starts
        ],
        doc="contract of a project, level, node at which the project goes ahead, node of signing",
    )
    m.begin = pyo.Var(
        m.BEGINS,
        domain=pyo.NonNegativeReals,
        doc="whether a contract that is signed relies on a project from a node on [1]",
    )


def balance_begin(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_h begin[k,f,h,n] = sign[k,f,n]."""
    starts = schedule.starts
    m.balance_begin = pyo.Constraint(
        pyo.Set(dimen=3, initialize=[key for key in m.SIGNINGS if (key[0], key[2]) in starts]),
        rule=lambda m, k, f, n: (
            summed(m.begin[k, f, h, n] for h in starts[k, n]) == m.sign[k, f, n]
        ),
        doc="a contract of a project is signed once that goes ahead [1]",
    )


def link_begin(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_f begin[k,f,h,n] ≤ Σ of the ways in which its project goes ahead at h."""

    def rule(m: pyo.ConcreteModel, k: str, n: int, h: int) -> Any:
        ways = going.ways(m, str(schedule.contracts[k].project), h)
        return summed(m.begin[k, f, h, n] for f in schedule.levels[k]) <= summed(ways)

    keys = [(k, n, h) for (k, n), starts in schedule.starts.items() for h in starts]
    m.link_begin = pyo.Constraint(
        pyo.Set(dimen=3, initialize=keys),
        rule=rule,
        doc="a contract relies on a project where that goes ahead only [1]",
    )


def link_carry(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require carry[g,n] ≤ Σ sign[k,f,n] of the levels at or above the break-even."""
    m.link_carry = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(schedule.carriers)),
        rule=lambda m, g, n: (
            m.carry[g, n] <= summed([m.sign[k, f, n] for k, f in schedule.carriers[g, n]])
        ),
        doc="a project is carried by a signature at or above its break-even only [1]",
    )


def hold_capital(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require aid[g,n] + Σ annuity·Q_f·(floor_f - opex)·begin[k,f,n,n] ≥ capex·carry[g,n].

    Grant and floors carry a plant together. The contracts are those that are signed as it goes
    ahead; a later one brings nothing towards its capital.
    """

    def rule(m: pyo.ConcreteModel, g: str, n: int) -> Any:
        brings = [each * m.begin[k, f, n, n] for k, f, each in schedule.backers[g, n]]
        aid = [m.aid[g, n]] if (g, n) in m.AIDS else []
        project = schedule.stockpile.at(n).keyed(Project)[g]
        return summed(aid + brings) >= capital(project) * m.carry[g, n]

    m.hold_capital = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(schedule.backers)),
        rule=rule,
        doc="grant and floors bring the capital of a project that they carry [money]",
    )


def forbid_own_help(m: pyo.ConcreteModel, schedule: Schedule) -> None:
    """Require Σ_f begin[k,f,h,n] ≤ grant[g,h] + Σ sign[k',f,h] of others that carry g at h.

    What k signs at h to carry g itself is left out on the left. For whole signatures this follows
    from the rows before. Without it the relaxation signs a part of a high floor, and on the
    project that this part carries a part of a low one.
    """

    def rule(m: pyo.ConcreteModel, k: str, n: int, h: int) -> Any:
        g = str(schedule.contracts[k].project)
        carriers = schedule.carriers[g, h]
        waits = [
            m.begin[k, f, h, n] for f in schedule.levels[k] if n != h or (k, f) not in carriers
        ]
        helps = [m.grant[g, h]] if (g, h) in m.GRANTS else []
        helps += [m.sign[other, f, h] for other, f in carriers if other != k]
        return summed(waits) <= summed(helps) if waits else pyo.Constraint.Skip

    keys = [
        (k, n, h)
        for k, n, h in m.link_begin
        if (str(schedule.contracts[k].project), h) in schedule.carriers
    ]
    m.forbid_own_help = pyo.Constraint(
        pyo.Set(dimen=3, initialize=keys),
        rule=rule,
        doc="a contract does not wait for a project that its own signature carries [1]",
    )


def delivers(formulation: Formulation, k: str, f: str, s: int) -> dict[int, int]:
    """Return the nodes of delivery of a contract that is signed, with its first delivery there."""
    m, stockpile = formulation.m, formulation.stockpile
    row = stockpile.at(s).keyed(Contract)[k]
    if row.project is None or gone_before(stockpile, row.project) is not None:
        return begun(stockpile, row, s)
    at = next(
        int(h)
        for kk, ff, h, n in m.BEGINS
        if (kk, ff, n) == (k, f, s) and evaluate(m.begin[kk, ff, h, n]) > 0.5
    )
    return begun(stockpile, row, s, ready(stockpile, row.project, at))
