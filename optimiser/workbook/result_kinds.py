"""The sheets of a plan: which types of result row stand in a plan workbook, and in which order."""

from __future__ import annotations

from optimiser.plan.plan_maker import OWN_RESULTS
from optimiser.studies.what_ifs import WHAT_IFS
from stockpile_model.block import results as block_results
from stockpile_model.schema import Dated, Result, columns

DATED = tuple(each.name for each in columns(Dated))
"""The columns that say in which scenarios a row holds."""


def sheet_kinds() -> list[type[Result]]:
    """Return the types of result row, in the order of their sheets."""
    answers = (kind for each in WHAT_IFS for kind in each.results)
    # a what-if may fill rows of a block: each type stands once
    kinds = dict.fromkeys((*block_results(), *OWN_RESULTS, *answers))
    return sorted(kinds, key=place)


def place(kind: type[Result]) -> tuple[bool, int]:
    """Return where a sheet stands: those for people first."""
    return kind.FOR_PROGRAMS, kind.PLACE
