"""The sheets of a plan: which types of result row stand in a plan workbook, and in which order."""

from __future__ import annotations

from optimiser.plan.plan import OWN_RESULTS
from optimiser.studies.what_ifs import WHAT_IFS
from stockpile_model.block import results as block_results
from stockpile_model.schema import Dated, Result, columns

OTHERS: frozenset[type[Result]] = frozenset(
    (*OWN_RESULTS, *(each.result for each in WHAT_IFS))
) - frozenset(block_results())
"""The types of row that no block reports."""

SHEETS: tuple[type[Result], ...] = tuple(
    sorted((*block_results(), *OTHERS), key=lambda kind: kind.PLACE)
)
"""The types of row in the order of their sheets."""

DATED = tuple(each.name for each in columns(Dated))
"""The columns that say in which scenarios a row holds."""
