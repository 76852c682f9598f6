"""Projects: plants that exist only if helped, by a grant or by a contract that carries them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Block, Deed, Tally
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.contracts.contract_terms import financed
from stockpile_model.blocks.projects import (
    going,
    project_checks,
    project_choices,
    project_outcomes,
    project_terms,
)
from stockpile_model.blocks.projects.project_outcomes import ProjectOutcome
from stockpile_model.blocks.projects.windows import carriable, grantable, openings
from stockpile_model.choice import chosen
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.passed import Passed, PlanRow
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add where a project goes ahead, and what a grant costs.

    `contracts` lets it be carried by a signature at or above its break-even only, or by what grant
    and floors bring together.
    """
    granted, carried, aided = _openings(stockpile)
    going.add_grant(m, granted)
    going.add_carry(m, carried)
    going.forbid_second_go(m, stockpile)
    going.add_aid(m, aided)
    going.cap_aid(m, stockpile)
    going.pay_grants(m, stockpile, ledger)


def _openings(stockpile: Stockpile) -> tuple[list[Opening], list[Opening], list[Opening]]:
    """Return where projects can be granted as a whole, carried, and aided by a part of a grant."""
    granted, carried, aided = list[Opening](), list[Opening](), list[Opening]()
    for g in stockpile.keyed(Project):
        grants, carriages = grantable(stockpile, g), carriable(stockpile, g)
        together = {n for n in grants if financed(stockpile.at(n).keyed(Project)[g])}
        granted += [(g, n) for n in grants if n not in together]
        carried += [(g, n) for n in sorted({*carriages} | together)]
        aided += [(g, n) for n in sorted(together)]
    return granted, carried, aided


Opening = tuple[str, int]
"""A project, and a node at which it can go ahead."""


def orphan(row: Row, column: str) -> Row | None:
    """Keep a project whose fund is left out: then nobody may pay its grant."""
    if isinstance(row, Project) and column == "fund":
        return replace(row, fund=None, cost=None)
    return None


def _done(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return the ways in which a project goes ahead at a node."""
    return going.ways(m, name, node)


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the projects that have gone ahead, each with the lag that held when it did."""
    gone = {row["project"]: row for row in passed.done(ProjectOutcome.SHEET, "decided")}
    yield (
        Commitment,
        [Commitment(kind="project", name=name, date=row["decided"]) for name, row in gone.items()],
    )
    if gone:
        yield (
            Project,
            [_as_decided(passed, row, gone.get(row.project)) for row in passed.rows(Project)],
        )


def _as_decided(passed: Passed, project: Project, row: PlanRow | None) -> Project:
    """Return a project with the lag after which it is ready, where it has gone ahead."""
    if row is None or row["ready"] is None:
        return project
    period = passed.calendar.period
    lag = (period(row["ready"]) - period(row["decided"])) * passed.calendar.months
    return replace(project, ready_lag_months=float(lag))


DEED = Deed(
    "project",
    Project.TABLE,
    metal=False,
    possible=openings,
    done=_done,
    before=True,
    value=project_terms.helped,
)

BLOCK = Block(
    tables=(Project,),
    results=(ProjectOutcome,),
    pays=("project",),
    headings=(Heading("grants", "the buyer's share of a project"),),
    decisions=("grant", "carry", "aid"),
    tallies=(Tally("grant", "project", "ever"), Tally("carry", "project", "ever")),
    deeds=(DEED,),
    choices=(chosen(DEED, facts=project_choices.facts, why_not=project_choices.why_not),),
    check=project_checks.check,
    review=project_checks.review,
    add=add,
    report=project_outcomes.report,
    orphan=orphan,
    rolls=rolls,
    bars=project_choices.bars,
)
