"""The targets from which the next plan goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stockpile_model.blocks.targets.target_terms import Target
from stockpile_model.passed import Passed
from stockpile_model.schema import Row


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the targets that are to come, and that from which each rises or on which it stands.

    A first ramp goes on rising from 0 at the start of the first plan.
    """
    series: dict[tuple[str, str | None], list[Target]] = {}
    for row in passed.rows(Target):
        series.setdefault((row.material, row.buyer), []).append(row)
    kept: list[Target] = []
    for rows in series.values():
        rows.sort(key=lambda row: row.from_)
        past = [row for row in rows if passed.over(row.from_)]
        to_come = [row for row in rows if not passed.over(row.from_)]
        if not past and to_come and to_come[0].path == "ramp":
            first, material = passed.stockpile.settings.start, to_come[0].material
            buyer = to_come[0].buyer
            past = [Target(material=material, buyer=buyer, from_=first, quantity=0.0)]
        kept += [*past[-1:], *to_come]
    if series:
        yield Target, kept
