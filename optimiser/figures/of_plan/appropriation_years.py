"""What is obligated, paid, released and lapses of all appropriations in each fiscal year."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, Role, scaled
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.budget import BudgetUse

NAME = "appropriation years"
PARTS: tuple[tuple[str, str, Role], ...] = (
    ("obligated", "obligated", "open"),
    ("spent", "paid", "part"),
    ("released", "released", "not counting"),
    ("lapsed", "lapsed", "lost"),
)


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the amounts of each fiscal year, where there are appropriations."""
    if not rows.height(BudgetUse):
        return
    years = sorted(set(rows.column(BudgetUse, "fiscal_year")))
    amounts = {
        name: [rows.total_of(BudgetUse, name, "fiscal_year", each).value for each in years]
        for name, _, _ in PARTS
    }
    largest = max(0.0, *(each for values in amounts.values() for each in values))
    scale, unit = scaled([largest], rows.plan.currency)
    yield ChartFigure(
        NAME,
        "Appropriations by fiscal year: obligated, paid, released, lapsed",
        f"all appropriations together [{unit}]",
        FigureAxis("fiscal year"),
        FigureAxis("amount", unit, least=0, largest=largest / scale),
        tuple(f"FY{each}" for each in years),
        tuple(
            FigureSeries(said, tuple(each / scale for each in amounts[name]), "column", role)
            for name, said, role in PARTS
        ),
        expected=rows.scenarios,
    )
