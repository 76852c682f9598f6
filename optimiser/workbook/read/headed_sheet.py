"""A sheet as a table: its header matched to the columns that the table may have, its cells by the
name of their column.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from optimiser.system.errors import Fault
from optimiser.workbook.read.cells import MOST_TITLES, Cell, Cells, Lost, Sheet, letter
from optimiser.workbook.read.months import Span, spans
from stockpile_model.amounts import count
from stockpile_model.schema import nearest, quoted
from stockpile_model.values import normal, parted, text

MOST_FAULTS = 1_000
"""Faults of one table that are reported; of more, only how many."""

_MOST_MERGED = 100  # areas of merged cells that are reported
_FAR = 20  # rows in which a header that does not come first is looked for

Other = Callable[[str], str | None]


@dataclass
class Faults:
    """Describe what is wrong with the cells of one table."""

    table: str
    found: list[tuple[int, int, str]] = field(
        default_factory=list
    )  # row (0: the sheet), column, message
    lines: set[int] = field(default_factory=set)  # rows with a fault
    whole: bool = False  # a column is not read, or none is: no row can be judged
    lost: bool = False  # not even the rows and their keys are known
    more: int = 0

    def add(self, line: int, column: int, message: str) -> None:
        """Add a fault of a cell."""
        self.lines.add(line)
        if len(self.found) < MOST_FAULTS:
            self.found.append((line, column, message))
        else:
            self.more += 1

    def header(self, line: int, column: int, message: str, lost: bool = False) -> None:
        """Add a fault of a column that should be read."""
        self.whole, self.lost = True, self.lost or lost
        self.add(line, column, message)

    def sheet(self, message: str) -> None:
        """Add a fault of the sheet."""
        self.whole = self.lost = True
        self.found.append((0, 0, message))

    def __iter__(self) -> Iterator[Fault]:
        for line, column, message in self.found:
            yield Fault(f"{self.table}!{letter(column)}{line}" if line else self.table, message)
        if self.more:
            yield Fault(self.table, f"has {count(self.more, 'fault')} more")


class HeadedSheet:
    """One sheet with a header.

    `known` are the names of the columns that it may have, `required` those that it must have.
    `other` says what a title that is not known stands for; None where it is a fault. `columns` maps
    the name of each column to its number, `units` to what its title says in brackets. `spans` are
    columns for months, quarters or years, which no table has; `wide` is the first row with a value
    in one of them.
    """

    def __init__(
        self,
        sheet: Sheet,
        faults: Faults,
        known: Collection[str],
        required: Collection[str],
        other: Other = lambda _: None,
    ) -> None:
        self.faults = faults
        self.columns: dict[str, int] = {}
        self.units: dict[str, str] = {}
        self.spans: dict[int, Span] = {}
        self.wide: tuple[int, dict[str, Cell], Cells] | None = None
        self.hidden = sheet.hidden
        self.merged = sheet.merged
        self.rows = iter(sheet)
        self.line, titles = next(self.rows, (0, {}))
        self.titled = set(titles)
        named = len(titles) <= MOST_TITLES and any(
            not isinstance(cell, Lost) and normal(text(cell)) in known for cell in titles.values()
        )
        if len(titles) <= MOST_TITLES and len(found := spans(titles, known, faults.table)) > (
            0 if named else len(titles) / 2
        ):
            self.spans = found
        if not titles:
            faults.sheet(
                "is empty: its first row must hold the names of the columns; fill the sheet or"
                " remove it"
            )
        elif len(titles) > MOST_TITLES:
            most = f"at most {MOST_TITLES:,} are read; remove those that are not needed"
            faults.header(
                self.line, 1, f"has {len(titles):,} columns with a name; {most}", lost=True
            )
            self.rows, self.merged = iter(()), []
        elif not (named or self.spans or any(isinstance(title, Lost) for title in titles.values())):
            faults.header(self.line, min(titles), self._no_header(known), lost=True)
            self.rows, self.merged = iter(()), []
        else:
            self._match(titles, known, required, other)

    def _no_header(self, known: Collection[str]) -> str:
        """Return what is wrong with a first row that names no column; usually a title stands above
        the table.
        """
        for line, cells in itertools.islice(self.rows, _FAR):
            names = [normal(text(cell)) for cell in cells.values() if not isinstance(cell, Lost)]
            if sum(name in known for name in names) > len(names) / 2:
                return f"the names of the columns stand in row {line}; remove the rows above them"
        return (
            f"this row must hold the names of the columns ({', '.join(list(known)[:3])} …); none is"
            " known"
        )

    def _match(
        self, titles: Cells, known: Collection[str], required: Collection[str], other: Other
    ) -> None:
        meant: set[str] = set()  # required columns that a faulty title may stand for
        for column, cell in sorted(titles.items()):
            if column in self.spans:
                continue
            if isinstance(cell, Lost):
                self.faults.header(
                    self.line, column, f"the name of the column {cell.message}", lost=True
                )
                meant.update(required)
                continue
            title = text(cell)
            name = normal(title) if normal(title) in known else other(title)
            if name is None:
                hint = "" if self.faults.more else nearest(normal(title), known)
                missed = [
                    each for each in required if f"{each!r}" in hint and each not in self.columns
                ]
                meant.update(missed)
                add = (
                    functools.partial(self.faults.header, lost=bool(missed))
                    if hint
                    else self.faults.add
                )
                remedy = (
                    "" if hint else "; rename it or remove it (remarks belong in the column note)"
                )
                add(self.line, column, f"unknown column {quoted(title)}{hint}{remedy}")
            elif name in self.columns:
                twin = f"{letter(self.columns[name])}{self.line}"
                self.faults.header(
                    self.line,
                    column,
                    f"column {name!r} stands twice: here and in {twin}; remove one of the two",
                )
            else:
                self.columns[name] = column
                if unit := parted(title)[1]:
                    self.units[name] = unit
        for name in required:
            if name not in self.columns and name not in meant and not self.spans:
                self.faults.header(
                    self.line, 1, f"the column {name!r} is missing; add it and fill it", lost=True
                )

    def __iter__(self) -> Iterator[tuple[int, dict[str, Cell]]]:
        """Yield the number of each row that is not blank, and its cells by column name.

        Once all are read, the faults are complete.
        """
        names = {column: name for name, column in self.columns.items()}
        line = self.line
        for line, cells in self.rows:
            for column in sorted(cells.keys() - self.titled):
                self.titled.add(column)
                self.faults.add(
                    self.line,
                    column,
                    f"has no name for this column, which holds a value in row {line}; name it or"
                    " clear it",
                )
            given = {names[column]: cell for column, cell in cells.items() if column in names}
            if (
                self.spans
                and self.wide is None
                and (
                    values := {
                        column: cell for column, cell in cells.items() if column in self.spans
                    }
                )
            ):
                self.wide = line, given, values
            if given:
                yield line, given
        self._refuse_merged(line)

    def _refuse_merged(self, last: int) -> None:
        """Add a fault for merged cells, which hold one value where their rows show several.

        It replaces the faults within them, which follow from it.
        """
        for top, left, bottom, right in self.merged[:_MOST_MERGED]:
            if self.line <= bottom and top <= last and left <= max(self.titled, default=0):
                area = f"{letter(left)}{top}:{letter(right)}{bottom}"
                inside = {
                    each
                    for each in self.faults.found
                    if top <= each[0] <= bottom and left <= each[1] <= right
                }
                self.faults.found = [
                    each
                    for each in self.faults.found
                    if each not in inside or each[:2] == (top, left)
                ]
                self.faults.lines.update(range(top, min(bottom, last) + 1))
                self.faults.whole |= top <= self.line
                self.faults.lost |= top <= self.line
                self.faults.add(
                    top,
                    left,
                    f"the merged cells {area} hold one value for several cells; unmerge them and"
                    " fill each",
                )
