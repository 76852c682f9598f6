"""The outcome of planning a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optimiser.plan.frames import Shown
from optimiser.plan.plan import Plan
from optimiser.studies.repairs.diagnosis import Diagnosis


@dataclass(frozen=True, repr=False)
class Solution(Shown):
    """The outcome of a search.

    `status`: optimal, feasible, infeasible or no_plan; the plan, or the explanation why there is
    none. `path`: where the plan was written, `page` and `memo`: where those were. `interrupted` is
    whether the user ended the search.

    >>> import optimiser as so
    >>> result = so.solve(so.read("inputs/small.xlsx"))
    >>> isinstance(result, so.Solution), result.explanation
    (True, None)
    """

    status: str
    plan: Plan | None
    explanation: Diagnosis | None
    seconds: float
    path: Path | None = None
    interrupted: bool = False
    page: Path | None = None
    memo: Path | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why there is no plan, a line each; nothing where there is one."""
        if self.plan is not None:
            return ()
        if self.explanation is not None:
            return tuple(self.explanation.lines())
        if self.interrupted:
            return ("The search was interrupted before it found a plan.",)
        return ("No plan was found within the time limit.",)

    def as_object(self) -> dict[str, object]:
        """Return the outcome as one object, as `stockpile solve --json` prints it.

        What a plan would say is None where there is none.

        >>> import optimiser as so
        >>> so.solve(so.read("inputs/small.xlsx")).as_object()["objective"]
        630.0
        """
        from optimiser.api.planning.plan_object import as_object

        return as_object(self)

    def _title(self) -> str:
        return f"{self.status} after {self.seconds:.1f} s"

    def _facts(self) -> Mapping[str, object]:
        if self.plan is not None:
            return self.plan._facts()
        return {f"{number}": line.strip() for number, line in enumerate(self.reasons, start=1)}
