"""Whether two models are one and the same: the same variables, rows and numbers in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimiser.solving.standard_form import standard_form


def differences(one: Any, other: Any) -> list[str]:
    """What differs between two Pyomo models, by the names of the arrays that a solver gets; none
    where they are the same.
    """
    first, second = standard_form(one, scaled=False), standard_form(other, scaled=False)
    if [each.name for each in first.variables] != [each.name for each in second.variables]:
        return ["variables"]
    pairs = [
        (first.program, second.program),
        *zip(first.objectives, second.objectives, strict=True),
    ]
    return [
        name
        for left, right in pairs
        for name, value in vars(left).items()
        if not np.array_equal(value, getattr(right, name))
    ]
