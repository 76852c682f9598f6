"""Links between the rows of a plan's sheets: where clicks lead, as its columns declare it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from optimiser.workbook.write.result_table import ResultTable
from stockpile_model.leads import Lead
from stockpile_model.name_lists import names_in
from stockpile_model.schema import SCENARIOS, Column, Result, columns


class LinkedCells(NamedTuple):
    """Cells below one another that lead to one place: the first row and the last, from 0."""

    first: int
    last: int
    place: str


@dataclass
class SheetLinks:
    """Describe where the cells of sheets lead. An index of a sheet is made once, when it is asked
    for."""

    tables: Mapping[type[Result], ResultTable]
    _indices: dict[tuple[object, ...], dict[tuple[Any, ...], int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_sheet = {each.sheet: each for each in self.tables.values()}

    def of(self, table: ResultTable, column: Column) -> list[LinkedCells]:
        """Return the links of a column, those of cells below one another as one."""
        if not column.leads:
            return []
        places: list[str | None] = [None] * table.height
        for lead in column.leads:
            for row, place in enumerate(self._places(table, column, lead)):
                places[row] = places[row] or place
        return list(_together(places))

    def _places(self, table: ResultTable, column: Column, lead: Lead) -> Iterator[str | None]:
        """Yield for each row the place to which a lead takes it; None where no row matches."""
        if lead.onward:
            yield from _onward(table, lead)
            return
        own = [_firsts(table, name or column.name) for _, name in lead.on]
        scenarios: Sequence[Any] = table.values.get(SCENARIOS) or [None] * table.height
        named: Sequence[Any] = (
            table.values[lead.named] if lead.named else [lead.sheet] * table.height
        )
        cells = table.values[column.name]
        known: dict[tuple[Any, ...], str | None] = {}
        for sheet, held, cell, *values in zip(named, scenarios, cells, *own, strict=True):
            key = sheet, held, not cell, *values
            if key not in known:
                there = self.by_sheet.get(sheet) if cell else None
                row = None if there is None else self._row(there, lead, tuple(values), held)
                known[key] = None if row is None else f"'{sheet}'!A{row + 2}"
            yield known[key]

    def _row(
        self, there: ResultTable, lead: Lead, values: tuple[Any, ...], held: object
    ) -> int | None:
        """Return the first row that matches: of the same scenarios, else of any."""
        index = self._index(there, lead)
        for key in ((*values, held), values):
            if key in index:
                return index[key]
        return None

    def _index(self, there: ResultTable, lead: Lead) -> dict[tuple[Any, ...], int]:
        """Return the first row of each key, with its scenarios and without.

        A row whose key is a list of names is that of each of them that has no row of its own.
        """
        names = [name for name, _ in lead.on]
        if not {*names, *(name for name, _ in lead.where)} <= there.values.keys():
            return {}
        key = there.sheet, tuple(names), lead.where
        if key not in self._indices:
            found: dict[tuple[Any, ...], int] = {}
            cells = [there.values[name] for name in names]
            wanted = [there.values[name] for name, _ in lead.where]
            held = there.values.get(SCENARIOS) or [None] * there.height
            asked = [value for _, value in lead.where]
            rows = zip(zip(*cells, strict=True), held, strict=True)
            for row, (values, scenarios) in enumerate(rows):
                if [each[row] for each in wanted] == asked:
                    found.setdefault(values, row)
                    found.setdefault((*values, scenarios), row)
            if names[0] in _several(there):
                for values, row in [*found.items()]:
                    for name in names_in(values[0] or ""):
                        found.setdefault((name, *values[1:]), row)
            self._indices[key] = found
        return self._indices[key]


def _onward(table: ResultTable, lead: Lead) -> Iterator[str | None]:
    """Yield for each row the next one of those that share a name with it, or with one of them; None
    where it is alone."""
    name = lead.on[0][0]
    parts = names_in if name in _several(table) else lambda one: (one,)
    cells = [table.values[each] for each, _ in lead.on]
    keys = [
        [(each, *rest) for each in (parts(first) if first else ())]
        for first, *rest in zip(*cells, strict=True)
    ]
    root: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def found(key: tuple[Any, ...]) -> tuple[Any, ...]:
        while root.setdefault(key, key) != key:
            key = root[key]
        return key

    for first, *more in filter(None, keys):
        for each in (first, *more):
            root[found(each)] = found(first)
    chains: dict[tuple[Any, ...], list[int]] = {}
    for row, own in enumerate(keys):
        if own:
            chains.setdefault(found(own[0]), []).append(row)
    after: dict[int, int] = {}
    for chain in chains.values():
        after.update(zip(chain, (*chain[1:], chain[0]), strict=True))
    for row in range(table.height):
        there = after.get(row, row)
        yield None if there == row else f"'{table.sheet}'!A{there + 2}"


def _several(table: ResultTable) -> frozenset[str]:
    """Return the columns of a table that list names."""
    return frozenset(each.name for each in columns(table.kind) if each.several)


def _firsts(table: ResultTable, name: str) -> Sequence[Any]:
    """Return the values of a column; of one that lists names the first name in each row."""
    values = table.values[name]
    if name not in _several(table):
        return values
    return [next(iter(names_in(each)), None) if each else each for each in values]


def _together(places: Iterable[str | None]) -> Iterator[LinkedCells]:
    """Yield runs of cells that lead to one place."""
    run: LinkedCells | None = None
    for row, place in enumerate(places):
        if run is not None and run.place == place:
            run = run._replace(last=row)
            continue
        if run is not None:
            yield run
        run = None if place is None else LinkedCells(row, row, place)
    if run is not None:
        yield run
