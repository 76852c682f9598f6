"""A word processor for tests of text documents: how many pages one prints on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

SECONDS = 120


def writer() -> str | None:
    """The path of LibreOffice with its word processor; None where there is none."""
    found = shutil.which("soffice")
    if found is None:
        return None
    return found if (Path(os.path.realpath(found)).parent / "libswlo.so").exists() else None


def pages(path: Path) -> int:
    """How many pages a document prints on."""
    office = writer()
    assert office is not None
    own = (path.parent / "office").as_uri()
    command = [office, f"-env:UserInstallation={own}", "--headless", "--convert-to", "pdf"]
    subprocess.run(
        [*command, "--outdir", str(path.parent), str(path)],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    return pages_of(path.with_suffix(".pdf").read_bytes())


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
