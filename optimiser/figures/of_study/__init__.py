"""The figures of studies: each answer with its chart, how the runs ended, and all runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from optimiser.figures.figure import TableFigure
from optimiser.figures.of_study import study_answers, study_runs
from optimiser.figures.of_study.study_answers import AnswerFigures
from optimiser.figures.of_study.study_runs import Find
from optimiser.studies.answered import Answered
from stockpile_model.tables import Settings

AnswerMaker = Callable[[Answered], Iterator[AnswerFigures]]
StudyMaker = Callable[[Sequence[Answered], Find, Settings], Iterator[TableFigure]]

ANSWERS: Sequence[AnswerMaker] = (study_answers.figures,)
"""The figures of one study."""

STUDIES: Sequence[StudyMaker] = (study_runs.figures,)
"""The figures of all studies of a workbook."""


def answers_of(answered: Answered) -> Iterator[AnswerFigures]:
    """Yield the figures of one study: each of its answers."""
    for figures in ANSWERS:
        yield from figures(answered)


def figures_of(
    answers: Sequence[Answered], find: Find, settings: Settings
) -> dict[str, TableFigure]:
    """Return the figures of all studies by name. `find` gives the result of a run by its key."""
    made = (each for figures in STUDIES for each in figures(answers, find, settings))
    return {each.name: each for each in made}
