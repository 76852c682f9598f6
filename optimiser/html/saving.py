"""Write pages: whole or not at all, and in place of no file but a page that nobody changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from optimiser.html.page import GENERATOR, Page
from optimiser.plan.plan import WRITERS, Plan
from optimiser.system.atomic_files import check_owner, check_place, replace

ENDING = ".html"
_SEAL = "<!-- sha256 {} -->\n"
_SEALED = len(_SEAL.format("0" * 64))


def write_page(page: Page, path: Path, force: bool = False) -> None:
    """Write a page to `path`. Raises OutputError; then nothing has changed."""
    from optimiser.html.rendering import rendered  # the template engine waits until it is needed

    check_page(path, force)
    replace(path, sealed(rendered(page)))


def save(plan: Plan, path: Path, force: bool = False) -> None:
    """Write the page of a plan. Raises OutputError; then nothing has changed."""
    from optimiser.html.plan_page import plan_page

    check_page(path, force)
    write_page(plan_page(plan), path, force)


WRITERS[ENDING] = save


def check_page(path: Path, force: bool) -> None:
    """Raise OutputError where a page could not be written to `path`: before a long search."""
    check_place(path)
    check_owner(path, "a page", _is_own, force)


def sealed(text: str) -> bytes:
    """Return a page as its file holds it; the last line says what stood before it."""
    content = text.encode(errors="backslashreplace")
    return content + _SEAL.format(hashlib.sha256(content).hexdigest()).encode()


def _is_own(path: Path) -> bool:
    content = path.read_bytes()
    body, seal = content[:-_SEALED], content[-_SEALED:]
    digest = hashlib.sha256(body).hexdigest()
    return seal == _SEAL.format(digest).encode() and GENERATOR.encode() in body[:2000]
