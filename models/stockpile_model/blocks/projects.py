"""Projects: plants that exist only if helped, by a grant or by a contract whose floor carries them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from stockpile_model.data import Result, Row, column


@dataclass(frozen=True, kw_only=True)
class Project(Row):
    TABLE = "projects"
    project: str = column("name of the project", required=True, key=True)
    supplier: str = column("whose plant it is", required=True, refers="suppliers")
    cost: float | None = column("cost that a grant shares; blank = it cannot be granted", "money", least=0)
    match: float = column("the buyer's share of the cost if it grants", "1", default=1.0, least=0, most=1)
    decide_from: dt.date | None = column("first date of a grant; blank = from the start")
    decide_to: dt.date | None = column("last date of a grant; blank = to the end")
    ready_lag_months: float = column("from going ahead to being ready", "months", default=0.0, least=0)
    breakeven_floor: float | None = column(
        "a contract signed at or above it makes the plant go ahead; blank = computed from the four columns that follow",
        "money/quantity",
        least=0,
    )
    capex: float | None = column("capital cost of the plant", "money", least=0)
    opex: float = column("running cost", "money/quantity", default=0.0, least=0)
    rate: float = column("cost of capital", "1/year", default=0.0, least=0, most=1)
    life_years: float | None = column("life of the plant", "years", above=0)
    fund: str | None = column("fund that pays the grant; blank = any that may", refers="funds")


@dataclass(frozen=True, kw_only=True)
class ProjectOutcome(Result):
    """One row for each project and level of a contract that could carry it; one row where no contract names it."""

    SHEET = "projects"
    project: str = column("project")
    supplier: str = column("supplier")
    decision: str = column("`grant`, `carried` by a contract, or `no`")
    decided: dt.date | None = column("first day of the period in which it goes ahead")
    ready: dt.date | None = column("first day of the period from which it is ready")
    grant: float = column("paid as a grant, undiscounted", "money")
    contract: str | None = column("contract that could carry it")
    level: str | None = column("level of that contract")
    annual_quantity: float | None = column("quantity committed at that level", "quantity/year")
    floor: float | None = column("floor at that level, at the first date it can be signed", "money/quantity")
    breakeven: float | None = column("least constant price at which the plant pays for itself; blank = not known", "money/quantity")
    breakeven_granted: float | None = column("the same, when the grant pays part of the capital", "money/quantity")
    carries: bool = column("whether that level makes the plant go ahead")
    instruction: str = column("what to do")


TABLES: tuple[type[Row], ...] = (Project,)
