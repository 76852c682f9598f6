"""What really happened: sheets of a plan, corrected, in the place of what was planned."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from optimiser.system.errors import Fault, InputError
from optimiser.workbook.read.cells import Cells, Lost
from optimiser.workbook.read.plan_reader import read_actuals
from optimiser.workbook.result_kinds import sheet_kinds
from stockpile_model import amounts
from stockpile_model.block import results
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock, Movement
from stockpile_model.lots import ARRIVAL
from stockpile_model.names import identity
from stockpile_model.passed import Passed, PlanRow
from stockpile_model.schema import nearest
from stockpile_model.tables import Material, Price
from stockpile_model.values import text

Tables = Mapping[str, Sequence[PlanRow]]
STOCK, MOVES, CAME = (kind.SHEET for kind in (LotStock, Movement, Delivery))
"""The sheets of the metal: what is on hand, what comes and goes, and what of it is delivered."""


def read(given: str | Path | Mapping[str, Any]) -> tuple[Tables, list[dict[str, Any]]]:
    """Return the sheets of actuals and their prices. Raises InputError for what is neither."""
    sheets: dict[str, Sequence[PlanRow]]
    if isinstance(given, Mapping):
        sheets = {name: _rows(rows) for name, rows in given.items() if name != Price.TABLE}
        prices, others = _rows(given.get(Price.TABLE, ())), [*sheets]
        known = {kind.SHEET for kind in (*sheet_kinds(), *results())}
        others = [name for name in sheets if name not in known]
    else:
        found, rest = read_actuals(Path(given))
        sheets = {**found}
        others = [name for name in rest if name not in (Price.TABLE, "guide")]
        prices = _prices(rest[Price.TABLE]) if Price.TABLE in rest else []
    if others:
        names = [kind.SHEET for kind in sheet_kinds()]
        raise InputError(
            [
                Fault(name, f"is no sheet of a plan and not prices{nearest(name, names)}")
                for name in others
            ]
        )
    return sheets, prices


def _rows(given: Any) -> list[dict[str, Any]]:
    rows = given.to_dict("records") if hasattr(given, "to_dict") else given
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """Return a value of a frame or a row: a day as a date, a blank as None."""
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.date() if isinstance(value, dt.datetime) else value


def _prices(sheet: Sequence[tuple[int, Cells]]) -> list[dict[str, Any]]:
    """Return the rows of a sheet of prices as text, by the titles of its columns."""
    if not sheet:
        return []
    (_, header), *rows = sheet
    titles = {c: text(_text(cell)).partition("[")[0].strip() for c, cell in header.items()}
    return [
        {titles[c]: _text(cell) for c, cell in cells.items() if c in titles} for _, cells in rows
    ]


def _text(cell: Any) -> Any:
    """Return a cell as text; a number stays one, as its text may read otherwise elsewhere."""
    number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    return "" if isinstance(cell, Lost) else cell if number else text(cell)


def replaced(passed: Passed, actual: Tables) -> dict[str, Sequence[PlanRow]]:
    """Return the sheets of a plan, with what really happened in the periods that are over.

    Raises InputError where metal appears or vanishes.
    """
    dated = {kind.SHEET: kind.dated_by() for kind in (*sheet_kinds(), *results())}
    found = dict(passed.sheets)
    for name, rows in actual.items():
        planned, date = passed.sheets.get(name, ()), dated[name]
        to_come = [each for each in planned if not _over(passed, each, date)]
        found[name] = [*(each for each in rows if _over(passed, each, date)), *to_come]
    _balance(actual, Passed(passed.stockpile, found, passed.gone, passed.scenario))
    return found


def _over(passed: Passed, row: PlanRow, date: str) -> bool:
    return bool(date) and passed.over(row.get(date))


def _balance(actual: Tables, after: Passed) -> None:
    """Raise InputError where the lots that were counted do not follow from what came and went."""
    metal = (STOCK, MOVES, CAME)
    given = [name for name in metal if name in actual]
    if not given:
        return
    if missing := [name for name in metal if name not in actual]:
        message = f"is required where {given[0]} is given: together they say what was on hand"
        raise InputError([Fault(name, message) for name in missing])
    last, moves = after.calendar.begin(after.gone - 1), [*after.done(MOVES)]
    held = _sums(row for row in after.shown(STOCK) if row["date"] == last)
    arrived = _sums(row for row in moves if row["kind"] == ARRIVAL)
    found = (
        (STOCK, held, _sums(moves), "what came and went leaves"),
        (CAME, _sums(after.done(CAME)), arrived, "what arrived by the sheet movements"),
    )
    faults = [
        Fault(sheet, f"hold {odd} than {what}: correct one of the two")
        for sheet, there, due, what in found
        for odd in _odd(after, there, due)
    ]
    if faults:
        raise InputError(faults)


def _odd(passed: Passed, found: Mapping[str, float], due: Mapping[str, float]) -> Iterator[str]:
    """Yield by how much of each metal there is more or less than there should be, in words."""
    names = {identity(name): name for name in passed.stockpile.keyed(Material)}
    unit, several = passed.stockpile.settings.quantity_unit, len(names) > 1
    for material in dict.fromkeys((*found, *due)):
        there, should = found.get(material, 0.0), due.get(material, 0.0)
        if abs(there - should) > 1e-6 * max(there, should, passed.stockpile.scale.quantity):
            more = "more" if there > should else "less"
            of = f" of {names.get(material, material)}" if several else ""
            yield f"{amounts.quantity(abs(there - should))} {unit}{of} {more}"


def _sums(rows: Iterable[PlanRow]) -> dict[str, float]:
    """Return the sum of the quantities of each material [quantity]."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(identity(row["material"]), []).append(row["quantity"])
    return {material: math.fsum(parts) for material, parts in found.items()}
