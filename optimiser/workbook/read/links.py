"""Between tables: a reference stands for an existing key, in that key's own spelling, and keys are
unique.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from optimiser.workbook.read.cells import number
from optimiser.workbook.read.drafts import Draft, Drafts
from stockpile_model.names import identity, outline
from stockpile_model.schema import Column, apart, columns, keys
from stockpile_model.values import normal, text

_MOST_COMPARED = (
    20_000  # pairs of keys: next to a wrong sheet of keys thousands of references are unknown
)


def link(tables: Mapping[str, Drafts], unread: Collection[str]) -> bool:
    """Give all references the spelling of their keys, and add a fault for wrong references and
    repeated keys.

    Where a reference leads nowhere an existing key takes its place, so that the rest of the
    workbook can be checked; return False where there is no key to do so. References to `unread`
    tables, which are there and could not be read, are not checked.
    """
    known = {
        (column.refers, column.grouped): _Keys.of(column, tables, unread)
        for table in tables.values()
        for column in columns(table.kind)
        if column.refers
    }
    whole = True
    for table in tables.values():
        if names := keys(table.kind):
            _unique(table, names)
        for column in columns(table.kind):
            if column.refers:
                whole &= _refer(table, column, known[column.refers, column.grouped])
    return whole


@dataclass
class _Keys:
    """The names of rows of a table: keys, and groups where a column may name one.

    `spelt`: as they are compared -> as they are written.
    """

    table: str
    what: str  # an unknown key is
    there: bool = True  # whether the workbook has the table
    spelt: dict[str, str] = field(default_factory=dict)
    fold: Callable[[str], str] = identity
    complete: bool = True  # whether these are all keys of the table, so that any other is unknown
    near: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, column: Column, tables: Mapping[str, Drafts], unread: Collection[str]) -> _Keys:
        table = column.refers
        if table not in tables:
            return cls(
                table,
                f"has no row: the sheet {table} is missing; add it",
                there=False,
                complete=table not in unread,
            )
        target = tables[table]
        if target.kind.OPEN:
            spelt = {normal(name): name for name in target.indices}
            return cls(
                table,
                f"is no column of the sheet {table}",
                spelt=spelt,
                fold=normal,
                complete=not target.faults.lost,
            )
        key = keys(target.kind)[0]
        spelt = {
            identity(row.values[key]): row.values[key]
            for row in reversed(target.rows)
            if key in row.values
        }
        complete = not target.faults.lost and all(key in row.values for row in target.rows)
        named = (row.values.get(column.grouped) for row in reversed(target.rows))
        groups = {identity(name): name for name in named if name is not None}
        what = f"has no row in the sheet {table}"
        if groups:
            what = f"is no {key} and no {column.grouped} in the sheet {table}"
        return cls(table, what, spelt=groups | spelt, complete=complete)

    @functools.cached_property
    def seen(self) -> dict[str, str]:
        """Return the keys by how they look to a reader."""
        return {outline(name): name for name in reversed(self.spelt.values())}

    def nearest(self, item: str) -> str | None:
        """Return the key that is most like an unknown one; None where there is no key, or after too
        many comparisons.
        """
        if item not in self.near and len(self.near) * len(self.spelt) < _MOST_COMPARED:
            found = difflib.get_close_matches(outline(item), self.seen, n=1, cutoff=0.0)
            self.near[item] = self.seen[found[0]] if found else None
        return self.near.get(item)

    def stand_in(self, item: str | None) -> str | None:
        """Return a key in the place of one that is unknown, or blank and must not be."""
        return (self.nearest(item) if item is not None else None) or next(
            iter(self.spelt.values()), None
        )


def _refer(table: Drafts, column: Column, known: _Keys) -> bool:
    """Check the references of a column; return False where one is left that leads nowhere."""
    name, whole, reported = column.name, True, False
    for row in table.rows:
        if not row.values.get(name) and not column.required:
            continue
        given = row.values.get(name)  # None: a required cell that is reported as blank
        items: tuple[str, ...] = () if given is None else given if column.many else (given,)
        unknown = [item for item in items if known.fold(item) not in known.spelt]
        if unknown:
            table.faults.lines.add(row.line)
            if known.complete and (known.there or not reported):
                near = known.nearest(unknown[0])
                hint = (
                    f"; the nearest there is {apart(near, unknown[0])}"
                    if near is not None
                    else "; add it there"
                    if known.there
                    else ""
                )
                table.faults.add(
                    row.line,
                    number(table.cells[name]),
                    f"{name} {apart(unknown[0], near or '')} {known.what}{hint}",
                )
                reported = True  # of a missing sheet one line is enough
        found = [known.spelt.get(known.fold(item)) or known.stand_in(item) for item in items] or [
            known.stand_in(None)
        ]
        if None in found:
            whole = False
        else:
            row.values[name] = tuple(dict.fromkeys(found)) if column.many else found[0]
    return whole


def _unique(table: Drafts, names: tuple[str, ...]) -> None:
    """Add a fault for each repeated key, with both cells, and how the two differ where they look
    alike.
    """
    first: dict[tuple[str, ...], Draft] = {}
    for row in table.rows:
        if all(name in row.values for name in names):
            other = first.setdefault(tuple(identity(text(row.values[name])) for name in names), row)
            if other is not row:
                said = " of ".join(
                    f"{name} {apart(row.given(name), other.given(name))}"
                    for name in reversed(names)
                )
                column, last = table.cells[names[-1]], names[-1]
                other_said = (
                    ""
                    if other.given(last) == row.given(last)
                    else f", as {apart(other.given(last), row.given(last))}"
                )
                message = (
                    f"{said} stands in {column}{other.line} already{other_said}; rename or remove"
                    " one of the two"
                )
                table.faults.add(row.line, number(column), message)
