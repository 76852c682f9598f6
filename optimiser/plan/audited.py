"""A plan and its audit: what the audit reads of it, and the note that it passed."""

from __future__ import annotations

import time
from dataclasses import replace

from optimiser.auditing import AuditError, Sheets, audit, lines
from optimiser.plan.plan import Plan
from stockpile_model.amounts import count


def as_sheets(plan: Plan) -> Sheets:
    """A plan as an audit reads it."""
    rows = {kind.SHEET: lines(found) for kind, found in plan.rows.items()}
    expected = None if plan.cvar is None else plan.expected_cost
    asked = plan.run.get("gap asked for")
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
    return Sheets(rows, *claims, float(asked) if isinstance(asked, (int, float)) else None)


def audited(plan: Plan) -> Plan:
    """The plan with a note that its audit passed; AuditError where it does not."""
    began = time.perf_counter()
    found = audit(plan.stockpile, as_sheets(plan))
    if found.findings:
        raise AuditError(found.findings)
    unchecked = ", ".join(found.unchecked) or "nothing"
    told = {
        "audit": (
            f"agrees with the input: {count(found.figures, 'figure')} recomputed; not checked:"
            f" {unchecked}"
        )
    }
    return replace(
        plan, run={**plan.run, **told, "seconds auditing": round(time.perf_counter() - began, 3)}
    )
