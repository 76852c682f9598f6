"""The inputs that a plan lists.

Each is there, as the workbook gives it or as its default, with its range and source.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from optimiser.auditing.findings import Findings
from optimiser.auditing.plan_sheets import Line, Sheets
from stockpile_model.name_lists import list_of
from stockpile_model.names import identity
from stockpile_model.schema import PROVENANCE, Row, columns, get, keys
from stockpile_model.stockpile import Stockpile
from stockpile_model.values import text


def assumptions(stockpile: Stockpile, sheets: Sheets, record: Findings) -> None:
    """Compare the sheet with the input, where a plan has it."""
    if "assumptions" not in sheets.rows:
        return
    shown: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in sheets["assumptions"]:
        shown[line["table"], line["row"] or "", line["column"]].append(line)
    for row in (stockpile.settings, *(row for rows in stockpile.tables.values() for row in rows)):
        key = "/".join(str(get(row, name)) for name in keys(type(row))) or str(row.line or "")
        for name, value, unit, given in _cells(row):
            lines = shown[row.TABLE, key, name]
            if record.fails(bool(lines)):
                record.refuse(
                    "assumptions", f"{name} of {row.TABLE} {key} is not on the sheet", (row, name)
                )
                continue
            _compare_cell(stockpile, record, lines.pop(0), row, name, value, unit, given)
    for line in (line for lines in shown.values() for line in lines):
        record.refuse(
            line.where,
            f"{line['table']} has no {line['column']} of {line['row'] or 'that'}, or it stands"
            " twice",
        )


def _cells(row: Row) -> Iterator[tuple[str, Any, str, bool]]:
    """Yield what a row says: column, value, unit, and whether its workbook gives it."""
    for each in columns(type(row)):
        if (value := getattr(row, each.field)) not in (None, ()):
            given = each.name in row.filled or value != each.default
            yield each.name, value, each.unit, given
    if type(row).OPEN:
        series: Mapping[str, float] = get(row, "values")
        yield from ((name, value, "money/quantity", True) for name, value in series.items())


def _compare_cell(
    stockpile: Stockpile,
    record: Findings,
    line: Line,
    row: Row,
    name: str,
    value: Any,
    unit: str,
    given: bool,
) -> None:
    """Compare one line, as a plan or as its workbook has it.

    In a workbook a unit is that of the book, and an empty text a blank.
    """
    settings = stockpile.settings
    expected = list_of(value) if isinstance(value, tuple) else value
    about = getattr(row, "about", {}).get(name, row)
    units = {"quantity": settings.quantity_unit, "money": settings.currency}
    shown = (
        "" if unit == "1" else re.sub(r"\b(quantity|money)\b", lambda found: units[found[0]], unit)
    )
    texts = {
        "value": expected,
        "cell": stockpile.cell(row, name) if given else "",
        "unit": unit if line["unit"] == unit else shown,
    }
    texts |= {column: getattr(about, column) if given else None for column in PROVENANCE}
    for column, wanted in texts.items():
        if record.fails(_same(line[column], wanted)):
            record.add(
                line.at(column),
                f"{column} of {name} of {line['table']} {line['row'] or ''}".rstrip(),
                wanted,
                line[column],
            )
    record.term(line, "given", given)
    for column, bound in zip(("low", "high"), row.ranges.get(name, (None, None)), strict=True):
        record.figure(line, column, bound)


def _same(shown: Any, wanted: Any) -> bool:
    """Return whether a cell of a plan shows a value.

    Of a number a cell holds 16 digits. A text counts in any spelling: the reader of a plan may have
    taken it for a name of the workbook.
    """
    held = float(f"{wanted:.16G}") if isinstance(wanted, float) else wanted
    return identity(_text(shown)) in {identity(_text(wanted)), identity(_text(held))}


def _text(value: Any) -> str:
    return (
        ""
        if value is None
        else ("yes" if value else "no")
        if isinstance(value, bool)
        else text(value)
    )
