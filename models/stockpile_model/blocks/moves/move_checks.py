"""What may be wrong with moves between sites."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model import amounts
from stockpile_model.blocks.moves.move_terms import SiteMove, movable, under_way
from stockpile_model.blocks.stock.lot_checks import arrives_within, known_names
from stockpile_model.checks import whole_periods
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the sites and the lead time of each move."""
    for row in stockpile.rows(SiteMove):
        yield from whole_periods(stockpile, row)
        if row.from_site == row.to_site:
            message = f"is {row.from_site} again: write the site where the metal is to arrive"
            yield Problem(row.TABLE, row.line, "to_site", message)
        yield from _check_lead(stockpile, row)
    if stockpile.shape is None:  # a scenario does not change when a lot that is out arrives
        yield from _check_lots(stockpile)


def _check_lots(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the lots that are under way between sites."""
    calendar = stockpile.calendar
    yield from known_names(stockpile, "moved_by", SiteMove)
    for each in under_way(stockpile):
        lot, move = each.lot, each.move
        if lot.material not in movable(stockpile, move):
            message = f"moves {move.material} only, found a lot of {lot.material}"
            yield Problem(lot.TABLE, lot.line, "moved_by", f"{move.move} {message}")
        if lot.site is not None and lot.site != move.to_site:
            message = f"must be blank: {move.move} leads to {move.to_site}, found {lot.site}"
            yield Problem(lot.TABLE, lot.line, "site", message)
        yield from arrives_within(lot, each.due, calendar, f"arrives by {move.move}")


def _check_lead(stockpile: Stockpile, row: SiteMove) -> Iterator[Problem]:
    """Yield a warning where nothing that leaves could arrive in its life or in the horizon."""
    materials, months = stockpile.keyed(Material), row.lead_time_months
    known = (materials[name] for name in movable(stockpile, row) if name in materials)
    lives = [each.shelf_life_months for each in known]
    horizon = stockpile.calendar.periods * stockpile.calendar.months
    if lives and all(life is not None and months >= life for life in lives):
        longest = amounts.count(max(life or 0.0 for life in lives), "month")
        message = f"is no shorter than the shelf life, {longest}: nothing can be moved"
    elif months >= horizon:
        length = amounts.count(horizon, "month")
        message = f"is no shorter than the horizon, {length}: nothing can be moved"
    else:
        return
    found = f"{message}, found {amounts.quantity(months)}"
    yield Problem(row.TABLE, row.line, "lead_time_months", found, warning=True)
