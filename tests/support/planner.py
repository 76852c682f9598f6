"""The planner as tests call it: from plain tables to the outcome of a solve."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from optimiser.solving.solve import Options, Outcome, solve
from optimiser.workbook.read.input_reader import read
from stockpile_model.build import build
from stockpile_model.formulation import Formulation
from tests.support.books import Tables, book


def plan_of(tables: Tables) -> Outcome:
    """Read, build and solve to a gap of 0; by a folder of CSV files, which is read faster than a
    workbook.
    """
    return planned(tables)[1]


def planned(tables: Tables) -> tuple[Formulation, Outcome]:
    """The same, with the model that then holds the plan."""
    with TemporaryDirectory() as folder:
        stockpile = read(book(Path(folder) / "book", tables)).stockpile
    formulation = build(stockpile)
    return formulation, solve(formulation.m, Options(gap=0.0))
