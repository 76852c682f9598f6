"""The page of a plan: its chapters for every choice of scenario, material and buyer, its rows, and
where it comes from."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence

from optimiser.figures.of_plan import (
    calendar_of_actions,
    chapters_of,
    evidence,
    weighty_limits,
)
from optimiser.figures.of_plan.plan_rows import PlanRows
from optimiser.html.figure_data import Data, figure_data
from optimiser.html.page import Choice, Page, PageChapter
from optimiser.html.row_data import tables
from optimiser.plan.action_rows import Action
from optimiser.plan.assumption_rows import Assumption
from optimiser.plan.marginal_values import MarginalValue
from optimiser.plan.narrowed_plan import for_buyer, in_scenario, of_material, scenarios_of
from optimiser.plan.plan import Plan
from optimiser.plan.verdict import compared
from stockpile_model import amounts
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.name_lists import list_of
from stockpile_model.tables import Material

MOST_SCENARIOS = 40  # that may be chosen: the base, and the likeliest
MOST_VIEWS = 160  # choices for which the figures are worked out
Numbers = tuple[int, ...]
"""The number of the name that is chosen of each choice; 0: none."""
BESIDE = {
    calendar_of_actions.NAME: Action.SHEET,
    weighty_limits.NAME: MarginalValue.SHEET,
    evidence.NAME: Assumption.SHEET,
}
"""The tables of rows that stand with a figure."""
UNPROVEN = {
    "edited": (
        "This plan was changed after it was written, so neither its proof nor its audit holds."
    ),
    "feasible": "This plan keeps every limit, but is not proven to be the best.",
}


def plan_page(plan: Plan) -> Page:
    """Return the page of a plan."""
    rows, choices = PlanRows(plan), _choices(plan)
    made = [(chapter, figures) for chapter, figures in chapters_of(rows) if figures]
    listed = [*tables(rows)]
    names = {each["name"] for each in listed}
    return Page(
        title=plan.title or "Stockpile plan",
        kind="Plan of a stockpile",
        lead=plan.verdict.splitlines(),
        chapters=[
            PageChapter(
                chapter.title,
                chapter.answers,
                [figure_data(each, rows.scenarios) for each in figures],
                next((BESIDE[each.name] for each in figures if BESIDE.get(each.name) in names), ""),
            )
            for chapter, figures in made
        ],
        facts=_facts(plan),
        warning=UNPROVEN.get(plan.status, ""),
        choices=choices,
        views=dict(_views(plan, choices, [chapter.title for chapter, _ in made])),
        tables=listed,
        about=_about(plan, choices),
    )


def _facts(plan: Plan) -> Sequence[tuple[str, str]]:
    gap = "not known" if plan.gap is None else amounts.percent(plan.gap, 3)
    bound = "not known" if plan.bound is None else f"{amounts.money(plan.bound)} {plan.currency}"
    label = "Objective" if plan.cvar is None else "Objective over the scenarios"
    facts = [
        ("Status", plan.status),
        (label, f"{amounts.money(plan.objective)} {plan.currency}"),
        (f"No plan{compared(plan)} can cost less than", bound),
        ("Gap", gap),
    ]
    named = (("input", "Workbook"), ("changes", "Changes to it"), ("planned at", "Planned at"))
    return facts + [(title, str(plan.run[name])) for name, title in named if plan.run.get(name)]


def _choices(plan: Plan) -> list[Choice]:
    """Return what may be chosen: only where there are two names at least."""
    stockpile = plan.stockpile
    scenarios = scenarios_of(plan)
    if len(scenarios) > MOST_SCENARIOS:
        likely = {each.scenario: each.probability for each in plan.of(ScenarioOutcome)}
        first, *rest = scenarios
        kept = sorted(rest, key=lambda name: -likely.get(name, 0.0))[: MOST_SCENARIOS - 1]
        scenarios = (first, *(name for name in rest if name in kept))
    materials = [each.material for each in stockpile.rows(Material)]
    buyers = [each for each in stockpile.owners if each is not None]
    count = len(scenarios_of(plan))
    every = f"all {count:,}, expected" if scenarios else "all"
    found = [
        Choice("scenario", "Scenario", scenarios, every),
        Choice("material", "Material", materials, "all"),
        Choice("buyer", "Buyer", buyers, "all"),
    ]
    return [each for each in found if len(each.names) > 1]


def _views(
    plan: Plan, choices: Sequence[Choice], titles: Sequence[str]
) -> Iterator[tuple[str, Sequence[Sequence[Data] | None]]]:
    """Yield the figures of each choice by chapter, those of few choices at once first."""
    numbers = itertools.product(*(range(len(each.names) + 1) for each in choices))
    chosen = sorted(numbers, key=lambda each: (sum(map(bool, each)), each))
    for each in [one for one in chosen if any(one)][:MOST_VIEWS]:
        part = _part(plan, choices, each)
        rows = PlanRows(part)
        made = {chapter.title: figures for chapter, figures in chapters_of(rows, part=True)}
        yield (
            "|".join(map(str, each)),
            [
                [figure_data(figure, rows.scenarios) for figure in made[title]]
                if title in made
                else None
                for title in titles
            ],
        )


def _part(plan: Plan, choices: Sequence[Choice], numbers: Numbers) -> Plan:
    """Return the part of a plan that is chosen."""
    ways = {"scenario": in_scenario, "material": of_material, "buyer": for_buyer}
    for choice, number in zip(choices, numbers, strict=True):
        if number:
            plan = ways[choice.name](plan, choice.names[number - 1])
    return plan


def _about(plan: Plan, choices: Sequence[Choice]) -> Mapping[str, object]:
    """Return by which words of rows the script filters: of scenarios, materials and buyers."""
    stockpile = plan.stockpile
    chosen = {each.name: each.names for each in choices}
    parted = "scenario" in chosen
    holds = stockpile.holds if parted else ()
    left = len(scenarios_of(plan)) - len(chosen.get("scenario", ()))
    return {
        "holds": {list_of(names): list(names) for names in holds},
        "groups": {name: list(members) for name, members in stockpile.groups.items()},
        "sites": {name: site.buyer for name, site in stockpile.sites.items()},
        "left": left if parted else 0,
    }


def pooled(page: Page) -> tuple[list[Data], dict[str, list[list[int] | None]]]:
    """Return the different figures of a page, and for each view of which its chapters consist, by
    their places; the view without a choice has an empty name."""
    place: dict[str, int] = {}
    pool: list[Data] = []

    def placed(figure: Data) -> int:
        key = json.dumps(figure, sort_keys=True)
        if key not in place:
            place[key] = len(pool)
            pool.append(figure)
        return place[key]

    views: dict[str, list[list[int] | None]] = {
        "": [[placed(each) for each in chapter.figures] for chapter in page.chapters]
    }
    for name, chapters in page.views.items():
        views[name] = [
            None if figures is None else [placed(each) for each in figures] for figures in chapters
        ]
    return pool, views
