"""Warnings about what is read and may not be meant, each with its cell; one for several rows or
columns that follow each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from optimiser.system.errors import Fault
from optimiser.workbook.read.cells import letter, number
from optimiser.workbook.read.drafts import Drafts, is_total
from optimiser.workbook.read.headed_sheet import MOST_FAULTS
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.schema import Column, Row, columns, get, keys, quoted
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings


def of(tables: Iterable[Drafts], stockpile: Stockpile) -> list[Fault]:
    """Return the warnings about the cells of a workbook.

    `stockpile` holds its rows, with all references in one spelling.
    """
    found = []
    for table in tables:
        name = table.kind.TABLE
        doubts = [
            *_hidden(table),
            *_totals(table),
            *_stale(table),
            *_points(table),
            *_free(table),
            *_repeated(table, stockpile),
            *_free_floors(table, stockpile),
        ]
        found += [
            Fault(f"{name}!{letter(column)}{line}" if line else name, said, warning=True)
            for line, column, said in doubts[:MOST_FAULTS]
        ]
        if len(doubts) > MOST_FAULTS:
            found.append(
                Fault(name, f"has {len(doubts) - MOST_FAULTS:,} more warnings", warning=True)
            )
    return found


Doubt = tuple[int, int, str]
"""Row (0: the sheet), column, message."""


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of consecutive numbers."""
    first = last = 0
    for each in sorted(numbers):
        if each > last + 1 and first:
            yield first, last
        first, last = (each if not first or each > last + 1 else first), each
    if first:
        yield first, last


def _rows(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"


def _hidden(table: Drafts) -> Iterator[Doubt]:
    hidden = table.hidden
    if hidden.sheet:
        yield (
            0,
            0,
            (
                "this sheet is hidden, and is read: show it, or remove it, or begin its name with _"
                " to leave it out"
            ),
        )
    remedy = "and read: show what counts, or remove it"
    for first, last in _runs(hidden.rows):
        yield first, 1, f"{_rows(first, last)} hidden, {remedy}"
    names = {column: name for name, column in table.columns.items()}
    for first, last in _runs(hidden.columns & names.keys()):
        said = (
            f"column {letter(first)} ({names[first]}) is"
            if first == last
            else f"columns {letter(first)} to {letter(last)} are"
        )
        yield table.line, first, f"{said} hidden, {remedy}"


def _totals(table: Drafts) -> Iterator[Doubt]:
    """Yield rows that are complete, and so count, and are named like a sum of others."""
    texts = [
        column.name
        for column in columns(table.kind)
        if column.kind == "text" and not column.many and not column.choices
    ]
    for row in table.rows if table.kind is not Settings else ():
        name = next((name for name in texts if is_total(row.values.get(name))), None)
        if name is not None:
            said = (
                f"{name} {quoted(row.values[name])} reads like a sum of other rows, and counts like"
                " any row; remove the row, or rename it"
            )
            yield row.line, number(table.cells[name]), said


def _stale(table: Drafts) -> Iterator[Doubt]:
    for name, lines in table.seen.stale.items():
        for first, last in _runs(lines):
            where = "" if first == last else f" in rows {first} to {last}"
            said = (
                f"{name} is 0{where} by a formula that reads another sheet or workbook, as it is"
                " where nothing is found there"
            )
            yield (
                first,
                table.columns[name],
                f"{said}; update its links and save the workbook, or write the value",
            )


def _points(table: Drafts) -> Iterator[Doubt]:
    for (name, at), cells in table.seen.odd.items():
        (line, number), others = cells[0], len(cells) - 1
        more = f", and so on in {others} row{'s' * (others > 1)} more" if others else ""
        said = (
            f"{name} {number!r} is read as {float(number):.12g} and not as"
            f" {number.replace('.', '')}{more}"
        )
        yield line, at, f"{said}; no other number of this file shows whether its point is decimal"


def _free(table: Drafts) -> Iterator[Doubt]:
    """Yield prices of 0.

    Of an offer or an index they may be cells that were left for later, or lost.
    """
    priced = [column.name for column in columns(table.kind) if _is_price(column)]
    zero: dict[str, list[int]] = {}
    for row in table.rows:
        for name, value in [
            *((name, row.values.get(name)) for name in priced),
            *row.series.items(),
        ]:
            if value == 0:
                zero.setdefault(name, []).append(row.line)
    for name, lines in zero.items():
        stale = set(table.seen.stale.get(name, ()))
        for first, last in _runs(set(lines) - stale):
            where = "" if first == last else f" in rows {first} to {last}"
            yield (
                first,
                table.columns[name],
                (
                    f"{name} is 0{where}: it is read as free of charge; write the price, or clear"
                    " the cell where there is none"
                ),
            )


def _is_price(column: Column) -> bool:
    return column.name == "price" and column.kind == "number"


def _free_floors(table: Drafts, stockpile: Stockpile) -> Iterator[Doubt]:
    """Yield floors of 0 without an index: each is a price of 0."""
    if table.kind is Floor:
        indexed = {row.contract for row in stockpile.rows(Contract) if row.price_index is not None}
        for row in stockpile.rows(Floor):
            if row.floor == 0 and row.contract not in indexed:
                said = (
                    "floor is 0 and its contract has no price_index: the metal is read as free of"
                    " charge; write the price"
                )
                yield row.line, table.columns["floor"], said


def _repeated(table: Drafts, stockpile: Stockpile) -> Iterator[Doubt]:
    """Yield rows of a table without a key that repeat an earlier row, whatever their sources and
    notes are.
    """
    if keys(table.kind) or table.kind is Settings:
        return
    first: dict[tuple[object, ...], Row] = {}
    again: dict[int, list[int]] = {}
    for row in stockpile.rows(table.kind):
        key = (
            *(get(row, column.name) for column in columns(table.kind)),
            *sorted(row.ranges.items()),
        )
        if (other := first.setdefault(key, row)) is not row:
            again.setdefault(other.line, []).append(row.line)
    for line, lines in again.items():
        for begin, end in _runs(lines):
            said = (
                f"row {begin} repeats row {line}"
                if begin == end
                else f"rows {begin} to {end} repeat row {line}"
            )
            yield begin, 1, f"{said} exactly, and all of them count; remove what is not meant"
