"""A workbook with scenarios that are sampled: read, sample, reduce, write."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from optimiser.api.book import Book, Say, Source, book_of, path_of
from optimiser.scenarios.sampling.draw import SamplingOptions
from optimiser.scenarios.sampling.make import make
from optimiser.system.errors import Fault, InputError, OutputError, StockpileError
from optimiser.workbook.read.drafts import Written
from optimiser.workbook.read.input_reader import read_as_written
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file
from stockpile_model.amounts import count, percent
from stockpile_model.scenarios import Event, Scenario
from stockpile_model.schema import Row
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, eq=False, repr=False)
class SampledBook(Book):
    """A workbook with scenarios that were sampled and reduced.

    `distance` is the relative Kantorovich distance between all samples and those that were kept
    [1]. `remarks` say what is odd about the scenarios, a line each.

    >>> import optimiser as so
    >>> book = so.sample("inputs/indium.xlsx", samples=50, keep=3, replace=True)
    >>> isinstance(book, so.SampledBook), 0 < book.distance < 1
    (True, True)
    """

    distance: float = 0.0
    remarks: tuple[str, ...] = ()

    def _facts(self) -> Mapping[str, object]:
        return {**super()._facts(), "distance from all samples": percent(self.distance, 1)}


def sample(
    source: Source,
    *,
    samples: int = 1000,
    keep: int = 10,
    seed: int = 1,
    method: Literal["forward", "kmedoids"] = "forward",
    revealed: dt.date | None = None,
    replace: bool = False,
    output: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
) -> SampledBook:
    """Return the workbook with scenarios: sampled, and reduced to those that keep most of what was
    sampled.

    `revealed` is the date on which the scenarios part; by default the first fiscal year that begins
    within the horizon. Scenarios and events that the workbook has are refused, or with `replace`
    left out. `output` (.xlsx) is where the new workbook is written, with the cells of the others as
    they stand in the file: so it goes only with the path of a workbook. A file there that this
    program did not write is replaced by `force` only. `on_message` gets warnings, a line each.
    Raises InputError, OutputError and StockpileError.

    >>> import optimiser as so
    >>> book = so.sample(so.read("inputs/indium.xlsx"), samples=50, keep=3, replace=True)
    >>> len(book["scenarios"])
    3
    """
    say, path = on_message or (lambda _: None), path_of(source)
    given: dict[type[Row], Written] = {}
    if output is None:
        book = book_of(source)
    elif path is None:
        raise StockpileError(
            "a workbook with scenarios is written with the cells of the file that it is read from:"
            " give sample the path of that file, in the place of the book"
        )
    else:
        _check_places(path, Path(output), force)
        reading, given = read_as_written(path)
        book = Book(reading, path.name)
    for fault in book.warnings:
        say(f"warning: {fault}")
    options = SamplingOptions(
        samples=samples, keep=keep, seed=seed, method=method, revealed=revealed
    )
    made = make(_without_scenarios(book.stockpile, replace), options)
    for line in made.said:
        say(f"warning: {line}")
    if output is not None:
        from optimiser.workbook.write.scenario_book import write

        write(made, given, book.source, book.sha256, Path(output))
    return SampledBook(
        dataclasses.replace(book.reading, stockpile=made.stockpile),
        book.source,
        book.changes,
        made.reduction.relative,
        made.said,
    )


def _check_places(source: Path, output: Path, force: bool) -> None:
    """Raise OutputError where the new workbook cannot be written."""
    if same_file(output, source):
        raise OutputError(
            f"{output}: is the input workbook, which is never written to; choose another name"
        )
    check_target(output, Kind.SCENARIOS)
    refuse_foreign(output, Kind.SCENARIOS, force)


def _without_scenarios(stockpile: Stockpile, anew: bool) -> Stockpile:
    """Return a stockpile without scenarios and events. Raises InputError where it has some, and
    others are not to take their place.
    """
    kept = {kind: rows for kind, rows in stockpile.tables.items() if kind not in (Scenario, Event)}
    for kind in (Scenario, Event):
        if stockpile.rows(kind) and not anew:
            rows = count(len(stockpile.rows(kind)), "row")
            message = (
                f"has {rows} already; --replace leaves them out of the new workbook and puts new"
                " ones in their place"
            )
            raise InputError([Fault(stockpile.address(kind.TABLE, 0), message)])
    return dataclasses.replace(stockpile, tables=kept)
