"""Terms of offers: their rows, lead times, sites, buyers and prices. It holds no variable."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from stockpile_model.blocks.offers.break_terms import PriceBreak, breaks
from stockpile_model.giving import FACT, TERM, Give, Gives
from stockpile_model.schema import Row, column
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Offer(Row):
    """A spot or framework offer: ordered in one period, delivered in the same or a later one."""

    TABLE = "offers"
    PURPOSE = "Spot and framework purchases: ordered in one period, delivered in a later one."
    STEP = "means"
    GIVES: ClassVar[Gives] = {
        "price": Give("less", FACT),
        "premium": Give("less", FACT),
        "adder": Give("less", FACT),
        "duty": Give("less", FACT),
        "freight": Give("less", FACT),
        "from": Give("earlier", TERM),
        "to": Give("later", TERM),
        "capacity": Give("more", TERM),
        "total": Give("more", TERM),
        "minimum_order": Give("less", TERM),
        "lot_size": Give("less", TERM),
        "order_cost": Give("less", FACT),
        "lead_time_months": Give("less", FACT),
        "availability": Give("more", FACT),
        "life_on_receipt_months": Give("more", FACT),
        "payment": Give("default", TERM),
        "site": Give("default", TERM),
    }
    offer: str = column("name of the offer", required=True, key=True)
    supplier: str = column("who ships", required=True, refers="suppliers")
    material: str = column("what is bought", required=True, refers="materials")
    price: float | None = column(
        "fixed price", "money/quantity", least=0, outlier="either", stress="price"
    )
    price_index: str | None = column("index that sets the price", refers="prices", outlier="either")
    premium: float = column(
        "share of the index paid on top of it", "1", default=0.0, least=-1, indexed="more"
    )
    adder: float = column("paid on top of the price", "money/quantity", default=0.0, least=0)
    duty: float = column(
        "customs duty, share of the price (without adder and freight)", "1", default=0.0, least=0
    )
    freight: float = column("freight", "money/quantity", default=0.0, least=0)
    from_: dt.date | None = column("first date an order can be placed; blank = from the start")
    to: dt.date | None = column("last date an order can be placed; blank = to the end")
    capacity: float | None = column(
        "most that can be ordered in a period; blank = unlimited",
        "quantity/period",
        least=0,
        endowed="offer",
        limit="most",
        outlier="either",
        fed=True,
    )
    total: float | None = column(
        "most that can be ordered over the horizon; blank = unlimited",
        "quantity",
        least=0,
        endowed="offer",
        limit="most",
        outlier="either",
        fed=True,
    )
    minimum_order: float = column(
        "least quantity of an order",
        "quantity",
        default=0.0,
        least=0,
        limit="least",
        outlier="above",
    )
    lot_size: float | None = column(
        "orders are whole multiples of it; blank = any quantity",
        "quantity",
        above=0,
        outlier="above",
    )
    order_cost: float = column("cost of each order placed", "money", default=0.0, least=0)
    lead_time_months: float = column(
        "time from order to arrival", "months", default=0.0, least=0, whole_periods=True
    )
    payment: str = column(
        "when the metal is paid", default="delivery", choices=("delivery", "order")
    )
    availability: float = column(
        "share of what was ordered that arrives", "1", default=1.0, least=0, most=1, fed=True
    )
    site: str | None = column("where it arrives; blank = any site", refers="sites")
    project: str | None = column("project the offer waits for", refers="projects")
    life_on_receipt_months: float | None = column(
        "life left when it arrives; blank = the whole shelf life",
        "months",
        above=0,
        whole_periods=True,
        age="received",
    )
    currency: str | None = column(
        "currency of the money of this row and of its index: an index of `prices` of that name, "
        "money of the book per unit of it at the date of payment; blank = the book's",
        refers="prices",
    )


def lead(stockpile: Stockpile, offer: Offer) -> int:
    """Return the lead time from order to arrival [periods]."""
    return stockpile.calendar.count(offer.lead_time_months)


def landing(stockpile: Stockpile, offer: Offer) -> list[str]:
    """Return the sites where an offer's metal may arrive."""
    return [offer.site] if offer.site else list(stockpile.sites)


def buyers(stockpile: Stockpile, offer: Offer) -> list[str]:
    """Return the owners of the sites where an offer may arrive; blank for sites that serve all."""
    return list(dict.fromkeys(stockpile.sites[w].buyer or "" for w in landing(stockpile, offer)))


def sites_of(stockpile: Stockpile, offer: Offer, buyer: str) -> list[str]:
    """Return the sites of one buyer among those where an offer may arrive."""
    return [w for w in landing(stockpile, offer) if (stockpile.sites[w].buyer or "") == buyer]


def price(stockpile: Stockpile, offer: Offer, node: int, row: PriceBreak | None = None) -> float:
    """Return the price at a node from a price break on, or (None) the offer's own [money/quantity].

    Adder, duty and freight come on top.
    """
    if row is not None and row.price is not None:
        return row.price
    if row is None and offer.price is not None:
        return offer.price
    premium = offer.premium if row is None else row.premium or 0.0
    return stockpile.price(str(offer.price_index), node) * (1 + premium)


def prices(stockpile: Stockpile, offer: Offer, node: int) -> list[float]:
    """Return the price of each segment of an order that is paid at a node [money/quantity]."""
    rows = breaks(stockpile.at(node)).get(offer.offer, ())
    return [price(stockpile, offer, node, row) for row in (None, *rows)]


def landed(stockpile: Stockpile, name: str, level: str | None, node: int) -> float:
    """Return what a unit under an offer costs landed at a node, before any break [money/quantity].

    It is the price with adder, duty and freight; an order cost comes on top.
    """
    row = stockpile.at(node).keyed(Offer)[name]
    return price(stockpile, row, node) * (1 + row.duty) + row.adder + row.freight
