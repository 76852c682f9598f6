"""The formulas of a plan's summary: where a number comes from, as cells of the workbook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from xlsxwriter.utility import xl_col_to_name

from optimiser.figures.origins import (
    AGREES,
    DIFFERS,
    Above,
    Agreement,
    CellOf,
    Cited,
    Combined,
    Origin,
    Quotient,
    RowDifference,
    Total,
)
from optimiser.workbook.write.result_sheets import WEIGHT
from optimiser.workbook.write.result_table import ResultTable
from stockpile_model.schema import Result

FUNCTIONS = {"sum": "SUM({0})", "count": 'COUNTIF({0},">0")', "largest": "MAX({0})"}


@dataclass
class Formulas:
    """Write formulas over the sheets of result rows, and over the figures that are drawn already:
    `begins` has the row of the first line of each, by its name."""

    sheets: Mapping[type[Result], ResultTable]
    begins: dict[str, int] = field(default_factory=dict)

    def of(self, value: Origin | Agreement, begin: int, row: int) -> str:
        """Return the formula of a number in a row of a figure whose lines begin in another."""
        match value:
            case Total():
                return self._total(value, row)
            case Cited():
                return self.sheets[value.kind].cell(value.column, value.row)
            case CellOf():
                line = self.begins[value.figure] + value.line + 1
                return f"${xl_col_to_name(value.column)}${line}"
            case Combined():
                plus = "+".join(self.of(each, begin, row) for each in value.plus)
                return "-".join((plus, *(self.of(each, begin, row) for each in value.minus)))
            case Above():
                letter = xl_col_to_name(value.column)
                cells = f"{letter}{begin + 1}:{letter}{begin + value.lines}"
                return FUNCTIONS[value.how].format(cells if value.lines else 0)
            case Quotient():
                whole = self.of(value.whole, begin, row)
                return f"IF({whole}=0,0,{xl_col_to_name(value.column)}{row + 1}/{whole})"
            case RowDifference():
                column, less = (xl_col_to_name(each) for each in (value.column, value.less))
                return f"{column}{row + 1}-{less}{row + 1}"
            case Agreement():
                left, right = (self.of(each, begin, row) for each in (value.left, value.right))
                far = f"ABS(({left})-({right}))<={value.allowance:.6g}"
                return f'IF({far},"{AGREES}","{DIFFERS}")'

    def _total(self, total: Total, row: int) -> str:
        """Return the sum over a sheet. Labels are names that a user gave: no wildcard and no sign
        of comparison may be read into them, as SUMIFS would."""
        sheet = self.sheets[total.kind]
        summed = sheet.range(total.column)
        conditions = [(sheet.range(name), criterion(value)) for name, value in total.where]
        if total.labelled:
            conditions.append((sheet.range(total.labelled), f"$A{row + 1}"))
        if total.weighed or total.labelled:
            weights = f"*{sheet.range(WEIGHT)}" if total.weighed else ""
            met = "".join(f"({cells}={value})*" for cells, value in conditions)
            return f"SUMPRODUCT({met}{summed}{weights})"
        if not conditions:
            return f"SUM({summed})"
        met = ",".join(f"{cells},{value}" for cells, value in conditions)
        return f"SUMIFS({summed},{met})"


def criterion(value: object) -> str:
    """Return a value of this program's own as a criterion."""
    if isinstance(value, dt.date):
        return f"DATE({value.year},{value.month},{value.day})"
    return f'"{value}"'
