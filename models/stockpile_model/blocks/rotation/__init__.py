"""Rotation: how stock is taken out before its life is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.rotation import (
    dispatch_terms,
    dispatching,
    outlet_checks,
    outlet_choices,
    outlet_terms,
    requalified,
    rotated,
    rotating,
)
from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms
from stockpile_model.blocks.rotation.dispatched import Dispatch, dispatched
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.rotation.requalified import Requalified
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.choice import chosen
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import DISPOSAL, Heading, Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import Result, Row
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what leaves through outlets, and what comes back."""
    rotating.add_out(m, stockpile)
    through = dispatching.through_outlets(m)
    terms = DispatchTerms(stockpile, ledger, list(through))
    dispatching.add_dispatch(m, terms)

    rotating.take_out(m, stockpile, terms, ledger)
    dispatching.pay_dispatch(m, terms, through, ledger)

    rotating.cap_outlet(m, terms, through, ledger)
    dispatching.cap_dispatch(m, terms, through, ledger)
    dispatching.hold_minimum_dispatch(m, terms, through)
    dispatching.hold_dispatch_lots(m, terms, through)


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what leaves each lot, what comes back of it from a test, and each dispatch."""
    yield from rotated.report(formulation)
    yield from requalified.report(formulation)
    yield from dispatched(formulation)


def orphan(row: Row, column: str) -> Row | None:
    """Keep an outlet whose fund is left out: its receipts go to nobody's fund."""
    return replace(row, fund=None) if isinstance(row, Outlet) and column == "fund" else None


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield nothing; say what is out, or was tested, which no workbook can hold."""
    for row in passed.done(Rotated.SHEET):
        if row["returns"] is not None and not passed.over(row["returns"]):
            passed.stuck.append(
                f"{row['lot']} left through {row['outlet']} and is back on {row['returns']}: go on "
                "from a later date"
            )
    last = passed.calendar.begin(passed.gone - 1)
    held = {row["lot"] for row in passed.shown("lots") if row["date"] == last}
    for row in passed.done(Requalified.SHEET):
        if row["lot"] in held and not row["passed"]:
            passed.stuck.append(f"{row['lot']} has failed a test, which opening_stock cannot say")
    yield from ()


BLOCK = Block(
    tables=(Outlet,),
    results=(Rotated, Dispatch, Requalified),
    pays=("rotation",),
    headings=(
        Heading("rotation", "costs of outlets"),
        DISPOSAL,
        Heading("sales", "receipts from outlets", receiver=Outlet.TABLE),
    ),
    exits=(rotating.ROTATION,),
    decisions=("out", "dispatch", "dispatch_lots"),
    tallies=(Tally("out", "rotate", alike=True),),
    deeds=(rotating.DEED,),
    choices=(
        chosen(
            rotating.DEED,
            kind="outlet",
            facts=outlet_choices.facts,
            lever=outlet_choices.lever,
            payments=outlet_choices.payments,
            why_not=outlet_choices.why_not,
        ),
    ),
    check=outlet_checks.check,
    add=add,
    review=dispatch_terms.review,
    report=report,
    tells_apart=outlet_terms.tells_apart,
    uses=outlet_terms.uses,
    turns=outlet_terms.turns,
    renews=outlet_terms.renews,
    bounds_orders=dispatch_terms.bounds_orders,
    orphan=orphan,
    rolls=rolls,
)
