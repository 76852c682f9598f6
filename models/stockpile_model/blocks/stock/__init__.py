"""Stock by age: what is on hand, what is handed on to the next period, what expires."""

from __future__ import annotations

import pyomo.environ as pyo

from stockpile_model.block import Block, Tally
from stockpile_model.blocks.stock import (
    age_classes,
    ageing,
    holding,
    lot_checks,
    lot_outcomes,
    lot_terms,
)
from stockpile_model.blocks.stock.flows import Flows
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.blocks.stock.lot_terms import OpeningLot
from stockpile_model.ledger import DISPOSAL, Heading, Ledger
from stockpile_model.stockpile import Stockpile


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
)
