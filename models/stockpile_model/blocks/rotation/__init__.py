"""Rotation: how stock is taken out before its life is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.commitments.commitment_terms import Commitment
from stockpile_model.blocks.rotation import (
    dispatch_terms,
    dispatching,
    outlet_checks,
    outlet_choices,
    outlet_terms,
    requalified,
    rolled_tests,
    rotated,
    rotating,
)
from stockpile_model.blocks.rotation.dispatch_terms import DispatchTerms
from stockpile_model.blocks.rotation.dispatched import Dispatch, dispatched
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.rotation.requalified import Requalified
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_terms import OpeningLot
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
    rotating.bring_back_earlier(stockpile, ledger)
    rotating.bring_back_tested(stockpile, ledger)
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
    """Yield what is out and comes back: fresh metal, and lots that are tested."""
    now = {row.outlet: row for row in passed.rows(Outlet)}
    out: dict[tuple[str, dt.date, dt.date, str | None], float] = {}
    for row in passed.done(Rotated.SHEET):
        if row["returns"] is None or passed.over(row["returns"]):
            continue
        site = row["site"] if len(passed.stockpile.sites) > 1 else None
        key = row["outlet"], row["date"], row["returns"], site
        if now[row["outlet"]].form in outlet_terms.RETURNING and row["returned"] is not None:
            out[key] = out.get(key, 0.0) + row["returned"]
    for earlier, outlet, due in outlet_terms.out_before(passed.stockpile):
        if due >= passed.gone and earlier.date is not None:
            key = earlier.name, earlier.date, passed.calendar.begin(due), earlier.site
            out[key] = out.get(key, 0.0) + outlet_terms.returned(earlier, outlet)
    yield Commitment, [row for key, back in out.items() for row in _out(passed, now, key, back)]
    yield OpeningLot, [*rolled_tests.in_test(passed, now)]


def _out(
    passed: Passed,
    now: Mapping[str, Outlet],
    key: tuple[str, dt.date, dt.date, str | None],
    back: float,
) -> Iterator[Commitment]:
    """Yield what is out as a commitment, by what comes back and the yield that holds now.

    Where the lead time has changed, its date is that from which it would come back when it does.
    """
    name, day, returns, site = key
    outlet, calendar = now[name], passed.calendar
    begin = calendar.begin(calendar.period(returns) - outlet_terms.lead(passed.stockpile, outlet))
    if calendar.period(begin) != calendar.period(day):
        day = begin
    if back > 0 and outlet.yield_ > 0 and passed.over(day):
        quantity = back / outlet.yield_
        yield Commitment(kind="rotate", name=name, date=day, quantity=quantity, site=site)
    elif back > 0:
        passed.stuck.append(
            f"what left through {name} on {day} is back on {returns}, which its yield or lead time "
            "now cannot say: go on from a later date"
        )


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
    brings=outlet_terms.brings,
    bounds_orders=dispatch_terms.bounds_orders,
    orphan=orphan,
    rolls=rolls,
)
