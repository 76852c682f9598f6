"""When an order can be placed."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.offer_terms import Offer
from stockpile_model.blocks.projects.windows import earliest
from stockpile_model.calendar import overlap
from stockpile_model.stockpile import Stockpile


def placeable(stockpile: Stockpile, offer: Offer) -> Iterator[int]:
    """Yield the nodes at which an order can be placed.

    It is placed within the offer's dates, not before its supplier ships or its project can be
    ready, and early enough to arrive within the horizon.
    """
    tree, calendar = stockpile.tree, stockpile.calendar
    opens = 0 if offer.project is None else earliest(stockpile, offer.project)

    @functools.cache
    def window(view: Stockpile) -> range:
        """Return the periods in which the rows of a view let an order be placed."""
        row = view.keyed(Offer)[offer.offer]
        dates = overlap(calendar, row.from_, row.to)
        return range(
            max(dates.start, opens, view.shipping(row.supplier)),
            min(dates.stop, calendar.periods - offer_terms.lead(stockpile, row)),
        )

    for node in tree.nodes if stockpile.counts(offer.supplier) else ():
        if tree.period[node] in window(stockpile.at(node)):
            yield node
