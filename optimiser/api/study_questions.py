"""The questions of studies: kinds, inputs and ranges, in words or on the sheet `studies`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from optimiser.api.book import Book
from optimiser.studies.every_kind import EVERY_KIND
from optimiser.studies.kinds.asked import Asked
from optimiser.studies.study_sheet.every_input import everything
from optimiser.studies.study_sheet.study_inputs import Input, input_of
from optimiser.studies.study_sheet.study_table import Study, by_name
from optimiser.system.errors import Fault, InputError
from stockpile_model.changes import How, parse
from stockpile_model.names import identity
from stockpile_model.schema import nearest
from stockpile_model.stockpile import Stockpile

EVERYTHING = "everything"
Inputs = Sequence[str] | Mapping[str, tuple[float, float]]
"""Cells that a study moves, in words; with low and high where these are not the workbook's."""


def every_number(stockpile: Stockpile, name: str, gap: float) -> Asked:
    """Return the tornado over every number of a workbook."""
    every = everything(stockpile)
    return Asked(Study(study=name, kind="tornado"), every.inputs, stockpile, gap, every.left_out)


def of_sheet(stockpile: Stockpile, names: Sequence[str], gap: float) -> Iterator[Asked]:
    """Yield the studies of the sheet `studies`: those with these names, or else all.

    Raises InputError where there is none.
    """
    known = by_name(stockpile)
    if not known:
        message = "there is no study: add a sheet studies, or use --everything, which needs none"
        raise InputError([Fault("studies", message)])
    spelt = {identity(each) for each in known}
    if unknown := [name for name in names if identity(name) not in spelt]:
        raise InputError(
            Fault(
                "studies",
                f"there is no study {name!r}{nearest(name, known)}; there are {', '.join(known)}",
            )
            for name in unknown
        )
    wanted = {identity(name) for name in names}
    for name, rows in known.items():
        if not wanted or identity(name) in wanted:
            yield _of_rows(stockpile, rows, gap)


def of_words(
    book: Book, kind: str, inputs: Inputs | None, gap: float, about: Mapping[str, Any]
) -> Asked:
    """Return the question of a study: of a kind, or of the sheet by its name. Raises InputError."""
    stockpile, named = book.stockpile, by_name(book.stockpile)
    spelt = {identity(name): rows for name, rows in named.items()}
    if identity(kind) in spelt and inputs is None:
        return _of_rows(stockpile, spelt[identity(kind)], gap)
    if kind not in EVERY_KIND:
        names = [*EVERY_KIND, *named]
        message = (
            f"there is no kind or study {kind!r}{nearest(kind, names)}; there are"
            f" {', '.join(names)}"
        )
        raise InputError([Fault("study", message)])
    if inputs is None and kind == "tornado":
        return every_number(stockpile, kind, gap)
    moved = tuple(inputs_of(book, inputs or (), kind, **about))
    return Asked(Study(study=kind, kind=kind, **about), moved, stockpile, gap)


def inputs_of(book: Book, inputs: Inputs, kind: str = "tornado", **about: Any) -> Iterator[Input]:
    """Yield the inputs that texts name, each with low and high. Raises InputError."""
    for text in inputs:
        low, high = inputs[text] if isinstance(inputs, Mapping) else (None, None)
        *_, last = text.split() or [""]
        how = last if last in get_args(How) else "set"
        cell = text.removesuffix(how).strip() if last == how else text
        try:
            named = parse(f"{cell} set 0")
            column = {"distribution": about["distribution"]} if "distribution" in about else {}
            row = Study(
                study=kind,
                kind=kind,
                table=named.table,
                row=named.row,
                column=named.column,
                how=how,
                low=low,
                high=high,
                **column,
            )
            yield input_of(book.stockpile, row)
        except ValueError as reason:
            raise InputError([Fault(text, str(reason))]) from reason


def _of_rows(stockpile: Stockpile, rows: Sequence[Study], gap: float) -> Asked:
    """Return the question of the rows of a study."""
    moved = () if rows[0].kind == "alternatives" else (row for row in rows if row.table)
    return Asked(rows[0], tuple(input_of(stockpile, row) for row in moved), stockpile, gap)
