"""The figures of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from optimiser.figures.figure import Figured
from optimiser.figures.of_plan import (
    agreement,
    announced_changes,
    appropriation_parts,
    appropriation_years,
    appropriations,
    arrivals,
    assessment,
    buyers,
    calendar_of_actions,
    cash_by_period,
    concentration,
    contract_prices,
    cost_headings,
    evidence,
    expected_costs,
    first_steps,
    lot_calendar,
    metals,
    monthly_arrivals,
    outcome_rows,
    payments_over_time,
    quantities,
    reason_lines,
    remaining_life,
    remarks,
    run_facts,
    scenario_costs,
    supplier_places,
    supplier_shares,
    supply_adequacy,
    weighty_limits,
)
from optimiser.figures.of_plan.plan_rows import Earlier, PlanRows

PlanMaker = Callable[[PlanRows, Earlier], Iterator[Figured]]


@dataclass(frozen=True)
class SummaryPart:
    """Figures of the summary of a plan. Where they are a part of it with a title, how that begins;
    `headed`: its columns have titles too."""

    figures: PlanMaker
    title: str = ""
    headed: bool = False


PLAN: Sequence[SummaryPart] = (
    SummaryPart(assessment.figures),
    SummaryPart(first_steps.figures, first_steps.TITLE),
    SummaryPart(cost_headings.figures, cost_headings.TITLE, headed=True),
    SummaryPart(quantities.figures, quantities.TITLE, headed=True),
    SummaryPart(metals.figures, metals.TITLE, headed=True),
    SummaryPart(appropriations.figures, appropriations.TITLE, headed=True),
    SummaryPart(supplier_shares.figures, supplier_shares.TITLE, headed=True),
    SummaryPart(buyers.figures, buyers.TITLE, headed=True),
    SummaryPart(agreement.figures, agreement.TITLE),
    SummaryPart(remarks.figures, remarks.TITLE),
    SummaryPart(weighty_limits.in_words, weighty_limits.TITLE),
    SummaryPart(remaining_life.figures),
    SummaryPart(scenario_costs.figures),
    SummaryPart(arrivals.figures),
    SummaryPart(cash_by_period.figures),
    SummaryPart(supply_adequacy.figures),
    SummaryPart(appropriation_parts.figures),
)
"""The figures of a plan in the order in which they are read. One may refer to those before it."""

SHORT: Sequence[PlanMaker] = (
    assessment.short,
    first_steps.short,
    announced_changes.figures,
    outcome_rows.answers,
    supply_adequacy.brief,
)
"""What an officer reads at once: how it ends, what to do first, and what was asked besides."""

BRIEF: Sequence[PlanMaker] = (
    expected_costs.figures,
    reason_lines.figures,
    announced_changes.figures,
    outcome_rows.figures,
    supply_adequacy.brief,
)
"""The figures of a plan for where there is little room, as in a terminal."""


@dataclass(frozen=True)
class Chapter:
    """Figures that are read together, where there is room for all of them: their title, and in a
    sentence what they answer. Those of the plan as a `whole` are not made of a part of it."""

    title: str
    answers: str
    makers: Sequence[PlanMaker]
    whole: bool = False


CHAPTERS: Sequence[Chapter] = (
    Chapter(
        "Verdict",
        "What the plan does, what it costs, and how good it is.",
        (assessment.figures, remarks.figures),
        whole=True,
    ),
    Chapter(
        "What to do",
        "What to sign, order and rotate, and when.",
        (first_steps.figures, calendar_of_actions.figures, announced_changes.figures),
    ),
    Chapter(
        "Stock",
        "What is held against the targets, by what is left of its life.",
        (quantities.figures, metals.figures, remaining_life.figures),
    ),
    Chapter("Rotation", "When each lot comes and when it leaves.", (lot_calendar.figures,)),
    Chapter(
        "Purchases",
        "What comes from whom, and when.",
        (supplier_shares.figures, arrivals.figures, monthly_arrivals.figures),
    ),
    Chapter(
        "Contracts",
        "What is signed, at which floor, against which prices.",
        (contract_prices.figures,),
    ),
    Chapter(
        "Money",
        "What is paid, from which appropriation, and what lapses.",
        (
            cost_headings.figures,
            cash_by_period.figures,
            appropriations.figures,
            appropriation_parts.figures,
            appropriation_years.figures,
            payments_over_time.figures,
            buyers.figures,
        ),
    ),
    Chapter(
        "Scenarios and risk",
        "What each scenario costs and misses.",
        (scenario_costs.figures, outcome_rows.figures),
        whole=True,
    ),
    Chapter(
        "Concentration",
        "On whom the metal depends.",
        (concentration.figures, supplier_places.figures),
    ),
    Chapter(
        "What limits the plan",
        "What one more unit of each limit is worth.",
        (weighty_limits.figures,),
    ),
    Chapter(
        "Assumptions",
        "How well the inputs are founded; each stands among the rows.",
        (evidence.figures,),
        whole=True,
    ),
    Chapter(
        "Proof",
        "How it was made, and what was checked.",
        (agreement.figures, run_facts.figures),
        whole=True,
    ),
)
"""The figures of a plan for where there is much room, as on a page."""


def chapters_of(rows: PlanRows, part: bool = False) -> list[tuple[Chapter, list[Figured]]]:
    """Return the chapters of a plan with their figures; of a `part` of it without those of the plan
    as a whole."""
    found: dict[str, Figured] = {}
    chapters = []
    for chapter in CHAPTERS:
        if part and chapter.whole:
            continue
        made: list[Figured] = []
        for figures in chapter.makers:
            for each in figures(rows, found):
                found[each.name] = each
                made.append(each)
        chapters.append((chapter, made))
    return chapters


def figures_of(rows: PlanRows) -> dict[str, Figured]:
    """Return the figures of a plan by name."""
    return _made([each.figures for each in PLAN], rows)


def short_of(rows: PlanRows) -> dict[str, Figured]:
    """Return the figures of a plan that are read at once, by name."""
    return _made(SHORT, rows)


def brief_of(rows: PlanRows) -> dict[str, Figured]:
    """Return the figures of a plan in brief, by name."""
    return _made(BRIEF, rows)


def _made(makers: Sequence[PlanMaker], rows: PlanRows) -> dict[str, Figured]:
    found: dict[str, Figured] = {}
    for figures in makers:
        for each in figures(rows, found):
            found[each.name] = each
    return found
