"""The options, progress, result and errors of a search, whichever solver runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from optimiser.solving.program import INFINITY, Floats
from optimiser.system.errors import StockpileError

Status = Literal["optimal", "feasible", "infeasible", "no_plan"]

# Two objectives closer than this, absolutely in scaled units or relatively, are the same to a
# solver that works in floating point.
ABSOLUTE_GAP = 1e-6
PRECISION = 1e-8
NAMED = 5  # variables that a message names


class SolverError(StockpileError):
    """The solver failed, refused the model, or ended in a way that is no answer."""

    internal = True


class SolverUnavailable(SolverError):
    """The named solver is unknown to Pyomo or not installed."""

    internal = False


class UnboundedError(SolverError):
    """The cost falls without limit.

    `variables` are the Pyomo variables that move together as it does.
    """

    def __init__(self, variables: tuple[Any, ...]) -> None:
        names = ", ".join(each.name for each in variables[:NAMED]) + (
            " …" if len(variables) > NAMED else ""
        )
        super().__init__(f"the cost falls without limit as these move together: {names}")
        self.variables = variables


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a search.

    `gap`: proven relative gap at which it may stop [1]. `time_limit`: of all stages together [s].
    `threads`: 0 leaves the number to the solver. `seed`: of the solver's random choices. `target`:
    objective at which it may stop too; infinite where any plan is enough, as that of a dive from
    the relaxation. `nodes`: nodes of branching after which it stops.
    """

    gap: float = 1e-3
    time_limit: float = 300.0
    threads: int = 0
    seed: int = 1
    target: float = -INFINITY
    nodes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a search.

    `stage` counts from 1 to `stages`; `seconds` since the start of the stage; `phase` names the
    present step of the search, `limit` are the seconds that the stage may take.

    >>> import optimiser as so
    >>> seen = list[so.Progress]()
    >>> result = so.solve(so.read("inputs/small.xlsx"), on_progress=seen.append)
    >>> {each.stages for each in seen}
    {1}
    """

    stage: int
    stages: int
    objective: str
    seconds: float
    nodes: int
    incumbent: float | None
    bound: float | None
    gap: float | None = None
    phase: str = ""
    limit: float | None = None


Report = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """The result of one objective.

    `objective` is its value in the plan, `bound` the proven bound (None: there is none), `gap` the
    relative gap between them. `row_dual`, `column_dual`: change of the objective for one more unit
    of the bound of each row or column, with the integers and the objectives before it held; None
    where they are not known.
    """

    name: str
    status: Status
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    nodes: int = 0
    seconds: float = 0.0
    row_dual: Floats | None = None
    column_dual: Floats | None = None


def allowance(best: float) -> float:
    """Return the bound on an objective while a later one is minimised, from its best value
    [scaled units].
    """
    return best + ABSOLUTE_GAP + PRECISION * abs(best)


def relative_gap(objective: float | None, bound: float | None, size: float = 1.0) -> float | None:
    """Return (objective - bound) / |objective|, as HiGHS defines it.

    It is 0 where the two agree to solver precision, infinite where only the objective is 0, None
    where one of them is not known. `size` is one scaled unit in the unit of the two.
    """
    if objective is None or bound is None:
        return None
    difference = objective - bound
    if difference <= max(ABSOLUTE_GAP * size, PRECISION * abs(objective)):
        return 0.0
    return difference / abs(objective) if objective else float("inf")
