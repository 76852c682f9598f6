"""What is moved from site to site: it leaves one, and arrives at the other as old as it then is."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from stockpile_model.blocks.moves import move_terms as terms
from stockpile_model.blocks.moves.move_terms import SiteMove
from stockpile_model.blocks.stock.lot_terms import out_at, times_at_start
from stockpile_model.formulation import summed
from stockpile_model.leads import Lead
from stockpile_model.ledger import Arrival, Exit, Ledger, Opening
from stockpile_model.stockpile import Stockpile

TO_MOVE = Lead("moves", (("lot", "lot"), ("date", "date"), ("move", "")))
MOVE = Exit("move out", table=SiteMove.TABLE, inside="move in", lead=TO_MOVE)


def add_moved(m: pyo.ConcreteModel, stockpile: Stockpile) -> None:
    """Add moved[e,i,a,n]: what leaves the first site of move e at age a at node n."""
    m.MOVES = pyo.Set(
        dimen=4,
        initialize=[
            (e, i, a, n)
            for e, row in stockpile.keyed(SiteMove).items()
            for i in terms.movable(stockpile, row)
            for n in stockpile.tree.nodes
            for a in terms.leaving_ages(stockpile, _row(stockpile, e, n), i, n)
        ],
        doc="move, material, age, node at which stock can be moved",
    )
    m.moved = pyo.Var(
        m.MOVES, domain=pyo.NonNegativeReals, doc="stock moved to another site [quantity]"
    )


def _row(stockpile: Stockpile, name: str, node: int) -> SiteMove:
    """Return a move as it is at a node."""
    return stockpile.at(node).keyed(SiteMove)[name]


def send(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what leaves a site, and that it arrives at the other ℓ_e periods later.

    It arrives at every descendant of its node, older by the time that it takes.
    """
    for (e, i, a, n), moved in m.moved.items():
        row = _row(stockpile, e, n)
        gone = ledger.take(n, i, row.from_site, a, moved, MOVE, e)
        lag = terms.lead(stockpile, row)
        for d in stockpile.tree.later(n, lag):
            age = terms.arriving_age(stockpile, i, a, lag, d)
            came = Arrival(d, i, row.to_site, age, moved, SiteMove.TABLE, e, None, origin=gone)
            ledger.bring(came)


def bring_earlier(stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what left a site before the start: it arrives in full, as old as it then is."""
    made_in = stockpile.calendar.period
    for each in terms.under_way(stockpile):
        for n, lot in out_at(stockpile, each.number, each.due):
            age, times = each.due - made_in(lot.made), times_at_start(stockpile, lot)
            what = each.move.to_site, age, lot.lot, lot.made, lot.quantity, times
            ledger.open(Opening(n, lot.material, *what))


def pay_moves(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Post what moves cost, paid for the buyer of the site that the metal leaves."""
    together: dict[tuple[str, str, int], list[Any]] = {}
    for (e, i, _, n), moved in m.moved.items():
        together.setdefault((e, i, n), []).append(moved)
    for (e, i, n), parts in together.items():
        row = _row(stockpile, e, n)
        if row.cost > 0:
            buyer = stockpile.sites[row.from_site].buyer
            what = "moves", row.cost * summed(parts), "storage", i, buyer, e
            ledger.pay(n, *what, table=SiteMove.TABLE)


def cap_move(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Require Σ_{i,a} moved[e,i,a,n] ≤ capacity[e,n]."""
    together: dict[tuple[str, int], list[Any]] = {}
    for (e, _, _, n), moved in m.moved.items():
        together.setdefault((e, n), []).append(moved)
    limited = [key for key in together if _row(stockpile, *key).capacity is not None]
    m.cap_move = pyo.Constraint(
        pyo.Set(dimen=2, initialize=limited),
        rule=lambda m, e, n: summed(together[e, n]) <= _row(stockpile, e, n).capacity,
        doc="no more is moved in a period than the capacity of the move [quantity]",
    )
    for e, n in limited:
        row = _row(stockpile, e, n)
        data, most, what = m.cap_move[e, n], row.capacity or 0.0, f"capacity of move {e}"
        ledger.limit(data, "most", most, "quantity", what, row, "capacity", n)
