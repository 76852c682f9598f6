"""Policy: limits by supplier, country, bloc, stage, feedstock, offer or contract."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace

import pyomo.environ as pyo

from stockpile_model.block import Block
from stockpile_model.blocks.policy import (
    counting,
    rolled_rules,
    rule_bars,
    rule_bounds,
    rule_checks,
    rule_limits,
    rule_outcomes,
)
from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.policy.weighing import weighing
from stockpile_model.choice import Waiver, without_row
from stockpile_model.ledger import Ledger
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add what each rule limits over each window, along each path."""
    weighed = weighing(stockpile, ledger)
    m.RULES = pyo.Set(
        dimen=3,
        initialize=weighed.instances,
        doc="rule, value, node at which a window of it ends",
    )
    counted = counting.count(weighed)
    counting.balance_arriving(m, counted)
    counting.add_counted(m, counted)
    counting.hold_counted(m, counted)
    counting.hold_present(m, counted)
    counting.cap_present(m, counted)

    totals = rule_limits.balance_total(m, weighed)
    rule_limits.hold_rules(m, weighed, totals, "least")
    rule_limits.post_limits(m, weighed, ledger, "least")
    rule_limits.hold_rules(m, weighed, totals, "most")
    rule_limits.post_limits(m, weighed, ledger, "most")


def orphan(row: Row, column: str) -> Row:
    """Keep a rule of what is left out."""
    return row


def ease(row: Rule) -> Rule:
    """Return a rule that asks for no least, and for no part of a whole but none of it.

    A share of what many plants bring says nothing of a few.
    """
    most = 1.0 if row.measure == "share" and row.most else row.most
    return replace(row, least=0.0 if most is None else None, most=most)


def waivers(stockpile: Stockpile) -> Iterator[Waiver]:
    """Yield each rule."""
    for number, row in enumerate(stockpile.rows(Rule)):
        lift = functools.partial(without_row, kind=Rule, number=number)
        yield Waiver(f"rule {row.rule}", row, "least" if row.most is None else "most", lift)


BLOCK = Block(
    tables=(Rule,),
    results=(RuleKept,),
    follows=("arriving", "counted", "present", "total"),
    check=rule_checks.check,
    review=rule_checks.review,
    add=add,
    report=rule_outcomes.report,
    forces=rule_bounds.forces,
    stretch=rule_bounds.stretch,
    bounds_orders=rule_bounds.bounds_orders,
    asks_spending=rule_bounds.spend_at_least,
    orphan=orphan,
    ease=ease,
    rolls=rolled_rules.rolls,
    waivers=waivers,
    bars=rule_bars.bars,
)
