"""Recomputes a plan from the input rows alone, without the model and without the solver.

Taken from the plan are its decisions: what is ordered, signed, granted, called off, handed out of which lot and paid by
which appropriation. All else follows from them and the input: what may be decided when, what arrives, how old it is,
what expires, what everything costs. The rooms: `purchases`, `contracts` and `projects` (what is decided), `metal` (lots
and ages), `needs` (demand, targets, closing stock), `rules` (policy and commitments), `money` (cash flow,
appropriations, objective). `inputs` reads the input with arithmetic of its own, so that an error in the model's is no
error here too.
"""

from __future__ import annotations

from dataclasses import dataclass

from optimiser.audit import contracts, metal, money, needs, projects, purchases, rules
from optimiser.audit.case import Case
from optimiser.audit.findings import Finding
from optimiser.audit.sheets import Line, Sheets, lines
from optimiser.errors import StockpileError
from stockpile_model.data import Stockpile

__all__ = ["Audit", "AuditError", "Finding", "Line", "Sheets", "audit", "lines"]

MOST_TOLD = 20


@dataclass(frozen=True)
class Audit:
    """How many figures of a plan were compared, and what was found to differ."""

    figures: int
    findings: tuple[Finding, ...]


class AuditError(StockpileError):
    """A plan of this program that its input does not bear out: an error of the program, never of its user."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        told = [f"  {each}" for each in findings[:MOST_TOLD]]
        if len(findings) > MOST_TOLD:
            told.append(f"  … and {len(findings) - MOST_TOLD:,} more")
        super().__init__("\n".join(["the plan does not agree with its input and was not written:", *told]))


def audit(stockpile: Stockpile, sheets: Sheets) -> Audit:
    """Recompute a plan. The stockpile's rows have passed their check."""
    case = Case(stockpile, sheets)
    purchases.deliveries(case)
    projects.projects(case)
    purchases.orders(case)
    contracts.contracts(case)
    projects.carried(case)
    purchases.prices(case)
    moved = metal.metal(case)
    needs.demand(case, moved)
    needs.targets(case)
    needs.closing(case)
    rules.rules(case)
    rules.commitments(case)
    money.cash_flow(case)
    money.payments(case)
    money.objective(case)
    return Audit(case.record.figures, tuple(case.record.findings))
