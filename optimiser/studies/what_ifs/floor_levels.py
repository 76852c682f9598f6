"""Floor levels: what the plan would cost with another level of a contract signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optimiser.plan.plan import Plan
from optimiser.solving.search_options import Options
from optimiser.studies.engine.case import Case, CaseResult, Commit
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.studies.what_ifs.what_if import WhatIf, no_refusal
from stockpile_model import amounts
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Contract, menu
from stockpile_model.blocks.contracts.option_value import FloorOutcome
from stockpile_model.scale import NOISE
from stockpile_model.stockpile import Stockpile


def signed(contract: str, level: str) -> Case:
    """Return the case in which a level of a contract is signed."""
    return Case(
        commits=(Commit("sign", contract, level, "exactly", 1.0),),
        note=f"{contract} at level {level}",
    )


def open_levels(plan: Plan) -> Iterator[FloorOutcome]:
    """Yield the levels that the plan does not sign, of contracts that could be signed."""
    counted = {
        row.contract for row in plan.stockpile.rows(Contract) if plan.stockpile.counts(row.supplier)
    }
    return (each for each in plan.of(FloorOutcome) if not each.signed and each.contract in counted)


def compared(
    plan: Plan, level: FloorOutcome, objective: float | None, bound: float | None
) -> FloorOutcome:
    """Return a level with what the plan would cost more, had it been signed; `objective` None where
    that cannot be.
    """
    if objective is None:
        return replace(level, to_change="cannot be signed: then no plan keeps every limit")
    more = objective - plan.objective
    other = next(
        (
            each
            for each in plan.of(ContractOutcome)
            if each.contract == level.contract and each.level is not None
        ),
        None,
    )
    instead = "" if other is None else f" instead of {other.level}"
    said = f"signed{instead} it would cost {amounts.rounded(more)} {plan.currency} more in all"
    if more <= NOISE * max(plan.stockpile.scale.money, abs(plan.objective)):
        said = f"signed{instead} it would cost no more, within the gap"
    elif level.expected_quantity > 0:
        fall = f"{amounts.about(more / level.expected_quantity)} {plan.currency}/{plan.unit}"
        said += (
            f": its price would have to fall by about {fall}, or money of that size come with it"
        )
    least = None if bound is None else bound - plan.objective
    return replace(level, cost_difference=more, difference_at_least=least, to_change=said)


def cases(plan: Plan) -> list[Case]:
    """Return a case for each level that is not signed."""
    return [signed(level.contract, level.level) for level in open_levels(plan)]


def attach(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with what every level that it does not sign would cost, in its verdict
    too."""
    pairs = zip(open_levels(plan), results, strict=True)
    made = {(level.contract, level.level): _result(plan, level, each) for level, each in pairs}
    rows = tuple(made.get((each.contract, each.level), each) for each in plan.of(FloorOutcome))
    said = (
        f"{each.contract} at level {each.level}: {each.to_change}."
        for each in made.values()
        if each.to_change
    )
    verdict = plan.verdict_with(*said)
    return replace(plan, rows={**plan.rows, FloorOutcome: rows}, verdict=verdict)


def _result(plan: Plan, level: FloorOutcome, result: CaseResult) -> FloorOutcome:
    if result.objective is None and result.status != "infeasible":
        return replace(level, to_change=f"not known: {result.ended}")
    return compared(plan, level, result.objective, result.bound)


def _levels(stockpile: Stockpile) -> list[tuple[str, str]]:
    counted = (row.contract for row in stockpile.rows(Contract) if stockpile.counts(row.supplier))
    return [(contract, level) for contract in counted for level in menu(stockpile)[contract]]


def rounds(asked: Asked) -> Rounds:
    """Plan as it is, and with each level of each contract signed."""
    levels = _levels(asked.stockpile)
    base, *others = yield [Case(note="as it is"), *(signed(*each) for each in levels)]
    if base.objective is None:
        return [
            AnswerTable(
                "floor levels",
                f"As it is there is no plan to compare with: {base.ended}.",
                ("contract",),
                [],
            )
        ]
    rows = []
    for (contract, level), each in zip(levels, others, strict=True):
        more = None if each.objective is None else each.objective - base.objective
        least = None if each.bound is None else each.bound - base.objective
        rows.append(
            (contract, level, each.objective, more, least, "" if each.planned else each.ended)
        )
    known = [row for row in rows if isinstance(row[3], float)]
    said = "No level can be signed."
    if known:
        dear = max(known, key=lambda row: float(row[3] or 0.0))
        said = f"The plan costs {asked.paid(base.objective)}; "
        said += (
            f"the dearest signature is {dear[0]} at {dear[1]}: {asked.paid(dear[3] or 0.0)} more."
        )
    header = (
        "contract",
        "level",
        f"cost [{asked.money}]",
        f"more [{asked.money}]",
        f"proven at least [{asked.money}]",
        "remark",
    )
    return [AnswerTable("floor levels", said, header, rows)]


FLOOR_LEVELS = WhatIf(
    kind="floor_levels",
    refuse=no_refusal,
    cases=cases,
    attach=attach,
    rounds=rounds,
    results=(FloorOutcome,),
)
