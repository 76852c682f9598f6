"""The terms of projects: what a grant costs, what waits for them, and when they are ready."""

from __future__ import annotations

from stockpile_model.schema import Row, columns, get
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project


def grant(project: Project) -> float | None:
    """Return what the buyer pays if it grants [money]; None where it cannot."""
    return None if project.cost is None else project.cost * project.match


def helped(stockpile: Stockpile, name: str, level: str | None, node: int) -> float:
    """Return the grant of a project at a node, else its capital cost; 0 without both [money]."""
    row = stockpile.at(node).keyed(Project)[name]
    return grant(row) or row.capex or 0.0


def ready(stockpile: Stockpile, project: str, node: int) -> int:
    """Return the period in which a project that goes ahead at a node is ready."""
    row = stockpile.at(node).keyed(Project)[project]
    return stockpile.tree.period[node] + stockpile.calendar.count(row.ready_lag_months)


def members(stockpile: Stockpile, project: str) -> list[Row]:
    """Return the rows that wait for a project."""
    found = (
        row
        for kind, rows in stockpile.tables.items()
        if any(each.refers == Project.TABLE for each in columns(kind))
        for row in rows
    )
    return [row for row in found if get(row, "project") == project]


def material(stockpile: Stockpile, project: str) -> str | None:
    """Return the one material that a project brings; None where there are several."""
    found = {str(get(row, "material")) for row in members(stockpile, project)}
    return next(iter(found)) if len(found) == 1 else None


def yearly(stockpile: Stockpile, project: str) -> float | None:
    """Return the most that the offers of a project bring in a year [quantity/year].

    None where there is none, or one of them has no capacity.
    """
    rows = [row for row in members(stockpile, project) if row.TABLE == "offers"]
    found = [get(row, "capacity") for row in rows]
    return None if None in found or not found else sum(found) * 12 / stockpile.calendar.months
