"""The verdict on a plan: one paragraph for the officer, made of sentences.

Each sentence is written by one function, for a plan of all that is decided (`verdict`) and for a
plan of what is done before the first scenario is known (`trunk_verdict`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stockpile_model import amounts
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.demand import DemandMet
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.projects.project_outcomes import ProjectOutcome
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.targets import TargetMet

if TYPE_CHECKING:
    from optimiser.plan.plan import Plan


def verdict(plan: Plan) -> str:
    """Return what the plan does, what it costs and how sure it is."""
    return " ".join(
        [
            *_orders(plan),
            *_relaxed_orders(plan),
            *_bought_up(plan),
            *_signed_contracts(plan),
            *_helped_projects(plan),
            *([] if plan.of(Order) or _signed(plan) else ["Buy nothing."]),
            *_rotation(plan),
            _waste(plan),
            *_targets(plan),
            *_demand(plan),
            _cost(plan),
            *_risk(plan),
            *_weighed_risk(plan),
            _proof(plan),
        ]
    )


def trunk_verdict(plan: Plan, proven: str) -> str:
    """Return what is decided for all scenarios, what it costs over them and how sure it is.

    `proven` says what proves the bound, as the beginning of a sentence.
    """
    return " ".join(
        [
            *_trunk(plan),
            "What to do later is to be planned once it is known which scenario comes.",
            _cost(plan),
            *_risk(plan),
            *_weighed_risk(plan),
            _expected_losses(plan),
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
    actions = [*_orders(plan), *_signed_contracts(plan), *_helped_projects(plan)]
    yield from actions or ["Buy nothing yet."]


def _orders(plan: Plan) -> Iterator[str]:
    """Yield how much is ordered, and from whom."""
    if orders := plan.of(Order):
        suppliers = sorted({each.supplier for each in orders})
        ordered = sum(each.probability * each.ordered for each in orders)
        yield (
            f"Order {_sum(ordered)} {plan.unit} in {amounts.count(len(orders), 'order')} from"
            f" {_list(suppliers)}."
        )


def _relaxed_orders(plan: Plan) -> Iterator[str]:
    """Yield which orders are relaxed."""
    if relaxed := [each for each in plan.of(Order) if each.relaxed]:
        lie, they = ("lies", "it") if len(relaxed) == 1 else ("lie", "they")
        yield (
            f"{len(relaxed)} of them, from {amounts.month(min(each.date for each in relaxed))} on,"
            f" {lie} beyond firm_periods: lots, minimum, cost and price breaks are relaxed there,"
            f" so in the end {they} will cost somewhat more."
        )


def _bought_up(plan: Plan) -> Iterator[str]:
    """Yield how many orders are bought up to a price break."""
    if count := sum(each.cheaper_from is not None for each in plan.of(Order)):
        yield (
            f"{count} of them {_be(count)} bought up to a price break, where more metal costs less."
        )


def _signed(plan: Plan) -> list[ContractOutcome]:
    """Return the contracts that are signed."""
    return [each for each in plan.of(ContractOutcome) if each.level is not None]


def _signed_contracts(plan: Plan) -> Iterator[str]:
    """Yield which contracts are signed, at which level, and what they deliver."""
    if signed := _signed(plan):
        levels = dict.fromkeys(
            f"{each.contract} at level {each.level} (floor"
            f" {_money(plan, each.floor or 0.0)}/{plan.unit})"
            for each in signed
        )
        deliver = "delivers" if len(levels) == 1 else "deliver"
        delivered = _sum(sum(each.delivered for each in signed))
        yield f"Sign {_list([*levels])}, which {deliver} {delivered} {plan.unit}."


def _helped_projects(plan: Plan) -> Iterator[str]:
    """Yield which projects get a grant, and which are carried by contracts."""
    helped = {each.project: each for each in plan.of(ProjectOutcome) if each.decision != "no"}
    for decision, begin in (("grant", "Grant"), ("carried", "Carried by contracts:")):
        if names := sorted(name for name, each in helped.items() if each.decision == decision):
            paid = sum(helped[name].grant for name in names)
            yield f"{begin} {_list(names)}{f' ({_money(plan, paid)})' if paid else ''}."


def _rotation(plan: Plan) -> Iterator[str]:
    """Yield how much is rotated out, and through which outlets."""
    if rotated := [each for each in plan.of(Rotated) if each.form != "expired"]:
        outlets = sorted({str(each.outlet) for each in rotated})
        out = sum(each.probability * each.quantity for each in rotated)
        yield f"Rotate {_sum(out)} {plan.unit} out through {_list(outlets)}."


# --- What is missed -------------------------------------------------------------------------------


def _waste(plan: Plan) -> str:
    """Return how much expires."""
    if not plan.waste:
        return "Nothing expires unused."
    return f"{_sum(plan.waste)} {plan.unit} reach the end of their life unused."


def _targets(plan: Plan) -> Iterator[str]:
    """Yield which targets are missed."""
    targets = plan.of(TargetMet)
    if missed := [each for each in targets if each.below > plan.stockpile.scale.nothing]:
        worst = max(missed, key=lambda each: each.below)
        yield (
            f"{len(missed)} of {amounts.count(len(targets), 'period target')} {_be(len(missed))}"
            f" missed, the worst by {_sum(worst.below)} {plan.unit} of {worst.material} in"
            f" {amounts.month(worst.date)}."
        )
    elif targets:
        yield "Every target is met."


def _demand(plan: Plan) -> Iterator[str]:
    """Yield how much demand is not met."""
    unmet = sum(each.probability * each.unmet for each in plan.of(DemandMet))
    if unmet > plan.stockpile.scale.nothing:
        yield f"{_sum(unmet)} {plan.unit} of demand stay unmet."
    elif plan.of(DemandMet):
        yield "All demand is met."


def _expected_losses(plan: Plan) -> str:
    """Return how much is missing and how much expires, expected over the scenarios."""
    return (
        f"Expected over all scenarios {_sum(plan.shortfall)} {plan.unit} are missing and"
        f" {_sum(plan.waste)} {plan.unit} expire unused."
    )


# --- What it costs --------------------------------------------------------------------------------


def _cost(plan: Plan) -> str:
    """Return the expected cost."""
    start = plan.stockpile.settings.start
    return f"The expected cost, discounted to {start}, is {_money(plan, plan.expected_cost)}."


def _risk(plan: Plan) -> Iterator[str]:
    """Yield what the dearest scenarios cost."""
    outcomes = plan.of(ScenarioOutcome)
    if not outcomes or plan.cvar is None:
        return
    dearest = max(outcomes, key=lambda each: each.cost)
    yield (
        f"Of {_scenarios(plan)} {dearest.scenario} is the dearest, {_money(plan, dearest.cost)};"
        f" the worst {plan.stockpile.settings.risk_tail:.0%} cost {_money(plan, plan.cvar)} on"
        " average (CVaR)."
    )
    if plan.until is None:
        yield ("Quantities are what is expected over them; orders and targets are counted in each.")


def _weighed_risk(plan: Plan) -> Iterator[str]:
    """Yield the objective where it weighs the dearest scenarios."""
    weight = plan.stockpile.settings.risk_weight
    if weight and plan.of(ScenarioOutcome) and plan.cvar is not None:
        yield f"What is minimised weighs that tail with {weight:g}: {_money(plan, plan.objective)}."


# --- How sure it is -------------------------------------------------------------------------------


def _proof(plan: Plan) -> str:
    """Return what the search proves."""
    if plan.bound is None or plan.gap is None:
        return f"The solver gave no bound, {_UNKNOWN}"
    if plan.status == "optimal":
        return f"It is proven that {_bound(plan)} (gap {plan.gap:.3%})."
    return f"The search stopped before its proof: {_bound(plan)}, {_within(plan.gap)}."


def _trunk_proof(plan: Plan, proven: str) -> str:
    """Return what the bundles prove."""
    if plan.bound is None or plan.gap is None:
        return f"No bound was found in time, {_UNKNOWN}"
    proof = f"{proven} that {_bound(plan)}"
    if plan.status == "optimal":
        return f"{proof} (gap {plan.gap:.3%})."
    return f"{proof}, {_within(plan.gap)}; fewer and larger bundles prove more."


_UNKNOWN = "so how much better a plan could be is not known."


def _bound(plan: Plan) -> str:
    """Return below which cost no plan can be."""
    return f"no plan can cost less than {_money(plan, plan.bound or 0.0)}"


def _within(gap: float) -> str:
    """Return how near the plan is to the best."""
    return f"so this one is within {gap:.2%} of the best"


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
    """Return money with its currency."""
    return f"{amounts.money(amount)} {plan.currency}"


def _sum(value: float) -> str:
    """Return a quantity that is summed or expected."""
    return amounts.quantity(amounts.clean(value))


def _scenarios(plan: Plan) -> str:
    """Return how many scenarios there are."""
    return amounts.count(len(plan.of(ScenarioOutcome)), "scenario")


def _be(count: int) -> str:
    """Return the verb of so many."""
    return "is" if count == 1 else "are"


def _list(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
