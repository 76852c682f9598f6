"""Stock by age: what is on hand, what is handed on to the next period, what expires."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.stock import (
    age_classes,
    ageing,
    holding,
    lot_checks,
    lot_outcomes,
    lot_terms,
    site_choices,
)
from stockpile_model.blocks.stock.flows import Flows
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.ledger import DISPOSAL, Heading, Ledger
from stockpile_model.passed import Passed
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Site


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add stock by age, how it is handed on, and what sites hold and cost."""
    holding.open_lots(stockpile, ledger)
    flows = Flows(m, stockpile, ledger)
    ledger.balanced = True
    holding.add_stock(m, stockpile, flows)

    age_classes.add_pass_on(m, flows)
    age_classes.balance_enter(m, flows)
    age_classes.balance_aged(m, flows)
    age_classes.cap_aged(m, flows)
    age_classes.cap_staying(m, flows)
    age_classes.hold_staying(m, flows)
    age_classes.cap_oldest(m, flows)
    age_classes.keep_ages(m, flows, ledger)

    ageing.balance_stock(m, flows)
    ageing.balance_expiry(m, flows)
    ageing.hold_last_age(m, flows)
    ageing.hold_moved(m, flows)
    ageing.hold_expiry(m, flows)

    holding.pay_storage(m, stockpile, ledger)
    holding.waste_expired(m, stockpile, ledger)
    holding.pay_handling(stockpile, ledger)
    holding.cap_site(m, stockpile, ledger)


def rolls(passed: Passed) -> Iterator[tuple[type[Row], Sequence[Row]]]:
    """Yield the lots that are on hand when the first periods are over."""
    last, tested = passed.calendar.begin(passed.gone - 1), lot_terms.tests_of(passed)
    lots, names = list[OpeningLot](), set[str]()
    for row in passed.shown(LotStock.SHEET):
        if row["date"] == last:
            name = row["lot"]
            while name in names:
                name = f"{name} at {row['site']}"
            names.add(name)
            where = row["site"] if passed.stockpile.given(Site) else None
            lot = row["lot"], row["material"], row["made"]
            what = row["material"], row["quantity"], row["made"]
            lots.append(_lot(name, where, *what, tested.get(lot, 0)))
    yield OpeningLot, lots


def _lot(
    name: str, site: str | None, material: str, quantity: float, made: dt.date, times: int | None
) -> OpeningLot:
    return OpeningLot(
        lot=name,
        site=site,
        material=material,
        quantity=quantity,
        made=made,
        requalified=times or 0,
        failed=times is None,
    )


BLOCK = Block(
    tables=(OpeningLot,),
    results=(LotStock, Movement, Delivery),
    pays=("storage",),
    headings=(
        Heading("storage", "site and holding cost"),
        Heading("handling", "handling in and out"),
        DISPOSAL,
    ),
    tallies=(Tally("expired", "waste", "total"), Tally("stock", "stock", "held")),
    check=lot_checks.check,
    review=lot_checks.review,
    add=add,
    report=lot_outcomes.report,
    tells_apart=lot_terms.tells_apart,
    rolls=rolls,
    choices=(site_choices.CHOICE,),
    lives=lot_terms.lives,
    renews=lot_terms.renews,
    entries=site_choices.entries,
)
