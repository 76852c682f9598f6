"""The structure of the project does not slip."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.measures as measured
from tests.measures import Measure, lists, measures

KEPT = [each for each in measures() if each.most is not None]


@pytest.mark.parametrize("measure", KEPT, ids=lambda each: each.name)
def test_a_measure_is_within_its_limit(measure: Measure) -> None:
    assert measure.kept, "\n".join([f"{measure.value:g} {measure.name}", *measure.where])


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("NAMES = ('offers', 'contracts')", 1),
        ("PAIRS = (('offers', 1), ('contracts', 2))", 1),
        ("KINDS = {'a': Offer, 'b': Contract}", 1),
        ("def summed(rows): return rows['orders'] + rows['rotation']", 1),
        ("NAMES = ('offers', 'price_breaks')", 0),
        ("def summed(rows): return rows['orders']", 0),
    ],
)
def test_a_list_of_other_rooms_names_is_found(
    line: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "room.py"
    path.write_text(f"{line}\n", encoding="utf-8")
    monkeypatch.setattr(measured, "ROOT", tmp_path)
    monkeypatch.setattr(measured, "files", lambda: [path])
    assert len(lists()) == count
