"""The break-even of a plant: the least constant price at which the discounted margin of what is committed returns its
capital."""

from __future__ import annotations

import math

from stockpile_model.tables import Project


def annuity(rate: float, years: float) -> float:
    """What 1 at the end of each year is worth at the start [1]."""
    return years if rate == 0 else (1 - (1 + rate) ** -years) / rate


def breakeven(project: Project, annual_quantity: float, grant: float = 0.0) -> float | None:
    """The break-even at a committed quantity [money/quantity], when a grant [money] pays part of the capital.

    The one that is given, or opex + (capex - grant) / (quantity per year · annuity): margins at the end of each year of the
    plant's life return what is spent at its start. Infinite where nothing is committed, None where nothing says it.
    """
    if project.capex is not None and project.life_years is not None:
        capital = max(0.0, project.capex - grant)
        if project.breakeven_floor is None or grant > 0:
            yearly = annual_quantity * annuity(project.rate, project.life_years)
            return project.opex + (capital / yearly if yearly > 0 else math.inf if capital > 0 else 0.0)
    return project.breakeven_floor
