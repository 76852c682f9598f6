"""The windows of projects: the nodes at which each can go ahead."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from stockpile_model.blocks.commitments.commitment_terms import gone_before, ready_before
from stockpile_model.blocks.contracts import contract_terms as contracts
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor, capital, financed
from stockpile_model.blocks.projects.project_terms import grant, ready
from stockpile_model.calendar import overlap
from stockpile_model.extremes import larger
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project

Menu = tuple[Contract, list[Floor]]
"""A contract and its levels, as they stand at a node."""


@functools.lru_cache(maxsize=256)
def grantable(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """Return the nodes at which a project can be granted.

    It may be ready after the horizon, where the officer has committed to it. Where grant and floors
    carry it together, both must be able to.
    """
    if not _open(stockpile, project):
        return ()
    found = []
    for n in stockpile.tree.nodes:
        row = stockpile.at(n).keyed(Project)[project]
        window, most = overlap(stockpile.calendar, row.decide_from, row.decide_to), grant(row)
        if most is None or stockpile.tree.period[n] not in window:
            continue
        if not financed(row) or most + _backed(stockpile, project, n) >= capital(row):
            found.append(n)
    return tuple(found)


@functools.lru_cache(maxsize=256)
def carriable(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """Return the nodes at which the signing of contracts alone can make a project go ahead.

    It must be ready within the horizon.
    """
    if not _open(stockpile, project):
        return ()
    found = []
    for n, menus in sorted(_signable(stockpile, project).items()):
        row = stockpile.at(n).keyed(Project)[project]
        levels = (
            contracts.carries(stockpile, contract, floor, n)
            for contract, menu in menus
            for floor in menu
        )
        alone = financed(row) and _backed(stockpile, project, n) >= capital(row)
        if alone or any(levels):
            found.append(n)
    return tuple(found)


def _open(stockpile: Stockpile, project: str) -> bool:
    """Return whether it can still be decided that a project goes ahead, and its supplier counts."""
    supplier = stockpile.keyed(Project)[project].supplier
    return stockpile.counts(supplier) and gone_before(stockpile, project) is None


@functools.lru_cache(maxsize=256)
def _signable(stockpile: Stockpile, project: str) -> Mapping[int, list[Menu]]:
    """Return the menus of a project's contracts at each node at which they can be signed with it.

    It is then ready within the horizon.
    """
    found: dict[int, list[Menu]] = {}
    for row in stockpile.rows(Contract):
        if row.project == project and stockpile.counts(row.supplier):
            for n in contracts.signable(stockpile, row):
                if ready(stockpile, project, n) < stockpile.calendar.periods:
                    menu = contracts.menu(stockpile.at(n))[row.contract]
                    found.setdefault(n, []).append((row, [*menu.values()]))
    return found


def _backed(stockpile: Stockpile, project: str, node: int) -> float:
    """Return the most that contracts signed at a node bring towards a plant's capital [money]."""
    plant = stockpile.at(node).keyed(Project)[project]
    return sum(
        larger(0.0, *(contracts.backing(stockpile, plant, floor, node) for floor in menu))
        for _, menu in _signable(stockpile, project).get(node, ())
    )


def openings(stockpile: Stockpile, project: str) -> tuple[int, ...]:
    """Return the nodes at which a project can go ahead, granted or carried."""
    return (*grantable(stockpile, project), *carriable(stockpile, project))


def earliest(stockpile: Stockpile, project: str) -> int:
    """Return the first period in which a project can be ready; past the horizon where never."""
    if (opened := ready_before(stockpile, project)) is not None:
        return max(0, opened)
    decided = (ready(stockpile, project, n) for n in openings(stockpile, project))
    return min(decided, default=stockpile.calendar.periods)
