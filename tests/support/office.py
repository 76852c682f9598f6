"""LibreOffice for tests of documents and workbooks: what one prints on, what one computes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

SECONDS = 240
PARTS = ("libsclo.so", "libswlo.so")
"""The libraries of its spreadsheet program and its word processor."""


def office() -> str | None:
    """The path of LibreOffice; None where a part of it is missing."""
    found = shutil.which("soffice")
    if found is None:
        return None
    folder = Path(os.path.realpath(found)).parent
    return found if all((folder / each).exists() for each in PARTS) else None


def converted(path: Path, form: str) -> Path:
    """The file that LibreOffice makes of another, in a folder beside it."""
    program = office()
    assert program is not None, "no LibreOffice with Calc and Writer: install them"
    own, folder = (path.parent / "office").as_uri(), path.parent / "converted"
    command = [program, f"-env:UserInstallation={own}", "--headless", "--convert-to", form]
    subprocess.run(
        [*command, "--outdir", str(folder), str(path)],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    suffix = form.partition(":")[0]  # what follows are options of the form
    return folder / path.with_suffix(f".{suffix}").name


def pages(path: Path) -> int:
    """How many pages a document prints on."""
    return pages_of(converted(path, "pdf").read_bytes())


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
