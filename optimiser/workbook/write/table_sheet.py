"""A worksheet that takes whole columns.

Nearly all cells of a plan are in such columns, and XlsxWriter, which keeps each cell as an object
and looks at each of its attributes, takes several times as long for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from optimiser.workbook.write.styles import plain

MOST_LINKS = 65_530  # that a spreadsheet program opens on one sheet


class FormulaSheet(Worksheet):  # type: ignore[misc]
    """A sheet of many formulas, none of which holds a function that is newer than Excel 2010.

    XlsxWriter looks for each such function in each formula, which takes as long as all the rest.
    """

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        """Return a formula as it stands in the file."""
        return formula.removeprefix("=")


class TableSheet(Worksheet):  # type: ignore[misc]
    """A header, written as in any worksheet, and columns below it, which are kept as the XML of
    their cells.
    """

    dim_rowmax: int | None

    def __init__(self) -> None:
        super().__init__()
        self._columns: list[list[str]] = []
        self._heights: dict[int, float] = {}
        self._links: list[tuple[str, str]] = []

    def put_column(
        self,
        column: int,
        values: Iterable[object],
        styles: Iterable[Format],
        lined: bool = False,
    ) -> None:
        """Write values below the header, columns from left to right.

        Text is never taken for a formula or a link. Where cells are `lined`, empty ones have their
        style too.
        """
        letter, cells = xl_col_to_name(column), list[str]()
        style_of: dict[Format, str] = {}
        known: dict[
            tuple[Any, ...], str
        ] = {}  # the same value in the same style is the same but for its place
        for row, (value, style) in enumerate(zip(values, styles, strict=False), start=2):
            if style not in style_of:
                style_of[style] = f' s="{style._get_xf_index()}"'
            if type(value) is float and math.isfinite(value):
                cells.append(f'<c r="{letter}{row}"{style_of[style]}><v>{value:.16G}</v></c>')
                continue
            key = type(value), value, style
            if key not in known:
                known[key] = self._content(value, style_of[style])
            content = known[key]
            if not content and lined:
                content = f"{style_of[style]}/>"
            cells.append(f'<c r="{letter}{row}"{content}' if content else "")
        self._columns.append(cells)
        self._check_dimensions(len(cells), column)

    def set_row_height(self, row: int, points: float) -> None:
        """Give a row below the header a height."""
        self._heights[row] = max(points, self._heights.get(row, 0.0))
        self.set_row(row, self._heights[row])

    def link(self, column: int, first: int, last: int, place: str) -> None:
        """Make cells below the header lead to a place in the workbook, rows counted from 0.

        What is beyond the number of links that a spreadsheet program opens is left out.
        """
        letter = xl_col_to_name(column)
        cells = f"{letter}{first + 2}" + (f":{letter}{last + 2}" if last > first else "")
        if len(self._links) < MOST_LINKS:
            self._links.append((cells, place))

    def _write_hyperlinks(self) -> None:
        """Write the links."""
        if self._links:
            self._xml_start_tag("hyperlinks")
            for cells, place in self._links:
                self._xml_empty_tag("hyperlink", [("ref", cells), ("location", place)])
            self._xml_end_tag("hyperlinks")

    def _content(self, value: object, style: str) -> str:
        """Return the XML of a cell behind its place; blank for an empty one."""
        found = plain(value)
        if found is None:
            return ""
        if isinstance(found, str):
            return f'{style} t="s"><v>{self.str_table._get_shared_string_index(found)}</v></c>'
        if math.isfinite(found):
            return f"{style}><v>{found:.16G}</v></c>"
        return f'{style} t="e"><f>#NUM!</f><v>#NUM!</v></c>'

    def _write_rows(self) -> None:
        """Write the header as XlsxWriter does, and what was put below it."""
        last, self.dim_rowmax = self.dim_rowmax, 0
        super()._write_rows()
        self.dim_rowmax = last
        for row, cells in enumerate(zip(*self._columns, strict=True), start=1):
            height = (
                f' ht="{self._heights[row]:g}" customHeight="1"' if row in self._heights else ""
            )
            self.fh.write(f'<row r="{row + 1}"{height}>{"".join(cells)}</row>')
