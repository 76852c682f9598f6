"""What a page is: a head, chapters of figures, tables of rows, and what may be chosen on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from optimiser.figures.figure import Figured
from optimiser.html.figure_data import Data, figure_data

GENERATOR = "stockpile-optimiser"
"""What a page says of the program that wrote it."""


@dataclass(frozen=True)
class PageChapter:
    """Figures that are read together: their title, what they answer, and the figures as data.
    `table` is a table of rows that stands with them."""

    title: str
    answers: str
    figures: Sequence[Data]
    table: str = ""


@dataclass(frozen=True)
class Choice:
    """Describe what may be chosen: what it is called, the names, and what is shown without a
    choice."""

    name: str
    title: str
    names: Sequence[str]
    otherwise: str


@dataclass(frozen=True)
class Page:
    """A page. `lead` is what is to know first, a paragraph each, `facts` stand beside it. Of a page
    with `choices` `views` are the chapters for what is chosen: by the numbers of the names, 0 where
    none is, divided by bars; for each chapter its figures, None where it has none of its own.
    `tables` are those of rows; `about` is what the script reads besides."""

    title: str
    kind: str
    lead: Sequence[str]
    chapters: Sequence[PageChapter]
    facts: Sequence[tuple[str, str]] = ()
    warning: str = ""
    choices: Sequence[Choice] = ()
    views: Mapping[str, Sequence[Sequence[Data] | None]] = field(default_factory=dict)
    tables: Sequence[Data] = ()
    about: Mapping[str, object] = field(default_factory=dict)


def chapter_of(
    title: str, figures: Iterable[Figured], answers: str = "", weighed: bool = False
) -> PageChapter:
    """Return a chapter of figures."""
    return PageChapter(title, answers, [figure_data(each, weighed) for each in figures])


def figure_page(
    title: str,
    kind: str,
    lead: Sequence[str],
    parts: Mapping[str, Iterable[Figured]],
    warning: str = "",
) -> Page:
    """Return a page of any figures, a chapter for each part; parts without figures are left out.

    So whatever has figures has a page.
    """
    chapters = [chapter_of(name, figures) for name, figures in parts.items()]
    return Page(title, kind, lead, [each for each in chapters if each.figures], warning=warning)
