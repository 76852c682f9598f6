"""How good a plan is: its status, its cost, and the bound that is proven."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from optimiser.plan.verdict import compared, in_short
from stockpile_model.amounts import count, percent

NAME = "assessment"
STATUS = {
    "optimal": "optimal: proven to be the best plan, within the gap asked for",
    "feasible": (
        "feasible: a plan that keeps every limit, not proven to be the best; "
        "the gap says how much better one could be"
    ),
}
OBJECTIVE, EXPECTED = "Objective", "Expected cost"


def short(rows: PlanRows, earlier: Earlier) -> Iterator[TextFigure]:
    """Yield the verdict without what sheets list."""
    yield TextFigure("in short", "", tuple(in_short(rows.plan)))


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[TableFigure]:
    """Yield the status, objective, expected cost and tail, bound and gap of a plan."""
    plan, calendar = rows.plan, rows.plan.stockpile.calendar
    settings, unknown = plan.stockpile.settings, "not known"
    text, money = (Precision(),), (Precision("money", [plan.objective]),)
    caption = (
        f"{count(calendar.periods, 'period')} of {count(calendar.months, 'month')}, "
        f"{calendar.begin(0)} to {calendar.end(calendar.periods - 1)}. Quantities in {plan.unit}, "
        f"money in {plan.currency} of {calendar.begin(0)}."
    )

    def amount(label: str, value: float | None, meaning: str) -> FigureLine:
        values = (label, unknown if value is None else value)
        return FigureLine(values, f"{plan.currency}: {meaning}", precisions=money)

    weighed = settings.risk_weight > 0 and plan.cvar is not None
    cost = "cost" if plan.cvar is None else "expected cost"
    objective = f"{cost}, discounted to {calendar.begin(0)}"
    if weighed:
        objective = "expected cost, weighed with its tail"
    lines = [
        FigureLine(("Status", plan.status), STATUS.get(plan.status, ""), precisions=text),
        amount(OBJECTIVE, plan.objective, objective),
    ]
    if plan.cvar is not None:
        worst = f"mean of the worst {percent(settings.risk_tail)} of scenarios"
        lines.append(amount(EXPECTED, plan.expected_cost, "mean over the scenarios"))
        lines.append(amount("CVaR", plan.cvar, worst))
    lines += [
        amount("Proven bound", plan.bound, f"no plan{compared(plan)} can cost less"),
        FigureLine(
            ("Gap", unknown if plan.gap is None else plan.gap),
            "from the bound to the objective, as a share of the objective",
            precisions=(Precision("1", places=3),),
        ),
    ]
    columns = (FigureColumn("Measure"), FigureColumn("Value"))
    title = plan.title or "Stockpile plan"
    yield TableFigure(NAME, title, columns, tuple(lines), caption)
