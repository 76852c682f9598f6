"""The horizon: nodes of the scenario tree, and the price indices read on them."""

from __future__ import annotations

from collections.abc import Iterator

import pyomo.environ as pyo

from stockpile_model.data import Material, Price, Problem, Row, Settings, Site, Stockpile, Supplier, get, nearest, whole_periods
from stockpile_model.ledger import Ledger

TABLES: tuple[type[Row], ...] = (Settings, Price, Material, Site, Supplier)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    if not stockpile.rows(Material):
        yield Problem("materials", 0, "", "has no row: name at least one material")
    for row in stockpile.rows(Material):
        yield from whole_periods(stockpile, row, "shelf_life_months")
        if row.closing_value > 0 and row.price_index is None:
            yield Problem(row.TABLE, row.line, "price_index", "is required where closing_value is above 0: it values the stock")
    yield from _unserved_buyers(stockpile)
    for supplier in stockpile.rows(Supplier):
        if supplier.start is not None and stockpile.calendar.period(supplier.start) >= stockpile.settings.periods:
            message = f"{supplier.supplier} ships first on {supplier.start}, after the horizon: it is never used"
            yield Problem(supplier.TABLE, supplier.line, "start", message, warning=True)


def _unserved_buyers(stockpile: Stockpile) -> Iterator[Problem]:
    """A buyer that asks for metal and has no site where it could lie."""
    if None in stockpile.owners:
        return
    known = [buyer for buyer in stockpile.owners if buyer is not None]
    for kind, rows in stockpile.tables.items():
        if kind.TABLE in ("demand", "targets"):
            for row in rows:
                buyer = get(row, "buyer")
                if buyer is not None and buyer not in known:
                    message = f"{buyer!r} has no site, and no site in the sheet sites serves all{nearest(buyer, known) or '; give it one'}"
                    yield Problem(row.TABLE, row.line, "buyer", message)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """NODES of the tree; node n stands for period τ(n) with probability π_n and parent p(n)."""
    m.NODES = pyo.Set(initialize=list(stockpile.tree.nodes), doc="nodes of the scenario tree")
