"""Commitments: decisions already taken, or frozen by the officer; the plan decides the rest around them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.blocks import price_floors, projects, purchases, rotation
from stockpile_model.data import DECIDES, Commitment, Problem, Result, Row, Stockpile, column, nearest, overlap
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class CommitmentKept(Result):
    SHEET = "commitments"
    date: dt.date | None = column("first day of the period; blank = over the whole horizon")
    kind: str = column("order, sign, rotate or project")
    name: str = column("offer, contract, outlet or project")
    level: str | None = column("level of the contract")
    how: str = column("exactly, at_least or at_most")
    quantity: float = column("what is committed", "quantity or times")
    planned: float = column("what the plan does", "quantity or times")
    measure: str = column("unit of the two: quantity, or times")


TABLES: tuple[type[Row], ...] = (Commitment,)
METAL = ("order", "rotate")  # the kinds whose quantity is metal; of the others it is how often


def asked(row: Commitment) -> float:
    """What a commitment asks for: a quantity of metal, or how often it is done."""
    return 1.0 if row.quantity is None else row.quantity


def named(stockpile: Stockpile, row: Commitment) -> str | None:
    """The offer, contract, outlet or project that a commitment names; None for an unknown one."""
    return row.name if row.name in stockpile.names(DECIDES[row.kind]) else None


def levels(stockpile: Stockpile, row: Commitment, contract: str) -> list[str]:
    """The levels that a commitment to sign speaks of."""
    menu = price_floors.menu(stockpile).get(contract, {})
    return [level for level in menu if row.level in (None, level)]


def span(stockpile: Stockpile, row: Commitment) -> range:
    """The periods of a commitment: that of its date, or all."""
    return overlap(stockpile.calendar, row.date, row.date)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Commitment):
        name, where = named(stockpile, row), DECIDES[row.kind]
        if name is None:
            hint = nearest(row.name, stockpile.names(where))
            yield Problem(row.TABLE, row.line, "name", f"{row.name!r} has no row in the sheet {where}{hint}")
        elif row.level is not None and not levels(stockpile, row, name) and row.kind == "sign":
            hint = nearest(row.level, price_floors.menu(stockpile).get(name, {}))
            yield Problem(row.TABLE, row.line, "level", f"{row.level!r} is no level of {name} in the sheet floors{hint}")
        if row.level is not None and row.kind != "sign":
            yield Problem(row.TABLE, row.line, "level", "must be blank for all but sign: only a contract has levels")
        if not span(stockpile, row):
            end = stockpile.calendar.end(stockpile.settings.periods - 1)
            message = f"must be within the horizon, {stockpile.settings.start} to {end}, found {row.date}"
            if row.date is not None and row.date < stockpile.settings.start:
                message += "; what an earlier decision has brought is opening_stock, what it still brings an offer committed at its arrival"
            yield Problem(row.TABLE, row.line, "date", message)
        if row.quantity is None and row.kind in METAL:
            yield Problem(row.TABLE, row.line, "quantity", "is required: how much is ordered or rotated")
        if row.quantity not in (None, 0, 1) and row.kind not in METAL:
            found = amounts.quantity(asked(row))
            yield Problem(row.TABLE, row.line, "quantity", f"must be 1 (it is done) or 0 (it is not), found {found}")


def review(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Commitment):
        if row.how == "at_most" or asked(row) == 0:
            continue
        if not any(stockpile.tree.period[n] in span(stockpile, row) for n in _possible(stockpile, row, str(named(stockpile, row)))):
            when = "" if row.date is None else f" on {row.date}"
            message = f"cannot be kept: {row.kind} of {row.name} is not possible{when}; see its dates, lead time and supplier"
            yield Problem(row.TABLE, row.line, "date", message)


def _possible(stockpile: Stockpile, row: Commitment, name: str) -> Iterator[int]:
    """The nodes at which what a commitment speaks of can be done at all."""
    if row.kind == "order":
        yield from purchases.placeable(stockpile, stockpile.keyed(purchases.Offer)[name])
    elif row.kind == "sign":
        contract = stockpile.keyed(price_floors.Contract)[name]
        yield from price_floors.signable(stockpile, contract) if stockpile.counts(contract.supplier) else ()
    elif row.kind == "project":
        yield from (*projects.grantable(stockpile, name), *projects.carriable(stockpile, name))
    else:
        outlet = stockpile.keyed(rotation.Outlet)[name]
        yield from (n for period in rotation.opened(stockpile, outlet) for n in stockpile.tree.at[period])


def _done(m: pyo.ConcreteModel, stockpile: Stockpile, row: Commitment, name: str, node: int) -> list[Any]:
    """The variables of what a commitment speaks of at a node."""
    if row.kind == "order":
        return [m.buy[name, node]] if (name, node) in m.ORDERS else []
    if row.kind == "sign":
        return [m.sign[name, f, node] for f in levels(stockpile, row, name) if (name, f, node) in m.SIGNINGS]
    if row.kind == "project":
        return projects.going(m, name, node)
    outlet = stockpile.keyed(rotation.Outlet)[name]
    keys = ((name, w, a, node) for w in stockpile.sites for a in stockpile.first_ages(outlet.material, node))
    return [m.out[key] for key in keys if key in m.OUTS]


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ of what is done in the commitment's periods, on each path, is exactly, at least or at most what it asks for."""
    rows, tree = stockpile.rows(Commitment), stockpile.tree
    keys = [(c, leaf) for c, _ in enumerate(rows) for leaf in tree.leaves]
    m.COMMITMENTS = pyo.Set(dimen=2, initialize=keys, doc="commitment by its row, leaf of a path on which it is kept")

    def total(c: int, leaf: int) -> Any:
        row = rows[c]
        nodes = (n for n in tree.paths[leaf] if tree.period[n] in span(stockpile, row))
        return summed([each for n in nodes for each in _done(m, stockpile, row, str(named(stockpile, row)), n)])

    for sense, ways, doc in (
        ("least", ("exactly", "at_least"), "a commitment is kept at least [quantity]"),
        ("most", ("exactly", "at_most"), "a commitment is kept at most [quantity]"),
    ):
        held = [(c, leaf) for c, leaf in keys if rows[c].how in ways]

        def rule(m: pyo.ConcreteModel, c: int, leaf: int, sense: str = sense) -> object:
            return total(c, leaf) >= asked(rows[c]) if sense == "least" else total(c, leaf) <= asked(rows[c])

        constraint = pyo.Constraint(pyo.Set(dimen=2, initialize=held), rule=rule, doc=doc)
        m.add_component(f"hold_commitment_{sense}", constraint)
        for c, leaf in held:
            row = rows[c]
            node = leaf if row.date is None else next(n for n in tree.paths[leaf] if tree.period[n] in span(stockpile, row))
            unit = "quantity" if row.kind in METAL else "times"
            m.scaling_factor[constraint[c, leaf]] = 1 / stockpile.scale.of(unit)
            what = f"commitment to {row.kind} {row.name}"
            ledger.limit(constraint[c, leaf], sense, asked(row), unit, what, row, "quantity", node)  # type: ignore[arg-type]


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    tree = stockpile.tree
    for row in stockpile.rows(Commitment):
        name = str(named(stockpile, row))
        nodes = (n for n in tree.nodes if tree.period[n] in span(stockpile, row))
        done = sum(tree.probability[n] * evaluate(each) for n in nodes for each in _done(m, stockpile, row, name, n))
        yield CommitmentKept(
            date=None if row.date is None else stockpile.calendar.begin(span(stockpile, row)[0]),
            kind=row.kind,
            name=name,
            level=row.level,
            how=row.how,
            quantity=asked(row),
            planned=done,
            measure="quantity" if row.kind in METAL else "times",
        )
