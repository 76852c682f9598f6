"""Commitments: decisions already taken, or frozen by the officer; the plan decides the rest around them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.block import Block, Deed, deeds
from stockpile_model.calendar import overlap
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Ledger
from stockpile_model.schema import Problem, Result, Row, column, nearest
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class Commitment(Row):
    TABLE = "commitments"
    PURPOSE = "Decisions already taken, or frozen by the officer. All others stay free."
    STEP = "limits"
    CERTAIN = True
    kind: str = column("what is decided", required=True, choices=lambda: tuple(deeds()))
    name: str = column(
        "offer, contract, outlet or project, after its kind",
        required=True,
        names=lambda row: deed(row).table,
    )
    level: str | None = column(
        "level of the contract (sign); blank = any", names=lambda row: f"floors/{row.name}"
    )
    date: dt.date | None = column(
        "date of the decision, which falls into its period; blank = over the whole horizon"
    )
    quantity: float | None = column(
        "quantity (order, rotate); 1 or blank: it is done, 0: it is not (sign, project)",
        "quantity",
        least=0,
    )
    how: str = column(
        "how the plan must keep to it",
        default="exactly",
        choices=("exactly", "at_least", "at_most"),
    )


@dataclass(frozen=True, kw_only=True)
class CommitmentKept(Result):
    SHEET = "commitments"
    ABOUT = "decisions that were taken before, and what the plan makes of them"
    PLACE = 71
    MEANS = ("date", "kind", "name", "level", "how")
    date: dt.date | None = column("first day of the period; blank = over the whole horizon")
    kind: str = column("order, sign, rotate or project")
    name: str = column("offer, contract, outlet or project")
    level: str | None = column("level of the contract")
    how: str = column("exactly, at_least or at_most")
    quantity: float = column("what is committed", "quantity or times")
    planned: float = column("what the plan does", "quantity or times")
    measure: str = column("unit of the two: quantity, or times")


def deed(row: Commitment) -> Deed:
    """Return the kind of decision that a commitment is of."""
    return deeds()[row.kind]


def asked(row: Commitment) -> float:
    """What a commitment asks for: a quantity of metal, or how often it is done."""
    return 1.0 if row.quantity is None else row.quantity


def named(stockpile: Stockpile, row: Commitment) -> str | None:
    """The offer, contract, outlet or project that a commitment names; None for an unknown one."""
    return row.name if row.name in stockpile.names(deed(row).table) else None


def span(stockpile: Stockpile, row: Commitment) -> range:
    """The periods of a commitment: that of its date, or all."""
    return overlap(stockpile.calendar, row.date, row.date)


def check(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Commitment):
        name, where, levels = named(stockpile, row), deed(row).table, deed(row).levels
        if name is None:
            hint = nearest(row.name, stockpile.names(where))
            yield Problem(
                row.TABLE, row.line, "name", f"{row.name!r} has no row in the sheet {where}{hint}"
            )
        elif (
            row.level is not None
            and levels is not None
            and row.level not in (menu := [*levels(stockpile, name)])
        ):
            hint = nearest(row.level, menu)
            yield Problem(
                row.TABLE,
                row.line,
                "level",
                f"{row.level!r} is no level of {name} in the sheet floors{hint}",
            )
        if row.level is not None and levels is None:
            yield Problem(
                row.TABLE,
                row.line,
                "level",
                "must be blank for all but sign: only a contract has levels",
            )
        if not span(stockpile, row):
            end = stockpile.calendar.end(stockpile.settings.periods - 1)
            message = (
                f"must be within the horizon, {stockpile.settings.start} to {end}, found {row.date}"
            )
            if row.date is not None and row.date < stockpile.settings.start:
                message += "; what an earlier decision has brought is opening_stock, what it still brings an offer committed at its arrival"
            yield Problem(row.TABLE, row.line, "date", message)
        if row.quantity is None and deed(row).metal:
            yield Problem(
                row.TABLE, row.line, "quantity", "is required: how much is ordered or rotated"
            )
        if row.quantity not in (None, 0, 1) and not deed(row).metal:
            found = amounts.quantity(asked(row))
            yield Problem(
                row.TABLE,
                row.line,
                "quantity",
                f"must be 1 (it is done) or 0 (it is not), found {found}",
            )


def review(stockpile: Stockpile) -> Iterator[Problem]:
    for row in stockpile.rows(Commitment):
        if row.how == "at_most" or asked(row) == 0:
            continue
        if not any(
            stockpile.tree.period[n] in span(stockpile, row)
            for n in deed(row).possible(stockpile, str(named(stockpile, row)))
        ):
            when = "" if row.date is None else f" on {row.date}"
            message = f"cannot be kept: {row.kind} of {row.name} is not possible{when}; see its dates, lead time and supplier"
            yield Problem(row.TABLE, row.line, "date", message)


def _done(
    m: pyo.ConcreteModel, stockpile: Stockpile, row: Commitment, name: str, node: int
) -> Sequence[Any]:
    """Return the variables of what a commitment speaks of at a node."""
    return deed(row).done(m, stockpile, name, row.level, node)


def forces(stockpile: Stockpile, cheapest: float) -> float:
    """Return what commitments may make the plan buy beyond any use [quantity]."""
    return sum(row.quantity or 0.0 for row in stockpile.rows(Commitment) if deed(row).metal)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Σ of what is done in the commitment's periods, on each path, is exactly, at least or at most what it asks for."""
    rows, tree = stockpile.rows(Commitment), stockpile.tree
    keys = [(c, leaf) for c, _ in enumerate(rows) for leaf in tree.leaves]
    m.COMMITMENTS = pyo.Set(
        dimen=2, initialize=keys, doc="commitment by its row, leaf of a path on which it is kept"
    )

    def total(c: int, leaf: int) -> Any:
        row = rows[c]
        nodes = (n for n in tree.paths[leaf] if tree.period[n] in span(stockpile, row))
        return summed(
            [
                each
                for n in nodes
                for each in _done(m, stockpile, row, str(named(stockpile, row)), n)
            ]
        )

    for sense, ways, doc in (
        ("least", ("exactly", "at_least"), "a commitment is kept at least [quantity]"),
        ("most", ("exactly", "at_most"), "a commitment is kept at most [quantity]"),
    ):
        held = [(c, leaf) for c, leaf in keys if rows[c].how in ways]

        def rule(m: pyo.ConcreteModel, c: int, leaf: int, sense: str = sense) -> object:
            return (
                total(c, leaf) >= asked(rows[c])
                if sense == "least"
                else total(c, leaf) <= asked(rows[c])
            )

        constraint = pyo.Constraint(pyo.Set(dimen=2, initialize=held), rule=rule, doc=doc)
        m.add_component(f"hold_commitment_{sense}", constraint)
        for c, leaf in held:
            row = rows[c]
            node = (
                leaf
                if row.date is None
                else next(n for n in tree.paths[leaf] if tree.period[n] in span(stockpile, row))
            )
            unit = "quantity" if deed(row).metal else "times"
            m.scaling_factor[constraint[c, leaf]] = 1 / stockpile.scale.of(unit)
            what = f"commitment to {row.kind} {row.name}"
            ledger.limit(constraint[c, leaf], sense, asked(row), unit, what, row, "quantity", node)  # type: ignore[arg-type]


def report(formulation: Formulation) -> Iterator[Result]:
    m, stockpile = formulation.m, formulation.stockpile
    tree = stockpile.tree
    for row in stockpile.rows(Commitment):
        name = str(named(stockpile, row))
        nodes = (n for n in tree.nodes if tree.period[n] in span(stockpile, row))
        done = sum(
            tree.probability[n] * evaluate(each)
            for n in nodes
            for each in _done(m, stockpile, row, name, n)
        )
        yield CommitmentKept(
            date=None if row.date is None else stockpile.calendar.begin(span(stockpile, row)[0]),
            kind=row.kind,
            name=name,
            level=row.level,
            how=row.how,
            quantity=asked(row),
            planned=done,
            measure="quantity" if deed(row).metal else "times",
        )


BLOCK = Block(
    tables=(Commitment,),
    results=(CommitmentKept,),
    check=check,
    review=review,
    add=add,
    report=report,
    forces=forces,
)
