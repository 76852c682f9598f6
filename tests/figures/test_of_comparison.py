"""The figures of a comparison: what differs from the first plan, and by how much."""

from __future__ import annotations

import math

from optimiser.comparison.compared import APPROPRIATIONS, DECISIONS, FIGURES, SCENARIOS, Compared
from optimiser.figures.of_comparison import figures_of
from optimiser.figures.origins import known

UNITS = {"money": "USD", "quantity": "kg"}


def test_each_value_stands_with_its_difference_to_the_first() -> None:
    rows = [
        Compared(FIGURES, "objective", "", "money", (100.0, 130.0, 100.0), costly=True),
        Compared(DECISIONS, "contract", "c", "", ("high", "low", "high")),
        Compared(FIGURES, "gap", "", "1", (0.01, None, 0.02)),
    ]
    found = figures_of(("a", "b", "c"), rows, UNITS)
    assert [each.title for each in found[FIGURES].columns] == [
        *("What", "Of", "Unit", "Differs", "a", "b", "c", "b minus a", "c minus a")
    ]
    objective, gap = found[FIGURES].lines
    values = ("objective", "", "USD", "yes", 100.0, 130.0, 100.0, 30.0, 0.0)
    assert tuple(map(known, objective.values)) == values
    assert objective.changes == (None, 30.0, None)
    assert objective.costly
    assert tuple(map(known, gap.values[4:])) == (0.01, None, 0.02, None, 0.01)
    (contract,) = found[DECISIONS].lines
    assert contract.changes[0] is None
    assert contract.changes[1] is not None
    assert math.isnan(contract.changes[1])
    assert contract.changes[2] is None


def test_a_part_without_rows_is_there() -> None:
    found = figures_of(("a", "b"), [], {})
    assert [*found] == [FIGURES, APPROPRIATIONS, SCENARIOS, DECISIONS]
    assert [len(each.lines) for each in found.values()] == [0, 0, 0, 0]
