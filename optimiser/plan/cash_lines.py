"""What a plan costs in cash: what is paid, from which money, what comes back and what is left.

A price on what is missing and the value of stock at the end are no cash; they stand apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from stockpile_model import amounts
from stockpile_model.block import headings
from stockpile_model.blocks.budget import Payment
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.objective import CashFlow
from stockpile_model.blocks.stock.lot_outcomes import LotStock
from stockpile_model.blocks.targets import TargetMet
from stockpile_model.solved_plan import by_scenario, on_path, parts, path_named
from stockpile_model.tables import Material

if TYPE_CHECKING:
    from optimiser.plan.plan import Plan

CLOSING = "closing_stock"
Flows = Sequence[CashFlow]
Paths = Mapping[str, list[CashFlow]]
"""The cash flows on the path of each scenario, the one that is counted first."""


def cash_lines(plan: Plan) -> Iterator[str]:
    """Yield what is paid and received, what the stock is worth, and what holding a unit costs.

    The sums are undiscounted, of the scenario that is counted, with their range over all.
    """
    if plan.until is not None:
        return
    paths = by_scenario(plan, CashFlow)
    yield on_path(plan, f"Pay {_sum(plan, paths, _paid)}{_sources(plan)}.")
    if any(_received(flows) for flows in paths.values()):
        received = f"Receive {_sum(plan, paths, _received)} for what is sold and shared."
        yield on_path(plan, received)
    for heading, about in headings().items():
        if not about.cash:
            yield from _no_cash(plan, paths, heading, about.meaning.removesuffix(" (no cash)"))
    yield from _held(plan, next(iter(paths.values())))


def _paid(flows: Flows) -> float:
    return math.fsum(each.amount for each in flows if each.cash and each.amount > 0)


def _received(flows: Flows) -> float:
    return 0.0 - math.fsum(each.amount for each in flows if each.cash and each.amount < 0)


def _of(heading: str, flows: Flows) -> float:
    return math.fsum(each.amount for each in flows if each.heading == heading)


def _no_cash(plan: Plan, paths: Paths, heading: str, meaning: str) -> Iterator[str]:
    """Yield what a heading that moves no cash adds to the cost, or takes off it."""
    found = [_of(heading, flows) for flows in paths.values()]
    if not any(found):
        return
    sign = -1 if min(found) < 0 else 1
    way = "added to" if sign > 0 else "taken off"
    where = f" in {path_named(plan)}".removesuffix(",") if parts(plan) else ""
    amount = _sum(plan, paths, lambda flows: sign * _of(heading, flows))
    yield f"No cash, but {way} the cost{where}: {meaning}, {amount}."


def _sum(plan: Plan, paths: Paths, amount: Callable[[Flows], float]) -> str:
    """Return an amount of the path that is counted, with its range over all paths."""
    found = [amount(flows) for flows in paths.values()]
    said = f"{amounts.rounded(found[0])} {plan.currency}"
    if parts(plan) and amounts.rounded(min(found)) != amounts.rounded(max(found)):
        least, most = amounts.rounded(min(found)), amounts.rounded(max(found))
        said += f" ({least} to {most} over the scenarios)"
    return said


def _sources(plan: Plan) -> str:
    """Return which funds pay how much of it; nothing without funds."""
    payments: Iterable[Payment] = next(iter(by_scenario(plan, Payment).values()))
    sums: dict[str, float] = {}
    for each in payments:
        sums[each.fund] = sums.get(each.fund, 0.0) + each.amount
    if not sums:
        return ""
    said = [f"{amounts.rounded(amount)} from {fund}" for fund, amount in sums.items()]
    return f": {amounts.listed(said)}"


def _held(plan: Plan, flows: Flows) -> Iterator[str]:
    """Yield what a unit in spec costs a year on the path that is counted, where one target asks for
    all that is paid for."""
    targets: Sequence[TargetMet] = next(iter(by_scenario(plan, TargetMet).values()))
    asked = {(each.material, each.buyer) for each in targets}
    if len(asked) != 1 or not _asks_for_all(plan, *next(iter(asked))):
        return
    held = _stock_years(plan)
    spent = _paid(flows) - _received(flows) + _of(CLOSING, flows)
    if held > plan.stockpile.scale.nothing:
        yield on_path(
            plan,
            f"To hold one {plan.unit} of {targets[0].material} in spec for a year costs"
            f" {amounts.rounded(float(f'{spent / held:.4g}'))} {plan.currency}, all payments less"
            f" receipts and what the stock is worth at the end{_served(plan)}.",
        )


def _asks_for_all(plan: Plan, material: str, buyer: str | None) -> bool:
    """Return whether a target is of all metal and all buyers of the workbook."""
    stockpile = plan.stockpile
    metals = {*stockpile.keyed(Material)} == {*stockpile.members(material)}
    return metals and (buyer is None or {*stockpile.owners} == {buyer})


def _stock_years(plan: Plan) -> float:
    """Return the stock in spec at the ends of all periods, also of those before the first target,
    on the path that is counted [quantity x year]."""
    materials = plan.stockpile.keyed(Material)
    stock: Sequence[LotStock] = next(iter(by_scenario(plan, LotStock).values()))
    held = math.fsum(
        each.quantity
        for each in stock
        if each.remaining_life is None
        or each.remaining_life >= (materials[each.material].count_life_months or 0.0)
    )
    return held * plan.stockpile.calendar.months / 12


def _served(plan: Plan) -> str:
    """Return that these payments serve demand too, where they do."""
    met = any(each.met > plan.stockpile.scale.nothing for each in plan.of(DemandMet))
    return "; they serve the demand too" if met else ""
