"""What is in transit: which offer or contract brings it, where and when it arrives.

It holds no variable.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from stockpile_model.block import sources
from stockpile_model.blocks.commitments.commitment_terms import Commitment, decided, earlier
from stockpile_model.blocks.offers import break_terms, offer_terms
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.giving import FACT, Give, Gives
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
    GIVES: ClassVar[Gives] = {
        "arrives": Give("earlier", FACT),
        "quantity": Give("more", FACT),
        "unpaid": Give("less", FACT),
    }
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
    """Describe what arrives at a node: a row by its number, as it stands there, and what brings it.

    The rows of `in_transit` are numbered first, then the orders of `commitments` that were placed
    before the start. `due`: the date that was agreed.
    """

    number: int
    node: int
    row: InTransit
    source: Any
    due: dt.date


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
                    found.append(Coming(number, n, row, source, first.arrives))
    return (*found, *_ordered(stockpile))


def ordered_before(stockpile: Stockpile) -> list[tuple[Commitment, int]]:
    """Return the orders that were placed before the start, each with the period of its arrival.

    Their lead time is that without events, which were not known then.
    """
    offers = stockpile.keyed(Offer)
    return [
        (row, decided(stockpile, row) + offer_terms.lead(stockpile, offers[row.name]))
        for rows in earlier(stockpile, "order").values()
        for row in rows
        if row.name in offers
    ]


def _ordered(stockpile: Stockpile) -> Iterator[Coming]:
    """Yield what arrives of orders that were placed before the start: availability · ordered."""
    for number, (row, due) in enumerate(ordered_before(stockpile), len(stockpile.rows(InTransit))):
        for n in stockpile.tree.at.get(due, ()):
            offer, quantity = stockpile.at(n).keyed(Offer)[row.name], row.quantity or 0.0
            arrives, arriving = stockpile.calendar.begin(due), offer.availability * quantity
            if arriving > 0:
                came = InTransit(
                    name=row.name,
                    ordered=row.date,
                    arrives=arrives,
                    quantity=arriving,
                    unpaid=arriving * _rate(stockpile, offer, quantity, n),
                )
                yield Coming(number, n, came, offer, arrives)


def _rate(stockpile: Stockpile, offer: Offer, quantity: float, node: int) -> float:
    """Return what is due on delivery for a unit, by the size of its order [money/quantity].

    What is paid when it is ordered was paid before the start.
    """
    if stockpile.keyed(Offer)[offer.offer].payment == "order":
        return 0.0
    view, prices = stockpile.at(node), offer_terms.prices(stockpile, offer, node)
    if offer.offer not in break_terms.breaks(view):
        price = prices[0]
    elif not break_terms.incremental(view, offer.offer):
        reached = break_terms.reached(view, offer.offer, quantity)
        price = offer_terms.price(stockpile, offer, node, reached)
    else:
        parts = break_terms.segments(view, offer.offer, quantity)
        paid = (rate * (each.end - each.begin) for rate, each in zip(prices, parts, strict=False))
        price = sum(paid) / quantity
    return price * (1 + offer.duty) + offer.adder + offer.freight


def under(stockpile: Stockpile, name: str, leaf: int) -> float:
    """Return what arrives of a name on the path to a leaf [quantity]."""
    path = stockpile.tree.paths[leaf]
    found = (each for each in coming(stockpile) if each.row.name == name and each.node in path)
    return sum(each.row.quantity for each in found)


def brings(stockpile: Stockpile, periods: int) -> float:
    """Return the most that is in transit [quantity]."""
    views = (view.rows(InTransit) for view in stockpile.variants)
    total: float = sum(max(row.quantity for row in rows) for rows in zip(*views, strict=True))
    return total + sum(row.quantity or 0.0 for row, _ in ordered_before(stockpile))
