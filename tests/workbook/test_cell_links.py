"""Links to the cells of another workbook."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

import openpyxl
import pytest

from optimiser.workbook.write.cell_links import CellLinks


@pytest.mark.parametrize("name", ["plain", "a b%20#1", "em\u2003space", "\u3000wide", "it's"])
def test_a_link_leads_to_the_file_whatever_its_name(tmp_path: Path, name: str) -> None:
    """Each byte of a character that a link reserves is escaped: a wide space has three."""
    book = openpyxl.Workbook()
    book.active.title = "budgets"  # type: ignore[union-attr]
    source = tmp_path / f"{name}.xlsx"
    book.save(source)
    link = CellLinks(source, tmp_path / "made" / "explained.xlsx").to("budgets!C2")
    assert link is not None
    address, anchor = link.removeprefix("external:").split("#")
    assert anchor == "'budgets'!C2"
    assert urllib.parse.unquote(address) == f"../{source.name}"


def test_what_is_not_there_has_no_link(tmp_path: Path) -> None:
    links = CellLinks(tmp_path / "gone.xlsx", tmp_path / "made.xlsx")
    assert links.to("budgets!C2") is None
    assert links.to("budgets") is None
