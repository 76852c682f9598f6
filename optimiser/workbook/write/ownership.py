"""The workbooks that this program writes, and how it knows its own again.

A spreadsheet program that saves a workbook leaves its subject and changes its date: so the subject
says what a workbook is, and the two dates whether it still is as it was written.
"""

from __future__ import annotations

import zipfile
import zlib
from enum import Enum
from pathlib import Path

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from openpyxl.xml.constants import ARC_CORE, DCORE_NS, DCTERMS_NS

from optimiser.system import atomic_files as files
from optimiser.system.atomic_files import replace, same_file
from optimiser.system.errors import OutputError

__all__ = ["Kind", "about", "check_target", "is_own", "refuse_foreign", "replace", "same_file"]

AUTHOR = "stockpile-optimiser"
_UNDATED = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the date of each part as XlsxWriter writes it; most other programs write the clock's
_MOST_BYTES = 2**16  # of the document properties


class Kind(Enum):
    """Describe what a workbook is, in words; the name begins its subject."""

    PLAN = "a plan"
    ERRORS = "the list of errors"
    COMPARISON = "a comparison"
    STUDY = "a study"
    TEMPLATE = "a template"
    SCENARIOS = "a workbook with scenarios"
    NEXT = "a workbook that goes on from a plan"
    EXPLANATION = "an explanation"
    REPAIRED = "a repaired workbook"

    @property
    def subject(self) -> str:
        """Return how the subject of such a workbook begins."""
        return f"Stockpile {self.name.lower()}"


def about(kind: Kind, title: str, more: str = "", **properties: object) -> dict[str, object]:
    """Return the document properties by which this program recognises its workbooks; `more` is
    added to the subject.
    """
    return {"title": title, "subject": kind.subject + more, "author": AUTHOR, **properties}


def check_target(path: Path, kind: Kind = Kind.PLAN) -> None:
    """Raise OutputError where a workbook could not be written to `path`.

    It is called before a long search, so that the search is not lost.
    """
    if path.suffix.lower() != ".xlsx":
        raise OutputError(f"{path}: {kind.value} is written as .xlsx; choose a name that ends so")
    files.check_place(path)


def refuse_foreign(path: Path, kind: Kind, force: bool) -> None:
    """Raise OutputError where a file stands at `path` that is no workbook of this kind as this
    program wrote it, unless by `force`.
    """
    files.check_owner(path, kind.value, lambda found: is_own(found, kind), force)


def is_own(path: Path, kind: Kind) -> bool:
    """Return whether a file is a workbook of a kind as this program wrote it, not edited since."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(ARC_CORE).file_size > _MOST_BYTES or any(
                part.date_time != _UNDATED for part in archive.infolist()
            ):
                return False
            properties = fromstring(archive.read(ARC_CORE))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        RuntimeError,
        SyntaxError,
        ValueError,
        DefusedXmlException,
    ):
        return False  # no workbook, or cut short
    author, subject = (
        properties.findtext(f"{{{DCORE_NS}}}{name}", "") for name in ("creator", "subject")
    )
    created, modified = (
        properties.findtext(f"{{{DCTERMS_NS}}}{name}", "") for name in ("created", "modified")
    )
    return (
        author == AUTHOR
        and subject.startswith(kind.subject)
        and bool(created)
        and created == modified
    )
