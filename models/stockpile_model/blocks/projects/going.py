"""Going ahead: a project is granted, or carried by a contract, once at most on a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.projects import project_terms as terms
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


def add_grant(m: pyo.ConcreteModel, keys: Sequence[tuple[str, int]]) -> None:
    """Add grant[g,n]: whether project g goes ahead by a grant at node n."""
    m.GRANTS = pyo.Set(dimen=2, initialize=keys, doc="project, node of a grant")
    m.grant = pyo.Var(
        m.GRANTS, domain=pyo.Binary, doc="whether a project is granted and goes ahead [1]"
    )
    m.priority[m.grant] = 1


def add_carry(m: pyo.ConcreteModel, keys: Sequence[tuple[str, int]]) -> None:
    """Add carry[g,n]: whether project g goes ahead by the signing of a contract at node n."""
    m.CARRIAGES = pyo.Set(
        dimen=2, initialize=keys, doc="project, node at which a contract can carry it"
    )
    m.carry = pyo.Var(
        m.CARRIAGES,
        domain=pyo.Binary,
        doc="whether a project goes ahead by the signing of a contract [1]",
    )
    m.priority[m.carry] = 1


def add_aid(m: pyo.ConcreteModel, keys: Sequence[tuple[str, int]]) -> None:
    """Add aid[g,n]: the grant for project g at node n, which floors carry with it."""
    m.AIDS = pyo.Set(
        dimen=2, initialize=keys, doc="project, node of a grant that carries it with floors"
    )
    m.aid = pyo.Var(
        m.AIDS,
        domain=pyo.NonNegativeReals,
        doc="grant for a project that floors carry with it [money]",
    )


def cap_aid(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Cap a grant: aid[g,n] ≤ cost·match·carry[g,n]."""

    def rule(m: pyo.ConcreteModel, g: str, n: int) -> Any:
        most = terms.grant(stockpile.at(n).keyed(Project)[g]) or 0.0
        return m.aid[g, n] <= most * m.carry[g, n]

    m.cap_aid = pyo.Constraint(
        m.AIDS, rule=rule, doc="a grant is the buyer's share of the cost at most [money]"
    )


def ways(m: pyo.ConcreteModel, project: str, node: int) -> list[Any]:
    """Return the ways in which a project goes ahead at a node [1]."""
    known = ((m.GRANTS, m.grant), (m.CARRIAGES, m.carry))
    return [variable[project, node] for keys, variable in known if (project, node) in keys]


def ready(m: pyo.ConcreteModel, stockpile: Stockpile, project: str, node: int) -> Any:
    """Return Σ of the ways to go ahead at least the lag before a node, on its path [1]."""
    path, period = stockpile.tree.paths[node], stockpile.tree.period[node]
    return summed(
        [
            way
            for n in path
            if terms.ready(stockpile, project, n) <= period
            for way in ways(m, project, n)
        ]
    )


def forbid_second_go(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Require Σ_path (grant[g,n] + carry[g,n]) ≤ 1.

    The last nodes of each path at which a project can go ahead carry the row.
    """
    tree = stockpile.tree
    decided: dict[str, set[int]] = {}
    for g, n in (*m.GRANTS, *m.CARRIAGES):
        decided.setdefault(g, set()).add(n)
    ends = {
        (g, max(on_path))
        for g, nodes in decided.items()
        for leaf in tree.leaves
        if (on_path := nodes.intersection(tree.paths[leaf]))
    }
    m.forbid_second_go = pyo.Constraint(
        pyo.Set(dimen=2, initialize=sorted(ends)),
        rule=lambda m, g, n: summed(way for s in tree.paths[n] for way in ways(m, g, s)) <= 1,
        doc="a project goes ahead once at most on every path [1]",
    )


def pay_grants(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post cost·match·grant, and aid, at the node of the grant."""
    for g, n in m.GRANTS:
        row = stockpile.at(n).keyed(Project)[g]
        if cost := terms.grant(row):
            material, amount = terms.material(stockpile, g), cost * m.grant[g, n]
            what = "grants", amount, "project", material, None, g, row.fund
            ledger.pay(n, *what, table=Project.TABLE)
    for g, n in m.AIDS:
        material, payer = terms.material(stockpile, g), stockpile.at(n).keyed(Project)[g].fund
        what = "grants", m.aid[g, n], "project", material, None, g, payer
        ledger.pay(n, *what, table=Project.TABLE)
