"""Result rows as they stand on a sheet of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from stockpile_model.schema import Result


@dataclass(frozen=True)
class ResultTable:
    """Result rows as they stand on a sheet, below a header: their values by column.

    Formulas address a column by its name.
    """

    kind: type[Result]
    values: Mapping[str, Sequence[Any]]
    height: int

    @property
    def sheet(self) -> str:
        """Return the name of the sheet."""
        return self.kind.SHEET

    def letter(self, name: str) -> str:
        """Return the letters of a column."""
        return str(xl_col_to_name(list(self.values).index(name)))

    def range(self, name: str) -> str:
        """Return the cells of a column; the empty row below the header where there are no rows."""
        letter = self.letter(name)
        return f"{self.sheet}!${letter}$2:${letter}${max(2, self.height + 1)}"

    def cell(self, name: str, row: int) -> str:
        """Return the cell of a column in the row with an index."""
        return f"{self.sheet}!${self.letter(name)}${row + 2}"
