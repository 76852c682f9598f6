"""Evaluates the formulas of a workbook without a spreadsheet program: the few functions that a
plan's summary and the validations of a template use.

Checked once against LibreOffice: every formula of the plans of `inputs/` came to the same value.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from openpyxl.formula import Tokenizer
from openpyxl.utils.cell import get_column_letter, range_boundaries

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<>": operator.ne, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq
}  # fmt: skip


Grid = Sequence[Sequence[Any]]
"""The cells of a sheet, row by row."""


class Formula(str):
    """The text of a formula; text that only looks like one is a plain str."""


def evaluate(formulas: Grid, values: Mapping[str, Grid], sheet: str) -> dict[str, Any]:
    """The value of every formula on a sheet, by its cell. The other sheets hold values only."""
    cells = _Cells(formulas, values, sheet)
    return {
        f"{get_column_letter(c)}{r}": cells.value(sheet, r, c)
        for r, row in enumerate(formulas, start=1)
        for c, cell in enumerate(row, start=1)
        if isinstance(cell, Formula)
    }


def value_of(formula: str, values: Mapping[str, Grid], sheet: str) -> Any:
    """The value of a formula that stands in no cell, such as that of a validation on a sheet."""
    return _Cells(values[sheet], values, sheet).formula(sheet, formula)


class _Cells:
    def __init__(self, formulas: Grid, values: Mapping[str, Grid], sheet: str) -> None:
        self.grids = {**values, sheet: formulas}
        self.known: dict[tuple[int, int], Any] = {}

    def value(self, sheet: str, row: int, column: int) -> Any:
        grid = self.grids[sheet]
        found = (
            grid[row - 1][column - 1] if row <= len(grid) and column <= len(grid[row - 1]) else None
        )
        if not isinstance(found, Formula):
            return _plain(found)
        if (row, column) not in self.known:
            self.known[row, column] = self.formula(sheet, found)
        return self.known[row, column]

    def area(self, sheet: str, address: str) -> Any:
        """One cell as a number or text, several as an array of them in one dimension."""
        if "!" in address:
            sheet, address = address.split("!")
        left, top, right, bottom = (
            int(each or 1) for each in range_boundaries(address.replace("$", ""))
        )
        if ":" not in address:
            value = self.value(sheet, top, left)
            return np.float64(value) if isinstance(value, (int, float)) else value
        return np.array(
            [
                self.value(sheet, r, c)
                for r in range(top, bottom + 1)
                for c in range(left, right + 1)
            ],
            dtype=object,
        )

    def formula(self, sheet: str, formula: str) -> Any:
        parts = []
        for token in Tokenizer(formula).items:
            if token.type == "OPERAND" and token.subtype == "RANGE":
                parts.append(f"area({sheet!r}, {token.value!r})")
            elif token.type == "OPERAND" and token.subtype == "TEXT":
                parts.append(repr(token.value[1:-1].replace('""', '"')))
            elif token.type == "OPERATOR-INFIX":
                parts.append({"=": "==", "<>": "!=", "^": "**"}.get(token.value, token.value))
            else:
                parts.append(token.value)
        with np.errstate(all="ignore"):  # IF computes both of its branches here
            return eval("".join(parts), {"__builtins__": {}, "area": self.area, **_FUNCTIONS})


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return (dt.date(value.year, value.month, value.day) - dt.date(1899, 12, 30)).days
    return 0 if value is None else value


def _numbers(*areas: Any) -> list[float]:
    found = (each for area in areas for each in np.atleast_1d(area))
    return [
        float(each)
        for each in found
        if isinstance(each, (int, float, np.integer)) and not isinstance(each, bool)
    ]


def _meets(area: Any, criterion: Any) -> Any:
    sign, limit = "=", criterion
    if isinstance(criterion, str) and (found := re.fullmatch(r"(<>|>=|<=|>|<|=)(.*)", criterion)):
        sign, limit = found[1], found[2]
    number = isinstance(limit, (int, float)) or bool(re.fullmatch(r"-?\d+(\.\d+)?", limit))
    if number:
        return np.array(
            [
                isinstance(each, (int, float)) and bool(_COMPARE[sign](each, float(limit)))
                for each in area
            ]
        )
    return np.array([_COMPARE[sign](str(each).casefold(), limit.casefold()) for each in area])


def _trimmed(value: Any) -> str:
    """As text, without regard to case: so a spreadsheet program compares."""
    return (
        f"{value:g}" if isinstance(value, (int, float)) else " ".join(str(value).split()).casefold()
    )


def _sumifs(area: Any, *asked: Any) -> float:
    chosen = np.ones(len(area), dtype=bool)
    for where, criterion in zip(asked[::2], asked[1::2], strict=True):
        chosen &= _meets(where, criterion)
    return sum(_numbers(area[chosen]))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUM": lambda *areas: sum(_numbers(*areas)),
    "SUMIFS": _sumifs,
    "SUMPRODUCT": lambda area: sum(_numbers(area)),
    "COUNTIF": lambda area, criterion: int(_meets(area, criterion).sum()),
    "MAX": lambda *areas: max(_numbers(*areas), default=0.0),
    "ABS": abs,
    "IF": lambda condition, then, otherwise: then if condition else otherwise,
    "AND": lambda *conditions: all(conditions),
    "OR": lambda *conditions: any(conditions),
    "ISNUMBER": lambda value: isinstance(value, (int, float)),
    "INT": np.floor,
    "MOD": lambda number, divisor: number % divisor,
    "TRIM": lambda area: (
        np.array([_trimmed(each) for each in area], dtype=object)
        if isinstance(area, np.ndarray)
        else _trimmed(area)
    ),
    "FALSE": False,
    "DATE": lambda year, month, day: (dt.date(year, month, day) - dt.date(1899, 12, 30)).days,
}
