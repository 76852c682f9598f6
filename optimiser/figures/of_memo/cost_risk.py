"""What a plan costs, and what could go wrong: scenarios, the tail of the cost, a stress test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure, TextFigure
from optimiser.figures.of_memo.memo_content import MemoGround
from optimiser.figures.of_memo.memo_text import legible, named
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import paid
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.solved_plan import together

NAME = "scenarios"
MOST_SCENARIOS, MOST_STRESS, MOST_WARNINGS = 6, 3, 3
LONGEST_WARNING = 200  # characters


def figures(ground: MemoGround) -> Iterator[TextFigure | TableFigure]:
    """Yield what is paid in sentences, the dearest scenarios, the gravest events, the warnings."""
    plan = ground.plan
    yield TextFigure("costs", "", tuple(paid(plan)))
    outcomes = plan.of(ScenarioOutcome)
    if outcomes:
        yield _scenarios(plan, outcomes)
    gravest = [f"Under stress: {each}" for each in ground.stress[:MOST_STRESS]]
    said = (*gravest, *([ground.stressed] if ground.stressed else ()), *_warnings(plan))
    if said:
        yield TextFigure("what could go wrong", "", said)


def _scenarios(plan: Plan, outcomes: Sequence[ScenarioOutcome]) -> TableFigure:
    """Return the scenarios that cost most."""
    rows = sorted(outcomes, key=lambda each: -each.cost)[:MOST_SCENARIOS]
    caption = ""
    if len(rows) < len(outcomes):
        caption = f"The {len(rows)} dearest of {len(outcomes):,} scenarios."
    costs, shorts = [each.cost for each in rows], [each.shortfall for each in rows]
    return TableFigure(
        NAME,
        "",
        (
            FigureColumn("Should this come"),
            FigureColumn("Probability", Precision("1")),
            FigureColumn("Known from"),
            FigureColumn(f"Cost, discounted [{plan.currency}]", Precision("money", costs)),
            FigureColumn(
                f"Missing, sum over periods{together(plan)} [{plan.unit}]",
                Precision("quantity", shorts),
            ),
        ),
        tuple(
            FigureLine(
                (
                    named(each.scenario),
                    each.probability,
                    each.revealed,
                    each.cost,
                    each.shortfall,
                )
            )
            for each in rows
        ),
        caption,
    )


def _warnings(plan: Plan) -> Iterator[str]:
    """Yield the warnings of the plan, some where there are many."""
    for each in plan.warnings[:MOST_WARNINGS]:
        yield f"Warning: {legible(each, LONGEST_WARNING)}"
    if len(plan.warnings) > MOST_WARNINGS:
        yield f"And {len(plan.warnings) - MOST_WARNINGS:,} more warnings: see the summary."
