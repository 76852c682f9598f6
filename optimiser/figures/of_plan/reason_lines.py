"""Why the plan leaves what it leaves, in brief: a line each, the most telling first."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import TextFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.reasons import RESOLVED, SHORT, Reason, settled
from stockpile_model import amounts

NAME = "reasons"
MOST = 6  # lines; the sheet has all


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield why choices are not used over the whole horizon, and what is first missing."""
    found = [each for each in rows.plan.of(Reason) if _told(each)]
    # What ranging or a re-solve has settled says most.
    found.sort(key=lambda each: (each.found_by is None, each.stopped_by is None))
    if not found:
        return
    lines = tuple(f"{_named(each)}: {settled(each.reason)}" for each in found[:MOST])
    asides = []
    if len(found) > MOST:
        asides.append(f"{amounts.count(len(found) - MOST, 'more reason')} on the sheet reasons")
    if any(RESOLVED in each.reason for each in found):
        asides.append("--reasons says at which price each would be used")
    yield TextFigure(NAME, "Why not", lines, "; ".join(asides))


def _told(row: Reason) -> bool:
    """Return whether a reason is one of what is not used, or missing."""
    return not row.used and (row.fiscal_year is None or row.choice == SHORT)


def _named(row: Reason) -> str:
    return " ".join(filter(None, ("" if row.choice == SHORT else row.choice, row.name, row.level)))
