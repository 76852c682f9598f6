"""All runs of the studies, and for each study how its runs ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimiser.figures.figure import FigureColumn, FigureLine, Precision, TableFigure
from optimiser.studies.answered import Answered
from optimiser.studies.engine.case import CaseResult
from optimiser.studies.engine.runner import Ran
from stockpile_model.block import tallies
from stockpile_model.tables import Settings

MOST_DECISIONS, MOST_INPUTS = 40, 1_000  # columns
MOST_RUNS = 1_000_000
GAP = "Gap"
STUDIES, RUNS = "studies", "runs"
WEIGHTY = ("chosen", "ever", "sum")  # how decisions are counted, the weightiest first
MEASURES = ("shortfall", "waste", "cost")  # figures of a run that are no decisions

Find = Callable[[str], CaseResult | None]
"""Gives the result of a run by its key."""


@dataclass(frozen=True)
class RunColumns:
    """Describe what the columns behind those of every run are: inputs by name, and decisions."""

    inputs: Mapping[str, str]
    decisions: Sequence[str]


def figures(answers: Sequence[Answered], find: Find, settings: Settings) -> Iterator[TableFigure]:
    """Yield the studies with how their runs ended, and all runs, a million at most. Each result is
    looked up once."""
    columns, words = _columns(answers), _minimised(settings)
    studies, lines = [], list[FigureLine]()
    for each in answers:
        ended: dict[str, int] = {}
        for k, ran in enumerate(each.runs, 1):
            result = find(ran.key) or CaseResult("not run")
            ended[result.status] = ended.get(result.status, 0) + 1
            if len(lines) < MOST_RUNS:
                lines.append(_line((each.name, k), ran, result, columns, words))
        endings = ", ".join(f"{number:,} {status}" for status, number in ended.items())
        studies.append(FigureLine((each.name, each.kind, len(each.runs), each.kept, endings)))
    whole, plain, share = Precision("count"), Precision(), Precision("1", places=3)
    heads = ("Study", plain), ("Kind", plain), ("Runs", whole), ("From the record", whole)
    titles = (*heads, ("How they ended", plain))
    summary = tuple(FigureColumn(title, precision) for title, precision in titles)
    shown = tuple(
        FigureColumn(each, share if each == GAP else plain) for each in _titles(settings, columns)
    )
    yield TableFigure(STUDIES, "Studies", summary, tuple(studies))
    yield TableFigure(RUNS, "Runs", shown, tuple(lines))


def _titles(settings: Settings, columns: RunColumns) -> tuple[str, ...]:
    unit = settings.quantity_unit
    return (
        *("Study", "Run", "For", "Changes", "Minimised", "Under", "Status"),
        *("Least found", "Proven bound", GAP, "How", "Seconds"),
        *(f"Shortfall [{unit}]", f"Waste [{unit}]", "Message"),
        *columns.inputs.values(),
        *columns.decisions,
    )


def _columns(answers: Sequence[Answered]) -> RunColumns:
    """Return the inputs, and the decisions, the weightiest first."""
    noted = dict.fromkeys(name for each in answers for name in each.noted if name not in MEASURES)
    ranks = {each.figure: WEIGHTY.index(each.how) for each in tallies() if each.how in WEIGHTY}

    def weight(name: str) -> int:
        return ranks.get(name.split(" ", maxsplit=1)[0], len(WEIGHTY))

    inputs = [pair for each in answers for pair in each.inputs.items()][:MOST_INPUTS]
    return RunColumns(dict(inputs), sorted(noted, key=weight)[:MOST_DECISIONS])


def _line(
    of: tuple[str, int], ran: Ran, result: CaseResult, columns: RunColumns, words: Mapping[str, str]
) -> FigureLine:
    """Return the line of a run, `of` a study and with a number."""
    found = result.figures
    return FigureLine(
        (
            *(*of, ran.note, ran.changes, words.get(ran.aim, ran.aim), ran.asked, result.status),
            *(result.objective, result.bound, result.gap, result.how, result.seconds),
            *(found.get("shortfall"), found.get("waste"), result.message),
            *(ran.values.get(name) for name in columns.inputs),
            *(found.get(name) for name in columns.decisions),
        )
    )


def _minimised(settings: Settings) -> dict[str, str]:
    """Return what runs minimise, in words."""
    money = settings.currency
    first = settings.objective == "shortfall_first"
    cost = "cost at the least shortfall" if first else "cost"
    return {
        "cost": f"{cost} [{money}]",
        "cvar": f"CVaR [{money}]",
        "shortfall": f"shortfall [{settings.quantity_unit}]",
        "distance": "likeness to other plans [1]",
    }
