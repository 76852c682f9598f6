"""The question of a study, and the tables that answer it."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from optimiser.studies.engine.case import Case, CaseResult, Commit
from optimiser.studies.study_sheet.study_inputs import Input
from optimiser.studies.study_sheet.study_table import Study
from stockpile_model import amounts
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import unitless

Chart = Literal["tornado", "heat", "frontier", "fan", "line", "columns", ""]
CELL = "cell"  # the title of a column of addresses, which a workbook links


@dataclass(frozen=True)
class Asked:
    """One study of a workbook.

    `study` is its first row; a study of all inputs has one that no sheet gave, and says which cells
    it leaves out, by the reason.
    """

    study: Study
    inputs: tuple[Input, ...]
    stockpile: Stockpile
    gap: float
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def money(self) -> str:
        """Return the currency."""
        return self.stockpile.settings.currency

    @property
    def unit(self) -> str:
        """Return the unit of quantity."""
        return self.stockpile.settings.quantity_unit

    @property
    def least(self) -> str:
        """Return what the plans of its runs minimise, in words."""
        first = self.stockpile.settings.objective == "shortfall_first"
        return "cost at the least shortfall" if first else "least cost"

    def paid(self, amount: float) -> str:
        """Return money as people say it: 4.1 million USD, 1,234.5 USD."""
        return f"{amounts.rounded(amount)} {self.money}"

    @property
    def seed(self) -> int:
        """Return the seed of its samples."""
        return 1 if self.study.seed is None else self.study.seed

    def case(
        self,
        *values: float | None,
        note: str = "",
        limit: tuple[str, float] | None = None,
        commits: tuple[Commit, ...] = (),
    ) -> Case:
        """Return the case in which the inputs have these values; None leaves one as it is.

        Where all are known it has a point.
        """
        pairs = [*zip(self.inputs, values, strict=True)]
        changes = tuple(each.change(value) for each, value in pairs if value is not None)
        point = tuple(each.base if value is None else value for each, value in pairs)
        return Case(changes, point, note, limit, commits)


@dataclass(frozen=True)
class AnswerTable:
    """An answer in a sentence (`said`), and rows below a header, as a sheet shows them.

    `chart` says how they are drawn: column 0 is the x axis, `drawn` are the columns of the bars or
    lines, `axis` names what they are counted in.
    """

    name: str
    said: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    chart: Chart = ""
    drawn: tuple[int, ...] = (1,)
    axis: str = ""

    def places(self, *titles: str) -> tuple[int, ...]:
        """Return where the columns with some titles stand; a title has no unit here."""
        found = [unitless(each) for each in self.header]
        return tuple(found.index(each) for each in titles)


def figure(value: object) -> float:
    """Return the number that a cell of a table holds; nan where it holds none."""
    return float(value) if isinstance(value, (int, float)) else math.nan


Rounds = Generator[Sequence[Case], list[CaseResult], list[AnswerTable]]
