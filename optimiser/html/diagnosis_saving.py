"""Save why there is no plan as a page."""

from __future__ import annotations

from pathlib import Path

from optimiser.html.saving import ENDING, write_page
from optimiser.studies.repairs.diagnosis import EXPLANATION_WRITERS, Diagnosis


def save_diagnosis(found: Diagnosis, path: Path, force: bool = False) -> None:
    """Write the page of an explanation. Raises OutputError; then nothing has changed."""
    from optimiser.html.other_pages import diagnosis_page

    write_page(diagnosis_page(found.title or "Stockpile", found), path, force)


EXPLANATION_WRITERS[ENDING] = save_diagnosis
