"""What is on hand at period end and what expires, with what that costs."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.stock.flows import Flows
from stockpile_model.blocks.stock.lot_terms import (
    OpeningLot,
    age_at_start,
    held_ages,
    is_out,
    place_of,
    times_at_start,
)
from stockpile_model.formulation import summed
from stockpile_model.ledger import Arrival, Ledger, Opening
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material, Site


def open_lots(stockpile: Stockpile, ledger: Ledger) -> None:
    """Post the lots on hand at the root, at the age that their date gives them."""
    for root in (n for n in stockpile.tree.nodes if stockpile.tree.parent[n] is None):
        for lot in stockpile.at(root).rows(OpeningLot):
            if not is_out(lot):
                site, age = place_of(stockpile, lot), age_at_start(stockpile, lot)
                what = lot.lot, lot.made, lot.quantity, times_at_start(stockpile, lot)
                ledger.open(Opening(root, lot.material, site, age, *what))


def add_stock(m: pyo.ConcreteModel, stockpile: Stockpile, flows: Flows) -> None:
    """Add stock[i,w,a,n] at period end and expired[i,w,n].

    What is beyond its life when the horizon begins expires in any case.
    """
    places = [
        (i, w, n)
        for i in stockpile.keyed(Material)
        for w in stockpile.sites
        for n in stockpile.tree.nodes
    ]
    m.STOCKS = pyo.Set(
        dimen=4,
        initialize=[(i, w, a, n) for i, w, n in places for a in held_ages(stockpile, i, n)],
        doc="material, site, age (the first of its class), node of end-of-period stock",
    )
    m.EXPIRIES = pyo.Set(
        dimen=3,
        initialize=[(i, w, n) for i, w, n in places if stockpile.at(n).life(i) is not None],
        doc="material, site, node of expiry",
    )
    m.stock = pyo.Var(
        m.STOCKS, domain=pyo.NonNegativeReals, doc="stock at period end by age [quantity]"
    )
    m.expired = pyo.Var(
        m.EXPIRIES,
        domain=pyo.NonNegativeReals,
        bounds=lambda m, i, w, n: (flows.overaged(i, w, n), None),
        doc="what reaches the end of its life unused [quantity]",
    )


def pay_storage(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what stock costs at its site."""
    months, held = stockpile.calendar.months, dict[tuple[str, str, int], list[Any]]()
    for (i, w, _, n), stock in m.stock.items():
        held.setdefault((i, w, n), []).append(stock)
    for (i, w, n), stocks in held.items():
        now = stockpile.at(n)
        rate = (now.sites[w].cost + now.keyed(Material)[i].holding_cost) * months
        if rate > 0:
            buyer = stockpile.sites[w].buyer
            what = "storage", rate * summed(stocks), "storage", i, buyer, w
            ledger.pay(n, *what, table=Site.TABLE)


def waste_expired(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what expires as waste, and what its disposal costs."""
    for (i, w, n), expired in m.expired.items():
        ledger.waste(n, expired)
        rate = stockpile.at(n).keyed(Material)[i].disposal_cost
        if rate > 0:
            buyer = stockpile.sites[w].buyer
            what = "disposal", rate * expired, "rotation", i, buyer, w
            ledger.pay(n, *what, table=Site.TABLE)


def pay_handling(stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what each arrival and each departure costs at its site; a move has its own cost."""
    came: list[Arrival | Opening] = [each for each in ledger.arrivals if not each.moved]
    came += [each for each in ledger.openings if each.back is not None]
    went = [each for each in ledger.departures if not each.exit.inside]
    sides = ((came, "handling_in"), (went, "handling_out"))
    for moved, side in sides:
        handled: dict[tuple[str, str, int], list[Any]] = {}
        for each in moved:
            handled.setdefault((each.material, each.site, each.node), []).append(each.amount)
        for (i, w, n), quantities in handled.items():
            rate = getattr(stockpile.at(n).sites[w], side)
            if rate > 0:
                buyer, amount = stockpile.sites[w].buyer, rate * summed(quantities)
                what = "handling", amount, "storage", i, buyer, w
                ledger.pay(n, *what, table=Site.TABLE)


def cap_site(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Require Σ_{i,a} stock[i,w,a,n] ≤ capacity of site w at n."""
    held: dict[tuple[str, int], list[Any]] = {}
    for (_, w, _, n), stock in m.stock.items():
        held.setdefault((w, n), []).append(stock)
    limited = [(w, n) for w, n in held if stockpile.at(n).sites[w].capacity is not None]
    m.cap_site = pyo.Constraint(
        pyo.Set(dimen=2, initialize=limited),
        rule=lambda m, w, n: summed(held[w, n]) <= stockpile.at(n).sites[w].capacity,
        doc="a site holds no more than its capacity at period end [quantity]",
    )
    for w, n in limited:
        row = stockpile.at(n).sites[w]
        data, what = m.cap_site[w, n], f"capacity of site {w}"
        ledger.limit(data, "most", row.capacity or 0.0, "quantity", what, row, "capacity", n)
