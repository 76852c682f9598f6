"""What of a plan surprises whoever reads it, with the figures that explain it.

Each sentence states what the rows show. None of it is an error: the plan keeps every limit, and
the prices of the workbook make it so.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from optimiser.plan.target_sums import TargetSums
from stockpile_model import amounts
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.rotation.outlet_terms import RELEASING
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_terms import counting
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.solved_plan import (
    D,
    by_material,
    by_scenario,
    counted,
    on_path,
    parts,
    several_metals,
)
from stockpile_model.tables import Material

if TYPE_CHECKING:
    from optimiser.plan.plan import Plan

Missed = Mapping[tuple[str, dt.date], float]
"""What is missing of the targets of a material at a date [quantity]."""


def surprises(plan: Plan) -> Iterator[str]:
    """Yield what surprises of a plan of the whole horizon: one idea a line.

    It lets metal go that counts while a target is missed; it buys dear and sells cheap in one
    period; the scenario that misses most is the cheapest.
    """
    yield from _released(plan)
    yield from _dear_and_cheap(plan)
    yield from _cheapest(plan)


# --- Metal that counts leaves while a target is missed --------------------------------------------


def _released(plan: Plan) -> Iterator[str]:
    """Yield what leaves that would count, while a target is missed, and what that brings."""
    missed, nothing = _missed(plan), plan.stockpile.scale.nothing
    rows = [
        row
        for row in _first(plan, Rotated)
        if row.form in RELEASING
        and row.remaining_life is not None
        and missed.get((row.material, row.date), 0.0) > nothing
        and counting(plan.stockpile, row.material, row.remaining_life, row.date) > 0
    ]
    for of, own in by_material(plan, rows):
        yield on_path(plan, _released_of(plan, own, of, missed))


def _released_of(plan: Plan, rows: Sequence[Rotated], of: str, missed: Missed) -> str:
    """Return what leaves of a material that would count, with the words that name it."""
    unit, price = plan.unit, f"{plan.currency}/{plan.unit}"
    most = max(rows, key=lambda row: row.quantity)
    periods = amounts.count(len({row.date for row in rows}), "period")
    short = amounts.about(missed[most.material, most.date])
    return (
        f"In {periods} {amounts.summed(math.fsum(row.quantity for row in rows))} {unit}{of} leave"
        f" that would still count, while a target is missed: most in {amounts.month(most.date)},"
        f" {amounts.summed(most.quantity)} {unit} of {most.lot} through {most.outlet} at"
        f" {amounts.rounded(most.price)} {price}, with {short} {unit} below target then."
        f"{_worth_of_counting(plan, most)} The setting release_below_target = no forbids it."
    )


def _missed(plan: Plan) -> Missed:
    """Return what is missing of targets on the path that is counted, by material and date."""
    found = TargetSums[tuple[str, dt.date]]()
    for row in _first(plan, TargetMet):
        for material in plan.stockpile.members(row.material):
            found.add((material, row.date), row, row.below)
    return found.largest()


def _worth_of_counting(plan: Plan, row: Rotated) -> str:
    """Return what keeping metal would have saved of the price on stock below target, at most."""
    cost = plan.stockpile.keyed(Material)[row.material].below_target_cost or 0.0
    periods = counting(plan.stockpile, row.material, row.remaining_life or 0.0, row.date)
    price = f"{plan.currency}/{plan.unit}"
    more = amounts.count(periods, "more period end")
    if cost == 0:
        return f" Stock below target has no price (below_target_cost of {row.material})."
    return (
        f" Kept, it would count at {more}, which saves at most"
        f" {amounts.rounded(cost * periods)} {price} of the price on stock below target."
    )


# --- Bought dear and sold cheap in one period -----------------------------------------------------


class Pair(NamedTuple):
    """An order and a sale of one material in one period."""

    order: Order
    sale: Rotated

    @property
    def loss(self) -> float:
        """Return what is lost on what is both bought and sold, at the most [money]."""
        quantity = min(self.order.ordered, self.sale.quantity)
        return quantity * (self.order.delivered_price - self.sale.price)


def _dear_and_cheap(plan: Plan) -> Iterator[str]:
    """Yield that a material is ordered in the period in which it is sold for less."""
    sales: dict[tuple[str, dt.date], list[Rotated]] = defaultdict(list)
    for row in _first(plan, Rotated):
        if row.form == "sale":
            sales[row.material, row.date].append(row)
    pairs = [
        Pair(order, sale)
        for order in _first(plan, Order)
        for sale in sales.get((order.material, order.date), ())
        if order.delivered_price > sale.price
    ]
    if not pairs:
        return
    order, sale = max(pairs, key=lambda pair: pair.loss)
    unit, price = plan.unit, f"{plan.currency}/{plan.unit}"
    periods = amounts.count(len({pair.order.date for pair in pairs}), "period")
    yield on_path(
        plan,
        f"In {periods} a material is ordered for more than it is sold for. In"
        f" {amounts.month(order.date)} {amounts.summed(order.ordered)} {unit} of"
        f" {order.material} are ordered at {amounts.rounded(order.delivered_price)} {price}"
        f" delivered{_life(_received(plan, order))}, and {amounts.summed(sale.quantity)} {unit}"
        f" sold at {amounts.rounded(sale.price)} {price}{_life(sale.remaining_life)}.",
    )


def _received(plan: Plan, order: Order) -> float | None:
    """Return the life that metal has when it arrives [months]; None: it is unlimited."""
    life = plan.stockpile.keyed(Material)[order.material].shelf_life_months
    return order.life_on_receipt if order.life_on_receipt is not None else life


def _life(months: float | None) -> str:
    return "" if months is None else f" with {amounts.count(months, 'month')} of life"


# --- The cheapest future misses more --------------------------------------------------------------


def _cheapest(plan: Plan) -> Iterator[str]:
    """Yield that the cheapest scenario is one that misses more, and why it is cheap."""
    outcomes = {each.scenario: each for each in plan.of(ScenarioOutcome)}
    if not parts(plan) or not outcomes:
        return
    base = outcomes[counted(plan.stockpile)]
    least = min(outcomes.values(), key=lambda each: each.cost)
    more = least.shortfall - base.shortfall
    if least.cost >= base.cost or more <= plan.stockpile.scale.nothing:
        return
    flows = by_scenario(plan, CashFlow)
    paid, priced = (
        _sum(flows[base.scenario], cash) - _sum(flows[least.scenario], cash)
        for cash in (True, False)
    )
    if paid <= 0:
        return
    much = "" if several_metals(plan) else f" {amounts.about(more)} {plan.unit}"
    yield (
        f"The cheapest scenario is {least.scenario}, {_money(plan, least.cost)}, though it misses"
        f"{much} more than {base.scenario}: undiscounted it pays"
        f" {_money(plan, paid)} less, and what else is counted comes to"
        f" {_money(plan, abs(priced))} {'more' if priced < 0 else 'less'}."
    )


def _sum(flows: Sequence[CashFlow], cash: bool) -> float:
    """Return what is paid less what is received, or what moves no cash, undiscounted [money]."""
    return math.fsum(each.amount for each in flows if each.cash == cash)


def _money(plan: Plan, amount: float) -> str:
    return f"{amounts.rounded(amount)} {plan.currency}"


def _first(plan: Plan, kind: type[D]) -> Sequence[D]:
    """Return the rows of a type on the path that is counted."""
    return next(iter(by_scenario(plan, kind).values()))
