"""The planner as tests call it: from plain tables to the outcome of a solve."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from optimiser.solve import Options, Outcome, solve
from optimiser.workbook.read import read
from stockpile_model.build import build
from tests.support.books import Tables, book


def plan_of(tables: Tables) -> Outcome:
    """Read, build and solve to a gap of 0; by a folder of CSV files, which is read faster than a workbook."""
    with TemporaryDirectory() as folder:
        stockpile = read(book(Path(folder) / "book", tables)).stockpile
    return solve(build(stockpile).m, Options(gap=0.0))
