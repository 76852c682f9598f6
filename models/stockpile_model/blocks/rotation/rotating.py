"""What leaves stock through outlets, what that earns and costs, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Deed
from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms
from stockpile_model.blocks.rotation.dispatching import Through
from stockpile_model.blocks.rotation.outlet_terms import REQUALIFY, RETURNING, Outlet
from stockpile_model.blocks.stock.lot_terms import out_at, place_of, times_at_start
from stockpile_model.formulation import summed
from stockpile_model.leads import Lead
from stockpile_model.ledger import Arrival, Departure, Exit, Ledger, Opening, TestedBefore
from stockpile_model.lots import tested_name
from stockpile_model.standing import Standing
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

TO_ROTATION = Lead("rotation", (("lot", "lot"), ("date", "date"), ("outlet", "")))
ROTATION = Exit("rotation", free=True, table=Outlet.TABLE, lead=TO_ROTATION)


def add_out(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Add out[r,w,a,n]: what leaves site w at age a through outlet r at node n."""
    outlets = stockpile.keyed(Outlet)
    m.OUTLETS = pyo.Set(initialize=list(outlets), doc="outlets")
    m.OUTS = pyo.Set(
        dimen=4,
        initialize=[
            (r, w, a, n)
            for r in outlets
            for w in stockpile.sites
            for n in stockpile.tree.nodes
            for a in _ages(stockpile, r, n)
        ],
        doc="outlet, site, age, node at which stock can be rotated out",
    )
    m.out = pyo.Var(m.OUTS, domain=pyo.NonNegativeReals, doc="stock rotated out [quantity]")


def _ages(stockpile: Stockpile, name: str, node: int) -> Iterator[int]:
    """Yield the ages that an outlet takes at a node."""
    now, row = stockpile.at(node), _row(stockpile, name, node)
    if row.form == REQUALIFY and row.material not in stockpile.standings:
        return  # no test ever acts, so the model has no standings
    if stockpile.tree.period[node] in outlet_terms.opened(stockpile, row):
        for age in stockpile.first_ages(row.material, node):
            if outlet_terms.accepts(now, row, stockpile.standing(row.material, age)):
                yield age


def _row(stockpile: Stockpile, name: str, node: int) -> Outlet:
    """Return an outlet as it is at a node."""
    return stockpile.at(node).keyed(Outlet)[name]


def take_out(
    m: pyo.ConcreteModel, stockpile: Stockpile, terms: DispatchTerms, ledger: Ledger
) -> None:
    """Post what leaves, what it earns and costs, and what comes back."""
    inside: dict[tuple[str, str, int], list[tuple[int, Any]]] = {}  # by age
    for (r, w, a, n), out in m.out.items():
        inside.setdefault((r, w, n), []).append((a, out))
        most, row = terms.limits[r, n], _row(stockpile, r, n)
        gone = ledger.take(n, row.material, w, a, out, ROTATION, r, most)
        if row.form == REQUALIFY:
            _test(stockpile, ledger, row, gone)
    for (r, w, n), outs in inside.items():
        whole = summed(out for _, out in outs)
        _sell(stockpile, ledger, (r, w, n), outs)
        _pay(stockpile, ledger, (r, w, n), whole)
        _bring_back(stockpile, ledger, (r, w, n), whole)


def _sell(
    stockpile: Stockpile, ledger: Ledger, at: tuple[str, str, int], outs: list[tuple[int, Any]]
) -> None:
    """Post what a sale earns: price·(1 - age_discount·age)."""
    r, w, n = at
    row = _row(stockpile, r, n)
    standing = stockpile.standing
    aged = ((standing(row.material, a).age, out) for a, out in outs)
    earned = ((outlet_terms.price(stockpile, row, age, n), out) for age, out in aged)
    if sales := [rate * out for rate, out in earned if rate > 0]:
        buyer = stockpile.sites[w].buyer
        ledger.receive(n, "sales", summed(sales), row.material, r, row.fund, buyer)


def _pay(stockpile: Stockpile, ledger: Ledger, at: tuple[str, str, int], whole: Any) -> None:
    """Post what the outlet costs, and the disposal of what is thrown away."""
    r, w, n = at
    row, buyer = _row(stockpile, r, n), stockpile.sites[w].buyer
    if row.cost > 0:
        cost = "rotation", row.cost * whole, "rotation", row.material, buyer, r
        ledger.pay(n, *cost, table=Outlet.TABLE)
    waste = stockpile.at(n).keyed(Material)[row.material].disposal_cost
    if row.form == "dispose" and waste > 0:
        thrown = "disposal", waste * whole, "rotation", row.material, buyer, r
        ledger.pay(n, *thrown, table=Outlet.TABLE)


def _bring_back(stockpile: Stockpile, ledger: Ledger, at: tuple[str, str, int], whole: Any) -> None:
    """Post what comes back: yield·Σ_a out[r,w,a,n].

    It comes to its site ℓ_r periods later at age 0, at every descendant of n.
    """
    r, w, n = at
    row = _row(stockpile, r, n)
    for d in _back_at(stockpile, row, n) if row.form in RETURNING else ():
        amount, material = row.yield_ * whole, outlet_terms.back(row)
        ledger.bring(Arrival(d, material, w, 0, amount, Outlet.TABLE, r, None))


def bring_back_earlier(stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what comes back of what went out before the start: yield·quantity, at age 0."""
    for row, outlet, due in outlet_terms.out_before(stockpile):
        site, amount = row.site or next(iter(stockpile.sites)), outlet_terms.returned(row, outlet)
        for n in stockpile.tree.at.get(due, ()) if amount > 0 else ():
            name, material = outlet.outlet, outlet_terms.back(outlet)
            ledger.bring(Arrival(n, material, site, 0, amount, Outlet.TABLE, name, None))


def bring_back_tested(stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what comes back of lots that went into a test before the start: yield·quantity, younger,
    and (1 - yield)·quantity, which has failed.
    """
    calendar = stockpile.calendar
    for each in outlet_terms.in_test(stockpile):
        outlet, most = each.outlet, stockpile.standings[each.lot.material].times
        for n, lot in out_at(stockpile, each.number, each.due):
            times = times_at_start(stockpile, lot)
            sent = calendar.period(each.lot.left or lot.made)
            before = Standing(sent - calendar.period(lot.made), times)
            passed, failed = outlet_terms.retested(stockpile.at(n), outlet, before)
            test = TestedBefore(Outlet.TABLE, outlet.outlet, lot.lot, lot.made, times)
            for share, standing in ((outlet.yield_, passed), (1 - outlet.yield_, failed)):
                name = tested_name(lot.lot, standing, calendar.begin(each.due))
                made, quantity = calendar.begin(each.due - standing.age), share * lot.quantity
                counted = None if standing.times is None else min(most, standing.times)
                what = name, made, quantity, counted, test
                if quantity > 0:
                    site = place_of(stockpile, lot)
                    ledger.open(Opening(n, lot.material, site, standing.age, *what))


def _test(stockpile: Stockpile, ledger: Ledger, row: Outlet, gone: Departure) -> None:
    """Post what comes back of a test: yield·out, younger, and (1 - yield)·out, which has failed.

    It comes to its site ℓ_r periods later, at every descendant of n.
    """
    material, standings = row.material, stockpile.standings[row.material]
    for d in _back_at(stockpile, row, gone.node):
        passed, failed = outlet_terms.retested(stockpile.at(d), row, standings.standing(gone.age))
        for share, standing in ((row.yield_, passed), (1 - row.yield_, failed)):
            amount, at = share * gone.amount, standings.index(standing)
            arrival = Arrival(d, material, gone.site, at, amount, Outlet.TABLE, row.outlet, None)
            ledger.bring(arrival._replace(origin=gone))


def _back_at(stockpile: Stockpile, row: Outlet, n: int) -> Iterator[int]:
    """Yield the descendants of a node at which what goes into an outlet there is back."""
    tree = stockpile.tree
    due = tree.at[tree.period[n] + outlet_terms.lead(stockpile, row)]
    return (d for d in due if n in tree.paths[d])


def cap_outlet(
    m: pyo.ConcreteModel, terms: DispatchTerms, through: Through, ledger: Ledger
) -> None:
    """Require Σ_{w,a} out[r,w,a,n] ≤ capacity[r,n], where a dispatch is not made or left."""
    limited = [
        key
        for key in through
        if key not in terms.placed and terms.outlet(*key).capacity is not None
    ]
    m.cap_outlet = pyo.Constraint(
        pyo.Set(dimen=2, initialize=limited),
        rule=lambda m, r, n: summed(through[r, n]) <= terms.outlet(r, n).capacity,
        doc="an outlet takes no more than its capacity [quantity]",
    )
    for r, n in limited:
        row = terms.outlet(r, n)
        data, most, what = m.cap_outlet[r, n], row.capacity or 0.0, f"capacity of outlet {r}"
        ledger.limit(data, "most", most, "quantity", what, row, "capacity", n)


def _possible(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Yield the nodes at which an outlet takes metal."""
    periods = outlet_terms.opened(stockpile, stockpile.keyed(Outlet)[name])
    return (n for period in periods for n in stockpile.tree.at[period])


def _done(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[Any]:
    """Return what leaves through an outlet at a node, by site and age."""
    ages = stockpile.first_ages(stockpile.keyed(Outlet)[name].material, node)
    keys = ((name, w, a, node) for w in stockpile.sites for a in ages)
    return [m.out[key] for key in keys if key in m.OUTS]


DEED = Deed(
    "rotate",
    Outlet.TABLE,
    metal=True,
    possible=_possible,
    done=_done,
    value=outlet_terms.moved_value,
    before=True,
)
