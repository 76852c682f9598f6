"""The outcome of a plan as one object, for JSON."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from optimiser.api.planning.solution import Solution
from optimiser.plan.plan import Plan
from optimiser.plan.plan_changes import (
    CHANGE_COST,
    CHEAPEST,
    LEAST_CHANGES,
    MOVED,
    NEW,
    STAYS_NEAR,
    PlanChange,
    announced_of,
    number,
    summed_value,
)
from optimiser.plan.reasons import Reason
from optimiser.solving.search_options import relative_gap
from optimiser.studies.what_ifs.adequacy import ADEQUACY
from optimiser.studies.what_ifs.cost_shares import CostShare
from optimiser.studies.what_ifs.firm_supply import FirmSupplyRow
from optimiser.studies.what_ifs.information import Worth
from optimiser.studies.what_ifs.reason_prices import RulePrice
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.schema import Result, columns, get


def as_object(result: Solution) -> dict[str, object]:
    """Return the outcome as an object of the contract. What there is no plan for is null."""
    plan = result.plan
    return {
        "status": result.status,
        **_figures(plan),
        "plan": str(result.path) if result.path else None,
        **({"memo": str(result.memo)} if result.memo else {}),
        "seconds": round(result.seconds, 3),
        "audit": plan.run.get("audit") if plan else None,
        **(_scenarios(plan) if plan else {}),
        **(_decisions(plan) if plan else {}),
        **(_worth(plan) if plan else {}),
        **({"explanation": list(result.explanation.lines())} if result.explanation else {}),
        **_repairs(result),
        **(_what_ifs(plan) if plan else {}),
        **(_reasons(plan) if plan else {}),
        **(_changes(plan) if plan else {}),
    }


def _repairs(result: Solution) -> dict[str, object]:
    """Return what would make a plan, where there is none and that was looked for."""
    found = result.explanation
    if found is None:
        return {}
    return {"repairs": [each.as_object() for each in found.repairs]}


def _figures(plan: Plan | None) -> dict[str, object]:
    """Return the cost of a plan and what is proven of it. What there is no plan for is null."""
    return {
        "objective": plan.objective if plan else None,
        "bound": plan.bound if plan else None,
        "gap": _finite(plan.gap) if plan else None,
        "costs": dict(plan.costs) if plan else None,
        "waste": plan.waste if plan else None,
        "shortfall": plan.shortfall if plan else None,
    }


def _finite(gap: float | None) -> float | None:
    """Return a gap; None for one that is infinite, which JSON does not have."""
    return gap if gap is not None and math.isfinite(gap) else None


def _scenarios(plan: Plan) -> dict[str, object]:
    """Return the expected cost, its tail and each scenario; nothing without scenarios."""
    if plan.cvar is None:
        return {}
    return {
        "expected_cost": plan.expected_cost,
        "cvar": plan.cvar,
        "scenarios": {
            each.scenario: {
                "probability": each.probability,
                "cost": each.cost,
                "shortfall": each.shortfall,
            }
            for each in plan.of(ScenarioOutcome)
        },
    }


def _decisions(plan: Plan) -> dict[str, object]:
    """Return what is decided, by the sheet of the plan (`orders`, `contracts` …), and the units of
    all figures.
    """
    found: dict[str, object] = {"currency": plan.currency, "quantity_unit": plan.unit}
    for kind in plan.rows:
        of = kind.DEED
        if of is not None:
            rows = [each for each in plan.of(kind) if get(each, of.date) is not None]
            found[kind.SHEET] = plain_rows(rows)
    return found


def _worth(plan: Plan) -> dict[str, object]:
    """Return what the uncertainty costs, where that was requested."""
    rows = plan.of(Worth)
    return {"value": {each.figure.lower(): each.value for each in rows}} if rows else {}


def _what_ifs(plan: Plan) -> dict[str, object]:
    """Return the plan with firm supply only, the cost shares and the assessment of supply, where
    they were requested.
    """
    firm, shares = plan.of(FirmSupplyRow), plan.of(CostShare)
    answers: dict[str, object] = {}
    for kind in ADEQUACY.results:
        if rows := plan.of(kind):
            answers[kind.SHEET] = plain_rows(rows)
    if firm:
        answers["firm"] = _firm(firm, plan.stockpile.scale.money)
    if shares:
        answers["shares"] = {
            each.buyer: {
                "alone": each.alone,
                "share": each.share,
                "saving": each.saving,
                "nucleolus": each.nucleolus,
            }
            for each in shares
        }
    return answers


def plain_rows(rows: Sequence[Result]) -> list[dict[str, object]]:
    """Return rows of one type as objects of JSON."""
    return [
        {
            each.name: value.isoformat() if isinstance(value, dt.date) else value
            for each in columns(type(row))
            for value in [getattr(row, each.field)]
        }
        for row in rows
    ]


REASON = (
    "choice",
    "name",
    "level",
    "material",
    "used",
    "quantity",
    "landed",
    "stopped_by",
    "stopped_at",
    "change",
    "at_least",
    "at_most",
    "change_unit",
    "found_by",
    "to_type",
    "reason",
)
"""The columns of a reason that an outcome shows; the years stand in the plan."""


def _reasons(plan: Plan) -> dict[str, object]:
    """Return why the plan uses what it uses over the horizon, and what each rule costs."""
    rows = [each for each in plan.of(Reason) if each.fiscal_year is None]
    prices = plan.of(RulePrice)
    found: dict[str, object] = {}
    if rows:
        found["reasons"] = [{name: getattr(each, name) for name in REASON} for each in rows]
    if prices:
        found["rule_prices"] = [
            {
                "rule": each.rule,
                "cell": each.cell,
                "price": each.price,
                "at_least": each.at_least,
                "at_most": each.at_most,
            }
            for each in prices
        ]
    return found


def _changes(plan: Plan) -> dict[str, object]:
    """Return what changes of an announced plan, where the plan stays near one."""
    if STAYS_NEAR not in plan.run:
        return {}
    rows = plan.of(PlanChange)
    of = announced_of(rows)
    return {
        "changes": {
            "announced": len(of),
            "unchanged": sum(not each.changed for each in of),
            "new": sum(each.change == NEW for each in rows),
            "value": summed_value(rows),
            "change_cost": number(plan, CHANGE_COST),
            "cost_without": number(plan, CHEAPEST),
            "value_without": number(plan, MOVED),
            "least_value_proven": number(plan, LEAST_CHANGES),
            "rows": plain_rows(rows),
        }
    }


def _firm(rows: Sequence[FirmSupplyRow], money: float) -> dict[str, object]:
    """Return the figures of the plan with firm supply only. What there is no plan for is null.

    `money` is one scaled unit of it.
    """
    figures = {each.figure: each.firm for each in rows if each.of is None}
    objective, bound = figures.pop("objective"), figures.pop("proven bound")
    return {
        "objective": objective,
        "bound": bound,
        "gap": _finite(relative_gap(objective, bound, money)),
        "waste": figures.pop("waste"),
        "shortfall": figures.pop("shortfall"),
        "costs": {name.replace(" ", "_"): amount for name, amount in figures.items()},
    }
