"""Lists of names in one text: how they are written, and how they are read again.

A name may hold what parts a list. Such a name stands in quotation marks, those within it doubled,
as in a CSV file: `Smith and Sons, "Jones, Brown Ltd"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MARKS = ",;\uff0c\uff1b\u3001"
"""The characters that part a list, each by itself."""
QUOTE = '"'
"""Stands before and behind a name that holds one of them."""

_PART = re.compile(rf'\s*"((?:[^"]|"")*)"\s*(?=[{MARKS}]|$)|[^{MARKS}]+')


def list_of(names: Iterable[object]) -> str:
    """Return names as one text, from which `names_in` reads the same names.

    >>> list_of(["Smith and Sons", "Jones, Brown Ltd"])
    'Smith and Sons, "Jones, Brown Ltd"'
    """
    return ", ".join(_quoted(str(name)) for name in names)


def names_in(written: str) -> tuple[str, ...]:
    """Return the names of a list, trimmed; what is blank between two marks is none.

    >>> names_in('Smith and Sons, "Jones, Brown Ltd"')
    ('Smith and Sons', 'Jones, Brown Ltd')
    """
    found = (
        each[0].strip() if each[1] is None else each[1].replace(2 * QUOTE, QUOTE)
        for each in _PART.finditer(written)
    )
    return tuple(name for name in found if name)


def _quoted(name: str) -> str:
    """Return a name as it stands in a list."""
    if not name.startswith(QUOTE) and not any(mark in name for mark in MARKS):
        return name
    return QUOTE + name.replace(QUOTE, 2 * QUOTE) + QUOTE
