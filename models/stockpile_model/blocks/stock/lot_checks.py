"""What may be wrong with opening lots and shelf lives."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model import amounts
from stockpile_model.blocks.stock.lot_terms import OpeningLot, age_at_start
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the site and the date of each opening lot."""
    materials, calendar = stockpile.keyed(Material), stockpile.calendar
    for row in stockpile.rows(OpeningLot):
        if row.site is None and len(stockpile.sites) > 1:
            message = "is required: the workbook has several sites"
            yield Problem(row.TABLE, row.line, "site", message)
        if calendar.period(row.made) > 0:
            begin = stockpile.settings.start
            message = f"must not be after the first period, which begins on {begin}"
            yield Problem(row.TABLE, row.line, "made", f"{message}, found {row.made}")
        material = materials.get(row.material)
        months = None if material is None else material.shelf_life_months
        whole = None if months is None else calendar.whole(months)
        if months is not None and whole is not None and age_at_start(stockpile, row) >= whole:
            life = amounts.count(months, "month")
            message = f"lot {row.lot} is older than its shelf life of {life}"
            message += ": it expires in the first period"
            yield Problem(row.TABLE, row.line, "made", message, warning=True)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield a problem where a scenario limits a life that is unlimited before.

    Where life is unlimited no age is kept.
    """
    tree, seen = stockpile.tree, set[str]()
    for n in tree.nodes:
        parent = tree.parent[n]
        if parent is None:
            continue
        for row in stockpile.at(n).rows(Material):
            limited = row.shelf_life_months is not None
            if (
                limited
                and stockpile.at(parent).life(row.material) is None
                and row.material not in seen
            ):
                seen.add(row.material)
                scenario, begin = stockpile.holds[n][0], stockpile.calendar.begin(tree.period[n])
                message = (
                    f"in scenario {scenario}: {row.material} has a shelf life from {begin} on and "
                    "none before: the age of what is on hand is not known; give it a long life "
                    "in materials"
                )
                yield Problem(row.TABLE, row.line, "shelf_life_months", message)
