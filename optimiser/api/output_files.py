"""What is written as a workbook or as a page, by the ending of its name."""

from __future__ import annotations

from pathlib import Path

from optimiser.html.saving import ENDING, check_page
from optimiser.system.errors import OutputError
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign

WORKBOOK = ".xlsx"


def is_page(path: Path) -> bool:
    """Return whether a file is to be a page."""
    return path.suffix.casefold() == ENDING


def page_at(path: str | Path, what: str) -> Path:
    """Return the path of a page. Raises OutputError where its name says that it is to be none."""
    target = Path(path)
    if not is_page(target):
        raise OutputError(f"{target}: {what} is saved as {ENDING}; choose such a name")
    return target


def check_output_file(path: Path, kind: Kind, force: bool) -> None:
    """Raise OutputError where a page, or a workbook of a kind, cannot be written to `path`: before
    what takes long."""
    if is_page(path):
        check_page(path, force)
        return
    if path.suffix.casefold() != WORKBOOK:
        raise OutputError(
            f"{path}: {kind.value} is written as {WORKBOOK} or {ENDING}; choose a name that ends so"
        )
    check_target(path, kind)
    refuse_foreign(path, kind, force)
