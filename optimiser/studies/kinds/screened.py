"""What the two methods of SALib have in common: the problem, the samples, and what is done about
runs without a plan.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.kinds.asked import Asked

MOST_SAID = 3  # reasons that a sentence names


def problem(asked: Asked) -> dict[str, Any]:
    """Return the inputs as shares of their distributions, 0 to 1."""
    names = [f"x{k}" for k in range(len(asked.inputs))]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def cases(asked: Asked, shares: Any, levels: bool = False) -> list[Case]:
    """Make a case of each row of shares: quantiles of the inputs, or `levels` of a grid over their
    ranges.
    """
    rows = np.asarray(shares).tolist()
    return [
        asked.case(
            *((i.level if levels else i.at)(s) for i, s in zip(asked.inputs, row, strict=True))
        )
        for row in rows
    ]


def costs(results: Sequence[CaseResult]) -> Any:
    """Return the cost of each run; nan where it has none."""
    return np.array(
        [
            each.objective if each.planned and each.objective is not None else np.nan
            for each in results
        ]
    )


def quiet() -> Any:
    """Return a context without the warnings of SALib."""
    return warnings.catch_warnings(action="ignore")


def missed(results: Sequence[CaseResult]) -> str:
    """Say which runs have no plan."""
    kinds = dict.fromkeys(each.ended for each in results if not each.planned)
    shown = [
        f"{sum(each.ended == ended for each in results)} × {ended}"
        for ended in [*kinds][:MOST_SAID]
    ]
    return "; ".join(shown) + (
        f"; and {len(kinds) - MOST_SAID} other reasons" if len(kinds) > MOST_SAID else ""
    )
