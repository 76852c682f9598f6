"""Result rows that are read as they are: scenarios, what the uncertainty costs, other plans."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.studies.what_ifs.cost_shares import CostShare
from optimiser.studies.what_ifs.firm_supply import FirmSupplyRow
from optimiser.studies.what_ifs.information import Worth
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.schema import Result, columns, get

MOST_SCENARIOS = 20  # of more only the dearest
Outcomes = tuple[Result, ...]


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield a table of each type of row that the plan has."""
    plan = rows.plan
    outcomes = plan.of(ScenarioOutcome)
    few, title = outcomes, "Scenarios"
    if len(outcomes) > MOST_SCENARIOS:
        few = tuple(sorted(outcomes, key=lambda each: -each.cost)[:MOST_SCENARIOS])
        title = f"The {len(few)} dearest of {len(outcomes):,} scenarios"
    yield from _table("scenarios", title, few)
    yield from _table("value", "What the uncertainty costs", plan.of(Worth))
    yield from _table("firm", "Firm supply only", plan.of(FirmSupplyRow))
    yield from _table("shares", "Buyers", plan.of(CostShare))


def _table(name: str, title: str, rows: Outcomes) -> Iterator[TableFigure]:
    """Yield the columns of result rows but for their unit, where there are rows."""
    if not rows:
        return
    shown = [each for each in columns(type(rows[0])) if each.name != "unit"]
    numbers = [
        [value for row in rows if isinstance(value := get(row, each.name), float)] for each in shown
    ]
    yield TableFigure(
        name,
        title,
        tuple(
            FigureColumn(each.field, Precision(each.unit, among), each.meaning)
            for each, among in zip(shown, numbers, strict=True)
        ),
        tuple(FigureLine(tuple(get(row, each.name) for each in shown)) for row in rows),
    )
