"""What is in transit: which offer or contract brings it, where and when it arrives.

It holds no variable.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

from stockpile_model.block import sources
from stockpile_model.schema import Row, column, get, keys
from stockpile_model.spelling import RECEIVED
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class InTransit(Row):
    """Metal that was ordered before the start and has not arrived."""

    TABLE = "in_transit"
    PURPOSE = (
        "Metal that was ordered before the start and has not arrived. It arrives in full, and "
        "counts in rules and in the total of its offer as an arrival of its date."
    )
    STEP = "basis"
    name: str = column(
        "offer or contract under which it was ordered",
        required=True,
        names=lambda row: RECEIVED,
    )
    ordered: dt.date | None = column("date of the order, before the start")
    arrives: dt.date = column(
        "date of arrival, which falls into its period; within the horizon it is in the plan",
        required=True,
    )
    quantity: float = column("what arrives", "quantity", required=True, least=0)
    unpaid: float = column(
        "money still due, with duty and freight; paid on arrival", "money", default=0.0, least=0
    )
    site: str | None = column(
        "where it arrives; blank = where the offer does, else any site", refers="sites"
    )


def bringing(stockpile: Stockpile) -> dict[str, list[Any]]:
    """Return the offers and contracts by name; several where an offer and a contract have one."""
    found: dict[str, list[Any]] = {}
    for kind, rows in stockpile.tables.items():
        for row in rows if kind.TABLE in sources() else ():
            found.setdefault(get(row, keys(kind)[0]), []).append(row)
    return found


def landing(stockpile: Stockpile, row: InTransit, source: Row) -> list[str]:
    """Return the sites where it may arrive."""
    site = row.site or getattr(source, "site", None)
    return [site] if site is not None else list(stockpile.sites)


@dataclass(frozen=True)
class Coming:
    """What arrives at a node: a row by its number, as it stands there, and what brings it."""

    number: int
    node: int
    row: InTransit
    source: Any


@functools.lru_cache(maxsize=16)
def coming(stockpile: Stockpile) -> tuple[Coming, ...]:
    """Return what arrives, where anything does.

    A scenario may change the date. So it arrives at the first node of each path at which its date
    has come.
    """
    tree, calendar, known = stockpile.tree, stockpile.calendar, bringing(stockpile)
    found: list[Coming] = []
    for number, first in enumerate(stockpile.rows(InTransit)):
        arrived: set[int] = set()
        for n in tree.nodes if first.name in known else ():
            if tree.parent[n] in arrived:
                arrived.add(n)
                continue
            row = stockpile.at(n).rows(InTransit)[number]
            if calendar.period(row.arrives) <= tree.period[n]:
                arrived.add(n)
                if row.quantity > 0:
                    (source, *_) = bringing(stockpile.at(n))[row.name]
                    found.append(Coming(number, n, row, source))
    return tuple(found)


def under(stockpile: Stockpile, name: str, leaf: int) -> float:
    """Return what arrives of a name on the path to a leaf [quantity]."""
    path = stockpile.tree.paths[leaf]
    found = (each for each in coming(stockpile) if each.row.name == name and each.node in path)
    return sum(each.row.quantity for each in found)


def brings(stockpile: Stockpile, periods: int) -> float:
    """Return the most that is in transit [quantity]."""
    views = (view.rows(InTransit) for view in stockpile.variants)
    total: float = sum(max(row.quantity for row in rows) for rows in zip(*views, strict=True))
    return total
