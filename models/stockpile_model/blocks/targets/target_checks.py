"""What may be wrong with targets."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model import groups
from stockpile_model.blocks.demand import Demand
from stockpile_model.blocks.targets.target_terms import Target, counts
from stockpile_model.checks import served
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with each target, and whether it can have an effect."""
    seen: dict[tuple[str, str, int], Target] = {}
    calendar = stockpile.calendar
    for row in stockpile.rows(Target):
        yield from served(stockpile, row)
        yield from _check_amount(stockpile, row)
        period = calendar.period(row.from_)
        # A ramp may lead to a date after the horizon: its first part lies within.
        if period >= calendar.periods and row.path == "step":
            end = calendar.end(calendar.periods - 1)
            message = f"is after the horizon, which ends on {end}, found {row.from_}"
            remedy = "change the date or remove the row"
            yield Problem(row.TABLE, row.line, "from", f"{message}; {remedy}")
        twin = seen.setdefault((row.material, row.buyer or "", period), row)
        if twin is not row:
            message = f"a target for {row.material} in this period stands in row {twin.line}"
            message += " already; remove one of the two"
            yield Problem(row.TABLE, row.line, "from", message)
        if stockpile.members(row.material)[0] in stockpile.keyed(Material):
            yield from _check_effect(stockpile, row)
    soft = {row.material: row for row in stockpile.rows(Target) if not row.certain}
    for row in soft.values():
        yield from groups.priced(stockpile, row, "below_target_cost")


def _check_amount(stockpile: Stockpile, row: Target) -> Iterator[Problem]:
    """Yield a problem where a target does not say how much it asks, and a warning where days of
    cover are days of no demand.
    """
    if row.quantity is None and row.days is None:
        message = "needs quantity, or days of cover in the column days"
        yield Problem(row.TABLE, row.line, "quantity", message)
    elif row.quantity is not None and row.days is not None:
        message = "has a quantity in the same row, which says it another way; remove one of the two"
        yield Problem(row.TABLE, row.line, "days", message)
    elif row.days and not any(
        each.material in (row.material, *stockpile.members(row.material))
        and row.buyer in (None, each.buyer)
        for each in stockpile.rows(Demand)
    ):
        of = f" of {row.buyer}" if row.buyer else ""
        message = f"there is no demand for {row.material}{of}: days of cover of it are nothing"
        yield Problem(row.TABLE, row.line, "days", message, warning=True)


def _check_effect(stockpile: Stockpile, row: Target) -> Iterator[Problem]:
    """Yield a warning where a target costs nothing to miss, or nothing can count towards it."""
    asks = bool(row.quantity or row.days)
    priced = groups.price(stockpile, row.material, "below_target_cost") is not None
    free = not row.hard and row.probability is None and not priced
    if free and asks and stockpile.settings.objective == "cost":
        message = (
            f"the target is soft and {row.material} has no below_target_cost: it has no effect "
            "(set hard, or a cost in materials)"
        )
        yield Problem(row.TABLE, row.line, "hard", message, warning=True)
    members, whole = stockpile.members(row.material), stockpile.calendar.whole
    lives = (stockpile.keyed(Material)[each].shelf_life_months or 0 for each in members)
    if asks and all(whole(life) is not None for life in lives):
        ages = ((each, age) for each in members for age in stockpile.ages(each))
        if not any(counts(stockpile, each, age) for each, age in ages):
            message = (
                f"no lot of {row.material} can count: its shelf life leaves none with "
                "count_life_months at period end"
            )
            yield Problem(row.TABLE, row.line, row.stated, message, warning=True)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield a problem where an event changes a probability, which is one for all scenarios."""
    before = stockpile.rows(Target)
    for view in stockpile.variants:
        for old, row in zip(before, view.rows(Target), strict=True):
            if old.probability != row.probability:
                message = "is about all scenarios together: no event may change it"
                yield Problem(row.TABLE, row.line, "probability", message)
                return
