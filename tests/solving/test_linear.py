"""Linear programs that are solved again and again from a basis."""

from __future__ import annotations

import numpy as np
import pytest
from highspy import HighsModelStatus

from optimiser.solving.linear import LinearProgram, SearchClock
from optimiser.solving.program import Program


def least_total(most: float = np.inf) -> Program:
    """At least 1 of two columns together, at 1 and 2 for each."""
    return Program(
        cost=np.array([1.0, 2.0]),
        offset=0.0,
        lower=np.zeros(2),
        upper=np.full(2, most),
        integer=np.zeros(2, dtype=np.bool_),
        row_lower=np.ones(1),
        row_upper=np.full(1, np.inf),
        start=np.array([0, 2], dtype=np.int32),
        index=np.array([0, 1], dtype=np.int32),
        value=np.ones(2),
    )


@pytest.mark.parametrize("cutoff", [np.inf, 1e9])
def test_a_cost_that_runs_away_is_solved_from_nothing(
    cutoff: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand times what was asked for costs a thousand times as much; more than there may be
    has no point. Of either the simplex is sure only without the vertex before."""
    lp = LinearProgram(least_total(most=5e3), SearchClock())
    assert lp.solve(cutoff=cutoff).objective == pytest.approx(1)
    ended, minimised = list[HighsModelStatus](), lp._minimised

    def noted(primal: bool) -> HighsModelStatus:
        ended.append(minimised(primal))
        return ended[-1]

    monkeypatch.setattr(lp, "_minimised", noted)
    lp.bound_rows(np.full(1, 6e3), np.full(1, np.inf))
    vertex = lp.solve(cutoff=cutoff)
    assert (vertex.objective, vertex.bound) == pytest.approx((7e3, 7e3))
    assert ended == [HighsModelStatus.kObjectiveBound, HighsModelStatus.kOptimal]
    lp.bound_rows(np.full(1, 1e5), np.full(1, np.inf))
    assert lp.solve(cutoff=cutoff).bound == np.inf
