"""What is to be signed, ordered and sent in the first days of a plan."""

from __future__ import annotations

import datetime as dt

from optimiser.figures.of_memo.memo_content import DAYS
from optimiser.plan.action_rows import Action
from optimiser.plan.plan import Plan
from stockpile_model.block import results
from stockpile_model.solved_plan import by_scenario

SIGNATURES = 2  # the rank up to which an action is a signature


def window(plan: Plan) -> tuple[dt.date, dt.date]:
    """Return the first day of the horizon, and the last of the days that a memo looks at."""
    start = plan.stockpile.settings.start
    return start, start + dt.timedelta(days=DAYS - 1)


def every_step(plan: Plan, scenario: str | None = None) -> list[Action]:
    """Return the actions on the path of a scenario (None: of the one that is counted), in the order
    of their dates; of those of one date the weightiest first."""
    paths = by_scenario(plan, Action)
    rows = next(iter(paths.values())) if scenario is None else paths[scenario]
    return sorted(rows, key=lambda each: (each.date, weight(each)))


def steps_now(plan: Plan, scenario: str | None = None) -> list[Action]:
    """Return the actions of the days that a memo looks at."""
    first, last = window(plan)
    return [each for each in every_step(plan, scenario) if first <= each.date <= last]


def net(step: Action) -> float | None:
    """Return what is paid for an action less what is received [money]; None: neither is."""
    if step.cost is None and step.receipt is None:
        return None
    return (step.cost or 0.0) - (step.receipt or 0.0)


def weight(step: Action) -> tuple[bool, float, str]:
    """Return by what actions are ranked: signatures first, then by money."""
    ranks = {kind.SHEET: kind.RANK for kind in results()}
    return ranks[step.sheet] > SIGNATURES, -abs(net(step) or 0.0), step.number
