"""The restricted country: whose metal it is, as the suppliers of a workbook say it.

`foreign_feedstock` is the share of a plant's feedstock that originates in the restricted country
(workbook contract, table `suppliers`). So a plant outside of all alliances (bloc `other`) that has
no other feedstock names that country, and metal of any plant there is restricted as a whole. Where
no supplier states a feedstock, every country of bloc `other` is restricted.
"""

from __future__ import annotations

from stockpile_model.names import identity
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier

OUTSIDE = "other"
"""The bloc of countries that are neither domestic nor allied."""
WHOLE = 1.0 - 1e-9
"""The share of feedstock from which it is all of it [1]."""


def countries(stockpile: Stockpile) -> tuple[str, ...]:
    """Return the restricted countries, in the order of the suppliers."""
    outside = [row for row in stockpile.rows(Supplier) if row.bloc == OUTSIDE]
    if _looked_through(stockpile):
        outside = [row for row in outside if row.foreign_feedstock >= WHOLE]
    return tuple(dict.fromkeys(row.country for row in outside if row.country is not None))


def _looked_through(stockpile: Stockpile) -> bool:
    """Return whether any supplier states a feedstock of the restricted country."""
    return any(row.foreign_feedstock > 0 for row in stockpile.rows(Supplier))


def is_restricted(stockpile: Stockpile, country: str | None) -> bool:
    """Return whether a country is restricted."""
    return country is not None and identity(country) in {
        identity(each) for each in countries(stockpile)
    }


def share(stockpile: Stockpile, supplier: str) -> float:
    """Return how much of a supplier's metal looks through to the restricted country [1]."""
    row = stockpile.keyed(Supplier)[supplier]
    if is_restricted(stockpile, row.country):
        return 1.0
    if row.country is None and row.bloc == OUTSIDE and not _looked_through(stockpile):
        return 1.0
    return row.foreign_feedstock
