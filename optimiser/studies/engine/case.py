"""A case: changes of the inputs, and the aim and limits of the plan; and its result."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from optimiser.studies.engine.shocks import Shock
from stockpile_model.changes import Change

Status = Literal[
    "optimal", "feasible", "infeasible", "no_plan", "refused", "failed", "crashed", "not run"
]
"""`refused`: the changed input is wrong; `failed`: the solver failed; `crashed`: the process that
ran it died, twice; `not run`: the study was interrupted before, or its time was over.
"""

PLANNED = ("optimal", "feasible")
AUDITED = ", audited"  # the end of `how`
FAILED = ("failed", "crashed")
NO_TIME = "the time of all was over"  # why a case was not run
DECISIONS = "decisions"  # the figure that holds what a plan decides, as text
UNLIKE = 0.05  # gap of the search for another plan
Figure = float | str


@dataclass(frozen=True)
class Commit:
    """A decision that a case requires, as a row of `commitments`."""

    kind: str
    name: str
    level: str | None
    how: str
    quantity: float


@dataclass(frozen=True)
class HeldDecisions:
    """Describe what was decided before the period `until` and stays so, as the figure `decisions`
    has it."""

    until: int
    decisions: str


@dataclass(frozen=True)
class Case:
    """One run.

    `point`: the value of each input of the study, in their order; None where the run leaves it as
    it is. `limit` bounds a measure (shortfall, cvar, cost) and `aim` is what is minimised: cost,
    one of these, or by `avoid` what other plans did. `view`: what of the stockpile is planned, by
    name (`views.VIEWS`), with what it names. `drawn`: questions what metal that a plan holds could
    meet, as text (`drawdown.written`); nothing is planned then. `shock`: what befalls the
    plan. `held`: what was decided before; `decides`: the result has the decisions of so many
    periods as a figure. These three need a `view`. `seconds`: how long it may take at most, where
    that is less than the time limit. `partial`: whether a bound alone is an answer.
    """

    changes: tuple[Change, ...] = ()
    point: tuple[float | None, ...] = ()
    note: str = ""
    limit: tuple[str, float] | None = None
    commits: tuple[Commit, ...] = ()
    aim: str = "cost"
    avoid: tuple[tuple[str, float], ...] = ()
    view: tuple[str, ...] = ()
    drawn: str = ""
    shock: Shock | None = None
    held: HeldDecisions | None = None
    decides: int = 0
    seconds: float = math.inf
    partial: bool = False

    @property
    def said(self) -> str:
        """Return its changes in words."""
        struck = () if self.shock is None else self.shock.changes
        return "; ".join(map(str, (*self.changes, *struck)))

    @property
    def asked(self) -> str:
        """Return what is minimised, under which limit and decisions, in words.

        Blank where it is the cost alone.
        """
        parts = [] if self.aim == "cost" else [f"least {self.aim}"]
        parts += (
            [": ".join([self.view[0], ", ".join(self.view[1:])]).removesuffix(": ")]
            if self.view
            else []
        )
        parts += [] if self.held is None else [f"first {self.held.until} periods held"]
        parts += [] if self.limit is None else [f"{self.limit[0]} at most {self.limit[1]:.9g}"]
        parts += [
            f"{each.kind} {each.name} {each.level or ''} {each.how} {each.quantity:g}".replace(
                "  ", " "
            )
            for each in self.commits
        ]
        return "; ".join(parts)

    def key(self, of: str) -> str:
        """Return the key of a run; `of` is that of the input, the options and the versions."""
        said: list[Any] = [
            of,
            [str(each) for each in self.changes],
            self.limit,
            [asdict(each) for each in self.commits],
            self.aim,
            self.avoid,
        ]
        said += [self.view] if self.view else []
        said += [self.drawn] if self.drawn else []
        if self.shock is not None or self.held is not None or self.decides:
            shock = None if self.shock is None else self.shock.key
            said += [shock, None if self.held is None else asdict(self.held), self.decides]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True)
class CaseResult:
    """Describe how a run ended.

    Money is in the workbook's currency; `figures` are decisions of note and quantities by name;
    `stock` is held at the end of each period; `seconds` of the process that ran it.
    """

    status: Status
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    seconds: float = 0.0
    how: str = ""
    message: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    stock: Sequence[float] = ()
    plan: Any = field(
        default=None, compare=False, repr=False
    )  # all columns, until it is known whether it is to be audited; not recorded

    @property
    def planned(self) -> bool:
        """Return whether it ended with a plan."""
        return self.status in PLANNED

    @property
    def audited(self) -> bool:
        """Return whether its plan was recomputed from the input rows."""
        return self.how.endswith(AUDITED)

    @property
    def ended(self) -> str:
        """Return how a run without a plan ended, in words."""
        said = {
            "infeasible": "no plan keeps every limit",
            "no_plan": "no plan was found within the time limit",
        }.get(self.status, self.status)
        return f"{said}: {self.message}" if self.message else said

    def number(self, name: str) -> float | None:
        """Return a figure that is a number; `objective` is one too."""
        found: Any = self.objective if name == "objective" else self.figures.get(name)
        return float(found) if isinstance(found, (int, float)) else None

    def slim(self) -> CaseResult:
        """Return what a study of many runs keeps in memory; the whole stands in the record."""
        kept = {
            name: self.figures[name]
            for name in ("shortfall", "waste", "cost")
            if name in self.figures
        }
        return replace(self, figures=kept, stock=array("f", self.stock), plan=None)
