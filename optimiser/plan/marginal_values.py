"""Marginal values: what one more unit of each limit is worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from optimiser.solving.solve import Outcome
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Limit
from stockpile_model.schema import Dated, column
from stockpile_model.stockpile import Stockpile

WORTHLESS = 1e-9  # below this a marginal value is the solver's noise [scaled units]


@dataclass(frozen=True, kw_only=True)
class MarginalValue(Dated):
    """What one more unit of a limit would save in a period."""

    SHEET = "marginal_values"
    ABOUT = "what one more unit of each limit is worth"
    PLACE = 82
    FOR_PROGRAMS = True
    limit: str = column("the limit")
    cell: str | None = column("cell that sets it")
    date: dt.date = column("first day of the period")
    sense: str = column("`most` or `least`")
    amount: float = column("the limit", "quantity, money or 1")
    used: float | None = column("value of the limited amount in the plan", "quantity, money or 1")
    unit: str = column("unit of the limit")
    worth: float = column(
        "what the plan would cost less, were the limit looser by one unit, orders placed and levels"
        " signed kept",
        "money/unit",
    )


def marginal_values(formulation: Formulation, outcome: Outcome) -> Iterator[MarginalValue]:
    """Yield what loosening each limit by one unit would save, by date and limit.

    It comes from the duals of the plan with its integers fixed.
    """
    stockpile = formulation.stockpile
    values = []
    for limit in formulation.ledger.limits:
        dual = _dual(limit.data, outcome)
        if limit.row is None or not dual:
            continue
        worth = dual * evaluate(limit.factor) * (1 if limit.sense == "least" else -1)
        if abs(worth) > WORTHLESS * stockpile.scale.of(f"money/{limit.unit}"):
            values.append(_marginal_value(stockpile, limit, worth))
    yield from sorted(values, key=lambda each: (each.date, each.limit))


def _marginal_value(stockpile: Stockpile, limit: Limit, worth: float) -> MarginalValue:
    """Return the row of a limit."""
    settings = stockpile.settings
    units = {"quantity": settings.quantity_unit, "money": settings.currency}
    used = limit.used
    if used is None and limit.unit != "1":
        used = getattr(limit.data, "body", limit.data)
    return MarginalValue(
        **stockpile.where(limit.node),
        limit=limit.what,
        cell=stockpile.cell(limit.row, limit.column) if limit.row is not None else None,
        date=stockpile.calendar.begin(stockpile.tree.period[limit.node]),
        sense=limit.sense,
        amount=limit.amount,
        used=None if used is None else evaluate(used),
        unit=units.get(limit.unit, limit.unit),
        worth=worth,
    )


def _dual(data: Any, outcome: Outcome) -> float:
    """Return the change of the cost for one more unit of a constraint's bound or a variable's upper
    bound; 0 where it is not known.
    """
    if data.ctype is pyo.Var:
        # At its lower bound a variable has a reduced cost too: that is not its upper bound's.
        return min(0.0, outcome.reduced_cost(data) or 0.0)
    return outcome.dual(data) or 0.0
