"""What may be wrong with rows of any table: durations, shares, pairs of dates."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stockpile_model.amounts import count, quantity
from stockpile_model.schema import Problem, Row, columns, get, nearest, quoted
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


def whole_periods(stockpile: Stockpile, row: Row) -> Iterator[Problem]:
    """Yield a problem for each duration that must be a whole number of periods and is none."""
    calendar = stockpile.calendar
    for each in columns(type(row)):
        if not each.whole_periods:
            continue
        months = get(row, each.name)
        if months is not None and calendar.whole(months) is None:
            below = int(months // calendar.months) * calendar.months
            nearby = [
                f"{whole}"
                for whole in (below, below + calendar.months)
                if whole > 0 or each.above is None
            ]
            length, found = count(calendar.months, "month"), count(months, "month")
            message = f"must be a whole number of periods of {length}, found {found}"
            yield Problem(row.TABLE, row.line, each.name, f"{message}; write {' or '.join(nearby)}")


def received(stockpile: Stockpile, row: Row) -> Iterator[Problem]:
    """Yield what is wrong with the life that metal has left when it is received."""
    name, material = "life_on_receipt_months", stockpile.keyed(Material).get(get(row, "material"))
    months, message, warning = get(row, name), "", False
    if months is None or material is None:
        return
    life = material.shelf_life_months
    if life is None:
        message = f"needs a shelf_life_months of {material.material}: without one no age is kept"
    elif months > life + 1e-9:
        longest, warning = count(life, "month"), True
        message = (
            f"is above the shelf life of {material.material}, {longest}: the metal arrives with "
            f"that, found {quantity(months)}"
        )
    elif life - months >= 12 * (stockpile.settings.start.year - 1):
        message = (
            f"is so far below the shelf life of {material.material}, {count(life, 'month')}, that "
            f"no date says when the metal was made, found {quantity(months)}"
        )
    if message:
        yield Problem(row.TABLE, row.line, name, message, warning=warning)


LEAST_SHARE = 1e-6  # of a quantity that a solver still sees next to the whole


def seen(row: Row, *names: str) -> Iterator[Problem]:
    """Yield a problem where a share is so small that a solver takes it for none."""
    for name in names:
        share = get(row, name)
        if 0 < share < LEAST_SHARE:
            least, remedy = f"{LEAST_SHARE:.6f}", "write 0 where as good as nothing arrives"
            message = f"must be 0 (nothing) or at least {least}, found {share:.12g}; {remedy}"
            yield Problem(row.TABLE, row.line, name, message)


FINEST = 1e-8  # lot of which whole ones are ordered [units of the scale]
ROUNDING = 1e-9  # part of a quantity by which rounding may change it [1]


def whole_lots(stockpile: Stockpile, row: Row, name: str = "lot_size") -> Iterator[Problem]:
    """Yield the size of a lot that is lost in a solver's tolerance."""
    size = get(row, name)
    if size is not None and size < FINEST * stockpile.scale.quantity:
        message = (
            f"is too small for whole lots to mean anything, found {quantity(size)} where "
            f"{quantity(stockpile.scale.largest)} is needed; "
            "leave it blank where any quantity can be ordered"
        )
        yield Problem(row.TABLE, row.line, name, message)


def smallest_within(
    row: Row, size: float | None, limits: tuple[str, ...], nothing: str
) -> Iterator[Problem]:
    """Yield the limits of a row that are below its `minimum_order`, in whole lots of a size."""
    smallest = get(row, "minimum_order")
    if size:
        smallest = max(math.ceil(smallest / size * (1 - ROUNDING)) * size, size)
    for name in limits:
        limit = get(row, name)
        if limit is not None and 0 < limit < smallest * (1 - ROUNDING):
            message = (
                f"is below the smallest order, {quantity(smallest)}: {nothing}, "
                f"found {quantity(limit)}"
            )
            yield Problem(row.TABLE, row.line, name, message, warning=True)


def ordered(row: Row, first: str, last: str) -> Iterator[Problem]:
    """Yield a problem where the second date of a row is before its first."""
    begin, end = get(row, first), get(row, last)
    if begin is not None and end is not None and end < begin:
        yield Problem(
            row.TABLE, row.line, last, f"must not be before {first} ({begin}), found {end}"
        )


def one_of(what: str, row: Row, first: str, second: str) -> Iterator[Problem]:
    """Yield a problem where a row has neither of two columns, or both; it stands at the first."""
    found = [name for name in (first, second) if get(row, name) is not None]
    if len(found) == 1:
        return
    message = f"{what} needs {first} or {second}: both are blank; fill one of the two"
    if found:
        values = " and ".join(f"{name} {_shown(get(row, name))}" for name in found)
        message = f"{what} needs {first} or {second}, and has {values}; remove one of the two"
    yield Problem(row.TABLE, row.line, first, message)


def _shown(value: object) -> str:
    """Return what a cell holds, for a message."""
    return quantity(value) if isinstance(value, (int, float)) else quoted(value)


def served(stockpile: Stockpile, row: Row) -> Iterator[Problem]:
    """Yield a problem where a row asks metal for a buyer that has no site where it could lie."""
    known = [buyer for buyer in stockpile.owners if buyer is not None]
    for each in columns(type(row)):
        buyer = get(row, each.name) if each.owner else None
        if buyer is not None and buyer not in stockpile.owners and None not in stockpile.owners:
            hint = nearest(buyer, known) or "; give it one"
            message = f"{buyer!r} has no site, and no site in the sheet sites serves all{hint}"
            yield Problem(row.TABLE, row.line, each.name, message)
