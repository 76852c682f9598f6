"""The audit reads every cell of a plan: whichever is changed is reported, or belongs to what the
audit says it does not check.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from optimiser.auditing import TWINS, Line, Sheets, audit
from optimiser.auditing.twin import Twins
from optimiser.plan.audited import as_sheets
from optimiser.plan.plan import Plan
from optimiser.workbook.read.plan_reader import read_plan
from optimiser.workbook.result_kinds import sheet_kinds
from optimiser.workbook.write.plan_book import compose
from stockpile_model.block import results as block_results
from stockpile_model.schema import columns
from tests.support.accept import event, everything_uncertain, month
from tests.support.plans import plan_for

OPTIONAL = [kind.SHEET for kind in block_results() if not kind.ALWAYS]
KINDS = [kind.SHEET for kind in sheet_kinds() if kind.ALWAYS] + [*OPTIONAL, "summary"]


@functools.cache
def plan() -> Plan:
    """A plan of all there is, over three scenarios; in one of them a contract that is signed
    delivers later.
    """
    stockpile = everything_uncertain()
    slip = event("suppliers.start", "set", month(2), 1, name="glut", row="metlen")
    tables = {
        kind: (*rows, slip) if kind is type(slip) else rows
        for kind, rows in stockpile.tables.items()
    }
    found = plan_for(replace(stockpile, tables=tables), gap=0.01)
    assert found is not None
    return found


@functools.cache
def sheets() -> Sheets:
    """The plan as its workbook tells it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.xlsx"
        path.write_bytes(compose(plan()))
        return read_plan(path).sheets


def told(changed: Sheets) -> list[str]:
    return [str(each) for each in audit(plan().stockpile, changed).findings]


SAMPLES = {"number": 1.0, "whole": 1, "yes_no": True, "date": dt.date(2027, 3, 1)}
KIND_OF = {(kind.SHEET, each.name): each.kind for kind in sheet_kinds() for each in columns(kind)}


def others(value: Any, used: list[Any], kind: str = "text") -> Iterator[Any]:
    """What a cell could hold instead, where the column holds `used`, or of a kind where all of it
    is blank.
    """
    if value is None:
        sample = SAMPLES.get(kind, "something")
        yield next((each for each in used if each is not None), sample)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield 0.0 if math.isinf(value) else value + 1e-4 * abs(value) + 1e-3
    elif isinstance(value, dt.date):
        yield value + dt.timedelta(days=93)
    else:
        yield next(
            (each for each in used if isinstance(each, str) and each not in ("", value)),
            "something",
        )
        yield f"{value} 7"


def test_the_plan_holds_what_is_changed() -> None:
    assert told(sheets()) == told(as_sheets(plan())) == []
    assert {*KINDS} == {*sheets().rows}
    assert all(sheets()[sheet] for sheet in KINDS)
    dates = {
        line["first_delivery"] for line in sheets()["contracts"] if line["contract"] == "anchor"
    }
    assert len(dates) == 2


def _of_summary(line: Line, column: str) -> Any:
    """A figure of the summary, or what is to be done or agrees; its claims and its warnings are
    others' matter.
    """
    if column == "part" or line["part"] in ("", "Warnings"):
        return None
    told_in_words = (column, line["part"]) in (
        ("label", "To do first"),
        ("B", "Checks"),
    ) and not line["label"].startswith("…")
    return line[column] if told_in_words or isinstance(line[column], float) else None


Change = tuple[int, str, Any]
"""A line of a sheet by its number, a column, and what the cell holds instead."""


def changes(sheet: str) -> Iterator[Change]:
    """Of each column that is checked its first blank cell and two others, in other lines than those
    of the next column; of the summary every cell.
    """
    lines = sheets()[sheet]
    solved = Twins(TWINS).sheet(sheet).solved
    for j, column in enumerate(each for each in lines[0] if each not in solved):
        used = [
            _of_summary(line, column) if sheet == "summary" else line.get(column) for line in lines
        ]
        full = [k for k, each in enumerate(used) if each is not None]
        blank = [k for k, each in enumerate(used) if each is None]
        some = {full[(j + step) % len(full)] for step in (0, len(full) // 2) if full}
        for k in full if sheet == "summary" else [*some, *blank[:1]]:
            instead = others(used[k], used, KIND_OF.get((sheet, column), "text"))
            yield from ((k, column, value) for value in instead)


def batches(sheet: str) -> Iterator[list[Change]]:
    """Changes that can be made together: no two of one line."""
    of_lines: dict[int, list[Change]] = {}
    for change in changes(sheet):
        of_lines.setdefault(change[0], []).append(change)
    for together in zip_longest(*of_lines.values()):
        yield [change for change in together if change]


def accepted(sheet: str, made: list[Change]) -> list[Change]:
    """Those of some changes that are not reported: not at their cells when they are made together,
    and in no way when each is made alone.
    """
    lines = [*sheets()[sheet]]
    for k, column, value in made:
        lines[k] = copy.copy(lines[k])
        lines[k][column] = value
    findings = told(replace(sheets(), rows={**sheets().rows, sheet: lines}))
    if len(made) == 1:
        return [] if findings else made
    left = [
        (k, column, value)
        for k, column, value in made
        if not any(each.startswith(f"{lines[k].at(column)}:") for each in findings)
    ]
    half = (len(left) + 1) // 2
    return [one for part in (left[:half], left[half:]) if part for one in accepted(sheet, part)]


@pytest.mark.parametrize("sheet", KINDS)
def test_whichever_cell_is_changed_is_reported(sheet: str) -> None:
    lines = sheets()[sheet]
    assert [
        f"{lines[k].at(column)}: {column} {lines[k].get(column)!r} -> {value!r}"
        for batch in batches(sheet)
        for k, column, value in accepted(sheet, batch)
    ] == []
