"""Check the figures of a workbook without a solver: what cannot be met, and what looks like a slip.

Each module is one concern with a `check(stockpile)` that yields `Problem`s, like a block of the
model. It runs on a workbook without errors. All problems are warnings but a project that waits for
itself. "Cannot be met" is a proof: its bound gives the plan more than any plan could have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optimiser.checks import circles, magnitudes, misspellings, spending, supply, unit_slips, unused
from stockpile_model.scenarios import base_probability
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile

CHECKS = (supply, spending, circles, unused, magnitudes, unit_slips, misspellings)
PROOFS = (supply, spending)
_UNCERTAIN = ("scenarios", "events")


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield all that is odd about a workbook, as its rows stand without scenarios.

    Where scenarios have all the probability no plan has to keep what holds without them: then
    nothing about it is proven.
    """
    tables = {kind: rows for kind, rows in stockpile.tables.items() if kind.TABLE not in _UNCERTAIN}
    base = replace(stockpile, tables=tables)
    able = [each for each in CHECKS if each not in PROOFS or base_probability(stockpile)]
    return (problem for each in able for problem in each.check(base))
