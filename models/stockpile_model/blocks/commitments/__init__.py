"""Commitments: decisions already taken, or frozen by the officer.

The plan decides the rest around them.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyomo.environ as pyo

from stockpile_model import amounts
from stockpile_model.block import Block, results
from stockpile_model.blocks.commitments.commitment_terms import (
    Commitment,
    asked,
    before,
    decided,
    deed,
    named,
    span,
)
from stockpile_model.choice import Waiver, without_row
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import Problem, Result, Row, column, nearest
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class CommitmentKept(Result):
    """Describe what the plan makes of a commitment."""

    SHEET = "commitments"
    ABOUT = "decisions that were taken before, and what the plan makes of them"
    PLACE = 71
    MEANS = ("date", "kind", "name", "level", "how")
    NAMED = ("name", "date")
    date: dt.date | None = column("first day of the period; blank = over the whole horizon")
    kind: str = column("order, sign, rotate or project")
    name: str = column("offer, contract, outlet or project")
    level: str | None = column("level of the contract")
    how: str = column("exactly, at_least or at_most")
    quantity: float = column("what is committed", "quantity or times")
    planned: float = column(
        "what the plan does; before the start: what was done", "quantity or times"
    )
    measure: str = column("unit of the two: quantity, or times")


Sense = Literal["least", "most"]
_WAYS: Mapping[Sense, tuple[str, str]] = {
    "least": ("exactly", "at_least"),
    "most": ("exactly", "at_most"),
}
"""The ways of keeping a commitment that each row holds."""


def check(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield what is wrong with the name, level, date and quantity of each commitment."""
    for row in stockpile.rows(Commitment):
        yield from _check_name(stockpile, row)
        if before(stockpile, row) and deed(row).before:
            yield from _check_earlier(row)
        else:
            yield from _check_date(stockpile, row)
        yield from _check_quantity(row)


def _check_name(stockpile: Stockpile, row: Commitment) -> Iterator[Problem]:
    name, where, levels = named(stockpile, row), deed(row).table, deed(row).levels
    if name is None:
        hint = nearest(row.name, stockpile.names(where))
        message = f"{row.name!r} has no row in the sheet {where}{hint}"
        yield Problem(row.TABLE, row.line, "name", message)
    elif row.level is not None and levels is not None:
        menu = [*levels(stockpile, name)]
        if row.level not in menu:
            message = f"{row.level!r} is no level of {name} in the sheet floors"
            yield Problem(row.TABLE, row.line, "level", message + nearest(row.level, menu))
    if row.level is not None and levels is None:
        message = "must be blank for all but sign: only a contract has levels"
        yield Problem(row.TABLE, row.line, "level", message)


def _check_earlier(row: Commitment) -> Iterator[Problem]:
    """Yield what is wrong with how a decision was taken before the start: it was taken."""
    if row.how == "at_most":
        message = "must be exactly or at_least for a decision before the start: it was taken"
        yield Problem(row.TABLE, row.line, "how", message)
    if asked(row) == 0:
        message = "is 0 before the start: what was not done then needs no row, leave it out"
        yield Problem(row.TABLE, row.line, "quantity", message)


def _check_date(stockpile: Stockpile, row: Commitment) -> Iterator[Problem]:
    if not span(stockpile, row):
        start, end = (
            stockpile.settings.start,
            stockpile.calendar.end(stockpile.settings.periods - 1),
        )
        message = f"must be within the horizon, {start} to {end}, found {row.date}"
        if before(stockpile, row):
            message += "; what has left by then is not in opening_stock"
        yield Problem(row.TABLE, row.line, "date", message)


def _check_quantity(row: Commitment) -> Iterator[Problem]:
    if row.quantity is None and deed(row).metal:
        message = "is required: how much is ordered or rotated"
        yield Problem(row.TABLE, row.line, "quantity", message)
    if row.quantity not in (None, 0, 1) and not deed(row).metal:
        found = amounts.quantity(asked(row))
        message = f"must be 1 (it is done) or 0 (it is not), found {found}"
        yield Problem(row.TABLE, row.line, "quantity", message)


def review(stockpile: Stockpile) -> Iterator[Problem]:
    """Yield the commitments that no plan can keep."""
    period = stockpile.tree.period
    for row in stockpile.rows(Commitment):
        if row.how == "at_most" or asked(row) == 0 or before(stockpile, row):
            continue
        possible = deed(row).possible(stockpile, str(named(stockpile, row)))
        if not any(period[n] in span(stockpile, row) for n in possible):
            when = "" if row.date is None else f" on {row.date}"
            message = f"cannot be kept: {row.kind} of {row.name} is not possible{when}"
            remedy = "see its dates, lead time and supplier"
            yield Problem(row.TABLE, row.line, "date", f"{message}; {remedy}")


def forces(stockpile: Stockpile, cheapest: float) -> float:
    """Return what commitments may make the plan buy beyond any use [quantity]."""
    rows = (row for row in stockpile.rows(Commitment) if not before(stockpile, row))
    return sum(row.quantity or 0.0 for row in rows if deed(row).metal)


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Hold each commitment on each path, at least and at most."""
    rows, leaves = stockpile.rows(Commitment), stockpile.tree.leaves
    m.COMMITMENTS = pyo.Set(
        dimen=2,
        initialize=[
            (c, leaf) for c, row in enumerate(rows) for leaf in leaves if not before(stockpile, row)
        ],
        doc="commitment by its row, leaf of a path on which it is kept",
    )
    hold_commitments(m, stockpile, "least")
    limit_commitments(m, stockpile, ledger, "least")
    hold_commitments(m, stockpile, "most")
    limit_commitments(m, stockpile, ledger, "most")


def hold_commitments(m: pyo.ConcreteModel, stockpile: Stockpile, sense: Sense) -> None:
    """Require Σ of what is done in the commitment's periods, on each path, ≥ or ≤ quantity."""
    rows, paths = stockpile.rows(Commitment), stockpile.tree.paths

    def rule(m: pyo.ConcreteModel, c: int, leaf: int) -> object:
        done = [each for n, each in _done(m, stockpile, rows[c], paths[leaf])]
        return (
            summed(done) >= asked(rows[c]) if sense == "least" else summed(done) <= asked(rows[c])
        )

    held = [(c, leaf) for c, leaf in m.COMMITMENTS if rows[c].how in _WAYS[sense]]
    constraint = pyo.Constraint(
        pyo.Set(dimen=2, initialize=held),
        rule=rule,
        doc=f"a commitment is kept at {sense} [quantity or 1]",
    )
    m.add_component(f"hold_commitment_{sense}", constraint)
    for (c, _), row in constraint.items():
        m.scaling_factor[row] = 1 / stockpile.scale.of(_unit(rows[c]))


def limit_commitments(
    m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger, sense: Sense
) -> None:
    """Post each commitment with its cell, at the node of its date or the end of its path."""
    tree = stockpile.tree
    for (c, leaf), data in m.component(f"hold_commitment_{sense}").items():
        row = stockpile.rows(Commitment)[c]
        periods = span(stockpile, row)
        dated = (n for n in tree.paths[leaf] if tree.period[n] in periods)
        node = leaf if row.date is None else next(dated)
        what = f"commitment to {row.kind} {row.name}"
        ledger.limit(data, sense, asked(row), _unit(row), what, row, "quantity", node)


def _unit(row: Commitment) -> str:
    """Return the unit of a commitment."""
    return "quantity" if deed(row).metal else "times"


def _done(
    m: pyo.ConcreteModel, stockpile: Stockpile, row: Commitment, nodes: Iterable[int]
) -> Iterator[tuple[int, Any]]:
    """Yield the variables of what a commitment asks for, at those of some nodes in its periods."""
    name, periods = str(named(stockpile, row)), span(stockpile, row)
    for n in nodes:
        if stockpile.tree.period[n] in periods:
            for each in deed(row).done(m, stockpile, name, row.level, n):
                yield n, each


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what the plan makes of each commitment, expected."""
    m, stockpile = formulation.m, formulation.stockpile
    tree = stockpile.tree
    for row in stockpile.rows(Commitment):
        was = before(stockpile, row)
        done = _done(m, stockpile, row, tree.nodes)
        first = decided(stockpile, row) if was else span(stockpile, row)[0]
        begin = stockpile.calendar.begin(first)
        yield CommitmentKept(
            date=None if row.date is None else begin,
            kind=row.kind,
            name=str(named(stockpile, row)),
            level=row.level,
            how=row.how,
            quantity=asked(row),
            planned=(
                asked(row) if was else sum(tree.probability[n] * evaluate(each) for n, each in done)
            ),
            measure=_unit(row),
        )


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield what is still to be kept; what was done of it in periods that are over is taken off."""
    rows = [row for row in passed.rows(Commitment) if not passed.over(row.date)]
    left = (row if row.date is not None else _left(passed, row) for row in rows)
    yield Commitment, [row for row in left if row is not None]


def _left(passed: Passed, row: Commitment) -> Commitment | None:
    """Return a commitment over the whole horizon, less what was done of it; None: it is kept."""
    done = [amount for kind in results() for amount in _shown(passed, row, kind)]
    if not deed(row).metal:
        return None if done else row
    left = max(0.0, asked(row) - sum(done))
    return None if row.how == "at_least" and left == 0 else replace(row, quantity=left)


def _shown(passed: Passed, row: Commitment, kind: type[Result]) -> Iterator[float]:
    """Yield what result rows of a type show as done of a commitment."""
    at = kind.DEED
    if at is not None and at.kind == row.kind:
        for each in passed.done(kind.SHEET, at.date):
            if each[at.name] == row.name:
                yield each[at.quantity] if at.quantity else 1.0


def waivers(stockpile: Stockpile) -> Iterator[Waiver]:
    """Yield each commitment."""
    for number, row in enumerate(stockpile.rows(Commitment)):
        lift = functools.partial(without_row, kind=Commitment, number=number)
        what = " ".join(filter(None, ("commitment to", row.kind, row.name, row.level)))
        if row.date is not None:
            what += f" in {row.date}"
        yield Waiver(what, row, "quantity", lift)


BLOCK = Block(
    tables=(Commitment,),
    results=(CommitmentKept,),
    check=check,
    review=review,
    add=add,
    report=report,
    forces=forces,
    rolls=rolls,
    waivers=waivers,
)
