"""Small workbooks after complaints about programs that plan from spreadsheets.

Each states something that such programs cannot. The right value is worked out by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from optimiser.solving.solve import Options, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build

CASES = Path(__file__).parent / "cases"
RIGHT = {
    "need_demand_min_life": 50.0,  # 5 are bought for 10 each: new metal has 6 of 3 months left
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_case_has_its_right_value(name: str) -> None:
    outcome = solve(build(read(CASES / name).stockpile).m, Options(gap=0.0, threads=1))
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(RIGHT[name], rel=1e-9)
