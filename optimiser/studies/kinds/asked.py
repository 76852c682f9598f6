"""What a study asks, and what it answers with."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from optimiser.studies.case import Case, Commit, Result
from optimiser.studies.tables import Input, Study
from stockpile_model.data import Stockpile

Chart = Literal["tornado", "heat", "frontier", "fan", "line", "columns", ""]


@dataclass(frozen=True)
class Asked:
    """One study of a workbook. `study` is its first row; a study of all inputs has one that no sheet gave."""

    study: Study
    inputs: tuple[Input, ...]
    stockpile: Stockpile
    gap: float

    @property
    def money(self) -> str:
        return self.stockpile.settings.currency

    @property
    def unit(self) -> str:
        return self.stockpile.settings.quantity_unit

    @property
    def seed(self) -> int:
        return 1 if self.study.seed is None else self.study.seed

    def case(self, *values: float | None, note: str = "", limit: tuple[str, float] | None = None, commits: tuple[Commit, ...] = ()) -> Case:
        """The case in which the inputs have these values; None leaves one as it is. Where all are known it has a point."""
        pairs = [*zip(self.inputs, values, strict=True)]
        changes = tuple(each.change(value) for each, value in pairs if value is not None)
        point = tuple(each.base if value is None else value for each, value in pairs)
        return Case(changes, point, note, limit, commits)


@dataclass(frozen=True)
class Table:
    """An answer: rows below a header, as a sheet shows them. `chart` says how they are drawn: of a tornado columns 0 (name), 3 and 4
    (ends); of the others column 0 is the x axis. `said` goes to the terminal too."""

    name: str
    said: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    chart: Chart = ""


Rounds = Generator[Sequence[Case], list[Result], list[Table]]
