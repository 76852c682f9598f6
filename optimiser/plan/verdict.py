"""The verdict on a plan: what an officer reads first, one idea a line.

Each sentence is written by one function, for a plan of all that is decided (`verdict`) and for a
plan of what is done before the first scenario is known (`trunk_verdict`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import ROUND_CEILING, Context
from typing import TYPE_CHECKING

from optimiser.plan.cash_lines import cash_lines
from optimiser.plan.plan_changes import change_lines, priced_away
from optimiser.plan.surprises import surprises
from stockpile_model import amounts
from stockpile_model.block import results
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.lots import EXPIRED
from stockpile_model.schema import Result
from stockpile_model.solved_plan import averaged, by_material, several_metals

if TYPE_CHECKING:
    from optimiser.plan.plan import Plan

EDITED = "edited"
"""The status of a plan that was changed after it was written: nothing is proven of it."""


def verdict(plan: Plan) -> str:
    """Return what the plan does, what it costs and how sure it is."""
    return "\n".join([*bought(plan), *missed(plan), *paid(plan), proof(plan), *change_lines(plan)])


def in_short(plan: Plan) -> Iterator[str]:
    """Yield the verdict without what sheets list: what is done, and what of the cost is no cash."""
    kept = {*list(cash_lines(plan))[:1], _cost(plan)}
    listed = {*bought(plan), *paid(plan)} - kept
    yield from (each for each in plan.verdict.splitlines() if each not in listed)


def bought(plan: Plan) -> Iterator[str]:
    """Yield what is done."""
    yield from _done(plan) if plan.until is None else _trunk(plan)


def missed(plan: Plan) -> Iterator[str]:
    """Yield what expires, and whether what is asked for is there."""
    if plan.until is not None:
        yield from _expected_losses(plan)
        return
    yield _waste(plan)
    yield from _missed(plan)
    yield from surprises(plan)


def paid(plan: Plan) -> Iterator[str]:
    """Yield what the plan pays, what it costs, and what its dearest scenarios cost."""
    yield from cash_lines(plan)
    yield _cost(plan)
    yield from _risk(plan)
    yield from _weighed_risk(plan)


def proof(plan: Plan) -> str:
    """Return what the search proves."""
    if plan.bound is None or plan.gap is None:
        return f"The solver gave no bound, {_UNKNOWN}"
    if plan.status == "optimal":
        return f"Proven: {_better(plan)}."
    if priced_away(plan):
        return f"Proven, with changes priced: {_better(plan)}."
    return (
        f"The search stopped before its proof was done. So far it is proven that {_better(plan)}."
    )


def doubts(plan: Plan) -> Iterator[str]:
    """Yield what stands against signing a plan as it is: it was changed, or is not proven."""
    if plan.status == EDITED:
        yield "This plan was changed after it was written: nothing is proven of it."
    elif plan.status != "optimal":
        yield f"This plan is not proven to be the best. {proof(plan)}"
    if plan.until is not None:
        yield (
            f"It holds what is done before {amounts.month(plan.until)} only. What follows is to be"
            " planned once it is known which scenario comes."
        )


def trunk_verdict(plan: Plan, proven: str) -> str:
    """Return what is decided for all scenarios, what it costs over them and how sure it is.

    `proven` says what proves the bound, as the beginning of a sentence.
    """
    return "\n".join(
        [
            *_trunk(plan),
            "What to do later is to be planned once it is known which scenario comes.",
            _cost(plan),
            *_risk(plan),
            *_weighed_risk(plan),
            *_expected_losses(plan),
            "Every scenario was planned to its end with these decisions, and audited: the cost is"
            f" that of all {len(plan.of(ScenarioOutcome)):,}.",
            *_relaxed_periods(plan),
            _trunk_proof(plan, proven),
        ]
    )


# --- What is done ---------------------------------------------------------------------------------


def _trunk(plan: Plan) -> Iterator[str]:
    """Yield what is done before the first scenario is known."""
    start = plan.stockpile.settings.start
    if plan.until == start:
        yield "The scenarios part in the first period: nothing is decided for all of them."
        return
    first = f"when the first of {_scenarios(plan)} is known"
    yield f"This is what to do before {amounts.month(plan.until or start)}, {first}."
    actions = [sentence for kind in _kinds() for sentence in kind.done(plan)]
    yield from actions or ["Buy nothing yet."]


def _kinds() -> list[type[Result]]:
    """Return the types of result row in the order of their sheets."""
    return sorted(results(), key=lambda kind: kind.PLACE)


def _done(plan: Plan) -> Iterator[str]:
    """Yield what is done; first where nothing is bought."""
    sentences_of = {kind: [*kind.done(plan)] for kind in _kinds()}
    if not any(kind.BUYS and sentences for kind, sentences in sentences_of.items()):
        yield "Buy nothing."
    for sentences in sentences_of.values():
        yield from sentences


# --- What is missed -------------------------------------------------------------------------------


def _waste(plan: Plan) -> str:
    """Return how much of each material expires."""
    if not plan.waste:
        return "Nothing expires unused."
    wasted = [each for each in plan.of(Rotated) if each.form == EXPIRED]
    sums = [
        f"{_sum(math.fsum(each.probability * each.quantity for each in rows))} {plan.unit}{of}"
        for of, rows in by_material(plan, wasted)
    ]
    expired = f"The plan lets {amounts.listed(sums)} reach the end of its life unused"
    return f"{expired}{averaged(plan)}."


def _missed(plan: Plan) -> Iterator[str]:
    """Yield what is asked for, and whether it is there."""
    for kind in _kinds():
        yield from kind.missed(plan)


def _expected_losses(plan: Plan) -> Iterator[str]:
    """Yield how much is missing and how much expires, expected over the scenarios; of several
    metals, in how many scenarios any is."""
    if several_metals(plan):
        nothing, outcomes = plan.stockpile.scale.nothing, plan.of(ScenarioOutcome)
        missing = sum(each.shortfall > nothing for each in outcomes)
        expired = sum(each.waste > nothing for each in outcomes)
        yield (
            f"Of {_scenarios(plan)}, metal is missing in {missing:,} and expires unused in"
            f" {expired:,}."
        )
    else:
        yield (
            f"Expected over all scenarios {_sum(plan.shortfall)} {plan.unit} are missing and"
            f" {_sum(plan.waste)} {plan.unit} expire unused."
        )


# --- What it costs --------------------------------------------------------------------------------


def _cost(plan: Plan) -> str:
    """Return the cost that is minimised."""
    start, cost = plan.stockpile.settings.start, _money(plan, plan.expected_cost)
    expected = "expected over the scenarios and " if plan.of(ScenarioOutcome) else ""
    return f"The cost that is minimised, {expected}discounted to {start}, is {cost}."


def _risk(plan: Plan) -> Iterator[str]:
    """Yield what the dearest scenarios cost."""
    outcomes = plan.of(ScenarioOutcome)
    if len(outcomes) < 2 or plan.cvar is None:
        return
    dearest = max(outcomes, key=lambda each: each.cost)
    yield (
        f"The dearest of {_scenarios(plan)} is {dearest.scenario}, {_money(plan, dearest.cost)};"
        f" the worst {amounts.percent(plan.stockpile.settings.risk_tail)} of cases cost"
        f" {_money(plan, plan.cvar)} on average (CVaR)."
    )


def _weighed_risk(plan: Plan) -> Iterator[str]:
    """Yield the objective where it weighs the dearest scenarios."""
    weight = plan.stockpile.settings.risk_weight
    if weight and plan.of(ScenarioOutcome) and plan.cvar is not None:
        yield f"The objective weighs that tail with {weight:g}: {_money(plan, plan.objective)}."


# --- How sure it is -------------------------------------------------------------------------------


def _trunk_proof(plan: Plan, proven: str) -> str:
    """Return what the bundles prove."""
    if plan.bound is None or plan.gap is None:
        return f"No bound was found in time, {_UNKNOWN}"
    proof = f"{proven} that {_better(plan)}"
    more = "" if plan.status == "optimal" else "; fewer and larger bundles prove more"
    return f"{proof}{more}."


_UNKNOWN = "so how much better a plan could be is not known."


def _better(plan: Plan) -> str:
    """Return how much less the best plan could cost: rounded up, so never less than what is open.

    Below the precision of a solver nothing is open.
    """
    gap, alike = plan.gap or 0.0, compared(plan)
    if gap <= amounts.NOISE:
        return f"no plan{alike} costs less"
    most, share = _money(plan, _up(plan.objective - (plan.bound or 0.0))), _up(100 * gap, 2)
    return f"the best possible plan{alike} costs at most {most} less ({share:g} %, the gap)"


def compared(plan: Plan) -> str:
    """Return the words that say of which plans a bound holds: where the shortfall goes first, one
    that misses more may cost less."""
    first = plan.stockpile.settings.objective == "shortfall_first"
    return " that misses as little" if first else ""


def _up(value: float, digits: int = 3) -> float:
    """Return a number rounded up to so many digits."""
    return float(Context(prec=digits, rounding=ROUND_CEILING).create_decimal_from_float(value))


def _relaxed_periods(plan: Plan) -> Iterator[str]:
    """Yield from when on orders are relaxed in all scenarios."""
    settings = plan.stockpile.settings
    if settings.firm_periods is not None and settings.firm_periods < settings.periods:
        yield (
            "In all of them lots, minimum and cost of orders, and price breaks, are relaxed after"
            f" the first {amounts.count(settings.firm_periods, 'period')}, and so are the cost and"
            " its bound."
        )


# --- Words ----------------------------------------------------------------------------------------


def _money(plan: Plan, amount: float) -> str:
    """Return money with its currency, as people say it."""
    return f"{amounts.rounded(amount)} {plan.currency}"


def _sum(value: float) -> str:
    """Return a quantity that is summed or expected."""
    return amounts.about(value)


def _scenarios(plan: Plan) -> str:
    """Return how many scenarios there are."""
    return amounts.count(len(plan.of(ScenarioOutcome)), "scenario")
