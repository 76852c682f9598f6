"""Other signatures: what the plan would cost with another level of a contract signed, by solving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optimiser.plan import Plan
from stockpile_model import amounts
from stockpile_model.blocks.commitments import Commitment
from stockpile_model.blocks.price_floors import Contract, ContractOutcome, FloorOutcome
from stockpile_model.scale import NOISE
from stockpile_model.stockpile import Stockpile


def signed(stockpile: Stockpile, contract: str, level: str) -> Stockpile:
    """The stockpile with one more commitment: that a level of a contract is signed."""
    rows = (*stockpile.rows(Commitment), Commitment(kind="sign", name=contract, level=level))
    return replace(stockpile, tables={**stockpile.tables, Commitment: rows})


def open_levels(plan: Plan) -> Iterator[FloorOutcome]:
    """The levels that the plan does not sign, of contracts that could be signed."""
    counted = {row.contract for row in plan.stockpile.rows(Contract) if plan.stockpile.counts(row.supplier)}
    return (each for each in plan.of(FloorOutcome) if not each.signed and each.contract in counted)


def compared(plan: Plan, level: FloorOutcome, objective: float | None, bound: float | None) -> FloorOutcome:
    """A level with what the plan would cost more, had it been signed; without a plan where that cannot be."""
    if objective is None:
        return replace(level, to_change="cannot be signed: then no plan keeps every limit")
    more = objective - plan.objective
    other = next((each for each in plan.of(ContractOutcome) if each.contract == level.contract and each.level is not None), None)
    instead = "" if other is None else f" instead of {other.level}"
    said = f"signed{instead} it would cost {amounts.money(more)} {plan.currency} more in all"
    if more <= NOISE * max(plan.stockpile.scale.money, abs(plan.objective)):
        said = f"signed{instead} it would cost no more, within the gap"
    elif level.expected_quantity > 0:
        fall = f"{amounts.about(more / level.expected_quantity)} {plan.currency}/{plan.unit}"
        said += f": its price would have to fall by about {fall}, or money of that size come with it"
    least = None if bound is None else bound - plan.objective
    return replace(level, cost_difference=more, difference_at_least=least, to_change=said)
