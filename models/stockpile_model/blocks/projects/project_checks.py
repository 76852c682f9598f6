"""Checks of the sheet projects beyond a single cell."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model.blocks.commitments.commitment_terms import earlier
from stockpile_model.blocks.projects.project_terms import members
from stockpile_model.blocks.projects.windows import earliest
from stockpile_model.checks import ordered, whole_periods
from stockpile_model.schema import Problem, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with each project and with the rows that wait for it."""
    yield from _earlier(stockpile)
    for row in stockpile.rows(Project):
        yield from ordered(row, "decide_from", "decide_to")
        yield from whole_periods(stockpile, row)
        if (row.capex is None) != (row.life_years is None):
            pair = ("capex", "life_years")
            name, other = pair if row.capex is None else reversed(pair)
            message = f"is required with {other}: the break-even follows from both"
            yield Problem(row.TABLE, row.line, name, message)
        for each in members(stockpile, row.project):
            if get(each, "supplier") != row.supplier:
                message = (
                    f"is not the supplier of project {row.project}, {row.supplier}: "
                    f"found {get(each, 'supplier')}"
                )
                yield Problem(each.TABLE, each.line, "supplier", message, warning=True)


def _earlier(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the projects that went ahead before the start more than once."""
    for name, (first, *others) in earlier(stockpile, "project").items():
        for row in others:
            message = f"{name} went ahead in row {first.line} already"
            yield Problem(row.TABLE, row.line, "name", message)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Warn of projects that change nothing and of those that can never go ahead."""
    for row in stockpile.rows(Project):
        if not members(stockpile, row.project):
            message = f"no offer and no contract waits for {row.project}: it changes nothing"
            yield Problem(row.TABLE, row.line, "project", message, warning=True)
        elif (
            stockpile.counts(row.supplier)
            and earliest(stockpile, row.project) >= stockpile.calendar.periods
        ):
            message = (
                f"{row.project} can never go ahead within the horizon: give a cost that a grant "
                "shares, or a level of one of its contracts at or above the break-even; "
                "see its dates and ready_lag_months"
            )
            yield Problem(row.TABLE, row.line, "project", message, warning=True)
