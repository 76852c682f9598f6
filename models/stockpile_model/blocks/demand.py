"""Demand: what must be handed out of stock, and what is left unmet."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.calendar import overlap
from stockpile_model.checks import ordered, served
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Heading, Ledger
from stockpile_model.schema import Dated, Problem, Result, Row, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Material


@dataclass(frozen=True, kw_only=True)
class Demand(Row):
    TABLE = "demand"
    PURPOSE = "What is handed out of stock in each period. It uses stock up."
    STEP = "need"
    material: str = column("material that is used up", required=True, refers="materials")
    buyer: str | None = column("whose demand; blank = served from all sites", owner=True)
    from_: dt.date = column("first date of the demand", required=True)
    to: dt.date | None = column("last date; blank = the period of `from`")
    quantity: float = column(
        "demand in each period", "quantity/period", required=True, need=True, least=0
    )


@dataclass(frozen=True, kw_only=True)
class DemandMet(Dated):
    SHEET = "demand"
    ABOUT = "demand met and unmet"
    PLACE = 51
    date: dt.date = column("first day of the period")
    material: str = column("material")
    buyer: str | None = column("whose demand")
    required: float = column("demand of the period", "quantity")
    met: float = column("handed out of stock", "quantity")
    unmet: float = column("not met", "quantity", alarm=True)
    cost: float = column("price of what is not met, discounted, expected", "money")


def covers(stockpile: Stockpile, row: Demand) -> range:
    """The periods of the horizon in which a row asks."""
    return overlap(stockpile.calendar, row.from_, row.to or row.from_)


@functools.lru_cache(maxsize=4096)
def required(stockpile: Stockpile, node: int) -> dict[tuple[str, str], tuple[float, Demand]]:
    """Demand at a node by material and buyer [quantity], with the first row that asks for it; rows add up."""
    found: dict[tuple[str, str], tuple[float, Demand]] = {}
    period = stockpile.tree.period[node]
    for row in stockpile.at(node).rows(Demand):
        if row.quantity > 0 and period in covers(stockpile, row):
            before, first = found.get((row.material, row.buyer or ""), (0.0, row))
            found[row.material, row.buyer or ""] = (before + row.quantity, first)
    return found


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return what demand asks of a material in a window at most [quantity]."""
    return sum(
        max(_total(stockpile, material, n) for n in stockpile.tree.at[period]) for period in window
    )


def _total(stockpile: Stockpile, material: str, node: int) -> float:
    return sum(amount for (i, _), (amount, _) in required(stockpile, node).items() if i == material)


def serving(stockpile: Stockpile, buyer: str) -> list[str]:
    """The sites that serve a buyer: its own and those of nobody; all of them where no buyer is named."""
    return [
        name for name, site in stockpile.sites.items() if not buyer or site.buyer in (None, buyer)
    ]


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Demand):
        yield from ordered(row, "from", "to")
        yield from served(stockpile, row)
        if not covers(stockpile, row) and not (row.to and row.to < row.from_):
            calendar = stockpile.calendar
            horizon = f"the horizon, {calendar.start} to {calendar.end(calendar.periods - 1)}"
            message = f"no period of {horizon}, is covered by {row.from_} to {row.to or row.from_}; change the dates or remove the row"
            yield Problem(row.TABLE, row.line, "from", message)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ_{w,a} use[i,b,w,a,n] + unmet[i,b,n] = demand[i,b,n]; unmet has a price or does not exist."""
    demand = {
        (i, b, n): asked
        for n in stockpile.tree.nodes
        for (i, b), asked in required(stockpile, n).items()
    }
    priced = [
        key
        for key in demand
        if stockpile.at(key[2]).keyed(Material)[key[0]].shortage_cost is not None
    ]
    m.DEMANDS = pyo.Set(dimen=3, initialize=list(demand), doc="material, buyer, node with demand")
    m.USES = pyo.Set(
        dimen=5,
        initialize=[
            (i, b, w, a, n)
            for i, b, n in demand
            for w in serving(stockpile, b)
            for a in stockpile.first_ages(i, n)
        ],
        doc="material, buyer, site, age, node from which demand can be met",
    )
    m.SHORTAGES = pyo.Set(
        dimen=3, initialize=priced, doc="material, buyer, node whose demand may stay unmet"
    )
    m.use = pyo.Var(m.USES, domain=pyo.NonNegativeReals, doc="stock used up by demand [quantity]")
    m.unmet = pyo.Var(
        m.SHORTAGES, domain=pyo.NonNegativeReals, doc="demand that is not met [quantity]"
    )

    def balance_demand(m: pyo.ConcreteModel, i: str, b: str, n: int) -> object:
        used = summed(
            [
                m.use[i, b, w, a, n]
                for w in serving(stockpile, b)
                for a in stockpile.first_ages(i, n)
            ]
        )
        return (used + m.unmet[i, b, n] if (i, b, n) in m.SHORTAGES else used) == demand[i, b, n][0]

    m.balance_demand = pyo.Constraint(
        m.DEMANDS, rule=balance_demand, doc="demand is met or counted as unmet [quantity]"
    )

    for (i, b, n), (amount, row) in demand.items():
        ledger.limit(
            m.balance_demand[i, b, n],
            "least",
            amount,
            "quantity",
            f"demand for {i}",
            row,
            "quantity",
            n,
        )
    for i, b, w, a, n in m.USES:
        ledger.take(n, i, w, a, m.use[i, b, w, a, n], "demand", b)
    for i, b, n in priced:
        ledger.miss(n, m.unmet[i, b, n])
        ledger.charge(
            n,
            "shortage",
            stockpile.at(n).keyed(Material)[i].shortage_cost * m.unmet[i, b, n],
            i,
            b,
            b or None,
        )


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    calendar, tree = stockpile.calendar, stockpile.tree
    for i, b, n in m.DEMANDS:
        unmet = evaluate(m.unmet[i, b, n]) if (i, b, n) in m.SHORTAGES else 0.0
        needed = required(stockpile, n)[i, b][0]
        price = stockpile.at(n).keyed(Material)[i].shortage_cost or 0.0
        yield DemandMet(
            **stockpile.where(n),
            date=calendar.begin(tree.period[n]),
            material=i,
            buyer=b or None,
            required=needed,
            met=needed - unmet,
            unmet=unmet,
            cost=tree.probability[n] * stockpile.discount(tree.period[n]) * price * unmet,
        )


BLOCK = Block(
    tables=(Demand,),
    results=(DemandMet,),
    headings=(Heading("shortage", "price of unmet demand (no cash)", cash=False),),
    decisions=("use",),
    check=check,
    add=add,
    report=report,
    uses=uses,
)
