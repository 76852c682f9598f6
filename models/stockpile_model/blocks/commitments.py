"""Commitments: decisions already taken, or frozen by the officer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from stockpile_model.data import Result, Row, column


@dataclass(frozen=True, kw_only=True)
class Commitment(Row):
    TABLE = "commitments"
    kind: str = column("what is decided", required=True, choices=("order", "sign", "rotate", "project"))
    name: str = column("offer, contract, outlet or project, after its kind", required=True)
    level: str | None = column("level of the contract (sign); blank = any")
    date: dt.date | None = column("date of the decision, which falls into its period; blank = over the whole horizon")
    quantity: float | None = column("quantity (order, rotate); 1 or blank: it is done, 0: it is not (sign, project)", "quantity", least=0)
    how: str = column("how the plan must keep to it", default="exactly", choices=("exactly", "at_least", "at_most"))


@dataclass(frozen=True, kw_only=True)
class CommitmentKept(Result):
    SHEET = "commitments"
    date: dt.date | None = column("first day of the period; blank = over the whole horizon")
    kind: str = column("order, sign, rotate or project")
    name: str = column("offer, contract, outlet or project")
    level: str | None = column("level of the contract")
    how: str = column("exactly, at_least or at_most")
    quantity: float = column("what is committed", "quantity")
    planned: float = column("what the plan does", "quantity")


TABLES: tuple[type[Row], ...] = (Commitment,)
