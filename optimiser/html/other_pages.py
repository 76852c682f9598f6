"""The pages of studies, stress tests, comparisons, assessments, and of why there is no plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from optimiser.comparison.compared import DECISIONS
from optimiser.figures.figure import (
    FigureColumn,
    Figured,
    FigureLine,
    Precision,
    TableFigure,
    TextFigure,
)
from optimiser.figures.of_comparison.side_by_side import FIRST, ComparedLine, ComparisonPart
from optimiser.html.page import Page, figure_page
from optimiser.studies.repairs.diagnosis import Diagnosis
from stockpile_model.amounts import count

RUN = "Run"
T = TypeVar("T")


def study_page(
    title: str,
    answers: Mapping[str, Iterable[Figured]],
    together: Iterable[Figured],
    said: Sequence[str],
    run: Mapping[str, object],
    complete: bool,
) -> Page:
    """Return the page of studies: the figures of each by its name, those of all `together`, and
    what they say in sentences. `run` is what is needed to repeat them."""
    parts = {**answers, "All studies": together, RUN: [_facts(run)]}
    warning = "" if complete else "Incomplete: interrupted before all runs had ended."
    return figure_page(f"{title}: studies", "Studies of a stockpile", said, parts, warning)


def comparison_page(
    names: Sequence[str],
    figures: Iterable[ComparisonPart],
    charts: Iterable[Figured],
    about: Mapping[str, Mapping[str, str]],
    notes: Sequence[str],
) -> Page:
    """Return the page of a comparison of plans with names, what differs first. `about` says of each
    where it comes from."""
    parts: dict[str, Iterable[Figured]] = {"Costs": charts}
    differing: dict[str, int] = {}
    for each in figures:
        lines = sorted(each.lines, key=lambda line: not line.differs)
        differing[each.name] = sum(line.differs for line in lines)
        parts[each.title] = [_figures_first(each, lines)] if lines else []
    decisions = differing.pop(DECISIONS, 0)
    others = sum(differing.values())
    lead = [
        f"{count(decisions, 'decision differs', 'decisions differ')} from {names[0]}."
        if decisions
        else "No decision changes.",
        *([f"{count(others, 'figure differs', 'figures differ')}."] if others else []),
        *notes,
    ]
    parts["Plans"] = [_origins(about)]
    return figure_page(" and ".join(names), "Comparison of plans", lead, parts)


def _figures_first(part: ComparisonPart, lines: Sequence[ComparedLine]) -> TableFigure:
    """Return a part of a comparison with whether a line differs behind the figures, which a phone
    has no room for otherwise."""

    def moved(values: Sequence[T]) -> tuple[T, ...]:
        *label, differs = values[:FIRST]
        return (*label, *values[FIRST:], differs)

    found = tuple(replace(line, values=moved(line.values)) for line in lines)
    return replace(part, title="", columns=moved(part.columns), lines=found)


def explanation_page(title: str, lines: Sequence[str]) -> Page:
    """Return the page of why there is no plan, in lines of which the first says that there is
    none."""
    first, *rest = lines or ["There is no plan."]
    found = TextFigure("explanation", "What is short", tuple(each.strip() for each in rest))
    parts = {"Why": [found]} if rest else {}
    return figure_page(title, "Why there is no plan", [first], parts)


def stress_page(
    title: str, parts: Mapping[str, Iterable[Figured]], said: Sequence[str], ends: str
) -> Page:
    """Return the page of a stress test: its figures by chapter, and what they say. `ends` says why
    it is incomplete; blank where it is not."""
    return figure_page(title, "Stress test of a plan", said, parts, ends)


def adequacy_page(
    title: str, figures: Iterable[Figured], rows: Iterable[Figured], said: Sequence[str]
) -> Page:
    """Return the page of an assessment: the figures of the scenario that is counted, the rows of
    all, and what they say."""
    parts = {"By fiscal year": figures, "Every scenario": rows}
    return figure_page(title, "Adequacy of supply", said, parts)


def diagnosis_page(title: str, found: Diagnosis) -> Page:
    """Return the page of why there is no plan, and what would make one, the lightest first."""
    first, *rest = found.lines()
    sums = TextFigure("sums", "By the figures of the workbook alone", found.sums)
    parts: dict[str, Iterable[Figured]] = {
        "What the figures show": [sums] if found.sums else [],
        "What would make a plan": [_repairs(found)] if found.repairs else [],
        "Rules that clash": [_clash(found)] if found.clash.rules else [],
    }
    lead = [first, *(f"{_unmarked(each.told)}." for each in found.repairs[:1])]
    if rest and not any(parts.values()):
        lead += [each.strip() for each in rest]
    return figure_page(title, "Why there is no plan", lead, parts, found.ended)


def _repairs(found: Diagnosis) -> TableFigure:
    """Return the repairs, the lightest first: what is changed, and what the plan then costs."""
    money = Precision("money", [each.objective for each in found.repairs])
    several = len(found.repairs) > 1
    return TableFigure(
        "repairs",
        "Each of these alone makes a plan, the lightest first" if several else "This makes a plan",
        (
            FigureColumn("Repair"),
            FigureColumn("What"),
            FigureColumn(f"The plan then costs [{found.currency}]", money),
            FigureColumn("Cells"),
            FigureColumn("As --set takes it"),
        ),
        tuple(
            FigureLine(
                (
                    f"{number}",
                    _unmarked(each.told),
                    each.objective,
                    ", ".join(each.cells),
                    "; ".join(each.changes),
                )
            )
            for number, each in enumerate(found.repairs, start=1)
        ),
    )


def _unmarked(said: str) -> str:
    """Return a sentence without the marks that cells have in a terminal."""
    return said.replace("`", "")


def _clash(found: Diagnosis) -> TableFigure:
    """Return the rules that cannot all be kept."""
    return TableFigure(
        "clash",
        "These cannot all be kept, all else as it is",
        (FigureColumn("Cell"), FigureColumn("Rule")),
        tuple(FigureLine((each.cell, each.said)) for each in found.clash.rules),
        "" if found.clash.smallest else "A smaller part of them may clash too.",
    )


def _facts(run: Mapping[str, object]) -> TableFigure:
    columns = (FigureColumn("Fact"), FigureColumn("Value"))
    lines = tuple(FigureLine((name, str(value))) for name, value in run.items() if value != "")
    return TableFigure("run", "What is needed to repeat it", columns, lines)


def _origins(about: Mapping[str, Mapping[str, str]]) -> TableFigure:
    """Return where each plan comes from."""
    facts = [*dict.fromkeys(fact for each in about.values() for fact in each)]
    columns = tuple(FigureColumn(each.capitalize()) for each in ("plan", *facts))
    lines = tuple(
        FigureLine((name, *(each.get(fact, "") for fact in facts))) for name, each in about.items()
    )
    return TableFigure("plans", "Where they come from", columns, lines)
