"""A workbook of a stress test: its events, the gravest first, and what it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optimiser.studies.stress.stress_rounds import EVENTS
from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.cells import Cells, Lost
from optimiser.workbook.read.plan_reader import file_sheets, readable
from stockpile_model.values import text

HEADER_LINE = 2
DIGEST, MADE = "input sha256", "made at"  # facts of the sheet run


@dataclass(frozen=True)
class StressReading:
    """The table of events of a stress test, the sha256 of its workbook, and when it was made; blank
    where it does not say so."""

    header: tuple[str, ...]
    rows: tuple[Sequence[object], ...]
    digest: str
    made: str


def read_stress(path: Path) -> StressReading:
    """Read a stress test. Raises InputError where the file is none."""
    header: list[str] = []
    rows: list[Sequence[object]] = []
    run: dict[str, str] = {}
    with readable(path):
        for sheet in file_sheets(path):
            lines = list(sheet)
            if sheet.name.endswith(f" {EVENTS}"):
                named = next((cells for line, cells in lines if line == HEADER_LINE), {})
                header = [_text(named, c) for c in range(1, max(named, default=0) + 1)]
                rows = [_row(cells, len(header)) for line, cells in lines if line > HEADER_LINE]
            elif sheet.name == "run":
                run = {_text(cells, 1): _text(cells, 2) for _, cells in lines}
    if not header:
        said = 'is no stress test: it has no sheet of events. "stockpile stress" writes one'
        raise InputError([Fault(str(path), said)])
    return StressReading(tuple(header), tuple(rows), run.get(DIGEST, ""), run.get(MADE, ""))


def _row(cells: Cells, width: int) -> list[object]:
    found = (cells.get(c) for c in range(1, width + 1))
    return [None if isinstance(each, Lost) else each for each in found]


def _text(cells: Cells, column: int) -> str:
    cell = cells.get(column)
    return "" if cell is None or isinstance(cell, Lost) else text(cell)
