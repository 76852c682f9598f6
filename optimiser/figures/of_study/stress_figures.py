"""The events of a stress test: what each costs, as bars and as a table, and how it is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimiser.figures.figure import (
    ChartFigure,
    FigureAxis,
    FigureLine,
    FigureSeries,
    TableFigure,
)
from optimiser.figures.of_study.study_answers import MOST_BARS, capital, columns_of
from optimiser.studies.kinds.asked import CELL, AnswerTable, figure
from optimiser.studies.stress import stress_columns as titles
from stockpile_model.amounts import count
from stockpile_model.values import parted

BARS, COSTS, PROOF = "extra cost", "events", "proof"
READ = (
    *(titles.EVENT, titles.KNOWN_FROM, titles.MORE, titles.MORE_LEAST, titles.MORE_MOST),
    *(titles.SHORTER, titles.REGRET),
)
"""The columns of what each event does, which people read."""
PROVEN = (
    *(titles.EVENT, CELL, titles.COST, titles.BOUND, titles.KNOWN_COST, titles.KNOWN_BOUND),
    *(titles.REGRET_LEAST, titles.REGRET_MOST, titles.SHORT, titles.CHANGES),
)
"""The columns of what that is proven by."""


def bars(events: AnswerTable) -> Iterator[ChartFigure]:
    """Yield the bars of the events that have a plan, the dearest first."""
    if not events.rows:
        return
    event, more = events.places(titles.EVENT, titles.MORE)
    found = [
        (str(row[event]), float(extra))
        for row in events.rows
        if isinstance(extra := row[more], (int, float))
    ]
    if not found:
        return
    title, unit = parted(events.header[more])
    shown = sorted(found, key=lambda each: -each[1])[:MOST_BARS]
    extras = tuple(extra for _, extra in shown)
    yield ChartFigure(
        BARS,
        "What each event costs more than the plan",
        f"{title} [{unit}]{_left(len(shown), len(found), len(events.rows))}",
        FigureAxis("event"),
        FigureAxis(capital(title), unit, largest=max(map(abs, extras))),
        tuple(name for name, _ in shown),
        (FigureSeries(capital(title), extras, "bar", "high"),),
    )


def _left(shown: int, planned: int, events: int) -> str:
    """Say of which events there is no bar; blank where there is one of each."""
    said = f", the {shown} dearest of {planned:,} events with a plan" if shown < planned else ""
    if planned < events:
        said += f". After {count(events - planned, 'more event')} no plan is known"
    return said


def tables(events: AnswerTable) -> Iterator[TableFigure]:
    """Yield the events, the gravest first, with why there is no plan after one; then the proof."""
    if events.rows:
        (why,) = events.places(titles.IMPOSSIBLE)
        notes = [str(row[why] or "") for row in events.rows]
        yield _table(events, READ, (COSTS, "What each event does, the gravest first"), notes)
        yield _table(events, PROVEN, (PROOF, "What that is proven by"), [""] * len(notes))


def _table(
    events: AnswerTable, shown: Sequence[str], name: tuple[str, str], notes: Sequence[str]
) -> TableFigure:
    """Return some columns of the events as a table, without those that hold nothing but 0."""
    places = [
        c
        for c, title in zip(events.places(*shown), shown, strict=True)
        if title not in SOMETIMES or any(figure(row[c]) for row in events.rows)
    ]
    columns = columns_of(events)
    lines = tuple(
        FigureLine(tuple(row[c] for c in places), note)
        for row, note in zip(events.rows, notes, strict=True)
    )
    return TableFigure(*name, tuple(columns[c] for c in places), lines)


SOMETIMES = (titles.SHORT, titles.SHORTER)  # columns that are often 0 throughout
