"""Bound the cost of relaxing orders beyond `firm_periods`."""

from __future__ import annotations

import math
from dataclasses import replace

from optimiser.explaining.bounded_solve import Watch, bounded_solve
from optimiser.plan.plan import Plan
from optimiser.scenarios.bundles.parts import TOLERANCES, decisions, hold
from optimiser.solving.solve import Options, Outcome
from optimiser.studies.engine import views
from optimiser.system.errors import Fault, InputError
from stockpile_model import amounts
from stockpile_model.build import build
from stockpile_model.formulation import Formulation
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings

LEAST_SECONDS = 10.0  # of a search for a plan with whole orders [s]


def refuse_without_relaxed(stockpile: Stockpile) -> None:
    """Raise InputError where no order is relaxed, or cost is not the objective."""
    firm = stockpile.settings.firm_periods
    if firm is None or firm >= stockpile.settings.periods:
        cell = stockpile.address(Settings.TABLE, 0, "firm_periods")
        message = (
            "--whole-orders bounds the cost of relaxed orders: without firm_periods all orders are"
            " whole"
        )
        raise InputError([Fault(cell, message)])
    if stockpile.settings.objective == "shortfall_first":
        cell = stockpile.address(Settings.TABLE, 0, "objective")
        message = (
            "--whole-orders compares costs: it needs the objective cost, found shortfall_first"
        )
        raise InputError([Fault(cell, message)])


def with_whole_orders(
    plan: Plan,
    formulation: Formulation,
    options: Options,
    seconds: float,
    progress: Watch = None,
    solver: str | None = None,
) -> Plan:
    """Return the plan with a bound on the cost of relaxing orders beyond `firm_periods`.

    A dive makes a plan that does the same in these periods and orders whole from then on. The best
    plan of whole orders costs no more than it, and no less than the bound of the relaxed ones.
    Where the dive makes none, one is searched for: for as long as the plan took, which is
    `seconds`, and LEAST_SECONDS at least.
    """
    limit = min(options.time_limit, max(LEAST_SECONDS, seconds))
    limited = replace(options, time_limit=limit, target=math.inf)
    outcome = _solved(plan, formulation, limited, progress, solver)
    cost = outcome.objective
    return replace(
        plan,
        verdict=plan.verdict_with(_sentence(plan, outcome)),
        run={**plan.run, "objective with whole orders": "none" if cost is None else cost},
    )


def _solved(
    plan: Plan, formulation: Formulation, options: Options, progress: Watch, solver: str | None
) -> Outcome:
    """Plan with whole orders, and the decisions of the firm periods kept."""
    firm, tree = plan.stockpile.settings.firm_periods or 0, plan.stockpile.tree
    nodes = frozenset(n for n in tree.nodes if tree.period[n] < firm)
    kept = replace(decisions(formulation, nodes), at_risk=None)
    for tolerance in TOLERANCES:
        held = build(views.whole(plan.stockpile))
        hold(held, kept, nodes, tolerance)
        outcome = bounded_solve(held, options, progress, solver)
        if outcome.status != "infeasible":
            break
    return outcome


def _sentence(plan: Plan, outcome: Outcome) -> str:
    """Return the sentence of the verdict on whole orders."""
    firm, cost = plan.stockpile.settings.firm_periods or 0, outcome.objective
    since = amounts.month(plan.stockpile.calendar.begin(firm))
    if cost is None:
        none = "No plan exists" if outcome.status == "infeasible" else "No plan was found"
        return f"{none} that does the same before {since} and orders whole from then on too."
    sentence = (
        f"With orders whole from {since} on too, and what is done before kept, a plan costs"
        f" {amounts.money(cost)} {plan.currency}"
    )
    if plan.bound is not None:
        most = amounts.money(max(0.0, cost - plan.bound), cost)
        sentence += f": relaxed orders can matter by {most} {plan.currency} at most"
    return f"{sentence}."
