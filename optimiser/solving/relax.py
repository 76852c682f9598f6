"""Feasibility relaxation: which limits of a model that has no plan are short, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from optimiser.solving import highs
from optimiser.solving.search_options import Options, Status, relative_gap
from optimiser.solving.standard_form import INFINITY, StandardForm
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
    """`amounts`: by how much each limit gives, in the order they were handed in; empty where there
    is no plan even so (`infeasible`) or none was found in time (`no_plan`). `feasible`: less might
    do; `gap` is how much less at most [1].
    """

    status: Status
    amounts: tuple[float, ...] = ()
    gap: float | None = None


def relax(
    form: StandardForm, elastic: Sequence[Elastic], options: Options | None = None
) -> Relaxation:
    """Least weighted amounts by which the elastic limits must give so that a plan exists; integers
    stay whole, everything else holds. The values in the Pyomo model are not touched. Raises
    SolverError.
    """
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
            row_lower.append(low if each.sense == "least" else -INFINITY)
            row_upper.append(high if each.sense == "most" else INFINITY)
            entries.append((i, j, 1.0))
            (lower if each.sense == "least" else upper)[j] = (
                -INFINITY if each.sense == "least" else INFINITY
            )
        else:
            continue  # no row because it is always true: nothing to give
        short = high == INFINITY or (low > -INFINITY and each.sense == "least")
        entries.append((i, give, 1.0 if short else -1.0))
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    softened = replace(
        program, cost=np.zeros(program.columns), offset=0.0, lower=lower, upper=upper
    ).extended(
        cost=[each.weight for each in elastic],
        lower=[0.0] * len(elastic),
        upper=[INFINITY] * len(elastic),
        row_lower=row_lower,
        row_upper=row_upper,
        row=row,
        column=column,
        value=value,
    )
    found = highs.optimise(softened, options or Options(), Interrupt())
    if found.x is None:
        return Relaxation(found.status)
    # A bound of a column gives in the unit of the column.
    places = [(form.row(each.data), form.column(each.data)) for each in elastic]
    sizes = [
        (
            1.0
            if i is None and j is None
            else float(form.sizes.row[i] if i is not None else form.sizes.column[j])
        )
        for i, j in places
    ]
    given = zip(found.x[program.columns :].tolist(), sizes, strict=True)
    amounts = tuple(amount * size if amount > NOTHING else 0.0 for amount, size in given)
    return Relaxation(found.status, amounts, relative_gap(found.objective, found.bound))
