"""Check the rows of offers and price breaks, each on its own (`check`) and together (`review`)."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile_model import amounts
from stockpile_model.blocks.offers import usefulness
from stockpile_model.blocks.offers.break_terms import PriceBreak, breaks
from stockpile_model.blocks.offers.ceilings import ceiling, needs_binary, needs_ceiling
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.blocks.offers.supplier_terms import SupplierTerms, terms_of
from stockpile_model.checks import (
    one_of,
    ordered,
    received,
    seen,
    smallest_within,
    whole_lots,
    whole_periods,
)
from stockpile_model.schema import Problem
from stockpile_model.stockpile import Stockpile


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with single rows and with pairs of them."""
    for rows in breaks(stockpile).values():
        for earlier, row in zip((None, *rows), rows, strict=False):
            yield from one_of("a price break", row, "price", "premium")
            if earlier is not None:
                yield from _check_order_of_breaks(rows[0], earlier, row)
    yield from whole_lots(stockpile, stockpile.settings, "order_step")
    for offer in stockpile.rows(Offer):
        yield from ordered(offer, "from", "to")
        yield from whole_periods(stockpile, offer)
        yield from seen(offer, "availability")
        yield from received(stockpile, offer)
        yield from whole_lots(stockpile, offer)
        yield from _check_price(offer)
        yield from _check_reach(stockpile, offer)
        size = stockpile.lot(offer.lot_size)
        yield from smallest_within(offer, size, ("capacity", "total"), "no order can be placed")


def _check_order_of_breaks(
    first: PriceBreak, earlier: PriceBreak, row: PriceBreak
) -> Iterator[Problem]:
    """Yield what is wrong between a break and the one at the next smaller quantity."""
    if row.from_quantity == earlier.from_quantity:
        quantity = amounts.quantity(row.from_quantity)
        message = (
            f"a break of {row.offer} at {quantity} stands in row {earlier.line} already; "
            "remove one of the two"
        )
        yield Problem(row.TABLE, row.line, "from_quantity", message)
    if row.kind != first.kind:
        message = f"must be the one kind of its offer, {first.kind} as in row {first.line}"
        yield Problem(row.TABLE, row.line, "kind", message)
    for name in ("price", "premium"):
        dearer, cheaper = getattr(row, name), getattr(earlier, name)
        if dearer is not None and cheaper is not None and dearer > cheaper:
            message = (
                f"is above that of the smaller quantity in row {earlier.line}, "
                f"{amounts.quantity(cheaper)}: breaks out of order? "
                f"found {amounts.quantity(dearer)}"
            )
            yield Problem(row.TABLE, row.line, name, message, warning=True)


def _check_price(row: Offer) -> Iterator[Problem]:
    """Yield a price that is stated twice or not at all."""
    yield from one_of("an offer", row, "price", "price_index")
    if row.price is not None and row.premium != 0:
        message = "is a share of an index: it needs price_index instead of price"
        yield Problem(row.TABLE, row.line, "premium", message)


def _check_reach(stockpile: Stockpile, offer: Offer) -> Iterator[Problem]:
    """Yield the breaks of an offer that have no index to refer to, or that no order reaches."""
    for row in breaks(stockpile).get(offer.offer, ()):
        if row.premium is not None and row.price is None and offer.price_index is None:
            message = f"is a share of an index: it needs a price_index of {offer.offer}"
            yield Problem(row.TABLE, row.line, "premium", message)
        if offer.capacity is not None and row.from_quantity > offer.capacity:
            message = (
                f"is above the capacity of {offer.offer}, {amounts.quantity(offer.capacity)}: "
                f"no order reaches it, found {amounts.quantity(row.from_quantity)}"
            )
            yield Problem(row.TABLE, row.line, "from_quantity", message, warning=True)


def _check_supplier_terms(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the terms of suppliers that have no offer."""
    suppliers = {offer.supplier for offer in stockpile.rows(Offer)}
    for row in stockpile.rows(SupplierTerms):
        if row.supplier not in suppliers:
            message = f"no offer is of {row.supplier}: its order terms change nothing"
            yield Problem(row.TABLE, row.line, "supplier", message, warning=True)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the offers that can never be ordered, and those whose orders nothing bounds."""
    yield from _check_supplier_terms(stockpile)
    for row in stockpile.rows(Offer):
        variants = (view.keyed(Offer)[row.offer] for view in stockpile.variants)
        if not stockpile.counts(row.supplier) or all(each.availability == 0 for each in variants):
            continue
        nodes = list(placeable(stockpile, row))
        if not nodes:
            message = (
                f"{row.offer} can never be ordered within the horizon: see its dates and lead time"
            )
            yield Problem(row.TABLE, row.line, "offer", message, warning=True)
            continue
        rows = [(n, stockpile.at(n).keyed(Offer)[row.offer]) for n in nodes]
        if any(
            needs_ceiling(stockpile, each) and ceiling(stockpile, each, n) is None
            for n, each in rows
        ):
            why = _why_bounded(stockpile, row, [each for _, each in rows])
            message = (
                f"is needed: {why}, and nothing else in the workbook bounds what could be bought"
            )
            yield Problem(row.TABLE, row.line, "capacity", message)


def _why_bounded(stockpile: Stockpile, offer: Offer, rows: list[Offer]) -> str:
    """Return why the orders of an offer need a bound; `rows`: the offer at each of its nodes."""
    if any(needs_binary(stockpile, each) for each in rows):
        return "orders have a minimum, a cost or price breaks"
    if terms_of(stockpile, offer.supplier) is not None:
        return "the orders of its supplier have terms (order_terms)"
    if offer.project is not None:
        return "the offer waits for a project"
    return usefulness.reason(stockpile)
