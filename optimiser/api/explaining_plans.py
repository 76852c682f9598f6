"""Why a workbook has no plan, and what would make one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from optimiser.api.book import Say, Source, book_of, path_of
from optimiser.api.output_files import check_output_file, is_page
from optimiser.api.planning.plan_request import options_of
from optimiser.html import diagnosis_saving  # noqa: F401  # explanations are saved as pages
from optimiser.studies.repairs.diagnosis import Diagnosis
from optimiser.studies.repairs.repair_search import diagnose
from optimiser.system.errors import OutputError, StockpileError
from optimiser.system.interrupts import Interrupt
from optimiser.workbook.read.input_reader import read_as_written
from optimiser.workbook.write.ownership import Kind, check_target, refuse_foreign, same_file


def explain(
    source: Source,
    *,
    changes: Sequence[str] = (),
    time_limit: float | None = None,
    apply: int | None = None,
    output: str | Path | None = None,
    force: bool = False,
    on_message: Say | None = None,
) -> Diagnosis:
    """Explain why a workbook has no plan: the sums that show it, the least changes of cells that
    make a plan, and the rules that clash.

    Each repair was proven by solving the workbook with it alone. `changes` are made first, in the
    words of `--set`; `time_limit` [s] is that of the whole search (None: of the settings). `output`
    (.xlsx or .html) is where the explanation is written, its rows linked to the cells; with `apply`
    it is the workbook with that repair (1 is the first) and the `changes`, and else as its file
    holds it. A file there that this program did not write is replaced by `force` only.
    `on_message` gets warnings, a line each.

    Raises InputError, OutputError and SolverError, and StockpileError for a repair that there is
    not.

    >>> import optimiser as so
    >>> so.explain("inputs/small.xlsx").status
    'feasible'
    """
    path, target = path_of(source), None if output is None else Path(output)
    kind = Kind.EXPLANATION if apply is None else Kind.REPAIRED
    if apply is not None and (target is None or path is None):
        raise StockpileError(
            "a repaired workbook is written with the cells of the file that it is read from: give"
            " the path of that file, and an output"
        )
    if target is not None:
        if path is not None and same_file(target, path):
            raise OutputError(
                f"{target}: is the input workbook, which is never written to; choose another name"
            )
        if apply is None:
            check_output_file(target, kind, force)
        else:
            check_target(target, kind)
            refuse_foreign(target, kind, force)
    book = book_of(source, changes, on_message)
    found = diagnose(book.stockpile, options_of(book, None, time_limit, None))
    found = replace(found, title=book.stockpile.settings.title)
    if target is not None:
        with Interrupt():
            if apply is None and is_page(target):
                found.save(target, force)
            elif apply is None:
                from optimiser.workbook.write.explanation_book import write

                write(found, path, book.source, target)
            else:
                assert path is not None
                _write_repaired(path, found, changes, apply, target)
    return found


def _write_repaired(
    path: Path, found: Diagnosis, changes: Sequence[str], number: int, target: Path
) -> None:
    """Write the workbook with a repair, and else as its file holds it."""
    from optimiser.workbook.write.repaired_book import write

    if not 1 <= number <= len(found.repairs):
        there = f"there are {len(found.repairs)}" if found.repairs else "there is none"
        raise StockpileError(f"there is no repair {number}: {there}; nothing was written")
    reading, given = read_as_written(path)
    repair = found.repairs[number - 1]
    write(reading.stockpile, given, (*changes, *repair.changes), path.name, target)
