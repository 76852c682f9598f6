"""What the events of a stress test cost more than the plan: a bar for each."""

from __future__ import annotations

from collections.abc import Iterator

from optimiser.figures.figure import ChartFigure, FigureAxis, FigureSeries
from optimiser.figures.of_study.study_answers import MOST_BARS, capital
from optimiser.studies.kinds.asked import AnswerTable
from stockpile_model.values import parted

NAME = "extra cost"
EXTRA = 4  # the column of what an event costs more


def figures(events: AnswerTable) -> Iterator[ChartFigure]:
    """Yield the bars of the events that have a plan, the dearest first."""
    found = [
        (str(row[0]), float(extra))
        for row in events.rows
        if isinstance(extra := row[EXTRA], (int, float))
    ]
    if not found:
        return
    title, unit = parted(events.header[EXTRA])
    shown = sorted(found, key=lambda each: -each[1])[:MOST_BARS]
    extras = tuple(extra for _, extra in shown)
    yield ChartFigure(
        NAME,
        "What each event costs more than the plan",
        f"{title} [{unit}], the {len(shown)} dearest of {len(found):,} events with a plan",
        FigureAxis("event"),
        FigureAxis(capital(title), unit, largest=max(map(abs, extras))),
        tuple(event for event, _ in shown),
        (FigureSeries(capital(title), extras, "bar", "high"),),
    )
