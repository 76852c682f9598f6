"""How a process runs a case: whatever goes wrong is a result, never the end of the study."""

from __future__ import annotations

from typing import Any

from optimiser.studies.engine.case import Case, CaseResult


class Performing:
    """Runs cases, and audits the plans of those that have been run."""

    def run(self, case: Case) -> tuple[CaseResult, list[Any]]:
        """Return how a case ends, and what others may learn from it."""
        raise NotImplementedError

    def audit(self, case: Case, result: CaseResult) -> CaseResult:
        """Return the result of a case after its plan was audited."""
        raise NotImplementedError

    def perform(self, case: Case, known: CaseResult | None) -> tuple[CaseResult, list[Any]]:
        """Run a case, or audit the plan of a result that is known."""
        try:
            return self.run(case) if known is None else (self.audit(case, known), [])
        except MemoryError:
            return CaseResult("failed", message="there is not enough memory"), []
        except Exception as reason:
            return CaseResult("failed", message=f"{type(reason).__name__}: {reason}"), []
