"""Money: which appropriation is obligated and pays for what, and what lapses."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.blocks.budget import appropriating, obligated, receipts, rolled_budget
from stockpile_model.blocks.budget.budget_checks import check
from stockpile_model.blocks.budget.budget_report import BudgetUse, Payment, report
from stockpile_model.blocks.budget.budget_terms import Budget
from stockpile_model.formulation import Formulation
from stockpile_model.funds import Fund
from stockpile_model.ledger import Ledger
from stockpile_model.stockpile import Stockpile

__all__ = ["BLOCK", "Budget", "BudgetUse", "Payment", "outlay_rows", "unsettled"]


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what each appropriation pays; without the table `funds` money is unlimited."""
    if not stockpile.given(Fund):
        return
    able, found, watched = obligated.collect(stockpile, ledger)
    obligated.add_bindings(m, found)
    obligated.balance_binding(m, found)
    obligated.cap_binding(m, found)
    obligated.settle(m, found)

    outlays = appropriating.group(found.paid, able, watched)
    appropriating.add_pay(m, able, outlays)
    appropriating.balance_outlay(m, outlays)
    appropriating.limit_outlay(m, ledger)
    failing = appropriating.group(found.failing, able, watched)
    appropriating.add_reserved(m, able, failing)
    appropriating.balance_reserved(m, failing)

    charges = appropriating.charges(m, able, watched)
    full, interim = appropriating.full_rows(charges), appropriating.interim_rows(charges)
    appropriating.add_paid(m, charges, full, interim)
    appropriating.balance_paid(m, charges)
    appropriating.add_appropriated(m, able)
    appropriating.cap_budget(m, charges, full)
    appropriating.cap_obligated(m, charges, interim)
    appropriating.limit_budget(m, able, ledger, full, interim)

    received = receipts.receipts(stockpile, ledger)
    receipts.balance_receipts(m, charges, received)
    receipts.hold_receipts(m, charges)


def outlay_rows(formulation: Formulation) -> dict[tuple[int, str, str], Any]:
    """Return the constraint that pays what the ledger posts, by node, heading and name.

    There are none where money is unlimited, nor for what is `unsettled`.
    """
    m, ledger = formulation.m, formulation.ledger
    rows = m.component("balance_outlay")
    if rows is None:
        return {}
    able, owed, watched = obligated.collect(formulation.stockpile, ledger)
    obligated.settle(m, owed)
    keys = {
        id(each.amount): key
        for key, parts in appropriating.group(owed.paid, able, watched).items()
        for each in parts
    }
    posted = ((each, keys.get(id(each.amount))) for each in ledger.outlays())
    return {(each.node, each.heading, each.name): rows[key] for each, key in posted if key in rows}


def unsettled(formulation: Formulation) -> set[str]:
    """Return the names of which something may fail, or is obligated where the plan says.

    A change of their price changes more than the constraints that pay them.
    """
    if formulation.m.component("balance_outlay") is None:
        return set()
    _, owed, _ = obligated.collect(formulation.stockpile, formulation.ledger)
    return {each.name for each in owed.failing} | {each.name for each in owed.split}


def affords(stockpile: Stockpile, cheapest: float) -> float:
    """Return what all appropriations together could buy at the lowest price [quantity].

    It is infinite without funds, and where one keeps its receipts.
    """
    keeps = any(fund.keeps_receipts for fund in stockpile.rows(Fund))
    if not stockpile.given(Fund) or cheapest <= 0 or keeps:
        return math.inf
    together = zip(*(view.rows(Budget) for view in stockpile.variants), strict=True)
    amount: float = sum(max(row.amount for row in rows) for rows in together)
    return amount / cheapest


BLOCK = Block(
    tables=(Fund, Budget),
    results=(BudgetUse, Payment),
    check=check,
    add=add,
    report=report,
    affords=affords,
    rolls=rolled_budget.rolls,
)
