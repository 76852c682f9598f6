"""Projects that wait for themselves, or for money that never comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from optimiser.checks.series import listed
from stockpile_model.block import sources
from stockpile_model.blocks.budget import Budget
from stockpile_model.blocks.commitments.commitment_terms import earlier
from stockpile_model.blocks.in_transit.transit_terms import coming
from stockpile_model.blocks.projects.project_terms import grant
from stockpile_model.blocks.projects.windows import carriable, grantable
from stockpile_model.blocks.rotation.outlet_terms import EARNING, RETURNING, Outlet, back
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.calendar import overlap
from stockpile_model.funds import Fund
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the projects that wait for themselves.

    Only a grant can make such a project go ahead, and its fund has no more than receipts of metal
    that only the project brings (itself, or others that wait in the same way).
    """
    going = _going(stockpile, set())
    hoped = _going(stockpile, {row.material for row in stockpile.rows(Outlet)})
    for row in stockpile.rows(Project):
        if row.project in going or not grantable(stockpile, row.project):
            continue
        column = "project" if row.fund is None else "fund"
        if row.project in hoped:
            outlets = listed(
                each.outlet for each in stockpile.rows(Outlet) if _feeds(stockpile, row, each)
            )
            message = (
                f"the project {row.project} waits for itself: its grant can only be paid by the"
                f" receipts of {outlets}, which sell metal that only comes once it has gone ahead;"
                " give its fund an appropriation, or name another fund"
            )
            yield Problem(row.TABLE, row.line, column, message)
        else:
            message = (
                f"the project {row.project} can never go ahead: no appropriation may pay its grant"
                " within its dates; see funds, budgets"
            )
            yield Problem(row.TABLE, row.line, column, message, warning=True)


def _going(stockpile: Stockpile, metal: set[str]) -> set[str]:
    """Return the projects that can go ahead when this metal is there, and what follows from it."""
    found = {*earlier(stockpile, "project")}
    known = set(metal) | {row.material for row in stockpile.rows(OpeningLot)}
    known |= {each.source.material for each in coming(stockpile)}
    tables = ((kind.TABLE, rows) for kind, rows in stockpile.tables.items())
    bringing: list[Any] = [row for table, rows in tables if table in sources() for row in rows]
    while True:
        for each in bringing:
            if stockpile.counts(each.supplier) and (each.project is None or each.project in found):
                known.add(each.material)
        known |= {
            back(row)
            for row in stockpile.rows(Outlet)
            if row.form in RETURNING and row.material in known
        }
        more = {
            row.project
            for row in stockpile.rows(Project)
            if row.project not in found
            and (carriable(stockpile, row.project) or _paid(stockpile, row, known))
        }
        if not more:
            return found
        found |= more


def _paid(stockpile: Stockpile, row: Project, known: set[str]) -> bool:
    """Return whether a grant can be paid: by an appropriation, or by receipts from known metal."""
    if not grantable(stockpile, row.project):
        return False
    if not grant(row) or not stockpile.given(Fund):
        return True
    paying = [fund for fund in stockpile.rows(Fund) if _may(row, fund)]
    if any(fund.receipts_left for fund in paying):
        return True
    able = {fund.fund for fund in paying}
    dates = overlap(stockpile.calendar, row.decide_from, row.decide_to)
    for budget in stockpile.rows(Budget):
        window = overlap(stockpile.calendar, budget.from_, budget.expires)
        if (
            budget.fund in able
            and budget.amount > 0
            and window
            and window.start < dates.stop
            and dates.start < window.stop
        ):
            return True
    return any(
        outlet.material in known and _feeds(stockpile, row, outlet)
        for outlet in stockpile.rows(Outlet)
    )


def _may(row: Project, fund: Fund) -> bool:
    """Return whether a fund may pay the grant of a project, whatever its material."""
    return row.fund in (None, fund.fund) and (not fund.uses or "project" in fund.uses)


def _feeds(stockpile: Stockpile, row: Project, outlet: Outlet) -> bool:
    """Return whether the receipts of an outlet can pay the grant of a project."""
    if outlet.form not in EARNING or outlet.fund is None:
        return False
    fund = stockpile.keyed(Fund)[outlet.fund]
    return fund.keeps_receipts and _may(row, fund)
