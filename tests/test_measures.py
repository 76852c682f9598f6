"""The structure of the project does not slip."""

from __future__ import annotations

import pytest

from tests.measures import Measure, measures

KEPT = [each for each in measures() if each.most is not None]


@pytest.mark.parametrize("measure", KEPT, ids=lambda each: each.name)
def test_a_measure_is_within_its_limit(measure: Measure) -> None:
    assert measure.kept, "\n".join([f"{measure.value:g} {measure.name}", *measure.where])
