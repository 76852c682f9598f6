"""What to do first: the first signatures, orders and rotations, as sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from optimiser.figures.figure import TextFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.amounts import listed, month
from stockpile_model.block import results
from stockpile_model.calendar import add_months
from stockpile_model.schema import Result
from stockpile_model.tree import ALL

NAME, TITLE = "first steps", "To do first"
FIRST_MONTHS, MOST_FIRST, MOST_SHORT = 6, 12, 5
Step = tuple[dt.date, int, str]


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield the steps of the first months; later ones only where there are no others."""
    yield _first(rows, MOST_FIRST)


def short(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield the weightiest few of these steps."""
    yield _first(rows, MOST_SHORT)


def _first(rows: PlanRows, most: int) -> TextFigure:
    """Return the steps of the first months, the weightiest where there are more than `most`."""
    start = rows.plan.stockpile.settings.start
    until = add_months(start, FIRST_MONTHS)
    kinds = sorted((kind for kind in results() if kind.RANK), key=lambda kind: kind.PLACE)
    found = (each for kind in kinds for each in _steps(rows, kind))
    steps = [each for each in found if each[0] >= start]  # what is before it has been done
    steps.sort(key=lambda each: each[:2])
    first = [each for each in steps if each[0] < until] or steps[:1]
    title = f"{TITLE}, before {month(until)}"
    if steps and first[0][0] >= until:
        title = f"{TITLE}: nothing before {month(first[0][0])}"
    weightiest = sorted(first, key=lambda each: each[1])[:most]  # no signature is left out
    shown = tuple(
        instruction for _, _, instruction in sorted(weightiest, key=lambda each: each[:2])
    )
    rest, aside = len(steps) - len(shown), ""
    if rest:
        sheets = [kind.SHEET for kind in kinds if rows.height(kind)]
        many = "s" if len(sheets) > 1 else ""
        over = " over all scenarios" if rows.scenarios else ""
        aside = f"… and {rest:,} more{over} on the sheet{many} {listed(sheets)}."
    return TextFigure(NAME, title, shown or ("Nothing to do.",), aside)


def _steps(rows: PlanRows, kind: type[Result]) -> Iterator[Step]:
    """Yield each instruction once: a project says the same at each level, a contract at each
    delivery."""
    every = range(rows.height(kind))
    names = rows.column(kind, "scenarios") if rows.scenarios else [ALL for _ in every]
    weights = rows.column(kind, "probability") if rows.scenarios else [1.0 for _ in every]
    found: dict[tuple[dt.date | None, str], dict[str, float]] = {}
    days, instructions = rows.column(kind, kind.dated_by()), rows.column(kind, "instruction")
    for day, instruction, of, weight in zip(days, instructions, names, weights, strict=True):
        found.setdefault((day, instruction), {})[of] = weight
    for (day, instruction), holds in found.items():
        if day is not None:
            yield day, kind.RANK, _held(instruction, holds)


def _held(instruction: str, holds: Mapping[str, float]) -> str:
    """Return an instruction, with the scenarios in which it holds where these are not all."""
    if ALL in holds or sum(holds.values()) > 1 - 1e-9:
        return instruction
    return f"{instruction} (in {', '.join(holds)})"
