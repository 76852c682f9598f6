"""What may be wrong with opening lots and shelf lives."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model import amounts
from stockpile_model.blocks.stock.lot_terms import OpeningLot, age_at_start, is_out
from stockpile_model.calendar import Calendar
from stockpile_model.schema import Problem, Row, get, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the site and the date of each opening lot."""
    materials, calendar = stockpile.keyed(Material), stockpile.calendar
    for row in stockpile.rows(OpeningLot):
        yield from _check_out(row, stockpile)
        if row.site is None and row.moved_by is None and len(stockpile.sites) > 1:
            message = "is required: the workbook has several sites"
            yield Problem(row.TABLE, row.line, "site", message)
        if calendar.period(row.made) > 0:
            begin = stockpile.settings.start
            message = f"must not be after the first period, which begins on {begin}"
            yield Problem(row.TABLE, row.line, "made", f"{message}, found {row.made}")
        material = materials.get(row.material)
        months = None if material is None else material.shelf_life_months
        whole = None if months is None else calendar.whole(months)
        on_hand = not is_out(row)
        if (
            on_hand
            and months is not None
            and whole is not None
            and age_at_start(stockpile, row) >= whole
        ):
            life = amounts.count(months, "month")
            message = f"lot {row.lot} is older than its shelf life of {life}"
            message += ": it expires in the first period"
            yield Problem(row.TABLE, row.line, "made", message, warning=True)


def _check_out(lot: OpeningLot, stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with how a lot is out, and with what tests have shown of it."""
    start = stockpile.settings.start
    if lot.tested_by is not None and lot.moved_by is not None:
        message = f"must be blank: the lot is out by {lot.tested_by} already"
        yield Problem(lot.TABLE, lot.line, "moved_by", message)
    if is_out(lot) and lot.left is None:
        message = "is required: the date on which the lot left"
        yield Problem(lot.TABLE, lot.line, "left", message)
    elif lot.left is not None and not is_out(lot):
        message = "needs tested_by or moved_by: what is on hand has not left"
        yield Problem(lot.TABLE, lot.line, "left", message)
    elif lot.left is not None and lot.left >= start:
        message = f"must be before the start, {start}, found {lot.left}"
        yield Problem(lot.TABLE, lot.line, "left", message)
    elif lot.left is not None and lot.made > lot.left:
        message = f"must not be after it left, {lot.left}, found {lot.made}"
        yield Problem(lot.TABLE, lot.line, "made", message)
    if lot.failed and lot.tested_by is not None:
        message = "must be no: a lot that has failed a test is not tested again"
        yield Problem(lot.TABLE, lot.line, "failed", message)
    material = stockpile.keyed(Material).get(lot.material)
    if lot.failed and material is not None and material.shelf_life_months is None:
        message = f"must be no: {lot.material} has no shelf_life_months, so it needs no test"
        yield Problem(lot.TABLE, lot.line, "failed", message)


def known_names(stockpile: Stockpile, column: str, kind: type[Row]) -> Iterator[Problem]:
    """Yield the lots that are out by what is no row of a table."""
    names = stockpile.names(kind.TABLE)
    for lot in stockpile.rows(OpeningLot):
        name = get(lot, column)
        if name is not None and name not in names:
            message = f"{name!r} has no row in the sheet {kind.TABLE}{nearest(name, names)}"
            yield Problem(lot.TABLE, lot.line, column, message)


def arrives_within(lot: OpeningLot, due: int, calendar: Calendar, how: str) -> Iterator[Problem]:
    """Yield a problem where a lot that is out came before the start, or comes after the horizon."""
    day = calendar.begin(due)
    if due < 0:
        message = f"lot {lot.lot} {how} in the period of {day}, before the start: it is on hand"
        yield Problem(lot.TABLE, lot.line, "left", message)
    elif due >= calendar.periods:
        message = f"lot {lot.lot} {how} after the horizon: it is not in the plan"
        yield Problem(lot.TABLE, lot.line, "left", message, warning=True)


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
