"""What each scenario costs and misses."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries, scaled
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.solved_plan import together

NAME = "scenario costs"


def figures(rows: PlanRows, earlier: Earlier) -> Iterator[ChartFigure]:
    """Yield the cost of each scenario, the dearest first, and its shortfall on the right; of one
    alone there is nothing to compare."""
    if rows.height(ScenarioOutcome) < 2:
        return
    plan = rows.plan
    found = sorted(plan.of(ScenarioOutcome), key=lambda each: -each.cost)
    scale, unit = scaled([each.cost for each in found], plan.currency)
    costs = tuple(each.cost / scale for each in found)
    short = tuple(each.shortfall for each in found)
    yield ChartFigure(
        NAME,
        "Cost and shortfall by scenario",
        f"scenarios: cost [{unit}], shortfall [{plan.unit}]{together(plan)}",
        FigureAxis("scenario"),
        FigureAxis(
            "discounted cost",
            unit,
            least=0 if min(costs) >= 0 else None,  # a column that begins above 0 shows no share
            largest=max(map(abs, costs)),
        ),
        tuple(each.scenario for each in found),
        (
            FigureSeries("cost", costs),
            FigureSeries("shortfall (right)", short, "point", "aim", right=True),
        ),
        FigureAxis(f"shortfall{together(plan)}", plan.unit, least=0),
        spacing=40,
    )
