"""A plan and its audit: the rows that the audit reads, and the note that it passed."""

from __future__ import annotations

import time
from dataclasses import replace

from optimiser.auditing import AnnouncedSheets, AuditError, Sheets, audit, lines
from optimiser.plan.plan import Plan
from stockpile_model.amounts import count

UNCHECKED = "; not checked:"
"""What comes before the columns that only a solver knows, in the note that an audit passed."""


def as_sheets(plan: Plan) -> Sheets:
    """Return a plan as an audit reads it."""
    scenarios = bool(plan.stockpile.scenarios)
    rows = {kind.SHEET: lines(members, scenarios) for kind, members in plan.rows.items()}
    expected = None if plan.cvar is None else plan.expected_cost
    gap = plan.run.get("gap asked for")
    claims = (
        plan.objective,
        plan.costs,
        plan.waste,
        plan.shortfall,
        plan.bound,
        expected,
        plan.cvar,
        plan.status,
        plan.gap,
    )
    return Sheets(rows, *claims, float(gap) if isinstance(gap, (int, float)) else None)


def audited(plan: Plan, announced: AnnouncedSheets | None = None) -> Plan:
    """Return the plan with a note that its audit passed. Raises AuditError where it does not.

    `announced`: the plan that it stays near.
    """
    began = time.perf_counter()
    result = audit(plan.stockpile, as_sheets(plan), announced)
    if result.findings:
        raise AuditError(result.findings)
    unchecked = ", ".join(result.unchecked) or "nothing"
    note = {
        "audit": (
            f"agrees with the input: {count(result.figures, 'figure')} recomputed{UNCHECKED}"
            f" {unchecked}"
        ),
        "seconds auditing": round(time.perf_counter() - began, 3),
    }
    return replace(plan, run={**plan.run, **note})
