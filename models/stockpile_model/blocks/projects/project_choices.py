"""Projects as a plan may help them or not: what going ahead costs."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.blocks.commitments.commitment_terms import gone_before
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.projects import going, project_terms
from stockpile_model.blocks.projects.windows import openings
from stockpile_model.choice import Bar, Fact, UnitCost
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


def facts(formulation: Formulation, name: str, level: str | None) -> Iterator[Fact]:
    """Yield where a project goes ahead, or else the first node at which it could, with its grant.

    A project that a contract carries costs no grant; one with capital stated costs the aid.
    """
    m, stockpile = formulation.m, formulation.stockpile
    nodes = list(dict.fromkeys(openings(stockpile, name)))
    went = [n for n in nodes if sum(evaluate(way) for way in going.ways(m, name, n)) > 0.5]
    for n in went or nodes[:1]:
        row = stockpile.at(n).keyed(Project)[name]
        cost = project_terms.grant(row) or 0.0
        if (name, n) in m.AIDS:
            cost = evaluate(m.aid[name, n])
        elif went and ((name, n) not in m.GRANTS or evaluate(m.grant[name, n]) < 0.5):
            cost = 0.0
        discount = stockpile.discount(stockpile.tree.period[n])
        unit = UnitCost(other=cost, present=cost * discount)
        # What a grant would be that floors carry with it is decided with it.
        open_ = not went and (name, n) in m.AIDS
        yield Fact(n, 1.0 if went else 0.0, None if open_ else unit)


def bars(formulation: Formulation, row: Row) -> Iterator[Bar]:
    """Yield the project that a row waits for, where it goes ahead in no scenario; a contract may
    be what carries it."""
    name = None if isinstance(row, Project | Contract) else getattr(row, "project", None)
    if name is None or gone_before(formulation.stockpile, name) is not None:
        return
    if not any(each.amount for each in facts(formulation, name, None)):
        yield Bar(f"project {name}, which does not go ahead", row, "project")


def why_not(stockpile: Stockpile, name: str) -> str:
    """Return why a project can never go ahead; blank where it can."""
    if openings(stockpile, name):
        return ""
    return "no grant and no contract can make it go ahead in time"
