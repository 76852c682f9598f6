"""What `build` makes and `report` reads: the Pyomo model with its rows and its ledger."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr import LinearExpression, SumExpression

from stockpile_model import lots
from stockpile_model.evaluation import evaluate
from stockpile_model.ledger import Ledger, Money
from stockpile_model.stockpile import Stockpile


def summed(terms: Iterable[Any]) -> Any:
    """Return Σ terms, an expression even where there is nothing to sum.

    So a row that asks something of nothing is infeasible, by as much as it asks, and no error. The
    terms are taken as they are, which is ten times faster than to add them one by one.
    """
    found = list(terms)
    if len(found) == 1:
        return found[0]
    return (
        SumExpression(found)
        if found
        else LinearExpression(constant=0.0, linear_coefs=[], linear_vars=[])
    )


@dataclass(frozen=True, eq=False)
class Formulation:
    """A Pyomo model with the stockpile and the ledger from which it was built."""

    m: pyo.ConcreteModel
    stockpile: Stockpile
    ledger: Ledger

    def size(self, variable: Any) -> float:
        """Return one scaled unit of a variable in that of the workbook."""
        return float(1 / self.m.scaling_factor[variable.parent_component()])

    @functools.cached_property
    def money(self) -> list[tuple[Money, float]]:
        """Return every entry of the ledger with what it amounts to, once the model holds a
        solution."""
        return [(each, evaluate(each.amount)) for each in self.ledger.money]

    @functools.cached_property
    def trace(self) -> lots.Trace:
        """Return every lot followed from arrival to end, once the model holds a solution."""
        return lots.trace(self.stockpile, self.ledger)
