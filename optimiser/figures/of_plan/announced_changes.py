"""What changes of the plan that was announced, in brief, with the cells behind it."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.plan_changes import PlanChange
from stockpile_model import amounts

NAME = "announced changes"
MOST = 10  # lines; the sheet has all


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the changes, the earliest first; nothing where nothing changes."""
    plan = rows.plan
    found: list[PlanChange] = [each for each in rows.of(PlanChange) if each.changed]
    if not found:
        return
    shown = found[:MOST]
    quantity = Precision("quantity", tuple(n for each in shown for n in (each.announced, each.now)))
    money = Precision("money", tuple(each.value for each in shown))
    columns = (
        FigureColumn("date"),
        FigureColumn("what"),
        FigureColumn("change"),
        FigureColumn("announced", quantity),
        FigureColumn("now", quantity),
        FigureColumn(f"value [{plan.currency}]", money),
        FigureColumn("keeping costs", money, "by the linear program, for this one alone"),
        FigureColumn("changed since"),
    )
    lines = tuple(FigureLine(_values(each, rows.scenarios)) for each in shown)
    left = len(found) - len(shown)
    more = f"; {amounts.count(left, 'more change')} on the sheet changes" if left else ""
    yield TableFigure(
        NAME,
        "Changes of the announced plan",
        columns,
        lines,
        caption=f"What is not done as it was announced{more}.",
    )


def _values(row: PlanChange, scenarios: bool) -> tuple[object, ...]:
    what = " ".join(filter(None, (row.what, row.name, row.level)))
    if scenarios and row.scenarios != "all":
        what += f" (in {row.scenarios})"
    cell = row.cell and f"{row.cell}: {row.after}, was {row.before}"
    return (row.date, what, row.change, row.announced, row.now, row.value, row.keeping, cell)
