"""Dispatch: whether an outlet takes metal in a period, in lots, and what each dispatch costs.

With out[r,n] = Σ_{w,a} out[r,w,a,n] and cap the capacity, or what may be on hand:

    q_min·dispatch ≤ out ≤ cap·dispatch
    out = lot·dispatch_lots

Beyond `firm_periods` dispatches are relaxed, as orders are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms, Key
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.formulation import summed
from stockpile_model.ledger import Ledger

Through = Mapping[Key, Sequence[Any]]
"""What leaves through each outlet at each node, by site and age."""


def through_outlets(m: pyo.ConcreteModel) -> Through:
    """Return what leaves through each outlet at each node."""
    found: dict[Key, list[Any]] = {}
    for (r, _, _, n), out in m.out.items():
        found.setdefault((r, n), []).append(out)
    return found


def add_dispatch(m: pyo.ConcreteModel, terms: DispatchTerms) -> None:
    """Add dispatch[r,n]: whether metal leaves, and in how many lots, where either matters."""
    m.DISPATCHES = pyo.Set(
        dimen=2, initialize=terms.placings, doc="outlet, node of a dispatch that is made or not"
    )
    m.LOT_DISPATCHES = pyo.Set(
        dimen=2, initialize=terms.in_lots, doc="outlet, node of a dispatch in whole lots"
    )
    firm = terms.stockpile.firm
    m.dispatch = pyo.Var(
        m.DISPATCHES,
        domain=lambda m, r, n: pyo.Binary if firm(n) else pyo.UnitInterval,
        doc="whether metal leaves through an outlet [1]",
    )
    m.dispatch_lots = pyo.Var(
        m.LOT_DISPATCHES, domain=pyo.NonNegativeIntegers, doc="lots in a dispatch [lots]"
    )
    m.priority[m.dispatch_lots] = -2  # a part of a lot waits a period at no cost to speak of


def cap_dispatch(
    m: pyo.ConcreteModel, terms: DispatchTerms, through: Through, ledger: Ledger
) -> None:
    """Require Σ_{w,a} out[r,w,a,n] ≤ cap·dispatch[r,n]."""
    m.cap_dispatch = pyo.Constraint(
        m.DISPATCHES,
        rule=lambda m, r, n: summed(through[r, n]) <= terms.limits[r, n] * m.dispatch[r, n],
        doc="metal leaves only by a dispatch, within the capacity [quantity]",
    )
    for r, n in m.DISPATCHES:
        row, most = terms.outlet(r, n), terms.limits[r, n]
        if row.capacity is not None and most == row.capacity:
            data, used = m.cap_dispatch[r, n], summed(through[r, n])
            what, factor = f"capacity of outlet {r}", m.dispatch[r, n]
            ledger.limit(data, "most", most, "quantity", what, row, "capacity", n, used, factor)


def hold_minimum_dispatch(m: pyo.ConcreteModel, terms: DispatchTerms, through: Through) -> None:
    """Require Σ_{w,a} out[r,w,a,n] ≥ q_min·dispatch[r,n]."""
    m.hold_minimum_dispatch = pyo.Constraint(
        pyo.Set(dimen=2, initialize=[key for key in terms.placings if terms.smallest(*key) > 0]),
        rule=lambda m, r, n: summed(through[r, n]) >= terms.smallest(r, n) * m.dispatch[r, n],
        doc="a dispatch is at least the minimum [quantity]",
    )


def hold_dispatch_lots(m: pyo.ConcreteModel, terms: DispatchTerms, through: Through) -> None:
    """Require Σ_{w,a} out[r,w,a,n] = lot·dispatch_lots[r,n]."""
    m.hold_dispatch_lots = pyo.Constraint(
        m.LOT_DISPATCHES,
        rule=lambda m, r, n: summed(through[r, n]) == terms.lot(r, n) * m.dispatch_lots[r, n],
        doc="a dispatch is whole lots [quantity]",
    )


def pay_dispatch(
    m: pyo.ConcreteModel, terms: DispatchTerms, through: Through, ledger: Ledger
) -> None:
    """Post order_cost·dispatch."""
    for r, n in through:
        row = terms.outlet(r, n)
        if row.order_cost > 0:
            amount = row.order_cost * made(m, terms, through, r, n)
            what = "rotation", amount, "rotation", row.material, None, r
            ledger.pay(n, *what, table=Outlet.TABLE)


def made(m: pyo.ConcreteModel, terms: DispatchTerms, through: Through, r: str, n: int) -> Any:
    """Return how far a dispatch is made [1]: without a variable of its own what it is of its limit.

    Where nothing can be on hand it is not made.
    """
    if (r, n) in m.DISPATCHES:
        return m.dispatch[r, n]
    limit = terms.limits[r, n]
    return (1 / limit) * summed(through[r, n]) if limit else 0.0
