"""What leaves stock through outlets, what that earns and costs, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Deed
from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms
from stockpile_model.blocks.rotation.dispatching import Through
from stockpile_model.blocks.rotation.outlet_terms import RETURNING, Outlet
from stockpile_model.formulation import summed
from stockpile_model.ledger import Arrival, Exit, Ledger
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material

ROTATION = Exit("rotation", free=True, table=Outlet.TABLE)


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
    if stockpile.tree.period[node] in outlet_terms.opened(stockpile, row):
        for age in stockpile.first_ages(row.material, node):
            if outlet_terms.takes(now, row, age):
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
        most = terms.limits[r, n]
        ledger.take(n, _row(stockpile, r, n).material, w, a, out, ROTATION, r, most)
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
    earned = ((outlet_terms.price(stockpile, row, a, n), out) for a, out in outs)
    if sales := [rate * out for rate, out in earned if rate > 0]:
        buyer = stockpile.sites[w].buyer
        ledger.receive(n, "sales", summed(sales), row.material, r, row.fund, buyer)


def _pay(stockpile: Stockpile, ledger: Ledger, at: tuple[str, str, int], whole: Any) -> None:
    """Post what the outlet costs, and the disposal of what is thrown away."""
    r, w, n = at
    row, buyer = _row(stockpile, r, n), stockpile.sites[w].buyer
    if row.cost > 0:
        ledger.pay(n, "rotation", row.cost * whole, "rotation", row.material, buyer, r)
    waste = stockpile.at(n).keyed(Material)[row.material].disposal_cost
    if row.form == "dispose" and waste > 0:
        ledger.pay(n, "disposal", waste * whole, "rotation", row.material, buyer, r)


def _bring_back(stockpile: Stockpile, ledger: Ledger, at: tuple[str, str, int], whole: Any) -> None:
    """Post what comes back: yield·Σ_a out[r,w,a,n].

    It comes to its site ℓ_r periods later at age 0, at every descendant of n.
    """
    (r, w, n), tree = at, stockpile.tree
    row = _row(stockpile, r, n)
    if row.form in RETURNING:
        for d in tree.at[tree.period[n] + outlet_terms.lead(stockpile, row)]:
            if n in tree.paths[d]:
                amount, material = row.yield_ * whole, outlet_terms.back(row)
                ledger.bring(Arrival(d, material, w, 0, amount, Outlet.TABLE, r, None))


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


DEED = Deed("rotate", Outlet.TABLE, metal=True, possible=_possible, done=_done)
