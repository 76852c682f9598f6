"""Feasibility relaxation: which limits of an infeasible model are too tight, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from optimiser.solving import highs
from optimiser.solving.program import INFINITY, Program
from optimiser.solving.search_options import Options, Status, relative_gap
from optimiser.solving.standard_form import StandardForm
from optimiser.system.interrupts import Interrupt

NOTHING = 1e-7  # an amount below this is the solver's rounding [scaled units]


@dataclass(frozen=True, eq=False)
class Elastic:
    """A limit that may give: `data` is a Pyomo constraint, or a variable whose bound is the limit.

    `sense` is the side of an equation or range that gives (`most`: its upper one); a one-sided
    constraint has no choice. `weight` is the price of one scaled unit of its row.
    """

    data: Any
    sense: Literal["least", "most"]
    weight: float = 1.0


@dataclass(frozen=True)
class Relaxation:
    """The amounts by which the limits give, in the order of the limits.

    There are none where there is no plan even so (`infeasible`) or the search found none in time
    (`no_plan`). `feasible`: smaller amounts might be enough, by the relative `gap` at most [1].
    """

    status: Status
    amounts: tuple[float, ...] = ()
    gap: float | None = None


def relax(
    form: StandardForm, elastic: Sequence[Elastic], options: Options | None = None
) -> Relaxation:
    """Minimise the weighted amounts by which the elastic limits must give so that a plan exists.

    Integers stay whole, everything else holds. The values in the Pyomo model are not touched.
    Raises SolverError.
    """
    softened = _softened(form, elastic)
    with Interrupt(keeps=False) as interrupt:
        found = highs.optimise(softened, options or Options(), interrupt)
    if found.x is None:
        return Relaxation(found.status)
    given = found.x[form.program.columns :].tolist()
    amounts = tuple(
        amount * _size(form, each) if amount > NOTHING else 0.0
        for amount, each in zip(given, elastic, strict=True)
    )
    return Relaxation(found.status, amounts, relative_gap(found.objective, found.bound))


def _softened(form: StandardForm, elastic: Sequence[Elastic]) -> Program:
    """Return the program with a column for each elastic limit: the amount by which it gives."""
    program = form.program
    lower, upper = program.lower.copy(), program.upper.copy()
    row_lower: list[float] = []
    row_upper: list[float] = []
    entries: list[tuple[int, int, float]] = []
    for k, each in enumerate(elastic):
        give, i, j = program.columns + k, form.row(each.data), form.column(each.data)
        if i is not None:
            low, high = program.row_lower[i], program.row_upper[i]
        elif j is not None:
            # The bound of a variable becomes a row that can give.
            i, low, high = program.rows + len(row_lower), lower[j], upper[j]
            least = each.sense == "least"
            row_lower.append(low if least else -INFINITY)
            row_upper.append(INFINITY if least else high)
            entries.append((i, j, 1.0))
            (lower if least else upper)[j] = -INFINITY if least else INFINITY
        else:
            continue  # no row because it is always true: nothing to give
        entries.append((i, give, _sign(each, low, high)))
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    freed = replace(program, cost=np.zeros(program.columns), offset=0.0, lower=lower, upper=upper)
    return freed.extended(
        cost=[each.weight for each in elastic],
        lower=[0.0] * len(elastic),
        upper=[INFINITY] * len(elastic),
        row_lower=row_lower,
        row_upper=row_upper,
        row=row,
        column=column,
        value=value,
    )


def _sign(elastic: Elastic, low: float, high: float) -> float:
    """Return 1 where the lower side of a row gives, -1 where the upper one does."""
    lower_gives = high == INFINITY or (low > -INFINITY and elastic.sense == "least")
    return 1.0 if lower_gives else -1.0


def _size(form: StandardForm, elastic: Elastic) -> float:
    """Return one scaled unit of a limit: of its row, or of the column that it bounds."""
    i, j = form.row(elastic.data), form.column(elastic.data)
    if i is not None:
        return float(form.sizes.row[i])
    return 1.0 if j is None else float(form.sizes.column[j])
