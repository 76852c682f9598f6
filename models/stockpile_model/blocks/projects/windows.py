"""The windows of projects: the nodes at which each can go ahead."""

from __future__ import annotations

import functools

from stockpile_model.blocks.contracts import contract_terms as contracts
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.projects.project_terms import grant, ready
from stockpile_model.calendar import overlap
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


@functools.lru_cache(maxsize=256)
def grantable(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """Return the nodes at which a project can be granted.

    It may be ready after the horizon, where the officer has committed to it.
    """
    found = []
    for n in stockpile.tree.nodes:
        row = stockpile.at(n).keyed(Project)[project]
        window = overlap(stockpile.calendar, row.decide_from, row.decide_to)
        able = grant(row) is not None and stockpile.counts(row.supplier)
        if able and stockpile.tree.period[n] in window:
            found.append(n)
    return tuple(found)


@functools.lru_cache(maxsize=256)
def carriable(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """Return the nodes at which the signing of a contract can make a project go ahead.

    It must be ready within the horizon.
    """
    if not stockpile.counts(stockpile.keyed(Project)[project].supplier):
        return ()
    found = {
        n
        for row in stockpile.rows(Contract)
        if row.project == project and stockpile.counts(row.supplier)
        for n in contracts.signable(stockpile, row)
        if ready(stockpile, project, n) < stockpile.calendar.periods
        and any(
            contracts.carries(stockpile, row, floor, n)
            for floor in contracts.menu(stockpile.at(n))[row.contract].values()
        )
    }
    return tuple(sorted(found))


def openings(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """Return the nodes at which a project can go ahead, granted or carried."""
    return (*grantable(stockpile, project), *carriable(stockpile, project))


def earliest(stockpile: Stockpile, project: str) -> int:
    """Return the first period in which a project can be ready; past the horizon where never."""
    decided = (ready(stockpile, project, n) for n in openings(stockpile, project))
    return min(decided, default=stockpile.calendar.periods)
