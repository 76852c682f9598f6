"""What may be wrong with rules."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stockpile_model import amounts
from stockpile_model.blocks.policy.rule_terms import (
    ALIKE,
    COUNT_FROM,
    KEYED,
    LEAVING,
    Rule,
    concerns,
)
from stockpile_model.blocks.rotation.dispatch_terms import growth
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.schema import Problem, columns, nearest
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier

_CHOICES = {each.name: each for each in columns(Supplier)}


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the limits, the members that count and the value of each rule."""
    for row in stockpile.rows(Rule):
        yield from _check_limits(row)
        yield from _check_count(row)
        if row.least is not None and row.most is not None and row.least > row.most:
            most, least = amounts.quantity(row.most), amounts.quantity(row.least)
            message = f"must not be above most ({most}), found {least}"
            yield Problem(row.TABLE, row.line, "least", message)
        yield from _check_value(stockpile, row)


def _check_limits(row: Rule) -> Iterator[Problem]:
    if row.least is None and row.most is None:
        yield Problem(row.TABLE, row.line, "most", "the rule has no limit: give least or most")
    for name, limit in (("least", row.least), ("most", row.most)):
        if row.measure == "share" and limit is not None and limit > 1:
            found = amounts.quantity(limit)
            message = f"must be at most 1 for a share (0.25 is 25 %), found {found}"
            yield Problem(row.TABLE, row.line, name, message)


def _check_count(row: Rule) -> Iterator[Problem]:
    if row.measure == "count" and (row.least or 0.0) * row.count_from > 1 + ALIKE:
        share, found = amounts.quantity(100 * row.count_from), amounts.quantity(row.count_from)
        members = f"no {amounts.quantity(row.least or 0.0)} members bring {share} % each"
        message = f"must be at most 1 / least: {members}, found {found}"
        yield Problem(row.TABLE, row.line, "count_from", message)
    if row.measure != "count" and row.count_from != COUNT_FROM:
        message = f"has no effect on a {row.measure}: it says who is counted"
        yield Problem(row.TABLE, row.line, "count_from", message, warning=True)


def _check_value(stockpile: Stockpile, row: Rule) -> Iterator[Problem]:
    message = ""
    if row.value is None:
        return
    if row.of == "foreign_feedstock":
        message = "must be blank for foreign_feedstock: each supplier counts by its own share"
    elif row.of in KEYED:
        if row.value not in (names := stockpile.names(f"{row.of}s")):
            hint = nearest(row.value, names)
            message = f"no {row.of} {row.value!r} in the sheet {row.of}s{hint}"
    elif row.of in _CHOICES:
        message = _CHOICES[row.of].fault(row.value)
    if message:
        yield Problem(row.TABLE, row.line, "value", message)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the outlets that a rule counts and through which any quantity could leave."""
    counts = [r for r in stockpile.rows(Rule) if r.measure == "count" and r.of in LEAVING]
    for row in stockpile.rows(Outlet) if growth(stockpile, 0) == math.inf else ():
        if row.capacity is None and any(concerns(stockpile, r, row.material) for r in counts):
            message = (
                "is needed: a rule counts outlets, and an exchange or rework gives back at once "
                "more than goes in"
            )
            yield Problem(row.TABLE, row.line, "capacity", message)
