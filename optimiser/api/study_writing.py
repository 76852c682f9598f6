"""Write the answers of studies as a workbook or as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from optimiser.api.output_files import is_page
from optimiser.api.study_conductor import StudyConductor
from optimiser.studies.answered import Answered

if TYPE_CHECKING:
    from optimiser.figures.figure import Figured
    from optimiser.figures.of_study.study_answers import AnswerFigures


def write_studies(
    answers: Sequence[Answered],
    conductor: StudyConductor,
    path: Path,
    interrupted: bool,
    force: bool,
) -> None:
    """Write the answers of studies; those that were `interrupted` are marked as incomplete. Raises
    OutputError; then nothing has changed."""
    from optimiser.workbook.write.study_book import COMPLETE, write

    settings, find = conductor.rows.settings, conductor.record.find_any
    run = conductor.facts("interrupted: incomplete" if interrupted else COMPLETE)
    if not is_page(path):
        write(answers, find, run, settings, path)
        return
    from optimiser.figures import of_study
    from optimiser.html.other_pages import study_page
    from optimiser.html.saving import write_page

    parts = {
        f"{each.name} ({each.kind})": [
            figure for answer in of_study.answers_of(each) for figure in _figures(answer)
        ]
        for each in answers
    }
    said = [f"{each.name}: {table.said}" for each in answers for table in each.tables]
    together = of_study.figures_of(answers, find, settings).values()
    title = settings.title or "Stockpile"
    page = study_page(title, parts, together, said, run, complete=not interrupted)
    write_page(page, path, force)


def _figures(answer: AnswerFigures) -> list[Figured]:
    """Return the figures of an answer. What it says stands at the head of the page, and once more
    with its chart."""
    if answer.chart is None:
        return [replace(answer.table, caption="")]
    return [answer.chart, replace(answer.table, title="", caption="")]
