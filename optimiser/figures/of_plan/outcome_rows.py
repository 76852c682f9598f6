"""Result rows that are read as they are, where a plan is shown in brief."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from optimiser.figures.column_units import unit_of
from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.block import results
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.schema import Column, Result, columns, get

MOST_SCENARIOS = 20  # with more, only the dearest are shown


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield a table of each type of row that the plan has and that has a title for it."""
    yield from _tables(rows, rows.plan.rows)


def answers(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield those of the types that no block reports: they answer what was asked besides."""
    reported = results()
    yield from _tables(rows, [kind for kind in rows.plan.rows if kind not in reported])


def _tables(rows: PlanRows, kinds: Iterable[type[Result]]) -> Iterator[TableFigure]:
    for kind in sorted(kinds, key=lambda kind: kind.PLACE):
        found: Sequence[Result] = rows.plan.of(kind)
        title = kind.BRIEF
        if kind is ScenarioOutcome and len(found) > MOST_SCENARIOS:
            found, title = _dearest(rows.plan.of(ScenarioOutcome))
        if found and title:
            yield _table(rows, kind, title, found)


def _dearest(outcomes: Sequence[ScenarioOutcome]) -> tuple[Sequence[Result], str]:
    """Return the scenarios that cost most, and what the table of them is called."""
    few = sorted(outcomes, key=lambda each: -each.cost)[:MOST_SCENARIOS]
    return few, f"The {len(few)} dearest of {len(outcomes):,} scenarios"


def _table(plan: PlanRows, kind: type[Result], title: str, rows: Sequence[Result]) -> TableFigure:
    """Return the columns of result rows that hold anything, but for their unit."""
    shown = [
        each
        for each in columns(kind)
        if each.name != "unit" and any(get(row, each.name) is not None for row in rows)
    ]
    numbers = [
        [value for row in rows if isinstance(value := get(row, each.name), float)] for each in shown
    ]
    return TableFigure(
        kind.SHEET,
        title,
        tuple(
            FigureColumn(_title(plan, each), Precision(each.unit, among), each.meaning)
            for each, among in zip(shown, numbers, strict=True)
        ),
        tuple(FigureLine(tuple(get(row, each.name) for each in shown)) for row in rows),
    )


def _title(rows: PlanRows, column: Column) -> str:
    """Return the title of a column, with its unit where all its values have one."""
    name = column.name.replace("_", " ").capitalize()
    one = column.kind in ("number", "whole") and " or " not in column.unit
    unit = unit_of(column.unit, rows.plan.unit, rows.plan.currency) if one else ""
    return f"{name} [{unit}]" if unit else name
