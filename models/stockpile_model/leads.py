"""Leads: where a click on a cell of a plan leads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lead:
    """Describe where a click on a cell of a result row leads: to the first row of a sheet that
    matches it.

    `sheet`: its name; blank: the column `named` of the row holds it. `on`: pairs of a column there
    and one of the own row whose values are the same; blank: the cell's own value, of a list of
    names the first. `where`: further columns there with their values. `onward`: it leads to the
    next row of its own sheet that matches, from the last to the first, so that clicks pass all of
    them.
    """

    sheet: str
    on: tuple[tuple[str, str], ...]
    where: tuple[tuple[str, object], ...] = ()
    named: str = ""
    onward: bool = False


TO_INPUT = Lead("assumptions", (("cell", ""),))
"""Where a click on the cell of an input leads: to its value, source and date."""
