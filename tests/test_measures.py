"""The structure of the project does not slip."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.measures as measured
from tests.measures import lists, measures


def test_all_measures_are_within_their_limits() -> None:
    slipped = [each for each in measures() if not each.kept]
    assert not slipped, "\n".join(
        line
        for each in slipped
        for line in (f"{each.value:g} {each.name}, at most {each.most:g}", *each.where)
    )


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
